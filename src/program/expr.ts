// Symbolic values: what the body of an elementwise op or program is made of. The functions here build expressions; they
// compute nothing. Their names are those of the native opcodes (native/opcodes.def) and of the tensor ops.
import { ArgumentError } from '../errors.js';
import { opcodes, type OpcodeName } from './opcodes.js';

/** A value of an elementwise expression: an input, a run-time scalar, a constant, or an operation on others. */
export class Expr {
  /** @internal */
  constructor(
    readonly kind: 'input' | 'scalar' | 'constant' | OpcodeName,
    readonly args: readonly Expr[],
    readonly value: number,
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
export const sub = binary('sub');
export const div = binary('div');
export const floorDiv = binary('floorDiv');
export const remainder = binary('remainder');
export const fmod = binary('fmod');
export const pow = binary('pow');
export const atan2 = binary('atan2');
export const hypot = binary('hypot');
export const maximum = binary('maximum');
export const minimum = binary('minimum');
export const fmax = binary('fmax');
export const fmin = binary('fmin');
export const copysign = binary('copysign');
export const eq = binary('eq');
export const ne = binary('ne');
export const lt = binary('lt');
export const le = binary('le');
export const gt = binary('gt');
export const ge = binary('ge');
export const bitwiseAnd = binary('bitwiseAnd');
export const bitwiseOr = binary('bitwiseOr');
export const bitwiseXor = binary('bitwiseXor');
export const neg = unary('neg');
export const abs = unary('abs');
export const sign = unary('sign');
export const square = unary('square');
export const sqrt = unary('sqrt');
export const rsqrt = unary('rsqrt');
export const reciprocal = unary('reciprocal');
export const exp = unary('exp');
export const exp2 = unary('exp2');
export const expm1 = unary('expm1');
export const log = unary('log');
export const log2 = unary('log2');
export const log10 = unary('log10');
export const log1p = unary('log1p');
export const sin = unary('sin');
export const cos = unary('cos');
export const tan = unary('tan');
export const asin = unary('asin');
export const acos = unary('acos');
export const atan = unary('atan');
export const sinh = unary('sinh');
export const cosh = unary('cosh');
export const tanh = unary('tanh');
export const asinh = unary('asinh');
export const acosh = unary('acosh');
export const atanh = unary('atanh');
export const erf = unary('erf');
export const erfc = unary('erfc');
export const sigmoid = unary('sigmoid');
export const floor = unary('floor');
export const ceil = unary('ceil');
export const round = unary('round');
export const trunc = unary('trunc');
export const isnan = unary('isnan');
export const isinf = unary('isinf');
export const isfinite = unary('isfinite');
export const logicalNot = unary('logicalNot');
export const bitwiseNot = unary('bitwiseNot');
/** a * b + c with one rounding. */
export const fma = (a: ExprLike, b: ExprLike, c: ExprLike): Expr => apply('fma', a, b, c);
/** `a` where `condition` is not 0, else `b`. */
export const select = (condition: ExprLike, a: ExprLike, b: ExprLike): Expr => apply('select', condition, a, b);
