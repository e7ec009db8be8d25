// Reductions over any dimensions of any layout: sums, means, products, extremes and where they stand, variances, truths.
import {
  all,
  amax,
  amin,
  any,
  argmax,
  argmin,
  countNonzero,
  grad,
  logsumexp,
  max,
  mean,
  min,
  mul,
  prod,
  sum,
  varMean,
  vectorNorm,
  type DType,
} from 'thalweg';
import { describe, forEachIndex, numel, operand, stridesOf, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { computeUnit, expectNear, roundingOf, sumBound } from '../near.js';
import type { Random } from '../random.js';

interface Groups {
  /** The result's shape with and without the reduced dimensions. */
  readonly shape: readonly number[];
  /** The elements of each group, in row-major order. */
  readonly members: readonly number[][];
}

function groupsOf(shape: readonly number[], dims: readonly number[], keepDim: boolean): Groups {
  const kept = shape.map((size, d) => (dims.includes(d) ? 1 : size));
  const strides = stridesOf(kept).map((stride, d) => (dims.includes(d) ? 0 : stride));
  const members: number[][] = Array.from({ length: numel(kept) }, () => []);
  forEachIndex(shape, (index, flat) => {
    members[index.reduce((at, i, d) => at + i * strides[d], 0)].push(flat);
  });
  return { shape: keepDim ? kept : shape.filter((_, d) => !dims.includes(d)), members };
}

const floats: readonly DType[] = ['float32', 'float32', 'float64', 'bfloat16', 'float16'];
const integers: readonly DType[] = ['int32', 'int64', 'uint8'];
const whole = (random: Random): number => random.int(0, 9);

function sums(random: Random, x: Operand, dims: readonly number[], keepDim: boolean): void {
  const { shape, members } = groupsOf(x.shape, dims, keepDim);
  const { dtype } = x;
  const isFloat = dtype.includes('float');
  const totals = members.map((group) => group.reduce((total, i) => total + x.data[i], 0));
  const magnitudes = members.map((group) => group.reduce((total, i) => total + Math.abs(x.data[i]), 0));
  if (!isFloat) {
    expectNear('the sum', sum(x.tensor, [...dims], { keepDim }), { shape, data: totals, dtype: 'int64' });
    return;
  }
  const bound = totals.map((total, j) => sumBound(dtype, members[j].length, magnitudes[j], total));
  const input = x.tensor.detach().requiresGrad_();
  const out = sum(input, [...dims], { keepDim });
  expectNear('the sum', out, { shape, data: totals, bound, dtype });
  const means = totals.map((total, j) => total / members[j].length);
  expectNear('the mean', mean(x.tensor, [...dims], { keepDim }), {
    shape,
    data: means,
    bound: means.map((m, j) => sumBound(dtype, members[j].length, magnitudes[j] / members[j].length, m)),
    dtype,
  });
  const g = operand(random, shape, { dtype });
  const gx = new Float64Array(x.data.length);
  members.forEach((group, j) => {
    for (const i of group) gx[i] = g.data[j];
  });
  expectNear('the gradient of the sum', grad(out, [input], { gradOutputs: [g.tensor] })[0], {
    shape: x.shape,
    data: gx,
    dtype,
  });
}

function variances(x: Operand, dims: readonly number[], keepDim: boolean, correction: number): void {
  const { shape, members } = groupsOf(x.shape, dims, keepDim);
  const { dtype } = x;
  const unit = 2 * computeUnit(dtype);
  const centres = members.map((group) => group.reduce((total, i) => total + x.data[i] / group.length, 0));
  const values = members.map((group, j) => {
    const divisor = Math.max(0, group.length - correction);
    return group.reduce((total, i) => total + (x.data[i] - centres[j]) ** 2, 0) / divisor;
  });
  const bound = values.map((value, j) => {
    const n = members[j].length;
    const size = members[j].reduce((total, i) => total + Math.abs(x.data[i]) / n, 0);
    // A deviation is off by the error of the mean.
    const shift = unit * (4 + Math.sqrt(n)) * size;
    const scale = n / Math.max(1, n - correction);
    return (
      unit * (6 + Math.sqrt(n)) * value + scale * (2 * Math.sqrt(value) * shift + shift ** 2) + roundingOf(dtype, value)
    );
  });
  const [found] = varMean(x.tensor, [...dims], { keepDim, correction });
  expectNear('the variance', found, { shape, data: values, bound, dtype });
}

function extremes(x: Operand, dims: readonly number[], keepDim: boolean): void {
  const { shape, members } = groupsOf(x.shape, dims, keepDim);
  const { dtype } = x;
  // The first NaN, else the first of the largest.
  const best = (sign: number): number[] =>
    members.map((group) =>
      group.reduce((at, i) => {
        if (Number.isNaN(x.data[at])) return at;
        return Number.isNaN(x.data[i]) || sign * x.data[i] > sign * x.data[at] ? i : at;
      }, group[0]),
    );
  const top = best(1);
  const bottom = best(-1);
  const valuesAt = (places: readonly number[]): number[] => places.map((i) => x.data[i]);
  expectNear('amax', amax(x.tensor, [...dims], { keepDim }), { shape, data: valuesAt(top), dtype });
  expectNear('amin', amin(x.tensor, [...dims], { keepDim }), { shape, data: valuesAt(bottom), dtype });
  if (dims.length !== 1) return;
  const [dim] = dims;
  const along = stridesOf(x.shape)[dim];
  const placesOf = (places: readonly number[]): number[] => places.map((i) => Math.floor(i / along) % x.shape[dim]);
  expectNear('argmax', argmax(x.tensor, dim, { keepDim }), { shape, data: placesOf(top), dtype: 'int64' });
  expectNear('argmin', argmin(x.tensor, dim, { keepDim }), { shape, data: placesOf(bottom), dtype: 'int64' });
  const largest = max(x.tensor, dim, { keepDim });
  expectNear('the largest', largest.values, { shape, data: valuesAt(top), dtype });
  expectNear('the index of the largest', largest.indices, { shape, data: placesOf(top), dtype: 'int64' });
  expectNear('the index of the smallest', min(x.tensor, dim, { keepDim }).indices, {
    shape,
    data: placesOf(bottom),
    dtype: 'int64',
  });
}

function truths(x: Operand, dims: readonly number[], keepDim: boolean): void {
  const { shape, members } = groupsOf(x.shape, dims, keepDim);
  const numbers = members.map((group) => group.filter((i) => x.data[i] !== 0).length);
  const every = members.map((group, j) => Number(numbers[j] === group.length));
  expectNear('all', all(x.tensor, [...dims], { keepDim }), { shape, data: every, dtype: 'bool' });
  expectNear('any', any(x.tensor, [...dims], { keepDim }), {
    shape,
    data: numbers.map((n) => Number(n > 0)),
    dtype: 'bool',
  });
  if (!keepDim) expectNear('countNonzero', countNonzero(x.tensor, [...dims]), { shape, data: numbers, dtype: 'int64' });
}

function products(x: Operand, dim: number, keepDim: boolean): void {
  const { shape, members } = groupsOf(x.shape, [dim], keepDim);
  const values = members.map((group) => group.reduce((product, i) => product * x.data[i], 1));
  const unit = 2 * computeUnit(x.dtype);
  const bound = values.map((v, j) => unit * (4 + members[j].length) * Math.abs(v) + roundingOf(x.dtype, v));
  expectNear('the product', prod(x.tensor, dim, { keepDim }), { shape, data: values, bound, dtype: x.dtype });
}

function norms(x: Operand, dims: readonly number[], keepDim: boolean): void {
  const { shape, members } = groupsOf(x.shape, dims, keepDim);
  const { dtype } = x;
  const unit = 2 * computeUnit(dtype);
  const lengths = members.map((group) => Math.sqrt(group.reduce((total, i) => total + x.data[i] ** 2, 0)));
  const growth = (j: number): number => 6 + Math.sqrt(members[j].length);
  expectNear('the norm', vectorNorm(x.tensor, 2, [...dims], { keepDim }), {
    shape,
    data: lengths,
    bound: lengths.map((v, j) => unit * growth(j) * v + roundingOf(dtype, v)),
    dtype,
  });
  const peaks = members.map((group) => group.reduce((top, i) => Math.max(top, x.data[i]), -Infinity));
  const logs = members.map((group, j) =>
    group.length === 0
      ? -Infinity
      : peaks[j] + Math.log(group.reduce((total, i) => total + Math.exp(x.data[i] - peaks[j]), 0)),
  );
  expectNear('logsumexp', logsumexp(x.tensor, [...dims], { keepDim }), {
    shape,
    data: logs,
    bound: logs.map((v, j) => unit * (growth(j) + 4 + 2 * Math.abs(peaks[j])) + roundingOf(dtype, v)),
    dtype,
  });
}

/** The gradient of a product with one factor broadcast: a sum of products over the dimensions that were expanded. */
function unbroadcast(random: Random, x: Operand, dims: readonly number[], note: (text: string) => void): void {
  const { dtype } = x;
  const { members } = groupsOf(x.shape, dims, true);
  const shape = x.shape.map((size, d) => (dims.includes(d) ? 1 : size));
  const factor = operand(random, shape, { dtype });
  const g = operand(random, x.shape, { dtype, expand: false });
  note(`the gradient of mul(${describe(x)}, ${describe(factor)}) for ${describe(g)}`);
  const input = factor.tensor.detach().requiresGrad_();
  const [found] = grad(mul(x.tensor, input), [input], { gradOutputs: [g.tensor] });
  const data = members.map((group) => group.reduce((total, i) => total + x.data[i] * g.data[i], 0));
  const magnitudes = members.map((group) => group.reduce((total, i) => total + Math.abs(x.data[i] * g.data[i]), 0));
  const bound = data.map((value, j) => sumBound(dtype, members[j].length, magnitudes[j], value));
  expectNear('the gradient', found, { shape, data, bound, dtype });
}

export const reduceFamily: Family = {
  name: 'reduce',
  run(random, note) {
    const rank = random.int(1, 4);
    const shape = random.shape(rank, random.chance(0.03) ? 60_000 : 1500);
    const dims = random.chance(0.4)
      ? [random.int(0, rank - 1)]
      : shape.map((_, d) => d).filter(() => random.chance(0.5));
    if (dims.length === 0) dims.push(rank - 1);
    const keepDim = random.chance(0.5);
    const empty = dims.some((d) => shape[d] === 0);
    const kind = random.pick([
      'sum',
      'sum',
      'sum',
      'variance',
      'extreme',
      'extreme',
      'truth',
      'product',
      'norm',
      'unbroadcast',
    ] as const);
    const mixed = kind === 'sum' || kind === 'extreme' || kind === 'truth';
    const dtype = random.pick(mixed && random.chance(0.3) ? integers : floats);
    const isFloat = dtype.includes('float');
    const values: Partial<Record<typeof kind, (r: Random) => number>> = {
      // Few different values, so that there are ties; now and then NaN.
      extreme: (r) => (isFloat && r.chance(0.0005) ? NaN : isFloat ? r.int(0, 50) / 4 : r.int(0, 50)),
      truth: (r) => (r.chance(0.98) ? 1 : 0),
      product: (r) => r.pick([1, -1, 1.25, 0.75]),
    };
    const offset = random.pick([0, 0, 0.5, 20]);
    const value = values[kind] ?? (isFloat ? (r: Random) => r.normal() + offset : whole);
    const expand = mixed && kind !== 'sum';
    const x = operand(random, shape, { dtype, value, expand });
    note(`${kind} of ${describe(x)} over [${dims.join()}]${keepDim ? ' kept' : ''}, offset ${offset}`);
    if (kind === 'sum') sums(random, x, dims, keepDim);
    else if (kind === 'variance') variances(x, dims, keepDim, random.int(0, 1));
    else if (kind === 'extreme' && !empty) extremes(x, dims, keepDim);
    else if (kind === 'truth') truths(x, dims, keepDim);
    else if (kind === 'product') products(x, dims[0], keepDim);
    else if (kind === 'norm' && !empty) norms(x, dims, keepDim);
    else if (kind === 'unbroadcast') unbroadcast(random, x, dims, note);
  },
};
