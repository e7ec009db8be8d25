// The halves of autoencoders: from an input to features, and from features back. Linear ones, and convolutions.
import { ArgumentError } from '../errors.js';
import { ReLU } from '../nn/activation.js';
import { Conv2d, ConvTranspose2d } from '../nn/conv.js';
import { Flatten, Linear, Unflatten } from '../nn/layers.js';
import type { AnyModule } from '../nn/module.js';
import { checkPositive, type ModelOptions } from './common.js';

/** Options of an autoencoder of vectors. */
export interface CoderOptions extends ModelOptions {
  /** The size of the input. Default 784, the pixels of a digit. */
  inputSize?: number;
  /** Units of the encoder's hidden layers; the decoder has them in reverse. Default `[400]`. */
  hidden?: readonly number[];
  /** The size of the code. Default 20. */
  latentSize?: number;
}

/** Options of an autoencoder of images. */
export interface ConvCoderOptions extends ModelOptions {
  /** Channels of the images. Default 1. */
  inChannels?: number;
  /** Height and width, divisible by 2 as often as there are convolutions. Default 28. */
  imageSize?: number;
  /** Channels of the encoder's convolutions, each of which halves the size; the decoder has them in reverse. Default `[32, 64]`. */
  channels?: readonly number[];
  /** The size of the code. Default 20. */
  latentSize?: number;
}

/** Both halves without the layer that makes the code, and the number of features between. @internal */
export interface Halves {
  readonly encoder: AnyModule[];
  readonly features: number;
  readonly decoder: AnyModule[];
  readonly latentSize: number;
}

/** Linear layers with ReLU behind each but the last. @internal */
export function linearHalves(model: string, options: CoderOptions): Halves {
  const { inputSize = 784, hidden = [400], latentSize = 20, ...place } = options;
  checkPositive(model, { inputSize, latentSize });
  hidden.forEach((size, i) => checkPositive(model, { [`hidden[${i}]`]: size }));
  const sizes = [inputSize, ...hidden];
  const back = [latentSize, ...[...hidden].reverse(), inputSize];
  const dense = (i: number, list: readonly number[]): AnyModule =>
    new Linear<number, number>(list[i], list[i + 1], place);
  const last = back.length - 2;
  return {
    encoder: hidden.flatMap((_, i) => [dense(i, sizes), new ReLU()]),
    features: sizes[sizes.length - 1],
    decoder: back.slice(1).flatMap((_, i) => (i === last ? [dense(i, back)] : [dense(i, back), new ReLU()])),
    latentSize,
  };
}

/** Convolutions 4x4 of stride 2 with ReLU, and their transposes. @internal */
export function convHalves(model: string, options: ConvCoderOptions): Halves {
  const { inChannels = 1, imageSize = 28, channels = [32, 64], latentSize = 20, ...place } = options;
  checkPositive(model, { inChannels, imageSize, latentSize });
  channels.forEach((size, i) => checkPositive(model, { [`channels[${i}]`]: size }));
  const small = imageSize / 2 ** channels.length;
  if (channels.length === 0 || !Number.isInteger(small)) {
    throw new ArgumentError(
      `${model}: ${channels.length} convolutions halve the size ${channels.length} times, which imageSize ${imageSize} does not allow.`,
    );
  }
  const sizes = [inChannels, ...channels];
  const back = [...sizes].reverse();
  const deepest = back[0];
  const features = deepest * small ** 2;
  const options2 = { ...place, stride: 2, padding: 1 };
  const last = back.length - 2;
  return {
    encoder: [
      ...channels.flatMap((_, i): AnyModule[] => [
        new Conv2d<number, number, 4>(sizes[i], sizes[i + 1], 4, options2),
        new ReLU(),
      ]),
      new Flatten(),
    ],
    features,
    decoder: [
      new Linear<number, number>(latentSize, features, place),
      new ReLU(),
      new Unflatten(1, [deepest, small, small]),
      ...back.slice(1).flatMap((size, i): AnyModule[] => {
        const layer = new ConvTranspose2d<number, number, 4>(back[i], size, 4, options2);
        return i === last ? [layer] : [layer, new ReLU()];
      }),
    ],
    latentSize,
  };
}
