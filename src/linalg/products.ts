// Products and functions of matrices.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { add, mul, sub } from '../ops/arithmetic.js';
import { lt, where } from '../ops/compare.js';
import { eye } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { clone } from '../ops/copy.js';
import { abs } from '../ops/math.js';
import { matmul } from '../ops/matmul.js';
import { amax, sum } from '../ops/reduce.js';
import { reshape, squeeze, unsqueeze } from '../ops/view.js';
import { formatShape, normalizeDim, numel, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkSquare, columnsOf } from './checks.js';
import { inv, slogdet, solve } from './solve.js';

export { cross, matrixPower, vander } from '../ops/products.js';
export { matmul } from '../ops/matmul.js';
export { vectorNorm } from '../ops/norms.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);

// The coefficients of the Pade approximation of order 13, and the norm up to which it is exact to float64 (Higham 2005).
const pade = [
  64764752532480000, 32382376266240000, 7771770303897600, 1187353796428800, 129060195264000, 10559470521600,
  670442572800, 33522128640, 1323241920, 40840800, 960960, 16380, 182, 1,
] as const;
const padeLimit = 5.371920351148152;

/**
 * The exponential of square matrices, `1 + x + x^2 / 2 + ...`, by a Pade approximation of x scaled down and squaring (Higham
 * 2005). Waits for queued work, to see how large x is.
 *
 * Shapes: `[..., n, n] -> [..., n, n]`.
 *
 * @throws ShapeError, DTypeError
 */
export function matrixExp<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkSquare('linalg.matrixExp', 'x', x);
  if (x.numel === 0) return clone(x);
  return tidy(() => {
    const norm = noGrad(() => Number(amax(sum(abs(x as Tensor), -2)).itemSync()));
    // A matrix with NaN or infinities has no exponential: nothing is found out about it by squaring.
    if (!Number.isFinite(norm)) return mul(x as Tensor, NaN);
    const squarings = Math.max(0, Math.ceil(Math.log2(norm / padeLimit)));
    const a = mul(x as Tensor, 2 ** -squarings);
    const n = columnsOf(x);
    const one = eye(n, n, { dtype: x.dtype as 'float32', device: x.device }) as Tensor;
    const a2 = product(a, a);
    const a4 = product(a2, a2);
    const a6 = product(a4, a2);
    // Scaled by the first coefficient, so that float32 does not lose the small ones.
    const c = pade.map((value) => value / pade[0]);
    const mix = (k6: number, k4: number, k2: number): Tensor => add(add(mul(a6, k6), mul(a4, k4)), mul(a2, k2));
    const odd = product(a, add(add(product(a6, mix(c[13], c[11], c[9])), mix(c[7], c[5], c[3])), mul(one, c[1])));
    const even = add(add(product(a6, mix(c[12], c[10], c[8])), mix(c[6], c[4], c[2])), mul(one, c[0]));
    let result = solve(sub(even, odd), add(even, odd));
    for (let i = 0; i < squarings; i++) result = product(result, result);
    return result;
  }) as Tensor<S, D>;
}

/**
 * The product of two matrices or more, in the order that takes the fewest multiplications. The first and the last may be
 * vectors, which count as a row and as a column.
 *
 * @throws ShapeError for other than matrices, and if neighbours do not fit; DTypeError for different dtypes; ArgumentError for
 *   fewer than two
 */
export function multiDot<D extends DType>(tensors: readonly Tensor<Shape, D>[]): Tensor<Shape, D> {
  const op = 'linalg.multiDot';
  if (!Array.isArray(tensors) || tensors.length < 2) {
    throw new ArgumentError(`${op}: expected a list of at least two tensors.`);
  }
  const given = tensors as readonly Tensor[];
  const last = given.length - 1;
  given.forEach((t, i) => {
    checkTensor(op, `tensors[${i}]`, t);
    if (t.dtype !== given[0].dtype) {
      throw new DTypeError(`${op}: tensors[${i}] is ${t.dtype}, tensors[0] ${given[0].dtype}; convert one.`);
    }
    const rank = t.shape.length;
    if (rank !== 2 && !(rank === 1 && (i === 0 || i === last))) {
      throw new ShapeError(`${op}: tensors[${i}] must be a matrix, got shape ${formatShape(t.shape)}.`);
    }
  });
  return tidy(() => {
    const row = given[0].shape.length === 1;
    const column = given[last].shape.length === 1;
    const matrices = given.map((t, i) =>
      i === 0 && row ? unsqueeze(t, 0) : i === last && column ? unsqueeze(t, 1) : t,
    );
    matrices.forEach((t, i) => {
      if (i > 0 && matrices[i - 1].shape[1] !== t.shape[0]) {
        throw new ShapeError(
          `${op}: tensors[${i - 1}] ${formatShape(given[i - 1].shape)} and tensors[${i}] ${formatShape(given[i].shape)} do not fit: ${matrices[i - 1].shape[1]} and ${t.shape[0]}.`,
        );
      }
    });
    let out = chain(matrices);
    if (column) out = squeeze(out, -1);
    if (row) out = squeeze(out, 0);
    return out as Tensor<Shape, D>;
  });
}

// The best order by dynamic programming (Cormen et al., Introduction to Algorithms).
function chain(matrices: readonly Tensor[]): Tensor {
  const sizes = [matrices[0].shape[0], ...matrices.map(({ shape }) => shape[1])];
  const count = matrices.length;
  const costs = matrices.map(() => new Array<number>(count).fill(0));
  const splits = matrices.map(() => new Array<number>(count).fill(0));
  for (let length = 2; length <= count; length++) {
    for (let from = 0; from + length <= count; from++) {
      const to = from + length - 1;
      costs[from][to] = Infinity;
      for (let split = from; split < to; split++) {
        const cost = costs[from][split] + costs[split + 1][to] + sizes[from] * sizes[split + 1] * sizes[to + 1];
        if (cost < costs[from][to]) {
          costs[from][to] = cost;
          splits[from][to] = split;
        }
      }
    }
  }
  const between = (from: number, to: number): Tensor =>
    from === to ? matrices[from] : product(between(from, splits[from][to]), between(splits[from][to] + 1, to));
  return between(0, count - 1);
}

/**
 * The scalar products of vectors along a dimension, with broadcasting.
 *
 * @param options `dim` (default -1)
 * @throws ShapeError if the shapes do not broadcast; DTypeError for different dtypes
 */
export function vecdot<D extends DType>(
  a: Tensor<Shape, D>,
  b: Tensor<Shape, D>,
  options: { dim?: number } = {},
): Tensor<Shape, D> {
  const op = 'linalg.vecdot';
  checkTensor(op, 'a', a);
  checkTensor(op, 'b', b);
  if (a.dtype !== b.dtype) throw new DTypeError(`${op}: a is ${a.dtype}, b ${b.dtype}; convert one.`);
  return tidy(() => {
    const products = mul(a as Tensor, b as Tensor);
    const dim = normalizeDim(op, options.dim ?? -1, products.shape.length);
    return sum(products, dim, { dtype: a.dtype });
  });
}

/**
 * The logarithm of the determinant; NaN where that is negative, -Infinity where it is 0.
 *
 * Shapes: `[..., n, n] -> [...]`.
 *
 * @throws ShapeError, DTypeError
 */
export function logdet<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
  checkSquare('logdet', 'x', x);
  return tidy(() => {
    const { sign, logabsdet } = slogdet(x as Tensor);
    return where(lt(sign, 0), NaN, logabsdet);
  }) as Tensor<Shape, D>;
}

/**
 * The inverse of `x` as a linear map from its last dimensions to the first `ind`: `tensordot(tensorinv(x), x, ind)` is the
 * identity.
 *
 * @throws ShapeError unless the first `ind` sizes and the others have one product; ArgumentError unless ind is an integer above 0
 */
export function tensorinv<D extends DType>(x: Tensor<Shape, D>, ind = 2): Tensor<Shape, D> {
  const op = 'linalg.tensorinv';
  checkTensor(op, 'x', x);
  if (!Number.isInteger(ind) || ind < 1)
    throw new ArgumentError(`${op}: ind must be an integer >= 1, got ${String(ind)}.`);
  const [first, rest] = [x.shape.slice(0, ind), x.shape.slice(ind)];
  if (numel(first) !== numel(rest)) {
    throw new ShapeError(
      `${op}: x ${formatShape(x.shape)} has ${numel(first)} elements in its first ${ind} dimensions and ${numel(rest)} in the others; these must be equal.`,
    );
  }
  return tidy(() =>
    reshape(inv(reshape(x as Tensor, [numel(first), numel(rest)]) as Tensor), [...rest, ...first]),
  ) as Tensor<Shape, D>;
}

/**
 * The X with `tensordot(A, X, X.ndim) = B`.
 *
 * Shapes: A `[...B.shape, ...]`, with as many elements in its last dimensions as B has.
 *
 * @throws ShapeError, DTypeError; LinAlgError (at the next read) for a singular A
 */
export function tensorsolve<D extends DType>(A: Tensor<Shape, D>, B: Tensor<Shape, D>): Tensor<Shape, D> {
  const op = 'linalg.tensorsolve';
  checkTensor(op, 'A', A);
  checkTensor(op, 'B', B);
  const shape = A.shape.slice(B.shape.length);
  const n = numel(B.shape);
  if (numel(shape) !== n || numel(A.shape) !== n * n) {
    throw new ShapeError(
      `${op}(A ${formatShape(A.shape)}, B ${formatShape(B.shape)}): A must have the ${n} elements of B in its first ${B.shape.length} dimensions, and as many in the others.`,
    );
  }
  return tidy(() => {
    const x = solve(reshape(A as Tensor, [n, n]) as Tensor, reshape(B as Tensor, [n]) as Tensor);
    return reshape(x, shape);
  }) as Tensor<Shape, D>;
}
