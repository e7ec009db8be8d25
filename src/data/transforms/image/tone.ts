// Changes of the tone curve: functional forms.
import type { DType } from '../../../dtype.js';
import { where } from '../../../ops/compare.js';
import { fromTypedArray, onesLike, zeros } from '../../../ops/creation.js';
import type { Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { ArgumentError } from '../../../errors.js';
import { toDtype } from './color.js';
import { boundOf, inFloat, numbersOf, onBatch, operand, type PerSample } from './image.js';

// Bytes stay bytes: 255 - x does not leave them.
const inverted = (x: Tensor): Tensor => (x.dtype === 'uint8' ? x.bitwiseNot() : x.neg().add(boundOf(x)));

/**
 * The negative: white less the pixels.
 *
 * @throws ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.invert(images);
 */
export function invert<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
  return onBatch('invert', images, inverted);
}

/**
 * Keeps some bits of each pixel, so that 2^bits levels are left. Of floats, the levels are spread over 0 to 1 - 2^-bits.
 *
 * @param bits an integer from 0 to 8: one for all images, or one for each
 * @throws ArgumentError for bits that are none; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.posterize(images, 3);
 */
export function posterize<D extends DType>(images: Tensor<Shape, D>, bits: PerSample): Tensor<Shape, D> {
  return onBatch('posterize', images, (x) => {
    const list = numbersOf('posterize', 'bits', bits, x.shape[0], 0, 8);
    const broken = list.find((n) => !Number.isInteger(n));
    if (broken !== undefined)
      throw new ArgumentError(`posterize: bits must be an integer from 0 to 8, got ${String(broken)}.`);
    const shape = [list.length, 1, 1, 1];
    const { device } = x;
    if (x.dtype === 'uint8') {
      const masks = Uint8Array.from(list, (n) => 256 - 2 ** (8 - n));
      return x.bitwiseAnd(fromTypedArray(masks, shape, { device }));
    }
    return inFloat(x, 'cut', (floats) => {
      const levels = fromTypedArray(
        Float64Array.from(list, (n) => 2 ** n),
        shape,
        { dtype: floats.dtype, device },
      );
      return floats.mul(levels).floor().clamp({ min: 0 }).minimum(levels.sub(1)).div(levels);
    });
  });
}

/**
 * Inverts the pixels that are not below a threshold.
 *
 * @param threshold in the images' units (0 to 255 for bytes, 0 to 1 for floats): one number, or one for each image
 * @throws ArgumentError for a threshold that is none; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.solarize(images, 0.5);
 */
export function solarize<D extends DType>(images: Tensor<Shape, D>, threshold: PerSample): Tensor<Shape, D> {
  return onBatch('solarize', images, (x) => {
    const from = operand('solarize', 'threshold', threshold, x);
    return where(x.ge(from as Tensor), inverted(x), x);
  });
}

/**
 * Stretches each channel of each image so that its darkest pixel becomes black and its brightest white; channels of one value
 * stay.
 *
 * @throws ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.autocontrast(images);
 */
export function autocontrast<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
  return onBatch('autocontrast', images, (x) => {
    if (x.numel === 0) return x;
    const bound = boundOf(x);
    return inFloat(x, 'cut', (floats) => {
      const low = floats.amin([2, 3], { keepDim: true });
      const high = floats.amax([2, 3], { keepDim: true });
      const flat = high.eq(low);
      // Divided in this order, white becomes exactly white.
      const range = where(flat, 1, high.sub(low).div(bound));
      return floats
        .sub(where(flat, 0, low))
        .div(range)
        .clamp({ min: 0, max: bound });
    });
  });
}

/**
 * Evens out the histogram of 256 grey levels of each channel of each image, as Pillow does. Floats are brought to bytes and
 * back.
 *
 * @throws ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.equalize(images);
 */
export function equalize<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
  return onBatch('equalize', images, (x) => {
    const [count, channels, height, width] = x.shape;
    if (x.numel === 0) return x;
    const planes = toDtype(x, 'uint8', { scale: true })
      .reshape([count * channels, height * width])
      .to('int64');
    const histogram = zeros([planes.shape[0], 256], { dtype: 'int64', device: x.device }).scatterAdd(
      1,
      planes,
      onesLike(planes),
    );
    // The step between grey levels: the pixels but those of the brightest level there is, by 255.
    const brightest = planes.amax(1, { keepDim: true });
    const step = histogram
      .gather(1, brightest)
      .neg()
      .add(height * width)
      .floorDivide(255);
    const below = histogram.cumsum(1).sub(histogram);
    const safe = step.clamp({ min: 1 });
    const table = below.add(safe.floorDivide(2)).floorDivide(safe).clamp({ min: 0, max: 255 });
    const levels = where(step.eq(0), planes, table.gather(1, planes));
    const bytes = levels.reshape(x.shape).to('uint8');
    return x.dtype === 'uint8' ? bytes : toDtype(bytes, x.dtype, { scale: true });
  });
}
