// Other names and forms of the views of view.ts.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { broadcastShapes, formatShape, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck, FlattenShape, TransposeShape } from '../types/shape.js';
import { checkTensor } from './define.js';
import { expand, flatten, moveDims, reshape, transpose, view } from './view.js';

/**
 * All elements in one dimension: a view if strides allow, else a copy.
 *
 * @method
 */
export function ravel<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<FlattenShape<S>, D> {
  checkTensor('ravel', 'x', x);
  return flatten(x as Tensor) as unknown as Tensor<FlattenShape<S>, D>;
}

/**
 * One dimension split into several: the opposite of `flatten`. One of the sizes may be -1.
 *
 * @method
 * @throws ShapeError unless the sizes multiply to that of the dimension
 * @example
 * x.unflatten(1, [3, -1]); // [2,6] -> [2,3,2]
 */
export function unflatten<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  sizes: readonly number[],
): Tensor<Shape, D> {
  checkTensor('unflatten', 'x', x);
  if (x.shape.length === 0) throw new ShapeError('unflatten: a scalar has no dimensions.');
  const d = normalizeDim('unflatten', dim, x.shape.length);
  const given: unknown = sizes;
  if (!Array.isArray(given) || given.length === 0)
    throw new ArgumentError('unflatten: sizes must be a list of at least one integer.');
  const size = x.shape[d];
  const known = sizes.reduce((n, item) => (item === -1 ? n : n * item), 1);
  const free = sizes.filter((item) => item === -1).length;
  if (
    sizes.some((item) => !Number.isInteger(item) || item < -1) ||
    free > 1 ||
    (free === 1 ? known === 0 || size % known !== 0 : known !== size)
  ) {
    throw new ShapeError(
      `unflatten(x ${formatShape(x.shape)}, ${dim}, ${formatShape(sizes)}): the sizes do not multiply to ${size}, the size of dimension ${d}.`,
    );
  }
  const split = sizes.map((item) => (item === -1 ? size / known : item));
  return reshape(x as Tensor, [...x.shape.slice(0, d), ...split, ...x.shape.slice(d + 1)]) as Tensor<Shape, D>;
}

/**
 * Two dimensions swapped; another name of `transpose`.
 *
 * @method
 */
export function swapaxes<S extends Shape, D extends DType, const A extends number, const B extends number>(
  x: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
  axis0: A,
  axis1: B,
): Tensor<TransposeShape<S, A, B>, D> {
  return transpose(x, axis0, axis1);
}

/**
 * Two dimensions swapped; another name of `transpose`.
 *
 * @method
 */
export function swapdims<S extends Shape, D extends DType, const A extends number, const B extends number>(
  x: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
  dim0: A,
  dim1: B,
): Tensor<TransposeShape<S, A, B>, D> {
  return transpose(x, dim0, dim1);
}

/**
 * Dimensions moved to other places; another name of `movedim`.
 *
 * @method
 */
export function moveaxis<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor<Shape, D> {
  return moveDims('moveaxis', x, source, destination) as Tensor<Shape, D>;
}

/**
 * x stretched to the shape of another tensor, without copying.
 *
 * @method
 * @throws ShapeError if a size other than 1 would change
 */
export function expandAs<S extends Shape, D extends DType, N extends Shape>(
  x: Tensor<S, D>,
  other: Tensor<N>,
): Tensor<N, D> {
  checkTensor('expandAs', 'other', other);
  return expand(x as Tensor, other.shape as Shape) as unknown as Tensor<N, D>;
}

/**
 * x under the shape of another tensor; never copies.
 *
 * @method
 * @throws ShapeError if the number of elements differs, or only a copy could have that shape
 */
export function viewAs<S extends Shape, D extends DType, N extends Shape>(
  x: Tensor<S, D>,
  other: Tensor<N>,
): Tensor<N, D> {
  checkTensor('viewAs', 'other', other);
  return view(x as Tensor, other.shape as Shape) as unknown as Tensor<N, D>;
}

/**
 * x under the shape of another tensor: a view if strides allow, else a copy.
 *
 * @method
 * @throws ShapeError if the number of elements differs
 */
export function reshapeAs<S extends Shape, D extends DType, N extends Shape>(
  x: Tensor<S, D>,
  other: Tensor<N>,
): Tensor<N, D> {
  checkTensor('reshapeAs', 'other', other);
  return reshape(x as Tensor, other.shape as Shape) as unknown as Tensor<N, D>;
}

/**
 * All tensors stretched to the shape that they broadcast to, without copying.
 *
 * @throws ShapeError if they do not broadcast
 */
export function broadcastTensors(...tensors: Tensor[]): Tensor[] {
  tensors.forEach((tensor, i) => checkTensor('broadcastTensors', `tensors[${i}]`, tensor));
  const shape = broadcastShapes(
    'broadcastTensors',
    tensors.map((_, i) => `tensors[${i}]`),
    tensors.map((tensor) => tensor.shape),
  );
  return tensors.map((tensor) => expand(tensor, shape));
}

/** A scalar as a vector of one element; anything else as it is. */
export function atleast1d<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkTensor('atleast1d', 'x', x);
  return x.shape.length > 0 ? x : (reshape(x as Tensor, [1]) as unknown as Tensor<Shape, D>);
}

/** A scalar as a 1 x 1 matrix, a vector as a row; anything else as it is. */
export function atleast2d<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkTensor('atleast2d', 'x', x);
  return x.shape.length > 1 ? x : (reshape(x as Tensor, [1, x.numel]) as unknown as Tensor<Shape, D>);
}

/** A scalar as `[1, 1, 1]`, a vector as `[1, n, 1]`, a matrix as `[n, m, 1]`; anything else as it is. */
export function atleast3d<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkTensor('atleast3d', 'x', x);
  const { shape } = x;
  if (shape.length > 2) return x;
  return reshape(x as Tensor, shape.length === 2 ? [...shape, 1] : [1, x.numel, 1]) as unknown as Tensor<Shape, D>;
}
