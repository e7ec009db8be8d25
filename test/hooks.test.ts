// Hooks on gradients of tensors, and on modules.
import { describe, expect, test } from 'vitest';
import { grad, nn, noGrad, ones, randn, synchronize, tensor, type Tensor } from '../src/index.js';

const values = (t: Tensor | null | undefined): number[] =>
  Array.from((t as Tensor<readonly number[], 'float32'>).dataSync());

describe('registerHook', () => {
  test('of a leaf: sees and replaces the sum of what arrives', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const seen: Tensor[] = [];
    const handle = x.registerHook((g) => void seen.push(g));
    x.registerHook((g) => g.mul(10));
    x.mul(x).sum().backward();
    expect(values(x.grad)).toEqual([20, 40]);
    expect(seen.map(values)).toEqual([[2, 4]]);
    handle.remove();
    handle.remove();
    x.sum().backward();
    expect(values(x.grad)).toEqual([30, 50]);
    expect(seen.map(values)).toEqual([[2, 4]]);
    expect(values(grad(x.sum(), [x])[0])).toEqual([10, 10]);
  });

  test('of a result: what follows sees the replacement', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const y = x.mul(3);
    y.registerHook((g) => g.mul(2));
    const [dx, dy] = grad(y.mul(y).sum(), [x, y]);
    expect(values(dy)).toEqual([12, 24]);
    expect(values(dx)).toEqual([36, 72]);
  });

  test('with createGraph the hook is differentiated', () => {
    const x = tensor([2], { requiresGrad: true });
    x.registerHook((g) => g.mul(g));
    const [g] = grad(x.mul(x).sum(), [x], { createGraph: true });
    expect(values(g)).toEqual([16]);
  });

  test('refuses', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    expect(() => ones([1]).registerHook(() => undefined)).toThrow(
      'registerHook: the tensor requires no gradients, so it will never have one.',
    );
    expect(() => x.registerHook(3 as never)).toThrow(
      'registerHook: hook must be a function, got a value of type number.',
    );
    x.registerHook(() => ones([3]));
    expect(() => x.sum().backward()).toThrow(
      'registerHook: a hook returned a gradient of shape [3] for one of shape [2].',
    );
  });
});

describe('forward hooks', () => {
  test('run when forward is called, change inputs and outputs, and go away', () => {
    const layer = new nn.ReLU();
    const log: string[] = [];
    const pre = layer.registerForwardPreHook((module, [x]) => {
      log.push(`pre ${module === layer}`);
      return (x as Tensor).neg();
    });
    const post = layer.registerForwardHook((_, [x], out) => {
      log.push(`post ${values(x as Tensor).join()}`);
      return (out as Tensor).add(1);
    });
    expect(values(layer.forward(tensor([1, -2])))).toEqual([1, 3]);
    expect(log).toEqual(['pre true', 'post -1,2']);
    expect(Object.keys(layer)).not.toContain('forward');
    pre.remove();
    post.remove();
    expect(Object.hasOwn(layer, 'forward')).toBe(false);
    expect(values(layer.forward(tensor([1, -2])))).toEqual([1, 0]);
  });

  test('prepend, and a forward that is a field', () => {
    class Own extends nn.Module {
      override forward = (x: Tensor): Tensor => x;
    }
    const layer = new Own();
    const { forward } = layer;
    const log: number[] = [];
    const handles = [
      layer.registerForwardHook(() => void log.push(1)),
      layer.registerForwardHook(() => void log.push(2), { prepend: true }),
    ];
    layer.forward(ones([1]));
    expect(log).toEqual([2, 1]);
    for (const handle of handles) handle.remove();
    expect(layer.forward).toBe(forward);
  });

  test('what a hook in a chain has seen is not freed', () => {
    const chain = new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU(), new nn.Dropout(0.5), new nn.Tanh());
    chain.eval();
    const seen: Tensor[] = [];
    chain.at(1).registerForwardHook((_, [x], out) => void seen.push(x as Tensor, out as Tensor));
    noGrad(() => chain.forward(randn([3, 2])));
    synchronize();
    expect(seen.map(({ isDisposed }) => isDisposed)).toEqual([false, false]);
  });
});

describe('full backward hooks', () => {
  test('see and replace gradients', () => {
    const layer = new nn.Linear(2, 1, { bias: false });
    noGrad(() => layer.weight.fill_(3));
    const seen: (number[] | null)[] = [];
    const handle = layer.registerFullBackwardHook((_, gradInput, gradOutput) => {
      seen.push(...[...gradInput, ...gradOutput].map((g) => (g === null ? null : values(g))));
      return gradInput.map((g) => g?.mul(2) ?? null);
    });
    layer.registerFullBackwardPreHook((_, [g]) => [g!.mul(5)]);
    const x = tensor([[1, 2]], { requiresGrad: true });
    layer.forward(x).sum().backward();
    expect(seen).toEqual([[15, 15], [5]]);
    expect(values(x.grad)).toEqual([30, 30]);
    expect(values(layer.weight.grad)).toEqual([5, 10]);
    layer
      .forward(tensor([[1, 2]]))
      .sum()
      .backward();
    expect(seen.slice(2)).toEqual([null, [5]]);
    handle.remove();
    expect(layer.forward(x).requiresGrad).toBe(true);
    expect(noGrad(() => layer.forward(x)).requiresGrad).toBe(false);
  });

  test('refuse gradients that do not fit', () => {
    const layer = new nn.ReLU();
    layer.registerFullBackwardHook(() => [ones([1]), ones([1])]);
    const x = tensor([1], { requiresGrad: true });
    expect(() => layer.forward(x).backward()).toThrow(
      'registerFullBackwardHook: a hook returned 2 gradients, expected 1.',
    );
    expect(() => layer.registerForwardHook(null as never)).toThrow(
      'registerForwardHook: hook must be a function, got a value of type object.',
    );
  });
});
