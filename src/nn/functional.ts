// Functions of neural networks: losses, dropout, and the functional forms of layers.
import { isFloating, type DType, type FloatDType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { sub } from '../ops/arithmetic.js';
import { checkTensor } from '../ops/define.js';
import { square } from '../ops/math.js';
import { mean, sum } from '../ops/reduce.js';
import { tidy } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkReduction, type LossOptions } from './reduction.js';

export { linear } from '../ops/matmul.js';
export { bilinear } from '../ops/products.js';
export { cosineSimilarity, pairwiseDistance, pdist } from '../ops/distance.js';
export { embedding, oneHot } from '../ops/indexing.js';
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
export { gumbelSoftmax, type GumbelSoftmaxOptions } from '../ops/sampling.js';
export type { LossOptions, Reduction } from './reduction.js';

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
