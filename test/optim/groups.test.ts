// Parameter groups, what they hold and their options; regularisation; optimizers of the user.
import { describe, expect, test } from 'vitest';
import { expr, manualSeed, nn, noGrad, optim, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { expectClose } from '../golden.js';
import { flat } from './optimizers.js';

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
