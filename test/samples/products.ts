// The rows of products of vectors and matrices, and of distances. See sample.ts.
import {
  addbmm,
  addmm,
  addmv,
  addr,
  baddbmm,
  bmm,
  cdist,
  cross,
  dot,
  einsum,
  eye,
  ger,
  inner,
  kron,
  matrixPower,
  mm,
  mv,
  nn,
  outer,
  tensordot,
  trace,
  vander,
  vdot,
  type AddProductOptions,
  type Tensor,
} from 'thalweg';
import { each, family, withState } from './sample.js';

const { samples, rows } = family();
export { samples };

const { bilinear, cosineSimilarity, pairwiseDistance, pdist } = nn.functional;

rows(
  'mm',
  each(['matrix', 'empty', 'int64'], ([a, b]) => mm(a, b)),
);
rows(
  'bmm',
  each(['batch', 'noBatch'], ([a, b]) => bmm(a, b)),
);
rows(
  'mv',
  each(['matrix', 'empty'], ([a, b]) => mv(a, b)),
);
rows(
  'dot',
  each(['vectors', 'empty', 'int32'], ([a, b]) => dot(a, b)),
);
rows(
  'vdot',
  each(['vectors', 'empty'], ([a, b]) => vdot(a, b)),
);
rows(
  'inner',
  each(['vectors', 'matrices', 'scalar', 'empty'], ([a, b]) => inner(a, b)),
);
rows(
  'outer',
  each(['vectors', 'empty', 'int64'], ([a, b]) => outer(a, b)),
);
rows(
  'ger',
  each(['vectors'], ([a, b]) => ger(a, b)),
);

type AddProduct = (x: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions) => Tensor;
for (const [op, fn] of Object.entries({ addmm, addmv, addbmm, baddbmm, addr } as Record<string, AddProduct>)) {
  rows(op, {
    ...each(['plain', 'broadcast'], ([x, a, b]) => fn(x, a, b)),
    factors: ([x, a, b]) => fn(x, a, b, { beta: 0.5, alpha: -2 }),
    noInput: ([x, a, b]) => fn(x, a, b, { beta: 0, alpha: 2 }),
  });
}
rows('addmm', {
  int64: ([x, a, b]) => addmm(x, a, b, { beta: 2, alpha: 3 }),
  empty: ([x, a, b]) => addmm(x, a, b),
});

const equations: Readonly<Record<string, string>> = {
  matmul: 'ij,jk->ik',
  implicit: 'ij,jk',
  implicitTranspose: 'ba',
  capitals: 'bA,Ac',
  transpose: 'ij->ji',
  identity: 'ij->ij',
  trace: 'ii',
  diagonal: 'ii->i',
  batchDiagonal: 'bii->ib',
  cube: 'iii->i',
  noDiagonal: 'ii->i',
  sum: 'ij->',
  columns: 'ij->j',
  dot: 'i,i',
  outer: 'i,j->ij',
  hadamard: 'ij,ij->ij',
  hadamardTransposed: 'ij,ji->ij',
  batch: 'bij,bjk->bik',
  attention: 'bqhd,bkhd->bhqk',
  batchLast: 'ijb,jkb->bik',
  summedAlone: 'ij,kl->il',
  bilinear: 'bi,oij,bj->bo',
  chain: 'ij,jk,kl,lm->im',
  six: 'a,ab,bc,cd,de,e->',
  threeShared: 'i,i,i->i',
  ellipsis: '...ij,...jk->...ik',
  ellipsisBroadcast: '...ij,...jk->...ik',
  ellipsisImplicit: '...ij,jk',
  ellipsisMiddle: 'i...j->...i',
  ellipsisSummed: 'i...->i',
  ellipsisDiagonal: '...ii->...i',
  ellipsisNone: '...i,...i->...',
  one: 'ij,jk->ik',
  oneKept: 'ij,ij->ij',
  spaces: ' i j , j k -> i k ',
  scalar: ',i->i',
  empty: 'ij,jk->ik',
  noRows: 'ij,jk->ik',
  int64: 'ij,jk->ik',
};
for (const [name, equation] of Object.entries(equations)) {
  rows('einsum', { [name]: (operands) => einsum(equation, ...operands) });
}
rows('einsum', { same: ([x]) => einsum('ij,kj->ik', [x, x]) });

rows('tensordot', {
  ...each(['two', 'all'], ([a, b]) => tensordot(a, b)),
  one: ([a, b]) => tensordot(a, b, 1),
  none: ([a, b]) => tensordot(a, b, 0),
  lists: ([a, b]) =>
    tensordot(a, b, [
      [1, 0],
      [0, -1],
    ]),
  one1: ([a, b]) => tensordot(a, b, [[1], [0]]),
});
rows(
  'bilinear',
  each(['bias', 'noBias', 'vectors'], ([x1, x2, weight, bias]) => bilinear(x1, x2, weight, bias ?? null)),
);
rows(
  'kron',
  each(['matrices', 'vectors', 'ranks', 'scalar', 'empty', 'int64'], ([a, b]) => kron(a, b)),
);
rows(
  'trace',
  each(['square', 'wide', 'tall', 'empty', 'int32'], ([x]) => trace(x)),
);
rows('cross', {
  ...each(['vectors', 'batch', 'empty'], ([a, b]) => cross(a, b)),
  dim: ([a, b]) => cross(a, b, 0),
});
rows('vander', {
  square: ([x]) => vander(x),
  increasing: ([x]) => vander(x, { N: 3, increasing: true }),
  one: ([x]) => vander(x, { N: 1 }),
  int64: ([x]) => vander(x, { N: 4 }),
  none: ([x]) => vander(x, { N: 0 }),
});
rows('matrixPower', {
  three: ([x]) => matrixPower(x, 3),
  six: ([x]) => matrixPower(x, 6),
  one: ([x]) => matrixPower(x, 1),
  zero: ([x]) => matrixPower(x, 0),
  negative: ([x]) => matrixPower(x.add(eye(3, 3, { dtype: x.dtype }).mul(6)), -2),
});

const orders = { zero: 0, half: 0.5, one: 1, oneAndHalf: 1.5, two: 2, three: 3, infinity: Infinity };
for (const [name, p] of Object.entries(orders)) {
  rows('cdist', { [name]: ([a, b]) => cdist(a, b, { p }) });
  rows('pdist', { [name]: ([x]) => pdist(x, p) });
  if (p > 0) rows('pairwiseDistance', { [name]: ([a, b]) => pairwiseDistance(a, b, { p }) });
}
const byProduct = ([a, b]: readonly Tensor[]): Tensor => cdist(a, b, { computeMode: 'use_mm_for_euclid_dist' });
rows('cdist', {
  ...each(['batch', 'broadcast', 'kinkTwo', 'noColumns', 'noRows'], ([a, b]) => cdist(a, b)),
  kinkOne: ([a, b]) => cdist(a, b, { p: 1 }),
  kinkThree: ([a, b]) => cdist(a, b, { p: 3 }),
});
rows('cdist', each(['product', 'productBatch'], byProduct));
rows('pairwiseDistance', {
  keep: ([a, b]) => pairwiseDistance(a, b, { keepDim: true }),
  broadcast: ([a, b]) => pairwiseDistance(a, b, { eps: 0.5 }),
  vectors: ([a, b]) => pairwiseDistance(a, b),
});
rows('cosineSimilarity', {
  ...each(['rows', 'zero'], ([a, b]) => cosineSimilarity(a, b)),
  dim: ([a, b]) => cosineSimilarity(a, b, { dim: 0 }),
  eps: ([a, b]) => cosineSimilarity(a, b, { dim: -1, eps: 5 }),
});
rows('nn.CosineSimilarity', { rows: ([a, b]) => new nn.CosineSimilarity().forward(a, b) });
rows('nn.PairwiseDistance', { rows: ([a, b]) => new nn.PairwiseDistance({ p: 1.5 }).forward(a, b) });
rows(
  'nn.Bilinear',
  { rows: ([x1, weight, bias, x2]) => withState(new nn.Bilinear(2, 4, 5), [weight, bias]).forward(x1, x2) },
  // Differences would move the parameters too.
  { kink: true },
);
