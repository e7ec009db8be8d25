// Interpolation: each dimension is resampled by a banded matrix, made here in float64 by PyTorch's rules. Exported in
// nn.functional only.
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkTensor } from './define.js';
import { readSizes, type Sizes } from './geometry.js';
import { adaptiveTable, resample, type Row, type Table } from './resample.js';

/** How values between positions are made. */
export type InterpolateMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'trilinear' | 'bicubic' | 'area';

/** Options of `interpolate`: one of `size` and `scaleFactor`, and how. */
export interface InterpolateOptions {
  /** The spatial size of the result: one for all dimensions, or one each. */
  size?: Sizes;
  /** The result's size is `floor(size * scaleFactor)`: one for all dimensions, or one each. */
  scaleFactor?: number | readonly number[];
  /**
   * `'nearest'` (default; `'nearest-exact'` is the one of other libraries, that rounds at centres), `'linear'` for
   * `[N, C, L]`, `'bilinear'` and `'bicubic'` (Keys 1981, a = -0.75) for `[N, C, H, W]`, `'trilinear'` for
   * `[N, C, D, H, W]`, `'area'`: means of windows, as `adaptiveAvgPool2d`.
   */
  mode?: InterpolateMode;
  /** Linear and cubic modes: the centres of the corner elements stay where they are, rather than their outer edges. Default false. */
  alignCorners?: boolean;
  /** `'bilinear'` and `'bicubic'` (a = -0.5): widen the filter when the result is smaller. Default false. */
  antialias?: boolean;
  /** Compute coordinates from the sizes rather than from `scaleFactor`. Default false. */
  recomputeScaleFactor?: boolean;
}

const spatialOf: Readonly<Record<InterpolateMode, readonly number[]>> = {
  nearest: [1, 2, 3],
  'nearest-exact': [1, 2, 3],
  area: [1, 2, 3],
  linear: [1],
  bilinear: [2],
  bicubic: [2],
  trilinear: [3],
};

type Filter = (x: number) => number;

const triangle: Filter = (x) => Math.max(0, 1 - Math.abs(x));

const cubic =
  (a: number): Filter =>
  (x) => {
    const d = Math.abs(x);
    if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? (((d - 5) * d + 8) * d - 4) * a : 0;
  };

interface Axis {
  readonly size: number;
  readonly count: number;
  /** Input positions per output position. */
  readonly scale: number;
  readonly alignCorners: boolean;
}

function nearestTable({ size, count, scale: given }: Axis, shift: number): Table {
  // As PyTorch: equal sizes change nothing, whatever the scale says.
  const scale = shift === 0 && count === size ? 1 : given;
  return {
    columns: size,
    rows: Array.from({ length: count }, (_, i) => ({
      start: Math.min(Math.floor((i + shift) * scale), size - 1),
      weights: [1],
    })),
  };
}

// Taps at start + k, those beyond the ends added to the outermost position.
function clampTaps(start: number, weights: readonly number[], size: number): Row {
  const at = (k: number): number => Math.min(Math.max(start + k, 0), size - 1);
  const first = at(0);
  const folded = new Array<number>(at(weights.length - 1) - first + 1).fill(0);
  weights.forEach((weight, k) => (folded[at(k) - first] += weight));
  return { start: first, weights: folded };
}

function smoothTable(axis: Axis, isCubic: boolean): Table {
  const { size, count, scale, alignCorners } = axis;
  const filter = cubic(-0.75);
  const rows = Array.from({ length: count }, (_, i) => {
    // Equal sizes change nothing, whatever the scale says.
    const exact = alignCorners ? i * scale : (i + 0.5) * scale - 0.5;
    const position = !isCubic && size === count ? i : isCubic ? exact : Math.max(exact, 0);
    const whole = Math.min(Math.floor(position), size - 1);
    const part = Math.min(Math.max(position - whole, 0), 1);
    if (!isCubic) return clampTaps(whole, [1 - part, part], size);
    return clampTaps(whole - 1, [filter(part + 1), filter(part), filter(1 - part), filter(2 - part)], size);
  });
  return { columns: size, rows };
}

function antialiasedTable({ size, count, scale }: Axis, isCubic: boolean): Table {
  const filter = isCubic ? cubic(-0.5) : triangle;
  const stretch = Math.max(scale, 1);
  const support = (isCubic ? 2 : 1) * stretch;
  const rows = Array.from({ length: count }, (_, i) => {
    const center = scale * (i + 0.5);
    const start = Math.max(Math.trunc(center - support + 0.5), 0);
    const end = Math.min(Math.trunc(center + support + 0.5), size);
    const weights = Array.from({ length: Math.max(0, end - start) }, (_w, j) =>
      filter((j + start - center + 0.5) / stretch),
    );
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return { start: Math.min(start, size), weights: weights.map((weight) => (total === 0 ? weight : weight / total)) };
  });
  return { columns: size, rows };
}

function tableOf(axis: Axis, mode: InterpolateMode, antialias: boolean): Table {
  if (mode === 'area') return adaptiveTable(axis.size, axis.count);
  if (mode === 'nearest' || mode === 'nearest-exact') return nearestTable(axis, mode === 'nearest' ? 0 : 0.5);
  return (antialias ? antialiasedTable : smoothTable)(axis, mode === 'bicubic');
}

/** The weights that bring a line of `size` elements to `count`, corners not aligned. @internal */
export function interpolationTable(size: number, count: number, mode: InterpolateMode, antialias: boolean): Table {
  return tableOf({ size, count, scale: size / count, alignCorners: false }, mode, antialias);
}

/**
 * Resizes sequences, images or volumes by interpolation. The numbers are PyTorch's: coordinates follow from `scaleFactor` as
 * given where it is given, else from the sizes.
 *
 * Shapes: `[N, C, L]`, `[N, C, H, W]` or `[N, C, D, H, W]` -> the same with other spatial sizes. float16 and bfloat16 compute in
 * float32; integers are refused, convert them first.
 *
 * @throws ArgumentError unless exactly one of size and scaleFactor is given, and for options that the mode does not know;
 *   ShapeError for a rank that the mode does not know, and for empty sizes; DTypeError for integers
 * @example
 * nn.functional.interpolate(randn([1, 3, 8, 8]), { scaleFactor: 2, mode: 'bilinear' }).shape; // [1, 3, 16, 16]
 */
export function interpolate<D extends DType>(x: Tensor<Shape, D>, options: InterpolateOptions): Tensor<Shape, D> {
  const op = 'interpolate';
  checkTensor(op, 'x', x);
  if (!isFloating(x.dtype)) throw new DTypeError(`${op}: x must be a float tensor, got ${x.dtype}.`);
  const { size, scaleFactor, mode = 'nearest', antialias = false, recomputeScaleFactor = false } = options;
  const call = `${op}(x ${formatShape(x.shape)})`;
  if (!(mode in spatialOf)) {
    throw new ArgumentError(
      `${op}: unknown mode '${String(mode)}', expected one of ${Object.keys(spatialOf)
        .map((name) => `'${name}'`)
        .join(', ')}.`,
    );
  }
  const spatial = x.shape.length - 2;
  if (!spatialOf[mode].includes(spatial)) {
    throw new ShapeError(
      `${call}: mode '${mode}' takes ${spatialOf[mode].join(', ')} spatial dimension${mode === 'linear' ? '' : 's'} behind [N, C], got rank ${x.shape.length}.`,
    );
  }
  const exact = mode === 'nearest' || mode === 'nearest-exact' || mode === 'area';
  if (exact && options.alignCorners !== undefined) {
    throw new ArgumentError(`${op}: alignCorners is for linear and cubic modes, not for '${mode}'.`);
  }
  if (antialias && mode !== 'bilinear' && mode !== 'bicubic') {
    throw new ArgumentError(`${op}: antialias is for 'bilinear' and 'bicubic', not for '${mode}'.`);
  }
  if ((size === undefined) === (scaleFactor === undefined)) {
    throw new ArgumentError(
      `${op}: give one of size and scaleFactor, ${size === undefined ? 'got neither' : 'not both'}.`,
    );
  }
  if (recomputeScaleFactor && size !== undefined) {
    throw new ArgumentError(`${op}: recomputeScaleFactor is for scaleFactor, not for size.`);
  }
  const inner = x.shape.slice(2);
  const empty = x.shape.indexOf(0, 1);
  if (empty >= 0) throw new ShapeError(`${call}: dimension ${empty} of the input is empty.`);
  const factors =
    scaleFactor === undefined || Array.isArray(scaleFactor)
      ? (scaleFactor as readonly number[] | undefined)
      : new Array<number>(spatial).fill(scaleFactor as number);
  if (factors !== undefined && (factors.length !== spatial || !factors.every((n) => n > 0 && n < Infinity))) {
    throw new ArgumentError(
      `${op}: scaleFactor must be a number above 0 or ${spatial} of them, got ${formatShape(factors)}.`,
    );
  }
  const counts =
    factors === undefined
      ? readSizes(op, 'size', size!, spatial, 1)
      : inner.map((n, d) => {
          const count = Math.floor(n * factors[d]);
          if (count >= 1) return count;
          throw new ShapeError(`${call}: nothing would be left of dimension ${d + 2} with scaleFactor ${factors[d]}.`);
        });
  const alignCorners = options.alignCorners ?? false;
  return resample(
    op,
    x,
    inner.map((n, d) => {
      const count = counts[d];
      const given = factors === undefined || recomputeScaleFactor ? n / count : 1 / factors[d];
      const scale = alignCorners ? (count > 1 ? (n - 1) / (count - 1) : 0) : given;
      return { dim: d + 2, table: tableOf({ size: n, count, scale, alignCorners }, mode, antialias) };
    }),
  ) as Tensor<Shape, D>;
}
