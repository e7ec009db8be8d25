// Multi-head attention (Vaswani et al. 2017).
import { autocastState } from '../amp/state.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { add, mul } from '../ops/arithmetic.js';
import { scaledDotProductAttention } from '../ops/attention.js';
import { ge, logicalAnd, logicalNot, where } from '../ops/compare.js';
import { cast } from '../ops/copy.js';
import { arange, empty, zeros, type TensorOptions } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { requireFloatInput } from '../ops/indexing.js';
import { cat } from '../ops/join.js';
import { linear, matmul } from '../ops/matmul.js';
import { lastParts } from '../ops/parts.js';
import type { Generator } from '../ops/random.js';
import { mean } from '../ops/reduce.js';
import { softmax } from '../ops/softmax.js';
import { expand, mT, narrow, permute, reshape, unsqueeze } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FeaturesFn } from '../types/attention.js';
import type { ApplyCheck } from '../types/sequential.js';
import { dropout } from './functional.js';
import { constant, xavierNormal, xavierUniform } from './init.js';
import { Linear } from './layers.js';
import { Module, parameter, type Parameter } from './module.js';

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** The probability with which attention weights are dropped in training. Default 0. */
  dropout?: number;
  /** Add biases to the projections. Default true. */
  bias?: boolean;
  /** Add a learned key and value to every sequence. Default false. */
  addBiasKv?: boolean;
  /** Add a key and a value of zeros to every sequence. Default false. */
  addZeroAttn?: boolean;
  /** Features of the keys. Default embedDim. */
  kdim?: number;
  /** Features of the values. Default embedDim. */
  vdim?: number;
  /** The batch is the first dimension, not the second. Default false. */
  batchFirst?: boolean;
  /** Source of the initial values and of dropout. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `MultiheadAttention.forward`. */
export interface AttentionCallOptions {
  /** `[N, S]` (`[S]` without a batch): keys to leave out, by true, or numbers to add to their scores. */
  keyPaddingMask?: Tensor | null;
  /** Give the attention weights too, which takes memory for all of them. Default true. */
  needWeights?: boolean;
  /** `[L, S]` or `[N * numHeads, L, S]`: pairs to leave out, by true (unlike scaledDotProductAttention), or numbers to add. */
  attnMask?: Tensor | null;
  /** The weights' mean over heads instead of each head's. Default true. */
  averageAttnWeights?: boolean;
  /**
   * Query i attends to keys 0 to i only. With an `attnMask` this says that it is that mask, and it need not be read.
   * (PyTorch wants the mask in any case.) Default false.
   */
  isCausal?: boolean;
}

type Check<E extends number, S extends Shape> = ApplyCheck<FeaturesFn<'MultiheadAttention', E>, S>;

const bools = (x: Tensor): Tensor<Shape, 'bool'> => x as Tensor<Shape, 'bool'>;
const view = (x: Tensor, shape: Shape): Tensor => reshape(x, shape);
const order = (x: Tensor, dims: readonly number[]): Tensor => permute(x, dims);

/**
 * Attention of `numHeads` heads at once: queries, keys and values are projected to heads of `embedDim / numHeads`
 * features, each head attends by itself, and the heads side by side are projected again (Vaswani et al. 2017). The names
 * and shapes of the parameters are PyTorch's. Xavier uniform weights and zero biases at the start.
 *
 * Shapes: query `[L, N, E]`, key `[S, N, kdim]`, value `[S, N, vdim]` -> `[L, N, E]` and weights `[N, L, S]` (`[N, heads,
 * L, S]` of each head); with `batchFirst` N comes first; without a batch there is no N.
 *
 * With `needWeights: false` the weights are never held in memory as a whole; a query whose keys are all masked then gives
 * 0 (before the last projection), and NaN otherwise, as in PyTorch.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const attention = new nn.MultiheadAttention(64, 4, { batchFirst: true });
 * const x = randn([2, 10, 64]);
 * const [y] = attention.forward(x, x, x, { needWeights: false }); // [2, 10, 64]
 */
export class MultiheadAttention<E extends number = number> extends Module {
  /** Features of queries and of the result. */
  readonly embedDim: E;
  /** The number of heads. */
  readonly numHeads: number;
  /** Features of the keys. */
  readonly kdim: number;
  /** Features of the values. */
  readonly vdim: number;
  /** The probability of dropping a weight in training. */
  readonly dropout: number;
  /** The batch comes first. */
  readonly batchFirst: boolean;
  /** A key and a value of zeros are added. */
  readonly addZeroAttn: boolean;
  /** `[3 E, E]`, the projections of queries, keys and values, or null when kdim or vdim differ from embedDim. */
  readonly in_proj_weight: Parameter | null;
  /** `[E, E]`, or null with `in_proj_weight`. */
  readonly q_proj_weight: Parameter | null;
  /** `[E, kdim]`, or null with `in_proj_weight`. */
  readonly k_proj_weight: Parameter | null;
  /** `[E, vdim]`, or null with `in_proj_weight`. */
  readonly v_proj_weight: Parameter | null;
  /** `[3 E]`, or null without biases. */
  readonly in_proj_bias: Parameter | null;
  /** `[1, 1, E]`, the added key, or null. */
  readonly bias_k: Parameter | null;
  /** `[1, 1, E]`, the added value, or null. */
  readonly bias_v: Parameter | null;
  /** The last projection. */
  readonly out_proj: Linear;
  private readonly _generator: Generator | undefined;

  constructor(embedDim: E, numHeads: number, options: MultiheadAttentionOptions = {}) {
    super();
    const { dropout: p = 0, bias = true, addBiasKv = false, addZeroAttn = false, batchFirst = false } = options;
    const { kdim = embedDim, vdim = embedDim, generator } = options;
    for (const [name, value] of Object.entries({ embedDim, numHeads, kdim, vdim })) {
      if (!Number.isInteger(value) || value < 1)
        throw new ArgumentError(`MultiheadAttention: ${name} must be an integer above 0, got ${String(value)}.`);
    }
    if (embedDim % numHeads !== 0) {
      throw new ArgumentError(
        `MultiheadAttention: embedDim ${embedDim} cannot be shared by ${numHeads} heads, it must be a multiple.`,
      );
    }
    if (!(p >= 0 && p <= 1))
      throw new ArgumentError(`MultiheadAttention: dropout must be from 0 to 1, got ${String(p)}.`);
    this.embedDim = embedDim;
    this.numHeads = numHeads;
    this.kdim = kdim;
    this.vdim = vdim;
    this.dropout = p;
    this.batchFirst = batchFirst;
    this.addZeroAttn = addZeroAttn;
    this._generator = generator;
    const made: TensorOptions = {
      ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
      ...(options.device === undefined ? {} : { device: options.device }),
    };
    const weight = (rows: number, columns: number): Parameter =>
      parameter(xavierUniform(empty([rows, columns], made) as Tensor, 1, generator));
    const packed = kdim === embedDim && vdim === embedDim;
    this.in_proj_weight = packed ? weight(3 * embedDim, embedDim) : null;
    this.q_proj_weight = packed ? null : weight(embedDim, embedDim);
    this.k_proj_weight = packed ? null : weight(embedDim, kdim);
    this.v_proj_weight = packed ? null : weight(embedDim, vdim);
    this.in_proj_bias = bias ? parameter(zeros([3 * embedDim], made) as Tensor) : null;
    const added = (): Parameter => parameter(xavierNormal(empty([1, 1, embedDim], made) as Tensor, 1, generator));
    this.bias_k = addBiasKv ? added() : null;
    this.bias_v = addBiasKv ? added() : null;
    this.out_proj = new Linear<number, number>(embedDim, embedDim, {
      bias,
      ...made,
      ...(generator === undefined ? {} : { generator }),
    });
    if (this.out_proj.bias !== null) constant(this.out_proj.bias, 0);
  }

  /**
   * The result, and the weights unless `needWeights` is false.
   *
   * @throws ShapeError, DTypeError
   */
  override forward<Q extends Shape, D extends DType>(
    query: Tensor<Q, D> & Check<E, Q>,
    key: Tensor<Shape, D>,
    value: Tensor<Shape, D>,
    // `object`: without it nothing but options would be allowed in this place, and a Module takes any tensors.
    options: AttentionCallOptions & object = {},
  ): [Tensor<Q, D>, Tensor<Shape, D> | null] {
    const batched = this.checkInputs(query, key, value);
    const { needWeights = true, averageAttnWeights = true } = options;
    return tidy(() => {
      const [q, k, v] = this.project(query, key, value, batched);
      const [batch, , rows] = q.shape;
      const keys = k.shape[2];
      const { mask, causal } = this.mergeMasks(options, batch, rows, keys, batched, q);
      const p = this.training ? this.dropout : 0;
      const random = this._generator === undefined ? {} : { generator: this._generator };
      let weights: Tensor | null = null;
      let heads: Tensor;
      if (needWeights) {
        weights = this.weigh(q, k, mask);
        if (p > 0) weights = dropout(weights, { p, ...random });
        heads = matmul(weights, v);
        if (averageAttnWeights) weights = mean(weights, 1);
        if (!batched) weights = view(weights, weights.shape.slice(1));
      } else {
        heads = scaledDotProductAttention<Shape, Shape, Shape, DType>(q, k, v, {
          attnMask: mask,
          isCausal: causal,
          dropoutP: p,
          ...random,
        });
      }
      // [N, heads, L, D] to the layout of the query.
      const joined = view(order(heads, this.batchFirst || !batched ? [0, 2, 1, 3] : [2, 0, 1, 3]), query.shape);
      const result = this.out_proj.forward(joined) as Tensor;
      return [result as Tensor<Q, D>, weights as Tensor<Shape, D> | null];
    });
  }

  override extraRepr(): string {
    return `${this.embedDim}, ${this.numHeads}`;
  }

  private checkInputs(query: Tensor, key: Tensor, value: Tensor): boolean {
    const name = 'MultiheadAttention';
    const given = { query, key, value };
    const widths = { query: this.embedDim, key: this.kdim, value: this.vdim } as const;
    const rank = isTensorLike(query) ? query.shape.length : 0;
    for (const [label, x] of Object.entries(given) as [keyof typeof widths, Tensor][]) {
      requireFloatInput(name, label, x);
      if (x.shape.length !== rank || (rank !== 2 && rank !== 3)) {
        throw new ShapeError(
          `${name}: query, key and value must all be ${this.batchFirst ? '[N, L, E]' : '[L, N, E]'} or, without a batch, [L, E]; ${label} has shape ${formatShape(x.shape)}.`,
        );
      }
      if (x.shape[rank - 1] !== widths[label]) {
        throw new ShapeError(
          `${name}: ${label} of shape ${formatShape(x.shape)} has ${x.shape[rank - 1]} features, the layer takes ${widths[label]}.`,
        );
      }
      if (x.dtype !== this.out_proj.weight.dtype && autocastState() === null) {
        throw new DTypeError(
          `${name}: ${label} is ${x.dtype}, the layer's parameters are ${this.out_proj.weight.dtype}; convert one with to().`,
        );
      }
    }
    if (!shapesEqual(key.shape.slice(0, -1), value.shape.slice(0, -1))) {
      throw new ShapeError(
        `${name}(key ${formatShape(key.shape)}, value ${formatShape(value.shape)}): every key needs a value, the shapes differ.`,
      );
    }
    const batchDim = this.batchFirst ? 0 : 1;
    if (rank === 3 && query.shape[batchDim] !== key.shape[batchDim]) {
      throw new ShapeError(
        `${name}(query ${formatShape(query.shape)}, key ${formatShape(key.shape)}): the batches differ, query.shape[${batchDim}] = ${query.shape[batchDim]} but key.shape[${batchDim}] = ${key.shape[batchDim]}.`,
      );
    }
    return rank === 3;
  }

  /** Queries, keys and values as [N, heads, length, D]. */
  private project(query: Tensor, key: Tensor, value: Tensor, batched: boolean): Tensor[] {
    const e: number = this.embedDim;
    const { in_proj_weight: weight, in_proj_bias: bias } = this;
    const part = (i: number, count: number): [Tensor, Tensor | null] => [
      narrow(weight as Tensor, 0, i * e, count * e),
      bias === null ? null : narrow(bias as Tensor, 0, i * e, count * e),
    ];
    let projected: Tensor[];
    if (weight !== null && query === key && key === value) {
      projected = lastParts(linear(query, weight, bias), [e, e, e]);
    } else if (weight !== null && key === value) {
      projected = [linear(query, ...part(0, 1)), ...lastParts(linear(key, ...part(1, 2)), [e, e])];
    } else {
      const weights = [this.q_proj_weight, this.k_proj_weight, this.v_proj_weight];
      projected = [query, key, value].map((x, i) => {
        if (weight !== null) return linear(x, ...part(i, 1));
        return linear(x, weights[i]!, bias === null ? null : narrow(bias as Tensor, 0, i * e, e));
      });
    }
    const inFour = projected.map((x) => {
      const wide = batched ? x : unsqueeze(x, 0);
      const split = view(wide, [wide.shape[0], wide.shape[1], this.numHeads, e / this.numHeads]);
      return order(split, this.batchFirst || !batched ? [0, 2, 1, 3] : [1, 2, 0, 3]);
    });
    return [inFour[0], this.extend(inFour[1], this.bias_k), this.extend(inFour[2], this.bias_v)];
  }

  /** Keys or values with what is added to every sequence. */
  private extend(x: Tensor, bias: Tensor | null): Tensor {
    if (bias === null && !this.addZeroAttn) return x;
    const [batch, heads, , width] = x.shape;
    const parts = [x];
    if (bias !== null) parts.push(expand(view(bias, [1, heads, 1, width]), [batch, heads, 1, width] as Shape));
    if (this.addZeroAttn) parts.push(zeros([batch, heads, 1, width], { dtype: x.dtype, device: x.device }));
    return cat(parts, 2);
  }

  /** One mask in the sense of scaledDotProductAttention, of 4 dimensions, or the causal one without memory. */
  private mergeMasks(
    options: AttentionCallOptions,
    batch: number,
    rows: number,
    keys: number,
    batched: boolean,
    like: Tensor,
  ): { mask: Tensor | null; causal: boolean } {
    const { needWeights = true, isCausal = false } = options;
    const added = (this.bias_k === null ? 0 : 1) + (this.addZeroAttn ? 1 : 0);
    const given = keys - added;
    const masks: Tensor[] = [];
    const { attnMask = null, keyPaddingMask = null } = options;
    if (attnMask !== null) {
      const shape = this.checkMask('attnMask', attnMask, [rows, given], [batch * this.numHeads, rows, given], like);
      if (!(isCausal && keyPaddingMask === null && !needWeights && added === 0))
        masks.push(view(attnMask, shape.length === 2 ? [1, 1, rows, given] : [batch, this.numHeads, rows, given]));
    }
    if (keyPaddingMask !== null) {
      this.checkMask('keyPaddingMask', keyPaddingMask, batched ? [batch, given] : [given], null, like);
      masks.push(view(keyPaddingMask, [batch, 1, 1, given]));
    }
    if (isCausal && masks.length === 0 && !needWeights && added === 0) return { mask: null, causal: true };
    if (isCausal && attnMask === null) {
      const query = view(arange(0, rows, 1, { device: like.device }), [rows, 1]);
      const seen = ge(query, arange(0, given, 1, { device: like.device }) as Tensor);
      masks.push(view(logicalNot(seen), [1, 1, rows, given]));
    }
    if (masks.length === 0) return { mask: null, causal: false };
    // Bool masks here say what to leave out; what is added to the keys is never masked.
    let mask: Tensor;
    if (masks.every(({ dtype }) => dtype === 'bool')) {
      mask = masks.map((x) => logicalNot(x) as Tensor).reduce((a, b) => logicalAnd(a, b) as Tensor);
    } else {
      mask = masks
        .map((x) => (x.dtype === 'bool' ? cast(where(bools(x), -Infinity, 0), like.dtype) : cast(x, like.dtype)))
        .reduce((a, b) => add(a, b));
    }
    if (added > 0) {
      const shape = [...mask.shape.slice(0, -1), added];
      const allowed =
        mask.dtype === 'bool'
          ? logicalNot(zeros(shape, { dtype: 'bool', device: like.device }))
          : zeros(shape, { dtype: mask.dtype, device: like.device });
      mask = cat([mask, allowed as Tensor], -1);
    }
    return { mask, causal: false };
  }

  private checkMask(label: string, mask: Tensor, a: Shape, b: Shape | null, like: Tensor): Shape {
    const name = 'MultiheadAttention';
    checkTensor(name, label, mask);
    if (mask.dtype !== 'bool' && mask.dtype !== 'float32' && mask.dtype !== like.dtype) {
      throw new DTypeError(
        `${name}: ${label} must be bool (true: leave out), float32 or ${like.dtype} (added to the scores), got ${mask.dtype}.`,
      );
    }
    if (!shapesEqual(mask.shape, a) && (b === null || !shapesEqual(mask.shape, b))) {
      throw new ShapeError(
        `${name}: ${label} must have shape ${formatShape(a)}${b === null ? '' : ` or ${formatShape(b)}`}, got ${formatShape(mask.shape)}.`,
      );
    }
    return mask.shape;
  }

  /** The attention weights as a whole. */
  private weigh(q: Tensor, k: Tensor, mask: Tensor | null): Tensor {
    let scores = matmul(mul(q, 1 / Math.sqrt(q.shape[3])), mT(k));
    if (mask !== null) scores = mask.dtype === 'bool' ? where(bools(mask), scores, -Infinity) : add(scores, mask);
    return softmax(scores, -1);
  }
}

function isTensorLike(x: unknown): x is Tensor {
  return typeof x === 'object' && x !== null && 'shape' in x;
}
