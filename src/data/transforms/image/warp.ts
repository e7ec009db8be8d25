// Moving, turning and bending images: functional forms over affineGrid and gridSample.
import type { DType } from '../../../dtype.js';
import { ArgumentError } from '../../../errors.js';
import { where } from '../../../ops/compare.js';
import { arange, fromTypedArray, ones, zeros } from '../../../ops/creation.js';
import { affineGrid, gridSample } from '../../../ops/gridSample.js';
import { stack } from '../../../ops/join.js';
import type { Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import {
  checkChoice,
  checkNumber,
  type Fill,
  fillOperand,
  type ImageInterpolation,
  inFloat,
  numbersOf,
  onBatch,
  type PerSample,
} from './image.js';

/** Options of the warping functions. */
export interface WarpOptions {
  /** How values between pixels are made. Default `'nearest'`; of `perspective`, `'bilinear'`. */
  readonly interpolation?: ImageInterpolation;
  /** What lies outside the images: a number, or one for each channel. Default 0. */
  readonly fill?: Fill;
}

/** @internal */
export const interpolations: readonly ImageInterpolation[] = ['nearest', 'bilinear', 'bicubic'];

// Samples float images at the places of a grid, with a fill around them.
function sample(op: string, x: Tensor, grid: Tensor, mode: ImageInterpolation, fill: Fill): Tensor {
  const filler = fillOperand(op, fill, x);
  if (filler === 0) return gridSample(x, grid, { mode });
  if (mode === 'nearest') {
    const covered = gridSample(
      ones([x.shape[0], 1, x.shape[2], x.shape[3]], { dtype: x.dtype, device: x.device }),
      grid,
      {
        mode,
      },
    );
    return where(covered.gt(0.5), gridSample(x, grid, { mode }), filler);
  }
  // Zeros around the difference are the fill around the image, also where an edge is blended with it.
  return gridSample(x.sub(filler as Tensor), grid, { mode }).add(filler as Tensor);
}

/** A 2 x 3 matrix, row by row, that takes places of the result to places of the image, in pixels from its centre. @internal */
export type Inverse = readonly [number, number, number, number, number, number];

/** Applies matrices, one for each image. @internal */
export function warpAffine(
  op: string,
  batch: Tensor,
  matrices: readonly Inverse[],
  size: readonly [height: number, width: number],
  mode: ImageInterpolation,
  fill: Fill,
): Tensor {
  const [count, channels, rows, columns] = batch.shape;
  const [height, width] = size;
  fillOperand(op, fill, batch);
  if (batch.numel === 0) return zeros([count, channels, height, width], { dtype: batch.dtype, device: batch.device });
  // The grid counts from -1 to 1 across the image and the result.
  const theta = Float64Array.from(
    matrices.flatMap(([a, b, c, d, e, f]) => [
      (a * width) / columns,
      (b * height) / columns,
      (2 * c) / columns,
      (d * width) / rows,
      (e * height) / rows,
      (2 * f) / rows,
    ]),
  );
  return inFloat(batch, 'round', (x) => {
    const { dtype, device } = x;
    const grid = affineGrid(fromTypedArray(theta, [count, 2, 3], { dtype, device }), [count, channels, height, width]);
    return sample(op, x, grid, mode, fill);
  });
}

/** Numbers that describe an affine map of one image. @internal */
export interface AffineParameters {
  readonly angle: number;
  readonly translate: readonly [x: number, y: number];
  readonly scale: number;
  readonly shear: readonly [x: number, y: number];
}

/**
 * The inverse of: shear, turn and scale around a centre, then translate. All in pixels from the middle of the image, angles in
 * degrees clockwise.
 *
 * @internal
 */
export function inverseAffine(
  { angle, translate: [tx, ty], scale, shear }: AffineParameters,
  [cx, cy]: readonly [x: number, y: number],
): Inverse {
  const [turn, sx, sy] = [angle, ...shear].map((degrees) => (degrees * Math.PI) / 180);
  // Turn and shear, R(turn) * Y(sy) * X(sx), whose determinant is 1: the inverse has the entries swapped.
  const a = Math.cos(turn - sy) / Math.cos(sy);
  const b = -a * Math.tan(sx) - Math.sin(turn);
  const c = Math.sin(turn - sy) / Math.cos(sy);
  const d = -c * Math.tan(sx) + Math.cos(turn);
  const [m, n, o, p] = [d / scale, -b / scale, -c / scale, a / scale];
  return [m, n, cx - m * (cx + tx) - n * (cy + ty), o, p, cy - o * (cx + tx) - p * (cy + ty)];
}

/** A centre in pixels from the top left corner, as one from the middle. @internal */
export function centreOf(
  op: string,
  center: readonly [x: number, y: number] | undefined,
  batch: Tensor,
): readonly [number, number] {
  if (center === undefined) return [0, 0];
  if (!Array.isArray(center) || center.length !== 2)
    throw new ArgumentError(`${op}: center must be [x, y], got ${String(center)}.`);
  const [x, y] = center as readonly number[];
  return [checkNumber(op, 'center[0]', x) - batch.shape[3] / 2, checkNumber(op, 'center[1]', y) - batch.shape[2] / 2];
}

/** Options of `affine`. */
export interface AffineOptions extends WarpOptions {
  /** Turn clockwise, in degrees: one number, or one for each image. Default 0. */
  readonly angle?: PerSample;
  /** Pixels to the right and down, each one number, or one for each image. Default `[0, 0]`. */
  readonly translate?: readonly [x: PerSample, y: PerSample];
  /** Enlarge by this, above 0: one number, or one for each image. Default 1. */
  readonly scale?: PerSample;
  /** Shear along x and y, in degrees, each one number, or one for each image. Default `[0, 0]`. */
  readonly shear?: readonly [x: PerSample, y: PerSample];
  /** What stays in place, in pixels from the top left corner. Default: the middle. */
  readonly center?: readonly [x: number, y: number];
}

function pairOf(
  op: string,
  name: string,
  value: readonly [PerSample, PerSample],
  count: number,
): (readonly number[])[] {
  if (!Array.isArray(value) || value.length !== 2)
    throw new ArgumentError(
      `${op}: ${name} must be [x, y], got ${typeof value === 'object' ? JSON.stringify(value) : String(value)}.`,
    );
  return value.map((numbers: PerSample, i) => numbersOf(op, `${name}[${i}]`, numbers, count));
}

/**
 * Shears, turns, enlarges and moves images; their size stays. Where the map leads outside, the fill is, also in what an edge
 * is blended with (torchvision darkens such pixels).
 *
 * @throws ArgumentError naming the option; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.affine(images, { angle: [10, -10], translate: [2, 0], interpolation: 'bilinear' });
 */
export function affine<D extends DType>(images: Tensor<Shape, D>, options: AffineOptions = {}): Tensor<Shape, D> {
  const op = 'affine';
  const {
    angle = 0,
    translate = [0, 0],
    scale = 1,
    shear = [0, 0],
    center,
    interpolation = 'nearest',
    fill = 0,
  } = options;
  checkChoice(op, 'interpolation', interpolation, interpolations);
  return onBatch(op, images, (x) => {
    const count = x.shape[0];
    const angles = numbersOf(op, 'angle', angle, count);
    const scales = numbersOf(op, 'scale', scale, count, 0);
    if (scales.includes(0)) throw new ArgumentError(`${op}: scale must be above 0, got 0.`);
    const [tx, ty] = pairOf(op, 'translate', translate, count);
    const [sx, sy] = pairOf(op, 'shear', shear, count);
    const middle = centreOf(op, center, x);
    const matrices = angles.map((degrees, n) =>
      inverseAffine({ angle: degrees, translate: [tx[n], ty[n]], scale: scales[n], shear: [sx[n], sy[n]] }, middle),
    );
    return warpAffine(op, x, matrices, [x.shape[2], x.shape[3]], interpolation, fill);
  });
}

/** Options of `rotate`. */
export interface RotateOptions extends WarpOptions {
  /** What stays in place, in pixels from the top left corner. Default: the middle. */
  readonly center?: readonly [x: number, y: number];
  /** Make the result as large as the largest turned image of the batch needs. Only around the middle. Default false. */
  readonly expand?: boolean;
}

/**
 * Turns images counter-clockwise.
 *
 * @param angle in degrees: one number, or one for each image
 * @throws ArgumentError naming the argument; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.rotate(images, [90, -15], { interpolation: 'bilinear' });
 */
export function rotate<D extends DType>(
  images: Tensor<Shape, D>,
  angle: PerSample,
  options: RotateOptions = {},
): Tensor<Shape, D> {
  const op = 'rotate';
  const { center, expand = false, interpolation = 'nearest', fill = 0 } = options;
  checkChoice(op, 'interpolation', interpolation, interpolations);
  if (expand && center !== undefined) throw new ArgumentError(`${op}: expand is for turning around the middle.`);
  return onBatch(op, images, (x) => {
    const [count, , rows, columns] = x.shape;
    const angles = numbersOf(op, 'angle', angle, count);
    const middle = centreOf(op, center, x);
    const matrices = angles.map((degrees) =>
      inverseAffine({ angle: -(degrees % 360), translate: [0, 0], scale: 1, shear: [0, 0] }, middle),
    );
    const size = expand && count > 0 ? expandedSize(matrices, rows, columns) : ([rows, columns] as const);
    return warpAffine(op, x, matrices, size, interpolation, fill);
  });
}

// The size that holds every turned image.
function expandedSize(matrices: readonly Inverse[], rows: number, columns: number): [height: number, width: number] {
  // The rounding errors of sines make no pixel.
  const side = (p: number, q: number): number => Math.ceil(columns * Math.abs(p) + rows * Math.abs(q) - 1e-6);
  return [
    Math.max(...matrices.map(([, b, , , d]) => side(b, d))),
    Math.max(...matrices.map(([a, , , c]) => side(a, c))),
  ];
}

/** Four corners, `[x, y]` each: top left, top right, bottom right, bottom left. */
export type Corners = readonly (readonly [x: number, y: number])[];

/** The eight numbers of the projective map that takes `end` to `start`: Gauss-Jordan elimination of 8 equations. */
function perspectiveCoefficients(op: string, start: Corners, end: Corners): number[] {
  const rows: number[][] = [];
  end.forEach(([x, y], i) => {
    const [u, v] = start[i];
    rows.push([x, y, 1, 0, 0, 0, -u * x, -u * y, u], [0, 0, 0, x, y, 1, -v * x, -v * y, v]);
  });
  for (let k = 0; k < 8; k++) {
    let pivot = k;
    for (let i = k + 1; i < 8; i++) if (Math.abs(rows[i][k]) > Math.abs(rows[pivot][k])) pivot = i;
    if (Math.abs(rows[pivot][k]) < 1e-10)
      throw new ArgumentError(`${op}: endPoints have three corners on one line: ${JSON.stringify(end)}.`);
    [rows[k], rows[pivot]] = [rows[pivot], rows[k]];
    for (let i = 0; i < 8; i++) {
      if (i === k) continue;
      const factor = rows[i][k] / rows[k][k];
      if (factor !== 0) for (let j = k; j < 9; j++) rows[i][j] -= factor * rows[k][j];
    }
  }
  return rows.map((row, k) => row[8] / row[k]);
}

function checkCorners(op: string, name: string, value: unknown, count: number): Corners[] {
  const isCorners = (list: unknown): boolean =>
    Array.isArray(list) &&
    list.length === 4 &&
    list.every((point) => Array.isArray(point) && point.length === 2 && point.every((n) => Number.isFinite(n)));
  if (isCorners(value)) return new Array<Corners>(count).fill(value as Corners);
  if (Array.isArray(value) && value.length === count && value.every(isCorners)) return value as Corners[];
  throw new ArgumentError(
    `${op}: ${name} must be four corners [x, y], or such a list for each of the ${count} images.`,
  );
}

/**
 * Bends images so that the pixels at four places come to four others, as a plane seen from another side.
 *
 * @param startPoints four corners in the images, `[x, y]` in pixels: top left, top right, bottom right, bottom left; one list for
 *   all images, or one for each
 * @param endPoints where they come to, likewise
 * @throws ArgumentError naming the argument; ShapeError, DTypeError for what are no images
 * @example
 * data.transforms.functional.perspective(images, [[0, 0], [31, 0], [31, 31], [0, 31]], [[4, 0], [31, 2], [28, 31], [0, 30]]);
 */
export function perspective<D extends DType>(
  images: Tensor<Shape, D>,
  startPoints: Corners | readonly Corners[],
  endPoints: Corners | readonly Corners[],
  options: WarpOptions = {},
): Tensor<Shape, D> {
  const op = 'perspective';
  const { interpolation = 'bilinear', fill = 0 } = options;
  checkChoice(op, 'interpolation', interpolation, interpolations);
  return onBatch(op, images, (batch) => {
    const [count, , rows, columns] = batch.shape;
    const starts = checkCorners(op, 'startPoints', startPoints, count);
    const ends = checkCorners(op, 'endPoints', endPoints, count);
    fillOperand(op, fill, batch);
    if (batch.numel === 0) return batch;
    const coefficients = starts.map((start, n) => perspectiveCoefficients(op, start, ends[n]));
    return inFloat(batch, 'round', (floats) => {
      const { dtype, device } = floats;
      const [a, b, c, d, e, f, g, h] = Array.from({ length: 8 }, (_, k) =>
        fromTypedArray(
          Float64Array.from(coefficients, (list) => list[k]),
          [count, 1, 1],
          { dtype, device },
        ),
      );
      // The centres of the pixels.
      const x = arange(0.5, columns, 1, { dtype, device }).reshape([1, 1, columns]);
      const y = arange(0.5, rows, 1, { dtype, device }).reshape([1, rows, 1]);
      const plane = (p: Tensor, q: Tensor, r: Tensor | number): Tensor =>
        x
          .mul(p)
          .add(y.mul(q))
          .add(r as Tensor);
      const depth = plane(g, h, 1);
      const grid = stack(
        [
          plane(a, b, c)
            .div(depth)
            .mul(2 / columns)
            .sub(1),
          plane(d, e, f)
            .div(depth)
            .mul(2 / rows)
            .sub(1),
        ],
        -1,
      );
      return sample(op, floats, grid, interpolation, fill);
    });
  });
}
