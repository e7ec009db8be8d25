// setFlushDenormal: subnormal numbers are zeros where it is on, for the stream's thread and those of the pool.
import { afterAll, describe, expect, test } from 'vitest';
import { full, getNumThreads, setFlushDenormal, setNumThreads, tensor } from 'thalweg';
import { errorOf } from './error-of.js';

const threads = getNumThreads();
afterAll(() => {
  setNumThreads(threads);
  setFlushDenormal(false);
});

/** How many of the products 1e-30 * 1e-10 are not 0, of so many that all threads have some. */
const left = (dtype: 'float32' | 'float64', small: number): bigint =>
  full([1 << 20], small, { dtype })
    .mul(1e-10)
    .ne(0)
    .sum()
    .itemSync();

describe.each([1, 2])('with %i threads', (count) => {
  test('subnormal products stay, become 0, and stay again', () => {
    setNumThreads(count);
    expect(left('float32', 1e-30)).toBe(1n << 20n);
    const able = setFlushDenormal(true);
    expect(able).toBe(process.arch === 'x64' || process.arch === 'arm64');
    if (able) {
      expect(left('float32', 1e-30)).toBe(0n);
      expect(left('float64', 1e-300)).toBe(0n);
      // JavaScript's own numbers are not concerned.
      expect(1e-300 * Number('1e-20')).toBeGreaterThan(0);
    }
    setFlushDenormal(false);
    expect(left('float32', 1e-30)).toBe(1n << 20n);
    expect(left('float64', 1e-300)).toBe(1n << 20n);
  });
});

test('the setting holds from where it is made, in the order of the queue', () => {
  const x = tensor([1e-30]);
  const before = x.mul(1e-10);
  setFlushDenormal(true);
  const within = x.mul(1e-10);
  setFlushDenormal(false);
  const after = x.mul(1e-10);
  const results = [before, within, after].map((y) => y.ne(0).itemSync());
  expect(results).toEqual([true, process.arch !== 'x64' && process.arch !== 'arm64', true]);
});

test('refuses what is no boolean', () => {
  expect(errorOf(() => setFlushDenormal(1 as unknown as boolean))).toBe(
    'ArgumentError: setFlushDenormal: expected true or false, got 1.',
  );
});
