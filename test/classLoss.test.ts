// Losses over classes: what is refused, float16, determinism, what the layers keep.
import { afterAll, describe, expect, test } from 'vitest';
import { Generator, getNumThreads, grad, nn, ones, randint, randn, setNumThreads, tensor, type Tensor } from 'thalweg';
import { errorOf } from './error-of.js';

const { crossEntropy, logSoftmax, nllLoss } = nn.functional;
const values = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
const threads = getNumThreads();
afterAll(() => setNumThreads(threads));

const logits = (): Tensor => ones([2, 3]);
const labels = (): Tensor => tensor([0n, 2n]);

describe('cross entropy', () => {
  test.each([{ shape: [700, 37] }, { shape: [5, 11, 700] }])('of $shape is that of its parts', ({ shape }) => {
    const generator = new Generator(1);
    const x = randn(shape, { dtype: 'float64', generator, requiresGrad: true }) as Tensor;
    const target = randint(0, shape[1], [shape[0], ...shape.slice(2)], { generator }) as Tensor;
    const fused = crossEntropy(x, target);
    const parts = nllLoss(logSoftmax(x, 1), target);
    expect(Number(fused.itemSync())).toBeCloseTo(Number(parts.itemSync()), 12);
    const [a] = grad(fused, [x]);
    const [b] = grad(parts, [x]);
    expect(Number(a.sub(b).abs().amax().itemSync())).toBeLessThan(1e-15);
  });

  test('tells large float32 logits apart', () => {
    const x = tensor([[30000.5, 30000.25, 30002]], { requiresGrad: true }) as Tensor;
    crossEntropy(x, tensor([0n])).backward();
    const e = [-1.5, -1.75, 0].map(Math.exp);
    const sum = e[0] + e[1] + e[2];
    values(x.grad!).forEach((v, i) => expect(v).toBeCloseTo(e[i] / sum - (i === 0 ? 1 : 0), 6));
  });

  test('is the same for any number of threads', () => {
    const run = (): number[][] =>
      [
        [3000, 40],
        [3, 40, 1000],
      ].flatMap((shape) => {
        const generator = new Generator(2);
        const x = randn(shape, { generator, requiresGrad: true }) as Tensor;
        const loss = crossEntropy(x, randint(0, 40, [shape[0], ...shape.slice(2)], { generator }));
        return [values(loss), values(grad(loss, [x])[0])];
      });
    setNumThreads(1);
    const one = run();
    setNumThreads(3);
    expect(run()).toEqual(one);
    setNumThreads(threads);
  });

  test.each(['float16', 'bfloat16'] as const)('%s is computed in float32', (dtype) => {
    const x = randn([6, 5], { generator: new Generator(3) }).to(dtype) as Tensor;
    const target = tensor([0n, 1n, 2n, 3n, 4n, 0n]) as Tensor;
    const weight = tensor([0.5, 1, 2, 0.25, 1]);
    const expected = crossEntropy(x.to('float32') as Tensor, target, { weight }).to(dtype) as Tensor;
    expect(values(crossEntropy(x, target, { weight: weight.to(dtype) }) as Tensor)).toEqual(values(expected));
  });

  test('leaves no gradient at ignored targets, whatever the logits are', () => {
    const x = tensor([
      [NaN, Infinity, 1],
      [1, 2, 3],
    ]) as Tensor;
    for (const [input, target] of [
      [x, tensor([-100n, 0n])],
      [x.t().reshape([1, 3, 2]), tensor([[-100n, 0n]])],
    ] as [Tensor, Tensor][]) {
      const leaf = input.detach().requiresGrad_();
      crossEntropy(leaf, target).backward();
      expect(values(leaf.grad!).every(Number.isFinite)).toBe(true);
    }
  });
});

describe('layers', () => {
  test('keep the weight as a buffer', () => {
    const layer = new nn.CrossEntropyLoss({ weight: tensor([1, 2, 3]) });
    expect([...layer.stateDict().keys()]).toEqual(['weight']);
    expect(layer.parameters()).toEqual([]);
    expect([...new nn.NLLLoss().stateDict()]).toEqual([]);
  });
});

test.each<[() => unknown, string]>([
  [
    () => crossEntropy(logits(), labels(), { weight: ones([4]) }),
    'ShapeError: crossEntropy(input [2,3], weight [4]): weight must have shape [3], one for each class.',
  ],
  [
    () => crossEntropy(logits(), labels(), { weight: ones([3], { dtype: 'float64' }) }),
    'DTypeError: crossEntropy: input is float32 and weight float64; convert one.',
  ],
  [
    () => crossEntropy(logits(), labels(), { weight: ones([3], { requiresGrad: true }) }),
    'GradError: crossEntropy: there is no gradient for weight; pass weight.detach().',
  ],
  [
    () => new nn.NLLLoss({ weight: ones([3], { requiresGrad: true }) }),
    'GradError: NLLLoss: there is no gradient for weight; pass weight.detach().',
  ],
  [
    () => crossEntropy(logits(), labels(), { labelSmoothing: 2 }),
    'ArgumentError: crossEntropy: labelSmoothing must be from 0 to 1, got 2.',
  ],
  [
    () => crossEntropy(logits(), labels(), { ignoreIndex: 0.5 }),
    'ArgumentError: crossEntropy: ignoreIndex must be an integer, got 0.5.',
  ],
  [
    () => crossEntropy(logits(), ones([2, 4])),
    'ShapeError: crossEntropy(input [2,3], target [2,4]): target must have shape [2,3].',
  ],
  [
    () => crossEntropy(logits(), ones([2, 3], { dtype: 'float64' })),
    'DTypeError: crossEntropy: input is float32 and target float64; convert one.',
  ],
  [
    () => crossEntropy(logits(), logits(), { ignoreIndex: 1 }),
    'ArgumentError: crossEntropy: ignoreIndex is for class indices, the target holds probabilities.',
  ],
  [
    () => crossEntropy(ones([2, 3, 4]), labels()),
    'ShapeError: crossEntropy(input [2,3,4], target [2]): target must have shape [2,4].',
  ],
  [() => crossEntropy(ones([2, 0]), labels()), 'ShapeError: crossEntropy(input [2,0]): there are no classes.'],
  [() => nllLoss(ones([]), labels()), 'ShapeError: nllLoss: input must be [N, C, ...] or [C], got shape [].'],
  [
    () => new nn.CrossEntropyLoss({ reduction: 'avg' as 'sum' }),
    "ArgumentError: CrossEntropyLoss: unknown reduction \"avg\", expected 'none', 'mean' or 'sum'.",
  ],
  [
    () => crossEntropy(logits(), tensor([0n, -1n]) as Tensor).itemSync(),
    'IndexError: crossEntropy: target -1 is out of range for 3 classes',
  ],
])('%s', (run, message) => {
  expect(errorOf(run)).toBe(message);
});
