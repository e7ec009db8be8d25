// Pooling over windows of one to three spatial dimensions. Kernels: native/cpu/pool.cpp. Exported in nn.functional only.
import { noGrad } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, scratchNumbers } from '../native.js';
import { formatShape, numel, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { mul, pow } from './arithmetic.js';
import { cast, contiguous } from './copy.js';
import { checkTensor, defineMultiOp, defineOp, filledTensor, needsRecord, type MultiOp, type Op } from './define.js';
import { checkWindow, isBatched, readSizes, stageGeometry, windowCount, type Sizes } from './geometry.js';
import { gatherOp } from './indexing.js';
import { scatter } from './scatter.js';
import { adaptiveTable, resample } from './resample.js';
import { reshape } from './view.js';

/** What all poolings over a sliding window take. */
export interface PoolOptions {
  /** The step of the window. Default: the kernel size. */
  stride?: Sizes;
  /** On both sides of each spatial dimension; at most half of the kernel. Default 0. */
  padding?: Sizes;
  /** Count a last window that is cut off by the end of the input. Default false. */
  ceilMode?: boolean;
}

/** Options of `maxPool1d`, `maxPool2d` and `maxPool3d`. Padding counts as minus infinity. */
export interface MaxPoolOptions extends PoolOptions {
  /** The distance between the taps of the window. Default 1. */
  dilation?: Sizes;
  /** Also give the position of each maximum in its plane (int64), for `maxUnpool`. Default false. */
  returnIndices?: boolean;
}

/** Options of `avgPool1d`, `avgPool2d` and `avgPool3d`. Padding counts as 0. */
export interface AvgPoolOptions extends PoolOptions {
  /** Padding counts as elements of the window. Default true. */
  countIncludePad?: boolean;
  /** Divide by this instead of the number of elements. */
  divisorOverride?: number;
}

/** Options of `lpPool1d`, `lpPool2d` and `lpPool3d`. */
export type LPPoolOptions = Omit<PoolOptions, 'padding'>;

/** Options of `maxUnpool1d`, `maxUnpool2d` and `maxUnpool3d`. */
export interface MaxUnpoolOptions {
  /** The step of the pooling. Default: the kernel size. */
  stride?: Sizes;
  /** The padding of the pooling. Default 0. */
  padding?: Sizes;
  /** The spatial size of the result, or its whole shape; of several sizes that pooling brings to the input's. */
  outputSize?: readonly number[];
}

/** Options of adaptive maximum pooling. */
export interface AdaptiveMaxPoolOptions {
  /** Also give the position of each maximum in its plane (int64). Default false. */
  returnIndices?: boolean;
}

/** Sizes of an adaptive pooling's result: one for all spatial dimensions, or one each; null keeps the input's. */
export type AdaptiveSizes = number | null | readonly (number | null)[];

/** Maxima and where they were found, as a pair. */
export type ValuesWithIndices<D extends DType> = readonly [values: Tensor<Shape, D>, indices: Tensor<Shape, 'int64'>];

type Spatial = 1 | 2 | 3;

// Checks x and gives it a batch dimension.
function readInput(op: string, x: Tensor, spatial: Spatial): { shape: Shape; call: string; firstDim: number } {
  checkTensor(op, 'x', x);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: x must be a float tensor, got ${x.dtype}.`);
  const shape = isBatched(op, x.shape, spatial) ? x.shape : [1, ...x.shape];
  return { shape, call: `${op}(x ${formatShape(x.shape)})`, firstDim: x.shape.length - spatial };
}

const restore = (x: Tensor, shape: Shape, out: Tensor): Tensor =>
  shape === x.shape ? out : reshape(out, out.shape.slice(1));

interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

function readWindow(
  op: string,
  spatial: Spatial,
  kernelSize: Sizes,
  options: { stride?: Sizes; padding?: Sizes; dilation?: Sizes },
): Window {
  const kernel = readSizes(op, 'kernelSize', kernelSize, spatial, 1);
  const window = {
    kernel,
    stride: readSizes(op, 'stride', options.stride ?? kernel, spatial, 1),
    padding: readSizes(op, 'padding', options.padding ?? 0, spatial, 0),
    dilation: readSizes(op, 'dilation', options.dilation ?? 1, spatial, 1),
  };
  window.padding.forEach((pad, d) => {
    const extent = window.dilation[d] * (kernel[d] - 1) + 1;
    if (pad * 2 > extent) {
      throw new ArgumentError(
        `${op}: padding must be at most half of the kernel, got ${pad} for a kernel of ${extent}.`,
      );
    }
  });
  return window;
}

// How many windows there are along each dimension.
function countWindows(
  call: string,
  sizes: Shape,
  firstDim: number,
  { kernel, stride, padding, dilation }: Window,
  ceilMode: boolean,
): number[] {
  const both = padding.map((size) => 2 * size);
  const slack = ceilMode ? stride.map((step) => step - 1) : stride.map(() => 0);
  checkWindow(
    call,
    sizes,
    firstDim,
    kernel,
    both.map((size, d) => size + slack[d]),
    dilation,
  );
  return sizes.map((size, d) => {
    const count = windowCount(size, kernel[d], stride[d], both[d] + slack[d], dilation[d]);
    // A window that would begin behind the input does not count.
    return ceilMode && (count - 1) * stride[d] >= size + padding[d] ? count - 1 : count;
  });
}

// The kernels know contiguous float32 and float64: other layouts are copied, half types converted.
function launch(out: Tensor, x: Tensor, run: (out: Tensor, x: Tensor) => void): void {
  const half = out.dtype !== 'float32' && out.dtype !== 'float64';
  if (!half && x.isContiguous) {
    run(out, x);
    return;
  }
  noGrad(() =>
    tidy(() => {
      const target: Tensor = half ? emptyTensor('pool', out.shape, 'float32', out.device) : out;
      run(target, contiguous(half ? cast(x, 'float32') : x));
      if (half) native.copy(out._handle, target._handle);
    }),
  );
}

// ---- maximum

interface MaxAttributes extends Window {
  readonly result: Shape;
}

const stageMax = ({ kernel, stride, padding, dilation }: MaxAttributes): number =>
  stageGeometry([
    [kernel, kernel.every((size) => size === 0) ? 0 : 1],
    [stride, 1],
    [padding, 0],
    [dilation, 1],
  ]);

const planes = (x: Tensor): Tensor => reshape(x, [x.shape[0], x.shape[1], numel(x.shape.slice(2))]);

// g's elements at their indices in planes of zeros; the transpose of picking them.
const maxBackward: Op<{ shape: Shape }> = defineOp({
  name: 'maxPoolBackward',
  inputs: ['g', 'indices'],
  saves: { g: ['indices'] },
  shape: (_, { shape }: { shape: Shape }) => shape,
  dtype: ({ g }) => g.dtype,
  forward: ([out], { g, indices }) =>
    launch(out, g, (target, source) => native.maxPoolBackward(target._handle, source._handle, indices._handle)),
  vjp: ([h], { indices }) => [
    () => tidy(() => reshape(gatherOp([planes(h), planes(indices)], { dim: 2 }), indices.shape)),
    null,
  ],
});

function maxOps(name: string): { both: MultiOp<MaxAttributes>; values: Op<MaxAttributes> } {
  return {
    both: defineMultiOp({
      name,
      inputs: ['x'],
      saves: ['out1'],
      outputs: ({ x }, { result }: MaxAttributes) => [
        { shape: result, dtype: x.dtype },
        { shape: result, dtype: 'int64' },
      ],
      forward: ([out, indices], { x }, attributes) =>
        launch(out, x, (target, source) =>
          native.maxPool(target._handle, indices._handle, source._handle, stageMax(attributes)),
        ),
      vjp: ([g], { out1 }, _, { inputs }) => [() => maxBackward([g, out1], { shape: inputs[0]!.shape })],
    }),
    // Without indices, where nobody asks for them or for a gradient.
    values: defineOp({
      name,
      inputs: ['x'],
      shape: (_, { result }: MaxAttributes) => result,
      forward: ([out], { x }, attributes) =>
        launch(out, x, (target, source) => native.maxPool(target._handle, 0, source._handle, stageMax(attributes))),
    }),
  };
}

const maxPools = [1, 2, 3].map((spatial) => maxOps(`maxPool${spatial}d`));
const adaptiveMaxPools = [1, 2, 3].map((spatial) => maxOps(`adaptiveMaxPool${spatial}d`));

function applyMax(
  { both, values }: { both: MultiOp<MaxAttributes>; values: Op<MaxAttributes> },
  x: Tensor,
  shape: Shape,
  attributes: MaxAttributes,
  returnIndices: boolean,
): Tensor | Tensor[] {
  return tidy(() => {
    const input = shape === x.shape ? x : reshape(x, shape);
    if (!returnIndices && !needsRecord([x])) return restore(x, shape, values([input], attributes));
    const outs = both([input], attributes).map((out) => restore(x, shape, out));
    return returnIndices ? outs : outs[0];
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

function maxUnpool(spatial: Spatial, x: Tensor, indices: Tensor, kernelSize: Sizes, options: MaxUnpoolOptions): Tensor {
  const op = `maxUnpool${spatial}d`;
  const { shape, firstDim } = readInput(op, x, spatial);
  checkTensor(op, 'indices', indices);
  const call = `${op}(x ${formatShape(x.shape)}, indices ${formatShape(indices.shape)})`;
  if (indices.dtype !== 'int64') throw new DTypeError(`${op}: indices must be int64, got ${indices.dtype}.`);
  if (formatShape(indices.shape) !== formatShape(x.shape)) throw new ShapeError(`${call}: the shapes must be equal.`);
  const { kernel, stride, padding } = readWindow(op, spatial, kernelSize, options);
  const given = options.outputSize;
  const wanted = given?.length === x.shape.length ? given.slice(firstDim) : given;
  if (wanted !== undefined && wanted.length !== spatial) {
    throw new ArgumentError(
      `${call}: outputSize must have ${spatial} or ${x.shape.length} sizes, got ${wanted.length}.`,
    );
  }
  const sizes = shape.slice(2).map((size, d) => {
    const usual = (size - 1) * stride[d] - 2 * padding[d] + kernel[d];
    const out = wanted?.[d] ?? usual;
    if (wanted !== undefined && !(Number.isInteger(out) && Math.abs(out - usual) < stride[d])) {
      throw new ArgumentError(
        `${call}: outputSize ${String(out)} of spatial dimension ${d} is not between ${usual - stride[d] + 1} and ${usual + stride[d] - 1}.`,
      );
    }
    if (out < 1) throw new ShapeError(`${call}: spatial dimension ${d} of the result would have size ${out}.`);
    return out;
  });
  return tidy(() => {
    const [batch, channels] = shape as readonly [number, number];
    const count = numel(shape.slice(2));
    const zeros = filledTensor(op, [batch, channels, numel(sizes)], x.dtype, x.device, 0);
    const flat = [batch, channels, count];
    const out = scatter(zeros, 2, reshape(indices as Tensor<Shape, 'int64'>, flat), reshape(x, flat));
    return reshape(out, [...x.shape.slice(0, firstDim), ...sizes]);
  });
}

/**
 * Puts maxima back where `maxPool1d` found them, between zeros: its partial inverse.
 *
 * Shapes: x and indices `[N, C, L] -> [N, C, Lout]`, or all without N, where `Lout = (L - 1) stride - 2 padding + K` unless
 * `outputSize` says otherwise.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 */
export function maxUnpool1d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(1, x, indices, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * Puts maxima back where `maxPool2d` found them, between zeros; see `maxUnpool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 * @example
 * const [y, indices] = nn.functional.maxPool2d(randn([1, 1, 4, 4]), 2, { returnIndices: true });
 * nn.functional.maxUnpool2d(y, indices, 2).shape; // [1, 1, 4, 4]
 */
export function maxUnpool2d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(2, x, indices, kernelSize, options) as Tensor<Shape, D>;
}

/**
 * Puts maxima back where `maxPool3d` found them, between zeros; see `maxUnpool1d`.
 *
 * @throws ShapeError, ArgumentError, DTypeError; IndexError (at the next read) for an index outside of the result
 */
export function maxUnpool3d<D extends DType>(
  x: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64'>,
  kernelSize: Sizes,
  options: MaxUnpoolOptions = {},
): Tensor<Shape, D> {
  return maxUnpool(3, x, indices, kernelSize, options) as Tensor<Shape, D>;
}

// ---- mean

interface AvgAttributes extends Window {
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
    forward: ([out], { x }, attributes) =>
      launch(out, x, (target, source) => native.avgPool(target._handle, source._handle, stageAvg(attributes))),
    vjp: ([g], _, attributes, { inputs }) => [() => backward([g], { ...attributes, result: inputs[0]!.shape })],
  });
  const backward: Op<AvgAttributes> = defineOp({
    name: `${name}Backward`,
    inputs: ['g'],
    shape: (_, { result }: AvgAttributes) => result,
    forward: ([out], { g }, attributes) =>
      launch(out, g, (target, source) => native.avgPoolBackward(target._handle, source._handle, stageAvg(attributes))),
    vjp: ([h], _, attributes, { inputs }) => [() => forward([h], { ...attributes, result: inputs[0]!.shape })],
  });
  return forward;
}

const avgPools = [1, 2, 3].map((spatial) => avgOp(`avgPool${spatial}d`));

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

function readAdaptive(
  op: string,
  x: Tensor,
  spatial: Spatial,
  outputSize: AdaptiveSizes,
): { shape: Shape; sizes: number[] } {
  const { shape, call, firstDim } = readInput(op, x, spatial);
  const list: readonly unknown[] = Array.isArray(outputSize)
    ? outputSize
    : new Array<unknown>(spatial).fill(outputSize);
  const inner = shape.slice(2);
  const sizes = readSizes(
    op,
    'outputSize',
    list.map((size, d) => (size === null && d < inner.length ? inner[d] : size)) as number[],
    spatial,
    0,
  );
  const empty = inner.indexOf(0);
  if (empty >= 0) throw new ShapeError(`${call}: dimension ${empty + firstDim} of the input is empty.`);
  return { shape, sizes: [...sizes] };
}

function adaptiveAvgPool(spatial: Spatial, x: Tensor, outputSize: AdaptiveSizes): Tensor {
  const { sizes } = readAdaptive(`adaptiveAvgPool${spatial}d`, x, spatial, outputSize);
  const first = x.shape.length - spatial;
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
