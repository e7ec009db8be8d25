// Norms that updates scale by, as tensors: nothing is read back, so the stream is not waited for.
import { vectorNorm } from '../ops/norms.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * L2 norms, shaped to broadcast to their tensors: of each tensor (`'whole'`), or of its slices along the first dimension
 * (`'units'`).
 */
export function l2Norms(tensors: readonly Tensor[], of: 'whole' | 'units'): Tensor[] {
  return tensors.map((t): Tensor => {
    const dims = t.shape.map((_, d) => d).slice(of === 'units' ? 1 : 0);
    return vectorNorm(t, 2, dims, { keepDim: true });
  });
}
