// What the functions of `linalg` share: argument checks, triangles, batches.
import type { DType } from '../dtype.js';
import { DTypeError, ShapeError } from '../errors.js';
import { where } from '../ops/compare.js';
import { arange } from '../ops/creation.js';
import { ge } from '../ops/compare.js';
import { checkTensor } from '../ops/define.js';
import { expand, unsqueeze } from '../ops/view.js';
import { broadcastTwo, formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** Refuses all but float32 and float64 tensors of two dimensions or more. */
export function checkMatrix(op: string, name: string, x: Tensor): void {
  checkTensor(op, name, x);
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new DTypeError(`${op}: ${name} must be float32 or float64, got ${x.dtype}; convert it with to('float32').`);
  }
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}: ${name} must have at least 2 dimensions, got shape ${formatShape(x.shape)}.`);
  }
}

/** Refuses matrices that are not square, too. */
export function checkSquare(op: string, name: string, x: Tensor): void {
  checkMatrix(op, name, x);
  if (rowsOf(x) !== columnsOf(x)) {
    throw new ShapeError(`${op}: ${name} must be a batch of square matrices, got shape ${formatShape(x.shape)}.`);
  }
}

/** Refuses two operands of different dtypes. */
export function checkSameFloat(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  if (a.dtype !== b.dtype) {
    const dtype: DType = a.dtype;
    throw new DTypeError(
      `${op}(${nameA} ${dtype}${formatShape(a.shape)}, ${nameB} ${b.dtype}${formatShape(b.shape)}): the dtypes differ; ` +
        `convert one, e.g. ${nameB}.to('${dtype}').`,
    );
  }
}

/** The number of rows of each matrix. */
export const rowsOf = (x: { readonly shape: Shape }): number => x.shape[x.shape.length - 2];
/** The number of columns of each matrix. */
export const columnsOf = (x: { readonly shape: Shape }): number => x.shape[x.shape.length - 1];
/** The dimensions in front of a matrix. */
export const batchOf = (x: { readonly shape: Shape }): Shape => x.shape.slice(0, -2);

/** The same matrices for each item of a batch. */
export function expandBatch(x: Tensor, batch: Shape): Tensor {
  return shapesEqual(batchOf(x), batch) ? x : expand(x, [...batch, rowsOf(x), columnsOf(x)]);
}

/** Two operands with their batches broadcast together. */
export function broadcastBatches(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): [Tensor, Tensor] {
  const batch = broadcastTwo(op, `batch of ${nameA}`, batchOf(a), `batch of ${nameB}`, batchOf(b));
  return [expandBatch(a, batch), expandBatch(b, batch)];
}

/** Matrices with zeros above (`lower`) or below (`upper`) the diagonal of the given number, 0 being the main one. */
export function triangle(x: Tensor, part: 'lower' | 'upper', diagonal = 0): Tensor {
  const row = unsqueeze(arange(0, rowsOf(x), 1, { dtype: 'int64', device: x.device }) as Tensor, -1);
  const column = arange(0, columnsOf(x), 1, { dtype: 'int64', device: x.device }) as Tensor;
  const inside = part === 'lower' ? ge(row.add(diagonal), column) : ge(column, row.add(diagonal));
  return where(inside, x, 0);
}
