// Random turning, moving, bending, blurring and erasing.
import { ArgumentError } from '../../../errors.js';
import { where } from '../../../ops/compare.js';
import { randint, randn } from '../../../ops/random.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { erase, gaussianBlur, insideOf, kernelSides } from './filter.js';
import {
  checkChoice,
  checkNumber,
  checkRange,
  type Draws,
  type Fill,
  onSome,
  RandomTransform,
  type RandomTransformOptions,
} from './image.js';
import {
  affine,
  type AffineOptions,
  type Corners,
  interpolations,
  perspective,
  rotate,
  type RotateOptions,
  type WarpOptions,
} from './warp.js';

/** Degrees: a range `[low, high]`, or one number d for `[-d, d]`. */
export type Degrees = number | readonly [low: number, high: number];

const degreesOf = (op: string, name: string, value: Degrees): [number, number] => {
  if (typeof value !== 'number') return checkRange(op, name, value);
  checkNumber(op, name, value, 0);
  return [-value, value];
};

/** Options of `RandomRotation`. */
export interface RandomRotationOptions extends RotateOptions, RandomTransformOptions {}

/**
 * Turns each image by a random angle.
 *
 * @example
 * new data.transforms.RandomRotation(15, { interpolation: 'bilinear' });
 */
export class RandomRotation extends RandomTransform {
  /** The range of the angle, in degrees, counter-clockwise. */
  readonly degrees: readonly [low: number, high: number];
  private readonly _options: RotateOptions;

  /** @throws ArgumentError naming the option */
  constructor(degrees: Degrees, options: RandomRotationOptions = {}) {
    super('RandomRotation', options);
    this.degrees = degreesOf('RandomRotation', 'degrees', degrees);
    checkChoice('RandomRotation', 'interpolation', options.interpolation ?? 'nearest', interpolations);
    const { generator: _, ...rest } = options;
    this._options = rest;
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    return rotate(batch, draws.each(batch.shape[0], this.degrees), this._options);
  }
}

/** Options of `RandomAffine`. */
export interface RandomAffineOptions extends WarpOptions, RandomTransformOptions {
  /** The largest move, as shares of the width and the height. Default: none. */
  readonly translate?: readonly [x: number, y: number];
  /** The range of the scale. Default: 1. */
  readonly scale?: readonly [low: number, high: number];
  /** Degrees of shear along x: one number d for `[-d, d]`, a range, or `[lowX, highX, lowY, highY]`. Default: none. */
  readonly shear?: Degrees | readonly [lowX: number, highX: number, lowY: number, highY: number];
  /** What stays in place, in pixels from the top left corner. Default: the middle. */
  readonly center?: readonly [x: number, y: number];
}

/**
 * Turns, moves, scales and shears each image at random.
 *
 * @example
 * new data.transforms.RandomAffine(10, { translate: [0.1, 0.1], scale: [0.9, 1.1], interpolation: 'bilinear' });
 */
export class RandomAffine extends RandomTransform {
  /** The range of the angle, in degrees, clockwise. */
  readonly degrees: readonly [low: number, high: number];
  /** The largest move, as shares of width and height. */
  readonly translate: readonly [x: number, y: number];
  /** The range of the scale. */
  readonly scale: readonly [low: number, high: number];
  /** The ranges of the shear along x and y, in degrees. */
  readonly shear: readonly [x: readonly [number, number], y: readonly [number, number]];
  private readonly _options: AffineOptions;

  /** @throws ArgumentError naming the option */
  constructor(degrees: Degrees, options: RandomAffineOptions = {}) {
    const op = 'RandomAffine';
    super(op, options);
    const { translate = [0, 0], scale = [1, 1], shear = 0 } = options;
    this.degrees = degreesOf(op, 'degrees', degrees);
    if (!Array.isArray(translate) || translate.length !== 2)
      throw new ArgumentError(`${op}: translate must be [x, y], got ${String(translate)}.`);
    const [x, y] = (translate as readonly number[]).map((n, i) => checkNumber(op, `translate[${i}]`, n, 0, 1));
    this.translate = [x, y];
    this.scale = checkRange(op, 'scale', scale, 0);
    if (this.scale[0] === 0) throw new ArgumentError(`${op}: scale must be above 0, got [${this.scale.join(', ')}].`);
    this.shear =
      typeof shear !== 'number' && shear.length === 4
        ? [checkRange(op, 'shear', shear.slice(0, 2)), checkRange(op, 'shear', shear.slice(2))]
        : [degreesOf(op, 'shear', shear), [0, 0]];
    checkChoice(op, 'interpolation', options.interpolation ?? 'nearest', interpolations);
    const { interpolation = 'nearest', fill = 0, center } = options;
    this._options = { interpolation, fill, ...(center === undefined ? {} : { center }) };
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const [count, , rows, columns] = batch.shape;
    const move = (share: number, size: number): number[] =>
      draws.each(count, [-share * size, share * size]).map((n) => Math.round(n));
    return affine(batch, {
      ...this._options,
      angle: draws.each(count, this.degrees),
      translate: [move(this.translate[0], columns), move(this.translate[1], rows)],
      scale: draws.each(count, this.scale),
      shear: [draws.each(count, this.shear[0]), draws.each(count, this.shear[1])],
    });
  }
}

/** Options of `RandomPerspective`. */
export interface RandomPerspectiveOptions extends WarpOptions, RandomTransformOptions {
  /** How far corners may move inwards, as a share of half the side, from 0 to 1. Default 0.5. */
  readonly distortionScale?: number;
  /** The probability for each image. Default 0.5. */
  readonly p?: number;
}

/**
 * Shows each image as seen from a random side with probability p.
 *
 * @example
 * new data.transforms.RandomPerspective({ distortionScale: 0.3 });
 */
export class RandomPerspective extends RandomTransform {
  /** How far corners may move inwards, as a share of half the side. */
  readonly distortionScale: number;
  /** The probability for each image. */
  readonly p: number;
  private readonly _options: WarpOptions;

  /** @throws ArgumentError naming the option */
  constructor(options: RandomPerspectiveOptions = {}) {
    const op = 'RandomPerspective';
    super(op, options);
    const { distortionScale = 0.5, p = 0.5, interpolation = 'bilinear', fill = 0 } = options;
    this.distortionScale = checkNumber(op, 'distortionScale', distortionScale, 0, 1);
    this.p = checkNumber(op, 'p', p, 0, 1);
    this._options = { interpolation: checkChoice(op, 'interpolation', interpolation, interpolations), fill };
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const [, , rows, columns] = batch.shape;
    const chosen = draws.some(batch.shape[0], this.p);
    const inwards = (size: number): number => draws.below(Math.floor(this.distortionScale * Math.floor(size / 2)) + 1);
    const [right, bottom] = [columns - 1, rows - 1];
    const start: Corners = [
      [0, 0],
      [right, 0],
      [right, bottom],
      [0, bottom],
    ];
    // Three corners of very small images may come to one line.
    if (right < 2 || bottom < 2) return batch;
    const ends = chosen.map((): Corners => [
      [inwards(columns), inwards(rows)],
      [right - inwards(columns), inwards(rows)],
      [right - inwards(columns), bottom - inwards(rows)],
      [inwards(columns), bottom - inwards(rows)],
    ]);
    return onSome('RandomPerspective', batch, chosen, (part) => perspective(part, start, ends, this._options));
  }
}

/** Options of `GaussianBlur`. */
export interface GaussianBlurOptions extends RandomTransformOptions {
  /** The standard deviation in pixels, above 0: one number, or a range. Default `[0.1, 2]`. */
  readonly sigma?: number | readonly [low: number, high: number];
}

/**
 * Blurs each image by a random amount; see `functional.gaussianBlur`.
 *
 * @example
 * new data.transforms.GaussianBlur(5, { sigma: [0.5, 1.5] });
 */
export class GaussianBlur extends RandomTransform {
  /** Height and width of the kernel. */
  readonly kernelSize: readonly [height: number, width: number];
  /** The range of the standard deviation. */
  readonly sigma: readonly [low: number, high: number];

  /** @throws ArgumentError naming the option */
  constructor(kernelSize: number | readonly [height: number, width: number], options: GaussianBlurOptions = {}) {
    super('GaussianBlur', options);
    this.kernelSize = kernelSides('GaussianBlur', kernelSize);
    const { sigma = [0.1, 2] } = options;
    this.sigma = checkRange('GaussianBlur', 'sigma', typeof sigma === 'number' ? [sigma, sigma] : sigma, 0);
    if (this.sigma[0] === 0)
      throw new ArgumentError(`GaussianBlur: sigma must be above 0, got [${this.sigma.join(', ')}].`);
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    return gaussianBlur(batch, this.kernelSize, draws.each(batch.shape[0], this.sigma));
  }
}

/** Options of `RandomErasing`. */
export interface RandomErasingOptions extends RandomTransformOptions {
  /** The probability for each image. Default 0.5. */
  readonly p?: number;
  /** The rectangle's share of the image's area. Default `[0.02, 0.33]`. */
  readonly scale?: readonly [low: number, high: number];
  /** The rectangle's height by its width; its logarithm is drawn. Default `[0.3, 3.3]`. */
  readonly ratio?: readonly [low: number, high: number];
  /**
   * What is put there: a number, one for each channel, or `'random'`: noise, normal for floats, any value for bytes.
   * Default 0.
   */
  readonly value?: Fill | 'random';
}

/**
 * Replaces a random rectangle of each image with probability p (Zhong et al. 2020). An image that ten draws do not fit stays.
 *
 * @example
 * new data.transforms.RandomErasing({ value: 'random' });
 */
export class RandomErasing extends RandomTransform {
  /** The probability for each image. */
  readonly p: number;
  /** The rectangle's share of the image's area. */
  readonly scale: readonly [low: number, high: number];
  /** The rectangle's height by its width. */
  readonly ratio: readonly [low: number, high: number];
  /** What is put there. */
  readonly value: Fill | 'random';

  /** @throws ArgumentError naming the option */
  constructor(options: RandomErasingOptions = {}) {
    const op = 'RandomErasing';
    super(op, options);
    const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
    this.p = checkNumber(op, 'p', p, 0, 1);
    this.scale = checkRange(op, 'scale', scale, 0, 1);
    this.ratio = checkRange(op, 'ratio', ratio, 0);
    if (this.ratio[0] === 0) throw new ArgumentError(`${op}: ratio must be above 0, got [${this.ratio.join(', ')}].`);
    if (typeof value === 'string' && value !== 'random')
      throw new ArgumentError(
        `${op}: value must be 'random', a number or one for each channel, got '${String(value)}'.`,
      );
    this.value = value;
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const [count, , rows, columns] = batch.shape;
    const [top, left, height, width] = [0, 1, 2, 3].map(() => new Array<number>(count).fill(0));
    for (const n of draws.some(count, this.p)) {
      for (let attempt = 0; attempt < 10; attempt++) {
        const area = rows * columns * draws.between(this.scale);
        const aspect = Math.exp(draws.between([Math.log(this.ratio[0]), Math.log(this.ratio[1])]));
        const h = Math.round(Math.sqrt(area * aspect));
        const w = Math.round(Math.sqrt(area / aspect));
        if (h >= rows || w >= columns) continue;
        top[n] = draws.below(rows - h + 1);
        left[n] = draws.below(columns - w + 1);
        height[n] = h;
        width[n] = w;
        break;
      }
    }
    if (this.value !== 'random') return erase(batch, top, left, height, width, this.value);
    const { shape, device, dtype } = batch;
    const { generator } = this;
    const noise: Tensor =
      dtype === 'uint8'
        ? randint(0, 256, shape, { dtype: 'uint8', device, generator })
        : randn(shape, { dtype: dtype === 'float64' ? 'float64' : 'float32', device, generator }).to(dtype);
    return where(insideOf(batch, { top, left, height, width }), noise, batch);
  }
}
