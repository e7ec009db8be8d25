// Functions that see, and may replace, the gradient of a tensor on its way through the backward pass.
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, shapesEqual } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Takes a registered function away again. */
export interface HookHandle {
  /** The function is not called any more. Harmless a second time. */
  remove(): void;
}

/** Sees the gradient of a tensor; what it returns, if anything, takes the gradient's place. */
export type GradHook = (grad: Tensor) => Tensor | null | undefined | void;

/** The functions registered in one place, in order. A function registered twice is called twice. @internal */
export class HookList<F> {
  private entries: readonly { readonly hook: F }[] = [];

  get size(): number {
    return this.entries.length;
  }

  /** A copy, so that hooks may be removed while they run. */
  list(): readonly F[] {
    return this.entries.map(({ hook }) => hook);
  }

  /** `changed` is called after removal. */
  add(hook: F, prepend = false, changed: () => void = () => undefined): HookHandle {
    const entry = { hook };
    this.entries = prepend ? [entry, ...this.entries] : [...this.entries, entry];
    return {
      remove: () => {
        this.entries = this.entries.filter((other) => other !== entry);
        changed();
      },
    };
  }
}

/**
 * The gradient after all hooks. The result has one more holder than the pass knows of, because hooks may keep what they
 * are given, and give what is held elsewhere.
 *
 * @internal
 */
export function runGradHooks(hooks: HookList<GradHook>, grad: Tensor): Tensor {
  let current = grad;
  for (const hook of hooks.list()) {
    current._uses++;
    const result: unknown = hook(current);
    if (result === undefined || result === null || result === current) continue;
    checkReplacement('registerHook', result, current);
    current = result;
    current._uses++;
  }
  return current;
}

/** Refuses what cannot stand for a gradient. @internal */
export function checkReplacement(op: string, given: unknown, grad: Tensor): asserts given is Tensor {
  if (!isTensor(given)) {
    throw new ArgumentError(
      `${op}: a hook returned a value of type ${typeof given}; return a tensor, or nothing to leave the gradient as it is.`,
    );
  }
  if (!shapesEqual(given.shape, grad.shape)) {
    throw new ShapeError(
      `${op}: a hook returned a gradient of shape ${formatShape(given.shape)} for one of shape ${formatShape(grad.shape)}.`,
    );
  }
  if (given.dtype !== grad.dtype) {
    throw new DTypeError(`${op}: a hook returned a gradient of dtype ${given.dtype} for one of ${grad.dtype}.`);
  }
}
