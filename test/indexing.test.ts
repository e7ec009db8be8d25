// Picking elements: index expressions, select and slice, gather, scatterAdd, indexSelect, embedding, oneHot.
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../src/index.js';
import { arange, nn, oneHot, ones, tensor, zeros } from '../src/index.js';

const x = arange(24, undefined, 1, { dtype: 'float32' }).reshape([2, 3, 4]);
const nested = x.arraySync() as number[][][];

describe('index', () => {
  test.each<[string, Parameters<Tensor['index']>, unknown]>([
    ['nothing', [], nested],
    ['a position', [1], nested[1]],
    ['a position from the end', [-2], nested[0]],
    ['positions', [1, 2, 3], 23],
    ['a slice', [0, '1:3'], nested[0].slice(1, 3)],
    ['everything', [':', 0], nested.map((m) => m[0])],
    ['from', [0, 0, '2:'], [2, 3]],
    ['up to', [0, 0, ':2'], [0, 1]],
    ['steps', [0, 0, '::3'], [0, 3]],
    ['from the end', [0, 0, '-3:-1'], [1, 2]],
    ['beyond the ends', [0, 0, '-99:99'], [0, 1, 2, 3]],
    ['nothing left', [0, 0, '3:1'], []],
    ['blanks', [0, 0, ' 1 : 3 : 1 '], [1, 2]],
    ['an ellipsis', ['...', 1], nested.map((m) => m.map((r) => r[1]))],
    ['an ellipsis for nothing', [1, 1, 1, '...'], 17],
    ['a new dimension', [null, 0, 0], [nested[0][0]]],
    ['a new dimension at the end', [0, 0, '...', null], [[0], [1], [2], [3]]],
    ['positions of a tensor', [0, tensor([2n, 0n, 2n])], [nested[0][2], nested[0][0], nested[0][2]]],
    ['an empty tensor', [0, tensor([], { dtype: 'int64' })], []],
    ['a tensor in a later dimension', [0, ':', tensor([3n])], [[3], [7], [11]]],
  ])('%s', (_, parts, expected) => {
    expect(x.index(...parts).arraySync()).toEqual(expected);
  });

  test('is a view', () => {
    const y = x.clone();
    y.index(1, ':', 0).fill_(-1);
    expect(y.index(1, ':', 0).arraySync()).toEqual([-1, -1, -1]);
    expect(y.index(0, 0, 0).itemSync()).toBe(0);
    expect(y.index(1, 0, 1).itemSync()).toBe(13);
  });

  test('gradients flow to the picked elements', () => {
    const w = x.clone().requiresGrad_();
    w.index(1, '1:', '::2').mul(3).sum().backward();
    const grad = w.grad!.arraySync() as number[][][];
    expect(grad[0].flat().every((g) => g === 0)).toBe(true);
    expect(grad[1]).toEqual([
      [0, 0, 0, 0],
      [3, 0, 3, 0],
      [3, 0, 3, 0],
    ]);
  });

  test('of a scalar', () => {
    expect(tensor(5).index('...').itemSync()).toBe(5);
    expect(tensor(5).index(null).shape).toEqual([1]);
    expect(() => tensor(5).index(0)).toThrow('index: 1 indices for a tensor of shape [].');
  });
});

describe('slice, select, narrow, split', () => {
  test('of transposed and expanded tensors', () => {
    const t = x.permute([2, 0, 1]);
    expect(t.select(0, 1).arraySync()).toEqual(nested.map((m) => m.map((r) => r[1])));
    expect(t.slice(0, 1, 4, 2).shape).toEqual([2, 2, 3]);
    expect(ones([1]).expand([5]).slice(0, 1, 3).arraySync()).toEqual([1, 1]);
  });

  test('a huge step, and positions beyond 2^31', () => {
    expect(
      x
        .slice(2, 1, undefined, 2 ** 40)
        .index(0, 0)
        .arraySync(),
    ).toEqual([1]);
    expect(x.slice(2, 0, 2 ** 40).shape).toEqual([2, 3, 4]);
    expect(x.slice(0, -(2 ** 40), Infinity).shape).toEqual([2, 3, 4]);
  });

  test('narrow, split, chunk, unbind cover all', () => {
    expect(x.narrow(2, 1, 2).index(0, 0).arraySync()).toEqual([1, 2]);
    expect(x.narrow(2, -1, 1).index(0, 0).arraySync()).toEqual([3]);
    expect(x.split(3, 2).map((part) => part.shape)).toEqual([
      [2, 3, 3],
      [2, 3, 1],
    ]);
    expect(x.split([0, 4], 2).map((part) => part.shape[2])).toEqual([0, 4]);
    expect(x.chunk(3, 2).map((part) => part.shape[2])).toEqual([2, 2]);
    expect(x.unbind(1).map((part) => part.shape)).toEqual([
      [2, 4],
      [2, 4],
      [2, 4],
    ]);
  });
});

describe('gather and scatterAdd', () => {
  test('gather along each dimension', () => {
    const m = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(
      m
        .gather(
          1,
          tensor([
            [2n, 0n],
            [1n, 1n],
          ]),
        )
        .arraySync(),
    ).toEqual([
      [3, 1],
      [5, 5],
    ]);
    expect(m.gather(0, tensor([[1n, 0n, 1n]])).arraySync()).toEqual([[4, 2, 6]]);
    expect(m.gather(-1, tensor([[0], [2]], { dtype: 'int32' })).arraySync()).toEqual([[1], [6]]);
    expect(m.gather(1, zeros([2, 0], { dtype: 'int64' })).shape).toEqual([2, 0]);
    expect(
      m
        .t()
        .gather(0, tensor([[2n, 0n]]))
        .arraySync(),
    ).toEqual([[3, 4]]);
  });

  test.each(['float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool'] as const)('gather of %s', (dtype) => {
    const m = tensor([0, 1, 1], { dtype });
    expect(m.gather(0, tensor([2n, 0n])).arraySync()).toEqual(tensor([1, 0], { dtype }).arraySync());
  });

  test('the gradient of gather adds up where positions repeat', () => {
    const w = tensor([1, 2, 3], { requiresGrad: true });
    w.gather(0, tensor([2n, 2n, 0n]))
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(w.grad!.arraySync()).toEqual([100, 0, 11]);
  });

  test('scatterAdd adds to a copy, repeats included', () => {
    const base = ones([4]);
    expect(base.scatterAdd(0, tensor([3n, 0n, 3n]), tensor([5, 6, 7])).arraySync()).toEqual([7, 1, 1, 13]);
    expect(base.arraySync()).toEqual([1, 1, 1, 1]);
    expect(
      zeros([2, 3])
        .scatterAdd(
          1,
          tensor([[2n], [0n]]),
          tensor([
            [1, 99],
            [2, 99],
          ]),
        )
        .arraySync(),
    ).toEqual([
      [0, 0, 1],
      [2, 0, 0],
    ]);
  });

  test('many additions to few places are the same for any number of threads', () => {
    const n = 100_000;
    const index = arange(n).remainder(7).to('int64');
    const src = arange(n, undefined, 1, { dtype: 'float32' }).mul(0.1);
    const sums = zeros([7]).scatterAdd(0, index, src).arraySync();
    expect(zeros([7]).scatterAdd(0, index, src).arraySync()).toEqual(sums);
    // In order, in float32.
    const expected = new Float32Array(7);
    const values = src.dataSync();
    for (let i = 0; i < n; i++) expected[i % 7] += values[i];
    expect(sums).toEqual([...expected]);
  });
});

describe('indexSelect, embedding, oneHot', () => {
  test('indexSelect along each dimension', () => {
    const picked = tensor([1n, 1n, 0n]);
    expect(x.indexSelect(0, picked).arraySync()).toEqual([nested[1], nested[1], nested[0]]);
    expect(x.indexSelect(1, picked).arraySync()).toEqual(nested.map((m) => [m[1], m[1], m[0]]));
    expect(x.indexSelect(-1, picked).arraySync()).toEqual(nested.map((m) => m.map((r) => [r[1], r[1], r[0]])));
  });

  test('embedding and its gradient', () => {
    const table = tensor(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      { requiresGrad: true },
    );
    const rows = nn.functional.embedding(
      table,
      tensor([
        [2n, 0n],
        [2n, 2n],
      ]),
    );
    expect(rows.arraySync()).toEqual([
      [
        [5, 6],
        [1, 2],
      ],
      [
        [5, 6],
        [5, 6],
      ],
    ]);
    rows.sum().backward();
    expect(table.grad!.arraySync()).toEqual([
      [1, 1],
      [0, 0],
      [3, 3],
    ]);
    expect(nn.functional.embedding(table, tensor(1n)).arraySync()).toEqual([3, 4]);
    expect(nn.functional.embedding(table, tensor([], { dtype: 'int64' })).shape).toEqual([0, 2]);
  });

  test('oneHot', () => {
    expect(oneHot(tensor([1n, 0n])).arraySync()).toEqual([
      [0n, 1n],
      [1n, 0n],
    ]);
    expect(oneHot(tensor([[2]], { dtype: 'int32' }), 4).arraySync()).toEqual([[[0n, 0n, 1n, 0n]]]);
    expect(oneHot(tensor(0n), 2).arraySync()).toEqual([1n, 0n]);
    expect(() => oneHot(tensor([3n]), 3).dataSync()).toThrow('index 3 is out of range');
  });
});
