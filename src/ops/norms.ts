// Norms of vectors: one pass of the reduce kernel for each order.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, scratchHandles, scratchNumbers } from '../native.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDim, reduceShape, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import type { DimCheck, ReduceShape } from '../types/shape.js';
import { lazyProgram, wideDType } from './aggregate.js';
import { div, mul, sub } from './arithmetic.js';
import { eq } from './compare.js';
import { cast } from './copy.js';
import { checkTensor, defineOp, filledTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { launchReduce, reduceKinds } from './launch.js';
import { abs } from './math.js';
import {
  attributesOf,
  keptShape,
  requireElements,
  requireFloat,
  sum,
  type Dims,
  type ReduceOptions,
} from './reduce.js';
import { reshape } from './view.js';

interface NormAttributes {
  readonly dims: readonly number[];
  readonly ord: number;
}

const absolute = lazyProgram('vectorNorm', ['x'], (x) => e.abs(x));
const squared = lazyProgram('vectorNorm', ['x'], (x) => e.square(x));
const notZero = lazyProgram('vectorNorm', ['x'], (x) => e.ne(x, 0));
const power = lazyProgram('vectorNorm', ['x'], (x, p) => e.pow(e.abs(x), p), ['p']);
const squareRoot = lazyProgram('vectorNorm', ['x'], (x) => e.sqrt(x));
const root = lazyProgram('vectorNorm', ['x'], (x, p) => e.pow(x, e.reciprocal(p)), ['p']);

// The norm is not differentiable at 0; as in PyTorch, 0 there. The divisors that are not used must not be 0: their
// derivatives would be NaN.
const nonZero = (x: e.Expr): e.Expr => e.select(e.eq(x, 0), 1, x);
const euclidOp = defineElementwise(
  'vectorNormBackward2',
  (g, x, norm) => e.select(e.eq(norm, 0), 0, e.mul(g, e.div(x, nonZero(norm)))),
  { inputs: ['g', 'x', 'norm'] },
);
const powerOp = defineElementwise(
  'vectorNormBackward',
  (g, x, norm, p) =>
    e.select(
      e.eq(x, 0),
      0,
      e.mul(g, e.sign(x), e.pow(e.div(e.abs(nonZero(x)), e.select(e.eq(x, 0), 1, norm)), e.sub(p, 1))),
    ),
  { inputs: ['g', 'x', 'norm'], scalars: ['p'] },
);
const signOp = defineElementwise('vectorNormBackward1', (g, x) => e.mul(g, e.sign(x)), { inputs: ['g', 'x'] });

const vectorNormOp = defineOp({
  name: 'vectorNorm',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }, { dims }: NormAttributes) => keptShape(x, dims),
  forward: ([out], { x }, { dims, ord }) => {
    const kept = keptShape(x, dims);
    const reduceTo = (target: Tensor, kind: number, program: number): void =>
      launchReduce(
        kind,
        program,
        [target],
        kept,
        [x],
        () => {
          scratchNumbers[0] = ord;
          return program === power() ? 1 : 0;
        },
        0,
      );
    if (ord === 0) reduceTo(out, reduceKinds.sum, notZero());
    else if (ord === 1) reduceTo(out, reduceKinds.sum, absolute());
    else if (ord === Infinity) reduceTo(out, reduceKinds.max, absolute());
    else if (ord === -Infinity) reduceTo(out, reduceKinds.min, absolute());
    else {
      using total = emptyTensor('vectorNorm', kept, wideDType(x.dtype), x.device);
      reduceTo(total, reduceKinds.sum, ord === 2 ? squared() : power());
      scratchHandles[0] = out._handle;
      scratchHandles[1] = total._handle;
      scratchNumbers[0] = ord;
      if (ord === 2) native.map(squareRoot(), 2, 0);
      else native.map(root(), 2, 1);
    }
  },
  vjp: ([g], { x, out }, { dims, ord }) => [
    () => {
      if (ord === 0) return filledTensor('vectorNormBackward', x.shape, x.dtype, x.device, 0);
      if (ord === 1) return signOp.apply([g, x]);
      if (ord === 2) return euclidOp.apply([g, x, out]);
      if (Math.abs(ord) !== Infinity) return powerOp.apply([g, x, out], [ord]);
      // Those that are as large as the norm share the gradient.
      return tidy(() => {
        const winners = cast(eq(abs(x), out), g.dtype);
        return signOp.apply([mul(div(winners, sum(winners, dims, { keepDim: true })), g), x]);
      });
    },
  ],
});

/**
 * The norm of vectors over dimensions, all by default, of any order: `sum(|x|^ord)^(1/ord)`, for 0 the number of elements
 * that are not 0, for Infinity and -Infinity the largest and the smallest magnitude.
 *
 * The gradient at 0 is 0, as in PyTorch; for the infinite orders, elements of equal magnitude share it.
 *
 * @param ord any number but NaN; default 2, the Euclidean norm
 * @throws DTypeError for integer and bool tensors; ShapeError for negative and infinite orders of nothing
 * @example
 * vectorNorm(tensor([3, 4])); // 5
 * vectorNorm(x, Infinity, 1);
 */
export function vectorNorm<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  ord = 2,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, D> {
  return normOf('vectorNorm', 'ord', x, ord, dim, options) as Tensor<ReduceShape<S, Dim, K>, D>;
}

function normOf(op: string, name: string, x: Tensor, ord: number, dim: Dims, options: ReduceOptions): Tensor {
  checkTensor(op, 'x', x);
  requireFloat(op, x);
  if (typeof ord !== 'number' || Number.isNaN(ord)) {
    throw new ArgumentError(
      `${op}: ${name} must be a number, got ${typeof ord === 'string' ? `'${String(ord)}'` : String(ord)}.`,
    );
  }
  const attributes = attributesOf(op, x, dim, options.keepDim);
  if (ord < 0 || ord === Infinity) requireElements(op, x, attributes);
  const { dims, keepDim } = attributes;
  return tidy(() => {
    const out = vectorNormOp([x], { dims, ord });
    return keepDim ? out : reshape(out, reduceShape(x.shape, dims, false));
  });
}

/**
 * The norm over dimensions, all by default: `vectorNorm` with PyTorch's older name and arguments.
 *
 * @method
 * @param p the order, any number; `'fro'` is 2 (default)
 * @throws DTypeError for integer and bool tensors; ArgumentError for orders of matrices
 */
export function norm<
  S extends Shape,
  D extends DType,
  const Dim extends Dims = undefined,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  p: number | 'fro' = 'fro',
  dim?: Dim,
  options: ReduceOptions<K> = {},
): Tensor<ReduceShape<S, Dim, K>, D> {
  return normOf('norm', 'p', x, p === 'fro' ? 2 : p, dim, options) as Tensor<ReduceShape<S, Dim, K>, D>;
}

/**
 * The norm of the difference: `vectorNorm(a - b, p)`, with broadcasting.
 *
 * @method
 * @throws DTypeError unless the difference is of floats; ShapeError if the shapes do not broadcast
 */
export function dist<D extends DType>(a: Tensor<Shape, D>, b: Tensor<Shape, D>, p = 2): Tensor<readonly [], D> {
  checkTensor('dist', 'a', a);
  checkTensor('dist', 'b', b);
  requireFloat('dist', a);
  requireFloat('dist', b);
  return tidy(() => normOf('dist', 'p', sub(a as Tensor, b as Tensor), p, undefined, {})) as Tensor<readonly [], D>;
}

/**
 * Scales down the slices along a dimension whose norm is above a limit, so that it is `maxnorm`; the others stay.
 *
 * @method
 * @param p the order of the norm, above 0
 * @param dim the dimension whose slices are meant
 * @throws ShapeError for fewer than 2 dimensions; DTypeError for integers and bools; ArgumentError for a p that is not above 0
 *   and a negative maxnorm
 */
export function renorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  p: number,
  dim: number,
  maxnorm: number,
): Tensor<S, D> {
  checkTensor('renorm', 'x', x);
  requireFloat('renorm', x);
  if (!(p > 0)) throw new ArgumentError(`renorm: p must be a number above 0, got ${String(p)}.`);
  if (!(maxnorm >= 0)) throw new ArgumentError(`renorm: maxnorm must be a number >= 0, got ${String(maxnorm)}.`);
  const rank = x.shape.length;
  if (rank < 2) throw new ShapeError(`renorm: x must have at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  const d = normalizeDim('renorm', dim, rank);
  const others = x.shape.map((_, k) => k).filter((k) => k !== d);
  return tidy(() => {
    const norms = normOf('renorm', 'p', x, p, others, { keepDim: true });
    return mul(x as Tensor, scaleOp.apply([norms], [maxnorm]));
  }) as Tensor<S, D>;
}

// PyTorch's 1e-7 against division by 0.
const scaleOp = defineElementwise(
  'renormBackward',
  (norm, limit) => e.select(e.gt(norm, limit), e.div(limit, e.add(norm, 1e-7)), 1),
  { inputs: ['norm'], scalars: ['limit'] },
);
