// Adam.
import { add, div, mul, sqrt, square, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import { ArgumentError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption, Optimizer, stateTensor, type ParametersLike, type ParameterState } from './optimizer.js';

/** Options of `Adam`. */
export interface AdamOptions {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
  /** L2 penalty, added to the gradient. Default 0. */
  weightDecay: number;
  /** Ascend instead. */
  maximize: boolean;
}

const adam = program({
  name: 'Adam',
  tensors: ['p', 'g', 'm', 'v'],
  scalars: ['sign', 'weightDecay', 'beta1', 'beta2', 'stepSize', 'rootCorrection2', 'eps'],
  update: ({ p, g, m, v, sign, weightDecay, beta1, beta2, stepSize, rootCorrection2, eps }) => {
    const d = add(mul(sign, g), mul(weightDecay, p));
    const m1 = add(mul(beta1, m), mul(sub(1, beta1), d));
    const v1 = add(mul(beta2, v), mul(sub(1, beta2), square(d)));
    return { m: m1, v: v1, p: sub(p, div(mul(stepSize, m1), add(div(sqrt(v1), rootCorrection2), eps))) };
  },
});

/**
 * Adam, as torch.optim.Adam:
 *
 *     d = g + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * d
 *     v = beta2 * v + (1 - beta2) * d^2
 *     p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * Kingma and Ba 2015.
 *
 * @example
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: ParametersLike<AdamOptions>, options: Partial<AdamOptions> = {}) {
    super('Adam', params, { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weightDecay: 0, maximize: false, ...options });
  }

  protected override checkOptions(o: AdamOptions): void {
    checkOption('Adam', 'lr', o.lr);
    checkOption('Adam', 'eps', o.eps);
    checkOption('Adam', 'weightDecay', o.weightDecay);
    if (!Array.isArray(o.betas) || o.betas.length !== 2) throw new ArgumentError('Adam: betas must be two numbers.');
    o.betas.forEach((beta: number, i) => checkOption('Adam', `betas[${i}]`, beta, 0, 1));
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, m: stateTensor(p), v: stateTensor(p) };
  }

  protected override update(o: AdamOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    const t = (states[0]['step'] as number) + 1;
    adam.run(
      { p, g, m: states.map((state) => state['m'] as Tensor), v: states.map((state) => state['v'] as Tensor) },
      {
        sign: o.maximize ? -1 : 1,
        weightDecay: o.weightDecay,
        beta1,
        beta2,
        stepSize: o.lr / (1 - beta1 ** t),
        rootCorrection2: Math.sqrt(1 - beta2 ** t),
        eps: o.eps,
      },
    );
    for (const state of states) state['step'] = t;
  }
}
