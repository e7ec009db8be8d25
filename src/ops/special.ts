// Special functions: of the error function, the gamma function, and logarithms of sums and odds.
import { isFloating, type DType, type Promote } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Expr, ExprLike } from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import type { FloatResult } from './arithmetic.js';
import { checkTensor } from './define.js';
import { cast } from './copy.js';
import { pow } from './arithmetic.js';
import { tidy } from '../memory.js';
import { defineElementwise, resultDType, type ElementwiseOp, type Operand } from './elementwise.js';
import { isTensorOperand, refuseDType, requireNumber } from './require.js';

const erfcOp = defineElementwise('erfc', (x) => e.erfc(x), { dtype: 'float' });

/**
 * 1 - erf(x), exact for large x.
 *
 * @method
 */
export function erfc<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return erfcOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const erfinvOp = defineElementwise('erfinv', (x) => e.erfinv(x), { dtype: 'float' });

/**
 * The inverse of erf: infinite at -1 and 1, NaN outside.
 *
 * @method
 */
export function erfinv<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return erfinvOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const lgammaOp = defineElementwise('lgamma', (x) => e.lgamma(x), { dtype: 'float' });

/**
 * The logarithm of the absolute value of the gamma function; infinite at 0 and negative integers.
 *
 * @method
 */
export function lgamma<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return lgammaOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const digammaOp = defineElementwise('digamma', (x) => e.digamma(x), { dtype: 'float' });

/**
 * The derivative of `lgamma`; NaN at negative integers, -inf at 0 and inf at -0.
 *
 * @method
 */
export function digamma<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return digammaOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const polygammaOps = new Map<number, ElementwiseOp>();

/**
 * The n-th derivative of `digamma`, `(-1)^(n + 1) n! sum over k >= 0 of (x + k)^-(n + 1)` for n >= 1; poles at 0 and the
 * negative integers are infinite.
 *
 * @method
 * @param n a whole number from 0 (digamma itself) to 100
 * @throws ArgumentError for another n
 */
export function polygamma<S extends Shape, D extends DType>(x: Tensor<S, D>, n: number): Tensor<S, FloatResult<D>> {
  checkTensor('polygamma', 'x', x);
  if (!Number.isInteger(n) || n < 0 || n > 100) {
    throw new ArgumentError(`polygamma: n must be an integer from 0 to 100, got ${String(n)}.`);
  }
  let op = polygammaOps.get(n);
  if (op === undefined) {
    op = defineElementwise('polygamma', (v) => (n === 0 ? e.digamma(v) : e.polygamma(n, v)), { dtype: 'float' });
    polygammaOps.set(n, op);
  }
  return op.apply([x]) as Tensor<S, FloatResult<D>>;
}

const sincOp = defineElementwise(
  'sinc',
  (x) => {
    const y = e.mul(e.select(e.eq(x, 0), 1, x), Math.PI);
    return e.select(e.eq(x, 0), 1, e.div(e.sin(y), y));
  },
  {
    dtype: 'float',
    grad: (g, out, x) => {
      const y = e.select(e.eq(x, 0), 1, x);
      return [e.mul(g, e.select(e.eq(x, 0), 0, e.div(e.sub(e.cos(e.mul(y, Math.PI)), out), y)))];
    },
  },
);

/**
 * The normalised sinc, sin(pi x) / (pi x), and 1 at 0.
 *
 * @method
 */
export function sinc<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return sincOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const logitOp = defineElementwise('logit', (x) => e.log(e.div(x, e.sub(1, x))), {
  dtype: 'float',
  grad: (g, _out, x) => [e.div(g, e.mul(x, e.sub(1, x)))],
});
const logitClampedOp = defineElementwise(
  'logit',
  (x, low, high) => {
    const p = e.minimum(e.maximum(x, low), high);
    return e.log(e.div(p, e.sub(1, p)));
  },
  {
    dtype: 'float',
    scalars: ['low', 'high'],
    grad: (g, _out, x, low, high) => [e.select(e.mul(e.ge(x, low), e.le(x, high)), e.div(g, e.mul(x, e.sub(1, x))), 0)],
  },
);

/**
 * The logarithm of the odds, log(x / (1 - x)), the inverse of `sigmoid`; NaN outside [0, 1] unless `eps` is given.
 *
 * @method
 * @param options `eps`: x is first limited to [eps, 1 - eps], outside of which the gradient is 0
 * @throws ArgumentError unless 0 <= eps <= 0.5
 */
export function logit<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { eps?: number } = {},
): Tensor<S, FloatResult<D>> {
  const { eps } = options;
  if (eps === undefined) return logitOp.apply([x]) as Tensor<S, FloatResult<D>>;
  requireNumber('logit', 'eps', eps);
  if (!(eps >= 0 && eps <= 0.5)) throw new ArgumentError(`logit: eps must be from 0 to 0.5, got ${eps}.`);
  return logitClampedOp.apply([x], [eps, 1 - eps]) as Tensor<S, FloatResult<D>>;
}

// 0 * log(0) = 0; a NaN in b stays.
function xlogyOf(a: ExprLike, b: Expr): Expr {
  return e.select(e.mul(e.eq(a, 0), e.eq(b, b)), 0, e.mul(a, e.log(b)));
}

const xlogyOp = defineElementwise('xlogy', (a, b) => xlogyOf(a, b), {
  dtype: 'float',
  grad: (g, _out, a, b) => [e.select(e.mul(e.eq(a, 0), e.le(b, 0)), 0, xlogyOf(g, b)), e.div(e.mul(g, a), b)],
});

/**
 * a * log(b), and 0 where a is 0, whatever b but NaN.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function xlogy<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function xlogy<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function xlogy(a: Operand, b: Operand): Tensor;
export function xlogy(a: Operand, b: Operand): Tensor {
  return xlogyOp.apply([a, b]);
}

// log(base^a + base^b) from the larger one; equal infinities would give inf - inf.
function logSum(a: Expr, b: Expr, tail: (difference: Expr) => Expr): Expr {
  const equal = e.mul(e.eq(a, b), e.isinf(a));
  return e.select(equal, a, e.add(e.maximum(a, b), tail(e.neg(e.abs(e.sub(a, b))))));
}

const logaddexpOp = defineElementwise('logaddexp', (a, b) => logSum(a, b, (d) => e.log1p(e.exp(d))), {
  grad: (g, _out, a, b) => [e.mul(g, e.sigmoid(e.sub(a, b))), e.mul(g, e.sigmoid(e.sub(b, a)))],
});

/**
 * log(exp(a) + exp(b)) without overflow.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
 */
export function logaddexp<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function logaddexp<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function logaddexp(a: Operand, b: Operand): Tensor;
export function logaddexp(a: Operand, b: Operand): Tensor {
  refuseDType('logaddexp', resultDType([a, b]), (dtype) => !isFloating(dtype), "convert one with to('float32')");
  return logaddexpOp.apply([a, b]);
}

const logaddexp2Op = defineElementwise(
  'logaddexp2',
  (a, b) => logSum(a, b, (d) => e.mul(e.log1p(e.exp2(d)), Math.LOG2E)),
  {
    grad: (g, _out, a, b) => [
      e.mul(g, e.sigmoid(e.mul(e.sub(a, b), Math.LN2))),
      e.mul(g, e.sigmoid(e.mul(e.sub(b, a), Math.LN2))),
    ],
  },
);

/**
 * log2(2 ** a + 2 ** b) without overflow.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
 */
export function logaddexp2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function logaddexp2<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function logaddexp2(a: Operand, b: Operand): Tensor;
export function logaddexp2(a: Operand, b: Operand): Tensor {
  refuseDType('logaddexp2', resultDType([a, b]), (dtype) => !isFloating(dtype), "convert one with to('float32')");
  return logaddexp2Op.apply([a, b]);
}

const ldexpOp = defineElementwise('ldexp', (x, other) => e.mul(x, e.exp2(other)), {
  inputs: ['x', 'other'],
  dtype: 'float',
});

/**
 * `x * 2^other`, with broadcasting.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function ldexp(x: Tensor, other: Tensor): Tensor {
  checkTensor('ldexp', 'x', x);
  checkTensor('ldexp', 'other', other);
  return ldexpOp.apply([x, other]);
}

/**
 * `base^exponent` computed in float64, with broadcasting.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function floatPower<S extends Shape, D extends DType>(
  base: Tensor<S, D>,
  exponent: Operand,
): Tensor<Shape, 'float64'>;
export function floatPower(base: Operand, exponent: Operand): Tensor<Shape, 'float64'>;
export function floatPower(base: Operand, exponent: Operand): Tensor<Shape, 'float64'> {
  const wide = (operand: Operand): Operand => (isTensorOperand(operand) ? cast(operand, 'float64') : operand);
  return tidy(() => pow(wide(base), wide(exponent))) as Tensor<Shape, 'float64'>;
}
