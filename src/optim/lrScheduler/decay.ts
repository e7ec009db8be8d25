// Schedules that multiply the learning rate by a factor, at steps or at every step.
import { ArgumentError } from '../../errors.js';
import { LRScheduler, requireInteger, requireNumber, type Schedulable, type SchedulerOptions } from './scheduler.js';

/** A factor that depends on the step. */
export type LrLambda = (epoch: number) => number;

function lambdas(op: string, given: LrLambda | readonly LrLambda[], groups: number): LrLambda[] {
  const list = Array.isArray(given)
    ? [...(given as readonly LrLambda[])]
    : Array<LrLambda>(groups).fill(given as LrLambda);
  if (list.length !== groups)
    throw new ArgumentError(`${op}: ${list.length} functions for ${groups} parameter groups.`);
  list.forEach((fn, i) => {
    if (typeof fn !== 'function')
      throw new ArgumentError(`${op}: lrLambda[${i}] is a ${typeof fn}, expected a function of the step.`);
  });
  return list;
}

/**
 * `lr = initialLr * lrLambda(step)`.
 *
 * @example
 * const scheduler = new optim.lrScheduler.LambdaLR(optimizer, (epoch) => 0.95 ** epoch);
 */
export class LambdaLR extends LRScheduler {
  private readonly lambdas: LrLambda[];

  /** @param lrLambda one function, or one for each group */
  constructor(optimizer: Schedulable, lrLambda: LrLambda | readonly LrLambda[], options: SchedulerOptions = {}) {
    super(optimizer, options);
    this.lambdas = lambdas('LambdaLR', lrLambda, this.groups.length);
    this.start();
  }

  protected override nextLr(): number[] {
    return this.baseLrs.map((lr, i) => lr * this.lambdas[i](this.lastEpoch));
  }
}

/** `lr = lr * lrLambda(step)` from the second step on. */
export class MultiplicativeLR extends LRScheduler {
  private readonly lambdas: LrLambda[];

  /** @param lrLambda one function, or one for each group */
  constructor(optimizer: Schedulable, lrLambda: LrLambda | readonly LrLambda[], options: SchedulerOptions = {}) {
    super(optimizer, options);
    this.lambdas = lambdas('MultiplicativeLR', lrLambda, this.groups.length);
    this.start();
  }

  protected override nextLr(): number[] {
    if (this.initial) return this.groups.map(({ lr }) => lr);
    return this.groups.map(({ lr }, i) => lr * this.lambdas[i](this.lastEpoch));
  }
}

/** Options of `StepLR` and `MultiStepLR`. */
export interface StepLROptions extends SchedulerOptions {
  /** The factor. Default 0.1. */
  gamma?: number;
}

/**
 * Multiplies the learning rate by gamma every `stepSize` steps.
 *
 * @example
 * const scheduler = new optim.lrScheduler.StepLR(optimizer, 30, { gamma: 0.1 });
 * for (let epoch = 0; epoch < 90; epoch++) {
 *   // train an epoch
 *   scheduler.step();
 * }
 */
export class StepLR extends LRScheduler {
  /** The factor. */
  gamma: number;

  constructor(
    optimizer: Schedulable,
    /** Steps between two changes. */
    public stepSize: number,
    options: StepLROptions = {},
  ) {
    super(optimizer, options);
    requireInteger('StepLR', 'stepSize', stepSize);
    this.gamma = options.gamma ?? 0.1;
    requireNumber('StepLR', 'gamma', this.gamma);
    this.start();
  }

  protected override nextLr(): number[] {
    const change = this.lastEpoch > 0 && this.lastEpoch % this.stepSize === 0;
    return this.groups.map(({ lr }) => (change ? lr * this.gamma : lr));
  }
}

/** Multiplies the learning rate by gamma at given steps; by gamma squared at a step that is given twice. */
export class MultiStepLR extends LRScheduler {
  /** The steps, ascending. */
  milestones: number[];
  /** The factor. */
  gamma: number;

  constructor(optimizer: Schedulable, milestones: readonly number[], options: StepLROptions = {}) {
    super(optimizer, options);
    if (!Array.isArray(milestones)) throw new ArgumentError('MultiStepLR: milestones must be a list of steps.');
    milestones.forEach((m: number, i) => requireInteger('MultiStepLR', `milestones[${i}]`, m, 0));
    this.milestones = [...(milestones as readonly number[])].sort((a, b) => a - b);
    this.gamma = options.gamma ?? 0.1;
    requireNumber('MultiStepLR', 'gamma', this.gamma);
    this.start();
  }

  protected override nextLr(): number[] {
    const times = this.milestones.filter((m) => m === this.lastEpoch).length;
    return this.groups.map(({ lr }) => (times === 0 ? lr : lr * this.gamma ** times));
  }
}

/** Multiplies the learning rate by gamma at every step. */
export class ExponentialLR extends LRScheduler {
  constructor(
    optimizer: Schedulable,
    /** The factor. */
    public gamma: number,
    options: SchedulerOptions = {},
  ) {
    super(optimizer, options);
    requireNumber('ExponentialLR', 'gamma', gamma);
    this.start();
  }

  protected override nextLr(): number[] {
    return this.groups.map(({ lr }) => (this.initial ? lr : lr * this.gamma));
  }
}

/** Options of `ConstantLR`. */
export interface ConstantLROptions extends SchedulerOptions {
  /** The factor, above 0 and at most 1. Default 1/3. */
  factor?: number;
  /** Steps with the factor. Default 5. */
  totalIters?: number;
}

/** Multiplies the learning rate by a factor for the first steps. */
export class ConstantLR extends LRScheduler {
  /** The factor. */
  factor: number;
  /** Steps with the factor. */
  totalIters: number;

  constructor(optimizer: Schedulable, options: ConstantLROptions = {}) {
    super(optimizer, options);
    this.factor = options.factor ?? 1 / 3;
    this.totalIters = options.totalIters ?? 5;
    requireNumber('ConstantLR', 'factor', this.factor, (f) => f > 0 && f <= 1, 'above 0 and at most 1');
    requireInteger('ConstantLR', 'totalIters', this.totalIters, 0);
    this.start();
  }

  protected override nextLr(): number[] {
    return this.groups.map(({ lr }) => {
      if (this.lastEpoch === 0) return lr * this.factor;
      return this.lastEpoch === this.totalIters ? lr / this.factor : lr;
    });
  }
}

/** Options of `LinearLR`. */
export interface LinearLROptions extends SchedulerOptions {
  /** The factor at the start, above 0 and at most 1. Default 1/3. */
  startFactor?: number;
  /** The factor at the end, from 0 to 1. Default 1. */
  endFactor?: number;
  /** Steps from one to the other. Default 5. */
  totalIters?: number;
}

/**
 * Multiplies the learning rate by a factor that goes linearly from one value to another: a warm-up.
 *
 * @example
 * const warmup = new optim.lrScheduler.LinearLR(optimizer, { startFactor: 0.01, totalIters: 500 });
 */
export class LinearLR extends LRScheduler {
  /** The factor at the start. */
  startFactor: number;
  /** The factor at the end. */
  endFactor: number;
  /** Steps from one to the other. */
  totalIters: number;

  constructor(optimizer: Schedulable, options: LinearLROptions = {}) {
    super(optimizer, options);
    this.startFactor = options.startFactor ?? 1 / 3;
    this.endFactor = options.endFactor ?? 1;
    this.totalIters = options.totalIters ?? 5;
    requireNumber('LinearLR', 'startFactor', this.startFactor, (f) => f > 0 && f <= 1, 'above 0 and at most 1');
    requireNumber('LinearLR', 'endFactor', this.endFactor, (f) => f >= 0 && f <= 1, 'from 0 to 1');
    requireInteger('LinearLR', 'totalIters', this.totalIters, 1);
    this.start();
  }

  protected override nextLr(): number[] {
    const { lastEpoch: t, startFactor, totalIters } = this;
    const range = this.endFactor - startFactor;
    return this.groups.map(({ lr }) => {
      if (t === 0) return lr * startFactor;
      if (t > totalIters) return lr;
      return lr * (1 + range / (totalIters * startFactor + (t - 1) * range));
    });
  }
}

/** Options of `PolynomialLR`. */
export interface PolynomialLROptions extends SchedulerOptions {
  /** Steps until 0 is reached. Default 5. */
  totalIters?: number;
  /** The power. Default 1. */
  power?: number;
}

/** `lr = initialLr * (1 - step / totalIters)^power`, then 0. */
export class PolynomialLR extends LRScheduler {
  /** Steps until 0 is reached. */
  totalIters: number;
  /** The power. */
  power: number;

  constructor(optimizer: Schedulable, options: PolynomialLROptions = {}) {
    super(optimizer, options);
    this.totalIters = options.totalIters ?? 5;
    this.power = options.power ?? 1;
    requireInteger('PolynomialLR', 'totalIters', this.totalIters);
    requireNumber('PolynomialLR', 'power', this.power);
    this.start();
  }

  protected override nextLr(): number[] {
    const { lastEpoch: t, totalIters, power } = this;
    return this.groups.map(({ lr }) => {
      if (this.initial || t > totalIters) return lr;
      return lr * ((1 - t / totalIters) / (1 - (t - 1) / totalIters)) ** power;
    });
  }
}

/** Options of `InverseSqrtLR`. */
export interface InverseSqrtLROptions extends SchedulerOptions {
  /** The learning rate from which the warm-up starts. Default 0. */
  warmupInitLr?: number;
}

/**
 * A linear warm-up over `warmupSteps` steps to the optimizer's learning rate, then a decay with the inverse square root of
 * the step (Vaswani et al. 2017, section 5.3, with the peak as the learning rate):
 *
 *     lr = warmupInitLr + (initialLr - warmupInitLr) * step / warmupSteps     while step < warmupSteps
 *     lr = initialLr * sqrt(warmupSteps / step)                               after that
 */
export class InverseSqrtLR extends LRScheduler {
  /** Where the warm-up starts. */
  warmupInitLr: number;

  constructor(
    optimizer: Schedulable,
    /** Steps of the warm-up. */
    public warmupSteps: number,
    options: InverseSqrtLROptions = {},
  ) {
    super(optimizer, options);
    requireInteger('InverseSqrtLR', 'warmupSteps', warmupSteps);
    this.warmupInitLr = options.warmupInitLr ?? 0;
    requireNumber('InverseSqrtLR', 'warmupInitLr', this.warmupInitLr, (v) => v >= 0, 'a number >= 0');
    this.start();
  }

  protected override nextLr(): number[] {
    const { lastEpoch: t, warmupSteps, warmupInitLr } = this;
    return this.baseLrs.map((peak) =>
      t < warmupSteps ? warmupInitLr + ((peak - warmupInitLr) * t) / warmupSteps : peak * Math.sqrt(warmupSteps / t),
    );
  }
}
