import { describe, expect, test } from 'vitest';
import { data, fromTypedArray, manualSeed, tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const numbers = (length: number): data.Dataset<number, number[]> => ({
  length,
  get: (index) => index,
  batch: (indices) => Array.from(indices),
});
type Part = data.Subset<number, number[]>;
const indicesOf = (parts: readonly Part[]): number[][] => parts.map(({ indices }) => [...indices]);
const ascending = (indices: Iterable<number>): number[] => [...indices].sort((a, b) => a - b);
const range = (length: number, start = 0): number[] => Array.from({ length }, (_, i) => start + i);

describe('datasets of datasets', () => {
  test('Subset: samples and batches of the given rows', async () => {
    const rows = new data.TensorDataset(tensor([10, 11, 12, 13]), tensor([0n, 1n, 2n, 3n]));
    const subset = new data.Subset(rows, [3, 1, 1]);
    expect(subset.length).toBe(3);
    const [x] = await subset.get(0);
    expect(x.itemSync()).toBe(13);
    const [[xs, ys]] = [...new data.DataLoader(subset, { batchSize: 3 })];
    expect([...xs.dataSync()]).toEqual([13, 11, 11]);
    expect([...ys.dataSync()]).toEqual([3n, 1n, 1n]);
    // Of a dataset that makes no batches itself, and of another subset.
    const single = new data.Subset({ length: 3, get: (i) => i * i }, [2, 1]);
    expect(single.batch).toBeUndefined();
    expect(new data.Subset(single, [1, 0]).get(1)).toBe(4);
    for (const wrong of [3, -1, 0.5]) {
      expect(errorOf(() => subset.get(wrong))).toBe(
        `IndexError: Subset: index ${wrong} is out of range for 3 samples.`,
      );
    }
    expect(errorOf(() => new data.Subset(rows, [4]))).toBe(
      'IndexError: Subset: index 4 is out of range for 4 samples.',
    );
  });

  test('ConcatDataset', () => {
    const both = new data.ConcatDataset([numbers(2), numbers(0), { length: 3, get: (i) => 100 + i }]);
    expect(range(both.length).map((i) => both.get(i))).toEqual([0, 1, 100, 101, 102]);
    expect(errorOf(() => both.get(5))).toMatch('index 5 is out of range for 5 samples');
    expect(errorOf(() => new data.ConcatDataset([]))).toMatch('at least one dataset');
    expect(errorOf(() => new data.ConcatDataset([{ length: 1 } as never]))).toMatch('datasets[0] has no get(index)');
  });

  test('MapDataset: synchronous and asynchronous', async () => {
    const mapped = data.mapDataset(numbers(4), (value, index) => value * 10 + index);
    expect(mapped.get(3)).toBe(33);
    const later = new data.MapDataset({ length: 2, get: async (i) => i }, async (value) => -value);
    expect(await later.get(1)).toBe(-1);
    expect(errorOf(() => data.mapDataset(numbers(1), 'x' as never))).toMatch('map is not a function');
  });
});

describe('randomSplit', () => {
  test.each([
    [
      [7, 3],
      [7, 3],
    ],
    [
      [0.7, 0.3],
      [7, 3],
    ],
    // The rest of the fractions goes to the first parts, as in PyTorch.
    [
      [0.25, 0.25, 0.25, 0.25],
      [3, 3, 2, 2],
    ],
    [
      [1 / 3, 1 / 3, 1 / 3],
      [4, 3, 3],
    ],
    [
      [1, 0],
      [10, 0],
    ],
    [
      [0.05, 0, 0.95],
      [1, 0, 9],
    ],
  ])('%j of 10', (lengths, sizes) => {
    const parts = data.randomSplit(numbers(10), lengths, { seed: 1 });
    expect(parts.map(({ length }) => length)).toEqual(sizes);
    expect(ascending(indicesOf(parts).flat())).toEqual(range(10));
  });

  test('the seed decides; without one the default generator', () => {
    const split = (seed?: number): number[][] =>
      indicesOf(data.randomSplit(numbers(50), [0.5, 0.5], seed === undefined ? {} : { seed }));
    expect(split(3)).toEqual(split(3));
    expect(split(3)).not.toEqual(split(4));
    manualSeed(5);
    const first = split();
    expect(split()).not.toEqual(first);
    manualSeed(5);
    expect(split()).toEqual(first);
  });

  test('bad lengths', () => {
    const refused = (lengths: number[]): string => errorOf(() => data.randomSplit(numbers(10), lengths));
    expect(refused([7, 4])).toBe(
      'ArgumentError: randomSplit: the lengths [7, 4] add up to 11: neither to the 10 samples there are, nor, as fractions, to 1.',
    );
    expect(refused([0.5, 0.4])).toMatch('add up to 0.9');
    expect(refused([-1, 11])).toMatch('are not all numbers of at least 0');
    expect(refused([Number.NaN])).toMatch('are not all numbers');
    expect(refused([])).toMatch('are not all numbers');
  });
});

describe('with the classes in proportion', () => {
  const labels = [...'aaaaaaaaaaaaaaabbbbbbbbbbc'];
  const count = (part: Part): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const i of part.indices) counts[labels[i]] = (counts[labels[i]] ?? 0) + 1;
    return counts;
  };

  test('stratifiedSplit', () => {
    const parts = data.stratifiedSplit(numbers(26), labels, [13, 8, 5], { seed: 1 });
    expect(parts.map(({ length }) => length)).toEqual([13, 8, 5]);
    expect(ascending(indicesOf(parts).flat())).toEqual(range(26));
    for (const part of parts) {
      // The nearest integers: no class is off by a whole sample.
      expect(Math.abs(count(part)['a'] - (part.length * 15) / 26)).toBeLessThan(1);
      expect(Math.abs(count(part)['b'] - (part.length * 10) / 26)).toBeLessThan(1);
    }
    const again = data.stratifiedSplit(numbers(26), labels, [13, 8, 5], { seed: 1 });
    expect(indicesOf(again)).toEqual(indicesOf(parts));
  });

  test('trainTestSplit', () => {
    const ofTensor = tensor(Array.from({ length: 20 }, (_, i) => BigInt(i % 4 === 0 ? 1 : 0)));
    const [train, test] = data.trainTestSplit(numbers(20), { testSize: 0.2, stratify: ofTensor, seed: 1 });
    expect([train.length, test.length]).toEqual([16, 4]);
    expect([train, test].map((part) => part.indices.filter((i) => i % 4 === 0).length)).toEqual([4, 1]);
    expect(ascending([...train.indices, ...test.indices])).toEqual(range(20));
    const refused = (options: data.TrainTestSplitOptions): string =>
      errorOf(() => data.trainTestSplit(numbers(26), options));
    expect(refused({ stratify: labels })).toMatch('a class has only 1 sample; it cannot be in both parts');
    expect(refused({ stratify: labels.slice(1) })).toBe(
      'ArgumentError: trainTestSplit: there are 25 labels for 26 samples.',
    );
    const pairs = range(26).map((i) => i >> 1);
    expect(refused({ stratify: pairs, testSize: 5 })).toMatch('of 21 and 5 samples cannot both have all 13 classes');
    expect(refused({ stratify: labels, shuffle: false })).toMatch('stratify needs shuffle');
  });
});

test.each<[data.TrainTestSplitOptions, [number, number]]>([
  // By scikit-learn's definition: the test part is rounded up, the training part down.
  [{}, [8, 3]],
  [{ testSize: 0.2 }, [8, 3]],
  [{ testSize: 2 }, [9, 2]],
  [{ trainSize: 0.8 }, [8, 3]],
  [{ trainSize: 0.5, testSize: 0.2 }, [5, 3]],
  [{ trainSize: 4, testSize: 0.1 }, [4, 2]],
])('trainTestSplit %j of 11', (options, sizes) => {
  const parts = data.trainTestSplit(numbers(11), { ...options, seed: 1 });
  expect(parts.map(({ length }) => length)).toEqual(sizes);
  expect(new Set(indicesOf(parts).flat()).size).toBe(sizes[0] + sizes[1]);
  const [train, rest] = data.trainTestSplit(numbers(11), { ...options, shuffle: false });
  expect([...train.indices, ...rest.indices]).toEqual(range(sizes[0] + sizes[1]));
});

test('trainTestSplit: parts that do not exist', () => {
  const refused = (options: data.TrainTestSplitOptions): string =>
    errorOf(() => data.trainTestSplit(numbers(4), options));
  expect(refused({ testSize: 4 })).toMatch('cannot make parts of 0 and 4 samples of a dataset of 4');
  expect(refused({ testSize: 3, trainSize: 2 })).toMatch('parts of 2 and 3 samples');
  expect(refused({ testSize: 1.5 })).toMatch('testSize must be an integer of at least 1, not 1.5');
  expect(refused({ trainSize: 0 })).toMatch('trainSize must be an integer of at least 1, not 0');
});

describe('folds', () => {
  const testsOf = (folds: data.Fold<number, number[]>[], length: number): number[][] => {
    for (const { train, test } of folds) expect(ascending([...train.indices, ...test.indices])).toEqual(range(length));
    return folds.map(({ test }) => [...test.indices]);
  };

  test('kFold', () => {
    const tests = testsOf(data.kFold(numbers(10), { folds: 4 }), 10);
    expect(tests).toEqual([
      [0, 1, 2],
      [3, 4, 5],
      [6, 7],
      [8, 9],
    ]);
    const shuffled = testsOf(data.kFold(numbers(10), { folds: 4, shuffle: true, seed: 2 }), 10);
    expect(shuffled.map((fold) => fold.length)).toEqual([3, 3, 2, 2]);
    expect(ascending(shuffled.flat())).toEqual(range(10));
    expect(shuffled).not.toEqual(tests);
    expect(errorOf(() => data.kFold(numbers(4)))).toBe('ArgumentError: kFold: cannot make 5 folds of 4 samples.');
    expect(errorOf(() => data.kFold(numbers(4), { folds: 1 }))).toMatch('folds must be an integer of at least 2');
  });

  test('stratifiedKFold', () => {
    // Worked out by scikit-learn's definition of StratifiedKFold.
    const labels = [1, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0];
    expect(testsOf(data.stratifiedKFold(numbers(11), labels, { folds: 3 }), 11)).toEqual([
      [0, 1, 2, 8],
      [3, 4, 6, 9],
      [5, 7, 10],
    ]);
    const shuffled = testsOf(data.stratifiedKFold(numbers(11), labels, { folds: 3, shuffle: true, seed: 1 }), 11);
    for (const fold of shuffled) {
      expect(fold.filter((i) => labels[i] === 0).length).toBe(2);
      expect(fold.filter((i) => labels[i] === 1).length).toBe(1);
    }
    expect(errorOf(() => data.stratifiedKFold(numbers(3), [0, 1, 2], { folds: 2 }))).toBe(
      'ArgumentError: stratifiedKFold: cannot make 2 folds: the largest class has only 1 samples.',
    );
  });

  test('groupKFold', () => {
    const groups = [...'aaabbccccd'];
    const tests = testsOf(data.groupKFold(numbers(10), groups, { folds: 2 }), 10);
    // c (4) alone, a (3), then b (2) to the lighter fold, d (1) to the first of equal ones.
    expect(tests).toEqual([
      [5, 6, 7, 8, 9],
      [0, 1, 2, 3, 4],
    ]);
    expect(errorOf(() => data.groupKFold(numbers(10), groups))).toBe(
      'ArgumentError: groupKFold: cannot make 5 folds of 4 groups.',
    );
  });

  // Worked out by scikit-learn's definition of TimeSeriesSplit.
  test.each<[number, data.TimeSeriesSplitOptions, [number[], number[]][]]>([
    [
      6,
      { splits: 3 },
      [
        [range(3), [3]],
        [range(4), [4]],
        [range(5), [5]],
      ],
    ],
    [
      7,
      { splits: 3 },
      [
        [range(4), [4]],
        [range(5), [5]],
        [range(6), [6]],
      ],
    ],
    [
      10,
      { splits: 2, testSize: 2, gap: 1 },
      [
        [range(5), [6, 7]],
        [range(7), [8, 9]],
      ],
    ],
    [
      10,
      { splits: 2, maxTrainSize: 3 },
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [
          [4, 5, 6],
          [7, 8, 9],
        ],
      ],
    ],
    [
      10,
      { splits: 2, testSize: 3, gap: 2, maxTrainSize: 2 },
      [
        [
          [0, 1],
          [4, 5, 6],
        ],
        [
          [3, 4],
          [7, 8, 9],
        ],
      ],
    ],
  ])('timeSeriesSplit of %i with %j', (length, options, expected) => {
    const parts = data.timeSeriesSplit(numbers(length), options);
    expect(parts.map(({ train, test }) => [[...train.indices], [...test.indices]])).toEqual(expected);
  });

  test('timeSeriesSplit: too few samples', () => {
    const refused = (length: number, options: data.TimeSeriesSplitOptions): string =>
      errorOf(() => data.timeSeriesSplit(numbers(length), options));
    expect(refused(5, {})).toMatch('5 splits need at least 6 samples, there are 5');
    expect(refused(10, { splits: 3, testSize: 3, gap: 1 })).toBe(
      'ArgumentError: timeSeriesSplit: 3 test parts of 3 and a gap of 1 leave nothing to train on of 10 samples.',
    );
    expect(refused(10, { splits: 3, gap: -1 })).toMatch('gap must be an integer of at least 0');
  });

  test('labels that are no list', () => {
    const square = fromTypedArray(new Float32Array(4), [2, 2]);
    expect(errorOf(() => data.stratifiedKFold(numbers(4), square, { folds: 2 }))).toBe(
      'ArgumentError: stratifiedKFold: labels has shape [2, 2], expected [4].',
    );
  });
});
