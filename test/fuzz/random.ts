// Seeded random choices: sizes where kernels change their ways, dtypes, values.

/** A small generator of random numbers; the same seed gives the same case on every machine. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  private word(): number {
    // A Weyl sequence, each step of which is mixed until all its bits depend on all of the counter's.
    this.state = (this.state + 0x9e3779b9) >>> 0;
    let z = this.state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.word() / 2 ** 32;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.int(0, list.length - 1)];
  }

  /** Roughly normal: the sum of three uniform numbers, centred and scaled to a variance of 1. */
  normal(): number {
    return 2 * (this.next() + this.next() + this.next()) - 3;
  }

  /** A random order of 0 .. n - 1. */
  order(n: number): number[] {
    const order = Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.int(0, i);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  /**
   * A size up to `max`: often small, often one off the widths of vectors, register tiles and cache blocks, now and then 0.
   *
   * @param min 0 by default
   */
  size(max: number, min = 0): number {
    for (;;) {
      const size = this.anySize();
      if (size <= max && size >= min) return size;
      if (max <= min) return max;
      if (this.chance(0.5)) return this.int(Math.max(min, 1), Math.max(min, max, 1));
    }
  }

  private anySize(): number {
    const kind = this.next();
    if (kind < 0.02) return 0;
    if (kind < 0.12) return 1;
    if (kind < 0.45) return this.int(2, 12);
    if (kind < 0.75) return this.pick([16, 24, 32, 48, 64]) + this.int(-1, 1);
    if (kind < 0.85) return this.pick([13, 19, 23, 29, 37, 41, 53, 61, 71, 89, 97, 101, 113]);
    if (kind < 0.95) return this.pick([96, 128, 192, 256]) + this.int(-1, 1);
    return this.pick([384, 512, 768, 1024, 2048]) + this.int(-1, 1);
  }

  /** A shape of `rank` sizes with about `limit` elements at most. */
  shape(rank: number, limit: number): number[] {
    const shape = new Array<number>(rank).fill(1);
    let left = limit;
    for (const d of this.order(rank)) {
      shape[d] = this.size(Math.max(1, left));
      left = Math.floor(left / Math.max(1, shape[d]));
    }
    return shape;
  }
}
