// worker_threads: each thread has its own tensors and stream, all share the pool.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { ones, randn } from '../src/index.js';
import { native } from '../src/native.js';
import { runScript, sanitized } from './fixtures/child.js';

const file = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));

function start(job: string, data: Record<string, unknown> = {}): Worker {
  return new Worker(file, { workerData: { job, ...data } });
}

async function run(job: string, data: Record<string, unknown> = {}): Promise<unknown> {
  const worker = start(job, data);
  // Both at once: a worker's last message and its end may arrive together.
  const [[answer], [code]] = (await Promise.all([once(worker, 'message'), once(worker, 'exit')])) as [
    [unknown],
    [number],
  ];
  expect(code).toBe(0);
  return answer;
}

interface Trained {
  losses: number[];
  weights: number[];
  tensors: number;
}

describe('workers', () => {
  test('two train at once, and with the same seed get the same bits', async () => {
    const data = { seed: 5, steps: sanitized ? 10 : 60 };
    const [a, b, c] = (await Promise.all([
      run('train', data),
      run('train', data),
      run('train', { ...data, seed: 6 }),
    ])) as Trained[];
    expect(a.losses).toEqual(b.losses);
    expect(a.weights).toEqual(b.weights);
    expect(a.tensors).toBe(b.tensors);
    expect(c.losses).not.toEqual(a.losses);
    expect(a.losses.at(-1)).toBeLessThan(a.losses[0]);
  });

  test('a worker alone gets the same bits as two at once', async () => {
    const data = { seed: 5, steps: 10 };
    const alone = (await run('train', data)) as Trained;
    const [a] = (await Promise.all([run('train', data), run('train', { ...data, seed: 9 })])) as Trained[];
    expect(a.losses).toEqual(alone.losses);
  });

  test('terminated with work pending, many times', async () => {
    for (let round = 0; round < (sanitized ? 2 : 12); round++) {
      const workers = [0, 10].map((reads) => start('busy', { reads }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      const codes = await Promise.all(workers.map((worker) => worker.terminate()));
      expect(codes).toEqual([1, 1]);
    }
    expect(ones([3]).sum().itemSync()).toBe(3);
  });

  test('terminated while it starts', async () => {
    for (let round = 0; round < 6; round++) {
      const worker = start('train', { seed: 1, steps: 1000 });
      await new Promise((resolve) => setTimeout(resolve, round * 40));
      await worker.terminate();
    }
    expect(ones([3]).sum().itemSync()).toBe(3);
  });

  test('the addon loaded by workers only, again and again', async () => {
    const { code, signal, stderr, stdout } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      for (let i = 0; i < 5; i++) {
        const worker = new Worker(${JSON.stringify(file)}, { execArgv: [], workerData: { job: 'once', threads: 2 + i } });
        const [[{ sum, threads }], [code]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        console.log(sum, threads, code);
        // The pool's threads outlive the worker; the addon's code must stay under them.
        await new Promise((resolve) => setTimeout(resolve, 30));
      }`);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(stdout).toBe([2, 3, 4, 5, 6].map((threads) => `true ${threads} 0\n`).join(''));
  });

  test('process.exit while workers compute', async () => {
    const { code, signal, stderr } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      import { randn } from 'thalweg';
      const x = randn([64, 64]);
      const workers = [0, 5].map((reads) => new Worker(${JSON.stringify(file)}, { execArgv: [], workerData: { job: 'busy', reads } }));
      await Promise.all(workers.map((worker) => once(worker, 'message')));
      for (let i = 0; i < 1000; i++) x.matmul(x);
      process.exit(3);`);
    expect({ code, signal, stderr }).toEqual({ code: 3, signal: null, stderr: '' });
  });

  test('a tensor that was posted is refused, with what to do instead', async () => {
    const x = ones([2]);
    const hint = 'it looks like a tensor of another worker or copy of Thalweg: send its data() and make a new one.';
    expect(await run('foreign', { tensor: x })).toEqual([
      `ArgumentError: add: b is an object, expected a Tensor; ${hint}`,
      `ArgumentError: matmul: b is an object, expected a Tensor; ${hint}`,
      'TypeError: t.add is not a function',
    ]);
  });

  test('handles of another thread are refused', async () => {
    // What a tensor of the main thread has for a handle means nothing there, and the other way round.
    const { stdout, stderr } = await runScript(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      import { ones } from 'thalweg';
      const code = \`
        import { parentPort, workerData } from 'node:worker_threads';
        import { ones, DisposedError, ThalwegError } from 'thalweg';
        const refusals = workerData.map((handle) => {
          const fake = ones([1]);
          const own = fake._handle;
          fake._handle = handle;
          try { fake.dataSync(); return own === handle; } catch (error) { return error instanceof DisposedError; }
        });
        parentPort.postMessage(refusals.every(Boolean));
      \`;
      const handles = Array.from({ length: 100 }, () => ones([1])._handle);
      const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(code.replaceAll("'thalweg'", JSON.stringify(import.meta.resolve('thalweg'))))), { execArgv: [], workerData: handles });
      console.log((await once(worker, 'message'))[0]);`);
    expect(stderr).toBe('');
    expect(stdout).toBe('true\n');
  });

  test('threads share the pool: its size is one for all', async () => {
    const before = native.threads(0);
    const answer = (await run('once', { threads: 3 })) as { threads: number };
    expect(answer.threads).toBe(3);
    // The worker runs on the built package, this file on the sources, but the addon is the same one.
    expect(native.threads(0)).toBe(3);
    native.threads(before);
    const x = randn([128, 128]);
    expect(Number.isFinite(x.matmul(x).sum().itemSync())).toBe(true);
  });
});
