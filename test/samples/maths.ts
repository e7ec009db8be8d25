// The rows of mathematical functions of one to three operands, limits and bits. See sample.ts.
import {
  abs_,
  acos,
  acosh,
  add,
  add_,
  addcdiv,
  addcdiv_,
  addcmul,
  addcmul_,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  bitwiseAnd,
  bitwiseLeftShift,
  bitwiseNot,
  bitwiseOr,
  bitwiseRightShift,
  bitwiseXor,
  clamp,
  clamp_,
  clampMax,
  clampMin,
  clone,
  copysign,
  cosh,
  deg2rad,
  digamma,
  div,
  div_,
  erfc,
  erfinv,
  exp_,
  floorDivide_,
  fmax,
  fmin,
  fmod,
  fmod_,
  frac,
  hypot,
  isclose,
  lerp,
  lerp_,
  lgamma,
  log_,
  logaddexp,
  logaddexp2,
  logit,
  nanToNum,
  neg_,
  polygamma,
  positive,
  pow,
  rad2deg,
  reciprocal_,
  remainder_,
  round,
  rsqrt_,
  sgn,
  signbit,
  sinc,
  sinh,
  sqrt_,
  square_,
  sub,
  sub_,
  to,
  xlogy,
  type Tensor,
} from 'thalweg';
import { each, family, type Flags } from './sample.js';

const { samples, rows } = family();
export { samples };

type Unary = (x: Tensor) => Tensor;
type Binary = (a: Tensor | number, b: Tensor | number) => Tensor;
const toFloat64 = (x: Tensor): Tensor => to(x, 'float64');

// ---- one operand
function unary(
  op: string,
  fn: Unary,
  more: readonly string[] = [],
  flags: Flags = {},
  own: Readonly<Record<string, Flags>> = {},
): void {
  rows(
    op,
    each(['matrix', 'scalar', 'empty', 'special', ...more], ([x]) => fn(x)),
    { elementwise: true, ...flags },
    own,
  );
}
unary('asin', asin);
unary('acos', acos);
unary('atan', atan);
unary('sinh', sinh);
unary('cosh', cosh);
unary('asinh', asinh);
unary('acosh', acosh);
unary('atanh', atanh);
unary('deg2rad', deg2rad);
unary('rad2deg', rad2deg);
unary('erfc', erfc);
// Beyond the step of a difference.
unary('erfinv', erfinv, ['tail'], {}, { tail: { kink: true, noHalf: true } });
unary('lgamma', lgamma, ['negative']);
unary('digamma', digamma, ['negative', 'large'], {}, { large: { noHalf: true } });
unary('sinc', sinc, ['kink']);
unary('logit', logit);
unary('frac', frac);
unary('sgn', sgn, ['int64']);
unary('positive', positive);
unary('nanToNum', nanToNum, ['int64', 'kink'], { only64: true });
// Integers give float32; PyTorch's float32 results are compared as float64.
const fromIntegers = { asin, atan, cosh, erfc, lgamma, digamma, deg2rad, rad2deg, sinc } as Record<string, Unary>;
for (const [op, fn] of Object.entries(fromIntegers)) {
  rows(op, { int64: ([x]) => toFloat64(fn(x)) }, { tolerance: 1e-6 });
}
rows('nanToNum', { values: ([x]) => nanToNum(x, { nan: 1.5, posinf: 7, neginf: -8 }) });
rows(
  'polygamma',
  {
    order0: ([x]) => polygamma(x, 0),
    order2: ([x]) => polygamma(x, 2),
    order3: ([x]) => polygamma(x, 3),
    order4: ([x]) => polygamma(x, 4),
    ...each(['order1', 'empty', 'scalar', 'negative', 'special'], ([x]) => polygamma(x, 1)),
    large: ([x]) => polygamma(x, 2),
  },
  { elementwise: true },
  { large: { noHalf: true } },
);
rows(
  'logit',
  each(['eps', 'epsKink'], ([x]) => logit(x, { eps: 0.25 })),
  { elementwise: true },
  { epsKink: { kink: true } },
);
rows(
  'round',
  {
    decimals: ([x]) => round(x, { decimals: 1 }),
    three: ([x]) => round(x, { decimals: 3 }),
    tens: ([x]) => round(x, { decimals: -1 }),
  },
  { elementwise: true, noHalf: true },
);
rows(
  'signbit',
  each(['special', 'int64', 'bool'], ([x]) => signbit(x)),
);

// ---- limits
rows(
  'clamp',
  {
    ...each(['tensors', 'tensorsCrossed', 'tensorsKink', 'tensorsInt', 'tensorsSpecial'], ([x, min, max]) =>
      clamp(x, { min, max }),
    ),
    tensorMin: ([x, min]) => clamp(x, { min }),
    tensorMax: ([x, max]) => clamp(x, { max }),
  },
  { elementwise: true },
  { tensorsKink: { kink: true } },
);
for (const [op, fn] of Object.entries({ clampMin, clampMax } as Record<
  string,
  (x: Tensor, b: number | Tensor) => Tensor
>)) {
  rows(
    op,
    {
      number: ([x]) => fn(x, 0.5),
      tensor: ([x, bound]) => fn(x, bound),
      intFraction: ([x]) => toFloat64(fn(x, 0.5)),
      ...each(['int64', 'empty', 'special', 'kink'], ([x]) => fn(x, 1)),
    },
    { elementwise: true },
  );
}

// ---- two operands
const binaryCases = ['matrix', 'broadcast', 'scalar', 'scalars', 'empty', 'special'];
const integerCases = ['int64', 'int32', 'uint8'];
function binary(op: string, fn: Binary, more: readonly string[] = [], flags: Flags = {}): void {
  rows(
    op,
    {
      ...each([...binaryCases, ...more], ([a, b]) => fn(a, b)),
      number: ([x]) => fn(x, 2.5),
      numberLeft: ([x]) => fn(2.5, x),
    },
    { elementwise: true, ...flags },
  );
}
// Its result jumps where the quotient is an integer, and rounding the inputs can go beyond.
binary('fmod', fmod, integerCases, { noHalf: true });
binary('atan2', atan2);
binary('hypot', hypot);
binary('fmax', fmax, [...integerCases, 'kink']);
binary('fmin', fmin, [...integerCases, 'kink']);
binary('copysign', copysign, ['kink']);
binary('xlogy', xlogy, ['kink']);
binary('logaddexp', logaddexp);
rows('logaddexp', { large: ([a, b]) => logaddexp(a, b) });
binary('logaddexp2', logaddexp2);
for (const [op, fn] of Object.entries({ atan2, copysign, xlogy } as Record<string, Binary>)) {
  rows(op, { int64: ([a, b]) => toFloat64(fn(a, b)) }, { tolerance: 1e-6 });
}
rows('add', {
  alpha: ([a, b]) => add(a, b, { alpha: 1.5 }),
  alphaNumber: ([a]) => add(a, 2.5, { alpha: -2 }),
  alphaInt: ([a, b]) => add(a, b, { alpha: -3 }),
});
rows('sub', {
  alpha: ([a, b]) => sub(a, b, { alpha: 1.5 }),
  alphaNumber: ([a]) => sub(a, 2.5, { alpha: -2 }),
  alphaInt: ([a, b]) => sub(a, b, { alpha: -3 }),
});
rows('add_', { alpha: ([a, b]) => add_(clone(a), b, { alpha: 1.5 }) });
rows('sub_', { alpha: ([a, b]) => sub_(clone(a), b, { alpha: 1.5 }) });
for (const roundingMode of ['trunc', 'floor'] as const) {
  rows('div', {
    ...each([roundingMode, `${roundingMode}Int`, `${roundingMode}Int32`], ([a, b]) => div(a, b, { roundingMode })),
    [`${roundingMode}Number`]: ([a]) => div(a, 2, { roundingMode }),
  });
  rows('div_', { [roundingMode]: ([a, b]) => div_(clone(a), b, { roundingMode }) });
}
rows('pow', {
  negativeExponents: ([a, b]) => pow(a, b),
  numberToInt: ([x]) => pow(2, x),
  intFraction: ([x]) => toFloat64(pow(x, -1.5)),
});

// ---- three operands
rows(
  'lerp',
  {
    ...each(['number', 'special'], ([a, b]) => lerp(a, b, 0.25)),
    far: ([a, b]) => lerp(a, b, 0.75),
    outside: ([a, b]) => lerp(a, b, -1.5),
    empty: ([a, b]) => lerp(a, b, 0.5),
    tensor: ([a, b, weight]) => lerp(a, b, weight),
  },
  { elementwise: true },
);
rows('lerp_', { number: ([a, b]) => lerp_(clone(a), b, 0.25), tensor: ([a, b, weight]) => lerp_(clone(a), b, weight) });
rows(
  'addcmul',
  {
    ...each(['matrix', 'scalar', 'empty', 'special'], ([a, b, c]) => addcmul(a, b, c)),
    value: ([a, b, c]) => addcmul(a, b, c, { value: -0.5 }),
    int64: ([a, b, c]) => addcmul(a, b, c, { value: 2 }),
  },
  { elementwise: true },
);
rows(
  'addcdiv',
  {
    ...each(['matrix', 'scalar', 'empty', 'special'], ([a, b, c]) => addcdiv(a, b, c)),
    value: ([a, b, c]) => addcdiv(a, b, c, { value: -0.5 }),
  },
  { elementwise: true },
);
rows('addcmul_', { value: ([a, b, c]) => addcmul_(clone(a), b, c, { value: 2 }) });
rows('addcdiv_', { value: ([a, b, c]) => addcdiv_(clone(a), b, c, { value: 2 }) });

// ---- comparisons by a tolerance
rows(
  'isclose',
  {
    ...each(['default', 'int64', 'empty'], ([a, b]) => isclose(a, b)),
    nan: ([a, b]) => isclose(a, b, { equalNan: true }),
    tolerances: ([a, b]) => isclose(a, b, { rtol: 0.5, atol: 0.25 }),
  },
  {},
  { default: { only64: true } },
);

// ---- bits
for (const [op, fn] of Object.entries({ bitwiseAnd, bitwiseOr, bitwiseXor } as Record<string, Binary>)) {
  rows(op, {
    ...each(['int64', 'broadcast', 'bool', 'mixed'], ([a, b]) => fn(a, b)),
    number: ([x]) => fn(x, 6),
  });
}
rows(
  'bitwiseNot',
  each(['int64', 'uint8', 'bool'], ([x]) => bitwiseNot(x)),
);
for (const [op, fn] of Object.entries({ bitwiseLeftShift, bitwiseRightShift } as Record<string, Binary>)) {
  rows(op, { ...each([...integerCases, 'negative'], ([a, b]) => fn(a, b)), number: ([x]) => fn(x, 2) });
}

// ---- in place: the first operand is the result's memory
for (const [op, fn] of Object.entries({ fmod_, remainder_, floorDivide_ } as Record<
  string,
  (x: Tensor, b: Tensor | number) => Tensor
>)) {
  rows(op, { matrix: ([a, b]) => fn(clone(a), b), number: ([a]) => fn(clone(a), 2) });
}
for (const [op, fn] of Object.entries({ neg_, abs_, square_, sqrt_, rsqrt_, reciprocal_, exp_, log_ } as Record<
  string,
  Unary
>)) {
  rows(op, { matrix: ([x]) => fn(clone(x)) });
}
rows('clamp_', {
  both: ([x]) => clamp_(clone(x), { min: -1, max: 1.5 }),
  min: ([x]) => clamp_(clone(x), { min: 0.5 }),
  max: ([x, max]) => clamp_(clone(x), { max }),
});
