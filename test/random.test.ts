// Random tensors: distributions, seeds and generators, ranges, permutations, errors. The seeds are fixed, so nothing here is
// left to chance. That the numbers do not depend on threads and instruction sets is determinism.test.ts's business.
import { createHash } from 'node:crypto';
import { afterEach, describe, expect, test } from 'vitest';
import {
  bernoulli,
  Generator,
  manualSeed,
  nn,
  noGrad,
  normal_,
  ones,
  rand,
  randint,
  randn,
  randperm,
  uniform_,
  zeros,
  type DType,
  type Tensor,
} from 'thalweg';

const values = (x: Tensor): number[] => Array.from(x.dataSync(), Number);
const floats = ['float32', 'float64', 'float16', 'bfloat16'] as const;

afterEach(() => {
  manualSeed(0);
});

/** The error that fn throws: class and whole message. */
function errorOf(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return 'no error';
}

function moments(list: readonly number[]): { mean: number; variance: number; skewness: number; kurtosis: number } {
  const n = list.length;
  const mean = list.reduce((a, b) => a + b, 0) / n;
  const moment = (k: number): number => list.reduce((a, b) => a + (b - mean) ** k, 0) / n;
  const variance = moment(2);
  return { mean, variance, skewness: moment(3) / variance ** 1.5, kurtosis: moment(4) / variance ** 2 };
}

/** The Kolmogorov-Smirnov distance from a distribution function, times the root of the count: rarely above 1.9. */
function kolmogorov(list: readonly number[], cdf: (x: number) => number): number {
  const sorted = [...list].sort((a, b) => a - b);
  const n = sorted.length;
  const distance = sorted.reduce(
    (most, x, i) => Math.max(most, Math.abs(cdf(x) - i / n), Math.abs(cdf(x) - (i + 1) / n)),
    0,
  );
  return distance * Math.sqrt(n);
}

/** The normal distribution function (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * series;
  return x > 0 ? 1 - tail : tail;
}

/** Philox 4x32-10 (Salmon et al. 2011), one block, to compare with. */
function philox(seed: bigint, block: bigint): number[] {
  const mask = 0xffffffffn;
  let [k0, k1] = [seed & mask, seed >> 32n];
  let c = [block & mask, block >> 32n, 0n, 0n];
  for (let round = 0; round < 10; round++) {
    const p0 = c[0] * 0xd2511f53n;
    const p1 = c[2] * 0xcd9e8d57n;
    c = [(p1 >> 32n) ^ c[1] ^ k0, p1 & mask, (p0 >> 32n) ^ c[3] ^ k1, p0 & mask];
    k0 = (k0 + 0x9e3779b9n) & mask;
    k1 = (k1 + 0xbb67ae85n) & mask;
  }
  return c.map(Number);
}

describe('Philox 4x32-10', () => {
  test('known answers', () => {
    expect(philox(0n, 0n).map((w) => w.toString(16))).toEqual(['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']);
  });

  test.each([0n, 1n, 42n, 0xdeadbeefcafebaben, -1n])('all 32 bits of the words of seed %s', (seed) => {
    const generator = new Generator(seed);
    const words = values(randint(0, 2 ** 32, [1003], { generator }));
    const expected = Array.from({ length: 251 }, (_, i) => philox(BigInt.asUintN(64, seed), BigInt(i))).flat();
    expect(words).toEqual(expected.slice(0, 1003));
  });

  test('a generator far along', () => {
    const offset = 2 ** 40 + 5;
    const generator = new Generator(7).setState({ seed: 7n, offset });
    expect(values(randint(0, 2 ** 32, [4], { generator }))).toEqual(philox(7n, BigInt(offset)));
  });

  test('rand takes one word an element', () => {
    const x = values(rand([4], { generator: new Generator(0) }));
    philox(0n, 0n).forEach((word, i) => expect(Math.abs(x[i] - word / 2 ** 32)).toBeLessThan(2 ** -23));
  });
});

// The numbers of a seed are the same on every instruction set (determinism.test.ts runs this on each). A change here changes
// every seeded experiment.
test('the numbers of seed 1', () => {
  const hash = (x: Tensor): string => createHash('sha256').update(x.bytesSync()).digest('hex').slice(0, 16);
  const options = (dtype: DType): { dtype: DType; generator: Generator } => ({ dtype, generator: new Generator(1) });
  const made: Record<string, string> = {};
  for (const dtype of floats) {
    made[`rand ${dtype}`] = hash(rand([10_007], options(dtype)));
    made[`uniform_ ${dtype}`] = hash(uniform_(zeros([1003], { dtype }), -3, 0.7, new Generator(1)));
  }
  made['bernoulli'] = hash(bernoulli([10_007], 0.3, options('bool')));
  made['randint'] = hash(randint(-5, 1000, [10_007], options('int64')));
  made['randint wide'] = hash(randint(0, 2n ** 61n, [10_007], options('int64')));
  made['randperm'] = hash(randperm(10_007, options('int64')));
  expect(made).toMatchInlineSnapshot(`
    {
      "bernoulli": "9606dfa63535eec5",
      "rand bfloat16": "8b58ab0c6e3ba52d",
      "rand float16": "637d1319a6d87499",
      "rand float32": "ad847546742657ba",
      "rand float64": "fa6db9e67d8fc953",
      "randint": "a4fd60827ed1ef21",
      "randint wide": "a8e51b102dbf918e",
      "randperm": "679b550140342a69",
      "uniform_ bfloat16": "bc6537b834a12e56",
      "uniform_ float16": "22417cb0e2b59ec9",
      "uniform_ float32": "d6aead67e3708619",
      "uniform_ float64": "bdbdb4d1be9aa262",
    }
  `);
  // Normal numbers go through logarithms and sines, whose last bit depends on the instruction set.
  const normal = [...values(randn([6], options('float32'))), ...values(randn([6], options('float64')))];
  expect(normal.map((x) => x.toFixed(5))).toMatchInlineSnapshot(`
    [
      "0.38040",
      "-0.29628",
      "-0.24923",
      "-1.00384",
      "0.62695",
      "-0.63398",
      "-0.11368",
      "-0.45787",
      "-0.28860",
      "-0.43105",
      "0.95391",
      "-0.51209",
    ]
  `);
});

describe('seeds and generators', () => {
  test('the same seed gives the same numbers, another gives others', () => {
    manualSeed(5);
    const a = values(rand([100]));
    const b = values(rand([100]));
    manualSeed(5);
    expect(values(rand([100]))).toEqual(a);
    expect(values(rand([100]))).toEqual(b);
    expect(a).not.toEqual(b);
    manualSeed(6);
    expect(values(rand([100]))).not.toEqual(a);
  });

  test('generators are apart from each other and from the default one', () => {
    manualSeed(5);
    const expected = values(randn([10]));
    manualSeed(5);
    const generator = new Generator(9);
    const a = values(randn([10], { generator }));
    expect(values(randn([10]))).toEqual(expected);
    expect(a).toEqual(values(randn([10], { generator: new Generator(9) })));
    expect(new Generator().seed).not.toBe(new Generator().seed);
  });

  test('getState and setState continue', () => {
    const generator = new Generator(3);
    rand([10], { generator });
    const state = generator.getState();
    const a = [values(randn([7], { generator })), values(randperm(5, { generator }))];
    generator.setState(state);
    expect([values(randn([7], { generator })), values(randperm(5, { generator }))]).toEqual(a);
    const other = new Generator(1).setState(state);
    expect(values(randn([7], { generator: other }))).toEqual(a[0]);
    expect(generator.seed).toBe(3n);
  });

  // One draw of two tensors' length is both, so a draw reserves all it uses.
  test.each([
    ['rand', (n: number, generator: Generator) => rand([n], { generator })],
    ['rand float64', (n: number, generator: Generator) => rand([n], { generator, dtype: 'float64' })],
    ['rand float16', (n: number, generator: Generator) => rand([n], { generator, dtype: 'float16' })],
    ['randn', (n: number, generator: Generator) => randn([n], { generator })],
    ['randn float64', (n: number, generator: Generator) => randn([n], { generator, dtype: 'float64' })],
    ['bernoulli', (n: number, generator: Generator) => bernoulli([n], 0.5, { generator })],
    ['randint', (n: number, generator: Generator) => randint(0, 100, [n], { generator })],
    ['randint of 2^32', (n: number, generator: Generator) => randint(0, 2 ** 32, [n], { generator })],
    ['randint of 2^32 + 1', (n: number, generator: Generator) => randint(0, 2 ** 32 + 1, [n], { generator })],
    ['randint of 2^60', (n: number, generator: Generator) => randint(0, 2n ** 60n, [n], { generator })],
  ] as [string, (n: number, generator: Generator) => Tensor][])('%s in two draws', (_, draw) => {
    const generator = new Generator(11);
    const two = [...values(draw(1024, generator)), ...values(draw(1024, generator))];
    expect(values(draw(2048, new Generator(11)))).toEqual(two);
    expect(new Set(two.slice(0, 1024).map((v, i) => v - two[1024 + i])).size).toBeGreaterThan(1);
  });

  test('seeds are integers of 64 bits', () => {
    expect(new Generator(-1).seed).toBe(2n ** 64n - 1n);
    expect(new Generator(2n ** 64n + 3n).seed).toBe(3n);
    expect(errorOf(() => manualSeed(1.5))).toBe('ArgumentError: manualSeed: the seed must be an integer, got 1.5.');
    expect(errorOf(() => new Generator('1' as unknown as number))).toBe(
      'ArgumentError: Generator: the seed must be an integer, got 1.',
    );
    expect(errorOf(() => new Generator(1).setState({ seed: 1n, offset: -1 }))).toBe(
      'ArgumentError: setState: offset -1 is not an integer >= 0.',
    );
  });

  test('strides do not matter: the numbers follow the elements', () => {
    const plain = noGrad(() => uniform_(zeros([5, 7]), 0, 1, new Generator(2)));
    const turned = uniform_(zeros([7, 5]).t(), 0, 1, new Generator(2));
    expect(values(turned)).toEqual(values(plain));
    const stepped = normal_(zeros([5, 14]).slice(1, 1, 14, 2), 0, 1, new Generator(2));
    expect(values(stepped)).toEqual(values(normal_(zeros([5, 7]), 0, 1, new Generator(2))));
  });
});

describe('uniform', () => {
  test.each(floats)('%s: moments, distance, range', (dtype) => {
    const list = values(rand([20_000], { dtype, generator: new Generator(1) }));
    const { mean, variance, skewness, kurtosis } = moments(list);
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.002);
    expect(Math.abs(skewness)).toBeLessThan(0.05);
    expect(Math.abs(kurtosis - 1.8)).toBeLessThan(0.05);
    expect(list.every((x) => x >= 0 && x < 1)).toBe(true);
    // 16-bit floats have few values near 1.
    if (dtype === 'float32' || dtype === 'float64') expect(kolmogorov(list, (x) => x)).toBeLessThan(1.9);
  });

  test.each(floats)('%s: never the upper bound', (dtype) => {
    const x = uniform_(zeros([200_000], { dtype }), 1, 1.001, new Generator(4));
    expect(values(x).every((v) => v >= 1 && v < 1.001)).toBe(true);
  });

  test('a range of its own, also an empty one', () => {
    const list = values(uniform_(zeros([1000]), -3, 5, new Generator(1)));
    expect(list.every((x) => x >= -3 && x < 5)).toBe(true);
    expect(Math.min(...list)).toBeLessThan(-2.9);
    expect(Math.max(...list)).toBeGreaterThan(4.9);
    expect(values(uniform_(zeros([3]), 2, 2))).toEqual([2, 2, 2]);
    expect(values(uniform_(zeros([0])))).toEqual([]);
  });
});

describe('normal', () => {
  test.each(floats)('%s: moments, distance', (dtype) => {
    const list = values(randn([20_000], { dtype, generator: new Generator(2) }));
    const { mean, variance, skewness, kurtosis } = moments(list);
    expect(Math.abs(mean)).toBeLessThan(0.025);
    expect(Math.abs(variance - 1)).toBeLessThan(0.03);
    expect(Math.abs(skewness)).toBeLessThan(0.05);
    expect(Math.abs(kurtosis - 3)).toBeLessThan(0.12);
    expect(list.every(Number.isFinite)).toBe(true);
    if (dtype !== 'bfloat16') expect(kolmogorov(list, normalCdf)).toBeLessThan(1.9);
  });

  test('mean and deviation', () => {
    const { mean, variance } = moments(values(normal_(zeros([20_000]), 5, 0.5, new Generator(3))));
    expect(Math.abs(mean - 5)).toBeLessThan(0.015);
    expect(Math.abs(variance - 0.25)).toBeLessThan(0.01);
    expect(values(normal_(zeros([3]), 2, 0))).toEqual([2, 2, 2]);
  });

  test('neighbours are independent', () => {
    const list = values(randn([20_000], { generator: new Generator(4) }));
    for (const lag of [1, 2, 3, 4, 8]) {
      const correlation = list.slice(lag).reduce((total, x, i) => total + x * list[i], 0) / list.length;
      expect(Math.abs(correlation)).toBeLessThan(0.025);
    }
  });

  test('tails', () => {
    const list = values(randn([200_000], { dtype: 'float64', generator: new Generator(5) }));
    // 2 * (1 - Phi(3)) = 0.0027, (1 - Phi(4)) * 2 = 6.3e-5.
    const beyond = (limit: number): number => list.filter((x) => Math.abs(x) > limit).length;
    expect(Math.abs(beyond(3) - 540)).toBeLessThan(100);
    expect(beyond(4)).toBeGreaterThan(2);
    expect(beyond(4)).toBeLessThan(35);
    expect(beyond(7)).toBe(0);
  });
});

describe('bernoulli', () => {
  test.each([0.1, 0.5, 0.93])('probability %d', (p) => {
    const list = values(bernoulli([20_000], p, { generator: new Generator(1) }));
    expect(new Set(list)).toEqual(new Set([0, 1]));
    expect(Math.abs(moments(list).mean - p)).toBeLessThan(0.012);
  });

  test('0 and 1 are certain; any dtype', () => {
    expect(values(bernoulli([1000], 0)).every((x) => x === 0)).toBe(true);
    expect(values(bernoulli([1000], 1)).every((x) => x === 1)).toBe(true);
    for (const dtype of ['bool', 'uint8', 'int64', 'float16', 'float64'] as DType[]) {
      const x = bernoulli([1000], 0.5, { dtype, generator: new Generator(1) });
      expect(x.dtype).toBe(dtype);
      expect(values(x)).toEqual(values(bernoulli([1000], 0.5, { generator: new Generator(1) })));
    }
  });
});

describe('integers', () => {
  test('every value of a small range, equally often', () => {
    const list = values(randint(-2, 5, [21_000], { generator: new Generator(1) }));
    const counts = new Map<number, number>();
    for (const x of list) counts.set(x, (counts.get(x) ?? 0) + 1);
    expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3, 4]);
    const chiSquare = [...counts.values()].reduce((total, n) => total + (n - 3000) ** 2 / 3000, 0);
    expect(chiSquare).toBeLessThan(22);
  });

  test('the widest ranges', () => {
    const all = randint(-(2n ** 63n), 2n ** 63n - 1n, [1000], { generator: new Generator(1) }).dataSync();
    expect(all.some((x) => x < -(2n ** 62n))).toBe(true);
    expect(all.some((x) => x > 2n ** 62n)).toBe(true);
    const wide = randint(0, 2 ** 40, [1000], { generator: new Generator(1) }).dataSync();
    expect(wide.every((x) => x >= 0n && x < 2n ** 40n)).toBe(true);
    expect(wide.some((x) => x > 2n ** 39n)).toBe(true);
    expect(values(randint(7, 8, [5]))).toEqual([7, 7, 7, 7, 7]);
  });

  test('other dtypes', () => {
    for (const dtype of ['int32', 'uint8', 'float32', 'float64'] as DType[]) {
      const x = randint(0, 200, [500], { dtype, generator: new Generator(1) });
      expect(x.dtype).toBe(dtype);
      expect(values(x)).toEqual(values(randint(0, 200, [500], { generator: new Generator(1) })));
    }
    expect(
      values(randint(0, 256, [2000], { dtype: 'uint8', generator: new Generator(1) })).every((x) => x >= 0 && x <= 255),
    ).toBe(true);
  });

  test('a range that the dtype does not hold is refused', () => {
    expect(() => randint(0, 257, [2], { dtype: 'uint8' }).dataSync()).toThrow(/randint|randomIntegers/);
    expect(() => randint(-1, 5, [2], { dtype: 'uint8' }).dataSync()).toThrow(/randint|randomIntegers/);
    expect(() => randint(0, 2 ** 33, [2], { dtype: 'int32' }).dataSync()).toThrow(/randint|randomIntegers/);
    expect(() => randint(0, 5, [2], { dtype: 'bool' }).dataSync()).toThrow(/randint|randomIntegers/);
  });
});

describe('randperm', () => {
  test.each([0, 1, 2, 3, 10, 1000, 100_000])('is a permutation of %d', (n) => {
    const list = values(randperm(n, { generator: new Generator(1) }));
    const seen = new Uint8Array(n);
    for (const x of list) seen[x]++;
    expect(list.length).toBe(n);
    expect(seen.every((count) => count === 1)).toBe(true);
    if (n >= 10) expect(list.some((x, i) => x !== i)).toBe(true);
  });

  test('all six orders of three, equally often', () => {
    const generator = new Generator(1);
    const counts = new Map<string, number>();
    for (let i = 0; i < 6000; i++) {
      const key = values(randperm(3, { generator })).join('');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    const chiSquare = [...counts.values()].reduce((total, n) => total + (n - 1000) ** 2 / 1000, 0);
    expect(chiSquare).toBeLessThan(20);
  });

  test('int32', () => {
    const x = randperm(10, { dtype: 'int32', generator: new Generator(1) });
    expect(x.dtype).toBe('int32');
    expect(values(x)).toEqual(values(randperm(10, { generator: new Generator(1) })));
  });
});

describe('dropout', () => {
  test('keeps the mean, drops the share, scales the rest and their gradients', () => {
    const x = ones([20_000], { requiresGrad: true });
    const y = nn.functional.dropout(x, { p: 0.25, generator: new Generator(1) });
    const list = values(y);
    expect(new Set(list)).toEqual(new Set([0, Math.fround(4 / 3)]));
    expect(Math.abs(moments(list).mean - 1)).toBeLessThan(0.015);
    y.sum().backward();
    expect(values(x.grad!)).toEqual(list);
    expect(errorOf(() => nn.functional.dropout(x, { p: 1.5 }))).toBe(
      'ArgumentError: dropout: p must be from 0 to 1, got 1.5.',
    );
    expect(errorOf(() => nn.functional.dropout(x, { p: NaN }))).toBe(
      'ArgumentError: dropout: p must be from 0 to 1, got NaN.',
    );
  });
});

describe('initial values', () => {
  test('bounds and deviations as in PyTorch', () => {
    const weight = (): Tensor => zeros([200, 100]);
    const spread = (x: Tensor): { most: number; deviation: number } => {
      const list = values(x);
      return {
        most: list.reduce((most, v) => Math.max(most, Math.abs(v)), 0),
        deviation: Math.sqrt(moments(list).variance),
      };
    };
    const { init } = nn;
    const generator = (): Generator => new Generator(1);
    const uniform = spread(init.kaimingUniform(weight(), { a: Math.sqrt(5), generator: generator() }));
    expect(uniform.most).toBeLessThanOrEqual(0.1);
    expect(uniform.most).toBeGreaterThan(0.0999);
    expect(
      spread(init.kaimingNormal(weight(), { nonlinearity: 'relu', generator: generator() })).deviation,
    ).toBeCloseTo(Math.sqrt(2 / 100), 2);
    expect(spread(init.xavierUniform(weight(), 1, generator())).most).toBeCloseTo(Math.sqrt(6 / 300), 3);
    expect(spread(init.xavierNormal(weight(), 2, generator())).deviation).toBeCloseTo(2 * Math.sqrt(2 / 300), 2);
  });
});

test('whole messages', () => {
  const messages: [() => unknown, string][] = [
    [
      () => rand([2], { dtype: 'int32' }),
      'DTypeError: rand: expected a float dtype, got int32; use randint() for integers.',
    ],
    [() => rand([-1]), 'ShapeError: rand: shape[0] is -1, dimensions cannot be negative.'],
    [() => uniform_(zeros([2]), 2, 1), 'ArgumentError: uniform_: low 2 is above high 1.'],
    [() => uniform_(zeros([2]), NaN, 1), 'ArgumentError: uniform_: low must be a finite number, got NaN.'],
    [() => normal_(zeros([2]), 0, -1), 'ArgumentError: normal_: std must not be negative, got -1.'],
    [() => bernoulli([2], 1.5), 'ArgumentError: bernoulli: the probability must be from 0 to 1, got 1.5.'],
    [() => bernoulli([2], NaN), 'ArgumentError: bernoulli: the probability must be from 0 to 1, got NaN.'],
    [() => randint(5, 5, [2]), 'ArgumentError: randint: low 5 must be below high 5.'],
    [() => randint(0.5, 5, [2]), 'ArgumentError: randint: low must be an integer, got 0.5.'],
    [() => randint(0, Infinity, [2]), 'ArgumentError: randint: high must be an integer, got Infinity.'],
    [() => randperm(-1), 'ShapeError: randperm: shape[0] is -1, dimensions cannot be negative.'],
    [() => randperm(3, { dtype: 'float32' }), 'DTypeError: randperm: expected int64 or int32, got float32.'],
    [
      () => uniform_(ones([1]).expand([3])),
      'ShapeError: uniform_: a tensor of shape [3] and strides [0] is an expanded view, several elements share memory; clone() it first.',
    ],
    [
      () => normal_(ones([1], { requiresGrad: true })),
      'GradError: normal_: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).',
    ],
  ];
  for (const [fn, message] of messages) expect(errorOf(fn)).toBe(message);
});
