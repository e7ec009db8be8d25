// What runs in a worker thread: it makes the dataset once, and then answers one request after the other.
import { parentPort, workerData } from 'node:worker_threads';
import { manualSeed } from '../../ops/random.js';
import '../../tensor/install.js';
import { collate } from '../collate.js';
import type { Dataset } from '../dataset.js';
import { buffersOf, pack } from '../pack.js';
import type { Answer, Request, SentError, WorkerSetup } from './protocol.js';

type Collate = (samples: unknown[]) => unknown;

/** A failure of one sample; the other ones of its batch are not to blame. */
class SampleFailure extends Error {
  constructor(
    readonly index: number,
    readonly error: unknown,
  ) {
    super();
  }
}

function sent(failure: unknown): SentError {
  const [error, index] = failure instanceof SampleFailure ? [failure.error, failure.index] : [failure, undefined];
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack, index };
  return { name: 'Error', message: String(error), stack: undefined, index };
}

async function load({ module, options }: WorkerSetup): Promise<{ dataset: Dataset<unknown, unknown>; batch: Collate }> {
  const found = (await import(module)) as { default?: unknown; collate?: unknown };
  if (typeof found.default !== 'function') {
    throw new TypeError('its default export is not a function that makes a dataset');
  }
  const dataset = (await (found.default as (options: unknown) => unknown)(options)) as Dataset<unknown, unknown> | null;
  if (typeof dataset?.get !== 'function' || !Number.isSafeInteger(dataset.length) || dataset.length < 0)
    throw new TypeError('its default export gives no dataset: an object with length and get(index)');
  if (found.collate !== undefined && typeof found.collate !== 'function')
    throw new TypeError('its export collate is not a function');
  return { dataset, batch: (found.collate as Collate | undefined) ?? collate };
}

async function sampleAt(dataset: Dataset<unknown, unknown>, index: number): Promise<unknown> {
  try {
    return await dataset.get(index);
  } catch (error) {
    throw new SampleFailure(index, error);
  }
}

async function start(port: NonNullable<typeof parentPort>): Promise<void> {
  const say = (answer: Answer, buffers: ArrayBuffer[] = []): void => port.postMessage(answer, buffers);
  let loaded: Awaited<ReturnType<typeof load>>;
  try {
    loaded = await load(workerData as WorkerSetup);
  } catch (error) {
    say({ kind: 'failed', error: sent(error) });
    return;
  }
  const { dataset, batch } = loaded;
  say({ kind: 'ready', length: dataset.length });

  const make = async ({ kind, indices }: Request): Promise<unknown> => {
    if (kind === 'sample') return sampleAt(dataset, indices[0]);
    if (dataset.batch !== undefined) return dataset.batch(indices);
    const samples: unknown[] = [];
    // One after the other: the order in which they draw random numbers must not depend on the time that each takes.
    for (const index of indices) samples.push(await sampleAt(dataset, index));
    return batch(samples);
  };
  const answer = async (request: Request): Promise<void> => {
    try {
      if (request.seed !== undefined) manualSeed(request.seed);
      const packed = await pack('DataLoader', await make(request));
      say({ kind: 'result', id: request.id, packed }, buffersOf(packed));
    } catch (error) {
      say({ kind: 'error', id: request.id, error: sent(error) });
    }
  };
  let last = Promise.resolve();
  port.on('message', (request: Request) => {
    last = last.then(() => answer(request));
  });
}

if (parentPort !== null) await start(parentPort);
