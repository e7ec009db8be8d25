// Vision transformers.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { GELU } from '../nn/activation.js';
import { MultiheadAttention } from '../nn/attention.js';
import { ModuleDict } from '../nn/containers.js';
import { Conv2d } from '../nn/conv.js';
import { Dropout } from '../nn/dropout.js';
import { constant, normal, truncNormal, xavierUniform } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module, parameter, type Parameter } from '../nn/module.js';
import { LayerNorm } from '../nn/norm.js';
import type { Sequential } from '../nn/sequential.js';
import { add } from '../ops/arithmetic.js';
import { empty, zeros } from '../ops/creation.js';
import { cat } from '../ops/join.js';
import { expand, flatten, select, transpose } from '../ops/view.js';
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

/** Options of `ViT`. */
export interface ViTOptions<C extends number = number, K extends number = number> extends ModelOptions {
  /** Default 1000. */
  numClasses?: K;
  /** Channels of the images. Default 3. */
  inChannels?: C;
  /** Height and width of the images. Default 224. */
  imageSize?: number;
  /** Height and width of a patch, which divides them. Default 16. */
  patchSize?: number;
  /** Layers of the encoder. Default 12. */
  numLayers?: number;
  /** Heads of attention. Default 12. */
  numHeads?: number;
  /** Features of a patch. Default 768. */
  hiddenDim?: number;
  /** Features inside the feed-forward nets. Default `4 * hiddenDim`. */
  mlpDim?: number;
  /** The probability of zeros behind embedding, attention and feed-forward layers, in training. Default 0. */
  dropout?: number;
  /** The probability with which attention weights are dropped in training. Default 0. */
  attentionDropout?: number;
}

interface BlockOptions {
  readonly numHeads: number;
  readonly hiddenDim: number;
  readonly mlpDim: number;
  readonly dropout: number;
  readonly attentionDropout: number;
}

const eps = 1e-6;

class EncoderBlock extends Module {
  readonly ln_1: LayerNorm;
  readonly self_attention: MultiheadAttention;
  readonly dropout: Dropout;
  readonly ln_2: LayerNorm;
  readonly mlp: Sequential;

  constructor({ numHeads, hiddenDim, mlpDim, dropout, attentionDropout }: BlockOptions, place: ModelOptions) {
    super();
    const { generator, ...noRandom } = place;
    this.ln_1 = new LayerNorm<number | Shape>(hiddenDim, { eps, ...noRandom });
    this.self_attention = new MultiheadAttention<number>(hiddenDim, numHeads, {
      ...place,
      dropout: attentionDropout,
      batchFirst: true,
    });
    this.dropout = new Dropout(dropout, generator);
    this.ln_2 = new LayerNorm<number | Shape>(hiddenDim, { eps, ...noRandom });
    const layers = [
      new Linear<number, number>(hiddenDim, mlpDim, place),
      new Linear<number, number>(mlpDim, hiddenDim, place),
    ];
    for (const { weight, bias } of layers) {
      xavierUniform(weight as Tensor, 1, generator);
      normal(bias as Tensor, 0, 1e-6, generator);
    }
    const drop = (): Dropout => new Dropout(dropout, generator);
    this.mlp = chain([layers[0], new GELU(), drop(), layers[1], drop()]);
  }

  override forward(x: Tensor): Tensor {
    const h = this.ln_1.forward<Shape, DType>(x);
    const [attended] = this.self_attention.forward<Shape, DType>(h, h, h, { needWeights: false });
    const y = add(x, this.dropout.forward(attended));
    return add(y, this.mlp.forward<Shape, DType>(this.ln_2.forward<Shape, DType>(y)));
  }
}

class Encoder extends Module {
  readonly pos_embedding: Parameter;
  readonly dropout: Dropout;
  readonly layers: ModuleDict<EncoderBlock>;
  readonly ln: LayerNorm;

  constructor(length: number, numLayers: number, options: BlockOptions, place: ModelOptions) {
    super();
    const { generator, ...noRandom } = place;
    const { hiddenDim, dropout } = options;
    const table: Tensor = empty<Shape, DType>([1, length, hiddenDim], noRandom);
    this.pos_embedding = parameter(normal(table, 0, 0.02, generator));
    this.dropout = new Dropout(dropout, generator);
    const names = Array.from({ length: numLayers }, (_, i) => `encoder_layer_${i}`);
    this.layers = new ModuleDict(names.map((name) => [name, new EncoderBlock(options, place)] as const));
    this.ln = new LayerNorm<number | Shape>(hiddenDim, { eps, ...noRandom });
  }

  override forward(x: Tensor): Tensor {
    let h: Tensor = this.dropout.forward(add(x, this.pos_embedding));
    for (const layer of this.layers.values()) h = layer.forward(h);
    return this.ln.forward<Shape, DType>(h);
  }
}

/**
 * The vision transformer (Dosovitskiy et al. 2021, "An image is worth 16x16 words"): patches of the image as a sequence with a
 * token for the class in front, through an encoder with the norms first. The defaults are ViT-B/16: 86,567,656 parameters.
 *
 * Structure, names and initial values are torchvision's: the patches' convolution truncated normal with deviation
 * `sqrt(1 / fanIn)`, positions normal with 0.02, feed-forward weights Xavier uniform, the class token and the head 0.
 *
 * Shapes: `[N, inChannels, imageSize, imageSize] -> [N, numClasses]`, logits.
 *
 * @throws ArgumentError for options that do not fit; `forward` throws ShapeError
 * @example
 * const model = new models.ViT({ imageSize: 32, patchSize: 4, hiddenDim: 64, numHeads: 4, numLayers: 2, numClasses: 10 });
 * model.forward(randn([2, 3, 32, 32])).shape; // [2, 10]
 */
export class ViT<const C extends number = 3, const K extends number = 1000> extends Module<
  ImageClassifierFn<'ViT', C, K>
> {
  /** Channels of the images. */
  readonly inChannels: C;
  /** The number of logits. */
  readonly numClasses: K;
  /** Height and width of the images. */
  readonly imageSize: number;
  /** `[1, 1, hiddenDim]`, the token that gathers what tells the class. */
  readonly class_token: Parameter;
  /** From patches to vectors. */
  readonly conv_proj: Conv2d;
  /** Positions and layers. */
  readonly encoder: Module;
  /** `heads.head` is the last layer. */
  readonly heads: ModuleDict<Linear>;
  private readonly _layers: Encoder;

  constructor(options: ViTOptions<C, K> = {}) {
    super();
    const { numClasses = 1000 as K, inChannels = 3 as C, imageSize = 224, patchSize = 16, ...others } = options;
    const { numLayers = 12, numHeads = 12, hiddenDim = 768, mlpDim = 4 * hiddenDim, ...rest } = others;
    const { dropout = 0, attentionDropout = 0, ...place } = rest;
    const sizes = { numClasses, inChannels, imageSize, patchSize, numLayers, numHeads, hiddenDim, mlpDim };
    checkPositive('ViT', sizes);
    checkProbability('ViT', 'dropout', dropout);
    checkProbability('ViT', 'attentionDropout', attentionDropout);
    if (imageSize % patchSize !== 0)
      throw new ArgumentError(`ViT: patchSize ${patchSize} must divide imageSize ${imageSize}.`);
    const { generator, ...noRandom } = place;
    this.inChannels = inChannels;
    this.numClasses = numClasses;
    this.imageSize = imageSize;
    this.class_token = parameter(zeros<Shape, DType>([1, 1, hiddenDim], noRandom));
    this.conv_proj = new Conv2d<number, number, number>(inChannels, hiddenDim, patchSize, {
      ...place,
      stride: patchSize,
    });
    const { weight, bias } = this.conv_proj;
    truncNormal(weight, 0, Math.sqrt(1 / (inChannels * patchSize ** 2)), -2, 2, generator);
    constant(bias!, 0);
    const length = (imageSize / patchSize) ** 2 + 1;
    this._layers = new Encoder(length, numLayers, { numHeads, hiddenDim, mlpDim, dropout, attentionDropout }, place);
    this.encoder = this._layers;
    const head = new Linear<number, number>(hiddenDim, numClasses, place);
    constant(head.weight as Tensor, 0);
    constant(head.bias as Tensor, 0);
    this.heads = new ModuleDict([['head', head]]);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ImageClassifierFn<'ViT', C, K>, S>,
  ): Tensor<ApplyShape<ImageClassifierFn<'ViT', C, K>, S>, D> {
    checkImages('ViT', x, this.inChannels, this.imageSize);
    const patches: Tensor = transpose(flatten<Shape, DType, 2>(this.conv_proj.forward<Shape, DType>(x), 2), 1, 2);
    const first: Tensor = expand(this.class_token, [x.shape[0], 1, -1]);
    const h = this._layers.forward(cat([first, patches], 1));
    return this.heads.get('head').forward<Shape, DType>(select(h, 1, 0)) as unknown as Tensor<
      ApplyShape<ImageClassifierFn<'ViT', C, K>, S>,
      D
    >;
  }
}

/** `ViT` of the base size with patches of 16 pixels: 86,567,656 parameters. */
export const vitB16 = <const C extends number = 3, const K extends number = 1000>(
  options: ViTOptions<C, K> = {},
): ViT<C, K> => new ViT(options);
