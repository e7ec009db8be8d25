// NPZ, NumPy's format of several arrays: a zip file of NPY files.
import { ArgumentError, FileError } from '../errors.js';
import { writeFileAtomic } from '../io/atomic.js';
import { type ByteSource, memorySource, withFileSource } from '../io/bytes.js';
import { writeAll } from '../io/file.js';
import type { NamedTensors } from '../io/safetensors.js';
import { readZipDirectory, readZipEntry } from '../io/zip.js';
import type { Tensor } from '../tensor/tensor.js';
import { npyHeaderOf, type NpyReadOptions, readNpyFrom } from './npy.js';

/** Options of `readNpz` and `parseNpz`. */
export interface NpzReadOptions extends NpyReadOptions {
  /** Only the arrays of these names. Default: all. */
  readonly names?: readonly string[];
  /** An archive that inflates to more bytes is refused before it is. Default 16 GiB. */
  readonly maxBytes?: number;
}

/** Options of `saveNpz`. */
export interface SaveNpzOptions {
  /** Compress, as `numpy.savez_compressed` does. Default false, as `numpy.savez`. */
  readonly compressed?: boolean;
}

const MAX_BYTES = 16 * 1024 ** 3;
const MAX_ENTRIES = 65_536;

/** The bytes of the members of an archive, by the names that NumPy gives them: without `.npy`. @internal */
export async function readNpzMembers<T>(
  source: ByteSource,
  options: NpzReadOptions,
  use: (name: string, bytes: Uint8Array, label: string) => Promise<T> | T,
): Promise<Map<string, T>> {
  const entries = await readZipDirectory(source, {
    maxEntries: MAX_ENTRIES,
    maxBytes: options.maxBytes ?? MAX_BYTES,
  });
  const byName = new Map(entries.map((entry) => [entry.name.replace(/\.npy$/, ''), entry]));
  const wanted = options.names ?? [...byName.keys()];
  const members = new Map<string, T>();
  for (const name of wanted) {
    const entry = byName.get(name);
    if (entry === undefined) {
      const there = [...byName.keys()].slice(0, 20).join(', ') || 'none';
      throw new FileError(`npz ${source.name}: no array named '${name}'; there are: ${there}.`);
    }
    members.set(name, await use(name, await readZipEntry(source, entry), `${source.name}[${name}]`));
  }
  return members;
}

const readFrom = (source: ByteSource, options: NpzReadOptions): Promise<Map<string, Tensor>> =>
  readNpzMembers(source, options, (_, bytes, label) => readNpyFrom(memorySource(bytes, label), options));

/**
 * Reads an NPZ file, as `numpy.savez` and `numpy.savez_compressed` write it, into tensors by name.
 *
 * Dtypes are those of `readNpy`. The archive's directory is checked before anything is inflated, and each array's CRC after.
 *
 * @throws FileError if the file is missing, truncated, damaged, over `maxBytes`, lacks a name of `names`, or holds pickled
 *   objects; DTypeError for elements that no tensor can hold
 *
 * @example
 * const arrays = await data.readNpz('set.npz', { names: ['x_train', 'y_train'] });
 * arrays.get('x_train')?.shape;
 */
export async function readNpz(file: string, options: NpzReadOptions = {}): Promise<Map<string, Tensor>> {
  return withFileSource(file, 'npz', (source) => readFrom(source, options));
}

/**
 * Tensors by name from the bytes of an NPZ file; as `readNpz`.
 *
 * @param bytes the whole file
 * @param file a name for error messages
 * @throws FileError, DTypeError as `readNpz`
 *
 * @example
 * const arrays = await data.parseNpz(await (await fetch(url)).bytes(), url);
 */
export async function parseNpz(
  bytes: Uint8Array,
  file = 'data',
  options: NpzReadOptions = {},
): Promise<Map<string, Tensor>> {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError('parseNpz: expected the bytes as a Uint8Array.');
  return readFrom(memorySource(bytes, file), options);
}

/** What a zip file without the 64-bit extension can address. */
const ZIP_LIMIT = 0xffff_ffff;
/** Bytes given to the compressor at a time, so that the event loop turns in between. */
const PIECE = 1024 * 1024;

/**
 * Writes tensors as an NPZ file, which `numpy.load` reads, atomically. The same tensors give the same bytes.
 *
 * @param file the file's path; its folder must exist
 * @param tensors by name, for example `model.stateDict()`; of any dtype but bfloat16
 * @throws ArgumentError for a value that is no tensor, or more than 4 GiB, for which safetensors is the better format;
 *   DTypeError for bfloat16; FileError if writing fails
 *
 * @example
 * await data.saveNpz('set.npz', { x, y }, { compressed: true });
 */
export async function saveNpz(file: string, tensors: NamedTensors, options: SaveNpzOptions = {}): Promise<void> {
  const named =
    tensors instanceof Map
      ? [...(tensors as ReadonlyMap<string, Tensor>)]
      : Object.entries(tensors as Readonly<Record<string, Tensor>>);
  const members = named.map(([name, tensor]): [string, Uint8Array, Tensor] => {
    if (Buffer.byteLength(name) > 0xffff - 4) throw new ArgumentError('saveNpz: a name of more than 65,531 bytes.');
    return [`${name}.npy`, npyHeaderOf(`saveNpz '${name}'`, tensor), tensor];
  });
  // All reads are enqueued before anything is awaited: the file holds one moment.
  const contents = await Promise.all(members.map(([, , tensor]) => tensor.bytes()));
  const total = contents.reduce((sum, bytes) => sum + bytes.byteLength + 1024, 0);
  if (total > ZIP_LIMIT) {
    throw new ArgumentError(
      `saveNpz: ${total} bytes are more than the 4 GiB of a zip file; use safetensors.save, or saveNpy for each.`,
    );
  }
  const { Zip, ZipDeflate, ZipPassThrough } = await import('fflate');
  await writeFileAtomic(file, async (handle) => {
    let produced: Uint8Array[] = [];
    let failure: Error | undefined;
    const zip = new Zip((error, chunk) => {
      if (error !== null) failure = error;
      else produced.push(chunk);
    });
    const flush = async (): Promise<void> => {
      if (failure !== undefined) throw failure;
      const chunks = produced;
      produced = [];
      for (const chunk of chunks) await writeAll(handle, chunk);
    };
    for (const [i, [name, header]] of members.entries()) {
      const entry = options.compressed === true ? new ZipDeflate(name) : new ZipPassThrough(name);
      // The earliest date that the format knows, as NumPy does: no clock in the file.
      entry.mtime = new Date(1980, 0, 1);
      zip.add(entry);
      entry.push(header, false);
      const bytes = contents[i];
      for (let at = 0; at < bytes.byteLength; at += PIECE) {
        entry.push(bytes.subarray(at, at + PIECE), false);
        await flush();
      }
      entry.push(new Uint8Array(0), true);
      await flush();
    }
    zip.end();
    await flush();
  });
}
