// Written by scripts/methods.js from the functions of src/ops tagged @method. Do not edit: edit the function, then run
// npm run methods.
import type { BackwardOptions } from '../autograd/backward.js';
import type { Device } from '../device.js';
import type { DType, Promote } from '../dtype.js';
import type { IndexPart, IndexPutOptions } from '../ops/advanced.js';
import type { FloatResult } from '../ops/arithmetic.js';
import type { Operand } from '../ops/elementwise.js';
import type { NonzeroOptions } from '../ops/mask.js';
import type { Generator } from '../ops/random.js';
import type { Dims, MeanResult, ReduceOptions, SumResult, ValuesAndIndices, VarOptions } from '../ops/reduce.js';
import type {
  IndexAddOptions,
  IndexTensor,
  PutOptions,
  ScatterReduceOptions,
  ScatterReduction,
} from '../ops/scatter.js';
import type {
  Broadcast,
  BroadcastCheck,
  DimCheck,
  ExpandCheck,
  ExpandShape,
  FlattenShape,
  MatmulCheck,
  MatmulShape,
  PermuteCheck,
  PermuteShape,
  ReduceShape,
  ReshapeCheck,
  ReshapeShape,
  Shape,
  SqueezeShape,
  TransposeShape,
  UnsqueezeCheck,
  UnsqueezeShape,
  WithDim,
} from '../types/shape.js';
import type { Tensor } from './tensor.js';
import * as ops from '../ops/index.js';

/** The methods that Tensor has from the ops: `x.f(...)` is `f(x, ...)`. */
export interface OpMethods {
  /**
   * The absolute value; the gradient at 0 is 0.
   */
  abs<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Sum with broadcasting: `a + b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  add<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Sum with broadcasting: `a + b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  add<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `add` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  add_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * True where no element along the dimensions is 0.
   */
  all<S extends Shape, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, 'bool'>;

  /**
   * The largest element over dimensions, all by default; NaN if there is one. Equal elements share the gradient.
   *
   * @throws ShapeError if there is nothing to reduce
   */
  amax<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, D>;

  /**
   * The smallest element over dimensions, all by default; NaN if there is one. Equal elements share the gradient.
   *
   * @throws ShapeError if there is nothing to reduce
   */
  amin<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, D>;

  /**
   * True where some element along the dimensions is not 0.
   */
  any<S extends Shape, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, 'bool'>;

  /**
   * The position of the largest element along `dim`, or in the flattened tensor; the first if several, NaN counts as
   * largest.
   *
   * @throws ShapeError if there is nothing to reduce
   */
  argmax<S extends Shape, const Dim extends number | undefined = undefined, const K extends boolean = false>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, 'int64'>;

  /**
   * The position of the smallest element along `dim`, or in the flattened tensor; the first if several, NaN counts as
   * smallest.
   */
  argmin<S extends Shape, const Dim extends number | undefined = undefined, const K extends boolean = false>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, 'int64'>;

  /**
   * Where x is not 0: the coordinates in row-major order as an int64 matrix `[count, rank]`. Waits for queued work.
   */
  argwhere(this: Tensor): Tensor<readonly [number, number], 'int64'>;

  /**
   * Adds the gradient of this scalar with respect to every leaf that requires it to the leaf's `grad`, and frees what the
   * graph saved.
   *
   * @throws GradError if the tensor is not a scalar and no gradient is given, does not require gradients, or its graph was
   *   freed by an earlier call without `retainGraph`
   * @example
   * const x = tensor([1, 2], { requiresGrad: true });
   * x.mul(x).sum().backward();
   * x.grad; // [2, 4]
   */
  backward(this: Tensor, options?: BackwardOptions): void;

  /**
   * x stretched to a shape that it broadcasts to.
   */
  broadcastTo<S extends Shape, D extends DType, const N extends Shape>(this: Tensor<S, D>, shape: N): Tensor<N, D>;

  /**
   * Rounds toward plus infinity; the gradient is 0.
   */
  ceil<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `count` views of equal size along a dimension; the last may be smaller, and there may be fewer, as in PyTorch.
   */
  chunk<S extends Shape, D extends DType>(this: Tensor<S, D>, count: number, dim?: number): Tensor<Shape, D>[];

  /**
   * Limits every element to [min, max]; a bound may be left out. The gradient is 1 inside and at the bounds, 0 outside.
   *
   * @throws ArgumentError if both bounds are left out or one is no number
   * @example
   * x.clamp({ min: 0 });
   */
  clamp<S extends Shape, D extends DType>(this: Tensor<S, D>, options: { min?: number; max?: number }): Tensor<S, D>;

  /**
   * A copy with memory of its own, contiguous. Differentiable.
   *
   * @example
   * const y = x.clone();
   */
  clone<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The tensor itself if its elements lie in row-major order, else a copy in which they do.
   */
  contiguous<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Copies `source` into `target` in place, broadcasting and converting.
   *
   * @throws ShapeError if source does not broadcast to target; GradError while gradients are recorded
   */
  copy_<S extends Shape, D extends DType>(this: Tensor<S, D>, source: Tensor): Tensor<S, D>;

  /**
   * The cosine; x in radians.
   */
  cos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The same values outside the graph: shares memory, requires no gradient.
   */
  detach<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * A vector as the diagonal of a square matrix of zeros, or a copy of a diagonal of a matrix.
   *
   * @throws ShapeError unless x has 1 or 2 dimensions
   * @example
   * diag(tensor([1, 2])); // [[1, 0], [0, 2]]
   */
  diag<S extends Shape, D extends DType>(this: Tensor<S, D>, offset?: number): Tensor<Shape, D>;

  /**
   * Zeros with x's last dimension on a diagonal of the matrices in dimensions `dim1` and `dim2` of the result, which has a
   * dimension more than x.
   *
   * Shapes: `[..., n]` -> `[..., n + |offset|, n + |offset|]`.
   *
   * @throws ShapeError for a scalar; ArgumentError if dim1 and dim2 are the same
   */
  diagEmbed<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    offset?: number,
    dim1?: number,
    dim2?: number,
  ): Tensor<Shape, D>;

  /**
   * A diagonal of the matrices in dimensions `dim1` and `dim2`, as a view: those two are removed, the diagonal becomes the
   * last dimension. `offset` 1 is the diagonal above the main one, -1 the one below.
   *
   * @throws IndexError for dimension numbers out of range; ArgumentError if they are the same
   * @example
   * x.diagonal().fill_(0); // in place, of a matrix
   */
  diagonal<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    offset?: number,
    dim1?: number,
    dim2?: number,
  ): Tensor<Shape, D>;

  /**
   * A copy of x with `src` on a diagonal: out of place, what `x.diagonal(offset, dim1, dim2).copy_(src)` does.
   *
   * @throws ShapeError unless src has the shape of the diagonal
   */
  diagonalScatter<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    src: Tensor<Shape, D>,
    offset?: number,
    dim1?: number,
    dim2?: number,
  ): Tensor<S, D>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  div<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * `div` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  div_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * True where a and b are equal, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  eq<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a and b are equal, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  eq<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * The error function.
   */
  erf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * e to the power x.
   */
  exp<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * 2 to the power x.
   */
  exp2<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Dimensions of size 1 stretched without copying; -1 keeps a size, new dimensions may be added on the left.
   *
   * @throws ShapeError if a size other than 1 would change
   */
  expand<S extends Shape, D extends DType, const N extends Shape>(
    this: Tensor<S, D>,
    shape: N & ExpandCheck<S, N>,
  ): Tensor<ExpandShape<S, N>, D>;

  /**
   * x stretched to the shape of another tensor, without copying.
   *
   * @throws ShapeError if a size other than 1 would change
   */
  expandAs<S extends Shape, D extends DType, N extends Shape>(this: Tensor<S, D>, other: Tensor<N>): Tensor<N, D>;

  /**
   * exp(x) - 1, exact near 0.
   */
  expm1<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Fills a tensor with one value, in place.
   */
  fill_<S extends Shape, D extends DType>(this: Tensor<S, D>, value: number | bigint | boolean): Tensor<S, D>;

  /**
   * Dimensions `startDim` to `endDim`, both included, become one.
   */
  flatten<S extends Shape, D extends DType, const A extends number = 0, const B extends number = -1>(
    this: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
    startDim?: A,
    endDim?: B,
  ): Tensor<FlattenShape<S, A, B>, D>;

  /**
   * The elements in reverse order along dimensions, a copy.
   *
   * @throws ArgumentError if a dimension is named twice; IndexError if it is out of range
   * @example
   * x.flip([0, 1]);
   */
  flip<S extends Shape, D extends DType, const Dim extends number | readonly number[]>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dims: Dim,
  ): Tensor<S, D>;

  /**
   * Columns in reverse order: dimension 1 flipped, a copy.
   *
   * @throws ShapeError for fewer than 2 dimensions
   */
  fliplr<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Rows in reverse order: dimension 0 flipped, a copy.
   *
   * @throws ShapeError for a scalar
   */
  flipud<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Rounds toward minus infinity; the gradient is 0.
   */
  floor<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Quotient rounded toward minus infinity.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  floorDivide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Quotient rounded toward minus infinity.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  floorDivide<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `out[i][j][k] = x[i][index[i][j][k]][k]` for dim 1: elements picked along a dimension. The result has index's shape.
   *
   * @param index int64 or int32, of x's rank, not larger than x in other dimensions; values from 0 to the size less 1
   * @throws IndexError (at the next read) for an index that is out of range
   */
  gather<S extends Shape, D extends DType, I extends Shape>(
    this: Tensor<S, D>,
    dim: number,
    index: Tensor<I, 'int64' | 'int32'>,
  ): Tensor<I, D>;

  /**
   * True where a >= b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  ge<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a >= b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  ge<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * Gaussian error linear unit, x * Phi(x), by erfc so that the negative tail keeps its digits (Hendrycks and Gimpel 2016).
   */
  gelu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * True where a > b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  gt<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a > b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  gt<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * Indexing, dimension by dimension, as `x[...]` in Python:
   *
   * - a number picks a position and removes the dimension;
   * - `'1:3'`, `':'`, `'::2'`, `'-2:'` slice;
   * - `null` inserts a dimension of 1;
   * - `'...'` stands for as many full dimensions as are left;
   * - an integer tensor picks positions, of which negative ones count from the end; several of them broadcast and pick
   *   together. Their common shape stands in the result where they stand; if there is anything but numbers between them, in
   *   front;
   * - a bool tensor, of the shape of the dimensions it stands for, picks where it is true, as the index tensors of
   *   `mask.nonzero({ asTuple: true })`. It waits for queued work, because the size of the result depends on the values.
   *
   * Without tensors the result is a view, with tensors a copy.
   *
   * @throws IndexError for a position outside (of a tensor: at the next read), too many parts, or a mask that does not fit;
   *   ArgumentError for a malformed part; ShapeError if index tensors do not broadcast
   * @example
   * x.index(0); // first row
   * x.index('...', '1:3'); // columns 1 and 2
   * x.index(x.gt(0)); // what is positive
   */
  index<S extends Shape, D extends DType>(this: Tensor<S, D>, ...parts: IndexPart[]): Tensor<Shape, D>;

  /**
   * A copy of x with the slices of `source`, times `alpha`, added at the positions in `index` along a dimension, in that order;
   * positions may repeat.
   *
   * @param index int64 or int32, 1-d (or one position), from 0 to the size less 1
   * @throws ShapeError unless source has x's shape with as many slices as index has positions; IndexError (at the next read)
   *   for a position out of range
   */
  indexAdd<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    source: Tensor<Shape, D>,
    options?: IndexAddOptions,
  ): Tensor<S, D>;

  /**
   * As `indexAdd`, in place.
   *
   * @throws as indexAdd; GradError while gradients are recorded
   */
  indexAdd_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    source: Tensor<Shape, D>,
    options?: IndexAddOptions,
  ): Tensor<S, D>;

  /**
   * A copy of x with the slices of `source` at the positions in `index` along a dimension; of several for one position the
   * last stays.
   *
   * @throws as indexAdd
   */
  indexCopy<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    source: Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * As `indexCopy`, in place.
   *
   * @throws as indexAdd; GradError while gradients are recorded
   */
  indexCopy_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    source: Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * A copy of x with a value in all slices at the positions in `index` along a dimension; negative positions count from the
   * end.
   *
   * @param value a number, or a scalar tensor of x's dtype
   * @throws ShapeError unless value is a scalar; else as indexAdd
   */
  indexFill<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    value: number | boolean | Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * As `indexFill`, in place.
   *
   * @throws as indexFill; GradError while gradients are recorded
   */
  indexFill_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    value: number | boolean | Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * A copy of x with `values` written where an index expression points: out of place, what `x[parts] = values` does in
   * Python. The parts are those of `index`, in a list; values broadcast to the shape of `x.index(...parts)`. Of several
   * values for one position the last stays, or with `accumulate` all are added.
   *
   * @param values a tensor of x's dtype, or a number
   * @throws as index; ShapeError if values do not broadcast; DTypeError if the dtypes differ
   * @example
   * x.indexPut([rows, columns], values, { accumulate: true });
   */
  indexPut<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    parts: readonly IndexPart[],
    values: Tensor<Shape, D> | number | boolean,
    options?: IndexPutOptions,
  ): Tensor<S, D>;

  /**
   * Writes `values` where an index expression points, in place: `x[parts] = values` in Python, or with `accumulate`
   * `x[parts] += values` for positions that repeat, too. The parts are those of `index`, in a list.
   *
   * @throws as indexPut; GradError while gradients are recorded
   * @example
   * x.indexPut_([0, '1:3'], 7); // x[0, 1:3] = 7
   * x.indexPut_([x.lt(0)], 0); // x[x < 0] = 0
   */
  indexPut_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    parts: readonly IndexPart[],
    values: Tensor<Shape, D> | number | boolean,
    options?: IndexPutOptions,
  ): Tensor<S, D>;

  /**
   * The slices of x at the positions in `index` along a dimension, in that order; positions may repeat.
   *
   * @param index int64 or int32, 1-d
   * @throws IndexError (at the next read) for a position that is out of range
   */
  indexSelect<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D>,
    dim: Dim,
    index: Tensor<Shape, 'int64' | 'int32'>,
  ): Tensor<WithDim<S, Dim, number>, D>;

  /**
   * True where x is neither NaN nor infinite.
   */
  isfinite<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * True where x is infinite.
   */
  isinf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * True where x is NaN.
   */
  isnan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * True where a <= b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  le<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a <= b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  le<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * The natural logarithm.
   */
  log<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The logarithm to base 10.
   */
  log10<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * log(1 + x), exact near 0.
   */
  log1p<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The logarithm to base 2.
   */
  log2<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The logarithm of softmax along a dimension, without its loss of digits.
   *
   * @throws DTypeError for integer and bool tensors
   */
  logSoftmax<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): Tensor<S, D>;

  /**
   * True where both are not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalAnd<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where both are not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalAnd<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * True where x is 0.
   */
  logicalNot<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * True where either is not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalOr<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where either is not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalOr<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * True where exactly one is not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalXor<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where exactly one is not 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  logicalXor<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * True where a < b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  lt<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a < b, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  lt<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * The last two dimensions swapped: a batch of matrices transposed.
   *
   * @throws ShapeError for fewer than 2 dimensions
   */
  mT<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<TransposeShape<S>, D>;

  /**
   * x with `value` where a mask is true; x and mask broadcast.
   *
   * @throws DTypeError unless mask is bool and x's dtype holds the value; ShapeError if the shapes do not broadcast
   * @example
   * scores.maskedFill(padding, -Infinity);
   */
  maskedFill<S extends Shape, D extends DType, M extends Shape>(
    this: Tensor<S, D>,
    mask: Tensor<M, 'bool'> & BroadcastCheck<S, M>,
    value: number | boolean | Tensor,
  ): Tensor<Broadcast<S, M>, D>;

  /**
   * Writes `value` into x where a mask is true; the mask broadcasts to x.
   *
   * @throws as maskedFill; ShapeError if the mask does not broadcast to x; GradError while gradients are recorded
   */
  maskedFill_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    mask: Tensor<Shape, 'bool'>,
    value: number | boolean | Tensor,
  ): Tensor<S, D>;

  /**
   * A copy of x with the first elements of `source`, in row-major order, where a mask is true; the mask broadcasts to x. Waits
   * for queued work.
   *
   * @throws ShapeError if source has fewer elements than the mask has places; DTypeError if the dtypes differ
   */
  maskedScatter<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    mask: Tensor<Shape, 'bool'>,
    source: Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * The elements where a mask is true, in row-major order, as a vector; x and mask broadcast. Waits for queued work, because
   * the size of the result depends on the mask.
   *
   * @throws DTypeError unless mask is bool; ShapeError if the shapes do not broadcast
   */
  maskedSelect<S extends Shape, D extends DType, M extends Shape>(
    this: Tensor<S, D>,
    mask: Tensor<M, 'bool'> & BroadcastCheck<S, M>,
  ): Tensor<readonly [number], D>;

  /**
   * The matrix product `a @ b`, as torch.matmul. Vectors count as a row on the left and a column on the right, and lose that
   * dimension again; dimensions left of the last two are a batch and broadcast.
   *
   * Shapes: `[..., M, K] @ [..., K, N] -> [..., M, N]`. float16 and bfloat16 accumulate in float32.
   *
   * @throws ShapeError if the inner dimensions differ or the batches do not broadcast; DTypeError for bool or mixed dtypes
   * @example
   * tensor([[1, 2], [3, 4]]).matmul(tensor([[1], [1]])); // [[3], [7]]
   */
  matmul<A extends Shape, B extends Shape, D extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, D> & MatmulCheck<A, B>,
  ): Tensor<MatmulShape<A, B>, D>;

  /**
   * Without `dim` the largest element, as `amax`. With it, the largest along that dimension and where it is (the first, if
   * several); the gradient goes to that element alone.
   *
   * @throws ShapeError if there is nothing to reduce
   * @example
   * const { values, indices } = x.max(1);
   */
  max<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<readonly [], D>;

  /**
   * Without `dim` the largest element, as `amax`. With it, the largest along that dimension and where it is (the first, if
   * several); the gradient goes to that element alone.
   *
   * @throws ShapeError if there is nothing to reduce
   * @example
   * const { values, indices } = x.max(1);
   */
  max<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

  /**
   * The larger of two, elementwise; NaN if either is. Equal values share the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  maximum<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The larger of two, elementwise; NaN if either is. Equal values share the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  maximum<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The arithmetic mean over dimensions, all by default. NaN over nothing.
   *
   * @throws DTypeError for integer and bool tensors
   */
  mean<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, MeanResult<D>>;

  /**
   * As `max`, for the smallest.
   */
  min<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<readonly [], D>;

  /**
   * As `max`, for the smallest.
   */
  min<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

  /**
   * The smaller of two, elementwise; NaN if either is. Equal values share the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  minimum<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The smaller of two, elementwise; NaN if either is. Equal values share the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  minimum<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * Dimensions moved to other places; another name of `movedim`.
   */
  moveaxis<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    source: number | readonly number[],
    destination: number | readonly number[],
  ): Tensor<Shape, D>;

  /**
   * Dimensions moved to other places, the others in order: dimension `source[i]` becomes `destination[i]`.
   *
   * @throws ArgumentError if a dimension is named twice, or the lists differ in length
   * @example
   * x.movedim(0, -1); // the first dimension becomes the last
   */
  movedim<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    source: number | readonly number[],
    destination: number | readonly number[],
  ): Tensor<Shape, D>;

  /**
   * Product with broadcasting: `a * b`. For bools: both.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  mul<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Product with broadcasting: `a * b`. For bools: both.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  mul<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `mul` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  mul_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * `length` elements from `start` along a dimension.
   *
   * @throws IndexError if they are not all there
   */
  narrow<S extends Shape, D extends DType, const Dim extends number, const L extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    start: number,
    length: L,
  ): Tensor<WithDim<S, Dim, L>, D>;

  /**
   * True where a and b are not equal, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  ne<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * True where a and b are not equal, elementwise; with NaN only `ne` is true.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  ne<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * The negative.
   */
  neg<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Where x is not 0 (NaN is not): the coordinates in row-major order as an int64 matrix `[count, rank]`, or with `asTuple` as
   * a vector for each dimension. Waits for queued work, because the size of the result depends on the values.
   *
   * @example
   * tensor([[0, 5], [6, 0]]).nonzero(); // [[0, 1], [1, 0]]
   */
  nonzero(this: Tensor, options?: NonzeroOptions<false>): Tensor<readonly [number, number], 'int64'>;

  /**
   * Where x is not 0 (NaN is not): the coordinates in row-major order as an int64 matrix `[count, rank]`, or with `asTuple` as
   * a vector for each dimension. Waits for queued work, because the size of the result depends on the values.
   *
   * @example
   * tensor([[0, 5], [6, 0]]).nonzero(); // [[0, 1], [1, 0]]
   */
  nonzero(this: Tensor, options: NonzeroOptions<true>): Tensor<readonly [number], 'int64'>[];

  /**
   * Replaces the elements by normal numbers.
   */
  normal_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    mean?: number,
    std?: number,
    generator?: Generator,
  ): Tensor<S, D>;

  /**
   * The dimensions in another order.
   *
   * @throws ArgumentError unless every dimension is named once
   */
  permute<S extends Shape, D extends DType, const P extends readonly number[]>(
    this: Tensor<S, D> & PermuteCheck<S, P>,
    dims: P,
  ): Tensor<PermuteShape<S, P>, D>;

  /**
   * Power with broadcasting: `a ** b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  pow<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Power with broadcasting: `a ** b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  pow<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `pow` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  pow_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * The product over dimensions, all by default; 1 over nothing. Integers and bools multiply in int64. The gradient is right
   * with zeros too; the gradient of the gradient takes the one by two zeros of the same product for 0.
   */
  prod<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, SumResult<D>>;

  /**
   * A copy of x with the elements of `source` at positions of the flattened x; negative positions count from the end. Of
   * several for one position the last stays, or with `accumulate` all are added.
   *
   * @throws ShapeError unless index and source have as many elements; IndexError (at the next read) for a position out of
   *   range
   */
  put<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    index: IndexTensor,
    source: Tensor<Shape, D>,
    options?: PutOptions,
  ): Tensor<S, D>;

  /**
   * As `put`, in place.
   *
   * @throws as put; ShapeError if x does not lie in row-major order without gaps; GradError while gradients are recorded
   */
  put_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    index: IndexTensor,
    source: Tensor<Shape, D>,
    options?: PutOptions,
  ): Tensor<S, D>;

  /**
   * All elements in one dimension: a view if strides allow, else a copy.
   */
  ravel<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<FlattenShape<S>, D>;

  /**
   * 1 / x.
   */
  reciprocal<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * max(x, 0); the gradient at 0 is 0, as in PyTorch.
   */
  relu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Remainder of division with the sign of the divisor, as in Python.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  remainder<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Remainder of division with the sign of the divisor, as in Python.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  remainder<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * x repeated `counts[d]` times along each dimension d, a copy. More counts than x has dimensions add dimensions in front.
   *
   * @throws ShapeError for fewer counts than dimensions; ArgumentError for a count that is no integer from 0
   * @example
   * tensor([1, 2]).repeat([2, 2]); // [[1, 2, 1, 2], [1, 2, 1, 2]]
   */
  repeat<S extends Shape, D extends DType>(this: Tensor<S, D>, counts: readonly number[]): Tensor<Shape, D>;

  /**
   * Every slice along a dimension repeated in place: `[a, b]` twice is `[a, a, b, b]`. Without `dim` x is flattened first.
   *
   * @param repeats one count for all slices, or an integer tensor with a count for each, which is read at once
   * @throws ShapeError unless a tensor of counts is 1-d (or one count) and fits the dimension; ArgumentError for a count
   *   below 0
   */
  repeatInterleave<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    repeats: number | Tensor<Shape, 'int64' | 'int32'>,
    dim?: number,
  ): Tensor<Shape, D>;

  /**
   * The same elements in row-major order under another shape: a view if strides allow, else a copy. One size may be -1.
   *
   * @throws ShapeError if the number of elements differs
   * @example
   * x.reshape([2, -1]);
   */
  reshape<S extends Shape, D extends DType, const N extends Shape>(
    this: Tensor<S, D>,
    shape: N & ReshapeCheck<S, N>,
  ): Tensor<ReshapeShape<S, N>, D>;

  /**
   * x under the shape of another tensor: a view if strides allow, else a copy.
   *
   * @throws ShapeError if the number of elements differs
   */
  reshapeAs<S extends Shape, D extends DType, N extends Shape>(this: Tensor<S, D>, other: Tensor<N>): Tensor<N, D>;

  /**
   * The elements moved along dimensions, those beyond the end coming in again at the start: `shifts` positions toward the
   * end, or toward the start if negative. Without `dims` x is moved as if it were flat.
   *
   * @throws ArgumentError unless there is a shift for each dimension
   * @example
   * tensor([1, 2, 3]).roll(1); // [3, 1, 2]
   */
  roll<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    shifts: number | readonly number[],
    dims?: number | readonly number[],
  ): Tensor<S, D>;

  /**
   * Matrices in two dimensions turned by `k` times 90 degrees, from the first of `dims` toward the second.
   *
   * @throws ShapeError for fewer than 2 dimensions; ArgumentError unless k is an integer and dims are two different ones
   */
  rot90<S extends Shape, D extends DType>(this: Tensor<S, D>, k?: number, dims?: readonly number[]): Tensor<Shape, D>;

  /**
   * Rounds to the nearest integer, halves to even; the gradient is 0.
   */
  round<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * 1 / sqrt(x).
   */
  rsqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * A copy of x with `src` written at places that `index` names: `out[i][index[i][j][k]][k] = src[i][j][k]` for dim 1. Of
   * several values for one place the last, in the order of src's elements, stays; the gradient goes to all of them, as in
   * PyTorch.
   *
   * @param index int64 or int32, of x's rank, not larger than x in other dimensions; values from 0 to the size less 1
   * @param src a tensor of x's dtype, at least as large as index, or a number
   * @throws ShapeError, DTypeError for operands that do not fit; IndexError (at the next read) for an index out of range
   */
  scatter<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    src: Tensor<Shape, D> | number | boolean,
  ): Tensor<S, D>;

  /**
   * A copy of x in which `src` is added: `out[i][index[i][j][k]][k] += src[i][j][k]` for dim 1. Deterministic: in the order of
   * src's elements.
   *
   * @throws IndexError (at the next read) for an index that is out of range
   */
  scatterAdd<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: Tensor<Shape, 'int64' | 'int32'>,
    src: Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * As `scatterAdd`, in place.
   *
   * @throws as scatterAdd; GradError while gradients are recorded
   */
  scatterAdd_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    src: Tensor<Shape, D>,
  ): Tensor<S, D>;

  /**
   * A copy of x in which the values of `src` for one place are combined with each other, and with x's value unless
   * `includeSelf` is false: sum, prod, mean, amax or amin. Places as in `scatter`. Where nothing is written x stays.
   * Deterministic: in the order of src's elements. amax and amin pass NaN on, and divide their gradient evenly among equal
   * values. The mean of integers is rounded toward minus infinity. The second derivative of prod is not right at places to
   * which src brings more than one 0.
   *
   * @param reduce the name of the reduction, or `{ reduce, includeSelf }`
   * @throws ArgumentError for another reduction; else as scatter
   * @example
   * x.scatterReduce(0, index, src, 'amax');
   * x.scatterReduce(0, index, src, { reduce: 'mean', includeSelf: false });
   */
  scatterReduce<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    src: Tensor<Shape, D>,
    reduce: ScatterReduction | ScatterReduceOptions,
  ): Tensor<S, D>;

  /**
   * As `scatter`, in place.
   *
   * @throws as scatter; GradError while gradients are recorded
   */
  scatter_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    index: IndexTensor,
    src: Tensor<Shape, D> | number | boolean,
  ): Tensor<S, D>;

  /**
   * One position along a dimension, which is removed.
   *
   * @throws IndexError if the position is outside
   */
  select<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    index: number,
  ): Tensor<ReduceShape<S, Dim, false>, D>;

  /**
   * A copy of x with `src` at one position along a dimension: out of place, what `x.select(dim, index).copy_(src)` does.
   *
   * @throws ShapeError unless src has the shape of `x.select(dim, index)`; IndexError for a position outside
   */
  selectScatter<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    src: Tensor<Shape, D>,
    dim: number,
    index: number,
  ): Tensor<S, D>;

  /**
   * 1 / (1 + exp(-x)).
   */
  sigmoid<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * -1, 0 or 1 by sign; NaN stays.
   */
  sign<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * x * sigmoid(x).
   */
  silu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The sine; x in radians.
   */
  sin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Elements `start` to `end` (not included) along a dimension, every `step`-th, as JavaScript's and Python's slices: negative
   * positions count from the end, positions beyond the ends are cut.
   *
   * @throws ArgumentError unless step is an integer above 0
   * @example
   * x.slice(1, 2, 5); // columns 2, 3, 4
   */
  slice<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    start?: number,
    end?: number,
    step?: number,
  ): Tensor<WithDim<S, Dim, number>, D>;

  /**
   * A copy of x with `src` in a slice: out of place, what `x.slice(dim, start, end, step).copy_(src)` does.
   *
   * @param range the slice's `start`, `end` and `step`, as in `slice`
   * @throws ShapeError unless src has the shape of the slice
   * @example
   * x.sliceScatter(rows, 0, { start: 1, end: 3 });
   */
  sliceScatter<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    src: Tensor<Shape, D>,
    dim?: number,
    range?: { start?: number; end?: number; step?: number },
  ): Tensor<S, D>;

  /**
   * `exp(x) / sum(exp(x))` along a dimension, computed after subtracting the maximum.
   *
   * @throws DTypeError for integer and bool tensors
   */
  softmax<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): Tensor<S, D>;

  /**
   * Views of at most `size` along a dimension, or of the sizes listed.
   *
   * @throws ArgumentError if the sizes do not add up to the dimension
   */
  split<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    size: number | readonly number[],
    dim?: number,
  ): Tensor<Shape, D>[];

  /**
   * The square root.
   */
  sqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * x squared.
   */
  square<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Without dimensions of size 1: all of them, or those named (named ones of another size stay).
   */
  squeeze<S extends Shape, D extends DType, const Dim extends number | readonly number[] | undefined = undefined>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
  ): Tensor<SqueezeShape<S, Dim>, D>;

  /**
   * The standard deviation over dimensions: the root of `var`.
   */
  std<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: VarOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, FloatResult<D>>;

  /**
   * Difference with broadcasting: `a - b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  sub<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Difference with broadcasting: `a - b`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  sub<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `sub` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  sub_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * The sum over dimensions, all by default. Integers and bools are summed in int64.
   *
   * @param dim a dimension, several, or none for all
   * @throws IndexError for a dimension that is not there
   * @example
   * x.sum(); x.sum(1, { keepDim: true }); x.sum([0, 2]);
   */
  sum<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, SumResult<D>>;

  /**
   * Two dimensions swapped; another name of `transpose`.
   */
  swapaxes<S extends Shape, D extends DType, const A extends number, const B extends number>(
    this: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
    axis0: A,
    axis1: B,
  ): Tensor<TransposeShape<S, A, B>, D>;

  /**
   * Two dimensions swapped; another name of `transpose`.
   */
  swapdims<S extends Shape, D extends DType, const A extends number, const B extends number>(
    this: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
    dim0: A,
    dim1: B,
  ): Tensor<TransposeShape<S, A, B>, D>;

  /**
   * A matrix transposed; a vector or scalar as it is.
   *
   * @throws ShapeError for more than 2 dimensions; use mT or transpose
   */
  t<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
  ): Tensor<S extends readonly [number, number] ? TransposeShape<S> : S, D>;

  /**
   * The elements at positions of the flattened x, in index's shape; negative positions count from the end.
   *
   * @throws IndexError (at the next read) for a position out of range
   */
  take<S extends Shape, D extends DType, I extends Shape>(
    this: Tensor<S, D>,
    index: Tensor<I, 'int64' | 'int32'>,
  ): Tensor<I, D>;

  /**
   * As `gather`, but x and indices broadcast in the dimensions beside `dim`; without `dim` both are flattened.
   *
   * @throws ShapeError unless they have the same rank and broadcast; IndexError (at the next read) for an index out of range
   * @example
   * x.takeAlongDim(x.argmax(1, { keepDim: true }), 1); // the largest of each row
   */
  takeAlongDim<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    indices: IndexTensor,
    dim?: number,
  ): Tensor<Shape, D>;

  /**
   * The tangent; x in radians.
   */
  tan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The hyperbolic tangent.
   */
  tanh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Views of parts along a dimension: `sections` parts of sizes that differ by one at most, or cut at the positions listed.
   *
   * @throws ArgumentError unless sections is an integer from 1, positions are integers
   * @example
   * arange(7).tensorSplit(3); // [0, 1, 2], [3, 4], [5, 6]
   * arange(7).tensorSplit([2, 5]); // [0, 1], [2, 3, 4], [5, 6]
   */
  tensorSplit<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    sections: number | readonly number[],
    dim?: number,
  ): Tensor<Shape, D>[];

  /**
   * As `repeat`, but fewer counts than dimensions are those of the last ones.
   *
   * @throws ArgumentError for a count that is no integer from 0
   */
  tile<S extends Shape, D extends DType>(this: Tensor<S, D>, counts: readonly number[]): Tensor<Shape, D>;

  /**
   * Converts dtype or moves to a device; the tensor itself when it already fits. Floats become integers by truncation toward
   * zero, anything not 0 becomes true. Differentiable between float dtypes.
   *
   * @throws ArgumentError for an unknown dtype or device, DeviceError for a device that is not there
   * @example
   * x.to('float64');
   */
  to<S extends Shape, T extends DType>(this: Tensor<S>, dtype: T): Tensor<S, T>;

  /**
   * Converts dtype or moves to a device; the tensor itself when it already fits. Floats become integers by truncation toward
   * zero, anything not 0 becomes true. Differentiable between float dtypes.
   *
   * @throws ArgumentError for an unknown dtype or device, DeviceError for a device that is not there
   * @example
   * x.to('float64');
   */
  to<S extends Shape, D extends DType>(this: Tensor<S, D>, device: Device): Tensor<S, D>;

  /**
   * Two dimensions swapped.
   */
  transpose<S extends Shape, D extends DType, const A extends number, const B extends number>(
    this: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
    dim0: A,
    dim1: B,
  ): Tensor<TransposeShape<S, A, B>, D>;

  /**
   * The lower triangles of matrices `[..., n, m]`: zeros above the diagonal number `diagonal` (0: the main one, 1: the one
   * above it).
   *
   * @throws ShapeError for fewer than 2 dimensions
   */
  tril<S extends Shape, D extends DType>(this: Tensor<S, D>, diagonal?: number): Tensor<S, D>;

  /**
   * The upper triangles of matrices `[..., n, m]`: zeros below the diagonal number `diagonal` (0: the main one, 1: the one
   * above it).
   *
   * @throws ShapeError for fewer than 2 dimensions
   */
  triu<S extends Shape, D extends DType>(this: Tensor<S, D>, diagonal?: number): Tensor<S, D>;

  /**
   * Rounds toward 0; the gradient is 0.
   */
  trunc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The slices along a dimension, which is removed.
   */
  unbind<S extends Shape, D extends DType>(this: Tensor<S, D>, dim?: number): Tensor<Shape, D>[];

  /**
   * One dimension split into several: the opposite of `flatten`. One of the sizes may be -1.
   *
   * @throws ShapeError unless the sizes multiply to that of the dimension
   * @example
   * x.unflatten(1, [3, -1]); // [2,6] -> [2,3,2]
   */
  unflatten<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    sizes: readonly number[],
  ): Tensor<Shape, D>;

  /**
   * Sliding windows of `size` elements along a dimension, every `step`, as a view: window i is
   * `x.narrow(dim, i * step, size)`, and lies along a new last dimension. The gradient of an element is the sum over the
   * windows that see it.
   *
   * Shapes: `[..., L, ...]` -> `[..., floor((L - size) / step) + 1, ..., size]`.
   *
   * @throws ArgumentError unless size is an integer from 0 and step one from 1; ShapeError if size is larger than the
   *   dimension
   * @example
   * arange(5).unfold(0, 3, 1); // [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
   */
  unfold<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    dim: number,
    size: number,
    step: number,
  ): Tensor<Shape, D>;

  /**
   * Replaces the elements by uniform numbers of [low, high).
   */
  uniform_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    low?: number,
    high?: number,
    generator?: Generator,
  ): Tensor<S, D>;

  /**
   * A new dimension of size 1 at `dim`.
   */
  unsqueeze<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & UnsqueezeCheck<S, Dim>,
    dim: Dim,
  ): Tensor<UnsqueezeShape<S, Dim>, D>;

  /**
   * The variance over dimensions, all by default; by default the unbiased estimate (correction 1). NaN when the count is not
   * above the correction.
   *
   * @throws DTypeError for integer and bool tensors
   */
  var<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: VarOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, D>;

  /**
   * As `reshape`, but never copies.
   *
   * @throws ShapeError if only a copy could have that shape
   */
  view<S extends Shape, D extends DType, const N extends Shape>(
    this: Tensor<S, D>,
    shape: N & ReshapeCheck<S, N>,
  ): Tensor<ReshapeShape<S, N>, D>;

  /**
   * x under the shape of another tensor; never copies.
   *
   * @throws ShapeError if the number of elements differs, or only a copy could have that shape
   */
  viewAs<S extends Shape, D extends DType, N extends Shape>(this: Tensor<S, D>, other: Tensor<N>): Tensor<N, D>;

  /**
   * Sets all elements to 0, in place.
   */
  zero_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;
}

/** Method names and the functions behind them. */
export const opMethods: Readonly<Record<keyof OpMethods, (...args: never[]) => unknown>> = {
  abs: ops.abs,
  add: ops.add,
  add_: ops.add_,
  all: ops.all,
  amax: ops.amax,
  amin: ops.amin,
  any: ops.any,
  argmax: ops.argmax,
  argmin: ops.argmin,
  argwhere: ops.argwhere,
  backward: ops.backward,
  broadcastTo: ops.broadcastTo,
  ceil: ops.ceil,
  chunk: ops.chunk,
  clamp: ops.clamp,
  clone: ops.clone,
  contiguous: ops.contiguous,
  copy_: ops.copy_,
  cos: ops.cos,
  detach: ops.detach,
  diag: ops.diag,
  diagEmbed: ops.diagEmbed,
  diagonal: ops.diagonal,
  diagonalScatter: ops.diagonalScatter,
  div: ops.div,
  div_: ops.div_,
  eq: ops.eq,
  erf: ops.erf,
  exp: ops.exp,
  exp2: ops.exp2,
  expand: ops.expand,
  expandAs: ops.expandAs,
  expm1: ops.expm1,
  fill_: ops.fill_,
  flatten: ops.flatten,
  flip: ops.flip,
  fliplr: ops.fliplr,
  flipud: ops.flipud,
  floor: ops.floor,
  floorDivide: ops.floorDivide,
  gather: ops.gather,
  ge: ops.ge,
  gelu: ops.gelu,
  gt: ops.gt,
  index: ops.index,
  indexAdd: ops.indexAdd,
  indexAdd_: ops.indexAdd_,
  indexCopy: ops.indexCopy,
  indexCopy_: ops.indexCopy_,
  indexFill: ops.indexFill,
  indexFill_: ops.indexFill_,
  indexPut: ops.indexPut,
  indexPut_: ops.indexPut_,
  indexSelect: ops.indexSelect,
  isfinite: ops.isfinite,
  isinf: ops.isinf,
  isnan: ops.isnan,
  le: ops.le,
  log: ops.log,
  log10: ops.log10,
  log1p: ops.log1p,
  log2: ops.log2,
  logSoftmax: ops.logSoftmax,
  logicalAnd: ops.logicalAnd,
  logicalNot: ops.logicalNot,
  logicalOr: ops.logicalOr,
  logicalXor: ops.logicalXor,
  lt: ops.lt,
  mT: ops.mT,
  maskedFill: ops.maskedFill,
  maskedFill_: ops.maskedFill_,
  maskedScatter: ops.maskedScatter,
  maskedSelect: ops.maskedSelect,
  matmul: ops.matmul,
  max: ops.max,
  maximum: ops.maximum,
  mean: ops.mean,
  min: ops.min,
  minimum: ops.minimum,
  moveaxis: ops.moveaxis,
  movedim: ops.movedim,
  mul: ops.mul,
  mul_: ops.mul_,
  narrow: ops.narrow,
  ne: ops.ne,
  neg: ops.neg,
  nonzero: ops.nonzero,
  normal_: ops.normal_,
  permute: ops.permute,
  pow: ops.pow,
  pow_: ops.pow_,
  prod: ops.prod,
  put: ops.put,
  put_: ops.put_,
  ravel: ops.ravel,
  reciprocal: ops.reciprocal,
  relu: ops.relu,
  remainder: ops.remainder,
  repeat: ops.repeat,
  repeatInterleave: ops.repeatInterleave,
  reshape: ops.reshape,
  reshapeAs: ops.reshapeAs,
  roll: ops.roll,
  rot90: ops.rot90,
  round: ops.round,
  rsqrt: ops.rsqrt,
  scatter: ops.scatter,
  scatterAdd: ops.scatterAdd,
  scatterAdd_: ops.scatterAdd_,
  scatterReduce: ops.scatterReduce,
  scatter_: ops.scatter_,
  select: ops.select,
  selectScatter: ops.selectScatter,
  sigmoid: ops.sigmoid,
  sign: ops.sign,
  silu: ops.silu,
  sin: ops.sin,
  slice: ops.slice,
  sliceScatter: ops.sliceScatter,
  softmax: ops.softmax,
  split: ops.split,
  sqrt: ops.sqrt,
  square: ops.square,
  squeeze: ops.squeeze,
  std: ops.std,
  sub: ops.sub,
  sub_: ops.sub_,
  sum: ops.sum,
  swapaxes: ops.swapaxes,
  swapdims: ops.swapdims,
  t: ops.t,
  take: ops.take,
  takeAlongDim: ops.takeAlongDim,
  tan: ops.tan,
  tanh: ops.tanh,
  tensorSplit: ops.tensorSplit,
  tile: ops.tile,
  to: ops.to,
  transpose: ops.transpose,
  tril: ops.tril,
  triu: ops.triu,
  trunc: ops.trunc,
  unbind: ops.unbind,
  unflatten: ops.unflatten,
  unfold: ops.unfold,
  uniform_: ops.uniform_,
  unsqueeze: ops.unsqueeze,
  var: ops.variance,
  view: ops.view,
  viewAs: ops.viewAs,
  zero_: ops.zero_,
};

/** Those that take any number of arguments. */
export const variadicMethods: ReadonlySet<string> = new Set(['index']);
