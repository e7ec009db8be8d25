// Elements repeated, reversed and moved round. Kernel of flip: native/cpu/rearrange.cpp.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, maxRank, normalizeDim, normalizeDims, type Shape } from '../shape.js';
import { viewTensor, type Tensor } from '../tensor/tensor.js';
import type { RepeatCheck, RepeatShape } from '../types/join.js';
import type { DimCheck } from '../types/shape.js';
import { fromTypedArray } from './creation.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { indexSelect } from './indexing.js';
import { expand, flatten, reshape, transpose, unsqueeze } from './view.js';

// ---- repeating

function checkCounts(op: string, name: string, counts: unknown): readonly number[] {
  if (!Array.isArray(counts))
    throw new ArgumentError(`${op}: ${name} must be a list of integers, got ${typeof counts}.`);
  counts.forEach((n: unknown, i) => {
    if (!Number.isInteger(n) || (n as number) < 0)
      throw new ArgumentError(`${op}: ${name}[${i}] must be an integer from 0, got ${String(n)}.`);
  });
  return counts as readonly number[];
}

// One expanded view, copied once: every repeated dimension gets another in front of it.
function repeatDims(op: string, x: Tensor, counts: readonly number[]): Tensor {
  const missing = counts.length - x.shape.length;
  if (counts.length > maxRank) {
    throw new ShapeError(`${op}: the result would have ${counts.length} dimensions, at most ${maxRank} are supported.`);
  }
  const from = [...new Array<number>(missing).fill(1), ...x.shape];
  const result = from.map((n, d) => n * counts[d]);
  const doubled = counts.map((n, d) => (n !== 1 && from[d] !== 1 ? d : -1)).filter((d) => d >= 0);
  if (counts.length + doubled.length > maxRank) {
    // No room for so many dimensions: first one of them, then the others.
    const one = doubled[doubled.length - 1];
    const alone = counts.map((n, d) => (d === one ? n : 1));
    return repeatDims(
      op,
      repeatDims(op, x, alone),
      counts.map((n, d) => (d === one ? 1 : n)),
    );
  }
  const split = from.flatMap((n, d) => (doubled.includes(d) ? [1, n] : [n]));
  const expanded = from.flatMap((n, d) => (doubled.includes(d) ? [counts[d], n] : [n * counts[d]]));
  return reshape(expand(reshape(x, split), expanded) as Tensor, result);
}

/**
 * x repeated `counts[d]` times along each dimension d, a copy. More counts than x has dimensions add dimensions in front.
 *
 * @method
 * @throws ShapeError for fewer counts than dimensions; ArgumentError for a count that is no integer from 0
 * @example
 * tensor([1, 2]).repeat([2, 2]); // [[1, 2, 1, 2], [1, 2, 1, 2]]
 */
export function repeat<S extends Shape, D extends DType, const C extends Shape>(
  x: Tensor<S, D> & RepeatCheck<S, C>,
  counts: C,
): Tensor<RepeatShape<S, C>, D> {
  checkTensor('repeat', 'x', x);
  const checked = checkCounts('repeat', 'counts', counts);
  if (checked.length < x.shape.length) {
    throw new ShapeError(
      `repeat(x ${formatShape(x.shape)}, ${formatShape(checked)}): needs a count for each of the ${x.shape.length} dimensions, got ${checked.length}.`,
    );
  }
  return tidy(() => repeatDims('repeat', x as Tensor, checked)) as unknown as Tensor<RepeatShape<S, C>, D>;
}

/**
 * As `repeat`, but fewer counts than dimensions are those of the last ones.
 *
 * @method
 * @throws ArgumentError for a count that is no integer from 0
 */
export function tile<S extends Shape, D extends DType, const C extends Shape>(
  x: Tensor<S, D>,
  counts: C,
): Tensor<RepeatShape<S, C>, D> {
  checkTensor('tile', 'x', x);
  const checked = checkCounts('tile', 'counts', counts);
  const missing = Math.max(0, x.shape.length - checked.length);
  return tidy(() =>
    repeatDims('tile', x as Tensor, [...new Array<number>(missing).fill(1), ...checked]),
  ) as unknown as Tensor<RepeatShape<S, C>, D>;
}

/**
 * Every slice along a dimension repeated in place: `[a, b]` twice is `[a, a, b, b]`. Without `dim` x is flattened first.
 *
 * @method
 * @param repeats one count for all slices, or an integer tensor with a count for each, which is read at once
 * @throws ShapeError unless a tensor of counts is 1-d (or one count) and fits the dimension; ArgumentError for a count
 *   below 0
 */
export function repeatInterleave<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  repeats: number | Tensor<Shape, 'int64' | 'int32'>,
  dim?: number,
): Tensor<Shape, D> {
  const op = 'repeatInterleave';
  checkTensor(op, 'x', x);
  const base = (dim === undefined || x.shape.length === 0 ? flatten(x as Tensor) : x) as Tensor;
  const d = dim === undefined ? 0 : normalizeDim(op, dim, base.shape.length);
  const size = base.shape[d];
  let count: number;
  if (typeof repeats === 'number') count = repeats;
  else {
    checkTensor(op, 'repeats', repeats);
    const { dtype, shape } = repeats as Tensor;
    if (dtype !== 'int64' && dtype !== 'int32')
      throw new DTypeError(`${op}: repeats must be int64 or int32, got ${dtype}.`);
    if (shape.length > 1 || (shape.length === 1 && shape[0] !== size && shape[0] !== 1)) {
      throw new ShapeError(
        `${op}(x ${formatShape(x.shape)}, repeats ${formatShape(shape)}): repeats must have one count, or one for each of the ${size} slices.`,
      );
    }
    const counts = Array.from(repeats.dataSync(), Number);
    if (counts.length > 1 || size === 1) {
      counts.forEach((n, i) => checkRepeats(n, `repeats[${i}]`));
      const places = new BigInt64Array(counts.reduce((a, b) => a + b, 0));
      let at = 0;
      counts.forEach((n, i) => {
        places.fill(BigInt(i), at, at + n);
        at += n;
      });
      return tidy(() => indexSelect(base, d, fromTypedArray(places, [places.length]))) as Tensor<Shape, D>;
    }
    // No slices, no counts.
    count = counts[0] ?? 1;
  }
  checkRepeats(count, 'repeats');
  return tidy(() => {
    const shape = base.shape.map((n, k) => (k === d ? n * count : n));
    if (base.shape.length === maxRank) {
      const places = BigInt64Array.from({ length: shape[d] }, (_, i) => BigInt(Math.floor(i / count)));
      return indexSelect(base, d, fromTypedArray(places, [places.length]));
    }
    const wide = [...base.shape.slice(0, d + 1), count, ...base.shape.slice(d + 1)];
    return reshape(expand(unsqueeze(base, d + 1), wide) as Tensor, shape);
  }) as Tensor<Shape, D>;
}

function checkRepeats(count: number, name: string): void {
  if (!Number.isInteger(count) || count < 0)
    throw new ArgumentError(`repeatInterleave: ${name} must be an integer from 0, got ${String(count)}.`);
}

// ---- reversing

const flipOp: Op<{ readonly mask: number }> = defineOp({
  name: 'flip',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }, { mask }: { readonly mask: number }) => native.flip(out._handle, x._handle, mask),
  vjp: ([g], _, attributes) => [() => flipOp([g], attributes)],
});

function reverse(op: string, x: Tensor, dims: number | readonly number[]): Tensor {
  const normalized = normalizeDims(op, typeof dims === 'number' ? [dims] : dims, x.shape.length);
  return flipOp([x], { mask: x.shape.length === 0 ? 0 : normalized.reduce((mask, d) => mask | (1 << d), 0) });
}

/**
 * The elements in reverse order along dimensions, a copy.
 *
 * @method
 * @throws ArgumentError if a dimension is named twice; IndexError if it is out of range
 * @example
 * x.flip([0, 1]);
 */
export function flip<S extends Shape, D extends DType, const Dim extends number | readonly number[]>(
  x: Tensor<S, D> & DimCheck<S, Dim>,
  dims: Dim,
): Tensor<S, D> {
  checkTensor('flip', 'x', x);
  return reverse('flip', x, dims) as Tensor<S, D>;
}

/**
 * Columns in reverse order: dimension 1 flipped, a copy.
 *
 * @method
 * @throws ShapeError for fewer than 2 dimensions
 */
export function fliplr<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkTensor('fliplr', 'x', x);
  if (x.shape.length < 2)
    throw new ShapeError(`fliplr: expected at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  return reverse('fliplr', x, 1) as Tensor<S, D>;
}

/**
 * Rows in reverse order: dimension 0 flipped, a copy.
 *
 * @method
 * @throws ShapeError for a scalar
 */
export function flipud<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkTensor('flipud', 'x', x);
  if (x.shape.length < 1) throw new ShapeError('flipud: a scalar has no rows.');
  return reverse('flipud', x, 0) as Tensor<S, D>;
}

/**
 * Matrices in two dimensions turned by `k` times 90 degrees, from the first of `dims` toward the second.
 *
 * @method
 * @throws ShapeError for fewer than 2 dimensions; ArgumentError unless k is an integer and dims are two different ones
 */
export function rot90<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  k = 1,
  dims: readonly number[] = [0, 1],
): Tensor<Shape, D> {
  checkTensor('rot90', 'x', x);
  if (!Number.isInteger(k)) throw new ArgumentError(`rot90: k must be an integer, got ${String(k)}.`);
  const rank = x.shape.length;
  if (rank < 2) throw new ShapeError(`rot90: expected at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  const [a, b, ...more] = normalizeDims('rot90', dims, rank);
  if (b === undefined || more.length > 0)
    throw new ArgumentError(`rot90: dims must name 2 dimensions, got ${formatShape(dims)}.`);
  const base = x as Tensor;
  const turns = ((k % 4) + 4) % 4;
  const turned = (): Tensor => {
    if (turns === 0) return reverse('rot90', base, []);
    if (turns === 2) return reverse('rot90', base, [a, b]);
    return transpose(reverse('rot90', base, turns === 1 ? b : a), a, b);
  };
  return tidy(turned) as Tensor<Shape, D>;
}

// ---- moving round

const rollOp: Op<{ readonly shifts: readonly number[] }> = defineOp({
  name: 'roll',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }, { shifts }: { readonly shifts: readonly number[] }) => {
    if (x.numel > 0) copyRolled(out, x, shifts, 0, out._offset, x._offset, x.shape);
  },
  vjp: ([g], _, { shifts }) => [
    () => rollOp([g], { shifts: shifts.map((shift, d) => (shift === 0 ? 0 : g.shape[d] - shift)) }),
  ],
});

// Each dimension that is rolled is two pieces that change places; `shape` is that of the piece so far.
function copyRolled(
  out: Tensor,
  x: Tensor,
  shifts: readonly number[],
  dim: number,
  outOffset: number,
  xOffset: number,
  shape: Shape,
): void {
  if (dim === shape.length) {
    const to = viewTensor(out, shape, out.strides, outOffset);
    const from = viewTensor(x, shape, x.strides, xOffset);
    native.copy(to._handle, from._handle);
    to.dispose();
    from.dispose();
    return;
  }
  const shift = shifts[dim];
  const size = shape[dim];
  const piece = (length: number, to: number, from: number): void =>
    copyRolled(
      out,
      x,
      shifts,
      dim + 1,
      outOffset + to * out.strides[dim],
      xOffset + from * x.strides[dim],
      shape.map((n, d) => (d === dim ? length : n)),
    );
  if (shift === 0) {
    piece(size, 0, 0);
  } else {
    piece(size - shift, shift, 0);
    piece(shift, 0, size - shift);
  }
}

/**
 * The elements moved along dimensions, those beyond the end coming in again at the start: `shifts` positions toward the
 * end, or toward the start if negative. Without `dims` x is moved as if it were flat.
 *
 * @method
 * @throws ArgumentError unless there is a shift for each dimension
 * @example
 * tensor([1, 2, 3]).roll(1); // [3, 1, 2]
 */
export function roll<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  shifts: number | readonly number[],
  dims?: number | readonly number[],
): Tensor<S, D> {
  checkTensor('roll', 'x', x);
  const list = (value: number | readonly number[]): readonly number[] =>
    Array.isArray(value) ? (value as readonly number[]) : [value as number];
  const by = list(shifts);
  by.forEach((shift) => {
    if (!Number.isInteger(shift)) throw new ArgumentError(`roll: shifts must be integers, got ${String(shift)}.`);
  });
  if (dims === undefined) {
    if (by.length !== 1)
      throw new ArgumentError(`roll: ${by.length} shifts but no dims; name a dimension for each shift.`);
    return tidy(() => reshape(rollBy(flatten(x as Tensor), by, [0]), x.shape as Shape)) as unknown as Tensor<S, D>;
  }
  const along = list(dims);
  if (along.length !== by.length)
    throw new ArgumentError(`roll: ${by.length} shifts but ${along.length} dims; there must be one for each.`);
  const rank = x.shape.length;
  return rollBy(
    x,
    by,
    along.map((dim) => normalizeDim('roll', dim, rank)),
  ) as Tensor<S, D>;
}

function rollBy(x: Tensor, by: readonly number[], along: readonly number[]): Tensor {
  // Shifts of one dimension add up.
  const shifts = x.shape.map((size, d) => {
    const total = along.reduce((sum, dim, i) => (dim === d ? sum + (by[i] % Math.max(1, size)) : sum), 0);
    return size === 0 ? 0 : ((total % size) + size) % size;
  });
  return rollOp([x], { shifts });
}
