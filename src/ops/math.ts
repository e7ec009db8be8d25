// Mathematical functions of one tensor: signs, powers, logarithms, rounding, limits.
import { isFloating, type DType, type FloatDType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Shape } from '../types/shape.js';
import type { FloatResult } from './arithmetic.js';
import { cast } from './copy.js';
import { checkTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { refuseBool, requireFloat } from './require.js';

const negOp = defineElementwise('neg', (x) => e.neg(x));

/**
 * The negative.
 *
 * @method
 * @throws DTypeError for bools: `logicalNot` inverts a mask
 */
export function neg<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('neg', x, 'use logicalNot');
  return negOp.apply([x]) as Tensor<S, D>;
}

/**
 * `neg` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function neg_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('neg_', x);
  return negOp.applyInPlace(x, [x]) as Tensor<S, D>;
}

const absOp = defineElementwise('abs', (x) => e.abs(x));

/**
 * The absolute value; the gradient at 0 is 0.
 *
 * @method
 * @throws DTypeError for bools
 */
export function abs<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('abs', x);
  return absOp.apply([x]) as Tensor<S, D>;
}

/**
 * `abs` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function abs_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('abs_', x);
  return absOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `square` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function square_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return squareOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `sqrt` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function sqrt_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return sqrtOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `rsqrt` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function rsqrt_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return rsqrtOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `reciprocal` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function reciprocal_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return reciprocalOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `exp` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function exp_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return expOp.applyInPlace(x, [x]) as Tensor<S, D>;
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

/**
 * `log` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
 */
export function log_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return logOp.applyInPlace(x, [x]) as Tensor<S, D>;
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
 * @throws DTypeError for bools
 */
export function floor<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('floor', x);
  return floorOp.apply([x]) as Tensor<S, D>;
}

const ceilOp = defineElementwise('ceil', (x) => e.ceil(x));

/**
 * Rounds toward plus infinity; the gradient is 0.
 *
 * @method
 * @throws DTypeError for bools
 */
export function ceil<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('ceil', x);
  return ceilOp.apply([x]) as Tensor<S, D>;
}

const roundOp = defineElementwise('round', (x) => e.round(x));

// As in PyTorch, to the left of the point by division: both factors are whole.
const roundFractionOp = defineElementwise('round', (x, scale) => e.div(e.round(e.mul(x, scale)), scale), {
  scalars: ['scale'],
});
const roundTensOp = defineElementwise('round', (x, scale) => e.mul(e.round(e.div(x, scale)), scale), {
  scalars: ['scale'],
});

/**
 * Rounds to the nearest integer, halves to even; the gradient is 0.
 *
 * @method
 * @param options `decimals`: digits to keep behind the point; -1 rounds to tens. Default 0; integers take no other.
 * @throws DTypeError for bools, and for integers with decimals; ArgumentError for decimals that are no integer
 */
export function round<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { decimals?: number } = {},
): Tensor<S, D> {
  refuseBool('round', x);
  const { decimals = 0 } = options;
  if (!Number.isInteger(decimals)) {
    throw new ArgumentError(`round: decimals must be an integer, got ${String(decimals)}.`);
  }
  if (decimals === 0) return roundOp.apply([x]) as Tensor<S, D>;
  requireFloat('round', 'x', x);
  const op = decimals > 0 ? roundFractionOp : roundTensOp;
  return op.apply([x], [10 ** Math.abs(decimals)]) as Tensor<S, D>;
}

const truncOp = defineElementwise('trunc', (x) => e.trunc(x));

/**
 * Rounds toward 0; the gradient is 0.
 *
 * @method
 * @throws DTypeError for bools
 */
export function trunc<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('trunc', x);
  return truncOp.apply([x]) as Tensor<S, D>;
}

const fracOp = defineElementwise('frac', (x) => e.sub(x, e.trunc(x)));

/**
 * The fractional part with the sign of x: x - trunc(x).
 *
 * @method
 * @throws DTypeError for integers and bools
 */
export function frac<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  requireFloat('frac', 'x', x);
  return fracOp.apply([x]) as Tensor<S, D>;
}

/**
 * `sign`, by its name for complex numbers.
 *
 * @method
 */
export function sgn<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return sign(x);
}

/**
 * x itself.
 *
 * @method
 * @throws DTypeError for bools
 */
export function positive<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('positive', x);
  return x;
}

const signbitOp = defineElementwise('signbit', (x) => e.lt(e.copysign(1, x), 0), { dtype: 'bool' });
const negativeOp = defineElementwise('signbit', (x) => e.lt(x, 0), { dtype: 'bool' });

/**
 * True where the sign is minus, that of -0 included.
 *
 * @method
 */
export function signbit<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, 'bool'> {
  checkTensor('signbit', 'x', x);
  return (isFloating(x.dtype) ? signbitOp : negativeOp).apply([x]) as Tensor<S, 'bool'>;
}

const largest: Readonly<Record<FloatDType, number>> = {
  float64: Number.MAX_VALUE,
  float32: (2 - 2 ** -23) * 2 ** 127,
  bfloat16: (2 - 2 ** -7) * 2 ** 127,
  float16: 65504,
};

const nanToNumOp = defineElementwise(
  'nanToNum',
  (x, nan, posinf, neginf) =>
    e.select(e.isnan(x), nan, e.select(e.eq(x, Infinity), posinf, e.select(e.eq(x, -Infinity), neginf, x))),
  { scalars: ['nan', 'posinf', 'neginf'], grad: (g, _out, x) => [e.select(e.isfinite(x), g, 0)] },
);

/**
 * Replaces NaN and the infinities; the gradient there is 0. Integers are returned as they are.
 *
 * @method
 * @param options `nan` (default 0), `posinf` and `neginf` (default the largest and smallest numbers of the dtype)
 */
export function nanToNum<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { nan?: number; posinf?: number; neginf?: number } = {},
): Tensor<S, D> {
  checkTensor('nanToNum', 'x', x);
  const { dtype } = x as Tensor;
  if (!isFloating(dtype)) return x;
  const { nan = 0, posinf = largest[dtype], neginf = -largest[dtype] } = options;
  return nanToNumOp.apply([x], [nan, posinf, neginf]) as Tensor<S, D>;
}

const clampOp = defineElementwise('clamp', (x, min, max) => e.minimum(e.maximum(x, min), max), {
  scalars: ['min', 'max'],
  // At the bounds the gradient passes, as in PyTorch.
  grad: (g, _out, x, min, max) => [e.select(e.mul(e.ge(x, min), e.le(x, max)), g, 0)],
});

// Bounds that are tensors have gradients of their own where they hold.
const clampTensorOp = defineElementwise('clamp', (x, min, max) => e.minimum(e.maximum(x, min), max), {
  inputs: ['x', 'min', 'max'],
  grad: (g, _out, x, min, max) => [
    e.select(e.mul(e.ge(x, min), e.le(x, max)), g, 0),
    e.select(e.mul(e.lt(min, max), e.lt(x, min)), g, 0),
    e.select(e.maximum(e.gt(x, max), e.lt(max, min)), g, 0),
  ],
});
const clampMinOp = defineElementwise('clampMin', (x, min) => e.maximum(x, min), {
  inputs: ['x', 'min'],
  grad: (g, _out, x, min) => [e.select(e.ge(x, min), g, 0), e.select(e.lt(x, min), g, 0)],
});
const clampMaxOp = defineElementwise('clampMax', (x, max) => e.minimum(x, max), {
  inputs: ['x', 'max'],
  grad: (g, _out, x, max) => [e.select(e.le(x, max), g, 0), e.select(e.gt(x, max), g, 0)],
});

/** Bounds of `clamp`: numbers, or tensors that broadcast with x. */
export interface ClampOptions {
  /** The lower bound. Default none. */
  min?: number | Tensor;
  /** The upper bound. Default none. */
  max?: number | Tensor;
}

function checkBound(op: string, label: string, bound: unknown): void {
  if (typeof bound === 'object') checkTensor(op, label, bound);
  else if (typeof bound !== 'number')
    throw new ArgumentError(`${op}: ${label} must be a number or a tensor, got ${typeof bound}.`);
}

// clamp(x) and clamp(x, null) get the message about missing bounds.
const boundsOf = (options: ClampOptions | null | undefined): ClampOptions => options ?? {};

/**
 * Limits every element to [min, max]: `minimum(maximum(x, min), max)`; a bound may be left out. The gradient by x is 1
 * inside and at the bounds, 0 outside; there it goes to the bound, if that is a tensor. As in PyTorch, a bound with a
 * fraction makes floats of integers.
 *
 * @method
 * @throws ArgumentError if both bounds are left out or one is neither number nor tensor; ShapeError if the shapes do not
 *   broadcast
 * @example
 * x.clamp({ min: 0 });
 */
export function clamp<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { min?: number; max?: number },
): Tensor<S, D>;
export function clamp(x: Tensor, options: ClampOptions): Tensor;
export function clamp(x: Tensor, options: ClampOptions): Tensor {
  const { min, max } = boundsOf(options);
  if (min === undefined && max === undefined) throw new ArgumentError('clamp: give { min }, { max } or both.');
  checkTensor('clamp', 'x', x);
  if (min !== undefined) checkBound('clamp', 'min', min);
  if (max !== undefined) checkBound('clamp', 'max', max);
  if (min === undefined || max === undefined || typeof min === 'object' || typeof max === 'object') {
    if (min === undefined) return clampMaxOp.apply([x, max!]);
    if (max === undefined) return clampMinOp.apply([x, min]);
    return clampTensorOp.apply([x, min, max]);
  }
  const fraction = !Number.isInteger(min) || !Number.isInteger(max);
  return clampOp.apply([!isFloating(x.dtype) && fraction ? cast(x, 'float32') : x], [min, max]);
}

/**
 * `clamp` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ArgumentError, ShapeError as `clamp`; GradError while gradients are recorded
 */
export function clamp_<S extends Shape, D extends DType>(x: Tensor<S, D>, options: ClampOptions): Tensor<S, D> {
  const { min, max } = boundsOf(options);
  if (min === undefined && max === undefined) throw new ArgumentError('clamp_: give { min }, { max } or both.');
  checkTensor('clamp_', 'x', x);
  if (min !== undefined) checkBound('clamp_', 'min', min);
  if (max !== undefined) checkBound('clamp_', 'max', max);
  if (min === undefined) return clampMaxOp.applyInPlace(x, [x, max!]) as Tensor<S, D>;
  if (max === undefined) return clampMinOp.applyInPlace(x, [x, min]) as Tensor<S, D>;
  return clampTensorOp.applyInPlace(x, [x, min, max]) as Tensor<S, D>;
}

/**
 * Limits every element from below: `clamp` with a lower bound alone.
 *
 * @method
 * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
 */
export function clampMin<S extends Shape, D extends DType>(x: Tensor<S, D>, min: number): Tensor<S, D>;
export function clampMin(x: Tensor, min: number | Tensor): Tensor;
export function clampMin(x: Tensor, min: number | Tensor): Tensor {
  checkBound('clampMin', 'min', min);
  return clampMinOp.apply([x, min]);
}

/**
 * Limits every element from above: `clamp` with an upper bound alone.
 *
 * @method
 * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
 */
export function clampMax<S extends Shape, D extends DType>(x: Tensor<S, D>, max: number): Tensor<S, D>;
export function clampMax(x: Tensor, max: number | Tensor): Tensor;
export function clampMax(x: Tensor, max: number | Tensor): Tensor {
  checkBound('clampMax', 'max', max);
  return clampMaxOp.apply([x, max]);
}
