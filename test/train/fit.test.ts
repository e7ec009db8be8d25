// The loop of train.fit: the same as by hand, what it takes, what it refuses.
import { describe, expect, test } from 'vitest';
import {
  amp,
  data,
  manualSeed,
  memory,
  metrics,
  nn,
  optim,
  randint,
  randn,
  tensor,
  tidy,
  train,
  type Tensor,
} from 'thalweg';

const { crossEntropy, mseLoss } = nn.functional;

/** Points and whether they lie in the unit circle. */
function circle(count = 64, seed = 1): data.TensorDataset<readonly [Tensor, Tensor]> {
  manualSeed(seed);
  const points = randn([count, 2]);
  return new data.TensorDataset<readonly [Tensor, Tensor]>(points, points.square().sum(1).lt(1).to('int64'));
}

function mlp(seed = 0) {
  manualSeed(seed);
  return new nn.Sequential(new nn.Linear(2, 16), new nn.ReLU(), new nn.Dropout(0.2), new nn.Linear(16, 2));
}

const weightsOf = (model: nn.AnyModule): number[] =>
  model.parameters().flatMap((p) => Array.from(p.dataSync(), Number));

const quiet = { quiet: true } as const;

/** The error of a promise: class and message. */
async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: unknown) => `${(error as Error).name}: ${(error as Error).message}`,
  );
}

describe('fit', () => {
  test('is the loop written by hand, bit for bit', async () => {
    const dataset = circle();
    const byHand = mlp();
    manualSeed(7);
    const loader = new data.DataLoader(dataset, { batchSize: 10, shuffle: true, seed: 7 });
    const own = new optim.Adam(byHand.parameters(), { lr: 0.01 });
    const schedule = new optim.lrScheduler.StepLR(own, 2, { gamma: 0.5 });
    const losses: number[] = [];
    for (let epoch = 0; epoch < 4; epoch++) {
      let sum = 0;
      for await (const [x, y] of loader) {
        const loss = crossEntropy(byHand.forward(x), y);
        own.zeroGrad();
        loss.backward();
        nn.utils.clipGradNorm(byHand.parameters(), 0.5);
        own.step();
        sum += Number(await loss.item()) * x.shape[0];
      }
      losses.push(sum / dataset.length);
      schedule.step();
    }

    const model = mlp();
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
    const result = await train.fit(model, {
      data: dataset,
      batchSize: 10,
      loss: crossEntropy,
      optimizer,
      schedule: new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 }),
      epochs: 4,
      clip: 0.5,
      seed: 7,
      ...quiet,
    });
    expect(weightsOf(model)).toEqual(weightsOf(byHand));
    result.history.forEach(({ logs }, i) => expect(logs['loss']).toBeCloseTo(losses[i], 12));
    expect(
      result.history.map(({ epoch, step, lr, batchSize, samples }) => [epoch, step, lr, batchSize, samples]),
    ).toEqual([
      [0, 7, 0.01, 10, 64],
      [1, 14, 0.01, 10, 64],
      [2, 21, 0.005, 10, 64],
      [3, 28, 0.005, 10, 64],
    ]);
    expect(result).toMatchObject({ stopReason: 'finished', monitor: 'loss', epochs: 4, steps: 28 });
    expect(result.bestValue).toBe(Math.min(...result.history.map(({ logs }) => logs['loss'])));
  });

  test('accumulated batches, a smaller last one too, are one large batch', async () => {
    const dataset = circle(22);
    const fitted = async (batchSize: number, accumulate: number): Promise<number[]> => {
      const model = new nn.Sequential(new nn.Linear(2, 16), new nn.Tanh(), new nn.Linear(16, 2)).double();
      manualSeed(3);
      for (const p of model.parameters()) nn.init.normal(p);
      const [x, y] = dataset.tensors;
      const { steps } = await train.fit(model, {
        data: new data.DataLoader(new data.TensorDataset(x.to('float64'), y), { batchSize }),
        loss: crossEntropy,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.5, momentum: 0.9 }),
        epochs: 2,
        accumulate,
        ...quiet,
      });
      expect(steps).toBe(4);
      return weightsOf(model);
    };
    // 22 = 5 + 5 + 5 + 5 + 2: updates of 15 and of 7 samples.
    const accumulated = await fitted(5, 3);
    const whole = await fitted(15, 1);
    accumulated.forEach((value, i) => expect(value).toBeCloseTo(whole[i], 12));
  });

  test('validates in evaluation mode, with metrics, and leaves modes as they were', async () => {
    const model = mlp();
    model.eval();
    model.getSubmodule('2').train();
    const seen: boolean[] = [];
    model.registerForwardHook((module) => {
      seen.push(module.training);
    });
    const confusing = new metrics.TopKAccuracy({ k: 1 });
    const { history, bestEpoch, bestValue } = await train.fit(model, {
      data: new data.DataLoader(circle(), { batchSize: 32 }),
      validation: circle(20, 2),
      batchSize: 20,
      loss: new nn.CrossEntropyLoss(),
      optimizer: (m) => new optim.SGD(m.parameters(), { lr: 0.1 }),
      epochs: 3,
      validateEvery: 2,
      metrics: { accuracy: new metrics.Accuracy(), top: confusing },
      monitor: 'valAccuracy',
      ...quiet,
    });
    expect(seen).toEqual([true, true, true, true, false, true, true, false]);
    expect([model.training, model.getSubmodule('2').training]).toEqual([false, true]);
    expect(history.map(({ logs }) => Object.keys(logs))).toEqual([
      ['loss', 'accuracy', 'top'],
      ['loss', 'accuracy', 'top', 'valLoss', 'valAccuracy', 'valTop'],
      ['loss', 'accuracy', 'top', 'valLoss', 'valAccuracy', 'valTop'],
    ]);
    const best = Math.max(...history.slice(1).map(({ logs }) => logs['valAccuracy']));
    expect(bestValue).toBe(best);
    expect(history[bestEpoch!].logs['valAccuracy']).toBe(best);
    expect(
      await train.evaluate(model.eval(), circle(20, 2), { loss: crossEntropy, metrics: [new metrics.Accuracy()] }),
    ).toEqual({
      loss: expect.closeTo(history[2].logs['valLoss'], 12) as number,
      accuracy: history[2].logs['valAccuracy'],
    });
  });

  test('forward computes losses of any kind, weighted by what it says', async () => {
    const model = new nn.Linear(1, 1, { bias: false });
    const batches: { x: Tensor; weight: number }[] = [
      { x: tensor([[1], [2]]), weight: 3 },
      { x: tensor([[4]]), weight: 1 },
    ];
    const outputs: number[] = [];
    const { history } = await train.fit(model, {
      data: batches,
      forward: (m, { x, weight }) => {
        const loss = m.forward(x).mean();
        outputs.push(Number(loss.itemSync()));
        return { loss, samples: weight };
      },
      optimizer: new optim.SGD(model.parameters(), { lr: 0 }),
      epochs: 1,
      ...quiet,
    });
    expect(history[0].logs['loss']).toBeCloseTo((3 * outputs[0] + outputs[1]) / 4, 12);
    expect(history[0]).toMatchObject({ samples: 4, batchSize: 2, step: 2 });
  });

  test.each(['bfloat16', 'float16'] as const)('learns in %s', async (amp) => {
    const model = mlp();
    const { history } = await train.fit(model, {
      data: circle(256),
      batchSize: 32,
      loss: crossEntropy,
      optimizer: new optim.Adam(model.parameters(), { lr: 0.02 }),
      epochs: 8,
      amp,
      clip: { norm: 1 },
      seed: 1,
      ...quiet,
    });
    expect(history.at(-1)!.logs['loss']).toBeLessThan(0.8 * history[0].logs['loss']);
    expect(model.parameters()[0].dtype).toBe('float32');
  });

  test.each([
    ['SAM', (m: nn.AnyModule) => new optim.SAM(new optim.SGD(m.parameters(), { lr: 0.2 }))],
    ['LBFGS', (m: nn.AnyModule) => new optim.LBFGS(m.parameters(), { maxIter: 3, lineSearchFn: 'strong_wolfe' })],
    ['ScheduleFreeAdamW', (m: nn.AnyModule) => new optim.ScheduleFreeAdamW(m.parameters(), { lr: 0.02 })],
    ['Lookahead', (m: nn.AnyModule) => new optim.Lookahead(new optim.Adam(m.parameters(), { lr: 0.02 }))],
  ])('drives %s', async (_, optimizer) => {
    const model = mlp();
    const { history } = await train.fit(model, {
      data: circle(256),
      validation: circle(64, 2),
      batchSize: 64,
      loss: crossEntropy,
      optimizer,
      epochs: 8,
      seed: 1,
      ...quiet,
    });
    expect(history.at(-1)!.logs['valLoss']).toBeLessThan(history[0].logs['valLoss']);
  });

  test('schedules step by step or epoch; a plateau gets the validation loss; batches grow', async () => {
    const model = mlp();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const loader = new data.DataLoader(circle(), { batchSize: 16 });
    const plateau = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { patience: 0, factor: 0.5 });
    const asked: number[] = [];
    const step = plateau.step.bind(plateau);
    plateau.step = (metric?: number) => {
      asked.push(metric!);
      step(metric);
    };
    const { history } = await train.fit(model, {
      data: loader,
      validation: circle(20, 2),
      loss: crossEntropy,
      optimizer,
      schedule: [
        plateau,
        { scheduler: (o) => new optim.lrScheduler.ExponentialLR(o, 0.9), interval: 'step' },
        new optim.batchSizeScheduler.StepBatchSize(loader, 1),
      ],
      epochs: 3,
      ...quiet,
    });
    expect(asked).toEqual(history.map(({ logs }) => logs['valLoss']));
    expect(history.map(({ step: s, batchSize }) => [s, batchSize])).toEqual([
      [4, 16],
      [6, 32],
      [7, 64],
    ]);
    expect(history[0].lr).toBeCloseTo(0.9 ** 3, 12);
  });

  test('an update that overflows counts for the run, not for the optimizer', async () => {
    manualSeed(2);
    const model = mlp();
    const optimizer = new optim.Adam(model.parameters());
    const scheduler = new optim.lrScheduler.StepLR(optimizer, 1, { gamma: 0.5 });
    const scaler = new amp.GradScaler({ initScale: 16 });
    const batches = [1, 1e30, 1, 1].map((size) => [randn([8, 2]).mul(size), randint(0, 2, [8])] as [Tensor, Tensor]);
    const steps: number[] = [];
    const before = model.parameters().map((p) => p.tolist());
    await train.fit(model, {
      data: batches,
      loss: crossEntropy,
      optimizer,
      schedule: { scheduler, interval: 'step' },
      amp: 'float16',
      scaler,
      clip: 1,
      callbacks: [{ onStep: (run) => void steps.push(run.step) }],
      epochs: 1,
      ...quiet,
    });
    expect(steps).toEqual([1, 2, 3, 4]);
    expect(optimizer.stateDict().state[0]['step']).toBe(3);
    expect(optimizer.paramGroups[0].lr).toBe(0.001 / 16);
    expect(scaler.getScale()).toBe(8);
    expect(model.parameters().map((p) => p.tolist())).not.toEqual(before);
    expect(model.parameters().every((p) => p.isfinite().all().itemSync())).toBe(true);
  });

  test('keeps no tensors from step to step', async () => {
    const model = mlp();
    const counts: number[] = [];
    await train.fit(model, {
      data: new data.DataLoader(circle(), { batchSize: 4 }),
      loss: crossEntropy,
      optimizer: new optim.Adam(model.parameters()),
      epochs: 3,
      accumulate: 2,
      clip: 1,
      metrics: [new metrics.Accuracy()],
      callbacks: [
        {
          onStep: async (_, record) => {
            await record.loss();
            await record.gradNorm();
            counts.push(memory({ collect: true }).tensors);
          },
        },
      ],
      ...quiet,
    });
    expect(counts).toHaveLength(24);
    // Eight steps of a leak would be eight tensors; small ones in collection share their fate with neighbours.
    expect(Math.max(...counts.slice(16))).toBeLessThanOrEqual(Math.max(...counts.slice(8, 16)) + 2);
  });

  test('the signal ends it cleanly, also while the loader waits', async () => {
    const model = mlp();
    const fitted = (
      signal: AbortSignal,
      more: Partial<train.FitOptions<typeof model, readonly [Tensor, Tensor]>> = {},
    ) =>
      train.fit(model, {
        data: new data.DataLoader(circle(), { batchSize: 8 }),
        loss: crossEntropy,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
        epochs: 100,
        signal,
        ...quiet,
        ...more,
      });
    expect(await fitted(AbortSignal.abort())).toMatchObject({
      stopReason: 'aborted',
      epochs: 0,
      steps: 0,
      bestEpoch: null,
    });

    const later = new AbortController();
    const result = await fitted(later.signal, {
      callbacks: [{ onStep: (_, { step }) => (step === 11 ? later.abort() : undefined) }],
    });
    expect(result).toMatchObject({ stopReason: 'aborted', epochs: 1, steps: 11 });

    const hanging = new AbortController();
    const [x, y] = circle().tensors;
    const stuck: AsyncIterable<readonly [Tensor, Tensor]> = {
      async *[Symbol.asyncIterator]() {
        yield [x, y] as const;
        hanging.abort();
        await new Promise(() => undefined);
      },
    };
    expect(await fitted(hanging.signal, { data: stuck })).toMatchObject({ stopReason: 'aborted', steps: 1 });
  });

  test('calls callbacks in order; one of them may stop it or make it longer', async () => {
    const model = mlp();
    const events: string[] = [];
    const fitted = (callbacks: train.Callback[]) =>
      train.fit(model, {
        data: new data.DataLoader(circle(), { batchSize: 32 }),
        validation: circle(8, 2),
        loss: crossEntropy,
        optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
        epochs: 1,
        callbacks,
        ...quiet,
      });
    const spy = Object.fromEntries(
      [
        'onFitStart',
        'onEpochStart',
        'onGradients',
        'onStep',
        'onValidationStart',
        'onValidationEnd',
        'onEpochEnd',
        'onSafePoint',
        'onFitEnd',
      ].map((name) => [name, async () => events.push(name)]),
    ) as train.Callback;
    await fitted([spy]);
    expect(events).toEqual(
      'onFitStart onEpochStart onGradients onStep onSafePoint onGradients onStep onValidationStart onValidationEnd onEpochEnd onSafePoint onFitEnd'.split(
        ' ',
      ),
    );
    expect(await fitted([{ onStep: (run) => run.stop('enough') }])).toMatchObject({
      stopReason: 'enough',
      steps: 1,
      epochs: 0,
    });
    const longer: train.Callback = { onEpochEnd: (run) => void (run.epochs = Math.min(3, run.epochs + 1)) };
    expect(await fitted([longer])).toMatchObject({ stopReason: 'finished', epochs: 3 });
    const broken: train.Callback = {
      onStep: () => {
        throw new Error('broken');
      },
      onError: (_, error) => void events.push(String(error)),
    };
    await expect(fitted([broken])).rejects.toThrow('broken');
    expect(events.at(-1)).toBe('Error: broken');
  });

  test('refuses what cannot train, saying what to do', async () => {
    const model = mlp();
    const good = {
      data: circle(),
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.1 }),
      epochs: 1,
      ...quiet,
    };
    const error = (more: object, of: nn.AnyModule = model): Promise<string> =>
      failure(train.fit(of, { ...good, ...more }));
    expect(await error({ epochs: 1.5 })).toBe('ArgumentError: train.fit: epochs must be an integer >= 0, got 1.5.');
    expect(await error({ data: 5 })).toBe(
      'ArgumentError: train.fit: data must be a DataLoader, a dataset with length and get(i), or an iterable of batches, got a number.',
    );
    expect(await error({ loss: undefined })).toBe(
      'ArgumentError: train.fit: pass a loss such as nn.functional.crossEntropy, or a forward that computes it.',
    );
    expect(
      await error({ loss: (output: Tensor, target: Tensor) => crossEntropy(output, target, { reduction: 'none' }) }),
    ).toBe(
      "ShapeError: train.fit: the loss has shape [32], expected a scalar; take its mean(), or use the reduction 'mean'.",
    );
    expect(await error({ loss: async () => tensor(1) })).toBe(
      'ArgumentError: train.fit: the loss is a promise, expected a tensor. The loss must be computed synchronously: tensors need no await.',
    );
    expect(await error({ loss: (output: Tensor, target: Tensor) => crossEntropy(output.detach(), target) })).toBe(
      'GradError: train.fit: the loss does not depend on any parameter that requires gradients; does the model use detach() or noGrad(), or is all of it frozen?',
    );
    expect(await error({}, new nn.ReLU())).toContain('the model ReLU has no parameters');
    expect(await error({}, mlp().requiresGrad_(false))).toBe(
      'ArgumentError: train.fit: all 4 parameters of the model are frozen; requiresGrad_() makes them learn.',
    );
    expect(await error({}, mlp(1))).toBe(
      "ArgumentError: train.fit: the optimizer has none of the model's 4 parameters; was it made for another model, or before the model was converted?",
    );
    expect(await error({ optimizer: 'adam' })).toContain('optimizer must be one of optim');
    expect(await error({ data: new data.DataLoader(circle(8), { batchSize: 9, dropLast: true }) })).toBe(
      'ArgumentError: train.fit: data gave no batch; is the dataset empty, or smaller than a batch and dropLast set?',
    );
    const [x, y] = circle().tensors;
    const once = (function* () {
      yield [x, y] as const;
    })();
    expect(await error({ data: once, epochs: 2 })).toContain('a generator can be iterated once only');
    expect(await error({ data: [x] })).toBe(
      'ArgumentError: train.fit: a batch is a tensor of shape [64,2], expected [x, y]; for batches of another form pass forward: (model, batch) => ({ loss }).',
    );
    expect(await error({ clip: -1 })).toContain('clip must be the largest norm');
    expect(await error({ amp: 'int8' })).toBe(
      "ArgumentError: train.fit: amp must be 'bfloat16' or 'float16', got \"int8\".",
    );
    expect(await error({ metrics: [new metrics.Accuracy(), new metrics.Accuracy()] })).toContain("'accuracy'");
    expect(await error({ schedule: 'cosine' })).toContain('schedule must be one of optim.lrScheduler');
    expect(
      await error({ schedule: new optim.lrScheduler.ExponentialLR(new optim.SGD(model.parameters(), { lr: 1 }), 0.9) }),
    ).toContain('drives another optimizer');
    expect(await error({ accumulate: 2, optimizer: new optim.LBFGS(model.parameters()) })).toContain(
      'LBFGS computes the loss itself',
    );
    expect(await error({ batchSize: 3, data: new data.DataLoader(circle()) })).toContain(
      'data makes its batches itself',
    );
    expect(await error({ callbacks: [null] })).toContain('callbacks must be a list');
    expect(await error({ device: 'tpu' })).toContain("unknown device 'tpu'");
  });

  test('the event loop stays alive', async () => {
    const model = new nn.Sequential(new nn.Linear(64, 256), new nn.ReLU(), new nn.Linear(256, 2));
    const x = randn([64, 64]);
    const y = tidy(() => x.sum(1).gt(0).to('int64'));
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const start = performance.now();
    await train.fit(model, {
      data: [[x, y]] as const,
      loss: crossEntropy,
      optimizer: new optim.SGD(model.parameters(), { lr: 0.01 }),
      epochs: 1e6,
      callbacks: [{ onStep: (run) => (performance.now() - start > 300 ? run.stop('time') : undefined) }],
      ...quiet,
    });
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(2);
  });
});

describe('evaluate and predict', () => {
  test('weigh samples, take datasets, tensors and loaders', async () => {
    const model = new nn.Linear(2, 1);
    const x = randn([7, 2]);
    const y = randn([7, 1]);
    const dataset = new data.TensorDataset(x, y);
    const { loss } = await train.evaluate(model, dataset, { loss: mseLoss, batchSize: 3 });
    expect(loss).toBeCloseTo(Number(mseLoss(model.forward(x), y).itemSync()), 6);
    const expected = model.forward(x).arraySync();
    for (const source of [x, dataset, new data.DataLoader(dataset, { batchSize: 4 })] as (Tensor | typeof dataset)[])
      expect((await train.predict(model, source)).arraySync()).toEqual(expected);
    expect(model.training).toBe(true);
    expect(await failure(train.evaluate(model, [], { loss: mseLoss }))).toBe(
      'ArgumentError: train.evaluate: data gave no batch.',
    );
    expect(
      await failure(train.predict(model, x, { forward: (m, b) => m.forward(b as Tensor<readonly [number, 2]>).sum() })),
    ).toContain('the model gave a scalar');
    await expect(train.evaluate(model, dataset, { loss: mseLoss, signal: AbortSignal.abort() })).rejects.toThrow(
      'aborted',
    );
  });
});
