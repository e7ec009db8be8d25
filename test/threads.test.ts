// Where work runs: in the call or on the stream's thread, on one thread or several. None of it may be seen in results.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { IndexError, ones, synchronize, tensor, zeros, type Tensor } from 'thalweg';
import { runScript, sanitized } from './fixtures/child.js';

describe('little work in the call, much on the stream', () => {
  // On the stream until this has run, which takes some milliseconds.
  const queue = (): Tensor => {
    const big = ones([600, 600]);
    return big.matmul(big).matmul(big);
  };

  test('stays in order, whatever runs where', () => {
    const small = zeros([4]);
    const large = zeros([100_000]);
    for (let round = 1; round <= 60; round++) {
      if (round % 7 === 0) queue();
      small.add_(1);
      large.add_(small.slice(0, 0, 1));
      small.mul_(large.slice(0, 99_999, 100_000)).div_(large.slice(0, 0, 1));
      if (round % 5 === 0) synchronize();
    }
    expect([...small.dataSync()]).toEqual([60, 60, 60, 60]);
    expect(large.dataSync().every((x) => x === 1830)).toBe(true);
  });

  test('a small operand of a large result waits for the result', () => {
    const product = queue();
    const row = product.slice(0, 5, 6).sum();
    product.zero_();
    expect(row.itemSync()).toBe(600 * 360_000);
    expect(product.sum().itemSync()).toBe(0);
  });

  test('a failure surfaces at the next read, wherever it happened', async () => {
    const x = tensor([
      [0, 1, 2],
      [3, 4, 5],
    ]);
    for (const before of [(): unknown => undefined, queue]) {
      before();
      const failed = x.gather(0, tensor([[7n]]));
      const later = x.add(1); // runs, and says nothing
      expect(() => later.dataSync()).toThrow(IndexError);
      expect(later.dataSync()[5]).toBe(6);
      before();
      x.gather(0, tensor([[8n]]));
      x.gather(0, tensor([[9n]]));
      await expect(failed.data()).rejects.toThrow('gather: index 8 is out of range for dimension 0 of size 2');
      expect((await x.data())[5]).toBe(5);
    }
  });
});

describe('reads of what is there', () => {
  test('are answered in order, those on their way first', async () => {
    const order: number[] = [];
    const reads: Promise<unknown>[] = [];
    for (let i = 0; i < 200; i++) {
      const x = i % 40 === 0 ? ones([400, 400]).matmul(ones([400, 400])) : ones([2]).mul(i);
      reads.push(x.data().then(() => order.push(i)));
      if (i % 50 === 49) await reads[i];
    }
    await Promise.all(reads);
    expect(order).toEqual(Array.from(reads, (_, i) => i));
  });

  test('let timers and immediates have their turn', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const x = ones([3]);
    const end = performance.now() + 60_000;
    let reads = 0;
    while (ticks < 5 && performance.now() < end) {
      await x
        .add(1)
        .item()
        .catch(() => undefined);
      await x.sum().item();
      reads++;
    }
    clearInterval(timer);
    expect(ticks).toBeGreaterThanOrEqual(5);
    expect(reads).toBeGreaterThan(0);
  });

  test('give memory of their own', async () => {
    const x = ones([3]);
    const first = await x.data();
    first.fill(7);
    x.add_(1);
    expect([...(await x.data())]).toEqual([2, 2, 2]);
    expect([...first]).toEqual([7, 7, 7]);
  });
});

describe('more threads than processors', () => {
  const file = fileURLToPath(new URL('fixtures/worker.mjs', import.meta.url));

  test('many workers, each with a stream, on one pool: all get done, with the same bits', async () => {
    const data = { job: 'train', seed: 3, steps: sanitized ? 4 : 20 };
    const answers = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const worker = new Worker(file, { workerData: data });
        const [[answer]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')]);
        return (answer as { losses: number[] }).losses;
      }),
    );
    for (const losses of answers) expect(losses).toEqual(answers[0]);
  });

  test('THALWEG_NUM_THREADS=16', async () => {
    const script = `
      import { getNumThreads, ones, randn } from 'thalweg';
      const x = randn([300, 300]);
      const sums = Array.from({ length: 20 }, () => x.matmul(x).tanh().sum().itemSync());
      console.log(getNumThreads(), new Set(sums).size, ones([1000, 1000]).sum().itemSync());`;
    const { stdout, stderr } = await runScript(script, { THALWEG_NUM_THREADS: '16' });
    expect({ stdout, stderr }).toEqual({ stdout: '16 1 1000000\n', stderr: '' });
  });

  test.each(['0', '4 threads', '1025'])('THALWEG_NUM_THREADS=%s is pointed out', async (text) => {
    const script = `import { getNumThreads } from 'thalweg'; console.log(getNumThreads());`;
    const usual = await runScript(script, { THALWEG_NUM_THREADS: '' });
    const { code, stdout, stderr } = await runScript(script, { THALWEG_NUM_THREADS: text });
    expect({ code, stdout }).toEqual({ code: 0, stdout: usual.stdout });
    expect(stderr).toContain(`THALWEG_NUM_THREADS is '${text}', which is no integer from 1 to 1024; it is not used.`);
  });
});
