// Adam and AdamW.
import { add, div, maximum, mul, pow, sqrt, square, sub, type Expr } from '../program/expr.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  checkAdamLike,
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

/** Options of `Adam` and `AdamW`. */
export interface AdamOptions extends CommonOptions {
  /** Decay rates of the first and second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
  /** Divide by the largest second moment so far (Reddi et al. 2018). Default false. */
  amsgrad: boolean;
}

const scalars = ['beta1', 'beta2', 'stepSize', 'rootScale2', 'eps', ...commonScalars] as const;

type Values = Readonly<Record<'p' | 'g' | 'm' | 'v' | (typeof scalars)[number], Expr>>;

function moments(x: Values): { m: Expr; v: Expr } {
  const d = descent(x);
  return {
    m: add(mul(x.beta1, x.m), mul(sub(1, x.beta1), d)),
    v: add(mul(x.beta2, x.v), mul(sub(1, x.beta2), square(d))),
  };
}

const stepped = (x: Values, m: Expr, v: Expr): Expr =>
  sub(decayed(x), div(mul(x.stepSize, m), add(mul(sqrt(v), x.rootScale2), x.eps)));

const adam = program({
  name: 'Adam',
  tensors: ['p', 'g', 'm', 'v'],
  scalars,
  usual: commonUsual,
  update: (x) => {
    const { m, v } = moments(x);
    return { m, v, p: stepped(x, m, v) };
  },
});

const amsgrad = program({
  name: 'Adam',
  tensors: ['p', 'g', 'm', 'v', 'vMax'],
  scalars,
  usual: commonUsual,
  update: (x) => {
    const { m, v } = moments(x);
    const vMax = maximum(x.vMax, v);
    return { m, v, vMax, p: stepped(x, m, vMax) };
  },
});

const numbers = new StepNumbers({
  name: 'Adam',
  kept: ['step'],
  options: ['lr', 'beta1', 'beta2'],
  update: ({ step, lr, beta1, beta2 }) => {
    const t = add(step, 1);
    return {
      step: t,
      stepSize: div(lr, sub(1, pow(beta1, t))),
      rootScale2: div(1, sqrt(sub(1, pow(beta2, t)))),
    };
  },
});

const defaults: AdamOptions = {
  lr: 1e-3,
  betas: [0.9, 0.999],
  eps: 1e-8,
  amsgrad: false,
  weightDecay: 0,
  decoupledWeightDecay: false,
  maximize: false,
};

/**
 * Adam, as torch.optim.Adam:
 *
 *     d = g + weightDecay * p
 *     m = beta1 * m + (1 - beta1) * d
 *     v = beta2 * v + (1 - beta2) * d^2
 *     p = p - lr * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
 *
 * With amsgrad the largest v so far takes the place of v. Kingma and Ba 2015; Reddi et al. 2018.
 *
 * @example
 * const optimizer = new optim.Adam(model.parameters(), { lr: 1e-3 });
 */
export class Adam extends Optimizer<AdamOptions> {
  constructor(params: ParametersLike<AdamOptions>, options: OptimizerOptions<AdamOptions> = {}) {
    super(new.target.name, params, defaults, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: AdamOptions): void {
    checkAdamLike(this.constructor.name, o);
  }

  protected override initialState(p: Tensor, o: AdamOptions): ParameterState {
    const state = { step: 0, m: stateTensor(p), v: stateTensor(p) };
    return o.amsgrad ? { ...state, vMax: stateTensor(p) } : state;
  }

  protected override update(o: AdamOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    const [beta1, beta2] = o.betas;
    const lists = { p, g, m: column(states, 'm'), v: column(states, 'v') };
    numbers.run(states, p[0].device, { lr: o.lr, beta1, beta2 }, ({ stepSize, rootScale2 }) => {
      const values = { beta1, beta2, stepSize, rootScale2, eps: o.eps, ...commonValues(o) };
      if (o.amsgrad) {
        const vMax = states.map((state, i) => (state['vMax'] ??= stateTensor(p[i])) as Tensor);
        amsgrad.run({ ...lists, vMax }, values);
      } else adam.run(lists, values);
    });
  }
}

/**
 * Adam with decoupled weight decay, 0.01 by default, as torch.optim.AdamW. Loshchilov and Hutter 2019.
 *
 *     p = p - lr * weightDecay * p, then as Adam without weight decay
 *
 * @example
 * const optimizer = new optim.AdamW(model.parameters(), { lr: 3e-4, weightDecay: 0.1 });
 */
export class AdamW extends Adam {
  constructor(params: ParametersLike<AdamOptions>, options: OptimizerOptions<AdamOptions> = {}) {
    super(params, { weightDecay: 0.01, decoupledWeightDecay: true, ...options });
  }
}
