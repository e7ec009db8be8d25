import { optim, type nn, type Tensor } from 'thalweg';

/** A model with its data. */
export interface Subject {
  readonly model: nn.AnyModule;
  /** One step of training on the batch that it was made for. */
  train(): void;
  /** What the model is for, with one example. */
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
  /** Operations of a training step. */
  trainFlops(batch: number): number;
  /** Operations of what one example needs. */
  readonly inferFlops: number;
  /** Numbers that training changes, and those of them that one example reads. */
  readonly parameters: number;
  readonly inferParameters?: number;
  make(batch: number): Subject;
}

/** A step with Adam that lowers a loss. */
export function withAdam(model: nn.AnyModule, loss: () => Tensor): () => void {
  const adam = new optim.Adam(model.parameters(), { lr: 1e-4 });
  return () => {
    const value = loss();
    adam.zeroGrad();
    value.backward();
    adam.step();
  };
}
