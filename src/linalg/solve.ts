// Inverses, systems of linear equations and LU factors. Kernels: native/cpu/linalg.cpp.
import type { DType } from '../dtype.js';
import { ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { add, mul } from '../ops/arithmetic.js';
import { eye } from '../ops/creation.js';
import { checkTensor, defineMultiOp, defineOp, type Op } from '../ops/define.js';
import { embedding } from '../ops/embedding.js';
import { cat } from '../ops/join.js';
import { neg } from '../ops/math.js';
import { matmul } from '../ops/matmul.js';
import { mT, narrow, squeeze, unsqueeze } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  batchOf,
  broadcastBatches,
  checkMatrix,
  checkSameFloat,
  checkSquare,
  columnsOf,
  rowsOf,
  triangle,
} from './checks.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);

// ---- inverse and solve

const invOp: Op<undefined> = defineOp({
  name: 'linalg.inv',
  inputs: ['x'],
  saves: ['out'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }) => native.linalgSolve(out._handle, x._handle, 0),
  vjp: ([g], { out }) => [() => neg(product(mT(out), product(g, mT(out))))],
});

/**
 * The inverse of square matrices, by LU factors with partial pivoting.
 *
 * Shapes: `[..., n, n] -> [..., n, n]`; float32 or float64. To solve equations, `linalg.solve` is faster and more accurate.
 *
 * @throws ShapeError unless the matrices are square, DTypeError; LinAlgError (at the next read) for a singular one
 * @example
 * linalg.inv(tensor([[2, 0], [0, 4]])); // [[0.5, 0], [0, 0.25]]
 */
export function inv<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkSquare('linalg.inv', 'x', x);
  return invOp([x], undefined) as Tensor<S, D>;
}

const solveOp: Op<undefined> = defineOp({
  name: 'linalg.solve',
  inputs: ['a', 'b'],
  saves: { a: ['a', 'out'], b: ['a'] },
  shape: ({ b }) => b.shape,
  forward: ([out], { a, b }) => native.linalgSolve(out._handle, a._handle, b._handle),
  vjp: ([g], { a, out }) => {
    const gradient = (): Tensor => solveOp([mT(a), g], undefined);
    return [() => neg(product(gradient(), mT(out))), gradient];
  },
});

/** Options of `linalg.solve`. */
export interface SolveOptions {
  /** Solve `A X = B` (default), or `X A = B` if false. */
  left?: boolean;
}

/**
 * The solution X of `A X = B` for square A, by LU factors with partial pivoting.
 *
 * Shapes: A `[..., n, n]`, B `[..., n, k]` (batches broadcast) -> `[..., n, k]`; or B a vector `[n]`, or a batch of vectors of
 * A's batch `[..., n]`, with a solution of the same shape. With `left: false`, `X A = B` with B `[..., k, n]`.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) for a singular A
 * @example
 * const x = linalg.solve(tensor([[2, 0], [0, 4]]), tensor([2, 2])); // [1, 0.5]
 */
export function solve<D extends DType>(
  A: Tensor<Shape, D>,
  B: Tensor<Shape, D>,
  options: SolveOptions = {},
): Tensor<Shape, D> {
  const op = 'linalg.solve';
  const { left = true } = options;
  checkSquare(op, 'A', A);
  checkTensor(op, 'B', B);
  const vector = B.shape.length === 1 || shapesEqual(B.shape, A.shape.slice(0, -1));
  if (vector && !left) {
    throw new ShapeError(`${op}: left: false takes no vectors, got B of shape ${formatShape(B.shape)}; unsqueeze it.`);
  }
  return tidy(() => {
    const right: Tensor = vector ? unsqueeze(B as Tensor, -1) : B;
    checkMatrix(op, 'B', right);
    checkSameFloat(op, 'A', A, 'B', B);
    checkEquations(op, A, right, left);
    const [a, b] = broadcastBatches(op, 'A', A, 'B', right);
    const x = left ? solveOp([a, b], undefined) : mT(solveOp([mT(a), mT(b)], undefined));
    return (vector ? squeeze(x, -1) : x) as Tensor<Shape, D>;
  });
}

function checkEquations(op: string, A: Tensor, B: Tensor, left: boolean): void {
  const size = left ? rowsOf(B) : columnsOf(B);
  if (size !== rowsOf(A)) {
    throw new ShapeError(
      `${op}(A ${formatShape(A.shape)}, B ${formatShape(B.shape)}): A takes ${left ? 'columns' : 'rows'} of ${rowsOf(A)} ` +
        `elements, those of B have ${size}.`,
    );
  }
}

// ---- triangular systems

interface TriangularAttributes {
  readonly upper: boolean;
  readonly unitriangular: boolean;
}

const solveTriangularOp: Op<TriangularAttributes> = defineOp({
  name: 'linalg.solveTriangular',
  inputs: ['a', 'b'],
  saves: { a: ['a', 'out'], b: ['a'] },
  shape: ({ b }) => b.shape,
  forward: ([out], { a, b }, { upper, unitriangular }: TriangularAttributes) =>
    native.linalgSolveTriangular(out._handle, a._handle, b._handle, upper, unitriangular),
  vjp: ([g], { a, out }, { upper, unitriangular }) => {
    const gradient = (): Tensor => solveTriangularOp([mT(a), g], { upper: !upper, unitriangular });
    const within = (x: Tensor): Tensor =>
      upper ? triangle(x, 'upper', unitriangular ? 1 : 0) : triangle(x, 'lower', unitriangular ? -1 : 0);
    return [() => within(neg(product(gradient(), mT(out)))), gradient];
  },
});

/** Options of `linalg.solveTriangular`. */
export interface SolveTriangularOptions {
  /** Whether A's upper triangle is read, or its lower one. */
  upper: boolean;
  /** Solve `A X = B` (default), or `X A = B` if false. */
  left?: boolean;
  /** Take the diagonal of A for ones, unread. Default false. */
  unitriangular?: boolean;
}

/**
 * The solution X of `A X = B` for triangular A; the other triangle is not read. A zero on the diagonal gives infinities or
 * NaN, no error.
 *
 * Shapes: A `[..., n, n]`, B `[..., n, k]` -> `[..., n, k]`; batches broadcast. With `left: false`, B is `[..., k, n]`.
 *
 * @throws ShapeError, DTypeError
 */
export function solveTriangular<D extends DType>(
  A: Tensor<Shape, D>,
  B: Tensor<Shape, D>,
  options: SolveTriangularOptions,
): Tensor<Shape, D> {
  const op = 'linalg.solveTriangular';
  const { upper, left = true, unitriangular = false } = options;
  checkSquare(op, 'A', A);
  checkMatrix(op, 'B', B);
  checkSameFloat(op, 'A', A, 'B', B);
  checkEquations(op, A, B, left);
  return tidy(() => {
    const [a, b] = broadcastBatches(op, 'A', A, 'B', B);
    return (
      left
        ? solveTriangularOp([a, b], { upper, unitriangular })
        : mT(solveTriangularOp([mT(a), mT(b)], { upper: !upper, unitriangular }))
    ) as Tensor<Shape, D>;
  });
}

const solveWith = (a: Tensor, b: Tensor, upper: boolean, unitriangular = false): Tensor =>
  solveTriangular(a, b, { upper, unitriangular });

// ---- LU

const luOp = defineMultiOp({
  name: 'linalg.luFactor',
  inputs: ['x'],
  saves: ['out0', 'out2'],
  outputs: ({ x }) => {
    const steps = Math.min(rowsOf(x), columnsOf(x));
    return [
      { shape: x.shape, dtype: x.dtype },
      { shape: [...batchOf(x), steps], dtype: 'int32' },
      { shape: x.shape.slice(0, -1), dtype: 'int32' },
    ];
  },
  forward: ([lu, pivots, permutation], { x }, { check }: { check: boolean }) =>
    native.linalgLu(lu._handle, pivots._handle, permutation._handle, x._handle, check),
  vjp: ([g], { out0: lu, out2: permutation }) => [
    () => product(permutationMatrix(permutation, g.dtype), luGradient(g, lu)),
  ],
});

/** The gradient of P^T x, for g of the packed factors. */
function luGradient(g: Tensor, lu: Tensor): Tensor {
  const m = rowsOf(lu);
  const n = columnsOf(lu);
  const k = Math.min(m, n);
  const top = narrow(lu, -2, 0, k);
  const gTop = narrow(g, -2, 0, k);
  const square = narrow(top, -1, 0, k);
  // L^-T x and x U^-T of the square part.
  const byL = (x: Tensor): Tensor => solveWith(mT(square), x, true, true);
  const byU = (x: Tensor): Tensor => mT(solveWith(square, mT(x), true));
  const unitL = add(triangle(square, 'lower', -1), eye(k, k, { dtype: lu.dtype as 'float32', device: lu.device }));
  let gL = triangle(narrow(gTop, -1, 0, k), 'lower', -1);
  let gU = triangle(narrow(gTop, -1, 0, k), 'upper');
  let rest: Tensor | null = null;
  if (n > k) {
    rest = byL(narrow(gTop, -1, k, n - k));
    gL = add(gL, neg(product(rest, mT(narrow(top, -1, k, n - k)))));
  } else if (m > k) {
    rest = byU(narrow(g, -2, k, m - k));
    gU = add(gU, neg(product(mT(narrow(lu, -2, k, m - k)), rest)));
  }
  const inner = add(
    triangle(product(mT(unitL), gL), 'lower', -1),
    triangle(product(gU, mT(triangle(square, 'upper'))), 'upper'),
  );
  const gSquare = byU(byL(inner));
  if (rest === null) return gSquare;
  return cat([gSquare, rest], n > k ? -1 : -2);
}

/** P with P[permutation[i], i] = 1. */
function permutationMatrix(permutation: Tensor, dtype: DType): Tensor {
  const m = permutation.shape[permutation.shape.length - 1];
  const identity = eye(m, m, { dtype: dtype as 'float32', device: permutation.device });
  return mT(embedding(identity as Tensor, permutation as Tensor<Shape, 'int32'>));
}

/** The packed factors of `linalg.luFactor`. */
export interface LuFactors<D extends DType = DType> {
  /** `[..., m, n]`: U on and above the diagonal, L below it. */
  readonly LU: Tensor<Shape, D>;
  /** `[..., min(m, n)]`, int32: row i was swapped with row `pivots[i] - 1`, one after the other. */
  readonly pivots: Tensor<Shape, 'int32'>;
}

/**
 * The LU factors of matrices, packed into one, with partial pivoting.
 *
 * Shapes: `[..., m, n] -> LU [..., m, n], pivots [..., min(m, n)]`. Only LU has a gradient.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) if U has a zero on its diagonal
 */
export function luFactor<D extends DType>(x: Tensor<Shape, D>): LuFactors<D> {
  checkMatrix('linalg.luFactor', 'x', x);
  const [LU, pivots, permutation] = luOp([x], { check: true });
  permutation.dispose();
  return { LU: LU as Tensor<Shape, D>, pivots: pivots as Tensor<Shape, 'int32'> };
}

/**
 * The factors of `x = P L U`: a permutation, a lower triangular matrix with ones on its diagonal, an upper triangular one.
 *
 * Shapes: `[..., m, n] -> P [..., m, m], L [..., m, k], U [..., k, n]` with k = min(m, n). L and U have gradients where U's
 * leading square part is invertible.
 *
 * @throws ShapeError, DTypeError
 */
export function lu<D extends DType>(
  x: Tensor<Shape, D>,
): {
  /** The permutation. */ readonly P: Tensor<Shape, D>;
  /** Lower triangular, ones on the diagonal. */ readonly L: Tensor<Shape, D>;
  /** Upper triangular. */ readonly U: Tensor<Shape, D>;
} {
  checkMatrix('linalg.lu', 'x', x);
  const k = Math.min(rowsOf(x), columnsOf(x));
  return tidy(() => {
    const [packed, , permutation] = luOp([x], { check: false });
    const ones = eye(rowsOf(x), k, { dtype: x.dtype as 'float32', device: x.device });
    return {
      P: permutationMatrix(permutation, x.dtype).contiguous() as Tensor<Shape, D>,
      L: add(triangle(narrow(packed, -1, 0, k), 'lower', -1), ones) as Tensor<Shape, D>,
      U: triangle(narrow(packed, -2, 0, k), 'upper') as Tensor<Shape, D>,
    };
  });
}

// ---- determinants

const detBackwardOp = defineOp({
  name: 'linalg.detBackward',
  inputs: ['x'],
  saves: ['x'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }) => native.linalgCofactors(out._handle, x._handle),
  // With B = x^-T: det(x) (<h, B> B - B h^T B). Only for invertible x.
  vjp: ([h], { x }) => [
    () => {
      const inverse = mT(inv(x));
      const trace = mul(h, inverse).sum([-2, -1], { keepDim: true });
      const inner = add(mul(trace, inverse), neg(product(inverse, product(mT(h), inverse))));
      return mul(matrixScale(det(x)), inner);
    },
  ],
});

const matrixScale = (x: Tensor): Tensor => unsqueeze(unsqueeze(x, -1), -1);

const detOp = defineOp({
  name: 'linalg.det',
  inputs: ['x'],
  saves: ['x'],
  shape: ({ x }) => batchOf(x),
  forward: ([out], { x }) => native.linalgDet(out._handle, 0, 0, x._handle),
  vjp: ([g], { x }) => [() => mul(matrixScale(g), detBackwardOp([x], undefined))],
});

/**
 * The determinant of square matrices. Its gradient, the matrix of cofactors, is right for singular matrices too; the gradient
 * of the gradient needs invertible ones.
 *
 * Shapes: `[..., n, n] -> [...]`.
 *
 * @throws ShapeError, DTypeError
 */
export function det<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkSquare('linalg.det', 'x', x);
  return detOp([x], undefined) as Tensor<Shape, D>;
}

const slogdetOp = defineMultiOp({
  name: 'linalg.slogdet',
  inputs: ['x'],
  saves: ['x'],
  outputs: ({ x }) => [
    { shape: batchOf(x), dtype: x.dtype },
    { shape: batchOf(x), dtype: x.dtype },
  ],
  forward: ([sign, logabs], { x }) => native.linalgDet(0, sign._handle, logabs._handle, x._handle),
  vjp: ([, g], { x }) => [() => mul(matrixScale(g), mT(inv(x)))],
});

/**
 * The sign of the determinant and the logarithm of its absolute value, which neither overflow nor vanish. Singular matrices
 * have sign 0 and logarithm -Infinity. The logarithm has a gradient, for invertible matrices; that of the sign is zero.
 *
 * Shapes: `[..., n, n] -> sign [...], logabsdet [...]`.
 *
 * @throws ShapeError, DTypeError
 */
export function slogdet<D extends DType>(
  x: Tensor<Shape, D>,
): {
  /** -1, 0 or 1. */ readonly sign: Tensor<Shape, D>;
  /** The logarithm of the absolute value. */ readonly logabsdet: Tensor<Shape, D>;
} {
  checkSquare('linalg.slogdet', 'x', x);
  return tidy(() => {
    const [sign, logabsdet] = slogdetOp([x], undefined);
    return { sign: sign as Tensor<Shape, D>, logabsdet: logabsdet as Tensor<Shape, D> };
  });
}
