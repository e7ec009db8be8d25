// Scans: running sums, products and extremes along a dimension, and differences. Kernels: native/cpu/scan.cpp.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { DimCheck } from '../types/shape.js';
import { add, mul, sub } from './arithmetic.js';
import { logicalXor } from './compare.js';
import { checkTensor, defineMultiOp, defineOp, filledTensor, type Op, type OutputSpec } from './define.js';
import { defineElementwise } from './elementwise.js';
import { scatterAlong } from './indexing.js';
import { cat } from './join.js';
import { computeIn, requireFloat, sum, sumDType, type SumResult, type ValuesAndIndices } from './reduce.js';
import { reshape, sliceView } from './view.js';

interface ScanAttributes {
  readonly dim: number;
  /** From the end to the start. */
  readonly reverse: boolean;
}

/** The kinds of the scan kernel. */
const kinds = { sum: 0, product: 1, logSum: 2 } as const;

// The elements one step on along dim, or back; `fill` comes in at the end that becomes free.
function shift(x: Tensor, dim: number, back: boolean, fill: number): Tensor {
  const n = x.shape[dim];
  const free = (shape: Shape): Tensor => filledTensor('shift', shape, x.dtype, x.device, fill);
  if (x.shape.length === 0) return free([]);
  if (n === 0) return x;
  const edge = free(x.shape.map((size, d) => (d === dim ? 1 : size)));
  return back ? cat([sliceView(x, dim, 1, n - 1, 1), edge], dim) : cat([edge, sliceView(x, dim, 0, n - 1, 1)], dim);
}

// out[i] = b[i] + a[i] out[i - 1] (reverse: out[i + 1]), with nothing before the first.
const recurrenceOp: Op<ScanAttributes> = defineOp({
  name: 'recurrenceBackward',
  inputs: ['a', 'b'],
  saves: { a: ['a', 'out'], b: ['a'] },
  shape: ({ b }) => b.shape,
  forward: ([out], { a, b }, { dim, reverse }: ScanAttributes) =>
    native.scanLinear(out._handle, a._handle, b._handle, dim, reverse),
  vjp: ([g], { a, out }, { dim, reverse }) => {
    // What b[i] is worth: directly, and through the next element.
    const worth = (): Tensor => recurrenceOp([shift(a, dim, !reverse, 0), g], { dim, reverse: !reverse });
    return [() => mul(worth(), shift(out, dim, reverse, 0)), worth];
  },
});

/** Options of `cumsum` and `cumprod`. */
export interface ScanOptions<T extends DType = DType> {
  /** The elements are converted to this first, and the result has it. */
  dtype?: T;
}

const cumsumOp: Op<ScanAttributes> = defineOp({
  name: 'cumsum',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => sumDType(x.dtype),
  forward: ([out], { x }, { dim, reverse }: ScanAttributes) =>
    native.scan(out._handle, x._handle, dim, kinds.sum, reverse),
  vjp: ([g], _, { dim, reverse }) => [() => cumsumOp([g], { dim, reverse: !reverse })],
});

/**
 * Running sums along a dimension: `out[i] = x[0] + ... + x[i]`. Integers and bools give int64; floats are accumulated in
 * float64.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 * @example
 * tensor([1, 2, 3]).cumsum(0); // [1, 3, 6]
 */
export function cumsum<S extends Shape, D extends DType, const Dim extends number, T extends DType = SumResult<D>>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options: ScanOptions<T> = {},
): Tensor<S, T> {
  checkTensor('cumsum', 'x', x);
  const attributes = { dim: normalizeDim('cumsum', dim, x.shape.length), reverse: false };
  return computeIn('cumsum', cumsumOp, x, options.dtype, attributes) as Tensor<S, T>;
}

// The derivative of y[k] by x[i] is the product of the x before i times that of those from i + 1 to k. So the gradient is the
// exclusive product times s[i] = g[i] + x[i + 1] s[i + 1]: no division, no trouble with zeros.
const cumprodOp: Op<ScanAttributes> = defineOp({
  name: 'cumprod',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => sumDType(x.dtype),
  forward: ([out], { x }, { dim, reverse }: ScanAttributes) =>
    native.scan(out._handle, x._handle, dim, kinds.product, reverse),
  vjp: ([g], { x, out }, { dim, reverse }) => [
    () =>
      tidy(() => {
        const later = recurrenceOp([shift(x, dim, !reverse, 0), g], { dim, reverse: !reverse });
        return mul(shift(out, dim, reverse, 1), later);
      }),
  ],
});

/**
 * Running products along a dimension: `out[i] = x[0] * ... * x[i]`. Integers and bools give int64. The gradient does not
 * divide, so it is right with zeros.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 */
export function cumprod<S extends Shape, D extends DType, const Dim extends number, T extends DType = SumResult<D>>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
  options: ScanOptions<T> = {},
): Tensor<S, T> {
  checkTensor('cumprod', 'x', x);
  const attributes = { dim: normalizeDim('cumprod', dim, x.shape.length), reverse: false };
  return computeIn('cumprod', cumprodOp, x, options.dtype, attributes) as Tensor<S, T>;
}

/** For each element the product of all others along `dim`. Differentiable. @internal */
export function othersAlong(x: Tensor, dim: number): Tensor {
  return tidy(() =>
    mul(
      shift(cumprodOp([x], { dim, reverse: false }), dim, false, 1),
      shift(cumprodOp([x], { dim, reverse: true }), dim, true, 1),
    ),
  );
}

// exp(a - b), and 0 for a = -infinity whatever b is: nothing adds up to nothing.
const weightOp = defineElementwise('logcumsumexpBackward', (a, b) =>
  e.select(e.eq(a, -Infinity), 0, e.exp(e.sub(a, b))),
);

// The derivative of y[k] by x[i] is exp(x[i] - y[k]). With s[i] = g[i] + exp(y[i] - y[i + 1]) s[i + 1], whose factors are at
// most 1, the gradient is exp(x[i] - y[i]) s[i].
const logcumsumexpOp: Op<ScanAttributes> = defineOp({
  name: 'logcumsumexp',
  inputs: ['x'],
  saves: ['x', 'out'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }, { dim, reverse }: ScanAttributes) =>
    native.scan(out._handle, x._handle, dim, kinds.logSum, reverse),
  vjp: ([g], { x, out }, { dim, reverse }) => [
    () =>
      tidy(() => {
        const factors = weightOp.apply([out, shift(out, dim, !reverse, Infinity)]);
        return mul(weightOp.apply([x, out]), recurrenceOp([factors, g], { dim, reverse: !reverse }));
      }),
  ],
});

/**
 * Running `log(exp(x[0]) + ... + exp(x[i]))` along a dimension, without overflow.
 *
 * @method
 * @throws DTypeError for integer and bool tensors; IndexError for a dimension that is not there
 */
export function logcumsumexp<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): Tensor<S, D> {
  checkTensor('logcumsumexp', 'x', x);
  requireFloat('logcumsumexp', x);
  const attributes = { dim: normalizeDim('logcumsumexp', dim, x.shape.length), reverse: false };
  return logcumsumexpOp([x], attributes) as Tensor<S, D>;
}

function extremeScan(name: 'cummax' | 'cummin') {
  return defineMultiOp({
    name,
    inputs: ['x'],
    saves: ['out1'],
    outputs: ({ x }): OutputSpec[] => [
      { shape: x.shape, dtype: x.dtype },
      { shape: x.shape, dtype: 'int64' },
    ],
    forward: ([values, indices], { x }, { dim }: { dim: number }) =>
      native.scanExtreme(values._handle, indices._handle, x._handle, dim, name === 'cummax'),
    vjp: ([g], { out1 }, { dim }, { inputs: [x] }) => [() => scatterAlong(x!.shape, dim, out1, g)],
  });
}
const cummaxOp = extremeScan('cummax');
const cumminOp = extremeScan('cummin');

/**
 * The largest element so far along a dimension, and where it stood (the latest, if several); from a NaN on, NaN. The
 * gradient goes to the elements that were picked.
 *
 * @method
 * @throws IndexError for a dimension that is not there
 * @example
 * const { values, indices } = x.cummax(0);
 */
export function cummax<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): ValuesAndIndices<S, D> {
  checkTensor('cummax', 'x', x);
  const [values, indices] = cummaxOp([x], { dim: normalizeDim('cummax', dim, x.shape.length) });
  return { values: values as Tensor<S, D>, indices: indices as Tensor<S, 'int64'> };
}

/**
 * As `cummax`, for the smallest.
 *
 * @method
 */
export function cummin<S extends Shape, D extends DType, const Dim extends number>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dim: Dim,
): ValuesAndIndices<S, D> {
  checkTensor('cummin', 'x', x);
  const [values, indices] = cumminOp([x], { dim: normalizeDim('cummin', dim, x.shape.length) });
  return { values: values as Tensor<S, D>, indices: indices as Tensor<S, 'int64'> };
}

/** Options of `diff`. */
export interface DiffOptions {
  /** Put before x along the dimension, first of all. */
  prepend?: Tensor;
  /** Put behind x. */
  append?: Tensor;
}

function requireDims(op: string, name: string, x: Tensor): void {
  checkTensor(op, name, x);
  if (x.shape.length === 0) throw new ShapeError(`${op}: ${name} is a scalar, expected at least 1 dimension.`);
}

/**
 * Differences of neighbours along a dimension, the last by default: `x[i + 1] - x[i]`, n times; of bools, whether they
 * differ.
 *
 * @method
 * @param n how often differences are taken
 * @throws ShapeError for a scalar; ArgumentError for an n that is no integer from 0
 * @example
 * tensor([1, 4, 9]).diff(); // [3, 5]
 */
export function diff<D extends DType>(
  x: Tensor<Shape, D>,
  n = 1,
  dim = -1,
  options: DiffOptions = {},
): Tensor<Shape, D> {
  requireDims('diff', 'x', x);
  const { prepend, append } = options;
  if (!Number.isInteger(n) || n < 0) throw new ArgumentError(`diff: n must be an integer >= 0, got ${String(n)}.`);
  const d = normalizeDim('diff', dim, x.shape.length);
  return tidy(() => {
    const parts = [prepend, x, append].filter((part): part is Tensor => part !== undefined);
    let out: Tensor = parts.length === 1 ? x : cat(parts, d);
    for (let i = 0; i < n && out.shape[d] > 0; i++) {
      const length = out.shape[d] - 1;
      const [later, earlier] = [sliceView(out, d, 1, length, 1), sliceView(out, d, 0, length, 1)];
      out = out.dtype === 'bool' ? logicalXor(later, earlier) : sub(later, earlier);
    }
    return out as Tensor<Shape, D>;
  });
}

/** Options of `trapezoid` and `cumulativeTrapezoid`. */
export interface TrapezoidOptions {
  /** The distance of the points when x is not given. Default 1. */
  dx?: number;
  /** The dimension to integrate along. Default the last. */
  dim?: number;
}

// The areas of the trapezoids between neighbours.
function trapezoids(
  op: string,
  y: Tensor,
  x: Tensor | null,
  options: TrapezoidOptions,
): { areas: Tensor; dim: number } {
  requireDims(op, 'y', y);
  const { dx = 1, dim = -1 } = options;
  const d = normalizeDim(op, dim, y.shape.length);
  if (typeof dx !== 'number') throw new ArgumentError(`${op}: dx must be a number, got ${typeof dx}.`);
  if (x !== null) {
    requireDims(op, 'x', x);
    const n = x.shape[x.shape.length === 1 ? 0 : d];
    if (n !== y.shape[d]) {
      throw new ShapeError(
        `${op}(y ${formatShape(y.shape)}, x ${formatShape(x.shape)}): y has ${y.shape[d]} points along dimension ${d}, x ${n}.`,
      );
    }
  }
  const n = Math.max(0, y.shape[d] - 1);
  const start = Math.min(1, y.shape[d]);
  const sums = add(sliceView(y, d, start, n, 1), sliceView(y, d, 0, n, 1));
  if (x === null) return { areas: mul(sums, dx / 2), dim: d };
  const widths =
    x.shape.length === 1
      ? reshape(
          diff(x),
          y.shape.map((_, k) => (k === d ? n : 1)),
        )
      : diff(x, 1, d);
  return { areas: mul(mul(sums, widths), 0.5), dim: d };
}

/**
 * The integral along a dimension by the trapezoidal rule: the sum of `(y[i] + y[i + 1]) / 2 * (x[i + 1] - x[i])`.
 *
 * @param x the places of the points, one for each along the dimension or of y's shape; null for evenly spaced ones
 * @throws ShapeError for scalars, and if x and y have different numbers of points
 * @example
 * trapezoid(tensor([1, 2, 3])); // 4
 */
export function trapezoid(y: Tensor, x: Tensor | null = null, options: TrapezoidOptions = {}): Tensor {
  return tidy(() => {
    const { areas, dim } = trapezoids('trapezoid', y, x, options);
    return sum(areas, dim);
  });
}

/**
 * The running integral along a dimension by the trapezoidal rule; one element less than y. See `trapezoid`.
 *
 * @throws ShapeError for scalars, and if x and y have different numbers of points
 */
export function cumulativeTrapezoid(y: Tensor, x: Tensor | null = null, options: TrapezoidOptions = {}): Tensor {
  return tidy(() => {
    const { areas, dim } = trapezoids('cumulativeTrapezoid', y, x, options);
    return cumsum(areas, dim);
  });
}
