import { createHash } from 'node:crypto';
import { ArgumentError } from '../../errors.js';
import type { Indices } from '../dataset.js';

/** What a sampler is, as plain JSON: two samplers with the same fingerprint give the same orders. */
export type SamplerFingerprint = Readonly<Record<string, string | number | boolean | null>>;

/**
 * Says in which order an epoch visits the samples of a dataset. The order is a function of the epoch's number and of a
 * seed, and of nothing else: that is what lets a loader continue an interrupted epoch.
 *
 * @example
 * // The samples backwards.
 * const backwards: data.Sampler = { length: 10, seeded: false, order: () => [9, 8, 7, 6, 5, 4, 3, 2, 1, 0] };
 */
export interface Sampler {
  /** How many positions an epoch has. */
  readonly length: number;
  /** The positions of an epoch, `length` of them. `seed` is the loader's; a sampler with a seed of its own uses that. */
  order(epoch: number, seed: number): Indices;
  /** False: `order` does not look at the loader's seed. Default true. */
  readonly seeded?: boolean;
  /** What a saved state keeps, to refuse to continue with another sampler. Default: the length only. */
  fingerprint?(): SamplerFingerprint;
}

/** A dataset, or just how many samples it has. */
export type SampleCount =
  | number
  | {
      /** How many samples there are. */
      readonly length: number;
    };

/** An integer of at least `min`, or ArgumentError. */
export function checkInteger(op: string, name: string, value: number, min: number): number {
  if (!Number.isSafeInteger(value) || value < min) {
    throw new ArgumentError(`${op}: ${name} must be an integer of at least ${min}, not ${String(value)}.`);
  }
  return value;
}

/** A source whose length is looked up when it is needed. */
export function checkSource(op: string, source: SampleCount): { readonly length: number } {
  const counted = typeof source === 'number' ? { length: source } : source;
  checkInteger(op, 'the number of samples', (counted as { length: number } | null)?.length as number, 0);
  return counted;
}

/** A seed, or undefined for the loader's. */
export function checkSeed(op: string, seed: number | undefined): number | undefined {
  return seed === undefined ? undefined : checkInteger(op, 'seed', seed, 0);
}

/** Sixteen hexadecimal digits that differ for different numbers. */
export function digest(numbers: Int32Array | Float64Array): string {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
}
