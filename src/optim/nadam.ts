// NAdam.
import { add, div, mul, pow, sqrt, square, sub, type Expr } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkAdamLike,
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
import { StepNumbers } from './stepNumbers.js';

/** Options of `NAdam`. */
export interface NAdamOptions extends CommonOptions {
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
  /** How fast the momentum warms up. Default 4e-3. */
  momentumDecay: number;
}

const nadam = program({
  name: 'NAdam',
  tensors: ['p', 'g', 'm', 'v'],
  scalars: ['beta1', 'beta2', 'gradientStep', 'momentStep', 'correction2', 'eps', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const m = add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d));
    const v = add(mul(x.beta2, x.v), mul(sub(1, x.beta2), square(d)));
    const direction = add(mul(x.gradientStep, d), mul(x.momentStep, m));
    return { m, v, p: sub(decayed(x), div(direction, add(sqrt(div(v, x.correction2)), x.eps))) };
  },
});

const numbers = new StepNumbers({
  name: 'NAdam',
  kept: ['step', 'muProduct'],
  options: ['lr', 'beta1', 'beta2', 'momentumDecay'],
  update: ({ step, muProduct, lr, beta1, beta2, momentumDecay }) => {
    const t = add(step, 1);
    const muAt = (s: Expr): Expr => mul(beta1, sub(1, mul(0.5, pow(0.96, mul(s, momentumDecay)))));
    const [mu, muNext] = [muAt(t), muAt(add(t, 1))];
    const product = mul(muProduct, mu);
    return {
      step: t,
      muProduct: product,
      gradientStep: div(mul(lr, sub(1, mu)), sub(1, product)),
      momentStep: div(mul(lr, muNext), sub(1, mul(product, muNext))),
      correction2: sub(1, pow(beta2, t)),
    };
  },
});

/**
 * Adam with Nesterov's momentum, as torch.optim.NAdam:
 *
 *     d = g + weightDecay * p
 *     mu_t = beta1 * (1 - 0.96^(t * momentumDecay) / 2),  M_t = mu_1 * ... * mu_t
 *     m = beta1 * m + (1 - beta1) * d
 *     v = beta2 * v + (1 - beta2) * d^2
 *     p = p - lr * (mu_(t+1) * m / (1 - M_(t+1)) + (1 - mu_t) * d / (1 - M_t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * Dozat 2016.
 */
export class NAdam extends Optimizer<NAdamOptions> {
  constructor(params: ParametersLike<NAdamOptions>, options: OptimizerOptions<NAdamOptions> = {}) {
    super(
      'NAdam',
      params,
      {
        lr: 2e-3,
        betas: [0.9, 0.999],
        eps: 1e-8,
        momentumDecay: 4e-3,
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

  protected override checkOptions(o: NAdamOptions): void {
    checkAdamLike('NAdam', o);
    checkOption('NAdam', 'momentumDecay', o.momentumDecay);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, muProduct: 1, m: stateTensor(p), v: stateTensor(p) };
  }

  protected override update(o: NAdamOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    const options = { lr: o.lr, beta1, beta2, momentumDecay: o.momentumDecay };
    numbers.run(states, p[0].device, options, (values) => {
      nadam.run(
        { p, g, m: column(states, 'm'), v: column(states, 'v') },
        { beta1, beta2, ...values, eps: o.eps, ...commonValues(o) },
      );
    });
  }
}
