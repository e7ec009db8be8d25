// Who frees tensors: dispose, using, tidy, and the collector. And what happens when there is no memory.
import v8 from 'node:v8';
import vm from 'node:vm';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Tensor } from '../src/index.js';
import {
  emptyCache,
  keep,
  memory,
  type MemoryInfo,
  nn,
  noGrad,
  ones,
  optim,
  OutOfMemoryError,
  randn,
  synchronize,
  tensor,
  tidy,
  zeros,
} from '../src/index.js';
import { formatBytes } from '../src/memory.js';
import { native } from '../src/native.js';
import { runScript, sanitized } from './fixtures/child.js';

// What other tests forgot must not be freed, and counted, in the middle of this one.
beforeEach(() => {
  memory({ collect: true });
});

/** Tensors and bytes that `fn` leaves behind. */
function leftBy(fn: () => unknown): { tensors: number; bytes: number; result: unknown } {
  const before = memory();
  const result = fn();
  const after = memory();
  return { tensors: after.tensors - before.tensors, bytes: after.bytes - before.bytes, result };
}

/** Frees what a minor collection finds, which is what an allocation tries first. */
function collectYoung(): void {
  v8.setFlagsFromString('--expose-gc');
  (vm.runInNewContext('gc') as (options: { type: 'minor' }) => void)({ type: 'minor' });
  native.sweep();
}

/**
 * Collects until no more is live than there was, but for what tiny tensors may keep: those that share a page with a live one
 * (16 of at most 256 bytes). And V8's compiler may hold an object of the code it works on for a moment.
 */
async function expectLive(before: MemoryInfo): Promise<void> {
  for (let attempt = 0; attempt < 20 && memory({ collect: true }).tensors > before.tensors + 16; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { tensors, bytes } = memory();
  expect(tensors).toBeLessThanOrEqual(before.tensors + 16);
  expect(bytes).toBeLessThanOrEqual(before.bytes + 4096);
}

describe('memory()', () => {
  test('counts tensors and the bytes of their storages', () => {
    expect(leftBy(() => zeros([10, 10]))).toMatchObject({ tensors: 1, bytes: 400 });
    expect(leftBy(() => zeros([3], { dtype: 'float64' }))).toMatchObject({ tensors: 1, bytes: 24 });
    expect(leftBy(() => zeros([0]))).toMatchObject({ tensors: 1, bytes: 0 });
    expect(leftBy(() => tensor(true))).toMatchObject({ tensors: 1, bytes: 1 });
  });

  test('a view is a tensor without bytes of its own', () => {
    const x = zeros([4, 5]);
    expect(leftBy(() => [x.reshape([20]), x.transpose(0, 1), x.slice(0, 1)])).toMatchObject({ tensors: 3, bytes: 0 });
  });

  test('the peak is the most there was since it was reset', () => {
    memory({ resetPeak: true });
    const { bytes } = memory();
    expect(memory().peakBytes).toBe(bytes);
    const big = zeros([1000]);
    big.dispose();
    const after = memory({ resetPeak: true });
    expect(after).toMatchObject({ bytes, peakBytes: bytes + 4000 });
    expect(memory().peakBytes).toBe(bytes);
  });

  test('freed memory is cached until emptyCache()', () => {
    emptyCache();
    zeros([8 * 2 ** 20]).dispose();
    synchronize();
    const cached = memory().cachedBytes;
    expect(cached).toBeGreaterThanOrEqual(32 * 2 ** 20);
    expect(memory().reservedBytes).toBeGreaterThanOrEqual(cached);
    emptyCache();
    expect(memory().cachedBytes).toBeLessThan(cached - 32 * 2 ** 20 + 1);
  });

  test('collect frees what was forgotten', () => {
    const before = memory({ collect: true });
    for (let i = 0; i < 100; i++) zeros([1000]);
    expect(memory().tensors).toBeGreaterThan(before.tensors);
    const after = memory({ collect: true });
    expect(after.bytes).toBe(before.bytes);
    expect(after.tensors).toBe(before.tensors);
  });

  // With the sanitizers each tensor has memory of its own, and none is kept for the next.
  test.skipIf(sanitized)('a loop that forgets large tensors goes round and round in little memory', () => {
    emptyCache();
    memory({ collect: true, resetPeak: true });
    const { bytes } = memory();
    const pause = new Int32Array(new SharedArrayBuffer(4));
    // Together they would stay below what lets any allocation collect.
    for (let i = 0; i < 40; i++) {
      zeros([2 ** 19]);
      Atomics.wait(pause, 0, 0, 20); // As if it computed: collections take a small share of the time.
    }
    expect(memory().peakBytes - bytes).toBeLessThan(64 * 2 ** 20);
  });

  test('collect keeps what can be reached, small or large', () => {
    const kept = Array.from({ length: 200 }, (_, i) => tensor([i, i + 0.5]));
    const large = Array.from({ length: 5 }, (_, i) => ones([1000]).mul(i));
    memory({ collect: true });
    kept.forEach((t, i) => expect([...t.dataSync()]).toEqual([i, i + 0.5]));
    large.forEach((t, i) => expect(t.dataSync()[999]).toBe(i));
  });

  test('bytes as text', () => {
    expect(
      [0, 12, 1000, 1024, 1536, 2 ** 20, 2 ** 40, 1.5 * 2 ** 30, 400 * 2 ** 20, 30 * 2 ** 10].map(formatBytes),
    ).toEqual(['0 bytes', '12 bytes', '0.977 KB', '1 KB', '1.5 KB', '1 MB', '1 TB', '1.5 GB', '400 MB', '30 KB']);
  });
});

describe('dispose', () => {
  test('frees at once and is harmless a second time', () => {
    const x = zeros([100]);
    const before = memory();
    x.dispose();
    x.dispose();
    expect(x.isDisposed).toBe(true);
    expect(memory()).toMatchObject({ tensors: before.tensors - 1, bytes: before.bytes - 400 });
  });

  test('a disposed tensor is refused, by name', () => {
    const x = zeros([2, 3]);
    x.dispose();
    const y = zeros([2, 3]);
    const disposed = (fn: () => unknown, message: string): void =>
      expect(fn).toThrow(expect.objectContaining({ name: 'DisposedError', message, code: 'ERR_THALWEG_DISPOSED' }));
    disposed(() => x.add(1), 'add: a of shape [2,3] was disposed.');
    disposed(() => y.add(x), 'add: b of shape [2,3] was disposed.');
    disposed(() => x.sum(), 'sum: x of shape [2,3] was disposed.');
    disposed(() => x.dataSync(), 'dataSync: the tensor of shape [2,3] was disposed.');
    disposed(() => x.reshape([6]), 'reshape: x of shape [2,3] was disposed.');
    disposed(() => x.requiresGrad_(), 'requiresGrad_: the tensor of shape [2,3] was disposed.');
    disposed(() => x.backward(), 'backward: x of shape [2,3] was disposed.');
    disposed(() => String(x), 'toString: the tensor of shape [2,3] was disposed.');
  });

  test('a promise of its data is kept all the same', async () => {
    const x = ones([1000]);
    const data = x.data();
    x.dispose();
    for (let i = 0; i < 20; i++) zeros([1000]).dispose();
    expect((await data).every((value) => value === 1)).toBe(true);
    await expect(x.data()).rejects.toThrow('data: the tensor of shape [1000] was disposed.');
  });

  test('views keep the storage', () => {
    const before = memory();
    const x = tensor([
      [1, 2],
      [3, 4],
    ]);
    const column = x.transpose(0, 1).select(0, 1);
    x.dispose();
    expect(memory().bytes).toBe(before.bytes + 16);
    expect([...column.dataSync()]).toEqual([2, 4]);
    memory({ collect: true });
    expect([...column.dataSync()]).toEqual([2, 4]);
    column.dispose();
    expect(memory({ collect: true }).bytes).toBe(before.bytes);
  });

  test('the autograd graph keeps what it saved', () => {
    const w = tensor([2, 3], { requiresGrad: true });
    const x = tensor([5, 7]);
    const y = w.mul(x);
    x.dispose();
    y.sum().backward();
    expect([...w.grad!.dataSync()]).toEqual([5, 7]);
    expect(x.isDisposed).toBe(true);
  });

  test('using frees at the end of the block', () => {
    const before = memory().bytes;
    {
      using x = zeros([100]);
      expect(memory().bytes).toBe(before + 400);
      expect(x.isDisposed).toBe(false);
    }
    expect(memory().bytes).toBe(before);
  });

  test('using frees when the block throws', () => {
    const before = memory().bytes;
    expect(() => {
      using _x = zeros([100]);
      throw new Error('out');
    }).toThrow('out');
    expect(memory().bytes).toBe(before);
  });
});

describe('a step of training that is forgotten', () => {
  /** Bytes that a step leaves when what is young has been collected. */
  function leftByStep(step: () => void): number {
    const steps = 10;
    step();
    memory({ collect: true });
    const { bytes } = leftBy(() => {
      for (let i = 0; i < steps; i++) {
        step();
        collectYoung();
      }
    });
    return bytes / steps;
  }

  test.each([
    ['crossEntropy', nn.functional.crossEntropy],
    ['nllLoss', nn.functional.nllLoss],
  ] as const)('%s: a kept loss keeps nothing else', (_, lossOf) => {
    const x = randn([64, 10], { requiresGrad: true });
    const target = zeros([64], { dtype: 'int64' });
    const kept: Tensor[] = [];
    const left = leftByStep(() => {
      const loss = lossOf(x.mul(2), target);
      loss.backward();
      x.grad!.dispose();
      x.grad = null;
      kept.push(loss);
    });
    expect(kept.every((loss) => !loss.isDisposed)).toBe(true);
    expect(left).toBeLessThan(64);
  });

  // The gradients of the other outputs are zeros, which are made where the rule looks at them.
  test('an LSTM of which one output is used', () => {
    const lstm = new nn.LSTM(16, 16);
    const x = randn([20, 8, 16]);
    const target = zeros([8], { dtype: 'int64' });
    const left = leftByStep(() => {
      const [, [h]] = lstm.forward(x);
      nn.functional.crossEntropy(h.select(0, 0), target).backward();
      lstm.zeroGrad();
    });
    expect(left).toBeLessThan(256);
  });
});

describe('tidy', () => {
  test('frees all but the result', () => {
    const x = ones([100]);
    const left = leftBy(() => tidy(() => x.add(1).mul(2).sub(3)));
    expect(left).toMatchObject({ tensors: 1, bytes: 400 });
    expect((left.result as Tensor).dataSync()[0]).toBe(1);
  });

  test('does not touch tensors made outside', () => {
    const x = ones([3]);
    tidy(() => {
      x.add(1);
    });
    expect([...x.dataSync()]).toEqual([1, 1, 1]);
  });

  test('keeps tensors in arrays, objects, maps and sets, to any depth', () => {
    const left = leftBy(() =>
      tidy(() => {
        zeros([1]);
        const shared = ones([1]);
        const circular: Record<string, unknown> = { list: [shared, [zeros([1])]], same: shared };
        circular['self'] = circular;
        return {
          circular,
          map: new Map([['a', zeros([1])]]),
          set: new Set([zeros([1])]),
          bare: Object.create(null) as object,
          n: 5,
          nothing: null,
        };
      }),
    );
    expect(left.tensors).toBe(4);
    const result = left.result as { circular: { same: Tensor }; n: number };
    expect(result.circular.same.itemSync()).toBe(1);
    expect(result.n).toBe(5);
  });

  test('nested: a result of the inner belongs to the outer', () => {
    let inner: Tensor | null = null;
    const left = leftBy(() =>
      tidy(() => {
        inner = tidy(() => ones([4]).add(1));
        expect(inner.isDisposed).toBe(false);
        return inner.sum();
      }),
    );
    expect(left.tensors).toBe(1);
    expect(inner!.isDisposed).toBe(true);
    expect((left.result as Tensor).itemSync()).toBe(8);
  });

  test('when fn throws, everything it made is freed and the scope is left', () => {
    const left = leftBy(() => {
      expect(() =>
        tidy(() => {
          zeros([100]);
          tidy(() => {
            zeros([100]);
            throw new RangeError('inner');
          });
        }),
      ).toThrow(RangeError);
    });
    expect(left).toMatchObject({ tensors: 0, bytes: 0 });
    const free = zeros([1]);
    expect(free.isDisposed).toBe(false);
    expect(leftBy(() => zeros([1])).tensors).toBe(1);
  });

  test('keep takes a tensor out of all scopes', () => {
    let cache: Tensor | null = null;
    tidy(() => {
      tidy(() => {
        cache = keep(ones([2]));
      });
    });
    expect([...cache!.dataSync()]).toEqual([1, 1]);
    expect(keep(cache!)).toBe(cache);
    cache!.dispose();
    expect(cache!.isDisposed).toBe(true);
  });

  test('refuses a promise, whose tensors are not made yet', () => {
    expect(() => tidy(async () => ones([1]).sum())).toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: 'tidy(fn): fn returned a promise; use tidy around the synchronous parts of async code.',
      }),
    );
    expect(leftBy(() => zeros([1])).tensors).toBe(1);
  });

  test('returns what is no tensor as it is', () => {
    expect(tidy(() => 5)).toBe(5);
    expect(tidy(() => undefined)).toBe(undefined);
    const error = new Error('a value');
    expect(tidy(() => error)).toBe(error);
  });

  test('keeps gradients and frees the graph', () => {
    const w = ones([10, 10], { requiresGrad: true });
    tidy(() => w.mul(w).sum().backward());
    const left = leftBy(() => {
      for (let i = 0; i < 5; i++) tidy(() => w.mul(w).sum().backward());
    });
    expect(left).toMatchObject({ tensors: 0, bytes: 0 });
    expect(w.grad!.dataSync()[0]).toBe(12);
  });

  test('keeps parameters that were made inside', () => {
    const layer = tidy(() => {
      const made = new nn.Linear(3, 2);
      made.forward(zeros([1, 3]));
      return made;
    });
    expect(layer.weight.isDisposed).toBe(false);
    expect(layer.forward(zeros([1, 3])).shape).toEqual([1, 2]);
  });

  test('a tensor disposed inside, and a disposed result, are no matter', () => {
    const x = tidy(() => {
      const y = ones([2]);
      y.dispose();
      return y;
    });
    expect(x.isDisposed).toBe(true);
  });

  test('a view may leave when its base does not', () => {
    const row = tidy(() =>
      tensor([
        [1, 2],
        [3, 4],
      ]).select(0, 1),
    );
    expect([...row.dataSync()]).toEqual([3, 4]);
  });
});

describe('training without a thought of memory', () => {
  function stepper(): () => number {
    const model = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
    const x = randn([4, 4]);
    const y = tensor([0n, 1n, 1n, 0n]);
    return () => {
      const loss = nn.functional.crossEntropy(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return 0;
    };
  }

  test('10,000 steps without dispose end at the same live bytes', async () => {
    const steps = sanitized ? 1000 : 10_000;
    const step = stepper();
    for (let i = 0; i < 10; i++) step();
    const before = memory({ collect: true, resetPeak: true });
    for (let i = 0; i < steps; i++) step();
    const peak = memory().peakBytes;
    await expectLive(before);
    // A step makes some 5 KB: garbage was collected on the way.
    expect(peak).toBeLessThan(100 * 2 ** 20);
  });

  test('a tidy step leaves nothing at all', () => {
    const step = stepper();
    for (let i = 0; i < 3; i++) tidy(step);
    const left = leftBy(() => {
      for (let i = 0; i < 20; i++) tidy(step);
    });
    expect(left).toMatchObject({ tensors: 0, bytes: 0 });
  });

  test('evaluation in noGrad leaves only what is held', async () => {
    const model = new nn.Linear(16, 16);
    const x = randn([8, 16]);
    const before = memory({ collect: true });
    noGrad(() => {
      for (let i = 0; i < 500; i++) model.forward(x).relu();
    });
    await expectLive(before);
  });

  test('a tight synchronous loop of 100,000 forgotten 4 MB tensors stays under 1.5 GB', async () => {
    const { code, stderr, stdout } = await runScript(`
      import { empty, memory } from 'thalweg';
      let most = 0;
      for (let i = 0; i < ${sanitized ? 2000 : 100_000}; i++) {
        empty([1024, 1024]);
        if (i % 1000 === 0) most = Math.max(most, process.memoryUsage.rss());
      }
      console.log(JSON.stringify({ most, maxRss: process.resourceUsage().maxRSS * 1024, ...memory() }));
    `);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { maxRss, peakBytes } = JSON.parse(stdout) as { maxRss: number; peakBytes: number };
    expect(peakBytes).toBeLessThan(1.5 * 2 ** 30);
    if (!sanitized) expect(maxRss).toBeLessThan(1.5 * 2 ** 30);
  });

  test('so does one whose tensors are written and of many sizes', async () => {
    const { code, stderr, stdout } = await runScript(`
      import { full, memory } from 'thalweg';
      for (let i = 0; i < ${sanitized ? 200 : 1500}; i++) full([1 + (i * 7919) % 40, 25_000], i).add(1);
      console.log(JSON.stringify({ maxRss: process.resourceUsage().maxRSS * 1024, ...memory() }));
    `);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { maxRss } = JSON.parse(stdout) as { maxRss: number };
    if (!sanitized) expect(maxRss).toBeLessThan(1.5 * 2 ** 30);
  });
});

describe('out of memory', () => {
  test('a tensor beyond all memory: what was asked, what is live, what is the limit', () => {
    const error = ((): unknown => {
      try {
        return zeros([2 ** 38]);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(OutOfMemoryError);
    expect(error).toMatchObject({
      code: 'ERR_THALWEG_OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^zeros: a tensor of shape \[274877906944\] needs 1 TB, but \S+ \w+ are live, \S+ \w+ cached, and the limit is \S+ \w+ \(THALWEG_MEMORY_LIMIT\)\.$/,
      ),
    });
    expect(ones([3]).sum().itemSync()).toBe(3);
  });

  test('the operation is named', () => {
    const x = ones([1]).expand([2 ** 40]);
    expect(() => x.add(1)).toThrow(/^add: a tensor of shape \[1099511627776\] needs 4 TB, but /);
    expect(() => x.clone()).toThrow(/^clone: /);
    expect(() => ones([2 ** 20, 1]).matmul(ones([1, 2 ** 20]))).toThrow(
      /^matmul: a tensor of shape \[1048576,1048576\] needs 4 TB, /,
    );
  });

  test('a read that JavaScript could never hold', async () => {
    const x = ones([1]).expand([2 ** 52]);
    expect(() => x.dataSync()).toThrow(OutOfMemoryError);
    await expect(x.data()).rejects.toThrow(
      /^read: the tensor has 18014398509481984 bytes, \d+ are live and the limit is \d+$/,
    );
    expect(x.slice(0, 2 ** 51, 2 ** 51 + 2).dataSync()).toEqual(Float32Array.of(1, 1));
  });

  test('THALWEG_MEMORY_LIMIT: refused above, garbage is collected first, all works afterwards', async () => {
    const { code, stderr, stdout } = await runScript(
      `
      import { zeros, ones, memory, OutOfMemoryError } from 'thalweg';
      let held = zeros([10, 2 ** 18]); // 10 MB
      for (let i = 0; i < 100; i++) zeros([30, 2 ** 18]); // 30 MB each, forgotten
      try { zeros([55, 2 ** 18]); } catch (error) {
        console.log(error instanceof OutOfMemoryError, error.message.replace(/, \\S+ \\w+ cached/, ''));
      }
      console.log(zeros([50, 2 ** 18]).shape.length, held.sum().itemSync(), memory().bytes <= 64 * 2 ** 20);
    `,
      { THALWEG_MEMORY_LIMIT: '64MB' },
    );
    expect(stderr).toBe('');
    expect(stdout).toBe(
      'true zeros: a tensor of shape [55,262144] needs 55 MB, but 10 MB are live, and the limit is 64 MB (THALWEG_MEMORY_LIMIT).\n2 0 true\n',
    );
    expect(code).toBe(0);
  });

  test('a limit that is no size is pointed out and not used', async () => {
    const { code, stderr } = await runScript(`import { ones } from 'thalweg'; ones([3]).sum().itemSync();`, {
      THALWEG_MEMORY_LIMIT: 'lots',
    });
    expect(stderr).toContain("THALWEG_MEMORY_LIMIT is 'lots', which is no size such as 500M or 8G; it is not used.");
    expect(code).toBe(0);
  });
});

test('the collector does not run while nothing is allocated', () => {
  const now = vi.spyOn(performance, 'now');
  const x = ones([8]);
  for (let i = 0; i < 100; i++) x.dataSync();
  expect(now).not.toHaveBeenCalled();
  now.mockRestore();
});
