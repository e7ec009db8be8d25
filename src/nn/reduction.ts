// How losses are summed up.
import { ArgumentError } from '../errors.js';

/** How a loss is summed up: the mean (default), the sum, or not at all. */
export type Reduction = 'none' | 'mean' | 'sum';

/** Options of a loss. */
export interface LossOptions {
  /** `'mean'` (default), `'sum'` or `'none'`. */
  reduction?: Reduction;
}

/** @internal */
export function checkReduction(op: string, reduction: Reduction): void {
  if (reduction !== 'none' && reduction !== 'mean' && reduction !== 'sum') {
    throw new ArgumentError(`${op}: unknown reduction ${JSON.stringify(reduction)}, expected 'none', 'mean' or 'sum'.`);
  }
}
