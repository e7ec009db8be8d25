// MNIST (LeCun, Cortes, Burges): 60,000 training and 10,000 test images of handwritten digits, 28 x 28 grey values.
import { type DigitsDataset, type DigitsFiles, type DigitsSet, type ImageSetOptions, readDigits } from './digits.js';

const SOURCE = {
  set: 'mnist',
  // The publisher first; then the mirrors that other frameworks use.
  mirrors: [
    'https://yann.lecun.com/exdb/mnist/',
    'https://ossci-datasets.s3.amazonaws.com/mnist/',
    'https://storage.googleapis.com/cvdf-datasets/mnist/',
  ],
};

/**
 * SHA-256 of the files' decompressed content, computed from copies with the published counts (60,000 and 10,000). Not of the
 * .gz files: the same content compressed by another program or at another level has other bytes, and mirrors may differ.
 */
const FILES: DigitsFiles = {
  'train-images-idx3': {
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    sha256Of: 'gunzipped',
  },
  'train-labels-idx1': {
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    sha256Of: 'gunzipped',
  },
  't10k-images-idx3': {
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    sha256Of: 'gunzipped',
  },
  't10k-labels-idx1': {
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    sha256Of: 'gunzipped',
  },
};

const CLASSES = Object.freeze(Array.from({ length: 10 }, (_, digit) => String(digit)));

/** Options of `mnist`. `folder` has the four files, with or without `.gz`. */
export type MnistOptions = ImageSetOptions;

/** Images [N, 1, 28, 28] and labels [N], the digits 0 to 9. */
export type MnistDataset<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> = DigitsDataset<D>;

/**
 * The MNIST digits as two datasets of images [N, 1, 28, 28] and int64 labels [N].
 *
 * With `folder` the files are read from there. Else they are downloaded from the publisher or a mirror (11.6 MB) into a
 * cache, and checked by SHA-256; the next call reads the cache.
 *
 * @throws FileError if a file is missing, damaged, cannot be downloaded, or images and labels do not belong together
 *
 * @example
 * const { train, test } = await data.mnist();
 * for await (const [images, labels] of new data.DataLoader(train, { batchSize: 128, shuffle: true })) { ... }
 */
export async function mnist(options: MnistOptions & { readonly normalize: false }): Promise<DigitsSet<'uint8'>>;
export async function mnist(options?: MnistOptions & { readonly normalize?: true }): Promise<DigitsSet<'float32'>>;
export async function mnist(options?: MnistOptions): Promise<DigitsSet>;
export async function mnist(options: MnistOptions = {}): Promise<DigitsSet> {
  return readDigits(SOURCE, FILES, CLASSES, options);
}
