// Adamax.
import { abs, add, div, maximum, mul, pow, sub } from '../program/expr.js';
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

/** Options of `Adamax`. */
export interface AdamaxOptions extends CommonOptions {
  /** Decay rates of the moment and of the largest gradient. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Keeps the denominator above 0. Default 1e-8. */
  eps: number;
}

const adamax = program({
  name: 'Adamax',
  tensors: ['p', 'g', 'm', 'u'],
  scalars: ['beta1', 'beta2', 'stepSize', 'eps', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const m = add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d));
    const u = maximum(mul(x.beta2, x.u), add(abs(d), x.eps));
    return { m, u, p: sub(decayed(x), div(mul(x.stepSize, m), u)) };
  },
});

const numbers = new StepNumbers({
  name: 'Adamax',
  kept: ['step'],
  options: ['lr', 'beta1'],
  update: ({ step, lr, beta1 }) => {
    const t = add(step, 1);
    return { step: t, stepSize: div(lr, sub(1, pow(beta1, t))) };
  },
});

/**
 * Adam with the infinity norm in place of the second moment, as torch.optim.Adamax:
 *
 *     d = g + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * d
 *     u = max(beta2 * u, |d| + eps)
 *     p = p - lr / (1 - beta1^t) * m / u
 *
 * Kingma and Ba 2015, section 7.
 */
export class Adamax extends Optimizer<AdamaxOptions> {
  constructor(params: ParametersLike<AdamaxOptions>, options: OptimizerOptions<AdamaxOptions> = {}) {
    super(
      'Adamax',
      params,
      { lr: 2e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, decoupledWeightDecay: false, maximize: false },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: AdamaxOptions): void {
    checkAdamLike('Adamax', o);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, m: stateTensor(p), u: stateTensor(p) };
  }

  protected override update(o: AdamaxOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    const lists = { p, g, m: column(states, 'm'), u: column(states, 'u') };
    numbers.run(states, p[0].device, { lr: o.lr, beta1 }, ({ stepSize }) => {
      adamax.run(lists, { beta1, beta2, stepSize, eps: o.eps, ...commonValues(o) });
    });
  }
}
