// A classifier of texts of 200 words.
import { nn, randint, type Tensor } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [words, width, hidden, length, classes] = [10_000, 128, 64, 200, 2] as const;

class Classifier extends nn.Module {
  readonly embedding = new nn.Embedding(words, width);
  readonly lstm = new nn.LSTM(width, hidden, { batchFirst: true });
  readonly output = new nn.Linear(hidden, classes);

  override forward(ids: Tensor): Tensor {
    const [, [h]] = this.lstm.forward(this.embedding.forward(ids));
    return this.output.forward(h.select(0, 0));
  }
}

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
    const model = new Classifier();
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
