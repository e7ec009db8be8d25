// Schedules made of schedules: one after the other, or all at once.
import { ArgumentError } from '../../errors.js';
import { ReduceLROnPlateau } from './plateau.js';
import { LRScheduler, requireInteger, type Schedulable, type SchedulerState } from './scheduler.js';

abstract class Combined extends LRScheduler {
  constructor(
    op: string,
    optimizer: Schedulable | undefined,
    /** The parts. */
    protected readonly parts: readonly LRScheduler[],
  ) {
    if (!Array.isArray(parts) || parts.length === 0)
      throw new ArgumentError(`${op}: expected a list of schedules that is not empty.`);
    const driven = optimizer ?? (parts as readonly LRScheduler[])[0].optimizer;
    parts.forEach((part, i) => {
      if (!(part instanceof LRScheduler))
        throw new ArgumentError(`${op}: schedulers[${i}] is a ${typeof part}, expected a schedule.`);
      if (part instanceof ReduceLROnPlateau)
        throw new ArgumentError(
          `${op}: schedulers[${i}] is a ReduceLROnPlateau, whose step needs a metric; step it on its own.`,
        );
      if (part.optimizer !== driven)
        throw new ArgumentError(`${op}: schedulers[${i}] drives another optimizer; all must drive the same.`);
    });
    super(driven);
  }

  protected override nextLr(): number[] {
    return this.groups.map(({ lr }) => lr);
  }

  override stateDict(): SchedulerState {
    return { ...super.stateDict(), schedulers: this.parts.map((part) => part.stateDict()) };
  }

  override loadStateDict(state: SchedulerState): void {
    const { schedulers, ...own } = state;
    if (!Array.isArray(schedulers) || schedulers.length !== this.parts.length) {
      throw new ArgumentError(
        `${this.name}.loadStateDict: the state is of ${Array.isArray(schedulers) ? schedulers.length : 'no'} schedules, expected ${this.parts.length}.`,
      );
    }
    super.loadStateDict(own);
    this.parts.forEach((part, i) => part.loadStateDict(schedulers[i] as SchedulerState));
  }
}

/**
 * Schedules one after the other: the next takes over at each milestone, from its own step 0.
 *
 * @example
 * const { LinearLR, CosineAnnealingLR, SequentialLR } = optim.lrScheduler;
 * const warmup = new LinearLR(optimizer, { startFactor: 0.01, totalIters: 5 });
 * const decay = new CosineAnnealingLR(optimizer, 95);
 * const scheduler = new SequentialLR(optimizer, [warmup, decay], [5]);
 */
export class SequentialLR extends Combined {
  /** The steps at which the next schedule takes over. */
  readonly milestones: readonly number[];

  constructor(optimizer: Schedulable, schedulers: readonly LRScheduler[], milestones: readonly number[]) {
    super('SequentialLR', optimizer, schedulers);
    if (!Array.isArray(milestones) || milestones.length !== schedulers.length - 1) {
      throw new ArgumentError(
        `SequentialLR: ${schedulers.length} schedules need ${schedulers.length - 1} milestones, got ${Array.isArray(milestones) ? milestones.length : String(milestones)}.`,
      );
    }
    milestones.forEach((m: number, i) => {
      requireInteger('SequentialLR', `milestones[${i}]`, m, i === 0 ? 0 : (milestones[i - 1] as number) + 1);
    });
    this.milestones = [...(milestones as readonly number[])];
    // Each schedule has set its first learning rates on the way here; only the first one's count.
    this.restart();
  }

  /** @internal */
  override _startOver(): void {
    this.lastEpoch = 0;
    this.partAt(0)._startOver();
    this.remember();
  }

  private partAt(step: number): LRScheduler {
    return this.parts[this.milestones.filter((milestone) => milestone <= step).length];
  }

  override step(): void {
    this.lastEpoch++;
    const part = this.partAt(this.lastEpoch);
    if (this.milestones.includes(this.lastEpoch)) part.restart();
    else part.step();
    this.remember();
  }
}

/**
 * Schedules all at once, each changing what the one before it left: their factors multiply.
 *
 * @example
 * const { ConstantLR, ExponentialLR, ChainedScheduler } = optim.lrScheduler;
 * const scheduler = new ChainedScheduler([
 *   new ConstantLR(optimizer, { factor: 0.1, totalIters: 20 }),
 *   new ExponentialLR(optimizer, 0.9),
 * ]);
 */
export class ChainedScheduler extends Combined {
  constructor(schedulers: readonly LRScheduler[], optimizer?: Schedulable) {
    super('ChainedScheduler', optimizer, schedulers);
    this.lastEpoch = 0;
    this.remember();
  }

  /** @internal */
  override _startOver(): void {
    this.lastEpoch = 0;
    for (const part of this.parts) part._startOver();
    this.remember();
  }

  override step(): void {
    this.lastEpoch++;
    for (const part of this.parts) part.step();
    this.remember();
  }
}
