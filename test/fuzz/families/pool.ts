// Pools of 1 to 3 dimensions with their gradients: the largest and the mean of windows, given and adaptive.
import { grad, nn, type DType, type Tensor } from 'thalweg';
import { describe, numel, operand, type Operand } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { expectNear, roundingOf, sumBound } from '../near.js';
import type { Random } from '../random.js';
import { forEachMeeting, randomWindows, type Windows } from '../windows.js';

const f = nn.functional;
const maxPools = [f.maxPool1d, f.maxPool2d, f.maxPool3d] as const;
const avgPools = [f.avgPool1d, f.avgPool2d, f.avgPool3d] as const;
const adaptiveAvg = [f.adaptiveAvgPool1d, f.adaptiveAvgPool2d, f.adaptiveAvgPool3d] as const;
const adaptiveMax = [f.adaptiveMaxPool1d, f.adaptiveMaxPool2d, f.adaptiveMaxPool3d] as const;

/** The elements of each window of a plane. */
function membersOf(w: Windows): number[][] {
  const members: number[][] = Array.from({ length: numel(w.output) }, () => []);
  forEachMeeting(w, (position, _tap, element) => members[position].push(element));
  return members;
}

/** The windows that divide a plane into `output` parts. */
function adaptiveMembers(input: readonly number[], output: readonly number[]): number[][] {
  let members: number[][] = [[0]];
  input.forEach((size, d) => {
    const parts = Array.from({ length: output[d] }, (_, i) => {
      const begin = Math.floor((i * size) / output[d]);
      return Array.from({ length: Math.ceil(((i + 1) * size) / output[d]) - begin }, (_e, j) => begin + j);
    });
    members = members.flatMap((outer) =>
      parts.map((part) => outer.flatMap((base) => part.map((j) => base * size + j))),
    );
  });
  return members;
}

function checkMax(
  x: Operand,
  g: Operand,
  members: readonly number[][],
  run: (x: Tensor) => readonly [values: Tensor, indices: Tensor],
): void {
  const { dtype } = x;
  const plane = numel(x.shape.slice(2));
  const items = x.shape[0] * x.shape[1];
  const places: number[] = [];
  for (let i = 0; i < items; i++)
    for (const window of members)
      places.push(
        window.reduce((best, e) => {
          const [a, b] = [x.data[i * plane + best], x.data[i * plane + e]];
          // Of several NaN the last one, as in PyTorch; of several largest numbers the first.
          return Number.isNaN(b) || b > a ? e : best;
        }, window[0]),
      );
  const at = (k: number): number => Math.floor(k / members.length) * plane + places[k];
  const input = x.tensor.detach().requiresGrad_();
  const [values, indices] = run(input);
  expectNear('the largest', values, { shape: g.shape, data: places.map((_, k) => x.data[at(k)]), dtype });
  expectNear('where it is', indices, { shape: g.shape, data: places, dtype: 'int64' });
  const gx = new Float64Array(x.data.length);
  const sizes = new Float64Array(gx.length);
  g.data.forEach((value, k) => {
    gx[at(k)] += value;
    sizes[at(k)] += Math.abs(value);
  });
  const bound = gx.map((value, i) => sumBound(dtype, members.length, sizes[i], value));
  expectNear('the gradient', grad(values, [input], { gradOutputs: [g.tensor] })[0], {
    shape: x.shape,
    data: gx,
    bound,
    dtype,
  });
}

function checkMean(
  x: Operand,
  g: Operand,
  members: readonly number[][],
  counts: readonly number[],
  stages: number,
  run: (x: Tensor) => Tensor,
): void {
  const { dtype } = x;
  const plane = numel(x.shape.slice(2));
  const items = x.shape[0] * x.shape[1];
  const means = new Float64Array(items * members.length);
  const sizes = new Float64Array(means.length);
  const gx = new Float64Array(x.data.length);
  const gxSizes = new Float64Array(gx.length);
  for (let i = 0; i < items; i++)
    members.forEach((window, w) => {
      const k = i * members.length + w;
      for (const e of window) {
        const share = 1 / counts[w];
        means[k] += x.data[i * plane + e] * share;
        sizes[k] += Math.abs(x.data[i * plane + e]) * share;
        gx[i * plane + e] += g.data[k] * share;
        gxSizes[i * plane + e] += Math.abs(g.data[k]) * share;
      }
    });
  const terms = members.reduce((most, window) => Math.max(most, window.length), 0);
  const input = x.tensor.detach().requiresGrad_();
  const out = run(input);
  // A separable mean of half-precision numbers is rounded after each dimension.
  const boundOf = (values: Float64Array, magnitudes: Float64Array): Float64Array =>
    values.map(
      (value, i) => sumBound(dtype, 4 * terms, magnitudes[i], value) + (stages - 1) * roundingOf(dtype, magnitudes[i]),
    );
  expectNear('the mean', out, { shape: g.shape, data: means, bound: boundOf(means, sizes), dtype });
  const found = grad(out, [input], { gradOutputs: [g.tensor] })[0];
  expectNear('the gradient', found, { shape: x.shape, data: gx, bound: boundOf(gx, gxSizes), dtype });
}

function image(random: Random, input: readonly number[], dtype: DType, value?: (r: Random) => number): Operand {
  const channels = random.size(Math.max(1, Math.min(130, Math.floor(1500 / numel(input)))), 1);
  const items = random.size(Math.max(1, Math.min(3, Math.floor(1500 / numel(input) / channels))), 1);
  const order = random.chance(0.3) ? [0, ...input.map((_, d) => d + 2), 1] : undefined;
  return operand(random, [items, channels, ...input], { dtype, expand: false, value, order });
}

function windows(random: Random, note: Note, dtype: DType): void {
  const spatial = random.pick([1, 2, 2, 3]);
  const largest = random.chance(0.5);
  const w = randomWindows(random, spatial, random.pick([30, 100, 300]), 5);
  // Pools take half a kernel of padding at most, and means no dilation.
  const padding = w.padding.map((p, d) => Math.min(p, Math.floor(w.kernel[d] / 2)));
  const dilation = w.dilation.map((gap) => (largest ? gap : 1));
  const input = w.input.map((size, d) => Math.max(size, dilation[d] * (w.kernel[d] - 1) + 1 - 2 * padding[d]));
  const output = input.map(
    (size, d) => Math.floor((size + 2 * padding[d] - dilation[d] * (w.kernel[d] - 1) - 1) / w.stride[d]) + 1,
  );
  const used: Windows = { ...w, padding, dilation, input, output };
  const { kernel, stride } = used;
  const members = membersOf(used);
  // A dilated window can miss the plane on both sides, which is refused.
  if (members.some((window) => window.length === 0)) return;
  // Few different values, so that windows have several largest ones; now and then NaN.
  const x = image(random, input, dtype, largest ? (r) => (r.chance(0.001) ? NaN : r.int(-20, 20) / 4) : undefined);
  const g = operand(random, [x.shape[0], x.shape[1], ...output], { dtype, expand: false });
  const shared = { stride, padding };
  if (largest) {
    note(
      `maxPool${spatial}d(${describe(x)}, [${kernel.join()}], ${JSON.stringify({ ...shared, dilation })}), gradient ${describe(g)}`,
    );
    checkMax(x, g, members, (t) => maxPools[spatial - 1](t, kernel, { ...shared, dilation, returnIndices: true }));
    return;
  }
  const countIncludePad = random.chance(0.5);
  note(
    `avgPool${spatial}d(${describe(x)}, [${kernel.join()}], ${JSON.stringify({ ...shared, countIncludePad })}), gradient ${describe(g)}`,
  );
  const counts = members.map((window) => (countIncludePad ? numel(kernel) : window.length));
  checkMean(x, g, members, counts, 1, (t) => avgPools[spatial - 1](t, kernel, { ...shared, countIncludePad }));
}

function adaptive(random: Random, note: Note, dtype: DType): void {
  const spatial = random.pick([1, 2, 2, 3]);
  const input = random.shape(spatial, 200).map((size) => Math.max(1, size));
  const output = input.map((size) => random.int(1, Math.min(size + 3, 20)));
  const largest = random.chance(0.5);
  const x = image(random, input, dtype);
  const g = operand(random, [x.shape[0], x.shape[1], ...output], { dtype, expand: false });
  note(
    `adaptive${largest ? 'Max' : 'Avg'}Pool${spatial}d(${describe(x)}, [${output.join()}]), gradient ${describe(g)}`,
  );
  const members = adaptiveMembers(input, output);
  if (largest) checkMax(x, g, members, (t) => adaptiveMax[spatial - 1](t, output, { returnIndices: true }));
  else
    checkMean(
      x,
      g,
      members,
      members.map((window) => window.length),
      spatial,
      (t) => adaptiveAvg[spatial - 1](t, output),
    );
}

export const poolFamily: Family = {
  name: 'pool',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    (random.chance(0.75) ? windows : adaptive)(random, note, dtype);
  },
};
