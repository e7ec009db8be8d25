// The random transforms: they agree with the functional forms, each image has parameters of its own, a seed decides.
import { describe, expect, test } from 'vitest';
import { data, Generator, manualSeed, ones, rand, tensor, zeros, type DType, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';

const T = data.transforms;
const F = T.functional;
const list = (t: Tensor): number[] => Array.from(t.dataSync() as Float32Array, Number);
const images = (n = 8, dtype: 'float32' | 'uint8' = 'float32', size = 12): Tensor =>
  F.toDtype(rand([n, 3, size, size], { generator: new Generator(5) }), dtype, { scale: true });
/** The same image, many times. */
const copies = (n: number, size = 12): Tensor => images(1, 'float32', size).expand([n, 3, size, size]).contiguous();
const each = (t: Tensor): string[] => t.unbind(0).map((image) => list(image).join());

type Make = (generator: Generator) => data.transforms.ImageTransform;
const all: Record<string, Make> = {
  RandomHorizontalFlip: (generator) => new T.RandomHorizontalFlip(0.5, { generator }),
  RandomVerticalFlip: (generator) => new T.RandomVerticalFlip(0.5, { generator }),
  RandomCrop: (generator) => new T.RandomCrop(12, { padding: 3, generator }),
  RandomResizedCrop: (generator) => new T.RandomResizedCrop(12, { generator }),
  RandomRotation: (generator) => new T.RandomRotation(40, { generator }),
  RandomAffine: (generator) =>
    new T.RandomAffine([10, 20], { translate: [0.2, 0.3], scale: [0.5, 2], shear: [-5, 5, -3, 3], generator }),
  RandomPerspective: (generator) => new T.RandomPerspective({ generator }),
  ColorJitter: (generator) =>
    new T.ColorJitter({ brightness: 0.5, contrast: 0.5, saturation: 0.5, hue: 0.2, generator }),
  RandomGrayscale: (generator) => new T.RandomGrayscale(0.5, { generator }),
  RandomInvert: (generator) => new T.RandomInvert(0.5, { generator }),
  RandomAutocontrast: (generator) => new T.RandomAutocontrast(0.5, { generator }),
  RandomEqualize: (generator) => new T.RandomEqualize(0.5, { generator }),
  RandomPosterize: (generator) => new T.RandomPosterize(2, { generator }),
  RandomSolarize: (generator) => new T.RandomSolarize(0.5, { generator }),
  RandomAdjustSharpness: (generator) => new T.RandomAdjustSharpness(2, { generator }),
  RandomErasing: (generator) => new T.RandomErasing({ generator }),
  'RandomErasing with noise': (generator) => new T.RandomErasing({ value: 'random', generator }),
  GaussianBlur: (generator) => new T.GaussianBlur(3, { generator }),
  'AutoAugment imagenet': (generator) => new T.AutoAugment('imagenet', { generator }),
  'AutoAugment cifar10': (generator) => new T.AutoAugment('cifar10', { generator }),
  'AutoAugment svhn': (generator) => new T.AutoAugment('svhn', { generator }),
  RandAugment: (generator) => new T.RandAugment({ generator }),
  TrivialAugmentWide: (generator) => new T.TrivialAugmentWide({ generator }),
  RandomApply: (generator) => new T.RandomApply([new T.GaussianBlur(3, { generator })], 0.5, { generator }),
  RandomChoice: (generator) =>
    new T.RandomChoice([new T.RandomInvert(1, { generator }), new T.Grayscale(3)], { generator }),
  Compose: (generator) =>
    new T.Compose([new T.RandomCrop(12, { padding: 1, generator }), new T.RandomInvert(0.5, { generator })]),
};

describe.each(Object.entries(all))('%s', (_, make) => {
  test('a seed decides; images of one batch differ', () => {
    const x = copies(16);
    const run = (seed: number): Tensor => make(new Generator(seed)).forward(x);
    const out = run(1);
    expect(each(run(1))).toEqual(each(out));
    expect(each(run(2))).not.toEqual(each(out));
    expect(new Set(each(out)).size).toBeGreaterThan(1);
    expect(list(out).every(Number.isFinite)).toBe(true);
  });

  test('keeps dtype and shape; batches of none and one, and one image', () => {
    const transform = make(new Generator(3));
    for (const dtype of ['uint8', 'float32', 'float64', 'float16'] as const satisfies readonly DType[]) {
      for (const shape of [
        [3, 3, 12, 12],
        [1, 3, 12, 12],
        [0, 3, 12, 12],
        [3, 12, 12],
      ]) {
        const out = transform.forward(ones(shape, { dtype }));
        expect([out.shape, out.dtype]).toEqual([shape, dtype]);
      }
    }
  });
});

test('the generator of manualSeed is used when none is given', () => {
  const run = (): number[] => {
    manualSeed(11);
    return list(new T.RandAugment().forward(images()));
  };
  expect(run()).toEqual(run());
});

test('a generator that is put back draws the same again', () => {
  const generator = new Generator(1);
  const jitter = new T.ColorJitter({ brightness: 0.9, generator });
  jitter.forward(images());
  const state = generator.getState();
  const second = list(jitter.forward(images()));
  generator.setState(state);
  expect(list(jitter.forward(images()))).toEqual(second);
});

test('a batch of images that were changed one by one', () => {
  // What is drawn for an image depends on its place only, so the first image is changed as it would be alone.
  for (const make of [all.RandomRotation, all.RandomGrayscale, all.RandomCrop]) {
    const whole = make(new Generator(9)).forward(images());
    const first = make(new Generator(9)).forward(images().narrow(0, 0, 1));
    expect(list(whole.narrow(0, 0, 1))).toEqual(list(first));
  }
});

describe('draws are spread as they should be', () => {
  const seeded = { generator: new Generator(4) };
  const means = (t: Tensor): number[] => list(t.mean([1, 2, 3]));
  const mean = (values: number[]): number => values.reduce((a, b) => a + b) / values.length;

  test('brightness', () => {
    const factors = means(new T.ColorJitter({ brightness: [0.2, 0.6], ...seeded }).forward(ones([2000, 1, 1, 1])));
    expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.2);
    expect(Math.max(...factors)).toBeLessThanOrEqual(0.6);
    expect(mean(factors)).toBeCloseTo(0.4, 2);
  });

  test('erased areas', () => {
    const erased = means(new T.RandomErasing({ p: 1, scale: [0.1, 0.3], ...seeded }).forward(ones([1000, 1, 40, 40])));
    const shares = erased.map((kept) => 1 - kept);
    // Sides are rounded to whole pixels.
    expect(Math.min(...shares)).toBeGreaterThan(0.08);
    expect(Math.max(...shares)).toBeLessThan(0.33);
    expect(mean(shares)).toBeCloseTo(0.2, 1);
  });

  test('a probability', () => {
    const inverted = means(new T.RandomInvert(0.3, seeded).forward(zeros([4000, 1, 1, 1])));
    expect(mean(inverted)).toBeCloseTo(0.3, 1);
  });

  test('a choice with likelihoods', () => {
    const choice = new T.RandomChoice([new T.RandomInvert(1), new T.RandomInvert(0)], { p: [3, 1], ...seeded });
    expect(mean(means(choice.forward(zeros([4000, 1, 1, 1]))))).toBeCloseTo(0.75, 1);
  });

  test('windows of RandomResizedCrop', () => {
    // Each pixel tells its place, and bilinear windows keep straight lines straight: corners tell the window.
    const line = tensor(Array.from({ length: 50 }, (_, i) => i));
    const x = line.reshape([1, 1, 1, 50]).expand([500, 1, 50, 50]).contiguous();
    const out = new T.RandomResizedCrop(10, { scale: [0.2, 0.5], antialias: false, ...seeded }).forward(x);
    const rows = out.select(1, 0).select(1, 0).arraySync() as unknown as number[][];
    const widths = rows.map((row) => ((row[8] - row[1]) / 7) * 10);
    // sqrt(area * ratio), area from a fifth to a half of 2500.
    expect(Math.min(...widths)).toBeGreaterThan(Math.sqrt(500 * 0.75) - 1);
    expect(Math.max(...widths)).toBeLessThan(Math.sqrt(1250 / 0.75) + 1);
  });
});

test('classes do what the functions do', () => {
  const x = images();
  expect(list(new T.RandomRotation([30, 30], { interpolation: 'bilinear' }).forward(x))).toEqual(
    list(F.rotate(x, 30, { interpolation: 'bilinear' })),
  );
  const fixed = new T.RandomAffine([10, 10], { scale: [2, 2], shear: [5, 5], fill: 0.5 });
  expect(list(fixed.forward(x))).toEqual(list(F.affine(x, { angle: 10, scale: 2, shear: [5, 0], fill: 0.5 })));
  expect(list(new T.GaussianBlur([3, 5], { sigma: 1 }).forward(x))).toEqual(list(F.gaussianBlur(x, [3, 5], 1)));
  expect(list(new T.Normalize([1, 2, 3], 2).forward(x))).toEqual(list(F.normalize(x, [1, 2, 3], 2)));
  expect(list(new T.Resize(6).forward(x))).toEqual(list(F.resize(x, 6)));
  expect(list(new T.Grayscale().forward(x))).toEqual(list(F.rgbToGrayscale(x)));
  expect(list(new T.ColorJitter({ hue: [0.2, 0.2] }).forward(x))).toEqual(list(F.adjustHue(x, 0.2)));
  expect(list(new T.ColorJitter().forward(x))).toEqual(list(x));
  expect(list(new T.RandomPosterize(3, { p: 1 }).forward(x))).toEqual(list(F.posterize(x, 3)));
});

describe('automatic augmentations', () => {
  test('no operation changes nothing; strength 0 is mild', () => {
    const x = images();
    expect(list(new T.RandAugment({ numOps: 0 }).forward(x))).toEqual(list(x));
    expect(list(new T.TrivialAugmentWide({ numMagnitudeBins: 1 }).forward(x)).every(Number.isFinite)).toBe(true);
  });

  test('every policy has 25 pairs, whose operations all run', () => {
    for (const policy of ['imagenet', 'cifar10', 'svhn'] as const) {
      const x = copies(300, 4);
      // Pairs, draws and signs: hundreds of images show many different results, and some that stay.
      const results = new Set(each(new T.AutoAugment(policy, { generator: new Generator(2) }).forward(x)));
      expect(results.size).toBeGreaterThan(25);
      expect(results.size).toBeLessThan(300);
    }
  });

  test('grey images, and images of one pixel', () => {
    for (const make of [all['AutoAugment cifar10'], all.RandAugment, all.TrivialAugmentWide]) {
      expect(make(new Generator(0)).forward(rand([40, 1, 8, 8])).shape).toEqual([40, 1, 8, 8]);
      expect(make(new Generator(0)).forward(rand([40, 3, 1, 1])).shape).toEqual([40, 3, 1, 1]);
    }
  });
});

test('with mixup', () => {
  const { x, targets } = T.mixup(images(4), ones([4, 10]), { generator: new Generator(0) });
  expect(new T.RandomHorizontalFlip().forward(x).shape).toEqual([4, 3, 12, 12]);
  expect(targets.shape).toEqual([4, 10]);
});

test.each<[string, () => unknown, string]>([
  [
    'no transforms',
    () => new T.Compose([]),
    'ArgumentError: Compose: transforms must be a list of transforms, got none.',
  ],
  [
    'a transform that is none',
    () => new T.RandomApply([new T.Grayscale(), 5 as unknown as data.transforms.ImageTransform]),
    'ArgumentError: RandomApply: transforms must be a list of transforms; element 1 has no forward().',
  ],
  [
    'shapes that differ',
    () => new T.RandomApply([new T.CenterCrop(3)], 0.5, { generator: new Generator(1) }).forward(images()),
    'ShapeError: RandomApply: a transform that is applied to some images of a batch must keep their shape, [3,12,12] became [3,3,3].',
  ],
  [
    'likelihoods for other transforms',
    () => new T.RandomChoice([new T.Grayscale()], { p: [1, 2] }),
    'ArgumentError: RandomChoice: p must be 1 numbers, got 1,2.',
  ],
  [
    'a range that is none',
    () => new T.RandomErasing({ scale: [0.5, 0.1] }),
    'ArgumentError: RandomErasing: scale must be a range [low, high] of numbers from 0 to 1, got [0.5, 0.1].',
  ],
  [
    'degrees that are none',
    () => new T.RandomRotation(-5),
    'ArgumentError: RandomRotation: degrees must be a number >= 0, got -5.',
  ],
  [
    'a jitter that is none',
    () => new T.ColorJitter({ hue: 0.7 }),
    'ArgumentError: ColorJitter: hue must be a number from 0 to 0.5, got 0.7.',
  ],
  [
    'a policy that is none',
    () => new T.AutoAugment('mnist' as 'svhn'),
    "ArgumentError: AutoAugment: policy must be one of 'imagenet', 'cifar10', 'svhn', got 'mnist'.",
  ],
  [
    'a magnitude that is too large',
    () => new T.RandAugment({ magnitude: 31 }),
    'ArgumentError: RandAugment: magnitude must be below numMagnitudeBins = 31, got 31.',
  ],
  [
    'a distortion that is none',
    () => new T.RandomPerspective({ distortionScale: 2 }),
    'ArgumentError: RandomPerspective: distortionScale must be a number from 0 to 1, got 2.',
  ],
  [
    'a value that is none',
    () => new T.RandomErasing({ value: 'noise' as 'random' }),
    "ArgumentError: RandomErasing: value must be 'random', a number or one for each channel, got 'noise'.",
  ],
])('message: %s', (_, run, expected) => {
  expect(errorOf(run)).toBe(expected);
});
