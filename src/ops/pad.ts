// Padding: a value, or what the tensor itself has there mirrored, repeated or wrapped around. Exported in nn.functional only.
import { noGrad } from '../autograd/mode.js';
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { fromTypedArray } from './creation.js';
import { checkTensor, defineOp, type Op } from './define.js';
import { indexSelect } from './indexing.js';
import { sliceView } from './view.js';

/** What is padded with: a value, the tensor mirrored without its edge, its edge, or its other end. */
export type PadMode = 'constant' | 'reflect' | 'replicate' | 'circular';

/** Options of `pad`. */
export interface PadOptions {
  /** Default `'constant'`. */
  mode?: PadMode;
  /** The value of `'constant'`. Default 0. */
  value?: number | bigint | boolean;
}

/** Positions added in front of and behind a dimension; negative: cut off. */
type Amounts = readonly (readonly [low: number, high: number])[];

interface PadAttributes {
  /** For each dimension. */
  readonly amounts: Amounts;
  readonly value: number | bigint | boolean;
}

// The part of a tensor that is left when it is padded by these amounts, cut to those below 0.
function cropped(x: Tensor, amounts: Amounts): Tensor {
  return amounts.reduce((view, [low, high], d) => {
    const front = Math.max(0, -low);
    const length = view.shape[d] - front - Math.max(0, -high);
    return length === view.shape[d] ? view : sliceView(view, d, front, length, 1);
  }, x);
}

const padOp: Op<PadAttributes> = defineOp({
  name: 'pad',
  inputs: ['x'],
  shape: ({ x }, { amounts }: PadAttributes) => x.shape.map((size, d) => size + amounts[d][0] + amounts[d][1]),
  forward: ([out], { x }, { amounts, value }) => {
    native.fill(out._handle, value);
    noGrad(() =>
      tidy(() => {
        const inverse = amounts.map(([low, high]): readonly [number, number] => [-low, -high]);
        native.copy(cropped(out, inverse)._handle, cropped(x, amounts)._handle);
      }),
    );
  },
  vjp: ([g], _, { amounts }) => [
    () => padOp([g], { amounts: amounts.map(([low, high]) => [-low, -high] as const), value: 0 }),
  ],
});

// Where position i of the padded dimension comes from.
function sourceOf(i: number, size: number, mode: PadMode): number {
  if (mode === 'circular') return (i + size) % size;
  if (mode === 'replicate') return Math.min(Math.max(i, 0), size - 1);
  const mirrored = Math.abs(i);
  return mirrored < size ? mirrored : 2 * (size - 1) - mirrored;
}

/**
 * Pads the last dimensions, in their order, with elements of x itself.
 *
 * @throws ShapeError if there are not enough of them
 * @internal
 */
export function padWithin(op: string, x: Tensor, amounts: Amounts, mode: Exclude<PadMode, 'constant'>): Tensor {
  const first = x.shape.length - amounts.length;
  let result = x;
  amounts.forEach(([low, high], d) => {
    if (low === 0 && high === 0) return;
    const size = x.shape[first + d];
    const most = mode === 'circular' ? size : mode === 'reflect' ? size - 1 : size === 0 ? -1 : Infinity;
    if (Math.max(low, high) > most) {
      throw new ShapeError(
        `${op}(x ${formatShape(x.shape)}): '${mode}' padding of ${Math.max(low, high)} needs more than the ${size} positions of dimension ${first + d}.`,
      );
    }
    const sources = BigInt64Array.from({ length: low + size + high }, (_, i) => BigInt(sourceOf(i - low, size, mode)));
    const index = fromTypedArray(sources, [sources.length], { device: x.device });
    result = indexSelect(result, first + d, index);
  });
  return result;
}

/**
 * Pads a tensor: `padding` is `[low, high]` of the last dimension, then of the one before it, and so on. Negative amounts cut
 * off. `'reflect'`, `'replicate'` and `'circular'` pad one to three dimensions behind batch and channels, `'constant'` any.
 *
 * @throws ArgumentError for padding that is no list of pairs of integers, or an unknown mode; ShapeError if x has too few
 *   dimensions, nothing is left of one, or there is not enough to mirror or wrap around
 * @example
 * nn.functional.pad(ones([1, 2, 3]), [1, 2]).shape; // [1, 2, 6]
 * nn.functional.pad(ones([1, 2, 3]), [2, 0], { mode: 'reflect' }).shape; // [1, 2, 5]
 */
export function pad<D extends DType>(
  x: Tensor<Shape, D>,
  padding: readonly number[],
  options: PadOptions = {},
): Tensor<Shape, D> {
  checkTensor('pad', 'x', x);
  const { mode = 'constant', value = 0 } = options;
  if (!Array.isArray(padding) || padding.length % 2 !== 0 || !padding.every((n) => Number.isSafeInteger(n))) {
    const got = Array.isArray(padding) ? formatShape(padding as readonly number[]) : String(padding);
    throw new ArgumentError(
      `pad: padding must be pairs of integers [low, high, ...], last dimension first, got ${got}.`,
    );
  }
  if (mode !== 'constant' && mode !== 'reflect' && mode !== 'replicate' && mode !== 'circular') {
    throw new ArgumentError(
      `pad: unknown mode '${String(mode)}', expected 'constant', 'reflect', 'replicate' or 'circular'.`,
    );
  }
  const call = `pad(x ${formatShape(x.shape)}, padding ${formatShape(padding)})`;
  const count = padding.length / 2;
  const rank = x.shape.length;
  if (mode === 'constant' ? count > rank : count < 1 || count > 3 || (rank !== count + 1 && rank !== count + 2)) {
    throw new ShapeError(
      mode === 'constant'
        ? `${call}: x has ${rank} dimensions, fewer than the ${count} that are padded.`
        : `${call}: '${mode}' pads the 1 to 3 dimensions behind batch and channels, or channels alone.`,
    );
  }
  if (mode !== 'constant' && 'value' in options && value !== 0) {
    throw new ArgumentError(`pad: '${mode}' takes no value, got ${String(value)}.`);
  }
  const amounts = x.shape.map((size, d): readonly [number, number] => {
    const at = 2 * (rank - 1 - d);
    const [low, high] = [(padding as readonly number[])[at] ?? 0, (padding as readonly number[])[at + 1] ?? 0];
    const left = size + low + high;
    // Of constants a size of 0 may be left, as in PyTorch; cutting more off than there is may not be made up for.
    if (left < 0 || (mode !== 'constant' && left === 0 && size > 0) || Math.min(size + low, size + high) < 0) {
      throw new ShapeError(`${call}: dimension ${d} of size ${size} would have ${left} positions left.`);
    }
    return [low, high];
  });
  if (mode === 'constant') return padOp([x], { amounts, value }) as Tensor<Shape, D>;
  return tidy(() => {
    const padded = padWithin('pad', x, amounts.slice(rank - count), mode);
    return (padded === x ? x.clone() : padded) as Tensor<Shape, D>;
  });
}
