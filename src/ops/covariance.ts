// Covariances and correlations.
import { isFloating, type DType, type FloatDType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { div, mul, sub } from './arithmetic.js';
import { cast } from './copy.js';
import { checkTensor } from './define.js';
import { clamp, sqrt } from './math.js';
import { matmul } from './matmul.js';
import { diagonalOfLast } from './products.js';
import { sum } from './reduce.js';
import { reshape, unsqueeze } from './view.js';

/** Options of `cov`. */
export interface CovOptions {
  /** Subtracted from the number of observations in the divisor. Default 1. */
  correction?: number;
  /** How often each observation was seen: integers `[observations]`. */
  fweights?: Tensor;
  /** How much each observation counts: floats `[observations]`. */
  aweights?: Tensor;
}

function checkWeights(name: string, weights: Tensor, count: number, floats: boolean): void {
  checkTensor('cov', name, weights);
  if (isFloating(weights.dtype) !== floats || weights.dtype === 'bool') {
    throw new DTypeError(`cov: ${name} must be ${floats ? 'floats' : 'integers'}, got ${weights.dtype}.`);
  }
  if (weights.shape.length !== 1 || weights.shape[0] !== count) {
    throw new ShapeError(
      `cov: ${name} must have shape [${count}], one for each observation, got ${formatShape(weights.shape)}.`,
    );
  }
}

/**
 * The covariance matrix of variables, which are rows, over observations, which are columns. A vector is one variable, and
 * gives a scalar. Integers give float32.
 *
 * Shapes: `[variables, observations] -> [variables, variables]`, `[observations] -> []`.
 *
 * @method
 * @throws ShapeError for more than 2 dimensions and for weights of another number; DTypeError for bools; ArgumentError for a
 *   correction that is no integer
 */
export function cov(x: Tensor, options: CovOptions = {}): Tensor<Shape, FloatDType> {
  const op = 'cov';
  checkTensor(op, 'x', x);
  if (x.dtype === 'bool')
    throw new DTypeError(`${op}: x is bool, on which cov is not defined; convert it with to('float32').`);
  if (x.shape.length > 2) {
    throw new ShapeError(`${op}: x must have at most 2 dimensions, got shape ${formatShape(x.shape)}.`);
  }
  const { correction = 1, fweights, aweights } = options;
  if (!Number.isInteger(correction)) {
    throw new ArgumentError(`${op}: correction must be an integer, got ${String(correction)}.`);
  }
  const vector = x.shape.length < 2;
  const count = x.shape.length === 0 ? 1 : x.shape[x.shape.length - 1];
  if (fweights !== undefined) checkWeights('fweights', fweights, count, false);
  if (aweights !== undefined) checkWeights('aweights', aweights, count, true);
  return tidy(() => {
    const dtype: DType = isFloating(x.dtype) ? x.dtype : 'float32';
    const rows = reshape(cast(x, dtype), vector ? [1, count] : x.shape) as Tensor;
    const given = [fweights, aweights].filter((w): w is Tensor => w !== undefined).map((w): Tensor => cast(w, dtype));
    const weights = given.length === 0 ? null : given.reduce((a, b) => mul(a, b));
    const weighted = (t: Tensor): Tensor => (weights === null ? t : mul(t, weights));
    const total: Tensor | number = weights === null ? count : sum(weights);
    const centred = sub(rows, div(sum(weighted(rows), 1, { keepDim: true }), total));
    // With importances the correction counts as many observations as weigh as much.
    let divisor: Tensor | number;
    if (weights === null) divisor = Math.max(0, count - correction);
    else {
      const lost =
        aweights === undefined ? correction : mul(div(sum(mul(weights, cast(aweights, dtype))), total), correction);
      divisor = clamp(sub(total, lost), { min: 0 });
    }
    const products = div(matmul(weighted(centred), centred.t()), divisor);
    return vector ? reshape(products, []) : products;
  }) as Tensor<Shape, FloatDType>;
}

/**
 * The correlation coefficients of variables, which are rows: covariances divided by the standard deviations, from -1 to 1. A
 * vector gives a scalar.
 *
 * Shapes: `[variables, observations] -> [variables, variables]`, `[observations] -> []`.
 *
 * @method
 * @throws ShapeError for more than 2 dimensions; DTypeError for bools
 */
export function corrcoef(x: Tensor): Tensor<Shape, FloatDType> {
  checkTensor('corrcoef', 'x', x);
  return tidy(() => {
    const c = cov(x) as Tensor;
    if (c.shape.length === 0) return div(c, c);
    if (c.numel === 0) return c;
    const deviations = sqrt(diagonalOfLast(c)) as Tensor;
    const scaled = div(div(c, unsqueeze(deviations, -1)), deviations);
    return clamp(scaled, { min: -1, max: 1 });
  }) as Tensor<Shape, FloatDType>;
}
