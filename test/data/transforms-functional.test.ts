// The functional forms against reference values (golden/transforms.py).
import { describe, expect, test } from 'vitest';
import { data, fromTypedArray, ones, rand, zeros, type DType, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { readGoldens } from '../golden.js';

const F = data.transforms.functional;

interface Case {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
const goldens = readGoldens<Record<string, Case>>('transforms.json');

const bytes = (name = 'images'): Tensor<readonly number[], 'uint8'> =>
  fromTypedArray(Uint8Array.from(goldens[name].values), goldens[name].shape);
const floats = (dtype: 'float32' | 'float64' = 'float64'): Tensor => F.toDtype(bytes(), dtype, { scale: true });
const list = (t: Tensor): number[] => Array.from(t.dataSync() as Float64Array, Number);

function expectGolden(out: Tensor, name: string, tolerance: number, scale = 1): void {
  const golden = goldens[name];
  expect(out.shape).toEqual(golden.shape);
  const worst = list(out).reduce((most, v, i) => Math.max(most, Math.abs(v - golden.values[i] * scale)), 0);
  expect(worst, name).toBeLessThanOrEqual(tolerance);
}

const warped = {
  angle: [20, -40],
  translate: [
    [1, 0],
    [-2, 0],
  ],
  scale: [1.3, 0.8],
  shear: [
    [10, 0],
    [-5, 15],
  ],
} as const;
const corners = [
  [0, 0],
  [6, 0],
  [6, 5],
  [0, 5],
] as const;
const ends = [
  [
    [1, 0],
    [5, 1],
    [6, 5],
    [0, 4],
  ],
  [
    [0, 2],
    [6, 0],
    [5, 4],
    [1, 5],
  ],
] as const;

// Functions of images whose values scale with the images', with one parameter for each image.
const linear: Record<string, (x: Tensor) => Tensor> = {
  'affine nearest': (x) => F.affine(x, warped),
  'affine bilinear': (x) => F.affine(x, { ...warped, interpolation: 'bilinear' }),
  'affine centre': (x) => F.affine(x, { ...warped, interpolation: 'bilinear', center: [1, 2] }),
  rotate: (x) => F.rotate(x, [30, 250], { interpolation: 'bilinear' }),
  'rotate expand': (x) => F.rotate(x, 90, { expand: true }),
  perspective: (x) => F.perspective(x, corners, ends),
  resize: (x) => F.resize(x, [4, 9]),
  'resize plain': (x) => F.resize(x, [4, 9], { antialias: false }),
  resizedCrop: (x) => F.resizedCrop(x, [1, 0], [2, 0], [4, 6], [5, 3], [3, 4]),
  'resizedCrop nearest': (x) => F.resizedCrop(x, [1, 0], [2, 0], [4, 6], [5, 3], [3, 4], { interpolation: 'nearest' }),
  hue: (x) => F.adjustHue(x, [0.3, -0.45]),
  gaussianBlur: (x) => F.gaussianBlur(x, [3, 5], [0.7, 1.6]),
};
// The others, on floats only.
const ofFloats: Record<string, (x: Tensor) => Tensor> = {
  ...linear,
  'affine bicubic': (x) => F.affine(x, { ...warped, interpolation: 'bicubic' }),
  'affine fill': (x) => F.affine(x, { ...warped, interpolation: 'bilinear', fill: [0.2, 0.5, 1] }),
  'resize bicubic': (x) => F.resize(x, [9, 5], { interpolation: 'bicubic' }),
  grayscale: (x) => F.rgbToGrayscale(x),
  brightness: (x) => F.adjustBrightness(x, [0.4, 1.7]),
  contrast: (x) => F.adjustContrast(x, [0.4, 1.7]),
  saturation: (x) => F.adjustSaturation(x, [0.4, 1.7]),
  posterize: (x) => F.posterize(x, [2, 5]),
  autocontrast: (x) => F.autocontrast(x),
  sharpness: (x) => F.adjustSharpness(x, [0.4, 1.7]),
};
const ofBytes: Record<string, (x: Tensor) => Tensor> = {
  'brightness bytes': (x) => F.adjustBrightness(x, [0.4, 1.7]),
  'contrast bytes': (x) => F.adjustContrast(x, [0.4, 1.7]),
  'saturation bytes': (x) => F.adjustSaturation(x, [0.4, 1.7]),
  'posterize bytes': (x) => F.posterize(x, [2, 5]),
  'solarize bytes': (x) => F.solarize(x, [100, 200]),
};

describe('reference values', () => {
  test.each(Object.entries(ofFloats))('%s, float64', (name, run) => {
    expectGolden(run(floats()), name, 1e-8);
  });
  test.each(Object.entries(ofFloats))('%s, float32', (name, run) => {
    const out = run(floats('float32'));
    expect(out.dtype).toBe('float32');
    expectGolden(out, name, 1e-5);
  });
  test.each(Object.entries(linear))('%s, bytes', (name, run) => {
    const out = run(bytes());
    expect(out.dtype).toBe('uint8');
    expectGolden(out, name, 0.5 + 1e-4, 255);
  });
  test.each(Object.entries(ofBytes))('%s', (name, run) => {
    const out = run(bytes());
    expect(out.dtype).toBe('uint8');
    // A product that is a whole number but for rounding may be cut to the one below.
    expectGolden(out, name, name.startsWith('pos') || name.startsWith('sol') ? 0 : 1);
  });
  test('equalize', () => {
    expectGolden(F.equalize(bytes('equalize input')), 'equalize', 0);
    expectGolden(F.equalize(F.toDtype(bytes('equalize input'), 'float32', { scale: true })), 'equalize', 1e-7, 1 / 255);
  });
});

test('one number for all images is the same as one for each', () => {
  const x = floats('float32');
  const pairs: [Tensor, Tensor][] = [
    [F.adjustBrightness(x, 0.6), F.adjustBrightness(x, [0.6, 0.6])],
    [F.adjustHue(x, 0.2), F.adjustHue(x, [0.2, 0.2])],
    [F.rotate(x, 33), F.rotate(x, [33, 33])],
    [F.gaussianBlur(x, 3, 0.9), F.gaussianBlur(x, 3, [0.9, 0.9])],
    [F.erase(x, 1, 2, 3, 4, [1, 2, 3]), F.erase(x, [1, 1], [2, 2], [3, 3], [4, 4], [1, 2, 3])],
    [F.perspective(x, corners, ends[0]), F.perspective(x, corners, [ends[0], ends[0]])],
  ];
  for (const [a, b] of pairs) expect(list(a)).toEqual(list(b));
});

describe('what must not change anything', () => {
  const same: Record<string, (x: Tensor) => Tensor> = {
    affine: (x) => F.affine(x),
    'affine with a fill': (x) => F.affine(x, { fill: 0.3 }),
    'rotate by 360': (x) => F.rotate(x, 360),
    perspective: (x) => F.perspective(x, corners, corners, { interpolation: 'nearest' }),
    brightness: (x) => F.adjustBrightness(x, 1),
    contrast: (x) => F.adjustContrast(x, 1),
    saturation: (x) => F.adjustSaturation(x, 1),
    sharpness: (x) => F.adjustSharpness(x, 1),
    'invert twice': (x) => F.invert(F.invert(x)),
    resizedCrop: (x) => F.resizedCrop(x, 0, 0, 6, 7, [6, 7]),
    'an empty rectangle': (x) => F.erase(x, 0, 0, 0, 3, 1),
  };
  test.each(Object.entries(same))('%s', (_, run) => {
    expect(list(run(bytes()))).toEqual(list(bytes()));
    const [out, x] = [list(run(floats('float32'))), list(floats('float32'))];
    out.forEach((v, i) => expect(v).toBeCloseTo(x[i], 6));
  });
});

test('rotations by quarters are exact', () => {
  const square = rand([2, 3, 5, 5]);
  expect(list(F.rotate(square, 90))).toEqual(list(square.transpose(-1, -2).flip(-2)));
  expect(list(F.rotate(square, [180, 180]))).toEqual(list(square.flip([-1, -2])));
  // A fill that is nowhere seen, and one where the image has gone.
  expect(list(F.affine(square, { translate: [5, 0], fill: 7 })).every((v) => v === 7)).toBe(true);
});

test('erase, invert, solarize, normalize', () => {
  const x = ones([2, 1, 3, 3]);
  expect(list(F.erase(x, [0, 1], [1, 0], 2, [1, 3], 5)).map((v) => (v === 5 ? 1 : 0))).toEqual([
    0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1,
  ]);
  expect(list(F.invert(bytes()))).toEqual(goldens.images.values.map((v) => 255 - v));
  expect(list(F.solarize(ones([1, 1, 1, 1]).mul(0.5), 0.5))).toEqual([0.5]);
  const normal = list(F.normalize(floats(), [0.1, 0.2, 0.3], [0.5, 1, 2]));
  goldens.images.values.forEach((v, i) => {
    const c = Math.floor(i / 42) % 3;
    expect(normal[i]).toBeCloseTo((v / 255 - [0.1, 0.2, 0.3][c]) / [0.5, 1, 2][c], 10);
  });
});

test('toDtype', () => {
  const all = fromTypedArray(
    Uint8Array.from({ length: 256 }, (_, i) => i),
    [1, 1, 16, 16],
  );
  for (const dtype of ['float32', 'float64', 'float16'] as const) {
    const back = F.toDtype(F.toDtype(all, dtype, { scale: true }), 'uint8', { scale: true });
    expect(list(back)).toEqual(list(all));
  }
  expect(list(F.toDtype(ones([1, 1, 1, 1]).mul(3), 'uint8', { scale: true }))).toEqual([255]);
  expect(list(F.toDtype(all, 'float32'))).toEqual(list(all));
});

test('the shorter side, and a longest side', () => {
  const x = zeros([1, 1, 10, 25]);
  expect(F.resize(x, 4).shape).toEqual([1, 1, 4, 10]);
  expect(F.resize(x, 4, { maxSize: 5 }).shape).toEqual([1, 1, 2, 5]);
  expect(F.resize(x.transpose(-1, -2), 4).shape).toEqual([1, 1, 10, 4]);
});

test('no images, one image, half precision', () => {
  const cases: ((x: Tensor) => Tensor)[] = [
    ...Object.values({
      a: (x: Tensor) => F.affine(x, { angle: 10 }),
      b: (x: Tensor) => F.perspective(x, corners, ends[0]),
      c: (x: Tensor) => F.adjustHue(x, 0.1),
      d: (x: Tensor) => F.adjustContrast(x, 0.1),
      e: (x: Tensor) => F.equalize(x),
      f: (x: Tensor) => F.autocontrast(x),
      g: (x: Tensor) => F.gaussianBlur(x, 3, 1),
      h: (x: Tensor) => F.adjustSharpness(x, 2),
      i: (x: Tensor) => F.posterize(x, 2),
      j: (x: Tensor) => F.erase(x, 0, 0, 1, 1),
      k: (x: Tensor) => F.resizedCrop(x, 0, 0, 3, 3, [6, 7]),
      l: (x: Tensor) => F.solarize(x, 0.5),
    }),
  ];
  for (const run of cases) {
    for (const dtype of ['uint8', 'float32', 'float16', 'bfloat16'] as const satisfies readonly DType[]) {
      expect(run(zeros([0, 3, 6, 7], { dtype })).shape).toEqual([0, 3, 6, 7]);
      const one = run(ones([3, 6, 7], { dtype }));
      expect([one.shape, one.dtype]).toEqual([[3, 6, 7], dtype]);
    }
  }
});

test.each<[string, () => unknown, string]>([
  [
    'factors for another batch',
    () => F.adjustBrightness(floats(), [1]),
    'ArgumentError: adjustBrightness: factor must be a number or one for each of the 2 images, got 1 numbers.',
  ],
  [
    'a negative factor',
    () => F.adjustContrast(floats(), [1, -1]),
    'ArgumentError: adjustContrast: factor[1] must be a number >= 0, got -1.',
  ],
  [
    'a hue that is none',
    () => F.adjustHue(floats(), 0.6),
    'ArgumentError: adjustHue: factor must be a number from -0.5 to 0.5, got 0.6.',
  ],
  [
    'two channels',
    () => F.rgbToGrayscale(ones([1, 2, 3, 3])),
    'ShapeError: rgbToGrayscale: images must have 1 or 3 channels, got shape [1,2,3,3].',
  ],
  [
    'an even kernel',
    () => F.gaussianBlur(floats(), 4, 1),
    'ArgumentError: gaussianBlur: kernelSize must be odd, got 4.',
  ],
  [
    'a kernel that is too large',
    () => F.gaussianBlur(floats(), 13, 1),
    'ShapeError: gaussianBlur: a kernel of [13,13] is too large for images of shape [2,3,6,7].',
  ],
  [
    'bits that are none',
    () => F.posterize(floats(), 2.5),
    'ArgumentError: posterize: bits must be an integer from 0 to 8, got 2.5.',
  ],
  [
    'an interpolation that is none',
    () => F.rotate(floats(), 1, { interpolation: 'cubic' as 'bicubic' }),
    "ArgumentError: rotate: interpolation must be one of 'nearest', 'bilinear', 'bicubic', got 'cubic'.",
  ],
  ['a scale of 0', () => F.affine(floats(), { scale: 0 }), 'ArgumentError: affine: scale must be above 0, got 0.'],
  [
    'corners on one line',
    () =>
      F.perspective(floats(), corners, [
        [0, 0],
        [1, 1],
        [2, 2],
        [0, 5],
      ]),
    'ArgumentError: perspective: endPoints have three corners on one line: [[0,0],[1,1],[2,2],[0,5]].',
  ],
  [
    'a window outside',
    () => F.resizedCrop(floats(), 3, 0, 4, 4, 2),
    'ArgumentError: resizedCrop: height must be an integer from 1 to 3, got 4.',
  ],
  [
    'bytes to normalize',
    () => F.normalize(bytes(), 0, 1),
    "DTypeError: normalize: images must be floats, got uint8; convert them with toDtype(images, 'float32', { scale: true }).",
  ],
  ['a std of 0', () => F.normalize(floats(), 0, 0), 'ArgumentError: normalize: std must be above 0, got 0.'],
  [
    'means for other channels',
    () => F.normalize(floats(), [0, 0], 1),
    'ArgumentError: normalize: mean has 2 numbers for 3 channels.',
  ],
  [
    'a size that is none',
    () => F.resize(floats(), 0),
    'ArgumentError: resize: size must be an integer >= 1 or [height, width], got 0.',
  ],
  [
    'a longest side that is too short',
    () => F.resize(floats(), 4, { maxSize: 4 }),
    'ArgumentError: resize: maxSize must be above size 4, got 4.',
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
