// Copies to a device beside its kernels: what they bring is there when it is used, whatever happens meanwhile. On the
// emulated device that says something with THALWEG_CUDA_EMULATED_STREAMS=late, where nothing arrives that is not waited for,
// and with =early, where it arrives at once, over what kernels still have to read: npm run test:cuda-emu strict has both.
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  arange,
  cuda,
  data,
  emptyCache,
  fromBytes,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  synchronize,
  tensor,
  zeros,
  type Device,
  type Tensor,
} from 'thalweg';
import { native } from '../../src/native.js';
import { errorOf } from '../error-of.js';
import { runScript } from '../fixtures/child.js';
import { describeDevice, hasTwo, isEmulated, second } from './available.js';

const device = 'cuda';
const cpu = { device: 'cpu' } as const;
const aside = { nonBlocking: true } as const;
/** What one piece of pinned memory holds: StagingPool::kPieceBytes. */
const piece = 4 * 2 ** 20;

/** Numbers from `first` on. */
const numbers = (count: number, first: number): Tensor =>
  arange(first, first + count, 1, { dtype: 'float32', device: 'cpu' });

function bytes(count: number, seed: number): Uint8Array {
  const result = new Uint8Array(count);
  for (let i = 0, state = seed; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state >>> 24;
  }
  return result;
}

describeDevice('to(device, { nonBlocking: true })', () => {
  // The emulated device opens and closes all of its memory for each launch, if it is strict.
  afterEach(() => {
    memory({ collect: true });
    emptyCache();
  });

  test.each([0, 1, 255, 256, 257, piece - 1, piece, piece + 1, 3 * piece + 5])(
    '%i bytes, of which several travel',
    (n) => {
      const sources = [bytes(n, 1), bytes(n, 2), bytes(7, 3)];
      const there = sources.map((source) => fromBytes(source, [source.length], 'uint8', cpu).to(device, aside));
      // Used in another order than they came.
      for (const i of [2, 0, 1]) expect(Buffer.compare(there[i].clone().bytesSync(), Buffer.from(sources[i]))).toBe(0);
    },
  );

  test('the source may be changed or disposed at once', () => {
    const source = numbers(100, 5);
    const there = source.to(device, aside);
    source.fill_(-1);
    const other = numbers(100, 1000);
    const there2 = other.to(device, aside);
    other.dispose();
    const over = numbers(100, -7);
    expect(there.sum().itemSync()).toBe(100 * 5 + 4950);
    expect(there2.sum().itemSync()).toBe(100 * 1000 + 4950);
    over.dispose();
  });

  test('a block that comes free is filled only when the kernels before have read it', () => {
    const sums: Tensor[] = [];
    for (let i = 0; i < 40; i++) {
      const x = numbers(1000, i).to(device, aside);
      sums.push(x.mul(2).sum());
      x.dispose();
    }
    expect(sums.map((sum) => sum.itemSync())).toEqual(sums.map((_, i) => 2 * (1000 * i + 499_500)));
  });

  test('a block that is freed before it was used does not change under its next owner', () => {
    const owners: (() => Tensor)[] = [
      () => zeros([1000], { device }),
      () => numbers(1000, 7).to(device),
      () => numbers(1000, 7).to(device, aside),
      () => ones([1000], { device: second }).to(device),
      // Of another size, so that it reaches into the freed one.
      () => zeros([3000], { device }),
    ];
    for (const own of owners) {
      const expected = own().dataSync();
      for (const neighbour of [0, 500]) {
        const before = zeros([neighbour], { device });
        const kept = zeros([1], { device });
        numbers(1000, 100).to(device, aside).dispose();
        before.dispose();
        const x = own();
        expect(x.dataSync()).toEqual(expected);
        synchronize();
        expect(x.dataSync()).toEqual(expected);
        expect(kept.itemSync()).toBe(0);
      }
    }
  });

  test('read, copied, changed in place, seen through a view', () => {
    const make = (): Tensor => numbers(24, 3).reshape([4, 6]).to(device, aside);
    const expected = Array.from({ length: 24 }, (_, i) => i + 3);
    expect(Array.from(make().dataSync(), Number)).toEqual(expected);
    expect(Array.from(make().to(second).dataSync(), Number)).toEqual(expected);
    expect(make().slice(0, 3, 4).slice(1, 5, 6).itemSync()).toBe(26);
    expect(Array.from(make().T.slice(0, 1, 2).contiguous().dataSync(), Number)).toEqual([4, 10, 16, 22]);
    expect(make().add_(1).sum().itemSync()).toBe(24 * 3 + 276 + 24);
    const target = zeros([4, 6], { device });
    expect(Array.from(target.copy_(make()).dataSync(), Number)).toEqual(expected);
    const filled = make();
    filled.fill_(2);
    synchronize();
    expect(filled.sum().itemSync()).toBe(48);
    const list = [make(), make()];
    nn.utils.clipGradNorm(list, 1e9);
    expect(cuda.isAvailable()).toBe(true);
  });

  test('layouts, dtypes and gradients as without it', () => {
    const x = numbers(24, 0).reshape([2, 3, 4]);
    const views: Tensor[] = [
      x.permute([2, 0, 1]),
      x.slice(2, 1, 4, 2),
      x.slice(0, 1, 1),
      x.narrow(1, 0, 1).expand([2, 5, 4]),
    ];
    for (const view of views) {
      const there = view.to(device, aside);
      expect([there.shape, there.dtype, there.strides]).toEqual([view.shape, view.dtype, view.to(device).strides]);
      expect(there.arraySync()).toEqual(view.arraySync());
    }
    const leaf = tensor([1, 2, 3], { device: 'cpu', requiresGrad: true });
    leaf.to(device, aside).mul(4).sum().backward();
    expect(leaf.grad!.tolist()).toEqual([4, 4, 4]);
    expect(tensor([1n, 2n], cpu).to(device, aside).tolist()).toEqual([1n, 2n]);
  });

  test('elsewhere it changes nothing', () => {
    const there = tensor([1, 2], { device });
    expect(there.to(device, aside)).toBe(there);
    expect(there.to('cpu', aside).tolist()).toEqual([1, 2]);
    expect(there.to(second, aside).tolist()).toEqual([1, 2]);
    expect(there.to(device, { nonBlocking: false })).toBe(there);
    const here = tensor([1, 2], cpu);
    expect(here.to('cpu', aside)).toBe(here);
    expect(errorOf(() => native.copyAside(here._handle, there._handle))).toBe(
      'DeviceError: copy: only a copy from the CPU can be made aside',
    );
  });

  test('more of them than are kept account of', () => {
    const there = Array.from({ length: 300 }, (_, i) => tensor([i, -i], cpu).to(device, aside));
    expect(there.map((x) => x.slice(0, 0, 1).itemSync())).toEqual(there.map((_, i) => i));
  });

  test('of both devices at once', () => {
    const there = Array.from({ length: 20 }, (_, i) => numbers(100, i).to(i % 2 ? second : device, aside));
    for (const [i, x] of there.entries()) {
      const sum = 100 * i + 4950;
      expect(x.sum().itemSync()).toBe(sum);
      expect(
        x
          .to(i % 2 ? device : second)
          .sum()
          .itemSync(),
      ).toBe(sum);
    }
  });
});

describeDevice('copy_(source, { nonBlocking: true })', () => {
  const copiesAside = (run: () => void): number => {
    const spy = vi.spyOn(native, 'copyAside');
    try {
      run();
      return spy.mock.calls.length;
    } finally {
      spy.mockRestore();
    }
  };

  test('travels beside the kernels, straight into the target, from the CPU to a GPU', () => {
    const there = zeros([8], { device });
    const { tensors } = memory({ device });
    expect(copiesAside(() => there.copy_(numbers(8, 1), aside))).toBe(1);
    expect(copiesAside(() => there.copy_(numbers(8, 2)))).toBe(0);
    expect(copiesAside(() => numbers(8, 3).copy_(there, aside))).toBe(0);
    expect(copiesAside(() => there.copy_(zeros([8], { device: second }), aside))).toBe(0);
    expect(memory({ device }).tensors).toBe(tensors + (second === device ? 1 : 0));
  });

  test('the kernels before it read what was there, those after it what it brings', () => {
    const x = zeros([5000], { device });
    const other = ones([10], { device });
    const sums: Tensor[] = [];
    for (let i = 0; i < 20; i++) {
      const source = numbers(5000, i);
      x.copy_(source, aside);
      source.fill_(-1);
      if (i % 2) source.dispose();
      sums.push(other.sum(), x.mul(2).sum());
    }
    expect(sums.map((sum) => sum.itemSync())).toEqual(
      sums.map((_, i) => (i % 2 ? 2 * (5000 * ((i - 1) / 2) + 12_497_500) : 10)),
    );
  });

  test('two in a row, and a change in place between them', () => {
    const x = zeros([3 * piece], { device, dtype: 'uint8' });
    const [first, last] = [bytes(3 * piece, 8), bytes(3 * piece, 9)];
    x.copy_(fromBytes(first, [3 * piece], 'uint8', cpu), aside);
    x.copy_(fromBytes(last, [3 * piece], 'uint8', cpu), aside);
    expect(Buffer.compare(x.bytesSync(), Buffer.from(last))).toBe(0);
    x.copy_(fromBytes(last, [3 * piece], 'uint8', cpu), aside);
    x.fill_(4);
    x.copy_(fromBytes(first, [3 * piece], 'uint8', cpu), aside);
    expect(Buffer.compare(x.bytesSync(), Buffer.from(first))).toBe(0);
  });

  test('broadcasts, converts, and fills views as without it', () => {
    const cases: [target: () => Tensor, source: Tensor][] = [
      [() => zeros([2, 3], { device }), numbers(3, 1)],
      [() => zeros([2, 3], { device }), numbers(6, 1).reshape([3, 2]).T],
      [() => zeros([6], { device }), arange(0, 6, 1, { device: 'cpu', dtype: 'int64' })],
      [() => zeros([3, 2], { device }).T, numbers(6, 4).reshape([2, 3])],
      [() => zeros([4, 3], { device }).slice(0, 1, 3), numbers(6, 4).reshape([2, 3])],
      [() => zeros([2, 9], { device }).slice(1, 1, 8, 3), numbers(6, 4).reshape([2, 3])],
      [
        () => zeros([2, 3, 2, 2], { device }).contiguous({ memoryFormat: 'channelsLast' }),
        numbers(24, 0).reshape([2, 3, 2, 2]),
      ],
      [() => zeros([0, 3], { device }), numbers(0, 0).reshape([0, 3])],
    ];
    for (const [target, source] of cases) {
      const filled = target();
      expect(filled.copy_(source, aside)).toBe(filled);
      expect(filled.arraySync()).toEqual(target().copy_(source.to(device)).arraySync());
      expect(filled.arraySync()).toEqual(target().copy_(source).arraySync());
    }
  });

  test('is a change in place: a saved tensor notices', () => {
    const x = ones([3], { device });
    const w = ones([3], { device, requiresGrad: true });
    const loss = w.mul(x).sum();
    noGrad(() => x.copy_(numbers(3, 1), aside));
    expect(errorOf(() => loss.backward())).toMatch(/^GradError: /);
  });
});

describeDevice('Module.to(device, { nonBlocking: true })', () => {
  test('the weights travel beside the kernels, and the model computes with them', () => {
    const model = new nn.Sequential(new nn.Linear(6, 40, cpu), new nn.BatchNorm1d(40, cpu), new nn.Linear(40, 3, cpu));
    const x = numbers(24, -12).reshape([4, 6]);
    const expected = model.forward(x).arraySync();
    const stats = new Map(Array.from(model.stateDict(), ([name, t]) => [name, t.arraySync()]));
    const spy = vi.spyOn(native, 'copyAside');
    expect(model.to(device, aside)).toBe(model);
    expect(spy).toHaveBeenCalledTimes(stats.size);
    spy.mockRestore();
    for (const [name, t] of model.stateDict()) {
      expect([name, t.device, t.arraySync()]).toEqual([name, device, stats.get(name)]);
    }
    const output = model.eval().to('cpu', aside).train().to(device, aside).forward(x.to(device, aside)).arraySync();
    (output as number[][]).forEach((row, i) =>
      row.forEach((value, j) => expect(value).toBeCloseTo((expected as number[][])[i][j], 4)),
    );
  });
});

/** Samples as numbers and labels on the CPU. */
const samples = (count: number, width: number): data.Dataset<unknown, Tensor[]> => {
  const [x, y] = [numbers(count * width, 0), arange(0, count, 1, { dtype: 'int64', device: 'cpu' })];
  return new data.TensorDataset<Tensor[]>(x.reshape([count, width]).div(count * width), y.remainder(3));
};

interface Options {
  device?: Device;
  prefetch?: number;
  disposing?: boolean;
  captured?: boolean;
}

/** Two epochs with a small model: losses and weights. */
async function train({ device: to = device, prefetch = 1, disposing = false, captured = false }: Options) {
  manualSeed(2);
  const model = new nn.Sequential(new nn.Linear(12, 16), new nn.ReLU(), new nn.Linear(16, 3)).to(to);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.02 });
  const loader = new data.DataLoader(samples(24, 12), { batchSize: 8, shuffle: true, seed: 3, device: to, prefetch });
  const [input, labels] = [zeros([8, 12], { device: to }), zeros([8], { device: to, dtype: 'int64' })];
  const once = (): Tensor => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(input), labels);
    loss.backward();
    optimizer.step();
    return loss.detach();
  };
  const step = captured ? cuda.graph(once, { device: to }) : once;
  const losses: number[] = [];
  for (let epoch = 0; epoch < 2; epoch++) {
    for await (const [x, y] of loader) {
      expect([x.device, y.device]).toEqual([to, to]);
      noGrad(() => {
        input.copy_(x);
        labels.copy_(y);
      });
      if (disposing) {
        x.dispose();
        y.dispose();
      }
      losses.push(Number(step().itemSync()));
    }
  }
  if (captured) (step as cuda.CapturedFunction<Tensor>).dispose();
  return { losses, weights: [...model.parameters()].map((p) => Array.from(p.dataSync(), Number)) };
}

describeDevice('DataLoader with prefetch on a device', () => {
  test('a training is the same, bit for bit, for any number of batches ahead; disposed or not, captured or not', async () => {
    const expected = await train({ prefetch: 0 });
    expect(new Set(expected.losses).size).toBe(6);
    for (const prefetch of [1, 20]) expect(await train({ prefetch })).toEqual(expected);
    expect(await train({ disposing: true })).toEqual(expected);
    expect(await train({ prefetch: 3, disposing: true })).toEqual(expected);
    expect(await train({ captured: true })).toEqual(expected);
    expect(await train({ prefetch: 2, disposing: true, captured: true })).toEqual(expected);
    if (hasTwo) expect(await train({ device: second, prefetch: 2 })).toEqual(expected);
  });

  test('each batch has its samples, with for await and with for', async () => {
    const dataset = samples(23, 700);
    const plain = Array.from(new data.DataLoader(dataset, { batchSize: 4 }), ([x, y]) => [
      x.arraySync(),
      y.arraySync(),
    ]);
    for (const prefetch of [0, 1, 2, 9]) {
      const loader = new data.DataLoader(dataset, { batchSize: 4, device, prefetch });
      const [awaited, sync]: unknown[][] = [[], []];
      for await (const [x, y] of loader) awaited.push([x.arraySync(), y.arraySync()]);
      for (const [x, y] of loader) {
        sync.push([x.arraySync(), y.arraySync()]);
        x.dispose();
        y.dispose();
      }
      expect(awaited).toEqual(plain);
      expect(sync).toEqual(plain);
    }
  });

  test('loops that are left, that throw, and iterators that are forgotten leave nothing behind', async () => {
    const dataset = samples(40, 300);
    memory({ collect: true });
    const counts = (): number[] => {
      const now = memory({ device, collect: true });
      return [now.tensors, now.bytes];
    };
    const before = counts();
    // Not expect().rejects, which keeps the error, whose stack keeps the loader's batches.
    const messageOf = async (fn: () => Promise<void>): Promise<string> =>
      fn().then(
        () => 'nothing',
        (error: unknown) => (error as Error).message,
      );
    await (async () => {
      const loader = new data.DataLoader(dataset, { batchSize: 4, device, prefetch: 3 });
      for await (const [x] of loader) {
        expect(x.shape).toEqual([4, 300]);
        break;
      }
      for (const [x] of loader) {
        x.dispose();
        break;
      }
      const failing = async (): Promise<void> => {
        let batch = 0;
        for await (const [x] of loader) if (x.sum().itemSync() > -1 && ++batch === 3) throw new Error('enough');
      };
      expect(await messageOf(failing)).toBe('enough');
      const abandoned = loader[Symbol.asyncIterator]();
      await abandoned.next();
      const broken: data.Dataset<Tensor, Tensor> = {
        length: 10,
        get: (i) => {
          if (i === 7) throw new Error('sample 7 is gone');
          return ones([300], cpu).mul(i);
        },
      };
      const seen: unknown[] = [];
      const reading = async (): Promise<void> => {
        const options = { device, prefetch: 2, collate: ([x]: Tensor[]) => x } as const;
        for await (const x of new data.DataLoader(broken, options)) seen.push(x.sum().itemSync());
      };
      expect(await messageOf(reading)).toBe('sample 7 is gone');
      expect(seen).toEqual([0, 300, 600, 900, 1200, 1500, 1800]);
      // What was on its way fills no memory that now belongs to another.
      const kept = Array.from({ length: 30 }, () => zeros([4, 300], { device }));
      synchronize();
      expect(kept.every((x) => x.sum().itemSync() === 0)).toBe(true);
    })();
    // The promises of the batches that nobody took are settled.
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(counts()).toEqual(before);
  });
});

describeDevice('a graph', () => {
  test('that is captured while a copy is under way, and launched while others are', () => {
    const x = numbers(1000, 1).to(device, aside);
    const other = numbers(1000, 2).to(device, aside);
    const step = cuda.graph(() => x.sum(), { warmup: 1 });
    const expected = 1000 + 499_500;
    expect(step().itemSync()).toBe(expected);
    const third = numbers(1000, 3).to(device, aside);
    expect(step().itemSync()).toBe(expected);
    expect(step.isCaptured).toBe(true);
    const fourth = numbers(1000, 4).to(device, aside);
    expect(step().itemSync()).toBe(expected);
    expect([other, third, fourth].map((y) => y.sum().itemSync())).toEqual([2, 3, 4].map((n) => 1000 * n + 499_500));
    step.dispose();
  });

  test('waits for a copy into what it reads', () => {
    const x = ones([1000], { device });
    const step = cuda.graph(() => x.mul(3), { warmup: 1 });
    step();
    // Also while it is captured.
    native.copyAside(x._handle, numbers(1000, 9)._handle);
    expect(step().dataSync()[0]).toBe(27);
    expect(step.isCaptured).toBe(true);
    for (let i = 0; i < 5; i++) {
      const source = numbers(1000, i);
      native.copyAside(x._handle, source._handle);
      source.dispose();
      const result = step().dataSync();
      expect([result[0], result[999]]).toEqual([3 * i, 3 * (i + 999)]);
    }
    step.dispose();
  });

  test('whose input is filled while the one before it runs', () => {
    const input = zeros([1000], { device });
    const sum = zeros([], { device });
    const step = cuda.graph(() => void noGrad(() => sum.add_(input.sum())), { warmup: 1 });
    for (let i = 0; i < 6; i++) {
      const batch = numbers(1000, i);
      noGrad(() => input.copy_(batch, aside));
      batch.dispose();
      step();
    }
    expect(step.isCaptured).toBe(true);
    expect(sum.itemSync()).toBe(6 * 499_500 + 1000 * 15);
    step.dispose();
  });

  test('refuses a copy of its own', () => {
    const source = numbers(3, 0);
    const step = cuda.graph(() => source.to(device, aside).sum(), { warmup: 1 });
    expect(step().itemSync()).toBe(3);
    expect(errorOf(step)).toBe(
      'DeviceError: copy: a function that is captured as a graph cannot read values or leave its device',
    );
    expect(source.to(device, aside).tolist()).toEqual([0, 1, 2]);
  });
});

// Processes of their own, with their own orders of streams.
const head = `import { arange, data, memory, synchronize, tensor, zeros } from 'thalweg';
  const aside = { nonBlocking: true };
  const numbers = (n, first) => arange(first, first + n, 1, { dtype: 'float32', device: 'cpu' });
  const MiB = 2 ** 20;
  /** Batches of 9 MB, of which each is what it should be. */
  const check = async (device, count = 6) => {
    const dataset = { length: count, get: (i) => numbers(9 * MiB / 4, i) };
    let seen = 0;
    for await (const x of new data.DataLoader(dataset, { device, collate: ([x]) => x, prefetch: 2 })) {
      const [first, last] = [x.slice(0, 0, 1), x.slice(0, 9 * MiB / 4 - 1, 9 * MiB / 4)].map((part) => part.itemSync());
      if (first === seen && last === seen + 9 * MiB / 4 - 1) seen++;
      x.dispose();
    }
    return seen;
  };`;
const run = async (script: string, env: Record<string, string> = {}): Promise<string> => {
  const { code, signal, stdout, stderr } = await runScript(`${head}${script}`, {
    THALWEG_TEST_DEVICE: '',
    // Large blocks, many launches.
    THALWEG_CUDA_EMULATED_STRICT: '0',
    ...env,
  });
  expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
  return stdout;
};

describe.skipIf(!isEmulated || process.env['THALWEG_CUDA_EMULATED_STREAMS'] !== undefined)(
  'when something is scarce or wrong (emulated)',
  () => {
    test('as little pinned memory as that', async () => {
      const script = `console.log(await check('cuda'), numbers(3 * MiB, 1).to('cuda').to('cpu').sum().itemSync());`;
      const outs = [
        { THALWEG_CUDA_EMULATED_PINNED: '0', THALWEG_CUDA_EMULATED_STREAMS: 'late' },
        { THALWEG_CUDA_EMULATED_PINNED: '1', THALWEG_CUDA_EMULATED_STREAMS: 'early' },
        { THALWEG_CUDA_EMULATED_PINNED: '3', THALWEG_CUDA_EMULATED_STREAMS: 'late' },
      ].map(async (env) => run(script, env));
      const sum = (3 * 2 ** 20 * (3 * 2 ** 20 + 1)) / 2;
      expect(await Promise.all(outs)).toEqual(outs.map(() => `6 ${sum}\n`));
    });

    test('memory for hardly more than a batch; THALWEG_SYNC=1', async () => {
      const late = { THALWEG_CUDA_EMULATED_STREAMS: 'late' };
      const outs = [
        run(`console.log(await check('cuda', 12), memory({ device: 'cuda', collect: true }).bytes);`, {
          ...late,
          THALWEG_CUDA_EMULATED_MEMORY: String(40 * 2 ** 20),
        }),
        run(`console.log(await check('cuda'));`, { ...late, THALWEG_SYNC: '1' }),
      ];
      expect(await Promise.all(outs)).toEqual(['12 0\n', '6\n']);
    });

    test('workers, each with copies of its own', async () => {
      const out = await run(
        `import { Worker } from 'node:worker_threads';
      import { once } from 'node:events';
      const source = ${JSON.stringify(head)} + \`
        import { parentPort, workerData } from 'node:worker_threads';
        parentPort.postMessage(await check(workerData));\`;
      const workers = ['cuda', 'cuda:1'].map((device) => new Worker(source, { eval: true, workerData: device }));
      const answers = Promise.all(workers.map((worker) => once(worker, 'message')));
      console.log(await check('cuda'), (await answers).flat().join());`,
        { THALWEG_CUDA_EMULATED_STREAMS: 'late' },
      );
      expect(out).toBe('6 6,6\n');
    });

    test('a process that ends while copies are under way', async () => {
      const outs = ['late', 'early'].map(async (order) =>
        run(
          `for (let i = 0; i < 30; i++) numbers(MiB, i).to('cuda', aside);
        const x = numbers(10, 0).to('cuda:1', aside);
        console.log('end');`,
          { THALWEG_CUDA_EMULATED_STREAMS: order },
        ),
      );
      expect(await Promise.all(outs)).toEqual(['end\n', 'end\n']);
    });

    test('a lost device: the next read says so, and the CPU goes on', async () => {
      const out = await run(
        `const attempt = (run) => { try { return String(run()); } catch (error) { return error.name + ': ' + error.message; } };
      const x = zeros([4], { device: 'cuda' });
      for (let i = 0; i < 5; i++) x.fill_(i);
      const y = numbers(4, 1).to('cuda', aside);
      console.log(attempt(() => y.dataSync()));
      console.log(attempt(() => numbers(4, 1).to('cuda', aside).dataSync()));
      y.dispose();
      console.log(attempt(() => numbers(4, 1).sum().itemSync()));
      attempt(() => synchronize());`,
        { THALWEG_CUDA_EMULATED_LOST: '3' },
      );
      const lines = out.trim().split('\n');
      expect(lines).toHaveLength(3);
      expect(lines[0]).toMatch(/^DeviceError: fill: .*cudaErrorLaunchFailure/);
      expect(lines[1]).toMatch(/^DeviceError: .*cudaErrorLaunchFailure/);
      expect(lines[2]).toBe('10');
    });
  },
);
