import { describe, expect, test } from 'vitest';
import { data } from 'thalweg';
import { errorOf } from '../error-of.js';

const { padSequences } = data.transforms;
const rows = (...given: Parameters<typeof padSequences>): number[][] =>
  padSequences(...given)
    .sequences.arraySync()
    .map((row) => row.map(Number));

describe('padSequences', () => {
  const lists = [[1], [2, 3], [4, 5, 6]];

  test('pads and cuts at the start by default, as Keras', () => {
    expect(rows(lists)).toEqual([
      [0, 0, 1],
      [0, 2, 3],
      [4, 5, 6],
    ]);
    expect(rows(lists, { maxLen: 2 })).toEqual([
      [0, 1],
      [2, 3],
      [5, 6],
    ]);
  });

  test('at the end', () => {
    const options = { padding: 'post', truncating: 'post', maxLen: 2, value: -1 } as const;
    expect(rows(lists, options)).toEqual([
      [1, -1],
      [2, 3],
      [4, 5],
    ]);
    expect(padSequences(lists, options).lengths.arraySync()).toEqual([1n, 2n, 2n]);
  });

  test('typed arrays, empty sequences, no sequences', () => {
    expect(rows([Int32Array.of(7), []])).toEqual([[7], [0]]);
    expect(padSequences([]).sequences.shape).toEqual([0, 0]);
    expect(padSequences([[1], [2]], { maxLen: 0 }).sequences.shape).toEqual([2, 0]);
  });
});

test.each<[string, () => unknown, string]>([
  [
    'a side that is none',
    () => padSequences([[1]], { padding: 'left' as 'pre' }),
    "ArgumentError: padSequences: padding must be 'pre' or 'post', got 'left'.",
  ],
  [
    'a fraction',
    () => padSequences([[1], [2, 0.5]]),
    'ArgumentError: padSequences: element 1 of sequence 1 must be an integer, got 0.5.',
  ],
  [
    'a sequence that is none',
    () => padSequences([[1], 5 as unknown as number[]]),
    'ArgumentError: padSequences: sequence 1 must be an array of integers, got 5.',
  ],
  [
    'a length that is none',
    () => padSequences([[1]], { maxLen: -1 }),
    'ArgumentError: padSequences: maxLen must be an integer >= 0, got -1.',
  ],
  [
    'a value that is none',
    () => padSequences([[1]], { value: NaN }),
    'ArgumentError: padSequences: value must be an integer, got NaN.',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
