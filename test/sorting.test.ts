// Sorting and searching beyond the goldens: long lines, ties, NaN, and bad input.
import { describe, expect, test } from 'vitest';
import {
  bincount,
  bucketize,
  fromTypedArray,
  histc,
  kthvalue,
  logsumexp,
  median,
  norm,
  ones,
  quantile,
  searchsorted,
  tensor,
  topk,
  unique,
  vectorNorm,
  zeros,
  type Tensor,
} from '../src/index.js';

const scrambled = (n: number, m: number): Float64Array =>
  Float64Array.from({ length: n }, (_, i) => ((i * 7919 + 13) % m) - m / 2);

describe('long lines', () => {
  const n = 20_000;
  const values = scrambled(n, 1009);
  // The order by value, equal ones by position.
  const order = Array.from({ length: n }, (_, i) => i).sort((a, b) => values[a] - values[b] || a - b);

  test.each(['float32', 'float64', 'int32', 'int64', 'bfloat16'] as const)('sort is stable in %s', (dtype) => {
    // Few enough values that each is exact.
    const small = values.map((value) => Math.round(value / 8) + 0);
    const byValue = Array.from({ length: n }, (_, i) => i).sort((a, b) => small[a] - small[b] || a - b);
    const x = fromTypedArray(small, [n]).to(dtype);
    const { values: sorted, indices } = x.sort();
    expect(Array.from(indices.dataSync(), Number)).toEqual(byValue);
    expect(Array.from(sorted.dataSync(), Number)).toEqual(byValue.map((i) => small[i]));
    const down = Array.from({ length: n }, (_, i) => i).sort((a, b) => small[b] - small[a] || a - b);
    expect(Array.from(x.argsort(0, { descending: true }).dataSync(), Number)).toEqual(down);
  });

  test('columns', () => {
    const x = fromTypedArray(values, [200, 100]);
    expect(x.sort(0).values.dataSync()).toEqual(x.t().contiguous().sort(1).values.t().contiguous().dataSync());
  });

  test.each([1, 3, 64, 65, 500, 15_000, n])('topk takes the first %i of the order', (k) => {
    const { indices } = topk(fromTypedArray(values, [n]), k, 0, { largest: false });
    expect(Array.from(indices.dataSync(), Number)).toEqual(order.slice(0, k));
  });

  test.each([1, 2, 777, n])('kthvalue %i', (k) => {
    const { values: found, indices } = kthvalue(fromTypedArray(values, [n]), k);
    expect(Number(indices.itemSync())).toBe(order[k - 1]);
    expect(found.itemSync()).toBe(values[order[k - 1]]);
  });

  test('median', () => {
    expect(median(fromTypedArray(values, [n])).itemSync()).toBe(values[order[n / 2 - 1]]);
  });

  test('unique', () => {
    const {
      values: found,
      inverse,
      counts,
    } = unique(fromTypedArray(values, [n]), {
      returnInverse: true,
      returnCounts: true,
    });
    expect(found.shape).toEqual([1009]);
    expect(found.gather(0, inverse).dataSync()).toEqual(values);
    expect(Number(counts.sum().itemSync())).toBe(n);
  });
});

test('positions found by searchsorted put NaN last, as sort does', () => {
  const sorted = tensor([1, 2, NaN, NaN]);
  expect(Array.from(searchsorted(sorted, tensor([1.5, NaN, 3])).dataSync(), Number)).toEqual([1, 2, 2]);
  expect(Array.from(searchsorted(sorted, tensor([2, NaN]), { right: true }).dataSync(), Number)).toEqual([2, 4]);
});

test('a sorter with a position that is not there is an IndexError at the next read', () => {
  const sorter = tensor([0n, 7n]);
  expect(() => searchsorted(tensor([1, 2]), tensor([3]), { sorter }).dataSync()).toThrow(
    'searchsorted: sorter has 7, out of range for 2 elements',
  );
});

test('infinite neighbours do not make NaN of a quantile', () => {
  const x = tensor([-Infinity, 1, Infinity, Infinity]);
  expect(Array.from(quantile(x, [0, 0.9, 1]).dataSync())).toEqual([-Infinity, Infinity, Infinity]);
});

test('the gradient of logsumexp of nothing but -Infinity is 0', () => {
  const x = tensor([-Infinity, -Infinity], { requiresGrad: true });
  logsumexp(x).backward();
  expect(Array.from(x.grad!.dataSync())).toEqual([0, 0]);
});

test('sums of many small numbers in float16', () => {
  const x = ones([100_000], { dtype: 'float16' });
  expect(logsumexp(x).itemSync()).toBeCloseTo(1 + Math.log(100_000), 2);
  expect(vectorNorm(x).itemSync()).toBeCloseTo(Math.sqrt(100_000), 0);
});

const loose = (value: unknown): never => value as never;
test.each<[string, () => unknown, string]>([
  ['topk', () => topk(ones([2, 3]), 4), 'IndexError: topk: k = 4 of 3 elements along dimension 1 of [2,3].'],
  ['topk, a fraction', () => topk(ones([3]), 1.5), 'ArgumentError: topk: k must be an integer >= 0, got 1.5.'],
  [
    'kthvalue',
    () => kthvalue(ones([2, 3]), 0, 0),
    'IndexError: kthvalue: k = 0 is not from 1 to 2, the size of dimension 0.',
  ],
  ['median', () => median(zeros([2, 0]), 1), 'ShapeError: median: x of shape [2,0] has no elements along dimension 1.'],
  [
    'searchsorted',
    () => searchsorted(ones([2, 3]), ones([4, 3])),
    'ShapeError: searchsorted(sorted [2,3], values [4,3]): sorted must have 1 dimension, or the dimensions of values but for the last.',
  ],
  [
    'searchsorted, dtypes',
    () => searchsorted(ones([3]), tensor([1n])),
    'DTypeError: searchsorted: sorted is float32 and values int64; convert one.',
  ],
  [
    'bucketize',
    () => bucketize(ones([3]), ones([2, 2])),
    'ShapeError: bucketize: boundaries must have 1 dimension, got shape [2,2].',
  ],
  ['quantile', () => quantile(ones([3]), 1.5), 'ArgumentError: quantile: q must be from 0 to 1, got 1.5.'],
  [
    'quantile, interpolation',
    () => quantile(ones([3]), 0.5, 0, { interpolation: loose('cubic') }),
    "ArgumentError: quantile: unknown interpolation 'cubic', expected one of linear, lower, higher, midpoint, nearest.",
  ],
  [
    'quantile of nothing',
    () => quantile(zeros([0]), 0.5),
    'ShapeError: quantile: x of shape [0] has no elements to take quantiles of.',
  ],
  [
    'quantile of integers',
    () => quantile(tensor([1n]), 0.5),
    'DTypeError: quantile: x must be float32 or float64, got int64; convert it with to().',
  ],
  ['histc', () => histc(ones([3]), 0), 'ArgumentError: histc: bins must be an integer above 0, got 0.'],
  [
    'histc, range',
    () => histc(ones([3]), 2, { min: 2, max: 1 }),
    'ArgumentError: histc: the range from 2 to 1 is not finite and ascending.',
  ],
  [
    'bincount',
    () => bincount(tensor([1n, -2n])),
    'ArgumentError: bincount: x must not be negative, the smallest element is -2.',
  ],
  [
    'bincount, weights',
    () => bincount(tensor([1n]), ones([2])),
    'ShapeError: bincount(x [1], weights [2]): the shapes must be the same.',
  ],
  ['norm', () => norm(ones([3]), loose('nuc')), "ArgumentError: norm: p must be a number, got 'nuc'."],
  [
    'vectorNorm',
    () => vectorNorm(zeros([2, 0]), Infinity, 1),
    'ShapeError: vectorNorm: the tensor of shape [2,0] has no elements to reduce, and vectorNorm of nothing has no value.',
  ],
])('bad input: %s', (_, call, expected) => {
  let message = '';
  try {
    call() as Tensor;
  } catch (error) {
    message = String(error);
  }
  expect(message).toBe(expected);
});
