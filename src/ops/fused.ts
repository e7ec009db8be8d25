// Activations that the kernel of a product applies before it stores the result, which saves a pass over memory.
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import { defineElementwise, type ElementwiseOp } from './elementwise.js';

/** What `linear` can do to its result at no cost; `'gelu'` is the one by erf. */
export type FusedActivation = 'relu' | 'gelu' | 'sigmoid' | 'tanh';

// As in native/kernel.h.
const codes: Readonly<Record<FusedActivation, number>> = { relu: 1, gelu: 2, sigmoid: 3, tanh: 4 };

/** What the kernel calls it. @internal */
export const activationCode = (activation: FusedActivation | null): number =>
  activation === null ? 0 : codes[activation];

/** @internal */
export function checkActivation(op: string, activation: FusedActivation | null, x: Tensor): void {
  if (activation === null) return;
  if (!Object.hasOwn(codes, activation)) {
    const names = Object.keys(codes).map((name) => `'${name}'`);
    throw new ArgumentError(
      `${op}: unknown activation '${String(activation)}', expected one of ${names.join(', ')}, or null.`,
    );
  }
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: with an activation x must be a float tensor, got ${x.dtype}; convert it.`);
  }
}

// The gradients that need nothing but the activated value; gelu has none.
const inputs = { inputs: ['g', 'out'] };
const gradients: Readonly<Record<Exclude<FusedActivation, 'gelu'>, ElementwiseOp>> = {
  relu: defineElementwise('fusedReluBackward', (g, out) => e.select(e.gt(out, 0), g, 0), inputs),
  sigmoid: defineElementwise('fusedSigmoidBackward', (g, out) => e.mul(g, out, e.sub(1, out)), inputs),
  tanh: defineElementwise('fusedTanhBackward', (g, out) => e.mul(g, e.sub(1, e.mul(out, out))), inputs),
};

/** The gradient in front of the activation, from the one behind it and the result. @internal */
export const activationGradient = (activation: Exclude<FusedActivation, 'gelu'>, g: Tensor, out: Tensor): Tensor =>
  gradients[activation].apply([g, out]);
