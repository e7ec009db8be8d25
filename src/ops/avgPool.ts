// Means and power means of windows. Kernel: native/cpu/avg_pool.cpp. Exported in nn.functional only.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, scratchNumbers } from '../native.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul, pow } from './arithmetic.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { readSizes, stageGeometry, type Sizes } from './geometry.js';
import {
  countWindows,
  isLast,
  launch,
  orderedStrides,
  readAdaptive,
  readInput,
  readWindow,
  restore,
  type AdaptiveSizes,
  type InOrder,
  type PoolOptions,
  type Spatial,
  type Window,
} from './poolWindow.js';
import { adaptiveTable, resample } from './resample.js';
import { reshape } from './view.js';

/** Options of `avgPool1d`, `avgPool2d` and `avgPool3d`. Padding counts as 0. */
export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts as elements of the window. Default true. */
  countIncludePad?: boolean;
  /** Divide by this instead of the number of elements. */
  divisorOverride?: number;
}

/** Options of `lpPool1d`, `lpPool2d` and `lpPool3d`. */
export type LPPoolOptions = Omit<PoolOptions, 'padding'>;

interface AvgAttributes extends Window, InOrder {
  readonly result: Shape;
  readonly countIncludePad: boolean;
  readonly divisor: number;
}

function stageAvg({ kernel, stride, padding, countIncludePad, divisor }: AvgAttributes): number {
  const staged = stageGeometry([
    [kernel, 1],
    [stride, 1],
    [padding, 0],
  ]);
  scratchNumbers[staged] = countIncludePad ? 1 : 0;
  scratchNumbers[staged + 1] = divisor;
  return staged + 2;
}

function avgOp(name: string): Op<AvgAttributes> {
  const forward: Op<AvgAttributes> = defineOp({
    name,
    inputs: ['x'],
    shape: (_, { result }: AvgAttributes) => result,
    strides: orderedStrides,
    forward: ([out], { x }, attributes) =>
      launch(out, x, null, attributes, (to, from) => native.avgPool(to, from, stageAvg(attributes))),
    vjp: ([g], _, attributes, { inputs }) => [() => backward([g], { ...attributes, result: inputs[0]!.shape })],
  });
  const backward: Op<AvgAttributes> = defineOp({
    name: `${name}Backward`,
    inputs: ['g'],
    shape: (_, { result }: AvgAttributes) => result,
    strides: orderedStrides,
    forward: ([out], { g }, attributes) =>
      launch(out, g, null, attributes, (to, from) => native.avgPoolBackward(to, from, stageAvg(attributes))),
    vjp: ([h], _, attributes, { inputs }) => [() => forward([h], { ...attributes, result: inputs[0]!.shape })],
  });
  return forward;
}

const avgPools = [1, 2, 3].map((spatial) => avgOp(`avgPool${spatial}d`));
const adaptiveAvgPools = [1, 2, 3].map((spatial) => avgOp(`adaptiveAvgPool${spatial}d`));

function avgPool(spatial: Spatial, x: Tensor, kernelSize: Sizes, options: AvgPoolOptions, op: string): Tensor {
  const { shape, call, firstDim } = readInput(op, x, spatial);
  const window = readWindow(op, spatial, kernelSize, options);
  const { ceilMode = false, countIncludePad = true, divisorOverride } = options;
  if (divisorOverride !== undefined && (!Number.isInteger(divisorOverride) || divisorOverride === 0)) {
    throw new ArgumentError(`${op}: divisorOverride must be an integer other than 0, got ${String(divisorOverride)}.`);
  }
  const counts = countWindows(call, shape.slice(2), firstDim, window, ceilMode);
  const attributes = {
    ...window,
    countIncludePad,
    divisor: divisorOverride ?? 0,
    last: isLast(x) && shape === x.shape,
    result: [shape[0], shape[1], ...counts],
  };
  const apply = avgPools[spatial - 1];
  if (shape === x.shape) return apply([x], attributes);
  return tidy(() => restore(x, shape, apply([reshape(x, shape)], attributes)));
}

/**
 * The mean of each window along a sequence. With ceilMode, what lies behind the padding does not count.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N, where `Lout = floor((L + 2 padding - K) / stride) + 1` (`ceil` with
 * ceilMode, less a window that would begin behind the input).
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 */
export function avgPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: AvgPoolOptions = {},
): Tensor<Shape, D> {
  return avgPool(1, x, kernelSize, options, 'avgPool1d') as Tensor<Shape, D>;
}

/**
 * The mean of each window of an image; see `avgPool1d`.
 *
 * Shapes: `[N, C, H, W] -> [N, C, Hout, Wout]`, or both without N.
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 * @example
 * nn.functional.avgPool2d(randn([1, 2, 8, 8]), 3, { stride: 2, padding: 1 }).shape; // [1, 2, 4, 4]
 */
export function avgPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: AvgPoolOptions = {},
): Tensor<Shape, D> {
  return avgPool(2, x, kernelSize, options, 'avgPool2d') as Tensor<Shape, D>;
}

/**
 * The mean of each window of a volume; see `avgPool1d`.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, Dout, Hout, Wout]`, or both without N.
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 */
export function avgPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: AvgPoolOptions = {},
): Tensor<Shape, D> {
  return avgPool(3, x, kernelSize, options, 'avgPool3d') as Tensor<Shape, D>;
}

// ---- power means

function lpPool(spatial: Spatial, x: Tensor, normType: number, kernelSize: Sizes, options: LPPoolOptions): Tensor {
  const op = `lpPool${spatial}d`;
  if (typeof normType !== 'number' || !(Math.abs(normType) > 0)) {
    throw new ArgumentError(`${op}: normType must be a number other than 0, got ${String(normType)}.`);
  }
  const taps = readSizes(op, 'kernelSize', kernelSize, spatial, 1).reduce((n, size) => n * size, 1);
  const { stride, ceilMode } = options;
  checkTensor(op, 'x', x);
  return tidy(() => {
    const means = avgPool(
      spatial,
      pow(x, normType),
      kernelSize,
      { ...(stride === undefined ? {} : { stride }), ...(ceilMode === undefined ? {} : { ceilMode }) },
      op,
    );
    return pow(mul(means, taps), 1 / normType);
  });
}

/**
 * The power sum of each window along a sequence: `(sum of x ** p) ** (1 / p)`, NaN where the sum is negative
 * (odd p) and with gradients that are not finite where it is 0, as in PyTorch. A window that ceilMode cuts off counts as its mean times the kernel's size.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N.
 *
 * @throws ShapeError, ArgumentError, DTypeError as `avgPool1d`
 */
export function lpPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  normType: number,
  kernelSize: Sizes,
  options: LPPoolOptions = {},
): Tensor<Shape, D> {
  return lpPool(1, x, normType, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * The power sum of each window of an image; see `lpPool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError as `avgPool2d`
 * @example
 * nn.functional.lpPool2d(ones([1, 1, 4, 4]), 2, 2).shape; // [1, 1, 2, 2]
 */
export function lpPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  normType: number,
  kernelSize: Sizes,
  options: LPPoolOptions = {},
): Tensor<Shape, D> {
  return lpPool(2, x, normType, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * The power sum of each window of a volume; see `lpPool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError as `avgPool3d`
 */
export function lpPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  normType: number,
  kernelSize: Sizes,
  options: LPPoolOptions = {},
): Tensor<Shape, D> {
  return lpPool(3, x, normType, kernelSize, options) as Tensor<Shape, D>;
}

// ---- adaptive

function adaptiveAvgPool(spatial: Spatial, x: Tensor, outputSize: AdaptiveSizes): Tensor {
  const { shape, sizes } = readAdaptive(`adaptiveAvgPool${spatial}d`, x, spatial, outputSize);
  const first = x.shape.length - spatial;
  const inner = shape.slice(2);
  // Windows of one size that do not overlap are those of avgPool.
  if (sizes.every((size, d) => size > 0 && inner[d] % size === 0)) {
    const kernel = inner.map((size, d) => size / sizes[d]);
    const padding = kernel.map(() => 0);
    const attributes = { kernel, stride: kernel, padding, dilation: kernel.map(() => 1), countIncludePad: true };
    return tidy(() => {
      const input = shape === x.shape ? x : reshape(x, shape);
      const result = [shape[0], shape[1], ...sizes];
      return restore(
        x,
        shape,
        adaptiveAvgPools[spatial - 1]([input], { ...attributes, divisor: 0, result, last: isLast(input) }),
      );
    });
  }
  return resample(
    `adaptiveAvgPool${spatial}d`,
    x,
    sizes.map((size, d) => ({ dim: first + d, table: adaptiveTable(x.shape[first + d], size) })),
  );
}

/**
 * Means of windows that divide a sequence into a given number: window i is from `floor(i L / n)` to `ceil((i + 1) L / n)`.
 *
 * Shapes: `[N, C, L] -> [N, C, outputSize]`, or both without N.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 */
export function adaptiveAvgPool1d<D extends DType>(x: Tensor<Shape, D>, outputSize: AdaptiveSizes): Tensor<Shape, D> {
  return adaptiveAvgPool(1, x, outputSize) as Tensor<Shape, D>;
}

/**
 * Means of windows that divide an image into a given number; see `adaptiveAvgPool1d`. null keeps a size.
 *
 * Shapes: `[N, C, H, W] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 * @example
 * nn.functional.adaptiveAvgPool2d(randn([2, 8, 7, 9]), [3, null]).shape; // [2, 8, 3, 9]
 */
export function adaptiveAvgPool2d<D extends DType>(x: Tensor<Shape, D>, outputSize: AdaptiveSizes): Tensor<Shape, D> {
  return adaptiveAvgPool(2, x, outputSize) as Tensor<Shape, D>;
}

/**
 * Means of windows that divide a volume into a given number; see `adaptiveAvgPool1d`. null keeps a size.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 */
export function adaptiveAvgPool3d<D extends DType>(x: Tensor<Shape, D>, outputSize: AdaptiveSizes): Tensor<Shape, D> {
  return adaptiveAvgPool(3, x, outputSize) as Tensor<Shape, D>;
}
