// The rows of the first ops: elementwise, reductions, views, indexing, products, losses. See sample.ts.
import {
  abs,
  add,
  add_,
  all,
  amax,
  amin,
  any,
  arange,
  argmax,
  argmin,
  broadcastTo,
  cat,
  ceil,
  chunk,
  clamp,
  clone,
  contiguous,
  copy_,
  cos,
  defineElementwise,
  detach,
  div,
  div_,
  embedding,
  eq,
  erf,
  exp,
  exp2,
  expand,
  expm1,
  expr,
  eye,
  fill_,
  flatten,
  floor,
  floorDivide,
  full,
  fullLike,
  gather,
  ge,
  gelu,
  gt,
  index,
  indexSelect,
  isfinite,
  isinf,
  isnan,
  le,
  linear,
  linspace,
  log,
  log10,
  log1p,
  log2,
  logicalAnd,
  logicalNot,
  logicalOr,
  logicalXor,
  logSoftmax,
  lt,
  matmul,
  max,
  maximum,
  mean,
  min,
  minimum,
  movedim,
  mT,
  mul,
  mul_,
  narrow,
  ne,
  neg,
  nn,
  oneHot,
  ones,
  onesLike,
  permute,
  pow,
  pow_,
  prod,
  reciprocal,
  relu,
  remainder,
  reshape,
  round,
  rsqrt,
  scatterAdd,
  select,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softmax,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  std,
  sub,
  sub_,
  sum,
  t,
  tan,
  tanh,
  to,
  transpose,
  trunc,
  unbind,
  unsqueeze,
  variance,
  varMean,
  view,
  where,
  zero_,
  zeros,
  zerosLike,
  type DType,
  type Tensor,
} from 'thalweg';

import { each, family, type Flags, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

// ---- elementwise, one operand
type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;

function unary(op: string, fn: Unary, more: readonly string[] = [], flags: Flags = {}): void {
  rows(
    op,
    each(['matrix', 'scalar', 'empty', 'special', ...more], ([x]) => fn(x)),
    { elementwise: true, ...flags },
  );
}

const toFloat64 = (x: Tensor): Tensor => to(x, 'float64');

unary('neg', neg, ['int64', 'int32']);
unary('abs', abs, ['int64', 'int32', 'kink']);
unary('sign', sign, ['int64', 'int32']);
unary('square', square, ['int64', 'int32']);
unary('sqrt', sqrt, ['kink']);
unary('rsqrt', rsqrt);
unary('reciprocal', reciprocal);
unary('exp', exp);
unary('exp2', exp2);
unary('expm1', expm1, ['small']);
unary('log', log);
unary('log2', log2);
unary('log10', log10);
unary('log1p', log1p, ['small']);
unary('sin', sin);
unary('cos', cos);
unary('tan', tan);
unary('tanh', tanh);
unary('erf', erf);
unary('sigmoid', sigmoid);
unary('floor', floor, ['int64', 'int32']);
unary('ceil', ceil);
unary('round', round, ['halves']);
unary('trunc', trunc);
unary('relu', relu, ['int64', 'int32', 'kink']);
unary('gelu', gelu, ['tail']);
unary('silu', silu);
const clampTo: Unary = (x) => clamp(x, { min: -1, max: 1.5 });
rows(
  'clamp',
  {
    ...each(['both', 'empty', 'special', 'kink'], ([x]) => clampTo(x)),
    min: ([x]) => clamp(x, { min: 0.5 }),
    max: ([x]) => clamp(x, { max: 0.5 }),
    crossed: ([x]) => clamp(x, { min: 2, max: -1 }),
    int64: ([x]) => clamp(x, { min: 0 }),
    int32: ([x]) => clamp(x, { min: -1, max: 1 }),
    intFraction: ([x]) => toFloat64(clamp(x, { min: 0.5 })),
  },
  { elementwise: true },
);
// Integers give float32; PyTorch's float32 results are compared as float64.
for (const [op, fn] of Object.entries({ sqrt, exp, sigmoid, sin, log, reciprocal } as Record<string, Unary>)) {
  rows(op, { int64: ([x]) => toFloat64(fn(x)) }, { tolerance: 1e-6 });
}

// ---- elementwise, two operands
const binaryCases = ['matrix', 'broadcast', 'outer', 'scalar', 'scalars', 'empty', 'special'];
const integerCases = ['int64', 'int32', 'uint8'];

function binary(op: string, fn: Binary, more: readonly string[] = [], flags: Flags = {}): void {
  const value = op === 'pow' ? 1.5 : 2.5;
  rows(
    op,
    {
      ...each([...binaryCases, ...more], ([a, b]) => fn(a, b)),
      number: ([x]) => fn(x, value),
      numberLeft: ([x]) => fn(value, x),
    },
    { elementwise: true, ...flags },
  );
}

binary('add', add, [...integerCases, 'bool', 'wrap', 'mixed']);
binary('sub', sub, integerCases);
binary('mul', mul, [...integerCases, 'bool', 'wrap32', 'boolMask']);
binary('div', div);
binary('pow', pow, ['int64', 'kink']);
binary('maximum', maximum, [...integerCases, 'kink']);
binary('minimum', minimum, [...integerCases, 'kink']);
// The results jump where the quotient is an integer, and rounding the inputs can go beyond; two roundings lie in between.
binary('remainder', remainder, integerCases, { noHalf: true });
binary('floorDivide', floorDivide, integerCases, { noHalf: true });
rows('mul', { same: ([x]) => mul(x, x) }, { elementwise: true });
rows('div', { int64: ([a, b]) => toFloat64(div(a, b)), intNumber: ([a]) => toFloat64(div(a, 4)) });
rows(
  'pow',
  {
    square: ([x]) => pow(x, 2),
    cube: ([x]) => pow(x, 3),
    half: ([x]) => pow(x, 0.5),
    minusOne: ([x]) => pow(x, -1),
    zero: ([x]) => pow(x, 0),
  },
  { elementwise: true },
);

// In place: the first operand is the result's memory. Its layout is the copy's.
const inPlace = { add_, sub_, mul_, div_, pow_ } as Record<string, (x: Tensor, b: Tensor | number) => Tensor>;
for (const [op, fn] of Object.entries(inPlace)) {
  rows(op, {
    matrix: ([a, b]) => fn(clone(a), b),
    broadcast: ([a, b]) => fn(clone(a), b),
    number: ([a]) => fn(clone(a), 1.5),
  });
}

// ---- instructions that no op shows yet: expressions of a user's own
const expressions = { ...expr } as unknown as Record<string, (...args: expr.ExprLike[]) => expr.Expr>;

function expression(name: string, arity: number): (operands: readonly (Tensor | number)[]) => Tensor {
  const bodies = [
    (a: expr.Expr) => expressions[name](a),
    (a: expr.Expr, b: expr.Expr) => expressions[name](a, b),
    (a: expr.Expr, b: expr.Expr, c: expr.Expr) => expressions[name](a, b, c),
  ];
  const op = defineElementwise(`expr.${name}`, bodies[arity - 1]);
  return (operands) => op.apply(operands);
}

for (const name of ['asin', 'acos', 'atan', 'sinh', 'cosh', 'asinh', 'acosh', 'atanh', 'erfc']) {
  const apply = expression(name, 1);
  unary(`expr.${name}`, (x) => apply([x]));
}
for (const name of ['fmod', 'atan2', 'hypot', 'fmax', 'fmin', 'copysign']) {
  const apply = expression(name, 2);
  const more = name === 'fmod' ? integerCases : name.startsWith('fm') ? ['kink'] : [];
  binary(`expr.${name}`, (a, b) => apply([a, b]), more, name === 'fmod' ? { noHalf: true } : {});
}
const fma = expression('fma', 3);
rows(
  'expr.fma',
  each(['matrix', 'broadcast'], (inputs) => fma(inputs)),
  { elementwise: true },
);
for (const name of ['bitwiseAnd', 'bitwiseOr', 'bitwiseXor']) {
  const apply = expression(name, 2);
  rows(
    `expr.${name}`,
    each(['int64', 'uint8', 'bool'], (inputs) => apply(inputs)),
  );
}
const bitwiseNot = expression('bitwiseNot', 1);
rows(
  'expr.bitwiseNot',
  each(['int64', 'int32'], (inputs) => bitwiseNot(inputs)),
);

// ---- comparisons, logic
const comparisons = { eq, ne, lt, le, gt, ge } as Record<string, (a: Tensor, b: Tensor | number) => Tensor>;
for (const [op, fn] of Object.entries(comparisons)) {
  rows(op, {
    ...each(['special', 'broadcast', 'int64', 'mixed', 'bool', 'empty'], ([a, b]) => fn(a, b)),
    number: ([x]) => fn(x, 1.5),
    intFraction: ([x]) => fn(x, 0.5),
  });
}
const logic = { logicalAnd, logicalOr, logicalXor } as Record<string, (a: Tensor, b: Tensor) => Tensor>;
for (const [op, fn] of Object.entries(logic))
  rows(
    op,
    each(['bool', 'special', 'int64'], ([a, b]) => fn(a, b)),
  );
rows(
  'logicalNot',
  each(['bool', 'special'], ([x]) => logicalNot(x)),
);
rows(
  'isnan',
  each(['special', 'int64'], ([x]) => isnan(x)),
);
rows(
  'isinf',
  each(['special', 'int64'], ([x]) => isinf(x)),
);
rows(
  'isfinite',
  each(['special', 'int64'], ([x]) => isfinite(x)),
);
const asBool = (x: Tensor): Tensor<readonly number[], 'bool'> => x as Tensor<readonly number[], 'bool'>;
rows(
  'where',
  {
    ...each(['matrix', 'broadcast', 'mixed', 'empty'], ([c, a, b]) => where(asBool(c), a, b)),
    number: ([c, a]) => where(asBool(c), a, 0.5),
    numbers: ([c]) => where(asBool(c), 1, 0),
    fractions: ([c]) => toFloat64(where(asBool(c), 1.5, 0.5)),
    bools: ([c]) => where(asBool(c), true, false),
    nan: ([c, a]) => where(asBool(c), a, 0),
  },
  {},
  { nan: { kink: true } },
);

// ---- copies
rows(
  'clone',
  each(['matrix', 'int64'], ([x]) => clone(x)),
);
rows('contiguous', { permuted: ([x]) => contiguous(permute(x, [2, 0, 1])) });
rows('detach', { matrix: ([x]) => detach(x) });
rows(
  'to',
  {
    float: ([x]) => to(to(x, 'float32'), 'float64'),
    int32: ([x]) => to(x, 'int32'),
    bool: ([x]) => to(x, 'bool'),
    fromBool: ([x]) => toFloat64(x),
    fromInt64: ([x]) => toFloat64(x),
  },
  {},
  { float: { only64: true, kink: true } },
);
rows('copy_', { broadcast: ([a, b]) => copy_(clone(a), b), cast: ([a, b]) => copy_(clone(a), b) });
rows('fill_', { matrix: ([x]) => fill_(clone(x), 2.5) });
rows('zero_', { matrix: ([x]) => zero_(clone(x)) });

// ---- creation
const dtype: DType = 'float64';
rows('arange', {
  int64: () => arange(2, 17, 3),
  down: () => arange(5, -4, -2),
  fraction: () => arange(0, 1, 0.25, { dtype }),
  one: () => arange(5),
});
rows('linspace', {
  fifty: () => linspace(0, 1, 50, { dtype }),
  down: () => linspace(3, -2, 7, { dtype }),
  one: () => linspace(3, 5, 1, { dtype }),
  two: () => linspace(0.1, 0.7, 2, { dtype }),
});
rows('eye', { wide: () => eye(3, 5, { dtype }), tall: () => eye(4, 2, { dtype: 'int64' }) });
rows('zeros', { matrix: () => zeros([2, 3], { dtype }) });
rows('ones', { matrix: () => ones([2, 3], { dtype: 'uint8' }) });
rows('full', { matrix: () => full([2, 3], -1.25, { dtype }), bool: () => full([2], true, { dtype: 'bool' }) });
rows('zerosLike', { int32: ([x]) => zerosLike(x) });
rows('onesLike', { matrix: ([x]) => onesLike(x) });
rows('fullLike', { matrix: ([x]) => fullLike(x, 3.5) });

// ---- reductions
type Dims = number | readonly number[] | undefined;
type Reduce = (x: Tensor, dim?: Dims, options?: { keepDim: boolean }) => Tensor;
const keepDim = { keepDim: true };
const floatReductions = { sum, mean, amax, amin } as Record<string, Reduce>;
for (const [op, fn] of Object.entries(floatReductions)) {
  rows(op, {
    all: ([x]) => fn(x),
    dim0: ([x]) => fn(x, 0),
    last: ([x]) => fn(x, -1),
    keep: ([x]) => fn(x, 1, keepDim),
    outer: ([x]) => fn(x, [0, 2]),
    inner: ([x]) => fn(x, [1, 2], keepDim),
    scalar: ([x]) => fn(x),
    emptyKept: ([x]) => fn(x, 1),
    special: ([x]) => fn(x, 1),
    ...(op.startsWith('am') ? { kink: ([x]: readonly Tensor[]) => fn(x, 1) } : {}),
  });
}
rows('sum', {
  empty: ([x]) => sum(x),
  emptyDim: ([x]) => sum(x, 0),
  long: ([x]) => sum(x),
  columns: ([x]) => sum(x, 0),
});
rows('mean', { empty: ([x]) => mean(x), rows: ([x]) => mean(x, 1) }, {}, { empty: { kink: true } });
const integers = ['int64', 'int32', 'uint8'];
rows(
  'sum',
  each([...integers, 'bool'], ([x]) => sum(x, 1)),
);
rows(
  'prod',
  each([...integers, 'bool'], ([x]) => prod(x, 1)),
);
rows(
  'all',
  each([...integers, 'bool'], ([x]) => all(x, 1)),
);
rows(
  'any',
  each([...integers, 'bool'], ([x]) => any(x, 0)),
);
rows(
  'amax',
  each(integers, ([x]) => amax(x, 1)),
);
rows(
  'amin',
  each(integers, ([x]) => amin(x, 0)),
);
rows(
  'argmax',
  each(integers, ([x]) => argmax(x, 1)),
);
rows(
  'argmin',
  each(integers, ([x]) => argmin(x, 0)),
);
rows(
  'prod',
  {
    all: ([x]) => prod(x),
    dim0: ([x]) => prod(x, 0),
    keep: ([x]) => prod(x, 1, keepDim),
    scalar: ([x]) => prod(x),
    empty: ([x]) => prod(x),
    emptyDim: ([x]) => prod(x, 0),
    oneZero: ([x]) => prod(x, 1),
    twoZeros: ([x]) => prod(x, 1),
    special: ([x]) => prod(x, 1),
    // The second derivative by two zeros of one product is not computed.
  },
  {},
  { twoZeros: { once: true } },
);
const withIndex = { max, min } as unknown as Record<
  string,
  (x: Tensor, dim?: number, options?: { keepDim: boolean }) => Tensor & { values: Tensor; indices: Tensor }
>;
for (const [op, fn] of Object.entries(withIndex)) {
  const along = (dim: number, options?: { keepDim: boolean }): Run => {
    return ([x]) => {
      const { values, indices } = fn(x, dim, options);
      return [values, indices];
    };
  };
  rows(op, {
    all: ([x]) => fn(x),
    dim0: along(0),
    keep: along(1, keepDim),
    middle: along(-2),
    scalar: along(0),
    emptyKept: along(1),
    kink: along(1),
    special: along(1),
    ...each(integers, along(op === 'max' ? 1 : 0)),
  });
}
for (const [op, fn] of Object.entries({ argmax, argmin } as unknown as Record<string, Reduce>)) {
  rows(op, {
    ...each(['all', 'long'], ([x]) => fn(x)),
    dim0: ([x]) => fn(x, 0),
    keep: ([x]) => fn(x, 1, keepDim),
    ...each(['kink', 'special'], ([x]) => fn(x, 1)),
  });
}
for (const [op, fn] of Object.entries({ all, any } as unknown as Record<string, Reduce>)) {
  rows(op, { ...each(['whole', 'empty'], ([x]) => fn(x)), keep: ([x]) => fn(x, 1, keepDim) });
}
rows(
  'variance',
  {
    all: ([x]) => variance(x),
    dim: ([x]) => variance(x, 1),
    population: ([x]) => variance(x, 0, { correction: 0, keepDim: true }),
    outer: ([x]) => variance(x, [0, 2]),
    one: ([x]) => variance(x, 1),
    special: ([x]) => variance(x, 1),
    offset: ([x]) => variance(add(x, 1e6), 1),
  },
  {},
  { special: { only64: true }, offset: { only64: true, tolerance: 1e-9 } },
);
rows('std', {
  all: ([x]) => std(x),
  dim: ([x]) => std(x, 1, { keepDim: true }),
  population: ([x]) => std(x, 0, { correction: 0 }),
  kink: ([x]) => std(x, 1),
});
rows('varMean', {
  dim: ([x]) => varMean(x, 1),
  all: ([x]) => varMean(x, undefined, { correction: 0 }),
  long: ([x]) => varMean(x, 0),
});

// ---- softmax
type Along = (x: Tensor, dim: number) => Tensor;
for (const [op, fn] of Object.entries({ softmax, logSoftmax } as unknown as Record<string, Along>)) {
  rows(op, {
    last: ([x]) => fn(x, -1),
    ...each(['first', 'scalar'], ([x]) => fn(x, 0)),
    ...each(['middle', 'one', 'empty', 'emptyRow', 'large', 'special', 'long'], ([x]) => fn(x, 1)),
  });
}

// ---- products
const products = [
  'matrix',
  'dot',
  'matrixVector',
  'vectorMatrix',
  'batch',
  'broadcastBatch',
  'batchMatrix',
  'matrixBatch',
];
rows(
  'matmul',
  each(
    [
      ...products,
      'batchVector',
      'vectorBatch',
      'one',
      'noInner',
      'noRows',
      'noColumns',
      'noBatch',
      'odd',
      'tall',
      'int64',
      'int32',
      'uint8',
      'special',
    ],
    ([a, b]) => matmul(a, b),
  ),
);
rows('linear', {
  ...each(['bias', 'batch', 'vector', 'noRows', 'noFeatures', 'odd'], ([x, weight, bias]) => linear(x, weight, bias)),
  noBias: ([x, weight]) => linear(x, weight),
});

// ---- views
rows('reshape', {
  matrix: ([x]) => reshape(x, [2, -1]),
  copy: ([x]) => reshape(t(x), [-1]),
  scalar: ([x]) => reshape(x, [1, 1]),
  empty: ([x]) => reshape(x, [3, 0, 2]),
});
rows('view', { matrix: ([x]) => view(x, [6, 2]) }, { fixedLayout: true });
rows('flatten', { all: ([x]) => flatten(x), tail: ([x]) => flatten(x, 1) });
rows('permute', { three: ([x]) => permute(x, [2, 0, 1]) });
rows('transpose', { three: ([x]) => transpose(x, 0, -1) });
rows(
  't',
  each(['matrix', 'vector'], ([x]) => t(x)),
);
rows('mT', { batch: ([x]) => mT(x) });
rows('movedim', { three: ([x]) => movedim(x, 0, -1) });
rows('expand', {
  matrix: ([x]) => expand(x, [4, -1, 3]),
  scalar: ([x]) => expand(x, [2, 3]),
  empty: ([x]) => expand(x, [0, 3]),
});
rows('broadcastTo', { matrix: ([x]) => broadcastTo(x, [4, 2, 3]) });
rows('squeeze', { all: ([x]) => squeeze(x), dim: ([x]) => squeeze(x, 0) });
rows('unsqueeze', { end: ([x]) => unsqueeze(x, -1), front: ([x]) => unsqueeze(x, 0) });
rows('slice', {
  empty: ([x]) => slice(x, 1, 1, undefined, 2),
  step: ([x]) => slice(x, 1, 1, 6, 2),
  negative: ([x]) => slice(x, 0, -2),
  nothing: ([x]) => slice(x, 0, 3, 2),
});
rows('narrow', { matrix: ([x]) => narrow(x, 1, 2, 3) });
rows('select', { row: ([x]) => select(x, 0, -1), middle: ([x]) => select(x, 1, 1) });
rows('split', { size: ([x]) => split(x, 2), sizes: ([x]) => split(x, [1, 0, 3], 1) });
rows('chunk', { three: ([x]) => chunk(x, 3, 1) });
rows('unbind', { rows: ([x]) => unbind(x) });

// ---- indexing
type Indices = Tensor<readonly number[], 'int64' | 'int32'>;
const asIndices = (x: Tensor): Indices => x as Indices;
rows('gather', {
  dim1: ([x, i]) => gather(x, 1, asIndices(i)),
  dim0: ([x, i]) => gather(x, 0, asIndices(i)),
  int32: ([x, i]) => gather(x, -1, asIndices(i)),
  empty: ([x, i]) => gather(x, 1, asIndices(i)),
  values: ([x, i]) => gather(x, 0, asIndices(i)),
});
rows('scatterAdd', {
  ...each(['dim1', 'empty'], ([x, i, src]) => scatterAdd(x, 1, asIndices(i), src)),
  dim0: ([x, i, src]) => scatterAdd(x, 0, asIndices(i), src),
});
rows('indexSelect', {
  ...each(['rows', 'vector', 'none', 'bool'], ([x, i]) => indexSelect(x, 0, asIndices(i))),
  ...each(['columns', 'middle'], ([x, i]) => indexSelect(x, 1, asIndices(i))),
});
rows(
  'embedding',
  each(['matrix', 'scalar', 'none'], ([weight, i]) => embedding(weight, asIndices(i))),
);
rows('oneHot', { given: ([i]) => oneHot(asIndices(i), 4), largest: ([i]) => oneHot(asIndices(i)) });
rows('index', {
  row: ([x]) => index(x, 1),
  mixed: ([x]) => index(x, '...', '1:3', null),
  step: ([x]) => index(x, '::2', -1),
  tensor: ([x, i]) => index(x, ':', asIndices(i)),
});

// ---- joining
rows('cat', {
  ...each(['rows', 'mixed', 'int64'], (parts) => cat(parts)),
  columns: (parts) => cat(parts, -1),
  same: ([x]) => cat([x, x]),
});
rows('stack', { ...each(['front', 'scalars'], (parts) => stack(parts)), end: (parts) => stack(parts, -1) });

// ---- losses
const { crossEntropy, dropout, mseLoss, nllLoss } = nn.functional;
for (const reduction of ['mean', 'sum', 'none'] as const) {
  rows('crossEntropy', {
    [reduction]: ([x, target]) => crossEntropy(x, target, { reduction }),
    [`${reduction}Ignored`]: ([x, target]) => crossEntropy(x, target, { reduction, ignoreIndex: 3 }),
    [`${reduction}Smoothed`]: ([x, target]) =>
      crossEntropy(x, target, { reduction, labelSmoothing: 0.2, ignoreIndex: 0 }),
  });
  rows('nllLoss', { [reduction]: ([x, target]) => nllLoss(x, target, { reduction }) });
  rows('mseLoss', { [reduction]: ([a, b]) => mseLoss(a, b, { reduction }) });
}
rows('crossEntropy', {
  ...each(['one', 'int32', 'default', 'large'], ([x, target]) => crossEntropy(x, target)),
  allIgnored: ([x, target]) => crossEntropy(x, target, { ignoreIndex: 1 }),
});
rows(
  'nllLoss',
  {
    ignoredInfinity: ([x, target]) => nllLoss(x, target, { ignoreIndex: 1 }),
    one: ([x, target]) => nllLoss(x, target),
  },
  {},
  { ignoredInfinity: { kink: true } },
);
rows('mseLoss', { empty: ([a, b]) => mseLoss(a, b, { reduction: 'sum' }) });
rows('dropout', {
  eval: ([x]) => dropout(x, { training: false }),
  zero: ([x]) => dropout(x, { p: 0 }),
  all: ([x]) => dropout(x, { p: 1 }),
});
