// Element types: names, ids, sizes, the JavaScript types that hold them, and the promotion rules.
import { ArgumentError } from './errors.js';

/** Names of the element types. The order is the order of native/runtime/dtype.h: the position is the native id. */
export const dtypes = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool'] as const;

/** The element type of a tensor. */
export type DType = (typeof dtypes)[number];
/** The element types that hold fractions, and so can carry gradients. */
export type FloatDType = 'float32' | 'float64' | 'float16' | 'bfloat16';
/** The element types that hold integers; `bool` is not one. */
export type IntDType = 'int32' | 'int64' | 'uint8';

interface TypedArrays {
  float32: Float32Array;
  float64: Float64Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  int32: Int32Array;
  int64: BigInt64Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** The typed array that `data()` gives for a dtype. The 16-bit floats are widened to float32, exactly. */
export type TypedArrayOf<D extends DType> = TypedArrays[D];
/** Any typed array that `data()` can give. */
export type AnyTypedArray = TypedArrays[DType];
/** The JavaScript value that `item()` gives for a dtype: bigint for int64, boolean for bool, else number. */
export type ItemOf<D extends DType> = D extends 'int64' ? bigint : D extends 'bool' ? boolean : number;

/** A typed array's constructor, as far as it is used here. */
export interface TypedArrayConstructor<T extends AnyTypedArray> {
  new (length: number): T;
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): T;
  readonly BYTES_PER_ELEMENT: number;
}

const ids: Readonly<Record<DType, number>> = {
  float32: 0,
  float64: 1,
  float16: 2,
  bfloat16: 3,
  int32: 4,
  int64: 5,
  uint8: 6,
  bool: 7,
};
const sizes: Readonly<Record<DType, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
};
const arrays: { readonly [D in DType]: TypedArrayConstructor<TypedArrays[D]> } = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  bfloat16: Float32Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  bool: Uint8Array,
};

/** The native id of a dtype: its position in native/runtime/dtype.h. */
export function dtypeId(dtype: DType): number {
  return ids[dtype];
}

/** Bytes of one element in a tensor's storage. */
export function itemSize(dtype: DType): number {
  return sizes[dtype];
}

/** True for float32, float64, float16 and bfloat16. */
export function isFloating(dtype: DType): dtype is FloatDType {
  return ids[dtype] <= 3;
}

/** True for int32, int64 and uint8. Not for bool. */
export function isInteger(dtype: DType): dtype is IntDType {
  const id = ids[dtype];
  return id >= 4 && id <= 6;
}

/** The typed array class that holds a dtype's elements when read, e.g. `Float32Array` for bfloat16. */
export function typedArrayOf<D extends DType>(dtype: D): TypedArrayConstructor<TypedArrayOf<D>> {
  return arrays[dtype];
}

/** True if a value is the name of a dtype. */
export function isDType(value: unknown): value is DType {
  // `in` would also say yes to 'constructor'.
  return typeof value === 'string' && Object.hasOwn(ids, value);
}

/**
 * Checks a dtype that came from a user.
 *
 * @param op named in the message
 * @throws ArgumentError naming the choices
 * @example
 * checkDType('zeros', 'float'); // ArgumentError: zeros: unknown dtype 'float', expected one of float32, ...
 */
export function checkDType(op: string, value: unknown): DType {
  if (isDType(value)) return value;
  const got =
    typeof value === 'string'
      ? `'${value}'`
      : value === null || value === undefined
        ? String(value)
        : `a ${typeof value}`;
  throw new ArgumentError(`${op}: unknown dtype ${got}, expected one of ${dtypes.join(', ')}.`);
}

// Row by row in the order of `dtypes`; each cell is the native id of the promoted dtype. As torch.promote_types.
const promotions: readonly (readonly number[])[] = [
  [0, 1, 0, 0, 0, 0, 0, 0],
  [1, 1, 1, 1, 1, 1, 1, 1],
  [0, 1, 2, 0, 2, 2, 2, 2],
  [0, 1, 0, 3, 3, 3, 3, 3],
  [0, 1, 2, 3, 4, 5, 4, 4],
  [0, 1, 2, 3, 5, 5, 5, 5],
  [0, 1, 2, 3, 4, 5, 6, 6],
  [0, 1, 2, 3, 4, 5, 6, 7],
];

/** The type of `promoteTypes(a, b)`. */
export type Promote<A extends DType, B extends DType> = A extends unknown
  ? B extends unknown
    ? PromoteOne<A, B>
    : never
  : never;

// Float beats integer beats bool; within a kind the larger wins; float16 with bfloat16 meets in float32.
type PromoteOne<A extends DType, B extends DType> = [A] extends [B]
  ? A
  : 'float64' extends A | B
    ? 'float64'
    : 'float32' extends A | B
      ? 'float32'
      : 'float16' extends A | B
        ? 'bfloat16' extends A | B
          ? 'float32'
          : 'float16'
        : 'bfloat16' extends A | B
          ? 'bfloat16'
          : 'int64' extends A | B
            ? 'int64'
            : 'int32' extends A | B
              ? 'int32'
              : 'uint8';

/**
 * The dtype that holds the result of an operation on two tensors, as `torch.promote_types`: a float with an integer is
 * that float, float16 with bfloat16 is float32, an integer with bool is that integer.
 *
 * @example
 * promoteTypes('int64', 'float16'); // 'float16'
 */
export function promoteTypes<A extends DType, B extends DType>(a: A, b: B): Promote<A, B>;
export function promoteTypes(a: DType, b: DType): DType {
  if (a === b) return a;
  return dtypes[promotions[ids[a]][ids[b]]];
}

/** A JavaScript value that can stand beside a tensor in an operation. */
export type ScalarValue = number | bigint | boolean;

/**
 * The type of `resultTypeWithScalar(dtype, value)`. Whether a number is an integer is known to the compiler only for a
 * literal, so an integer tensor with a `number` is `D | 'float32'`.
 */
export type PromoteScalar<D extends DType, V extends ScalarValue> = D extends FloatDType
  ? D
  : V extends boolean
    ? D
    : V extends bigint
      ? IntScalar<D>
      : number extends V
        ? IntScalar<D> | 'float32'
        : `${V & number}` extends `${bigint}`
          ? IntScalar<D>
          : 'float32';

type IntScalar<D extends DType> = D extends 'bool' ? 'int64' : D;

/**
 * The dtype of an operation between a tensor and a JavaScript scalar. A scalar never widens a float tensor; an integer
 * keeps an integer tensor's dtype and makes a bool tensor int64; a fraction (or NaN, or an infinity) makes an integer or
 * bool tensor float32; a boolean changes nothing.
 *
 * @example
 * resultTypeWithScalar('uint8', 2); // 'uint8'
 * resultTypeWithScalar('uint8', 2.5); // 'float32'
 */
export function resultTypeWithScalar<D extends DType, V extends ScalarValue>(dtype: D, value: V): PromoteScalar<D, V>;
export function resultTypeWithScalar(dtype: DType, value: ScalarValue): DType {
  if (ids[dtype] <= 3 || typeof value === 'boolean') return dtype;
  if (typeof value === 'number' && !Number.isInteger(value)) return 'float32';
  return dtype === 'bool' ? 'int64' : dtype;
}
