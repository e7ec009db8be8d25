// Steps that the device leaves out: whatever the optimizer, they leave no trace, and nobody waits to know.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { amp, expr, manualSeed, nn, noGrad, ones, optim, program, randn, tensor, zeros, type Tensor } from 'thalweg';
import { native } from '../src/native.js';
import { errorOf } from './error-of.js';
import { readGoldens } from './golden.js';

interface Stepper {
  readonly paramGroups: { params: Tensor[] }[];
  step(): unknown;
  zeroGrad(): void;
  stateDict(): unknown;
  loadStateDict(dict: never): void;
}

const Counted = optim.defineOptimizer({
  name: 'Counted',
  options: { lr: 0.05, momentum: 0.9 },
  state: ['m'],
  update: ({ p, g, m, lr, momentum, t }) => {
    const next = expr.add(expr.mul(momentum, m), expr.div(g, t));
    return { m: next, p: expr.sub(p, expr.mul(expr.mul(lr, expr.sub(2, expr.mul(0.1, t))), next)) };
  },
});

type Make = (params: Tensor[]) => Stepper;
const matrices = (params: Tensor[]): Tensor[] => params.filter((p) => p.shape.length === 2);
const makers: Record<string, Make> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.1 }),
  'SGD, damped momentum': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, dampening: 0.3 }),
  'SGD, regularised': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, l1: 0.01, maxNorm: 1 }),
  'SGD, proximal': (p) => new optim.SGD(p, { lr: 0.1, l1: 0.2, l1Mode: 'proximal' }),
  Adam: (p) => new optim.Adam(p, { lr: 0.05 }),
  'Adam, groups': (p) =>
    new optim.Adam([{ params: p.slice(0, 1), lr: 0.1 }, { params: p.slice(1) }], { amsgrad: true, weightDecay: 0.1 }),
  AdamW: (p) => new optim.AdamW(p, { lr: 0.05 }),
  Adamax: (p) => new optim.Adamax(p, { lr: 0.05 }),
  NAdam: (p) => new optim.NAdam(p, { lr: 0.05, momentumDecay: 0.1 }),
  RAdam: (p) => new optim.RAdam(p, { lr: 0.05, betas: [0.8, 0.9] }),
  Adagrad: (p) => new optim.Adagrad(p, { lr: 0.1, lrDecay: 0.1 }),
  Adadelta: (p) => new optim.Adadelta(p),
  RMSprop: (p) => new optim.RMSprop(p, { lr: 0.05, momentum: 0.5, centered: true }),
  Rprop: (p) => new optim.Rprop(p),
  ASGD: (p) => new optim.ASGD(p, { lr: 0.1, lambd: 0.1, t0: 2 }),
  Adafactor: (p) => new optim.Adafactor(p, { lr: 0.1, weightDecay: 0.1 }),
  Lion: (p) => new optim.Lion(p, { lr: 0.05 }),
  LAMB: (p) => new optim.LAMB(p, { lr: 0.05, weightDecay: 0.1 }),
  LARS: (p) => new optim.LARS(p, { lr: 1, trustCoefficient: 0.1, weightDecay: 0.1 }),
  Muon: (p) => new optim.Muon(matrices(p), { lr: 0.05 }),
  ScheduleFreeAdamW: (p) => new optim.ScheduleFreeAdamW(p, { lr: 0.1, warmupSteps: 4, r: 1 }),
  Lookahead: (p) => new optim.Lookahead(new optim.Adam(p, { lr: 0.05 }), { k: 2 }),
  'one of an expression': (p) => new Counted(p),
};

const spoiled = [0, 3, 4, 8];

interface Run {
  readonly params: readonly unknown[];
  readonly state: unknown;
}

function stateOf(optimizer: Stepper): unknown {
  const plain = (value: unknown): unknown => {
    if (value === null || typeof value !== 'object') return value;
    if ('arraySync' in value) return (value as Tensor).arraySync();
    return Array.isArray(value)
      ? value.map(plain)
      : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  };
  return plain(optimizer.stateDict());
}

/** Ten steps with gradients that overflow in some of them. `scaled` false: those are left out, without a scaler. */
function train(make: Make, scaled: boolean, gradients: (step: number, k: number) => boolean = () => true): Run {
  manualSeed(5);
  const params = [[3, 4], [4], []].map((shape): Tensor => randn(shape).requiresGrad_());
  const optimizer = make(params);
  const scaler = new amp.GradScaler({ initScale: 1024, growthInterval: 2 });
  for (let step = 0; step < 10; step++) {
    optimizer.zeroGrad();
    const used = params.filter((_, k) => gradients(step, k));
    const loss = used.map((p): Tensor => p.sub(randn(p.shape)).square().sum()).reduce((a, b) => a.add(b));
    if (!scaled) {
      if (spoiled.includes(step)) continue;
      loss.backward();
      optimizer.step();
      continue;
    }
    scaler.scale(loss).backward();
    if (spoiled.includes(step)) {
      const own = optimizer.paramGroups.flatMap((group) => group.params).filter((p) => p.grad !== null);
      noGrad(() => own[step % own.length].grad!.mul_(step === 4 ? NaN : Infinity));
    }
    scaler.step(optimizer as optim.Adam);
    scaler.update();
  }
  return { params: params.map((p) => p.arraySync()), state: stateOf(optimizer) };
}

afterEach(() => vi.restoreAllMocks());

describe('a step that is left out', () => {
  test.each(Object.keys(makers))('leaves no trace: %s', (name) => {
    expect(train(makers[name], true)).toEqual(train(makers[name], false));
  });

  test.each(['Adam', 'SGD, damped momentum', 'NAdam', 'Adafactor'])('nor where parameters come and go: %s', (name) => {
    const gradients = (step: number, k: number): boolean => k === 0 || (step + k) % 3 !== 0;
    const scaled = train(makers[name], true, gradients);
    expect(scaled).toEqual(train(makers[name], false, gradients));
  });

  test.each(Object.keys(makers))('is known to nobody: %s reads nothing', (name) => {
    const p = [[2, 3], [3]].map((shape): Tensor => ones(shape).requiresGrad_());
    const optimizer = makers[name](p);
    const scaler = new amp.GradScaler();
    const watched = (['readSync', 'read', 'sync'] as const).map((item) => vi.spyOn(native, item));
    for (let step = 0; step < 4; step++) {
      optimizer.zeroGrad();
      scaler.scale(p[0].mul(p[1]).sum()).backward();
      scaler.unscale_(optimizer as optim.Adam);
      nn.utils.clipGradNorm(p, 1);
      scaler.step(optimizer as optim.Adam);
      scaler.update();
    }
    for (const spy of watched) expect(spy).not.toHaveBeenCalled();
    expect(scaler.getScale()).toBe(65536);
    expect(watched[0]).toHaveBeenCalled();
  });

  test('does not count for the noise of gradients', () => {
    const p = ones([3], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 0.1, gradientNoise: 1, gradientNoiseDecay: 0.5 });
    const scaler = new amp.GradScaler({ initScale: 4 });
    const moves: number[] = [];
    for (let step = 0; step < 6; step++) {
      const before = Number(p.dataSync()[0]);
      p.grad = tensor([0, 0, step % 2 === 0 ? Infinity : 0]);
      manualSeed(3);
      scaler.step(optimizer);
      scaler.update();
      moves.push(Number(p.dataSync()[0]) - before);
    }
    expect([moves[0], moves[2], moves[4]]).toEqual([0, 0, 0]);
    // The same draw, of variance 1 / t^0.5 for t = 1, 2, 3.
    expect(moves[3] / moves[1]).toBeCloseTo(2 ** -0.25, 4);
    expect(moves[5] / moves[1]).toBeCloseTo(3 ** -0.25, 4);
    expect(optimizer.stateDict().state[0]['noiseStep']).toBe(3);
  });

  test('of an optimizer of a class of its own is waited for', () => {
    class Own extends optim.Optimizer<{ lr: number }> {
      steps = 0;
      constructor(params: Tensor[]) {
        super('Own', params, { lr: 1 });
      }
      protected override checkOptions(): void {}
      protected override initialState(): optim.ParameterState {
        return {};
      }
      protected override update(o: { lr: number }, p: Tensor[], g: Tensor[]): void {
        this.steps++;
        p.forEach((x, i) => x.sub_(g[i].mul(o.lr)));
      }
    }
    class Nosy extends optim.SGD {
      steps = 0;
      override step<T>(closure?: () => T): T | undefined {
        this.steps++;
        return super.step(closure);
      }
    }
    for (const make of [(p: Tensor) => new Own([p]), (p: Tensor) => new Nosy([p], { lr: 1 })]) {
      const p = ones([2], { requiresGrad: true });
      const optimizer = make(p);
      const scaler = new amp.GradScaler({ initScale: 2 });
      for (const bad of [1, Infinity, 1]) {
        p.grad = tensor([2, 2 * bad]);
        scaler.step(optimizer);
        expect(scaler.foundInfSync(optimizer)).toBe(bad === Infinity);
        scaler.update();
      }
      expect(optimizer.steps).toBe(2);
      expect(p.tolist()).toEqual([-2, -2]);
    }
  });

  test('needs no closure: SAM and L-BFGS say that they do', () => {
    const p = ones([2], { requiresGrad: true });
    p.sum().backward();
    for (const optimizer of [new optim.SAM(new optim.SGD([p])), new optim.LBFGS([p])]) {
      expect(() => new amp.GradScaler().step(optimizer as unknown as optim.SGD)).toThrow('step needs a closure');
    }
    expect(p.tolist()).toEqual([1, 1]);
  });
});

describe('state', () => {
  test.each(['Adam', 'NAdam', 'Lookahead', 'ScheduleFreeAdamW'])(
    'is saved in numbers, and goes on from them: %s',
    (name) => {
      const run = (restart: boolean): unknown[] => {
        manualSeed(6);
        let p = randn([4]).requiresGrad_();
        let optimizer = makers[name]([p]);
        let scaler = new amp.GradScaler({ initScale: 8, growthInterval: 3 });
        for (let step = 0; step < 9; step++) {
          if (restart && step === 5) {
            const dict = optimizer.stateDict();
            const state = scaler.stateDict();
            p = p.detach().clone().requiresGrad_();
            optimizer = makers[name]([p]);
            optimizer.loadStateDict(dict as never);
            scaler = new amp.GradScaler();
            scaler.loadStateDict(state);
          }
          p.grad = randn([4]).mul(step % 4 === 1 ? Infinity : 8);
          scaler.step(optimizer as optim.Adam);
          scaler.update();
        }
        return [p.tolist(), stateOf(optimizer), scaler.stateDict()];
      };
      expect(run(true)).toEqual(run(false));
    },
  );

  test('and goes on without the scaler', () => {
    const p = ones([2], { requiresGrad: true });
    const q = ones([2], { requiresGrad: true });
    const [scaled, plain] = [new optim.Adam([p]), new optim.Adam([q])];
    const scaler = new amp.GradScaler({ initScale: 1 });
    for (const factor of [1, Infinity, 2, 3]) {
      p.grad = tensor([1, 0.5]).mul(factor);
      if (factor === 3) scaled.step();
      else {
        scaler.step(scaled);
        scaler.update(1);
      }
      q.grad = tensor([1, 0.5]).mul(factor);
      if (factor !== Infinity) plain.step();
    }
    expect(p.tolist()).toEqual(q.tolist());
    expect(stateOf(scaled)).toEqual(stateOf(plain));
  });
});

describe('the factor', () => {
  const stepWith = (scaler: amp.GradScaler, value: number): void => {
    const p = ones([1], { requiresGrad: true });
    p.grad = tensor([value]);
    scaler.step(new optim.SGD([p]));
    scaler.update();
  };

  test('stays a finite number above 0', () => {
    const scaler = new amp.GradScaler({ initScale: 2 ** 126, growthInterval: 1 });
    const scales = [0, 0, 0].map(() => {
      stepWith(scaler, 1);
      return scaler.getScale();
    });
    expect(scales).toEqual([2 ** 127, 2 ** 127, 2 ** 127]);
    const small = new amp.GradScaler({ initScale: 2 ** -124, backoffFactor: 0.25 });
    for (let i = 0; i < 3; i++) stepWith(small, NaN);
    expect(small.getScale()).toBe(2 ** -126);
    expect(() => new amp.GradScaler({ initScale: 1e39 })).toThrow('scale must be a float32');
    expect(() => new amp.GradScaler({ initScale: 1e-40 })).toThrow('scale must be a float32');
  });

  test('that makes finite gradients infinite is an overflow', () => {
    const p = ones([1], { requiresGrad: true });
    const optimizer = new optim.SGD([p]);
    const scaler = new amp.GradScaler({ initScale: 2 ** -100 });
    p.grad = tensor([1e30]);
    scaler.step(optimizer);
    expect(scaler.foundInfSync(optimizer)).toBe(true);
  });

  test('divides gradients of any float type, strides and size', () => {
    manualSeed(2);
    for (const dtype of ['float32', 'float64', 'bfloat16'] as const) {
      for (const bad of [null, NaN, -Infinity]) {
        const params = [[70, 90], [90, 70], [5], [], [0], [2, 3, 4]].map((shape): Tensor =>
          zeros(shape, { dtype }).requiresGrad_(),
        );
        const grads = params.map((p): Tensor => randn(p.shape).to(dtype));
        grads[1] = randn([70, 90]).to(dtype).T;
        if (bad !== null) noGrad(() => grads[1].select(1, 69).select(0, 89).fill_(bad));
        const expected = grads.map((g) => g.div(8).tolist());
        params.forEach((p, i) => (p.grad = grads[i]));
        const optimizer = new optim.SGD(params);
        const scaler = new amp.GradScaler({ initScale: 8 });
        scaler.unscale_(optimizer);
        expect(params.map((p) => p.grad!.tolist())).toEqual(expected);
        expect(scaler.foundInfSync(optimizer)).toBe(bad !== null);
      }
    }
  });
});

test('a program leaves out a run', () => {
  const scaleBy = program({
    name: 'scaleBy',
    tensors: ['x'],
    scalars: ['factor'],
    update: ({ x, factor }) => ({ x: expr.mul(x, factor) }),
  });
  const x: Tensor[] = [tensor([1, 2, 3]), zeros([2, 0]), tensor([[4], [5]])];
  const run = (skip: Tensor): void => noGrad(() => scaleBy.run({ x }, { factor: 2 }, { skip }));
  run(zeros([]));
  run(ones([1]));
  run(tensor(-0.5));
  run(tensor(NaN));
  run(tensor(-0));
  expect(x.map((t) => t.tolist())).toEqual([
    [4, 8, 12],
    [[], []],
    [[16], [20]],
  ]);
  expect(errorOf(() => run(zeros([2])))).toBe('ArgumentError: scaleBy: skip must have one element, it has 2.');
  expect(errorOf(() => run(zeros([], { dtype: 'bool' })))).toBe('DTypeError: scaleBy: skip must be float32, got bool.');
  const inside = x[0].select(0, 1);
  run(inside);
  expect(errorOf(() => native.sync())).toBe('NativeError: scaleBy: an output lies over skip');
  expect(x[0].tolist()).toEqual([4, 8, 12]);
});

interface Golden {
  readonly start: number[];
  readonly gradients: (number | string)[][];
  readonly options: amp.GradScalerOptions;
  readonly cases: Record<string, { options: Record<string, unknown>; params: number[][]; scales: number[] }>;
}

describe("a run with overflows is PyTorch's", () => {
  const golden = readGoldens<Golden>('gradScaler.json');
  test.each(Object.keys(golden.cases))('%s', (name) => {
    const { options, params, scales } = golden.cases[name];
    const p = tensor(golden.start, { requiresGrad: true });
    const make = optim[name.split('/')[0] as 'SGD'];
    const optimizer = new make([p], options);
    const scaler = new amp.GradScaler(golden.options);
    const numbers: Record<string, number> = { inf: Infinity, '-inf': -Infinity, nan: NaN };
    golden.gradients.forEach((row, step) => {
      const gradient = row.map((x) => (typeof x === 'string' ? numbers[x] : x));
      optimizer.zeroGrad();
      scaler.scale(p.mul(tensor(gradient)).sum()).backward();
      scaler.step(optimizer);
      scaler.update();
      expect(scaler.getScale()).toBe(scales[step]);
      p.dataSync().forEach((x, i) => expect(Math.abs(x - params[step][i])).toBeLessThan(2e-6));
    });
  });
});
