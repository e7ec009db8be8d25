// Cosine annealing, with and without restarts.
import { ArgumentError } from '../../errors.js';
import { LRScheduler, requireInteger, requireNumber, type Schedulable, type SchedulerOptions } from './scheduler.js';

/** Options of `CosineAnnealingLR`. */
export interface CosineAnnealingLROptions extends SchedulerOptions {
  /** The lowest learning rate. Default 0. */
  etaMin?: number;
}

/**
 * From the initial learning rate down to etaMin along half a cosine in `tMax` steps, and up again after that:
 * `lr = etaMin + (initialLr - etaMin) * (1 + cos(pi * step / tMax)) / 2`. Computed from the learning rate before, as
 * PyTorch does, so that it can be chained with others.
 *
 * Loshchilov and Hutter 2017 (SGDR), without the restarts.
 *
 * @example
 * const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 100, { etaMin: 1e-5 });
 */
export class CosineAnnealingLR extends LRScheduler {
  /** The lowest learning rate. */
  etaMin: number;

  constructor(
    optimizer: Schedulable,
    /** Steps to the lowest learning rate. */
    public tMax: number,
    options: CosineAnnealingLROptions = {},
  ) {
    super(optimizer, options);
    requireInteger('CosineAnnealingLR', 'tMax', tMax);
    this.etaMin = options.etaMin ?? 0;
    requireNumber('CosineAnnealingLR', 'etaMin', this.etaMin);
    this.start();
  }

  protected override nextLr(): number[] {
    const { lastEpoch: t, tMax, etaMin } = this;
    if (this.initial) return this.groups.map(({ lr }) => lr);
    const cosine = (step: number): number => 1 + Math.cos((Math.PI * step) / tMax);
    // At the bottom the ratio of neighbours is 0 / 0.
    if ((t - 1 - tMax) % (2 * tMax) === 0)
      return this.groups.map(({ lr }, i) => lr + ((this.baseLrs[i] - etaMin) * (1 - Math.cos(Math.PI / tMax))) / 2);
    return this.groups.map(({ lr }) => (cosine(t) / cosine(t - 1)) * (lr - etaMin) + etaMin);
  }
}

/** Options of `CosineAnnealingWarmRestarts`. */
export interface CosineAnnealingWarmRestartsOptions extends CosineAnnealingLROptions {
  /** Each cycle is so many times as long as the one before. Default 1. */
  tMult?: number;
}

/**
 * Cosine annealing that starts again from the initial learning rate after `t0` steps, then after `t0 * tMult` ...
 * (Loshchilov and Hutter 2017, SGDR). `step` also takes a fraction of an epoch.
 */
export class CosineAnnealingWarmRestarts extends LRScheduler {
  /** Growth of the cycles. */
  tMult: number;
  /** The lowest learning rate. */
  etaMin: number;
  /** The length of this cycle. */
  tI: number;
  /** Steps since it began. */
  tCur: number;

  constructor(
    optimizer: Schedulable,
    /** The length of the first cycle. */
    public t0: number,
    options: CosineAnnealingWarmRestartsOptions = {},
  ) {
    super(optimizer, options);
    requireInteger('CosineAnnealingWarmRestarts', 't0', t0);
    this.tMult = options.tMult ?? 1;
    this.etaMin = options.etaMin ?? 0;
    requireInteger('CosineAnnealingWarmRestarts', 'tMult', this.tMult);
    requireNumber('CosineAnnealingWarmRestarts', 'etaMin', this.etaMin);
    this.tI = t0;
    this.tCur = this.lastEpoch;
    this.start();
  }

  protected override start(): void {
    this.initial = true;
    this.step();
    this.initial = false;
  }

  protected override nextLr(): number[] {
    const { etaMin, tCur, tI } = this;
    return this.baseLrs.map((lr) => etaMin + ((lr - etaMin) * (1 + Math.cos((Math.PI * tCur) / tI))) / 2);
  }

  /** @internal */
  override _startOver(): void {
    this.step(0);
  }

  /**
   * Takes a step.
   *
   * @param epoch go there, for instance to `epoch + batch / batches`; default: one further
   */
  override step(epoch?: number): void {
    if (epoch === undefined && this.lastEpoch < 0) epoch = 0;
    if (epoch === undefined) {
      this.lastEpoch++;
      this.tCur++;
      if (this.tCur >= this.tI) {
        this.tCur -= this.tI;
        this.tI *= this.tMult;
      }
    } else {
      if (!(epoch >= 0) || !Number.isFinite(epoch))
        throw new ArgumentError(`CosineAnnealingWarmRestarts: epoch must be a number >= 0, got ${epoch}.`);
      const { t0, tMult } = this;
      this.tI = t0;
      this.tCur = epoch;
      if (tMult === 1) this.tCur = epoch % t0;
      else
        while (this.tCur >= this.tI) {
          this.tCur -= this.tI;
          this.tI *= tMult;
        }
      this.lastEpoch = Math.floor(epoch);
    }
    this.apply(this.nextLr());
  }
}
