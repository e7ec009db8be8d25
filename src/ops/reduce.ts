// Reductions over any set of dimensions: one kernel, with an elementwise program as its prologue.
import { isGradEnabled } from '../autograd/mode.js';
import type { DType, FloatDType } from '../dtype.js';
import { checkDType, isFloating } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, normalizeDim, normalizeDims, numel, reduceShape, type Shape } from '../shape.js';
import * as e from '../program/expr.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck, ReduceShape } from '../types/shape.js';
import { div, mul, sub } from './arithmetic.js';
import type { FloatResult } from './arithmetic.js';
import { eq, where } from './compare.js';
import { cast } from './copy.js';
import { checkTensor, defineMultiOp, defineOp, type Op, type OutputSpec } from './define.js';
import { defineElementwise } from './elementwise.js';
import { identityProgram, launchReduce, reduceKinds } from './launch.js';
import { scatterAlong } from './indexing.js';
import { othersAlong } from './scan.js';
import { expand, permute, reshape } from './view.js';

/** What is reduced. @internal */
export interface ReduceAttributes {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
}

/** @internal */
export const keptShape = (x: Tensor, dims: readonly number[]): Shape => reduceShape(x.shape, dims, true);
/** The shape of the result. @internal */
export const reduced = (x: Tensor, { dims, keepDim }: ReduceAttributes): Shape => reduceShape(x.shape, dims, keepDim);

function reduceForward(
  kind: number,
  outs: readonly Tensor[],
  x: Tensor,
  { dims }: ReduceAttributes,
  correction = 0,
): void {
  launchReduce(kind, identityProgram(), outs, keptShape(x, dims), [x], () => 0, correction);
}

/** A reduced tensor with its reduced dimensions back, as size 1. @internal */
export function unreduce(t: Tensor, inputShape: Shape, { dims, keepDim }: ReduceAttributes): Tensor {
  return keepDim ? t : reshape(t, reduceShape(inputShape, dims, true));
}

/** Checks the arguments of a reduction. @internal */
export function attributesOf(
  op: string,
  x: Tensor,
  dim: number | readonly number[] | undefined,
  keepDim: boolean | undefined,
): ReduceAttributes {
  checkTensor(op, 'x', x);
  const rank = x.shape.length;
  const dims =
    dim === undefined
      ? x.shape.map((_, d) => d)
      : typeof dim === 'number'
        ? [normalizeDim(op, dim, rank)]
        : normalizeDims(op, dim, rank);
  return { dims, keepDim: keepDim === true };
}

/** Refuses to reduce nothing. @internal */
export function requireElements(op: string, x: Tensor, { dims }: ReduceAttributes): void {
  if (dims.some((d) => x.shape[d] === 0) && numel(reduceShape(x.shape, dims, false)) > 0) {
    throw new ShapeError(
      `${op}: the tensor of shape ${formatShape(x.shape)} has no elements to reduce, and ${op} of nothing has no value.`,
    );
  }
}

const countOf = (shape: Shape, dims: readonly number[]): number => dims.reduce((n, d) => n * shape[d], 1);
/** @internal */
export const sumDType = (dtype: DType): DType => (isFloating(dtype) ? dtype : 'int64');

/** The dtype of a sum: integers and bools give int64. */
export type SumResult<D extends DType> = D extends 'float32' | 'float64' | 'float16' | 'bfloat16' ? D : 'int64';

/** The dtype of a mean: that of the tensor, which must be a float. */
export type MeanResult<D extends DType> = Extract<D, FloatDType>;

/** Options of a reduction. */
export interface ReduceOptions<K extends boolean = boolean> {
  /** Keep the reduced dimensions, with size 1. */
  keepDim?: K;
}

/** Options of reductions that can compute in another dtype. */
export interface ReduceToOptions<K extends boolean = boolean, T extends DType = DType> extends ReduceOptions<K> {
  /** The elements are converted to this first, and the result has it. */
  dtype?: T;
}

/** Applies an op to x in the dtype that was asked for, if one was. @internal */
export function computeIn<A>(name: string, op: Op<A>, x: Tensor, dtype: DType | undefined, attributes: A): Tensor {
  if (dtype === undefined) return op([x], attributes);
  return tidy(() => cast(op([cast(x, checkDType(name, dtype))], attributes), dtype));
}

/** A dimension, several, or all of them. */
export type Dims = number | readonly number[] | undefined;

const sumOp = defineOp({
  name: 'sum',
  inputs: ['x'],
  shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
  dtype: ({ x }) => sumDType(x.dtype),
  forward: (outs, { x }, a) => reduceForward(reduceKinds.sum, outs, x, a),
  vjp: ([g], _, a, { inputs: [x] }) => [() => expand(unreduce(g, x!.shape, a), x!.shape)],
});

/**
 * The sum over dimensions, all by default. Integers and bools are summed in int64,
 * unless `dtype` says otherwise.
 *
 * @method
 * @param dim a dimension, several, or none for all
 * @throws IndexError for a dimension that is not there
 * @example
 * x.sum(); x.sum(1, { keepDim: true }); x.sum([0, 2]);
 */
export function sum<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
  T extends DType = SumResult<D>,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceToOptions<K, T> = {},
): Tensor<ReduceShape<S, Dim, K>, T> {
  const attributes = attributesOf('sum', x, dim, options.keepDim);
  return computeIn('sum', sumOp, x, options.dtype, attributes) as Tensor<ReduceShape<S, Dim, K>, T>;
}

/** Sums down to a shape that broadcasts to x's. Differentiable. @internal */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  const missing = x.shape.length - shape.length;
  const dims: number[] = [];
  x.shape.forEach((n, d) => {
    if (d < missing || (shape[d - missing] === 1 && n !== 1)) dims.push(d);
  });
  if (dims.length === 0) return reshape(x, shape);
  if (dims.length === missing) return sumOp([x], { dims, keepDim: false });
  return reshape(sumOp([x], { dims, keepDim: true }), shape);
}

const meanOp = defineOp({
  name: 'mean',
  inputs: ['x'],
  shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
  forward: (outs, { x }, a) => reduceForward(reduceKinds.mean, outs, x, a),
  vjp: ([g], _, a, { inputs: [x] }) => [
    () => expand(unreduce(div(g, countOf(x!.shape, a.dims)), x!.shape, a), x!.shape),
  ],
});

/** @internal */
export function requireFloat(op: string, x: Tensor): void {
  if (!isFloating(x.dtype)) {
    throw new DTypeError(`${op}: expected a float tensor, got ${x.dtype}; convert it with to('float32').`);
  }
}

/**
 * The arithmetic mean over dimensions, all by default. NaN over nothing.
 *
 * @method
 * @throws DTypeError for integer and bool tensors, unless `dtype` makes floats of them
 */
export function mean<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
  T extends DType = MeanResult<D>,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceToOptions<K, T> = {},
): Tensor<ReduceShape<S, Dim, K>, T> {
  const attributes = attributesOf('mean', x, dim, options.keepDim);
  if (options.dtype === undefined) requireFloat('mean', x);
  else if (!isFloating(checkDType('mean', options.dtype))) {
    throw new DTypeError(`mean: dtype must be a float dtype, got ${options.dtype}.`);
  }
  return computeIn('mean', meanOp, x, options.dtype, attributes) as Tensor<ReduceShape<S, Dim, K>, T>;
}

const prodOp: Op<ReduceAttributes> = defineOp({
  name: 'prod',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
  dtype: ({ x }) => sumDType(x.dtype),
  forward: (outs, { x }, a) => reduceForward(reduceKinds.prod, outs, x, a),
  vjp: ([g], { x, out }, a) => [
    () => {
      if (isGradEnabled()) return mul(productOfOthers(x, a.dims), unreduce(g, x.shape, a));
      // out / x, except where x is 0: there the product of the others, which is 0 unless it is the only zero.
      const isZero = eq(x, 0);
      const others = prodOp([where(isZero, 1, x)], { dims: a.dims, keepDim: true });
      const zeros = sumOp([isZero], { dims: a.dims, keepDim: true });
      const single = where(eq(zeros, 1), others, 0);
      const quotient = div(unreduce(out, x.shape, a), where(isZero, 1, x));
      return mul(unreduce(g, x.shape, a), where(isZero, single, quotient));
    },
  ],
});

// For each element the product of the others, without dividing: those before times those behind. Slower than dividing, but
// right in all its derivatives, whatever is zero.
function productOfOthers(x: Tensor, dims: readonly number[]): Tensor {
  const kept = x.shape.map((_, d) => d).filter((d) => !dims.includes(d));
  const order = [...kept, ...dims];
  const count = countOf(x.shape, dims);
  const lines = reshape(permute(x, order), [...kept.map((d) => x.shape[d]), count]);
  const others = reshape(
    othersAlong(lines, kept.length),
    order.map((d) => x.shape[d]),
  );
  return permute(
    others,
    order.map((_, d) => order.indexOf(d)),
  );
}

/**
 * The product over dimensions, all by default; 1 over nothing. Integers and bools multiply in int64. The gradients of all
 * orders are right with zeros too.
 *
 * @method
 */
export function prod<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
  T extends DType = SumResult<D>,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceToOptions<K, T> = {},
): Tensor<ReduceShape<S, Dim, K>, T> {
  const attributes = attributesOf('prod', x, dim, options.keepDim);
  return computeIn('prod', prodOp, x, options.dtype, attributes) as Tensor<ReduceShape<S, Dim, K>, T>;
}

function extremeOp(name: 'amax' | 'amin') {
  return defineOp({
    name,
    inputs: ['x'],
    saves: ['x', 'out'],
    shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
    forward: (outs, { x }, a) => reduceForward(name === 'amax' ? reduceKinds.max : reduceKinds.min, outs, x, a),
    vjp: ([g], { x, out }, a) => [
      () => {
        const winners = cast(eq(x, unreduce(out, x.shape, a)), g.dtype);
        const count = sumOp([winners], { dims: a.dims, keepDim: true });
        return mul(div(winners, count), unreduce(g, x.shape, a));
      },
    ],
  });
}
const amaxOp = extremeOp('amax');
const aminOp = extremeOp('amin');

/**
 * The largest element over dimensions, all by default; NaN if there is one. Equal elements share the gradient.
 *
 * @method
 * @throws ShapeError if there is nothing to reduce
 */
export function amax<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(x: Tensor<S, D> & DimCheck<S, Dim>, dim?: Dim, options: ReduceOptions<K> = {}): Tensor<ReduceShape<S, Dim, K>, D> {
  const attributes = attributesOf('amax', x, dim, options.keepDim);
  requireElements('amax', x, attributes);
  return amaxOp([x], attributes) as Tensor<ReduceShape<S, Dim, K>, D>;
}

/**
 * The smallest element over dimensions, all by default; NaN if there is one. Equal elements share the gradient.
 *
 * @method
 * @throws ShapeError if there is nothing to reduce
 */
export function amin<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(x: Tensor<S, D> & DimCheck<S, Dim>, dim?: Dim, options: ReduceOptions<K> = {}): Tensor<ReduceShape<S, Dim, K>, D> {
  const attributes = attributesOf('amin', x, dim, options.keepDim);
  requireElements('amin', x, attributes);
  return aminOp([x], attributes) as Tensor<ReduceShape<S, Dim, K>, D>;
}

function withIndexOp(name: 'max' | 'min') {
  return defineMultiOp({
    name,
    inputs: ['x'],
    saves: ['out1'],
    outputs: ({ x }, a: ReduceAttributes): OutputSpec[] => [
      { shape: reduced(x, a), dtype: x.dtype },
      { shape: reduced(x, a), dtype: 'int64' },
    ],
    forward: (outs, { x }, a) =>
      reduceForward(name === 'max' ? reduceKinds.maxIndex : reduceKinds.minIndex, outs, x, a),
    vjp: ([g], { out1 }, a, { inputs: [x] }) => [
      () => scatterAlong(x!.shape, a.dims[0], unreduce(out1, x!.shape, a), unreduce(g, x!.shape, a)),
    ],
  });
}
const maxOp = withIndexOp('max');
const minOp = withIndexOp('min');

/** What `max` and `min` along a dimension give. */
export interface ValuesAndIndices<S extends Shape, D extends DType> {
  /** The values that were picked. */
  values: Tensor<S, D>;
  /** Where they stood along the reduced dimension. */
  indices: Tensor<S, 'int64'>;
}

/**
 * Without `dim` the largest element, as `amax`. With it, the largest along that dimension and where it is (the first, if
 * several); the gradient goes to that element alone.
 *
 * @method
 * @throws ShapeError if there is nothing to reduce
 * @example
 * const { values, indices } = x.max(1);
 */
export function max<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], D>;
export function max<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options?: ReduceOptions<K>,
): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
export function max(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | ValuesAndIndices<Shape, DType> {
  if (dim === undefined) return amax(x);
  return valuesAndIndices('max', maxOp, x, dim, options);
}

/**
 * As `max`, for the smallest.
 *
 * @method
 */
export function min<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], D>;
export function min<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options?: ReduceOptions<K>,
): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
export function min(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | ValuesAndIndices<Shape, DType> {
  if (dim === undefined) return amin(x);
  return valuesAndIndices('min', minOp, x, dim, options);
}

function valuesAndIndices(
  op: string,
  apply: typeof maxOp,
  x: Tensor,
  dim: number,
  options: ReduceOptions,
): ValuesAndIndices<Shape, DType> {
  const attributes = attributesOf(op, x, dim, options.keepDim);
  requireElements(op, x, attributes);
  const [values, indices] = apply([x], attributes);
  return { values: values, indices: indices as Tensor<Shape, 'int64'> };
}

function argOp(name: 'argmax' | 'argmin') {
  return defineOp({
    name,
    inputs: ['x'],
    shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
    dtype: () => 'int64',
    forward: (outs, { x }, a) => reduceForward(reduceKinds[name], outs, x, a),
  });
}
const argmaxOp = argOp('argmax');
const argminOp = argOp('argmin');

/**
 * The position of the largest element along `dim`, or in the flattened tensor; the first if several, NaN counts as
 * largest.
 *
 * @method
 * @throws ShapeError if there is nothing to reduce
 */
export function argmax<
  S extends Shape,
  const Dim extends number | undefined = undefined,
  const K extends boolean = false,
>(x: Tensor<S> & DimCheck<S, Dim>, dim?: Dim, options: ReduceOptions<K> = {}): Tensor<ReduceShape<S, Dim, K>, 'int64'> {
  const attributes = attributesOf('argmax', x, dim, options.keepDim);
  requireElements('argmax', x, attributes);
  return argmaxOp([x], attributes) as Tensor<ReduceShape<S, Dim, K>, 'int64'>;
}

/**
 * The position of the smallest element along `dim`, or in the flattened tensor; the first if several, NaN counts as
 * smallest.
 *
 * @method
 */
export function argmin<
  S extends Shape,
  const Dim extends number | undefined = undefined,
  const K extends boolean = false,
>(x: Tensor<S> & DimCheck<S, Dim>, dim?: Dim, options: ReduceOptions<K> = {}): Tensor<ReduceShape<S, Dim, K>, 'int64'> {
  const attributes = attributesOf('argmin', x, dim, options.keepDim);
  requireElements('argmin', x, attributes);
  return argminOp([x], attributes) as Tensor<ReduceShape<S, Dim, K>, 'int64'>;
}

function truthOp(name: 'all' | 'any') {
  return defineOp({
    name,
    inputs: ['x'],
    shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
    dtype: () => 'bool',
    forward: (outs, { x }, a) => reduceForward(reduceKinds[name], outs, x, a),
  });
}
const allOp = truthOp('all');
const anyOp = truthOp('any');

/**
 * True where no element along the dimensions is 0.
 *
 * @method
 */
export function all<S extends Shape, const Dim extends Dims = undefined, const K extends boolean = false>(
  x: Tensor<S> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, 'bool'> {
  return allOp([x], attributesOf('all', x, dim, options.keepDim)) as Tensor<ReduceShape<S, Dim, K>, 'bool'>;
}

/**
 * True where some element along the dimensions is not 0.
 *
 * @method
 */
export function any<S extends Shape, const Dim extends Dims = undefined, const K extends boolean = false>(
  x: Tensor<S> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, 'bool'> {
  return anyOp([x], attributesOf('any', x, dim, options.keepDim)) as Tensor<ReduceShape<S, Dim, K>, 'bool'>;
}

const varMeanOp = defineMultiOp({
  name: 'varMean',
  inputs: ['x'],
  saves: ['x'],
  outputs: ({ x }, a: ReduceAttributes & { correction: number }): OutputSpec[] => [
    { shape: reduced(x, a), dtype: x.dtype },
    { shape: reduced(x, a), dtype: x.dtype },
  ],
  forward: (outs, { x }, a) => reduceForward(reduceKinds.var, outs, x, a, a.correction),
  vjp: ([gVar, gMean], { x }, a) => [
    () => {
      const n = countOf(x.shape, a.dims);
      const deviation = sub(x, meanOp([x], { dims: a.dims, keepDim: true }));
      const fromVar = mul(deviation, mul(unreduce(gVar, x.shape, a), 2 / Math.max(0, n - a.correction)));
      return fromVar.add(div(unreduce(gMean, x.shape, a), n));
    },
  ],
});

/** Options of `var`, `std` and `varMean`. */
export interface VarOptions<K extends boolean = boolean> extends ReduceOptions<K> {
  /** Subtracted from the count in the divisor: 1 (default) for the unbiased estimate, 0 for the population's. */
  correction?: number;
}

/**
 * Variance and mean over dimensions in one pass (Welford's method).
 *
 * @returns `[variance, mean]`
 * @throws DTypeError for integer and bool tensors
 */
export function varMean<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: VarOptions<K> = {},
): [Tensor<ReduceShape<S, Dim, K>, D>, Tensor<ReduceShape<S, Dim, K>, D>] {
  const attributes = attributesOf('varMean', x, dim, options.keepDim);
  requireFloat('varMean', x);
  const { correction = 1 } = options;
  if (typeof correction !== 'number' || !Number.isFinite(correction)) {
    throw new ArgumentError(`varMean: correction must be a finite number, got ${String(correction)}.`);
  }
  return varMeanOp([x], { ...attributes, correction }) as [
    Tensor<ReduceShape<S, Dim, K>, D>,
    Tensor<ReduceShape<S, Dim, K>, D>,
  ];
}

/**
 * The variance over dimensions, all by default; by default the unbiased estimate (correction 1). NaN when the count is not
 * above the correction.
 *
 * @method var
 * @throws DTypeError for integer and bool tensors
 */
export function variance<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(x: Tensor<S, D> & DimCheck<S, Dim>, dim?: Dim, options: VarOptions<K> = {}): Tensor<ReduceShape<S, Dim, K>, D> {
  return varMean<S, D, Dim, K>(x, dim, options)[0];
}

// A constant has deviation 0 and, as in PyTorch, gradient 0 rather than 0 / 0.
const rootOp = defineElementwise('std', (x) => e.sqrt(x), {
  grad: (g, out) => [e.select(e.eq(out, 0), 0, e.div(e.mul(g, 0.5), out))],
});

/** The standard deviation of a variance. @internal */
export const rootOfVariance = (x: Tensor): Tensor => rootOp.apply([x]);

/**
 * The standard deviation over dimensions: the root of `var`.
 *
 * @method
 */
export function std<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: VarOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, FloatResult<D>> {
  return rootOp.apply([varMean<S, D, Dim, K>(x, dim, options)[0]]) as Tensor<ReduceShape<S, Dim, K>, FloatResult<D>>;
}
