// Scans beyond the goldens: long lines, which are cut into parts, gradients where PyTorch's are NaN, and bad input.
import { describe, expect, test } from 'vitest';
import {
  cumulativeTrapezoid,
  diff,
  fromTypedArray,
  logcumsumexp,
  ones,
  tensor,
  trapezoid,
  zeros,
  type Tensor,
} from '../src/index.js';

describe('long lines', () => {
  const n = 300_001;
  const values = Float64Array.from({ length: n }, (_, i) => ((i * 7919) % 1009) - 504);

  test('cumsum', () => {
    let sum = 0;
    const expected = values.map((value) => (sum += value));
    expect(fromTypedArray(values, [n]).cumsum(0).dataSync()).toEqual(expected);
    const lines = fromTypedArray(values, [1, n]).expand([3, n]);
    expect(lines.cumsum(1).select(0, 2).dataSync()).toEqual(expected);
  });

  test('the gradient of cumsum runs backward', () => {
    const x = fromTypedArray(values, [n], { requiresGrad: true });
    x.cumsum(0).sum().backward();
    expect(x.grad!.dataSync()).toEqual(values.map((_, i) => n - i));
  });

  test('cumprod', () => {
    const signs = fromTypedArray(
      values.map((value) => (value % 2 === 0 ? 1 : -1)),
      [n],
    );
    let product = 1;
    const expected = values.map((value) => (product *= value % 2 === 0 ? 1 : -1));
    expect(signs.cumprod(0).dataSync()).toEqual(expected);
  });

  test('logcumsumexp', () => {
    const x = zeros([n], { dtype: 'float64' });
    const out = logcumsumexp(x, 0).dataSync();
    for (const i of [0, 1, 65535, 65536, 200_000, n - 1]) expect(out[i]).toBeCloseTo(Math.log(i + 1), 12);
  });

  test('float32 is accumulated in float64', () => {
    const out = ones([2 ** 15 + 1])
      .mul(1000.1)
      .cumsum(0)
      .dataSync();
    expect(out[2 ** 15]).toBe(Math.fround((2 ** 15 + 1) * Math.fround(1000.1)));
  });

  test('float16', () => {
    expect(ones([3000], { dtype: 'float16' }).cumsum(0).dataSync()[2999]).toBe(3000);
  });
});

test('where nothing but -Infinity came before, the gradient of logcumsumexp is 0', () => {
  const x = tensor([-Infinity, -Infinity, 0, 0], { dtype: 'float64', requiresGrad: true });
  logcumsumexp(x, 0).sum().backward();
  expect(Array.from(x.grad!.dataSync())).toEqual([0, 0, 1.5, 0.5]);
});

test('cumprod with several zeros has all its second derivatives', () => {
  const x = tensor([2, 0, 3, 0], { dtype: 'float64', requiresGrad: true });
  const out = x.cumprod(0).select(0, 3);
  out.backward();
  expect(Array.from(x.grad!.dataSync())).toEqual([0, 0, 0, 0]);
});

test.each<[string, () => Tensor, string]>([
  [
    'cumsum',
    () => ones([2, 3]).cumsum(2 as 1),
    'IndexError: cumsum: dim 2 is out of range for 2 dimensions, expected -2 to 1.',
  ],
  [
    'logcumsumexp',
    () => logcumsumexp(tensor([1n]), 0),
    "DTypeError: logcumsumexp: expected a float tensor, got int64; convert it with to('float32').",
  ],
  ['diff of a scalar', () => diff(tensor(1)), 'ShapeError: diff: x is a scalar, expected at least 1 dimension.'],
  ['diff', () => diff(ones([3]), -1), 'ArgumentError: diff: n must be an integer >= 0, got -1.'],
  [
    'trapezoid',
    () => trapezoid(ones([2, 3]), ones([4])),
    'ShapeError: trapezoid(y [2,3], x [4]): y has 3 points along dimension 1, x 4.',
  ],
  [
    'cumulativeTrapezoid',
    () => cumulativeTrapezoid(tensor(1)),
    'ShapeError: cumulativeTrapezoid: y is a scalar, expected at least 1 dimension.',
  ],
])('bad input: %s', (_, call, expected) => {
  let message = '';
  try {
    call();
  } catch (error) {
    message = String(error);
  }
  expect(message).toBe(expected);
});
