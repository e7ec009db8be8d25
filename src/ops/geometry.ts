// What convolutions, patches and whatever else slides a window over spatial dimensions share: reading sizes, and how
// often a window fits.
import { ArgumentError, ShapeError } from '../errors.js';
import { scratchNumbers } from '../native.js';
import { formatShape, type Shape } from '../shape.js';

/** Sizes along spatial dimensions: a number for all of them, or one for each. */
export type Sizes = number | readonly number[];

/** How a window moves, one number for each spatial dimension. @internal */
export interface Geometry {
  readonly stride: readonly number[];
  /** In front of the input; what is behind it follows from the result's size. */
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

function showSizes(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(',')}]` : typeof value === 'string' ? `'${value}'` : String(value);
}

/**
 * Sizes as a list of `count` integers not below `low`.
 *
 * @internal
 */
export function readSizes(op: string, name: string, value: Sizes, count: number, low: number): readonly number[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : new Array<unknown>(count).fill(value);
  if (list.length !== count) {
    throw new ArgumentError(
      `${op}: ${name} must be a number or ${count} of them, one for each spatial dimension, got ${showSizes(value)}.`,
    );
  }
  for (const size of list) {
    // The kernels' limit: sums of products of sizes fit 64 bits then.
    if (!Number.isInteger(size) || (size as number) < low || (size as number) > 2 ** 30) {
      throw new ArgumentError(`${op}: ${name} must be an integer from ${low} to 2^30, got ${showSizes(value)}.`);
    }
  }
  return list as readonly number[];
}

/** A whole number not below 1. @internal */
export function readCount(op: string, name: string, value: number): number {
  if (!Number.isInteger(value) || value < 1 || value > 2 ** 30) {
    throw new ArgumentError(`${op}: ${name} must be an integer from 1 to 2^30, got ${showSizes(value)}.`);
  }
  return value;
}

/** How often a window fits: `floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1`. @internal */
export function windowCount(size: number, kernel: number, stride: number, padding: number, dilation: number): number {
  return Math.floor((size + padding - dilation * (kernel - 1) - 1) / stride) + 1;
}

/**
 * Refuses windows larger than what they slide over.
 *
 * @param call what stands before the colon of the message
 * @param padding of both sides together
 * @internal
 */
export function checkWindow(
  call: string,
  spatial: Shape,
  firstDim: number,
  kernel: readonly number[],
  padding: readonly number[],
  dilation: readonly number[],
): void {
  spatial.forEach((size, d) => {
    const extent = dilation[d] * (kernel[d] - 1) + 1;
    if (size > 0 && extent <= size + padding[d]) return;
    if (size === 0) throw new ShapeError(`${call}: dimension ${d + firstDim} of the input is empty.`);
    const padded = padding[d] === 0 ? `${size}` : `${size} + ${padding[d]} of padding`;
    const dilated = dilation[d] === 1 ? `${extent}` : `${extent} (${kernel[d]} with dilation ${dilation[d]})`;
    throw new ShapeError(
      `${call}: the kernel is larger than the input in dimension ${d + firstDim}, ${dilated} but ${padded}.`,
    );
  });
}

/** Puts lists of up to three numbers into the scratch array, each filled up in front; returns how many were put. @internal */
export function stageGeometry(lists: readonly (readonly [values: readonly number[], fill: number])[]): number {
  let at = 0;
  for (const [values, fill] of lists) {
    for (let d = values.length - 3; d < values.length; d++) scratchNumbers[at++] = d < 0 ? fill : values[d];
  }
  return at;
}

/** The names of spatial dimensions in messages: `L`, `H, W` or `D, H, W`. @internal */
export const spatialNames: readonly string[] = ['', 'L', 'H, W', 'D, H, W'];

/** True for `[N, C, ...]`, false for `[C, ...]`. @throws ShapeError for another rank @internal */
export function isBatched(op: string, shape: Shape, spatial: number): boolean {
  const rank = shape.length;
  if (rank !== spatial + 1 && rank !== spatial + 2) {
    const names = spatialNames[spatial];
    throw new ShapeError(`${op}: x must be [N, C, ${names}] or [C, ${names}], got shape ${formatShape(shape)}.`);
  }
  return rank === spatial + 2;
}
