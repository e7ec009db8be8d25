// Autoencoders.
import { Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import type { Sequential } from '../nn/sequential.js';
import type { DType } from '../dtype.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { convHalves, linearHalves, type CoderOptions, type ConvCoderOptions, type Halves } from './coders.js';
import { chain } from './common.js';

/** What both autoencoders share. */
export abstract class AutoencoderBase extends Module {
  /** The size of the code. */
  readonly latentSize: number;
  /** From the input to the code. */
  readonly encoder: Sequential;
  /** From the code to scores of the input's shape. */
  readonly decoder: Sequential;

  /** @internal */
  constructor({ encoder, features, decoder, latentSize }: Halves, place: CoderOptions | ConvCoderOptions) {
    super();
    const { generator, dtype, device } = place;
    const last = new Linear<number, number>(features, latentSize, {
      ...(generator === undefined ? {} : { generator }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(device === undefined ? {} : { device }),
    });
    this.latentSize = latentSize;
    this.encoder = chain([...encoder, last]);
    this.decoder = chain(decoder);
  }

  /** The code: `[N, latentSize]`. */
  encode(x: Tensor): Tensor {
    return this.encoder.forward<Shape, DType>(x);
  }

  /** What the decoder makes of a code: the input's shape, with no activation behind it. */
  decode(z: Tensor): Tensor {
    return this.decoder.forward<Shape, DType>(z);
  }

  /** `decode(encode(x))`. Of values from 0 to 1 take the result as logits; of others, as the values themselves. */
  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return this.decode(this.encode(x)) as Tensor<Shape, D>;
  }
}

/**
 * An autoencoder of vectors (Hinton and Salakhutdinov 2006, "Reducing the dimensionality of data with neural networks", here
 * trained at once, without layer-wise pretraining): linear layers with ReLU to a code, and back. By default 784-400-20-400-784.
 * Weights start as those of `Linear`.
 *
 * Shapes: `[N, inputSize] -> [N, inputSize]`.
 *
 * @throws ArgumentError for sizes below 1
 * @example
 * const model = new models.Autoencoder({ hidden: [128], latentSize: 8 });
 * const x = rand([16, 784]);
 * nn.functional.binaryCrossEntropyWithLogits(model.forward(x), x).backward();
 */
export class Autoencoder extends AutoencoderBase {
  constructor(options: CoderOptions = {}) {
    super(linearHalves('Autoencoder', options), options);
  }
}

/**
 * An autoencoder of images: convolutions 4x4 of stride 2 with ReLU to a code, and their transposes back (Masci et al. 2011,
 * "Stacked convolutional auto-encoders for hierarchical feature extraction", with strides in place of pooling). Weights start
 * as those of `Conv2d`.
 *
 * Shapes: `[N, inChannels, imageSize, imageSize]` -> the same.
 *
 * @throws ArgumentError for sizes below 1, and an image that cannot be halved so often
 * @example
 * new models.ConvAutoencoder({ channels: [16, 32] }).forward(rand([8, 1, 28, 28])).shape; // [8, 1, 28, 28]
 */
export class ConvAutoencoder extends AutoencoderBase {
  constructor(options: ConvCoderOptions = {}) {
    super(convHalves('ConvAutoencoder', options), options);
  }
}
