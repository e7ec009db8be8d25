// MNIST (LeCun, Cortes, Burges): 60,000 training and 10,000 test images of handwritten digits, 28 x 28 grey values.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { tidy } from '../memory.js';
import { fromTypedArray } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';
import { TensorDataset } from './dataset.js';
import { cacheFolder, download, type DownloadOptions } from './download.js';
import { readIdx } from './idx.js';

/** The publisher first; then the mirrors that other frameworks use. */
const MIRRORS = [
  'https://yann.lecun.com/exdb/mnist/',
  'https://ossci-datasets.s3.amazonaws.com/mnist/',
  'https://storage.googleapis.com/cvdf-datasets/mnist/',
];

/**
 * SHA-256 of the files' decompressed content, computed from copies with the published counts (60,000 and 10,000). Not of the
 * .gz files: the same content compressed by another program or at another level has other bytes, and mirrors may differ.
 */
const FILES = {
  trainImages: {
    name: 'train-images-idx3-ubyte',
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  trainLabels: {
    name: 'train-labels-idx1-ubyte',
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  testImages: {
    name: 't10k-images-idx3-ubyte',
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  testLabels: {
    name: 't10k-labels-idx1-ubyte',
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
} as const;

type MnistFile = (typeof FILES)[keyof typeof FILES];

/** Options of `mnist`. */
export interface MnistOptions {
  /** A folder with the four files, with or without `.gz`. Without it they are downloaded into a cache. */
  readonly folder?: string;
  /** Where downloads are kept. Default: `mnist` in `cacheFolder()`. */
  readonly cache?: string;
  /** False: never touch the network, use what is in the cache. Default true. */
  readonly download?: boolean;
  /** URLs of folders to download from, instead of the publisher and its mirrors. */
  readonly mirrors?: readonly string[];
  /** True (default): images are float32 from 0 to 1. False: the uint8 grey values of the files. */
  readonly normalize?: boolean;
  /** Called as pieces of a download arrive. */
  readonly onProgress?: DownloadOptions['onProgress'];
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** Images [N, 1, 28, 28] and labels [N], the digits 0 to 9. */
export type MnistDataset<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> = TensorDataset<
  readonly [images: Tensor<readonly [number, 1, 28, 28], D>, labels: Tensor<readonly [number], 'int64'>]
>;

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
}

/** The file in a folder under one of the names in use: the publisher's, and one that some archives made of it. */
async function findIn(folder: string, { name }: MnistFile): Promise<string> {
  const names = [name, name.replace('-idx', '.idx')].flatMap((n) => [n, `${n}.gz`]);
  for (const candidate of names) {
    if (await exists(join(folder, candidate))) return join(folder, candidate);
  }
  throw new FileError(`mnist: no ${name} in ${folder} (looked for ${names.join(', ')}).`);
}

/** The path of one file: in the user's folder, in the cache, or fetched into it. */
async function locate(file: MnistFile, options: MnistOptions): Promise<string> {
  if (options.folder !== undefined) return findIn(options.folder, file);
  const cache = options.cache ?? join(cacheFolder(), 'mnist');
  if (options.download === false) return findIn(cache, file);
  const mirrors = (options.mirrors ?? MIRRORS).map((base) => `${base.replace(/\/$/, '')}/${file.name}.gz`);
  return download(mirrors, {
    file: join(cache, `${file.name}.gz`),
    sha256: file.sha256,
    sha256Of: 'gunzipped',
    maxBytes: 64 * 1024 * 1024,
    ...(options.onProgress && { onProgress: options.onProgress }),
    ...(options.signal && { signal: options.signal }),
  });
}

async function readSplit(images: MnistFile, labels: MnistFile, options: MnistOptions): Promise<MnistDataset> {
  // One after the other: two downloads at once would draw two progress bars over each other.
  const imagesFile = await locate(images, options);
  const labelsFile = await locate(labels, options);
  const x = await readIdx(imagesFile);
  const y = await readIdx(labelsFile);
  if (x.dtype !== 'uint8' || x.shape.length !== 3 || x.shape[1] !== 28 || x.shape[2] !== 28) {
    throw new FileError(`mnist ${imagesFile}: expected uint8 [N, 28, 28], got ${x.dtype} [${x.shape.join(', ')}].`);
  }
  if (y.dtype !== 'uint8' || y.shape.length !== 1) {
    throw new FileError(`mnist ${labelsFile}: expected uint8 [N], got ${y.dtype} [${y.shape.join(', ')}].`);
  }
  const count = y.data.length;
  if (x.shape[0] !== count) {
    throw new FileError(`mnist ${imagesFile}: ${x.shape[0]} images, but ${count} labels in ${labelsFile}.`);
  }
  const wrong = y.data.findIndex((label) => label > 9);
  if (wrong >= 0) throw new FileError(`mnist ${labelsFile}: label ${wrong} is ${y.data[wrong]}, not a digit 0 to 9.`);

  const pixels = fromTypedArray(x.data, [count, 1, 28, 28], { dtype: 'uint8' });
  const digits = fromTypedArray(BigInt64Array.from(y.data, BigInt), [count], { dtype: 'int64' });
  if (options.normalize === false) return new TensorDataset(pixels, digits);
  const scaled = tidy(() => pixels.to('float32').div(255));
  pixels.dispose();
  return new TensorDataset(scaled, digits);
}

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
export async function mnist(
  options: MnistOptions & { readonly normalize: false },
): Promise<{ train: MnistDataset<'uint8'>; test: MnistDataset<'uint8'> }>;
export async function mnist(
  options?: MnistOptions & { readonly normalize?: true },
): Promise<{ train: MnistDataset<'float32'>; test: MnistDataset<'float32'> }>;
export async function mnist(options?: MnistOptions): Promise<{ train: MnistDataset; test: MnistDataset }>;
export async function mnist(options: MnistOptions = {}): Promise<{ train: MnistDataset; test: MnistDataset }> {
  const train = await readSplit(FILES.trainImages, FILES.trainLabels, options);
  const test = await readSplit(FILES.testImages, FILES.testLabels, options);
  return { train, test };
}
