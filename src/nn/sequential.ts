// Layers one after the other.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape, ChainFn, CheckedLayers, LayerAt } from '../types/sequential.js';
import { itemAt } from './items.js';
import { Module, type AnyModule } from './module.js';

// The largest of some numbers and 0 is the same whichever comes first, bit for bit and in the gradient, which at 0 is 0. But
// behind a pool there are fewer numbers to compare with 0.
const mayChangePlaces = (layer: AnyModule, next: AnyModule): boolean =>
  layer._fusedActivation() === 'relu' && next._takesMaxima();

// Both layers in one step: where the second is an activation that the first can apply, or they may change places, and no
// hook looks in between. Null: one after the other.
function withNext(layer: AnyModule, next: AnyModule | undefined, x: Tensor): Tensor | null {
  if (next === undefined || next._isWatched) return null;
  if (mayChangePlaces(layer, next)) {
    const largest = next.forward(x) as Tensor;
    const result = layer.forward(largest) as Tensor;
    largest.dispose();
    return result;
  }
  const activation = next._fusedActivation();
  return activation === null ? null : layer._forwardWith(x, activation);
}

/**
 * A chain of modules, each fed the result of the one before. Layers whose shapes cannot follow each other do not compile.
 * A `Linear` applies the `ReLU`, `Sigmoid`, `Tanh` or `GELU` behind it in its own kernel, and a `ReLU` in front of a `MaxPool`
 * is applied behind it, where there are fewer numbers.
 *
 * @example
 * const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 10));
 */
export class Sequential<const L extends readonly unknown[] = readonly AnyModule[]> extends Module<ChainFn<L>> {
  /** The modules in the order in which they are applied. */
  readonly layers: L;

  constructor(...layers: L & CheckedLayers<L>) {
    super();
    layers.forEach((layer: unknown, i: number) => {
      if (!(layer instanceof Module))
        throw new ArgumentError(
          `Sequential: layer ${i} is ${layer === null ? 'null' : `a ${typeof layer}`}, expected a Module.`,
        );
    });
    this.layers = layers;
  }

  /** The number of layers. */
  get length(): number {
    return this.layers.length;
  }

  /**
   * A layer by position; negative positions count from the end.
   *
   * @throws IndexError if there is none
   */
  at<const I extends number>(index: I): LayerAt<L, I> {
    return itemAt<unknown>('Sequential', this.layers, index);
  }

  /** The layers in order. */
  [Symbol.iterator](): IterableIterator<L[number]> {
    return this.layers[Symbol.iterator]();
  }

  /**
   * Adds a layer at the end, in place; the result is this chain, of whose shapes the compiler knows nothing any more.
   *
   * @throws ArgumentError unless it is a Module
   */
  append(layer: AnyModule): Sequential {
    if (!((layer as unknown) instanceof Module))
      throw new ArgumentError(`Sequential: the layer to append is a ${typeof layer}, expected a Module.`);
    (this.layers as unknown as AnyModule[]).push(layer);
    return this as unknown as Sequential;
  }

  override *namedChildren(): Generator<[string, AnyModule]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer as AnyModule];
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChainFn<L>, S>,
  ): Tensor<ApplyShape<ChainFn<L>, S>, D> {
    const layers = this.layers as readonly AnyModule[];
    let result: Tensor = x;
    // True when nobody else has seen `result`: the layers that it went through keep no references. Then it is freed when
    // the next layer is done, not at the next collection. What backward needs of it stays until then.
    let unseen = false;
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[i];
      const before = result;
      const keepsNothing = layer._transparent && !layer._isWatched;
      const together = keepsNothing ? withNext(layer, layers[i + 1], before) : null;
      if (together !== null) i++;
      result = together ?? (layer.forward(before) as Tensor);
      if (result === before) unseen &&= keepsNothing;
      else {
        if (unseen && keepsNothing) before.dispose();
        unseen = keepsNothing;
      }
    }
    return result as unknown as Tensor<ApplyShape<ChainFn<L>, S>, D>;
  }
}
