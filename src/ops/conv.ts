// Convolutions of one to three spatial dimensions, transposed ones, and their gradients, which are each other. Kernels:
// native/cpu/conv.cpp.
import { noGrad } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, scratchNumbers, type Handle } from '../native.js';
import { channelsLastStrides, formatShape, isContiguous, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import type { CheckOf, ConvFunction, ShapeOf } from '../types/conv.js';
import { cast, contiguous } from './copy.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { sum } from './reduce.js';
import { reshape } from './view.js';
import {
  checkWindow,
  isBatched,
  readCount,
  readSizes,
  spatialNames,
  stageGeometry,
  windowCount,
  type Geometry,
  type Sizes,
} from './geometry.js';

/** Options of convolutions. */
export interface ConvOptions {
  /** The step of the window. Default 1. */
  stride?: Sizes;
  /**
   * Zeros in front of and behind each spatial dimension. Default 0, the same as `'valid'`. `'same'` (stride 1 only): as many
   * as keep the size, the odd one behind.
   */
  padding?: Sizes | 'same' | 'valid';
  /** The distance between the taps of the kernel. Default 1. */
  dilation?: Sizes;
  /** Channels are divided into so many groups, each convolved by itself. Default 1. */
  groups?: number;
}

/** Options of transposed convolutions. */
export interface ConvTransposeOptions {
  /** The step of the convolution that this is the transpose of: the factor by which the size grows. Default 1. */
  stride?: Sizes;
  /** Zeros that the convolution adds on both sides: so many are cut off here. Default 0. */
  padding?: Sizes;
  /** Added to one side of the result: several sizes give the same under a convolution with a stride. Default 0. */
  outputPadding?: Sizes;
  /** The distance between the taps of the kernel. Default 1. */
  dilation?: Sizes;
  /** Channels are divided into so many groups, each convolved by itself. Default 1. */
  groups?: number;
}

interface ConvAttributes {
  readonly geometry: Geometry;
  readonly result: Shape;
}

let winograd = true;

/**
 * Whether 3x3 convolutions of stride 1 in float32, and their gradients, may use Winograd's algorithm, F(4x4, 3x3): a
 * quarter of the products, for a larger rounding error. Relative to the largest result it is up to some 7e-6 instead of
 * 1e-6 (docs/convolution.md has figures), and an infinity or NaN spoils the whole 4x4 tile that it reaches. The same for 4x4
 * kernels of stride 2, F(4x4, 2x2) on every other place, whose error is up to about 2e-6. It is used where it is faster: in
 * two dimensions, without groups or dilation, from 32 channels on. Default true. Of this JavaScript thread.
 *
 * @returns what was set before
 * @throws ArgumentError for anything but true or false
 * @example
 * setConvWinograd(false); // sums in the order of the definition
 */
export function setConvWinograd(enabled: boolean): boolean {
  if (typeof enabled !== 'boolean') {
    throw new ArgumentError(`setConvWinograd: expected true or false, got ${String(enabled)}.`);
  }
  const before = winograd;
  winograd = enabled;
  return before;
}

type Launch = (out: Handle, a: Handle, b: Handle, bias: Handle, geometry: number) => void;

// The kernels know images that are contiguous or channels-last, and contiguous weights: other layouts are copied. Those of
// the CPU know float32 and float64: half types are converted. Results are channels-last, but for the gradient of a weight.
function launch(
  kernel: Launch,
  out: Tensor,
  a: Tensor,
  b: Tensor,
  bias: Tensor | null,
  images: 1 | 2,
  { stride, padding, dilation, groups }: Geometry,
): void {
  const run = (target: Tensor, x: Tensor, y: Tensor, z: Tensor | null): void => {
    const staged = stageGeometry([
      [stride, 1],
      [padding, 0],
      [dilation, 1],
    ]);
    scratchNumbers[staged] = groups;
    scratchNumbers[staged + 1] = winograd ? 1 : 0;
    kernel(target._handle, x._handle, y._handle, z === null ? 0 : z._handle, staged + 2);
  };
  const half = out.device === 'cpu' && out.dtype !== 'float32' && out.dtype !== 'float64';
  const fits = (x: Tensor, image: boolean): boolean => x.isContiguous || (image && x.memoryFormat === 'channelsLast');
  if (!half && fits(a, true) && fits(b, images === 2) && bias?.isContiguous !== false) {
    run(out, a, b, bias);
    return;
  }
  noGrad(() =>
    tidy(() => {
      const ready = (x: Tensor, image: boolean): Tensor => {
        const full: Tensor = half ? cast(x, 'float32') : x;
        return fits(full, image) ? full : contiguous(full);
      };
      const target: Tensor = half ? emptyTensor('conv', out.shape, 'float32', out.device, out._strides) : out;
      run(target, ready(a, true), ready(b, images === 2), bias === null ? null : ready(bias, false));
      if (half) native.copy(out._handle, target._handle);
    }),
  );
}

// Strides of a result: channels-last, unless that is the same as contiguous.
function imageStrides(shape: Shape): readonly number[] | null {
  const strides = channelsLastStrides(shape);
  return isContiguous(shape, strides) ? null : strides;
}

// The three maps that are each other's gradients: each is linear in both operands, and so are their gradients.
function convOps(spatial: 1 | 2 | 3): { conv: Op<ConvAttributes>; transposed: Op<ConvAttributes> } {
  const biasGradient = (g: Tensor): Tensor => sum(g, [0, 2, 3, 4].slice(0, spatial + 1));
  const conv: Op<ConvAttributes> = defineOp({
    name: `conv${spatial}d`,
    inputs: ['x', 'weight', 'bias'],
    optional: ['bias'],
    saves: { x: ['weight'], weight: ['x'] },
    shape: (_, { result }: ConvAttributes) => result,
    strides: imageStrides,
    forward: ([out], { x, weight, bias }, { geometry }) =>
      launch((...handles) => native.convForward(...handles), out, x, weight, bias, 1, geometry),
    vjp: ([g], { x, weight }, { geometry }, { inputs }) => [
      () => transposed([g, weight, null], { geometry, result: inputs[0]!.shape }),
      () => weightGradient([g, x], { geometry, result: inputs[1]!.shape }),
      () => biasGradient(g),
    ],
  });
  const transposed: Op<ConvAttributes> = defineOp({
    name: `convTranspose${spatial}d`,
    inputs: ['x', 'weight', 'bias'],
    optional: ['bias'],
    saves: { x: ['weight'], weight: ['x'] },
    shape: (_, { result }: ConvAttributes) => result,
    strides: imageStrides,
    forward: ([out], { x, weight, bias }, { geometry }) =>
      launch((...handles) => native.convBackwardData(...handles), out, x, weight, bias, 1, geometry),
    vjp: ([g], { x, weight }, { geometry }, { inputs }) => [
      () => conv([g, weight, null], { geometry, result: inputs[0]!.shape }),
      () => weightGradient([x, g], { geometry, result: inputs[1]!.shape }),
      () => biasGradient(g),
    ],
  });
  const weightGradient: Op<ConvAttributes> = defineOp({
    name: `conv${spatial}dBackwardWeight`,
    inputs: ['g', 'x'],
    saves: { g: ['x'], x: ['g'] },
    shape: (_, { result }: ConvAttributes) => result,
    forward: ([out], { g, x }, { geometry }) =>
      launch((o, a, b, _, n) => native.convBackwardWeight(o, a, b, n), out, g, x, null, 2, geometry),
    vjp: ([h], { g, x }, { geometry }, { inputs }) => [
      () => conv([x, h, null], { geometry, result: inputs[0]!.shape }),
      () => transposed([g, h, null], { geometry, result: inputs[1]!.shape }),
    ],
  });
  return { conv, transposed };
}

const ops = [convOps(1), convOps(2), convOps(3)];

// What both directions check of their operands; returns x's shape with a batch dimension.
function checkOperands(
  op: string,
  spatial: number,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  groups: number,
  transposed: boolean,
): Shape {
  checkTensor(op, 'x', x);
  checkTensor(op, 'weight', weight);
  if (bias !== null) checkTensor(op, 'bias', bias);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: x must be a float tensor, got ${x.dtype}.`);
  const shape = isBatched(op, x.shape, spatial) ? x.shape : [1, ...x.shape];
  const call = `${op}(x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)})`;
  if (weight.shape.length !== spatial + 2) {
    const kernel = spatialNames[spatial].replace(/\w/g, 'k$&');
    const layout = transposed ? 'inChannels, outChannels / groups' : 'outChannels, inChannels / groups';
    throw new ShapeError(`${call}: weight must be [${layout}, ${kernel}].`);
  }
  const [first, second] = weight.shape as readonly [number, number];
  if (first === 0 || weight.shape.slice(2).includes(0)) {
    throw new ShapeError(`${call}: weight needs at least one ${first === 0 ? 'row' : 'tap in each dimension'}.`);
  }
  if (first % groups !== 0) {
    throw new ShapeError(`${call}: weight.shape[0] = ${first} cannot be divided into ${groups} groups.`);
  }
  const wanted = transposed ? first : second * groups;
  if (shape[1] !== wanted) {
    const times = transposed || groups === 1 ? '' : ` (${groups} groups of ${second})`;
    throw new ShapeError(`${call}: x has ${shape[1]} channels, but weight takes ${wanted}${times}.`);
  }
  const outChannels = transposed ? second * groups : first;
  if (bias !== null && (bias.shape.length !== 1 || bias.shape[0] !== outChannels)) {
    throw new ShapeError(`${call}: bias must have shape [${outChannels}], got ${formatShape(bias.shape)}.`);
  }
  return shape;
}

// Runs an op on x with a batch dimension, and takes it away again if it was not there.
function applyBatched(
  op: Op<ConvAttributes>,
  x: Tensor,
  shape: Shape,
  weight: Tensor,
  bias: Tensor | null,
  attributes: ConvAttributes,
): Tensor {
  if (shape === x.shape) return op([x, weight, bias], attributes);
  return tidy(() => reshape(op([reshape(x, shape), weight, bias], attributes), attributes.result.slice(1)));
}

function convolve(spatial: 1 | 2 | 3, x: Tensor, weight: Tensor, bias: Tensor | null, options: ConvOptions): Tensor {
  const op = `conv${spatial}d`;
  const { stride = 1, padding = 0, dilation = 1, groups = 1 } = options;
  readCount(op, 'groups', groups);
  const shape = checkOperands(op, spatial, x, weight, bias, groups, false);
  const kernel = weight.shape.slice(2);
  const sizes = shape.slice(2);
  const strides = readSizes(op, 'stride', stride, spatial, 1);
  const dilations = readSizes(op, 'dilation', dilation, spatial, 1);
  const same = padding === 'same';
  if (typeof padding === 'string' && !same && padding !== 'valid') {
    throw new ArgumentError(`${op}: unknown padding '${String(padding)}', expected 'same', 'valid' or numbers.`);
  }
  if (same && strides.some((step) => step !== 1)) {
    throw new ArgumentError(`${op}: padding 'same' needs stride 1, got [${strides.join(',')}].`);
  }
  const total = same ? kernel.map((size, d) => dilations[d] * (size - 1)) : null;
  const pads =
    total?.map((both) => Math.floor(both / 2)) ??
    readSizes(op, 'padding', padding === 'valid' ? 0 : (padding as Sizes), spatial, 0);
  const both = total ?? pads.map((size) => 2 * size);
  const call = `${op}(x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)})`;
  checkWindow(call, sizes, x.shape.length - spatial, kernel, both, dilations);
  const positions = sizes.map((size, d) => windowCount(size, kernel[d], strides[d], both[d], dilations[d]));
  return applyBatched(ops[spatial - 1].conv, x, shape, weight, bias, {
    geometry: { stride: strides, padding: pads, dilation: dilations, groups },
    result: [shape[0], weight.shape[0], ...positions],
  });
}

function convolveTransposed(
  spatial: 1 | 2 | 3,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | null,
  options: ConvTransposeOptions,
): Tensor {
  const op = `convTranspose${spatial}d`;
  const { stride = 1, padding = 0, outputPadding = 0, dilation = 1, groups = 1 } = options;
  readCount(op, 'groups', groups);
  const shape = checkOperands(op, spatial, x, weight, bias, groups, true);
  const kernel = weight.shape.slice(2);
  const strides = readSizes(op, 'stride', stride, spatial, 1);
  const pads = readSizes(op, 'padding', padding, spatial, 0);
  const dilations = readSizes(op, 'dilation', dilation, spatial, 1);
  const added = readSizes(op, 'outputPadding', outputPadding, spatial, 0);
  const call = `${op}(x ${formatShape(x.shape)}, weight ${formatShape(weight.shape)})`;
  const sizes = shape.slice(2).map((size, d) => {
    const dim = x.shape.length - spatial + d;
    if (size === 0) throw new ShapeError(`${call}: dimension ${dim} of the input is empty.`);
    if (added[d] >= strides[d] && added[d] >= dilations[d]) {
      throw new ArgumentError(
        `${call}: outputPadding must be smaller than stride or dilation, ` +
          `got ${added[d]} with stride ${strides[d]} and dilation ${dilations[d]}.`,
      );
    }
    const result = (size - 1) * strides[d] - 2 * pads[d] + dilations[d] * (kernel[d] - 1) + added[d] + 1;
    if (result < 1) {
      throw new ShapeError(`${call}: dimension ${dim} of the result would have size ${result}; reduce padding.`);
    }
    return result;
  });
  return applyBatched(ops[spatial - 1].transposed, x, shape, weight, bias, {
    geometry: { stride: strides, padding: pads, dilation: dilations, groups },
    result: [shape[0], weight.shape[1] * groups, ...sizes],
  });
}

/**
 * Slides kernels over a sequence (cross-correlation): `out[n, o, l] = bias[o] + sum over c, k of weight[o, c, k] *
 * x[n, c, l * stride - padding + k * dilation]`, with c over the channels of o's group, and 0 outside of x.
 *
 * Shapes: x `[N, C, L]` or `[C, L]`, weight `[O, C / groups, K]`, bias `[O]` -> `[N, O, Lout]` or `[O, Lout]`, where
 * `Lout = floor((L + 2 padding - dilation (K - 1) - 1) / stride) + 1`. float16 and bfloat16 accumulate in float32.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or the kernel is larger than the padded input;
 *   ArgumentError for options out of range; DTypeError for integers and mixed dtypes
 * @example
 * conv1d(randn([8, 4, 100]), randn([16, 4, 5]), null, { stride: 2 }).shape; // [8, 16, 48]
 */
export function conv1d<S extends Shape, W extends Shape, D extends DType, const X extends ConvOptions = object>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'conv1d', 1, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'conv1d', 1, S, W, X>>, D> {
  return convolve(1, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'conv1d', 1, S, W, X>>,
    D
  >;
}

/**
 * Slides kernels over images; see `conv1d`, with two spatial dimensions.
 *
 * Shapes: x `[N, C, H, W]` or `[C, H, W]`, weight `[O, C / groups, kH, kW]`, bias `[O]` -> `[N, O, Hout, Wout]`, where
 * `Hout = floor((H + 2 padding - dilation (kH - 1) - 1) / stride) + 1`, and Wout alike.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or the kernel is larger than the padded input;
 *   ArgumentError for options out of range; DTypeError for integers and mixed dtypes
 * @example
 * conv2d(randn([8, 3, 32, 32]), randn([16, 3, 3, 3]), null, { padding: 'same' }).shape; // [8, 16, 32, 32]
 */
export function conv2d<S extends Shape, W extends Shape, D extends DType, const X extends ConvOptions = object>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'conv2d', 2, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'conv2d', 2, S, W, X>>, D> {
  return convolve(2, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'conv2d', 2, S, W, X>>,
    D
  >;
}

/**
 * Slides kernels over volumes; see `conv1d`, with three spatial dimensions.
 *
 * Shapes: x `[N, C, D, H, W]` or `[C, D, H, W]`, weight `[O, C / groups, kD, kH, kW]`, bias `[O]` ->
 * `[N, O, Dout, Hout, Wout]`.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or the kernel is larger than the padded input;
 *   ArgumentError for options out of range; DTypeError for integers and mixed dtypes
 */
export function conv3d<S extends Shape, W extends Shape, D extends DType, const X extends ConvOptions = object>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'conv3d', 3, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'conv3d', 3, S, W, X>>, D> {
  return convolve(3, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'conv3d', 3, S, W, X>>,
    D
  >;
}

/**
 * The transpose of `conv1d` as a linear map (its gradient with respect to x), also called a fractionally strided
 * convolution: `out[n, o, l * stride - padding + k * dilation] += weight[c, o, k] * x[n, c, l]`, plus `bias[o]`.
 *
 * Shapes: x `[N, C, L]` or `[C, L]`, weight `[C, O / groups, K]`, bias `[O]` -> `[N, O, Lout]` or `[O, Lout]`, where
 * `Lout = (L - 1) stride - 2 padding + dilation (K - 1) + outputPadding + 1`.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or nothing would be left; ArgumentError for options out of
 *   range (outputPadding must be below stride or dilation); DTypeError for integers and mixed dtypes
 */
export function convTranspose1d<
  S extends Shape,
  W extends Shape,
  D extends DType,
  const X extends ConvTransposeOptions = object,
>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'convTranspose1d', 1, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'convTranspose1d', 1, S, W, X>>, D> {
  return convolveTransposed(1, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'convTranspose1d', 1, S, W, X>>,
    D
  >;
}

/**
 * The transpose of `conv2d`; see `convTranspose1d`, with two spatial dimensions.
 *
 * Shapes: x `[N, C, H, W]` or `[C, H, W]`, weight `[C, O / groups, kH, kW]`, bias `[O]` -> `[N, O, Hout, Wout]`, where
 * `Hout = (H - 1) stride - 2 padding + dilation (kH - 1) + outputPadding + 1`, and Wout alike.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or nothing would be left; ArgumentError for options out of
 *   range (outputPadding must be below stride or dilation); DTypeError for integers and mixed dtypes
 * @example
 * convTranspose2d(randn([8, 16, 7, 7]), randn([16, 3, 2, 2]), null, { stride: 2 }).shape; // [8, 3, 14, 14]
 */
export function convTranspose2d<
  S extends Shape,
  W extends Shape,
  D extends DType,
  const X extends ConvTransposeOptions = object,
>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'convTranspose2d', 2, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'convTranspose2d', 2, S, W, X>>, D> {
  return convolveTransposed(2, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'convTranspose2d', 2, S, W, X>>,
    D
  >;
}

/**
 * The transpose of `conv3d`; see `convTranspose1d`, with three spatial dimensions.
 *
 * Shapes: x `[N, C, D, H, W]` or `[C, D, H, W]`, weight `[C, O / groups, kD, kH, kW]`, bias `[O]` ->
 * `[N, O, Dout, Hout, Wout]`.
 *
 * @throws ShapeError if channels, groups or bias do not fit, or nothing would be left; ArgumentError for options out of
 *   range (outputPadding must be below stride or dilation); DTypeError for integers and mixed dtypes
 */
export function convTranspose3d<
  S extends Shape,
  W extends Shape,
  D extends DType,
  const X extends ConvTransposeOptions = object,
>(
  x: Tensor<S, D> & CheckOf<ConvFunction<'convTranspose3d', 3, S, W, X>>,
  weight: Tensor<W, D>,
  bias: Tensor<Shape, D> | null = null,
  options?: X,
): Tensor<ShapeOf<ConvFunction<'convTranspose3d', 3, S, W, X>>, D> {
  return convolveTransposed(3, x, weight, bias, options ?? {}) as unknown as Tensor<
    ShapeOf<ConvFunction<'convTranspose3d', 3, S, W, X>>,
    D
  >;
}
