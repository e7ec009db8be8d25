// RMSprop.
import { add, div, mul, sqrt, square, sub, type Expr } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkCommon,
  checkOption,
  column,
  commonScalars,
  commonUsual,
  commonValues,
  decayed,
  descent,
  stateTensor,
  type CommonOptions,
} from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';

/** Options of `RMSprop`. */
export interface RMSpropOptions extends CommonOptions {
  /** Decay rate of the mean square. Default 0.99. */
  alpha: number;
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
  /** Default 0. */
  momentum: number;
  /** Divide by the standard deviation rather than the root mean square (Graves 2013). Default false. */
  centered: boolean;
}

const scalars = ['lr', 'alpha', 'eps', 'momentum', ...commonScalars] as const;
type Values = Readonly<Record<'p' | 'g' | 'v' | 'b' | (typeof scalars)[number], Expr>>;

const meanSquare = (x: Values, d: Expr): Expr => add(mul(x.alpha, x.v), mul(sub(1, x.alpha), square(d)));

// Without momentum the buffer is the step itself: momentum is 0 then.
function stepped(x: Values, d: Expr, variance: Expr): { b: Expr; p: Expr } {
  const b = add(mul(x.momentum, x.b), div(d, add(sqrt(variance), x.eps)));
  return { b, p: sub(decayed(x), mul(x.lr, b)) };
}

const plain = program({
  name: 'RMSprop',
  tensors: ['p', 'g', 'v', 'b'],
  scalars,
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const v = meanSquare(x, d);
    return { v, ...stepped(x, d, v) };
  },
});

const centered = program({
  name: 'RMSprop',
  tensors: ['p', 'g', 'v', 'b', 'mean'],
  scalars,
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const v = meanSquare(x, d);
    const mean = add(mul(x.alpha, x.mean), mul(sub(1, x.alpha), d));
    return { v, mean, ...stepped(x, d, sub(v, square(mean))) };
  },
});

/**
 * Gradients over their root mean square, as torch.optim.RMSprop:
 *
 *     d = g + weightDecay * p
 *     v = alpha * v + (1 - alpha) * d^2
 *     mean = alpha * mean + (1 - alpha) * d                   (centered; else 0)
 *     b = momentum * b + d / (sqrt(v - mean^2) + eps)
 *     p = p - lr * b
 *
 * Tieleman and Hinton 2012.
 */
export class RMSprop extends Optimizer<RMSpropOptions> {
  constructor(params: ParametersLike<RMSpropOptions>, options: OptimizerOptions<RMSpropOptions> = {}) {
    super(
      'RMSprop',
      params,
      {
        lr: 1e-2,
        alpha: 0.99,
        eps: 1e-8,
        momentum: 0,
        centered: false,
        weightDecay: 0,
        decoupledWeightDecay: false,
        maximize: false,
      },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: RMSpropOptions): void {
    checkCommon('RMSprop', o);
    checkOption('RMSprop', 'alpha', o.alpha);
    checkOption('RMSprop', 'eps', o.eps);
    checkOption('RMSprop', 'momentum', o.momentum);
  }

  protected override initialState(p: Tensor, o: RMSpropOptions): ParameterState {
    const state = { v: stateTensor(p), b: stateTensor(p) };
    return o.centered ? { ...state, mean: stateTensor(p) } : state;
  }

  protected override update(o: RMSpropOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const lists = { p, g, v: column(states, 'v'), b: column(states, 'b') };
    const values = { lr: o.lr, alpha: o.alpha, eps: o.eps, momentum: o.momentum, ...commonValues(o) };
    if (o.centered) {
      const mean = states.map((state, i) => (state['mean'] ??= stateTensor(p[i])) as Tensor);
      centered.run({ ...lists, mean }, values);
    } else plain.run(lists, values);
  }
}
