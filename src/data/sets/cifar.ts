// CIFAR-10 and CIFAR-100 (Krizhevsky): 50,000 training and 10,000 test images in colour, 32 x 32, in the publisher's binary
// version. A record is the label (CIFAR-100: the coarse and the fine one), then the red, the green and the blue plane.
import { join } from 'node:path';
import { stat } from 'node:fs/promises';
import { ArgumentError, FileError } from '../../errors.js';
import { withFileSource } from '../../io/bytes.js';
import { tidy } from '../../memory.js';
import { fromTypedArray } from '../../ops/creation.js';
import type { Tensor } from '../../tensor/tensor.js';
import { TensorDataset } from '../dataset.js';
import { type ImageSetOptions, scaled } from './digits.js';
import { locateUnpacked, type SetArchive } from './locate.js';

/** Images [N, 3, 32, 32] and labels [N]. */
export type CifarDataset<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> = TensorDataset<
  readonly [images: Tensor<readonly [number, 3, 32, 32], D>, labels: Tensor<readonly [number], 'int64'>]
>;

/** Both parts of a set, and what its labels mean. */
export interface CifarSet<D extends 'float32' | 'uint8' = 'float32' | 'uint8'> {
  /** The 50,000 images to train on. */
  readonly train: CifarDataset<D>;
  /** The 10,000 images to test with. */
  readonly test: CifarDataset<D>;
  /** The class of each label. */
  readonly classes: readonly string[];
}

/** Options of `cifar100`. */
export interface Cifar100Options extends ImageSetOptions {
  /** `fine` (default): the 100 classes. `coarse`: the 20 that they belong to. */
  readonly labels?: 'fine' | 'coarse';
}

const PIXELS = 3 * 32 * 32;

/** What tells the two sets apart. @internal */
export interface CifarSpec {
  readonly set: string;
  readonly mirrors: readonly string[];
  readonly archive: SetArchive;
  readonly train: readonly string[];
  readonly test: string;
  /** How many values each label byte can have. */
  readonly labelCounts: readonly number[];
}

const CIFAR_HOME = ['https://www.cs.toronto.edu/~kriz/'];
const BATCHES = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);

/** MD5 as published on the set's page. */
const CIFAR10: CifarSpec = {
  set: 'cifar10',
  mirrors: CIFAR_HOME,
  archive: {
    name: 'cifar-10-binary.tar.gz',
    md5: 'c32a1d4ab5d03f1284b67883e8d87530',
    maxBytes: 256 * 1024 * 1024,
    inside: 'cifar-10-batches-bin',
    files: new Map([...BATCHES, 'test_batch.bin'].map((name) => [name, 10_000 * (1 + PIXELS)])),
    maxInside: 256 * 1024 * 1024,
  },
  train: BATCHES,
  test: 'test_batch.bin',
  labelCounts: [10],
};

const CIFAR100: CifarSpec = {
  set: 'cifar100',
  mirrors: CIFAR_HOME,
  archive: {
    name: 'cifar-100-binary.tar.gz',
    md5: '03b5dce01913d631647c71ecec9e9cb8',
    maxBytes: 256 * 1024 * 1024,
    inside: 'cifar-100-binary',
    files: new Map([
      ['train.bin', 50_000 * (2 + PIXELS)],
      ['test.bin', 10_000 * (2 + PIXELS)],
    ]),
    maxInside: 256 * 1024 * 1024,
  },
  train: ['train.bin'],
  test: 'test.bin',
  labelCounts: [20, 100],
};

const words = (text: string): readonly string[] => Object.freeze(text.trim().split(/\s+/));

const CLASSES10 = words('airplane automobile bird cat deer dog frog horse ship truck');

const COARSE = words(`
  aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
  insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
  medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2`);

const FINE = words(`
  apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
  caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
  forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
  mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
  possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
  sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
  willow_tree wolf woman worm`);

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (info) => info.isFile(),
    () => false,
  );
}

/** All records of a file. */
async function readRecords(file: string, { set, labelCounts }: CifarSpec): Promise<Uint8Array> {
  const record = labelCounts.length + PIXELS;
  return withFileSource(file, set, async (source) => {
    if (source.size === 0 || source.size % record !== 0) {
      throw new FileError(
        `${set} ${file}: ${source.size} bytes are no whole number of records of ${record} bytes; it is truncated or damaged.`,
      );
    }
    const bytes = await source.read(0, source.size);
    for (let at = 0; at < bytes.byteLength; at += record) {
      for (const [k, count] of labelCounts.entries()) {
        if (bytes[at + k] < count) continue;
        throw new FileError(
          `${set} ${file}: the label at byte ${at + k} (record ${at / record}) is ${bytes[at + k]}, not below ${count}.`,
        );
      }
    }
    return bytes;
  });
}

async function readPart(
  files: readonly string[],
  spec: CifarSpec,
  label: number,
  options: ImageSetOptions,
): Promise<CifarDataset> {
  const parts: Uint8Array[] = [];
  for (const file of files) parts.push(await readRecords(file, spec));
  const bytes = parts.length === 1 ? parts[0] : Uint8Array.from(Buffer.concat(parts));
  const labelBytes = spec.labelCounts.length;
  const count = bytes.byteLength / (labelBytes + PIXELS);
  const [images, labels] = tidy(() => {
    const records = fromTypedArray(bytes, [count, labelBytes + PIXELS]);
    const pixels = records.slice(1, labelBytes, labelBytes + PIXELS);
    return [pixels.contiguous().reshape([count, 3, 32, 32]), records.select(1, label).to('int64')];
  });
  return new TensorDataset(scaled(images, options), labels) as unknown as CifarDataset;
}

/** Both parts of a set; apart from the functions below so that tests can give a small archive. @internal */
export async function readCifar(
  spec: CifarSpec,
  classes: readonly string[],
  label: number,
  options: ImageSetOptions,
): Promise<CifarSet> {
  const folder = await locateUnpacked(spec, spec.archive, options);
  // A user's folder may have a part of the batches: the first ones.
  const there = await Promise.all(spec.train.map((name) => exists(join(folder, name))));
  const count = there.lastIndexOf(true) + 1;
  const missing = there.indexOf(false) < 0 ? spec.train.length : there.indexOf(false);
  if (count === 0 || missing < count) throw new FileError(`${spec.set}: no ${spec.train[missing]} in ${folder}.`);
  const files = spec.train.slice(0, count).map((name) => join(folder, name));
  const train = await readPart(files, spec, label, options);
  const test = await readPart([join(folder, spec.test)], spec, label, options);
  return { train, test, classes };
}

/**
 * CIFAR-10 as two datasets of images [N, 3, 32, 32] and int64 labels [N] of ten classes.
 *
 * With `folder` the binary version's files are read from there (`data_batch_1.bin` to `data_batch_5.bin`, or only the first
 * of them, and `test_batch.bin`, with any number of records). Else its archive is downloaded from the publisher (170 MB)
 * into a cache, checked by the publisher's MD5 and unpacked; the next call reads what was unpacked. As float32 the training
 * images take 614 MB; `normalize: false` keeps them in 154 MB.
 *
 * @throws FileError if a file is missing, damaged, or cannot be downloaded
 *
 * @example
 * const { train, test, classes } = await data.cifar10({ folder: 'cifar-10-batches-bin' });
 * const loader = new data.DataLoader(train, { batchSize: 128, shuffle: true });
 */
export async function cifar10(options: ImageSetOptions & { readonly normalize: false }): Promise<CifarSet<'uint8'>>;
export async function cifar10(options?: ImageSetOptions & { readonly normalize?: true }): Promise<CifarSet<'float32'>>;
export async function cifar10(options?: ImageSetOptions): Promise<CifarSet>;
export async function cifar10(options: ImageSetOptions = {}): Promise<CifarSet> {
  return readCifar(CIFAR10, CLASSES10, 0, options);
}

/**
 * CIFAR-100 as two datasets of images [N, 3, 32, 32] and int64 labels [N] of the 100 fine or the 20 coarse classes.
 *
 * With `folder` the binary version's `train.bin` and `test.bin` are read from there, with any number of records. Else its
 * archive is downloaded from the publisher (169 MB) into a cache, checked by the publisher's MD5 and unpacked.
 *
 * @throws FileError if a file is missing, damaged, or cannot be downloaded; ArgumentError for other `labels`
 *
 * @example
 * const { train, classes } = await data.cifar100({ labels: 'coarse' });
 */
export async function cifar100(options: Cifar100Options & { readonly normalize: false }): Promise<CifarSet<'uint8'>>;
export async function cifar100(options?: Cifar100Options & { readonly normalize?: true }): Promise<CifarSet<'float32'>>;
export async function cifar100(options?: Cifar100Options): Promise<CifarSet>;
export async function cifar100(options: Cifar100Options = {}): Promise<CifarSet> {
  const { labels = 'fine' } = options;
  if (labels !== 'fine' && labels !== 'coarse') {
    throw new ArgumentError(`cifar100: labels must be 'fine' or 'coarse', not ${String(labels)}.`);
  }
  return readCifar(CIFAR100, labels === 'fine' ? FINE : COARSE, labels === 'fine' ? 1 : 0, options);
}
