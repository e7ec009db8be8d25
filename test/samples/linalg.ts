// The rows of the namespace `linalg`. Vectors of decompositions are unique only up to signs: rows compute what does not depend
// on them. See sample.ts.
import { arange, choleskySolve, eye, linalg, type Tensor } from 'thalweg';
import { each, family, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const identity = (x: Tensor): Tensor => eye(x.shape.at(-2)!, x.shape.at(-1), { dtype: x.dtype });
const well = (x: Tensor): Tensor => x.add(identity(x).mul(6));
const spd = (x: Tensor): Tensor => x.matmul(x.mT()).add(identity(x));
const sym = (x: Tensor): Tensor => x.add(x.mT());
const float32 = { tolerance32: 1e-4 };

const sizes = ['one', 'matrix', 'batch', 'noBatch', 'empty', 'five'];
const squares = (run: (x: Tensor) => Tensor | Tensor[]): Record<string, Run> => each(sizes, ([x]) => run(x));
const signAndLog = (x: Tensor): Tensor[] => {
  const { sign, logabsdet } = linalg.slogdet(x);
  return [sign, logabsdet];
};
rows(
  'linalg.inv',
  squares((x) => linalg.inv(well(x))),
  float32,
);
rows('linalg.det', { ...squares((x) => linalg.det(x)), kinkSingular: ([x]) => linalg.det(x).add(1) }, float32);
rows('linalg.slogdet', { ...squares((x) => signAndLog(well(x))), singular: ([x]) => signAndLog(x) }, float32);
rows(
  'linalg.cholesky',
  squares((x) => linalg.cholesky(spd(x))),
  float32,
);
rows(
  'linalg.cholesky',
  {
    upper: ([x]) => linalg.cholesky(spd(x), { upper: true }),
    triangle: ([x]) => linalg.cholesky(x),
  },
  float32,
);
rows(
  'linalg.eigvalsh',
  { ...squares((x) => linalg.eigvalsh(sym(x))), kinkEqual: ([x]) => linalg.eigvalsh(sym(x)) },
  float32,
);

rows(
  'linalg.solve',
  {
    ...each(['matrix', 'vector', 'vectors', 'broadcast', 'noColumns'], ([a, b]) => linalg.solve(well(a), b)),
    empty: ([a, b]) => linalg.solve(a, b),
    right: ([a, b]) => linalg.solve(well(a), b, { left: false }),
  },
  float32,
);
for (const [name, upper] of Object.entries({ lower: false, upper: true })) {
  rows(
    'linalg.solveTriangular',
    {
      [name]: ([a, b]) => linalg.solveTriangular(well(a), b, { upper }),
      [`${name}Unit`]: ([a, b]) => linalg.solveTriangular(a, b, { upper, unitriangular: true }),
      [`${name}Right`]: ([a, b]) => linalg.solveTriangular(well(a), b, { upper, left: false }),
    },
    float32,
  );
  rows(
    'choleskySolve',
    { [name]: ([b, a]) => choleskySolve(b, linalg.cholesky(spd(a), { upper }), { upper }) },
    float32,
  );
}
rows('linalg.solveTriangular', { vector: ([a, b]) => linalg.solveTriangular(well(a), b, { upper: true }) }, float32);

const shapes = ['square', 'wide', 'tall', 'batch', 'empty'];
const weights = (values: Tensor): Tensor => arange(1, values.shape.at(-1)! + 1, 1, { dtype: values.dtype });
// Both projectors with weights, and a product of both sides.
const svdParts = (x: Tensor): Tensor[] => {
  const { U, S, Vh } = linalg.svd(x, { fullMatrices: false });
  const w = weights(S);
  return [S, U.mul(w).matmul(U.mT()), Vh.mT().mul(w).matmul(Vh), U.mul(w).matmul(Vh)] as Tensor[];
};
const eighParts = (x: Tensor): Tensor[] => {
  const { eigenvalues, eigenvectors: V } = linalg.eigh(sym(x));
  return [eigenvalues, V.mul(weights(eigenvalues)).matmul(V.mT())] as Tensor[];
};
const luParts = (x: Tensor): Tensor[] => {
  const { P, L, U } = linalg.lu(x);
  return [P.to('int64'), L, U];
};
rows(
  'linalg.lu',
  each(shapes, ([x]) => luParts(x)),
  float32,
);
rows(
  'linalg.luFactor',
  each(shapes, ([x]) => Object.values(linalg.luFactor(well(x))) as Tensor[]),
  float32,
);
rows(
  'linalg.qr',
  {
    ...each(shapes, ([x]) => Object.values(linalg.qr(x))),
    ...each(['completeWide', 'completeTall'], ([x]) => Object.values(linalg.qr(x, { mode: 'complete' }))),
    r: ([x]) => linalg.qr(x, { mode: 'r' }).R,
  },
  float32,
);
rows(
  'linalg.pinv',
  {
    ...each(shapes, ([x]) => linalg.pinv(x)),
    deficient: ([x, y]) => linalg.pinv(x.matmul(y)),
    rtol: ([x]) => linalg.pinv(x, { rtol: 0.5 }),
    hermitian: ([x]) => linalg.pinv(sym(x), { hermitian: true }),
  },
  float32,
  // Differences leave the rank that PyTorch's and this gradient take for granted.
  { rtol: { kink: true } },
);
rows(
  'linalg.svdvals',
  each([...shapes, 'kinkEqual'], ([x]) => linalg.svdvals(x)),
  float32,
);
rows(
  'linalg.svd',
  {
    ...each(shapes, ([x]) => svdParts(x)),
    fullTall: ([x]) => {
      const { U, S, Vh } = linalg.svd(x);
      const projector = (columns: Tensor): Tensor => columns.matmul(columns.mT());
      return [S, projector(U.narrow(1, 0, 2)), projector(U.narrow(1, 2, 2)), Vh.mT().matmul(Vh)];
    },
    fullWide: ([x]) => {
      const { U, S, Vh } = linalg.svd(x);
      const projector = (part: Tensor): Tensor => part.mT().matmul(part);
      return [S, projector(Vh.narrow(0, 0, 2)), projector(Vh.narrow(0, 2, 2)), U.mT().matmul(U)];
    },
    gradientOfS: ([x]) => linalg.svd(x).S,
  },
  float32,
);
rows(
  'linalg.eigh',
  {
    ...each(['three', 'batch', 'empty'], ([x]) => eighParts(x)),
    upper: ([x]) => linalg.eigh(x, { UPLO: 'U' }).eigenvalues,
    lower: ([x]) => linalg.eigh(x).eigenvalues,
  },
  float32,
);
rows('linalg.matrixRank', {
  ...each(['batch', 'empty'], ([x]) => linalg.matrixRank(x)),
  atol: ([x]) => linalg.matrixRank(x, { atol: 0.5 }),
  hermitian: ([x]) => linalg.matrixRank(x, { hermitian: true }),
});
const lstsq = (a: Tensor, b: Tensor): Tensor[] => {
  const { solution, residuals, rank } = linalg.lstsq(a, b);
  return a.shape.at(-2)! > a.shape.at(-1)! ? [solution, residuals, rank] : [solution, rank];
};
rows(
  'linalg.lstsq',
  {
    ...each(['tall', 'wide', 'square', 'vector', 'batch'], ([a, b]) => lstsq(a, b)),
    deficient: ([x, y, b]) => lstsq(x.matmul(y), b),
  },
  { tolerance32: 1e-3 },
);

const orders = {
  fro: 'fro',
  nuc: 'nuc',
  one: 1,
  minusOne: -1,
  two: 2,
  minusTwo: -2,
  infinity: Infinity,
  minusInfinity: -Infinity,
} as const;
for (const [name, order] of Object.entries(orders)) {
  rows('linalg.matrixNorm', { [name]: ([x]) => linalg.matrixNorm(x, order) }, float32);
  rows('linalg.cond', { [name]: ([x]) => linalg.cond(well(x), order) }, float32);
}
rows(
  'linalg.matrixNorm',
  {
    keep: ([x]) => linalg.matrixNorm(x, 2, { dim: [0, 2], keepDim: true }),
    dims: ([x]) => linalg.matrixNorm(x, 1, { dim: [2, 0] }),
    kinkZero: ([x]) => linalg.matrixNorm(x),
  },
  float32,
);
rows('linalg.cond', { wide: ([x]) => linalg.cond(x) }, float32);
