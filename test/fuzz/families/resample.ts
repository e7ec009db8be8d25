// Interpolation of sequences, images and volumes, with its gradient: each dimension is a sum over a few neighbours.
import { grad, nn, type DType } from 'thalweg';
import { describe, linesOf, numel, operand, type NdArray } from '../array.js';
import type { Family } from '../fuzz.js';
import { expectNear, roundingOf, sumBound } from '../near.js';

/** Weights of elements for one position of the result: pairs of element and weight. */
type Taps = (readonly [element: number, weight: number])[];

const cubicNear = (t: number): number => (1.25 * t - 2.25) * t * t + 1; // |t| <= 1, with a = -0.75
const cubicFar = (t: number): number => -0.75 * (((t - 5) * t + 8) * t - 4); // 1 <= |t| <= 2

function tapsOf(mode: string, size: number, count: number, i: number, align: boolean): Taps {
  const inside = (at: number): number => Math.min(Math.max(at, 0), size - 1);
  if (mode === 'nearest') return [[inside(Math.floor((i * size) / count)), 1]];
  if (mode === 'nearest-exact') return [[inside(Math.floor(((i + 0.5) * size) / count)), 1]];
  if (mode === 'area') {
    const begin = Math.floor((i * size) / count);
    const end = Math.ceil(((i + 1) * size) / count);
    return Array.from({ length: end - begin }, (_, k) => [begin + k, 1 / (end - begin)] as const);
  }
  const exact = align ? (count === 1 ? 0 : (i * (size - 1)) / (count - 1)) : ((i + 0.5) * size) / count - 0.5;
  const position = mode === 'bicubic' ? exact : Math.max(exact, 0);
  const whole = Math.floor(position);
  const t = position - whole;
  if (mode !== 'bicubic')
    return [
      [inside(whole), 1 - t],
      [inside(whole + 1), t],
    ];
  return [
    [inside(whole - 1), cubicFar(1 + t)],
    [inside(whole), cubicNear(t)],
    [inside(whole + 1), cubicNear(1 - t)],
    [inside(whole + 2), cubicFar(2 - t)],
  ];
}

/** Applies the taps of each position of a dimension; the other way: each position spreads its value over its taps. */
function along(x: NdArray, dim: number, taps: readonly Taps[], size: number, back: boolean): NdArray {
  const { outer, length, inner } = linesOf(x.shape, dim);
  const to = back ? size : taps.length;
  const data = new Float64Array(outer * to * inner);
  for (let o = 0; o < outer; o++)
    taps.forEach((own, i) => {
      for (const [element, weight] of own)
        for (let n = 0; n < inner; n++) {
          const [from, at] = back ? [i, element] : [element, i];
          data[(o * to + at) * inner + n] += weight * x.data[(o * length + from) * inner + n];
        }
    });
  return { shape: x.shape.map((s, d) => (d === dim ? to : s)), data };
}

export const resampleFamily: Family = {
  name: 'resample',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    const spatial = random.int(1, 3);
    const smooth = (['linear', 'bilinear', 'trilinear'] as const)[spatial - 1];
    const mode = random.pick([
      'nearest',
      'nearest-exact',
      'area',
      smooth,
      smooth,
      spatial === 2 ? 'bicubic' : smooth,
    ] as const);
    const align = (mode === smooth || mode === 'bicubic') && random.chance(0.4);
    const input = random.shape(spatial, 200).map((size) => Math.max(1, size));
    const output = input.map((size) => random.pick([size, 2 * size, Math.ceil(size / 2), random.int(1, 40)]));
    const work = Math.max(numel(input), numel(output));
    const channels = random.size(Math.max(1, Math.min(40, Math.floor(2000 / work))), 1);
    const x = operand(random, [random.int(1, 2), channels, ...input], { dtype, expand: false });
    const g = operand(random, [x.shape[0], channels, ...output], { dtype, expand: false });
    note(`interpolate(${describe(x)}, [${output.join()}], ${mode}, alignCorners ${align}), gradient ${describe(g)}`);
    const tables = input.map((size, d) =>
      Array.from({ length: output[d] }, (_, i) => tapsOf(mode, size, output[d], i, align)),
    );
    const sizes = tables.map((table) => table.map((own) => own.map(([e, w]) => [e, Math.abs(w)] as const)));
    const all = (from: NdArray, used: readonly (readonly Taps[])[], back: boolean): NdArray =>
      input.reduce((value, size, d) => along(value, d + 2, used[d], size, back), from);
    const absolute = ({ shape, data }: NdArray): NdArray => ({ shape, data: data.map(Math.abs) });
    const taps = tables.reduce((most, table) => most * table.reduce((top, own) => Math.max(top, own.length), 1), 1);
    // Positions are rounded themselves (in float64), and with them the weights.
    const shift = 2 ** -51 * (Math.max(...input) + Math.max(...output));
    const boundOf = (value: NdArray, magnitude: NdArray, from: NdArray): Float64Array => {
      const moved =
        shift *
        spatial *
        taps *
        from.data.reduce((top, v) => Math.max(top, Math.abs(v)), 0) *
        Math.max(1, numel(output) / numel(input));
      // Half-precision numbers are rounded after each dimension.
      return value.data.map(
        (v, i) =>
          4 * sumBound(dtype, taps, magnitude.data[i], v) + spatial * roundingOf(dtype, magnitude.data[i]) + moved,
      );
    };
    const input1 = x.tensor.detach().requiresGrad_();
    const options =
      mode === smooth || mode === 'bicubic' ? { size: output, mode, alignCorners: align } : { size: output, mode };
    const out = nn.functional.interpolate(input1, options);
    const y = all(x, tables, false);
    expectNear('the result', out, {
      shape: g.shape,
      data: y.data,
      bound: boundOf(y, all(absolute(x), sizes, false), x),
      dtype,
    });
    const gx = all(g, tables, true);
    const found = grad(out, [input1], { gradOutputs: [g.tensor] })[0];
    expectNear('the gradient', found, {
      shape: x.shape,
      data: gx.data,
      bound: boundOf(gx, all(absolute(g), sizes, true), g),
      dtype,
    });
  },
};
