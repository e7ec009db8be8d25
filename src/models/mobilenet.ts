// MobileNetV2.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { ReLU6 } from '../nn/activation.js';
import { Conv2d } from '../nn/conv.js';
import { Dropout } from '../nn/dropout.js';
import { constant, kaimingNormal, normal } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module, type AnyModule } from '../nn/module.js';
import { BatchNorm2d } from '../nn/norm.js';
import type { Sequential } from '../nn/sequential.js';
import { add } from '../ops/arithmetic.js';
import { mean } from '../ops/reduce.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import {
  chain,
  checkChoice,
  checkImages,
  checkPositive,
  checkProbability,
  type ImageClassifierFn,
  type ModelOptions,
} from './common.js';

/** The nearest multiple of 8, but not below 0.9 of the value: channels that hardware likes. */
function channelsOf(value: number): number {
  const rounded = Math.max(8, Math.floor((value + 4) / 8) * 8);
  return rounded < 0.9 * value ? rounded + 8 : rounded;
}

interface ConvParts {
  readonly size: 1 | 3;
  readonly stride?: number;
  readonly groups?: number;
}

function convNorm(inputs: number, outputs: number, parts: ConvParts, place: ModelOptions): AnyModule[] {
  const { size, stride = 1, groups = 1 } = parts;
  const { generator: _, ...noRandom } = place;
  return [
    new Conv2d<number, number, number>(inputs, outputs, size, {
      ...place,
      stride,
      groups,
      padding: (size - 1) / 2,
      bias: false,
    }),
    new BatchNorm2d<number>(outputs, noRandom),
  ];
}

const activated = (inputs: number, outputs: number, parts: ConvParts, place: ModelOptions): Sequential =>
  chain([...convNorm(inputs, outputs, parts, place), new ReLU6()]);

/**
 * An inverted residual: a 1x1 convolution to `expand` times the channels (none for 1), a depthwise 3x3 one, and a 1x1 one to
 * few channels with no activation behind it; and a way around where the shape stays.
 */
export class InvertedResidual extends Module {
  /** The convolutions. */
  readonly conv: Sequential;
  private readonly _around: boolean;

  constructor(inputs: number, outputs: number, stride: number, expand: number, place: ModelOptions = {}) {
    super();
    const inner = Math.round(inputs * expand);
    this._around = stride === 1 && inputs === outputs;
    this.conv = chain([
      ...(expand === 1 ? [] : [activated(inputs, inner, { size: 1 }, place)]),
      activated(inner, inner, { size: 3, stride, groups: inner }, place),
      ...convNorm(inner, outputs, { size: 1 }, place),
    ]);
  }

  override forward(x: Tensor): Tensor {
    const h = this.conv.forward<Shape, DType>(x);
    return this._around ? add(x, h) : h;
  }
}

/** Expansion, channels, blocks, stride of the first: table 2 of the paper. */
const stages = [
  [1, 16, 1, 1],
  [6, 24, 2, 2],
  [6, 32, 3, 2],
  [6, 64, 4, 2],
  [6, 96, 3, 1],
  [6, 160, 3, 2],
  [6, 320, 1, 1],
] as const;

/** Options of `MobileNetV2`. */
export interface MobileNetV2Options<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 1000. */
  numClasses?: K;
  /** Channels of the images. Default 3. */
  inChannels?: C;
  /** All channels are multiplied by this, and rounded to multiples of 8. Default 1. */
  widthMult?: number;
  /** The probability of zeros in front of the last layer, in training. Default 0.2. */
  dropout?: number;
  /**
   * `'imagenet'` (default): the size is halved five times. `'cifar'`: three times, the first and the second halving are left
   * out, for images of about 32x32.
   */
  stem?: 'imagenet' | 'cifar';
}

/**
 * MobileNetV2 (Sandler et al. 2018, "MobileNetV2: Inverted residuals and linear bottlenecks"): 3,504,872 parameters. Structure,
 * names and initial values are torchvision's: convolutions normal with deviation `sqrt(2 / fanOut)`, the last layer normal
 * with deviation 0.01, scales 1, shifts and biases 0.
 *
 * Shapes: `[N, inChannels, H, W] -> [N, numClasses]`, logits.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * const model = new models.MobileNetV2({ numClasses: 10, stem: 'cifar', widthMult: 0.5 });
 * model.forward(randn([2, 3, 32, 32])).shape; // [2, 10]
 */
export class MobileNetV2<const C extends number = 3, const K extends number = 1000> extends Module<
  ImageClassifierFn<'MobileNetV2', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** All convolutions. */
  readonly features: Sequential;
  /** Dropout and the last layer. */
  readonly classifier: Sequential;

  constructor(options: MobileNetV2Options<C, K> = {}) {
    super();
    const { numClasses = 1000 as K, inChannels = 3 as C, widthMult = 1, dropout = 0.2, ...others } = options;
    const { stem = 'imagenet', ...place } = others;
    checkPositive('MobileNetV2', { numClasses, inChannels });
    checkProbability('MobileNetV2', 'dropout', dropout);
    checkChoice('MobileNetV2', 'stem', stem, ['imagenet', 'cifar']);
    if (!(widthMult > 0 && Number.isFinite(widthMult)))
      throw new ArgumentError(`MobileNetV2: widthMult must be a number above 0, got ${String(widthMult)}.`);
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    let channels = channelsOf(32 * widthMult);
    const last = channelsOf(1280 * Math.max(1, widthMult));
    const small = stem === 'cifar';
    this.features = chain([
      activated(inChannels, channels, { size: 3, stride: small ? 1 : 2 }, place),
      ...stages.flatMap(([expand, width, blocks, stride], i) =>
        Array.from({ length: blocks }, (_, k) => {
          const outputs = channelsOf(width * widthMult);
          const step = k > 0 || (small && i === 1) ? 1 : stride;
          const block = new InvertedResidual(channels, outputs, step, expand, place);
          channels = outputs;
          return block;
        }),
      ),
      activated(channels, last, { size: 1 }, place),
    ]);
    const { generator } = place;
    this.classifier = chain([new Dropout(dropout, generator), new Linear<number, number>(last, numClasses, place)]);
    this.apply((layer) => {
      if (layer instanceof Conv2d) kaimingNormal(layer.weight, { mode: 'fanOut', ...(generator && { generator }) });
      else if (layer instanceof Linear) {
        normal(layer.weight as Tensor, 0, 0.01, generator);
        constant(layer.bias as Tensor, 0);
      }
    });
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'MobileNetV2', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'MobileNetV2', C, K>, S>, D> {
    checkImages('MobileNetV2', x, this.inChannels);
    const h = this.features.forward<Shape, DType>(x);
    return this.classifier.forward<Shape, DType>(mean(h, [2, 3])) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'MobileNetV2', C, K>, S>,
      D
    >;
  }
}
