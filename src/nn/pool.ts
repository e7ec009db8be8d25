// Layers: pooling.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { readSizes, type Sizes } from '../ops/geometry.js';
import * as ops from '../ops/pool.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type {
  AdaptivePool1dFn,
  AdaptivePool2dFn,
  AdaptivePool3dFn,
  Pool1dFn,
  Pool2dFn,
  Pool3dFn,
} from '../types/pool.js';
import type { ApplyCheck, ApplyShape, ShapeFn } from '../types/sequential.js';
import { Module } from './module.js';

/** What a layer of maxima gives: with `returnIndices` a pair of values and indices. */
export type MaxPooled<X, S extends Shape, D extends DType> = X extends {
  /** Asked for. */ readonly returnIndices: true;
}
  ? readonly [values: Tensor<S, D>, indices: Tensor<S, 'int64'>]
  : Tensor<S, D>;

const show = (options: object): string =>
  Object.entries(options)
    .map(
      ([name, value]) => `, ${name}=${Array.isArray(value) ? formatShape(value as readonly number[]) : String(value)}`,
    )
    .join('');

abstract class WindowLayer<F extends ShapeFn, X extends object> extends Module<F> {
  /** @internal */ override readonly _transparent = true;
  /** The size of the window in each spatial dimension. */
  readonly kernelSize: readonly number[];

  /** @internal */
  constructor(
    name: string,
    spatial: number,
    kernelSize: Sizes,
    /** The options as given. */
    readonly options: X,
  ) {
    super();
    this.kernelSize = readSizes(name, 'kernelSize', kernelSize, spatial, 1);
  }

  override extraRepr(): string {
    return `kernelSize=${formatShape(this.kernelSize)}${show(this.options)}`;
  }
}

abstract class AdaptiveLayer<F extends ShapeFn, Z extends ops.AdaptiveSizes> extends Module<F> {
  /** @internal */ override readonly _transparent = true;

  /** @internal */
  constructor(
    name: string,
    spatial: number,
    /** The spatial sizes of the result; null keeps the input's. */
    readonly outputSize: Z,
  ) {
    super();
    const list: readonly unknown[] = Array.isArray(outputSize) ? outputSize : [outputSize];
    if (Array.isArray(outputSize) && list.length !== spatial) {
      throw new ArgumentError(`${name}: outputSize must be a number or ${spatial} of them, got ${list.length}.`);
    }
    list.forEach((size) => {
      if (size !== null) readSizes(name, 'outputSize', size as number, 1, 0);
    });
  }

  override extraRepr(): string {
    return `outputSize=${Array.isArray(this.outputSize) ? `[${this.outputSize.join(',')}]` : String(this.outputSize)}`;
  }
}

/**
 * The largest element of each window; see `maxPool1d`. With `returnIndices: true` forward gives a pair.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class MaxPool1d<
  const K extends number | readonly [number] = number | readonly [number],
  const X extends ops.MaxPoolOptions = object,
> extends WindowLayer<Pool1dFn<'MaxPool1d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('MaxPool1d', 1, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool1dFn<'MaxPool1d', K, X>, S>,
  ): MaxPooled<X, ApplyShape<Pool1dFn<'MaxPool1d', K, X>, S>, D> {
    return ops.maxPool1d(x as Tensor, this.kernelSize, this.options) as unknown as MaxPooled<
      X,
      ApplyShape<Pool1dFn<'MaxPool1d', K, X>, S>,
      D
    >;
  }

  /** @internal */
  override _takesMaxima(): boolean {
    return this.options.returnIndices !== true && (this.forward as unknown) === MaxPool1d.prototype.forward;
  }
}

/**
 * The mean of each window; see `avgPool1d`.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AvgPool1d<
  const K extends number | readonly [number] = number | readonly [number],
  const X extends ops.AvgPoolOptions = object,
> extends WindowLayer<Pool1dFn<'AvgPool1d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('AvgPool1d', 1, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool1dFn<'AvgPool1d', K, X>, S>,
  ): Tensor<ApplyShape<Pool1dFn<'AvgPool1d', K, X>, S>, D> {
    return ops.avgPool1d(x, this.kernelSize, this.options) as unknown as Tensor<
      ApplyShape<Pool1dFn<'AvgPool1d', K, X>, S>,
      D
    >;
  }
}

/**
 * The power sum of each window; see `lpPool1d`.
 *
 * Shapes: `[N, C, L] -> [N, C, Lout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class LPPool1d<
  const K extends number | readonly [number] = number | readonly [number],
  const X extends ops.LPPoolOptions = object,
> extends WindowLayer<Pool1dFn<'LPPool1d', K, X>, X> {
  constructor(
    /** The power. */
    readonly normType: number,
    kernelSize: K,
    options?: X,
  ) {
    super('LPPool1d', 1, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool1dFn<'LPPool1d', K, X>, S>,
  ): Tensor<ApplyShape<Pool1dFn<'LPPool1d', K, X>, S>, D> {
    const out = ops.lpPool1d(x, this.normType, this.kernelSize, this.options);
    return out as unknown as Tensor<ApplyShape<Pool1dFn<'LPPool1d', K, X>, S>, D>;
  }
}

/**
 * Means of windows that divide the input into a given number; see `adaptiveAvgPool1d`.
 *
 * Shapes: `[N, C, L] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveAvgPool1d<
  const Z extends number | null | readonly [number | null] = number | null | readonly [number | null],
> extends AdaptiveLayer<AdaptivePool1dFn<'AdaptiveAvgPool1d', Z>, Z> {
  constructor(outputSize: Z) {
    super('AdaptiveAvgPool1d', 1, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool1dFn<'AdaptiveAvgPool1d', Z>, S>,
  ): Tensor<ApplyShape<AdaptivePool1dFn<'AdaptiveAvgPool1d', Z>, S>, D> {
    return ops.adaptiveAvgPool1d(x, this.outputSize) as unknown as Tensor<
      ApplyShape<AdaptivePool1dFn<'AdaptiveAvgPool1d', Z>, S>,
      D
    >;
  }
}

/**
 * Maxima of windows that divide the input into a given number; see `adaptiveMaxPool1d`. With `returnIndices: true` forward
 * gives a pair.
 *
 * Shapes: `[N, C, L] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveMaxPool1d<
  const Z extends number | null | readonly [number | null] = number | null | readonly [number | null],
  const X extends ops.AdaptiveMaxPoolOptions = object,
> extends AdaptiveLayer<AdaptivePool1dFn<'AdaptiveMaxPool1d', Z>, Z> {
  constructor(
    outputSize: Z,
    /** The options as given. */
    readonly options?: X,
  ) {
    super('AdaptiveMaxPool1d', 1, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool1dFn<'AdaptiveMaxPool1d', Z>, S>,
  ): MaxPooled<X, ApplyShape<AdaptivePool1dFn<'AdaptiveMaxPool1d', Z>, S>, D> {
    const out = ops.adaptiveMaxPool1d(x as Tensor, this.outputSize, this.options);
    return out as unknown as MaxPooled<X, ApplyShape<AdaptivePool1dFn<'AdaptiveMaxPool1d', Z>, S>, D>;
  }
}

/**
 * Puts maxima back where `MaxPool1d` found them, between zeros; see `maxUnpool1d`.
 *
 * @throws ArgumentError for options out of range
 */
export class MaxUnpool1d extends Module {
  /** @internal */ override readonly _transparent = true;

  constructor(
    /** The size of the pooling's window. */
    readonly kernelSize: Sizes,
    /** The options as given. */
    readonly options: Omit<ops.MaxUnpoolOptions, 'outputSize'> = {},
  ) {
    super();
    readSizes('MaxUnpool1d', 'kernelSize', kernelSize, 1, 1);
  }

  /** The values at their places in a plane of the size that pooling most likely came from. */
  override forward<D extends DType>(x: Tensor<Shape, D>, indices: Tensor): Tensor<Shape, D>;
  /** The same in a plane of a given size. */
  override forward<D extends DType>(
    x: Tensor<Shape, D>,
    indices: Tensor,
    options: Pick<ops.MaxUnpoolOptions, 'outputSize'>,
  ): Tensor<Shape, D>;
  override forward(x: Tensor, indices: Tensor, options: Pick<ops.MaxUnpoolOptions, 'outputSize'> = {}): Tensor {
    return ops.maxUnpool1d(x, indices as Tensor<Shape, 'int64'>, this.kernelSize, { ...this.options, ...options });
  }

  override extraRepr(): string {
    return `kernelSize=${String(this.kernelSize)}${show(this.options)}`;
  }
}

/**
 * The largest element of each window; see `maxPool2d`. With `returnIndices: true` forward gives a pair.
 *
 * Shapes: `[N, C, H, W] -> [N, C, Hout, Wout]`, or both without N.
 *
 * @example
 * new nn.MaxPool2d(2).forward(randn([8, 3, 32, 32])).shape; // [8, 3, 16, 16]
 * @throws ArgumentError for options out of range
 */
export class MaxPool2d<
  const K extends number | readonly [number, number] = number | readonly [number, number],
  const X extends ops.MaxPoolOptions = object,
> extends WindowLayer<Pool2dFn<'MaxPool2d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('MaxPool2d', 2, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool2dFn<'MaxPool2d', K, X>, S>,
  ): MaxPooled<X, ApplyShape<Pool2dFn<'MaxPool2d', K, X>, S>, D> {
    return ops.maxPool2d(x as Tensor, this.kernelSize, this.options) as unknown as MaxPooled<
      X,
      ApplyShape<Pool2dFn<'MaxPool2d', K, X>, S>,
      D
    >;
  }

  /** @internal */
  override _takesMaxima(): boolean {
    return this.options.returnIndices !== true && (this.forward as unknown) === MaxPool2d.prototype.forward;
  }
}

/**
 * The mean of each window; see `avgPool2d`.
 *
 * Shapes: `[N, C, H, W] -> [N, C, Hout, Wout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AvgPool2d<
  const K extends number | readonly [number, number] = number | readonly [number, number],
  const X extends ops.AvgPoolOptions = object,
> extends WindowLayer<Pool2dFn<'AvgPool2d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('AvgPool2d', 2, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool2dFn<'AvgPool2d', K, X>, S>,
  ): Tensor<ApplyShape<Pool2dFn<'AvgPool2d', K, X>, S>, D> {
    return ops.avgPool2d(x, this.kernelSize, this.options) as unknown as Tensor<
      ApplyShape<Pool2dFn<'AvgPool2d', K, X>, S>,
      D
    >;
  }
}

/**
 * The power sum of each window; see `lpPool2d`.
 *
 * Shapes: `[N, C, H, W] -> [N, C, Hout, Wout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class LPPool2d<
  const K extends number | readonly [number, number] = number | readonly [number, number],
  const X extends ops.LPPoolOptions = object,
> extends WindowLayer<Pool2dFn<'LPPool2d', K, X>, X> {
  constructor(
    /** The power. */
    readonly normType: number,
    kernelSize: K,
    options?: X,
  ) {
    super('LPPool2d', 2, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool2dFn<'LPPool2d', K, X>, S>,
  ): Tensor<ApplyShape<Pool2dFn<'LPPool2d', K, X>, S>, D> {
    const out = ops.lpPool2d(x, this.normType, this.kernelSize, this.options);
    return out as unknown as Tensor<ApplyShape<Pool2dFn<'LPPool2d', K, X>, S>, D>;
  }
}

/**
 * Means of windows that divide the input into a given number; see `adaptiveAvgPool2d`.
 *
 * Shapes: `[N, C, H, W] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveAvgPool2d<
  const Z extends number | null | readonly [number | null, number | null] =
    number | null | readonly [number | null, number | null],
> extends AdaptiveLayer<AdaptivePool2dFn<'AdaptiveAvgPool2d', Z>, Z> {
  constructor(outputSize: Z) {
    super('AdaptiveAvgPool2d', 2, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool2dFn<'AdaptiveAvgPool2d', Z>, S>,
  ): Tensor<ApplyShape<AdaptivePool2dFn<'AdaptiveAvgPool2d', Z>, S>, D> {
    return ops.adaptiveAvgPool2d(x, this.outputSize) as unknown as Tensor<
      ApplyShape<AdaptivePool2dFn<'AdaptiveAvgPool2d', Z>, S>,
      D
    >;
  }
}

/**
 * Maxima of windows that divide the input into a given number; see `adaptiveMaxPool2d`. With `returnIndices: true` forward
 * gives a pair.
 *
 * Shapes: `[N, C, H, W] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveMaxPool2d<
  const Z extends number | null | readonly [number | null, number | null] =
    number | null | readonly [number | null, number | null],
  const X extends ops.AdaptiveMaxPoolOptions = object,
> extends AdaptiveLayer<AdaptivePool2dFn<'AdaptiveMaxPool2d', Z>, Z> {
  constructor(
    outputSize: Z,
    /** The options as given. */
    readonly options?: X,
  ) {
    super('AdaptiveMaxPool2d', 2, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool2dFn<'AdaptiveMaxPool2d', Z>, S>,
  ): MaxPooled<X, ApplyShape<AdaptivePool2dFn<'AdaptiveMaxPool2d', Z>, S>, D> {
    const out = ops.adaptiveMaxPool2d(x as Tensor, this.outputSize, this.options);
    return out as unknown as MaxPooled<X, ApplyShape<AdaptivePool2dFn<'AdaptiveMaxPool2d', Z>, S>, D>;
  }
}

/**
 * Puts maxima back where `MaxPool2d` found them, between zeros; see `maxUnpool2d`.
 *
 * @throws ArgumentError for options out of range
 */
export class MaxUnpool2d extends Module {
  /** @internal */ override readonly _transparent = true;

  constructor(
    /** The size of the pooling's window. */
    readonly kernelSize: Sizes,
    /** The options as given. */
    readonly options: Omit<ops.MaxUnpoolOptions, 'outputSize'> = {},
  ) {
    super();
    readSizes('MaxUnpool2d', 'kernelSize', kernelSize, 2, 1);
  }

  /** The values at their places in a plane of the size that pooling most likely came from. */
  override forward<D extends DType>(x: Tensor<Shape, D>, indices: Tensor): Tensor<Shape, D>;
  /** The same in a plane of a given size. */
  override forward<D extends DType>(
    x: Tensor<Shape, D>,
    indices: Tensor,
    options: Pick<ops.MaxUnpoolOptions, 'outputSize'>,
  ): Tensor<Shape, D>;
  override forward(x: Tensor, indices: Tensor, options: Pick<ops.MaxUnpoolOptions, 'outputSize'> = {}): Tensor {
    return ops.maxUnpool2d(x, indices as Tensor<Shape, 'int64'>, this.kernelSize, { ...this.options, ...options });
  }

  override extraRepr(): string {
    return `kernelSize=${String(this.kernelSize)}${show(this.options)}`;
  }
}

/**
 * The largest element of each window; see `maxPool3d`. With `returnIndices: true` forward gives a pair.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, Dout, Hout, Wout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class MaxPool3d<
  const K extends number | readonly [number, number, number] = number | readonly [number, number, number],
  const X extends ops.MaxPoolOptions = object,
> extends WindowLayer<Pool3dFn<'MaxPool3d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('MaxPool3d', 3, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool3dFn<'MaxPool3d', K, X>, S>,
  ): MaxPooled<X, ApplyShape<Pool3dFn<'MaxPool3d', K, X>, S>, D> {
    return ops.maxPool3d(x as Tensor, this.kernelSize, this.options) as unknown as MaxPooled<
      X,
      ApplyShape<Pool3dFn<'MaxPool3d', K, X>, S>,
      D
    >;
  }

  /** @internal */
  override _takesMaxima(): boolean {
    return this.options.returnIndices !== true && (this.forward as unknown) === MaxPool3d.prototype.forward;
  }
}

/**
 * The mean of each window; see `avgPool3d`.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, Dout, Hout, Wout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AvgPool3d<
  const K extends number | readonly [number, number, number] = number | readonly [number, number, number],
  const X extends ops.AvgPoolOptions = object,
> extends WindowLayer<Pool3dFn<'AvgPool3d', K, X>, X> {
  constructor(kernelSize: K, options?: X) {
    super('AvgPool3d', 3, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool3dFn<'AvgPool3d', K, X>, S>,
  ): Tensor<ApplyShape<Pool3dFn<'AvgPool3d', K, X>, S>, D> {
    return ops.avgPool3d(x, this.kernelSize, this.options) as unknown as Tensor<
      ApplyShape<Pool3dFn<'AvgPool3d', K, X>, S>,
      D
    >;
  }
}

/**
 * The power sum of each window; see `lpPool3d`.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, Dout, Hout, Wout]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class LPPool3d<
  const K extends number | readonly [number, number, number] = number | readonly [number, number, number],
  const X extends ops.LPPoolOptions = object,
> extends WindowLayer<Pool3dFn<'LPPool3d', K, X>, X> {
  constructor(
    /** The power. */
    readonly normType: number,
    kernelSize: K,
    options?: X,
  ) {
    super('LPPool3d', 3, kernelSize, options ?? ({} as X));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<Pool3dFn<'LPPool3d', K, X>, S>,
  ): Tensor<ApplyShape<Pool3dFn<'LPPool3d', K, X>, S>, D> {
    const out = ops.lpPool3d(x, this.normType, this.kernelSize, this.options);
    return out as unknown as Tensor<ApplyShape<Pool3dFn<'LPPool3d', K, X>, S>, D>;
  }
}

/**
 * Means of windows that divide the input into a given number; see `adaptiveAvgPool3d`.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveAvgPool3d<
  const Z extends number | null | readonly [number | null, number | null, number | null] =
    number | null | readonly [number | null, number | null, number | null],
> extends AdaptiveLayer<AdaptivePool3dFn<'AdaptiveAvgPool3d', Z>, Z> {
  constructor(outputSize: Z) {
    super('AdaptiveAvgPool3d', 3, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool3dFn<'AdaptiveAvgPool3d', Z>, S>,
  ): Tensor<ApplyShape<AdaptivePool3dFn<'AdaptiveAvgPool3d', Z>, S>, D> {
    return ops.adaptiveAvgPool3d(x, this.outputSize) as unknown as Tensor<
      ApplyShape<AdaptivePool3dFn<'AdaptiveAvgPool3d', Z>, S>,
      D
    >;
  }
}

/**
 * Maxima of windows that divide the input into a given number; see `adaptiveMaxPool3d`. With `returnIndices: true` forward
 * gives a pair.
 *
 * Shapes: `[N, C, D, H, W] -> [N, C, ...outputSize]`, or both without N.
 *
 * @throws ArgumentError for options out of range
 */
export class AdaptiveMaxPool3d<
  const Z extends number | null | readonly [number | null, number | null, number | null] =
    number | null | readonly [number | null, number | null, number | null],
  const X extends ops.AdaptiveMaxPoolOptions = object,
> extends AdaptiveLayer<AdaptivePool3dFn<'AdaptiveMaxPool3d', Z>, Z> {
  constructor(
    outputSize: Z,
    /** The options as given. */
    readonly options?: X,
  ) {
    super('AdaptiveMaxPool3d', 3, outputSize);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<AdaptivePool3dFn<'AdaptiveMaxPool3d', Z>, S>,
  ): MaxPooled<X, ApplyShape<AdaptivePool3dFn<'AdaptiveMaxPool3d', Z>, S>, D> {
    const out = ops.adaptiveMaxPool3d(x as Tensor, this.outputSize, this.options);
    return out as unknown as MaxPooled<X, ApplyShape<AdaptivePool3dFn<'AdaptiveMaxPool3d', Z>, S>, D>;
  }
}

/**
 * Puts maxima back where `MaxPool3d` found them, between zeros; see `maxUnpool3d`.
 *
 * @throws ArgumentError for options out of range
 */
export class MaxUnpool3d extends Module {
  /** @internal */ override readonly _transparent = true;

  constructor(
    /** The size of the pooling's window. */
    readonly kernelSize: Sizes,
    /** The options as given. */
    readonly options: Omit<ops.MaxUnpoolOptions, 'outputSize'> = {},
  ) {
    super();
    readSizes('MaxUnpool3d', 'kernelSize', kernelSize, 3, 1);
  }

  /** The values at their places in a plane of the size that pooling most likely came from. */
  override forward<D extends DType>(x: Tensor<Shape, D>, indices: Tensor): Tensor<Shape, D>;
  /** The same in a plane of a given size. */
  override forward<D extends DType>(
    x: Tensor<Shape, D>,
    indices: Tensor,
    options: Pick<ops.MaxUnpoolOptions, 'outputSize'>,
  ): Tensor<Shape, D>;
  override forward(x: Tensor, indices: Tensor, options: Pick<ops.MaxUnpoolOptions, 'outputSize'> = {}): Tensor {
    return ops.maxUnpool3d(x, indices as Tensor<Shape, 'int64'>, this.kernelSize, { ...this.options, ...options });
  }

  override extraRepr(): string {
    return `kernelSize=${String(this.kernelSize)}${show(this.options)}`;
  }
}
