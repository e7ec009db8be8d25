import { ArgumentError, DeviceError, IndexError, ShapeError } from '../errors.js';
import { fromTypedArray } from '../ops/creation.js';
import type { Shape } from '../shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Collated } from './collate.js';

/** Positions of samples; what a loader hands to `batch`. */
export type Indices = Int32Array | readonly number[];

/**
 * Samples that can be fetched by their position. `get` is enough; a dataset that can fetch many samples at once
 * faster than one by one (as `TensorDataset` can) has `batch` too.
 *
 * @example
 * const squares: data.Dataset<[number, number]> = { length: 100, get: (i) => [i, i * i] };
 */
export interface Dataset<Sample, Batch = Collated<Sample>> {
  /** The number of samples. */
  readonly length: number;
  /** The sample at a position from 0 to length - 1. */
  get(index: number): Sample | Promise<Sample>;
  /** The samples at several positions as one batch, where that is cheaper than collating single ones. */
  batch?(indices: Indices): Batch | Promise<Batch>;
}

/** The same tensors with the first dimension of any size: what a batch looks like. */
export type BatchOf<Tensors extends readonly Tensor[]> = {
  -readonly [K in keyof Tensors]: Tensors[K] extends Tensor<infer S, infer D>
    ? Tensor<S extends readonly [number, ...infer Rest extends number[]] ? readonly [number, ...Rest] : Shape, D>
    : never;
};

/** The same tensors without their first dimension: what one sample looks like. */
export type SampleOf<Tensors extends readonly Tensor[]> = {
  -readonly [K in keyof Tensors]: Tensors[K] extends Tensor<infer S, infer D>
    ? Tensor<S extends readonly [number, ...infer Rest extends number[]] ? Readonly<Rest> : Shape, D>
    : never;
};

/**
 * Samples that are the rows of tensors of the same length, such as images and labels. Batches are made by one native
 * gather per tensor, without touching the elements in JavaScript.
 *
 * @example
 * const dataset = new data.TensorDataset(randn([100, 3]), zeros([100], { dtype: 'int64' }));
 * const [x, y] = dataset.get(7); // shapes [3] and []
 * const [xs, ys] = dataset.batch([1, 2, 3]); // shapes [3, 3] and [3]
 */
export class TensorDataset<const Tensors extends readonly Tensor[]> implements Dataset<
  SampleOf<Tensors>,
  BatchOf<Tensors>
> {
  /** The tensors that the dataset was made of. */
  readonly tensors: Tensors;
  /** The number of samples: the first size of each tensor. */
  readonly length: number;

  /**
   * @param tensors at least one; each with at least one dimension, and all with the same first one, on one device
   * @throws ArgumentError without tensors, ShapeError for a 0-d tensor or lengths that differ, DeviceError for tensors
   *   on several devices
   */
  constructor(...tensors: Tensors) {
    const first = tensors[0];
    if (first === undefined) throw new ArgumentError('TensorDataset: expected at least one tensor.');
    tensors.forEach((tensor, i) => {
      if (!(tensor instanceof Tensor)) throw new ArgumentError(`TensorDataset: argument ${i} is not a tensor.`);
      if (tensor.shape.length === 0) throw new ShapeError(`TensorDataset: tensor ${i} is 0-d; it has no rows.`);
      if (tensor.shape[0] !== first.shape[0]) {
        throw new ShapeError(
          `TensorDataset: tensor 0 has ${first.shape[0]} rows, but tensor ${i} has ${tensor.shape[0]} ` +
            `(shapes [${first.shape.join(', ')}] and [${tensor.shape.join(', ')}]).`,
        );
      }
      if (tensor.device !== first.device) {
        throw new DeviceError(`TensorDataset: tensor 0 is on ${first.device}, but tensor ${i} is on ${tensor.device}.`);
      }
    });
    this.tensors = tensors;
    this.length = first.shape[0];
  }

  /**
   * One sample: a view of a row of each tensor. A negative index counts from the end.
   *
   * @throws IndexError if there is no such row
   */
  get(index: number): SampleOf<Tensors> {
    const row = this.#checked(index);
    return this.tensors.map((tensor) => tensor.select(0, row)) as unknown as SampleOf<Tensors>;
  }

  /**
   * Copies of the rows at the given positions, in that order.
   *
   * @throws IndexError if there is no such row
   */
  batch(indices: Indices): BatchOf<Tensors> {
    const rows = BigInt64Array.from(indices as ArrayLike<number>, (index) => BigInt(this.#checked(index)));
    const first = this.tensors[0];
    const index = fromTypedArray(rows, [rows.length], { dtype: 'int64', device: first.device });
    try {
      return this.tensors.map((tensor) => tensor.indexSelect(0, index)) as unknown as BatchOf<Tensors>;
    } finally {
      index.dispose();
    }
  }

  #checked(index: number): number {
    if (!Number.isInteger(index) || index < -this.length || index >= this.length) {
      throw new IndexError(`TensorDataset: index ${String(index)} is out of range for ${this.length} samples.`);
    }
    return index < 0 ? index + this.length : index;
  }
}
