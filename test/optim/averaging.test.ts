// Weights beside the weights: averages, schedule-free steps, a wrapper.
import { describe, expect, test } from 'vitest';
import { nn, noGrad, optim, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { expectClose } from '../golden.js';
import { flat } from './optimizers.js';

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
});
