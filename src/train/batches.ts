// Where batches come from, and how they get to the device.
import { DataLoader } from '../data/loader.js';
import type { Dataset } from '../data/dataset.js';
import type { Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/**
 * Batches, epoch by epoch: a `data.DataLoader`, an array of batches, or anything else that can be iterated again and again.
 * What it has beside that is used: `length`, the number of batches; `batchSize`, for schedules of it; `epoch`, or
 * `stateDict` and `loadStateDict`, for resuming.
 */
export type BatchSource<Batch> = (AsyncIterable<Batch> | Iterable<Batch>) & {
  /** Batches in an epoch. */
  readonly length?: number;
};

/** What training and evaluation read from: batches, or a dataset to make them of. */
export type DataSource<Batch> = BatchSource<Batch> | Dataset<unknown, Batch>;

/** What a loader may have beside its batches. */
export interface LoaderLike {
  /** Batches in an epoch. */
  readonly length?: number;
  /** Samples in a batch. */
  batchSize?: number;
  /** The number of the next epoch. */
  epoch?: number;
  /** Where it stands. */
  stateDict?(): Record<string, unknown>;
  /** Takes what `stateDict` gave. */
  loadStateDict?(state: Record<string, unknown>): void;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function isIterable(value: object): value is BatchSource<unknown> {
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

function isDataset(value: object): value is Dataset<unknown, unknown> {
  return 'get' in value && typeof value.get === 'function' && 'length' in value && typeof value.length === 'number';
}

/**
 * Batches of what the user gave.
 *
 * @throws ArgumentError for what has none
 */
export function toBatches<Batch>(
  op: string,
  name: string,
  source: DataSource<Batch>,
  options: { batchSize: number | undefined; shuffle: boolean; seed?: number | undefined },
): BatchSource<Batch> {
  const given: unknown = source;
  if (isObject(given) && isIterable(given)) {
    if (options.batchSize !== undefined) {
      throw new ArgumentError(
        `${op}: batchSize is ${options.batchSize}, but ${name} makes its batches itself; set its own batch size, or pass its dataset.`,
      );
    }
    if (given instanceof Map || given instanceof Set || isTensor(given))
      throw new ArgumentError(`${op}: ${name} must be a DataLoader, a dataset or batches.`);
    return given as BatchSource<Batch>;
  }
  if (isObject(given) && isDataset(given)) {
    const { batchSize = 32, shuffle, seed } = options;
    return new DataLoader(given as Dataset<unknown, Batch>, {
      batchSize,
      shuffle,
      ...(seed === undefined ? {} : { seed }),
    });
  }
  const got = given === null ? 'null' : `a ${typeof given}`;
  throw new ArgumentError(
    `${op}: ${name} must be a DataLoader, a dataset with length and get(i), or an iterable of batches, got ${got}.`,
  );
}

/** The batches of one epoch, one at a time. */
export function startEpoch<Batch>(source: BatchSource<Batch>): AsyncIterator<Batch> | Iterator<Batch> {
  if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
  return source[Symbol.iterator]();
}

/** The next batch; `null` at the end of the epoch, undefined when the signal came first. */
export async function nextBatch<Batch>(
  iterator: AsyncIterator<Batch> | Iterator<Batch>,
  signal: AbortSignal | undefined,
): Promise<{ readonly batch: Batch } | null | undefined> {
  if (signal?.aborted === true) return undefined;
  if (signal === undefined) {
    const result = await iterator.next();
    return result.done === true ? null : { batch: result.value };
  }
  // Listening before asking: the loader itself may be what aborts. One that waits for a file or a socket is not waited for.
  let onAbort = (): void => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    onAbort = () => {
      resolve(undefined);
    };
  });
  signal.addEventListener('abort', onAbort);
  try {
    const next = Promise.resolve(iterator.next());
    next.catch(() => undefined);
    const result = await Promise.race([next, aborted]);
    if (result === undefined) return undefined;
    return result.done === true ? null : { batch: result.value };
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Ends an iteration early, without waiting for a loader that hangs. */
export function leaveEpoch(iterator: AsyncIterator<unknown> | Iterator<unknown>): void {
  const left = iterator.return?.(undefined);
  if (left instanceof Promise) left.catch(() => undefined);
}

/** The tensors of a batch (also those in arrays, maps and plain objects) on a device; `made` takes the copies. */
export function moveBatch<Batch>(batch: Batch, device: Device | undefined, made: Tensor[]): Batch {
  if (device === undefined) return batch;
  const move = (part: unknown): unknown => {
    if (isTensor(part)) {
      const there = part.to(device);
      if (there !== part) made.push(there);
      return there;
    }
    if (Array.isArray(part)) return part.map(move);
    if (part instanceof Map) return new Map(Array.from(part, ([key, item]) => [key as unknown, move(item)]));
    if (isObject(part) && Object.getPrototypeOf(part) === Object.prototype)
      return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, move(item)]));
    return part;
  };
  return move(batch) as Batch;
}

/** The first size of the first tensor in a batch; 1 if there is none. */
export function samplesOf(batch: unknown): number {
  if (isTensor(batch)) return batch.shape[0] ?? 1;
  if (!isObject(batch)) return 1;
  for (const part of batch instanceof Map ? batch.values() : Object.values(batch)) {
    if (isTensor(part) || isObject(part)) return samplesOf(part);
  }
  return 1;
}
