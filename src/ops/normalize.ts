// Normalisation over rows, groups and channels. Kernels: native/cpu/normalize.cpp, which compute in float32 or float64 and
// give all gradients in one go. Where gradients are to be differentiated again, formulas of ordinary ops take their place.
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native, type Handle } from '../native.js';
import * as e from '../program/expr.js';
import { formatShape, normalizeDim, numel, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, div, mul, pow, sub } from './arithmetic.js';
import { cast, contiguous, detach } from './copy.js';
import { checkSameDevice, checkTensor, checkWritable, defineMultiOp, filledTensor, type MultiOp } from './define.js';
import { defineElementwise } from './elementwise.js';
import { requireFloatInput } from './indexing.js';
import { cat } from './join.js';
import { abs, clamp, rsqrt, sqrt, square } from './math.js';
import { amax, mean, sum, varMean } from './reduce.js';
import { narrow, reshape } from './view.js';

// ---- What all share

const handleOf = (t: Tensor | null | undefined): Handle => (t === null || t === undefined ? 0 : t._handle);

/** The dtype that kernels compute in. */
const computeType = (x: Tensor): DType => (x.dtype === 'float64' ? 'float64' : 'float32');

/** The shapes of gradients that a kernel shall give; empty ones for those that nobody wants. */
const wanted = (needs: readonly boolean[], shapes: readonly Shape[], dtype: DType) =>
  shapes.map((shape, i) => ({ shape: needs[i] ? shape : [0], dtype }));

/** Gradients computed at once, each handed out to the input that it belongs to. */
function handOut(needs: readonly boolean[], compute: () => Tensor[]): ((() => Tensor) | null)[] {
  const grads = tidy(compute);
  return grads.map((grad, i) => {
    if (needs[i]) return () => grad;
    grad.dispose();
    return null;
  });
}

const kept = { keepDim: true } as const;
const meanOver = (x: Tensor, dims: readonly number[]): Tensor => mean(x, dims, kept);

/** x normalised over dims, and the factor, as differentiable functions of x. */
function standardized(x: Tensor, dims: readonly number[], eps: number, rms: boolean): { unit: Tensor; rstd: Tensor } {
  const centred = rms ? x : sub(x, meanOver(x, dims));
  const rstd = rsqrt(add(meanOver(square(centred), dims), eps));
  return { unit: mul(centred, rstd), rstd };
}

/** The gradient of x normalised over dims, given that of the normalised values; differentiable. */
function gradientOf(x: Tensor, g: Tensor, dims: readonly number[], eps: number, rms: boolean): Tensor {
  const { unit, rstd } = standardized(x, dims, eps, rms);
  const along = mul(unit, meanOver(mul(g, unit), dims));
  const centred = rms ? g : sub(g, meanOver(g, dims));
  return mul(rstd, sub(centred, along));
}

function checkEps(op: string, eps: number): void {
  if (typeof eps !== 'number' || !(eps >= 0)) {
    throw new ArgumentError(`${op}: eps must be a number >= 0, got ${String(eps)}.`);
  }
}

/** A parameter of a given shape in x's dtype, or in float32 beside smaller floats. */
function checkParameter(op: string, x: Tensor, name: string, value: Tensor | null, shape: Shape): void {
  if (value === null) return;
  checkTensor(op, name, value);
  checkSameDevice(op, 'x', x, name, value);
  if (value.dtype !== x.dtype && value.dtype !== computeType(x)) {
    throw new DTypeError(`${op}: x is ${x.dtype} and ${name} ${value.dtype}; convert one.`);
  }
  if (formatShape(value.shape) !== formatShape(shape)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, ${name} ${formatShape(value.shape)}): ${name} must have shape ${formatShape(shape)}.`,
    );
  }
}

/** An operand of a kernel: contiguous, in the dtype computed in, of a given shape. */
function operand(value: Tensor | null, dtype: DType, shape?: Shape): Tensor | null {
  if (value === null) return null;
  const plain = contiguous(cast(value, dtype));
  return shape === undefined ? plain : reshape(plain, shape);
}

// ---- Rows

interface RowAttributes {
  /** Elements that share a parameter. */
  readonly inner: number;
  readonly eps: number;
  /** Divide by the root of the mean square: no mean is taken away. */
  readonly rms: boolean;
}

const rowsBackward = defineMultiOp({
  name: 'normalizeRowsBackward',
  inputs: ['g', 'x', 'mean', 'rstd', 'weight'],
  optional: ['mean', 'weight'],
  outputs: ({ x }, { needs, channels }: { inner: number; needs: readonly boolean[]; channels: number }) =>
    wanted(needs, [x.shape, [channels], [channels]], x.dtype),
  forward: ([gx, gWeight, gBias], { g, x, mean: centre, rstd, weight }, { inner, needs }) =>
    native.normalizeRowsBackward(
      needs[0] ? gx._handle : 0,
      needs[1] ? gWeight._handle : 0,
      needs[2] ? gBias._handle : 0,
      g._handle,
      x._handle,
      handleOf(centre),
      rstd._handle,
      handleOf(weight),
      inner,
    ),
});

// Rows [rows, n] with parameters that go with `inner` elements each. One op for each name that users know.
function rowsOp(name: string): MultiOp<RowAttributes> {
  return defineMultiOp({
    name,
    inputs: ['x', 'weight', 'bias'],
    optional: ['weight', 'bias'],
    saves: ['x', 'weight', 'out1', 'out2'],
    outputs: ({ x }, { rms }: RowAttributes) => [
      { shape: x.shape, dtype: x.dtype },
      { shape: rms ? [0] : [x.shape[0]], dtype: x.dtype },
      { shape: [x.shape[0]], dtype: x.dtype },
    ],
    forward: ([out, centre, rstd], { x, weight, bias }, { inner, eps, rms }) =>
      native.normalizeRows(
        out._handle,
        rms ? 0 : centre._handle,
        rstd._handle,
        x._handle,
        handleOf(weight),
        handleOf(bias),
        inner,
        eps,
      ),
    vjp: ([g], { x, weight, out1, out2 }, { inner, eps, rms }, { inputs, needs }) => {
      const channels = (inputs[1] ?? inputs[2])?.shape[0] ?? 0;
      const scale = (weight as Tensor | undefined) ?? null;
      if (!isGradEnabled()) {
        return handOut(needs, () =>
          rowsBackward([contiguous(g), x, rms ? null : out1, out2, scale], { inner, needs, channels }),
        );
      }
      const items = numel(x.shape) === 0 ? 0 : numel(x.shape) / (channels * inner);
      const spread = (t: Tensor): Tensor => reshape(t, [items, channels, inner]);
      const weighted = (): Tensor =>
        scale === null ? g : reshape(mul(spread(g), reshape(scale, [channels, 1]) as Tensor), x.shape);
      return [
        () => gradientOf(x, weighted(), [1], eps, rms),
        () => sum(mul(spread(g), spread(standardized(x, [1], eps, rms).unit)), [0, 2]),
        () => sum(spread(g), [0, 2]),
      ];
    },
  });
}

const rowOps = {
  layerNorm: rowsOp('layerNorm'),
  rmsNorm: rowsOp('rmsNorm'),
  groupNorm: rowsOp('groupNorm'),
  instanceNorm: rowsOp('instanceNorm'),
};

function normalizeRows(
  op: keyof typeof rowOps,
  x: Tensor,
  rows: number,
  weight: Tensor | null,
  bias: Tensor | null,
  attributes: RowAttributes,
): Tensor {
  return tidy(() => {
    const dtype = computeType(x);
    const width = numel(x.shape) / rows;
    const flat = operand(x, dtype, [rows, rows === 0 ? 0 : width])!;
    const parameter = (t: Tensor | null): Tensor | null => operand(t, dtype, t === null ? [] : [numel(t.shape)]);
    const [out] = rowOps[op]([flat, parameter(weight), parameter(bias)], attributes);
    return cast(reshape(out, x.shape), x.dtype);
  });
}

/** Options of `layerNorm`. */
export interface LayerNormOptions {
  /** Multiplies the normalised values; of shape `normalizedShape`. */
  weight?: Tensor | null;
  /** Is added to them; of shape `normalizedShape`. */
  bias?: Tensor | null;
  /** Added to the variance. Default 1e-5. */
  eps?: number;
}

/** Options of `rmsNorm`. */
export interface RMSNormOptions {
  /** Multiplies the normalised values; of shape `normalizedShape`. */
  weight?: Tensor | null;
  /** Added to the mean square. Default: the distance from 1 to the next number of the dtype computed in. */
  eps?: number | null;
}

function checkNormalizedShape(op: string, x: Tensor, normalizedShape: number | Shape): Shape {
  const shape = typeof normalizedShape === 'number' ? [normalizedShape] : normalizedShape;
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new ArgumentError(`${op}: normalizedShape must be a size or an array of at least one.`);
  }
  const given = shape as Shape;
  const from = x.shape.length - given.length;
  if (from < 0 || formatShape(x.shape.slice(from)) !== formatShape(given)) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}): the last dimensions of x must be normalizedShape ${formatShape(given)}.`,
    );
  }
  return given;
}

const product = (shape: Shape): number => shape.reduce((n, size) => n * size, 1);

/**
 * `(x - mean) / sqrt(variance + eps) * weight + bias`, with the mean and the (biased) variance of the last dimensions, those
 * of `normalizedShape` (Ba et al. 2016).
 *
 * Float dtypes; float16 and bfloat16 are computed in float32, and their parameters may be float32.
 *
 * @param normalizedShape the sizes of the last dimensions, or the size of the last one
 * @throws ShapeError if x or a parameter does not end so; DTypeError for integers or other dtypes of parameters
 * @example
 * nn.functional.layerNorm(randn([8, 16]), 16).shape; // [8, 16]
 */
export function layerNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  normalizedShape: number | Shape,
  options: LayerNormOptions = {},
): Tensor<S, D> {
  const { weight = null, bias = null, eps = 1e-5 } = options;
  requireFloatInput('layerNorm', 'x', x);
  const shape = checkNormalizedShape('layerNorm', x, normalizedShape);
  checkEps('layerNorm', eps);
  checkParameter('layerNorm', x, 'weight', weight, shape);
  checkParameter('layerNorm', x, 'bias', bias, shape);
  const rows = product(x.shape.slice(0, x.shape.length - shape.length));
  return normalizeRows('layerNorm', x, rows, weight, bias, { inner: 1, eps, rms: false }) as Tensor<S, D>;
}

/**
 * `x / sqrt(mean(x^2) + eps) * weight` over the last dimensions, those of `normalizedShape` (Zhang and Sennrich 2019).
 *
 * Float dtypes; float16 and bfloat16 are computed in float32, and their weight may be float32.
 *
 * @param normalizedShape the sizes of the last dimensions, or the size of the last one
 * @throws ShapeError if x or weight does not end so; DTypeError for integers or another dtype of weight
 */
export function rmsNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  normalizedShape: number | Shape,
  options: RMSNormOptions = {},
): Tensor<S, D> {
  const { weight = null } = options;
  requireFloatInput('rmsNorm', 'x', x);
  const eps = options.eps ?? (computeType(x) === 'float64' ? 2 ** -52 : 2 ** -23);
  const shape = checkNormalizedShape('rmsNorm', x, normalizedShape);
  checkEps('rmsNorm', eps);
  checkParameter('rmsNorm', x, 'weight', weight, shape);
  const rows = product(x.shape.slice(0, x.shape.length - shape.length));
  return normalizeRows('rmsNorm', x, rows, weight, null, { inner: 1, eps, rms: true }) as Tensor<S, D>;
}

function requireChannels(op: string, x: Tensor): number {
  if (x.shape.length < 2) {
    throw new ShapeError(`${op}(x ${formatShape(x.shape)}): x must have at least 2 dimensions, [N, C, ...].`);
  }
  return x.shape[1];
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
  const rows = x.shape[0] * numGroups;
  return normalizeRows('groupNorm', x, rows, weight, bias, { inner, eps, rms: false }) as Tensor<S, D>;
}

// ---- Channels of a batch

const batchBackward = defineMultiOp({
  name: 'batchNormBackward',
  inputs: ['g', 'x', 'mean', 'variance', 'weight'],
  optional: ['weight'],
  outputs: ({ x }, { needs }: { eps: number; needs: readonly boolean[] }) =>
    wanted(needs, [x.shape, [x.shape[1]], [x.shape[1]]], x.dtype),
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

// x [N, C, S] to out, and the mean and biased variance of the channels.
const batchOp = defineMultiOp({
  name: 'batchNorm',
  inputs: ['x', 'weight', 'bias'],
  optional: ['weight', 'bias'],
  saves: ['x', 'weight', 'out1', 'out2'],
  outputs: ({ x }) => [x.shape, [x.shape[1]], [x.shape[1]]].map((shape) => ({ shape, dtype: x.dtype })),
  forward: ([out, centre, variance], { x, weight, bias }, { eps }: { eps: number }) =>
    native.batchNorm(out._handle, centre._handle, variance._handle, x._handle, handleOf(weight), handleOf(bias), eps),
  vjp: ([g], { x, weight, out1, out2 }, { eps }, { needs }) => {
    const scale = (weight as Tensor | undefined) ?? null;
    if (!isGradEnabled()) {
      return handOut(needs, () => batchBackward([contiguous(g), x, out1, out2, scale], { eps, needs }));
    }
    const dims = [0, 2] as const;
    const weighted = (): Tensor => (scale === null ? g : mul(g, reshape(scale, [x.shape[1], 1]) as Tensor));
    return [
      () => gradientOf(x, weighted(), dims, eps, false),
      () => sum(mul(g, standardized(x, dims, eps, false).unit), dims),
      () => sum(g, dims),
    ];
  },
});

// With statistics that are given.
const givenOp = defineElementwise(
  'batchNorm',
  (x, centre, scale, bias) => e.add(e.mul(e.sub(x, centre), scale), bias),
  {
    inputs: ['x', 'runningMean', 'scale', 'bias'],
  },
);

const blendOp = defineElementwise(
  'batchNorm',
  (running, value, keep, share) => e.add(e.mul(running, keep), e.mul(value, share)),
  { inputs: ['running', 'value'], scalars: ['keep', 'share'] },
);

function withGiven(
  x: Tensor,
  runningMean: Tensor,
  runningVar: Tensor,
  weight: Tensor | null,
  bias: Tensor | null,
  eps: number,
): Tensor {
  return tidy(() => {
    const shape = [x.shape[1], ...new Array<number>(x.shape.length - 2).fill(1)];
    const dtype = computeType(x);
    const channelwise = (t: Tensor): Tensor => reshape(cast(t, dtype), shape);
    // Running statistics are constants.
    const rstd = rsqrt(add(channelwise(detach(runningVar)), eps));
    const scale = weight === null ? rstd : mul(rstd, channelwise(weight));
    const out = givenOp.apply([x, channelwise(detach(runningMean)), scale, bias === null ? 0 : channelwise(bias)]);
    return cast(out, x.dtype);
  });
}

/** running = (1 - momentum) running + momentum value, in place and unrecorded. */
function blend(running: Tensor | null, value: Tensor, momentum: number, factor: number): void {
  if (running !== null)
    noGrad(() => blendOp.applyInPlace(running, [running, value], [1 - momentum, momentum * factor]));
}

function checkRunning(op: string, x: Tensor, running: Readonly<Record<string, Tensor | null>>, write: boolean): void {
  for (const [name, value] of Object.entries(running)) {
    checkParameter(op, x, name, value, [x.shape[1]]);
    if (write && value !== null) checkWritable(op, value);
  }
}

function checkMomentum(op: string, momentum: number): void {
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
    const flat = operand(x, dtype, [x.shape[0], channels, inner])!;
    const [out, centre, variance] = batchOp([flat, operand(weight, dtype), operand(bias, dtype)], { eps });
    if (count > 0) {
      blend(runningMean, centre, momentum, 1);
      blend(runningVar, variance, momentum, count / (count - 1));
    }
    return cast(reshape(out, x.shape as Shape), x.dtype);
  }) as Tensor<S, D>;
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
  const rows = x.shape[0] * channels;
  return normalizeRows('instanceNorm', x, rows, weight, bias, { inner, eps, rms: false }) as Tensor<S, D>;
}

// ---- Others

const responseOp = defineElementwise(
  'localResponseNorm',
  (x, total, scale, beta, k) => e.mul(x, e.pow(e.add(e.mul(total, scale), k), e.neg(beta))),
  { inputs: ['x', 'total'], scalars: ['scale', 'beta', 'k'] },
);

/** Options of `localResponseNorm`. */
export interface LocalResponseNormOptions {
  /** Default 1e-4. */
  alpha?: number;
  /** Default 0.75. */
  beta?: number;
  /** Default 1. */
  k?: number;
}

/**
 * Divides each value by `(k + alpha / size * sum(x^2))^beta`, the sum being over `size` neighbouring channels: `size / 2`
 * (rounded down) before it, itself, and the rest behind it; channels that do not exist count as 0 (Krizhevsky et al. 2012).
 *
 * Shapes: `[N, C, ...]` with at least 3 dimensions. Float dtypes.
 *
 * @throws ShapeError, DTypeError; ArgumentError unless size is an integer above 0
 */
export function localResponseNorm<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  size: number,
  options: LocalResponseNormOptions = {},
): Tensor<S, D> {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  const op = 'localResponseNorm';
  requireFloatInput(op, 'x', x);
  if (!Number.isInteger(size) || size < 1) {
    throw new ArgumentError(`${op}: size must be an integer above 0, got ${String(size)}.`);
  }
  for (const [name, value] of Object.entries({ alpha, beta, k })) {
    if (typeof value !== 'number') throw new ArgumentError(`${op}: ${name} must be a number, got ${String(value)}.`);
  }
  if (x.shape.length < 3) {
    throw new ShapeError(`${op}(x ${formatShape(x.shape)}): x must have at least 3 dimensions, [N, C, ...].`);
  }
  return tidy(() => {
    const [items, channels, ...rest] = x.shape;
    const squares: Tensor = square(x as Tensor);
    const nothing = (n: number): Tensor => filledTensor(op, [items, n, ...rest], x.dtype, x.device, 0);
    const before = Math.floor(size / 2);
    const padded = cat([nothing(before), squares, nothing(size - 1 - before)], 1);
    let total: Tensor = narrow(padded, 1, 0, channels);
    for (let i = 1; i < size; i++) total = add(total, narrow(padded, 1, i, channels));
    return responseOp.apply([x, total], [alpha / size, beta, k]);
  }) as Tensor<S, D>;
}

/** Options of `normalize`. */
export interface NormalizeOptions {
  /** The order of the norm, above 0; `Infinity` for the largest absolute value. Default 2. */
  p?: number;
  /** The dimension along which vectors lie. Default 1. */
  dim?: number;
  /** The least that is divided by. Default 1e-12. */
  eps?: number;
}

/**
 * Vectors divided by their norm: `x / max(norm(x), eps)`. The gradient of a zero vector is that of `x / eps`.
 *
 * @throws DTypeError for integers; IndexError for a dimension that x does not have; ArgumentError for other p or eps
 * @example
 * nn.functional.normalize(tensor([[3, 4]])); // [[0.6, 0.8]]
 */
export function normalize<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: NormalizeOptions = {},
): Tensor<S, D> {
  const { p = 2, eps = 1e-12 } = options;
  requireFloatInput('normalize', 'x', x);
  const dim = normalizeDim('normalize', options.dim ?? 1, x.shape.length);
  if (typeof p !== 'number' || !(p > 0)) {
    throw new ArgumentError(`normalize: p must be a number above 0, got ${String(p)}.`);
  }
  checkEps('normalize', eps);
  return tidy(() => {
    const dtype = computeType(x);
    const wide = cast(x as Tensor, dtype);
    // Limits before the root: its slope at 0 is infinite, and 0 times that no number.
    const tiny = dtype === 'float64' ? 2 ** -1022 : 2 ** -126;
    const limited = (t: Tensor, least: number): Tensor => clamp(t, { min: least });
    const powers = (): Tensor => sum(pow(abs(wide), p), dim, kept);
    const norm =
      p === 2
        ? sqrt(limited(sum(square(wide), dim, kept), Math.max(eps ** 2, tiny)))
        : p === Infinity
          ? limited(amax(abs(wide), dim, kept), eps)
          : p === 1
            ? limited(sum(abs(wide), dim, kept), eps)
            : pow(limited(powers(), Math.max(eps ** p, tiny)), 1 / p);
    return cast(div(wide, norm), x.dtype);
  }) as Tensor<S, D>;
}
