// Weight normalisation.
import { noGrad } from '../../autograd/mode.js';
import { tidy } from '../../memory.js';
import { div, mul } from '../../ops/arithmetic.js';
import { abs } from '../../ops/math.js';
import { vectorNorm } from '../../ops/norms.js';
import { clone } from '../../ops/copy.js';
import { normalizeDim } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { parameter, type AnyModule } from '../module.js';
import { install, partOf, requireParameter, uninstall } from './computed.js';

/** Options of `weightNorm`. */
export interface WeightNormOptions {
  /** The dimension whose slices have a length of their own (default 0); null: one length for the whole weight. */
  dim?: number | null;
}

// The norms of the slices along a dimension, shaped to broadcast; a scalar without one.
function sliceNorms(v: Tensor, dim: number | null): Tensor {
  if (dim === null) return vectorNorm(v, 2);
  const others = v.shape.map((_, d) => d).filter((d) => d !== dim);
  return others.length === 0 ? abs(v) : (vectorNorm(v, 2, others, { keepDim: true }) as Tensor);
}

/**
 * Splits a parameter into its direction and its length: `weight = weight_g * weight_v / |weight_v|` (Salimans and Kingma
 * 2016), computed before each `forward`. The parameters are `weight_g` and `weight_v` then, in the state dict too; make
 * optimizers afterwards. `weight` stays readable, with the value of the last `forward`.
 *
 * @param name the parameter
 * @returns the module
 * @throws ArgumentError if there is no such parameter, or it is computed already; ShapeError for a dim out of range
 * @example
 * const layer = nn.utils.weightNorm(new nn.Linear(20, 40));
 * layer.getParameter('weight_g').shape; // [40, 1]
 */
export function weightNorm<M extends AnyModule>(module: M, name = 'weight', options: WeightNormOptions = {}): M {
  const weight = requireParameter('weightNorm', module, name);
  const { dim: given = 0 } = options;
  const dim = given === null ? null : normalizeDim('weightNorm', given, weight.shape.length);
  const g = parameter(noGrad(() => tidy(() => sliceNorms(weight, dim))));
  const v = parameter(noGrad(() => clone(weight)));
  const part = (letter: string): Tensor => partOf(module, `${name}_${letter}`);
  const compute = (): Tensor =>
    tidy(() => {
      const direction = part('v');
      return mul(direction, div(part('g'), sliceNorms(direction, dim))) as Tensor;
    });
  install('weight normalisation', module, name, { [`${name}_g`]: g, [`${name}_v`]: v }, compute, compute);
  return module;
}

/**
 * Makes a parameter one again that `weightNorm` split, with the value that it has. Make optimizers afterwards.
 *
 * @returns the module
 * @throws ArgumentError if it was not split
 */
export function removeWeightNorm<M extends AnyModule>(module: M, name = 'weight'): M {
  uninstall('removeWeightNorm', 'weight normalisation', module, name);
  return module;
}
