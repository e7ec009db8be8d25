// A run under way: the loop over epochs and batches, and what callbacks see of it.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GradScaler } from '../amp/gradScaler.js';
import type { Device } from '../device.js';
import { ArgumentError, type ThalwegError } from '../errors.js';
import { tidy } from '../memory.js';
import type { AnyModule } from '../nn/module.js';
import { defaultGenerator } from '../ops/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { leaveEpoch, moveBatch, nextBatch, startEpoch, type BatchSource, type LoaderLike } from './batches.js';
import type { Callback, EpochRecord, Logs, Run, StepNumbers, StepRecord } from './callback.js';
import { detached, release, type Compute } from './compute.js';
import { BLOCKED_MS, gather, inEvaluation, TURN_MS } from './evaluate.js';
import { validationName, type Running } from './running.js';
import {
  checkState,
  restoreCallbacks,
  restoreLearning,
  restoreRun,
  saveState,
  type Position,
  type RunState,
} from './runState.js';
import type { Schedules } from './schedules.js';
import { disposeTree, type StateTree } from './stateTree.js';
import { lossOf, needsClosure, releaseUpdate, type AnyOptimizer, type Updated, type Updater } from './update.js';

/** What a run is made of. */
export interface RunParts<Batch> {
  readonly op: string;
  readonly model: AnyModule;
  readonly optimizer: AnyOptimizer;
  readonly source: BatchSource<Batch>;
  readonly validation: BatchSource<Batch> | undefined;
  readonly validateEvery: number;
  readonly compute: Compute<Batch>;
  readonly updater: Updater;
  readonly schedules: Schedules;
  readonly scaler: GradScaler | undefined;
  /** Of the training data. */
  readonly running: Running;
  /** Of the validation data. */
  readonly validating: Running;
  readonly callbacks: readonly Callback[];
  readonly device: Device | undefined;
  readonly accumulate: number;
  readonly epochs: number;
  readonly monitor: string;
  readonly mode: 'min' | 'max';
  readonly signal: AbortSignal | undefined;
  readonly config: Readonly<Record<string, unknown>>;
}

type Event = {
  [K in keyof Callback]-?: Required<Callback>[K] extends (run: Run, ...rest: never[]) => void | Promise<void>
    ? K
    : never;
}[keyof Callback];

/** See `Run`. */
export class FitRun<Batch> implements Run {
  epochs: number;
  epoch = 0;
  step = 0;
  /** Batches of the epoch that are done. */
  batch = 0;
  stopReason: string | undefined;
  readonly history: EpochRecord[] = [];
  readonly notes: StepNumbers[] = [];
  /** Seconds of training in the epoch. */
  private seconds = 0;
  private lr = Number.NaN;
  /** Batches of an epoch that is over; for loaders that do not say. */
  private counted = Infinity;
  private lastTurn = performance.now();
  resumedFrom: string | undefined;
  /** Taken when the callbacks have started. */
  private resumed: RunState | undefined;
  /** Batches of the first epoch that are passed over. */
  private skip = 0;
  private nextBatchSize: number | undefined;
  /** The number that a loader without a state has for the epoch under way. */
  private epochStarted: number | undefined;
  private recorded: { readonly batch: Batch; readonly random: ReturnType<typeof defaultGenerator.getState> }[] | null =
    null;

  constructor(private readonly parts: RunParts<Batch>) {
    this.epochs = parts.epochs;
  }

  get model(): AnyModule {
    return this.parts.model;
  }

  get optimizer(): AnyOptimizer {
    return this.parts.optimizer;
  }

  get config(): Readonly<Record<string, unknown>> {
    return this.parts.config;
  }

  get monitor(): string {
    return this.parts.monitor;
  }

  get mode(): 'min' | 'max' {
    return this.parts.mode;
  }

  private get loader(): LoaderLike {
    return this.parts.source as LoaderLike;
  }

  get batchesPerEpoch(): number {
    return this.loader.length ?? this.counted;
  }

  get batchSize(): number {
    return this.loader.batchSize ?? Number.NaN;
  }

  set batchSize(size: number) {
    if (typeof this.loader.batchSize !== 'number')
      throw new ArgumentError(`${this.parts.op}: the data has no batch size that could be changed; pass a DataLoader.`);
    this.loader.batchSize = size;
  }

  stop(reason: string): void {
    this.stopReason ??= reason;
  }

  note(numbers: Logs): void {
    this.notes.push({ step: this.step, epoch: this.epoch, numbers: { ...numbers } });
  }

  private async emit<E extends Event>(
    event: E,
    ...args: Parameters<Required<Callback>[E]> extends [Run, ...infer R] ? R : never
  ): Promise<void> {
    for (const callback of this.parts.callbacks) {
      const method = callback[event] as ((run: Run, ...rest: unknown[]) => void | Promise<void>) | undefined;
      if (method !== undefined) await method.call(callback, this, ...args);
    }
  }

  private has(event: Event): boolean {
    return this.parts.callbacks.some((callback) => callback[event] !== undefined);
  }

  /** All epochs. Errors go to the callbacks, and then on. */
  async run(): Promise<void> {
    const { model } = this.parts;
    const wasEvaluating = model.modules().filter((module) => !module.training);
    model.train();
    // Schedule-free methods have other weights for evaluation: those stay in the model at the end.
    const optimizer = this.optimizer as { eval?(): void; train?(): void };
    optimizer.train?.();
    try {
      this.checkSignal();
      await this.emit('onFitStart');
      this.finishResume();
      while (this.epoch < this.epochs && this.stopReason === undefined) await this.runEpoch();
      optimizer.eval?.();
      await this.emit('onFitEnd');
    } catch (error) {
      this.parts.updater.discard();
      for (const callback of this.parts.callbacks) await callback.onError?.(this, error);
      throw error;
    } finally {
      for (const module of wasEvaluating) module._setOwnTraining(false);
    }
  }

  private checkSignal(): void {
    if (this.parts.signal?.aborted === true) this.stop('aborted');
  }

  private async runEpoch(): Promise<void> {
    const { running, updater, schedules, source } = this.parts;
    const resumed = this.resumed?.position.batch ? this.resumed : undefined;
    this.resumed = undefined;
    if (resumed === undefined) {
      running.reset();
      this.batch = 0;
      this.seconds = 0;
    }
    await this.emit('onEpochStart');
    const start = performance.now();
    this.epochStarted = this.loader.epoch;
    // Schedules and callbacks have set that of the next epoch.
    const size = (resumed?.loader['state'] as { batchSize?: number } | undefined)?.batchSize;
    if (size !== undefined && size > 0 && size !== this.batchSize) this.batchSize = size;
    const iterator = startEpoch(source);
    const { batchSize } = this;
    if (resumed !== undefined) await this.passOver(iterator, resumed);
    let done = false;
    try {
      done = await this.runBatches(iterator);
    } finally {
      if (!done) leaveEpoch(iterator);
      // Batches that wait for others make no update of their own.
      if (!done && updater.pending > 0) updater.discard();
    }
    if (!done) return;
    this.counted = this.batch;
    if (this.batch === 0) throw this.noBatches();
    const { logs, values } = await running.read();
    this.seconds += (performance.now() - start) / 1000;
    const { samples } = running;
    if (!(await this.validate(logs, values))) return;
    const record: EpochRecord = {
      epoch: this.epoch,
      step: this.step,
      lr: this.lr,
      batchSize: Number.isNaN(batchSize) ? Math.round(samples / this.batch) : batchSize,
      seconds: this.seconds,
      samples,
      logs,
      ...(Object.keys(values).length > 0 ? { values } : {}),
    };
    this.history.push(record);
    schedules.afterEpoch(logs);
    await this.emit('onEpochEnd', record);
    this.epoch++;
    this.batch = 0;
    this.checkSignal();
    await this.emit('onSafePoint', { record, stopping: this.stopReason !== undefined || this.epoch >= this.epochs });
  }

  /** In an epoch that was begun before. */
  private async passOver(iterator: AsyncIterator<Batch> | Iterator<Batch>, { random }: RunState): Promise<void> {
    for (; this.skip > 0; this.skip--) {
      if ((await nextBatch(iterator, this.parts.signal)) == null) break;
    }
    this.skip = 0;
    // Batches that were passed over may have drawn numbers.
    defaultGenerator.setState(random);
  }

  private noBatches(): ThalwegError {
    const { op } = this.parts;
    if (this.epoch > 0)
      return new ArgumentError(
        `${op}: data gave no batch in epoch ${this.epoch}; a generator can be iterated once only: pass a DataLoader or an array.`,
      );
    return new ArgumentError(
      `${op}: data gave no batch; is the dataset empty, or smaller than a batch and dropLast set?`,
    );
  }

  /** The batches of an epoch. False: the run was stopped before its end. */
  private async runBatches(iterator: AsyncIterator<Batch> | Iterator<Batch>): Promise<boolean> {
    const { accumulate, updater, signal, optimizer } = this.parts;
    const closure = needsClosure(optimizer);
    const nextSize = this.nextBatchSize;
    this.nextBatchSize = undefined;
    let first = true;
    for (;;) {
      const next = await nextBatch(iterator, signal);
      if (next === undefined) {
        this.stop('aborted');
        // What waits for other batches is in the running means already: there is no going on from here.
        if (updater.pending === 0 && this.batch > 0)
          await this.emit('onSafePoint', { record: undefined, stopping: true });
        return false;
      }
      if (next === null) {
        if (updater.pending > 0) await this.update();
        return true;
      }
      // What a schedule had set before the run was interrupted, for the epoch after this one.
      if (first && nextSize !== undefined && nextSize !== this.batchSize) this.batchSize = nextSize;
      first = false;
      const start = performance.now();
      this.recorded?.push({ batch: next.batch, random: defaultGenerator.getState() });
      await (closure ? this.closureStep(next.batch) : this.accumulateBatch(next.batch));
      if (performance.now() - start > BLOCKED_MS) await this.parts.running.settle();
      await this.turn();
      if (updater.pending > 0 && updater.pending < accumulate) continue;
      const taken = closure || (await this.update());
      this.checkSignal();
      // After the last batch comes the end of the epoch, which is a safe point of its own.
      const last = this.batch === this.loader.length;
      const stopping = this.stopReason !== undefined;
      if ((taken && !last) || stopping) await this.emit('onSafePoint', { record: undefined, stopping });
      if (stopping) return false;
    }
  }

  private async turn(): Promise<void> {
    if (performance.now() - this.lastTurn <= TURN_MS) return;
    await nextTurn();
    this.lastTurn = performance.now();
  }

  private accumulateBatch(given: Batch): void {
    const { compute, updater, running, device } = this.parts;
    const copies: Tensor[] = [];
    const batch = moveBatch(given, device, copies);
    const computed = tidy(() => {
      const made = compute(batch);
      updater.backward(made);
      return detached(made);
    });
    running.add(computed);
    release(computed);
    for (const copy of copies) copy.dispose();
    this.batch++;
  }

  private async closureStep(given: Batch): Promise<void> {
    const { compute, updater, running, device } = this.parts;
    const copies: Tensor[] = [];
    const batch = moveBatch(given, device, copies);
    const { computed, updated } = tidy(() => {
      const result = updater.stepWithClosure(() => compute(batch));
      return { computed: detached(result.computed), updated: result.updated };
    });
    running.add(computed);
    release(computed);
    for (const copy of copies) copy.dispose();
    this.batch++;
    await this.afterUpdate(updated);
  }

  /** Makes an update of the gradients that are waiting. False: a callback has put the run back before it. */
  private async update(): Promise<boolean> {
    const { updater } = this.parts;
    updater.finishGradients();
    if (this.has('onGradients')) {
      await this.emit('onGradients', updater.record());
      // A callback has rolled back.
      if (updater.pending === 0) return false;
    }
    await this.afterUpdate(updater.step());
    return true;
  }

  private async afterUpdate(updated: Updated): Promise<void> {
    this.step++;
    this.lr = (this.optimizer.paramGroups[0] as { lr?: number }).lr ?? Number.NaN;
    this.parts.schedules.afterStep();
    if (this.has('onStep')) {
      let loss: Promise<number> | undefined;
      let gradNorm: Promise<number> | undefined;
      const record: StepRecord = {
        step: this.step,
        epoch: this.epoch,
        batch: this.batch - 1,
        samples: updated.samples,
        lr: this.lr,
        loss: () => (loss ??= lossOf(updated)),
        gradNorm: async () =>
          updated.gradNorm === undefined ? undefined : (gradNorm ??= updated.gradNorm.item().then(Number)),
      };
      await this.emit('onStep', record);
    }
    releaseUpdate(updated);
  }

  /** Adds the validation's numbers to the logs. False: the signal came first. */
  private async validate(logs: Record<string, number>, values: Record<string, unknown>): Promise<boolean> {
    const { validation, validateEvery, validating, compute, device, signal, model } = this.parts;
    const due = (this.epoch + 1) % validateEvery === 0 || this.epoch + 1 >= this.epochs;
    if (validation === undefined || !due) return true;
    const optimizer = this.optimizer as { eval?(): void; train?(): void };
    optimizer.eval?.();
    let whole = false;
    try {
      await this.emit('onValidationStart');
      whole = await inEvaluation(model, async () => gather(validation, compute, validating, device, signal));
      if (whole) {
        if (validating.samples === 0) throw new ArgumentError(`${this.parts.op}: validation gave no batch.`);
        const totals = await validating.read();
        for (const [name, value] of Object.entries(totals.logs)) logs[validationName(name)] = value;
        for (const [name, value] of Object.entries(totals.values)) values[validationName(name)] = value;
        await this.emit('onValidated', logs);
      }
    } finally {
      await this.emit('onValidationEnd');
      optimizer.train?.();
    }
    if (!whole) this.stop('aborted');
    return whole;
  }

  private get position(): Position {
    return { epoch: this.epoch, batch: this.batch, step: this.step, seconds: this.seconds, lr: this.lr };
  }

  state(): StateTree {
    return saveState(this.parts, this.position, this.epochStarted, this.history, this.notes);
  }

  /** Continues where a state was taken, and frees it; before `run`. */
  resume(tree: StateTree, from: string): void {
    this.skip = restoreRun(this.parts, tree, from);
    const state = tree as RunState;
    const { epoch, batch, step, seconds, lr } = state.position;
    Object.assign(this, { epoch, batch, step, seconds, lr });
    this.history.push(...state.history);
    this.notes.push(...state.notes);
    this.resumedFrom = from;
    this.resumed = state;
    if (batch > 0) this.nextBatchSize = state.batchSize ?? undefined;
  }

  private finishResume(): void {
    const { resumed } = this;
    if (resumed === undefined) return;
    restoreCallbacks(this.parts.op, this.parts.callbacks, resumed.callbacks);
    defaultGenerator.setState(resumed.random);
    // Everybody has copies now.
    disposeTree(resumed);
  }

  rollback(state: StateTree): void {
    const { parts } = this;
    checkState(state);
    parts.updater.discard();
    restoreLearning(parts, state);
    const { epoch, batch } = state.position;
    // The means of the epoch without what is undone.
    if (epoch === this.epoch && batch > 0) parts.running.loadStateDict(state.running);
    else parts.running.reset();
    restoreCallbacks(parts.op, parts.callbacks, state.callbacks);
    this.recorded = null;
  }

  scaleLr(factor: number): void {
    for (const group of this.optimizer.paramGroups as { lr?: number; initialLr?: number }[]) {
      if (group.lr !== undefined) group.lr *= factor;
      if (group.initialLr !== undefined) group.initialLr *= factor;
    }
    this.parts.schedules.scale(factor);
  }

  record(): void {
    this.recorded = [];
  }

  replay(state: StateTree): unknown {
    const { parts, recorded } = this;
    if (recorded === null) throw new ArgumentError(`${parts.op}: replay needs record() before.`);
    checkState(state);
    const random = defaultGenerator.getState();
    try {
      parts.updater.discard();
      restoreLearning(parts, state);
      for (const { batch, random: then } of recorded) {
        defaultGenerator.setState(then);
        this.redo(batch);
      }
      return undefined;
    } catch (error) {
      return error;
    } finally {
      this.rollback(state);
      defaultGenerator.setState(random);
    }
  }

  /** What was done with a batch, without those who watch. */
  private redo(given: Batch): void {
    const { compute, updater, device, accumulate, schedules } = this.parts;
    const copies: Tensor[] = [];
    const batch = moveBatch(given, device, copies);
    try {
      if (needsClosure(this.optimizer)) {
        releaseUpdate(tidy(() => updater.stepWithClosure(() => compute(batch)).updated));
        schedules.afterStep();
        return;
      }
      tidy(() => {
        updater.backward(compute(batch));
      });
      if (updater.pending < accumulate) return;
      updater.finishGradients();
      releaseUpdate(updater.step());
      schedules.afterStep();
    } finally {
      for (const copy of copies) copy.dispose();
    }
  }
}
