// The THALWEG_DEBUG ladder.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { nn, ones, setDebugLevel, tensor } from '../src/index.js';
import { runScript } from './fixtures/child.js';

const script = `
  import { ones, tensor } from 'thalweg';
  const x = ones([2, 3]);
  const y = x.matmul(x.t()).add(1);
  function culprit() { return x.gather(0, tensor([[5n]])); }
  try { culprit(); console.log('later'); x.dataSync(); } catch (error) {
    console.log(error.message, error.stack.includes('culprit'));
  }
  function logarithm() { return x.sub(1).log(); }
  try { console.log(logarithm().mul(2).sum().itemSync()); } catch (error) {
    console.log(error.name, error.message, error.stack.includes('logarithm'));
  }`;
const failed = 'gather: index 5 is out of range for dimension 0 of size 2';
const traceLine = (text: string): RegExp => new RegExp(`^thalweg: ${text} {2}\\d+\\.\\d{3} ms {2}\\d+\\.\\d GB/s$`);

describe('THALWEG_DEBUG', () => {
  test('unset: a failure surfaces at the next read', async () => {
    const { code, stdout, stderr } = await runScript(script, { THALWEG_DEBUG: '' });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `later\n${failed} false\n-Infinity\n`, stderr: '' });
  });

  test('1 prints each operation, with shapes, time and rate', async () => {
    const { code, stdout, stderr } = await runScript(script, { THALWEG_DEBUG: '1' });
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${failed} true\n-Infinity\n` });
    const lines = stderr.trimEnd().split('\n');
    expect(lines).toHaveLength(6);
    expect(lines[0]).toMatch(traceLine('matmul\\(float32\\[2,3\\], float32\\[3,2\\]\\) -> float32\\[2,2\\]'));
    expect(lines[1]).toMatch(traceLine('add\\(float32\\[2,2\\]\\) -> float32\\[2,2\\]'));
    expect(lines.slice(2).map((line) => /^thalweg: (\w+)\(/.exec(line)?.[1])).toEqual(['sub', 'log', 'mul', 'sum']);
  });

  test('2 checks after each operation, without printing: the stack is that of the call', async () => {
    const { code, stdout, stderr } = await runScript(script, { THALWEG_DEBUG: '2' });
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: `${failed} true\n-Infinity\n`, stderr: '' });
  });

  test('3 names the operation that made the first NaN or infinity', async () => {
    const { code, stdout, stderr } = await runScript(script, { THALWEG_DEBUG: '3' });
    const made =
      'log: made the first NaN or infinity, in a result of shape [2,3] from finite inputs (THALWEG_DEBUG=3).';
    expect({ code, stdout, stderr }).toEqual({
      code: 0,
      stdout: `${failed} true\nNativeError ${made} true\n`,
      stderr: '',
    });
  });

  test.each(['-1', 'yes', 'NaN', '0'])('%s is off', async (level) => {
    const { stdout, stderr } = await runScript(script, { THALWEG_DEBUG: level });
    expect({ stdout, stderr }).toEqual({ stdout: `later\n${failed} false\n-Infinity\n`, stderr: '' });
  });
});

describe('setDebugLevel', () => {
  afterEach(() => {
    setDebugLevel(0);
    vi.restoreAllMocks();
  });

  test('turns tracing on and off', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    setDebugLevel(1);
    ones([2]).add(1);
    setDebugLevel(0);
    ones([2]).add(1);
    expect(write.mock.calls.map(([text]) => String(text).replace(/ {2}.*\n/, ''))).toEqual([
      'thalweg: add(float32[2]) -> float32[2]',
    ]);
  });

  test('3: values that come in infinite are not blamed on an operation', () => {
    setDebugLevel(3);
    const masked = tensor([0, -Infinity]);
    expect([...masked.add(1).dataSync()]).toEqual([1, -Infinity]);
    expect(() => tensor([0]).log()).toThrow('log: made the first NaN or infinity');
    expect(tensor([1, 2]).sum().itemSync()).toBe(3);
  });

  test('3: gradients are looked at as well', () => {
    setDebugLevel(3);
    const x = tensor([0], { requiresGrad: true });
    expect(() => x.sqrt().sum().backward()).toThrow(
      /^sqrtBackward: made the first NaN or infinity, in a result of shape \[1\]/,
    );
  });

  test('results are the same at every level', () => {
    const run = (): number[] => {
      const w = tensor(
        [
          [1, -2],
          [3, 4],
        ],
        { requiresGrad: true },
      );
      nn.functional.crossEntropy(w.matmul(w).relu(), tensor([0n, 1n])).backward();
      return [...w.grad!.dataSync()];
    };
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const plain = run();
    for (const level of [1, 2, 3] as const) {
      setDebugLevel(level);
      expect(run()).toEqual(plain);
    }
  });
});
