// Checkpoints: everything that a run needs to go on, on disk, at any moment whole.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArgumentError, FileError } from '../../errors.js';
import { toFileError } from '../../io/file.js';
import type { Callback, Run, SafePoint } from '../callback.js';
import { BEST, fileOfStep, listCheckpoints, removeLeftovers, writeState } from '../checkpointFile.js';
import { isBetter } from '../options.js';

/** Options of `Checkpoint`. */
export interface CheckpointOptions {
  /** Updates from one checkpoint to the next, within epochs too. Default: only after epochs. */
  readonly everySteps?: number;
  /** Epochs from one checkpoint to the next. Default 1. */
  readonly everyEpochs?: number;
  /** How many of the newest stay. Default 3, so that a damaged one has another before it. */
  readonly keep?: number;
  /** Keep the epoch with the best monitored number as `best.safetensors`. Default true. */
  readonly best?: boolean;
  /** The number that says which is best. Default: the run's. */
  readonly monitor?: string;
  /** Whether lower or higher is better. Default: the run's. */
  readonly mode?: 'min' | 'max';
  /** True: a checkpoint that cannot be written ends the run. Default false: a warning, and the one before stays. */
  readonly strict?: boolean;
}

/**
 * Writes checkpoints into a folder: `step-00001234.safetensors` after so many updates, and `best.safetensors`. Each holds
 * model, optimizer, schedules, gradient scaler, random numbers, the position in the data, the states of callbacks and the
 * history, so that `train.fit(model, { ..., resume: folder })` goes on to the same bits as without the interruption. A file
 * appears under its name only when it is whole and on the disk: the process may be killed at any moment.
 *
 * @example
 * await train.fit(model, {
 *   ...options,
 *   callbacks: [new train.Checkpoint('runs/mnist', { everySteps: 500 })],
 *   resume: true, // go on, if there is something to go on with
 * });
 */
export class Checkpoint implements Callback {
  private readonly everySteps: number;
  private readonly everyEpochs: number;
  private readonly keep: number;
  private lastStep = 0;
  private best: number | null = null;
  /** Of a run that this one does not go on with; they go when the first of this one is there. */
  private obsolete: string[] = [];

  /** @throws ArgumentError for options out of range */
  constructor(
    /** Where they are written; made if it is not there. */
    readonly folder: string,
    private readonly options: CheckpointOptions = {},
  ) {
    const { everySteps = Infinity, everyEpochs = 1, keep = 3 } = options;
    if (typeof folder !== 'string' || folder === '')
      throw new ArgumentError('Checkpoint: folder must be the path of a folder.');
    for (const [name, value] of Object.entries({ everySteps, everyEpochs, keep })) {
      if (!(Number.isSafeInteger(value) || value === Infinity) || value < 1)
        throw new ArgumentError(`Checkpoint: ${name} must be an integer >= 1, got ${String(value)}.`);
    }
    this.everySteps = everySteps;
    this.everyEpochs = everyEpochs;
    this.keep = keep;
  }

  /** Makes the folder. Throws ArgumentError if it has checkpoints of another run. */
  async onFitStart(run: Run): Promise<void> {
    try {
      await mkdir(this.folder, { recursive: true });
      await removeLeftovers(this.folder);
    } catch (error) {
      throw toFileError(error, 'make', this.folder);
    }
    const found = await listCheckpoints(this.folder);
    if (found.length > 0 && run.resumedFrom === undefined) {
      throw new ArgumentError(
        `Checkpoint: ${this.folder} has ${found.length} checkpoints of another run, up to step ${found[0].step}; pass resume: true to train.fit to go on with it, or another folder, or delete them.`,
      );
    }
    this.lastStep = run.step;
    this.obsolete = found.filter(({ step }) => step > run.step).map(({ file }) => file);
  }

  /** Writes what is due. */
  async onSafePoint(run: Run, { record, stopping }: SafePoint): Promise<void> {
    const bySteps = run.step - this.lastStep >= this.everySteps;
    const byEpochs = record !== undefined && (record.epoch + 1) % this.everyEpochs === 0;
    const { monitor = run.monitor, mode = run.mode } = this.options;
    const value = record?.logs[monitor];
    const best = this.options.best !== false && value !== undefined && isBetter(mode, value, this.best);
    if (best) this.best = value;
    const due = bySteps || byEpochs || stopping;
    if (due) this.lastStep = run.step;
    const file = join(this.folder, fileOfStep(run.step));
    const files = [...(due ? [file] : []), ...(best ? [join(this.folder, BEST)] : [])];
    if (files.length === 0) return;
    try {
      await writeState(files, run.state());
      await this.prune(file);
    } catch (error) {
      if (this.options.strict === true || !(error instanceof FileError)) throw error;
      process.emitWarning(
        `Checkpoint: none was written after step ${run.step}: ${error.message} The ones before stay.`,
      );
    }
  }

  private async prune(written: string): Promise<void> {
    const gone = this.obsolete.filter((file) => file !== written);
    this.obsolete = [];
    const kept = (await listCheckpoints(this.folder)).filter(({ file }) => !gone.includes(file));
    for (const file of [...gone, ...kept.slice(this.keep).map((old) => old.file)]) {
      // One that cannot be deleted harms nobody.
      await rm(file, { force: true }).catch(() => undefined);
    }
  }

  /** The best number so far. */
  stateDict(): Record<string, unknown> {
    return { best: this.best, lastStep: this.lastStep };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.best = state['best'] as number | null;
    this.lastStep = Number(state['lastStep']);
  }
}
