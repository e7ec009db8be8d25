// Flipping and cropping. A crop reads its pixels by one gather, at places made of a row and a column list for each sample, so
// that images are never padded in memory.
import { ArgumentError, ShapeError } from '../../../errors.js';
import type { DType } from '../../../dtype.js';
import { where } from '../../../ops/compare.js';
import { fromTypedArray, zeros } from '../../../ops/creation.js';
import { formatShape, type Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import {
  checkChoice,
  checkInteger,
  checkNumber,
  checkSides,
  type Draws,
  type Fill,
  fillOperand,
  mask,
  numbersOf,
  onBatch,
  type PerSample,
  RandomTransform,
  type RandomTransformOptions,
  Transform,
} from './image.js';

/** What lies outside an image: a value, the pixel at the border, or the image mirrored, without or with its border pixel. */
export type PaddingMode = 'constant' | 'edge' | 'reflect' | 'symmetric';

const paddingModes: readonly PaddingMode[] = ['constant', 'edge', 'reflect', 'symmetric'];

/**
 * Mirrors images left to right.
 *
 * @throws ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.horizontalFlip(images);
 */
export function horizontalFlip<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
  return onBatch('horizontalFlip', images, (x) => x.flip(-1));
}

/**
 * Mirrors images top to bottom.
 *
 * @throws ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.verticalFlip(images);
 */
export function verticalFlip<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
  return onBatch('verticalFlip', images, (x) => x.flip(-2));
}

/** The pixel that stands at a place of a padded line; -1 where a constant does. */
function source(place: number, size: number, mode: PaddingMode): number {
  if (place >= 0 && place < size) return place;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return place < 0 ? 0 : size - 1;
  const shared = mode === 'symmetric' ? 1 : 0;
  const period = Math.max(1, 2 * (size - 1 + shared));
  const at = ((place % period) + period) % period;
  return at < size ? at : period - at - shared;
}

/** Windows of `height` x `width` of a batch, at a place of its own for each sample, with what the mode says outside. */
function windows(
  op: string,
  batch: Tensor,
  tops: readonly number[],
  lefts: readonly number[],
  [height, width]: readonly [number, number],
  mode: PaddingMode,
  fill: Fill,
): Tensor {
  const [count, channels, rows, columns] = batch.shape;
  const filler = fillOperand(op, fill, batch);
  if (count === 0 || channels === 0)
    return zeros([count, channels, height, width], { dtype: batch.dtype, device: batch.device });
  if (rows === 0 || columns === 0)
    throw new ShapeError(`${op}: images of shape ${formatShape(batch.shape)} have no pixels.`);
  const same = tops.every((top) => top === tops[0]) && lefts.every((left) => left === lefts[0]);
  const [top, left] = [tops[0], lefts[0]];
  if (same && top >= 0 && left >= 0 && top + height <= rows && left + width <= columns)
    return batch.narrow(2, top, height).narrow(3, left, width).contiguous();
  let outside = false;
  const lines = (starts: readonly number[], length: number, size: number): Int32Array => {
    const places = new Int32Array(count * length);
    for (let n = 0; n < count; n++) {
      for (let i = 0; i < length; i++) {
        const place = source(starts[n] + i, size, mode);
        if (place < 0) outside = true;
        places[n * length + i] = place;
      }
    }
    return places;
  };
  const rowPlaces = lines(tops, height, rows);
  const columnPlaces = lines(lefts, width, columns);
  const { device } = batch;
  const y = fromTypedArray(rowPlaces, [count, height, 1], { device });
  const x = fromTypedArray(columnPlaces, [count, 1, width], { device });
  const clampLow = (t: Tensor): Tensor => (outside ? t.clamp({ min: 0 }) : t);
  const flat = clampLow(y).mul(columns).add(clampLow(x));
  const area = height * width;
  const index = flat.reshape([count, 1, area]).expand([count, channels, area]) as Tensor<Shape, 'int32'>;
  const picked = batch
    .reshape([count, channels, rows * columns])
    .gather(2, index)
    .reshape([count, channels, height, width]);
  if (!outside) return picked;
  const inside = y.ge(0).logicalAnd(x.ge(0)).reshape([count, 1, height, width]);
  return where(inside, picked, filler).to(batch.dtype);
}

/** Options of `crop`. */
export interface CropOptions {
  /** What lies outside the images. Default `'constant'`. */
  readonly paddingMode?: PaddingMode;
  /** The value of `'constant'`. Default 0. */
  readonly fill?: Fill;
}

/**
 * Windows of images, of one size, at one place for all or a place of their own for each. They may reach outside the images.
 *
 * @param top row of the window's first row; may be negative
 * @param left column of the window's first column; may be negative
 * @throws ArgumentError naming the argument; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.crop(images, [0, 4], 2, 28, 28); // two images, from row 0 and row 4
 */
export function crop<D extends DType>(
  images: Tensor<Shape, D>,
  top: PerSample,
  left: PerSample,
  height: number,
  width: number,
  options: CropOptions = {},
): Tensor<Shape, D> {
  const { paddingMode = 'constant', fill = 0 } = options;
  checkChoice('crop', 'paddingMode', paddingMode, paddingModes);
  checkInteger('crop', 'height', height, 1);
  checkInteger('crop', 'width', width, 1);
  return onBatch('crop', images, (x) => {
    const whole = (name: string, value: PerSample): readonly number[] =>
      numbersOf('crop', name, value, x.shape[0]).map((n) => checkInteger('crop', name, n, -(2 ** 30), 2 ** 30));
    return windows('crop', x, whole('top', top), whole('left', left), [height, width], paddingMode, fill);
  });
}

// Halves to the even number, as Python rounds.
function roundHalf(n: number): number {
  const low = Math.floor(n);
  return n - low === 0.5 ? low + (low & 1) : Math.round(n);
}

/**
 * The middle of images; where they are smaller, zeros lie around them.
 *
 * @param size the side of a square, or `[height, width]`
 * @throws ArgumentError for a size that is none; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.centerCrop(images, 224);
 */
export function centerCrop<D extends DType>(
  images: Tensor<Shape, D>,
  size: number | readonly [height: number, width: number],
): Tensor<Shape, D> {
  const [height, width] = checkSides('centerCrop', 'size', size);
  return onBatch('centerCrop', images, (x) => {
    const place = (inner: number, outer: number): number[] =>
      // Small images are padded first: half the missing pixels, rounded down, come before them.
      new Array<number>(x.shape[0]).fill(
        outer > inner ? -Math.floor((outer - inner) / 2) : roundHalf((inner - outer) / 2),
      );
    const tops = place(x.shape[2], height);
    return windows('centerCrop', x, tops, place(x.shape[3], width), [height, width], 'constant', 0);
  });
}

abstract class RandomFlip extends RandomTransform {
  /** The probability for each image. */
  readonly p: number;

  /** @internal */
  constructor(name: string, p: number, options: RandomTransformOptions) {
    super(name, options);
    this.p = checkNumber(name, 'p', p, 0, 1);
  }

  /** @internal */
  protected abstract readonly _dim: number;

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const flipped = Array.from({ length: batch.shape[0] }, () => draws.chance(this.p));
    if (!flipped.includes(true)) return batch;
    if (!flipped.includes(false)) return batch.flip(this._dim);
    return where(mask(flipped, batch.device), batch.flip(this._dim), batch);
  }
}

/**
 * Mirrors each image left to right with probability p.
 *
 * @example
 * const flip = new data.transforms.RandomHorizontalFlip();
 * const images = flip.forward(batch);
 */
export class RandomHorizontalFlip extends RandomFlip {
  protected override readonly _dim = -1;

  /** @throws ArgumentError for a probability outside 0 to 1 */
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomHorizontalFlip', p, options);
  }
}

/**
 * Mirrors each image top to bottom with probability p.
 *
 * @example
 * const flip = new data.transforms.RandomVerticalFlip(0.5, { generator: new Generator(1) });
 */
export class RandomVerticalFlip extends RandomFlip {
  protected override readonly _dim = -2;

  /** @throws ArgumentError for a probability outside 0 to 1 */
  constructor(p = 0.5, options: RandomTransformOptions = {}) {
    super('RandomVerticalFlip', p, options);
  }
}

/**
 * The middle of each image; see `functional.centerCrop`.
 *
 * @example
 * new data.transforms.CenterCrop(224);
 */
export class CenterCrop extends Transform {
  /** Height and width. */
  readonly size: readonly [height: number, width: number];

  /** @throws ArgumentError for a size that is none */
  constructor(size: number | readonly [height: number, width: number]) {
    super();
    this.size = checkSides('CenterCrop', 'size', size);
  }

  protected override _apply(batch: Tensor): Tensor {
    return centerCrop(batch, this.size);
  }
}

/** Pixels around an image: the same on all sides, `[left and right, top and bottom]`, or `[left, top, right, bottom]`. */
export type ImagePadding = number | readonly [number, number] | readonly [number, number, number, number];

function sidesOf(op: string, padding: ImagePadding): [left: number, top: number, right: number, bottom: number] {
  const list: readonly number[] = Array.isArray(padding) ? padding : [padding as number];
  if (
    (list.length !== 1 && list.length !== 2 && list.length !== 4) ||
    !list.every((n) => Number.isSafeInteger(n) && n >= 0)
  ) {
    throw new ArgumentError(`${op}: padding must be an integer >= 0, or 2 or 4 of them, got ${String(padding)}.`);
  }
  const [left, top = left, right = left, bottom = top] = list;
  return [left, top, right, bottom];
}

/** Options of `RandomCrop`. */
export interface RandomCropOptions extends RandomTransformOptions {
  /** Pixels put around the images before cropping. Default 0. */
  readonly padding?: ImagePadding;
  /** Pad images that are smaller than the crop, on both sides, rather than fail. Default false. */
  readonly padIfNeeded?: boolean;
  /** The value of `'constant'` padding. Default 0. */
  readonly fill?: Fill;
  /** What the padding is. Default `'constant'`. */
  readonly paddingMode?: PaddingMode;
}

/**
 * A window of each image at a random place.
 *
 * @example
 * const crop = new data.transforms.RandomCrop(32, { padding: 4 }); // as usual for CIFAR-10
 * const images = crop.forward(batch); // [N, 3, 32, 32]
 */
export class RandomCrop extends RandomTransform {
  /** Height and width. */
  readonly size: readonly [height: number, width: number];
  /** Pixels put around the images: left, top, right, bottom. */
  readonly padding: readonly [left: number, top: number, right: number, bottom: number];
  /** Whether small images are padded. */
  readonly padIfNeeded: boolean;
  /** The value of constant padding. */
  readonly fill: Fill;
  /** What the padding is. */
  readonly paddingMode: PaddingMode;

  /** @throws ArgumentError naming the option */
  constructor(size: number | readonly [height: number, width: number], options: RandomCropOptions = {}) {
    super('RandomCrop', options);
    const { padding = 0, padIfNeeded = false, fill = 0, paddingMode = 'constant' } = options;
    this.size = checkSides('RandomCrop', 'size', size);
    this.padding = sidesOf('RandomCrop', padding);
    this.padIfNeeded = padIfNeeded;
    this.fill = fill;
    this.paddingMode = checkChoice('RandomCrop', 'paddingMode', paddingMode, paddingModes);
  }

  // Where a window may start, along one dimension.
  private _starts(size: number, window: number, before: number, after: number): [first: number, count: number] {
    const slack = size + before + after - window;
    if (slack >= 0) return [-before, slack + 1];
    if (this.padIfNeeded) return [-before + slack, -slack + 1];
    throw new ShapeError(
      `RandomCrop: a window of ${formatShape(this.size)} does not fit images whose side is ${size + before + after} with padding; set padIfNeeded.`,
    );
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const [count, , rows, columns] = batch.shape;
    const [left, top, right, bottom] = this.padding;
    const [firstRow, rowStarts] = this._starts(rows, this.size[0], top, bottom);
    const [firstColumn, columnStarts] = this._starts(columns, this.size[1], left, right);
    const tops = new Array<number>(count);
    const lefts = new Array<number>(count);
    for (let n = 0; n < count; n++) {
      tops[n] = firstRow + draws.below(rowStarts);
      lefts[n] = firstColumn + draws.below(columnStarts);
    }
    return windows('RandomCrop', batch, tops, lefts, this.size, this.paddingMode, this.fill);
  }

  protected override _applyEmpty(batch: Tensor): Tensor {
    return zeros([0, batch.shape[1], ...this.size], { dtype: batch.dtype, device: batch.device });
  }
}
