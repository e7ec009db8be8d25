// Cross-validation: several ways to divide the same samples. The definitions are scikit-learn's.
import { ArgumentError } from '../errors.js';
import { Subset } from './combine.js';
import type { Dataset } from './dataset.js';
import { classesOf, type Labels } from './labels.js';
import { sequentialIndices, shuffledIndices, shuffleInPlace, uint32Source } from './sampler.js';
import { checkInteger } from './samplers/sampler.js';
import { type SeedOptions, seedOf } from './seed.js';

/** One of several divisions of a dataset. */
export interface Fold<Sample, Batch> {
  /** What is trained on. */
  readonly train: Subset<Sample, Batch>;
  /** What is held out. */
  readonly test: Subset<Sample, Batch>;
}

/** Options of `kFold` and `stratifiedKFold`. */
export interface FoldOptions extends SeedOptions {
  /** How many folds, at least 2. Default 5. */
  readonly folds?: number;
  /** False (default): the samples of a fold are neighbours. True: they are chosen at random. */
  readonly shuffle?: boolean;
}

/** Options of `groupKFold`. */
export interface GroupFoldOptions {
  /** How many folds, at least 2. Default 5. */
  readonly folds?: number;
}

function checkFolds(op: string, folds: number, most: number, what: string): number {
  checkInteger(op, 'folds', folds, 2);
  if (folds > most) throw new ArgumentError(`${op}: cannot make ${folds} folds of ${most} ${what}.`);
  return folds;
}

/** The divisions that a number of a fold for each sample says. */
function divide<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  folds: number,
  foldOf: ArrayLike<number>,
): Fold<Sample, Batch>[] {
  return Array.from({ length: folds }, (_, fold) => {
    const positions = sequentialIndices(dataset.length);
    const train = positions.filter((i) => foldOf[i] !== fold);
    const test = positions.filter((i) => foldOf[i] === fold);
    return { train: new Subset(dataset, train), test: new Subset(dataset, test) };
  });
}

/**
 * Divides the samples into folds of nearly equal size, the first ones larger by one where they do not divide evenly; each
 * is held out once.
 *
 * @throws ArgumentError for fewer than 2 folds, or more than samples
 *
 * @example
 * for (const { train, test } of data.kFold(dataset, { folds: 5, shuffle: true, seed: 1 })) {
 *   console.log(train.length, test.length);
 * }
 */
export function kFold<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  options: FoldOptions = {},
): Fold<Sample, Batch>[] {
  const { length } = dataset;
  const folds = checkFolds('kFold', options.folds ?? 5, length, 'samples');
  const order = options.shuffle ? shuffledIndices(length, seedOf('kFold', options), 0) : sequentialIndices(length);
  const foldOf = new Int32Array(length);
  let start = 0;
  for (let fold = 0; fold < folds; fold++) {
    const size = Math.floor(length / folds) + (fold < length % folds ? 1 : 0);
    for (const i of order.subarray(start, start + size)) foldOf[i] = fold;
    start += size;
  }
  return divide(dataset, folds, foldOf);
}

/**
 * As `kFold`, with the classes in each fold in the proportions of the whole. Of a class with fewer samples than there are
 * folds, some folds have none.
 *
 * @param labels the class of each sample
 * @throws ArgumentError if labels and samples differ in number, or every class has fewer samples than there are folds
 *
 * @example
 * const folds = data.stratifiedKFold(dataset, labels, { folds: 3 });
 */
export function stratifiedKFold<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  labels: Labels,
  options: FoldOptions = {},
): Fold<Sample, Batch>[] {
  const { length } = dataset;
  const folds = checkFolds('stratifiedKFold', options.folds ?? 5, length, 'samples');
  const { members } = classesOf('stratifiedKFold', 'labels', labels, length);
  const largest = Math.max(...members.map((positions) => positions.length));
  if (folds > largest) {
    throw new ArgumentError(
      `stratifiedKFold: cannot make ${folds} folds: the largest class has only ${largest} samples.`,
    );
  }
  const next = options.shuffle ? uint32Source(seedOf('stratifiedKFold', options), 0) : undefined;
  const foldOf = new Int32Array(length);
  let dealt = 0;
  for (const positions of members) {
    // Dealt out like cards, class after class, so that both classes and folds come out even.
    const own = positions.map((_, i) => (dealt + i) % folds).sort((a, b) => a - b);
    dealt += positions.length;
    if (next !== undefined) shuffleInPlace(own, next);
    positions.forEach((position, i) => (foldOf[position] = own[i]));
  }
  return divide(dataset, folds, foldOf);
}

/**
 * Folds that keep groups together: no group (a patient, a speaker, a document) is in both parts of a fold. The largest
 * groups are dealt out first, each to the fold with the fewest samples so far.
 *
 * @param groups the group of each sample
 * @throws ArgumentError if groups and samples differ in number, or there are fewer groups than folds
 *
 * @example
 * const folds = data.groupKFold(dataset, ['ann', 'ann', 'bob', 'cy', 'cy', 'bob'], { folds: 3 });
 */
export function groupKFold<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  groups: Labels,
  { folds = 5 }: GroupFoldOptions = {},
): Fold<Sample, Batch>[] {
  const { members } = classesOf('groupKFold', 'groups', groups, dataset.length);
  checkFolds('groupKFold', folds, members.length, 'groups');
  const sizes = new Int32Array(folds);
  const foldOf = new Int32Array(dataset.length);
  for (const positions of [...members].sort((a, b) => b.length - a.length)) {
    const lightest = sizes.indexOf(Math.min(...sizes));
    sizes[lightest] += positions.length;
    for (const position of positions) foldOf[position] = lightest;
  }
  return divide(dataset, folds, foldOf);
}

/** Options of `timeSeriesSplit`. */
export interface TimeSeriesSplitOptions {
  /** How many divisions, at least 2. Default 5. */
  readonly splits?: number;
  /** The most samples of a training part: its latest ones. Default: all. */
  readonly maxTrainSize?: number;
  /** Samples of each test part. Default: length / (splits + 1), rounded down. */
  readonly testSize?: number;
  /** Samples between the two parts that are in neither. Default 0. */
  readonly gap?: number;
}

/**
 * Divisions of samples that are ordered in time: each trains on the past and tests on what follows. The test parts lie one
 * after the other and end with the last sample.
 *
 * @throws ArgumentError if the samples are too few for these options
 *
 * @example
 * const parts = data.timeSeriesSplit({ length: 6, get: (i) => i }, { splits: 3 });
 * console.log(parts.map(({ train, test }) => [train.indices.length, ...test.indices])); // [3, 3], [4, 4], [5, 5]
 */
export function timeSeriesSplit<Sample, Batch>(
  dataset: Dataset<Sample, Batch>,
  options: TimeSeriesSplitOptions = {},
): Fold<Sample, Batch>[] {
  const op = 'timeSeriesSplit';
  const { length } = dataset;
  const splits = checkInteger(op, 'splits', options.splits ?? 5, 2);
  const gap = checkInteger(op, 'gap', options.gap ?? 0, 0);
  if (splits + 1 > length)
    throw new ArgumentError(`${op}: ${splits} splits need at least ${splits + 1} samples, there are ${length}.`);
  const testSize = checkInteger(op, 'testSize', options.testSize ?? Math.floor(length / (splits + 1)), 1);
  const most = options.maxTrainSize === undefined ? length : checkInteger(op, 'maxTrainSize', options.maxTrainSize, 1);
  if (length - gap - testSize * splits <= 0) {
    throw new ArgumentError(
      `${op}: ${splits} test parts of ${testSize} and a gap of ${gap} leave nothing to train on of ${length} samples.`,
    );
  }
  const all = sequentialIndices(length);
  return Array.from({ length: splits }, (_, split) => {
    const start = length - (splits - split) * testSize;
    const end = start - gap;
    return {
      train: new Subset(dataset, all.subarray(Math.max(0, end - most), end)),
      test: new Subset(dataset, all.subarray(start, start + testSize)),
    };
  });
}
