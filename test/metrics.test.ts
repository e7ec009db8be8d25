// Metrics: against counts by hand and pairs in a loop, over batches of any cut, with ties, with what is missing.
import { describe, expect, test } from 'vitest';
import { manualSeed, memory, metrics, nn, rand, randn, randint, tensor, tidy, type Tensor } from 'thalweg';
import { errorOf } from './error-of.js';

/** The metric over rows in batches of the given sizes. */
async function over<V extends metrics.MetricValue>(
  metric: metrics.Metric<V>,
  output: Tensor,
  target: Tensor,
  sizes: readonly number[],
): Promise<V> {
  metric.reset();
  let from = 0;
  for (const size of sizes) {
    metric.update(output.narrow(0, from, size), target.narrow(0, from, size));
    from += size;
  }
  return metric.compute();
}

const classes = (values: readonly number[]): Tensor => tensor(values.map(BigInt));

describe('accuracy', () => {
  test('of scores, one-hot targets, classes, two classes, sequences', async () => {
    const scores = tensor([
      [0.1, 0.9, 0],
      [3, 2, 1],
      [0, 0, 5],
      [1, 2, 0],
    ]);
    const y = classes([1, 1, 2, 1]);
    expect(await over(new metrics.Accuracy(), scores, y, [3, 1])).toBe(0.75);
    expect(
      await over(new metrics.Accuracy(), scores, nn.functional.oneHot(y as Tensor<[4], 'int64'>, 3).to('float32'), [4]),
    ).toBe(0.75);
    expect(await over(new metrics.Accuracy(), scores.argmax(1), y, [2, 2])).toBe(0.75);
    expect(await metrics.accuracy(scores, y).item()).toBe(0.75);
    const tokens = randn([2, 5, 3]);
    const labels = tokens.argmax(1);
    expect(await metrics.accuracy(tokens, labels).item()).toBe(1);
  });

  test('of two classes: logits and probabilities, one column, thresholds, many questions', async () => {
    const logits = tensor([-2, 0.3, 4, -0.1]);
    const y = classes([0, 1, 1, 1]);
    expect(await metrics.accuracy(logits, y).item()).toBe(0.75);
    expect(await metrics.accuracy(logits.sigmoid(), y).item()).toBe(0.75);
    expect(await metrics.accuracy(logits.unsqueeze(1), y).item()).toBe(0.75);
    expect(await metrics.accuracy(logits.unsqueeze(1), y.unsqueeze(1).to('float32')).item()).toBe(0.75);
    // Between 0 and 1, so they are probabilities, unless it is said.
    expect(await metrics.accuracy(tensor([0.2, 0.4]), classes([1, 1])).item()).toBe(0);
    expect(await metrics.accuracy(tensor([0.2, 0.4]), classes([1, 1]), { logits: true }).item()).toBe(1);
    expect(await metrics.accuracy(tensor([0.2, 0.4]), classes([1, 1]), { threshold: 0.3 }).item()).toBe(0.5);
    const many = tensor([
      [0.9, 0.2, 0.8],
      [0.1, 0.7, 0.6],
    ]);
    const right = tensor([
      [1, 0, 0],
      [0, 1, 1],
    ]);
    expect(await new metrics.Accuracy({ multilabel: true }).compute()).toBeNaN();
    expect(await over(new metrics.Accuracy({ multilabel: true }), many, right, [1, 1])).toBeCloseTo(5 / 6, 12);
  });

  test('top k', async () => {
    const scores = tensor([
      [5, 4, 3, 2],
      [5, 4, 3, 2],
      [1, 2, 3, 4],
    ]);
    const y = classes([1, 3, 2]);
    const top = new metrics.TopKAccuracy({ k: 2 });
    expect(top.name).toBe('top2Accuracy');
    expect(await over(top, scores, y, [1, 2])).toBeCloseTo(2 / 3, 12);
    expect(await metrics.topKAccuracy(scores, y, 4).item()).toBe(1);
    expect(errorOf(() => metrics.topKAccuracy(scores, y, 5))).toBe(
      'ArgumentError: TopKAccuracy: k is 5, but there are 4 classes.',
    );
  });

  test('refuses shapes that do not go together', () => {
    expect(errorOf(() => metrics.accuracy(randn([4, 3]), classes([1, 2])))).toBe(
      'ShapeError: accuracy(output float32[4,3], target int64[2]): expected scores [N, C, ...] beside classes [N, ...], or two of one shape.',
    );
    expect(errorOf(() => new metrics.Accuracy({ threshold: 2 }))).toBe(
      'ArgumentError: Accuracy: threshold must be a probability from 0 to 1, got 2.',
    );
  });
});

describe('confusion matrix, precision, recall, F1', () => {
  const predicted = classes([0, 2, 1, 0, 0, 1, 2, 2]);
  const expected = classes([0, 1, 2, 0, 1, 1, 2, 0]);
  const matrix = [
    [2, 0, 1],
    [1, 1, 1],
    [0, 1, 1],
  ];

  test('counts', async () => {
    const metric = new metrics.ConfusionMatrix({ classes: 3 });
    expect(await metric.compute()).toEqual([]);
    expect(await over(metric, predicted, expected, [3, 4, 1])).toEqual(matrix);
    expect(await metrics.confusionMatrix(predicted, expected, { classes: 3 }).array()).toEqual(
      matrix.map((row) => row.map(BigInt)),
    );
    const scores = nn.functional.oneHot(predicted as Tensor<[8], 'int64'>, 3).to('float32');
    expect(await over(new metrics.ConfusionMatrix(), scores, expected, [8])).toEqual(matrix);
    expect(errorOf(() => metric.update(scores.narrow(1, 0, 1).expand([8, 4]), expected))).toBe(
      'ArgumentError: ConfusionMatrix: classes is 3, but there are scores of 4 classes.',
    );
    expect(errorOf(() => new metrics.ConfusionMatrix().update(predicted, expected))).toBe(
      'ArgumentError: ConfusionMatrix: of predictions that are integers, classes must be given.',
    );
    metric.reset();
    metric.update(classes([0, 3, 1]), classes([-1, 1, 1]));
    await expect(metric.compute()).rejects.toThrow('ConfusionMatrix: 2 samples have classes outside of 0 to 2');
  });

  test.each([
    [
      'Precision',
      {
        micro: 0.5,
        macro: (2 / 3 + 1 / 2 + 1 / 3) / 3,
        weighted: (3 * (2 / 3) + 3 / 2 + 2 / 3) / 8,
        none: [2 / 3, 1 / 2, 1 / 3],
      },
    ],
    ['Recall', { micro: 0.5, macro: (2 / 3 + 1 / 3 + 1 / 2) / 3, weighted: 0.5, none: [2 / 3, 1 / 3, 1 / 2] }],
    [
      'F1',
      {
        micro: 0.5,
        macro: (2 / 3 + 2 / 5 + 2 / 5) / 3,
        weighted: (2 + 6 / 5 + 4 / 5) / 8,
        none: [2 / 3, 2 / 5, 2 / 5],
      },
    ],
  ] as const)('%s', async (name, values) => {
    for (const [average, value] of Object.entries(values)) {
      const metric = new metrics[name]({ classes: 3, average: average as metrics.Average });
      const got = await over(metric, predicted, expected, [5, 3]);
      const wanted: readonly number[] = typeof value === 'number' ? [value] : value;
      (typeof got === 'number' ? [got] : got).forEach((v, i) =>
        expect(v, `${average} ${i}`).toBeCloseTo(wanted[i], 12),
      );
    }
    expect(await over(new metrics[name]({ classes: 3 }), predicted, expected, [8])).toBeCloseTo(values.macro, 12);
    const call = { Precision: metrics.precision, Recall: metrics.recall, F1: metrics.f1 }[name];
    expect(await call(predicted, expected, { classes: 3 })).toBeCloseTo(values.macro, 12);
  });

  test('two classes are binary; absent classes and zero divisions', async () => {
    const scores = tensor([0.9, 0.8, 0.2, 0.7, 0.1]);
    const y = classes([1, 0, 1, 1, 0]);
    expect(await metrics.precision(scores, y)).toBeCloseTo(2 / 3, 12);
    expect(await metrics.recall(scores, y)).toBeCloseTo(2 / 3, 12);
    expect(await metrics.f1(scores, y)).toBeCloseTo(2 / 3, 12);
    expect(await metrics.precision(tensor([0.1, 0.2]), classes([1, 0]))).toBe(0);
    expect(await metrics.precision(tensor([0.1, 0.2]), classes([1, 0]), { zeroDivision: 1 })).toBe(1);
    // Class 3 of 4 occurs nowhere: the mean is that of three.
    expect(await metrics.f1(predicted, expected, { classes: 4 })).toBeCloseTo((2 / 3 + 2 / 5 + 2 / 5) / 3, 12);
    expect(await metrics.f1(predicted, expected, { classes: 4, average: 'none' })).toHaveLength(4);
    expect(await new metrics.F1().compute()).toBeNaN();
    await expect(metrics.f1(predicted, expected, { classes: 3, average: 'binary' })).rejects.toThrow(
      "F1: the average 'binary' is of two classes, but there are 3.",
    );
    expect(errorOf(() => new metrics.F1({ average: 'mean' as 'macro' }))).toContain('average must be');
  });
});

describe('area under the ROC curve', () => {
  /** Every pair in a loop. */
  function pairs(scores: readonly number[], positive: readonly boolean[]): number {
    let sum = 0;
    let count = 0;
    scores.forEach((a, i) => {
      scores.forEach((b, j) => {
        if (!positive[i] || positive[j]) return;
        count++;
        sum += a > b ? 1 : a === b ? 0.5 : 0;
      });
    });
    return sum / count;
  }

  test.each([1, 2, 3])('is that of all pairs, ties too (seed %i)', async (seed) => {
    manualSeed(seed);
    const scores = randn([101]).mul(3).round();
    const y = randint(0, 2, [101]);
    const wanted = pairs(
      [...scores.dataSync()],
      Array.from(y.dataSync(), (v) => v === 1n),
    );
    expect(await over(new metrics.RocAuc(), scores, y, [50, 1, 50])).toBeCloseTo(wanted, 12);
    expect(Number(await metrics.rocAuc(scores.sigmoid().unsqueeze(1), y.to('float32')).item())).toBeCloseTo(wanted, 12);
  });

  test('of several classes, one against the rest', async () => {
    manualSeed(4);
    const logits = randn([60, 3]).mul(4);
    const probabilities = logits.softmax(1);
    const y = randint(0, 3, [60]);
    const labels = Array.from(y.dataSync(), Number);
    const wanted = [0, 1, 2].map((c) =>
      pairs(
        [...probabilities.select(1, c).dataSync()],
        labels.map((l) => l === c),
      ),
    );
    for (const scores of [logits, probabilities]) {
      const each = await over(new metrics.RocAuc({ average: 'none' }), scores, y, [30, 30]);
      (each as readonly number[]).forEach((value, c) => expect(value).toBeCloseTo(wanted[c], 6));
      expect(await over(new metrics.RocAuc(), scores, y, [60])).toBeCloseTo(wanted.reduce((a, b) => a + b) / 3, 6);
    }
  });

  test('without positives, with NaN, of wrong shapes', async () => {
    const auc = new metrics.RocAuc();
    expect(await auc.compute()).toBeNaN();
    auc.update(tensor([0.1, 0.5]), classes([0, 0]));
    expect(await auc.compute()).toBeNaN();
    auc.update(tensor([0.7]), classes([1]));
    expect(await auc.compute()).toBe(1);
    auc.update(tensor([NaN]), classes([1]));
    expect(await auc.compute()).toBeNaN();
    expect(errorOf(() => auc.update(randn([3, 2]), classes([1, 0, 1])))).toContain(
      'RocAuc: scores of shape [3,2] after those of',
    );
    expect(errorOf(() => metrics.rocAuc(randn([3, 2, 2]), classes([1])))).toContain(
      'expected scores [N] and targets [N]',
    );
    // A class that is absent has no value and is left out.
    const three = new metrics.RocAuc();
    three.update(
      tensor([
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
      ]),
      classes([0, 1]),
    );
    expect(await three.compute()).toBe(1);
  });
});

describe('numbers', () => {
  test('errors, R2 and perplexity', async () => {
    manualSeed(5);
    // Far from zero: sums of squares would lose their digits.
    const y = randn([40, 2], { dtype: 'float64' }).add(1e6);
    const f = y.add(randn([40, 2], { dtype: 'float64' }).mul(0.1));
    const [yv, fv] = [y, f].map((t) => [...t.dataSync()]);
    const differences = yv.map((v, i) => v - fv[i]);
    const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
    const sizes = [13, 20, 7];
    const mse = mean(differences.map((d) => d * d));
    expect(await over(new metrics.MAE(), f, y, sizes)).toBeCloseTo(mean(differences.map(Math.abs)), 9);
    expect(await over(new metrics.MSE(), f, y, sizes)).toBeCloseTo(mse, 9);
    expect(await over(new metrics.RMSE(), f, y, sizes)).toBeCloseTo(Math.sqrt(mse), 9);
    const r2 = [0, 1].map((c) => {
      const column = yv.filter((_, i) => i % 2 === c);
      const errors = differences.filter((_, i) => i % 2 === c);
      const center = mean(column);
      return 1 - mean(errors.map((d) => d * d)) / mean(column.map((v) => (v - center) ** 2));
    });
    expect(await over(new metrics.R2(), f, y, sizes)).toBeCloseTo(mean(r2), 6);
    expect(await over(new metrics.R2(), tensor([2, 2]), tensor([2, 2]), [2])).toBe(1);
    expect(await over(new metrics.R2(), tensor([1, 2]), tensor([2, 2]), [2])).toBe(0);

    const logits = randn([4, 6, 5]);
    const next = randint(0, 5, [4, 6]);
    const rows = logits.reshape([24, 5]);
    const loss = Number(nn.functional.crossEntropy(rows, next.reshape([24])).itemSync());
    expect(await over(new metrics.Perplexity(), logits, next, [1, 3])).toBeCloseTo(Math.exp(loss), 4);
    expect(await over(new metrics.Perplexity(), logits.movedim(2, 1), next, [4])).toBeCloseTo(Math.exp(loss), 4);
    const masked = tensor([[1n, -100n]]);
    const one = Number(nn.functional.crossEntropy(logits.index(0, '0:1'), tensor([1n])).itemSync());
    expect(await over(new metrics.Perplexity(), logits.narrow(0, 0, 1).narrow(1, 0, 2), masked, [1])).toBeCloseTo(
      Math.exp(one),
      4,
    );

    const running = new metrics.Mean();
    running.update(tensor([1, 2, 6]));
    running.update(tensor([10]));
    expect(await running.compute()).toBe(4.75);
    running.reset();
    running.update(tensor([1, 2]), tensor([3, 1]));
    expect(await running.compute()).toBe(1.25);
    expect(errorOf(() => new metrics.MAE().update(randn([3, 1]), randn([3])))).toBe(
      'ShapeError: MAE(output [3,1], target [3]): the shapes must be the same; squeeze(-1) takes away a last dimension of 1.',
    );
  });
});

const all = (): metrics.Metric[] => [
  new metrics.Accuracy(),
  new metrics.TopKAccuracy({ k: 2 }),
  new metrics.ConfusionMatrix(),
  new metrics.Precision(),
  new metrics.Recall({ average: 'none' }),
  new metrics.F1(),
  new metrics.RocAuc(),
  new metrics.Perplexity(),
];
const numeric = (): metrics.Metric[] => [
  new metrics.MAE(),
  new metrics.MSE(),
  new metrics.RMSE(),
  new metrics.R2(),
  new metrics.Mean(),
];

test('all of them can be interrupted, survive tidy, and keep nothing', async () => {
  manualSeed(6);
  const scores: Tensor = randn([20, 3]);
  const y: Tensor = randint(0, 3, [20]);
  const numbers: Tensor = rand([20]);
  const others: Tensor = rand([20]);
  const before = memory({ collect: true }).tensors;
  for (const [makeAll, output, target] of [
    [all, scores, y],
    [numeric, numbers, others],
  ] as const) {
    for (const [i, metric] of makeAll().entries()) {
      const wanted = await over(metric, output, target, [20]);
      const first = makeAll()[i];
      tidy(() => first.update(output.narrow(0, 0, 8), target.narrow(0, 0, 8)));
      const second = makeAll()[i];
      second.loadStateDict!(first.stateDict!());
      first.reset();
      second.update(output.narrow(0, 8, 12), target.narrow(0, 8, 12));
      const got = await second.compute();
      if (typeof got === 'number') expect(got, metric.name).toBeCloseTo(wanted as number, 5);
      else expect(got).toEqual(wanted);
      second.reset();
      metric.reset();
    }
  }
  expect(memory({ collect: true }).tensors).toBeLessThanOrEqual(before + 1);
});
