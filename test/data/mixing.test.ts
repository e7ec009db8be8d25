import { describe, expect, test } from 'vitest';
import { data, fromTypedArray, Generator, nn, ones, tensor, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const images = (): Tensor =>
  fromTypedArray(
    Float32Array.from({ length: 4 * 64 }, (_, i) => Math.floor(i / 64)),
    [4, 1, 8, 8],
  );
const targets = (): Tensor => nn.functional.oneHot(tensor([0, 1, 2, 3], { dtype: 'int64' }), 4).to('float32');
const numbers = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array);

describe('mixup', () => {
  test('mixes samples and targets by one share', () => {
    const mixed = data.mixup(images(), targets(), { alpha: 0.4, generator: new Generator(5) });
    expect(mixed.lambda).toBeGreaterThan(0);
    expect(mixed.lambda).toBeLessThan(1);
    // Image i is filled with i: its mean is that of the mixed target's classes.
    const means = numbers(mixed.x.mean([1, 2, 3]));
    const rows = numbers(mixed.targets);
    means.forEach((mean, i) => {
      const row = rows.slice(4 * i, 4 * i + 4);
      expect(row.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      expect(row[i]).toBeGreaterThanOrEqual(mixed.lambda - 1e-6);
      expect(row.reduce((sum, share, c) => sum + c * share, 0)).toBeCloseTo(mean, 5);
    });
  });

  test('a seed decides', () => {
    const run = (seed: number): number[] => {
      const { x, targets: t, lambda } = data.mixup(images(), targets(), { generator: new Generator(seed) });
      return [...numbers(x), ...numbers(t), lambda];
    };
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test('alpha 0 mixes nothing', () => {
    const mixed = data.mixup(images(), targets(), { alpha: 0 });
    expect(mixed.lambda).toBe(1);
    expect(numbers(mixed.x)).toEqual(numbers(images()));
  });

  test.each([0.2, 1, 4])('shares are of the Beta(%d, %d) distribution', (alpha) => {
    const generator = new Generator(7);
    const [x, t] = [ones([1, 1]), ones([1, 1])];
    const draws = Array.from({ length: 3000 }, () => data.mixup(x, t, { alpha, generator }).lambda);
    const mean = draws.reduce((a, b) => a + b) / draws.length;
    const variance = draws.reduce((a, b) => a + (b - mean) ** 2, 0) / draws.length;
    expect(mean).toBeCloseTo(0.5, 1);
    expect(variance / (1 / (4 * (2 * alpha + 1)))).toBeCloseTo(1, 0.5);
    expect(draws.every((draw) => draw >= 0 && draw <= 1)).toBe(true);
  });
});

describe('cutmix', () => {
  test('puts a rectangle of another image in, and mixes targets by its area', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { x, targets: mixed, lambda } = data.cutmix(images(), targets(), { generator: new Generator(seed) });
      const [pixels, rows] = [numbers(x), numbers(mixed)];
      for (let i = 0; i < 4; i++) {
        const own = pixels.slice(64 * i, 64 * i + 64);
        for (let c = 0; c < 4; c++) {
          expect(rows[4 * i + c]).toBeCloseTo(own.filter((value) => value === c).length / 64, 5);
        }
        expect(rows[4 * i + i]).toBeGreaterThanOrEqual(lambda - 1e-6);
      }
    }
  });

  test('integer images', () => {
    const { x } = data.cutmix(images().to('uint8'), targets(), { generator: new Generator(0) });
    expect(x.dtype).toBe('uint8');
  });
});

test.each<[string, () => unknown, string]>([
  [
    'integer targets',
    () => data.mixup(images(), ones([4], { dtype: 'int64' })),
    'DTypeError: mixup: targets must be a float tensor, one number for each class, got int64; make one with oneHot().',
  ],
  [
    'another batch',
    () => data.cutmix(images(), ones([3, 4])),
    'ShapeError: cutmix(x [4,1,8,8], targets [3,4]): both must have the batch as first dimension.',
  ],
  [
    'a negative alpha',
    () => data.mixup(images(), targets(), { alpha: -1 }),
    'ArgumentError: mixup: alpha must be a number >= 0, got -1.',
  ],
  [
    'images without rows',
    () => data.cutmix(ones([4, 3]), targets()),
    'ShapeError: cutmix: images must be [N, ..., H, W], got shape [4,3].',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
