// Reading and writing by index: gather, scatter and its reductions, rows of tables and their gradients.
import {
  embedding,
  fromTypedArray,
  gather,
  grad,
  indexSelect,
  scatter,
  scatterAdd,
  scatterReduce,
  type DType,
  type Tensor,
} from 'thalweg';
import { describe, forEachIndex, numel, operand, stridesOf, type Operand } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { expectNear, sumBound } from '../near.js';
import type { Random } from '../random.js';

type Index = Tensor<readonly number[], 'int64' | 'int32'>;
const anyDType: readonly DType[] = ['float32', 'float32', 'float64', 'float16', 'bfloat16', 'int32', 'int64', 'uint8'];
const floats: readonly DType[] = ['float32', 'float32', 'float64', 'float16', 'bfloat16'];
const values = (dtype: DType) => (dtype.includes('float') ? undefined : (r: Random) => r.int(0, 99));

/** For each element of the index, in order, the element of a tensor of `shape` that it stands for. */
function targets(index: Operand, shape: readonly number[], dim: number): number[] {
  const strides = stridesOf(shape);
  const out: number[] = [];
  forEachIndex(index.shape, (at, flat) => {
    out.push(at.reduce((sum, i, d) => sum + strides[d] * (d === dim ? index.data[flat] : i), 0));
  });
  return out;
}

function along(random: Random, note: Note): void {
  const rank = random.int(1, 4);
  const shape = random.shape(rank, random.chance(0.03) ? 20_000 : 1500);
  const dim = random.int(0, rank - 1);
  const most = Math.max(1, Math.floor(3000 / Math.max(1, numel(shape.filter((_, d) => d !== dim)))));
  const indexShape = shape.map((size, d) =>
    d === dim ? (size === 0 ? 0 : random.size(most)) : random.chance(0.7) ? size : random.int(0, size),
  );
  const indexType = random.pick<'int32' | 'int64'>(['int32', 'int64']);
  const index = operand(random, indexShape, { dtype: indexType, value: (r) => r.int(0, Math.max(0, shape[dim] - 1)) });
  const at = targets(index, shape, dim);
  const kind = random.pick(['gather', 'gather', 'scatterAdd', 'scatterAdd', 'scatter', 'scatterReduce'] as const);
  const dtype = random.pick(kind === 'gather' || kind === 'scatter' ? anyDType : floats);
  const x = operand(random, shape, { dtype, value: values(dtype), expand: kind === 'gather' });
  const t = index.tensor as Index;
  if (kind === 'gather') {
    note(`gather(${describe(x)}, ${dim}, ${describe(index)})`);
    expectNear('the result', gather(x.tensor, dim, t), { shape: indexShape, data: at.map((i) => x.data[i]), dtype });
    return;
  }
  const src = operand(random, indexShape, { dtype, value: values(dtype) });
  note(`${kind}(${describe(x)}, ${dim}, ${describe(index)}, ${describe(src)})`);
  const data = x.data.slice();
  const magnitude = data.map(Math.abs);
  const terms = new Float64Array(data.length);
  at.forEach((i, k) => {
    const value = src.data[k];
    if (kind === 'scatterAdd') data[i] += value;
    else if (kind === 'scatter') data[i] = value;
    else data[i] = Math.max(data[i], value);
    magnitude[i] += Math.abs(value);
    terms[i]++;
  });
  if (kind !== 'scatterAdd') {
    const out =
      kind === 'scatter' ? scatter(x.tensor, dim, t, src.tensor) : scatterReduce(x.tensor, dim, t, src.tensor, 'amax');
    expectNear('the result', out, { shape, data, dtype });
    return;
  }
  // Half-precision sums may be rounded at each addition.
  const bound = data.map((value, i) => {
    const half = dtype === 'float16' || dtype === 'bfloat16';
    return (
      sumBound(dtype, terms[i], magnitude[i], value) +
      (half ? (terms[i] * magnitude[i]) / (dtype === 'float16' ? 2 ** 11 : 2 ** 8) : 0)
    );
  });
  expectNear('the result', scatterAdd(x.tensor, dim, t, src.tensor), { shape, data, bound, dtype });
}

function table(random: Random, note: Note): void {
  const dtype = random.pick(floats);
  const rows = random.size(300, 1);
  const features = random.size(Math.floor(random.chance(0.05) ? 20_000 / rows : 2500 / rows) + 1);
  const indexShape = random.shape(random.int(1, 2), Math.floor(3000 / Math.max(1, features)) + 1);
  const weight = operand(random, [rows, features], { dtype, expand: false });
  const index = operand(random, indexShape, {
    dtype: random.pick<'int32' | 'int64'>(['int32', 'int64']),
    value: (r) => r.int(0, rows - 1),
  });
  const shape = [...indexShape, features];
  const g = operand(random, shape, { dtype, expand: false });
  const flat = indexShape.length === 1 && random.chance(0.5);
  note(`${flat ? 'indexSelect' : 'embedding'}(${describe(weight)}, ${describe(index)}), gradient ${describe(g)}`);
  const input = weight.tensor.detach().requiresGrad_();
  const out: Tensor = flat ? indexSelect(input, 0, index.tensor as Index) : embedding(input, index.tensor as Index);
  const data = new Float64Array(numel(shape));
  const gw = new Float64Array(rows * features);
  const magnitude = new Float64Array(gw.length);
  const counts = new Float64Array(rows);
  index.data.forEach((row, k) => {
    counts[row]++;
    for (let c = 0; c < features; c++) {
      data[k * features + c] = weight.data[row * features + c];
      gw[row * features + c] += g.data[k * features + c];
      magnitude[row * features + c] += Math.abs(g.data[k * features + c]);
    }
  });
  expectNear('the rows', out, { shape, data, dtype });
  const step = dtype === 'float16' ? 2 ** -11 : dtype === 'bfloat16' ? 2 ** -8 : 0;
  const bound = gw.map((value, i) => {
    const n = counts[Math.floor(i / features)];
    return sumBound(dtype, n, magnitude[i], value) + n * step * magnitude[i];
  });
  expectNear('the gradient', grad(out, [input], { gradOutputs: [g.tensor] })[0], {
    shape: [rows, features],
    data: gw,
    bound,
    dtype,
  });
}

/** One index out of range is an error at the next read, whatever stands around it. */
function outOfRange(random: Random, note: Note): void {
  const size = random.size(50, 1);
  const index = Float64Array.from({ length: random.size(100, 1) }, () => random.int(0, size - 1));
  index[random.int(0, index.length - 1)] = random.pick([size, -1, -size - 1, 2 ** 31 - 1, 2 ** 40, -(2 ** 40)]);
  note(`gather and embedding with an index out of range of ${size}: [${index.join()}]`);
  const x = operand(random, [size], {});
  const weight = operand(random, [size, random.int(1, 20)], { expand: false });
  const t = fromTypedArray(BigInt64Array.from(index, BigInt), [index.length]);
  for (const run of [
    () => gather(x.tensor, 0, t),
    () => embedding(weight.tensor, t),
    () => scatterAdd(x.tensor.contiguous(), 0, t, gather(x.tensor, 0, t.mul(0) as Index)),
  ]) {
    let refused = false;
    try {
      run().dataSync();
    } catch (error) {
      refused = (error as Error).name === 'IndexError';
      if (!refused) throw error;
    }
    if (!refused) throw new Error('an index out of range was not refused');
  }
}

export const indexFamily: Family = {
  name: 'index',
  run: (random, note) => (random.chance(0.05) ? outOfRange : random.chance(0.65) ? along : table)(random, note),
};
