// Arithmetic on tensors and numbers, with broadcasting and PyTorch's dtype promotion.
import { isFloating, type DType, type FloatDType, type Promote } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import { formatShape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import { defineElementwise, resultDType, type Operand } from './elementwise.js';
import { isTensorOperand, refuseDType, requireWholeFor } from './require.js';

/** The dtype of a division: integers and bools give float32. */
export type FloatResult<D extends DType> = D extends FloatDType ? D : 'float32';

/** Options of `add` and `sub`. */
export interface AlphaOptions {
  /** A factor of the second operand. Default 1; an integer where the result is of integers. */
  alpha?: number;
}

/** How `div` rounds: toward 0, or toward minus infinity. */
export type RoundingMode = 'trunc' | 'floor';

const addOp = defineElementwise('add', (a, b) => e.add(a, b));
const addScaledOp = defineElementwise('add', (a, b, alpha) => e.add(a, e.mul(b, alpha)), { scalars: ['alpha'] });

/**
 * Sum with broadcasting: `a + b`, with `alpha` `a + alpha * b`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding
 */
export function add<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
  options?: AlphaOptions,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function add<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
  options?: AlphaOptions,
): Tensor<A, D>;
export function add(a: Operand, b: Operand, options?: AlphaOptions): Tensor;
export function add(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  const alpha = options?.alpha;
  if (alpha === undefined || alpha === 1) return addOp.apply([a, b]);
  requireWholeFor('add', 'alpha', alpha, resultDType([a, b]));
  return addScaledOp.apply([a, b], [alpha]);
}

/**
 * `add` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function add_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  b: Operand,
  options?: AlphaOptions,
): Tensor<S, D> {
  const alpha = options?.alpha;
  if (alpha === undefined || alpha === 1) return addOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
  requireWholeFor('add_', 'alpha', alpha, resultDType([x, b]));
  return addScaledOp.applyInPlace(x, [x, b], [alpha]) as Tensor<S, D>;
}

const subOp = defineElementwise('sub', (a, b) => e.sub(a, b));
function refuseBoolSub(op: string, a: Operand, b: Operand): void {
  const isBool = (x: Operand): boolean => typeof x === 'boolean' || (isTensorOperand(x) && x?.dtype === 'bool');
  if (!isBool(a) && !isBool(b)) return;
  const meant = isBool(a) && isBool(b) ? 'logicalXor(a, b)' : 'logicalNot(x) to invert a mask';
  throw new DTypeError(`${op}: subtraction is not defined for bool; use ${meant}, or convert with to('int64').`);
}

const subScaledOp = defineElementwise('sub', (a, b, alpha) => e.sub(a, e.mul(b, alpha)), { scalars: ['alpha'] });

/**
 * Difference with broadcasting: `a - b`, with `alpha` `a - alpha * b`. Bool tensors are refused, as in PyTorch: `logicalXor` and `logicalNot`
 * say what is meant.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding; DTypeError for bools
 */
export function sub<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
  options?: AlphaOptions,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function sub<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
  options?: AlphaOptions,
): Tensor<A, D>;
export function sub(a: Operand, b: Operand, options?: AlphaOptions): Tensor;
export function sub(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  refuseBoolSub('sub', a, b);
  const alpha = options?.alpha;
  if (alpha === undefined || alpha === 1) return subOp.apply([a, b]);
  requireWholeFor('sub', 'alpha', alpha, resultDType([a, b]));
  return subScaledOp.apply([a, b], [alpha]);
}

/**
 * `sub` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function sub_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  b: Operand,
  options?: AlphaOptions,
): Tensor<S, D> {
  refuseBoolSub('sub_', x, b);
  const alpha = options?.alpha;
  if (alpha === undefined || alpha === 1) return subOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
  requireWholeFor('sub_', 'alpha', alpha, resultDType([x, b]));
  return subScaledOp.applyInPlace(x, [x, b], [alpha]) as Tensor<S, D>;
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

const divTruncOp = defineElementwise('div', (a, b) => e.trunc(e.div(a, b)));

/**
 * Quotient with broadcasting: `a / b`; integers give float32. With `roundingMode` the quotient is rounded, and integers
 * give integers: `'trunc'` toward 0 as in C, `'floor'` toward minus infinity as `floorDivide`; then the gradient is 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for an unknown rounding mode; for integers divided by 0
 *   with rounding an error at the next read
 */
export function div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function div<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;
export function div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
  options: { roundingMode: RoundingMode },
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function div<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
  options: { roundingMode: RoundingMode },
): Tensor<A, D>;
export function div(a: Operand, b: Operand, options?: { roundingMode?: RoundingMode }): Tensor;
export function div(a: Operand, b: Operand, options?: { roundingMode?: RoundingMode }): Tensor {
  return divOf('div', a, b, options?.roundingMode).apply([a, b]);
}

function divOf(op: string, a: Operand, b: Operand, mode: RoundingMode | undefined): typeof divOp {
  if (mode === undefined) return divOp;
  if (mode !== 'trunc' && mode !== 'floor') {
    throw new ArgumentError(`${op}: unknown roundingMode ${JSON.stringify(mode)}, expected 'trunc' or 'floor'.`);
  }
  refuseBools(op, a, b);
  return mode === 'trunc' ? divTruncOp : floorDivideOp;
}

// Rounded quotients and remainders of truth values mean nothing.
function refuseBools(op: string, a: Operand, b: Operand): void {
  refuseDType(op, resultDType([a, b]), (dtype) => dtype === 'bool', "convert one with to('int64')");
}

/**
 * `div` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded; DTypeError if `x` is of
 *   integers and the quotient is not rounded
 */
export function div_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  b: Operand,
  options?: { roundingMode?: RoundingMode },
): Tensor<S, D> {
  return divOf('div_', x, b, options?.roundingMode).applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const powOp = defineElementwise('pow', (a, b) => e.pow(a, b));

function checkPower(op: string, a: Operand, b: Operand): void {
  if (typeof b !== 'number' || !(b < 0) || !Number.isInteger(b) || !isTensorOperand(a)) return;
  if (a === null || isFloating(a.dtype)) return;
  throw new ArgumentError(
    `${op}(${a.dtype} ${formatShape(a.shape)}, ${b}): integers have no negative integer powers; convert with to('float32') first.`,
  );
}

/**
 * Power with broadcasting: `a ** b`. Integers to a tensor of exponents stay integers; a negative exponent among them
 * gives 1 / a ** -b rounded toward 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; ArgumentError for integers to a negative whole number
 */
export function pow<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function pow<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function pow(a: Operand, b: Operand): Tensor;
export function pow(a: Operand, b: Operand): Tensor {
  checkPower('pow', a, b);
  return powOp.apply([a, b]);
}

/**
 * `pow` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function pow_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  checkPower('pow_', x, b);
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
  refuseBools('remainder', a, b);
  return remainderOp.apply([a, b]);
}

/**
 * `remainder` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function remainder_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  refuseBools('remainder_', x, b);
  return remainderOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
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
  refuseBools('floorDivide', a, b);
  return floorDivideOp.apply([a, b]);
}

/**
 * `floorDivide` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function floorDivide_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  refuseBools('floorDivide_', x, b);
  return floorDivideOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}

const fmodOp = defineElementwise('fmod', (a, b) => e.fmod(a, b));

/**
 * Remainder of division with the sign of the dividend, as in C.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for bools
 */
export function fmod<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function fmod<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function fmod(a: Operand, b: Operand): Tensor;
export function fmod(a: Operand, b: Operand): Tensor {
  refuseBools('fmod', a, b);
  return fmodOp.apply([a, b]);
}

/**
 * `fmod` in place: the result replaces the elements of `x`.
 *
 * @method
 * @throws ShapeError if the result has another shape; GradError while gradients are recorded
 */
export function fmod_<S extends Shape, D extends DType>(x: Tensor<S, D>, b: Operand): Tensor<S, D> {
  refuseBools('fmod_', x, b);
  return fmodOp.applyInPlace(x, [x, b]) as Tensor<S, D>;
}
