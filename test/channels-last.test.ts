// Channels-last tensors: the same shape and values, another order in memory, handed on from op to op.
import { describe, expect, it } from 'vitest';
import { arange, manualSeed, randn, tensor, type Tensor } from '../src/index.js';
import { native, scratchNumbers, strideBase } from '../src/native.js';

const images = (): Tensor =>
  arange(2 * 3 * 4 * 5)
    .reshape([2, 3, 4, 5])
    .to('float32');

describe('memory format', () => {
  it('changes strides and nothing else', () => {
    const x = images();
    const y = x.contiguous({ memoryFormat: 'channelsLast' });
    expect([x.memoryFormat, y.memoryFormat]).toEqual(['contiguous', 'channelsLast']);
    expect(y.strides).toEqual([60, 1, 15, 3]);
    expect(y.shape).toEqual(x.shape);
    expect(y.dataSync()).toEqual(x.dataSync());
    expect(y.contiguous({ memoryFormat: 'channelsLast' })).toBe(y);
    expect(y.contiguous().memoryFormat).toBe('contiguous');
    expect(y.contiguous().dataSync()).toEqual(x.dataSync());
    expect(x.permute([0, 1, 3, 2]).memoryFormat).toBe('strided');
  });

  it('takes what is both as both', () => {
    const x = randn([4, 1, 3, 3]);
    expect(x.contiguous({ memoryFormat: 'channelsLast' })).toBe(x);
    expect(x.memoryFormat).toBe('contiguous');
    expect(randn([2, 3, 0, 5]).contiguous({ memoryFormat: 'channelsLast' }).shape).toEqual([2, 3, 0, 5]);
  });

  it('refuses ranks and names it does not know', () => {
    expect(() => randn([2, 3]).contiguous({ memoryFormat: 'channelsLast' })).toThrow(
      "contiguous(x [2,3], memoryFormat 'channelsLast'): x must be [N, C, spatial...] with 1 to 3 spatial dimensions.",
    );
    expect(() => images().contiguous({ memoryFormat: 'nhwc' as 'channelsLast' })).toThrow(
      "contiguous: unknown memoryFormat 'nhwc', expected 'contiguous' or 'channelsLast'.",
    );
  });

  it('is kept by elementwise ops and their gradients', () => {
    const x = images().contiguous({ memoryFormat: 'channelsLast' }).requiresGrad_();
    const c = tensor([1, 2, 3]).reshape([3, 1, 1]);
    const y = x.mul(0.5).relu().add(c).add(images());
    expect(y.memoryFormat).toBe('channelsLast');
    expect(y.dataSync()).toEqual(images().mul(0.5).add(c).add(images()).dataSync());
    y.square().sum().backward();
    expect(x.grad!.dataSync()).toEqual(y.detach().mul(images().gt(0).to('float32')).dataSync());
  });

  it('is left behind by reshape, flatten and view', () => {
    manualSeed(3);
    const x = randn([2, 3, 4, 5]);
    const y = x.contiguous({ memoryFormat: 'channelsLast' });
    for (const flat of [y.reshape([2, 60]), y.view([2, 60]), y.flatten(1)]) {
      expect(flat.dataSync()).toEqual(x.dataSync());
    }
  });

  it('passes gradients through', () => {
    const x = images().requiresGrad_();
    x.contiguous({ memoryFormat: 'channelsLast' }).mul(images()).sum().backward();
    expect(x.grad!.dataSync()).toEqual(images().dataSync());
  });

  it('the addon refuses strides that are no permutation', () => {
    const create = (shape: number[], strides: number[]): number => {
      shape.forEach((size, d) => {
        scratchNumbers[d] = size;
        scratchNumbers[strideBase + d] = strides[d];
      });
      return native.empty(0, shape.length, {}, true, true);
    };
    for (const strides of [
      [1, 1],
      [3, 2],
      [4, 1],
      [0, 1],
      [1e15, 1],
    ])
      expect(() => create([2, 3], strides)).toThrow('strides of a dense tensor');
    native.dispose(create([2, 3], [1, 2]));
    native.dispose(create([2, 1, 3], [3, 1, 1]));
  });
});
