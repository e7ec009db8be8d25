import { describe, expect, test } from 'vitest';
import { philox, sequentialIndices, shuffledIndices } from '../../src/data/sampler.js';

describe('philox', () => {
  // The known answers published with the Random123 library.
  test.each<[[number, number, number, number], [number, number], number[]]>([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])('known answer %#', (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

describe('shuffledIndices', () => {
  const sorted = (indices: Int32Array): Int32Array => indices.slice().sort();

  test('is a permutation, for every small length and a large one', () => {
    for (const length of [0, 1, 2, 3, 17, 60_000]) {
      expect(sorted(shuffledIndices(length, 1, 0))).toEqual(sequentialIndices(length));
    }
  });

  test('depends on seed and epoch, and on nothing else', () => {
    expect(shuffledIndices(100, 5, 3)).toEqual(shuffledIndices(100, 5, 3));
    expect(shuffledIndices(100, 5, 3)).not.toEqual(shuffledIndices(100, 5, 4));
    expect(shuffledIndices(100, 5, 3)).not.toEqual(shuffledIndices(100, 6, 3));
    expect(shuffledIndices(100, 5 + 2 ** 32, 3)).not.toEqual(shuffledIndices(100, 5, 3));
    // Pinned: the order is part of what a seed promises across versions.
    expect([...shuffledIndices(10, 42, 0)]).toEqual([2, 9, 0, 5, 4, 6, 1, 8, 3, 7]);
  });

  test('each place gets each number equally often', () => {
    const counts = Array.from({ length: 5 }, () => new Float64Array(5));
    const rounds = 20_000;
    for (let epoch = 0; epoch < rounds; epoch++) {
      shuffledIndices(5, 9, epoch).forEach((value, place) => {
        const row = counts[place] as Float64Array;
        row[value] = (row[value] ?? 0) + 1;
      });
    }
    // Chi-squared with 16 degrees of freedom is above 39.3 once in a thousand.
    const expected = rounds / 5;
    const chi = counts.flatMap((row) => [...row]).reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
    expect(chi).toBeLessThan(39.3);
  });
});
