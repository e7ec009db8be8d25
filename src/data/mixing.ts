// Augmentation that mixes the samples of a batch, and their targets with them. The numbers are drawn in JavaScript from
// the generator's own stream, and the samples by one permutation kernel: the same seed gives the same batch.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { where } from '../ops/compare.js';
import { fromTypedArray } from '../ops/creation.js';
import { checkSameDevice, checkTensor } from '../ops/define.js';
import { indexSelect } from '../ops/indexing.js';
import { defaultGenerator, randperm, type Generator } from '../ops/random.js';
import { lerp } from '../ops/ternary.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { uniformSource } from './draws.js';

/** Options of `mixup` and `cutmix`. */
export interface MixingOptions {
  /** The shares are drawn from the Beta(alpha, alpha) distribution: small values mix little, 0 not at all. Default 1. */
  alpha?: number;
  /** Source of the random numbers. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** A mixed batch. */
export interface Mixed<S extends Shape, D extends DType, T extends Shape, E extends DType> {
  /** The samples. */
  readonly x: Tensor<S, D>;
  /** The targets. */
  readonly targets: Tensor<T, E>;
  /** The share of the samples in their own place; the rest is that of those mixed in. */
  readonly lambda: number;
}

/** The logarithm of a number of the Gamma(shape, 1) distribution (Marsaglia and Tsang 2000). */
function logGamma(shape: number, uniform: () => number): number {
  // A small shape from the next larger one, in logarithms, which do not underflow.
  if (shape < 1) return logGamma(shape + 1, uniform) + Math.log(uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
    const v = (1 + c * normal) ** 3;
    const u = uniform();
    if (v > 0 && Math.log(u) < normal ** 2 / 2 + d * (1 - v + Math.log(v))) return Math.log(d * v);
  }
}

/** A number of the Beta(alpha, alpha) distribution. */
function betaNumber(alpha: number, uniform: () => number): number {
  if (alpha === 0) return 1;
  return 1 / (1 + Math.exp(logGamma(alpha, uniform) - logGamma(alpha, uniform)));
}

function check(op: string, x: Tensor, targets: Tensor, alpha: number): void {
  checkTensor(op, 'x', x);
  checkTensor(op, 'targets', targets);
  checkSameDevice(op, 'x', x, 'targets', targets);
  if (!isFloating(targets.dtype)) {
    throw new DTypeError(
      `${op}: targets must be a float tensor, one number for each class, got ${targets.dtype}; make one with oneHot().`,
    );
  }
  if (x.shape.length === 0 || targets.shape.length === 0 || x.shape[0] !== targets.shape[0]) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, targets ${formatShape(targets.shape)}): both must have the batch as first dimension.`,
    );
  }
  if (!(alpha >= 0 && alpha < Infinity)) {
    throw new ArgumentError(`${op}: alpha must be a number >= 0, got ${String(alpha)}.`);
  }
}

/**
 * Mixes each sample with another of the batch: `lambda * x[i] + (1 - lambda) * x[j]`, and the targets likewise (Zhang et
 * al. 2018). Lambda is drawn once for the batch, and j is a random permutation.
 *
 * @param x `[N, ...]`, of floats
 * @param targets `[N, ...]`, of floats: probabilities or one-hot
 * @throws ShapeError, DTypeError; ArgumentError for a negative alpha
 * @example
 * const { x, targets } = data.mixup(images, nn.functional.oneHot(labels, 10).to('float32'), { alpha: 0.2 });
 * const loss = nn.functional.crossEntropy(model.forward(x), targets);
 */
export function mixup<S extends Shape, D extends DType, T extends Shape, E extends DType>(
  x: Tensor<S, D>,
  targets: Tensor<T, E>,
  options: MixingOptions = {},
): Mixed<S, D, T, E> {
  const { alpha = 1, generator = defaultGenerator } = options;
  check('mixup', x, targets, alpha);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`mixup: x must be a float tensor, got ${x.dtype}; convert it with to('float32').`);
  }
  const lambda = betaNumber(alpha, uniformSource(generator));
  return tidy(() => {
    const order = randperm(x.shape[0], { generator, device: x.device });
    const mix = (t: Tensor): Tensor => lerp(t, indexSelect(t, 0, order), 1 - lambda);
    return { x: mix(x) as Tensor<S, D>, targets: mix(targets) as Tensor<T, E>, lambda };
  });
}

/**
 * Puts a rectangle of another image of the batch into each image, at the same random place, and mixes the targets by the
 * share of the area (Yun et al. 2019). The area is drawn from a Beta distribution; what would lie outside the image is
 * cut off, and `lambda` is the share that was left.
 *
 * @param images `[N, ..., H, W]`
 * @param targets `[N, ...]`, of floats: probabilities or one-hot
 * @throws ShapeError, DTypeError; ArgumentError for a negative alpha
 * @example
 * const { x, targets } = data.cutmix(images, nn.functional.oneHot(labels, 10).to('float32'));
 */
export function cutmix<S extends Shape, D extends DType, T extends Shape, E extends DType>(
  images: Tensor<S, D>,
  targets: Tensor<T, E>,
  options: MixingOptions = {},
): Mixed<S, D, T, E> {
  const { alpha = 1, generator = defaultGenerator } = options;
  check('cutmix', images, targets, alpha);
  const rank = images.shape.length;
  if (rank < 3) throw new ShapeError(`cutmix: images must be [N, ..., H, W], got shape ${formatShape(images.shape)}.`);
  const [height, width] = images.shape.slice(-2);
  const uniform = uniformSource(generator);
  const side = Math.sqrt(1 - betaNumber(alpha, uniform));
  const span = (size: number): readonly [from: number, to: number] => {
    const cut = Math.floor(size * side);
    const from = Math.floor(uniform() * size) - Math.floor(cut / 2);
    return [Math.max(0, from), Math.min(size, from + cut)];
  };
  const [top, bottom] = span(height);
  const [left, right] = span(width);
  const inside = new Uint8Array(height * width);
  for (let row = top; row < bottom; row++) inside.fill(1, row * width + left, row * width + right);
  const area = Math.max(0, bottom - top) * Math.max(0, right - left);
  const lambda = area === 0 ? 1 : 1 - area / (height * width);
  return tidy(() => {
    const order = randperm(images.shape[0], { generator, device: images.device });
    const mask = fromTypedArray(inside, [height, width], { dtype: 'bool', device: images.device });
    const others = (t: Tensor): Tensor => indexSelect(t, 0, order);
    return {
      x: where(mask, others(images), images as Tensor) as Tensor<S, D>,
      targets: lerp(targets as Tensor, others(targets as Tensor), 1 - lambda) as unknown as Tensor<T, E>,
      lambda,
    };
  });
}
