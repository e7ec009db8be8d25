// What poolings share: options, windows, and the layouts that kernels know.
import { noGrad } from '../autograd/mode.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, type Handle } from '../native.js';
import { channelsLastStrides, formatShape, isContiguous, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { cast, contiguous } from './copy.js';
import { checkTensor } from './define.js';
import { checkWindow, isBatched, readSizes, windowCount, type Sizes } from './geometry.js';
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

/** Sizes of an adaptive pooling's result: one for all spatial dimensions, or one each; null keeps the input's. */
export type AdaptiveSizes = number | null | readonly (number | null)[];

/** @internal */
export type Spatial = 1 | 2 | 3;

/** Checks x and gives it a batch dimension. @internal */
export function readInput(op: string, x: Tensor, spatial: Spatial): { shape: Shape; call: string; firstDim: number } {
  checkTensor(op, 'x', x);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: x must be a float tensor, got ${x.dtype}.`);
  const shape = isBatched(op, x.shape, spatial) ? x.shape : [1, ...x.shape];
  return { shape, call: `${op}(x ${formatShape(x.shape)})`, firstDim: x.shape.length - spatial };
}

/** @internal */
export const restore = (x: Tensor, shape: Shape, out: Tensor): Tensor =>
  shape === x.shape ? out : reshape(out, out.shape.slice(1));

/** @internal */
export interface Window {
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

/** @internal */
export function readWindow(
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

/** How many windows there are along each dimension. @internal */
export function countWindows(
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

/** An operation's result lies channels-last. @internal */
export interface InOrder {
  readonly last: boolean;
}

/** True if pooling x gives a channels-last result. @internal */
export const isLast = (x: Tensor): boolean => x.memoryFormat === 'channelsLast';

/** Strides of a result, for `OpDefinition`. @internal */
export function orderedStrides(shape: Shape, _: unknown, { last }: InOrder): readonly number[] | null {
  if (!last) return null;
  const strides = channelsLastStrides(shape);
  return isContiguous(shape, strides) ? null : strides;
}

/**
 * The kernels know float32 and float64, contiguous or channels-last, all operands alike: others are copied, half types
 * converted.
 *
 * @internal
 */
export function launch(
  out: Tensor,
  x: Tensor,
  taps: Tensor | null,
  { last }: InOrder,
  run: (out: Handle, x: Handle, taps: Handle) => void,
): void {
  const half = out.dtype !== 'float32' && out.dtype !== 'float64';
  const fits = (t: Tensor): boolean => (last ? t.memoryFormat === 'channelsLast' : t.isContiguous);
  if (!half && fits(x) && (taps === null || fits(taps))) {
    run(out._handle, x._handle, taps === null ? 0 : taps._handle);
    return;
  }
  noGrad(() =>
    tidy(() => {
      const ready = (t: Tensor): Tensor => contiguous(t, { memoryFormat: last ? 'channelsLast' : 'contiguous' });
      const target: Tensor = half ? emptyTensor('pool', out.shape, 'float32', out.device, out._strides) : out;
      run(target._handle, ready(half ? cast(x, 'float32') : x)._handle, taps === null ? 0 : ready(taps)._handle);
      if (half) native.copy(out._handle, target._handle);
    }),
  );
}

/** Checks x and the sizes of an adaptive result. @internal */
export function readAdaptive(
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
