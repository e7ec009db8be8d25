// Training recipes as data, and the optimizers and schedules that they stand for.
import { ArgumentError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import { Adam, AdamW, type AdamOptions } from '../optim/adam.js';
import { ConstantLR, CosineAnnealingLR, LinearLR, MultiStepLR, SequentialLR } from '../optim/lrScheduler/index.js';
import type { LRScheduler } from '../optim/lrScheduler/index.js';
import { SGD, type SGDOptions } from '../optim/sgd.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkPositive } from './common.js';

/** An optimizer and its options. */
export type OptimizerRecipe =
  | ({
      /** Its class in `optim`. */
      readonly name: 'SGD';
    } & Readonly<Partial<SGDOptions>>)
  | ({
      /** Its class in `optim`. */
      readonly name: 'Adam' | 'AdamW';
    } & Readonly<Partial<AdamOptions>>);

/** How the learning rate goes, for a run of any length: times are parts of the run, from 0 to 1. */
export type ScheduleRecipe =
  | {
      /** The same over the run. */
      readonly name: 'constant';
    }
  | {
      /** Down to 0, along half a cosine or a line. */
      readonly name: 'cosine' | 'linear';
      /** The part in which it rises first. Default 0. */
      readonly warmup?: number;
    }
  | {
      /** Multiplied by `gamma` at some times. */
      readonly name: 'steps';
      /** When. */
      readonly at: readonly number[];
      /** By what. Default 0.1. */
      readonly gamma?: number;
    };

/** How a model is trained, as plain data. */
export interface RecipeData<M extends object = object> {
  /** Where it comes from. */
  readonly source: string;
  /** What differs from there, and why. */
  readonly adapted: string;
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Times through the training data. */
  readonly epochs: number;
  /** The optimizer. */
  readonly optimizer: OptimizerRecipe;
  /** `'matrices'`: the optimizer's weight decay leaves out biases, scales and shifts. Default `'all'`. */
  readonly decay?: 'all' | 'matrices';
  /** The learning rate over the run; the schedule takes a step after each of the optimizer's. */
  readonly schedule: ScheduleRecipe;
  /** Gradients are clipped to this norm. Default: they are not. */
  readonly clipNorm?: number;
  /** Of the cross entropy. Default 0. */
  readonly labelSmoothing?: number;
  /** Options of the model that belong to the recipe. */
  readonly model: M;
  /** What is done to training data, in words and in order. */
  readonly augmentation: readonly string[];
  /** Steps of the adversary for each of the generator. Default 1. */
  readonly criticSteps?: number;
}

/** A recipe that was made for a model. */
export interface PreparedRecipe<M extends object = object> extends Omit<RecipeData<M>, 'optimizer' | 'schedule'> {
  /** Updates the model's parameters. */
  readonly optimizer: SGD | Adam | AdamW;
  /** Call `step()` after each step of the optimizer. */
  readonly schedule: LRScheduler;
}

/** Makes the optimizer and the schedule; the recipe's numbers are its fields too. */
export interface Recipe<M extends object = object> extends RecipeData<M> {
  /**
   * @param model whose parameters are trained: of adversarial networks one of the two
   * @param options `steps`: of the optimizer, in the whole run
   * @throws ArgumentError unless steps is an integer above 0
   */
  (model: AnyModule, options: { steps: number }): PreparedRecipe<M>;
}

/** Parameters in groups: those that decay, and vectors and scalars, which do not. */
function groupsOf(model: AnyModule, decay: 'all' | 'matrices'): { params: Tensor[]; weightDecay?: number }[] {
  const all = model.parameters().filter((p) => p.requiresGrad);
  if (all.length === 0) throw new ArgumentError('recipe: the model has no parameters to train.');
  if (decay === 'all') return [{ params: all }];
  const flat = (p: Tensor): boolean => p.shape.length < 2;
  const groups = [{ params: all.filter((p) => !flat(p)) }, { params: all.filter(flat), weightDecay: 0 }];
  return groups.filter(({ params }) => params.length > 0);
}

function makeOptimizer(model: AnyModule, { optimizer, decay = 'all' }: RecipeData): SGD | Adam | AdamW {
  const groups = groupsOf(model, decay);
  if (optimizer.name === 'SGD') {
    const { name: _, ...options } = optimizer;
    return new SGD(groups, options);
  }
  const { name, ...options } = optimizer;
  return name === 'Adam' ? new Adam(groups, options) : new AdamW(groups, options);
}

function makeSchedule(optimizer: SGD | Adam | AdamW, schedule: ScheduleRecipe, steps: number): LRScheduler {
  if (schedule.name === 'constant') return new ConstantLR(optimizer, { factor: 1, totalIters: 1 });
  if (schedule.name === 'steps') {
    const at = schedule.at.map((part) => Math.round(part * steps));
    return new MultiStepLR(optimizer, at, { gamma: schedule.gamma ?? 0.1 });
  }
  const rising = Math.min(Math.round((schedule.warmup ?? 0) * steps), steps - 1);
  const falling = steps - rising;
  const rise = (): LRScheduler =>
    new LinearLR(optimizer, { startFactor: 1 / (rising + 1), endFactor: 1, totalIters: rising });
  const fall = (): LRScheduler =>
    schedule.name === 'cosine'
      ? new CosineAnnealingLR(optimizer, falling)
      : new LinearLR(optimizer, { startFactor: 1, endFactor: 0, totalIters: falling });
  if (rising === 0) return fall();
  return new SequentialLR(optimizer, [rise(), fall()], [rising]);
}

/** A recipe of data. @internal */
export function defineRecipe<const M extends object>(data: RecipeData<M>): Recipe<M> {
  const prepare = (model: AnyModule, options: { steps: number }): PreparedRecipe<M> => {
    const { steps } = options;
    checkPositive('recipe', { steps });
    const optimizer = makeOptimizer(model, data);
    return { ...data, optimizer, schedule: makeSchedule(optimizer, data.schedule, steps) };
  };
  return Object.assign(prepare, data);
}
