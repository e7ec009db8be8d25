// Memory of a device: what is counted, what is freed, and what happens when there is none left.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  cuda,
  emptyCache,
  fromBytes,
  keep,
  memory,
  synchronize,
  tensor,
  tidy,
  zeros,
  type Device,
  type MemoryInfo,
} from 'thalweg';
import { runScript, sanitized } from '../fixtures/child.js';
import { describeDevice, hasTwo, isEmulated, second } from './available.js';

const MiB = 2 ** 20;
const of = (device: Device, options: { resetPeak?: boolean; collect?: boolean } = {}): MemoryInfo =>
  memory({ ...options, device });

describeDevice('memory({ device })', () => {
  beforeEach(() => {
    memory({ collect: true });
  });

  test('counts tensors and bytes of each device by itself', () => {
    const before = [of('cpu'), of('cuda'), of(second)];
    const made = [zeros([10, 10], { device: 'cuda' }), zeros([0], { device: 'cuda' }), zeros([3], { device: 'cpu' })];
    const more = zeros([5], { device: second, dtype: 'float64' });
    const after = [of('cpu'), of('cuda'), of(second)];
    const grown = after.map(({ tensors, bytes }, i) => [tensors - before[i].tensors, bytes - before[i].bytes]);
    expect(grown).toEqual(
      hasTwo
        ? [
            [1, 12],
            [2, 400],
            [1, 40],
          ]
        : [
            [1, 12],
            [3, 440],
            [3, 440],
          ],
    );
    for (const x of [...made, more]) x.dispose();
    expect([of('cpu'), of('cuda'), of(second)].map(({ bytes }) => bytes)).toEqual(before.map(({ bytes }) => bytes));
  });

  test('a view has no bytes, and keeps those of what it looks at', () => {
    const x = zeros([1000], { device: 'cuda' });
    const before = of('cuda');
    const view = x.slice(0, 1, 3);
    expect(of('cuda').tensors).toBe(before.tensors + 1);
    x.dispose();
    expect(of('cuda').bytes).toBe(before.bytes);
    expect(view.tolist()).toEqual([0, 0]);
    view.dispose();
    expect(of('cuda').bytes).toBe(before.bytes - 4000);
  });

  test('the peak', () => {
    const { bytes } = of('cuda');
    of('cuda', { resetPeak: true });
    zeros([1000], { device: 'cuda' }).dispose();
    zeros([500], { device: 'cuda' }).dispose();
    expect(of('cuda', { resetPeak: true }).peakBytes).toBe(bytes + 4000);
    expect(of('cuda').peakBytes).toBe(bytes);
  });

  test('reading, printing, uploading and copying leave nothing', () => {
    const source = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { device: 'cpu' },
    );
    const x = source.to('cuda');
    const before = [of('cpu').tensors, of('cuda').tensors, of(second).tensors];
    tidy(() => {
      x.dataSync();
      x.T.arraySync();
      String(x);
      x.slice(0, 0, 1).to(second).to('cpu');
    });
    expect([of('cpu').tensors, of('cuda').tensors, of(second).tensors]).toEqual(before);
  });

  test('collect frees what was forgotten', () => {
    const before = of('cuda', { collect: true });
    for (let i = 0; i < 50; i++) zeros([1000], { device: 'cuda' });
    expect(of('cuda').tensors).toBeGreaterThan(before.tensors);
    const after = of('cuda', { collect: true });
    expect([after.tensors, after.bytes]).toEqual([before.tensors, before.bytes]);
  });

  test('tidy and keep', () => {
    const before = of('cuda').tensors;
    let kept;
    const result = tidy(() => {
      const x = tensor([1, 2], { device: 'cuda' });
      kept = keep(x.to('cpu').to('cuda'));
      return x.to(second).to('cuda');
    });
    expect(of('cuda').tensors).toBe(before + 2);
    expect(result.tolist()).toEqual([1, 2]);
    expect(kept!.tolist()).toEqual([1, 2]);
  });

  // Under the sanitizer nothing is cached.
  test.skipIf(sanitized)('freed memory is cached, and emptyCache() gives it back to the device', () => {
    emptyCache();
    const before = of('cuda');
    const free = cuda.memoryInfo('cuda').free;
    const x = zeros([16 * MiB], { device: 'cuda', dtype: 'uint8' });
    expect(of('cuda').reservedBytes - before.reservedBytes).toBeGreaterThanOrEqual(16 * MiB);
    if (isEmulated) expect(free - cuda.memoryInfo('cuda').free).toBe(16 * MiB);
    x.dispose();
    expect(of('cuda').cachedBytes - before.cachedBytes).toBe(16 * MiB);
    const { reservedBytes } = of('cuda');
    zeros([16 * MiB], { device: 'cuda', dtype: 'uint8' }).dispose();
    expect(of('cuda').reservedBytes).toBe(reservedBytes);
    emptyCache();
    expect(of('cuda').reservedBytes).toBe(before.reservedBytes);
    if (isEmulated) expect(cuda.memoryInfo('cuda').free).toBe(free);
  });

  test('emptyCache() frees the pinned memory of copies and the scratch memory of kernels, which are taken again', () => {
    memory({ collect: true });
    emptyCache();
    expect(of('cuda').pinnedBytes).toBe(0);
    const { free } = cuda.memoryInfo('cuda');
    const values = Uint8Array.from({ length: 9 * MiB }, (_, i) => i * 7);
    const source = fromBytes(values, [values.length], 'uint8', { device: 'cpu' });
    for (let round = 0; round < 2; round++) {
      tidy(() => {
        const [first, aside] = [source.to('cuda'), source.to('cuda', { nonBlocking: true })];
        const sorted = aside.slice(0, 0, 1000).sort().values;
        synchronize();
        expect(of('cuda').pinnedBytes).toBeGreaterThanOrEqual(4 * MiB);
        expect(of('cpu').pinnedBytes).toBe(0);
        const last = source.to('cuda', { nonBlocking: true });
        emptyCache();
        expect(of('cuda').pinnedBytes).toBe(0);
        for (const x of [first, aside, last]) expect(Buffer.compare(x.bytesSync(), Buffer.from(values))).toBe(0);
        expect(sorted.slice(0, 999, 1000).itemSync()).toBe(255);
      });
      emptyCache();
      if (isEmulated && !sanitized) expect(cuda.memoryInfo('cuda').free).toBe(free);
    }
  });

  test('freed memory that queued work still uses is not overwritten', () => {
    for (let i = 0; i < 50; i++) {
      const x = tensor([i, i + 1, i + 2], { device: 'cuda' });
      const y = x.to(second);
      const z = y.to('cpu');
      x.dispose();
      y.dispose();
      tensor([-1, -1, -1], { device: 'cuda' }).dispose();
      tensor([-1, -1, -1], { device: second }).dispose();
      expect(z.tolist()).toEqual([i, i + 1, i + 2]);
    }
    synchronize();
  });
});

const small = { THALWEG_CUDA_EMULATED_MEMORY: String(64 * MiB), THALWEG_TEST_DEVICE: '' };
// Empty: filling them takes the emulated device long.
const head = `import { cuda, empty, emptyCache, memory, randperm, synchronize, tensor, tidy } from 'thalweg';
  const MiB = 2 ** 20;
  const large = (n, device = 'cuda') => empty([n * MiB], { dtype: 'uint8', device });`;

describe.skipIf(!isEmulated)('in 64 MB (emulated)', () => {
  const run = async (script: string, env: Record<string, string> = {}): Promise<string> => {
    const { code, signal, stdout, stderr } = await runScript(`${head}${script}`, { ...small, ...env });
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    return stdout;
  };

  test('a loop that forgets its tensors goes on', async () => {
    const out = await run(`
      for (let i = 0; i < 400; i++) large(8);
      for (let i = 0; i < 2000; i++) large(1).slice(0, 0, 4);
      for (let i = 0; i < 200; i++) large(8, 'cpu').to('cuda');
      console.log(memory({ device: 'cuda' }).peakBytes <= 64 * MiB);`);
    expect(out).toBe('true\n');
  });

  test('one that disposes, uses tidy, or waits in between, too', async () => {
    const out = await run(`
      for (let i = 0; i < 50; i++) large(40).dispose();
      for (let i = 0; i < 50; i++) tidy(() => { large(20); large(20); });
      for (let i = 0; i < 50; i++) { await large(30).slice(0, 0, 1).data(); }
      for (let i = 0; i < 50; i++) { large(50); synchronize(); }
      console.log('done');`);
    expect(out).toBe('done\n');
  });

  test('blocks of changing sizes: the cache goes back to the device when it does not fit', async () => {
    const out = await run(`
      const use = (n) => {
        const x = large(n);
        x.slice(0, 0, 1).fill_(n);
        if (x.slice(0, 0, 1).itemSync() !== n) console.log('wrong');
        x.dispose();
      };
      for (const n of [11, 40, 13, 35, 50, 1, 2, 3, 60, 12, 12, 12, 62, 5]) use(n);
      memory({ collect: true });
      console.log(memory({ device: 'cuda' }).bytes);`);
    expect(out).toBe('0\n');
  });

  test('two devices have memory of their own', async () => {
    const out = await run(`
      const a = large(60), b = large(60, 'cuda:1');
      const { free, total } = cuda.memoryInfo('cuda:1');
      console.log(free < 4 * MiB, total === 64 * MiB, a.device, b.device);`);
    expect(out).toBe('true true cuda cuda:1\n');
  });

  test('when there is no more: what is live, what is free, what to do; and the next tensor that fits is made', async () => {
    const out = await run(`
      const a = large(40);
      large(4); // garbage
      try { large(30); console.log('made'); } catch (error) { console.log(error.name + ': ' + error.message); }
      try { a.to('cpu').to('cuda'); console.log('made'); } catch (error) { console.log(error.name, error.code); }
      try { tensor(1).expand([100 * MiB]).to('cuda'); } catch (error) { console.log(error.message); }
      console.log(large(20).device, tensor([1, 2], { device: 'cuda' }).tolist());`);
    const [message, second, third, last] = out.trim().split('\n');
    expect(message).toMatch(
      /^OutOfMemoryError: empty: a tensor of shape \[31457280\] needs 30 MB of device 'cuda', which has (\d+(\.\d+)?) MB free of 64 MB; 40 MB are live here and \S+ \S+ cached in use.*\. Use smaller batches, amp\.autocast or utils\.checkpoint\.$/,
    );
    expect(second).toBe('OutOfMemoryError ERR_THALWEG_OUT_OF_MEMORY');
    expect(third).toContain(`to: a tensor of shape [104857600] needs 400 MB of device 'cuda', which has `);
    expect(last).toBe('cuda [ 1, 2 ]');
  });

  test('when a kernel finds none for what it needs besides its tensors; and when it is there again', async () => {
    const out = await run(`
      const a = large(40);
      const draw = () => randperm(400_000, { device: 'cuda' }).slice(0, 0, 1).itemSync() >= 0;
      try { console.log(draw()); } catch (error) { console.log(error.name + ': ' + error.message); }
      a.dispose();
      emptyCache();
      console.log(draw());`);
    expect(out).toMatch(
      /^OutOfMemoryError: randomPermutation: the GPU has no \d+ bytes left for what a kernel needs besides its tensors; call emptyCache\(\) before it, or use smaller batches, amp\.autocast or utils\.checkpoint\ntrue\n$/,
    );
  });

  test('when other workers of the process have taken it', async () => {
    const out = await run(`
      import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const worker = new Worker(\`
        import { parentPort } from 'node:worker_threads';
        import { empty } from 'thalweg';
        globalThis.kept = empty([50 * 2 ** 20], { dtype: 'uint8', device: 'cuda' });
        parentPort.postMessage('taken');
        parentPort.once('message', () => process.exit(0));\`, { eval: true });
      await once(worker, 'message');
      try { large(30); console.log('made'); } catch (error) { console.log(error.name); }
      worker.postMessage('end');
      await once(worker, 'exit');
      console.log(large(60).device);`);
    expect(out).toBe('OutOfMemoryError\ncuda\n');
  });
});
