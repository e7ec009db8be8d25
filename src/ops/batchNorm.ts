// Normalisation of channels over a batch. Kernel: native/cpu/batch_norm.cpp, which takes images in either order of memory
// and computes in float32 or float64.
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import * as e from '../program/expr.js';
import { formatShape, type Shape } from '../shape.js';
import { stridesLike, type Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { cast, detach } from './copy.js';
import { checkWritable, defineMultiOp, defineOp } from './define.js';
import { defineElementwise } from './elementwise.js';
import { requireFloatInput } from './indexing.js';
import { rsqrt } from './math.js';
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
import { sum } from './reduce.js';

const batchBackward = defineMultiOp({
  name: 'batchNormBackward',
  inputs: ['g', 'x', 'mean', 'variance', 'weight'],
  optional: ['weight'],
  outputs: ({ x }, { needs }: { eps: number; needs: readonly boolean[] }) => wanted(needs, x, [x.shape[1]]),
  forward: ([gx, gWeight, gBias], { g, x, mean: centre, variance, weight }, { eps, needs }) =>
    native.batchNormBackward(
      needs[0] ? gx._handle : 0,
      needs[1] ? gWeight._handle : 0,
      needs[2] ? gBias._handle : 0,
      g._handle,
      x._handle,
      centre._handle,
      variance._handle,
      handleOf(weight),
      eps,
    ),
});

// x [N, C, ...], contiguous or channels-last, to out, and the mean and biased variance of the channels.
const batchOp = defineMultiOp({
  name: 'batchNorm',
  inputs: ['x', 'weight', 'bias'],
  optional: ['weight', 'bias'],
  saves: ['x', 'weight', 'out1', 'out2'],
  outputs: ({ x }) => wanted([true, true, true], x, [x.shape[1]]),
  forward: ([out, centre, variance], { x, weight, bias }, { eps }: { eps: number }) =>
    native.batchNorm(out._handle, centre._handle, variance._handle, x._handle, handleOf(weight), handleOf(bias), eps),
  vjp: ([g], { x, weight, out1, out2 }, { eps }, { needs }) => {
    const scale = (weight as Tensor | undefined) ?? null;
    if (!isGradEnabled()) {
      return handOut(needs, () => batchBackward([inOrderOf(x, g), x, out1, out2, scale], { eps, needs }));
    }
    const dims = besideChannels(x);
    const weighted = (): Tensor => (scale === null ? g : mul(g, perChannel(x, scale)));
    return [
      () => gradientOf(x, weighted(), dims, eps, false),
      () => sum(mul(g, standardized(x, dims, eps, false).unit), dims),
      () => sum(g, dims),
    ];
  },
});

// With statistics that are given, which are constants.
const givenOp = defineOp({
  name: 'batchNorm',
  inputs: ['x', 'runningMean', 'runningVar', 'weight', 'bias'],
  optional: ['weight', 'bias'],
  saves: { x: ['runningVar', 'weight'], weight: ['x', 'runningMean', 'runningVar'] },
  shape: ({ x }) => x.shape,
  strides: (shape, { x }) => stridesLike(shape, x),
  forward: ([out], { x, runningMean, runningVar, weight, bias }, { eps }: { eps: number }) =>
    native.batchNormGiven(
      out._handle,
      x._handle,
      runningMean._handle,
      runningVar._handle,
      handleOf(weight),
      handleOf(bias),
      eps,
    ),
  vjp: ([g], { x, runningMean, runningVar, weight }, { eps }) => {
    const rstd = (): Tensor => rsqrt(add(perChannel(g, runningVar), eps));
    const scale = (): Tensor =>
      (weight as Tensor | undefined) === undefined ? rstd() : mul(rstd(), perChannel(g, weight));
    return [
      () => mul(g, scale()),
      null,
      null,
      () => sum(mul(g, mul(sub(x, perChannel(x, runningMean)), rstd())), besideChannels(g)),
      () => sum(g, besideChannels(g)),
    ];
  },
});

const blendOp = defineElementwise(
  'batchNorm',
  (running, value, keep, share) => e.add(e.mul(running, keep), e.mul(value, share)),
  { inputs: ['running', 'value'], scalars: ['keep', 'share'] },
);

/** @internal */
export function withGiven(
  x: Tensor,
  runningMean: Tensor,
  runningVar: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  return tidy(() => {
    const dtype = computeType(x);
    const [centre, variance] = [runningMean, runningVar].map((t) => operand(detach(t), dtype));
    const out = givenOp([imageOperand(x, dtype), centre, variance, operand(weight, dtype), operand(bias, dtype)], {
      eps,
    });
    return cast(out, x.dtype);
  });
}

/** running = (1 - momentum) running + momentum value, in place and unrecorded. @internal */
export function blend(running: Tensor | null, value: Tensor, momentum: number, factor: number): void {
  if (running !== null)
    noGrad(() => blendOp.applyInPlace(running, [running, value], [1 - momentum, momentum * factor]));
}

/** @internal */
export function checkRunning(
  op: string,
  x: Tensor,
  running: Readonly<Record<string, Tensor | null>>,
  write: boolean,
): void {
  for (const [name, value] of Object.entries(running)) {
    checkParameter(op, x, name, value, [x.shape[1]]);
    if (write && value !== null) checkWritable(op, value);
  }
}

/** @internal */
export function checkMomentum(op: string, momentum: number): void {
  if (typeof momentum !== 'number' || Number.isNaN(momentum)) {
    throw new ArgumentError(`${op}: momentum must be a number, got ${String(momentum)}.`);
  }
}

/** Options of `batchNorm`. */
export interface BatchNormOptions {
  /** `[C]`: multiplies the normalised values of a channel. */
  weight?: Tensor | null;
  /** `[C]`: is added to them. */
  bias?: Tensor | null;
  /** Use the batch's statistics and update the running ones. Default false: use the running ones. */
  training?: boolean;
  /** The share of the batch in the updated statistics. Default 0.1. */
  momentum?: number;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/**
 * Normalises channels over a batch: `(x - mean) / sqrt(variance + eps) * weight + bias` (Ioffe and Szegedy 2015). In training
 * with the mean and the biased variance of the batch, and the running statistics become
 * `(1 - momentum) * running + momentum * batch`, in place, with the unbiased variance; else with the running statistics.
 *
 * Shapes: x `[N, C, ...]`, all else `[C]`. Float dtypes; float16 and bfloat16 are computed in float32.
 *
 * @param runningMean null to keep none (in training only)
 * @throws ShapeError for other shapes, or a single value per channel in training; ArgumentError without running statistics
 *   where they are needed; DTypeError
 * @example
 * nn.functional.batchNorm(randn([8, 3, 5, 5]), null, null, { training: true });
 */
export function batchNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  runningMean: Tensor | null,
  runningVar: Tensor | null,
  options: BatchNormOptions = {},
): Tensor<S, D> {
  const { weight = null, bias = null, training = false, momentum = 0.1, eps = 1e-5 } = options;
  requireFloatInput('batchNorm', 'x', x);
  const channels = requireChannels('batchNorm', x);
  checkEps('batchNorm', eps);
  checkMomentum('batchNorm', momentum);
  checkRunning('batchNorm', x, { runningMean, runningVar }, training);
  checkParameter('batchNorm', x, 'weight', weight, [channels]);
  checkParameter('batchNorm', x, 'bias', bias, [channels]);
  if (!training) {
    if (runningMean === null || runningVar === null) {
      throw new ArgumentError('batchNorm: runningMean and runningVar must be given unless training is true.');
    }
    return withGiven(x, runningMean, runningVar, weight, bias, eps) as Tensor<S, D>;
  }
  const inner = product(x.shape.slice(2));
  const count = x.shape[0] * inner;
  if (count === 1) {
    throw new ShapeError(
      `batchNorm(x ${formatShape(x.shape)}): expected more than 1 value per channel when training, a single one has no variance.`,
    );
  }
  return tidy(() => {
    const dtype = computeType(x);
    const image = imageOperand(x, dtype);
    const [out, centre, variance] = batchOp([image, operand(weight, dtype), operand(bias, dtype)], { eps });
    if (count > 0) {
      blend(runningMean, centre, momentum, 1);
      blend(runningVar, variance, momentum, count / (count - 1));
    }
    return cast(out, x.dtype);
  }) as Tensor<S, D>;
}
