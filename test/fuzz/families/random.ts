// Random tensors and dropout against the definition of their numbers: Philox 4x32-10 by seed and position, and what each kind
// draws from its words (native/runtime/philox.h), written here a second time.
import { bernoulli, Generator, grad, nn, noGrad, randint, randn, randperm, type DType } from 'thalweg';
import { describe, numel, operand, roundTo } from '../array.js';
import type { Family, Note } from '../fuzz.js';
import { expectNear, roundingOf, unitOf } from '../near.js';
import type { Random } from '../random.js';

const low32 = 0xffffffffn;

/** Block number `counter` of a seed: four 32-bit words. */
function philoxBlock(seed: bigint, counter: bigint): bigint[] {
  let [a, b, c, d] = [counter & low32, (counter >> 32n) & low32, 0n, 0n];
  let [k0, k1] = [seed & low32, (seed >> 32n) & low32];
  for (let round = 0; round < 10; round++) {
    const p = 0xd2511f53n * a;
    const q = 0xcd9e8d57n * c;
    [a, b, c, d] = [(q >> 32n) ^ b ^ k0, q & low32, (p >> 32n) ^ d ^ k1, p & low32];
    k0 = (k0 + 0x9e3779b9n) & low32;
    k1 = (k1 + 0xbb67ae85n) & low32;
  }
  return [a, b, c, d];
}

interface Words {
  readonly word: (i: number) => number;
  readonly wide: (i: number) => bigint;
}

function wordsOf({ seed, offset }: { seed: bigint; offset: number }): Words {
  const blocks = new Map<number, bigint[]>();
  const block = (b: number): bigint[] => {
    const known = blocks.get(b) ?? philoxBlock(seed, BigInt(offset + b));
    blocks.set(b, known);
    return known;
  };
  return {
    word: (i) => Number(block(i >> 2)[i & 3]),
    wide: (i) => block(i >> 1)[2 * (i & 1)] | (block(i >> 1)[2 * (i & 1) + 1] << 32n),
  };
}

const floats: readonly DType[] = ['float32', 'float32', 'float64', 'float16', 'bfloat16'];

function generatorOf(random: Random): Generator {
  const generator = new Generator(random.int(0, 2 ** 31) * 4096 + random.int(0, 4095));
  if (random.chance(0.7))
    generator.setState({ seed: generator.seed, offset: random.pick([random.int(0, 1000), 2 ** 32 - 3, 2 ** 40]) });
  return generator;
}

function uniform(random: Random, note: Note): void {
  const dtype = random.pick(floats);
  const shape = random.shape(random.int(1, 3), 1500);
  const generator = generatorOf(random);
  const words = wordsOf(generator.getState());
  // Powers of two, so that the width is exact.
  const low = random.pick([0, -1, 0.5]);
  const width = random.pick([1, 2, 0.25]);
  const target = operand(random, shape, { dtype, expand: false });
  note(`uniform_(${describe(target)}, ${low}, ${low + width}) of ${JSON.stringify(String(generator.seed))}`);
  noGrad(() => target.tensor.uniform_(low, low + width, generator));
  const data = Float64Array.from({ length: numel(shape) }, (_, i) => {
    if (dtype === 'float64') return low + Number(words.wide(i) >> 11n) * 2 ** -53 * width;
    return roundTo(dtype, Math.fround(low + Math.fround(Math.floor(words.word(i) / 256) * 2 ** -24 * width)));
  });
  // What rounds up to the end of the range becomes the number before it.
  const below = Array.from(data, (v) => (v < low + width ? v : NaN));
  const found = Array.from(target.tensor.contiguous().dataSync() as ArrayLike<number>);
  expectNear('the numbers', target.tensor, {
    shape,
    data: below.map((v, i) => (Number.isNaN(v) && found[i] < low + width ? found[i] : v)),
    dtype,
  });
}

function normal(random: Random, note: Note): void {
  const dtype = random.pick(floats);
  const shape = [random.size(3000)];
  const generator = generatorOf(random);
  const words = wordsOf(generator.getState());
  note(`randn([${shape.join()}]) in ${dtype}`);
  const data = Float64Array.from({ length: shape[0] }, (_, i) => {
    const j = i - (i % 2);
    const u1 =
      dtype === 'float64'
        ? (Number(words.wide(j) >> 11n) + 1) * 2 ** -53
        : (Math.fround(Math.floor(words.word(j) / 2)) + 1) * 2 ** -31;
    const u2 =
      dtype === 'float64'
        ? Number(words.wide(j + 1) >> 11n) * 2 ** -53
        : Math.floor(words.word(j + 1) / 256) * 2 ** -24;
    const radius = Math.sqrt(-2 * Math.log(u1));
    return radius * (i % 2 === 0 ? Math.cos(2 * Math.PI * u2) : Math.sin(2 * Math.PI * u2));
  });
  // Near a zero of the cosine the angle's rounding counts; a logarithm near 0 that of its operand.
  const unit = dtype === 'float64' ? 2 ** -53 : 2 ** -24;
  const bound = data.map((v) => 64 * unit * (1 + Math.abs(v)) + roundingOf(dtype, v));
  expectNear('the numbers', randn(shape, { dtype, generator }), { shape, data, bound, dtype });
}

function whole(random: Random, note: Note): void {
  const generator = generatorOf(random);
  const words = wordsOf(generator.getState());
  const n = random.size(2000);
  const kind = random.pick(['bernoulli', 'integers', 'permutation'] as const);
  note(`${kind} of ${n}`);
  if (kind === 'bernoulli') {
    const p = random.pick([0, 0.1, 0.5, 1]);
    const dtype = random.pick<DType>(['bool', 'float32', 'int64', 'bfloat16']);
    const data = Array.from({ length: n }, (_, i) => Number(words.word(i) < p * 2 ** 32));
    expectNear('the numbers', bernoulli([n], p, { dtype, generator }), { shape: [n], data, dtype });
  } else if (kind === 'integers') {
    const low = random.int(-100, 100);
    const width = random.pick([1, 7, 1000, 2 ** 31]);
    const data = Array.from({ length: n }, (_, i) => low + Number((BigInt(words.word(i)) * BigInt(width)) >> 32n));
    expectNear('the numbers', randint(low, low + width, [n], { generator }), { shape: [n], data, dtype: 'int64' });
  } else {
    const data = Array.from({ length: n }, (_, i) => i).sort((a, b) =>
      words.wide(a) < words.wide(b) ? -1 : words.wide(a) > words.wide(b) ? 1 : a - b,
    );
    expectNear('the permutation', randperm(n, { generator }), { shape: [n], data, dtype: 'int64' });
  }
}

function dropout(random: Random, note: Note): void {
  const dtype = random.pick(floats);
  const shape = random.shape(random.int(1, 3), 3000);
  const generator = generatorOf(random);
  const words = wordsOf(generator.getState());
  const p = random.pick([0.1, 0.5, 0.9, 1]);
  const x = operand(random, shape, { dtype });
  const g = operand(random, shape, { dtype });
  note(`dropout(${describe(x)}, ${p}), gradient ${describe(g)}`);
  const input = x.tensor.detach().requiresGrad_();
  const out = nn.functional.dropout(input, { p, generator });
  const scale = p === 1 ? 0 : 1 / (1 - p);
  const dropped = (values: Float64Array): Float64Array =>
    values.map((v, i) => (words.word(i) < (1 - p) * 2 ** 32 ? v * scale : 0));
  const check = (what: string, found: typeof out, values: Float64Array): void => {
    const data = dropped(values);
    const bound = data.map((v) => 2 * unitOf(dtype) * Math.abs(v) + roundingOf(dtype, v));
    expectNear(what, found, { shape, data, bound, dtype });
  };
  check('the result', out, x.data);
  check('the gradient', grad(out, [input], { gradOutputs: [g.tensor] })[0], g.data);
}

export const randomFamily: Family = {
  name: 'random',
  run: (random, note) => random.pick([uniform, normal, whole, dropout])(random, note),
};
