// Rprop.
import { fill_ } from '../ops/copy.js';
import { eq, gt, lt, maximum, minimum, mul, select, sign, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkOption,
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

/** Options of `Rprop`. */
export interface RpropOptions extends CommonOptions {
  /** Factors of the step where the sign of the gradient changed, and where it did not. Default [0.5, 1.2]. */
  etas: readonly [number, number];
  /** The smallest and largest step. Default [1e-6, 50]. */
  stepSizes: readonly [number, number];
}

const rprop = program({
  name: 'Rprop',
  tensors: ['p', 'g', 'previous', 'stepSize'],
  scalars: ['etaMinus', 'etaPlus', 'stepMin', 'stepMax', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const agreement = mul(d, x.previous);
    const factor = select(gt(agreement, 0), x.etaPlus, select(lt(agreement, 0), x.etaMinus, 1));
    const stepSize = minimum(maximum(mul(x.stepSize, factor), x.stepMin), x.stepMax);
    // After a change of sign no step is taken, and the next one counts as the first.
    const previous = select(eq(factor, x.etaMinus), 0, d);
    return { stepSize, previous, p: sub(decayed(x), mul(sign(previous), stepSize)) };
  },
});

/**
 * Steps by the sign of the gradient alone, as torch.optim.Rprop; for full batches:
 *
 *     s = s * etaPlus where g * previous > 0;  s * etaMinus and g = 0 where g * previous < 0
 *     p = p - sign(g) * s,  previous = g
 *
 * The steps start at lr. Riedmiller and Braun 1993.
 */
export class Rprop extends Optimizer<RpropOptions> {
  constructor(params: ParametersLike<RpropOptions>, options: OptimizerOptions<RpropOptions> = {}) {
    super(
      'Rprop',
      params,
      {
        lr: 1e-2,
        etas: [0.5, 1.2],
        stepSizes: [1e-6, 50],
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

  protected override checkOptions(o: RpropOptions): void {
    checkOption('Rprop', 'lr', o.lr);
    checkOption('Rprop', 'weightDecay', o.weightDecay);
    checkTuple('Rprop', 'etas', o.etas, 2, [
      [0, 1],
      [1, Infinity],
    ]);
    checkTuple('Rprop', 'stepSizes', o.stepSizes, 2, [[0, Infinity]]);
  }

  protected override initialState(p: Tensor, o: RpropOptions): ParameterState {
    return { previous: stateTensor(p), stepSize: fill_(stateTensor(p), o.lr) };
  }

  protected override update(o: RpropOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [etaMinus, etaPlus] = o.etas;
    const [stepMin, stepMax] = o.stepSizes;
    rprop.run(
      { p, g, previous: column(states, 'previous'), stepSize: column(states, 'stepSize') },
      { etaMinus, etaPlus, stepMin, stepMax, ...commonValues(o) },
    );
  }
}
