// Views: other windows on the same memory. Only reshape of a strided tensor ever copies.
import { isGradEnabled } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, IndexError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import {
  broadcastStrides,
  broadcastsTo,
  contiguousStrides,
  expandShape,
  flattenShape,
  formatShape,
  isContiguous,
  maxRank,
  normalizeDim,
  normalizeDims,
  numel,
  permutation,
  reshapeShape,
  shapesEqual,
  squeezeShape,
  viewStrides,
  type Shape,
} from '../shape.js';
import { viewTensor, type Tensor } from '../tensor/tensor.js';
import type { ChunkShape, SplitShape } from '../types/join.js';
import type {
  DimCheck,
  ExpandCheck,
  ExpandShape,
  FlattenShape,
  PermuteCheck,
  PermuteShape,
  ReduceShape,
  ReshapeCheck,
  ReshapeShape,
  SqueezeShape,
  TransposeShape,
  UnsqueezeCheck,
  UnsqueezeShape,
  WithDim,
} from '../types/shape.js';
import { contiguous } from './copy.js';
import { checkTensor, definedOps, filledTensor, needsRecord, record } from './define.js';

/**
 * Another window on x's memory, recorded with the gradient `vjp`. Strides that say no more than "contiguous" are left out,
 * so that the fast paths see them.
 *
 * @internal
 */
export function makeView(
  op: string,
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset: number,
  vjp: (g: Tensor) => Tensor,
): Tensor {
  const out = viewTensor(x, shape, isContiguous(shape, strides) ? null : strides, offset);
  if (needsRecord([x]))
    record(
      op,
      [x],
      [out],
      () => [],
      ([g]) => [() => vjp(g)],
    );
  return out;
}

for (const name of ['reshape', 'permute', 'expand', 'slice']) definedOps.add(name);

/**
 * The same elements in row-major order under another shape: a view if strides allow, else a copy. One size may be -1.
 *
 * @method
 * @throws ShapeError if the number of elements differs
 * @example
 * x.reshape([2, -1]);
 */
export function reshape<S extends Shape, D extends DType, const N extends Shape>(
  x: Tensor<S, D>,
  shape: N & ReshapeCheck<S, N>,
): Tensor<ReshapeShape<S, N>, D> {
  checkTensor('reshape', 'x', x);
  const target = reshapeShape('reshape', x.shape, shape);
  type Out = Tensor<ReshapeShape<S, N>, D>;
  if (shapesEqual(target, x.shape)) return x as unknown as Out;
  const strides = x._strides === null ? contiguousStrides(target) : viewStrides(x.shape, x._strides, target);
  const from: Shape = x.shape;
  if (strides === null) return reshape(contiguous(x) as Tensor, target) as unknown as Out;
  return makeView('reshape', x, target, strides, x._offset, (g) => reshape(g, from)) as unknown as Out;
}

/**
 * As `reshape`, but refuses views that only a copy could serve. A channels-last tensor is copied: that its elements lie so
 * was the choice of the convolution that made it.
 *
 * @method
 * @throws ShapeError if only a copy could have that shape
 */
export function view<S extends Shape, D extends DType, const N extends Shape>(
  x: Tensor<S, D>,
  shape: N & ReshapeCheck<S, N>,
): Tensor<ReshapeShape<S, N>, D> {
  checkTensor('view', 'x', x);
  const target = reshapeShape('view', x.shape, shape);
  if (x._strides !== null && x.memoryFormat !== 'channelsLast' && viewStrides(x.shape, x._strides, target) === null) {
    throw new ShapeError(
      `view(x ${formatShape(x.shape)}, ${formatShape(target)}): strides ${formatShape(x.strides)} do not allow a view; use reshape(), which copies.`,
    );
  }
  return reshape(x as Tensor, target) as unknown as Tensor<ReshapeShape<S, N>, D>;
}

/**
 * Dimensions `startDim` to `endDim`, both included, become one.
 *
 * @method
 */
export function flatten<S extends Shape, D extends DType, const A extends number = 0, const B extends number = -1>(
  x: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
  startDim?: A,
  endDim?: B,
): Tensor<FlattenShape<S, A, B>, D> {
  checkTensor('flatten', 'x', x);
  const rank = x.shape.length;
  const start = normalizeDim('flatten', startDim ?? 0, rank, 'startDim');
  const end = normalizeDim('flatten', endDim ?? -1, rank, 'endDim');
  return reshape(x as Tensor, flattenShape('flatten', x.shape, start, end)) as unknown as Tensor<
    FlattenShape<S, A, B>,
    D
  >;
}

/**
 * The dimensions in another order.
 *
 * @method
 * @throws ArgumentError unless every dimension is named once
 */
export function permute<S extends Shape, D extends DType, const P extends readonly number[]>(
  x: Tensor<S, D> & PermuteCheck<S, P>,
  dims: P,
): Tensor<PermuteShape<S, P>, D> {
  checkTensor('permute', 'x', x);
  const order = permutation('permute', dims, x.shape.length);
  return permuteView(x, order) as Tensor<PermuteShape<S, P>, D>;
}

function permuteView(x: Tensor, order: readonly number[]): Tensor {
  const { strides } = x;
  const inverse = new Array<number>(order.length);
  order.forEach((d, i) => {
    inverse[d] = i;
  });
  return makeView(
    'permute',
    x,
    order.map((d) => x.shape[d]),
    order.map((d) => strides[d]),
    x._offset,
    (g) => permuteView(g, inverse),
  );
}

/**
 * Two dimensions swapped.
 *
 * @method
 */
export function transpose<S extends Shape, D extends DType, const A extends number, const B extends number>(
  x: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
  dim0: A,
  dim1: B,
): Tensor<TransposeShape<S, A, B>, D> {
  checkTensor('transpose', 'x', x);
  const rank = x.shape.length;
  const a = normalizeDim('transpose', dim0, rank, 'dim0');
  const b = normalizeDim('transpose', dim1, rank, 'dim1');
  const order = x.shape.map((_, d) => (d === a ? b : d === b ? a : d));
  return permuteView(x, order) as Tensor<TransposeShape<S, A, B>, D>;
}

/**
 * A matrix transposed; a vector or scalar as it is.
 *
 * @method
 * @throws ShapeError for more than 2 dimensions; use mT or transpose
 */
export function t<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
): Tensor<S extends readonly [number, number] ? TransposeShape<S> : S, D> {
  checkTensor('t', 'x', x);
  if (x.shape.length > 2)
    throw new ShapeError(
      `t: expected at most 2 dimensions, got shape ${formatShape(x.shape)}; use mT() or transpose().`,
    );
  return (x.shape.length < 2 ? x : permuteView(x, [1, 0])) as Tensor<
    S extends readonly [number, number] ? TransposeShape<S> : S,
    D
  >;
}

/**
 * The last two dimensions swapped: a batch of matrices transposed.
 *
 * @method
 * @throws ShapeError for fewer than 2 dimensions
 */
export function mT<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<TransposeShape<S>, D> {
  checkTensor('mT', 'x', x);
  const rank = x.shape.length;
  if (rank < 2) throw new ShapeError(`mT: expected at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  const order = x.shape.map((_, d) => (d === rank - 2 ? rank - 1 : d === rank - 1 ? rank - 2 : d));
  return permuteView(x, order) as Tensor<TransposeShape<S>, D>;
}

/**
 * Dimensions moved to other places, the others in order: dimension `source[i]` becomes `destination[i]`.
 *
 * @method
 * @throws ArgumentError if a dimension is named twice, or the lists differ in length
 * @example
 * x.movedim(0, -1); // the first dimension becomes the last
 */
export function movedim<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor<Shape, D> {
  return moveDims('movedim', x, source, destination) as Tensor<Shape, D>;
}

/** @internal */
export function moveDims(
  op: string,
  x: Tensor,
  source: number | readonly number[],
  destination: number | readonly number[],
): Tensor {
  checkTensor(op, 'x', x);
  const rank = x.shape.length;
  const list = (dims: number | readonly number[], name: string): number[] =>
    Array.isArray(dims)
      ? normalizeDims(op, dims as readonly number[], rank, name)
      : [normalizeDim(op, dims as number, rank, name)];
  const from = list(source, 'source');
  const to = list(destination, 'destination');
  if (from.length !== to.length) {
    throw new ArgumentError(
      `${op}: source names ${from.length} dimensions and destination ${to.length}; they must be as many.`,
    );
  }
  if (rank === 0) return x;
  const rest = x.shape.map((_, d) => d).filter((d) => !from.includes(d));
  const order = x.shape.map((_, d) => {
    const at = to.indexOf(d);
    return at >= 0 ? from[at] : rest.shift()!;
  });
  return permuteView(x, order);
}

/**
 * Dimensions of size 1 stretched without copying; -1 keeps a size, new dimensions may be added on the left.
 *
 * @method
 * @throws ShapeError if a size other than 1 would change
 */
export function expand<S extends Shape, D extends DType, const N extends Shape>(
  x: Tensor<S, D>,
  shape: N & ExpandCheck<S, N>,
): Tensor<ExpandShape<S, N>, D> {
  checkTensor('expand', 'x', x);
  const target = expandShape('expand', x.shape, shape);
  type Out = Tensor<ExpandShape<S, N>, D>;
  if (shapesEqual(target, x.shape)) return x as unknown as Out;
  const strides = broadcastStrides(x.shape, x.strides, target);
  // Backward sums a gradient down to the input's shape by itself.
  return makeView('expand', x, target, strides, x._offset, (g) => g) as unknown as Out;
}

/**
 * x stretched to a shape that it broadcasts to.
 *
 * @method
 */
export function broadcastTo<S extends Shape, D extends DType, const N extends Shape>(
  x: Tensor<S, D>,
  shape: N,
): Tensor<N, D> {
  checkTensor('broadcastTo', 'x', x);
  if (Array.isArray(shape) && !broadcastsTo(x.shape, shape)) {
    throw new ShapeError(`broadcastTo: shape ${formatShape(x.shape)} does not broadcast to ${formatShape(shape)}.`);
  }
  return expand(x as Tensor, shape as Shape) as unknown as Tensor<N, D>;
}

/**
 * Without dimensions of size 1: all of them, or those named (named ones of another size stay).
 *
 * @method
 */
export function squeeze<
  S extends Shape,
  D extends DType,
  const Dim extends number | readonly number[] | undefined = undefined,
>(x: Tensor<S, D> & DimCheck<S, Dim>, dim?: Dim): Tensor<SqueezeShape<S, Dim>, D> {
  checkTensor('squeeze', 'x', x);
  const dims =
    dim === undefined ? undefined : normalizeDims('squeeze', typeof dim === 'number' ? [dim] : dim, x.shape.length);
  return reshapeByDims('squeeze', x, squeezeShape(x.shape, dims), dims) as Tensor<SqueezeShape<S, Dim>, D>;
}

// squeeze and unsqueeze keep strides even where reshape would have to copy.
function reshapeByDims(op: string, x: Tensor, shape: Shape, dims: readonly number[] | undefined): Tensor {
  if (shape.length === x.shape.length) return x;
  const strides = x.strides.filter((_, d) => x.shape[d] !== 1 || (dims !== undefined && !dims.includes(d)));
  const from = x.shape;
  return makeView(op, x, shape, strides, x._offset, (g) => reshape(g, from));
}

/**
 * A new dimension of size 1 at `dim`.
 *
 * @method
 */
export function unsqueeze<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & UnsqueezeCheck<S, Dim>,
  dim: Dim,
): Tensor<UnsqueezeShape<S, Dim>, D> {
  checkTensor('unsqueeze', 'x', x);
  const rank = x.shape.length;
  const at = normalizeDim('unsqueeze', dim, rank + 1);
  if (rank === maxRank)
    throw new ShapeError(
      `unsqueeze: x of shape ${formatShape(x.shape)} has ${rank} dimensions already, the most a tensor can have.`,
    );
  const shape = [...x.shape.slice(0, at), 1, ...x.shape.slice(at)];
  const { strides } = x;
  const step = at < rank ? strides[at] * x.shape[at] : 1;
  const from: Shape = x.shape;
  return makeView('unsqueeze', x, shape, [...strides.slice(0, at), step, ...strides.slice(at)], x._offset, (g) =>
    reshape(g, from),
  ) as Tensor<UnsqueezeShape<S, Dim>, D>;
}

/** Elements start, start + step, ... (`length` of them) along a dimension; all checked. Differentiable. @internal */
export function sliceView(x: Tensor, dim: number, start: number, length: number, step: number): Tensor {
  const strides = [...x.strides];
  const shape = x.shape.map((n, d) => (d === dim ? length : n));
  // Of nothing there is no first element; and a single one needs no stride, which a huge step would make overflow.
  const offset = x._offset + (numel(shape) === 0 ? 0 : start * strides[dim]);
  if (length > 1) strides[dim] *= step;
  const from = x.shape;
  return makeView('slice', x, shape, strides, offset, (g) => sliceBackward(g, from, dim, start, step));
}

// The gradient of a slice: zeros with g in the slice's place. Linear, so its own gradient is the slice of the gradient.
function sliceBackward(g: Tensor, shape: Shape, dim: number, start: number, step: number): Tensor {
  const out = filledTensor('sliceBackward', shape, g.dtype, g.device, 0);
  const length = g.shape[dim];
  if (g.numel > 0) {
    const strides = out.strides.map((stride, d) => (d === dim && length > 1 ? stride * step : stride));
    const window = viewTensor(out, g.shape, strides, out._offset + start * out.strides[dim]);
    native.copy(window._handle, g._handle);
    window.dispose();
  }
  if (isGradEnabled() && needsRecord([g])) {
    record(
      'sliceBackward',
      [g],
      [out],
      () => [],
      ([gg]) => [() => sliceView(gg, dim, start, length, step)],
    );
  }
  return out;
}

/**
 * Elements `start` to `end` (not included) along a dimension, every `step`-th, as JavaScript's and Python's slices: negative
 * positions count from the end, positions beyond the ends are cut.
 *
 * @method
 * @throws ArgumentError unless step is an integer above 0
 * @example
 * x.slice(1, 2, 5); // columns 2, 3, 4
 */
export function slice<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  start?: number,
  end?: number,
  step = 1,
): Tensor<WithDim<S, Dim, number>, D> {
  checkTensor('slice', 'x', x);
  const d = dimensionOf('slice', x, dim);
  const size = x.shape[d];
  for (const [name, value] of [
    ['start', start],
    ['end', end],
  ] as const) {
    if (
      value !== undefined &&
      (typeof value !== 'number' || Number.isNaN(value) || (Number.isFinite(value) && !Number.isInteger(value)))
    ) {
      throw new ArgumentError(`slice: ${name} must be an integer, got ${String(value)}.`);
    }
  }
  if (!Number.isInteger(step) || step < 1)
    throw new ArgumentError(`slice: step must be an integer above 0, got ${String(step)}.`);
  const clampTo = (value: number): number => Math.max(0, Math.min(size, value < 0 ? value + size : value));
  const from = clampTo(start ?? 0);
  const to = clampTo(end ?? size);
  const length = Math.max(0, Math.ceil((to - from) / step));
  return sliceView(x, d, from, length, step) as Tensor<WithDim<S, Dim, number>, D>;
}

function dimensionOf(op: string, x: Tensor, dim: number): number {
  if (x.shape.length === 0) throw new ShapeError(`${op}: a scalar has no dimensions.`);
  return normalizeDim(op, dim, x.shape.length);
}

/**
 * `length` elements from `start` along a dimension.
 *
 * @method
 * @throws IndexError if they are not all there
 */
export function narrow<S extends Shape, D extends DType, const Dim extends number, const L extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  start: number,
  length: L,
): Tensor<WithDim<S, Dim, L>, D> {
  checkTensor('narrow', 'x', x);
  const d = dimensionOf('narrow', x, dim);
  const size = x.shape[d];
  if (!Number.isInteger(start) || !Number.isInteger(length)) {
    throw new ArgumentError(`narrow: start and length must be integers, got ${String(start)} and ${String(length)}.`);
  }
  const from = start < 0 ? start + size : start;
  if (from < 0 || length < 0 || from + length > size) {
    throw new IndexError(`narrow: ${length} elements from ${start} are outside dimension ${d} of size ${size}.`);
  }
  return sliceView(x, d, from, length, 1) as Tensor<WithDim<S, Dim, L>, D>;
}

/**
 * One position along a dimension, which is removed.
 *
 * @method
 * @throws IndexError if the position is outside
 */
export function select<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  index: number,
): Tensor<ReduceShape<S, Dim, false>, D> {
  checkTensor('select', 'x', x);
  const d = dimensionOf('select', x, dim);
  const size = x.shape[d];
  if (!Number.isInteger(index)) throw new ArgumentError(`select: index must be an integer, got ${String(index)}.`);
  if (index < -size || index >= size) {
    throw new IndexError(`select: index ${index} is out of range for dimension ${d} of size ${size}.`);
  }
  const picked = sliceView(x, d, index < 0 ? index + size : index, 1, 1);
  return squeeze(picked, d) as unknown as Tensor<ReduceShape<S, Dim, false>, D>;
}

/**
 * Views of at most `size` along a dimension, or of the sizes listed.
 *
 * @method
 * @throws ArgumentError if the sizes do not add up to the dimension
 */
export function split<
  S extends Shape,
  D extends DType,
  const N extends number | readonly number[],
  const Dim extends number = 0,
>(x: Tensor<S, D> & DimCheck<S, Dim>, size: N, dim: Dim = 0 as Dim): Tensor<SplitShape<S, N, Dim>, D>[] {
  checkTensor('split', 'x', x);
  const d = dimensionOf('split', x, dim);
  const total = x.shape[d];
  let sizes: readonly number[];
  if (typeof size === 'number') {
    if (!Number.isInteger(size) || size < 1)
      throw new ArgumentError(`split: size must be an integer above 0, got ${String(size)}.`);
    sizes = Array.from({ length: Math.max(1, Math.ceil(total / size)) }, (_, i) => Math.min(size, total - i * size));
  } else {
    if (!Array.isArray(size))
      throw new ArgumentError(`split: size must be an integer or a list of them, got a ${typeof size}.`);
    sizes = size as readonly number[];
    const sum = sizes.reduce((a, b) => a + b, 0);
    if (sizes.some((n) => !Number.isInteger(n) || n < 0) || sum !== total) {
      throw new ArgumentError(
        `split: sizes [${sizes.join(',')}] do not add up to ${total}, the size of dimension ${d}.`,
      );
    }
  }
  let start = 0;
  return sizes.map((n) => {
    const part = sliceView(x, d, start, n, 1) as unknown as Tensor<SplitShape<S, N, Dim>, D>;
    start += n;
    return part;
  });
}

/**
 * `count` views of equal size along a dimension; the last may be smaller, and there may be fewer, as in PyTorch.
 *
 * @method
 */
export function chunk<S extends Shape, D extends DType, const N extends number, const Dim extends number = 0>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  count: N,
  dim: Dim = 0 as Dim,
): Tensor<ChunkShape<S, N, Dim>, D>[] {
  checkTensor('chunk', 'x', x);
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`chunk: count must be an integer above 0, got ${String(count)}.`);
  const d = dimensionOf('chunk', x, dim);
  return split(x as Tensor, Math.max(1, Math.ceil(x.shape[d] / count)), d) as unknown as Tensor<
    ChunkShape<S, N, Dim>,
    D
  >[];
}

/**
 * The slices along a dimension, which is removed.
 *
 * @method
 */
export function unbind<S extends Shape, D extends DType, const Dim extends number = 0>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim = 0 as Dim,
): Tensor<ReduceShape<S, Dim>, D>[] {
  checkTensor('unbind', 'x', x);
  const d = dimensionOf('unbind', x, dim);
  return Array.from({ length: x.shape[d] }, (_, i) => select(x as Tensor, d, i)) as unknown as Tensor<
    ReduceShape<S, Dim>,
    D
  >[];
}
