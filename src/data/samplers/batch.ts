import { checkInteger, type Sampler, type SamplerFingerprint } from './sampler.js';
import type { Indices } from '../dataset.js';

/**
 * Says which samples make up each batch of an epoch, where a fixed number of them will not do: sequences of similar
 * lengths, say. As a `Sampler`, it depends on the epoch's number and the seed only.
 */
export interface BatchPlan {
  /** Batches in an epoch. */
  readonly length: number;
  /** The positions of each batch of an epoch, `length` lists. */
  batches(epoch: number, seed: number): Iterable<Indices>;
  /** Samples in a batch, if all have the same number. */
  readonly batchSize?: number;
  /** False: `batches` does not look at the loader's seed. Default true. */
  readonly seeded?: boolean;
  /** What a saved state keeps, to refuse to continue with another plan. Default: the length only. */
  fingerprint?(): SamplerFingerprint;
}

/** Options of `BatchSampler`. */
export interface BatchSamplerOptions {
  /** Samples in a batch. */
  readonly batchSize: number;
  /** Leave out the last batch if it is smaller. Default false. */
  readonly dropLast?: boolean;
}

/**
 * Batches of the order of a sampler: what a loader makes itself of `sampler` and `batchSize`.
 *
 * @throws ArgumentError for a batch size that is no integer of at least 1
 *
 * @example
 * [...new data.BatchSampler(new data.SequentialSampler(5), { batchSize: 2 }).batches(0, 0)]; // [0, 1], [2, 3], [4]
 */
export class BatchSampler implements BatchPlan {
  /** Where the order comes from. */
  readonly sampler: Sampler;
  /** Samples in a batch. */
  readonly batchSize: number;
  /** Whether a smaller last batch is left out. */
  readonly dropLast: boolean;

  /** @param sampler where the order comes from */
  constructor(sampler: Sampler, { batchSize, dropLast = false }: BatchSamplerOptions) {
    this.sampler = sampler;
    this.batchSize = checkInteger('BatchSampler', 'batchSize', batchSize, 1);
    this.dropLast = dropLast;
  }

  /** Batches in an epoch. */
  get length(): number {
    const batches = this.sampler.length / this.batchSize;
    return this.dropLast ? Math.floor(batches) : Math.ceil(batches);
  }

  /** As the sampler's. */
  get seeded(): boolean {
    return this.sampler.seeded ?? true;
  }

  /** The positions of each batch of an epoch. */
  *batches(epoch: number, seed: number): Generator<Indices, void, undefined> {
    const { batchSize, length } = this;
    const order = this.sampler.order(epoch, seed);
    for (let i = 0; i < length; i++) {
      const [start, end] = [i * batchSize, (i + 1) * batchSize];
      yield order instanceof Int32Array ? order.subarray(start, end) : order.slice(start, end);
    }
  }

  /** The sampler's, with type and size of the batches. */
  fingerprint(): SamplerFingerprint {
    const { type = 'custom sampler', ...own } = this.sampler.fingerprint?.() ?? { length: this.sampler.length };
    const { batchSize, dropLast } = this;
    return { type: 'BatchSampler', sampler: type, ...own, batchSize, dropLast };
  }
}
