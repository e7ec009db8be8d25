// Random parts of a dataset.
import { ArgumentError } from '../errors.js';
import { Subset } from './combine.js';
import type { Dataset } from './dataset.js';
import { classesOf, type Labels } from './labels.js';
import { sequentialIndices, shuffledIndices, shuffleInPlace, uint32Source } from './sampler.js';
import { checkInteger } from './samplers/sampler.js';
import { type SeedOptions, seedOf } from './seed.js';

/** 0.07 of 100 is 7, though the product of the floating-point numbers is a little more. */
const rounded = (product: number): number => Number(product.toPrecision(12));

/** The sizes of the parts: as given, or of fractions; what these leave over goes to the first parts, one each. */
function sizesOf(op: string, total: number, parts: readonly number[]): number[] {
  const sum = parts.reduce((a, b) => a + b, 0);
  const shown = parts.join(', ');
  if (parts.length === 0 || !parts.every((part) => part >= 0 && Number.isFinite(part)))
    throw new ArgumentError(`${op}: the lengths [${shown}] are not all numbers of at least 0.`);
  if (parts.every(Number.isInteger) && sum === total) return [...parts];
  if (Math.abs(sum - 1) > 1e-6) {
    throw new ArgumentError(
      `${op}: the lengths [${shown}] add up to ${sum}: neither to the ${total} samples there are, nor, as fractions, to 1.`,
    );
  }
  const sizes = parts.map((part) => Math.floor(rounded((part / sum) * total)));
  let left = total - sizes.reduce((a, b) => a + b, 0);
  for (let i = 0; left > 0; i = (i + 1) % sizes.length) {
    if (parts[i] === 0) continue;
    sizes[i]++;
    left--;
  }
  return sizes;
}

function cut<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  order: Int32Array,
  sizes: readonly number[],
): Subset<Sample, Batch>[] {
  let start = 0;
  return sizes.map((size) => new Subset(dataset, order.subarray(start, (start += size))));
}

/**
 * Cuts a dataset into random parts that do not overlap and together are the whole.
 *
 * @param lengths of the parts, which must add up to the dataset's length; or fractions of it, which must add up to 1. Of
 *   fractions each part has the integer below; what is left goes to the first parts, one sample each.
 * @throws ArgumentError for lengths that add up to something else
 *
 * @example
 * const [train, validation] = data.randomSplit(dataset, [0.9, 0.1], { seed: 1 });
 */
export function randomSplit<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  lengths: readonly number[],
  options: SeedOptions = {},
): Subset<Sample, Batch>[] {
  const sizes = sizesOf('randomSplit', dataset.length, lengths);
  return cut(dataset, shuffledIndices(dataset.length, seedOf('randomSplit', options), 0), sizes);
}

/** The integers nearest to `draws` shared out in proportion to the counts: what is left goes to the largest remainders. */
function share(counts: readonly number[], draws: number, next: () => number): number[] {
  const total = counts.reduce((a, b) => a + b, 0);
  const exact = counts.map((count) => (total === 0 ? 0 : (count * draws) / total));
  const shares = exact.map(Math.floor);
  // Equal remainders in random order, so that no class is favoured in every split.
  const order = [...shuffleInPlace(sequentialIndices(counts.length), next)];
  order.sort((a, b) => exact[b] - shares[b] - (exact[a] - shares[a]));
  const left = draws - shares.reduce((a, b) => a + b, 0);
  for (const i of order.slice(0, left)) shares[i]++;
  return shares;
}

/**
 * Cuts a dataset into random parts, each with the classes in the proportions of the whole, as closely as integers allow.
 * The sizes of the parts are those of `randomSplit`.
 *
 * @param labels the class of each sample
 * @param lengths of the parts, or fractions, as for `randomSplit`
 * @throws ArgumentError if labels and samples differ in number, or lengths do not add up
 *
 * @example
 * const [train, validation, test] = data.stratifiedSplit(dataset, labels, [0.8, 0.1, 0.1], { seed: 1 });
 */
export function stratifiedSplit<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  labels: Labels,
  lengths: readonly number[],
  options: SeedOptions = {},
): Subset<Sample, Batch>[] {
  const sizes = sizesOf('stratifiedSplit', dataset.length, lengths);
  const { members } = classesOf('stratifiedSplit', 'labels', labels, dataset.length);
  return stratified(dataset, members, sizes, seedOf('stratifiedSplit', options));
}

function stratified<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  members: readonly number[][],
  sizes: readonly number[],
  seed: number,
): Subset<Sample, Batch>[] {
  const next = uint32Source(seed, 0);
  const left = members.map((positions) => shuffleInPlace([...positions], next));
  return sizes.map((size) => {
    const counts = share(
      left.map((positions) => positions.length),
      size,
      next,
    );
    // Each part in random order, too, for those who do not shuffle it.
    const part = counts.flatMap((count, i) => left[i].splice(0, count));
    return new Subset(dataset, shuffleInPlace(part, next));
  });
}

/** Options of `trainTestSplit`. */
export interface TrainTestSplitOptions extends SeedOptions {
  /** Samples of the test part, or the fraction of all (rounded up). Default: what `trainSize` leaves, or 0.25. */
  readonly testSize?: number;
  /** Samples of the training part, or the fraction of all (rounded down). Default: what `testSize` leaves. */
  readonly trainSize?: number;
  /** False: the test part is the end of the dataset. Default true. */
  readonly shuffle?: boolean;
  /** The class of each sample: both parts get the classes in the proportions of the whole. */
  readonly stratify?: Labels;
}

function sizeOf(name: string, size: number, total: number, round: (n: number) => number): number {
  if (size > 0 && size < 1) return round(rounded(size * total));
  return checkInteger('trainTestSplit', name, size, 1);
}

/**
 * A training and a test part, chosen at random. Sizes are those of scikit-learn's function of this name.
 *
 * @throws ArgumentError for parts that are empty or larger than the dataset, or classes too small to be in both
 *
 * @example
 * const [train, test] = data.trainTestSplit(dataset, { testSize: 0.2, stratify: labels, seed: 1 });
 */
export function trainTestSplit<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  options: TrainTestSplitOptions = {},
): [train: Subset<Sample, Batch>, test: Subset<Sample, Batch>] {
  const { length } = dataset;
  const { trainSize, testSize = trainSize === undefined ? 0.25 : undefined, shuffle = true, stratify } = options;
  const given = {
    test: testSize === undefined ? undefined : sizeOf('testSize', testSize, length, Math.ceil),
    train: trainSize === undefined ? undefined : sizeOf('trainSize', trainSize, length, Math.floor),
  };
  const test = given.test ?? length - (given.train ?? 0);
  const train = given.train ?? length - test;
  if (train < 1 || test < 1 || train + test > length) {
    throw new ArgumentError(
      `trainTestSplit: cannot make parts of ${train} and ${test} samples of a dataset of ${length}.`,
    );
  }
  if (!shuffle) {
    if (stratify !== undefined) throw new ArgumentError('trainTestSplit: stratify needs shuffle; give one of them.');
    const [first, second] = cut(dataset, sequentialIndices(length), [train, test]);
    return [first, second];
  }
  if (stratify === undefined) {
    const [first, second] = cut(dataset, shuffledIndices(length, seedOf('trainTestSplit', options), 0), [train, test]);
    return [first, second];
  }
  const { members } = classesOf('trainTestSplit', 'labels', stratify, length);
  const smallest = Math.min(...members.map((positions) => positions.length));
  if (smallest < 2) throw new ArgumentError('trainTestSplit: a class has only 1 sample; it cannot be in both parts.');
  if (Math.min(train, test) < members.length) {
    throw new ArgumentError(
      `trainTestSplit: parts of ${train} and ${test} samples cannot both have all ${members.length} classes.`,
    );
  }
  const [first, second] = stratified(dataset, members, [train, test], seedOf('trainTestSplit', options));
  return [first, second];
}
