// A calculation in float64 that remembers its steps: how far rounding can have moved each value, and derivatives, each with
// the sum of the absolute values of the terms that it is made of. For references of recurrent and attention kernels.

/** A value on a tape, by its number. */
export type Node = number;

/** The least number of units that derivatives may be off by, in terms of their sizes. */
export const allowed = 60;

export class Tape {
  readonly values: number[] = [];
  /** How far a kernel's value may be from it. */
  readonly errors: number[] = [];
  private readonly starts: number[] = [];
  private readonly parents: Node[] = [];
  private readonly slopes: number[] = [];
  /** The sizes of the terms of slopes: 1 - y^2 has few digits left where y is near 1. */
  private readonly slopeSizes: number[] = [];

  /** @param unit what one rounding of a kernel loses */
  constructor(private readonly unit: number) {}

  // The error of a slope as the size of a term that loses so much by rounding; users allow each term `allowed` units or more.
  private inTerms(error: number): number {
    return error / (allowed * this.unit);
  }

  leaf(value: number): Node {
    return this.step(value, 0);
  }

  private step(value: number, own: number): Node {
    const from = this.starts.length === 0 ? 0 : this.starts[this.starts.length - 1];
    let error = own;
    for (let i = from; i < this.parents.length; i++) error += Math.abs(this.slopes[i]) * this.errors[this.parents[i]];
    this.values.push(value);
    this.errors.push(error);
    this.starts.push(this.parents.length);
    return this.values.length - 1;
  }

  private uses(parent: Node, slope: number, size = Math.abs(slope)): void {
    this.parents.push(parent);
    this.slopes.push(slope);
    this.slopeSizes.push(size);
  }

  /** The sum of the products of pairs, and of single terms. */
  dot(a: readonly Node[], b: readonly Node[], terms: readonly Node[] = []): Node {
    let value = 0;
    let magnitude = 0;
    for (let i = 0; i < a.length; i++) {
      const [x, y] = [this.values[a[i]], this.values[b[i]]];
      value += x * y;
      magnitude += Math.abs(x * y);
      this.uses(a[i], y, Math.abs(y) + this.inTerms(this.errors[b[i]]));
      this.uses(b[i], x, Math.abs(x) + this.inTerms(this.errors[a[i]]));
    }
    for (const term of terms) {
      value += this.values[term];
      magnitude += Math.abs(this.values[term]);
      this.uses(term, 1);
    }
    return this.step(value, this.unit * (3 + Math.sqrt(a.length + terms.length)) * magnitude);
  }

  sum(terms: readonly Node[]): Node {
    return this.dot([], [], terms);
  }

  mul(a: Node, b: Node): Node {
    return this.dot([a], [b]);
  }

  /** A function of one value, rounded within a few units. */
  map(
    x: Node,
    f: (x: number) => number,
    slope: (x: number, y: number) => number,
    slopeSize?: (y: number) => number,
  ): Node {
    const value = f(this.values[x]);
    this.uses(x, slope(this.values[x], value), slopeSize?.(value));
    const node = this.step(value, 4 * this.unit * Math.abs(value));
    // Slopes of curves are computed from the value, and change at most twice as fast.
    if (slopeSize !== undefined) this.slopeSizes[this.slopeSizes.length - 1] += 2 * this.inTerms(this.errors[node]);
    return node;
  }

  scale(x: Node, factor: number): Node {
    return this.map(
      x,
      (v) => v * factor,
      () => factor,
    );
  }

  sigmoid(x: Node): Node {
    return this.map(
      x,
      (v) => 1 / (1 + Math.exp(-v)),
      (_, y) => y * (1 - y),
      (y) => y * (1 + y),
    );
  }

  tanh(x: Node): Node {
    return this.map(
      x,
      Math.tanh,
      (_, y) => 1 - y * y,
      (y) => 1 + y * y,
    );
  }

  relu(x: Node): Node {
    return this.map(
      x,
      (v) => Math.max(v, 0),
      (v) => Number(v > 0),
    );
  }

  /** 1 - x. */
  rest(x: Node): Node {
    return this.map(
      x,
      (v) => 1 - v,
      () => -1,
    );
  }

  /** Derivatives of the sum of `seeds` times their nodes, and the sizes of their terms; `count` of the first nodes. */
  derivatives(
    seeds: readonly (readonly [node: Node, seed: number])[],
    count: number,
  ): { values: Float64Array; sizes: Float64Array } {
    const values = new Float64Array(this.values.length);
    const sizes = new Float64Array(this.values.length);
    for (const [node, seed] of seeds) {
      values[node] += seed;
      sizes[node] += Math.abs(seed);
    }
    for (let node = this.values.length - 1; node >= 0; node--) {
      if (sizes[node] === 0) continue;
      for (let i = node === 0 ? 0 : this.starts[node - 1]; i < this.starts[node]; i++) {
        values[this.parents[i]] += values[node] * this.slopes[i];
        sizes[this.parents[i]] += sizes[node] * this.slopeSizes[i];
      }
    }
    return { values: values.subarray(0, count), sizes: sizes.subarray(0, count) };
  }
}
