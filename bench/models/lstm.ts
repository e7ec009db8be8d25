// A classifier of texts of 200 words.
import { models, nn, randint } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [words, width, hidden, length, classes] = [10_000, 128, 64, 200, 2] as const;

const forward = (batch: number): number =>
  flops.recurrent(batch, length, width, hidden, 4) + flops.linear(batch, hidden, classes);
const lstmParameters = 4 * hidden * (width + hidden + 2);
const outputParameters = hidden * classes + classes;

export const lstm: Model = {
  name: 'lstm',
  what: `embedding ${words}x${width}, LSTM ${hidden} over ${length} steps, dense ${classes}`,
  batches: [64],
  parameters: words * width + lstmParameters + outputParameters,
  inferParameters: length * width + lstmParameters + outputParameters,
  trainFlops: (batch) => 3 * forward(batch),
  inferFlops: forward(1),
  make(batch) {
    const model = new models.LSTMClassifier({
      vocabSize: words,
      embeddingDim: width,
      hiddenSize: hidden,
      numClasses: classes,
    });
    const ids = randint(0, words, [batch, length]);
    const y = randint(0, classes, [batch]);
    const one = randint(0, words, [1, length]);
    return {
      model,
      train: withAdam(model, () => nn.functional.crossEntropy(model.forward(ids), y)),
      infer: () => model.forward(one),
    };
  },
};
