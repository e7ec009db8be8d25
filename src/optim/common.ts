// What every optimizer shares: options of the group, how weight decay and maximize enter an update, checks.
import { ArgumentError } from '../errors.js';
import { keep } from '../memory.js';
import { zerosLike } from '../ops/creation.js';
import { add, mul, type Expr } from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';

/** Options of every optimizer. */
export interface CommonOptions {
  /** Learning rate. */
  lr: number;
  /** L2 penalty: `weightDecay * p` is added to the gradient. Default 0 unless the optimizer says otherwise. */
  weightDecay: number;
  /**
   * Weight decay beside the gradient: `p = p - lr * weightDecay * p` (Loshchilov and Hutter 2019). Default false unless the
   * optimizer says otherwise.
   */
  decoupledWeightDecay: boolean;
  /** Ascend instead. Default false. */
  maximize: boolean;
}

/** The run-time scalars of `descent` and `decayed`. */
export const commonScalars = ['sign', 'weightDecay', 'keep'] as const;

/** What they mostly are: then neither takes an instruction. */
export const commonUsual = { sign: 1, weightDecay: 0, keep: 1 } as const;

/** The gradient to descend along: of the other sign to maximize, with the L2 penalty where it is not decoupled. */
export const descent = ({
  g,
  p,
  sign,
  weightDecay,
}: Readonly<Record<'g' | 'p' | 'sign' | 'weightDecay', Expr>>): Expr =>
  weightDecay.kind === 'constant' && weightDecay.value === 0 ? mul(sign, g) : add(mul(sign, g), mul(weightDecay, p));

/** The parameter after decoupled weight decay. */
export const decayed = ({ p, keep }: Readonly<Record<'p' | 'keep', Expr>>): Expr => mul(keep, p);

/** Values of `commonScalars`. */
export function commonValues(o: CommonOptions): Record<(typeof commonScalars)[number], number> {
  return {
    sign: o.maximize ? -1 : 1,
    weightDecay: o.decoupledWeightDecay ? 0 : o.weightDecay,
    keep: o.decoupledWeightDecay ? 1 - o.lr * o.weightDecay : 1,
  };
}

/** A zero tensor like a parameter, kept for as long as the optimizer. */
export function stateTensor(p: Tensor): Tensor {
  return keep(zerosLike(p));
}

/** The tensors of one name of several states. */
export function column(states: readonly Record<string, Tensor | number>[], name: string): Tensor[] {
  return states.map((state) => state[name] as Tensor);
}

/** Checks that an option is a finite number of at least `low` (and below `high`). */
export function checkOption(op: string, name: string, value: unknown, low = 0, high = Infinity): void {
  if (typeof value !== 'number' || !(value >= low) || !(value < high) || Number.isNaN(value)) {
    const range = high === Infinity ? `a number >= ${low}` : `from ${low} to below ${high}`;
    throw new ArgumentError(`${op}: ${name} must be ${range}, got ${String(value)}.`);
  }
}

/** Checks options of several numbers: so many of them, each within the range. */
export function checkTuple(
  op: string,
  name: string,
  values: unknown,
  count: number,
  ranges: readonly (readonly [low: number, high: number])[],
): void {
  const words = ['zero', 'one', 'two', 'three'];
  if (!Array.isArray(values) || values.length !== count)
    throw new ArgumentError(`${op}: ${name} must be ${words[count]} numbers.`);
  values.forEach((value, i) => checkOption(op, `${name}[${i}]`, value, ...ranges[Math.min(i, ranges.length - 1)]));
}

/** Checks what all optimizers have. */
export function checkCommon(op: string, o: CommonOptions): void {
  checkOption(op, 'lr', o.lr);
  checkOption(op, 'weightDecay', o.weightDecay);
}

/** Checks lr, weightDecay, betas and eps. */
export function checkAdamLike(op: string, o: CommonOptions & { betas: readonly number[]; eps: number }): void {
  checkCommon(op, o);
  checkOption(op, 'eps', o.eps);
  checkTuple(op, 'betas', o.betas, 2, [[0, 1]]);
}
