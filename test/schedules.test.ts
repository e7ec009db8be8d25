// Schedules of the learning rate and the batch size: PyTorch's numbers, state dicts, pictures, errors.
import { describe, expect, test } from 'vitest';
import { data, optim, zeros } from 'thalweg';
import { errorOf } from './error-of.js';
import { readGoldens } from './golden.js';

const S = optim.lrScheduler;
const B = optim.batchSizeScheduler;

interface Goldens {
  readonly metrics: readonly number[];
  readonly cases: Readonly<Record<string, readonly (readonly number[])[]>>;
}
const goldens = readGoldens<Goldens>('schedules.json');

type Optimizer = optim.SGD | optim.Adam;
const groups = (): { params: ReturnType<typeof zeros>[]; lr?: number }[] => [
  { params: [zeros([1], { requiresGrad: true })] },
  { params: [zeros([1], { requiresGrad: true })], lr: 0.5 },
];
const sgd = (): optim.SGD => new optim.SGD(groups(), { lr: 0.1, momentum: 0.75 });

const makers: Readonly<Record<string, (o: Optimizer) => optim.lrScheduler.LRScheduler>> = {
  'LambdaLR/one': (o) => new S.LambdaLR(o, (t) => 0.95 ** t),
  'LambdaLR/two': (o) => new S.LambdaLR(o, [(t) => 0.95 ** t, (t) => 1 / (1 + t)]),
  'MultiplicativeLR/default': (o) => new S.MultiplicativeLR(o, (t) => (t % 2 === 1 ? 0.9 : 0.99)),
  'StepLR/default': (o) => new S.StepLR(o, 7),
  'StepLR/gamma': (o) => new S.StepLR(o, 1, { gamma: 0.7 }),
  'MultiStepLR/default': (o) => new S.MultiStepLR(o, [20, 5, 5, 11]),
  'MultiStepLR/gamma': (o) => new S.MultiStepLR(o, [3, 4], { gamma: 0.5 }),
  'ConstantLR/default': (o) => new S.ConstantLR(o),
  'ConstantLR/options': (o) => new S.ConstantLR(o, { factor: 0.2, totalIters: 9 }),
  'LinearLR/default': (o) => new S.LinearLR(o),
  'LinearLR/down': (o) => new S.LinearLR(o, { startFactor: 1, endFactor: 0.1, totalIters: 17 }),
  'ExponentialLR/default': (o) => new S.ExponentialLR(o, 0.93),
  'PolynomialLR/default': (o) => new S.PolynomialLR(o),
  'PolynomialLR/square': (o) => new S.PolynomialLR(o, { totalIters: 25, power: 2 }),
  'CosineAnnealingLR/default': (o) => new S.CosineAnnealingLR(o, 40),
  'CosineAnnealingLR/cycles': (o) => new S.CosineAnnealingLR(o, 9, { etaMin: 0.01 }),
  'CosineAnnealingWarmRestarts/default': (o) => new S.CosineAnnealingWarmRestarts(o, 8),
  'CosineAnnealingWarmRestarts/mult': (o) => new S.CosineAnnealingWarmRestarts(o, 3, { tMult: 2, etaMin: 0.02 }),
  'CyclicLR/triangular': (o) => new S.CyclicLR(o, 0.01, 0.2, { stepSizeUp: 6 }),
  'CyclicLR/triangular2': (o) =>
    new S.CyclicLR(o, [0.01, 0.02], [0.2, 0.3], { stepSizeUp: 4, stepSizeDown: 9, mode: 'triangular2' }),
  'CyclicLR/expRange': (o) =>
    new S.CyclicLR(o, 0.01, 0.2, {
      stepSizeUp: 5,
      mode: 'exp_range',
      gamma: 0.97,
      baseMomentum: 0.7,
      maxMomentum: 0.99,
    }),
  'CyclicLR/scaleFn': (o) =>
    new S.CyclicLR(o, 0.01, 0.2, {
      stepSizeUp: 5,
      scaleFn: (x) => 1 / (1 + x),
      scaleMode: 'iterations',
      cycleMomentum: false,
    }),
  'OneCycleLR/default': (o) => new S.OneCycleLR(o, 0.3, { totalSteps: 40 }),
  'OneCycleLR/three': (o) =>
    new S.OneCycleLR(o, [0.3, 0.7], { epochs: 5, stepsPerEpoch: 9, threePhase: true, pctStart: 0.4 }),
  'OneCycleLR/linear': (o) =>
    new S.OneCycleLR(o, 0.3, {
      totalSteps: 43,
      annealStrategy: 'linear',
      divFactor: 10,
      finalDivFactor: 100,
      baseMomentum: 0.6,
      maxMomentum: 0.9,
    }),
  'OneCycleLR/adam': (o) => new S.OneCycleLR(o, 0.3, { totalSteps: 40 }),
  'SequentialLR/warmup': (o) =>
    new S.SequentialLR(
      o,
      [new S.LinearLR(o, { startFactor: 0.01, totalIters: 5 }), new S.CosineAnnealingLR(o, 35)],
      [5],
    ),
  'SequentialLR/three': (o) =>
    new S.SequentialLR(
      o,
      [new S.ConstantLR(o, { factor: 0.5, totalIters: 4 }), new S.StepLR(o, 3), new S.ExponentialLR(o, 0.9)],
      [6, 20],
    ),
  'ChainedScheduler/default': (o) =>
    new S.ChainedScheduler([new S.ConstantLR(o, { factor: 0.1, totalIters: 20 }), new S.ExponentialLR(o, 0.9)]),
  'ChainedScheduler/cosine': (o) =>
    new S.ChainedScheduler([
      new S.LinearLR(o, { totalIters: 6 }),
      new S.CosineAnnealingLR(o, 40),
      new S.MultiStepLR(o, [10, 30]),
    ]),
  'ReduceLROnPlateau/default': (o) => new S.ReduceLROnPlateau(o, { patience: 2 }),
  'ReduceLROnPlateau/options': (o) =>
    new S.ReduceLROnPlateau(o, {
      mode: 'max',
      factor: 0.5,
      patience: 1,
      threshold: 0.1,
      thresholdMode: 'abs',
      cooldown: 2,
      minLr: [0.01, 0.1],
    }),
  'ReduceLROnPlateau/rel': (o) =>
    new S.ReduceLROnPlateau(o, { mode: 'max', factor: 0.3, patience: 0, threshold: 0.05, minLr: 1e-3 }),
};

const optimizerOf = (key: string): Optimizer => (key.endsWith('/adam') ? new optim.Adam(groups(), { lr: 0.1 }) : sgd());

function row(optimizer: Optimizer): number[] {
  const [a, b] = optimizer.paramGroups;
  return [a.lr, b.lr, 'betas' in a ? a.betas[0] : a.momentum];
}

function advance(scheduler: optim.lrScheduler.LRScheduler, i: number): void {
  if (scheduler instanceof S.ReduceLROnPlateau) scheduler.step(goldens.metrics[i]);
  else scheduler.step();
}

function expectRow(label: string, actual: readonly number[], expected: readonly number[]): void {
  actual.forEach((value, i) => {
    // Relative to the initial rate near 0, where recursions differ by a rounding of what they subtract.
    const bound = 1e-12 * Math.max(Math.abs(expected[i]), 0.01);
    if (!(Math.abs(value - expected[i]) <= bound)) throw new Error(`${label}[${i}]: ${value}, expected ${expected[i]}`);
  });
}

test('every golden has a case and every schedule a golden', () => {
  expect(Object.keys(makers).sort()).toEqual(Object.keys(goldens.cases).sort());
  const covered = new Set(Object.keys(makers).map((key) => key.split('/')[0]));
  const all = Object.keys(S).filter((name) => name !== 'LRScheduler');
  expect(all.filter((name) => !covered.has(name))).toEqual(['InverseSqrtLR']);
});

describe('as PyTorch sets them', () => {
  for (const [key, make] of Object.entries(makers)) {
    test(key, () => {
      const optimizer = optimizerOf(key);
      const scheduler = make(optimizer);
      goldens.cases[key].forEach((expected, i) => {
        if (i > 0) advance(scheduler, i - 1);
        expectRow(`${key}, step ${i}`, row(optimizer), expected);
        expect(scheduler.getLastLr()).toEqual(optimizer.paramGroups.map(({ lr }) => lr));
      });
    });

    test(`${key} continues from a state dict that went through JSON`, () => {
      const optimizer = optimizerOf(key);
      const scheduler = make(optimizer);
      for (let i = 0; i < 13; i++) advance(scheduler, i);
      const other = optimizerOf(key);
      const resumed = make(other);
      other.loadStateDict(optimizer.stateDict());
      resumed.loadStateDict(JSON.parse(JSON.stringify(scheduler.stateDict())) as Record<string, unknown>);
      expect(resumed.lastEpoch).toBe(13);
      expect(resumed.getLastLr()).toEqual(scheduler.getLastLr());
      for (let i = 13; i < 30; i++) {
        advance(scheduler, i);
        advance(resumed, i);
        expect(row(other)).toEqual(row(optimizer));
      }
    });
  }
});

test('InverseSqrtLR warms up and decays', () => {
  const optimizer = sgd();
  const scheduler = new S.InverseSqrtLR(optimizer, 4, { warmupInitLr: 0.02 });
  const lrs = scheduler.trace(16).map(([lr]) => lr);
  expect(lrs.slice(0, 5).map((lr) => Number(lr.toFixed(12)))).toEqual([0.02, 0.04, 0.06, 0.08, 0.1]);
  expect(lrs[16]).toBeCloseTo(0.05, 14);
});

test('fractions of an epoch, as PyTorch takes them', () => {
  const optimizer = sgd();
  const scheduler = new S.CosineAnnealingWarmRestarts(optimizer, 4, { tMult: 2 });
  scheduler.step(6.5);
  expect(scheduler.tI).toBe(8);
  expect(scheduler.tCur).toBe(2.5);
  expect(optimizer.paramGroups[0].lr).toBeCloseTo((0.1 * (1 + Math.cos((Math.PI * 2.5) / 8))) / 2, 14);
  expect(errorOf(() => scheduler.step(-1))).toBe(
    'ArgumentError: CosineAnnealingWarmRestarts: epoch must be a number >= 0, got -1.',
  );
});

describe('trace and plot', () => {
  test('leave everything as it was', () => {
    for (const [key, make] of Object.entries(makers)) {
      const optimizer = optimizerOf(key);
      const scheduler = make(optimizer);
      if (scheduler instanceof S.ReduceLROnPlateau) continue;
      for (let i = 0; i < 3; i++) scheduler.step();
      const before = [row(optimizer), scheduler.stateDict()];
      const steps = 20;
      const rows = scheduler.trace(steps);
      expect([row(optimizer), scheduler.stateDict()]).toEqual(before);
      rows.forEach(([a, b], i) => expectRow(`${key} + ${i}`, [a, b], goldens.cases[key][3 + i].slice(0, 2)));
    }
  });

  test('plot draws a line for each group that differs', () => {
    const optimizer = sgd();
    const svg = new S.StepLR(optimizer, 10).plot({ steps: 30, title: 'a < b & c' });
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" width="640" height="320"/);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(svg).toContain('a &lt; b &amp; c');
    const points = /points="([^"]*)"/.exec(svg)![1].split(' ');
    expect(points).toHaveLength(31);
    expect(svg).not.toContain('NaN');
    const one = new optim.SGD([zeros([1], { requiresGrad: true })], { lr: 0 });
    expect(new S.StepLR(one, 10).plot({ steps: 1 })).not.toContain('NaN');
  });

  test('a cycle is drawn to its end', () => {
    const svg = new S.OneCycleLR(sgd(), 0.3, { totalSteps: 10 }).plot();
    expect(/points="([^"]*)"/.exec(svg)![1].split(' ')).toHaveLength(11);
  });

  test('a plateau needs metrics', () => {
    const scheduler = new S.ReduceLROnPlateau(sgd(), { patience: 0 });
    expect(errorOf(() => scheduler.plot())).toBe(
      'ArgumentError: ReduceLROnPlateau: what comes depends on the metric; use plotWith(metrics).',
    );
    const svg = scheduler.plotWith([1, 1, 1, 1]);
    expect(svg.match(/<polyline/g)).toHaveLength(2);
    expect(scheduler.stateDict()['plateau']).toEqual({ best: null, badEpochs: 0, cooldownLeft: 0 });
  });
});

describe('batch sizes', () => {
  test('grow by step, by function and on a plateau', () => {
    const loader = { batchSize: 32 };
    expect(new B.StepBatchSize(loader, 2, { maxBatchSize: 100 }).trace(6)).toEqual([32, 32, 64, 64, 100, 100, 100]);
    expect(new B.LambdaBatchSize(loader, (t) => 1 + t / 3).trace(3)).toEqual([32, 43, 53, 64]);
    const plateau = new B.BatchSizeOnPlateau(loader, { patience: 1 });
    expect(plateau.trace([1, 0.5, 0.5, 0.5, 0.4])).toEqual([32, 32, 32, 32, 64, 64]);
    expect(loader.batchSize).toBe(32);
    plateau.step(1);
    plateau.step(1);
    plateau.step(1);
    expect(plateau.getLastBatchSize()).toBe(64);
    const other = { batchSize: 8 };
    const resumed = new B.BatchSizeOnPlateau(other, { patience: 1 });
    resumed.loadStateDict(JSON.parse(JSON.stringify(plateau.stateDict())) as Record<string, unknown>);
    expect(other.batchSize).toBe(64);
    expect(resumed.trace([1, 1])).toEqual(plateau.trace([1, 1]));
    expect(plateau.plot({ metrics: [1, 1, 1] })).toContain('batch size');
  });

  test('drive a DataLoader from its next epoch on', () => {
    const dataset = new data.TensorDataset(zeros([10, 1]));
    const loader = new data.DataLoader(dataset, { batchSize: 2 });
    const scheduler = new B.StepBatchSize(loader, 1);
    const sizes = (): number[] => [...loader].map(([x]) => x.shape[0]);
    expect(sizes()).toEqual([2, 2, 2, 2, 2]);
    scheduler.step();
    expect(sizes()).toEqual([4, 4, 2]);
    expect(loader.length).toBe(3);
    expect(errorOf(() => (loader.batchSize = 0))).toContain('batchSize');
  });
});

describe('errors', () => {
  const o = sgd();
  const cases: [string, () => unknown][] = [
    ['StepLR: stepSize must be an integer >= 1, got 0.', () => new S.StepLR(o, 0)],
    ['LambdaLR: 1 functions for 2 parameter groups.', () => new S.LambdaLR(o, [() => 1])],
    ['LambdaLR: lrLambda[0] is a number, expected a function of the step.', () => new S.LambdaLR(o, 3 as never)],
    ['ConstantLR: factor must be above 0 and at most 1, got 1.5.', () => new S.ConstantLR(o, { factor: 1.5 })],
    ['LinearLR: startFactor must be above 0 and at most 1, got 0.', () => new S.LinearLR(o, { startFactor: 0 })],
    ['OneCycleLR: pass totalSteps, or epochs and stepsPerEpoch.', () => new S.OneCycleLR(o, 0.1, { epochs: 3 })],
    [
      'OneCycleLR: pctStart must be from 0 to 1, got 2.',
      () => new S.OneCycleLR(o, 0.1, { totalSteps: 9, pctStart: 2 }),
    ],
    [
      "CyclicLR: mode must be 'triangular', 'triangular2' or 'exp_range', got \"square\".",
      () => new S.CyclicLR(o, 0.1, 0.2, { mode: 'square' as never }),
    ],
    ['CyclicLR: maxLr has 3 values for 2 parameter groups.', () => new S.CyclicLR(o, 0.1, [1, 2, 3])],
    [
      'CyclicLR: parameter group 0 has neither momentum nor betas; pass { cycleMomentum: false }.',
      () => new S.CyclicLR({ paramGroups: [{ lr: 1 }] }, 0.1, 0.2),
    ],
    ['StepLR: parameter group 0 has no learning rate.', () => new S.StepLR({ paramGroups: [{}] }, 1)],
    ['StepLR: expected an optimizer as the first argument.', () => new S.StepLR(null as never, 1)],
    [
      "StepLR: lastEpoch 5 continues a run, but parameter group 0 has no initialLr; load the optimizer's state dict first, or set it.",
      () => new S.StepLR(sgd(), 1, { lastEpoch: 5 }),
    ],
    [
      'SequentialLR: 2 schedules need 1 milestones, got 0.',
      () => new S.SequentialLR(o, [new S.StepLR(o, 1), new S.StepLR(o, 1)], []),
    ],
    [
      'ChainedScheduler: schedulers[1] drives another optimizer; all must drive the same.',
      () => new S.ChainedScheduler([new S.StepLR(o, 1), new S.StepLR(sgd(), 1)]),
    ],
    [
      'SequentialLR: schedulers[0] is a ReduceLROnPlateau, whose step needs a metric; step it on its own.',
      () => new S.SequentialLR(o, [new S.ReduceLROnPlateau(o)], []),
    ],
    [
      'ReduceLROnPlateau: step takes the metric as a number, got a undefined; of a tensor, its item().',
      () => new S.ReduceLROnPlateau(o).step(),
    ],
    [
      "ReduceLROnPlateau: mode must be 'min' or 'max', got \"up\".",
      () => new S.ReduceLROnPlateau(o, { mode: 'up' as never }),
    ],
    ['StepLR.loadStateDict: this schedule has no tMax.', () => new S.StepLR(o, 1).loadStateDict({ tMax: 3 })],
    [
      'StepBatchSize: maxBatchSize must be an integer >= 32, got 16.',
      () => new B.StepBatchSize({ batchSize: 32 }, 1, { maxBatchSize: 16 }),
    ],
    [
      'LambdaBatchSize: the batch size for step 1 is NaN.',
      () => new B.LambdaBatchSize({ batchSize: 32 }, () => NaN).step(),
    ],
  ];
  test.each(cases)('%s', (message, fn) => {
    expect(errorOf(fn)).toBe(`ArgumentError: ${message}`);
  });

  test('OneCycleLR ends', () => {
    const scheduler = new S.OneCycleLR(sgd(), 0.1, { totalSteps: 3 });
    for (let i = 0; i < 3; i++) scheduler.step();
    expect(errorOf(() => scheduler.step())).toBe('ArgumentError: OneCycleLR: step 4 of a cycle of 3 steps.');
  });
});
