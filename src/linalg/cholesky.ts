// Cholesky factors and what is solved with them. Kernels: native/cpu/linalg.cpp.
import type { DType } from '../dtype.js';
import { ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { add, mul } from '../ops/arithmetic.js';
import { defineOp } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { mT } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkMatrix, checkSameFloat, checkSquare, rowsOf, triangle } from './checks.js';
import { solveTriangular } from './solve.js';

const choleskyOp = defineOp({
  name: 'linalg.cholesky',
  inputs: ['x'],
  saves: ['out'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }) => native.linalgCholesky(out._handle, x._handle),
  // L^-T sym(tril(L^T g)) L^-1 / 2 (Murray 2016).
  vjp: ([g], { out: L }) => [
    () => {
      const lower = triangle(matmul(mT(L), g), 'lower');
      const symmetric = add(lower, mT(triangle(lower, 'lower', -1)));
      const left = solveTriangular(mT(L), symmetric, { upper: true });
      return mul(mT(solveTriangular(mT(L), mT(left), { upper: true })), 0.5);
    },
  ],
});

/** Options of `linalg.cholesky`. */
export interface CholeskyOptions {
  /** Read the upper triangle and give the upper factor `U` of `U^T U`. Default false: the lower ones, `L L^T`. */
  upper?: boolean;
}

/**
 * The Cholesky factor L of symmetric positive-definite matrices, `x = L L^T`. Only one triangle of x is read; its gradient
 * is symmetric all the same.
 *
 * Shapes: `[..., n, n] -> [..., n, n]`.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) for a matrix that is not positive-definite
 * @example
 * linalg.cholesky(tensor([[4, 2], [2, 2]])); // [[2, 0], [1, 1]]
 */
export function cholesky<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: CholeskyOptions = {},
): Tensor<S, D> {
  checkSquare('linalg.cholesky', 'x', x);
  if (options.upper !== true) return choleskyOp([x], undefined) as Tensor<S, D>;
  return mT(choleskyOp([mT(x as Tensor)], undefined)) as unknown as Tensor<S, D>;
}

/**
 * The solution X of `A X = B` from A's Cholesky factor.
 *
 * Shapes: B `[..., n, k]`, L `[..., n, n]` -> `[..., n, k]`; batches broadcast.
 *
 * @param options `upper`: the factor is the upper one
 * @throws ShapeError, DTypeError
 */
export function choleskySolve<D extends DType>(
  B: Tensor<Shape, D>,
  L: Tensor<Shape, D>,
  options: CholeskyOptions = {},
): Tensor<Shape, D> {
  const op = 'choleskySolve';
  const { upper = false } = options;
  checkMatrix(op, 'B', B);
  checkSquare(op, 'L', L);
  checkSameFloat(op, 'L', L, 'B', B);
  if (rowsOf(B) !== rowsOf(L)) {
    throw new ShapeError(
      `${op}(B ${formatShape(B.shape)}, L ${formatShape(L.shape)}): L takes columns of ${rowsOf(L)} elements, those of B ` +
        `have ${rowsOf(B)}.`,
    );
  }
  return tidy(() => {
    const lower: Tensor = upper ? mT(L as Tensor) : L;
    const half = solveTriangular(lower, B as Tensor, { upper: false });
    return solveTriangular(mT(lower), half, { upper: true }) as Tensor<Shape, D>;
  });
}
