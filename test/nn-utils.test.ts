// nn.utils, and what rows cannot show of embedding layers.
import { describe, expect, test } from 'vitest';
import { manualSeed, memory, nn, noGrad, ones, optim, randn, tensor, zeros, type Tensor } from '../src/index.js';

const { utils } = nn;
const values = (t: Tensor | null | undefined): number[] =>
  Array.from((t as Tensor<readonly number[], 'float32'>).dataSync());
const withGrad = (...lists: number[][]): Tensor[] =>
  lists.map((list) => Object.assign(zeros([list.length], { requiresGrad: true }) as Tensor, { grad: tensor(list) }));

describe('clipping', () => {
  test.each([
    [2, 13],
    [1, 19],
    [Infinity, 12],
    [-Infinity, 0],
    [0, 3],
    [3, (27 + 64 + 1728) ** (1 / 3)],
  ])('norm of order %d', (normType, expected) => {
    const params = [...withGrad([3, -4], [0, 12], []), ones([2])];
    expect(utils.clipGradNorm(params, 1e6, { normType }).itemSync()).toBeCloseTo(expected, 4);
    expect(params.slice(0, 2).map(({ grad }) => values(grad))).toEqual([
      [3, -4],
      [0, 12],
    ]);
  });

  test('scales all alike', () => {
    const params = withGrad([3, -4], [0, 12]);
    utils.clipGradNorm([...params, ...params], 6.5);
    expect(params.map(({ grad }) => values(grad).map((x) => Number(x.toFixed(4))))).toEqual([
      [1.5, -2],
      [0, 6],
    ]);
    expect(utils.getTotalNorm(params.map(({ grad }) => grad!)).itemSync()).toBeCloseTo(6.5, 4);
    utils.clipGradValue(params, 1.75);
    expect(values(params[0].grad)[1]).toBe(-1.75);
  });

  test('mixed dtypes, other ranks, nothing', () => {
    const p = Object.assign(zeros([1, 2], { requiresGrad: true }) as Tensor, {
      grad: tensor([[3, 0]], { dtype: 'float64' }),
    });
    const q = Object.assign(zeros([], { requiresGrad: true }) as Tensor, { grad: tensor(4, { dtype: 'float16' }) });
    const norm = utils.clipGradNorm([p, q], 2.5);
    expect([norm.dtype, norm.itemSync()]).toEqual(['float64', 5]);
    expect(values(q.grad)[0]).toBeCloseTo(2, 2);
    expect(utils.clipGradNorm([], 1).itemSync()).toBe(0);
  });

  test('refuses, before anything is changed', () => {
    const [p] = withGrad([NaN, 1]);
    expect(() => utils.clipGradNorm(p, 0.1, { errorIfNonfinite: true })).toThrow(
      'clipGradNorm: the norm of order 2 is NaN; without errorIfNonfinite it would be used as it is.',
    );
    expect(values(p.grad)).toEqual([NaN, 1]);
    expect(() => utils.clipGradNorm(p, -1)).toThrow('clipGradNorm: maxNorm must be a number >= 0, got -1.');
    expect(() => utils.clipGradValue(p, NaN)).toThrow('clipGradValue: clipValue must be a number >= 0, got NaN.');
  });

  test('leaves no memory behind', () => {
    const params = withGrad([3, -4], [0, 12]);
    utils.clipGradNorm(params, 1).dispose();
    const before = memory().tensors;
    utils.clipGradNorm(params, 1).dispose();
    expect(memory().tensors).toBe(before);
  });
});

test('parameters as a vector and back', () => {
  const layer = new nn.Linear(2, 3);
  const vector = utils.parametersToVector(layer.parameters());
  expect([vector.shape, vector.requiresGrad]).toEqual([[9], true]);
  utils.vectorToParameters(tensor([1, 2, 3, 4, 5, 6, 7, 8, 9]), layer.parameters());
  expect([values(layer.weight.detach()), values(layer.bias!.detach())]).toEqual([
    [1, 2, 3, 4, 5, 6],
    [7, 8, 9],
  ]);
  expect(() => utils.vectorToParameters(ones([8]), layer.parameters())).toThrow(
    'vectorToParameters: the parameters have 9 elements, the vector must have shape [9], it has [8].',
  );
});

describe.each([
  ['weightNorm', utils.weightNorm, utils.removeWeightNorm, ['bias', 'weight_g', 'weight_v']],
  ['spectralNorm', utils.spectralNorm, utils.removeSpectralNorm, ['bias', 'weight_orig', 'weight_u', 'weight_v']],
] as const)('%s', (name, apply, remove, names) => {
  test('takes a parameter over and gives it back', () => {
    const layer = apply(new nn.Linear(3, 2)).eval();
    expect([...layer.stateDict().keys()]).toEqual(names);
    const x = randn([4, 3]);
    const before = values(noGrad(() => layer.forward(x)));
    expect(() => apply(layer)).toThrow(`${name}: 'weight' of Linear is computed from others already.`);
    expect(remove(layer)).toBe(layer);
    expect([...layer.stateDict().keys()]).toEqual(['bias', 'weight']);
    expect(layer.weight.requiresGrad && layer.weight.isLeaf).toBe(true);
    values(noGrad(() => layer.forward(x))).forEach((y, i) => expect(y).toBeCloseTo(before[i], 5));
    expect(() => remove(layer)).toThrow(/^remove\w+: 'weight' of Linear has no (weight|spectral) normalisation\.$/);
    expect(() => apply(layer, 'wait')).toThrow(`${name}: Linear has no parameter 'wait'.`);
  });

  test('trains, in a chain and converted', () => {
    manualSeed(11);
    const model = new nn.Sequential(apply(new nn.Linear(3, 2)), new nn.Sigmoid()).to('float64');
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const x = randn([4, 3], { dtype: 'float64' });
    const losses = [1, 2, 3].map(() => {
      model.zeroGrad();
      const loss = model.forward(x).sub(1).square().sum();
      loss.backward();
      optimizer.step();
      return loss.itemSync();
    });
    expect(losses[2]).toBeLessThan(losses[0]);
  });
});

test('spectralNorm finds the largest singular value', () => {
  const layer = utils.spectralNorm(new nn.Linear(4, 3, { bias: false }), 'weight', { nPowerIterations: 50 });
  layer.forward(randn([1, 4]));
  expect(values(layer.getParameter('weight_orig').detach())).toHaveLength(12);
  const gram = layer.weight.detach().matmul(layer.weight.detach().t()) as Tensor;
  let top = randn([3, 1]) as Tensor;
  for (let i = 0; i < 200; i++) top = gram.matmul(top).div(gram.matmul(top).norm());
  expect(gram.matmul(top).norm().itemSync() as number).toBeCloseTo(1, 3);
});

describe('embedding layers', () => {
  test('start normal, the padding row as zeros and without a gradient', () => {
    const table = new nn.Embedding(5, 3, { paddingIdx: -1 });
    expect(values(table.weight.detach()).slice(12)).toEqual([0, 0, 0]);
    table
      .forward(tensor([[4n, 0n]]))
      .sum()
      .backward();
    expect(values(table.weight.grad).slice(9)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(String(table)).toBe('Embedding(5, 3, paddingIdx=4)');
    expect(new nn.Sequential(table, new nn.Linear(3, 2)).forward(tensor([1n])).shape).toEqual([1, 2]);
  });

  test('maxNorm scales rows that are looked up, in place', () => {
    const weight = tensor([
      [3, 4],
      [30, 40],
      [0, 1],
    ]);
    const table = nn.Embedding.fromPretrained(weight, { maxNorm: 5, freeze: false });
    const out = values(table.forward(tensor([1n, 2n, 1n])).detach());
    [3, 4, 0, 1, 3, 4].forEach((y, i) => expect(out[i]).toBeCloseTo(y, 5));
    expect(values(weight.slice(0, 0, 1))).toEqual([3, 4]);
    expect(values(weight.slice(0, 1, 2))[0]).toBeCloseTo(3, 5);
  });

  test('fromPretrained freezes', () => {
    expect(nn.EmbeddingBag.fromPretrained(ones([2, 2])).weight.requiresGrad).toBe(false);
    expect(nn.Embedding.fromPretrained(ones([2, 2])).parameters()).toHaveLength(1);
  });

  test.each<[string, () => unknown, string]>([
    [
      'padding',
      () => new nn.Embedding(3, 2, { paddingIdx: 3 }),
      'Embedding: paddingIdx must be an integer from -3 to 2, got 3.',
    ],
    [
      'floats',
      () => new nn.Embedding(3, 2).forward(ones([1])),
      'embedding: indices must be int64 or int32, got float32.',
    ],
    [
      'no offsets',
      () => new nn.EmbeddingBag(3, 2).forward(tensor([1n])),
      'embeddingBag: indices [1] of 1 dimension need { offsets }.',
    ],
    [
      'weights of means',
      () => new nn.EmbeddingBag(3, 2).forward(tensor([[1n]]), null, ones([1, 1])),
      "embeddingBag: perSampleWeights are only for mode 'sum', the mode is 'mean'.",
    ],
    [
      'a vector',
      () => nn.Embedding.fromPretrained(ones([3])),
      'Embedding.fromPretrained: weight must be [rows, features], got shape [3].',
    ],
  ])('refuse %s', (_, run, message) => {
    expect(run).toThrow(expect.objectContaining({ message }));
  });
});
