// Making tensors: from JavaScript values, constants and ranges.
import { checkDevice, defaultDevice, type Device } from '../device.js';
import { checkDType, dtypeId, isFloating, itemSize, type DType } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { native } from '../native.js';
import { checkShape, numel, type Shape } from '../shape.js';
import { checkLength, fillValue, flatten, type TensorLike } from '../tensor/nested.js';
import { emptyTensor, viewTensor, writeElements, type Tensor } from '../tensor/tensor.js';
import type { NestedShape } from '../types/shape.js';
import { checkTensor } from './define.js';

/** Options of the creation functions. */
export interface TensorOptions<D extends DType = DType> {
  /** Element type. Default float32, or what the values suggest. */
  dtype?: D;
  /** Default 'cpu'. */
  device?: Device;
  /** Record operations on the new tensor for `backward()`. Default false. */
  requiresGrad?: boolean;
}

/** @internal */
export function finish<S extends Shape, D extends DType>(t: Tensor<S, D>, options: TensorOptions): Tensor<S, D> {
  return options.requiresGrad === true ? t.requiresGrad_() : t;
}

// zeros([2], 'float64') would otherwise be float32 without a word.
function checkOptions(op: string, options: unknown): void {
  if (typeof options !== 'object' || options === null) {
    const got = typeof options === 'string' ? `'${options}'` : String(options);
    throw new ArgumentError(`${op}: options must be an object such as { dtype: 'float64' }, got ${got}.`);
  }
}

/** Checks shape and options, allocates. @internal */
export function create<S extends Shape, D extends DType>(
  op: string,
  shape: S,
  options: TensorOptions<D>,
  fallback: DType = 'float32',
): Tensor<S, D> {
  checkOptions(op, options);
  const checked = checkShape(op, shape) as S;
  const dtype = (options.dtype === undefined ? fallback : checkDType(op, options.dtype)) as D;
  const device = options.device === undefined ? defaultDevice() : checkDevice(op, options.device);
  if (
    options.requiresGrad === true &&
    itemSize(dtype) > 0 &&
    !['float32', 'float64', 'float16', 'bfloat16'].includes(dtype)
  ) {
    throw new DTypeError(`${op}: only float tensors can have gradients, this one is ${dtype}.`);
  }
  return emptyTensor(op, checked, dtype, device);
}

// The depth stops the recursion of an array type that is not known.
type InferDType<V, Depth extends 0[] = []> = Depth['length'] extends 8
  ? DType
  : V extends bigint
    ? 'int64'
    : V extends boolean
      ? 'bool'
      : V extends number
        ? 'float32'
        : V extends readonly (infer Item)[]
          ? InferDType<Item, [0, ...Depth]>
          : DType;

/**
 * A tensor from a number or nested arrays. Numbers give float32, bigints int64, booleans bool, unless `dtype` says
 * otherwise; int64 also takes integers up to 2^53.
 *
 * @throws ShapeError for ragged arrays, naming the place; DTypeError for values that the dtype cannot hold
 * @example
 * tensor([[1, 2], [3, 4]]); // shape [2,2], float32
 * tensor([1n, 2n]); // int64
 * tensor(3.5); // a scalar
 */
export function tensor<const V extends TensorLike, D extends DType = InferDType<V>>(
  values: V,
  options: TensorOptions<D> = {},
): Tensor<NestedShape<V>, D> {
  checkOptions('tensor', options);
  const wanted = options.dtype === undefined ? undefined : checkDType('tensor', options.dtype);
  if (ArrayBuffer.isView(values)) {
    throw new ArgumentError('tensor: a typed array has no shape; use fromTypedArray(array, shape).');
  }
  const { data, shape, dtype } = flatten('tensor', values, wanted);
  const out = create('tensor', shape, { ...options, dtype });
  writeElements('tensor', out, data, dtypeId(dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype));
  return finish(out, options) as unknown as Tensor<NestedShape<V>, D>;
}

const arrayDTypes: readonly [string, DType][] = [
  ['Float32Array', 'float32'],
  ['Float64Array', 'float64'],
  ['Int32Array', 'int32'],
  ['BigInt64Array', 'int64'],
  ['Uint8Array', 'uint8'],
  ['Uint8ClampedArray', 'uint8'],
  ['Buffer', 'uint8'],
];

/** Typed arrays that can become tensors. */
export type SourceArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint8ClampedArray;
type DTypeOfArray<A> = A extends Float32Array
  ? 'float32'
  : A extends Float64Array
    ? 'float64'
    : A extends Int32Array
      ? 'int32'
      : A extends BigInt64Array
        ? 'int64'
        : 'uint8';

/**
 * A tensor from a typed array in row-major order (copied), converted when `dtype` differs from the array's.
 *
 * @param shape its product must be the array's length
 * @example
 * fromTypedArray(new Float32Array(6), [2, 3]);
 */
export function fromTypedArray<A extends SourceArray, const S extends Shape, D extends DType = DTypeOfArray<A>>(
  array: A,
  shape: S,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  const own = arrayDTypes.find(([name]) => (array as object | null)?.constructor?.name === name)?.[1];
  if (own === undefined || !ArrayBuffer.isView(array)) {
    throw new ArgumentError(
      'fromTypedArray: expected a Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array or Uint8ClampedArray.',
    );
  }
  const out = create('fromTypedArray', shape, options, own);
  checkLength('fromTypedArray', array.length, shape, numel(shape));
  writeElements('fromTypedArray', out, array, dtypeId(own));
  return finish(out, options);
}

/**
 * A tensor from raw little-endian element bytes in row-major order (copied), as in files.
 *
 * @throws ShapeError if there are not exactly numel * itemSize bytes; DTypeError for bool bytes other than 0 and 1
 */
export function fromBytes<const S extends Shape, D extends DType>(
  bytes: Uint8Array,
  shape: S,
  dtype: D,
  options: Omit<TensorOptions, 'dtype'> = {},
): Tensor<S, D> {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError('fromBytes: expected a Uint8Array.');
  checkDType('fromBytes', dtype);
  const out = create('fromBytes', shape, { ...options, dtype });
  checkLength('fromBytes', bytes.length / itemSize(dtype), shape, numel(shape));
  if (dtype === 'bool') {
    const bad = bytes.findIndex((byte) => byte > 1);
    if (bad >= 0) throw new DTypeError(`fromBytes: byte ${bad} of a bool tensor is ${bytes[bad]}, expected 0 or 1.`);
  }
  writeElements('fromBytes', out, bytes, dtypeId(dtype));
  return finish(out, options);
}

/** A tensor of one value. `value` may be a bigint for int64. */
export function full<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  value: number | bigint | boolean,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  const fallback = typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'int64' : 'float32';
  checkOptions('full', options);
  const filling = fillValue('full', value, options.dtype ?? fallback);
  const out = create('full', shape, options, fallback);
  native.fill(out._handle, filling);
  return finish(out, options);
}

/** A tensor of zeros. */
export function zeros<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  const out = create('zeros', shape, options);
  native.fill(out._handle, 0);
  return finish(out, options);
}

/** A tensor of ones. */
export function ones<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  const out = create('ones', shape, options);
  native.fill(out._handle, 1);
  return finish(out, options);
}

/** A tensor with unspecified contents. */
export function empty<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  return finish(create('empty', shape, options), options);
}

/** Options with the dtype and device of x where they have none. @internal */
export function like<S extends Shape, D extends DType, O extends TensorOptions<D>>(
  op: string,
  x: Tensor<S>,
  options: O,
): O {
  checkTensor(op, 'x', x);
  return { dtype: x.dtype as D, device: x.device, ...options };
}

/** Zeros with the shape, dtype and device of x. */
export function zerosLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  return zeros<S, D>(x.shape, like('zerosLike', x, options));
}

/** Ones with the shape, dtype and device of x. */
export function onesLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  return ones<S, D>(x.shape, like('onesLike', x, options));
}

/** One value with the shape, dtype and device of x. */
export function fullLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  value: number | bigint | boolean,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  return full<S, D>(x.shape, value, like('fullLike', x, options));
}

/** Unspecified contents with the shape, dtype and device of x. */
export function emptyLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: TensorOptions<D> = {},
): Tensor<S, D> {
  return empty<S, D>(x.shape, like('emptyLike', x, options));
}

/**
 * The numbers from `start` (default 0) up to, not including, `end`, in steps. int64 when all three are integers, as in
 * PyTorch, else float32.
 *
 * @example
 * arange(3); // [0, 1, 2], int64
 * arange(0, 1, 0.25); // float32
 */
export function arange<D extends DType = DType>(
  startOrEnd: number,
  end?: number,
  step = 1,
  options: TensorOptions<D> = {},
): Tensor<readonly [number], D> {
  const start = end === undefined ? 0 : startOrEnd;
  const stop = end ?? startOrEnd;
  for (const [name, value] of [
    ['start', start],
    ['end', stop],
    ['step', step],
  ] as const) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new ArgumentError(`arange: ${name} must be a finite number, got ${String(value)}.`);
  }
  if (step === 0) throw new ArgumentError('arange: step must not be 0.');
  if ((stop - start) * step < 0)
    throw new ArgumentError(`arange: a step of ${step} does not lead from ${start} to ${stop}.`);
  const count = Math.max(0, Math.ceil((stop - start) / step));
  const integers = [start, stop, step].every(Number.isInteger);
  const out = create('arange', [count] as const, options, integers ? 'int64' : 'float32');
  if (!(Number.isInteger(start) && Number.isInteger(step)) && !isFloating(out.dtype))
    throw new DTypeError(`arange: start ${start} and step ${step} are not integers, as ${out.dtype} needs.`);
  native.arange(out._handle, start, step);
  return finish(out, options);
}

/** `steps` numbers from `start` to `end`, both included, evenly spaced. */
export function linspace<D extends DType = 'float32'>(
  start: number,
  end: number,
  steps: number,
  options: TensorOptions<D> = {},
): Tensor<readonly [number], D> {
  if (!Number.isInteger(steps) || steps < 0)
    throw new ArgumentError(`linspace: steps must be an integer >= 0, got ${steps}.`);
  if (!Number.isFinite(start) || !Number.isFinite(end))
    throw new ArgumentError('linspace: start and end must be finite numbers.');
  const out = create('linspace', [steps] as const, options);
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  if (isFloating(out.dtype)) native.arange(out._handle, start, step);
  else {
    // In float64, then truncated, as PyTorch does.
    using exact = emptyTensor('linspace', out.shape, 'float64', out.device);
    native.arange(exact._handle, start, step);
    native.copy(out._handle, exact._handle);
  }
  if (steps > 1) {
    // start + (steps - 1) * step can miss the end by a rounding.
    const last = viewTensor(out, [1], null, steps - 1);
    native.fill(last._handle, end);
    last.dispose();
  }
  return finish(out, options);
}

/** The n x m matrix (m = n by default) with ones on the diagonal. */
export function eye<D extends DType = 'float32'>(
  n: number,
  m = n,
  options: TensorOptions<D> = {},
): Tensor<readonly [number, number], D> {
  const out = create('eye', [n, m] as const, options);
  native.fill(out._handle, 0);
  const diagonal = Math.min(n, m);
  if (diagonal > 0) {
    const view = viewTensor(out, [diagonal], [m + 1], 0);
    native.fill(view._handle, 1);
    view.dispose();
  }
  return finish(out, options);
}
