// What MNIST and the sets made in its image share: four IDX files of 28 x 28 grey images and labels from 0 to 9.
import { FileError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { fromTypedArray } from '../../ops/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { TensorDataset } from '../dataset.js';
import { readIdx } from '../idx.js';
import { locate, type SetFile, type SetOptions, type SetSource } from './locate.js';

/** Options of the sets of images. */
export interface ImageSetOptions extends SetOptions {
  /** True (default): images are float32 from 0 to 1. False: the uint8 values of the files. */
  readonly normalize?: boolean;
}

/** Images [N, 1, 28, 28] and labels [N] from 0 to 9. */
export type DigitsDataset<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> = TensorDataset<
  readonly [images: Tensor<readonly [number, 1, 28, 28], D>, labels: Tensor<readonly [number], 'int64'>]
>;

/** Both parts of a set, and what its labels mean. */
export interface DigitsSet<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> {
  /** The 60,000 images to train on. */
  readonly train: DigitsDataset<D>;
  /** The 10,000 images to test with. */
  readonly test: DigitsDataset<D>;
  /** The class of each label. */
  readonly classes: readonly string[];
}

/** Checksums by file. */
export type DigitsFiles = Readonly<
  Record<'train-images-idx3' | 'train-labels-idx1' | 't10k-images-idx3' | 't10k-labels-idx1', Partial<SetFile>>
>;

/** The publisher's file, under the names in use: with and without .gz, and one that some archives made of it. */
function fileOf(files: DigitsFiles, key: keyof DigitsFiles): SetFile {
  const name = `${key}-ubyte`;
  const names = [name, name.replace('-idx', '.idx')].flatMap((n) => [n, `${n}.gz`]);
  return { maxBytes: 64 * 1024 * 1024, ...files[key], name: `${name}.gz`, names };
}

/** uint8 images to float32 from 0 to 1, unless the user wants them as they are; frees what it replaces. */
export function scaled(images: Tensor, options: ImageSetOptions): Tensor {
  if (options.normalize === false) return images;
  const result = tidy(() => images.to('float32').div(255));
  images.dispose();
  return result;
}

async function readPart(
  source: SetSource,
  files: DigitsFiles,
  part: 'train' | 't10k',
  options: ImageSetOptions,
): Promise<DigitsDataset> {
  const { set } = source;
  // One after the other: two downloads at once would draw two progress bars over each other.
  const imagesFile = await locate(source, fileOf(files, `${part}-images-idx3`), options);
  const labelsFile = await locate(source, fileOf(files, `${part}-labels-idx1`), options);
  const x = await readIdx(imagesFile);
  const y = await readIdx(labelsFile);
  if (x.dtype !== 'uint8' || x.shape.length !== 3 || x.shape[1] !== 28 || x.shape[2] !== 28) {
    throw new FileError(`${set} ${imagesFile}: expected uint8 [N, 28, 28], got ${x.dtype} [${x.shape.join(', ')}].`);
  }
  if (y.dtype !== 'uint8' || y.shape.length !== 1) {
    throw new FileError(`${set} ${labelsFile}: expected uint8 [N], got ${y.dtype} [${y.shape.join(', ')}].`);
  }
  const count = y.data.length;
  if (x.shape[0] !== count) {
    throw new FileError(`${set} ${imagesFile}: ${x.shape[0]} images, but ${count} labels in ${labelsFile}.`);
  }
  const wrong = y.data.findIndex((label) => label > 9);
  if (wrong >= 0) throw new FileError(`${set} ${labelsFile}: label ${wrong} is ${y.data[wrong]}, not a digit 0 to 9.`);
  const pixels = fromTypedArray(x.data, [count, 1, 28, 28], { dtype: 'uint8' });
  const labels = fromTypedArray(BigInt64Array.from(y.data, BigInt), [count], { dtype: 'int64' });
  return new TensorDataset(scaled(pixels, options), labels) as unknown as DigitsDataset;
}

/** Both parts of a set. */
export async function readDigits(
  source: SetSource,
  files: DigitsFiles,
  classes: readonly string[],
  options: ImageSetOptions,
): Promise<DigitsSet> {
  const train = await readPart(source, files, 'train', options);
  const test = await readPart(source, files, 't10k', options);
  return { train, test, classes };
}
