// Layers: convolutions, transposed ones, patches and shuffles.
import { ArgumentError } from '../errors.js';
import type { DType } from '../dtype.js';
import { tidy } from '../memory.js';
import {
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  type ConvOptions as ConvOpOptions,
  type ConvTransposeOptions as ConvTransposeOpOptions,
} from '../ops/conv.js';
import { empty, type TensorOptions } from '../ops/creation.js';
import { fold, unfold, type FoldOptions } from '../ops/fold.js';
import { readCount, readSizes, type Sizes } from '../ops/geometry.js';
import { padWithin } from '../ops/pad.js';
import type { Generator } from '../ops/random.js';
import { channelShuffle, pixelShuffle, pixelUnshuffle } from '../ops/shuffle.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type {
  Conv1dFn,
  Conv2dFn,
  Conv3dFn,
  ConvTranspose1dFn,
  ConvTranspose2dFn,
  ConvTranspose3dFn,
} from '../types/conv.js';
import type { ApplyCheck, ApplyShape, IdentityFn, ShapeFn } from '../types/sequential.js';
import { kaimingUniform, uniform } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

/** What stands beside the input: zeros, or the input mirrored without its edge, its edge, or its other end. */
export type PaddingMode = 'zeros' | 'reflect' | 'replicate' | 'circular';

type ConvolveFunction<Options> = (x: Tensor, weight: Tensor, bias: Tensor | null, options: Options) => Tensor;

interface LayerOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Add a learned bias. Default true. */
  bias?: boolean;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `Conv1d`, `Conv2d` and `Conv3d`. */
export interface ConvOptions extends ConvOpOptions, LayerOptions {
  /** What padding consists of. Default `'zeros'`. */
  paddingMode?: PaddingMode;
}

/** Options of `ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d`. */
export interface ConvTransposeOptions extends ConvTransposeOpOptions, LayerOptions {}

const paddingModes: readonly string[] = ['zeros', 'reflect', 'replicate', 'circular'];

// What all six have in common.
abstract class ConvLayer<I extends number, O extends number, F extends ShapeFn> extends Module<F> {
  /** @internal */ override readonly _transparent = true;
  /** Channels of the input. */
  readonly inChannels: I;
  /** Channels of the output. */
  readonly outChannels: O;
  /** The size of the kernel in each spatial dimension. */
  readonly kernelSize: readonly number[];
  /** The step of the window. */
  readonly stride: readonly number[];
  /** The distance between the taps of the kernel. */
  readonly dilation: readonly number[];
  /** Channels are divided into so many groups. */
  readonly groups: number;
  /** The kernels. */
  readonly weight: Parameter;
  /** `[outChannels]`, or null without one. */
  readonly bias: Parameter | null;

  /** @internal */
  constructor(
    /** @internal */ protected readonly _name: string,
    /** @internal */ protected readonly _spatial: number,
    inChannels: I,
    outChannels: O,
    kernelSize: Sizes,
    options: ConvOptions | ConvTransposeOptions,
    transposed: boolean,
  ) {
    super();
    const name = _name;
    const { stride = 1, dilation = 1, groups = 1, bias = true, generator, dtype, device } = options;
    this.inChannels = readCount(name, 'inChannels', inChannels) as I;
    this.outChannels = readCount(name, 'outChannels', outChannels) as O;
    this.kernelSize = readSizes(name, 'kernelSize', kernelSize, _spatial, 1);
    this.stride = readSizes(name, 'stride', stride, _spatial, 1);
    this.dilation = readSizes(name, 'dilation', dilation, _spatial, 1);
    this.groups = readCount(name, 'groups', groups);
    for (const [what, channels] of Object.entries({ inChannels, outChannels })) {
      if (channels % groups !== 0) {
        throw new ArgumentError(`${name}: ${what} = ${channels} cannot be divided into ${groups} groups.`);
      }
    }
    const tensorOptions = {
      ...(dtype === undefined ? {} : { dtype }),
      ...(device === undefined ? {} : { device }),
    };
    const [rows, columns] = transposed ? [inChannels, outChannels / groups] : [outChannels, inChannels / groups];
    const weight: Tensor = empty<Shape, DType>([rows, columns, ...this.kernelSize], tensorOptions);
    // kaimingUniform with a = sqrt(5) is uniform on +-1 / sqrt(fanIn).
    this.weight = parameter(
      kaimingUniform(weight, { a: Math.sqrt(5), ...(generator === undefined ? {} : { generator }) }),
    );
    const bound = 1 / Math.sqrt(this.kernelSize.reduce((n, size) => n * size, columns));
    this.bias = bias
      ? parameter(uniform(empty<Shape, DType>([outChannels], tensorOptions), -bound, bound, generator))
      : null;
  }

  /** What extraRepr is made of. @internal */
  protected describe(padding: string, more: string): string {
    const uneven = (name: string, sizes: readonly number[]): string =>
      sizes.every((size) => size === 1) ? '' : `, ${name}=${formatShape(sizes)}`;
    return (
      `${this.inChannels}, ${this.outChannels}, kernelSize=${formatShape(this.kernelSize)}, stride=${formatShape(this.stride)}` +
      padding +
      uneven('dilation', this.dilation) +
      more +
      (this.groups === 1 ? '' : `, groups=${this.groups}`) +
      (this.bias === null ? ', bias=false' : '')
    );
  }
}

abstract class ConvNd<I extends number, O extends number, F extends ShapeFn> extends ConvLayer<I, O, F> {
  /** Zeros (or what `paddingMode` says) on both sides of each spatial dimension, or `'same'`. */
  readonly padding: readonly number[] | 'same';
  /** What padding consists of. */
  readonly paddingMode: PaddingMode;

  /** @internal */
  constructor(name: string, spatial: number, inChannels: I, outChannels: O, kernelSize: Sizes, options: ConvOptions) {
    super(name, spatial, inChannels, outChannels, kernelSize, options, false);
    const { padding = 0, paddingMode = 'zeros' } = options;
    if (typeof padding === 'string' && padding !== 'same' && padding !== 'valid') {
      throw new ArgumentError(`${name}: unknown padding '${String(padding)}', expected 'same', 'valid' or numbers.`);
    }
    if (padding === 'same' && this.stride.some((step) => step !== 1)) {
      throw new ArgumentError(`${name}: padding 'same' needs stride 1, got ${formatShape(this.stride)}.`);
    }
    if (!paddingModes.includes(paddingMode)) {
      throw new ArgumentError(
        `${name}: unknown paddingMode '${String(paddingMode)}', expected 'zeros', 'reflect', 'replicate' or 'circular'.`,
      );
    }
    this.padding =
      padding === 'same' ? padding : readSizes(name, 'padding', padding === 'valid' ? 0 : padding, spatial, 0);
    this.paddingMode = paddingMode;
  }

  /** Runs the op with the layer's options. @internal */
  protected convolve(op: ConvolveFunction<ConvOptions>, x: Tensor): Tensor {
    const { stride, dilation, groups, padding, paddingMode } = this;
    if (paddingMode === 'zeros') return op(x, this.weight, this.bias, { stride, dilation, groups, padding });
    return tidy(() => {
      const amounts = this.kernelSize.map((size, d): readonly [number, number] => {
        if (padding !== 'same') return [padding[d], padding[d]];
        const total = dilation[d] * (size - 1);
        return [Math.floor(total / 2), total - Math.floor(total / 2)];
      });
      const padded = x.shape.length < amounts.length ? x : padWithin(this._name, x, amounts, paddingMode);
      return op(padded, this.weight, this.bias, { stride, dilation, groups });
    });
  }

  override extraRepr(): string {
    const { padding, paddingMode } = this;
    const shown =
      padding === 'same'
        ? ", padding='same'"
        : padding.every((size) => size === 0)
          ? ''
          : `, padding=${formatShape(padding)}`;
    return this.describe(shown, '') + (paddingMode === 'zeros' ? '' : `, paddingMode='${paddingMode}'`);
  }
}

/** Options of the forward pass of a transposed convolution. */
export interface OutputSizeOptions {
  /** The spatial size of the result, of those that a convolution would bring to the input's; instead of `outputPadding`. */
  outputSize?: readonly number[];
}

abstract class ConvTransposeNd<I extends number, O extends number, F extends ShapeFn> extends ConvLayer<I, O, F> {
  /** Cut off on both sides of each spatial dimension. */
  readonly padding: readonly number[];
  /** Added to one side of each spatial dimension. */
  readonly outputPadding: readonly number[];

  /** @internal */
  constructor(
    name: string,
    spatial: number,
    inChannels: I,
    outChannels: O,
    kernelSize: Sizes,
    options: ConvTransposeOptions,
  ) {
    super(name, spatial, inChannels, outChannels, kernelSize, options, true);
    if ('paddingMode' in options && options.paddingMode !== 'zeros') {
      throw new ArgumentError(
        `${name}: only 'zeros' can be cut off, got paddingMode '${String(options.paddingMode)}'.`,
      );
    }
    this.padding = readSizes(name, 'padding', options.padding ?? 0, spatial, 0);
    this.outputPadding = readSizes(name, 'outputPadding', options.outputPadding ?? 0, spatial, 0);
  }

  // The outputPadding that gives the wanted size.
  private paddingFor(x: Tensor, outputSize: readonly number[]): readonly number[] {
    const call = `${this._name}(x ${formatShape(x.shape)})`;
    const sizes = outputSize.length === x.shape.length ? outputSize.slice(-this._spatial) : outputSize;
    if (sizes.length !== this._spatial) {
      throw new ArgumentError(
        `${call}: outputSize must have ${this._spatial} sizes, one for each spatial dimension, or ${x.shape.length}, got ${formatShape(outputSize)}.`,
      );
    }
    const first = x.shape.length - this._spatial;
    return sizes.map((size, d) => {
      const extent = this.dilation[d] * (this.kernelSize[d] - 1) + 1;
      const least = (x.shape[first + d] - 1) * this.stride[d] - 2 * this.padding[d] + extent;
      if (!(size >= least && size < least + this.stride[d])) {
        throw new ArgumentError(
          `${call}: outputSize ${size} of spatial dimension ${d} is not between ${least} and ${least + this.stride[d] - 1}.`,
        );
      }
      return size - least;
    });
  }

  /** Runs the op with the layer's options. @internal */
  protected convolve(op: ConvolveFunction<ConvTransposeOptions>, x: Tensor, options: OutputSizeOptions): Tensor {
    const { stride, padding, dilation, groups } = this;
    const { outputSize } = options;
    // Too few dimensions are op's to refuse.
    const outputPadding =
      outputSize !== undefined && x.shape.length > this._spatial ? this.paddingFor(x, outputSize) : this.outputPadding;
    return op(x, this.weight, this.bias, { stride, padding, outputPadding, dilation, groups });
  }

  override extraRepr(): string {
    const shown = (name: string, sizes: readonly number[]): string =>
      sizes.every((size) => size === 0) ? '' : `, ${name}=${formatShape(sizes)}`;
    return this.describe(shown('padding', this.padding), shown('outputPadding', this.outputPadding));
  }
}

/**
 * A convolution of a sequence with learned kernels; see `conv1d`. weight `[O, I / groups, K]` and bias `[O]` start uniform
 * on +-1 / sqrt(fanIn), as in PyTorch, where fanIn counts the inputs of an output.
 *
 * Shapes: `[N, I, L] -> [N, O, Lout]`, or both without N.
 *
 * @example
 * new nn.Conv1d(4, 16, 5, { stride: 2 }).forward(randn([8, 4, 100])).shape; // [8, 16, 48]
 * @throws ArgumentError for channels, groups or options out of range
 */
export class Conv1d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number] = number | readonly [number],
  const X extends ConvOptions = object,
> extends ConvNd<I, O, Conv1dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('Conv1d', 1, inChannels, outChannels, kernelSize, options ?? {});
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Conv1dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<Conv1dFn<I, O, K, X>, S>, D> {
    return this.convolve(conv1d, x) as unknown as Tensor<ApplyShape<Conv1dFn<I, O, K, X>, S>, D>;
  }
}

/**
 * A convolution of images with learned kernels; see `conv2d`. weight `[O, I / groups, kH, kW]` and bias `[O]` start uniform
 * on +-1 / sqrt(fanIn), as in PyTorch, where fanIn counts the inputs of an output.
 *
 * Shapes: `[N, I, H, W] -> [N, O, Hout, Wout]`, or both without N.
 *
 * @example
 * new nn.Conv2d(3, 16, 3, { padding: 1 }).forward(randn([8, 3, 32, 32])).shape; // [8, 16, 32, 32]
 * @throws ArgumentError for channels, groups or options out of range
 */
export class Conv2d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number, number] = number | readonly [number, number],
  const X extends ConvOptions = object,
> extends ConvNd<I, O, Conv2dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('Conv2d', 2, inChannels, outChannels, kernelSize, options ?? {});
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Conv2dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<Conv2dFn<I, O, K, X>, S>, D> {
    return this.convolve(conv2d, x) as unknown as Tensor<ApplyShape<Conv2dFn<I, O, K, X>, S>, D>;
  }
}

/**
 * A convolution of volumes with learned kernels; see `conv3d`. weight `[O, I / groups, kD, kH, kW]` and bias `[O]` start uniform
 * on +-1 / sqrt(fanIn), as in PyTorch, where fanIn counts the inputs of an output.
 *
 * Shapes: `[N, I, D, H, W] -> [N, O, Dout, Hout, Wout]`, or both without N.
 * @throws ArgumentError for channels, groups or options out of range
 */
export class Conv3d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number, number, number] = number | readonly [number, number, number],
  const X extends ConvOptions = object,
> extends ConvNd<I, O, Conv3dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('Conv3d', 3, inChannels, outChannels, kernelSize, options ?? {});
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Conv3dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<Conv3dFn<I, O, K, X>, S>, D> {
    return this.convolve(conv3d, x) as unknown as Tensor<ApplyShape<Conv3dFn<I, O, K, X>, S>, D>;
  }
}

/**
 * A transposed convolution of a sequence with learned kernels; see `convTranspose1d`. weight `[I, O / groups, K]` and bias
 * `[O]` start uniform on +-1 / sqrt(weight.shape[1] * taps), as in PyTorch.
 *
 * Shapes: `[N, I, L] -> [N, O, Lout]`, or both without N.
 * @throws ArgumentError for channels, groups or options out of range
 */
export class ConvTranspose1d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number] = number | readonly [number],
  const X extends ConvTransposeOptions = object,
> extends ConvTransposeNd<I, O, ConvTranspose1dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('ConvTranspose1d', 1, inChannels, outChannels, kernelSize, options ?? {});
  }

  /** The output; of several sizes that its stride allows, the smallest. */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ConvTranspose1dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<ConvTranspose1dFn<I, O, K, X>, S>, D>;
  /** The output of a given size. */
  override forward<D extends DType>(x: Tensor<Shape, D>, options: OutputSizeOptions): Tensor<Shape, D>;
  override forward(x: Tensor, options: OutputSizeOptions = {}): Tensor {
    return this.convolve(convTranspose1d, x, options);
  }
}

/**
 * A transposed convolution of images with learned kernels; see `convTranspose2d`. weight `[I, O / groups, kH, kW]` and bias
 * `[O]` start uniform on +-1 / sqrt(weight.shape[1] * taps), as in PyTorch.
 *
 * Shapes: `[N, I, H, W] -> [N, O, Hout, Wout]`, or both without N.
 *
 * @example
 * new nn.ConvTranspose2d(16, 3, 2, { stride: 2 }).forward(randn([8, 16, 7, 7])).shape; // [8, 3, 14, 14]
 * @throws ArgumentError for channels, groups or options out of range
 */
export class ConvTranspose2d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number, number] = number | readonly [number, number],
  const X extends ConvTransposeOptions = object,
> extends ConvTransposeNd<I, O, ConvTranspose2dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('ConvTranspose2d', 2, inChannels, outChannels, kernelSize, options ?? {});
  }

  /** The output; of several sizes that its stride allows, the smallest. */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ConvTranspose2dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<ConvTranspose2dFn<I, O, K, X>, S>, D>;
  /** The output of a given size. */
  override forward<D extends DType>(x: Tensor<Shape, D>, options: OutputSizeOptions): Tensor<Shape, D>;
  override forward(x: Tensor, options: OutputSizeOptions = {}): Tensor {
    return this.convolve(convTranspose2d, x, options);
  }
}

/**
 * A transposed convolution of volumes with learned kernels; see `convTranspose3d`. weight `[I, O / groups, kD, kH, kW]` and bias
 * `[O]` start uniform on +-1 / sqrt(weight.shape[1] * taps), as in PyTorch.
 *
 * Shapes: `[N, I, D, H, W] -> [N, O, Dout, Hout, Wout]`, or both without N.
 * @throws ArgumentError for channels, groups or options out of range
 */
export class ConvTranspose3d<
  const I extends number = number,
  const O extends number = number,
  const K extends number | readonly [number, number, number] = number | readonly [number, number, number],
  const X extends ConvTransposeOptions = object,
> extends ConvTransposeNd<I, O, ConvTranspose3dFn<I, O, K, X>> {
  constructor(inChannels: I, outChannels: O, kernelSize: K, options?: X) {
    super('ConvTranspose3d', 3, inChannels, outChannels, kernelSize, options ?? {});
  }

  /** The output; of several sizes that its stride allows, the smallest. */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ConvTranspose3dFn<I, O, K, X>, S>,
  ): Tensor<ApplyShape<ConvTranspose3dFn<I, O, K, X>, S>, D>;
  /** The output of a given size. */
  override forward<D extends DType>(x: Tensor<Shape, D>, options: OutputSizeOptions): Tensor<Shape, D>;
  override forward(x: Tensor, options: OutputSizeOptions = {}): Tensor {
    return this.convolve(convTranspose3d, x, options);
  }
}

/** Patches as columns; see `nn.functional.unfold`. `[N, C, H, W] -> [N, C kH kW, L]`, or both without N. */
export class Unfold extends Module {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The size of a patch. */
    readonly kernelSize: Sizes,
    /** `dilation`, `padding`, `stride`. */
    readonly options: FoldOptions = {},
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return unfold(x, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return foldRepr(this.kernelSize, this.options);
  }
}

/** Adds up patches at their places; see `nn.functional.fold`. `[N, C kH kW, L] -> [N, C, H, W]`, or both without N. */
export class Fold extends Module {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** Height and width of the result. */
    readonly outputSize: Sizes,
    /** The size of a patch. */
    readonly kernelSize: Sizes,
    /** `dilation`, `padding`, `stride`. */
    readonly options: FoldOptions = {},
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return fold(x, this.outputSize, this.kernelSize, this.options);
  }

  override extraRepr(): string {
    return `outputSize=${showSizes(this.outputSize)}, ${foldRepr(this.kernelSize, this.options)}`;
  }
}

function showSizes(sizes: Sizes): string {
  return typeof sizes === 'number' ? String(sizes) : formatShape(sizes);
}

function foldRepr(kernelSize: Sizes, { dilation = 1, padding = 0, stride = 1 }: FoldOptions): string {
  return (
    `kernelSize=${showSizes(kernelSize)}, dilation=${showSizes(dilation)}, ` +
    `padding=${showSizes(padding)}, stride=${showSizes(stride)}`
  );
}

/** Blocks of pixels from channels; see `pixelShuffle`. `[..., C r^2, H, W] -> [..., C, H r, W r]`. */
export class PixelShuffle extends Module {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** r, by which height and width grow. */
    readonly upscaleFactor: number,
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return pixelShuffle(x, this.upscaleFactor);
  }

  override extraRepr(): string {
    return `upscaleFactor=${this.upscaleFactor}`;
  }
}

/** Channels from blocks of pixels; see `pixelUnshuffle`. `[..., C, H r, W r] -> [..., C r^2, H, W]`. */
export class PixelUnshuffle extends Module {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** r, by which height and width shrink. */
    readonly downscaleFactor: number,
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return pixelUnshuffle(x, this.downscaleFactor);
  }

  override extraRepr(): string {
    return `downscaleFactor=${this.downscaleFactor}`;
  }
}

/** Deals the channels of groups out in turns; see `channelShuffle`. */
export class ChannelShuffle extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** Into how many groups the channels are divided. */
    readonly groups: number,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return channelShuffle(x, this.groups);
  }

  override extraRepr(): string {
    return `groups=${this.groups}`;
  }
}
