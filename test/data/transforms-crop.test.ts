import { describe, expect, test } from 'vitest';
import { data, fromTypedArray, Generator, isTensor, ones, rand, tensor, zeros, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const T = data.transforms;
const F = T.functional;

/** Images whose pixels are all different. */
function images(n = 3, c = 2, h = 4, w = 5, dtype: 'float32' | 'uint8' = 'float32'): Tensor {
  const numbers = Float32Array.from({ length: n * c * h * w }, (_, i) => i);
  return fromTypedArray(numbers, [n, c, h, w]).to(dtype);
}
const list = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array, Number);
const nested = (t: Tensor): number[][][][] => t.arraySync() as unknown as number[][][][];

// What stands at a place outside a line of `size`, written another way than in the library: by walking.
function walk(place: number, size: number, mode: string): number {
  if (place >= 0 && place < size) return place;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return place < 0 ? 0 : size - 1;
  let at = place < 0 ? 0 : size - 1;
  let step = place < 0 ? 1 : -1;
  let rest = place < 0 ? -place : place - size + 1;
  if (mode === 'symmetric') rest--;
  for (; rest > 0 && size > 1; rest--) {
    if (at + step < 0 || at + step >= size) {
      step = -step;
      if (mode === 'symmetric') continue;
    }
    at += step;
  }
  return at;
}

describe('flips', () => {
  test('each image by its own draw; a seed decides', () => {
    const x = images(64);
    for (const [Flip, mirror] of [
      [T.RandomHorizontalFlip, (rows: number[][]) => rows.map((row) => [...row].reverse())],
      [T.RandomVerticalFlip, (rows: number[][]) => [...rows].reverse()],
    ] as const) {
      const out = nested(new Flip(0.5, { generator: new Generator(1) }).forward(x));
      let flipped = 0;
      nested(x).forEach((image, n) => {
        const turned = image.map(mirror);
        if (JSON.stringify(out[n]) === JSON.stringify(turned)) flipped++;
        else expect(out[n]).toEqual(image);
      });
      expect(flipped).toBeGreaterThan(16);
      expect(flipped).toBeLessThan(48);
      expect(nested(new Flip(0.5, { generator: new Generator(1) }).forward(x))).toEqual(out);
      expect(nested(new Flip(0.5, { generator: new Generator(2) }).forward(x))).not.toEqual(out);
    }
  });

  test('never and always', () => {
    const x = images();
    expect(list(new T.RandomHorizontalFlip(0).forward(x))).toEqual(list(x));
    expect(list(new T.RandomHorizontalFlip(1).forward(x))).toEqual(list(F.horizontalFlip(x)));
    expect(list(F.verticalFlip(F.verticalFlip(x)))).toEqual(list(x));
  });
});

describe('crop', () => {
  test.each(['constant', 'edge', 'reflect', 'symmetric'] as const)('outside, padding mode %s', (paddingMode) => {
    const x = images();
    const [tops, lefts, height, width] = [[-7, 1, 2], [-2, 3, 9], 6, 8];
    const out = nested(F.crop(x, tops, lefts, height, width, { paddingMode, fill: 500 }));
    const from = nested(x);
    for (let n = 0; n < 3; n++)
      for (let c = 0; c < 2; c++)
        for (let i = 0; i < height; i++)
          for (let j = 0; j < width; j++) {
            const [row, col] = [walk(tops[n] + i, 4, paddingMode), walk(lefts[n] + j, 5, paddingMode)];
            expect(out[n][c][i][j]).toBe(row < 0 || col < 0 ? 500 : from[n][c][row][col]);
          }
  });

  test('inside, one place for all, one image, bytes, a fill for each channel', () => {
    const x = images();
    expect(list(F.crop(x, 1, 2, 2, 3))).toEqual(list(x.narrow(2, 1, 2).narrow(3, 2, 3)));
    expect(F.crop(x.select(0, 0), 1, 2, 2, 3).shape).toEqual([2, 2, 3]);
    const bytes = F.crop(images(1, 2, 4, 5, 'uint8'), 3, 4, 2, 2, { fill: [7, 9] });
    expect(bytes.dtype).toBe('uint8');
    expect(list(bytes)).toEqual([19, 7, 7, 7, 39, 9, 9, 9]);
  });

  test('a crop of channels-last images', () => {
    const x = images().permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    expect(list(F.crop(x, [0, 1, 2], [2, 1, 0], 2, 2))).toEqual(list(F.crop(images(), [0, 1, 2], [2, 1, 0], 2, 2)));
  });

  test('RandomCrop draws every place, for each image', () => {
    const x = images(400, 1, 4, 4);
    const out = nested(new T.RandomCrop(3, { padding: 1, fill: -1, generator: new Generator(3) }).forward(x));
    const places = new Set<string>();
    out.forEach(([image], n) => {
      // The first pixel that is inside tells where the window is.
      const row = image.findIndex((line) => line.some((v) => v >= 0));
      const col = image[row].findIndex((v) => v >= 0);
      const at = image[row][col] - 16 * n;
      const [top, left] = [Math.floor(at / 4) - row, (at % 4) - col];
      places.add(`${top},${left}`);
      image.forEach((line, i) =>
        line.forEach((v, j) => {
          const [r, c] = [top + i, left + j];
          expect(v).toBe(r < 0 || c < 0 || r > 3 || c > 3 ? -1 : 16 * n + 4 * r + c);
        }),
      );
    });
    expect(places.size).toBe(16);
  });

  test('RandomCrop pads if needed', () => {
    const x = images(2, 1, 2, 2);
    const out = new T.RandomCrop([3, 2], { padIfNeeded: true, generator: new Generator(0) }).forward(x);
    expect(out.shape).toEqual([2, 1, 3, 2]);
    expect(list(out).reduce((a, b) => a + b)).toBe(28);
  });

  test('CenterCrop, of larger and smaller images', () => {
    expect(list(new T.CenterCrop([2, 2]).forward(images(1, 1, 4, 5)))).toEqual([7, 8, 12, 13]);
    expect(list(F.centerCrop(images(1, 1, 1, 1).add(1), 4))).toEqual([0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

test('batches of none and of one', () => {
  for (const count of [0, 1]) {
    const x = zeros([count, 3, 8, 8]);
    expect(new T.RandomHorizontalFlip().forward(x).shape).toEqual([count, 3, 8, 8]);
    expect(new T.RandomCrop(6, { padding: 2 }).forward(x).shape).toEqual([count, 3, 6, 6]);
    expect(new T.CenterCrop(5).forward(x).shape).toEqual([count, 3, 5, 5]);
  }
});

test('nothing is recorded', () => {
  const x = rand([2, 1, 4, 4], { requiresGrad: true });
  const out = new T.RandomHorizontalFlip(1).forward(x);
  expect(isTensor(out) && out.requiresGrad).toBe(false);
});

test.each<[string, () => unknown, string]>([
  [
    'a probability that is none',
    () => new T.RandomHorizontalFlip(1.5),
    'ArgumentError: RandomHorizontalFlip: p must be a number from 0 to 1, got 1.5.',
  ],
  [
    'a size that is none',
    () => new T.RandomCrop([3, 0]),
    'ArgumentError: RandomCrop: size must be an integer >= 1 or [height, width], got [3, 0].',
  ],
  [
    'padding that is none',
    () => new T.RandomCrop(3, { padding: -1 }),
    'ArgumentError: RandomCrop: padding must be an integer >= 0, or 2 or 4 of them, got -1.',
  ],
  [
    'a padding mode that is none',
    () => new T.RandomCrop(3, { paddingMode: 'wrap' as 'edge' }),
    "ArgumentError: RandomCrop: paddingMode must be one of 'constant', 'edge', 'reflect', 'symmetric', got 'wrap'.",
  ],
  [
    'a generator that is none',
    () => new T.RandomCrop(3, { generator: 5 as unknown as Generator }),
    'ArgumentError: RandomCrop: generator must be a Generator, got number.',
  ],
  [
    'a window that is too large',
    () => new T.RandomCrop(9).forward(images()),
    'ShapeError: RandomCrop: a window of [9,9] does not fit images whose side is 4 with padding; set padIfNeeded.',
  ],
  [
    'places for another batch',
    () => F.crop(images(), [1, 2], 0, 2, 2),
    'ArgumentError: crop: top must be a number or one for each of the 3 images, got 2 numbers.',
  ],
  [
    'a fill for other channels',
    () => F.crop(images(), 3, 0, 2, 2, { fill: [1, 2, 3] }),
    'ArgumentError: crop: fill must be a number or one for each of the 2 channels, got 3 numbers.',
  ],
  [
    'no images',
    () => F.horizontalFlip(ones([3, 3])),
    'ShapeError: horizontalFlip: images must be [N, C, H, W] or [C, H, W], got shape [3,3].',
  ],
  [
    'integers',
    () => F.horizontalFlip(tensor([[[1]]], { dtype: 'int64' })),
    'DTypeError: horizontalFlip: images must be uint8 (0 to 255) or floats (0 to 1), got int64.',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
