// Parts of a dimension with one gradient: what packed projections are taken apart with.
import type { Tensor } from '../tensor/tensor.js';
import { viewTensor } from '../tensor/tensor.js';
import { needsRecord, record } from './define.js';
import { cat } from './join.js';

/**
 * Consecutive parts of the last dimension, as views. Where each slice of a `split` would have a gradient of the whole
 * size, to be added up, these are recorded together: their gradients, side by side, are the gradient.
 *
 * @internal
 */
export function lastParts(x: Tensor, sizes: readonly number[]): Tensor[] {
  const { strides } = x;
  const rank = x.shape.length;
  let start = 0;
  const parts = sizes.map((size) => {
    // An empty view starts where its memory does.
    const offset = x._offset + (x.numel === 0 ? 0 : start * strides[rank - 1]);
    const part = viewTensor(x, [...x.shape.slice(0, -1), size], strides, offset);
    start += size;
    return part;
  });
  if (needsRecord([x])) {
    record(
      'split',
      [x],
      parts,
      () => [],
      (grads) => [() => cat(grads, -1)],
    );
  }
  return parts;
}
