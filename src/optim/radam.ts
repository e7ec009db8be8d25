// RAdam.
import { add, div, gt, mul, pow, select, sqrt, square, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkAdamLike,
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
import { StepNumbers } from './stepNumbers.js';

/** Options of `RAdam`. */
export interface RAdamOptions extends CommonOptions {
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
}

// plain is the step where the variance of the adaptive rate cannot be told yet, adaptive the one after; the other is 0.
const radam = program({
  name: 'RAdam',
  tensors: ['p', 'g', 'm', 'v'],
  scalars: ['beta1', 'beta2', 'plain', 'adaptive', 'eps', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const m = add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d));
    const v = add(mul(x.beta2, x.v), mul(sub(1, x.beta2), square(d)));
    return { m, v, p: sub(decayed(x), mul(m, add(x.plain, div(x.adaptive, add(sqrt(v), x.eps))))) };
  },
});

const numbers = new StepNumbers({
  name: 'RAdam',
  kept: ['step'],
  options: ['lr', 'beta1', 'beta2'],
  update: ({ step, lr, beta1, beta2 }) => {
    const t = add(step, 1);
    const power = pow(beta2, t);
    const correction2 = sub(1, power);
    const rhoInf = sub(div(2, sub(1, beta2)), 1);
    const rho = sub(rhoInf, div(mul(mul(2, t), power), correction2));
    const r = sqrt(div(mul(mul(sub(rho, 4), sub(rho, 2)), rhoInf), mul(mul(sub(rhoInf, 4), sub(rhoInf, 2)), rho)));
    const rectified = gt(rho, 5);
    const size = div(lr, sub(1, pow(beta1, t)));
    return {
      step: t,
      plain: select(rectified, 0, size),
      adaptive: select(rectified, mul(mul(size, r), sqrt(correction2)), 0),
    };
  },
});

/**
 * Adam whose adaptive rate is rectified while its variance is large, as torch.optim.RAdam:
 *
 *     d = g + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * d,   v = beta2 * v + (1 - beta2) * d^2
 *     rho_inf = 2 / (1 - beta2) - 1,     rho = rho_inf - 2 * t * beta2^t / (1 - beta2^t)
 *     r = sqrt((rho - 4) (rho - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho))
 *     p = p - lr * m / (1 - beta1^t) * (rho > 5 ? r * sqrt(1 - beta2^t) / (sqrt(v) + eps) : 1)
 *
 * Liu et al. 2020.
 */
export class RAdam extends Optimizer<RAdamOptions> {
  constructor(params: ParametersLike<RAdamOptions>, options: OptimizerOptions<RAdamOptions> = {}) {
    super(
      'RAdam',
      params,
      { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decoupledWeightDecay: false, maximize: false },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: RAdamOptions): void {
    checkAdamLike('RAdam', o);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, m: stateTensor(p), v: stateTensor(p) };
  }

  protected override update(o: RAdamOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    numbers.run(states, p[0].device, { lr: o.lr, beta1, beta2 }, ({ plain, adaptive }) => {
      radam.run(
        { p, g, m: column(states, 'm'), v: column(states, 'v') },
        { beta1, beta2, plain, adaptive, eps: o.eps, ...commonValues(o) },
      );
    });
  }
}
