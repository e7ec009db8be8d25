// Residual networks.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { Conv2d } from '../nn/conv.js';
import { constant, kaimingNormal } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { BatchNorm2d } from '../nn/norm.js';
import { MaxPool2d } from '../nn/pool.js';
import type { Sequential } from '../nn/sequential.js';
import { relu } from '../ops/activation.js';
import { add } from '../ops/arithmetic.js';
import { mean } from '../ops/reduce.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import { chain, checkChoice, checkImages, checkPositive, type ImageClassifierFn, type ModelOptions } from './common.js';

const conv = (inputs: number, outputs: number, size: 1 | 3 | 7, stride: number, place: ModelOptions): Conv2d =>
  new Conv2d<number, number, number>(inputs, outputs, size, {
    ...place,
    stride,
    padding: (size - 1) / 2,
    bias: false,
  });

function norm(channels: number, { generator: _, ...place }: ModelOptions): BatchNorm2d {
  return new BatchNorm2d<number>(channels, place);
}

/** A 1x1 convolution and a norm where a block changes the shape; else nothing. */
const shortcut = (inputs: number, outputs: number, stride: number, place: ModelOptions): Sequential | null =>
  stride === 1 && inputs === outputs ? null : chain([conv(inputs, outputs, 1, stride, place), norm(outputs, place)]);

/** Two 3x3 convolutions and a way around them (He et al. 2016, figure 5, left). */
export class BasicBlock extends Module {
  /** The first convolution, with the stride. */
  readonly conv1: Conv2d;
  /** Behind it. */
  readonly bn1: BatchNorm2d;
  /** The second convolution. */
  readonly conv2: Conv2d;
  /** Behind it. */
  readonly bn2: BatchNorm2d;
  /** The way around, where the shape changes. */
  readonly downsample: Sequential | null;
  /** Channels that come out, for one of `width`. */
  static readonly expansion = 1;

  constructor(inputs: number, width: number, stride: number, place: ModelOptions = {}) {
    super();
    this.conv1 = conv(inputs, width, 3, stride, place);
    this.bn1 = norm(width, place);
    this.conv2 = conv(width, width, 3, 1, place);
    this.bn2 = norm(width, place);
    this.downsample = shortcut(inputs, width, stride, place);
  }

  /** The last norm of the way through. @internal */
  get _last(): BatchNorm2d {
    return this.bn2;
  }

  override forward(x: Tensor): Tensor {
    const h: Tensor = relu(this.bn1.forward<Shape, DType>(this.conv1.forward<Shape, DType>(x)));
    const around = this.downsample === null ? x : this.downsample.forward<Shape, DType>(x);
    return relu(add(this.bn2.forward<Shape, DType>(this.conv2.forward<Shape, DType>(h)), around));
  }
}

/**
 * A 1x1 convolution to fewer channels, a 3x3 one, and a 1x1 one to four times as many, and a way around them (figure 5,
 * right). The stride is at the 3x3 convolution, as in torchvision ("ResNet v1.5").
 */
export class Bottleneck extends Module {
  /** To fewer channels. */
  readonly conv1: Conv2d;
  /** Behind it. */
  readonly bn1: BatchNorm2d;
  /** 3x3, with the stride. */
  readonly conv2: Conv2d;
  /** Behind it. */
  readonly bn2: BatchNorm2d;
  /** To more channels. */
  readonly conv3: Conv2d;
  /** Behind it. */
  readonly bn3: BatchNorm2d;
  /** The way around, where the shape changes. */
  readonly downsample: Sequential | null;
  /** Channels that come out, for one of `width`. */
  static readonly expansion = 4;

  constructor(inputs: number, width: number, stride: number, place: ModelOptions = {}) {
    super();
    const outputs = Bottleneck.expansion * width;
    this.conv1 = conv(inputs, width, 1, 1, place);
    this.bn1 = norm(width, place);
    this.conv2 = conv(width, width, 3, stride, place);
    this.bn2 = norm(width, place);
    this.conv3 = conv(width, outputs, 1, 1, place);
    this.bn3 = norm(outputs, place);
    this.downsample = shortcut(inputs, outputs, stride, place);
  }

  /** The last norm of the way through. @internal */
  get _last(): BatchNorm2d {
    return this.bn3;
  }

  override forward(x: Tensor): Tensor {
    const h: Tensor = relu(this.bn1.forward<Shape, DType>(this.conv1.forward<Shape, DType>(x)));
    const k: Tensor = relu(this.bn2.forward<Shape, DType>(this.conv2.forward<Shape, DType>(h)));
    const around = this.downsample === null ? x : this.downsample.forward<Shape, DType>(x);
    return relu(add(this.bn3.forward<Shape, DType>(this.conv3.forward<Shape, DType>(k)), around));
  }
}

/** Options of `ResNet`. */
export interface ResNetOptions<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 1000. */
  numClasses?: K;
  /** Channels of the images. Default 3. */
  inChannels?: C;
  /**
   * `'imagenet'` (default): a 7x7 convolution of stride 2 and pooling of stride 2. `'cifar'`: a 3x3 convolution of stride 1 and
   * no pooling, for images of about 32x32.
   */
  stem?: 'imagenet' | 'cifar';
  /** Channels of the first stage; each later one doubles them. Default 64. */
  width?: number;
  /** Start the last scale of each block at 0, so that blocks start as the identity (Goyal et al. 2017). Default false. */
  zeroInitResidual?: boolean;
}

/**
 * Residual networks (He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition"). Structure, names and
 * initial values are torchvision's: convolutions normal with deviation `sqrt(2 / fanOut)`, scales 1, shifts 0, the last layer
 * as `Linear`. With the stem for CIFAR only `conv1` differs in shape.
 *
 * Shapes: `[N, inChannels, H, W] -> [N, numClasses]`, logits.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * const model = new models.ResNet(models.BasicBlock, [1, 1, 1, 1], { stem: 'cifar', width: 16, numClasses: 10 });
 * model.forward(randn([2, 3, 32, 32])).shape; // [2, 10]
 */
export class ResNet<const C extends number = 3, const K extends number = 1000> extends Module<
  ImageClassifierFn<'ResNet', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** The first convolution. */
  readonly conv1: Conv2d;
  /** Behind it. */
  readonly bn1: BatchNorm2d;
  /** Behind that; none for small images. */
  readonly maxpool: MaxPool2d | null;
  /** Blocks of the full size. */
  readonly layer1: Sequential;
  /** Blocks of half the size. */
  readonly layer2: Sequential;
  /** Blocks of a quarter of the size. */
  readonly layer3: Sequential;
  /** Blocks of an eighth of the size. */
  readonly layer4: Sequential;
  /** From means over the image to logits. */
  readonly fc: Linear;

  /**
   * @param Block `BasicBlock` or `Bottleneck`
   * @param blocks how many there are in each of the four stages
   */
  constructor(
    Block: typeof BasicBlock | typeof Bottleneck,
    blocks: readonly [number, number, number, number],
    options: ResNetOptions<C, K> = {},
  ) {
    super();
    const { numClasses = 1000 as K, inChannels = 3 as C, stem = 'imagenet', width = 64, ...others } = options;
    const { zeroInitResidual = false, ...place } = others;
    checkPositive('ResNet', { numClasses, inChannels, width });
    checkChoice('ResNet', 'stem', stem, ['imagenet', 'cifar']);
    const counts: readonly number[] = blocks;
    if (!Array.isArray(blocks) || counts.length !== 4)
      throw new ArgumentError(`ResNet: blocks must be four numbers, got ${JSON.stringify(blocks)}.`);
    counts.forEach((count, i) => checkPositive('ResNet', { [`blocks[${i}]`]: count }));
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    this.conv1 = stem === 'cifar' ? conv(inChannels, width, 3, 1, place) : conv(inChannels, width, 7, 2, place);
    this.bn1 = norm(width, place);
    this.maxpool = stem === 'cifar' ? null : new MaxPool2d(3, { stride: 2, padding: 1 });
    let channels = width;
    const stage = (i: number): Sequential => {
      const made = Array.from({ length: counts[i] }, (_, k) => {
        const block = new Block(channels, width * 2 ** i, k === 0 && i > 0 ? 2 : 1, place);
        channels = width * 2 ** i * Block.expansion;
        return block;
      });
      return chain(made);
    };
    this.layer1 = stage(0);
    this.layer2 = stage(1);
    this.layer3 = stage(2);
    this.layer4 = stage(3);
    this.fc = new Linear<number, number>(channels, numClasses, place);
    const { generator } = place;
    this.apply((layer) => {
      if (layer instanceof Conv2d)
        kaimingNormal(layer.weight, { mode: 'fanOut', nonlinearity: 'relu', ...(generator && { generator }) });
      else if (zeroInitResidual && (layer instanceof BasicBlock || layer instanceof Bottleneck))
        constant(layer._last.weight as Tensor, 0);
    });
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'ResNet', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'ResNet', C, K>, S>, D> {
    checkImages('ResNet', x, this.inChannels);
    let h: Tensor = relu(this.bn1.forward<Shape, DType>(this.conv1.forward<Shape, DType>(x)));
    if (this.maxpool !== null) h = this.maxpool.forward<Shape, DType>(h);
    for (const layer of [this.layer1, this.layer2, this.layer3, this.layer4]) h = layer.forward<Shape, DType>(h);
    return this.fc.forward<Shape, DType>(mean(h, [2, 3])) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'ResNet', C, K>, S>,
      D
    >;
  }
}

/** `ResNet` of 18 layers: 11,689,512 parameters, with `{ stem: 'cifar', numClasses: 10 }` 11,173,962. */
export const resnet18 = <const C extends number = 3, const K extends number = 1000>(
  options: ResNetOptions<C, K> = {},
): ResNet<C, K> => new ResNet(BasicBlock, [2, 2, 2, 2], options);

/** `ResNet` of 34 layers: 21,797,672 parameters. */
export const resnet34 = <const C extends number = 3, const K extends number = 1000>(
  options: ResNetOptions<C, K> = {},
): ResNet<C, K> => new ResNet(BasicBlock, [3, 4, 6, 3], options);

/** `ResNet` of 50 layers, of bottlenecks: 25,557,032 parameters. */
export const resnet50 = <const C extends number = 3, const K extends number = 1000>(
  options: ResNetOptions<C, K> = {},
): ResNet<C, K> => new ResNet(Bottleneck, [3, 4, 6, 3], options);
