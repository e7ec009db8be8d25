// Medians, quantiles, the mode, histograms and counts.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDim, reduceShape, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { DimCheck, ReduceShape } from '../types/shape.js';
import { aminmax } from './aggregate.js';
import { mul, sub } from './arithmetic.js';
import { isnan, logicalNot } from './compare.js';
import { cast, detach } from './copy.js';
import { full, ones, tensor } from './creation.js';
import { checkTensor, defineOp, filledTensor } from './define.js';
import { defineElementwise } from './elementwise.js';
import { gather, scatterAlong } from './indexing.js';
import { ceil, clamp, floor, round } from './math.js';
import { requireFloat, sum, type ReduceOptions, type ValuesAndIndices } from './reduce.js';
import { pickAlong, sort } from './sort.js';
import { expand, movedim, reshape, select, sliceView } from './view.js';

// 1 for the elements that are the median, NaN if that is.
const matchOp = defineElementwise('medianBackward', (x, out) => e.select(e.isnan(out), e.isnan(x), e.eq(x, out)), {
  inputs: ['x', 'out'],
});
const shareOp = defineElementwise('medianBackwardShare', (g, match, count) => e.div(e.mul(g, match), count), {
  inputs: ['g', 'match', 'count'],
});

function medianOp(name: 'median' | 'nanmedian') {
  return defineOp({
    name,
    inputs: ['x'],
    saves: ['x', 'out'],
    shape: () => [],
    forward: ([out], { x }) =>
      tidy(() => {
        const { values } = pickAlong(name, reshape(detach(x), [x.numel]), 0, false);
        native.copy(out._handle, values._handle);
      }),
    vjp: ([g], { x, out }) => [
      () =>
        tidy(() => {
          const match = cast(matchOp.apply([x, out]), g.dtype);
          return shareOp.apply([g, match, sum(match)]);
        }),
    ],
  });
}
const medianOps = { median: medianOp('median'), nanmedian: medianOp('nanmedian') } as const;

function medianOf(
  op: 'median' | 'nanmedian',
  x: Tensor,
  dim: number | undefined,
  options: ReduceOptions,
): Tensor | ValuesAndIndices<Shape, DType> {
  checkTensor(op, 'x', x);
  if (dim !== undefined) return pickAlong(op, x, dim, options.keepDim);
  if (x.numel > 0) return medianOps[op]([x], undefined);
  if (!isFloating(x.dtype)) throw new ShapeError(`${op}: x of shape ${formatShape(x.shape)} has no elements.`);
  return filledTensor(op, [], x.dtype, x.device, NaN);
}

/**
 * The median: the element in the middle of the sorted ones, the lower of two; NaN if there is one. Without `dim` of all
 * elements, and equal ones share the gradient; with it along that dimension, with the place, which alone gets the gradient.
 *
 * @method
 * @throws ShapeError if there is nothing along `dim`
 * @example
 * tensor([3, 1, 2, 5]).median(); // 2
 * const { values, indices } = x.median(1);
 */
export function median<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], D>;
export function median<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options?: ReduceOptions<K>,
): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
export function median(x: Tensor, dim?: number, options: ReduceOptions = {}): Tensor | ValuesAndIndices<Shape, DType> {
  return medianOf('median', x, dim, options);
}

/**
 * As `median`, of what is not NaN; NaN where nothing else is.
 *
 * @method
 * @throws ShapeError if there is nothing along `dim`
 */
export function nanmedian<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<readonly [], D>;
export function nanmedian<S extends Shape, D extends DType, const Dim extends number, const K extends boolean = false>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options?: ReduceOptions<K>,
): ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
export function nanmedian(
  x: Tensor,
  dim?: number,
  options: ReduceOptions = {},
): Tensor | ValuesAndIndices<Shape, DType> {
  return medianOf('nanmedian', x, dim, options);
}

/**
 * The most frequent element along a dimension (the last by default), the smallest if several, and where it last stands.
 * NaN equals nothing, but is preferred to what occurs once. The gradient goes to that place.
 *
 * @method
 * @throws ShapeError if there is nothing along `dim`
 */
export function mode<S extends Shape, D extends DType, const Dim extends number = -1, const K extends boolean = false>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim?: Dim,
  options: ReduceOptions<K> = {},
): ValuesAndIndices<ReduceShape<S, Dim, K>, D> {
  return pickAlong('mode', x, dim ?? -1, options.keepDim) as ValuesAndIndices<ReduceShape<S, Dim, K>, D>;
}

/** What a quantile that lies between two elements is. */
export type Interpolation = 'linear' | 'lower' | 'higher' | 'midpoint' | 'nearest';

/** Options of `quantile` and `nanquantile`. */
export interface QuantileOptions {
  /** Keep the reduced dimension, with size 1. */
  keepDim?: boolean;
  /** Between two elements: `'linear'` (default), `'lower'`, `'higher'`, `'midpoint'` or `'nearest'`. */
  interpolation?: Interpolation;
}

// From a to b by w. Of equal ends it is them, though they be infinite.
const betweenOp = defineElementwise(
  'quantile',
  (a, b, w) =>
    e.select(
      e.mul(e.ne(w, 0), e.ne(a, b)),
      e.select(e.lt(w, 0.5), e.add(a, e.mul(w, e.sub(b, a))), e.sub(b, e.mul(e.sub(b, a), e.sub(1, w)))),
      a,
    ),
  {
    inputs: ['below', 'above', 'weight'],
    grad: (g, _out, _a, _b, w) => [e.mul(g, e.sub(1, w)), e.mul(g, w), null],
  },
);
const unlessNanOp = defineElementwise('quantile', (x, last) => e.select(e.isnan(last), last, x), {
  inputs: ['x', 'last'],
});

const interpolations: readonly string[] = ['linear', 'lower', 'higher', 'midpoint', 'nearest'];

// The levels as numbers, and whether there is only one, without a dimension of its own.
function levelsOf(op: string, q: number | readonly number[] | Tensor): { levels: readonly number[]; single: boolean } {
  if (isTensor(q)) {
    checkTensor(op, 'q', q);
    if (q.shape.length > 1)
      throw new ShapeError(`${op}: q must have at most 1 dimension, got ${formatShape(q.shape)}.`);
  }
  const levels = isTensor(q) ? Array.from(q.dataSync(), Number) : typeof q === 'number' ? [q] : q;
  if (!Array.isArray(levels))
    throw new ArgumentError(`${op}: q must be a number, a list or a tensor, got ${typeof q}.`);
  for (const level of levels as readonly unknown[]) {
    if (typeof level !== 'number' || !(level >= 0 && level <= 1))
      throw new ArgumentError(`${op}: q must be from 0 to 1, got ${String(level)}.`);
  }
  return { levels: levels as readonly number[], single: isTensor(q) ? q.shape.length === 0 : typeof q === 'number' };
}

function quantiles(
  op: 'quantile' | 'nanquantile',
  x: Tensor,
  q: number | readonly number[] | Tensor,
  dim: number | undefined,
  options: QuantileOptions,
): Tensor {
  checkTensor(op, 'x', x);
  const { interpolation = 'linear', keepDim = false } = options;
  if (x.dtype !== 'float32' && x.dtype !== 'float64')
    throw new DTypeError(`${op}: x must be float32 or float64, got ${x.dtype}; convert it with to().`);
  if (!interpolations.includes(interpolation)) {
    throw new ArgumentError(
      `${op}: unknown interpolation '${String(interpolation)}', expected one of ${interpolations.join(', ')}.`,
    );
  }
  const d = dim === undefined ? null : normalizeDim(op, dim, x.shape.length);
  const { levels, single } = levelsOf(op, q);
  const flat = d === null || x.shape.length === 0;
  if ((flat ? x.numel : x.shape[d]) === 0)
    throw new ShapeError(`${op}: x of shape ${formatShape(x.shape)} has no elements to take quantiles of.`);
  return tidy(() => {
    const lines: Tensor = flat ? reshape(x, [x.numel]) : movedim(x, d, -1);
    const last = lines.shape.length - 1;
    const n = lines.shape[last];
    const { values } = sort(lines, -1);
    const shape = [...lines.shape.slice(0, -1), levels.length];
    const q64 = tensor([...levels], { dtype: 'float64', device: x.device }) as Tensor;
    // Positions as fractions; in float64, which counts beyond 2^24.
    const counts: Tensor | number =
      op === 'quantile'
        ? n - 1
        : clamp(sub(sum(cast(logicalNot(isnan(values)), 'float64'), last, { keepDim: true }), 1), { min: 0 });
    const ranks: Tensor = expand(typeof counts === 'number' ? mul(q64, counts) : mul(q64, counts), shape);
    const at = (position: Tensor): Tensor => gather(values, last, cast(position, 'int64'));
    let out: Tensor;
    if (interpolation === 'lower') out = at(floor(ranks));
    else if (interpolation === 'higher') out = at(ceil(ranks));
    else if (interpolation === 'nearest') out = at(round(ranks));
    else {
      const below = floor(ranks);
      const weight = interpolation === 'midpoint' ? full(shape, 0.5) : sub(ranks, below);
      out = betweenOp.apply([at(below), at(ceil(ranks)), cast(weight, x.dtype)]);
    }
    // NaN is sorted to the end.
    if (op === 'quantile') out = unlessNanOp.apply([out, sliceView(values, last, n - 1, 1, 1)]);
    out = single ? select(out, last, 0) : movedim(out, last, 0);
    if (!keepDim) return out;
    const dims = d === null ? undefined : x.shape.length === 0 ? [] : [d];
    return reshape(out, [...(single ? [] : [levels.length]), ...reduceShape(x.shape, dims, true)]);
  });
}

/**
 * Quantiles along a dimension, of all elements by default: for q the value at position `q (n - 1)` of the sorted elements,
 * by default interpolated between the two around it. NaN if there is one.
 *
 * @method
 * @param q from 0 to 1: a number, a list, or a tensor of at most 1 dimension, which is read at once, so that this waits for
 *   queued work
 * @returns the quantiles; of several q, those of each in front, along a first dimension
 * @throws ArgumentError for a q outside; DTypeError unless x is float32 or float64; ShapeError if there are no elements
 * @example
 * quantile(tensor([0, 1, 2, 3]), 0.25); // 0.75
 * x.quantile([0.1, 0.9], 1); // [2, ...]
 */
export function quantile<D extends DType>(
  x: Tensor<Shape, D>,
  q: number | readonly number[] | Tensor,
  dim?: number,
  options: QuantileOptions = {},
): Tensor<Shape, D> {
  return quantiles('quantile', x, q, dim, options) as Tensor<Shape, D>;
}

/**
 * As `quantile`, of what is not NaN; NaN where nothing else is.
 *
 * @method
 * @throws ArgumentError for a q outside; DTypeError unless x is float32 or float64; ShapeError if there are no elements
 */
export function nanquantile<D extends DType>(
  x: Tensor<Shape, D>,
  q: number | readonly number[] | Tensor,
  dim?: number,
  options: QuantileOptions = {},
): Tensor<Shape, D> {
  return quantiles('nanquantile', x, q, dim, options) as Tensor<Shape, D>;
}

/** Options of `histc`. */
export interface HistcOptions {
  /** The lower end. Default 0. */
  min?: number;
  /** The upper end. Default 0; if the ends are equal, they are the smallest and the largest element. */
  max?: number;
}

// The bin of each element, and one more for what lies outside.
const binOp = defineElementwise(
  'histc',
  (x, low, high, bins) =>
    e.select(
      e.mul(e.ge(x, low), e.le(x, high)),
      e.minimum(e.trunc(e.div(e.mul(e.sub(x, low), bins), e.sub(high, low))), e.sub(bins, 1)),
      bins,
    ),
  { inputs: ['x'], scalars: ['low', 'high', 'bins'] },
);

/**
 * Counts the elements in equal bins between `min` and `max`. Elements outside and NaN do not count; the upper end belongs to
 * the last bin. If both ends are equal the range of the elements is read, so that this waits for queued work. Not
 * differentiable.
 *
 * @method
 * @returns the counts, `[bins]`, in x's dtype
 * @throws DTypeError for integer and bool tensors; ArgumentError for bins below 1 or ends that are no finite range
 */
export function histc<D extends DType, const B extends number = 100>(
  x: Tensor<Shape, D>,
  bins?: B,
  options: HistcOptions = {},
): Tensor<readonly [B], D> {
  checkTensor('histc', 'x', x);
  requireFloat('histc', x);
  const count: number = bins ?? 100;
  if (!Number.isInteger(count) || count < 1)
    throw new ArgumentError(`histc: bins must be an integer above 0, got ${String(count)}.`);
  let { min = 0, max = 0 } = options;
  return tidy(() => {
    const values: Tensor = reshape(detach(x as Tensor), [x.numel]);
    if (min === max && x.numel > 0) {
      const ends = aminmax(values);
      [min, max] = [Number(ends.min.itemSync()), Number(ends.max.itemSync())];
    }
    if (min === max) [min, max] = [min - 1, max + 1];
    if (!(min < max) || !Number.isFinite(max - min))
      throw new ArgumentError(`histc: the range from ${String(min)} to ${String(max)} is not finite and ascending.`);
    // 16 bits would not hold the numbers of the bins.
    const wide = cast(values, x.dtype === 'float64' ? 'float64' : 'float32');
    const bin = cast(binOp.apply([wide], [min, max, count]), 'int64');
    const counts = scatterAlong([count + 1], 0, bin, ones([x.numel], { dtype: 'int64', device: x.device }));
    return cast(sliceView(counts, 0, 0, count, 1), x.dtype) as Tensor as Tensor<readonly [B], D>;
  });
}

/** Options of `bincount`. */
export interface BincountOptions {
  /** The result is at least this long. Default 0. */
  minlength?: number;
}

/**
 * How often each integer of x `[n]` from 0 occurs, or the sum of the weights where it does. How long the result is depends on the
 * largest one, so this waits for queued work. Not differentiable.
 *
 * @method
 * @param weights of x's shape; the result is float32 for float32 weights, else float64
 * @throws ShapeError unless x has 1 dimension and weights its shape; DTypeError for floats and bools; ArgumentError for
 *   negative numbers
 * @example
 * bincount(tensor([0n, 2n, 2n])); // [1, 0, 2]
 */
export function bincount(
  x: Tensor<Shape, 'int64' | 'int32' | 'uint8'>,
  weights: Tensor | null = null,
  options: BincountOptions = {},
): Tensor<readonly [number], DType> {
  checkTensor('bincount', 'x', x);
  const { minlength = 0 } = options;
  const dtype: DType = x.dtype;
  if (isFloating(dtype) || (dtype as string) === 'bool')
    throw new DTypeError(`bincount: x must hold integers, got ${String(dtype)}.`);
  if (x.shape.length !== 1)
    throw new ShapeError(`bincount: x must have 1 dimension, got shape ${formatShape(x.shape)}.`);
  if (!Number.isInteger(minlength) || minlength < 0)
    throw new ArgumentError(`bincount: minlength must be an integer >= 0, got ${String(minlength)}.`);
  if (weights !== null) {
    checkTensor('bincount', 'weights', weights);
    if (formatShape(weights.shape) !== formatShape(x.shape)) {
      throw new ShapeError(
        `bincount(x ${formatShape(x.shape)}, weights ${formatShape(weights.shape)}): the shapes must be the same.`,
      );
    }
  }
  return tidy(() => {
    const places = cast(x as Tensor, 'int64');
    let length = minlength;
    if (x.numel > 0) {
      const { min, max } = aminmax(places);
      const least = min.itemSync();
      if (least < 0n) throw new ArgumentError(`bincount: x must not be negative, the smallest element is ${least}.`);
      length = Math.max(length, Number(max.itemSync()) + 1);
    }
    const values =
      weights === null
        ? ones(x.shape, { dtype: 'int64', device: x.device })
        : cast(detach(weights), weights.dtype === 'float32' ? 'float32' : 'float64');
    return scatterAlong([length], 0, places, values) as Tensor<readonly [number], DType>;
  });
}
