// Random tensors like others, and draws from distributions that tensors describe.
import { beforeEach, describe, expect, test } from 'vitest';
import {
  bernoulli,
  bernoulli_,
  exponential_,
  Generator,
  manualSeed,
  multinomial,
  nn,
  normal,
  ones,
  randintLike,
  randLike,
  randnLike,
  tensor,
  zeros,
} from 'thalweg';
import { errorOf } from './error-of.js';

beforeEach(() => void manualSeed(3));

test('like others: shape and dtype, unless options say otherwise', () => {
  const x = zeros([2, 3], { dtype: 'float64' });
  for (const y of [randLike(x), randnLike(x), randintLike(x, 0, 9)]) {
    expect([y.shape, y.dtype]).toEqual([[2, 3], 'float64']);
  }
  expect(randLike(x, { dtype: 'float32' }).dtype).toBe('float32');
});

test('normal: means and deviations of the elements', () => {
  const mean = tensor([-3, 5]);
  const x = normal(mean.expand([20000, 2]), tensor([0.5, 2]));
  expect(x.shape).toEqual([20000, 2]);
  const [means, deviations] = [x.mean(0).dataSync(), x.std(0).dataSync()];
  expect(means[0]).toBeCloseTo(-3, 1);
  expect(means[1]).toBeCloseTo(5, 0);
  expect(deviations[0]).toBeCloseTo(0.5, 1);
  expect(deviations[1]).toBeCloseTo(2, 0);
  expect(Array.from(normal(mean, 0).dataSync())).toEqual([-3, 5]);
  expect(errorOf(() => normal(0, 1))).toMatch(/^ArgumentError: normal: mean or std must be a tensor/);
  expect(errorOf(() => normal(mean, -1))).toBe(
    'ArgumentError: normal: std must be a tensor or a finite number >= 0, got -1.',
  );
});

test('exponential_: mean and deviation are 1 / lambd, nothing is negative', () => {
  const x = exponential_(zeros([40000], { dtype: 'float64' }), 4);
  expect(x.mean().itemSync()).toBeCloseTo(0.25, 2);
  expect(x.std().itemSync()).toBeCloseTo(0.25, 2);
  expect(x.min().itemSync()).toBeGreaterThanOrEqual(0);
  expect(errorOf(() => exponential_(zeros([2]), 0))).toBe(
    'ArgumentError: exponential_: lambd must be a number above 0, got 0.',
  );
});

test('bernoulli of probabilities', () => {
  const p = tensor([0, 0.25, 1]).expand([20000, 3]);
  const [never, sometimes, always] = bernoulli(p).mean(0).dataSync();
  expect([never, always]).toEqual([0, 1]);
  expect(sometimes).toBeCloseTo(0.25, 1);
  expect(
    bernoulli_(zeros([20000]), 0.75)
      .mean()
      .itemSync(),
  ).toBeCloseTo(0.75, 1);
  expect(Array.from(bernoulli_(zeros([2], { dtype: 'int64' }), tensor([1, 0])).dataSync())).toEqual([1n, 0n]);
  expect(errorOf(() => bernoulli_(zeros([2]), 1.5))).toBe('ArgumentError: bernoulli_: p must be from 0 to 1, got 1.5.');
});

describe('multinomial', () => {
  test('draws by weight', () => {
    const drawn = multinomial(tensor([1, 0, 3]), 40000, { replacement: true });
    const counts = [0, 1, 2].map((k) => Number(drawn.eq(k).sum().itemSync()) / 40000);
    expect(counts[0]).toBeCloseTo(0.25, 1);
    expect(counts[1]).toBe(0);
    expect(counts[2]).toBeCloseTo(0.75, 1);
  });
  test('without replacement none twice, and none of weight 0', () => {
    const drawn = multinomial(tensor([1, 0, 2, 1e-12]).expand([100, 4]), 3);
    expect(drawn.shape).toEqual([100, 3]);
    for (const row of drawn.arraySync() as bigint[][]) expect([...row].sort()).toEqual([0n, 2n, 3n]);
  });
  test('the first drawn has the largest weight as often as with replacement', () => {
    const first = multinomial(tensor([1, 3]).expand([20000, 2]), 1);
    expect(Number(first.sum().itemSync()) / 20000).toBeCloseTo(0.75, 1);
  });
  test('is repeated by a seed', () => {
    const draw = (): unknown => multinomial(ones([50]), 20, { generator: new Generator(1) }).arraySync();
    expect(draw()).toEqual(draw());
  });
  test.each([
    [() => multinomial(tensor([1, -1]), 1), /^ArgumentError: multinomial: the weights must be numbers >= 0/],
    [() => multinomial(tensor([1, NaN]), 1), /^ArgumentError: multinomial: the weights/],
    [() => multinomial(tensor([1, Infinity]), 1), /^ArgumentError: multinomial: the weights/],
    [() => multinomial(tensor([1, 0]), 2), /fewer than 2 positive weights/],
    [() => multinomial(tensor([1, 0]), 3), /3 samples of 2 categories/],
    [() => multinomial(tensor([0, 0]), 1, { replacement: true }), /fewer than 1 positive weights/],
    [() => multinomial(tensor([1, 1]), 0.5), /numSamples must be an integer >= 1, got 0.5/],
    [() => multinomial(zeros([0]), 1), /^ShapeError: multinomial: x of shape \[0\] has no categories/],
    [() => multinomial(zeros([1, 1, 1]), 1), /^ShapeError/],
    [() => multinomial(zeros([2], { dtype: 'int64' }), 1), /^DTypeError/],
  ])('refuses, case %#', (run, message) => expect(errorOf(run)).toMatch(message));
});

describe('gumbelSoftmax', () => {
  const { gumbelSoftmax } = nn.functional;
  test('sums to 1; hard draws are one-hot and have the gradient of the soft ones', () => {
    const logits = tensor([[0, 1, 2]], { dtype: 'float64' })
      .expand([5000, 3])
      .clone()
      .requiresGrad_();
    const soft = gumbelSoftmax(logits, { tau: 0.5 });
    expect(soft.sum(1).sub(1).abs().max().itemSync()).toBeLessThan(1e-12);
    const hard = gumbelSoftmax(logits, { hard: true });
    expect(hard.sum(1).sub(1).abs().max().itemSync()).toBeLessThan(1e-12);
    const shares = hard.detach().mean(0).dataSync();
    const expected = tensor([0, 1, 2]).softmax(0).dataSync();
    expected.forEach((share, i) => expect(shares[i]).toBeCloseTo(share, 1));
    hard.select(1, 0).sum().backward();
    expect(logits.grad!.abs().sum().itemSync()).toBeGreaterThan(0);
  });
  test('refuses a temperature of 0', () =>
    expect(errorOf(() => gumbelSoftmax(tensor([1, 2]), { tau: 0 }))).toBe(
      'ArgumentError: gumbelSoftmax: tau must be a number above 0, got 0.',
    ));
});

test('methods by other names', () => {
  const x = tensor([[1, 2, 3]]);
  expect([x.size(), x.size(-1), x.dim(), x.isFloatingPoint()]).toEqual([[1, 3], 3, 2, true]);
  expect(errorOf(() => x.size(2))).toMatch(/^IndexError: size/);
  expect(x.T.shape).toEqual([3, 1]);
  expect(x.tolist()).toEqual([[1, 2, 3]]);
  const dtypes = [x.float(), x.double(), x.half(), x.bfloat16(), x.int(), x.long(), x.byte(), x.bool()];
  expect(dtypes.map((y) => y.dtype)).toEqual([
    'float32',
    'float64',
    'float16',
    'bfloat16',
    'int32',
    'int64',
    'uint8',
    'bool',
  ]);
  expect(x.typeAs(dtypes[1]).dtype).toBe('float64');
});

test('messages of options', () => {
  const x = tensor([1, 2], { dtype: 'int64' });
  expect(errorOf(() => x.mean(0, { dtype: 'int32' }))).toBe(
    'DTypeError: mean: dtype must be a float dtype, got int32.',
  );
  expect(errorOf(() => x.sum(0, { dtype: 'int33' as 'int32' }))).toMatch(/^ArgumentError: sum: unknown dtype/);
  expect(errorOf(() => nn.functional.hardtanh(x, -0.5, 1))).toBe(
    'ArgumentError: hardtanh: minVal must be an integer for int64 results, got -0.5.',
  );
  expect(errorOf(() => nn.functional.threshold(x.byte(), -1, 2))).toBe(
    'ArgumentError: threshold: threshold is -1, which uint8 cannot hold.',
  );
});
