// Base of schedules: when a step counts, what is kept, how a schedule is tried out without touching the training.
import { ArgumentError } from '../../errors.js';
import { svgChart, type ChartOptions } from './chart.js';

/** Options of a parameter group that schedules read and write. */
export interface ScheduledGroup {
  /** Learning rate: what a schedule sets. */
  lr: number;
  /** The learning rate that the schedule started from; written by the first schedule of an optimizer. */
  initialLr?: number;
  /** Driven by CyclicLR and OneCycleLR where the optimizer has it. */
  momentum?: number;
  /** The first of them is driven by CyclicLR and OneCycleLR where the optimizer has no momentum. */
  betas?: readonly [number, number] | readonly [number, number, number];
}

/** What a schedule drives: an optimizer whose groups have a learning rate. */
export interface Schedulable {
  /** The groups of parameters. */
  readonly paramGroups: readonly object[];
}

/** Options that all schedules take. */
export interface SchedulerOptions {
  /**
   * The index of the last step when a run is continued without a state dict. Default -1: from the beginning. Otherwise
   * the groups must have `initialLr`.
   */
  lastEpoch?: number;
}

/** A schedule's own numbers, as plain JSON. */
export type SchedulerState = Record<string, unknown>;

/** Options of `plot`. */
export interface PlotOptions extends ChartOptions {
  /** How many steps to draw. Default 100. */
  steps?: number;
}

/** Throws ArgumentError unless a value is a number that passes. */
export function requireNumber(
  op: string,
  name: string,
  value: unknown,
  passes: (value: number) => boolean = Number.isFinite,
  expected = 'a finite number',
): asserts value is number {
  if (typeof value !== 'number' || !passes(value))
    throw new ArgumentError(`${op}: ${name} must be ${expected}, got ${String(value)}.`);
}

/** Throws ArgumentError unless a value is an integer of at least `low`. */
export function requireInteger(op: string, name: string, value: unknown, low = 1): asserts value is number {
  requireNumber(op, name, value, (n) => Number.isInteger(n) && n >= low, `an integer >= ${low}`);
}

/** One value for each group from a number or a list. */
export function perGroup(op: string, name: string, value: number | readonly number[], groups: number): number[] {
  const values = Array.isArray(value) ? [...(value as readonly number[])] : Array<number>(groups).fill(value as number);
  if (values.length !== groups)
    throw new ArgumentError(`${op}: ${name} has ${values.length} values for ${groups} parameter groups.`);
  for (const v of values) requireNumber(op, name, v);
  return values;
}

/**
 * Base class of schedules, as torch.optim.lr_scheduler.LRScheduler. Constructing one sets the learning rates of the first
 * step; after that, call `step()` once per epoch or batch, whichever the schedule's numbers count.
 *
 * A schedule of your own gives the learning rates from `this.lastEpoch`, `this.baseLrs` and the present rates:
 *
 * @example
 * class HalveAtTen extends optim.lrScheduler.LRScheduler {
 *   protected override nextLr(): number[] {
 *     return this.groups.map(({ lr }) => (this.lastEpoch === 10 ? lr / 2 : lr));
 *   }
 * }
 */
export abstract class LRScheduler {
  /** The optimizer that is driven. */
  readonly optimizer: Schedulable;
  /** The number of steps that were taken. */
  lastEpoch: number;
  /** The learning rates from which the schedule started. */
  baseLrs: number[];
  /** True while the first learning rates are set. */
  protected initial = false;
  private lastLr: number[] = [];

  constructor(optimizer: Schedulable, options: SchedulerOptions = {}) {
    const name = new.target.name;
    const groups = (optimizer as Partial<Schedulable> | null)?.paramGroups;
    if (!Array.isArray(groups)) throw new ArgumentError(`${name}: expected an optimizer as the first argument.`);
    this.optimizer = optimizer;
    const { lastEpoch = -1 } = options;
    requireInteger(name, 'lastEpoch', lastEpoch, -1);
    for (const [i, group] of this.groups.entries()) {
      if (typeof group.lr !== 'number') throw new ArgumentError(`${name}: parameter group ${i} has no learning rate.`);
      if (lastEpoch === -1) group.initialLr ??= group.lr;
      else if (group.initialLr === undefined) {
        throw new ArgumentError(
          `${name}: lastEpoch ${lastEpoch} continues a run, but parameter group ${i} has no initialLr; load the optimizer's state dict first, or set it.`,
        );
      }
    }
    this.baseLrs = this.groups.map((group) => group.initialLr!);
    this.lastEpoch = lastEpoch;
  }

  /** The groups of the optimizer. */
  protected get groups(): readonly ScheduledGroup[] {
    return this.optimizer.paramGroups as readonly ScheduledGroup[];
  }

  /** Name for messages. */
  protected get name(): string {
    return this.constructor.name;
  }

  /** The learning rates for step `lastEpoch`, one for each group; `this.groups` has those before it. */
  protected abstract nextLr(): number[];

  /** Sets the learning rates of the first step: constructors call it when their options are in place. */
  protected start(): void {
    this.initial = true;
    this.advance();
    this.initial = false;
  }

  /** Takes a step: sets the learning rates that come next. */
  step(): void {
    this.advance();
  }

  private advance(): void {
    this.lastEpoch++;
    this.apply(this.nextLr());
  }

  /** Writes learning rates into the groups. */
  protected apply(lrs: readonly number[]): void {
    this.groups.forEach((group, i) => {
      group.lr = lrs[i];
    });
    this.remember();
  }

  /** Notes what the groups have now. */
  protected remember(): void {
    this.lastLr = this.groups.map(({ lr }) => lr);
  }

  /** Begins again at step 0, from the learning rates at the very start: what SequentialLR does at a milestone. */
  restart(): void {
    this.groups.forEach((group, i) => {
      group.lr = this.baseLrs[i];
    });
    this._startOver();
  }

  /** Takes the first step again, from the learning rates that are there. @internal */
  _startOver(): void {
    this.lastEpoch = -1;
    this.start();
  }

  /** The learning rates last set, one for each group. */
  getLastLr(): number[] {
    return [...this.lastLr];
  }

  /** The schedule's numbers, for saving as JSON; functions are not in it. */
  stateDict(): SchedulerState {
    const state: SchedulerState = {};
    for (const [key, value] of Object.entries(this)) {
      if (key !== 'optimizer' && isPlain(value)) state[key] = structuredClone(value);
    }
    return state;
  }

  /**
   * Restores what `stateDict()` gave. The learning rates themselves are in the optimizer's state dict: load both.
   *
   * @throws ArgumentError for a name that this schedule does not have
   */
  loadStateDict(state: SchedulerState): void {
    const own = this as unknown as Record<string, unknown>;
    const unknown = Object.keys(state).filter((key) => !(key in own) || key === 'optimizer');
    if (unknown.length > 0)
      throw new ArgumentError(`${this.name}.loadStateDict: this schedule has no ${unknown.join(', ')}.`);
    for (const [key, value] of Object.entries(state)) own[key] = structuredClone(value);
  }

  /**
   * What the learning rates of the next steps will be, the present ones first: `trace(n)[i][group]` for n + 1 rows. The
   * schedule and the optimizer are as before afterwards.
   */
  trace(steps: number): number[][] {
    return this.rehearse(() => {
      const rows = [this.groups.map(({ lr }) => lr)];
      for (let i = 0; i < steps; i++) {
        this.step();
        rows.push(this.groups.map(({ lr }) => lr));
      }
      return rows;
    });
  }

  /**
   * The learning rates of the next steps as an SVG picture, one line for each group that differs.
   *
   * @example
   * const scheduler = new optim.lrScheduler.OneCycleLR(optimizer, 0.1, { totalSteps: 100 });
   * writeFileSync('schedule.svg', scheduler.plot({ steps: 100 }));
   */
  plot(options: PlotOptions = {}): string {
    const { steps = 100, ...chart } = options;
    requireInteger(this.name, 'steps', steps);
    const rows = this.trace(Math.min(steps, this.stepsLeft()));
    return svgChart(
      this.groups.map((_, group) => rows.map((row) => row[group])),
      { title: this.name, xLabel: 'step', yLabel: 'learning rate', first: this.lastEpoch, ...chart },
    );
  }

  /** How many steps can be taken still. */
  protected stepsLeft(): number {
    return Infinity;
  }

  /** Runs a function and puts the schedule and the optimizer back as they were. */
  protected rehearse<T>(fn: () => T): T {
    const state = this.stateDict();
    const groups = this.groups.map((group) => ({ ...group }));
    try {
      return fn();
    } finally {
      this.groups.forEach((group, i) => {
        Object.assign(group, groups[i]);
      });
      this.loadStateDict(state);
    }
  }
}

function isPlain(value: unknown): boolean {
  if (value === null) return true;
  if (Array.isArray(value)) return value.every(isPlain);
  return typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean';
}
