// Pooling, padding and resizing: messages, and layers in chains.
import { describe, expect, test } from 'vitest';
import { arange, nn, ones, tensor, zeros } from 'thalweg';
import { errorOf } from './error-of.js';

const f = nn.functional;

describe('messages', () => {
  test.each([
    [
      () => f.maxPool2d(ones([1, 1, 3, 3]), 4),
      'ShapeError: maxPool2d(x [1,1,3,3]): the kernel is larger than the input in dimension 2, 4 but 3.',
    ],
    [
      () => f.avgPool1d(ones([1, 4]), 2, { padding: 2 }),
      'ArgumentError: avgPool1d: padding must be at most half of the kernel, got 2 for a kernel of 2.',
    ],
    [() => f.maxPool1d(ones([4]), 2), 'ShapeError: maxPool1d: x must be [N, C, L] or [C, L], got shape [4].'],
    [
      () => f.maxPool1d(ones([1, 4], { dtype: 'int64' }), 2),
      'DTypeError: maxPool1d: x must be a float tensor, got int64.',
    ],
    [
      () => f.avgPool1d(ones([1, 4]), 2, { divisorOverride: 0 }),
      'ArgumentError: avgPool1d: divisorOverride must be an integer other than 0, got 0.',
    ],
    [
      () => f.maxPool1d(ones([1, 1]), 2, { padding: 2, dilation: 3, stride: 1 }),
      'ShapeError: maxPool1d(x [1,1]): all taps of window 0 along dimension 1 fall into the padding; reduce padding or dilation.',
    ],
    [
      () => f.adaptiveAvgPool2d(ones([1, 0, 3]), 2),
      'ShapeError: adaptiveAvgPool2d(x [1,0,3]): dimension 1 of the input is empty.',
    ],
    [() => f.lpPool1d(ones([1, 4]), 0, 2), 'ArgumentError: lpPool1d: normType must be a number other than 0, got 0.'],
    [
      () => f.maxUnpool1d(ones([1, 2]), zeros([1, 2], { dtype: 'int64' }), 2, { outputSize: [9] }),
      'ArgumentError: maxUnpool1d(x [1,2], indices [1,2]): outputSize 9 of spatial dimension 0 is not between 3 and 5.',
    ],
    [
      () => f.pad(ones([2]), [1]),
      'ArgumentError: pad: padding must be pairs of integers [low, high, ...], last dimension first, got [1].',
    ],
    [
      () => f.pad(ones([2]), [1, 1, 1, 1]),
      'ShapeError: pad(x [2], padding [1,1,1,1]): x has 1 dimensions, fewer than the 2 that are padded.',
    ],
    [
      () => f.pad(ones([1, 3]), [3, 0], { mode: 'reflect' }),
      "ShapeError: pad(x [1,3]): 'reflect' padding of 3 needs more than the 3 positions of dimension 1.",
    ],
    [
      () => f.pad(ones([3]), [-2, -2]),
      'ShapeError: pad(x [3], padding [-2,-2]): dimension 0 of size 3 would have -1 positions left.',
    ],
    [
      () => f.interpolate(ones([1, 1, 3]), {}),
      'ArgumentError: interpolate: give one of size and scaleFactor, got neither.',
    ],
    [
      () => f.interpolate(ones([1, 1, 3]), { size: 2, alignCorners: true }),
      "ArgumentError: interpolate: alignCorners is for linear and cubic modes, not for 'nearest'.",
    ],
    [
      () => f.interpolate(ones([1, 1, 3]), { size: 2, mode: 'bilinear' }),
      "ShapeError: interpolate(x [1,1,3]): mode 'bilinear' takes 2 spatial dimensions behind [N, C], got rank 3.",
    ],
  ] as const)('%#', (run, message) => {
    expect(errorOf(run)).toBe(message);
  });
});

test('a chain of layers', () => {
  const model = new nn.Sequential(
    new nn.Conv2d(1, 2, 3),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(18, 3),
  );
  expect(model.forward(ones([5, 1, 8, 8])).shape).toEqual([5, 3]);
});

test('a pair with returnIndices', () => {
  const [values, indices] = new nn.MaxPool1d(2, { returnIndices: true }).forward(tensor([[1, 3, 3, 2]]));
  expect(values.arraySync()).toEqual([[3, 3]]);
  expect(indices.arraySync()).toEqual([[1n, 2n]]);
});

test('rows longer than a vector', () => {
  const x = arange(0, 3 * 200, 1, { dtype: 'float32' }).reshape([1, 3, 200]);
  for (const stride of [1, 2, 3]) {
    const [values, indices] = f.maxPool1d(x, 5, { stride, returnIndices: true });
    const count = Math.floor(195 / stride) + 1;
    const expected = Array.from(
      { length: 3 * count },
      (_, i) => Math.floor(i / count) * 200 + (i % count) * stride + 4,
    );
    expect([...values.dataSync()]).toEqual(expected);
    expect([...indices.dataSync()].map(Number)).toEqual(expected.map((v) => v % 200));
    const means = f.avgPool1d(x, 5, { stride });
    expect([...means.dataSync()]).toEqual(expected.map((v) => v - 2));
  }
});
