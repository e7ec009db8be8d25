import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ResourceLimits } from 'node:worker_threads';
import { ArgumentError, IndexError, WorkerError } from '../../errors.js';
import type { Dataset, Indices } from '../dataset.js';
import { unpack } from '../pack.js';
import type { WorkerSetup } from './protocol.js';
import { WorkerThread } from './thread.js';

/** What a module for worker threads exports as `default`: it makes the dataset of options that can be cloned. */
export type DatasetFactory = (options: never) => Dataset<unknown, unknown> | Promise<Dataset<unknown, unknown>>;

/** The samples of what a `DatasetFactory` makes. */
export type SampleMadeBy<Make extends DatasetFactory> =
  Awaited<ReturnType<Make>> extends Dataset<infer Sample, unknown> ? Sample : never;

/** The batches of what a `DatasetFactory` makes. */
export type BatchMadeBy<Make extends DatasetFactory> =
  Awaited<ReturnType<Make>> extends Dataset<never, infer Batch> ? Batch : never;

/** Settings of `workerDataset`. */
export interface WorkerDatasetSettings {
  /** Limits of each thread's memory. Default: Node.js's. */
  readonly resourceLimits?: ResourceLimits;
}

/**
 * A dataset that is made and read in worker threads. `workerDataset` makes one; give it to a `DataLoader` with the
 * option `workers`.
 */
export class WorkerDataset<Sample, Batch> implements Dataset<Sample, Batch> {
  /** URL of the module that makes the dataset in each thread. */
  readonly module: string;
  /** The number of samples. */
  readonly length: number;
  /** Not there: a loader asks the threads for whole batches itself. */
  declare readonly batch?: (indices: Indices) => Promise<Batch>;
  readonly #start: () => WorkerThread;
  readonly #idle: WorkerThread[];
  #single: WorkerThread | undefined;

  /** @internal Use `workerDataset`. */
  constructor(module: string, length: number, first: WorkerThread, start: () => WorkerThread) {
    this.module = module;
    this.length = length;
    this.#idle = [first];
    this.#start = start;
  }

  /**
   * One sample, made in a thread. Random numbers are not seeded here; a loader's are.
   *
   * @throws IndexError if there is no such sample; WorkerError if it cannot be made
   */
  async get(index: number): Promise<Sample> {
    if (!Number.isInteger(index) || index < 0 || index >= this.length)
      throw new IndexError(`WorkerDataset: index ${String(index)} is out of range for ${this.length} samples.`);
    if (this.#single === undefined || this.#single.ended) this.#single = this._take();
    return unpack(await this.#single.ask('sample', Int32Array.of(index)), true) as Sample;
  }

  /** Ends the threads that wait for work. Those that are needed later are started again. */
  async close(): Promise<void> {
    const threads = this.#idle.splice(0);
    if (this.#single !== undefined) threads.push(this.#single);
    this.#single = undefined;
    await Promise.all(threads.map((thread) => thread.end()));
  }

  /** A thread for a loader: one that waits for work, or a new one. @internal */
  _take(): WorkerThread {
    for (;;) {
      const idle = this.#idle.pop();
      if (idle === undefined) break;
      if (!idle.ended) return idle;
    }
    const thread = this.#start();
    thread.length.then(
      (length) => {
        if (length !== this.length) void thread.end();
      },
      () => undefined,
    );
    return thread;
  }

  /** Takes a thread back. @internal */
  _give(thread: WorkerThread): void {
    if (!thread.ended) this.#idle.push(thread);
  }
}

function moduleUrl(module: URL | string): string {
  if (module instanceof URL) return module.href;
  if (typeof module === 'string') {
    if (/^(file|data|node):/.test(module)) return module;
    if (isAbsolute(module)) return pathToFileURL(module).href;
  }
  throw new ArgumentError(
    `workerDataset: expected the URL or the absolute path of a module, not ${String(module)}; ` +
      `write new URL('./dataset.js', import.meta.url).`,
  );
}

/**
 * A dataset for worker threads. Functions cannot be sent to a thread, so the dataset is a module: each thread imports it
 * and calls its default export with `options` to make a dataset of its own. The first thread is started at once, to learn
 * the dataset's length, and goes to the first loader.
 *
 * Batches are made in the threads, by the dataset's `batch`, or by the module's export `collate` or `data.collate` of
 * single samples, one after the other. The elements of their tensors are moved to the main thread, not copied; all else is
 * cloned. Random numbers of the default generator (all random ops without `generator`) are seeded for each batch by the
 * loader's seed, the epoch and the batch's number: they do not depend on the number of threads, nor on an interruption. A
 * `Generator` of the module's own, and `Math.random`, are not.
 *
 * @typeParam Make the type of the module's default export, for the types of samples and batches
 * @param module URL or absolute path of the module
 * @param options given to the module's default export; anything that can be cloned
 * @throws ArgumentError for a relative path; WorkerError if the module cannot be loaded, or makes no dataset
 *
 * @example
 * // photos.js: export default ({ folder }) => ({ length: 1000, get: async (i) => decode(`${folder}/${i}.jpg`) });
 * const photos = await data.workerDataset(new URL('./photos.js', import.meta.url), { folder: 'photos' });
 * for await (const batch of new data.DataLoader(photos, { batchSize: 32, workers: 4 })) step(batch);
 */
export async function workerDataset<Make extends DatasetFactory = (options: unknown) => Dataset<unknown, unknown>>(
  module: URL | string,
  options?: Parameters<Make>[0],
  { resourceLimits }: WorkerDatasetSettings = {},
): Promise<WorkerDataset<SampleMadeBy<Make>, BatchMadeBy<Make>>> {
  const setup: WorkerSetup = { module: moduleUrl(module), options };
  const start = (): WorkerThread => {
    try {
      return new WorkerThread(setup, resourceLimits);
    } catch (error) {
      if ((error as Error | null)?.name !== 'DataCloneError') throw error;
      throw new ArgumentError(`workerDataset: the options cannot be sent to a thread: ${(error as Error).message}`, {
        cause: error,
      });
    }
  };
  const first = start();
  return new WorkerDataset(setup.module, await first.length, first, start);
}

/** The error of a thread whose dataset has another length than the first one's. */
export function checkLength(dataset: WorkerDataset<unknown, unknown>, length: number): void {
  if (length !== dataset.length) {
    throw new WorkerError(
      `DataLoader: a worker of ${dataset.module} made a dataset of ${length} samples, the first one had ${dataset.length}.`,
    );
  }
}
