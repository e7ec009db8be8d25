// What a run needs to go on: taken apart for a checkpoint, and put back.
import { ArgumentError, ThalwegError } from '../errors.js';
import type { AnyModule } from '../nn/module.js';
import { defaultGenerator } from '../ops/random.js';
import { formatShape, shapesEqual } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { LoaderLike } from './batches.js';
import type { Callback, EpochRecord, StepNumbers } from './callback.js';
import type { RunParts } from './run.js';
import type { StateTree } from './stateTree.js';

/** Where a run is. */
export interface Position {
  readonly epoch: number;
  /** Batches of the epoch that are done. */
  readonly batch: number;
  readonly step: number;
  readonly seconds: number;
  readonly lr: number;
}

/** The number in every state; states of another are not read. */
const FORMAT = 1;

interface CallbackState {
  readonly name: string;
  readonly state: StateTree;
}

/** A state, as `saveState` makes it. */
export interface RunState extends StateTree {
  readonly format: number;
  readonly position: Position;
  readonly model: ReadonlyMap<string, Tensor>;
  readonly optimizer: { readonly name: string; readonly state: unknown };
  readonly schedules: readonly { readonly name: string; readonly state: StateTree }[];
  readonly scaler: unknown;
  readonly random: { readonly seed: bigint; readonly offset: number };
  readonly loader: StateTree;
  readonly validationLoader: StateTree | null;
  readonly batchSize: number | null;
  readonly running: StateTree;
  readonly history: readonly EpochRecord[];
  readonly notes: readonly StepNumbers[];
  readonly callbacks: readonly CallbackState[];
  readonly config: Readonly<Record<string, unknown>>;
}

/** Where a loader stands. One without `stateDict` has its epochs counted, and batches that were done are passed over. */
function loaderState(loader: LoaderLike, epochStarted: number | undefined, batch: number): StateTree {
  if (loader.stateDict !== undefined) return { state: loader.stateDict() };
  return { epoch: batch > 0 ? (epochStarted ?? null) : (loader.epoch ?? null), skip: batch };
}

/** Puts a loader where it stood; says how many batches of the next epoch are to be passed over. */
function restoreLoader(loader: LoaderLike, saved: StateTree): number {
  const state = saved['state'] as Record<string, unknown> | undefined;
  if (state !== undefined) {
    if (loader.loadStateDict === undefined)
      throw new ArgumentError('the data has no loadStateDict, the saved one had.');
    const size = state['batchSize'];
    if (typeof size === 'number' && size > 0 && typeof loader.batchSize === 'number' && loader.batchSize !== size)
      loader.batchSize = size;
    loader.loadStateDict(state);
    return 0;
  }
  if (loader.stateDict !== undefined) throw new ArgumentError('the data has a stateDict, the saved one had none.');
  if (typeof saved['epoch'] === 'number' && typeof loader.epoch === 'number') loader.epoch = saved['epoch'];
  return Number(saved['skip']);
}

const nameOf = (callback: Callback): string => callback.constructor.name;

/** The state of a run now. Tensors are those in use. */
export function saveState<Batch>(
  parts: RunParts<Batch>,
  position: Position,
  epochStarted: number | undefined,
  history: readonly EpochRecord[],
  notes: readonly StepNumbers[],
): RunState {
  const { model, optimizer, schedules, scaler, source, validation, running, callbacks, config } = parts;
  const loader = source as LoaderLike;
  return {
    format: FORMAT,
    position,
    model: model.stateDict(),
    optimizer: { name: optimizer.constructor.name, state: optimizer.stateDict() },
    schedules: schedules.stateDict(),
    scaler: scaler?.stateDict() ?? null,
    random: defaultGenerator.getState(),
    loader: loaderState(loader, epochStarted, position.batch),
    validationLoader: validation === undefined ? null : loaderState(validation as LoaderLike, undefined, 0),
    batchSize: loader.batchSize ?? null,
    running: running.stateDict(),
    history,
    notes,
    callbacks: callbacks.flatMap((callback) =>
      callback.stateDict === undefined ? [] : [{ name: nameOf(callback), state: callback.stateDict() }],
    ),
    config,
  };
}

/** Throws ArgumentError unless a tree is a state. */
export function checkState(tree: StateTree): asserts tree is RunState {
  const { format, position, model, optimizer, schedules, random, loader, running, history, notes, callbacks } =
    tree as Partial<RunState>;
  if (format !== FORMAT) throw new ArgumentError(`its format is ${String(format)}, this version reads ${FORMAT}.`);
  const counts = [position?.epoch, position?.batch, position?.step];
  if (!counts.every((n) => Number.isSafeInteger(n) && (n as number) >= 0))
    throw new ArgumentError('it has no position.');
  if (!(model instanceof Map) || ![...model.values()].every((value) => isTensor(value)))
    throw new ArgumentError('it has no model.');
  if (typeof optimizer?.name !== 'string' || typeof loader !== 'object' || typeof running !== 'object')
    throw new ArgumentError('it has no optimizer, or no position of the data.');
  if (![schedules, history, notes, callbacks].every((list) => Array.isArray(list)))
    throw new ArgumentError('it has no history.');
  if (typeof random?.seed !== 'bigint') throw new ArgumentError('it has no state of the random numbers.');
}

function checkModel(model: AnyModule, saved: ReadonlyMap<string, Tensor>): void {
  const own = model.stateDict();
  const missing = [...own.keys()].filter((name) => !saved.has(name));
  const unexpected = [...saved.keys()].filter((name) => !own.has(name));
  const list = (names: readonly string[]): string => names.slice(0, 8).join(', ') + (names.length > 8 ? ', ...' : '');
  if (missing.length > 0) throw new ArgumentError(`it lacks ${list(missing)} of the model.`);
  if (unexpected.length > 0) throw new ArgumentError(`it has ${list(unexpected)}, which the model has not.`);
  for (const [name, tensor] of own) {
    const { shape, dtype } = saved.get(name)!;
    if (!shapesEqual(shape, tensor.shape) || dtype !== tensor.dtype) {
      throw new ArgumentError(
        `'${name}' is ${dtype}${formatShape(shape)}, in the model ${tensor.dtype}${formatShape(tensor.shape)}.`,
      );
    }
  }
}

/** Throws ArgumentError for a state of another run. */
function checkFits<Batch>(parts: RunParts<Batch>, state: RunState): void {
  const { model, optimizer, schedules, scaler, running } = parts;
  checkModel(model, state.model);
  const name = optimizer.constructor.name;
  if (state.optimizer.name !== name)
    throw new ArgumentError(`its optimizer is ${state.optimizer.name}, this run's is ${name}.`);
  const names = (list: readonly string[]): string => list.join(', ') || 'none';
  const [saved, own] = [names(state.schedules.map((s) => s.name)), names(schedules.names)];
  if (saved !== own) throw new ArgumentError(`its schedules are ${saved}, this run's are ${own}.`);
  if ((state.scaler !== null) !== (scaler !== undefined))
    throw new ArgumentError(`it was ${state.scaler === null ? 'not ' : ''}saved with loss scaling.`);
  const metrics = state.running['metrics'] ?? {};
  const [then, now] = [names(Object.keys(metrics)), names(running.names)];
  if (state.position.batch > 0 && then !== now)
    throw new ArgumentError(`it is of the middle of an epoch with the metrics ${then}, this run has ${now}.`);
}

/** What the optimizer, the schedules and the scaler were. */
export function restoreLearning<Batch>(parts: RunParts<Batch>, state: RunState): void {
  const { model, optimizer, schedules, scaler } = parts;
  model.loadStateDict(state.model);
  optimizer.loadStateDict(state.optimizer.state as never);
  schedules.loadStateDict(state.schedules);
  scaler?.loadStateDict(state.scaler as ReturnType<typeof scaler.stateDict>);
}

/**
 * Puts a state into a new run, but for callbacks and random numbers, whose turn comes when the callbacks have started.
 *
 * @param what named in messages
 * @returns how many batches of the epoch are to be passed over
 * @throws ArgumentError saying what does not fit
 */
export function restoreRun<Batch>(parts: RunParts<Batch>, tree: StateTree, what: string): number {
  try {
    checkState(tree);
    checkFits(parts, tree);
    restoreLearning(parts, tree);
    const skip = restoreLoader(parts.source as LoaderLike, tree.loader);
    if (parts.validation !== undefined && tree.validationLoader !== null)
      restoreLoader(parts.validation as LoaderLike, tree.validationLoader);
    if (tree.position.batch > 0) parts.running.loadStateDict(tree.running);
    return skip;
  } catch (error) {
    if (!(error instanceof ThalwegError || error instanceof TypeError)) throw error;
    throw new ArgumentError(`${parts.op}: the checkpoint ${what} does not fit this run: ${error.message}`, {
      cause: error,
    });
  }
}

/** Gives callbacks what they have kept; those of one class in their order. */
export function restoreCallbacks(op: string, callbacks: readonly Callback[], states: readonly CallbackState[]): void {
  const left = [...states];
  for (const callback of callbacks) {
    const i = left.findIndex(({ name }) => name === nameOf(callback));
    if (i < 0) continue;
    const [{ state }] = left.splice(i, 1);
    callback.loadStateDict?.(state);
  }
  const lost = left.filter(({ name }) => name !== 'Checkpoint');
  if (lost.length > 0) {
    const names = lost.map(({ name }) => name).join(', ');
    process.emitWarning(`${op}: the checkpoint has the state of ${names}, which this run does not have.`);
  }
}
