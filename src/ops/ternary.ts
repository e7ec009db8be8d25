// Ops of three operands: interpolation, and additions of scaled products and quotients.
import { isFloating, type DType } from '../dtype.js';
import { DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast3, BroadcastCheck3 } from '../types/join.js';
import type { BroadcastCheck, Shape } from '../types/shape.js';
import { checkTensor } from './define.js';
import { defineElementwise, resultDType, type Operand } from './elementwise.js';
import { refuseDType, requireFloat, requireNumber, requireWholeFor } from './require.js';

const lerpOp = defineElementwise(
  'lerp',
  (input, end, weight) => {
    const way = e.sub(end, input);
    // From the nearer end, so that weight 1 gives `end` exactly.
    return e.select(
      e.lt(e.abs(weight), 0.5),
      e.add(input, e.mul(weight, way)),
      e.sub(end, e.mul(way, e.sub(1, weight))),
    );
  },
  {
    inputs: ['input', 'end', 'weight'],
    grad: (g, _out, input, end, weight) => [e.mul(g, e.sub(1, weight)), e.mul(g, weight), e.mul(g, e.sub(end, input))],
  },
);

function checkLerp(op: string, input: Tensor, end: Tensor, weight: number | Tensor): void {
  requireFloat(op, 'input', input);
  checkTensor(op, 'end', end);
  if (typeof weight === 'number') requireNumber(op, 'weight', weight);
  else checkTensor(op, 'weight', weight);
  const others: Readonly<Record<string, Tensor>> = typeof weight === 'number' ? { end } : { end, weight };
  for (const [label, other] of Object.entries(others)) {
    if (other.dtype !== input.dtype) {
      throw new DTypeError(`${op}: input is ${input.dtype} but ${label} is ${other.dtype}; the dtypes must be equal.`);
    }
  }
}

/**
 * Linear interpolation with broadcasting: `input + weight * (end - input)`.
 *
 * @method
 * @param weight a number, or a tensor of weights
 * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and for different dtypes
 */
export function lerp<S extends Shape, D extends DType, E extends Shape, W extends Shape = readonly []>(
  input: Tensor<S, D>,
  end: Tensor<E> & BroadcastCheck<S, E>,
  weight: number | (Tensor<W> & BroadcastCheck3<S, E, W>),
): Tensor<Broadcast3<S, E, W>, D> {
  checkLerp('lerp', input, end, weight);
  return lerpOp.apply([input, end, weight]) as unknown as Tensor<Broadcast3<S, E, W>, D>;
}

/**
 * `lerp` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function lerp_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  end: Tensor,
  weight: number | Tensor,
): Tensor<S, D> {
  checkLerp('lerp_', x, end, weight);
  return lerpOp.applyInPlace(x, [x, end, weight]) as Tensor<S, D>;
}

/** Options of `addcmul` and `addcdiv`. */
export interface AddcOptions {
  /** The factor of the product or quotient. Default 1; an integer where the result is of integers. */
  value?: number;
}

const addcmulOp = defineElementwise(
  'addcmul',
  (input, tensor1, tensor2, value) => e.add(input, e.mul(value, tensor1, tensor2)),
  { inputs: ['input', 'tensor1', 'tensor2'], scalars: ['value'] },
);

/**
 * `input + value * tensor1 * tensor2`, with broadcasting.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for a value that would need rounding
 */
export function addcmul<S extends Shape, D extends DType, A extends Shape, B extends Shape>(
  input: Tensor<S, D>,
  tensor1: Tensor<A> & BroadcastCheck<S, A>,
  tensor2: Tensor<B> & BroadcastCheck3<S, A, B>,
  options: AddcOptions = {},
): Tensor<Broadcast3<S, A, B>, D> {
  const value = checkAddc('addcmul', [input, tensor1, tensor2], options);
  return addcmulOp.apply([input, tensor1, tensor2], [value]) as unknown as Tensor<Broadcast3<S, A, B>, D>;
}

/**
 * `addcmul` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function addcmul_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  tensor1: Tensor,
  tensor2: Tensor,
  options: AddcOptions = {},
): Tensor<S, D> {
  const value = checkAddc('addcmul_', [x, tensor1, tensor2], options);
  return addcmulOp.applyInPlace(x, [x, tensor1, tensor2], [value]) as Tensor<S, D>;
}

const addcdivOp = defineElementwise(
  'addcdiv',
  (input, tensor1, tensor2, value) => e.add(input, e.div(e.mul(value, tensor1), tensor2)),
  { inputs: ['input', 'tensor1', 'tensor2'], scalars: ['value'] },
);

/**
 * `input + value * tensor1 / tensor2`, with broadcasting.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for a value that would need rounding; DTypeError for integers
 */
export function addcdiv<S extends Shape, D extends DType, A extends Shape, B extends Shape>(
  input: Tensor<S, D>,
  tensor1: Tensor<A> & BroadcastCheck<S, A>,
  tensor2: Tensor<B> & BroadcastCheck3<S, A, B>,
  options: AddcOptions = {},
): Tensor<Broadcast3<S, A, B>, D> {
  const value = checkAddc('addcdiv', [input, tensor1, tensor2], options);
  return addcdivOp.apply([input, tensor1, tensor2], [value]) as unknown as Tensor<Broadcast3<S, A, B>, D>;
}

/**
 * `addcdiv` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function addcdiv_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  tensor1: Tensor,
  tensor2: Tensor,
  options: AddcOptions = {},
): Tensor<S, D> {
  const value = checkAddc('addcdiv_', [x, tensor1, tensor2], options);
  return addcdivOp.applyInPlace(x, [x, tensor1, tensor2], [value]) as Tensor<S, D>;
}

function checkAddc(op: string, operands: readonly Operand[], { value = 1 }: AddcOptions): number {
  ['input', 'tensor1', 'tensor2'].forEach((label, i) => checkTensor(op, label, operands[i]));
  const dtype = resultDType(operands);
  if (op.startsWith('addcdiv')) {
    refuseDType(
      op,
      dtype,
      (d) => !isFloating(d),
      "divide with div(tensor1, tensor2, { roundingMode: 'trunc' }) and add",
    );
  }
  requireWholeFor(op, 'value', value, dtype);
  return value;
}
