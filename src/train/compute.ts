// From a batch to its loss: what training, validation and evaluation share.
import { autocast } from '../amp/autocast.js';
import type { AutocastDType } from '../amp/state.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError, GradError, ShapeError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import { formatShape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { samplesOf } from './batches.js';

/** A loss: a function of what the model gave and what it should have given, or a module such as `nn.MSELoss`. */
export type Loss = ((output: Tensor, target: Tensor) => Tensor) | LossModule;

/** A module that computes a loss. */
export interface LossModule {
  /** The loss, a scalar. */
  forward(output: Tensor, target: Tensor): unknown;
}

/** What a `forward` of one's own gives for a batch. */
export interface ForwardResult {
  /** The loss, a scalar: the mean over the samples. */
  readonly loss: Tensor;
  /** What the model gave, for metrics. */
  readonly output?: Tensor;
  /** What it should have given, for metrics. */
  readonly target?: Tensor;
  /**
   * What the loss is the mean of: samples, or tokens. The weight of the batch in the mean over the epoch and in accumulated
   * gradients. Default: the first size of the batch's first tensor.
   */
  readonly samples?: number;
}

/** Computes the loss of a batch, where `model.forward(x)` and `loss(output, y)` will not do. */
export type Forward<M, Batch> = (model: M, batch: Batch) => ForwardResult;

/** What is known of a batch when its loss is computed. */
export interface Computed {
  readonly loss: Tensor;
  readonly output: Tensor | undefined;
  readonly target: Tensor | undefined;
  readonly samples: number;
}

/** Computes the loss of a batch. Synchronous, so that it can run inside `tidy`. */
export type Compute<Batch> = (batch: Batch) => Computed;

/** What `computeOf` needs to know. */
export interface ComputeOptions<M, Batch> {
  readonly loss?: Loss | undefined;
  readonly forward?: Forward<M, Batch> | undefined;
  readonly amp?: AutocastDType | undefined;
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (isTensor(value)) return `a tensor of shape ${formatShape(value.shape)}`;
  if (value instanceof Promise) return 'a promise';
  return typeof value === 'object'
    ? `an object with ${Object.keys(value).join(', ') || 'no keys'}`
    : `a ${typeof value}`;
}

function checkLoss(op: string, loss: unknown): Tensor {
  if (!isTensor(loss)) {
    const hint = loss instanceof Promise ? ' The loss must be computed synchronously: tensors need no await.' : '';
    throw new ArgumentError(`${op}: the loss is ${describe(loss)}, expected a tensor.${hint}`);
  }
  if (loss.numel !== 1) {
    throw new ShapeError(
      `${op}: the loss has shape ${formatShape(loss.shape)}, expected a scalar; take its mean(), or use the reduction 'mean'.`,
    );
  }
  if (!isFloating(loss.dtype)) throw new DTypeError(`${op}: the loss is ${loss.dtype}, expected a float tensor.`);
  return loss.shape.length === 0 ? loss : loss.reshape([]);
}

/** A loss as a function. Throws ArgumentError if it is none. */
export function lossFunction(op: string, loss: Loss | undefined): ((output: Tensor, target: Tensor) => unknown) | null {
  if (loss === undefined) return null;
  if (typeof loss === 'function') return loss;
  if (typeof (loss as { forward?: unknown } | null)?.forward === 'function')
    return (output, target) => loss.forward(output, target);
  throw new ArgumentError(
    `${op}: loss must be a function of output and target, or a module such as nn.MSELoss, got ${describe(loss)}.`,
  );
}

/** A batch of the default form. Throws ArgumentError for any other. */
export function pairOf(op: string, batch: unknown): readonly [unknown, Tensor] {
  if (!Array.isArray(batch) || batch.length !== 2 || !isTensor(batch[1])) {
    throw new ArgumentError(
      `${op}: a batch is ${describe(batch)}, expected [x, y]; for batches of another form pass ` +
        `forward: (model, batch) => ({ loss }).`,
    );
  }
  return batch as unknown as readonly [unknown, Tensor];
}

const forwardOf = (model: AnyModule, x: unknown): unknown => (model as { forward(input: unknown): unknown }).forward(x);

/**
 * What computes the loss of a batch.
 *
 * @throws ArgumentError without a loss and a forward, or with both
 */
export function computeOf<M extends AnyModule, Batch>(
  op: string,
  model: M,
  options: ComputeOptions<M, Batch>,
): Compute<Batch> {
  const { forward, amp } = options;
  const loss = lossFunction(op, options.loss);
  if (forward !== undefined && typeof forward !== 'function')
    throw new ArgumentError(`${op}: forward must be a function, got ${describe(forward)}.`);
  if (forward !== undefined && loss !== null)
    throw new ArgumentError(`${op}: pass either loss or forward: forward computes the loss itself.`);
  if (forward === undefined && loss === null)
    throw new ArgumentError(`${op}: pass a loss such as nn.functional.crossEntropy, or a forward that computes it.`);
  if (amp !== undefined && amp !== 'bfloat16' && amp !== 'float16')
    throw new ArgumentError(`${op}: amp must be 'bfloat16' or 'float16', got ${JSON.stringify(amp)}.`);

  const run = (batch: Batch): Computed => {
    if (forward !== undefined) {
      const given = forward(model, batch) as ForwardResult | undefined;
      if (typeof given !== 'object' || given === null || !('loss' in given))
        throw new ArgumentError(`${op}: forward gave ${describe(given)}, expected { loss, output, target, samples }.`);
      const samples = given.samples ?? samplesOf(batch);
      if (typeof samples !== 'number' || !(samples > 0) || !Number.isFinite(samples))
        throw new ArgumentError(`${op}: forward gave samples ${String(samples)}, expected a number > 0.`);
      return { loss: checkLoss(op, given.loss), output: given.output, target: given.target, samples };
    }
    const [x, target] = pairOf(op, batch);
    const output = forwardOf(model, x);
    if (!isTensor(output)) {
      throw new ArgumentError(
        `${op}: the model gave ${describe(output)}, expected a tensor; pass forward: (model, batch) => ({ loss }) to make a loss of it.`,
      );
    }
    return { loss: checkLoss(op, loss!(output, target)), output, target, samples: samplesOf(batch) };
  };
  return amp === undefined ? run : (batch) => autocast({ dtype: amp }, () => run(batch));
}

/** Throws GradError if backward from this loss would change nothing. */
export function checkDifferentiable(op: string, loss: Tensor): void {
  if (!loss.requiresGrad) {
    throw new GradError(
      `${op}: the loss does not depend on any parameter that requires gradients; does the model use detach() or noGrad(), or is all of it frozen?`,
    );
  }
}

/** What outlives `tidy`: tensors of their own, outside the graph. */
export function detached({ loss, output, target, samples }: Computed): Computed {
  return { loss: loss.detach(), output: output?.detach(), target: target?.detach(), samples };
}

/** Frees what `detached` made. */
export function release({ loss, output, target }: Computed): void {
  loss.dispose();
  output?.dispose();
  target?.dispose();
}
