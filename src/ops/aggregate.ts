// Reductions made of the reduce kernel and a program: logsumexp, sums without NaN, counts; and pairs of reductions.
import type { DType } from '../dtype.js';
import { isFloating } from '../dtype.js';
import { tidy } from '../memory.js';
import { native, scratchHandles, type ProgramId } from '../native.js';
import { compile } from '../program/compile.js';
import * as e from '../program/expr.js';
import { numel, reduceShape, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import type { DimCheck, ReduceShape } from '../types/shape.js';
import { div, type FloatResult } from './arithmetic.js';
import { isnan, logicalNot } from './compare.js';
import { cast } from './copy.js';
import { checkTensor, defineOp } from './define.js';
import { defineElementwise } from './elementwise.js';
import { identityProgram, launchReduce, reduceKinds } from './launch.js';
import {
  amax,
  amin,
  attributesOf,
  keptShape,
  reduced,
  requireFloat,
  sum,
  sumDType,
  unreduce,
  rootOfVariance,
  varMean,
  type Dims,
  type MeanResult,
  type ReduceAttributes,
  type ReduceOptions,
  type SumResult,
  type VarOptions,
} from './reduce.js';
import { expand, reshape } from './view.js';

/** A program of one value that is compiled when it is first used. @internal */
export function lazyProgram(
  name: string,
  names: readonly string[],
  body: (...inputs: e.Expr[]) => e.Expr,
  scalarNames: readonly string[] = [],
): () => ProgramId {
  let id = -1;
  return () => {
    if (id < 0) {
      const inputs = names.map(e.inputExpr);
      const scalars = scalarNames.map(e.scalarExpr);
      id = compile(name, [body(...inputs, ...scalars)], inputs, scalars);
    }
    return id;
  };
}

/** Where a sum of a tensor's elements is kept before what follows it: not in 16 bits. @internal */
export const wideDType = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

// An infinite maximum is not subtracted: infinity less itself is NaN.
const finite = (top: e.Expr): e.Expr => e.select(e.isinf(top), 0, top);
const shiftedExp = lazyProgram('logsumexp', ['x', 'top'], (x, top) => e.exp(e.sub(x, finite(top))));
const logOfSum = lazyProgram('logsumexp', ['sum', 'top'], (total, top) => e.add(e.log(total), finite(top)));

// The share of an element, and 0 where the sum itself is 0.
const shareOp = defineElementwise(
  'logsumexpBackward',
  (g, x, out) => e.mul(g, e.exp(e.sub(x, e.select(e.eq(out, -Infinity), Infinity, out)))),
  { inputs: ['g', 'x', 'out'] },
);

const logsumexpOp = defineOp({
  name: 'logsumexp',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }, { dims }: { dims: readonly number[] }) => keptShape(x, dims),
  forward: ([out], { x }, { dims }) => {
    const kept = keptShape(x, dims);
    if (numel(x.shape) === 0) {
      native.fill(out._handle, -Infinity);
      return;
    }
    const wide = wideDType(x.dtype);
    using top = emptyTensor('logsumexp', kept, x.dtype, x.device);
    using total = emptyTensor('logsumexp', kept, wide, x.device);
    launchReduce(reduceKinds.max, identityProgram(), [top], kept, [x], () => 0, 0);
    launchReduce(reduceKinds.sum, shiftedExp(), [total], kept, [x, top], () => 0, 0);
    scratchHandles[0] = out._handle;
    scratchHandles[1] = total._handle;
    scratchHandles[2] = top._handle;
    native.map(logOfSum(), 3, 0);
  },
  vjp: ([g], { x, out }) => [() => shareOp.apply([g, x, out])],
});

/**
 * `log(sum(exp(x)))` over dimensions, all by default, without overflow. -Infinity over nothing. Where the result is
 * -Infinity, because all elements are, the gradient is 0 (in PyTorch NaN).
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function logsumexp<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, FloatResult<D>> {
  const { dims, keepDim } = attributesOf('logsumexp', x, dim, options.keepDim);
  return tidy(() => {
    const floats: Tensor = isFloating(x.dtype) ? x : cast(x as Tensor, 'float32');
    const out = logsumexpOp([floats], { dims });
    return (keepDim ? out : reshape(out, reduceShape(x.shape, dims, false))) as unknown as Tensor<
      ReduceShape<S, Dim, K>,
      FloatResult<D>
    >;
  });
}

const withoutNan = lazyProgram('nansum', ['x'], (x) => e.select(e.isnan(x), 0, x));
const countedOp = defineElementwise('nansumBackward', (g, x) => e.select(e.isnan(x), 0, g), { inputs: ['g', 'x'] });

const nansumOp = defineOp({
  name: 'nansum',
  inputs: ['x'],
  saves: ['x'],
  shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
  dtype: ({ x }) => sumDType(x.dtype),
  forward: (outs, { x }, { dims }) =>
    launchReduce(reduceKinds.sum, withoutNan(), outs, keptShape(x, dims), [x], () => 0, 0),
  vjp: ([g], { x }, a) => [() => countedOp.apply([expand(unreduce(g, x.shape, a), x.shape), x])],
});

/**
 * The sum over dimensions, all by default, in which NaN counts as 0. Integers and bools are summed in int64.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function nansum<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, SumResult<D>> {
  return nansumOp([x], attributesOf('nansum', x, dim, options.keepDim)) as Tensor<ReduceShape<S, Dim, K>, SumResult<D>>;
}

/**
 * The mean over dimensions, all by default, of what is not NaN; NaN where nothing is left.
 *
 * @method
 * @throws DTypeError for integer and bool tensors
 */
export function nanmean<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, MeanResult<D>> {
  checkTensor('nanmean', 'x', x);
  requireFloat('nanmean', x);
  const attributes = attributesOf('nanmean', x, dim, options.keepDim);
  return tidy(() => {
    const total = nansumOp([x], attributes);
    const counted: Tensor = logicalNot(isnan(x as Tensor));
    return div(total, sum(counted, attributes.dims, { keepDim: attributes.keepDim }));
  }) as unknown as Tensor<ReduceShape<S, Dim, K>, MeanResult<D>>;
}

const notZero = lazyProgram('countNonzero', ['x'], (x) => e.ne(x, 0));

const countNonzeroOp = defineOp({
  name: 'countNonzero',
  inputs: ['x'],
  shape: ({ x }, a: ReduceAttributes) => reduced(x, a),
  dtype: () => 'int64',
  forward: (outs, { x }, { dims }) =>
    launchReduce(reduceKinds.sum, notZero(), outs, keptShape(x, dims), [x], () => 0, 0),
});

/**
 * How many elements over dimensions, all by default, are not 0. NaN is not 0.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function countNonzero<S extends Shape, const Dim extends Dims = undefined>(
  x: Tensor<S> & DimCheck<S, Dim>,
  dim?: Dim,
): Tensor<ReduceShape<S, Dim>, 'int64'> {
  return countNonzeroOp([x], attributesOf('countNonzero', x, dim, false)) as Tensor<ReduceShape<S, Dim>, 'int64'>;
}

/** What `aminmax` gives. */
export interface MinAndMax<S extends Shape, D extends DType> {
  /** The smallest elements. */
  min: Tensor<S, D>;
  /** The largest elements. */
  max: Tensor<S, D>;
}

/**
 * The smallest and the largest element over dimensions, all by default: `amin` and `amax`.
 *
 * @method
 * @throws ShapeError if there is nothing to reduce
 */
export function aminmax<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(x: Tensor<S, D> & DimCheck<S, Dim>, dim?: Dim, options: ReduceOptions<K> = {}): MinAndMax<ReduceShape<S, Dim, K>, D> {
  return { min: amin<S, D, Dim, K>(x, dim, options), max: amax<S, D, Dim, K>(x, dim, options) };
}

/**
 * The standard deviation and the mean over dimensions, all by default.
 *
 * @returns `[deviation, mean]`
 * @throws DTypeError for integer and bool tensors
 */
export function stdMean<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: VarOptions<K> = {},
): [Tensor<ReduceShape<S, Dim, K>, D>, Tensor<ReduceShape<S, Dim, K>, D>] {
  const [variance, mean] = varMean<S, D, Dim, K>(x, dim, options);
  return [rootOfVariance(variance) as typeof variance, mean];
}
