// A recurrent classifier of sequences of different lengths, with clipped gradients.
import { arange, cat, nn, optim, tensor, where, type Tensor } from 'thalweg';
import { integers, type MakeTraining } from './training.js';

const { rnn } = nn.utils;

export class SequenceClassifier extends nn.Module {
  readonly embedding = new nn.Embedding(20, 8, { paddingIdx: 0 });
  readonly lstm = new nn.LSTM(8, 12, { numLayers: 2, bidirectional: true, batchFirst: true });
  readonly output = new nn.Linear(24, 3);

  override forward(words: Tensor, lengths: readonly number[]): Tensor {
    const padded = this.embedding.forward(words);
    const packed = rnn.packPaddedSequence(padded, lengths, { batchFirst: true, enforceSorted: false });
    const [, [h]] = this.lstm.forward(packed);
    // The last states of the upper layer: forwards at the end, backwards at the start.
    return this.output.forward(cat([h.select(0, -2), h.select(0, -1)], 1));
  }
}

export const lstm: MakeTraining = (dtype) => {
  const model = new SequenceClassifier().to(dtype);
  const lengths = [7, 4, 9, 2, 9, 5, 1, 8];
  const isWord = arange(9).lt(tensor(lengths).unsqueeze(1));
  const words = where(isWord, integers(70, 19, [8, 9]).add(1), 0);
  const labels = integers(71, 3, [8]);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  return {
    model,
    step() {
      const loss = nn.functional.crossEntropy(model.forward(words, lengths), labels);
      optimizer.zeroGrad();
      loss.backward();
      nn.utils.clipGradNorm(model.parameters(), 0.5);
      optimizer.step();
      return loss;
    },
  };
};
