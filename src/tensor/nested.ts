// Nested JavaScript arrays: from tensors, and to flat typed arrays.
import { isFloating, typedArrayOf, type AnyTypedArray, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, type Shape } from '../shape.js';

/** The nested array type of a shape: `number[][]` for two dimensions; unknown rank gives `unknown`-depth arrays. */
export type NestedArray<S extends Shape, T> = number extends S['length']
  ? DeepArray<T>
  : S extends readonly [number, ...infer Rest extends Shape]
    ? NestedArray<Rest, T>[]
    : T;

/** A value, or arrays of it to any depth. */
export type DeepArray<T> = T | DeepArray<T>[];

/** Flat row-major values as nested arrays. */
export function nest<S extends Shape, T>(data: AnyTypedArray, shape: S, dtype: DType): NestedArray<S, T> {
  const isBool = dtype === 'bool';
  const build = (dim: number, offset: number, size: number): unknown => {
    if (dim === shape.length) return isBool ? data[offset] !== 0 : data[offset];
    const count = shape[dim];
    const step = count === 0 ? 0 : size / count;
    const result: unknown[] = new Array(count);
    for (let i = 0; i < count; i++) result[i] = build(dim + 1, offset + i * step, step);
    return result;
  };
  return build(0, 0, data.length) as NestedArray<S, T>;
}

/** What `tensor()` takes: numbers, bigints or booleans in nested arrays, all rows of a level equally long. */
export type TensorLike = number | bigint | boolean | readonly TensorLike[];

/** The dtype of JavaScript values: numbers are float32, bigints int64, booleans bool. Mixed kinds are refused. */
function inferDType(op: string, kinds: Set<string>): DType {
  if (kinds.has('bigint')) {
    if (kinds.size > 1)
      throw new DTypeError(
        `${op}: bigints are mixed with ${[...kinds].filter((k) => k !== 'bigint').join(' and ')}s; give dtype.`,
      );
    return 'int64';
  }
  if (kinds.has('boolean') && !kinds.has('number')) return 'bool';
  return 'float32';
}

/**
 * Flattens nested arrays and finds their shape and dtype.
 *
 * @throws ShapeError for ragged arrays, naming the place; DTypeError for values that are not of the dtype
 */
export function flatten(
  op: string,
  value: TensorLike,
  wanted?: DType,
): { data: AnyTypedArray; shape: Shape; dtype: DType } {
  const shape: number[] = [];
  for (let level: unknown = value; Array.isArray(level); level = level[0]) {
    shape.push(level.length);
    if (shape.length > 8)
      throw new ShapeError(`${op}: arrays are nested more than 8 deep, the most a tensor can have.`);
  }
  const flat: unknown[] = [];
  const kinds = new Set<string>();
  const visit = (item: unknown, dim: number, path: string): void => {
    if (dim === shape.length) {
      const kind = typeof item;
      if (kind !== 'number' && kind !== 'bigint' && kind !== 'boolean') {
        if (Array.isArray(item))
          throw new ShapeError(`${op}: ragged array, value${path} is an array where others are numbers.`);
        throw new ArgumentError(
          `${op}: value${path} is ${item === null ? 'null' : `of type ${kind}`}, expected a number, bigint or boolean.`,
        );
      }
      kinds.add(kind);
      flat.push(item);
      return;
    }
    if (!Array.isArray(item))
      throw new ShapeError(`${op}: ragged array, value${path} is not an array of ${shape[dim]} items.`);
    if (item.length !== shape[dim]) {
      throw new ShapeError(
        `${op}: ragged array, value${path} has ${item.length} items where others have ${shape[dim]}.`,
      );
    }
    for (let i = 0; i < item.length; i++) visit(item[i], dim + 1, `${path}[${i}]`);
  };
  visit(value, 0, '');
  const dtype = wanted ?? inferDType(op, kinds);
  return { data: convert(op, flat as (number | bigint | boolean)[], dtype), shape, dtype };
}

/** The array of a dtype's storage-side conversion: float16 and bfloat16 travel as float32. */
function convert(op: string, values: readonly (number | bigint | boolean)[], dtype: DType): AnyTypedArray {
  const data = new (typedArrayOf(dtype))(values.length);
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < values.length; i++) data[i] = toBigInt(op, values[i], i);
    return data;
  }
  const float = isFloating(dtype);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (dtype === 'bool') data[i] = Number(value) !== 0 ? 1 : 0;
    else if (float) data[i] = Number(value);
    else data[i] = toSmallInteger(op, value, dtype);
  }
  return data;
}

function toBigInt(op: string, value: number | bigint | boolean, index?: number): bigint {
  const what = index === undefined ? 'the value' : `element ${index}`;
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new DTypeError(
      `${op}: ${what} is ${value}, which int64 cannot hold exactly${Number.isInteger(value) ? '; write it as a bigint.' : '.'}`,
    );
  }
  const big = BigInt(value);
  if (BigInt.asIntN(64, big) !== big) throw new DTypeError(`${op}: ${what} is ${big}n, outside int64.`);
  return big;
}

const ranges = { int32: [-(2 ** 31), 2 ** 31 - 1], uint8: [0, 255] } as const;

function toSmallInteger(op: string, value: number | bigint | boolean, dtype: DType): number {
  const number = Number(value);
  const [low, high] = ranges[dtype as 'int32' | 'uint8'];
  if (!Number.isInteger(number) || number < low || number > high) {
    throw new DTypeError(`${op}: ${value} is not a value of ${dtype} (integers from ${low} to ${high}).`);
  }
  return number;
}

/**
 * One value as the fill kernel takes it for a dtype, under the rules of `tensor()`.
 *
 * @throws ArgumentError for what is no value, DTypeError for a value that the dtype cannot hold
 */
export function fillValue(op: string, value: unknown, dtype: DType): number | bigint {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'boolean') {
    throw new ArgumentError(
      `${op}: value must be a number, bigint or boolean, got ${value === null ? 'null' : typeof value}.`,
    );
  }
  if (dtype === 'bool') return Number(value) !== 0 ? 1 : 0;
  if (isFloating(dtype)) return Number(value);
  return dtype === 'int64' ? toBigInt(op, value) : toSmallInteger(op, value, dtype);
}

/** True if a flat array of `length` elements fills `shape`. */
export function checkLength(op: string, length: number, shape: Shape, count: number): void {
  if (length !== count) {
    throw new ShapeError(`${op}: shape ${formatShape(shape)} takes ${count} elements, the array has ${length}.`);
  }
}
