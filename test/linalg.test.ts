// Linear algebra beyond the goldens: sizes that work in blocks, singular and odd input, messages.
import { describe, expect, test } from 'vitest';
import * as thalweg from '../src/index.js';
import {
  cdist,
  cholesky,
  det,
  einsum,
  eye,
  inverse,
  linalg,
  manualSeed,
  ones,
  pinverse,
  qr,
  randn,
  slogdet,
  tensor,
  ThalwegError,
  zeros,
  type Tensor,
} from '../src/index.js';

type Loose = (...args: unknown[]) => unknown;
const api = thalweg as unknown as Record<string, Loose>;
const loose = linalg as unknown as Record<string, Loose>;

/** Calls `fn`, reads its result and gives the error as it would be printed. */
function failure(fn: () => unknown): string {
  try {
    const result = fn();
    if (thalweg.isTensor(result)) result.dataSync();
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    return `${error.name}: ${error.message}`;
  }
  return 'nothing was thrown';
}

const far = (a: Tensor, b: Tensor): number => Number(a.sub(b).abs().max().itemSync());
const identityOf = (x: Tensor): Tensor => eye(x.shape.at(-1)!, x.shape.at(-1), { dtype: x.dtype });
const orthonormal = (columns: Tensor): number => far(columns.mT().matmul(columns), identityOf(columns));

describe.each(['float32', 'float64'] as const)('sizes that are worked on in blocks, %s', (dtype) => {
  const tolerance = dtype === 'float64' ? 1e-11 : 1e-2;
  test.each([1, 48, 80, 81, 130])('%i', (n) => {
    manualSeed(n);
    const x = randn([2, n, n], { dtype }) as Tensor;
    const well = x.add(identityOf(x).mul(3 * Math.sqrt(n)));
    expect(far(well.matmul(linalg.inv(well)), identityOf(x))).toBeLessThan(tolerance);
    const { P, L, U } = linalg.lu(x);
    expect(far(P.matmul(L).matmul(U), x)).toBeLessThan(tolerance);
    const spd = x.matmul(x.mT()).add(identityOf(x));
    const factor = cholesky(spd);
    expect(far(factor.matmul(factor.mT()), spd)).toBeLessThan(tolerance);
    const b = randn([2, n, 3], { dtype }) as Tensor;
    for (const upper of [true, false]) {
      const solution = linalg.solveTriangular(well, b, { upper });
      const lower = linalg.solveTriangular(well.mT(), b, { upper: !upper });
      expect(solution.shape).toEqual(lower.shape);
      const mask = tensor(
        Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_, j) => Number(upper ? j >= i : j <= i))),
      );
      expect(far(well.mul(mask.to(dtype)).matmul(solution), b)).toBeLessThan(tolerance);
    }
    for (const y of [x, x.narrow(1, 0, Math.ceil(n / 2)), x.narrow(2, 0, Math.ceil(n / 3))] as Tensor[]) {
      const { Q, R } = qr(y);
      expect(far(Q.matmul(R), y)).toBeLessThan(tolerance);
      expect(orthonormal(Q)).toBeLessThan(tolerance);
      const svd = linalg.svd(y);
      const k = svd.S.shape[1];
      const left = svd.U.narrow(2, 0, k).mul(svd.S.unsqueeze(1));
      expect(far(left.matmul(svd.Vh.narrow(1, 0, k)), y)).toBeLessThan(tolerance);
      expect(orthonormal(svd.U)).toBeLessThan(tolerance);
      expect(orthonormal(svd.Vh.mT())).toBeLessThan(tolerance);
    }
    const { eigenvalues, eigenvectors: V } = linalg.eigh(spd);
    expect(far(V.mul(eigenvalues.unsqueeze(1)).matmul(V.mT()), spd)).toBeLessThan(tolerance * 10);
    expect(orthonormal(V)).toBeLessThan(tolerance);
  });
});

test('matrices of low rank have orthonormal vectors all the same', () => {
  manualSeed(3);
  for (const x of [
    zeros([4, 3], { dtype: 'float64' }),
    ones([5, 5], { dtype: 'float64' }),
    randn([20, 2], { dtype: 'float64' }).matmul(randn([2, 20], { dtype: 'float64' })),
  ] as Tensor[]) {
    const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
    expect(orthonormal(U)).toBeLessThan(1e-13);
    expect(orthonormal(Vh.mT())).toBeLessThan(1e-13);
    expect(far(U.mul(S).matmul(Vh), x)).toBeLessThan(1e-12);
  }
});

test('very small and very large values keep their digits', () => {
  for (const scale of [1e-40, 1e-30, 1e30]) {
    const x = tensor([
      [3, 0],
      [4, 5],
    ]).mul(scale);
    const values = Array.from(linalg.svdvals(x).dataSync(), (v) => Number(v) / scale);
    const tolerance = scale < 1e-38 ? 1e-3 : 1e-5;
    expect(Math.abs(values[0] - 6.7082039325)).toBeLessThan(tolerance);
    expect(Math.abs(values[1] - 2.2360679775)).toBeLessThan(tolerance);
  }
});

test('NaN spreads or is refused, and nothing hangs', () => {
  const x = tensor([
    [1, NaN],
    [2, 1],
  ]);
  expect([linalg.inv(x), det(x), qr(x).R].map((t) => Array.from(t.dataSync(), Number).some(Number.isNaN))).toEqual([
    true,
    true,
    true,
  ]);
  const notFinite = 'The algorithm failed to converge because the input matrix contained non-finite values';
  expect(failure(() => linalg.svdvals(x))).toBe(`LinAlgError: linalg.svdvals: ${notFinite}`);
  expect(failure(() => linalg.pinv(x))).toBe(`LinAlgError: linalg.svd: ${notFinite}`);
  expect(failure(() => linalg.eigvalsh(x.reshape([1, 2, 2]).mul(Infinity)))).toBe(
    `LinAlgError: linalg.eigvalsh: (Batch element 0): ${notFinite}`,
  );
});

test('the gradient of the determinant of a matrix of rank 1 is zero', () => {
  const x = tensor(
    [
      [1, 2, 3],
      [2, 4, 6],
      [3, 6, 9],
    ],
    { dtype: 'float64', requiresGrad: true },
  );
  det(x).backward();
  expect(Math.max(...Array.from(x.grad!.dataSync(), (v) => Math.abs(Number(v))))).toBeLessThan(1e-12);
});

test('the older names are the same functions', () => {
  expect([inverse, pinverse, det, slogdet, cholesky, qr]).toEqual([
    linalg.inv,
    linalg.pinv,
    linalg.det,
    linalg.slogdet,
    linalg.cholesky,
    linalg.qr,
  ]);
});

test('lstsq has the singular values and, without more rows than columns, no residuals', () => {
  const { residuals, singularValues, rank } = linalg.lstsq(
    tensor([
      [3, 0],
      [0, 4],
    ]),
    tensor([6, 4]),
  );
  expect(residuals.shape).toEqual([0]);
  expect(Array.from(singularValues.dataSync(), Number)).toEqual([4, 3]);
  expect(rank.itemSync()).toBe(2n);
});

test('cdist by matrix product from 26 rows on', () => {
  manualSeed(5);
  const a = randn([30, 4], { dtype: 'float64' }) as Tensor;
  const exact = cdist(a, a, { computeMode: 'donot_use_mm_for_euclid_dist' });
  expect(far(cdist(a, a), exact)).toBeLessThan(1e-6);
});

test('einsum of many operands', () => {
  manualSeed(6);
  const list = Array.from({ length: 7 }, () => randn([2, 2], { dtype: 'float64' }) as Tensor);
  const expected = list.reduce((a, b) => a.matmul(b));
  expect(far(einsum('ab,bc,cd,de,ef,fg,gh->ah', ...list), expected)).toBeLessThan(1e-12);
});

const square = ones([2, 2]);
const wide = ones([2, 3]);
const singular = tensor([
  [
    [1, 0],
    [0, 1],
  ],
  [
    [1, 2],
    [2, 4],
  ],
]);
test.each<[string, () => unknown, string]>([
  [
    'inv of a wide matrix',
    () => loose['inv'](wide),
    'ShapeError: linalg.inv: x must be a batch of square matrices, got shape [2,3].',
  ],
  [
    'inv of a vector',
    () => loose['inv'](ones([2])),
    'ShapeError: linalg.inv: x must have at least 2 dimensions, got shape [2].',
  ],
  [
    'inv of integers',
    () => loose['inv'](square.to('int64')),
    "DTypeError: linalg.inv: x must be float32 or float64, got int64; convert it with to('float32').",
  ],
  [
    'inv of a singular matrix',
    () => loose['inv'](singular),
    'LinAlgError: linalg.inv: (Batch element 1): The diagonal element 2 is zero, the inversion could not be completed because the input matrix is singular',
  ],
  [
    'solve with a singular matrix',
    () => loose['solve'](zeros([2, 2]), ones([2])),
    'LinAlgError: linalg.solve: The diagonal element 1 is zero, the solution could not be completed because the input matrix is singular',
  ],
  [
    'solve of other rows',
    () => loose['solve'](square, ones([3, 1])),
    'ShapeError: linalg.solve(A [2,2], B [3,1]): A takes columns of 2 elements, those of B have 3.',
  ],
  [
    'solve of mixed dtypes',
    () => loose['solve'](square, ones([2, 1], { dtype: 'float64' })),
    "DTypeError: linalg.solve(A float32[2,2], B float64[2,1]): the dtypes differ; convert one, e.g. B.to('float32').",
  ],
  [
    'cholesky',
    () =>
      loose['cholesky'](
        tensor([
          [1, 2],
          [2, 1],
        ]),
      ),
    'LinAlgError: linalg.cholesky: The factorization could not be completed because the input is not positive-definite (the leading minor of order 2 is not positive-definite)',
  ],
  [
    'luFactor',
    () => linalg.luFactor(square).LU,
    'LinAlgError: linalg.luFactor: U[2,2] is zero and using it to solve would result in a division by zero; linalg.lu(x) gives the factors all the same',
  ],
  [
    'qr mode',
    () => loose['qr'](square, { mode: 'full' }),
    "ArgumentError: linalg.qr: unknown mode \"full\", expected 'reduced', 'complete' or 'r'.",
  ],
  [
    'eigh UPLO',
    () => loose['eigh'](square, { UPLO: 'X' }),
    "ArgumentError: linalg.eigh: UPLO must be 'L' or 'U', got \"X\".",
  ],
  [
    'pinv rtol',
    () => loose['pinv'](square, { rtol: -1 }),
    'ArgumentError: linalg.pinv: rtol must be a number >= 0, got -1.',
  ],
  [
    'matrixNorm order',
    () => loose['matrixNorm'](square, 3),
    "ArgumentError: linalg.matrixNorm: unknown order 3, expected 'fro', 'nuc', 1, -1, 2, -2, Infinity or -Infinity.",
  ],
  ['mm of a vector', () => api['mm'](square, ones([2])), 'ShapeError: mm: b must have 2 dimensions, got shape [2].'],
  ['mm', () => api['mm'](wide, wide), 'ShapeError: mm(a [2,3], b [2,3]): a.shape[1] = 3 but b.shape[0] = 2.'],
  [
    'addmm input',
    () => api['addmm'](ones([4]), square, square),
    "ShapeError: addmm: input of shape [4] does not broadcast to the product's shape [2,2].",
  ],
  [
    'tensordot',
    () => api['tensordot'](wide, wide, 1),
    'ShapeError: tensordot(a [2,3], b [2,3]): a.shape[1] = 3 but b.shape[0] = 2.',
  ],
  [
    'einsum operands',
    () => api['einsum']('ij,jk', square),
    "ArgumentError: einsum: 'ij,jk' has subscripts for 2 operands, given: 1.",
  ],
  [
    'einsum output',
    () => api['einsum']('ij->ik', square),
    "ArgumentError: einsum: 'k' of the output 'ik' is in no operand.",
  ],
  [
    'einsum output twice',
    () => api['einsum']('ij->ii', square),
    "ArgumentError: einsum: 'i' occurs twice in the output 'ii'.",
  ],
  [
    'einsum sizes',
    () => api['einsum']('ij,jk', wide, wide),
    "ShapeError: einsum: 'j' has size 2 in operand 1 of shape [2,3], but 3 before.",
  ],
  [
    'einsum rank',
    () => api['einsum']('ijk', square),
    "ShapeError: einsum: 'ijk' has 3 subscripts, operand 0 of shape [2,2] has 2 dimensions.",
  ],
  [
    'einsum subscript',
    () => api['einsum']('i1', square),
    "ArgumentError: einsum: '1' in 'i1' is no subscript; subscripts are letters and '...'.",
  ],
  [
    'cdist rows',
    () => api['cdist'](square, wide),
    'ShapeError: cdist(a [2,2], b [2,3]): both must be rows [..., rows, M] of one length M.',
  ],
  ['cdist p', () => api['cdist'](square, square, { p: -1 }), 'ArgumentError: cdist: p must be a number >= 0, got -1.'],
  [
    'cross',
    () => api['cross'](square, square),
    'ShapeError: cross(a [2,2], b [2,2]): dimension 1 must have size 3, got 2 and 2.',
  ],
  ['matrixPower', () => api['matrixPower'](square, 0.5), 'ArgumentError: matrixPower: n must be an integer, got 0.5.'],
])('%s', (_, call, expected) => {
  expect(failure(call)).toBe(expected);
});
