// A number that says how good predictions are, gathered over batches.
import type { Tensor } from '../tensor/tensor.js';

/** What a metric computes: a number, one for each class, or a matrix. */
export type MetricValue = number | readonly number[] | readonly (readonly number[])[];

/**
 * A metric over many batches. `update` only queues work; `compute` reads the result.
 *
 * @example
 * const accuracy = new metrics.Accuracy();
 * for await (const [x, y] of test) accuracy.update(model.forward(x), y);
 * console.log(await accuracy.compute());
 */
export interface Metric<Value extends MetricValue = MetricValue> {
  /** Its key in logs: `accuracy`. */
  readonly name: string;
  /** Takes a batch of what the model gave, and of what it should have given. */
  update(output: Tensor, target: Tensor): void;
  /** The value over everything since the last reset. */
  compute(): Promise<Value>;
  /** Forgets everything. */
  reset(): void;
  /** What has been gathered, for a checkpoint in the middle of an epoch: plain JSON, and tensors. */
  stateDict?(): Record<string, unknown>;
  /** Takes what `stateDict` gave. Tensors are copied. */
  loadStateDict?(state: Record<string, unknown>): void;
}
