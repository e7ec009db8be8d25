// A moving average of the weights beside the training.
import { noGrad } from '../../autograd/mode.js';
import { ArgumentError } from '../../errors.js';
import { keep, untracked } from '../../memory.js';
import { clone, copy_ } from '../../ops/copy.js';
import { EMA as Average, type AverageStateDict, type EMAOptions } from '../../optim/averaging.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Callback, Run } from '../callback.js';

/** Options of `EMA`. */
export interface EMACallbackOptions extends EMAOptions {
  /** Updates of the parameters from one update of the average to the next. Default 1. */
  readonly every?: number;
  /** Validate the averages in place of the weights. Default true. */
  readonly validate?: boolean;
  /** Leave the averages in the model when the run is over. Default true. */
  readonly replace?: boolean;
}

/**
 * An exponential moving average of the weights and float buffers (`optim.EMA`): updated after each step, validated in place
 * of the weights, and left in the model at the end. Checkpoints have both.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.EMA({ decay: 0.999, warmup: true })] });
 */
export class EMA implements Callback {
  private readonly every: number;
  private average: Average | null = null;
  private saved: Tensor[] | null = null;

  /** @throws ArgumentError for options out of range */
  constructor(private readonly options: EMACallbackOptions = {}) {
    const { every = 1 } = options;
    if (!Number.isSafeInteger(every) || every < 1)
      throw new ArgumentError(`EMA: every must be an integer >= 1, got ${String(every)}.`);
    this.every = every;
  }

  /** The average; null before the run starts. */
  get ema(): Average | null {
    return this.average;
  }

  /** Starts from the weights as they are. */
  onFitStart(run: Run): void {
    this.average = new Average(run.model, this.options);
  }

  /** Takes the weights in. */
  onStep(run: Run): void {
    if (run.step % this.every === 0) this.average!.update();
  }

  /** Puts the averages into the model. */
  onValidationStart(run: Run): void {
    // Before the first update the average is where the run began, not where it is.
    if (this.options.validate === false || this.average!.updates === 0) return;
    this.saved = untracked(() => noGrad(() => [...run.model.stateDict().values()].map((t) => keep(clone(t.detach())))));
    this.average!.copyToSource();
  }

  /** Puts the weights back. */
  onValidationEnd(run: Run): void {
    const { saved } = this;
    if (saved === null) return;
    noGrad(() => {
      [...run.model.stateDict().values()].forEach((t, i) => {
        copy_(t, saved[i]);
        saved[i].dispose();
      });
    });
    this.saved = null;
  }

  /** Leaves the averages in the model. */
  onFitEnd(): void {
    if (this.options.replace !== false && this.average!.updates > 0) this.average!.copyToSource();
  }

  /** The averages. */
  stateDict(): Record<string, unknown> {
    return { ...this.average!.stateDict() };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.average!.loadStateDict(state as unknown as AverageStateDict);
  }
}
