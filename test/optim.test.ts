// Optimizers: the same steps as PyTorch's, state that continues where it stopped, groups, errors.
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  ArgumentError,
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

function step(params: readonly Tensor[], optimizer: optim.Optimizer<object>): void {
  tidy(() => {
    optimizer.zeroGrad();
    lossOf(params).backward();
    optimizer.step();
  });
}

const flat = (tensors: readonly Tensor[]): number[] => tensors.flatMap((t) => Array.from(t.dataSync(), Number));

function make(name: string, params: optim.ParametersLike<object>, options: object = {}): optim.Optimizer<object> {
  const kinds = { SGD: optim.SGD, Adam: optim.Adam } as unknown as Record<
    string,
    new (p: typeof params, o: object) => optim.Optimizer<object>
  >;
  return new kinds[name](params, options);
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('20 steps as PyTorch takes them', () => {
  for (const [key, { options, trajectory }] of Object.entries(goldens.cases)) {
    test(key, () => {
      const params = tensorsOf(goldens.start, true);
      const optimizer = make(key.split('/')[0], params, options);
      trajectory.forEach((expected, i) => {
        step(params, optimizer);
        expectClose(`step ${i + 1}`, flat(params), expected, { relative: 1e-10, floor: 1e-3 });
      });
    });

    test(`${key} in float32`, () => {
      const params = tensorsOf(goldens.start, false).map((p) => p.to('float32').requiresGrad_());
      const optimizer = make(key.split('/')[0], params, options);
      for (let i = 0; i < 5; i++) step(params, optimizer);
      expectClose('after 5 steps', flat(params), trajectory[4], { relative: 1e-4, floor: 0.1 });
    });
  }
});

describe('state dicts', () => {
  test.each(['SGD/dampening', 'SGD/nesterov', 'Adam/weightDecay', 'SGD/plain'])('%s continues bit for bit', (key) => {
    const { options } = goldens.cases[key];
    const params = tensorsOf(goldens.start, true);
    const optimizer = make(key.split('/')[0], params, options);
    for (let i = 0; i < 7; i++) step(params, optimizer);
    const state = optimizer.stateDict();
    const copies = params.map((p) => p.detach().clone().requiresGrad_());
    const other = make(key.split('/')[0], copies, {});
    other.loadStateDict(state);
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
    expect(dict.paramGroups).toEqual([
      { params: [0], lr: 0.5, betas: [0.8, 0.9], eps: 1e-8, weightDecay: 0, maximize: false },
      { params: [1], lr: 0.001, betas: [0.8, 0.9], eps: 1e-8, weightDecay: 0, maximize: false },
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
  test.each(['SGD', 'Adam'])('%s updates 500 parameters in one native call', (name) => {
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
