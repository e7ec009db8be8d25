// The rows of what PyTorch has by other names, and of ops that are typed less often. See sample.ts.
import * as ops from 'thalweg';
import { clone, linalg, nn, noGrad, type Tensor } from 'thalweg';
import { each, family } from './sample.js';

const { samples, rows } = family();
export { samples };

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor, b: Tensor) => Tensor;
const { absolute, negative, fix, arccos, arccosh, arcsin, arcsinh, arctan, arctanh } = ops;
for (const [op, fn] of Object.entries({
  absolute,
  negative,
  fix,
  arccos,
  arccosh,
  arcsin,
  arcsinh,
  arctan,
  arctanh,
} as Record<string, Unary>)) {
  rows(op, { matrix: ([x]) => fn(x) });
}
const { subtract, multiply, divide, trueDivide, arctan2, greater, greaterEqual, less, lessEqual, notEqual } = ops;
for (const [op, fn] of Object.entries({
  subtract,
  multiply,
  divide,
  trueDivide,
  arctan2,
  greater,
  greaterEqual,
  less,
  lessEqual,
  notEqual,
} as Record<string, Binary>)) {
  rows(op, { broadcast: ([a, b]) => fn(a, b) });
}
rows('clip', { both: ([x]) => ops.clip(x, { min: -1, max: 2 }) });
const inPlace =
  (fn: Unary): ((inputs: readonly Tensor[]) => Tensor) =>
  ([x]) =>
    noGrad(() => fn(clone(x)));
rows('clip_', { both: inPlace((x) => ops.clip_(x, { min: -1, max: 2 })) });
rows('concat', { columns: ([a, b]) => ops.concat([a, b], 1) });
rows('concatenate', { rows: ([a, b]) => ops.concatenate([a, b]) });
const { relu_, sigmoid_, tanh_, sin_, cos_, expm1_, log1p_, floor_, ceil_, round_, trunc_ } = ops;
for (const [op, fn] of Object.entries({
  relu_,
  sigmoid_,
  tanh_,
  sin_,
  cos_,
  expm1_,
  log1p_,
  floor_,
  ceil_,
  round_,
  trunc_,
} as Record<string, Unary>)) {
  rows(op, each(['matrix', 'empty'], inPlace(fn)));
}
rows(
  'isposinf',
  each(['special', 'int64', 'empty'], ([x]) => ops.isposinf(x)),
);
rows(
  'isneginf',
  each(['special', 'int64', 'empty'], ([x]) => ops.isneginf(x)),
);
rows(
  'heaviside',
  each(['broadcast', 'special', 'int64'], ([x, values]) => ops.heaviside(x, values)),
);
rows(
  'ldexp',
  each(['broadcast', 'floats'], ([x, other]) => ops.ldexp(x, other)),
);
rows(
  'floatPower',
  {
    tensors: ([x, exponent]) => ops.floatPower(x, exponent),
    int64: ([x]) => ops.floatPower(x, 2),
    base: ([x]) => ops.floatPower(2, x),
  },
  { only64: true },
);
for (const [name, p] of Object.entries({ two: 2, one: 1, three: 3, zero: 0, inf: Infinity })) {
  rows('dist', { [name]: ([a, b]) => ops.dist(a, b, p) });
}
rows('renorm', {
  two: ([x]) => ops.renorm(x, 2, 0, 3),
  one: ([x]) => ops.renorm(x, 1, 1, 2),
  last: ([x]) => ops.renorm(x, 2, -1, 1e9),
  half: ([x]) => ops.renorm(x, 0.5, 0, 4),
  three: ([x]) => ops.renorm(x, 2, 1, 2.5),
});
rows('diagflat', {
  ...each(['vector', 'matrix', 'empty'], ([x]) => ops.diagflat(x)),
  offset: ([x]) => ops.diagflat(x, -2),
});
rows('isin', {
  ...each(['matrix', 'found', 'int64', 'nothing'], ([x, test]) => ops.isin(x, test)),
  invert: ([x, test]) => ops.isin(x, test, { invert: true }),
});
rows('cov', {
  ...each(['matrix', 'vector'], ([x]) => ops.cov(x)),
  correction: ([x]) => ops.cov(x, { correction: 0 }),
  frequencies: ([x, fweights]) => ops.cov(x, { fweights }),
  weights: ([x, fweights, aweights]) => ops.cov(x, { fweights, aweights }),
  importances: ([x, aweights]) => ops.cov(x, { aweights }),
});
rows(
  'corrcoef',
  each(['matrix', 'vector'], ([x]) => ops.corrcoef(x)),
);
const float64 = { dtype: 'float64' } as const;
const made = { fixedLayout: true, only64: true };
rows(
  'logspace',
  {
    ten: () => ops.logspace(-1, 2, 5, float64),
    two: () => ops.logspace(0, 8, 5, { ...float64, base: 2 }),
    one: () => ops.logspace(1, 2, 1, float64),
  },
  made,
);
const { hannWindow, hammingWindow, blackmanWindow, bartlettWindow } = ops;
for (const [op, fn] of Object.entries({ hannWindow, hammingWindow, blackmanWindow, bartlettWindow })) {
  rows(
    op,
    {
      periodic: () => fn(6, float64),
      symmetric: () => fn(7, { ...float64, periodic: false }),
      one: () => fn(1, float64),
      none: () => fn(0, float64),
    },
    made,
  );
}
rows('sum', {
  dtype: ([x]) => ops.sum(x, 1, float64),
  dtypeInt: ([x]) => ops.sum(x, undefined, { dtype: 'int32' }),
});
rows('mean', { dtype: ([x]) => ops.mean(x, 0, { keepDim: true, dtype: 'float64' }) });
rows('prod', { dtype: ([x]) => ops.prod(x, 0, float64) });
rows('cumsum', { dtype: ([x]) => ops.cumsum(x, 0, float64) });
rows('cumprod', { dtype: ([x]) => ops.cumprod(x, 0, { dtype: 'int32' }) });
const { cosineSimilarity } = nn.functional;
rows(
  'hardtanh',
  each(['int64', 'int32'], ([x]) => ops.hardtanh(x, -2, 3)),
);
rows(
  'threshold',
  each(['int64', 'int32'], ([x]) => ops.threshold(x, 1, -7)),
);
// The gradient is PyTorch's, and not that of the clamped norm.
rows(
  'cosineSimilarity',
  { clamped: ([a, b]) => cosineSimilarity(a, b, { dim: -1, eps: 3 }) },
  { kink: true, once: true },
);
const float32 = { tolerance32: 1e-4 };
rows(
  'linalg.matrixExp',
  each(['matrix', 'batch', 'one', 'empty'], ([x]) => linalg.matrixExp(x)),
  float32,
);
rows('linalg.matrixExp', { large: ([x]) => linalg.matrixExp(x) }, { tolerance32: 1e-3, tolerance: 1e-11, once: true });
rows(
  'linalg.multiDot',
  each(['three', 'two', 'vectors'], (tensors) => linalg.multiDot(tensors)),
  float32,
);
rows('linalg.vecdot', {
  broadcast: ([a, b]) => linalg.vecdot(a, b),
  dim: ([a, b]) => linalg.vecdot(a, b, { dim: 0 }),
});
const unit = (n: number, dtype: Tensor['dtype']): Tensor => ops.eye(n, n, { dtype });
rows(
  'logdet',
  {
    matrix: ([x]) => ops.logdet(x.matmul(x.mT()).add(unit(3, x.dtype))),
    batch: ([x]) => ops.logdet(x),
  },
  float32,
);
rows(
  'linalg.tensorinv',
  { two: ([x]) => linalg.tensorinv(x.add(unit(6, x.dtype).mul(3)).reshape([2, 3, 6])) },
  { tolerance32: 1e-3 },
);
rows(
  'linalg.tensorsolve',
  { two: ([a, b]) => linalg.tensorsolve(a.add(unit(6, a.dtype).mul(6)).reshape([2, 3, 6]), b) },
  { tolerance32: 1e-3 },
);
rows(
  'linalg.norm',
  {
    ...each(['all', 'kinkZero'], ([x]) => linalg.norm(x)),
    matrix: ([x]) => linalg.norm(x, 'nuc'),
    vector: ([x]) => linalg.norm(x, 3),
    dim: ([x]) => linalg.norm(x, 1, 1, { keepDim: true }),
    dims: ([x]) => linalg.norm(x, Infinity, [0, 2]),
  },
  float32,
);
rows('linalg.cond', { singular: ([x]) => linalg.cond(x, 1) }, float32);
