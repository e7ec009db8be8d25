// Schedule-free AdamW.
import { add, div, eq, maximum, minimum, mul, pow, select, sqrt, square, sub } from '../program/expr.js';
import { clone } from '../ops/copy.js';
import { keep } from '../memory.js';
import { noGrad } from '../autograd/mode.js';
import { ArgumentError } from '../errors.js';
import { program } from '../program/program.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAdamLike, checkOption, column, stateTensor, type CommonOptions } from './common.js';
import { Optimizer, type OptimizerOptions, type ParametersLike, type ParameterState } from './optimizer.js';
import { StepNumbers } from './stepNumbers.js';

/** Options of `ScheduleFreeAdamW`. Default lr 0.0025. */
export interface ScheduleFreeAdamWOptions extends CommonOptions {
  /** Interpolation between the sequences, and decay rate of the second moment. Default [0.9, 0.999]. */
  betas: readonly [number, number];
  /** Added to the root in the denominator. Default 1e-8. */
  eps: number;
  /** Steps in which the learning rate grows linearly. Default 0. */
  warmupSteps: number;
  /** Power of the step in the weights of the average. Default 0. */
  r: number;
  /** Power of the learning rate in the weights of the average. Default 2. */
  weightLrPower: number;
}

const scheduleFree = program({
  name: 'ScheduleFreeAdamW',
  tensors: ['p', 'g', 'z', 'v'],
  scalars: ['sign', 'lr', 'beta1', 'beta2', 'correction2', 'eps', 'coupled', 'share'],
  update: (x) => {
    const g = mul(x.sign, x.g);
    const v = add(mul(x.beta2, x.v), mul(sub(1, x.beta2), square(g)));
    const d = add(div(g, add(sqrt(div(v, x.correction2)), x.eps)), mul(x.coupled, x.p));
    const towardsZ = add(x.p, mul(x.share, sub(x.z, x.p)));
    const ahead = mul(x.lr, sub(mul(x.beta1, sub(1, x.share)), 1));
    return { v, p: add(towardsZ, mul(ahead, d)), z: sub(x.z, mul(x.lr, d)) };
  },
});

const numbers = new StepNumbers({
  name: 'ScheduleFreeAdamW',
  kept: ['step', 'lrMax', 'weightSum'],
  options: ['lr', 'beta2', 'warmupSteps', 'r', 'weightLrPower'],
  update: (x) => {
    const t = add(x.step, 1);
    const lr = mul(x.lr, minimum(1, div(t, maximum(1, x.warmupSteps))));
    const lrMax = maximum(lr, x.lrMax);
    const weight = mul(pow(t, x.r), pow(lrMax, x.weightLrPower));
    const weightSum = add(x.weightSum, weight);
    return {
      step: t,
      lrMax,
      weightSum,
      rate: lr,
      correction2: sub(1, pow(x.beta2, t)),
      share: select(eq(weightSum, 0), 0, div(weight, weightSum)),
    };
  },
});

const moved = program({
  name: 'ScheduleFreeAdamW',
  tensors: ['p', 'z'],
  scalars: ['part'],
  update: ({ p, z, part }) => ({ p: add(p, mul(part, sub(z, p))) }),
});

/**
 * AdamW without a schedule of the learning rate: gradients are taken at an interpolation y of the fast weights z and their
 * average x, and x is what is evaluated.
 *
 *     v = beta2 * v + (1 - beta2) * g^2,   d = g / (sqrt(v / (1 - beta2^t)) + eps) + weightDecay * y
 *     z = z - lr * d
 *     x = (1 - c) * x + c * z,   c = w_t / (w_1 + ... + w_t),   w_t = t^r * lrMax^weightLrPower
 *     y = (1 - beta1) * z + beta1 * x
 *
 * The parameters hold y while training: call `eval()` before evaluating or saving them, `train()` before going on. Defazio
 * et al. 2024, The road less scheduled.
 *
 * @example
 * const optimizer = new optim.ScheduleFreeAdamW(model.parameters(), { lr: 0.0025, warmupSteps: 100 });
 * optimizer.eval(); // the averaged weights are in the model
 * optimizer.train();
 */
export class ScheduleFreeAdamW extends Optimizer<ScheduleFreeAdamWOptions> {
  private training = true;

  constructor(
    params: ParametersLike<ScheduleFreeAdamWOptions>,
    options: OptimizerOptions<ScheduleFreeAdamWOptions> = {},
  ) {
    const own = { lr: 0.0025, betas: [0.9, 0.999], eps: 1e-8, warmupSteps: 0, r: 0, weightLrPower: 2 } as const;
    const common = { weightDecay: 0, decoupledWeightDecay: true, maximize: false };
    super('ScheduleFreeAdamW', params, { ...own, ...common }, options);
  }

  protected override get canSkip(): boolean {
    return true;
  }

  protected override checkOptions(o: ScheduleFreeAdamWOptions): void {
    checkAdamLike('ScheduleFreeAdamW', o);
    if (o.betas[0] === 0) throw new ArgumentError('ScheduleFreeAdamW: betas[0] must be above 0.');
    for (const name of ['warmupSteps', 'r', 'weightLrPower'] as const) checkOption('ScheduleFreeAdamW', name, o[name]);
  }

  protected override initialState(p: Tensor): ParameterState {
    return { step: 0, lrMax: 0, weightSum: 0, z: keep(clone(p.detach())), v: stateTensor(p) };
  }

  protected override update(o: ScheduleFreeAdamWOptions, p: Tensor[], g: Tensor[], states: ParameterState[]): void {
    if (!this.training) throw new ArgumentError('ScheduleFreeAdamW: step() while evaluating; call train() first.');
    const [beta1, beta2] = o.betas;
    const { lr, warmupSteps, r, weightLrPower } = o;
    const options = { lr, beta2, warmupSteps, r, weightLrPower };
    numbers.run(states, p[0].device, options, ({ rate, correction2, share }) => {
      scheduleFree.run(
        { p, g, z: column(states, 'z'), v: column(states, 'v') },
        {
          sign: o.maximize ? -1 : 1,
          lr: rate,
          beta1,
          beta2,
          correction2,
          eps: o.eps,
          coupled: o.weightDecay,
          share,
        },
      );
    });
  }

  /** Puts the averaged weights into the parameters. */
  eval(): void {
    this.move(false, (beta1) => 1 - 1 / beta1);
  }

  /** Puts the weights at which gradients are taken into the parameters. */
  train(): void {
    this.move(true, (beta1) => 1 - beta1);
  }

  private move(training: boolean, part: (beta1: number) => number): void {
    if (training === this.training) return;
    this.training = training;
    noGrad(() => {
      for (const group of this.paramGroups) {
        const p = group.params.filter((x) => this.state.has(x));
        if (p.length === 0) continue;
        for (const dtype of new Set(p.map((x) => x.dtype))) {
          const same = p.filter((x) => x.dtype === dtype);
          moved.run({ p: same, z: same.map((x) => this.state.get(x)!['z'] as Tensor) }, { part: part(group.betas[0]) });
        }
      }
    });
  }
}
