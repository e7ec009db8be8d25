// Classifiers of texts: an embedding, a recurrent layer, and a linear layer that sees its last state.
import type { FloatDType } from '../dtype.js';
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { Embedding } from '../nn/embedding.js';
import { Dropout } from '../nn/dropout.js';
import { Linear } from '../nn/layers.js';
import { Module } from '../nn/module.js';
import { GRU, LSTM, RNN, type RecurrentLayer, type RecurrentOptions } from '../nn/rnn.js';
import { packPaddedSequence, type Lengths } from '../nn/utils/rnn.js';
import type { PackedSequence } from '../nn/packed.js';
import { cat } from '../ops/join.js';
import { sigmoid } from '../ops/math.js';
import { softmax } from '../ops/softmax.js';
import { select } from '../ops/view.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape } from '../types/sequential.js';
import { checkPositive, checkProbability, checkSequences, type ModelOptions, type TextClassifierFn } from './common.js';

/** Options of `RNNClassifier`, `LSTMClassifier` and `GRUClassifier`. */
export interface RecurrentClassifierOptions<K extends number = number> extends ModelOptions {
  /** How many tokens there are: ids are from 0 to below. Default 10,000. */
  vocabSize?: number;
  /** The length of the vector of a token. Default 128. */
  embeddingDim?: number;
  /** Features of the state. Default 64. */
  hiddenSize?: number;
  /** Recurrent layers, each reading the one before. Default 1. */
  numLayers?: number;
  /** Read the text backwards too; the head then sees both last states. Default false. */
  bidirectional?: boolean;
  /** How many logits a text gets. 1 (default): one of two classes, by the sign of a single logit. */
  numClasses?: K;
  /** The probability of zeros in front of the head and between recurrent layers, in training. Default 0. */
  dropout?: number;
  /** The id that fills short texts: its vector is zero and not learned. Default: none. */
  paddingIdx?: number;
}

/**
 * What the recurrent classifiers share: an `embedding`, the recurrent layer `rnn`, dropout, and the linear layer `output`,
 * which sees the last state of the last layer (of both directions, if there are two).
 *
 * Vectors of tokens start normal with deviation 1, the rest uniform on +-1 / sqrt(hiddenSize) and as `Linear`, as in PyTorch.
 */
export abstract class RecurrentClassifier<Name extends string, K extends number> extends Module<
  TextClassifierFn<Name, K>
> {
  /** How many logits a text gets. */
  readonly numClasses: K;
  /** The vectors of the tokens. */
  readonly embedding: Embedding;
  /** Reads them. */
  readonly rnn: RecurrentLayer;
  /** In front of the head. */
  readonly dropout: Dropout;
  /** The head. */
  readonly output: Linear;
  private readonly _name: Name;

  /** @internal */
  constructor(
    name: Name,
    makeRnn: (inputSize: number, hiddenSize: number, options: RecurrentOptions) => RecurrentLayer,
    options: RecurrentClassifierOptions<K>,
  ) {
    super();
    const { vocabSize = 10_000, embeddingDim = 128, hiddenSize = 64, numLayers = 1, bidirectional = false } = options;
    const { numClasses = 1 as K, dropout = 0, paddingIdx, generator, dtype, device } = options;
    checkPositive(name, { vocabSize, embeddingDim, hiddenSize, numLayers, numClasses });
    checkProbability(name, 'dropout', dropout);
    const place: ModelOptions = {
      ...(generator === undefined ? {} : { generator }),
      ...(dtype === undefined ? {} : { dtype }),
      ...(device === undefined ? {} : { device }),
    };
    this._name = name;
    this.numClasses = numClasses;
    this.embedding = new Embedding<number, number>(vocabSize, embeddingDim, {
      ...place,
      ...(paddingIdx === undefined ? {} : { paddingIdx }),
    });
    this.rnn = makeRnn(embeddingDim, hiddenSize, {
      ...place,
      numLayers,
      bidirectional,
      batchFirst: true,
      dropout: numLayers > 1 ? dropout : 0,
    });
    this.dropout = new Dropout(dropout, generator);
    this.output = new Linear<number, number>((bidirectional ? 2 : 1) * hiddenSize, numClasses, place);
  }

  /**
   * Logits: `[N, numClasses]`, or of a single one `[N]`.
   *
   * @param ids `[N, L]` of int64 or int32
   * @param lengths of the texts, where they are padded behind: what is behind them is not read. Without them every step is,
   *   padding too
   * @throws ShapeError unless ids are `[N, L]`; ArgumentError for lengths that do not fit
   */
  override forward<S extends Shape>(
    ids: Tensor<S> & ApplyCheck<TextClassifierFn<Name, K>, S>,
    lengths?: Lengths,
  ): Tensor<ApplyShape<TextClassifierFn<Name, K>, S>, FloatDType> {
    checkSequences(this._name, ids);
    const vectors: Tensor = this.embedding.forward(ids);
    const read =
      lengths === undefined
        ? vectors
        : packPaddedSequence(vectors, lengths, { batchFirst: true, enforceSorted: false });
    const h = this.lastState(read);
    const logits: Tensor = this.output.forward(this.dropout.forward(h));
    const result: Tensor = this.numClasses === 1 ? select(logits, 1, 0) : logits;
    return result as unknown as Tensor<ApplyShape<TextClassifierFn<Name, K>, S>, FloatDType>;
  }

  private lastState(read: Tensor | PackedSequence): Tensor {
    const rnn = this.rnn as unknown as { forward(x: Tensor | PackedSequence): [unknown, Tensor | [Tensor, Tensor]] };
    const [, state] = rnn.forward(read);
    const h = Array.isArray(state) ? state[0] : state;
    return this.rnn.bidirectional ? cat([select(h, 0, -2), select(h, 0, -1)], 1) : select(h, 0, -1);
  }

  /**
   * Probabilities of the classes, or of a single logit that of the class 1, without recording gradients. Dropout is as the
   * mode says: call `eval()` first.
   */
  predict(ids: Tensor, lengths?: Lengths): Tensor<Shape, FloatDType> {
    return noGrad(() =>
      tidy((): Tensor<Shape, FloatDType> => {
        const logits: Tensor<Shape, FloatDType> = this.forward(ids as never, lengths);
        return this.numClasses === 1 ? sigmoid(logits) : softmax<Shape, FloatDType, 1>(logits, 1);
      }),
    );
  }
}

/**
 * A plain recurrent network that reads a text (Elman 1990, "Finding structure in time").
 *
 * Shapes: ids `[N, L]` -> `[N, numClasses]`, or `[N]` of one class; logits.
 *
 * @example
 * const model = new models.RNNClassifier({ vocabSize: 100, numClasses: 3 });
 * model.forward(randint(0, 100, [8, 20]), [20, 5, 7, 20, 1, 2, 3, 4]).shape; // [8, 3]
 */
export class RNNClassifier<const K extends number = 1> extends RecurrentClassifier<'RNNClassifier', K> {
  constructor(options: RecurrentClassifierOptions<K> & { /** Default 'tanh'. */ nonlinearity?: 'tanh' | 'relu' } = {}) {
    const { nonlinearity = 'tanh', ...rest } = options;
    super('RNNClassifier', (i, h, o) => new RNN<number, number, boolean>(i, h, { ...o, nonlinearity }), rest);
  }
}

/**
 * An LSTM that reads a text (Hochreiter and Schmidhuber 1997, "Long short-term memory"). The defaults are the classifier of
 * film reviews in many tutorials: embedding 128, LSTM 64, one logit.
 *
 * Shapes: ids `[N, L]` -> `[N, numClasses]`, or `[N]` of one class; logits. The loss of one class is
 * `binaryCrossEntropyWithLogits`; `predict` gives the probability.
 *
 * @example
 * const model = new models.LSTMClassifier({ vocabSize: 20_000, paddingIdx: 0 });
 * model.forward(randint(0, 20_000, [8, 200])).shape; // [8]
 */
export class LSTMClassifier<const K extends number = 1> extends RecurrentClassifier<'LSTMClassifier', K> {
  constructor(options: RecurrentClassifierOptions<K> = {}) {
    super('LSTMClassifier', (i, h, o) => new LSTM<number, number, boolean>(i, h, o), options);
  }
}

/**
 * Gated recurrent units that read a text (Cho et al. 2014, "Learning phrase representations using RNN encoder-decoder").
 *
 * Shapes: ids `[N, L]` -> `[N, numClasses]`, or `[N]` of one class; logits.
 *
 * @example
 * new models.GRUClassifier({ vocabSize: 100, bidirectional: true }).forward(randint(0, 100, [8, 20])).shape; // [8]
 */
export class GRUClassifier<const K extends number = 1> extends RecurrentClassifier<'GRUClassifier', K> {
  constructor(options: RecurrentClassifierOptions<K> = {}) {
    super('GRUClassifier', (i, h, o) => new GRU<number, number, boolean>(i, h, o), options);
  }
}
