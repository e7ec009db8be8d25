// Expressions as functions of JavaScript's numbers: what a program computes in float64, here.
import { ArgumentError } from '../errors.js';
import type { Expr } from './expr.js';

type Operation = (a: number, b: number, c: number) => number;

const truth = (value: boolean): number => (value ? 1 : 0);

const operations: Readonly<Record<string, Operation>> = {
  neg: (a) => -a,
  abs: Math.abs,
  sign: Math.sign,
  square: (a) => a * a,
  sqrt: Math.sqrt,
  rsqrt: (a) => 1 / Math.sqrt(a),
  reciprocal: (a) => 1 / a,
  exp: Math.exp,
  log: Math.log,
  floor: Math.floor,
  ceil: Math.ceil,
  trunc: Math.trunc,
  isfinite: (a) => truth(Number.isFinite(a)),
  logicalNot: (a) => truth(a === 0),
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  remainder: (a, b) => a - b * Math.floor(a / b),
  pow: (a, b) => a ** b,
  maximum: (a, b) => Math.max(a, b),
  minimum: (a, b) => Math.min(a, b),
  eq: (a, b) => truth(a === b),
  ne: (a, b) => truth(a !== b),
  lt: (a, b) => truth(a < b),
  le: (a, b) => truth(a <= b),
  gt: (a, b) => truth(a > b),
  ge: (a, b) => truth(a >= b),
  select: (a, b, c) => (a !== 0 ? b : c),
};

/** The values of leaves by name. */
export type LeafValues = Readonly<Record<string, number>>;

/**
 * Makes functions of expressions whose leaves are known by name.
 *
 * @throws ArgumentError for an instruction that has no such function
 * @internal
 */
export function evaluators(roots: readonly Expr[]): ((leaves: LeafValues) => number)[] {
  const known = new Map<Expr, (leaves: LeafValues) => number>();
  const of = (e: Expr): ((leaves: LeafValues) => number) => {
    const found = known.get(e);
    if (found !== undefined) return found;
    let made: (leaves: LeafValues) => number;
    if (e.kind === 'constant') made = () => e.value;
    else if (e.kind === 'input' || e.kind === 'scalar') made = (leaves) => leaves[e.label];
    else {
      const operation = operations[e.kind];
      if (operation === undefined)
        throw new ArgumentError(`expression: ${e.kind} is not evaluated outside of programs.`);
      const [a, b, c] = e.args.map(of);
      made =
        c !== undefined
          ? (leaves) => operation(a(leaves), b(leaves), c(leaves))
          : b !== undefined
            ? (leaves) => operation(a(leaves), b(leaves), 0)
            : (leaves) => operation(a(leaves), 0, 0);
    }
    known.set(e, made);
    return made;
  };
  return roots.map(of);
}
