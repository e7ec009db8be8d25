// Modules and optimizers on a device.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  fromTypedArray,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  safetensors,
  tensor,
  tidy,
  zeros,
  type Device,
  type Tensor,
} from 'thalweg';
import { expectClose } from '../golden.js';
import { describeDevice, second } from './available.js';

const F = nn.functional;
const cpu = { device: 'cpu' } as const;

/** Parameters, a buffer, and one parameter in two places. */
class Tied extends nn.Module {
  readonly input = new nn.Linear(4, 4, cpu);
  readonly norm = new nn.BatchNorm1d(4, cpu);
  readonly output = Object.assign(new nn.Linear(4, 4, { ...cpu, bias: false }), { weight: this.input.weight });

  forward(x: Tensor): Tensor {
    return this.output.forward(this.norm.forward(this.input.forward(x)));
  }
}

const data = (rows: number, columns: number, device: Device): Tensor =>
  fromTypedArray(
    Float32Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 101) / 50 - 1),
    [rows, columns],
    { device },
  );
const numbers = (x: Tensor): number[] => Array.from(x.dataSync(), Number);

describeDevice('Module.to', () => {
  test('moves parameters and buffers, and what is shared stays shared', () => {
    manualSeed(0);
    const model = new Tied();
    const before = new Map(Array.from(model.stateDict(), ([name, t]) => [name, numbers(t)]));
    expect(model.to('cuda')).toBe(model);
    for (const [name, t] of model.stateDict()) {
      expect([name, t.device]).toEqual([name, 'cuda']);
      expect(numbers(t)).toEqual(before.get(name));
    }
    expect(model.output.weight).toBe(model.input.weight);
    const parameters = [...model.parameters()];
    expect(parameters).toHaveLength(4);
    for (const p of parameters) expect([p.requiresGrad, p.isLeaf, p.device]).toEqual([true, true, 'cuda']);
    model.to('cuda');
    expect([...model.parameters()]).toEqual(parameters);
    model.to(second).to('cpu');
    for (const [name, t] of model.stateDict())
      expect([name, t.device, numbers(t)]).toEqual([name, 'cpu', before.get(name)]);
  });

  test('gives what the CPU gives', () => {
    manualSeed(1);
    const model = new Tied();
    const there = new Tied();
    there.loadStateDict(model.stateDict());
    there.to('cuda');
    for (let i = 0; i < 2; i++) {
      const [a, b] = [model.forward(data(6, 4, 'cpu')), there.forward(data(6, 4, 'cuda'))];
      expect(b.device).toBe('cuda');
      expectClose('output', numbers(b), numbers(a), { relative: 1e-5 });
      a.square().mean().backward();
      b.square().mean().backward();
    }
    model.input.weight.grad!.dataSync();
    const pairs = [...model.parameters()].map((p, i) => [p, [...there.parameters()][i]] as const);
    for (const [p, q] of pairs) {
      expect(q.grad!.device).toBe('cuda');
      expectClose('gradient', numbers(q.grad!), numbers(p.grad!), { relative: 1e-4, floor: 1, absolute: 1e-6 });
    }
    for (const [name, t] of there.stateDict()) {
      expectClose(name, numbers(t), numbers(model.stateDict().get(name)!), { relative: 1e-5 });
    }
  });

  test('is made there at once', () => {
    for (const device of ['cuda', second] as Device[]) {
      const layers = [
        new nn.Linear(3, 2, { device }),
        new nn.Conv2d(1, 2, 3, { device }),
        new nn.Embedding(5, 3, { device }),
        new nn.LayerNorm([3], { device }),
        new nn.BatchNorm2d(3, { device }),
        new nn.LSTM(3, 2, { device }),
        new nn.MultiheadAttention(4, 2, { device }),
      ];
      for (const layer of layers)
        for (const [name, t] of layer.stateDict()) expect([name, t.device]).toEqual([name, device]);
    }
  });

  test('the same seed makes the same parameters', () => {
    const made = (['cpu', 'cuda'] as Device[]).map((device) => {
      manualSeed(5);
      return numbers(new nn.Linear(30, 20, { device }).weight);
    });
    expect(made[1]).toEqual(made[0]);
  });
});

describeDevice('stateDict', () => {
  test('from tensors of the CPU into a model on the device, and back', () => {
    const source = new nn.Linear(3, 2, cpu);
    const target = new nn.Linear(3, 2, { device: 'cuda' });
    target.loadStateDict(source.stateDict());
    expect(target.weight.device).toBe('cuda');
    expect(numbers(target.weight)).toEqual(numbers(source.weight));
    const other = new nn.Linear(3, 2, cpu);
    other.loadStateDict(target.stateDict());
    expect(numbers(other.weight)).toEqual(numbers(source.weight));
  });

  test('through a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'thalweg-'));
    try {
      const file = join(folder, 'model.safetensors');
      const model = new nn.Linear(3, 2, { device: 'cuda' });
      await safetensors.save(file, model.stateDict());
      const { tensors } = await safetensors.load(file);
      expect([...tensors.values()].map(({ device }) => device)).toEqual(['cpu', 'cpu']);
      const loaded = new nn.Linear(3, 2, { device: second });
      loaded.loadStateDict(tensors);
      expect(numbers(loaded.weight)).toEqual(numbers(model.weight));
      const there = await safetensors.load(file, { device: second });
      for (const [name, t] of there.tensors) {
        expect(t.device).toBe(second);
        expect(numbers(t)).toEqual(numbers(model.stateDict().get(name)!));
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** What all optimizers have. */
interface Steps {
  zeroGrad(): void;
  step(): unknown;
}

const optimizers: Record<string, (p: Tensor[]) => Steps> = {
  SGD: (p) => new optim.SGD(p, { lr: 0.1 }),
  'SGD with momentum': (p) => new optim.SGD(p, { lr: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  Adam: (p) => new optim.Adam(p, { lr: 0.05 }),
  AdamW: (p) => new optim.AdamW(p, { lr: 0.05, amsgrad: true }),
  RMSprop: (p) => new optim.RMSprop(p, { lr: 0.02, momentum: 0.5, centered: true }),
  Adagrad: (p) => new optim.Adagrad(p, { lr: 0.1 }),
  Adadelta: (p) => new optim.Adadelta(p, { lr: 1 }),
  Adamax: (p) => new optim.Adamax(p, { lr: 0.05 }),
  NAdam: (p) => new optim.NAdam(p, { lr: 0.05 }),
  Lion: (p) => new optim.Lion(p, { lr: 0.01 }),
};

describeDevice('optimizers', () => {
  const train = (device: Device, make: (p: Tensor[]) => Steps, steps: number): number[] => {
    manualSeed(2);
    const model = new nn.Sequential(new nn.Linear(4, 8, cpu), new nn.Tanh(), new nn.Linear(8, 2, cpu)).to(device);
    const optimizer = make([...model.parameters()]);
    const [x, y] = [data(16, 4, device), data(16, 2, device)];
    return Array.from({ length: steps }, () =>
      tidy(() => {
        const loss = F.mseLoss(model.forward(x), y);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return Number(loss.itemSync());
      }),
    );
  };

  test.each(Object.keys(optimizers))('%s: the losses of the CPU', (name) => {
    const host = train('cpu', optimizers[name], 8);
    const there = train(second, optimizers[name], 8);
    expectClose('losses', there, host, { relative: 1e-4, floor: 0 });
    expect(there.at(-1)).toBeLessThan(there[0]);
  });

  test('a loop leaves nothing behind', () => {
    const tensors = (steps: number): number => {
      train('cuda', optimizers['Adam'], steps);
      return memory({ device: 'cuda', collect: true }).tensors;
    };
    tensors(2);
    const before = tensors(2);
    expect(tensors(12)).toBe(before);
  });

  test('parameters on two devices, each updated where it is', () => {
    const p = ones([2], { device: 'cuda', requiresGrad: true });
    const q = ones([2], { ...cpu, requiresGrad: true });
    const r = ones([2], { device: second, requiresGrad: true });
    const optimizer = new optim.Adam([p, q, r], { lr: 0.5 });
    p.to('cpu').add(q).add(r.to('cpu')).sum().backward();
    optimizer.step();
    expect([p, q, r].map((t) => t.device)).toEqual(['cuda', 'cpu', second]);
    for (const t of [p, q, r]) expectClose('updated', numbers(t), [0.5, 0.5], { relative: 1e-6 });
  });

  test('the norm of gradients on two devices, and clipping by it', () => {
    const p = zeros([2], { device: 'cuda', requiresGrad: true });
    const q = zeros([1], { device: second, requiresGrad: true });
    const r = zeros([1], { ...cpu, requiresGrad: true });
    p.grad = tensor([2, 4], { device: 'cuda' });
    q.grad = tensor([5], { device: second });
    r.grad = tensor([6], cpu);
    const norm = nn.utils.clipGradNorm([p, q, r], 4.5);
    expect(norm.device).toBe('cuda');
    expectClose('norm', [Number(norm.itemSync())], [9], { relative: 1e-6 });
    expectClose('p', numbers(p.grad), [1, 2], { relative: 1e-5 });
    expectClose('q', numbers(q.grad), [2.5], { relative: 1e-5 });
    expectClose('r', numbers(r.grad), [3], { relative: 1e-5 });
    expect([p.grad.device, q.grad.device, r.grad.device]).toEqual(['cuda', second, 'cpu']);
  });

  test.each<[string, (of: Iterable<Tensor>) => optim.EMA | optim.SWA]>([
    ['EMA', (of) => new optim.EMA(of, { decay: 0.75 })],
    ['SWA', (of) => new optim.SWA(of)],
  ])('%s of weights on three devices, in two dtypes and with a counter', (_, make) => {
    const averaged = (devices: readonly Device[]): [inside: number[], after: number[]] => {
      const weights = devices.map((device, i) => tensor([1, -2, i], { device }));
      const wide = tensor([0.5], { device: devices[1], dtype: 'float64' });
      const counter = tensor([0n], { device: devices[0] });
      const all: Tensor[] = [...weights, wide, counter];
      const average = make(all);
      expect(average.averages.map((t) => t.device)).toEqual(all.map((t) => t.device));
      for (let step = 1; step < 4; step++) {
        for (const t of all) t.add_(step);
        average.update();
      }
      return [average.apply(() => all.flatMap(numbers)), all.flatMap(numbers)];
    };
    const [inside, after] = averaged(['cuda', 'cpu', second]);
    const [host, hostAfter] = averaged(['cpu', 'cpu', 'cpu']);
    expectClose('averages', inside, host, { relative: 1e-6 });
    expect(after).toEqual(hostAfter);
    expect(inside.slice(0, -1).every((value, i) => value < after[i])).toBe(true);
    expect(inside.at(-1)).toBe(6);
  });

  test.each([false, true])('SAM climbs by one norm of the gradients on all devices (adaptive: %s)', (adaptive) => {
    const trained = (devices: readonly Device[]): number[][] => {
      const params = devices.map((device, i) => tensor([1 + i, -2], { device, requiresGrad: true }));
      const optimizer = new optim.SAM(new optim.SGD(params, { lr: 0.1 }), { rho: 0.5, adaptive });
      for (let step = 0; step < 2; step++) {
        optimizer.step(() => {
          optimizer.zeroGrad();
          for (const p of params) p.pow(4).sum().backward();
        });
      }
      return params.map((p) => numbers(p));
    };
    const host = trained(['cpu', 'cpu', 'cpu']);
    trained(['cuda', 'cpu', second]).forEach((p, i) => expectClose(`p${i}`, p, host[i], { relative: 1e-5 }));
  });

  test('EMA of a module follows it to another device and back', () => {
    const layer = new nn.Linear(2, 1, { device: 'cpu' });
    const ema = new optim.EMA(layer, { decay: 0.5 });
    const step = (value: number): void => {
      noGrad(() => {
        for (const p of layer.parameters()) p.fill_(value);
      });
      ema.update();
    };
    step(1);
    for (const [device, value] of [
      ['cuda', 3],
      [second, 4],
      ['cpu', 7],
    ] as [Device, number][]) {
      layer.to(device);
      step(value);
      expect(ema.averages.map((t) => t.device)).toEqual([device, device]);
    }
    // (((1 + 3) / 2 + 4) / 2 + 7) / 2
    expect(ema.averages.flatMap(numbers)).toEqual([5, 5, 5]);
    layer.to('cuda');
    expect(ema.apply(() => layer.parameters().flatMap(numbers))).toEqual([5, 5, 5]);
    expect(layer.parameters().flatMap(numbers)).toEqual([7, 7, 7]);
    expect(layer.weight.device).toBe('cuda');
  });

  test.each([null, 'strong_wolfe'] as const)('L-BFGS of parameters on several devices (search: %s)', (lineSearchFn) => {
    const trained = (devices: readonly Device[]): { losses: number[]; parameters: number[][] } => {
      const params = devices.map((device, i) => tensor([0.5 + i, -1.5], { device, requiresGrad: true }));
      const make = (): optim.LBFGS => new optim.LBFGS(params, { lr: 0.3, maxIter: 4, historySize: 3, lineSearchFn });
      const losses: number[] = [];
      let optimizer = make();
      for (let step = 0; step < 4; step++) {
        optimizer.step(() => {
          optimizer.zeroGrad();
          // Each has to do with the next.
          const [a, b, c] = params.map((p) => p.to(devices[0]));
          const loss = a.sub(b).square().sum().add(b.sub(c).pow(4).sum()).add(c.square().sum());
          loss.backward();
          losses.push(Number(loss.itemSync()));
          return loss;
        });
        // The rest by another, from what this one remembers.
        if (step === 1) {
          const next = make();
          next.loadStateDict(optimizer.stateDict());
          optimizer = next;
        }
      }
      expect(params.map((p) => p.device)).toEqual(devices);
      return { losses, parameters: params.map(numbers) };
    };
    const host = trained(['cpu', 'cpu', 'cpu']);
    expect(host.losses.at(-1)).toBeLessThan(host.losses[0] / 10);
    for (const devices of [
      ['cuda', 'cpu', second],
      ['cpu', second, 'cuda'],
      ['cuda', 'cuda', second],
    ] as Device[][]) {
      const there = trained(devices);
      expectClose('losses', there.losses, host.losses, { relative: 1e-3, floor: 1e-3 });
      there.parameters.forEach((p, i) => expectClose(`p${i}`, p, host.parameters[i], { relative: 1e-3, floor: 1e-2 }));
    }
  });

  test("an optimizer's state from tensors of the CPU", () => {
    const step = (optimizer: Steps, p: Tensor): void => {
      p.grad = ones([2], { device: p.device });
      optimizer.step();
    };
    const p = ones([2], { ...cpu, requiresGrad: true });
    const first = new optim.Adam([p], { lr: 0.1 });
    step(first, p);
    const q = tensor(numbers(p), { device: second, requiresGrad: true });
    const other = new optim.Adam([q], { lr: 0.1 });
    other.loadStateDict(first.stateDict());
    step(first, p);
    step(other, q);
    expectClose('parameter', numbers(q), numbers(p), { relative: 1e-6 });
  });

  test('half the model on each device', () => {
    const lower = new nn.Linear(3, 4, { device: 'cuda' });
    const upper = new nn.Linear(4, 1, { device: second });
    const loss = upper
      .forward(F.relu(lower.forward(ones([2, 3], { device: 'cuda' }))).to(second))
      .square()
      .sum();
    loss.backward();
    expect([lower.weight.grad!.device, upper.weight.grad!.device]).toEqual(['cuda', second]);
  });
});

describeDevice('packed sequences', () => {
  test('through layers on a device, as on the CPU', () => {
    manualSeed(3);
    const layer = new nn.LSTM(3, 4, { ...cpu, bidirectional: true });
    const x = data(5 * 3, 3, 'cpu').reshape([5, 3, 3]);
    const run = (device: Device, later: boolean): number[][] => {
      const pack = (of: Tensor): nn.utils.rnn.PackedSequence =>
        nn.utils.rnn.packPaddedSequence(of, [2, 5, 3], { enforceSorted: false });
      const packed = later ? pack(x).to(device) : pack(x.to(device));
      const [out, [hN]] = layer.to(device).forward(packed);
      const [padded, lengths] = nn.utils.rnn.padPackedSequence(out);
      expect([padded.device, hN.device, lengths.device]).toEqual([device, device, 'cpu']);
      return [padded, hN, lengths].map((t) => numbers(t));
    };
    const expected = run('cpu', false);
    for (const later of [false, true])
      run('cuda', later).forEach((values, i) => expectClose(`out${i}`, values, expected[i], { relative: 1e-5 }));
  });
});
