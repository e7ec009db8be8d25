// NaN and infinity in a training: found, named, undone.
import { noGrad } from '../../autograd/mode.js';
import { debugLevel, setDebugLevel } from '../../debug.js';
import { ArgumentError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { getTotalNorm } from '../../nn/utils/clipGrad.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Callback, GradientRecord, Run } from '../callback.js';
import { copyTree, disposeTree, type StateTree } from '../stateTree.js';

/** Options of `NanGuard`. */
export interface NanGuardOptions {
  /**
   * Updates from one look at loss and gradients to the next; each look waits for the device. As many batches are remembered,
   * to find what went wrong. Default 50.
   */
  readonly every?: number;
  /** Go back to the last good weights and go on. Default true; false stops the run there. */
  readonly rollback?: boolean;
  /** What the learning rate is multiplied by at each rollback. Default 0.5. */
  readonly lrFactor?: number;
  /** Rollbacks after which the next one stops the run. Default 3. */
  readonly maxRollbacks?: number;
}

/** What `NanGuard` has found. */
export interface NanEvent {
  /** Updates before it was found. */
  readonly step: number;
  /** The epoch, from 0. */
  readonly epoch: number;
  /** What was not finite: the loss, or the gradients. */
  readonly what: 'loss' | 'gradients';
  /** The op that made the first NaN or infinity of finite numbers, with shapes, as debug level 3 names it. */
  readonly cause: string;
}

/**
 * Looks now and then whether loss and gradients are finite. If they are not, the batches since the last good state are
 * computed once more at debug level 3 (`setDebugLevel`), which names the op that made the first NaN or infinity; a warning
 * says so. Then the run goes back to the last good state, with a lower learning rate, and goes on with the next batch; after
 * `maxRollbacks` it stops, with the last good weights.
 *
 * With `amp: 'float16'` gradients are not looked at: the gradient scaler leaves out steps that overflow. An op that makes
 * infinities on purpose, such as a mask of `-Infinity`, is named if it comes first.
 *
 * @example
 * const guard = new train.NanGuard({ every: 20 });
 * await train.fit(model, { ...options, callbacks: [guard] });
 * for (const { step, cause } of guard.events) console.log(step, cause);
 */
export class NanGuard implements Callback {
  /** What was found so far. */
  readonly events: NanEvent[] = [];
  private readonly every: number;
  private readonly lrFactor: number;
  private readonly maxRollbacks: number;
  private snapshot: StateTree | null = null;
  private rollbacks = 0;
  private sinceSnapshot = 0;

  /** @throws ArgumentError for options out of range */
  constructor(private readonly options: NanGuardOptions = {}) {
    const { every = 50, lrFactor = 0.5, maxRollbacks = 3 } = options;
    if (!Number.isSafeInteger(every) || every < 1)
      throw new ArgumentError(`NanGuard: every must be an integer >= 1, got ${String(every)}.`);
    if (typeof lrFactor !== 'number' || !(lrFactor > 0 && lrFactor <= 1))
      throw new ArgumentError(`NanGuard: lrFactor must be above 0 and at most 1, got ${String(lrFactor)}.`);
    if (!Number.isSafeInteger(maxRollbacks) || maxRollbacks < 0)
      throw new ArgumentError(`NanGuard: maxRollbacks must be an integer >= 0, got ${String(maxRollbacks)}.`);
    this.every = every;
    this.lrFactor = lrFactor;
    this.maxRollbacks = maxRollbacks;
  }

  private async isFinite(tensors: readonly Tensor[]): Promise<boolean> {
    if (tensors.length === 0) return true;
    const norm = noGrad(() => tidy(() => getTotalNorm(tensors, { normType: Infinity })));
    const value = Number(await norm.item());
    norm.dispose();
    return Number.isFinite(value);
  }

  private async keep(run: Run): Promise<void> {
    const weights = [...run.model.stateDict().values()].filter((t) => t.dtype.includes('float'));
    // A state that is broken already is nothing to go back to.
    if (!(await this.isFinite(weights))) return;
    this.release();
    this.snapshot = copyTree(run.state());
    this.sinceSnapshot = 0;
    run.record();
  }

  /** Keeps the state that the run begins with. */
  async onEpochStart(run: Run): Promise<void> {
    if (this.snapshot === null) await this.keep(run);
  }

  /** Keeps a good state. */
  async onSafePoint(run: Run): Promise<void> {
    if (run.step % this.every === 0) await this.keep(run);
  }

  /** Looks at loss and gradients. */
  async onGradients(run: Run, record: GradientRecord): Promise<void> {
    if ((run.step + 1) % this.every !== 0) return;
    const gradients = run.optimizer.paramGroups.flatMap(({ params }) => params.flatMap(({ grad }) => grad ?? []));
    const badLoss = !Number.isFinite(await record.loss());
    if (!badLoss && (run.config['amp'] === 'float16' || (await this.isFinite(gradients)))) return;
    const what = badLoss ? 'loss' : 'gradients';
    if (this.snapshot === null) {
      run.stop(`the weights were not finite from the beginning`);
      return;
    }
    const cause = this.search(run, this.snapshot);
    this.events.push({ step: run.step, epoch: run.epoch, what, cause });
    process.emitWarning(`NanGuard: the ${what} in epoch ${run.epoch + 1}, step ${run.step + 1}: not finite. ${cause}`);
    const stop = this.options.rollback === false || this.rollbacks >= this.maxRollbacks;
    if (stop) {
      const again = this.rollbacks > 0 ? ` after ${this.rollbacks} rollbacks` : '';
      run.stop(`the ${what} ${badLoss ? 'is' : 'are'} not finite${again}: ${cause}`);
      return;
    }
    this.rollbacks++;
    // The state that it went back to has the learning rate of its time.
    this.sinceSnapshot++;
    run.scaleLr(this.lrFactor ** this.sinceSnapshot);
    run.record();
  }

  /** Leaves the run in the state of the snapshot. */
  private search(run: Run, snapshot: StateTree): string {
    const level = debugLevel;
    const { rollbacks, sinceSnapshot } = this;
    setDebugLevel(3);
    let error: unknown;
    try {
      error = run.replay(snapshot);
    } finally {
      setDebugLevel(level as 0 | 1 | 2 | 3);
      Object.assign(this, { rollbacks, sinceSnapshot });
    }
    if (error instanceof Error) return error.message;
    return 'No op made it of finite numbers: the batch itself is not finite, or it came by chance of the order of sums.';
  }

  private release(): void {
    if (this.snapshot !== null) disposeTree(this.snapshot);
    this.snapshot = null;
  }

  /** Frees what was kept. */
  onFitEnd(): void {
    this.release();
  }

  /** Frees what was kept. */
  onError(): void {
    this.release();
  }

  /** How often it went back. */
  stateDict(): Record<string, unknown> {
    return { rollbacks: this.rollbacks };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.rollbacks = Number(state['rollbacks']);
  }
}
