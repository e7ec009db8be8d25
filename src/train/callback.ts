// What a training run shows those who watch it, and where they may step in.
import type { AnyModule } from '../nn/module.js';

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

/** A run of `train.fit`, as its callbacks see it. */
export interface Run {
  /** What is trained. */
  readonly model: AnyModule;
  /** Epochs that the run will have; a callback may change it. */
  epochs: number;
  /** The epoch under way, from 0. */
  readonly epoch: number;
  /** Updates of the parameters so far. */
  readonly step: number;
  /** Batches in an epoch. */
  readonly batchesPerEpoch: number;
  /** Records of the epochs that are over. */
  readonly history: readonly EpochRecord[];
  /** The options of the run as plain JSON: optimizer, schedule, batch size, seed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Why the run stops, once somebody asked for it. */
  readonly stopReason: string | undefined;
  /** Ends the run after the present batch. */
  stop(reason: string): void;
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
  onGradients?(run: Run): void | Promise<void>;
  /** After an update of the parameters. */
  onStep?(run: Run, record: StepRecord): void | Promise<void>;
  /** When an epoch and its validation are over. */
  onEpochEnd?(run: Run, record: EpochRecord): void | Promise<void>;
  /** When the run is over, also after a stop. */
  onFitEnd?(run: Run): void | Promise<void>;
  /** When the run fails; the error is thrown afterwards. */
  onError?(run: Run, error: unknown): void | Promise<void>;
  /** What a checkpoint must keep of this callback, as plain JSON. */
  stateDict?(): Record<string, unknown>;
  /** Takes what `stateDict` gave. */
  loadStateDict?(state: Record<string, unknown>): void;
}
