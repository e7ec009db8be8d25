// Where a loader stands, and the checks of a state that comes from a file.
import { ArgumentError } from '../errors.js';
import type { SamplerFingerprint } from './samplers/index.js';

/** Where a `DataLoader` stands, as plain JSON. */
export type DataLoaderState = {
  /** The epoch under way, or the next one to be started. */
  readonly epoch: number;
  /** Batches of it that were handed out; those that are only prefetched do not count. */
  readonly batch: number;
  /** Seed of the orders; null if none was needed so far. */
  readonly seed: number | null;
  /** Samples in a batch of that epoch; 0 if a `batchSampler` without one of its own decides. */
  readonly batchSize: number;
  /** Whether a smaller last batch is left out. */
  readonly dropLast: boolean;
  /** The dataset's length. */
  readonly samples: number;
  /** What gave the order. */
  readonly sampler: SamplerFingerprint;
};

function checkCount(name: string, value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) {
    throw new ArgumentError(
      `DataLoader.loadStateDict: ${name} must be an integer of at least 0, not ${JSON.stringify(value) ?? 'undefined'}.`,
    );
  }
  return value as number;
}

function checkFingerprint(saved: unknown, own: SamplerFingerprint): void {
  if (typeof saved !== 'object' || saved === null)
    throw new ArgumentError('DataLoader.loadStateDict: the state has no sampler.');
  const fields = saved as SamplerFingerprint;
  if (fields['type'] !== own['type']) {
    throw new ArgumentError(
      `DataLoader.loadStateDict: the state is of a ${String(fields['type'])}, but this loader has a ${own['type']}.`,
    );
  }
  for (const name of new Set([...Object.keys(fields), ...Object.keys(own)])) {
    if (fields[name] === own[name]) continue;
    throw new ArgumentError(
      `DataLoader.loadStateDict: ${name} of the ${own['type']} is ${String(fields[name])} in the state, ` +
        `but ${String(own[name])} in this loader.`,
    );
  }
}

/** The state, if it is one, and of a loader like this one. `own` is what this loader would start its next epoch with. */
export function checkState(state: unknown, own: Omit<DataLoaderState, 'epoch' | 'batch' | 'seed'>): DataLoaderState {
  if (typeof state !== 'object' || state === null)
    throw new ArgumentError('DataLoader.loadStateDict: the state is not an object.');
  const { epoch, batch, seed, batchSize, dropLast, samples, sampler } = state as Partial<DataLoaderState>;
  const checked = {
    epoch: checkCount('epoch', epoch),
    batch: checkCount('batch', batch),
    seed: seed === null ? null : checkCount('seed', seed),
    samples: checkCount('samples', samples),
    batchSize: checkCount('batchSize', batchSize),
  };
  if (checked.samples !== own.samples) {
    throw new ArgumentError(
      `DataLoader.loadStateDict: the state is of a dataset of ${checked.samples} samples, but this one has ${own.samples}.`,
    );
  }
  if (checked.batchSize !== own.batchSize) {
    throw new ArgumentError(
      `DataLoader.loadStateDict: the state is of batches of ${checked.batchSize}, but this loader's have ${own.batchSize}; ` +
        `set batchSize to ${checked.batchSize} first.`,
    );
  }
  if (dropLast !== own.dropLast) {
    throw new ArgumentError(
      `DataLoader.loadStateDict: dropLast is ${String(dropLast)} in the state, but ${own.dropLast} in this loader.`,
    );
  }
  checkFingerprint(sampler, own.sampler);
  return { ...checked, dropLast, sampler: own.sampler };
}
