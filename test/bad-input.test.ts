// Bad input to the public interface: a typed error that names the operation and the numbers, and nothing else happens. The
// messages are part of the interface, so they stand here whole.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultDevice } from '../src/device.js';
import * as thalweg from '../src/index.js';
import { memory, nn, ones, optim, Tensor, tensor, ThalwegError, zeros } from '../src/index.js';

// Whatever this machine has, these tests see no GPU, unless they run on it (THALWEG_TEST_DEVICE).
const onCpu = defaultDevice() === 'cpu';
process.env['THALWEG_CUDA_PLUGIN'] = 'nowhere.so';
const noCuda =
  'is not available: the CUDA plugin was not found: THALWEG_CUDA_PLUGIN names nowhere.so, which does not exist; in a checkout, build it with: npm run build:cuda.';

// Loosely typed: the compiler refuses most of what follows.
type Loose = (...args: unknown[]) => unknown;
const api = thalweg as unknown as Record<string, Loose>;
const functional = nn.functional as unknown as Record<string, Loose>;
const layers = nn as unknown as Record<string, new (...args: unknown[]) => Record<string, Loose>>;
const optimizers = optim as unknown as Record<string, new (...args: unknown[]) => unknown>;
const loose = (t: unknown): Record<string, Loose> => t as Record<string, Loose>;

/** Calls `fn` and gives the error as it would be printed. */
function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    expect(error.code).toMatch(/^ERR_THALWEG_/);
    return `${error.name}: ${error.message}`;
  }
  return 'nothing was thrown';
}

type Row = [name: string, call: () => unknown, expected: string];

function table(title: string, rows: readonly Row[]): void {
  describe(title, () => {
    test.each(rows)('%s', (_, call, expected) => {
      expect(failure(call)).toBe(expected);
    });
  });
}

let a: Record<string, Loose>; // [2, 3]
let b: Record<string, Loose>; // [4, 5]
let bytesBefore: number;
beforeEach(() => {
  a = loose(ones([2, 3]));
  b = loose(ones([4, 5]));
  bytesBefore = memory().bytes;
});
// A refused call has allocated nothing that stays: the arrays of arguments above are small.
afterEach(() => {
  expect(memory().bytes - bytesBefore).toBeLessThan(4096);
  expect(tensor([1, 2]).sum().itemSync()).toBe(3);
});

table('shapes', [
  ['negative', () => zeros([-1]), 'ShapeError: zeros: shape[0] is -1, dimensions cannot be negative.'],
  ['NaN', () => zeros([2, NaN]), 'ArgumentError: zeros: shape[1] must be an integer, got NaN.'],
  ['a fraction', () => zeros([1.5]), 'ArgumentError: zeros: shape[0] must be an integer, got 1.5.'],
  ['infinite', () => zeros([Infinity]), 'ArgumentError: zeros: shape[0] must be an integer, got Infinity.'],
  ['a bigint', () => api['zeros']([3n]), 'ArgumentError: zeros: shape[0] must be an integer, got 3n.'],
  ['a string', () => api['zeros'](['3']), "ArgumentError: zeros: shape[0] must be an integer, got '3'."],
  ['null', () => api['zeros']([null]), 'ArgumentError: zeros: shape[0] must be an integer, got null.'],
  ['not an array', () => api['zeros'](3), 'ArgumentError: zeros: shape must be an array of integers, got 3.'],
  ['nothing', () => api['zeros'](), 'ArgumentError: zeros: shape must be an array of integers, got undefined.'],
  [
    'a typed array',
    () => api['zeros'](new Int32Array(2)),
    'ArgumentError: zeros: shape must be an array of integers, got an object.',
  ],
  [
    'nine dimensions',
    () => zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]),
    'ShapeError: zeros: shape has 9 dimensions, at most 8 are supported.',
  ],
  [
    'a size beyond 2^53',
    () => zeros([2 ** 53]),
    'ShapeError: zeros: shape[0] is 9007199254740992, more than 2^53 - 1.',
  ],
  [
    'a product beyond 2^53',
    () => zeros([2 ** 30, 2 ** 30]),
    'ShapeError: zeros: shape [1073741824,1073741824] has 1152921504606846976 elements, more than 2^53 - 1.',
  ],
  [
    'no elements, but sizes that no kernel could multiply',
    () => zeros([0, 2 ** 40, 2 ** 40]),
    'ShapeError: empty: the sizes multiply to more than 2^53',
  ],
  ['of eye', () => api['eye'](-1), 'ShapeError: eye: shape[0] is -1, dimensions cannot be negative.'],
  ['of randn', () => thalweg.randn([2, -3]), 'ShapeError: randn: shape[1] is -3, dimensions cannot be negative.'],
  ['of randperm', () => thalweg.randperm(-1), 'ShapeError: randperm: shape[0] is -1, dimensions cannot be negative.'],
]);

table('dtypes and devices', [
  [
    'an unknown dtype',
    () => api['zeros']([1], { dtype: 'float' }),
    "ArgumentError: zeros: unknown dtype 'float', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    'a name that every object has',
    () => api['zeros']([1], { dtype: 'constructor' }),
    "ArgumentError: zeros: unknown dtype 'constructor', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    '__proto__',
    () => api['tensor']([1], { dtype: '__proto__' }),
    "ArgumentError: tensor: unknown dtype '__proto__', expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.",
  ],
  [
    'an unknown device',
    () => api['zeros']([1], { device: 'tpu' }),
    "ArgumentError: zeros: unknown device 'tpu', expected 'cpu', 'cuda' or 'cuda:N'.",
  ],
  [
    'options that are a string',
    () => api['zeros']([1], 'float64'),
    "ArgumentError: zeros: options must be an object such as { dtype: 'float64' }, got 'float64'.",
  ],
  [
    'options that are null',
    () => api['tensor']([1], null),
    "ArgumentError: tensor: options must be an object such as { dtype: 'float64' }, got null.",
  ],
  [
    'gradients of integers',
    () => zeros([1], { dtype: 'int32', requiresGrad: true }),
    'DTypeError: zeros: only float tensors can have gradients, this one is int32.',
  ],
  [
    'to an unknown dtype',
    () => a['to']('float33'),
    "ArgumentError: to: 'float33' is neither a dtype (float32, float64, float16, bfloat16, int32, int64, uint8, bool) nor a device ('cpu', 'cuda', 'cuda:N').",
  ],
  [
    'random integers of float',
    () => thalweg.randn([2], { dtype: 'int32' }),
    'DTypeError: randn: expected a float dtype, got int32; use randint() for integers.',
  ],
  [
    'softmax of integers',
    () => loose(tensor([1n]))['softmax'](0),
    "DTypeError: softmax: expected a float tensor, got int64; convert it with to('float32').",
  ],
  [
    'matmul of two dtypes',
    () => a['matmul'](ones([3, 2], { dtype: 'float64' })),
    "DTypeError: matmul(a float32[2,3], b float64[3,2]): the dtypes differ; convert one, e.g. b.to('float32').",
  ],
  ['where without a bool', () => api['where'](a, a, a), 'DTypeError: where: condition is float32, expected bool.'],
  [
    'an index of floats',
    () => a['gather'](0, ones([2, 3])),
    'DTypeError: gather: index must be int64 or int32, got float32.',
  ],
]);

if (onCpu) {
  table('devices that are not there', [
    ['in options', () => zeros([1], { device: 'cuda' }), `DeviceError: zeros: device 'cuda' ${noCuda}`],
    ['with a number', () => zeros([1], { device: 'cuda:7' }), `DeviceError: zeros: device 'cuda:7' ${noCuda}`],
    ['to cuda', () => a['to']('cuda'), `DeviceError: to: device 'cuda' ${noCuda}`],
  ]);
}

table('values', [
  [
    'a row too short',
    () => tensor([[1, 2], [3]]),
    'ShapeError: tensor: ragged array, value[1] has 1 items where others have 2.',
  ],
  [
    'a number among rows',
    () => api['tensor']([[1, 2], 3]),
    'ShapeError: tensor: ragged array, value[1] is not an array of 2 items.',
  ],
  [
    'a row among numbers',
    () => api['tensor']([1, [2]]),
    'ShapeError: tensor: ragged array, value[1] is an array where others are numbers.',
  ],
  [
    'deep in',
    () =>
      tensor([
        [[1], [2]],
        [[3], [4, 5]],
      ]),
    'ShapeError: tensor: ragged array, value[1][1] has 2 items where others have 1.',
  ],
  [
    'nine deep',
    () => api['tensor']([[[[[[[[[1]]]]]]]]]),
    'ShapeError: tensor: arrays are nested more than 8 deep, the most a tensor can have.',
  ],
  [
    'an array that holds itself',
    () => {
      const endless: unknown[] = [];
      endless.push(endless);
      return api['tensor'](endless);
    },
    'ShapeError: tensor: arrays are nested more than 8 deep, the most a tensor can have.',
  ],
  [
    'null',
    () => api['tensor']([1, null]),
    'ArgumentError: tensor: value[1] is null, expected a number, bigint or boolean.',
  ],
  [
    'a hole',
    () => api['tensor'](new Array(2)),
    'ArgumentError: tensor: value[0] is of type undefined, expected a number, bigint or boolean.',
  ],
  [
    'a string',
    () => api['tensor']('5'),
    'ArgumentError: tensor: value is of type string, expected a number, bigint or boolean.',
  ],
  [
    'a symbol',
    () => api['tensor']([Symbol('s')]),
    'ArgumentError: tensor: value[0] is of type symbol, expected a number, bigint or boolean.',
  ],
  [
    'a typed array',
    () => api['tensor'](new Float32Array(2)),
    'ArgumentError: tensor: a typed array has no shape; use fromTypedArray(array, shape).',
  ],
  ['bigints and numbers', () => tensor([1n, 2]), 'DTypeError: tensor: bigints are mixed with numbers; give dtype.'],
  [
    'a fraction in int64',
    () => tensor([1, 1.5], { dtype: 'int64' }),
    'DTypeError: tensor: element 1 is 1.5, which int64 cannot hold exactly.',
  ],
  [
    'NaN in int64',
    () => tensor([NaN], { dtype: 'int64' }),
    'DTypeError: tensor: element 0 is NaN, which int64 cannot hold exactly.',
  ],
  [
    'a number for int64 that is not exact',
    () => tensor([2 ** 53], { dtype: 'int64' }),
    'DTypeError: tensor: element 0 is 9007199254740992, which int64 cannot hold exactly; write it as a bigint.',
  ],
  [
    'a bigint beyond int64',
    () => tensor([2n ** 63n]),
    'DTypeError: tensor: element 0 is 9223372036854775808n, outside int64.',
  ],
  [
    'beyond uint8',
    () => tensor([256], { dtype: 'uint8' }),
    'DTypeError: tensor: 256 is not a value of uint8 (integers from 0 to 255).',
  ],
  [
    'beyond int32',
    () => tensor([2 ** 31], { dtype: 'int32' }),
    'DTypeError: tensor: 2147483648 is not a value of int32 (integers from -2147483648 to 2147483647).',
  ],
  [
    'full of nothing',
    () => api['full']([1], undefined),
    'ArgumentError: full: value must be a number, bigint or boolean, got undefined.',
  ],
  [
    'full beyond uint8',
    () => thalweg.full([1], 300, { dtype: 'uint8' }),
    'DTypeError: full: 300 is not a value of uint8 (integers from 0 to 255).',
  ],
  [
    'full of NaN',
    () => thalweg.full([1], NaN, { dtype: 'int64' }),
    'DTypeError: full: the value is NaN, which int64 cannot hold exactly.',
  ],
  [
    'full beyond int64',
    () => thalweg.full([1], 2n ** 70n),
    'DTypeError: full: the value is 1180591620717411303424n, outside int64.',
  ],
  [
    'fill_ below uint8',
    () => zeros([2], { dtype: 'uint8' }).fill_(-1),
    'DTypeError: fill_: -1 is not a value of uint8 (integers from 0 to 255).',
  ],
  [
    'fill_ with a string',
    () => a['fill_']('1'),
    'ArgumentError: fill_: value must be a number, bigint or boolean, got string.',
  ],
  [
    'too few elements',
    () => api['fromTypedArray'](new Float32Array(3), [2, 2]),
    'ShapeError: fromTypedArray: shape [2,2] takes 4 elements, the array has 3.',
  ],
  [
    'an array of another kind',
    () => api['fromTypedArray'](new Uint16Array(3), [3]),
    'ArgumentError: fromTypedArray: expected a Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array or Uint8ClampedArray.',
  ],
  [
    'what only looks like an array',
    () => api['fromTypedArray']({ constructor: { name: 'Float32Array' }, length: 3 }, [3]),
    'ArgumentError: fromTypedArray: expected a Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array or Uint8ClampedArray.',
  ],
  [
    'too few bytes',
    () => thalweg.fromBytes(new Uint8Array(5), [1], 'float32'),
    'ShapeError: fromBytes: shape [1] takes 1 elements, the array has 1.25.',
  ],
  [
    'no bytes',
    () => api['fromBytes']([1, 2, 3, 4], [1], 'float32'),
    'ArgumentError: fromBytes: expected a Uint8Array.',
  ],
  [
    'a bool that is neither',
    () => thalweg.fromBytes(new Uint8Array([0, 2]), [2], 'bool'),
    'DTypeError: fromBytes: byte 1 of a bool tensor is 2, expected 0 or 1.',
  ],
  [
    'bytes without a dtype',
    () => api['fromBytes'](new Uint8Array(4), [1]),
    'ArgumentError: fromBytes: unknown dtype undefined, expected one of float32, float64, float16, bfloat16, int32, int64, uint8, bool.',
  ],
]);

table('ranges and seeds', [
  ['arange to NaN', () => thalweg.arange(NaN), 'ArgumentError: arange: end must be a finite number, got NaN.'],
  [
    'arange to infinity',
    () => thalweg.arange(0, Infinity),
    'ArgumentError: arange: end must be a finite number, got Infinity.',
  ],
  ['arange of bigints', () => api['arange'](5n), 'ArgumentError: arange: end must be a finite number, got 5.'],
  ['arange in no steps', () => thalweg.arange(0, 1, 0), 'ArgumentError: arange: step must not be 0.'],
  ['arange the wrong way', () => thalweg.arange(5, 0), 'ArgumentError: arange: a step of 1 does not lead from 5 to 0.'],
  [
    'arange of too many',
    () => thalweg.arange(0, 1, 1e-300),
    'ShapeError: arange: shape[0] is 9.999999999999999e+299, more than 2^53 - 1.',
  ],
  [
    'arange of halves as integers',
    () => thalweg.arange(0, 2, 0.5, { dtype: 'int64' }),
    'DTypeError: arange: start 0 and step 0.5 are not integers, as int64 needs.',
  ],
  [
    'linspace of -1',
    () => thalweg.linspace(0, 1, -1),
    'ArgumentError: linspace: steps must be an integer >= 0, got -1.',
  ],
  [
    'linspace from NaN',
    () => thalweg.linspace(NaN, 1, 3),
    'ArgumentError: linspace: start and end must be finite numbers.',
  ],
  [
    'an empty range of integers',
    () => thalweg.randint(5, 5, [2]),
    'ArgumentError: randint: low 5 must be below high 5.',
  ],
  [
    'integers from a fraction',
    () => thalweg.randint(0.5, 5, [2]),
    'ArgumentError: randint: low must be an integer, got 0.5.',
  ],
  [
    'a probability above 1',
    () => thalweg.bernoulli([2], 1.5),
    'ArgumentError: bernoulli: the probability must be from 0 to 1, got 1.5.',
  ],
  [
    'uniform the wrong way',
    () => loose(ones([2]))['uniform_'](2, 1),
    'ArgumentError: uniform_: low 2 is above high 1.',
  ],
  [
    'normal of negative width',
    () => loose(ones([2]))['normal_'](0, -1),
    'ArgumentError: normal_: std must not be negative, got -1.',
  ],
  [
    'a seed that is no integer',
    () => thalweg.manualSeed(1.5),
    'ArgumentError: manualSeed: the seed must be an integer, got 1.5.',
  ],
  [
    'a seed that is a string',
    () => api['manualSeed']('1'),
    'ArgumentError: manualSeed: the seed must be an integer, got 1.',
  ],
  [
    'no threads',
    () => thalweg.setNumThreads(0),
    'ArgumentError: setNumThreads: expected an integer from 1 to 1024, got 0.',
  ],
]);

table('operands', [
  [
    'shapes that do not broadcast',
    () => a['add'](b),
    'ShapeError: add(a [2,3], b [4,5]): cannot broadcast, a.shape[-1] = 3 but b.shape[-1] = 5.',
  ],
  [
    'inner dimensions',
    () => a['matmul'](b),
    'ShapeError: matmul(a [2,3], b [4,5]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4.',
  ],
  [
    'a scalar in matmul',
    () => a['matmul'](tensor(1)),
    'ShapeError: matmul(a [2,3], b []): both need at least 1 dimension, b has none.',
  ],
  [
    'a result beyond 2^53',
    () =>
      ones([1])
        .expand([2 ** 27, 1])
        .add(ones([1]).expand([1, 2 ** 27])),
    'ShapeError: add: shape [134217728,134217728] has 18014398509481984 elements, more than 2^53 - 1.',
  ],
  ['a string', () => a['add']('x'), 'ArgumentError: add: b is a string, expected a Tensor.'],
  ['an array', () => a['add']([1]), 'ArgumentError: add: b is an array, expected a Tensor; make one with tensor(...).'],
  ['null', () => a['add'](null), 'ArgumentError: add: b is null, expected a Tensor.'],
  ['nothing', () => a['add'](), 'ArgumentError: add: b is undefined, expected a Tensor.'],
  ['an object', () => a['add']({}), 'ArgumentError: add: b is an object, expected a Tensor.'],
  ['a bigint', () => a['add'](1n), 'ArgumentError: add: b is a bigint, expected a Tensor.'],
  [
    'a number for matmul',
    () => a['matmul'](3),
    'ArgumentError: matmul: b is a number, expected a Tensor; make one with tensor(...).',
  ],
  [
    'only numbers',
    () => api['add'](1, 2),
    'ArgumentError: add: at least one operand must be a Tensor; make one with tensor(...).',
  ],
  [
    'a tensor of another thread',
    () => a['add']({ ...ones([1]) }),
    'ArgumentError: add: b is an object, expected a Tensor; it looks like a tensor of another worker or copy of Thalweg: send its data() and make a new one.',
  ],
  [
    'a method on something else',
    () => Tensor.prototype.add.call({} as Tensor, 1),
    'ArgumentError: add: a is an object, expected a Tensor.',
  ],
  [
    'in place, the result is larger',
    () => loose(ones([1]))['add_'](a),
    'ShapeError: add_: the result has shape [2,3], which does not fit in place into [1].',
  ],
  [
    'in place, of another kind',
    () => tensor([1n]).add_(0.5),
    'DTypeError: add_: the result is float32, which cannot be stored in place in int64.',
  ],
  [
    'in place, expanded',
    () => ones([1]).expand([3]).add_(1),
    'ShapeError: add_: a tensor of shape [3] and strides [0] is an expanded view, several elements share memory; clone() it first.',
  ],
  [
    'copy_ that does not broadcast',
    () => a['copy_'](b),
    'ShapeError: copy_: source of shape [4,5] does not broadcast to [2,3].',
  ],
  ['cat of nothing', () => thalweg.cat([]), 'ArgumentError: cat: expected a list of at least one tensor.'],
  [
    'cat of other shapes',
    () => api['cat']([a, b]),
    'ShapeError: cat: tensors[1] has shape [4,5], tensors[0] [2,3]; they must agree but in dimension 0.',
  ],
  [
    'cat of scalars',
    () => thalweg.cat([tensor(1) as Tensor]),
    'ShapeError: cat: scalars have no dimension to join along; use stack().',
  ],
  [
    'stack of other shapes',
    () => api['stack']([a, b]),
    'ShapeError: stack: tensors[1] has shape [4,5], tensors[0] [2,3].',
  ],
  [
    'item of several',
    () => a['itemSync'](),
    'ShapeError: itemSync: the tensor of shape [2,3] has 6 elements, not one; use data() or array().',
  ],
]);

table('dimensions and views', [
  ['out of range', () => a['sum'](5), 'IndexError: sum: dim 5 is out of range for 2 dimensions, expected -2 to 1.'],
  ['NaN', () => a['sum'](NaN), 'ArgumentError: sum: dim must be an integer, got NaN.'],
  ['twice', () => a['sum']([0, -2]), 'ArgumentError: sum: dimension 0 appears twice in dims [0,-2].'],
  ['a string', () => a['sum']('0'), "ArgumentError: sum: dims must be an array of integers, got '0'."],
  [
    'of softmax',
    () => a['softmax'](2),
    'IndexError: softmax: dim 2 is out of range for 2 dimensions, expected -2 to 1.',
  ],
  [
    'the largest of nothing',
    () => zeros([0, 3]).amax(0),
    'ShapeError: amax: the tensor of shape [0,3] has no elements to reduce, and amax of nothing has no value.',
  ],
  ['reshape', () => a['reshape']([4]), 'ShapeError: reshape(a [2,3], [4]): 6 elements do not fit a shape of 4.'],
  [
    'reshape to two unknowns',
    () => a['reshape']([-1, -1]),
    'ShapeError: reshape(a [2,3], [-1,-1]): only one dimension can be -1.',
  ],
  ['reshape to NaN', () => a['reshape']([NaN]), 'ArgumentError: reshape: shape[0] must be an integer, got NaN.'],
  [
    'reshape to anything',
    () => api['reshape'](zeros([0]), [0, -1]),
    'ShapeError: reshape(a [0], [0,-1]): the dimension -1 could be anything beside a dimension of 0.',
  ],
  [
    'view that needs a copy',
    () => loose(a['t']())['view']([6]),
    'ShapeError: view(x [3,2], [6]): strides [1,3] do not allow a view; use reshape(), which copies.',
  ],
  [
    'permute twice the same',
    () => a['permute']([0, 0]),
    'ArgumentError: permute: dimension 0 appears twice in dims [0,0].',
  ],
  [
    'permute too few',
    () => a['permute']([0]),
    'ArgumentError: permute: dims [0] must name each of the 2 dimensions once.',
  ],
  [
    'transpose',
    () => a['transpose'](0, 2),
    'IndexError: transpose: dim1 2 is out of range for 2 dimensions, expected -2 to 1.',
  ],
  [
    't of three',
    () => loose(ones([1, 1, 1]))['t'](),
    'ShapeError: t: expected at most 2 dimensions, got shape [1,1,1]; use mT() or transpose().',
  ],
  ['mT of one', () => loose(ones([3]))['mT'](), 'ShapeError: mT: expected at least 2 dimensions, got shape [3].'],
  [
    'expand',
    () => a['expand']([3, 3]),
    'ShapeError: expand(a [2,3], [3,3]): only dimensions of 1 can expand, a.shape[-2] = 2 but 3 was asked.',
  ],
  [
    'expand beyond 2^53',
    () => ones([1]).expand([2 ** 60]),
    'ShapeError: expand: shape[0] is 1152921504606847000, more than 2^53 - 1.',
  ],
  ['broadcastTo', () => a['broadcastTo']([3, 2]), 'ShapeError: broadcastTo: shape [2,3] does not broadcast to [3,2].'],
  [
    'unsqueeze to nine',
    () => zeros([1, 1, 1, 1, 1, 1, 1, 1]).unsqueeze(0),
    'ShapeError: unsqueeze: x of shape [1,1,1,1,1,1,1,1] has 8 dimensions already, the most a tensor can have.',
  ],
  ['slice from NaN', () => a['slice'](0, NaN), 'ArgumentError: slice: start must be an integer, got NaN.'],
  ['slice in no steps', () => a['slice'](0, 0, 1, 0), 'ArgumentError: slice: step must be an integer above 0, got 0.'],
  ['slice of a scalar', () => loose(tensor(1))['slice'](0), 'ShapeError: slice: a scalar has no dimensions.'],
  [
    'narrow too far',
    () => a['narrow'](0, 1, 2),
    'IndexError: narrow: 2 elements from 1 are outside dimension 0 of size 2.',
  ],
  ['select', () => a['select'](0, 2), 'IndexError: select: index 2 is out of range for dimension 0 of size 2.'],
  [
    'split that does not add up',
    () => a['split']([1, 1], 1),
    'ArgumentError: split: sizes [1,1] do not add up to 3, the size of dimension 1.',
  ],
  ['split into nothing', () => a['split'](0), 'ArgumentError: split: size must be an integer above 0, got 0.'],
  ['chunk into half', () => a['chunk'](0.5), 'ArgumentError: chunk: count must be an integer above 0, got 0.5.'],
]);

table('indices', [
  ['too many', () => a['index'](0, 0, 0), 'IndexError: index: 3 indices for a tensor of shape [2,3].'],
  [
    'no slice',
    () => a['index']('a'),
    "ArgumentError: index: 'a' is no slice; write it as 'start:end' or 'start:end:step'.",
  ],
  ['two ellipses', () => a['index']('...', '...'), "ArgumentError: index: '...' can stand only once."],
  ['a fraction', () => a['index'](1.5), 'ArgumentError: select: index must be an integer, got 1.5.'],
  ['NaN', () => a['index'](NaN), 'ArgumentError: select: index must be an integer, got NaN.'],
  ['outside', () => a['index'](-3), 'IndexError: select: index -3 is out of range for dimension 0 of size 2.'],
  ['nothing', () => a['index'](undefined), 'ArgumentError: index: index is undefined, expected a Tensor.'],
  [
    'floats',
    () => a['index'](ones([1])),
    'DTypeError: index: index tensors must be int64, int32 or bool, got float32.',
  ],
  [
    'gather of another rank',
    () => a['gather'](0, tensor([0n])),
    'ShapeError: gather: index [1] and x [2,3] must have the same rank.',
  ],
  [
    'gather larger than x',
    () => a['gather'](0, zeros([1, 4], { dtype: 'int64' })),
    'ShapeError: gather: index [1,4] is larger than x [2,3] in dimension 1.',
  ],
  [
    'scatterAdd of another dtype',
    () => a['scatterAdd'](0, zeros([1, 3], { dtype: 'int64' }), zeros([1, 3], { dtype: 'float64' })),
    'DTypeError: scatterAdd: x is float32 and src float64; convert one.',
  ],
  [
    'embedding in a vector',
    () => functional['embedding'](ones([3]), tensor([0n])),
    'ShapeError: embedding: weight must be [rows, features], got shape [3].',
  ],
  [
    'oneHot of no classes',
    () => thalweg.oneHot(tensor([0n]), 0),
    'ArgumentError: oneHot: classes must be an integer above 0, got 0.',
  ],
  [
    'oneHot of a class outside',
    () => thalweg.oneHot(tensor([5n]), 3).dataSync(),
    'IndexError: scatterAdd: index 5 is out of range for dimension 1 of size 3',
  ],
]);

table('gradients', [
  [
    'of nothing that needs them',
    () => a['backward'](),
    'GradError: backward: the tensor does not depend on anything that requires gradients; make parameters with { requiresGrad: true } and compute outside noGrad().',
  ],
  [
    'of several values',
    () => ones([2], { requiresGrad: true }).mul(2).backward(),
    'GradError: backward: the tensor of shape [2] is not a scalar; reduce it (mean(), sum()) or pass { gradient }.',
  ],
  [
    'twice',
    () => {
      const w = ones([2], { requiresGrad: true });
      const loss = w.mul(w).sum();
      loss.backward();
      loss.backward();
    },
    'GradError: backward: the values that sum saved were freed by an earlier backward(); pass { retainGraph: true } to the first one.',
  ],
  [
    'after a change in place',
    () => {
      const w = ones([2], { requiresGrad: true });
      const x = ones([2]);
      const loss = w.mul(x).sum();
      x.add_(1);
      loss.backward();
    },
    "GradError: backward: 'b' of mul, shape [2], was changed in place 1 time(s) after mul saved it; use the out-of-place form or a clone().",
  ],
  [
    'of a change in place',
    () => ones([2], { requiresGrad: true }).add_(1),
    'GradError: add_: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).',
  ],
  [
    'for integers',
    () => tensor([1n]).requiresGrad_(),
    'DTypeError: requiresGrad_: only float tensors can have gradients, this one is int64.',
  ],
]);

table('layers, losses and optimizers', [
  [
    'Linear of -1',
    () => new layers['Linear'](-1, 2),
    'ArgumentError: Linear: inFeatures must be an integer >= 0, got -1.',
  ],
  [
    'Linear of a string',
    () => new layers['Linear'](3, '2'),
    'ArgumentError: Linear: outFeatures must be an integer >= 0, got 2.',
  ],
  [
    'Linear fed too much',
    () => new layers['Linear'](3, 2)['forward'](ones([2, 4])),
    'ShapeError: linear(x [2,4], weight [2,3]): the last dimension of x is 4, but weight takes 3 features.',
  ],
  [
    'Linear fed nothing',
    () => new layers['Linear'](3, 2)['forward'](),
    'ArgumentError: linear: x is null, expected a Tensor.',
  ],
  ['Dropout of 2', () => new layers['Dropout'](2), 'ArgumentError: Dropout: p must be from 0 to 1, got 2.'],
  ['Dropout of NaN', () => new layers['Dropout'](NaN), 'ArgumentError: Dropout: p must be from 0 to 1, got NaN.'],
  [
    'Sequential of a number',
    () => new layers['Sequential'](5),
    'ArgumentError: Sequential: layer 0 is a number, expected a Module.',
  ],
  [
    'crossEntropy of other counts',
    () => functional['crossEntropy'](a, tensor([0n])),
    'ShapeError: crossEntropy(input [2,3], target [1]): target must have shape [2].',
  ],
  [
    'crossEntropy of float targets',
    () => functional['crossEntropy'](a, tensor([0, 1])),
    'DTypeError: crossEntropy: target must hold class indices as int64 or int32, got float32.',
  ],
  [
    'crossEntropy with an unknown reduction',
    () => functional['crossEntropy'](a, tensor([0n, 1n]), { reduction: 'avg' }),
    "ArgumentError: crossEntropy: unknown reduction \"avg\", expected 'none', 'mean' or 'sum'.",
  ],
  [
    'mseLoss that would broadcast',
    () => functional['mseLoss'](ones([2, 1]), ones([2])),
    'ShapeError: mseLoss(input [2,1], target [2]): the shapes must be equal.',
  ],
  [
    'SGD of nothing',
    () => new optimizers['SGD']([], { lr: 1 }),
    'ArgumentError: SGD: there are no parameters to optimize.',
  ],
  [
    'SGD of a number',
    () => new optimizers['SGD'](5, { lr: 1 }),
    'ArgumentError: SGD: expected a list of parameters, or of groups { params, ... }.',
  ],
  [
    'SGD of data',
    () => new optimizers['SGD']([ones([2, 3])], { lr: 1 }),
    'ArgumentError: SGD: params[0] of shape [2,3] does not require gradients; optimize leaves made with { requiresGrad: true }.',
  ],
  [
    'SGD of negative rate',
    () => new optimizers['SGD']([ones([1], { requiresGrad: true })], { lr: -1 }),
    'ArgumentError: SGD: lr must be a number >= 0, got -1.',
  ],
]);

test('int64 takes bigints and exact integers', () => {
  expect(tensor([1, 2], { dtype: 'int64' }).dataSync()).toEqual(BigInt64Array.of(1n, 2n));
  expect(tensor([1n, -(2n ** 63n)]).dataSync()).toEqual(BigInt64Array.of(1n, -(2n ** 63n)));
  expect(tensor([5n], { dtype: 'float32' }).dataSync()).toEqual(Float32Array.of(5));
  expect(tensor([5n, 6n], { dtype: 'int32' }).dataSync()).toEqual(Int32Array.of(5, 6));
});
