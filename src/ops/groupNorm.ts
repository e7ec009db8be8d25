// Normalisation of groups of channels of an item, and of single channels. Contiguous images are rows
// (native/cpu/normalize_rows.cpp); channels-last ones have a kernel of their own, native/cpu/normalize_groups.cpp.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, numel, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { blend, checkMomentum, checkRunning, withGiven } from './batchNorm.js';
import { cast } from './copy.js';
import { defineMultiOp, type MultiOp } from './define.js';
import { requireFloatInput } from './indexing.js';
import { normalizeRows } from './layerNorm.js';
import {
  besideChannels,
  checkEps,
  checkParameter,
  computeType,
  gradientOf,
  handleOf,
  handOut,
  imageOperand,
  inOrderOf,
  operand,
  perChannel,
  product,
  requireChannels,
  standardized,
  wanted,
} from './normShared.js';
import { mean, sum, varMean } from './reduce.js';
import { reshape } from './view.js';

const groupsBackward = defineMultiOp({
  name: 'normalizeGroupsBackward',
  inputs: ['g', 'x', 'mean', 'rstd', 'weight'],
  optional: ['weight'],
  outputs: ({ x }, { needs }: { groups: number; needs: readonly boolean[] }) => wanted(needs, x, [x.shape[1]]),
  forward: ([gx, gWeight, gBias], { g, x, mean: centre, rstd, weight }, { groups, needs }) =>
    native.normalizeGroupsBackward(
      needs[0] ? gx._handle : 0,
      needs[1] ? gWeight._handle : 0,
      needs[2] ? gBias._handle : 0,
      g._handle,
      x._handle,
      centre._handle,
      rstd._handle,
      handleOf(weight),
      groups,
    ),
});

interface GroupAttributes {
  readonly groups: number;
  readonly eps: number;
}

// Groups of channels of each item, channels-last.
function groupsOp(name: string): MultiOp<GroupAttributes> {
  return defineMultiOp({
    name,
    inputs: ['x', 'weight', 'bias'],
    optional: ['weight', 'bias'],
    saves: ['x', 'weight', 'out1', 'out2'],
    outputs: ({ x }, { groups }: GroupAttributes) => wanted([true, true, true], x, [x.shape[0] * groups]),
    forward: ([out, centre, rstd], { x, weight, bias }, { groups, eps }) =>
      native.normalizeGroups(
        out._handle,
        centre._handle,
        rstd._handle,
        x._handle,
        handleOf(weight),
        handleOf(bias),
        groups,
        eps,
      ),
    vjp: ([g], { x, weight, out1, out2 }, { groups, eps }, { needs }) => {
      const scale = (weight as Tensor | undefined) ?? null;
      if (!isGradEnabled()) {
        return handOut(needs, () => groupsBackward([inOrderOf(x, g), x, out1, out2, scale], { groups, needs }));
      }
      const rows = x.shape[0] * groups;
      const asRows = (t: Tensor): Tensor => reshape(t, [rows, numel(x.shape) / rows]);
      const dims = besideChannels(x);
      const weighted = (): Tensor => (scale === null ? g : mul(g, perChannel(x, scale)));
      const unit = (): Tensor => reshape(standardized(asRows(x), [1], eps, false).unit, x.shape);
      return [
        () => reshape(gradientOf(asRows(x), asRows(weighted()), [1], eps, false), x.shape),
        () => sum(mul(g, unit()), dims),
        () => sum(g, dims),
      ];
    },
  });
}

const groupOps = { groupNorm: groupsOp('groupNorm'), instanceNorm: groupsOp('instanceNorm') };

function normalizeGroups(
  op: keyof typeof groupOps,
  x: Tensor,
  groups: number,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  if (autocastState() !== null)
    return autocastWhole(op, [x, weight, bias], ([a, b, c]) => normalizeGroups(op, a!, groups, b, c, eps));
  if (x.memoryFormat !== 'channelsLast') {
    const inner = product(x.shape.slice(2));
    return normalizeRows(op, x, x.shape[0] * groups, weight, bias, { inner, eps, rms: false });
  }
  return tidy(() => {
    const dtype = computeType(x);
    const [out] = groupOps[op]([imageOperand(x, dtype), operand(weight, dtype), operand(bias, dtype)], { groups, eps });
    return cast(out, x.dtype);
  });
}

/** Options of `groupNorm`. */
export interface GroupNormOptions {
  /** `[C]`: multiplies the normalised values of a channel. */
  weight?: Tensor | null;
  /** `[C]`: is added to them. */
  bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Normalises groups of C / numGroups channels of each item by themselves: `(x - mean) / sqrt(variance + eps) * weight + bias`
 * (Wu and He 2018).
 *
 * Shapes: x `[N, C, ...]`, weight and bias `[C]`. Float dtypes; float16 and bfloat16 are computed in float32.
 *
 * @throws ShapeError if C is not divisible by numGroups or there is one value in all; DTypeError
 */
export function groupNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  numGroups: number,
  options: GroupNormOptions = {},
): Tensor<S, D> {
  const { weight = null, bias = null, eps = 1e-5 } = options;
  requireFloatInput('groupNorm', 'x', x);
  const channels = requireChannels('groupNorm', x);
  if (!Number.isInteger(numGroups) || numGroups < 1) {
    throw new ArgumentError(`groupNorm: numGroups must be an integer above 0, got ${String(numGroups)}.`);
  }
  if (channels % numGroups !== 0) {
    throw new ShapeError(
      `groupNorm(x ${formatShape(x.shape)}): ${channels} channels are not divisible by numGroups = ${numGroups}.`,
    );
  }
  const inner = product(x.shape.slice(2));
  // PyTorch looks at all items together, too: it lets a batch of two such items pass.
  if (x.shape[0] * (channels / numGroups) * inner === 1) {
    throw new ShapeError(
      `groupNorm(x ${formatShape(x.shape)}): expected more than 1 value per group, a single one has no variance.`,
    );
  }
  checkEps('groupNorm', eps);
  checkParameter('groupNorm', x, 'weight', weight, [channels]);
  checkParameter('groupNorm', x, 'bias', bias, [channels]);
  return normalizeGroups('groupNorm', x, numGroups, weight, bias, eps) as Tensor<S, D>;
}

/** Options of `instanceNorm`. */
export interface InstanceNormOptions {
  /** `[C]`: is blended with the items' mean, in place. Default null. */
  runningMean?: Tensor | null;
  /** `[C]`: is blended with the items' unbiased variance, in place. Default null. */
  runningVar?: Tensor | null;
  /** `[C]`: multiplies the normalised values of a channel. */
  weight?: Tensor | null;
  /** `[C]`: is added to them. */
  bias?: Tensor | null;
  /** Use each item's own statistics (default), else the running ones. */
  useInputStats?: boolean;
  /** The share of the batch in the updated statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Normalises each channel of each item by itself: `(x - mean) / sqrt(variance + eps) * weight + bias` (Ulyanov et al. 2016).
 *
 * Shapes: x `[N, C, ...]`, all else `[C]`. Float dtypes; float16 and bfloat16 are computed in float32.
 *
 * @throws ShapeError for other shapes, or a single value per channel; ArgumentError without running statistics where they are
 *   needed; DTypeError
 */
export function instanceNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: InstanceNormOptions = {},
): Tensor<S, D> {
  const { runningMean = null, runningVar = null, weight = null, bias = null } = options;
  const { useInputStats = true, momentum = 0.1, eps = 1e-5 } = options;
  requireFloatInput('instanceNorm', 'x', x);
  const channels = requireChannels('instanceNorm', x);
  checkEps('instanceNorm', eps);
  checkMomentum('instanceNorm', momentum);
  checkRunning('instanceNorm', x, { runningMean, runningVar }, useInputStats);
  checkParameter('instanceNorm', x, 'weight', weight, [channels]);
  checkParameter('instanceNorm', x, 'bias', bias, [channels]);
  if (!useInputStats) {
    if (runningMean === null || runningVar === null) {
      throw new ArgumentError('instanceNorm: runningMean and runningVar must be given unless useInputStats is true.');
    }
    return withGiven(x, runningMean, runningVar, weight, bias, eps) as Tensor<S, D>;
  }
  const inner = product(x.shape.slice(2));
  if (inner === 1) {
    throw new ShapeError(
      `instanceNorm(x ${formatShape(x.shape)}): expected more than 1 value per channel, a single one has no variance.`,
    );
  }
  if ((runningMean !== null || runningVar !== null) && x.shape[0] * inner > 0) {
    noGrad(() =>
      tidy(() => {
        const items = reshape(x as Tensor, [x.shape[0], channels, inner]) as Tensor;
        const [variance, centre] = varMean(cast(items, computeType(x)), 2);
        blend(runningMean, mean(centre, 0), momentum, 1);
        blend(runningVar, mean(variance, 0), momentum, 1);
      }),
    );
  }
  return normalizeGroups('instanceNorm', x, channels, weight, bias, eps) as Tensor<S, D>;
}
