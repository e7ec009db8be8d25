// Second names that PyTorch has for ops.
import type { DType, Promote } from '../dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import { div, mul, sub, type AlphaOptions, type FloatResult, type RoundingMode } from './arithmetic.js';
import { ge, gt, le, lt, ne } from './compare.js';
import { cat } from './join.js';
import { abs, clamp, clamp_, neg, trunc, type ClampOptions } from './math.js';
import type { Operand } from './launch.js';
import { acos, acosh, asin, asinh, atan, atan2, atanh } from './trigonometry.js';

/**
 * Another name of `abs`.
 *
 * @method
 */
export function absolute<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return abs(x);
}

/**
 * Another name of `neg`.
 *
 * @method
 */
export function negative<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return neg(x);
}

/**
 * Another name of `trunc`.
 *
 * @method
 */
export function fix<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return trunc(x);
}

/**
 * Another name of `acos`.
 *
 * @method
 */
export function arccos<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return acos(x);
}

/**
 * Another name of `acosh`.
 *
 * @method
 */
export function arccosh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return acosh(x);
}

/**
 * Another name of `asin`.
 *
 * @method
 */
export function arcsin<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return asin(x);
}

/**
 * Another name of `asinh`.
 *
 * @method
 */
export function arcsinh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return asinh(x);
}

/**
 * Another name of `atan`.
 *
 * @method
 */
export function arctan<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return atan(x);
}

/**
 * Another name of `atanh`.
 *
 * @method
 */
export function arctanh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return atanh(x);
}

/**
 * Another name of `sub`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function subtract<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
  options?: AlphaOptions,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function subtract<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
  options?: AlphaOptions,
): Tensor<A, D>;
export function subtract(a: Operand, b: Operand, options?: AlphaOptions): Tensor;
export function subtract(a: Operand, b: Operand, options?: AlphaOptions): Tensor {
  return sub(a, b, options);
}

/**
 * Another name of `mul`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function multiply<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function multiply<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function multiply(a: Operand, b: Operand): Tensor;
export function multiply(a: Operand, b: Operand): Tensor {
  return mul(a, b);
}

/**
 * Another name of `div`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function divide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function divide<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function divide(a: Operand, b: Operand, options?: { roundingMode?: RoundingMode }): Tensor;
export function divide(a: Operand, b: Operand, options?: { roundingMode?: RoundingMode }): Tensor {
  return div(a, b, options);
}

/**
 * Another name of `div`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function trueDivide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function trueDivide<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function trueDivide(a: Operand, b: Operand): Tensor;
export function trueDivide(a: Operand, b: Operand): Tensor {
  return div(a, b);
}

/**
 * Another name of `atan2`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function arctan2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function arctan2<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function arctan2(a: Operand, b: Operand): Tensor;
export function arctan2(a: Operand, b: Operand): Tensor {
  return atan2(a, b);
}

/**
 * Another name of `gt`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function greater<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function greater<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function greater(a: Operand, b: Operand): Tensor<Shape, 'bool'>;
export function greater(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return gt(a as Tensor, b as Tensor);
}

/**
 * Another name of `ge`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function greaterEqual<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function greaterEqual<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function greaterEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'>;
export function greaterEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return ge(a as Tensor, b as Tensor);
}

/**
 * Another name of `lt`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function less<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function less<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function less(a: Operand, b: Operand): Tensor<Shape, 'bool'>;
export function less(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return lt(a as Tensor, b as Tensor);
}

/**
 * Another name of `le`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function lessEqual<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function lessEqual<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function lessEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'>;
export function lessEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return le(a as Tensor, b as Tensor);
}

/**
 * Another name of `ne`.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function notEqual<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function notEqual<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function notEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'>;
export function notEqual(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return ne(a as Tensor, b as Tensor);
}

/**
 * Another name of `clamp`.
 *
 * @method
 * @throws ArgumentError, ShapeError as `clamp`
 */
export function clip<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { min?: number; max?: number },
): Tensor<S, D>;
export function clip(x: Tensor, options: ClampOptions): Tensor;
export function clip(x: Tensor, options: ClampOptions): Tensor {
  return clamp(x, options);
}

/**
 * Another name of `clamp_`.
 *
 * @method
 * @throws ArgumentError, ShapeError as `clamp`; GradError while gradients are recorded
 */
export function clip_<S extends Shape, D extends DType>(x: Tensor<S, D>, options: ClampOptions): Tensor<S, D> {
  return clamp_(x, options);
}

/**
 * Another name of `cat`.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function concat<D extends DType>(tensors: readonly Tensor<Shape, D>[], dim = 0): Tensor<Shape, D> {
  return cat(tensors, dim);
}

/**
 * Another name of `cat`.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 */
export function concatenate<D extends DType>(tensors: readonly Tensor<Shape, D>[], dim = 0): Tensor<Shape, D> {
  return cat(tensors, dim);
}
