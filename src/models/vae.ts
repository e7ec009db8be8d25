// Variational autoencoders.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { Linear } from '../nn/layers.js';
import { binaryCrossEntropyWithLogits, mseLoss } from '../nn/losses.js';
import { Module } from '../nn/module.js';
import type { Sequential } from '../nn/sequential.js';
import { sigmoid } from '../ops/math.js';
import { randn, type Generator } from '../ops/random.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { convHalves, linearHalves, type CoderOptions, type ConvCoderOptions, type Halves } from './coders.js';
import { chain, checkChoice, checkPositive } from './common.js';

/** Options of `vaeLoss`. */
export interface VaeLossOptions {
  /**
   * What pixels are: `'bernoulli'` (default), values from 0 to 1 whose logits the decoder gives, or `'gaussian'`, values with
   * deviation 1 around what it gives.
   */
  likelihood?: 'bernoulli' | 'gaussian';
  /** The weight of the divergence (Higgins et al. 2017, "beta-VAE"). Default 1: the bound itself. */
  beta?: number;
  /** The mean over the batch (default) or the sum. */
  reduction?: 'mean' | 'sum';
}

/**
 * The negative evidence lower bound: what the reconstruction costs, plus the divergence of the code's distribution from the
 * standard normal one, `(mean^2 + variance - 1 - log variance) / 2` for each of its numbers. Both are summed over pixels and
 * code. With `'gaussian'` the constant of the density is left out.
 *
 * @param logits what the decoder gave, of x's shape
 * @param x `[N, ...]`
 * @param mean `[N, latentSize]`
 * @param logVariance `[N, latentSize]`
 * @throws ArgumentError for unknown options; ShapeError if the shapes differ
 * @example
 * const [logits, mean, logVariance] = model.forward(x);
 * models.vaeLoss(logits, x, mean, logVariance).backward();
 */
export function vaeLoss(
  logits: Tensor,
  x: Tensor,
  mean: Tensor,
  logVariance: Tensor,
  options: VaeLossOptions = {},
): Tensor<readonly []> {
  const { likelihood = 'bernoulli', beta = 1, reduction = 'mean' } = options;
  checkChoice('vaeLoss', 'likelihood', likelihood, ['bernoulli', 'gaussian']);
  checkChoice('vaeLoss', 'reduction', reduction, ['mean', 'sum']);
  if (!(beta >= 0)) throw new ArgumentError(`vaeLoss: beta must be a number from 0, got ${String(beta)}.`);
  return tidy(() => {
    const cost: Tensor =
      likelihood === 'bernoulli'
        ? binaryCrossEntropyWithLogits(logits, x, { reduction: 'sum' })
        : mseLoss(logits, x, { reduction: 'sum' }).mul(0.5);
    const divergence = mean
      .square()
      .add(logVariance.exp())
      .sub(1)
      .sub(logVariance)
      .sum()
      .mul(0.5 * beta);
    const total = cost.add(divergence);
    return reduction === 'sum' ? total : total.div(x.shape[0] ?? 1);
  }) as Tensor<readonly []>;
}

/** What both variational autoencoders share. */
export abstract class VAEBase extends Module {
  /** The size of the code. */
  readonly latentSize: number;
  /** From the input to features. */
  readonly encoder: Sequential;
  /** From features to the code's mean. */
  readonly mean: Linear;
  /** From features to the logarithm of the code's variance. */
  readonly logVariance: Linear;
  /** From a code to logits of the input's shape. */
  readonly decoder: Sequential;
  private readonly _generator: Generator | undefined;

  /** @internal */
  constructor({ encoder, features, decoder, latentSize }: Halves, options: CoderOptions | ConvCoderOptions) {
    super();
    const { generator, dtype, device } = options;
    const place = {
      ...(generator === undefined ? {} : { generator }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(device === undefined ? {} : { device }),
    };
    this.latentSize = latentSize;
    this.encoder = chain(encoder);
    this.mean = new Linear<number, number>(features, latentSize, place);
    this.logVariance = new Linear<number, number>(features, latentSize, place);
    this.decoder = chain(decoder);
    this._generator = generator;
  }

  /** Mean and log variance of the code, `[N, latentSize]` each. */
  encode(x: Tensor): [mean: Tensor, logVariance: Tensor] {
    const h = this.encoder.forward<Shape, DType>(x);
    return [this.mean.forward(h), this.logVariance.forward(h)];
  }

  /** Logits of what a code stands for (with a Gaussian likelihood: means), of the input's shape. */
  decode(z: Tensor): Tensor {
    return this.decoder.forward<Shape, DType>(z);
  }

  /**
   * What the decoder makes of a code that is drawn from the encoder's distribution, and that distribution: what `vaeLoss`
   * takes.
   *
   * @param noise `[N, latentSize]`, standard normal; drawn if it is not given. Zeros: the code is the mean
   */
  override forward(x: Tensor, noise?: Tensor): [logits: Tensor, mean: Tensor, logVariance: Tensor] {
    const [mean, logVariance] = this.encode(x);
    const drawn = noise ?? this.noise(mean.shape[0], mean);
    // The noise comes from outside, so that gradients flow to mean and variance.
    return [this.decode(mean.add(drawn.mul(logVariance.mul(0.5).exp()))), mean, logVariance];
  }

  private noise(n: number, like: Tensor, generator = this._generator): Tensor {
    const { dtype, device } = like;
    const random = generator === undefined ? {} : { generator };
    return randn([n, this.latentSize], { dtype: dtype === 'float64' ? dtype : 'float32', device, ...random }).to(dtype);
  }

  /**
   * New examples, from codes drawn from the standard normal distribution: `[n, ...]`, values from 0 to 1. Nothing is recorded.
   *
   * @param options `generator`: the source of the codes
   * @throws ArgumentError unless n is an integer above 0
   */
  sample(n: number, options: { generator?: Generator } = {}): Tensor {
    checkPositive(this.constructor.name, { n });
    return noGrad(() => tidy(() => sigmoid(this.decode(this.noise(n, this.mean.weight, options.generator)))));
  }
}

/**
 * A variational autoencoder of vectors (Kingma and Welling 2014, "Auto-encoding variational Bayes"): linear layers with ReLU.
 * By default 784-400-20-400-784, 652,824 parameters. Weights start as those of `Linear`.
 *
 * Shapes: `[N, inputSize]` -> logits `[N, inputSize]`, mean and log variance `[N, latentSize]`.
 *
 * @throws ArgumentError for sizes below 1
 * @example
 * const model = new models.VAE();
 * const x = rand([128, 784]);
 * const [logits, mean, logVariance] = model.forward(x);
 * models.vaeLoss(logits, x, mean, logVariance).backward();
 * model.sample(16).shape; // [16, 784]
 */
export class VAE extends VAEBase {
  constructor(options: CoderOptions = {}) {
    super(linearHalves('VAE', options), options);
  }
}

/**
 * A variational autoencoder of images: convolutions 4x4 of stride 2 with ReLU, and their transposes. Weights start as those of
 * `Conv2d` and `Linear`.
 *
 * Shapes: `[N, inChannels, imageSize, imageSize]` -> logits of the same, mean and log variance `[N, latentSize]`.
 *
 * @throws ArgumentError for sizes below 1, and an image that cannot be halved so often
 * @example
 * new models.ConvVAE({ inChannels: 3, imageSize: 32 }).sample(4).shape; // [4, 3, 32, 32]
 */
export class ConvVAE extends VAEBase {
  constructor(options: ConvCoderOptions = {}) {
    super(convHalves('ConvVAE', options), options);
  }
}
