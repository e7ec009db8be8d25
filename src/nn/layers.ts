// Layers: Linear, Flatten, Unflatten.
import type { FusedActivation } from '../ops/fused.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { empty, type TensorOptions } from '../ops/creation.js';
import { linear } from '../ops/matmul.js';
import type { Generator } from '../ops/random.js';
import { unflatten } from '../ops/reshape.js';
import { flatten } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape, FlattenFn, LinearFn } from '../types/sequential.js';
import { kaimingUniform, uniform } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

/** Options of `Linear`. */
export interface LinearOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Add a learned bias. Default true. */
  bias?: boolean;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

function checkSize(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0)
    throw new ArgumentError(`${op}: ${name} must be an integer >= 0, got ${String(value)}.`);
}

/**
 * A fully connected layer: `x @ weight.T + bias`. weight `[outFeatures, inFeatures]` and bias `[outFeatures]` start uniform
 * on +-1 / sqrt(inFeatures), as in PyTorch.
 *
 * Shapes: `[..., inFeatures] -> [..., outFeatures]`.
 *
 * @example
 * const layer = new nn.Linear(784, 512);
 * layer.forward(randn([128, 784])).shape; // [128, 512]
 */
export class Linear<I extends number = number, O extends number = number> extends Module<LinearFn<I, O>> {
  /** @internal */ override readonly _transparent = true;
  /** The size of the last dimension of the input. */
  readonly inFeatures: I;
  /** The size of the last dimension of the output. */
  readonly outFeatures: O;
  /** `[outFeatures, inFeatures]`. */
  readonly weight: Parameter<readonly [O, I]>;
  /** `[outFeatures]`, or null without one. */
  readonly bias: Parameter<readonly [O]> | null;

  constructor(inFeatures: I, outFeatures: O, options: LinearOptions = {}) {
    super();
    checkSize('Linear', 'inFeatures', inFeatures);
    checkSize('Linear', 'outFeatures', outFeatures);
    const { bias = true, generator, ...tensorOptions } = options;
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    const weight: Tensor<readonly [O, I]> = empty([outFeatures, inFeatures] as const, tensorOptions);
    // kaimingUniform with a = sqrt(5) is uniform on +-1 / sqrt(fanIn).
    this.weight = parameter(
      kaimingUniform(weight, { a: Math.sqrt(5), ...(generator === undefined ? {} : { generator }) }),
    );
    const bound = inFeatures > 0 ? 1 / Math.sqrt(inFeatures) : 0;
    this.bias = bias
      ? parameter(uniform(empty<readonly [O], DType>([outFeatures], tensorOptions), -bound, bound, generator))
      : null;
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<LinearFn<I, O>, S>,
  ): Tensor<ApplyShape<LinearFn<I, O>, S>, D> {
    return linear(x as Tensor, this.weight as Tensor, this.bias) as unknown as Tensor<ApplyShape<LinearFn<I, O>, S>, D>;
  }

  /** @internal */
  override _forwardWith(x: Tensor, activation: FusedActivation): Tensor | null {
    if ((this.forward as unknown) !== Linear.prototype.forward) return null;
    return linear(x, this.weight as Tensor, this.bias, { activation });
  }

  override extraRepr(): string {
    return `${this.inFeatures}, ${this.outFeatures}, bias=${this.bias !== null}`;
  }
}

/** Dimensions `startDim` (default 1) to `endDim` (default -1) become one. */
export class Flatten<A extends number = 1, B extends number = -1> extends Module<FlattenFn<A, B>> {
  /** @internal */ override readonly _transparent = true;
  /** The first dimension that is flattened. */
  readonly startDim: A;
  /** The last one. */
  readonly endDim: B;

  constructor(startDim?: A, endDim?: B) {
    super();
    this.startDim = startDim ?? (1 as A);
    this.endDim = endDim ?? (-1 as B);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<FlattenFn<A, B>, S>,
  ): Tensor<ApplyShape<FlattenFn<A, B>, S>, D> {
    return flatten(x as Tensor, this.startDim as number, this.endDim as number) as unknown as Tensor<
      ApplyShape<FlattenFn<A, B>, S>,
      D
    >;
  }

  override extraRepr(): string {
    return `startDim=${this.startDim}, endDim=${this.endDim}`;
  }
}

/** A dimension split into several: the opposite of `Flatten`. One of the sizes may be -1. */
export class Unflatten extends Module {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The dimension. */
    readonly dim: number,
    /** What it becomes. */
    readonly sizes: readonly number[],
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return unflatten(x, this.dim, this.sizes);
  }

  override extraRepr(): string {
    return `dim=${this.dim}, sizes=[${this.sizes.join(', ')}]`;
  }
}
