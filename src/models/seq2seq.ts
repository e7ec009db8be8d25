// From sequence to sequence: a recurrent encoder, and a recurrent decoder with attention.
import type { DType, FloatDType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { crossEntropy } from '../nn/classLoss.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { GRU } from '../nn/rnn.js';
import { packPaddedSequence, padPackedSequence, type Lengths } from '../nn/utils/rnn.js';
import { lt } from '../ops/compare.js';
import { arange, fromTypedArray } from '../ops/creation.js';
import { cat } from '../ops/join.js';
import { tanh } from '../ops/math.js';
import { rand, type Generator } from '../ops/random.js';
import { argmax } from '../ops/reduce.js';
import { narrow, reshape, select } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { beamSearch, type TranslateOptions } from './beam.js';
import { checkChoice, checkPositive, checkProbability, checkSequences, type ModelOptions } from './common.js';
import { BahdanauDecoder, LuongDecoder, type Memory } from './seq2seqDecoders.js';

/** Options of `Seq2Seq`. */
export interface Seq2SeqOptions extends ModelOptions {
  /** Tokens of the source: ids are from 0 to below. */
  sourceVocab: number;
  /** Tokens of the target, the special ones among them. */
  targetVocab: number;
  /** The length of the vector of a token. Default 64. */
  embeddingDim?: number;
  /** Features of the decoder's state, and of the encoder's in each direction. Default 128. */
  hiddenSize?: number;
  /**
   * `'bahdanau'` (default): additive attention by the state before a step, whose result the step reads (Bahdanau et al. 2015).
   * `'luong'`: multiplicative attention by the state after a step (Luong et al. 2015, "general"), so that all steps of a known
   * target run at once.
   */
  attention?: 'bahdanau' | 'luong';
  /** The encoder reads backwards too. Default true. */
  bidirectional?: boolean;
  /** The probability of zeros behind embeddings, in training. Default 0. */
  dropout?: number;
  /** Fills short targets; the loss passes it over. Default 0. */
  padToken?: number;
  /** The first token of a target. Default 1. */
  startToken?: number;
  /** The last token of a target. Default 2. */
  endToken?: number;
}

/** What `Seq2Seq.encode` gives. */
export interface Encoded {
  /** What the decoder attends to. */
  readonly memory: Memory;
  /** Its first state, `[N, hiddenSize]`. */
  readonly state: Tensor;
}

/** Options of `Seq2Seq.forward`. */
export interface Seq2SeqCallOptions {
  /** Of the sources, where they are padded behind: what is behind them is not seen. */
  sourceLengths?: Lengths;
  /**
   * The probability with which a step, for the whole batch, is given the true token before it and not what the model takes for
   * it (Williams and Zipser 1989; Bengio et al. 2015). Default 1.
   */
  teacherForcing?: number;
  /** The source of those draws. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * Sequence to sequence with attention (Sutskever et al. 2014; Bahdanau, Cho and Bengio 2015, "Neural machine translation by
 * jointly learning to align and translate"; Luong, Pham and Manning 2015): a GRU reads the source, another writes the target
 * and attends to what the first one gave. Weights start as those of `Embedding`, `GRU` and `Linear`.
 *
 * Shapes: source `[N, S]`, target `[N, T]` that begins with `startToken` -> logits `[N, T - 1, targetVocab]` of its other tokens.
 *
 * @throws ArgumentError for options out of range; `forward` throws ShapeError
 * @example
 * const model = new models.Seq2Seq({ sourceVocab: 30, targetVocab: 30, attention: 'luong' });
 * model.loss(source, target).backward();
 * const sentences = await model.eval().translate(source, { beamSize: 4, maxLength: 20 }); // lists of tokens
 */
export class Seq2Seq extends Module {
  /** Tokens of the target. */
  readonly targetVocab: number;
  /** Fills short targets. */
  readonly padToken: number;
  /** The first token of a target. */
  readonly startToken: number;
  /** The last token of a target. */
  readonly endToken: number;
  /** Vectors of the source's tokens. */
  readonly embedding: Embedding;
  /** Behind them. */
  readonly dropout: Dropout;
  /** Reads the source. */
  readonly encoder: GRU<number, number, boolean>;
  /** From the encoder's last state to the decoder's first. */
  readonly bridge: Linear;
  /** Writes the target. */
  readonly decoder: BahdanauDecoder | LuongDecoder;

  constructor(options: Seq2SeqOptions) {
    super();
    const {
      sourceVocab,
      targetVocab,
      embeddingDim = 64,
      hiddenSize = 128,
      attention = 'bahdanau',
      ...others
    } = options;
    const { bidirectional = true, dropout = 0, padToken = 0, startToken = 1, endToken = 2, ...place } = others;
    checkPositive('Seq2Seq', { sourceVocab, targetVocab, embeddingDim, hiddenSize });
    checkProbability('Seq2Seq', 'dropout', dropout);
    checkChoice('Seq2Seq', 'attention', attention, ['bahdanau', 'luong']);
    for (const [name, token] of Object.entries({ padToken, startToken, endToken })) {
      if (!Number.isInteger(token) || token < 0 || token >= targetVocab) {
        throw new ArgumentError(
          `Seq2Seq: ${name} must be a token of the target, from 0 to ${targetVocab - 1}, got ${String(token)}.`,
        );
      }
    }
    this.targetVocab = targetVocab;
    this.padToken = padToken;
    this.startToken = startToken;
    this.endToken = endToken;
    this.embedding = new Embedding<number, number>(sourceVocab, embeddingDim, place);
    this.dropout = new Dropout(dropout, place.generator);
    this.encoder = new GRU<number, number, boolean>(embeddingDim, hiddenSize, {
      ...place,
      batchFirst: true,
      bidirectional,
    });
    const memorySize = (bidirectional ? 2 : 1) * hiddenSize;
    this.bridge = new Linear<number, number>(memorySize, hiddenSize, place);
    const sizes = { targetVocab, embeddingDim, hiddenSize, memorySize, dropout };
    this.decoder = attention === 'bahdanau' ? new BahdanauDecoder(sizes, place) : new LuongDecoder(sizes, place);
  }

  /**
   * What the decoder attends to, and its first state.
   *
   * @param source `[N, S]`
   * @throws ShapeError unless it is; ArgumentError for lengths that do not fit
   */
  encode(source: Tensor, lengths?: Lengths): Encoded {
    checkSequences('Seq2Seq', source);
    const [batch, steps] = source.shape;
    const vectors = this.dropout.forward(this.embedding.forward<Shape, DType>(source)) as Tensor;
    let states: Tensor;
    let last: Tensor;
    let mask: Tensor | null = null;
    if (lengths === undefined) [states, last] = this.encoder.forward(vectors);
    else {
      const packed = packPaddedSequence(vectors, lengths, { batchFirst: true, enforceSorted: false });
      const [output, hN] = this.encoder.forward(packed);
      [states] = padPackedSequence(output, { batchFirst: true, totalLength: steps });
      last = hN;
      const list = isTensor(lengths) ? Array.from(lengths.dataSync(), Number) : lengths;
      const ends = fromTypedArray(Int32Array.from(list), [batch, 1], { device: source.device });
      mask = lt(arange(0, steps, 1, { dtype: 'int32', device: source.device }) as Tensor, ends as Tensor);
    }
    const joined = this.encoder.bidirectional
      ? cat([select(last, 0, -2), select(last, 0, -1)], 1)
      : select(last, 0, -1);
    const state: Tensor = tanh(this.bridge.forward<Shape, DType>(joined));
    return { memory: { states, keys: this.decoder.keysOf(states), mask }, state };
  }

  /**
   * Logits of each token of the target but the first.
   *
   * @throws ShapeError unless source and target are `[N, S]` and `[N, T]` with T from 2; ArgumentError for options out of range
   */
  override forward(
    source: Tensor,
    target: Tensor,
    options: Seq2SeqCallOptions & object = {},
  ): Tensor<Shape, FloatDType> {
    const { sourceLengths, teacherForcing = 1, generator } = options;
    if (target.shape.length !== 2 || target.shape[1] < 2 || target.shape[0] !== source.shape[0]) {
      throw new ShapeError(
        `Seq2Seq(source ${formatShape(source.shape)}, target ${formatShape(target.shape)}): target must be [N,T], with the source's N and T from 2.`,
      );
    }
    if (!(teacherForcing >= 0 && teacherForcing <= 1))
      throw new ArgumentError(`Seq2Seq: teacherForcing must be from 0 to 1, got ${String(teacherForcing)}.`);
    const { memory, state } = this.encode(source, sourceLengths);
    const steps = target.shape[1] - 1;
    if (teacherForcing === 1) return this.decoder.run(narrow(target, 1, 0, steps), state, memory).logits;
    const draws = rand([steps], generator === undefined ? {} : { generator }).dataSync();
    const all: Tensor[] = [];
    let tokens: Tensor = narrow(target, 1, 0, 1);
    let h = state;
    for (let t = 0; t < steps; t++) {
      const { logits, state: next } = this.decoder.run(tokens, h, memory);
      all.push(logits);
      h = next;
      tokens = draws[t] < teacherForcing ? narrow(target, 1, t + 1, 1) : argmax(logits.detach(), 2);
    }
    return cat(all, 1) as Tensor<Shape, FloatDType>;
  }

  /** The mean cross entropy of the target's tokens behind the first, but for padding. */
  loss(source: Tensor, target: Tensor, options: Seq2SeqCallOptions = {}): Tensor<readonly []> {
    const logits = this.forward(source, target, options);
    const rows = reshape(logits as Tensor, [-1, this.targetVocab] as Shape);
    const next = reshape(narrow(target, 1, 1, target.shape[1] - 1), [-1] as Shape);
    return crossEntropy(rows, next, {
      ignoreIndex: this.padToken,
    }) as unknown as Tensor<readonly []>;
  }

  /**
   * Writes targets: the most likely token at each step, or with a beam the most likely sequence of those that are kept
   * (Graves 2012). Call `eval()` first, unless dropout is wanted. Between tokens the event loop has its turn.
   *
   * @param source `[N, S]`
   * @returns a list of tokens for each source, without startToken and endToken
   * @throws ShapeError, ArgumentError
   */
  async translate(source: Tensor, options: TranslateOptions = {}): Promise<number[][]> {
    return (await beamSearch(this, source, options)).map(({ tokens }) => tokens);
  }

  /** Weights `[N, T - 1, S]` with which each token of the target attended to the source, of the true tokens before it. */
  attend(source: Tensor, target: Tensor, options: { sourceLengths?: Lengths } = {}): Tensor {
    const { memory, state } = this.encode(source, options.sourceLengths);
    return this.decoder.run(narrow(target, 1, 0, target.shape[1] - 1), state, memory).weights;
  }
}
