// Layers of two inputs: Bilinear, CosineSimilarity, PairwiseDistance.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { empty, type TensorOptions } from '../ops/creation.js';
import { cosineSimilarity, pairwiseDistance, type PairwiseDistanceOptions } from '../ops/distance.js';
import { bilinear } from '../ops/products.js';
import type { Generator } from '../ops/random.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { uniform } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

/** Options of `Bilinear`. */
export interface BilinearOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Add a learned bias. Default true. */
  bias?: boolean;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * `out[..., o] = x1 @ weight[o] @ x2 + bias[o]`. weight `[outFeatures, in1Features, in2Features]` and bias `[outFeatures]` start
 * uniform on +-1 / sqrt(in1Features), as in PyTorch.
 *
 * Shapes: `[..., in1Features], [..., in2Features] -> [..., outFeatures]`.
 *
 * @throws ArgumentError unless the sizes are integers, in1Features above 0
 */
export class Bilinear extends Module {
  /** `[outFeatures, in1Features, in2Features]`. */
  readonly weight: Parameter;
  /** `[outFeatures]`, or null without one. */
  readonly bias: Parameter | null;

  constructor(
    /** The size of the last dimension of the first input. */
    readonly in1Features: number,
    /** The size of the last dimension of the second input. */
    readonly in2Features: number,
    /** The size of the last dimension of the output. */
    readonly outFeatures: number,
    options: BilinearOptions = {},
  ) {
    super();
    for (const [name, value, least] of [
      ['in1Features', in1Features, 1],
      ['in2Features', in2Features, 0],
      ['outFeatures', outFeatures, 0],
    ] as const) {
      if (!Number.isInteger(value) || value < least) {
        throw new ArgumentError(`Bilinear: ${name} must be an integer >= ${least}, got ${String(value)}.`);
      }
    }
    const { bias = true, generator, ...tensorOptions } = options;
    const bound = 1 / Math.sqrt(in1Features);
    const start = (shape: Shape): Parameter =>
      parameter(uniform(empty(shape, tensorOptions), -bound, bound, generator));
    this.weight = start([outFeatures, in1Features, in2Features]);
    this.bias = bias ? start([outFeatures]) : null;
  }

  override forward<D extends DType>(x1: Tensor<Shape, D>, x2: Tensor<Shape, D>): Tensor<Shape, D> {
    return bilinear(x1 as Tensor, x2 as Tensor, this.weight, this.bias) as Tensor<Shape, D>;
  }

  override extraRepr(): string {
    return `${this.in1Features}, ${this.in2Features}, ${this.outFeatures}, bias=${this.bias !== null}`;
  }
}

/** The cosine of the angle between vectors along a dimension; see `nn.functional.cosineSimilarity`. */
export class CosineSimilarity extends Module {
  constructor(
    /** The dimension of the vectors. */
    readonly dim = 1,
    /** The least value of a norm in the denominator. */
    readonly eps = 1e-8,
  ) {
    super();
  }

  override forward<D extends DType>(x1: Tensor<Shape, D>, x2: Tensor<Shape, D>): Tensor<Shape, D> {
    return cosineSimilarity(x1, x2, { dim: this.dim, eps: this.eps });
  }

  override extraRepr(): string {
    return `dim=${this.dim}, eps=${this.eps}`;
  }
}

/** The norms of differences over the last dimension; see `nn.functional.pairwiseDistance`. */
export class PairwiseDistance extends Module {
  /** The order of the norm. */
  readonly p: number;
  /** Added to the difference. */
  readonly eps: number;
  /** Whether the last dimension stays, with size 1. */
  readonly keepDim: boolean;

  constructor(options: PairwiseDistanceOptions = {}) {
    super();
    this.p = options.p ?? 2;
    this.eps = options.eps ?? 1e-6;
    this.keepDim = options.keepDim ?? false;
  }

  override forward<D extends DType>(x1: Tensor<Shape, D>, x2: Tensor<Shape, D>): Tensor<Shape, D> {
    return pairwiseDistance(x1, x2, { p: this.p, eps: this.eps, keepDim: this.keepDim });
  }

  override extraRepr(): string {
    return `p=${this.p}, eps=${this.eps}, keepDim=${this.keepDim}`;
  }
}
