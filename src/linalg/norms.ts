// Norms of matrices and condition numbers.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { div, mul } from '../ops/arithmetic.js';
import { eq, where } from '../ops/compare.js';
import { eye } from '../ops/creation.js';
import { defineElementwise } from '../ops/elementwise.js';
import { abs, square } from '../ops/math.js';
import { checkTensor } from '../ops/define.js';
import { vectorNorm } from '../ops/norms.js';
import { amax, amin, sum } from '../ops/reduce.js';
import { reshape, select } from '../ops/view.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDims, reduceShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkMatrix, checkSquare } from './checks.js';
import { inv, slogdet } from './solve.js';
import { svdvals } from './svd.js';

/** The order of a matrix norm. */
export type MatrixOrder = 'fro' | 'nuc' | number;

/** Options of `linalg.matrixNorm`. */
export interface MatrixNormOptions {
  /** The dimensions of rows and columns. Default [-2, -1]. */
  dim?: readonly [number, number];
  /** Keep the two dimensions, with size 1. */
  keepDim?: boolean;
}

// sqrt whose gradient at 0 is 0, PyTorch's subgradient of the Frobenius norm.
const rootOp = defineElementwise('linalg.rootBackward', (x) => e.sqrt(x), {
  grad: (g, out) => [e.select(e.eq(out, 0), 0, e.div(g, e.mul(2, out)))],
});

function checkOrder(op: string, ord: MatrixOrder): void {
  if (ord !== 'fro' && ord !== 'nuc' && ![1, -1, 2, -2, Infinity, -Infinity].includes(ord)) {
    throw new ArgumentError(
      `${op}: unknown order ${typeof ord === 'string' ? JSON.stringify(ord) : String(ord)}, expected 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity.`,
    );
  }
}

/**
 * A norm of matrices: `'fro'` the root of the sum of squares (default), `'nuc'` the sum of singular values, 2 and -2 the
 * largest and smallest of them, 1 and -1 the largest and smallest sum of a column's absolute values, Infinity and -Infinity
 * of a row's.
 *
 * Shapes: `[..., m, n] -> [...]`.
 *
 * @throws ShapeError, DTypeError, ArgumentError for an unknown order
 */
export function matrixNorm<D extends DType>(
  x: Tensor<Shape, D>,
  ord: MatrixOrder = 'fro',
  options: MatrixNormOptions = {},
): Tensor<Shape, D> {
  const op = 'linalg.matrixNorm';
  checkMatrix(op, 'x', x);
  checkOrder(op, ord);
  const { dim = [-2, -1], keepDim = false } = options;
  const rank = x.shape.length;
  const dims = normalizeDims(op, dim, rank);
  if (dims.length !== 2) throw new ArgumentError(`${op}: dim must be two dimensions, got ${formatShape(dim)}.`);
  return tidy(() => {
    const result = normOf(op, matricesLast(x, dims), ord);
    return (keepDim ? reshape(result, reduceShape(x.shape, dims, true)) : result) as Tensor<Shape, D>;
  });
}

function matricesLast(x: Tensor, [row, column]: readonly number[]): Tensor {
  const others = x.shape.map((_, d) => d).filter((d) => d !== row && d !== column);
  return x.permute([...others, row, column]);
}

function normOf(op: string, x: Tensor, ord: MatrixOrder): Tensor {
  if (ord === 'fro') return rootOp.apply([sum(square(x), [-2, -1])]);
  if (ord === 'nuc') return sum(svdvals(x), -1);
  const extreme = ord > 0 ? amax : amin;
  const values: Tensor = Math.abs(ord) === 2 ? svdvals(x) : sum(abs(x), Math.abs(ord) === 1 ? -2 : -1);
  if (values.shape[values.shape.length - 1] === 0) {
    throw new ShapeError(`${op}: matrices of shape ${formatShape(x.shape)} have no norm of order ${ord}.`);
  }
  // The singular values are in order: no comparison, so no gradient is shared among equal ones.
  if (Math.abs(ord) === 2) return select(values, -1, ord > 0 ? 0 : -1);
  return extreme(values, -1);
}

/**
 * The condition number: the norm times that of the inverse. Order 2 (default) and -2 by singular values, for any matrices; the
 * other orders of `matrixNorm` for square ones. That of a singular matrix is infinite.
 *
 * Shapes: `[..., m, n] -> [...]`.
 *
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for NaN or infinities and order 2 or -2
 */
export function cond<D extends DType>(x: Tensor<Shape, D>, p: MatrixOrder = 2): Tensor<Shape, D> {
  const op = 'linalg.cond';
  checkOrder(op, p);
  if (p === 2 || p === -2) {
    checkMatrix(op, 'x', x);
    return tidy(() => {
      const values = svdvals(x) as Tensor;
      if (values.shape[values.shape.length - 1] === 0) {
        throw new ShapeError(`${op}: matrices of shape ${formatShape(x.shape)} have no condition number.`);
      }
      const largest = select(values, -1, 0);
      const smallest = select(values, -1, -1);
      return (p === 2 ? div(largest, smallest) : div(smallest, largest)) as Tensor as Tensor<Shape, D>;
    });
  }
  checkSquare(op, 'x', x);
  return tidy(() => {
    const singular = eq(noGrad(() => slogdet(x)).sign as Tensor, 0);
    const n = x.shape[x.shape.length - 1];
    const identity = eye(n, n, { dtype: x.dtype as 'float32', device: x.device });
    const invertible = where(singular.unsqueeze(-1).unsqueeze(-1), identity, x as Tensor);
    const product = mul(matrixNorm(x, p) as Tensor, matrixNorm(inv(invertible), p));
    return where(singular, Infinity, product) as Tensor<Shape, D>;
  });
}

/**
 * A norm, as PyTorch's `linalg.norm`: without `ord` the Euclidean one of all elements (or over `dim`); with it the norm of
 * vectors over one dimension, and that of matrices over two. Without `dim` a vector or a matrix is expected then.
 *
 * @throws ArgumentError for an order that the vectors or matrices have not; ShapeError for a rank that says neither; DTypeError
 * @example
 * linalg.norm(x); linalg.norm(x, 'nuc'); linalg.norm(x, 1, 0);
 */
export function norm<D extends DType>(
  x: Tensor<Shape, D>,
  ord?: MatrixOrder,
  dim?: number | readonly number[],
  options: { keepDim?: boolean } = {},
): Tensor<Shape, D> {
  const op = 'linalg.norm';
  checkTensor(op, 'x', x);
  const keepDim = options.keepDim === true;
  const over = typeof dim === 'number' ? [dim] : dim;
  if (ord === undefined) return vectorNorm(x as Tensor, 2, over, { keepDim }) as Tensor<Shape, D>;
  const count = over?.length ?? x.shape.length;
  if (count === 2) {
    const [row, column] = over ?? [0, 1];
    return matrixNorm(x, ord, { dim: [row, column], keepDim });
  }
  if (count !== 1) {
    throw new ShapeError(
      `${op}: with an order, x of shape ${formatShape(x.shape)} needs one dimension (vectors) or two (matrices) in dim.`,
    );
  }
  if (typeof ord !== 'number') {
    throw new ArgumentError(`${op}: the order ${JSON.stringify(ord)} is one of matrices, and dim says vectors.`);
  }
  return vectorNorm(x as Tensor, ord, over, { keepDim }) as Tensor<Shape, D>;
}
