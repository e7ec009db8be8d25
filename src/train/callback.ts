// What a training run shows those who watch it, and where they may step in.
import type { MetricValue } from '../metrics/metric.js';
import type { AnyModule } from '../nn/module.js';
import type { StateTree } from './stateTree.js';
import type { AnyOptimizer } from './update.js';

/** A number that was logged, or a series of them by name: `{ loss: 0.3, accuracy: 0.91 }`. */
export type Logs = Readonly<Record<string, number>>;

/** What is known of an epoch when it is over. Names of the validation's numbers begin with `val`, as in `valLoss`. */
export interface EpochRecord {
  /** From 0. */
  readonly epoch: number;
  /** Updates of the parameters since the run began. */
  readonly step: number;
  /** Learning rate of the first parameter group during the epoch's last update. */
  readonly lr: number;
  /** Samples in a batch. */
  readonly batchSize: number;
  /** Seconds of training, without the validation. */
  readonly seconds: number;
  /** Samples that were trained on. */
  readonly samples: number;
  /** Mean loss and metrics over the epoch: `loss`, `valLoss`, `accuracy`, `valAccuracy` ... */
  readonly logs: Logs;
  /** Metrics that are no single number, under the names that they would have in `logs`: confusion matrices, scores by class. */
  readonly values?: Readonly<Record<string, MetricValue>>;
}

/** What is known of an update of the parameters. */
export interface StepRecord {
  /** Updates since the run began; 1 after the first. */
  readonly step: number;
  /** The epoch, from 0. */
  readonly epoch: number;
  /** The batch's place in the epoch, from 0. */
  readonly batch: number;
  /** Samples in the update. */
  readonly samples: number;
  /** Learning rate of the first parameter group. */
  readonly lr: number;
  /** The loss. Reading it waits for the device, so a callback reads it only as often as it needs it. */
  loss(): Promise<number>;
  /** Norm of all gradients before clipping, if the run clips by norm; undefined otherwise. */
  gradNorm(): Promise<number | undefined>;
}

/** What is known of an update that is about to be made. */
export interface GradientRecord {
  /** Samples in the update. */
  readonly samples: number;
  /** The loss. Reading it waits for the device. */
  loss(): Promise<number>;
}

/** Numbers that a callback has found out about a step, such as norms of gradients. */
export interface StepNumbers {
  /** Updates since the run began. */
  readonly step: number;
  /** The epoch, from 0. */
  readonly epoch: number;
  /** The numbers by name; parts of a name are separated by `/`, as in `gradNorm/hidden.weight`. */
  readonly numbers: Logs;
}

/** Where a run stands when everything of a step, or of an epoch, is done. */
export interface SafePoint {
  /** The record of the epoch that is over now; undefined within an epoch. */
  readonly record: EpochRecord | undefined;
  /** Whether the run ends here. */
  readonly stopping: boolean;
}

/** A run of `train.fit`, as its callbacks see it. */
export interface Run {
  /** What is trained. */
  readonly model: AnyModule;
  /** What trains it. */
  readonly optimizer: AnyOptimizer;
  /** Epochs that the run will have; a callback may change it. */
  epochs: number;
  /** The epoch under way, from 0. */
  readonly epoch: number;
  /** Updates of the parameters so far. */
  readonly step: number;
  /** Batches in an epoch; Infinity if the loader does not say and no epoch is over. */
  readonly batchesPerEpoch: number;
  /** Records of the epochs that are over. */
  readonly history: readonly EpochRecord[];
  /** What callbacks have noted by `note`, in the order of the steps. */
  readonly notes: readonly StepNumbers[];
  /** The options of the run as plain JSON: optimizer, schedule, batch size, seed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The number in the epochs' logs that says how good a model is: `valLoss`, or what `monitor` names. */
  readonly monitor: string;
  /** Whether the monitored number is better when it is lower (`'min'`) or higher. */
  readonly mode: 'min' | 'max';
  /** Why the run stops, once somebody asked for it. */
  readonly stopReason: string | undefined;
  /** Ends the run after the present batch. */
  stop(reason: string): void;
  /** Keeps numbers about the present step in `notes`, for those who show the run. */
  note(numbers: Logs): void;
  /** Changes the number of samples in a batch, from the next epoch on. Throws ArgumentError if the loader has none. */
  batchSize: number;
  /** Where the run was resumed from; undefined if it began anew. */
  readonly resumedFrom: string | undefined;
  /**
   * All that the run needs to go on from here, as it is at this moment: model, optimizer, schedules, gradient scaler, random
   * numbers, the loader's position, callbacks, history. Tensors are those in use, not copies. Whole at `onSafePoint`.
   */
  state(): StateTree;
  /**
   * Puts weights, optimizer, schedules, gradient scaler and the other callbacks back to what `state()` (or a copy of it) has.
   * Gradients that are waiting are forgotten; the run goes on with the batch that would have come next.
   */
  rollback(state: StateTree): void;
  /** Multiplies all learning rates by a factor, those that schedules start from too. */
  scaleLr(factor: number): void;
  /** Remembers the batches from here on, in place of those remembered before, for `replay`. */
  record(): void;
  /**
   * Goes back to the state that the run had when `record` was called, and does with the remembered batches again what was
   * done with them, with the same random numbers; then goes back once more.
   *
   * @returns what was thrown on the way; undefined if nothing was
   */
  replay(state: StateTree): unknown;
}

/**
 * Something that watches a run. All methods are optional; they are awaited, in the order of the list of callbacks.
 *
 * @example
 * const log: train.Callback = { onEpochEnd: (run, { epoch, logs }) => console.log(epoch, logs.loss) };
 */
export interface Callback {
  /** Before the first epoch (after a resume: before the epoch that it goes on with). */
  onFitStart?(run: Run): void | Promise<void>;
  /** Before the first batch of an epoch. */
  onEpochStart?(run: Run): void | Promise<void>;
  /** After backward, before clipping and the optimizer's step: the gradients are there. */
  onGradients?(run: Run, record: GradientRecord): void | Promise<void>;
  /** After an update of the parameters. */
  onStep?(run: Run, record: StepRecord): void | Promise<void>;
  /** Before the validation of an epoch. */
  onValidationStart?(run: Run): void | Promise<void>;
  /** When its numbers are known: the weights in the model are still those that were validated. */
  onValidated?(run: Run, logs: Logs): void | Promise<void>;
  /** After it, also when it failed. */
  onValidationEnd?(run: Run): void | Promise<void>;
  /** When an epoch and its validation are over. */
  onEpochEnd?(run: Run, record: EpochRecord): void | Promise<void>;
  /** When all callbacks are done with a step or an epoch: the moment for a checkpoint. */
  onSafePoint?(run: Run, at: SafePoint): void | Promise<void>;
  /** When the run is over, also after a stop. */
  onFitEnd?(run: Run): void | Promise<void>;
  /** When the run fails; the error is thrown afterwards. */
  onError?(run: Run, error: unknown): void | Promise<void>;
  /** What a checkpoint must keep of this callback: plain JSON, and tensors. */
  stateDict?(): Record<string, unknown>;
  /** Takes what `stateDict` gave; of a resumed run after `onFitStart`. */
  loadStateDict?(state: Record<string, unknown>): void;
}
