import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkDevice, type Device } from '../device.js';
import { ArgumentError, IndexError } from '../errors.js';
import { defaultGenerator, type Generator as RandomGenerator } from '../ops/random.js';
import { isTensor } from '../tensor/tensor.js';
import { collate, type Collated } from './collate.js';
import type { Dataset, Indices } from './dataset.js';
import { checkState, type DataLoaderState } from './loaderState.js';
import {
  type BatchPlan,
  BatchSampler,
  RandomSampler,
  type Sampler,
  type SamplerFingerprint,
  SequentialSampler,
} from './samplers/index.js';
import { drawSeed } from './seed.js';
import { batchSeed, Crew, within, workerSource, type WorkerSource } from './workers/crew.js';

/** Options of `DataLoader`. */
export interface DataLoaderOptions<Sample, Batch> {
  /** Samples in a batch. Default 1. */
  readonly batchSize?: number;
  /** A new random order for each epoch. Default false. */
  readonly shuffle?: boolean;
  /** Gives the order instead of `shuffle`: a `WeightedRandomSampler`, a `DistributedSampler`, one of your own. */
  readonly sampler?: Sampler;
  /** Gives whole batches, instead of `batchSize`, `shuffle`, `sampler` and `dropLast`. */
  readonly batchSampler?: BatchPlan;
  /** Leave out the last batch if it is smaller than the others. Default false. */
  readonly dropLast?: boolean;
  /** Seed of the shuffling. Default: drawn from `generator` when the first epoch starts. */
  readonly seed?: number;
  /** Where the seed comes from if none is given. Default: the generator that `manualSeed` seeds. */
  readonly generator?: RandomGenerator;
  /** How many batches are under way while one is in use; with workers, for each of them. Default 1, with workers 2. */
  readonly prefetch?: number;
  /**
   * Threads that make the batches, for a dataset of `workerDataset` or a `Subset` of one. Default 0, for those 1. Batches
   * come in the same order, and with the same random numbers, for any number of threads.
   */
  readonly workers?: number;
  /** Keep the threads for the next epoch, instead of ending them with each. Default false. */
  readonly persistentWorkers?: boolean;
  /**
   * How many milliseconds to wait for a batch of the workers, once they have made their datasets, before giving up with a
   * WorkerError. Default: for ever.
   */
  readonly timeout?: number;
  /**
   * Where the tensors of a batch go (also those in arrays, maps and plain objects): they are copied when the batch is
   * fetched, while the one before is in use; to a GPU beside its kernels (`to` with `nonBlocking`), unless `prefetch` is 0.
   * Default: they stay where the dataset makes them.
   */
  readonly device?: Device;
  /** Makes a batch of samples, for datasets without `batch`. Default: `collate`. */
  readonly collate?: (samples: Sample[]) => Batch | Promise<Batch>;
}

// The tensors in a batch, on a device. nonBlocking: for a batch that is fetched while another is in use.
function moved<T>(value: T, device: Device, nonBlocking: boolean): T {
  const move = (part: unknown): unknown => {
    // What stays behind may be the dataset's own, so it is forgotten rather than disposed.
    if (isTensor(part)) return part.to(device, { nonBlocking });
    if (Array.isArray(part)) return part.map(move);
    if (part instanceof Map) return new Map(Array.from(part, ([key, item]) => [key as unknown, move(item)] as const));
    if (typeof part === 'object' && part !== null && Object.getPrototypeOf(part) === Object.prototype)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, move(item)]));
    return part;
  };
  return move(value) as T;
}

type OrderOptions = Pick<
  DataLoaderOptions<unknown, unknown>,
  'batchSampler' | 'batchSize' | 'sampler' | 'shuffle' | 'dropLast'
>;

function checkExclusive(options: OrderOptions): void {
  const refuse = (chosen: string, others: readonly (keyof typeof options)[]): void => {
    // `false` is the default, so it says nothing else.
    const other = others.find((name) => options[name] !== undefined && options[name] !== false);
    if (other !== undefined)
      throw new ArgumentError(`DataLoader: ${chosen} decides what ${other} would say; give one of them.`);
  };
  if (options.batchSampler !== undefined) refuse('batchSampler', ['batchSize', 'shuffle', 'sampler', 'dropLast']);
  if (options.sampler !== undefined) refuse('sampler', ['shuffle']);
}

function checkWorkers(
  { workers, timeout, collate: own }: Pick<DataLoaderOptions<never, unknown>, 'workers' | 'timeout' | 'collate'>,
  possible: boolean,
): number {
  const count = checkInteger('workers', workers ?? (possible ? 1 : 0), 0);
  if (count > 0 && !possible) {
    throw new ArgumentError(
      'DataLoader: workers need a dataset that can be made in a thread, or a Subset of one: see data.workerDataset().',
    );
  }
  if (count === 0 && possible)
    throw new ArgumentError('DataLoader: workers must be at least 1, because the dataset lives in worker threads.');
  if (count === 0 && timeout !== undefined)
    throw new ArgumentError('DataLoader: timeout is for batches of workers; there are none.');
  if (count > 0 && own !== undefined) {
    throw new ArgumentError(
      "DataLoader: collate cannot be sent to a worker; export it as collate from the dataset's module.",
    );
  }
  return count;
}

/** After this many milliseconds of JavaScript, timers and sockets get their turn. */
const TURN_MS = 4;

function checkInteger(name: string, value: number, min: number): number {
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ArgumentError(`DataLoader: ${name} must be an integer of at least ${min}, not ${String(value)}.`);
  }
  return value;
}

// Positions that may come from a sampler of the user's.
function checkIndices(indices: Indices, samples: number): Int32Array {
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i];
    if (Number.isInteger(index) && index >= 0 && index < samples) continue;
    throw new IndexError(`DataLoader: the sampler gives ${String(index)}, but the dataset has ${samples} samples.`);
  }
  return indices instanceof Int32Array ? indices : Int32Array.from(indices);
}

/** An epoch under way: what a state tells of it. */
interface Position {
  readonly epoch: number;
  batch: number;
  readonly batchSize: number;
}

/**
 * Batches of a dataset, for `for await` (or plain `for`, if the dataset is synchronous). Each iteration is an epoch; the
 * next batch is already enqueued on the device's stream while the loop's body runs.
 *
 * The order of an epoch depends on the seed and the epoch's number only. To continue an interrupted run, also in the
 * middle of an epoch, keep what `stateDict` gives and hand it to `loadStateDict`; or set `epoch` alone.
 *
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
  /** How many batches are under way while one is in use; with workers, for each of them. */
  readonly prefetch: number;
  /** Threads that make the batches; 0: the main thread does. */
  readonly workers: number;
  /** Where the tensors of a batch go; undefined: they stay. */
  readonly device: Device | undefined;
  readonly #collate: (samples: Sample[]) => Batch | Promise<Batch>;
  readonly #customCollate: boolean;
  readonly #generator: RandomGenerator;
  readonly #workers: WorkerSource | undefined;
  readonly #persistent: boolean;
  readonly #timeout: number | undefined;
  readonly #sampler: Sampler;
  readonly #batchSampler: BatchPlan | undefined;
  #seed: number | undefined;
  #batchSize: number;
  #epoch = 0;
  /** Batches to skip in the epoch that starts next. */
  #skip = 0;
  /** The epoch that was started last, until it is over. */
  #position: Position | undefined;
  #lastTurn = performance.now();

  /**
   * @throws ArgumentError for options that are no integers, too small, or exclude each other; DeviceError for a device
   *   that is not there
   */
  constructor(dataset: Dataset<Sample, Batch>, options: DataLoaderOptions<Sample, Batch> = {}) {
    checkInteger('dataset.length', dataset.length, 0);
    this.dataset = dataset;
    this.#batchSize = checkInteger('batchSize', options.batchSize ?? 1, 1);
    this.#workers = workerSource(dataset);
    this.workers = checkWorkers(options, this.#workers !== undefined);
    this.prefetch = checkInteger('prefetch', options.prefetch ?? (this.workers > 0 ? 2 : 1), 0);
    this.#persistent = options.persistentWorkers ?? false;
    this.#timeout = options.timeout === undefined ? undefined : checkInteger('timeout', options.timeout, 1);
    this.device = options.device === undefined ? undefined : checkDevice('DataLoader', options.device);
    this.shuffle = options.shuffle ?? false;
    this.dropLast = options.dropLast ?? false;
    checkExclusive(options);
    this.#sampler = options.sampler ?? (this.shuffle ? new RandomSampler(dataset) : new SequentialSampler(dataset));
    this.#batchSampler = options.batchSampler;
    this.#seed = options.seed === undefined ? undefined : checkInteger('seed', options.seed, 0);
    this.#generator = options.generator ?? defaultGenerator;
    this.#customCollate = options.collate !== undefined;
    this.#collate = options.collate ?? ((samples) => collate(samples) as Batch);
  }

  /** The number of batches in an epoch. */
  get length(): number {
    return this.#plan.length;
  }

  /** Samples in a batch; the last may have fewer. 0 if a `batchSampler` without a `batchSize` of its own decides. */
  get batchSize(): number {
    return this.#batchSampler === undefined ? this.#batchSize : (this.#batchSampler.batchSize ?? 0);
  }

  /** Sets it, from the next epoch on. Throws ArgumentError unless it is an integer >= 1, or if a `batchSampler` decides. */
  set batchSize(batchSize: number) {
    if (this.#batchSampler !== undefined)
      throw new ArgumentError('DataLoader: batchSize cannot be set, because batchSampler makes the batches.');
    this.#batchSize = checkInteger('batchSize', batchSize, 1);
  }

  /** The number of the next epoch to be started; 0 at first. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Sets it, to start an interrupted run's epoch from its beginning. Throws ArgumentError unless it is an integer >= 0. */
  set epoch(epoch: number) {
    this.#epoch = checkInteger('epoch', epoch, 0);
    this.#skip = 0;
    this.#position = undefined;
  }

  /**
   * Where the loader stands, as plain JSON: in the middle of an epoch, behind the batch that was handed out last; after
   * an epoch, at the beginning of the next. An epoch that was left early counts as under way until another is started.
   *
   * In the body of the loop, the last batch of an epoch still belongs to that epoch: a loader that continues from there
   * has no batch left in it, so that what comes after the loop happens once, as without the interruption.
   *
   * @example
   * for await (const batch of loader) {
   *   step(batch);
   *   if (stopping) break;
   * }
   * await writeFile('loader.json', JSON.stringify(loader.stateDict()));
   */
  stateDict(): DataLoaderState {
    const { epoch, batch, batchSize } = this.#position ?? {
      epoch: this.#epoch,
      batch: this.#skip,
      batchSize: this.batchSize,
    };
    return { epoch, batch, seed: this.#seed ?? null, ...this.#identity(), batchSize };
  }

  /**
   * Continues where `stateDict` was taken: the next iteration hands out the batch behind the last one, in the same order.
   * The seed is the state's.
   *
   * @throws ArgumentError for what is no state, or is one of another length of the dataset, batch size or sampler
   *
   * @example
   * const loader = new data.DataLoader(train, { batchSize: 128, shuffle: true });
   * loader.loadStateDict(JSON.parse(await readFile('loader.json', 'utf8')));
   */
  loadStateDict(state: DataLoaderState): void {
    const { epoch, batch, seed } = checkState(state, this.#identity());
    const batches = this.length;
    if (batch > batches) {
      throw new ArgumentError(
        `DataLoader.loadStateDict: the state is behind batch ${batch} of an epoch, but one has only ${batches}.`,
      );
    }
    this.#seed = seed ?? undefined;
    this.#epoch = epoch;
    this.#skip = batch;
    this.#position = undefined;
  }

  /** The batches of an epoch, for `for await`. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Batch, void, undefined> {
    const pending: Promise<Batch>[] = [];
    const { plan, position, seed } = this.#start();
    const crew = this.#workers && new Crew(this.#workers, this.workers, this.#persistent);
    const ahead = crew === undefined ? this.prefetch : this.prefetch * this.workers;
    let failed = false;
    let number = position.batch;
    const refill = (count: number): void => {
      while (pending.length < count) {
        const { value: indices } = plan.next();
        if (indices === undefined) return;
        const made = crew?.fetch(indices, batchSeed(seed, position.epoch, number++)) as Promise<Batch> | undefined;
        const batch = this.#fetch(indices, made);
        // A loop that is left early awaits no further batch; a failure there must not end the process.
        batch.catch(() => undefined);
        pending.push(batch);
      }
    };
    try {
      for (;;) {
        refill(1);
        const current = pending.shift();
        if (current === undefined) return this.#finish(position);
        refill(ahead);
        // The time that the threads take to start does not count.
        if (this.#timeout !== undefined) await crew?.ready();
        const batch = await (this.#timeout === undefined ? current : within(current, this.#timeout, position.batch));
        if (performance.now() - this.#lastTurn > TURN_MS) {
          await nextTurn();
          this.#lastTurn = performance.now();
        }
        position.batch++;
        yield batch;
      }
    } catch (error) {
      failed = true;
      throw error;
    } finally {
      if (crew !== undefined) await crew.close(failed);
    }
  }

  /** The batches of an epoch, for `for`. Throws ArgumentError if the dataset is asynchronous. */
  *[Symbol.iterator](): Generator<Batch, void, undefined> {
    if (this.#workers !== undefined)
      throw new ArgumentError('DataLoader: the dataset lives in worker threads; iterate with `for await`.');
    const pending: Batch[] = [];
    const { plan, position } = this.#start();
    const refill = (ahead: number): void => {
      while (pending.length < ahead) {
        const { value: indices } = plan.next();
        if (indices === undefined) return;
        pending.push(this.#fetchSync(indices));
      }
    };
    for (;;) {
      refill(this.prefetch + 1);
      if (pending.length === 0) return this.#finish(position);
      position.batch++;
      yield pending.shift() as Batch;
    }
  }

  get #plan(): BatchPlan {
    const { dropLast } = this;
    return this.#batchSampler ?? new BatchSampler(this.#sampler, { batchSize: this.#batchSize, dropLast });
  }

  /** Starts an epoch: the positions of each batch that is left of it. */
  #start(): { plan: Iterator<Int32Array, undefined>; position: Position; seed: number } {
    const batches = this.#plan;
    const samples = this.dataset.length;
    const [epoch, skip] = [this.#epoch++, this.#skip];
    this.#skip = 0;
    const position = { epoch, batch: skip, batchSize: this.batchSize };
    this.#position = position;
    // Batches of workers have random numbers of their own, of the same seed.
    const seed = this.workers > 0 || (batches.seeded ?? true) ? this.#baseSeed() : 0;
    const plan = (function* () {
      let batch = 0;
      for (const indices of batches.batches(epoch, seed)) if (batch++ >= skip) yield checkIndices(indices, samples);
      return undefined;
    })();
    return { plan, position, seed };
  }

  /** An epoch is over; unless another was started meanwhile, the loader stands at the beginning of the next. */
  #finish(position: Position): void {
    if (this.#position === position) this.#position = undefined;
  }

  /** What a state must have in common with this loader. */
  #identity(): Omit<DataLoaderState, 'epoch' | 'batch' | 'seed'> {
    const { batchSize, dropLast } = this;
    const source = this.#batchSampler ?? this.#sampler;
    const fingerprint: SamplerFingerprint = source.fingerprint?.() ?? { length: source.length };
    const sampler = { ...fingerprint, type: fingerprint['type'] ?? 'custom sampler' };
    return { batchSize, dropLast, samples: this.dataset.length, sampler };
  }

  #baseSeed(): number {
    this.#seed ??= drawSeed(this.#generator);
    return this.#seed;
  }

  async #fetch(indices: Int32Array, made: Promise<Batch> | undefined): Promise<Batch> {
    const batch = await (made ?? this.#make(indices));
    return this.#place(batch);
  }

  async #make(indices: Int32Array): Promise<Batch> {
    if (this.dataset.batch !== undefined && !this.#customCollate) return this.dataset.batch(indices);
    // All samples are asked for before the first is awaited: slow ones (files, sockets) overlap.
    const samples = await Promise.all(Array.from(indices, async (index) => this.dataset.get(index)));
    return this.#collate(samples);
  }

  #fetchSync(indices: Int32Array): Batch {
    return this.#place(this.#makeSync(indices));
  }

  #place(batch: Batch): Batch {
    return this.device === undefined ? batch : moved(batch, this.device, this.prefetch > 0);
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
