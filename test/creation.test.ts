// Making tensors: from JavaScript values and arrays, constants, ranges, bytes.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import {
  arange,
  empty,
  emptyLike,
  eye,
  fromBytes,
  fromTypedArray,
  full,
  fullLike,
  linspace,
  ones,
  onesLike,
  tensor,
  zeros,
  zerosLike,
  type DType,
} from '../src/index.js';

const every: DType[] = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool'];

/** Shape, dtype and nested values. */
const seen = (t: Tensor): [readonly number[], DType, unknown] => [t.shape, t.dtype, t.arraySync()];

describe('tensor', () => {
  test('finds shape and dtype', () => {
    expect(seen(tensor(3.5))).toEqual([[], 'float32', 3.5]);
    expect(seen(tensor([1, 2, 3]))).toEqual([[3], 'float32', [1, 2, 3]]);
    expect(seen(tensor([[1], [2]]))).toEqual([[2, 1], 'float32', [[1], [2]]]);
    expect(seen(tensor([1n, -2n]))).toEqual([[2], 'int64', [1n, -2n]]);
    expect(seen(tensor([true, false]))).toEqual([[2], 'bool', [true, false]]);
    expect(seen(tensor(7n))).toEqual([[], 'int64', 7n]);
    expect(seen(tensor(true))).toEqual([[], 'bool', true]);
    expect(seen(tensor([true, 2] as (boolean | number)[]))).toEqual([[2], 'float32', [1, 2]]);
  });

  test('without elements', () => {
    expect(seen(tensor([]))).toEqual([[0], 'float32', []]);
    expect(seen(tensor([[], []]))).toEqual([[2, 0], 'float32', [[], []]]);
  });

  test.each(every)('takes numbers as %s', (dtype) => {
    const t = tensor([0, 1, 1], { dtype });
    expect(t.dtype).toBe(dtype);
    const read = dtype === 'int64' ? [0n, 1n, 1n] : dtype === 'bool' ? [false, true, true] : [0, 1, 1];
    expect(t.arraySync()).toEqual(read);
  });

  test('special numbers', () => {
    const t = tensor([NaN, Infinity, -Infinity, -0]);
    expect(t.arraySync()).toEqual([NaN, Infinity, -Infinity, -0]);
    expect(tensor([NaN, 0, -5], { dtype: 'bool' }).arraySync()).toEqual([true, false, true]);
  });

  test('is a copy', () => {
    const values = [[1, 2]];
    const t = tensor(values);
    values[0][0] = 9;
    expect(t.arraySync()).toEqual([[1, 2]]);
  });

  test('eight dimensions', () => {
    expect(tensor([[[[[[[[5]]]]]]]]).shape).toEqual([1, 1, 1, 1, 1, 1, 1, 1]);
  });

  test('requiresGrad', () => {
    expect(tensor([1], { requiresGrad: true }).requiresGrad).toBe(true);
    expect(tensor([1]).requiresGrad).toBe(false);
  });
});

describe('fromTypedArray', () => {
  test.each<[DType, Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array | Uint8ClampedArray]>([
    ['float32', Float32Array.of(1, 2)],
    ['float64', Float64Array.of(1, 2)],
    ['int32', Int32Array.of(1, 2)],
    ['int64', BigInt64Array.of(1n, 2n)],
    ['uint8', Uint8Array.of(1, 2)],
    ['uint8', Uint8ClampedArray.of(1, 2)],
    ['uint8', Buffer.from([1, 2])],
  ])('%s', (dtype, array) => {
    const t: Tensor = fromTypedArray(array, [2]);
    expect(t.dtype).toBe(dtype);
    expect(t.arraySync()).toEqual(dtype === 'int64' ? [1n, 2n] : [1, 2]);
  });

  test('converts, copies, and takes a part of a buffer', () => {
    const source = Float32Array.of(9, 1, 0, 9);
    const t = fromTypedArray(source.subarray(1, 3), [2], { dtype: 'bool' });
    source.fill(9);
    expect(t.arraySync()).toEqual([true, false]);
  });

  test('many elements, while work is queued', () => {
    const busy = ones([256, 256]);
    for (let i = 0; i < 5; i++) busy.matmul(busy);
    const source = Float32Array.from({ length: 100_000 }, (_, i) => i);
    const t = fromTypedArray(source, [100_000]);
    source.fill(-1);
    expect(t.dataSync()[99_999]).toBe(99_999);
  });

  test('without elements', () => {
    expect(fromTypedArray(new Float32Array(0), [0, 3]).shape).toEqual([0, 3]);
  });
});

describe('fromBytes', () => {
  test.each(every)('gives back what bytes() gave: %s', async (dtype) => {
    const t = tensor(
      [
        [0, 1],
        [1, 0],
      ],
      { dtype },
    );
    const bytes = await t.bytes();
    expect(bytes).toEqual(t.bytesSync());
    expect(fromBytes(bytes, [2, 2], dtype).arraySync()).toEqual(t.arraySync());
  });

  test.each([1, 2, 3, 5, 7])('bytes that start at %i', (start) => {
    const buffer = new Uint8Array(100);
    new DataView(buffer.buffer).setFloat64(start + 8, -2.5, true);
    expect(fromBytes(buffer.subarray(start, start + 24), [3], 'float64').arraySync()).toEqual([0, -2.5, 0]);
    expect(fromBytes(buffer.subarray(start, start + 24), [3], 'int64').arraySync()[0]).toBe(0n);
  });

  test('is little endian', () => {
    expect(fromBytes(Uint8Array.of(1, 2, 0, 0), [1], 'int32').itemSync()).toBe(513);
  });
});

describe('constants', () => {
  test('zeros, ones, full, empty', () => {
    expect(seen(zeros([2, 2]))).toEqual([
      [2, 2],
      'float32',
      [
        [0, 0],
        [0, 0],
      ],
    ]);
    expect(seen(ones([2], { dtype: 'int64' }))).toEqual([[2], 'int64', [1n, 1n]]);
    expect(seen(full([2], 2.5))).toEqual([[2], 'float32', [2.5, 2.5]]);
    expect(empty([3, 4], { dtype: 'float64' }).numel).toBe(12);
  });

  test('full takes its dtype from the value, or converts', () => {
    expect(seen(full([1], true))).toEqual([[1], 'bool', [true]]);
    expect(seen(full([1], -(2n ** 63n)))).toEqual([[1], 'int64', [-(2n ** 63n)]]);
    expect(seen(full([1], 3, { dtype: 'int64' }))).toEqual([[1], 'int64', [3n]]);
    expect(seen(full([1], 3n, { dtype: 'float32' }))).toEqual([[1], 'float32', [3]]);
    expect(seen(full([1], 2n ** 70n, { dtype: 'float64' }))).toEqual([[1], 'float64', [2 ** 70]]);
    expect(seen(full([1], NaN, { dtype: 'float16' }))).toEqual([[1], 'float16', [NaN]]);
    expect(seen(full([1], -1, { dtype: 'bool' }))).toEqual([[1], 'bool', [true]]);
    expect(seen(full([1], true, { dtype: 'uint8' }))).toEqual([[1], 'uint8', [1]]);
  });

  test('like another tensor', () => {
    const x = tensor([[1n, 2n]]);
    expect(seen(zerosLike(x))).toEqual([[1, 2], 'int64', [[0n, 0n]]]);
    expect(seen(onesLike(x, { dtype: 'float32' }))).toEqual([[1, 2], 'float32', [[1, 1]]]);
    expect(seen(fullLike(x, 5))).toEqual([[1, 2], 'int64', [[5n, 5n]]]);
    expect(emptyLike(x.t()).shape).toEqual([2, 1]);
    expect(zerosLike(ones([2], { requiresGrad: true })).requiresGrad).toBe(false);
  });

  test('a shape that is changed afterwards does not matter', () => {
    const shape = [2, 3];
    const t: Tensor = zeros(shape);
    shape[0] = 50;
    expect(t.shape).toEqual([2, 3]);
  });

  test('eye', () => {
    expect(eye(2).arraySync()).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(eye(2, 3).arraySync()).toEqual([
      [1, 0, 0],
      [0, 1, 0],
    ]);
    expect(eye(3, 1, { dtype: 'bool' }).arraySync()).toEqual([[true], [false], [false]]);
    expect(eye(0).shape).toEqual([0, 0]);
  });
});

describe('ranges', () => {
  test('arange', () => {
    expect(seen(arange(3))).toEqual([[3], 'int64', [0n, 1n, 2n]]);
    expect(seen(arange(1, 8, 3))).toEqual([[3], 'int64', [1n, 4n, 7n]]);
    expect(seen(arange(3, 0, -1))).toEqual([[3], 'int64', [3n, 2n, 1n]]);
    expect(seen(arange(0, 1, 0.25))).toEqual([[4], 'float32', [0, 0.25, 0.5, 0.75]]);
    expect(seen(arange(2, 2))).toEqual([[0], 'int64', []]);
    expect(seen(arange(3, undefined, 1, { dtype: 'float64' }))).toEqual([[3], 'float64', [0, 1, 2]]);
    expect(seen(arange(0, 2.5, 1, { dtype: 'int32' }))).toEqual([[3], 'int32', [0, 1, 2]]);
  });

  test('arange of many is exact', () => {
    const t = arange(100_003, undefined, 1, { dtype: 'float32' });
    expect(t.dataSync().every((value, i) => value === i)).toBe(true);
  });

  test('linspace', () => {
    expect(seen(linspace(0, 1, 5))).toEqual([[5], 'float32', [0, 0.25, 0.5, 0.75, 1]]);
    expect(seen(linspace(3, 3, 1))).toEqual([[1], 'float32', [3]]);
    expect(seen(linspace(1, 0, 0))).toEqual([[0], 'float32', []]);
    expect(seen(linspace(1, -1, 3, { dtype: 'float64' }))).toEqual([[3], 'float64', [1, 0, -1]]);
    expect(seen(linspace(0, 10, 4, { dtype: 'int64' }))).toEqual([[4], 'int64', [0n, 3n, 6n, 10n]]);
  });
});
