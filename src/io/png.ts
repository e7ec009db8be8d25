// Images as PNG, by fast-png.
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { isFloating } from '../dtype.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { checkTensor } from '../ops/define.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { writeFileAtomic } from './atomic.js';

/** How the dimensions of an image lie: channels first, channels last, or none. */
export type ImageLayout = 'CHW' | 'HWC' | 'HW';

/** Pixels in row-major order, the channels of each side by side: what a PNG is made of. */
export interface Pixels {
  /** `width * height * channels` bytes. */
  readonly data: Uint8Array;
  /** Pixels in a row. */
  readonly width: number;
  /** Rows. */
  readonly height: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha. */
  readonly channels: number;
}

/**
 * Values as bytes: uint8 as it is; floats from 0 to 1 as `floor(255 x + 0.5)`, what lies outside cut off and NaN as 0; bool as 0 and
 * 255.
 *
 * @internal
 */
export function toBytes(op: string, x: Tensor): Tensor {
  if (x.dtype === 'uint8') return x;
  if (x.dtype === 'bool') return x.to('uint8').mul(255);
  if (!isFloating(x.dtype)) {
    throw new DTypeError(
      `${op}: an image must be uint8 (0 to 255), float (0 to 1) or bool, this one is ${x.dtype}; convert it, e.g. image.to('uint8').`,
    );
  }
  return x.to('float32').nanToNum().clamp({ min: 0, max: 1 }).mul(255).add(0.5).floor().to('uint8');
}

/**
 * Reads the pixels of one image.
 *
 * @throws ShapeError unless it has 1 to 4 channels and at least one pixel
 * @internal
 */
export async function toPixels(op: string, image: Tensor, layout?: ImageLayout): Promise<Pixels> {
  checkTensor(op, 'image', image);
  const order = layout ?? (image.ndim === 2 ? 'HW' : 'CHW');
  if (image.ndim !== order.length) {
    throw new ShapeError(
      `${op}: an image is ${layout === undefined ? '[height, width] or [channels, height, width]' : `of layout ${layout}`}, got shape ${formatShape(image.shape)}.`,
    );
  }
  const at = (letter: string): number => (order.includes(letter) ? image.shape[order.indexOf(letter)] : 1);
  const [channels, height, width] = [at('C'), at('H'), at('W')];
  if (channels < 1 || channels > 4 || height < 1 || width < 1) {
    throw new ShapeError(
      `${op}: an image has 1 to 4 channels and at least one pixel, got ${order} ${formatShape(image.shape)}` +
        `${order === 'CHW' && image.shape[2] <= 4 ? "; for channels last pass { layout: 'HWC' }" : ''}.`,
    );
  }
  const bytes = noGrad(() =>
    tidy(() => {
      const values = toBytes(op, image.detach());
      return (order === 'CHW' ? values.permute([1, 2, 0]) : values).clone();
    }),
  );
  try {
    // clone() keeps the strides of a permuted tensor; data() is in row-major order all the same.
    return { data: (await bytes.data()) as Uint8Array, width, height, channels };
  } finally {
    bytes.dispose();
  }
}

/** The bytes of a PNG file. @internal */
export async function pngOf({ data, width, height, channels }: Pixels): Promise<Uint8Array> {
  const { encode } = await import('fast-png');
  return encode({ data, width, height, channels, depth: 8 });
}

/** Options of `encodePng` and `savePng`. */
export interface PngOptions {
  /** How the dimensions lie. Default: `'HW'` of two dimensions, `'CHW'` of three. */
  layout?: ImageLayout;
}

/**
 * An image as the bytes of a PNG file.
 *
 * @param image `[height, width]` or `[channels, height, width]` of 1 channel (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
 *   alpha); uint8 from 0 to 255, floats from 0 to 1 (cut off outside, NaN is 0), or bool
 * @throws ShapeError for another shape, DTypeError for another dtype
 * @example
 * const png = await utils.encodePng(rand([3, 32, 32]));
 */
export async function encodePng(image: Tensor, options: PngOptions = {}): Promise<Uint8Array> {
  const { layout } = options;
  if (layout !== undefined && layout !== 'CHW' && layout !== 'HWC' && layout !== 'HW') {
    throw new ArgumentError(`encodePng: layout must be 'CHW', 'HWC' or 'HW', got ${String(layout)}.`);
  }
  return pngOf(await toPixels('encodePng', image, layout));
}

/**
 * Writes an image to a PNG file, atomically.
 *
 * @param file the file's path; its folder must exist
 * @param image as `encodePng` takes it; several in a grid: `imageGrid`
 * @throws ShapeError or DTypeError for what is no image; FileError if writing fails
 * @example
 * await utils.savePng('digits.png', utils.imageGrid(images, { columns: 8 }));
 */
export async function savePng(file: string, image: Tensor, options: PngOptions = {}): Promise<void> {
  if (typeof file !== 'string' || file === '') {
    throw new ArgumentError(`savePng: the first argument is the file's path, got ${typeof file}.`);
  }
  await writeFileAtomic(file, await encodePng(image, options));
}
