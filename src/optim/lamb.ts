// LAMB.
import { emptyLike } from '../ops/creation.js';
import { add, div, eq, mul, pow, select, sqrt, square, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkAdamLike,
  column,
  commonScalars,
  commonUsual,
  commonValues,
  descent,
  stateTensor,
  type CommonOptions,
} from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { StepNumbers } from './stepNumbers.js';
import { l2Norms } from './norms.js';

/** Options of `LAMB`. Weight decay is part of the direction whose norm is scaled. */
export interface LAMBOptions extends CommonOptions {
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-6. */
  eps: number;
}

const direction = program({
  name: 'LAMB',
  tensors: ['r', 'p', 'g', 'm', 'v'],
  scalars: ['beta1', 'beta2', 'correction1', 'correction2', 'eps', 'decay', ...commonScalars],
  usual: commonUsual,
  update: (x) => {
    const d = descent(x);
    const m = add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d));
    const v = add(mul(x.beta2, x.v), mul(sub(1, x.beta2), square(d)));
    const adam = div(div(m, x.correction1), add(sqrt(div(v, x.correction2)), x.eps));
    return { m, v, r: add(adam, mul(x.decay, x.p)) };
  },
});

const step = program({
  name: 'LAMB',
  tensors: ['p', 'r', 'pNorm', 'rNorm'],
  scalars: ['lr'],
  update: ({ p, r, pNorm, rNorm, lr }) => {
    // A norm of 0 says nothing about the size of a step.
    const trust = select(eq(mul(pNorm, rNorm), 0), 1, div(pNorm, rNorm));
    return { p: sub(p, mul(lr, mul(trust, r))) };
  },
});

const numbers = new StepNumbers({
  name: 'LAMB',
  kept: ['step'],
  options: ['beta1', 'beta2'],
  update: ({ step: before, beta1, beta2 }) => {
    const t = add(before, 1);
    return { step: t, correction1: sub(1, pow(beta1, t)), correction2: sub(1, pow(beta2, t)) };
  },
});

/**
 * Adam with the step of each layer in proportion to the layer's norm, for very large batches:
 *
 *     m, v as Adam,  r = (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps) + weightDecay * p
 *     p = p - lr * |p| / |r| * r                                       (lr * r where a norm is 0)
 *
 * With `decoupledWeightDecay: false` the penalty goes into the gradient instead. You et al. 2020, Large batch optimization
 * for deep learning: training BERT in 76 minutes.
 */
export class LAMB extends Optimizer<LAMBOptions> {
  constructor(params: ParametersLike<LAMBOptions>, options: OptimizerOptions<LAMBOptions> = {}) {
    const own = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-6 } as const;
    super('LAMB', params, { ...own, weightDecay: 0, decoupledWeightDecay: true, maximize: false }, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: LAMBOptions): void {
    checkAdamLike('LAMB', o);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, m: stateTensor(p), v: stateTensor(p) };
  }

  protected override update(o: LAMBOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    const r = p.map((x) => emptyLike(x));
    numbers.run(states, p[0].device, { beta1, beta2 }, (corrections) => {
      direction.run(
        { r, p, g, m: column(states, 'm'), v: column(states, 'v') },
        {
          beta1,
          beta2,
          ...corrections,
          eps: o.eps,
          decay: o.decoupledWeightDecay ? o.weightDecay : 0,
          ...commonValues(o),
        },
      );
    });
    const pNorm = l2Norms(p, 'whole');
    const rNorm = l2Norms(r, 'whole');
    step.run({ p, r, pNorm, rNorm }, { lr: o.lr });
    for (const x of [...r, ...pNorm, ...rNorm]) x.dispose();
  }
}
