// Elements found and chosen by conditions: nonzero and masks. Kernels: native/cpu/rearrange.cpp.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import * as e from '../program/expr.js';
import { broadcastTwo, broadcastsTo, formatShape, type Shape } from '../shape.js';
import { emptyTensor, Tensor } from '../tensor/tensor.js';
import type { Broadcast, BroadcastCheck } from '../types/shape.js';
import { index } from './advanced.js';
import { cast } from './copy.js';
import { checkSameDevice, checkTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { scatterOp } from './scatter.js';
import { expand, flatten, narrow, reshape, select, unbind } from './view.js';

/** Coordinates of the elements that are not 0, `[count, rank]`. Waits for the stream, to know how many. @internal */
export function coordinates(op: string, x: Tensor): Tensor<Shape, 'int64'> {
  using count = emptyTensor(op, [] as const, 'int64', x.device);
  native.countNonzero(count._handle, x._handle);
  const out = emptyTensor(op, [Number(count.itemSync()), x.shape.length] as Shape, 'int64', x.device);
  native.nonzero(out._handle, x._handle);
  return out;
}

/** Options of `nonzero`. */
export interface NonzeroOptions<T extends boolean = boolean> {
  /** One vector of positions for each dimension (for `index`) in place of the rows of coordinates. Default false. */
  asTuple?: T;
}

/**
 * Where x is not 0 (NaN is not): the coordinates in row-major order as an int64 matrix `[count, rank]`, or with `asTuple` as
 * a vector for each dimension. Waits for queued work, because the size of the result depends on the values.
 *
 * @method
 * @example
 * tensor([[0, 5], [6, 0]]).nonzero(); // [[0, 1], [1, 0]]
 */
export function nonzero(x: Tensor, options?: NonzeroOptions<false>): Tensor<readonly [number, number], 'int64'>;
export function nonzero(x: Tensor, options: NonzeroOptions<true>): Tensor<readonly [number], 'int64'>[];
export function nonzero(
  x: Tensor,
  { asTuple = false }: NonzeroOptions = {},
): Tensor<Shape, 'int64'> | Tensor<Shape, 'int64'>[] {
  checkTensor('nonzero', 'x', x);
  if (!asTuple) return coordinates('nonzero', x);
  // A scalar counts as a vector of one element.
  return tidy(() =>
    unbind(coordinates('nonzero', x.shape.length === 0 ? (reshape(x, [1]) as unknown as Tensor) : x), 1),
  );
}

/**
 * Where x is not 0: the coordinates in row-major order as an int64 matrix `[count, rank]`. Waits for queued work.
 *
 * @method
 */
export function argwhere(x: Tensor): Tensor<readonly [number, number], 'int64'> {
  checkTensor('argwhere', 'x', x);
  return coordinates('argwhere', x) as Tensor<readonly [number, number], 'int64'>;
}

function checkMask(op: string, x: Tensor, mask: Tensor): void {
  checkTensor(op, 'x', x);
  checkTensor(op, 'mask', mask);
  checkSameDevice(op, 'x', x, 'mask', mask);
  if (mask.dtype !== 'bool') throw new DTypeError(`${op}: mask is ${mask.dtype}, expected bool.`);
}

/**
 * The elements where a mask is true, in row-major order, as a vector; x and mask broadcast. Waits for queued work, because
 * the size of the result depends on the mask.
 *
 * @method
 * @throws DTypeError unless mask is bool; ShapeError if the shapes do not broadcast
 */
export function maskedSelect<S extends Shape, D extends DType, M extends Shape>(
  x: Tensor<S, D>,
  mask: Tensor<M, 'bool'> & BroadcastCheck<S, M>,
): Tensor<readonly [number], D> {
  checkMask('maskedSelect', x, mask);
  const shape = broadcastTwo('maskedSelect', 'x', x.shape, 'mask', mask.shape);
  return tidy(() => {
    const wide = expand(mask as Tensor, shape) as unknown as Tensor<Shape, 'bool'>;
    const picked = index(expand(x as Tensor, shape), wide);
    return picked;
  }) as Tensor<readonly [number], D>;
}

const maskedFillOp = defineElementwise('maskedFill', (x, mask, value) => e.select(mask, value, x), {
  inputs: ['x', 'mask', 'value'],
});

function fillOperands(
  op: string,
  x: Tensor,
  mask: Tensor,
  value: number | boolean | Tensor,
): [Tensor, Tensor, number | boolean | Tensor] {
  checkMask(op, x, mask);
  const { dtype } = x;
  if (value instanceof Tensor) {
    checkTensor(op, 'value', value);
    if (value.shape.length > 0)
      throw new ShapeError(`${op}: value must be a number or a scalar tensor, got shape ${formatShape(value.shape)}.`);
    if (isFloating(value.dtype) && !isFloating(dtype))
      throw new DTypeError(`${op}: value is ${value.dtype}, which x of ${dtype} cannot hold.`);
    return [x, mask, cast(value, dtype)];
  }
  if (typeof value !== 'number' && typeof value !== 'boolean')
    throw new ArgumentError(
      `${op}: value must be a number or a scalar tensor, got ${value === null ? 'null' : typeof value}.`,
    );
  if (dtype === 'bool') return [x, mask, Boolean(value)];
  if (!isFloating(dtype) && !Number.isInteger(Number(value)))
    throw new DTypeError(`${op}: value ${String(value)} is not an integer, as x of ${dtype} needs.`);
  return [x, mask, Number(value)];
}

/**
 * x with `value` where a mask is true; x and mask broadcast.
 *
 * @method
 * @throws DTypeError unless mask is bool and x's dtype holds the value; ShapeError if the shapes do not broadcast
 * @example
 * scores.maskedFill(padding, -Infinity);
 */
export function maskedFill<S extends Shape, D extends DType, M extends Shape>(
  x: Tensor<S, D>,
  mask: Tensor<M, 'bool'> & BroadcastCheck<S, M>,
  value: number | boolean | Tensor,
): Tensor<Broadcast<S, M>, D> {
  return maskedFillOp.apply(fillOperands('maskedFill', x, mask, value)) as Tensor<Broadcast<S, M>, D>;
}

/**
 * Writes `value` into x where a mask is true; the mask broadcasts to x.
 *
 * @method
 * @throws as maskedFill; ShapeError if the mask does not broadcast to x; GradError while gradients are recorded
 */
export function maskedFill_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mask: Tensor<Shape, 'bool'>,
  value: number | boolean | Tensor,
): Tensor<S, D> {
  return maskedFillOp.applyInPlace(x, fillOperands('maskedFill_', x, mask, value)) as Tensor<S, D>;
}

/**
 * A copy of x with the first elements of `source`, in row-major order, where a mask is true; the mask broadcasts to x. Waits
 * for queued work.
 *
 * @method
 * @throws ShapeError if source has fewer elements than the mask has places; DTypeError if the dtypes differ
 */
export function maskedScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mask: Tensor<Shape, 'bool'>,
  source: Tensor<Shape, D>,
): Tensor<S, D> {
  const op = 'maskedScatter';
  checkMask(op, x, mask);
  checkTensor(op, 'source', source);
  checkSameDevice(op, 'x', x, 'source', source);
  if (source.dtype !== x.dtype) throw new DTypeError(`${op}: x is ${x.dtype} and source ${source.dtype}; convert one.`);
  const { shape } = x as Tensor;
  if (!broadcastsTo(mask.shape, shape)) {
    throw new ShapeError(`${op}: mask ${formatShape(mask.shape)} does not broadcast to x ${formatShape(shape)}.`);
  }
  return tidy(() => {
    const places = select(coordinates(op, flatten(expand(mask as Tensor, shape))), 1, 0);
    const count = places.numel;
    if (count > source.numel) {
      throw new ShapeError(`${op}: the mask has ${count} places, source only ${source.numel} elements.`);
    }
    const values = narrow(flatten(source as Tensor) as Tensor, 0, 0, count);
    return reshape(scatterOp([flatten(x as Tensor), places, values], { dim: 0 }), shape);
  }) as unknown as Tensor<S, D>;
}
