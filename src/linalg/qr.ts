// QR factors. Kernels: native/cpu/linalg.cpp.
import type { DType } from '../dtype.js';
import { ArgumentError, GradError } from '../errors.js';
import { native } from '../native.js';
import { add, sub } from '../ops/arithmetic.js';
import { empty } from '../ops/creation.js';
import { defineMultiOp, defineOp } from '../ops/define.js';
import { cat } from '../ops/join.js';
import { matmul } from '../ops/matmul.js';
import { mT, narrow } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { batchOf, checkMatrix, columnsOf, rowsOf, triangle } from './checks.js';
import { solveTriangular } from './solve.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);

const qrOp = defineMultiOp({
  name: 'linalg.qr',
  inputs: ['x'],
  saves: ['x', 'out0', 'out1'],
  outputs: ({ x }, { complete }: { complete: boolean }) => {
    const columns = complete ? rowsOf(x) : Math.min(rowsOf(x), columnsOf(x));
    return [
      { shape: [...batchOf(x), rowsOf(x), columns], dtype: x.dtype },
      { shape: [...batchOf(x), columns, columnsOf(x)], dtype: x.dtype },
    ];
  },
  forward: ([q, r], { x }) => native.linalgQr(q._handle, r._handle, x._handle),
  vjp: ([gQ, gR], { x, out0: Q, out1: R }, { complete }) => [
    () => {
      const m = rowsOf(x);
      const n = columnsOf(x);
      if (complete && m > n) {
        throw new GradError(
          `linalg.qr: mode 'complete' has no gradient for matrices with more rows than columns, here ${formatShape(x.shape)}; use mode 'reduced'.`,
        );
      }
      if (m >= n) return qrGradient(gQ, gR, Q, R);
      // The columns behind the first m depend on Q, and R's on them.
      const rest = narrow(gR, -1, m, n - m);
      const more = product(narrow(x, -1, m, n - m), mT(rest));
      const square = qrGradient(add(gQ, more), narrow(gR, -1, 0, m), Q, narrow(R, -1, 0, m));
      return cat([square, product(Q, rest)], -1);
    },
  ],
});

/** `(gQ + Q sym(triu(gR R^T - Q^T gQ))) R^-T`, where sym mirrors the upper triangle (Walter and Lehmann 2010). */
function qrGradient(gQ: Tensor, gR: Tensor, Q: Tensor, R: Tensor): Tensor {
  const inner = sub(product(gR, mT(R)), product(mT(Q), gQ));
  const symmetric = add(triangle(inner, 'upper'), mT(triangle(inner, 'upper', 1)));
  return mT(solveTriangular(R, mT(add(gQ, product(Q, symmetric))), { upper: true }));
}

const onlyROp = defineOp({
  name: 'linalg.qr',
  inputs: ['x'],
  shape: ({ x }) => [...batchOf(x), Math.min(rowsOf(x), columnsOf(x)), columnsOf(x)],
  forward: ([r], { x }) => native.linalgQr(0, r._handle, x._handle),
  vjp: () => [
    () => {
      throw new GradError("linalg.qr: the gradient needs Q, which mode 'r' does not compute; use mode 'reduced'.");
    },
  ],
});

/** Options of `linalg.qr`. */
export interface QrOptions {
  /**
   * `'reduced'` (default): Q `[..., m, k]`, R `[..., k, n]`, k = min(m, n). `'complete'`: Q `[..., m, m]`, R `[..., m, n]`. `'r'`: Q
   * is empty, R reduced, without a gradient.
   */
  mode?: 'reduced' | 'complete' | 'r';
}

/**
 * The factors of `x = Q R`: Q with orthonormal columns, R upper triangular, by Householder reflections. The signs of R's
 * diagonal are LAPACK's.
 *
 * Gradients: of mode 'reduced', and of 'complete' where m <= n, if the first min(m, n) columns are independent.
 *
 * @throws ShapeError, DTypeError; ArgumentError for an unknown mode; GradError in backward where there is no gradient
 */
export function qr<D extends DType>(
  x: Tensor<Shape, D>,
  options: QrOptions = {},
): {
  /** Orthonormal columns. */ readonly Q: Tensor<Shape, D>;
  /** Upper triangular. */ readonly R: Tensor<Shape, D>;
} {
  const { mode = 'reduced' } = options;
  checkMatrix('linalg.qr', 'x', x);
  if (mode !== 'reduced' && mode !== 'complete' && mode !== 'r') {
    throw new ArgumentError(`linalg.qr: unknown mode ${JSON.stringify(mode)}, expected 'reduced', 'complete' or 'r'.`);
  }
  if (mode === 'r') {
    const Q = empty([0], { dtype: x.dtype, device: x.device }) as Tensor as Tensor<Shape, D>;
    return { Q, R: onlyROp([x], undefined) as Tensor<Shape, D> };
  }
  const [Q, R] = qrOp([x], { complete: mode === 'complete' });
  return { Q: Q as Tensor<Shape, D>, R: R as Tensor<Shape, D> };
}
