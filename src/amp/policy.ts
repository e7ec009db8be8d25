// Which operations `autocast` runs in 16 bits, which in float32, and which in the widest type that they are given: PyTorch's
// lists for its CUDA device, by the names that ops have here; recurrent layers and cells are sequences.
import { isGradEnabled } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { keep, untracked } from '../memory.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { autocastState, withAutocast, type AutocastState } from './state.js';

/** Products: they take most of the time, and their sums are in float32 whatever goes in. @internal */
export const lowerPrecision: ReadonlySet<string> = new Set([
  'matmul',
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'convTranspose1d',
  'convTranspose2d',
  'convTranspose3d',
  'scaledDotProductAttention',
  'lstmSequence',
  'gruSequence',
  'rnnSequence',
  'addmm',
  'addmv',
  'addr',
  'addbmm',
  'baddbmm',
]);

/** What leaves the range of 16 bits, or adds up many numbers. @internal */
export const fullPrecision: ReadonlySet<string> = new Set([
  'acos',
  'asin',
  'cosh',
  'sinh',
  'tan',
  'erfinv',
  'exp',
  'expm1',
  'log',
  'log10',
  'log1p',
  'log2',
  'pow',
  'reciprocal',
  'rsqrt',
  'softplus',
  'cumprod',
  'cumsum',
  'prod',
  'sum',
  'logsumexp',
  'softmax',
  'vectorNorm',
  'cdist',
  'layerNorm',
  'groupNorm',
  'rmsNorm',
  'crossEntropy',
  'mseLoss',
  'l1Loss',
  'smoothL1Loss',
  'huberLoss',
  'binaryCrossEntropy',
  'binaryCrossEntropyWithLogits',
  'klDiv',
  'poissonNllLoss',
  'gaussianNllLoss',
  'hingeEmbeddingLoss',
  'softMarginLoss',
  'marginRankingLoss',
  'cosineEmbeddingLoss',
  'tripletMarginLoss',
  'multiMarginLoss',
  'multilabelMarginLoss',
  'ctcLoss',
]);

/** What takes operands of one type only. @internal */
export const widestPrecision: ReadonlySet<string> = new Set([
  'addcdiv',
  'addcmul',
  'atan2',
  'cat',
  'cross',
  'gridSample',
  'indexPut',
  'prelu',
  'scatterAdd',
]);

type Cast = (x: Tensor, dtype: DType) => Tensor;
let cast: Cast | null = null;

/** Called by the op itself, which this file cannot import. @internal */
export function provideCast(op: Cast): void {
  cast = op;
}

// float64 was asked for, and stays.
const isEligible = (x: unknown): x is Tensor => isTensor(x) && isFloating(x.dtype) && x.dtype !== 'float64';

function wanted(op: string, operands: readonly unknown[], state: AutocastState): DType | null {
  if (lowerPrecision.has(op)) return state.dtype;
  if (fullPrecision.has(op)) return 'float32';
  if (!widestPrecision.has(op)) return null;
  const dtypes = new Set(operands.filter(isEligible).map(({ dtype }) => dtype));
  return dtypes.size > 1 ? 'float32' : null;
}

function cached(x: Tensor, dtype: DType, cache: Map<Tensor, Tensor>): Tensor {
  let copy = cache.get(x);
  if (copy === undefined) cache.set(x, (copy = untracked(() => keep(cast!(x, dtype)))));
  return copy;
}

/**
 * Runs an operation on its operands as `autocast` wants them.
 *
 * @internal
 */
export function autocastTo<O, R>(op: string, operands: readonly O[], run: (operands: readonly O[]) => R): R {
  const state = autocastState();
  if (state === null) return run(operands);
  const dtype = wanted(op, operands, state);
  if (dtype === null || !operands.some((x) => isEligible(x) && x.dtype !== dtype)) return run(operands);
  const made: Tensor[] = [];
  const converted = operands.map((x) => {
    if (!isEligible(x) || x.dtype === dtype) return x;
    // Made without recording, a copy would have no gradient later.
    const isWeight = x._requiresGrad && x._node === null && !x._isView && dtype === state.dtype && isGradEnabled();
    if (isWeight && state.cache !== null) return cached(x, dtype, state.cache) as O;
    const copy = cast!(x, dtype);
    made.push(copy);
    return copy as O;
  });
  try {
    return run(converted);
  } finally {
    // What the graph has saved of them stays.
    for (const copy of made) copy.dispose();
  }
}

/**
 * The same for an operation that is made of others: they compute in what `autocast` wants for the whole of it.
 *
 * @internal
 */
export const autocastWhole = <O, R>(op: string, operands: readonly O[], run: (operands: readonly O[]) => R): R =>
  autocastTo(op, operands, (converted) => withAutocast(null, () => run(converted)));
