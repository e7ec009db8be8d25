// One optimizer, or several, of parameters on two devices: an overflow on one of them leaves out the step on both.
import { expect, test } from 'vitest';
import { amp, ones, optim, tensor, type Device, type Tensor } from 'thalweg';
import { describeDevice } from './available.js';

const devices: Device[] = ['cpu', 'cuda'];

describeDevice('loss scaling on two devices', () => {
  type Stepper = Pick<optim.AnyOptimizer, 'paramGroups' | 'step' | 'zeroGrad'>;

  test.each<[string, (params: Tensor[]) => Stepper]>([
    ['Adam', (params) => new optim.Adam(params, { lr: 0.1 })],
    ['Lookahead', (params) => new optim.Lookahead(new optim.SGD(params, { lr: 0.1, momentum: 0.9 }), { k: 2 })],
  ])('%s', (_, make) => {
    const run = (scaled: boolean): unknown => {
      const params: Tensor[] = devices.map((device) => ones([3], { device, requiresGrad: true }));
      const optimizer = make(params);
      const scaler = new amp.GradScaler({ initScale: 4, growthInterval: 3 });
      // Where the gradients overflow in each step; null: nowhere.
      [null, 'cuda', 'cpu', null, null, 'cpu', null, null, null].forEach((bad, step) => {
        if (!scaled && bad !== null) return;
        optimizer.zeroGrad();
        for (const p of params) {
          const loss = p.mul(tensor([1, 2, 3 + step], { device: p.device })).sum();
          (scaled ? scaler.scale(loss) : loss).backward();
          if (bad === p.device) p.grad = tensor([0, Infinity, 1], { device: p.device });
        }
        if (!scaled) optimizer.step();
        else {
          scaler.step(optimizer);
          expect(scaler.foundInfSync(optimizer)).toBe(bad !== null);
          scaler.update();
        }
      });
      if (scaled) expect(scaler.getScale()).toBe(1);
      return params.map((p) => p.tolist());
    };
    expect(run(true)).toEqual(run(false));
  });

  test('one factor for several optimizers', () => {
    const params: Tensor[] = devices.map((device) => ones([2], { device, requiresGrad: true }));
    const optimizers = params.map((p) => new optim.SGD([p], { lr: 1 }));
    const scaler = new amp.GradScaler({ initScale: 4 });
    for (const p of params) scaler.scale(p.mul(p.device === 'cpu' ? NaN : 1).sum()).backward();
    for (const optimizer of optimizers) scaler.step(optimizer);
    scaler.update();
    expect(optimizers.map((optimizer) => scaler.foundInfSync(optimizer))).toEqual([true, false]);
    expect(params.map((p) => p.tolist())).toEqual([
      [1, 1],
      [0, 0],
    ]);
    expect(scaler.getScale()).toBe(2);
  });
});
