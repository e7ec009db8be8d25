// Scans along a dimension, and everything about order: sorting, the top, single ranks, searching, distinct values.
import {
  argsort,
  cummax,
  cummin,
  cumprod,
  cumsum,
  kthvalue,
  logcumsumexp,
  median,
  mode,
  searchsorted,
  sort,
  topk,
  unique,
  type DType,
} from 'thalweg';
import { describe, linesOf, operand, type Operand } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { computeUnit, expectNear, read, roundingOf, sumBound } from '../near.js';
import type { Random } from '../random.js';

const types: readonly DType[] = ['float32', 'float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8'];
const floats: readonly DType[] = ['float32', 'float32', 'float64', 'float16', 'bfloat16'];

/** The positions of each line along a dimension. */
function lines(shape: readonly number[], dim: number): number[][] {
  const { outer, length, inner } = linesOf(shape, dim);
  return Array.from({ length: outer * inner }, (_, line) =>
    Array.from({ length }, (_e, i) => (Math.floor(line / inner) * length + i) * inner + (line % inner)),
  );
}

function scans(random: Random, note: Note): void {
  const kind = random.pick(['cumsum', 'cumsum', 'cumprod', 'logcumsumexp', 'cummax', 'cummin'] as const);
  const dtype = random.pick(kind === 'logcumsumexp' || kind === 'cumprod' ? floats : types);
  const isFloat = dtype.includes('float');
  const shape = random.shape(random.int(1, 3), random.chance(0.03) ? 30_000 : 2000);
  const dim = random.int(0, shape.length - 1);
  const extreme = kind === 'cummax' || kind === 'cummin';
  const value = (r: Random): number => {
    if (kind === 'cumprod') return r.pick([1, -1, 1.25, 0.75]);
    if (extreme) return isFloat && r.chance(0.002) ? NaN : r.int(0, 20);
    return isFloat ? r.normal() : r.int(0, 99);
  };
  const x = operand(random, shape, { dtype, value, expand: kind !== 'cumprod' && kind !== 'cumsum' });
  note(`${kind}(${describe(x)}, ${dim})`);
  const data = new Float64Array(x.data.length);
  const bound = new Float64Array(x.data.length);
  const places = new Float64Array(x.data.length);
  const unit = 2 * computeUnit(dtype);
  for (const line of lines(shape, dim)) {
    let total = kind === 'cumprod' ? 1 : kind === 'logcumsumexp' ? -Infinity : 0;
    let magnitude = 0;
    let best = 0;
    line.forEach((at, i) => {
      const v = x.data[at];
      if (kind === 'cumsum') {
        total += v;
        magnitude += Math.abs(v);
        data[at] = total;
        bound[at] = sumBound(dtype, i + 1, magnitude, total);
      } else if (kind === 'cumprod') {
        total *= v;
        data[at] = total;
        bound[at] = unit * (i + 2) * Math.abs(total) + roundingOf(dtype, total);
      } else if (kind === 'logcumsumexp') {
        const peak = Math.max(total, v);
        total = peak + Math.log(Math.exp(total - peak) + Math.exp(v - peak));
        data[at] = total;
        magnitude = Math.max(magnitude, Math.abs(total), Math.abs(v));
        bound[at] = unit * (i + 4) * (1 + magnitude) + roundingOf(dtype, total);
      } else {
        const before = x.data[line[best]];
        // The latest of equal ones; NaN stays, and the latest NaN counts.
        if (Number.isNaN(v) || (!Number.isNaN(before) && (kind === 'cummax' ? v >= before : v <= before))) best = i;
        data[at] = x.data[line[best]];
        places[at] = best;
      }
    });
  }
  if (extreme) {
    const { values, indices } = (kind === 'cummax' ? cummax : cummin)(x.tensor, dim);
    expectNear('the values', values, { shape, data, dtype });
    expectNear('the indices', indices, { shape, data: places, dtype: 'int64' });
    return;
  }
  const out =
    kind === 'cumsum'
      ? cumsum(x.tensor, dim)
      : kind === 'cumprod'
        ? cumprod(x.tensor, dim)
        : logcumsumexp(x.tensor, dim);
  const result = isFloat ? dtype : 'int64';
  expectNear('the result', out, { shape, data, dtype: result, ...(isFloat ? { bound } : {}) });
}

/** NaN counts as the largest; equal elements keep their order. */
function compare(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a - b;
}

function orders(random: Random, note: Note): void {
  const dtype = random.pick(types);
  const isFloat = dtype.includes('float');
  const shape = random.shape(random.int(1, 3), random.chance(0.04) ? 20_000 : 1500);
  const dim = random.int(0, shape.length - 1);
  const n = shape[dim];
  const distinct = random.pick([3, 40, 250]);
  const value = (r: Random): number =>
    isFloat && r.chance(0.01) ? NaN : r.int(0, distinct) - (isFloat ? distinct / 2 : 0);
  const x = operand(random, shape, { dtype, value });
  const descending = random.chance(0.5);
  const sorted = (by: boolean): number[][] =>
    lines(shape, dim).map((line) =>
      line.map((_, i) => i).sort((i, j) => (by ? -1 : 1) * compare(x.data[line[i]], x.data[line[j]]) || i - j),
    );
  const all = lines(shape, dim);
  const { inner } = linesOf(shape, dim);
  /** Takes the first k of each line to their places in a result of k elements along dim. */
  const taken = (
    order: readonly number[][],
    k: number,
  ): { data: Float64Array; places: Float64Array; shape: number[] } => {
    const data = new Float64Array(all.length * k);
    const places = new Float64Array(all.length * k);
    order.forEach((own, line) => {
      for (let i = 0; i < k; i++) {
        const at = (Math.floor(line / inner) * k + i) * inner + (line % inner);
        data[at] = x.data[all[line][own[i]]];
        places[at] = own[i];
      }
    });
    return { data, places, shape: shape.map((size, d) => (d === dim ? k : size)) };
  };
  const kind = random.pick(['sort', 'sort', 'topk', 'topk', 'kthvalue', 'median', 'mode'] as const);
  note(`${kind}(${describe(x)}, ${dim}) of ${distinct} values, ${descending ? 'descending' : 'ascending'}`);
  if (kind === 'sort') {
    const { data, places } = taken(sorted(descending), n);
    const found = sort(x.tensor, dim, { descending });
    expectNear('the values', found.values, { shape, data, dtype });
    expectNear('the indices', found.indices, { shape, data: places, dtype: 'int64' });
    expectNear('argsort', argsort(x.tensor, dim, { descending }), { shape, data: places, dtype: 'int64' });
  } else if (kind === 'topk') {
    const k = random.int(0, n);
    const { data, places, shape: own } = taken(sorted(descending), k);
    const found = topk(x.tensor, k, dim, { largest: descending });
    expectNear('the values', found.values, { shape: own, data, dtype });
    expectNear('the indices', found.indices, { shape: own, data: places, dtype: 'int64' });
  } else if (n > 0) {
    picks(x, dim, all, sorted(false), kind, random.int(1, n));
  }
}

function picks(
  x: Operand,
  dim: number,
  all: readonly number[][],
  order: readonly number[][],
  kind: 'kthvalue' | 'median' | 'mode',
  k: number,
): void {
  const shape = x.shape.filter((_, d) => d !== dim);
  const expected = order.map((own, line) => {
    const values = own.map((i) => x.data[all[line][i]]);
    if (kind === 'kthvalue') return values[k - 1];
    if (kind === 'median')
      return Number.isNaN(values[values.length - 1]) ? NaN : values[Math.floor((values.length - 1) / 2)];
    const counts = new Map<number, number>();
    for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    const most = Math.max(...counts.values());
    return [...counts.entries()].find(([, count]) => count === most)![0];
  });
  const found =
    kind === 'kthvalue' ? kthvalue(x.tensor, k, dim) : kind === 'median' ? median(x.tensor, dim) : mode(x.tensor, dim);
  if (kind === 'mode' && x.data.some(Number.isNaN)) return; // NaN differs from itself: no count of it is agreed on
  expectNear('the values', found.values, { shape, data: expected, dtype: x.dtype });
  const places = read(found.indices);
  all.forEach((line, i) => {
    const value = x.data[line[places[i]]];
    if (!Object.is(value, expected[i]) && value !== expected[i])
      throw new Error(`index ${places[i]} of line ${i} is that of ${value}, expected ${expected[i]}`);
  });
}

function searches(random: Random, note: Note): void {
  const dtype = random.pick(types);
  const n = random.size(300);
  const value = (r: Random): number => r.int(0, 60);
  const row = operand(random, [n], { dtype, value, plain: true });
  const ascending = row.data.slice().sort();
  const values = operand(random, random.shape(random.int(1, 2), 600), { dtype, value });
  const right = random.chance(0.5);
  note(`searchsorted(${n} of ${dtype}, ${describe(values)}), right ${right}; unique`);
  const data = values.data.map((v) => ascending.filter((a) => (right ? a <= v : a < v)).length);
  const { values: sortedRow } = sort(row.tensor, 0);
  expectNear('the positions', searchsorted(sortedRow, values.tensor, { right }), {
    shape: values.shape,
    data,
    dtype: 'int64',
  });
  const distinct = [...new Set(values.data)].sort((a, b) => a - b);
  const found = unique(values.tensor, { returnInverse: true, returnCounts: true });
  expectNear('the distinct values', found.values, { shape: [distinct.length], data: distinct, dtype });
  const inverse = values.data.map((v) => distinct.indexOf(v));
  expectNear('the inverse', found.inverse, { shape: values.shape, data: inverse, dtype: 'int64' });
  const counts = distinct.map((v) => values.data.filter((w) => w === v).length);
  expectNear('the counts', found.counts, { shape: [distinct.length], data: counts, dtype: 'int64' });
}

export const orderFamily: Family = {
  name: 'order',
  run: (random, note) => random.pick([scans, orders, orders, searches])(random, note),
};
