// Elementwise programs: compiling, running over lists of tensors, derived gradients, ops of a user's own, dtype promotion.
import { describe, expect, test, vi } from 'vitest';
import {
  defineElementwise,
  defineMultiOp,
  defineOp,
  dtypes,
  expr,
  fromTypedArray,
  full,
  grad,
  memory,
  noGrad,
  ones,
  program,
  resultDType,
  tensor,
  zeros,
  type DType,
  type Tensor,
} from 'thalweg';
import { native } from '../src/native.js';
import { compile } from '../src/program/compile.js';
import { derive } from '../src/program/derive.js';
import { inputExpr } from '../src/program/expr.js';
import { readGoldens } from './golden.js';
import { gradcheck, gradgradcheck } from './gradcheck.js';
import { errorOf } from './error-of.js';

const { add, div, exp, log, maximum, mul, neg, pow, select, sqrt, square, sub, tanh } = expr;

const values = (x: Tensor): number[] => Array.from(x.dataSync(), Number);

function f64(list: readonly number[], shape: readonly number[] = [list.length]): Tensor {
  return fromTypedArray(Float64Array.from(list), shape);
}

/** What is sent to the addon for an expression: the instructions' number, registers, constants. */
function compiled(outputs: readonly expr.Expr[], inputs: readonly expr.Expr[]) {
  const spy = vi.spyOn(native, 'program');
  compile('inspected', outputs, inputs, []);
  const [, code, results, constants, , , temporaries] = spy.mock.lastCall!;
  spy.mockRestore();
  const { opcodes } = native.describe();
  const names = Array.from({ length: code.length / 5 }, (_, i) => opcodes[code[5 * i]]);
  return { names, results: Array.from(results), constants: Array.from(constants), temporaries };
}

describe('compile', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(inputExpr);

  test('computes equal subexpressions once', () => {
    const { names } = compiled([add(exp(add(a, b)), tanh(add(a, b)))], [a, b]);
    expect(names).toEqual(['add', 'exp', 'tanh', 'add']);
  });

  test('fuses a product into a sum when nothing else needs it', () => {
    expect(compiled([add(mul(a, b), c)], [a, b, c]).names).toEqual(['fma']);
    expect(compiled([add(c, mul(a, b))], [a, b, c]).names).toEqual(['fma']);
    const product = mul(a, b);
    expect(compiled([add(product, exp(product))], [a, b]).names).toEqual(['mul', 'exp', 'add']);
    expect(compiled([add(product, c), product], [a, b, c]).names).toEqual(['mul', 'add']);
    expect(compiled([add(mul(a, b), mul(b, c))], [a, b, c]).names).toEqual(['mul', 'fma']);
  });

  test('keeps each constant once, and -0 apart from 0', () => {
    const { constants } = compiled([add(add(a, 0.5), mul(b, 0.5), 0, -0)], [a, b]);
    expect(constants.map((v) => (Object.is(v, -0) ? '-0' : String(v))).sort()).toEqual(['-0', '0', '0.5']);
  });

  test('reuses temporaries', () => {
    let e: expr.Expr = a;
    for (let i = 0; i < 1000; i++) e = exp(neg(e));
    expect(compiled([e], [a]).temporaries).toBeLessThanOrEqual(3);
  });

  test('simplifies only what holds for every float', () => {
    expect(mul(a, 1)).toBe(a);
    expect(sub(a, 0)).toBe(a);
    expect(div(a, 1)).toBe(a);
    expect(neg(neg(a))).toBe(a);
    const op = defineElementwise('test.plusZero', (x) => add(x, 0));
    expect(Object.is(values(op.apply([f64([-0])]))[0], 0)).toBe(true);
    const times = defineElementwise('test.timesZero', (x) => mul(x, 0));
    expect(values(times.apply([f64([Infinity, NaN, 1])]))).toEqual([NaN, NaN, 0]);
  });

  test('refuses what is no expression, a foreign input, too many registers', () => {
    expect(errorOf(() => add(a, tensor([1]) as unknown as number))).toBe(
      'ArgumentError: expression: expected an expression or a number, got object; inside a program use the expression functions, not tensor ops.',
    );
    expect(errorOf(() => exp(null as unknown as number))).toBe(
      'ArgumentError: expression: expected an expression or a number, got null; inside a program use the expression functions, not tensor ops.',
    );
    expect(errorOf(() => compile('lonely', [add(a, b)], [a], []))).toBe(
      "ArgumentError: lonely: the expression uses input 'b', which is not one of its parameters.",
    );
    // All 300 are needed until the end.
    const parts = Array.from({ length: 300 }, (_, i) => exp(add(a, i)));
    const sum = parts.reduce((total, part) => add(total, part));
    const product = parts.reduceRight((total, part) => mul(total, part));
    expect(() => compile('wide', [add(sum, product)], [a], [])).toThrow(
      /^wide: the program needs \d+ registers, more than 256; split it in two\.$/,
    );
  });

  test('a deep expression', () => {
    let e: expr.Expr = a;
    for (let i = 0; i < 2000; i++) e = add(e, b);
    const op = defineElementwise('test.deep', (x, y) => {
      let total = x;
      for (let i = 0; i < 2000; i++) total = add(total, y);
      return total;
    });
    expect(values(op.apply([f64([1, 2]), f64([0.5, 1])]))).toEqual([1001, 2002]);
    expect(compiled([e], [a, b]).names.length).toBe(2000);
  });
});

describe('derive', () => {
  // One expression with every rule that the samples do not reach by an op of its own.
  test('of a larger expression', () => {
    const op = defineElementwise('test.larger', (a, b) => {
      const ratio = div(add(square(a), 1), sqrt(add(square(b), 2)));
      return select(expr.gt(a, b), mul(ratio, tanh(mul(a, b))), maximum(exp(neg(ratio)), mul(0.1, log(ratio))));
    });
    const a = f64([0.3, -1.2, 2.5, 1.1]).requiresGrad_();
    const b = f64([1.4, -2.2, 0.5, 3.3]).requiresGrad_();
    const run = ([x, y]: readonly Tensor[]): Tensor => op.apply([x, y]);
    gradcheck('larger', run, [a, b], [f64([1, 0.5, -2, 3])]);
    gradgradcheck('larger', run, [a, b], [f64([1, 0.5, -2, 3])]);
  });

  test('uses the result where the rule does', () => {
    const x = inputExpr('x');
    const y = exp(x);
    const g = inputExpr('g');
    expect(derive(y, [x], g)[0].args).toEqual([g, y]);
    expect(derive(expr.floor(x), [x], g)[0]).toMatchObject({ kind: 'constant', value: 0 });
  });

  test('of run-time scalars nothing, of operands given as numbers nothing', () => {
    const op = defineElementwise('test.scaled', (a, b, scale) => mul(a, b, scale), { scalars: ['scale'] });
    const a = f64([1, 2]).requiresGrad_();
    const y = op.apply([a, 3], [10]);
    expect(values(y)).toEqual([30, 60]);
    expect(values(grad(y.sum(), [a])[0])).toEqual([30, 30]);
    // Another scalar is not another program.
    const programs = vi.spyOn(native, 'program');
    expect(values(op.apply([a, 4], [0.5]))).toEqual([2, 4]);
    expect(programs).not.toHaveBeenCalled();
    programs.mockRestore();
  });

  test('a gradient given by hand, with null for none', () => {
    const op = defineElementwise('test.straightThrough', (x, y) => add(expr.round(x), y), { grad: (g) => [g, null] });
    const x = f64([0.4, 1.6]).requiresGrad_();
    const y = f64([1, 1]).requiresGrad_();
    const [dx, dy] = grad(op.apply([x, y]).sum(), [x, y]);
    expect([values(dx), values(dy)]).toEqual([
      [1, 1],
      [0, 0],
    ]);
  });
});

describe('defineElementwise', () => {
  test('mish, as its documentation has it', () => {
    const mish = defineElementwise('test.mish', (x) => mul(x, tanh(expr.log1p(exp(x)))));
    expect(values(mish.apply([tensor([0, 1])])).map((v) => v.toFixed(4))).toEqual(['0.0000', '0.8651']);
  });

  test('needs names for more than three operands', () => {
    expect(errorOf(() => defineElementwise('four', (a, b, c, d) => add(a, b, c, d)))).toBe(
      "ArgumentError: defineElementwise('four'): the body takes 4 parameters, of which 0 are scalars; name the 4 operands in options.inputs.",
    );
    const four = defineElementwise('test.four', (a, b, c, d) => add(mul(a, b), mul(c, d)), {
      inputs: ['a', 'b', 'c', 'd'],
    });
    const xs = [[1], [2], [3], [4]].map((list) => f64(list).requiresGrad_());
    const y = four.apply(xs);
    expect(values(y)).toEqual([14]);
    expect(grad(y.sum(), xs).map((g) => values(g)[0])).toEqual([2, 1, 4, 3]);
  });

  test('whole messages', () => {
    const op = defineElementwise('test.two', (a, b, scale) => mul(a, b, scale), { scalars: ['scale'] });
    const x = ones([2, 3]);
    expect(errorOf(() => op.apply([x, ones([2, 4])], [1]))).toBe(
      'ShapeError: test.two(a [2,3], b [2,4]): cannot broadcast, a.shape[-1] = 3 but b.shape[-1] = 4.',
    );
    expect(errorOf(() => op.apply([x, x], []))).toBe('ArgumentError: test.two: scale must be a number, got undefined.');
    expect(errorOf(() => op.apply([1, 2], [1]))).toBe(
      'ArgumentError: test.two: at least one operand must be a Tensor; make one with tensor(...).',
    );
    expect(errorOf(() => op.apply([x, [1] as unknown as Tensor], [1]))).toBe(
      'ArgumentError: test.two: b is an array, expected a Tensor; make one with tensor(...).',
    );
    expect(errorOf(() => op.apply([x, null as unknown as Tensor], [1]))).toBe(
      'ArgumentError: test.two: b is null, expected a Tensor.',
    );
    const gone = ones([2]);
    gone.dispose();
    expect(errorOf(() => op.apply([gone, x], [1]))).toBe('DisposedError: test.two: a of shape [2] was disposed.');
    const three = defineElementwise('test.three', (a, b, c) => add(a, b, c));
    expect(errorOf(() => three.apply([ones([3]), ones([2, 1]), ones([4])]))).toBe(
      'ShapeError: test.three(a [3], b [2,1], c [4]): cannot broadcast, a.shape[-1] = 3 but c.shape[-1] = 4.',
    );
  });

  test('in place: shape, dtype, overlap, expanded memory', () => {
    const x = ones([3]);
    expect(errorOf(() => x.add_(ones([2, 3])))).toBe(
      'ShapeError: add_: the result has shape [2,3], which does not fit in place into [3].',
    );
    const ints = tensor([1, 2], { dtype: 'int32' });
    expect(errorOf(() => ints.mul_(0.5))).toBe(
      'DTypeError: mul_: the result is float32, which cannot be stored in place in int32.',
    );
    expect(errorOf(() => ones([1]).expand([3]).add_(1))).toBe(
      'ShapeError: add_: a tensor of shape [3] and strides [0] is an expanded view, several elements share memory; clone() it first.',
    );
    // Writing over what is read: x[1:] += x[:-1] sees the old values.
    const row = f64([1, 2, 3, 4, 5]);
    row.slice(0, 1, 5).add_(row.slice(0, 0, 4));
    expect(values(row)).toEqual([1, 3, 5, 7, 9]);
    const matrix = f64([1, 2, 3, 4], [2, 2]);
    matrix.add_(matrix.t());
    expect(values(matrix)).toEqual([2, 5, 5, 8]);
    const same = f64([1, 2]);
    same.mul_(same);
    expect(values(same)).toEqual([1, 4]);
    const half = tensor([1, 2], { dtype: 'float16' });
    expect(half.add_(tensor([0.5, 0.25])).dtype).toBe('float16');
  });
});

describe('promotion, as torch.result_type', () => {
  interface Golden {
    readonly operands: readonly {
      readonly dtype?: DType;
      readonly shape?: readonly number[];
      readonly value?: number | boolean;
    }[];
    readonly result: DType;
  }
  const goldens = readGoldens<Golden[]>('promotion.json');
  test('all pairs of dtypes, with dimensions, without, and numbers', () => {
    expect(goldens.length).toBeGreaterThan(dtypes.length ** 2);
    for (const { operands, result } of goldens) {
      const given = operands.map(({ dtype, shape, value }) => value ?? zeros(shape!, { dtype: dtype! }));
      expect(resultDType(given), JSON.stringify(operands)).toBe(result);
    }
  });
});

describe('program', () => {
  test('updates lists of tensors in place, of any shapes and layouts', () => {
    const axpy = program({
      name: 'axpy',
      tensors: ['y', 'x'],
      scalars: ['a'],
      update: ({ y, x, a }) => ({ y: add(y, mul(a, x)) }),
    });
    const y = [f64([1, 2, 3]), f64([], [0, 2]), f64([1, 2, 3, 4], [2, 2]).t(), f64([7], [])];
    const x = [f64([1, 1, 1]), f64([], [0, 2]), f64([1, 2, 3, 4], [2, 2]), f64([1], [])];
    axpy.run({ y, x }, { a: 10 });
    expect(y.map(values)).toEqual([[11, 12, 13], [], [11, 23, 32, 44], [17]]);
    axpy.run({ y, x }, { a: -10 });
    expect(y.map(values)).toEqual([[1, 2, 3], [], [1, 3, 2, 4], [7]]);
    axpy.run({ y: [], x: [] }, { a: 1 });
  });

  test('every new value is computed from the old ones', () => {
    const long = (start: number): Tensor => f64(Array.from({ length: 1000 }, (_, i) => start + i));
    const swap = program({ name: 'swap', tensors: ['a', 'b'], update: ({ a, b }) => ({ a: b, b: a }) });
    const [a, b] = [long(0), long(5000)];
    swap.run({ a: [a], b: [b] }, {});
    expect([values(a)[0], values(a)[999], values(b)[0], values(b)[999]]).toEqual([5000, 5999, 0, 999]);
    const mixed = program({
      name: 'mixed',
      tensors: ['a', 'b', 'c'],
      update: ({ a, b, c }) => ({ a: add(a, 1), b: mul(a, 2), c: add(a, b, c) }),
    });
    const [p, q, r] = [long(1), long(2), long(3)];
    mixed.run({ a: [p], b: [q], c: [r] }, {});
    for (const i of [0, 1, 255, 256, 999]) {
      expect([values(p)[i], values(q)[i], values(r)[i]]).toEqual([i + 2, 2 * (i + 1), 3 * i + 6]);
    }
    const one = program({ name: 'one', tensors: ['a', 'b'], update: ({ a }) => ({ a: mul(a, a), b: 7 }) });
    one.run({ a: [p], b: [q] }, {});
    expect([values(p)[3], values(q)[3]]).toEqual([25, 7]);
  });

  test('dtypes may differ between lists, and from tensor to tensor', () => {
    const track = program({ name: 'track', tensors: ['sum', 'x'], update: ({ sum, x }) => ({ sum: add(sum, x) }) });
    const sum = [zeros([2], { dtype: 'float32' }), zeros([2], { dtype: 'float64' })];
    track.run({ sum, x: [tensor([1, 2], { dtype: 'bfloat16' }), tensor([1, 2], { dtype: 'int32' })] }, {});
    expect(sum.map(values)).toEqual([
      [1, 2],
      [1, 2],
    ]);
  });

  test('counts as an in-place change', () => {
    const scale = program({ name: 'scale', tensors: ['x'], scalars: ['a'], update: ({ x, a }) => ({ x: mul(x, a) }) });
    const w = f64([1, 2]).requiresGrad_();
    const x = f64([3, 4]);
    const loss = w.mul(x).sum();
    scale.run({ x: [x] }, { a: 2 });
    expect(() => loss.backward()).toThrow(/'b' of mul, shape \[2\], was changed in place 1 time/);
    expect(errorOf(() => scale.run({ x: [w] }, { a: 2 }))).toBe(
      'GradError: scale: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).',
    );
    noGrad(() => scale.run({ x: [w] }, { a: 2 }));
    expect(values(w)).toEqual([2, 4]);
  });

  test('more tensors than one call takes', () => {
    const count = program({ name: 'count', tensors: ['x'], update: ({ x }) => ({ x: add(x, 1) }) });
    const x = Array.from({ length: 5000 }, () => zeros([2]));
    const before = memory().tensors;
    count.run({ x }, {});
    expect(memory().tensors).toBe(before);
    expect(x.every((t) => values(t).join() === '1,1')).toBe(true);
  });

  test('whole messages, and nothing changed', () => {
    expect(errorOf(() => program({ name: 'p', tensors: ['a'], update: () => ({ b: 1 }) as never }))).toBe(
      "ArgumentError: program 'p': it updates 'b', which is not one of its tensors (a).",
    );
    expect(errorOf(() => program({ name: 'p', tensors: ['a'], update: () => ({}) }))).toBe(
      "ArgumentError: program 'p': it updates none of its tensors.",
    );
    const axpy = program({
      name: 'axpy',
      tensors: ['y', 'x'],
      scalars: ['a'],
      update: ({ y, x, a }) => ({ y: add(y, mul(a, x)) }),
    });
    const y = [zeros([2]), zeros([3])];
    expect(errorOf(() => axpy.run({ y, x: [ones([2])] }, { a: 1 }))).toBe(
      "ArgumentError: axpy: 1 tensors for 'x', 2 for 'y'.",
    );
    expect(errorOf(() => axpy.run({ y, x: [ones([2]), ones([2])] }, { a: 1 }))).toBe(
      'ShapeError: axpy: x[1] has shape [2], y[1] [3].',
    );
    expect(errorOf(() => axpy.run({ y, x: [ones([2]), ones([3])] }, {} as { a: number }))).toBe(
      "ArgumentError: axpy: the scalar 'a' is not a number.",
    );
    expect(errorOf(() => axpy.run({ y, x: [ones([2]), 3 as unknown as Tensor] }, { a: 1 }))).toBe(
      'ArgumentError: axpy: x[1] is a number, expected a Tensor; make one with tensor(...).',
    );
    const gone = ones([3]);
    gone.dispose();
    expect(errorOf(() => axpy.run({ y, x: [ones([2]), gone] }, { a: 1 }))).toBe(
      'DisposedError: axpy: x[1] of shape [3] was disposed.',
    );
    expect(errorOf(() => axpy.run({ y: [ones([1]).expand([2])], x: [ones([2])] }, { a: 1 }))).toBe(
      'ShapeError: axpy: a tensor of shape [2] and strides [0] is an expanded view, several elements share memory; clone() it first.',
    );
    expect(y.map(values)).toEqual([
      [0, 0],
      [0, 0, 0],
    ]);
  });
});

describe('defineOp', () => {
  const scale = defineOp({
    name: 'test.scale',
    inputs: ['x', 'factor'],
    optional: ['factor'],
    saves: { x: ['factor'], factor: ['x'] },
    shape: ({ x }) => x.shape,
    forward: ([out], { x, factor }) => noGrad(() => out.copy_(factor === null ? x : x.detach().mul(factor.detach()))),
    vjp: ([g], { x, factor }) => [() => (factor === undefined ? g : g.mul(factor)), () => g.mul(x)],
  });

  test('saves what a wanted gradient needs, and no more', () => {
    const x = full([100], 2, { dtype: 'float64' });
    const factor = full([100], 3, { dtype: 'float64' }).requiresGrad_();
    const y = scale([x, factor], undefined);
    expect([x._pins, factor._pins]).toEqual([1, 0]);
    y.sum().backward();
    expect(values(factor.grad!)[0]).toBe(2);
    expect([x._pins, factor._pins]).toEqual([0, 0]);
  });

  test('an optional input that is not given', () => {
    const x = f64([1, 2]).requiresGrad_();
    const y = scale([x, null], undefined);
    y.mul(5).sum().backward();
    expect(values(x.grad!)).toEqual([5, 5]);
    expect(errorOf(() => scale([null, x], undefined))).toBe('ArgumentError: test.scale: x is null, expected a Tensor.');
    expect(errorOf(() => scale([x, tensor([1, 2])], undefined))).toBe(
      "DTypeError: test.scale(x float64[2], factor float32[2]): the dtypes differ; convert one, e.g. factor.to('float64').",
    );
  });

  test('several results; one that is not used has a zero gradient', () => {
    const sumAndDifference = defineMultiOp({
      name: 'test.sumAndDifference',
      inputs: ['a', 'b'],
      outputs: ({ a }) => [
        { shape: a.shape, dtype: a.dtype },
        { shape: a.shape, dtype: a.dtype },
      ],
      forward: ([s, d], { a, b }) => {
        noGrad(() => {
          s.copy_(a.add(b));
          d.copy_(a.sub(b));
        });
      },
      vjp: ([gs, gd]) => [() => gs.add(gd), () => gs.sub(gd)],
    });
    const a = f64([1, 2]).requiresGrad_();
    const b = f64([3, 4]).requiresGrad_();
    const [s, d] = sumAndDifference([a, b], undefined);
    expect([values(s), values(d)]).toEqual([
      [4, 6],
      [-2, -2],
    ]);
    d.mul(10).sum().backward({ retainGraph: true });
    expect([values(a.grad!), values(b.grad!)]).toEqual([
      [10, 10],
      [-10, -10],
    ]);
    s.sum().add(d.sum()).backward();
    expect([values(a.grad!), values(b.grad!)]).toEqual([
      [12, 12],
      [-10, -10],
    ]);
  });
});

test('pow keeps its corner cases', () => {
  const op = defineElementwise('test.pow', (a, b) => pow(a, b));
  expect(values(op.apply([f64([0, 0, -2, -2, Infinity, NaN, 1]), f64([0, -1, 3, 0.5, 0, 0, NaN])]))).toEqual([
    1,
    Infinity,
    -8,
    NaN,
    1,
    1,
    1,
  ]);
});

test('what scalars alone decide is computed in float64', () => {
  const share = program({
    name: 'share',
    tensors: ['p', 'g'],
    scalars: ['beta'],
    update: ({ g, beta }) => ({ p: expr.mul(expr.sub(1, expr.square(beta)), g) }),
  });
  const p = tensor([0]);
  share.run({ p: [p], g: [tensor([1])] }, { beta: 0.9999 });
  expect(p.itemSync()).toBe(Math.fround(1 - 0.9999 * 0.9999));
});

describe('results of 16 MB and more, which are stored past the caches', () => {
  const n = 2 ** 22 + 2 ** 10 + 5;
  const operand = (seed: number): Tensor =>
    fromTypedArray(
      Float32Array.from({ length: n }, (_, i) => ((i * seed) % 8191) / 64 - 40),
      [n],
    );
  const ops: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
    neg: (a) => a.neg(),
    abs: (a) => a.abs(),
    square: (a) => a.square(),
    sqrt: (a) => a.sqrt(),
    add: (a, b) => a.add(b),
    sub: (a, b) => a.sub(b),
    mul: (a, b) => a.mul(b),
    div: (a, b) => a.div(b),
    relu: (a) => a.relu(),
    maximum: (a, b) => a.maximum(b),
    minimum: (a, b) => a.minimum(b),
    'a number': (a) => a.add(3),
    sigmoid: (a) => a.sigmoid(),
  };

  test.each(Object.keys(ops))('%s: the same bits as of pieces', (name) => {
    const [a, b] = [operand(7), operand(13)];
    const bits = (x: Tensor): Uint32Array => new Uint32Array((x.dataSync() as Float32Array).slice().buffer);
    const whole = bits(ops[name](a, b));
    const pieces = new Uint32Array(n);
    for (let at = 0; at < n; at += 2 ** 20) {
      const end = Math.min(n, at + 2 ** 20);
      pieces.set(bits(ops[name](a.slice(0, at, end), b.slice(0, at, end))), at);
    }
    expect(Buffer.compare(Buffer.from(whole.buffer), Buffer.from(pieces.buffer))).toBe(0);
    // Where memory does not begin with a vector, it is stored as usual.
    const shifted = bits(ops[name](a.slice(0, 1, n), b.slice(0, 1, n)));
    expect(Buffer.compare(Buffer.from(shifted.buffer), Buffer.from(whole.buffer, 4))).toBe(0);
  });
});
