// Layers that normalise: batch, layer, group, instance and local response normalisation.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { add_ } from '../ops/arithmetic.js';
import { empty, ones, zeros, type TensorOptions } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { batchNorm } from '../ops/batchNorm.js';
import { groupNorm, instanceNorm } from '../ops/groupNorm.js';
import { layerNorm, rmsNorm } from '../ops/layerNorm.js';
import { localResponseNorm, type LocalResponseNormOptions } from '../ops/normalize.js';
import { select, unsqueeze } from '../ops/view.js';
import { noGrad } from '../autograd/mode.js';
import { keep } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ChannelFn, FeatureFn } from '../types/norm.js';
import type { ApplyCheck, ApplyShape, IdentityFn, ShapeFn } from '../types/sequential.js';
import { constant } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

type Place = Omit<TensorOptions, 'requiresGrad'>;

function checkCount(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1) {
    throw new ArgumentError(`${op}: ${name} must be an integer above 0, got ${String(value)}.`);
  }
}

const filled = <S extends Shape>(shape: S, value: number, place: Place): Parameter<S> =>
  parameter(constant(empty<S, DType>(shape, place), value));

// ---- Channels

/** Options of `BatchNorm1d` to `BatchNorm3d`, and of `InstanceNorm1d` to `InstanceNorm3d`, where affine and trackRunningStats are false by default. */
export interface BatchNormLayerOptions extends Place {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** The share of a batch in the running statistics; null for the mean over all batches. Default 0.1. */
  momentum?: number | null;
  /** Learn a weight, and a bias unless `bias` is false. */
  affine?: boolean;
  /** Learn a bias beside the weight. Default true. */
  bias?: boolean;
  /** Keep running statistics, used in evaluation. */
  trackRunningStats?: boolean;
}

/** What batch and instance normalisation share. */
abstract class ChannelNorm<C extends number, F extends ShapeFn> extends Module<F> {
  /** @internal */ override readonly _transparent = true;
  /** The number of channels. */
  readonly numFeatures: C;
  /** Added to the variance. */
  readonly eps: number;
  /** The share of a batch in the running statistics; null for the mean over all batches. */
  readonly momentum: number | null;
  /** True if weight and bias are learned. */
  readonly affine: boolean;
  /** True if running statistics are kept. */
  readonly trackRunningStats: boolean;
  /** `[C]`, starts as ones. */
  readonly weight: Parameter<readonly [C]> | null;
  /** `[C]`, starts as zeros. */
  readonly bias: Parameter<readonly [C]> | null;
  /** `[C]`, starts as zeros. */
  readonly running_mean: Tensor<readonly [C]> | null;
  /** `[C]`, starts as ones. */
  readonly running_var: Tensor<readonly [C]> | null;
  /** How many batches the running statistics have seen. */
  readonly num_batches_tracked: Tensor<readonly [], 'int64'> | null;

  constructor(name: string, numFeatures: C, options: BatchNormLayerOptions, affine: boolean, track: boolean) {
    super();
    checkCount(name, 'numFeatures', numFeatures);
    const { eps = 1e-5, momentum = 0.1, bias = true, ...rest } = options;
    const { affine: learned = affine, trackRunningStats = track, ...place } = rest;
    this.numFeatures = numFeatures;
    this.eps = eps;
    this.momentum = momentum;
    this.affine = learned;
    this.trackRunningStats = trackRunningStats;
    const shape = [numFeatures] as const;
    this.weight = learned ? filled(shape, 1, place) : null;
    this.bias = learned && bias ? filled(shape, 0, place) : null;
    this.running_mean = trackRunningStats ? keep(zeros<readonly [C], DType>(shape, place)) : null;
    this.running_var = trackRunningStats ? keep(ones<readonly [C], DType>(shape, place)) : null;
    this.num_batches_tracked = trackRunningStats
      ? keep(zeros([] as const, { dtype: 'int64', ...(place.device === undefined ? {} : { device: place.device }) }))
      : null;
  }

  /** Counts a batch; the share that it has in the running statistics. @internal */
  protected _count(): number {
    const { momentum, num_batches_tracked } = this;
    if (num_batches_tracked === null) return momentum ?? 0;
    noGrad(() => add_(num_batches_tracked, 1));
    // The count is read only where it is needed: reading waits for what is queued.
    return momentum ?? 1 / Number(num_batches_tracked.itemSync());
  }

  /** Refuses other ranks and numbers of channels. @internal */
  protected _check(x: Tensor, ranks: readonly number[], channelDim = 1): void {
    const name = this.constructor.name;
    checkTensor(name, 'x', x);
    const { length } = x.shape;
    if (!ranks.includes(length)) {
      throw new ShapeError(
        `${name}(x ${formatShape(x.shape)}): x must have ${ranks.join(' or ')} dimensions, got ${length}.`,
      );
    }
    if (x.shape[channelDim] !== this.numFeatures) {
      throw new ShapeError(
        `${name}(x ${formatShape(x.shape)}): expected ${this.numFeatures} channels, got ${x.shape[channelDim]}.`,
      );
    }
  }

  override extraRepr(): string {
    const { numFeatures, eps, momentum, affine, bias, trackRunningStats } = this;
    return `${numFeatures}, eps=${eps}, momentum=${momentum}, affine=${affine}, bias=${bias !== null}, trackRunningStats=${trackRunningStats}`;
  }
}

abstract class BatchNorm<C extends number, F extends ShapeFn> extends ChannelNorm<C, F> {
  constructor(name: string, numFeatures: C, options: BatchNormLayerOptions) {
    super(name, numFeatures, options, true, true);
  }

  /** @internal */
  protected _apply(x: Tensor, ranks: readonly number[]): Tensor {
    this._check(x, ranks);
    const { running_mean, running_var, weight, bias, eps } = this;
    const batch = this.training || running_mean === null;
    const update = this.training && running_mean !== null;
    // Before anything is counted, what batchNorm would refuse.
    const single = batch && x.shape.reduce((n, size) => n * size, 1) === this.numFeatures;
    const momentum = update && !single ? this._count() : 0;
    return batchNorm(x, update || !batch ? running_mean : null, update || !batch ? running_var : null, {
      weight,
      bias,
      training: batch,
      momentum,
      eps,
    });
  }
}

/**
 * Normalises each channel over a batch (Ioffe and Szegedy 2015), see `nn.functional.batchNorm`: in training with the batch's
 * statistics, in evaluation with running ones (unless `trackRunningStats` is false).
 *
 * Shapes: `[N, C]` or `[N, C, L]`, unchanged. State: weight, bias, running_mean, running_var `[C]`, num_batches_tracked (int64).
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel in training
 * @example
 * new nn.BatchNorm1d(16).forward(randn([8, 16])).shape; // [8, 16]
 */
export class BatchNorm1d<C extends number = number> extends BatchNorm<C, ChannelFn<'BatchNorm1d', C, 2 | 3>> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('BatchNorm1d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChannelFn<'BatchNorm1d', C, 2 | 3>, S>,
  ): Tensor<ApplyShape<ChannelFn<'BatchNorm1d', C, 2 | 3>, S>, D> {
    return this._apply(x, [2, 3]) as unknown as Tensor<ApplyShape<ChannelFn<'BatchNorm1d', C, 2 | 3>, S>, D>;
  }
}

/**
 * Normalises each channel over a batch of images (Ioffe and Szegedy 2015), see `BatchNorm1d`.
 *
 * Shapes: `[N, C, H, W]`, unchanged. State: weight, bias, running_mean, running_var `[C]`, num_batches_tracked (int64).
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel in training
 * @example
 * new nn.BatchNorm2d(3).forward(randn([2, 3, 8, 8])).shape; // [2, 3, 8, 8]
 */
export class BatchNorm2d<C extends number = number> extends BatchNorm<C, ChannelFn<'BatchNorm2d', C, 4>> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('BatchNorm2d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChannelFn<'BatchNorm2d', C, 4>, S>,
  ): Tensor<ApplyShape<ChannelFn<'BatchNorm2d', C, 4>, S>, D> {
    return this._apply(x, [4]) as unknown as Tensor<ApplyShape<ChannelFn<'BatchNorm2d', C, 4>, S>, D>;
  }
}

/**
 * Normalises each channel over a batch of volumes (Ioffe and Szegedy 2015), see `BatchNorm1d`.
 *
 * Shapes: `[N, C, D, H, W]`, unchanged. State: weight, bias, running_mean, running_var `[C]`, num_batches_tracked (int64).
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel in training
 */
export class BatchNorm3d<C extends number = number> extends BatchNorm<C, ChannelFn<'BatchNorm3d', C, 5>> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('BatchNorm3d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChannelFn<'BatchNorm3d', C, 5>, S>,
  ): Tensor<ApplyShape<ChannelFn<'BatchNorm3d', C, 5>, S>, D> {
    return this._apply(x, [5]) as unknown as Tensor<ApplyShape<ChannelFn<'BatchNorm3d', C, 5>, S>, D>;
  }
}

abstract class InstanceNorm<C extends number> extends ChannelNorm<C, IdentityFn> {
  constructor(name: string, numFeatures: C, options: BatchNormLayerOptions) {
    super(name, numFeatures, options, false, false);
  }

  /** @internal */
  protected _apply(x: Tensor, spatial: number): Tensor {
    const alone = (x as Tensor | undefined)?.shape.length === spatial + 1;
    this._check(x, [spatial + 2, spatial + 1], alone ? 0 : 1);
    const { running_mean, running_var, weight, bias, eps } = this;
    const useInputStats = this.training || running_mean === null;
    const options = { runningMean: running_mean, runningVar: running_var, weight, bias, eps, useInputStats };
    const single = x.shape.slice(-spatial).every((size) => size === 1);
    // PyTorch takes a momentum of null for 0 here, and counts nothing; a cumulative mean is what it says.
    const momentum = this.training && running_mean !== null && !single ? this._count() : 0;
    if (!alone) return instanceNorm(x, { ...options, momentum });
    return select(instanceNorm(unsqueeze(x, 0), { ...options, momentum }), 0, 0);
  }
}

/**
 * Normalises each channel of each item by itself (Ulyanov et al. 2016), see `nn.functional.instanceNorm`. Nothing is learned
 * and no running statistics are kept unless asked for.
 *
 * Shapes: `[N, C, L]` or `[C, L]`, unchanged.
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel
 */
export class InstanceNorm1d<C extends number = number> extends InstanceNorm<C> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('InstanceNorm1d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return this._apply(x, 1) as Tensor<S, D>;
  }
}

/**
 * Normalises each channel of each image by itself (Ulyanov et al. 2016), see `InstanceNorm1d`.
 *
 * Shapes: `[N, C, H, W]` or `[C, H, W]`, unchanged.
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel
 */
export class InstanceNorm2d<C extends number = number> extends InstanceNorm<C> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('InstanceNorm2d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return this._apply(x, 2) as Tensor<S, D>;
  }
}

/**
 * Normalises each channel of each volume by itself (Ulyanov et al. 2016), see `InstanceNorm1d`.
 *
 * Shapes: `[N, C, D, H, W]` or `[C, D, H, W]`, unchanged.
 *
 * @throws ShapeError for other ranks or channels, or a single value per channel
 */
export class InstanceNorm3d<C extends number = number> extends InstanceNorm<C> {
  constructor(numFeatures: C, options: BatchNormLayerOptions = {}) {
    super('InstanceNorm3d', numFeatures, options);
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return this._apply(x, 3) as Tensor<S, D>;
  }
}

// ---- Rows and groups

/** Options of `LayerNorm`. */
export interface LayerNormLayerOptions extends Place {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learn a weight, and a bias unless `bias` is false. Default true. */
  elementwiseAffine?: boolean;
  /** Learn a bias beside the weight. Default true. */
  bias?: boolean;
}

/** Options of `RMSNorm`. */
export interface RMSNormLayerOptions extends Place {
  /** Added to the mean square. Default: the distance from 1 to the next number of the dtype computed in. */
  eps?: number | null;
  /** Learn a weight. Default true. */
  elementwiseAffine?: boolean;
}

type LastOf<N extends number | Shape> = N extends readonly [number]
  ? N[0]
  : N extends Shape
    ? N extends readonly [...Shape, infer Last extends number]
      ? Last
      : number
    : N;

function sizesOf(op: string, normalizedShape: number | Shape): Shape {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new ArgumentError(`${op}: normalizedShape must be a size or an array of at least one.`);
  }
  (shape as Shape).forEach((size) => checkCount(op, 'normalizedShape', size));
  return [...(shape as Shape)];
}

const showSizes = (shape: Shape): string => `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;

/**
 * Normalises the last dimensions (Ba et al. 2016), see `nn.functional.layerNorm`.
 *
 * Shapes: `[..., ...normalizedShape]`, unchanged. State: weight and bias of normalizedShape.
 *
 * @throws ShapeError if x does not end so
 * @example
 * new nn.LayerNorm(16).forward(randn([8, 16])).shape; // [8, 16]
 */
export class LayerNorm<N extends number | Shape = number | Shape> extends Module<FeatureFn<'LayerNorm', LastOf<N>>> {
  /** @internal */ override readonly _transparent = true;
  /** The sizes of the dimensions that are normalised. */
  readonly normalizedShape: Shape;
  /** Added to the variance. */
  readonly eps: number;
  /** Starts as ones. */
  readonly weight: Parameter | null;
  /** Starts as zeros. */
  readonly bias: Parameter | null;

  constructor(normalizedShape: N, options: LayerNormLayerOptions = {}) {
    super();
    const { eps = 1e-5, elementwiseAffine = true, bias = true, ...place } = options;
    this.normalizedShape = sizesOf('LayerNorm', normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? filled(this.normalizedShape, 1, place) : null;
    this.bias = elementwiseAffine && bias ? filled(this.normalizedShape, 0, place) : null;
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<FeatureFn<'LayerNorm', LastOf<N>>, S>,
  ): Tensor<ApplyShape<FeatureFn<'LayerNorm', LastOf<N>>, S>, D> {
    const { normalizedShape, weight, bias, eps } = this;
    return layerNorm(x as Tensor, normalizedShape, { weight, bias, eps }) as unknown as Tensor<
      ApplyShape<FeatureFn<'LayerNorm', LastOf<N>>, S>,
      D
    >;
  }

  override extraRepr(): string {
    const { normalizedShape, eps, weight, bias } = this;
    return `${showSizes(normalizedShape)}, eps=${eps}, elementwiseAffine=${weight !== null}, bias=${bias !== null}`;
  }
}

/**
 * Divides the last dimensions by the root of their mean square (Zhang and Sennrich 2019), see `nn.functional.rmsNorm`.
 *
 * Shapes: `[..., ...normalizedShape]`, unchanged. State: weight of normalizedShape.
 *
 * @throws ShapeError if x does not end so
 * @example
 * new nn.RMSNorm(16).forward(randn([8, 16])).shape; // [8, 16]
 */
export class RMSNorm<N extends number | Shape = number | Shape> extends Module<FeatureFn<'RMSNorm', LastOf<N>>> {
  /** @internal */ override readonly _transparent = true;
  /** The sizes of the dimensions that are normalised. */
  readonly normalizedShape: Shape;
  /** Added to the mean square; null for the default. */
  readonly eps: number | null;
  /** Starts as ones. */
  readonly weight: Parameter | null;

  constructor(normalizedShape: N, options: RMSNormLayerOptions = {}) {
    super();
    const { eps = null, elementwiseAffine = true, ...place } = options;
    this.normalizedShape = sizesOf('RMSNorm', normalizedShape);
    this.eps = eps;
    this.weight = elementwiseAffine ? filled(this.normalizedShape, 1, place) : null;
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<FeatureFn<'RMSNorm', LastOf<N>>, S>,
  ): Tensor<ApplyShape<FeatureFn<'RMSNorm', LastOf<N>>, S>, D> {
    const { normalizedShape, weight, eps } = this;
    return rmsNorm(x as Tensor, normalizedShape, { weight, eps }) as unknown as Tensor<
      ApplyShape<FeatureFn<'RMSNorm', LastOf<N>>, S>,
      D
    >;
  }

  override extraRepr(): string {
    return `${showSizes(this.normalizedShape)}, eps=${this.eps}, elementwiseAffine=${this.weight !== null}`;
  }
}

/** Options of `GroupNorm`. */
export interface GroupNormLayerOptions extends Place {
  /** Added to the variance. Default 1e-5. */
  eps?: number;
  /** Learn a weight, and a bias unless `bias` is false. Default true. */
  affine?: boolean;
  /** Learn a bias beside the weight. Default true. */
  bias?: boolean;
}

/**
 * Normalises groups of channels of each item (Wu and He 2018), see `nn.functional.groupNorm`.
 *
 * Shapes: `[N, C, ...]`, unchanged. State: weight and bias `[C]`.
 *
 * @throws ArgumentError if numChannels is not divisible by numGroups; ShapeError for other channels
 * @example
 * new nn.GroupNorm(2, 6).forward(randn([4, 6, 5])).shape; // [4, 6, 5]
 */
export class GroupNorm<C extends number = number> extends Module<ChannelFn<'GroupNorm', C>> {
  /** @internal */ override readonly _transparent = true;
  /** How many groups the channels are divided into. */
  readonly numGroups: number;
  /** The number of channels. */
  readonly numChannels: C;
  /** Added to the variance. */
  readonly eps: number;
  /** `[C]`, starts as ones. */
  readonly weight: Parameter<readonly [C]> | null;
  /** `[C]`, starts as zeros. */
  readonly bias: Parameter<readonly [C]> | null;

  constructor(numGroups: number, numChannels: C, options: GroupNormLayerOptions = {}) {
    super();
    checkCount('GroupNorm', 'numGroups', numGroups);
    checkCount('GroupNorm', 'numChannels', numChannels);
    if (numChannels % numGroups !== 0) {
      throw new ArgumentError(`GroupNorm: numChannels = ${numChannels} is not divisible by numGroups = ${numGroups}.`);
    }
    const { eps = 1e-5, affine = true, bias = true, ...place } = options;
    this.numGroups = numGroups;
    this.numChannels = numChannels;
    this.eps = eps;
    this.weight = affine ? filled([numChannels] as const, 1, place) : null;
    this.bias = affine && bias ? filled([numChannels] as const, 0, place) : null;
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChannelFn<'GroupNorm', C>, S>,
  ): Tensor<ApplyShape<ChannelFn<'GroupNorm', C>, S>, D> {
    checkTensor('GroupNorm', 'x', x);
    if (x.shape.length > 1 && x.shape[1] !== this.numChannels) {
      throw new ShapeError(
        `GroupNorm(x ${formatShape(x.shape)}): expected ${this.numChannels} channels, got ${x.shape[1]}.`,
      );
    }
    const { numGroups, weight, bias, eps } = this;
    return groupNorm(x as Tensor, numGroups, { weight, bias, eps }) as unknown as Tensor<
      ApplyShape<ChannelFn<'GroupNorm', C>, S>,
      D
    >;
  }

  override extraRepr(): string {
    const { numGroups, numChannels, eps, weight, bias } = this;
    return `${numGroups}, ${numChannels}, eps=${eps}, affine=${weight !== null}, bias=${bias !== null}`;
  }
}

/**
 * Divides by a function of neighbouring channels (Krizhevsky et al. 2012), see `nn.functional.localResponseNorm`.
 *
 * Shapes: `[N, C, ...]`, unchanged.
 *
 * @throws ArgumentError unless size is an integer above 0
 */
export class LocalResponseNorm extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  /** Default 1e-4. */
  readonly alpha: number;
  /** Default 0.75. */
  readonly beta: number;
  /** Default 1. */
  readonly k: number;

  constructor(
    /** How many channels take part. */
    readonly size: number,
    options: LocalResponseNormOptions = {},
  ) {
    super();
    checkCount('LocalResponseNorm', 'size', size);
    const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
    this.alpha = alpha;
    this.beta = beta;
    this.k = k;
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    const { alpha, beta, k } = this;
    return localResponseNorm(x, this.size, { alpha, beta, k });
  }

  override extraRepr(): string {
    return `${this.size}, alpha=${this.alpha}, beta=${this.beta}, k=${this.k}`;
  }
}
