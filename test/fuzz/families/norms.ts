// Normalisations: layers, root mean squares, groups, batches and instances, with all gradients.
import { grad, nn, type DType, type Tensor } from 'thalweg';
import { describe, numel, operand, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { computeUnit, expectNear, roundingOf } from '../near.js';
import type { Random } from '../random.js';

const { batchNorm, groupNorm, instanceNorm, layerNorm, rmsNorm } = nn.functional;

/** Which statistics and which parameters an element goes with. */
interface Places {
  readonly setOf: (flat: number) => number;
  readonly sets: number;
  readonly parameterOf: (flat: number) => number;
  readonly parameters: number;
}

interface Case extends Places {
  readonly name: string;
  readonly shape: readonly number[];
  readonly parameterShape: readonly number[];
  /** Without the mean. */
  readonly rms?: boolean;
  /** Given statistics instead of the sets' own. */
  readonly given?: { readonly mean: Operand; readonly variance: Operand };
  readonly eps: number;
  readonly run: (x: Tensor, weight: Tensor | null, bias: Tensor | null) => Tensor;
}

/** A value and how far a computed one may be from it. */
interface Bounded {
  readonly value: Float64Array;
  readonly bound: Float64Array;
}
const bounded = (count: number): Bounded => ({ value: new Float64Array(count), bound: new Float64Array(count) });

/** The normalised values, and 1 / standard deviation of each set with the relative error that it may have. */
function normalised(
  { setOf, sets, rms, given, eps }: Case,
  x: Operand,
): { hat: Bounded; rstd: Bounded; count: number } {
  const unit = 2 * computeUnit(x.dtype);
  const n = x.data.length;
  const count = n / sets;
  const mean = bounded(sets);
  const rstd = bounded(sets);
  const growth = 4 + Math.sqrt(count);
  if (given !== undefined) {
    for (let s = 0; s < sets; s++) {
      mean.value[s] = given.mean.data[s];
      rstd.value[s] = 1 / Math.sqrt(given.variance.data[s] + eps);
      rstd.bound[s] = 4 * unit;
    }
  } else {
    const sizes = new Float64Array(sets);
    if (rms !== true)
      for (let i = 0; i < n; i++) {
        mean.value[setOf(i)] += x.data[i] / count;
        sizes[setOf(i)] += Math.abs(x.data[i]) / count;
      }
    const variance = new Float64Array(sets);
    for (let i = 0; i < n; i++) variance[setOf(i)] += (x.data[i] - mean.value[setOf(i)]) ** 2 / count;
    for (let s = 0; s < sets; s++) {
      mean.bound[s] = unit * growth * sizes[s];
      rstd.value[s] = 1 / Math.sqrt(variance[s] + eps);
      // The variance is the mean square of deviations, each of which is off by the mean's error and a rounding of x - mean.
      const deviation = mean.bound[s] + unit * sizes[s];
      const error = unit * growth * variance[s] + 2 * Math.sqrt(variance[s]) * unit * sizes[s] + deviation ** 2;
      rstd.bound[s] = error / (variance[s] + eps) + 4 * unit;
    }
  }
  const hat = bounded(n);
  for (let i = 0; i < n; i++) {
    const s = setOf(i);
    const value = (x.data[i] - mean.value[s]) * rstd.value[s];
    hat.value[i] = value;
    hat.bound[i] =
      rstd.value[s] * (mean.bound[s] + unit * (Math.abs(x.data[i]) + Math.abs(mean.value[s]))) +
      Math.abs(value) * rstd.bound[s];
  }
  return { hat, rstd, count };
}

/** Adds what rounding the result to its dtype loses. */
function rounded(dtype: DType, { value, bound }: Bounded): Float64Array {
  return bound.map((b, i) => b + roundingOf(dtype, value[i]));
}

function check(c: Case, x: Operand, weight: Operand | null, bias: Operand | null, g: Operand): void {
  const { setOf, sets, parameterOf, parameters, shape } = c;
  const { dtype } = x;
  const unit = 2 * computeUnit(dtype);
  const given = [x, ...(weight === null ? [] : [weight]), ...(bias === null ? [] : [bias])];
  const inputs = given.map(({ tensor }) => tensor.detach().requiresGrad_());
  const out = c.run(inputs[0], weight === null ? null : inputs[1], bias === null ? null : inputs[inputs.length - 1]);
  const { hat, rstd, count } = normalised(c, x);
  const n = x.data.length;
  const w = (i: number): number => (weight === null ? 1 : weight.data[parameterOf(i)]);
  const result = bounded(n);
  for (let i = 0; i < n; i++) {
    const shift = bias === null ? 0 : bias.data[parameterOf(i)];
    result.value[i] = hat.value[i] * w(i) + shift;
    result.bound[i] = Math.abs(w(i)) * hat.bound[i] + 4 * unit * (Math.abs(hat.value[i] * w(i)) + Math.abs(shift));
  }
  expectNear('the result', out, { shape, data: result.value, bound: rounded(dtype, result), dtype });

  // With s = g weight: gx = rstd (s - mean(s) - hat mean(s hat)).
  const grads = grad(out, inputs, { gradOutputs: [g.tensor] });
  const sum = bounded(sets);
  const sumHat = bounded(sets);
  const growth = 4 + Math.sqrt(count);
  for (let i = 0; i < n; i++) {
    const s = g.data[i] * w(i);
    const at = setOf(i);
    sum.value[at] += s / count;
    sum.bound[at] += (unit * growth * Math.abs(s)) / count;
    sumHat.value[at] += (s * hat.value[i]) / count;
    sumHat.bound[at] += (Math.abs(s) * (unit * growth * Math.abs(hat.value[i]) + hat.bound[i])) / count;
  }
  const gx = bounded(n);
  for (let i = 0; i < n; i++) {
    const at = setOf(i);
    const s = g.data[i] * w(i);
    const mean = c.rms === true ? 0 : sum.value[at];
    const terms = c.given !== undefined ? [s] : [s, -mean, -hat.value[i] * sumHat.value[at]];
    gx.value[i] = rstd.value[at] * terms.reduce((total, term) => total + term, 0);
    const size = terms.reduce((total, term) => total + Math.abs(term), 0);
    const statistics =
      c.given !== undefined
        ? 0
        : sum.bound[at] + Math.abs(hat.value[i]) * sumHat.bound[at] + hat.bound[i] * Math.abs(sumHat.value[at]);
    gx.bound[i] = rstd.value[at] * (statistics + size * (rstd.bound[at] + 8 * unit));
  }
  expectNear('the gradient of x', grads[0], { shape, data: gx.value, bound: rounded(dtype, gx), dtype });

  const each = 4 + Math.sqrt(parameters === 0 ? 0 : n / parameters);
  const gw = bounded(parameters);
  const gb = bounded(parameters);
  for (let i = 0; i < n; i++) {
    const at = parameterOf(i);
    gw.value[at] += g.data[i] * hat.value[i];
    gw.bound[at] += Math.abs(g.data[i]) * (unit * each * Math.abs(hat.value[i]) + hat.bound[i]);
    gb.value[at] += g.data[i];
    gb.bound[at] += unit * each * Math.abs(g.data[i]);
  }
  if (weight !== null)
    expectNear('the gradient of weight', grads[1], {
      shape: c.parameterShape,
      data: gw.value,
      bound: rounded(dtype, gw),
      dtype,
    });
  if (bias !== null)
    expectNear('the gradient of bias', grads[grads.length - 1], {
      shape: c.parameterShape,
      data: gb.value,
      bound: rounded(dtype, gb),
      dtype,
    });
}

/** Rows of the last dimensions. */
function rows(random: Random, eps: number): Case {
  const rms = random.chance(0.4);
  const length = random.size(random.chance(0.1) ? 2100 : 300, 2);
  const normalizedShape = random.chance(0.3) && length % 2 === 0 ? [2, length / 2] : [length];
  const lead = random.shape(random.int(0, 2), Math.max(1, Math.floor(2500 / length)));
  const parameterOf = (i: number): number => i % length;
  return {
    name: rms ? 'rmsNorm' : 'layerNorm',
    shape: [...lead, ...normalizedShape],
    parameterShape: normalizedShape,
    sets: numel(lead),
    setOf: (i) => Math.floor(i / length),
    parameters: length,
    parameterOf,
    rms,
    eps,
    run: (x, weight, bias) =>
      rms ? rmsNorm(x, normalizedShape, { weight, eps }) : layerNorm(x, normalizedShape, { weight, bias, eps }),
  };
}

/** Channels of [N, C, ...]. */
function channels(random: Random, eps: number, dtype: DType): Case {
  const kind = random.pick(['batchNorm', 'batchNorm', 'running', 'groupNorm', 'instanceNorm'] as const);
  const groups = kind === 'groupNorm' ? random.pick([1, 2, 3, 8]) : 1;
  const spatial = random.shape(random.int(kind === 'instanceNorm' ? 1 : 0, 3), random.pick([20, 60, 300]));
  if (kind === 'instanceNorm' && numel(spatial) === 1) spatial[0] = 2;
  const plane = numel(spatial);
  const per = random.size(Math.max(1, Math.floor(150 / groups)), 1);
  const count = groups * per;
  const items = random.size(Math.max(2, Math.min(130, Math.floor(2500 / Math.max(1, plane * count)))), 2);
  const shape = [items, count, ...spatial];
  const channelOf = (i: number): number => Math.floor(i / plane) % count;
  const common = { shape, parameterShape: [count], parameters: count, parameterOf: channelOf, eps };
  if (kind === 'batchNorm')
    return {
      ...common,
      name: kind,
      sets: count,
      setOf: channelOf,
      run: (x, weight, bias) => batchNorm(x, null, null, { weight, bias, eps, training: true }),
    };
  if (kind === 'running') {
    const mean = operand(random, [count], { dtype });
    const variance = operand(random, [count], { dtype, value: (r) => 0.5 + r.next() });
    return {
      ...common,
      name: 'batchNorm with running statistics',
      sets: count,
      setOf: channelOf,
      given: { mean, variance },
      run: (x, weight, bias) => batchNorm(x, mean.tensor, variance.tensor, { weight, bias, eps }),
    };
  }
  if (kind === 'groupNorm')
    return {
      ...common,
      name: `groupNorm of ${groups}`,
      sets: items * groups,
      setOf: (i) => Math.floor(i / (plane * per)),
      run: (x, weight, bias) => groupNorm(x, groups, { weight, bias, eps }),
    };
  return {
    ...common,
    name: kind,
    sets: items * count,
    setOf: (i) => Math.floor(i / plane),
    run: (x, weight, bias) => instanceNorm(x, { weight, bias, eps }),
  };
}

export const normsFamily: Family = {
  name: 'norms',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    const eps = random.pick([1e-5, 1e-3]);
    const c = random.chance(0.4) ? rows(random, eps) : channels(random, eps, dtype);
    const offset = random.pick([0, 0, 0.5, 20]);
    const x = operand(random, c.shape, { dtype, expand: false, value: (r) => r.normal() + offset });
    const parameter = (): Operand | null =>
      random.chance(0.75) ? operand(random, c.parameterShape, { dtype, value: (r) => r.normal() + 1 }) : null;
    const weight = parameter();
    const bias = c.rms === true ? null : parameter();
    const g = operand(random, c.shape, { dtype, expand: false });
    const parameters = [weight, bias].map((p) => (p === null ? 'none' : describe(p))).join(' and ');
    note(`${c.name}(${describe(x)}), parameters ${parameters}, eps ${eps}, offset ${offset}, gradient ${describe(g)}`);
    check(c, x, weight, bias, g);
  },
};
