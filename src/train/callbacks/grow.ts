// Runs that grow: in epochs while they get better, in batch size when they do not.
import { ArgumentError } from '../../errors.js';
import {
  BatchSizeOnPlateau,
  StepBatchSize,
  type BatchSizeOnPlateauOptions,
  type BatchSizeScheduler,
} from '../../optim/batchSizeScheduler.js';
import type { Callback, EpochRecord, Run } from '../callback.js';
import { defaultMode } from '../options.js';
import { Monitor, type MonitorOptions } from './monitor.js';

/** Options of `GrowEpochs`. */
export interface GrowEpochsOptions extends MonitorOptions {
  /** What the number of epochs is multiplied by. Default 2. */
  readonly factor?: number;
  /** The largest number of epochs. Default 1000. */
  readonly maxEpochs?: number;
}

/**
 * Trains on while it pays: when all epochs are over and the best monitored number was reached since the last time, the number
 * of epochs is doubled; else the run ends.
 *
 * @example
 * await train.fit(model, { ...options, epochs: 5, callbacks: [new train.GrowEpochs({ maxEpochs: 80 }), new train.BestModel()] });
 */
export class GrowEpochs implements Callback {
  private readonly monitor: Monitor;
  private readonly factor: number;
  private readonly maxEpochs: number;
  private mark = 0;
  private run: Run | null = null;

  /** @throws ArgumentError for options out of range */
  constructor(options: GrowEpochsOptions = {}) {
    const { factor = 2, maxEpochs = 1000 } = options;
    this.monitor = new Monitor('GrowEpochs', options);
    if (typeof factor !== 'number' || !(factor > 1))
      throw new ArgumentError(`GrowEpochs: factor must be a number > 1, got ${String(factor)}.`);
    if (!Number.isSafeInteger(maxEpochs) || maxEpochs < 1)
      throw new ArgumentError(`GrowEpochs: maxEpochs must be an integer >= 1, got ${String(maxEpochs)}.`);
    this.factor = factor;
    this.maxEpochs = maxEpochs;
  }

  /** Remembers the run. */
  onFitStart(run: Run): void {
    this.run = run;
  }

  /** Adds epochs after the last one, if there was a better one among them. */
  onEpochEnd(run: Run, { epoch, logs }: EpochRecord): void {
    this.monitor.look(run, epoch, logs);
    const { bestEpoch } = this.monitor;
    if (epoch + 1 < run.epochs || run.epochs >= this.maxEpochs || bestEpoch === null || bestEpoch < this.mark) return;
    this.mark = run.epochs;
    run.epochs = Math.min(this.maxEpochs, Math.max(run.epochs + 1, Math.round(run.epochs * this.factor)));
  }

  /** How far it has grown. */
  stateDict(): Record<string, unknown> {
    return { monitor: this.monitor.stateDict(), mark: this.mark, epochs: this.run?.epochs ?? null };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.monitor.loadStateDict(state['monitor'] as Record<string, unknown>);
    this.mark = Number(state['mark']);
    if (this.run !== null && typeof state['epochs'] === 'number')
      this.run.epochs = Math.max(this.run.epochs, state['epochs']);
  }
}

/** Options of `GrowBatchSize`. */
export interface GrowBatchSizeOptions extends BatchSizeOnPlateauOptions {
  /** Grow after so many epochs. Default: when the monitored number has not improved for more than `patience` epochs. */
  readonly every?: number;
  /** The number that is watched for a plateau. Default: the run's. */
  readonly monitor?: string;
}

/**
 * Multiplies the batch size by `factor` (default 2), up to `maxBatchSize`, every so many epochs or on a plateau: what
 * decaying the learning rate does for the noise of the gradient, with fewer and larger steps (Smith et al. 2018).
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.GrowBatchSize({ every: 10, maxBatchSize: 1024 })] });
 */
export class GrowBatchSize implements Callback {
  private scheduler: BatchSizeScheduler | null = null;

  constructor(private readonly options: GrowBatchSizeOptions = {}) {}

  /** Makes the schedule. Throws ArgumentError for options out of range, or data without a batch size. */
  onFitStart(run: Run): void {
    const { every, monitor = run.monitor, ...options } = this.options;
    const mode = options.mode ?? (monitor === run.monitor ? run.mode : defaultMode(monitor));
    this.scheduler =
      every === undefined ? new BatchSizeOnPlateau(run, { ...options, mode }) : new StepBatchSize(run, every, options);
  }

  /** Takes a step. */
  onEpochEnd(run: Run, { logs }: EpochRecord): void {
    const monitor = this.options.monitor ?? run.monitor;
    if (this.options.every !== undefined) this.scheduler!.step();
    else if (monitor in logs) this.scheduler!.step(logs[monitor]);
  }

  /** Where the schedule is. */
  stateDict(): Record<string, unknown> {
    return this.scheduler!.stateDict();
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.scheduler!.loadStateDict(state);
  }
}
