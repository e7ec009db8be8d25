// Normalisation of vectors by their norm, and of values by those of their neighbours in other channels.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, div, pow } from './arithmetic.js';
import { cast } from './copy.js';
import { filledTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { requireFloatInput } from './indexing.js';
import { cat } from './join.js';
import { abs, clamp, sqrt, square } from './math.js';
import { checkEps, computeType, kept } from './normShared.js';
import { amax, sum } from './reduce.js';
import { narrow } from './view.js';

const responseOp = defineElementwise(
  'localResponseNorm',
  (x, total, scale, beta, k) => e.mul(x, e.pow(e.add(e.mul(total, scale), k), e.neg(beta))),
  { inputs: ['x', 'total'], scalars: ['scale', 'beta', 'k'] },
);

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  alpha?: number;
  /** Default 0.75. */
  beta?: number;
  /** Default 1. */
  k?: number;
}

/**
 * Divides each value by `(k + alpha / size * sum(x^2))^beta`, the sum being over `size` neighbouring channels: `size / 2`
 * (rounded down) before it, itself, and the rest behind it; channels that do not exist count as 0 (Krizhevsky et al. 2012).
 *
 * Shapes: `[N, C, ...]` with at least 3 dimensions. Float dtypes.
 *
 * @throws ShapeError, DTypeError; ArgumentError unless size is an integer above 0
 */
export function localResponseNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  size: number,
  options: LocalResponseNormOptions = {},
): Tensor<S, D> {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  const op = 'localResponseNorm';
  requireFloatInput(op, 'x', x);
  if (!Number.isInteger(size) || size < 1) {
    throw new ArgumentError(`${op}: size must be an integer above 0, got ${String(size)}.`);
  }
  for (const [name, value] of Object.entries({ alpha, beta, k })) {
    if (typeof value !== 'number') throw new ArgumentError(`${op}: ${name} must be a number, got ${String(value)}.`);
  }
  if (x.shape.length < 3) {
    throw new ShapeError(`${op}(x ${formatShape(x.shape)}): x must have at least 3 dimensions, [N, C, ...].`);
  }
  return tidy(() => {
    const [items, channels, ...rest] = x.shape;
    const squares: Tensor = square(x as Tensor);
    const nothing = (n: number): Tensor => filledTensor(op, [items, n, ...rest], x.dtype, x.device, 0);
    const before = Math.floor(size / 2);
    const padded = cat([nothing(before), squares, nothing(size - 1 - before)], 1);
    let total: Tensor = narrow(padded, 1, 0, channels);
    for (let i = 1; i < size; i++) total = add(total, narrow(padded, 1, i, channels));
    return responseOp.apply([x, total], [alpha / size, beta, k]);
  }) as Tensor<S, D>;
}

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** The order of the norm, above 0; `Infinity` for the largest absolute value. Default 2. */
  p?: number;
  /** The dimension along which vectors lie. Default 1. */
  dim?: number;
  /** The least that is divided by. Default 1e-12. */
  eps?: number;
}

/**
 * Vectors divided by their norm: `x / max(norm(x), eps)`. The gradient of a zero vector is that of `x / eps`.
 *
 * @throws DTypeError for integers; IndexError for a dimension that x does not have; ArgumentError for other p or eps
 * @example
 * nn.functional.normalize(tensor([[3, 4]])); // [[0.6, 0.8]]
 */
export function normalize<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: NormalizeOptions = {},
): Tensor<S, D> {
  const { p = 2, eps = 1e-12 } = options;
  requireFloatInput('normalize', 'x', x);
  const dim = normalizeDim('normalize', options.dim ?? 1, x.shape.length);
  if (typeof p !== 'number' || !(p > 0)) {
    throw new ArgumentError(`normalize: p must be a number above 0, got ${String(p)}.`);
  }
  checkEps('normalize', eps);
  return tidy(() => {
    const dtype = computeType(x);
    const wide = cast(x as Tensor, dtype);
    // Limits before the root: its slope at 0 is infinite, and 0 times that no number.
    const tiny = dtype === 'float64' ? 2 ** -1022 : 2 ** -126;
    const limited = (t: Tensor, least: number): Tensor => clamp(t, { min: least });
    const powers = (): Tensor => sum(pow(abs(wide), p), dim, kept);
    const norm =
      p === 2
        ? sqrt(limited(sum(square(wide), dim, kept), Math.max(eps ** 2, tiny)))
        : p === Infinity
          ? limited(amax(abs(wide), dim, kept), eps)
          : p === 1
            ? limited(sum(abs(wide), dim, kept), eps)
            : pow(limited(powers(), Math.max(eps ** p, tiny)), 1 / p);
    return cast(div(wide, norm), x.dtype);
  }) as Tensor<S, D>;
}
