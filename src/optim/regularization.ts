// Regularisation that every optimizer offers as options of its groups: L1, max-norm, gradient noise. (L2 and decoupled
// weight decay are part of each optimizer's update.) What is not asked for costs nothing.
import { ArgumentError } from '../errors.js';
import { l2Norms } from './norms.js';
import { abs, add, div, maximum, minimum, mul, pow, sign, sqrt, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import { emptyLike } from '../ops/creation.js';
import { defaultGenerator, normal_, type Generator } from '../ops/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption } from './common.js';
import type { ParameterState } from './optimizer.js';
import { StepNumbers } from './stepNumbers.js';

/** Options of every group, beside those of its optimizer. */
export interface RegularizationOptions {
  /** The L1 penalty `l1 * sum |p|`; together with weightDecay an elastic net (Zou and Hastie 2005). Default 0. */
  l1?: number;
  /**
   * How: `'loss'` (default) adds `l1 * sign(p)` to the gradient, `'decoupled'` takes `lr * l1 * sign(p)` from the
   * parameter after the step, `'proximal'` moves it towards 0 by `lr * l1` and stops there, which yields true zeros
   * (soft thresholding, as in ISTA; Beck and Teboulle 2009).
   */
  l1Mode?: 'loss' | 'decoupled' | 'proximal';
  /**
   * After each step, the weights of each unit (a parameter's slices along its first dimension; not biases) are scaled
   * down to this L2 norm (Srivastava et al. 2014). Default: no limit.
   */
  maxNorm?: number;
  /**
   * Adds normal noise of variance `gradientNoise / (1 + t)^gradientNoiseDecay` to the gradients (Neelakantan et al.
   * 2015). Default 0.
   */
  gradientNoise?: number;
  /** Default 0.55. */
  gradientNoiseDecay?: number;
}

/** Names of the options, for the check of unknown ones. */
export const regularizationOptions = ['l1', 'l1Mode', 'maxNorm', 'gradientNoise', 'gradientNoiseDecay'] as const;

/** Throws ArgumentError for options out of range. */
export function checkRegularization(op: string, o: RegularizationOptions): void {
  const { l1 = 0, l1Mode = 'loss', maxNorm, gradientNoise = 0, gradientNoiseDecay = 0.55 } = o;
  checkOption(op, 'l1', l1);
  checkOption(op, 'gradientNoise', gradientNoise);
  checkOption(op, 'gradientNoiseDecay', gradientNoiseDecay);
  if (l1Mode !== 'loss' && l1Mode !== 'decoupled' && l1Mode !== 'proximal')
    throw new ArgumentError(`${op}: l1Mode must be 'loss', 'decoupled' or 'proximal', got ${JSON.stringify(l1Mode)}.`);
  if (maxNorm !== undefined && !(typeof maxNorm === 'number' && maxNorm > 0))
    throw new ArgumentError(`${op}: maxNorm must be a number > 0, got ${String(maxNorm)}.`);
}

const penalized = program({
  name: 'l1',
  tensors: ['out', 'g', 'p'],
  scalars: ['l1'],
  update: ({ g, p, l1 }) => ({ out: add(g, mul(l1, sign(p))) }),
});

const shifted = program({
  name: 'decoupledL1',
  tensors: ['p'],
  scalars: ['step'],
  update: ({ p, step }) => ({ p: sub(p, mul(step, sign(p))) }),
});

const shrunk = program({
  name: 'proximalL1',
  tensors: ['p'],
  scalars: ['step'],
  update: ({ p, step }) => ({ p: mul(sign(p), maximum(sub(abs(p), step), 0)) }),
});

const noisy = program({
  name: 'gradientNoise',
  tensors: ['out', 'g'],
  scalars: ['std'],
  usual: { std: 1 },
  update: ({ out, g, std }) => ({ out: add(mul(std, out), g) }),
});

const noise = new StepNumbers({
  name: 'gradientNoise',
  kept: ['noiseStep'],
  options: ['variance', 'decay'],
  update: ({ noiseStep, variance, decay }) => {
    const next = add(1, noiseStep);
    return { noiseStep: next, std: sqrt(div(variance, pow(next, decay))) };
  },
});

const limited = program({
  name: 'maxNorm',
  tensors: ['p', 'norm'],
  scalars: ['limit'],
  update: ({ p, norm, limit }) => ({ p: mul(p, minimum(1, div(limit, maximum(norm, 1e-12)))) }),
});

/** The gradients that an update sees; `made` are to be disposed of after it. */
export function regularizedGradients(
  o: RegularizationOptions & { maximize?: boolean },
  params: readonly Tensor[],
  grads: readonly Tensor[],
  states: readonly ParameterState[],
  generator: Generator = defaultGenerator,
): { grads: Tensor[]; made: Tensor[] } {
  const { l1 = 0, l1Mode = 'loss', gradientNoise = 0, gradientNoiseDecay = 0.55 } = o;
  const made: Tensor[] = [];
  let current = [...grads];
  if (l1 > 0 && l1Mode === 'loss') {
    const out = grads.map((g) => emptyLike(g));
    // The penalty is descended along also where the objective is ascended.
    penalized.run({ out, g: current, p: params }, { l1: o.maximize === true ? -l1 : l1 });
    made.push(...out);
    current = out;
  }
  if (gradientNoise > 0) {
    const out: Tensor[] = [];
    noise.run(states, params[0].device, { variance: gradientNoise, decay: gradientNoiseDecay }, ({ std }) => {
      // What only the device knows is multiplied there.
      const [drawn, factor] = typeof std === 'number' ? [std, 1] : [1, std];
      out.push(...grads.map((g) => normal_(emptyLike(g), 0, drawn, generator)));
      noisy.run({ out, g: current }, { std: factor });
    });
    made.push(...out);
    current = out;
  }
  return { grads: current, made };
}

/** What follows an update: L1 beside the gradient, and the limit of norms. */
export function regularizeParameters(o: RegularizationOptions & { lr?: number }, params: readonly Tensor[]): void {
  const { l1 = 0, l1Mode = 'loss', maxNorm } = o;
  if (l1 > 0 && l1Mode !== 'loss')
    (l1Mode === 'proximal' ? shrunk : shifted).run({ p: params }, { step: (o.lr ?? 1) * l1 });
  const matrices = maxNorm === undefined ? [] : params.filter((p) => p.shape.length > 1);
  if (matrices.length > 0) {
    const norm = l2Norms(matrices, 'units');
    limited.run({ p: matrices, norm }, { limit: maxNorm! });
    for (const t of norm) t.dispose();
  }
}
