// nn.Module: finding parameters by walking fields, state dicts, modes, conversion.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import { memory, nn, ones, optim, randn, synchronize, tensor, tidy, zeros } from '../src/index.js';

class Block extends nn.Module {
  readonly inner = new nn.Linear(2, 3);
  readonly scale = nn.parameter(ones([3]));
  readonly seen = zeros([1]);
  readonly _scratch = ones([5]);
  readonly note = 'not a tensor';
  readonly dropout = new nn.Dropout(0.5);
  override forward(x: Tensor): Tensor {
    return this.dropout.forward(this.inner.forward(x).mul(this.scale));
  }
}

class Net extends nn.Module {
  readonly blocks = [new Block(), new Block()];
  readonly head = new nn.Linear(3, 1, { bias: false });
  override forward(x: Tensor): Tensor {
    return this.head.forward(this.blocks[0].forward(x).add(this.blocks[1].forward(x)));
  }
}

const blockNames = ['scale', 'seen', 'inner.weight', 'inner.bias'];
const values = (t: Tensor | undefined): number[] => [...(t as Tensor<readonly number[], 'float32'>).dataSync()];

describe('parameters and buffers', () => {
  test('are found by walking fields, in order, with dotted names', () => {
    const net = new Net();
    expect([...net.stateDict().keys()]).toEqual([
      ...blockNames.map((name) => `blocks.0.${name}`),
      ...blockNames.map((name) => `blocks.1.${name}`),
      'head.weight',
    ]);
    expect(Array.from(net.namedParameters(), ([name]) => name)).toEqual([
      'blocks.0.scale',
      'blocks.0.inner.weight',
      'blocks.0.inner.bias',
      'blocks.1.scale',
      'blocks.1.inner.weight',
      'blocks.1.inner.bias',
      'head.weight',
    ]);
    expect(Array.from(net.namedBuffers(), ([name]) => name)).toEqual(['blocks.0.seen', 'blocks.1.seen']);
    expect(net.parameters()).toHaveLength(7);
  });

  test('modules by name; children of arrays and of Sequential by position', () => {
    const net = new nn.Sequential(new Net(), new nn.ReLU());
    expect(Array.from(net.namedModules(), ([name]) => name)).toEqual([
      '',
      '0',
      '0.blocks.0',
      '0.blocks.0.inner',
      '0.blocks.0.dropout',
      '0.blocks.1',
      '0.blocks.1.inner',
      '0.blocks.1.dropout',
      '0.head',
      '1',
    ]);
    expect(Array.from(net.namedChildren(), ([name]) => name)).toEqual(['0', '1']);
  });

  test('what is shared appears once', () => {
    class Tied extends nn.Module {
      readonly a = new nn.Linear(2, 2);
      readonly b = this.a;
      readonly weight = this.a.weight;
      override forward(x: Tensor): Tensor {
        return this.b.forward(this.a.forward(x));
      }
    }
    const tied = new Tied();
    expect(tied.parameters()).toHaveLength(2);
    expect(Array.from(tied.namedModules(), ([name]) => name)).toEqual(['', 'a']);
  });

  test('a module without any', () => {
    expect(new nn.ReLU().parameters()).toEqual([]);
    expect([...new nn.Flatten().stateDict()]).toEqual([]);
  });

  test('parameter() marks a tensor; integers and results are refused', () => {
    const p = nn.parameter(ones([2]));
    expect(p.requiresGrad && p.isLeaf).toBe(true);
    expect(() => nn.parameter(tensor([1n]))).toThrow(
      'requiresGrad_: only float tensors can have gradients, this one is int64.',
    );
    expect(() => nn.parameter(p.mul(2))).toThrow(
      'parameter: the tensor was made by a recorded operation; pass detach() of it.',
    );
  });
});

describe('state dicts', () => {
  test('hold the tensors themselves', () => {
    const net = new nn.Linear(2, 2);
    expect(net.stateDict().get('weight')).toBe(net.weight);
  });

  test('load into a fresh model, which then computes the same', () => {
    const trained = new Net().eval();
    const fresh = new Net().eval();
    const x = randn([4, 2]);
    expect(fresh.loadStateDict(trained.stateDict())).toEqual({ missing: [], unexpected: [] });
    expect(values(fresh.forward(x))).toEqual(values(trained.forward(x)));
    expect(fresh.head.weight).not.toBe(trained.head.weight);
    trained.head.weight.detach().zero_();
    expect(values(fresh.head.weight)).not.toEqual([0, 0, 0]);
  });

  test('loading converts the dtype', () => {
    const layer = new nn.Linear(1, 1, { bias: false });
    layer.loadStateDict(new Map([['weight', tensor([[0.25]], { dtype: 'float64' })]]));
    expect(layer.weight.dtype).toBe('float32');
    expect(values(layer.weight)).toEqual([0.25]);
  });

  test('names that differ are listed, and nothing is changed', () => {
    const layer = new nn.Linear(1, 1);
    const before = values(layer.weight);
    const state = new Map<string, Tensor>([
      ['weight', ones([1, 1])],
      ['wieght', ones([1, 1])],
    ]);
    expect(() => layer.loadStateDict(state)).toThrow(
      expect.objectContaining({
        name: 'ArgumentError',
        message:
          'loadStateDict: the names differ. Missing: bias. Unexpected: wieght. Pass { strict: false } to load what fits.',
      }),
    );
    expect(values(layer.weight)).toEqual(before);
    expect(layer.loadStateDict(state, { strict: false })).toEqual({ missing: ['bias'], unexpected: ['wieght'] });
    expect(values(layer.weight)).toEqual([1]);
  });

  test.each<[string, () => unknown, string]>([
    ['another shape', () => ones([2]), "ShapeError: loadStateDict: 'bias' has shape [1], the given tensor [2]."],
    [
      'a disposed tensor',
      () => {
        const t = ones([1]);
        t.dispose();
        return t;
      },
      "DisposedError: loadStateDict: 'bias' of shape [1] was disposed.",
    ],
    [
      'no tensor',
      () => 5,
      "ArgumentError: loadStateDict: 'bias' is a number, expected a Tensor; make one with tensor(...).",
    ],
  ])('%s is refused before anything is changed', (_, bias, expected) => {
    const layer = new nn.Linear(1, 1);
    const before = values(layer.weight);
    const state = new Map([
      ['weight', ones([1, 1])],
      ['bias', bias() as Tensor],
    ]);
    let error: unknown;
    try {
      layer.loadStateDict(state);
    } catch (thrown) {
      error = thrown;
    }
    expect(String(error)).toBe(expected);
    expect(values(layer.weight)).toEqual(before);
  });

  test('what is no map is refused', () => {
    for (const state of [null, undefined, {}, 'state', 5]) {
      expect(() => new nn.Linear(1, 1).loadStateDict(state as Map<string, Tensor>)).toThrow(
        'loadStateDict: expected a Map of tensors by name, as stateDict() gives.',
      );
    }
  });
});

describe('modes', () => {
  test('train and eval reach all modules, and dropout obeys', () => {
    const net = new Net();
    expect(net.training).toBe(true);
    expect(net.eval()).toBe(net);
    expect(Array.from(net.namedModules(), ([, module]) => module.training)).not.toContain(true);
    const x = ones([2, 2]);
    expect(values(net.forward(x))).toEqual(values(net.forward(x)));
    net.train();
    expect(net.blocks[1].dropout.training).toBe(true);
    net.blocks[1].train(false);
    expect([net.training, net.blocks[0].training, net.blocks[1].dropout.training]).toEqual([true, true, false]);
  });

  test('apply visits children first', () => {
    const seen: string[] = [];
    const net = new nn.Sequential(new nn.Linear(1, 1), new nn.Sequential(new nn.ReLU()));
    expect(net.apply((module) => seen.push(module.constructor.name))).toBe(net);
    expect(seen).toEqual(['Linear', 'ReLU', 'Sequential', 'Sequential']);
  });

  test('apply can initialise', () => {
    const net = new Net().apply((module) => {
      if (module instanceof nn.Linear) nn.init.constant(module.weight, 0.5);
    });
    expect(values(net.head.weight)).toEqual([0.5, 0.5, 0.5]);
    expect(net.head.weight.requiresGrad).toBe(true);
  });

  test('requiresGrad_ freezes and thaws', () => {
    const layer = new nn.Linear(2, 2).requiresGrad_(false);
    expect(layer.parameters().map((p) => p.requiresGrad)).toEqual([false, false]);
    expect(layer.forward(ones([1, 2])).requiresGrad).toBe(false);
    expect(
      layer
        .requiresGrad_()
        .parameters()
        .map((p) => p.requiresGrad),
    ).toEqual([true, true]);
  });

  test('zeroGrad forgets gradients', () => {
    const layer = new nn.Linear(2, 2);
    layer
      .forward(ones([1, 2]))
      .sum()
      .backward();
    expect(layer.weight.grad).not.toBeNull();
    layer.zeroGrad();
    expect(layer.weight.grad).toBeNull();
    expect(layer.bias!.grad).toBeNull();
  });
});

describe('to', () => {
  test('converts float parameters and buffers, and leaves integers', () => {
    class Counter extends nn.Module {
      readonly layer = new nn.Linear(2, 2);
      readonly mean = zeros([2]);
      readonly steps = tensor(3n);
      override forward(x: Tensor): Tensor {
        return this.layer.forward(x);
      }
    }
    const module = new Counter();
    const before = values(module.layer.weight);
    expect(module.to('float64')).toBe(module);
    expect([module.layer.weight.dtype, module.mean.dtype, module.steps.dtype]).toEqual(['float64', 'float64', 'int64']);
    expect([...(module.layer.weight as unknown as Tensor<readonly number[], 'float64'>).dataSync()]).toEqual(before);
    expect([module.layer.weight.requiresGrad, module.layer.weight.isLeaf, module.mean.requiresGrad]).toEqual([
      true,
      true,
      false,
    ]);
    const out = module.forward(ones([1, 2], { dtype: 'float64' }));
    expect(out.dtype).toBe('float64');
    out.sum().backward();
    expect(module.layer.weight.grad!.dtype).toBe('float64');
  });

  test('the same dtype, or the device it is on, changes nothing', () => {
    const layer = new nn.Linear(2, 2);
    const { weight } = layer;
    expect(layer.to('float32').to(weight.device).weight).toBe(weight);
  });

  test('converted inside tidy, the parameters stay', () => {
    const layer = new nn.Linear(2, 2);
    tidy(() => {
      layer.to('float16');
    });
    expect(layer.weight.isDisposed).toBe(false);
    expect(layer.forward(ones([1, 2], { dtype: 'float16' })).dtype).toBe('float16');
  });

  test('what is no float dtype or no device is refused', () => {
    const layer = new nn.Linear(2, 2);
    expect(() => layer.to('int32')).toThrow('to: a module can be converted to float dtypes only, got int32.');
    expect(() => layer.to('gpu' as 'cuda')).toThrow(
      "to: 'gpu' is neither a dtype (float32, float64, float16, bfloat16, int32, int64, uint8, bool) nor a device ('cpu', 'cuda', 'cuda:N').",
    );
    // There is no such device, whether this machine has a GPU or not.
    expect(() => layer.to('cuda:99')).toThrow(/^to: device 'cuda:99' (is not available: |does not exist, )/);
    expect(layer.weight.dtype).toBe('float32');
  });
});

describe('printing', () => {
  test('is a tree, as in PyTorch', () => {
    const net = new nn.Sequential(
      new nn.Flatten(),
      new nn.Linear(4, 2),
      new nn.Sequential(new nn.ReLU(), new nn.Dropout(0.25)),
    );
    expect(net.toString()).toBe(
      [
        'Sequential(',
        '  (0): Flatten(startDim=1, endDim=-1)',
        '  (1): Linear(4, 2, bias=true)',
        '  (2): Sequential(',
        '    (0): ReLU()',
        '    (1): Dropout(p=0.25)',
        '  )',
        ')',
      ].join('\n'),
    );
  });
});

test('a model that is forgotten is freed, gradients, optimizer and all', async () => {
  const train = (): void => {
    const net = new Net();
    const optimizer = new optim.Adam(net.parameters(), { lr: 0.01 });
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      net
        .forward(randn([4, 2]))
        .sum()
        .backward();
      optimizer.step();
    }
    synchronize();
  };
  train();
  const before = memory({ collect: true });
  for (let i = 0; i < 5; i++) train();
  // One model has 40 tensors. V8's compiler may hold an object of the code it works on for a moment, and a tiny tensor
  // the others of its page.
  for (let i = 0; i < 20 && memory({ collect: true }).tensors > before.tensors + 16; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(memory().tensors).toBeLessThanOrEqual(before.tensors + 16);
  expect(memory().bytes).toBeLessThanOrEqual(before.bytes + 4096);
});

describe('frozen parameters', () => {
  class Scaled extends nn.Module {
    layer = new nn.Linear(2, 2);
    mean = ones([2]);
    override forward(x: Tensor): Tensor {
      return this.layer.forward(x).sub(this.mean);
    }
  }

  test('stay parameters, and buffers stay buffers', () => {
    const model = new Scaled();
    model.requiresGrad_(false);
    expect([...model.namedParameters()].map(([name]) => name)).toEqual(['layer.weight', 'layer.bias']);
    expect(model.layer.weight.requiresGrad).toBe(false);
    model.requiresGrad_();
    expect([...model.namedBuffers()].map(([name]) => name)).toEqual(['mean']);
    expect(model.mean.requiresGrad).toBe(false);
  });

  test('are taken by an optimizer, which leaves them alone', () => {
    const model = new Scaled();
    model.layer.bias!.requiresGrad_(false);
    const before = model.layer.bias!.dataSync();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    model
      .forward(ones([1, 2]))
      .sum()
      .backward();
    optimizer.step();
    expect(model.layer.bias!.dataSync()).toEqual(before);
  });
});

test('JavaScript operators on tensors are refused, not silently wrong', () => {
  const x = ones([]) as unknown as number;
  expect(() => x + 1).toThrow('Tensors have no JavaScript operators');
  expect(() => x > 0).toThrow('Tensors have no JavaScript operators');
  const one = ones([1]);
  expect(`${one.toString()}`).toBe(`tensor([1.], shape=[1], dtype=float32, device=${one.device})`);
});
