// Elementwise ops and activations beyond their samples: what is refused and how it is said, comparisons that wait for a
// bool, random slopes, states.
import { describe, expect, test } from 'vitest';
import * as thalweg from 'thalweg';
import type { Tensor } from 'thalweg';
import { allclose, equal, isclose, nn, ones, tensor, ThalwegError, zeros } from 'thalweg';

type Loose = (...args: unknown[]) => unknown;
const api = thalweg as unknown as Record<string, Loose>;
const functional = nn.functional as unknown as Record<string, Loose>;
const layers = nn as unknown as Record<string, new (...args: unknown[]) => unknown>;

function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    return `${error.name}: ${error.message}`;
  }
  return 'nothing was thrown';
}

const f = ones([2, 3]);
const i = tensor([1, -2, 3], { dtype: 'int64' });
const b = tensor([true, false, true]);

describe('refused', () => {
  const rows: readonly (readonly [string, () => unknown, string])[] = [
    [
      'sub',
      () => api['sub'](b, b),
      "DTypeError: sub: subtraction is not defined for bool; use logicalXor(a, b), or convert with to('int64').",
    ],
    [
      'sub',
      () => api['sub'](1, b),
      "DTypeError: sub: subtraction is not defined for bool; use logicalNot(x) to invert a mask, or convert with to('int64').",
    ],
    [
      'sub_',
      () => api['sub_'](i, b),
      "DTypeError: sub_: subtraction is not defined for bool; use logicalNot(x) to invert a mask, or convert with to('int64').",
    ],
    [
      'add alpha',
      () => api['add'](i, i, { alpha: 0.5 }),
      'ArgumentError: add: alpha must be an integer for int64 results, got 0.5.',
    ],
    ['add alpha', () => api['add'](i, i, { alpha: 'x' }), 'ArgumentError: add: alpha must be a number, got string.'],
    [
      'div',
      () => api['div'](f, 2, { roundingMode: 'up' }),
      "ArgumentError: div: unknown roundingMode \"up\", expected 'trunc' or 'floor'.",
    ],
    [
      'pow',
      () => api['pow'](i, -1),
      "ArgumentError: pow(int64 [3], -1): integers have no negative integer powers; convert with to('float32') first.",
    ],
    [
      'pow_',
      () => api['pow_'](i, -2),
      "ArgumentError: pow_(int64 [3], -2): integers have no negative integer powers; convert with to('float32') first.",
    ],
    [
      'remainder',
      () => api['remainder'](b, b),
      "DTypeError: remainder: the operands are bool together, on which remainder is not defined; convert one with to('int64').",
    ],
    [
      'hypot',
      () => api['hypot'](i, i),
      "DTypeError: hypot: the operands are int64 together, on which hypot is not defined; convert one with to('float32').",
    ],
    ['neg', () => api['neg'](b), 'DTypeError: neg: x is bool, on which neg is not defined; use logicalNot.'],
    [
      'frac',
      () => api['frac'](i),
      "DTypeError: frac: x must be a float tensor, got int64; convert it with to('float32').",
    ],
    ['round', () => api['round'](f, { decimals: 0.5 }), 'ArgumentError: round: decimals must be an integer, got 0.5.'],
    [
      'polygamma',
      () => api['polygamma'](f, -1),
      'ArgumentError: polygamma: n must be an integer from 0 to 100, got -1.',
    ],
    ['logit', () => api['logit'](f, { eps: 0.6 }), 'ArgumentError: logit: eps must be from 0 to 0.5, got 0.6.'],
    [
      'clampMin',
      () => api['clampMin'](f, 'x'),
      'ArgumentError: clampMin: min must be a number or a tensor, got string.',
    ],
    [
      'bitwiseAnd',
      () => api['bitwiseAnd'](i, 1.5),
      'DTypeError: bitwiseAnd: the operands are float32 together, on which bitwiseAnd is not defined; bits are those of integers and bools.',
    ],
    ['bitwiseNot', () => api['bitwiseNot'](f), 'DTypeError: bitwiseNot: x must be of integers or bools, got float32.'],
    [
      'bitwiseLeftShift',
      () => api['bitwiseLeftShift'](b, b),
      'DTypeError: bitwiseLeftShift: the operands are bool together, on which bitwiseLeftShift is not defined; shifts are of integers.',
    ],
    [
      'lerp',
      () => api['lerp'](f, i, 0.5),
      'DTypeError: lerp: input is float32 but end is int64; the dtypes must be equal.',
    ],
    [
      'addcdiv',
      () => api['addcdiv'](i, i, i),
      "DTypeError: addcdiv: the operands are int64 together, on which addcdiv is not defined; divide with div(tensor1, tensor2, { roundingMode: 'trunc' }) and add.",
    ],
    [
      'isclose',
      () => api['isclose'](f, i),
      'DTypeError: isclose: a is float32 but b is int64; the dtypes must be equal.',
    ],
    ['allclose', () => api['allclose'](f, f, { rtol: -1 }), 'ArgumentError: allclose: rtol must be >= 0, got -1.'],
    ['celu', () => functional['celu'](f, 0), 'ArgumentError: celu: alpha must not be 0.'],
    [
      'elu',
      () => functional['elu'](i),
      "DTypeError: elu: x must be a float tensor, got int64; convert it with to('float32').",
    ],
    ['elu', () => functional['elu'](f, 'x'), 'ArgumentError: elu: alpha must be a number, got string.'],
    [
      'gelu',
      () => functional['gelu'](f, { approximate: 'erf' }),
      "ArgumentError: gelu: unknown approximate \"erf\", expected 'none' or 'tanh'.",
    ],
    [
      'hardtanh',
      () => functional['hardtanh'](f, 1, -1),
      'ArgumentError: hardtanh: minVal must not be greater than maxVal, got 1 and -1.',
    ],
    ['softshrink', () => functional['softshrink'](f, -1), 'ArgumentError: softshrink: lambd must be >= 0, got -1.'],
    ['glu', () => functional['glu'](f), 'ShapeError: glu(x [2,3]): dimension -1 must have an even size, got 3.'],
    ['glu', () => functional['glu'](zeros([])), 'ShapeError: glu(x []): a scalar has no dimension to halve.'],
    [
      'prelu',
      () => functional['prelu'](f, ones([2])),
      'ShapeError: prelu(x [2,3], weight [2]): weight must have 1 element or one for each of the 3 channels in dimension 1.',
    ],
    [
      'prelu',
      () => functional['prelu'](f, ones([3, 1])),
      'ShapeError: prelu(x [2,3], weight [3,1]): weight must have shape [], [1] or [channels].',
    ],
    [
      'rrelu',
      () => functional['rrelu'](f, { lower: 1 }),
      `ArgumentError: rrelu: lower must not be greater than upper, got 1 and ${1 / 3}.`,
    ],
    ['PReLU', () => new layers['PReLU'](0), 'ArgumentError: PReLU: numParameters must be an integer >= 1, got 0.'],
    ['Softshrink', () => new layers['Softshrink'](-1), 'ArgumentError: Softshrink: lambd must be >= 0, got -1.'],
  ];
  test.each(rows)('%s', (_, call, expected) => {
    expect(failure(call)).toBe(expected);
  });
});

test('in place they keep what they cannot store', () => {
  expect(failure(() => thalweg.sqrt_(i))).toContain('DTypeError');
  expect(failure(() => thalweg.div_(i, 2))).toContain('DTypeError');
  expect(Array.from(i.dataSync())).toEqual([1n, -2n, 3n]);
});

test('equal', () => {
  expect(equal(f, ones([2, 3]))).toBe(true);
  expect(equal(f, ones([3]))).toBe(false);
  expect(equal(f, ones([2, 3]).mul(2))).toBe(false);
  expect(equal(i, i.to('int32'))).toBe(true);
  expect(equal(tensor([NaN]), tensor([NaN]))).toBe(false);
  expect(equal(zeros([0]), zeros([0]))).toBe(true);
});

test('allclose', () => {
  const x = tensor([1, 2, NaN]);
  expect(allclose(x, x)).toBe(false);
  expect(allclose(x, x, { equalNan: true })).toBe(true);
  expect(allclose(f, f.add(1e-6))).toBe(true);
  expect(allclose(f, f.add(1e-3))).toBe(false);
  expect(f.allclose(f.add(0.5), { atol: 1 })).toBe(true);
  expect(isclose(f, f).dtype).toBe('bool');
});

test('rrelu draws a slope for each element in training, with a gradient to match', () => {
  const x = ones([1000]).neg().requiresGrad_();
  const layer = new nn.RReLU(0.25, 0.5, { generator: new thalweg.Generator(3) });
  const y = layer.forward(x);
  const slopes = Array.from(y.dataSync(), (value) => -value);
  expect(Math.min(...slopes)).toBeGreaterThanOrEqual(0.25);
  expect(Math.max(...slopes)).toBeLessThanOrEqual(0.5);
  expect(new Set(slopes).size).toBeGreaterThan(900);
  y.sum().backward();
  expect(Array.from(x.grad!.dataSync())).toEqual(slopes);
  layer.eval();
  expect(layer.forward(tensor([-8, 2])).arraySync()).toEqual([-3, 2]);
});

test('layers say what they are', () => {
  const printed = [new nn.LeakyReLU(), new nn.Threshold(0.1, 20), new nn.PReLU(3), new nn.GLU(), new nn.GELU()].map(
    String,
  );
  expect(printed).toEqual([
    'LeakyReLU(negativeSlope=0.01)',
    'Threshold(threshold=0.1, value=20)',
    'PReLU(numParameters=3)',
    'GLU(dim=-1)',
    'GELU(approximate=none)',
  ]);
  expect([...new nn.PReLU(2, { init: 0.5 }).stateDict()].map(([name, value]) => [name, value.arraySync()])).toEqual([
    ['weight', [0.5, 0.5]],
  ]);
});

test('GLU halves a dimension for the compiler, too', () => {
  const half: Tensor<readonly [8, 3]> = new nn.GLU().forward(zeros([8, 6]));
  expect(half.shape).toEqual([8, 3]);
  // @ts-expect-error an odd size
  expect(() => new nn.GLU().forward(zeros([8, 5]))).toThrow('even size');
  const chain = new nn.Sequential(new nn.Linear(4, 6), new nn.GLU(), new nn.Linear(3, 2));
  expect(chain.forward(zeros([5, 4])).shape).toEqual([5, 2]);
});
