// Keys and values of tokens that a transformer has seen.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import type { Device } from '../device.js';
import { ShapeError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { le } from '../ops/compare.js';
import { copy_ } from '../ops/copy.js';
import { arange, empty } from '../ops/creation.js';
import { narrow, unsqueeze } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * The keys and values of all layers, in memory for the longest sequence that is taken once and written to. `GPT.newCache`
 * makes one. Nothing is recorded of what goes through it: it is for generation.
 */
export class KeyValueCache {
  private readonly keys: Tensor[];
  private readonly values: Tensor[];
  private used = 0;

  /** @internal */
  constructor(
    layers: number,
    private readonly shape: readonly [batch: number, heads: number, positions: number, features: number],
    place: { dtype: DType; device: Device },
  ) {
    const make = (): Tensor[] =>
      Array.from({ length: layers }, () => untracked(() => keep(empty<Shape, DType>(shape, place))));
    this.keys = make();
    this.values = make();
  }

  /** How many tokens it holds. */
  get length(): number {
    return this.used;
  }

  /** How many it can hold. */
  get capacity(): number {
    return this.shape[2];
  }

  /** Forgets all tokens. */
  clear(): void {
    this.used = 0;
  }

  /** Frees its memory. */
  dispose(): void {
    for (const tensor of [...this.keys, ...this.values]) tensor.dispose();
  }

  /**
   * Keys and values of all tokens with these, and a mask where causality needs one.
   *
   * @internal
   */
  extend(layer: number, k: Tensor, v: Tensor): [keys: Tensor, values: Tensor, mask: Tensor | null] {
    const { used, capacity } = this;
    const steps = k.shape[2];
    if (k.shape[0] !== this.shape[0])
      throw new ShapeError(`KeyValueCache: made for ${this.shape[0]} sequences, got ${k.shape[0]}.`);
    if (used + steps > capacity) {
      throw new ShapeError(
        `KeyValueCache(k ${formatShape(k.shape)}): ${used} tokens and ${steps} more are more than ${capacity}.`,
      );
    }
    return noGrad(() => {
      const filled = ([all, part]: readonly [Tensor, Tensor]): Tensor => {
        copy_(narrow(all, 2, used, steps), part);
        return narrow(all, 2, 0, used + steps);
      };
      const keys = filled([this.keys[layer], k]);
      const values = filled([this.values[layer], v]);
      if (used === 0 || steps === 1) return [keys, values, null];
      const { device } = k;
      const rows = unsqueeze(arange(used, used + steps, 1, { device }) as Tensor, 1);
      return [keys, values, le(arange(0, used + steps, 1, { device }) as Tensor, rows)];
    });
  }

  /** Counts tokens whose keys and values all layers have given. @internal */
  advance(steps: number): void {
    this.used += steps;
  }
}
