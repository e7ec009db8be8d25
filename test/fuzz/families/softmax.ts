// Softmax, its logarithm and cross entropy, with gradients: any dimension, large and small logits, weights, ignored targets.
import { fromTypedArray, grad, logSoftmax, nn, softmax, type DType } from 'thalweg';
import { describe, linesOf, numel, operand, type Operand } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { computeUnit, expectNear, roundingOf } from '../near.js';
import type { Random } from '../random.js';

/** For each line along a dimension its peak and the logarithm of its sum of exponentials. */
// Equal terms are rounded in one direction again and again: what each addition loses is added up beside the sum.
function preciseSum(terms: readonly number[]): number {
  let sum = 0;
  let lost = 0;
  for (const term of terms) {
    const next = sum + term;
    lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
    sum = next;
  }
  return sum + lost;
}

function logSums(
  x: Operand,
  dim: number,
): { peaks: Float64Array; logs: Float64Array; lineOf: (flat: number) => number } {
  const { outer, length, inner } = linesOf(x.shape, dim);
  const lineOf = (flat: number): number => Math.floor(flat / (length * inner)) * inner + (flat % inner);
  const peaks = new Float64Array(outer * inner).fill(-Infinity);
  const totals = new Float64Array(outer * inner);
  x.data.forEach((value, i) => (peaks[lineOf(i)] = Math.max(peaks[lineOf(i)], value)));
  x.data.forEach((value, i) => (totals[lineOf(i)] += Math.exp(value - peaks[lineOf(i)])));
  return { peaks, logs: totals.map((total, line) => peaks[line] + Math.log(total)), lineOf };
}

function alongDim(random: Random, note: Note, dtype: DType): void {
  const shape = random.shape(random.int(1, 4), random.chance(0.03) ? 40_000 : 2000);
  const dim = random.int(0, shape.length - 1);
  const log = random.chance(0.5);
  const spread = random.pick([1, 1, 10]);
  const x = operand(random, shape, { dtype, value: (r) => spread * r.normal() });
  const g = operand(random, shape, { dtype, expand: false });
  note(`${log ? 'logSoftmax' : 'softmax'}(${describe(x)}, ${dim}), spread ${spread}, gradient ${describe(g)}`);
  const { peaks, logs, lineOf } = logSums(x, dim);
  const unit = 2 * computeUnit(dtype);
  const growth = 6 + Math.sqrt(shape[dim]);
  // The logarithm of a probability is a difference: its error is that of its parts.
  const error = (i: number): number =>
    unit * (growth + 2 * (Math.abs(x.data[i]) + Math.abs(peaks[lineOf(i)]) + Math.abs(logs[lineOf(i)])));
  const logp = x.data.map((value, i) => value - logs[lineOf(i)]);
  const p = logp.map(Math.exp);
  const input = x.tensor.detach().requiresGrad_();
  const out = (log ? logSoftmax : softmax)(input, dim);
  const data = log ? logp : p;
  const bound = data.map((value, i) => (log ? error(i) : p[i] * error(i)) + roundingOf(dtype, value));
  expectNear('the result', out, { shape, data, bound, dtype });

  // The gradient is computed from the result as it is stored, and inherits its rounding.
  const lost = data.map((value) => roundingOf(dtype, value));
  const sums = new Float64Array(peaks.length);
  const errors = new Float64Array(peaks.length);
  const weight = (i: number): number => (log ? 1 : p[i]);
  g.data.forEach((value, i) => {
    sums[lineOf(i)] += value * weight(i);
    const relative = unit * growth + (log ? 0 : error(i));
    errors[lineOf(i)] += Math.abs(value) * (weight(i) * relative + (log ? 0 : lost[i]));
  });
  const gx = g.data.map((value, i) => (log ? value - p[i] * sums[lineOf(i)] : p[i] * (value - sums[lineOf(i)])));
  const gxBound = gx.map((value, i) => {
    const [sum, sumError] = [Math.abs(sums[lineOf(i)]), errors[lineOf(i)]];
    const pError = p[i] * (error(i) + (log ? lost[i] : 0)) + (log ? 0 : lost[i]);
    const own = Math.abs(g.data[i]);
    const terms = log ? own + p[i] * sum : p[i] * (own + sum);
    return pError * (log ? sum : own + sum) + p[i] * sumError + 4 * unit * terms + roundingOf(dtype, value);
  });
  expectNear('the gradient', grad(out, [input], { gradOutputs: [g.tensor] })[0], {
    shape,
    data: gx,
    bound: gxBound,
    dtype,
  });
}

function crossEntropy(random: Random, note: Note, dtype: DType): void {
  const spatial = random.shape(random.int(0, 2), 60);
  const classes = random.size(random.chance(0.1) ? 1100 : 130, 1);
  const items = random.size(Math.max(1, Math.min(260, Math.floor(3000 / Math.max(1, classes * numel(spatial))))), 1);
  const shape = [items, classes, ...spatial];
  const x = operand(random, shape, { dtype, value: (r) => 2 * r.normal() });
  const positions = [items, ...spatial];
  const ignoreIndex = random.pick([-100, 0]);
  const smoothing = random.pick([0, 0, 0.1]);
  const target = Float64Array.from({ length: numel(positions) }, () =>
    random.chance(0.1) ? ignoreIndex : random.int(0, classes - 1),
  );
  const weight = random.chance(0.4) ? operand(random, [classes], { dtype, value: (r) => 0.5 + r.next() }) : null;
  const g = operand(random, positions, { dtype });
  note(
    `crossEntropy(${describe(x)}), ${weight === null ? 'no weight' : describe(weight)}, ignoreIndex ${ignoreIndex}, ` +
      `labelSmoothing ${smoothing}, gradient ${describe(g)}`,
  );
  const { logs } = logSums(x, 1);
  const plane = numel(spatial);
  const unit = 2 * computeUnit(dtype);
  const w = (c: number): number => (weight === null ? 1 : weight.data[c]);
  const loss = new Float64Array(target.length);
  const lossBound = new Float64Array(target.length);
  const gx = new Float64Array(x.data.length);
  const gxBound = new Float64Array(x.data.length);
  target.forEach((t, place) => {
    if (t === ignoreIndex) return;
    const n = Math.floor(place / plane);
    const at = (c: number): number => (n * classes + c) * plane + (place % plane);
    let size = 0;
    const shares: number[] = [];
    const losses: number[] = [];
    for (let c = 0; c < classes; c++) {
      const share = w(c) * ((c === t ? 1 - smoothing : 0) + smoothing / classes);
      shares.push(share);
      losses.push(share * (logs[place] - x.data[at(c)]));
      size += share * (Math.abs(logs[place]) + Math.abs(x.data[at(c)]) + 1);
    }
    const total = preciseSum(shares);
    loss[place] = preciseSum(losses);
    lossBound[place] = unit * (8 + Math.sqrt(classes)) * size;
    for (let c = 0; c < classes; c++) {
      const p = Math.exp(x.data[at(c)] - logs[place]);
      gx[at(c)] = g.data[place] * (p * total - shares[c]);
      const terms = Math.abs(g.data[place]) * (p * total + shares[c]);
      gxBound[at(c)] =
        terms * unit * (8 + Math.sqrt(classes) + 2 * Math.abs(x.data[at(c)]) + 2 * Math.abs(logs[place]));
    }
  });
  const input = x.tensor.detach().requiresGrad_();
  const labels = fromTypedArray(BigInt64Array.from(target, BigInt), positions);
  const out = nn.functional.crossEntropy(input, labels, {
    reduction: 'none',
    ignoreIndex,
    labelSmoothing: smoothing,
    weight: weight === null ? null : weight.tensor,
  });
  const finish = (values: Float64Array, bound: Float64Array): Float64Array =>
    bound.map((b, i) => b + roundingOf(dtype, values[i]));
  expectNear('the loss', out, { shape: positions, data: loss, bound: finish(loss, lossBound), dtype });
  expectNear('the gradient', grad(out, [input], { gradOutputs: [g.tensor] })[0], {
    shape,
    data: gx,
    bound: finish(gx, gxBound),
    dtype,
  });
}

export const softmaxFamily: Family = {
  name: 'softmax',
  run(random, note) {
    const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
    (random.chance(0.6) ? alongDim : crossEntropy)(random, note, dtype);
  },
};
