// The rows of ops that rearrange, join and take tensors apart. See sample.ts.
import {
  atleast1d,
  atleast2d,
  atleast3d,
  blockDiag,
  broadcastTensors,
  cartesianProd,
  columnStack,
  combinations,
  diag,
  diagEmbed,
  diagonal,
  diagonalScatter,
  dstack,
  expandAs,
  flip,
  fliplr,
  flipud,
  hstack,
  meshgrid,
  moveaxis,
  ravel,
  repeat,
  repeatInterleave,
  reshapeAs,
  roll,
  rot90,
  selectScatter,
  sliceScatter,
  swapaxes,
  swapdims,
  tensorSplit,
  tile,
  tril,
  trilIndices,
  triu,
  triuIndices,
  unflatten,
  unfold,
  viewAs,
  vstack,
  type IndexTensor,
  type Tensor,
} from 'thalweg';
import { each, family } from './sample.js';

export const { samples, rows } = family();

const counts = (x: Tensor): IndexTensor => x as IndexTensor;

// ---- repeating
rows('repeat', {
  matrix: ([x]) => repeat(x, [2, 3]),
  moreDims: ([x]) => repeat(x, [2, 1, 2]),
  one: ([x]) => repeat(x, [1, 1]),
  none: ([x]) => repeat(x, [0, 2]),
  empty: ([x]) => repeat(x, [2, 2]),
  scalar: ([x]) => repeat(x, [3]),
  manyDims: ([x]) => repeat(x, [2, 1, 2, 2, 1]),
  int64: ([x]) => repeat(x, [2]),
});
rows('tile', { fewer: ([x]) => tile(x, [2]), more: ([x]) => tile(x, [2, 1, 2]) });
rows('repeatInterleave', {
  number: ([x]) => repeatInterleave(x, 2, 1),
  flat: ([x]) => repeatInterleave(x, 3),
  counts: ([x, n]) => repeatInterleave(x, counts(n), 0),
  oneCount: ([x, n]) => repeatInterleave(x, counts(n), 1),
  none: ([x]) => repeatInterleave(x, 0, 0),
  empty: ([x]) => repeatInterleave(x, 2, 0),
  scalar: ([x]) => repeatInterleave(x, 2),
});

// ---- reversing and moving round
rows('flip', {
  ...each(['rows', 'empty', 'int64', 'int32', 'uint8', 'bool'], ([x]) => flip(x, 0)),
  columns: ([x]) => flip(x, -1),
  both: ([x]) => flip(x, [0, 1]),
  middle: ([x]) => flip(x, 1),
  outer: ([x]) => flip(x, [0, 2]),
  ...each(['none', 'scalar'], ([x]) => flip(x, [])),
});
rows('fliplr', { matrix: ([x]) => fliplr(x) });
rows(
  'flipud',
  each(['matrix', 'vector'], ([x]) => flipud(x)),
);
rows('rot90', {
  ...Object.fromEntries([0, 1, 2, 3, -1, 5].map((k) => [`turn${k}`, ([x]: readonly Tensor[]) => rot90(x, k)])),
  dims: ([x]) => rot90(x, 1, [2, 0]),
});
rows('roll', {
  flat: ([x]) => roll(x, 2),
  ...each(['rows', 'empty'], ([x]) => roll(x, 1, 0)),
  columns: ([x]) => roll(x, -1, 1),
  both: ([x]) => roll(x, [2, -1], [0, 1]),
  far: ([x]) => roll(x, -7, 1),
  whole: ([x]) => roll(x, 3, 1),
  same: ([x]) => roll(x, [1, 1], [0, 0]),
  three: ([x]) => roll(x, [1, 1, 3], [0, 1, 2]),
  int64: ([x]) => roll(x, 1),
});

// ---- joining and taking apart
rows(
  'hstack',
  each(['vectors', 'matrices', 'scalars'], (list) => hstack(list)),
);
rows(
  'vstack',
  each(['vectors', 'matrices'], (list) => vstack(list)),
);
rows(
  'dstack',
  each(['vectors', 'matrices'], (list) => dstack(list)),
);
rows(
  'columnStack',
  each(['vectors', 'mixed', 'scalars'], (list) => columnStack(list)),
);
rows('tensorSplit', {
  sections: ([x]) => tensorSplit(x, 3),
  positions: ([x]) => tensorSplit(x, [1, 3], 1),
  odd: ([x]) => tensorSplit(x, [4, 2, -1, 9]),
  many: ([x]) => tensorSplit(x, 4),
});
rows('meshgrid', {
  ...each(['ij', 'scalar'], (list) => meshgrid(list)),
  ...each(['xy', 'one'], (list) => meshgrid(list, { indexing: 'xy' })),
});
rows(
  'cartesianProd',
  each(['two', 'one'], (list) => cartesianProd(...list)),
);
rows('combinations', {
  pairs: ([x]) => combinations(x),
  triples: ([x]) => combinations(x, 3, { withReplacement: true }),
  none: ([x]) => combinations(x, 3),
  zero: ([x]) => combinations(x, 0),
});
rows(
  'blockDiag',
  each(['three', 'empty', 'mixed'], (list) => blockDiag(...list)),
);

// ---- shapes
rows(
  'ravel',
  each(['matrix', 'scalar'], ([x]) => ravel(x)),
);
rows('unflatten', { sizes: ([x]) => unflatten(x, 1, [3, 2]), free: ([x]) => unflatten(x, -1, [-1, 2]) });
rows('swapaxes', { three: ([x]) => swapaxes(x, 0, 2) });
rows('swapdims', { three: ([x]) => swapdims(x, 0, -2) });
rows('moveaxis', { one: ([x]) => moveaxis(x, 0, -1), several: ([x]) => moveaxis(x, [0, 1], [2, 0]) });
rows('expandAs', { matrix: ([x, y]) => expandAs(x, y) });
rows('viewAs', { matrix: ([x, y]) => viewAs(x, y) }, { fixedLayout: true });
rows('reshapeAs', { matrix: ([x, y]) => reshapeAs(x.t(), y) });
rows('broadcastTensors', { three: (list) => broadcastTensors(...list) });
rows(
  'atleast1d',
  each(['scalar', 'vector'], ([x]) => atleast1d(x)),
);
rows(
  'atleast2d',
  each(['scalar', 'vector', 'three'], ([x]) => atleast2d(x)),
);
rows(
  'atleast3d',
  each(['scalar', 'vector', 'matrix'], ([x]) => atleast3d(x)),
);

// ---- diagonals and triangles
rows('diagonal', {
  ...each(['main', 'empty'], ([x]) => diagonal(x)),
  above: ([x]) => diagonal(x, 2),
  below: ([x]) => diagonal(x, -1),
  outside: ([x]) => diagonal(x, 5),
  batch: ([x]) => diagonal(x, 0, -2, -1),
  dims: ([x]) => diagonal(x, 1, 2, 0),
});
rows('diag', { vector: ([x]) => diag(x), vectorOffset: ([x]) => diag(x, -1), matrix: ([x]) => diag(x, 1) });
rows('diagEmbed', {
  matrix: ([x]) => diagEmbed(x),
  offset: ([x]) => diagEmbed(x, 2),
  dims: ([x]) => diagEmbed(x, -1, 0, 2),
  empty: ([x]) => diagEmbed(x, 1),
});
for (const [name, fn] of Object.entries({ tril, triu })) {
  rows(name, {
    ...each(['matrix', 'batch', 'empty', 'int64', 'bool', 'special'], ([x]) => fn(x)),
    tall: ([x]) => fn(x, 1),
    below: ([x]) => fn(x, -1),
    far: ([x]) => fn(x, 9),
    farBelow: ([x]) => fn(x, -9),
  });
}
for (const [name, fn] of Object.entries({ trilIndices, triuIndices })) {
  rows(name, {
    matrix: () => fn(3, 4),
    offset: () => fn(4, 3, -1),
    int32: () => fn(2, 3, 1, { dtype: 'int32' }),
    none: () => fn(0, 3),
  });
}

// ---- windows
rows('unfold', {
  overlapping: ([x]) => unfold(x, 0, 3, 1),
  step: ([x]) => unfold(x, 1, 3, 2),
  apart: ([x]) => unfold(x, 0, 2, 3),
  wide: ([x]) => unfold(x, 1, 5, 1),
  whole: ([x]) => unfold(x, 0, 4, 1),
  nothing: ([x]) => unfold(x, 0, 0, 1),
  twice: ([x]) => unfold(unfold(x, 0, 2, 1), 1, 2, 1),
});
rows('selectScatter', {
  row: ([x, src]) => selectScatter(x, src, 0, -1),
  middle: ([x, src]) => selectScatter(x, src, 1, 1),
});
rows('sliceScatter', {
  rows: ([x, src]) => sliceScatter(x, src, 0, { start: 1, end: 3 }),
  step: ([x, src]) => sliceScatter(x, src, 1, { start: 0, step: 2 }),
});
rows('diagonalScatter', {
  main: ([x, src]) => diagonalScatter(x, src),
  dims: ([x, src]) => diagonalScatter(x, src, 1, 2, 0),
});
