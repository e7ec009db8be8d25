// Elementwise programs: random expressions over broadcast, strided operands, run op by op and as one fused program. The
// reference carries along how far each value may be from the exact one.
import { expr as e, program, where, type DType, type Tensor } from 'thalweg';
import * as ops from 'thalweg';
import { describe, forEachIndex, operand, stridesOf, type Operand } from '../array.js';
import type { Family } from '../fuzz.js';
import { expectNear, roundingOf } from '../near.js';
import type { Random } from '../random.js';

/** A value and how far a computed one may be from it. */
interface Bounded {
  readonly value: number;
  readonly error: number;
}

interface Unary {
  readonly name:
    | 'neg'
    | 'abs'
    | 'square'
    | 'exp'
    | 'log'
    | 'sqrt'
    | 'rsqrt'
    | 'reciprocal'
    | 'tanh'
    | 'sigmoid'
    | 'sin'
    | 'cos'
    | 'log1p'
    | 'expm1'
    | 'floor'
    | 'erf';
  readonly exact: (x: number) => number;
  /** A bound of the derivative within `error` of x. */
  readonly slope: (x: number, error: number) => number;
  /** Where the function is well behaved. */
  readonly takes?: (x: Bounded) => boolean;
  /** Only for operands that are exact. */
  readonly jumps?: boolean;
  /** Rounded correctly, rather than within a few units. */
  readonly correct?: boolean;
}

const moderate = ({ value }: Bounded): boolean => Math.abs(value) < 15;
const positive = ({ value, error }: Bounded): boolean => value > 0.05 && value < 1e6 && error < 0.01 * value;

/**
 * 2 / sqrt(pi) exp(-x^2) sum of 2^n x^(2n+1) / (1 3 5 ... (2n+1)): all terms have one sign. Their rounding errors add up, so
 * that from 1.5 on the distance to 1 is computed instead: exp(-x^2) / sqrt(pi) / (x + 1/2 / (x + 2/2 / (x + 3/2 / ...))).
 */
function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  const scale = Math.exp(-x * x) / Math.sqrt(Math.PI);
  if (Math.abs(x) > 1.5) {
    let fraction = Math.abs(x);
    for (let n = 200; n > 0; n--) fraction = Math.abs(x) + n / 2 / fraction;
    return Math.sign(x) * (1 - scale / fraction);
  }
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    total += term;
  }
  return 2 * scale * total;
}

const unary: readonly Unary[] = [
  { name: 'neg', exact: (x) => -x, slope: () => 1, correct: true },
  { name: 'abs', exact: Math.abs, slope: () => 1, correct: true },
  {
    name: 'square',
    exact: (x) => x * x,
    slope: (x, d) => 2 * (Math.abs(x) + d),
    takes: ({ value }) => Math.abs(value) < 1e4,
    correct: true,
  },
  { name: 'exp', exact: Math.exp, slope: (x, d) => Math.exp(x + d), takes: ({ value }) => Math.abs(value) < 8 },
  { name: 'log', exact: Math.log, slope: (x, d) => 1 / (x - d), takes: positive },
  { name: 'sqrt', exact: Math.sqrt, slope: (x, d) => 0.5 / Math.sqrt(x - d), takes: positive, correct: true },
  { name: 'rsqrt', exact: (x) => 1 / Math.sqrt(x), slope: (x, d) => 0.5 * (x - d) ** -1.5, takes: positive },
  { name: 'reciprocal', exact: (x) => 1 / x, slope: (x, d) => (x - d) ** -2, takes: positive },
  { name: 'tanh', exact: Math.tanh, slope: () => 1, takes: moderate },
  { name: 'sigmoid', exact: (x) => 1 / (1 + Math.exp(-x)), slope: () => 0.25, takes: moderate },
  { name: 'sin', exact: Math.sin, slope: () => 1, takes: moderate },
  { name: 'cos', exact: Math.cos, slope: () => 1, takes: moderate },
  { name: 'log1p', exact: Math.log1p, slope: (x, d) => 1 / (1 + x - d), takes: positive },
  { name: 'expm1', exact: Math.expm1, slope: (x, d) => Math.exp(x + d), takes: ({ value }) => Math.abs(value) < 8 },
  { name: 'erf', exact: erfOf, slope: () => 1.13, takes: moderate },
  { name: 'floor', exact: Math.floor, slope: () => 0, jumps: true, correct: true },
];

interface Binary {
  readonly name: 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum';
  readonly exact: (a: number, b: number) => number;
  readonly error: (a: Bounded, b: Bounded) => number;
}

const binary: readonly Binary[] = [
  { name: 'add', exact: (a, b) => a + b, error: (a, b) => a.error + b.error },
  { name: 'sub', exact: (a, b) => a - b, error: (a, b) => a.error + b.error },
  {
    name: 'mul',
    exact: (a, b) => a * b,
    error: (a, b) => Math.abs(a.value) * b.error + Math.abs(b.value) * a.error + a.error * b.error,
  },
  {
    name: 'div',
    exact: (a, b) => a / b,
    error: (a, b) => (a.error + Math.abs(a.value / b.value) * b.error) / (Math.abs(b.value) - b.error),
  },
  { name: 'maximum', exact: Math.max, error: (a, b) => Math.max(a.error, b.error) },
  { name: 'minimum', exact: Math.min, error: (a, b) => Math.max(a.error, b.error) },
];

/** A subexpression, over all elements of the result. */
interface Node {
  readonly text: string;
  readonly values: readonly Bounded[];
  readonly eager: () => Tensor;
  readonly fused: (inputs: readonly e.Expr[]) => e.ExprLike;
}

/** An operand that broadcasts to the shape. */
function leaf(random: Random, shape: readonly number[], dtype: DType, i: number): { node: Node; operand: Operand } {
  const own = shape.map((size) => (random.chance(0.15) ? 1 : size));
  const x = operand(random, own, { dtype });
  const strides = stridesOf(own).map((stride, d) => (own[d] === 1 ? 0 : stride));
  const values: Bounded[] = [];
  forEachIndex(shape, (index) => {
    values.push({ value: x.data[index.reduce((at, j, d) => at + j * strides[d], 0)], error: 0 });
  });
  return { operand: x, node: { text: `x${i}`, values, eager: () => x.tensor, fused: (inputs) => inputs[i] } };
}

function randomTree(random: Random, leaves: readonly Node[], depth: number, rounding: (value: number) => number): Node {
  if (depth === 0 || random.chance(0.1)) return random.pick(leaves);
  const sub = (): Node => randomTree(random, leaves, depth - 1, rounding);
  const kind = random.next();
  if (kind < 0.4) {
    const a = sub();
    const exact = a.values.every(({ error }) => error === 0);
    const f = random.pick(
      unary.filter(({ takes, jumps }) => (takes === undefined || a.values.every(takes)) && (jumps !== true || exact)),
    );
    return {
      text: `${f.name}(${a.text})`,
      values: a.values.map(({ value, error }) => {
        const result = f.exact(value);
        return {
          value: result,
          error: f.slope(value, error) * error + (f.correct === true ? 1 : 8) * rounding(result),
        };
      }),
      eager: () => ops[f.name](a.eager()),
      fused: (inputs) => e[f.name](a.fused(inputs)),
    };
  }
  if (kind < 0.5) {
    // The condition is about operands, whose values are exact, so that both ways agree on it.
    const [p, q] = [random.pick(leaves), random.pick(leaves)];
    const [a, b] = [sub(), sub()];
    return {
      text: `where(${p.text} < ${q.text}, ${a.text}, ${b.text})`,
      values: p.values.map(({ value }, i) => (value < q.values[i].value ? a.values[i] : b.values[i])),
      eager: () => where(ops.lt(p.eager(), q.eager()), a.eager(), b.eager()),
      fused: (inputs) => e.select(e.lt(p.fused(inputs), q.fused(inputs)), a.fused(inputs), b.fused(inputs)),
    };
  }
  const [a, b] = [sub(), sub()];
  const divisor = b.values.every(({ value, error }) => Math.abs(value) > 0.05 && error < 0.01 * Math.abs(value));
  const f = random.pick(binary.filter(({ name }) => name !== 'div' || divisor));
  return {
    text: `${f.name}(${a.text}, ${b.text})`,
    values: a.values.map((left, i) => {
      const value = f.exact(left.value, b.values[i].value);
      return { value, error: f.error(left, b.values[i]) + rounding(value) };
    }),
    eager: () => ops[f.name](a.eager(), b.eager()),
    fused: (inputs) => e[f.name](a.fused(inputs), b.fused(inputs)),
  };
}

function expressions(random: Random, note: (text: string) => void): void {
  const dtype = random.pick<DType>(['float32', 'float32', 'float32', 'float64', 'bfloat16', 'float16']);
  const shape = random.shape(random.int(1, 4), random.chance(0.03) ? 8_000 : 400);
  const made = Array.from({ length: random.int(1, 4) }, (_, i) => leaf(random, shape, dtype, i));
  // The first has the result's shape.
  made[0] = (() => {
    const whole = operand(random, shape, { dtype, expand: false });
    const values = Array.from(whole.data, (value) => ({ value, error: 0 }));
    return {
      operand: whole,
      node: { text: 'x0', values, eager: () => whole.tensor, fused: (inputs: readonly e.Expr[]) => inputs[0] },
    };
  })();
  const rounding = (value: number): number => roundingOf(dtype, value);
  const leaves = made.map(({ node }) => node);
  const tree = randomTree(random, leaves, random.int(1, 5), rounding);
  const operands = made.map((m) => m.operand);
  note(`${tree.text} of ${operands.map(describe).join(', ')}`);
  const largest = tree.values.reduce((top, { value, error }) => Math.max(top, Math.abs(value) + error), 0);
  // Beyond float16's range intermediate results are infinite.
  if (dtype === 'float16' && !(largest < 60_000)) return;
  const full = ops.add(tree.eager(), ops.zeros(shape, { dtype }));
  const expected = {
    shape,
    data: Float64Array.from(tree.values, ({ value }) => value),
    bound: Float64Array.from(tree.values, ({ value, error }) => error + rounding(value)),
    dtype,
  };
  if (!tree.values.every(({ value, error }) => Number.isFinite(value) && Number.isFinite(error))) return;
  expectNear('op by op', full, expected);
  const target = operand(random, shape, { dtype, expand: false }).tensor;
  const names = operands.map((_, i) => `x${i}`);
  const fused = program({
    name: 'fuzz',
    tensors: ['out', ...names],
    update: (values) => ({ out: tree.fused(names.map((name) => values[name])) }),
  });
  const lists = Object.fromEntries([
    ['out', [target]],
    ...names.map((name, i) => [name, [operands[i].tensor]]),
  ]) as Record<string, Tensor[]>;
  const before = target.tolist();
  fused.run(lists, {}, { skip: ops.tensor(random.pick([1, -0.5, NaN])) });
  if (JSON.stringify(target.tolist()) !== JSON.stringify(before)) throw new Error('a run that is skipped has written');
  fused.run(lists, {}, random.chance(0.5) ? {} : { skip: ops.zeros([]) });
  expectNear('fused', target, expected);
}

type IntegerOp = readonly [
  name: 'add' | 'sub' | 'mul' | 'bitwiseAnd' | 'bitwiseOr' | 'bitwiseXor' | 'maximum',
  exact: (a: bigint, b: bigint) => bigint,
];
const integerOps: readonly IntegerOp[] = [
  ['add', (a, b) => a + b],
  ['sub', (a, b) => a - b],
  ['mul', (a, b) => a * b],
  ['bitwiseAnd', (a, b) => a & b],
  ['bitwiseOr', (a, b) => a | b],
  ['bitwiseXor', (a, b) => a ^ b],
  ['maximum', (a, b) => (a > b ? a : b)],
];

function integers(random: Random, note: (text: string) => void): void {
  const dtype = random.pick<'int32' | 'uint8' | 'int64'>(['int32', 'uint8', 'int64']);
  const shape = random.shape(random.int(1, 3), 1500);
  const value = (r: Random): number => (dtype === 'uint8' ? r.int(0, 255) : r.int(-(2 ** 31), 2 ** 31 - 1));
  const a = operand(random, shape, { dtype, value });
  const b = operand(random, shape, { dtype, value });
  const [name, exact] = random.pick(integerOps);
  note(`${name}(${describe(a)}, ${describe(b)})`);
  const wrap = (x: bigint): number =>
    Number(dtype === 'uint8' ? BigInt.asUintN(8, x) : dtype === 'int32' ? BigInt.asIntN(32, x) : BigInt.asIntN(64, x));
  const data = a.data.map((x, i) => wrap(exact(BigInt(x), BigInt(b.data[i]))));
  expectNear('the result', ops[name](a.tensor, b.tensor), { shape, data, dtype });
}

export const mapFamily: Family = {
  name: 'map',
  run: (random, note) => (random.chance(0.15) ? integers : expressions)(random, note),
};
