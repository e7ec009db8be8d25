// Sequences of different lengths, packed step after step, so that recurrent layers compute nothing for padding.
import type { DType } from '../dtype.js';
import type { Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import type { TensorHolder } from '../memory.js';
import { to as convert } from '../ops/copy.js';
import { fromTypedArray } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** An order: positions, as int64. */
export type Order = Tensor<Shape, 'int64'>;

/**
 * Sequences of different lengths, longest first: the elements of all sequences at the first step, then at the second and
 * so on. Made by `packPaddedSequence` and `packSequence`; recurrent layers take it and give it.
 *
 * @example
 * const packed = nn.utils.rnn.packSequence([tensor([1, 2, 3]), tensor([4, 5])]);
 * packed.data; // [1, 4, 2, 5, 3]
 * packed.batchSizes; // [2, 2, 1]
 */
export class PackedSequence<D extends DType = DType> implements TensorHolder {
  /** `[all elements, ...]`, those of a step one after the other. */
  readonly data: Tensor<Shape, D>;
  /** How many sequences have each step: descending. Numbers, not a tensor: they decide shapes. */
  readonly batchSizes: readonly number[];
  /** For each place in the packed order the sequence that is there; null when they were in order. */
  readonly sortedIndices: Order | null;
  /** For each sequence its place in the packed order; null when they were in order. */
  readonly unsortedIndices: Order | null;

  /** @throws ArgumentError unless batchSizes are positive, descend, and add up to the rows of data */
  constructor(
    data: Tensor<Shape, D>,
    batchSizes: readonly number[],
    sortedIndices: Order | null = null,
    unsortedIndices: Order | null = sortedIndices === null ? null : invertOrder(sortedIndices),
  ) {
    checkTensor('PackedSequence', 'data', data);
    let total = 0;
    batchSizes.forEach((size, t) => {
      if (!Number.isInteger(size) || size < 1 || (t > 0 && size > batchSizes[t - 1])) {
        throw new ArgumentError(
          `PackedSequence: batchSizes must be integers above 0 that do not grow, but batchSizes[${t}] is ${String(size)}${t === 0 ? '' : ` after ${batchSizes[t - 1]}`}.`,
        );
      }
      total += size;
    });
    if (data.shape.length === 0 || data.shape[0] !== total) {
      throw new ArgumentError(
        `PackedSequence: batchSizes add up to ${total}, but data has shape ${formatShape(data.shape)}.`,
      );
    }
    this.data = data;
    this.batchSizes = batchSizes;
    this.sortedIndices = sortedIndices;
    this.unsortedIndices = unsortedIndices;
  }

  /** The number of sequences. */
  get batch(): number {
    return this.batchSizes[0] ?? 0;
  }

  /** The lengths of the sequences, in the packed order. */
  get sortedLengths(): number[] {
    const lengths = new Array<number>(this.batch).fill(0);
    this.batchSizes.forEach((size) => {
      for (let b = 0; b < size; b++) lengths[b]++;
    });
    return lengths;
  }

  /** The same packing of other data. */
  withData<E extends DType>(data: Tensor<Shape, E>): PackedSequence<E> {
    return new PackedSequence(data, this.batchSizes, this.sortedIndices, this.unsortedIndices);
  }

  /** With the data in another dtype or on another device. */
  to(target: DType | Device): PackedSequence {
    const data = convert<Shape, DType>(this.data, target as DType);
    const [sorted, unsorted] = [this.sortedIndices, this.unsortedIndices].map((order) =>
      order === null ? null : convert<Shape, 'int64'>(order, data.device),
    );
    return new PackedSequence(data, this.batchSizes, sorted, unsorted);
  }

  /** @internal */
  _tensors(): Iterable<Tensor | null> {
    return [this.data, this.sortedIndices, this.unsortedIndices];
  }
}

/** An int64 vector. @internal */
export function orderOf(values: readonly number[], device: Device): Order {
  return fromTypedArray(BigInt64Array.from(values, BigInt), [values.length], { device });
}

/** For each value its position. Waits for the values. */
export function invertOrder(order: Order): Order {
  checkTensor('invertOrder', 'order', order);
  return orderOf(inverseOf(Array.from(order.dataSync(), Number)), order.device);
}

/** For each value of a permutation its position. @internal */
export function inverseOf(order: readonly number[]): number[] {
  const inverse = new Array<number>(order.length).fill(0);
  order.forEach((value, i) => {
    inverse[value] = i;
  });
  return inverse;
}
