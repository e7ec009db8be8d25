// Failures that only a running kernel can find: where they surface, what they say, and that they are said once.
import { beforeEach, describe, expect, test } from 'vitest';
import { IndexError, nn, ones, optim, synchronize, tensor, ThalwegError, zeros, type Tensor } from '../src/index.js';
import { runScript } from './fixtures/child.js';

const message = 'gather: index 5 is out of range for dimension 0 of size 2';
const outside = (): Tensor => ones([2, 3]).gather(0, tensor([[5n]]));

// Nothing is left of a test that failed.
beforeEach(() => {
  synchronize();
});

describe('the failure of a kernel', () => {
  test('surfaces at the next read, by name', () => {
    const y = outside();
    expect(() => y.dataSync()).toThrow(
      expect.objectContaining({ name: 'IndexError', message, code: 'ERR_THALWEG_INDEX' }),
    );
  });

  test('rejects an awaited read', async () => {
    const error: unknown = await outside()
      .data()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IndexError);
    expect(error).toMatchObject({ message });
  });

  test.each<[string, (t: Tensor) => Promise<unknown>]>([
    ['item', (t) => t.item()],
    ['array', (t) => t.array()],
    ['bytes', (t) => t.bytes()],
  ])('rejects %s()', async (_, read) => {
    await expect(read(outside())).rejects.toThrow(message);
  });

  test('surfaces at the read of something else too: what follows may depend on it', () => {
    outside();
    expect(() => ones([1]).itemSync()).toThrow(message);
  });

  test('surfaces at synchronize()', () => {
    outside();
    expect(() => synchronize()).toThrow(message);
  });

  test('is reported once, and then all works', async () => {
    const y = outside();
    await expect(y.data()).rejects.toThrow(message);
    expect((await ones([3]).data()).length).toBe(3);
    expect(() => synchronize()).not.toThrow();
    expect(ones([2]).add(1).sum().itemSync()).toBe(4);
  });

  test('of several, the first is reported', () => {
    outside();
    zeros([4]).indexSelect(0, tensor([9n]));
    expect(() => synchronize()).toThrow(message);
    expect(() => synchronize()).not.toThrow();
  });

  test('of two reads that were pending, the first gets it', async () => {
    const y = outside();
    const results = await Promise.allSettled([y.data(), ones([2]).data()]);
    expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled']);
  });

  test('a negative index is no index from the end', () => {
    expect(() =>
      ones([2, 3])
        .gather(1, tensor([[-1n]]))
        .dataSync(),
    ).toThrow('gather: index -1 is out of range for dimension 1 of size 3');
  });

  test.each<[string, () => Tensor, string]>([
    [
      'embedding',
      () => nn.functional.embedding(ones([4, 2]), tensor([4n])),
      'embedding: index 4 is out of range for dimension 0 of size 4',
    ],
    [
      'indexSelect',
      () => ones([2, 3]).indexSelect(1, tensor([0n, 3n])),
      'embedding: index 3 is out of range for dimension 0 of size 3',
    ],
    [
      'scatterAdd',
      () => zeros([2]).scatterAdd(0, tensor([7n]), ones([1])),
      'scatterAdd: index 7 is out of range for dimension 0 of size 2',
    ],
    [
      'crossEntropy',
      () => nn.functional.crossEntropy(ones([1, 3]), tensor([3n])),
      'crossEntropy: target 3 is out of range for 3 classes',
    ],
    [
      'int32 indices',
      () => ones([2]).gather(0, tensor([2], { dtype: 'int32' })),
      'gather: index 2 is out of range for dimension 0 of size 2',
    ],
    [
      'int64 beyond 32 bits',
      () => ones([2]).gather(0, tensor([2n ** 40n])),
      'gather: index 1099511627776 is out of range for dimension 0 of size 2',
    ],
  ])('%s', (_, make, expected) => {
    const result = make();
    expect(() => result.dataSync()).toThrow(expect.objectContaining({ name: 'IndexError', message: expected }));
  });

  test('in a backward pass', () => {
    const w = ones([2, 3], { requiresGrad: true });
    w.gather(0, tensor([[5n]]))
      .sum()
      .backward();
    expect(() => w.grad!.dataSync()).toThrow(IndexError);
    expect(() => synchronize()).not.toThrow();
  });

  test('in a step of training, at the loss that is read', async () => {
    const model = new nn.Linear(3, 4);
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (label: bigint): Tensor => {
      const loss = nn.functional.crossEntropy(model.forward(ones([1, 3])), tensor([label]));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    await expect(step(4n).item()).rejects.toThrow(ThalwegError);
    synchronize();
  });
});

describe('a failure that nobody awaits is not lost', () => {
  test('an unhandled rejection ends the process', async () => {
    const { code, stderr } = await runScript(`
      import { ones, tensor } from 'thalweg';
      ones([2, 3]).gather(0, tensor([[5n]])).data();
      await new Promise((resolve) => setTimeout(resolve, 10_000));`);
    expect(code).toBe(1);
    expect(stderr).toContain(`IndexError: ${message}`);
  });

  test('without any read, it is told at the end', async () => {
    const { code, stderr } = await runScript(`
      import { ones, tensor } from 'thalweg';
      ones([2, 3]).gather(0, tensor([[5n]]));
      await new Promise((resolve) => setTimeout(resolve, 500));`);
    expect(code).toBe(0);
    expect(stderr).toBe(`thalweg: an operation failed, and nothing was read after it: IndexError: ${message}\n`);
  });
});

describe('THALWEG_SYNC=1', () => {
  test('the failure is thrown where it happens', async () => {
    const { code, stderr, stdout } = await runScript(
      `
      import { ones, tensor, nn, ThalwegError } from 'thalweg';
      const x = ones([2, 3]);
      const index = tensor([[5n]]);
      function culprit() { return x.gather(0, index); }
      try { culprit(); } catch (error) {
        console.log(error.name, error.message, error instanceof ThalwegError, error.stack.includes('culprit'));
      }
      console.log(x.sum().itemSync(), (await x.add(1).data())[5]);
      const layer = new nn.Linear(3, 2);
      layer.forward(x).sum().backward();
      console.log((await layer.weight.grad.data())[0]);`,
      { THALWEG_SYNC: '1' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(`IndexError ${message} true true\n6 2\n2\n`);
    expect(code).toBe(0);
  });
});
