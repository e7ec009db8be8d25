import { describe, expect, test } from 'vitest';
import { fromTypedArray, linspace } from 'thalweg';
import { checkSamples } from './check.js';
import { samples } from './core.js';

checkSamples('core', samples);

describe('beyond the goldens', () => {
  test('linspace ends where it was told to', () => {
    for (let steps = 2; steps < 200; steps++) {
      expect(linspace(0, 1, steps, { dtype: 'float64' }).dataSync()[steps - 1]).toBe(1);
      expect(linspace(0.1, 0.7, steps).dataSync()[steps - 1]).toBe(Math.fround(0.7));
    }
    expect(Array.from(linspace(0, 9, 4, { dtype: 'int64' }).dataSync())).toEqual([0n, 3n, 6n, 9n]);
  });

  test('in 8 dimensions', () => {
    const shape = [2, 1, 3, 1, 2, 1, 2, 2];
    const values = Float64Array.from({ length: 48 }, (_, i) => i);
    const x = fromTypedArray(values, shape, { requiresGrad: true });
    const y = x.permute([7, 6, 5, 4, 3, 2, 1, 0]).add(x.sum([0, 2, 4]));
    expect(y.shape).toEqual([2, 2, 1, 2, 1, 3, 2, 2]);
    y.mul(y).mean().backward();
    expect(x.grad!.shape).toEqual(shape);
  });
});
