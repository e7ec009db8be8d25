// Maxima of windows. Kernels: native/cpu/max_pool.cpp. For the gradient, where a maximum stood is kept as the number of its
// tap in the window, a byte. Exported in nn.functional only.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast, contiguous } from './copy.js';
import { defineMultiOp, defineOp, needsRecord, type MultiOp, type Op } from './define.js';
import { stageGeometry, type Sizes } from './geometry.js';
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
import { reshape } from './view.js';

/** Options of `maxPool1d`, `maxPool2d` and `maxPool3d`. Padding counts as minus infinity. */
export interface MaxPoolOptions extends PoolOptions {
  /** The distance between the taps of the window. Default 1. */
  dilation?: Sizes;
  /** Also give the position of each maximum in its plane (int64), for `maxUnpool`. Default false. */
  returnIndices?: boolean;
}

/** Options of adaptive maximum pooling. */
export interface AdaptiveMaxPoolOptions {
  /** Also give the position of each maximum in its plane (int64). Default false. */
  returnIndices?: boolean;
}

/** Maxima and where they were found, as a pair. */
export type ValuesWithIndices<D extends DType> = readonly [values: Tensor<Shape, D>, indices: Tensor<Shape, 'int64'>];

interface MaxAttributes extends Window, InOrder {
  readonly result: Shape;
}

const isAdaptive = ({ kernel }: Window): boolean => kernel.every((size) => size === 0);

const stageMax = (attributes: MaxAttributes): number =>
  stageGeometry([
    [attributes.kernel, isAdaptive(attributes) ? 0 : 1],
    [attributes.stride, 1],
    [attributes.padding, 0],
    [attributes.dilation, 1],
  ]);

/** The type of the numbers of taps: the largest window has at most so many. */
function tapType(sizes: Shape, attributes: MaxAttributes): DType {
  const widths = isAdaptive(attributes)
    ? sizes.map((size, d) => {
        const windows = Math.max(attributes.result[d + 2], 1);
        return Math.ceil(size / windows) + (size % windows !== 0 ? 1 : 0);
      })
    : attributes.kernel;
  return widths.reduce((product, width) => product * width, 1) <= 256 ? 'uint8' : 'int32';
}

// g's elements at their taps in planes of zeros; the transpose of taking them from there.
const maxBackward: Op<MaxAttributes> = defineOp({
  name: 'maxPoolBackward',
  inputs: ['g', 'taps'],
  saves: { g: ['taps'] },
  shape: (_, { result }: MaxAttributes) => result,
  strides: orderedStrides,
  dtype: ({ g }) => g.dtype,
  forward: ([out], { g, taps }, attributes) =>
    launch(out, g, taps, attributes, (...handles) => native.maxPoolBackward(...handles, stageMax(attributes))),
  vjp: ([h], { taps }, attributes, { inputs }) => [
    () => maxTake([h, taps], { ...attributes, result: inputs[0]!.shape }),
    null,
  ],
});

const maxTake: Op<MaxAttributes> = defineOp({
  name: 'maxPoolTake',
  inputs: ['x', 'taps'],
  saves: { x: ['taps'] },
  shape: (_, { result }: MaxAttributes) => result,
  strides: orderedStrides,
  dtype: ({ x }) => x.dtype,
  forward: ([out], { x, taps }, attributes) =>
    launch(out, x, taps, attributes, (...handles) => native.maxPoolTake(...handles, stageMax(attributes))),
  vjp: ([h], { taps }, attributes, { inputs }) => [
    () => maxBackward([h, taps], { ...attributes, result: inputs[0]!.shape }),
    null,
  ],
});

// Where taps are in their planes.
const indicesOp: Op<MaxAttributes> = defineOp({
  name: 'maxPoolIndices',
  inputs: ['x', 'taps'],
  shape: (_, { result }: MaxAttributes) => result,
  strides: orderedStrides,
  dtype: () => 'int64',
  forward: ([out], { x, taps }, attributes) =>
    noGrad(() =>
      tidy(() => {
        const format = { memoryFormat: attributes.last ? 'channelsLast' : 'contiguous' } as const;
        // The kernel looks at x's shape, not at its values.
        const shaped = contiguous(x.dtype === 'float64' ? x : cast(x, 'float32'), format);
        native.maxPoolIndices(out._handle, contiguous(taps, format)._handle, shaped._handle, stageMax(attributes));
      }),
    ),
});

interface MaxOps {
  readonly withTaps: MultiOp<MaxAttributes>;
  /** Where nobody asks for indices or for a gradient. */
  readonly values: Op<MaxAttributes>;
}

function maxOps(name: string): MaxOps {
  return {
    withTaps: defineMultiOp({
      name,
      inputs: ['x'],
      saves: ['out1'],
      outputs: ({ x }, attributes: MaxAttributes) => {
        const strides = orderedStrides(attributes.result, null, attributes);
        return [
          { shape: attributes.result, dtype: x.dtype, strides },
          { shape: attributes.result, dtype: tapType(x.shape.slice(2), attributes), strides },
        ];
      },
      forward: ([out, taps], { x }, attributes) =>
        launch(out, x, taps, attributes, (to, from, where) => native.maxPool(to, where, from, stageMax(attributes))),
      vjp: ([g], { out1 }, attributes, { inputs }) => [
        () => maxBackward([g, out1], { ...attributes, result: inputs[0]!.shape }),
      ],
    }),
    values: defineOp({
      name,
      inputs: ['x'],
      shape: (_, { result }: MaxAttributes) => result,
      strides: orderedStrides,
      forward: ([out], { x }, attributes) =>
        launch(out, x, null, attributes, (to, from) => native.maxPool(to, 0, from, stageMax(attributes))),
    }),
  };
}

const maxPools = [1, 2, 3].map((spatial) => maxOps(`maxPool${spatial}d`));
const adaptiveMaxPools = [1, 2, 3].map((spatial) => maxOps(`adaptiveMaxPool${spatial}d`));

function applyMax(
  { withTaps, values }: MaxOps,
  x: Tensor,
  shape: Shape,
  given: Omit<MaxAttributes, 'last'>,
  returnIndices: boolean,
): Tensor | Tensor[] {
  return tidy(() => {
    const input = shape === x.shape ? x : reshape(x, shape);
    const attributes = { ...given, last: isLast(input) };
    if (!returnIndices && !needsRecord([x])) return restore(x, shape, values([input], attributes));
    const [out, taps] = withTaps([input], attributes);
    if (!returnIndices) return restore(x, shape, out);
    return [out, indicesOp([input, taps], attributes)].map((each) => restore(x, shape, each));
  });
}

function maxPool(spatial: Spatial, x: Tensor, kernelSize: Sizes, options: MaxPoolOptions): Tensor | Tensor[] {
  const op = `maxPool${spatial}d`;
  const { shape, call, firstDim } = readInput(op, x, spatial);
  const window = readWindow(op, spatial, kernelSize, options);
  const sizes = shape.slice(2);
  const counts = countWindows(call, sizes, firstDim, window, options.ceilMode ?? false);
  counts.forEach((count, d) => {
    for (let o = 0; o < count; o++) {
      const start = o * window.stride[d] - window.padding[d];
      const step = window.dilation[d];
      const first = start < 0 ? start + Math.ceil(-start / step) * step : start;
      if (first < sizes[d] && first <= start + (window.kernel[d] - 1) * step) {
        // Later windows begin inside.
        if (start >= 0) break;
        continue;
      }
      throw new ShapeError(
        `${call}: all taps of window ${o} along dimension ${d + firstDim} fall into the padding; reduce padding or dilation.`,
      );
    }
  });
  const result = [shape[0], shape[1], ...counts];
  return applyMax(maxPools[spatial - 1], x, shape, { ...window, result }, options.returnIndices ?? false);
}

type WithIndices = MaxPoolOptions & { returnIndices: true };

/**
 * The largest element of each window along a sequence; NaN where a window has one. Of equal ones the first gets the
 * gradient.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N, where `Lout = floor((L + 2 padding - dilation (K - 1) - 1) / stride)
 * + 1` (`ceil` with ceilMode, less a window that would begin behind the input).
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 * @example
 * nn.functional.maxPool1d(randn([1, 2, 10]), 2).shape; // [1, 2, 5]
 */
export function maxPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: WithIndices,
): ValuesWithIndices<D>;
export function maxPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options?: MaxPoolOptions,
): Tensor<Shape, D>;
export function maxPool1d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): unknown {
  return maxPool(1, x, kernelSize, options);
}

/**
 * The largest element of each window of an image; see `maxPool1d`. Indices count through `[H, W]`.
 *
 * Shapes: `[N, C, H, W] -> [N, C, Hout, Wout]`, or both without N.
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 * @example
 * nn.functional.maxPool2d(randn([1, 2, 8, 8]), 2).shape; // [1, 2, 4, 4]
 */
export function maxPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: WithIndices,
): ValuesWithIndices<D>;
export function maxPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options?: MaxPoolOptions,
): Tensor<Shape, D>;
export function maxPool2d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): unknown {
  return maxPool(2, x, kernelSize, options);
}

/**
 * The largest element of each window of a volume; see `maxPool1d`. Indices count through `[D, H, W]`.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, Dout, Hout, Wout]`, or both without N.
 *
 * @throws ShapeError if the window is larger than the padded input; ArgumentError for options out of range; DTypeError
 *   for integers
 */
export function maxPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options: WithIndices,
): ValuesWithIndices<D>;
export function maxPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  kernelSize: Sizes,
  options?: MaxPoolOptions,
): Tensor<Shape, D>;
export function maxPool3d(x: Tensor, kernelSize: Sizes, options: MaxPoolOptions = {}): unknown {
  return maxPool(3, x, kernelSize, options);
}

function adaptiveMaxPool(
  spatial: Spatial,
  x: Tensor,
  outputSize: AdaptiveSizes,
  { returnIndices = false }: AdaptiveMaxPoolOptions,
): Tensor | Tensor[] {
  const { shape, sizes } = readAdaptive(`adaptiveMaxPool${spatial}d`, x, spatial, outputSize);
  const all = (value: number): number[] => new Array<number>(spatial).fill(value);
  const attributes = {
    kernel: all(0),
    stride: all(1),
    padding: all(0),
    dilation: all(1),
    result: [shape[0], shape[1], ...sizes],
  };
  return applyMax(adaptiveMaxPools[spatial - 1], x, shape, attributes, returnIndices);
}

type AdaptiveWithIndices = AdaptiveMaxPoolOptions & { returnIndices: true };

/**
 * Maxima of windows that divide a sequence into a given number: window i is from `floor(i L / n)` to `ceil((i + 1) L / n)`.
 *
 * Shapes: `[N, C, L] -> [N, C, outputSize]`, or both without N.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 */
export function adaptiveMaxPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options: AdaptiveWithIndices,
): ValuesWithIndices<D>;
export function adaptiveMaxPool1d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options?: AdaptiveMaxPoolOptions,
): Tensor<Shape, D>;
export function adaptiveMaxPool1d(x: Tensor, outputSize: AdaptiveSizes, options: AdaptiveMaxPoolOptions = {}): unknown {
  return adaptiveMaxPool(1, x, outputSize, options);
}

/**
 * Maxima of windows that divide an image into a given number; see `adaptiveMaxPool1d`. null keeps a size.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 * @example
 * nn.functional.adaptiveMaxPool2d(randn([2, 8, 7, 9]), 1).shape; // [2, 8, 1, 1]
 */
export function adaptiveMaxPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options: AdaptiveWithIndices,
): ValuesWithIndices<D>;
export function adaptiveMaxPool2d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options?: AdaptiveMaxPoolOptions,
): Tensor<Shape, D>;
export function adaptiveMaxPool2d(x: Tensor, outputSize: AdaptiveSizes, options: AdaptiveMaxPoolOptions = {}): unknown {
  return adaptiveMaxPool(2, x, outputSize, options);
}

/**
 * Maxima of windows that divide a volume into a given number; see `adaptiveMaxPool1d`. null keeps a size.
 *
 * @throws ShapeError for an empty input; ArgumentError, DTypeError
 */
export function adaptiveMaxPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options: AdaptiveWithIndices,
): ValuesWithIndices<D>;
export function adaptiveMaxPool3d<D extends DType>(
  x: Tensor<Shape, D>,
  outputSize: AdaptiveSizes,
  options?: AdaptiveMaxPoolOptions,
): Tensor<Shape, D>;
export function adaptiveMaxPool3d(x: Tensor, outputSize: AdaptiveSizes, options: AdaptiveMaxPoolOptions = {}): unknown {
  return adaptiveMaxPool(3, x, outputSize, options);
}
