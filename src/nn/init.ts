// Initial values of parameters, in place and unrecorded. PyTorch's names and bounds.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Generator } from '../ops/random.js';
import { normal_, uniform_ } from '../ops/random.js';
import { fill_ } from '../ops/copy.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** The activation that follows, for the gain; `leakyRelu` takes `negativeSlope`. */
export type Nonlinearity = 'linear' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu';

/** The factor that keeps the variance through an activation. */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'sigmoid':
      return 1;
    case 'tanh':
      return 5 / 3;
    case 'relu':
      return Math.SQRT2;
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + negativeSlope ** 2));
    case 'selu':
      return 3 / 4;
    default:
      throw new ArgumentError(`calculateGain: unknown nonlinearity ${JSON.stringify(nonlinearity)}.`);
  }
}

/** Inputs and outputs of each unit of a weight `[out, in, ...kernel]`. */
function fans(op: string, weight: Tensor): { fanIn: number; fanOut: number } {
  if (weight.shape.length < 2) {
    throw new ShapeError(`${op}: expected a weight of at least 2 dimensions, got shape ${formatShape(weight.shape)}.`);
  }
  const [out, inputs, ...kernel] = weight.shape as readonly [number, number, ...number[]];
  const field = kernel.reduce((n, size) => n * size, 1);
  return { fanIn: inputs * field, fanOut: out * field };
}

/** Uniform on [low, high). */
export function uniform<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  low = 0,
  high = 1,
  generator?: Generator,
): Tensor<S, D> {
  return noGrad(() => uniform_(x, low, high, generator));
}

/** Normal. */
export function normal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mean = 0,
  std = 1,
  generator?: Generator,
): Tensor<S, D> {
  return noGrad(() => normal_(x, mean, std, generator));
}

/** One value. */
export function constant<S extends Shape, D extends DType>(x: Tensor<S, D>, value: number): Tensor<S, D> {
  return noGrad(() => fill_(x, value));
}

/** Options of the Kaiming initialisations. */
export interface KaimingOptions {
  /** Slope of the leaky ReLU that follows. Default 0. */
  a?: number;
  /** Keep the variance of activations (`'fanIn'`, default) or of gradients. */
  mode?: 'fanIn' | 'fanOut';
  /** Default 'leakyRelu'. */
  nonlinearity?: Nonlinearity;
  /** Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

function kaimingStd(op: string, x: Tensor, options: KaimingOptions): number {
  const { a = 0, mode = 'fanIn', nonlinearity = 'leakyRelu' } = options;
  const { fanIn, fanOut } = fans(op, x);
  const fan = mode === 'fanIn' ? fanIn : fanOut;
  return fan === 0 ? 0 : calculateGain(nonlinearity, a) / Math.sqrt(fan);
}

/** Uniform on +-gain * sqrt(3 / fan) (He et al. 2015). */
export function kaimingUniform<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: KaimingOptions = {},
): Tensor<S, D> {
  const bound = Math.sqrt(3) * kaimingStd('kaimingUniform', x, options);
  return uniform(x, -bound, bound, options.generator);
}

/** Normal with standard deviation gain / sqrt(fan) (He et al. 2015). */
export function kaimingNormal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: KaimingOptions = {},
): Tensor<S, D> {
  return normal(x, 0, kaimingStd('kaimingNormal', x, options), options.generator);
}

/** Uniform on +-gain * sqrt(6 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierUniform<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  gain = 1,
  generator?: Generator,
): Tensor<S, D> {
  const { fanIn, fanOut } = fans('xavierUniform', x);
  const bound = gain * Math.sqrt(6 / Math.max(1, fanIn + fanOut));
  return uniform(x, -bound, bound, generator);
}

/** Normal with standard deviation gain * sqrt(2 / (fanIn + fanOut)) (Glorot and Bengio 2010). */
export function xavierNormal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  gain = 1,
  generator?: Generator,
): Tensor<S, D> {
  const { fanIn, fanOut } = fans('xavierNormal', x);
  return normal(x, 0, gain * Math.sqrt(2 / Math.max(1, fanIn + fanOut)), generator);
}
