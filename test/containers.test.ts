// Lists and dictionaries of modules and parameters, and what Module says of its parts.
import { describe, expect, test } from 'vitest';
import { nn, ones, randn, tensor, zeros, type Tensor } from '../src/index.js';

const names = (module: nn.AnyModule): string[] => [...module.stateDict().keys()];

describe('ModuleList', () => {
  test('is a list whose modules are found', () => {
    const list = new nn.ModuleList<nn.Linear>([new nn.Linear(2, 3), new nn.Linear(3, 2, { bias: false })]);
    list.append(new nn.Linear(2, 2)).extend([new nn.Linear(1, 1, { bias: false })]);
    list.insert(0, new nn.Linear(4, 4, { bias: false }));
    expect(names(list)).toEqual(['0.weight', '1.weight', '1.bias', '2.weight', '3.weight', '3.bias', '4.weight']);
    expect([list.length, list.at(-1).inFeatures, list.at(0).inFeatures]).toEqual([5, 1, 4]);
    expect([...list].map(({ inFeatures }) => inFeatures)).toEqual([4, 2, 3, 2, 1]);
    expect(list.pop().inFeatures).toBe(1);
    expect(list.set(0, new nn.Linear(5, 5)).at(0).inFeatures).toBe(5);
    expect(list.to('float64').at(1).weight.dtype).toBe('float64');
    expect(list.eval().at(2).training).toBe(false);
  });

  test.each<[string, () => unknown, string]>([
    ['an index', () => new nn.ModuleList([new nn.ReLU()]).at(1), 'ModuleList: index 1 is out of range for 1 items.'],
    ['no integer', () => new nn.ModuleList().at(0.5), 'ModuleList: an index must be an integer, got 0.5.'],
    ['no module', () => new nn.ModuleList([ones([1]) as never]), 'ModuleList: item 0 is a Tensor, expected a Module.'],
    [
      'a forward',
      () => (new nn.ModuleList() as nn.AnyModule).forward(ones([1])),
      'ModuleList: it holds things and has no forward; call what it holds, or use nn.Sequential.',
    ],
  ])('refuses %s', (_, run, message) => {
    expect(run).toThrow(expect.objectContaining({ message }));
  });
});

test('ModuleDict', () => {
  const dict = new nn.ModuleDict<nn.Linear>({ a: new nn.Linear(1, 2), b: new nn.Linear(2, 1, { bias: false }) });
  dict.set('c', new nn.Linear(1, 1, { bias: false })).update([['b', new nn.Linear(3, 3, { bias: false })]]);
  expect(names(dict)).toEqual(['a.weight', 'a.bias', 'b.weight', 'c.weight']);
  expect([dict.size, dict.has('b'), dict.has('d'), dict.get('b').inFeatures]).toEqual([3, true, false, 3]);
  expect([...dict.keys()]).toEqual(['a', 'b', 'c']);
  expect([...dict.entries()].map(([key]) => key)).toEqual(['a', 'b', 'c']);
  expect(dict.delete('a')).toBe(true);
  expect(() => dict.get('a')).toThrow("ModuleDict: there is no 'a'; the keys are 'b', 'c'.");
  expect(() => dict.set('x.y', new nn.Linear(1, 1))).toThrow(
    "ModuleDict: a key must be a string that is not empty and has no dot, got 'x.y'.",
  );
  dict.clear();
  expect(dict.size).toBe(0);
});

test('ParameterList and ParameterDict', () => {
  class Net extends nn.Module {
    readonly list = new nn.ParameterList([ones([2]), nn.parameter(ones([1]))]).append(zeros([3]));
    readonly dict = new nn.ParameterDict({ gain: ones([2]) }).set('shift', zeros([2]));
    override forward(x: Tensor): Tensor {
      return x.mul(this.list.at(0)).add(this.dict.get('shift'));
    }
  }
  const net = new Net();
  expect(names(net)).toEqual(['list.0', 'list.1', 'list.2', 'dict.gain', 'dict.shift']);
  expect(net.parameters()).toHaveLength(5);
  expect(net.countParameters()).toBe(10);
  net
    .forward(ones([2]))
    .sum()
    .backward();
  expect(net.list.at(0).grad!.dataSync()).toEqual(Float32Array.of(1, 1));
  net.double();
  expect([net.list.at(-1).dtype, net.dict.get('gain').dtype]).toEqual(['float64', 'float64']);
  expect(net.list.at(0).requiresGrad).toBe(true);
  expect(String(net.dict)).toBe('ParameterDict(gain: [2], shift: [2])');
  expect(() => net.list.append(tensor([1n]))).toThrow('requiresGrad_: only float tensors can have gradients');
  expect(() => net.dict.get('x')).toThrow("ParameterDict: there is no 'x'; the keys are 'gain', 'shift'.");
});

describe('parts of a module', () => {
  class Net extends nn.Module {
    declare readonly mask: Tensor;
    readonly blocks = [new nn.Linear(2, 2), new nn.ReLU()];
    readonly seen = zeros([1]);
    constructor() {
      super();
      this.registerBuffer('mask', ones([2]), { persistent: false });
      this.registerParameter('scale', nn.parameter(ones([2])));
    }
    override forward(x: Tensor): Tensor {
      return this.blocks[0].forward(x).mul(this.mask);
    }
  }

  test('by name', () => {
    const net = new Net();
    expect(net.getSubmodule('')).toBe(net);
    expect(net.getSubmodule('blocks.0')).toBe(net.blocks[0]);
    expect(net.getParameter('blocks.0.bias').shape).toEqual([2]);
    expect(net.getBuffer('mask')).toBe(net.mask);
    expect(() => net.getSubmodule('blocks.7')).toThrow(
      "getSubmodule: there is no module 'blocks.7'; Net has 'blocks.0', 'blocks.1'.",
    );
    expect(() => net.getParameter('mask')).toThrow("getParameter: there is no parameter 'mask'.");
    expect([net.children().length, net.modules().length, net.buffers().length]).toEqual([2, 3, 2]);
  });

  test('buffers that are not saved', () => {
    const net = new Net();
    expect(names(net)).toEqual(['seen', 'scale', 'blocks.0.weight', 'blocks.0.bias']);
    expect(Array.from(net.namedBuffers(), ([name]) => name)).toEqual(['seen', 'mask']);
    expect(net.half().mask.dtype).toBe('float16');
    expect(() => net.registerBuffer('_x', null)).toThrow(
      "registerBuffer: a name must not be empty, start with _ or have a dot, got '_x'.",
    );
    expect(() => net.registerBuffer('forward', null)).toThrow("registerBuffer: Net has 'forward' already.");
  });
});

test('Sequential as a list', () => {
  const chain = new nn.Sequential(new nn.Linear(2, 3), new nn.ReLU());
  const longer = chain.append(new nn.Linear(3, 1));
  expect(longer).toBe(chain);
  expect([longer.length, [...longer].length, longer.at(-1) === longer.layers[2]]).toEqual([3, 3, true]);
  expect(chain.at(0).inFeatures).toBe(2);
  expect(longer.forward(randn([4, 2])).shape).toEqual([4, 1]);
});
