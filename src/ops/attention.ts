// Scaled dot product attention (Vaswani et al. 2017). Kernels: native/cpu/attention.cpp, native/cuda/attention.cu.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { isGradEnabled } from '../autograd/mode.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { sharing, tidy } from '../memory.js';
import { native } from '../native.js';
import { broadcastsTo, formatShape, tryBroadcast, type Shape } from '../shape.js';
import { emptyTensor, viewTensor, type Tensor } from '../tensor/tensor.js';
import type { AttentionKeyCheck, AttentionShape, AttentionValueCheck } from '../types/attention.js';
import { add, mul, sub } from './arithmetic.js';
import { eq, ge, where } from './compare.js';
import { cast } from './copy.js';
import { arange } from './creation.js';
import { checkTensor, defineMultiOp, type OutputSpec } from './define.js';
import { requireFloatInput } from './indexing.js';
import { matmul } from './matmul.js';
import { defaultGenerator, type Generator } from './random.js';
import { amax, sum } from './reduce.js';
import { softmax } from './softmax.js';
import { expand, mT, permute, reshape } from './view.js';

interface Attributes {
  readonly causal: boolean;
  readonly scale: number;
  readonly dropout: number;
  readonly seed: bigint;
  readonly offset: number;
}

/** What is computed with, sums too: float32 of narrower floats. */
const wideOf = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

/** Heads and rows exchanged: `[B, L, H, E]`, as results lie in memory, and `[B, H, L, E]`, as the kernels want them. */
const swapHeads = (x: Tensor): Tensor => permute(x as Tensor<readonly [number, number, number, number]>, [0, 2, 1, 3]);

/** The same for memory that a kernel writes. */
function headsOf(x: Tensor): Tensor {
  const [batch, rows, heads, width] = x.shape;
  const [s0, s1, s2, s3] = x.strides;
  return viewTensor(x, [batch, heads, rows, width], [s0, s2, s1, s3], x._offset);
}

interface BackwardAttributes extends Attributes {
  /** Which gradients are wanted: of q, k, v, mask. */
  readonly wanted: readonly boolean[];
}

// The wanted gradients, in order; those of q, k and v as [B, L, H, E].
const backwardOp = defineMultiOp({
  name: 'scaledDotProductAttentionBackward',
  inputs: ['g', 'q', 'k', 'v', 'mask', 'out', 'logSums'],
  optional: ['mask'],
  outputs: ({ q, k, v, mask }, { wanted }: BackwardAttributes) =>
    [q, k, v, mask].flatMap((of, i): OutputSpec[] => {
      if (!wanted[i]) return [];
      const [batch, heads, rows, width] = of!.shape;
      return [{ shape: i === 3 ? of!.shape : [batch, rows, heads, width], dtype: of!.dtype }];
    }),
  forward: (outs, { g, q, k, v, mask, out, logSums }, { wanted, causal, scale, dropout, seed, offset }) => {
    tidy(() => {
      let next = 0;
      const handles = wanted.map((yes, i) => {
        if (!yes) return 0;
        const result = outs[next++];
        return (i === 3 ? result : headsOf(result))._handle;
      });
      native.attentionBackward(
        handles[0],
        handles[1],
        handles[2],
        handles[3],
        g._handle,
        q._handle,
        k._handle,
        v._handle,
        mask === null ? 0 : mask._handle,
        headsOf(out)._handle,
        logSums._handle,
        causal,
        scale,
        dropout,
        seed,
        offset,
      );
    });
  },
});

// q [B, H, L, E], k [B, H', S, E], v [B, H', S, Ev], mask [B, H, L, S] of q's dtype or bool; the result is [B, L, H, Ev].
// Only the CUDA device takes float16 and bfloat16.
const attentionOp = defineMultiOp({
  name: 'scaledDotProductAttention',
  inputs: ['q', 'k', 'v', 'mask'],
  optional: ['mask'],
  saves: ['q', 'k', 'v', 'mask', 'out0', 'out1'],
  outputs: ({ q, v }) => {
    const [batch, heads, rows] = q.shape;
    return [
      { shape: [batch, rows, heads, v.shape[3]], dtype: q.dtype },
      { shape: [batch, heads, rows], dtype: wideOf(q.dtype) },
    ];
  },
  forward: ([out, logSums], { q, k, v, mask }, { causal, scale, dropout, seed, offset }: Attributes) => {
    tidy(() => {
      native.attention(
        headsOf(out)._handle,
        logSums._handle,
        q._handle,
        k._handle,
        v._handle,
        mask === null ? 0 : mask._handle,
        causal,
        scale,
        dropout,
        seed,
        offset,
      );
    });
  },
  vjp: ([grad], saved, attributes, { needs }) => {
    const { q, k, v, out0, out1 } = saved;
    const mask = (saved as Partial<typeof saved>)['mask'] ?? null;
    const g = swapHeads(grad);
    if (isGradEnabled()) return differentiableGradients(g, q, k, v, mask, attributes);
    const wanted = [needs[0], needs[1], needs[2], needs[3] && mask !== null && mask.dtype !== 'bool'];
    let results: readonly Tensor[] | null = null;
    // All of them are made at once, in the first thunk that is called, for the others too.
    const gradient = (i: number) => (): Tensor => {
      results ??= sharing(() => backwardOp([g, q, k, v, mask, out0, out1], { ...attributes, wanted }));
      const result = results[wanted.slice(0, i).filter(Boolean).length];
      return i === 3 ? result : swapHeads(result);
    };
    return wanted.map((yes, i) => (yes ? gradient(i) : null));
  },
});

/** The same gradients made of differentiable ops, for gradients of gradients; memory grows with L * S. */
function differentiableGradients(
  ofOut: Tensor,
  query: Tensor,
  key: Tensor,
  value: Tensor,
  added: Tensor | null,
  { causal, scale, dropout, seed, offset }: Attributes,
): (() => Tensor)[] {
  const { dtype } = query;
  const wide = wideOf(dtype);
  const [g, q, k, v] = [ofOut, query, key, value].map((x) => cast(x, wide));
  const mask = added === null || added.dtype === 'bool' ? added : cast(added, wide);
  const [batch, heads, rows] = q.shape;
  const [, keyHeads, keys] = k.shape;
  const group = keyHeads === 0 ? 1 : heads / keyHeads;
  const spread = (x: Tensor): Tensor => {
    if (group === 1) return x;
    const width = x.shape[3];
    const grouped = expand(
      reshape(x, [batch, keyHeads, 1, keys, width]) as Tensor,
      [batch, keyHeads, group, keys, width] as Shape,
    );
    return reshape(grouped, [batch, heads, keys, width]);
  };
  const gathered = (x: Tensor): Tensor =>
    group === 1 ? x : sum(reshape(x, [batch, keyHeads, group, keys, x.shape[3]]) as Tensor, 2);

  const allKeys = spread(k);
  let scores: Tensor = mul(matmul(q, mT(allKeys)), scale);
  if (causal) {
    const { device } = q;
    const row = reshape(arange(0, rows, 1, { device }) as Tensor, [rows, 1] as Shape);
    const earlier = ge(row, arange(0, keys, 1, { device }) as Tensor);
    scores = where(earlier, scores, -Infinity);
  } else if (mask !== null) {
    scores = mask.dtype === 'bool' ? where(mask as Tensor<Shape, 'bool'>, scores, -Infinity) : add(scores, mask);
  }
  // Rows without any key have probabilities of 0, and no gradient.
  let probabilities: Tensor = scores;
  if (keys > 0) {
    const nothing = eq(amax(scores.detach(), -1, { keepDim: true }), -Infinity);
    probabilities = where(nothing, 0, softmax(where(nothing, 0, scores), -1));
  }
  let kept: Tensor | null = null;
  if (dropout > 0) {
    const bits = emptyTensor('dropout', scores.shape, q.dtype, q.device);
    native.randomBernoulli(bits._handle, seed, offset, 1 - dropout);
    kept = mul(bits, dropout === 1 ? 0 : 1 / (1 - dropout));
  }
  const dropped = (x: Tensor): Tensor => (kept === null ? x : mul(x, kept));
  const scoresGradient = (): Tensor => {
    const onProbabilities = dropped(matmul(g, mT(spread(v))));
    const mean = sum(mul(probabilities, onProbabilities), -1, { keepDim: true });
    return mul(probabilities, sub(onProbabilities, mean as Tensor));
  };
  let onScores: Tensor | null = null;
  const ofScores = (): Tensor => (onScores ??= scoresGradient());
  return [
    () => cast(mul(matmul(ofScores(), allKeys), scale), dtype),
    () => cast(gathered(mul(matmul(mT(ofScores()), q), scale)), dtype),
    () => cast(gathered(matmul(mT(dropped(probabilities)), g)), dtype),
    () => cast(ofScores(), dtype),
  ];
}

const name = 'scaledDotProductAttention';

function operands(q: Tensor, k: Tensor, v: Tensor): string {
  return `${name}(q ${formatShape(q.shape)}, k ${formatShape(k.shape)}, v ${formatShape(v.shape)})`;
}

function checkOperands(q: Tensor, k: Tensor, v: Tensor): void {
  for (const [label, x] of Object.entries({ q, k, v })) {
    requireFloatInput(name, label, x);
    if (x.shape.length < 2) {
      throw new ShapeError(
        `${name}: ${label} must have at least 2 dimensions, sequence and features, got shape ${formatShape(x.shape)}.`,
      );
    }
    if (x.dtype !== q.dtype) {
      throw new DTypeError(
        `${name}: q is ${q.dtype}, ${label} is ${x.dtype}; convert one, e.g. ${label}.to('${q.dtype}').`,
      );
    }
  }
  const width = q.shape[q.shape.length - 1];
  const keyWidth = k.shape[k.shape.length - 1];
  if (width !== keyWidth) {
    throw new ShapeError(
      `${operands(q, k, v)}: queries and keys need the same number of features, q.shape[-1] = ${width} but k.shape[-1] = ${keyWidth}.`,
    );
  }
  const keys = k.shape[k.shape.length - 2];
  const values = v.shape[v.shape.length - 2];
  if (keys !== values) {
    throw new ShapeError(
      `${operands(q, k, v)}: every key needs a value, k.shape[-2] = ${keys} but v.shape[-2] = ${values}.`,
    );
  }
}

/** The dimensions left of the last two (three, with grouped heads) that all have in common. */
function commonBatch(q: Tensor, k: Tensor, v: Tensor, own: number): Shape {
  const batches = [q, k, v].map(({ shape }) => shape.slice(0, shape.length - own));
  const pair = tryBroadcast(batches[0], batches[1]);
  const batch = pair === null ? null : tryBroadcast(pair, batches[2]);
  if (batch !== null) return batch;
  const [heads, keyHeads] = [q, k].map(({ shape }) => shape[shape.length - 3] ?? 1);
  const hint = own === 2 && heads > keyHeads && heads % keyHeads === 0 ? ' Did you mean { enableGqa: true }?' : '';
  throw new ShapeError(
    `${operands(q, k, v)}: the batch dimensions ${batches.map((shape) => formatShape(shape)).join(', ')} do not broadcast.${hint}`,
  );
}

function checkGroups(q: Tensor, k: Tensor, v: Tensor): void {
  const [heads, keyHeads, valueHeads] = [q, k, v].map(({ shape }) => {
    if (shape.length < 3)
      throw new ShapeError(
        `${operands(q, k, v)}: enableGqa needs 3 dimensions or more, [..., heads, sequence, features].`,
      );
    return shape[shape.length - 3];
  });
  if (keyHeads !== valueHeads) {
    throw new ShapeError(
      `${operands(q, k, v)}: keys have ${keyHeads} heads, values ${valueHeads}; they must be as many.`,
    );
  }
  if (keyHeads === 0 ? heads !== 0 : heads % keyHeads !== 0) {
    throw new ShapeError(
      `${operands(q, k, v)}: the ${keyHeads} heads of k and v do not divide the ${heads} heads of q.`,
    );
  }
}

function checkMask(q: Tensor, k: Tensor, mask: Tensor, causal: boolean, scores: Shape): void {
  checkTensor(name, 'attnMask', mask);
  if (causal) {
    throw new ArgumentError(`${name}: attnMask and isCausal exclude each other; put the causal mask into attnMask.`);
  }
  if (mask.dtype !== 'bool' && mask.dtype !== 'float32' && mask.dtype !== q.dtype) {
    throw new DTypeError(
      `${name}: attnMask must be bool (true: attend), float32 or of q's dtype ${q.dtype} (added to the scores), got ${mask.dtype}.`,
    );
  }
  if (!broadcastsTo(mask.shape, scores)) {
    throw new ShapeError(
      `${name}(q ${formatShape(q.shape)}, k ${formatShape(k.shape)}, attnMask ${formatShape(mask.shape)}): attnMask does not broadcast to the scores, ${formatShape(scores)}.`,
    );
  }
}

/** Options of `scaledDotProductAttention`. */
export interface AttentionOptions {
  /**
   * Broadcasts to `[..., L, S]`. A bool mask is true where a query may attend to a key; a float mask is added to the
   * scores. Default: none.
   */
  attnMask?: Tensor | null;
  /** The probability with which attention weights are dropped, also in evaluation: pass 0 there. Default 0. */
  dropoutP?: number;
  /** Query i attends to keys 0 to i only. Not together with `attnMask`. Default false. */
  isCausal?: boolean;
  /** The factor of the scores. Default 1 / sqrt(E). */
  scale?: number | null;
  /**
   * Grouped-query attention (Ainslie et al. 2023): the third dimension from the right is heads, those of k and v divide
   * those of q, and consecutive heads of q share one. Default false.
   */
  enableGqa?: boolean;
  /** The source of dropout's random numbers. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * Attention of each query to all keys: `softmax(q k^T * scale + mask) v` (Vaswani et al. 2017), computed in blocks (Dao et
 * al. 2022), so that memory is linear in L and S; only the gradient of a float mask has its L * S elements, and so has
 * everything with `createGraph`. A query whose keys are all masked gives 0. float16 and bfloat16 compute in float32 and round
 * the result (on a GPU, where cuDNN may do it, the probabilities too).
 *
 * Shapes: q `[..., L, E]`, k `[..., S, E]`, v `[..., S, Ev]` -> `[..., L, Ev]`; what is left of the last two dimensions
 * (heads, batch) broadcasts. The result's memory has rows before heads, so `transpose(1, 2)` of it is contiguous.
 *
 * @throws ShapeError, DTypeError; ArgumentError for attnMask together with isCausal, and a dropoutP not from 0 to 1
 * @example
 * const q = randn([2, 8, 128, 64]);
 * nn.functional.scaledDotProductAttention(q, q, q, { isCausal: true }).shape; // [2, 8, 128, 64]
 */
export function scaledDotProductAttention<Q extends Shape, K extends Shape, V extends Shape, D extends DType>(
  q: Tensor<Q, D>,
  k: Tensor<K, D> & AttentionKeyCheck<Q, K>,
  v: Tensor<V, D> & AttentionValueCheck<K, V>,
  options: AttentionOptions = {},
): Tensor<AttentionShape<Q, V>, D> {
  return attend(q, k, v, options) as unknown as Tensor<AttentionShape<Q, V>, D>;
}

function attend(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions): Tensor {
  if (autocastState() !== null) return autocastWhole(name, [q, k, v], ([a, b, c]) => attend(a, b, c, options));
  const { dropoutP = 0, isCausal = false, enableGqa = false, generator = defaultGenerator } = options;
  const mask = options.attnMask ?? null;
  checkOperands(q, k, v);
  if (enableGqa) checkGroups(q, k, v);
  if (!(dropoutP >= 0 && dropoutP <= 1))
    throw new ArgumentError(`${name}: dropoutP must be from 0 to 1, got ${String(dropoutP)}.`);
  const [rows, width] = q.shape.slice(-2);
  const [keys, valueWidth] = v.shape.slice(-2);
  // Without features all scores are 0, whatever the scale.
  const scale = options.scale ?? (width === 0 ? 1 : 1 / Math.sqrt(width));
  if (typeof scale !== 'number' || !Number.isFinite(scale))
    throw new ArgumentError(`${name}: scale must be a finite number, got ${String(scale)}.`);

  // batch: without heads. Where no dimension is meant as heads, the last of four or more is.
  const common = commonBatch(q, k, v, enableGqa ? 3 : 2);
  const heads = enableGqa ? q.shape[q.shape.length - 3] : common.length >= 2 ? common[common.length - 1] : 1;
  const keyHeads = enableGqa ? k.shape[k.shape.length - 3] : heads;
  const batch = enableGqa || common.length < 2 ? common : common.slice(0, -1);
  const full = (own: number): Shape => (enableGqa ? [...common, own] : common);
  const scores = [...full(heads), rows, keys];
  if (mask !== null) checkMask(q, k, mask, isCausal, scores);

  // The CPU's kernels take no narrower floats; a float32 mask of narrower scores is not to be rounded.
  const narrow = q.device !== 'cpu' && (mask === null || mask.dtype === 'bool' || mask.dtype === q.dtype);
  const compute = narrow ? q.dtype : wideOf(q.dtype);
  const count = batch.reduce((product, size) => product * size, 1);
  return tidy(() => {
    const inFour = (x: Tensor, own: number): Tensor => {
      const [length, features] = x.shape.slice(-2);
      const stretched = expand(cast(x, compute), [...full(own), length, features] as Shape);
      return reshape(stretched, [count, own, length, features] as Shape);
    };
    let bias: Tensor | null = null;
    if (mask !== null) {
      const typed: Tensor = isFloating(mask.dtype) ? cast(mask, compute) : mask;
      bias = reshape(expand(typed, scores as Shape), [count, heads, rows, keys] as Shape);
    }
    const draws = dropoutP > 0 ? Math.ceil((count * heads * rows * keys) / 4) : 0;
    const attributes: Attributes = {
      causal: isCausal,
      scale,
      dropout: dropoutP,
      seed: generator.seed,
      offset: draws > 0 ? generator.take(draws) : 0,
    };
    const [out] = attentionOp([inFour(q, heads), inFour(k, keyHeads), inFour(v, keyHeads), bias], attributes);
    return cast(reshape(swapHeads(out), [...full(heads), rows, valueWidth] as Shape), q.dtype);
  });
}
