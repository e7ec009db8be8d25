// Maximum-like choices between two tensors, and the composition of a number from magnitude and sign.
import type { DType, Promote } from '../dtype.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import type { FloatResult } from './arithmetic.js';
import { detach } from './copy.js';
import { checkTensor } from './define.js';
import { defineElementwise, type Operand } from './elementwise.js';

const fmaxOp = defineElementwise('fmax', (a, b) => e.fmax(a, b));

/**
 * The larger of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function fmax<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function fmax<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function fmax(a: Operand, b: Operand): Tensor;
export function fmax(a: Operand, b: Operand): Tensor {
  return fmaxOp.apply([a, b]);
}

const fminOp = defineElementwise('fmin', (a, b) => e.fmin(a, b));

/**
 * The smaller of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function fmin<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function fmin<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function fmin(a: Operand, b: Operand): Tensor;
export function fmin(a: Operand, b: Operand): Tensor {
  return fminOp.apply([a, b]);
}

const copysignOp = defineElementwise('copysign', (a, b) => e.copysign(a, b), { dtype: 'float' });

/**
 * The magnitude of `a` with the sign of `b`, that of zeros included; integers give float32. The gradient by `b` is 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function copysign<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function copysign<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function copysign(a: Operand, b: Operand): Tensor;
export function copysign(a: Operand, b: Operand): Tensor {
  return copysignOp.apply([a, b]);
}

const heavisideOp = defineElementwise('heaviside', (x, values) => e.select(e.eq(x, 0), values, e.gt(x, 0)), {
  inputs: ['x', 'values'],
});

/**
 * The step function: 0 below 0 and for NaN, 1 above, and at 0 the element of `values`. No gradient flows through it.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function heaviside(x: Tensor, values: Tensor): Tensor {
  checkTensor('heaviside', 'x', x);
  checkTensor('heaviside', 'values', values);
  return heavisideOp.apply([detach(x), detach(values)]);
}
