// Reacting to a metric that has stopped improving.
import { ArgumentError } from '../../errors.js';
import {
  LRScheduler,
  perGroup,
  requireInteger,
  requireNumber,
  type PlotOptions,
  type Schedulable,
  type SchedulerState,
} from './scheduler.js';
import { svgChart } from './chart.js';

/** Options of what counts as an improvement. */
export interface PlateauOptions {
  /** `'min'` (default): lower is better; `'max'`: higher. */
  mode?: 'min' | 'max';
  /** Steps without improvement that are put up with. Default 10. */
  patience?: number;
  /** What counts as an improvement. Default 1e-4. */
  threshold?: number;
  /** Whether the threshold is `'rel'` (default), a part of the best, or `'abs'`. */
  thresholdMode?: 'rel' | 'abs';
  /** Steps after a change in which nothing counts as bad. Default 0. */
  cooldown?: number;
}

/** Counts steps without improvement. Plain numbers, so that it can be saved. */
export class Plateau {
  /** The best so far; null before the first. */
  best: number | null = null;
  /** Steps since then that were no better. */
  badEpochs = 0;
  private cooldownLeft = 0;
  private readonly mode: 'min' | 'max';
  private readonly patience: number;
  private readonly threshold: number;
  private readonly relative: boolean;
  private readonly cooldown: number;

  constructor(
    private readonly op: string,
    options: PlateauOptions,
  ) {
    const { mode = 'min', patience = 10, threshold = 1e-4, thresholdMode = 'rel', cooldown = 0 } = options;
    if (mode !== 'min' && mode !== 'max')
      throw new ArgumentError(`${op}: mode must be 'min' or 'max', got ${JSON.stringify(mode)}.`);
    if (thresholdMode !== 'rel' && thresholdMode !== 'abs')
      throw new ArgumentError(`${op}: thresholdMode must be 'rel' or 'abs', got ${JSON.stringify(thresholdMode)}.`);
    requireInteger(op, 'patience', patience, 0);
    requireInteger(op, 'cooldown', cooldown, 0);
    requireNumber(op, 'threshold', threshold);
    this.mode = mode;
    this.patience = patience;
    this.threshold = threshold;
    this.relative = thresholdMode === 'rel';
    this.cooldown = cooldown;
  }

  /** True when the metric has not improved for more than `patience` steps. NaN is no improvement. */
  stalled(metric: number): boolean {
    if (typeof metric !== 'number')
      throw new ArgumentError(
        `${this.op}: step takes the metric as a number, got ${metric === null ? 'null' : `a ${typeof metric}`}; of a tensor, its item().`,
      );
    if (this.improves(metric)) {
      this.best = metric;
      this.badEpochs = 0;
    } else this.badEpochs++;
    if (this.cooldownLeft > 0) {
      this.cooldownLeft--;
      this.badEpochs = 0;
    }
    if (this.badEpochs <= this.patience) return false;
    this.cooldownLeft = this.cooldown;
    this.badEpochs = 0;
    return true;
  }

  private improves(metric: number): boolean {
    const { best, threshold } = this;
    if (best === null) return !Number.isNaN(metric);
    if (this.mode === 'min') return metric < (this.relative ? best * (1 - threshold) : best - threshold);
    return metric > (this.relative ? best * (1 + threshold) : best + threshold);
  }

  /** What changes from step to step. */
  state(): SchedulerState {
    return { best: this.best, badEpochs: this.badEpochs, cooldownLeft: this.cooldownLeft };
  }

  /** Restores what `state()` gave. */
  load(state: SchedulerState): void {
    Object.assign(this, state);
  }
}

/** Options of `ReduceLROnPlateau`. */
export interface ReduceLROnPlateauOptions extends PlateauOptions {
  /** The factor, below 1. Default 0.1. */
  factor?: number;
  /** A lower bound, for all groups or for each. Default 0. */
  minLr?: number | readonly number[];
  /** Smaller changes are not made. Default 1e-8. */
  eps?: number;
}

/**
 * Multiplies the learning rate by `factor` when a metric has not improved for more than `patience` steps:
 * `scheduler.step(validationLoss)`.
 *
 * @example
 * const scheduler = new optim.lrScheduler.ReduceLROnPlateau(optimizer, { mode: 'min', patience: 5 });
 * scheduler.step(0.93);
 */
export class ReduceLROnPlateau extends LRScheduler {
  /** The factor. */
  factor: number;
  /** Smaller changes are not made. */
  eps: number;
  private readonly plateau: Plateau;
  private readonly minLrs: number[];

  constructor(optimizer: Schedulable, options: ReduceLROnPlateauOptions = {}) {
    super(optimizer);
    this.factor = options.factor ?? 0.1;
    this.eps = options.eps ?? 1e-8;
    requireNumber('ReduceLROnPlateau', 'factor', this.factor, (f) => f < 1 && f > 0, 'above 0 and below 1');
    requireNumber('ReduceLROnPlateau', 'eps', this.eps);
    this.minLrs = perGroup('ReduceLROnPlateau', 'minLr', options.minLr ?? 0, this.groups.length);
    this.plateau = new Plateau('ReduceLROnPlateau', options);
    this.lastEpoch = 0;
    this.remember();
  }

  /** Looks at the metric of an epoch. */
  override step(metric?: number): void {
    this.lastEpoch++;
    if (this.plateau.stalled(metric!)) this.apply(this.nextLr());
    else this.remember();
  }

  protected override nextLr(): number[] {
    return this.groups.map(({ lr }, i) => {
      const reduced = Math.max(lr * this.factor, this.minLrs[i] ?? this.minLrs[0]);
      return lr - reduced > this.eps ? reduced : lr;
    });
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), plateau: this.plateau.state() };
  }

  override loadStateDict(state: SchedulerState): void {
    const { plateau, ...own } = state;
    super.loadStateDict(own);
    this.plateau.load(plateau as SchedulerState);
  }

  /** @throws ArgumentError always: what comes depends on the metric; `plotWith` takes metrics */
  override trace(): number[][] {
    throw new ArgumentError('ReduceLROnPlateau: what comes depends on the metric; use plotWith(metrics).');
  }

  /** The learning rates that a list of metrics would lead to, as SVG. */
  plotWith(metrics: readonly number[], options: Omit<PlotOptions, 'steps'> = {}): string {
    const rows = this.rehearse(() => [
      this.groups.map(({ lr }) => lr),
      ...metrics.map((metric) => {
        this.step(metric);
        return this.groups.map(({ lr }) => lr);
      }),
    ]);
    return svgChart(
      this.groups.map((_, group) => rows.map((row) => row[group])),
      { title: this.name, xLabel: 'step', yLabel: 'learning rate', first: this.lastEpoch, ...options },
    );
  }
}
