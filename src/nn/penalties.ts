// Penalties on parameters that are added to the loss. Weight decay in the optimizer is cheaper where it will do.
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { add } from '../ops/arithmetic.js';
import { defineElementwise, type ElementwiseOp } from '../ops/elementwise.js';
import { reduceElementwise } from '../ops/reduceMap.js';
import { requireFloat, requireNumber } from '../ops/require.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FloatDType } from '../dtype.js';

/** Options of `elasticNet`. */
export interface ElasticNetOptions {
  /** The factor of the sum of absolute values. Default 0. */
  l1?: number;
  /** The factor of the sum of squares. Default 0. */
  l2?: number;
}

/** What a penalty gives: a scalar to add to the loss. */
type Penalty = Tensor<readonly [], FloatDType>;

function total(op: string, penalty: ElementwiseOp, params: Iterable<Tensor>, numbers: readonly number[]): Penalty {
  const list = [...params];
  list.forEach((param, i) => requireFloat(op, `params[${i}]`, param));
  if (list.length === 0)
    throw new ArgumentError(`${op}: params is empty; pass model.parameters() or a list of tensors.`);
  return tidy(() =>
    list.map((param) => reduceElementwise(penalty, 'sum', [param], numbers)).reduce((a, b) => add(a, b)),
  ) as Penalty;
}

const l1Op = defineElementwise('l1Penalty', (x) => e.abs(x), { inputs: ['param'] });
const l2Op = defineElementwise('l2Penalty', (x) => e.square(x), { inputs: ['param'] });
const elasticOp = defineElementwise('elasticNet', (x, l1, l2) => e.add(e.mul(l1, e.abs(x)), e.mul(l2, e.square(x))), {
  inputs: ['param'],
  scalars: ['l1', 'l2'],
});

/**
 * The sum of the absolute values of all parameters, which drives many of them to 0 (Tibshirani 1996). Its gradient at 0
 * is 0.
 *
 * @throws ArgumentError for no parameters; DTypeError for tensors that are not of floats
 * @example
 * const loss = nn.functional.mseLoss(model.forward(x), y).add(nn.functional.l1Penalty(model.parameters()).mul(1e-4));
 */
export function l1Penalty(params: Iterable<Tensor>): Penalty {
  return total('l1Penalty', l1Op, params, []);
}

/**
 * The sum of the squares of all parameters (ridge regression, Hoerl and Kennard 1970).
 *
 * @throws ArgumentError for no parameters; DTypeError for tensors that are not of floats
 */
export function l2Penalty(params: Iterable<Tensor>): Penalty {
  return total('l2Penalty', l2Op, params, []);
}

/**
 * Both penalties at once (Zou and Hastie 2005): `l1 * sum |w| + l2 * sum w^2`, in one pass over each parameter.
 *
 * @throws ArgumentError for no parameters and for factors that are no numbers; DTypeError for tensors not of floats
 */
export function elasticNet(params: Iterable<Tensor>, options: ElasticNetOptions = {}): Penalty {
  const { l1 = 0, l2 = 0 } = options;
  requireNumber('elasticNet', 'l1', l1);
  requireNumber('elasticNet', 'l2', l2);
  return total('elasticNet', elasticOp, params, [l1, l2]);
}
