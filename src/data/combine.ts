// Datasets made of other datasets.
import { ArgumentError, IndexError } from '../errors.js';
import type { Dataset, Indices } from './dataset.js';
import { checkInteger } from './samplers/sampler.js';

function checkDataset(op: string, name: string, dataset: unknown): void {
  if (typeof (dataset as Dataset<unknown> | null)?.get !== 'function')
    throw new ArgumentError(`${op}: ${name} has no get(index); it is no dataset.`);
  checkInteger(op, `${name}.length`, (dataset as Dataset<unknown>).length, 0);
}

function checkIndex(op: string, index: number, length: number): number {
  if (!Number.isInteger(index) || index < 0 || index >= length)
    throw new IndexError(`${op}: index ${String(index)} is out of range for ${length} samples.`);
  return index;
}

/**
 * Some of the samples of a dataset, at the given positions. Batches are the dataset's own where it makes them.
 *
 * @throws IndexError for a position that the dataset does not have
 *
 * @example
 * const firstHundred = new data.Subset(train, Array.from({ length: 100 }, (_, i) => i));
 */
export class Subset<Sample, Batch> implements Dataset<Sample, Batch> {
  /** Where the samples come from. */
  readonly dataset: Dataset<Sample, Batch>;
  /** Their positions there. */
  readonly indices: Int32Array;
  /** Several samples as one batch; there if the dataset has it. */
  readonly batch?: (indices: Indices) => Batch | Promise<Batch>;

  /**
   * @param dataset where the samples come from
   * @param indices their positions there; they may repeat
   */
  constructor(dataset: Dataset<Sample, Batch>, indices: Indices) {
    checkDataset('Subset', 'dataset', dataset);
    const { length } = dataset;
    this.dataset = dataset;
    this.indices = Int32Array.from(indices as ArrayLike<number>, (index) => checkIndex('Subset', index, length));
    if (dataset.batch !== undefined)
      this.batch = (positions) => (dataset.batch as NonNullable<typeof dataset.batch>)(this.#rows(positions));
  }

  /** The number of samples. */
  get length(): number {
    return this.indices.length;
  }

  /**
   * The sample at a position in the subset.
   *
   * @throws IndexError if there is no such position
   */
  get(index: number): Sample | Promise<Sample> {
    return this.dataset.get(this.indices[checkIndex('Subset', index, this.length)]);
  }

  #rows(positions: Indices): Int32Array {
    return Int32Array.from(
      positions as ArrayLike<number>,
      (position) => this.indices[checkIndex('Subset', position, this.length)],
    );
  }
}

/**
 * The samples of several datasets, one dataset after the other.
 *
 * @throws ArgumentError without datasets, or for what is none
 *
 * @example
 * const everything = new data.ConcatDataset([train, test]);
 */
export class ConcatDataset<Sample> implements Dataset<Sample> {
  /** The datasets, in order. */
  readonly datasets: readonly Dataset<Sample, unknown>[];
  /** The number of samples in all. */
  readonly length: number;
  /** Where each dataset ends. */
  readonly #ends: readonly number[];

  /** @param datasets at least one */
  constructor(datasets: readonly Dataset<Sample, unknown>[]) {
    if (!Array.isArray(datasets) || datasets.length === 0)
      throw new ArgumentError('ConcatDataset: expected an array of at least one dataset.');
    let end = 0;
    this.#ends = datasets.map((dataset: Dataset<Sample, unknown>, i) => {
      checkDataset('ConcatDataset', `datasets[${i}]`, dataset);
      return (end += dataset.length);
    });
    this.datasets = datasets;
    this.length = end;
  }

  /**
   * The sample at a position in the whole.
   *
   * @throws IndexError if there is no such position
   */
  get(index: number): Sample | Promise<Sample> {
    checkIndex('ConcatDataset', index, this.length);
    // There are few datasets as a rule, and each sample costs more than to walk over them.
    const which = this.#ends.findIndex((end) => index < end);
    return this.datasets[which].get(index - (this.#ends[which - 1] ?? 0));
  }
}

/**
 * A dataset whose samples are those of another one, each passed through a function: decoding, scaling, augmentation. The
 * function runs whenever a sample is asked for; `cache` keeps what it made.
 *
 * @example
 * const scaled = new data.MapDataset(images, ([image, label]) => [image.to('float32').div(255), label] as const);
 */
export class MapDataset<From, To> implements Dataset<To> {
  /** Where the samples come from. */
  readonly dataset: Dataset<From, unknown>;
  readonly #map: (sample: From, index: number) => To | Promise<To>;

  /**
   * @param dataset where the samples come from
   * @param map makes a sample of one; may be asynchronous
   */
  constructor(dataset: Dataset<From, unknown>, map: (sample: From, index: number) => To | Promise<To>) {
    checkDataset('MapDataset', 'dataset', dataset);
    if (typeof map !== 'function') throw new ArgumentError('MapDataset: map is not a function.');
    this.dataset = dataset;
    this.#map = map;
  }

  /** The number of samples. */
  get length(): number {
    return this.dataset.length;
  }

  /** The sample at a position, mapped. */
  get(index: number): To | Promise<To> {
    const sample = this.dataset.get(index);
    return sample instanceof Promise ? sample.then((value) => this.#map(value, index)) : this.#map(sample, index);
  }
}

/**
 * As `new MapDataset(dataset, map)`.
 *
 * @example
 * const squares = data.mapDataset({ length: 10, get: (i) => i }, (i) => i * i);
 */
export function mapDataset<From, To>(
  dataset: Dataset<From, unknown>,
  map: (sample: From, index: number) => To | Promise<To>,
): MapDataset<From, To> {
  return new MapDataset(dataset, map);
}
