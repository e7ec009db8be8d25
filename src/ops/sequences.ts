// Sequences of numbers by formula: logarithmic spacing, and the windows of signal processing.
import { defaultDevice } from '../device.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { tidy } from '../memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, pow, sub } from './arithmetic.js';
import { cast } from './copy.js';
import { arange, create, finish, linspace, ones, zeros, type TensorOptions } from './creation.js';
import { abs, cos, neg } from './math.js';

/** Options of `logspace`. */
export interface LogspaceOptions<D extends DType = DType> extends TensorOptions<D> {
  /** The base of the powers. Default 10. */
  base?: number;
}

/**
 * `steps` numbers from `base^start` to `base^end`, both included, evenly spaced on a logarithmic scale.
 *
 * @throws ArgumentError for numbers that are not finite and steps that are no integer >= 0
 * @example
 * logspace(0, 2, 3); // [1, 10, 100]
 */
export function logspace<D extends DType = 'float32'>(
  start: number,
  end: number,
  steps: number,
  options: LogspaceOptions<D> = {},
): Tensor<readonly [number], D> {
  const { base = 10, ...rest } = options;
  if (!Number.isInteger(steps) || steps < 0) {
    throw new ArgumentError(`logspace: steps must be an integer >= 0, got ${String(steps)}.`);
  }
  if (![start, end, base].every((value) => Number.isFinite(value))) {
    throw new ArgumentError('logspace: start, end and base must be finite numbers.');
  }
  // Checks the options.
  create('logspace', [0], rest).dispose();
  const device = rest.device ?? defaultDevice();
  const out = tidy(() => {
    const exponents = linspace(start, end, steps, { dtype: 'float64', device }) as Tensor;
    return cast(pow(base, exponents), rest.dtype ?? 'float32');
  });
  return finish(out as unknown as Tensor<readonly [number], D>, rest);
}

/** Options of the windows. */
export interface WindowOptions<D extends DType = DType> extends TensorOptions<D> {
  /** One period of a periodic function, for spectra; else symmetric, for filters. Default true. */
  periodic?: boolean;
}

/** The window as a function of its phase, 0 at the first point and 1 at the (imagined) last. */
function windowOf<D extends DType>(
  op: string,
  length: number,
  options: WindowOptions<D>,
  shape: (phase: Tensor) => Tensor,
): Tensor<readonly [number], D> {
  const { periodic = true, ...rest } = options;
  if (!Number.isInteger(length) || length < 0) {
    throw new ArgumentError(`${op}: windowLength must be an integer >= 0, got ${String(length)}.`);
  }
  const dtype: DType = rest.dtype ?? 'float32';
  create(op, [0], rest).dispose();
  if (!isFloating(dtype)) throw new DTypeError(`${op}: dtype must be a float dtype, got ${dtype}.`);
  const given = { dtype, device: rest.device ?? defaultDevice() };
  const out = tidy(() => {
    if (length === 0) return zeros([0], given);
    if (length === 1) return ones([1], given);
    const points = arange(0, length, 1, { ...given, dtype: 'float64' }) as Tensor;
    return cast(shape(mul(points, 1 / (periodic ? length : length - 1))), dtype);
  });
  return finish(out as unknown as Tensor<readonly [number], D>, rest);
}

const cosine = (phase: Tensor, turns: number): Tensor => cos(mul(phase, 2 * Math.PI * turns));

/**
 * The Hann window, `(1 - cos(2 pi phase)) / 2`.
 *
 * @throws ArgumentError for a length that is no integer >= 0; DTypeError unless the dtype is a float
 */
export function hannWindow<D extends DType = 'float32'>(
  windowLength: number,
  options: WindowOptions<D> = {},
): Tensor<readonly [number], D> {
  return windowOf('hannWindow', windowLength, options, (phase) => add(mul(cosine(phase, 1), -0.5), 0.5));
}

/**
 * The Hamming window, `0.54 - 0.46 cos(2 pi phase)`.
 *
 * @throws ArgumentError for a length that is no integer >= 0; DTypeError unless the dtype is a float
 */
export function hammingWindow<D extends DType = 'float32'>(
  windowLength: number,
  options: WindowOptions<D> = {},
): Tensor<readonly [number], D> {
  return windowOf('hammingWindow', windowLength, options, (phase) => add(mul(cosine(phase, 1), -0.46), 0.54));
}

/**
 * The Blackman window, `0.42 - 0.5 cos(2 pi phase) + 0.08 cos(4 pi phase)`.
 *
 * @throws ArgumentError for a length that is no integer >= 0; DTypeError unless the dtype is a float
 */
export function blackmanWindow<D extends DType = 'float32'>(
  windowLength: number,
  options: WindowOptions<D> = {},
): Tensor<readonly [number], D> {
  return windowOf('blackmanWindow', windowLength, options, (phase) =>
    add(add(mul(cosine(phase, 1), -0.5), mul(cosine(phase, 2), 0.08)), 0.42),
  );
}

/**
 * The Bartlett window, a triangle: `1 - |2 phase - 1|`.
 *
 * @throws ArgumentError for a length that is no integer >= 0; DTypeError unless the dtype is a float
 */
export function bartlettWindow<D extends DType = 'float32'>(
  windowLength: number,
  options: WindowOptions<D> = {},
): Tensor<readonly [number], D> {
  return windowOf('bartlettWindow', windowLength, options, (phase) => add(neg(abs(sub(mul(phase, 2), 1))), 1));
}
