// Sequences of different lengths as one tensor.
import { ArgumentError } from '../../errors.js';
import { fromTypedArray } from '../../ops/creation.js';
import type { Tensor } from '../../tensor/tensor.js';

/** Options of `padSequences`. */
export interface PadSequencesOptions {
  /** The length of all sequences in the result. Default: that of the longest. */
  readonly maxLen?: number;
  /** Where short sequences are padded: `'pre'` (default): at the start, or `'post'`: at the end. */
  readonly padding?: 'pre' | 'post';
  /** Where long sequences are cut: `'pre'` (default): their start goes, or `'post'`: their end goes. */
  readonly truncating?: 'pre' | 'post';
  /** The padding, an integer. Default 0. */
  readonly value?: number;
}

/** Sequences as a tensor. */
export interface PaddedSequences {
  /** `[N, maxLen]`. */
  readonly sequences: Tensor<readonly [number, number], 'int64'>;
  /** `[N]`: how many elements of each are no padding. */
  readonly lengths: Tensor<readonly [number], 'int64'>;
}

const sides: readonly string[] = ['pre', 'post'];

/**
 * Sequences of integers, brought to one length by padding and cutting them. By default both happen at the start, as in
 * Keras, so that what a recurrent net reads last is the end of the text; packed sequences (`nn.utils`) want `'post'`.
 *
 * @throws ArgumentError for options that are none, and for elements that are no integers, with their place
 * @example
 * data.transforms.padSequences([[1, 2, 3], [4]], { maxLen: 2 }).sequences; // [[2, 3], [0, 4]]
 */
export function padSequences(
  sequences: readonly ArrayLike<number>[],
  options: PadSequencesOptions = {},
): PaddedSequences {
  const { padding = 'pre', truncating = 'pre', value = 0 } = options;
  if (!Array.isArray(sequences))
    throw new ArgumentError(`padSequences: sequences must be an array of arrays, got ${typeof sequences}.`);
  for (const [name, side] of Object.entries({ padding, truncating })) {
    if (!sides.includes(side))
      throw new ArgumentError(`padSequences: ${name} must be 'pre' or 'post', got '${String(side)}'.`);
  }
  if (!Number.isSafeInteger(value))
    throw new ArgumentError(`padSequences: value must be an integer, got ${String(value)}.`);
  let longest = 0;
  sequences.forEach((sequence: unknown, n) => {
    const length =
      typeof sequence === 'object' && sequence !== null ? (sequence as ArrayLike<number>).length : undefined;
    if (!Number.isSafeInteger(length))
      throw new ArgumentError(`padSequences: sequence ${n} must be an array of integers, got ${String(sequence)}.`);
    longest = Math.max(longest, length as number);
  });
  const { maxLen = longest } = options;
  if (!Number.isSafeInteger(maxLen) || maxLen < 0)
    throw new ArgumentError(`padSequences: maxLen must be an integer >= 0, got ${String(maxLen)}.`);
  const count = sequences.length;
  const out = new BigInt64Array(count * maxLen).fill(BigInt(value));
  const lengths = new BigInt64Array(count);
  (sequences as readonly ArrayLike<number>[]).forEach((sequence, n) => {
    const kept = Math.min(sequence.length, maxLen);
    const from = truncating === 'pre' ? sequence.length - kept : 0;
    const to = n * maxLen + (padding === 'pre' ? maxLen - kept : 0);
    for (let i = 0; i < kept; i++) {
      const element: unknown = sequence[from + i];
      if (!Number.isSafeInteger(element)) {
        throw new ArgumentError(
          `padSequences: element ${from + i} of sequence ${n} must be an integer, got ${String(element)}.`,
        );
      }
      out[to + i] = BigInt(element as number);
    }
    lengths[n] = BigInt(kept);
  });
  return {
    sequences: fromTypedArray(out, [count, maxLen]),
    lengths: fromTypedArray(lengths, [count]),
  };
}
