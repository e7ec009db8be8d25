// Schedules that drive momentum against the learning rate: cyclical learning rates and 1cycle.
import { ArgumentError } from '../../errors.js';
import {
  LRScheduler,
  perGroup,
  requireInteger,
  requireNumber,
  type Schedulable,
  type ScheduledGroup,
  type SchedulerOptions,
} from './scheduler.js';

/** Options of momentum that goes against the learning rate. */
export interface MomentumOptions extends SchedulerOptions {
  /** Drive momentum too (beta1 where the optimizer has betas). Default true. */
  cycleMomentum?: boolean;
  /** Momentum where the learning rate is highest. */
  baseMomentum?: number | readonly number[];
  /** Momentum where the learning rate is lowest. */
  maxMomentum?: number | readonly number[];
}

function checkMomentum(op: string, groups: readonly ScheduledGroup[]): void {
  groups.forEach((group, i) => {
    if (group.momentum === undefined && group.betas === undefined) {
      throw new ArgumentError(
        `${op}: parameter group ${i} has neither momentum nor betas; pass { cycleMomentum: false }.`,
      );
    }
  });
}

function setMomentum(groups: readonly ScheduledGroup[], values: readonly number[]): void {
  groups.forEach((group, i) => {
    if (group.betas === undefined) group.momentum = values[i];
    else group.betas = [values[i], ...group.betas.slice(1)] as unknown as [number, number];
  });
}

/** Options of `CyclicLR`. */
export interface CyclicLROptions extends MomentumOptions {
  /** Steps of the rising half. Default 2000. */
  stepSizeUp?: number;
  /** Steps of the falling half. Default stepSizeUp. */
  stepSizeDown?: number;
  /**
   * How the height changes: `'triangular'` (default) not at all, `'triangular2'` halves each cycle, `'exp_range'` by
   * `gamma^step`.
   */
  mode?: 'triangular' | 'triangular2' | 'exp_range';
  /** Of `'exp_range'`. Default 1. */
  gamma?: number;
  /** The height as a function of cycle or step; then `mode` does not count. */
  scaleFn?: (x: number) => number;
  /** What scaleFn is given: `'cycle'` (default, from 1) or `'iterations'`. */
  scaleMode?: 'cycle' | 'iterations';
}

/**
 * The learning rate goes up and down between `baseLr` and `maxLr`, momentum the other way (from 0.9 to 0.8 by default).
 * Call `step()` after each batch.
 *
 * Smith 2017, Cyclical learning rates for training neural networks.
 *
 * @example
 * const scheduler = new optim.lrScheduler.CyclicLR(optimizer, 0.01, 0.1, { stepSizeUp: 500 });
 */
export class CyclicLR extends LRScheduler {
  /** The upper boundaries. */
  maxLrs: number[];
  /** Steps of a cycle. */
  totalSize: number;
  /** The rising part of a cycle. */
  stepRatio: number;
  private readonly cycleMomentum: boolean;
  private readonly baseMomentums: number[];
  private readonly maxMomentums: number[];
  private readonly scaleMode: 'cycle' | 'iterations';
  private readonly scaleFn: (x: number) => number;

  /**
   * @param baseLr the lower boundary, for all groups or for each
   * @param maxLr the upper boundary
   */
  constructor(
    optimizer: Schedulable,
    baseLr: number | readonly number[],
    maxLr: number | readonly number[],
    options: CyclicLROptions = {},
  ) {
    super(optimizer, options);
    const op = 'CyclicLR';
    const { stepSizeUp = 2000, mode = 'triangular', gamma = 1, scaleFn, cycleMomentum = true } = options;
    const { stepSizeDown = stepSizeUp, scaleMode = 'cycle', baseMomentum = 0.8, maxMomentum = 0.9 } = options;
    requireNumber(op, 'stepSizeUp', stepSizeUp, (n) => n > 0, 'a number > 0');
    requireNumber(op, 'stepSizeDown', stepSizeDown, (n) => n > 0, 'a number > 0');
    const scales = {
      triangular: { fn: () => 1, mode: 'cycle' as const },
      triangular2: { fn: (x: number) => 0.5 ** (x - 1), mode: 'cycle' as const },
      exp_range: { fn: (x: number) => gamma ** x, mode: 'iterations' as const },
    };
    const scale = scaleFn === undefined ? scales[mode] : { fn: scaleFn, mode: scaleMode };
    if (scale === undefined) {
      throw new ArgumentError(
        `${op}: mode must be 'triangular', 'triangular2' or 'exp_range', got ${JSON.stringify(mode)}.`,
      );
    }
    const count = this.groups.length;
    this.baseLrs = perGroup(op, 'baseLr', baseLr, count);
    this.maxLrs = perGroup(op, 'maxLr', maxLr, count);
    this.totalSize = stepSizeUp + stepSizeDown;
    this.stepRatio = stepSizeUp / this.totalSize;
    this.scaleFn = scale.fn;
    this.scaleMode = scale.mode;
    this.cycleMomentum = cycleMomentum;
    this.baseMomentums = perGroup(op, 'baseMomentum', baseMomentum, count);
    this.maxMomentums = perGroup(op, 'maxMomentum', maxMomentum, count);
    if (cycleMomentum) checkMomentum(op, this.groups);
    this.start();
  }

  protected override nextLr(): number[] {
    const t = this.lastEpoch / this.totalSize;
    const cycle = Math.floor(1 + t);
    const x = 1 + t - cycle;
    const height =
      (x <= this.stepRatio ? x / this.stepRatio : (x - 1) / (this.stepRatio - 1)) *
      this.scaleFn(this.scaleMode === 'cycle' ? cycle : this.lastEpoch);
    if (this.cycleMomentum) {
      setMomentum(
        this.groups,
        this.maxMomentums.map((max, i) => max - (max - this.baseMomentums[i]) * height),
      );
    }
    return this.baseLrs.map((base, i) => base + (this.maxLrs[i] - base) * height);
  }
}

/** Options of `OneCycleLR`: `totalSteps`, or `epochs` and `stepsPerEpoch`. */
export interface OneCycleLROptions extends MomentumOptions {
  /** Steps of the whole cycle. */
  totalSteps?: number;
  /** Together with stepsPerEpoch, in place of totalSteps. */
  epochs?: number;
  /** Together with epochs. */
  stepsPerEpoch?: number;
  /** The rising part of the cycle, from 0 to 1. Default 0.3. */
  pctStart?: number;
  /** `'cos'` (default) or `'linear'`. */
  annealStrategy?: 'cos' | 'linear';
  /** The start is maxLr / divFactor. Default 25. */
  divFactor?: number;
  /** The end is the start / finalDivFactor. Default 1e4. */
  finalDivFactor?: number;
  /** Down to the start as fast as up, then a third phase to the end. Default false: two phases. */
  threePhase?: boolean;
}

interface Phase {
  readonly end: number;
  readonly lr: readonly [number[], number[]];
  readonly momentum: readonly [number[], number[]];
}

/**
 * Up to `maxLr` and far down again in one cycle, momentum the other way (from 0.95 to 0.85 and back by default). Call
 * `step()` after each batch.
 *
 * Smith and Topin 2018, Super-convergence.
 *
 * @example
 * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { epochs: 10, stepsPerEpoch: loader.length });
 */
export class OneCycleLR extends LRScheduler {
  /** Steps of the whole cycle. */
  totalSteps: number;
  private readonly cycleMomentum: boolean;
  private readonly linear: boolean;
  private readonly phases: readonly Phase[];

  /** @param maxLr the highest learning rate, for all groups or for each */
  constructor(optimizer: Schedulable, maxLr: number | readonly number[], options: OneCycleLROptions = {}) {
    super(optimizer, options);
    const op = 'OneCycleLR';
    const { pctStart = 0.3, annealStrategy = 'cos', cycleMomentum = true, threePhase = false } = options;
    const { divFactor = 25, finalDivFactor = 1e4, baseMomentum = 0.85, maxMomentum = 0.95 } = options;
    const { epochs, stepsPerEpoch } = options;
    if (options.totalSteps === undefined && (epochs === undefined || stepsPerEpoch === undefined))
      throw new ArgumentError(`${op}: pass totalSteps, or epochs and stepsPerEpoch.`);
    if (options.totalSteps === undefined) {
      requireInteger(op, 'epochs', epochs);
      requireInteger(op, 'stepsPerEpoch', stepsPerEpoch);
    }
    const total = options.totalSteps ?? epochs! * stepsPerEpoch!;
    requireInteger(op, 'totalSteps', total);
    requireNumber(op, 'pctStart', pctStart, (p) => p >= 0 && p <= 1, 'from 0 to 1');
    requireNumber(op, 'divFactor', divFactor, (f) => f > 0, 'a number > 0');
    requireNumber(op, 'finalDivFactor', finalDivFactor, (f) => f > 0, 'a number > 0');
    if (annealStrategy !== 'cos' && annealStrategy !== 'linear')
      throw new ArgumentError(
        `${op}: annealStrategy must be 'cos' or 'linear', got ${JSON.stringify(annealStrategy)}.`,
      );
    const count = this.groups.length;
    const high = perGroup(op, 'maxLr', maxLr, count);
    if (this.lastEpoch === -1) this.groups.forEach((group, i) => (group.initialLr = high[i] / divFactor));
    this.baseLrs = high.map((lr) => lr / divFactor);
    const low = this.baseLrs;
    const end = low.map((lr) => lr / finalDivFactor);
    const base = perGroup(op, 'baseMomentum', baseMomentum, count);
    const max = perGroup(op, 'maxMomentum', maxMomentum, count);
    this.totalSteps = total;
    this.linear = annealStrategy === 'linear';
    this.cycleMomentum = cycleMomentum;
    const up: Phase = { end: pctStart * total - 1, lr: [low, high], momentum: [max, base] };
    this.phases = threePhase
      ? [
          up,
          { end: 2 * pctStart * total - 2, lr: [high, low], momentum: [base, max] },
          { end: total - 1, lr: [low, end], momentum: [max, max] },
        ]
      : [up, { end: total - 1, lr: [high, end], momentum: [base, max] }];
    if (cycleMomentum) checkMomentum(op, this.groups);
    this.start();
  }

  protected override stepsLeft(): number {
    return this.totalSteps - this.lastEpoch;
  }

  /** @throws ArgumentError after as many calls as the cycle has steps */
  override step(): void {
    if (this.lastEpoch >= this.totalSteps)
      throw new ArgumentError(`OneCycleLR: step ${this.lastEpoch + 1} of a cycle of ${this.totalSteps} steps.`);
    super.step();
  }

  protected override nextLr(): number[] {
    const t = this.lastEpoch;
    const found = this.phases.findIndex((phase) => t <= phase.end);
    const index = found === -1 ? this.phases.length - 1 : found;
    const phase = this.phases[index];
    const begin = index === 0 ? 0 : this.phases[index - 1].end;
    const part = (t - begin) / (phase.end - begin);
    const anneal = ([from, to]: readonly [number[], number[]]): number[] =>
      from.map((value, i) =>
        this.linear ? (to[i] - value) * part + value : to[i] + ((value - to[i]) / 2) * (Math.cos(Math.PI * part) + 1),
      );
    if (this.cycleMomentum) setMomentum(this.groups, anneal(phase.momentum));
    return anneal(phase.lr);
  }
}
