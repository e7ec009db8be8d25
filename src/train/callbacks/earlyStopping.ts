// Ends a run that does not get better.
import { ArgumentError } from '../../errors.js';
import type { Callback, EpochRecord, Logs, Run } from '../callback.js';
import { KeptWeights } from './bestModel.js';
import { Monitor, type MonitorOptions } from './monitor.js';

/** Options of `EarlyStopping`. */
export interface EarlyStoppingOptions extends MonitorOptions {
  /** Looks at the number in a row without improvement after which the run stops; 0 is as 1. Default 3. */
  readonly patience?: number;
  /** Put the weights of the best epoch back when the run is over, stopped or not. Default false. */
  readonly restoreBest?: boolean;
}

/**
 * Stops the run when the monitored number has not got better for `patience` epochs. NaN is never better.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.EarlyStopping({ patience: 5, restoreBest: true })] });
 */
export class EarlyStopping implements Callback {
  private readonly monitor: Monitor;
  private readonly patience: number;
  private readonly weights: KeptWeights | null;
  private bad = 0;

  /** @throws ArgumentError for options out of range */
  constructor(options: EarlyStoppingOptions = {}) {
    const { patience = 3, restoreBest = false } = options;
    this.monitor = new Monitor('EarlyStopping', options);
    if (!Number.isSafeInteger(patience) || patience < 0)
      throw new ArgumentError(`EarlyStopping: patience must be an integer >= 0, got ${String(patience)}.`);
    this.patience = patience;
    this.weights = restoreBest ? new KeptWeights() : null;
  }

  /** The best epoch, from 0; null before the first. */
  get bestEpoch(): number | null {
    return this.monitor.bestEpoch;
  }

  private look(run: Run, epoch: number, logs: Logs): void {
    const better = this.monitor.look(run, epoch, logs);
    if (better === undefined) return;
    if (better) {
      this.bad = 0;
      this.weights?.keep(run.model);
    } else if (++this.bad >= this.patience) {
      const best = this.monitor.bestEpoch === null ? '' : ` since epoch ${this.monitor.bestEpoch + 1}`;
      run.stop(`no improvement${best}`);
    }
  }

  /** Looks at the number of a validation. */
  onValidated(run: Run, logs: Logs): void {
    this.look(run, run.epoch, logs);
  }

  /** The same, of a run without validation. */
  onEpochEnd(run: Run, { epoch, logs }: EpochRecord): void {
    this.look(run, epoch, logs);
  }

  /** Puts the best weights back, if it was asked to. */
  onFitEnd(run: Run): void {
    this.weights?.restore(run.model);
    this.weights?.drop();
  }

  /** Frees what was kept. */
  onError(): void {
    this.weights?.drop();
  }

  /** Counts, and the weights if they are kept. */
  stateDict(): Record<string, unknown> {
    return { monitor: this.monitor.stateDict(), bad: this.bad, weights: this.weights?.stateDict() ?? null };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.monitor.loadStateDict(state['monitor'] as Record<string, unknown>);
    this.bad = Number(state['bad']);
    this.weights?.loadStateDict(state['weights']);
  }
}
