// Initial values of parameters, in place and unrecorded. PyTorch's names and bounds.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Generator } from '../ops/random.js';
import { mul } from '../ops/arithmetic.js';
import { copy_, fill_ } from '../ops/copy.js';
import { empty, eye as identity, tensor } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { diagonal } from '../ops/diagonal.js';
import { requireFloatInput } from '../ops/indexing.js';
import { sign } from '../ops/math.js';
import { normal_, uniform_ } from '../ops/random.js';
import { scatter_ } from '../ops/scatter.js';
import { argsort } from '../ops/sort.js';
import { narrow, reshape, select, transpose } from '../ops/view.js';
import { qr } from '../linalg/qr.js';
import { tidy } from '../memory.js';
import * as e from '../program/expr.js';
import { program } from '../program/program.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** What follows the weight, for the gain; `leakyRelu` takes `negativeSlope`. */
export type Nonlinearity =
  | 'linear'
  | 'conv1d'
  | 'conv2d'
  | 'conv3d'
  | 'convTranspose1d'
  | 'convTranspose2d'
  | 'convTranspose3d'
  | 'sigmoid'
  | 'tanh'
  | 'relu'
  | 'leakyRelu'
  | 'selu';

/**
 * The factor that keeps the variance through an activation: 1 for linear maps, convolutions and sigmoid, 5/3 for tanh,
 * sqrt(2) for relu, `sqrt(2 / (1 + negativeSlope^2))` for leakyRelu, 3/4 for selu.
 *
 * @throws ArgumentError for another name
 */
export function calculateGain(nonlinearity: Nonlinearity, negativeSlope = 0.01): number {
  switch (nonlinearity) {
    case 'linear':
    case 'conv1d':
    case 'conv2d':
    case 'conv3d':
    case 'convTranspose1d':
    case 'convTranspose2d':
    case 'convTranspose3d':
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
  checkTensor(op, 'x', weight);
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

/** Zeros. */
export function zeros<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return constant(x, 0);
}

/** Ones. */
export function ones<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return constant(x, 1);
}

/**
 * Ones on the diagonal of a matrix, else zeros: a linear layer that passes on as much of its input as it can.
 *
 * @throws ShapeError unless x has 2 dimensions
 */
export function eye<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkTensor('eye', 'x', x);
  if (x.shape.length !== 2)
    throw new ShapeError(`eye: expected a tensor of 2 dimensions, got shape ${formatShape(x.shape)}.`);
  return noGrad(() => tidy(() => copy_(x, identity(x.shape[0], x.shape[1], { dtype: x.dtype, device: x.device }))));
}

/**
 * A convolution's weight `[out, in, ...kernel]` that passes on as many input channels as it can: a one in the middle of the
 * kernel from channel i to channel i, of each group.
 *
 * @param options `groups` (default 1): the output channels are divided among them
 * @throws ShapeError unless x has 3, 4 or 5 dimensions; ArgumentError unless groups divides x.shape[0]
 */
export function dirac<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { groups?: number } = {},
): Tensor<S, D> {
  checkTensor('dirac', 'x', x);
  const { groups = 1 } = options;
  const { shape } = x;
  if (shape.length < 3 || shape.length > 5)
    throw new ShapeError(`dirac: expected a tensor of 3, 4 or 5 dimensions, got shape ${formatShape(shape)}.`);
  if (!Number.isInteger(groups) || groups < 1 || shape[0] % groups !== 0) {
    throw new ArgumentError(`dirac: groups must be a positive divisor of x.shape[0] = ${shape[0]}, got ${String(groups)}.`);
  }
  return noGrad(() =>
    tidy(() => {
      fill_(x, 0);
      if (x.numel === 0) return x;
      let middle: Tensor = x;
      for (const size of shape.slice(2)) middle = select(middle, 2, Math.floor(size / 2));
      const perGroup = shape[0] / groups;
      const ones = identity(perGroup, shape[1], { dtype: x.dtype, device: x.device });
      for (let g = 0; g < groups; g++) copy_(narrow(middle, 0, g * perGroup, perGroup), ones);
      return x;
    }),
  );
}

const truncated = program({
  name: 'truncNormal',
  tensors: ['x', 'u'],
  scalars: ['mean', 'scale', 'a', 'b'],
  update: ({ u, mean, scale, a, b }) => ({
    x: e.minimum(e.maximum(e.add(e.mul(e.erfinv(u), scale), mean), a), b),
  }),
});

// The distribution function of the standard normal distribution.
const normalCdf = (x: number): number => {
  if (!Number.isFinite(x)) return x > 0 ? 1 : 0;
  const value = tensor(x * Math.SQRT1_2, { dtype: 'float64' });
  return (1 + value.erf().itemSync()) / 2;
};

/**
 * Normal, but only values of [a, b]: those outside are drawn again. By the inverse of the distribution function, as in PyTorch,
 * so a and b are values, not standard deviations, and the interval should not be far in a tail.
 *
 * @throws ArgumentError unless std is positive and a < b
 */
export function truncNormal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mean = 0,
  std = 1,
  a = -2,
  b = 2,
  generator?: Generator,
): Tensor<S, D> {
  checkTensor('truncNormal', 'x', x);
  if (!(std > 0)) throw new ArgumentError(`truncNormal: std must be positive, got ${String(std)}.`);
  if (!(a < b)) throw new ArgumentError(`truncNormal: a must be below b, got a = ${String(a)} and b = ${String(b)}.`);
  const low = 2 * normalCdf((a - mean) / std) - 1;
  const high = 2 * normalCdf((b - mean) / std) - 1;
  return noGrad(() =>
    tidy(() => {
      const dtype = x.dtype === 'float64' ? 'float64' : 'float32';
      const u = uniform_(empty(x.shape as Shape, { dtype, device: x.device }), low, high, generator);
      truncated.run({ x: [x], u: [u] }, { mean, scale: std * Math.SQRT2, a, b });
      return x;
    }),
  );
}

/**
 * A random matrix with orthonormal rows, or columns if there are more rows, times `gain` (Saxe et al. 2014). Of tensors of
 * more dimensions, those behind the first count as one.
 *
 * @throws ShapeError unless x has at least 2 dimensions; DTypeError unless it is a float
 */
export function orthogonal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  gain = 1,
  generator?: Generator,
): Tensor<S, D> {
  requireFloatInput('orthogonal', 'x', x);
  if (x.shape.length < 2)
    throw new ShapeError(`orthogonal: expected a tensor of at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  if (x.numel === 0) return x;
  return noGrad(() =>
    tidy(() => {
      const rows = x.shape[0];
      const columns = x.numel / rows;
      const dtype = x.dtype === 'float64' ? 'float64' : 'float32';
      const random: Tensor = normal_(empty([rows, columns], { dtype, device: x.device }), 0, 1, generator);
      const wide = rows < columns;
      const { Q, R } = qr(wide ? transpose(random, 0, 1) : random);
      // With R's diagonal positive, Q is distributed uniformly.
      const signed = mul(Q, sign(diagonal(R))) as Tensor;
      const result = wide ? transpose(signed, 0, 1) : signed;
      return copy_(x, reshape(mul(result, gain) as Tensor, x.shape as Shape));
    }),
  );
}

/**
 * Normal with mean 0, and in each column of the matrix `ceil(sparsity * rows)` zeros at random places (Martens 2010).
 *
 * @param sparsity the part of each column that is zero, from 0 to 1
 * @throws ShapeError unless x has 2 dimensions; ArgumentError for a sparsity out of range
 */
export function sparse<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  sparsity: number,
  std = 0.01,
  generator?: Generator,
): Tensor<S, D> {
  checkTensor('sparse', 'x', x);
  if (x.shape.length !== 2)
    throw new ShapeError(`sparse: expected a tensor of 2 dimensions, got shape ${formatShape(x.shape)}.`);
  if (!(sparsity >= 0 && sparsity <= 1))
    throw new ArgumentError(`sparse: sparsity must be from 0 to 1, got ${String(sparsity)}.`);
  const [rows, columns] = x.shape;
  const zeros = Math.ceil(sparsity * rows);
  return noGrad(() =>
    tidy(() => {
      normal_(x, 0, std, generator);
      if (zeros === 0 || x.numel === 0) return x;
      const keys = uniform_(empty([rows, columns], { dtype: 'float64', device: x.device }), 0, 1, generator);
      const places = narrow(argsort(keys as Tensor, 0), 0, 0, zeros);
      return scatter_(x, 0, places as Tensor<Shape, 'int64'>, 0) as Tensor<S, D>;
    }),
  );
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
  if (mode !== 'fanIn' && mode !== 'fanOut')
    throw new ArgumentError(`${op}: mode must be 'fanIn' or 'fanOut', got ${JSON.stringify(mode)}.`);
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
