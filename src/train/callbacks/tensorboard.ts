// A run in TensorBoard.
import { ArgumentError, ThalwegError } from '../../errors.js';
import { reasonOf } from '../../io/file.js';
import type { Tensor } from '../../tensor/tensor.js';
import { SummaryWriter } from '../../tensorboard/summaryWriter.js';
import type { HParam } from '../../tensorboard/messages.js';
import type { Callback, EpochRecord, Run, StepRecord } from '../callback.js';

/** Options of `TensorBoard`. */
export interface TensorBoardOptions {
  /** The folder of the run: `runs/first` is shown by `tensorboard --logdir runs`. Default: one in `runs` named after the time. */
  logDir?: string;
  /** Updates from one look at the loss, the learning rate and the gradients' norm to the next. Default 50; 0: only epochs. */
  updateFreq?: number;
  /** Epochs from one histogram of each parameter and its gradient to the next. Default 0: none. */
  histogramFreq?: number;
  /** An input of the model, or a list of what `forward` is given: its graph is written. Default: none. */
  graphInput?: Tensor | readonly unknown[];
  /** Pictures `[count, channels, height, width]` to show once, such as a batch of the data. Default: none. */
  images?: Tensor;
  /** Hyperparameters for the table of runs. Default: what of the run's configuration is a number, a string or a boolean. */
  hparams?: Readonly<Record<string, HParam>>;
}

/** `valAccuracy` as `accuracy/validation`, so that both curves stand in one group. */
function tagOf(name: string): string {
  return /^val[A-Z]/.test(name) ? `${name.charAt(3).toLowerCase()}${name.slice(4)}/validation` : `${name}/train`;
}

/**
 * Writes what a run does for TensorBoard: loss, metrics, learning rate, gradients' norm, histograms of the parameters, graph,
 * hyperparameters with the last metrics, and what `Statistics` notes. A log that cannot be written is a warning; the run goes on.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.TensorBoard({ logDir: 'runs/first', histogramFreq: 1 })] });
 */
export class TensorBoard implements Callback {
  private writer: SummaryWriter | null = null;
  private metrics: string[] | null = null;
  private readonly updateFreq: number;
  private readonly histogramFreq: number;
  private notes = 0;
  private histogramEpoch = -1;
  private warned = false;

  /** @throws ArgumentError unless the frequencies are integers of 0 or more */
  constructor(private readonly options: TensorBoardOptions = {}) {
    const { updateFreq = 50, histogramFreq = 0 } = options;
    for (const [name, value] of Object.entries({ updateFreq, histogramFreq })) {
      if (!Number.isInteger(value) || value < 0) {
        throw new ArgumentError(`TensorBoard: ${name} must be an integer of 0 or more, got ${String(value)}.`);
      }
    }
    this.updateFreq = updateFreq;
    this.histogramFreq = histogramFreq;
  }

  /** The folder that is written to, once the run has begun. */
  get logDir(): string | undefined {
    return this.writer?.logDir;
  }

  // What is only for looking at must not end a run.
  private async attempt(work: (writer: SummaryWriter) => unknown): Promise<void> {
    if (this.writer === null) return;
    try {
      await work(this.writer);
    } catch (error) {
      if (this.warned) return;
      this.warned = true;
      process.emitWarning(
        `TensorBoard: ${error instanceof ThalwegError ? error.message : `${reasonOf(error)}.`} The run goes on.`,
      );
    }
  }

  /**
   * Opens the files.
   *
   * @throws FileError if the folder cannot be written
   */
  async onFitStart(run: Run): Promise<void> {
    this.metrics = null;
    this.warned = false;
    this.histogramEpoch = -1;
    this.notes = run.notes.length;
    this.writer = new SummaryWriter(this.options.logDir);
    const { graphInput, images } = this.options;
    await this.attempt((writer) =>
      writer.addText('config', `\`\`\`json\n${JSON.stringify(run.config, null, 2)}\n\`\`\``),
    );
    if (graphInput !== undefined) {
      await this.attempt((writer) => writer.addGraph(run.model, graphInput));
    }
    if (images !== undefined) await this.attempt((writer) => writer.addImages('images', images, run.step));
  }

  /** Writes the loss, the learning rate and the gradients' norm. */
  async onStep(_run: Run, record: StepRecord): Promise<void> {
    if (this.updateFreq === 0 || record.step % this.updateFreq !== 0) return;
    const [loss, gradNorm] = await Promise.all([record.loss(), record.gradNorm()]);
    await this.attempt((writer) => {
      writer.addScalar('update/loss', loss, record.step);
      writer.addScalar('update/lr', record.lr, record.step);
      if (gradNorm !== undefined) writer.addScalar('update/gradNorm', gradNorm, record.step);
    });
  }

  /** Writes histograms of the gradients, in the first batch of an epoch. */
  async onGradients(run: Run): Promise<void> {
    if (this.histogramFreq === 0 || run.epoch % this.histogramFreq !== 0 || this.histogramEpoch === run.epoch) return;
    this.histogramEpoch = run.epoch;
    await this.attempt(async (writer) => {
      for (const [name, parameter] of run.model.namedParameters()) {
        await writer.addHistogram(`weights/${name}`, parameter, run.step);
        if (parameter.grad !== null) await writer.addHistogram(`gradients/${name}`, parameter.grad, run.step);
      }
    });
  }
  private hparams(run: Run): Readonly<Record<string, HParam>> {
    if (this.options.hparams !== undefined) return this.options.hparams;
    const entries = Object.entries(run.config).filter(([, value]) =>
      ['number', 'string', 'boolean'].includes(typeof value),
    );
    return Object.fromEntries(entries) as Record<string, HParam>;
  }

  /** Writes the epoch's losses and metrics. */
  async onEpochEnd(run: Run, { epoch, logs, samples, seconds, lr }: EpochRecord): Promise<void> {
    await this.attempt((writer) => {
      if (this.metrics === null) {
        this.metrics = Object.keys(logs).map(tagOf);
        writer.startHparams(this.hparams(run), this.metrics);
      }
      for (const [name, value] of Object.entries(logs)) writer.addScalar(tagOf(name), value, epoch + 1);
      writer.addScalar('epoch/lr', lr, epoch + 1);
      if (seconds > 0) writer.addScalar('epoch/samplesPerSecond', samples / seconds, epoch + 1);
      for (const note of run.notes.slice(this.notes)) {
        for (const [name, value] of Object.entries(note.numbers)) writer.addScalar(name, value, note.step);
      }
      this.notes = run.notes.length;
      return writer.flush();
    });
  }

  private async end(status: 'success' | 'failure'): Promise<void> {
    await this.attempt(async (writer) => {
      if (this.metrics !== null) writer.endHparams(status);
      await writer.close();
    });
  }

  /** Closes the files. */
  async onFitEnd(): Promise<void> {
    await this.end('success');
  }

  /** Closes the files. */
  async onError(): Promise<void> {
    await this.end('failure');
  }
}
