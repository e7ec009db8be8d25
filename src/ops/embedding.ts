// Tables of vectors: embedding, and sums, means and maxima of bags of rows.
import { noGrad } from '../autograd/mode.js';
import type { DType, FloatDType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { LastDim } from '../types/shape.js';
import { add, div, mul, sub } from './arithmetic.js';
import { eq, gt, where } from './compare.js';
import { cast } from './copy.js';
import { arange, ones, zeros } from './creation.js';
import { checkTensor } from './define.js';
import { checkIndex, embeddingOp, requireFloatInput } from './indexing.js';
import { maskedFill } from './mask.js';
import { vectorNorm } from './norms.js';
import { indexAdd, indexCopy_, scatterReduce } from './scatter.js';
import { searchsorted } from './sort.js';
import { clamp } from './math.js';
import { expand, narrow, reshape, unsqueeze } from './view.js';

/** Options of `embedding`. */
export interface EmbeddingOptions {
  /** The gradient of this row is 0; negative positions count from the end. */
  paddingIdx?: number;
  /** Before it is looked up, a row of a greater norm is scaled down to this one, in place in `weight`. */
  maxNorm?: number;
  /** The order of that norm. Default 2. */
  normType?: number;
  /** Divide the gradients of a row by how often it occurs in `indices`. Default false. */
  scaleGradByFreq?: boolean;
}

type Indices = Tensor<Shape, 'int64' | 'int32'>;

/** The position of a padding row; -1 for none. @internal */
export function paddingRow(op: string, paddingIdx: number | undefined, rows: number): number {
  if (paddingIdx === undefined) return -1;
  if (!Number.isInteger(paddingIdx) || paddingIdx < -rows || paddingIdx >= rows) {
    throw new ArgumentError(
      `${op}: paddingIdx must be an integer from ${-rows} to ${rows - 1}, got ${String(paddingIdx)}.`,
    );
  }
  return paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
}

function checkTable(op: string, weight: Tensor, options: EmbeddingOptions): void {
  checkTensor(op, 'weight', weight);
  if (weight.shape.length !== 2)
    throw new ShapeError(`${op}: weight must be [rows, features], got shape ${formatShape(weight.shape)}.`);
  const { maxNorm, normType = 2, scaleGradByFreq = false } = options;
  if (maxNorm !== undefined && !(maxNorm >= 0))
    throw new ArgumentError(`${op}: maxNorm must be a number >= 0, got ${String(maxNorm)}.`);
  if (typeof normType !== 'number' || Number.isNaN(normType))
    throw new ArgumentError(`${op}: normType must be a number, got ${String(normType)}.`);
  if (maxNorm !== undefined || scaleGradByFreq) requireFloatInput(op, 'weight', weight);
}

// A row that occurs twice is written twice, with the same values.
function limitRows(weight: Tensor, indices: Indices, maxNorm: number, normType: number): void {
  noGrad(() =>
    tidy(() => {
      const flat = reshape(indices, [indices.numel]);
      const rows = embeddingOp([weight, flat], { paddingIdx: -1 });
      const norms: Tensor = vectorNorm(rows, normType, 1, { keepDim: true });
      const scale = where(gt(norms, maxNorm), div(maxNorm, add(norms, 1e-7)), 1);
      indexCopy_(weight, 0, flat as Indices, mul(rows, scale));
    }),
  );
}

function lookUp(op: string, weight: Tensor, indices: Indices, options: EmbeddingOptions): Tensor {
  const { maxNorm, normType = 2, scaleGradByFreq = false } = options;
  const paddingIdx = paddingRow(op, options.paddingIdx, weight.shape[0]);
  if (maxNorm !== undefined && indices.numel > 0) limitRows(weight, indices, maxNorm, normType);
  return embeddingOp([weight, indices], { paddingIdx, byFrequency: scaleGradByFreq });
}

/**
 * The rows of a table: `out[i..., :] = weight[indices[i...], :]`.
 *
 * Shapes: weight `[rows, features]`, indices any -> `[...indices.shape, features]`.
 *
 * @throws ShapeError unless weight has 2 dimensions; ArgumentError for options out of range; IndexError (at the next read)
 *   for an index that is out of range
 */
export function embedding<W extends Shape, D extends DType, I extends Shape>(
  weight: Tensor<W, D>,
  indices: Tensor<I, 'int64' | 'int32'>,
  options: EmbeddingOptions = {},
): Tensor<readonly [...I, LastDim<W>], D> {
  checkIndex('embedding', 'indices', indices);
  checkTable('embedding', weight, options);
  return tidy(() => lookUp('embedding', weight, indices, options)) as unknown as Tensor<readonly [...I, LastDim<W>], D>;
}

/** Options of `embeddingBag`. */
export interface EmbeddingBagOptions extends EmbeddingOptions {
  /** Where each bag starts in `indices`, if they are 1-d: int64 or int32, ascending, the first 0. */
  offsets?: Tensor<Shape, 'int64' | 'int32'>;
  /** How the rows of a bag are combined. Default 'mean'. */
  mode?: 'sum' | 'mean' | 'max';
  /** A factor for each index, of their shape; only for mode 'sum'. */
  perSampleWeights?: Tensor | null;
  /** The last of `offsets` is the end of the last bag. Default false. */
  includeLastOffset?: boolean;
}

// For 1-d indices, the bag of each of them.
function bagsOf(indices: Indices, offsets: Indices, includeLast: boolean): { bags: Indices; count: number } {
  const count = offsets.shape[0] - (includeLast ? 1 : 0);
  const starts = narrow(offsets, 0, 0, count);
  const positions = arange(0, indices.shape[0], 1, { dtype: offsets.dtype, device: indices.device });
  const bags = sub(cast(searchsorted(starts as Tensor, positions as Tensor, { right: true }), 'int64'), 1);
  return { bags: bags as Tensor as Indices, count };
}

/**
 * Sums, means or maxima of bags of rows of a table, without making the caller keep the rows. Bags are the rows of 2-d indices,
 * or what lies between `offsets` of 1-d indices; an empty one gives zeros. Indices equal to `paddingIdx` do not count.
 *
 * Rows of equal maxima share the gradient (PyTorch: the first gets it).
 *
 * Shapes: weight `[rows, features]`, indices `[bags, n]`, or `[n]` with offsets `[bags]` -> `[bags, features]`.
 *
 * @throws ShapeError, DTypeError; ArgumentError for options that do not go together; IndexError (at the next read) for an index
 *   out of range and for offsets that do not start at 0
 * @example
 * nn.functional.embeddingBag(table, tensor([1n, 2n, 4n, 5n]), { offsets: tensor([0n, 3n]), mode: 'sum' });
 */
export function embeddingBag<D extends FloatDType>(
  weight: Tensor<Shape, D>,
  indices: Tensor<Shape, 'int64' | 'int32'>,
  options: EmbeddingBagOptions = {},
): Tensor<Shape, D> {
  const op = 'embeddingBag';
  checkIndex(op, 'indices', indices);
  requireFloatInput(op, 'weight', weight);
  checkTable(op, weight, options);
  const { mode = 'mean', offsets, perSampleWeights = null, includeLastOffset = false, scaleGradByFreq } = options;
  if (mode !== 'sum' && mode !== 'mean' && mode !== 'max')
    throw new ArgumentError(`${op}: mode must be 'sum', 'mean' or 'max', got ${JSON.stringify(mode)}.`);
  if (mode === 'max' && scaleGradByFreq === true)
    throw new ArgumentError(`${op}: scaleGradByFreq has no meaning for mode 'max'.`);
  checkBags(indices, offsets, includeLastOffset);
  if (perSampleWeights !== null) checkWeights(weight, indices, perSampleWeights, mode);
  const padding = paddingRow(op, options.paddingIdx, weight.shape[0]);
  return tidy(() => {
    let bags: Indices;
    let count: number;
    if (indices.shape.length === 1) ({ bags, count } = bagsOf(indices, offsets!, includeLastOffset));
    else {
      count = indices.shape[0];
      const column = unsqueeze(arange(0, count, 1, { dtype: 'int64', device: indices.device }) as Tensor, 1);
      bags = reshape(expand(column, indices.shape), [indices.numel]) as Indices;
    }
    const flat = reshape(indices, [indices.numel]) as Indices;
    const padded = padding < 0 ? null : (unsqueeze(eq(flat, padding) as Tensor, 1) as Tensor<Shape, 'bool'>);
    let rows = lookUp(op, weight, flat, options);
    if (perSampleWeights !== null) rows = mul(rows, reshape(perSampleWeights, [indices.numel, 1]) as Tensor);
    if (padded !== null) rows = maskedFill(rows, padded, mode === 'max' ? -Infinity : 0);
    const { dtype, device } = weight;
    const none: Tensor = zeros([count, weight.shape[1]], { dtype, device });
    if (mode === 'sum') return indexAdd(none, 0, bags, rows);
    const total =
      mode === 'mean'
        ? indexAdd(none, 0, bags, rows)
        : scatterReduce(none, 0, expand(unsqueeze(bags as Tensor, 1), rows.shape) as Indices, rows, {
            reduce: 'amax',
            includeSelf: false,
          });
    if (mode === 'max' && padded === null) return total;
    const one: Tensor = ones([indices.numel, 1], { dtype, device });
    const counted = padded === null ? one : maskedFill(one, padded, 0);
    const sizes = indexAdd(zeros([count, 1], { dtype, device }) as Tensor, 0, bags, counted);
    return mode === 'mean' ? div(total, clamp(sizes, { min: 1 })) : where(eq(sizes, 0), 0, total);
  }) as Tensor<Shape, D>;
}

function checkBags(indices: Tensor, offsets: Tensor | undefined, includeLast: boolean): void {
  const op = 'embeddingBag';
  const rank = indices.shape.length;
  if (rank !== 1 && rank !== 2)
    throw new ShapeError(`${op}: indices must have 1 or 2 dimensions, got shape ${formatShape(indices.shape)}.`);
  if (rank === 2) {
    if (offsets !== undefined)
      throw new ArgumentError(`${op}: indices ${formatShape(indices.shape)} are bags by row; leave out offsets.`);
    return;
  }
  if (offsets === undefined)
    throw new ArgumentError(`${op}: indices ${formatShape(indices.shape)} of 1 dimension need { offsets }.`);
  checkIndex(op, 'offsets', offsets);
  if (offsets.shape.length !== 1)
    throw new ShapeError(`${op}: offsets must have 1 dimension, got shape ${formatShape(offsets.shape)}.`);
  if (includeLast && offsets.shape[0] === 0)
    throw new ShapeError(`${op}: with includeLastOffset there must be at least one offset.`);
}

function checkWeights(weight: Tensor, indices: Tensor, perSampleWeights: Tensor, mode: string): void {
  const op = 'embeddingBag';
  checkTensor(op, 'perSampleWeights', perSampleWeights);
  if (mode !== 'sum')
    throw new ArgumentError(`${op}: perSampleWeights are only for mode 'sum', the mode is '${mode}'.`);
  if (perSampleWeights.dtype !== weight.dtype)
    throw new DTypeError(
      `${op}: perSampleWeights are ${perSampleWeights.dtype} and weight ${weight.dtype}; convert one.`,
    );
  if (formatShape(perSampleWeights.shape) !== formatShape(indices.shape)) {
    throw new ShapeError(
      `${op}(indices ${formatShape(indices.shape)}, perSampleWeights ${formatShape(perSampleWeights.shape)}): the shapes must be equal.`,
    );
  }
}
