// The rows of reductions beyond sums and extremes: norms, medians, quantiles, counts. See sample.ts.
import {
  aminmax,
  bincount,
  countNonzero,
  histc,
  logsumexp,
  median,
  mode,
  nanmean,
  nanmedian,
  nanquantile,
  nansum,
  norm,
  prod,
  quantile,
  stdMean,
  to,
  vectorNorm,
  type Tensor,
} from 'thalweg';
import { each, family, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const keepDim = { keepDim: true };
const both = ({ values, indices }: { values: Tensor; indices: Tensor }): Tensor[] => [values, indices];
const ints = (x: Tensor): Tensor<readonly number[], 'int64'> => x as Tensor<readonly number[], 'int64'>;

rows('logsumexp', {
  all: ([x]) => logsumexp(x),
  dim0: ([x]) => logsumexp(x, 0),
  keep: ([x]) => logsumexp(x, 1, keepDim),
  outer: ([x]) => logsumexp(x, [0, 2]),
  scalar: ([x]) => logsumexp(x),
  large: ([x]) => logsumexp(x, 1),
  emptyKept: ([x]) => logsumexp(x, 1),
  special: ([x]) => logsumexp(x, 1),
});
rows('logsumexp', { emptyDim: ([x]) => logsumexp(x, 0) }, { kink: true });
rows('logsumexp', { int64: ([x]) => to(logsumexp(x, 1), 'float64') }, { tolerance: 1e-6 });

const orders = {
  two: 2,
  one: 1,
  zero: 0,
  inf: Infinity,
  minusInf: -Infinity,
  three: 3,
  half: 0.5,
  oneHalf: 1.5,
  minusTwo: -2,
} as const;
for (const [label, ord] of Object.entries(orders)) {
  // The golden of minusInf has a tie.
  rows(
    'vectorNorm',
    {
      [label]: ([x]) => vectorNorm(x, ord, 1),
      [`${label}All`]: ([x]) => vectorNorm(x, ord),
      [`${label}Special`]: ([x]) => vectorNorm(x, ord, 1),
    },
    {},
    { minusInf: { kink: true } },
  );
}
for (const [label, ord] of Object.entries({ Two: 2, One: 1, Three: 3, OneHalf: 1.5, Inf: Infinity }))
  rows('vectorNorm', { [`kink${label}`]: ([x]) => vectorNorm(x, ord, 1) });
rows('vectorNorm', {
  keep: ([x]) => vectorNorm(x, 2, [0, 2], keepDim),
  scalar: ([x]) => vectorNorm(x),
  empty: ([x]) => vectorNorm(x, 2, 0),
});
rows('norm', {
  default: ([x]) => norm(x),
  dim: ([x]) => norm(x, 3, 1),
  keep: ([x]) => norm(x, 'fro', 0, keepDim),
});

for (const [op, fn] of [
  ['median', median],
  ['nanmedian', nanmedian],
] as const) {
  rows(op, {
    ...each(['all', 'odd', 'scalar', 'empty', 'int32', 'uint8', 'kink'], ([x]) => fn(x)),
    ...each(['dim', 'long', 'emptyKept', 'int64'], ([x]) => both(fn(x, 1))),
    dim0: ([x]) => both(fn(x, 0)),
    keep: ([x]) => both(fn(x, -1, keepDim)),
    special: ([x]) => fn(x, 1).values,
  });
}
rows('median', { nanIndex: ([x]) => median(x, 1).indices });
rows('nanmedian', { allSpecial: ([x]) => nanmedian(x) });
rows(
  'mode',
  {
    dim: ([x]) => both(mode(x, 1)),
    dim0: ([x]) => both(mode(x, 0)),
    keep: ([x]) => both(mode(x, -1, keepDim)),
    scalar: ([x]) => both(mode(x)),
    special: ([x]) => mode(x, 1).values,
  },
  {},
  { dim: { kink: true } },
);

const q = [0, 0.1, 0.5, 0.85, 1];
for (const [op, fn] of [
  ['quantile', quantile],
  ['nanquantile', nanquantile],
] as const) {
  const modes: Record<string, Run> = {};
  for (const interpolation of ['linear', 'lower', 'higher', 'midpoint', 'nearest'] as const)
    modes[interpolation] = ([x]) => fn(x, q, 1, { interpolation });
  rows(op, {
    ...modes,
    all: ([x]) => fn(x, 0.3),
    keep: ([x]) => fn(x, 0.3, 0, keepDim),
    keepAll: ([x]) => fn(x, q, undefined, keepDim),
    tensor: ([x, levels]) => fn(x, levels, 0),
    scalar: ([x]) => fn(x, 0.3),
    one: ([x]) => fn(x, q, 1),
    special: ([x]) => fn(x, 0.4, 1),
  });
}

rows('countNonzero', {
  ...each(['all', 'empty'], ([x]) => countNonzero(x)),
  dim: ([x]) => countNonzero(x, 1),
  dims: ([x]) => countNonzero(x, [0, 2]),
});
rows('nansum', {
  all: ([x]) => nansum(x),
  dim: ([x]) => nansum(x, 1, keepDim),
  ...each(['kinkNan', 'special'], ([x]) => nansum(x, 1)),
  int32: ([x]) => nansum(x, 0),
});
rows('nanmean', {
  all: ([x]) => nanmean(x),
  dim: ([x]) => nanmean(x, 1, keepDim),
  kinkNan: ([x]) => nanmean(x, 0),
  special: ([x]) => nanmean(x, 1),
});
const ends = ({ min, max }: { min: Tensor; max: Tensor }): Tensor[] => [min, max];
rows('aminmax', {
  ...each(['all', 'int64'], ([x]) => ends(aminmax(x))),
  dim: ([x]) => ends(aminmax(x, 1, keepDim)),
  special: ([x]) => ends(aminmax(x, 1)),
});
rows('stdMean', {
  all: ([x]) => stdMean(x),
  dim: ([x]) => stdMean(x, 1, keepDim),
  population: ([x]) => stdMean(x, 0, { correction: 0 }),
});
rows('prod', {
  zerosTwice: ([x]) => prod(x, 1),
  zerosAll: ([x]) => prod(x),
  zerosDim0: ([x]) => prod(x, 0, keepDim),
});

rows('histc', {
  range: ([x]) => histc(x, 5, { min: -1, max: 2 }),
  data: ([x]) => histc(x, 4),
  constant: ([x]) => histc(x, 3),
  empty: ([x]) => histc(x, 3),
  edges: ([x]) => histc(x, 10, { min: 0, max: 1 }),
});
rows('bincount', {
  int64: ([x]) => bincount(ints(x)),
  uint8: ([x]) => bincount(ints(x)),
  minlength: ([x]) => bincount(ints(x), null, { minlength: 6 }),
  weights: ([x, w]) => bincount(ints(x), w),
  empty: ([x]) => bincount(ints(x), null, { minlength: 2 }),
});
