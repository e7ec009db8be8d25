// Summaries: counts against formulas, and a model that is left as it was.
import { describe, expect, test } from 'vitest';
import { manualSeed, memory, nn, ones, rand, randn, tensor, utils, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const { summary } = utils;

describe('summary', () => {
  const mlp = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 10));

  test('of a chain: shapes, parameters, multiply-adds, bytes', () => {
    const s = summary(mlp, [64, 1, 28, 28]);
    expect(s.rows.map(({ path, type, depth }) => [path, type, depth])).toEqual([
      ['', 'Sequential', 0],
      ['0', 'Flatten', 1],
      ['1', 'Linear', 1],
      ['2', 'ReLU', 1],
      ['3', 'Linear', 1],
    ]);
    expect(s.rows.map((row) => row.outputShapes)).toEqual([
      [[64, 10]],
      [[64, 784]],
      [[64, 512]],
      [[64, 512]],
      [[64, 10]],
    ]);
    expect(s.rows.map((row) => row.inputShape)).toEqual([
      [64, 1, 28, 28],
      [64, 1, 28, 28],
      [64, 784],
      [64, 512],
      [64, 512],
    ]);
    expect(s.rows.map((row) => row.parameters)).toEqual([0, 0, 784 * 512 + 512, 0, 5130]);
    expect(s.rows.map((row) => row.multAdds)).toEqual([0, 0, 64 * 784 * 512, 0, 64 * 5120]);
    expect(s.parameters).toBe(407_050);
    expect(s.flops).toBe(2 * (64 * 784 * 512 + 64 * 5120) + 64 * 512);
    expect(s.parameterBytes).toBe(4 * 407_050);
    expect(s.inputBytes).toBe(4 * 64 * 784);
    expect(s.activationBytes).toBe(4 * 64 * (512 + 512 + 10));
  });

  test('as a table', () => {
    expect(String(summary(mlp, [64, 1, 28, 28]))).toBe(
      [
        'layer          output     parameters    mult-adds',
        '─────────────────────────────────────────────────',
        'Sequential     [64,10]             -            -',
        '├─ Flatten 0   [64,784]            -            -',
        '├─ Linear 1    [64,512]      401,920   25,690,112',
        '├─ ReLU 2      [64,512]            -            -',
        '└─ Linear 3    [64,10]         5,130      327,680',
        '─────────────────────────────────────────────────',
        'parameters 407,050, trainable 407,050',
        'forward pass: 26.0 M mult-adds, 52.1 M FLOPs',
        'memory: parameters 1.55 MiB, input 196 KiB, activations 259 KiB',
      ].join('\n'),
    );
    expect(String(summary(mlp))).toMatch(/^layer +parameters\n/);
    expect(summary(mlp, [64, 1, 28, 28]).toString({ depth: 0 }).split('\n')[2]).toBe(
      'Sequential   [64,10]      407,050   26,017,792',
    );
  });

  test('of convolutions, transposed, grouped and plain, against their definitions', () => {
    const model = new nn.Sequential(
      new nn.Conv2d(3, 8, 3, { padding: 1 }),
      new nn.BatchNorm2d(8),
      new nn.Conv2d(8, 16, 3, { groups: 4, stride: 2 }),
      new nn.ConvTranspose2d(16, 5, 2, { stride: 2 }),
    );
    const rows = summary(model, [2, 3, 9, 9]).rows;
    expect(rows.map((row) => row.multAdds)).toEqual([
      0,
      2 * 8 * 81 * 3 * 9,
      0,
      2 * 16 * 16 * (8 / 4) * 9,
      2 * 16 * 16 * 5 * 4,
    ]);
    expect(rows[4].outputShapes).toEqual([[2, 5, 8, 8]]);
  });

  test('of recurrent layers, attention and products written by hand', () => {
    class Net extends nn.Module {
      readonly embed = new nn.Embedding(20, 6);
      readonly lstm = new nn.LSTM(6, 7, { batchFirst: true });
      readonly attention = new nn.MultiheadAttention(8, 2, { batchFirst: true });
      override forward(tokens: Tensor, x: Tensor): Tensor {
        const [h] = this.lstm.forward(this.embed.forward(tokens));
        const [a] = this.attention.forward(x, x, x);
        return h.sum().add(a.matmul(a.mT()).sum());
      }
    }
    const net = new Net();
    const rows = new Map(
      summary(net, [tensor([[1, 2, 3]], { dtype: 'int64' }), randn([1, 5, 8])]).rows.map((row) => [row.path, row]),
    );
    expect(rows.get('lstm')!.multAdds).toBe(3 * 4 * 7 * (6 + 7));
    expect(rows.get('')!.multAdds).toBe(5 * 5 * 8);
    const attention = [...rows.values()]
      .filter(({ path }) => path.startsWith('attention'))
      .reduce((sum, row) => sum + row.multAdds, 0);
    expect(attention).toBe(5 * 8 * 24 + 2 * 5 * 5 * 8 + 5 * 8 * 8);
    expect(rows.get('embed')!.outputShapes).toEqual([[1, 3, 6]]);
  });

  test('counts a shared parameter once, calls each time, and frozen ones as such', () => {
    class Twice extends nn.Module {
      readonly layer = new nn.Linear(4, 4);
      readonly tied = new nn.Linear(4, 4);
      constructor() {
        super();
        (this.tied as { weight: Tensor }).weight = this.layer.weight;
        this.tied.requiresGrad_(false);
        this.layer.weight.requiresGrad_(true);
      }
      override forward(x: Tensor): Tensor {
        return this.tied.forward(this.layer.forward(this.layer.forward(x)));
      }
    }
    const model = new Twice();
    const s = summary(model, [2, 4]);
    expect(
      s.rows.map(({ parameters, trainable, calls, multAdds }) => [parameters, trainable, calls, multAdds]),
    ).toEqual([
      [0, 0, 1, 0],
      [20, 20, 2, 64],
      [4, 0, 1, 32],
    ]);
    expect([s.parameters, s.trainable]).toEqual([24, 20]);
    expect(String(s)).toContain('4 (frozen)');
    expect(String(s)).toContain('Linear layer x2');
    expect(model.tied.bias!.requiresGrad).toBe(false);
  });

  test('leaves modes, statistics, gradients, random numbers, hooks and memory as they were', () => {
    const model = new nn.Sequential(
      new nn.Linear(4, 4),
      new nn.BatchNorm1d(4),
      new nn.Dropout(0.5),
      new nn.Linear(4, 2),
    );
    model.at(3).eval();
    const x = ones([3, 4]);
    model.forward(x).sum().backward();
    const state = [...model.stateDict()].map(([name, t]) => [name, t.arraySync()]);
    const gradients = model.parameters().map((p) => p.grad!.arraySync());
    manualSeed(7);
    const expected = rand([3]).arraySync();
    manualSeed(7);
    summary(model, x);
    const before = memory().tensors;
    for (let i = 0; i < 3; i++) summary(model, x);
    summary(model, [3, 4]);
    expect(memory().tensors).toBe(before);
    expect(rand([3]).arraySync()).toEqual(expected);
    expect(model.modules().map((module) => module.training)).toEqual([true, true, true, true, false]);
    expect([...model.stateDict()].map(([name, t]) => [name, t.arraySync()])).toEqual(state);
    expect(model.parameters().map((p) => p.grad!.arraySync())).toEqual(gradients);
    expect(Object.getOwnPropertyNames(model.at(0))).not.toContain('forward');
    expect(x.requiresGrad).toBe(false);
  });

  test('takes hooks away and puts modes back when forward fails', () => {
    const model = new nn.Sequential(new nn.Linear(4, 4));
    expect(errorOf(() => summary(model, [3, 5]))).toMatch(/^ShapeError: /);
    expect(model.training).toBe(true);
    expect(Object.getOwnPropertyNames(model.at(0))).not.toContain('forward');
    expect(errorOf(() => summary({} as nn.Module))).toBe(
      'ArgumentError: summary: the model is of type object, expected a Module.',
    );
    expect(errorOf(() => summary(model, 'x' as unknown as number[]))).toMatch(
      /^ArgumentError: summary: the input must be/,
    );
  });
});
