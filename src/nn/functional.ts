// Functions of neural networks: losses, dropout, and the functional forms of layers.
export { linear } from '../ops/matmul.js';
export { bilinear } from '../ops/products.js';
export { cosineSimilarity, pairwiseDistance, pdist } from '../ops/distance.js';
export { oneHot } from '../ops/indexing.js';
export { embedding, embeddingBag } from '../ops/embedding.js';
export * from '../ops/activation.js';
export { sigmoid, tanh } from '../ops/math.js';
export { logSoftmax, softmax } from '../ops/softmax.js';
export { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d } from '../ops/conv.js';
export { fold, unfold } from '../ops/fold.js';
export { channelShuffle, pixelShuffle, pixelUnshuffle } from '../ops/shuffle.js';
export { scaledDotProductAttention } from '../ops/attention.js';
export type { AttentionOptions } from '../ops/attention.js';
export { applyRotary } from '../ops/rotary.js';
export type { RotaryOptions } from '../ops/rotary.js';
export { batchNorm, type BatchNormOptions } from '../ops/normalize.js';
export { groupNorm, type GroupNormOptions } from '../ops/normalize.js';
export { instanceNorm, type InstanceNormOptions } from '../ops/normalize.js';
export { layerNorm, type LayerNormOptions } from '../ops/normalize.js';
export { localResponseNorm, type LocalResponseNormOptions } from '../ops/normalize.js';
export { normalize, type NormalizeOptions } from '../ops/normalize.js';
export { rmsNorm, type RMSNormOptions } from '../ops/normalize.js';
export { crossEntropy, type CrossEntropyOptions } from './classLoss.js';
export { nllLoss, type ClassLossOptions } from './classLoss.js';
export { alphaDropout } from './dropout.js';
export { dropout, type DropoutOptions } from './dropout.js';
export { dropout1d } from './dropout.js';
export { dropout2d } from './dropout.js';
export { dropout3d } from './dropout.js';
export { featureAlphaDropout } from './dropout.js';
export type { LossOptions, Reduction } from './reduction.js';
export * from './losses.js';
export * from './rankingLosses.js';
export { ctcLoss, type CTCLossOptions, type Lengths } from './ctcLoss.js';
export { elasticNet, l1Penalty, l2Penalty, type ElasticNetOptions } from './penalties.js';
export * from '../ops/pool.js';
export { pad, type PadMode, type PadOptions } from '../ops/pad.js';
export { interpolate, type InterpolateMode, type InterpolateOptions } from '../ops/interpolate.js';

/** How a loss is summed up: the mean (default), the sum, or not at all. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options of a loss. */
export interface LossOptions {
  /** `'mean'` (default), `'sum'` or `'none'`. */
  reduction?: Reduction;
}

function checkReduction(op: string, reduction: Reduction): void {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    throw new ArgumentError(`${op}: unknown reduction ${JSON.stringify(reduction)}, expected 'none', 'mean' or 'sum'.`);
  }
}

const dropMaskOp = defineElementwise('dropout', (x, mask, scale) => e.mul(x, mask, scale), {
  inputs: ['x', 'mask'],
  scalars: ['scale'],
  grad: (g, _out, _x, mask, scale) => [e.mul(g, mask, scale), null],
});

/**
 * In training, sets each element to 0 with probability p and scales the others by 1 / (1 - p), so that the expected value
 * stays (Srivastava et al. 2014).
 *
 * @param options `p` (default 0.5), `training` (default true), `generator`
 * @throws ArgumentError unless 0 <= p <= 1
 */
export function dropout<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { p?: number; training?: boolean; generator?: Generator } = {},
): Tensor<S, D> {
  const { p = 0.5, training = true } = options;
  requireFloatInput('dropout', 'x', x);
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`dropout: p must be from 0 to 1, got ${String(p)}.`);
  if (!training || p === 0) return x;
  const mask = bernoulli(x.shape as Shape, 1 - p, {
    dtype: 'bool',
    device: x.device,
    ...(options.generator === undefined ? {} : { generator: options.generator }),
  });
  const scale = p === 1 ? 0 : 1 / (1 - p);
  const out = dropMaskOp.apply([x, mask], [scale]) as Tensor<S, D>;
  mask.dispose();
  return out;
}

function checkTarget(op: string, target: Tensor): void {
  checkTensor(op, 'target', target);
  if (target.dtype !== 'int64' && target.dtype !== 'int32') {
    throw new DTypeError(`${op}: target must hold class indices as int64 or int32, got ${target.dtype}.`);
  }
}

/** Options of losses over classes. */
export interface ClassLossOptions extends LossOptions {
  /** Targets of this value do not count. Default -100. */
  ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** Mixes the target with the uniform distribution (Szegedy et al. 2016); from 0 (default) to 1. */
  labelSmoothing?: number;
}

/**
 * The negative log likelihood of classes: `-logProbs[i, target[i]]`, by default averaged over targets that count.
 *
 * Shapes: logProbs `[N, C]` or `[C]`, target `[N]` or `[]`.
 *
 * @throws ShapeError, DTypeError; IndexError (at the next read) for a target that is no class
 */
export function nllLoss(logProbs: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor<Shape, FloatDType> {
  const { reduction = 'mean', ignoreIndex = -100 } = options;
  checkReduction('nllLoss', reduction);
  requireFloatInput('nllLoss', 'input', logProbs);
  checkTarget('nllLoss', target);
  checkClassLoss('nllLoss', logProbs, target);
  return tidy(() => classLoss(logProbs, target, reduction, ignoreIndex, 0));
}

function checkClassLoss(op: string, logProbs: Tensor, target: Tensor): void {
  const rank = logProbs.shape.length;
  if (rank !== 1 && rank !== 2) {
    throw new ShapeError(`${op}: input must be [N, C] or [C], got shape ${formatShape(logProbs.shape)}.`);
  }
  if (target.shape.length !== rank - 1 || (rank === 2 && target.shape[0] !== logProbs.shape[0])) {
    throw new ShapeError(
      `${op}(input ${formatShape(logProbs.shape)}, target ${formatShape(target.shape)}): target must have shape ${formatShape(logProbs.shape.slice(0, -1))}.`,
    );
  }
}

function classLoss(
  logProbs: Tensor,
  target: Tensor,
  reduction: Reduction,
  ignoreIndex: number,
  smoothing: number,
): Tensor<Shape, FloatDType> {
  const rank = logProbs.shape.length;
  const ignored = eq(target, ignoreIndex);
  const counted = cast(eq(ignored, false), logProbs.dtype);
  // An ignored target picks class 0, and its loss, which may be infinite, is replaced by 0.
  const safe = mul(target, cast(eq(ignored, false), target.dtype)) as Tensor<Shape, 'int64'>;
  const column = unsqueeze(safe as Tensor, -1) as Tensor<Shape, 'int64'>;
  const picked = reshape(gather(logProbs, rank - 1, column), target.shape);
  let losses: Tensor = neg(picked);
  if (smoothing > 0) {
    const uniform = neg(mean(logProbs, rank - 1));
    losses = mul(losses, 1 - smoothing).add(mul(uniform, smoothing));
  }
  losses = where(ignored, 0, losses);
  // Everything here is of the logits' dtype, which is a float.
  const total = reduction === 'none' ? losses : sum(losses);
  return (reduction === 'mean' ? div(total, sum(counted)) : total) as Tensor<Shape, FloatDType>;
}

/**
 * Softmax and negative log likelihood in one: the loss of classification from raw scores.
 *
 * Shapes: logits `[N, C]` or `[C]`, target `[N]` or `[]` of class indices (int64 or int32).
 *
 * @throws ShapeError, DTypeError, ArgumentError; IndexError (at the next read) for a target that is no class
 * @example
 * const loss = nn.functional.crossEntropy(model.forward(x), labels);
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor<Shape, FloatDType> {
  const { reduction = 'mean', ignoreIndex = -100, labelSmoothing = 0 } = options;
  checkReduction('crossEntropy', reduction);
  requireFloatInput('crossEntropy', 'input', logits);
  checkTarget('crossEntropy', target);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing must be from 0 to 1, got ${String(labelSmoothing)}.`);
  }
  if (logits.shape.length === 0) throw new ShapeError('crossEntropy: input must be [N, C] or [C], got shape [].');
  checkClassLoss('crossEntropy', logits, target);
  return tidy(() => classLoss(logSoftmax(logits, -1), target, reduction, ignoreIndex, labelSmoothing));
}

/**
 * The squared error, by default averaged over elements.
 *
 * @throws ShapeError if the shapes differ: broadcasting here is nearly always a mistake
 */
export function mseLoss(input: Tensor, target: Tensor, options: LossOptions = {}): Tensor<Shape, FloatDType> {
  const { reduction = 'mean' } = options;
  checkReduction('mseLoss', reduction);
  checkTensor('mseLoss', 'input', input);
  checkTensor('mseLoss', 'target', target);
  if (!isFloating(input.dtype)) throw new DTypeError(`mseLoss: input must be a float tensor, got ${input.dtype}.`);
  if (formatShape(input.shape) !== formatShape(target.shape)) {
    throw new ShapeError(
      `mseLoss(input ${formatShape(input.shape)}, target ${formatShape(target.shape)}): the shapes must be equal.`,
    );
  }
  return tidy(() => {
    const losses = square(sub<Shape, Shape, DType, DType>(input, target)) as Tensor<Shape, FloatDType>;
    return reduction === 'none' ? losses : reduction === 'sum' ? sum(losses) : mean(losses);
  });
}
