// Comparing a kernel's result with a reference in float64, within what the arithmetic can lose.
import type { DType, Tensor } from 'thalweg';
import { numel } from './array.js';

/** Half the distance of neighbouring numbers, relative to them: what one rounding loses. */
export function unitOf(dtype: DType): number {
  return { float64: 2 ** -53, float32: 2 ** -24, float16: 2 ** -11, bfloat16: 2 ** -8 }[dtype as string] ?? 0;
}

/** The unit of the type that a kernel computes in: float32 for the half-precision ones. */
export const computeUnit = (dtype: DType): number => (dtype === 'float64' ? 2 ** -53 : 2 ** -24);

/** Below this, the numbers of a dtype lose digits. */
const smallestOf = (dtype: DType): number =>
  ({ float64: 2 ** -1022, float32: 2 ** -126, float16: 2 ** -14, bfloat16: 2 ** -126 })[dtype as string] ?? 0;

/** What rounding a value to a dtype may lose, and a little for a value that is itself an approximation. */
export const roundingOf = (dtype: DType, value: number): number =>
  unitOf(dtype) * (1.01 * Math.abs(value) + 2 * smallestOf(dtype));

/**
 * What a sum of `terms` terms may be off by, of which the absolute values add up to `magnitude`: each addition rounds, in
 * directions that are as good as random, so that the error grows with the root of their number. The reference in float64
 * rounds as well, which counts where the kernel is no less exact. `value` is rounded to the dtype at last.
 */
export function sumBound(dtype: DType, terms: number, magnitude: number, value: number): number {
  const twice = dtype === 'float64' ? 2 : 1;
  return twice * computeUnit(dtype) * (4 + Math.sqrt(terms)) * magnitude + roundingOf(dtype, value);
}

/** What results must be. */
export interface Expected {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
  /** How far each element may be off; none: not at all. */
  readonly bound?: ArrayLike<number>;
  readonly dtype: DType;
}

/** The elements of a tensor as numbers. */
export function read(tensor: Tensor): ArrayLike<number> {
  const data = tensor.dataSync() as ArrayLike<number | bigint | boolean>;
  return data instanceof BigInt64Array || Array.isArray(data)
    ? Float64Array.from(data as ArrayLike<number>, Number)
    : (data as ArrayLike<number>);
}

/** Throws unless a tensor has the expected shape, dtype and values; NaN and infinities must be where they are expected. */
export function expectNear(what: string, tensor: Tensor, { shape, data, bound, dtype }: Expected): void {
  if (tensor.shape.join() !== shape.join())
    throw new Error(`${what} has shape [${tensor.shape.join()}], expected [${shape.join()}]`);
  if (tensor.dtype !== dtype) throw new Error(`${what} is ${tensor.dtype}, expected ${dtype}`);
  const actual = read(tensor);
  if (actual.length !== numel(shape)) throw new Error(`${what} has ${actual.length} elements of [${shape.join()}]`);
  for (let i = 0; i < actual.length; i++) {
    const a = actual[i];
    const e = data[i];
    if (a === e || (Number.isNaN(a) && Number.isNaN(e))) continue;
    const allowed = bound === undefined ? 0 : bound[i];
    if (Math.abs(a - e) <= allowed) continue;
    throw new Error(`${what}: element ${i} of ${actual.length} is ${a}, expected ${e} within ${allowed}`);
  }
}
