import { describe, expect, test } from 'vitest';
import { data, dtypes, ones, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const T = data.transforms;
const table = (rows: readonly (readonly number[])[], dtype: 'float32' | 'float64' = 'float64'): Tensor =>
  tensor(
    rows.map((row) => [...row]),
    { dtype },
  );
const rowsOf = (t: Tensor): number[][] => t.arraySync() as unknown as number[][];
const json = <V>(value: V): V => JSON.parse(JSON.stringify(value)) as V;

// Columns: ordinary, large with a small spread, constant, with a missing value.
const x = [
  [1, 1e8, 0.1, 5],
  [2, 1e8 + 1, 0.1, NaN],
  [4, 1e8 + 2, 0.1, 7],
  [9, 1e8 + 5, 0.1, 9],
];

const close = (got: readonly (readonly number[])[], want: readonly (readonly number[])[], digits = 10): void => {
  expect(got.length).toBe(want.length);
  got.forEach((row, n) => {
    expect(row.length).toBe(want[n].length);
    row.forEach((value, f) => {
      if (Number.isNaN(want[n][f])) expect(value).toBeNaN();
      else expect(value, `row ${n}, column ${f}`).toBeCloseTo(want[n][f], digits);
    });
  });
};

// The definition, in plain float64.
const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const column = (f: number): number[] => x.map((row) => row[f]).filter((value) => !Number.isNaN(value));

describe('StandardScaler', () => {
  test('population statistics, NaN left out, constants kept', () => {
    const scaler = new T.StandardScaler().fit(table(x));
    const means = [0, 1, 2, 3].map((f) => mean(column(f)));
    const deviations = [0, 1, 2, 3].map((f) => Math.sqrt(mean(column(f).map((v) => (v - means[f]) ** 2))));
    expect(scaler.scale[2]).toBe(1);
    const want = x.map((row) => row.map((v, f) => (v - means[f]) / (f === 2 ? 1 : deviations[f])));
    close(rowsOf(scaler.transform(table(x))), want);
    close(rowsOf(scaler.inverseTransform(scaler.transform(table(x)))), x, 6);
  });

  test('options, dtypes and empty tables', () => {
    const scaler = new T.StandardScaler({ withStd: false });
    const out = scaler.fitTransform(table([[1], [3]], 'float32'));
    expect(out.dtype).toBe('float32');
    expect(rowsOf(out)).toEqual([[-1], [1]]);
    expect(scaler.transform(zeros([0, 1])).shape).toEqual([0, 1]);
    const plain = table([[1], [3]]);
    const same = new T.StandardScaler({ withMean: false, withStd: false }).fitTransform(plain);
    expect(rowsOf(same)).toEqual([[1], [3]]);
    expect(same).not.toBe(plain);
  });

  test('a large table is added up in pieces', () => {
    const wide = ones([3_000_000, 2]);
    const scaler = new T.StandardScaler().fit(wide);
    expect(scaler.mean).toEqual([1, 1]);
    expect(scaler.scale).toEqual([1, 1]);
    wide.dispose();
  });

  test('its state survives JSON', () => {
    const fitted = new T.StandardScaler().fit(
      table([
        [NaN, 1],
        [NaN, 2],
      ]),
    );
    expect(fitted.mean[0]).toBeNaN();
    const loaded = new T.StandardScaler().loadStateDict(json(fitted.stateDict()));
    expect(loaded.mean).toEqual(fitted.mean);
    expect(loaded.stateDict()).toEqual(fitted.stateDict());
    close(rowsOf(loaded.transform(table([[1, 3]]))), [[NaN, 3]]);
  });
});

test('MinMaxScaler', () => {
  const scaler = new T.MinMaxScaler({ featureRange: [-1, 1] }).fit(table(x));
  close(
    rowsOf(scaler.transform(table(x))),
    x.map(([a, b, , d]) => [(a - 1) / 4 - 1, ((b - 1e8) / 5) * 2 - 1, -1, (d - 5) / 2 - 1]),
    6,
  );
  close(rowsOf(scaler.inverseTransform(scaler.transform(table(x)))), x, 6);
  expect(rowsOf(scaler.transform(table([[17, 1e8, 0.1, 5]])))[0][0]).toBe(3);
  const clipped = new T.MinMaxScaler({ clip: true }).fit(table([[0], [2]]));
  expect(rowsOf(clipped.transform(table([[5], [-1], [1]])))).toEqual([[1], [0], [0.5]]);
});

test('RobustScaler', () => {
  const scaler = new T.RobustScaler().fit(table(x));
  // numpy.nanmedian and numpy.nanpercentile(x, [25, 75]).
  expect(scaler.center).toEqual([3, 1e8 + 1.5, 0.1, 7]);
  expect(scaler.scale).toEqual([5.25 - 1.75, 2, 1, 2]);
  close(rowsOf(scaler.inverseTransform(scaler.transform(table(x)))), x, 6);
});

test('Normalizer', () => {
  const rows = [
    [3, -4],
    [0, 0],
  ];
  close(rowsOf(new T.Normalizer().transform(table(rows))), [
    [0.6, -0.8],
    [0, 0],
  ]);
  close(
    rowsOf(new T.Normalizer({ norm: 'l1' }).transform(table(rows)))[0].map((v) => [v]),
    [[3 / 7], [-4 / 7]],
  );
  close(
    rowsOf(new T.Normalizer({ norm: 'max' }).transform(table(rows)))[0].map((v) => [v]),
    [[0.75], [-1]],
  );
});

describe('OneHotEncoder', () => {
  const animals = [
    ['dog', 3],
    ['cat', 1],
    ['dog', 10],
  ];

  test('sorted categories, both ways', () => {
    const encoder = new T.OneHotEncoder().fit(animals);
    expect(encoder.categories).toEqual([
      ['cat', 'dog'],
      [1, 3, 10],
    ]);
    const out = encoder.transform(animals);
    expect(out.dtype).toBe('float32');
    expect(rowsOf(out)).toEqual([
      [0, 1, 0, 1, 0],
      [1, 0, 1, 0, 0],
      [0, 1, 0, 0, 1],
    ]);
    expect(encoder.inverseTransform(out)).toEqual(animals);
    const loaded = new T.OneHotEncoder().loadStateDict(json(encoder.stateDict()));
    expect(rowsOf(loaded.transform(animals))).toEqual(rowsOf(out));
  });

  test('unknown categories', () => {
    const strict = new T.OneHotEncoder().fit(['a', 'b']);
    expect(errorOf(() => strict.transform(['c']))).toBe(
      `ArgumentError: OneHotEncoder.transform: row 0, column 0: unknown category "c"; handleUnknown: 'ignore' makes it zeros.`,
    );
    const lenient = new T.OneHotEncoder({ handleUnknown: 'ignore' }).fit(['a', 'b']);
    expect(rowsOf(lenient.transform(['c', 'b']))).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(lenient.inverseTransform(lenient.transform(['c', 'b']))).toEqual([[null], ['b']]);
  });

  test('a dropped category, given ones, tensors, NaN, __proto__', () => {
    const dropped = new T.OneHotEncoder({ drop: 'first' }).fit(['a', 'b', 'c']);
    expect(rowsOf(dropped.transform(['a', 'c']))).toEqual([
      [0, 0],
      [0, 1],
    ]);
    expect(dropped.inverseTransform(dropped.transform(['a', 'c']))).toEqual([['a'], ['c']]);
    const given = new T.OneHotEncoder({ categories: [['low', 'high']] });
    expect(rowsOf(given.transform(['high']))).toEqual([[0, 1]]);
    const ofTensor = new T.OneHotEncoder().fit(tensor([[2n], [0n]], { dtype: 'int64' }));
    expect(ofTensor.categories).toEqual([[0, 2]]);
    const odd = new T.OneHotEncoder().fit([NaN, 1, NaN]);
    expect(odd.categories).toEqual([[1, NaN]]);
    expect(new T.OneHotEncoder().loadStateDict(json(odd.stateDict())).categories).toEqual([[1, NaN]]);
    expect(rowsOf(new T.OneHotEncoder().fitTransform(['__proto__', 'constructor']))).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

test('LabelEncoder', () => {
  const encoder = new T.LabelEncoder().fit(['dog', 'cat', 'dog']);
  const codes = encoder.transform(['cat', 'dog']);
  expect(codes.dtype).toBe('int64');
  expect(codes.arraySync()).toEqual([0n, 1n]);
  expect(encoder.inverseTransform(codes)).toEqual(['cat', 'dog']);
  expect(new T.LabelEncoder().loadStateDict(json(encoder.stateDict())).classes).toEqual(['cat', 'dog']);
});

test.each<[string, () => unknown, string]>([
  [
    'not fitted',
    () => new T.StandardScaler().transform(ones([1, 2])),
    'ArgumentError: StandardScaler.transform: fit() or loadStateDict() comes first.',
  ],
  [
    'other columns',
    () => new T.StandardScaler().fit(ones([2, 2])).transform(ones([2, 3])),
    'ShapeError: StandardScaler.transform: x has 3 columns, the table it was fitted on had 2.',
  ],
  [
    'integers',
    () => new T.MinMaxScaler().fit(ones([2, 2], { dtype: 'int64' })),
    "DTypeError: MinMaxScaler.fit: x must be float32 or float64, got int64; convert it with to('float32').",
  ],
  [
    'no rows',
    () => new T.RobustScaler().fit(ones([0, 2])),
    'ShapeError: RobustScaler.fit: x [0,2] has no rows to learn from.',
  ],
  [
    'no table',
    () => new T.StandardScaler().fit(ones([2])),
    'ShapeError: StandardScaler.fit: x must be a table [N, F], got shape [2].',
  ],
  [
    'a range that is none',
    () => new T.MinMaxScaler({ featureRange: [1, 1] }),
    'ArgumentError: MinMaxScaler: featureRange must be [low, high] with low < high, got 1,1.',
  ],
  [
    'quantiles that are none',
    () => new T.RobustScaler({ quantileRange: [75, 25] }),
    'ArgumentError: RobustScaler: quantileRange must be [low, high] with 0 <= low < high <= 100, got 75,25.',
  ],
  [
    'an unknown norm',
    () => new T.Normalizer({ norm: 'l3' as 'l2' }),
    "ArgumentError: Normalizer: norm must be 'l1', 'l2' or 'max', got 'l3'.",
  ],
  [
    'the state of another class',
    () => new T.MinMaxScaler().loadStateDict(new T.StandardScaler().fit(ones([1, 1])).stateDict()),
    'ArgumentError: MinMaxScaler.loadStateDict: the state is of StandardScaler.',
  ],
  [
    'a state that was cut',
    () => new T.StandardScaler().loadStateDict({ name: 'StandardScaler', features: 2, values: { mean: [1] } }),
    'ArgumentError: StandardScaler.loadStateDict: values.mean has 1 numbers for 2 columns.',
  ],
  [
    'rows of different lengths',
    () => new T.OneHotEncoder().fit([['a'], ['a', 'b']]),
    'ShapeError: OneHotEncoder.fit: row 1 has 2 columns, row 0 has 1.',
  ],
  [
    'both strings and numbers',
    () => new T.OneHotEncoder().fit(['a', 1]),
    'ArgumentError: OneHotEncoder.fit: column 0 has both strings and numbers.',
  ],
  [
    'a missing category',
    () => new T.OneHotEncoder().fit([null as unknown as string]),
    'ArgumentError: OneHotEncoder.fit: row 0, column 0 must be a string or a number, got null.',
  ],
  [
    'a class number that is none',
    () => new T.LabelEncoder().fit(['a']).inverseTransform([1]),
    'ArgumentError: LabelEncoder.inverseTransform: element 0 is 1, the classes are 0 to 0.',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});

test('every float table dtype that is refused says so', () => {
  for (const dtype of dtypes) {
    if (dtype === 'float32' || dtype === 'float64') continue;
    expect(errorOf(() => new T.StandardScaler().fit(ones([2, 2], { dtype })))).toContain('DTypeError');
  }
});
