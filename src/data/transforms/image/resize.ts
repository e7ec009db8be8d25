// Resizing, of whole images and of a window of each.
import type { DType } from '../../../dtype.js';
import { ArgumentError, ShapeError } from '../../../errors.js';
import { fromTypedArray, zeros } from '../../../ops/creation.js';
import { interpolate, interpolationTable } from '../../../ops/interpolate.js';
import type { Table } from '../../../ops/resample.js';
import { formatShape, type Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import {
  checkChoice,
  checkInteger,
  checkRange,
  checkSides,
  type Draws,
  type ImageInterpolation,
  inFloat,
  numbersOf,
  onBatch,
  type PerSample,
  RandomTransform,
  type RandomTransformOptions,
  Transform,
} from './image.js';
import { interpolations } from './warp.js';

/** Options of resizing. */
export interface ResizeOptions {
  /** How values between pixels are made. Default `'bilinear'`. */
  readonly interpolation?: ImageInterpolation;
  /** Smooth where the result is smaller, so that nothing flickers. Default true; `'nearest'` knows no smoothing. */
  readonly antialias?: boolean;
}

/** Options of `resize` and `Resize`. */
export interface ResizeImagesOptions extends ResizeOptions {
  /** For a size of one number: the longer side may not become longer than this. Default: any length. */
  readonly maxSize?: number;
}

/** A size: that of the shorter side (the shape stays), or `[height, width]`. */
export type ImageSize = number | readonly [height: number, width: number];

function sizeFor(op: string, [height, width]: readonly number[], size: ImageSize, maxSize?: number): [number, number] {
  if (typeof size !== 'number') return checkSides(op, 'size', size);
  const [short, long] = height < width ? [height, width] : [width, height];
  let [newShort, newLong] = [size, Math.trunc((size * long) / short)];
  if (maxSize !== undefined && newLong > maxSize) {
    newShort = Math.max(1, Math.trunc((maxSize * newShort) / newLong));
    newLong = maxSize;
  }
  return height < width ? [newShort, newLong] : [newLong, newShort];
}

function checkResize(op: string, size: ImageSize, { interpolation = 'bilinear', maxSize }: ResizeImagesOptions): void {
  checkChoice(op, 'interpolation', interpolation, interpolations);
  checkSides(op, 'size', size);
  if (maxSize === undefined) return;
  if (typeof size !== 'number') throw new ArgumentError(`${op}: maxSize is for a size of one number.`);
  if (checkInteger(op, 'maxSize', maxSize, 1) <= size)
    throw new ArgumentError(`${op}: maxSize must be above size ${size}, got ${maxSize}.`);
}

/**
 * Resizes images.
 *
 * @param size the size of the shorter side (the shape stays), or `[height, width]`
 * @throws ArgumentError naming the argument; ShapeError, DTypeError for what are no images, and for images without pixels
 * @example
 * data.transforms.functional.resize(images, [224, 224]).shape; // [N, C, 224, 224]
 */
export function resize<D extends DType>(
  images: Tensor<Shape, D>,
  size: ImageSize,
  options: ResizeImagesOptions = {},
): Tensor<Shape, D> {
  const op = 'resize';
  checkResize(op, size, options);
  const { interpolation = 'bilinear', antialias = true, maxSize } = options;
  return onBatch(op, images, (x) => {
    const [count, channels, ...sides] = x.shape;
    if (sides.includes(0)) throw new ShapeError(`${op}: images of shape ${formatShape(x.shape)} have no pixels.`);
    const target = sizeFor(op, sides, size, maxSize);
    if (target[0] === sides[0] && target[1] === sides[1]) return x;
    if (x.numel === 0) return zeros([count, channels, ...target], { dtype: x.dtype, device: x.device });
    if (interpolation === 'nearest')
      return inFloat(x, 'round', (floats) => interpolate(floats, { size: target, mode: 'nearest' }));
    return inFloat(x, 'round', (floats) => interpolate(floats, { size: target, mode: interpolation, antialias }));
  });
}

/** Resizes the images of a batch; see `functional.resize`. */
export class Resize extends Transform {
  /** The size of the shorter side, or `[height, width]`. */
  readonly size: ImageSize;
  /** How. */
  readonly options: ResizeImagesOptions;

  /**
   * @throws ArgumentError naming the option
   * @example
   * new data.transforms.Resize(256, { interpolation: 'bicubic' });
   */
  constructor(size: ImageSize, options: ResizeImagesOptions = {}) {
    super();
    checkResize('Resize', size, options);
    this.size = size;
    this.options = { ...options };
  }

  protected override _apply(batch: Tensor): Tensor {
    return resize(batch, this.size, this.options);
  }
}

// Matrices [N, count, size] that bring a window of each line to `count` elements.
function windowMatrices(
  x: Tensor,
  starts: readonly number[],
  lengths: readonly number[],
  count: number,
  size: number,
  mode: ImageInterpolation,
  antialias: boolean,
): Tensor {
  const tables = new Map<number, Table>();
  const elements = new (x.dtype === 'float64' ? Float64Array : Float32Array)(starts.length * count * size);
  starts.forEach((first, n) => {
    const length = lengths[n];
    const table = tables.get(length) ?? interpolationTable(length, count, mode, antialias && mode !== 'nearest');
    tables.set(length, table);
    table.rows.forEach(({ start, weights }, i) => {
      elements.set(weights, (n * count + i) * size + first + start);
    });
  });
  return fromTypedArray(elements, [starts.length, count, size], { dtype: x.dtype, device: x.device });
}

/**
 * A window of each image, resized to one size: two products with matrices of interpolation weights, for the whole batch.
 *
 * @param top row of the window's first pixel: one number, or one for each image; the others likewise
 * @param left column of the window's first pixel
 * @param height rows of the window
 * @param width columns of the window
 * @param size height and width of the result
 * @throws ArgumentError naming the argument, also for a window that reaches outside; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.resizedCrop(images, [0, 8], 4, [24, 16], 24, 32);
 */
export function resizedCrop<D extends DType>(
  images: Tensor<Shape, D>,
  top: PerSample,
  left: PerSample,
  height: PerSample,
  width: PerSample,
  size: number | readonly [height: number, width: number],
  options: ResizeOptions = {},
): Tensor<Shape, D> {
  const op = 'resizedCrop';
  const { interpolation = 'bilinear', antialias = true } = options;
  checkChoice(op, 'interpolation', interpolation, interpolations);
  const [rowsOut, columnsOut] = checkSides(op, 'size', size);
  return onBatch(op, images, (x) => {
    const [count, channels, rows, columns] = x.shape;
    const span = (side: number, from: [string, PerSample], length: [string, PerSample]): (readonly number[])[] => {
      const starts = numbersOf(op, ...from, count);
      const lengths = numbersOf(op, ...length, count);
      starts.forEach((start, n) => {
        checkInteger(op, from[0], start, 0, side - 1);
        checkInteger(op, length[0], lengths[n], 1, side - start);
      });
      return [starts, lengths];
    };
    const [tops, heights] = span(rows, ['top', top], ['height', height]);
    const [lefts, widths] = span(columns, ['left', left], ['width', width]);
    if (x.numel === 0) return zeros([count, channels, rowsOut, columnsOut], { dtype: x.dtype, device: x.device });
    return inFloat(x, 'round', (floats) => {
      const across = windowMatrices(floats, lefts, widths, columnsOut, columns, interpolation, antialias);
      const down = windowMatrices(floats, tops, heights, rowsOut, rows, interpolation, antialias);
      const lines = floats.reshape([count, channels * rows, columns]).matmul(across.mT());
      return down.unsqueeze(1).matmul(lines.reshape([count, channels, rows, columnsOut]));
    });
  });
}

/** Options of `RandomResizedCrop`. */
export interface RandomResizedCropOptions extends ResizeOptions, RandomTransformOptions {
  /** The window's share of the image's area. Default `[0.08, 1]`. */
  readonly scale?: readonly [low: number, high: number];
  /** The window's width by its height; its logarithm is drawn. Default `[3/4, 4/3]`. */
  readonly ratio?: readonly [low: number, high: number];
}

/**
 * A window of each image, of random size, shape and place, resized to one size. If ten draws do not fit the image, the window
 * is the largest in its middle whose shape is in the range.
 *
 * @example
 * const crop = new data.transforms.RandomResizedCrop(224);
 */
export class RandomResizedCrop extends RandomTransform {
  /** Height and width of the result. */
  readonly size: readonly [height: number, width: number];
  /** The window's share of the image's area. */
  readonly scale: readonly [low: number, high: number];
  /** The window's width by its height. */
  readonly ratio: readonly [low: number, high: number];
  private readonly _options: ResizeOptions;

  /** @throws ArgumentError naming the option */
  constructor(size: number | readonly [height: number, width: number], options: RandomResizedCropOptions = {}) {
    const op = 'RandomResizedCrop';
    super(op, options);
    const { scale = [0.08, 1], ratio = [3 / 4, 4 / 3], interpolation = 'bilinear', antialias = true } = options;
    this.size = checkSides(op, 'size', size);
    this.scale = checkRange(op, 'scale', scale, 0);
    this.ratio = checkRange(op, 'ratio', ratio, 0);
    if (this.ratio[0] === 0) throw new ArgumentError(`${op}: ratio must be above 0, got [${this.ratio.join(', ')}].`);
    this._options = { interpolation: checkChoice(op, 'interpolation', interpolation, interpolations), antialias };
  }

  private _window(draws: Draws, rows: number, columns: number): [top: number, left: number, h: number, w: number] {
    const [low, high] = this.ratio;
    for (let attempt = 0; attempt < 10; attempt++) {
      const area = rows * columns * draws.between(this.scale);
      const aspect = Math.exp(draws.between([Math.log(low), Math.log(high)]));
      const w = Math.round(Math.sqrt(area * aspect));
      const h = Math.round(Math.sqrt(area / aspect));
      if (w >= 1 && h >= 1 && w <= columns && h <= rows)
        return [draws.below(rows - h + 1), draws.below(columns - w + 1), h, w];
    }
    const shape = columns / rows;
    const w = shape > high ? Math.max(1, Math.round(rows * high)) : columns;
    const h = shape < low ? Math.max(1, Math.round(columns / low)) : rows;
    return [Math.floor((rows - h) / 2), Math.floor((columns - w) / 2), h, w];
  }

  protected override _applyRandom(batch: Tensor, draws: Draws): Tensor {
    const [count, , rows, columns] = batch.shape;
    if (rows === 0 || columns === 0)
      throw new ShapeError(`RandomResizedCrop: images of shape ${formatShape(batch.shape)} have no pixels.`);
    const windows = Array.from({ length: count }, () => this._window(draws, rows, columns));
    const [tops, lefts, heights, widths] = [0, 1, 2, 3].map((k) => windows.map((window) => window[k]));
    return resizedCrop(batch, tops, lefts, heights, widths, this.size, this._options);
  }

  protected override _applyEmpty(batch: Tensor): Tensor {
    return zeros([0, batch.shape[1], ...this.size], { dtype: batch.dtype, device: batch.device });
  }
}
