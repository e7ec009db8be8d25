// cuda.graph: a captured step does what the step does, bit for bit.
import { expect, test } from 'vitest';
import {
  amp,
  cuda,
  emptyCache,
  Generator,
  manualSeed,
  memory,
  nn,
  noGrad,
  ones,
  optim,
  rand,
  randn,
  randperm,
  tensor,
  zeros,
  type Tensor,
} from 'thalweg';
import { errorOf } from '../error-of.js';
import { describeDevice, hasTwo, isEmulated, second } from './available.js';

const device = 'cuda';

interface Trained {
  losses: number[];
  weights: Float32Array[];
}

type MakeOptimizer = (params: Iterable<Tensor>) => optim.Optimizer<{ lr: number }>;

function train(make: MakeOptimizer, captured: boolean, steps = 9): Trained {
  manualSeed(3);
  const model = new nn.Sequential(new nn.Linear(6, 8), new nn.ReLU(), new nn.Dropout(0.3), new nn.Linear(8, 3)).to(
    device,
  );
  const optimizer = make(model.parameters());
  const schedule = new optim.lrScheduler.StepLR(optimizer, 2, { gamma: 0.5 });
  const input = zeros([5, 6], { device });
  const labels = zeros([5], { dtype: 'int64', device });
  const once = (): Tensor => {
    optimizer.zeroGrad();
    const loss = nn.functional.crossEntropy(model.forward(input), labels);
    loss.backward();
    nn.utils.clipGradNorm(model.parameters(), 1);
    optimizer.step();
    return loss.detach();
  };
  const step = captured ? cuda.graph(once) : once;
  const losses: number[] = [];
  const data = new Generator(5);
  for (let i = 0; i < steps; i++) {
    noGrad(() => {
      input.copy_(randn([5, 6], { generator: data }));
      labels.copy_(tensor([0n, 1n, 2n, 0n, BigInt(i % 3)]));
    });
    losses.push(Number(step().itemSync()));
    schedule.step();
  }
  if (captured) {
    expect((step as cuda.CapturedFunction<Tensor>).isCaptured).toBe(true);
    (step as cuda.CapturedFunction<Tensor>).dispose();
  }
  return { losses, weights: [...model.parameters()].map((p) => p.dataSync() as Float32Array) };
}

const optimizers: Record<string, MakeOptimizer> = {
  SGD: (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, nesterov: true }),
  Adam: (params) => new optim.Adam(params, { lr: 0.01, weightDecay: 0.1 }),
  AdamW: (params) => new optim.AdamW(params, { lr: 0.01 }),
  RMSprop: (params) => new optim.RMSprop(params, { lr: 0.01 }),
  // These make tensors for themselves.
  LAMB: (params) => new optim.LAMB(params, { lr: 0.01, weightDecay: 0.1 }),
  Adafactor: (params) => new optim.Adafactor(params, { lr: 0.01 }),
};

interface ScaledRun {
  losses: number[];
  scales: number[];
  left: number[];
  weights: Float32Array[];
  state: unknown;
}

// All of the step is captured, loss scaling too; what is read here is read between the steps.
function trainScaled(make: MakeScaled, captured: boolean): ScaledRun {
  manualSeed(4);
  const model = new nn.Sequential(new nn.Linear(6, 8), new nn.Tanh(), new nn.Linear(8, 3)).to(device);
  const optimizer = make(model.parameters());
  const schedule = new optim.lrScheduler.StepLR(optimizer, 3, { gamma: 0.5 });
  const scaler = new amp.GradScaler({ initScale: 1024, growthInterval: 2 });
  const input = zeros([5, 6], { device });
  const labels = tensor([0n, 1n, 2n, 0n, 1n], { device });
  const once = (): Tensor => {
    optimizer.zeroGrad();
    const loss = amp.autocast({ dtype: 'float16' }, () => nn.functional.crossEntropy(model.forward(input), labels));
    scaler.scale(loss).backward();
    scaler.unscale_(optimizer);
    nn.utils.clipGradNorm(model.parameters(), 1);
    scaler.step(optimizer);
    scaler.update();
    return loss.detach();
  };
  const step = captured ? cuda.graph(once) : once;
  const run: ScaledRun = { losses: [], scales: [], left: [], weights: [], state: null };
  const data = new Generator(5);
  for (let i = 0; i < 12; i++) {
    const batch = randn([5, 6], { generator: data });
    noGrad(() => input.copy_([0, 3, 6, 7].includes(i) ? batch.mul(1e6) : batch));
    run.losses.push(Number(step().itemSync()));
    run.scales.push(scaler.getScale());
    if (scaler.foundInfSync(optimizer)) run.left.push(i);
    schedule.step();
  }
  if (captured) {
    expect((step as cuda.CapturedFunction<Tensor>).isCaptured).toBe(true);
    (step as cuda.CapturedFunction<Tensor>).dispose();
  }
  run.weights = [...model.parameters()].map((p) => p.dataSync() as Float32Array);
  const { state } = (optimizer as optim.Adam).stateDict();
  run.state = Object.values(state ?? {}).map((of) => of['step']);
  return run;
}

type MakeScaled = (params: Iterable<Tensor>) => Pick<optim.AnyOptimizer, 'paramGroups' | 'step' | 'zeroGrad'>;

const scaledOptimizers: Record<string, MakeScaled> = {
  'SGD, momentum': (params) => new optim.SGD(params, { lr: 0.1, momentum: 0.9, dampening: 0.1 }),
  AdamW: (params) => new optim.AdamW(params, { lr: 0.01 }),
  NAdam: (params) => new optim.NAdam(params, { lr: 0.01 }),
  Lion: (params) => new optim.Lion(params, { lr: 0.01 }),
  LAMB: (params) => new optim.LAMB(params, { lr: 0.01 }),
  Lookahead: (params) => new optim.Lookahead(new optim.Adam(params, { lr: 0.01 }), { k: 3 }),
};

describeDevice('cuda.graph', () => {
  test.each(Object.keys(optimizers))('a training step with %s, dropout, clipping and a schedule', (name) => {
    const eager = train(optimizers[name], false);
    const captured = train(optimizers[name], true);
    expect(captured.losses).toEqual(eager.losses);
    expect(captured.weights).toEqual(eager.weights);
    expect(new Set(eager.losses).size).toBe(eager.losses.length);
  });

  test.each(Object.keys(scaledOptimizers))(
    'a step in float16 whose gradients overflow now and then, with %s',
    (name) => {
      const eager = trainScaled(scaledOptimizers[name], false);
      const captured = trainScaled(scaledOptimizers[name], true);
      expect(captured).toEqual(eager);
      expect(eager.left).toEqual([0, 3, 6, 7]);
      // Halved by those, doubled after any two others that follow each other.
      expect(eager.scales).toEqual([512, 512, 1024, 512, 512, 1024, 512, 256, 256, 512, 512, 1024]);
      expect(eager.weights.flatMap((w) => [...w]).every(Number.isFinite)).toBe(true);
    },
  );

  test('the result is the same tensors each time, and memory does not grow', () => {
    const x = ones([1000], { device });
    const step = cuda.graph(() => ({ twice: x.mul(2), sum: x.sum() }), { warmup: 1 });
    expect(step.isCaptured).toBe(false);
    step();
    const first = step();
    expect(step.isCaptured).toBe(true);
    const live = memory({ device }).bytes;
    for (let i = 0; i < 5; i++) {
      noGrad(() => x.fill_(i));
      expect(step()).toBe(first);
      expect(first.sum.itemSync()).toBe(1000 * i);
      expect(first.twice.dataSync()[999]).toBe(2 * i);
    }
    expect(memory({ device }).bytes).toBe(live);
  });

  test('what it was captured with stays alive though it is forgotten', () => {
    const out = zeros([4], { device });
    const step = ((): cuda.CapturedFunction<void> => {
      const x = tensor([1, 2, 3, 4], { device });
      const captured = cuda.graph(() => void noGrad(() => out.add_(x)), { warmup: 1 });
      captured();
      captured();
      x.dispose();
      return captured;
    })();
    const others = Array.from({ length: 20 }, () => rand([4], { device }));
    step();
    expect([...out.dataSync()]).toEqual([3, 6, 9, 12]);
    expect(others.length).toBe(20);
    step.dispose();
    expect(step.isCaptured).toBe(false);
  });

  test('dispose() gives back all that the graph took; a capture that fails leaves nothing', () => {
    // Where the graphs of the other tests are not.
    const device = second;
    const p = ones([3, 5], { device, requiresGrad: true });
    p.grad = ones([3, 5], { device });
    // Its norms are of a dynamic part, so what they are computed from is kept beside the graph.
    const optimizer = new optim.LAMB([p], { lr: 0.1 });
    const free = (): number => {
      memory({ collect: true });
      emptyCache();
      return cuda.memoryInfo(device).free;
    };
    const round = (fails: boolean): void => {
      let calls = 0;
      const step = cuda.graph(
        () => {
          optimizer.step();
          // Of scratch memory each needs more than the one before.
          for (const n of [100, 2000, 3000]) randperm(n, { device });
          if (fails && calls > 1) p.sum().itemSync();
        },
        { warmup: 1, device },
      );
      const call = (): void => {
        calls++;
        step();
      };
      call();
      if (fails) expect(errorOf(call)).toMatch(/^DeviceError: copy: /);
      else for (let i = 0; i < 3; i++) call();
      expect(step.isCaptured).toBe(!fails);
      step.dispose();
    };
    // What programs are compiled to stays.
    optimizer.step();
    randperm(10, { device });
    const before = free();
    for (const fails of [false, true, false]) {
      round(fails);
      if (isEmulated && hasTwo) expect(free()).toBe(before);
    }
    expect(Number.isFinite(p.sum().itemSync())).toBe(true);
  });

  test('random numbers go on as without it', () => {
    const draw = (captured: boolean): number[] => {
      const generator = new Generator(8);
      const once = (): Tensor => rand([5], { generator, device }).add(randn([5], { generator, device }));
      const fn = captured ? cuda.graph(once, { warmup: 1 }) : once;
      return Array.from({ length: 5 }, () => Array.from(fn().dataSync(), Number)).flat();
    };
    expect(draw(true)).toEqual(draw(false));
  });

  test('what cannot be captured is refused, and everything works afterwards', () => {
    const x = ones([4], { device });
    const reading = cuda.graph(() => x.sum().itemSync(), { warmup: 1 });
    expect(reading()).toBe(4);
    expect(errorOf(reading)).toBe(
      'DeviceError: copy: a function that is captured as a graph cannot read values or leave its device',
    );
    const elsewhere = cuda.graph(() => ones([2], { device: 'cpu' }).add(1), { warmup: 1 });
    elsewhere();
    expect(errorOf(elsewhere)).toBe(
      'DeviceError: fill: a function that is captured as a graph has to stay on its device; bring operands there before',
    );
    const two = [new Generator(1), new Generator(2)];
    const random = cuda.graph(() => two.map((generator) => rand([2], { generator, device })), { warmup: 1 });
    random();
    expect(errorOf(random)).toBe(
      'ArgumentError: cuda.graph: a captured function draws random numbers from two generators; use one.',
    );
    const inner = cuda.graph(() => x.mul(2), { warmup: 1 });
    inner();
    inner();
    const nested = cuda.graph(() => inner(), { warmup: 1 });
    nested();
    expect(errorOf(nested)).toBe('NativeError: cuda.graph: a function is being captured');
    expect(x.add(1).sum().itemSync()).toBe(8);
  });

  test('a step whose gradients were reset outside says so', () => {
    const p = ones([3], { device, requiresGrad: true });
    const optimizer = new optim.SGD([p], { lr: 0.1 });
    const step = cuda.graph(
      () => {
        optimizer.zeroGrad();
        p.mul(2).sum().backward();
        optimizer.step();
      },
      { warmup: 1 },
    );
    step();
    step();
    step();
    expect(p.dataSync()[0]).toBeCloseTo(1 - 0.6, 6);
    optimizer.zeroGrad();
    expect(errorOf(step)).toMatch(
      /^NativeError: cuda\.graph: an optimizer's step has 0 commands where 1 were captured/,
    );
  });

  test('bad options', () => {
    expect(errorOf(() => cuda.graph(3 as unknown as () => void))).toBe(
      'ArgumentError: cuda.graph: expected a function.',
    );
    expect(errorOf(() => cuda.graph(() => 0, { warmup: 0 }))).toBe(
      'ArgumentError: cuda.graph: warmup must be an integer of at least 1, got 0.',
    );
    expect(errorOf(() => cuda.graph(() => 0, { device: 'cpu' }))).toBe(
      "DeviceError: cuda.graph: 'cpu' has no graphs; pass 'cuda' or 'cuda:N'.",
    );
    const promise = cuda.graph(async () => Promise.resolve(1), { warmup: 1 });
    void promise();
    expect(errorOf(promise)).toMatch(/only synchronous functions/);
  });
});
