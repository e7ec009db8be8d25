// Symbolic values: what the body of an elementwise op or program is made of. The functions here build expressions; they
// compute nothing. Their names are those of the native opcodes (native/opcodes.def) and of the tensor ops.
import { ArgumentError } from '../errors.js';
import { opcodes, type OpcodeName } from './opcodes.js';

/** A value of an elementwise expression: an input, a run-time scalar, a constant, or an operation on others. */
export class Expr {
  /** @internal */
  constructor(
    /** What it is: a leaf, or the instruction that makes it. */
    readonly kind: 'input' | 'scalar' | 'constant' | OpcodeName,
    /** The operands of an instruction. */
    readonly args: readonly Expr[],
    /** The value of a constant. */
    readonly value: number,
    /** A name for messages. */
    readonly label: string,
  ) {}
}

/** What the functions take: an expression, or a number for a constant. */
export type ExprLike = Expr | number;

/** @internal */
export function inputExpr(name: string): Expr {
  return new Expr('input', [], 0, name);
}

/** @internal */
export function scalarExpr(name: string): Expr {
  return new Expr('scalar', [], 0, name);
}

/** @internal */
export function toExpr(value: ExprLike): Expr {
  if (value instanceof Expr) return value;
  if (typeof value === 'number') return new Expr('constant', [], value, String(value));
  throw new ArgumentError(
    `expression: expected an expression or a number, got ${value === null ? 'null' : typeof value}; inside a program use the expression functions, not tensor ops.`,
  );
}

/** An instruction on arguments, simplified where that changes no result. @internal */
export function apply(op: OpcodeName, ...given: ExprLike[]): Expr {
  const args = given.map(toExpr);
  if (args.length !== opcodes[op].arity) {
    throw new ArgumentError(`expression: ${op} takes ${opcodes[op].arity} arguments, got ${args.length}.`);
  }
  return simplify(op, args) ?? new Expr(op, args, 0, op);
}

function isConstant(e: Expr, value: number): boolean {
  return e.kind === 'constant' && Object.is(e.value, value);
}

// Only identities that hold for every float, NaN, infinity and signed zero included; x + 0 turns -0 into 0, so it is kept
// apart from x - 0, which does not.
function simplify(op: OpcodeName, args: readonly Expr[]): Expr | null {
  const [a, b] = args as [Expr, Expr];
  switch (op) {
    case 'mul':
      if (isConstant(a, 1)) return b;
      if (isConstant(b, 1)) return a;
      break;
    case 'sub':
      if (isConstant(b, 0)) return a;
      break;
    case 'div':
      if (isConstant(b, 1)) return a;
      break;
    case 'neg':
      if (a.kind === 'neg') return a.args[0];
      break;
    default:
  }
  return null;
}

function fold(op: 'add' | 'mul', values: readonly ExprLike[]): Expr {
  if (values.length < 2) throw new ArgumentError(`expression: ${op} takes at least 2 arguments.`);
  return values.slice(1).reduce<Expr>((sum, value) => apply(op, sum, value), toExpr(values[0]));
}

type Unary = (x: ExprLike) => Expr;
type Binary = (a: ExprLike, b: ExprLike) => Expr;
const unary =
  (op: OpcodeName): Unary =>
  (x) =>
    apply(op, x);
const binary =
  (op: OpcodeName): Binary =>
  (a, b) =>
    apply(op, a, b);

/** Sum of two or more values. */
export const add = (...values: ExprLike[]): Expr => fold('add', values);
/** Product of two or more values. */
export const mul = (...values: ExprLike[]): Expr => fold('mul', values);
/** a - b. */
export const sub = binary('sub');
/** a / b. */
export const div = binary('div');
/** a / b, rounded toward minus infinity. */
export const floorDiv = binary('floorDiv');
/** a - b * floor(a / b): the sign is that of b. */
export const remainder = binary('remainder');
/** a - b * trunc(a / b): the sign is that of a. */
export const fmod = binary('fmod');
/** a to the power b. */
export const pow = binary('pow');
/** The n-th derivative of digamma at x; n a whole number >= 0, without a derivative of its own. */
export const polygamma = binary('polygamma');
/** The angle of the point (b, a), from -pi to pi. */
export const atan2 = binary('atan2');
/** sqrt(a * a + b * b) without overflow. */
export const hypot = binary('hypot');
/** The larger; NaN if either is NaN. */
export const maximum = binary('maximum');
/** The smaller; NaN if either is NaN. */
export const minimum = binary('minimum');
/** The larger; the other if one is NaN. */
export const fmax = binary('fmax');
/** The smaller; the other if one is NaN. */
export const fmin = binary('fmin');
/** The magnitude of a with the sign of b. */
export const copysign = binary('copysign');
/** 1 where a = b, else 0. */
export const eq = binary('eq');
/** 1 where a and b differ, else 0. */
export const ne = binary('ne');
/** 1 where a < b, else 0. */
export const lt = binary('lt');
/** 1 where a <= b, else 0. */
export const le = binary('le');
/** 1 where a > b, else 0. */
export const gt = binary('gt');
/** 1 where a >= b, else 0. */
export const ge = binary('ge');
/** Bits that both have; integers and bools only. */
export const bitwiseAnd = binary('bitwiseAnd');
/** Bits that either has; integers and bools only. */
export const bitwiseOr = binary('bitwiseOr');
/** Bits in which they differ; integers and bools only. */
export const bitwiseXor = binary('bitwiseXor');
/** The bits of a moved up by b, 0 for b < 0 and b > 63; integers only. */
export const bitwiseLeftShift = binary('bitwiseLeftShift');
/** The bits of a moved down by b, the sign kept; for b < 0 and b > 63 only the sign is left; integers only. */
export const bitwiseRightShift = binary('bitwiseRightShift');
/** -x. */
export const neg = unary('neg');
/** The absolute value. */
export const abs = unary('abs');
/** -1, 0 or 1 by sign; NaN stays. */
export const sign = unary('sign');
/** x * x. */
export const square = unary('square');
/** The square root. */
export const sqrt = unary('sqrt');
/** 1 / sqrt(x). */
export const rsqrt = unary('rsqrt');
/** 1 / x. */
export const reciprocal = unary('reciprocal');
/** e to the power x. */
export const exp = unary('exp');
/** 2 to the power x. */
export const exp2 = unary('exp2');
/** exp(x) - 1, exact near 0. */
export const expm1 = unary('expm1');
/** The natural logarithm. */
export const log = unary('log');
/** The logarithm to base 2. */
export const log2 = unary('log2');
/** The logarithm to base 10. */
export const log10 = unary('log10');
/** log(1 + x), exact near 0. */
export const log1p = unary('log1p');
/** The sine; x in radians. */
export const sin = unary('sin');
/** The cosine; x in radians. */
export const cos = unary('cos');
/** The tangent; x in radians. */
export const tan = unary('tan');
/** The inverse sine. */
export const asin = unary('asin');
/** The inverse cosine. */
export const acos = unary('acos');
/** The inverse tangent. */
export const atan = unary('atan');
/** The hyperbolic sine. */
export const sinh = unary('sinh');
/** The hyperbolic cosine. */
export const cosh = unary('cosh');
/** The hyperbolic tangent. */
export const tanh = unary('tanh');
/** The inverse hyperbolic sine. */
export const asinh = unary('asinh');
/** The inverse hyperbolic cosine. */
export const acosh = unary('acosh');
/** The inverse hyperbolic tangent. */
export const atanh = unary('atanh');
/** The error function. */
export const erf = unary('erf');
/** 1 - erf(x), exact for large x. */
export const erfc = unary('erfc');
/** The normal distribution function, erfc(-x / sqrt(2)) / 2, exact for very negative x. */
export const normalCdf = unary('normalCdf');
/** The inverse of erf. */
export const erfinv = unary('erfinv');
/** The logarithm of the absolute value of the gamma function. */
export const lgamma = unary('lgamma');
/** The derivative of lgamma. */
export const digamma = unary('digamma');
/** 1 / (1 + exp(-x)). */
export const sigmoid = unary('sigmoid');
/** Rounds toward minus infinity. */
export const floor = unary('floor');
/** Rounds toward plus infinity. */
export const ceil = unary('ceil');
/** Rounds to the nearest integer, halves to even. */
export const round = unary('round');
/** Rounds toward 0. */
export const trunc = unary('trunc');
/** 1 for NaN, else 0. */
export const isnan = unary('isnan');
/** 1 for an infinity, else 0. */
export const isinf = unary('isinf');
/** 0 for NaN and infinities, else 1. */
export const isfinite = unary('isfinite');
/** 1 where x is 0, else 0. */
export const logicalNot = unary('logicalNot');
/** The bits inverted; integers and bools only. */
export const bitwiseNot = unary('bitwiseNot');
/** a * b + c with one rounding. */
export const fma = (a: ExprLike, b: ExprLike, c: ExprLike): Expr => apply('fma', a, b, c);
/** `a` where `condition` is not 0, else `b`. */
export const select = (condition: ExprLike, a: ExprLike, b: ExprLike): Expr => apply('select', condition, a, b);
