// Schedules of the batch size, with the interface of the schedules of the learning rate. Growing the batch does for the
// noise of the gradient what decaying the learning rate does, with fewer and larger steps.
import { ArgumentError } from '../errors.js';
import { svgChart } from './lrScheduler/chart.js';
import { Plateau, type PlateauOptions } from './lrScheduler/plateau.js';
import { requireInteger, requireNumber, type PlotOptions, type SchedulerState } from './lrScheduler/scheduler.js';

/** What a schedule drives: a DataLoader, or anything else with a batch size. */
export interface BatchSized {
  /** Elements of a batch, from the next epoch on. */
  batchSize: number;
}

/** Options of all schedules of the batch size. */
export interface BatchSizeOptions {
  /** The largest batch. Default: no limit. */
  maxBatchSize?: number;
}

/** Base class of schedules of the batch size: call `step()` after each epoch. */
export abstract class BatchSizeScheduler {
  /** The number of steps that were taken. */
  lastEpoch = 0;
  /** The batch size at the start. */
  baseBatchSize: number;
  /** The largest batch; null: no limit. */
  maxBatchSize: number | null;

  constructor(
    /** What is driven. */
    readonly loader: BatchSized,
    options: BatchSizeOptions = {},
  ) {
    requireInteger(new.target.name, 'the batch size to start from', (loader as Partial<BatchSized> | null)?.batchSize);
    this.baseBatchSize = loader.batchSize;
    this.maxBatchSize = options.maxBatchSize ?? null;
    if (this.maxBatchSize !== null)
      requireInteger(new.target.name, 'maxBatchSize', this.maxBatchSize, loader.batchSize);
  }

  /** The batch size for step `lastEpoch`; it is rounded and limited afterwards. */
  protected abstract nextBatchSize(metric?: number): number;

  /** Takes a step: sets the batch size of the next epoch. */
  step(metric?: number): void {
    this.lastEpoch++;
    const size = this.nextBatchSize(metric);
    if (!Number.isFinite(size) || size < 1)
      throw new ArgumentError(`${this.constructor.name}: the batch size for step ${this.lastEpoch} is ${size}.`);
    this.loader.batchSize = Math.min(Math.round(size), this.maxBatchSize ?? Infinity);
  }

  /** The batch size last set. */
  getLastBatchSize(): number {
    return this.loader.batchSize;
  }

  /** The schedule's numbers and the batch size, for saving as JSON. */
  stateDict(): SchedulerState {
    return { lastEpoch: this.lastEpoch, baseBatchSize: this.baseBatchSize, batchSize: this.loader.batchSize };
  }

  /** Restores what `stateDict()` gave, the loader's batch size too. */
  loadStateDict(state: SchedulerState): void {
    const { lastEpoch, baseBatchSize, batchSize } = state;
    requireInteger(`${this.constructor.name}.loadStateDict`, 'lastEpoch', lastEpoch, 0);
    requireInteger(`${this.constructor.name}.loadStateDict`, 'baseBatchSize', baseBatchSize);
    requireInteger(`${this.constructor.name}.loadStateDict`, 'batchSize', batchSize);
    this.lastEpoch = lastEpoch;
    this.baseBatchSize = baseBatchSize;
    this.loader.batchSize = batchSize;
  }

  /** The batch sizes of the next steps, the present one first; nothing is changed. Of a plateau: what `metrics` lead to. */
  trace(steps: number | readonly number[]): number[] {
    const state = this.stateDict();
    const metrics = typeof steps === 'number' ? Array<undefined>(steps).fill(undefined) : steps;
    try {
      return [
        this.loader.batchSize,
        ...metrics.map((metric) => {
          this.step(metric);
          return this.loader.batchSize;
        }),
      ];
    } finally {
      this.loadStateDict(state);
    }
  }

  /** The batch sizes of the next steps as an SVG picture; `metrics` for a plateau. */
  plot(options: PlotOptions & { metrics?: readonly number[] } = {}): string {
    const { steps = 100, metrics, ...chart } = options;
    return svgChart([this.trace(metrics ?? steps)], {
      title: this.constructor.name,
      xLabel: 'step',
      yLabel: 'batch size',
      first: this.lastEpoch,
      ...chart,
    });
  }
}

/** `batchSize = baseBatchSize * factor(step)`. */
export class LambdaBatchSize extends BatchSizeScheduler {
  constructor(
    loader: BatchSized,
    private readonly factor: (epoch: number) => number,
    options: BatchSizeOptions = {},
  ) {
    super(loader, options);
    if (typeof factor !== 'function')
      throw new ArgumentError(`LambdaBatchSize: expected a function of the step, got a ${typeof factor}.`);
  }

  protected override nextBatchSize(): number {
    return this.baseBatchSize * this.factor(this.lastEpoch);
  }
}

/** Options of `StepBatchSize`. */
export interface StepBatchSizeOptions extends BatchSizeOptions {
  /** Default 2. */
  factor?: number;
}

/**
 * Multiplies the batch size by a factor every `stepSize` steps (Smith et al. 2018, Don't decay the learning rate,
 * increase the batch size).
 *
 * @example
 * const scheduler = new optim.batchSizeScheduler.StepBatchSize(loader, 10, { factor: 2, maxBatchSize: 1024 });
 */
export class StepBatchSize extends BatchSizeScheduler {
  /** The factor. */
  factor: number;

  constructor(
    loader: BatchSized,
    /** Steps between two changes. */
    public stepSize: number,
    options: StepBatchSizeOptions = {},
  ) {
    super(loader, options);
    requireInteger('StepBatchSize', 'stepSize', stepSize);
    this.factor = options.factor ?? 2;
    requireNumber('StepBatchSize', 'factor', this.factor, (f) => f > 0, 'a number > 0');
  }

  protected override nextBatchSize(): number {
    return this.baseBatchSize * this.factor ** Math.floor(this.lastEpoch / this.stepSize);
  }
}

/** Options of `BatchSizeOnPlateau`. */
export interface BatchSizeOnPlateauOptions extends StepBatchSizeOptions, PlateauOptions {}

/** Multiplies the batch size by a factor when a metric has stopped improving: `scheduler.step(validationLoss)`. */
export class BatchSizeOnPlateau extends BatchSizeScheduler {
  /** The factor. */
  factor: number;
  private readonly plateau: Plateau;

  constructor(loader: BatchSized, options: BatchSizeOnPlateauOptions = {}) {
    super(loader, options);
    this.factor = options.factor ?? 2;
    requireNumber('BatchSizeOnPlateau', 'factor', this.factor, (f) => f > 1, 'a number > 1');
    this.plateau = new Plateau('BatchSizeOnPlateau', options);
  }

  protected override nextBatchSize(metric?: number): number {
    return this.plateau.stalled(metric!) ? this.loader.batchSize * this.factor : this.loader.batchSize;
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), plateau: this.plateau.state() };
  }

  override loadStateDict(state: SchedulerState): void {
    super.loadStateDict(state);
    this.plateau.load(state['plateau'] as SchedulerState);
  }
}
