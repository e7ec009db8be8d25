// Attention beyond its samples: blocks and their ends against the plain formula, dropout, memory, messages.
import { describe, expect, test } from 'vitest';
import {
  bernoulli,
  Generator,
  getNumThreads,
  grad,
  manualSeed,
  matmul,
  memory,
  mT,
  nn,
  ones,
  randn,
  setNumThreads,
  softmax,
  tensor,
  where,
  zeros,
  type Tensor,
} from 'thalweg';
import { errorOf } from './error-of.js';
import { expectClose } from './golden.js';

const { scaledDotProductAttention } = nn.functional;
type Options = NonNullable<Parameters<typeof scaledDotProductAttention>[3]>;
type Loose = (...args: unknown[]) => Tensor;
const loose = scaledDotProductAttention as unknown as Loose;

/** The formula, one step after the other. */
function plain(q: Tensor, k: Tensor, v: Tensor, options: Options = {}, kept: Tensor | null = null): Tensor {
  const [rows, keys] = [q.shape[q.shape.length - 2], k.shape[k.shape.length - 2]];
  const group = options.enableGqa === true ? q.shape[1] / k.shape[1] : 1;
  const repeat = (x: Tensor): Tensor => {
    const [batch, heads, length, width] = x.shape;
    return group === 1
      ? x
      : x
          .unsqueeze(2)
          .expand([batch, heads, group, length, width] as number[])
          .reshape([batch, heads * group, length, width] as number[]);
  };
  let scores: Tensor = matmul(q, mT(repeat(k))).mul(options.scale ?? 1 / Math.sqrt(q.shape[3]));
  let mask = options.attnMask ?? null;
  if (options.isCausal === true) {
    mask = tensor(Array.from({ length: rows }, (_, i) => Array.from({ length: keys }, (_, j) => j <= i)));
  }
  if (mask !== null) {
    scores =
      mask.dtype === 'bool' ? where(mask as Tensor<readonly number[], 'bool'>, scores, -Infinity) : scores.add(mask);
  }
  let weights: Tensor = softmax(scores, -1);
  if (kept !== null) weights = weights.mul(kept);
  return matmul(weights, repeat(v));
}

const values = (x: Tensor): number[] => Array.from(x.detach().dataSync(), Number);

/** Results and gradients of both ways. */
function compare(
  inputs: readonly Tensor[],
  run: (x: readonly Tensor[]) => Tensor,
  check: (x: readonly Tensor[]) => Tensor,
  relative = 1e-11,
): void {
  for (const x of inputs) x.requiresGrad_();
  const [actual, expected] = [run(inputs), check(inputs)];
  const g = randn(actual.shape, { dtype: actual.dtype });
  const of = (y: Tensor): number[][] => [values(y), ...grad([y], [...inputs], { gradOutputs: [g] }).map(values)];
  const [mine, theirs] = [of(actual), of(expected)];
  mine.forEach((list, i) => expectClose(`value ${i}`, list, theirs[i], { relative, floor: 0.1 }));
}

const float64 = { dtype: 'float64' } as const;

describe('against the formula', () => {
  const sizes: readonly [string, number, number, number, number, Options][] = [
    ['one block', 3, 5, 7, 4, {}],
    ['whole blocks', 128, 256, 16, 16, {}],
    ['ends of blocks', 131, 300, 9, 13, {}],
    ['more rows than keys', 300, 70, 8, 5, { isCausal: true }],
    ['more keys than rows', 70, 530, 8, 5, { isCausal: true }],
    ['causal over blocks', 270, 270, 8, 8, { isCausal: true }],
    ['a scale', 40, 40, 8, 8, { scale: -0.7 }],
    ['one row', 1, 600, 8, 8, {}],
  ];
  test.each(sizes)('%s', (_, rows, keys, width, valueWidth, options) => {
    manualSeed(1);
    for (const [batch, heads] of [
      [2, 2],
      [5, 4],
    ]) {
      if (batch * heads * rows * keys > 2e6) continue;
      const q = randn([batch, heads, rows, width], float64);
      const k = randn([batch, heads, keys, width], float64);
      const v = randn([batch, heads, keys, valueWidth], float64);
      compare(
        [q, k, v],
        ([a, b, c]) => loose(a, b, c, options),
        ([a, b, c]) => plain(a, b, c, options),
      );
    }
  });

  test('in float32', () => {
    manualSeed(2);
    const [q, k, v] = [
      [2, 3, 150, 32],
      [2, 3, 290, 32],
      [2, 3, 290, 24],
    ].map((shape) => randn(shape));
    compare(
      [q, k, v],
      ([a, b, c]) => loose(a, b, c),
      ([a, b, c]) => plain(a, b, c),
      2e-5,
    );
  });

  test.each([[[2, 4, 60, 270]], [[60, 270]], [[2, 1, 1, 270]], [[4, 1, 270]]])('a float mask of shape %j', (shape) => {
    manualSeed(3);
    const [q, k, v] = [
      [2, 4, 60, 8],
      [2, 4, 270, 8],
      [2, 4, 270, 6],
    ].map((s) => randn(s, float64));
    compare(
      [q, k, v, randn(shape, float64)],
      ([a, b, c, attnMask]) => loose(a, b, c, { attnMask }),
      ([a, b, c, attnMask]) => plain(a, b, c, { attnMask }),
    );
  });

  test('a bool mask, transposed inputs, grouped heads', () => {
    manualSeed(4);
    const attnMask = bernoulli([2, 1, 140, 300], 0.7, { dtype: 'bool' });
    const shapes = [
      [2, 140, 6, 8],
      [2, 300, 2, 8],
      [2, 300, 2, 8],
    ];
    const heads = (x: Tensor): Tensor => x.permute([0, 2, 1, 3] as number[]);
    for (const mask of [attnMask, null]) {
      compare(
        shapes.map((shape) => randn(shape, float64)),
        ([a, b, c]) => loose(heads(a), heads(b), heads(c), { attnMask: mask, enableGqa: true }),
        ([a, b, c]) => plain(heads(a), heads(b), heads(c), { attnMask: mask, enableGqa: true }),
      );
    }
  });

  test('many grouped heads, in one pass of backward', () => {
    manualSeed(5);
    compare(
      [
        [9, 4, 140, 8],
        [9, 2, 270, 8],
        [9, 2, 270, 8],
      ].map((shape) => randn(shape, float64)),
      ([a, b, c]) => loose(a, b, c, { enableGqa: true, isCausal: true }),
      ([a, b, c]) => plain(a, b, c, { enableGqa: true, isCausal: true }),
    );
  });
});

test('float16 and bfloat16 compute in float32', () => {
  manualSeed(6);
  for (const dtype of ['float16', 'bfloat16'] as const) {
    const [q, k, v] = [
      [1, 2, 9, 8],
      [1, 2, 11, 8],
      [1, 2, 11, 8],
    ].map((shape) => randn(shape, { dtype }).requiresGrad_());
    const y = loose(q, k, v);
    expect(y.dtype).toBe(dtype);
    const wide = [q, k, v].map((x) => x.detach().to('float32'));
    const expected = loose(...wide).to(dtype);
    expect(values(y)).toEqual(values(expected));
    y.sum().backward();
    expect(q.grad!.dtype).toBe(dtype);
  }
});

describe('what is masked', () => {
  test('a query without keys gives 0, and gets no gradient', () => {
    const [q, k, v] = [
      [2, 4],
      [3, 4],
      [3, 2],
    ].map((shape) => randn(shape, { requiresGrad: true }));
    const attnMask = tensor([
      [true, false, true],
      [false, false, false],
    ]);
    const y = loose(q, k, v, { attnMask });
    expect(values(y).slice(2)).toEqual([0, 0]);
    const [gq] = grad([y.sum() as Tensor], [q]);
    expect(values(gq).slice(4)).toEqual([0, 0, 0, 0]);
    expect(values(gq).every(Number.isFinite)).toBe(true);
  });

  test('no keys at all', () => {
    const y = loose(ones([2, 3, 4]), zeros([2, 0, 4]), zeros([2, 0, 5]));
    expect(y.shape).toEqual([2, 3, 5]);
    expect(values(y).every((value) => value === 0)).toBe(true);
  });

  test('a NaN among the queries stays in its row', () => {
    const y = loose(
      tensor([
        [NaN, 1],
        [1, 1],
      ]),
      randn([3, 2]),
      ones([3, 2]),
    );
    expect(values(y).map(Number.isNaN)).toEqual([true, true, false, false]);
  });
});

describe('dropout', () => {
  const draw = (generator: Generator, p = 0.25): Tensor[] => {
    manualSeed(7);
    const [q, k, v] = [
      [2, 3, 150, 8],
      [2, 3, 270, 8],
      [2, 3, 270, 8],
    ].map((shape) => randn(shape, float64).requiresGrad_());
    const y = loose(q, k, v, { dropoutP: p, generator });
    return [y, ...(grad([y.sum() as Tensor], [q, k, v]) as Tensor[])];
  };

  test('keeps what bernoulli of the same seed keeps, backward too', () => {
    manualSeed(8);
    const inputs = [
      [2, 3, 150, 8],
      [2, 3, 270, 8],
      [2, 3, 270, 8],
    ].map((shape) => randn(shape, float64));
    for (const offset of [0, 12345]) {
      const generator = (): Generator => new Generator(42).setState({ seed: 42n, offset });
      const kept = bernoulli([2, 3, 150, 270], 0.75, { ...float64, generator: generator() }).mul(1 / 0.75) as Tensor;
      compare(
        inputs,
        ([a, b, c]) => loose(a, b, c, { dropoutP: 0.25, generator: generator() }),
        ([a, b, c]) => plain(a, b, c, {}, kept),
      );
    }
  });

  test('is the same for the same seed and any number of threads, and moves on', () => {
    const before = getNumThreads();
    const generator = new Generator(9);
    const first = draw(generator).map(values);
    expect(generator.getState().offset).toBe((2 * 3 * 150 * 270) / 4);
    expect(draw(generator).map(values)).not.toEqual(first);
    try {
      setNumThreads(1);
      expect(draw(new Generator(9)).map(values)).toEqual(first);
    } finally {
      setNumThreads(before);
    }
  });

  test('drops at the given rate', () => {
    const keys = 400;
    const weights = loose(zeros([300, 4]), zeros([keys, 4]), ones([keys, 1]), {
      dropoutP: 0.3,
      generator: new Generator(10),
    });
    const mean = Number(weights.mean().itemSync());
    expect(Math.abs(mean - 1)).toBeLessThan(0.02);
  });

  test('of everything gives zeros', () => {
    const [y, gq] = draw(new Generator(11), 1);
    expect(values(y).every((value) => value === 0)).toBe(true);
    expect(values(gq).every((value) => value === 0)).toBe(true);
  });

  test('has second derivatives of the same mask', () => {
    manualSeed(12);
    const [q, k, v] = [
      [4, 3],
      [5, 3],
      [5, 2],
    ].map((shape) => randn(shape, float64).requiresGrad_());
    const run = (): Tensor => loose(q, k, v, { dropoutP: 0.5, generator: new Generator(13) });
    const [first] = grad([run().sum() as Tensor], [q]);
    const [recorded] = grad([run().sum() as Tensor], [q], { createGraph: true });
    expectClose('gradient', values(recorded), values(first), { relative: 1e-12 });
    expect(recorded.requiresGrad).toBe(true);
  });
});

test('memory is linear in the length', () => {
  manualSeed(14);
  const length = 8192;
  const [q, k, v] = [0, 1, 2].map(() => randn([1, 1, length, 16], { requiresGrad: true }));
  memory({ collect: true, resetPeak: true });
  const start = memory().bytes;
  loose(q, k, v, { isCausal: true }).sum().backward();
  expect(Number(q.grad!.sum().itemSync())).not.toBeNaN();
  expect(memory().peakBytes - start).toBeLessThan(length * length * 4 * 0.03);
});

describe('messages', () => {
  const q = zeros([2, 3, 4]);
  const k = zeros([2, 5, 4]);
  const rows: readonly [string, readonly unknown[], string][] = [
    ['no tensor', [q, k, null], 'ArgumentError: scaledDotProductAttention: v is null, expected a Tensor.'],
    [
      'a vector',
      [zeros([3]), k, k],
      'ShapeError: scaledDotProductAttention: q must have at least 2 dimensions, sequence and features, got shape [3].',
    ],
    [
      'dtypes',
      [q, k.to('float64'), k],
      "DTypeError: scaledDotProductAttention: q is float32, k is float64; convert one, e.g. k.to('float32').",
    ],
    [
      'features',
      [q, zeros([2, 5, 3]), k],
      'ShapeError: scaledDotProductAttention(q [2,3,4], k [2,5,3], v [2,5,4]): queries and keys need the same number of features, q.shape[-1] = 4 but k.shape[-1] = 3.',
    ],
    [
      'values',
      [q, k, zeros([2, 6, 4])],
      'ShapeError: scaledDotProductAttention(q [2,3,4], k [2,5,4], v [2,6,4]): every key needs a value, k.shape[-2] = 5 but v.shape[-2] = 6.',
    ],
    [
      'batches',
      [zeros([4, 3, 4]), k, k],
      'ShapeError: scaledDotProductAttention(q [4,3,4], k [2,5,4], v [2,5,4]): the batch dimensions [4], [2], [2] do not broadcast. Did you mean { enableGqa: true }?',
    ],
    [
      'groups',
      [zeros([3, 3, 4]), k, k, { enableGqa: true }],
      'ShapeError: scaledDotProductAttention(q [3,3,4], k [2,5,4], v [2,5,4]): the 2 heads of k and v do not divide the 3 heads of q.',
    ],
    [
      'groups of none',
      [zeros([3, 4]), zeros([5, 4]), zeros([5, 4]), { enableGqa: true }],
      'ShapeError: scaledDotProductAttention(q [3,4], k [5,4], v [5,4]): enableGqa needs 3 dimensions or more, [..., heads, sequence, features].',
    ],
    [
      'groups of values',
      [zeros([4, 3, 4]), k, zeros([1, 5, 4]), { enableGqa: true }],
      'ShapeError: scaledDotProductAttention(q [4,3,4], k [2,5,4], v [1,5,4]): keys have 2 heads, values 1; they must be as many.',
    ],
    [
      'two masks',
      [q, k, k, { attnMask: zeros([3, 5]), isCausal: true }],
      'ArgumentError: scaledDotProductAttention: attnMask and isCausal exclude each other; put the causal mask into attnMask.',
    ],
    [
      'a mask of integers',
      [q, k, k, { attnMask: zeros([3, 5], { dtype: 'int64' }) }],
      "DTypeError: scaledDotProductAttention: attnMask must be bool (true: attend), float32 or of q's dtype float32 (added to the scores), got int64.",
    ],
    [
      'a mask of another shape',
      [q, k, k, { attnMask: zeros([5, 3]) }],
      'ShapeError: scaledDotProductAttention(q [2,3,4], k [2,5,4], attnMask [5,3]): attnMask does not broadcast to the scores, [2,3,5].',
    ],
    [
      'dropout',
      [q, k, k, { dropoutP: 1.5 }],
      'ArgumentError: scaledDotProductAttention: dropoutP must be from 0 to 1, got 1.5.',
    ],
    [
      'scale',
      [q, k, k, { scale: Infinity }],
      'ArgumentError: scaledDotProductAttention: scale must be a finite number, got Infinity.',
    ],
  ];
  test.each(rows)('%s', (_, args, expected) => {
    expect(errorOf(() => loose(...args))).toBe(expected);
  });
});
