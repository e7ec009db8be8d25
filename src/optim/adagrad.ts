// Adagrad.
import { add, div, mul, sqrt, square, sub } from '../program/expr.js';
import { fill_ } from '../ops/copy.js';
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

/** Options of `Adagrad`. */
export interface AdagradOptions extends CommonOptions {
  /** The learning rate of step t is lr / (1 + (t - 1) * lrDecay). Default 0. */
  lrDecay: number;
  /** What the sums of squares start from. Default 0. */
  initialAccumulatorValue: number;
  /** Added to the root in the denominator. Default 1e-10. */
  eps: number;
}

const adagrad = program({
  name: 'Adagrad',
  tensors: ['p', 'g', 'sum'],
  scalars: ['stepSize', 'eps', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const sum = add(x.sum, square(d));
    return { sum, p: sub(decayed(x), div(mul(x.stepSize, d), add(sqrt(sum), x.eps))) };
  },
});

const numbers = new StepNumbers({
  name: 'Adagrad',
  kept: ['step'],
  options: ['lr', 'lrDecay'],
  update: ({ step, lr, lrDecay }) => {
    const t = add(step, 1);
    return { step: t, stepSize: div(lr, add(1, mul(sub(t, 1), lrDecay))) };
  },
});

/**
 * Each weight's rate falls with the sum of its squared gradients, as torch.optim.Adagrad:
 *
 *     d = g + weightDecay * p
 *     sum = sum + d^2
 *     p = p - lr / (1 + (t - 1) * lrDecay) * d / (sqrt(sum) + eps)
 *
 * Duchi et al. 2011.
 */
export class Adagrad extends Optimizer<AdagradOptions> {
  constructor(params: ParametersLike<AdagradOptions>, options: OptimizerOptions<AdagradOptions> = {}) {
    super(
      'Adagrad',
      params,
      {
        lr: 1e-2,
        lrDecay: 0,
        initialAccumulatorValue: 0,
        eps: 1e-10,
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

  protected override checkOptions(o: AdagradOptions): void {
    checkCommon('Adagrad', o);
    checkOption('Adagrad', 'lrDecay', o.lrDecay);
    checkOption('Adagrad', 'initialAccumulatorValue', o.initialAccumulatorValue);
    checkOption('Adagrad', 'eps', o.eps);
  }

  protected override initialState(p: Tensor, o: AdagradOptions): ParameterState {
    return { step: 0, sum: fill_(stateTensor(p), o.initialAccumulatorValue) };
  }

  protected override update(o: AdagradOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    numbers.run(states, p[0].device, { lr: o.lr, lrDecay: o.lrDecay }, ({ stepSize }) => {
      adagrad.run({ p, g, sum: column(states, 'sum') }, { stepSize, eps: o.eps, ...commonValues(o) });
    });
  }
}
