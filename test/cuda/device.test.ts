// Names of devices, what is known of them, and where tensors are made.
import { expect, test } from 'vitest';
import type { Tensor } from 'thalweg';
import {
  arange,
  bernoulli,
  cuda,
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
  rand,
  randint,
  randn,
  randperm,
  tensor,
  zeros,
  zerosLike,
  type Device,
} from 'thalweg';
import { errorOf } from '../error-of.js';
import { describeDevice, hasTwo, isEmulated, second } from './available.js';

const there = cuda.deviceCount() === 1 ? `'cuda' only` : `'cuda' to 'cuda:${cuda.deviceCount() - 1}'`;

describeDevice('names', () => {
  test('the first GPU has one name', () => {
    for (const device of ['cuda', 'cuda:0', 'cuda:00'] as Device[]) {
      expect(zeros([2], { device }).device).toBe('cuda');
      expect(zeros([2], { device: 'cpu' }).to(device).device).toBe('cuda');
    }
  });

  test.skipIf(!hasTwo)('the second GPU', () => {
    for (const device of ['cuda:1', 'cuda:01'] as Device[]) {
      expect(zeros([2], { device }).device).toBe('cuda:1');
      expect(zeros([2], { device: 'cuda' }).to(device).device).toBe('cuda:1');
    }
  });

  test('an ordinal that is not there', () => {
    const message = (op: string, device: string): string =>
      `DeviceError: ${op}: device '${device}' does not exist, this machine has ${there}.`;
    const x = zeros([2], { device: 'cpu' });
    for (const device of ['cuda:77', 'cuda:16', 'cuda:999999999'] as Device[]) {
      expect(errorOf(() => zeros([2], { device }))).toBe(message('zeros', device));
      expect(errorOf(() => x.to(device))).toBe(message('to', device));
      expect(errorOf(() => cuda.memoryInfo(device))).toBe(message('cuda.memoryInfo', device));
      expect(errorOf(() => cuda.deviceProperties(device))).toBe(message('cuda.deviceProperties', device));
    }
  });

  test('what is no device', () => {
    const wrong: unknown[] = [
      'gpu',
      'cuda:',
      'cuda:-1',
      'cuda:1.5',
      'cuda:x',
      'cuda:1 ',
      'CUDA',
      'cuda:9999999999',
      '',
      0,
      null,
    ];
    for (const device of wrong) {
      const shown = typeof device === 'string' ? `'${device}'` : String(device);
      expect(errorOf(() => zeros([2], { device: device as Device }))).toBe(
        `ArgumentError: zeros: unknown device ${shown}, expected 'cpu', 'cuda' or 'cuda:N'.`,
      );
    }
    expect(errorOf(() => zeros([2], { device: 'cpu' }).to('cuda:-1'))).toBe(
      `ArgumentError: to: unknown device 'cuda:-1', expected 'cpu', 'cuda' or 'cuda:N'.`,
    );
  });
});

describeDevice('what is known of a GPU', () => {
  test('there is at least one', () => {
    expect(cuda.isAvailable()).toBe(true);
    expect(cuda.unavailableReason()).toBe(null);
    expect(cuda.deviceCount()).toBeGreaterThanOrEqual(1);
  });

  test('properties', () => {
    const { name, memoryBytes, computeCapability, multiprocessors } = cuda.deviceProperties();
    expect(name).not.toBe('');
    expect(memoryBytes).toBeGreaterThan(2 ** 20);
    expect(computeCapability).toHaveLength(2);
    expect(computeCapability[0]).toBeGreaterThanOrEqual(7);
    expect(multiprocessors).toBeGreaterThanOrEqual(1);
    expect(cuda.deviceProperties('cuda:0')).toEqual(cuda.deviceProperties('cuda'));
    if (isEmulated) expect(cuda.deviceProperties(second).name).toBe(hasTwo ? 'emulated device 1' : 'emulated device 0');
  });

  test('free and total memory', () => {
    const { free, total } = cuda.memoryInfo('cuda');
    expect(free).toBeGreaterThan(0);
    expect(total).toBeGreaterThanOrEqual(free);
    expect(Number.isInteger(free) && Number.isInteger(total)).toBe(true);
  });

  test('the optional libraries, a line each', () => {
    const lines = cuda.libraries().split('\n');
    for (const line of lines) if (line !== '') expect(line).toMatch(/^[A-Za-z0-9]+: /);
  });

  test('the CPU is no GPU', () => {
    for (const [name, call] of [
      ['deviceProperties', cuda.deviceProperties],
      ['memoryInfo', cuda.memoryInfo],
    ] as const) {
      expect(errorOf(() => call('cpu'))).toBe(`DeviceError: cuda.${name}: 'cpu' is no GPU; pass 'cuda' or 'cuda:N'.`);
    }
  });
});

describeDevice('tensors are made on a device', () => {
  // The same on both devices, bit by bit, but for what has no contents.
  const makers: Record<string, (device: Device) => Tensor> = {
    zeros: (device) => zeros([2, 3], { device }),
    ones: (device) => ones([2, 3], { device, dtype: 'bfloat16' }),
    full: (device) => full([2, 3], 7n, { device }),
    'full of -0': (device) => full([2], -0, { device }),
    'tensor of numbers': (device) =>
      tensor(
        [
          [1, 2.5],
          [-3, NaN],
        ],
        { device },
      ),
    'tensor of bigints': (device) => tensor([1n, -(2n ** 63n), 2n ** 63n - 1n], { device }),
    'tensor of booleans': (device) => tensor([true, false, true], { device }),
    'a scalar': (device) => tensor(0.1, { device }),
    nothing: (device) => tensor([], { device }),
    'float16 numbers': (device) => tensor([1, 65504, 1e-7, 0.1, Infinity], { device, dtype: 'float16' }),
    fromTypedArray: (device) => fromTypedArray(new Float64Array([1, 2, 3, 4]), [2, 2], { device, dtype: 'float32' }),
    fromBytes: (device) => fromBytes(new Uint8Array([0, 0, 128, 63, 0, 0, 0, 64]), [2], 'float32', { device }),
    'arange of integers': (device) => arange(-5, 40, 3, { device }),
    'arange of floats': (device) => arange(0, 1, 0.125, { device }),
    // Steps that are exact: others may be rounded once less where there is a fused multiply-add.
    linspace: (device) => linspace(-1, 1, 9, { device }),
    'linspace of integers': (device) => linspace(0, 10, 4, { device, dtype: 'int32' }),
    eye: (device) => eye(3, 5, { device }),
    zerosLike: (device) => zerosLike(full([2, 3], 5, { device })),
    onesLike: (device) => onesLike(full([2, 3], 5, { device }), { dtype: 'uint8' }),
    fullLike: (device) => fullLike(zeros([2, 3], { device }), 5),
  };
  for (const [name, make] of Object.entries(makers)) {
    test(name, () => {
      const host = make('cpu');
      for (const device of ['cuda', second] as Device[]) {
        const there = make(device);
        expect(there.device).toBe(device);
        expect([there.shape, there.dtype]).toEqual([host.shape, host.dtype]);
        expect(there.bytesSync()).toEqual(host.bytesSync());
      }
    });
  }

  test('empty, and what has the device of another tensor', () => {
    const x = empty([2, 3], { device: second });
    expect(x.device).toBe(second);
    expect(x.dataSync()).toHaveLength(6);
    for (const like of [zerosLike, onesLike, emptyLike]) {
      expect(like(x).device).toBe(second);
      expect(like(x, { device: 'cpu' }).device).toBe('cpu');
      expect(like(zeros([2], { device: 'cpu' })).device).toBe('cpu');
    }
    expect(fullLike(x, 3).device).toBe(second);
    expect(fullLike(x, 3, { device: 'cpu' }).device).toBe('cpu');
  });

  test('views stay there', () => {
    const x = tensor(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      { device: second },
    );
    for (const view of [x.T, x.reshape([6]), x.slice(1, 1, 3), x.unsqueeze(0), x.narrow(0, 1, 1), x.detach()]) {
      expect(view.device).toBe(second);
    }
    expect(x.T.arraySync()).toEqual([
      [1, 4],
      [2, 5],
      [3, 6],
    ]);
    expect(x.slice(1, 1, 3).arraySync()).toEqual([
      [2, 3],
      [5, 6],
    ]);
  });

  test('random ones', () => {
    const made = [
      rand([3], { device: second }),
      randn([3], { device: second }),
      randint(0, 9, [3], { device: second }),
      randperm(3, { device: second }),
      bernoulli([3], 0.5, { device: second }),
    ];
    expect(made.map((x) => x.device)).toEqual(made.map(() => second));
  });
});
