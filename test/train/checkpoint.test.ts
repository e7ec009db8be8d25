// Checkpoints: a run that goes on with one ends as a run that was never interrupted, whatever it is made of.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { data, manualSeed, metrics, nn, optim, randn, safetensors, tensor, train, zeros, type Tensor } from 'thalweg';

const { crossEntropy } = nn.functional;

let folder: string;
beforeEach(() => {
  // In memory where there is a folder for it: disks make each checkpoint wait.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'thalweg-checkpoint-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  vi.restoreAllMocks();
});

type Pair = readonly [Tensor, Tensor];

function circle(count = 60, seed = 1): data.TensorDataset<Pair> {
  manualSeed(seed);
  const points = randn([count, 2]);
  return new data.TensorDataset<Pair>(points, points.square().sum(1).lt(1).to('int64'));
}

function mlp(width = 8) {
  manualSeed(0);
  return new nn.Sequential(
    new nn.Linear(2, width),
    new nn.BatchNorm1d(width),
    new nn.Dropout(0.3),
    new nn.Linear(width, 2),
  );
}

const bitsOf = (model: nn.AnyModule): Record<string, number[]> =>
  Object.fromEntries(Array.from(model.stateDict(), ([name, t]) => [name, [...t.bytesSync()]]));

interface Setup {
  readonly optimizer: (model: nn.AnyModule) => train.AnyOptimizer;
  readonly more?: (loader: data.DataLoader<Pair, Pair>) => Partial<train.FitOptions<nn.AnyModule, Pair>>;
}

const setups: Record<string, Setup> = {
  'SGD with momentum and OneCycleLR': {
    optimizer: (m) => new optim.SGD(m.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true }),
    more: () => ({ schedule: (o) => new optim.lrScheduler.OneCycleLR(o, 0.2, { totalSteps: 40 }) }),
  },
  'AdamW, accumulated, with clipping, EMA and the best model': {
    optimizer: (m) => new optim.AdamW(m.parameters(), { lr: 0.01 }),
    more: () => ({
      accumulate: 2,
      clip: 1,
      callbacks: [new train.EMA({ decay: 0.9 }), new train.BestModel(), new train.EarlyStopping({ restoreBest: true })],
    }),
  },
  'Adam in float16 with growing batches': {
    optimizer: (m) => new optim.Adam(m.parameters(), { lr: 0.01 }),
    more: (loader) => ({
      amp: 'float16',
      schedule: { scheduler: new optim.batchSizeScheduler.StepBatchSize(loader, 3), interval: 'step' },
    }),
  },
  'Lookahead, plateau and growing epochs': {
    optimizer: (m) => new optim.Lookahead(new optim.Adam(m.parameters(), { lr: 0.01 })),
    more: () => ({
      schedule: (o) => new optim.lrScheduler.ReduceLROnPlateau(o, { patience: 0 }),
      epochs: 2,
      callbacks: [new train.GrowEpochs({ maxEpochs: 4 }), new train.GrowBatchSize({ every: 2 })],
    }),
  },
  'L-BFGS': { optimizer: (m) => new optim.LBFGS(m.parameters(), { maxIter: 2, historySize: 3 }) },
  'schedule-free AdamW': { optimizer: (m) => new optim.ScheduleFreeAdamW(m.parameters(), { lr: 0.01 }) },
};

function fitted(setup: Setup, more: Partial<train.FitOptions<nn.AnyModule, Pair>>, watchers: train.Callback[]) {
  const model = mlp();
  const loader = new data.DataLoader<Pair, Pair>(circle(), {
    batchSize: 8,
    shuffle: true,
  });
  const own = setup.more?.(loader) ?? {};
  return train
    .fit<nn.AnyModule, Pair>(model, {
      data: loader,
      validation: circle(20, 2),
      loss: crossEntropy,
      optimizer: setup.optimizer,
      epochs: 4,
      metrics: [new metrics.Accuracy()],
      seed: 5,
      quiet: true,
      ...own,
      ...more,
      callbacks: [...(own.callbacks ?? []), ...watchers],
    })
    .then((result) => ({ ...result, bits: bitsOf(model) }));
}

const timeless = ({ history, bits, stopReason }: Awaited<ReturnType<typeof fitted>>) => ({
  bits,
  stopReason,
  history: history.map(({ seconds: _, ...record }) => record),
});

/** Ends a run after so many updates, as a signal would. */
const stopAfter = (steps: number): train.Callback => ({
  onStep: (run, { step }) => (step === steps ? run.stop('interrupted') : undefined),
});

describe.each(Object.entries(setups))('%s', (_, setup) => {
  test('goes on to the same bits, in the middle of an epoch and after one', async () => {
    const whole = await fitted(setup, {}, []);
    let parts = await fitted(setup, {}, [new train.Checkpoint(folder, { everySteps: 3 }), stopAfter(2)]);
    expect(parts.stopReason).toBe('interrupted');
    for (const steps of [3, 7, 12]) {
      parts = await fitted(setup, { resume: true }, [
        new train.Checkpoint(folder, { everySteps: 3 }),
        stopAfter(steps),
      ]);
    }
    parts = await fitted(setup, { resume: folder }, [new train.Checkpoint(folder)]);
    expect(timeless(parts)).toEqual(timeless(whole));
  });
});

const plain = setups['SGD with momentum and OneCycleLR'];

describe('Checkpoint', () => {
  test('keeps the newest, and the best', async () => {
    const result = await fitted(plain, {}, [new train.Checkpoint(folder, { everySteps: 4, keep: 2 })]);
    expect(readdirSync(folder).sort()).toEqual([
      'best.safetensors',
      'step-00000028.safetensors',
      'step-00000032.safetensors',
    ]);
    const best = await train.readCheckpoint(join(folder, 'best.safetensors'));
    const model = mlp();
    model.loadStateDict(best.model);
    const { loss } = await train.evaluate(model, circle(20, 2), { loss: crossEntropy });
    expect(loss).toBe(result.bestValue);
    expect((await train.listCheckpoints(folder)).map(({ step }) => step)).toEqual([32, 28]);
  });

  test('goes on with what readCheckpoint gives, and with a run that has more epochs', async () => {
    const whole = await fitted(plain, {}, []);
    await fitted(plain, { epochs: 2 }, [new train.Checkpoint(folder)]);
    const content = await train.readCheckpoint((await train.listCheckpoints(folder))[0].file);
    for (let i = 0; i < 2; i++) expect(timeless(await fitted(plain, { resume: content }, []))).toEqual(timeless(whole));
  });

  test('passes over a damaged one with a warning; if all are, says so', async () => {
    const whole = await fitted(plain, {}, []);
    const checkpoint = () => new train.Checkpoint(folder, { everySteps: 4 });
    await fitted(plain, {}, [checkpoint(), stopAfter(13)]);
    const names = readdirSync(folder).filter((name) => name.startsWith('step-'));
    expect(names).toEqual(['step-00000008.safetensors', 'step-00000012.safetensors', 'step-00000013.safetensors']);
    const newest = join(folder, names[2]);
    // One bit of a weight: the header does not know.
    const bytes = readFileSync(newest);
    bytes[bytes.length - 20] ^= 1;
    writeFileSync(newest, bytes);
    writeFileSync(join(folder, names[1]), readFileSync(join(folder, names[1])).subarray(0, 1000));
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    expect(timeless(await fitted(plain, { resume: folder }, []))).toEqual(timeless(whole));
    const warnings = warn.mock.calls.map(([message]) => String(message));
    expect(warnings).toHaveLength(2);
    expect(warnings[0]).toContain(`checkpoint ${newest}: it is damaged: its content has the checksum`);
    expect(warnings[0]).toContain(`Resuming from ${join(folder, names[0])}, the one before.`);
    expect(warnings[1]).toContain('step-00000012.safetensors: the header length');
    writeFileSync(join(folder, names[0]), '');
    await expect(fitted(plain, { resume: folder }, [])).rejects.toThrow(
      `checkpoint ${folder}: none of the 3 is whole; the newest: checkpoint ${newest}: it is damaged`,
    );
  });

  test('says what does not fit', async () => {
    await fitted(plain, {}, [new train.Checkpoint(folder, { everySteps: 2 }), stopAfter(10)]);
    const newest = (await train.listCheckpoints(folder))[0].file;
    const failure = (setup: Setup, more: Partial<train.FitOptions<nn.AnyModule, Pair>> = {}): Promise<string> =>
      fitted(setup, { resume: folder, ...more }, []).then(
        () => 'no error',
        (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
      );
    const prefix = `ArgumentError: train.fit: the checkpoint ${newest} does not fit this run: `;
    expect(await failure(setups['L-BFGS'])).toBe(`${prefix}its optimizer is SGD, this run's is LBFGS.`);
    expect(await failure({ optimizer: plain.optimizer })).toBe(
      `${prefix}its schedules are OneCycleLR, this run's are none.`,
    );
    expect(await failure(plain, { amp: 'float16' })).toBe(`${prefix}it was not saved with loss scaling.`);
    expect(await failure(plain, { metrics: [] })).toBe(
      `${prefix}it is of the middle of an epoch with the metrics accuracy, this run has none.`,
    );
    expect(
      await failure(plain, {
        data: new data.DataLoader<Pair, Pair>(circle(61) as never, { batchSize: 8, shuffle: true }),
      }),
    ).toBe(`${prefix}DataLoader.loadStateDict: the state is of a dataset of 60 samples, but this one has 61.`);
    const wide = mlp(9);
    await expect(
      train.fit(wide, {
        data: circle(),
        loss: crossEntropy,
        optimizer: (m) => new optim.SGD(m.parameters(), { lr: 0.1 }),
        epochs: 1,
        resume: folder,
        quiet: true,
      }),
    ).rejects.toThrow(`'0.weight' is float32[8,2], in the model float32[9,2].`);

    const foreign = join(folder, 'weights.safetensors');
    await safetensors.save(foreign, { w: zeros([2]) });
    expect(await failure(plain, { resume: foreign })).toBe(
      `FileError: checkpoint ${foreign}: it is no checkpoint of train.Checkpoint: its metadata has no state.`,
    );
    expect(await failure(plain, { resume: join(folder, 'nowhere') })).toBe(
      `FileError: train.fit: there is no checkpoint in ${join(folder, 'nowhere')}; resume: true begins anew if the folder of train.Checkpoint has none.`,
    );
    expect(await failure(plain, { resume: true })).toContain('there is none; pass a folder');
    await expect(fitted(plain, {}, [new train.Checkpoint(folder)])).rejects.toThrow(
      `Checkpoint: ${folder} has 3 checkpoints of another run, up to step 10; pass resume: true to train.fit to go on with it`,
    );
  });

  test('a state that lies about itself is refused', async () => {
    await fitted(plain, {}, [new train.Checkpoint(folder), stopAfter(4)]);
    const { state } = await train.readCheckpoint((await train.listCheckpoints(folder))[0].file);
    const resume = (change: object): Promise<unknown> =>
      fitted(plain, { resume: { file: 'x', model: new Map(), state: { ...state, ...change } } }, []);
    for (const change of [
      { format: 2 },
      { position: { epoch: -1, batch: 0, step: 0 } },
      { model: new Map([['0.weight', 5]]) },
      { model: new Map() },
      { optimizer: null },
      { optimizer: { name: 'SGD', state: {} } },
      { schedules: 'none' },
      { random: {} },
      { loader: { state: { epoch: 'x' } } },
      { loader: {} },
      { history: null },
    ]) {
      await expect(resume(change), JSON.stringify(change)).rejects.toThrow('the checkpoint x does not fit this run');
    }
  });

  test('what cannot be written is a warning, or an error; the ones before stay', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const gone = join(folder, 'gone');
    const remove: train.Callback = {
      onStep: (run) => (run.step === 10 ? rmSync(gone, { recursive: true }) : undefined),
    };
    const result = await fitted(plain, {}, [new train.Checkpoint(gone), remove]);
    expect(result.stopReason).toBe('finished');
    expect(warn.mock.calls.length).toBe(3);
    expect(String(warn.mock.calls[0][0])).toMatch(
      /^Checkpoint: none was written after step 16: write .*step-00000016\.safetensors: no such file or folder\. The ones before stay\.$/,
    );
    await expect(fitted(plain, {}, [new train.Checkpoint(gone, { strict: true }), remove])).rejects.toThrow(
      'no such file or folder',
    );
    expect(() => new train.Checkpoint(folder, { keep: 0 })).toThrow('Checkpoint: keep must be an integer >= 1, got 0.');
    writeFileSync(join(folder, 'file'), '');
    await expect(fitted(plain, {}, [new train.Checkpoint(join(folder, 'file', 'x'))])).rejects.toThrow('make');
  });

  test('removes what a killed process has left half written, and nothing else', async () => {
    const dead = join(folder, '.step-00000008.safetensors.999999999-abcdef123456.tmp');
    const alive = join(folder, `.step-00000008.safetensors.${process.pid}-abcdef123456.tmp`);
    for (const file of [dead, alive, join(folder, '.other.tmp')]) writeFileSync(file, 'x');
    await fitted(plain, { epochs: 1 }, [new train.Checkpoint(folder)]);
    expect([existsSync(dead), existsSync(alive), existsSync(join(folder, '.other.tmp'))]).toEqual([false, true, true]);
  });

  test('loaders without a state go on after the batches that were done', async () => {
    const batches = Array.from({ length: 5 }, (_, i): Pair => {
      const x = randn([4, 2]).add(tensor(i));
      return [x, x.sum(1).gt(0).to('int64')];
    });
    const whole = await fitted(plain, { data: batches }, []);
    await fitted(plain, { data: batches }, [new train.Checkpoint(folder), stopAfter(8)]);
    expect(timeless(await fitted(plain, { data: batches, resume: folder }, []))).toEqual(timeless(whole));
  });
});

test('a training that is killed at random moments ends as one that was not', async () => {
  // 100 kills: npm run test:kill
  const script = fileURLToPath(new URL('kill.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, '--kills', '3', '--epochs', '3'], {
    timeout: 170_000,
  });
  expect(stdout).toContain('weights, optimizer and history are the same bit for bit');
});
