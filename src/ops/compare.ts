// Comparisons and logic: bool results, no gradients.
import type { Broadcast3, OperandShape } from '../types/join.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import * as e from '../program/expr.js';
import { Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck, Shape } from '../types/shape.js';
import { cast } from './copy.js';
import { checkTensor } from './define.js';
import { defineElementwise, resultDType, type Operand } from './elementwise.js';
import { nonzero } from './mask.js';

const eqOp = defineElementwise('eq', (a, b) => e.eq(a, b), { dtype: 'bool' });

/**
 * True where a and b are equal, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function eq<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function eq<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function eq(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return eqOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const neOp = defineElementwise('ne', (a, b) => e.ne(a, b), { dtype: 'bool' });

/**
 * True where a and b are not equal, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function ne<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function ne<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function ne(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return neOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const ltOp = defineElementwise('lt', (a, b) => e.lt(a, b), { dtype: 'bool' });

/**
 * True where a < b, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function lt<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function lt<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function lt(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return ltOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const leOp = defineElementwise('le', (a, b) => e.le(a, b), { dtype: 'bool' });

/**
 * True where a <= b, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function le<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function le<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function le(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return leOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const gtOp = defineElementwise('gt', (a, b) => e.gt(a, b), { dtype: 'bool' });

/**
 * True where a > b, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function gt<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function gt<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function gt(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return gtOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const geOp = defineElementwise('ge', (a, b) => e.ge(a, b), { dtype: 'bool' });

/**
 * True where a >= b, elementwise; with NaN only `ne` is true.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function ge<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function ge<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function ge(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return geOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const logicalAndOp = defineElementwise('logicalAnd', (a, b) => e.mul(e.ne(a, 0), e.ne(b, 0)), { dtype: 'bool' });

/**
 * True where both are not 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalAnd<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function logicalAnd<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function logicalAnd(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return logicalAndOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const logicalOrOp = defineElementwise('logicalOr', (a, b) => e.maximum(e.ne(a, 0), e.ne(b, 0)), { dtype: 'bool' });

/**
 * True where either is not 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalOr<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function logicalOr<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function logicalOr(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return logicalOrOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const logicalXorOp = defineElementwise('logicalXor', (a, b) => e.ne(e.ne(a, 0), e.ne(b, 0)), { dtype: 'bool' });

/**
 * True where exactly one is not 0.
 *
 * @method
 * @throws ShapeError if the shapes do not broadcast
 */
export function logicalXor<A extends Shape, B extends Shape>(
  a: Tensor<A>,
  b: Tensor<B> & BroadcastCheck<A, B>,
): Tensor<Broadcast<A, B>, 'bool'>;
export function logicalXor<A extends Shape>(a: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;
export function logicalXor(a: Operand, b: Operand): Tensor<Shape, 'bool'> {
  return logicalXorOp.apply([a, b]) as Tensor<Shape, 'bool'>;
}

const logicalNotOp = defineElementwise('logicalNot', (x) => e.eq(x, 0), { dtype: 'bool' });

/**
 * True where x is 0.
 *
 * @method
 */
export function logicalNot<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, 'bool'> {
  return logicalNotOp.apply([x]) as Tensor<S, 'bool'>;
}

const isnanOp = defineElementwise('isnan', (x) => e.ne(x, x), { dtype: 'bool' });

/**
 * True where x is NaN.
 *
 * @method
 */
export function isnan<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, 'bool'> {
  return isnanOp.apply([x]) as Tensor<S, 'bool'>;
}

const isinfOp = defineElementwise('isinf', (x) => e.isinf(x), { dtype: 'bool' });

/**
 * True where x is infinite.
 *
 * @method
 */
export function isinf<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, 'bool'> {
  return isinfOp.apply([x]) as Tensor<S, 'bool'>;
}

const isfiniteOp = defineElementwise('isfinite', (x) => e.isfinite(x), { dtype: 'bool' });

/**
 * True where x is neither NaN nor infinite.
 *
 * @method
 */
export function isfinite<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, 'bool'> {
  return isfiniteOp.apply([x]) as Tensor<S, 'bool'>;
}

const whereOp = defineElementwise('where', (condition, a, b) => e.select(condition, a, b), {
  inputs: ['condition', 'a', 'b'],
});

/**
 * `a` where `condition` is true, else `b`, with broadcasting. Of a condition alone: where it is true, as
 * `condition.nonzero({ asTuple: true })`.
 *
 * @throws ShapeError if the shapes do not broadcast
 * @example
 * where(x.gt(0), x, 0);
 */
export function where(condition: Tensor): Tensor<readonly [number], 'int64'>[];
export function where<C extends Shape, A extends Operand, B extends Operand>(
  condition: Tensor<C, 'bool'>,
  a: A,
  b: B,
): Tensor<Broadcast3<C, OperandShape<A>, OperandShape<B>>>;
export function where(condition: Tensor, a?: Operand, b?: Operand): Tensor | Tensor<readonly [number], 'int64'>[] {
  checkTensor('where', 'condition', condition);
  if (a === undefined && b === undefined) return nonzero(condition, { asTuple: true });
  const { dtype } = condition;
  if (dtype !== 'bool') throw new DTypeError(`where: condition is ${dtype}, expected bool.`);
  for (const [name, value] of [
    ['a', a],
    ['b', b],
  ] as const) {
    if (value === undefined) throw new ArgumentError(`where: ${name} is undefined, expected a Tensor or a number.`);
  }
  const operands = [a, b] as readonly [Operand, Operand];
  const result = resultDType(operands);
  // The condition must not take part in promotion; values of it are 0 and 1 in any dtype.
  return whereOp.apply([
    condition,
    ...operands.map((value) => (value instanceof Tensor ? cast(value, result) : value)),
  ]);
}
