// Classifiers of images: shapes, numbers of parameters, bad input, and that they learn digits.
import { describe, expect, test } from 'vitest';
import { Generator, manualSeed, models, nn, optim, randn, ShapeError, zeros } from 'thalweg';
import { accuracy, batchOf, digits, fit, type Digits } from './data.js';

const { train, test: held } = await digits(640, 200);

describe('MLP', () => {
  test('has the layers that were asked for', () => {
    expect(new models.MLP().countParameters()).toBe(784 * 512 + 512 + 5120 + 10);
    const model = new models.MLP(4, 3, { hidden: [8, 6], batchNorm: true, dropout: 0.1, activation: 'tanh' });
    expect(Array.from(model.layers, (layer) => layer.constructor.name)).toEqual([
      ...['Linear', 'BatchNorm1d', 'Tanh', 'Dropout'],
      ...['Linear', 'BatchNorm1d', 'Tanh', 'Dropout'],
      'Linear',
    ]);
    expect(model.forward(randn([5, 4])).shape).toEqual([5, 3]);
    expect(new models.MLP(4, 3, { hidden: [] }).countParameters()).toBe(15);
  });

  test('refuses what it cannot be', () => {
    expect(() => new models.MLP(4, 3, { hidden: [0] })).toThrow('MLP: hidden[0] must be an integer above 0, got 0.');
    expect(() => new models.MLP(4, 3, { activation: 'swish' as 'relu' })).toThrow(
      `MLP: activation must be 'relu', 'leakyRelu', 'tanh', 'sigmoid' or 'gelu', got "swish".`,
    );
    expect(() => new models.MLP(4, 3, { hidden: 5 as unknown as number[] })).toThrow(
      'MLP: hidden must be a list of sizes, got 5.',
    );
    expect(() => new models.MLP(4, 3, { dropout: 1 })).toThrow('MLP: dropout must be from 0 to below 1, got 1.');
    expect(() => new models.MLP(4, 3).forward(zeros([2, 5]) as never)).toThrow(ShapeError);
  });
});

test('the same seed makes the same model', () => {
  const make = () => new models.CifarCNN({ generator: new Generator(5), imageSize: 8 });
  const [a, b] = [make(), make()];
  for (const [name, tensor] of a.stateDict()) expect(b.stateDict().get(name)!.equal(tensor)).toBe(true);
});

test('CifarCNN and LeNet have the published sizes', () => {
  expect(new models.CifarCNN().countParameters()).toBe(282_250);
  expect(new models.LeNet().countParameters()).toBe(61_706);
  expect(new models.LeNet({ imageSize: 32, pool: 'max' }).forward(zeros([2, 1, 32, 32])).shape).toEqual([2, 10]);
  expect(() => new models.LeNet().forward(zeros([2, 1, 32, 32]))).toThrow(
    'LeNet(x [2,1,32,32]): x must be [N,1,28,28].',
  );
  expect(() => new models.CifarCNN({ imageSize: 30 })).toThrow('CifarCNN: imageSize must be a multiple of 4, got 30.');
});

/** Half the size, so that deep networks are quick. */
const halved = ({ x, y }: Digits): Digits => ({ x: nn.functional.avgPool2d(x, 2), y });

interface Case {
  readonly make: () => nn.AnyModule;
  readonly steps: number;
  /** What the loss may be at most, of what it was at the start. */
  readonly loss: number;
  /** What part of digits not seen must be right; a tenth is by chance. */
  readonly right: number;
  readonly half?: boolean;
}

const one = { inChannels: 1, numClasses: 10 } as const;
const cases: Readonly<Record<string, Case>> = {
  MLP: {
    make: () => new nn.Sequential(new nn.Flatten(), new models.MLP(784, 10, { hidden: [64] })),
    steps: 40,
    loss: 0.5,
    right: 0.7,
  },
  LeNet: { make: () => new models.LeNet(), steps: 40, loss: 0.5, right: 0.7 },
  CifarCNN: { make: () => new models.CifarCNN({ inChannels: 1, imageSize: 28 }), steps: 40, loss: 0.5, right: 0.7 },
  VGG: {
    make: () => new models.VGG([8, 'M', 16, 'M'], { ...one, batchNorm: true, hidden: 32, poolSize: 3, dropout: 0 }),
    steps: 60,
    loss: 0.7,
    right: 0.3,
    half: true,
  },
  ResNet: {
    make: () => new models.ResNet(models.BasicBlock, [1, 1, 1, 1], { ...one, stem: 'cifar', width: 8 }),
    steps: 60,
    loss: 0.3,
    right: 0.8,
    half: true,
  },
  MobileNetV2: {
    make: () => new models.MobileNetV2({ ...one, widthMult: 0.1, stem: 'cifar', dropout: 0 }),
    steps: 80,
    loss: 0.7,
    right: 0.3,
    half: true,
  },
  ViT: {
    make: () => new models.ViT({ ...one, imageSize: 28, patchSize: 7, hiddenDim: 32, numHeads: 4, numLayers: 1 }),
    steps: 150,
    loss: 0.5,
    right: 0.4,
  },
};

describe.each(Object.entries(cases))('%s', (name, { make, steps, loss, right, half = false }) => {
  test('learns digits', () => {
    manualSeed(1);
    const model = make();
    const [seen, unseen] = half ? [halved(train), halved(held)] : [train, held];
    const optimizer = new optim.Adam(model.parameters(), { lr: name === 'MobileNetV2' ? 3e-3 : 5e-3 });
    const { first, last } = fit(optimizer, steps, (step) => {
      const { x, y } = batchOf(seen, step, 32);
      return nn.functional.crossEntropy(model.forward(x) as never, y);
    });
    expect(last).toBeLessThan(loss * first);
    expect(accuracy(model, unseen)).toBeGreaterThan(right);
  });
});
