// The worker threads of one epoch.
import { WorkerError } from '../../errors.js';
import { Subset } from '../combine.js';
import type { Dataset } from '../dataset.js';
import { unpack } from '../pack.js';
import { philox } from '../sampler.js';
import { checkLength, WorkerDataset } from './dataset.js';
import type { WorkerThread } from './thread.js';

/** A dataset of worker threads, and where the samples of a subset of it are. */
export interface WorkerSource {
  readonly dataset: WorkerDataset<unknown, unknown>;
  readonly rows: (indices: Int32Array) => Int32Array;
}

/** The dataset of worker threads that a dataset is, or is a subset of. */
export function workerSource(dataset: Dataset<unknown, unknown>): WorkerSource | undefined {
  if (dataset instanceof WorkerDataset) return { dataset, rows: (indices) => indices };
  if (!(dataset instanceof Subset)) return undefined;
  const inner = workerSource(dataset.dataset as Dataset<unknown, unknown>);
  const { indices: own } = dataset;
  return inner && { dataset: inner.dataset, rows: (indices) => inner.rows(indices.map((index) => own[index])) };
}

/** Keeps the random numbers of a batch apart from those of the epoch's order, which have 0 here. */
const BATCH_STREAM = 0x62617463;

/** The seed of a batch's random numbers. */
export function batchSeed(seed: number, epoch: number, batch: number): bigint {
  const counter = [batch >>> 0, epoch >>> 0, Math.floor(epoch / 2 ** 32) >>> 0, BATCH_STREAM] as const;
  const [high, low] = philox([...counter], [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0]);
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Threads that share the batches of an epoch. */
export class Crew {
  readonly #source: WorkerSource;
  readonly #threads: WorkerThread[];
  readonly #keep: boolean;

  /** @param keep give the threads back for the next epoch */
  constructor(source: WorkerSource, workers: number, keep: boolean) {
    this.#source = source;
    this.#threads = Array.from({ length: workers }, () => source.dataset._take());
    this.#keep = keep;
  }

  /** A batch, made by the thread with the least to do. */
  async fetch(indices: Int32Array, seed: bigint): Promise<unknown> {
    let least = 0;
    for (const [i, { load, ended }] of this.#threads.entries()) {
      // One that ended while it had nothing to do is replaced; else its batches have failed, and the epoch with them.
      if (ended && load === 0) this.#threads[i] = this.#source.dataset._take();
      if (this.#threads[i].load < this.#threads[least].load) least = i;
    }
    const thread = this.#threads[least];
    const answer = thread.ask('batch', this.#source.rows(indices), seed);
    answer.catch(() => undefined);
    // Before the answer of one that was ended for it.
    checkLength(this.#source.dataset, await thread.length);
    return unpack(await answer, true);
  }

  /** Waits until each thread has made its dataset, or has failed to. */
  async ready(): Promise<void> {
    await Promise.allSettled(this.#threads.map((thread) => thread.length));
  }

  /** Ends the threads, or gives them back; after a failure nothing is kept. */
  async close(failed: boolean): Promise<void> {
    const threads = this.#threads.splice(0);
    if (this.#keep && !failed) threads.forEach((thread) => this.#source.dataset._give(thread));
    else await Promise.all(threads.map((thread) => thread.end()));
  }
}

/** The batch, or a WorkerError after so many milliseconds. */
export async function within<T>(promise: Promise<T>, ms: number, batch: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new WorkerError(`DataLoader: batch ${batch} was not there after ${ms} ms; the workers were ended.`)),
      ms,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
