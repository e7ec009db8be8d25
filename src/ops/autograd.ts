// Autograd as a method.
import { backward as backwardPass, type BackwardOptions } from '../autograd/backward.js';
import { HookList, type GradHook, type HookHandle } from '../autograd/hooks.js';
import { ArgumentError, GradError } from '../errors.js';
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

/**
 * Has `hook` called with the gradient of this tensor in each backward pass that computes it, once it is complete. A tensor
 * that the hook returns takes the gradient's place, in everything that follows and in `grad`. Several hooks are called in
 * the order of registration; the hook must not change the gradient in place.
 *
 * @method
 * @returns `remove()` takes the hook away
 * @throws GradError if the tensor requires no gradients; ArgumentError if `hook` is no function; in backward ShapeError and
 *   DTypeError if what the hook returns is not like the gradient
 * @example
 * const x = tensor([1, 2], { requiresGrad: true });
 * const handle = x.registerHook((grad) => grad.mul(0.5));
 * x.mul(x).sum().backward();
 * x.grad; // [1, 2]
 * handle.remove();
 */
export function registerHook(x: Tensor, hook: GradHook): HookHandle {
  checkTensor('registerHook', 'x', x);
  if (typeof hook !== 'function')
    throw new ArgumentError(`registerHook: hook must be a function, got a value of type ${typeof hook}.`);
  if (!x.requiresGrad) throw new GradError('registerHook: the tensor requires no gradients, so it will never have one.');
  if (x._node === null) return (x._hooks ??= new HookList()).add(hook);
  const hooks = (x._node.hooks ??= new Map<number, HookList<GradHook>>());
  const own = hooks.get(x._nodeOutput) ?? new HookList<GradHook>();
  hooks.set(x._nodeOutput, own);
  return own.add(hook);
}
