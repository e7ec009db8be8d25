// Automatic augmentations: each image gets operations of its own. The images of a batch with the same operation are changed
// together.
import { ArgumentError } from '../../../errors.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { adjustBrightness, adjustContrast, adjustSaturation } from './color.js';
import { adjustSharpness } from './filter.js';
import {
  boundOf,
  byChoice,
  checkChoice,
  checkInteger,
  type Draws,
  type Fill,
  type ImageInterpolation,
  RandomTransform,
  type RandomTransformOptions,
} from './image.js';
import { type AugmentOperation, type AutoAugmentPolicy, policyNames, policyOf } from './policies.js';
import { autocontrast, equalize, invert, posterize, solarize } from './tone.js';
import { affine, interpolations, rotate, type WarpOptions } from './warp.js';

/** Options of the automatic augmentations. */
export interface AutoAugmentOptions extends RandomTransformOptions {
  /** How turned and moved images get values between pixels. Default `'nearest'`. */
  readonly interpolation?: ImageInterpolation;
  /** What lies outside turned and moved images. Default 0. */
  readonly fill?: Fill;
}

/** The strength of an operation at a level of `bins`, and whether its sign is drawn. */
interface Strength {
  readonly at: (level: number, bins: number, height: number, width: number) => number;
  readonly signed: boolean;
}

type Strengths = ReadonlyMap<AugmentOperation, Strength>;

const linear =
  (end: number) =>
  (level: number, bins: number): number =>
    bins === 1 ? 0 : (end * level) / (bins - 1);

const none: Strength = { at: () => 0, signed: false };
const upTo = (end: number): Strength => ({ at: linear(end), signed: true });
// Bits that are left when up to `most` are dropped.
const bitsLeft = (most: number): Strength => ({
  at: (level, bins) => 8 - Math.round(linear(most)(level, bins)),
  signed: false,
});
/** The threshold, as a share of white. */
const solar: Strength = { at: (level, bins) => 1 - linear(1)(level, bins), signed: false };

// The strengths of AutoAugment and RandAugment; a move is at most 150 of 331 pixels, those of the paper's images.
const moderate: Strengths = new Map<AugmentOperation, Strength>([
  ['Identity', none],
  ['ShearX', upTo(0.3)],
  ['ShearY', upTo(0.3)],
  ['TranslateX', { at: (level, bins, _, width) => linear((150 / 331) * width)(level, bins), signed: true }],
  ['TranslateY', { at: (level, bins, height) => linear((150 / 331) * height)(level, bins), signed: true }],
  ['Rotate', upTo(30)],
  ['Brightness', upTo(0.9)],
  ['Color', upTo(0.9)],
  ['Contrast', upTo(0.9)],
  ['Sharpness', upTo(0.9)],
  ['Posterize', bitsLeft(4)],
  ['Solarize', solar],
  ['AutoContrast', none],
  ['Equalize', none],
  ['Invert', none],
]);

const wide: Strengths = new Map<AugmentOperation, Strength>([
  ['Identity', none],
  ['ShearX', upTo(0.99)],
  ['ShearY', upTo(0.99)],
  ['TranslateX', upTo(32)],
  ['TranslateY', upTo(32)],
  ['Rotate', upTo(135)],
  ['Brightness', upTo(0.99)],
  ['Color', upTo(0.99)],
  ['Contrast', upTo(0.99)],
  ['Sharpness', upTo(0.99)],
  ['Posterize', bitsLeft(6)],
  ['Solarize', solar],
  ['AutoContrast', none],
  ['Equalize', none],
]);

const degrees = (shear: number): number => (Math.atan(shear) * 180) / Math.PI;

/** One operation on images, of a strength each. @internal */
export function augment(
  images: Tensor,
  operation: AugmentOperation,
  strengths: readonly number[],
  options: WarpOptions,
): Tensor {
  const factors = strengths.map((strength) => 1 + strength);
  switch (operation) {
    case 'Identity':
      return images;
    // Shears keep the top left corner in place, as in the first implementation.
    case 'ShearX':
      return affine(images, { ...options, shear: [strengths.map(degrees), 0], center: [0, 0] });
    case 'ShearY':
      return affine(images, { ...options, shear: [0, strengths.map(degrees)], center: [0, 0] });
    case 'TranslateX':
      return affine(images, { ...options, translate: [strengths.map(Math.trunc), 0] });
    case 'TranslateY':
      return affine(images, { ...options, translate: [0, strengths.map(Math.trunc)] });
    case 'Rotate':
      return rotate(images, strengths, options);
    case 'Brightness':
      return adjustBrightness(images, factors);
    case 'Color':
      return adjustSaturation(images, factors);
    case 'Contrast':
      return adjustContrast(images, factors);
    case 'Sharpness':
      return adjustSharpness(images, factors);
    case 'Posterize':
      return posterize(images, strengths);
    case 'Solarize':
      return solarize(
        images,
        strengths.map((share) => share * boundOf(images)),
      );
    case 'AutoContrast':
      return autocontrast(images);
    case 'Equalize':
      return equalize(images);
    case 'Invert':
      return invert(images);
  }
}

abstract class Automatic extends RandomTransform {
  /** @internal */
  protected readonly _options: WarpOptions;
  private readonly _operations: readonly AugmentOperation[];

  /** @internal */
  constructor(
    name: string,
    /** @internal */ protected readonly _strengths: Strengths,
    { interpolation = 'nearest', fill = 0, ...options }: AutoAugmentOptions,
  ) {
    super(name, options);
    this._options = { interpolation: checkChoice(name, 'interpolation', interpolation, interpolations), fill };
    this._operations = [..._strengths.keys()];
  }

  /** One step for each image: an operation and a level; null: the image stays. @internal */
  protected _step(
    batch: Tensor,
    draws: Draws,
    bins: number,
    steps: readonly (readonly [AugmentOperation, number] | null)[],
  ): Tensor {
    const [, , height, width] = batch.shape;
    const strengths = steps.map((step) => {
      if (step === null) return 0;
      const { at, signed } = this._strengths.get(step[0])!;
      const strength = at(step[1], bins, height, width);
      return signed && draws.chance(0.5) ? -strength : strength;
    });
    const choices = steps.map((step) => this._operations.indexOf(step === null ? 'Identity' : step[0]));
    return byChoice(this._name, batch, choices, (part, choice, samples) =>
      augment(
        part,
        this._operations[choice],
        samples.map((n) => strengths[n]),
        this._options,
      ),
    );
  }
}

/**
 * A learned policy (Cubuk et al. 2019): each image gets one of 25 pairs of operations, each with its probability and strength.
 *
 * @example
 * const augment = new data.transforms.AutoAugment('cifar10');
 */
export class AutoAugment extends Automatic {
  /** The data set that the policy was learned on. */
  readonly policy: AutoAugmentPolicy;

  /** @throws ArgumentError naming the option */
  constructor(policy: AutoAugmentPolicy = 'imagenet', options: AutoAugmentOptions = {}) {
    super('AutoAugment', moderate, options);
    this.policy = checkChoice('AutoAugment', 'policy', policy, policyNames);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const pairs = policyOf(this.policy);
    const chosen = Array.from({ length: batch.shape[0] }, () => pairs[draws.below(pairs.length)]);
    return [0, 1].reduce((images, k) => {
      const steps = chosen.map((pair) => {
        const { operation, p, level } = pair[k];
        return draws.chance(p) ? ([operation, level] as const) : null;
      });
      return this._step(images, draws, 10, steps);
    }, batch);
  }
}

/** Options of `RandAugment`. */
export interface RandAugmentOptions extends AutoAugmentOptions {
  /** Operations for each image. Default 2. */
  readonly numOps?: number;
  /** How strong they are: 0 to `numMagnitudeBins - 1`. Default 9. */
  readonly magnitude?: number;
  /** Levels of strength. Default 31. */
  readonly numMagnitudeBins?: number;
}

/**
 * A number of operations for each image, chosen at random, all of one strength (Cubuk et al. 2020).
 *
 * @example
 * const augment = new data.transforms.RandAugment({ numOps: 2, magnitude: 9 });
 */
export class RandAugment extends Automatic {
  /** Operations for each image. */
  readonly numOps: number;
  /** How strong they are. */
  readonly magnitude: number;
  /** Levels of strength. */
  readonly numMagnitudeBins: number;

  /** @throws ArgumentError naming the option */
  constructor({ numOps = 2, magnitude = 9, numMagnitudeBins = 31, ...options }: RandAugmentOptions = {}) {
    super('RandAugment', moderate, options);
    this.numOps = checkInteger('RandAugment', 'numOps', numOps, 0);
    this.numMagnitudeBins = checkInteger('RandAugment', 'numMagnitudeBins', numMagnitudeBins, 1);
    this.magnitude = checkInteger('RandAugment', 'magnitude', magnitude, 0);
    if (magnitude >= numMagnitudeBins) {
      throw new ArgumentError(
        `RandAugment: magnitude must be below numMagnitudeBins = ${numMagnitudeBins}, got ${magnitude}.`,
      );
    }
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    // Inverting is no part of this set.
    const operations = [...moderate.keys()].filter((operation) => operation !== 'Invert');
    let images = batch;
    for (let k = 0; k < this.numOps; k++) {
      const steps = Array.from(
        { length: batch.shape[0] },
        () => [operations[draws.below(operations.length)], this.magnitude] as const,
      );
      images = this._step(images, draws, this.numMagnitudeBins, steps);
    }
    return images;
  }
}

/** Options of `TrivialAugmentWide`. */
export interface TrivialAugmentWideOptions extends AutoAugmentOptions {
  /** Levels of strength. Default 31. */
  readonly numMagnitudeBins?: number;
}

/**
 * One operation for each image, of random strength from a wide range (Mueller and Hutter 2021). There is nothing to tune.
 *
 * @example
 * const augment = new data.transforms.TrivialAugmentWide();
 */
export class TrivialAugmentWide extends Automatic {
  /** Levels of strength. */
  readonly numMagnitudeBins: number;

  /** @throws ArgumentError naming the option */
  constructor({ numMagnitudeBins = 31, ...options }: TrivialAugmentWideOptions = {}) {
    super('TrivialAugmentWide', wide, options);
    this.numMagnitudeBins = checkInteger('TrivialAugmentWide', 'numMagnitudeBins', numMagnitudeBins, 1);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const operations = [...wide.keys()];
    const steps = Array.from(
      { length: batch.shape[0] },
      () => [operations[draws.below(operations.length)], draws.below(this.numMagnitudeBins)] as const,
    );
    return this._step(batch, draws, this.numMagnitudeBins, steps);
  }
}
