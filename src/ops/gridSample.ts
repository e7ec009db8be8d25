// Sampling images and volumes at given places, and the places that an affine map gives: spatial transformers (Jaderberg et
// al. 2015, "Spatial Transformer Networks"). Exported in nn.functional only.
//
// Positions are computed from the grid by elementwise ops, elements picked with gather on the flattened image, and weighed
// together in one pass. Integers for gather are made one dimension at a time: a float32 cannot count a large plane's elements.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import * as e from '../program/expr.js';
import type { Expr } from '../program/expr.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { tidy } from '../memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './copy.js';
import { linspace, zeros } from './creation.js';
import { checkSameDevice, checkTensor } from './define.js';
import { defineElementwise, type ElementwiseOp } from './elementwise.js';
import { gatherOp } from './indexing.js';
import { requireFloat } from './require.js';
import { expand, narrow, reshape, select, unsqueeze } from './view.js';

/** How values between elements are made. */
export type GridSampleMode = 'bilinear' | 'nearest' | 'bicubic';

/** What lies outside the image. */
export type GridSamplePadding = 'zeros' | 'border' | 'reflection';

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /**
   * `'bilinear'` (default; between eight elements in volumes), `'nearest'` (halves to the even position), or `'bicubic'`
   * (Keys 1981, a = -0.75; images only).
   */
  mode?: GridSampleMode;
  /**
   * `'zeros'` (default), `'border'`: the closest element at the border, or `'reflection'`: the image mirrored at its border,
   * as often as needed.
   */
  paddingMode?: GridSamplePadding;
  /** -1 and 1 are the centres of the outermost elements, rather than their outer edges. Default false. */
  alignCorners?: boolean;
}

/** Options of `affineGrid`. */
export interface AffineGridOptions {
  /** -1 and 1 are the centres of the outermost elements, rather than their outer edges. Default false. */
  alignCorners?: boolean;
}

const op = 'gridSample';
const modes: readonly string[] = ['bilinear', 'nearest', 'bicubic'];
const paddings: readonly string[] = ['zeros', 'border', 'reflection'];

const isValid = (t: Expr, max: Expr): Expr => e.mul(e.ge(t, 0), e.le(t, max));

// No gradient at the ends, as PyTorch has it; NaN becomes 0.
const clip = (p: Expr, max: Expr): Expr => e.select(e.gt(p, 0), e.select(e.lt(p, max), p, max), 0);

// Mirrors at 0 and max, or half an element outside of them. scale: elements per unit of the grid, half the mirrors' distance.
function reflect(p: Expr, max: Expr, scale: Expr, alignCorners: boolean): Expr {
  const low = alignCorners ? 0 : -0.5;
  const distance = e.abs(e.sub(p, low));
  // A single element with aligned corners has no extent: any distance will do, the position is always 0.
  const period = e.maximum(e.mul(scale, 4), 1);
  const extra = e.sub(distance, e.mul(e.floor(e.div(distance, period)), period));
  const back = e.sub(period, extra);
  return clip(e.add(e.select(e.gt(extra, back), back, extra), low), max);
}

// From the grid's -1 to 1 to positions of elements, brought inside the image unless zeros lie around it. What is not finite
// goes to an arbitrary place outside, as in PyTorch's reference kernel; the border knows what to do with infinities.
function position(g: Expr, max: Expr, scale: Expr, padding: GridSamplePadding, alignCorners: boolean): Expr {
  const scaled = e.mul(e.add(g, 1), scale);
  const raw = alignCorners ? scaled : e.sub(scaled, 0.5);
  if (padding === 'border') return clip(raw, max);
  const p = e.select(e.isfinite(raw), raw, -100);
  return padding === 'zeros' ? p : reflect(p, max, scale, alignCorners);
}

/** Ops for corners that are edges (first) and centres (second). */
type Pair = readonly [ElementwiseOp, ElementwiseOp];
const pair = (make: (alignCorners: boolean) => ElementwiseOp): Pair => [make(false), make(true)];

const positionOp = (padding: GridSamplePadding): Pair =>
  pair((alignCorners) =>
    defineElementwise(op, (g, max, scale) => position(g, max, scale, padding, alignCorners), {
      inputs: ['grid'],
      scalars: ['max', 'scale'],
    }),
  );
const positionOps: Readonly<Record<GridSamplePadding, Pair>> = {
  zeros: positionOp('zeros'),
  border: positionOp('border'),
  reflection: positionOp('reflection'),
};

// Where an element `offset` behind the position is read: the values read for places outside are masked later.
const tap = { inputs: ['position'], scalars: ['max', 'scale', 'offset'] };
const behind = (p: Expr, offset: Expr): Expr => e.add(e.floor(p), offset);
const inside = (t: Expr, max: Expr): Expr => e.select(isValid(t, max), t, 0);
const insideTap = defineElementwise(op, (p, max, _scale, offset) => inside(behind(p, offset), max), tap);
const borderTap = defineElementwise(op, (p, max, _scale, offset) => clip(behind(p, offset), max), tap);
const reflectionTaps = pair((alignCorners) =>
  defineElementwise(op, (p, max, scale, offset) => reflect(behind(p, offset), max, scale, alignCorners), tap),
);
const nearestTap = defineElementwise(op, (p, max) => inside(e.round(p), max), {
  inputs: ['position'],
  scalars: ['max'],
});

const flatIndex = defineElementwise(op, (outer, inner, size) => e.add(e.mul(outer, size), inner), {
  inputs: ['outer', 'inner'],
  scalars: ['size'],
});

// The value is masked, not only its weight: 0 times an infinity that was never meant would be NaN.
const weigh = (value: Expr, valid: Expr, weight: Expr): Expr => e.mul(e.select(valid, value, 0), weight);

// Sums the 2^n elements around a position in n dimensions; the last dimension's neighbours follow each other.
function blend(values: readonly Expr[], positions: readonly Expr[], maxima: readonly Expr[]): Expr {
  const sides = positions.map((p, d) => {
    const low = e.floor(p);
    const high = e.add(low, 1);
    const part = e.sub(p, low);
    return [
      { valid: isValid(low, maxima[d]), weight: e.sub(1, part) },
      { valid: isValid(high, maxima[d]), weight: part },
    ];
  });
  const terms = values.map((value, corner) => {
    const chosen = sides.map((pairs, d) => pairs[(corner >> (sides.length - 1 - d)) & 1]);
    return weigh(value, e.mul(...chosen.map(({ valid }) => valid)), e.mul(...chosen.map(({ weight }) => weight)));
  });
  return e.add(...terms);
}

const bilinearOp = defineElementwise(
  op,
  (v0, v1, v2, v3, y, x, maxY, maxX) => blend([v0, v1, v2, v3], [y, x], [maxY, maxX]),
  { inputs: ['v0', 'v1', 'v2', 'v3', 'y', 'x'], scalars: ['maxY', 'maxX'] },
);
const trilinearOp = defineElementwise(
  op,
  (v0, v1, v2, v3, v4, v5, v6, v7, z, y, x, maxZ, maxY, maxX) =>
    blend([v0, v1, v2, v3, v4, v5, v6, v7], [z, y, x], [maxZ, maxY, maxX]),
  {
    inputs: ['v0', 'v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'z', 'y', 'x'],
    scalars: ['maxZ', 'maxY', 'maxX'],
  },
);
// The positions only mask; their gradient is 0, but they have one.
const nearestPlaneOp = defineElementwise(
  op,
  (v, y, x, maxY, maxX) => e.select(e.mul(isValid(e.round(y), maxY), isValid(e.round(x), maxX)), v, 0),
  { inputs: ['v', 'y', 'x'], scalars: ['maxY', 'maxX'] },
);
const nearestVolumeOp = defineElementwise(
  op,
  (v, z, y, x, maxZ, maxY, maxX) =>
    e.select(e.mul(isValid(e.round(z), maxZ), isValid(e.round(y), maxY), isValid(e.round(x), maxX)), v, 0),
  { inputs: ['v', 'z', 'y', 'x'], scalars: ['maxZ', 'maxY', 'maxX'] },
);

// The weights of elements 1 before to 2 behind floor(p): Keys' cubic convolution.
function cubicWeights(p: Expr): readonly Expr[] {
  const a = -0.75;
  const part = e.sub(p, e.floor(p));
  const rest = e.sub(1, part);
  const near = (d: Expr): Expr => e.add(e.mul(e.sub(e.mul(d, a + 2), a + 3), d, d), 1);
  const far = (d: Expr): Expr => e.mul(e.sub(e.mul(e.add(e.mul(e.sub(d, 5), d), 8), d), 4), a);
  return [far(e.add(part, 1)), near(part), near(rest), far(e.add(rest, 1))];
}

const cubicOp = defineElementwise(
  op,
  (v0, v1, v2, v3, p) => {
    const weights = cubicWeights(p);
    return e.add(...[v0, v1, v2, v3].map((v, k) => e.mul(v, weights[k])));
  },
  { inputs: ['v0', 'v1', 'v2', 'v3', 'position'] },
);
const cubicRowOp = defineElementwise(
  op,
  (v0, v1, v2, v3, y, x, maxY, maxX, row) => {
    const weights = cubicWeights(x);
    const inRow = isValid(behind(y, row), maxY);
    return e.add(
      ...[v0, v1, v2, v3].map((v, k) => weigh(v, e.mul(inRow, isValid(e.add(e.floor(x), k - 1), maxX)), weights[k])),
    );
  },
  { inputs: ['v0', 'v1', 'v2', 'v3', 'y', 'x'], scalars: ['maxY', 'maxX', 'row'] },
);

/** One spatial dimension: its last position, and elements per unit of the grid. */
interface Axis {
  readonly size: number;
  readonly max: number;
  readonly scale: number;
}

// The elements of x [N, C, ...] at integer positions, given for each dimension as [N, 1, ...out]: [N, C, ...out].
function pick(x: Tensor, places: readonly Tensor[], axes: readonly Axis[]): Tensor {
  const [batch, channels] = x.shape;
  const plane = axes.reduce((product, { size }) => product * size, 1);
  const index = noGrad(() => places.reduce((outer, inner, d) => flatIndex.apply([outer, inner], [axes[d].size])));
  const out = index.shape.slice(2);
  const count = out.reduce((product, n) => product * n, 1);
  const wide = expand(reshape(index, [batch, 1, count]), [batch, channels, count]);
  return reshape(gatherOp([reshape(x, [batch, channels, plane]), wide], { dim: 2 }), [batch, channels, ...out]);
}

// Integer positions that a tap op gives, for each dimension and each offset.
function placesOf(
  tapOp: ElementwiseOp,
  positions: readonly Tensor[],
  axes: readonly Axis[],
  offsets: readonly number[],
): readonly (readonly Tensor[])[] {
  return noGrad(() =>
    positions.map((p, d) =>
      offsets.map((offset) => cast(tapOp.apply([p], [axes[d].max, axes[d].scale, offset]), 'int64')),
    ),
  );
}

function sampleNearest(x: Tensor, positions: readonly Tensor[], axes: readonly Axis[]): Tensor {
  const places = placesOf(nearestTap, positions, axes, [0]).map(([place]) => place);
  return (axes.length === 2 ? nearestPlaneOp : nearestVolumeOp).apply(
    [pick(x, places, axes), ...positions],
    axes.map(({ max }) => max),
  );
}

function sampleLinear(x: Tensor, positions: readonly Tensor[], axes: readonly Axis[]): Tensor {
  const places = placesOf(insideTap, positions, axes, [0, 1]);
  const rank = axes.length;
  const values = Array.from({ length: 2 ** rank }, (_, corner) =>
    pick(
      x,
      places.map((sides, d) => sides[(corner >> (rank - 1 - d)) & 1]),
      axes,
    ),
  );
  return (rank === 2 ? bilinearOp : trilinearOp).apply(
    [...values, ...positions],
    axes.map(({ max }) => max),
  );
}

function sampleCubic(
  x: Tensor,
  positions: readonly Tensor[],
  axes: readonly Axis[],
  padding: GridSamplePadding,
  alignCorners: boolean,
): Tensor {
  const tapOp =
    padding === 'zeros' ? insideTap : padding === 'border' ? borderTap : reflectionTaps[Number(alignCorners)];
  const offsets = [-1, 0, 1, 2];
  const [rows, columns] = placesOf(tapOp, positions, axes, offsets);
  const sums = rows.map((row, k) => {
    const values = columns.map((column) => pick(x, [row, column], axes));
    if (padding !== 'zeros') return cubicOp.apply([...values, positions[1]]);
    return cubicRowOp.apply([...values, ...positions], [axes[0].max, axes[1].max, offsets[k]]);
  });
  return cubicOp.apply([...sums, positions[0]]);
}

/**
 * Samples images or volumes where a grid says. The grid's last dimension holds (x, y) or (x, y, z): x along the width, y along
 * the height, z along the depth, each from -1 to 1 across the input:
 * `position = ((x + 1) * size - 1) / 2`, with `alignCorners` `position = (x + 1) / 2 * (size - 1)`.
 *
 * Shapes: x `[N, C, H, W]` and grid `[N, Ho, Wo, 2]` -> `[N, C, Ho, Wo]`; x `[N, C, D, H, W]` and grid `[N, Do, Ho, Wo, 3]` ->
 * `[N, C, Do, Ho, Wo]`. Both of one float dtype; float16 and bfloat16 compute in float32.
 *
 * Gradients are PyTorch's: that of the grid is 0 where a position was moved to the border, and everywhere for `'nearest'`.
 * Coordinates that are not finite lie outside the image and have no gradient (PyTorch's kernels differ from each other
 * there).
 *
 * @param x the images
 * @param grid where to sample, e.g. from `affineGrid`
 * @throws ShapeError for ranks and shapes that do not fit, and for an empty image; DTypeError unless both have the same float
 *   dtype; ArgumentError for an unknown mode or paddingMode, and for `'bicubic'` on volumes
 * @example
 * const mirror = nn.functional.affineGrid(tensor([[[-1, 0, 0], [0, 1, 0]]]), [1, 3, 8, 8]);
 * nn.functional.gridSample(randn([1, 3, 8, 8]), mirror).shape; // [1, 3, 8, 8]
 */
export function gridSample<D extends DType>(
  x: Tensor<Shape, D>,
  grid: Tensor<Shape, D>,
  options: GridSampleOptions = {},
): Tensor<Shape, D> {
  requireFloat(op, 'x', x);
  checkTensor(op, 'grid', grid);
  const { mode = 'bilinear', paddingMode = 'zeros', alignCorners = false } = options;
  requireOneOf('mode', mode, modes);
  requireOneOf('paddingMode', paddingMode, paddings);
  const call = `${op}(x ${formatShape(x.shape)}, grid ${formatShape(grid.shape)})`;
  checkSameDevice(op, 'x', x, 'grid', grid);
  if (grid.dtype !== x.dtype) {
    throw new DTypeError(`${op}: x is ${x.dtype} and grid ${grid.dtype}; convert one, e.g. grid.to('${x.dtype}').`);
  }
  const rank = x.shape.length;
  if (rank !== 4 && rank !== 5) throw new ShapeError(`${call}: x must be [N, C, H, W] or [N, C, D, H, W].`);
  if (grid.shape.length !== rank || grid.shape[rank - 1] !== rank - 2) {
    throw new ShapeError(`${call}: grid must be ${rank === 4 ? '[N, Ho, Wo, 2]' : '[N, Do, Ho, Wo, 3]'} for this x.`);
  }
  if (grid.shape[0] !== x.shape[0]) {
    throw new ShapeError(`${call}: the batch sizes ${x.shape[0]} and ${grid.shape[0]} differ; expand one.`);
  }
  const empty = x.shape.indexOf(0, 2);
  if (empty >= 0) throw new ShapeError(`${call}: dimension ${empty} of x is empty, there is nothing to sample.`);
  if (mode === 'bicubic' && rank === 5) {
    throw new ArgumentError(`${op}: mode 'bicubic' is for images [N, C, H, W], got x ${formatShape(x.shape)}.`);
  }
  return tidy(() => {
    const axes = x.shape.slice(2).map((size) => ({
      size,
      max: size - 1,
      scale: (alignCorners ? size - 1 : size) / 2,
    }));
    const isHalf = x.dtype === 'float16' || x.dtype === 'bfloat16';
    const places: Tensor = isHalf ? cast(grid, 'float32') : grid;
    // Cubic weights belong to the position as given; it is the elements around it that padding moves.
    const toPosition = positionOps[mode === 'bicubic' ? 'zeros' : paddingMode][Number(alignCorners)];
    const positions = axes.map(({ max, scale }, d) =>
      toPosition.apply([unsqueeze(select(places, -1, rank - 3 - d), 1)], [max, scale]),
    );
    const out =
      mode === 'bicubic'
        ? sampleCubic(x, positions, axes, paddingMode, alignCorners)
        : (mode === 'nearest' ? sampleNearest : sampleLinear)(x, positions, axes);
    return cast<Shape, D>(out, x.dtype);
  });
}

function requireOneOf(name: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  const shown = typeof value === 'string' ? `'${value}'` : String(value);
  throw new ArgumentError(
    `${op}: unknown ${name} ${shown}, expected one of ${known.map((each) => `'${each}'`).join(', ')}.`,
  );
}

function checkSize(name: string, size: unknown): void {
  const isList = Array.isArray(size);
  const known = isList && (size.length === 4 || size.length === 5);
  if (known && size.every((n) => Number.isSafeInteger(n) && (n as number) > 0)) return;
  throw new ArgumentError(
    `${name}: size must be [N, C, H, W] or [N, C, D, H, W] of whole numbers above 0, got ${isList ? `[${size.join(',')}]` : String(size)}.`,
  );
}

const planeOp = defineElementwise('affineGrid', (x, y, a, b, c) => e.add(e.mul(x, a), e.mul(y, b), c), {
  inputs: ['x', 'y', 'a', 'b', 'c'],
});
const volumeOp = defineElementwise(
  'affineGrid',
  (x, y, z, a, b, c, d) => e.add(e.mul(x, a), e.mul(y, b), e.mul(z, c), d),
  { inputs: ['x', 'y', 'z', 'a', 'b', 'c', 'd'] },
);

/**
 * The grid of places, for `gridSample`, at which an affine map finds the elements of an image of a given size:
 * `grid[n][i][j] = theta[n] @ [x_j, y_i, 1]`, where x and y run from -1 to 1 across the width and height: between the centres
 * of the outermost elements with `alignCorners`, else between their outer edges.
 *
 * Shapes: theta `[N, 2, 3]`, size `[N, C, H, W]` -> `[N, H, W, 2]`; theta `[N, 3, 4]`, size `[N, C, D, H, W]` ->
 * `[N, D, H, W, 3]`, of theta's dtype. Differentiable in theta.
 *
 * @param size the size of the image to make: whole numbers above 0
 * @throws DTypeError unless theta is a float tensor; ArgumentError for a size that is none; ShapeError if theta does not fit the
 *   size
 * @example
 * nn.functional.affineGrid(tensor([[[1, 0, 0], [0, 1, 0]]]), [1, 3, 4, 5]).shape; // [1, 4, 5, 2]
 */
export function affineGrid<D extends DType>(
  theta: Tensor<Shape, D>,
  size: readonly number[],
  options: AffineGridOptions = {},
): Tensor<Shape, D> {
  const name = 'affineGrid';
  requireFloat(name, 'theta', theta);
  const { alignCorners = false } = options;
  checkSize(name, size);
  const rank = size.length - 2;
  const wanted = [size[0], rank, rank + 1];
  if (!shapesEqual(theta.shape, wanted)) {
    throw new ShapeError(
      `${name}(theta ${formatShape(theta.shape)}, size ${formatShape(size)}): theta must be ${formatShape(wanted)} for this size.`,
    );
  }
  return tidy(() => {
    const { dtype, device } = theta;
    // Width first, as theta's columns: [1, 1, W, 1], [1, H, 1, 1].
    const places = Array.from({ length: rank }, (_, k) => {
      const count = size[size.length - 1 - k];
      const end = alignCorners ? 1 : (count - 1) / count;
      const line = count === 1 ? zeros([1], { dtype, device }) : linspace(-end, end, count, { dtype, device });
      return reshape(
        line,
        Array.from({ length: rank + 2 }, (_n, d) => (d === rank - k ? count : 1)),
      );
    });
    const columns = Array.from({ length: rank + 1 }, (_, k) =>
      reshape(narrow(theta, 2, k, 1), [size[0], ...new Array<number>(rank).fill(1), rank]),
    );
    return (rank === 2 ? planeOp : volumeOp).apply([...places, ...columns]) as Tensor<Shape, D>;
  });
}
