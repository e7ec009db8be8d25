// Which learning rates a model bears: a sweep over all of them in one short training.
import { GradScaler } from '../amp/gradScaler.js';
import type { AutocastDType } from '../amp/state.js';
import { checkDevice, type Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import { Module, type AnyModule } from '../nn/module.js';
import { defaultGenerator } from '../ops/random.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  leaveEpoch,
  moveBatch,
  nextBatch,
  startEpoch,
  toBatches,
  type DataSource,
  type LoaderLike,
} from './batches.js';
import { computeOf, type Forward, type Loss } from './compute.js';
import { copyTree, disposeTree } from './stateTree.js';
import { lossOf, needsClosure, releaseUpdate, Updater, type AnyOptimizer, type Clip } from './update.js';

/** Options of `train.findLr`. */
export interface FindLrOptions<M extends AnyModule, Batch> {
  /** What to train on: a DataLoader, a dataset, or batches. When it is over it begins again. */
  readonly data: DataSource<Batch>;
  /** Samples in a batch, where the data is a dataset. Default 32. */
  readonly batchSize?: number;
  /** The loss of `model.forward(x)` and y. */
  readonly loss?: Loss;
  /** Computes the loss instead. */
  readonly forward?: Forward<M, Batch>;
  /** The optimizer of the model's parameters. Groups keep the ratios of their learning rates. */
  readonly optimizer: AnyOptimizer;
  /** Where to begin. Default 1e-7. */
  readonly minLr?: number;
  /** Where to end, unless the loss does not bear it. Default 10. */
  readonly maxLr?: number;
  /** Steps from one to the other. Default 100. */
  readonly steps?: number;
  /** How much of the smoothed loss stays at each step. Default 0.9. */
  readonly smoothing?: number;
  /** Ends when the smoothed loss is this many times the best. Default 4. */
  readonly divergence?: number;
  /** Where the model is; batches are moved there. */
  readonly device?: Device;
  /** Compute forward in 16 bits where that is safe. */
  readonly amp?: AutocastDType;
  /** Limits gradients before each step. */
  readonly clip?: Clip;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** What a sweep has found. */
export interface LrSweep {
  /** The learning rates that were tried, of the first group. */
  readonly lrs: readonly number[];
  /** The loss of the batch at each. */
  readonly losses: readonly number[];
  /** The same, smoothed. */
  readonly smoothed: readonly number[];
  /** Where the smoothed loss falls fastest; null if it falls nowhere. */
  readonly suggestion: number | null;
}

/** Where the smoothed loss falls fastest over the logarithm of the learning rate, by central differences. */
function steepest(lrs: readonly number[], smoothed: readonly number[]): number | null {
  let best = 0;
  let suggestion: number | null = null;
  for (let i = 1; i < smoothed.length - 1; i++) {
    const slope = (smoothed[i + 1] - smoothed[i - 1]) / Math.log(lrs[i + 1] / lrs[i - 1]);
    if (slope < best) {
      best = slope;
      suggestion = lrs[i];
    }
  }
  return suggestion;
}

/**
 * Trains with a learning rate that grows exponentially from step to step, and looks at the loss (Smith 2017, Cyclical
 * learning rates). Afterwards the model, the optimizer, the random numbers and the loader are as they were, bit for bit.
 *
 * @returns the losses, and the learning rate at which the smoothed loss falls fastest
 * @throws ArgumentError for options that do not fit, and as `train.fit`
 * @example
 * const { suggestion } = await train.findLr(model, { data: loader, loss: nn.functional.crossEntropy, optimizer });
 * if (suggestion !== null) for (const group of optimizer.paramGroups) group.lr = suggestion;
 */
export async function findLr<M extends AnyModule, Batch = readonly [Tensor, Tensor]>(
  model: M,
  options: FindLrOptions<M, Batch>,
): Promise<LrSweep> {
  const op = 'train.findLr';
  const given: unknown = model;
  if (!(given instanceof Module)) throw new ArgumentError(`${op}: the model must be an nn.Module.`);
  const { optimizer, minLr = 1e-7, maxLr = 10, steps = 100, smoothing = 0.9, divergence = 4, clip, signal } = options;
  if (!(minLr > 0 && maxLr > minLr && maxLr < Infinity))
    throw new ArgumentError(`${op}: expected 0 < minLr < maxLr, got ${String(minLr)} and ${String(maxLr)}.`);
  if (!Number.isSafeInteger(steps) || steps < 3)
    throw new ArgumentError(`${op}: steps must be an integer >= 3, got ${String(steps)}.`);
  if (!(smoothing >= 0 && smoothing < 1))
    throw new ArgumentError(`${op}: smoothing must be from 0 to below 1, got ${String(smoothing)}.`);
  if (!(divergence > 1)) throw new ArgumentError(`${op}: divergence must be above 1, got ${String(divergence)}.`);
  const device = options.device === undefined ? undefined : checkDevice(op, options.device);
  const compute = computeOf<M, Batch>(op, model, options);
  const source = toBatches(op, 'data', options.data, { batchSize: options.batchSize, shuffle: true });
  const loader = source as LoaderLike;
  const groups = (optimizer as Partial<AnyOptimizer> | undefined)?.paramGroups as { lr?: number }[] | undefined;
  if (!Array.isArray(groups) || groups.some(({ lr }) => typeof lr !== 'number'))
    throw new ArgumentError(`${op}: optimizer must be one of optim, with a learning rate.`);
  const ratios = groups.map(({ lr }) => (groups[0].lr === 0 ? 1 : lr! / groups[0].lr!));

  const saved = copyTree({ model: model.stateDict(), optimizer: optimizer.stateDict() });
  const random = defaultGenerator.getState();
  const loaderState = loader.stateDict?.();
  const { epoch } = loader;
  const evaluating = model.modules().filter((module) => !module.training);
  const updater = new Updater(op, optimizer, clip, options.amp === 'float16' ? new GradScaler() : undefined);

  const step = (given_: Batch): { loss: Promise<number>; done: () => void } => {
    const copies: Tensor[] = [];
    const batch = moveBatch(given_, device, copies);
    let updated;
    if (needsClosure(optimizer)) updated = tidy(() => updater.stepWithClosure(() => compute(batch)).updated);
    else {
      tidy(() => {
        updater.backward(compute(batch));
      });
      updater.finishGradients();
      updated = updater.step();
    }
    const taken = updated;
    return {
      loss: lossOf(taken),
      done: () => {
        releaseUpdate(taken);
        copies.forEach((copy) => copy.dispose());
      },
    };
  };

  const lrs: number[] = [];
  const losses: number[] = [];
  const smoothed: number[] = [];
  let average = 0;
  let best = Infinity;
  let iterator: AsyncIterator<Batch> | Iterator<Batch> | undefined;
  model.train();
  try {
    for (let i = 0; i < steps; i++) {
      iterator ??= startEpoch(source);
      let next = await nextBatch(iterator, signal);
      if (next === null) {
        iterator = startEpoch(source);
        next = await nextBatch(iterator, signal);
        if (next === null) throw new ArgumentError(`${op}: data gave no batch.`);
      }
      if (next === undefined) break;
      const lr = minLr * (maxLr / minLr) ** (i / (steps - 1));
      groups.forEach((group, k) => {
        group.lr = lr * ratios[k];
      });
      const { loss, done } = step(next.batch);
      const value = await loss;
      done();
      if (!Number.isFinite(value)) break;
      average = smoothing * average + (1 - smoothing) * value;
      const smooth = average / (1 - smoothing ** (i + 1));
      lrs.push(lr);
      losses.push(value);
      smoothed.push(smooth);
      if (i > 0 && smooth > divergence * best) break;
      best = Math.min(best, smooth);
    }
  } finally {
    if (iterator !== undefined) leaveEpoch(iterator);
    updater.discard();
    model.loadStateDict(saved['model'] as Map<string, Tensor>);
    optimizer.loadStateDict(saved['optimizer'] as never);
    disposeTree(saved);
    for (const module of evaluating) module._setOwnTraining(false);
    if (loaderState !== undefined) loader.loadStateDict?.(loaderState);
    else if (typeof epoch === 'number') loader.epoch = epoch;
    defaultGenerator.setState(random);
  }
  return { lrs, losses, smoothed, suggestion: steepest(lrs, smoothed) };
}
