// gridSample and affineGrid: messages, and what rows of samples cannot show.
import { describe, expect, test } from 'vitest';
import { arange, memory, nn, ones, rand, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from './error-of.js';

const { affineGrid, gridSample } = nn.functional;
const image = ones([1, 1, 3, 3]);
const places = zeros([1, 2, 2, 2]);
const list = (x: Tensor): number[] => Array.from(x.dataSync(), Number);

describe('messages', () => {
  test.each<[string, () => unknown, string, string]>([
    [
      'rank',
      () => gridSample(ones([3, 3]), places),
      'ShapeError',
      'gridSample(x [3,3], grid [1,2,2,2]): x must be [N, C, H, W] or [N, C, D, H, W].',
    ],
    [
      'rank of the grid',
      () => gridSample(image, zeros([1, 2, 2])),
      'ShapeError',
      'gridSample(x [1,1,3,3], grid [1,2,2]): grid must be [N, Ho, Wo, 2] for this x.',
    ],
    [
      'coordinates',
      () => gridSample(ones([1, 1, 2, 2, 2]), zeros([1, 2, 2, 2, 2])),
      'ShapeError',
      'gridSample(x [1,1,2,2,2], grid [1,2,2,2,2]): grid must be [N, Do, Ho, Wo, 3] for this x.',
    ],
    [
      'batch',
      () => gridSample(image, zeros([2, 2, 2, 2])),
      'ShapeError',
      'gridSample(x [1,1,3,3], grid [2,2,2,2]): the batch sizes 1 and 2 differ; expand one.',
    ],
    [
      'empty image',
      () => gridSample(ones([1, 1, 0, 3]), places),
      'ShapeError',
      'gridSample(x [1,1,0,3], grid [1,2,2,2]): dimension 2 of x is empty, there is nothing to sample.',
    ],
    [
      'integers',
      () => gridSample(ones([1, 1, 3, 3], { dtype: 'int32' }), zeros([1, 2, 2, 2], { dtype: 'int32' })),
      'DTypeError',
      "gridSample: x must be a float tensor, got int32; convert it with to('float32').",
    ],
    [
      'dtypes',
      () => gridSample(image, zeros([1, 2, 2, 2], { dtype: 'float64' }) as never),
      'DTypeError',
      "gridSample: x is float32 and grid float64; convert one, e.g. grid.to('float32').",
    ],
    [
      'mode',
      () => gridSample(image, places, { mode: 'linear' as never }),
      'ArgumentError',
      "gridSample: unknown mode 'linear', expected one of 'bilinear', 'nearest', 'bicubic'.",
    ],
    [
      'paddingMode',
      () => gridSample(image, places, { paddingMode: 3 as never }),
      'ArgumentError',
      "gridSample: unknown paddingMode 3, expected one of 'zeros', 'border', 'reflection'.",
    ],
    [
      'bicubic volumes',
      () => gridSample(ones([1, 1, 2, 2, 2]), zeros([1, 2, 2, 2, 3]), { mode: 'bicubic' }),
      'ArgumentError',
      "gridSample: mode 'bicubic' is for images [N, C, H, W], got x [1,1,2,2,2].",
    ],
    [
      'theta',
      () => affineGrid(ones([1, 3, 4]), [1, 1, 2, 2]),
      'ShapeError',
      'affineGrid(theta [1,3,4], size [1,1,2,2]): theta must be [1,2,3] for this size.',
    ],
    [
      'theta of integers',
      () => affineGrid(ones([1, 2, 3], { dtype: 'int64' }), [1, 1, 2, 2]),
      'DTypeError',
      "affineGrid: theta must be a float tensor, got int64; convert it with to('float32').",
    ],
    [
      'size',
      () => affineGrid(ones([1, 2, 3]), [1, 1, 0, 2]),
      'ArgumentError',
      'affineGrid: size must be [N, C, H, W] or [N, C, D, H, W] of whole numbers above 0, got [1,1,0,2].',
    ],
    [
      'size of another rank',
      () => affineGrid(ones([1, 2, 3]), [1, 1, 2]),
      'ArgumentError',
      'affineGrid: size must be [N, C, H, W] or [N, C, D, H, W] of whole numbers above 0, got [1,1,2].',
    ],
  ])('%s', (_name, call, kind, message) => {
    expect(errorOf(call)).toBe(`${kind}: ${message}`);
  });
});

test('the identity gives the image, a mirror the mirrored image', () => {
  const x = arange(12).to('float32').reshape([1, 1, 3, 4]);
  const identity = tensor([
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  ]);
  for (const alignCorners of [false, true]) {
    const grid = affineGrid(identity, [1, 1, 3, 4], { alignCorners });
    for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
      list(gridSample(x, grid, { mode, alignCorners })).forEach((value, i) => expect(value).toBeCloseTo(i, 4));
    }
    const mirrored = gridSample(x, affineGrid(identity.neg(), [1, 1, 3, 4], { alignCorners }), { alignCorners });
    list(mirrored).forEach((value, i) => expect(value).toBeCloseTo(11 - i, 4));
  }
});

test('places that are not finite, or far away, read nothing that is not there and have no gradient', () => {
  const wild = [NaN, Infinity, -Infinity, 1e30, -1e30, 3e38];
  for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
    for (const paddingMode of ['zeros', 'border', 'reflection'] as const) {
      for (const alignCorners of [false, true]) {
        const grid = tensor([[wild.map((value) => [value, 0])]]).requiresGrad_();
        const out = gridSample(image, grid, { mode, paddingMode, alignCorners });
        const expected = paddingMode === 'zeros' ? 0 : 1;
        list(out).forEach((value) => expect(value).toBeCloseTo(expected, 5));
        out.sum().backward();
        expect(list(grid.grad!).every(Number.isFinite)).toBe(true);
        list(grid.grad!).forEach((value) => expect(value).toBeCloseTo(0, 5));
      }
    }
  }
});

test('the grid of nearest has a gradient, which is 0', () => {
  const grid = rand([1, 2, 2, 2]).requiresGrad_();
  gridSample(image, grid, { mode: 'nearest' }).sum().backward();
  expect(list(grid.grad!)).toEqual(new Array(8).fill(0));
});

test('float16 and bfloat16 compute in float32', () => {
  const x = arange(9).to('float32').reshape([1, 1, 3, 3]);
  const grid = tensor([[[[0.25, -0.5], [0.125, 0.75]]]]); // prettier-ignore
  for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) {
    const exact = gridSample(x, grid, { mode });
    for (const dtype of ['float16', 'bfloat16'] as const) {
      const half = gridSample(x.to(dtype), grid.to(dtype), { mode });
      expect(half.dtype).toBe(dtype);
      expect(list(half.to('float32'))).toEqual(list(exact.to(dtype).to('float32')));
    }
  }
});

test('leaves nothing behind', () => {
  const grid = rand([1, 2, 2, 2]);
  const before = memory().tensors;
  for (const mode of ['bilinear', 'nearest', 'bicubic'] as const) gridSample(image, grid, { mode }).dispose();
  expect(memory().tensors).toBe(before);
});
