// Generative adversarial networks of images: DCGAN, and WGAN-GP with the same generator.
import { grad } from '../autograd/backward.js';
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { LeakyReLU, ReLU, Tanh } from '../nn/activation.js';
import { Conv2d, ConvTranspose2d } from '../nn/conv.js';
import { constant, normal } from '../nn/init.js';
import { binaryCrossEntropyWithLogits } from '../nn/losses.js';
import { Module, type AnyModule } from '../nn/module.js';
import { BatchNorm2d, GroupNorm } from '../nn/norm.js';
import type { Sequential } from '../nn/sequential.js';
import { onesLike, zerosLike } from '../ops/creation.js';
import { rand, randn, type Generator } from '../ops/random.js';
import { reshape } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { chain, checkImages, checkPositive, type ModelOptions } from './common.js';

/** Options of the networks of `DCGAN` and `WGAN`. */
export interface GANOptions extends ModelOptions {
  /** Height and width of the images: a power of 2 from 8, or 3, 5 or 7 times one, such as 28. Default 32. */
  imageSize?: number;
  /** Channels of the images. Default 3. */
  channels?: number;
  /** The size of the noise that an image is made from. Default 100. */
  latentSize?: number;
  /** Channels of the largest inner images; each halving of the size doubles them. Default 64. */
  baseChannels?: number;
}

interface Plan {
  readonly imageSize: number;
  readonly channels: number;
  readonly latentSize: number;
  /** Height and width of the smallest inner images. */
  readonly small: number;
  /** Channels of the inner images, from the largest image to the smallest. */
  readonly widths: readonly number[];
  readonly place: ModelOptions;
}

function plan(model: string, options: GANOptions): Plan {
  const { imageSize = 32, channels = 3, latentSize = 100, baseChannels = 64, ...place } = options;
  checkPositive(model, { imageSize, channels, latentSize, baseChannels });
  let small = imageSize;
  const widths: number[] = [];
  while (small % 2 === 0 && small > 4) {
    small /= 2;
    widths.push(baseChannels * 2 ** widths.length);
  }
  if (widths.length === 0 || small > 7) {
    throw new ArgumentError(
      `${model}: imageSize must be 3, 4, 5 or 7 times a power of 2 above 1, such as 28, 32 or 64, got ${imageSize}.`,
    );
  }
  return { imageSize, channels, latentSize, small, widths, place };
}

/** Weights of convolutions normal with deviation 0.02, scales around 1 with the same, biases 0. */
function initialise(module: AnyModule, generator: Generator | undefined): void {
  module.apply((layer) => {
    if (layer instanceof Conv2d || layer instanceof ConvTranspose2d) normal(layer.weight, 0, 0.02, generator);
    else if ((layer instanceof BatchNorm2d || layer instanceof GroupNorm) && layer.weight !== null) {
      normal(layer.weight, 1, 0.02, generator);
      if (layer.bias !== null) constant(layer.bias, 0);
    }
  });
}

/**
 * The generator of `DCGAN`: transposed convolutions 4x4 of stride 2 with batch normalisation and ReLU, tanh at the end. The
 * layers have the names of PyTorch's example, 'main.0.weight' and so on.
 *
 * Shapes: noise `[N, latentSize]` or `[N, latentSize, 1, 1]` -> images `[N, channels, imageSize, imageSize]`, values from -1
 * to 1.
 */
export class DCGANGenerator extends Module {
  /** The size of the noise. */
  readonly latentSize: number;
  /** The layers. */
  readonly main: Sequential;

  constructor(options: GANOptions = {}) {
    super();
    const { channels, latentSize, small, widths, place } = plan('DCGANGenerator', options);
    const back = [...widths].reverse();
    const up = { ...place, stride: 2, padding: 1, bias: false };
    const norm = (width: number): AnyModule[] => [new BatchNorm2d<number>(width, placeOnly(place)), new ReLU()];
    this.latentSize = latentSize;
    this.main = chain([
      new ConvTranspose2d<number, number, number>(latentSize, back[0], small, { ...place, bias: false }),
      ...norm(back[0]),
      ...back
        .slice(1)
        .flatMap((width, i): AnyModule[] => [
          new ConvTranspose2d<number, number, 4>(back[i], width, 4, up),
          ...norm(width),
        ]),
      new ConvTranspose2d<number, number, 4>(widths[0], channels, 4, up),
      new Tanh(),
    ]);
    initialise(this, place.generator);
  }

  override forward(z: Tensor): Tensor {
    const [n, size, ...rest] = z.shape;
    if (size !== this.latentSize || !(rest.length === 0 || (rest.length === 2 && rest[0] === 1 && rest[1] === 1))) {
      const l = this.latentSize;
      throw new ShapeError(`${this.constructor.name}(z ${formatShape(z.shape)}): z must be [N,${l}] or [N,${l},1,1].`);
    }
    return this.main.forward<Shape, DType>(rest.length === 0 ? reshape(z, [n, size, 1, 1] as Shape) : z);
  }
}

const placeOnly = ({ generator: _, ...place }: ModelOptions): Omit<ModelOptions, 'generator'> => place;

/** The adversary of both: convolutions 4x4 of stride 2 with LeakyReLU, and one that sees all of the smallest image. */
abstract class Adversary extends Module {
  /** Channels of the images. */
  readonly channels: number;
  /** Height and width of the images. */
  readonly imageSize: number;
  /** The layers. */
  readonly main: Sequential;

  /** @internal */
  constructor({ imageSize, channels, small, widths, place }: Plan, norm: ((width: number) => AnyModule) | null) {
    super();
    this.channels = channels;
    this.imageSize = imageSize;
    const down = { ...place, stride: 2, padding: 1, bias: norm === null };
    this.main = chain([
      ...widths.flatMap((width, i): AnyModule[] => [
        new Conv2d<number, number, 4>(i === 0 ? channels : widths[i - 1], width, 4, down),
        ...(i === 0 || norm === null ? [] : [norm(width)]),
        new LeakyReLU(0.2),
      ]),
      new Conv2d<number, 1, number>(widths[widths.length - 1], 1, small, { ...place, bias: norm === null }),
    ]);
    initialise(this, place.generator);
  }

  override forward(x: Tensor): Tensor {
    checkImages(this.constructor.name, x, this.channels, this.imageSize);
    return reshape(this.main.forward<Shape, DType>(x), [x.shape[0]] as Shape);
  }
}

/**
 * The discriminator of `DCGAN`: convolutions 4x4 of stride 2 with LeakyReLU (0.2), batch normalisation behind all but the
 * first and the last.
 *
 * Shapes: images `[N, channels, imageSize, imageSize] -> [N]`, logits of being real.
 */
export class DCGANDiscriminator extends Adversary {
  constructor(options: GANOptions = {}) {
    const made = plan('DCGANDiscriminator', options);
    super(made, (width) => new BatchNorm2d<number>(width, placeOnly(made.place)));
  }
}

/** Options of `WGANCritic`. */
export interface WGANCriticOptions extends GANOptions {
  /**
   * `'layer'`: every image is normalised by itself (a group norm of one group). Batch normalisation would make the gradient of
   * an image depend on the others, and the penalty meaningless. Default `'none'`.
   */
  norm?: 'layer' | 'none';
}

/**
 * The critic of `WGAN`: the discriminator of `DCGAN` without batch normalisation.
 *
 * Shapes: images `[N, channels, imageSize, imageSize] -> [N]`, scores without a scale.
 */
export class WGANCritic extends Adversary {
  constructor(options: WGANCriticOptions = {}) {
    const { norm = 'none', ...rest } = options;
    if (norm !== 'layer' && norm !== 'none')
      throw new ArgumentError(`WGANCritic: norm must be "layer" or "none", got ${JSON.stringify(norm)}.`);
    const made = plan('WGANCritic', rest);
    super(made, norm === 'none' ? null : (width) => new GroupNorm<number>(1, width, placeOnly(made.place)));
  }
}

/** Images of standard normal noise; what `sample` of both is. */
function draw(generator: DCGANGenerator, n: number, source: Generator | undefined): Tensor {
  checkPositive('sample', { n });
  const { weight } = generator.main.at(0) as ConvTranspose2d;
  const { dtype, device } = weight;
  return noGrad(() =>
    tidy(() => {
      const z = randn([n, generator.latentSize], {
        dtype: dtype === 'float64' ? dtype : 'float32',
        device,
        ...(source === undefined ? {} : { generator: source }),
      });
      return generator.forward(z.to(dtype));
    }),
  );
}

/**
 * Deep convolutional generative adversarial networks (Radford, Metz and Chintala 2015, "Unsupervised representation learning
 * with deep convolutional generative adversarial networks"). Weights start normal with deviation 0.02, as there.
 *
 * @throws ArgumentError for sizes that do not fit
 * @example
 * const gan = new models.DCGAN({ imageSize: 28, channels: 1 });
 * const fake = gan.forward(randn([64, 100]));
 * gan.discriminatorLoss(real, fake).backward(); // the generator gets no gradient of this
 * gan.generatorLoss(fake).backward();
 */
export class DCGAN extends Module {
  /** Makes images. */
  readonly generator: DCGANGenerator;
  /** Tells them from real ones. */
  readonly discriminator: DCGANDiscriminator;

  constructor(options: GANOptions = {}) {
    super();
    this.generator = new DCGANGenerator(options);
    this.discriminator = new DCGANDiscriminator(options);
  }

  /** Images of noise `[N, latentSize]`. */
  override forward(z: Tensor): Tensor {
    return this.generator.forward(z);
  }

  /** Images of noise that is drawn, `[n, channels, imageSize, imageSize]`; nothing is recorded. */
  sample(n: number, options: { generator?: Generator } = {}): Tensor {
    return draw(this.generator, n, options.generator);
  }

  /**
   * The discriminator's loss: binary cross entropy of real images as 1 and fake ones as 0. No gradient goes to what made the
   * fake ones.
   *
   * @param options `smoothing` (default 0): real ones count as `1 - smoothing` (Salimans et al. 2016)
   */
  discriminatorLoss(real: Tensor, fake: Tensor, options: { smoothing?: number } = {}): Tensor {
    const { smoothing = 0 } = options;
    const ofReal = this.discriminator.forward(real);
    const ofFake = this.discriminator.forward(fake.detach());
    const ones = onesLike(ofReal).mul(1 - smoothing);
    return binaryCrossEntropyWithLogits(ofReal, ones).add(binaryCrossEntropyWithLogits(ofFake, zerosLike(ofFake)));
  }

  /** The generator's loss in the form that does not saturate: cross entropy of fake images as 1 (Goodfellow et al. 2014). */
  generatorLoss(fake: Tensor): Tensor {
    const logits = this.discriminator.forward(fake);
    return binaryCrossEntropyWithLogits(logits, onesLike(logits));
  }
}

/** What `gradientPenalty` gives. */
export interface GradientPenalty {
  /** The penalty, a scalar. */
  readonly penalty: Tensor;
  /** The norm of each gradient, `[N]`, detached. */
  readonly norms: Tensor;
}

/**
 * The gradient penalty of Gulrajani et al. 2017: `weight * mean((|gradient of critic at x| - 1)^2)` at points x that are drawn
 * between real and fake ones. It can be differentiated again.
 *
 * @param critic from `[N, ...]` to `[N]`; the score of an example must not depend on the others
 * @param options `weight` (default 10); `mix`: `[N, 1, ...]` from 0 to 1, the part of the real example, drawn by default from
 *   `generator`
 * @returns the penalty, and the norms `[N]` of the gradients, detached
 * @throws ShapeError if real and fake differ in shape
 */
export function gradientPenalty(
  critic: (x: Tensor) => Tensor,
  real: Tensor,
  fake: Tensor,
  options: { weight?: number; mix?: Tensor; generator?: Generator } = {},
): GradientPenalty {
  if (!shapesEqual(real.shape, fake.shape)) {
    throw new ShapeError(
      `gradientPenalty(real ${formatShape(real.shape)}, fake ${formatShape(fake.shape)}): the shapes must be the same.`,
    );
  }
  const { weight = 10, generator } = options;
  const n = real.shape[0];
  const { dtype, device } = real;
  const mix: Tensor =
    options.mix ??
    rand([n, ...real.shape.slice(1).map(() => 1)] as Shape, {
      dtype: dtype === 'float64' ? dtype : 'float32',
      device,
      ...(generator === undefined ? {} : { generator }),
    }).to(dtype);
  const between = fake.detach().add(real.detach().sub(fake.detach()).mul(mix)).detach().requiresGrad_();
  const [g] = grad(critic(between).sum(), [between], { createGraph: true });
  // A tiny number inside the root, whose derivative at 0 is infinite.
  const norms = reshape(g, [n, -1] as Shape)
    .square()
    .sum(1)
    .add(1e-12)
    .sqrt();
  return { penalty: norms.sub(1).square().mean().mul(weight), norms: norms.detach() };
}

/** Options of `WGAN`. */
export interface WGANOptions extends WGANCriticOptions {
  /** The weight of the gradient penalty. Default 10. */
  penaltyWeight?: number;
}

/** What `WGAN.criticLoss` gives. */
export interface CriticLoss {
  /** To be lowered: `mean(critic(fake)) - mean(critic(real)) + penalty`. */
  loss: Tensor;
  /** The estimate of the distance between the distributions, `mean(critic(real)) - mean(critic(fake))`; detached. */
  distance: Tensor;
  /** Norms of the critic's gradient between real and fake images, `[N]`; near 1 when the critic is trained. Detached. */
  norms: Tensor;
}

/**
 * Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, "Improved training of Wasserstein GANs"): the generator of
 * `DCGAN`, and a critic that estimates how far its images are from real ones. The critic takes several steps for each of the
 * generator. Weights start as `DCGAN`'s.
 *
 * @throws ArgumentError for sizes that do not fit
 * @example
 * const gan = new models.WGAN({ imageSize: 28, channels: 1 });
 * gan.criticLoss(real, gan.forward(randn([64, 100]))).loss.backward();
 * gan.generatorLoss(gan.forward(randn([64, 100]))).backward();
 */
export class WGAN extends Module {
  /** Makes images. */
  readonly generator: DCGANGenerator;
  /** Scores them. */
  readonly critic: WGANCritic;
  /** The weight of the gradient penalty. */
  readonly penaltyWeight: number;
  private readonly _source: Generator | undefined;

  constructor(options: WGANOptions = {}) {
    super();
    const { penaltyWeight = 10, norm = 'none', ...rest } = options;
    if (!(penaltyWeight >= 0))
      throw new ArgumentError(`WGAN: penaltyWeight must be a number from 0, got ${String(penaltyWeight)}.`);
    this.generator = new DCGANGenerator(rest);
    this.critic = new WGANCritic({ ...rest, norm });
    this.penaltyWeight = penaltyWeight;
    this._source = rest.generator;
  }

  /** Images of noise `[N, latentSize]`. */
  override forward(z: Tensor): Tensor {
    return this.generator.forward(z);
  }

  /** Images of noise that is drawn, `[n, channels, imageSize, imageSize]`; nothing is recorded. */
  sample(n: number, options: { generator?: Generator } = {}): Tensor {
    return draw(this.generator, n, options.generator);
  }

  /**
   * The critic's loss. No gradient goes to what made the fake images.
   *
   * @throws ShapeError unless there are as many fake images as real ones
   */
  criticLoss(real: Tensor, fake: Tensor): CriticLoss {
    const distance = this.critic.forward(real).mean().sub(this.critic.forward(fake.detach()).mean());
    const { penalty, norms } = gradientPenalty((x) => this.critic.forward(x), real, fake, {
      weight: this.penaltyWeight,
      ...(this._source === undefined ? {} : { generator: this._source }),
    });
    return { loss: penalty.sub(distance), distance: distance.detach(), norms };
  }

  /** The generator's loss, `-mean(critic(fake))`. */
  generatorLoss(fake: Tensor): Tensor {
    return this.critic.forward(fake).mean().neg();
  }
}
