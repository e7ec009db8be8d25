// Normalisation: running statistics, accuracy, determinism, small floats, what is refused.
import { afterAll, describe, expect, test } from 'vitest';
import {
  fromTypedArray,
  Generator,
  getNumThreads,
  grad,
  nn,
  noGrad,
  ones,
  randn,
  setNumThreads,
  tensor,
  zeros,
  type Tensor,
} from 'thalweg';
import { errorOf } from './error-of.js';

const { batchNorm, groupNorm, instanceNorm, layerNorm, localResponseNorm, normalize, rmsNorm } = nn.functional;
const values = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
const threads = getNumThreads();
afterAll(() => setNumThreads(threads));

describe('running statistics', () => {
  test('move by the momentum, with the unbiased variance', () => {
    const layer = new nn.BatchNorm1d(2, { momentum: 0.25 });
    layer.forward(
      tensor([
        [1, 10],
        [3, 20],
        [5, 60],
      ]),
    );
    expect(values(layer.running_mean!)).toEqual([0.75, 7.5]);
    expect(values(layer.running_var!)).toEqual([1.75, 175.75]);
    expect(values(layer.num_batches_tracked!)).toEqual([1]);
  });

  test('with momentum null are means over all batches', () => {
    const layer = new nn.BatchNorm2d(1, { momentum: null });
    for (const mean of [1, 3, 8]) {
      layer.forward(tensor([mean - 1, mean + 1]).reshape([2, 1, 1, 1]));
    }
    expect(values(layer.running_mean!)[0]).toBeCloseTo(4, 6);
    expect(values(layer.running_var!)[0]).toBeCloseTo(2, 6);
    expect(layer.num_batches_tracked!.itemSync()).toBe(3n);
  });

  test('rest in evaluation and for refused and empty batches', () => {
    const layer = new nn.BatchNorm1d(2);
    layer.eval().forward(randn([4, 2]));
    layer.train();
    expect(() => layer.forward(ones([1, 2]) as Tensor)).toThrow();
    expect(layer.num_batches_tracked!.itemSync()).toBe(0n);
    layer.forward(ones([0, 2]));
    expect(values(layer.running_mean!)).toEqual([0, 0]);
    expect(values(layer.running_var!)).toEqual([1, 1]);
  });

  test('of instances are means over items', () => {
    const layer = new nn.InstanceNorm1d(1, { trackRunningStats: true, momentum: 0.5 });
    layer.forward(tensor([0, 2, 10, 14]).reshape([2, 1, 2]));
    expect(values(layer.running_mean!)).toEqual([3.25]);
    expect(values(layer.running_var!)).toEqual([3]);
  });

  test('are buffers, saved in the order of PyTorch', () => {
    const layer = new nn.BatchNorm2d(3);
    expect([...layer.stateDict().keys()]).toEqual([
      'weight',
      'bias',
      'running_mean',
      'running_var',
      'num_batches_tracked',
    ]);
    expect(Array.from(layer.namedParameters(), ([name]) => name)).toEqual(['weight', 'bias']);
    expect(layer.to('float64').running_var!.dtype).toBe('float64');
    expect(layer.num_batches_tracked!.dtype).toBe('int64');
  });

  test('do not disturb a graph that was recorded before', () => {
    const layer = new nn.BatchNorm1d(2);
    const x = randn([4, 2], { requiresGrad: true });
    const first = layer.forward(x);
    layer.forward(randn([4, 2]));
    expect(() => first.sum().backward()).not.toThrow();
  });
});

describe('numbers', () => {
  const wide = (x: Tensor): Tensor => x.to('float64');
  const largest = (a: Tensor, b: Tensor): number => Number(wide(a).sub(wide(b)).abs().amax().itemSync());

  test('a large mean does not spoil the variance', () => {
    const x = randn([64, 3, 40], { generator: new Generator(1) }).add(1000) as Tensor;
    for (const run of [
      (t: Tensor) => batchNorm(t, null, null, { training: true }),
      (t: Tensor) => batchNorm(t.reshape([64 * 40, 3]) as Tensor, null, null, { training: true }),
      (t: Tensor) => layerNorm(t, [3, 40]),
      (t: Tensor) => groupNorm(t, 3),
    ]) {
      expect(largest(run(x), run(wide(x)))).toBeLessThan(2e-4);
    }
  });

  // Sizes at which each way of cutting the work up is taken.
  const shapes = [
    [70, 3, 900],
    [3, 20, 333],
    [400, 300],
    [130, 5, 7],
    [9000, 3],
  ];
  test.each(shapes.map((shape) => ({ shape })))('gradients of $shape are those of float64', ({ shape }) => {
    const generator = new Generator(2);
    const x = randn(shape, { generator }) as Tensor;
    const g = randn(shape, { generator }) as Tensor;
    const c = shape[1];
    const weight = randn([c], { generator }) as Tensor;
    const bias = randn([c], { generator }) as Tensor;
    const last = shape[shape.length - 1];
    const all = [
      (t: Tensor, w: Tensor, b: Tensor) => batchNorm(t, null, null, { weight: w, bias: b, training: true }),
      (t: Tensor, w: Tensor, b: Tensor) => groupNorm(t, c % 5 === 0 ? 5 : 1, { weight: w, bias: b }),
      (t: Tensor, w: Tensor, b: Tensor) =>
        last === c ? layerNorm(t, c, { weight: w, bias: b }) : instanceNorm(t, { weight: w, bias: b }),
    ];
    for (const run of all) {
      const both = [false, true].map((double) => {
        const inputs = [x, weight, bias].map((t) => (double ? wide(t) : t).detach().requiresGrad_());
        const out = run(inputs[0], inputs[1], inputs[2]);
        const once = grad(out, inputs, { gradOutputs: [double ? wide(g) : g] });
        const graph = grad(run(inputs[0], inputs[1], inputs[2]), inputs, {
          gradOutputs: [double ? wide(g) : g],
          createGraph: true,
        });
        return [out, ...once, ...graph].map((t) => t.detach());
      });
      both[0].forEach((t, i) => {
        const size = Math.max(1, Number(both[1][i].abs().amax().itemSync()));
        expect(largest(t, both[1][i]) / size).toBeLessThan(2e-5);
        if (i > 3) expect(largest(both[1][i], both[1][i - 3]) / size).toBeLessThan(1e-11);
      });
    }
  });

  test('are the same for any number of threads', () => {
    const run = (): number[][] =>
      shapes.flatMap((shape) => {
        const x = randn(shape, { generator: new Generator(3), requiresGrad: true }) as Tensor;
        const weight = randn([shape[1]], { generator: new Generator(4), requiresGrad: true }) as Tensor;
        const outs = [batchNorm(x, null, null, { weight, training: true }), groupNorm(x, 1, { weight })];
        return outs.flatMap((out) => [out, ...grad(out.mul(out).sum(), [x, weight])].map(values));
      });
    setNumThreads(1);
    const one = run();
    setNumThreads(3);
    expect(run()).toEqual(one);
    setNumThreads(threads);
  });

  test.each(['float16', 'bfloat16'] as const)('%s is computed in float32, with parameters of either', (dtype) => {
    const x = randn([6, 4, 8], { generator: new Generator(5) }).to(dtype) as Tensor;
    const exact = x.to('float32') as Tensor;
    const weight = randn([4]) as Tensor;
    const runs: ((t: Tensor) => Tensor)[] = [
      (t) => layerNorm(t, 8),
      (t) => rmsNorm(t, 8),
      (t) => groupNorm(t, 2, { weight }),
      (t) => batchNorm(t, null, null, { weight, training: true }),
      (t) => batchNorm(t, zeros([4]), ones([4]), { weight }),
      (t) => normalize(t),
    ];
    for (const run of runs) {
      expect(run(x).dtype).toBe(dtype);
      expect(values(run(x))).toEqual(values(run(exact).to(dtype) as Tensor));
    }
    const input = x.detach().requiresGrad_();
    layerNorm(input, 8).sum().backward();
    expect(input.grad!.dtype).toBe(dtype);
  });
});

test('layers are printed as in PyTorch, in camelCase', () => {
  expect(String(new nn.BatchNorm2d(3))).toBe(
    'BatchNorm2d(3, eps=0.00001, momentum=0.1, affine=true, bias=true, trackRunningStats=true)',
  );
  expect(String(new nn.LayerNorm([3, 4]))).toBe('LayerNorm((3, 4), eps=0.00001, elementwiseAffine=true, bias=true)');
  expect(String(new nn.RMSNorm(4))).toBe('RMSNorm((4,), eps=null, elementwiseAffine=true)');
  expect(String(new nn.GroupNorm(2, 4))).toBe('GroupNorm(2, 4, eps=0.00001, affine=true, bias=true)');
  expect(String(new nn.LocalResponseNorm(2))).toBe('LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1)');
});

const x = (): Tensor => ones([2, 3]);
test.each<[() => unknown, string]>([
  [() => layerNorm(x(), 4), 'ShapeError: layerNorm(x [2,3]): the last dimensions of x must be normalizedShape [4].'],
  [
    () => layerNorm(x(), 3, { weight: ones([2]) }),
    'ShapeError: layerNorm(x [2,3], weight [2]): weight must have shape [3].',
  ],
  [
    () => layerNorm(x(), 3, { bias: ones([3], { dtype: 'float64' }) }),
    'DTypeError: layerNorm: x is float32 and bias float64; convert one.',
  ],
  [() => layerNorm(x(), 3, { eps: -1 }), 'ArgumentError: layerNorm: eps must be a number >= 0, got -1.'],
  [() => layerNorm(x(), []), 'ArgumentError: layerNorm: normalizedShape must be a size or an array of at least one.'],
  [() => rmsNorm(tensor([[1n]]) as Tensor, 1), 'DTypeError: rmsNorm: x must be a float tensor, got int64.'],
  [() => groupNorm(x(), 2), 'ShapeError: groupNorm(x [2,3]): 3 channels are not divisible by numGroups = 2.'],
  [
    () => groupNorm(ones([1, 3]) as Tensor, 3),
    'ShapeError: groupNorm(x [1,3]): expected more than 1 value per group, a single one has no variance.',
  ],
  [
    () => batchNorm(x(), null, null),
    'ArgumentError: batchNorm: runningMean and runningVar must be given unless training is true.',
  ],
  [
    () => batchNorm(ones([1, 3]) as Tensor, null, null, { training: true }),
    'ShapeError: batchNorm(x [1,3]): expected more than 1 value per channel when training, a single one has no variance.',
  ],
  [
    () => batchNorm(x(), zeros([2]), ones([3])),
    'ShapeError: batchNorm(x [2,3], runningMean [2]): runningMean must have shape [3].',
  ],
  [
    () => batchNorm(ones([3]) as Tensor, null, null),
    'ShapeError: batchNorm(x [3]): x must have at least 2 dimensions, [N, C, ...].',
  ],
  [
    () => instanceNorm(ones([2, 3, 1]) as Tensor),
    'ShapeError: instanceNorm(x [2,3,1]): expected more than 1 value per channel, a single one has no variance.',
  ],
  [
    () => localResponseNorm(x(), 2),
    'ShapeError: localResponseNorm(x [2,3]): x must have at least 3 dimensions, [N, C, ...].',
  ],
  [() => normalize(x(), { p: 0 }), 'ArgumentError: normalize: p must be a number above 0, got 0.'],
  [() => new nn.BatchNorm2d(3).forward(x()), 'ShapeError: BatchNorm2d(x [2,3]): x must have 4 dimensions, got 2.'],
  [() => new nn.BatchNorm1d<number>(4).forward(x()), 'ShapeError: BatchNorm1d(x [2,3]): expected 4 channels, got 3.'],
  [
    () => new nn.InstanceNorm2d(3).forward(x()),
    'ShapeError: InstanceNorm2d(x [2,3]): x must have 4 or 3 dimensions, got 2.',
  ],
  [() => new nn.GroupNorm(2, 3), 'ArgumentError: GroupNorm: numChannels = 3 is not divisible by numGroups = 2.'],
  [() => new nn.BatchNorm1d(0), 'ArgumentError: BatchNorm1d: numFeatures must be an integer above 0, got 0.'],
])('%s', (run, message) => {
  expect(errorOf(run)).toBe(message);
});

test('layer norm of a view reads the view', () => {
  const base = fromTypedArray(
    Float64Array.from({ length: 24 }, (_, i) => (i * i) % 17),
    [4, 6],
  );
  const view = base.t() as Tensor;
  expect(noGrad(() => values(layerNorm(view, 4)))).toEqual(values(layerNorm(view.clone(), 4)));
});
