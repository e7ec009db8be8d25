// DataLoader with a device: batches come there, whatever they are made of.
import { expect, test } from 'vitest';
import { arange, data, tensor, type Tensor } from 'thalweg';
import { describeDevice } from './available.js';

describeDevice('DataLoader on a device', () => {
  test('tensors of a batch are moved, in tuples, objects, maps and alone; the rest stays', async () => {
    const samples = Array.from({ length: 5 }, (_, i) => ({
      x: tensor([i, i + 1], { device: 'cpu' }),
      pair: [tensor(BigInt(i), { device: 'cpu' })] as const,
      name: `sample ${i}`,
    }));
    const dataset: data.Dataset<(typeof samples)[number], unknown> = { length: 5, get: (i) => samples[i] };
    const loader = new data.DataLoader(dataset, {
      batchSize: 2,
      device: 'cuda',
      collate: (list) => ({
        all: new Map([['x', list[0].x]]),
        pair: [list[0].pair[0]],
        names: list.map(({ name }) => name),
      }),
    });
    expect(loader.device).toBe('cuda');
    const seen: string[][] = [];
    for await (const batch of loader as AsyncIterable<{ all: Map<string, Tensor>; pair: Tensor[]; names: string[] }>) {
      expect(batch.all.get('x')!.device).toBe('cuda');
      expect(batch.pair[0].device).toBe('cuda');
      expect(batch.pair[0].itemSync()).toBe(BigInt(2 * seen.length));
      seen.push(batch.names);
    }
    expect(seen.flat()).toEqual(samples.map(({ name }) => name));
    expect(samples[0].x.device).toBe('cpu');
    expect(samples[0].x.isDisposed).toBe(false);
  });

  test('the default collation, with plain iteration and shuffling: the same batches as on the CPU', () => {
    const x = arange(0, 24, 1, { dtype: 'float32', device: 'cpu' }).reshape([8, 3]);
    const y = arange(0, 8, 1, { dtype: 'int64', device: 'cpu' });
    const dataset = new data.TensorDataset(x, y);
    const run = (options: { device?: 'cuda' }): unknown[] =>
      Array.from(new data.DataLoader(dataset, { batchSize: 3, shuffle: true, seed: 4, ...options }), ([a, b]) => {
        expect(a.device).toBe(options.device ?? 'cpu');
        return [a.arraySync(), b.arraySync()];
      });
    expect(run({ device: 'cuda' })).toEqual(run({}));
  });

  test('an unknown device', () => {
    const dataset = new data.TensorDataset(arange(0, 4, 1, { device: 'cpu' }));
    expect(() => new data.DataLoader(dataset, { device: 'cuda:99' })).toThrow(
      "DataLoader: device 'cuda:99' does not exist",
    );
  });
});
