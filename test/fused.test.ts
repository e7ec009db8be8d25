// Activations that a product applies itself: the same numbers, gradients and second gradients as one after the other.
import { describe, expect, test } from 'vitest';
import { gelu, linear, manualSeed, nn, noGrad, randint, randn, relu, sigmoid, tanh, type Tensor } from 'thalweg';
import type { FusedActivation } from '../src/ops/fused.js';
import { gradcheck, gradgradcheck } from './gradcheck.js';

const activations: readonly (readonly [FusedActivation, (x: Tensor) => Tensor])[] = [
  ['relu', relu],
  ['gelu', (x) => gelu(x)],
  ['sigmoid', (x) => sigmoid(x)],
  ['tanh', (x) => tanh(x)],
];

function operands(dtype: 'float32' | 'float64', requiresGrad: boolean): [Tensor, Tensor, Tensor] {
  manualSeed(3);
  return [
    randn([2, 5, 33], { dtype, requiresGrad }),
    randn([19, 33], { dtype, requiresGrad }),
    randn([19], { dtype, requiresGrad }),
  ];
}

describe.each(activations)('linear with %s', (activation, apply) => {
  test.each(['float32', 'float64'] as const)('gives the values of both in %s', (dtype) => {
    const [x, weight, bias] = operands(dtype, false);
    const fused = linear(x, weight, bias, { activation });
    expect(fused.dataSync()).toEqual(apply(linear(x, weight, bias)).dataSync());
    expect(linear(x, weight, null, { activation }).dataSync()).toEqual(apply(linear(x, weight)).dataSync());
  });

  test('gives the same while it is recorded', () => {
    const [x, weight, bias] = operands('float32', true);
    const recorded = linear(x, weight, bias, { activation });
    expect(recorded.requiresGrad).toBe(true);
    expect(recorded.dataSync()).toEqual(noGrad(() => linear(x, weight, bias, { activation })).dataSync());
  });

  test('has the gradients of both', () => {
    const gradients = [true, false].map((fused) => {
      const [x, weight, bias] = operands('float64', true);
      const out = fused ? linear(x, weight, bias, { activation }) : apply(linear(x, weight, bias));
      out.mul(out.add(1)).sum().backward();
      return [x, weight, bias].map((leaf) => [...(leaf.grad!.dataSync() as Float64Array)]);
    });
    gradients[0].forEach((values, i) =>
      values.forEach((value, k) => expect(value).toBeCloseTo(gradients[1][i][k], 11)),
    );
  });

  test('is differentiable twice', () => {
    manualSeed(5);
    const inputs = [[3, 4], [2, 4], [2]].map((shape) => randn(shape, { dtype: 'float64', requiresGrad: true }));
    const f = ([x, weight, bias]: readonly Tensor[]): Tensor => linear(x, weight, bias, { activation });
    const cotangents = [randn([3, 2], { dtype: 'float64', requiresGrad: true })];
    gradcheck('linear', f, inputs, cotangents);
    gradgradcheck('linear', f, inputs, cotangents);
  });
});

test('bad activations are refused', () => {
  const [x, weight, bias] = operands('float32', false);
  expect(() => linear(x, weight, bias, { activation: 'mish' as 'relu' })).toThrow(
    "linear: unknown activation 'mish', expected one of 'relu', 'gelu', 'sigmoid', 'tanh', or null.",
  );
  expect(() => linear(x, weight, bias, { activation: 'constructor' as 'relu' })).toThrow('unknown activation');
  const whole = randint(0, 5, [2, 3], { dtype: 'int32' });
  expect(() => linear(whole, whole, null, { activation: 'relu' })).toThrow('must be a float tensor, got int32');
});

describe('Sequential', () => {
  const x = randn([4, 6]);
  const opOf = (out: Tensor): string => /gradFn=<(\w+)>/.exec(out.toString())![1];

  test('applies an activation in the layer in front of it', () => {
    for (const [layer, name] of [
      [new nn.ReLU(), 'linear'],
      [new nn.Sigmoid(), 'linear'],
      [new nn.Tanh(), 'linear'],
      [new nn.GELU(), 'gelu'],
      [new nn.GELU({ approximate: 'tanh' }), 'gelu'],
      [new nn.SiLU(), 'silu'],
    ] as const) {
      const first = new nn.Linear(6, 3);
      const out = new nn.Sequential(first, layer).forward(x);
      expect(opOf(out)).toBe(name);
      expect(out.dataSync()).toEqual(layer.forward(first.forward(x)).dataSync());
    }
  });

  test('applies a relu behind a maximum, to the same effect', () => {
    manualSeed(6);
    const pools = [new nn.MaxPool2d(2), new nn.MaxPool2d(3, { stride: 2, padding: 1 })];
    for (const pool of pools) {
      const images = randn([2, 3, 9, 9]).sub(0.8).requiresGrad_(true);
      const out = new nn.Sequential(new nn.ReLU(), pool).forward(images) as Tensor;
      expect(opOf(out)).toBe('relu');
      const expected = pool.forward(relu(images)) as Tensor;
      expect(out.eq(expected).all().itemSync()).toBe(true);
      out.mul(out).sum().backward();
      const grad = images.grad!.dataSync();
      images.grad = null;
      expected.mul(expected).sum().backward();
      expect((images.grad! as Tensor).dataSync()).toEqual(grad);
    }
    const pair = new nn.Sequential(new nn.ReLU(), new nn.MaxPool2d(2, { returnIndices: true })).forward(
      randn([1, 1, 4, 4]),
    );
    expect(pair).toHaveLength(2);
  });

  test('leaves them apart where somebody looks in between, or has changed a layer', () => {
    const seen: string[] = [];
    for (const watched of [0, 1]) {
      const model = new nn.Sequential(new nn.Linear(6, 3), new nn.ReLU());
      model.layers[watched].registerForwardHook((module, _, output) => {
        seen.push(`${module.constructor.name} ${opOf(output as Tensor)}`);
      });
      model.forward(x);
    }
    expect(seen).toEqual(['Linear linear', 'ReLU relu']);

    class Twice extends nn.Linear {
      override forward(x: Tensor): never {
        return super.forward(x).mul(2) as never;
      }
    }
    const first = new Twice(6, 3);
    const out = new nn.Sequential(first as nn.Linear, new nn.ReLU()).forward(x);
    expect(out.dataSync()).toEqual(relu(first.forward(x) as Tensor).dataSync());
  });
});
