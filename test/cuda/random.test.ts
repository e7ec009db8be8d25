// A seed gives the same numbers on every device.
import { expect, test } from 'vitest';
import {
  bernoulli,
  Generator,
  manualSeed,
  nn,
  ones,
  rand,
  randint,
  randn,
  randperm,
  zeros,
  type Device,
  type Tensor,
} from 'thalweg';
import { describeDevice, second } from './available.js';

const F = nn.functional;
// More than a block's worth, and no multiple of what a thread makes.
const shape = [7, 1031] as const;

const exact: Record<string, (device: Device, generator: Generator) => Tensor> = {
  'rand in float32': (device, generator) => rand(shape, { device, generator }),
  'rand in float64': (device, generator) => rand(shape, { device, generator, dtype: 'float64' }),
  'rand in bfloat16': (device, generator) => rand(shape, { device, generator, dtype: 'bfloat16' }),
  randint: (device, generator) => randint(-5, 1000, shape, { device, generator }),
  'randint of a wide range': (device, generator) => randint(-(2 ** 40), 2 ** 40, shape, { device, generator }),
  'bernoulli of a number': (device, generator) => bernoulli(shape, 0.3, { device, generator, dtype: 'bool' }),
  'randperm of 1': (device, generator) => randperm(1, { device, generator }),
  'randperm of 3000': (device, generator) => randperm(3000, { device, generator }),
  dropout: (device, generator) => F.dropout(ones(shape, { device }), { p: 0.4, generator }),
  uniform_: (device, generator) => zeros(shape, { device }).uniform_(-1, 2, generator),
};

describeDevice('the same seed', () => {
  test.each(Object.keys(exact))('%s: the same bits', (name) => {
    const [host, ...others] = (['cpu', 'cuda', second] as Device[]).map((device) => {
      const generator = new Generator(42);
      const x = exact[name](device, generator);
      expect(x.device).toBe(device);
      return { bytes: x.bytesSync(), offset: generator.getState().offset };
    });
    for (const other of others) expect(other).toEqual(host);
  });

  test.each(['float32', 'float64'] as const)('randn in %s: the same numbers but for last bits', (dtype) => {
    const [host, there] = (['cpu', 'cuda'] as Device[]).map((device) =>
      randn(shape, { device, dtype, generator: new Generator(7) }).dataSync(),
    );
    const unit = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
    let different = 0;
    host.forEach((value, i) => {
      if (value === there[i]) return;
      different++;
      expect(Math.abs(value - there[i])).toBeLessThanOrEqual(4 * unit * Math.max(Math.abs(value), 1));
    });
    expect(different).toBeLessThan(host.length / 2);
  });

  test('the default generator goes on across devices', () => {
    const draw = (devices: Device[]): number[][] => {
      manualSeed(3);
      return devices.map((device) => [...rand([5], { device }).dataSync()]);
    };
    expect(draw(['cuda', 'cpu', second])).toEqual(draw(['cpu', 'cpu', 'cpu']));
  });

  test('nothing is drawn for no elements', () => {
    expect(rand([0, 3], { device: 'cuda' }).tolist()).toEqual([]);
    expect(randperm(0, { device: 'cuda' }).tolist()).toEqual([]);
  });
});
