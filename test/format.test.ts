import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DType } from '../src/dtype.js';
import { edgeRanges, edgeShape, formatTensor, isSummarized, readEdges } from '../src/tensor/format.js';

interface Golden {
  readonly shape: number[];
  readonly dtype: DType;
  /** What PyTorch prints, up to the first suffix; its True and False in lower case. */
  readonly text: string;
  readonly values?: (number | string | boolean)[];
  /** Value i is i * step. */
  readonly step?: number;
  /** Value i is true if i is a multiple of this. */
  readonly every?: number;
}

const goldens = JSON.parse(readFileSync(new URL('./golden/format.json', import.meta.url), 'utf8')) as Golden[];

function valuesOf({ shape, dtype, values, step, every }: Golden): number[] | bigint[] {
  if (values !== undefined) {
    if (dtype === 'int64') return values.map((value) => BigInt(value));
    return values.map((value) => (value === 'inf' ? Infinity : value === '-inf' ? -Infinity : Number(value)));
  }
  const length = shape.reduce((product, dim) => product * dim, 1);
  if (every !== undefined) return Array.from({ length }, (_, i) => Number(i % every === 0));
  if (dtype === 'int64') return Array.from({ length }, (_, i) => BigInt(i * step!));
  return Array.from({ length }, (_, i) => i * step!);
}

const cpu = { device: 'cpu' };

describe('formatTensor', () => {
  test.each(
    goldens.map((golden) => [`${golden.dtype} [${golden.shape.join()}] ${golden.text.slice(0, 40)}`, golden] as const),
  )('prints values as PyTorch does: %s', (_, golden) => {
    const printed = formatTensor(valuesOf(golden), { shape: golden.shape, dtype: golden.dtype, ...cpu });
    const suffix = /,\s+shape=\[[\d,]*\],\s+dtype=\w+,\s+device=cpu\)$/;
    expect(printed).toMatch(suffix);
    expect(printed.replace(suffix, '')).toBe(golden.text);
    for (const line of printed.split('\n')) expect(line.length).toBeLessThanOrEqual(81);
  });

  test('shape, dtype and device follow', () => {
    expect(formatTensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'float32', ...cpu })).toBe(
      'tensor([[1., 2.],\n        [3., 4.]], shape=[2,2], dtype=float32, device=cpu)',
    );
    expect(formatTensor([3.5], { shape: [], dtype: 'float64', device: 'cuda:1' })).toBe(
      'tensor(3.5000, shape=[], dtype=float64, device=cuda:1)',
    );
    expect(formatTensor([], { shape: [0, 3], dtype: 'int32', ...cpu })).toBe(
      'tensor([], shape=[0,3], dtype=int32, device=cpu)',
    );
  });

  test('what autograd knows comes last', () => {
    const info = { shape: [1], dtype: 'float32', device: 'cpu' } as const;
    expect(formatTensor([1], { ...info, requiresGrad: true })).toBe(
      'tensor([1.], shape=[1], dtype=float32, device=cpu, requiresGrad=true)',
    );
    expect(formatTensor([1], { ...info, requiresGrad: true, gradFn: 'matmul' })).toBe(
      'tensor([1.], shape=[1], dtype=float32, device=cpu, gradFn=<matmul>)',
    );
  });

  test('a long last line pushes the suffixes to the next', () => {
    const printed = formatTensor(
      Array.from({ length: 12 }, (_, i) => i),
      { shape: [12], dtype: 'float32', ...cpu },
    );
    expect(printed).toBe(
      'tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.], shape=[12],\n' +
        '       dtype=float32, device=cpu)',
    );
  });

  test('booleans are JavaScript words', () => {
    expect(formatTensor([1, 1], { shape: [2], dtype: 'bool', ...cpu })).toBe(
      'tensor([true, true], shape=[2], dtype=bool, device=cpu)',
    );
  });
});

describe('summaries', () => {
  test('start above 1,000 elements', () => {
    expect(isSummarized([1000])).toBe(false);
    expect(isSummarized([1001])).toBe(true);
    expect(isSummarized([1001, 0])).toBe(false);
    expect(edgeShape([10, 100])).toEqual([10, 100]);
    expect(edgeShape([2, 501])).toEqual([2, 6]);
    expect(edgeRanges([1000, 4])).toEqual([
      [
        { start: 0, end: 3 },
        { start: 997, end: 1000 },
      ],
      [{ start: 0, end: 4 }],
    ]);
    expect(edgeRanges([])).toEqual([]);
  });

  test('readEdges gives what formatTensor needs, without touching the rest', () => {
    for (const shape of [[1001], [5, 300], [300, 5], [20, 30, 8], [3, 7, 2, 60]]) {
      const all = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);
      let reads = 0;
      const edges = readEdges<number>(shape, (block) => {
        let values = [0];
        for (const [d, { start, end }] of block.entries()) {
          values = values.flatMap((at) => Array.from({ length: end - start }, (_, i) => at * shape[d] + start + i));
        }
        reads += values.length;
        return values.map((at) => all[at]);
      });
      expect(edges).toHaveLength(edgeShape(shape).reduce((a, b) => a * b, 1));
      expect(reads).toBe(edges.length);
      const info = { shape, dtype: 'float32', device: 'cpu' } as const;
      expect(formatTensor(edges, info)).toBe(formatTensor(all, info));
    }
  });

  test('a tensor of 4 TB is printed from 36 elements', () => {
    const shape = [1e6, 1e6];
    let reads = 0;
    const edges = readEdges<number>(shape, (block) => {
      reads += 9;
      return new Array<number>(9).fill(block[0].start === 0 ? 1 : 2);
    });
    expect(reads).toBe(36);
    expect(formatTensor(edges, { shape, dtype: 'float32', ...cpu })).toBe(
      `tensor([[1., 1., 1.,  ..., 1., 1., 1.],
        [1., 1., 1.,  ..., 1., 1., 1.],
        [1., 1., 1.,  ..., 1., 1., 1.],
        ...,
        [2., 2., 2.,  ..., 2., 2., 2.],
        [2., 2., 2.,  ..., 2., 2., 2.],
        [2., 2., 2.,  ..., 2., 2., 2.]], shape=[1000000,1000000], dtype=float32,
       device=cpu)`,
    );
  });
});
