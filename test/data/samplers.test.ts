import { describe, expect, test } from 'vitest';
import { data } from 'thalweg';
import { errorOf } from '../error-of.js';

const sorted = (numbers: data.Indices): number[] => Array.from(numbers).sort((a, b) => a - b);
const range = (length: number): number[] => Array.from({ length }, (_, i) => i);

describe('RandomSampler', () => {
  test('a permutation, the same as that of a shuffling loader', () => {
    const sampler = new data.RandomSampler(100);
    expect(sorted(sampler.order(3, 5))).toEqual(range(100));
    expect(sampler.order(3, 5)).toEqual(data.shuffledIndices(100, 5, 3));
    expect(sampler.order(4, 5)).not.toEqual(sampler.order(3, 5));
    const own = new data.RandomSampler(100, { seed: 5 });
    expect(own.seeded).toBe(false);
    expect(own.order(3, 99)).toEqual(sampler.order(3, 5));
  });

  test('fewer and more positions than samples', () => {
    const few = new data.RandomSampler(100, { numSamples: 30 }).order(0, 1);
    expect(few.length).toBe(30);
    expect(new Set(few).size).toBe(30);
    const many = new data.RandomSampler(10, { numSamples: 25 }).order(0, 1);
    expect(sorted(many.subarray(0, 10))).toEqual(range(10));
    expect(sorted(many.subarray(10, 20))).toEqual(range(10));
    expect(many.subarray(0, 10)).not.toEqual(many.subarray(10, 20));
    expect(new Set(many.subarray(20)).size).toBe(5);
  });

  test('with replacement each sample comes equally often on average', () => {
    const sampler = new data.RandomSampler(5, { replacement: true, numSamples: 20_000 });
    const counts = new Float64Array(5);
    for (const index of sampler.order(0, 2)) counts[index] += 1;
    // Chi-squared with 4 degrees of freedom is above 18.5 once in a thousand.
    expect(counts.reduce((sum, n) => sum + (n - 4000) ** 2 / 4000, 0)).toBeLessThan(18.5);
  });

  test('a dataset that grows is looked at when an epoch starts', () => {
    const growing = { length: 3 };
    const sampler = new data.RandomSampler(growing);
    growing.length = 6;
    expect(sorted(sampler.order(0, 1))).toEqual(range(6));
  });
});

describe('WeightedRandomSampler', () => {
  const weights = [0, 1, 2, 0, 5, 0];

  test('draws as often as the weights say, and never what has weight 0', () => {
    const counts = new Float64Array(6);
    for (const index of new data.WeightedRandomSampler(weights, 16_000).order(0, 3)) counts[index] += 1;
    expect([counts[0], counts[3], counts[5]]).toEqual([0, 0, 0]);
    const expected = weights.map((weight) => 2000 * weight);
    // Chi-squared with 2 degrees of freedom is above 13.8 once in a thousand.
    expect(
      counts.reduce((sum, n, i) => sum + (expected[i] === 0 ? 0 : (n - expected[i]) ** 2 / expected[i]), 0),
    ).toBeLessThan(13.8);
  });

  test('without replacement: the second draw has the weights of what is left', () => {
    const rounds = 20_000;
    const pairs = new Map<string, number>();
    const sampler = new data.WeightedRandomSampler([1, 2, 5], 2, { replacement: false });
    for (let epoch = 0; epoch < rounds; epoch++) {
      const pair = sampler.order(epoch, 4).join();
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1);
    }
    const probabilities: Record<string, number> = {};
    for (const [i, a] of [1, 2, 5].entries())
      for (const [j, b] of [1, 2, 5].entries()) if (i !== j) probabilities[`${i},${j}`] = ((a / 8) * b) / (8 - a);
    expect([...pairs.keys()].sort()).toEqual(Object.keys(probabilities).sort());
    let chi = 0;
    for (const [pair, p] of Object.entries(probabilities))
      chi += ((pairs.get(pair) ?? 0) - rounds * p) ** 2 / (rounds * p);
    // Chi-squared with 5 degrees of freedom is above 20.5 once in a thousand.
    expect(chi).toBeLessThan(20.5);
  });

  test('weights of any size', () => {
    const huge = new data.WeightedRandomSampler([0, 1e308, 1e308, 1e308], 1000).order(0, 1);
    expect(new Set(huge)).toEqual(new Set([1, 2, 3]));
    const tiny = new data.WeightedRandomSampler([5e-324, 0], 10).order(0, 1);
    expect(new Set(tiny)).toEqual(new Set([0]));
  });
});

describe('DistributedSampler', () => {
  // What torch.utils.data.DistributedSampler gives for shuffle=False.
  test.each<[number, number, boolean, number[][]]>([
    [
      10,
      3,
      false,
      [
        [0, 3, 6, 9],
        [1, 4, 7, 0],
        [2, 5, 8, 1],
      ],
    ],
    [
      10,
      3,
      true,
      [
        [0, 3, 6],
        [1, 4, 7],
        [2, 5, 8],
      ],
    ],
    [2, 5, false, [[0], [1], [0], [1], [0]]],
    [2, 5, true, [[], [], [], [], []]],
    [
      9,
      3,
      true,
      [
        [0, 3, 6],
        [1, 4, 7],
        [2, 5, 8],
      ],
    ],
    [0, 2, false, [[], []]],
  ])('%i samples, %i processes, dropLast %s', (samples, numReplicas, dropLast, expected) => {
    const shares = range(numReplicas).map((rank) => {
      const sampler = new data.DistributedSampler(samples, { numReplicas, rank, dropLast, shuffle: false });
      const order = sampler.order(0);
      expect(order.length).toBe(sampler.length);
      return [...order];
    });
    expect(shares).toEqual(expected);
  });

  test('shuffled: the shares of an epoch are disjoint, and together the whole', () => {
    const share = (rank: number, epoch: number): Int32Array =>
      new data.DistributedSampler(12, { numReplicas: 3, rank }).order(epoch);
    expect(sorted([0, 1, 2].flatMap((rank) => [...share(rank, 1)]))).toEqual(range(12));
    expect(share(0, 1)).not.toEqual(share(0, 2));
  });
});

describe('SubsetRandomSampler and batches', () => {
  test('the given positions, in another order each epoch', () => {
    const sampler = new data.SubsetRandomSampler([4, 8, 15, 16, 23, 42]);
    expect(sorted(sampler.order(0, 1))).toEqual([4, 8, 15, 16, 23, 42]);
    expect(sampler.order(0, 1)).not.toEqual(sampler.order(1, 1));
  });

  test('BatchSampler', () => {
    const batches = (dropLast: boolean): data.Indices[] => [
      ...new data.BatchSampler(new data.SequentialSampler(5), { batchSize: 2, dropLast }).batches(0, 0),
    ];
    expect(batches(false).map((batch) => Array.from(batch))).toEqual([[0, 1], [2, 3], [4]]);
    expect(batches(true).map((batch) => Array.from(batch))).toEqual([
      [0, 1],
      [2, 3],
    ]);
  });
});

describe('in a loader', () => {
  const dataset = { length: 6, get: (i: number) => i, batch: (indices: data.Indices) => Array.from(indices) };

  test('sampler and batchSampler decide the order', () => {
    const sampler: data.Sampler = { length: 3, seeded: false, order: (epoch) => [5, epoch, 2] };
    const loader = new data.DataLoader(dataset, { sampler, batchSize: 2 });
    expect(loader.length).toBe(2);
    expect([...loader]).toEqual([[5, 0], [2]]);
    expect([...loader]).toEqual([[5, 1], [2]]);
    const batchSampler: data.BatchPlan = { length: 2, batches: () => [[3], Int32Array.of(1, 4, 5)] };
    const whole = new data.DataLoader(dataset, { batchSampler });
    expect([whole.length, whole.batchSize]).toEqual([2, 0]);
    expect([...whole]).toEqual([[3], [1, 4, 5]]);
    expect(errorOf(() => (whole.batchSize = 3))).toBe(
      'ArgumentError: DataLoader: batchSize cannot be set, because batchSampler makes the batches.',
    );
  });

  test('positions that are not in the dataset', () => {
    for (const wrong of [6, -1, 0.5, Number.NaN]) {
      const sampler: data.Sampler = { length: 1, order: () => [wrong] };
      expect(errorOf(() => [...new data.DataLoader(dataset, { sampler })])).toBe(
        `IndexError: DataLoader: the sampler gives ${wrong}, but the dataset has 6 samples.`,
      );
    }
  });

  test('options that exclude each other', () => {
    const sampler = new data.SequentialSampler(6);
    const batchSampler = new data.BatchSampler(sampler, { batchSize: 2 });
    const refused = (options: data.DataLoaderOptions<number, number[]>): string =>
      errorOf(() => new data.DataLoader(dataset, options));
    expect(refused({ sampler, shuffle: true })).toBe(
      'ArgumentError: DataLoader: sampler decides what shuffle would say; give one of them.',
    );
    expect(refused({ batchSampler, batchSize: 2 })).toMatch('batchSampler decides what batchSize would say');
    expect(refused({ batchSampler, sampler })).toMatch('batchSampler decides what sampler would say');
    expect(refused({ sampler, shuffle: false })).toBe('no error');
  });
});

test('bad arguments', () => {
  const weighted = (...args: ConstructorParameters<typeof data.WeightedRandomSampler>): string =>
    errorOf(() => new data.WeightedRandomSampler(...args));
  expect(weighted([1, -1])).toBe(
    'ArgumentError: WeightedRandomSampler: weights[1] is -1, not a finite number of at least 0.',
  );
  expect(weighted([Number.NaN])).toMatch('weights[0] is NaN');
  expect(weighted([0, 0])).toMatch('none of the 2 weights is above 0; there is nothing to draw');
  expect(weighted([0, 1, 1], 3, { replacement: false })).toMatch(
    'cannot draw 3 samples without replacement of 2 with a weight above 0',
  );
  const distributed = (numReplicas: number, rank: number): string =>
    errorOf(() => new data.DistributedSampler(4, { numReplicas, rank }));
  expect(distributed(2, 2)).toBe('ArgumentError: DistributedSampler: rank 2 is not below numReplicas, which is 2.');
  expect(distributed(0, 0)).toMatch('numReplicas must be an integer of at least 1, not 0');
  expect(errorOf(() => new data.RandomSampler(0, { numSamples: 1 }))).toMatch(
    'cannot draw 1 samples of an empty dataset',
  );
  expect(errorOf(() => new data.RandomSampler({} as { length: number }))).toMatch(
    'the number of samples must be an integer of at least 0, not undefined',
  );
  expect(errorOf(() => new data.SubsetRandomSampler([1, -2]))).toMatch('indices[1] must be an integer of at least 0');
});
