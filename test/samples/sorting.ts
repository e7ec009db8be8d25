// The rows of sorting and searching. See sample.ts.
import {
  argsort,
  bucketize,
  kthvalue,
  msort,
  searchsorted,
  sort,
  topk,
  unique,
  uniqueConsecutive,
  type Tensor,
} from 'thalweg';
import { each, family, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const both = ({ values, indices }: { values: Tensor; indices: Tensor }): Tensor[] => [values, indices];

for (const [label, descending] of [
  ['', false],
  ['Down', true],
] as const) {
  const sorted = (x: Tensor, dim: number): Tensor[] => both(sort(x, dim, { descending }));
  const along = (names: readonly string[], dim: number): Record<string, Run> =>
    each(
      names.map((name) => `${name}${label}`),
      ([x]) => sorted(x, dim),
    );
  rows('sort', {
    ...along(['last', 'long'], -1),
    ...along(['dim0', 'scalar', 'int64', 'int64Long', 'int32', 'uint8', 'bool'], 0),
    ...along(['middle', 'empty', 'kinkTies'], 1),
    [descending ? 'downSpecial' : 'upSpecial']: ([x]) => sorted(x, 1),
  });
}
rows('argsort', {
  ...each(['last', 'special'], ([x]) => argsort(x)),
  down: ([x]) => argsort(x, 0, { descending: true }),
});
rows('msort', { matrix: ([x]) => msort(x) });
const smallest = { largest: false };
rows('topk', {
  largest: ([x]) => both(topk(x, 3)),
  smallest: ([x]) => both(topk(x, 3, -1, smallest)),
  dim0: ([x]) => both(topk(x, 2, 0)),
  all: ([x]) => both(topk(x, 4)),
  none: ([x]) => both(topk(x, 0)),
  long: ([x]) => both(topk(x, 5)),
  many: ([x]) => both(topk(x, 70)),
  scalar: ([x]) => both(topk(x, 1)),
  special: ([x]) => topk(x, 4).values,
  smallestSpecial: ([x]) => topk(x, 4, -1, smallest).values,
  int64: ([x]) => both(topk(x, 2)),
});
rows('kthvalue', {
  third: ([x]) => both(kthvalue(x, 3)),
  dim0: ([x]) => both(kthvalue(x, 1, 0)),
  keep: ([x]) => both(kthvalue(x, 4, 1, { keepDim: true })),
  long: ([x]) => both(kthvalue(x, 33)),
  scalar: ([x]) => both(kthvalue(x, 1)),
  special: ([x]) => kthvalue(x, 6, 1).values,
  int32: ([x]) => both(kthvalue(x, 2)),
});

const everything = { returnInverse: true, returnCounts: true } as const;
interface All {
  values: Tensor;
  inverse: Tensor;
  counts: Tensor;
}
const list = ({ values, inverse, counts }: All): Tensor[] => [values, inverse, counts];
rows('unique', {
  ...each(['values', 'nan', 'uint8'], ([x]) => unique(x)),
  inverse: ([x]) => {
    const { values, inverse } = unique(x, { returnInverse: true });
    return [values, inverse];
  },
  counts: ([x]) => {
    const { values, counts } = unique(x, { returnCounts: true });
    return [values, counts];
  },
  ...each(['all', 'floats', 'empty', 'scalar'], ([x]) => list(unique(x, everything))),
  rows: ([x]) => list(unique(x, { ...everything, dim: 0 })),
  columns: ([x]) => list(unique(x, { ...everything, dim: 1 })),
});
rows('uniqueConsecutive', {
  values: ([x]) => uniqueConsecutive(x),
  all: ([x]) => list(uniqueConsecutive(x, everything)),
  rows: ([x]) => list(uniqueConsecutive(x, { ...everything, dim: 0 })),
  columns: ([x]) => list(uniqueConsecutive(x, { ...everything, dim: 1 })),
});

rows('searchsorted', {
  ...each(['left', 'rows', 'empty'], ([sorted, values]) => searchsorted(sorted, values)),
  right: ([sorted, values]) => searchsorted(sorted, values, { right: true }),
  sorter: ([sorted, values, sorter]) =>
    searchsorted(sorted, values, { sorter: sorter as Tensor<readonly number[], 'int64'> }),
  int32: ([sorted, values]) => searchsorted(sorted, values, { outInt32: true }),
  number: ([sorted]) => searchsorted(sorted, 0.75),
});
rows('bucketize', {
  left: ([x, boundaries]) => bucketize(x, boundaries),
  right: ([x, boundaries]) => bucketize(x, boundaries, { right: true }),
});
