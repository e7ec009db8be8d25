// Mixed precision: each operation in the type that suits it.
import { ArgumentError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { autocastState, withAutocast, type AutocastDType } from './state.js';

/** Options of `autocast`. */
export interface AutocastOptions {
  /** What products are computed in. Default `'bfloat16'`. */
  dtype?: AutocastDType;
  /** False: as if there were no `autocast`, inside of another one too. Default true. */
  enabled?: boolean;
  /** Convert each parameter once in the region, not at each use. Default true. */
  cacheEnabled?: boolean;
}

/** True inside of `autocast`. */
export const isAutocastEnabled = (): boolean => autocastState() !== null;

/**
 * Runs `fn` in mixed precision: matrix products, convolutions, recurrent layers and attention take their operands in 16 bits
 * (and add up in float32), losses, norms, softmax, exponentials, logarithms and sums take them in float32, and everything
 * else computes in what it is given. Parameters stay float32, and so do their gradients; float64 is left alone. Which
 * operation goes where is PyTorch's choice for its CUDA device.
 *
 * Only the forward pass and the loss belong inside: backward computes in the types that the forward pass had. With
 * `'float16'`, whose smallest numbers are large, use a `GradScaler` too.
 *
 * @throws ArgumentError for other types; TypeError when `fn` is asynchronous
 * @example
 * const loss = amp.autocast(() => nn.functional.crossEntropy(model.forward(x), y));
 * loss.backward();
 * optimizer.step();
 */
export function autocast<T>(fn: () => T): T;
export function autocast<T>(options: AutocastOptions, fn: () => T): T;
export function autocast<T>(first: AutocastOptions | (() => T), second?: () => T): T {
  const [options, fn] = typeof first === 'function' ? [{}, first] : [first, second];
  if (typeof fn !== 'function') throw new ArgumentError(`autocast: fn is a ${typeof fn}, expected a function.`);
  const { dtype = 'bfloat16', enabled = true, cacheEnabled = true } = options;
  if (dtype !== 'bfloat16' && dtype !== 'float16') {
    throw new ArgumentError(`autocast: unknown dtype '${String(dtype)}', expected 'bfloat16' or 'float16'.`);
  }
  const outer = autocastState();
  // Regions inside of each other share what they have converted, for one type.
  const shared = outer?.dtype === dtype ? outer.cache : null;
  const cache = !enabled || !cacheEnabled ? null : (shared ?? new Map<Tensor, Tensor>());
  try {
    const result = withAutocast(enabled ? { dtype, cache } : null, fn);
    if (result instanceof Promise) {
      throw new TypeError('autocast(fn): fn returned a promise; what it does after its first await would be outside.');
    }
    return result;
  } finally {
    if (cache !== null && cache !== shared) for (const copy of cache.values()) copy.dispose();
  }
}
