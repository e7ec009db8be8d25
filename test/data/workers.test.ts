import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { data, type Tensor, WorkerError } from 'thalweg';
import { runScript, sanitized } from '../fixtures/child.js';

const module = new URL('../fixtures/worker-dataset.mjs', import.meta.url);

interface Options {
  kind?: string;
  length?: number;
  batched?: boolean;
  fail?: string;
  odd?: boolean;
}
type Row = [Tensor, bigint, string, Tensor];
type Rows = [Tensor, Tensor, string[], Tensor];
type Make = (options: Options) => data.Dataset<Row, Rows>;

const opened: data.WorkerDataset<unknown, unknown>[] = [];
async function open(
  options: Options = {},
  settings?: data.WorkerDatasetSettings,
): Promise<data.WorkerDataset<Row, Rows>> {
  const dataset = await data.workerDataset<Make>(module, options, settings);
  opened.push(dataset);
  return dataset;
}
afterAll(() => Promise.all(opened.map((dataset) => dataset.close())));

// Starting a thread takes longer than all that it does here, so those that stay well are shared.
let shared: Promise<data.WorkerDataset<Row, Rows>> | undefined;
const rows = (): Promise<data.WorkerDataset<Row, Rows>> => (shared ??= open());

/** Batches as plain values, so that they can be compared. */
async function walk(loader: data.DataLoader<Row, Rows>): Promise<unknown[]> {
  const batches: unknown[] = [];
  for await (const [x, label, names, noise] of loader)
    batches.push([x.shape, [...(await x.data())], [...(await label.data())], names, [...(await noise.data())]]);
  return batches;
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return work.then(
    () => new Error('nothing failed'),
    (error: unknown) => error as Error,
  );
}

describe('batches of workers', () => {
  test('come in order, with the same numbers, random ones too, for any number of threads and after an interruption', async () => {
    const dataset = await rows();
    expect(dataset.length).toBe(20);
    const make = (workers: number, prefetch = 2): data.DataLoader<Row, Rows> =>
      new data.DataLoader(dataset, {
        batchSize: 3,
        shuffle: true,
        seed: 1,
        workers,
        prefetch,
        persistentWorkers: true,
      });
    const one = make(1);
    const first = await walk(one);
    const second = await walk(one);
    expect(first.length).toBe(7);
    expect(second).not.toEqual(first);
    expect((first[0] as unknown[])[0]).toEqual([3, 2]);
    const order = [...data.shuffledIndices(20, 1, 0)];
    expect(first.flatMap((batch) => (batch as string[][])[3])).toEqual(order.map((i) => `sample ${i}`));
    expect(first.flatMap((batch) => (batch as unknown[][])[1])).toEqual(order.flatMap((i) => [i, i + 0.5]));
    // Random numbers differ from batch to batch.
    expect(new Set(first.map((batch) => String((batch as unknown[])[4]))).size).toBe(7);

    expect(await walk(make(3))).toEqual(first);
    const resumed = make(2, 1);
    for await (const _ of resumed) if (resumed.stateDict().batch === 4) break;
    const state = resumed.stateDict();
    const other = make(2);
    other.loadStateDict(state);
    expect(await walk(other)).toEqual(first.slice(4));
    expect(await walk(other)).toEqual(second);
  });

  test('all that can be sent arrives as it was', async () => {
    const dataset = await open({ batched: true });
    const loader = new data.DataLoader(dataset as unknown as data.Dataset<unknown, Record<string, unknown>>, {
      batchSize: 2,
      workers: 1,
    });
    for await (const { half, flags, empty, scalar, turned, list, bytes } of loader) {
      expect([half, flags, empty, scalar, turned].map((t) => (t as Tensor).dtype)).toEqual([
        'bfloat16',
        'bool',
        'float32',
        'float32',
        'int64',
      ]);
      expect((half as Tensor).arraySync()).toEqual([0, 1]);
      expect((flags as Tensor).arraySync()).toEqual([true, false]);
      expect((empty as Tensor).shape).toEqual([0]);
      expect((scalar as Tensor).itemSync()).toBe(2);
      expect((turned as Tensor).arraySync()).toEqual([
        [0n, 3n],
        [1n, 4n],
        [2n, 5n],
      ]);
      const [map, ...others] = list as [Map<string, Tensor>, ...unknown[]];
      expect(map.get('a')?.itemSync()).toBe(1n);
      expect(others).toEqual([new Date(0), null, undefined]);
      expect(bytes).toEqual(Uint16Array.of(2, 3));
      break;
    }
  });

  test('single samples, and subsets of subsets', async () => {
    const dataset = await rows();
    const [x, label, name] = await dataset.get(8);
    expect([x.arraySync(), label, name]).toEqual([[8, 8.5], 1n, 'sample 8']);
    expect((await failure(dataset.get(20))).message).toBe('WorkerDataset: index 20 is out of range for 20 samples.');
    const subset = new data.Subset(new data.Subset(dataset, [9, 8, 7, 6]), [3, 0]);
    expect((await subset.get(0))[2]).toBe('sample 6');
    const loader = new data.DataLoader(subset, { batchSize: 2, workers: 2, persistentWorkers: true });
    const batches = await walk(loader);
    expect((batches[0] as unknown[])[3]).toEqual(['sample 6', 'sample 9']);
  });

  test('all threads have work; they end with the epoch or are kept', async () => {
    const dataset = (await open({ kind: 'threads' })) as unknown as data.WorkerDataset<unknown, [Tensor, string[]]>;
    const threadsOf = async (loader: data.DataLoader<unknown, [Tensor, string[]]>): Promise<Set<string>> => {
      const seen = new Set<string>();
      for await (const [, threads] of loader) threads.forEach((thread) => seen.add(thread));
      return seen;
    };
    const kept = new data.DataLoader(dataset, { workers: 2, persistentWorkers: true });
    const first = await threadsOf(kept);
    expect(first.size).toBe(2);
    expect(await threadsOf(kept)).toEqual(first);
    const ended = new data.DataLoader(dataset, { workers: 2 });
    expect(await threadsOf(ended)).toEqual(first);
    const next = await threadsOf(ended);
    expect(next.size).toBe(2);
    for (const thread of next) expect(first).not.toContain(thread);
  });
});

describe('failures of workers', () => {
  const run = async (options: Options, loading: Partial<data.DataLoaderOptions<Row, Rows>> = {}): Promise<Error> => {
    const dataset = await open(
      options,
      options.kind === 'memory' ? { resourceLimits: { maxOldGenerationSizeMb: 16 } } : {},
    );
    const seen: unknown[] = [];
    const loader = new data.DataLoader(dataset, { batchSize: 2, workers: 1, ...loading });
    const error = await failure(
      (async () => {
        for await (const batch of loader) seen.push(batch);
      })(),
    );
    expect(error).toBeInstanceOf(WorkerError);
    // What lies before the failure was handed out, in order.
    if (!('message' in options)) expect(loader.stateDict()).toMatchObject({ epoch: 0, batch: seen.length });
    return error;
  };

  test('a sample that fails is named, and its error is the cause', async () => {
    const error = await run({ kind: 'error' });
    expect(error.message).toBe('DataLoader: sample 5 failed in a worker: RangeError: cannot decode');
    expect(error.cause).toMatchObject({ name: 'RangeError', message: 'cannot decode' });
    expect((error.cause as Error).stack).toMatch('worker-dataset.mjs');
  });

  test.each([
    ['exit', `ended with exit code 3, while it was to make samples 4, 5.`],
    ['crash', `was ended by an error: TypeError: out of the blue, while it was to make samples 4, 5.`],
    ...(sanitized ? [] : [['memory', `ran out of memory, while it was to make samples 4, 5.`]]),
  ])('a worker that dies: %s', async (kind, message) => {
    const error = await run({ kind }, { workers: kind === 'exit' ? 2 : 1 });
    expect(error.message).toBe(`DataLoader: a worker of ${module.href} ${message}`);
  });

  test('a worker that does not come back', async () => {
    const error = await run({ kind: 'hang' }, { timeout: 400 });
    expect(error.message).toBe('DataLoader: batch 2 was not there after 400 ms; the workers were ended.');
  });

  test('what cannot be sent', async () => {
    const error = await run({ kind: 'class' });
    expect(error.message).toMatch(
      /samples 0, 1 failed in a worker: ArgumentError: DataLoader: \[0\] is a Odd; samples may/,
    );
  });

  test('a dataset with another length in another thread', async () => {
    const error = await run({ kind: 'varying' }, { workers: 2 });
    expect(error.message).toMatch(/made a dataset of \d+ samples, the first one had \d+\.$/);
  });

  test('modules that make no dataset', async () => {
    const made = async (url: URL | string, options?: Options): Promise<string> => {
      const { name, message } = await failure(data.workerDataset<Make>(url, options));
      return `${name}: ${message.replace(module.href, 'MODULE')}`;
    };
    expect(await made(module, { fail: 'no disk' })).toBe(
      'WorkerError: DataLoader: a worker of MODULE could not make its dataset: Error: no disk.',
    );
    expect(await made(module, { odd: true })).toMatch('gives no dataset: an object with length and get(index)');
    expect(await made(new URL('data:text/javascript,export default 3'))).toMatch(
      'is not a function that makes a dataset',
    );
    expect(await made(new URL('./nowhere.mjs', import.meta.url))).toMatch(
      'could not make its dataset: Error: Cannot find',
    );
    expect(await made('./dataset.js')).toMatch(/^ArgumentError: workerDataset: expected the URL or the absolute path/);
    expect(await made(module, { kind: (() => 0) as unknown as string })).toMatch(
      /^ArgumentError: workerDataset: the options cannot be sent to a thread: /,
    );
  });

  test('options that do not go together', async () => {
    const dataset = await rows();
    const refused = (options: data.DataLoaderOptions<Row, Rows>): string => {
      try {
        new data.DataLoader(dataset, options);
        return 'accepted';
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused({ workers: 0 })).toMatch('workers must be at least 1');
    expect(refused({ collate: () => [] as unknown as Rows })).toMatch('collate cannot be sent to a worker');
    expect(refused({ timeout: 0 })).toMatch('timeout must be an integer of at least 1');
    expect(() => [...new data.DataLoader(dataset)]).toThrow('iterate with `for await`');
    expect(() => new data.DataLoader({ length: 1, get: (i) => i }, { workers: 1 })).toThrow('see data.workerDataset()');
  });
});

describe('in a process of their own', () => {
  const script = (body: string): string => `
    import { data } from 'thalweg';
    const dataset = await data.workerDataset(new URL(${JSON.stringify(module.href)}), { kind: 'threads' });
    const loader = new data.DataLoader(dataset, { batchSize: 4, persistentWorkers: true });
    ${body}`;

  test('they keep it alive while a batch is awaited, and not otherwise: kept ones, and those of a loop that is never finished', async () => {
    const { code, stdout, stderr } = await runScript(
      script(`let n = 0;
        for await (const _ of loader) n++;
        for await (const _ of loader) break;
        const batches = loader[Symbol.asyncIterator]();
        await batches.next();
        console.log(n);`),
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '5\n', stderr: '' });
  });
});

test('a loop that is left early leaves nothing behind', async () => {
  const rejected: unknown[] = [];
  const listen = (error: unknown): void => void rejected.push(error);
  process.on('unhandledRejection', listen);
  const dataset = await open();
  const loader = new data.DataLoader(dataset, { workers: 2, prefetch: 4 });
  for await (const _ of loader) break;
  await dataset.close();
  await sleep(20);
  process.off('unhandledRejection', listen);
  expect(rejected).toEqual([]);
});
