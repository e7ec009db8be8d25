// Lion.
import { add, mul, sign, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkCommon,
  checkTuple,
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

/** Options of `Lion`. Weight decay is decoupled by default. */
export interface LionOptions extends CommonOptions {
  /** Of the step's interpolation and of the momentum. Default [0.9, 0.99]. */
  betas: readonly [number, number];
}

const lion = program({
  name: 'Lion',
  tensors: ['p', 'g', 'm'],
  scalars: ['lr', 'beta1', 'beta2', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const c = add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d));
    return {
      p: sub(decayed(x), mul(x.lr, sign(c))),
      m: add(mul(x.beta2, x.m), mul(sub(1, x.beta2), d)),
    };
  },
});

/**
 * Steps by the sign of an interpolated momentum: half of Adam's memory, and a learning rate 3 to 10 times smaller.
 *
 *     c = beta1 * m + (1 - beta1) * g
 *     p = p - lr * (sign(c) + weightDecay * p)
 *     m = beta2 * m + (1 - beta2) * g
 *
 * Chen et al. 2023, Symbolic discovery of optimization algorithms.
 */
export class Lion extends Optimizer<LionOptions> {
  constructor(params: ParametersLike<LionOptions>, options: OptimizerOptions<LionOptions> = {}) {
    super(
      'Lion',
      params,
      { lr: 1e-4, betas: [0.9, 0.99], weightDecay: 0, decoupledWeightDecay: true, maximize: false },
      options,
    );
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: LionOptions): void {
    checkCommon('Lion', o);
    checkTuple('Lion', 'betas', o.betas, 2, [[0, 1]]);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { m: stateTensor(p) };
  }

  protected override update(o: LionOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    lion.run({ p, g, m: column(states, 'm') }, { lr: o.lr, beta1, beta2, ...commonValues(o) });
  }
}
