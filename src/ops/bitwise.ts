// Bitwise operations on integers and bools; no gradients.
import { isFloating, type DType, type Promote } from '../dtype.js';
import { DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import { checkTensor } from './define.js';
import { defineElementwise, resultDType, type Operand } from './elementwise.js';
import { refuseDType } from './require.js';

function refuseFloats(op: string, a: Operand, b: Operand): void {
  refuseDType(op, resultDType([a, b]), isFloating, 'bits are those of integers and bools');
}

function refuseFloatsAndBools(op: string, a: Operand, b: Operand): void {
  refuseDType(op, resultDType([a, b]), (dtype) => isFloating(dtype) || dtype === 'bool', 'shifts are of integers');
}

const bitwiseAndOp = defineElementwise('bitwiseAnd', (a, b) => e.bitwiseAnd(a, b));

/**
 * The bits that both have; for bools: both.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
 */
export function bitwiseAnd<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function bitwiseAnd<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function bitwiseAnd(a: Operand, b: Operand): Tensor;
export function bitwiseAnd(a: Operand, b: Operand): Tensor {
  refuseFloats('bitwiseAnd', a, b);
  return bitwiseAndOp.apply([a, b]);
}

const bitwiseOrOp = defineElementwise('bitwiseOr', (a, b) => e.bitwiseOr(a, b));

/**
 * The bits that either has; for bools: either.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
 */
export function bitwiseOr<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function bitwiseOr<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function bitwiseOr(a: Operand, b: Operand): Tensor;
export function bitwiseOr(a: Operand, b: Operand): Tensor {
  refuseFloats('bitwiseOr', a, b);
  return bitwiseOrOp.apply([a, b]);
}

const bitwiseXorOp = defineElementwise('bitwiseXor', (a, b) => e.bitwiseXor(a, b));

/**
 * The bits in which they differ; for bools: exactly one.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
 */
export function bitwiseXor<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function bitwiseXor<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function bitwiseXor(a: Operand, b: Operand): Tensor;
export function bitwiseXor(a: Operand, b: Operand): Tensor {
  refuseFloats('bitwiseXor', a, b);
  return bitwiseXorOp.apply([a, b]);
}

const bitwiseLeftShiftOp = defineElementwise('bitwiseLeftShift', (a, b) => e.bitwiseLeftShift(a, b));

/**
 * The bits of `a` moved up by `b`: a * 2 ** b, without the bits that do not fit. A shift by less than 0, or by all bits
 * or more, gives 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
 */
export function bitwiseLeftShift<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function bitwiseLeftShift<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function bitwiseLeftShift(a: Operand, b: Operand): Tensor;
export function bitwiseLeftShift(a: Operand, b: Operand): Tensor {
  refuseFloatsAndBools('bitwiseLeftShift', a, b);
  return bitwiseLeftShiftOp.apply([a, b]);
}

const bitwiseRightShiftOp = defineElementwise('bitwiseRightShift', (a, b) => e.bitwiseRightShift(a, b));

/**
 * The bits of `a` moved down by `b`: a / 2 ** b, rounded toward minus infinity. A shift by less than 0, or by all bits or
 * more, gives 0, and -1 for negative numbers.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
 */
export function bitwiseRightShift<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function bitwiseRightShift<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function bitwiseRightShift(a: Operand, b: Operand): Tensor;
export function bitwiseRightShift(a: Operand, b: Operand): Tensor {
  refuseFloatsAndBools('bitwiseRightShift', a, b);
  return bitwiseRightShiftOp.apply([a, b]);
}

const bitwiseNotOp = defineElementwise('bitwiseNot', (x) => e.bitwiseNot(x));
const notOp = defineElementwise('bitwiseNot', (x) => e.eq(x, 0));

/**
 * The bits inverted: -x - 1 for signed integers; for bools the other truth value.
 *
 * @method
 * @throws DTypeError for floats
 */
export function bitwiseNot<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkTensor('bitwiseNot', 'x', x);
  const { dtype } = x as Tensor;
  if (isFloating(dtype)) throw new DTypeError(`bitwiseNot: x must be of integers or bools, got ${dtype}.`);
  return (dtype === 'bool' ? notOp : bitwiseNotOp).apply([x]) as Tensor<S, D>;
}
