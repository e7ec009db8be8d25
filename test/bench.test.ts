// The benchmark's rows run, and its arithmetic is right. How fast they are is for `npm run bench` to say.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { rows } from '../bench/rows/index.js';
import { formatTime, median, medianRatio, quantile, spread } from '../bench/stats.js';

describe('every row runs', () => {
  for (const row of rows) {
    test(row.name, async () => {
      await row.prepare().run(2);
    });
  }
});

test('names are unique, and each row has its peer in PyTorch', () => {
  const names = rows.map((row) => row.name);
  expect(new Set(names).size).toBe(names.length);
  const peer = readFileSync(new URL('../bench/peers/torch_rows.py', import.meta.url), 'utf8');
  for (const name of names) expect(peer).toContain(name.split('/')[0]);
});

test('quantiles, spread and ratios', () => {
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([7])).toBe(7);
  expect(spread([1, 2, 3, 4, 5])).toBeCloseTo(1 / 3);
  expect(medianRatio([1, 2, 4], [2, 2, 12])).toBe(2);
});

test('times with three digits or the whole part', () => {
  expect(formatTime(1.234, 'ns')).toBe('1.23 ns');
  expect(formatTime(12_345, 'us')).toBe('12.3 us');
  expect(formatTime(1_234_567, 'ns')).toBe('1,234,567 ns');
  expect(formatTime(123_456_789, 'ms')).toBe('123 ms');
});
