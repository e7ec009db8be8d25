// Random changes of colour and tone, and the fixed ones as classes.
import { ArgumentError } from '../../../errors.js';
import { cat } from '../../../ops/join.js';
import type { Tensor } from '../../../tensor/tensor.js';
import {
  adjustBrightness,
  adjustContrast,
  adjustHue,
  adjustSaturation,
  channelNumbers,
  normalize,
  rgbToGrayscale,
} from './color.js';
import { adjustSharpness } from './filter.js';
import {
  checkInteger,
  checkNumber,
  checkRange,
  type Draws,
  onSome,
  RandomTransform,
  type RandomTransformOptions,
  Transform,
} from './image.js';
import { autocontrast, equalize, invert, posterize, solarize } from './tone.js';

/** How far a property may move: `[low, high]` of its factor, or one number v for `[1 - v, 1 + v]` (hue: `[-v, v]`). */
export type JitterRange = number | readonly [low: number, high: number];

/** Options of `ColorJitter`. */
export interface ColorJitterOptions extends RandomTransformOptions {
  /** See `functional.adjustBrightness`. Default 0: it stays. */
  readonly brightness?: JitterRange;
  /** See `functional.adjustContrast`. Default 0. */
  readonly contrast?: JitterRange;
  /** See `functional.adjustSaturation`. Default 0. */
  readonly saturation?: JitterRange;
  /** See `functional.adjustHue`; within -0.5 to 0.5. Default 0. */
  readonly hue?: JitterRange;
}

function jitterRange(name: string, value: JitterRange, isHue: boolean): [number, number] | null {
  const op = 'ColorJitter';
  let range: [number, number];
  if (typeof value === 'number') {
    checkNumber(op, name, value, 0, isHue ? 0.5 : undefined);
    range = isHue ? [-value, value] : [Math.max(0, 1 - value), 1 + value];
  } else range = isHue ? checkRange(op, name, value, -0.5, 0.5) : checkRange(op, name, value, 0);
  const still = isHue ? 0 : 1;
  return range[0] === still && range[1] === still ? null : range;
}

/**
 * Changes brightness, contrast, saturation and hue of each image at random. The order in which that happens is random, too,
 * one for the batch.
 *
 * @example
 * const jitter = new data.transforms.ColorJitter({ brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1 });
 */
export class ColorJitter extends RandomTransform {
  /** The range of the brightness's factor; null if it stays. */
  readonly brightness: readonly [low: number, high: number] | null;
  /** The range of the contrast's factor; null if it stays. */
  readonly contrast: readonly [low: number, high: number] | null;
  /** The range of the saturation's factor; null if it stays. */
  readonly saturation: readonly [low: number, high: number] | null;
  /** The range of the hue's turn; null if it stays. */
  readonly hue: readonly [low: number, high: number] | null;

  /** @throws ArgumentError naming the option */
  constructor(options: ColorJitterOptions = {}) {
    super('ColorJitter', options);
    const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
    this.brightness = jitterRange('brightness', brightness, false);
    this.contrast = jitterRange('contrast', contrast, false);
    this.saturation = jitterRange('saturation', saturation, false);
    this.hue = jitterRange('hue', hue, true);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const steps = [
      [this.brightness, adjustBrightness],
      [this.contrast, adjustContrast],
      [this.saturation, adjustSaturation],
      [this.hue, adjustHue],
    ] as const;
    const order = [0, 1, 2, 3];
    for (let i = 3; i > 0; i--) {
      const j = draws.below(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order.reduce((images, k) => {
      const [range, adjust] = steps[k];
      return range === null ? images : adjust(images, draws.each(images.shape[0], range));
    }, batch);
  }
}

/** Makes images grey; see `functional.rgbToGrayscale`. */
export class Grayscale extends Transform {
  /** Channels of the result. */
  readonly numOutputChannels: 1 | 3;

  /**
   * @param numOutputChannels 1 (default), or 3 equal ones
   * @throws ArgumentError for another number
   * @example
   * new data.transforms.Grayscale(3);
   */
  constructor(numOutputChannels: 1 | 3 = 1) {
    super();
    if (checkInteger('Grayscale', 'numOutputChannels', numOutputChannels, 1, 3) === 2)
      throw new ArgumentError('Grayscale: numOutputChannels must be 1 or 3, got 2.');
    this.numOutputChannels = numOutputChannels;
  }

  protected override _apply(batch: Tensor): Tensor {
    return rgbToGrayscale(batch, this.numOutputChannels);
  }
}

/** `(x - mean) / std` for each channel of float images; see `functional.normalize`. */
export class Normalize extends Transform {
  /** One number, or one for each channel. */
  readonly mean: readonly number[];
  /** One number, or one for each channel. */
  readonly std: readonly number[];

  /**
   * @param mean one number, or one for each channel
   * @param std one number, or one for each channel, above 0
   * @throws ArgumentError for what are no such numbers
   * @example
   * new data.transforms.Normalize([0.4914, 0.4822, 0.4465], [0.247, 0.2435, 0.2616]); // those of CIFAR-10
   */
  constructor(mean: readonly number[] | number, std: readonly number[] | number) {
    super();
    this.mean = channelNumbers('Normalize', 'mean', mean);
    this.std = channelNumbers('Normalize', 'std', std, 0);
  }

  protected override _apply(batch: Tensor): Tensor {
    return normalize(batch, this.mean, this.std);
  }
}

/** Changes images with a probability. @internal */
abstract class Occasional extends RandomTransform {
  /** The probability for each image. */
  readonly p: number;

  /** @internal */
  constructor(name: string, p: number, options: RandomTransformOptions) {
    super(name, options);
    this.p = checkNumber(name, 'p', p, 0, 1);
  }

  /** @internal */
  protected abstract _change(images: Tensor): Tensor;

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    return onSome(this._name, batch, draws.some(batch.shape[0], this.p), (part) => this._change(part));
  }
}

/** Makes each image grey with probability p; it keeps its channels. */
export class RandomGrayscale extends Occasional {
  /**
   * @param p the probability for each image. Default 0.1
   * @throws ArgumentError for a probability outside 0 to 1
   * @example
   * new data.transforms.RandomGrayscale(0.2);
   */
  constructor(p = 0.1, options: RandomTransformOptions = {}) {
    super('RandomGrayscale', p, options);
  }

  protected override _change(images: Tensor): Tensor {
    const grey = rgbToGrayscale(images);
    return images.shape[1] === 1 ? grey : cat([grey, grey, grey], 1);
  }
}

/** Inverts each image with probability p; see `functional.invert`. */
export class RandomInvert extends Occasional {
  /**
   * @throws ArgumentError for a probability outside 0 to 1
   * @example
   * new data.transforms.RandomInvert();
   */
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomInvert', p, options);
  }

  protected override _change(images: Tensor): Tensor {
    return invert(images);
  }
}

/** Stretches the tones of each image with probability p; see `functional.autocontrast`. */
export class RandomAutocontrast extends Occasional {
  /**
   * @throws ArgumentError for a probability outside 0 to 1
   * @example
   * new data.transforms.RandomAutocontrast();
   */
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomAutocontrast', p, options);
  }

  protected override _change(images: Tensor): Tensor {
    return autocontrast(images);
  }
}

/** Evens out the histogram of each image with probability p; see `functional.equalize`. */
export class RandomEqualize extends Occasional {
  /**
   * @throws ArgumentError for a probability outside 0 to 1
   * @example
   * new data.transforms.RandomEqualize();
   */
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomEqualize', p, options);
  }

  protected override _change(images: Tensor): Tensor {
    return equalize(images);
  }
}

/** Options of the transforms that change an image with a probability. */
export interface OccasionalOptions extends RandomTransformOptions {
  /** The probability for each image. Default 0.5. */
  readonly p?: number;
}

/** Keeps some bits of the pixels of each image with probability p; see `functional.posterize`. */
export class RandomPosterize extends Occasional {
  /** Bits that are kept. */
  readonly bits: number;

  /**
   * @param bits an integer from 0 to 8
   * @throws ArgumentError naming the option
   * @example
   * new data.transforms.RandomPosterize(3);
   */
  constructor(bits: number, options: OccasionalOptions = {}) {
    super('RandomPosterize', options.p ?? 0.5, options);
    this.bits = checkInteger('RandomPosterize', 'bits', bits, 0, 8);
  }

  protected override _change(images: Tensor): Tensor {
    return posterize(images, this.bits);
  }
}

/** Inverts the bright pixels of each image with probability p; see `functional.solarize`. */
export class RandomSolarize extends Occasional {
  /** Pixels from here on are inverted. */
  readonly threshold: number;

  /**
   * @param threshold in the images' units: 0 to 255 for bytes, 0 to 1 for floats
   * @throws ArgumentError naming the option
   * @example
   * new data.transforms.RandomSolarize(0.5);
   */
  constructor(threshold: number, options: OccasionalOptions = {}) {
    super('RandomSolarize', options.p ?? 0.5, options);
    this.threshold = checkNumber('RandomSolarize', 'threshold', threshold);
  }

  protected override _change(images: Tensor): Tensor {
    return solarize(images, this.threshold);
  }
}

/** Sharpens (or blurs) each image with probability p; see `functional.adjustSharpness`. */
export class RandomAdjustSharpness extends Occasional {
  /** 0 blurs, 1 changes nothing, 2 sharpens. */
  readonly sharpnessFactor: number;

  /**
   * @param sharpnessFactor >= 0
   * @throws ArgumentError naming the option
   * @example
   * new data.transforms.RandomAdjustSharpness(2);
   */
  constructor(sharpnessFactor: number, options: OccasionalOptions = {}) {
    super('RandomAdjustSharpness', options.p ?? 0.5, options);
    this.sharpnessFactor = checkNumber('RandomAdjustSharpness', 'sharpnessFactor', sharpnessFactor, 0);
  }

  protected override _change(images: Tensor): Tensor {
    return adjustSharpness(images, this.sharpnessFactor);
  }
}
