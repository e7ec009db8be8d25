import { describe, expect, test } from 'vitest';
import { data, fromTypedArray, Generator, linalg, ones, randn, tensor, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const T = data.transforms;
const table = (rows: readonly (readonly number[])[]): Tensor =>
  fromTypedArray(Float64Array.from(rows.flat()), [rows.length, rows[0].length]);
const rowsOf = (t: Tensor): number[][] => t.arraySync() as unknown as number[][];
const json = <V>(value: V): V => JSON.parse(JSON.stringify(value)) as V;
const close = (got: readonly (readonly number[])[], want: readonly (readonly number[])[], digits = 8): void => {
  expect(got.length).toBe(want.length);
  got.forEach((row, n) => row.forEach((v, f) => expect(v, `${n}, ${f}`).toBeCloseTo(want[n][f], digits)));
};

const holes = [
  [1, NaN, 2],
  [3, 4, 2],
  [NaN, NaN, NaN],
  [8, 6, 7],
];

describe('missing values', () => {
  test('dropMissing', () => {
    const any = T.dropMissing(table(holes));
    expect(rowsOf(any.values)).toEqual([
      [3, 4, 2],
      [8, 6, 7],
    ]);
    expect(any.kept.arraySync()).toEqual([1n, 3n]);
    expect(T.dropMissing(table(holes), { how: 'all' }).kept.arraySync()).toEqual([0n, 1n, 3n]);
    expect(T.dropMissing(ones([0, 3])).values.shape).toEqual([0, 3]);
  });

  test.each([
    ['mean', [4, 5, 11 / 3]],
    ['median', [3, 5, 2]],
    ['mostFrequent', [1, 4, 2]],
    ['constant', [-1, -1, -1]],
  ] as const)('SimpleImputer, %s', (strategy, statistics) => {
    const imputer = new T.SimpleImputer({ strategy, fillValue: -1 }).fit(table(holes));
    close([imputer.statistics], [statistics]);
    close(
      rowsOf(imputer.transform(table(holes))),
      holes.map((row) => row.map((v, f) => (Number.isNaN(v) ? statistics[f] : v))),
    );
    const loaded = new T.SimpleImputer().loadStateDict(json(imputer.stateDict()));
    close(rowsOf(loaded.transform(table([[NaN, 1, NaN]]))), [[statistics[0], 1, statistics[2]]]);
  });
});

test('dropDuplicates', () => {
  const rows = [
    [1, NaN],
    [0, 2],
    [1, NaN],
    [-0, 2],
    [1, 2],
  ];
  expect(T.dropDuplicates(table(rows)).kept.arraySync()).toEqual([0n, 1n, 4n]);
  expect(T.dropDuplicates(table(rows), { keep: 'last' }).kept.arraySync()).toEqual([2n, 3n, 4n]);
  expect(T.dropDuplicates(table(rows).to('float32')).values.dtype).toBe('float32');
  expect(T.dropDuplicates(ones([3, 0])).values.shape).toEqual([1, 0]);
});

describe('outliers', () => {
  const rows = [[1], [2], [3], [4], [100], [NaN]];

  test('by quartiles', () => {
    const filter = new T.OutlierFilter().fit(table(rows));
    expect([filter.lower, filter.upper]).toEqual([[-1], [7]]);
    expect(rowsOf(filter.transform(table(rows)))).toEqual([[1], [2], [3], [4], [7], [NaN]]);
    expect(filter.drop(table(rows)).kept.arraySync()).toEqual([0n, 1n, 2n, 3n, 5n]);
    expect(filter.mask(table([[-2], [7]])).arraySync()).toEqual([[true], [false]]);
  });

  test('by deviations from the mean', () => {
    const filter = new T.OutlierFilter({ method: 'zscore', factor: 1 }).fit(table(rows));
    // numpy: nanmean 22, nanstd 39.0128...
    close([filter.lower, filter.upper], [[22 - 39.01281840626232], [22 + 39.01281840626232]]);
    expect(new T.OutlierFilter().loadStateDict(json(filter.stateDict())).upper).toEqual(filter.upper);
  });
});

const x = [
  [1, 2, 0.5],
  [2, 1, 0.25],
  [3, 5, -1],
  [4, 4, 2],
  [6, 7, 1.5],
];

describe('PCA', () => {
  // numpy.linalg.svd of the centred table, signs turned.
  const components = [
    [0.6168595517, 0.7721644912, 0.1524673474],
    [0.298608937, -0.4088297667, 0.8623751646],
    [0.7282286703, -0.4864362449, -0.4827657645],
  ];
  const coordinates = [
    [-2.7698572, -0.050402356],
    [-2.9632789764, 0.4414425565],
    [0.5516543559, -1.9732365291],
    [0.8537514586, 1.3213276685],
    [4.3277303618, 0.2608686601],
  ];

  test('reference values', () => {
    const pca = new T.PCA().fit(table(x));
    close(pca.components, components);
    close([pca.explainedVariance], [[9.0538988416, 1.4762583984, 0.2323427601]]);
    close([pca.explainedVarianceRatio], [[0.8412449562, 0.1371668663, 0.0215881775]]);
    close(rowsOf(pca.inverseTransform(pca.transform(table(x)))), x);
    close(rowsOf(new T.PCA({ nComponents: 2 }).fitTransform(table(x))), coordinates);
    const single = new T.PCA({ nComponents: 2 }).fitTransform(table(x).to('float32'));
    expect(single.dtype).toBe('float32');
    close(rowsOf(single), coordinates, 5);
  });

  test('a share of the variance', () => {
    const kept = (nComponents: number): number => new T.PCA({ nComponents }).fit(table(x)).explainedVariance.length;
    expect([kept(0.5), kept(0.84), kept(0.85), kept(0.98), kept(1)]).toEqual([1, 1, 2, 3, 1]);
  });

  test('whitening', () => {
    const pca = new T.PCA({ whiten: true }).fit(table(x));
    const white = pca.transform(table(x));
    close(rowsOf(white.mT().matmul(white).div(4)), [
      [1, 0, 0],
      [0, 1, 0],
      [0, 0, 1],
    ]);
    close(rowsOf(pca.inverseTransform(white)), x);
    const loaded = new T.PCA({ whiten: true }).loadStateDict(json(pca.stateDict()));
    expect(rowsOf(loaded.transform(table(x)))).toEqual(rowsOf(white));
  });

  test('more columns than rows', () => {
    const wide = table([
      [1, 2, 0.5, 3],
      [2, 1, 0.25, -1],
    ]);
    const pca = new T.PCA({ nComponents: 1 }).fit(wide);
    close(pca.components, [[-0.2352941176, 0.2352941176, 0.0588235294, 0.9411764706]]);
    close([pca.explainedVariance], [[9.03125]]);
    close(rowsOf(pca.inverseTransform(pca.transform(wide))), rowsOf(wide));
  });

  test('compression of a table that is nearly flat', () => {
    const generator = new Generator(0);
    const flat = randn([400, 2], { generator }).matmul(randn([2, 30], { generator }));
    const pca = new T.PCA({ nComponents: 0.999 }).fit(flat);
    expect(pca.explainedVariance.length).toBe(2);
    const error = pca.inverseTransform(pca.transform(flat)).sub(flat).abs().max().itemSync();
    expect(error).toBeLessThan(1e-4);
  });
});

test('ZCAWhitening', () => {
  const zca = new T.ZCAWhitening().fit(table(x));
  // numpy.linalg.eigh of the covariance.
  const white = [
    [-1.75356306, -0.03773244, 0.53552578],
    [0.59280934, -1.78490816, -0.58041369],
    [-0.30225504, 0.82478901, -1.60983527],
    [0.2776193, -0.06434183, 1.28326654],
    [1.18538946, 1.06219342, 0.37145665],
  ];
  close(rowsOf(zca.transform(table(x))), white, 7);
  close(rowsOf(zca.inverseTransform(zca.transform(table(x)))), x);
  const loaded = new T.ZCAWhitening().loadStateDict(json(zca.stateDict()));
  close(rowsOf(loaded.transform(table(x))), white, 7);
  // Whitening matrices are symmetric, so that images stay images.
  const symmetric = table(zca.stateDict().values.whitening.map((v) => [v!])).reshape([3, 3]);
  expect(linalg.matrixNorm(symmetric.sub(symmetric.mT())).itemSync()).toBeLessThan(1e-10);
});

test('PolynomialFeatures', () => {
  const run = (options: data.transforms.PolynomialFeaturesOptions): number[][] =>
    rowsOf(new T.PolynomialFeatures(options).transform(table([[2, 3]])));
  expect(run({})).toEqual([[1, 2, 3, 4, 6, 9]]);
  expect(run({ degree: 3, includeBias: false })).toEqual([[2, 3, 4, 6, 9, 8, 12, 18, 27]]);
  expect(run({ degree: 3, interactionOnly: true })).toEqual([[1, 2, 3, 6]]);
  expect(run({ degree: 0 })).toEqual([[1]]);
  expect(run({ degree: 40, interactionOnly: true })).toEqual([[1, 2, 3, 6]]);
});

test.each<[string, () => unknown, string]>([
  [
    'a column without values',
    () => new T.SimpleImputer().fit(table([[1, NaN]])),
    "ArgumentError: SimpleImputer.fit: column 1 has no value to take the mean of; drop it, or use strategy 'constant'.",
  ],
  [
    'a strategy that is none',
    () => new T.SimpleImputer({ strategy: 'mode' as 'mean' }),
    "ArgumentError: SimpleImputer: strategy must be 'mean', 'median', 'mostFrequent' or 'constant', got 'mode'.",
  ],
  [
    'a method that is none',
    () => new T.OutlierFilter({ method: 'mad' as 'iqr' }),
    "ArgumentError: OutlierFilter: method must be 'iqr' or 'zscore', got 'mad'.",
  ],
  [
    'missing values',
    () => new T.PCA().fit(table(holes)),
    'ArgumentError: PCA.fit: column 0 has NaN or infinite values; replace them with SimpleImputer, or drop their rows.',
  ],
  [
    'too many components',
    () => new T.PCA({ nComponents: 4 }).fit(table(x)),
    'ArgumentError: PCA.fit: nComponents is 4, but a table [5,3] has at most 3 components.',
  ],
  [
    'components that are none',
    () => new T.PCA({ nComponents: 1.5 }),
    'ArgumentError: PCA: nComponents must be an integer >= 1 or a share between 0 and 1, got 1.5.',
  ],
  ['one row', () => new T.PCA().fit(ones([1, 3])), 'ShapeError: PCA.fit: x [1,3] must have at least 2 rows.'],
  [
    'compressed tables of other columns',
    () => new T.PCA({ nComponents: 2 }).fit(table(x)).inverseTransform(table(x)),
    'ShapeError: PCA.inverseTransform: x has 3 columns, the table it was fitted on had 2.',
  ],
  [
    'a matrix that was cut',
    () => {
      const state = json(new T.ZCAWhitening().fit(table(x)).stateDict());
      return new T.ZCAWhitening().loadStateDict({ ...state, values: { ...state.values, whitening: [1] } });
    },
    'ArgumentError: ZCAWhitening.loadStateDict: the matrices are not of 3 columns.',
  ],
  [
    'too many products',
    () => new T.PolynomialFeatures({ degree: 9 }).transform(ones([1, 100])),
    'ArgumentError: PolynomialFeatures: degree 9 of 100 columns makes more than 1000000 columns.',
  ],
  [
    'a table of integers',
    () => T.dropDuplicates(tensor([[1]], { dtype: 'int64' })),
    "DTypeError: dropDuplicates: x must be float32 or float64, got int64; convert it with to('float32').",
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
