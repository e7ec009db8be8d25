// Joining tensors: cat and stack.
import { promoteTypes, type DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import { emptyTensor, viewTensor, type Tensor } from '../tensor/tensor.js';
import type { CatCheck, CatShape, StackCheck, StackShape, TensorsOf } from '../types/join.js';
import { cast } from './copy.js';
import { checkSameDevice, checkTensor, definedOps, needsRecord, record } from './define.js';
import { sliceView, unsqueeze } from './view.js';

definedOps.add('cat');

/**
 * Tensors one after the other along a dimension. They have the same shape but for that dimension; dtypes are promoted.
 *
 * @throws ShapeError if the other dimensions differ; ArgumentError for an empty list
 * @example
 * cat([x, y], 1);
 */
export function cat<const S extends readonly Shape[] | [], D extends DType, const Dim extends number = 0>(
  tensors: TensorsOf<S> & readonly Tensor<Shape, D>[] & CatCheck<S, Dim>,
  dim: Dim = 0 as Dim,
): Tensor<CatShape<S, Dim>, D> {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError('cat: expected a list of at least one tensor.');
  const given: readonly Tensor[] = tensors;
  given.forEach((tensor, i) => checkTensor('cat', `tensors[${i}]`, tensor));
  const first = given[0];
  const rank = first.shape.length;
  if (rank === 0) throw new ShapeError('cat: scalars have no dimension to join along; use stack().');
  const d = normalizeDim('cat', dim, rank);
  let total = 0;
  let dtype: DType = first.dtype;
  given.forEach((tensor, i) => {
    checkSameDevice('cat', 'tensors[0]', first, `tensors[${i}]`, tensor);
    if (tensor.shape.length !== rank || tensor.shape.some((n, k) => k !== d && n !== first.shape[k])) {
      throw new ShapeError(
        `cat: tensors[${i}] has shape ${formatShape(tensor.shape)}, tensors[0] ${formatShape(first.shape)}; they must agree but in dimension ${d}.`,
      );
    }
    total += tensor.shape[d];
    dtype = promoteTypes(dtype, tensor.dtype);
  });
  const parts: readonly Tensor[] = given.map((tensor) => cast(tensor, dtype));
  const shape = first.shape.map((n, k) => (k === d ? total : n));
  const out = emptyTensor('cat', shape, dtype, first.device);
  const { strides } = out;
  const starts: number[] = [];
  let start = 0;
  for (const part of parts) {
    starts.push(start);
    if (part.numel > 0) {
      const window = viewTensor(out, part.shape, strides, start * strides[d]);
      native.copy(window._handle, part._handle);
      window.dispose();
    }
    start += part.shape[d];
  }
  if (needsRecord(parts)) {
    const lengths = parts.map((part) => part.shape[d]);
    record(
      'cat',
      parts,
      [out],
      () => [],
      ([g]) => lengths.map((length, i) => () => sliceView(g, d, starts[i], length, 1)),
    );
  }
  return out as unknown as Tensor<CatShape<S, Dim>, D>;
}

/**
 * Tensors of one shape side by side in a new dimension.
 *
 * @throws ShapeError if the shapes differ
 */
export function stack<const S extends readonly Shape[] | [], D extends DType, const Dim extends number = 0>(
  tensors: TensorsOf<S> & readonly Tensor<Shape, D>[] & StackCheck<S>,
  dim: Dim = 0 as Dim,
): Tensor<StackShape<S, Dim>, D> {
  if (!Array.isArray(tensors) || tensors.length === 0)
    throw new ArgumentError('stack: expected a list of at least one tensor.');
  const given: readonly Tensor[] = tensors;
  given.forEach((tensor, i) => checkTensor('stack', `tensors[${i}]`, tensor));
  const first = given[0];
  const rank = first.shape.length;
  const d = normalizeDim('stack', dim, rank + 1);
  return cat(
    given.map((tensor, i) => {
      if (formatShape(tensor.shape) !== formatShape(first.shape)) {
        throw new ShapeError(
          `stack: tensors[${i}] has shape ${formatShape(tensor.shape)}, tensors[0] ${formatShape(first.shape)}.`,
        );
      }
      return unsqueeze<Shape, DType, number>(tensor, d);
    }),
    d,
  ) as unknown as Tensor<StackShape<S, Dim>, D>;
}
