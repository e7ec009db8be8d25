// Losses over classes: cross entropy (kernel: native/cpu/cross_entropy.cpp) and negative log likelihood.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { isGradEnabled, noGrad } from '../autograd/mode.js';
import { isFloating, type DType, type FloatDType } from '../dtype.js';
import { ArgumentError, DTypeError, GradError, ShapeError } from '../errors.js';
import { keep, tidy } from '../memory.js';
import { native } from '../native.js';
import { add, div, mul, sub } from '../ops/arithmetic.js';
import { eq, ne, where } from '../ops/compare.js';
import { cast, contiguous } from '../ops/copy.js';
import { checkSameDevice, checkTensor, defineMultiOp, defineOp, filledTensor, type Op } from '../ops/define.js';
import { gather, indexSelect, requireFloatInput } from '../ops/indexing.js';
import { neg } from '../ops/math.js';
import { sum } from '../ops/reduce.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { reshape, unsqueeze } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';
import { checkReduction, type LossOptions, type Reduction } from './reduction.js';

/** Options of losses over classes. */
export interface ClassLossOptions extends LossOptions {
  /** `[C]`: what each class counts for, of the input's dtype. Default: 1 for all. No gradient flows to it. */
  weight?: Tensor | null;
  /** Targets of this value do not count. Default -100. */
  ignoreIndex?: number;
}

/** Options of `crossEntropy`. */
export interface CrossEntropyOptions extends ClassLossOptions {
  /** Mixes the target with the uniform distribution (Szegedy et al. 2016); from 0 (default) to 1. */
  labelSmoothing?: number;
}

// ---- The fused op. Logits are [n, c, s], class indices [n, s], probabilities [n, c, s], weight [c].

interface Attributes {
  readonly ignoreIndex: number;
  readonly smoothing: number;
}

const kept = { keepDim: true } as const;
const overClasses = (x: Tensor): Tensor => sum(x, 1, kept);

/** Per class, to be broadcast over items and positions. */
const perClass = (weight: Tensor): Tensor => reshape(weight, [weight.shape[0], 1]);

/** What the probabilities of a position are multiplied with in the gradient: the sum of its targets, weighted. */
function totals(x: Tensor, share: Tensor, target: Tensor, weight: Tensor | null, attributes: Attributes): Tensor {
  const { ignoreIndex, smoothing } = attributes;
  const classes = x.shape[1];
  if (isFloating(target.dtype)) {
    const mixed = add(mul(target, 1 - smoothing), smoothing / classes);
    return overClasses(weight === null ? mixed : mul(mixed, perClass(weight)));
  }
  const counted = cast(ne(target, ignoreIndex), x.dtype);
  const uniform = weight === null ? counted : mul(counted, div(sum(weight), classes) as Tensor);
  return unsqueeze(add(mul(share, 1 - smoothing), mul(uniform, smoothing)), 1);
}

const backwardOp: Op<Attributes> = defineOp({
  name: 'crossEntropyBackward',
  inputs: ['g', 'x', 'lse', 'share', 'target', 'weight'],
  optional: ['weight'],
  saves: ['g', 'x', 'lse', 'share', 'target', 'weight'],
  shape: ({ x }) => x.shape,
  dtype: ({ x }) => x.dtype,
  forward: ([gx], { g, x, lse, share, target, weight }, { ignoreIndex, smoothing }: Attributes) =>
    native.crossEntropyBackward(
      gx._handle,
      g._handle,
      x._handle,
      lse._handle,
      share._handle,
      target._handle,
      weight?._handle ?? 0,
      ignoreIndex,
      smoothing,
    ),
  // gx = g (p total - target); lse and share are functions of x and target, and accounted for there.
  vjp: ([h], saved, attributes) => {
    const { g, x, lse, share, target } = saved;
    const weight = (saved['weight'] as Tensor | undefined) ?? null;
    const mean = (): Tensor => overClasses(mul(h, softmax(x, 1)));
    const scale = (): Tensor => unsqueeze(g, 1);
    return [
      () => {
        const one = filledTensor('crossEntropyBackward', g.shape, g.dtype, g.device, 1);
        return sum(mul(h, backwardOp([one, x, lse, share, target, weight], attributes)), 1);
      },
      () => {
        const total = mul(scale(), totals(x, share, target, weight, attributes));
        return mul(mul(softmax(x, 1), sub(h, mean())), total);
      },
      null,
      null,
      () => {
        const slope = mul(mul(sub(mean(), h), scale()), 1 - attributes.smoothing);
        return weight === null ? slope : mul(slope, perClass(weight));
      },
      null,
    ];
  },
});

const crossEntropyOp = defineMultiOp({
  name: 'crossEntropy',
  inputs: ['x', 'target', 'weight'],
  optional: ['weight'],
  saves: { x: ['x', 'target', 'weight', 'out1', 'out2'], target: ['x', 'weight'] },
  outputs: ({ x }) => {
    const shape = [x.shape[0], x.shape[2]];
    return [
      { shape, dtype: x.dtype },
      { shape, dtype: 'float64' },
      { shape, dtype: x.dtype },
    ];
  },
  forward: ([loss, lse, share], { x, target, weight }, { ignoreIndex, smoothing }: Attributes) =>
    native.crossEntropy(
      loss._handle,
      lse._handle,
      share._handle,
      x._handle,
      target._handle,
      weight?._handle ?? 0,
      ignoreIndex,
      smoothing,
    ),
  vjp: ([g], saved, attributes) => {
    const { x, target, out1, out2 } = saved;
    const weight = (saved['weight'] as Tensor | undefined) ?? null;
    return [
      () => backwardOp([contiguous(g), x, out1, out2, target, weight], attributes),
      () => {
        const slope = mul(mul(unsqueeze(g, 1), logSoftmax(x, 1)), attributes.smoothing - 1);
        return weight === null ? slope : mul(slope, perClass(weight));
      },
      null,
    ];
  },
});

// ---- Checks

function checkOptions(op: string, input: Tensor, options: ClassLossOptions): void {
  const { reduction = 'mean', ignoreIndex = -100, weight = null } = options;
  checkReduction(op, reduction);
  requireFloatInput(op, 'input', input);
  if (!Number.isSafeInteger(ignoreIndex)) {
    throw new ArgumentError(`${op}: ignoreIndex must be an integer, got ${String(ignoreIndex)}.`);
  }
  if (weight !== null) checkTensor(op, 'weight', weight);
}

/** The number of classes of an input `[C]` or `[N, C, ...]`. */
function classesOf(op: string, input: Tensor): number {
  const rank = input.shape.length;
  if (rank === 0) throw new ShapeError(`${op}: input must be [N, C, ...] or [C], got shape [].`);
  return input.shape[rank === 1 ? 0 : 1];
}

function checkWeight(op: string, input: Tensor, weight: Tensor | null): void {
  if (weight === null) return;
  const classes = classesOf(op, input);
  checkSameDevice(op, 'input', input, 'weight', weight);
  if (weight.dtype !== input.dtype) {
    throw new DTypeError(`${op}: input is ${input.dtype} and weight ${weight.dtype}; convert one.`);
  }
  if (!shapesEqual(weight.shape, [classes])) {
    throw new ShapeError(
      `${op}(input ${formatShape(input.shape)}, weight ${formatShape(weight.shape)}): weight must have shape [${classes}], one for each class.`,
    );
  }
  if (isGradEnabled() && weight.requiresGrad) {
    throw new GradError(`${op}: there is no gradient for weight; pass weight.detach().`);
  }
}

/** Class indices for an input. */
function checkIndices(op: string, input: Tensor, target: Tensor): void {
  if (target.dtype !== 'int64' && target.dtype !== 'int32') {
    throw new DTypeError(`${op}: target must hold class indices as int64 or int32, got ${target.dtype}.`);
  }
  checkTargetShape(op, input, target, input.shape.length === 1 ? [] : [input.shape[0], ...input.shape.slice(2)]);
}

function checkTargetShape(op: string, input: Tensor, target: Tensor, expected: Shape): void {
  if (shapesEqual(target.shape, expected)) return;
  throw new ShapeError(
    `${op}(input ${formatShape(input.shape)}, target ${formatShape(target.shape)}): target must have shape ${formatShape(expected)}.`,
  );
}

// ---- Functions

/**
 * The negative log likelihood of classes: `-weight[t] * logProbs[n, t]` with `t = target[n]`, by default summed and divided by
 * the sum of the weights of the targets that count.
 *
 * Shapes: logProbs `[N, C, ...]` or `[C]`, target `[N, ...]` or `[]` of int64 or int32, weight `[C]`.
 *
 * @throws ShapeError, DTypeError, ArgumentError; GradError if weight requires gradients; IndexError (at the next read) for a
 *   target that is no class
 */
export function nllLoss(logProbs: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor<Shape, FloatDType> {
  const { reduction = 'mean', ignoreIndex = -100, weight = null } = options;
  checkOptions('nllLoss', logProbs, options);
  checkTensor('nllLoss', 'target', target);
  checkSameDevice('nllLoss', 'input', logProbs, 'target', target);
  classesOf('nllLoss', logProbs);
  checkIndices('nllLoss', logProbs, target);
  checkWeight('nllLoss', logProbs, weight);
  return tidy(() => {
    const dim = logProbs.shape.length === 1 ? 0 : 1;
    const ignored = eq(target, ignoreIndex);
    // An ignored target picks class 0, and its loss, which may be infinite, is replaced by 0.
    const safe = mul(target, cast(eq(ignored, false), target.dtype)) as Tensor<Shape, 'int64'>;
    const counted = cast(eq(ignored, false), logProbs.dtype);
    const picked = reshape(
      gather(logProbs, dim, unsqueeze(safe as Tensor, dim) as Tensor<Shape, 'int64'>),
      target.shape,
    );
    const share =
      weight === null ? counted : mul(counted, reshape(indexSelect(weight, 0, reshape(safe, [-1])), target.shape));
    const losses = where(ignored, 0, neg(weight === null ? picked : mul(picked, share)));
    return reduce(losses, share, reduction);
  });
}

function reduce(losses: Tensor, share: Tensor | number, reduction: Reduction): Tensor<Shape, FloatDType> {
  // Everything here is of the logits' dtype, which is a float.
  if (reduction === 'none') return losses as Tensor<Shape, FloatDType>;
  const total = sum(losses) as Tensor;
  if (reduction === 'sum') return total as Tensor<Shape, FloatDType>;
  const count = typeof share === 'number' ? share : noGrad(() => sum(share) as Tensor);
  return typeof count === 'number' ? div(total, count) : div(total, count);
}

/**
 * Softmax and negative log likelihood in one: the loss of classification from raw scores. The target is a class for each
 * position, or probabilities of all classes.
 *
 * With `logp = logSoftmax(logits)` and weights w the loss of a position is `-w[t] * logp[t]` for class t, or
 * `-sum(w * p * logp)` for probabilities p. `labelSmoothing` e replaces the target's probabilities p (of a class: 1 for it,
 * 0 else) by `(1 - e) * p + e / C`. The mean divides by the sum of `w[t]` of the targets that count, or, for probabilities, by
 * the number of positions. Computed in one pass; what is kept for the gradient is one number a position.
 *
 * Shapes: logits `[N, C, ...]` or `[C]`, target `[N, ...]` or `[]` of int64 or int32, or floats of logits' shape, weight
 * `[C]`. float16 and bfloat16 are computed in float32.
 *
 * @throws ShapeError, DTypeError, ArgumentError; GradError if weight requires gradients; IndexError (at the next read) for a
 *   target that is no class
 * @example
 * const loss = nn.functional.crossEntropy(model.forward(x), labels);
 */
export function crossEntropy(
  logits: Tensor,
  target: Tensor,
  options: CrossEntropyOptions = {},
): Tensor<Shape, FloatDType> {
  const { reduction = 'mean', ignoreIndex = -100, labelSmoothing = 0, weight = null } = options;
  const op = 'crossEntropy';
  if (autocastState() !== null) {
    return autocastWhole(op, [logits, target, weight], ([x, t, w]) => crossEntropy(x!, t!, { ...options, weight: w }));
  }
  checkOptions(op, logits, options);
  checkTensor(op, 'target', target);
  checkSameDevice(op, 'input', logits, 'target', target);
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw new ArgumentError(`crossEntropy: labelSmoothing must be from 0 to 1, got ${String(labelSmoothing)}.`);
  }
  const classes = classesOf(op, logits);
  const soft = isFloating(target.dtype) && target.shape.length === logits.shape.length;
  if (soft) {
    checkTargetShape(op, logits, target, logits.shape);
    if (target.dtype !== logits.dtype) {
      throw new DTypeError(`${op}: input is ${logits.dtype} and target ${target.dtype}; convert one.`);
    }
    if (ignoreIndex >= 0) {
      throw new ArgumentError(`${op}: ignoreIndex is for class indices, the target holds probabilities.`);
    }
  } else checkIndices(op, logits, target);
  checkWeight(op, logits, weight);
  const items = logits.shape.length === 1 ? 1 : logits.shape[0];
  const inner = logits.shape.slice(2).reduce((n, size) => n * size, 1);
  if (classes === 0 && items * inner > 0) {
    throw new ShapeError(`${op}(input ${formatShape(logits.shape)}): there are no classes.`);
  }
  return tidy(() => {
    const dtype: DType = logits.dtype === 'float64' ? 'float64' : 'float32';
    const plain = (x: Tensor, shape: Shape): Tensor => reshape(contiguous(x), shape);
    const x = plain(cast(logits, dtype), [items, classes, inner]);
    const t = soft ? plain(cast(target, dtype), x.shape) : plain(target, [items, inner]);
    const w = weight === null ? null : contiguous(cast(weight, dtype) as Tensor);
    const [losses, , share] = crossEntropyOp([x, t, w], { ignoreIndex, smoothing: labelSmoothing });
    const shape = logits.shape.length === 1 ? [] : [items, ...logits.shape.slice(2)];
    const reduced =
      reduction === 'none' ? reshape(losses, shape) : reduce(losses, soft ? items * inner : share, reduction);
    return cast(reduced, logits.dtype) as Tensor<Shape, FloatDType>;
  });
}

// ---- Layers

function keptWeight(op: string, weight: Tensor | null): Tensor | null {
  if (weight === null) return null;
  checkTensor(op, 'weight', weight);
  if (weight.requiresGrad) throw new GradError(`${op}: there is no gradient for weight; pass weight.detach().`);
  return keep(weight);
}

/**
 * The loss of classification from raw scores, see `nn.functional.crossEntropy`.
 *
 * Shapes: input `[N, C, ...]` or `[C]`, target `[N, ...]` or `[]` of classes, or probabilities of the input's shape. State:
 * weight `[C]`, if given.
 *
 * @throws ArgumentError for an unknown reduction; GradError if weight requires gradients
 * @example
 * const criterion = new nn.CrossEntropyLoss({ labelSmoothing: 0.1 });
 * criterion.forward(randn([8, 3]), tensor([0n, 1n, 2n, 0n, 1n, 2n, 0n, 1n]));
 */
export class CrossEntropyLoss extends Module {
  /** @internal */ override readonly _transparent = true;
  /** `[C]`, what each class counts for; null for 1. */
  readonly weight: Tensor | null;
  /** Targets of this value do not count. */
  readonly ignoreIndex: number;
  /** How losses are summed up. */
  readonly reduction: Reduction;
  /** The share of the uniform distribution in the target. */
  readonly labelSmoothing: number;

  constructor(options: CrossEntropyOptions = {}) {
    super();
    const { weight = null, ignoreIndex = -100, reduction = 'mean', labelSmoothing = 0 } = options;
    checkReduction('CrossEntropyLoss', reduction);
    this.weight = keptWeight('CrossEntropyLoss', weight);
    this.ignoreIndex = ignoreIndex;
    this.reduction = reduction;
    this.labelSmoothing = labelSmoothing;
  }

  override forward(input: Tensor, target: Tensor): Tensor<Shape, FloatDType> {
    const { weight, ignoreIndex, reduction, labelSmoothing } = this;
    return crossEntropy(input, target, { weight, ignoreIndex, reduction, labelSmoothing });
  }
}

/**
 * The negative log likelihood of classes, see `nn.functional.nllLoss`.
 *
 * Shapes: input (log-probabilities) `[N, C, ...]` or `[C]`, target `[N, ...]` or `[]`. State: weight `[C]`, if given.
 *
 * @throws ArgumentError for an unknown reduction; GradError if weight requires gradients
 */
export class NLLLoss extends Module {
  /** @internal */ override readonly _transparent = true;
  /** `[C]`, what each class counts for; null for 1. */
  readonly weight: Tensor | null;
  /** Targets of this value do not count. */
  readonly ignoreIndex: number;
  /** How losses are summed up. */
  readonly reduction: Reduction;

  constructor(options: ClassLossOptions = {}) {
    super();
    const { weight = null, ignoreIndex = -100, reduction = 'mean' } = options;
    checkReduction('NLLLoss', reduction);
    this.weight = keptWeight('NLLLoss', weight);
    this.ignoreIndex = ignoreIndex;
    this.reduction = reduction;
  }

  override forward(input: Tensor, target: Tensor): Tensor<Shape, FloatDType> {
    const { weight, ignoreIndex, reduction } = this;
    return nllLoss(input, target, { weight, ignoreIndex, reduction });
  }
}
