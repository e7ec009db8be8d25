// Many images in one.
import { noGrad } from '../autograd/mode.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { checkTensor } from '../ops/define.js';
import { full } from '../ops/creation.js';
import { cat, stack } from '../ops/join.js';
import { pad } from '../ops/pad.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of `imageGrid`. */
export interface ImageGridOptions {
  /** Images in a row. Default 8. */
  columns?: number;
  /** Pixels between two images and around them. Default 2. */
  padding?: number;
  /** The value of those pixels, and of places without an image. Default 0. */
  padValue?: number;
  /** Shifts and scales floats so that `valueRange` becomes 0 to 1, and cuts off what lies outside. Default false. */
  normalize?: boolean;
  /** What becomes 0 and 1. Default: the smallest and the largest value there are. */
  valueRange?: readonly [number, number];
  /** With `normalize` and no `valueRange`: the smallest and largest value of each image for itself. Default false. */
  scaleEach?: boolean;
}

function checkCount(name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least || value > 65_535) {
    throw new ArgumentError(`imageGrid: ${name} must be an integer from ${least} to 65535, got ${String(value)}.`);
  }
}

// [N, C, H, W] with 1, 3 or 4 channels; grey as three of them, so that images of both kinds look alike in a file.
function batchOf(images: Tensor | readonly Tensor[]): Tensor {
  const list = Array.isArray(images) ? (images as readonly Tensor[]) : null;
  if (list !== null) {
    if (list.length === 0) throw new ArgumentError('imageGrid: there are no images in the list.');
    list.forEach((image, i) => checkTensor('imageGrid', `images[${i}]`, image));
  } else checkTensor('imageGrid', 'images', images);
  const given = list !== null ? stack([...list], 0) : (images as Tensor);
  const batch =
    given.ndim === 2
      ? given.unsqueeze(0).unsqueeze(0)
      : given.ndim === 3
        ? given.unsqueeze(list === null ? 0 : 1)
        : given;
  const [count, channels] = batch.shape;
  if (batch.ndim !== 4 || count === 0 || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new ShapeError(
      `imageGrid: images must be [count, channels, height, width] with 1, 3 or 4 channels, or a list of [channels, height, width]; got ${formatShape(given.shape)}.`,
    );
  }
  return channels === 1 ? batch.expand([count, 3, batch.shape[2], batch.shape[3]]) : batch;
}

function normalized(batch: Tensor, options: ImageGridOptions): Tensor {
  if (!isFloating(batch.dtype)) {
    throw new DTypeError(`imageGrid: normalize is for float images, these are ${batch.dtype}.`);
  }
  const { valueRange, scaleEach = false } = options;
  if (valueRange !== undefined) {
    const [low, high] = valueRange;
    if (valueRange.length !== 2 || !(low < high)) {
      throw new ArgumentError(
        `imageGrid: valueRange must be [low, high] with low < high, got [${valueRange.join(', ')}].`,
      );
    }
    return batch
      .clamp({ min: low, max: high })
      .sub(low)
      .div(high - low);
  }
  const flat = scaleEach ? batch.flatten(1) : batch.reshape([1, -1]);
  const shape = [flat.shape[0], 1, 1, 1];
  const low = flat.min(1).values.reshape(shape);
  const high = flat.max(1).values.reshape(shape);
  // An image of one value has no range; it becomes 0.
  return batch.sub(low).div(high.sub(low).clamp({ min: 1e-5 }));
}

/**
 * Puts images into one, in rows from the top left. The last row is filled up with `padValue`.
 *
 * @param images `[count, channels, height, width]` with 1, 3 or 4 channels, or a list of images `[channels, height, width]` or
 *   `[height, width]`; any dtype (uint8 from 0 to 255, floats from 0 to 1)
 * @returns `[channels, rows * (height + padding) + padding, columns * (width + padding) + padding]` of the images' dtype, grey
 *   ones as 3 channels. There are never more columns than images, and one image alone gets no padding
 * @throws ShapeError or DTypeError for what are no images, ArgumentError for options out of range
 * @example
 * await utils.savePng('samples.png', utils.imageGrid(generator.forward(z), { columns: 10, normalize: true }));
 */
export function imageGrid(images: Tensor | readonly Tensor[], options: ImageGridOptions = {}): Tensor {
  const { columns = 8, padding = 2, padValue = 0 } = options;
  checkCount('columns', columns, 1);
  checkCount('padding', padding, 0);
  return noGrad(() =>
    tidy(() => {
      const given = batchOf(images).detach();
      const batch = options.normalize === true ? normalized(given, options) : given;
      const [count, channels, height, width] = batch.shape;
      // A copy: the result is the caller's to dispose of.
      if (count === 1) return batch.reshape([channels, height, width]).clone();
      const across = Math.min(columns, count);
      const rows = Math.ceil(count / across);
      const missing = rows * across - count;
      const padded = pad(batch, [0, padding, 0, padding], { value: padValue });
      const [h, w] = [height + padding, width + padding];
      const filler =
        missing === 0 ? [] : [full([missing, channels, h, w], padValue, { dtype: batch.dtype, device: batch.device })];
      const grid = cat([padded, ...filler], 0)
        .reshape([rows, across, channels, h, w])
        .permute([2, 0, 3, 1, 4])
        .reshape([channels, rows * h, across * w]);
      return pad(grid, [padding, 0, padding, 0], { value: padValue });
    }),
  );
}
