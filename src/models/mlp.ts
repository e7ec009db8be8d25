// Multi-layer perceptrons.
import { ArgumentError } from '../errors.js';
import type { DType } from '../dtype.js';
import { Dropout } from '../nn/dropout.js';
import { Linear } from '../nn/layers.js';
import { Module, type AnyModule } from '../nn/module.js';
import { BatchNorm1d } from '../nn/norm.js';
import type { Sequential } from '../nn/sequential.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape, LinearFn } from '../types/sequential.js';
import {
  activationLayer,
  chain,
  checkPositive,
  checkProbability,
  type ActivationName,
  type ModelOptions,
} from './common.js';

/** Options of `MLP`. */
export interface MLPOptions extends ModelOptions {
  /** Units of the hidden layers. Default `[512]`. */
  hidden?: readonly number[];
  /** Behind each hidden layer. Default `'relu'`. */
  activation?: ActivationName;
  /** Batch normalisation in front of each activation; the input must then be `[N, inFeatures]`. Default false. */
  batchNorm?: boolean;
  /** The probability of zeros behind each hidden layer, in training. Default 0: no such layers. */
  dropout?: number;
}

/** Linear layers from size to size, with what stands between them. @internal */
export function denseLayers(model: string, sizes: readonly number[], options: Omit<MLPOptions, 'hidden'>): AnyModule[] {
  const { activation = 'relu', batchNorm = false, dropout = 0, generator, ...place } = options;
  checkProbability(model, 'dropout', dropout);
  const random = generator === undefined ? {} : { generator };
  return sizes
    .slice(1)
    .flatMap((size, i): AnyModule[] => [
      new Linear<number, number>(sizes[i], size, { ...place, ...random, bias: !batchNorm || i === sizes.length - 2 }),
      ...(i === sizes.length - 2
        ? []
        : [
            ...(batchNorm ? [new BatchNorm1d<number>(size, place)] : []),
            activationLayer(model, activation),
            ...(dropout > 0 ? [new Dropout(dropout, generator)] : []),
          ]),
    ]);
}

/**
 * A multi-layer perceptron: linear layers with an activation between them (Rumelhart et al. 1986). Weights start as those of
 * `Linear`. The default, 784-512-10, is the classifier of MNIST in this project's examples; put a `Flatten` in front for
 * images.
 *
 * Shapes: `[..., inFeatures] -> [..., outFeatures]`. Names in the state dict: 'layers.0.weight' and so on, where activations,
 * norms and dropout count as layers.
 *
 * @throws ArgumentError for sizes below 1 and unknown activations; `forward` throws ShapeError
 * @example
 * const model = new models.MLP(784, 10, { hidden: [512, 256], dropout: 0.2 });
 * model.forward(randn([128, 784])).shape; // [128, 10]
 */
export class MLP<I extends number = 784, O extends number = 10> extends Module<LinearFn<I, O>> {
  /** The size of the last dimension of the input. */
  readonly inFeatures: I;
  /** The size of the last dimension of the output. */
  readonly outFeatures: O;
  /** All layers. */
  readonly layers: Sequential;

  constructor(inFeatures: I = 784 as I, outFeatures: O = 10 as O, options: MLPOptions = {}) {
    super();
    const { hidden = [512], ...rest } = options;
    if (!Array.isArray(hidden))
      throw new ArgumentError(`MLP: hidden must be a list of sizes, got ${JSON.stringify(hidden)}.`);
    checkPositive('MLP', { inFeatures, outFeatures });
    (hidden as number[]).forEach((size, i) => checkPositive('MLP', { [`hidden[${i}]`]: size }));
    this.inFeatures = inFeatures;
    this.outFeatures = outFeatures;
    this.layers = chain(denseLayers('MLP', [inFeatures, ...(hidden as number[]), outFeatures], rest));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<LinearFn<I, O>, S>,
  ): Tensor<ApplyShape<LinearFn<I, O>, S>, D> {
    return this.layers.forward<Shape, DType>(x) as unknown as Tensor<ApplyShape<LinearFn<I, O>, S>, D>;
  }
}
