// Small convolutional networks: LeNet-5, and one for CIFAR.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { Conv2d } from '../nn/conv.js';
import { Dropout } from '../nn/dropout.js';
import { Flatten, Linear } from '../nn/layers.js';
import { Module, type AnyModule } from '../nn/module.js';
import { AvgPool2d, MaxPool2d } from '../nn/pool.js';
import type { Sequential } from '../nn/sequential.js';
import { ReLU } from '../nn/activation.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import {
  activationLayer,
  chain,
  checkChoice,
  checkImages,
  checkPositive,
  checkProbability,
  type ImageClassifierFn,
  type ModelOptions,
} from './common.js';

/** Options of `LeNet`. */
export interface LeNetOptions<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 10. */
  numClasses?: K;
  /** Channels of the images. Default 1. */
  inChannels?: C;
  /** Height and width of the images: 28 (default), which are padded by 2, or 32. */
  imageSize?: 28 | 32;
  /** Default `'tanh'`, as in the paper; `'relu'` learns faster. */
  activation?: 'tanh' | 'relu' | 'sigmoid';
  /** Means (default), as in the paper, or maxima of 2x2 pixels. */
  pool?: 'avg' | 'max';
}

/**
 * LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document recognition"), 61,706
 * parameters: two 5x5 convolutions with pooling, and three linear layers. As it is usually built today: every map of the
 * second convolution sees all maps of the first, pooling has nothing to learn, and the output is linear instead of radial
 * basis functions. Weights start as those of `Conv2d` and `Linear`.
 *
 * Shapes: `[N, inChannels, imageSize, imageSize] -> [N, numClasses]`, logits.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * new models.LeNet().forward(randn([8, 1, 28, 28])).shape; // [8, 10]
 */
export class LeNet<const C extends number = 1, const K extends number = 10> extends Module<
  ImageClassifierFn<'LeNet', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** Height and width of the images. */
  readonly imageSize: number;
  /** Convolutions and pooling. */
  readonly features: Sequential;
  /** The linear layers. */
  readonly classifier: Sequential;

  constructor(options: LeNetOptions<C, K> = {}) {
    super();
    const { imageSize = 28, activation = 'tanh', pool = 'avg', ...others } = options;
    const { numClasses = 10 as K, inChannels = 1 as C, ...place } = others;
    checkPositive('LeNet', { numClasses, inChannels });
    checkChoice('LeNet', 'imageSize', imageSize, [28, 32]);
    checkChoice('LeNet', 'pool', pool, ['avg', 'max']);
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    this.imageSize = imageSize;
    const act = (): AnyModule => activationLayer('LeNet', activation);
    const half = (): AnyModule => (pool === 'avg' ? new AvgPool2d(2) : new MaxPool2d(2));
    const padding = imageSize === 28 ? 2 : 0;
    this.features = chain([
      new Conv2d<number, 6, 5>(inChannels, 6, 5, { ...place, padding }),
      act(),
      half(),
      new Conv2d(6, 16, 5, place),
      act(),
      half(),
    ]);
    this.classifier = chain([
      new Flatten(),
      new Linear(16 * 5 * 5, 120, place),
      act(),
      new Linear(120, 84, place),
      act(),
      new Linear<84, number>(84, numClasses, place),
    ]);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'LeNet', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'LeNet', C, K>, S>, D> {
    checkImages('LeNet', x, this.inChannels, this.imageSize);
    return this.classifier.forward(this.features.forward(x as Tensor)) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'LeNet', C, K>, S>,
      D
    >;
  }
}

/** Options of `CifarCNN`. */
export interface CifarCNNOptions<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 10. */
  numClasses?: K;
  /** Channels of the images. Default 3. */
  inChannels?: C;
  /** Height and width of the images, a multiple of 4. Default 32. */
  imageSize?: number;
  /** The probability of zeros in front of the last layer, in training. Default 0: no such layer. */
  dropout?: number;
}

/**
 * A small network for images of CIFAR-10: convolution to 32 channels, pooling, convolution to 64, pooling, 64 units, classes;
 * 282,250 parameters. The pattern is LeNet's, with 3x3 kernels, ReLU and maxima, as in the tutorials of many libraries.
 * Weights start as those of `Conv2d` and `Linear`.
 *
 * Shapes: `[N, inChannels, imageSize, imageSize] -> [N, numClasses]`, logits.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * new models.CifarCNN().forward(randn([8, 3, 32, 32])).shape; // [8, 10]
 */
export class CifarCNN<const C extends number = 3, const K extends number = 10> extends Module<
  ImageClassifierFn<'CifarCNN', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** Height and width of the images. */
  readonly imageSize: number;
  /** Convolutions and pooling. */
  readonly features: Sequential;
  /** The linear layers. */
  readonly classifier: Sequential;

  constructor(options: CifarCNNOptions<C, K> = {}) {
    super();
    const { imageSize = 32, dropout = 0, numClasses = 10 as K, inChannels = 3 as C, ...place } = options;
    checkPositive('CifarCNN', { numClasses, inChannels, imageSize });
    checkProbability('CifarCNN', 'dropout', dropout);
    if (imageSize % 4 !== 0) throw new ArgumentError(`CifarCNN: imageSize must be a multiple of 4, got ${imageSize}.`);
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    this.imageSize = imageSize;
    this.features = chain([
      new Conv2d<number, 32, 3>(inChannels, 32, 3, { ...place, padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
      new Conv2d(32, 64, 3, { ...place, padding: 1 }),
      new ReLU(),
      new MaxPool2d(2),
    ]);
    this.classifier = chain([
      new Flatten(),
      new Linear<number, 64>(64 * (imageSize / 4) ** 2, 64, place),
      new ReLU(),
      ...(dropout > 0 ? [new Dropout(dropout, place.generator)] : []),
      new Linear<64, number>(64, numClasses, place),
    ]);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'CifarCNN', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'CifarCNN', C, K>, S>, D> {
    checkImages('CifarCNN', x, this.inChannels, this.imageSize);
    return this.classifier.forward(this.features.forward(x as Tensor)) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'CifarCNN', C, K>, S>,
      D
    >;
  }
}
