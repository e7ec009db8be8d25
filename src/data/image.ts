// Decoding images into tensors by sharp, an optional package: it is loaded when the first image is read.
import { readFile } from 'node:fs/promises';
import type { Sharp, SharpOptions } from 'sharp';
import { ArgumentError, FileError } from '../errors.js';
import { reasonOf, toFileError } from '../io/file.js';
import { tidy } from '../memory.js';
import { fromTypedArray } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of `readImage`, and of the images in `imageFolder`. */
export interface ImageOptions {
  /** Resize to this height and width, or to this side of a square. Default: as it is in the file. */
  readonly size?: number | readonly [height: number, width: number];
  /** How a ratio of sides changes. `cover` (default): the middle part that has the new one. `fill`: the image is stretched. */
  readonly fit?: 'cover' | 'fill';
  /** 3 (default): red, green, blue. 1: grey. 4: red, green, blue, opacity. */
  readonly channels?: 1 | 3 | 4;
  /** True (default): float32 from 0 to 1. False: uint8. */
  readonly normalize?: boolean;
  /** An image with more pixels is refused before it is decoded. Default 100 million. */
  readonly maxPixels?: number;
}

/** By content, not by name. No format that is a program (SVG, PDF). */
const FORMATS = new Set(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif', 'heif', 'jp2', 'jxl']);

type Open = (input: Uint8Array, options: SharpOptions) => Sharp;

/** What the package gives. Its own types stay out of the declarations: they would not compile where it is not installed. */
type MakeSharp = (input: Uint8Array, options: object) => object;

/** The package, or an error that says how to have it. @internal */
export async function loadSharp(op: string): Promise<MakeSharp> {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    throw new ArgumentError(
      `${op}: images are decoded by the package sharp, which cannot be loaded: npm install sharp (${reasonOf(error)}).`,
      { cause: error },
    );
  }
}

interface Checked {
  readonly height: number | undefined;
  readonly width: number | undefined;
  readonly fit: 'cover' | 'fill';
  readonly channels: 1 | 3 | 4;
  readonly normalize: boolean;
  readonly maxPixels: number;
}

/** @internal */
export function checkImageOptions(op: string, options: ImageOptions): Checked {
  const { size, fit = 'cover', channels = 3, normalize = true, maxPixels = 100_000_000 } = options;
  const [height, width] = typeof size === 'number' || size === undefined ? [size, size] : size;
  for (const side of [height, width]) {
    if (side === undefined ? size === undefined : Number.isInteger(side) && side > 0 && side <= 65_536) continue;
    throw new ArgumentError(`${op}: size must be an integer from 1 to 65536 or [height, width], not ${String(size)}.`);
  }
  if (fit !== 'cover' && fit !== 'fill')
    throw new ArgumentError(`${op}: fit must be 'cover' or 'fill', not ${String(fit)}.`);
  if (![1, 3, 4].includes(channels))
    throw new ArgumentError(`${op}: channels must be 1, 3 or 4, not ${String(channels)}.`);
  if (!(maxPixels > 0))
    throw new ArgumentError(`${op}: maxPixels must be a positive number, not ${String(maxPixels)}.`);
  return { height, width, fit, channels, normalize, maxPixels };
}

async function decode(
  file: string,
  checked: Checked,
  sharp: Open,
): Promise<{ pixels: Buffer; height: number; width: number }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw toFileError(error, 'image', file);
  }
  try {
    // A JPEG that ends early is only a warning to its decoder, which makes up the rest in grey.
    const image = sharp(bytes, { failOn: 'warning', limitInputPixels: checked.maxPixels });
    const { format } = await image.metadata();
    if (!FORMATS.has(format)) throw new FileError(`image ${file}: its format (${format}) is not read.`);
    // Cameras store how they were held; without arguments this turns the image upright.
    let made = image.rotate();
    if (checked.height !== undefined) made = made.resize(checked.width, checked.height, { fit: checked.fit });
    if (checked.channels === 1) made = made.removeAlpha().toColourspace('b-w');
    else made = (checked.channels === 3 ? made.removeAlpha() : made.ensureAlpha()).toColourspace('srgb');
    const { data, info } = await made.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
    if (info.channels !== checked.channels) {
      throw new FileError(`image ${file}: ${info.channels} channels came out, expected ${checked.channels}.`);
    }
    return { pixels: data, height: info.height, width: info.width };
  } catch (error) {
    if (error instanceof FileError) throw error;
    throw new FileError(`image ${file}: damaged, or no image: ${reasonOf(error).replaceAll('\n', ' ')}.`, {
      cause: error,
    });
  }
}

/** Reads with checked options. @internal */
export async function readImageChecked(file: string, checked: Checked, sharp: MakeSharp): Promise<Tensor> {
  const { pixels, height, width } = await decode(file, checked, sharp as Open);
  return tidy(() => {
    const stored = fromTypedArray(pixels, [height, width, checked.channels]).permute([2, 0, 1]);
    return checked.normalize ? stored.to('float32').div(255).contiguous() : stored.contiguous();
  });
}

/**
 * Reads an image file (JPEG, PNG, WebP, GIF's first frame, TIFF, AVIF) as a tensor [channels, height, width]. It is turned
 * upright as its camera says, converted to sRGB, and opacity is dropped unless 4 channels are wanted.
 *
 * The package sharp decodes: `npm install sharp`.
 *
 * @throws FileError naming the file if it is missing, damaged, truncated or no image; ArgumentError for options that make no
 *   sense, or without sharp
 *
 * @example
 * const x = await data.readImage('cat.jpg', { size: 224 }); // [3, 224, 224] float32 from 0 to 1
 */
export async function readImage(file: string, options: ImageOptions = {}): Promise<Tensor> {
  return readImageChecked(file, checkImageOptions('readImage', options), await loadSharp('readImage'));
}
