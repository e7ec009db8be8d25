// Windows: parts of a tensor that are views of it, seen (unfold), and written into a copy (selectScatter and the like).
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, maxRank, normalizeDim, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { addInPlace } from './copy.js';
import { checkTensor, defineOp, filledTensor, type Op } from './define.js';
import { diagonal } from './diagonal.js';
import { expand, makeView, movedim, select, slice } from './view.js';

/** A part of a tensor: a differentiable view of it. @internal */
export type Window = (x: Tensor) => Tensor;

interface IntoZerosAttributes {
  readonly shape: Shape;
  readonly window: Window;
}

const intoZerosOp: Op<IntoZerosAttributes> = defineOp({
  name: 'windowBackward',
  inputs: ['g'],
  shape: (_, { shape }: IntoZerosAttributes) => shape,
  forward: ([out], { g }, { window }) => {
    native.fill(out._handle, 0);
    tidy(() => native.copy(window(out)._handle, g._handle));
  },
  vjp: ([h], _, { window }) => [() => window(h)],
});

/** Zeros of a shape with `values` in a window: the gradient of the window. Differentiable. @internal */
export function intoZeros(values: Tensor, shape: Shape, window: Window): Tensor {
  return intoZerosOp([values], { shape, window });
}

type ReplaceOp = Op<{ readonly window: Window }>;

/** An op that copies x and puts values, which have the window's shape, into a window of the copy. @internal */
export function defineReplace(name: string): ReplaceOp {
  const op: ReplaceOp = defineOp({
    name,
    inputs: ['x', 'src'],
    shape: ({ x }) => x.shape,
    forward: ([out], { x, src }, { window }: { readonly window: Window }) => {
      native.copy(out._handle, x._handle);
      tidy(() => native.copy(window(out)._handle, src._handle));
    },
    vjp: ([g], _, { window }, { inputs: [, src] }) => [
      () => op([g, expand(filledTensor(name, [], g.dtype, g.device, 0) as Tensor, src!.shape)], { window }),
      () => window(g),
    ],
  });
  return op;
}

const selectScatterOp = defineReplace('selectScatter');
const sliceScatterOp = defineReplace('sliceScatter');
const diagonalScatterOp = defineReplace('diagonalScatter');

function scatterInto(op: string, run: ReplaceOp, x: Tensor, src: Tensor, window: Window): Tensor {
  checkTensor(op, 'src', src);
  if (src.dtype !== x.dtype) throw new DTypeError(`${op}: x is ${x.dtype} and src ${src.dtype}; convert one.`);
  const shape = tidy(() => window(x).shape);
  if (!shapesEqual(src.shape, shape)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, src ${formatShape(src.shape)}): src must have the shape of the part that it replaces, ${formatShape(shape)}.`,
    );
  }
  return run([x, src], { window });
}

/**
 * A copy of x with `src` at one position along a dimension: out of place, what `x.select(dim, index).copy_(src)` does.
 *
 * @method
 * @throws ShapeError unless src has the shape of `x.select(dim, index)`; IndexError for a position outside
 */
export function selectScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  src: Tensor<Shape, D>,
  dim: number,
  index: number,
): Tensor<S, D> {
  checkTensor('selectScatter', 'x', x);
  if (x.shape.length === 0) throw new ShapeError('selectScatter: a scalar has no dimensions.');
  const d = normalizeDim('selectScatter', dim, x.shape.length);
  const size = x.shape[d];
  if (!Number.isInteger(index))
    throw new ArgumentError(`selectScatter: index must be an integer, got ${String(index)}.`);
  if (index < -size || index >= size)
    throw new IndexError(`selectScatter: index ${index} is out of range for dimension ${d} of size ${size}.`);
  return scatterInto('selectScatter', selectScatterOp, x, src, (y) => select(y, d, index)) as Tensor<S, D>;
}

/**
 * A copy of x with `src` in a slice: out of place, what `x.slice(dim, start, end, step).copy_(src)` does.
 *
 * @method
 * @param range the slice's `start`, `end` and `step`, as in `slice`
 * @throws ShapeError unless src has the shape of the slice
 * @example
 * x.sliceScatter(rows, 0, { start: 1, end: 3 });
 */
export function sliceScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  src: Tensor<Shape, D>,
  dim = 0,
  range: { start?: number; end?: number; step?: number } = {},
): Tensor<S, D> {
  checkTensor('sliceScatter', 'x', x);
  if (x.shape.length === 0) throw new ShapeError('sliceScatter: a scalar has no dimensions.');
  const d = normalizeDim('sliceScatter', dim, x.shape.length);
  const { start, end, step } = range;
  return scatterInto('sliceScatter', sliceScatterOp, x, src, (y) => slice(y, d, start, end, step)) as Tensor<S, D>;
}

/**
 * A copy of x with `src` on a diagonal: out of place, what `x.diagonal(offset, dim1, dim2).copy_(src)` does.
 *
 * @method
 * @throws ShapeError unless src has the shape of the diagonal
 */
export function diagonalScatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  src: Tensor<Shape, D>,
  offset = 0,
  dim1 = 0,
  dim2 = 1,
): Tensor<S, D> {
  checkTensor('diagonalScatter', 'x', x);
  return scatterInto('diagonalScatter', diagonalScatterOp, x, src, (y) => diagonal(y, offset, dim1, dim2)) as Tensor<
    S,
    D
  >;
}

interface UnfoldAttributes {
  readonly shape: Shape;
  readonly dim: number;
  readonly step: number;
}

// Overlapping windows are added up. Along the shorter of the two dimensions, a strided addition for each position.
const unfoldBackwardOp: Op<UnfoldAttributes> = defineOp({
  name: 'unfoldBackward',
  inputs: ['g'],
  shape: (_, { shape }: UnfoldAttributes) => shape,
  forward: ([out], { g }, { dim, step }) => {
    native.fill(out._handle, 0);
    if (g.numel === 0) return;
    const count = g.shape[dim];
    const size = g.shape[g.shape.length - 1];
    tidy(() => {
      if (size <= step) native.copy(unfoldView(out, dim, size, step)._handle, g._handle);
      else if (size <= count) {
        for (let j = 0; j < size; j++)
          addInPlace(slice(out, dim, j, j + (count - 1) * step + 1, step), select(g, -1, j));
      } else {
        for (let i = 0; i < count; i++)
          addInPlace(slice(out, dim, i * step, i * step + size), movedim(select(g, dim, i), -1, dim));
      }
    });
  },
  vjp: ([h], _, { dim, step }, { inputs: [g] }) => [() => unfoldView(h, dim, g!.shape[g!.shape.length - 1], step)],
});

function unfoldView(x: Tensor, dim: number, size: number, step: number): Tensor {
  const { strides, shape } = x;
  const count = Math.floor((shape[dim] - size) / step) + 1;
  return makeView(
    'unfold',
    x,
    [...shape.map((n, d) => (d === dim ? count : n)), size],
    [...strides.map((stride, d) => (d === dim && count > 1 ? stride * step : stride)), strides[dim]],
    x._offset,
    (g) => unfoldBackwardOp([g], { shape, dim, step }),
  );
}

/**
 * Sliding windows of `size` elements along a dimension, every `step`, as a view: window i is
 * `x.narrow(dim, i * step, size)`, and lies along a new last dimension. The gradient of an element is the sum over the
 * windows that see it.
 *
 * Shapes: `[..., L, ...]` -> `[..., floor((L - size) / step) + 1, ..., size]`.
 *
 * @method
 * @throws ArgumentError unless size is an integer from 0 and step one from 1; ShapeError if size is larger than the
 *   dimension
 * @example
 * arange(5).unfold(0, 3, 1); // [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
 */
export function unfold<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  size: number,
  step: number,
): Tensor<Shape, D> {
  checkTensor('unfold', 'x', x);
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError('unfold: a scalar has no dimensions.');
  const d = normalizeDim('unfold', dim, rank);
  if (!Number.isInteger(size) || size < 0)
    throw new ArgumentError(`unfold: size must be an integer from 0, got ${String(size)}.`);
  if (!Number.isInteger(step) || step < 1)
    throw new ArgumentError(`unfold: step must be an integer above 0, got ${String(step)}.`);
  if (size > x.shape[d]) {
    throw new ShapeError(
      `unfold: a window of ${size} is larger than dimension ${d} of x ${formatShape(x.shape)}, which is ${x.shape[d]}.`,
    );
  }
  if (rank === maxRank) {
    throw new ShapeError(
      `unfold: x of shape ${formatShape(x.shape)} has ${rank} dimensions already, the most a tensor can have.`,
    );
  }
  return unfoldView(x, d, size, step) as Tensor<Shape, D>;
}
