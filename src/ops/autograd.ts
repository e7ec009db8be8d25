// Autograd as a method.
import { backward as backwardPass, type BackwardOptions } from '../autograd/backward.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './define.js';

/**
 * Adds the gradient of this scalar with respect to every leaf that requires it to the leaf's `grad`, and frees what the
 * graph saved.
 *
 * @method
 * @throws GradError if the tensor is not a scalar and no gradient is given, does not require gradients, or its graph was
 *   freed by an earlier call without `retainGraph`
 * @example
 * const x = tensor([1, 2], { requiresGrad: true });
 * x.mul(x).sum().backward();
 * x.grad; // [2, 4]
 */
export function backward(x: Tensor, options?: BackwardOptions): void {
  checkTensor('backward', 'x', x);
  backwardPass(x, options);
}
