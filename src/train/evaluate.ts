// Loss and metrics without learning, and predictions.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { autocast } from '../amp/autocast.js';
import type { AutocastDType } from '../amp/state.js';
import { noGrad } from '../autograd/mode.js';
import { TensorDataset, type Dataset } from '../data/dataset.js';
import { checkDevice, type Device } from '../device.js';
import { ArgumentError } from '../errors.js';
import { keep, tidy } from '../memory.js';
import type { AnyModule } from '../nn/module.js';
import { cat } from '../ops/join.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import {
  leaveEpoch,
  moveBatch,
  nextBatch,
  startEpoch,
  toBatches,
  type BatchSource,
  type DataSource,
} from './batches.js';
import type { Logs } from './callback.js';
import { computeOf, detached, release, type Compute, type Forward, type Loss } from './compute.js';
import { namedMetrics, Running, type Metrics } from './running.js';

/** Options of `train.evaluate`. */
export interface EvaluateOptions<M extends AnyModule, Batch> {
  /** The loss of `model.forward(x)` and y, for batches `[x, y]`. */
  readonly loss?: Loss;
  /** Computes loss and output instead. */
  readonly forward?: Forward<M, Batch>;
  /** What to compute beside the loss. They keep what they have gathered: `await confusion.compute()` reads it again. */
  readonly metrics?: Metrics;
  /** Samples in a batch, where the data is a dataset. Default 32. */
  readonly batchSize?: number;
  /** Where to compute: the model is moved there, and each batch. */
  readonly device?: Device;
  /** Compute in 16 bits where that is safe. */
  readonly amp?: AutocastDType;
  /** Stops it: an error is thrown, the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of `train.predict`. */
export interface PredictOptions<M extends AnyModule, Batch> {
  /** Computes the output of a batch. Default: `model.forward(x)` of a batch that is x or begins with it. */
  readonly forward?: (model: M, batch: Batch) => Tensor;
  /** Samples in a batch, where the data is a dataset or a tensor. Default 32. */
  readonly batchSize?: number;
  /** Where to compute: the model is moved there, and each batch. */
  readonly device?: Device;
  /** Compute in 16 bits where that is safe. */
  readonly amp?: AutocastDType;
  /** Stops it: an error is thrown, the signal's reason. */
  readonly signal?: AbortSignal;
}

/** After this many milliseconds of JavaScript, timers and sockets get their turn. */
export const TURN_MS = 4;

/** A step that takes JavaScript longer than this has waited for the device: the next one waits for it without blocking. */
export const BLOCKED_MS = 20;

/** Runs `fn` with the model in evaluation mode, and puts the mode of each of its modules back. */
export async function inEvaluation<T>(model: AnyModule, fn: () => Promise<T>): Promise<T> {
  const training = model.modules().filter((module) => module.training);
  model.eval();
  try {
    return await fn();
  } finally {
    // One by one: a part may have been in evaluation mode before.
    for (const module of training) module._setOwnTraining(true);
  }
}

/** Goes through the batches once, without gradients. False: the signal came first. */
export async function passOver<Batch>(
  source: BatchSource<Batch>,
  device: Device | undefined,
  signal: AbortSignal | undefined,
  visit: (batch: Batch) => Promise<void> | void,
): Promise<boolean> {
  const iterator = startEpoch(source);
  let lastTurn = performance.now();
  let done = false;
  try {
    for (;;) {
      const next = await nextBatch(iterator, signal);
      if (next === undefined) return false;
      if (next === null) {
        done = true;
        return true;
      }
      const copies: Tensor[] = [];
      await visit(moveBatch(next.batch, device, copies));
      for (const copy of copies) copy.dispose();
      if (performance.now() - lastTurn > TURN_MS) {
        await nextTurn();
        lastTurn = performance.now();
      }
    }
  } finally {
    if (!done) leaveEpoch(iterator);
  }
}

/** Adds all batches to running means. False: the signal came first. */
export async function gather<Batch>(
  source: BatchSource<Batch>,
  compute: Compute<Batch>,
  running: Running,
  device: Device | undefined,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  running.reset();
  return passOver(source, device, signal, async (batch) => {
    const start = performance.now();
    const computed = noGrad(() => tidy(() => detached(compute(batch))));
    running.add(computed);
    release(computed);
    if (performance.now() - start > BLOCKED_MS) await running.settle();
  });
}

/**
 * The loss and the metrics of a model over data: in evaluation mode, without gradients. Afterwards the model is in the mode
 * that it was in.
 *
 * @param data a DataLoader, a dataset, or batches
 * @returns `loss`, weighted by samples, and each metric that is a number, by name
 * @throws ArgumentError for data without a batch, or of another form
 * @example
 * const { loss, accuracy } = await train.evaluate(model, test, {
 *   loss: nn.functional.crossEntropy,
 *   metrics: [new metrics.Accuracy()],
 * });
 */
export async function evaluate<M extends AnyModule, Batch = readonly [Tensor, Tensor]>(
  model: M,
  data: DataSource<Batch>,
  options: EvaluateOptions<M, Batch>,
): Promise<Logs> {
  const op = 'train.evaluate';
  const { signal } = options;
  const compute = computeOf(op, model, options);
  const running = new Running(op, namedMetrics(op, options.metrics));
  const source = toBatches(op, 'data', data, { batchSize: options.batchSize, shuffle: false });
  const device = options.device === undefined ? undefined : checkDevice(op, options.device);
  if (device !== undefined) model.to(device);
  const whole = await inEvaluation(model, async () => gather(source, compute, running, device, signal));
  if (!whole) signal?.throwIfAborted();
  if (running.samples === 0) throw new ArgumentError(`${op}: data gave no batch.`);
  return (await running.read()).logs;
}

function rowsOf(x: Tensor): Dataset<Tensor, Tensor> {
  const rows = new TensorDataset(x);
  return {
    length: rows.length,
    get: (index) => x.select(0, index),
    batch: (indices) => rows.batch(indices)[0],
  };
}

/**
 * What a model gives for data, in evaluation mode and without gradients: the outputs of all batches, one after the other.
 *
 * @param data a tensor, a DataLoader, a dataset, or batches; of a batch `[x, y]` only x is used
 * @returns the outputs along the first dimension, on the model's device
 * @throws ArgumentError for data without a batch, or an output that is no tensor
 * @example
 * const digits = (await train.predict(model, images)).argmax(1);
 */
export async function predict<M extends AnyModule, Batch = unknown>(
  model: M,
  data: DataSource<Batch> | Tensor,
  options: PredictOptions<M, Batch> = {},
): Promise<Tensor> {
  const op = 'train.predict';
  const { signal, amp } = options;
  const given = isTensor(data) ? (rowsOf(data) as unknown as DataSource<Batch>) : data;
  const source = toBatches(op, 'data', given, { batchSize: options.batchSize, shuffle: false });
  const device = options.device === undefined ? undefined : checkDevice(op, options.device);
  if (device !== undefined) model.to(device);
  const forward =
    options.forward ??
    ((m: M, batch: Batch): Tensor => {
      const x: unknown = Array.isArray(batch) ? (batch as unknown[])[0] : batch;
      return (m as unknown as { forward(input: unknown): Tensor }).forward(x);
    });
  const outputs: Tensor[] = [];
  const whole = await inEvaluation(model, async () =>
    passOver(source, device, signal, (batch) => {
      const run = (): Tensor => {
        const output: unknown = forward(model, batch);
        if (!isTensor(output) || output.shape.length === 0) {
          throw new ArgumentError(
            `${op}: the model gave ${isTensor(output) ? 'a scalar' : `a ${typeof output}`}, expected a tensor with the batch as its first dimension; pass forward to make one.`,
          );
        }
        // A tensor of its own: a model may give what it was given, which belongs to somebody else.
        return output.detach();
      };
      outputs.push(keep(noGrad(() => tidy(() => (amp === undefined ? run() : autocast({ dtype: amp }, run))))));
    }),
  );
  if (!whole) signal?.throwIfAborted();
  if (outputs.length === 0) throw new ArgumentError(`${op}: data gave no batch.`);
  if (outputs.length === 1) return outputs[0];
  const all: Tensor = noGrad(() => cat(outputs, 0));
  for (const output of outputs) output.dispose();
  return all;
}
