// Lines that are too long for a block's shared memory: one, which CUB sorts on a GPU; several, which the device's own
// kernels sort; and several of a million, which CUB sorts again.
import { expect, test } from 'vitest';
import { cuda, manualSeed, randint, type DType, type Shape, type Tensor } from 'thalweg';
import { describeDevice, isEmulated } from './available.js';

const bytes = (x: Tensor): Buffer => {
  const { buffer, byteOffset, byteLength } = x.to('cpu').contiguous().dataSync() as Float32Array;
  return Buffer.from(buffer, byteOffset, byteLength);
};
/** Bit for bit; millions of numbers one by one would take long. */
const expectSame = (got: Tensor, expected: Tensor): void => {
  expect([got.dtype, got.shape]).toEqual([expected.dtype, expected.shape]);
  expect(bytes(got).equals(bytes(expected))).toBe(true);
};

/** Few values, each of them often: their order must be kept. */
function repetitive(shape: Shape, dtype: DType): Tensor {
  manualSeed(1);
  return randint(-100, 100, shape, { device: 'cpu' }).to(dtype);
}

describeDevice('long lines', () => {
  const shapes: readonly Shape[] = [[1, 8193], [3, 2500], ...(isEmulated ? [] : [[2, 2 ** 20 + 3]])];
  const cases = shapes.flatMap((shape) =>
    (['float32', 'float16', 'int64'] as const).map((dtype) => [`[${shape.join(', ')}]`, dtype, shape] as const),
  );
  test.each(cases)('%s of %s', (_, dtype, shape) => {
    const host = repetitive(shape, dtype);
    const x = host.to('cuda');
    for (const descending of [false, true]) {
      const expected = host.sort(1, { descending });
      const sorted = x.sort(1, { descending });
      expectSame(sorted.values, expected.values);
      expectSame(sorted.indices, expected.indices);
    }
  });

  test('in a graph', () => {
    const host = repetitive([1, 4000], 'float32');
    const x = host.to('cuda');
    const step = cuda.graph(() => x.sort(1).indices.detach(), { warmup: 1 });
    for (let i = 0; i < 3; i++) expectSame(step(), host.sort(1).indices);
  });
});
