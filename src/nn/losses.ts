// Losses that compare element by element. Each is one expression; its mean or sum is taken in the same pass.
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { div } from '../ops/arithmetic.js';
import { defineElementwise, type ElementwiseOp } from '../ops/elementwise.js';
import { sum } from '../ops/reduce.js';
import { requireFloat, requireNumber } from '../ops/require.js';
import { unsqueeze } from '../ops/view.js';
import * as e from '../program/expr.js';
import { broadcastsTo, formatShape, shapesEqual } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAlike, checkInput, checkWeight, reduceLoss, type Loss } from './reduceLoss.js';
import { checkReduction, type LossOptions, type Reduction } from './reduction.js';

export type { Loss };

/** Options of a loss with weights. */
export interface WeightedLossOptions extends LossOptions {
  /** What each element counts for. Default: all the same. */
  weight?: Tensor | null;
}

/** Options of `smoothL1Loss`. */
export interface SmoothL1LossOptions extends LossOptions {
  /** Where the square ends and the line begins, from 0; 0 makes it `l1Loss`. Default 1. */
  beta?: number;
}

/** Options of `huberLoss`. */
export interface HuberLossOptions extends WeightedLossOptions {
  /** Where the square ends and the line begins, above 0. Default 1. */
  delta?: number;
}

/** Options of `binaryCrossEntropyWithLogits`. */
export interface BCEWithLogitsLossOptions extends WeightedLossOptions {
  /** What positive targets count for, broadcast to the input: above 1 for more recall, below for more precision. */
  posWeight?: Tensor | null;
}

/** Options of `klDiv`. */
export interface KLDivLossOptions {
  /** `'batchmean'` divides the sum by the first dimension, which is the mathematical definition. Default `'mean'`. */
  reduction?: Reduction | 'batchmean';
  /** Whether the target holds logarithms of probabilities too. Default false. */
  logTarget?: boolean;
}

/** Options of `poissonNllLoss`. */
export interface PoissonNllLossOptions extends LossOptions {
  /** Whether the input is the logarithm of the rate. Default true. */
  logInput?: boolean;
  /** Add Stirling's approximation of `log(target!)` for targets above 1. Default false. */
  full?: boolean;
  /** Keeps the logarithm from 0 without `logInput`. Default 1e-8. */
  eps?: number;
}

/** Options of `gaussianNllLoss`. */
export interface GaussianNllLossOptions extends LossOptions {
  /** Add the constant `log(2 pi) / 2`. Default false. */
  full?: boolean;
  /** The smallest variance that is used. Default 1e-6. */
  eps?: number;
}

const pair = ['input', 'target'];
const weighted = ['input', 'target', 'weight'];

/** An op, and the same times a weight. */
function withWeight(name: string, body: (x: e.Expr, t: e.Expr) => e.Expr): readonly [ElementwiseOp, ElementwiseOp] {
  return [
    defineElementwise(name, body, { inputs: pair }),
    defineElementwise(name, (x, t, w) => e.mul(body(x, t), w), { inputs: weighted }),
  ];
}

const [mseOp, mseWeightedOp] = withWeight('mseLoss', (x, t) => e.square(e.sub(x, t)));
const [l1Op, l1WeightedOp] = withWeight('l1Loss', (x, t) => e.abs(e.sub(x, t)));

// With weights the mean is the weighted one, as in PyTorch.
function errorLoss(
  name: string,
  [plain, withWeights]: readonly [ElementwiseOp, ElementwiseOp],
  input: Tensor,
  target: Tensor,
  { reduction = 'mean', weight = null }: WeightedLossOptions,
): Loss {
  checkReduction(name, reduction);
  checkAlike(name, input, target);
  if (weight === null) return reduceLoss(plain, reduction, [input, target]);
  checkSameWeight(name, weight, input);
  if (reduction !== 'mean') return reduceLoss(withWeights, reduction, [input, target, weight]);
  return tidy(() => div(reduceLoss(withWeights, 'sum', [input, target, weight]), sum(weight)) as Loss);
}

function checkSameWeight(op: string, weight: Tensor, input: Tensor): void {
  checkWeight(op, 'weight', weight, input.shape);
  if (!shapesEqual(weight.shape, input.shape)) {
    throw new ShapeError(
      `${op}(input ${formatShape(input.shape)}, weight ${formatShape(weight.shape)}): the shapes must be equal.`,
    );
  }
}

/**
 * The squared error `(input - target)^2`, by default averaged over elements; with weights the mean is
 * `sum(weight * error) / sum(weight)`.
 *
 * Shapes: all alike.
 *
 * @throws ShapeError if the shapes differ: broadcasting here is nearly always a mistake
 * @example
 * await nn.functional.mseLoss(tensor([1, 2]), tensor([1, 4])).item(); // 2
 */
export function mseLoss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Loss {
  return errorLoss('mseLoss', [mseOp, mseWeightedOp], input, target, options);
}

/**
 * The absolute error `|input - target|`, by default averaged over elements; with weights the mean is
 * `sum(weight * error) / sum(weight)`. Its gradient at 0 is 0.
 *
 * @throws ShapeError if the shapes differ
 */
export function l1Loss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Loss {
  return errorLoss('l1Loss', [l1Op, l1WeightedOp], input, target, options);
}

const smoothL1Op = defineElementwise(
  'smoothL1Loss',
  (x, t, beta) => {
    const d = e.abs(e.sub(x, t));
    return e.select(e.lt(d, beta), e.div(e.mul(0.5, d, d), beta), e.sub(d, e.mul(0.5, beta)));
  },
  {
    inputs: pair,
    scalars: ['beta'],
    grad: (g, _out, x, t, beta) => {
      const d = e.sub(x, t);
      const slope = e.mul(g, e.select(e.lt(e.abs(d), beta), e.div(d, beta), e.sign(d)));
      return [slope, e.neg(slope)];
    },
  },
);

/**
 * The squared error near 0, the absolute error beyond (Girshick 2015): `d^2 / (2 beta)` for `d = |input - target|` below
 * beta, else `d - beta / 2`.
 *
 * @throws ShapeError if the shapes differ; ArgumentError for a negative beta
 */
export function smoothL1Loss(input: Tensor, target: Tensor, options: SmoothL1LossOptions = {}): Loss {
  const { reduction = 'mean', beta = 1 } = options;
  checkReduction('smoothL1Loss', reduction);
  checkAlike('smoothL1Loss', input, target);
  requireNumber('smoothL1Loss', 'beta', beta);
  if (beta < 0) throw new ArgumentError(`smoothL1Loss: beta must be at least 0, got ${beta}.`);
  if (beta === 0) return reduceLoss(l1Op, reduction, [input, target]);
  return reduceLoss(smoothL1Op, reduction, [input, target], [beta]);
}

const huber = (x: e.Expr, t: e.Expr, delta: e.Expr): e.Expr => {
  const d = e.abs(e.sub(x, t));
  return e.select(e.lt(d, delta), e.mul(0.5, d, d), e.mul(delta, e.sub(d, e.mul(0.5, delta))));
};
const huberSlope = (x: e.Expr, t: e.Expr, delta: e.Expr): e.Expr => {
  const d = e.sub(x, t);
  return e.select(e.lt(e.abs(d), delta), d, e.mul(delta, e.sign(d)));
};
const huberOp = defineElementwise('huberLoss', huber, {
  inputs: pair,
  scalars: ['delta'],
  grad: (g, _out, x, t, delta) => {
    const slope = e.mul(g, huberSlope(x, t, delta));
    return [slope, e.neg(slope)];
  },
});
const huberWeightedOp = defineElementwise('huberLoss', (x, t, w, delta) => e.mul(w, huber(x, t, delta)), {
  inputs: weighted,
  scalars: ['delta'],
  grad: (g, _out, x, t, w, delta) => {
    const slope = e.mul(g, w, huberSlope(x, t, delta));
    return [slope, e.neg(slope), e.mul(g, huber(x, t, delta))];
  },
});

/**
 * The squared error near 0, a line beyond (Huber 1964): `d^2 / 2` for `d = |input - target|` below delta, else
 * `delta * (d - delta / 2)`. With weights the mean divides by the number of elements, as in PyTorch.
 *
 * @throws ShapeError if the shapes differ; ArgumentError unless delta is above 0
 */
export function huberLoss(input: Tensor, target: Tensor, options: HuberLossOptions = {}): Loss {
  const { reduction = 'mean', delta = 1, weight = null } = options;
  checkReduction('huberLoss', reduction);
  checkAlike('huberLoss', input, target);
  requireNumber('huberLoss', 'delta', delta);
  if (delta <= 0) throw new ArgumentError(`huberLoss: delta must be above 0, got ${delta}.`);
  if (weight === null) return reduceLoss(huberOp, reduction, [input, target], [delta]);
  checkSameWeight('huberLoss', weight, input);
  return reduceLoss(huberWeightedOp, reduction, [input, target, weight], [delta]);
}

const boundedLog = (x: e.ExprLike): e.Expr => e.maximum(e.log(x), -100);
const boundedLogOfRest = (x: e.Expr): e.Expr => e.maximum(e.log1p(e.neg(x)), -100);
const binary = (x: e.Expr, t: e.Expr): e.Expr =>
  e.sub(e.mul(e.sub(t, 1), boundedLogOfRest(x)), e.mul(t, boundedLog(x)));
const binarySlope = (x: e.Expr, t: e.Expr): e.Expr => e.div(e.sub(x, t), e.maximum(e.mul(e.sub(1, x), x), 1e-12));
const binaryTargetSlope = (x: e.Expr): e.Expr => e.sub(boundedLogOfRest(x), boundedLog(x));
const bceOp = defineElementwise('binaryCrossEntropy', binary, {
  inputs: pair,
  grad: (g, _out, x, t) => [e.mul(g, binarySlope(x, t)), e.mul(g, binaryTargetSlope(x))],
});
const bceWeightedOp = defineElementwise('binaryCrossEntropy', (x, t, w) => e.mul(binary(x, t), w), {
  inputs: weighted,
  grad: (g, _out, x, t, w) => [
    e.mul(g, w, binarySlope(x, t)),
    e.mul(g, w, binaryTargetSlope(x)),
    e.mul(g, binary(x, t)),
  ],
});

/**
 * The cross entropy of probabilities: `-(target * log(input) + (1 - target) * log(1 - input))`. The logarithms are kept
 * from going below -100, so that the loss is finite. A probability outside [0, 1] gives NaN. Prefer
 * `binaryCrossEntropyWithLogits`, which is exact.
 *
 * Shapes: input and target alike, weight broadcast to them.
 *
 * @throws ShapeError if the shapes of input and target differ
 */
export function binaryCrossEntropy(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Loss {
  const { reduction = 'mean', weight = null } = options;
  checkReduction('binaryCrossEntropy', reduction);
  checkAlike('binaryCrossEntropy', input, target);
  if (weight === null) return reduceLoss(bceOp, reduction, [input, target]);
  checkWeight('binaryCrossEntropy', 'weight', weight, input.shape);
  return reduceLoss(bceWeightedOp, reduction, [input, target, weight]);
}

// -log(sigmoid(x))
const softplusOfNegative = (x: e.Expr): e.Expr => e.add(e.log1p(e.exp(e.neg(e.abs(x)))), e.maximum(e.neg(x), 0));
const logits = (x: e.Expr, t: e.Expr): e.Expr => e.add(e.mul(e.sub(1, t), x), softplusOfNegative(x));
const logitsOp = defineElementwise('binaryCrossEntropyWithLogits', logits, {
  inputs: pair,
  grad: (g, _out, x, t) => [e.mul(g, e.sub(e.sigmoid(x), t)), e.neg(e.mul(g, x))],
});
const logitsWeightedOp = defineElementwise('binaryCrossEntropyWithLogits', (x, t, w) => e.mul(logits(x, t), w), {
  inputs: weighted,
  grad: (g, _out, x, t, w) => [e.mul(g, w, e.sub(e.sigmoid(x), t)), e.neg(e.mul(g, w, x)), e.mul(g, logits(x, t))],
});
const factor = (t: e.Expr, p: e.Expr): e.Expr => e.add(e.mul(e.sub(p, 1), t), 1);
const positive = (x: e.Expr, t: e.Expr, p: e.Expr): e.Expr =>
  e.add(e.mul(e.sub(1, t), x), e.mul(factor(t, p), softplusOfNegative(x)));
const positiveSlopes = (g: e.Expr, x: e.Expr, t: e.Expr, p: e.Expr): e.Expr[] => [
  e.mul(g, e.sub(e.mul(factor(t, p), e.sigmoid(x)), e.mul(p, t))),
  e.mul(g, e.sub(e.mul(e.sub(p, 1), softplusOfNegative(x)), x)),
  e.mul(g, t, softplusOfNegative(x)),
];
const positiveOp = defineElementwise('binaryCrossEntropyWithLogits', positive, {
  inputs: ['input', 'target', 'posWeight'],
  grad: (g, _out, x, t, p) => positiveSlopes(g, x, t, p),
});
const positiveWeightedOp = defineElementwise(
  'binaryCrossEntropyWithLogits',
  (x, t, p, w) => e.mul(positive(x, t, p), w),
  {
    inputs: ['input', 'target', 'posWeight', 'weight'],
    grad: (g, _out, x, t, p, w) => [...positiveSlopes(e.mul(g, w), x, t, p), e.mul(g, positive(x, t, p))],
  },
);

/**
 * The cross entropy of probabilities given as logits, `-(p t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))` with `p` the
 * posWeight, in a form that neither overflows nor loses digits.
 *
 * Shapes: input and target alike, weight and posWeight broadcast to them.
 *
 * @throws ShapeError if the shapes of input and target differ
 * @example
 * const loss = nn.functional.binaryCrossEntropyWithLogits(tensor([0, 2]), tensor([0, 1]));
 * await loss.item(); // 0.4100...
 */
export function binaryCrossEntropyWithLogits(
  input: Tensor,
  target: Tensor,
  options: BCEWithLogitsLossOptions = {},
): Loss {
  const op = 'binaryCrossEntropyWithLogits';
  const { reduction = 'mean', weight = null, posWeight = null } = options;
  checkReduction(op, reduction);
  checkAlike(op, input, target);
  if (weight !== null) checkWeight(op, 'weight', weight, input.shape);
  if (posWeight === null) {
    return weight === null
      ? reduceLoss(logitsOp, reduction, [input, target])
      : reduceLoss(logitsWeightedOp, reduction, [input, target, weight]);
  }
  checkWeight(op, 'posWeight', posWeight, input.shape);
  return weight === null
    ? reduceLoss(positiveOp, reduction, [input, target, posWeight])
    : reduceLoss(positiveWeightedOp, reduction, [input, target, posWeight, weight]);
}

const klOp = defineElementwise('klDiv', (x, t) => e.sub(e.select(e.eq(t, 0), 0, e.mul(t, e.log(t))), e.mul(t, x)), {
  inputs: pair,
  grad: (g, _out, x, t) => [e.neg(e.mul(g, t)), e.mul(g, e.sub(e.add(e.log(t), 1), x))],
});
const klLogOp = defineElementwise('klDiv', (x, t) => e.mul(e.exp(t), e.sub(t, x)), { inputs: pair });

/**
 * The divergence of Kullback and Leibler of the distribution whose logarithm is the input from that of the target:
 * `target * (log(target) - input)`, 0 where the target is 0; with `logTarget`, `exp(target) * (target - input)`.
 *
 * Shapes: broadcast together. `reduction: 'batchmean'` is the divergence of probability theory; `'mean'` divides by the
 * classes too.
 *
 * @throws ShapeError; ArgumentError for an unknown reduction
 */
export function klDiv(input: Tensor, target: Tensor, options: KLDivLossOptions = {}): Loss {
  const { reduction = 'mean', logTarget = false } = options;
  if (reduction !== 'batchmean') checkReduction('klDiv', reduction);
  checkInput('klDiv', input, target);
  const op = logTarget ? klLogOp : klOp;
  if (reduction !== 'batchmean') return reduceLoss(op, reduction, [input, target]);
  if (input.shape.length === 0) {
    throw new ShapeError("klDiv: 'batchmean' divides by the first dimension, and the input has none; use 'sum'.");
  }
  const total = reduceLoss(op, 'sum', [input, target]);
  const batch = input.shape[0];
  return batch <= 1 ? total : tidy(() => div(total, batch));
}

// log(t!) for t > 1, approximately; for the others 0 instead of what is not defined or not close.
const stirling = (t: e.Expr): e.Expr => {
  const applies = e.gt(t, 1);
  const s = e.select(applies, t, 1);
  const value = e.add(e.sub(e.mul(s, e.log(s)), s), e.mul(0.5, e.log(e.mul(2 * Math.PI, s))));
  return e.select(applies, value, 0);
};
const poissonLog = (x: e.Expr, t: e.Expr): e.Expr => e.sub(e.exp(x), e.mul(t, x));
const poissonRate = (x: e.Expr, t: e.Expr, eps: e.Expr): e.Expr => e.sub(x, e.mul(t, e.log(e.add(x, eps))));
const poissonLogOp = defineElementwise('poissonNllLoss', poissonLog, { inputs: pair });
const poissonLogFullOp = defineElementwise('poissonNllLoss', (x, t) => e.add(poissonLog(x, t), stirling(t)), {
  inputs: pair,
});
const poissonOp = defineElementwise('poissonNllLoss', poissonRate, { inputs: pair, scalars: ['eps'] });
const poissonFullOp = defineElementwise('poissonNllLoss', (x, t, eps) => e.add(poissonRate(x, t, eps), stirling(t)), {
  inputs: pair,
  scalars: ['eps'],
});

/**
 * The negative log likelihood of counts of a Poisson distribution: `exp(input) - target * input`, or without `logInput`
 * `input - target * log(input + eps)`.
 *
 * Shapes: broadcast together.
 */
export function poissonNllLoss(input: Tensor, target: Tensor, options: PoissonNllLossOptions = {}): Loss {
  const { reduction = 'mean', logInput = true, full = false, eps = 1e-8 } = options;
  checkReduction('poissonNllLoss', reduction);
  checkInput('poissonNllLoss', input, target);
  requireNumber('poissonNllLoss', 'eps', eps);
  if (logInput) return reduceLoss(full ? poissonLogFullOp : poissonLogOp, reduction, [input, target]);
  return reduceLoss(full ? poissonFullOp : poissonOp, reduction, [input, target], [eps]);
}

const gaussianOp = defineElementwise(
  'gaussianNllLoss',
  (x, t, variance, eps, constant) => {
    const v = e.maximum(variance, eps);
    return e.add(e.mul(0.5, e.add(e.log(v), e.div(e.square(e.sub(x, t)), v))), constant);
  },
  {
    inputs: ['input', 'target', 'variance'],
    scalars: ['eps', 'constant'],
    // The bound does not stop the gradient of the variance, as in PyTorch.
    grad: (g, _out, x, t, variance, eps) => {
      const v = e.maximum(variance, eps);
      const d = e.sub(x, t);
      const slope = e.div(e.mul(g, d), v);
      return [slope, e.neg(slope), e.mul(0.5, e.div(e.mul(g, e.sub(1, e.div(e.square(d), v))), v))];
    },
  },
);

/**
 * The negative log likelihood of values of a normal distribution with the given means and variances (Nix and Weigend
 * 1994): `(log(v) + (input - target)^2 / v) / 2` with `v = max(variance, eps)`. PyTorch looks for negative variances and
 * refuses them; here, where looking would mean waiting, they count as eps.
 *
 * Shapes: input and target broadcast; variance a number, of the input's shape, that with one dimension of size 1, or
 * that without the last.
 *
 * @throws ShapeError for another shape of the variance; ArgumentError for a negative number
 */
export function gaussianNllLoss(
  input: Tensor,
  target: Tensor,
  variance: Tensor | number,
  options: GaussianNllLossOptions = {},
): Loss {
  const op = 'gaussianNllLoss';
  const { reduction = 'mean', full = false, eps = 1e-6 } = options;
  checkReduction(op, reduction);
  checkInput(op, input, target);
  requireNumber(op, 'eps', eps);
  if (eps <= 0) throw new ArgumentError(`${op}: eps must be above 0, got ${eps}.`);
  const numbers = [eps, full ? 0.5 * Math.log(2 * Math.PI) : 0];
  if (typeof variance === 'number') {
    requireNumber(op, 'variance', variance);
    if (variance < 0) throw new ArgumentError(`${op}: variance must be at least 0, got ${variance}.`);
    return reduceLoss(gaussianOp, reduction, [input, target, variance], numbers);
  }
  requireFloat(op, 'variance', variance);
  if (shapesEqual(variance.shape, input.shape.slice(0, -1)) && input.shape.length > 0) {
    return tidy(() => reduceLoss(gaussianOp, reduction, [input, target, unsqueeze(variance, -1)], numbers));
  }
  const others = input.shape.filter((size, d) => size !== variance.shape[d]).length;
  if (variance.shape.length !== input.shape.length || others > 1 || !broadcastsTo(variance.shape, input.shape)) {
    throw new ShapeError(
      `${op}(input ${formatShape(input.shape)}, variance ${formatShape(variance.shape)}): variance must have the input's shape, with at most one dimension of size 1 in its place, or lack the last dimension.`,
    );
  }
  return reduceLoss(gaussianOp, reduction, [input, target, variance], numbers);
}
