// Printing, with PyTorch's rules for numbers and line breaks: four decimals, one width for all elements, scientific
// notation when the magnitudes ask for it, and only the edges of a tensor of more than 1,000 elements.
import type { DType } from '../dtype.js';
import { isFloating } from '../dtype.js';
import type { Shape } from '../types/shape.js';
import { formatShape } from '../shape.js';

/** What is printed about a tensor besides its values. */
export interface FormatInfo {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: string;
  /** Printed as `requiresGrad=true`, unless there is a `gradFn`. */
  readonly requiresGrad?: boolean | undefined;
  /** The op that made the tensor, if it is on the tape: printed as `gradFn=<matmul>`. */
  readonly gradFn?: string | undefined;
}

/** Elements in row-major order, as `data()` gives them. */
export type FormatValues = ArrayLike<number> | ArrayLike<bigint>;

/** Tensors with more elements are summarised. */
const threshold = 1000;
/** Elements shown at each end of a summarised dimension. */
const edgeItems = 3;
const lineWidth = 80;
const precision = 4;

// ---- Summaries

/** The indices `start` (included) to `end` (not included) along one dimension. */
export interface IndexRange {
  readonly start: number;
  readonly end: number;
}

function count(shape: Shape): number {
  let product = 1;
  for (const dim of shape) product *= dim;
  return product;
}

/** True if a tensor of this shape is printed as its edges only. */
export function isSummarized(shape: Shape): boolean {
  return count(shape) > threshold;
}

/**
 * The indices along each dimension that a print shows: everything, or for a summarised tensor the first and last three of
 * each dimension longer than six. The elements shown are those whose indices are all in these ranges.
 *
 * @example
 * edgeRanges([1000, 4]); // [[{ start: 0, end: 3 }, { start: 997, end: 1000 }], [{ start: 0, end: 4 }]]
 */
export function edgeRanges(shape: Shape): readonly (readonly IndexRange[])[] {
  const summarized = isSummarized(shape);
  return shape.map((dim) =>
    summarized && dim > 2 * edgeItems
      ? [
          { start: 0, end: edgeItems },
          { start: dim - edgeItems, end: dim },
        ]
      : [{ start: 0, end: dim }],
  );
}

/** The shape of the block of elements that a print shows: no dimension of a summarised tensor is above six. */
export function edgeShape(shape: Shape): Shape {
  return isSummarized(shape) ? shape.map((dim) => Math.min(dim, 2 * edgeItems)) : shape;
}

/**
 * Collects what a print shows, by reading only the blocks at the corners, so that a tensor of gigabytes can be printed.
 *
 * @param read gives the elements of one block in row-major order; it gets one range a dimension
 * @returns the elements in the row-major order of `edgeShape(shape)`, ready for `formatTensor`
 */
export function readEdges<T extends number | bigint>(
  shape: Shape,
  read: (block: readonly IndexRange[]) => ArrayLike<T>,
): T[] {
  const ranges = edgeRanges(shape);
  const target = edgeShape(shape);
  const rank = shape.length;
  const out = new Array<T>(count(target));
  const choice = new Array<number>(rank).fill(0);
  for (;;) {
    const block = choice.map((which, d) => ranges[d][which]);
    const values = read(block);
    for (let i = 0; i < values.length; i++) {
      let rest = i;
      let stride = 1;
      let at = 0;
      for (let d = rank - 1; d >= 0; d--) {
        const size = block[d].end - block[d].start;
        // The second range of a dimension lands right after the first.
        at += ((rest % size) + choice[d] * edgeItems) * stride;
        rest = Math.floor(rest / size);
        stride *= target[d];
      }
      out[at] = values[i]!;
    }
    let d = rank - 1;
    while (d >= 0 && ++choice[d] === ranges[d].length) choice[d--] = 0;
    if (d < 0) return out;
  }
}

// The same choice from elements that are all at hand.
function pickEdges(values: FormatValues, shape: Shape): (number | bigint)[] {
  const rank = shape.length;
  return readEdges<number | bigint>(shape, (block) => {
    const size = block.reduce((product, range) => product * (range.end - range.start), 1);
    return Array.from({ length: size }, (_, i) => {
      let rest = i;
      let stride = 1;
      let at = 0;
      for (let d = rank - 1; d >= 0; d--) {
        const length = block[d].end - block[d].start;
        at += (block[d].start + (rest % length)) * stride;
        rest = Math.floor(rest / length);
        stride *= shape[d];
      }
      return values[at];
    });
  });
}

// ---- Numbers

// JavaScript rounds a number exactly halfway between two decimals up, C and Python to the even digit; and it drops the
// sign of -0.
function toFixed(value: number, digits: number): string {
  if (value < 0 || Object.is(value, -0)) return `-${toFixed(-value, digits)}`;
  const longer = value.toFixed(digits + 1);
  // A tie is an odd multiple of half a unit in the last place and a sum of powers of two: here an odd number of 32nds.
  if (longer.endsWith('5') && (value * 2 ** (digits + 1)) % 2 === 1 && /[02468].$/.test(longer)) {
    return longer.slice(0, -1);
  }
  return value.toFixed(digits);
}

function toExponential(value: number, digits: number): string {
  if (value < 0 || Object.is(value, -0)) return `-${toExponential(-value, digits)}`;
  let text = value.toExponential(digits);
  const longer = value.toExponential(digits + 1);
  // 100 digits are enough to tell a tie from its closest neighbours.
  if (/[02468]5e/.test(longer) && /^\d\.\d{5}0*e/.test(value.toExponential(100))) {
    text = longer.replace('5e', 'e');
  }
  // At least two digits of exponent, as C prints it.
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

interface NumberFormat {
  readonly width: number;
  format(value: number | bigint): string;
}

function integerFormat(values: ArrayLike<number | bigint>, dtype: DType): NumberFormat {
  const text = dtype === 'bool' ? (value: number | bigint): string => (value ? 'true' : 'false') : String;
  let width = 1;
  for (let i = 0; i < values.length; i++) width = Math.max(width, text(values[i]).length);
  return { width, format: (value) => text(value).padStart(width) };
}

function floatFormat(values: ArrayLike<number>): NumberFormat {
  let min = Infinity;
  let max = 0;
  let whole = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === 0 || !Number.isFinite(value)) continue;
    const magnitude = Math.abs(value);
    if (magnitude < min) min = magnitude;
    if (magnitude > max) max = magnitude;
    if (whole && !Number.isInteger(value)) whole = false;
  }
  // Zeros, NaN and infinities alone decide nothing.
  const scientific = max > 0 && (max / min > 1000 || max > 1e8 || min < 1e-4);
  const finite = scientific
    ? (value: number): string => toExponential(value, precision)
    : whole
      ? (value: number): string => `${toFixed(value, 0)}.`
      : (value: number): string => toFixed(value, precision);
  let width = 1;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== 0 && Number.isFinite(value)) width = Math.max(width, finite(value).length);
  }
  const text = (value: number): string => {
    if (Number.isFinite(value)) return finite(value);
    return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  };
  return { width, format: (value) => text(Number(value)).padStart(width) };
}

// ---- Layout

interface Layout {
  /** The shape of the elements at hand. */
  readonly shape: Shape;
  /** The shape of the tensor: a dimension that is longer here is shown with an ellipsis. */
  readonly full: Shape;
  readonly values: ArrayLike<number | bigint>;
  readonly numbers: NumberFormat;
}

function vectorText(layout: Layout, offset: number, indent: number): string {
  const { shape, full, values, numbers } = layout;
  const last = shape.length - 1;
  const items: string[] = [];
  for (let i = 0; i < shape[last]; i++) {
    if (i === edgeItems && full[last] > shape[last]) items.push(' ...');
    items.push(numbers.format(values[offset + i]));
  }
  const perLine = Math.max(1, Math.floor((lineWidth - indent) / (numbers.width + 2)));
  const lines: string[] = [];
  for (let i = 0; i < items.length; i += perLine) lines.push(items.slice(i, i + perLine).join(', '));
  return `[${lines.join(`,\n${' '.repeat(indent + 1)}`)}]`;
}

function blockText(layout: Layout, dim: number, offset: number, indent: number): string {
  const { shape, full } = layout;
  if (dim === shape.length - 1) return vectorText(layout, offset, indent);
  const stride = count(shape.slice(dim + 1));
  const parts: string[] = [];
  for (let i = 0; i < shape[dim]; i++) {
    if (i === edgeItems && full[dim] > shape[dim]) parts.push('...');
    parts.push(blockText(layout, dim + 1, offset + i * stride, indent + 1));
  }
  const separator = `,${'\n'.repeat(shape.length - 1 - dim)}${' '.repeat(indent + 1)}`;
  return `[${parts.join(separator)}]`;
}

function valuesText(values: FormatValues, shape: Shape, dtype: DType, indent: number): string {
  const total = count(shape);
  if (total === 0) return '[]';
  const shown = edgeShape(shape);
  const edges: ArrayLike<number | bigint> =
    values.length === total && count(shown) !== total ? pickEdges(values, shape) : values;
  const numbers = isFloating(dtype) ? floatFormat(edges as ArrayLike<number>) : integerFormat(edges, dtype);
  if (shape.length === 0) return numbers.format(edges[0]);
  return blockText({ shape: shown, full: shape, values: edges, numbers }, 0, 0, indent);
}

/**
 * A tensor as text. The values are laid out as PyTorch does; shape, dtype and device always follow.
 *
 * @param values all elements in row-major order, or for a summarised tensor just the elements from `readEdges`
 * @example
 * formatTensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'float32', device: 'cpu' });
 * // tensor([[1., 2.],
 * //         [3., 4.]], shape=[2,2], dtype=float32, device=cpu)
 */
export function formatTensor(values: FormatValues, info: FormatInfo): string {
  const prefix = 'tensor(';
  let text = prefix + valuesText(values, info.shape, info.dtype, prefix.length);
  const suffixes = [`shape=${formatShape(info.shape)}`, `dtype=${info.dtype}`, `device=${info.device}`];
  if (info.gradFn !== undefined) suffixes.push(`gradFn=<${info.gradFn}>`);
  else if (info.requiresGrad === true) suffixes.push('requiresGrad=true');
  let column = text.length - (text.lastIndexOf('\n') + 1);
  for (const suffix of suffixes) {
    // A comma and a space before, a comma or a parenthesis after.
    if (column + suffix.length + 3 > lineWidth) {
      text += `,\n${' '.repeat(prefix.length)}${suffix}`;
      column = prefix.length + suffix.length;
    } else {
      text += `, ${suffix}`;
      column += suffix.length + 2;
    }
  }
  return `${text})`;
}
