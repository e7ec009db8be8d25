// LARS.
import { add, div, eq, mul, select, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkCommon, checkOption, column, stateTensor, type CommonOptions } from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { l2Norms } from './norms.js';

/** Options of `LARS`. */
export interface LARSOptions extends CommonOptions {
  /** Default 0.9. */
  momentum: number;
  /** Size of a step in proportion to the layer, eta. Default 0.001. */
  trustCoefficient: number;
  /** Added to the denominator of the ratio. Default 1e-8. */
  eps: number;
  /** Nesterov's look-ahead. Default false. */
  nesterov: boolean;
}

const lars = program({
  name: 'LARS',
  tensors: ['p', 'g', 'buffer', 'pNorm', 'gNorm'],
  scalars: ['lr', 'sign', 'momentum', 'ahead', 'trust', 'eps', 'coupled', 'keep'],
  update: (x) => {
    const { pNorm, gNorm } = x;
    const ratio = div(mul(x.trust, pNorm), add(gNorm, mul(x.coupled, pNorm), x.eps));
    const local = select(eq(mul(pNorm, gNorm), 0), 1, ratio);
    const d = mul(local, add(mul(x.sign, x.g), mul(x.coupled, x.p)));
    const buffer = add(mul(x.momentum, x.buffer), d);
    const direction = add(mul(x.ahead, add(d, mul(x.momentum, buffer))), mul(sub(1, x.ahead), buffer));
    return { buffer, p: sub(mul(x.keep, x.p), mul(x.lr, direction)) };
  },
});

/**
 * SGD with the step of each layer in proportion to the layer's norm, for very large batches:
 *
 *     local = trustCoefficient * |p| / (|g| + weightDecay * |p| + eps)    (1 where a norm is 0)
 *     buffer = momentum * buffer + local * (g + weightDecay * p)
 *     p = p - lr * buffer
 *
 * You, Gitman and Ginsburg 2017, Large batch training of convolutional networks.
 */
export class LARS extends Optimizer<LARSOptions> {
  constructor(params: ParametersLike<LARSOptions>, options: OptimizerOptions<LARSOptions> = {}) {
    const own = { lr: 0.1, momentum: 0.9, trustCoefficient: 0.001, eps: 1e-8, nesterov: false };
    super('LARS', params, { ...own, weightDecay: 0, decoupledWeightDecay: false, maximize: false }, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: LARSOptions): void {
    checkCommon('LARS', o);
    for (const name of ['momentum', 'trustCoefficient', 'eps'] as const) checkOption('LARS', name, o[name]);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { buffer: stateTensor(p) };
  }

  protected override update(o: LARSOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const pNorm = l2Norms(p, 'whole');
    const gNorm = l2Norms(g, 'whole');
    lars.run(
      { p, g, buffer: column(states, 'buffer'), pNorm, gNorm },
      {
        lr: o.lr,
        sign: o.maximize ? -1 : 1,
        momentum: o.momentum,
        ahead: o.nesterov ? 1 : 0,
        trust: o.trustCoefficient,
        eps: o.eps,
        coupled: o.decoupledWeightDecay ? 0 : o.weightDecay,
        keep: o.decoupledWeightDecay ? 1 - o.lr * o.weightDecay : 1,
      },
    );
    for (const x of [...pNorm, ...gNorm]) x.dispose();
  }
}
