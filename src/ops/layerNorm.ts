// Normalisation of rows: layer and RMS normalisation. Kernel: native/cpu/normalize_rows.cpp, which computes in float32 or
// float64 and gives all gradients in one go. Where gradients are to be differentiated again, formulas of ordinary ops take
// their place.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { isGradEnabled } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, numel, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { cast, contiguous } from './copy.js';
import { defineMultiOp, type MultiOp } from './define.js';
import { requireFloatInput } from './indexing.js';
import {
  checkEps,
  checkParameter,
  computeType,
  gradientOf,
  handleOf,
  handOut,
  operand,
  product,
  standardized,
  wanted,
} from './normShared.js';
import { sum } from './reduce.js';
import { reshape } from './view.js';

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
    wanted(needs, x, [channels]),
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

/** Rows of x, in the order of its elements, each by itself. @internal */
export function normalizeRows(
  op: keyof typeof rowOps,
  x: Tensor,
  rows: number,
  weight: Tensor | null,
  bias: Tensor | null,
  attributes: RowAttributes,
): Tensor {
  if (autocastState() !== null)
    return autocastWhole(op, [x, weight, bias], ([a, b, c]) => normalizeRows(op, a!, rows, b, c, attributes));
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
