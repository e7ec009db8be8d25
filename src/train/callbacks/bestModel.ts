// The weights of the best epoch.
import type { AnyModule } from '../../nn/module.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Callback, EpochRecord, Logs, Run } from '../callback.js';
import { copyTree, disposeTree } from '../stateTree.js';
import { Monitor, type MonitorOptions } from './monitor.js';

/** A copy of a model's weights. */
export class KeptWeights {
  private tensors: Map<string, Tensor> | null = null;

  /** Copies them, in place of those kept before. */
  keep(model: AnyModule): void {
    this.drop();
    this.tensors = copyTree({ model: model.stateDict() })['model'] as Map<string, Tensor>;
  }

  /** Puts them back. False: there are none. */
  restore(model: AnyModule): boolean {
    if (this.tensors === null) return false;
    model.loadStateDict(this.tensors);
    return true;
  }

  /** Frees them. */
  drop(): void {
    if (this.tensors !== null) disposeTree({ model: this.tensors });
    this.tensors = null;
  }

  /** For a checkpoint. */
  stateDict(): Map<string, Tensor> | null {
    return this.tensors;
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: unknown): void {
    this.drop();
    if (state instanceof Map) this.tensors = copyTree({ model: state })['model'] as Map<string, Tensor>;
  }
}

/**
 * Keeps the weights of the epoch with the best monitored number in memory, and puts them back into the model when the run is
 * over. They are those that were validated: with `train.EMA`, the averages.
 *
 * @example
 * await train.fit(model, { ...options, monitor: 'valAccuracy', callbacks: [new train.BestModel()] });
 */
export class BestModel implements Callback {
  private readonly monitor: Monitor;
  private readonly weights = new KeptWeights();

  /** @throws ArgumentError for options out of range */
  constructor(options: MonitorOptions = {}) {
    this.monitor = new Monitor('BestModel', options);
  }

  /** The epoch whose weights are kept, from 0; null before the first. */
  get bestEpoch(): number | null {
    return this.monitor.bestEpoch;
  }

  private look(run: Run, epoch: number, logs: Logs): void {
    if (this.monitor.look(run, epoch, logs) === true) this.weights.keep(run.model);
  }

  /** Keeps the weights if they are the best. */
  onValidated(run: Run, logs: Logs): void {
    this.look(run, run.epoch, logs);
  }

  /** The same, of a run without validation. */
  onEpochEnd(run: Run, { epoch, logs }: EpochRecord): void {
    this.look(run, epoch, logs);
  }

  /** Puts the best weights into the model. */
  onFitEnd(run: Run): void {
    this.weights.restore(run.model);
    this.weights.drop();
  }

  /** Frees what was kept. */
  onError(): void {
    this.weights.drop();
  }

  /** The best number, and the weights. */
  stateDict(): Record<string, unknown> {
    return { monitor: this.monitor.stateDict(), weights: this.weights.stateDict() };
  }

  /** Takes what `stateDict` gave. */
  loadStateDict(state: Record<string, unknown>): void {
    this.monitor.loadStateDict(state['monitor'] as Record<string, unknown>);
    this.weights.loadStateDict(state['weights']);
  }
}
