// Written by scripts/methods.js from the functions of src/ops tagged @method. Do not edit: edit the function, then run
// npm run methods.
import type { BackwardOptions } from '../autograd/backward.js';
import type { Device } from '../device.js';
import type { DType, Promote } from '../dtype.js';
import type { MinAndMax } from '../ops/aggregate.js';
import type { FloatResult } from '../ops/arithmetic.js';
import type { Operand } from '../ops/elementwise.js';
import type { IndexPart } from '../ops/indexing.js';
import type { Generator } from '../ops/random.js';
import type { Dims, MeanResult, ReduceOptions, SumResult, ValuesAndIndices, VarOptions } from '../ops/reduce.js';
import type { DiffOptions } from '../ops/scan.js';
import type {
  SearchOptions,
  SortOptions,
  TopkOptions,
  Unique,
  UniqueConsecutiveOptions,
  UniqueOptions,
} from '../ops/sort.js';
import type { BincountOptions, HistcOptions, QuantileOptions } from '../ops/statistics.js';
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
   * The smallest and the largest element over dimensions, all by default: `amin` and `amax`.
   *
   * @throws ShapeError if there is nothing to reduce
   */
  aminmax<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): MinAndMax<ReduceShape<S, Dim, K>, D>;

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
   * The positions that sort a tensor along a dimension, the last by default: the indices of `sort`.
   *
   * @throws IndexError for a dimension that is not there
   */
  argsort<S extends Shape, const Dim extends number = -1>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: SortOptions,
  ): Tensor<S, 'int64'>;

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
   * How often each integer from 0 occurs, or the sum of the weights where it does. How long the result is depends on the
   * largest one, so this waits for queued work. Not differentiable.
   *
   * @param x integers, `[n]`
   * @param weights of x's shape; the result is float32 for float32 weights, else float64
   * @throws ShapeError unless x has 1 dimension and weights its shape; DTypeError for floats and bools; ArgumentError for
   *   negative numbers
   * @example
   * bincount(tensor([0n, 2n, 2n])); // [1, 0, 2]
   */
  bincount(
    this: Tensor<Shape, 'int64' | 'int32' | 'uint8'>,
    weights?: Tensor | null,
    options?: BincountOptions,
  ): Tensor<readonly [number], DType>;

  /**
   * x stretched to a shape that it broadcasts to.
   */
  broadcastTo<S extends Shape, D extends DType, const N extends Shape>(this: Tensor<S, D>, shape: N): Tensor<N, D>;

  /**
   * In which interval of sorted boundaries each element lies: i where `boundaries[i - 1] < x <= boundaries[i]`, or with `right`
   * `boundaries[i - 1] <= x < boundaries[i]`.
   *
   * @throws ShapeError unless boundaries has 1 dimension; DTypeError unless it has x's dtype
   */
  bucketize<S extends Shape>(
    this: Tensor<S>,
    boundaries: Tensor,
    options?: SearchOptions,
  ): Tensor<S, 'int64' | 'int32'>;

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
   * How many elements over dimensions, all by default, are not 0. NaN is not 0.
   *
   * @throws IndexError for a dimension that is not there
   */
  countNonzero<S extends Shape, const Dim extends Dims = undefined>(
    this: Tensor<S> & DimCheck<S, Dim>,
    dim?: Dim,
  ): Tensor<ReduceShape<S, Dim>, 'int64'>;

  /**
   * The largest element so far along a dimension, and where it stood (the latest, if several); from a NaN on, NaN. The
   * gradient goes to the elements that were picked.
   *
   * @throws IndexError for a dimension that is not there
   * @example
   * const { values, indices } = x.cummax(0);
   */
  cummax<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): ValuesAndIndices<S, D>;

  /**
   * As `cummax`, for the smallest.
   */
  cummin<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): ValuesAndIndices<S, D>;

  /**
   * Running products along a dimension: `out[i] = x[0] * ... * x[i]`. Integers and bools give int64. The gradient does not
   * divide, so it is right with zeros.
   *
   * @throws IndexError for a dimension that is not there
   */
  cumprod<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): Tensor<S, SumResult<D>>;

  /**
   * Running sums along a dimension: `out[i] = x[0] + ... + x[i]`. Integers and bools give int64; floats are accumulated in
   * float64.
   *
   * @throws IndexError for a dimension that is not there
   * @example
   * tensor([1, 2, 3]).cumsum(0); // [1, 3, 6]
   */
  cumsum<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): Tensor<S, SumResult<D>>;

  /**
   * The same values outside the graph: shares memory, requires no gradient.
   */
  detach<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Differences of neighbours along a dimension, the last by default: `x[i + 1] - x[i]`, n times; of bools, whether they
   * differ.
   *
   * @throws ShapeError for a scalar; ArgumentError for an n that is no integer from 0
   * @example
   * tensor([1, 4, 9]).diff(); // [3, 5]
   */
  diff<D extends DType>(this: Tensor<Shape, D>, dim?: number, options?: DiffOptions): Tensor<Shape, D>;

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
   * Counts the elements in equal bins between `min` and `max`. Elements outside and NaN do not count; the upper end belongs to
   * the last bin. If both ends are equal the range of the elements is read, so that this waits for queued work. Not
   * differentiable.
   *
   * @returns the counts, `[bins]`, in x's dtype
   * @throws DTypeError for integer and bool tensors; ArgumentError for bins below 1 or ends that are no finite range
   */
  histc<D extends DType, const B extends number = 100>(
    this: Tensor<Shape, D>,
    bins?: B,
    options?: HistcOptions,
  ): Tensor<readonly [B], D>;

  /**
   * Indexing, dimension by dimension, as `x[...]` in Python: a number picks a position and removes the dimension; `'1:3'`,
   * `':'`, `'::2'`, `'-2:'` slice; `null` inserts a dimension of 1; `'...'` stands for as many full dimensions as are left; a
   * 1-d integer tensor picks several positions. All but the last are views.
   *
   * @throws IndexError for a position outside or too many parts; ArgumentError for a malformed part
   * @example
   * x.index(0); // first row
   * x.index('...', '1:3'); // columns 1 and 2
   */
  index<S extends Shape, D extends DType>(this: Tensor<S, D>, ...parts: IndexPart[]): Tensor<Shape, D>;

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
   * The k-th smallest element along a dimension (the last by default), k from 1, and where it is. NaN counts as the largest
   * value. The gradient goes to the element that was picked.
   *
   * @throws ArgumentError unless k is an integer; IndexError unless it is from 1 to the size of the dimension
   */
  kthvalue<S extends Shape, D extends DType, const Dim extends number = -1, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    k: number,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

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
   * Running `log(exp(x[0]) + ... + exp(x[i]))` along a dimension, without overflow.
   *
   * @throws DTypeError for integer and bool tensors; IndexError for a dimension that is not there
   */
  logcumsumexp<S extends Shape, D extends DType, const Dim extends number>(
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
   * `log(sum(exp(x)))` over dimensions, all by default, without overflow. -Infinity over nothing. Where the result is
   * -Infinity, because all elements are, the gradient is 0 (in PyTorch NaN).
   *
   * @throws IndexError for a dimension that is not there
   */
  logsumexp<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, FloatResult<D>>;

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
   * The median: the element in the middle of the sorted ones, the lower of two; NaN if there is one. Without `dim` of all
   * elements, and equal ones share the gradient; with it along that dimension, with the place, which alone gets the gradient.
   *
   * @throws ShapeError if there is nothing along `dim`
   * @example
   * tensor([3, 1, 2, 5]).median(); // 2
   * const { values, indices } = x.median(1);
   */
  median<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<readonly [], D>;

  /**
   * The median: the element in the middle of the sorted ones, the lower of two; NaN if there is one. Without `dim` of all
   * elements, and equal ones share the gradient; with it along that dimension, with the place, which alone gets the gradient.
   *
   * @throws ShapeError if there is nothing along `dim`
   * @example
   * tensor([3, 1, 2, 5]).median(); // 2
   * const { values, indices } = x.median(1);
   */
  median<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

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
   * The most frequent element along a dimension (the last by default), the smallest if several, and where it last stands.
   * NaN equals nothing, but is preferred to what occurs once. The gradient goes to that place.
   *
   * @throws ShapeError if there is nothing along `dim`
   */
  mode<S extends Shape, D extends DType, const Dim extends number = -1, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

  /**
   * A dimension moved to another place, the others in order.
   */
  movedim<S extends Shape, D extends DType>(this: Tensor<S, D>, source: number, destination: number): Tensor<Shape, D>;

  /**
   * The elements in order along the first dimension: the values of `sort(x, 0)`.
   */
  msort<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * The mean over dimensions, all by default, of what is not NaN; NaN where nothing is left.
   *
   * @throws DTypeError for integer and bool tensors
   */
  nanmean<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, MeanResult<D>>;

  /**
   * As `median`, of what is not NaN; NaN where nothing else is.
   *
   * @throws ShapeError if there is nothing along `dim`
   */
  nanmedian<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<readonly [], D>;

  /**
   * As `median`, of what is not NaN; NaN where nothing else is.
   *
   * @throws ShapeError if there is nothing along `dim`
   */
  nanmedian<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ReduceOptions<K>,
  ): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;

  /**
   * As `quantile`, of what is not NaN; NaN where nothing else is.
   *
   * @throws ArgumentError for a q outside; DTypeError unless x is float32 or float64; ShapeError if there are no elements
   */
  nanquantile<D extends DType>(
    this: Tensor<Shape, D>,
    q: number | readonly number[] | Tensor,
    dim?: number,
    options?: QuantileOptions,
  ): Tensor<Shape, D>;

  /**
   * The sum over dimensions, all by default, in which NaN counts as 0. Integers and bools are summed in int64.
   *
   * @throws IndexError for a dimension that is not there
   */
  nansum<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, SumResult<D>>;

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
   * The norm over dimensions, all by default: `vectorNorm` with PyTorch's older name and arguments.
   *
   * @param p the order, any number; `'fro'` is 2 (default)
   * @throws DTypeError for integer and bool tensors; ArgumentError for orders of matrices
   */
  norm<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    p?: number | 'fro',
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, D>;

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
   * The product over dimensions, all by default; 1 over nothing. Integers and bools multiply in int64. The gradients of all
   * orders are right with zeros too.
   */
  prod<S extends Shape, D extends DType, const Dim extends Dims = undefined, const K extends boolean = false>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceOptions<K>,
  ): Tensor<ReduceShape<S, Dim, K>, SumResult<D>>;

  /**
   * Quantiles along a dimension, of all elements by default: for q the value at position `q (n - 1)` of the sorted elements,
   * by default interpolated between the two around it. NaN if there is one.
   *
   * @param q from 0 to 1: a number, a list, or a tensor of at most 1 dimension, which is read at once, so that this waits for
   *   queued work
   * @returns the quantiles; of several q, those of each in front, along a first dimension
   * @throws ArgumentError for a q outside; DTypeError unless x is float32 or float64; ShapeError if there are no elements
   * @example
   * quantile(tensor([0, 1, 2, 3]), 0.25); // 0.75
   * x.quantile([0.1, 0.9], 1); // [2, ...]
   */
  quantile<D extends DType>(
    this: Tensor<Shape, D>,
    q: number | readonly number[] | Tensor,
    dim?: number,
    options?: QuantileOptions,
  ): Tensor<Shape, D>;

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
   * Rounds to the nearest integer, halves to even; the gradient is 0.
   */
  round<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * 1 / sqrt(x).
   */
  rsqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * `exp(x) / sum(exp(x))` along a dimension, computed after subtracting the maximum.
   *
   * @throws DTypeError for integer and bool tensors
   */
  softmax<S extends Shape, D extends DType, const Dim extends number>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
  ): Tensor<S, D>;

  /**
   * The elements in order along a dimension (the last by default), and where each was. Stable; NaN counts as the largest
   * value, so it comes last, and first when descending.
   *
   * @throws IndexError for a dimension that is not there
   * @example
   * const { values, indices } = tensor([3, 1, 2]).sort(); // [1, 2, 3], [1, 2, 0]
   */
  sort<S extends Shape, D extends DType, const Dim extends number = -1>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: SortOptions,
  ): ValuesAndIndices<S, D>;

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
   * A matrix transposed; a vector or scalar as it is.
   *
   * @throws ShapeError for more than 2 dimensions; use mT or transpose
   */
  t<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
  ): Tensor<S extends readonly [number, number] ? TransposeShape<S> : S, D>;

  /**
   * The tangent; x in radians.
   */
  tan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The hyperbolic tangent.
   */
  tanh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * The k largest (or smallest) elements along a dimension, the last by default, in order, and where they are. Of equal
   * elements the first are taken. NaN counts as the largest value.
   *
   * @throws ArgumentError unless k is an integer from 0; IndexError if it is above the size of the dimension
   * @example
   * const { values, indices } = scores.topk(5);
   */
  topk<S extends Shape, D extends DType, const K extends number, const Dim extends number = -1>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    k: K,
    dim?: Dim,
    options?: TopkOptions,
  ): ValuesAndIndices<WithDim<S, Dim, K>, D>;

  /**
   * Two dimensions swapped.
   */
  transpose<S extends Shape, D extends DType, const A extends number, const B extends number>(
    this: Tensor<S, D> & DimCheck<S, A> & DimCheck<S, B>,
    dim0: A,
    dim1: B,
  ): Tensor<TransposeShape<S, A, B>, D>;

  /**
   * Rounds toward 0; the gradient is 0.
   */
  trunc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The slices along a dimension, which is removed.
   */
  unbind<S extends Shape, D extends DType>(this: Tensor<S, D>, dim?: number): Tensor<Shape, D>[];

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
   * The different elements of a tensor in ascending order, or the different slices along `dim` in lexicographic order. Each
   * NaN counts as different from all else. Not differentiable. How many there are depends on the values, so this waits for
   * queued work.
   *
   * @returns the unique values, or with `returnInverse` or `returnCounts` an object `{ values, inverse, counts }` of them and
   *   what was asked for
   * @throws IndexError for a dimension that is not there
   * @example
   * unique(tensor([3, 1, 3])); // [1, 3]
   * const { values, counts } = unique(labels, { returnCounts: true });
   */
  unique<D extends DType, const I extends boolean = false, const C extends boolean = false>(
    this: Tensor<Shape, D>,
    options?: UniqueOptions<I, C>,
  ): Unique<D, I, C>;

  /**
   * The elements of the flattened tensor, or the slices along `dim`, without those that equal the one before. See `unique`,
   * also for what it gives; waits for queued work.
   *
   * @throws IndexError for a dimension that is not there
   */
  uniqueConsecutive<D extends DType, const I extends boolean = false, const C extends boolean = false>(
    this: Tensor<Shape, D>,
    options?: UniqueConsecutiveOptions<I, C>,
  ): Unique<D, I, C>;

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
  aminmax: ops.aminmax,
  any: ops.any,
  argmax: ops.argmax,
  argmin: ops.argmin,
  argsort: ops.argsort,
  backward: ops.backward,
  bincount: ops.bincount,
  broadcastTo: ops.broadcastTo,
  bucketize: ops.bucketize,
  ceil: ops.ceil,
  chunk: ops.chunk,
  clamp: ops.clamp,
  clone: ops.clone,
  contiguous: ops.contiguous,
  copy_: ops.copy_,
  cos: ops.cos,
  countNonzero: ops.countNonzero,
  cummax: ops.cummax,
  cummin: ops.cummin,
  cumprod: ops.cumprod,
  cumsum: ops.cumsum,
  detach: ops.detach,
  diff: ops.diff,
  div: ops.div,
  div_: ops.div_,
  eq: ops.eq,
  erf: ops.erf,
  exp: ops.exp,
  exp2: ops.exp2,
  expand: ops.expand,
  expm1: ops.expm1,
  fill_: ops.fill_,
  flatten: ops.flatten,
  floor: ops.floor,
  floorDivide: ops.floorDivide,
  gather: ops.gather,
  ge: ops.ge,
  gelu: ops.gelu,
  gt: ops.gt,
  histc: ops.histc,
  index: ops.index,
  indexSelect: ops.indexSelect,
  isfinite: ops.isfinite,
  isinf: ops.isinf,
  isnan: ops.isnan,
  kthvalue: ops.kthvalue,
  le: ops.le,
  log: ops.log,
  log10: ops.log10,
  log1p: ops.log1p,
  log2: ops.log2,
  logSoftmax: ops.logSoftmax,
  logcumsumexp: ops.logcumsumexp,
  logicalAnd: ops.logicalAnd,
  logicalNot: ops.logicalNot,
  logicalOr: ops.logicalOr,
  logicalXor: ops.logicalXor,
  logsumexp: ops.logsumexp,
  lt: ops.lt,
  mT: ops.mT,
  matmul: ops.matmul,
  max: ops.max,
  maximum: ops.maximum,
  mean: ops.mean,
  median: ops.median,
  min: ops.min,
  minimum: ops.minimum,
  mode: ops.mode,
  movedim: ops.movedim,
  msort: ops.msort,
  mul: ops.mul,
  mul_: ops.mul_,
  nanmean: ops.nanmean,
  nanmedian: ops.nanmedian,
  nanquantile: ops.nanquantile,
  nansum: ops.nansum,
  narrow: ops.narrow,
  ne: ops.ne,
  neg: ops.neg,
  norm: ops.norm,
  normal_: ops.normal_,
  permute: ops.permute,
  pow: ops.pow,
  pow_: ops.pow_,
  prod: ops.prod,
  quantile: ops.quantile,
  reciprocal: ops.reciprocal,
  relu: ops.relu,
  remainder: ops.remainder,
  reshape: ops.reshape,
  round: ops.round,
  rsqrt: ops.rsqrt,
  scatterAdd: ops.scatterAdd,
  select: ops.select,
  sigmoid: ops.sigmoid,
  sign: ops.sign,
  silu: ops.silu,
  sin: ops.sin,
  slice: ops.slice,
  softmax: ops.softmax,
  sort: ops.sort,
  split: ops.split,
  sqrt: ops.sqrt,
  square: ops.square,
  squeeze: ops.squeeze,
  std: ops.std,
  sub: ops.sub,
  sub_: ops.sub_,
  sum: ops.sum,
  t: ops.t,
  tan: ops.tan,
  tanh: ops.tanh,
  to: ops.to,
  topk: ops.topk,
  transpose: ops.transpose,
  trunc: ops.trunc,
  unbind: ops.unbind,
  uniform_: ops.uniform_,
  unique: ops.unique,
  uniqueConsecutive: ops.uniqueConsecutive,
  unsqueeze: ops.unsqueeze,
  var: ops.variance,
  view: ops.view,
  zero_: ops.zero_,
};

/** Those that take any number of arguments. */
export const variadicMethods: ReadonlySet<string> = new Set(['index']);
