// Written by scripts/methods.js from the functions of src/ops tagged @method. Do not edit: edit the function, then run
// npm run methods.
import type { BackwardOptions } from '../autograd/backward.js';
import type { GradHook, HookHandle } from '../autograd/hooks.js';
import type { Device } from '../device.js';
import type { DType, FloatDType, Promote } from '../dtype.js';
import type { IndexPart, IndexPutOptions } from '../ops/advanced.js';
import type { MinAndMax } from '../ops/aggregate.js';
import type { AlphaOptions, FloatResult, RoundingMode } from '../ops/arithmetic.js';
import type { CloseOptions } from '../ops/close.js';
import type { MoveOptions } from '../ops/copy.js';
import type { CovOptions } from '../ops/covariance.js';
import type { Operand } from '../ops/elementwise.js';
import type { NonzeroOptions } from '../ops/mask.js';
import type { ClampOptions } from '../ops/math.js';
import type { AddProductOptions } from '../ops/products.js';
import type { Generator } from '../ops/random.js';
import type {
  Dims,
  MeanResult,
  ReduceOptions,
  ReduceToOptions,
  SumResult,
  ValuesAndIndices,
  VarOptions,
} from '../ops/reduce.js';
import type { MultinomialOptions, SamplingOptions } from '../ops/sampling.js';
import type { DiffOptions, ScanOptions } from '../ops/scan.js';
import type {
  IndexAddOptions,
  IndexTensor,
  PutOptions,
  ScatterReduceOptions,
  ScatterReduction,
} from '../ops/scatter.js';
import type {
  SearchOptions,
  SortOptions,
  TopkOptions,
  Unique,
  UniqueConsecutiveOptions,
  UniqueOptions,
} from '../ops/sort.js';
import type { BincountOptions, HistcOptions, QuantileOptions } from '../ops/statistics.js';
import type { AddcOptions } from '../ops/ternary.js';
import type { Broadcast3, BroadcastCheck3, ChunkShape, RepeatCheck, RepeatShape, SplitShape } from '../types/join.js';
import type {
  Broadcast,
  BroadcastCheck,
  DimCheck,
  ExpandCheck,
  ExpandShape,
  FlattenShape,
  LastDim,
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
   *
   * @throws DTypeError for bools
   */
  abs<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `abs` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  abs_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Another name of `abs`.
   */
  absolute<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The inverse cosine, from 0 to pi; NaN outside [-1, 1].
   */
  acos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The inverse hyperbolic cosine; NaN below 1.
   */
  acosh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Sum with broadcasting: `a + b`, with `alpha` `a + alpha * b`.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding
   */
  add<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
    options?: AlphaOptions,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Sum with broadcasting: `a + b`, with `alpha` `a + alpha * b`.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding
   */
  add<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean, options?: AlphaOptions): Tensor<A, D>;

  /**
   * `add` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  add_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand, options?: AlphaOptions): Tensor<S, D>;

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
   * `input + value * tensor1 / tensor2`, with broadcasting.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for a value that would need rounding; DTypeError for integers
   */
  addcdiv<S extends Shape, D extends DType, A extends Shape, B extends Shape>(
    this: Tensor<S, D>,
    tensor1: Tensor<A> & BroadcastCheck<S, A>,
    tensor2: Tensor<B> & BroadcastCheck3<S, A, B>,
    options?: AddcOptions,
  ): Tensor<Broadcast3<S, A, B>, D>;

  /**
   * `addcdiv` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  addcdiv_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    tensor1: Tensor,
    tensor2: Tensor,
    options?: AddcOptions,
  ): Tensor<S, D>;

  /**
   * `input + value * tensor1 * tensor2`, with broadcasting.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for a value that would need rounding
   */
  addcmul<S extends Shape, D extends DType, A extends Shape, B extends Shape>(
    this: Tensor<S, D>,
    tensor1: Tensor<A> & BroadcastCheck<S, A>,
    tensor2: Tensor<B> & BroadcastCheck3<S, A, B>,
    options?: AddcOptions,
  ): Tensor<Broadcast3<S, A, B>, D>;

  /**
   * `addcmul` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  addcmul_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    tensor1: Tensor,
    tensor2: Tensor,
    options?: AddcOptions,
  ): Tensor<S, D>;

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
   * Whether `isclose` is true everywhere. Waits for the result.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for different dtypes; ArgumentError for a tolerance < 0
   */
  allclose(this: Tensor, b: Tensor, options?: CloseOptions): boolean;

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
   * Another name of `acos`.
   */
  arccos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Another name of `acosh`.
   */
  arccosh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Another name of `asin`.
   */
  arcsin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Another name of `asinh`.
   */
  arcsinh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Another name of `atan`.
   */
  arctan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * Another name of `atan2`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  arctan2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * Another name of `atan2`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  arctan2<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * Another name of `atanh`.
   */
  arctanh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * Where x is not 0: the coordinates in row-major order as an int64 matrix `[count, rank]`. Waits for queued work.
   */
  argwhere(this: Tensor): Tensor<readonly [number, number], 'int64'>;

  /**
   * The inverse sine, from -pi/2 to pi/2; NaN outside [-1, 1].
   */
  asin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The inverse hyperbolic sine.
   */
  asinh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The inverse tangent, from -pi/2 to pi/2.
   */
  atan<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The angle of the point (b, a) from -pi to pi: the inverse tangent of a / b in the right quadrant.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  atan2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * The angle of the point (b, a) from -pi to pi: the inverse tangent of a / b in the right quadrant.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  atan2<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * The inverse hyperbolic tangent; NaN outside [-1, 1].
   */
  atanh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * Replaces the elements by ones with probability p, else zeros.
   *
   * @param p one probability, or a tensor of them that broadcasts to x
   * @throws ArgumentError for a number outside [0, 1]; ShapeError if p does not broadcast; GradError while gradients are recorded
   */
  bernoulli_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    p?: number | Tensor,
    options?: SamplingOptions,
  ): Tensor<S, D>;

  /**
   * How often each integer of x `[n]` from 0 occurs, or the sum of the weights where it does. How long the result is depends on the
   * largest one, so this waits for queued work. Not differentiable.
   *
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
   * The bits that both have; for bools: both.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseAnd<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The bits that both have; for bools: both.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseAnd<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The bits of `a` moved up by `b`: a * 2 ** b, without the bits that do not fit. A shift by less than 0, or by all bits
   * or more, gives 0.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
   */
  bitwiseLeftShift<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The bits of `a` moved up by `b`: a * 2 ** b, without the bits that do not fit. A shift by less than 0, or by all bits
   * or more, gives 0.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
   */
  bitwiseLeftShift<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The bits inverted: -x - 1 for signed integers; for bools the other truth value.
   *
   * @throws DTypeError for floats
   */
  bitwiseNot<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The bits that either has; for bools: either.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseOr<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The bits that either has; for bools: either.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseOr<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The bits of `a` moved down by `b`: a / 2 ** b, rounded toward minus infinity. A shift by less than 0, or by all bits or
   * more, gives 0, and -1 for negative numbers.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
   */
  bitwiseRightShift<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The bits of `a` moved down by `b`: a / 2 ** b, rounded toward minus infinity. A shift by less than 0, or by all bits or
   * more, gives 0, and -1 for negative numbers.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats and bools
   */
  bitwiseRightShift<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The bits in which they differ; for bools: exactly one.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseXor<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The bits in which they differ; for bools: exactly one.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for floats
   */
  bitwiseXor<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

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
   *
   * @throws DTypeError for bools
   */
  ceil<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `ceil` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for bools
   */
  ceil_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `count` views of equal size along a dimension; the last may be smaller, and there may be fewer, as in PyTorch.
   */
  chunk<S extends Shape, D extends DType, const N extends number, const Dim extends number = 0>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    count: N,
    dim?: Dim,
  ): Tensor<ChunkShape<S, N, Dim>, D>[];

  /**
   * Limits every element to [min, max]: `minimum(maximum(x, min), max)`; a bound may be left out. The gradient by x is 1
   * inside and at the bounds, 0 outside; there it goes to the bound, if that is a tensor. As in PyTorch, a bound with a
   * fraction makes floats of integers.
   *
   * @throws ArgumentError if both bounds are left out or one is neither number nor tensor; ShapeError if the shapes do not
   *   broadcast
   * @example
   * x.clamp({ min: 0 });
   */
  clamp<S extends Shape, D extends DType>(this: Tensor<S, D>, options: { min?: number; max?: number }): Tensor<S, D>;

  /**
   * Limits every element to [min, max]: `minimum(maximum(x, min), max)`; a bound may be left out. The gradient by x is 1
   * inside and at the bounds, 0 outside; there it goes to the bound, if that is a tensor. As in PyTorch, a bound with a
   * fraction makes floats of integers.
   *
   * @throws ArgumentError if both bounds are left out or one is neither number nor tensor; ShapeError if the shapes do not
   *   broadcast
   * @example
   * x.clamp({ min: 0 });
   */
  clamp(this: Tensor, options: ClampOptions): Tensor;

  /**
   * Limits every element from above: `clamp` with an upper bound alone.
   *
   * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
   */
  clampMax<S extends Shape, D extends DType>(this: Tensor<S, D>, max: number): Tensor<S, D>;

  /**
   * Limits every element from above: `clamp` with an upper bound alone.
   *
   * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
   */
  clampMax(this: Tensor, max: number | Tensor): Tensor;

  /**
   * Limits every element from below: `clamp` with a lower bound alone.
   *
   * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
   */
  clampMin<S extends Shape, D extends DType>(this: Tensor<S, D>, min: number): Tensor<S, D>;

  /**
   * Limits every element from below: `clamp` with a lower bound alone.
   *
   * @throws ArgumentError for a bound that is neither number nor tensor; ShapeError if the shapes do not broadcast
   */
  clampMin(this: Tensor, min: number | Tensor): Tensor;

  /**
   * `clamp` in place: the result replaces the elements of `x`.
   *
   * @throws ArgumentError, ShapeError as `clamp`; GradError while gradients are recorded
   */
  clamp_<S extends Shape, D extends DType>(this: Tensor<S, D>, options: ClampOptions): Tensor<S, D>;

  /**
   * Another name of `clamp`.
   *
   * @throws ArgumentError, ShapeError as `clamp`
   */
  clip<S extends Shape, D extends DType>(this: Tensor<S, D>, options: { min?: number; max?: number }): Tensor<S, D>;

  /**
   * Another name of `clamp`.
   *
   * @throws ArgumentError, ShapeError as `clamp`
   */
  clip(this: Tensor, options: ClampOptions): Tensor;

  /**
   * Another name of `clamp_`.
   *
   * @throws ArgumentError, ShapeError as `clamp`; GradError while gradients are recorded
   */
  clip_<S extends Shape, D extends DType>(this: Tensor<S, D>, options: ClampOptions): Tensor<S, D>;

  /**
   * A copy with memory of its own, contiguous. Differentiable.
   *
   * @example
   * const y = x.clone();
   */
  clone<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The tensor itself if its elements lie in row-major order, else a copy in which they do.
   *
   * @param options `memoryFormat: 'channelsLast'`: the channels of a position of [N, C, spatial...] lie side by side instead.
   *   The shape and the meaning of the dimensions stay. Convolutions, pools and norms do that by themselves: their results
   *   are channels-last, so that a chain of them converts only its first input.
   * @throws ShapeError for channels-last of other than 3 to 5 dimensions
   * @example
   * zeros([8, 3, 32, 32]).contiguous({ memoryFormat: 'channelsLast' }).strides; // [3072, 1, 96, 3]
   */
  contiguous<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    options?: { memoryFormat?: 'contiguous' | 'channelsLast' },
  ): Tensor<S, D>;

  /**
   * Copies `source` into `target` in place, broadcasting and converting, from whatever device it is on.
   *
   * @param options `nonBlocking` (default false): from the CPU to a GPU, beside its kernels. The copy begins when those launched
   *   before it are done; those launched after it wait for it only if they use `target`. `source` may be changed or disposed
   *   at once, as without it
   * @throws ShapeError if source does not broadcast to target; GradError while gradients are recorded
   * @example
   * noGrad(() => input.copy_(batch, { nonBlocking: true }));
   */
  copy_<S extends Shape, D extends DType>(this: Tensor<S, D>, source: Tensor, options?: MoveOptions): Tensor<S, D>;

  /**
   * The magnitude of `a` with the sign of `b`, that of zeros included; integers give float32. The gradient by `b` is 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  copysign<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * The magnitude of `a` with the sign of `b`, that of zeros included; integers give float32. The gradient by `b` is 0.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  copysign<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * The correlation coefficients of variables, which are rows: covariances divided by the standard deviations, from -1 to 1. A
   * vector gives a scalar.
   *
   * Shapes: `[variables, observations] -> [variables, variables]`, `[observations] -> []`.
   *
   * @throws ShapeError for more than 2 dimensions; DTypeError for bools
   */
  corrcoef(this: Tensor): Tensor<Shape, FloatDType>;

  /**
   * The cosine; x in radians.
   */
  cos<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `cos` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  cos_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The hyperbolic cosine.
   */
  cosh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * The covariance matrix of variables, which are rows, over observations, which are columns. A vector is one variable, and
   * gives a scalar. Integers give float32.
   *
   * Shapes: `[variables, observations] -> [variables, variables]`, `[observations] -> []`.
   *
   * @throws ShapeError for more than 2 dimensions and for weights of another number; DTypeError for bools; ArgumentError for a
   *   correction that is no integer
   */
  cov(this: Tensor, options?: CovOptions): Tensor<Shape, FloatDType>;

  /**
   * The cross product of vectors of 3 elements along a dimension, -1 by default (as `torch.linalg.cross`); the other
   * dimensions broadcast.
   *
   * @throws ShapeError unless both have size 3 there
   */
  cross<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>, dim?: number): Tensor<Shape, D>;

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
  cumprod<S extends Shape, D extends DType, const Dim extends number, T extends DType = SumResult<D>>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ScanOptions<T>,
  ): Tensor<S, T>;

  /**
   * Running sums along a dimension: `out[i] = x[0] + ... + x[i]`. Integers and bools give int64; floats are accumulated in
   * float64.
   *
   * @throws IndexError for a dimension that is not there
   * @example
   * tensor([1, 2, 3]).cumsum(0); // [1, 3, 6]
   */
  cumsum<S extends Shape, D extends DType, const Dim extends number, T extends DType = SumResult<D>>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    options?: ScanOptions<T>,
  ): Tensor<S, T>;

  /**
   * Degrees to radians: x * pi / 180.
   */
  deg2rad<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * The matrix with the elements of x, in row-major order, on a diagonal: 0 the main one, positive above it.
   *
   * @throws ArgumentError unless offset is an integer
   * @example
   * diagflat(tensor([1, 2])); // [[1, 0], [0, 2]]
   */
  diagflat<D extends DType>(this: Tensor<Shape, D>, offset?: number): Tensor<readonly [number, number], D>;

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
   * Differences of neighbours along a dimension, the last by default: `x[i + 1] - x[i]`, n times; of bools, whether they
   * differ.
   *
   * @param n how often differences are taken
   * @throws ShapeError for a scalar; ArgumentError for an n that is no integer from 0
   * @example
   * tensor([1, 4, 9]).diff(); // [3, 5]
   */
  diff<D extends DType>(this: Tensor<Shape, D>, n?: number, dim?: number, options?: DiffOptions): Tensor<Shape, D>;

  /**
   * The derivative of `lgamma`; NaN at negative integers, -inf at 0 and inf at -0.
   */
  digamma<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The norm of the difference: `vectorNorm(a - b, p)`, with broadcasting.
   *
   * @throws DTypeError unless the difference is of floats; ShapeError if the shapes do not broadcast
   */
  dist<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>, p?: number): Tensor<readonly [], D>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32. With `roundingMode` the quotient is rounded, and integers
   * give integers: `'trunc'` toward 0 as in C, `'floor'` toward minus infinity as `floorDivide`; then the gradient is 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an unknown rounding mode; for integers divided by 0
   *   with rounding an error at the next read
   */
  div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32. With `roundingMode` the quotient is rounded, and integers
   * give integers: `'trunc'` toward 0 as in C, `'floor'` toward minus infinity as `floorDivide`; then the gradient is 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an unknown rounding mode; for integers divided by 0
   *   with rounding an error at the next read
   */
  div<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32. With `roundingMode` the quotient is rounded, and integers
   * give integers: `'trunc'` toward 0 as in C, `'floor'` toward minus infinity as `floorDivide`; then the gradient is 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an unknown rounding mode; for integers divided by 0
   *   with rounding an error at the next read
   */
  div<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
    options: { roundingMode: RoundingMode },
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Quotient with broadcasting: `a / b`; integers give float32. With `roundingMode` the quotient is rounded, and integers
   * give integers: `'trunc'` toward 0 as in C, `'floor'` toward minus infinity as `floorDivide`; then the gradient is 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an unknown rounding mode; for integers divided by 0
   *   with rounding an error at the next read
   */
  div<A extends Shape, D extends DType>(
    this: Tensor<A, D>,
    b: number | boolean,
    options: { roundingMode: RoundingMode },
  ): Tensor<A, D>;

  /**
   * `div` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded; DTypeError if `x` is of
   *   integers and the quotient is not rounded
   */
  div_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    b: Operand,
    options?: { roundingMode?: RoundingMode },
  ): Tensor<S, D>;

  /**
   * Another name of `div`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  divide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * Another name of `div`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  divide<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

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
   * Whether two tensors have the same shape and equal elements; NaN is equal to nothing. Waits for the result.
   */
  equal(this: Tensor, b: Tensor): boolean;

  /**
   * The error function.
   */
  erf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * 1 - erf(x), exact for large x.
   */
  erfc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The inverse of erf: infinite at -1 and 1, NaN outside.
   */
  erfinv<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * e to the power x.
   */
  exp<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * 2 to the power x.
   */
  exp2<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `exp` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  exp_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * `expm1` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  expm1_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Replaces the elements by numbers of the exponential distribution, of density `lambd exp(-lambd x)`.
   *
   * @throws DTypeError for integer and bool tensors; ArgumentError unless lambd is positive; GradError while gradients are recorded
   */
  exponential_<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    lambd?: number,
    options?: SamplingOptions,
  ): Tensor<S, D>;

  /**
   * Fills a tensor with one value, in place.
   */
  fill_<S extends Shape, D extends DType>(this: Tensor<S, D>, value: number | bigint | boolean): Tensor<S, D>;

  /**
   * Another name of `trunc`.
   */
  fix<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * `base^exponent` computed in float64, with broadcasting.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  floatPower<S extends Shape, D extends DType>(this: Tensor<S, D>, exponent: Operand): Tensor<Shape, 'float64'>;

  /**
   * Rounds toward minus infinity; the gradient is 0.
   *
   * @throws DTypeError for bools
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
   * `floorDivide` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  floorDivide_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * `floor` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for bools
   */
  floor_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The larger of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  fmax<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The larger of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  fmax<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The smaller of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  fmin<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * The smaller of two, elementwise; where one is NaN, the other. Of equal values the first gets the gradient.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  fmin<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * Remainder of division with the sign of the dividend, as in C.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for bools
   */
  fmod<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Remainder of division with the sign of the dividend, as in C.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for bools
   */
  fmod<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `fmod` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  fmod_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * The fractional part with the sign of x: x - trunc(x).
   *
   * @throws DTypeError for integers and bools
   */
  frac<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * Gaussian error linear unit, x * Phi(x), whose negative tail keeps its digits (Hendrycks and Gimpel 2016).
   *
   * @param options `approximate`: `'none'` (default), or `'tanh'` for
   *   `0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x ** 3)))`
   * @throws DTypeError for integer and bool tensors; ArgumentError for another approximation
   */
  gelu<S extends Shape, D extends DType>(this: Tensor<S, D>, options?: { approximate?: 'none' | 'tanh' }): Tensor<S, D>;

  /**
   * The same as `outer`.
   *
   * @throws ShapeError unless both have 1 dimension
   */
  ger<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D>;

  /**
   * Another name of `gt`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  greater<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * Another name of `gt`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  greater<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * Another name of `ge`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  greaterEqual<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * Another name of `ge`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  greaterEqual<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

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
   * 0 where |x| <= lambd, else x.
   *
   * @param lambd the half width of what becomes 0
   * @throws DTypeError for integer and bool tensors
   */
  hardshrink<S extends Shape, D extends DType>(this: Tensor<S, D>, lambd?: number): Tensor<S, D>;

  /**
   * The step function: 0 below 0 and for NaN, 1 above, and at 0 the element of `values`. No gradient flows through it.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  heaviside(this: Tensor, values: Tensor): Tensor;

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
   * sqrt(a ** 2 + b ** 2) without overflow: the hypotenuse.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  hypot<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * sqrt(a ** 2 + b ** 2) without overflow: the hypotenuse.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  hypot<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

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
  indexSelect<S extends Shape, D extends DType, const Dim extends number, I extends Shape>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim: Dim,
    index: Tensor<I, 'int64' | 'int32'>,
  ): Tensor<WithDim<S, Dim, LastDim<I>>, D>;

  /**
   * The sums of products over the last dimensions: `[..., K], [...', K] -> [..., ...']`. With a scalar, the product of all elements
   * with it.
   *
   * @throws ShapeError unless the last dimensions are equal; DTypeError for bool or mixed dtypes
   */
  inner<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D>;

  /**
   * True where a and b are equal or `|a - b| <= atol + rtol * |b|`, with broadcasting; infinities are close only to
   * themselves.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for different dtypes; ArgumentError for a tolerance < 0
   */
  isclose<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
    options?: CloseOptions,
  ): Tensor<Broadcast<A, B>, 'bool'>;

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
   * True where x is minus infinity.
   */
  isneginf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * True where x is plus infinity.
   */
  isposinf<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * The Kronecker product: each element of a times all of b, as blocks. Of different ranks, the smaller shape gets ones in
   * front. At most 4 dimensions.
   *
   * @throws ShapeError for more dimensions
   */
  kron<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<Shape, D>;

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
   * `x * 2^other`, with broadcasting.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  ldexp(this: Tensor, other: Tensor): Tensor;

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
   * Linear interpolation with broadcasting: `input + weight * (end - input)`.
   *
   * @param weight a number, or a tensor of weights
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and for different dtypes
   */
  lerp<S extends Shape, D extends DType, E extends Shape, W extends Shape = readonly []>(
    this: Tensor<S, D>,
    end: Tensor<E> & BroadcastCheck<S, E>,
    weight: number | (Tensor<W> & BroadcastCheck3<S, E, W>),
  ): Tensor<Broadcast3<S, E, W>, D>;

  /**
   * `lerp` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  lerp_<S extends Shape, D extends DType>(this: Tensor<S, D>, end: Tensor, weight: number | Tensor): Tensor<S, D>;

  /**
   * Another name of `lt`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  less<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * Another name of `lt`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  less<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * Another name of `le`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  lessEqual<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * Another name of `le`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  lessEqual<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

  /**
   * The logarithm of the absolute value of the gamma function; infinite at 0 and negative integers.
   */
  lgamma<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
   * `log1p` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  log1p_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * `log` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  log_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * log(exp(a) + exp(b)) without overflow.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  logaddexp<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * log(exp(a) + exp(b)) without overflow.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  logaddexp<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * log2(2 ** a + 2 ** b) without overflow.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  logaddexp2<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * log2(2 ** a + 2 ** b) without overflow.
   *
   * @throws ShapeError if the shapes do not broadcast; DTypeError for integers and bools
   */
  logaddexp2<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

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
   * The logarithm of the odds, log(x / (1 - x)), the inverse of `sigmoid`; NaN outside [0, 1] unless `eps` is given.
   *
   * @param options `eps`: x is first limited to [eps, 1 - eps], outside of which the gradient is 0
   * @throws ArgumentError unless 0 <= eps <= 0.5
   */
  logit<S extends Shape, D extends DType>(this: Tensor<S, D>, options?: { eps?: number }): Tensor<S, FloatResult<D>>;

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
   * @throws DTypeError for integer and bool tensors, unless `dtype` makes floats of them
   */
  mean<
    S extends Shape,
    D extends DType,
    const Dim extends Dims = undefined,
    const K extends boolean = false,
    T extends DType = MeanResult<D>,
  >(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceToOptions<K, T>,
  ): Tensor<ReduceShape<S, Dim, K>, T>;

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
   * The product of two matrices, `[M, K] @ [K, N] -> [M, N]`; unlike `matmul` it takes nothing else.
   *
   * @throws ShapeError unless both have 2 dimensions that fit; DTypeError for bool or mixed dtypes
   */
  mm<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number, number], D>;

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
   * Draws categories: each row of the input has the weights of its categories, which need not sum to 1. Waits for queued work,
   * to check the weights.
   *
   * Shapes: `[n] -> [numSamples]`, `[rows, n] -> [rows, numSamples]`; int64.
   *
   * @throws ShapeError unless x has 1 or 2 dimensions; DTypeError for integer and bool tensors; ArgumentError for weights that are
   *   negative, NaN or infinite, for rows without enough positive weights, and unless numSamples is an integer from 1
   * @example
   * multinomial(tensor([0.1, 0, 0.9]), 5, { replacement: true }); // such as [2, 2, 0, 2, 2]
   */
  multinomial(this: Tensor, numSamples: number, options?: MultinomialOptions): Tensor<Shape, 'int64'>;

  /**
   * Another name of `mul`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  multiply<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Another name of `mul`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  multiply<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * The product of a matrix and a vector, `[M, K] @ [K] -> [M]`.
   *
   * @throws ShapeError unless the shapes are these; DTypeError for bool or mixed dtypes
   */
  mv<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [number], D>;

  /**
   * Replaces NaN and the infinities; the gradient there is 0. Integers are returned as they are.
   *
   * @param options `nan` (default 0), `posinf` and `neginf` (default the largest and smallest numbers of the dtype)
   */
  nanToNum<S extends Shape, D extends DType>(
    this: Tensor<S, D>,
    options?: { nan?: number; posinf?: number; neginf?: number },
  ): Tensor<S, D>;

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
   *
   * @throws DTypeError for bools: `logicalNot` inverts a mask
   */
  neg<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `neg` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  neg_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Another name of `neg`.
   */
  negative<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * Another name of `ne`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  notEqual<A extends Shape, B extends Shape>(
    this: Tensor<A>,
    b: Tensor<B> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, 'bool'>;

  /**
   * Another name of `ne`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  notEqual<A extends Shape>(this: Tensor<A>, b: number | boolean): Tensor<A, 'bool'>;

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
   * The n-th derivative of `digamma`, `(-1)^(n + 1) n! sum over k >= 0 of (x + k)^-(n + 1)` for n >= 1; poles at 0 and the
   * negative integers are infinite.
   *
   * @param n a whole number from 0 (digamma itself) to 100
   * @throws ArgumentError for another n
   */
  polygamma<S extends Shape, D extends DType>(this: Tensor<S, D>, n: number): Tensor<S, FloatResult<D>>;

  /**
   * x itself.
   *
   * @throws DTypeError for bools
   */
  positive<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Power with broadcasting: `a ** b`. Integers to a tensor of exponents stay integers; a negative exponent among them
   * gives 1 / a ** -b rounded toward 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for integers to a negative whole number
   */
  pow<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Power with broadcasting: `a ** b`. Integers to a tensor of exponents stay integers; a negative exponent among them
   * gives 1 / a ** -b rounded toward 0.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for integers to a negative whole number
   */
  pow<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, D>;

  /**
   * `pow` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  pow_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * x where it is positive, else x * weight with a learned weight (He et al. 2015).
   *
   * @param weight one number (`[]` or `[1]`), or one for each channel, which is dimension 1: `[C]`
   * @throws ShapeError if the weight fits neither; DTypeError for integers and for different dtypes
   */
  prelu<S extends Shape, D extends DType>(this: Tensor<S, D>, weight: Tensor): Tensor<S, D>;

  /**
   * The product over dimensions, all by default; 1 over nothing. Integers and bools multiply in int64. The gradients of all
   * orders are right with zeros too.
   */
  prod<
    S extends Shape,
    D extends DType,
    const Dim extends Dims = undefined,
    const K extends boolean = false,
    T extends DType = SumResult<D>,
  >(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceToOptions<K, T>,
  ): Tensor<ReduceShape<S, Dim, K>, T>;

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
   * Radians to degrees: x * 180 / pi.
   */
  rad2deg<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * All elements in one dimension: a view if strides allow, else a copy.
   */
  ravel<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<FlattenShape<S>, D>;

  /**
   * 1 / x.
   */
  reciprocal<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `reciprocal` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  reciprocal_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * Has `hook` called with the gradient of this tensor in each backward pass that computes it, once it is complete. A tensor
   * that the hook returns takes the gradient's place, in everything that follows and in `grad`. Several hooks are called in
   * the order of registration; the hook must not change the gradient in place.
   *
   * @returns `remove()` takes the hook away
   * @throws GradError if the tensor requires no gradients; ArgumentError if `hook` is no function; in backward ShapeError and
   *   DTypeError if what the hook returns is not like the gradient
   * @example
   * const x = tensor([1, 2], { requiresGrad: true });
   * const handle = x.registerHook((grad) => grad.mul(0.5));
   * x.mul(x).sum().backward();
   * x.grad; // [1, 2]
   * handle.remove();
   */
  registerHook(this: Tensor, hook: GradHook): HookHandle;

  /**
   * max(x, 0); the gradient at 0 is 0, as in PyTorch.
   *
   * @throws DTypeError for bools
   */
  relu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `relu` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for bools
   */
  relu_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * `remainder` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  remainder_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand): Tensor<S, D>;

  /**
   * Scales down the slices along a dimension whose norm is above a limit, so that it is `maxnorm`; the others stay.
   *
   * @param p the order of the norm, above 0
   * @param dim the dimension whose slices are meant
   * @throws ShapeError for fewer than 2 dimensions; DTypeError for integers and bools; ArgumentError for a p that is not above 0
   *   and a negative maxnorm
   */
  renorm<S extends Shape, D extends DType>(this: Tensor<S, D>, p: number, dim: number, maxnorm: number): Tensor<S, D>;

  /**
   * x repeated `counts[d]` times along each dimension d, a copy. More counts than x has dimensions add dimensions in front.
   *
   * @throws ShapeError for fewer counts than dimensions; ArgumentError for a count that is no integer from 0
   * @example
   * tensor([1, 2]).repeat([2, 2]); // [[1, 2, 1, 2], [1, 2, 1, 2]]
   */
  repeat<S extends Shape, D extends DType, const C extends Shape>(
    this: Tensor<S, D> & RepeatCheck<S, C>,
    counts: C,
  ): Tensor<RepeatShape<S, C>, D>;

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
   *
   * @param options `decimals`: digits to keep behind the point; -1 rounds to tens. Default 0; integers take no other.
   * @throws DTypeError for bools, and for integers with decimals; ArgumentError for decimals that are no integer
   */
  round<S extends Shape, D extends DType>(this: Tensor<S, D>, options?: { decimals?: number }): Tensor<S, D>;

  /**
   * `round` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for bools
   */
  round_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * 1 / sqrt(x).
   */
  rsqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `rsqrt` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  rsqrt_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * `sign`, by its name for complex numbers.
   */
  sgn<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * 1 / (1 + exp(-x)).
   */
  sigmoid<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `sigmoid` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  sigmoid_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * -1, 0 or 1 by sign; NaN stays.
   */
  sign<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * True where the sign is minus, that of -0 included.
   */
  signbit<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, 'bool'>;

  /**
   * x * sigmoid(x), also known as swish (Elfwing et al. 2017).
   *
   * @throws DTypeError for integer and bool tensors
   */
  silu<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The sine; x in radians.
   */
  sin<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `sin` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  sin_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The normalised sinc, sin(pi x) / (pi x), and 1 at 0.
   */
  sinc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * The hyperbolic sine.
   */
  sinh<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

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
  split<S extends Shape, D extends DType, const N extends number | readonly number[], const Dim extends number = 0>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    size: N,
    dim?: Dim,
  ): Tensor<SplitShape<S, N, Dim>, D>[];

  /**
   * The square root.
   */
  sqrt<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, FloatResult<D>>;

  /**
   * `sqrt` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  sqrt_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * x squared.
   */
  square<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `square` in place: the result replaces the elements of `x`.
   *
   * @throws GradError while gradients are recorded; DTypeError if the result does not fit the dtype
   */
  square_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
   * Difference with broadcasting: `a - b`, with `alpha` `a - alpha * b`. Bool tensors are refused, as in PyTorch: `logicalXor` and `logicalNot`
   * say what is meant.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding; DTypeError for bools
   */
  sub<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
    options?: AlphaOptions,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Difference with broadcasting: `a - b`, with `alpha` `a - alpha * b`. Bool tensors are refused, as in PyTorch: `logicalXor` and `logicalNot`
   * say what is meant.
   *
   * @throws ShapeError if the shapes do not broadcast; ArgumentError for an alpha that would need rounding; DTypeError for bools
   */
  sub<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean, options?: AlphaOptions): Tensor<A, D>;

  /**
   * `sub` in place: the result replaces the elements of `x`.
   *
   * @throws ShapeError if the result has another shape; GradError while gradients are recorded
   */
  sub_<S extends Shape, D extends DType>(this: Tensor<S, D>, b: Operand, options?: AlphaOptions): Tensor<S, D>;

  /**
   * Another name of `sub`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  subtract<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
    options?: AlphaOptions,
  ): Tensor<Broadcast<A, B>, Promote<D, E>>;

  /**
   * Another name of `sub`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  subtract<A extends Shape, D extends DType>(
    this: Tensor<A, D>,
    b: number | boolean,
    options?: AlphaOptions,
  ): Tensor<A, D>;

  /**
   * The sum over dimensions, all by default. Integers and bools are summed in int64,
   * unless `dtype` says otherwise.
   *
   * @param dim a dimension, several, or none for all
   * @throws IndexError for a dimension that is not there
   * @example
   * x.sum(); x.sum(1, { keepDim: true }); x.sum([0, 2]);
   */
  sum<
    S extends Shape,
    D extends DType,
    const Dim extends Dims = undefined,
    const K extends boolean = false,
    T extends DType = SumResult<D>,
  >(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
    options?: ReduceToOptions<K, T>,
  ): Tensor<ReduceShape<S, Dim, K>, T>;

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
   * `tanh` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for integers and bools, which cannot hold the result
   */
  tanh_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

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
  tile<S extends Shape, D extends DType, const C extends Shape>(
    this: Tensor<S, D>,
    counts: C,
  ): Tensor<RepeatShape<S, C>, D>;

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
  to<S extends Shape, D extends DType>(this: Tensor<S, D>, device: Device, options?: MoveOptions): Tensor<S, D>;

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
   * Another name of `div`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  trueDivide<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * Another name of `div`.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  trueDivide<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * Rounds toward 0; the gradient is 0.
   *
   * @throws DTypeError for bools
   */
  trunc<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * `trunc` in place.
   *
   * @throws GradError while gradients are recorded; DTypeError for bools
   */
  trunc_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;

  /**
   * The slices along a dimension, which is removed.
   */
  unbind<S extends Shape, D extends DType, const Dim extends number = 0>(
    this: Tensor<S, D> & DimCheck<S, Dim>,
    dim?: Dim,
  ): Tensor<ReduceShape<S, Dim>, D>[];

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
   * The scalar product of two vectors; for the real dtypes that there are, the same as `dot`.
   *
   * @throws ShapeError unless both have 1 dimension of one size; DTypeError for bool or mixed dtypes
   */
  vdot<D extends DType>(this: Tensor<Shape, D>, b: Tensor<Shape, D>): Tensor<readonly [], D>;

  /**
   * As `reshape`, but refuses views that only a copy could serve. A channels-last tensor is copied: that its elements lie so
   * was the choice of the convolution that made it.
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
   * a * log(b), and 0 where a is 0, whatever b but NaN.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  xlogy<A extends Shape, B extends Shape, D extends DType, E extends DType>(
    this: Tensor<A, D>,
    b: Tensor<B, E> & BroadcastCheck<A, B>,
  ): Tensor<Broadcast<A, B>, FloatResult<Promote<D, E>>>;

  /**
   * a * log(b), and 0 where a is 0, whatever b but NaN.
   *
   * @throws ShapeError if the shapes do not broadcast
   */
  xlogy<A extends Shape, D extends DType>(this: Tensor<A, D>, b: number | boolean): Tensor<A, FloatResult<D>>;

  /**
   * Sets all elements to 0, in place.
   */
  zero_<S extends Shape, D extends DType>(this: Tensor<S, D>): Tensor<S, D>;
}

/** Method names and the functions behind them. */
export const opMethods: Readonly<Record<keyof OpMethods, (...args: never[]) => unknown>> = {
  abs: ops.abs,
  abs_: ops.abs_,
  absolute: ops.absolute,
  acos: ops.acos,
  acosh: ops.acosh,
  add: ops.add,
  add_: ops.add_,
  addbmm: ops.addbmm,
  addcdiv: ops.addcdiv,
  addcdiv_: ops.addcdiv_,
  addcmul: ops.addcmul,
  addcmul_: ops.addcmul_,
  addmm: ops.addmm,
  addmv: ops.addmv,
  addr: ops.addr,
  all: ops.all,
  allclose: ops.allclose,
  amax: ops.amax,
  amin: ops.amin,
  aminmax: ops.aminmax,
  any: ops.any,
  arccos: ops.arccos,
  arccosh: ops.arccosh,
  arcsin: ops.arcsin,
  arcsinh: ops.arcsinh,
  arctan: ops.arctan,
  arctan2: ops.arctan2,
  arctanh: ops.arctanh,
  argmax: ops.argmax,
  argmin: ops.argmin,
  argsort: ops.argsort,
  argwhere: ops.argwhere,
  asin: ops.asin,
  asinh: ops.asinh,
  atan: ops.atan,
  atan2: ops.atan2,
  atanh: ops.atanh,
  backward: ops.backward,
  baddbmm: ops.baddbmm,
  bernoulli_: ops.bernoulli_,
  bincount: ops.bincount,
  bitwiseAnd: ops.bitwiseAnd,
  bitwiseLeftShift: ops.bitwiseLeftShift,
  bitwiseNot: ops.bitwiseNot,
  bitwiseOr: ops.bitwiseOr,
  bitwiseRightShift: ops.bitwiseRightShift,
  bitwiseXor: ops.bitwiseXor,
  bmm: ops.bmm,
  broadcastTo: ops.broadcastTo,
  bucketize: ops.bucketize,
  ceil: ops.ceil,
  ceil_: ops.ceil_,
  chunk: ops.chunk,
  clamp: ops.clamp,
  clampMax: ops.clampMax,
  clampMin: ops.clampMin,
  clamp_: ops.clamp_,
  clip: ops.clip,
  clip_: ops.clip_,
  clone: ops.clone,
  contiguous: ops.contiguous,
  copy_: ops.copy_,
  copysign: ops.copysign,
  corrcoef: ops.corrcoef,
  cos: ops.cos,
  cos_: ops.cos_,
  cosh: ops.cosh,
  countNonzero: ops.countNonzero,
  cov: ops.cov,
  cross: ops.cross,
  cummax: ops.cummax,
  cummin: ops.cummin,
  cumprod: ops.cumprod,
  cumsum: ops.cumsum,
  deg2rad: ops.deg2rad,
  detach: ops.detach,
  diag: ops.diag,
  diagEmbed: ops.diagEmbed,
  diagflat: ops.diagflat,
  diagonal: ops.diagonal,
  diagonalScatter: ops.diagonalScatter,
  diff: ops.diff,
  digamma: ops.digamma,
  dist: ops.dist,
  div: ops.div,
  div_: ops.div_,
  divide: ops.divide,
  dot: ops.dot,
  eq: ops.eq,
  equal: ops.equal,
  erf: ops.erf,
  erfc: ops.erfc,
  erfinv: ops.erfinv,
  exp: ops.exp,
  exp2: ops.exp2,
  exp_: ops.exp_,
  expand: ops.expand,
  expandAs: ops.expandAs,
  expm1: ops.expm1,
  expm1_: ops.expm1_,
  exponential_: ops.exponential_,
  fill_: ops.fill_,
  fix: ops.fix,
  flatten: ops.flatten,
  flip: ops.flip,
  fliplr: ops.fliplr,
  flipud: ops.flipud,
  floatPower: ops.floatPower,
  floor: ops.floor,
  floorDivide: ops.floorDivide,
  floorDivide_: ops.floorDivide_,
  floor_: ops.floor_,
  fmax: ops.fmax,
  fmin: ops.fmin,
  fmod: ops.fmod,
  fmod_: ops.fmod_,
  frac: ops.frac,
  gather: ops.gather,
  ge: ops.ge,
  gelu: ops.gelu,
  ger: ops.ger,
  greater: ops.greater,
  greaterEqual: ops.greaterEqual,
  gt: ops.gt,
  hardshrink: ops.hardshrink,
  heaviside: ops.heaviside,
  histc: ops.histc,
  hypot: ops.hypot,
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
  inner: ops.inner,
  isclose: ops.isclose,
  isfinite: ops.isfinite,
  isinf: ops.isinf,
  isnan: ops.isnan,
  isneginf: ops.isneginf,
  isposinf: ops.isposinf,
  kron: ops.kron,
  kthvalue: ops.kthvalue,
  ldexp: ops.ldexp,
  le: ops.le,
  lerp: ops.lerp,
  lerp_: ops.lerp_,
  less: ops.less,
  lessEqual: ops.lessEqual,
  lgamma: ops.lgamma,
  log: ops.log,
  log10: ops.log10,
  log1p: ops.log1p,
  log1p_: ops.log1p_,
  log2: ops.log2,
  logSoftmax: ops.logSoftmax,
  log_: ops.log_,
  logaddexp: ops.logaddexp,
  logaddexp2: ops.logaddexp2,
  logcumsumexp: ops.logcumsumexp,
  logicalAnd: ops.logicalAnd,
  logicalNot: ops.logicalNot,
  logicalOr: ops.logicalOr,
  logicalXor: ops.logicalXor,
  logit: ops.logit,
  logsumexp: ops.logsumexp,
  lt: ops.lt,
  mT: ops.mT,
  maskedFill: ops.maskedFill,
  maskedFill_: ops.maskedFill_,
  maskedScatter: ops.maskedScatter,
  maskedSelect: ops.maskedSelect,
  matmul: ops.matmul,
  matrixPower: ops.matrixPower,
  max: ops.max,
  maximum: ops.maximum,
  mean: ops.mean,
  median: ops.median,
  min: ops.min,
  minimum: ops.minimum,
  mm: ops.mm,
  mode: ops.mode,
  moveaxis: ops.moveaxis,
  movedim: ops.movedim,
  msort: ops.msort,
  mul: ops.mul,
  mul_: ops.mul_,
  multinomial: ops.multinomial,
  multiply: ops.multiply,
  mv: ops.mv,
  nanToNum: ops.nanToNum,
  nanmean: ops.nanmean,
  nanmedian: ops.nanmedian,
  nanquantile: ops.nanquantile,
  nansum: ops.nansum,
  narrow: ops.narrow,
  ne: ops.ne,
  neg: ops.neg,
  neg_: ops.neg_,
  negative: ops.negative,
  nonzero: ops.nonzero,
  norm: ops.norm,
  normal_: ops.normal_,
  notEqual: ops.notEqual,
  outer: ops.outer,
  permute: ops.permute,
  polygamma: ops.polygamma,
  positive: ops.positive,
  pow: ops.pow,
  pow_: ops.pow_,
  prelu: ops.prelu,
  prod: ops.prod,
  put: ops.put,
  put_: ops.put_,
  quantile: ops.quantile,
  rad2deg: ops.rad2deg,
  ravel: ops.ravel,
  reciprocal: ops.reciprocal,
  reciprocal_: ops.reciprocal_,
  registerHook: ops.registerHook,
  relu: ops.relu,
  relu_: ops.relu_,
  remainder: ops.remainder,
  remainder_: ops.remainder_,
  renorm: ops.renorm,
  repeat: ops.repeat,
  repeatInterleave: ops.repeatInterleave,
  reshape: ops.reshape,
  reshapeAs: ops.reshapeAs,
  roll: ops.roll,
  rot90: ops.rot90,
  round: ops.round,
  round_: ops.round_,
  rsqrt: ops.rsqrt,
  rsqrt_: ops.rsqrt_,
  scatter: ops.scatter,
  scatterAdd: ops.scatterAdd,
  scatterAdd_: ops.scatterAdd_,
  scatterReduce: ops.scatterReduce,
  scatter_: ops.scatter_,
  select: ops.select,
  selectScatter: ops.selectScatter,
  sgn: ops.sgn,
  sigmoid: ops.sigmoid,
  sigmoid_: ops.sigmoid_,
  sign: ops.sign,
  signbit: ops.signbit,
  silu: ops.silu,
  sin: ops.sin,
  sin_: ops.sin_,
  sinc: ops.sinc,
  sinh: ops.sinh,
  slice: ops.slice,
  sliceScatter: ops.sliceScatter,
  softmax: ops.softmax,
  sort: ops.sort,
  split: ops.split,
  sqrt: ops.sqrt,
  sqrt_: ops.sqrt_,
  square: ops.square,
  square_: ops.square_,
  squeeze: ops.squeeze,
  std: ops.std,
  sub: ops.sub,
  sub_: ops.sub_,
  subtract: ops.subtract,
  sum: ops.sum,
  swapaxes: ops.swapaxes,
  swapdims: ops.swapdims,
  t: ops.t,
  take: ops.take,
  takeAlongDim: ops.takeAlongDim,
  tan: ops.tan,
  tanh: ops.tanh,
  tanh_: ops.tanh_,
  tensorSplit: ops.tensorSplit,
  tile: ops.tile,
  to: ops.to,
  topk: ops.topk,
  trace: ops.trace,
  transpose: ops.transpose,
  tril: ops.tril,
  triu: ops.triu,
  trueDivide: ops.trueDivide,
  trunc: ops.trunc,
  trunc_: ops.trunc_,
  unbind: ops.unbind,
  unflatten: ops.unflatten,
  unfold: ops.unfold,
  uniform_: ops.uniform_,
  unique: ops.unique,
  uniqueConsecutive: ops.uniqueConsecutive,
  unsqueeze: ops.unsqueeze,
  var: ops.variance,
  vdot: ops.vdot,
  view: ops.view,
  viewAs: ops.viewAs,
  xlogy: ops.xlogy,
  zero_: ops.zero_,
};

/** Those that take any number of arguments. */
export const variadicMethods: ReadonlySet<string> = new Set(['index']);
