// Whether operations choose their precision themselves, and which they choose. Apart from the rest, so that ops can ask
// without importing what imports them.
import type { Tensor } from '../tensor/tensor.js';

/** What `autocast` computes in. */
export type AutocastDType = 'bfloat16' | 'float16';

/** One region of `autocast`. @internal */
export interface AutocastState {
  readonly dtype: AutocastDType;
  /** Parameters in `dtype`, by the parameter: each is converted once. Null: each time. */
  readonly cache: Map<Tensor, Tensor> | null;
}

let current: AutocastState | null = null;

/** The region that runs now; null outside. @internal */
export const autocastState = (): AutocastState | null => current;

/** Runs fn in a region, or outside of all. @internal */
export function withAutocast<T>(state: AutocastState | null, fn: () => T): T {
  const before = current;
  current = state;
  try {
    return fn();
  } finally {
    current = before;
  }
}
