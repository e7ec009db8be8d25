// Random tensors like others, and draws from distributions that tensors describe. The generators are in random.ts.
import { isFloating, type DType, type FloatDType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { add, div, maximum, mul } from './arithmetic.js';
import { lt } from './compare.js';
import { cast, copy_ } from './copy.js';
import { cumsum } from './scan.js';
import { checkTensor, checkWritable } from './define.js';
import { scatter } from './scatter.js';
import { log, log1p, neg } from './math.js';
import { rand, randint, randn, uniform_, type Generator, type RandomOptions } from './random.js';
import { argmax, sum } from './reduce.js';
import { requireFloat } from './require.js';
import { searchsorted, topk } from './sort.js';
import { softmax } from './softmax.js';
import { expand, narrow } from './view.js';
import { like, zerosLike } from './creation.js';

/** Uniform numbers of [0, 1) with the shape, dtype and device of x. */
export function randLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  return rand<S, D>(x.shape, like('randLike', x, options));
}

/** Normal numbers of mean 0 and standard deviation 1 with the shape, dtype and device of x. */
export function randnLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  return randn<S, D>(x.shape, like('randnLike', x, options));
}

/**
 * Integers of [low, high) with the shape, dtype and device of x.
 *
 * @throws ArgumentError unless low and high are integers, low below high
 */
export function randintLike<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  low: number | bigint,
  high: number | bigint,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  return randint<S, D>(low, high, x.shape, like('randintLike', x, options));
}

/** Where the random numbers come from. */
export interface SamplingOptions {
  /** Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

const generatorOf = ({ generator }: SamplingOptions): { generator?: Generator } =>
  generator === undefined ? {} : { generator };

/**
 * Normal numbers with a mean and a standard deviation for each element. Either may be a number; tensors broadcast.
 *
 * @throws DTypeError for integer and bool tensors; ArgumentError for a negative number as deviation, and unless one is a tensor
 * @example
 * normal(tensor([0, 10]), 1); // two numbers, near 0 and 10
 */
export function normal(
  mean: Tensor | number,
  std: Tensor | number = 1,
  options: SamplingOptions = {},
): Tensor<Shape, FloatDType> {
  for (const [name, value] of [
    ['mean', mean],
    ['std', std],
  ] as const) {
    if (isTensor(value)) requireFloat('normal', name, value);
    else if (typeof value !== 'number' || !Number.isFinite(value) || (name === 'std' && value < 0)) {
      throw new ArgumentError(
        `normal: ${name} must be a tensor or a finite number${name === 'std' ? ' >= 0' : ''}, got ${String(value)}.`,
      );
    }
  }
  if (!isTensor(mean) && !isTensor(std)) {
    throw new ArgumentError('normal: mean or std must be a tensor; of numbers, use randn(shape).mul(std).add(mean).');
  }
  return tidy(() =>
    noGrad(() => {
      // What the sum broadcasts to is the shape of the result.
      const target = add(mean, std);
      const noise = randn(target.shape, { dtype: target.dtype, device: target.device, ...generatorOf(options) });
      return add(mul(noise, std), mean);
    }),
  ) as Tensor<Shape, FloatDType>;
}

/**
 * Replaces the elements by numbers of the exponential distribution, of density `lambd exp(-lambd x)`.
 *
 * @method
 * @throws DTypeError for integer and bool tensors; ArgumentError unless lambd is positive; GradError while gradients are recorded
 */
export function exponential_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  lambd = 1,
  options: SamplingOptions = {},
): Tensor<S, D> {
  checkTensor('exponential_', 'x', x);
  if (!isFloating(x.dtype)) throw new DTypeError(`exponential_: x must be a float tensor, got ${x.dtype}.`);
  if (!(lambd > 0)) throw new ArgumentError(`exponential_: lambd must be a number above 0, got ${String(lambd)}.`);
  checkWritable('exponential_', x);
  return noGrad(() => {
    uniform_(x, 0, 1, options.generator);
    tidy(() => void copy_(x, div(neg(log1p(neg(x))), lambd)));
    return x;
  });
}

/**
 * Replaces the elements by ones with probability p, else zeros.
 *
 * @method
 * @param p one probability, or a tensor of them that broadcasts to x
 * @throws ArgumentError for a number outside [0, 1]; ShapeError if p does not broadcast; GradError while gradients are recorded
 */
export function bernoulli_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  p: number | Tensor = 0.5,
  options: SamplingOptions = {},
): Tensor<S, D> {
  checkTensor('bernoulli_', 'x', x);
  if (isTensor(p)) requireFloat('bernoulli_', 'p', p);
  else if (!(p >= 0 && p <= 1)) {
    throw new ArgumentError(`bernoulli_: p must be from 0 to 1, got ${String(p)}.`);
  }
  checkWritable('bernoulli_', x);
  return noGrad(() => {
    tidy(() => {
      const probability: Tensor | number = isTensor(p) ? expand(p, x.shape) : p;
      const dtype = isTensor(p) ? p.dtype : 'float32';
      const draws: Tensor = rand(x.shape, { dtype, device: x.device, ...generatorOf(options) });
      copy_(x, lt(draws, probability as Tensor));
    });
    return x;
  });
}

/** Options of `multinomial`. */
export interface MultinomialOptions extends SamplingOptions {
  /** A category may be drawn several times. Default false. */
  replacement?: boolean;
}

/**
 * Draws categories: each row of the input has the weights of its categories, which need not sum to 1. Waits for queued work,
 * to check the weights.
 *
 * Shapes: `[n] -> [numSamples]`, `[rows, n] -> [rows, numSamples]`; int64.
 *
 * @method
 * @throws ShapeError unless x has 1 or 2 dimensions; DTypeError for integer and bool tensors; ArgumentError for weights that are
 *   negative, NaN or infinite, for rows without enough positive weights, and unless numSamples is an integer from 1
 * @example
 * multinomial(tensor([0.1, 0, 0.9]), 5, { replacement: true }); // such as [2, 2, 0, 2, 2]
 */
export function multinomial(x: Tensor, numSamples: number, options: MultinomialOptions = {}): Tensor<Shape, 'int64'> {
  const op = 'multinomial';
  requireFloat(op, 'x', x);
  const rank = x.shape.length;
  if (rank !== 1 && rank !== 2) {
    throw new ShapeError(`${op}: x must have 1 or 2 dimensions, got shape ${formatShape(x.shape)}.`);
  }
  if (!Number.isSafeInteger(numSamples) || numSamples < 1) {
    throw new ArgumentError(`${op}: numSamples must be an integer >= 1, got ${String(numSamples)}.`);
  }
  const { replacement = false } = options;
  const n = x.shape[rank - 1];
  if (n === 0) throw new ShapeError(`${op}: x of shape ${formatShape(x.shape)} has no categories.`);
  if (!replacement && numSamples > n) {
    throw new ArgumentError(
      `${op}: ${numSamples} samples of ${n} categories need { replacement: true }: none is drawn twice without.`,
    );
  }
  return tidy(() =>
    noGrad(() => {
      const weights: Tensor = cast(x, 'float64');
      checkWeights(weights, replacement ? 1 : numSamples);
      const random = { dtype: 'float64', device: x.device, ...generatorOf(options) } as const;
      if (!replacement) {
        // Of exponential waiting times with these rates, the first to come (Efraimidis and Spirakis 2006).
        const waiting = neg(log1p(neg(rand(x.shape, random) as Tensor)));
        return topk(div(weights, maximum(waiting, Number.MIN_VALUE * 2 ** 60)), numSamples, -1).indices;
      }
      const running = cumsum(weights, -1).contiguous();
      const total = narrow(running, -1, n - 1, 1);
      const draws = mul(rand([...x.shape.slice(0, -1), numSamples], random) as Tensor, total);
      return searchsorted(running, draws.contiguous(), { right: true }).clamp({ max: n - 1 });
    }),
  ) as Tensor<Shape, 'int64'>;
}

function checkWeights(weights: Tensor, needed: number): void {
  const bad = weights.ge(0).logicalAnd(weights.lt(Infinity)).logicalNot();
  if (bad.any().itemSync() === true) {
    throw new ArgumentError(
      'multinomial: the weights must be numbers >= 0; there is a negative one, a NaN or an infinity.',
    );
  }
  const positive = sum(weights.gt(0) as Tensor, -1);
  if (positive.lt(needed).any().itemSync() === true) {
    throw new ArgumentError(`multinomial: a row has fewer than ${needed} positive weights.`);
  }
}

/** Options of `gumbelSoftmax`. */
export interface GumbelSoftmaxOptions extends SamplingOptions {
  /** The temperature: the nearer to 0, the nearer to one-hot. Default 1. */
  tau?: number;
  /** One-hot vectors, with the gradient of the soft ones. Default false. */
  hard?: boolean;
  /** The dimension of the categories. Default -1. */
  dim?: number;
}

/**
 * Differentiable draws of categories: `softmax((logits + noise) / tau)` with noise of the Gumbel distribution (Jang et al.
 * 2017, Maddison et al. 2017).
 *
 * @throws DTypeError for integer and bool tensors; ArgumentError unless tau is positive; IndexError for a dimension that is not
 *   there
 */
export function gumbelSoftmax<S extends Shape, D extends DType>(
  logits: Tensor<S, D>,
  options: GumbelSoftmaxOptions = {},
): Tensor<S, D> {
  const op = 'gumbelSoftmax';
  const { tau = 1, hard = false, dim = -1 } = options;
  requireFloat(op, 'logits', logits);
  if (!(tau > 0)) throw new ArgumentError(`${op}: tau must be a number above 0, got ${String(tau)}.`);
  const d = normalizeDim(op, dim, logits.shape.length);
  return tidy(() => {
    const noise = noGrad(() => {
      const u = rand(logits.shape as Shape, { dtype: 'float64', device: logits.device, ...generatorOf(options) });
      // 1 - u lies in (0, 1], so that the inner logarithm is finite; the outer one must not be of 0.
      return cast(neg(log(maximum(neg(log1p(neg(u as Tensor))), 2 ** -60))), logits.dtype);
    });
    const soft: Tensor = softmax(div(add(logits as Tensor, noise), tau) as Tensor, d);
    if (!hard) return soft as Tensor<S, D>;
    const picked = noGrad(() => {
      const index = argmax(soft, d, { keepDim: true });
      return scatter(zerosLike(soft), d, index, 1);
    });
    return add(picked, soft.sub(soft.detach())) as Tensor<S, D>;
  });
}
