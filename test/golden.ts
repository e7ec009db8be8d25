// Reading the goldens, making tensors from them in every dtype and memory layout, and comparing.
import { readFileSync } from 'node:fs';
import { fromTypedArray, noGrad, zeros, type DType, type Tensor } from 'thalweg';

/** A tensor of the file: values, or the step of a formula for large inputs. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly data?: readonly (number | string | boolean)[];
  readonly step?: number;
}

/** A case of golden/ops/<family>.json. */
export interface Golden {
  readonly inputs: readonly GoldenTensor[];
  readonly outputs: readonly GoldenTensor[];
  readonly cotangents?: readonly GoldenTensor[];
  readonly grads?: readonly (GoldenTensor | null)[];
}

/** Reads a file of test/golden. */
export function readGoldens<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`./golden/${name}`, import.meta.url), 'utf8')) as T;
}

export const isFloat = (dtype: DType): boolean => dtype.includes('float');
const count = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

function toNumber(value: number | string | boolean): number {
  if (value === 'nan') return NaN;
  if (value === 'inf') return Infinity;
  if (value === '-inf') return -Infinity;
  return Number(value);
}

/** The values of a golden tensor of a type without int64. */
export function numbersOf({ shape, data, step }: GoldenTensor): number[] {
  if (data !== undefined) return data.map(toNumber);
  return Array.from({ length: count(shape) }, (_, i) => (((i * step!) % 257) - 128) / 64);
}

/** The same as text, exact for int64. */
function exactValues(golden: GoldenTensor): string[] {
  return golden.data!.map((value) => String(value === true ? 1 : value === false ? 0 : value));
}

/** How the elements of an input lie in memory. `reversed`: the first dimension varies fastest; `stepped`: with gaps. */
export type Layout = 'plain' | 'reversed' | 'stepped';

function plainTensor(golden: GoldenTensor, dtype: DType): Tensor {
  if (golden.dtype === 'int64') return fromTypedArray(BigInt64Array.from(exactValues(golden), BigInt), golden.shape);
  return fromTypedArray(Float64Array.from(numbersOf(golden)), golden.shape, { dtype });
}

/** A tensor with a golden's values. `float`: the dtype of those that are floats. */
export function makeTensor(golden: GoldenTensor, float: DType = 'float64', layout: Layout = 'plain'): Tensor {
  const plain = plainTensor(golden, isFloat(golden.dtype) ? float : golden.dtype);
  const { shape } = plain;
  if (layout === 'plain' || shape.length === 0) return plain;
  if (layout === 'reversed') {
    const order = shape.map((_, d) => shape.length - 1 - d);
    return plain.permute(order).contiguous().permute(order);
  }
  // Every second element of the last dimension, from the second on, of a larger tensor.
  const last = shape.length - 1;
  const larger = zeros([...shape.slice(0, last), 2 * shape[last] + 1], { dtype: plain.dtype });
  const window = larger.slice(last, 1, 2 * shape[last] + 1, 2);
  noGrad(() => window.copy_(plain));
  return window;
}

/** Tolerances of a comparison. */
export interface Tolerance {
  /** Relative to the expected value. */
  readonly relative: number;
  /** Part of the largest expected value that is added to the scale; 0.01 by default, 0 for a strict comparison. */
  readonly floor?: number;
  /** Absolute, for what lies below the dtype's normal numbers. */
  readonly absolute?: number;
}

/** Throws unless a list of numbers agrees with the expected one; NaN and infinities must agree exactly. */
export function expectClose(
  label: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: Tolerance,
): void {
  if (actual.length !== expected.length)
    throw new Error(`${label}: ${actual.length} elements, expected ${expected.length}`);
  let largest = 0;
  for (let i = 0; i < expected.length; i++)
    if (Number.isFinite(expected[i])) largest = Math.max(largest, Math.abs(expected[i]));
  const { relative, floor = 0.01, absolute = 0 } = tolerance;
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i];
    const b = expected[i];
    if (Object.is(a, b) || (a === b && a === 0)) continue;
    const fits =
      Number.isFinite(a) &&
      Number.isFinite(b) &&
      Math.abs(a - b) <= relative * (Math.abs(b) + floor * largest) + absolute;
    if (!fits)
      throw new Error(
        `${label}: element ${i} is ${a}, expected ${b} (all: ${show(actual)}; expected: ${show(expected)})`,
      );
  }
}

function show(values: ArrayLike<number | bigint>): string {
  const text = Array.from(values, String);
  return text.length > 12 ? `${text.slice(0, 12).join(', ')}, ...` : text.join(', ');
}

/**
 * Throws unless a tensor is the golden one: shape and dtype, integers exactly, floats within the tolerance.
 *
 * @param float the dtype that float results must have
 */
export function expectGolden(
  label: string,
  actual: Tensor,
  golden: GoldenTensor,
  float: DType,
  tolerance: Tolerance,
): void {
  if (actual.shape.join() !== golden.shape.join()) {
    throw new Error(`${label}: shape [${actual.shape.join()}], expected [${golden.shape.join()}]`);
  }
  const dtype = isFloat(golden.dtype) ? float : golden.dtype;
  if (actual.dtype !== dtype) throw new Error(`${label}: dtype ${actual.dtype}, expected ${dtype}`);
  const data = actual.dataSync() as ArrayLike<number | bigint>;
  if (!isFloat(dtype)) {
    const got = Array.from(data, String);
    const expected = exactValues(golden);
    if (got.join() !== expected.join()) throw new Error(`${label}: ${got.join()}, expected ${expected.join()}`);
    return;
  }
  const expected = numbersOf(golden);
  expectClose(label, data as ArrayLike<number>, float === 'float64' ? expected : expected.map(Math.fround), tolerance);
}
