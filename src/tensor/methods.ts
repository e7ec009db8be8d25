// Written by scripts/methods.js from the functions of src/ops tagged @method. Do not edit: edit the function, then run
// npm run methods.
import type { BackwardOptions } from '../autograd/backward.js';
import type { Device } from '../device.js';
import type { DType, Promote } from '../dtype.js';
import type { FloatResult } from '../ops/arithmetic.js';
import type { Operand } from '../ops/elementwise.js';
import type { IndexPart } from '../ops/indexing.js';
import type { AddProductOptions } from '../ops/products.js';
import type { Generator } from '../ops/random.js';
import type { Dims, MeanResult, ReduceOptions, SumResult, ValuesAndIndices, VarOptions } from '../ops/reduce.js';
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
   * `beta * input + alpha * sum(a[i] @ b[i])` over a batch: `[B, M, K]`, `[B, K, N]`; input broadcasts to `[M, N]`.
   *
   * @throws ShapeError, DTypeError, ArgumentError
   */
  addbmm<D extends DType>(
    this: Tensor<Shape, D>,
    a: Tensor<Shape, D>,
    b: Tensor<Shape, D>,
    options?: AddProductOptions,
  ): Tensor<readonly [number, number], D>;

  /**
   * `beta * input + alpha * (a @ b)` of matrices `[M, K]` and `[K, N]`; input broadcasts to `[M, N]`.
   *
   * @throws ShapeError, DTypeError, ArgumentError
   */
  addmm<D extends DType>(
    this: Tensor<Shape, D>,
    a: Tensor<Shape, D>,
    b: Tensor<Shape, D>,
    options?: AddProductOptions,
  ): Tensor<readonly [number, number], D>;

  /**
   * `beta * input + alpha * (a @ b)` of a matrix `[M, K]` and a vector `[K]`; input broadcasts to `[M]`.
   *
   * @throws ShapeError, DTypeError, ArgumentError
   */
  addmv<D extends DType>(
    this: Tensor<Shape, D>,
    a: Tensor<Shape, D>,
    b: Tensor<Shape, D>,
    options?: AddProductOptions,
  ): Tensor<readonly [number], D>;

  /**
   * `beta * input + alpha * outer(a, b)` of vectors `[M]` and `[N]`; input broadcasts to `[M, N]`.
   *
   * @throws ShapeError, DTypeError, ArgumentError
   */
  addr<D extends DType>(
    this: Tensor<Shape, D>,
    a: Tensor<Shape, D>,
    b: Tensor<Shape, D>,
    options?: AddProductOptions,
  ): Tensor<readonly [number, number], D>;

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
   * `beta * input + alpha * (a @ b)` of batches `[B, M, K]` and `[B, K, N]`; input broadcasts to `[B, M, N]`.
   *
   * @throws ShapeError, DTypeError, ArgumentError
   */
  baddbmm<D extends DType>(
    this: Tensor<Shape, D>,
    a: Tensor<Shape, D>,
    b: Tensor<Shape, D>,
    options?: AddProductOptions,
  ): Tensor<readonly [number, number, number], D>;

  /**
   * The products of two batches of matrices, `[B, M, K] @ [B, K, N] -> [B, M, N]`, without broadcasting.
   *
   * @throws ShapeError unless both have 3 dimensions that fit; DTypeError for bool or mixed dtypes
   */
  bmm<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number, number], D>;

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
   * The cross product of vectors of 3 elements along a dimension, -1 by default (as `torch.linalg.cross`); the other
   * dimensions broadcast.
   *
   * @throws ShapeError unless both have size 3 there
   */
  cross<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>, dim?: number): Tensor<Shape, D>;

  /**
   * The same values outside the graph: shares memory, requires no gradient.
   */
  detach<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * The scalar product of two vectors, `[N], [N] -> []`.
   *
   * @throws ShapeError unless the shapes are these; DTypeError for bool or mixed dtypes
   */
  dot<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [], D>;

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
   * The same as `outer`.
   *
   * @throws ShapeError unless both have 1 dimension
   */
  ger<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D>;

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
   * The sums of products over the last dimensions: `[..., K], [...', K] -> [..., ...']`. With a scalar, the product of all elements
   * with it.
   *
   * @throws ShapeError unless the last dimensions are equal; DTypeError for bool or mixed dtypes
   */
  inner<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D>;

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
   * The Kronecker product: each element of a times all of b, as blocks. Of different ranks, the smaller shape gets ones in
   * front. At most 4 dimensions.
   *
   * @throws ShapeError for more dimensions
   */
  kron<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D>;

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
   * The n-th power of square matrices; of the inverse for negative n.
   *
   * Shapes: `[..., n, n] -> [..., n, n]`.
   *
   * @throws ShapeError unless the matrices are square; ArgumentError unless n is an integer; LinAlgError (at the next read) for a
   * negative power of a singular matrix
   */
  matrixPower<S extends Shape, D extends DType>(this: Tensor<S, D>, n: number): Tensor<S, D>;

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
   * The product of two matrices, `[M, K] @ [K, N] -> [M, N]`; unlike `matmul` it takes nothing else.
   *
   * @throws ShapeError unless both have 2 dimensions that fit; DTypeError for bool or mixed dtypes
   */
  mm<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D>;

  /**
   * A dimension moved to another place, the others in order.
   */
  movedim<S extends Shape, D extends DType>(this: Tensor<S, D>, source: number, destination: number): Tensor<Shape, D>;

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
   * The product of a matrix and a vector, `[M, K] @ [K] -> [M]`.
   *
   * @throws ShapeError unless the shapes are these; DTypeError for bool or mixed dtypes
   */
  mv<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number], D>;

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
   * Replaces the elements by normal numbers.
   */
  normal_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    mean?: number,
    std?: number,
    generator?: Generator,
  ): Tensor<S, D>;

  /**
   * The products of all pairs of elements of two vectors, `[M], [N] -> [M, N]`.
   *
   * @throws ShapeError unless both have 1 dimension
   */
  outer<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D>;

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
   * The sum of a matrix's diagonal; int64 for integers.
   *
   * @throws ShapeError unless x has 2 dimensions
   */
  trace<D extends DType>(this: Tensor<Shape, D>): Tensor<readonly [], SumResult<D>>;

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
   * The scalar product of two vectors; for the real dtypes that there are, the same as `dot`.
   *
   * @throws ShapeError unless both have 1 dimension of one size; DTypeError for bool or mixed dtypes
   */
  vdot<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [], D>;

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
  addbmm: ops.addbmm,
  addmm: ops.addmm,
  addmv: ops.addmv,
  addr: ops.addr,
  all: ops.all,
  amax: ops.amax,
  amin: ops.amin,
  any: ops.any,
  argmax: ops.argmax,
  argmin: ops.argmin,
  backward: ops.backward,
  baddbmm: ops.baddbmm,
  bmm: ops.bmm,
  broadcastTo: ops.broadcastTo,
  ceil: ops.ceil,
  chunk: ops.chunk,
  clamp: ops.clamp,
  clone: ops.clone,
  contiguous: ops.contiguous,
  copy_: ops.copy_,
  cos: ops.cos,
  cross: ops.cross,
  detach: ops.detach,
  div: ops.div,
  div_: ops.div_,
  dot: ops.dot,
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
  ger: ops.ger,
  gt: ops.gt,
  index: ops.index,
  indexSelect: ops.indexSelect,
  inner: ops.inner,
  isfinite: ops.isfinite,
  isinf: ops.isinf,
  isnan: ops.isnan,
  kron: ops.kron,
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
  matmul: ops.matmul,
  matrixPower: ops.matrixPower,
  max: ops.max,
  maximum: ops.maximum,
  mean: ops.mean,
  min: ops.min,
  minimum: ops.minimum,
  mm: ops.mm,
  movedim: ops.movedim,
  mul: ops.mul,
  mul_: ops.mul_,
  mv: ops.mv,
  narrow: ops.narrow,
  ne: ops.ne,
  neg: ops.neg,
  normal_: ops.normal_,
  outer: ops.outer,
  permute: ops.permute,
  pow: ops.pow,
  pow_: ops.pow_,
  prod: ops.prod,
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
  trace: ops.trace,
  transpose: ops.transpose,
  trunc: ops.trunc,
  unbind: ops.unbind,
  uniform_: ops.uniform_,
  unsqueeze: ops.unsqueeze,
  var: ops.variance,
  vdot: ops.vdot,
  view: ops.view,
  zero_: ops.zero_,
};

/** Those that take any number of arguments. */
export const variadicMethods: ReadonlySet<string> = new Set(['index']);
