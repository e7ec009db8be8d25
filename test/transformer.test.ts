// Multi-head attention and transformers beyond their samples: names of parameters, dropout, copies, messages.
import { describe, expect, test } from 'vitest';
import { Generator, manualSeed, nn, ones, randn, zeros, type Tensor } from 'thalweg';
import { errorOf } from './error-of.js';

type Loose = new (...args: unknown[]) => { forward: (...args: unknown[]) => unknown };
const layers = nn as unknown as Record<string, Loose>;
const values = (x: Tensor): number[] => Array.from(x.detach().dataSync(), Number);
const shapes = (module: nn.AnyModule): [string, readonly number[]][] =>
  Array.from(module.stateDict(), ([name, x]) => [name, x.shape]);

describe('the state has the names and shapes of PyTorch', () => {
  test('of attention', () => {
    expect(shapes(new nn.MultiheadAttention(4, 2))).toEqual([
      ['in_proj_weight', [12, 4]],
      ['in_proj_bias', [12]],
      ['out_proj.weight', [4, 4]],
      ['out_proj.bias', [4]],
    ]);
    expect(shapes(new nn.MultiheadAttention(4, 2, { addBiasKv: true, kdim: 3, vdim: 5 }))).toEqual([
      ['q_proj_weight', [4, 4]],
      ['k_proj_weight', [4, 3]],
      ['v_proj_weight', [4, 5]],
      ['in_proj_bias', [12]],
      ['bias_k', [1, 1, 4]],
      ['bias_v', [1, 1, 4]],
      ['out_proj.weight', [4, 4]],
      ['out_proj.bias', [4]],
    ]);
  });

  test('of a transformer', () => {
    const model = new nn.Transformer({
      dModel: 4,
      nhead: 2,
      numEncoderLayers: 1,
      numDecoderLayers: 1,
      dimFeedforward: 8,
    });
    const linear = ['weight', 'bias'];
    const attention = ['in_proj_weight', 'in_proj_bias', 'out_proj.weight', 'out_proj.bias'];
    const named = (part: string, names: readonly string[]): string[] => names.map((name) => `${part}.${name}`);
    const layer = (parts: readonly string[]): string[] =>
      parts.flatMap((part) => named(part, part.endsWith('attn') ? attention : linear));
    expect([...model.stateDict().keys()]).toEqual([
      ...named('encoder.layers.0', layer(['self_attn', 'linear1', 'linear2', 'norm1', 'norm2'])),
      ...named('encoder.norm', linear),
      ...named(
        'decoder.layers.0',
        layer(['self_attn', 'multihead_attn', 'linear1', 'linear2', 'norm1', 'norm2', 'norm3']),
      ),
      ...named('decoder.norm', linear),
    ]);
  });
});

test('layers of a stack start equal and are learned apart', () => {
  const stack = new nn.TransformerEncoder(new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 8 }), 2);
  const [a, b] = stack.layers;
  expect(values(a.linear1.weight)).toEqual(values(b.linear1.weight));
  expect(a.linear1.weight).not.toBe(b.linear1.weight);
  expect(stack.parameters().length).toBe(24);
});

test('dropout works in training only, in both ways of attention', () => {
  manualSeed(1);
  const layer = new nn.MultiheadAttention(8, 2, { dropout: 0.5, generator: new Generator(2) });
  const x = randn([5, 3, 8]);
  for (const needWeights of [true, false]) {
    const run = (): number[] => values(layer.forward(x, x, x, { needWeights })[0]);
    layer.train();
    expect(run()).not.toEqual(run());
    layer.eval();
    expect(run()).toEqual(run());
  }
});

test('a query without keys: 0 before the last projection, NaN with weights', () => {
  const layer = new nn.MultiheadAttention(4, 2, { batchFirst: true });
  const x = randn([1, 2, 4]);
  const attnMask = ones([2, 2], { dtype: 'bool' });
  expect(values(layer.forward(x, x, x, { attnMask, needWeights: false })[0])).toEqual(new Array(8).fill(0));
  expect(values(layer.forward(x, x, x, { attnMask })[0]).every(Number.isNaN)).toBe(true);
});

test('generateSquareSubsequentMask', () => {
  const low = -Infinity;
  const mask = nn.Transformer.generateSquareSubsequentMask(3);
  expect(mask.arraySync()).toEqual([
    [0, low, low],
    [0, 0, low],
    [0, 0, 0],
  ]);
});

describe('messages', () => {
  const make =
    (name: string, ...args: unknown[]) =>
    () =>
      new layers[name](...args);
  const attention = new nn.MultiheadAttention(4, 2) as unknown as InstanceType<Loose>;
  const call =
    (...args: unknown[]) =>
    () =>
      attention.forward(...args);
  const x = zeros([3, 2, 4]);
  const rows: readonly [string, () => unknown, string][] = [
    [
      'heads',
      make('MultiheadAttention', 6, 4),
      'ArgumentError: MultiheadAttention: embedDim 6 cannot be shared by 4 heads, it must be a multiple.',
    ],
    [
      'no heads',
      make('MultiheadAttention', 6, 0),
      'ArgumentError: MultiheadAttention: numHeads must be an integer above 0, got 0.',
    ],
    [
      'features',
      call(zeros([3, 2, 5]), x, x),
      'ShapeError: MultiheadAttention: query of shape [3,2,5] has 5 features, the layer takes 4.',
    ],
    [
      'ranks',
      call(x, zeros([3, 4]), x),
      'ShapeError: MultiheadAttention: query, key and value must all be [L, N, E] or, without a batch, [L, E]; key has shape [3,4].',
    ],
    [
      'batches',
      call(x, zeros([3, 1, 4]), zeros([3, 1, 4])),
      'ShapeError: MultiheadAttention(query [3,2,4], key [3,1,4]): the batches differ, query.shape[1] = 2 but key.shape[1] = 1.',
    ],
    [
      'values',
      call(x, x, zeros([5, 2, 4])),
      'ShapeError: MultiheadAttention(key [3,2,4], value [5,2,4]): every key needs a value, the shapes differ.',
    ],
    [
      'a mask',
      call(x, x, x, { attnMask: zeros([2, 3]) }),
      'ShapeError: MultiheadAttention: attnMask must have shape [3,3] or [4,3,3], got [2,3].',
    ],
    [
      'padding',
      call(x, x, x, { keyPaddingMask: zeros([3, 2]) }),
      'ShapeError: MultiheadAttention: keyPaddingMask must have shape [2,3], got [3,2].',
    ],
    [
      'dtypes',
      call(x.to('float64'), x, x),
      "DTypeError: MultiheadAttention: query is float64, the layer's parameters are float32; convert one with to().",
    ],
    [
      'activation',
      make('TransformerEncoderLayer', 4, 2, { activation: 'tanh' }),
      `ArgumentError: TransformerEncoderLayer: activation must be 'relu', 'gelu' or a function, got "tanh".`,
    ],
    [
      'layers',
      make('TransformerEncoder', null, 2),
      'ArgumentError: TransformerEncoder: encoderLayer must be a TransformerEncoderLayer.',
    ],
    ['an odd rotation', make('RotaryEmbedding', 3), 'ArgumentError: RotaryEmbedding: dim must be even, got 3.'],
    [
      'a long sequence',
      () => new nn.SinusoidalPositionalEncoding<number>(4, { maxLen: 2 }).forward(x),
      'ShapeError: SinusoidalPositionalEncoding(x [3,2,4]): 3 positions, the table has 2.',
    ],
    [
      'angles',
      () => nn.functional.applyRotary(x, zeros([3, 2]), zeros([2, 3])),
      'ShapeError: applyRotary(x [3,2,4], cos [3,2]): cos does not broadcast to the pairs of features, [3,2,2].',
    ],
  ];
  test.each(rows)('%s', (_, run, expected) => {
    expect(errorOf(run)).toBe(expected);
  });
});
