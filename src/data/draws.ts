// Random numbers drawn in JavaScript from a generator's own stream: few of them, for decisions about whole samples.
import type { Generator } from '../ops/random.js';
import { philox } from './sampler.js';

/** Uniform numbers of (0, 1), in float64. Each takes one counter block of the generator. */
export function uniformSource(generator: Generator): () => number {
  const { seed } = generator;
  const key = [Number(seed & 0xffffffffn), Number(seed >> 32n)] as const;
  return () => {
    const block = generator.take(1);
    const [high, low] = philox([block >>> 0, Math.floor(block / 0x100000000) >>> 0, 0, 0], key);
    return ((high >>> 6) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 52;
  };
}
