import { ArgumentError } from '../../errors.js';
import { sequentialIndices, shuffledIndices } from '../sampler.js';
import { checkInteger, checkSource, type SampleCount, type Sampler, type SamplerFingerprint } from './sampler.js';

/** Options of `DistributedSampler`. */
export interface DistributedSamplerOptions {
  /** How many processes share the dataset. */
  readonly numReplicas: number;
  /** Which of them this one is: 0 to numReplicas - 1. */
  readonly rank: number;
  /** A new random order for each epoch. Default true. */
  readonly shuffle?: boolean;
  /** Must be the same in all processes. Default 0, whatever the loader's seed is. */
  readonly seed?: number;
  /** True: what does not divide evenly is left out. False (default): the first samples come twice. */
  readonly dropLast?: boolean;
}

/**
 * The share of one of several processes that train together: every `numReplicas`-th position of an order that is the same
 * for all, starting at `rank`. All shares have the same length, so that the processes take the same number of steps: the
 * order is filled up with its own beginning, or cut with `dropLast`. The same shares as PyTorch's.
 *
 * @throws ArgumentError for a rank outside 0 .. numReplicas - 1, or options that are no integers
 *
 * @example
 * new data.DistributedSampler(5, { numReplicas: 2, rank: 1, shuffle: false }).order(0); // 1, 3, 0
 */
export class DistributedSampler implements Sampler {
  /** It has a seed of its own. */
  readonly seeded = false;
  /** How many processes share the dataset. */
  readonly numReplicas: number;
  /** Which of them this one is. */
  readonly rank: number;
  readonly #source: { readonly length: number };
  readonly #shuffle: boolean;
  readonly #seed: number;
  readonly #dropLast: boolean;

  /** @param source the dataset or its length */
  constructor(source: SampleCount, options: DistributedSamplerOptions) {
    this.#source = checkSource('DistributedSampler', source);
    this.numReplicas = checkInteger('DistributedSampler', 'numReplicas', options.numReplicas, 1);
    this.rank = checkInteger('DistributedSampler', 'rank', options.rank, 0);
    if (this.rank >= this.numReplicas) {
      throw new ArgumentError(
        `DistributedSampler: rank ${this.rank} is not below numReplicas, which is ${this.numReplicas}.`,
      );
    }
    this.#shuffle = options.shuffle ?? true;
    this.#seed = checkInteger('DistributedSampler', 'seed', options.seed ?? 0, 0);
    this.#dropLast = options.dropLast ?? false;
  }

  /** Positions in an epoch of this process. */
  get length(): number {
    const share = this.#source.length / this.numReplicas;
    return this.#dropLast ? Math.floor(share) : Math.ceil(share);
  }

  /** The positions of an epoch of this process. */
  order(epoch: number): Int32Array {
    const samples = this.#source.length;
    const all = this.#shuffle ? shuffledIndices(samples, this.#seed, epoch) : sequentialIndices(samples);
    return Int32Array.from({ length: this.length }, (_, i) => all[(this.rank + i * this.numReplicas) % samples]);
  }

  /** All but the rank, so that every process can continue from the state that one of them has saved. */
  fingerprint(): SamplerFingerprint {
    return {
      type: 'DistributedSampler',
      length: this.length,
      samples: this.#source.length,
      numReplicas: this.numReplicas,
      shuffle: this.#shuffle,
      seed: this.#seed,
      dropLast: this.#dropLast,
    };
  }
}
