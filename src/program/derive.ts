// Derivatives of expressions: the rule of each instruction, and reverse accumulation over an expression.
import {
  add,
  apply,
  copysign,
  cos,
  cosh,
  digamma,
  div,
  eq,
  exp,
  type Expr,
  floor,
  ge,
  gt,
  le,
  log,
  lt,
  mul,
  neg,
  polygamma,
  pow,
  rsqrt,
  select,
  sign,
  sin,
  sinh,
  square,
  sub,
  toExpr,
  trunc,
} from './expr.js';
import type { OpcodeName } from './opcodes.js';

/** Gradients of the arguments, given the gradient g of the result y; null where the derivative is zero everywhere. */
type Rule = (g: Expr, y: Expr, ...args: Expr[]) => readonly (Expr | null)[];

const flat: Rule = () => [null];
const flat2: Rule = () => [null, null];
const halfWhere = (tie: Expr, wins: Expr, g: Expr): Expr => select(tie, mul(g, 0.5), select(wins, g, 0));

const rules: Readonly<Record<OpcodeName, Rule>> = {
  neg: (g) => [neg(g)],
  abs: (g, _y, x) => [mul(g, sign(x))],
  sign: flat,
  square: (g, _y, x) => [mul(g, 2, x)],
  sqrt: (g, y) => [div(mul(g, 0.5), y)],
  rsqrt: (g, y) => [mul(g, -0.5, y, square(y))],
  reciprocal: (g, y) => [neg(mul(g, square(y)))],
  exp: (g, y) => [mul(g, y)],
  exp2: (g, y) => [mul(g, y, Math.LN2)],
  expm1: (g, y) => [mul(g, add(y, 1))],
  log: (g, _y, x) => [div(g, x)],
  log2: (g, _y, x) => [div(g, mul(x, Math.LN2))],
  log10: (g, _y, x) => [div(g, mul(x, Math.LN10))],
  log1p: (g, _y, x) => [div(g, add(x, 1))],
  sin: (g, _y, x) => [mul(g, cos(x))],
  cos: (g, _y, x) => [neg(mul(g, sin(x)))],
  tan: (g, y) => [mul(g, add(1, square(y)))],
  asin: (g, _y, x) => [mul(g, rsqrt(sub(1, square(x))))],
  acos: (g, _y, x) => [neg(mul(g, rsqrt(sub(1, square(x)))))],
  atan: (g, _y, x) => [div(g, add(1, square(x)))],
  sinh: (g, _y, x) => [mul(g, cosh(x))],
  cosh: (g, _y, x) => [mul(g, sinh(x))],
  tanh: (g, y) => [mul(g, sub(1, square(y)))],
  asinh: (g, _y, x) => [mul(g, rsqrt(add(square(x), 1)))],
  acosh: (g, _y, x) => [mul(g, rsqrt(sub(square(x), 1)))],
  atanh: (g, _y, x) => [div(g, sub(1, square(x)))],
  erf: (g, _y, x) => [mul(g, 2 / Math.sqrt(Math.PI), exp(neg(square(x))))],
  erfc: (g, _y, x) => [mul(g, -2 / Math.sqrt(Math.PI), exp(neg(square(x))))],
  normalCdf: (g, _y, x) => [mul(g, 1 / Math.sqrt(2 * Math.PI), exp(mul(square(x), -0.5)))],
  erfinv: (g, y) => [mul(g, Math.sqrt(Math.PI) / 2, exp(square(y)))],
  lgamma: (g, _y, x) => [mul(g, digamma(x))],
  digamma: (g, _y, x) => [mul(g, polygamma(1, x))],
  sigmoid: (g, y) => [mul(g, y, sub(1, y))],
  floor: flat,
  ceil: flat,
  round: flat,
  trunc: flat,
  isnan: flat,
  isinf: flat,
  isfinite: flat,
  logicalNot: flat,
  bitwiseNot: flat,
  add: (g) => [g, g],
  sub: (g) => [g, neg(g)],
  mul: (g, _y, a, b) => [mul(g, b), mul(g, a)],
  div: (g, y, _a, b) => [div(g, b), neg(div(mul(g, y), b))],
  floorDiv: flat2,
  remainder: (g, _y, a, b) => [g, neg(mul(g, floor(div(a, b))))],
  fmod: (g, _y, a, b) => [g, neg(mul(g, trunc(div(a, b))))],
  // 0 * inf must not make NaN: b = 0 has derivative 0, and so has a = 0 in the exponent.
  pow: (g, y, a, b) => [
    select(eq(b, 0), 0, mul(g, b, pow(a, sub(b, 1)))),
    select(mul(eq(a, 0), ge(b, 0)), 0, mul(g, y, log(a))),
  ],
  polygamma: (g, _y, n, x) => [null, mul(g, polygamma(n.kind === 'constant' ? n.value + 1 : add(n, 1), x))],
  atan2: (g, _y, a, b) => {
    const scale = div(g, add(square(a), square(b)));
    return [mul(scale, b), neg(mul(scale, a))];
  },
  hypot: (g, y, a, b) => [mul(g, div(a, y)), mul(g, div(b, y))],
  // Ties share the gradient, as in PyTorch.
  maximum: (g, _y, a, b) => [halfWhere(eq(a, b), gt(a, b), g), halfWhere(eq(a, b), lt(a, b), g)],
  minimum: (g, _y, a, b) => [halfWhere(eq(a, b), lt(a, b), g), halfWhere(eq(a, b), gt(a, b), g)],
  // The value that is not NaN wins, as in PyTorch.
  fmax: (g, _y, a, b) => {
    const wins = select(eq(b, b), ge(a, b), 1);
    return [select(wins, g, 0), select(wins, 0, g)];
  },
  fmin: (g, _y, a, b) => {
    const wins = select(eq(b, b), le(a, b), 1);
    return [select(wins, g, 0), select(wins, 0, g)];
  },
  copysign: (g, y, a) => [select(eq(a, 0), 0, mul(g, copysign(1, y), sign(a))), null],
  eq: flat2,
  ne: flat2,
  lt: flat2,
  le: flat2,
  gt: flat2,
  ge: flat2,
  bitwiseAnd: flat2,
  bitwiseOr: flat2,
  bitwiseXor: flat2,
  bitwiseLeftShift: flat2,
  bitwiseRightShift: flat2,
  fma: (g, _y, a, b) => [mul(g, b), mul(g, a), g],
  select: (g, _y, condition) => [null, select(condition, g, 0), select(condition, 0, g)],
};

/** The expression with `from` replaced by `to`. */
export function substitute(e: Expr, from: Expr, to: Expr): Expr {
  const memo = new Map<Expr, Expr>([[from, to]]);
  const visit = (node: Expr): Expr => {
    const known = memo.get(node);
    if (known !== undefined) return known;
    const args = node.args.map(visit);
    const same = args.every((arg, i) => arg === node.args[i]);
    const result = same ? node : apply(node.kind as OpcodeName, ...args);
    memo.set(node, result);
    return result;
  };
  return visit(e);
}

/** The inputs and scalars that an expression reads. */
export function leavesOf(e: Expr): Set<Expr> {
  const leaves = new Set<Expr>();
  const seen = new Set<Expr>();
  const visit = (node: Expr): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.kind === 'input' || node.kind === 'scalar') leaves.add(node);
    node.args.forEach(visit);
  };
  visit(e);
  return leaves;
}

/**
 * The gradients of `root` with respect to `inputs`, as expressions of g, the inputs, and `root` itself where a rule uses
 * the result. A constant 0 where `root` does not depend on an input smoothly.
 */
export function derive(root: Expr, inputs: readonly Expr[], g: Expr): Expr[] {
  const order: Expr[] = [];
  const seen = new Set<Expr>();
  const visit = (node: Expr): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.args.forEach(visit);
    order.push(node);
  };
  visit(root);
  const adjoints = new Map<Expr, Expr>([[root, g]]);
  for (const node of order.reverse()) {
    const adjoint = adjoints.get(node);
    if (adjoint === undefined || node.args.length === 0) continue;
    const grads = rules[node.kind as OpcodeName](adjoint, node, ...node.args);
    node.args.forEach((arg, i) => {
      const grad = grads[i];
      if (grad === null || grad === undefined || arg.kind === 'constant' || arg.kind === 'scalar') return;
      const before = adjoints.get(arg);
      adjoints.set(arg, before === undefined ? grad : add(before, grad));
    });
  }
  return inputs.map((input) => adjoints.get(input) ?? toExpr(0));
}
