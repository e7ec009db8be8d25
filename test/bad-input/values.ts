// Values of new tensors: nested arrays, typed arrays, bytes, and what a dtype can hold.
import * as thalweg from '../../src/index.js';
import { tensor, zeros } from '../../src/index.js';
import { a, api, type Rows } from './loose.js';

export const values: Rows = [
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
];
