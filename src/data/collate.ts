import { ArgumentError } from '../errors.js';
import { fromTypedArray, tensor } from '../ops/creation.js';
import { stack } from '../ops/join.js';
import { Tensor } from '../tensor/tensor.js';

type NumericArray = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** What `collate` makes of samples of a type. */
export type Collated<Sample> = Sample extends Tensor | NumericArray | number | bigint | boolean
  ? Tensor
  : Sample extends string
    ? string[]
    : Sample extends object
      ? { -readonly [K in keyof Sample]: Collated<Sample[K]> }
      : never;

const arrayTypes = [Float32Array, Float64Array, Int32Array, BigInt64Array, Uint8Array] as const;

function isNumericArray(value: unknown): value is NumericArray {
  return arrayTypes.some((type) => value instanceof type);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'object')
    return value instanceof Tensor ? 'a tensor' : `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}`;
}

/** All samples in one typed array: one copy into a tensor instead of one per sample. */
function stackArrays(samples: readonly NumericArray[], where: string): Tensor {
  const first = samples[0];
  const Type = arrayTypes.find((type) => first instanceof type) as Float32ArrayConstructor;
  const all = new Type(samples.length * first.length);
  samples.forEach((sample, i) => {
    if (!(sample instanceof Type) || sample.length !== first.length) {
      throw new ArgumentError(
        `collate: ${where} of sample ${i} is ${describe(sample)} of ${sample.length} elements, ` +
          `but sample 0 is ${describe(first)} of ${first.length}.`,
      );
    }
    all.set(sample, i * first.length);
  });
  return fromTypedArray(all, [samples.length, first.length]);
}

function collateAt(samples: readonly unknown[], where: string): unknown {
  const first = samples[0];
  const kind = (value: unknown): string => {
    if (value instanceof Tensor) return 'tensor';
    if (isNumericArray(value)) return 'typed array';
    return Array.isArray(value) ? 'array' : typeof value;
  };
  const odd = samples.findIndex((sample) => kind(sample) !== kind(first));
  if (odd >= 0) {
    const got = describe(samples[odd]);
    throw new ArgumentError(
      `collate: ${where} of sample ${odd} is ${got}, but that of sample 0 is ${describe(first)}.`,
    );
  }
  if (first instanceof Tensor) return stack(samples as Tensor[], 0);
  if (isNumericArray(first)) return stackArrays(samples as NumericArray[], where);
  if (typeof first === 'number') return tensor(samples as number[]);
  if (typeof first === 'bigint') return tensor(samples as bigint[]);
  if (typeof first === 'boolean') return tensor(samples as boolean[]);
  if (typeof first === 'string') return [...samples];
  if (Array.isArray(first)) {
    const odd = samples.findIndex((sample) => (sample as unknown[]).length !== first.length);
    if (odd >= 0) {
      const got = describe(samples[odd]);
      throw new ArgumentError(
        `collate: ${where} of sample ${odd} is ${got}, but that of sample 0 is ${describe(first)}.`,
      );
    }
    return first.map((_, column) =>
      collateAt(
        samples.map((sample) => (sample as unknown[])[column]),
        `${where}[${column}]`,
      ),
    );
  }
  if (typeof first === 'object' && first !== null) {
    const columns = Object.keys(first).map((key): [string, unknown] => [
      key,
      collateAt(
        samples.map((sample) => (sample as Record<string, unknown> | null)?.[key]),
        `${where}.${key}`,
      ),
    ]);
    return Object.fromEntries(columns);
  }
  throw new ArgumentError(
    `collate: ${where} of sample 0 is ${describe(first)}; give { collate } to make a batch of it.`,
  );
}

/**
 * Makes a batch of samples: tensors of one shape are stacked along a new first dimension, typed arrays of one length
 * become a tensor [B, length], numbers, bigints and booleans a tensor [B] (with `tensor()`'s dtypes, so give class labels
 * as bigint), strings an array; tuples and objects are collated field by field.
 *
 * @throws ArgumentError if the samples differ in kind or length, or there are none; ShapeError for tensors of different
 *   shapes
 *
 * @example
 * const [x, y] = data.collate([[zeros([3]), 1n], [ones([3]), 0n]]); // x: [2, 3] float32, y: [2] int64
 */
export function collate<Sample>(samples: readonly Sample[]): Collated<Sample> {
  if (samples.length === 0) throw new ArgumentError('collate: expected at least one sample.');
  return collateAt(samples, 'the value') as Collated<Sample>;
}
