// Recurrent decoders with attention.
import type { DType, FloatDType } from '../dtype.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { GRU } from '../nn/rnn.js';
import { GRUCell } from '../nn/rnnCells.js';
import { add } from '../ops/arithmetic.js';
import { logicalNot } from '../ops/compare.js';
import { cat, stack } from '../ops/join.js';
import { maskedFill } from '../ops/mask.js';
import { tanh } from '../ops/math.js';
import { matmul } from '../ops/matmul.js';
import { softmax } from '../ops/softmax.js';
import { select, squeeze, transpose, unsqueeze } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ModelOptions } from './common.js';

/** What a decoder attends to. */
export interface Memory {
  /** What the encoder gave for each token, `[N, S, memorySize]`. */
  states: Tensor;
  /** The same as attention compares it, `[N, S, hiddenSize]`. */
  keys: Tensor;
  /** `[N, S]` of bool: true where there is a token; null where there are everywhere. */
  mask: Tensor | null;
}

/** What a decoder gives for some tokens. */
export interface Decoded {
  /** `[N, T, targetVocab]`. */
  logits: Tensor<Shape, FloatDType>;
  /** `[N, hiddenSize]`, the state after the last token. */
  state: Tensor;
  /** `[N, T, S]`, how each token attended to the source. */
  weights: Tensor;
}

/** Sizes of a decoder. @internal */
export interface DecoderSizes {
  readonly targetVocab: number;
  readonly embeddingDim: number;
  readonly hiddenSize: number;
  readonly memorySize: number;
  readonly dropout: number;
}

/** Weights of scores `[N, T, S]`, 0 where the mask is false. */
function normalised(scores: Tensor, mask: Tensor | null): Tensor {
  if (mask === null) return softmax(scores, -1);
  const away = unsqueeze(logicalNot(mask), 1);
  return softmax(maskedFill<Shape, DType, Shape>(scores, away as never, -Infinity), -1);
}

/**
 * A decoder with additive attention (Bahdanau et al. 2015): `score = v tanh(W query + U key)` by the state before a step; the
 * step reads the token and what attention gave, and so does the last layer.
 */
export class BahdanauDecoder extends Module {
  /** Vectors of the target's tokens. */
  readonly embedding: Embedding;
  /** Behind them. */
  readonly dropout: Dropout;
  /** Of the state. */
  readonly query: Linear;
  /** Of what is attended to. */
  readonly key: Linear;
  /** To a score. */
  readonly score: Linear;
  /** The recurrent step. */
  readonly cell: GRUCell;
  /** To logits. */
  readonly output: Linear;

  /** @internal */
  constructor({ targetVocab, embeddingDim, hiddenSize, memorySize, dropout }: DecoderSizes, place: ModelOptions) {
    super();
    this.embedding = new Embedding<number, number>(targetVocab, embeddingDim, place);
    this.dropout = new Dropout(dropout, place.generator);
    this.query = new Linear<number, number>(hiddenSize, hiddenSize, { ...place, bias: false });
    this.key = new Linear<number, number>(memorySize, hiddenSize, place);
    this.score = new Linear<number, number>(hiddenSize, 1, { ...place, bias: false });
    this.cell = new GRUCell<number, number>(embeddingDim + memorySize, hiddenSize, place);
    this.output = new Linear<number, number>(hiddenSize + memorySize + embeddingDim, targetVocab, place);
  }

  /** What attention compares states with. */
  keysOf(states: Tensor): Tensor {
    return this.key.forward<Shape, DType>(states);
  }

  /** Steps over tokens `[N, T]`. */
  run(tokens: Tensor, state: Tensor, memory: Memory): Decoded {
    const vectors = this.dropout.forward(this.embedding.forward<Shape, DType>(tokens)) as Tensor;
    const weights: Tensor[] = [];
    const results: Tensor[] = [];
    let h = state;
    for (let t = 0; t < tokens.shape[1]; t++) {
      const x: Tensor = select(vectors, 1, t);
      const query: Tensor = unsqueeze(this.query.forward<Shape, DType>(h), 1);
      const scores: Tensor = squeeze(this.score.forward<Shape, DType>(tanh(add(query, memory.keys))), 2);
      const w = normalised(unsqueeze(scores, 1), memory.mask);
      const context: Tensor = squeeze(matmul<Shape, Shape, DType>(w, memory.states as never), 1);
      h = this.cell.forward<Shape, DType>(cat([x, context], 1), h);
      weights.push(squeeze(w, 1));
      results.push(cat([h, context, x], 1));
    }
    const logits = this.output.forward<Shape, DType>(stack(results, 1)) as Tensor<Shape, FloatDType>;
    return { logits, state: h, weights: stack(weights, 1) };
  }

  override forward(tokens: Tensor, state: Tensor, memory: Memory): Decoded {
    return this.run(tokens, state, memory);
  }
}

/**
 * A decoder with multiplicative attention (Luong et al. 2015): `score = state W key` by the state after a step; state and what
 * attention gave become one vector, `tanh(W [context; state])`, and that logits.
 */
export class LuongDecoder extends Module {
  /** Vectors of the target's tokens. */
  readonly embedding: Embedding;
  /** Behind them. */
  readonly dropout: Dropout;
  /** Of what is attended to. */
  readonly key: Linear;
  /** The recurrent layer. */
  readonly gru: GRU;
  /** Of context and state. */
  readonly combine: Linear;
  /** To logits. */
  readonly output: Linear;

  /** @internal */
  constructor({ targetVocab, embeddingDim, hiddenSize, memorySize, dropout }: DecoderSizes, place: ModelOptions) {
    super();
    this.embedding = new Embedding<number, number>(targetVocab, embeddingDim, place);
    this.dropout = new Dropout(dropout, place.generator);
    this.key = new Linear<number, number>(memorySize, hiddenSize, { ...place, bias: false });
    this.gru = new GRU<number, number>(embeddingDim, hiddenSize, { ...place, batchFirst: true });
    this.combine = new Linear<number, number>(memorySize + hiddenSize, hiddenSize, { ...place, bias: false });
    this.output = new Linear<number, number>(hiddenSize, targetVocab, place);
  }

  /** What attention compares states with. */
  keysOf(states: Tensor): Tensor {
    return this.key.forward<Shape, DType>(states);
  }

  /** Steps over tokens `[N, T]`, all at once. */
  run(tokens: Tensor, state: Tensor, memory: Memory): Decoded {
    const vectors = this.dropout.forward(this.embedding.forward<Shape, DType>(tokens)) as Tensor;
    const [h, last] = this.gru.forward(vectors, unsqueeze(state, 0)) as [Tensor, Tensor];
    const scores = matmul<Shape, Shape, DType>(h, transpose(memory.keys, 1, 2));
    const weights = normalised(scores, memory.mask);
    const context = matmul<Shape, Shape, DType>(weights, memory.states);
    const both: Tensor = tanh(this.combine.forward<Shape, DType>(cat([context, h], 2)));
    const logits = this.output.forward<Shape, DType>(both) as Tensor<Shape, FloatDType>;
    return { logits, state: select(last, 0, 0), weights };
  }

  override forward(tokens: Tensor, state: Tensor, memory: Memory): Decoded {
    return this.run(tokens, state, memory);
  }
}
