// What a report shows.
import type { EpochRecord } from '../train/callback.js';

/** A step that was looked at. */
export interface ReportStep {
  /** Updates of the parameters so far. */
  readonly step: number;
  /** The loss. */
  readonly loss?: number;
  /** The learning rate. */
  readonly lr?: number;
  /** The norm of all gradients. */
  readonly gradNorm?: number;
}

/** Norms of a parameter and its gradient over a run. */
export interface ReportLayer {
  /** The parameter's name. */
  readonly name: string;
  /** When they were measured. */
  readonly steps: readonly number[];
  /** Norms of the gradient. */
  readonly gradNorms: readonly number[];
  /** Norms of the parameter. */
  readonly weightNorms: readonly number[];
}

/** How often each class was taken for each. */
export interface ReportConfusion {
  /** Names of the classes. */
  readonly classes: readonly string[];
  /** `matrix[truth][prediction]`. */
  readonly matrix: readonly (readonly number[])[];
}

/** An example with what the model made of it. */
export interface ReportSample {
  /** The bytes of a PNG. */
  readonly png?: Uint8Array;
  /** In place of a picture. */
  readonly text?: string;
  /** What the model says. */
  readonly prediction: string;
  /** What it is. */
  readonly truth: string;
  /** How sure the model is, from 0 to 1. */
  readonly confidence?: number;
}

/** What a report shows; all but the title may be left out. */
export interface ReportData {
  /** The heading. */
  readonly title: string;
  /** A line below it. */
  readonly subtitle?: string;
  /** How the run stands. Default `'done'`. */
  readonly status?: 'running' | 'done' | 'stopped' | 'failed';
  /** Why it stopped, or the error. */
  readonly reason?: string;
  /** When the run began. */
  readonly started?: Date;
  /** Epochs that the run was to have. */
  readonly plannedEpochs?: number;
  /** What is known of each epoch. */
  readonly epochs?: readonly EpochRecord[];
  /** What is known of single steps. */
  readonly steps?: readonly ReportStep[];
  /** Norms of parameters. */
  readonly layers?: readonly ReportLayer[];
  /** Which classes are taken for which. */
  readonly confusion?: ReportConfusion;
  /** Examples. */
  readonly samples?: readonly ReportSample[];
  /** The model's layers as text. */
  readonly summary?: string;
  /** Learned values of the model. */
  readonly parameters?: number;
  /** Settings of the run. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What it ran on, and versions. */
  readonly machine?: Readonly<Record<string, string>>;
}
