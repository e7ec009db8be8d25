// The rows of masks, scattering and advanced indexing. See sample.ts.
import {
  argwhere,
  index,
  indexAdd,
  indexAdd_,
  indexCopy,
  indexCopy_,
  indexFill,
  indexFill_,
  indexPut,
  indexPut_,
  indexSelect,
  maskedFill,
  maskedFill_,
  maskedScatter,
  maskedSelect,
  nonzero,
  put,
  put_,
  scatter,
  scatterAdd_,
  scatter_,
  scatterReduce,
  take,
  takeAlongDim,
  where,
  type IndexPart,
  type IndexTensor,
  type ScatterReduction,
  type Shape,
  type Tensor,
} from 'thalweg';
import { each, family, type Run } from './sample.js';

export const { samples, rows } = family();

const at = (x: Tensor): IndexTensor => x as IndexTensor;
const bools = (x: Tensor): Tensor<Shape, 'bool'> => x as Tensor<Shape, 'bool'>;
const part = (x: Tensor): IndexPart => x as IndexTensor;

// ---- masks
rows('nonzero', {
  ...each(['matrix', 'float', 'bool', 'scalar', 'none', 'empty', 'uint8', 'int32'], ([x]) => nonzero(x)),
  ...each(['tuple', 'scalarTuple'], ([x]) => nonzero(x, { asTuple: true }) as Tensor[]),
});
rows('argwhere', { matrix: ([x]) => argwhere(x) });
rows('where', { condition: ([x]) => where(x) as Tensor[] });
rows(
  'maskedSelect',
  each(['matrix', 'broadcast', 'wider', 'none'], ([x, mask]) => maskedSelect(x, bools(mask))),
);
rows('maskedFill', {
  number: ([x, mask]) => maskedFill(x, bools(mask), 2.5),
  infinity: ([x, mask]) => maskedFill(x, bools(mask), -Infinity),
  tensor: ([x, mask, value]) => maskedFill(x, bools(mask), value),
  wider: ([x, mask]) => maskedFill(x, bools(mask), 1),
  int64: ([x, mask]) => maskedFill(x, bools(mask), -1),
  bool: ([x, mask]) => maskedFill(x, bools(mask), true),
  ...each(['special', 'empty'], ([x, mask]) => maskedFill(x, bools(mask), 0)),
});
rows('maskedFill_', {
  number: ([x, mask]) => maskedFill_(x.clone(), bools(mask), 2.5),
  broadcast: ([x, mask, value]) => maskedFill_(x.clone(), bools(mask), value),
});
rows(
  'maskedScatter',
  each(['matrix', 'broadcast'], ([x, mask, source]) => maskedScatter(x, bools(mask), source)),
);

// ---- scatter
rows('scatter', {
  ...each(['dim0', 'scalar', 'uint8', 'last'], ([x, i, src]) => scatter(x, 0, at(i), src)),
  empty: ([x, i, src]) => scatter(x, 1, at(i), src),
  dim1: ([x, i, src]) => scatter(x, 1, at(i), src),
  number: ([x, i]) => scatter(x, 1, at(i), 1.5),
  int32: ([x, i, src]) => scatter(x, -1, at(i), src),
});
rows('scatter_', { dim1: ([x, i, src]) => scatter_(x.clone(), 1, at(i), src) });
rows('scatterAdd_', { dim1: ([x, i, src]) => scatterAdd_(x.clone(), 1, at(i), src) });

const reductions: readonly ScatterReduction[] = ['sum', 'prod', 'mean', 'amax', 'amin'];
rows('scatterReduce', {
  ...Object.assign(
    {},
    ...reductions.map((reduce): Record<string, Run> => {
      const without = { reduce, includeSelf: false };
      return {
        ...each([reduce, `${reduce}Empty`, `${reduce}Int64`], ([x, i, src]) => scatterReduce(x, 0, at(i), src, reduce)),
        ...each([`${reduce}Without`, `${reduce}Int64Without`], ([x, i, src]) =>
          scatterReduce(x, 0, at(i), src, without),
        ),
        [`${reduce}Matrix`]: ([x, i, src]) => scatterReduce(x, 1, at(i), src, reduce),
      };
    }),
  ),
  kinkZeros: ([x, i, src]) => scatterReduce(x, 0, at(i), src, 'prod'),
  kinkTies: ([x, i, src]) => scatterReduce(x, 0, at(i), src, { reduce: 'amax' }),
  special: ([x, i, src]) => scatterReduce(x, 0, at(i), src, 'amin'),
});

// ---- whole slices
rows('indexAdd', {
  ...each(['rows', 'none'], ([x, i, source]) => indexAdd(x, 0, at(i), source)),
  alpha: ([x, i, source]) => indexAdd(x, 1, at(i), source, { alpha: -2.5 }),
  middle: ([x, i, source]) => indexAdd(x, 1, at(i), source),
  int64: ([x, i, source]) => indexAdd(x, 0, at(i), source, { alpha: 2 }),
});
rows('indexAdd_', { rows: ([x, i, source]) => indexAdd_(x.clone(), 0, at(i), source, { alpha: 2 }) });
rows('indexCopy', {
  rows: ([x, i, source]) => indexCopy(x, 0, at(i), source),
  columns: ([x, i, source]) => indexCopy(x, 1, at(i), source),
});
rows('indexCopy_', { rows: ([x, i, source]) => indexCopy_(x.clone(), 0, at(i), source) });
rows('indexFill', {
  rows: ([x, i]) => indexFill(x, 0, at(i), 1.5),
  negative: ([x, i]) => indexFill(x, 1, at(i), 0),
  tensor: ([x, i, value]) => indexFill(x, 1, at(i), value),
  bool: ([x, i]) => indexFill(x, 0, at(i), true),
});
rows('indexFill_', { rows: ([x, i]) => indexFill_(x.clone(), 0, at(i), 1.5) });
rows('indexSelect', {
  outer: ([x, i]) => indexSelect(x, 0, at(i)),
  inner: ([x, i]) => indexSelect(x, -1, at(i)),
});

// ---- flat positions
rows(
  'take',
  each(['matrix', 'scalar', 'none'], ([x, i]) => take(x, at(i))),
);
rows('put', {
  matrix: ([x, i, source]) => put(x, at(i), source),
  accumulate: ([x, i, source]) => put(x, at(i), source, { accumulate: true }),
});
rows('put_', { matrix: ([x, i, source]) => put_(x.clone(), at(i), source) });
rows('takeAlongDim', {
  ...each(['rows', 'broadcast', 'broadcastX'], ([x, i]) => takeAlongDim(x, at(i), 1)),
  flat: ([x, i]) => takeAlongDim(x, at(i)),
});

// ---- index expressions
rows('index', {
  ...each(['two', 'outer', 'maskAndIndex'], ([x, i, j]) => index(x, part(i), part(j))),
  last: ([x, i]) => index(x, '...', part(i)),
  ...each(['matrixOfIndices', 'scalarIndex', 'maskColumns', 'maskInner', 'nothing'], ([x, i]) =>
    index(x, ':', part(i)),
  ),
  sliced: ([x, i, j]) => index(x, '1:', part(i), part(j)),
  apart: ([x, i, j]) => index(x, part(i), ':', part(j)),
  apartSliced: ([x, i, j]) => index(x, ':', part(i), '1:', part(j)),
  numberBetween: ([x, i, j]) => index(x, ':', part(i), 1, part(j)),
  newDim: ([x, i]) => index(x, null, part(i), '...', null),
  newDimBetween: ([x, i, j]) => index(x, part(i), null, part(j)),
  ...each(['mask', 'maskRows', 'maskNone', 'maskScalar', 'maskScalarFalse', 'noIndices', 'int32'], ([x, i]) =>
    index(x, part(i)),
  ),
});
rows('indexPut', {
  number: ([x]) => indexPut(x, [0, '1:3'], 7),
  slice: ([x, values]) => indexPut(x, [':', '::2'], values),
  sliceAccumulate: ([x, values]) => indexPut(x, [':', '1:3'], values, { accumulate: true }),
  ...each(['rows', 'mask'], ([x, i, values]) => indexPut(x, [part(i)], values)),
  accumulate: ([x, i, j, values]) => indexPut(x, [part(i), part(j)], values, { accumulate: true }),
  outer: ([x, i, j, values]) => indexPut(x, [part(i), part(j)], values),
  sliced: ([x, i, values]) => indexPut(x, ['1:', part(i)], values),
  apart: ([x, i, j, values]) => indexPut(x, [part(i), ':', part(j)], values),
  maskNumber: ([x, mask]) => indexPut(x, [part(mask)], 0.5),
  whole: ([x, values]) => indexPut(x, ['...'], values),
});
rows('indexPut_', {
  number: ([x]) => indexPut_(x.clone(), [0, '1:3'], 7),
  accumulate: ([x, i, values]) => indexPut_(x.clone(), [part(i)], values, { accumulate: true }),
  sliceAccumulate: ([x, values]) => indexPut_(x.clone(), ['...'], values, { accumulate: true }),
  apart: ([x, i, j, values]) => indexPut_(x.clone(), [part(i), ':', part(j)], values),
  apartAccumulate: ([x, i, j, values]) => indexPut_(x.clone(), [part(i), ':', part(j)], values, { accumulate: true }),
  slicedPair: ([x, i, j]) => indexPut_(x.clone(), [':', part(i), part(j)], 1.5),
  mask: ([x, mask]) => indexPut_(x.clone(), [part(mask)], 0),
});
