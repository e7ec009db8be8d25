// Dropout in training: what is random has no goldens.
import { afterAll, describe, expect, test } from 'vitest';
import {
  Generator,
  getNumThreads,
  grad,
  manualSeed,
  nn,
  ones,
  randn,
  setNumThreads,
  tensor,
  type Tensor,
} from 'thalweg';
import { errorOf } from './error-of.js';

const { alphaDropout, dropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } = nn.functional;
const values = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
const generator = (): Generator => new Generator(7);

function moments(x: Tensor): { mean: number; variance: number } {
  const list = values(x);
  const mean = list.reduce((sum, v) => sum + v, 0) / list.length;
  return { mean, variance: list.reduce((sum, v) => sum + (v - mean) ** 2, 0) / list.length };
}

/** What each channel holds, if it holds one value only. */
function channels(x: Tensor, count: number): number[] {
  const list = values(x);
  const size = list.length / count;
  return Array.from({ length: count }, (_, c) => {
    const own = new Set(list.slice(c * size, (c + 1) * size));
    expect(own.size).toBe(1);
    return [...own][0];
  });
}

const threads = getNumThreads();
afterAll(() => setNumThreads(threads));

describe('dropout', () => {
  test.each([0.1, 0.5, 0.9])('drops the share %f and scales the rest', (p) => {
    const list = values(dropout(ones([100_000]), { p, generator: generator() }));
    const kept = list.filter((v) => v !== 0);
    expect(new Set(kept)).toEqual(new Set([Math.fround(1 / (1 - p))]));
    expect(Math.abs(kept.length / list.length - (1 - p))).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / list.length));
  });

  test('with p = 0 and in evaluation gives its input, with p = 1 zeros', () => {
    const x = randn([5, 7]);
    expect(dropout(x, { p: 0 })).toBe(x);
    expect(dropout(x, { training: false })).toBe(x);
    expect(new dropoutLayer(0.5).eval().forward(x)).toBe(x);
    expect(values(dropout(x, { p: 1 })).every((v) => v === 0)).toBe(true);
    expect(values(dropout2d(ones([2, 3, 2, 2]), { p: 1 })).every((v) => v === 0)).toBe(true);
    expect(values(alphaDropout(x, { p: 1, training: true })).every((v) => v === 0)).toBe(true);
  });

  test.each(['float16', 'bfloat16', 'float32', 'float64'] as const)('drops the same elements in %s', (dtype) => {
    const dropped = values(dropout(ones([5000], { dtype }), { generator: generator() }));
    expect(dropped).toEqual(values(dropout(ones([5000]), { generator: generator() })));
  });

  test('is the same for one seed, any layout and any number of threads', () => {
    const x = randn([300, 401]);
    const run = (): number[] => values(dropout(x, { p: 0.3, generator: generator() }));
    setNumThreads(1);
    const one = run();
    setNumThreads(3);
    expect(run()).toEqual(one);
    setNumThreads(threads);
    expect(values(dropout(x.t().contiguous().t(), { p: 0.3, generator: generator() }))).toEqual(one);
    manualSeed(3);
    const first = values(dropout(x));
    const second = values(dropout(x));
    expect(second).not.toEqual(first);
    manualSeed(3);
    expect(values(dropout(x))).toEqual(first);
  });

  test('sends gradients through what is kept, twice', () => {
    const x = randn([1000], { requiresGrad: true });
    const y = dropout(x.mul(x), { generator: generator() });
    const mask = values(dropout(ones([1000]), { generator: generator() }));
    const [slope] = grad(y.sum(), [x], { createGraph: true });
    const [curvature] = grad(slope.sum(), [x]);
    expect(values(curvature)).toEqual(mask.map((m) => 2 * m));
  });

  test('of nothing is nothing', () => {
    expect(dropout(ones([0, 3])).shape).toEqual([0, 3]);
    expect(dropout2d(ones([0, 3, 2, 2])).shape).toEqual([0, 3, 2, 2]);
  });
});

const dropoutLayer = nn.Dropout;

describe('whole channels', () => {
  test.each<[string, (x: Tensor) => Tensor, number[], number]>([
    ['dropout1d', (x) => dropout1d(x, { generator: generator() }), [20, 30, 4], 600],
    ['dropout1d alone', (x) => dropout1d(x, { generator: generator() }), [600, 4], 600],
    ['dropout2d', (x) => dropout2d(x, { generator: generator() }), [20, 30, 2, 3], 600],
    ['dropout3d', (x) => dropout3d(x, { generator: generator() }), [20, 30, 2, 1, 3], 600],
    ['dropout3d alone', (x) => dropout3d(x, { generator: generator() }), [600, 2, 1, 3], 600],
  ])('%s', (_, run, shape, count) => {
    const x = ones(shape, { requiresGrad: true });
    const y = run(x);
    const found = channels(y, count);
    expect(new Set(found)).toEqual(new Set([0, 2]));
    expect(Math.abs(found.filter((v) => v === 0).length - 300)).toBeLessThan(70);
    y.sum().backward();
    expect(values(x.grad!)).toEqual(values(y));
  });

  test('featureAlphaDropout', () => {
    const y = featureAlphaDropout(ones([20, 30, 4]), { training: true, generator: generator() });
    expect(new Set(channels(y, 600)).size).toBe(2);
  });
});

describe('alpha dropout', () => {
  test.each([0.1, 0.5])('keeps mean 0 and variance 1 with p = %f', (p) => {
    const x = randn([200_000], { generator: generator() });
    const { mean, variance } = moments(alphaDropout(x, { p, training: true, generator: new Generator(1) }));
    expect(Math.abs(mean)).toBeLessThan(0.015);
    expect(Math.abs(variance - 1)).toBeLessThan(0.02);
  });

  test('maps what is kept, and what is dropped to one value, as PyTorch does', () => {
    const x = tensor([0, 1, 2, 3, 4, 5, 6, 7], { dtype: 'float64', requiresGrad: true });
    const y = alphaDropout(x, { p: 0.25, training: true, generator: generator() });
    const scale = 1 / Math.sqrt((1.7580993408473766 ** 2 * 0.25 + 1) * 0.75);
    const shift = scale * 1.7580993408473766 * 0.25;
    y.sum().backward();
    const slopes = values(x.grad!);
    values(y).forEach((v, i) => {
      const kept = slopes[i] !== 0;
      expect(v).toBeCloseTo((kept ? i * scale : -1.7580993408473766 * scale) + shift, 12);
      if (kept) expect(slopes[i]).toBeCloseTo(scale, 12);
    });
    expect(slopes).toContain(0);
  });

  test('does nothing unless training is true', () => {
    const x = randn([4, 4]);
    expect(alphaDropout(x)).toBe(x);
    expect(featureAlphaDropout(x)).toBe(x);
  });
});

describe('layers', () => {
  test('drop with their generator in training, and are printed', () => {
    const x = ones([10, 10, 4]);
    const layer = new nn.Dropout1d(0.5, generator());
    expect(values(layer.forward(x))).toEqual(values(dropout1d(x, { generator: generator() })));
    expect(String(new nn.AlphaDropout(0.2))).toBe('AlphaDropout(p=0.2)');
    expect(values(new nn.FeatureAlphaDropout(0.5, generator()).forward(x))).toEqual(
      values(featureAlphaDropout(x, { training: true, generator: generator() })),
    );
    for (const [Layer, shape] of [
      [nn.Dropout2d, [4, 25, 2, 2]],
      [nn.Dropout3d, [4, 25, 2, 2, 1]],
      [nn.AlphaDropout, [100]],
      [nn.Dropout, [100]],
    ] as const) {
      expect(new Set(values(new Layer(0.5, generator()).forward(ones(shape)))).size).toBe(2);
    }
  });
});

test.each<[() => unknown, string]>([
  [() => dropout(ones([2]), { p: 2 }), 'ArgumentError: dropout: p must be from 0 to 1, got 2.'],
  [() => dropout(tensor([1n]) as Tensor), 'DTypeError: dropout: x must be a float tensor, got int64.'],
  [() => new nn.Dropout2d(-1), 'ArgumentError: Dropout2d: p must be from 0 to 1, got -1.'],
  [
    () => dropout1d(ones([3])),
    'ShapeError: dropout1d(x [3]): x must have 3 dimensions, or 2 without the batch, got 1.',
  ],
  [
    () => dropout2d(ones([3, 2, 2])),
    'ShapeError: dropout2d(x [3,2,2]): x must have 4 dimensions, got 3; use dropout1d for [N, C, L], or unsqueeze(0) for one [C, H, W].',
  ],
  [
    () => featureAlphaDropout(ones([3])),
    'ShapeError: featureAlphaDropout(x [3]): x must have at least 2 dimensions, [N, C, ...].',
  ],
])('%s', (run, message) => {
  expect(errorOf(run)).toBe(message);
});
