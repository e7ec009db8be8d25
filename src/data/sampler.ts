// Orders of samples. Pure integer arithmetic in JavaScript: the same seed gives the same order on every machine.

/** The high 32 bits of the product of two uint32; the low ones are `Math.imul(a, b) >>> 0`. */
function multiplyHigh(a: number, b: number): number {
  // Split a, so that each partial product stays below 2^53 and is exact.
  const low = (a & 0xffff) * b;
  const high = (a >>> 16) * b + Math.floor(low / 0x10000);
  return Math.floor(high / 0x10000);
}

/** Multipliers and key increments of Philox 4x32 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"). */
const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** Philox 4x32-10: four random uint32 of a counter and a key. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const next0 = (multiplyHigh(c2, M1) ^ c1 ^ k0) >>> 0;
    const next2 = (multiplyHigh(c0, M0) ^ c3 ^ k1) >>> 0;
    c1 = Math.imul(c2, M1) >>> 0;
    c3 = Math.imul(c0, M0) >>> 0;
    c0 = next0;
    c2 = next2;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** 0, 1, ..., length - 1. */
export function sequentialIndices(length: number): Int32Array {
  const indices = new Int32Array(length);
  for (let i = 0; i < length; i++) indices[i] = i;
  return indices;
}

/** Random uint32 of a seed, an epoch and a stream; each triple has numbers of its own. */
export function uint32Source(seed: number, epoch: number, stream = 0): () => number {
  const key = [seed >>> 0, Math.floor(seed / 0x100000000) >>> 0] as const;
  let block = 0;
  let buffer: number[] = [];
  return () => {
    if (buffer.length === 0)
      buffer = philox([block++, epoch >>> 0, Math.floor(epoch / 0x100000000) >>> 0, stream], key);
    return buffer.pop() as number;
  };
}

/** A uniform integer from 0 to bound - 1, without bias. */
export function below(bound: number, next: () => number): number {
  // Draws past the last multiple of the bound would favour small numbers: draw again.
  const limit = 0x100000000 - (0x100000000 % bound);
  let draw = next();
  while (draw >= limit) draw = next();
  return draw % bound;
}

/** A uniform number of (0, 1), of 52 random bits. */
export function uniform(next: () => number): number {
  return ((next() >>> 6) * 2 ** 26 + (next() >>> 6) + 0.5) / 2 ** 52;
}

/** Puts the elements in random order, in place, by Fisher and Yates. */
export function shuffleInPlace<A extends Int32Array | number[]>(items: A, next: () => number): A {
  for (let i = items.length - 1; i > 0; i--) {
    const j = below(i + 1, next);
    const swapped = items[i];
    items[i] = items[j];
    items[j] = swapped;
  }
  return items;
}

/**
 * A random permutation of 0 .. length - 1, by Fisher and Yates with unbiased draws.
 *
 * @param seed an integer from 0 to 2^53 - 1
 * @param epoch mixed into the random numbers' counter: each epoch has an order of its own, which depends on nothing
 *   else, so a run that is resumed at epoch 7 sees what an uninterrupted one would have seen
 * @param stream another one for each further permutation of the same seed and epoch. Default 0
 *
 * @example
 * shuffledIndices(5, 42, 0); // always the same five numbers
 */
export function shuffledIndices(length: number, seed: number, epoch: number, stream = 0): Int32Array {
  return shuffleInPlace(sequentialIndices(length), uint32Source(seed, epoch, stream));
}
