// Whether tensors are equal, exactly or nearly.
import { ArgumentError, DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import { shapesEqual, type Shape } from '../shape.js';
import { tidy } from '../memory.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck } from '../types/shape.js';
import { eq } from './compare.js';
import { checkTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { all } from './reduce.js';
import { requireNumber } from './require.js';

/** Options of `isclose` and `allclose`. */
export interface CloseOptions {
  /** The tolerance relative to `b`. Default 1e-5. */
  rtol?: number;
  /** The absolute tolerance. Default 1e-8. */
  atol?: number;
  /** Whether NaN is close to NaN. Default false. */
  equalNan?: boolean;
}

const iscloseOp = defineElementwise(
  'isclose',
  (a, b, rtol, atol, equalNan) => {
    const distance = e.abs(e.sub(a, b));
    const near = e.mul(e.isfinite(distance), e.le(distance, e.add(atol, e.abs(e.mul(rtol, b)))));
    const nans = e.mul(equalNan, e.mul(e.isnan(a), e.isnan(b)));
    return e.maximum(e.maximum(e.eq(a, b), near), nans);
  },
  { dtype: 'bool', scalars: ['rtol', 'atol', 'equalNan'] },
);

function close(op: string, a: Tensor, b: Tensor, options: CloseOptions): Tensor<Shape, 'bool'> {
  const { rtol = 1e-5, atol = 1e-8, equalNan = false } = options;
  checkTensor(op, 'a', a);
  checkTensor(op, 'b', b);
  if (a.dtype !== b.dtype) {
    throw new DTypeError(`${op}: a is ${a.dtype} but b is ${b.dtype}; the dtypes must be equal.`);
  }
  for (const [label, value] of Object.entries({ rtol, atol })) {
    requireNumber(op, label, value);
    if (value < 0) throw new ArgumentError(`${op}: ${label} must be >= 0, got ${value}.`);
  }
  return iscloseOp.apply([a, b], [rtol, atol, equalNan ? 1 : 0]) as Tensor<Shape, 'bool'>;
}

/**
 * True where a and b are equal or `|a - b| <= atol + rtol * |b|`, with broadcasting; infinities are close only to
 * themselves.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for different dtypes; ArgumentError for a tolerance < 0
 */
export function isclose<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
  options: CloseOptions = {},
): Tensor<Broadcast<A, B>, 'bool'> {
  return close('isclose', a, b, options) as unknown as Tensor<Broadcast<A, B>, 'bool'>;
}

/**
 * Whether `isclose` is true everywhere. Waits for the result.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast; DTypeError for different dtypes; ArgumentError for a tolerance < 0
 */
export function allclose(a: Tensor, b: Tensor, options: CloseOptions = {}): boolean {
  return tidy(() => holds(close('allclose', a, b, options)));
}

/**
 * Whether two tensors have the same shape and equal elements; NaN is equal to nothing. Waits for the result.
 *
 * @method
 */
export function equal(a: Tensor, b: Tensor): boolean {
  checkTensor('equal', 'a', a);
  checkTensor('equal', 'b', b);
  return shapesEqual(a.shape, b.shape) && tidy(() => holds(eq(a, b)));
}

function holds(condition: Tensor): boolean {
  return (all(condition) as Tensor<Shape, 'bool'>).dataSync()[0] !== 0;
}
