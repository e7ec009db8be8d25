// Checkpoints on disk: one safetensors file each, with the rest of the state as JSON in its metadata, and a checksum.
import { createHash } from 'node:crypto';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError, ThalwegError } from '../errors.js';
import { toFileError } from '../io/file.js';
import { isAlive } from '../io/owner.js';
import { load, saveAs } from '../io/safetensors.js';
import type { Tensor } from '../tensor/tensor.js';
import { decodeTree, encodeTree, type StateTree } from './stateTree.js';

/** What a checkpoint holds. */
export interface CheckpointContent {
  /** The file. */
  readonly file: string;
  /** The model's tensors by name, for `model.loadStateDict`. */
  readonly model: ReadonlyMap<string, Tensor>;
  /** Everything, for `train.fit`'s `resume`. */
  readonly state: StateTree;
}

/** A numbered checkpoint. */
export interface CheckpointFile {
  /** Its path. */
  readonly file: string;
  /** Updates of the parameters before it. */
  readonly step: number;
}

const FORMAT = 'thalweg-checkpoint';

/** The best model so far, beside the numbered ones. */
export const BEST = 'best.safetensors';

const NUMBERED = /^step-(\d{8,16})\.safetensors$/;

/** The name of a checkpoint after so many updates; in the order of names, they are in the order of steps. */
export const fileOfStep = (step: number): string => `step-${String(step).padStart(8, '0')}.safetensors`;

function digestOf(json: string, tensors: ReadonlyMap<string, Tensor>, bytes: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash('sha256').update(json);
  for (const [name, tensor] of [...tensors].sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`\0${name}\0${tensor.dtype}\0${tensor.shape.join(',')}\0`);
    hash.update(bytes.get(name)!);
  }
  return hash.digest('hex');
}

/**
 * Writes a state to files, each atomically. All tensors are read at the call, before anything is awaited.
 *
 * @throws FileError if that fails; ArgumentError for a state that cannot be kept
 */
export async function writeState(files: readonly string[], state: StateTree): Promise<void> {
  const { json, tensors } = encodeTree(state);
  await saveAs(files, tensors, (bytes) => ({ format: FORMAT, sha256: digestOf(json, tensors, bytes), state: json }));
}

/**
 * Reads a checkpoint of `train.Checkpoint`, and checks that not a bit has changed.
 *
 * @throws FileError for a file that is missing, damaged, or no checkpoint
 * @example
 * const { model: weights } = await train.readCheckpoint('runs/mnist/best.safetensors');
 * model.loadStateDict(weights);
 */
export async function readCheckpoint(file: string): Promise<CheckpointContent> {
  const { tensors, metadata } = await load(file);
  const json = metadata.get('state');
  if (metadata.get('format') !== FORMAT || json === undefined) {
    throw new FileError(`checkpoint ${file}: it is no checkpoint of train.Checkpoint: its metadata has no state.`);
  }
  const bytes = new Map<string, Uint8Array>();
  for (const [name, tensor] of tensors) bytes.set(name, await tensor.bytes());
  const digest = digestOf(json, tensors, bytes);
  if (digest !== metadata.get('sha256')) {
    throw new FileError(
      `checkpoint ${file}: it is damaged: its content has the checksum ${digest.slice(0, 12)}..., it was written with ${String(metadata.get('sha256')).slice(0, 12)}....`,
    );
  }
  try {
    const state = decodeTree(json, tensors);
    const { model } = state;
    if (!(model instanceof Map)) throw new FileError(`checkpoint ${file}: it has no model.`);
    return { file, model: model as Map<string, Tensor>, state };
  } catch (error) {
    if (error instanceof FileError || !(error instanceof ThalwegError)) throw error;
    throw new FileError(`checkpoint ${file}: ${error.message}`, { cause: error });
  }
}

/**
 * The numbered checkpoints in a folder, the newest first; none if there is no such folder.
 *
 * @throws FileError if it cannot be read
 */
export async function listCheckpoints(folder: string): Promise<CheckpointFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw toFileError(error, 'read', folder);
  }
  return names
    .flatMap((name) => {
      const step = NUMBERED.exec(name)?.[1];
      return step === undefined ? [] : [{ file: join(folder, name), step: Number(step) }];
    })
    .sort((a, b) => b.step - a.step);
}

/** Removes what a process that was killed has left half written. */
export async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = /^\.(?:step-\d+|best)\.safetensors\.(\d+)-[0-9a-f]+\.tmp$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

/**
 * The newest checkpoint of a folder that is whole, or the one that a file holds. A damaged one is passed over with a warning.
 *
 * @returns undefined if the folder has none
 * @throws FileError for a file that is no checkpoint, or a folder in which all are damaged
 */
export async function newestCheckpoint(path: string): Promise<CheckpointContent | undefined> {
  const isFile = await stat(path).then(
    (info) => info.isFile(),
    () => false,
  );
  if (isFile) return readCheckpoint(path);
  const found = await listCheckpoints(path);
  const errors: FileError[] = [];
  for (const { file } of found) {
    try {
      const content = await readCheckpoint(file);
      for (const error of errors)
        process.emitWarning(`train.fit: ${error.message} Resuming from ${file}, the one before.`);
      return content;
    } catch (error) {
      if (!(error instanceof FileError)) throw error;
      errors.push(error);
    }
  }
  if (errors.length > 0) {
    throw new FileError(`checkpoint ${path}: none of the ${errors.length} is whole; the newest: ${errors[0].message}`, {
      cause: errors[0],
    });
  }
  return undefined;
}
