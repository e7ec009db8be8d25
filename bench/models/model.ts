import type { nn, Tensor } from 'thalweg';

/** A model, its training data and its loss. */
export interface Subject {
  readonly model: nn.Module;
  /** The loss of the batch it was made for. */
  loss(): Tensor;
  /** What the model is for, with one example and without gradients. */
  infer(): Tensor;
}

/** What the benchmark trains. */
export interface Model {
  readonly name: string;
  /** The layers, in a few words. */
  readonly what: string;
  readonly batches: readonly number[];
  /** Takes longer than the rest. */
  readonly slow?: boolean;
  /** Operations of a training step, and of a forward pass. */
  trainFlops(batch: number): number;
  inferFlops(): number;
  /** Parameters, which Adam reads and writes. */
  readonly parameters: number;
  make(batch: number): Subject;
}
