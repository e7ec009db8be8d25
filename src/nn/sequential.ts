// Layers one after the other.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape, ChainFn, CheckedLayers } from '../types/sequential.js';
import { Module, type AnyModule } from './module.js';

/**
 * A chain of modules, each fed the result of the one before. Layers whose shapes cannot follow each other do not compile.
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

  override *namedChildren(): Generator<[string, AnyModule]> {
    for (const [i, layer] of this.layers.entries()) yield [String(i), layer as AnyModule];
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<ChainFn<L>, S>,
  ): Tensor<ApplyShape<ChainFn<L>, S>, D> {
    let result: Tensor = x;
    let last: AnyModule | null = null;
    for (const layer of this.layers as readonly AnyModule[]) {
      const before = result;
      result = layer.forward(before) as Tensor;
      // Nobody else has seen a value between two layers that keep no references: free it now, not at the next collection.
      // What backward needs of it stays until then.
      if (before !== result && last?._transparent === true && layer._transparent && before !== (x as Tensor))
        before.dispose();
      last = layer;
    }
    return result as unknown as Tensor<ApplyShape<ChainFn<L>, S>, D>;
  }
}
