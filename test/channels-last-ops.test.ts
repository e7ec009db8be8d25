// Pools and norms of channels-last images: the values of contiguous ones, and results that lie as their inputs do.
import { describe, expect, it } from 'vitest';
import {
  grad,
  manualSeed,
  nn,
  ones,
  rand,
  randn,
  tidy,
  zeros,
  type DType,
  type Shape,
  type Tensor,
} from '../src/index.js';

const F = nn.functional;

interface Case {
  readonly name: string;
  readonly shape: Shape;
  readonly apply: (x: Tensor, parameters: readonly Tensor[]) => Tensor;
  readonly parameters?: boolean;
  /** The gradient of x lies as that of the result does, not as x. */
  readonly followsGradient?: boolean;
}

const pools: Case[] = [
  { name: 'maxPool2d 2', shape: [2, 5, 6, 7], apply: (x) => F.maxPool2d(x, 2) },
  { name: 'maxPool2d 2, even', shape: [2, 70, 8, 36], apply: (x) => F.maxPool2d(x, 2) },
  {
    name: 'maxPool2d 3, overlapping',
    shape: [2, 67, 9, 40],
    apply: (x) => F.maxPool2d(x, 3, { stride: 2, padding: 1 }),
  },
  {
    name: 'maxPool2d dilated',
    shape: [1, 6, 11, 40],
    apply: (x) => F.maxPool2d(x, [2, 3], { stride: [3, 1], dilation: [2, 3], padding: [0, 1] }),
  },
  { name: 'maxPool2d 20: int32 taps', shape: [2, 3, 41, 45], apply: (x) => F.maxPool2d(x, 20, { stride: 7 }) },
  { name: 'maxPool1d', shape: [2, 5, 50], apply: (x) => F.maxPool1d(x, 3, { stride: 2, ceilMode: true }) },
  { name: 'maxPool3d', shape: [2, 5, 5, 6, 8], apply: (x) => F.maxPool3d(x, 2, { padding: 1 }) },
  { name: 'adaptiveMaxPool2d', shape: [2, 17, 7, 9], apply: (x) => F.adaptiveMaxPool2d(x, [3, 4]) },
  { name: 'adaptiveMaxPool2d 1', shape: [2, 17, 7, 9], apply: (x) => F.adaptiveMaxPool2d(x, 1) },
  { name: 'avgPool2d 2', shape: [2, 5, 6, 7], apply: (x) => F.avgPool2d(x, 2) },
  { name: 'avgPool2d 2, even', shape: [2, 66, 8, 40], apply: (x) => F.avgPool2d(x, 2) },
  {
    name: 'avgPool2d 3, overlapping',
    shape: [2, 67, 9, 40],
    apply: (x) => F.avgPool2d(x, 3, { stride: 2, padding: 1, countIncludePad: false }),
  },
  { name: 'avgPool2d stride 3', shape: [2, 3, 9, 40], apply: (x) => F.avgPool2d(x, 2, { stride: 3, padding: 1 }) },
  { name: 'avgPool1d', shape: [2, 5, 50], apply: (x) => F.avgPool1d(x, 3, { stride: 1, divisorOverride: 2 }) },
  { name: 'avgPool3d', shape: [2, 5, 5, 6, 8], apply: (x) => F.avgPool3d(x, 2, { padding: 1 }) },
  { name: 'adaptiveAvgPool2d 1', shape: [3, 37, 8, 40], apply: (x) => F.adaptiveAvgPool2d(x, 1) },
  { name: 'adaptiveAvgPool2d 4', shape: [2, 5, 8, 12], apply: (x) => F.adaptiveAvgPool2d(x, 4) },
  {
    name: 'adaptiveAvgPool2d uneven',
    shape: [2, 5, 7, 9],
    followsGradient: true,
    apply: (x) => F.adaptiveAvgPool2d(x, [3, 4]),
  },
  { name: 'lpPool2d', shape: [2, 5, 6, 8], apply: (x) => F.lpPool2d(x.square(), 2, 2) },
];

const norms: Case[] = [3, 16, 40, 300].flatMap((c): Case[] => [
  {
    name: `batchNorm ${c}`,
    shape: [3, c, 5, 4],
    parameters: true,
    apply: (x, [weight, bias]) => F.batchNorm(x, null, null, { training: true, weight: weight, bias: bias }),
  },
  {
    name: `groupNorm ${c}`,
    shape: [3, c, 5, 4],
    parameters: true,
    apply: (x, [weight, bias]) => F.groupNorm(x, c === 3 ? 3 : 4, { weight: weight, bias: bias }),
  },
  { name: `instanceNorm ${c}`, shape: [2, c, 6, 6], apply: (x) => F.instanceNorm(x) },
]);
norms.push(
  { name: 'batchNorm 1d', shape: [40, 6, 9], apply: (x) => F.batchNorm(x, null, null, { training: true }) },
  { name: 'batchNorm 3d', shape: [2, 6, 3, 4, 5], apply: (x) => F.batchNorm(x, null, null, { training: true }) },
  {
    name: 'batchNorm with running statistics',
    shape: [2, 6, 4, 5],
    followsGradient: true,
    apply: (x) => {
      const { dtype } = x;
      return F.batchNorm(x, zeros([6], { dtype }).add(0.5), ones([6], { dtype }).mul(2));
    },
  },
);

function run(each: Case, dtype: DType, last: boolean): { values: Float64Array[]; formats: string[] } {
  return tidy(() => {
    manualSeed(7);
    const start = randn(each.shape, { dtype });
    const x = (last ? start.contiguous({ memoryFormat: 'channelsLast' }) : start).requiresGrad_();
    const c = each.shape[1];
    const parameters =
      each.parameters === true ? [rand([c], { dtype }), randn([c], { dtype })].map((t) => t.requiresGrad_()) : [];
    const y = each.apply(x, parameters);
    const seed = randn(y.shape, { dtype });
    const g = last && each.followsGradient === true ? seed.contiguous({ memoryFormat: 'channelsLast' }) : seed;
    const [gx, ...rest] = grad(y, [x, ...parameters], { gradOutputs: [g] }) as Tensor[];
    return {
      values: [y, gx, ...rest].map((t) => Float64Array.from(t.to('float64').dataSync())),
      formats: [y, gx].map((t) => t.memoryFormat),
    };
  });
}

describe.each([...pools, ...norms])('$name', (each) => {
  it.each(['float32', 'float64', 'bfloat16'] as const)('%s', (dtype) => {
    const [plain, last] = [run(each, dtype, false), run(each, dtype, true)];
    const tolerance = { float32: 2e-5, float64: 1e-12, bfloat16: 0.1 }[dtype];
    plain.values.forEach((values, i) => {
      const others = last.values[i];
      expect(others.length).toBe(values.length);
      const scale = values.reduce((most, v) => Math.max(most, Math.abs(v)), 1);
      const off = values.reduce((most, v, k) => Math.max(most, Math.abs(v - others[k])), 0);
      expect(off).toBeLessThan(tolerance * scale);
    });
    expect(plain.formats).toEqual(['contiguous', 'contiguous']);
    expect(last.formats[1]).toBe('channelsLast');
    // Of one position both orders are the same.
    expect(last.formats[0]).toBe(each.name.endsWith('Pool2d 1') ? 'contiguous' : 'channelsLast');
  });
});

describe('maxPool of channels-last images', () => {
  it('gives the indices of contiguous ones', () => {
    manualSeed(3);
    const x = randn([2, 5, 9, 11]);
    const options = { stride: 2, padding: 1, returnIndices: true } as const;
    const [, plain] = F.maxPool2d(x, 3, options);
    const [, last] = F.maxPool2d(x.contiguous({ memoryFormat: 'channelsLast' }), 3, options);
    expect(last.dataSync()).toEqual(plain.dataSync());
  });

  it('keeps NaN, and the first of equal values', () => {
    const x = zeros([1, 3, 4, 40]);
    x.narrow(3, 5, 1).fill_(NaN);
    for (const image of [x, x.contiguous({ memoryFormat: 'channelsLast' })]) {
      image.requiresGrad_();
      image.grad = null;
      const y = F.maxPool2d(image, 2);
      expect([...y.dataSync()].filter((v) => Number.isNaN(v)).length).toBe(6);
      y.sum().backward();
      const g = image.grad! as Tensor;
      expect([...g.narrow(3, 0, 2).narrow(1, 0, 1).dataSync()]).toEqual([1, 0, 0, 0, 1, 0, 0, 0]);
      expect([...g.narrow(3, 4, 2).narrow(1, 2, 1).dataSync()]).toEqual([0, 0, 0, 1, 0, 0, 0, 1]);
    }
  });

  it('has second derivatives', () => {
    manualSeed(5);
    const seconds = [false, true].map((last) =>
      tidy(() => {
        manualSeed(5);
        const start = randn([2, 4, 6, 6], { dtype: 'float64' });
        const x = (last ? start.contiguous({ memoryFormat: 'channelsLast' }) : start).requiresGrad_();
        const [gx] = grad(F.maxPool2d(x, 3, { stride: 2 }).square().sum(), [x], { createGraph: true }) as [Tensor];
        const [ggx] = grad(gx.square().sum(), [x]) as [Tensor];
        return [...ggx.dataSync()];
      }),
    );
    expect(seconds[1]).toEqual(seconds[0]);
    expect(seconds[0].some((v) => v !== 0)).toBe(true);
  });
});
