// How a process ends: at once, with the right code, whatever is pending.
import { describe, expect, test } from 'vitest';
import { runScript, sanitized, type ChildResult } from './fixtures/child.js';

const head = `
  import { ones, randn, synchronize, memory, tensor } from 'thalweg';
  const x = randn([64, 64]);
  const work = (count) => { let y = x; for (let i = 0; i < count; i++) y = y.matmul(x).tanh(); return y; };
`;
// Some 100 ms of it at least.
const heavy = `const big = randn([1500, 1500]); let product = big; for (let i = 0; i < 3; i++) product = product.matmul(big);`;

function expectClean(result: ChildResult, code = 0): void {
  expect({ code: result.code, signal: result.signal, stderr: result.stderr }).toEqual({
    code,
    signal: null,
    stderr: '',
  });
}

// Slow machines, and two tests at a time: generous, but far from a hang.
const soon = sanitized ? 300_000 : 20_000;

describe('a process ends', () => {
  test('with 10,000 commands pending', async () => {
    const result = await runScript(`${head} for (let i = 0; i < 10_000; i++) x.add(i); console.log('end');`);
    expectClean(result);
    expect(result.stdout).toBe('end\n');
    expect(result.ms).toBeLessThan(soon);
  });

  test('without waiting for what nobody reads', async () => {
    const result = await runScript(`${head} ${heavy} work(200); console.log(performance.now());`);
    expectClean(result);
    expect(result.ms).toBeLessThan(soon);
  });

  test('only when a pending read has been answered, awaited or not', async () => {
    const result = await runScript(
      `${head} ${heavy} product.sum().item().then((sum) => console.log(Number.isFinite(sum)));`,
    );
    expectClean(result);
    expect(result.stdout).toBe('true\n');
  });

  test('after many pending reads, all answered', async () => {
    const result = await runScript(`${head}
      let answered = 0;
      for (let i = 0; i < 1000; i++) x.add(i).data().then(() => answered++);
      process.on('exit', () => console.log(answered));`);
    expectClean(result);
    expect(result.stdout).toBe('1000\n');
  });

  test('by process.exit with commands and reads pending', async () => {
    const result = await runScript(`${head} ${heavy} product.data(); work(1000).data(); process.exit(7);`);
    expectClean(result, 7);
    expect(result.ms).toBeLessThan(soon);
  });

  test('by process.exit in the middle of a promise', async () => {
    const result = await runScript(`${head} await x.data(); work(100); await null; process.exit();`);
    expectClean(result);
  });

  test('with code 1 after an uncaught error, work pending', async () => {
    const result = await runScript(`${head} ${heavy} product.data(); throw new Error('on purpose');`);
    expect(result).toMatchObject({ code: 1, signal: null });
    expect(result.stderr).toContain('Error: on purpose');
  });

  test('with code 1 after an unhandled rejection: a failed kernel is not lost', async () => {
    const result = await runScript(`${head} x.gather(0, tensor([[99n]])).data();`);
    expect(result).toMatchObject({ code: 1, signal: null });
    expect(result.stderr).toContain('IndexError: gather: index 99 is out of range for dimension 0 of size 64');
  });

  test('after beforeExit, which may start work again', async () => {
    const result = await runScript(`${head}
      let rounds = 0;
      process.on('beforeExit', () => { if (rounds++ < 3) work(3).sum().data().then(() => console.log(rounds)); });`);
    expectClean(result);
    expect(result.stdout).toBe('1\n2\n3\n');
  });

  test('when exit handlers still compute', async () => {
    const result = await runScript(`${head} work(50);
      process.on('exit', () => { synchronize(); console.log(ones([3]).sum().itemSync(), memory().tensors > 0); });`);
    expectClean(result);
    expect(result.stdout).toBe('3 true\n');
  });

  test('when nothing but the import happened', async () => {
    const result = await runScript(`import 'thalweg';`);
    expectClean(result);
  });

  test('by a signal', async () => {
    const result = await runScript(`${head} ${heavy} process.kill(process.pid, 'SIGTERM'); await product.data();`);
    expect(result).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
  });

  test('in synchronous mode too', async () => {
    const result = await runScript(`${head} work(10); console.log((await x.sum().data()).length);`, {
      THALWEG_SYNC: '1',
    });
    expectClean(result);
    expect(result.stdout).toBe('1\n');
  });
});
