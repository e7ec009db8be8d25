// The rows of scans. See sample.ts.
import {
  cummax,
  cummin,
  cumprod,
  cumsum,
  cumulativeTrapezoid,
  diff,
  logcumsumexp,
  trapezoid,
  type Tensor,
} from 'thalweg';
import { each, family } from './sample.js';

const { samples, rows } = family();
export { samples };

type Scan = (x: Tensor, dim: number) => Tensor;
for (const [op, fn] of Object.entries({ cumsum, cumprod, logcumsumexp } as Record<string, Scan>)) {
  rows(op, {
    last: ([x]) => fn(x, -1),
    ...each(['dim0', 'columns', 'vector', 'scalar'], ([x]) => fn(x, 0)),
    ...each(['middle', 'one', 'empty', 'emptyKept', 'special'], ([x]) => fn(x, 1)),
  });
  if (op === 'logcumsumexp') continue;
  rows(op, {
    ...each(['int64', 'int32'], ([x]) => fn(x, 1)),
    ...each(['uint8', 'bool'], ([x]) => fn(x, 0)),
  });
}
rows(
  'cumsum',
  each(['wrap', 'long', 'manyColumns'], ([x]) => cumsum(x, 0)),
);
rows('cumprod', { oneZero: ([x]) => cumprod(x, 1), twoZeros: ([x]) => cumprod(x, 0) });
rows(
  'logcumsumexp',
  each(['large', 'kinkMasked'], ([x]) => logcumsumexp(x, 1)),
);

for (const [op, fn] of Object.entries({ cummax, cummin })) {
  const run = (x: Tensor, dim: number): Tensor[] => {
    const { values, indices } = fn(x, dim);
    return [values, indices];
  };
  rows(op, {
    last: ([x]) => run(x, -1),
    ...each(['columns', 'scalar', 'kink', 'bool'], ([x]) => run(x, 0)),
    ...each(['middle', 'empty', 'special', 'int64', 'int32'], ([x]) => run(x, 1)),
  });
}

rows('diff', {
  ...each(['last', 'bool', 'int64', 'empty'], ([x]) => diff(x)),
  dim0: ([x]) => diff(x, 1, 0),
  twice: ([x]) => diff(x, 2),
  none: ([x]) => diff(x, 0),
  tooOften: ([x]) => diff(x, 4),
  around: ([x, prepend, append]) => diff(x, 1, -1, { prepend, append }),
});
rows('trapezoid', {
  ...each(['even', 'one'], ([y]) => trapezoid(y)),
  dx: ([y]) => trapezoid(y, null, { dx: 0.5, dim: 0 }),
  points: ([y, x]) => trapezoid(y, x, { dim: 0 }),
  full: ([y, x]) => trapezoid(y, x),
});
rows('cumulativeTrapezoid', {
  even: ([y]) => cumulativeTrapezoid(y),
  dx: ([y]) => cumulativeTrapezoid(y, null, { dx: 0.5, dim: 0 }),
  points: ([y, x]) => cumulativeTrapezoid(y, x),
});
