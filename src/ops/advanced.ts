// Index expressions: numbers, slices, new dimensions, index tensors and masks, read (index) and written (indexPut).
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, scratchHandles, scratchNumbers } from '../native.js';
import { broadcastShapes, broadcastsTo, formatShape, maxRank, numel, shapesEqual, type Shape } from '../shape.js';
import { fillValue } from '../tensor/nested.js';
import { emptyTensor, Tensor } from '../tensor/tensor.js';
import { add } from './arithmetic.js';
import { checkSameDevice, checkTensor, checkWritable, filledTensor, inPlaceGradError } from './define.js';
import { alongDim, gatherOp, scatterAddOp } from './indexing.js';
import { coordinates } from './mask.js';
import { scatterOp, writeInPlace } from './scatter.js';
import { expand, flatten, permute, reshape, select, slice, unsqueeze } from './view.js';
import { defineReplace, type Window } from './window.js';

/** One part of an index expression. */
export type IndexPart = number | string | null | Tensor<Shape, 'int64' | 'int32' | 'bool'>;

/**
 * The row-major position of (indices[0], indices[1], ...) among `sizes`, for every element of indices of one shape.
 * Negative ones count from the end. `dims`: numbers of the dimensions, for messages. Not recorded.
 *
 * @internal
 */
export function linearIndex(indices: readonly Tensor[], sizes: readonly number[], dims: readonly number[]): Tensor {
  const [first] = indices;
  const out = emptyTensor('index', first.shape, 'int64', first.device) as Tensor;
  indices.forEach((index, i) => {
    scratchHandles[i] = index._handle;
    scratchNumbers[2 * i] = sizes[i]!;
    scratchNumbers[2 * i + 1] = dims[i]!;
  });
  native.linearIndex(out._handle, indices.length, 2 * indices.length);
  return out;
}

/** Neighbouring dimensions of a window that one index tensor, or one mask, picks from. */
interface Group {
  /** The first of them, in the window. */
  readonly dim: number;
  readonly count: number;
  /** Indices, or for a mask the row-major positions where it is true. */
  readonly index: Tensor;
}

/** What an index expression means for a tensor of one shape. */
interface Plan {
  /** Everything but the tensors, which stand for full slices. Null: nothing changes. */
  readonly window: Window | null;
  /** The tensors together; null: there are none. */
  readonly picks: Picks | null;
}

interface Picks {
  /** The dimensions of the window in the order in which those that are picked from are neighbours. Null: as they are. */
  readonly order: readonly number[] | null;
  /** The window's shape in that order. */
  readonly ordered: Shape;
  /** Where the dimensions that are picked from start, and how many they are. */
  readonly dim: number;
  readonly count: number;
  /** Positions among those dimensions taken as one; 1-d. */
  readonly linear: Tensor;
  /** The shape that the index tensors broadcast to. */
  readonly shape: Shape;
}

type Basic = (x: Tensor) => Tensor;
const sliceText = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/;

function checkParts(op: string, x: Tensor, parts: readonly IndexPart[]): number {
  let used = 0;
  for (const part of parts) {
    if (part === null || part === '...') continue;
    if (part instanceof Tensor && part.dtype === 'bool') used += part.shape.length;
    else used++;
  }
  if (used > x.shape.length)
    throw new IndexError(`${op}: ${used} indices for a tensor of shape ${formatShape(x.shape)}.`);
  if (parts.filter((part) => part === '...').length > 1) throw new ArgumentError(`${op}: '...' can stand only once.`);
  return used;
}

function planOf(op: string, x: Tensor, parts: readonly IndexPart[]): Plan {
  const used = checkParts(op, x, parts);
  const steps: Basic[] = [];
  const groups: Group[] = [];
  // The steps are tried as they are found, so that they are checked; `shape` follows.
  let shape: Shape = x.shape;
  let probe = x;
  const step = (run: Basic): void => {
    steps.push(run);
    probe = run(probe);
    ({ shape } = probe);
  };
  let dim = 0;
  for (const part of parts) {
    const d = dim;
    if (part === '...') {
      dim += x.shape.length - used;
    } else if (part === null) {
      step((y) => unsqueeze(y, d));
      dim++;
    } else if (typeof part === 'number') {
      step((y) => select(y, d, part));
    } else if (typeof part === 'string') {
      const match = sliceText.exec(part);
      if (match === null)
        throw new ArgumentError(`${op}: '${part}' is no slice; write it as 'start:end' or 'start:end:step'.`);
      const [, start, end, stride] = match.map((text) => (text === undefined ? undefined : Number(text)));
      if (start !== undefined || end !== undefined || stride !== undefined)
        step((y) => slice(y, d, start, end, stride ?? 1));
      dim++;
    } else {
      checkTensor(op, 'index', part);
      checkSameDevice(op, 'x', x, 'index', part);
      if (part.dtype !== 'bool') {
        if (part.dtype !== 'int64' && part.dtype !== 'int32') {
          const { dtype } = part as Tensor;
          throw new DTypeError(`${op}: index tensors must be int64, int32 or bool, got ${dtype}.`);
        }
        groups.push({ dim, count: 1, index: part });
        dim++;
      } else if (part.shape.length === 0) {
        // A condition for all: a new dimension, of which the only position is taken or not.
        step((y) => unsqueeze(y, d));
        groups.push({ dim, count: 1, index: maskPositions(op, reshape(part, [1])) });
        dim++;
      } else {
        const masked = shape.slice(dim, dim + part.shape.length);
        if (!shapesEqual(masked, part.shape)) {
          throw new IndexError(
            `${op}: a mask of shape ${formatShape(part.shape)} does not fit the dimensions ${formatShape(masked)} of x ${formatShape(x.shape)}.`,
          );
        }
        groups.push({ dim, count: masked.length, index: maskPositions(op, part) });
        dim += masked.length;
      }
    }
  }
  const window: Window | null = steps.length === 0 ? null : (y) => steps.reduce((z, run) => run(z), y);
  return { window, picks: groups.length === 0 ? null : picksOf(op, shape, groups) };
}

function maskPositions(op: string, mask: Tensor): Tensor {
  return select(coordinates(op, flatten(mask) as Tensor), 1, 0);
}

function picksOf(op: string, shape: Shape, groups: readonly Group[]): Picks {
  const picked = broadcastShapes(
    op,
    groups.map((_, i) => (groups.length === 1 ? 'index' : `index ${i}`)),
    groups.map(({ index }) => index.shape),
  );
  const sizes = groups.map(({ dim, count }) => numel(shape.slice(dim, dim + count)));
  const linear = flatten(
    linearIndex(
      groups.map(({ index }) => expand(index, picked)),
      sizes,
      groups.map(({ dim }) => dim),
    ),
  ) as Tensor;
  const dims = groups.flatMap(({ dim, count }) => Array.from({ length: count }, (_, i) => dim + i));
  const together = dims.every((d, i) => i === 0 || d === dims[i - 1] + 1);
  // Between picked dimensions that are no neighbours there is no place for the result's: they come first.
  const order = together ? null : [...dims, ...shape.map((_, d) => d).filter((d) => !dims.includes(d))];
  const rank = shape.length - dims.length + picked.length;
  if (rank > maxRank)
    throw new ShapeError(`${op}: the result would have ${rank} dimensions, at most ${maxRank} are supported.`);
  return {
    order,
    ordered: order === null ? shape : order.map((d) => shape[d]),
    dim: together ? dims[0] : 0,
    count: dims.length,
    linear,
    shape: picked,
  };
}

// The dimensions that are picked from replaced by others.
function replaced({ ordered, dim, count }: Picks, by: readonly number[]): number[] {
  return [...ordered.slice(0, dim), ...by, ...ordered.slice(dim + count)];
}

// The window with the dimensions that are picked from as one.
function merged(window: Tensor, picks: Picks): Tensor {
  const { order, ordered, dim, count } = picks;
  const inOrder = order === null ? window : permute(window, order);
  if (count === 1) return inOrder;
  return reshape(inOrder, replaced(picks, [numel(ordered.slice(dim, dim + count))]));
}

// The way back.
function unmerged(rows: Tensor, { order, ordered }: Picks): Tensor {
  const inOrder = reshape(rows, ordered as number[]);
  if (order === null) return inOrder;
  const back = new Array<number>(order.length);
  order.forEach((d, i) => {
    back[d] = i;
  });
  return permute(inOrder, back);
}

/**
 * Indexing, dimension by dimension, as `x[...]` in Python:
 *
 * - a number picks a position and removes the dimension;
 * - `'1:3'`, `':'`, `'::2'`, `'-2:'` slice;
 * - `null` inserts a dimension of 1;
 * - `'...'` stands for as many full dimensions as are left;
 * - an integer tensor picks positions, of which negative ones count from the end; several of them broadcast and pick
 *   together. Their common shape stands in the result where they stand; if there is anything but numbers between them, in
 *   front;
 * - a bool tensor, of the shape of the dimensions it stands for, picks where it is true, as the index tensors of
 *   `mask.nonzero({ asTuple: true })`. It waits for queued work, because the size of the result depends on the values.
 *
 * Without tensors the result is a view, with tensors a copy.
 *
 * @method
 * @throws IndexError for a position outside (of a tensor: at the next read), too many parts, or a mask that does not fit;
 *   ArgumentError for a malformed part; ShapeError if index tensors do not broadcast
 * @example
 * x.index(0); // first row
 * x.index('...', '1:3'); // columns 1 and 2
 * x.index(x.gt(0)); // what is positive
 */
export function index<S extends Shape, D extends DType>(x: Tensor<S, D>, ...parts: IndexPart[]): Tensor<Shape, D> {
  checkTensor('index', 'x', x);
  return tidy(() => {
    const { window, picks } = planOf('index', x, parts);
    const part = window === null ? x : window(x);
    if (picks === null) return part;
    const base = merged(part, picks);
    const rows = gatherOp([base, alongDim(picks.linear, base.shape, picks.dim)], { dim: picks.dim });
    return reshape(rows, replaced(picks, picks.shape));
  }) as Tensor<Shape, D>;
}

/** Options of `indexPut`. */
export interface IndexPutOptions {
  /** Adds to what is there, every value where positions repeat. Default false. */
  accumulate?: boolean;
}

type Values = Tensor | number | boolean;

function valuesTensor(op: string, x: Tensor, values: Values): Tensor {
  if (!(values instanceof Tensor)) return filledTensor(op, [], x.dtype, x.device, fillValue(op, values, x.dtype));
  checkTensor(op, 'values', values);
  checkSameDevice(op, 'x', x, 'values', values);
  if (values.dtype !== x.dtype) throw new DTypeError(`${op}: x is ${x.dtype} and values ${values.dtype}; convert one.`);
  return values;
}

function fitted(op: string, x: Tensor, values: Tensor, shape: Shape): Tensor {
  if (!broadcastsTo(values.shape, shape)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, values ${formatShape(values.shape)}): values do not broadcast to the shape of what is indexed, ${formatShape(shape)}.`,
    );
  }
  return expand(values, shape);
}

const replaceOp = defineReplace('indexPut');

function checkList(op: string, parts: unknown): asserts parts is readonly IndexPart[] {
  if (!Array.isArray(parts)) throw new ArgumentError(`${op}: parts must be a list, got ${typeof parts}.`);
}

/**
 * A copy of x with `values` written where an index expression points: out of place, what `x[parts] = values` does in
 * Python. The parts are those of `index`, in a list; values broadcast to the shape of `x.index(...parts)`. Of several
 * values for one position the last stays, or with `accumulate` all are added.
 *
 * @method
 * @param values a tensor of x's dtype, or a number
 * @throws as index; ShapeError if values do not broadcast; DTypeError if the dtypes differ
 * @example
 * x.indexPut([rows, columns], values, { accumulate: true });
 */
export function indexPut<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  parts: readonly IndexPart[],
  values: Tensor<Shape, D> | number | boolean,
  options: IndexPutOptions = {},
): Tensor<S, D> {
  const op = 'indexPut';
  const { accumulate = false } = options;
  checkTensor(op, 'x', x);
  checkList(op, parts);
  return tidy(() => {
    const src = valuesTensor(op, x, values);
    const { window, picks } = planOf(op, x, parts);
    const part: Tensor = window === null ? x : window(x);
    let changed: Tensor;
    if (picks === null) {
      const fitting = fitted(op, x, src, part.shape);
      changed = accumulate ? add(part, fitting) : fitting;
    } else {
      const { dim, linear } = picks;
      const base = merged(part, picks);
      const fitting = reshape(fitted(op, x, src, replaced(picks, picks.shape)), replaced(picks, [linear.numel]));
      const run = accumulate ? scatterAddOp : scatterOp;
      changed = unmerged(run([base, alongDim(linear, base.shape, dim), fitting], { dim }), picks);
      if (window === null) return changed;
    }
    return replaceOp([x, changed], { window: window ?? ((y) => y) });
  }) as Tensor<S, D>;
}

/**
 * Writes `values` where an index expression points, in place: `x[parts] = values` in Python, or with `accumulate`
 * `x[parts] += values` for positions that repeat, too. The parts are those of `index`, in a list.
 *
 * @method
 * @throws as indexPut; GradError while gradients are recorded
 * @example
 * x.indexPut_([0, '1:3'], 7); // x[0, 1:3] = 7
 * x.indexPut_([x.lt(0)], 0); // x[x < 0] = 0
 */
export function indexPut_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  parts: readonly IndexPart[],
  values: Tensor<Shape, D> | number | boolean,
  options: IndexPutOptions = {},
): Tensor<S, D> {
  const op = 'indexPut_';
  const { accumulate = false } = options;
  checkTensor(op, 'x', x);
  checkWritable(op, x);
  checkList(op, parts);
  if (isGradEnabled() && values instanceof Tensor && values.requiresGrad) throw inPlaceGradError(op);
  noGrad(() =>
    tidy(() => {
      const target = x as Tensor;
      const src = valuesTensor(op, target, values);
      const { window, picks } = planOf(op, target, parts);
      const part = window === null ? target : window(target);
      if (picks === null) {
        const fitting = fitted(op, target, src, part.shape);
        if (accumulate) part.add_(fitting);
        else part.copy_(fitting);
        return;
      }
      const { dim, linear } = picks;
      const base = merged(part, picks);
      const fitting = reshape(fitted(op, target, src, replaced(picks, picks.shape)), replaced(picks, [linear.numel]));
      const write = { dim, index: alongDim(linear, base.shape, dim), src: fitting, add: accumulate };
      writeInPlace(op, base, write);
      // Dimensions that do not lie evenly were merged in a copy.
      if (base._version !== target._version) part.copy_(unmerged(base, picks));
    }),
  );
  return x;
}
