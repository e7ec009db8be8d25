// VGG.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { ReLU } from '../nn/activation.js';
import { Conv2d } from '../nn/conv.js';
import { Dropout } from '../nn/dropout.js';
import { constant, kaimingNormal, normal } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module, type AnyModule } from '../nn/module.js';
import { BatchNorm2d } from '../nn/norm.js';
import { AdaptiveAvgPool2d, MaxPool2d } from '../nn/pool.js';
import type { Sequential } from '../nn/sequential.js';
import { flatten } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import {
  chain,
  checkImages,
  checkPositive,
  checkProbability,
  type ImageClassifierFn,
  type ModelOptions,
} from './common.js';

/** Channels of the convolutions in order; `'M'` halves the size. */
export type VGGConfig = readonly (number | 'M')[];

/** The configurations A, B, D and E of the paper, by the number of layers with weights. */
const configs: Readonly<Record<11 | 13 | 16 | 19, VGGConfig>> = {
  11: [64, 'M', 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
  13: [64, 64, 'M', 128, 128, 'M', 256, 256, 'M', 512, 512, 'M', 512, 512, 'M'],
  16: [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512, 'M', 512, 512, 512, 'M'],
  19: [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 256, 'M', 512, 512, 512, 512, 'M', 512, 512, 512, 512, 'M'],
};

/** Options of `VGG`. */
export interface VGGOptions<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 1000. */
  numClasses?: K;
  /** Channels of the images. Default 3. */
  inChannels?: C;
  /** Batch normalisation behind each convolution (Ioffe and Szegedy 2015). Default false. */
  batchNorm?: boolean;
  /** The probability of zeros behind the hidden linear layers, in training. Default 0.5. */
  dropout?: number;
  /** Units of the two hidden linear layers. Default 4096; 512 is common for images of CIFAR. */
  hidden?: number;
  /** Height and width that the last images are averaged to. Default 7; 1 for images of CIFAR. */
  poolSize?: number;
}

/**
 * VGG (Simonyan and Zisserman 2015, "Very deep convolutional networks for large-scale image recognition"): 3x3 convolutions
 * and pooling, then three linear layers. Structure, names and initial values are torchvision's: convolutions
 * normal with deviation `sqrt(2 / (9 outChannels))`, linear layers normal with deviation 0.01, biases 0.
 *
 * Shapes: `[N, inChannels, H, W] -> [N, numClasses]`, logits. H and W must be 32 at least for five halvings.
 *
 * @throws ArgumentError for an unknown configuration or options out of range; `forward` throws ShapeError
 * @example
 * new models.VGG(11, { numClasses: 10, hidden: 512, poolSize: 1 }).forward(randn([2, 3, 32, 32])).shape; // [2, 10]
 */
export class VGG<const C extends number = 3, const K extends number = 1000> extends Module<
  ImageClassifierFn<'VGG', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** Convolutions and pooling. */
  readonly features: Sequential;
  /** Averages what comes out of them to one size. */
  readonly avgpool: AdaptiveAvgPool2d;
  /** The linear layers. */
  readonly classifier: Sequential;

  /** @param config 11, 13, 16 or 19, or a configuration of your own */
  constructor(config: 11 | 13 | 16 | 19 | VGGConfig, options: VGGOptions<C, K> = {}) {
    super();
    const { numClasses = 1000 as K, inChannels = 3 as C, batchNorm = false, dropout = 0.5, ...others } = options;
    const { hidden = 4096, poolSize = 7, ...place } = others;
    checkPositive('VGG', { numClasses, inChannels, hidden, poolSize });
    checkProbability('VGG', 'dropout', dropout);
    const list = typeof config === 'number' ? (configs[config] as VGGConfig | undefined) : config;
    if (list === undefined || !Array.isArray(list) || !list.some((item) => item !== 'M')) {
      throw new ArgumentError(
        `VGG: config must be 11, 13, 16, 19 or a list of channels and 'M', got ${JSON.stringify(config)}.`,
      );
    }
    const { generator, ...noRandom } = place;
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    let channels: number = inChannels;
    this.features = chain(
      list.flatMap((item: number | 'M', i): AnyModule[] => {
        if (item === 'M') return [new MaxPool2d(2)];
        checkPositive('VGG', { [`config[${i}]`]: item });
        const conv = new Conv2d<number, number, 3>(channels, item, 3, { ...place, padding: 1 });
        channels = item;
        return [conv, ...(batchNorm ? [new BatchNorm2d<number>(item, noRandom)] : []), new ReLU()];
      }),
    );
    this.avgpool = new AdaptiveAvgPool2d([poolSize, poolSize]);
    const linear = (inputs: number, outputs: number): AnyModule => new Linear<number, number>(inputs, outputs, place);
    this.classifier = chain([
      linear(channels * poolSize ** 2, hidden),
      new ReLU(),
      new Dropout(dropout, generator),
      linear(hidden, hidden),
      new ReLU(),
      new Dropout(dropout, generator),
      linear(hidden, numClasses),
    ]);
    this.apply((layer) => {
      if (layer instanceof Conv2d) {
        kaimingNormal(layer.weight, { mode: 'fanOut', nonlinearity: 'relu', ...(generator && { generator }) });
        if (layer.bias !== null) constant(layer.bias, 0);
      } else if (layer instanceof Linear) {
        normal(layer.weight as Tensor, 0, 0.01, generator);
        constant(layer.bias as Tensor, 0);
      }
    });
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'VGG', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'VGG', C, K>, S>, D> {
    checkImages('VGG', x, this.inChannels);
    const pooled = this.avgpool.forward<Shape, DType>(this.features.forward<Shape, DType>(x));
    return this.classifier.forward<Shape, DType>(flatten(pooled, 1)) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'VGG', C, K>, S>,
      D
    >;
  }
}

/** `VGG` of 11 layers, configuration A: 132,863,336 parameters. */
export const vgg11 = <const C extends number = 3, const K extends number = 1000>(
  options: VGGOptions<C, K> = {},
): VGG<C, K> => new VGG(11, options);

/** `VGG` of 13 layers, configuration B: 133,047,848 parameters. */
export const vgg13 = <const C extends number = 3, const K extends number = 1000>(
  options: VGGOptions<C, K> = {},
): VGG<C, K> => new VGG(13, options);

/** `VGG` of 16 layers, configuration D: 138,357,544 parameters. */
export const vgg16 = <const C extends number = 3, const K extends number = 1000>(
  options: VGGOptions<C, K> = {},
): VGG<C, K> => new VGG(16, options);

/** `VGG` of 19 layers, configuration E: 143,667,240 parameters. */
export const vgg19 = <const C extends number = 3, const K extends number = 1000>(
  options: VGGOptions<C, K> = {},
): VGG<C, K> => new VGG(19, options);
