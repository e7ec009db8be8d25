// Activations, each one fused elementwise program with its gradient; those over a dimension are in softmax.ts. Gradients at
// kinks are PyTorch's. There is no `inplace` option: memory comes from a pool, so that it would save little.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import * as e from '../program/expr.js';
import type { Expr } from '../program/expr.js';
import { formatShape, normalizeDim } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck, HalveDim, HalveCheck, Shape } from '../types/shape.js';
import { defineElementwise, type ElementwiseOp } from './elementwise.js';
import { neg } from './math.js';
import { rand, type Generator } from './random.js';
import { refuseBool, requireFloat, requireNumber, requireWholeFor } from './require.js';
import { softmax } from './softmax.js';
import { narrow, reshape } from './view.js';

// Applies an activation with its numbers to a float tensor.
function activate<S extends Shape, D extends DType>(
  op: ElementwiseOp,
  x: Tensor<S, D>,
  numbers: Readonly<Record<string, number>> = {},
): Tensor<S, D> {
  requireFloat(op.name, 'x', x);
  for (const [label, value] of Object.entries(numbers)) requireNumber(op.name, label, value);
  return op.apply([x], Object.values(numbers)) as Tensor<S, D>;
}

// The same for activations that integers have too, if the numbers are such.
function clip<S extends Shape, D extends DType>(
  name: string,
  op: ElementwiseOp,
  x: Tensor<S, D>,
  numbers: Readonly<Record<string, number>>,
): Tensor<S, D> {
  refuseBool(name, x);
  for (const [label, value] of Object.entries(numbers)) {
    requireWholeFor(name, label, value, x.dtype);
    if (x.dtype === 'uint8' && value < 0) {
      throw new ArgumentError(`${name}: ${label} is ${value}, which uint8 cannot hold.`);
    }
  }
  return op.apply([x], Object.values(numbers)) as Tensor<S, D>;
}

// The side of an activation at and below 0: what an unused exp makes of large x must not reach the second derivative.
const below = (x: Expr): Expr => e.select(e.le(x, 0), x, 0);

// log(1 + exp(x)) without overflow.
const softplusOf = (x: Expr): Expr => e.add(e.maximum(x, 0), e.log1p(e.exp(e.neg(e.abs(x)))));

const reluOp = defineElementwise('relu', (x) => e.maximum(x, 0), { grad: (g, out) => [e.select(e.gt(out, 0), g, 0)] });

/**
 * max(x, 0); the gradient at 0 is 0, as in PyTorch.
 *
 * @method
 * @throws DTypeError for bools
 */
export function relu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('relu', x);
  return reluOp.apply([x]) as Tensor<S, D>;
}

const relu6Op = defineElementwise('relu6', (x) => e.minimum(e.maximum(x, 0), 6), {
  grad: (g, _out, x) => [e.select(e.mul(e.gt(x, 0), e.lt(x, 6)), g, 0)],
});

/**
 * min(max(x, 0), 6); the gradient at 0 and 6 is 0, as in PyTorch.
 *
 * @throws DTypeError for bools
 */
export function relu6<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  refuseBool('relu6', x);
  return relu6Op.apply([x]) as Tensor<S, D>;
}

const leakyReluOp = defineElementwise(
  'leakyRelu',
  (x, negativeSlope) => e.select(e.gt(x, 0), x, e.mul(x, negativeSlope)),
  {
    scalars: ['negativeSlope'],
    dtype: 'float',
    grad: (g, _out, x, negativeSlope) => [e.select(e.gt(x, 0), g, e.mul(g, negativeSlope))],
  },
);

/**
 * x where it is positive, else x * negativeSlope (Maas et al. 2013).
 *
 * @param negativeSlope the slope below 0
 * @throws DTypeError for integer and bool tensors
 */
export function leakyRelu<S extends Shape, D extends DType>(x: Tensor<S, D>, negativeSlope = 0.01): Tensor<S, D> {
  return activate(leakyReluOp, x, { negativeSlope });
}

const preluOp = defineElementwise('prelu', (x, weight) => e.select(e.gt(x, 0), x, e.mul(x, weight)), {
  inputs: ['x', 'weight'],
  grad: (g, _out, x, weight) => [e.select(e.gt(x, 0), g, e.mul(g, weight)), e.select(e.gt(x, 0), 0, e.mul(g, x))],
});

/**
 * x where it is positive, else x * weight with a learned weight (He et al. 2015).
 *
 * @method
 * @param weight one number (`[]` or `[1]`), or one for each channel, which is dimension 1: `[C]`
 * @throws ShapeError if the weight fits neither; DTypeError for integers and for different dtypes
 */
export function prelu<S extends Shape, D extends DType>(x: Tensor<S, D>, weight: Tensor): Tensor<S, D> {
  requireFloat('prelu', 'x', x);
  requireFloat('prelu', 'weight', weight);
  const shape: Shape = x.shape;
  const operands = `prelu(x ${formatShape(shape)}, weight ${formatShape(weight.shape)})`;
  if ((x as Tensor).dtype !== weight.dtype) {
    throw new DTypeError(`prelu: x is ${x.dtype} but weight is ${weight.dtype}; the dtypes must be equal.`);
  }
  if (weight.shape.length > 1) throw new ShapeError(`${operands}: weight must have shape [], [1] or [channels].`);
  if (weight.numel === 1) return tidy(() => preluOp.apply([x, reshape(weight, [])])) as Tensor<S, D>;
  const channels = shape.length > 1 ? shape[1] : 1;
  if (weight.numel !== channels) {
    throw new ShapeError(
      `${operands}: weight must have 1 element or one for each of the ${channels} channels in dimension 1.`,
    );
  }
  return tidy(() => preluOp.apply([x, reshape(weight, [-1, ...shape.slice(2).map(() => 1)])])) as Tensor<S, D>;
}

const eluOp = defineElementwise('elu', (x, alpha) => e.select(e.le(x, 0), e.mul(e.expm1(x), alpha), x), {
  scalars: ['alpha'],
  dtype: 'float',
  grad: (g, _out, x, alpha) => [e.select(e.le(x, 0), e.mul(g, alpha, e.exp(below(x))), g)],
});

/**
 * x where it is positive, else alpha * (exp(x) - 1) (Clevert et al. 2016).
 *
 * @param alpha minus the limit for x to -inf
 * @throws DTypeError for integer and bool tensors
 */
export function elu<S extends Shape, D extends DType>(x: Tensor<S, D>, alpha = 1): Tensor<S, D> {
  return activate(eluOp, x, { alpha });
}

// Klambauer et al. 2017: with these, activations keep mean 0 and variance 1.
const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

const seluOp = defineElementwise(
  'selu',
  (x) => e.mul(seluScale, e.select(e.le(x, 0), e.mul(e.expm1(x), seluAlpha), x)),
  {
    dtype: 'float',
    grad: (g, _out, x) => [e.mul(g, seluScale, e.select(e.le(x, 0), e.mul(seluAlpha, e.exp(below(x))), 1))],
  },
);

/**
 * The scaled `elu` of self-normalising networks: 1.0507 * elu(x, 1.6733) (Klambauer et al. 2017).
 *
 * @throws DTypeError for integer and bool tensors
 */
export function selu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(seluOp, x);
}

const celuOp = defineElementwise(
  'celu',
  (x, alpha) => e.select(e.le(x, 0), e.mul(e.expm1(e.div(x, alpha)), alpha), x),
  {
    scalars: ['alpha'],
    dtype: 'float',
    grad: (g, _out, x, alpha) => [e.select(e.le(x, 0), e.mul(g, e.exp(e.div(below(x), alpha))), g)],
  },
);

/**
 * x where it is positive, else alpha * (exp(x / alpha) - 1): an `elu` without a kink (Barron 2017).
 *
 * @param alpha minus the limit for x to -inf
 * @throws DTypeError for integer and bool tensors; ArgumentError for alpha 0
 */
export function celu<S extends Shape, D extends DType>(x: Tensor<S, D>, alpha = 1): Tensor<S, D> {
  if (alpha === 0) throw new ArgumentError('celu: alpha must not be 0.');
  return activate(celuOp, x, { alpha });
}

const geluOp = defineElementwise('gelu', (x) => e.mul(x, e.normalCdf(x)), { dtype: 'float' });
// 0.5 (1 + tanh(u)) = sigmoid(2u), which keeps the digits of the negative tail.
const geluTanhOp = defineElementwise(
  'gelu',
  (x) => e.mul(x, e.sigmoid(e.mul(2 * Math.sqrt(2 / Math.PI), e.add(x, e.mul(0.044715, x, x, x))))),
  { dtype: 'float' },
);

/**
 * Gaussian error linear unit, x * Phi(x), whose negative tail keeps its digits (Hendrycks and Gimpel 2016).
 *
 * @method
 * @param options `approximate`: `'none'` (default), or `'tanh'` for
 *   `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x ** 3)))`
 * @throws DTypeError for integer and bool tensors; ArgumentError for another approximation
 */
export function gelu<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { approximate?: 'none' | 'tanh' } = {},
): Tensor<S, D> {
  const { approximate = 'none' } = options;
  if (approximate !== 'none' && approximate !== 'tanh') {
    throw new ArgumentError(`gelu: unknown approximate ${JSON.stringify(approximate)}, expected 'none' or 'tanh'.`);
  }
  return activate(approximate === 'tanh' ? geluTanhOp : geluOp, x);
}

const siluOp = defineElementwise('silu', (x) => e.mul(x, e.sigmoid(x)), { dtype: 'float' });

/**
 * x * sigmoid(x), also known as swish (Elfwing et al. 2017).
 *
 * @method
 * @throws DTypeError for integer and bool tensors
 */
export function silu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(siluOp, x);
}

// d/dx of x tanh(softplus(x)), with the derivative of softplus in one term.
function mishGradient(g: Expr, x: Expr): Expr {
  const t = e.tanh(softplusOf(x));
  return e.mul(g, e.add(t, e.mul(x, e.sigmoid(x), e.sub(1, e.square(t)))));
}

const mishOp = defineElementwise('mish', (x) => e.mul(x, e.tanh(softplusOf(x))), {
  dtype: 'float',
  grad: (g, _out, x) => [mishGradient(g, x)],
});

/**
 * x * tanh(softplus(x)) (Misra 2019).
 *
 * @throws DTypeError for integer and bool tensors
 */
export function mish<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(mishOp, x);
}

const softplusOp = defineElementwise(
  'softplus',
  (x, beta, threshold) => {
    const z = e.mul(x, beta);
    return e.select(e.gt(z, threshold), x, e.div(softplusOf(z), beta));
  },
  {
    dtype: 'float',
    scalars: ['beta', 'threshold'],
    grad: (g, _out, x, beta, threshold) => {
      const z = e.mul(x, beta);
      return [e.select(e.gt(z, threshold), g, e.mul(g, e.sigmoid(z)))];
    },
  },
);

/**
 * log(1 + exp(beta * x)) / beta, a smooth max(x, 0); where beta * x > threshold, x itself.
 *
 * @param options `beta` (default 1), `threshold` (default 20)
 * @throws DTypeError for integer and bool tensors
 */
export function softplus<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { beta?: number; threshold?: number } = {},
): Tensor<S, D> {
  const { beta = 1, threshold = 20 } = options;
  return activate(softplusOp, x, { beta, threshold });
}

const softsignOp = defineElementwise('softsign', (x) => e.div(x, e.add(1, e.abs(x))), {
  dtype: 'float',
  grad: (g, _out, x) => [e.div(g, e.square(e.add(1, e.abs(x))))],
});

/**
 * x / (1 + |x|).
 *
 * @throws DTypeError for integer and bool tensors
 */
export function softsign<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(softsignOp, x);
}

const logSigmoidOp = defineElementwise('logSigmoid', (x) => e.sub(e.minimum(x, 0), e.log1p(e.exp(e.neg(e.abs(x))))), {
  dtype: 'float',
  grad: (g, _out, x) => [e.mul(g, e.sigmoid(e.neg(x)))],
});

/**
 * log(sigmoid(x)) without its loss of digits.
 *
 * @throws DTypeError for integer and bool tensors
 */
export function logSigmoid<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(logSigmoidOp, x);
}

const hardtanhOp = defineElementwise('hardtanh', (x, minVal, maxVal) => e.minimum(e.maximum(x, minVal), maxVal), {
  scalars: ['minVal', 'maxVal'],
  grad: (g, _out, x, minVal, maxVal) => [e.select(e.mul(e.gt(x, minVal), e.lt(x, maxVal)), g, 0)],
});

/**
 * Limits x to [minVal, maxVal]; the gradient at the bounds is 0, unlike that of `clamp`.
 *
 * @param minVal the lower bound
 * @param maxVal the upper bound
 * @throws DTypeError for bools; ArgumentError if minVal > maxVal, for bounds with a fraction of integers and for negative ones
 *   of uint8
 */
export function hardtanh<S extends Shape, D extends DType>(x: Tensor<S, D>, minVal = -1, maxVal = 1): Tensor<S, D> {
  if (minVal > maxVal) {
    throw new ArgumentError(`hardtanh: minVal must not be greater than maxVal, got ${minVal} and ${maxVal}.`);
  }
  return clip('hardtanh', hardtanhOp, x, { minVal, maxVal });
}

const hardsigmoidOp = defineElementwise('hardsigmoid', (x) => e.div(e.minimum(e.maximum(e.add(x, 3), 0), 6), 6), {
  dtype: 'float',
  grad: (g, _out, x) => [e.select(e.mul(e.gt(x, -3), e.lt(x, 3)), e.div(g, 6), 0)],
});

/**
 * min(max(x + 3, 0), 6) / 6; the gradient at -3 and 3 is 0.
 *
 * @throws DTypeError for integer and bool tensors
 */
export function hardsigmoid<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(hardsigmoidOp, x);
}

const hardswishOp = defineElementwise('hardswish', (x) => e.div(e.mul(x, e.minimum(e.maximum(e.add(x, 3), 0), 6)), 6), {
  dtype: 'float',
  grad: (g, _out, x) => [e.select(e.le(x, -3), 0, e.select(e.lt(x, 3), e.mul(g, e.add(e.div(x, 3), 0.5)), g))],
});

/**
 * x * min(max(x + 3, 0), 6) / 6 (Howard et al. 2019).
 *
 * @throws DTypeError for integer and bool tensors
 */
export function hardswish<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(hardswishOp, x);
}

const hardshrinkOp = defineElementwise(
  'hardshrink',
  (x, lambd) => e.select(e.mul(e.ge(x, e.neg(lambd)), e.le(x, lambd)), 0, x),
  {
    scalars: ['lambd'],
    dtype: 'float',
    grad: (g, _out, x, lambd) => [e.select(e.mul(e.ge(x, e.neg(lambd)), e.le(x, lambd)), 0, g)],
  },
);

/**
 * 0 where |x| <= lambd, else x.
 *
 * @method
 * @param lambd the half width of what becomes 0
 * @throws DTypeError for integer and bool tensors
 */
export function hardshrink<S extends Shape, D extends DType>(x: Tensor<S, D>, lambd = 0.5): Tensor<S, D> {
  return activate(hardshrinkOp, x, { lambd });
}

const softshrinkOp = defineElementwise(
  'softshrink',
  (x, lambd) =>
    e.select(e.gt(x, lambd), e.sub(x, lambd), e.select(e.lt(x, e.neg(lambd)), e.add(x, lambd), e.mul(x, 0))),
  {
    scalars: ['lambd'],
    dtype: 'float',
    grad: (g, _out, x, lambd) => [e.select(e.mul(e.ge(x, e.neg(lambd)), e.le(x, lambd)), 0, g)],
  },
);

/**
 * 0 where |x| <= lambd, else x moved by lambd toward 0.
 *
 * @param lambd the half width of what becomes 0
 * @throws DTypeError for integer and bool tensors; ArgumentError if lambd < 0
 */
export function softshrink<S extends Shape, D extends DType>(x: Tensor<S, D>, lambd = 0.5): Tensor<S, D> {
  if (lambd < 0) throw new ArgumentError(`softshrink: lambd must be >= 0, got ${lambd}.`);
  return activate(softshrinkOp, x, { lambd });
}

const tanhshrinkOp = defineElementwise('tanhshrink', (x) => e.sub(x, e.tanh(x)), {
  dtype: 'float',
  grad: (g, _out, x) => [e.mul(g, e.square(e.tanh(x)))],
});

/**
 * x - tanh(x).
 *
 * @throws DTypeError for integer and bool tensors
 */
export function tanhshrink<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return activate(tanhshrinkOp, x);
}

const thresholdOp = defineElementwise('threshold', (x, threshold, value) => e.select(e.le(x, threshold), value, x), {
  scalars: ['threshold', 'value'],
  grad: (g, _out, x, threshold) => [e.select(e.le(x, threshold), 0, g)],
});

/**
 * x where it is greater than a threshold, else a value.
 *
 * @param threshold the largest x that is replaced
 * @param value what replaces it
 * @throws DTypeError for bools; ArgumentError for numbers with a fraction when x has integers, and negative ones for uint8
 */
export function threshold<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  threshold: number,
  value: number,
): Tensor<S, D> {
  return clip('threshold', thresholdOp, x, { threshold, value });
}

const gluOp = defineElementwise('glu', (a, b) => e.mul(a, e.sigmoid(b)));

/**
 * Gated linear unit: the first half along a dimension times the sigmoid of the second half (Dauphin et al. 2017).
 *
 * @param dim the dimension that is halved. Default -1
 * @throws ShapeError if the size of the dimension is odd; DTypeError for integer and bool tensors
 */
export function glu<S extends Shape, D extends DType, const Dim extends number = -1>(
  x: Tensor<S, D> & DimCheck<S, Dim> & HalveCheck<S, Dim>,
  dim: Dim = -1 as Dim,
): Tensor<HalveDim<S, Dim>, D> {
  const whole: Tensor = x;
  requireFloat('glu', 'x', whole);
  if (whole.shape.length === 0) throw new ShapeError('glu(x []): a scalar has no dimension to halve.');
  const axis = normalizeDim('glu', dim, whole.shape.length);
  const size = whole.shape[axis];
  if (size % 2 !== 0) {
    throw new ShapeError(`glu(x ${formatShape(whole.shape)}): dimension ${dim} must have an even size, got ${size}.`);
  }
  const half = (at: number): Tensor => narrow(whole, axis, at, size / 2);
  return tidy(() => gluOp.apply([half(0), half(size / 2)])) as unknown as Tensor<HalveDim<S, Dim>, D>;
}

/**
 * Softmax of -x along a dimension: the smallest gets the most.
 *
 * @throws DTypeError for integer and bool tensors
 */
export function softmin<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): Tensor<S, D> {
  requireFloat('softmin', 'x', x);
  const axis = normalizeDim('softmin', dim, (x as Tensor).shape.length);
  return tidy(() => softmax<Shape, DType, number>(neg(x as Tensor), axis)) as unknown as Tensor<S, D>;
}

/** Options of `rrelu`. */
export interface RreluOptions {
  /** The smallest slope below 0. Default 1/8. */
  lower?: number;
  /** The largest. Default 1/3. */
  upper?: number;
  /** Whether the slopes are random; else all are (lower + upper) / 2. Default false. */
  training?: boolean;
  /** Source of the slopes. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

const rreluOp = defineElementwise(
  'rrelu',
  (x, u, lower, width) => e.select(e.gt(x, 0), x, e.mul(x, e.add(lower, e.mul(u, width)))),
  {
    inputs: ['x', 'u'],
    scalars: ['lower', 'width'],
    grad: (g, _out, x, u, lower, width) => [e.select(e.gt(x, 0), g, e.mul(g, e.add(lower, e.mul(u, width)))), null],
  },
);

/**
 * x where it is positive, else x times a slope: in training one at random for each element, uniform from lower to upper,
 * else their mean (Xu et al. 2015).
 *
 * @throws DTypeError for integer and bool tensors; ArgumentError if lower > upper
 */
export function rrelu<S extends Shape, D extends DType>(x: Tensor<S, D>, options: RreluOptions = {}): Tensor<S, D> {
  const { lower = 1 / 8, upper = 1 / 3, training = false, generator } = options;
  requireFloat('rrelu', 'x', x);
  requireNumber('rrelu', 'lower', lower);
  requireNumber('rrelu', 'upper', upper);
  if (lower > upper) {
    throw new ArgumentError(`rrelu: lower must not be greater than upper, got ${lower} and ${upper}.`);
  }
  if (!training) return rreluOp.apply([x, 0], [(lower + upper) / 2, 0]) as Tensor<S, D>;
  return tidy(() => {
    const u = rand(x.shape as Shape, {
      dtype: x.dtype,
      device: x.device,
      ...(generator === undefined ? {} : { generator }),
    });
    return rreluOp.apply([x, u], [lower, upper - lower]);
  }) as Tensor<S, D>;
}
