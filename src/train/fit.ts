// `train.fit`: checks what it is given, and puts a run together.
import { GradScaler } from '../amp/gradScaler.js';
import { checkDevice, type Device } from '../device.js';
import { ArgumentError, FileError } from '../errors.js';
import { Module, type AnyModule } from '../nn/module.js';
import { manualSeed } from '../ops/random.js';
import type { Tensor } from '../tensor/tensor.js';
import { toBatches, type LoaderLike } from './batches.js';
import type { Callback } from './callback.js';
import { Checkpoint } from './callbacks/checkpoint.js';
import { ProgressBar } from './callbacks/progressBar.js';
import { newestCheckpoint, type CheckpointContent } from './checkpointFile.js';
import { computeOf } from './compute.js';
import { bestOf, defaultMode, type FitOptions, type FitResult } from './options.js';
import { FitRun } from './run.js';
import { namedMetrics, Running } from './running.js';
import { Schedules } from './schedules.js';
import { copyTree } from './stateTree.js';
import { checkClip, needsClosure, Updater, type AnyOptimizer } from './update.js';

const op = 'train.fit';

function requireCount(name: string, value: unknown, low = 1): asserts value is number {
  if (!Number.isSafeInteger(value) || (value as number) < low)
    throw new ArgumentError(`${op}: ${name} must be an integer >= ${low}, got ${String(value)}.`);
}

function checkModel(model: unknown): asserts model is AnyModule {
  if (!(model instanceof Module)) {
    const got = model === null ? 'null' : `a ${typeof model}`;
    throw new ArgumentError(`${op}: the model must be an nn.Module, got ${got}.`);
  }
  const parameters = model.parameters();
  if (!parameters.some((p) => p.requiresGrad)) {
    throw new ArgumentError(
      parameters.length === 0
        ? `${op}: the model ${model.constructor.name} has no parameters; parameters are tensors in plain fields that require gradients, or fields that are modules.`
        : `${op}: all ${parameters.length} parameters of the model are frozen; requiresGrad_() makes them learn.`,
    );
  }
}

/** Moves the model; an optimizer of the old tensors gets the new ones. */
function moveModel(model: AnyModule, device: Device, optimizer: unknown): void {
  const before = [...model.namedParameters()];
  model.to(device);
  const after = new Map(model.namedParameters());
  const moved = new Map(before.flatMap(([name, p]) => (after.get(name) === p ? [] : [[p, after.get(name)!] as const])));
  const { paramGroups, state } = optimizer as Partial<AnyOptimizer>;
  if (moved.size === 0 || paramGroups === undefined) return;
  const known = paramGroups.some(({ params }) => params.some((p) => moved.has(p)));
  if (known && state !== undefined && state.size > 0) {
    throw new ArgumentError(
      `${op}: the optimizer has state for parameters on another device than '${device}'; move the model before making it, or pass a function (model) => optimizer.`,
    );
  }
  for (const group of paramGroups) group.params = group.params.map((p) => moved.get(p) ?? p);
}

function checkOptimizer(model: AnyModule, optimizer: unknown): asserts optimizer is AnyOptimizer {
  const given = optimizer as Partial<AnyOptimizer> | null | undefined;
  if (!Array.isArray(given?.paramGroups) || typeof given.step !== 'function') {
    throw new ArgumentError(
      `${op}: optimizer must be one of optim, such as new optim.Adam(model.parameters()), or a function that makes one of the model.`,
    );
  }
  const own = new Set<Tensor>(model.parameters());
  if (!given.paramGroups.some(({ params }) => params.some((p) => own.has(p)))) {
    throw new ArgumentError(
      `${op}: the optimizer has none of the model's ${own.size} parameters; was it made for another model, or before the model was converted?`,
    );
  }
}

type Described = Pick<
  FitOptions<never, never>,
  'epochs' | 'seed' | 'device' | 'amp' | 'accumulate' | 'clip' | 'validateEvery'
>;

/** Options as plain JSON, for those who show or log the run. */
function describe(
  model: AnyModule,
  optimizer: AnyOptimizer,
  schedules: Schedules,
  options: Described,
  batchSize: number | undefined,
): Record<string, unknown> {
  const groups = optimizer.paramGroups.map(({ params, ...group }) => ({
    ...(group as Record<string, unknown>),
    parameters: params.length,
  }));
  const { epochs, seed, device, amp, accumulate, clip, validateEvery } = options;
  const config = {
    model: model.constructor.name,
    parameters: model.countParameters(),
    optimizer: { name: optimizer.constructor.name, groups },
    schedules: schedules.describe(),
    batchSize,
    ...{ epochs, seed, device, amp, accumulate, clip, validateEvery },
  };
  // Through JSON, so that it is what it will be when it is saved.
  return JSON.parse(JSON.stringify(config)) as Record<string, unknown>;
}

function checkCallbacks(callbacks: unknown): readonly Callback[] {
  if (!Array.isArray(callbacks) || callbacks.some((item) => typeof item !== 'object' || item === null))
    throw new ArgumentError(`${op}: callbacks must be a list of objects with methods such as onEpochEnd.`);
  return callbacks as readonly Callback[];
}

/** The checkpoint that `resume` means; undefined: begin anew. */
async function resumeFrom(
  resume: string | boolean | CheckpointContent | undefined,
  callbacks: readonly Callback[],
): Promise<CheckpointContent | undefined> {
  if (resume === undefined || resume === false) return undefined;
  if (typeof resume === 'object' && resume !== null && 'state' in resume)
    return { ...resume, state: copyTree(resume.state) };
  if (resume === true) {
    const checkpoint = callbacks.find((callback): callback is Checkpoint => callback instanceof Checkpoint);
    if (checkpoint === undefined) {
      throw new ArgumentError(
        `${op}: resume: true goes on with the checkpoints of a train.Checkpoint among the callbacks, but there is none; pass a folder.`,
      );
    }
    return newestCheckpoint(checkpoint.folder);
  }
  if (typeof resume !== 'string')
    throw new ArgumentError(`${op}: resume must be a folder, a checkpoint, or true, got ${String(resume)}.`);
  const found = await newestCheckpoint(resume);
  if (found === undefined) {
    throw new FileError(
      `${op}: there is no checkpoint in ${resume}; resume: true begins anew if the folder of train.Checkpoint has none.`,
    );
  }
  return found;
}

/**
 * Trains a model: epochs over batches, with validation, metrics, schedules, mixed precision, accumulation, clipping and
 * callbacks. The loop is tidy by itself and reads nothing from the device between two epochs, unless a callback does; the
 * event loop goes on turning. docs/training.md has the same loop written by hand.
 *
 * What the model makes during a step is freed after it: state that it carries from batch to batch needs `keep`.
 *
 * @returns records of the epochs, and why the run ended
 * @throws ArgumentError for options that do not fit, data without batches, a model without parameters that learn; ShapeError
 *   for a loss that is no scalar; GradError if no gradient reaches the optimizer's parameters; whatever the model, the loss,
 *   the data or a callback throws
 *
 * @example
 * const { history, bestEpoch } = await train.fit(model, {
 *   data: new data.DataLoader(trainSet, { batchSize: 128, shuffle: true }),
 *   validation: new data.DataLoader(testSet, { batchSize: 1000 }),
 *   loss: nn.functional.crossEntropy,
 *   optimizer: new optim.Adam(model.parameters()),
 *   epochs: 5,
 *   metrics: [new metrics.Accuracy()],
 *   seed: 1,
 * });
 */
export async function fit<M extends AnyModule, Batch = readonly [Tensor, Tensor]>(
  model: M,
  options: FitOptions<M, Batch>,
): Promise<FitResult> {
  checkModel(model);
  if (typeof options !== 'object' || options === null)
    throw new ArgumentError(`${op}: expected options { data, loss, optimizer, epochs }.`);
  const { epochs, accumulate = 1, validateEvery = 1, batchSize, seed, clip, amp, signal } = options;
  requireCount('epochs', epochs, 0);
  requireCount('accumulate', accumulate);
  requireCount('validateEvery', validateEvery);
  if (batchSize !== undefined) requireCount('batchSize', batchSize);
  if (seed !== undefined) requireCount('seed', seed, 0);
  checkClip(op, clip);
  const metrics = namedMetrics(op, options.metrics);
  const compute = computeOf<M, Batch>(op, model, options);
  const given = checkCallbacks(options.callbacks ?? []);
  const device = options.device === undefined ? undefined : checkDevice(op, options.device);

  const isDataset = (value: unknown): boolean =>
    !(Symbol.asyncIterator in Object(value) || Symbol.iterator in Object(value));
  const source = toBatches(op, 'data', options.data, {
    batchSize: isDataset(options.data) ? batchSize : undefined,
    shuffle: true,
    seed,
  });
  const validation =
    options.validation === undefined
      ? undefined
      : toBatches(op, 'validation', options.validation, {
          batchSize: isDataset(options.validation) ? batchSize : undefined,
          shuffle: false,
        });
  if (
    batchSize !== undefined &&
    !isDataset(options.data) &&
    (validation === undefined || !isDataset(options.validation))
  )
    throw new ArgumentError(
      `${op}: batchSize is ${batchSize}, but data makes its batches itself; set its own batch size, or pass its dataset.`,
    );

  if (seed !== undefined) manualSeed(seed);
  if (device !== undefined) moveModel(model, device, options.optimizer);
  const optimizer: unknown = typeof options.optimizer === 'function' ? options.optimizer(model) : options.optimizer;
  checkOptimizer(model, optimizer);
  const scaler = options.scaler ?? (amp === 'float16' ? new GradScaler() : undefined);
  if (needsClosure(optimizer) && (accumulate > 1 || scaler !== undefined)) {
    throw new ArgumentError(
      `${op}: ${optimizer.constructor.name} computes the loss itself, several times a step; accumulate and float16 do not go with it.`,
    );
  }
  const monitor = options.monitor ?? (validation === undefined ? 'loss' : 'valLoss');
  const mode = options.mode ?? defaultMode(monitor);
  if (mode !== 'min' && mode !== 'max')
    throw new ArgumentError(`${op}: mode must be 'min' or 'max', got ${JSON.stringify(mode)}.`);
  const batches = (source as LoaderLike).length ?? Infinity;
  const context = { stepsPerEpoch: Math.ceil(batches / accumulate), epochs };
  const schedules = new Schedules(op, options.schedule, optimizer, context, monitor);

  const hasBar = options.quiet === true || given.some((callback) => callback instanceof ProgressBar);
  const run = new FitRun<Batch>({
    op,
    model,
    optimizer,
    source,
    validation,
    validateEvery,
    compute,
    updater: new Updater(op, optimizer, clip, scaler),
    schedules,
    scaler,
    running: new Running(op, options.trainMetrics === false ? new Map() : metrics),
    validating: new Running(op, metrics),
    callbacks: hasBar ? given : [new ProgressBar(), ...given],
    device,
    accumulate,
    epochs,
    monitor,
    mode,
    signal,
    config: describe(model, optimizer, schedules, options, (source as LoaderLike).batchSize),
  });
  const resumed = await resumeFrom(options.resume, given);
  if (resumed !== undefined) run.resume(resumed.state, resumed.file);
  await run.run();
  return {
    history: run.history,
    notes: run.notes,
    stopReason: run.stopReason ?? 'finished',
    ...bestOf(run.history, monitor, mode),
    monitor,
    epochs: run.history.length,
    steps: run.step,
  };
}
