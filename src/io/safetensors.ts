// The safetensors format: 8 bytes little-endian header length, a JSON header, then the tensors' bytes back to back.
// Reading treats the file as hostile: every number of the header is checked before it is used, and a file is
// refused if any of its data bytes belongs to no tensor or to two. Writing gives the same bytes as the reference
// implementation (order, padding), so files can be compared by hash.
import { type FileHandle, open } from 'node:fs/promises';
import type { Device } from '../device.js';
import { type DType, dtypes, isDType, itemSize } from '../dtype.js';
import { ArgumentError, DTypeError, FileError } from '../errors.js';
import { fromBytes } from '../ops/creation.js';
import { Tensor } from '../tensor/tensor.js';
import { writeFileAtomic } from './atomic.js';
import { readExactly, toFileError, writeAll } from './file.js';
import { JsonNumber, JsonSyntaxError, type JsonValue, parseJson } from './json.js';

/** Tensors by name: what `stateDict()` gives, or a plain object. */
export type NamedTensors = ReadonlyMap<string, Tensor> | Readonly<Record<string, Tensor>>;

/** Free text stored beside the tensors. */
export type Metadata = ReadonlyMap<string, string> | Readonly<Record<string, string>>;

/** The content of a file. Maps, because a name such as `__proto__` or `constructor` must be a name like any other. */
export interface SafetensorsContent {
  /** The tensors by name, in the order of the header. */
  readonly tensors: Map<string, Tensor>;
  /** The texts of `__metadata__`. */
  readonly metadata: Map<string, string>;
}

/** One tensor of a header; `begin` and `end` count from the end of the header. */
export interface TensorEntry {
  /** The name; any text. */
  readonly name: string;
  /** The element type. */
  readonly dtype: DType;
  /** The sizes of the dimensions. */
  readonly shape: readonly number[];
  /** The first byte. */
  readonly begin: number;
  /** The byte after the last. */
  readonly end: number;
}

/** The reference implementation's limit; it keeps a hostile file from costing gigabytes of JSON. */
const MAX_HEADER = 100_000_000;
const PREFIX = 8;

const codes: Readonly<Record<DType, string>> = {
  float32: 'F32',
  float64: 'F64',
  float16: 'F16',
  bfloat16: 'BF16',
  int32: 'I32',
  int64: 'I64',
  uint8: 'U8',
  bool: 'BOOL',
};
const dtypeOfCode: ReadonlyMap<string, DType> = new Map(dtypes.map((dtype) => [codes[dtype], dtype]));

/** Part of the format, but no tensor here can hold them. */
const foreignCodes: ReadonlySet<string> = new Set([
  ...['I8', 'I16', 'U16', 'U32', 'U64', 'C64'],
  ...['F4', 'F6_E2M3', 'F6_E3M2', 'F8_E5M2', 'F8_E4M3', 'F8_E8M0', 'F8_E5M2FNUZ', 'F8_E4M3FNUZ'],
]);

/** The reference writes larger items first (so that all are aligned), in this order, and by name within a dtype. */
const writeOrder: readonly DType[] = ['int64', 'float64', 'float32', 'int32', 'bfloat16', 'float16', 'uint8', 'bool'];

const encoder = new TextEncoder();

/** Half of a pair: it has no UTF-8 form, and other readers refuse the file. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** A safe integer that is not negative and is written without sign, fraction or exponent; undefined for all else. */
function toSize(value: JsonValue | undefined): number | undefined {
  if (!(value instanceof JsonNumber) || !/^[0-9]{1,16}$/.test(value.text)) return undefined;
  const size = Number(value.text);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** A value as it appears in an error message: short, on one line. */
function show(value: JsonValue | undefined): string {
  if (value === undefined) return 'missing';
  if (value instanceof JsonNumber) return value.text.slice(0, 40);
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return `[${value.slice(0, 10).map(show).join(', ')}${value.length > 10 ? ', ...' : ''}]`;
  return JSON.stringify(value).slice(0, 60);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}

/** The length of the JSON header, from the first 8 bytes of a file of `total` bytes. */
function headerLength(prefix: Uint8Array, total: number, file: string): number {
  if (total < PREFIX) {
    throw new FileError(`safetensors ${file}: ${total} bytes are too few for the ${PREFIX}-byte header length.`);
  }
  // As bigint: a lying length can be 2^63 and more.
  const length = new DataView(prefix.buffer, prefix.byteOffset, PREFIX).getBigUint64(0, true);
  if (length > MAX_HEADER) {
    throw new FileError(`safetensors ${file}: the header length ${length} is over the limit of ${MAX_HEADER} bytes.`);
  }
  if (Number(length) > total - PREFIX) {
    throw new FileError(
      `safetensors ${file}: the header length ${length} goes past the end: only ${total - PREFIX} bytes follow it.`,
    );
  }
  return Number(length);
}

function parseEntry(name: string, value: JsonValue, file: string): TensorEntry {
  const where = `safetensors ${file}: tensor ${quote(name)}`;
  if (!(value instanceof Map)) throw new FileError(`${where} must be described by an object, not ${show(value)}.`);

  const code = value.get('dtype');
  const dtype = typeof code === 'string' ? dtypeOfCode.get(code) : undefined;
  if (dtype === undefined) {
    const supported = [...dtypeOfCode.keys()].join(', ');
    if (typeof code === 'string' && foreignCodes.has(code)) {
      throw new DTypeError(`${where} has dtype ${code}, which has no tensor type here; supported are ${supported}.`);
    }
    throw new FileError(`${where}: unknown dtype ${show(code)}; expected one of ${supported}.`);
  }

  const dims = value.get('shape');
  const shape = Array.isArray(dims) ? dims.map(toSize) : undefined;
  if (shape === undefined || !shape.every((dim) => dim !== undefined)) {
    throw new FileError(`${where}: shape ${show(dims)} is not a list of integers from 0 to 2^53 - 1.`);
  }

  const offsets = value.get('data_offsets');
  const [begin, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets.map(toSize) : [];
  if (begin === undefined || end === undefined) {
    throw new FileError(`${where}: data_offsets ${show(offsets)} is not a pair of integers from 0 to 2^53 - 1.`);
  }
  if (begin > end) throw new FileError(`${where}: data_offsets [${begin}, ${end}] end before they begin.`);

  // The product as bigint: dims that overflow must not wrap around to a size that fits.
  const bytes = shape.reduce((product, dim) => product * BigInt(dim), BigInt(itemSize(dtype)));
  if (bytes !== BigInt(end - begin)) {
    throw new FileError(
      `${where}: shape [${shape.join(', ')}] of ${dtype} takes ${bytes} bytes, ` +
        `but data_offsets [${begin}, ${end}] hold ${end - begin}.`,
    );
  }
  return { name, dtype, shape, begin, end };
}

function parseMetadata(value: JsonValue, file: string): Map<string, string> {
  if (!(value instanceof Map)) {
    throw new FileError(`safetensors ${file}: __metadata__ must be an object, not ${show(value)}.`);
  }
  const metadata = new Map<string, string>();
  for (const [key, text] of value) {
    if (typeof text !== 'string') {
      throw new FileError(`safetensors ${file}: __metadata__ ${quote(key)} must be a string, not ${show(text)}.`);
    }
    metadata.set(key, text);
  }
  return metadata;
}

/** Every data byte must belong to exactly one tensor: nothing hidden in the file, nothing read twice. */
function checkCoverage(entries: readonly TensorEntry[], dataBytes: number, file: string): void {
  const sorted = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let covered = 0;
  let previous: TensorEntry | undefined;
  for (const entry of sorted) {
    const where = `safetensors ${file}: tensor ${quote(entry.name)} at [${entry.begin}, ${entry.end}]`;
    if (entry.end > dataBytes) {
      throw new FileError(`${where} goes past the end of the data, which has ${dataBytes} bytes.`);
    }
    if (entry.begin < covered && previous !== undefined) {
      const other = `${quote(previous.name)} at [${previous.begin}, ${previous.end}]`;
      throw new FileError(`${where} overlaps tensor ${other}.`);
    }
    if (entry.begin > covered) {
      throw new FileError(`${where} leaves a hole: bytes ${covered} to ${entry.begin} belong to no tensor.`);
    }
    covered = entry.end;
    previous = entry;
  }
  if (covered !== dataBytes) {
    throw new FileError(
      `safetensors ${file}: ${dataBytes - covered} bytes after the last tensor's end at ${covered} belong to no tensor.`,
    );
  }
}

/**
 * Parses and checks a header.
 *
 * @param header the JSON bytes, without the 8-byte length
 * @param dataBytes how many bytes follow the header
 * @param file named in errors
 * @returns the tensors in the order of the file, and the metadata
 * @throws FileError for anything that does not fit the format; DTypeError for a dtype that Thalweg does not have
 */
export function parseHeader(
  header: Uint8Array,
  dataBytes: number,
  file = 'data',
): { entries: TensorEntry[]; metadata: Map<string, string> } {
  let json: JsonValue;
  try {
    // ignoreBOM keeps a byte order mark in the text, where it is refused as the format demands.
    json = parseJson(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header));
  } catch (error) {
    const reason = error instanceof JsonSyntaxError ? error.message : 'it is not valid UTF-8';
    throw new FileError(`safetensors ${file}: the header is not usable JSON: ${reason}.`, { cause: error });
  }
  if (!(json instanceof Map))
    throw new FileError(`safetensors ${file}: the header must be an object, not ${show(json)}.`);
  if (header[0] !== 0x7b) throw new FileError(`safetensors ${file}: the header must start with '{'.`);

  let metadata = new Map<string, string>();
  const entries: TensorEntry[] = [];
  for (const [name, value] of json) {
    if (name === '__metadata__') metadata = parseMetadata(value, file);
    else entries.push(parseEntry(name, value, file));
  }
  checkCoverage(entries, dataBytes, file);
  return { entries, metadata };
}

/** Makes one tensor of its bytes. A bool must be stored as 0 or 1: kernels rely on it. */
function toTensor(entry: TensorEntry, bytes: Uint8Array, file: string, device: Device = 'cpu'): Tensor {
  if (entry.dtype === 'bool') {
    const at = bytes.findIndex((byte) => byte > 1);
    if (at >= 0) {
      throw new FileError(
        `safetensors ${file}: tensor ${quote(entry.name)} is BOOL, but its byte ${at} is ${bytes[at]}, not 0 or 1.`,
      );
    }
  }
  return fromBytes(bytes, entry.shape, entry.dtype, { device });
}

/**
 * Reads tensors from the bytes of a safetensors file. The bytes are copied.
 *
 * @param bytes the whole file
 * @param file a name for error messages
 * @throws FileError if the bytes do not fit the format, DTypeError for a dtype that Thalweg does not have
 *
 * @example
 * const { tensors, metadata } = safetensors.parse(await safetensors.serialize({ w: ones([2, 3]) }, { note: 'hi' }));
 * tensors.get('w')?.shape; // [2, 3]
 */
export function parse(bytes: Uint8Array, file = 'data'): SafetensorsContent {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError('safetensors.parse: expected the bytes as a Uint8Array.');
  const start = PREFIX + headerLength(bytes, bytes.byteLength, file);
  const { entries, metadata } = parseHeader(bytes.subarray(PREFIX, start), bytes.byteLength - start, file);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) {
    tensors.set(entry.name, toTensor(entry, bytes.subarray(start + entry.begin, start + entry.end), file));
  }
  return { tensors, metadata };
}

/**
 * Reads a safetensors file. The header is checked completely before any tensor is made, and each tensor is read by its
 * position, so the file may be larger than memory's largest single buffer.
 *
 * @param file the file's path
 * @param options.device where the tensors go; the CPU by default
 * @throws FileError if the file is missing, truncated or does not fit the format; DTypeError for a dtype that Thalweg
 *   does not have, naming the tensor
 *
 * @example
 * const { tensors } = await safetensors.load('mnist.safetensors');
 * model.loadStateDict(tensors);
 */
export async function load(file: string, options: { device?: Device } = {}): Promise<SafetensorsContent> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size: total } = await handle.stat();
    const prefix = await readExactly(handle, 0, Math.min(PREFIX, total), file);
    const length = headerLength(prefix, total, file);
    const start = PREFIX + length;
    const header = await readExactly(handle, PREFIX, length, file);
    const { entries, metadata } = parseHeader(header, total - start, file);

    const tensors = new Map<string, Tensor>();
    for (const entry of entries) {
      const bytes = await readExactly(handle, start + entry.begin, entry.end - entry.begin, file);
      tensors.set(entry.name, toTensor(entry, bytes, file, options.device));
    }
    return { tensors, metadata };
  } catch (error) {
    // Only the system's errors need a name; typed ones have it already.
    if ((error as NodeJS.ErrnoException | null)?.syscall === undefined) throw error;
    throw toFileError(error, 'safetensors', file);
  } finally {
    await handle?.close();
  }
}

function entriesOf<T>(named: ReadonlyMap<string, T> | Readonly<Record<string, T>>): [string, T][] {
  return named instanceof Map ? [...(named as ReadonlyMap<string, T>)] : Object.entries(named as Record<string, T>);
}

/** UTF-8 order, which is what the reference sorts by; JavaScript's own order of strings is that of UTF-16. */
function compareNames(a: string, b: string): number {
  return Buffer.compare(encoder.encode(a), encoder.encode(b));
}

/** The header with its length, and the tensors in the order in which their bytes follow. */
function layout(named: NamedTensors, metadata: Metadata): { header: Uint8Array; tensors: Tensor[]; names: string[] } {
  const entries = entriesOf(named);
  for (const [name, tensor] of entries) {
    if (name === '__metadata__') throw new ArgumentError(`safetensors.save: '__metadata__' cannot be a tensor's name.`);
    if (LONE_SURROGATE.test(name)) {
      throw new ArgumentError(`safetensors.save: the name ${quote(name)} is not well-formed text.`);
    }
    if (!(tensor instanceof Tensor) || !isDType(tensor.dtype)) {
      throw new ArgumentError(`safetensors.save: ${quote(name)} is not a tensor.`);
    }
  }
  const rank = new Map(writeOrder.map((dtype, index) => [dtype, index]));
  entries.sort(([a, x], [b, y]) => (rank.get(x.dtype) ?? 0) - (rank.get(y.dtype) ?? 0) || compareNames(a, b));

  const texts = entriesOf(metadata);
  for (const [key, text] of texts) {
    if (typeof text !== 'string') throw new ArgumentError(`safetensors.save: metadata ${quote(key)} is not a string.`);
    if (LONE_SURROGATE.test(key + text)) {
      throw new ArgumentError(`safetensors.save: metadata ${quote(key)} is not well-formed text.`);
    }
  }
  // Fields are joined by hand, not put in an object: there '__proto__' would be lost and '1' would move to the front.
  const field = (key: string, json: string): string => `${JSON.stringify(key)}:${json}`;
  const fields: string[] = [];
  if (texts.length > 0) {
    fields.push(field('__metadata__', `{${texts.map(([key, text]) => field(key, JSON.stringify(text))).join(',')}}`));
  }
  let offset = 0;
  for (const [name, { dtype, shape }] of entries) {
    const end = offset + shape.reduce((product, dim) => product * dim, itemSize(dtype));
    const description = `{"dtype":"${codes[dtype]}","shape":[${shape.join(',')}],"data_offsets":[${offset},${end}]}`;
    fields.push(field(name, description));
    offset = end;
  }
  const json = encoder.encode(`{${fields.join(',')}}`);
  const padded = Math.ceil(json.byteLength / 8) * 8;
  if (padded > MAX_HEADER) {
    throw new ArgumentError(`safetensors.save: the header of ${padded} bytes is over the limit of ${MAX_HEADER}.`);
  }
  const header = new Uint8Array(PREFIX + padded).fill(0x20, PREFIX + json.byteLength);
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, PREFIX);
  return { header, tensors: entries.map(([, tensor]) => tensor), names: entries.map(([name]) => name) };
}

/**
 * The bytes of a safetensors file. See `save` for writing one: it needs no buffer for the whole file.
 *
 * @throws ArgumentError for a value that is no tensor, or a name that cannot be stored
 */
export async function serialize(tensors: NamedTensors, metadata: Metadata = {}): Promise<Uint8Array> {
  const { header, tensors: ordered } = layout(tensors, metadata);
  const parts = await Promise.all(ordered.map((tensor) => tensor.bytes()));
  return Buffer.concat([header, ...parts]);
}

/**
 * Writes tensors to a safetensors file, atomically: the old file stays whole until the new one is complete.
 *
 * All reads are enqueued at the call, before anything is awaited, so the file holds one moment of a model that goes on
 * training meanwhile. Until it is written that takes as much host memory as the tensors themselves.
 *
 * @param file the file's path; its folder must exist
 * @param tensors by name, for example `model.stateDict()`; views are written as their own contiguous content
 * @param options.metadata strings to store beside them
 * @throws ArgumentError for a value that is no tensor, or a name that cannot be stored; FileError if writing fails
 *
 * @example
 * await safetensors.save('mnist.safetensors', model.stateDict(), { metadata: { epochs: '5' } });
 */
export async function save(file: string, tensors: NamedTensors, options: { metadata?: Metadata } = {}): Promise<void> {
  const { metadata = {} } = options;
  await saveAs([file], tensors, () => metadata);
}

/**
 * As `save`, under several names, with metadata that may depend on the bytes (of the tensors by name, in the order of the
 * file).
 *
 * @internal
 */
export async function saveAs(
  files: readonly string[],
  tensors: NamedTensors,
  metadataOf: (bytes: ReadonlyMap<string, Uint8Array>) => Metadata,
): Promise<void> {
  const { tensors: ordered, names } = layout(tensors, {});
  const parts = await Promise.all(ordered.map((tensor) => tensor.bytes()));
  const { header } = layout(tensors, metadataOf(new Map(names.map((name, i) => [name, parts[i]]))));
  for (const file of files) {
    await writeFileAtomic(file, async (handle) => {
      await writeAll(handle, header);
      for (const part of parts) await writeAll(handle, part);
    });
  }
}
