// Copies, conversions between dtypes and rearrangements: what must move elements and change none.
import {
  cat,
  flip,
  nn,
  noGrad,
  nonzero,
  repeatInterleave,
  roll,
  stack,
  tril,
  triu,
  type DType,
  type Tensor,
} from 'thalweg';
import { describe, forEachIndex, numel, operand, roundTo, stridesOf, type Operand } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { expectNear } from '../near.js';
import type { Random } from '../random.js';

const types: readonly DType[] = ['float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8', 'bool'];

function valueOf(dtype: DType): (r: Random) => number {
  if (dtype === 'bool') return (r) => r.int(0, 1);
  return dtype.includes('float') ? (r) => 40 * r.normal() : (r) => r.int(0, 255);
}

function anyOperand(random: Random, dtype = random.pick(types)): Operand {
  const shape = random.shape(random.int(1, 5), random.chance(0.03) ? 60_000 : 3000);
  return operand(random, shape, { dtype, value: valueOf(dtype) });
}

/** The element of x at each position of a result, or a constant. */
function built(
  shape: readonly number[],
  x: Operand,
  from: (index: readonly number[]) => readonly number[] | number,
): Float64Array {
  const strides = stridesOf(x.shape);
  const data = new Float64Array(numel(shape));
  forEachIndex(shape, (index, flat) => {
    const at = from(index);
    data[flat] = typeof at === 'number' ? at : x.data[at.reduce((sum, i, d) => sum + i * strides[d], 0)];
  });
  return data;
}

/** What an element becomes in another dtype: floats lose their fraction, everything but 0 is true. */
function converted(value: number, to: DType): number {
  if (to === 'bool') return Number(value !== 0);
  if (!to.includes('float')) return Math.trunc(value);
  // float64 becomes a 16-bit float by way of float32, as in PyTorch: two roundings.
  return roundTo(to, to === 'float64' ? value : Math.fround(value));
}

function casts(random: Random, note: Note): void {
  const to = random.pick(types);
  const from = random.pick(types);
  const shape = random.shape(random.int(1, 5), random.chance(0.03) ? 60_000 : 3000);
  const value = valueOf(from);
  // Only what the integer types hold: beyond, a conversion has no defined result.
  const x = operand(random, shape, { dtype: from, value: to === 'uint8' ? (r) => Math.abs(value(r)) : value });
  note(`${describe(x)} to ${to}, and into place`);
  const data = x.data.map((v) => converted(v, to));
  expectNear('the conversion', x.tensor.to(to), { shape, data, dtype: to });
  expectNear('the copy', x.tensor.contiguous(), { shape, data: x.data, dtype: from });
  const target = operand(random, shape, { dtype: to, value: valueOf(to), expand: false });
  noGrad(() => target.tensor.copy_(x.tensor));
  expectNear('the copy in place', target.tensor, { shape, data, dtype: to });
}

function permutes(random: Random, note: Note): void {
  const x = anyOperand(random);
  const order = random.order(x.shape.length);
  note(`permute(${describe(x)}, [${order.join()}]) copied`);
  const shape = order.map((d) => x.shape[d]);
  const data = built(shape, x, (index) => x.shape.map((_, d) => index[order.indexOf(d)]));
  expectNear('the copy', x.tensor.permute(order).contiguous(), { shape, data, dtype: x.dtype });
}

function joins(random: Random, note: Note): void {
  const x = anyOperand(random);
  const { shape, dtype } = x;
  const dim = random.int(0, shape.length - 1);
  const parts = [
    x,
    ...Array.from({ length: random.int(0, 3) }, () => {
      const own = shape.map((size, d) => (d === dim ? random.int(0, 20) : size));
      return operand(random, own, { dtype, value: valueOf(dtype) });
    }),
  ];
  note(`cat([${parts.map(describe).join(', ')}], ${dim}) and stack`);
  const starts = parts.map((_, i) => parts.slice(0, i).reduce((sum, part) => sum + part.shape[dim], 0));
  const total = parts.reduce((sum, part) => sum + part.shape[dim], 0);
  const joined = shape.map((size, d) => (d === dim ? total : size));
  const data = new Float64Array(numel(joined));
  const strides = stridesOf(joined);
  parts.forEach((part, p) => {
    forEachIndex(part.shape, (index, flat) => {
      data[index.reduce((sum, i, d) => sum + strides[d] * (d === dim ? i + starts[p] : i), 0)] = part.data[flat];
    });
  });
  expectNear(
    'cat',
    cat(
      parts.map(({ tensor }) => tensor),
      dim,
    ),
    { shape: joined, data, dtype },
  );
  const again = operand(random, shape, { dtype, value: valueOf(dtype) });
  const stacked = stack([x.tensor, again.tensor] as readonly Tensor[], 0);
  expectNear('stack', stacked, { shape: [2, ...shape], data: [...x.data, ...again.data], dtype });
}

function rearrangements(random: Random, note: Note): void {
  const x = anyOperand(random);
  const { shape, dtype } = x;
  const dims = shape.map((_, d) => d).filter(() => random.chance(0.5));
  const d = random.int(0, shape.length - 1);
  const shift = random.int(-5, 300);
  const wrap = (i: number, size: number): number => ((i % size) + size) % size;
  note(`flip, roll and pad of ${describe(x)}: dims [${dims.join()}], ${d}, shift ${shift}`);
  if (dims.length > 0)
    expectNear('flip', flip(x.tensor, dims), {
      shape,
      data: built(shape, x, (index) => index.map((i, e) => (dims.includes(e) ? shape[e] - 1 - i : i))),
      dtype,
    });
  expectNear('roll', roll(x.tensor, shift, d), {
    shape,
    data: built(shape, x, (index) => index.map((i, e) => (e === d ? wrap(i - shift, shape[e]) : i))),
    dtype,
  });
  const [before, after] = [random.int(0, 4), random.int(0, 4)];
  const last = shape.length - 1;
  const padded = shape.map((size, e) => (e === last ? size + before + after : size));
  const fill = dtype === 'bool' ? 1 : 3;
  const data = built(padded, x, (index) => {
    const i = index[last] - before;
    return i < 0 || i >= shape[last] ? fill : [...index.slice(0, last), i];
  });
  expectNear('pad', nn.functional.pad(x.tensor, [before, after], { value: dtype === 'bool' ? 1 : 3 }), {
    shape: padded,
    data,
    dtype,
  });
  const times = random.int(0, 3);
  const repeated = shape.map((size, e) => (e === d ? size * times : size));
  expectNear('repeatInterleave', repeatInterleave(x.tensor, times, d), {
    shape: repeated,
    data: built(repeated, x, (index) => index.map((i, e) => (e === d ? Math.floor(i / times) : i))),
    dtype,
  });
}

function triangles(random: Random, note: Note): void {
  const dtype = random.pick(types);
  const shape = [...random.shape(random.int(0, 2), 5), random.size(130), random.size(40)];
  const x = operand(random, shape, { dtype, value: valueOf(dtype) });
  const diagonal = random.int(-5, 5);
  note(`triu, tril and nonzero of ${describe(x)}, diagonal ${diagonal}`);
  const [r, c] = [shape.length - 2, shape.length - 1];
  const keep = (upper: boolean) =>
    built(shape, x, (index) =>
      (upper ? index[c] - index[r] >= diagonal : index[c] - index[r] <= diagonal) ? index : 0,
    );
  expectNear('triu', triu(x.tensor, diagonal), { shape, data: keep(true), dtype });
  expectNear('tril', tril(x.tensor, diagonal), { shape, data: keep(false), dtype });
  const found: number[] = [];
  forEachIndex(shape, (index, flat) => {
    if (x.data[flat] !== 0) found.push(...index);
  });
  expectNear('nonzero', nonzero(x.tensor), {
    shape: [found.length / shape.length, shape.length],
    data: found,
    dtype: 'int64',
  });
}

export const copyFamily: Family = {
  name: 'copy',
  run: (random, note) =>
    random.pick([casts, casts, permutes, permutes, joins, rearrangements, triangles])(random, note),
};
