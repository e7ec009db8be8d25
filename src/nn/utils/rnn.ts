// The namespace `nn.utils.rnn`: padding and packing of sequences of different lengths.
import type { DType } from '../../dtype.js';
import { ArgumentError, ShapeError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { full } from '../../ops/creation.js';
import { checkTensor } from '../../ops/define.js';
import { indexSelect } from '../../ops/indexing.js';
import { cat, stack } from '../../ops/join.js';
import { narrow, reshape, select, transpose } from '../../ops/view.js';
import { formatShape, type Shape } from '../../shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';
import { inverseOf, orderOf, PackedSequence } from '../packed.js';

export { invertOrder as invertPermutation, PackedSequence } from '../packed.js';

/** Lengths of sequences: numbers, or an integer vector (reading it waits for its values). */
export type Lengths = readonly number[] | Tensor<Shape, 'int64' | 'int32'>;

/** Where the batch is. */
export interface BatchFirst {
  /** The batch is the first dimension and the steps are the second. Default false: the other way round. */
  batchFirst?: boolean;
}

function lengthsOf(op: string, lengths: Lengths, batch: number, steps: number): number[] {
  const list = isTensor(lengths) ? Array.from(lengths.dataSync(), Number) : [...lengths];
  if (list.length !== batch)
    throw new ArgumentError(`${op}: ${list.length} lengths for a batch of ${batch} sequences.`);
  list.forEach((length, b) => {
    if (!Number.isInteger(length) || length < 1 || length > steps)
      throw new ArgumentError(`${op}: lengths[${b}] must be an integer from 1 to ${steps}, got ${String(length)}.`);
  });
  return list;
}

function checkPadded(op: string, x: Tensor): void {
  checkTensor(op, 'input', x);
  if (x.shape.length < 2)
    throw new ShapeError(`${op}: input must have the dimensions batch and steps, got shape ${formatShape(x.shape)}.`);
}

// [steps, batch, ...] as rows [steps * batch, ...].
const asRows = (x: Tensor): Tensor => reshape(x, [x.shape[0] * x.shape[1], ...x.shape.slice(2)] as Shape);

// Which sequence is at each place, longest first; of equal ones, the first first.
function longestFirst(lengths: readonly number[]): number[] {
  return lengths.map((_, b) => b).sort((a, b) => lengths[b] - lengths[a] || a - b);
}

function batchSizesOf(sorted: readonly number[]): number[] {
  const sizes = new Array<number>(sorted[0] ?? 0).fill(0);
  for (const length of sorted) for (let t = 0; t < length; t++) sizes[t]++;
  return sizes;
}

function checkSorted(op: string, lengths: readonly number[]): void {
  const b = lengths.findIndex((length, i) => i > 0 && length > lengths[i - 1]);
  if (b >= 0) {
    throw new ArgumentError(
      `${op}: with enforceSorted the lengths must not grow, but lengths[${b}] is ${lengths[b]} after ${lengths[b - 1]}; pass { enforceSorted: false }.`,
    );
  }
}

/**
 * Packs padded sequences: what is behind the lengths is dropped.
 *
 * Shapes: input `[steps, batch, ...]`, or `[batch, steps, ...]` with `batchFirst`.
 *
 * @param lengths of each sequence, from 1 to the number of steps
 * @param options `batchFirst` (default false); `enforceSorted` (default true): the lengths descend already, which
 *   is an error otherwise; with false they are sorted, and layers and `padPackedSequence` bring back the order
 * @throws ArgumentError for lengths that do not fit or are not sorted; ShapeError below 2 dimensions
 * @example
 * const packed = nn.utils.rnn.packPaddedSequence(x, [5, 3, 2], { batchFirst: true });
 * const [output, [hN, cN]] = lstm.forward(packed);
 * const [padded, lengths] = nn.utils.rnn.padPackedSequence(output, { batchFirst: true });
 */
export function packPaddedSequence<D extends DType>(
  input: Tensor<Shape, D>,
  lengths: Lengths,
  options: BatchFirst & { enforceSorted?: boolean } = {},
): PackedSequence<D> {
  const op = 'packPaddedSequence';
  const { batchFirst = false, enforceSorted = true } = options;
  checkPadded(op, input);
  const [steps, batch] = batchFirst ? [input.shape[1], input.shape[0]] : [input.shape[0], input.shape[1]];
  const list = lengthsOf(op, lengths, batch, steps);
  if (batch === 0) throw new ArgumentError(`${op}: the batch is empty, there is nothing to pack.`);
  if (enforceSorted) checkSorted(op, list);
  const order = longestFirst(list);
  const sizes = batchSizesOf(order.map((b) => list[b]));
  const rows: number[] = [];
  sizes.forEach((size, t) => {
    for (let i = 0; i < size; i++) rows.push(batchFirst ? order[i] * steps + t : t * batch + order[i]);
  });
  const data = tidy(() => indexSelect(asRows(input as Tensor), 0, orderOf(rows, input.device))) as Tensor<Shape, D>;
  return enforceSorted
    ? new PackedSequence(data, sizes)
    : new PackedSequence(data, sizes, orderOf(order, data.device), orderOf(inverseOf(order), data.device));
}

/**
 * The reverse of `packPaddedSequence`.
 *
 * @param options `batchFirst` (default false); `paddingValue` (default 0); `totalLength`: the number of steps to pad
 *   to, by default the longest length
 * @throws ArgumentError when a sequence is longer than `totalLength`
 * @returns the padded sequences in their first order, and their lengths as int64
 */
export function padPackedSequence<D extends DType>(
  sequence: PackedSequence<D>,
  options: BatchFirst & { paddingValue?: number; totalLength?: number | undefined } = {},
): [padded: Tensor<Shape, D>, lengths: Tensor<Shape, 'int64'>] {
  const op = 'padPackedSequence';
  if (!(sequence instanceof PackedSequence)) throw new ArgumentError(`${op}: expected a PackedSequence.`);
  const { batchFirst = false, paddingValue = 0 } = options;
  const { data, batch, batchSizes, unsortedIndices } = sequence;
  const steps = options.totalLength ?? batchSizes.length;
  if (!Number.isInteger(steps) || steps < batchSizes.length) {
    throw new ArgumentError(
      `${op}: totalLength must be an integer >= the longest length ${batchSizes.length}, got ${String(steps)}.`,
    );
  }
  const places =
    unsortedIndices === null ? batchSizes.slice(0, 1).flatMap(count) : Array.from(unsortedIndices.dataSync(), Number);
  const sorted = sequence.sortedLengths;
  const offsets = [0];
  for (const size of batchSizes) offsets.push(offsets[offsets.length - 1] + size);
  // One more row, behind the data, is the padding.
  const rowAt = (t: number, b: number): number => (t < sorted[places[b]] ? offsets[t] + places[b] : data.shape[0]);
  const rows: number[] = [];
  if (batchFirst) for (let b = 0; b < batch; b++) for (let t = 0; t < steps; t++) rows.push(rowAt(t, b));
  else for (let t = 0; t < steps; t++) for (let b = 0; b < batch; b++) rows.push(rowAt(t, b));
  const rest = data.shape.slice(1);
  const padded = tidy(() => {
    const padding = full([1, ...rest] as Shape, paddingValue, { dtype: data.dtype, device: data.device });
    const picked = indexSelect(cat([data as Tensor, padding as Tensor]), 0, orderOf(rows, data.device));
    return reshape(picked, [...(batchFirst ? [batch, steps] : [steps, batch]), ...rest] as Shape);
  });
  return [
    padded as unknown as Tensor<Shape, D>,
    orderOf(
      places.map((place) => sorted[place]),
      'cpu',
    ),
  ];
}

const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

function checkSequences(op: string, sequences: readonly Tensor[]): void {
  if (!Array.isArray(sequences) || sequences.length === 0)
    throw new ArgumentError(`${op}: expected a list of at least one tensor.`);
  const first = sequences[0] as Tensor;
  (sequences as readonly Tensor[]).forEach((sequence, b) => {
    checkTensor(op, `sequences[${b}]`, sequence);
    const { shape } = sequence;
    if (shape.length === 0) throw new ShapeError(`${op}: sequences[${b}] is a scalar, it has no steps.`);
    if (formatShape(shape.slice(1)) !== formatShape(first.shape.slice(1))) {
      throw new ShapeError(
        `${op}: sequences[${b}] has shape ${formatShape(shape)}, sequences[0] ${formatShape(first.shape)}; they must agree but in the first dimension.`,
      );
    }
  });
}

/**
 * Sequences of different lengths as one tensor, the shorter ones padded.
 *
 * Shapes: each `[length, ...]` -> `[longest, batch, ...]`, or `[batch, longest, ...]` with `batchFirst`.
 *
 * @param options `batchFirst` (default false); `paddingValue` (default 0); `paddingSide` (default 'right')
 * @throws ShapeError if sequences differ beyond their length; ArgumentError for an empty list
 * @example
 * padSequence([tensor([1, 2, 3]), tensor([4])], { batchFirst: true }); // [[1, 2, 3], [4, 0, 0]]
 */
export function padSequence<D extends DType>(
  sequences: readonly Tensor<Shape, D>[],
  options: BatchFirst & { paddingValue?: number; paddingSide?: 'left' | 'right' } = {},
): Tensor<Shape, D> {
  const { batchFirst = false, paddingValue = 0, paddingSide = 'right' } = options;
  checkSequences('padSequence', sequences);
  if (paddingSide !== 'left' && paddingSide !== 'right') {
    throw new ArgumentError(`padSequence: paddingSide must be 'left' or 'right', got ${JSON.stringify(paddingSide)}.`);
  }
  const steps = Math.max(...sequences.map(({ shape }) => shape[0]));
  return tidy(() => {
    const padded = sequences.map((sequence) => {
      const missing = steps - sequence.shape[0];
      if (missing === 0) return sequence;
      const shape: Shape = [missing, ...sequence.shape.slice(1)];
      const padding = full(shape, paddingValue, { dtype: sequence.dtype, device: sequence.device });
      return cat(paddingSide === 'left' ? [padding, sequence] : [sequence, padding]);
    });
    return stack(padded, batchFirst ? 0 : 1);
  });
}

/**
 * The reverse of `padSequence`: views without the padding.
 *
 * @throws ArgumentError for lengths that do not fit; ShapeError below 2 dimensions
 */
export function unpadSequence<D extends DType>(
  padded: Tensor<Shape, D>,
  lengths: Lengths,
  options: BatchFirst = {},
): Tensor<Shape, D>[] {
  checkPadded('unpadSequence', padded);
  const x: Tensor<Shape, D> = options.batchFirst === true ? padded : transpose(padded, 0, 1);
  const list = lengthsOf('unpadSequence', lengths, x.shape[0], x.shape[1]);
  return list.map((length, b) => narrow(select(x, 0, b), 0, 0, length));
}

/**
 * Packs sequences of different lengths.
 *
 * @param options `enforceSorted` (default true): longest first, which is an error otherwise; see `packPaddedSequence`
 * @throws ShapeError if sequences differ beyond their length; ArgumentError if they are not sorted
 * @example
 * packSequence([tensor([1, 2, 3]), tensor([4, 5])]).batchSizes; // [2, 2, 1]
 */
export function packSequence<D extends DType>(
  sequences: readonly Tensor<Shape, D>[],
  options: { enforceSorted?: boolean } = {},
): PackedSequence<D> {
  checkSequences('packSequence', sequences);
  const lengths = sequences.map(({ shape }) => shape[0]);
  if (options.enforceSorted !== false) checkSorted('packSequence', lengths);
  const padded = padSequence(sequences);
  const packed = packPaddedSequence(padded, lengths, options);
  padded.dispose();
  return packed;
}

/** The sequences of a packed one, in their first order: the reverse of `packSequence`. */
export function unpackSequence<D extends DType>(packed: PackedSequence<D>): Tensor<Shape, D>[] {
  const [padded, lengths] = padPackedSequence(packed, { batchFirst: true });
  return unpadSequence(padded, lengths, { batchFirst: true });
}
