// The probes do what they say they count. How fast the machine is, no test can know.
import { describe, expect, test } from 'vitest';
import { empty, getNumThreads, randn, synchronize } from 'thalweg';
import { copyGBs, emptyRegions, peakGflops } from 'thalweg/probe';
import { native } from '../src/native.js';

const positive = (value: number): void => {
  expect(Number.isFinite(value)).toBe(true);
  expect(value).toBeGreaterThan(0);
};

test('each gives a rate or a time', () => {
  positive(peakGflops({ ms: 1 }));
  expect(peakGflops({ ms: 1, dtype: 'bfloat16' })).toBeGreaterThanOrEqual(0);
  positive(copyGBs(4096, { ms: 1 }));
});

test('multiply-adds are counted: in proportion to the rounds, the same for every piece', () => {
  const done = empty([3], { dtype: 'float64' });
  native.probeMultiplyAdd(done._handle, 1, false);
  const [one] = done.dataSync();
  positive(one);
  native.probeMultiplyAdd(done._handle, 5, false);
  expect([...done.dataSync()]).toEqual([5 * one, 5 * one, 5 * one]);
});

describe('a copy', () => {
  test.each([1, 15, 16, 17, 1000, 2 ** 17 + 3])('of %i floats, with either kind of store', (n) => {
    for (const streaming of [false, true]) {
      // An odd start, for the stores that want alignment.
      const [storage, x] = [randn([n + 2]), randn([n])];
      const expected = storage.dataSync();
      expected.set(x.dataSync(), 1);
      native.probeCopy(storage.narrow(0, 1, n)._handle, x._handle, streaming);
      expect(storage.dataSync()).toEqual(expected);
    }
  });
});

test('every piece of an empty region is run', () => {
  const count = empty([1], { dtype: 'float64' });
  native.probeFork(count._handle, 7, getNumThreads());
  expect(count.itemSync()).toBe(7 * getNumThreads());
});

test('what makes no sense is refused', () => {
  expect(() => peakGflops({ ms: NaN })).toThrow('peakGflops: ms must be from 0 to 10000, got NaN.');
  expect(() => copyGBs(6)).toThrow('copyGBs: bytes must be a multiple of 4 from 4 to 2^32, got 6.');
  expect(() => emptyRegions(-1)).toThrow('emptyRegions: count must be an integer from 0 to 2^20, got -1.');
  expect(emptyRegions(10)).toBeUndefined();
  const wrong = empty([2, 2]);
  native.probeMultiplyAdd(wrong._handle, 1, false);
  expect(synchronize).toThrow('probeMultiplyAdd: the counts go to a float64 tensor of one dimension');
  const many = empty([1], { dtype: 'float64' });
  native.probeMultiplyAdd(many._handle, 2 ** 40, false);
  expect(synchronize).toThrow(`probeMultiplyAdd: rounds is ${2 ** 40}, outside 0 to 1048576`);
});
