import { defaultGenerator, type Generator } from '../ops/random.js';
import { philox } from './sampler.js';
import { checkInteger } from './samplers/sampler.js';

/** Where the random numbers of a split come from. */
export interface SeedOptions {
  /** The same seed gives the same split. Default: drawn from `generator`. */
  readonly seed?: number;
  /** Where the seed comes from if none is given. Default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** A seed from 0 to 2^53 - 1, drawn from a generator. */
export function drawSeed(generator: Generator): number {
  const { seed } = generator;
  const block = generator.take(1);
  const key = [Number(seed & 0xffff_ffffn), Number(seed >> 32n)] as const;
  const [high, low] = philox([block >>> 0, Math.floor(block / 2 ** 32), 0, 0], key);
  return (high & 0x1f_ffff) * 2 ** 32 + low;
}

/** The seed of the options, or a drawn one. */
export function seedOf(op: string, { seed, generator = defaultGenerator }: SeedOptions): number {
  return seed === undefined ? drawSeed(generator) : checkInteger(op, 'seed', seed, 0);
}
