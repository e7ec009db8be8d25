// Matrix products: sizes around tiles and blocks, transposes, gaps, batches that broadcast, bias, every float dtype.
import { grad, matmul, nn, type DType } from 'thalweg';
import { describe, emptyArray, forEachIndex, numel, operand, stridesOf, type NdArray } from '../array.js';
import type { Family } from '../fuzz.js';
import { expectNear, sumBound, type Expected } from '../near.js';
import type { Random } from '../random.js';

/** The sums of products over `k`, and the sums of their absolute values. */
export function productOf(a: NdArray, b: NdArray): { values: NdArray; magnitudes: NdArray } {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const rank = Math.max(a.shape.length, b.shape.length);
  const batchOf = ({ shape }: NdArray): number[] => [
    ...new Array<number>(rank - shape.length).fill(1),
    ...shape.slice(0, -2),
  ];
  const batches = [batchOf(a), batchOf(b)];
  const batch = batches[0].map((size, d) => (size === 1 ? batches[1][d] : size));
  const values = emptyArray([...batch, m, n]);
  const magnitudes = emptyArray(values.shape);
  const strides = batches.map((shape) => stridesOf(shape).map((stride, d) => (shape[d] === 1 ? 0 : stride)));
  forEachIndex(batch, (index, item) => {
    const [fromA, fromB] = strides.map((own) => index.reduce((at, i, d) => at + i * own[d], 0));
    for (let i = 0; i < m; i++) {
      const row = (item * m + i) * n;
      for (let l = 0; l < k; l++) {
        const left = a.data[(fromA * m + i) * k + l];
        for (let j = 0; j < n; j++) {
          const term = left * b.data[(fromB * k + l) * n + j];
          values.data[row + j] += term;
          magnitudes.data[row + j] += Math.abs(term);
        }
      }
    }
  });
  return { values, magnitudes };
}

/** The last two dimensions exchanged. */
export function transposed(x: NdArray): NdArray {
  const [m, n] = x.shape.slice(-2);
  const out = emptyArray([...x.shape.slice(0, -2), n, m]);
  for (let item = 0; item < numel(x.shape.slice(0, -2)); item++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) out.data[(item * n + j) * m + i] = x.data[(item * m + i) * n + j];
  return out;
}

function expectedOf(dtype: DType, k: number, { values, magnitudes }: ReturnType<typeof productOf>): Expected {
  const bound = values.data.map((value, i) => sumBound(dtype, k, magnitudes.data[i], value));
  return { shape: values.shape, data: values.data, bound, dtype };
}

/** Sizes of a product with about `work` multiplications at most. */
function sizes(random: Random, work: number): [number, number, number] {
  const out: [number, number, number] = [1, 1, 1];
  let left = work;
  for (const d of random.order(3)) {
    out[d] = random.size(Math.max(1, left));
    left = Math.floor(left / Math.max(1, out[d]));
  }
  return out;
}

function dtypeOf(random: Random): DType {
  return random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
}

/** Shapes of a batch, of which each side may have 1 or nothing where the other has more. */
function batchShapes(random: Random): [number[], number[]] {
  const batch = Array.from({ length: random.pick([0, 0, 0, 1, 1, 2]) }, () =>
    random.int(random.chance(0.03) ? 0 : 1, 3),
  );
  const side = (): number[] => {
    const own = batch.map((size) => (random.chance(0.2) ? 1 : size));
    return random.chance(0.2) ? own.slice(random.int(0, own.length)) : own;
  };
  return [side(), side()];
}

export const matmulFamily: Family = {
  name: 'matmul',
  run(random, note) {
    const dtype = dtypeOf(random);
    const [m, k, n] = sizes(random, random.chance(0.02) ? 3_000_000 : 60_000);
    const kind = random.next();
    if (kind < 0.25) {
      // A layer: bias in the epilogue, and the gradients of all operands.
      const x = operand(random, [m, k], { dtype });
      const weight = operand(random, [n, k], { dtype, expand: (d) => d === 0 });
      const bias = random.chance(0.7) ? operand(random, [n], { dtype }) : null;
      note(`linear(${describe(x)}, ${describe(weight)}${bias === null ? '' : `, ${describe(bias)}`})`);
      const product = productOf(x, transposed(weight));
      if (bias !== null)
        product.values.data.forEach((_, i) => {
          product.values.data[i] += bias.data[i % n];
          product.magnitudes.data[i] += Math.abs(bias.data[i % n]);
        });
      const operands = [x, weight, ...(bias === null ? [] : [bias])];
      const inputs = operands.map(({ tensor }) => tensor.detach().requiresGrad_());
      const out = nn.functional.linear(inputs[0], inputs[1], inputs[2] ?? null);
      expectNear('the result', out, expectedOf(dtype, k + 1, product));
      const g = operand(random, [m, n], { dtype, expand: false });
      const grads = grad(out, inputs, { gradOutputs: [g.tensor] });
      expectNear('the gradient of x', grads[0], expectedOf(dtype, n, productOf(g, weight)));
      expectNear('the gradient of weight', grads[1], expectedOf(dtype, m, productOf(transposed(g), x)));
      if (bias !== null) {
        const ones: NdArray = { shape: [1, m], data: new Float64Array(m).fill(1) };
        expectNear('the gradient of bias', grads[2], { ...expectedOf(dtype, m, productOf(ones, g)), shape: [n] });
      }
      return;
    }
    const [left, right] = batchShapes(random);
    const a = operand(random, [...left, m, k], { dtype });
    const b = operand(random, [...right, k, n], { dtype, expand: (d) => d !== right.length });
    note(`matmul(${describe(a)}, ${describe(b)})`);
    expectNear('the result', matmul(a.tensor, b.tensor), expectedOf(dtype, k, productOf(a, b)));
  },
};
