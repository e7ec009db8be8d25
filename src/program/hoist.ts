// What depends on run-time scalars alone is computed before a program runs, in float64: the kernel would compute 1 - beta2
// in float32, where 1 - 0.999 is off by 5e-5, and once for each tile.
import { apply, scalarExpr, type Expr } from './expr.js';

/** A run-time scalar that stands for an expression of others. @internal */
export interface HoistedScalar {
  readonly scalar: Expr;
  /** What it stands for, of the program's own scalars. */
  readonly expr: Expr;
  /** Its value, from the scalars by name. */
  readonly evaluate: (values: Readonly<Record<string, number>>) => number;
}

type Evaluate = HoistedScalar['evaluate'];

// Those that mean the same for integers.
const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  neg: (a) => -a,
  square: (a) => a * a,
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
};

/** Replaces each largest part that depends on scalars only by a scalar of its own. @internal */
export function hoistScalars(roots: readonly Expr[]): { roots: Expr[]; hoisted: HoistedScalar[] } {
  const evaluators = new Map<Expr, Evaluate | null>();
  const evaluatorOf = (e: Expr): Evaluate | null => {
    const known = evaluators.get(e);
    if (known !== undefined) return known;
    let found: Evaluate | null = null;
    if (e.kind === 'scalar') found = (values) => values[e.label];
    else if (e.kind === 'constant') found = () => e.value;
    else {
      const operation = operations[e.kind];
      const parts = e.args.map(evaluatorOf);
      if (operation !== undefined && parts.every((part) => part !== null)) {
        const [a, b] = parts as readonly Evaluate[];
        found = (values) => operation(a(values), b === undefined ? 0 : b(values));
      }
    }
    evaluators.set(e, found);
    return found;
  };

  const hoisted: HoistedScalar[] = [];
  const replaced = new Map<Expr, Expr>();
  const replace = (e: Expr): Expr => {
    if (e.args.length === 0) return e;
    const known = replaced.get(e);
    if (known !== undefined) return known;
    const evaluate = evaluatorOf(e);
    let result: Expr;
    if (evaluate !== null) {
      result = scalarExpr(`hoisted${hoisted.length}`);
      hoisted.push({ scalar: result, expr: e, evaluate });
    } else if (e.kind === 'input' || e.kind === 'scalar' || e.kind === 'constant') result = e;
    else result = apply(e.kind, ...e.args.map(replace));
    replaced.set(e, result);
    return result;
  };
  return { roots: roots.map(replace), hoisted };
}
