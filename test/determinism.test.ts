// The same bits for any number of threads, and the same numbers on every instruction set and with the stream inline.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import {
  embedding,
  Generator,
  getNumThreads,
  info,
  linear,
  manualSeed,
  matmul,
  nn,
  optim,
  rand,
  randint,
  randn,
  randperm,
  setNumThreads,
  tidy,
  type Tensor,
} from 'thalweg';
import { sanitized } from './fixtures/child.js';

const hash = (tensors: readonly Tensor[]): string => {
  const digest = createHash('sha256');
  for (const x of tensors) digest.update(x.bytesSync());
  return digest.digest('hex');
};

const threadsAtStart = getNumThreads();
afterAll(() => setNumThreads(threadsAtStart));

/** Values of very different sizes, whose sum depends on its order. */
function mixed(shape: readonly number[], seed: number, dtype: 'float32' | 'float64' = 'float32'): Tensor {
  const generator = new Generator(seed);
  return randn(shape, { dtype, generator }).mul(randn(shape, { dtype, generator }).mul(8).exp());
}

function train(): readonly Tensor[] {
  manualSeed(12);
  const model = new nn.Sequential(new nn.Linear(20, 64), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(64, 5));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const x = randn([256, 20]);
  const y = randint(0, 5, [256]);
  const losses: Tensor[] = [];
  for (let i = 0; i < 10; i++) {
    losses.push(
      tidy(() => {
        const loss = nn.functional.crossEntropy(model.forward(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.detach().clone();
      }),
    );
  }
  return [...losses, ...model.parameters(), ...[...optimizer.state.values()].map(({ v }) => v as Tensor)];
}

describe('the same bits for 1, 2 and 3 threads', () => {
  // Around the borders of tiles and chunks, where the split of the work could go wrong.
  const sizes = [1, 255, 256, 257, 4095, 4097, 32_767, 32_769, 65_537, 300_001];
  const jobs: Readonly<Record<string, () => readonly Tensor[]>> = {
    'random fills': () => {
      manualSeed(1);
      return sizes.flatMap((n) => [
        rand([n]),
        randn([n]),
        randn([n], { dtype: 'float64' }),
        randint(0, 1000, [n]),
        randperm(n),
      ]);
    },
    'whole reductions': () =>
      sizes.flatMap((n) => {
        const x = mixed([n], n);
        const wide = mixed([n], n, 'float64');
        return [x.sum(), x.mean(), x.var(), x.amax(), x.argmin(), x.prod(), wide.sum(), wide.var()];
      }),
    'reductions of rows and columns': () =>
      [
        [3, 100_003],
        [100_003, 3],
        [517, 513],
        [64, 9, 701],
      ].flatMap((shape) => {
        const x = mixed(shape, 3);
        return shape.flatMap((_, d) => [x.sum(d), x.var(d), x.max(d).values, x.softmax(d), x.logSoftmax(d)]);
      }),
    'elementwise over long tensors': () =>
      sizes.flatMap((n) => [mixed([n], n).tanh(), mixed([n], n).gelu(), mixed([2, n], n).add(mixed([n], 9))]),
    products: () =>
      [
        [1, 1, 1],
        [5, 300, 7],
        [129, 257, 65],
        [300, 200, 257],
        [1, 1000, 1000],
        [1000, 1000, 1],
        [3, 5000, 3],
      ].flatMap(([m, k, n]) => [
        matmul(mixed([m, k], 1), mixed([k, n], 2)),
        matmul(mixed([m, k], 1, 'float64'), mixed([k, n], 2, 'float64')),
        linear(mixed([m, k], 1), mixed([n, k], 2), mixed([n], 3)),
        matmul(mixed([k, m], 1).t(), mixed([k, n], 2)),
      ]),
    'batches of products': () => [
      matmul(mixed([17, 33, 20], 1), mixed([17, 20, 9], 2)),
      matmul(mixed([4, 1, 65, 70], 1), mixed([3, 70, 65], 2)),
    ],
    'gathering and scattering': () => {
      const indices = randint(0, 100, [50_000], { generator: new Generator(1) });
      const weight = mixed([100, 16], 1).requiresGrad_();
      embedding(weight, indices)
        .mul(mixed([50_000, 16], 2))
        .sum()
        .backward();
      return [
        weight.grad!,
        mixed([100], 3).scatterAdd(0, indices, mixed([50_000], 4)),
        mixed([100], 3).gather(0, indices),
      ];
    },
    'a training run': train,
  };
  for (const [name, job] of Object.entries(jobs)) {
    test(name, () => {
      const hashes = [1, 2, 3].map((threads) => {
        setNumThreads(threads);
        return tidy(() => hash(job()));
      });
      expect(hashes[1]).toBe(hashes[0]);
      expect(hashes[2]).toBe(hashes[0]);
    });
  }

  test('the thread count is what was set', () => {
    setNumThreads(3);
    expect(getNumThreads()).toBe(3);
    expect(info().threads).toBe(3);
    expect(() => setNumThreads(0)).toThrow('setNumThreads: expected an integer from 1 to 1024, got 0.');
    expect(() => setNumThreads(1.5)).toThrow('setNumThreads: expected an integer from 1 to 1024, got 1.5.');
    expect(getNumThreads()).toBe(3);
  });
});

// The sanitizers see the same kernels in the samples' own files.
describe.skipIf(sanitized)('the goldens hold', () => {
  const run = promisify(execFile);
  const root = fileURLToPath(new URL('..', import.meta.url));
  const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));

  /** Runs test files in a process of their own, with variables that are read when the addon is loaded. */
  async function child(files: readonly string[], variables: Readonly<Record<string, string>>): Promise<void> {
    const env = { ...process.env, THALWEG_TEST_GOLDENS_ONLY: '1', NO_COLOR: '1', CI: '1', ...variables };
    const names = files.map((name) => (name.endsWith('/') ? `test/${name}` : `test/${name}.test.ts`));
    // One process for all files: most of the time of so many is loading the library.
    const options = ['--reporter=dot', '--typecheck.enabled=false', '--maxWorkers=1', '--no-isolate'];
    await run(process.execPath, [vitest, 'run', '--config', 'vitest.built.config.ts', ...names, ...options], {
      cwd: root,
      env,
    }).catch((error: { stdout?: string; stderr?: string }) => {
      throw new Error(`with ${JSON.stringify(variables)}:\n${error.stdout}\n${error.stderr}`);
    });
  }

  // The best instruction set is what all other test files run on.
  const { isa: best, isas } = info();
  test.each(isas.filter((isa) => isa !== best))(
    'on %s',
    async (isa) => {
      await child(['samples/', 'random', 'optim'], { THALWEG_CPU: isa });
    },
    600_000,
  );

  test('with THALWEG_SYNC=1', async () => {
    await child(['samples/', 'autograd', 'optim'], { THALWEG_SYNC: '1' });
  }, 600_000);
});
