import { ArgumentError } from '../../errors.js';
import { uint32Source, uniform } from '../sampler.js';
import { checkInteger, checkSeed, digest, type Sampler, type SamplerFingerprint } from './sampler.js';

/** Options of `WeightedRandomSampler`. */
export interface WeightedRandomSamplerOptions {
  /** False: no sample comes twice in an epoch. Default true. */
  readonly replacement?: boolean;
  /** A seed of its own. Default: the loader's. */
  readonly seed?: number;
}

/**
 * Draws samples with given weights, such as the inverse frequencies of their classes, so that rare ones come as often as
 * common ones. Without replacement the first position is drawn with these weights, the next with those of the rest, and so
 * on (by the smallest of exponential variables: Efraimidis and Spirakis, "Weighted random sampling with a reservoir").
 *
 * @throws ArgumentError for weights that are negative, not finite or all 0, and for more draws without replacement than
 *   there are positive weights
 *
 * @example
 * const labels = [0, 0, 0, 1];
 * const perClass = [3, 1];
 * const sampler = new data.WeightedRandomSampler(labels.map((label) => 1 / perClass[label]), 1000);
 */
export class WeightedRandomSampler implements Sampler {
  /** Positions in an epoch. */
  readonly length: number;
  /** Whether a sample can come twice in an epoch. */
  readonly replacement: boolean;
  /** False with a seed of its own. */
  readonly seeded: boolean;
  readonly #weights: Float64Array;
  readonly #seed: number | undefined;

  /**
   * @param weights one for each sample of the dataset; they need not add up to 1
   * @param numSamples positions in an epoch. Default: as many as weights
   */
  constructor(
    weights: ArrayLike<number>,
    numSamples: number = weights.length,
    { replacement = true, seed }: WeightedRandomSamplerOptions = {},
  ) {
    this.#weights = Float64Array.from(weights);
    this.length = checkInteger('WeightedRandomSampler', 'numSamples', numSamples, 0);
    this.replacement = replacement;
    this.#seed = checkSeed('WeightedRandomSampler', seed);
    this.seeded = seed === undefined;
    let positive = 0;
    this.#weights.forEach((weight, i) => {
      if (!(weight >= 0 && weight < Infinity))
        throw new ArgumentError(
          `WeightedRandomSampler: weights[${i}] is ${weight}, not a finite number of at least 0.`,
        );
      if (weight > 0) positive++;
    });
    if (this.length > 0 && positive === 0)
      throw new ArgumentError(
        `WeightedRandomSampler: none of the ${this.#weights.length} weights is above 0; there is nothing to draw.`,
      );
    if (!replacement && this.length > positive)
      throw new ArgumentError(
        `WeightedRandomSampler: cannot draw ${this.length} samples without replacement of ${positive} with a weight above 0.`,
      );
  }

  /** The positions of an epoch. */
  order(epoch: number, seed: number): Int32Array {
    const next = uint32Source(this.#seed ?? seed, epoch);
    return this.replacement ? this.#drawn(next) : this.#taken(next);
  }

  #drawn(next: () => number): Int32Array {
    // Scaled by the largest, so that their sum stays finite.
    const largest = this.#weights.reduce((a, b) => Math.max(a, b), 0);
    let total = 0;
    const sums = this.#weights.map((weight) => (total += weight / largest));
    return Int32Array.from({ length: this.length }, () => {
      const point = uniform(next) * total;
      // The first sum above the point: a sample of weight 0 adds nothing to the sum before it, so it is never the first.
      let low = 0;
      let high = sums.length - 1;
      while (low < high) {
        const middle = (low + high) >>> 1;
        if (sums[middle] > point) high = middle;
        else low = middle + 1;
      }
      // Rounding may put the point at the total itself.
      while (this.#weights[low] === 0) low--;
      return low;
    });
  }

  #taken(next: () => number): Int32Array {
    const keys = this.#weights.map((weight) => (weight === 0 ? Infinity : -Math.log(uniform(next)) / weight));
    const order = Int32Array.from(keys.keys()).sort((a, b) => keys[a] - keys[b] || a - b);
    return order.subarray(0, this.length);
  }

  /** Type, length, a digest of the weights, replacement and own seed. */
  fingerprint(): SamplerFingerprint {
    return {
      type: 'WeightedRandomSampler',
      length: this.length,
      samples: this.#weights.length,
      weights: digest(this.#weights),
      replacement: this.replacement,
      seed: this.#seed ?? null,
    };
  }
}
