// Optimizers of a user's own, from an expression.
import { ArgumentError } from '../errors.js';
import { add, type Expr, type ExprLike } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption, column, stateTensor } from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { StepNumbers } from './stepNumbers.js';

/** What an optimizer is made from. `O`: its options, all numbers; `S`: names of its state tensors. */
export interface OptimizerSpec<O extends Readonly<Record<string, number>>, S extends string> {
  /** For messages and traces. */
  readonly name: string;
  /** The options and their defaults. Must have `lr`. */
  readonly options: O;
  /** Names of tensors that are kept for each parameter, zero at first. */
  readonly state?: readonly S[];
  /**
   * From the parameter `p`, its gradient `g`, the state, the options and the step's number `t` (from 1) to the new values of
   * `p` and of the state.
   */
  readonly update: (
    values: Readonly<Record<'p' | 'g' | 't' | S | (keyof O & string), Expr>>,
  ) => Partial<Readonly<Record<'p' | S, ExprLike>>>;
}

/** The constructor of an optimizer. */
export type OptimizerClass<O extends object> = new (
  params: ParametersLike<O>,
  options?: OptimizerOptions<O>,
) => Optimizer<O>;

/**
 * Makes an optimizer of an expression. It is compiled to one fused kernel that updates all parameters in one call, and has
 * parameter groups, state dicts, schedules and the options of regularisation like those that are built in.
 *
 * @throws ArgumentError if the options have no `lr` or the update names something else
 * @example
 * const { add, mul, sign, sub } = expr;
 * const Signum = optim.defineOptimizer({
 *   name: 'Signum',
 *   options: { lr: 1e-3, momentum: 0.9 },
 *   state: ['m'],
 *   update: ({ p, g, m, lr, momentum }) => {
 *     const next = add(mul(momentum, m), mul(sub(1, momentum), g));
 *     return { m: next, p: sub(p, mul(lr, sign(next))) };
 *   },
 * });
 * const optimizer = new Signum(model.parameters(), { lr: 0.01 });
 */
export function defineOptimizer<O extends Readonly<Record<string, number>>, const S extends string = never>(
  spec: OptimizerSpec<O, S>,
): OptimizerClass<O> {
  const { name, options: defaults, state: names = [] } = spec;
  const optionNames = Object.keys(defaults);
  if (!optionNames.includes('lr')) throw new ArgumentError(`${name}: the options must have a learning rate, lr.`);
  // The names are known to the caller's compiler; here they are any.
  const compiled = program<string, string>({
    name,
    tensors: ['p', 'g', ...names],
    scalars: ['t', ...optionNames],
    update: (values) => spec.update(values as Readonly<Record<'p' | 'g' | 't' | S | (keyof O & string), Expr>>),
  });
  const numbers = new StepNumbers({
    name,
    kept: ['step'],
    update: ({ step }) => {
      const t = add(step, 1);
      return { step: t, t };
    },
  });
  return class extends Optimizer<O> {
    constructor(params: ParametersLike<O>, options: OptimizerOptions<O> = {}) {
      super(name, params, defaults, options);
    }

    protected override get canSkip(): boolean {
      return true;
    }

    protected override checkOptions(options: O): void {
      for (const option of optionNames) checkOption(name, option, options[option], option === 'lr' ? 0 : -Infinity);
    }

    protected override initialState(p: Tensor): ParameterState {
      return { step: 0, ...Object.fromEntries(names.map((item) => [item, stateTensor(p)])) };
    }

    protected override update(options: O, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
      const kept = Object.fromEntries(names.map((item) => [item, column(states, item)]));
      const given = Object.fromEntries(optionNames.map((option) => [option, options[option]]));
      numbers.run(states, p[0].device, {}, ({ t }) => compiled.run({ p, g, ...kept }, { t, ...given }));
    }
  };
}
