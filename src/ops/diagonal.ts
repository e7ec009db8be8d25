// Diagonals and triangles of matrices.
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, IndexError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, maxRank, normalizeDim, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { cat } from './join.js';
import { cast, clone } from './copy.js';
import { fromTypedArray } from './creation.js';
import { checkTensor, defineOp, filledTensor, type Op } from './define.js';
import { makeView, reshape } from './view.js';
import { intoZeros } from './window.js';

function checkInteger(op: string, name: string, value: unknown): void {
  if (!Number.isInteger(value)) throw new ArgumentError(`${op}: ${name} must be an integer, got ${String(value)}.`);
}

function twoDims(op: string, rank: number, dim1: number, dim2: number): [number, number] {
  const a = normalizeDim(op, dim1, rank, 'dim1');
  const b = normalizeDim(op, dim2, rank, 'dim2');
  if (a === b) throw new ArgumentError(`${op}: dim1 and dim2 are both dimension ${a}; a diagonal needs two.`);
  return [a, b];
}

/**
 * A diagonal of the matrices in dimensions `dim1` and `dim2`, as a view: those two are removed, the diagonal becomes the
 * last dimension. `offset` 1 is the diagonal above the main one, -1 the one below.
 *
 * @method
 * @throws IndexError for dimension numbers out of range; ArgumentError if they are the same
 * @example
 * x.diagonal().fill_(0); // in place, of a matrix
 */
export function diagonal<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  offset = 0,
  dim1 = 0,
  dim2 = 1,
): Tensor<Shape, D> {
  checkTensor('diagonal', 'x', x);
  checkInteger('diagonal', 'offset', offset);
  const rank = x.shape.length;
  if (rank < 2) throw new IndexError(`diagonal: expected at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  const [a, b] = twoDims('diagonal', rank, dim1, dim2);
  const { strides } = x;
  const rows = x.shape[a] - Math.max(0, -offset);
  const columns = x.shape[b] - Math.max(0, offset);
  const length = Math.max(0, Math.min(rows, columns));
  const start = length === 0 ? 0 : Math.max(0, -offset) * strides[a] + Math.max(0, offset) * strides[b];
  const others = <T>(list: readonly T[]): T[] => list.filter((_, d) => d !== a && d !== b);
  const from: Shape = x.shape;
  return makeView(
    'diagonal',
    x,
    [...others(x.shape), length],
    [...others(strides), strides[a] + strides[b]],
    x._offset + start,
    (g) => intoZeros(g, from, (y) => diagonal(y, offset, a, b)),
  ) as Tensor<Shape, D>;
}

/**
 * A vector as the diagonal of a square matrix of zeros, or a copy of a diagonal of a matrix.
 *
 * @method
 * @throws ShapeError unless x has 1 or 2 dimensions
 * @example
 * diag(tensor([1, 2])); // [[1, 0], [0, 2]]
 */
export function diag<S extends Shape, D extends DType>(x: Tensor<S, D>, offset = 0): Tensor<Shape, D> {
  checkTensor('diag', 'x', x);
  checkInteger('diag', 'offset', offset);
  const rank = x.shape.length;
  if (rank === 1) return diagEmbed(x, offset);
  if (rank === 2) return tidy(() => clone(diagonal(x, offset)));
  throw new ShapeError(`diag: expected a vector or a matrix, got shape ${formatShape(x.shape)}; see diagonal().`);
}

/**
 * Zeros with x's last dimension on a diagonal of the matrices in dimensions `dim1` and `dim2` of the result, which has a
 * dimension more than x.
 *
 * Shapes: `[..., n]` -> `[..., n + |offset|, n + |offset|]`.
 *
 * @method
 * @throws ShapeError for a scalar; ArgumentError if dim1 and dim2 are the same
 */
export function diagEmbed<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  offset = 0,
  dim1 = -2,
  dim2 = -1,
): Tensor<Shape, D> {
  checkTensor('diagEmbed', 'x', x);
  checkInteger('diagEmbed', 'offset', offset);
  const rank = x.shape.length;
  if (rank === 0) throw new ShapeError('diagEmbed: a scalar has no diagonal.');
  if (rank === maxRank) {
    throw new ShapeError(
      `diagEmbed: x of shape ${formatShape(x.shape)} has ${rank} dimensions already, the most a tensor can have.`,
    );
  }
  const [a, b] = twoDims('diagEmbed', rank + 1, dim1, dim2);
  const size = x.shape[rank - 1] + Math.abs(offset);
  const rest = x.shape.slice(0, -1);
  const shape = Array.from({ length: rank + 1 }, (_, d) => (d === a || d === b ? size : rest.shift()!));
  return intoZeros(x, shape, (y) => diagonal(y, offset, a, b)) as Tensor<Shape, D>;
}

type TriangleOp = Op<{ readonly diagonal: number }>;

function defineTriangle(name: string, upper: boolean): TriangleOp {
  const op: TriangleOp = defineOp({
    name,
    inputs: ['x'],
    shape: ({ x }) => x.shape,
    forward: ([out], { x }, { diagonal }: { readonly diagonal: number }) =>
      native.triangle(out._handle, x._handle, diagonal, upper),
    vjp: ([g], _, attributes) => [() => op([g], attributes)],
  });
  return op;
}

const trilOp = defineTriangle('tril', false);
const triuOp = defineTriangle('triu', true);

function triangle(op: string, run: TriangleOp, x: Tensor, diagonal: number): Tensor {
  checkTensor(op, 'x', x);
  checkInteger(op, 'diagonal', diagonal);
  if (x.shape.length < 2)
    throw new ShapeError(`${op}: expected at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  return run([x], { diagonal });
}

/**
 * The lower triangles of matrices `[..., n, m]`: zeros above the diagonal number `diagonal` (0: the main one, 1: the one
 * above it).
 *
 * @method
 * @throws ShapeError for fewer than 2 dimensions
 */
export function tril<S extends Shape, D extends DType>(x: Tensor<S, D>, diagonal = 0): Tensor<S, D> {
  return triangle('tril', trilOp, x, diagonal) as Tensor<S, D>;
}

/**
 * The upper triangles of matrices `[..., n, m]`: zeros below the diagonal number `diagonal` (0: the main one, 1: the one
 * above it).
 *
 * @method
 * @throws ShapeError for fewer than 2 dimensions
 */
export function triu<S extends Shape, D extends DType>(x: Tensor<S, D>, diagonal = 0): Tensor<S, D> {
  return triangle('triu', triuOp, x, diagonal) as Tensor<S, D>;
}

/** Options of `trilIndices` and `triuIndices`. */
export interface TriangleIndicesOptions {
  /** Default 'int64'. */
  dtype?: 'int64' | 'int32';
}

function triangleIndices(
  op: string,
  rows: number,
  columns: number,
  offset: number,
  upper: boolean,
  { dtype = 'int64' }: TriangleIndicesOptions,
): Tensor<readonly [2, number], 'int64' | 'int32'> {
  for (const [name, value] of [
    ['rows', rows],
    ['columns', columns],
  ] as const) {
    if (!Number.isInteger(value) || value < 0)
      throw new ArgumentError(`${op}: ${name} must be an integer from 0, got ${String(value)}.`);
  }
  checkInteger(op, 'offset', offset);
  if (dtype !== 'int64' && dtype !== 'int32')
    throw new DTypeError(`${op}: dtype must be int64 or int32, got ${String(dtype)}.`);
  const range = (row: number): [number, number] => {
    const edge = Math.min(columns, Math.max(0, row + offset + (upper ? 0 : 1)));
    return upper ? [edge, columns] : [0, edge];
  };
  let count = 0;
  for (let row = 0; row < rows; row++) count += range(row)[1] - range(row)[0];
  const places = new BigInt64Array(2 * count);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const [from, to] = range(row);
    for (let column = from; column < to; column++, at++) {
      places[at] = BigInt(row);
      places[count + at] = BigInt(column);
    }
  }
  return cast(fromTypedArray(places, [2, count] as const), dtype);
}

/**
 * The coordinates of the elements that `tril` keeps of a `[rows, columns]` matrix, in row-major order: a row of row numbers
 * and a row of column numbers.
 *
 * @throws ArgumentError unless rows and columns are integers from 0
 */
export function trilIndices(
  rows: number,
  columns: number,
  offset = 0,
  options: TriangleIndicesOptions = {},
): Tensor<readonly [2, number], 'int64' | 'int32'> {
  return triangleIndices('trilIndices', rows, columns, offset, false, options);
}

/**
 * The coordinates of the elements that `triu` keeps of a `[rows, columns]` matrix, in row-major order: a row of row numbers
 * and a row of column numbers.
 *
 * @throws ArgumentError unless rows and columns are integers from 0
 */
export function triuIndices(
  rows: number,
  columns: number,
  offset = 0,
  options: TriangleIndicesOptions = {},
): Tensor<readonly [2, number], 'int64' | 'int32'> {
  return triangleIndices('triuIndices', rows, columns, offset, true, options);
}

/**
 * A matrix of zeros with the given matrices on its diagonal, one after the other. A vector counts as a row, a scalar as a
 * 1 x 1 matrix. Dtypes are promoted.
 *
 * @throws ShapeError for more than 2 dimensions
 */
export function blockDiag<D extends DType>(...matrices: Tensor<Shape, D>[]): Tensor<readonly [number, number], D> {
  if (matrices.length === 0) throw new ArgumentError('blockDiag: expected at least one tensor.');
  return tidy(() => {
    const blocks = matrices.map((matrix, i) => {
      checkTensor('blockDiag', `matrices[${i}]`, matrix);
      const { shape } = matrix as Tensor;
      if (shape.length > 2) {
        throw new ShapeError(
          `blockDiag: matrices[${i}] has shape ${formatShape(shape)}; expected at most 2 dimensions.`,
        );
      }
      return (matrix as Tensor).reshape([shape.length === 2 ? shape[0] : 1, shape[shape.length - 1] ?? 1]);
    });
    const columns = blocks.reduce((n, { shape }) => n + shape[1], 0);
    let before = 0;
    const rows = blocks.map((block) => {
      const zeros = (n: number): Tensor => filledTensor('blockDiag', [block.shape[0], n], block.dtype, block.device, 0);
      const row = cat([zeros(before), block as Tensor, zeros(columns - before - block.shape[1])], 1);
      before += block.shape[1];
      return row;
    });
    return cat(rows, 0);
  }) as Tensor<readonly [number, number], D>;
}

/**
 * The matrix with the elements of x, in row-major order, on a diagonal: 0 the main one, positive above it.
 *
 * @method
 * @throws ArgumentError unless offset is an integer
 * @example
 * diagflat(tensor([1, 2])); // [[1, 0], [0, 2]]
 */
export function diagflat<D extends DType>(x: Tensor<Shape, D>, offset = 0): Tensor<readonly [number, number], D> {
  checkTensor('diagflat', 'x', x);
  return tidy(() => diag(reshape(x as Tensor, [x.numel]), offset)) as unknown as Tensor<readonly [number, number], D>;
}
