import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkDevice, type Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { defaultGenerator, type Generator as RandomGenerator } from '../ops/random.js';
import { isTensor } from '../tensor/tensor.js';
import { collate, type Collated } from './collate.js';
import type { Dataset } from './dataset.js';
import { philox, sequentialIndices, shuffledIndices } from './sampler.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number;
  /** A new random order for each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Leave out the last batch if it is smaller than the others. Default false. */
  readonly dropLast?: boolean;
  /** Seed of the shuffling. Default: drawn from `generator` when the first epoch starts. */
  readonly seed?: number;
  /** Where the seed comes from if none is given. Default: the generator that `manualSeed` seeds. */
  readonly generator?: RandomGenerator;
  /** How many batches are under way while one is in use. Default 1. */
  readonly prefetch?: number;
  /**
   * Where the tensors of a batch go (also those in arrays, maps and plain objects): their copies are enqueued when the batch
   * is fetched, while the one before is in use. Default: they stay where the dataset makes them.
   */
  readonly device?: Device;
  /** Makes a batch of samples, for datasets without `batch`. Default: `collate`. */
  readonly collate?: (samples: Sample[]) => Batch | Promise<Batch>;
}

// The tensors in a batch, on a device.
function moved<T>(value: T, device: Device): T {
  const move = (part: unknown): unknown => {
    // What stays behind may be the dataset's own, so it is forgotten rather than disposed.
    if (isTensor(part)) return part.to(device);
    if (Array.isArray(part)) return part.map(move);
    if (part instanceof Map) return new Map(Array.from(part, ([key, item]) => [key as unknown, move(item)] as const));
    if (typeof part === 'object' && part !== null && Object.getPrototypeOf(part) === Object.prototype)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, move(item)]));
    return part;
  };
  return move(value) as T;
}

/** After this many milliseconds of JavaScript, timers and sockets get their turn. */
const TURN_MS = 4;

function checkInteger(name: string, value: number, min: number): number {
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ArgumentError(`DataLoader: ${name} must be an integer of at least ${min}, not ${String(value)}.`);
  }
  return value;
}

/**
 * Batches of a dataset, for `for await` (or plain `for`, if the dataset is synchronous). Each iteration is an epoch; the
 * next batch is already enqueued on the device's stream while the loop's body runs.
 *
 * The order of an epoch depends on the seed and the epoch's number only: set `epoch` to continue an interrupted run.
 * `for await` lets the event loop turn every few milliseconds, even if the body awaits nothing. The loader keeps no
 * batch it has handed out, so there is nothing to dispose: forgotten ones are collected.
 *
 * @example
 * const loader = new data.DataLoader(train, { batchSize: 128, shuffle: true, seed: 1 });
 * for (let epoch = 0; epoch < 5; epoch++) {
 *   for await (const [images, labels] of loader) step(images, labels);
 * }
 */
export class DataLoader<Sample, Batch = Collated<Sample>> implements AsyncIterable<Batch>, Iterable<Batch> {
  /** Where samples come from. */
  readonly dataset: Dataset<Sample, Batch>;
  /** Whether each epoch has an order of its own. */
  readonly shuffle: boolean;
  /** Whether a smaller last batch is left out. */
  readonly dropLast: boolean;
  /** How many batches are under way while one is in use. */
  readonly prefetch: number;
  /** Where the tensors of a batch go; undefined: they stay. */
  readonly device: Device | undefined;
  readonly #collate: (samples: Sample[]) => Batch | Promise<Batch>;
  readonly #customCollate: boolean;
  readonly #generator: RandomGenerator;
  #seed: number | undefined;
  #batchSize: number;
  #epoch = 0;
  #lastTurn = performance.now();

  /** @throws ArgumentError for options that are no integers, or too small; DeviceError for a device that is not there */
  constructor(dataset: Dataset<Sample, Batch>, options: DataLoaderOptions<Sample, Batch> = {}) {
    checkInteger('dataset.length', dataset.length, 0);
    this.dataset = dataset;
    this.#batchSize = checkInteger('batchSize', options.batchSize ?? 1, 1);
    this.prefetch = checkInteger('prefetch', options.prefetch ?? 1, 0);
    this.device = options.device === undefined ? undefined : checkDevice('DataLoader', options.device);
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    this.#seed = options.seed === undefined ? undefined : checkInteger('seed', options.seed, 0);
    this.#generator = options.generator ?? defaultGenerator;
    this.#customCollate = options.collate !== undefined;
    this.#collate = options.collate ?? ((samples) => collate(samples) as Batch);
  }

  /** The number of batches in an epoch. */
  get length(): number {
    const batches = this.dataset.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** Samples in a batch; the last may have fewer. */
  get batchSize(): number {
    return this.#batchSize;
  }

  /** Sets it, from the next epoch on. Throws ArgumentError unless it is an integer >= 1. */
  set batchSize(batchSize: number) {
    this.#batchSize = checkInteger('batchSize', batchSize, 1);
  }

  /** The number of the next epoch to be started; 0 at first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Sets it, to continue an interrupted run. Throws ArgumentError unless it is an integer >= 0. */
  set epoch(epoch: number) {
    this.#epoch = checkInteger('epoch', epoch, 0);
  }

  /** The batches of an epoch, for `for await`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const pending: Promise<Batch>[] = [];
    const plan = this.#plan();
    const refill = (ahead: number): void => {
      while (pending.length < ahead) {
        const { value: indices } = plan.next();
        if (indices === undefined) return;
        const batch = this.#fetch(indices);
        // A loop that is left early awaits no further batch; a failure there must not end the process.
        batch.catch(() => undefined);
        pending.push(batch);
      }
    };
    for (;;) {
      refill(1);
      const current = pending.shift();
      if (current === undefined) return;
      refill(this.prefetch);
      const batch = await current;
      if (performance.now() - this.#lastTurn > TURN_MS) {
        await nextTurn();
        this.#lastTurn = performance.now();
      }
      yield batch;
    }
  }

  /** The batches of an epoch, for `for`. Throws ArgumentError if the dataset is asynchronous. */
  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    const pending: Batch[] = [];
    const plan = this.#plan();
    const refill = (ahead: number): void => {
      while (pending.length < ahead) {
        const { value: indices } = plan.next();
        if (indices === undefined) return;
        pending.push(this.#fetchSync(indices));
      }
    };
    for (;;) {
      refill(this.prefetch + 1);
      if (pending.length === 0) return;
      yield pending.shift() as Batch;
    }
  }

  /** The positions of each batch of the epoch that starts now. */
  #plan(): Iterator<Int32Array, undefined> {
    const samples = this.dataset.length;
    const batches = this.length;
    const { batchSize } = this;
    const epoch = this.#epoch++;
    const order = this.shuffle ? shuffledIndices(samples, this.#baseSeed(), epoch) : sequentialIndices(samples);
    return (function* () {
      for (let i = 0; i < batches; i++) yield order.subarray(i * batchSize, (i + 1) * batchSize);
      return undefined;
    })();
  }

  #baseSeed(): number {
    if (this.#seed === undefined) {
      const { seed } = this.#generator;
      const block = this.#generator.take(1);
      const key = [Number(seed & 0xffff_ffffn), Number(seed >> 32n)] as const;
      const [high, low] = philox([block >>> 0, Math.floor(block / 2 ** 32), 0, 0], key);
      this.#seed = (high & 0x1f_ffff) * 2 ** 32 + low;
    }
    return this.#seed;
  }

  async #fetch(indices: Int32Array): Promise<Batch> {
    const batch = await this.#make(indices);
    return this.device === undefined ? batch : moved(batch, this.device);
  }

  async #make(indices: Int32Array): Promise<Batch> {
    if (this.dataset.batch !== undefined && !this.#customCollate) return this.dataset.batch(indices);
    // All samples are asked for before the first is awaited: slow ones (files, sockets) overlap.
    const samples = await Promise.all(Array.from(indices, async (index) => this.dataset.get(index)));
    return this.#collate(samples);
  }

  #fetchSync(indices: Int32Array): Batch {
    const batch = this.#makeSync(indices);
    return this.device === undefined ? batch : moved(batch, this.device);
  }

  #makeSync(indices: Int32Array): Batch {
    const settled = <T>(value: T | Promise<T>): T => {
      if (value instanceof Promise) {
        value.catch(() => undefined);
        throw new ArgumentError('DataLoader: the dataset is asynchronous; iterate with `for await`.');
      }
      return value;
    };
    if (this.dataset.batch !== undefined && !this.#customCollate) return settled(this.dataset.batch(indices));
    return settled(this.#collate(Array.from(indices, (index) => settled(this.dataset.get(index)))));
  }
}
