// ASGD.
import { add, div, maximum, mul, pow, sub } from '../program/expr.js';
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
import { StepNumbers } from './stepNumbers.js';

/** Options of `ASGD`. */
export interface ASGDOptions extends CommonOptions {
  /** Decay of the parameters, lambda. Default 1e-4. */
  lambd: number;
  /** Power of the decay of the learning rate. Default 0.75. */
  alpha: number;
  /** The step at which averaging starts. Default 1e6. */
  t0: number;
}

const asgd = program({
  name: 'ASGD',
  tensors: ['p', 'g', 'average'],
  scalars: ['eta', 'lambd', 'mu', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const p = sub(mul(decayed(x), sub(1, mul(x.lambd, x.eta))), mul(x.eta, descent(x)));
    return { p, average: add(x.average, mul(x.mu, sub(p, x.average))) };
  },
});

// The rate of a step is settled by the step before it, with the learning rate of that time.
const numbers = new StepNumbers({
  name: 'ASGD',
  kept: ['step', 'eta', 'mu'],
  options: ['lr', 'lambd', 'alpha', 't0'],
  update: ({ step, eta, mu, lr, lambd, alpha, t0 }) => {
    const t = add(step, 1);
    return {
      step: t,
      eta: div(lr, pow(add(1, mul(mul(lambd, lr), t)), alpha)),
      mu: div(1, maximum(1, sub(t, t0))),
      rate: eta,
      share: mu,
    };
  },
});

/**
 * Averaged stochastic gradient descent, as torch.optim.ASGD; the average is in `state.get(p).average`:
 *
 *     eta_t = lr / (1 + lambd * lr * (t - 1))^alpha,   mu_t = 1 / max(1, t - 1 - t0)
 *     p = (1 - lambd * eta_t) * p - eta_t * (g + weightDecay * p)
 *     average = average + mu_t * (p - average)
 *
 * Polyak and Juditsky 1992.
 */
export class ASGD extends Optimizer<ASGDOptions> {
  constructor(params: ParametersLike<ASGDOptions>, options: OptimizerOptions<ASGDOptions> = {}) {
    super(
      'ASGD',
      params,
      { lr: 1e-2, lambd: 1e-4, alpha: 0.75, t0: 1e6, weightDecay: 0, decoupledWeightDecay: false, maximize: false },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: ASGDOptions): void {
    checkCommon('ASGD', o);
    checkOption('ASGD', 'lambd', o.lambd);
    checkOption('ASGD', 'alpha', o.alpha);
    checkOption('ASGD', 't0', o.t0);
  }

  protected override initialState(p: Tensor, o: ASGDOptions): ParameterState {
    return { step: 0, eta: o.lr, mu: 1, average: stateTensor(p) };
  }

  protected override update(o: ASGDOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const { lr, lambd, alpha, t0 } = o;
    numbers.run(states, p[0].device, { lr, lambd, alpha, t0 }, ({ rate, share }) => {
      asgd.run({ p, g, average: column(states, 'average') }, { eta: rate, lambd, mu: share, ...commonValues(o) });
    });
  }
}
