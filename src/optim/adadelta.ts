// Adadelta.
import { add, div, mul, sqrt, square, sub } from '../program/expr.js';
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

/** Options of `Adadelta`. Default lr 1. */
export interface AdadeltaOptions extends CommonOptions {
  /** Decay rate of the averages, from 0 to 1. Default 0.9. */
  rho: number;
  /** Added under the roots. Default 1e-6. */
  eps: number;
}

const adadelta = program({
  name: 'Adadelta',
  tensors: ['p', 'g', 'v', 'u'],
  scalars: ['lr', 'rho', 'eps', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const v = add(mul(x.rho, x.v), mul(sub(1, x.rho), square(d)));
    const delta = mul(div(sqrt(add(x.u, x.eps)), sqrt(add(v, x.eps))), d);
    const u = add(mul(x.rho, x.u), mul(sub(1, x.rho), square(delta)));
    return { v, u, p: sub(decayed(x), mul(x.lr, delta)) };
  },
});

/**
 * Steps in the units of the parameter, as torch.optim.Adadelta:
 *
 *     d = g + weightDecay * p
 *     v = rho * v + (1 - rho) * d^2
 *     delta = sqrt(u + eps) / sqrt(v + eps) * d
 *     u = rho * u + (1 - rho) * delta^2
 *     p = p - lr * delta
 *
 * Zeiler 2012.
 */
export class Adadelta extends Optimizer<AdadeltaOptions> {
  constructor(params: ParametersLike<AdadeltaOptions>, options: OptimizerOptions<AdadeltaOptions> = {}) {
    super(
      'Adadelta',
      params,
      { lr: 1, rho: 0.9, eps: 1e-6, weightDecay: 0, decoupledWeightDecay: false, maximize: false },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: AdadeltaOptions): void {
    checkCommon('Adadelta', o);
    checkOption('Adadelta', 'rho', o.rho, 0, 1 + Number.EPSILON);
    checkOption('Adadelta', 'eps', o.eps);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { v: stateTensor(p), u: stateTensor(p) };
  }

  protected override update(o: AdadeltaOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    adadelta.run(
      { p, g, v: column(states, 'v'), u: column(states, 'u') },
      { lr: o.lr, rho: o.rho, eps: o.eps, ...commonValues(o) },
    );
  }
}
