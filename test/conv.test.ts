// Convolutions against loops that follow the definition, on sizes that the samples are too small for; layers; messages.
import { describe, expect, test } from 'vitest';
import {
  channelShuffle,
  conv1d,
  conv2d,
  conv3d,
  convTranspose1d,
  convTranspose2d,
  convTranspose3d,
  fromTypedArray,
  getNumThreads,
  grad,
  nn,
  ones,
  pixelShuffle,
  pixelUnshuffle,
  setConvWinograd,
  setNumThreads,
  tensor,
  zeros,
  type DType,
  type Tensor,
} from 'thalweg';
import { errorOf } from './error-of.js';

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

interface Case {
  readonly images: number;
  readonly groups: number;
  /** Of a group. */
  readonly inChannels: number;
  readonly outChannels: number;
  /** One to three spatial dimensions. */
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: readonly number[];
  readonly padding: readonly number[];
  readonly dilation: readonly number[];
}

const plain = {
  images: 1,
  groups: 1,
  inChannels: 3,
  outChannels: 4,
  size: [9, 11],
  kernel: [3, 3],
  stride: [1, 1],
  padding: [0, 0],
  dilation: [1, 1],
} as const;

const outSize = ({ size, kernel, stride, padding, dilation }: Case): number[] =>
  size.map((n, d) => Math.floor((n + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) / stride[d]) + 1);

const product = (sizes: readonly number[]): number => sizes.reduce((n, size) => n * size, 1);

/** Calls visit(position, index) for every position of a grid of sizes, in row-major order. */
function forPositions(sizes: readonly number[], visit: (position: readonly number[], index: number) => void): void {
  const position = sizes.map(() => 0);
  const total = product(sizes);
  for (let i = 0; i < total; i++) {
    visit(position, i);
    for (let d = sizes.length - 1; d >= 0 && ++position[d] === sizes[d]; d--) position[d] = 0;
  }
}

/** Calls visit(index of y, of x, of weight) for every product of the convolution. */
function forProducts(c: Case, visit: (y: number, x: number, w: number) => void): void {
  const out = outSize(c);
  const [positions, inputs, taps] = [out, c.size, c.kernel].map(product);
  const channelsIn = c.groups * c.inChannels;
  const channelsOut = c.groups * c.outChannels;
  forPositions(out, (position, p) => {
    forPositions(c.kernel, (tap, t) => {
      let at = 0;
      for (let d = 0; d < out.length; d++) {
        const place = position[d] * c.stride[d] - c.padding[d] + tap[d] * c.dilation[d];
        if (place < 0 || place >= c.size[d]) return;
        at = at * c.size[d] + place;
      }
      for (let n = 0; n < c.images; n++)
        for (let o = 0; o < channelsOut; o++)
          for (let k = 0; k < c.inChannels; k++) {
            const channel = Math.floor(o / c.outChannels) * c.inChannels + k;
            visit(
              (n * channelsOut + o) * positions + p,
              (n * channelsIn + channel) * inputs + at,
              (o * c.inChannels + k) * taps + t,
            );
          }
    });
  });
}

interface Operands {
  readonly x: Tensor;
  readonly weight: Tensor;
  readonly bias: Tensor;
  readonly g: Tensor;
}

type Format = 'contiguous' | 'channelsLast';

function operands(
  c: Case,
  dtype: DType,
  seed: number,
  formats: readonly Format[] = ['contiguous', 'contiguous'],
): Operands {
  const random = randomSource(seed);
  const make = (shape: readonly number[], memoryFormat: Format = 'contiguous'): Tensor =>
    fromTypedArray(
      Float64Array.from({ length: product(shape) }, () => Math.round(random() * 64 - 32) / 16),
      shape,
      { dtype },
    ).contiguous({ memoryFormat });
  return {
    x: make([c.images, c.groups * c.inChannels, ...c.size], formats[0]).requiresGrad_(),
    weight: make([c.groups * c.outChannels, c.inChannels, ...c.kernel]).requiresGrad_(),
    bias: make([c.groups * c.outChannels]),
    g: make([c.images, c.groups * c.outChannels, ...outSize(c)], formats[1]),
  };
}

const values = (x: Tensor): Float64Array => Float64Array.from(x.detach().to('float64').dataSync());

/** The result and the gradients of x and weight. */
function run(c: Case, { x, weight, bias, g }: Operands): Float64Array[] {
  const { stride, padding, dilation, groups } = c;
  const convolve = [conv1d, conv2d, conv3d][c.size.length - 1] as typeof conv2d;
  const y = convolve(x, weight, bias, { stride, padding, dilation, groups }) as Tensor;
  const [gx, gw] = grad(y, [x, weight], { gradOutputs: [g] });
  return [values(y), values(gx), values(gw)];
}

function expected(c: Case, { x, weight, bias, g }: Operands): Float64Array[] {
  const [xs, ws, bs, gs] = [x, weight, bias, g].map(values);
  const positions = product(outSize(c));
  const y = Float64Array.from({ length: gs.length }, (_, i) => bs[Math.floor(i / positions) % bs.length]);
  const gx = new Float64Array(xs.length);
  const gw = new Float64Array(ws.length);
  forProducts(c, (i, j, k) => {
    y[i] += xs[j] * ws[k];
    gx[j] += gs[i] * ws[k];
    gw[k] += gs[i] * xs[j];
  });
  return [y, gx, gw];
}

const tolerances = { float64: 1e-13, float32: 2e-6, float16: 2e-3, bfloat16: 1e-2 };

function check(
  c: Case,
  dtype: keyof typeof tolerances,
  seed = 1,
  formats?: readonly Format[],
  tolerance = tolerances[dtype],
): void {
  const given = operands(c, dtype, seed, formats);
  const actual = run(c, given);
  expected(c, given).forEach((want, i) => {
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
    const worst = want.reduce((most, value, j) => Math.max(most, Math.abs(value - actual[i][j])), 0);
    expect(
      worst / scale,
      `${JSON.stringify(c)} in ${dtype}, ${['result', 'gradient of x', 'gradient of weight'][i]}`,
    ).toBeLessThan(tolerance);
  });
}

describe('against the definition', () => {
  test.each<[string, Partial<Case>]>([
    ['several tiles of channels and positions', { inChannels: 70, outChannels: 9, size: [21, 23], padding: [1, 1] }],
    ['many images', { images: 19, inChannels: 5, size: [6, 5] }],
    ['1x1', { images: 2, inChannels: 33, outChannels: 17, size: [13, 15], kernel: [1, 1] }],
    ['1x1 with a stride', { inChannels: 7, kernel: [1, 1], stride: [2, 3] }],
    ['a large kernel', { inChannels: 2, size: [27, 25], kernel: [25, 23], padding: [3, 2] }],
    ['groups', { images: 2, groups: 3, inChannels: 4, outChannels: 5, padding: [1, 2] }],
    ['depthwise', { images: 2, groups: 5, inChannels: 1, outChannels: 1, size: [19, 37], padding: [1, 1] }],
    [
      'depthwise with a stride',
      { groups: 3, inChannels: 1, outChannels: 2, size: [19, 37], stride: [2, 3], padding: [2, 1] },
    ],
    [
      'depthwise with dilation',
      { groups: 2, inChannels: 1, outChannels: 1, size: [19, 40], stride: [1, 2], dilation: [2, 3] },
    ],
    ['one channel', { images: 3, inChannels: 1, outChannels: 11, size: [28, 28], kernel: [5, 5] }],
    ['one channel, wide padding', { inChannels: 1, size: [3, 3], padding: [300, 300], stride: [50, 50] }],
    ['padding beyond the kernel', { size: [4, 5], padding: [5, 7], stride: [3, 2] }],
    ['dilation beyond the image', { size: [4, 5], padding: [9, 9], dilation: [7, 8] }],
    ['rows that a stride leaves out', { size: [12, 13], stride: [5, 5], kernel: [2, 2] }],
  ])('%s', (_, change) => {
    check({ ...plain, ...change }, 'float64');
    check({ ...plain, ...change }, 'float32');
  });

  test('random sizes of one to three dimensions, in either format', () => {
    const random = randomSource(7);
    const from = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
    const formats = ['contiguous', 'channelsLast'] as const;
    for (let i = 0; i < 90; i++) {
      const spatial = 1 + (i % 3);
      const some = (low: number, high: number): number[] => Array.from({ length: spatial }, () => from(low, high));
      const depthwise = i % 5 === 0;
      const c: Case = {
        images: from(1, 3),
        groups: depthwise ? from(2, 40) : i % 4 === 0 ? from(2, 3) : 1,
        inChannels: depthwise ? 1 : from(1, [40, 20, 9][spatial - 1]),
        outChannels: depthwise ? from(1, 2) : from(1, [40, 70, 9][spatial - 1]),
        size: some(spatial === 3 ? 3 : 5, [60, 18, 8][spatial - 1]),
        kernel: some(1, spatial === 3 ? 3 : 4),
        stride: some(1, 3),
        padding: some(0, 3),
        dilation: some(1, 2),
      };
      if (outSize(c).some((size) => size < 1)) continue;
      check(c, i % 2 ? 'float32' : 'float64', i, [formats[from(0, 1)], formats[from(0, 1)]]);
    }
  });

  const halving: Partial<Case> = { kernel: [4, 4], stride: [2, 2], padding: [1, 1] };
  test.each<[string, Partial<Case>]>([
    ['padding', { images: 6, inChannels: 32, outChannels: 32, size: [16, 15], padding: [1, 1] }],
    ['no padding', { images: 11, inChannels: 48, outChannels: 80, size: [14, 13] }],
    ['wide padding', { images: 9, inChannels: 32, outChannels: 64, size: [11, 14], padding: [2, 3] }],
    ['channels beyond what is taken at once', { images: 25, inChannels: 656, outChannels: 32, size: [10, 10] }],
    ['4x4 and stride 2', { ...halving, images: 24, inChannels: 32, outChannels: 48, size: [16, 15] }],
    [
      '4x4 and stride 2, no padding',
      { ...halving, images: 30, inChannels: 80, outChannels: 32, size: [16, 18], padding: [0, 0] },
    ],
    [
      '4x4 and stride 2, wide padding',
      { ...halving, images: 25, inChannels: 32, outChannels: 64, size: [14, 16], padding: [2, 3] },
    ],
    ['4x4 and stride 2, many channels', { ...halving, images: 100, inChannels: 176, outChannels: 32, size: [8, 8] }],
  ])("Winograd's algorithm, %s", (_, change) => {
    // Against float64, which other tests hold against the definition: these sizes are large for loops.
    const c: Case = { ...plain, ...change };
    const wanted = run(c, operands(c, 'float64', 5));
    const errors = (actual: Float64Array[]): number[] =>
      wanted.map((want, i) => {
        const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 1);
        return want.reduce((most, value, j) => Math.max(most, Math.abs(value - actual[i][j])), 0) / scale;
      });
    const fast = run(c, operands(c, 'float32', 5));
    expect(Math.max(...errors(fast))).toBeLessThan(1e-5);
    expect(run(c, operands(c, 'float32', 5, ['channelsLast', 'channelsLast']))).toEqual(fast);
    const before = setConvWinograd(false);
    try {
      const plainly = run(c, operands(c, 'float32', 5));
      expect(Math.max(...errors(plainly))).toBeLessThan(2e-6);
      // That it was used at all: the sums round in another way.
      fast.forEach((some, i) => expect(some).not.toEqual(plainly[i]));
    } finally {
      setConvWinograd(before);
    }
  });

  test('results are channels-last, and so are gradients', () => {
    const x = zeros([2, 3, 8, 8]).requiresGrad_();
    const weight = zeros([4, 3, 3, 3]).requiresGrad_();
    const y = conv2d(x, weight);
    expect(y.memoryFormat).toBe('channelsLast');
    const [gx, gw] = grad(y.sum(), [x, weight]);
    expect([gx.memoryFormat, gw.memoryFormat]).toEqual(['channelsLast', 'contiguous']);
    expect(conv2d(x, zeros([1, 3, 3, 3])).memoryFormat).toBe('contiguous');
    expect(conv1d(zeros([2, 3, 8]), zeros([4, 3, 3])).memoryFormat).toBe('channelsLast');
    expect(convTranspose3d(zeros([2, 3, 2, 2, 2]), zeros([3, 4, 2, 2, 2])).memoryFormat).toBe('channelsLast');
  });

  test('half types accumulate in float32', () => {
    check({ ...plain, inChannels: 40 }, 'float16');
    check({ ...plain, inChannels: 40 }, 'bfloat16');
    expect(conv2d(ones([1, 2, 3, 3], { dtype: 'bfloat16' }), ones([1, 2, 3, 3], { dtype: 'bfloat16' })).dtype).toBe(
      'bfloat16',
    );
  });

  test('the same with any number of threads', () => {
    const before = getNumThreads();
    try {
      for (const change of [
        { images: 9, inChannels: 20, outChannels: 20 },
        { images: 9, groups: 3, inChannels: 1, outChannels: 1 },
        { images: 9, inChannels: 32, outChannels: 48 },
      ]) {
        const c = { ...plain, ...change, size: [30, 31] as const };
        const given = operands(c, 'float32', 3);
        const results = [1, 2, 3].map((threads) => {
          setNumThreads(threads);
          return run(c, given);
        });
        expect(results[1]).toEqual(results[0]);
        expect(results[2]).toEqual(results[0]);
      }
    } finally {
      setNumThreads(before);
    }
  });

  test('infinity beside a depthwise row does not leak into its gradient', () => {
    const x = tensor([[[[1, 2, Infinity]]]]);
    const weight = ones([1, 1, 1, 1]).requiresGrad_();
    const y = conv2d(x, weight, null, { stride: [1, 2], padding: 0 }).narrow(3, 0, 1);
    expect(grad(y.sum(), [weight])[0].itemSync()).toBe(NaN);
    const z = conv2d(x, weight, null, { stride: [1, 4] });
    expect(grad(z.sum(), [weight])[0].itemSync()).toBe(1);
  });

  test('without input channels the bias is left', () => {
    const y = conv2d(zeros([2, 0, 3, 3]), zeros([2, 0, 2, 2]), tensor([1, 2]));
    expect(y.shape).toEqual([2, 2, 2, 2]);
    expect(Array.from(y.dataSync())).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 2, 2, 2, 2]);
  });
});

describe('layers', () => {
  test('start as in PyTorch: uniform on +-1 / sqrt(fanIn)', () => {
    const layer = new nn.Conv2d(8, 64, 3, { groups: 2 });
    const bound = 1 / Math.sqrt(4 * 9);
    for (const parameter of layer.parameters()) {
      const most = values(parameter).reduce((m, value) => Math.max(m, Math.abs(value)), 0);
      expect(most).toBeLessThanOrEqual(bound);
      expect(most).toBeGreaterThan(0.9 * bound);
    }
    expect([...layer.stateDict()].map(([name, { shape }]) => [name, shape])).toEqual([
      ['weight', [64, 4, 3, 3]],
      ['bias', [64]],
    ]);
    expect(new nn.ConvTranspose2d(8, 6, [2, 3], { groups: 2 }).weight.shape).toEqual([8, 3, 2, 3]);
    expect(new nn.Conv1d(2, 3, 1, { dtype: 'float64', bias: false }).weight.dtype).toBe('float64');
  });

  test('print themselves', () => {
    expect(String(new nn.Conv2d(3, 4, 3, { padding: 1, dilation: 2, bias: false, paddingMode: 'reflect' }))).toBe(
      "Conv2d(3, 4, kernelSize=[3,3], stride=[1,1], padding=[1,1], dilation=[2,2], bias=false, paddingMode='reflect')",
    );
    expect(String(new nn.Conv1d(4, 4, 3, { groups: 4, padding: 'same' }))).toBe(
      "Conv1d(4, 4, kernelSize=[3], stride=[1], padding='same', groups=4)",
    );
    expect(String(new nn.ConvTranspose2d(3, 4, 3, { stride: 2, outputPadding: 1 }))).toBe(
      'ConvTranspose2d(3, 4, kernelSize=[3,3], stride=[2,2], outputPadding=[1,1])',
    );
    expect(String(new nn.Unfold([2, 3]))).toBe('Unfold(kernelSize=[2,3], dilation=1, padding=0, stride=1)');
    expect(String(new nn.PixelShuffle(2))).toBe('PixelShuffle(upscaleFactor=2)');
  });

  test('learn', () => {
    const model = new nn.Sequential(new nn.Conv2d(1, 4, 3), new nn.ReLU(), new nn.Flatten(), new nn.Linear(16, 2));
    nn.functional.crossEntropy(model.forward(ones([3, 1, 4, 4])), tensor([0n, 1n, 1n])).backward();
    expect(model.parameters().every((p) => p.grad !== null)).toBe(true);
  });
});

describe('messages', () => {
  const x = zeros([2, 3, 5, 6]);
  const w = zeros([4, 3, 3, 3]);
  test.each<[() => unknown, string]>([
    [
      () => conv2d(zeros([3, 5]) as Tensor, w),
      'ShapeError: conv2d: x must be [N, C, H, W] or [C, H, W], got shape [3,5].',
    ],
    [
      () => conv2d(x, zeros([4, 3, 3])),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,3,3]): weight must be [outChannels, inChannels / groups, kH, kW].',
    ],
    [
      () => conv2d(x as Tensor, zeros([4, 5, 3, 3])),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,5,3,3]): x has 3 channels, but weight takes 5.',
    ],
    [
      () => conv2d(x, zeros([4, 2, 3, 3]), null, { groups: 2 }),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,2,3,3]): x has 3 channels, but weight takes 4 (2 groups of 2).',
    ],
    [
      () => conv2d(x, w, null, { groups: 3 }),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,3,3,3]): weight.shape[0] = 4 cannot be divided into 3 groups.',
    ],
    [
      () => conv2d(x, w, zeros([3])),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,3,3,3]): bias must have shape [4], got [3].',
    ],
    [
      () => conv2d(x as Tensor, zeros([4, 3, 9, 3]), null, { padding: 1 }),
      'ShapeError: conv2d(x [2,3,5,6], weight [4,3,9,3]): the kernel is larger than the input in dimension 2, 9 but 5 + 2 of padding.',
    ],
    [
      () => conv2d(x.index(0), w, null, { dilation: [1, 3] }),
      'ShapeError: conv2d(x [3,5,6], weight [4,3,3,3]): the kernel is larger than the input in dimension 2, 7 (3 with dilation 3) but 6.',
    ],
    [
      () => conv2d(zeros([2, 3, 0, 6]), w, null, { padding: 2 }),
      'ShapeError: conv2d(x [2,3,0,6], weight [4,3,3,3]): dimension 2 of the input is empty.',
    ],
    [
      () => conv2d(x, zeros([0, 3, 3, 3])),
      'ShapeError: conv2d(x [2,3,5,6], weight [0,3,3,3]): weight needs at least one row.',
    ],
    [
      () => conv2d(x, w, null, { stride: 0 }),
      'ArgumentError: conv2d: stride must be an integer from 1 to 2^30, got 0.',
    ],
    [
      () => conv2d(x, w, null, { padding: [1, -1] }),
      'ArgumentError: conv2d: padding must be an integer from 0 to 2^30, got [1,-1].',
    ],
    [
      () => conv2d(x, w, null, { stride: [1, 2, 3] }),
      'ArgumentError: conv2d: stride must be a number or 2 of them, one for each spatial dimension, got [1,2,3].',
    ],
    [
      () => conv2d(x, w, null, { padding: 'same', stride: 2 }),
      "ArgumentError: conv2d: padding 'same' needs stride 1, got [2,2].",
    ],
    [
      () => conv2d(x, w, null, { padding: 'full' as 'same' }),
      "ArgumentError: conv2d: unknown padding 'full', expected 'same', 'valid' or numbers.",
    ],
    [
      () => conv2d(x, w, null, { groups: 0 }),
      'ArgumentError: conv2d: groups must be an integer from 1 to 2^30, got 0.',
    ],
    [() => conv1d(tensor([[1n, 2n]]), zeros([1, 1, 1])), 'DTypeError: conv1d: x must be a float tensor, got int64.'],
    [
      () => conv3d(zeros([1, 1, 2, 2, 2]), zeros([1, 1, 1, 1, 1], { dtype: 'float64' }) as Tensor),
      "DTypeError: conv3d(x float32[1,1,2,2,2], weight float64[1,1,1,1,1]): the dtypes differ; convert one, e.g. weight.to('float32').",
    ],
    [
      () => convTranspose2d(x as Tensor, zeros([5, 4, 3, 3])),
      'ShapeError: convTranspose2d(x [2,3,5,6], weight [5,4,3,3]): x has 3 channels, but weight takes 5.',
    ],
    [
      () => convTranspose2d(x, zeros([3, 4, 3, 3]), null, { stride: 2, outputPadding: [0, 2] }),
      'ArgumentError: convTranspose2d(x [2,3,5,6], weight [3,4,3,3]): outputPadding must be smaller than stride or dilation, got 2 with stride 2 and dilation 1.',
    ],
    [
      () => convTranspose1d(zeros([3, 1]) as Tensor, zeros([3, 4, 3]), null, { padding: 2 }),
      'ShapeError: convTranspose1d(x [3,1], weight [3,4,3]): dimension 1 of the result would have size -1; reduce padding.',
    ],
    [() => setConvWinograd(1 as unknown as boolean), 'ArgumentError: setConvWinograd: expected true or false, got 1.'],
    [() => nn.functional.unfold(zeros([2, 2]), 2), 'ShapeError: unfold(x [2,2]): x must be [N, C, H, W] or [C, H, W].'],
    [
      () => nn.functional.unfold(zeros([3, 2, 2]), 3),
      'ShapeError: unfold(x [3,2,2]): the kernel is larger than the input in dimension 1, 3 but 2.',
    ],
    [
      () => nn.functional.fold(zeros([12, 15]), 5, 2),
      'ShapeError: fold(x [12,15], outputSize [5,5]): x.shape[1] = 15, but there are 4 * 4 = 16 positions.',
    ],
    [
      () => nn.functional.fold(zeros([13, 16]), 5, 2),
      'ShapeError: fold(x [13,16], outputSize [5,5]): x.shape[0] = 13 is no multiple of the 4 taps of a kernel.',
    ],
    [
      () => pixelShuffle(zeros([2, 7, 2, 2]), 2),
      'ShapeError: pixelShuffle(x [2,7,2,2]): 7 channels are no multiple of upscaleFactor^2 = 4.',
    ],
    [
      () => pixelUnshuffle(zeros([2, 7, 3, 2]), 2),
      'ShapeError: pixelUnshuffle(x [2,7,3,2]): height 3 is no multiple of downscaleFactor = 2.',
    ],
    [() => pixelShuffle(zeros([7, 2]), 2), 'ShapeError: pixelShuffle: x must be [..., C, H, W], got shape [7,2].'],
    [
      () => channelShuffle(zeros([2, 6, 2]), 4),
      'ShapeError: channelShuffle(x [2,6,2]): 6 channels cannot be divided into 4 groups.',
    ],
    [
      () => channelShuffle(zeros([6, 2]), 3),
      'ShapeError: channelShuffle(x [6,2]): x must be [N, C, ...] with 3 dimensions or more.',
    ],
    [
      () => new nn.Conv2d(3, 4, 3, { groups: 2 }),
      'ArgumentError: Conv2d: inChannels = 3 cannot be divided into 2 groups.',
    ],
    [
      () => new nn.Conv2d(3, 4, 3, { stride: 2, padding: 'same' }),
      "ArgumentError: Conv2d: padding 'same' needs stride 1, got [2,2].",
    ],
    [
      () => new nn.Conv1d(1, 1, 3, { padding: 2, paddingMode: 'reflect' }).forward(zeros([1, 1, 2])),
      "ShapeError: Conv1d(x [1,1,2]): 'reflect' padding of 2 needs more than the 2 positions of dimension 2.",
    ],
    [
      () => new nn.Conv1d(1, 1, 3, { padding: 3, paddingMode: 'circular' }).forward(zeros([1, 1, 2])),
      "ShapeError: Conv1d(x [1,1,2]): 'circular' padding of 3 needs more than the 2 positions of dimension 2.",
    ],
    [
      () => new nn.Conv1d(1, 1, 3, { paddingMode: 'mirror' as 'zeros' }),
      "ArgumentError: Conv1d: unknown paddingMode 'mirror', expected 'zeros', 'reflect', 'replicate' or 'circular'.",
    ],
    [
      () => new nn.ConvTranspose2d(1, 1, 3, { stride: 2 }).forward(zeros([1, 1, 2, 2]), { outputSize: [7, 7] }),
      'ArgumentError: ConvTranspose2d(x [1,1,2,2]): outputSize 7 of spatial dimension 0 is not between 5 and 6.',
    ],
    [
      () => new nn.ConvTranspose2d(1, 1, 3).forward(zeros([1, 1, 2, 2]), { outputSize: [4] }),
      'ArgumentError: ConvTranspose2d(x [1,1,2,2]): outputSize must have 2 sizes, one for each spatial dimension, or 4, got [4].',
    ],
  ])('%#', (fn, message) => {
    expect(errorOf(fn)).toBe(message);
  });
});
