// Picking elements by index: gather, scatterAdd, indexSelect, embedding, oneHot. Index expressions are in advanced.ts.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import { viewTensor, type Tensor } from '../tensor/tensor.js';
import type { DimCheck, LastDim, WithDim } from '../types/shape.js';
import { checkTensor, defineOp, filledTensor, type Op } from './define.js';
import { div } from './arithmetic.js';
import { eq } from './compare.js';
import { maskedFill } from './mask.js';
import { amax } from './reduce.js';
import { reshape, slice, unsqueeze } from './view.js';

/** Refuses what is no tensor of indices. @internal */
export function checkIndex(op: string, name: string, index: Tensor): void {
  checkTensor(op, name, index);
  if (index.dtype !== 'int64' && index.dtype !== 'int32') {
    throw new DTypeError(`${op}: ${name} must be int64 or int32, got ${index.dtype}.`);
  }
}

/** Checks that an index fits a tensor in all dimensions but one. @internal */
export function checkAlong(op: string, x: Tensor, index: Tensor, dim: number, what: string): void {
  if (index.shape.length !== x.shape.length) {
    throw new ShapeError(
      `${op}: index ${formatShape(index.shape)} and ${what} ${formatShape(x.shape)} must have the same rank.`,
    );
  }
  x.shape.forEach((n, d) => {
    if (d !== dim && index.shape[d] > n) {
      throw new ShapeError(
        `${op}: index ${formatShape(index.shape)} is larger than ${what} ${formatShape(x.shape)} in dimension ${d}.`,
      );
    }
  });
}

/** @internal */
export const gatherOp: Op<{ dim: number }> = defineOp({
  name: 'gather',
  inputs: ['x', 'index'],
  saves: { x: ['index'] },
  shape: ({ index }) => index.shape,
  dtype: ({ x }) => x.dtype,
  forward: ([out], { x, index }, { dim }: { dim: number }) => native.gather(out._handle, x._handle, index._handle, dim),
  vjp: ([g], { index }, { dim }, { inputs: [x] }) => [() => scatterAlong(x!.shape, dim, index, g), null],
});

/** @internal */
export const scatterAddOp: Op<{ dim: number }> = defineOp({
  name: 'scatterAdd',
  inputs: ['x', 'index', 'src'],
  saves: { src: ['index'] },
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => x.dtype,
  forward: ([out], { x, index, src }, { dim }: { dim: number }) => {
    native.copy(out._handle, x._handle);
    native.scatterAdd(out._handle, index._handle, src._handle, dim);
  },
  vjp: ([g], { index }, { dim }) => [() => g, null, () => gatherOp([g, index], { dim })],
});

/** Zeros of a shape with `src` added at `index` along `dim`. Differentiable. @internal */
export function scatterAlong(shape: Shape, dim: number, index: Tensor, src: Tensor): Tensor {
  return scatterAddOp([filledTensor('scatterAdd', shape, src.dtype, src.device, 0), index, src], { dim });
}

/**
 * `out[i][j][k] = x[i][index[i][j][k]][k]` for dim 1: elements picked along a dimension. The result has index's shape.
 *
 * @method
 * @param index int64 or int32, of x's rank, not larger than x in other dimensions; values from 0 to the size less 1
 * @throws IndexError (at the next read) for an index that is out of range
 */
export function gather<S extends Shape, D extends DType, I extends Shape>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<I, 'int64' | 'int32'>,
): Tensor<I, D> {
  checkTensor('gather', 'x', x);
  checkIndex('gather', 'index', index);
  const d = normalizeDim('gather', dim, x.shape.length);
  checkAlong('gather', x, index, d, 'x');
  return gatherOp([x, index], { dim: d }) as Tensor<I, D>;
}

/**
 * A copy of x in which `src` is added: `out[i][index[i][j][k]][k] += src[i][j][k]` for dim 1. Deterministic: in the order of
 * src's elements.
 *
 * @method
 * @throws IndexError (at the next read) for an index that is out of range
 */
export function scatterAdd<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: Tensor<Shape, 'int64' | 'int32'>,
  src: Tensor<Shape, D>,
): Tensor<S, D> {
  checkTensor('scatterAdd', 'x', x);
  checkTensor('scatterAdd', 'src', src);
  checkIndex('scatterAdd', 'index', index);
  const d = normalizeDim('scatterAdd', dim, x.shape.length);
  if (src.dtype !== x.dtype) throw new DTypeError(`scatterAdd: x is ${x.dtype} and src ${src.dtype}; convert one.`);
  checkAlong('scatterAdd', x, index, d, 'x');
  checkAlong('scatterAdd', src, index, -1, 'src');
  const window = src.shape.every((n, i) => n === index.shape[i])
    ? src
    : index.shape.reduce<Tensor>((part, n, i) => slice(part, i, 0, n), src);
  return scatterAddOp([x, index, window], { dim: d }) as Tensor<S, D>;
}

interface EmbeddingAttributes {
  /** The gradient of this row is 0; -1: of none. */
  readonly paddingIdx: number;
  /** The gradients of a row are divided by how often it occurs. */
  readonly byFrequency?: boolean;
}
const wholeTable: EmbeddingAttributes = { paddingIdx: -1 };

/** @internal */
export const embeddingOp: Op<EmbeddingAttributes> = defineOp({
  name: 'embedding',
  inputs: ['weight', 'indices'],
  saves: { weight: ['indices'] },
  shape: ({ weight, indices }) => [...indices.shape, ...weight.shape.slice(1)],
  dtype: ({ weight }) => weight.dtype,
  forward: ([out], { weight, indices }) => native.embedding(out._handle, weight._handle, indices._handle),
  vjp: ([g], { indices }, { paddingIdx, byFrequency }: EmbeddingAttributes, { inputs: [weight] }) => [
    () => {
      const { shape } = weight!;
      const grads = byFrequency === true ? div(g, frequencies(shape[0], indices, g.dtype)) : g;
      return embeddingBackwardOp([grads, indices], { shape, paddingIdx });
    },
    null,
  ],
});

// How often the row of each index occurs, shaped to broadcast with the rows.
function frequencies(rows: number, indices: Tensor, dtype: DType): Tensor {
  const flat = reshape(indices, [indices.numel]);
  const one = filledTensor('embeddingBackward', flat.shape, dtype, indices.device, 1) as Tensor;
  const counts = scatterAlong([rows], 0, flat, one);
  return reshape(gatherOp([counts, flat], { dim: 0 }), [...indices.shape, 1]);
}

const embeddingBackwardOp: Op<EmbeddingAttributes & { shape: Shape }> = defineOp({
  name: 'embeddingBackward',
  inputs: ['g', 'indices'],
  saves: { g: ['indices'] },
  shape: (_, { shape }: EmbeddingAttributes & { shape: Shape }) => shape,
  dtype: ({ g }) => g.dtype,
  forward: ([out], { g, indices }, { paddingIdx }) => {
    native.fill(out._handle, 0);
    native.embeddingBackward(out._handle, g._handle, indices._handle);
    if (paddingIdx < 0) return;
    const row = viewTensor(out, out.shape.slice(1), null, paddingIdx * out.shape[1]);
    native.fill(row._handle, 0);
    row.dispose();
  },
  vjp: ([h], { indices }, { paddingIdx }) => [
    () => {
      const rows = embeddingOp([h, indices], wholeTable);
      return paddingIdx < 0 ? rows : maskedFill(rows, unsqueeze(eq(indices, paddingIdx) as Tensor, -1) as Mask, 0);
    },
    null,
  ],
});

type Mask = Tensor<Shape, 'bool'>;

/**
 * The slices of x at the positions in `index` along a dimension, in that order; positions may repeat.
 *
 * @method
 * @param index int64 or int32, 1-d
 * @throws IndexError (at the next read) for a position that is out of range
 */
export function indexSelect<S extends Shape, D extends DType, const Dim extends number, I extends Shape>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  index: Tensor<I, 'int64' | 'int32'>,
): Tensor<WithDim<S, Dim, LastDim<I>>, D> {
  checkTensor('indexSelect', 'x', x);
  checkIndex('indexSelect', 'index', index);
  if (index.shape.length !== 1)
    throw new ShapeError(`indexSelect: index must have 1 dimension, got shape ${formatShape(index.shape)}.`);
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError('indexSelect: a scalar has no dimensions.');
  const d = normalizeDim('indexSelect', dim, rank);
  // Of a table, whole rows; else the index stands for every position of the other dimensions.
  const out =
    d === 0 && rank === 2
      ? embeddingOp([x, index], wholeTable)
      : gatherOp([x, alongDim(index, x.shape, d)], { dim: d });
  return out as unknown as Tensor<WithDim<S, Dim, LastDim<I>>, D>;
}

/** A 1-d index as gather wants it: the same for every position of the dimensions beside `dim`. Not recorded. @internal */
export function alongDim(index: Tensor, shape: Shape, dim: number): Tensor {
  const { length } = shape;
  const target = shape.map((n, d) => (d === dim ? index.shape[0] : n));
  const strides = target.map((_, d) => (d === dim ? index.strides[0] : 0));
  return length === 1 ? index : viewTensor(index, target, strides, index._offset);
}

/**
 * Vectors of zeros with a one at each index.
 *
 * @param classes the length of the vectors; by default the largest index and one
 * @throws IndexError (at the next read) for an index below 0 or not below `classes`
 * @returns int64, of shape `[...indices.shape, classes]`
 */
export function oneHot<S extends Shape>(
  indices: Tensor<S, 'int64' | 'int32'>,
  classes?: number,
): Tensor<readonly [...S, number], 'int64'> {
  checkIndex('oneHot', 'indices', indices);
  const count =
    classes ?? (indices.numel === 0 ? 0 : Number(amax(indices as Tensor<Shape, 'int64' | 'int32'>).itemSync()) + 1);
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`oneHot: classes must be an integer above 0, got ${String(count)}.`);
  const column = unsqueeze(indices as Tensor, -1);
  // Scattering, not comparing: an index that is no class is an error.
  const one = filledTensor('oneHot', column.shape, 'int64', indices.device, 1);
  return scatterAlong([...indices.shape, count], indices.shape.length, column, one) as Tensor<
    readonly [...S, number],
    'int64'
  >;
}

/** Refuses tensors that cannot carry gradients. @internal */
export function requireFloatInput(op: string, name: string, x: Tensor): void {
  checkTensor(op, name, x);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: ${name} must be a float tensor, got ${x.dtype}.`);
}
