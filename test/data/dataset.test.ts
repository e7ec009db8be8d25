import { describe, expect, test } from 'vitest';
import { ArgumentError, IndexError, ShapeError } from '../../src/errors.js';
import { data, fromTypedArray, tensor, type Tensor, zeros } from '../../src/index.js';

const images = fromTypedArray(
  Float32Array.from({ length: 24 }, (_, i) => i),
  [6, 2, 2],
);
const labels = fromTypedArray(BigInt64Array.of(10n, 11n, 12n, 13n, 14n, 15n), [6], { dtype: 'int64' });

describe('TensorDataset', () => {
  const dataset = new data.TensorDataset(images, labels);

  test('length and samples, also from the end', async () => {
    expect(dataset.length).toBe(6);
    const [x, y] = dataset.get(2);
    expect([...x.shape]).toEqual([2, 2]);
    expect([...y.shape]).toEqual([]);
    expect(await x.data()).toEqual(Float32Array.of(8, 9, 10, 11));
    expect(await y.item()).toBe(12n);
    expect(await dataset.get(-1)[1].item()).toBe(15n);
  });

  test('batches in the order asked for, with repetition', async () => {
    const [x, y] = dataset.batch([5, 0, 0, -2]);
    expect([...x.shape]).toEqual([4, 2, 2]);
    expect(await y.data()).toEqual(BigInt64Array.of(15n, 10n, 10n, 14n));
    expect(await x.data()).toEqual(Float32Array.of(20, 21, 22, 23, 0, 1, 2, 3, 0, 1, 2, 3, 16, 17, 18, 19));
    const [none] = dataset.batch([]);
    expect([...none.shape]).toEqual([0, 2, 2]);
  });

  test('bad arguments', () => {
    expect(() => new data.TensorDataset()).toThrow(new ArgumentError('TensorDataset: expected at least one tensor.'));
    expect(() => new data.TensorDataset(tensor(1))).toThrow(
      new ShapeError('TensorDataset: tensor 0 is 0-d; it has no rows.'),
    );
    expect(() => new data.TensorDataset(images, zeros([5]))).toThrow(
      new ShapeError('TensorDataset: tensor 0 has 6 rows, but tensor 1 has 5 (shapes [6, 2, 2] and [5]).'),
    );
    expect(() => new data.TensorDataset([1, 2] as unknown as Tensor)).toThrow(
      new ArgumentError('TensorDataset: argument 0 is not a tensor.'),
    );
    for (const index of [6, -7, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 40]) {
      const error = new IndexError(`TensorDataset: index ${index} is out of range for 6 samples.`);
      expect(() => dataset.get(index)).toThrow(error);
      expect(() => dataset.batch([0, index])).toThrow(error);
    }
  });
});

describe('collate', () => {
  test('tensors, numbers, bigints, booleans, typed arrays, strings', async () => {
    const stacked = data.collate([tensor([1, 2]), tensor([3, 4])]);
    expect([...stacked.shape]).toEqual([2, 2]);
    expect(await data.collate([1, 2.5]).data()).toEqual(Float32Array.of(1, 2.5));
    expect(await data.collate([1n, 2n]).data()).toEqual(BigInt64Array.of(1n, 2n));
    expect(data.collate([true, false]).dtype).toBe('bool');
    const rows = data.collate([Uint8Array.of(1, 2), Uint8Array.of(3, 4), Uint8Array.of(5, 6)]);
    expect([rows.dtype, ...rows.shape]).toEqual(['uint8', 3, 2]);
    expect(data.collate(['a', 'b'])).toEqual(['a', 'b']);
  });

  test('tuples and objects, field by field', async () => {
    const [x, { y }] = data.collate<[Tensor, { y: bigint }]>([
      [tensor([1, 2]), { y: 1n }],
      [tensor([3, 4]), { y: 2n }],
    ]);
    expect([...x.shape]).toEqual([2, 2]);
    expect(await y.data()).toEqual(BigInt64Array.of(1n, 2n));
  });

  test('samples that do not go together', () => {
    expect(() => data.collate([])).toThrow(new ArgumentError('collate: expected at least one sample.'));
    expect(() => data.collate<unknown>([1, 'a'])).toThrow(
      new ArgumentError('collate: the value of sample 1 is a string, but that of sample 0 is a number.'),
    );
    expect(() => data.collate<unknown>([{ a: [1] }, { a: [1, 2] }])).toThrow(
      new ArgumentError('collate: the value.a of sample 1 is an array of 2, but that of sample 0 is an array of 1.'),
    );
    expect(() => data.collate([Float32Array.of(1), Float32Array.of(1, 2)])).toThrow(
      new ArgumentError(
        'collate: the value of sample 1 is a Float32Array of 2 elements, but sample 0 is a Float32Array of 1.',
      ),
    );
    expect(() => data.collate<unknown>([undefined])).toThrow(
      new ArgumentError('collate: the value of sample 0 is a undefined; give { collate } to make a batch of it.'),
    );
    expect(() => data.collate([zeros([2]), zeros([3])])).toThrow(ShapeError);
  });
});
