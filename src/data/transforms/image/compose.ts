// Transforms made of transforms.
import type { DType } from '../../../dtype.js';
import { ArgumentError } from '../../../errors.js';
import type { Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import {
  byChoice,
  checkNumber,
  type Draws,
  type ImageTransform,
  onBatch,
  onSome,
  RandomTransform,
  type RandomTransformOptions,
} from './image.js';

function checkTransforms(op: string, transforms: readonly ImageTransform[]): readonly ImageTransform[] {
  const broken = Array.isArray(transforms)
    ? transforms.findIndex((each: unknown) => typeof (each as ImageTransform | null)?.forward !== 'function')
    : 0;
  if (broken >= 0 || transforms.length === 0)
    throw new ArgumentError(
      `${op}: transforms must be a list of transforms${broken >= 0 ? `; element ${broken} has no forward()` : ', got none'}.`,
    );
  return [...transforms];
}

const inTurn = (transforms: readonly ImageTransform[], batch: Tensor): Tensor =>
  transforms.reduce((images, transform) => transform.forward(images), batch);

/**
 * Transforms in turn. What they make on the way is freed.
 *
 * @example
 * const { Compose, RandomCrop, RandomHorizontalFlip, Normalize } = data.transforms;
 * const augment = new Compose([new RandomCrop(32, { padding: 4 }), new RandomHorizontalFlip(), new Normalize(0.5, 0.25)]);
 * for await (const [x, y] of loader) step(augment.forward(x), y);
 */
export class Compose implements ImageTransform {
  /** The transforms, in order. */
  readonly transforms: readonly ImageTransform[];

  /** @throws ArgumentError for what are no transforms */
  constructor(transforms: readonly ImageTransform[]) {
    this.transforms = checkTransforms('Compose', transforms);
  }

  /** Transforms images. */
  forward<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
    return onBatch('Compose', images, (batch) => inTurn(this.transforms, batch));
  }
}

/**
 * Applies transforms in turn to each image with probability p, to all of them or none. They must keep the images' shape.
 *
 * @example
 * new data.transforms.RandomApply([new data.transforms.GaussianBlur(3)], 0.3);
 */
export class RandomApply extends RandomTransform {
  /** The transforms, in order. */
  readonly transforms: readonly ImageTransform[];
  /** The probability for each image. */
  readonly p: number;

  /** @throws ArgumentError for what are no transforms, or no probability */
  constructor(transforms: readonly ImageTransform[], p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomApply', options);
    this.transforms = checkTransforms('RandomApply', transforms);
    this.p = checkNumber('RandomApply', 'p', p, 0, 1);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    return onSome('RandomApply', batch, draws.some(batch.shape[0], this.p), (part) => inTurn(this.transforms, part));
  }
}

/** Options of `RandomChoice`. */
export interface RandomChoiceOptions extends RandomTransformOptions {
  /** How likely each transform is, relative to the others. Default: all the same. */
  readonly p?: readonly number[];
}

/**
 * Applies one of several transforms to each image.
 *
 * @example
 * new data.transforms.RandomChoice([new data.transforms.RandomRotation(15), new data.transforms.GaussianBlur(3)]);
 */
export class RandomChoice extends RandomTransform {
  /** The transforms to choose from. */
  readonly transforms: readonly ImageTransform[];
  /** How likely each is; together 1. */
  readonly p: readonly number[];

  /** @throws ArgumentError for what are no transforms, or no likelihoods */
  constructor(transforms: readonly ImageTransform[], options: RandomChoiceOptions = {}) {
    super('RandomChoice', options);
    this.transforms = checkTransforms('RandomChoice', transforms);
    const { p = this.transforms.map(() => 1) } = options;
    if (!Array.isArray(p) || p.length !== this.transforms.length)
      throw new ArgumentError(`RandomChoice: p must be ${this.transforms.length} numbers, got ${String(p)}.`);
    const total = (p as readonly number[]).reduce((sum, n, i) => sum + checkNumber('RandomChoice', `p[${i}]`, n, 0), 0);
    if (total <= 0) throw new ArgumentError('RandomChoice: p must have a number above 0.');
    this.p = (p as readonly number[]).map((n) => n / total);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const choices = Array.from({ length: batch.shape[0] }, () => {
      let rest = draws.uniform();
      const found = this.p.findIndex((p) => (rest -= p) < 0);
      // Rounding may leave a crumb: then it is the last one that is possible.
      return found >= 0 ? found : this.p.reduce((last, p, i) => (p > 0 ? i : last), 0);
    });
    return byChoice('RandomChoice', batch, choices, (part, choice) => this.transforms[choice].forward(part));
  }
}
