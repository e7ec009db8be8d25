// A folder of images with one folder per class inside.
import { readdir } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { ArgumentError, FileError, IndexError } from '../../errors.js';
import { toFileError } from '../../io/file.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Dataset } from '../dataset.js';
import { checkImageOptions, type ImageOptions, loadSharp, readImageChecked } from '../image.js';

/** Options of `imageFolder`. */
export interface ImageFolderOptions extends ImageOptions {
  /** Endings of the files that count. Default: jpg, jpeg, png, webp, gif, tif, tiff, avif. */
  readonly extensions?: readonly string[];
  /**
   * What becomes of damaged images. `throw` (default): reading one fails, naming it. `skip`: every image is decoded once at
   * the beginning, and those that cannot be are left out, and listed in `skipped`.
   */
  readonly damaged?: 'throw' | 'skip';
}

const EXTENSIONS = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'];

/** An image that was left out, and why. */
export interface SkippedImage {
  /** The file's path. */
  readonly file: string;
  /** What is wrong with it. */
  readonly error: FileError;
}

/** Images of a folder with a class each; they are decoded when they are asked for. */
export class ImageFolderDataset implements Dataset<[image: Tensor, label: bigint]> {
  /** The images' paths. */
  readonly files: readonly string[];
  /** The class number of each image. */
  readonly labels: BigInt64Array;
  /** The class of each number: the folders' names in order. */
  readonly classes: readonly string[];
  /** What was left out, with `damaged: 'skip'`. */
  readonly skipped: readonly SkippedImage[];
  readonly #read: (file: string) => Promise<Tensor>;

  /** @internal */
  constructor(
    files: readonly string[],
    labels: BigInt64Array,
    classes: readonly string[],
    skipped: readonly SkippedImage[],
    read: (file: string) => Promise<Tensor>,
  ) {
    this.files = files;
    this.labels = labels;
    this.classes = classes;
    this.skipped = skipped;
    this.#read = read;
  }

  /** The number of images. */
  get length(): number {
    return this.files.length;
  }

  /**
   * An image [channels, height, width] and its class number; a negative index counts from the end.
   *
   * @throws IndexError if there is no such image; FileError if it cannot be decoded, naming it
   */
  async get(index: number): Promise<[image: Tensor, label: bigint]> {
    const at = index < 0 ? index + this.length : index;
    if (!Number.isInteger(at) || at < 0 || at >= this.length) {
      throw new IndexError(`ImageFolderDataset: index ${String(index)} is out of range for ${this.length} samples.`);
    }
    return [await this.#read(this.files[at]), this.labels[at]];
  }
}

const byCodePoint = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Images that are decoded at the same time while looking for damaged ones. */
const AT_ONCE = 8;

/**
 * The images below a folder that has one folder per class: `flowers/rose/1.jpg` is of the class `rose`. Classes are numbered
 * in the order of their names, and images lie in the order of theirs, so numbers are the same on every machine.
 *
 * An image is decoded when it is asked for, by sharp (`npm install sharp`). Batches need images of one size: give `size`.
 *
 * @throws FileError if the folder is missing, or has no folders or a class without images; ArgumentError for options that
 *   make no sense, or without sharp
 *
 * @example
 * const flowers = await data.imageFolder('flowers', { size: 64 });
 * for await (const [images, labels] of new data.DataLoader(flowers, { batchSize: 32, shuffle: true })) { ... }
 */
export async function imageFolder(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolderDataset> {
  const checked = checkImageOptions('imageFolder', options);
  const { extensions = EXTENSIONS, damaged = 'throw' } = options;
  if (damaged !== 'throw' && damaged !== 'skip') {
    throw new ArgumentError(`imageFolder: damaged must be 'throw' or 'skip', not ${String(damaged)}.`);
  }
  const endings = new Set(extensions.map((extension) => `.${extension.replace(/^\./, '').toLowerCase()}`));
  const sharp = await loadSharp('imageFolder');
  const read = (file: string): Promise<Tensor> => readImageChecked(file, checked, sharp);

  const files: string[] = [];
  const labels: bigint[] = [];
  let classes: string[];
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    classes.sort(byCodePoint);
    for (const [label, name] of classes.entries()) {
      const inside = await readdir(join(folder, name), { recursive: true, withFileTypes: true });
      const images = inside
        .filter((entry) => !entry.isDirectory() && endings.has(extname(entry.name).toLowerCase()))
        .map((entry) => join(entry.parentPath, entry.name));
      images.sort((a, b) => byCodePoint(relative(folder, a), relative(folder, b)));
      if (images.length === 0) {
        throw new FileError(
          `imageFolder ${folder}: class '${name}' has no images (looked for ${[...endings].join(', ')}).`,
        );
      }
      for (const image of images) {
        files.push(image);
        labels.push(BigInt(label));
      }
    }
  } catch (error) {
    throw toFileError(error, 'imageFolder', folder);
  }
  if (classes.length === 0) throw new FileError(`imageFolder ${folder}: it has no folders; each class needs one.`);
  if (damaged === 'throw') return new ImageFolderDataset(files, BigInt64Array.from(labels), classes, [], read);

  const errors = new Map<number, FileError>();
  let next = 0;
  const check = async (): Promise<void> => {
    while (next < files.length) {
      const at = next++;
      try {
        (await read(files[at])).dispose();
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
        errors.set(at, error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, check));
  const kept = files.map((_, at) => at).filter((at) => !errors.has(at));
  return new ImageFolderDataset(
    kept.map((at) => files[at]),
    BigInt64Array.from(kept, (at) => labels[at]),
    classes,
    [...errors].sort(([a], [b]) => a - b).map(([at, error]) => ({ file: files[at], error })),
    read,
  );
}
