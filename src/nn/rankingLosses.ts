// Losses with a margin: those that rank, embed, or separate classes.
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { cast } from '../ops/copy.js';
import { arange } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { pairwiseDistance } from '../ops/distance.js';
import { defineElementwise } from '../ops/elementwise.js';
import { gather, indexSelect, scatterAlong } from '../ops/indexing.js';
import { ge, where } from '../ops/compare.js';
import { div, mul } from '../ops/arithmetic.js';
import { mean, sum } from '../ops/reduce.js';
import { requireFloat, requireNumber } from '../ops/require.js';
import { cumprod } from '../ops/scan.js';
import { reshape, unsqueeze } from '../ops/view.js';
import * as e from '../program/expr.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { binaryCrossEntropyWithLogits, type WeightedLossOptions } from './losses.js';
import { checkAlike, checkInput, checkWeight, reduceLoss, type Loss } from './reduceLoss.js';
import { checkReduction, type LossOptions, type Reduction } from './reduction.js';

/** Options of a loss with a margin. */
export interface MarginLossOptions extends LossOptions {
  /** How far apart is far enough. */
  margin?: number;
}

/** Options of `tripletMarginWithDistanceLoss`. */
export interface TripletMarginWithDistanceLossOptions extends MarginLossOptions {
  /** From two batches to the distances of their items. Default `pairwiseDistance`. */
  distanceFunction?: ((a: Tensor, b: Tensor) => Tensor) | null;
  /** Use the distance of positive and negative where that is the smaller one (Balntas et al. 2016). Default false. */
  swap?: boolean;
}

/** Options of `tripletMarginLoss`. */
export interface TripletMarginLossOptions extends MarginLossOptions {
  /** The order of the norm of the distance. Default 2. */
  p?: number;
  /** Added to the differences, so that distances of equal points have a gradient. Default 1e-6. */
  eps?: number;
  /** Use the distance of positive and negative where that is the smaller one (Balntas et al. 2016). Default false. */
  swap?: boolean;
}

/** Options of `multiMarginLoss`. */
export interface MultiMarginLossOptions extends MarginLossOptions {
  /** 1 (default) or 2: the power of what is missing to the margin. */
  p?: 1 | 2;
  /** `[C]`: what each class counts for. Default: 1 for all. */
  weight?: Tensor | null;
}

// max(z, 0); where z is 0 the gradient is let through, as in PyTorch's clamp.
const clamped = (z: e.Expr): e.Expr => e.select(e.lt(z, 0), 0, z);
// max(z, 0); where z is 0 the gradient is 0.
const positivePart = (z: e.Expr): e.Expr => e.select(e.gt(z, 0), z, 0);

const hingeOp = defineElementwise(
  'hingeEmbeddingLoss',
  (x, t, margin) => e.add(e.select(e.ne(t, 1), clamped(e.sub(margin, x)), 0), e.select(e.ne(t, -1), x, 0)),
  { inputs: ['input', 'target'], scalars: ['margin'] },
);

/**
 * A distance should be small where the target is 1 and at least the margin where it is -1: `input`, or
 * `max(0, margin - input)`.
 *
 * Shapes: broadcast together.
 *
 * @param options margin: default 1
 */
export function hingeEmbeddingLoss(input: Tensor, target: Tensor, options: MarginLossOptions = {}): Loss {
  const { reduction = 'mean', margin = 1 } = options;
  checkReduction('hingeEmbeddingLoss', reduction);
  checkInput('hingeEmbeddingLoss', input, target);
  requireNumber('hingeEmbeddingLoss', 'margin', margin);
  return reduceLoss(hingeOp, reduction, [input, target], [margin]);
}

const softMarginOp = defineElementwise(
  'softMarginLoss',
  (x, t) => {
    const z = e.mul(x, t);
    return e.add(e.log1p(e.exp(e.neg(e.abs(z)))), e.maximum(e.neg(z), 0));
  },
  {
    inputs: ['input', 'target'],
    grad: (g, _out, x, t) => {
      const slope = e.neg(e.mul(g, e.sigmoid(e.neg(e.mul(x, t)))));
      return [e.mul(slope, t), e.mul(slope, x)];
    },
  },
);

/**
 * The logistic loss of targets 1 and -1: `log(1 + exp(-target * input))`, in a form that does not overflow.
 *
 * Shapes: broadcast together.
 */
export function softMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Loss {
  const { reduction = 'mean' } = options;
  checkReduction('softMarginLoss', reduction);
  checkInput('softMarginLoss', input, target);
  return reduceLoss(softMarginOp, reduction, [input, target]);
}

const marginRankingOp = defineElementwise(
  'marginRankingLoss',
  (a, b, t, margin) => clamped(e.sub(margin, e.mul(t, e.sub(a, b)))),
  { inputs: ['input1', 'input2', 'target'], scalars: ['margin'] },
);

/**
 * The first input should be above the second where the target is 1, below where it is -1, by the margin:
 * `max(0, margin - target * (input1 - input2))`.
 *
 * Shapes: of the same number of dimensions, broadcast together.
 *
 * @param options margin: default 0
 * @throws ShapeError if the numbers of dimensions differ
 */
export function marginRankingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Loss {
  const op = 'marginRankingLoss';
  const { reduction = 'mean', margin = 0 } = options;
  checkReduction(op, reduction);
  requireFloat(op, 'input1', input1);
  requireFloat(op, 'input2', input2);
  checkTensor(op, 'target', target);
  requireNumber(op, 'margin', margin);
  if (input1.shape.length !== input2.shape.length || input1.shape.length !== target.shape.length) {
    throw new ShapeError(
      `${op}(input1 ${formatShape(input1.shape)}, input2 ${formatShape(input2.shape)}, target ${formatShape(target.shape)}): the numbers of dimensions must be equal; unsqueeze() what lacks some.`,
    );
  }
  return reduceLoss(marginRankingOp, reduction, [input1, input2, target], [margin]);
}

const cosineOp = defineElementwise(
  'cosineEmbeddingLoss',
  (product, a, b, t, margin) => {
    const cosine = e.div(product, e.sqrt(e.mul(e.add(a, 1e-12), e.add(b, 1e-12))));
    return e.add(e.select(e.eq(t, 1), e.sub(1, cosine), 0), e.select(e.eq(t, -1), clamped(e.sub(cosine, margin)), 0));
  },
  { inputs: ['product', 'square1', 'square2', 'target'], scalars: ['margin'] },
);

/**
 * Vectors should point the same way where the target is 1, and have a cosine of at most the margin where it is -1:
 * `1 - cos`, or `max(0, cos - margin)`.
 *
 * Shapes: inputs `[N, D]` and target `[N]`, or `[D]` and `[]`.
 *
 * @param options margin: from -1 to 1, default 0
 * @throws ShapeError
 */
export function cosineEmbeddingLoss(
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  options: MarginLossOptions = {},
): Loss {
  const op = 'cosineEmbeddingLoss';
  const { reduction = 'mean', margin = 0 } = options;
  checkReduction(op, reduction);
  requireFloat(op, 'input1', input1);
  requireFloat(op, 'input2', input2);
  checkTensor(op, 'target', target);
  requireNumber(op, 'margin', margin);
  const rank = target.shape.length;
  const fits = shapesEqual(input1.shape, input2.shape) && input1.shape.length === rank + 1;
  if (rank > 1 || !fits || !shapesEqual(input1.shape.slice(0, -1), target.shape)) {
    throw new ShapeError(
      `${op}(input1 ${formatShape(input1.shape)}, input2 ${formatShape(input2.shape)}, target ${formatShape(target.shape)}): inputs must be [N, D] and target [N], or [D] and [].`,
    );
  }
  return tidy(() => {
    const dot = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b), -1);
    const operands = [dot(input1, input2), dot(input1, input1), dot(input2, input2), target];
    return reduceLoss(cosineOp, reduction, operands, [margin]);
  });
}

const triplet = (positive: e.Expr, negative: e.Expr, margin: e.Expr): e.Expr =>
  clamped(e.sub(e.add(margin, positive), negative));
const tripletOp = defineElementwise('tripletMarginLoss', triplet, {
  inputs: ['positive', 'negative'],
  scalars: ['margin'],
});
const tripletSwapOp = defineElementwise(
  'tripletMarginLoss',
  (positive, negative, other, margin) => triplet(positive, e.minimum(negative, other), margin),
  { inputs: ['positive', 'negative', 'swapped'], scalars: ['margin'] },
);

function tripletLoss(
  op: string,
  [anchor, positive, negative]: readonly [Tensor, Tensor, Tensor],
  distance: (a: Tensor, b: Tensor) => Tensor,
  margin: number,
  swap: boolean,
  reduction: Reduction,
): Loss {
  checkReduction(op, reduction);
  requireFloat(op, 'anchor', anchor);
  requireFloat(op, 'positive', positive);
  requireFloat(op, 'negative', negative);
  requireNumber(op, 'margin', margin);
  if (margin <= 0) throw new ArgumentError(`${op}: margin must be above 0, got ${margin}.`);
  const rank = anchor.shape.length;
  if (rank !== positive.shape.length || rank !== negative.shape.length) {
    throw new ShapeError(
      `${op}(anchor ${formatShape(anchor.shape)}, positive ${formatShape(positive.shape)}, negative ${formatShape(negative.shape)}): the numbers of dimensions must be equal.`,
    );
  }
  return tidy(() => {
    const near = distance(anchor, positive);
    const far = distance(anchor, negative);
    return swap
      ? reduceLoss(tripletSwapOp, reduction, [near, far, distance(positive, negative)], [margin])
      : reduceLoss(tripletOp, reduction, [near, far], [margin]);
  });
}

/**
 * An anchor should be closer to the positive than to the negative, by the margin (Schroff et al. 2015):
 * `max(0, margin + d(anchor, positive) - d(anchor, negative))` with the distance of order p of the last dimension.
 *
 * Shapes: `[N, D]` or `[D]`, broadcast together.
 *
 * @param options margin: default 1
 * @throws ShapeError; ArgumentError unless margin is above 0
 */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginLossOptions = {},
): Loss {
  const { reduction = 'mean', margin = 1, p = 2, eps = 1e-6, swap = false } = options;
  const distance = (a: Tensor, b: Tensor): Tensor => pairwiseDistance(a, b, { p, eps });
  return tripletLoss('tripletMarginLoss', [anchor, positive, negative], distance, margin, swap, reduction);
}

/**
 * As `tripletMarginLoss`, with any distance.
 *
 * @param options margin: default 1; distanceFunction: made of differentiable ops
 * @example
 * const cosine = (a: Tensor, b: Tensor) => sub(1, nn.functional.cosineSimilarity(a, b));
 * nn.functional.tripletMarginWithDistanceLoss(anchor, positive, negative, { distanceFunction: cosine });
 */
export function tripletMarginWithDistanceLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: TripletMarginWithDistanceLossOptions = {},
): Loss {
  const { reduction = 'mean', margin = 1, distanceFunction = null, swap = false } = options;
  const distance = distanceFunction ?? ((a: Tensor, b: Tensor): Tensor => pairwiseDistance(a, b));
  const triple = [anchor, positive, negative] as const;
  return tripletLoss('tripletMarginWithDistanceLoss', triple, distance, margin, swap, reduction);
}

function checkIndices(op: string, target: Tensor): void {
  checkTensor(op, 'target', target);
  if (target.dtype !== 'int64' && target.dtype !== 'int32') {
    throw new DTypeError(`${op}: target must hold class indices as int64 or int32, got ${target.dtype}.`);
  }
}

function checkClasses(op: string, input: Tensor): void {
  requireFloat(op, 'input', input);
  const rank = input.shape.length;
  if ((rank !== 1 && rank !== 2) || input.shape[rank - 1] === 0) {
    throw new ShapeError(
      `${op}: input must be [N, C] or [C] with at least one class, got ${formatShape(input.shape)}.`,
    );
  }
}

// An elementwise loss over [N, C], or [N, J, C], of which the classes are averaged and the samples reduced as asked.
// `count`: how many classes the sum of a sample is divided by.
function reduceSamples(losses: Loss, count: number, samples: Shape, reduction: Reduction): Loss {
  if (reduction !== 'none') return div(losses, count);
  const dims = losses.shape.map((_, d) => d).slice(samples.length);
  return div(sum(losses, dims), count);
}

const multiMargin = (x: e.Expr, own: e.Expr, c: e.Expr, t: e.Expr, margin: e.Expr): e.Expr =>
  e.select(e.eq(c, t), 0, positivePart(e.add(e.sub(margin, own), x)));
const multiMarginOp = defineElementwise('multiMarginLoss', multiMargin, {
  inputs: ['input', 'own', 'class', 'target'],
  scalars: ['margin'],
});
const multiMarginSquareOp = defineElementwise(
  'multiMarginLoss',
  (x, own, c, t, margin) => e.square(multiMargin(x, own, c, t, margin)),
  { inputs: ['input', 'own', 'class', 'target'], scalars: ['margin'] },
);
const multiMarginWeightedOp = defineElementwise(
  'multiMarginLoss',
  (x, own, c, t, w, margin) => e.mul(w, multiMargin(x, own, c, t, margin)),
  { inputs: ['input', 'own', 'class', 'target', 'weight'], scalars: ['margin'] },
);
const multiMarginWeightedSquareOp = defineElementwise(
  'multiMarginLoss',
  (x, own, c, t, w, margin) => e.mul(w, e.square(multiMargin(x, own, c, t, margin))),
  { inputs: ['input', 'own', 'class', 'target', 'weight'], scalars: ['margin'] },
);

/**
 * The score of the target's class should be above all others by the margin (Crammer and Singer 2001):
 * `sum over c != y of weight[y] * max(0, margin - x[y] + x[c])^p / C`.
 *
 * Shapes: input `[N, C]` or `[C]`, target `[N]` or `[]` of class indices.
 *
 * @param options margin: default 1
 * @throws ShapeError, DTypeError, ArgumentError; IndexError (at the next read) for a target that is no class
 */
export function multiMarginLoss(input: Tensor, target: Tensor, options: MultiMarginLossOptions = {}): Loss {
  const op = 'multiMarginLoss';
  const { reduction = 'mean', p = 1, margin = 1, weight = null } = options;
  checkReduction(op, reduction);
  checkClasses(op, input);
  checkIndices(op, target);
  requireNumber(op, 'margin', margin);
  if ((p as number) !== 1 && (p as number) !== 2) throw new ArgumentError(`${op}: p must be 1 or 2, got ${String(p)}.`);
  const samples = input.shape.slice(0, -1);
  if (!shapesEqual(target.shape, samples)) {
    throw new ShapeError(
      `${op}(input ${formatShape(input.shape)}, target ${formatShape(target.shape)}): target must have shape ${formatShape(samples)}.`,
    );
  }
  const classes = input.shape[samples.length];
  if (weight !== null) {
    requireFloat(op, 'weight', weight);
    if (!shapesEqual(weight.shape, [classes])) {
      throw new ShapeError(
        `${op}: weight must have one number for each of ${classes} classes, got shape ${formatShape(weight.shape)}.`,
      );
    }
  }
  return tidy(() => {
    const column = unsqueeze(target, -1) as Tensor<Shape, 'int64'>;
    const own = gather(input, -1, column);
    const operands = [input, own, arange(0, classes, 1, { dtype: 'int64', device: input.device }), column as Tensor];
    let loss: Loss;
    if (weight === null)
      loss = reduceLoss(p === 1 ? multiMarginOp : multiMarginSquareOp, reduction, operands, [margin]);
    else {
      const flat = reshape(target, [-1]) as Tensor<Shape, 'int64'>;
      const ownWeight = reshape(indexSelect(weight, 0, flat), column.shape);
      const weightedOp = p === 1 ? multiMarginWeightedOp : multiMarginWeightedSquareOp;
      loss = reduceLoss(weightedOp, reduction, [...operands, ownWeight], [margin]);
    }
    // The mean has divided by the classes already.
    return reduction === 'mean' ? loss : reduceSamples(loss, classes, samples, reduction);
  });
}

const multilabelOp = defineElementwise(
  'multilabelMarginLoss',
  (x, own, valid, isTarget) => e.select(e.mul(valid, e.eq(isTarget, 0)), positivePart(e.add(e.sub(1, own), x)), 0),
  { inputs: ['input', 'own', 'valid', 'isTarget'] },
);

/**
 * The score of each of a sample's classes should be above that of each other class by 1:
 * `sum over targets j and others c of max(0, 1 - x[j] + x[c]) / C`.
 *
 * Shapes: input `[N, C]` or `[C]`, target alike: class indices from the front, of which the first below 0 ends the list.
 *
 * @throws ShapeError, DTypeError; IndexError (at the next read) for a target that is no class
 */
export function multilabelMarginLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Loss {
  const op = 'multilabelMarginLoss';
  const { reduction = 'mean' } = options;
  checkReduction(op, reduction);
  checkClasses(op, input);
  checkIndices(op, target);
  checkAlike(op, input, target);
  return tidy(() => {
    const samples = input.shape.slice(0, -1);
    const classes = input.shape[samples.length];
    const listed = cumprod(cast(ge(target, 0), 'int64'), -1);
    const safe = where(ge(listed, 1), target, 0) as Tensor<Shape, 'int64'>;
    const isTarget = scatterAlong(listed.shape, samples.length, safe, listed);
    const own = gather(input, -1, safe);
    const operands = [unsqueeze(input, -2), unsqueeze(own, -1), unsqueeze(listed, -1), unsqueeze(isTarget, -2)];
    const losses = reduceLoss(multilabelOp, reduction === 'mean' ? 'sum' : reduction, operands);
    const count = reduction === 'mean' ? classes * (samples[0] ?? 1) : classes;
    return reduceSamples(losses, count, samples, reduction);
  });
}

/**
 * The cross entropy of each class by itself, for samples of several classes, averaged over the classes:
 * `-mean over c of weight[c] * (t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x)))`.
 *
 * Shapes: input and target `[..., C]`, weight broadcast to them, usually `[C]`.
 *
 * @throws ShapeError if the shapes of input and target differ
 */
export function multilabelSoftMarginLoss(input: Tensor, target: Tensor, options: WeightedLossOptions = {}): Loss {
  const op = 'multilabelSoftMarginLoss';
  const { reduction = 'mean', weight = null } = options;
  checkReduction(op, reduction);
  checkAlike(op, input, target);
  const rank = input.shape.length;
  if (rank === 0) throw new ShapeError(`${op}: input must be [..., C], got [].`);
  if (weight !== null) checkWeight(op, 'weight', weight, input.shape);
  if (reduction === 'mean') return binaryCrossEntropyWithLogits(input, target, { weight });
  return tidy(() => {
    const losses = binaryCrossEntropyWithLogits(input, target, { weight, reduction });
    return reduction === 'sum' ? div(losses, input.shape[rank - 1]) : mean(losses, -1);
  });
}
