// Trains classifiers by a description that the twin in PyTorch reads, too: the programs that compare many trainings differ
// in nothing else.
import { data, nn, noGrad, optim, synchronize, type Tensor } from 'thalweg';
import type { Split } from './digits.js';
import { percent, seconds, short } from './table.js';
import type { RunResult } from './twin.js';

/** An optimizer of `optim` by name, and its options. */
export interface OptimizerPlan {
  readonly name: string;
  readonly options: Readonly<Record<string, unknown>> & { readonly lr: number };
}

/** A schedule of the learning rate, and whether it takes its steps after batches, epochs, or epochs with their loss. */
export type SchedulePlan = { readonly each: 'step' | 'epoch' | 'loss' } & (
  | { readonly name: 'LinearLR'; readonly startFactor: number; readonly endFactor: number; readonly totalIters: number }
  | { readonly name: 'ExponentialLR'; readonly gamma: number }
  | { readonly name: 'StepLR'; readonly stepSize: number; readonly gamma: number }
  | { readonly name: 'CyclicLR'; readonly baseLr: number; readonly maxLr: number; readonly stepSizeUp: number }
  | { readonly name: 'CosineAnnealingLR'; readonly tMax: number }
  | { readonly name: 'OneCycleLR'; readonly maxLr: number; readonly totalSteps: number }
  | {
      readonly name: 'ReduceLROnPlateau';
      readonly factor: number;
      readonly patience: number;
      readonly threshold: number;
    }
);

export interface TrainingPlan {
  readonly name: string;
  readonly epochs: number;
  readonly batchSize: number;
  /** The batch grows by this factor every so many epochs, up to a largest one. */
  readonly growth?: { readonly every: number; readonly factor: number; readonly max: number };
  readonly optimizer: OptimizerPlan;
  readonly schedule?: SchedulePlan;
  /** Seed of the orders. */
  readonly seed: number;
}

export interface Optimizer {
  readonly paramGroups: Record<string, unknown>[];
  zeroGrad(): void;
  step(): unknown;
}

export function makeOptimizer({ name, options }: OptimizerPlan, parameters: Tensor[]): Optimizer {
  const classes = optim as unknown as Record<string, new (p: Tensor[], o: object) => Optimizer>;
  return new classes[name](parameters, options);
}

export function makeSchedule(plan: SchedulePlan, optimizer: Optimizer): { step(loss?: number): void } {
  const { lrScheduler } = optim;
  switch (plan.name) {
    case 'LinearLR':
      return new lrScheduler.LinearLR(optimizer, plan);
    case 'ExponentialLR':
      return new lrScheduler.ExponentialLR(optimizer, plan.gamma);
    case 'StepLR':
      return new lrScheduler.StepLR(optimizer, plan.stepSize, { gamma: plan.gamma });
    case 'CyclicLR':
      return new lrScheduler.CyclicLR(optimizer, plan.baseLr, plan.maxLr, {
        stepSizeUp: plan.stepSizeUp,
        cycleMomentum: false,
      });
    case 'CosineAnnealingLR':
      return new lrScheduler.CosineAnnealingLR(optimizer, plan.tMax);
    case 'OneCycleLR':
      return new lrScheduler.OneCycleLR(optimizer, plan.maxLr, { totalSteps: plan.totalSteps });
    case 'ReduceLROnPlateau':
      return new lrScheduler.ReduceLROnPlateau(optimizer, plan);
  }
}

/** A model with what goes in and how its output is judged. */
export interface Task {
  readonly train: Split;
  readonly test: Split;
  /** Makes a batch as it is stored what the model takes. Default: it is. */
  readonly prepare?: (x: Tensor) => Tensor;
  /** Mean loss of a batch. Default: cross entropy. */
  readonly loss?: (output: Tensor, y: Tensor) => Tensor;
  /** How many of a batch are right, as a tensor. Default: those whose largest output is their class. */
  readonly right?: (output: Tensor, y: Tensor) => Tensor;
}

export interface Model {
  parameters(): Tensor[];
  forward(x: Tensor): Tensor;
  train(mode?: boolean): unknown;
  eval(): unknown;
}

const largest = (output: Tensor, y: Tensor): Tensor => output.argmax(1).eq(y).sum();

/** Loss and accuracy on the test samples. */
export async function evaluate(model: Model, task: Task): Promise<{ loss: number; accuracy: number }> {
  const { test, prepare = (x) => x, loss = nn.functional.crossEntropy, right = largest } = task;
  model.eval();
  let [sum, count] = [0, 0];
  for await (const [x, y] of new data.DataLoader(new data.TensorDataset(test.x, test.y), { batchSize: 500 })) {
    const output = noGrad(() => model.forward(prepare(x)));
    sum += Number(await loss(output, y).item()) * (y.shape[0] ?? 0);
    count += Number(await right(output, y).item());
  }
  return { loss: sum / test.length, accuracy: count / test.length };
}

export interface Training extends RunResult {
  readonly final: { readonly loss: number; readonly accuracy: number };
  /** The learning rate of each update. */
  readonly lrs: readonly number[];
  /** Updates after each epoch. */
  readonly updatesAfter: readonly number[];
  /** Seconds of training after each epoch. */
  readonly secondsAfter: readonly number[];
}

/** Trains a model as planned, with a line for each epoch, and tests it. */
export async function trainClassifier(model: Model, task: Task, plan: TrainingPlan, quiet = false): Promise<Training> {
  const { train, prepare = (x) => x, loss: lossOf = nn.functional.crossEntropy } = task;
  const loader = new data.DataLoader(new data.TensorDataset(train.x, train.y), {
    batchSize: plan.batchSize,
    shuffle: true,
    seed: plan.seed,
  });
  const optimizer = makeOptimizer(plan.optimizer, model.parameters());
  const schedule = plan.schedule === undefined ? undefined : makeSchedule(plan.schedule, optimizer);
  const growth =
    plan.growth === undefined
      ? undefined
      : new optim.batchSizeScheduler.StepBatchSize(loader, plan.growth.every, {
          factor: plan.growth.factor,
          maxBatchSize: plan.growth.max,
        });
  const [losses, lrs, updatesAfter, secondsAfter]: number[][] = [[], [], [], []];
  let spent = 0;
  model.train();
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    const start = performance.now();
    // Added up on the device: reading each loss would make JavaScript wait for each step.
    let sum: Tensor | undefined;
    for await (const [x, y] of loader) {
      const loss = lossOf(model.forward(prepare(x)), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      const weighted = loss.detach().mul(y.shape[0] ?? 0);
      sum = sum === undefined ? weighted : sum.add(weighted);
      lrs.push(Number(optimizer.paramGroups[0]['lr']));
      if (plan.schedule?.each === 'step') schedule?.step();
    }
    losses.push(Number(await sum?.item()) / train.length);
    synchronize();
    spent += (performance.now() - start) / 1000;
    updatesAfter.push(lrs.length);
    secondsAfter.push(spent);
    if (!quiet) {
      const rate = Math.round(((epoch + 1) * train.length) / spent).toLocaleString('en-US');
      console.log(
        `  epoch ${epoch + 1}/${plan.epochs}  loss ${short(losses[epoch])}  lr ${short(lrs[lrs.length - 1])}  ${rate} samples/s`,
      );
    }
    if (plan.schedule?.each === 'epoch') schedule?.step();
    if (plan.schedule?.each === 'loss') schedule?.step(losses[epoch]);
    growth?.step();
  }
  const final = await evaluate(model, task);
  console.log(
    `${plan.name}: loss ${short(losses[losses.length - 1])}, test accuracy ${percent(final.accuracy)}, ${seconds(spent)}`,
  );
  return { name: plan.name, losses, seconds: spent, updates: lrs.length, final, lrs, updatesAfter, secondsAfter };
}
