// The callbacks of train.fit, and the sweep of learning rates.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { data, manualSeed, memory, metrics, nn, noGrad, optim, rand, randn, tensor, train, type Tensor } from 'thalweg';

const { crossEntropy, mseLoss } = nn.functional;

type Pair = readonly [Tensor, Tensor];
afterEach(() => {
  vi.restoreAllMocks();
});

function circle(count = 64, seed = 1): data.TensorDataset<Pair> {
  manualSeed(seed);
  const points = randn([count, 2]);
  return new data.TensorDataset<Pair>(points, points.square().sum(1).lt(1).to('int64'));
}

function mlp() {
  manualSeed(0);
  return new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Linear(16, 2));
}

const weightsOf = (model: nn.AnyModule): number[] =>
  model.parameters().flatMap((p) => Array.from(p.dataSync(), Number));

/** One weight, whose validation losses are those of a list: batches only count epochs. */
function scripted(valLosses: readonly number[]) {
  const model = new nn.Linear(1, 1, { bias: false });
  let epoch = 0;
  const fitted = (callbacks: train.Callback[], epochs = valLosses.length) =>
    train.fit(model, {
      data: [[tensor([[1]]), tensor([[0]])]] as const,
      validation: [[tensor([[1]]), tensor([[0]])]] as const,
      forward: (m, [x]) => {
        if (m.training) return { loss: m.forward(x).sum() };
        return { loss: tensor(valLosses[epoch++] ?? 99) };
      },
      optimizer: new optim.SGD(model.parameters(), { lr: 1 }),
      epochs,
      callbacks: [{ onStep: () => void noGrad(() => model.weight.fill_(epoch)) }, ...callbacks],
      quiet: true,
    });
  return { model, fitted, weight: () => Number(model.weight.itemSync()) };
}

describe('stopping and growing', () => {
  test('EarlyStopping waits patiently, and may put the best weights back', async () => {
    const losses = [5, 4, 4.5, 3.95, 3.96, NaN, 3.94, 3, 2, 1];
    const plain = scripted(losses);
    const result = await plain.fitted([new train.EarlyStopping({ patience: 3, minDelta: 0.1 })]);
    expect(result).toMatchObject({ stopReason: 'no improvement since epoch 2', epochs: 5, bestEpoch: 3 });
    expect(plain.weight()).toBe(4);
    const restoring = scripted(losses);
    await restoring.fitted([new train.EarlyStopping({ patience: 2, minDelta: 0.1, restoreBest: true })]);
    expect(restoring.weight()).toBe(1);
    expect(() => new train.EarlyStopping({ patience: -1 })).toThrow(
      'EarlyStopping: patience must be an integer >= 0, got -1.',
    );
    await expect(scripted([1]).fitted([new train.EarlyStopping({ monitor: 'valAccuracy' })])).rejects.toThrow(
      "EarlyStopping: there is no 'valAccuracy' in the logs, which have loss, valLoss.",
    );
  });

  test('BestModel has the weights of the best epoch at the end', async () => {
    const { fitted, weight } = scripted([3, 1, 2, NaN]);
    const best = new train.BestModel();
    expect(await fitted([best])).toMatchObject({ bestEpoch: 1, bestValue: 1 });
    expect([weight(), best.bestEpoch]).toEqual([1, 1]);
  });

  test('GrowEpochs doubles them while the best is new, up to a limit', async () => {
    const falling = scripted([9, 8, 7, 6, 5, 4, 3, 2.5, 2.4, 2.3]);
    expect(await falling.fitted([new train.GrowEpochs({ maxEpochs: 7 })], 2)).toMatchObject({
      epochs: 7,
      stopReason: 'finished',
    });
    const rising = scripted([9, 8, 7, 8, 8, 8, 8, 8, 1]);
    // After 2: better; after 4: epoch 3 was the best, beyond 2; after 8: nothing new.
    expect(await rising.fitted([new train.GrowEpochs()], 2)).toMatchObject({ epochs: 8 });
  });

  test('GrowBatchSize, by epochs and on a plateau', async () => {
    const sizes = async (grow: train.GrowBatchSize): Promise<number[]> => {
      const model = mlp();
      const { history } = await train.fit(model, {
        data: new data.DataLoader(circle(), { batchSize: 4 }),
        loss: crossEntropy,
        optimizer: new optim.SGD(model.parameters(), { lr: 0 }),
        epochs: 4,
        callbacks: [grow],
        quiet: true,
      });
      return history.map(({ batchSize }) => batchSize);
    };
    expect(await sizes(new train.GrowBatchSize({ every: 1, maxBatchSize: 16 }))).toEqual([4, 8, 16, 16]);
    expect(await sizes(new train.GrowBatchSize({ patience: 0, factor: 4 }))).toEqual([4, 4, 16, 64]);
  });
});

test('EMA is what optim.EMA gives by hand; its averages are validated and stay', async () => {
  const model = mlp();
  const byHand: number[][] = [];
  let own: optim.EMA | undefined;
  const validated: number[][] = [];
  const callback = new train.EMA({ decay: 0.5 });
  await train.fit(model, {
    data: new data.DataLoader(circle(), { batchSize: 16 }),
    validation: circle(8, 2),
    loss: crossEntropy,
    optimizer: new optim.SGD(model.parameters(), { lr: 0.5 }),
    epochs: 2,
    callbacks: [
      { onFitStart: (run) => void (own = new optim.EMA(run.model, { decay: 0.5 })), onStep: () => own!.update() },
      callback,
      {
        onValidated: (run) => void validated.push(weightsOf(run.model)),
        onEpochEnd: () => void byHand.push(own!.averages.flatMap((t) => Array.from(t.dataSync(), Number))),
      },
    ],
    quiet: true,
  });
  expect(validated).toEqual(byHand);
  expect(weightsOf(model)).toEqual(byHand[1]);
  expect(callback.ema!.updates).toBe(8);
});

test('Statistics are the norms and moments of a step by hand', async () => {
  const model = mlp();
  const start = weightsOf(model).slice(0, 32);
  const dataset = circle(16);
  const [x, y] = dataset.tensors;
  crossEntropy(model.forward(x as Tensor<[16, 2]>), y).backward();
  const gradient = Array.from(model.parameters()[0].grad!.dataSync(), Number);
  const all = model.parameters().flatMap(({ grad }) => Array.from(grad!.dataSync(), Number));
  model.zeroGrad();
  const { notes } = await train.fit(model, {
    data: new data.DataLoader(dataset, { batchSize: 16 }),
    loss: crossEntropy,
    optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
    epochs: 3,
    clip: 1e-3,
    callbacks: [new train.Statistics({ every: 1, include: () => true })],
    quiet: true,
  });
  expect(notes.map(({ step, epoch }) => [step, epoch])).toEqual([
    [1, 0],
    [2, 1],
    [3, 2],
  ]);
  const { numbers } = notes[0];
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b) / values.length;
  const std = (values: readonly number[]): number => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2)));
  expect(numbers['gradNorm']).toBeCloseTo(norm(all), 5);
  expect(numbers['gradNorm/0.weight']).toBeCloseTo(norm(gradient), 5);
  expect(numbers['gradMean/0.weight']).toBeCloseTo(mean(gradient), 6);
  expect(numbers['gradStd/0.weight']).toBeCloseTo(std(gradient), 6);
  expect(numbers['weightNorm/0.weight']).toBeCloseTo(norm(start), 5);
  expect(numbers['weightStd/0.weight']).toBeCloseTo(std(start), 5);
  // Clipped to a norm of 1e-3, with a learning rate of 0.1.
  expect(numbers['updateRatio/0.weight']).toBeCloseTo((0.1 * 1e-3 * norm(gradient)) / norm(all) / norm(start), 8);
});

describe('NanGuard', () => {
  /** x is logarithmed by the model; a batch with a negative number makes NaN. */
  class Logarithm extends nn.Module {
    linear = new nn.Linear(2, 1);
    override forward(x: Tensor): Tensor {
      return this.linear.forward(x.log() as Tensor<[number, 2]>);
    }
  }
  const batches = (bad: readonly number[], count = 12): Pair[] => {
    manualSeed(3);
    return Array.from({ length: count }, (_, i): Pair => {
      const x = rand([4, 2]).add(0.5);
      return [bad.includes(i) ? x.neg() : x, randn([4, 1])];
    });
  };
  const fitted = async (guard: train.NanGuard, bad: readonly number[], more: train.Callback[] = []) => {
    vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    manualSeed(0);
    const model = new Logarithm();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.08 });
    const result = await train.fit(model, {
      data: batches(bad),
      loss: mseLoss,
      optimizer,
      schedule: new optim.lrScheduler.ExponentialLR(optimizer, 0.5),
      epochs: 2,
      callbacks: [guard, ...more],
      quiet: true,
    });
    return { model, optimizer, result };
  };

  test('names the op, goes back, lowers the learning rate, and goes on', async () => {
    const guard = new train.NanGuard({ every: 4 });
    const { model, optimizer, result } = await fitted(guard, [5]);
    // Batch 5 is found at the look of step 8, in the middle of others; the second epoch finds it again.
    expect(guard.events.map(({ what, epoch }) => [what, epoch])).toEqual([
      ['loss', 0],
      ['loss', 1],
    ]);
    expect(guard.events[0].cause).toBe(
      'log: made the first NaN or infinity, in a result of shape [4,2] from finite inputs (THALWEG_DEBUG=3).',
    );
    expect(result.stopReason).toBe('finished');
    expect(weightsOf(model).every(Number.isFinite)).toBe(true);
    expect(result.history.every(({ logs }) => Number.isFinite(logs['loss']))).toBe(true);
    // Halved by the schedule after each of two epochs, and at each rollback.
    expect(optimizer.paramGroups[0].lr).toBeCloseTo(0.08 / 2 ** 4, 12);
  });

  test('goes back to the state that it kept, and stops after so many times with it', async () => {
    const seen: number[][] = [];
    const guard = new train.NanGuard({ every: 4, maxRollbacks: 0 });
    const watch: train.Callback = { onStep: (run) => void (run.step === 4 && seen.push(weightsOf(run.model))) };
    const { model, result } = await fitted(guard, [6], [watch]);
    expect(result.stopReason).toMatch(/^the loss is not finite: log: made the first NaN/);
    expect(result.steps).toBe(7);
    expect(weightsOf(model)).toEqual(seen[0]);
    const [message] = vi.mocked(process.emitWarning).mock.calls[0];
    expect(String(message)).toMatch(/^NanGuard: the loss in epoch 1, step 8: not finite\. log: made/);
  });

  test('sees gradients that are not finite, and batches that are not', async () => {
    const model = new nn.Linear(1, 1, { bias: false });
    const guard = new train.NanGuard({ every: 1, rollback: false });
    vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const run = (forward: (m: typeof model, [x]: Pair) => train.ForwardResult) =>
      train.fit<typeof model, Pair>(model, {
        data: [[tensor([[0]]), tensor([[0]])]],
        forward,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
        epochs: 1,
        callbacks: [guard],
        quiet: true,
      });
    // sqrt(0) is 0, its derivative is not finite.
    await run((m, [x]) => ({
      loss: m
        .forward(x as Tensor<[1, 1]>)
        .square()
        .sqrt()
        .sum(),
    }));
    expect(guard.events[0].what).toBe('gradients');
    await run((m, [x]) => ({ loss: m.forward(x.add(NaN) as Tensor<[1, 1]>).sum() }));
    expect(guard.events[1].what).toBe('loss');
    await run((m) => ({ loss: m.forward(tensor([[NaN]])).sum() }));
    expect(guard.events[2].cause).toContain('No op made it of finite numbers');
  });
});

test('CSV and JSON lines have the history, whole after each epoch', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-log-'));
  try {
    const model = mlp();
    const { history, notes } = await train.fit(model, {
      data: new data.DataLoader(circle(), { batchSize: 32 }),
      validation: circle(8, 2),
      validateEvery: 2,
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs: 3,
      metrics: { 'a,b': new metrics.Accuracy() },
      callbacks: [
        new train.Statistics({ every: 4 }),
        new train.CsvLogger(join(folder, 'h.csv')),
        new train.JsonLogger(join(folder, 'h.jsonl')),
      ],
      quiet: true,
    });
    const rows = readFileSync(join(folder, 'h.csv'), 'utf8').trimEnd().split('\n');
    expect(rows[0]).toBe('epoch,step,lr,batchSize,seconds,samples,loss,"a,b",valLoss,"valA,b"');
    expect(rows[1].split(',').slice(-2)).toEqual(['', '']);
    expect(Number(rows[3].split(',')[6])).toBe(history[2].logs['loss']);
    const lines = readFileSync(join(folder, 'h.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown);
    expect(lines).toEqual([history[0], notes[0], history[1], history[2]]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

describe('ProgressBar', () => {
  const fitted = async (stream: NodeJS.WritableStream, epochs = 2): Promise<void> => {
    const model = mlp();
    await train.fit(model, {
      data: new data.DataLoader(circle(), { batchSize: 32 }),
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs,
      callbacks: [
        new train.ProgressBar({ stream, interval: 0 }),
        { onEpochEnd: (run, { epoch }) => (epoch === 1 ? run.stop('enough') : undefined) },
      ],
    });
  };

  test('writes lines into a log', async () => {
    const stream = new PassThrough();
    await fitted(stream, 3);
    const lines = String(stream.read()).trimEnd().split('\n');
    expect(lines[0]).toMatch(/^epoch 1\/3 {2}batch 1\/2 {2}loss 0\.\d+ {2}[\d.]+ batches\/s {2}[\d.]+ s left$/);
    expect(lines[2]).toMatch(/^epoch 1\/3 {2}loss 0\.\d+ {2}lr 0\.1000 {2}[\d.]+ s {2}[\d,]+ samples\/s$/);
    expect(lines.at(-1)).toBe('stopped after step 4: enough');
    expect(lines).toHaveLength(7);
  });

  test('draws a bar in a terminal', async () => {
    const stream = Object.assign(new PassThrough(), {
      isTTY: true,
      columns: 80,
      cursorTo: () => true,
      moveCursor: () => true,
      clearLine: () => true,
    });
    await fitted(stream);
    expect(String(stream.read())).toContain('epoch 1/2 [');
  });
});

describe('findLr', () => {
  test('finds where the loss falls fastest, and leaves everything as it was', async () => {
    const model = mlp();
    const optimizer = new optim.Adam(
      [{ params: [model.parameters()[0]] }, { params: model.parameters().slice(1), lr: 0.02 }],
      {
        lr: 0.01,
      },
    );
    const loader = new data.DataLoader(circle(256), { batchSize: 32, shuffle: true });
    const fitted = (): Promise<train.FitResult> =>
      train.fit(model, { data: loader, loss: crossEntropy, optimizer, epochs: 1, quiet: true });
    await fitted();
    const before = weightsOf(model);
    const state = JSON.stringify(optimizer.stateDict().paramGroups);
    const generator = manualSeed(9);
    const tensors = memory({ collect: true }).tensors;
    const sweep = await train.findLr(model, {
      data: loader,
      loss: crossEntropy,
      optimizer,
      minLr: 1e-5,
      maxLr: 100,
      steps: 40,
    });
    expect(memory({ collect: true }).tensors).toBeLessThanOrEqual(tensors + 2);
    expect(weightsOf(model)).toEqual(before);
    expect(JSON.stringify(optimizer.stateDict().paramGroups)).toBe(state);
    expect([generator.getState().offset, loader.stateDict()]).toMatchObject([0, { epoch: 1, batch: 0 }]);
    expect(sweep.lrs[0]).toBe(1e-5);
    expect(sweep.losses.length).toBe(sweep.lrs.length);
    expect(sweep.suggestion).toBeGreaterThan(1e-4);
    expect(sweep.suggestion).toBeLessThan(10);

    // The run goes on as one without the sweep.
    await fitted();
    const withSweep = weightsOf(model);
    const other = mlp();
    const otherOptimizer = new optim.Adam(
      [{ params: [other.parameters()[0]] }, { params: other.parameters().slice(1), lr: 0.02 }],
      {
        lr: 0.01,
      },
    );
    const otherLoader = new data.DataLoader(circle(256), { batchSize: 32, shuffle: true });
    otherLoader.loadStateDict({ ...loader.stateDict(), epoch: 0, batch: 0 });
    for (let i = 0; i < 2; i++)
      await train.fit(other, {
        data: otherLoader,
        loss: crossEntropy,
        optimizer: otherOptimizer,
        epochs: 1,
        quiet: true,
      });
    expect(weightsOf(other)).toEqual(withSweep);
    await expect(train.findLr(model, { data: loader, loss: crossEntropy, optimizer, steps: 2 })).rejects.toThrow(
      'train.findLr: steps must be an integer >= 3, got 2.',
    );
  });
});
