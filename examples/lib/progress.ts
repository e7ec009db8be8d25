// A live bar in a terminal, plain lines in a pipe or a log.
import cliProgress from 'cli-progress';
import type { Tensor } from 'thalweg';

/** How often numbers are read back from the device: each read waits for the work queued before it. */
const BAR_MS = 100;
const LINE_MS = 2000;

function seconds(s: number): string {
  if (!Number.isFinite(s)) return '?';
  return s < 90 ? `${s.toFixed(0)} s` : `${Math.floor(s / 60)} min ${Math.round(s % 60)} s`;
}

/** Shows loss, accuracy, speed and the time left of a training run, all from the last batches. */
export class Progress {
  readonly #total: number;
  readonly #epochs: number;
  readonly #bar: cliProgress.SingleBar | undefined;
  readonly #start = performance.now();
  #done = 0;
  #shown = 0;
  #loss = Number.NaN;
  #accuracy = Number.NaN;

  constructor(epochs: number, imagesPerEpoch: number) {
    this.#epochs = epochs;
    this.#total = epochs * imagesPerEpoch;
    if (process.stdout.isTTY) {
      this.#bar = new cliProgress.SingleBar(
        {
          format: 'epoch {epoch} [{bar}] loss {loss} | accuracy {accuracy} | {rate} images/s | ETA {left}',
          barsize: 20,
          hideCursor: true,
          gracefulExit: true,
        },
        cliProgress.Presets.shades_classic,
      );
      this.#bar.start(this.#total, 0, this.#payload());
    }
  }

  /** Counts a batch; now and then reads its loss and accuracy and shows them. */
  async step(loss: Tensor, logits: Tensor, labels: Tensor): Promise<void> {
    this.#done += logits.shape[0] ?? 0;
    const now = performance.now();
    if (now - this.#shown < (this.#bar ? BAR_MS : LINE_MS) && this.#done < this.#total) return;
    this.#shown = now;
    const correct = logits.detach().argmax(1).eq(labels).to('float32').mean();
    // A single batch jumps about: show a moving average.
    this.#loss = smooth(this.#loss, Number(await loss.item()));
    this.#accuracy = smooth(this.#accuracy, Number(await correct.item()));
    const { epoch, loss: l, accuracy, rate, left } = this.#payload();
    if (this.#bar) this.#bar.update(this.#done, this.#payload());
    else console.log(`epoch ${epoch} | loss ${l} | accuracy ${accuracy} | ${rate} images/s | ETA ${left}`);
  }

  /** Prints a line above the bar. */
  note(text: string): void {
    if (this.#bar) process.stdout.write(`\r\x1b[K${text}\n`);
    else console.log(text);
  }

  stop(): void {
    this.#bar?.stop();
  }

  #payload(): Record<'epoch' | 'loss' | 'accuracy' | 'rate' | 'left', string> {
    const rate = this.#done / ((performance.now() - this.#start) / 1000);
    const epoch = Math.min(this.#epochs, Math.floor((this.#done / this.#total) * this.#epochs) + 1);
    return {
      epoch: `${epoch}/${this.#epochs}`,
      loss: Number.isNaN(this.#loss) ? '-' : this.#loss.toFixed(4),
      accuracy: Number.isNaN(this.#accuracy) ? '-' : `${(100 * this.#accuracy).toFixed(1)}%`,
      rate: Math.round(rate).toLocaleString('en-US'),
      left: seconds((this.#total - this.#done) / rate),
    };
  }
}

function smooth(average: number, value: number): number {
  return Number.isNaN(average) ? value : 0.7 * average + 0.3 * value;
}
