// Stochastic gradient descent with momentum.
import { ArgumentError } from '../errors.js';
import { add, mul, sub, type Expr } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption, Optimizer, stateTensor, type ParametersLike, type ParameterState } from './optimizer.js';

/** Options of `SGD`. */
export interface SGDOptions {
  /** Learning rate. Default 1e-3. */
  lr: number;
  /** Default 0. */
  momentum: number;
  /** Damps the gradient's share in the momentum. Default 0. */
  dampening: number;
  /** L2 penalty, added to the gradient. Default 0. */
  weightDecay: number;
  /** Nesterov's look-ahead; needs momentum > 0 and dampening 0. */
  nesterov: boolean;
  /** Ascend instead. */
  maximize: boolean;
}

const scalars = ['lr', 'sign', 'weightDecay', 'momentum', 'undamped', 'ahead'] as const;
type Values = Readonly<Record<'p' | 'g' | (typeof scalars)[number], Expr>>;

// maximize is a gradient of the other sign; weight decay acts on either.
const gradient = ({ g, p, sign, weightDecay }: Values): Expr => add(mul(sign, g), mul(weightDecay, p));

const plain = program({
  name: 'SGD',
  tensors: ['p', 'g'],
  scalars,
  update: (v) => ({ p: sub(v.p, mul(v.lr, gradient(v))) }),
});

const withMomentum = program({
  name: 'SGD',
  tensors: ['p', 'g', 'buffer'],
  scalars,
  update: (v) => {
    const d = gradient(v);
    const buffer = add(mul(v.momentum, v.buffer), mul(v.undamped, d));
    // ahead is 0 for classical momentum; for Nesterov's, 1: d + momentum * buffer.
    return {
      buffer,
      p: sub(v.p, mul(v.lr, add(mul(v.ahead, add(d, mul(v.momentum, buffer))), mul(sub(1, v.ahead), buffer)))),
    };
  },
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
  constructor(params: ParametersLike<SGDOptions>, options: Partial<SGDOptions> = {}) {
    super('SGD', params, {
      lr: 1e-3,
      momentum: 0,
      dampening: 0,
      weightDecay: 0,
      nesterov: false,
      maximize: false,
      ...options,
    });
  }

  protected override checkOptions(o: SGDOptions): void {
    checkOption('SGD', 'lr', o.lr);
    checkOption('SGD', 'momentum', o.momentum);
    checkOption('SGD', 'weightDecay', o.weightDecay);
    checkOption('SGD', 'dampening', o.dampening, -Infinity);
    if (o.nesterov && (o.momentum <= 0 || o.dampening !== 0)) {
      throw new ArgumentError('SGD: nesterov needs momentum above 0 and dampening 0.');
    }
  }

  protected override initialState(p: Tensor, o: SGDOptions): ParameterState {
    return o.momentum === 0 ? {} : { buffer: stateTensor(p), step: 0 };
  }

  protected override update(o: SGDOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const values = {
      lr: o.lr,
      sign: o.maximize ? -1 : 1,
      weightDecay: o.weightDecay,
      momentum: o.momentum,
      // The first step is not damped, nor is the first with momentum.
      undamped: states[0]['step'] === 1 ? 1 - o.dampening : 1,
      ahead: o.nesterov ? 1 : 0,
    };
    if (o.momentum === 0) {
      plain.run({ p, g }, values);
      return;
    }
    const buffer = states.map((state, i) => (state['buffer'] ??= stateTensor(p[i])) as Tensor);
    withMomentum.run({ p, g, buffer }, values);
    // Only whether it is the first step matters, so parameters stay in one group.
    for (const state of states) state['step'] = 1;
  }
}
