// Connectionist temporal classification. Kernels: native/cpu/ctc.cpp.
import { ArgumentError, DTypeError, GradError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { div } from '../ops/arithmetic.js';
import { cast, contiguous } from '../ops/copy.js';
import { fromTypedArray } from '../ops/creation.js';
import { checkSameDevice, checkTensor, defineMultiOp, defineOp, type MultiOp, type Op } from '../ops/define.js';
import { clamp } from '../ops/math.js';
import { mean, sum } from '../ops/reduce.js';
import { requireFloat } from '../ops/require.js';
import { reshape, unsqueeze } from '../ops/view.js';
import { formatShape, numel } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Loss } from './losses.js';
import { checkReduction, type LossOptions } from './reduction.js';

/** Options of `ctcLoss`. */
export interface CTCLossOptions extends LossOptions {
  /** The class that stands for no label. Default 0. */
  blank?: number;
  /** Make infinite losses, of targets too long for their input, and their gradients 0. Default false. */
  zeroInfinity?: boolean;
}

interface Attributes {
  readonly blank: number;
  readonly zeroInfinity: boolean;
}

const operands = ['logProbs', 'targets', 'inputLengths', 'targetLengths'] as const;

const ctcBackwardOp: Op<Attributes> = defineOp({
  name: 'ctcLossBackward',
  inputs: ['g', 'alpha', ...operands],
  shape: ({ logProbs }) => logProbs.shape,
  dtype: ({ logProbs }) => logProbs.dtype,
  forward: ([out], { g, alpha, logProbs, targets, inputLengths, targetLengths }, { blank, zeroInfinity }: Attributes) =>
    native.ctcLossBackward(
      out._handle,
      g._handle,
      alpha._handle,
      logProbs._handle,
      targets._handle,
      inputLengths._handle,
      targetLengths._handle,
      blank,
      zeroInfinity,
    ),
  vjp: () => {
    throw new GradError('ctcLoss: there is no second derivative; call backward() without createGraph.');
  },
});

// The losses of the batch, and the log likelihoods of the beginnings of all alignments.
const ctcOp: MultiOp<Attributes> = defineMultiOp({
  name: 'ctcLoss',
  inputs: operands,
  saves: ['out1', ...operands],
  outputs: ({ logProbs, targets }) => {
    const [frames, batch] = logProbs.shape;
    return [
      { shape: [batch], dtype: logProbs.dtype },
      { shape: [frames * (2 * numel(targets.shape) + batch)], dtype: 'float64' },
    ];
  },
  forward: ([loss, alpha], { logProbs, targets, inputLengths, targetLengths }, { blank, zeroInfinity }) =>
    native.ctcLoss(
      loss._handle,
      alpha._handle,
      logProbs._handle,
      targets._handle,
      inputLengths._handle,
      targetLengths._handle,
      blank,
      zeroInfinity,
    ),
  vjp: ([g], { out1, logProbs, targets, inputLengths, targetLengths }, attributes) => [
    () => ctcBackwardOp([g, out1, logProbs, targets, inputLengths, targetLengths], attributes),
    null,
    null,
    null,
  ],
});

/** Lengths of sequences: a number for each, or for one sequence just its own. */
export type Lengths = Tensor | readonly number[] | number;

const isInteger = (t: Tensor): boolean => t.dtype === 'int64' || t.dtype === 'int32';

// Numbers are checked here, tensors by the kernel: reading them would mean waiting.
function lengthsOf(
  name: string,
  given: Lengths,
  batch: number,
  most: number,
  logProbs: Tensor,
): { readonly tensor: Tensor; readonly total: number | null } {
  if (typeof given === 'number' || Array.isArray(given)) {
    const list = typeof given === 'number' ? [given] : (given as readonly number[]);
    if (list.length !== batch)
      throw new ShapeError(`ctcLoss: ${name} has ${list.length} numbers, for a batch of ${batch}.`);
    list.forEach((value, n) => {
      if (!Number.isInteger(value) || value < 0 || value > most) {
        throw new ArgumentError(`ctcLoss: ${name}[${n}] must be an integer from 0 to ${most}, got ${String(value)}.`);
      }
    });
    const tensor = fromTypedArray(BigInt64Array.from(list, BigInt), [batch], { device: logProbs.device }) as Tensor;
    return { tensor, total: list.reduce((a, b) => a + b, 0) };
  }
  const lengths = given as Tensor;
  checkTensor('ctcLoss', name, lengths);
  checkSameDevice('ctcLoss', 'logProbs', logProbs, name, lengths);
  if (!isInteger(lengths)) throw new DTypeError(`ctcLoss: ${name} must be int64 or int32, got ${lengths.dtype}.`);
  if (lengths.shape.length > 1 || lengths.numel !== batch) {
    throw new ShapeError(`ctcLoss: ${name} has shape ${formatShape(lengths.shape)}, for a batch of ${batch}.`);
  }
  return { tensor: contiguous(reshape(cast(lengths, 'int64'), [batch])), total: null };
}

/**
 * The loss of connectionist temporal classification (Graves et al. 2006): `-log` of the probability of the target labels,
 * summed over all ways to align them with the frames of the input. With `reduction: 'mean'` each loss is divided by its
 * target's length (at least 1) before they are averaged. Computed in float64 whatever the dtype of the input.
 *
 * The gradient is that of PyTorch, which takes `logProbs` for the result of a `logSoftmax`: of what enters that, it is
 * exact. It has no second derivative.
 *
 * Shapes: logProbs `[T, N, C]`; targets `[N, S]`, padded, or all of them in one row; lengths `[N]`; the result with
 * `'none'` `[N]`. Or for one sequence `[T, C]`, `[S]`, `[]`, `[]`.
 *
 * @param targets int64 or int32; none may be the blank
 * @param inputLengths how many frames of each sequence count
 * @param targetLengths how many labels each target has
 * @throws ShapeError, DTypeError, ArgumentError; IndexError (at the next read) for targets that are no class and for
 *   lengths in tensors that are out of range
 * @example
 * const logProbs = nn.functional.logSoftmax(randn([50, 2, 20]), -1);
 * const loss = nn.functional.ctcLoss(logProbs, tensor([3, 5, 5, 7], { dtype: 'int64' }), [50, 40], [3, 1]);
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options: CTCLossOptions = {},
): Loss {
  const { reduction = 'mean', blank = 0, zeroInfinity = false } = options;
  checkReduction('ctcLoss', reduction);
  requireFloat('ctcLoss', 'logProbs', logProbs);
  checkTensor('ctcLoss', 'targets', targets);
  checkSameDevice('ctcLoss', 'logProbs', logProbs, 'targets', targets);
  const rank = logProbs.shape.length;
  if (rank !== 2 && rank !== 3) {
    throw new ShapeError(`ctcLoss: logProbs must be [T, N, C] or [T, C], got ${formatShape(logProbs.shape)}.`);
  }
  if (!isInteger(targets)) throw new DTypeError(`ctcLoss: targets must be int64 or int32, got ${targets.dtype}.`);
  const [frames] = logProbs.shape;
  const batch = rank === 2 ? 1 : logProbs.shape[1];
  const classes = logProbs.shape[rank - 1];
  const rows = targets.shape.length === 2;
  if (targets.shape.length !== 1 && !(rows && targets.shape[0] === batch)) {
    throw new ShapeError(
      `ctcLoss(logProbs ${formatShape(logProbs.shape)}, targets ${formatShape(targets.shape)}): targets must be [${batch}, S], or all in one row.`,
    );
  }
  if (!Number.isInteger(blank) || blank < 0 || blank >= classes) {
    throw new ArgumentError(`ctcLoss: blank must be one of the ${classes} classes, got ${String(blank)}.`);
  }
  return tidy(() => {
    const most = rows ? targets.shape[1] : targets.numel;
    const inputs = lengthsOf('inputLengths', inputLengths, batch, frames, logProbs);
    const lengths = lengthsOf('targetLengths', targetLengths, batch, most, logProbs);
    // A single target may be padded too.
    const padded = rows || batch === 1 ? reshape(targets, [batch, most]) : targets;
    if (padded.shape.length === 1 && lengths.total !== null && lengths.total !== most) {
      throw new ShapeError(
        `ctcLoss: targetLengths add up to ${lengths.total}, and there are ${most} targets in the row.`,
      );
    }
    const x = rank === 2 ? unsqueeze(logProbs, 1) : logProbs;
    const values = contiguous(cast(padded, 'int64'));
    const [losses] = ctcOp([x, values, inputs.tensor, lengths.tensor], { blank, zeroInfinity });
    if (reduction === 'sum') return sum(losses);
    if (reduction === 'none') return (rank === 2 ? reshape(losses, []) : losses) as Loss;
    return mean(div(losses, cast(clamp(lengths.tensor, { min: 1 }), losses.dtype)) as Loss);
  });
}
