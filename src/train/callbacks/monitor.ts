// Watching a number of the epochs' logs: what early stopping, the best model and growing runs share.
import { ArgumentError } from '../../errors.js';
import type { Logs, Run } from '../callback.js';
import { defaultMode, isBetter } from '../options.js';

/** Which number is watched, and what counts as better. */
export interface MonitorOptions {
  /** A name in the epochs' logs. Default: the run's `monitor`. */
  readonly monitor?: string;
  /** Whether it is better when lower or higher. Default: the run's for its own; else `'min'` for losses and errors. */
  readonly mode?: 'min' | 'max';
  /** What it must be better by. Default 0. */
  readonly minDelta?: number;
}

/** The best of a number over epochs. */
export class Monitor {
  /** The best so far; null before the first. */
  best: number | null = null;
  /** The epoch that it was in. */
  bestEpoch: number | null = null;
  private seen: number | null = null;

  /** @throws ArgumentError for options out of range */
  constructor(
    private readonly op: string,
    private readonly options: MonitorOptions,
  ) {
    const { mode, minDelta = 0 } = options;
    if (mode !== undefined && mode !== 'min' && mode !== 'max')
      throw new ArgumentError(`${op}: mode must be 'min' or 'max', got ${JSON.stringify(mode)}.`);
    if (typeof minDelta !== 'number' || !(minDelta >= 0))
      throw new ArgumentError(`${op}: minDelta must be a number >= 0, got ${String(minDelta)}.`);
  }

  /**
   * Looks at the numbers of an epoch, once.
   *
   * @returns whether it is the best; undefined if there is nothing new to see
   * @throws ArgumentError for a number that the logs do not have
   */
  look(run: Run, epoch: number, logs: Logs): boolean | undefined {
    if (this.seen === epoch) return undefined;
    const name = this.options.monitor ?? run.monitor;
    if (!(name in logs)) {
      const names = Object.keys(logs);
      // Not every epoch has a validation.
      if (name.startsWith('val') && !names.some((other) => other.startsWith('val'))) return undefined;
      throw new ArgumentError(`${this.op}: there is no '${name}' in the logs, which have ${names.join(', ')}.`);
    }
    this.seen = epoch;
    const mode = this.options.mode ?? (name === run.monitor ? run.mode : defaultMode(name));
    const better = isBetter(mode, logs[name], this.best, this.options.minDelta);
    if (better) {
      this.best = logs[name];
      this.bestEpoch = epoch;
    }
    return better;
  }

  /** For a checkpoint. */
  stateDict(): Record<string, unknown> {
    return { best: this.best, bestEpoch: this.bestEpoch, seen: this.seen };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.best = state['best'] as number | null;
    this.bestEpoch = state['bestEpoch'] as number | null;
    this.seen = state['seen'] as number | null;
  }
}
