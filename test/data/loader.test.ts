import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { ArgumentError } from '../../src/errors.js';
import { data, fromTypedArray, Generator, manualSeed, type Tensor } from '../../src/index.js';

/** A dataset whose batches are the indices themselves, and that records when they were asked for. */
function recorder(length: number): data.Dataset<number, number[]> & { asked: number[][] } {
  const asked: number[][] = [];
  return {
    length,
    asked,
    get: (index) => index,
    batch(indices) {
      asked.push(Array.from(indices));
      return Array.from(indices);
    },
  };
}

async function all<T>(batches: AsyncIterable<T>): Promise<T[]> {
  const result: T[] = [];
  for await (const batch of batches) result.push(batch);
  return result;
}

describe('DataLoader', () => {
  test('batches in order; the last one is smaller or dropped', async () => {
    const dataset = recorder(7);
    const loader = new data.DataLoader(dataset, { batchSize: 3 });
    expect(loader.length).toBe(3);
    expect(await all(loader)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect([...loader]).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    const dropping = new data.DataLoader(dataset, { batchSize: 3, dropLast: true });
    expect(dropping.length).toBe(2);
    expect(await all(dropping)).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    expect(await all(new data.DataLoader(recorder(2), { batchSize: 3, dropLast: true }))).toEqual([]);
    expect(await all(new data.DataLoader(recorder(0), { batchSize: 3 }))).toEqual([]);
    expect(await all(new data.DataLoader(recorder(2), { batchSize: 100 }))).toEqual([[0, 1]]);
  });

  test('tensors come out as batches of tensors', async () => {
    const x = fromTypedArray(
      Float32Array.from({ length: 10 }, (_, i) => i),
      [5, 2],
    );
    const y = fromTypedArray(BigInt64Array.of(0n, 1n, 2n, 3n, 4n), [5], { dtype: 'int64' });
    const loader = new data.DataLoader(new data.TensorDataset(x, y), { batchSize: 2, shuffle: true, seed: 3 });
    const seen: bigint[] = [];
    for await (const [images, labels] of loader) {
      const rows = await images.data();
      const digits = await labels.data();
      digits.forEach((digit, i) => expect(rows[2 * i]).toBe(2 * Number(digit)));
      seen.push(...digits);
    }
    expect(seen.sort()).toEqual([0n, 1n, 2n, 3n, 4n]);
  });

  test('shuffling: all samples once, epochs differ, the same seed gives the same epochs', async () => {
    const make = (seed: number): data.DataLoader<number, number[]> =>
      new data.DataLoader(recorder(50), { batchSize: 8, shuffle: true, seed });
    const loader = make(1);
    const epochs = [(await all(loader)).flat(), [...loader].flat(), (await all(loader)).flat()];
    for (const epoch of epochs)
      expect(epoch.slice().sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(epochs[0]).not.toEqual(epochs[1]);
    expect(epochs[1]).not.toEqual(epochs[2]);
    expect(loader.epoch).toBe(3);

    const again = make(1);
    expect((await all(again)).flat()).toEqual(epochs[0]);
    const resumed = make(1);
    resumed.epoch = 2;
    expect((await all(resumed)).flat()).toEqual(epochs[2]);
    expect((await all(make(2))).flat()).not.toEqual(epochs[0]);
  });

  test('without a seed, manualSeed or the given generator decides', async () => {
    const run = (options: { generator?: Generator } = {}): Promise<number[][]> =>
      all(new data.DataLoader(recorder(50), { batchSize: 8, shuffle: true, ...options }));
    manualSeed(7);
    const first = await run();
    expect(await run()).not.toEqual(first);
    manualSeed(7);
    expect(await run()).toEqual(first);
    expect(await run({ generator: new Generator(7) })).toEqual(first);
    expect(await run({ generator: new Generator(8n) })).not.toEqual(first);
  });

  test.each([0, 1, 3])(
    'prefetch %i: that many further batches are asked for before one is given out',
    async (prefetch) => {
      const dataset = recorder(6);
      const loader = new data.DataLoader(dataset, { prefetch });
      let given = 0;
      for await (const batch of loader) {
        expect(batch).toEqual([given]);
        given++;
        expect(dataset.asked.length).toBe(Math.min(6, given + prefetch));
      }
      expect(given).toBe(6);
      dataset.asked.length = 0;
      given = 0;
      for (const batch of loader) {
        expect(batch).toEqual([given]);
        given++;
        expect(dataset.asked.length).toBe(Math.min(6, given + prefetch));
      }
    },
  );

  test('samples one by one, also asynchronous ones, with the default and an own collate', async () => {
    const dataset: data.Dataset<[number, bigint]> = {
      length: 3,
      get: async (index) => {
        await sleep(3 - index);
        return [index / 2, BigInt(index)];
      },
    };
    const [batch] = await all(new data.DataLoader(dataset, { batchSize: 3 }));
    const [x, y] = batch as [Tensor, Tensor];
    expect(await x.data()).toEqual(Float32Array.of(0, 0.5, 1));
    expect(await y.data()).toEqual(BigInt64Array.of(0n, 1n, 2n));

    const own = new data.DataLoader<number, string>(
      { length: 4, get: (index) => index },
      { batchSize: 2, collate: (samples) => samples.join('+') },
    );
    expect(await all(own)).toEqual(['0+1', '2+3']);
    expect([...own]).toEqual(['0+1', '2+3']);
    const asynchronous = new data.DataLoader(dataset, { batchSize: 3 });
    expect(() => [...asynchronous]).toThrow(
      new ArgumentError('DataLoader: the dataset is asynchronous; iterate with `for await`.'),
    );
  });

  test('a failure arrives with its batch, and not at all if the loop is left before', async () => {
    const rejected = vi.fn();
    process.on('unhandledRejection', rejected);
    const dataset: data.Dataset<number, number[]> = {
      length: 3,
      get: (index) => index,
      batch: (indices) => {
        if (indices[0] === 1) throw new RangeError('broken sample');
        return Array.from(indices);
      },
    };
    const loader = new data.DataLoader(dataset);
    const seen: number[][] = [];
    await expect(
      (async () => {
        for await (const batch of loader) seen.push(batch);
      })(),
    ).rejects.toThrow(new RangeError('broken sample'));
    expect(seen).toEqual([[0]]);
    for await (const batch of loader) {
      expect(batch).toEqual([0]);
      break;
    }
    await sleep(10);
    expect(rejected).not.toHaveBeenCalled();
    process.off('unhandledRejection', rejected);
  });

  test('timers run during a loop that awaits nothing itself', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 10);
    const loader = new data.DataLoader(recorder(20_000));
    const end = performance.now() + 500;
    while (performance.now() < end) {
      for await (const _ of loader) if (performance.now() > end) break;
    }
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(5);
  });

  test('bad options', () => {
    const dataset = recorder(3);
    for (const batchSize of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '8' as unknown as number]) {
      expect(() => new data.DataLoader(dataset, { batchSize })).toThrow(
        new ArgumentError(`DataLoader: batchSize must be an integer of at least 1, not ${batchSize}.`),
      );
    }
    expect(() => new data.DataLoader(dataset, { prefetch: -1 })).toThrow(
      new ArgumentError('DataLoader: prefetch must be an integer of at least 0, not -1.'),
    );
    expect(() => new data.DataLoader(dataset, { seed: -1 })).toThrow(
      new ArgumentError('DataLoader: seed must be an integer of at least 0, not -1.'),
    );
    expect(() => new data.DataLoader({ length: -3, get: () => 0 })).toThrow(
      new ArgumentError('DataLoader: dataset.length must be an integer of at least 0, not -3.'),
    );
    const loader = new data.DataLoader(dataset);
    expect(() => (loader.epoch = 0.5)).toThrow(
      new ArgumentError('DataLoader: epoch must be an integer of at least 0, not 0.5.'),
    );
  });
});
