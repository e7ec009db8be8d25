// What travels between devices: bytes and layouts, reads, copies in place, gradients.
import { expect, test } from 'vitest';
import {
  arange,
  dtypes,
  fromBytes,
  grad,
  noGrad,
  tensor,
  zeros,
  type Device,
  type DType,
  type Shape,
  type Tensor,
} from 'thalweg';
import { itemSize } from '../../src/dtype.js';
import { errorOf } from '../error-of.js';
import { describeDevice, second } from './available.js';

const cpu = { device: 'cpu' } as const;
const count = (shape: Shape): number => shape.reduce((product, n) => product * n, 1);

/** Every bit pattern is a number of most dtypes: subnormal ones, infinities and NaNs with their payloads among them. */
function anyBits(shape: Shape, dtype: DType): Tensor {
  const bytes = new Uint8Array(count(shape) * itemSize(dtype));
  let state = 12345;
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = dtype === 'bool' ? (state >>> 16) & 1 : state >>> 16;
  }
  return fromBytes(bytes, shape, dtype, cpu);
}

/** Ways to see memory, as views. */
const layouts: Record<string, (dtype: DType) => Tensor> = {
  scalar: (dtype) => anyBits([], dtype),
  'one element': (dtype) => anyBits([1, 1], dtype),
  contiguous: (dtype) => anyBits([5, 7], dtype),
  'no elements': (dtype) => anyBits([3, 0, 2], dtype),
  transposed: (dtype) => anyBits([5, 7], dtype).T,
  'from an offset': (dtype) => anyBits([6, 7], dtype).slice(0, 2, 5),
  'with gaps': (dtype) => anyBits([6, 14], dtype).slice(1, 1, 14, 3),
  expanded: (dtype) => anyBits([4, 1, 3], dtype).expand([4, 5, 3]),
  'expanded from a scalar': (dtype) => anyBits([], dtype).expand([3, 2]),
  'no elements of a view': (dtype) => anyBits([4, 5], dtype).slice(1, 2, 2),
  '8 dimensions': (dtype) => anyBits([2, 1, 3, 2, 1, 2, 2, 3], dtype),
  '8 dimensions in another order': (dtype) =>
    anyBits([2, 1, 3, 2, 1, 2, 2, 3], dtype).permute([7, 2, 1, 0, 5, 3, 4, 6]),
  'channels last': (dtype) => anyBits([2, 5, 4, 3], dtype).permute([0, 3, 1, 2]),
  'channels last with gaps': (dtype) => anyBits([2, 5, 4, 6], dtype).permute([0, 3, 1, 2]).slice(1, 0, 6, 2),
};

describeDevice('there and back', () => {
  for (const dtype of dtypes) {
    test.each(Object.keys(layouts))(`${dtype}, %s`, (name) => {
      const x = layouts[name](dtype);
      const expected = x.bytesSync();
      const devices: Device[] = ['cuda', second, 'cpu'];
      let at: Tensor = x;
      for (const device of devices) {
        at = at.to(device);
        expect(at.device).toBe(device);
        expect([at.shape, at.dtype]).toEqual([x.shape, dtype]);
        expect(at.memoryFormat).toBe(x.memoryFormat === 'channelsLast' ? 'channelsLast' : 'contiguous');
        expect(at.bytesSync()).toEqual(expected);
      }
    });
  }

  test('a view that was made there', () => {
    for (const device of ['cuda', second] as Device[]) {
      const host = anyBits([4, 5, 6], 'float32');
      const there = host.to(device);
      const views: ((x: Tensor) => Tensor)[] = [
        (x) => x.permute([2, 0, 1]),
        (x) => x.slice(2, 1, 6, 2),
        (x) => x.narrow(0, 1, 2).T,
        (x) => x.slice(1, 5, 5),
        (x) => x.narrow(0, 3, 1).expand([7, 5, 6]),
      ];
      for (const view of views) {
        const expected = view(host).bytesSync();
        expect(view(there).bytesSync()).toEqual(expected);
        expect(view(there).to('cpu').bytesSync()).toEqual(expected);
        expect(
          view(there)
            .to(device === 'cuda' ? second : 'cuda')
            .bytesSync(),
        ).toEqual(expected);
      }
    }
  });

  test.each([0, 1, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1, 2 ** 21 + 3, 3 * 2 ** 20 + 2])('%i int32 values', (n) => {
    const x = arange(0, n, 1, { dtype: 'int32', device: 'cpu' });
    const back = x.to('cuda').to(second).to('cpu');
    expect(Buffer.compare(back.bytesSync(), x.bytesSync())).toBe(0);
  });

  test('an expanded view of more elements than there is memory', () => {
    const huge = zeros([1], { device: 'cuda' }).expand([2 ** 45]);
    expect(errorOf(() => huge.to('cpu'))).toMatch(/^OutOfMemoryError: to: /);
    expect(errorOf(() => huge.dataSync())).toMatch(/^OutOfMemoryError: dataSync: /);
    expect(
      errorOf(() =>
        zeros([1], cpu)
          .expand([2 ** 45])
          .to('cuda'),
      ),
    ).toMatch(/^OutOfMemoryError: to: /);
    expect(tensor([1, 2]).to('cuda').arraySync()).toEqual([1, 2]);
  });

  test('to() where it already is gives the tensor itself', () => {
    const x = tensor([1, 2], { device: 'cuda' });
    expect(x.to('cuda')).toBe(x);
    expect(x.to('cuda:0')).toBe(x);
    const y = tensor([1, 2], cpu);
    expect(y.to('cpu')).toBe(y);
  });

  test('a disposed tensor goes nowhere', () => {
    const x = tensor([1, 2], { device: 'cuda' });
    x.dispose();
    expect(errorOf(() => x.to('cpu'))).toBe('DisposedError: to: x of shape [2] was disposed.');
    expect(errorOf(() => x.dataSync())).toBe('DisposedError: dataSync: the tensor of shape [2] was disposed.');
  });
});

describeDevice('reading', () => {
  test('everything that reads', async () => {
    const x = tensor(
      [
        [1.5, -2],
        [3, 4],
      ],
      { device: 'cuda' },
    );
    expect(x.dataSync()).toEqual(new Float32Array([1.5, -2, 3, 4]));
    expect(await x.data()).toEqual(new Float32Array([1.5, -2, 3, 4]));
    expect(x.arraySync()).toEqual([
      [1.5, -2],
      [3, 4],
    ]);
    expect(await x.array()).toEqual([
      [1.5, -2],
      [3, 4],
    ]);
    expect(x.tolist()).toEqual([
      [1.5, -2],
      [3, 4],
    ]);
    expect(x.bytesSync()).toEqual(new Uint8Array(new Float32Array([1.5, -2, 3, 4]).buffer));
    expect(await x.bytes()).toEqual(x.bytesSync());
    const one = x.slice(0, 1, 2).slice(1, 0, 1);
    expect(one.itemSync()).toBe(3);
    expect(await one.item()).toBe(3);
    expect(tensor(2n ** 62n, { device: 'cuda' }).itemSync()).toBe(2n ** 62n);
    expect(tensor(true, { device: 'cuda' }).itemSync()).toBe(true);
    expect(tensor([1, 2], { device: 'cuda', dtype: 'float16' }).dataSync()).toEqual(new Float32Array([1, 2]));
  });

  test('many reads at once, small and large, of both devices and the CPU, each its own', async () => {
    const sizes = [1, 3, 100, 20_000, 300_000];
    const devices: Device[] = ['cuda', 'cpu', second];
    const answers = Array.from({ length: 60 }, (_, i) =>
      tensor([i], cpu)
        .to(devices[i % 3])
        .expand([sizes[i % 5]])
        .contiguous()
        .data(),
    );
    for (const [i, data] of (await Promise.all(answers)).entries()) {
      expect(data).toHaveLength(sizes[i % 5]);
      expect(data.every((value) => value === i)).toBe(true);
    }
  });

  test('a tensor may be freed while its read is on the way', async () => {
    const answers = Array.from({ length: 40 }, (_, i) => {
      const x = tensor([i, 2 * i], { device: 'cuda' });
      const data = x.data();
      x.dispose();
      return data;
    });
    expect((await Promise.all(answers)).map(([a, b]) => [a, b])).toEqual(answers.map((_, i) => [i, 2 * i]));
  });

  test('printed', () => {
    const x = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device: 'cuda' },
    );
    expect(String(x)).toBe('tensor([[1., 2.],\n        [3., 4.]], shape=[2,2], dtype=float32, device=cuda)');
    expect(tensor([1n], { device: second }).toString()).toBe(`tensor([1], shape=[1], dtype=int64, device=${second})`);
    expect(JSON.stringify(x)).toBe('{"shape":[2,2],"dtype":"float32","device":"cuda"}');
  });
});

describeDevice('copy_', () => {
  const pairs: [Device, Device][] = [
    ['cpu', 'cuda'],
    ['cuda', 'cpu'],
    ['cuda', second],
    [second, 'cuda'],
    ['cuda', 'cuda'],
  ];
  for (const [to, from] of pairs) {
    test(`from ${from} to ${to}`, () => {
      const options = { device: to } as const;
      const other = { device: from } as const;
      expect(
        zeros([2, 2], options)
          .copy_(
            tensor(
              [
                [1, 2],
                [3, 4],
              ],
              other,
            ),
          )
          .arraySync(),
      ).toEqual([
        [1, 2],
        [3, 4],
      ]);
      // Broadcast, from a scalar too.
      expect(
        zeros([2, 3], options)
          .copy_(tensor([1, 2, 3], other))
          .arraySync(),
      ).toEqual([
        [1, 2, 3],
        [1, 2, 3],
      ]);
      expect(zeros([2, 2], options).copy_(tensor(5, other)).arraySync()).toEqual([
        [5, 5],
        [5, 5],
      ]);
      expect(
        zeros([2, 2], options)
          .copy_(tensor([[1], [2]], other))
          .arraySync(),
      ).toEqual([
        [1, 1],
        [2, 2],
      ]);
      // Converted.
      const converted = (dtype: DType, values: number[], into: DType): unknown =>
        zeros([values.length], { ...options, dtype: into })
          .copy_(tensor(values, { ...other, dtype }))
          .tolist();
      expect(converted('float32', [1.9, -1.9, 0.5], 'int32')).toEqual([1, -1, 0]);
      expect(converted('int64', [0, 3, -2], 'bool')).toEqual([false, true, true]);
      expect(converted('float64', [0.1, 1e300, -1], 'float32')).toEqual([Math.fround(0.1), Infinity, -1]);
      expect(converted('uint8', [0, 255], 'bfloat16')).toEqual([0, 255]);
      // From a view to a view; what lies between stays.
      const target = zeros([2, 5], options);
      target.slice(1, 1, 5, 2).copy_(
        tensor(
          [
            [1, 2],
            [3, 4],
          ],
          other,
        ).T,
      );
      expect(target.arraySync()).toEqual([
        [0, 1, 0, 3, 0],
        [0, 2, 0, 4, 0],
      ]);
      // Nothing to copy.
      expect(
        zeros([0, 2], options)
          .copy_(zeros([2], other))
          .arraySync(),
      ).toEqual([]);
    });
  }

  test('does not leave anything behind', async () => {
    const { memory, tidy } = await import('thalweg');
    const target = zeros([1000], { device: 'cuda' });
    const source = tensor([1], cpu).expand([1000]);
    const before = [memory().tensors, memory({ device: 'cuda' }).tensors];
    tidy(() => {
      for (let i = 0; i < 10; i++) target.copy_(source);
    });
    for (let i = 0; i < 10; i++) target.copy_(source);
    expect([memory().tensors, memory({ device: 'cuda' }).tensors]).toEqual(before);
  });

  test('is refused as on the CPU', () => {
    const target = zeros([2], { device: 'cuda' });
    expect(errorOf(() => target.copy_(zeros([3], cpu)))).toBe(
      'ShapeError: copy_: source of shape [3] does not broadcast to [2].',
    );
    const learned = zeros([2], { device: 'cuda', requiresGrad: true });
    expect(errorOf(() => learned.copy_(zeros([2], cpu)))).toMatch(/^GradError: copy_: in-place changes/);
    expect(noGrad(() => learned.copy_(tensor([1, 2], cpu))).tolist()).toEqual([1, 2]);
  });
});

describeDevice('gradients', () => {
  test('come back to where the input is', () => {
    for (const path of [['cuda'], ['cuda', 'cpu'], ['cuda', second], ['cuda', second, 'cpu', second]] as Device[][]) {
      const x = tensor([1, 2, 3], { device: 'cpu', requiresGrad: true });
      let y: Tensor = x;
      for (const device of path) y = y.to(device);
      expect(y.device).toBe(path.at(-1));
      expect(y.requiresGrad).toBe(true);
      y.backward({ gradient: tensor([4, 5, 6], cpu).to(path.at(-1)!) });
      expect(x.grad!.device).toBe('cpu');
      expect(x.grad!.tolist()).toEqual([4, 5, 6]);
    }
  });

  test('of a leaf on the device', () => {
    const x = tensor([1, 2], { device: second, requiresGrad: true });
    x.to('cpu').mul(3).sum().backward();
    x.to('cpu').mul(3).sum().backward();
    expect(x.grad!.device).toBe(second);
    expect(x.grad!.tolist()).toEqual([6, 6]);
  });

  test('second ones', () => {
    const x = tensor([1, 2, 3], { device: 'cpu', requiresGrad: true });
    const z = x.to('cuda').to(second).to('cpu').pow(3).sum();
    const [first] = grad(z, [x], { createGraph: true });
    expect(first.device).toBe('cpu');
    expect(first.tolist()).toEqual([3, 12, 27]);
    const [twice] = grad(first.to('cuda').to('cpu').sum(), [x]);
    expect(twice.tolist()).toEqual([6, 12, 18]);
  });

  test('keep the dtype on the way', () => {
    const x = tensor([1, 2], { device: 'cpu', dtype: 'float64', requiresGrad: true });
    x.to('cuda').to('float16').to('cpu').to('float64').sum().backward();
    expect([x.grad!.dtype, x.grad!.device]).toEqual(['float64', 'cpu']);
    expect(x.grad!.tolist()).toEqual([1, 1]);
  });

  test('a gradient that lies elsewhere is refused', () => {
    const x = tensor([1, 2], { device: 'cuda', requiresGrad: true });
    expect(errorOf(() => x.to('cpu').backward({ gradient: zeros([2], { device: 'cuda' }) }))).toBe(
      'DeviceError: backward: gradient is on cuda, the tensor on cpu; move one with to().',
    );
  });

  test('of integers there are none', () => {
    const x = tensor([1n, 2n], { device: 'cpu' });
    expect(x.to('cuda').to(second).requiresGrad).toBe(false);
  });
});
