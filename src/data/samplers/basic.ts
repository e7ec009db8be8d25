import { ArgumentError } from '../../errors.js';
import type { Indices } from '../dataset.js';
import { below, sequentialIndices, shuffledIndices, shuffleInPlace, uint32Source } from '../sampler.js';
import {
  checkInteger,
  checkSeed,
  checkSource,
  digest,
  type SampleCount,
  type Sampler,
  type SamplerFingerprint,
} from './sampler.js';

/**
 * 0, 1, 2, ...: the order of a loader that does not shuffle.
 *
 * @example
 * new data.SequentialSampler(3).order(); // 0, 1, 2
 */
export class SequentialSampler implements Sampler {
  /** Its order has no use for a seed. */
  readonly seeded = false;
  readonly #source: { readonly length: number };

  /** @param source the dataset or its length */
  constructor(source: SampleCount) {
    this.#source = checkSource('SequentialSampler', source);
  }

  /** The number of samples. */
  get length(): number {
    return this.#source.length;
  }

  /** All positions, ascending. */
  order(): Int32Array {
    return sequentialIndices(this.length);
  }

  /** Type and length. */
  fingerprint(): SamplerFingerprint {
    return { type: 'SequentialSampler', length: this.length };
  }
}

/** Options of `RandomSampler`. */
export interface RandomSamplerOptions {
  /** True: each draw is independent of the others, so that samples repeat. Default false. */
  readonly replacement?: boolean;
  /** Positions in an epoch. Default: the dataset's length. More of them without replacement: one permutation after another. */
  readonly numSamples?: number;
  /** A seed of its own. Default: the loader's. */
  readonly seed?: number;
}

/**
 * A new random order for each epoch: the order of a loader that shuffles. Or, with `replacement`, independent draws.
 *
 * @throws ArgumentError for a length, count or seed that is no integer, or draws of an empty dataset
 *
 * @example
 * // 1,000 random samples an epoch.
 * new data.DataLoader(train, { sampler: new data.RandomSampler(train, { numSamples: 1000 }), batchSize: 50 });
 */
export class RandomSampler implements Sampler {
  /** Whether positions are drawn independently. */
  readonly replacement: boolean;
  /** False with a seed of its own. */
  readonly seeded: boolean;
  readonly #source: { readonly length: number };
  readonly #numSamples: number | undefined;
  readonly #seed: number | undefined;

  /** @param source the dataset or its length */
  constructor(source: SampleCount, { replacement = false, numSamples, seed }: RandomSamplerOptions = {}) {
    this.#source = checkSource('RandomSampler', source);
    this.replacement = replacement;
    this.#numSamples =
      numSamples === undefined ? undefined : checkInteger('RandomSampler', 'numSamples', numSamples, 0);
    this.#seed = checkSeed('RandomSampler', seed);
    this.seeded = seed === undefined;
    if (this.length > 0 && this.#source.length === 0)
      throw new ArgumentError(`RandomSampler: cannot draw ${this.length} samples of an empty dataset.`);
  }

  /** Positions in an epoch. */
  get length(): number {
    return this.#numSamples ?? this.#source.length;
  }

  /** The positions of an epoch. */
  order(epoch: number, seed: number): Int32Array {
    const own = this.#seed ?? seed;
    const samples = this.#source.length;
    const count = this.length;
    if (this.replacement) {
      const next = uint32Source(own, epoch);
      return Int32Array.from({ length: count }, () => below(samples, next));
    }
    if (count <= samples) return shuffledIndices(samples, own, epoch).subarray(0, count);
    const order = new Int32Array(count);
    for (let start = 0, stream = 0; start < count; start += samples, stream++)
      order.set(shuffledIndices(samples, own, epoch, stream).subarray(0, count - start), start);
    return order;
  }

  /** Type, length, number of samples, replacement and own seed. */
  fingerprint(): SamplerFingerprint {
    const { replacement, length } = this;
    return { type: 'RandomSampler', length, samples: this.#source.length, replacement, seed: this.#seed ?? null };
  }
}

/** Options of `SubsetRandomSampler`. */
export interface SubsetRandomSamplerOptions {
  /** A seed of its own. Default: the loader's. */
  readonly seed?: number;
}

/**
 * The given positions, in a new random order each epoch.
 *
 * @throws ArgumentError for a position that is no integer of at least 0
 *
 * @example
 * const { train, validation } = { train: [0, 1, 2, 3], validation: [4, 5] };
 * new data.DataLoader(dataset, { sampler: new data.SubsetRandomSampler(train), batchSize: 2, seed: 1 });
 */
export class SubsetRandomSampler implements Sampler {
  /** False with a seed of its own. */
  readonly seeded: boolean;
  readonly #indices: Int32Array;
  readonly #seed: number | undefined;

  /** @param indices positions in the dataset; they may repeat */
  constructor(indices: Indices, { seed }: SubsetRandomSamplerOptions = {}) {
    this.#indices = Int32Array.from(indices as ArrayLike<number>, (index, i) =>
      checkInteger('SubsetRandomSampler', `indices[${i}]`, index, 0),
    );
    this.#seed = checkSeed('SubsetRandomSampler', seed);
    this.seeded = seed === undefined;
  }

  /** The number of positions. */
  get length(): number {
    return this.#indices.length;
  }

  /** The positions of an epoch. */
  order(epoch: number, seed: number): Int32Array {
    return shuffleInPlace(this.#indices.slice(), uint32Source(this.#seed ?? seed, epoch));
  }

  /** Type, length, a digest of the positions, and own seed. */
  fingerprint(): SamplerFingerprint {
    return {
      type: 'SubsetRandomSampler',
      length: this.length,
      indices: digest(this.#indices),
      seed: this.#seed ?? null,
    };
  }
}
