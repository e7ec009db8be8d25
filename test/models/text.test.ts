// Recurrent classifiers: shapes, padding, bad input, and that they learn a keyword.
import { describe, expect, test } from 'vitest';
import { manualSeed, models, nn, optim, tensor, type Tensor } from 'thalweg';
import { fit, reviews } from './data.js';

const kinds = {
  RNN: models.RNNClassifier,
  LSTM: models.LSTMClassifier,
  GRU: models.GRUClassifier,
} as const;
const small = { vocabSize: 12, embeddingDim: 16, hiddenSize: 16 };

describe.each(Object.entries(kinds))('%s', (name, Kind) => {
  test('has its layers, and shapes for one and for several classes', () => {
    const { ids } = reviews(4, 1);
    expect(new Kind(small).forward(ids).shape).toEqual([4]);
    const model = new Kind({ ...small, numClasses: 3, numLayers: 2, bidirectional: true, dropout: 0.2 });
    expect(model.forward(ids).shape).toEqual([4, 3]);
    expect([...model.stateDict().keys()].filter((key) => key.startsWith('rnn.weight'))).toHaveLength(8);
    const sums = (model.eval().predict(ids) as Tensor<readonly number[], 'float32'>).sum(1).dataSync();
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  });

  test('does not read what is behind the lengths', () => {
    const model = new Kind(small);
    const { ids, lengths } = reviews(6, 2);
    const given = model.forward(ids, lengths);
    const other = ids.clone();
    lengths.forEach((length, row) => {
      if (length < 10)
        other
          .select(0, row)
          .narrow(0, length, 10 - length)
          .fill_(5);
    });
    expect(model.forward(other, lengths).equal(given)).toBe(true);
    // Each by itself, without padding.
    lengths.forEach((length, row) => {
      const alone = model.forward(ids.narrow(0, row, 1).narrow(1, 0, length)).itemSync();
      expect(alone).toBeCloseTo(Number(given.select(0, row).itemSync()), 5);
    });
  });

  test('refuses other input', () => {
    const model = new Kind(small);
    expect(() => model.forward(tensor([1n, 2n]) as never)).toThrow(
      `${name}Classifier(ids [2]): ids must be [N,L] with at least one step.`,
    );
    expect(() => model.forward(tensor([[1n, 2n]]), [3])).toThrow('lengths[0]');
    expect(() => new Kind({ hiddenSize: 0 })).toThrow(
      `${name}Classifier: hiddenSize must be an integer above 0, got 0.`,
    );
  });

  test('learns which keyword a text has', () => {
    manualSeed(3);
    const train = reviews(256, 10);
    const held = reviews(200, 99);
    const model = new Kind({ ...small, paddingIdx: 0 });
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
    const y = train.labels.to('float32');
    const { first, last } = fit(optimizer, 60, () => {
      const loss = nn.functional.binaryCrossEntropyWithLogits(model.forward(train.ids, train.lengths), y);
      return loss;
    });
    expect(first).toBeCloseTo(Math.log(2), 0);
    expect(last).toBeLessThan(0.1);
    const right = model.predict(held.ids, held.lengths).gt(0.5).to('int64').eq(held.labels);
    expect(right.to('float32').mean().itemSync()).toBeGreaterThan(0.95);
    expect(model.embedding.weight.select(0, 0).eq(0).all().itemSync()).toBe(true);
  });
});
