// Averages of weights over training: exponential (EMA) and uniform (SWA).
import { noGrad } from '../autograd/mode.js';
import { byDevice } from '../device.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { tensorChanges } from '../nn/module.js';
import { clone, copy_ } from '../ops/copy.js';
import { add, mul, sub } from '../program/expr.js';
import { program } from '../program/program.js';
import { formatShape, shapesEqual } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkOption } from './common.js';

const blend = program({
  name: 'average',
  tensors: ['average', 'p'],
  scalars: ['share'],
  update: ({ average, p, share }) => ({ average: add(average, mul(share, sub(p, average))) }),
});

/** Something with tensors by name, such as a module. */
export interface HasStateDict {
  /** The tensors by name. */
  stateDict(): ReadonlyMap<string, Tensor>;
}

/** What is averaged: a module (its parameters and float buffers), or tensors. */
export type Averageable = HasStateDict | Iterable<Tensor>;

/** The state of an average, for saving. Tensors are those in use. */
export interface AverageStateDict {
  /** How many times `update` was called. */
  updates: number;
  /** The averages, in the order of the tensors. */
  averages: Tensor[];
}

/**
 * Base of averages: `share` says how much of the present weights an update takes in.
 *
 * Of a module the tensors that it has at each call are averaged: where `module.to(device)` has replaced them, their averages
 * follow to the device. (One that was assigned to a field is noticed by `apply` and `copyToSource`.) Tensors that were given
 * themselves stay those, and the average is to be made after `to`, as optimizers are.
 */
export abstract class WeightAverage {
  /** How many times `update` was called. */
  updates = 0;
  private readonly kept: Tensor[];
  private readonly named: HasStateDict | null;
  private readonly names: readonly string[];
  private tensors: readonly Tensor[];
  private seen = tensorChanges();

  constructor(
    private readonly name: string,
    of: Averageable,
  ) {
    // A module may be iterable, too: a Sequential is, over its layers.
    this.named = 'stateDict' in of ? of : null;
    const state = 'stateDict' in of ? of.stateDict() : null;
    this.names = state === null ? [] : [...state.keys()];
    this.tensors = [...(state === null ? (of as Iterable<Tensor>) : state.values())];
    if (this.tensors.length === 0) throw new ArgumentError(`${name}: there is nothing to average.`);
    // Counters and masks have no mean; they are taken as they are.
    this.kept = untracked(() => noGrad(() => this.tensors.map((t) => keep(clone(t.detach())))));
  }

  /** The averages, in the order of the tensors, on the devices where these were at the last call. */
  get averages(): readonly Tensor[] {
    return this.kept;
  }

  /**
   * What is averaged, as it is now. The averages are where these are. Looking at all tensors of a module takes longer than
   * averaging them; `thorough` does so even if no module has others by `to` or by registering, but maybe by assignment.
   */
  private source(thorough: boolean): readonly Tensor[] {
    if (this.named === null || (!thorough && this.seen === tensorChanges())) return this.tensors;
    const changes = tensorChanges();
    const tensors = this.compared(this.named);
    this.seen = changes;
    return tensors;
  }

  private compared(named: HasStateDict): readonly Tensor[] {
    const state = named.stateDict();
    const present = [...state.values()];
    if (present.length === this.tensors.length && present.every((p, i) => p === this.tensors[i])) return present;
    const again = `make the ${this.name} when the module has what is trained.`;
    const gone = this.names.find((name) => !state.has(name));
    if (gone !== undefined)
      throw new ArgumentError(`${this.name}: the module has no '${gone}' any more, which is averaged; ${again}`);
    const added = [...state.keys()].find((name) => !this.names.includes(name));
    if (added !== undefined)
      throw new ArgumentError(`${this.name}: the module had no '${added}' when the average was made; ${again}`);
    const tensors = this.names.map((name) => state.get(name)!);
    tensors.forEach((p, i) => {
      const { dtype, shape } = this.kept[i];
      if (p.dtype === dtype && shapesEqual(p.shape, shape)) return;
      const [now, then] = [p, this.kept[i]].map((t) => `${t.dtype} of shape ${formatShape(t.shape)}`);
      throw new ArgumentError(
        `${this.name}: '${this.names[i]}' is ${now} and was ${then} when the average was made; ${again}`,
      );
    });
    untracked(() =>
      noGrad(() => {
        tensors.forEach((p, i) => (this.kept[i] = keep(this.kept[i].to(p.device))));
      }),
    );
    this.tensors = tensors;
    return tensors;
  }

  /** How much of the present weights the n-th update takes in; n counts from 0. */
  protected abstract share(n: number): number;

  /**
   * Takes the present weights into the average. Call it after `optimizer.step()`.
   *
   * @throws ArgumentError if the module has other tensors than when the average was made, in name, dtype or shape
   */
  update(): void {
    const source = this.source(false);
    const share = this.share(this.updates++);
    noGrad(() => {
      const pairs = source.map((p, i) => ({ device: p.device, dtype: p.dtype, p, average: this.averages[i] }));
      for (const there of byDevice(pairs)) {
        for (const dtype of new Set(there.map((pair) => pair.dtype))) {
          const same = there.filter((pair) => pair.dtype === dtype);
          if (isFloating(dtype)) {
            blend.run({ average: same.map(({ average }) => average), p: same.map(({ p }) => p) }, { share });
          } else for (const { p, average } of same) copy_(average, p);
        }
      }
    });
  }

  /**
   * Runs a function with the averages in place of the weights, and puts the weights back.
   *
   * @example
   * const accuracy = await ema.apply(() => evaluate(model));
   */
  apply<T>(fn: () => T): T {
    const saved = untracked(() => noGrad(() => this.source(true).map((p) => keep(clone(p.detach())))));
    const restore = (): void => {
      noGrad(() => {
        this.source(true).forEach((p, i) => {
          copy_(p, saved[i]);
          saved[i].dispose();
        });
      });
    };
    this.copyToSource();
    let result: T;
    try {
      result = fn();
    } catch (error) {
      restore();
      throw error;
    }
    if (result instanceof Promise) return result.finally(restore) as T;
    restore();
    return result;
  }

  /** Writes the averages into the weights for good. */
  copyToSource(): void {
    noGrad(() => {
      this.source(true).forEach((p, i) => copy_(p, this.averages[i]));
    });
  }

  /** Averages and count, for saving. */
  stateDict(): AverageStateDict {
    return { updates: this.updates, averages: [...this.averages] };
  }

  /**
   * Restores what `stateDict()` gave. Tensors are copied.
   *
   * @throws ArgumentError, ShapeError if the tensors differ in number or shape; nothing is changed then
   */
  loadStateDict(dict: AverageStateDict): void {
    const name = this.constructor.name;
    if (dict.averages.length !== this.averages.length)
      throw new ArgumentError(
        `${name}.loadStateDict: ${dict.averages.length} averages for ${this.averages.length} tensors.`,
      );
    dict.averages.forEach((t, i) => {
      if (!shapesEqual(t.shape, this.averages[i].shape)) {
        throw new ShapeError(
          `${name}.loadStateDict: average ${i} has shape ${formatShape(t.shape)}, the tensor ${formatShape(this.averages[i].shape)}.`,
        );
      }
    });
    noGrad(() => {
      this.averages.forEach((average, i) => copy_(average, dict.averages[i]));
    });
    this.updates = dict.updates;
  }
}

/** Options of `EMA`. */
export interface EMAOptions {
  /** How much of the average stays. Default 0.999. */
  decay?: number;
  /** Start with a smaller decay, (1 + n) / (10 + n), so that the first weights are soon forgotten. Default false. */
  warmup?: boolean;
}

/**
 * An exponential moving average of weights: `average = decay * average + (1 - decay) * p`; the first update takes the
 * weights as they are, as PyTorch's AveragedModel does. Polyak and Juditsky 1992.
 *
 * @example
 * const ema = new optim.EMA(model, { decay: 0.999 });
 * ema.update(); // after each optimizer.step()
 * const accuracy = ema.apply(() => evaluate(model));
 */
export class EMA extends WeightAverage {
  /** How much of the average stays. */
  readonly decay: number;
  /** Whether the decay starts smaller. */
  readonly warmup: boolean;

  constructor(of: Averageable, options: EMAOptions = {}) {
    super('EMA', of);
    const { decay = 0.999, warmup = false } = options;
    checkOption('EMA', 'decay', decay, 0, 1 + Number.EPSILON);
    this.decay = decay;
    this.warmup = warmup;
  }

  protected override share(n: number): number {
    if (n === 0) return 1;
    return 1 - (this.warmup ? Math.min(this.decay, (1 + n) / (10 + n)) : this.decay);
  }
}

/**
 * Stochastic weight averaging: the mean of the weights at each update. Update the statistics of batch norms afterwards by a
 * pass over the training data in training mode. Izmailov et al. 2018.
 *
 * @example
 * const swa = new optim.SWA(model);
 * swa.update(); // at the end of each of the last epochs
 * swa.copyToSource();
 */
export class SWA extends WeightAverage {
  constructor(of: Averageable) {
    super('SWA', of);
  }

  protected override share(n: number): number {
    return 1 / (n + 1);
  }
}
