// Order: sorting, the largest few, positions in sorted sequences, and what is unique. Kernels: native/cpu/sort.cpp.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, normalizeDim, reduceShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck, ReduceShape, WithDim } from '../types/shape.js';
import { contiguous, detach } from './copy.js';
import { full, tensor } from './creation.js';
import { checkTensor, defineMultiOp, defineOp, type OutputSpec } from './define.js';
import { indexSelect, scatterAlong } from './indexing.js';
import { unreduce, type ReduceOptions, type ValuesAndIndices } from './reduce.js';
import { diff } from './scan.js';
import { movedim, reshape } from './view.js';

interface SortAttributes {
  readonly dim: number;
  readonly descending: boolean;
}

const sortOp = defineMultiOp({
  name: 'sort',
  inputs: ['x'],
  saves: ['out1'],
  outputs: ({ x }, _: SortAttributes): OutputSpec[] => [
    { shape: x.shape, dtype: x.dtype },
    { shape: x.shape, dtype: 'int64' },
  ],
  forward: ([values, indices], { x }, { dim, descending }) =>
    native.sort(values._handle, indices._handle, x._handle, dim, descending),
  vjp: ([g], { out1 }, { dim }, { inputs: [x] }) => [() => scatterAlong(x!.shape, dim, out1, g)],
});

const argsortOp = defineOp({
  name: 'argsort',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  dtype: () => 'int64',
  forward: ([out], { x }, { dim, descending }: SortAttributes) =>
    native.sort(0, out._handle, x._handle, dim, descending),
});

/** Options of `sort` and `argsort`. */
export interface SortOptions {
  /** From the largest to the smallest. Default false. */
  descending?: boolean;
  /** Equal elements stay in order. They do so in any case. */
  stable?: boolean;
}

function sortAttributes(op: string, x: Tensor, dim: number, options: SortOptions): SortAttributes {
  checkTensor(op, 'x', x);
  return { dim: normalizeDim(op, dim, x.shape.length), descending: options.descending === true };
}

/**
 * The elements in order along a dimension (the last by default), and where each was. Stable; NaN counts as the largest
 * value, so it comes last, and first when descending.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 * @example
 * const { values, indices } = tensor([3, 1, 2]).sort(); // [1, 2, 3], [1, 2, 0]
 */
export function sort<S extends Shape, D extends DType, const Dim extends number = -1>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: SortOptions = {},
): ValuesAndIndices<S, D> {
  const [values, indices] = sortOp([x], sortAttributes('sort', x, dim ?? -1, options));
  return { values: values as Tensor<S, D>, indices: indices as Tensor<S, 'int64'> };
}

/**
 * The positions that sort a tensor along a dimension, the last by default: the indices of `sort`.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function argsort<S extends Shape, const Dim extends number = -1>(
  x: Tensor<S> & DimCheck<S, Dim>,
  dim?: Dim,
  options: SortOptions = {},
): Tensor<S, 'int64'> {
  return argsortOp([x], sortAttributes('argsort', x, dim ?? -1, options)) as Tensor<S, 'int64'>;
}

/**
 * The elements in order along the first dimension: the values of `sort(x, 0)`.
 *
 * @method
 */
export function msort<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  const [values, indices] = sortOp([x], sortAttributes('msort', x, 0, {}));
  indices.dispose();
  return values as Tensor<S, D>;
}

interface TopAttributes {
  readonly dim: number;
  readonly k: number;
  readonly largest: boolean;
}

const topkOp = defineMultiOp({
  name: 'topk',
  inputs: ['x'],
  saves: ['out1'],
  outputs: ({ x }, { dim, k }: TopAttributes): OutputSpec[] => {
    const shape = x.shape.map((n, d) => (d === dim ? k : n));
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'int64' },
    ];
  },
  forward: ([values, indices], { x }, { dim, largest }) =>
    native.topk(values._handle, indices._handle, x._handle, dim, largest),
  vjp: ([g], { out1 }, { dim }, { inputs: [x] }) => [() => scatterAlong(x!.shape, dim, out1, g)],
});

/** Options of `topk`. */
export interface TopkOptions {
  /** The largest (default) or the smallest. */
  largest?: boolean;
  /** In order, as they come in any case. */
  sorted?: boolean;
}

/**
 * The k largest (or smallest) elements along a dimension, the last by default, in order, and where they are. Of equal
 * elements the first are taken. NaN counts as the largest value.
 *
 * @method
 * @throws ArgumentError unless k is an integer from 0; IndexError if it is above the size of the dimension
 * @example
 * const { values, indices } = scores.topk(5);
 */
export function topk<S extends Shape, D extends DType, const K extends number, const Dim extends number = -1>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  k: K,
  dim?: Dim,
  options: TopkOptions = {},
): ValuesAndIndices<WithDim<S, Dim, K>, D> {
  checkTensor('topk', 'x', x);
  const d = normalizeDim('topk', dim ?? -1, x.shape.length);
  const n = sizeAlong(x, d);
  if (!Number.isInteger(k) || k < 0) throw new ArgumentError(`topk: k must be an integer >= 0, got ${String(k)}.`);
  if (k > n) throw new IndexError(`topk: k = ${k} of ${n} elements along dimension ${d} of ${formatShape(x.shape)}.`);
  if (x.shape.length === 0 && k === 0) throw new ArgumentError('topk: k must be 1 for a scalar, got 0.');
  const [values, indices] = topkOp([x], { dim: d, k, largest: options.largest !== false });
  return { values, indices } as unknown as ValuesAndIndices<WithDim<S, Dim, K>, D>;
}

const sizeAlong = (x: Tensor, dim: number): number => (x.shape.length === 0 ? 1 : x.shape[dim]);

interface PickAttributes {
  readonly dims: readonly number[];
  readonly keepDim: boolean;
  readonly k: number;
}

/** The kinds of the pick kernel. */
const pickKinds = { kthvalue: 0, median: 1, nanmedian: 2, mode: 3 } as const;

/** An op that picks one element of each line. */
function pickOp(name: keyof typeof pickKinds) {
  return defineMultiOp({
    name,
    inputs: ['x'],
    saves: ['out1'],
    outputs: ({ x }, { dims, keepDim }: PickAttributes): OutputSpec[] => {
      const shape = reduceShape(x.shape, dims, keepDim);
      return [
        { shape, dtype: x.dtype },
        { shape, dtype: 'int64' },
      ];
    },
    forward: ([values, indices], { x }, { dims, k }) => {
      // The kernel wants the dimension kept.
      const kept = reduceShape(x.shape, dims, true);
      const windows =
        values.shape.length === kept.length ? [values, indices] : [values, indices].map((t) => reshape(t, kept));
      native.pick(windows[0]._handle, windows[1]._handle, x._handle, dims[0], pickKinds[name], k);
      for (const t of windows) if (t !== values && t !== indices) t.dispose();
    },
    vjp: ([g], { out1 }, a, { inputs: [x] }) => [
      () => scatterAlong(x!.shape, a.dims[0], unreduce(out1, x!.shape, a), unreduce(g, x!.shape, a)),
    ],
  });
}

const pickOps = {
  kthvalue: pickOp('kthvalue'),
  median: pickOp('median'),
  nanmedian: pickOp('nanmedian'),
  mode: pickOp('mode'),
} as const;

/** One element of each line along a dimension, and where it is. @internal */
export function pickAlong(
  name: keyof typeof pickKinds,
  x: Tensor,
  dim: number,
  keepDim: boolean | undefined,
  k = 0,
): ValuesAndIndices<Shape, DType> {
  checkTensor(name, 'x', x);
  const d = normalizeDim(name, dim, x.shape.length);
  if (sizeAlong(x, d) === 0) {
    throw new ShapeError(`${name}: x of shape ${formatShape(x.shape)} has no elements along dimension ${d}.`);
  }
  const [values, indices] = pickOps[name]([x], { dims: [d], keepDim: keepDim === true, k });
  return { values, indices: indices as Tensor<Shape, 'int64'> };
}

/**
 * The k-th smallest element along a dimension (the last by default), k from 1, and where it is. NaN counts as the largest
 * value. The gradient goes to the element that was picked.
 *
 * @method
 * @throws ArgumentError unless k is an integer; IndexError unless it is from 1 to the size of the dimension
 */
export function kthvalue<
  S extends Shape,
  D extends DType,
  const Dim extends number = -1,
  const K extends boolean = false,
>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  k: number,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): ValuesAndIndices<ReduceShape<S, Dim, K>, D> {
  checkTensor('kthvalue', 'x', x);
  const d = normalizeDim('kthvalue', dim ?? -1, x.shape.length);
  const n = sizeAlong(x, d);
  if (!Number.isInteger(k)) throw new ArgumentError(`kthvalue: k must be an integer, got ${String(k)}.`);
  if (n > 0 && (k < 1 || k > n))
    throw new IndexError(`kthvalue: k = ${k} is not from 1 to ${n}, the size of dimension ${d}.`);
  return pickAlong('kthvalue', x, d, options.keepDim, k - 1) as ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
}

const searchOp = defineOp({
  name: 'searchsorted',
  inputs: ['sorted', 'values', 'sorter'],
  optional: ['sorter'],
  shape: ({ values }) => values.shape,
  dtype: (_, { dtype }: { dtype: 'int32' | 'int64'; right: boolean }) => dtype,
  forward: ([out], { sorted, values, sorter }, { right }) =>
    native.searchsorted(out._handle, sorted._handle, values._handle, sorter?._handle ?? 0, right),
});

/** Options of `bucketize` and `searchsorted`. */
export interface SearchOptions {
  /** The position behind equal elements, not before them. Default false. */
  right?: boolean;
  /** The result is int32, not int64. Default false. */
  outInt32?: boolean;
}

/** Options of `searchsorted`. */
export interface SearchSortedOptions extends SearchOptions {
  /** The positions that sort `sorted`, when it is not: the result of `argsort`. */
  sorter?: Tensor<Shape, 'int64'>;
}

/**
 * Where values would have to stand in sorted sequences to keep them sorted: by default `i` with
 * `sorted[i - 1] < value <= sorted[i]`, with `right` `sorted[i - 1] <= value < sorted[i]`. NaN stands behind all else, as
 * `sort` puts it.
 *
 * Shapes: sorted `[n]` and values any, or sorted `[..., n]` and values `[..., m]` -> that of values.
 *
 * @throws ShapeError for leading dimensions that differ; DTypeError for dtypes that do
 * @example
 * searchsorted(tensor([1, 3, 5]), tensor([3, 4])); // [1, 2]
 */
export function searchsorted<V extends Shape>(
  sorted: Tensor,
  values: Tensor<V> | number,
  options: SearchSortedOptions = {},
): Tensor<V, 'int64' | 'int32'> {
  return search('searchsorted', sorted, values, options) as Tensor<V, 'int64' | 'int32'>;
}

function search(op: string, sorted: Tensor, given: Tensor | number, options: SearchSortedOptions): Tensor {
  const name = op === 'bucketize' ? 'boundaries' : 'sorted';
  checkTensor(op, name, sorted);
  const { right = false, outInt32 = false, sorter = null } = options;
  return tidy(() => {
    const values = typeof given === 'number' ? numberLike(op, given, sorted) : given;
    checkTensor(op, op === 'bucketize' ? 'x' : 'values', values);
    const rank = sorted.shape.length;
    const alike = rank === values.shape.length && sorted.shape.every((n, d) => d === rank - 1 || n === values.shape[d]);
    if (rank !== 1 && (rank === 0 || !alike || op === 'bucketize')) {
      throw new ShapeError(
        op === 'bucketize'
          ? `bucketize: boundaries must have 1 dimension, got shape ${formatShape(sorted.shape)}.`
          : `searchsorted(sorted ${formatShape(sorted.shape)}, values ${formatShape(values.shape)}): sorted must have 1 dimension, or the dimensions of values but for the last.`,
      );
    }
    if (sorted.dtype !== values.dtype) {
      throw new DTypeError(`${op}: ${name} is ${sorted.dtype} and values ${values.dtype}; convert one.`);
    }
    if (sorter !== null) {
      checkTensor(op, 'sorter', sorter);
      if (sorter.dtype !== 'int64') throw new DTypeError(`${op}: sorter must be int64, got ${String(sorter.dtype)}.`);
      if (formatShape(sorter.shape) !== formatShape(sorted.shape)) {
        throw new ShapeError(
          `${op}: sorter ${formatShape(sorter.shape)} and sorted ${formatShape(sorted.shape)} must have the same shape.`,
        );
      }
    }
    const flat = (t: Tensor): Tensor => contiguous(detach(t));
    const dtype = outInt32 ? 'int32' : 'int64';
    return searchOp([flat(sorted), flat(values), sorter === null ? null : flat(sorter)], { dtype, right });
  });
}

// A number among integers must be one; else it would be rounded.
function numberLike(op: string, value: number, sorted: Tensor): Tensor {
  if (!Number.isFinite(value) && !sorted.dtype.includes('float')) {
    throw new ArgumentError(`${op}: ${value} is no value of ${sorted.dtype}.`);
  }
  return full([], value, { dtype: sorted.dtype, device: sorted.device });
}

/**
 * In which interval of sorted boundaries each element lies: i where `boundaries[i - 1] < x <= boundaries[i]`, or with `right`
 * `boundaries[i - 1] <= x < boundaries[i]`.
 *
 * @method
 * @throws ShapeError unless boundaries has 1 dimension; DTypeError unless it has x's dtype
 */
export function bucketize<S extends Shape>(
  x: Tensor<S>,
  boundaries: Tensor,
  options: SearchOptions = {},
): Tensor<S, 'int64' | 'int32'> {
  return search('bucketize', boundaries, x, options) as Tensor<S, 'int64' | 'int32'>;
}

const runsOp = defineOp({
  name: 'uniqueConsecutive',
  inputs: ['x'],
  shape: ({ x }) => [x.shape[0]],
  dtype: () => 'int64',
  forward: ([out], { x }) => native.runs(out._handle, x._handle),
});

const startsOp = defineOp({
  name: 'uniqueConsecutive',
  inputs: ['group'],
  shape: (_, { count }: { count: number }) => [count],
  forward: ([out], { group }) => native.runStarts(out._handle, group._handle),
});

const sortRowsOp = defineOp({
  name: 'unique',
  inputs: ['x'],
  shape: ({ x }) => [x.shape[0]],
  dtype: () => 'int64',
  forward: ([out], { x }) => native.sortRows(out._handle, x._handle),
});

/** Options of `uniqueConsecutive`. */
export interface UniqueConsecutiveOptions<I extends boolean = boolean, C extends boolean = boolean> {
  /** Also tells for each element which of the unique ones it is. Default false. */
  returnInverse?: I;
  /** Also tells how often each unique element occurs. Default false. */
  returnCounts?: C;
  /** Compare slices along this dimension. Default: the elements of the flattened tensor. */
  dim?: number;
}

/** Options of `unique`. */
export interface UniqueOptions<
  I extends boolean = boolean,
  C extends boolean = boolean,
> extends UniqueConsecutiveOptions<I, C> {
  /** In ascending order, as they come in any case. */
  sorted?: boolean;
}

/** The distinct elements. */
export interface UniqueValues<D extends DType> {
  /** Ascending, or in their order. */
  values: Tensor<Shape, D>;
}

/** With `returnInverse`. */
export interface UniqueInverse {
  /** Where each element is among the values. */
  inverse: Tensor<Shape, 'int64'>;
}

/** With `returnCounts`. */
export interface UniqueCounts {
  /** How often each value occurs. */
  counts: Tensor<readonly [number], 'int64'>;
}

/** What `unique` gives: the unique elements alone, or an object with all that was asked for. */
export type Unique<D extends DType, I extends boolean, C extends boolean> = true extends I | C
  ? UniqueValues<D> & (I extends true ? UniqueInverse : unknown) & (C extends true ? UniqueCounts : unknown)
  : Tensor<Shape, D>;

function uniqueRows(op: string, x: Tensor, options: UniqueConsecutiveOptions, sorting: boolean): unknown {
  checkTensor(op, 'x', x);
  const { dim, returnInverse = false, returnCounts = false } = options;
  const d = dim === undefined ? null : normalizeDim(op, dim, x.shape.length);
  const result = tidy(() => {
    const plain: Tensor = detach(x);
    // Rows of a matrix: single elements, or slices.
    const front =
      d === null || x.shape.length === 0 ? reshape(plain, [x.numel]) : d === 0 ? plain : movedim(plain, d, 0);
    const n = front.shape[0];
    const rest = front.shape.slice(1);
    const width = rest.reduce((product, size) => product * size, 1);
    let rows: Tensor = reshape(front, [n, width]);
    let order: Tensor | null = null;
    if (sorting && width === 1) {
      const [values, indices] = sortOp([rows], { dim: 0, descending: false });
      rows = values;
      order = reshape(indices, [n]);
    } else if (sorting) {
      order = sortRowsOp([rows], undefined);
      rows = indexSelect(rows, 0, order as Tensor<Shape, 'int64'>);
    }
    const group = runsOp([rows], undefined) as Tensor<readonly [number], 'int64'>;
    const count = n === 0 ? 0 : Number(group.slice(0, n - 1, n).itemSync()) + 1;
    const starts = startsOp([group], { count }) as Tensor<readonly [number], 'int64'>;
    const picked = reshape(indexSelect(rows, 0, starts), [count, ...rest]);
    const values = d === null || d === 0 || x.shape.length === 0 ? picked : movedim(picked, 0, d);
    const inverse = order === null ? group : scatterAlong([n], 0, order, group);
    return {
      values,
      ...(returnInverse ? { inverse: d === null ? reshape(inverse, x.shape) : inverse } : {}),
      ...(returnCounts ? { counts: diff(starts, 1, 0, { append: tensor([BigInt(n)], { device: x.device }) }) } : {}),
    };
  });
  return returnInverse || returnCounts ? result : result.values;
}

/**
 * The different elements of a tensor in ascending order, or the different slices along `dim` in lexicographic order. Each
 * NaN counts as different from all else. Not differentiable. How many there are depends on the values, so this waits for
 * queued work.
 *
 * @method
 * @returns the unique values, or with `returnInverse` or `returnCounts` an object `{ values, inverse, counts }` of them and
 *   what was asked for
 * @throws IndexError for a dimension that is not there
 * @example
 * unique(tensor([3, 1, 3])); // [1, 3]
 * const { values, counts } = unique(labels, { returnCounts: true });
 */
export function unique<D extends DType, const I extends boolean = false, const C extends boolean = false>(
  x: Tensor<Shape, D>,
  options: UniqueOptions<I, C> = {},
): Unique<D, I, C> {
  return uniqueRows('unique', x, options, true) as Unique<D, I, C>;
}

/**
 * The elements of the flattened tensor, or the slices along `dim`, without those that equal the one before. See `unique`,
 * also for what it gives; waits for queued work.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function uniqueConsecutive<D extends DType, const I extends boolean = false, const C extends boolean = false>(
  x: Tensor<Shape, D>,
  options: UniqueConsecutiveOptions<I, C> = {},
): Unique<D, I, C> {
  return uniqueRows('uniqueConsecutive', x, options, false) as Unique<D, I, C>;
}
