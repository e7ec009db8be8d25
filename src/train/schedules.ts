// Schedules of learning rates and batch sizes: when they take their steps.
import { ArgumentError } from '../errors.js';
import { BatchSizeOnPlateau, BatchSizeScheduler } from '../optim/batchSizeScheduler.js';
import { CyclicLR, OneCycleLR } from '../optim/lrScheduler/cyclic.js';
import { ReduceLROnPlateau } from '../optim/lrScheduler/plateau.js';
import { LRScheduler } from '../optim/lrScheduler/scheduler.js';
import type { StateTree } from './stateTree.js';
import type { AnyOptimizer } from './update.js';

/** A schedule of the learning rate (`optim.lrScheduler`) or of the batch size (`optim.batchSizeScheduler`). */
export type Scheduler = LRScheduler | BatchSizeScheduler;

/** What a schedule can be made from, when the run knows it. */
export interface ScheduleContext {
  /** Updates of the parameters in an epoch. */
  readonly stepsPerEpoch: number;
  /** Epochs of the run. */
  readonly epochs: number;
}

/** Makes a schedule of the run's optimizer. */
export type MakeSchedule = (optimizer: AnyOptimizer, context: ScheduleContext) => Scheduler;

/** A schedule, and when it takes its steps. */
export interface ScheduleOptions {
  /** The schedule, or a function that makes it of the optimizer. */
  readonly scheduler: Scheduler | MakeSchedule;
  /** After each update of the parameters, or after each epoch. Default: `'step'` for OneCycleLR and CyclicLR, else `'epoch'`. */
  readonly interval?: 'step' | 'epoch';
  /** The number that ReduceLROnPlateau and BatchSizeOnPlateau look at. Default: the run's `monitor`. */
  readonly monitor?: string;
}

/** What the option `schedule` takes. */
export type Schedule =
  Scheduler | MakeSchedule | ScheduleOptions | readonly (Scheduler | MakeSchedule | ScheduleOptions)[];

interface Entry {
  readonly scheduler: Scheduler;
  readonly interval: 'step' | 'epoch';
  readonly monitor: string;
}

const isScheduler = (value: unknown): value is Scheduler =>
  value instanceof LRScheduler || value instanceof BatchSizeScheduler;

const readsMetric = (scheduler: Scheduler): boolean =>
  scheduler instanceof ReduceLROnPlateau || scheduler instanceof BatchSizeOnPlateau;

/** All schedules of a run. */
export class Schedules {
  private readonly entries: readonly Entry[];

  /** @throws ArgumentError for what is no schedule, or drives another optimizer */
  constructor(
    private readonly op: string,
    schedule: Schedule | undefined,
    optimizer: AnyOptimizer,
    context: ScheduleContext,
    monitor: string,
  ) {
    const list = schedule === undefined ? [] : Array.isArray(schedule) ? (schedule as readonly unknown[]) : [schedule];
    this.entries = list.map((item) => {
      const options = (
        typeof item === 'object' && item !== null && 'scheduler' in item ? item : { scheduler: item }
      ) as ScheduleOptions;
      const given: unknown = options.scheduler;
      const scheduler: unknown =
        typeof given === 'function' ? (given as MakeSchedule)(optimizer, context) : options.scheduler;
      if (!isScheduler(scheduler)) {
        throw new ArgumentError(
          `${op}: schedule must be one of optim.lrScheduler or optim.batchSizeScheduler, or { scheduler, interval }, got a ${typeof scheduler}.`,
        );
      }
      const groups = scheduler instanceof LRScheduler ? scheduler.optimizer.paramGroups : undefined;
      if (groups !== undefined && groups !== optimizer.paramGroups) {
        throw new ArgumentError(
          `${op}: the schedule ${scheduler.constructor.name} drives another optimizer than the one given.`,
        );
      }
      const byStep = scheduler instanceof OneCycleLR || scheduler instanceof CyclicLR;
      const { interval = byStep ? 'step' : 'epoch' } = options;
      if (interval !== 'step' && interval !== 'epoch')
        throw new ArgumentError(`${op}: interval must be 'step' or 'epoch', got ${JSON.stringify(interval)}.`);
      if (interval === 'step' && readsMetric(scheduler))
        throw new ArgumentError(
          `${op}: ${scheduler.constructor.name} looks at an epoch's result; its interval is 'epoch'.`,
        );
      return { scheduler, interval, monitor: options.monitor ?? monitor };
    });
  }

  /** After an update of the parameters. */
  afterStep(): void {
    for (const { scheduler, interval } of this.entries) if (interval === 'step') scheduler.step();
  }

  /** After an epoch, with its logs. */
  afterEpoch(logs: Readonly<Record<string, number>>): void {
    for (const { scheduler, interval, monitor } of this.entries) {
      if (interval === 'step') continue;
      if (!readsMetric(scheduler)) scheduler.step();
      else if (monitor in logs) scheduler.step(logs[monitor]);
      // Between two validations there is nothing new to look at.
      else if (!monitor.startsWith('val')) {
        throw new ArgumentError(
          `${this.op}: ${scheduler.constructor.name} looks at '${monitor}', but the logs have ${Object.keys(logs).join(', ')}.`,
        );
      }
    }
  }

  /** Lowers the learning rates that the schedules start from. */
  scale(factor: number): void {
    for (const { scheduler } of this.entries) {
      if (scheduler instanceof LRScheduler) scheduler.baseLrs = scheduler.baseLrs.map((lr) => lr * factor);
    }
  }

  /** Names and options, for the run's config. */
  describe(): { name: string; interval: string; state: StateTree }[] {
    return this.entries.map(({ scheduler, interval }) => ({
      name: scheduler.constructor.name,
      interval,
      state: scheduler.stateDict(),
    }));
  }

  /** For a checkpoint. */
  stateDict(): { name: string; state: StateTree }[] {
    return this.entries.map(({ scheduler }) => ({ name: scheduler.constructor.name, state: scheduler.stateDict() }));
  }

  /** The names, as a checkpoint has them. */
  get names(): string[] {
    return this.entries.map(({ scheduler }) => scheduler.constructor.name);
  }

  /** Takes what `stateDict` gave, of as many schedules. */
  loadStateDict(states: readonly { name: string; state: StateTree }[]): void {
    this.entries.forEach(({ scheduler }, i) => {
      scheduler.loadStateDict(states[i].state);
    });
  }
}
