// A classifier of texts by a transformer's encoder.
import type { DType, FloatDType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { normal } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module, parameter, type Parameter } from '../nn/module.js';
import { LayerNorm } from '../nn/norm.js';
import { LearnedPositionalEncoding, SinusoidalPositionalEncoding } from '../nn/positional.js';
import { TransformerEncoderLayer } from '../nn/transformer.js';
import type { Lengths } from '../nn/utils/rnn.js';
import { div, mul } from '../ops/arithmetic.js';
import { ge } from '../ops/compare.js';
import { arange, empty, fromTypedArray } from '../ops/creation.js';
import { cat } from '../ops/join.js';
import { maskedFill } from '../ops/mask.js';
import { mean, sum } from '../ops/reduce.js';
import { expand, select, unsqueeze } from '../ops/view.js';
import type { Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import {
  checkChoice,
  checkPositive,
  checkProbability,
  checkSequences,
  type ModelOptions,
  type TextClassifierFn,
} from './common.js';

/** Options of `TransformerClassifier`. */
export interface TransformerClassifierOptions<K extends number = number> extends ModelOptions {
  /** How many tokens there are: ids are from 0 to below. Default 10,000. */
  vocabSize?: number;
  /** Features of a token. Default 128. */
  dModel?: number;
  /** Heads of attention. Default 4. */
  numHeads?: number;
  /** Layers of the encoder. Default 2. */
  numLayers?: number;
  /** Features inside the feed-forward nets. Default `4 * dModel`. */
  dimFeedforward?: number;
  /** The probability of zeros in training. Default 0.1. */
  dropout?: number;
  /** The longest text. Default 512. */
  maxLength?: number;
  /** How many logits a text gets. 1 (default): one of two classes, by the sign of a single logit. */
  numClasses?: K;
  /** What tells the order: `'sinusoidal'` (default), as in the paper, or `'learned'`. */
  positions?: 'sinusoidal' | 'learned';
  /** What stands for the text: `'mean'` (default) of its tokens, or a learned token in front, `'cls'` (Devlin et al. 2019). */
  pool?: 'mean' | 'cls';
  /** Norms in front of each part (Xiong et al. 2020), which needs no warm-up, or behind, as in the paper. Default true. */
  normFirst?: boolean;
  /** The id that fills short texts: its vector is zero and not learned. Default: none. */
  paddingIdx?: number;
}

/**
 * A transformer's encoder that classifies texts (Vaswani et al. 2017, "Attention is all you need"). Tokens' vectors start normal
 * with deviation `1 / sqrt(dModel)` and are multiplied by `sqrt(dModel)`, as there; the rest as `TransformerEncoderLayer` and
 * `Linear`.
 *
 * Shapes: ids `[N, L]` -> `[N, numClasses]`, or `[N]` of one class; logits.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * const model = new models.TransformerClassifier({ vocabSize: 100, numClasses: 3 });
 * model.forward(randint(0, 100, [8, 20]), [20, 5, 7, 20, 1, 2, 3, 4]).shape; // [8, 3]
 */
export class TransformerClassifier<const K extends number = 1> extends Module<
  TextClassifierFn<'TransformerClassifier', K>
> {
  /** How many logits a text gets. */
  readonly numClasses: K;
  /** The longest text. */
  readonly maxLength: number;
  /** The vectors of the tokens. */
  readonly embedding: Embedding;
  /** `[1, 1, dModel]`, the token in front; null with means. */
  readonly cls: Parameter | null;
  /** Adds positions, and drops. */
  readonly positions: SinusoidalPositionalEncoding | LearnedPositionalEncoding;
  /** The encoder. */
  readonly layers: TransformerEncoderLayer[];
  /** Behind the last layer, with the norms first. */
  readonly norm: LayerNorm | null;
  /** In front of the head. */
  readonly dropout: Dropout;
  /** The head. */
  readonly output: Linear;

  constructor(options: TransformerClassifierOptions<K> = {}) {
    super();
    const name = 'TransformerClassifier';
    const { vocabSize = 10_000, dModel = 128, numHeads = 4, numLayers = 2, numClasses = 1 as K, ...others } = options;
    const { dimFeedforward = 4 * dModel, dropout = 0.1, maxLength = 512, positions = 'sinusoidal', ...rest } = others;
    const { pool = 'mean', normFirst = true, paddingIdx, ...place } = rest;
    checkPositive(name, { vocabSize, dModel, numHeads, numLayers, dimFeedforward, maxLength, numClasses });
    checkProbability(name, 'dropout', dropout);
    checkChoice(name, 'pool', pool, ['mean', 'cls']);
    checkChoice(name, 'positions', positions, ['sinusoidal', 'learned']);
    const { generator, ...noRandom } = place;
    this.numClasses = numClasses;
    this.maxLength = maxLength;
    this.embedding = new Embedding<number, number>(vocabSize, dModel, {
      ...place,
      ...(paddingIdx === undefined ? {} : { paddingIdx }),
    });
    this.embedding.weight.detach().mul_(1 / Math.sqrt(dModel));
    const first: Tensor = empty<Shape, DType>([1, 1, dModel], noRandom);
    this.cls = pool === 'cls' ? parameter(normal(first, 0, 0.02, generator)) : null;
    const common = { maxLen: maxLength + (pool === 'cls' ? 1 : 0), dropout, batchFirst: true };
    this.positions =
      positions === 'learned'
        ? new LearnedPositionalEncoding<number>(dModel, { ...place, ...common })
        : new SinusoidalPositionalEncoding<number>(dModel, common);
    const layer = { ...place, dimFeedforward, dropout, normFirst, batchFirst: true };
    this.layers = Array.from({ length: numLayers }, () => new TransformerEncoderLayer<number>(dModel, numHeads, layer));
    this.norm = normFirst ? new LayerNorm<number | Shape>(dModel, noRandom) : null;
    this.dropout = new Dropout(dropout, generator);
    this.output = new Linear<number, number>(dModel, numClasses, place);
  }

  /**
   * Logits.
   *
   * @param ids `[N, L]` of int64 or int32
   * @param lengths of the texts, where they are padded behind: nothing attends to what is behind them
   * @throws ShapeError unless ids are `[N, L]` with L up to maxLength; ArgumentError for lengths that do not fit
   */
  override forward<S extends Shape>(
    ids: Tensor<S> & ApplyCheck<TextClassifierFn<'TransformerClassifier', K>, S>,
    lengths?: Lengths,
  ): Tensor<ApplyShape<TextClassifierFn<'TransformerClassifier', K>, S>, FloatDType> {
    checkSequences('TransformerClassifier', ids, this.maxLength);
    const [batch, steps] = ids.shape;
    const width = this.embedding.embeddingDim;
    const vectors: Tensor = mul(this.embedding.forward<Shape, DType>(ids) as Tensor, Math.sqrt(width));
    const { cls } = this;
    const tokens = cls === null ? vectors : cat([expand(cls, [batch, 1, width]) as Tensor, vectors], 1);
    const padding = lengths === undefined ? null : paddingMask(lengths, batch, steps, cls === null ? 0 : 1, ids);
    let h = this.positions.forward<Shape, DType>(tokens);
    for (const layer of this.layers) h = layer.forward<Shape, DType>(h, { srcKeyPaddingMask: padding });
    if (this.norm !== null) h = this.norm.forward<Shape, DType>(h);
    const pooled = cls === null ? meanOf(h, padding) : select(h, 1, 0);
    const logits: Tensor = this.output.forward<Shape, DType>(this.dropout.forward(pooled));
    const result: Tensor = this.numClasses === 1 ? select(logits, 1, 0) : logits;
    return result as unknown as Tensor<ApplyShape<TextClassifierFn<'TransformerClassifier', K>, S>, FloatDType>;
  }
}

/** `[N, added + L]`, true behind the lengths. */
function paddingMask(lengths: Lengths, batch: number, steps: number, added: number, like: Tensor): Tensor {
  const list = isTensor(lengths) ? Array.from(lengths.dataSync(), Number) : [...lengths];
  if (list.length !== batch)
    throw new ArgumentError(`TransformerClassifier: there are ${list.length} lengths of ${batch} texts.`);
  list.forEach((length, i) => {
    if (!Number.isInteger(length) || length < 1 || length > steps) {
      throw new ArgumentError(
        `TransformerClassifier: lengths[${i}] must be an integer from 1 to ${steps}, got ${String(length)}.`,
      );
    }
  });
  const { device } = like;
  const ends = fromTypedArray(
    Int32Array.from(list, (length) => length + added),
    [batch, 1],
    { device },
  );
  return ge(unsqueeze(arange(0, steps + added, 1, { dtype: 'int32', device }) as Tensor, 0), ends as Tensor);
}

/** The mean over the steps that are no padding. */
function meanOf(h: Tensor, padding: Tensor | null): Tensor {
  if (padding === null) return mean(h, 1);
  const behind = unsqueeze(padding, 2) as Tensor<Shape, 'bool'>;
  const counts = sum(behind.logicalNot().to(h.dtype), 1);
  return div(sum(maskedFill<Shape, DType, Shape>(h, behind, 0), 1), counts);
}
