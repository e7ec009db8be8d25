// What `train.fit` takes and gives.
import type { GradScaler } from '../amp/gradScaler.js';
import type { AutocastDType } from '../amp/state.js';
import type { Device } from '../device.js';
import type { AnyModule } from '../nn/module.js';
import type { DataSource } from './batches.js';
import type { CheckpointContent } from './checkpointFile.js';
import type { Callback, EpochRecord, StepNumbers } from './callback.js';
import type { Forward, Loss } from './compute.js';
import type { Metrics } from './running.js';
import type { Schedule } from './schedules.js';
import type { AnyOptimizer, Clip } from './update.js';

/** Options of `train.fit`. */
export interface FitOptions<M extends AnyModule, Batch> {
  /** What to train on: a DataLoader, or a dataset, of which shuffled batches of `batchSize` are made. */
  readonly data: DataSource<Batch>;
  /** Samples in a batch, where `data` or `validation` is a dataset. Default 32. */
  readonly batchSize?: number;
  /** What to validate on after an epoch, with the same loss and metrics. */
  readonly validation?: DataSource<Batch>;
  /** Epochs from one validation to the next; the last epoch always has one. Default 1. */
  readonly validateEvery?: number;
  /** The loss of `model.forward(x)` and y, a mean over the samples, for batches `[x, y]`. */
  readonly loss?: Loss;
  /** Computes the loss instead, for other batches and models. Synchronous; what it makes is freed when the step is over. */
  readonly forward?: Forward<M, Batch>;
  /** The optimizer of the model's parameters, or a function that makes it, once the model is on its device. */
  readonly optimizer: AnyOptimizer | ((model: M) => AnyOptimizer);
  /** Schedules of the learning rate and the batch size. */
  readonly schedule?: Schedule;
  /** How many times to go through the data. */
  readonly epochs: number;
  /** What to compute beside the loss, on training and validation data. */
  readonly metrics?: Metrics;
  /** False: metrics are computed on the validation data only. Default true. */
  readonly trainMetrics?: boolean;
  /** What watches the run and steps in. */
  readonly callbacks?: readonly Callback[];
  /** Where to train: the model is moved there, and each batch. Default: everything stays where it is. */
  readonly device?: Device;
  /** Compute forward in 16 bits where that is safe (`amp.autocast`). */
  readonly amp?: AutocastDType;
  /**
   * Scales losses for `amp: 'float16'`. Default: `new amp.GradScaler()`; with other types none. An update that the device
   * leaves out, since gradients have overflowed, counts as one of the run, and schedules go on: nothing waits to know.
   */
  readonly scaler?: GradScaler;
  /**
   * Batches whose gradients make one update: as one batch of all their samples, also when the last one is smaller.
   * Default 1.
   */
  readonly accumulate?: number;
  /** Limits gradients before each update. */
  readonly clip?: Clip;
  /** Seeds the default generator, and with it the order of a shuffling loader that has no seed of its own. */
  readonly seed?: number;
  /** Ends the run cleanly: after the present batch, with the reason `'aborted'`. */
  readonly signal?: AbortSignal;
  /** The number in the logs that says how good the model is. Default: `valLoss` with validation, else `loss`. */
  readonly monitor?: string;
  /** Whether that number is better when lower or higher. Default: `'min'` for losses and errors, else `'max'`. */
  readonly mode?: 'min' | 'max';
  /**
   * Goes on with a checkpoint, to the same bits as without the interruption: the newest of a folder, a file's, what
   * `train.readCheckpoint` gave; or `true`: the newest of the `train.Checkpoint` among the callbacks, if there is one. The
   * other options must be those of the interrupted run, but for `epochs`.
   */
  readonly resume?: string | boolean | CheckpointContent;
  /** True: no progress bar. Default false: one is shown, unless there is one among the callbacks. */
  readonly quiet?: boolean;
}

/** What came of a run. */
export interface FitResult {
  /** Records of all epochs. */
  readonly history: readonly EpochRecord[];
  /** Numbers that callbacks have noted, such as norms of gradients. */
  readonly notes: readonly StepNumbers[];
  /** Why it ended: `'finished'` after all epochs, `'aborted'` by the signal, or what a callback gave to `run.stop`. */
  readonly stopReason: string;
  /** The epoch with the best monitored number, from 0; null without a whole epoch. */
  readonly bestEpoch: number | null;
  /** The monitored number of that epoch; null without one. */
  readonly bestValue: number | null;
  /** The name of the monitored number. */
  readonly monitor: string;
  /** Epochs that are over. */
  readonly epochs: number;
  /** Updates of the parameters. */
  readonly steps: number;
}

/** Whether a number of this name is better when it is lower. */
export const defaultMode = (name: string): 'min' | 'max' =>
  /(loss|error|perplexity|mae|mse)$/i.test(name) ? 'min' : 'max';

/** Whether a value is better than the best so far, by more than `minDelta`. NaN never is. */
export function isBetter(mode: 'min' | 'max', value: number, best: number | null, minDelta = 0): boolean {
  if (Number.isNaN(value)) return false;
  if (best === null) return true;
  return mode === 'min' ? value < best - minDelta : value > best + minDelta;
}

/** The best epoch of a history. */
export function bestOf(
  history: readonly EpochRecord[],
  monitor: string,
  mode: 'min' | 'max',
): { bestEpoch: number | null; bestValue: number | null } {
  let bestEpoch: number | null = null;
  let bestValue: number | null = null;
  for (const { epoch, logs } of history) {
    if (monitor in logs && isBetter(mode, logs[monitor], bestValue)) {
      bestEpoch = epoch;
      bestValue = logs[monitor];
    }
  }
  return { bestEpoch, bestValue };
}
