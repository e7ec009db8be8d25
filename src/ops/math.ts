// Mathematical functions of one tensor, and activations that are plain expressions.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Shape } from '../types/shape.js';
import type { FloatResult } from './arithmetic.js';
import { cast } from './copy.js';
import { checkTensor } from './define.js';
import { defineElementwise } from './elementwise.js';

const negOp = defineElementwise('neg', (x) => e.neg(x));

/**
 * The negative.
 *
 * @method
 */
export function neg<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return negOp.apply([x]) as Tensor<S, D>;
}

const absOp = defineElementwise('abs', (x) => e.abs(x));

/**
 * The absolute value; the gradient at 0 is 0.
 *
 * @method
 */
export function abs<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return absOp.apply([x]) as Tensor<S, D>;
}

const signOp = defineElementwise('sign', (x) => e.sign(x));

/**
 * -1, 0 or 1 by sign; NaN stays.
 *
 * @method
 */
export function sign<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return signOp.apply([x]) as Tensor<S, D>;
}

const squareOp = defineElementwise('square', (x) => e.square(x));

/**
 * x squared.
 *
 * @method
 */
export function square<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return squareOp.apply([x]) as Tensor<S, D>;
}

const sqrtOp = defineElementwise('sqrt', (x) => e.sqrt(x), { dtype: 'float' });

/**
 * The square root.
 *
 * @method
 */
export function sqrt<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return sqrtOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const rsqrtOp = defineElementwise('rsqrt', (x) => e.rsqrt(x), { dtype: 'float' });

/**
 * 1 / sqrt(x).
 *
 * @method
 */
export function rsqrt<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return rsqrtOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const reciprocalOp = defineElementwise('reciprocal', (x) => e.reciprocal(x), { dtype: 'float' });

/**
 * 1 / x.
 *
 * @method
 */
export function reciprocal<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return reciprocalOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const expOp = defineElementwise('exp', (x) => e.exp(x), { dtype: 'float' });

/**
 * e to the power x.
 *
 * @method
 */
export function exp<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return expOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const exp2Op = defineElementwise('exp2', (x) => e.exp2(x), { dtype: 'float' });

/**
 * 2 to the power x.
 *
 * @method
 */
export function exp2<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return exp2Op.apply([x]) as Tensor<S, FloatResult<D>>;
}

const expm1Op = defineElementwise('expm1', (x) => e.expm1(x), { dtype: 'float' });

/**
 * exp(x) - 1, exact near 0.
 *
 * @method
 */
export function expm1<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return expm1Op.apply([x]) as Tensor<S, FloatResult<D>>;
}

const logOp = defineElementwise('log', (x) => e.log(x), { dtype: 'float' });

/**
 * The natural logarithm.
 *
 * @method
 */
export function log<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return logOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const log2Op = defineElementwise('log2', (x) => e.log2(x), { dtype: 'float' });

/**
 * The logarithm to base 2.
 *
 * @method
 */
export function log2<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return log2Op.apply([x]) as Tensor<S, FloatResult<D>>;
}

const log10Op = defineElementwise('log10', (x) => e.log10(x), { dtype: 'float' });

/**
 * The logarithm to base 10.
 *
 * @method
 */
export function log10<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return log10Op.apply([x]) as Tensor<S, FloatResult<D>>;
}

const log1pOp = defineElementwise('log1p', (x) => e.log1p(x), { dtype: 'float' });

/**
 * log(1 + x), exact near 0.
 *
 * @method
 */
export function log1p<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return log1pOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const sinOp = defineElementwise('sin', (x) => e.sin(x), { dtype: 'float' });

/**
 * The sine; x in radians.
 *
 * @method
 */
export function sin<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return sinOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const cosOp = defineElementwise('cos', (x) => e.cos(x), { dtype: 'float' });

/**
 * The cosine; x in radians.
 *
 * @method
 */
export function cos<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return cosOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const tanOp = defineElementwise('tan', (x) => e.tan(x), { dtype: 'float' });

/**
 * The tangent; x in radians.
 *
 * @method
 */
export function tan<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return tanOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const tanhOp = defineElementwise('tanh', (x) => e.tanh(x), { dtype: 'float' });

/**
 * The hyperbolic tangent.
 *
 * @method
 */
export function tanh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return tanhOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const erfOp = defineElementwise('erf', (x) => e.erf(x), { dtype: 'float' });

/**
 * The error function.
 *
 * @method
 */
export function erf<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return erfOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const sigmoidOp = defineElementwise('sigmoid', (x) => e.sigmoid(x), { dtype: 'float' });

/**
 * 1 / (1 + exp(-x)).
 *
 * @method
 */
export function sigmoid<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return sigmoidOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const floorOp = defineElementwise('floor', (x) => e.floor(x));

/**
 * Rounds toward minus infinity; the gradient is 0.
 *
 * @method
 */
export function floor<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return floorOp.apply([x]) as Tensor<S, D>;
}

const ceilOp = defineElementwise('ceil', (x) => e.ceil(x));

/**
 * Rounds toward plus infinity; the gradient is 0.
 *
 * @method
 */
export function ceil<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return ceilOp.apply([x]) as Tensor<S, D>;
}

const roundOp = defineElementwise('round', (x) => e.round(x));

/**
 * Rounds to the nearest integer, halves to even; the gradient is 0.
 *
 * @method
 */
export function round<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return roundOp.apply([x]) as Tensor<S, D>;
}

const truncOp = defineElementwise('trunc', (x) => e.trunc(x));

/**
 * Rounds toward 0; the gradient is 0.
 *
 * @method
 */
export function trunc<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return truncOp.apply([x]) as Tensor<S, D>;
}

const reluOp = defineElementwise('relu', (x) => e.maximum(x, 0), { grad: (g, out) => [e.select(e.gt(out, 0), g, 0)] });

/**
 * max(x, 0); the gradient at 0 is 0, as in PyTorch.
 *
 * @method
 */
export function relu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return reluOp.apply([x]) as Tensor<S, D>;
}

const geluOp = defineElementwise('gelu', (x) => e.mul(x, 0.5, e.erfc(e.mul(x, -Math.SQRT1_2))), { dtype: 'float' });

/**
 * Gaussian error linear unit, x * Phi(x), by erfc so that the negative tail keeps its digits (Hendrycks and Gimpel 2016).
 *
 * @method
 */
export function gelu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return geluOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const siluOp = defineElementwise('silu', (x) => e.mul(x, e.sigmoid(x)), { dtype: 'float' });

/**
 * x * sigmoid(x).
 *
 * @method
 */
export function silu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return siluOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const clampOp = defineElementwise('clamp', (x, min, max) => e.minimum(e.maximum(x, min), max), {
  scalars: ['min', 'max'],
  // At the bounds the gradient passes, as in PyTorch.
  grad: (g, _out, x, min, max) => [e.select(e.mul(e.ge(x, min), e.le(x, max)), g, 0)],
});

/**
 * Limits every element to [min, max]; a bound may be left out. The gradient is 1 inside and at the bounds, 0 outside.
 *
 * @method
 * @throws ArgumentError if both bounds are left out or one is no number
 * @example
 * x.clamp({ min: 0 });
 */
export function clamp<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { min?: number; max?: number },
): Tensor<S, D> {
  const { min = -Infinity, max = Infinity } = options;
  if (options.min === undefined && options.max === undefined) {
    throw new ArgumentError('clamp: give { min }, { max } or both.');
  }
  checkTensor('clamp', 'x', x);
  // As in PyTorch, a bound with a fraction makes floats of integers.
  const fraction = [options.min, options.max].some((bound) => bound !== undefined && !Number.isInteger(bound));
  const operand = !isFloating(x.dtype) && fraction ? cast(x, 'float32') : x;
  return clampOp.apply([operand], [min, max]) as Tensor<S, D>;
}
