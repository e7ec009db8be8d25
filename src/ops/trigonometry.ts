// Trigonometry: inverse and hyperbolic functions, angles.
import type { DType, Promote } from '../dtype.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import type { FloatResult } from './arithmetic.js';
import { defineElementwise, resultDType, type Operand } from './elementwise.js';
import { isFloating } from '../dtype.js';
import { refuseDType } from './require.js';

const asinOp = defineElementwise('asin', (x) => e.asin(x), { dtype: 'float' });

/**
 * The inverse sine, from -pi/2 to pi/2; NaN outside [-1, 1].
 *
 * @method
 */
export function asin<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return asinOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const acosOp = defineElementwise('acos', (x) => e.acos(x), { dtype: 'float' });

/**
 * The inverse cosine, from 0 to pi; NaN outside [-1, 1].
 *
 * @method
 */
export function acos<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return acosOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const atanOp = defineElementwise('atan', (x) => e.atan(x), { dtype: 'float' });

/**
 * The inverse tangent, from -pi/2 to pi/2.
 *
 * @method
 */
export function atan<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return atanOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const sinhOp = defineElementwise('sinh', (x) => e.sinh(x), { dtype: 'float' });

/**
 * The hyperbolic sine.
 *
 * @method
 */
export function sinh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return sinhOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const coshOp = defineElementwise('cosh', (x) => e.cosh(x), { dtype: 'float' });

/**
 * The hyperbolic cosine.
 *
 * @method
 */
export function cosh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return coshOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const asinhOp = defineElementwise('asinh', (x) => e.asinh(x), { dtype: 'float' });

/**
 * The inverse hyperbolic sine.
 *
 * @method
 */
export function asinh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return asinhOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const acoshOp = defineElementwise('acosh', (x) => e.acosh(x), { dtype: 'float' });

/**
 * The inverse hyperbolic cosine; NaN below 1.
 *
 * @method
 */
export function acosh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return acoshOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const atanhOp = defineElementwise('atanh', (x) => e.atanh(x), { dtype: 'float' });

/**
 * The inverse hyperbolic tangent; NaN outside [-1, 1].
 *
 * @method
 */
export function atanh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return atanhOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const deg2radOp = defineElementwise('deg2rad', (x) => e.mul(x, Math.PI / 180), { dtype: 'float' });

/**
 * Degrees to radians: x * pi / 180.
 *
 * @method
 */
export function deg2rad<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return deg2radOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const rad2degOp = defineElementwise('rad2deg', (x) => e.mul(x, 180 / Math.PI), { dtype: 'float' });

/**
 * Radians to degrees: x * 180 / pi.
 *
 * @method
 */
export function rad2deg<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, FloatResult<D>> {
  return rad2degOp.apply([x]) as Tensor<S, FloatResult<D>>;
}

const atan2Op = defineElementwise('atan2', (a, b) => e.atan2(a, b), { dtype: 'float' });

/**
 * The angle of the point (b, a) from -pi to pi: the inverse tangent of a / b in the right quadrant.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function atan2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;
export function atan2<A extends Shape, D extends DType>(
  a: Tensor<A, D>,
  b: number | boolean,
): Tensor<A, FloatResult<D>>;
export function atan2(a: Operand, b: Operand): Tensor;
export function atan2(a: Operand, b: Operand): Tensor {
  return atan2Op.apply([a, b]);
}

const hypotOp = defineElementwise('hypot', (a, b) => e.hypot(a, b));

/**
 * sqrt(a ** 2 + b ** 2) without overflow: the hypotenuse.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
 */
export function hypot<A extends Shape, B extends Shape, D extends DType, E extends DType>(
  a: Tensor<A, D>,
  b: Tensor<B, E> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, Promote<D, E>>;
export function hypot<A extends Shape, D extends DType>(a: Tensor<A, D>, b: number | boolean): Tensor<A, D>;
export function hypot(a: Operand, b: Operand): Tensor;
export function hypot(a: Operand, b: Operand): Tensor {
  refuseDType('hypot', resultDType([a, b]), (dtype) => !isFloating(dtype), "convert one with to('float32')");
  return hypotOp.apply([a, b]);
}
