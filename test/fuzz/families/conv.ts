// Convolutions and transposed convolutions of 1 to 3 dimensions, with all gradients: strides, dilations, groups, padding,
// channels first and last.
import { conv1d, conv2d, conv3d, convTranspose1d, convTranspose2d, convTranspose3d, grad, type DType } from 'thalweg';
import { describe, numel, operand, type NdArray, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { expectNear, sumBound, type Expected } from '../near.js';
import type { Random } from '../random.js';
import { forEachMeeting, randomWindows, type Windows } from '../windows.js';

const convs = [conv1d, conv2d, conv3d];
const transposedConvs = [convTranspose1d, convTranspose2d, convTranspose3d];

interface Problem {
  readonly windows: Windows;
  readonly items: number;
  readonly groups: number;
  /** Channels of one group on the side of the planes, and on the side of the positions. */
  readonly inner: number;
  readonly outer: number;
}

/** A sum per element, with the sum of the absolute values of its terms, and how many there were. */
interface Sums {
  readonly value: Float64Array;
  readonly magnitude: Float64Array;
  readonly terms: Float64Array;
}

function sums(count: number): Sums {
  return { value: new Float64Array(count), magnitude: new Float64Array(count), terms: new Float64Array(count) };
}

function add({ value, magnitude, terms }: Sums, at: number, term: number): void {
  value[at] += term;
  magnitude[at] += Math.abs(term);
  terms[at]++;
}

/**
 * The three sums of a convolution, over all that meet: planes x [n, g inner, plane], weights [g outer, inner, taps], positions
 * y [n, g outer, positions]. Each of x, weight and y is given or wanted: the one that is missing is the sum of products of the
 * two others.
 */
function contract(
  { windows, items, groups, inner, outer }: Problem,
  x: NdArray | null,
  weight: NdArray | null,
  y: NdArray | null,
): Sums {
  const plane = numel(windows.input);
  const taps = numel(windows.kernel);
  const places = numel(windows.output);
  const out = sums(
    x === null
      ? items * groups * inner * plane
      : weight === null
        ? groups * outer * inner * taps
        : items * groups * outer * places,
  );
  const meetings: number[] = [];
  forEachMeeting(windows, (position, tap, element) => meetings.push(position, tap, element));
  for (let n = 0; n < items; n++)
    for (let g = 0; g < groups; g++)
      for (let o = 0; o < outer; o++)
        for (let c = 0; c < inner; c++) {
          const atX = (n * groups * inner + g * inner + c) * plane;
          const atWeight = ((g * outer + o) * inner + c) * taps;
          const atY = (n * groups * outer + g * outer + o) * places;
          for (let m = 0; m < meetings.length; m += 3) {
            const iy = atY + meetings[m];
            const iw = atWeight + meetings[m + 1];
            const ix = atX + meetings[m + 2];
            if (x === null) add(out, ix, weight!.data[iw] * y!.data[iy]);
            else if (weight === null) add(out, iw, x.data[ix] * y!.data[iy]);
            else add(out, iy, x.data[ix] * weight.data[iw]);
          }
        }
  return out;
}

function expectedOf(dtype: DType, shape: readonly number[], { value, magnitude, terms }: Sums): Expected {
  return { shape, data: value, bound: value.map((v, i) => sumBound(dtype, terms[i], magnitude[i], v)), dtype };
}

/** Sums over all but the second dimension: the gradient of a bias. */
function channelSums({ shape, data }: NdArray): Sums {
  const out = sums(shape[1]);
  const plane = numel(shape.slice(2));
  data.forEach((value, i) => add(out, Math.floor(i / plane) % shape[1], value));
  return out;
}

function addBias(out: Sums, shape: readonly number[], bias: Operand): void {
  const plane = numel(shape.slice(2));
  for (let i = 0; i < out.value.length; i++) add(out, i, bias.data[Math.floor(i / plane) % shape[1]]);
}

function images(random: Random, shape: number[], dtype: DType): Operand {
  // Channels last is what the fast kernels take without a copy.
  const last = random.chance(0.3) ? [0, ...shape.slice(2).map((_, d) => d + 2), 1] : undefined;
  return operand(random, shape, { dtype, expand: false, order: last });
}

function problem(random: Random, spatial: number): Problem {
  const large = random.chance(0.02);
  const windows = randomWindows(random, spatial, large ? 700 : random.pick([12, 40, 120]), spatial === 3 ? 3 : 5);
  const groups = random.chance(0.7) ? 1 : random.pick([2, 3, 4, 16, 17]);
  const meetings = numel(windows.output) * numel(windows.kernel);
  let left = Math.max(1, Math.floor((large ? 800_000 : 12_000) / meetings / groups));
  const depthwise = groups > 1 && random.chance(0.4);
  const sizes = [1, 1, 1];
  for (const d of random.order(3)) {
    sizes[d] =
      d < 2 && depthwise ? 1 : random.size(Math.min(left, d === 2 ? 4 : 300), d === 2 && random.chance(0.1) ? 0 : 1);
    left = Math.max(1, Math.floor(left / Math.max(1, sizes[d])));
  }
  return { windows, groups, inner: sizes[0], outer: sizes[1], items: sizes[2] };
}

export const convFamily: Family = {
  name: 'conv',
  run(random, note) {
    const spatial = random.pick([1, 2, 2, 2, 3]);
    const p = problem(random, spatial);
    const { windows, items, groups, inner, outer } = p;
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    const xShape = [items, groups * inner, ...windows.input];
    const yShape = [items, groups * outer, ...windows.output];
    const transposed = random.chance(0.3);
    // Transposed, the weights lead from positions to planes: [outer channels, inner channels per group, taps] both ways.
    const weight = operand(random, [groups * outer, inner, ...windows.kernel], { dtype, expand: false });
    const x = images(random, xShape, dtype);
    const y = images(random, yShape, dtype);
    const bias = random.chance(0.5) ? operand(random, [transposed ? xShape[1] : yShape[1]], { dtype }) : null;
    const { stride, padding, dilation } = windows;
    const options = { stride, padding, dilation, groups };
    const source = transposed ? y : x;
    const g = transposed ? x : y;
    note(
      `conv${transposed ? 'Transpose' : ''}${spatial}d(${describe(source)}, ${describe(weight)}, ` +
        `${bias === null ? 'null' : describe(bias)}, ${JSON.stringify(options)}) with the gradient ${describe(g)}`,
    );
    const inputs = [source, weight, ...(bias === null ? [] : [bias])].map(({ tensor }) =>
      tensor.detach().requiresGrad_(),
    );
    const outputPadding = windows.input.map(
      (size, d) =>
        size - ((windows.output[d] - 1) * stride[d] - 2 * padding[d] + dilation[d] * (windows.kernel[d] - 1) + 1),
    );
    const out = transposed
      ? transposedConvs[spatial - 1](inputs[0], inputs[1], inputs[2] ?? null, { ...options, outputPadding })
      : convs[spatial - 1](inputs[0], inputs[1], inputs[2] ?? null, options);
    const result = transposed ? contract(p, null, weight, y) : contract(p, x, weight, null);
    if (bias !== null) addBias(result, g.shape, bias);
    expectNear('the result', out, expectedOf(dtype, g.shape, result));
    const grads = grad(out, inputs, { gradOutputs: [g.tensor] });
    const back = transposed ? contract(p, x, weight, null) : contract(p, null, weight, y);
    expectNear('the gradient of the input', grads[0], expectedOf(dtype, source.shape, back));
    expectNear('the gradient of weight', grads[1], expectedOf(dtype, weight.shape, contract(p, x, null, y)));
    if (bias !== null) expectNear('the gradient of bias', grads[2], expectedOf(dtype, bias.shape, channelSums(g)));
  },
};
