// Products against sums in float64, on sizes and layouts that the samples are too small for.
import { describe, expect, test } from 'vitest';
import {
  broadcastTo,
  fromTypedArray,
  getNumThreads,
  linear,
  matmul,
  mT,
  nn,
  ones,
  setNumThreads,
  slice,
  tensor,
  tidy,
  zeros,
  type DType,
  type Tensor,
} from 'thalweg';

// A small generator with a seed: mulberry32.
function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

// Rounding of sums (float32 for the 16-bit floats) and of the result: relative, and what is lost near 0.
const roundings: Readonly<Record<'float32' | 'float64' | 'float16' | 'bfloat16', readonly [number, number, number]>> = {
  float32: [2 ** -24, 2 ** -24, 0],
  float64: [2 ** -53, 2 ** -53, 0],
  float16: [2 ** -24, 2 ** -11, 2 ** -25],
  bfloat16: [2 ** -24, 2 ** -8, 0],
};
type FloatName = keyof typeof roundings;
const names = Object.keys(roundings) as FloatName[];

const layouts = ['contiguous', 'transposed', 'strided', 'window', 'transposed window'] as const;

/** A matrix, or a batch of them, that lies in memory in one of several ways among numbers that must not be used. */
function matrix(
  random: () => number,
  batch: readonly number[],
  rows: number,
  columns: number,
  dtype: DType,
  layout: (typeof layouts)[number],
): Tensor {
  const values = (shape: readonly number[]): Tensor => {
    const size = shape.reduce((n, s) => n * s, 1);
    return fromTypedArray(
      Float64Array.from({ length: size }, () => random() * 2 - 1),
      shape,
    ).to(dtype);
  };
  const inside = (outer: Tensor, x: Tensor, view: (t: Tensor) => Tensor): Tensor => {
    view(outer).copy_(x);
    return view(outer);
  };
  const x = values([...batch, rows, columns]);
  const nan = (r: number, c: number): Tensor => zeros([...batch, r, c], { dtype }).fill_(NaN);
  const row = batch.length;
  switch (layout) {
    case 'contiguous':
      return x;
    case 'transposed':
      return mT(mT(x).contiguous());
    case 'strided':
      return inside(nan(2 * rows + 1, 3 * columns + 2), x, (t) =>
        slice(slice(t, row, 1, 2 * rows + 1, 2), row + 1, 2, 3 * columns + 2, 3),
      );
    case 'window':
      return inside(nan(rows + 3, columns + 5), x, (t) => slice(slice(t, row, 1, rows + 1), row + 1, 3, columns + 3));
    case 'transposed window':
      return inside(nan(columns + 5, rows + 3), x, (t) =>
        mT(slice(slice(t, row, 2, columns + 2), row + 1, 1, rows + 1)),
      );
  }
}

const numbers = (x: Tensor): Float64Array => x.to('float64').contiguous().dataSync();

/** The largest error of out, in units of what rounding may do, with a and b broadcast to out's batch. */
function excess(out: Tensor, a: Tensor, b: Tensor, bias: Tensor | null, name: FloatName): number {
  const [m, k] = a.shape.slice(-2);
  const n = b.shape[b.shape.length - 1];
  const batch = out.shape.slice(0, -2);
  const av = numbers(broadcastTo(a, [...batch, m, k]));
  const bv = numbers(broadcastTo(b, [...batch, k, n]));
  const cv = numbers(out);
  const biasValues = bias === null ? null : numbers(bias);
  const [ofSums, ofResult, nearZero] = roundings[name];
  let worst = 0;
  for (let p = 0; p * m * n < cv.length; p++) {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = biasValues === null ? 0 : biasValues[j];
        let size = Math.abs(sum);
        for (let at = 0; at < k; at++) {
          const term = av[(p * m + i) * k + at] * bv[(p * k + at) * n + j];
          sum += term;
          size += Math.abs(term);
        }
        const error = Math.abs(cv[(p * m + i) * n + j] - sum);
        const bound = (k + 2) * ofSums * size + ofResult * Math.abs(sum) + nearZero;
        worst = Math.max(worst, error === 0 ? 0 : error <= bound ? error / bound : Infinity);
      }
    }
  }
  return worst;
}

function check(
  seed: number,
  name: FloatName,
  sizeOf: (random: () => number) => readonly [number, number, number],
): void {
  tidy(() => {
    const random = randomSource(seed);
    const pick = <T>(choices: readonly T[]): T => choices[Math.floor(random() * choices.length)];
    const [m, n, k] = sizeOf(random);
    const [batchA, batchB] = pick<readonly [readonly number[], readonly number[]]>([
      [[], []],
      [[], []],
      [[3], [3]],
      [[2], []],
      [[], [2]],
      [[2, 1], [3]],
    ]);
    const layoutA = pick(layouts);
    const layoutB = pick(layouts);
    const what = `seed ${seed}: [${batchA.join()}] x [${batchB.join()}], ${m} x ${k} ${layoutA}, ${k} x ${n} ${layoutB}`;
    const a = matrix(random, batchA, m, k, name, layoutA);
    const b = matrix(random, batchB, k, n, name, layoutB);
    expect(excess(matmul(a, b), a, b, null, name), what).toBeLessThanOrEqual(1);
    if (batchB.length === 0) {
      const bias = matrix(random, [], 1, n, name, 'contiguous').reshape([n]);
      const out = linear(a, mT(b), bias);
      expect(excess(out, a, b, bias, name), `${what}, with bias`).toBeLessThanOrEqual(1);
    }
  });
}

describe.each(names)('%s', (name) => {
  test('any size from 1 to 130', () => {
    for (let seed = 0; seed < 60; seed++)
      check(seed, name, (random) => {
        const limit = [4, 20, 70, 130][Math.floor(random() * 4)];
        const size = (): number => 1 + Math.floor(random() * limit);
        return [size(), size(), size()];
      });
  });

  test('a row, a column, a number', () => {
    for (let seed = 100; seed < 120; seed++)
      check(seed, name, (random) => {
        const size = (): number => 1 + Math.floor(random() * 600);
        return [
          [1, size(), size()] as const,
          [size(), 1, size()] as const,
          [1, 1, size()] as const,
          [size(), size(), 1] as const,
        ][seed % 4];
      });
  });

  // Packed by all threads together, in several blocks of each dimension; sums of many terms cut along K.
  test.each([
    [530, 300, 70],
    [67, 70, 1100],
    [300, 520, 65],
    [5, 40, 4500],
    [1, 700, 1200],
  ])('%d x %d sums of %d terms', (m, n, k) => {
    for (let seed = 200; seed < 203; seed++) check(seed, name, () => [m, n, k]);
  });

  test('some rows times a matrix that lies transposed', () => {
    for (const [m, n, k] of [
      [25, 50, 64],
      [31, 97, 70],
      [48, 130, 300],
      [96, 205, 65],
    ]) {
      tidy(() => {
        const random = randomSource(m);
        for (const batch of [[], [3]]) {
          const a = matrix(random, batch, m, k, name, 'window');
          const b = matrix(random, [], k, n, name, 'transposed window');
          expect(excess(matmul(a, b), a, b, null, name)).toBeLessThanOrEqual(1);
          const bias = matrix(random, [], 1, n, name, 'contiguous').reshape([n]);
          expect(excess(linear(a, mT(b), bias), a, b, bias, name)).toBeLessThanOrEqual(1);
        }
      });
    }
  });

  test('not a number and infinity go where they belong', () => {
    const a = ones([40, 100], { dtype: name });
    const b = ones([100, 70], { dtype: name });
    slice(slice(a, 0, 7, 8), 1, 99, 100).fill_(NaN);
    slice(slice(b, 0, 50, 51), 1, 69, 70).fill_(Infinity);
    const out = numbers(matmul(a, b));
    for (let i = 0; i < 40; i++)
      for (let j = 0; j < 70; j++) expect(out[i * 70 + j]).toBe(i === 7 ? NaN : j === 69 ? Infinity : 100);
  });
});

test('the same bits for any number of threads', () => {
  const threads = getNumThreads();
  try {
    for (const name of names) {
      for (const [m, n, k] of [
        [300, 200, 1500],
        [9, 5000, 64],
        [1, 900, 2000],
        [12, 12, 6000],
        [64, 3000, 100],
      ]) {
        const random = randomSource(m);
        const a = matrix(random, [], m, k, name, 'contiguous');
        const b = matrix(random, [], k, n, name, m === 64 ? 'transposed' : 'contiguous');
        const results = [1, 2, 3].map((count) => {
          setNumThreads(count);
          return Buffer.from(numbers(matmul(a, b)).buffer);
        });
        expect(results.map((result) => result.equals(results[0]))).toEqual([true, true, true]);
      }
    }
  } finally {
    setNumThreads(threads);
  }
});

test('integers wrap, in every product of a batch', () => {
  const a = tensor([[[1, 2]], [[3, 250]]], { dtype: 'uint8' });
  const b = tensor(
    [
      [[2], [3]],
      [[100], [7]],
    ],
    { dtype: 'uint8' },
  );
  expect(numbers(matmul(a, b))).toEqual(Float64Array.of(8, (300 + 1750) % 256));
  const layer = new nn.Linear(3, 2);
  expect(layer.forward(ones([0, 3])).shape).toEqual([0, 2]);
  expect(numbers(matmul(ones([2, 0]), ones([0, 3])))).toEqual(new Float64Array(6));
});
