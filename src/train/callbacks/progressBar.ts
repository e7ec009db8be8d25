// How far a run is: a bar in a terminal, lines in a log.
import type { SingleBar } from 'cli-progress';
import { cliProgress } from '../../io/cliProgress.js';
import type { Callback, EpochRecord, Run, StepRecord } from '../callback.js';

/** Options of `ProgressBar`. */
export interface ProgressBarOptions {
  /** Where it is written. Default: `process.stderr`, so that what the program prints stays apart. */
  readonly stream?: NodeJS.WriteStream | NodeJS.WritableStream;
  /** Seconds between two readings of the loss, each of which waits for the device. Default 0.5 for a bar, 10 for lines. */
  readonly interval?: number;
}

/** A number as people read it. */
function short(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e5 ? value.toPrecision(4) : value.toExponential(2);
}

function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return '?';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${seconds.toFixed(0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/**
 * A line for each epoch; within one a bar, if the stream is a terminal, else a line now and then. `train.fit` shows one by
 * itself unless it is told to be `quiet`.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.ProgressBar({ stream: process.stdout })] });
 */
export class ProgressBar implements Callback {
  private readonly stream: NodeJS.WritableStream & { readonly isTTY?: boolean };
  private readonly interval: number;
  private bar: SingleBar | undefined;
  private start = 0;
  private firstBatch = 0;
  private read = 0;
  private loss = '-';

  constructor(options: ProgressBarOptions = {}) {
    this.stream = options.stream ?? process.stderr;
    this.interval = 1000 * (options.interval ?? (this.stream.isTTY === true ? 0.5 : 10));
  }

  private line(text: string): void {
    this.stream.write(`${text}\n`);
  }

  /** Starts a bar. */
  onEpochStart(run: Run): void {
    this.start = this.read = performance.now();
    this.firstBatch = -1;
    this.loss = '-';
    if (this.stream.isTTY !== true) return;
    const { SingleBar, Presets } = cliProgress();
    this.bar = new SingleBar(
      {
        stream: this.stream,
        format: 'epoch {epoch} [{bar}] {value}/{total} | loss {loss} | {rate} batches/s | {left}',
        barsize: 24,
        hideCursor: true,
        clearOnComplete: true,
        noTTYOutput: false,
      },
      Presets.shades_classic,
    );
    const total = Number.isFinite(run.batchesPerEpoch) ? run.batchesPerEpoch : 0;
    this.bar.start(total, 0, { epoch: `${run.epoch + 1}/${run.epochs}`, loss: '-', rate: '-', left: '?' });
  }

  /** Moves it; now and then reads the loss. */
  async onStep(run: Run, record: StepRecord): Promise<void> {
    if (this.firstBatch < 0) this.firstBatch = record.batch;
    const now = performance.now();
    if (now - this.read < this.interval) return;
    this.read = now;
    this.loss = short(await record.loss());
    const done = record.batch + 1;
    const rate = (done - this.firstBatch) / ((performance.now() - this.start) / 1000);
    const left = duration((run.batchesPerEpoch - done) / rate);
    if (this.bar !== undefined) {
      this.bar.update(done, {
        epoch: `${run.epoch + 1}/${run.epochs}`,
        loss: this.loss,
        rate: rate.toFixed(1),
        left: `${left} left`,
      });
    } else {
      const total = Number.isFinite(run.batchesPerEpoch) ? `/${run.batchesPerEpoch}` : '';
      this.line(
        `epoch ${run.epoch + 1}/${run.epochs}  batch ${done}${total}  loss ${this.loss}  ${rate.toFixed(1)} batches/s  ${left} left`,
      );
    }
  }

  /** A line with the numbers of the epoch. */
  onEpochEnd(run: Run, { epoch, lr, seconds, samples, logs }: EpochRecord): void {
    this.stopBar();
    const numbers = Object.entries(logs).map(([name, value]) => `${name} ${short(value)}`);
    const speed = Math.round(samples / seconds).toLocaleString('en-US');
    this.line(
      [`epoch ${epoch + 1}/${run.epochs}`, ...numbers, `lr ${short(lr)}`, duration(seconds), `${speed} samples/s`].join(
        '  ',
      ),
    );
  }

  /** Says why, if it ended early. */
  onFitEnd(run: Run): void {
    this.stopBar();
    if (run.stopReason !== undefined) this.line(`stopped after step ${run.step}: ${run.stopReason}`);
  }

  /** Leaves the terminal as it was. */
  onError(): void {
    this.stopBar();
  }

  private stopBar(): void {
    this.bar?.stop();
    this.bar = undefined;
  }
}
