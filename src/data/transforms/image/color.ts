// Brightness, contrast, saturation, hue, grey, normalization: functional forms.
import { type DType, isFloating } from '../../../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../../errors.js';
import { fromTypedArray } from '../../../ops/creation.js';
import { cat } from '../../../ops/join.js';
import * as e from '../../../program/expr.js';
import { formatShape, type Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { boundOf, checkInteger, inFloat, onBatch, operand, pixelwise, type PerSample } from './image.js';

function checkColors(op: string, images: Tensor): void {
  const channels = images.shape[1];
  if (channels !== 1 && channels !== 3)
    throw new ShapeError(`${op}: images must have 1 or 3 channels, got shape ${formatShape(images.shape)}.`);
}

/** The luma of ITU-R BT.601, of floats `[N, 3, H, W]` -> `[N, 1, H, W]`. */
const lumaOp = pixelwise('rgbToGrayscale', ['r', 'g', 'b'], [], (r, g, b) =>
  e.add(e.mul(r, 0.2989), e.mul(g, 0.587), e.mul(b, 0.114)),
);

const channelsOf = (x: Tensor): Tensor[] => [0, 1, 2].map((c) => x.narrow(1, c, 1));

function luma(x: Tensor): Tensor {
  return x.shape[1] === 1 ? x : lumaOp.apply(channelsOf(x));
}

// Factor 0 gives `other`, 1 the image, and what is between or beyond is on their line.
const blendOp = pixelwise('blend', ['x', 'other', 'factor'], ['bound'], (x, other, factor, bound) =>
  e.maximum(e.minimum(e.add(e.mul(x, factor), e.mul(other, e.sub(1, factor))), bound), 0),
);

/** `factor * x + (1 - factor) * other`, limited to black and white. */
export function blend(x: Tensor, other: Tensor, factor: Tensor | number, bound: number): Tensor {
  return blendOp.apply([x, other, factor], [bound]);
}

/**
 * Multiplies the pixels by a factor: 0 gives black, 1 the image. As in torchvision, results of bytes are cut to whole numbers.
 *
 * @param factor >= 0: one number, or one for each image
 * @throws ArgumentError for a factor that is none; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.adjustBrightness(images, [0.5, 1.5]);
 */
export function adjustBrightness<D extends DType>(images: Tensor<Shape, D>, factor: PerSample): Tensor<Shape, D> {
  return onBatch('adjustBrightness', images, (x) => {
    const by = operand('adjustBrightness', 'factor', factor, x, 0);
    const max = boundOf(x);
    return inFloat(x, 'cut', (floats) => floats.mul(by as Tensor).clamp({ min: 0, max }));
  });
}

/**
 * Moves the pixels away from the mean of the image's grey values, or towards it: 0 gives that grey, 1 the image.
 *
 * @param factor >= 0: one number, or one for each image
 * @throws ArgumentError for a factor that is none; ShapeError unless there are 1 or 3 channels; DTypeError for what are no images
 * @example
 * data.transforms.functional.adjustContrast(images, 2);
 */
export function adjustContrast<D extends DType>(images: Tensor<Shape, D>, factor: PerSample): Tensor<Shape, D> {
  const op = 'adjustContrast';
  return onBatch(op, images, (x) => {
    checkColors(op, x);
    const by = operand(op, 'factor', factor, x, 0);
    if (x.numel === 0) return x;
    return inFloat(x, 'cut', (floats) => {
      const grey = luma(floats);
      const whole = x.dtype === 'uint8' && x.shape[1] === 3 ? grey.floor() : grey;
      return blend(floats, whole.mean([1, 2, 3], { keepDim: true }), by, boundOf(x));
    });
  });
}

/**
 * Moves colours away from grey, or towards it: 0 gives grey values, 1 the image. Images of 1 channel stay.
 *
 * @param factor >= 0: one number, or one for each image
 * @throws ArgumentError for a factor that is none; ShapeError unless there are 1 or 3 channels; DTypeError for what are no images
 * @example
 * data.transforms.functional.adjustSaturation(images, 0.5);
 */
export function adjustSaturation<D extends DType>(images: Tensor<Shape, D>, factor: PerSample): Tensor<Shape, D> {
  const op = 'adjustSaturation';
  return onBatch(op, images, (x) => {
    checkColors(op, x);
    const by = operand(op, 'factor', factor, x, 0);
    if (x.shape[1] === 1) return x;
    return inFloat(x, 'cut', (floats) => {
      const grey = luma(floats);
      return blend(floats, x.dtype === 'uint8' ? grey.floor() : grey, by, boundOf(x));
    });
  });
}

// From red, green and blue to hue, whose sixths are turned, and back, for one channel: place is 5, 3 and 1 for red, green and
// blue. The result is the largest channel less a share of the spread, by the distance of the hue from the channel's own.
const hueOp = pixelwise('adjustHue', ['r', 'g', 'b', 'turn'], ['place'], (r, g, b, turn, place) => {
  const high = e.maximum(r, e.maximum(g, b));
  const spread = e.sub(high, e.minimum(r, e.minimum(g, b)));
  const divisor = e.select(e.eq(spread, 0), 1, spread);
  const sixths = e.select(
    e.eq(high, r),
    e.div(e.sub(g, b), divisor),
    e.select(e.eq(high, g), e.add(2, e.div(e.sub(b, r), divisor)), e.add(4, e.div(e.sub(r, g), divisor))),
  );
  const k = e.remainder(e.add(place, sixths, e.mul(turn, 6)), 6);
  return e.sub(high, e.mul(spread, e.maximum(0, e.minimum(1, e.minimum(k, e.sub(4, k))))));
});

/**
 * Turns the hue around the circle of colours by a share of it: 0 gives the image, 0.5 and -0.5 the complementary colours.
 * Images of 1 channel stay.
 *
 * @param factor from -0.5 to 0.5: one number, or one for each image
 * @throws ArgumentError for a factor that is none; ShapeError unless there are 1 or 3 channels; DTypeError for what are no images
 * @example
 * data.transforms.functional.adjustHue(images, 0.1);
 */
export function adjustHue<D extends DType>(images: Tensor<Shape, D>, factor: PerSample): Tensor<Shape, D> {
  const op = 'adjustHue';
  return onBatch(op, images, (x) => {
    checkColors(op, x);
    const turn = operand(op, 'factor', factor, x, -0.5, 0.5);
    if (x.shape[1] === 1) return x;
    return inFloat(x, 'round', (floats) => {
      const channels = channelsOf(floats);
      return cat(
        [5, 3, 1].map((place) => hueOp.apply([...channels, turn], [place])),
        1,
      );
    });
  });
}

/**
 * Grey values: 0.2989 red + 0.587 green + 0.114 blue (ITU-R BT.601).
 *
 * @param numOutputChannels 1 (default), or 3 equal ones
 * @throws ArgumentError for another number of channels; ShapeError unless images have 1 or 3; DTypeError for what are no images
 * @example
 * data.transforms.functional.rgbToGrayscale(images).shape; // [N, 1, H, W]
 */
export function rgbToGrayscale<D extends DType>(
  images: Tensor<Shape, D>,
  numOutputChannels: 1 | 3 = 1,
): Tensor<Shape, D> {
  const op = 'rgbToGrayscale';
  if (checkInteger(op, 'numOutputChannels', numOutputChannels, 1, 3) === 2)
    throw new ArgumentError(`${op}: numOutputChannels must be 1 or 3, got 2.`);
  return onBatch(op, images, (x) => {
    checkColors(op, x);
    const grey = x.shape[1] === 1 ? x : inFloat(x, 'cut', luma);
    return numOutputChannels === 1 ? grey : cat([grey, grey, grey], 1);
  });
}

const normalizeOp = pixelwise('normalize', ['x', 'mean', 'std'], [], (x, mean, std) => e.div(e.sub(x, mean), std));

/** One number, or one for each channel, of float images. @internal */
export function channelNumbers(op: string, name: string, values: readonly number[] | number, min?: number): number[] {
  const list = typeof values === 'number' ? [values] : values;
  if (!Array.isArray(list) || list.length === 0 || !list.every((n) => typeof n === 'number' && Number.isFinite(n)))
    throw new ArgumentError(`${op}: ${name} must be a number or one for each channel, got ${String(values)}.`);
  if (min !== undefined && !list.every((n) => n > min))
    throw new ArgumentError(`${op}: ${name} must be above ${min}, got ${String(values)}.`);
  return [...(list as number[])];
}

/**
 * `(x - mean) / std` for each channel of float images.
 *
 * @param mean one number, or one for each channel
 * @param std one number, or one for each channel, above 0
 * @throws ArgumentError for numbers that do not fit; DTypeError for bytes: convert them with `toDtype` first
 * @example
 * data.transforms.functional.normalize(images, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]);
 */
export function normalize<D extends DType>(
  images: Tensor<Shape, D>,
  mean: readonly number[] | number,
  std: readonly number[] | number,
): Tensor<Shape, D> {
  const op = 'normalize';
  const rows = { mean: channelNumbers(op, 'mean', mean), std: channelNumbers(op, 'std', std, 0) };
  return onBatch(op, images, (x) => {
    if (!isFloating(x.dtype)) {
      throw new DTypeError(
        `${op}: images must be floats, got ${x.dtype}; convert them with toDtype(images, 'float32', { scale: true }).`,
      );
    }
    for (const [name, { length }] of Object.entries(rows)) {
      if (length !== 1 && length !== x.shape[1])
        throw new ArgumentError(`${op}: ${name} has ${length} numbers for ${x.shape[1]} channels.`);
    }
    return inFloat(x, 'round', (floats) => {
      const { dtype, device } = floats;
      const [m, s] = [rows.mean, rows.std].map((list) =>
        fromTypedArray(Float64Array.from(list), [1, list.length, 1, 1], { dtype, device }),
      );
      return normalizeOp.apply([floats, m, s]);
    });
  });
}

/** Options of `toDtype`. */
export interface ToDtypeOptions {
  /** Between bytes and floats: 255 becomes 1, and the other way round. Default false: the numbers stay. */
  readonly scale?: boolean;
}

/**
 * Images in another dtype. From floats to bytes with `scale`, values are rounded to the nearest and limited to 0 to 255.
 *
 * @throws ArgumentError for another dtype than uint8 and the float ones; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.toDtype(bytes, 'float32', { scale: true }); // 0 to 1
 */
export function toDtype<D extends DType>(images: Tensor, dtype: D, options: ToDtypeOptions = {}): Tensor<Shape, D> {
  const { scale = false } = options;
  if (dtype !== 'uint8' && !isFloating(dtype))
    throw new ArgumentError(`toDtype: dtype must be 'uint8' or a float dtype, got '${String(dtype)}'.`);
  return onBatch('toDtype', images, (x) => {
    const fromBytes = x.dtype === 'uint8';
    if (!scale || fromBytes === (dtype === 'uint8')) return x.to(dtype);
    if (fromBytes)
      return x
        .to(dtype === 'float64' ? 'float64' : 'float32')
        .div(255)
        .to(dtype);
    const work = x.dtype === 'float64' ? 'float64' : 'float32';
    return x.to(work).mul(255).round().clamp({ min: 0, max: 255 }).to(dtype);
  }) as unknown as Tensor<Shape, D>;
}
