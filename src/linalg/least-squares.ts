// What follows from singular values: pseudo-inverses, least squares, ranks.
import { withAutocast } from '../amp/state.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { add, maximum, mul, sub } from '../ops/arithmetic.js';
import { abs, square } from '../ops/math.js';
import { gt, where } from '../ops/compare.js';
import { checkTensor, defineOp, type Op } from '../ops/define.js';
import { matmul } from '../ops/matmul.js';
import { amax, sum } from '../ops/reduce.js';
import { mT, squeeze, unsqueeze } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { batchOf, broadcastBatches, checkMatrix, checkSameFloat, checkSquare, columnsOf, rowsOf } from './checks.js';
import { eigh, eigvalsh, svd, svdvals } from './svd.js';

const product = (a: Tensor, b: Tensor): Tensor => matmul(a, b);
// In the type of the operands, whatever autocast says.
const exactly = (a: Tensor, b: Tensor): Tensor => withAutocast(null, () => product(a, b));

const epsilonOf = (dtype: DType): number => (dtype === 'float64' ? 2 ** -52 : 2 ** -23);

/** Options of what counts small singular values as zero: those not above the larger of `atol` and `rtol` times the largest. */
export interface RankOptions {
  /** Absolute tolerance. Default 0. */
  atol?: number;
  /** Relative tolerance. Default max(m, n) times the dtype's epsilon, or 0 if `atol` is given and positive. */
  rtol?: number;
  /** The matrices are symmetric; eigenvalues are used, of the lower triangle. Default false. */
  hermitian?: boolean;
}

interface Tolerances {
  readonly atol: number;
  readonly rtol: number;
}

function tolerancesOf(op: string, x: Tensor, { atol, rtol }: RankOptions): Tolerances {
  for (const [name, value] of [
    ['atol', atol],
    ['rtol', rtol],
  ] as const) {
    if (value !== undefined && !(value >= 0)) {
      throw new ArgumentError(`${op}: ${name} must be a number >= 0, got ${String(value)}.`);
    }
  }
  const relative = Math.max(rowsOf(x), columnsOf(x)) * epsilonOf(x.dtype);
  return { atol: atol ?? 0, rtol: rtol ?? (atol !== undefined && atol > 0 ? 0 : relative) };
}

/** Which of the values (absolute, any order) count. */
function counting(values: Tensor, { atol, rtol }: Tolerances): Tensor<Shape, 'bool'> {
  if (values.numel === 0) return gt(values, 0);
  const largest = amax(values, -1, { keepDim: true });
  return gt(values, maximum(mul(largest, rtol), atol));
}

/**
 * The number of singular values that are not nearly zero.
 *
 * Shapes: `[..., m, n] -> [...]`, int64.
 *
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function matrixRank(x: Tensor, options: RankOptions = {}): Tensor<Shape, 'int64'> {
  const op = 'linalg.matrixRank';
  if (options.hermitian === true) checkSquare(op, 'x', x);
  else checkMatrix(op, 'x', x);
  const tolerances = tolerancesOf(op, x, options);
  return tidy(() =>
    noGrad(() => {
      const values = options.hermitian === true ? abs(eigvalsh(x)) : svdvals(x);
      return sum<Shape, DType, -1>(counting(values, tolerances), -1) as unknown as Tensor<Shape, 'int64'>;
    }),
  );
}

interface PinvAttributes extends Tolerances {
  readonly hermitian: boolean;
}

const inverseOf = (values: Tensor, tolerances: Tolerances): Tensor =>
  where(counting(abs(values), tolerances), values.reciprocal(), 0);

const pinvOp: Op<PinvAttributes> = defineOp({
  name: 'linalg.pinv',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }) => [...batchOf(x), columnsOf(x), rowsOf(x)],
  forward: ([out], { x }, attributes: PinvAttributes) =>
    tidy(() =>
      noGrad(() => {
        let left: Tensor;
        let right: Tensor;
        if (attributes.hermitian) {
          const { eigenvalues, eigenvectors } = eigh(x);
          left = mul(eigenvectors, unsqueeze(inverseOf(eigenvalues, attributes), -2));
          right = mT(eigenvectors);
        } else {
          const { U, S, Vh } = svd(x, { fullMatrices: false });
          left = mul(mT(Vh), unsqueeze(inverseOf(S, attributes), -2));
          right = mT(U);
        }
        native.matmul(out._handle, left._handle, right._handle, 0, 0);
      }),
    ),
  // Golub and Pereyra 1973, the products in the order that keeps them small.
  vjp: ([g], { x, out: P }, { hermitian }) => [
    () => {
      const gT = mT(g);
      const PT = mT(P);
      let gradient: Tensor;
      if (rowsOf(x) <= columnsOf(x)) {
        const K = product(gT, P);
        const KPT = product(K, PT);
        const first = sub(KPT, product(product(x, P), KPT));
        const second = product(product(PT, P), sub(gT, product(K, x)));
        gradient = sub(add(first, second), mT(product(P, K)));
      } else {
        const K = product(P, gT);
        const PTK = product(PT, K);
        const first = product(product(sub(gT, product(x, K)), P), PT);
        const second = sub(PTK, product(product(PTK, P), x));
        gradient = sub(add(first, second), mT(product(K, P)));
      }
      return hermitian ? mul(add(gradient, mT(gradient)), 0.5) : gradient;
    },
  ],
});

/**
 * The Moore-Penrose pseudo-inverse, by singular values.
 *
 * Shapes: `[..., m, n] -> [..., n, m]`. The gradient is right where the rank does not change.
 *
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function pinv<D extends DType>(x: Tensor<Shape, D>, options: RankOptions = {}): Tensor<Shape, D> {
  const op = 'linalg.pinv';
  const { hermitian = false } = options;
  if (hermitian) checkSquare(op, 'x', x);
  else checkMatrix(op, 'x', x);
  return pinvOp([x], { ...tolerancesOf(op, x, options), hermitian }) as Tensor<Shape, D>;
}

/** A least squares solution. */
export interface LeastSquares<D extends DType = DType> {
  /** `[..., n, k]`, or `[..., n]` for vectors. */
  readonly solution: Tensor<Shape, D>;
  /** `[..., k]`: the squared distances of the columns of `A X` and B; empty (`[0]`) unless A has more rows than columns. */
  readonly residuals: Tensor<Shape, D>;
  /** `[...]`, int64: the rank of A. */
  readonly rank: Tensor<Shape, 'int64'>;
  /** `[..., min(m, n)]`, largest first. */
  readonly singularValues: Tensor<Shape, D>;
}

/**
 * The X with the least `|A X - B|`, and of those the one with the least norm, by singular values (LAPACK's driver 'gelsd').
 * Unlike PyTorch, residuals do not depend on the rank that is found, and rank and singular values are there always.
 *
 * Shapes: A `[..., m, n]`, B `[..., m, k]` with A's batch or one that broadcasts with it, or a vector or batch of vectors,
 * `[..., m]`. Gradients: of the solution and residuals.
 *
 * @param options `rcond`: singular values below this times the largest count as zero; default max(m, n) times the epsilon
 * @throws ShapeError, DTypeError, ArgumentError; LinAlgError (at the next read) for a matrix with NaN or infinities
 */
export function lstsq<D extends DType>(
  A: Tensor<Shape, D>,
  B: Tensor<Shape, D>,
  options: { rcond?: number } = {},
): LeastSquares<D> {
  const op = 'linalg.lstsq';
  checkMatrix(op, 'A', A);
  checkTensor(op, 'B', B);
  const vector = B.shape.length === A.shape.length - 1;
  const { rcond: rtol } = options;
  const tolerances = tolerancesOf(op, A, rtol === undefined ? {} : { rtol });
  return tidy(() => {
    const right: Tensor = vector ? unsqueeze(B as Tensor, -1) : B;
    checkMatrix(op, 'B', right);
    checkSameFloat(op, 'A', A, 'B', B);
    if (rowsOf(right) !== rowsOf(A)) {
      throw new ShapeError(
        `${op}(A ${formatShape(A.shape)}, B ${formatShape(B.shape)}): A has ${rowsOf(A)} rows, B ${rowsOf(right)}.`,
      );
    }
    const [a, b] = broadcastBatches(op, 'A', A, 'B', right);
    const x = exactly(pinvOp([A], { ...tolerances, hermitian: false }), b);
    const singularValues = noGrad(() => svdvals(A));
    const rank = noGrad(() => sum(counting(singularValues, tolerances) as Tensor, -1));
    const over = rowsOf(A) > columnsOf(A);
    const residuals = over
      ? sum(square(sub(exactly(a, x), b)), -2)
      : (b.flatten().narrow(0, 0, 0).detach().clone() as Tensor);
    return {
      solution: (vector ? squeeze(x, -1) : x) as Tensor<Shape, D>,
      residuals: residuals as unknown as Tensor<Shape, D>,
      rank: rank as Tensor as Tensor<Shape, 'int64'>,
      singularValues: singularValues,
    };
  });
}
