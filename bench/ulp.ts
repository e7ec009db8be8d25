// How far functions of one number are from the truth, in units of the last place.
//
// float32 results are compared with those of the float64 kernels, which come from the C library and carry 29 bits more:
// what is left of their own error is far below the hundredth of a float32 ulp.
import { fromTypedArray, tidy, type Tensor } from 'thalweg';

/** A function and where it is looked at: over all floats between the bounds, and evenly between them. */
export interface Measured {
  readonly name: string;
  readonly low: number;
  readonly high: number;
  readonly apply: (x: Tensor) => Tensor;
}

const largest = 3.4e38;
const method = (name: keyof Tensor & string, low: number, high: number): Measured => ({
  name,
  low,
  high,
  apply: (x) => (x[name] as () => Tensor).call(x),
});

/** Domains end where results overflow, or are too small for a normal float32. */
export const measured: readonly Measured[] = [
  method('exp', -87, 88.7),
  method('exp2', -126, 127.9),
  method('expm1', -87, 88.7),
  method('log', 1e-45, largest),
  method('log2', 1e-45, largest),
  method('log10', 1e-45, largest),
  method('log1p', -1, largest),
  method('sqrt', 0, largest),
  method('rsqrt', 1e-38, largest),
  method('sin', -1e9, 1e9),
  method('cos', -1e9, 1e9),
  method('tan', -1e9, 1e9),
  method('asin', -1, 1),
  method('acos', -1, 1),
  method('atan', -largest, largest),
  method('sinh', -89, 89),
  method('cosh', -89, 89),
  method('tanh', -20, 20),
  method('asinh', -largest, largest),
  method('acosh', 1, largest),
  method('atanh', -1, 1),
  method('erf', -6, 6),
  method('erfc', -6, 9.1),
  method('erfinv', -1, 1),
  method('lgamma', -30, 1e30),
  method('digamma', 1e-30, 1e30),
  method('sigmoid', -87, 88),
  method('silu', -80, 80),
  method('gelu', -12.9, 20),
  { name: 'x^2.25', low: 1e-16, high: 1e16, apply: (x) => x.pow(2.25) },
  { name: '1.75^x', low: -140, high: 140, apply: (x) => x.pow(0).mul(1.75).pow(x) },
];

// `count` floats with evenly spread bit patterns, and `count` evenly spread values.
function samples(low: number, high: number, count: number): Float32Array {
  const value = new Float32Array(1);
  const bits = new Uint32Array(value.buffer);
  const found: number[] = [];
  const keep = (): void => {
    if (value[0] >= low && value[0] <= high) found.push(value[0]);
  };
  const step = Math.floor(2 ** 32 / count);
  for (let pattern = 0; pattern < 2 ** 32; pattern += step) {
    bits[0] = pattern;
    keep();
  }
  for (let i = 0; i < count; i++) {
    value[0] = low + (high - low) * ((i + 0.5) / count);
    keep();
  }
  return Float32Array.from(found);
}

// The distance of neighbouring float32 numbers at x.
function ulp(x: number): number {
  return 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(x)))) - 23);
}

/** The worst error of a float32 function on about `2 count` arguments, and where it is. */
export function worst({ low, high, apply }: Measured, count: number): { error: number; at: number } {
  const arguments_ = samples(low, high, count);
  const [results, truth] = tidy(() => {
    const x = fromTypedArray(arguments_, [arguments_.length]) as unknown as Tensor;
    return [apply(x).dataSync() as Float32Array, apply(x.to('float64') as Tensor).dataSync() as Float64Array] as const;
  });
  let error = 0;
  let at = NaN;
  arguments_.forEach((x, i) => {
    if (results[i] === truth[i] || (Number.isNaN(results[i]) && Number.isNaN(truth[i]))) return;
    if (results[i] === Math.fround(truth[i]) && !Number.isFinite(results[i])) return;
    const distance = Math.abs(results[i] - truth[i]) / ulp(truth[i]);
    if (distance <= error) return;
    error = distance; // a NaN too: one of the two was not expected
    at = x;
  });
  return { error, at };
}
