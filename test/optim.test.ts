// Optimizers: the same steps as PyTorch's, state that continues where it stopped, groups, errors.
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ArgumentError,
  expr,
  fromTypedArray,
  manualSeed,
  memory,
  nn,
  noGrad,
  optim,
  randn,
  sum,
  tensor,
  tidy,
  zeros,
  type Tensor,
} from 'thalweg';
import { native } from '../src/native.js';
import { expectClose, readGoldens } from './golden.js';
import { errorOf } from './error-of.js';

interface Goldens {
  readonly start: readonly (readonly number[] | readonly (readonly number[])[])[];
  readonly curvature: Goldens['start'];
  readonly cases: Readonly<
    Record<string, { options: Record<string, unknown>; trajectory: readonly (readonly number[])[] }>
  >;
}

const goldens = readGoldens<Goldens>('optim.json');

function tensorsOf(lists: Goldens['start'], requiresGrad: boolean): Tensor[] {
  return lists.map((list) => {
    const flat = list.flat();
    const shape = flat.length === list.length ? [flat.length] : [list.length, flat.length / list.length];
    return fromTypedArray(Float64Array.from(flat), shape, { requiresGrad });
  });
}

const curvature = tensorsOf(goldens.curvature, false);

function lossOf(params: readonly Tensor[]): Tensor {
  return params
    .map((p, i) => sum(curvature[i].mul(0.5).mul(p).mul(p).add(p.mul(3).sin())))
    .reduce((total, term) => total.add(term));
}

/** Whatever has the interface of an optimizer. */
type Stepper = optim.AnyOptimizer;

function step(params: readonly Tensor[], optimizer: Stepper): void {
  const closure = (): Tensor => {
    optimizer.zeroGrad();
    const loss = lossOf(params);
    loss.backward();
    return loss;
  };
  tidy(() => {
    // The one that needs no closure is tried without.
    if (optimizer instanceof optim.Adam) {
      closure();
      optimizer.step();
    } else optimizer.step(closure);
  });
}

const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap((t) => Array.from(t.dataSync(), Number));

function make(name: string, params: optim.ParametersLike<object>, options: object = {}): Stepper {
  const { base, ...own } = options as { base?: object };
  if (name === 'SAM') return new optim.SAM(new optim.SGD(params, base), own);
  if (name === 'Lookahead') return new optim.Lookahead(new optim.SGD(params, base), own) as unknown as Stepper;
  const kinds = optim as unknown as Record<string, new (p: typeof params, o: object) => Stepper>;
  return new kinds[name](params, options);
}

/** The parameters that an optimizer takes: Muon has matrices only. */
const startOf = (key: string): Goldens['start'] => goldens.start.slice(0, key.startsWith('Muon/') ? 1 : 2);

afterEach(() => {
  vi.restoreAllMocks();
});

test('every optimizer has a trajectory', () => {
  const covered = new Set(Object.keys(goldens.cases).map((key) => key.split('/')[0]));
  const steps = (value: unknown): boolean => typeof value === 'function' && 'step' in (value.prototype as object);
  const all = Object.entries(optim).filter(([name, value]) => steps(value) && name !== 'Optimizer');
  expect(all.map(([name]) => name).filter((name) => !covered.has(name))).toEqual([]);
});

describe('20 steps as PyTorch takes them', () => {
  for (const [key, { options, trajectory }] of Object.entries(goldens.cases)) {
    test(key, () => {
      const params = tensorsOf(startOf(key), true);
      const optimizer = make(key.split('/')[0], params, options);
      trajectory.forEach((expected, i) => {
        step(params, optimizer);
        // PyTorch keeps the product of NAdam and the rate of ASGD in float32.
        const relative = /^(NAdam|ASGD)/.test(key) ? 1e-6 : 1e-10;
        expectClose(`step ${i + 1}`, flat(params), expected, { relative, floor: 1e-3 });
      });
    });

    // L-BFGS ends an iteration where the loss changes by less than 1e-9, so in float32 it ends elsewhere.
    test.skipIf(key.startsWith('LBFGS/'))(`${key} in float32`, () => {
      const params = tensorsOf(startOf(key), false).map((p) => p.to('float32').requiresGrad_());
      const optimizer = make(key.split('/')[0], params, options);
      for (let i = 0; i < 5; i++) step(params, optimizer);
      expectClose('after 5 steps', flat(params), trajectory[4], { relative: 2e-6, floor: 0.1 });
    });
  }
});

describe('state dicts', () => {
  test.each(Object.keys(goldens.cases))('%s continues bit for bit', (key) => {
    const { options } = goldens.cases[key];
    const name = key.split('/')[0];
    const params = tensorsOf(startOf(key), true);
    const optimizer = make(name, params, options);
    for (let i = 0; i < 7; i++) step(params, optimizer);
    const copies = params.map((p) => p.detach().clone().requiresGrad_());
    // Options are in the state dict, but for those of a wrapper.
    const other = make(name, copies, name === 'SAM' || name === 'Lookahead' ? options : {});
    other.loadStateDict(optimizer.stateDict());
    for (let i = 0; i < 5; i++) {
      step(params, optimizer);
      step(copies, other);
      expect(flat(copies)).toEqual(flat(params));
    }
  });

  test('hold options, positions and tensors in use; loading copies', () => {
    const params = tensorsOf(goldens.start, true);
    const optimizer = new optim.Adam([{ params: [params[1]], lr: 0.5 }, { params: [params[0]] }], {
      betas: [0.8, 0.9],
    });
    step(params, optimizer);
    const dict = optimizer.stateDict();
    const more = { eps: 1e-8, amsgrad: false, weightDecay: 0, decoupledWeightDecay: false, maximize: false };
    const shared = { betas: [0.8, 0.9], ...more };
    expect(dict.paramGroups).toEqual([
      { params: [0], ...shared, lr: 0.5 },
      { params: [1], ...shared, lr: 0.001 },
    ]);
    expect(Object.keys(dict.state)).toEqual(['0', '1']);
    expect(dict.state[0]['step']).toBe(1);
    const first = dict.state[0]['m'] as Tensor;
    const before = flat([first]);
    const copies = [params[1], params[0]].map((p) => p.detach().clone().requiresGrad_());
    const other = new optim.Adam([{ params: [copies[0]] }, { params: [copies[1]] }]);
    other.loadStateDict(dict);
    expect(other.paramGroups.map(({ lr }) => lr)).toEqual([0.5, 0.001]);
    noGrad(() => first.zero_());
    expect(flat([other.state.get(copies[0])!['m'] as Tensor])).toEqual(before);
  });

  test('that do not fit change nothing', () => {
    const params = tensorsOf(goldens.start, true);
    const optimizer = new optim.Adam([{ params: [params[0]] }, { params: [params[1]] }], { lr: 0.25 });
    step(params, optimizer);
    const good = optimizer.stateDict();
    const snapshot = (): unknown => [
      optimizer.paramGroups.map(({ lr, eps }) => [lr, eps]),
      [...optimizer.state.values()].map(({ step: n, m }) => [n, ...flat([m as Tensor])]),
    ];
    const before = snapshot();
    const attempt = (change: (dict: optim.OptimizerStateDict) => void): string => {
      const dict: optim.OptimizerStateDict = {
        state: Object.fromEntries(Object.entries(good.state).map(([key, values]) => [key, { ...values }])),
        paramGroups: good.paramGroups.map((group) => ({ ...group, lr: 0.75 })),
      };
      change(dict);
      const message = errorOf(() => optimizer.loadStateDict(dict));
      expect(snapshot()).toEqual(before);
      return message;
    };
    expect(attempt((dict) => dict.paramGroups.pop())).toBe(
      "ArgumentError: Adam.loadStateDict: the groups hold 1 parameters, this optimizer's 1, 1.",
    );
    expect(attempt((dict) => (dict.state[7] = {}))).toBe('ArgumentError: Adam.loadStateDict: there is no parameter 7.');
    expect(attempt((dict) => (dict.state[1] = { m: zeros([2]) }))).toBe(
      "ShapeError: Adam.loadStateDict: 'm' of parameter 1 has shape [2], the parameter [3].",
    );
    expect(attempt((dict) => (dict.paramGroups[1]['eps'] = -1))).toBe(
      'ArgumentError: Adam: eps must be a number >= 0, got -1.',
    );
  });
});

describe('parameter groups', () => {
  test('have options of their own, changeable at any time', () => {
    const a = tensor([1, 1], { requiresGrad: true });
    const b = tensor([1, 1], { requiresGrad: true });
    const optimizer = new optim.SGD([{ params: [a], lr: 1 }, { params: [b] }], { lr: 0.5 });
    const run = (): void => {
      optimizer.zeroGrad();
      a.add(b).sum().backward();
      optimizer.step();
    };
    run();
    expect([...flat([a]), ...flat([b])]).toEqual([0, 0, 0.5, 0.5]);
    optimizer.paramGroups[1].lr = 0.25;
    run();
    expect([...flat([a]), ...flat([b])]).toEqual([-1, -1, 0.25, 0.25]);
    const c = tensor([1], { requiresGrad: true });
    optimizer.addParamGroup({ params: [c], lr: 2 });
    c.sum().backward();
    a.grad = null;
    optimizer.step();
    expect(flat([c, a])).toEqual([-1, -1, -1]);
  });

  test('a module gives its parameters', () => {
    manualSeed(3);
    const layer = new nn.Linear(3, 2);
    const optimizer = new optim.SGD(layer.parameters(), { lr: 0.1 });
    const before = flat([layer.weight, layer.bias!]);
    layer
      .forward(zeros([4, 3]))
      .sum()
      .backward();
    optimizer.step();
    const after = flat([layer.weight, layer.bias!]);
    expect(after.slice(0, 6)).toEqual(before.slice(0, 6));
    expectClose(
      'bias',
      after.slice(6),
      before.slice(6).map((v) => v - 0.4),
      { relative: 1e-6 },
    );
  });

  test('a parameter that two modules share is one, also after to()', () => {
    const layer = new nn.Linear(3, 3);
    class Tied extends nn.Module {
      readonly first = layer;
      readonly second = new nn.Linear(3, 3);
      override forward(x: Tensor): Tensor {
        return this.second.forward(this.first.forward(x));
      }
    }
    const tied = new Tied();
    (tied.second as { weight: Tensor }).weight = layer.weight;
    expect(tied.parameters().length).toBe(3);
    tied.to('float64');
    expect(tied.second.weight).toBe(tied.first.weight);
    expect(tied.parameters().map(({ dtype, requiresGrad }) => [dtype, requiresGrad])).toEqual(
      new Array(3).fill(['float64', true]),
    );
    expect(() => new optim.SGD(tied.parameters())).not.toThrow();
  });

  test('parameters without a gradient stay, and keep no state', () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([3], { requiresGrad: true });
    const optimizer = new optim.Adam([a, b]);
    a.sum().backward();
    optimizer.step();
    expect(flat([b])).toEqual([3]);
    expect([...optimizer.state.keys()]).toEqual([a]);
    // One that comes later starts its own count.
    b.sum().backward();
    optimizer.step();
    expect([...optimizer.state.values()].map((state) => state['step'])).toEqual([2, 1]);
    expect(flat([b])[0]).toBeCloseTo(3 - 1e-3, 6);
  });

  test('momentum that is switched on later starts undamped', () => {
    const a = tensor([1], { requiresGrad: true, dtype: 'float64' });
    const optimizer = new optim.SGD([a], { lr: 1, dampening: 0.5 });
    const run = (): number => {
      optimizer.zeroGrad();
      a.mul(2).sum().backward();
      optimizer.step();
      return Number(a.itemSync());
    };
    expect(run()).toBe(-1);
    optimizer.paramGroups[0].momentum = 0.5;
    expect(run()).toBe(-3);
    // buffer 0.5 * 2 + 0.5 * 2
    expect(run()).toBe(-5);
  });

  test('parameters of several dtypes and layouts', () => {
    const a = tensor([1, 2], { requiresGrad: true });
    const b = tensor([1, 2], { dtype: 'float64', requiresGrad: true });
    const c = tensor(
      [
        [1, 2],
        [3, 4],
      ],
      { dtype: 'bfloat16' },
    )
      .t()
      .requiresGrad_();
    const optimizer = new optim.SGD([a, b, c], { lr: 0.5, momentum: 0.9 });
    a.sum().add(b.sum()).add(c.mul(2).sum().to('float64')).backward();
    optimizer.step();
    expect([flat([a]), flat([b]), flat([c])]).toEqual([
      [0.5, 1.5],
      [0.5, 1.5],
      [0, 2, 1, 3],
    ]);
  });

  test('step takes a closure and gives back its result', () => {
    const a = tensor([1], { requiresGrad: true });
    const optimizer = new optim.SGD([a], { lr: 1 });
    const loss = optimizer.step(() => {
      optimizer.zeroGrad();
      const value = a.mul(3).sum();
      value.backward();
      return value;
    });
    expect(loss!.itemSync()).toBe(3);
    expect(flat([a])).toEqual([-2]);
    expect(optimizer.step()).toBe(undefined);
  });
});

describe('regularisation', () => {
  test('proximal L1 gives true zeros and stays there', () => {
    const p = tensor([0.3, -0.2, 2, -1], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 0.1, l1: 1, l1Mode: 'proximal' });
    for (let i = 0; i < 5; i++) {
      p.grad = zeros([4]);
      optimizer.step();
    }
    expect(flat([p]).slice(0, 2).map(Math.abs)).toEqual([0, 0]);
    expectClose('the others', flat([p]).slice(2), [1.5, -0.5], { relative: 1e-6 });
  });

  test('the L1 penalty is descended along while the objective is ascended', () => {
    const p = tensor([1, -1], { requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 0.5, l1: 0.5, maximize: true });
    p.grad = zeros([2]);
    optimizer.step();
    expect(flat([p])).toEqual([0.75, -0.75]);
  });

  test('max-norm limits units of matrices, not biases', () => {
    const w = tensor(
      [
        [3, 4],
        [0.3, 0.4],
      ],
      { requiresGrad: true },
    );
    const b = tensor([10, 10], { requiresGrad: true });
    const optimizer = new optim.SGD([{ params: [w, b], maxNorm: 1 }], { lr: 0.1 });
    w.grad = zeros([2, 2]);
    b.grad = zeros([2]);
    optimizer.step();
    expectClose('weights', flat([w]), [0.6, 0.8, 0.3, 0.4], { relative: 1e-6 });
    expect(flat([b])).toEqual([10, 10]);
  });

  test('gradient noise has the variance of its step, the same for the same seed', () => {
    const run = (): number[][] => {
      manualSeed(7);
      const p = zeros([20000], { requiresGrad: true });
      const optimizer = new optim.SGD([p], { lr: 1, gradientNoise: 0.25 });
      const steps: number[][] = [];
      for (let i = 0; i < 2; i++) {
        noGrad(() => p.zero_());
        p.grad = zeros([20000]);
        optimizer.step();
        steps.push(flat([p]));
      }
      return steps;
    };
    const [first, second] = run();
    const variance = (values: readonly number[]): number => values.reduce((a, v) => a + v * v, 0) / values.length;
    expect(variance(first)).toBeCloseTo(0.25, 1.8);
    expect(variance(second)).toBeCloseTo(0.25 / 2 ** 0.55, 1.8);
    expect(run()).toEqual([first, second]);
  });

  test('keeps no memory', () => {
    const p = randn([50, 3], { requiresGrad: true });
    const optimizer = new optim.Adam([p], { l1: 0.1, maxNorm: 1, gradientNoise: 0.1 });
    p.grad = randn([50, 3]);
    optimizer.step();
    const before = memory().tensors;
    optimizer.step();
    expect(memory().tensors).toBe(before);
  });
});

describe('beyond a step', () => {
  test('ScheduleFreeAdamW swaps its two sets of weights', () => {
    const p = tensor([1, 2], { requiresGrad: true, dtype: 'float64' });
    const optimizer = new optim.ScheduleFreeAdamW([p], { lr: 0.1 });
    for (let i = 0; i < 4; i++) step2(p, optimizer);
    const training = flat([p]);
    optimizer.eval();
    expect(flat([p])).not.toEqual(training);
    expect(errorOf(() => optimizer.step())).toBe(
      'ArgumentError: ScheduleFreeAdamW: step() while evaluating; call train() first.',
    );
    optimizer.eval();
    optimizer.train();
    expectClose('training again', flat([p]), training, { relative: 1e-12 });
  });

  function step2(p: Tensor, optimizer: optim.Optimizer<object>): void {
    optimizer.zeroGrad();
    p.square().sum().backward();
    optimizer.step();
  }

  test('EMA and SWA average, apply and restore', async () => {
    const p = tensor([0], { requiresGrad: true, dtype: 'float64' });
    const ema = new optim.EMA([p], { decay: 0.5 });
    const swa = new optim.SWA([p]);
    for (const value of [1, 2, 6]) {
      noGrad(() => p.fill_(value));
      ema.update();
      swa.update();
    }
    expect(flat(ema.averages)).toEqual([3.75]);
    expect(flat(swa.averages)).toEqual([3]);
    expect(swa.apply(() => flat([p]))).toEqual([3]);
    expect(flat([p])).toEqual([6]);
    expect(() =>
      swa.apply(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(flat([p])).toEqual([6]);
    await swa.apply(async () => {
      await Promise.resolve();
      expect(flat([p])).toEqual([3]);
    });
    expect(flat([p])).toEqual([6]);
    const other = new optim.SWA([tensor([0], { dtype: 'float64' })]);
    other.loadStateDict(swa.stateDict());
    expect([flat(other.averages), other.updates]).toEqual([[3], 3]);
    expect(errorOf(() => other.loadStateDict({ updates: 1, averages: [zeros([2])] }))).toBe(
      'ShapeError: SWA.loadStateDict: average 0 has shape [2], the tensor [1].',
    );
    ema.copyToSource();
    expect(flat([p])).toEqual([3.75]);
    const model = new nn.Linear(2, 1);
    expect(new optim.EMA(model).averages.length).toBe(2);
  });

  describe('an average of a module whose tensors are replaced', () => {
    const fill = (layer: nn.Linear, value: number): void => {
      noGrad(() => {
        for (const p of layer.parameters()) p.fill_(value);
      });
    };

    test('is one of those that the module has now', () => {
      const layer = new nn.Linear(1, 1);
      const swa = new optim.SWA(layer);
      fill(layer, 1);
      swa.update();
      const before = layer.weight;
      layer.double().float();
      expect(layer.weight).not.toBe(before);
      fill(layer, 3);
      swa.update();
      expect(flat(swa.averages)).toEqual([2, 2]);
      layer.double().float();
      expect(swa.apply(() => flat(layer.parameters()))).toEqual([2, 2]);
      expect(flat(layer.parameters())).toEqual([3, 3]);
      // Even if that happens while the averages are in the module.
      swa.apply(() => layer.double().float());
      expect(flat(layer.parameters())).toEqual([3, 3]);
      layer.double().float();
      swa.copyToSource();
      expect(flat(layer.parameters())).toEqual([2, 2]);
      expect(flat([before])).toEqual([1]);
    });

    test('of tensors goes on with these', () => {
      const layer = new nn.Linear(1, 1);
      fill(layer, 1);
      const swa = new optim.SWA(layer.parameters());
      layer.double().float();
      fill(layer, 3);
      swa.update();
      expect(flat(swa.averages)).toEqual([1, 1]);
    });

    test('refuses others than it was made of, and changes nothing', () => {
      const layer = new nn.Linear(1, 1);
      fill(layer, 1);
      const ema = new optim.EMA(layer);
      const again = 'make the EMA when the module has what is trained.';
      layer.double();
      for (const call of [() => ema.update(), () => ema.copyToSource(), () => ema.apply(() => 0)]) {
        expect(errorOf(call)).toBe(
          `ArgumentError: EMA: 'weight' is float64 of shape [1,1] and was float32 of shape [1,1] when the average was made; ${again}`,
        );
      }
      layer.float();
      layer.registerBuffer('extra', zeros([1]));
      expect(errorOf(() => ema.update())).toBe(
        `ArgumentError: EMA: the module had no 'extra' when the average was made; ${again}`,
      );
      const other = new optim.EMA(layer);
      layer.registerBuffer('extra', null);
      expect(errorOf(() => other.update())).toBe(
        `ArgumentError: EMA: the module has no 'extra' any more, which is averaged; ${again}`,
      );
      expect([ema.updates, other.updates, ...flat(ema.averages)]).toEqual([0, 0, 1, 1]);
    });
  });

  test('a schedule drives the optimizer inside a wrapper', () => {
    const p = tensor([1], { requiresGrad: true });
    const inner = new optim.SGD([p], { lr: 1 });
    const scheduler = new optim.lrScheduler.StepLR(new optim.Lookahead(inner), 1, { gamma: 0.5 });
    scheduler.step();
    expect(inner.paramGroups[0].lr).toBe(0.5);
  });

  test('LBFGS with a line search finds the minimum of Rosenbrock', () => {
    const p = tensor([-1.2, 1], { requiresGrad: true, dtype: 'float64' });
    const optimizer = new optim.LBFGS([p], { lineSearchFn: 'strong_wolfe', maxIter: 100, toleranceChange: 1e-14 });
    const loss = (): Tensor => {
      const [x, y] = p.unbind() as unknown as [Tensor, Tensor];
      return y.sub(x.square()).square().mul(100).add(x.neg().add(1).square());
    };
    const first = optimizer.step(() => {
      optimizer.zeroGrad();
      const value = loss();
      value.backward();
      return value;
    });
    expect(Number(first!.itemSync())).toBeCloseTo(24.2, 10);
    expect(flat([p]).map((v) => Math.abs(v - 1) < 1e-5)).toEqual([true, true]);
  });
});

describe('defineOptimizer', () => {
  const { add, mul, sign, sub } = expr;
  const Signum = optim.defineOptimizer({
    name: 'Signum',
    options: { lr: 1e-3, momentum: 0.5 },
    state: ['m'],
    update: ({ p, g, m, lr, momentum, t }) => {
      const next = add(mul(momentum, m), mul(sub(1, momentum), g));
      return { m: next, p: sub(p, mul(lr, mul(t, sign(next)))) };
    },
  });

  test('has groups, state, state dicts, schedules and regularisation', () => {
    const a = tensor([1, -1], { requiresGrad: true });
    const b = tensor([4], { requiresGrad: true });
    const optimizer = new Signum([{ params: [a] }, { params: [b], lr: 0.5, l1: 1, l1Mode: 'proximal' }], { lr: 0.25 });
    const run = (o: optim.Optimizer<object>): void => {
      o.zeroGrad();
      a.square().sum().add(b.sum()).backward();
      o.step();
    };
    run(optimizer);
    expect([flat([a]), flat([b])]).toEqual([[0.75, -0.75], [3]]);
    expect(flat([optimizer.state.get(a)!['m'] as Tensor])).toEqual([1, -1]);
    const other = new Signum([{ params: [a] }, { params: [b] }]);
    other.loadStateDict(optimizer.stateDict());
    expect(other.paramGroups[1].lr).toBe(0.5);
    run(other);
    expect([flat([a]), flat([b])]).toEqual([[0.25, -0.25], [1.5]]);
    new optim.lrScheduler.StepLR(other, 1, { gamma: 0.5 }).step();
    expect(other.paramGroups.map(({ lr }) => lr)).toEqual([0.125, 0.25]);
  });

  test('errors', () => {
    expect(errorOf(() => new Signum([tensor([1], { requiresGrad: true })], { rate: 1 } as object))).toBe(
      'ArgumentError: Signum: there is no option rate; the options are lr, momentum, l1, l1Mode, maxNorm, gradientNoise, gradientNoiseDecay.',
    );
    expect(errorOf(() => optim.defineOptimizer({ name: 'Own', options: {}, update: ({ p }) => ({ p }) }))).toBe(
      'ArgumentError: Own: the options must have a learning rate, lr.',
    );
  });
});

describe('errors', () => {
  const good = tensor([1], { requiresGrad: true });
  const cases: [string, () => unknown, string][] = [
    ['no parameters', () => new optim.SGD([]), 'ArgumentError: SGD: there are no parameters to optimize.'],
    [
      'no tensor',
      () => new optim.SGD([good, 3 as unknown as Tensor]),
      'ArgumentError: SGD: params[1] is a number, expected a Tensor.',
    ],
    [
      'no group',
      () => new optim.SGD([3] as unknown as Tensor[]),
      'ArgumentError: SGD: a parameter group must be { params: tensors, ...options }.',
    ],
    [
      'no gradient',
      () => new optim.Adam([zeros([2, 3])]),
      'ArgumentError: Adam: params[0] of shape [2,3] does not require gradients; optimize leaves made with { requiresGrad: true }.',
    ],
    [
      'no leaf',
      () => new optim.Adam([good.mul(2)]),
      'ArgumentError: Adam: params[0] of shape [1] was made by a recorded operation; optimize leaves made with { requiresGrad: true }.',
    ],
    ['twice', () => new optim.Adam([good, good]), 'ArgumentError: Adam: params[1] of shape [1] is given twice.'],
    [
      'twice in groups',
      () => new optim.Adam([{ params: [good] }, { params: [good] }]),
      'ArgumentError: Adam: params[0] of shape [1] is given twice.',
    ],
    ['lr', () => new optim.SGD([good], { lr: -0.1 }), 'ArgumentError: SGD: lr must be a number >= 0, got -0.1.'],
    ['lr NaN', () => new optim.SGD([good], { lr: NaN }), 'ArgumentError: SGD: lr must be a number >= 0, got NaN.'],
    [
      'lr text',
      () => new optim.SGD([good], { lr: '0.1' as unknown as number }),
      'ArgumentError: SGD: lr must be a number >= 0, got 0.1.',
    ],
    [
      'momentum',
      () => new optim.SGD([good], { momentum: -1 }),
      'ArgumentError: SGD: momentum must be a number >= 0, got -1.',
    ],
    [
      'nesterov',
      () => new optim.SGD([good], { nesterov: true }),
      'ArgumentError: SGD: nesterov needs momentum above 0 and dampening 0.',
    ],
    [
      'betas',
      () => new optim.Adam([good], { betas: [0.9, 1] }),
      'ArgumentError: Adam: betas[1] must be from 0 to below 1, got 1.',
    ],
    [
      'one beta',
      () => new optim.Adam([good], { betas: [0.9] as unknown as [number, number] }),
      'ArgumentError: Adam: betas must be two numbers.',
    ],
    [
      'unknown',
      () => new optim.SGD([good], { learningRate: 1 } as object),
      'ArgumentError: SGD: there is no option learningRate; the options are lr, momentum, dampening, nesterov, weightDecay, decoupledWeightDecay, maximize, l1, l1Mode, maxNorm, gradientNoise, gradientNoiseDecay.',
    ],
    [
      'unknown in a group',
      () => new optim.SGD([{ params: [good], rate: 1 } as object as { params: Tensor[] }]),
      'ArgumentError: SGD: there is no option rate; the options are lr, momentum, dampening, nesterov, weightDecay, decoupledWeightDecay, maximize, l1, l1Mode, maxNorm, gradientNoise, gradientNoiseDecay.',
    ],
    [
      'l1Mode',
      () => new optim.SGD([good], { l1Mode: 'soft' as 'loss' }),
      "ArgumentError: SGD: l1Mode must be 'loss', 'decoupled' or 'proximal', got \"soft\".",
    ],
    [
      'maxNorm',
      () => new optim.SGD([good], { maxNorm: 0 }),
      'ArgumentError: SGD: maxNorm must be a number > 0, got 0.',
    ],
    [
      'muon',
      () => new optim.Muon([good]),
      'ArgumentError: Muon: params[0] has shape [1]; Muon takes matrices only, give the others to AdamW.',
    ],
    [
      'lbfgs without closure',
      () => new optim.LBFGS([good]).step(),
      'ArgumentError: LBFGS: step needs a closure that computes the loss and its gradients and returns the loss.',
    ],
    [
      'lbfgs without loss',
      () => new optim.LBFGS([good]).step(() => 'loss'),
      'ArgumentError: LBFGS: the closure must return the loss, a scalar.',
    ],
    [
      'lbfgs groups',
      () => new optim.LBFGS([{ params: [good] }, { params: [tensor([1], { requiresGrad: true })] }]),
      'ArgumentError: LBFGS: takes one group of parameters; it has no options per parameter.',
    ],
    ['sam', () => new optim.SAM({} as optim.SGD), 'ArgumentError: SAM: expected an optimizer as the first argument.'],
    [
      'sam without closure',
      () => new optim.SAM(new optim.SGD([good])).step(),
      'ArgumentError: SAM: step needs a closure that clears, computes and returns the loss.',
    ],
    [
      'lookahead',
      () => new optim.Lookahead(new optim.SGD([good]), { k: 0 }),
      'ArgumentError: Lookahead: k must be an integer >= 1, got 0.',
    ],
    [
      'rprop',
      () => new optim.Rprop([good], { etas: [1.5, 2] }),
      'ArgumentError: Rprop: etas[0] must be from 0 to below 1, got 1.5.',
    ],
    ['nothing to average', () => new optim.EMA([]), 'ArgumentError: EMA: there is nothing to average.'],
    ['eps', () => new optim.Adam([good], { eps: -1 }), 'ArgumentError: Adam: eps must be a number >= 0, got -1.'],
  ];
  test.each(cases)('%s', (_, fn, message) => {
    expect(errorOf(fn)).toBe(message);
    expect(fn).toThrow(ArgumentError);
  });

  test('a gradient that was disposed of, or of another shape', () => {
    const p = tensor([1, 2], { requiresGrad: true });
    const optimizer = new optim.SGD([p]);
    p.sum().backward();
    p.grad!.dispose();
    expect(errorOf(() => optimizer.step())).toBe('DisposedError: SGD: g[0] of shape [2] was disposed.');
    p.grad = zeros([3]) as unknown as typeof p.grad;
    expect(errorOf(() => optimizer.step())).toBe('ShapeError: SGD: g[0] has shape [3], p[0] [2].');
    expect(flat([p])).toEqual([1, 2]);
  });
});

describe('cost', () => {
  const fused = [
    'SGD',
    'Adam',
    'AdamW',
    'Adamax',
    'NAdam',
    'RAdam',
    'Adagrad',
    'Adadelta',
    'RMSprop',
    'Rprop',
    'ASGD',
    'Lion',
  ];
  test.each([...fused, 'ScheduleFreeAdamW'])('%s updates 500 parameters in one native call', (name) => {
    const params = Array.from({ length: 500 }, (_, i) => randn([1 + (i % 7), 3], { requiresGrad: true }));
    const optimizer = make(name, params, name === 'SGD' ? { momentum: 0.9 } : {});
    for (const p of params) p.grad = randn(p.shape);
    optimizer.step();
    const map = vi.spyOn(native, 'map');
    const before = memory().tensors;
    optimizer.step();
    expect(map).toHaveBeenCalledTimes(1);
    expect(memory().tensors).toBe(before);
  });

  test('steps keep no memory, inside tidy or not', () => {
    const params = Array.from({ length: 10 }, () => randn([100], { requiresGrad: true }));
    const optimizer = new optim.Adam(params);
    const train = (): void => {
      optimizer.zeroGrad();
      params
        .map((p) => p.square().sum())
        .reduce((a, b) => a.add(b))
        .backward();
      optimizer.step();
    };
    train();
    const before = memory({ collect: true }).tensors;
    for (let i = 0; i < 10; i++) tidy(train);
    expect(memory().tensors).toBe(before);
    for (let i = 0; i < 40; i++) train();
    // A step makes some 20 tiny tensors. They are collected by pages of 16: a few are still held by a living neighbour.
    expect(memory({ collect: true }).tensors).toBeLessThan(before + 100);
    expect(
      [...optimizer.state.values()].every(({ m, v }) => !(m as Tensor).isDisposed && !(v as Tensor).isDisposed),
    ).toBe(true);
  });

  test('zeroGrad frees the gradients', () => {
    const p = randn([100], { requiresGrad: true });
    const optimizer = new optim.SGD([p]);
    p.square().sum().backward();
    const g = p.grad!;
    optimizer.zeroGrad();
    expect([p.grad, g.isDisposed]).toEqual([null, true]);
  });
});

describe('compiled as a whole', () => {
  // native/program_listings.h recognises programs by their code: another order of instructions would be right, but slower.
  const listings = (make: (p: Tensor[]) => optim.AnyOptimizer): number[] => {
    const p = randn([4], { requiresGrad: true });
    const optimizer = make([p]);
    const map = vi.spyOn(native, 'map');
    for (let i = 0; i < 2; i++) {
      p.grad = randn([4]);
      optimizer.step(() => p.sum());
    }
    const programs = map.mock.calls.map(([program]) => program);
    map.mockRestore();
    return [...new Set(programs.map((program) => native.listing(program)))];
  };

  test.each<[string, number, (p: Tensor[]) => optim.AnyOptimizer]>([
    ['SGD', 0, (p) => new optim.SGD(p)],
    ['SGD with momentum', 1, (p) => new optim.SGD(p, { momentum: 0.9 })],
    ['Adam', 2, (p) => new optim.Adam(p)],
    ['Adam with weight decay', 3, (p) => new optim.Adam(p, { weightDecay: 0.1 })],
    ['AdamW', 3, (p) => new optim.AdamW(p)],
  ])('%s is listing %i', (_, listing, make) => {
    expect(listings(make)).toEqual([listing]);
  });

  test('other optimizers are interpreted', () => {
    expect(listings((p) => new optim.Adamax(p))).toEqual([-1]);
  });
});
