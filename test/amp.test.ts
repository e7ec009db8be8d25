// Mixed precision: which operation runs in which type, that gradients arrive, and that models learn as they do without.
import { describe, expect, test } from 'vitest';
import {
  amp,
  bmm,
  cat,
  conv2d,
  einsum,
  exp,
  linalg,
  manualSeed,
  matmul,
  memory,
  mm,
  nn,
  noGrad,
  optim,
  randint,
  randn,
  tensor,
  utils,
  zeros,
  type Tensor,
} from 'thalweg';
import { fullPrecision, lowerPrecision, widestPrecision } from '../src/amp/policy.js';
import { definedOps } from '../src/ops/define.js';

const { autocast } = amp;
const { functional: F } = nn;

test('the lists name ops that exist, each once', () => {
  const lists = [lowerPrecision, fullPrecision, widestPrecision].map((list) => [...list]);
  expect(lists.flat().filter((name) => !definedOps.has(name))).toEqual([]);
  expect(new Set(lists.flat()).size).toBe(lists.flat().length);
});

describe('types', () => {
  const wide = randn([4, 4]);
  const narrow = randn([4, 4]).to('bfloat16');
  const images = randn([1, 2, 5, 5]);
  const sequence = randn([2, 3, 4]);
  const typesOf = (run: () => Tensor): string[] => [
    autocast(run).dtype,
    autocast({ dtype: 'float16' }, run).dtype,
    autocast({ enabled: false }, run).dtype,
  ];

  test.each<[string, () => Tensor]>([
    ['matmul', () => matmul(wide, wide)],
    ['mm', () => mm(wide, wide)],
    ['bmm', () => bmm(sequence, sequence.transpose(1, 2))],
    ['addmm', () => wide.addmm(wide, wide)],
    ['einsum', () => einsum('ij,jk->ik', wide, wide)],
    ['linear', () => F.linear(wide, wide)],
    ['linear with relu', () => F.linear(wide, wide, null, { activation: 'relu' })],
    ['conv2d', () => conv2d(images, randn([3, 2, 3, 3]))],
    ['attention', () => F.scaledDotProductAttention(sequence, sequence, sequence)],
    ['a layer', () => new nn.Linear(4, 3).forward(wide)],
    ['relu of a product', () => matmul(wide, wide).relu()],
    ['LSTM', () => new nn.LSTM(4, 3, { numLayers: 2 }).forward(wide.unsqueeze(0))[0]],
    ["GRU's state", () => new nn.GRU(4, 3, { bidirectional: true }).forward(wide.unsqueeze(0))[1]],
    ['RNN', () => new nn.RNN(4, 3, { bias: false }).forward(wide.unsqueeze(0))[0]],
    ['LSTMCell', () => new nn.LSTMCell(4, 3).forward(wide)[0]],
  ])('%s runs in 16 bits', (_, run) => {
    expect(typesOf(run)).toEqual(['bfloat16', 'float16', 'float32']);
  });

  test.each<[string, () => Tensor]>([
    ['exp', () => exp(narrow)],
    ['pow', () => narrow.pow(2)],
    ['sum', () => narrow.sum()],
    ['softmax', () => narrow.softmax(1)],
    ['logSoftmax', () => narrow.logSoftmax(1)],
    ['layer norm', () => new nn.LayerNorm([4]).forward(narrow)],
    ['cross entropy', () => F.crossEntropy(narrow, tensor([0, 1, 2, 3], { dtype: 'int64' }))],
    ['mse', () => F.mseLoss(narrow, wide)],
    ['bce', () => F.binaryCrossEntropyWithLogits(narrow, wide.sigmoid())],
    ['norm', () => linalg.vectorNorm(narrow)],
    ['cat of two types', () => cat([narrow, wide])],
    ['add of two types', () => narrow.add(wide)],
  ])('%s runs in float32', (_, run) => {
    expect(autocast(run).dtype).toBe('float32');
    expect(autocast({ dtype: 'float16' }, run).dtype).toBe('float32');
  });

  test('a recurrent layer has gradients in float32, near those without', () => {
    const layer = new nn.LSTM(4, 3, { numLayers: 2, bidirectional: true });
    const gradients = (run: () => Tensor): Tensor[] => {
      layer.zeroGrad();
      run().to('float32').square().sum().backward();
      return [...layer.parameters()].map((p) => p.grad!.clone());
    };
    const forward = (): Tensor => layer.forward(wide.unsqueeze(1))[0];
    const expected = gradients(forward);
    gradients(() => autocast(forward)).forEach((g, i) => {
      expect(g.dtype).toBe('float32');
      const error = Number(linalg.vectorNorm(g.sub(expected[i])).itemSync());
      expect(error / Number(linalg.vectorNorm(expected[i]).itemSync())).toBeLessThan(0.05);
      expect(error).toBeGreaterThan(0);
    });
  });

  test('everything else runs in what it is given', () => {
    expect(autocast(() => narrow.mul(2)).dtype).toBe('bfloat16');
    expect(autocast(() => wide.mul(2)).dtype).toBe('float32');
    expect(autocast(() => cat([narrow, narrow])).dtype).toBe('bfloat16');
    const doubles = randn([4, 4], { dtype: 'float64' });
    expect(autocast(() => matmul(doubles, doubles)).dtype).toBe('float64');
    const whole = randint(0, 9, [4, 4], { dtype: 'int32' });
    expect(autocast(() => matmul(whole, whole)).dtype).toBe('int32');
  });

  test('operands of two types meet', () => {
    for (const run of [
      () => mm(narrow, wide),
      () => wide.addmm(narrow, wide),
      () => einsum('ij,jk->ik', narrow, wide),
      () => F.scaledDotProductAttention(narrow, wide, wide),
      () => new nn.MultiheadAttention(4, 2).forward(narrow, wide, wide)[0],
      () => new nn.TransformerEncoderLayer(4, 2).eval().forward(narrow.unsqueeze(0)),
    ]) {
      expect(() => autocast(run as () => Tensor)).not.toThrow();
    }
    expect(() => mm(narrow, wide as never)).toThrow('the dtypes differ');
  });

  test('regions inside of each other', () => {
    autocast(() => {
      expect(amp.isAutocastEnabled()).toBe(true);
      expect(autocast({ enabled: false }, () => matmul(wide, wide)).dtype).toBe('float32');
      expect(autocast({ dtype: 'float16' }, () => matmul(wide, wide)).dtype).toBe('float16');
      expect(matmul(wide, wide).dtype).toBe('bfloat16');
    });
    expect(amp.isAutocastEnabled()).toBe(false);
    expect(() =>
      autocast(() => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(amp.isAutocastEnabled()).toBe(false);
  });
});

describe('gradients', () => {
  test('are float32, near those without, also when backward runs inside', () => {
    const gradients = (inside: boolean, enabled: boolean): Tensor[] => {
      manualSeed(3);
      const model = new nn.Sequential(
        new nn.Linear(8, 16),
        new nn.GELU(),
        new nn.LayerNorm([16]),
        new nn.Linear(16, 4),
      );
      const x = randn([32, 8]);
      const y = randint(0, 4, [32]);
      const run = (): Tensor => F.crossEntropy(model.forward(x), y);
      if (inside) autocast({ enabled }, () => run().backward());
      else autocast({ enabled }, run).backward();
      return model.parameters().map(({ grad }) => grad!);
    };
    const exact = gradients(false, false);
    for (const inside of [false, true]) {
      gradients(inside, true).forEach((grad, i) => {
        expect(grad.dtype).toBe('float32');
        const [error, size] = [grad.sub(exact[i]).norm(), exact[i].norm()].map((t) => Number(t.itemSync()));
        expect(error).toBeGreaterThan(0);
        expect(error / size).toBeLessThan(0.02);
      });
    }
  });

  test('a parameter is converted once in a region, and gets the gradient of all its uses', () => {
    const weight = randn([4, 4], { requiresGrad: true });
    const x = randn([4, 4]);
    const count = (run: () => void): number => {
      const before = memory().tensors;
      run();
      return memory().tensors - before;
    };
    const uses = (cacheEnabled: boolean): number =>
      count(() => {
        const made = autocast({ cacheEnabled }, () => [1, 2, 3].map(() => matmul(x, weight)));
        const loss = made[0].add(made[1]).add(made[2]).float().sum();
        loss.backward();
      });
    uses(true);
    const cached = weight.grad!.dataSync();
    weight.grad = null;
    uses(false);
    (weight.grad! as Tensor<readonly number[], 'float32'>)
      .dataSync()
      .forEach((value, i) => expect(value).toBeCloseTo(cached[i], 1));
    // Looked at without recording, it is converted again with.
    const loss = autocast(() => {
      noGrad(() => matmul(x, weight));
      return matmul(x, weight).sum();
    });
    expect(loss.requiresGrad).toBe(true);
  });

  test('go through checkpoints', () => {
    const run = (through: (f: (x: Tensor) => Tensor, x: Tensor) => Tensor): number[] => {
      manualSeed(4);
      const layer = new nn.Linear(8, 8);
      const x = randn([4, 8], { requiresGrad: true });
      const out = autocast(() => through((h) => layer.forward(h).tanh().mul(2), x).sum());
      out.backward();
      return [...(x.grad! as Tensor<readonly number[], 'float32'>).dataSync()];
    };
    expect(run((f, x) => utils.checkpoint(f, [x]))).toEqual(run((f, x) => f(x)));
  });
});

describe('GradScaler', () => {
  const parameter = (values: number[]): Tensor => tensor(values, { requiresGrad: true });

  test('scales losses, unscales gradients, and steps', () => {
    const p = parameter([1, 2]);
    const optimizer = new optim.SGD([p], { lr: 0.5 });
    const scaler = new amp.GradScaler({ initScale: 1024 });
    const loss = p.mul(p).sum();
    const [scaled, twice] = scaler.scale([loss, loss.mul(2)]);
    expect([scaled.itemSync(), twice.itemSync()]).toEqual([5120, 10240]);
    scaler.scale(loss).backward();
    expect(p.grad!.arraySync()).toEqual([2048, 4096]);
    scaler.unscale_(optimizer);
    expect(p.grad!.arraySync()).toEqual([2, 4]);
    scaler.step(optimizer);
    expect(scaler.foundInfSync(optimizer)).toBe(false);
    expect(p.arraySync()).toEqual([0, 0]);
    scaler.update();
    expect(scaler.getScale()).toBe(1024);
  });

  test.each([Infinity, -Infinity, NaN])('leaves out a step with %s and halves the factor', async (bad) => {
    const p = parameter([1, 2]);
    const optimizer = new optim.SGD([p], { lr: 0.5 });
    const scaler = new amp.GradScaler({ initScale: 8, growthInterval: 2 });
    p.mul(tensor([1, bad]))
      .sum()
      .backward();
    scaler.step(optimizer);
    expect(p.arraySync()).toEqual([1, 2]);
    expect(await scaler.foundInf(optimizer)).toBe(true);
    scaler.update();
    expect(scaler.foundInfSync(optimizer)).toBe(true);
    expect(scaler.getScale()).toBe(4);
    for (const scale of [4, 8, 8, 16]) {
      optimizer.zeroGrad();
      p.sum().backward();
      scaler.step(optimizer);
      expect(scaler.foundInfSync(optimizer)).toBe(false);
      scaler.update();
      expect(scaler.getScale()).toBe(scale);
    }
  });

  test('several optimizers, one without gradients', () => {
    const [p, q, unused] = [parameter([1]), parameter([2]), parameter([3])];
    const [first, second] = [new optim.SGD([p, unused]), new optim.SGD([q])];
    const scaler = new amp.GradScaler({ initScale: 2 });
    p.mul(Infinity).add(q).sum().backward();
    scaler.step(first);
    scaler.step(second);
    expect([first, second].map((optimizer) => scaler.foundInfSync(optimizer))).toEqual([true, false]);
    scaler.update();
    expect(scaler.getScale()).toBe(1);
    const third = new optim.SGD([unused]);
    scaler.step(third);
    expect(scaler.foundInfSync(third)).toBe(false);
  });

  test('state comes and goes; one that is not enabled does nothing', () => {
    const scaler = new amp.GradScaler({ initScale: 8, growthInterval: 3 });
    const p = parameter([1]);
    const optimizer = new optim.SGD([p], { lr: 1 });
    p.sum().backward();
    scaler.step(optimizer);
    scaler.update();
    const other = new amp.GradScaler();
    other.loadStateDict(JSON.parse(JSON.stringify(scaler.stateDict())) as amp.GradScalerState);
    expect(other.stateDict()).toEqual({
      scale: 8,
      growthFactor: 2,
      backoffFactor: 0.5,
      growthInterval: 3,
      growthTracker: 1,
    });
    other.update(32);
    expect(other.getScale()).toBe(32);
    const off = new amp.GradScaler({ enabled: false });
    expect(off.scale(p)).toBe(p);
    expect([off.getScale(), off.stateDict()]).toEqual([1, null]);
    off.unscale_(optimizer);
    off.step(optimizer);
    off.update();
    // Of the gradient 1 an eighth is left, and was taken twice.
    expect(p.arraySync()).toEqual([0.75]);
  });

  test('says what is wrong', () => {
    const p = parameter([1]);
    const optimizer = new optim.SGD([p]);
    const scaler = new amp.GradScaler();
    expect(() => scaler.update()).toThrow('call step() first');
    p.sum().backward();
    scaler.unscale_(optimizer);
    expect(() => scaler.unscale_(optimizer)).toThrow('are unscaled already');
    scaler.step(optimizer);
    expect(() => scaler.step(optimizer)).toThrow('has stepped already');
    expect(() => scaler.unscale_(optimizer)).toThrow('have been stepped with');
    const half = zeros([2], { dtype: 'float16', requiresGrad: true });
    half.sum().backward();
    expect(() => scaler.unscale_(new optim.SGD([half]))).toThrow('a gradient is float16');
    expect(() => new amp.GradScaler({ growthFactor: 1 })).toThrow('growthFactor must be a number > 1, got 1.');
    expect(() => new amp.GradScaler({ backoffFactor: 1 })).toThrow('backoffFactor must be below 1');
    expect(() => scaler.loadStateDict({ ...scaler.stateDict()!, scale: NaN })).toThrow('scale must be a number');
    expect(() => scaler.loadStateDict(null)).toThrow('not enabled');
    expect(() => autocast({ dtype: 'float32' as never }, () => p)).toThrow("unknown dtype 'float32'");
    expect(() => autocast({} as never)).toThrow('fn is a undefined');
    expect(() => autocast(() => Promise.resolve(1))).toThrow('fn returned a promise');
  });
});

test.each(['bfloat16', 'float16'] as const)('a network learns in %s', (dtype) => {
  manualSeed(1);
  const model = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1 }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Flatten(),
    new nn.Linear(8 * 16, 4),
  );
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const scaler = new amp.GradScaler({ enabled: dtype === 'float16' });
  const x = randn([64, 1, 8, 8]);
  // Which quarter of the image is brightest.
  const y = x.reshape([64, 2, 4, 2, 4]).sum([2, 4]).reshape([64, 4]).argmax(1);
  let loss = Infinity;
  for (let step = 0; step < 60; step++) {
    optimizer.zeroGrad();
    const value = autocast({ dtype }, () => F.crossEntropy(model.forward(x) as Tensor, y));
    scaler.scale(value).backward();
    scaler.step(optimizer);
    if (dtype === 'float16') scaler.update();
    loss = Number(value.itemSync());
  }
  expect(loss).toBeLessThan(0.3);
  expect(model.parameters().every(({ dtype }) => dtype === 'float32')).toBe(true);
});
