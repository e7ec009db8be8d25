// Shape arithmetic at run time. Every op passes through here before its kernel, so these functions allocate nothing but
// their result, and an equal-shape call not even that: shapes are immutable, and may be returned as they came.
import { ArgumentError, IndexError, ShapeError } from './errors.js';
import type { Shape } from './types/shape.js';

export type { Shape } from './types/shape.js';

/** The most dimensions a tensor can have (`kMaxDims` of native/runtime/tensor.h). */
export const maxRank = 8;

const scalarShape: Shape = Object.freeze([]);

/** A shape as it is written in messages: `[2,3]`, and `[]` for a scalar. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(',')}]`;
}

/** True if two shapes have the same dimensions. */
export function shapesEqual(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  const rank = a.length;
  if (b.length !== rank) return false;
  for (let i = 0; i < rank; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined || value === null) {
    return String(value);
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

// Array.isArray would narrow to any[].
function isArray(value: unknown): boolean {
  return Array.isArray(value);
}

function tooLarge(op: string, shape: Shape): ShapeError {
  let product = 1n;
  for (const dim of shape) product *= BigInt(dim);
  return new ShapeError(`${op}: shape ${formatShape(shape)} has ${product} elements, more than 2^53 - 1.`);
}

/**
 * The number of elements of a shape; 1 for a scalar.
 *
 * @param op named in the message
 * @throws ShapeError if the product is above 2^53 - 1, where counting would no longer be exact
 */
export function numel(shape: Shape, op = 'numel'): number {
  let product = 1;
  for (let i = 0; i < shape.length; i++) product *= shape[i];
  if (product > Number.MAX_SAFE_INTEGER) throw tooLarge(op, shape);
  return product;
}

/**
 * Checks a shape that came from a user: an array of at most 8 integers, none negative, their product below 2^53.
 *
 * @returns a copy, so that what the caller does to the array later cannot reach a tensor
 * @throws ArgumentError if it is no array of integers, ShapeError if a dimension is negative or there are too many
 */
export function checkShape(op: string, shape: unknown): Shape {
  if (!Array.isArray(shape)) {
    throw new ArgumentError(`${op}: shape must be an array of integers, got ${show(shape)}.`);
  }
  const dims: readonly unknown[] = shape;
  if (dims.length > maxRank) {
    throw new ShapeError(`${op}: shape has ${dims.length} dimensions, at most ${maxRank} are supported.`);
  }
  let product = 1;
  for (let i = 0; i < dims.length; i++) {
    const dim = dims[i];
    if (typeof dim !== 'number' || !Number.isInteger(dim)) {
      throw new ArgumentError(`${op}: shape[${i}] must be an integer, got ${show(dim)}.`);
    }
    if (dim < 0) throw new ShapeError(`${op}: shape[${i}] is ${dim}, dimensions cannot be negative.`);
    if (dim > Number.MAX_SAFE_INTEGER) throw new ShapeError(`${op}: shape[${i}] is ${dim}, more than 2^53 - 1.`);
    product *= dim;
  }
  if (product > Number.MAX_SAFE_INTEGER) throw tooLarge(op, dims as Shape);
  return (dims as Shape).slice();
}

// ---- Broadcasting

/** The dimension at a distance from the right, 1 beyond the left end. `fromRight` counts from 1. */
function dimFromRight(shape: Shape, fromRight: number): number {
  const at = shape.length - fromRight;
  return at < 0 ? 1 : shape[at];
}

function describe(op: string, names: readonly string[], shapes: readonly Shape[]): string {
  return `${op}(${shapes.map((shape, i) => `${names[i] ?? `input ${i}`} ${formatShape(shape)}`).join(', ')})`;
}

function cannotBroadcast(op: string, names: readonly string[], shapes: readonly Shape[]): ShapeError {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  for (let d = 1; d <= rank; d++) {
    const first = shapes.findIndex((shape) => dimFromRight(shape, d) !== 1);
    if (first < 0) continue;
    const dim = dimFromRight(shapes[first], d);
    const second = shapes.findIndex((shape) => dimFromRight(shape, d) !== 1 && dimFromRight(shape, d) !== dim);
    if (second < 0) continue;
    const where = (i: number): string => `${names[i] ?? `input ${i}`}.shape[-${d}] = ${dimFromRight(shapes[i], d)}`;
    return new ShapeError(`${describe(op, names, shapes)}: cannot broadcast, ${where(first)} but ${where(second)}.`);
  }
  return new ShapeError(`${describe(op, names, shapes)}: cannot broadcast.`);
}

/** The broadcast of two shapes, or null if they do not fit. */
export function tryBroadcast(a: Shape, b: Shape): Shape | null {
  if (shapesEqual(a, b) || b.length === 0) return a;
  if (a.length === 0) return b;
  const rank = a.length > b.length ? a.length : b.length;
  const out = new Array<number>(rank);
  for (let d = 1; d <= rank; d++) {
    const x = dimFromRight(a, d);
    const y = dimFromRight(b, d);
    if (x !== y && x !== 1 && y !== 1) return null;
    out[rank - d] = x === 1 ? y : x;
  }
  return out;
}

/**
 * The shape two arguments broadcast to, aligned at the right, where a dimension of 1 stretches.
 *
 * @throws ShapeError naming the op, both shapes and the two dimensions
 * @example
 * broadcastTwo('add', 'a', [2, 1], 'b', [3]); // [2, 3]
 */
export function broadcastTwo(op: string, nameA: string, a: Shape, nameB: string, b: Shape): Shape {
  const out = tryBroadcast(a, b);
  if (out === null) throw cannotBroadcast(op, [nameA, nameB], [a, b]);
  return out;
}

/**
 * The shape that several arguments broadcast to. As `broadcastTwo`, for any number of them; none gives `[]`.
 *
 * @param names what the arguments are called in messages, in the order of `shapes`
 * @throws ShapeError, e.g. `add(a [2,3], b [4,3]): cannot broadcast, a.shape[-2] = 2 but b.shape[-2] = 4.`
 */
export function broadcastShapes(op: string, names: readonly string[], shapes: readonly Shape[]): Shape {
  let out = shapes.length === 0 ? scalarShape : shapes[0];
  for (let i = 1; i < shapes.length; i++) {
    const next = tryBroadcast(out, shapes[i]);
    if (next === null) throw cannotBroadcast(op, names, shapes);
    out = next;
  }
  return out;
}

/** True if `shape` can be stretched to `target` without changing `target`. */
export function broadcastsTo(shape: Shape, target: Shape): boolean {
  if (shape.length > target.length) return false;
  for (let d = 1; d <= shape.length; d++) {
    const dim = dimFromRight(shape, d);
    if (dim !== 1 && dim !== dimFromRight(target, d)) return false;
  }
  return true;
}

/**
 * The strides with which a tensor of `shape` is read as `target`: 0 along each stretched dimension.
 * `broadcastsTo(shape, target)` must hold.
 */
export function broadcastStrides(shape: Shape, strides: readonly number[], target: Shape): number[] {
  const rank = target.length;
  const out = new Array<number>(rank);
  const lead = rank - shape.length;
  for (let i = 0; i < rank; i++) {
    out[i] = i < lead || (shape[i - lead] === 1 && target[i] !== 1) ? 0 : strides[i - lead];
  }
  return out;
}

/**
 * The shape of `x.expand(newShape)`: -1 keeps a dimension, new dimensions may be added on the left.
 *
 * @throws ShapeError if a dimension that is not 1 would change
 */
export function expandShape(op: string, shape: Shape, newShape: readonly number[]): Shape {
  if (!isArray(newShape)) return checkShape(op, newShape);
  const rank = newShape.length;
  const lead = rank - shape.length;
  if (lead < 0) {
    throw new ShapeError(
      `${op}(a ${formatShape(shape)}, ${formatShape(newShape)}): needs at least ${shape.length} dimensions, got ${rank}.`,
    );
  }
  const out = new Array<number>(rank);
  for (let i = 0; i < rank; i++) {
    const dim = newShape[i];
    const old = i < lead ? -1 : shape[i - lead];
    if (dim === -1) {
      if (old === -1) {
        throw new ShapeError(
          `${op}(a ${formatShape(shape)}, ${formatShape(newShape)}): dimension ${i} is new and cannot be -1.`,
        );
      }
      out[i] = old;
    } else if (old === -1 || old === 1 || old === dim) {
      out[i] = dim;
    } else {
      throw new ShapeError(
        `${op}(a ${formatShape(shape)}, ${formatShape(newShape)}): only dimensions of 1 can expand, ` +
          `a.shape[${i - rank}] = ${old} but ${dim} was asked.`,
      );
    }
  }
  checkShape(op, out);
  return out;
}

// ---- Matrix products

/** True if the dimensions left of the last two broadcast. */
function batchesFit(a: Shape, b: Shape): boolean {
  const rank = a.length > b.length ? a.length : b.length;
  for (let d = 3; d <= rank; d++) {
    const x = dimFromRight(a, d);
    const y = dimFromRight(b, d);
    if (x !== y && x !== 1 && y !== 1) return false;
  }
  return true;
}

function cannotMatmul(op: string, a: Shape, b: Shape, nameA: string, nameB: string): ShapeError {
  const call = describe(op, [nameA, nameB], [a, b]);
  if (a.length === 0 || b.length === 0) {
    const name = a.length === 0 ? nameA : nameB;
    return new ShapeError(`${call}: both need at least 1 dimension, ${name} has none.`);
  }
  const k = a[a.length - 1];
  const fromRight = b.length === 1 ? 1 : 2;
  const kb = b[b.length - fromRight];
  if (k === kb) {
    for (let d = 3; ; d++) {
      const x = dimFromRight(a, d);
      const y = dimFromRight(b, d);
      if (x === y || x === 1 || y === 1) continue;
      return new ShapeError(
        `${call}: cannot broadcast the batch dimensions, ` +
          `${nameA}.shape[-${d}] = ${x} but ${nameB}.shape[-${d}] = ${y}.`,
      );
    }
  }
  let hint = '';
  if (batchesFit(a, b)) {
    if (b.length > 1 && b[b.length - 1] === k) {
      hint = ` Did you mean ${op}(${nameA}, ${nameB}.${b.length > 2 ? 'mT()' : 't()'})?`;
    } else if (a.length > 1 && a[a.length - 2] === kb) {
      hint = ` Did you mean ${op}(${nameA}.${a.length > 2 ? 'mT()' : 't()'}, ${nameB})?`;
    }
  }
  return new ShapeError(
    `${call}: inner dimensions differ, ${nameA}.shape[-1] = ${k} but ${nameB}.shape[-${fromRight}] = ${kb}.${hint}`,
  );
}

/**
 * The shape of a matrix product, as `torch.matmul`: vectors count as a row on the left and a column on the right, and
 * lose that dimension again; dimensions left of the last two are a batch and broadcast.
 *
 * @throws ShapeError, e.g. `matmul(a [2,3], b [4,5]): inner dimensions differ, a.shape[-1] = 3 but b.shape[-2] = 4.`,
 * with a hint when transposing one side would make it fit
 */
export function matmulShape(op: string, a: Shape, b: Shape, nameA = 'a', nameB = 'b'): Shape {
  const ra = a.length;
  const rb = b.length;
  if (ra === 2 && rb === 2) {
    if (a[1] !== b[0]) throw cannotMatmul(op, a, b, nameA, nameB);
    return [a[0], b[1]];
  }
  if (ra === 0 || rb === 0 || a[ra - 1] !== b[rb === 1 ? 0 : rb - 2] || !batchesFit(a, b)) {
    throw cannotMatmul(op, a, b, nameA, nameB);
  }
  const batch = (ra > rb ? ra : rb) - 2;
  const rank = (batch > 0 ? batch : 0) + (ra > 1 ? 1 : 0) + (rb > 1 ? 1 : 0);
  const out = new Array<number>(rank);
  let at = rank;
  if (rb > 1) out[--at] = b[rb - 1]!;
  if (ra > 1) out[--at] = a[ra - 2]!;
  for (let d = 3; at > 0; d++) {
    const x = dimFromRight(a, d);
    out[--at] = x === 1 ? dimFromRight(b, d) : x;
  }
  return out;
}

// ---- Dimension numbers

/**
 * A dimension number from 0, where negative ones count from the end. A scalar accepts 0 and -1, as in PyTorch.
 *
 * @throws ArgumentError if it is no integer, IndexError if it is out of range
 */
export function normalizeDim(op: string, dim: number, rank: number, name = 'dim'): number {
  const bound = rank === 0 ? 1 : rank;
  // First, for tensors and symbols cannot be compared.
  if (!Number.isInteger(dim) || dim < -bound || dim >= bound) throw badDim(op, dim, rank, bound, name);
  return dim < 0 ? dim + bound : dim + 0;
}

function badDim(op: string, dim: unknown, rank: number, bound: number, name: string): Error {
  if (typeof dim !== 'number' || !Number.isInteger(dim)) {
    return new ArgumentError(`${op}: ${name} must be an integer, got ${show(dim)}.`);
  }
  return new IndexError(
    `${op}: ${name} ${dim} is out of range for ${rank} dimensions, expected ${-bound} to ${bound - 1}.`,
  );
}

/**
 * Several dimension numbers from 0, in the order given.
 *
 * @throws as `normalizeDim`, and ArgumentError if one appears twice
 */
export function normalizeDims(op: string, dims: readonly number[], rank: number, name = 'dims'): number[] {
  if (!isArray(dims)) throw new ArgumentError(`${op}: ${name} must be an array of integers, got ${show(dims)}.`);
  const out = new Array<number>(dims.length);
  let seen = 0;
  for (let i = 0; i < dims.length; i++) {
    const dim = normalizeDim(op, dims[i], rank, name);
    if ((seen >> dim) & 1)
      throw new ArgumentError(`${op}: dimension ${dim} appears twice in ${name} [${dims.join(',')}].`);
    seen |= 1 << dim;
    out[i] = dim;
  }
  return out;
}

/**
 * The order of the dimensions in `x.permute(dims)`: each dimension once.
 *
 * @throws as `normalizeDims`, and ArgumentError if some are missing
 */
export function permutation(op: string, dims: readonly number[], rank: number): number[] {
  const out = normalizeDims(op, dims, rank);
  if (out.length !== rank) {
    throw new ArgumentError(`${op}: dims [${dims.join(',')}] must name each of the ${rank} dimensions once.`);
  }
  return out;
}

/**
 * The shape after reducing dimensions; all of them if `dims` is undefined, none if it is empty.
 *
 * @param dims dimension numbers as `normalizeDims` gives them
 * @param keepDim reduced dimensions stay, with size 1
 */
export function reduceShape(shape: Shape, dims: readonly number[] | undefined, keepDim: boolean): Shape {
  const rank = shape.length;
  if (rank === 0) return shape;
  let mask = 0;
  if (dims === undefined) {
    mask = (1 << rank) - 1;
  } else {
    for (let i = 0; i < dims.length; i++) mask |= 1 << dims[i];
  }
  if (mask === 0) return shape;
  const out: number[] = [];
  for (let i = 0; i < rank; i++) {
    if (!((mask >> i) & 1)) out.push(shape[i]);
    else if (keepDim) out.push(1);
  }
  return out;
}

/**
 * The shape of `x.squeeze(dims)`: without the dimensions of 1, all of them or the ones named.
 *
 * @param dims dimension numbers as `normalizeDims` gives them; one that is not of size 1 stays, as in PyTorch
 */
export function squeezeShape(shape: Shape, dims: readonly number[] | undefined): Shape {
  const out: number[] = [];
  for (let i = 0; i < shape.length; i++) {
    if (shape[i] !== 1 || (dims !== undefined && !dims.includes(i))) out.push(shape[i]);
  }
  return out;
}

// ---- Reshape, strides and views

function cannotReshape(op: string, shape: Shape, newShape: readonly number[], why: string): ShapeError {
  return new ShapeError(`${op}(a ${formatShape(shape)}, ${formatShape(newShape)}): ${why}`);
}

/**
 * The shape of `x.reshape(newShape)`, where one dimension may be -1 and is worked out from the rest.
 *
 * @throws ArgumentError if it is no array of integers, ShapeError if the elements do not fit
 */
export function reshapeShape(op: string, shape: Shape, newShape: readonly number[]): Shape {
  if (!isArray(newShape) || !newShape.includes(-1)) {
    const checked = checkShape(op, newShape);
    const total = numel(shape, op);
    const asked = numel(checked, op);
    if (asked !== total) {
      throw cannotReshape(op, shape, newShape, `${total} elements do not fit a shape of ${asked}.`);
    }
    return checked;
  }
  const at = newShape.indexOf(-1);
  if (newShape.includes(-1, at + 1)) {
    throw cannotReshape(op, shape, newShape, 'only one dimension can be -1.');
  }
  const out = [...newShape];
  // 1, so that the others can be checked and multiplied.
  out[at] = 1;
  const known = numel(checkShape(op, out), op);
  const total = numel(shape, op);
  if (known === 0) {
    throw cannotReshape(op, shape, newShape, 'the dimension -1 could be anything beside a dimension of 0.');
  }
  if (total % known !== 0) {
    throw cannotReshape(op, shape, newShape, `${total} elements cannot be divided into parts of ${known}.`);
  }
  out[at] = total / known;
  return out;
}

/**
 * The shape of `x.flatten(start, end)`: dimensions `start` to `end`, both included, become one.
 *
 * @param start a dimension number as `normalizeDim` gives it
 * @param end as `start`
 * @throws ArgumentError if `start` comes after `end`
 */
export function flattenShape(op: string, shape: Shape, start: number, end: number): Shape {
  if (start > end) throw new ArgumentError(`${op}: startDim ${start} comes after endDim ${end}.`);
  if (shape.length === 0) return [1];
  let size = 1;
  for (let i = start; i <= end; i++) size *= shape[i];
  return [...shape.slice(0, start), size, ...shape.slice(end + 1)];
}

/** Row-major strides, in elements. A dimension of 0 counts as 1, as in PyTorch. */
export function contiguousStrides(shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  let stride = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    out[i] = stride;
    if (shape[i] > 1) stride *= shape[i];
  }
  return out;
}

/** True if the elements lie in row-major order without gaps. The stride of a dimension of 1 does not matter. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let stride = 1;
  let contiguous = true;
  for (let i = shape.length - 1; i >= 0; i--) {
    const dim = shape[i];
    if (dim === 0) return true;
    if (dim === 1) continue;
    if (strides[i] !== stride) contiguous = false;
    stride *= dim;
  }
  return contiguous;
}

/**
 * Strides of [N, C, spatial...] with the channels of a position side by side, which is how convolutions, pools and norms
 * like images; of 3 to 5 dimensions.
 */
export function channelsLastStrides(shape: Shape): number[] {
  const out = new Array<number>(shape.length);
  out[1] = 1;
  let stride = Math.max(shape[1], 1);
  for (let d = shape.length - 1; d > 1; d--) {
    out[d] = stride;
    stride *= Math.max(shape[d], 1);
  }
  out[0] = stride;
  return out;
}

/**
 * True if the elements lie as `channelsLastStrides` says and not in row-major order as well. The stride of a dimension of 1
 * does not matter.
 */
export function isChannelsLast(shape: Shape, strides: readonly number[]): boolean {
  if (shape.length < 3 || shape.length > 5 || isContiguous(shape, strides)) return false;
  const wanted = channelsLastStrides(shape);
  return shape.every((size, d) => size === 1 || strides[d] === wanted[d]);
}

/**
 * The strides with which the same elements are seen as `newShape`, or null if only a copy can have that shape. The
 * element counts must be equal.
 *
 * Runs of old dimensions that step evenly act as one long dimension; a view is possible if each run is filled exactly by
 * a run of new dimensions.
 */
export function viewStrides(shape: Shape, strides: readonly number[], newShape: Shape): number[] | null {
  const rank = shape.length;
  let at = newShape.length - 1;
  const out = new Array<number>(at + 1);
  if (rank === 0) return out.fill(1);
  for (let i = 0; i < rank; i++) {
    if (shape[i] === 0) return shapesEqual(shape, newShape) ? [...strides] : contiguousStrides(newShape);
  }
  let step = strides[rank - 1];
  let runSize = 1;
  let filled = 1;
  for (let d = rank - 1; d >= 0; d--) {
    runSize *= shape[d];
    if (d > 0 && (shape[d - 1] === 1 || strides[d - 1] === runSize * step)) continue;
    while (at >= 0 && (filled < runSize || newShape[at] === 1)) {
      out[at] = filled * step;
      filled *= newShape[at];
      at--;
    }
    if (filled !== runSize) return null;
    if (d > 0) step = strides[d - 1]!;
    runSize = 1;
    filled = 1;
  }
  return at < 0 ? out : null;
}
