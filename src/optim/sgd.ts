// Stochastic gradient descent with momentum.
import { ArgumentError } from '../errors.js';
import { add, eq, mul, select, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkCommon,
  checkOption,
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

/** Options of `SGD`. */
export interface SGDOptions extends CommonOptions {
  /** Default 0. */
  momentum: number;
  /** Damps the gradient's share in the momentum. Default 0. */
  dampening: number;
  /** Nesterov's look-ahead; needs momentum > 0 and dampening 0. */
  nesterov: boolean;
}

const plain = program({
  name: 'SGD',
  tensors: ['p', 'g'],
  scalars: ['lr', ...commonScalars],
  usual: commonUsual,
  update: (v) => ({ p: sub(decayed(v), mul(v.lr, descent(v))) }),
});

const withMomentum = program({
  name: 'SGD',
  tensors: ['p', 'g', 'buffer'],
  scalars: ['lr', 'momentum', 'undamped', 'ahead', ...commonScalars],
  usual: commonUsual,
  update: (v) => {
    const d = descent(v);
    const buffer = add(mul(v.momentum, v.buffer), mul(v.undamped, d));
    // ahead is 0 for classical momentum; for Nesterov's, 1: d + momentum * buffer.
    const direction = add(mul(v.ahead, add(d, mul(v.momentum, buffer))), mul(sub(1, v.ahead), buffer));
    return { buffer, p: sub(decayed(v), mul(v.lr, direction)) };
  },
});

// The first step is not damped, nor is the first with momentum. Only whether it is the first matters, so that parameters
// stay in one group.
const numbers = new StepNumbers({
  name: 'SGD',
  kept: ['step'],
  options: ['dampening'],
  update: ({ step, dampening }) => ({ step: 1, undamped: select(eq(step, 1), sub(1, dampening), 1) }),
});

/**
 * Stochastic gradient descent, as torch.optim.SGD:
 *
 *     d = g + weightDecay * p
 *     buffer = momentum * buffer + (1 - dampening) * d     (at the first step: d)
 *     p = p - lr * (nesterov ? d + momentum * buffer : buffer)
 *
 * Without momentum p = p - lr * d: gradient descent. (Sutskever et al. 2013.)
 *
 * @example
 * const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9, nesterov: true });
 * optimizer.zeroGrad();
 * loss.backward();
 * optimizer.step();
 */
export class SGD extends Optimizer<SGDOptions> {
  constructor(params: ParametersLike<SGDOptions>, options: OptimizerOptions<SGDOptions> = {}) {
    const own = { momentum: 0, dampening: 0, nesterov: false };
    super('SGD', params, { lr: 1e-3, ...own, weightDecay: 0, decoupledWeightDecay: false, maximize: false }, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: SGDOptions): void {
    checkCommon('SGD', o);
    checkOption('SGD', 'momentum', o.momentum);
    checkOption('SGD', 'dampening', o.dampening, -Infinity);
    if (o.nesterov && (o.momentum <= 0 || o.dampening !== 0)) {
      throw new ArgumentError('SGD: nesterov needs momentum above 0 and dampening 0.');
    }
  }

  protected override initialState(p: Tensor, o: SGDOptions): ParameterState {
    return o.momentum === 0 ? {} : { buffer: stateTensor(p), step: 0 };
  }

  protected override update(o: SGDOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const { lr, momentum } = o;
    if (momentum === 0) {
      plain.run({ p, g }, { lr, ...commonValues(o) });
      return;
    }
    const buffer = states.map((state, i) => (state['buffer'] ??= stateTensor(p[i])) as Tensor);
    numbers.run(states, p[0].device, { dampening: o.dampening }, ({ undamped }) => {
      withMomentum.run({ p, g, buffer }, { lr, momentum, undamped, ahead: o.nesterov ? 1 : 0, ...commonValues(o) });
    });
  }
}
