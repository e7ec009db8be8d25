// Banded matrices applied along dimensions: what interpolation and adaptive averages are made of. The gradient is the same
// with the transposed matrix. Kernel: native/cpu/resample.cpp.
import { noGrad } from '../autograd/mode.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { emptyTensor, stridesLike, type Tensor } from '../tensor/tensor.js';
import { cast, contiguous } from './copy.js';
import { fromTypedArray } from './creation.js';
import { defineOp, type Op } from './define.js';

/** A matrix of `rows.length` rows and `columns` columns; a row's weights stand next to each other. @internal */
export interface Table {
  readonly columns: number;
  readonly rows: readonly Row[];
}

/** The weights of columns `start`, `start + 1`, ... @internal */
export interface Row {
  readonly start: number;
  readonly weights: readonly number[];
}

// Still banded, as rows that are near each other have columns that are.
function transposed({ columns, rows }: Table): Table {
  const first = new Array<number>(columns).fill(rows.length);
  const last = new Array<number>(columns).fill(-1);
  rows.forEach(({ start, weights }, i) => {
    weights.forEach((_, k) => {
      first[start + k] = Math.min(first[start + k], i);
      last[start + k] = i;
    });
  });
  const out = first.map((start, j) => ({
    start: last[j] < 0 ? 0 : start,
    weights: new Array<number>(Math.max(0, last[j] - start + 1)).fill(0),
  }));
  rows.forEach(({ start, weights }, i) => {
    weights.forEach((weight, k) => (out[start + k].weights[i - out[start + k].start] += weight));
  });
  return { columns: rows.length, rows: out };
}

interface ResampleAttributes {
  readonly dim: number;
  readonly table: Table;
}

const resampleOp = (name: string): Op<ResampleAttributes> =>
  defineOp({
    name,
    inputs: ['x'],
    shape: ({ x }, { dim, table }: ResampleAttributes) =>
      x.shape.map((size, d) => (d === dim ? table.rows.length : size)),
    strides: (shape, { x }, { dim }) => (dim > 1 ? stridesLike(shape, x) : null),
    forward: ([out], { x }, { dim, table }) =>
      noGrad(() =>
        tidy(() => {
          const dtype = out.dtype === 'float64' ? 'float64' : 'float32';
          const half = out.dtype !== dtype;
          const count = table.rows.length;
          const taps = table.rows.reduce((most, { weights }) => Math.max(most, weights.length), 1);
          const spans = new Int32Array(2 * count);
          const values = dtype === 'float64' ? new Float64Array(count * taps) : new Float32Array(count * taps);
          table.rows.forEach(({ start, weights }, i) => {
            spans[2 * i] = start;
            spans[2 * i + 1] = weights.length;
            values.set(weights, i * taps);
          });
          const target: Tensor = half ? emptyTensor('resample', out.shape, dtype, out.device, out._strides) : out;
          const wide: Tensor = half ? cast(x, dtype) : x;
          const last = dim > 1 && x.memoryFormat === 'channelsLast';
          native.resample(
            target._handle,
            (last ? wide : contiguous(wide))._handle,
            dim,
            fromTypedArray(spans, [count, 2], { device: x.device })._handle,
            fromTypedArray(values, [count, taps], { device: x.device })._handle,
          );
          if (half) native.copy(out._handle, target._handle);
        }),
      ),
    vjp: ([g], _, { dim, table }) => [
      () => opOf(name.endsWith('Backward') ? name : `${name}Backward`)([g], { dim, table: transposed(table) }),
    ],
  });

// The same op under the names of those that are made of it.
const known = new Map<string, Op<ResampleAttributes>>();

function opOf(name: string): Op<ResampleAttributes> {
  const op = known.get(name) ?? resampleOp(name);
  known.set(name, op);
  return op;
}

/** Applies a table to each of some dimensions, the one that shrinks most first. Differentiable. @internal */
export function resample(name: string, x: Tensor, steps: readonly ResampleAttributes[]): Tensor {
  const growth = ({ table }: ResampleAttributes): number => table.rows.length / table.columns;
  const order = [...steps].sort((a, b) => growth(a) - growth(b));
  return tidy(() => order.reduce((result, attributes) => opOf(name)([result], attributes), x));
}

/** Means of the windows from `floor(i size / count)` to `ceil((i + 1) size / count)`. @internal */
export function adaptiveTable(size: number, count: number): Table {
  return {
    columns: size,
    rows: Array.from({ length: count }, (_, i) => {
      const start = Math.floor((i * size) / count);
      const length = Math.ceil(((i + 1) * size) / count) - start;
      return { start, weights: new Array<number>(length).fill(1 / length) };
    }),
  };
}
