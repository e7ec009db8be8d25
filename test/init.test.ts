// nn.init: bounds, moments, structure, and that a seed gives the same bits.
import { describe, expect, test } from 'vitest';
import { conv1d, conv2d, eye, Generator, nn, ones, randn, zeros, type Tensor } from '../src/index.js';

const { init } = nn;
const values = (t: Tensor): number[] => Array.from((t as Tensor<readonly number[], 'float64'>).dataSync());
const big = (): Tensor => zeros([200, 300], { dtype: 'float64' });
const std = (list: readonly number[]): number => {
  const mean = list.reduce((a, b) => a + b, 0) / list.length;
  return Math.sqrt(list.reduce((a, b) => a + (b - mean) ** 2, 0) / list.length);
};
const far = (a: Tensor, b: Tensor): number => Math.max(...values(a.sub(b).abs().to('float64')));

test.each<[string, (x: Tensor) => Tensor, number]>([
  ['uniform', (x) => init.uniform(x, -2, 2), 2],
  ['xavierUniform', (x) => init.xavierUniform(x, 2), 2 * Math.sqrt(6 / 500)],
  ['kaimingUniform', (x) => init.kaimingUniform(x, { nonlinearity: 'relu', mode: 'fanOut' }), Math.sqrt(6 / 200)],
])('%s keeps its bounds', (_, fill, bound) => {
  const list = values(fill(big()));
  expect(Math.max(...list.map(Math.abs))).toBeLessThanOrEqual(bound);
  expect(std(list) / (bound / Math.sqrt(3))).toBeCloseTo(1, 1);
});

test.each<[string, (x: Tensor) => Tensor, number]>([
  ['normal', (x) => init.normal(x, 0, 3), 3],
  ['xavierNormal', (x) => init.xavierNormal(x), Math.sqrt(2 / 500)],
  ['kaimingNormal', (x) => init.kaimingNormal(x, { a: 1 }), Math.sqrt(1 / 300)],
])('%s has its deviation', (_, fill, expected) => {
  expect(std(values(fill(big()))) / expected).toBeCloseTo(1, 1);
});

test('truncNormal', () => {
  const list = values(init.truncNormal(big(), 1, 2, 0, 4));
  expect(Math.min(...list)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...list)).toBeLessThanOrEqual(4);
  // Of the truncated distribution: 1 + 2 (phi(-0.5) - phi(1.5)) / (Phi(1.5) - Phi(-0.5)).
  expect(list.reduce((a, b) => a + b, 0) / list.length).toBeCloseTo(1.712, 1);
});

describe('orthogonal', () => {
  test.each([[[5, 8]], [[8, 5]], [[6, 2, 3]]])('%j', (shape) => {
    const x = init.orthogonal(zeros(shape, { dtype: 'float64' }), 2);
    const m = x.reshape([shape[0], -1]) as Tensor;
    const small = Math.min(m.shape[0], m.shape[1]);
    const gram = m.shape[0] <= m.shape[1] ? m.matmul(m.t()) : m.t().matmul(m);
    expect(far(gram, eye(small, small, { dtype: 'float64' }).mul(4))).toBeLessThan(1e-12);
  });

  test('in half precision', () => {
    const x = init.orthogonal(zeros([4, 4], { dtype: 'float16' }));
    expect(far(x.matmul(x.t()).to('float64'), eye(4, 4, { dtype: 'float64' }))).toBeLessThan(5e-3);
  });
});

test('sparse: zeros in each column', () => {
  const x = init.sparse(zeros([10, 6], { dtype: 'float64' }), 0.25, 1);
  expect(values(x.eq(0).to('float64').sum(0))).toEqual([3, 3, 3, 3, 3, 3]);
});

test('dirac passes channels on', () => {
  const x = randn([2, 3, 5, 4]);
  const weight = init.dirac(ones([3, 3, 3, 3]));
  expect(far(conv2d(x, weight, null, { padding: 1 }) as Tensor, x)).toBe(0);
  const grouped = init.dirac(ones([4, 2, 3]), { groups: 2 });
  const y = randn([1, 4, 6]) as Tensor;
  expect(far(conv1d(y, grouped, null, { padding: 1, groups: 2 }), y)).toBe(0);
});

test('zeros, ones, constant, eye', () => {
  expect(values(init.zeros(ones([2])))).toEqual([0, 0]);
  expect(values(init.ones(zeros([2])))).toEqual([1, 1]);
  expect(values(init.constant(zeros([2]), 3))).toEqual([3, 3]);
  expect(values(init.eye(ones([2, 3])))).toEqual([1, 0, 0, 0, 1, 0]);
});

test('gains', () => {
  expect(init.calculateGain('convTranspose2d')).toBe(1);
  expect(init.calculateGain('tanh')).toBe(5 / 3);
  expect(init.calculateGain('leakyRelu', 1)).toBe(1);
  expect(() => init.calculateGain('gelu' as never)).toThrow('calculateGain: unknown nonlinearity "gelu".');
});

test('a seed gives the same bits, in parameters too', () => {
  const fills: ((x: Tensor, g: Generator) => Tensor)[] = [
    (x, g) => init.truncNormal(x, 0, 1, -2, 2, g),
    (x, g) => init.orthogonal(x, 1, g),
    (x, g) => init.sparse(x, 0.5, 1, g),
    (x, g) => init.xavierNormal(x, 1, g),
  ];
  for (const fill of fills) {
    const runs = [1, 2].map(() => values(fill(nn.parameter(zeros([4, 6])) as Tensor, new Generator(7)).detach()));
    expect(runs[0]).toEqual(runs[1]);
  }
});

test.each<[string, () => unknown, string]>([
  ['eye', () => init.eye(ones([2])), 'eye: expected a tensor of 2 dimensions, got shape [2].'],
  ['dirac', () => init.dirac(ones([2, 2])), 'dirac: expected a tensor of 3, 4 or 5 dimensions, got shape [2,2].'],
  [
    'dirac groups',
    () => init.dirac(ones([3, 1, 1]), { groups: 2 }),
    'dirac: groups must be a positive divisor of x.shape[0] = 3, got 2.',
  ],
  [
    'truncNormal',
    () => init.truncNormal(ones([2]), 0, 1, 2, 2),
    'truncNormal: a must be below b, got a = 2 and b = 2.',
  ],
  ['sparse', () => init.sparse(ones([2, 2]), 2), 'sparse: sparsity must be from 0 to 1, got 2.'],
  [
    'orthogonal',
    () => init.orthogonal(ones([2])),
    'orthogonal: expected a tensor of at least 2 dimensions, got shape [2].',
  ],
])('%s refuses', (_, run, message) => {
  expect(run).toThrow(expect.objectContaining({ message }));
});
