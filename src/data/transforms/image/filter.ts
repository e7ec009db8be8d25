// Blurring, sharpening and erasing.
import type { DType } from '../../../dtype.js';
import { ArgumentError, ShapeError } from '../../../errors.js';
import { where } from '../../../ops/compare.js';
import { arange } from '../../../ops/creation.js';
import { pad } from '../../../ops/pad.js';
import { formatShape, type Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { blend } from './color.js';
import {
  boundOf,
  checkInteger,
  column,
  type Fill,
  fillOperand,
  inFloat,
  numbersOf,
  onBatch,
  operand,
  type PerSample,
} from './image.js';

/** Kernel sizes `[height, width]`, odd. @internal */
export function kernelSides(op: string, kernelSize: number | readonly [number, number]): [number, number] {
  const [height, width] = typeof kernelSize === 'number' ? [kernelSize, kernelSize] : kernelSize;
  for (const side of [height, width]) {
    if (checkInteger(op, 'kernelSize', side, 1) % 2 === 0)
      throw new ArgumentError(`${op}: kernelSize must be odd, got ${side}.`);
  }
  return [height, width];
}

// Weighted sum of shifted copies along one dimension; weights[k] are those of the k-th for each image.
function convolveLine(x: Tensor, dim: number, weights: readonly Tensor[], size: number): Tensor {
  let sum: Tensor | undefined;
  weights.forEach((weight, k) => {
    const shifted = x.narrow(dim, k, size);
    sum = sum === undefined ? shifted.mul(weight) : sum.addcmul_(shifted, weight);
  });
  return sum!;
}

/**
 * Blurs images with a Gaussian kernel; at the border the image is mirrored.
 *
 * @param kernelSize height and width of the kernel, odd, less than twice the image's side: one number or `[height, width]`
 * @param sigma standard deviation in pixels, above 0: one number, or one for each image
 * @throws ArgumentError naming the argument; ShapeError if the kernel does not fit; DTypeError for what are no images
 * @example
 * data.transforms.functional.gaussianBlur(images, 5, 1.5);
 */
export function gaussianBlur<D extends DType>(
  images: Tensor<Shape, D>,
  kernelSize: number | readonly [height: number, width: number],
  sigma: PerSample,
): Tensor<Shape, D> {
  const op = 'gaussianBlur';
  const [height, width] = kernelSides(op, kernelSize);
  return onBatch(op, images, (x) => {
    const [count, , rows, columns] = x.shape;
    const sigmas = numbersOf(op, 'sigma', sigma, count, 0);
    const zero = sigmas.findIndex((n) => n <= 0);
    if (zero >= 0) throw new ArgumentError(`${op}: sigma must be above 0, got ${sigmas[zero]}.`);
    if (x.numel === 0) return x;
    if ((height - 1) / 2 >= rows || (width - 1) / 2 >= columns) {
      throw new ShapeError(
        `${op}: a kernel of ${formatShape([height, width])} is too large for images of shape ${formatShape(x.shape)}.`,
      );
    }
    const kernel = (size: number, like: Tensor): Tensor[] => {
      const places = Array.from({ length: size }, (_, k) => k - (size - 1) / 2);
      const lines = sigmas.map((s) => {
        const weights = places.map((place) => Math.exp(-0.5 * (place / s) ** 2));
        const total = weights.reduce((a, b) => a + b);
        return weights.map((weight) => weight / total);
      });
      return places.map((_, k) =>
        column(
          lines.map((line) => line[k]),
          like,
        ),
      );
    };
    return inFloat(x, 'round', (floats) => {
      const [y, z] = [(height - 1) / 2, (width - 1) / 2];
      const padded = y + z === 0 ? floats : pad(floats, [z, z, y, y], { mode: 'reflect' });
      const across = convolveLine(padded, 3, kernel(width, floats), columns);
      return convolveLine(across, 2, kernel(height, floats), rows);
    });
  });
}

/**
 * Moves images away from a blurred copy, or towards it: 0 gives the blurred copy, 1 the image, 2 a sharper one. The border
 * pixels stay; images of less than 3 pixels a side, too.
 *
 * @param factor >= 0: one number, or one for each image
 * @throws ArgumentError for a factor that is none; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.adjustSharpness(images, 2);
 */
export function adjustSharpness<D extends DType>(images: Tensor<Shape, D>, factor: PerSample): Tensor<Shape, D> {
  const op = 'adjustSharpness';
  return onBatch(op, images, (x) => {
    const by = operand(op, 'factor', factor, x, 0);
    const [, , rows, columns] = x.shape;
    if (rows <= 2 || columns <= 2 || x.numel === 0) return x;
    return inFloat(x, 'cut', (floats) => {
      // The kernel of Pillow: ones around a five, by 13. That is the sum of the 3 x 3 pixels, and 4 times the middle one.
      const across = floats.narrow(3, 0, columns - 2).add(floats.narrow(3, 1, columns - 2));
      const lines = across.add(floats.narrow(3, 2, columns - 2));
      const sum = lines
        .narrow(2, 0, rows - 2)
        .add(lines.narrow(2, 1, rows - 2))
        .add(lines.narrow(2, 2, rows - 2));
      const middle = floats.narrow(2, 1, rows - 2).narrow(3, 1, columns - 2);
      const blurred = sum.add(middle, { alpha: 4 }).div(13);
      const whole = x.dtype === 'uint8' ? blurred.round() : blurred;
      const inner = blend(middle, whole, by, boundOf(x));
      const out = floats.clone().clamp({ min: 0, max: boundOf(x) });
      out
        .narrow(2, 1, rows - 2)
        .narrow(3, 1, columns - 2)
        .copy_(inner);
      return out;
    });
  });
}

/** Bounds of rectangles, one of each number for every image. @internal */
export interface Rectangles {
  readonly top: readonly number[];
  readonly left: readonly number[];
  readonly height: readonly number[];
  readonly width: readonly number[];
}

/** Which pixels, `[N, 1, H, W]`, are inside. @internal */
export function insideOf(x: Tensor, { top, left, height, width }: Rectangles): Tensor<Shape, 'bool'> {
  const like = { dtype: 'float32', device: x.device } as const;
  const line = (size: number): Tensor => arange(0, size, 1, { dtype: 'float32', device: x.device });
  const between = (t: Tensor, from: readonly number[], length: readonly number[]): Tensor =>
    t.ge(column(from, like)).logicalAnd(
      t.lt(
        column(
          from.map((n, i) => n + length[i]),
          like,
        ),
      ),
    );
  const y = between(line(x.shape[2]).reshape([1, 1, x.shape[2], 1]), top, height);
  return y.logicalAnd(between(line(x.shape[3]).reshape([1, 1, 1, x.shape[3]]), left, width));
}

/**
 * Replaces a rectangle of each image.
 *
 * @param top row of the first pixel: one number, or one for each image; the others likewise
 * @param left column of the first pixel
 * @param height rows; 0 for none
 * @param width columns; 0 for none
 * @param value what is put there: a number, or one for each channel. Default 0
 * @throws ArgumentError naming the argument; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.erase(images, [0, 4], 2, 8, 8);
 */
export function erase<D extends DType>(
  images: Tensor<Shape, D>,
  top: PerSample,
  left: PerSample,
  height: PerSample,
  width: PerSample,
  value: Fill = 0,
): Tensor<Shape, D> {
  const op = 'erase';
  return onBatch(op, images, (x) => {
    const list = (name: string, numbers: PerSample, min?: number): readonly number[] =>
      numbersOf(op, name, numbers, x.shape[0], min);
    const rectangles = {
      top: list('top', top),
      left: list('left', left),
      height: list('height', height, 0),
      width: list('width', width, 0),
    };
    const fill = fillOperand(op, value, x);
    if (x.numel === 0) return x;
    return where(insideOf(x, rectangles), fill, x).to(x.dtype);
  });
}
