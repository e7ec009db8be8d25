// Optimizers: native calls, programs and memory of a step.
import { afterEach, describe, expect, test, vi } from 'vitest';
import { memory, optim, randn, tidy, type Tensor } from 'thalweg';
import { native } from '../../src/native.js';
import { make } from './optimizers.js';

afterEach(() => {
  vi.restoreAllMocks();
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

describe('regularisation', () => {
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
