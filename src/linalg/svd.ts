// Singular values and eigenvalues of symmetric matrices. Kernels: native/cpu/linalg.cpp.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { native } from '../native.js';
import { add, mul, sub } from '../ops/arithmetic.js';
import { eye } from '../ops/creation.js';
import { defineMultiOp, defineOp } from '../ops/define.js';
import { defineElementwise } from '../ops/elementwise.js';
import { square } from '../ops/math.js';
import { matmul } from '../ops/matmul.js';
import { mT, narrow, unsqueeze } from '../ops/view.js';
import * as e from '../program/expr.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { batchOf, checkMatrix, checkSquare, columnsOf, rowsOf } from './checks.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);

// a / b, but 0 / 0 = 0: of equal values, whose vectors nobody asked about, nothing comes back.
const quotientOp = defineElementwise('linalg.gapBackward', (a, b) =>
  e.div(a, e.select(e.mul(e.eq(a, 0), e.eq(b, 0)), 1, b)),
);
const quotient = (a: Tensor, b: Tensor): Tensor => quotientOp.apply([a, b]);

/** `E[i, j] = values[j] - values[i]`. */
const gaps = (values: Tensor): Tensor => sub(unsqueeze(values, -2), unsqueeze(values, -1));
/** x with its columns scaled. */
const scaleColumns = (x: Tensor, values: Tensor): Tensor => mul(x, unsqueeze(values, -2));
/** Diagonal matrices. */
const diagonalOf = (values: Tensor): Tensor => {
  const n = values.shape[values.shape.length - 1];
  return scaleColumns(eye(n, n, { dtype: values.dtype as 'float32', device: values.device }), values);
};
const skew = (x: Tensor): Tensor => sub(x, mT(x));

// ---- singular values

const svdOp = defineMultiOp({
  name: 'linalg.svd',
  inputs: ['x'],
  saves: ['out0', 'out1', 'out2'],
  outputs: ({ x }, { full }: { full: boolean }) => {
    const m = rowsOf(x);
    const n = columnsOf(x);
    const k = Math.min(m, n);
    const batch = batchOf(x);
    return [
      { shape: [...batch, m, full ? m : k], dtype: x.dtype },
      { shape: [...batch, k], dtype: x.dtype },
      { shape: [...batch, full ? n : k, n], dtype: x.dtype },
    ];
  },
  forward: ([u, s, vh], { x }) => native.linalgSvd(u._handle, s._handle, vh._handle, x._handle),
  vjp: ([gU, gS, gVh], { out0, out1: S, out2 }) => [
    () => {
      const k = S.shape[S.shape.length - 1];
      const reduced = (x: Tensor): Tensor => (columnsOf(x) === k ? x : narrow(x, -1, 0, k));
      const U = reduced(out0);
      const V = reduced(mT(out2));
      return svdGradient(reduced(gU), gS, reduced(mT(gVh)), U, S, V);
    },
  ],
});

/**
 * With E[i, j] = s_j^2 - s_i^2 and skew(x) = x - x^T (Townsend 2016):
 * U (skew(U^T gU) / E S + S skew(V^T gV) / E + diag(gS)) V^T + (1 - U U^T) gU S^-1 V^T + U S^-1 gV^T (1 - V V^T).
 */
function svdGradient(gU: Tensor, gS: Tensor, gV: Tensor, U: Tensor, S: Tensor, V: Tensor): Tensor {
  const E = gaps(square(S));
  const UgU = product(mT(U), gU);
  const VgV = product(mT(V), gV);
  const left = scaleColumns(quotient(skew(UgU), E), S);
  const right = mul(quotient(skew(VgV), E), unsqueeze(S, -1));
  const inner = add(add(left, right), diagonalOf(gS));
  const k = S.shape[S.shape.length - 1];
  let gradient = product(U, product(inner, mT(V)));
  const outside = (g: Tensor, basis: Tensor, inBasis: Tensor): Tensor =>
    quotient(sub(g, product(basis, inBasis)), unsqueeze(S, -2));
  if (rowsOf(U) > k) gradient = add(gradient, product(outside(gU, U, UgU), mT(V)));
  if (rowsOf(V) > k) gradient = add(gradient, product(U, mT(outside(gV, V, VgV))));
  return gradient;
}

const svdvalsOp = defineOp({
  name: 'linalg.svdvals',
  inputs: ['x'],
  saves: ['x'],
  shape: ({ x }) => [...batchOf(x), Math.min(rowsOf(x), columnsOf(x))],
  forward: ([s], { x }) => native.linalgSvd(0, s._handle, 0, x._handle),
  vjp: ([g], { x }) => [
    () => {
      const [U, , Vh] = svdOp([x], { full: false });
      return product(scaleColumns(U, g), Vh);
    },
  ],
});

/** A singular value decomposition. */
export interface Svd<D extends DType = DType> {
  /** Left singular vectors as columns. */
  readonly U: Tensor<Shape, D>;
  /** Singular values, largest first. */
  readonly S: Tensor<Shape, D>;
  /** Right singular vectors as rows. */
  readonly Vh: Tensor<Shape, D>;
}

/** Options of `linalg.svd`. */
export interface SvdOptions {
  /** Square U and Vh (default), or only the first min(m, n) columns of U and rows of Vh. */
  fullMatrices?: boolean;
}

/**
 * The singular value decomposition `x = U diag(S) Vh`, by one-sided Jacobi rotations.
 *
 * Shapes: `[..., m, n] -> U [..., m, m], S [..., k], Vh [..., n, n]`, k = min(m, n); without `fullMatrices` U `[..., m, k]`, Vh
 * `[..., k, n]`. The vectors are unique only up to their signs (and those of equal values up to a rotation), so a gradient
 * makes sense for functions that do not depend on that. Only the first k vectors have one, and only of S if singular values
 * are equal.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) for a matrix with NaN or infinities
 * @example
 * const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
 */
export function svd<D extends DType>(x: Tensor<Shape, D>, options: SvdOptions = {}): Svd<D> {
  checkMatrix('linalg.svd', 'x', x);
  const [U, S, Vh] = svdOp([x], { full: options.fullMatrices ?? true });
  return { U: U as Tensor<Shape, D>, S: S as Tensor<Shape, D>, Vh: Vh as Tensor<Shape, D> };
}

/**
 * The singular values of matrices, largest first. Their gradient needs no distance between them.
 *
 * Shapes: `[..., m, n] -> [..., min(m, n)]`.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function svdvals<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkMatrix('linalg.svdvals', 'x', x);
  return svdvalsOp([x], undefined) as Tensor<Shape, D>;
}

// ---- symmetric eigenvalues

const eighOp = defineMultiOp({
  name: 'linalg.eigh',
  inputs: ['x'],
  saves: ['out0', 'out1'],
  outputs: ({ x }) => [
    { shape: x.shape.slice(0, -1), dtype: x.dtype },
    { shape: x.shape, dtype: x.dtype },
  ],
  forward: ([w, v], { x }, { upper }: { upper: boolean }) => native.linalgEigh(w._handle, v._handle, x._handle, upper),
  // V (diag(gL) + V^T gV / E) V^T with E[i, j] = l_j - l_i; V^T gV counts only off the diagonal.
  vjp: ([gL, gV], { out0: L, out1: V }) => [
    () => {
      const inner = product(mT(V), gV);
      // The symmetric half: the other half moves no symmetric matrix.
      const apart = mul(quotient(skew(inner), gaps(L)), 0.5);
      return product(V, product(add(apart, diagonalOf(gL)), mT(V)));
    },
  ],
});

const eigvalshOp = defineOp({
  name: 'linalg.eigvalsh',
  inputs: ['x'],
  saves: ['x'],
  shape: ({ x }) => x.shape.slice(0, -1),
  forward: ([w], { x }, { upper }: { upper: boolean }) => native.linalgEigh(w._handle, 0, x._handle, upper),
  vjp: ([g], { x }, attributes) => [
    () => {
      const [, V] = eighOp([x], attributes);
      return product(scaleColumns(V, g), mT(V));
    },
  ],
});

/** Options of `linalg.eigh` and `linalg.eigvalsh`. */
export interface EighOptions {
  /** The triangle of x that is read, `'L'` (default) or `'U'`. */
  UPLO?: 'L' | 'U';
}

function upperOf(op: string, x: Tensor, { UPLO = 'L' }: EighOptions): boolean {
  checkSquare(op, 'x', x);
  if (UPLO !== 'L' && UPLO !== 'U') {
    throw new ArgumentError(`${op}: UPLO must be 'L' or 'U', got ${JSON.stringify(UPLO)}.`);
  }
  return UPLO === 'U';
}

/**
 * Eigenvalues (ascending) and eigenvectors (as columns) of symmetric matrices, `x = V diag(w) V^T`. Only one triangle of x is
 * read; the gradient is symmetric all the same, and makes sense for functions that do not depend on the vectors' signs.
 *
 * Shapes: `[..., n, n] -> eigenvalues [..., n], eigenvectors [..., n, n]`.
 *
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function eigh<D extends DType>(
  x: Tensor<Shape, D>,
  options: EighOptions = {},
): {
  /** Ascending. */ readonly eigenvalues: Tensor<Shape, D>;
  /** In the columns. */ readonly eigenvectors: Tensor<Shape, D>;
} {
  const upper = upperOf('linalg.eigh', x, options);
  const [eigenvalues, eigenvectors] = eighOp([x], { upper });
  return { eigenvalues: eigenvalues as Tensor<Shape, D>, eigenvectors: eigenvectors as Tensor<Shape, D> };
}

/**
 * The eigenvalues of symmetric matrices, ascending. Their gradient needs no distance between them.
 *
 * Shapes: `[..., n, n] -> [..., n]`.
 *
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function eigvalsh<D extends DType>(x: Tensor<Shape, D>, options: EighOptions = {}): Tensor<Shape, D> {
  return eigvalshOp([x], { upper: upperOf('linalg.eigvalsh', x, options) }) as Tensor<Shape, D>;
}
