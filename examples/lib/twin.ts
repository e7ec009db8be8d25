// The same program in PyTorch (bench/peers/programs) starts from what is written here, so that both begin with the same
// weights, take the same samples in the same order, and have the same hyperparameters.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { data, fromTypedArray, type nn, safetensors, type Tensor } from 'thalweg';

/** What a training was like: the programs print it as a table, and it is compared with the twin's. */
export interface RunResult {
  readonly name: string;
  /** Mean training loss of each epoch (or the loss after it, where the program says so). */
  readonly losses: readonly number[];
  /** Of training only: no loading, no testing. */
  readonly seconds: number;
  /** Steps of the optimizer. */
  readonly updates: number;
  /** What the program is about: accuracy, distance from the solution ... */
  readonly final: Readonly<Record<string, number>>;
}

export interface Twin {
  /** Initial weights of a model, by name. */
  weights(name: string, model: nn.AnyModule): Promise<void>;
  tensors(name: string, tensors: Readonly<Record<string, Tensor>>): Promise<void>;
  /** The orders of the epochs of a DataLoader that shuffles with this seed: one row an epoch. */
  orders(name: string, length: number, seed: number, epochs: number): Promise<void>;
  /** Everything else: hyperparameters and what goes with which file. */
  plan(plan: Readonly<Record<string, unknown>>): Promise<void>;
  results(runs: readonly RunResult[]): Promise<void>;
}

/** Writes into a folder; without one, nothing happens. */
export function twinIn(folder: string | undefined): Twin {
  const write = async (name: string, tensors: safetensors.NamedTensors): Promise<void> => {
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await safetensors.save(join(folder, `${name}.safetensors`), tensors);
  };
  const json = async (name: string, value: unknown): Promise<void> => {
    if (folder === undefined) return;
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, name), `${JSON.stringify(value, null, 1)}\n`);
  };
  return {
    weights: (name, model) => write(name, model.stateDict()),
    tensors: (name, tensors) => write(name, tensors),
    async orders(name, length, seed, epochs) {
      if (folder === undefined) return;
      const orders = new Int32Array(epochs * length);
      for (let epoch = 0; epoch < epochs; epoch++)
        orders.set(data.shuffledIndices(length, seed, epoch), epoch * length);
      await write(name, { order: fromTypedArray(orders, [epochs, length]) });
    },
    plan: (plan) => json('plan.json', plan),
    results: (runs) => json('result.json', { runs }),
  };
}
