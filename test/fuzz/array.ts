// Arrays of float64 numbers in row-major order, which the references compute with, and tensors that hold the same values
// in some memory layout.
import { fromTypedArray, type DType, type Tensor } from 'thalweg';
import type { Random } from './random.js';

/** Values in row-major order. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** An array, and a tensor of the same values. */
export interface Operand extends NdArray {
  readonly tensor: Tensor;
  readonly dtype: DType;
}

export const numel = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1);

/** Row-major strides. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let d = shape.length - 2; d >= 0; d--) strides[d] = strides[d + 1] * shape[d + 1];
  return strides;
}

/** Calls `visit` for every position of a shape, in row-major order, with the same (changing) index array. */
export function forEachIndex(shape: readonly number[], visit: (index: readonly number[], flat: number) => void): void {
  const count = numel(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < count; flat++) {
    visit(index, flat);
    for (let d = shape.length - 1; d >= 0; d--) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
}

/** A shape seen along one dimension: element (o, i, n) stands at (o * length + i) * inner + n. */
export function linesOf(shape: readonly number[], dim: number): { outer: number; length: number; inner: number } {
  return { outer: numel(shape.slice(0, dim)), length: shape[dim], inner: numel(shape.slice(dim + 1)) };
}

export function emptyArray(shape: readonly number[]): NdArray & { data: Float64Array } {
  return { shape, data: new Float64Array(numel(shape)) };
}

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** The nearest number of a dtype, ties to even; float16 and bfloat16 by their definitions. */
export function roundTo(dtype: DType, x: number): number {
  if (dtype === 'float32') return Math.fround(x);
  if (dtype === 'bfloat16') {
    word[0] = x;
    if (!Number.isFinite(x)) return x;
    bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
    return word[0];
  }
  if (dtype === 'float16') {
    if (!Number.isFinite(x) || x === 0) return x;
    const exponent = Math.max(-14, Math.floor(Math.log2(Math.abs(x))));
    const step = 2 ** (exponent - 10);
    const steps = x / step;
    const down = Math.floor(steps);
    const up = steps - down > 0.5 || (steps - down === 0.5 && down % 2 !== 0) ? down + 1 : down;
    return Math.abs(up * step) > 65504 ? Math.sign(x) * Infinity : up * step;
  }
  return x;
}

/** What operands are made of. */
export interface OperandOptions {
  readonly dtype?: DType;
  /** One value; by default roughly normal numbers. */
  readonly value?: (random: Random) => number;
  /**
   * Which dimensions may be expanded (stride 0); by default all. Not those of a sum of nothing but this operand: equal terms
   * are rounded in the same direction again and again.
   */
  readonly expand?: boolean | ((dim: number) => boolean);
  /** The order of the dimensions in memory, slowest first; by default random. */
  readonly order?: readonly number[];
  /** Always contiguous. */
  readonly plain?: boolean;
}

/** What lies between the elements of a view: NaN, so that reading it shows, or a large integer. */
const gapOf = (dtype: DType): number => (dtype === 'bool' ? 1 : dtype.includes('float') ? NaN : 101);

function tensorOf(values: Float64Array, shape: readonly number[], dtype: DType): Tensor {
  if (dtype === 'int64') return fromTypedArray(BigInt64Array.from(values, BigInt), shape);
  return fromTypedArray(values, shape, { dtype });
}

/**
 * Random values of a shape, in a random layout: contiguous, or a view of a larger tensor with an offset, gaps, its dimensions
 * permuted, some of them expanded.
 */
export function operand(random: Random, shape: readonly number[], options: OperandOptions = {}): Operand {
  const { dtype = 'float32', value = (r: Random) => r.normal(), expand = true, plain = false } = options;
  const rank = shape.length;
  const draw = (): number => roundTo(dtype, value(random));
  if (plain || rank === 0 || (options.order === undefined && random.chance(0.4))) {
    const data = new Float64Array(numel(shape)).map(draw);
    return { shape, data, dtype, tensor: tensorOf(data, shape, dtype) };
  }
  const mayExpand = typeof expand === 'boolean' ? () => expand : expand;
  const expanded = shape.map((size, d) => size > 1 && random.chance(0.08) && mayExpand(d));
  const order = options.order ?? (random.chance(0.6) ? random.order(rank) : shape.map((_, d) => d));
  const sliced = random.chance(0.6);
  // How each dimension lies in the tensor that is viewed: `before` and `after` more elements, every `step`-th used.
  const ways = shape.map((size, d) => {
    const stored = expanded[d] ? 1 : size;
    if (!sliced || random.chance(0.4)) return { stored, before: 0, step: 1, whole: stored };
    const before = random.int(0, 3);
    const step = numel(shape) < 4000 && random.chance(0.3) ? random.int(2, 3) : 1;
    return { stored, before, step, whole: before + (stored === 0 ? 0 : (stored - 1) * step + 1) + random.int(0, 3) };
  });
  const baseShape = order.map((d) => ways[d].whole);
  const baseStrides = stridesOf(baseShape);
  const base = new Float64Array(numel(baseShape)).fill(gapOf(dtype));
  const steps = shape.map((_, d) => baseStrides[order.indexOf(d)] * ways[d].step);
  const start = shape.reduce((sum, _, d) => sum + baseStrides[order.indexOf(d)] * ways[d].before, 0);
  forEachIndex(
    ways.map(({ stored }) => stored),
    (index) => {
      base[index.reduce((at, i, d) => at + i * steps[d], start)] = draw();
    },
  );
  let tensor = tensorOf(base, baseShape, dtype);
  order.forEach((d, at) => {
    const { stored, before, step, whole } = ways[d];
    if (whole === stored) return;
    tensor = tensor.slice(at, before, stored === 0 ? before : before + (stored - 1) * step + 1, step);
  });
  if (order.some((d, at) => d !== at)) tensor = tensor.permute(shape.map((_, d) => order.indexOf(d)));
  if (expanded.includes(true)) tensor = tensor.expand(shape);
  const data = new Float64Array(numel(shape));
  forEachIndex(shape, (index, flat) => {
    data[flat] = base[index.reduce((at, i, d) => (expanded[d] ? at : at + i * steps[d]), start)];
  });
  return { shape, data, dtype, tensor };
}

/** `float32 [2,3] strides [1,2]`, for the description of a case. */
export function describe({ tensor }: Operand): string {
  const strides = tensor.isContiguous ? '' : ` strides [${tensor.strides.join()}]`;
  return `${tensor.dtype} [${tensor.shape.join()}]${strides}`;
}
