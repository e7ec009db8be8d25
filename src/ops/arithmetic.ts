// Arithmetic on tensors and numbers, with broadcasting and PyTorch's dtype promotion.
import type { DType, FloatDType, Promote } from '../dtype.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import { defineElementwise, type Operand } from './elementwise.js';

/** The dtype of a division: integers and bools give float32. */
export type FloatResult<D extends DType> = D extends FloatDType ? D : 'float32';

const addOp = defineElementwise('add', (a, b) => e.add(a, b));

/**
 * Sum with broadcasting: `a + b`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function add<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function add<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function add(a: Operand, b: Operand): Tensor;
export function add(a: Operand, b: Operand): Tensor {
  return addOp.apply([a, b]);
}

/**
 * `add` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function add_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  return addOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const subOp = defineElementwise('sub', (a, b) => e.sub(a, b));

/**
 * Difference with broadcasting: `a - b`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function sub<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function sub<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function sub(a: Operand, b: Operand): Tensor;
export function sub(a: Operand, b: Operand): Tensor {
  return subOp.apply([a, b]);
}

/**
 * `sub` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function sub_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  return subOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const mulOp = defineElementwise('mul', (a, b) => e.mul(a, b));

/**
 * Product with broadcasting: `a * b`. For bools: both.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function mul<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function mul<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function mul(a: Operand, b: Operand): Tensor;
export function mul(a: Operand, b: Operand): Tensor {
  return mulOp.apply([a, b]);
}

/**
 * `mul` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function mul_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  return mulOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const divOp = defineElementwise('div', (a, b) => e.div(a, b), { dtype: 'float' });

/**
 * Quotient with broadcasting: `a / b`; integers give float32.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function div<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;
export function div(a: Operand, b: Operand): Tensor;
export function div(a: Operand, b: Operand): Tensor {
  return divOp.apply([a, b]);
}

/**
 * `div` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function div_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  return divOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const powOp = defineElementwise('pow', (a, b) => e.pow(a, b));

/**
 * Power with broadcasting: `a ** b`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function pow<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function pow<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function pow(a: Operand, b: Operand): Tensor;
export function pow(a: Operand, b: Operand): Tensor {
  return powOp.apply([a, b]);
}

/**
 * `pow` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function pow_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  return powOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const maximumOp = defineElementwise('maximum', (a, b) => e.maximum(a, b));

/**
 * The larger of two, elementwise; NaN if either is. Equal values share the gradient.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function maximum<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function maximum<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function maximum(a: Operand, b: Operand): Tensor;
export function maximum(a: Operand, b: Operand): Tensor {
  return maximumOp.apply([a, b]);
}

const minimumOp = defineElementwise('minimum', (a, b) => e.minimum(a, b));

/**
 * The smaller of two, elementwise; NaN if either is. Equal values share the gradient.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function minimum<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function minimum<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function minimum(a: Operand, b: Operand): Tensor;
export function minimum(a: Operand, b: Operand): Tensor {
  return minimumOp.apply([a, b]);
}

const remainderOp = defineElementwise('remainder', (a, b) => e.remainder(a, b));

/**
 * Remainder of division with the sign of the divisor, as in Python.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function remainder<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function remainder<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function remainder(a: Operand, b: Operand): Tensor;
export function remainder(a: Operand, b: Operand): Tensor {
  return remainderOp.apply([a, b]);
}

const floorDivideOp = defineElementwise('floorDivide', (a, b) => e.floorDiv(a, b));

/**
 * Quotient rounded toward minus infinity.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function floorDivide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function floorDivide<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function floorDivide(a: Operand, b: Operand): Tensor;
export function floorDivide(a: Operand, b: Operand): Tensor {
  return floorDivideOp.apply([a, b]);
}
