// Writing at places that an index tensor names. Kernels: native/cpu/scatter.cpp.
import { isGradEnabled } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { broadcastShapes, formatShape, normalizeDim, shapesEqual, type Shape } from '../shape.js';
import { fillValue } from '../tensor/nested.js';
import { Tensor } from '../tensor/tensor.js';
import { linearIndex } from './advanced.js';
import { div, floorDivide, mul } from './arithmetic.js';
import { eq, logicalAnd, where } from './compare.js';
import { cast, clone } from './copy.js';
import {
  checkSameDevice,
  checkTensor,
  checkWritable,
  defineOp,
  filledTensor,
  inPlaceGradError,
  type Op,
} from './define.js';
import { alongDim, checkAlong, checkIndex, gatherOp, scatterAddOp } from './indexing.js';
import { reduceKinds } from './launch.js';
import { maskedFill } from './mask.js';
import { clamp } from './math.js';
import { expand, flatten, reshape, slice } from './view.js';

/** A tensor of positions. */
export type IndexTensor = Tensor<Shape, 'int64' | 'int32'>;

/** @internal */
export const scatterOp: Op<{ dim: number }> = defineOp({
  name: 'scatter',
  inputs: ['x', 'index', 'src'],
  saves: { x: ['index'], src: ['index'] },
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => x.dtype,
  forward: ([out], { x, index, src }, { dim }: { dim: number }) => {
    native.copy(out._handle, x._handle);
    native.scatter(out._handle, index._handle, src._handle, dim);
  },
  vjp: ([g], { index }, { dim }) => [
    () => scatterOp([g, index, spread('scatter', 0, g, index.shape)], { dim }),
    null,
    () => gatherOp([g, index], { dim }),
  ],
});

// A number as a tensor of a shape, without memory for it.
function spread(op: string, value: number | bigint | boolean, like: Tensor, shape: Shape): Tensor {
  return expand(filledTensor(op, [], like.dtype, like.device, fillValue(op, value, like.dtype)) as Tensor, shape);
}

/** What a write does: `src` goes to the places that `index` names along `dim`, over what is there, or added to it. */
interface Write {
  readonly dim: number;
  readonly index: Tensor;
  readonly src: Tensor;
  readonly add: boolean;
}

function written(x: Tensor, { dim, index, src, add }: Write): Tensor {
  return add ? scatterAddOp([x, index, src], { dim }) : scatterOp([x, index, src], { dim });
}

/** Writes in place; what is read from the memory that is written is copied first. @internal */
export function writeInPlace(op: string, x: Tensor, { dim, index, src, add }: Write): void {
  checkWritable(op, x);
  if (isGradEnabled() && src.requiresGrad) throw inPlaceGradError(op);
  const apart = (other: Tensor): Tensor => (other._version === x._version ? clone(other) : other);
  const [which, values] = [apart(index), apart(src)];
  if (add) native.scatterAdd(x._handle, which._handle, values._handle, dim);
  else native.scatter(x._handle, which._handle, values._handle, dim);
  x._version.count++;
}

function inPlace<S extends Shape, D extends DType>(op: string, x: Tensor<S, D>, plan: () => Write): Tensor<S, D> {
  tidy(() => writeInPlace(op, x, plan()));
  return x;
}

function checkSource(op: string, x: Tensor, name: string, src: Tensor): void {
  checkTensor(op, name, src);
  checkSameDevice(op, 'x', x, name, src);
  if (src.dtype !== x.dtype) throw new DTypeError(`${op}: x is ${x.dtype} and ${name} ${src.dtype}; convert one.`);
}

function planScatter(
  op: string,
  x: Tensor,
  dim: number,
  index: IndexTensor,
  src: Tensor | number | boolean,
  add: boolean,
): Write {
  checkTensor(op, 'x', x);
  checkIndex(op, 'index', index);
  checkSameDevice(op, 'x', x, 'index', index);
  const d = normalizeDim(op, dim, x.shape.length);
  checkAlong(op, x, index, d, 'x');
  if (!(src instanceof Tensor)) return { dim: d, index, src: spread(op, src, x, index.shape), add };
  checkSource(op, x, 'src', src);
  checkAlong(op, src, index, -1, 'src');
  const window = shapesEqual(src.shape, index.shape)
    ? src
    : index.shape.reduce<Tensor>((part, n, i) => slice(part, i, 0, n), src);
  return { dim: d, index, src: window, add };
}

/**
 * A copy of x with `src` written at places that `index` names: `out[i][index[i][j][k]][k] = src[i][j][k]` for dim 1. Of
 * several values for one place the last, in the order of src's elements, stays; the gradient goes to all of them, as in
 * PyTorch.
 *
 * @method
 * @param index int64 or int32, of x's rank, not larger than x in other dimensions; values from 0 to the size less 1
 * @param src a tensor of x's dtype, at least as large as index, or a number
 * @throws ShapeError, DTypeError for operands that do not fit; IndexError (at the next read) for an index out of range
 */
export function scatter<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  src: Tensor<Shape, D> | number | boolean,
): Tensor<S, D> {
  return tidy(() => written(x, planScatter('scatter', x, dim, index, src, false))) as Tensor<S, D>;
}

/**
 * As `scatter`, in place.
 *
 * @method
 * @throws as scatter; GradError while gradients are recorded
 */
export function scatter_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  src: Tensor<Shape, D> | number | boolean,
): Tensor<S, D> {
  return inPlace('scatter_', x, () => planScatter('scatter_', x, dim, index, src, false));
}

/**
 * As `scatterAdd`, in place.
 *
 * @method
 * @throws as scatterAdd; GradError while gradients are recorded
 */
export function scatterAdd_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  src: Tensor<Shape, D>,
): Tensor<S, D> {
  return inPlace('scatterAdd_', x, () => planScatter('scatterAdd_', x, dim, index, src, true));
}

// ---- reductions

/** How `scatterReduce` combines values for one place. */
export type ScatterReduction = 'sum' | 'prod' | 'mean' | 'amax' | 'amin';

/** Options of `scatterReduce`. */
export interface ScatterReduceOptions {
  /** How values for one place are combined. */
  reduce: ScatterReduction;
  /** x's own value takes part, where anything is written. Default true. */
  includeSelf?: boolean;
}

type Combining = 'prod' | 'amax' | 'amin';

interface CombineAttributes {
  readonly dim: number;
  readonly reduce: Combining;
}

const combineKinds = { prod: reduceKinds.prod, amax: reduceKinds.max, amin: reduceKinds.min } as const;

const combineOp: Op<CombineAttributes> = defineOp({
  name: 'scatterReduce',
  inputs: ['x', 'index', 'src'],
  saves: ['x', 'index', 'src', 'out'],
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => x.dtype,
  forward: ([out], { x, index, src }, { dim, reduce }: CombineAttributes) => {
    native.copy(out._handle, x._handle);
    native.scatterReduce(out._handle, index._handle, src._handle, dim, combineKinds[reduce]);
  },
  vjp: ([g], saved, attributes) => {
    const gradients = attributes.reduce === 'prod' ? productGradients : extremeGradients;
    const [ofX, ofSrc] = gradients(g, saved, attributes);
    return [ofX, null, ofSrc];
  },
});

type SavedOfCombine = { readonly [name: string]: Tensor };
type TwoGradients = [() => Tensor, () => Tensor];

// d out / d value is the product of the others: out / value, and where the value is 0 the product with 1 in its place.
function productGradients(g: Tensor, saved: SavedOfCombine, attributes: CombineAttributes): TwoGradients {
  const { x, index, src, out } = saved;
  const { dim } = attributes;
  const pick = (from: Tensor): Tensor => gatherOp([from, index], { dim });
  return [
    () => {
      const filled = maskedFill(x, eq(x, 0), 1);
      return div(mul(g, combineOp([filled, index, src], attributes)), filled);
    },
    () => {
      const isZero = eq(src, 0);
      const counts = scatterAddOp([spread('scatterReduce', 0, x, x.shape), index, cast(isZero, x.dtype)], { dim });
      // With two zeros at a place all products are 0, as out is; with one, only that of the others is not.
      const single = logicalAnd(isZero, eq(pick(counts), 1));
      const others = combineOp([x, index, maskedFill(src, single, 1)], attributes);
      return where(single, pick(mul(g, others)), div(pick(mul(g, out)), maskedFill(src, isZero, 1)));
    },
  ];
}

// Divided evenly among those that are the extreme.
function extremeGradients(g: Tensor, saved: SavedOfCombine, { dim }: CombineAttributes): TwoGradients {
  const { x, index, src, out } = saved;
  const pick = (from: Tensor): Tensor => gatherOp([from, index], { dim });
  const isX = cast(eq(x, out), g.dtype);
  const isSrc = cast(eq(src, pick(out)), g.dtype);
  const share = div(g, scatterAddOp([isX, index, isSrc], { dim }));
  return [() => mul(isX, share), () => mul(isSrc, pick(share))];
}

const smallest: Readonly<Partial<Record<DType, number | bigint | boolean>>> = {
  int64: -(2n ** 63n),
  int32: -(2 ** 31),
  uint8: 0,
  bool: false,
};
const largest: Readonly<Partial<Record<DType, number | bigint | boolean>>> = {
  int64: 2n ** 63n - 1n,
  int32: 2 ** 31 - 1,
  uint8: 255,
  bool: true,
};

const neutral = (reduce: ScatterReduction, dtype: DType): number | bigint | boolean => {
  if (reduce === 'amax') return smallest[dtype] ?? -Infinity;
  if (reduce === 'amin') return largest[dtype] ?? Infinity;
  return reduce === 'prod' ? 1 : 0;
};

/**
 * A copy of x in which the values of `src` for one place are combined with each other, and with x's value unless
 * `includeSelf` is false: sum, prod, mean, amax or amin. Places as in `scatter`. Where nothing is written x stays.
 * Deterministic: in the order of src's elements. amax and amin pass NaN on, and divide their gradient evenly among equal
 * values. The mean of integers is rounded toward minus infinity. The second derivative of prod is not right at places to
 * which src brings more than one 0.
 *
 * @method
 * @param reduce the name of the reduction, or `{ reduce, includeSelf }`
 * @throws ArgumentError for another reduction; else as scatter
 * @example
 * x.scatterReduce(0, index, src, 'amax');
 * x.scatterReduce(0, index, src, { reduce: 'mean', includeSelf: false });
 */
export function scatterReduce<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  src: Tensor<Shape, D>,
  reduce: ScatterReduction | ScatterReduceOptions,
): Tensor<S, D> {
  const op = 'scatterReduce';
  const options: ScatterReduceOptions = typeof reduce === 'string' ? { reduce } : reduce;
  const kind: unknown = (options as ScatterReduceOptions | null | undefined)?.reduce;
  if (kind !== 'sum' && kind !== 'prod' && kind !== 'mean' && kind !== 'amax' && kind !== 'amin') {
    throw new ArgumentError(`${op}: reduce must be 'sum', 'prod', 'mean', 'amax' or 'amin', got ${String(kind)}.`);
  }
  const { includeSelf = true } = options;
  return tidy(() => {
    checkSource(op, x, 'src', src);
    const plan = planScatter(op, x, dim, index, src, false);
    const wide = { ...plan, index: cast(plan.index, 'int64') };
    const { dim: d } = plan;
    const base: Tensor = includeSelf
      ? x
      : written(x, { ...wide, src: spread(op, neutral(kind, x.dtype), x, index.shape) });
    if (kind === 'prod' || kind === 'amax' || kind === 'amin')
      return combineOp([base, wide.index, plan.src], { dim: d, reduce: kind });
    const total = scatterAddOp([base, wide.index, plan.src], { dim: d });
    if (kind === 'sum') return total;
    const own = filledTensor(op, x.shape as Shape, 'int64', x.device, includeSelf ? 1 : 0) as Tensor;
    const counts = scatterAddOp([own, wide.index, spread(op, 1, own, index.shape)], { dim: d });
    const divisors = clamp(counts, { min: 1 });
    return isFloating(x.dtype) ? div(total, divisors) : cast(floorDivide(total, divisors), x.dtype);
  }) as Tensor<S, D>;
}

// ---- whole slices

function planIndexed(
  op: string,
  x: Tensor,
  dim: number,
  index: IndexTensor,
  source: Tensor | number | boolean,
  add: boolean,
  negative = false,
): Write {
  checkTensor(op, 'x', x);
  checkIndex(op, 'index', index);
  checkSameDevice(op, 'x', x, 'index', index);
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError(`${op}: a scalar has no dimensions.`);
  const d = normalizeDim(op, dim, rank);
  if (index.shape.length > 1)
    throw new ShapeError(`${op}: index must have 1 dimension, got shape ${formatShape(index.shape)}.`);
  const from0 = negative ? linearIndex([index], [x.shape[d]], [d]) : index;
  const flat = index.shape.length === 1 ? from0 : reshape(from0, [1]);
  const shape = x.shape.map((n, k) => (k === d ? flat.shape[0] : n));
  const which = alongDim(flat, x.shape, d);
  if (!(source instanceof Tensor)) return { dim: d, index: which, src: spread(op, source, x, shape), add };
  checkSource(op, x, 'source', source);
  if (!shapesEqual(source.shape, shape)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, index ${formatShape(index.shape)}, source ${formatShape(source.shape)}): source must have shape ${formatShape(shape)}.`,
    );
  }
  return { dim: d, index: which, src: source, add };
}

/** Options of `indexAdd`. */
export interface IndexAddOptions {
  /** A factor of source. Default 1. */
  alpha?: number;
}

function planIndexAdd(
  op: string,
  x: Tensor,
  dim: number,
  index: IndexTensor,
  source: Tensor,
  { alpha = 1 }: IndexAddOptions,
): Write {
  checkTensor(op, 'source', source);
  if (typeof alpha !== 'number' || (!isFloating(source.dtype) && !Number.isInteger(alpha))) {
    throw new ArgumentError(
      `${op}: alpha must be ${isFloating(source.dtype) ? 'a number' : `an integer for ${source.dtype}`}, got ${String(alpha)}.`,
    );
  }
  const plan = planIndexed(op, x, dim, index, source, true);
  return alpha === 1 ? plan : { ...plan, src: cast(mul(source, alpha), source.dtype) };
}

/**
 * A copy of x with the slices of `source`, times `alpha`, added at the positions in `index` along a dimension, in that order;
 * positions may repeat.
 *
 * @method
 * @param index int64 or int32, 1-d (or one position), from 0 to the size less 1
 * @throws ShapeError unless source has x's shape with as many slices as index has positions; IndexError (at the next read)
 *   for a position out of range
 */
export function indexAdd<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  source: Tensor<Shape, D>,
  options: IndexAddOptions = {},
): Tensor<S, D> {
  return tidy(() => written(x, planIndexAdd('indexAdd', x, dim, index, source, options))) as Tensor<S, D>;
}

/**
 * As `indexAdd`, in place.
 *
 * @method
 * @throws as indexAdd; GradError while gradients are recorded
 */
export function indexAdd_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  source: Tensor<Shape, D>,
  options: IndexAddOptions = {},
): Tensor<S, D> {
  return inPlace('indexAdd_', x, () => planIndexAdd('indexAdd_', x, dim, index, source, options));
}

function requireSource(op: string, source: unknown): void {
  checkTensor(op, 'source', source);
}

/**
 * A copy of x with the slices of `source` at the positions in `index` along a dimension; of several for one position the
 * last stays.
 *
 * @method
 * @throws as indexAdd
 */
export function indexCopy<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  source: Tensor<Shape, D>,
): Tensor<S, D> {
  requireSource('indexCopy', source);
  return tidy(() => written(x, planIndexed('indexCopy', x, dim, index, source, false))) as Tensor<S, D>;
}

/**
 * As `indexCopy`, in place.
 *
 * @method
 * @throws as indexAdd; GradError while gradients are recorded
 */
export function indexCopy_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  source: Tensor<Shape, D>,
): Tensor<S, D> {
  requireSource('indexCopy_', source);
  return inPlace('indexCopy_', x, () => planIndexed('indexCopy_', x, dim, index, source, false));
}

function planIndexFill(
  op: string,
  x: Tensor,
  dim: number,
  index: IndexTensor,
  value: number | boolean | Tensor,
): Write {
  if (!(value instanceof Tensor)) return planIndexed(op, x, dim, index, value, false, true);
  checkSource(op, x, 'value', value);
  if (value.shape.length > 0)
    throw new ShapeError(`${op}: value must be a number or a scalar tensor, got shape ${formatShape(value.shape)}.`);
  const plan = planIndexed(op, x, dim, index, 0, false, true);
  return { ...plan, src: expand(value, plan.src.shape) };
}

/**
 * A copy of x with a value in all slices at the positions in `index` along a dimension; negative positions count from the
 * end.
 *
 * @method
 * @param value a number, or a scalar tensor of x's dtype
 * @throws ShapeError unless value is a scalar; else as indexAdd
 */
export function indexFill<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  value: number | boolean | Tensor<Shape, D>,
): Tensor<S, D> {
  return tidy(() => written(x, planIndexFill('indexFill', x, dim, index, value))) as Tensor<S, D>;
}

/**
 * As `indexFill`, in place.
 *
 * @method
 * @throws as indexFill; GradError while gradients are recorded
 */
export function indexFill_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  dim: number,
  index: IndexTensor,
  value: number | boolean | Tensor<Shape, D>,
): Tensor<S, D> {
  return inPlace('indexFill_', x, () => planIndexFill('indexFill_', x, dim, index, value));
}

// ---- flat positions

/**
 * The elements at positions of the flattened x, in index's shape; negative positions count from the end.
 *
 * @method
 * @throws IndexError (at the next read) for a position out of range
 */
export function take<S extends Shape, D extends DType, I extends Shape>(
  x: Tensor<S, D>,
  index: Tensor<I, 'int64' | 'int32'>,
): Tensor<I, D> {
  checkTensor('take', 'x', x);
  checkIndex('take', 'index', index);
  checkSameDevice('take', 'x', x, 'index', index);
  return tidy(() => {
    const places = flatten(linearIndex([index], [x.numel], [0]));
    return reshape(gatherOp([flatten(x as Tensor), places], { dim: 0 }), index.shape as Shape);
  }) as unknown as Tensor<I, D>;
}

/** Options of `put`. */
export interface PutOptions {
  /** Adds to what is there, every value where positions repeat. Default false. */
  accumulate?: boolean;
}

function planPut(op: string, x: Tensor, index: IndexTensor, source: Tensor, { accumulate = false }: PutOptions): Write {
  checkTensor(op, 'x', x);
  checkIndex(op, 'index', index);
  checkSameDevice(op, 'x', x, 'index', index);
  checkSource(op, x, 'source', source);
  if (source.numel !== index.numel) {
    throw new ShapeError(
      `${op}: index ${formatShape(index.shape)} and source ${formatShape(source.shape)} must have as many elements.`,
    );
  }
  const places = flatten(linearIndex([index], [x.numel], [0])) as Tensor;
  return { dim: 0, index: places, src: flatten(source), add: accumulate };
}

/**
 * A copy of x with the elements of `source` at positions of the flattened x; negative positions count from the end. Of
 * several for one position the last stays, or with `accumulate` all are added.
 *
 * @method
 * @throws ShapeError unless index and source have as many elements; IndexError (at the next read) for a position out of
 *   range
 */
export function put<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  index: IndexTensor,
  source: Tensor<Shape, D>,
  options: PutOptions = {},
): Tensor<S, D> {
  return tidy(() =>
    reshape(written(flatten(x as Tensor) as Tensor, planPut('put', x, index, source, options)), x.shape as Shape),
  ) as unknown as Tensor<S, D>;
}

/**
 * As `put`, in place.
 *
 * @method
 * @throws as put; ShapeError if x does not lie in row-major order without gaps; GradError while gradients are recorded
 */
export function put_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  index: IndexTensor,
  source: Tensor<Shape, D>,
  options: PutOptions = {},
): Tensor<S, D> {
  tidy(() => {
    const plan = planPut('put_', x, index, source, options);
    checkWritable('put_', x);
    if (!x.isContiguous)
      throw new ShapeError(`put_: a tensor of strides ${formatShape(x.strides)} has no flat view; use put().`);
    writeInPlace('put_', flatten(x as Tensor), plan);
  });
  return x;
}

/**
 * As `gather`, but x and indices broadcast in the dimensions beside `dim`; without `dim` both are flattened.
 *
 * @method
 * @throws ShapeError unless they have the same rank and broadcast; IndexError (at the next read) for an index out of range
 * @example
 * x.takeAlongDim(x.argmax(1, { keepDim: true }), 1); // the largest of each row
 */
export function takeAlongDim<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  indices: IndexTensor,
  dim?: number,
): Tensor<Shape, D> {
  const op = 'takeAlongDim';
  checkTensor(op, 'x', x);
  checkIndex(op, 'indices', indices);
  checkSameDevice(op, 'x', x, 'indices', indices);
  if (dim === undefined) {
    return tidy(() => gatherOp([flatten(x as Tensor), flatten(indices as Tensor)], { dim: 0 })) as Tensor<Shape, D>;
  }
  if (x.shape.length !== indices.shape.length) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, indices ${formatShape(indices.shape)}): both must have the same rank.`,
    );
  }
  const d = normalizeDim(op, dim, x.shape.length);
  const beside = (shape: Shape): number[] => shape.map((n, k) => (k === d ? 1 : n));
  const common = broadcastShapes(op, ['x', 'indices'], [beside(x.shape), beside(indices.shape)]);
  const at = (shape: Shape): number[] => common.map((n, k) => (k === d ? shape[d] : n));
  return tidy(() =>
    gatherOp([expand(x as Tensor, at(x.shape)), expand(indices as Tensor, at(indices.shape))], { dim: d }),
  ) as Tensor<Shape, D>;
}
