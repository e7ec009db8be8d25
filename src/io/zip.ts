// Reading zip files by their directory, as hostile input: sizes are compared with what deflate can do and with a limit
// before anything is inflated, entries must not overlap, and every CRC is checked. Libraries for JavaScript look at neither.
import { pipeline, Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { FileError } from '../errors.js';
import type { ByteSource } from './bytes.js';
import { crc32 } from './crc32.js';
import { reasonOf } from './file.js';

/** What a zip file may hold at most. */
export interface ZipLimits {
  /** Entries. */
  readonly maxEntries: number;
  /** Bytes of all entries together, inflated. */
  readonly maxBytes: number;
  /** The most bytes that the entries together may become for each byte of the file, once they are over 16 MiB. */
  readonly maxRatio?: number;
}

/** One file or folder in a zip file. */
export interface ZipEntry {
  /** The name as stored; a folder's ends in `/`. */
  readonly name: string;
  /** Bytes when inflated. */
  readonly size: number;
  /** Bytes in the file. */
  readonly compressedSize: number;
  /** Unix file type and permission bits, 0 if the archive has none. */
  readonly mode: number;
  readonly deflated: boolean;
  readonly crc: number;
  readonly offset: number;
  readonly rawName: Uint8Array;
}

const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;

const END_SIZE = 22;
const CENTRAL_SIZE = 46;
const LOCAL_SIZE = 30;

/** Deflate's longest match is 258 bytes of at least 2 bits. */
const DEFLATE_RATIO = 1032;
/** Compressed bytes per read. */
const PIECE = 1024 * 1024;

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** A 64-bit size or offset; beyond 2^53 it cannot be true of any file, and stays beyond all checks as a float. */
const uint64 = (view: DataView, at: number): number => Number(view.getBigUint64(at, true));

interface Directory {
  readonly entries: number;
  readonly offset: number;
  readonly size: number;
}

/** Finds the record at the end of the file that says where the directory is. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const where = `zip ${source.name}`;
  if (source.size < END_SIZE) {
    throw new FileError(`${where}: ${source.size} bytes are too few for a zip file, which has at least ${END_SIZE}.`);
  }
  const tailSize = Math.min(source.size, END_SIZE + 0xffff);
  const tail = await source.read(source.size - tailSize, tailSize);
  const view = viewOf(tail);
  let at = tailSize - END_SIZE;
  // The comment after the record may hold anything, so its length must fit, too.
  while (at >= 0 && !(view.getUint32(at, true) === END && at + END_SIZE + view.getUint16(at + 20, true) === tailSize)) {
    at--;
  }
  if (at < 0) throw new FileError(`${where}: it has no end record: not a zip file, or truncated.`);
  const position = source.size - tailSize + at;
  let entries = view.getUint16(at + 10, true);
  let size = view.getUint32(at + 12, true);
  let offset = view.getUint32(at + 16, true);
  if (view.getUint16(at + 4, true) !== 0 && view.getUint16(at + 4, true) !== 0xffff) {
    throw new FileError(`${where}: it is a part of an archive of several parts, which is not supported.`);
  }
  let end = position;
  if (entries === 0xffff || size === 0xffffffff || offset === 0xffffffff) {
    const locator = position >= 20 ? viewOf(await source.read(position - 20, 20)) : undefined;
    if (locator !== undefined && locator.getUint32(0, true) === LOCATOR64) {
      const at64 = uint64(locator, 8);
      if (at64 > position - 20 - 56) throw new FileError(`${where}: its zip64 record lies past the end.`);
      const record = viewOf(await source.read(at64, 56));
      if (record.getUint32(0, true) !== END64) throw new FileError(`${where}: no zip64 record at byte ${at64}.`);
      entries = uint64(record, 32);
      size = uint64(record, 40);
      offset = uint64(record, 48);
      end = at64;
    }
  }
  if (offset + size > end) {
    throw new FileError(
      `${where}: its directory should be bytes ${offset} to ${offset + size}, but the record after it is at ${end}.`,
    );
  }
  return { entries, offset, size };
}

/** Replaces the sizes and the offset that are all ones by those of the zip64 field. */
function applyZip64(
  extra: Uint8Array,
  fields: { size: number; compressedSize: number; offset: number },
): { size: number; compressedSize: number; offset: number } {
  const view = viewOf(extra);
  const result = { ...fields };
  for (let at = 0; at + 4 <= extra.byteLength;) {
    const id = view.getUint16(at, true);
    const end = at + 4 + view.getUint16(at + 2, true);
    if (id === 0x0001) {
      let next = at + 4;
      for (const key of ['size', 'compressedSize', 'offset'] as const) {
        if (result[key] !== 0xffffffff) continue;
        if (next + 8 > Math.min(end, extra.byteLength)) return result;
        result[key] = uint64(view, next);
        next += 8;
      }
      return result;
    }
    at = end;
  }
  return result;
}

function decodeName(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** The most bytes that a compressed file of a size may become, and how a message says so. */
export function allowedBytes(
  size: number,
  { maxBytes, maxRatio = Number.POSITIVE_INFINITY }: Omit<ZipLimits, 'maxEntries'>,
): { bytes: number; reason: string } {
  // Small results do no harm, and a few repeated bytes have any ratio.
  const byRatio = Math.max(size * maxRatio, 16 * 1024 * 1024);
  return byRatio < maxBytes
    ? { bytes: byRatio, reason: `${maxRatio} times the ${size} bytes of the file (maxRatio)` }
    : { bytes: maxBytes, reason: `the limit of ${maxBytes} bytes (maxBytes)` };
}

/** Checks one entry against what its neighbours and deflate leave possible. */
function checkEntry(entry: ZipEntry, flags: number, method: number, where: string): void {
  const { size, compressedSize } = entry;
  if (flags & 1) throw new FileError(`${where} is encrypted, which is not supported.`);
  if (method !== 0 && method !== 8) {
    throw new FileError(`${where} is compressed by method ${method}; supported are 0 (stored) and 8 (deflate).`);
  }
  if (entry.name.includes('\0')) throw new FileError(`${where} has a zero byte in its name.`);
  if (method === 0 && size !== compressedSize) {
    throw new FileError(`${where} is stored, but its sizes differ: ${compressedSize} and ${size} bytes.`);
  }
  if (method === 8 && size > compressedSize * DEFLATE_RATIO) {
    throw new FileError(`${where} claims to become ${size} bytes of ${compressedSize}, more than deflate can do.`);
  }
}

/**
 * Reads the directory of a zip file and checks it.
 *
 * @throws FileError for a damaged or truncated file, one over the limits, or one with what is not supported (encryption,
 *   methods other than deflate, several parts)
 */
export async function readZipDirectory(source: ByteSource, limits: ZipLimits): Promise<ZipEntry[]> {
  const where = `zip ${source.name}`;
  const directory = await findDirectory(source);
  if (directory.entries > limits.maxEntries) {
    throw new FileError(`${where}: ${directory.entries} entries are over the limit of ${limits.maxEntries}.`);
  }
  const bytes = await source.read(directory.offset, directory.size);
  const view = viewOf(bytes);
  const entries: ZipEntry[] = [];
  const names = new Set<string>();
  const allowed = allowedBytes(source.size, limits);
  let total = 0;
  let at = 0;
  for (let i = 0; i < directory.entries; i++) {
    if (at + CENTRAL_SIZE > bytes.byteLength || view.getUint32(at, true) !== CENTRAL) {
      throw new FileError(`${where}: its directory is damaged at entry ${i} of ${directory.entries}.`);
    }
    const nameEnd = at + CENTRAL_SIZE + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const end = extraEnd + view.getUint16(at + 32, true);
    if (end > bytes.byteLength) throw new FileError(`${where}: its directory ends in the middle of entry ${i}.`);
    const rawName = bytes.slice(at + CENTRAL_SIZE, nameEnd);
    const name = decodeName(rawName);
    const method = view.getUint16(at + 10, true);
    // The upper byte of "made by" says what the attributes are: 3 is Unix.
    const unix = bytes[at + 5] === 3;
    const entry: ZipEntry = {
      name,
      rawName,
      mode: unix ? view.getUint32(at + 38, true) >>> 16 : 0,
      deflated: method === 8,
      crc: view.getUint32(at + 16, true),
      ...applyZip64(bytes.subarray(nameEnd, extraEnd), {
        size: view.getUint32(at + 24, true),
        compressedSize: view.getUint32(at + 20, true),
        offset: view.getUint32(at + 42, true),
      }),
    };
    checkEntry(entry, view.getUint16(at + 8, true), method, `${where}: ${JSON.stringify(name)}`);
    if (names.has(name)) throw new FileError(`${where}: it has two entries named ${JSON.stringify(name)}.`);
    names.add(name);
    total += entry.size;
    if (total > allowed.bytes) throw new FileError(`${where}: its entries become more than ${allowed.reason}.`);
    entries.push(entry);
    at = end;
  }
  checkOverlap(entries, directory.offset, where);
  return entries;
}

/** Bytes that belong to two entries are how a small file becomes a huge one without any compression ratio. */
function checkOverlap(entries: readonly ZipEntry[], limit: number, where: string): void {
  const sorted = [...entries].sort((a, b) => b.offset - a.offset);
  let next = limit;
  for (const { name, offset, compressedSize, rawName } of sorted) {
    if (offset + LOCAL_SIZE + rawName.byteLength + compressedSize > next) {
      throw new FileError(
        `${where}: ${JSON.stringify(name)} at byte ${offset} runs into what begins at byte ${next}: damaged, or made to.`,
      );
    }
    next = offset;
  }
}

/** The position of an entry's bytes: after a header of its own, which must name the same entry. */
async function findData(source: ByteSource, entry: ZipEntry, where: string): Promise<number> {
  const size = LOCAL_SIZE + entry.rawName.byteLength;
  if (entry.offset + size > source.size) throw new FileError(`${where} lies past the end of the file.`);
  const header = await source.read(entry.offset, size);
  const view = viewOf(header);
  const nameSize = view.getUint16(26, true);
  const sameName =
    nameSize === entry.rawName.byteLength && Buffer.compare(header.subarray(LOCAL_SIZE), entry.rawName) === 0;
  if (view.getUint32(0, true) !== LOCAL || !sameName) {
    throw new FileError(`${where}: its header at byte ${entry.offset} is damaged.`);
  }
  const start = entry.offset + size + view.getUint16(28, true);
  if (start + entry.compressedSize > source.size) throw new FileError(`${where} goes past the end of the file.`);
  return start;
}

async function* pieces(source: ByteSource, start: number, length: number): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < length; done += PIECE) {
    yield await source.read(start + done, Math.min(PIECE, length - done));
  }
}

/**
 * The bytes of an entry, piece by piece. Never more than the directory says, and at the end size and CRC must be right.
 *
 * @throws FileError if the bytes are damaged
 */
export async function* zipChunks(source: ByteSource, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const where = `zip ${source.name}: ${JSON.stringify(entry.name)}`;
  const start = await findData(source, entry, where);
  const raw = pieces(source, start, entry.compressedSize);
  let chunks: AsyncIterable<Uint8Array> = raw;
  if (entry.deflated) {
    const inflate = createInflateRaw({ chunkSize: 64 * 1024 });
    // Errors of either end come out of the loop below.
    pipeline(Readable.from(raw, { objectMode: false }), inflate, () => undefined);
    chunks = inflate;
  }
  let done = 0;
  let crc = 0;
  try {
    for await (const chunk of chunks) {
      done += chunk.byteLength;
      if (done > entry.size) throw new FileError(`${where} holds more than the ${entry.size} bytes that it claims.`);
      crc = crc32(chunk, crc);
      yield chunk;
    }
  } catch (error) {
    if (error instanceof FileError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new FileError(`${where} is damaged: ${reasonOf(error)}.`, { cause: error });
  }
  if (done !== entry.size) throw new FileError(`${where} holds ${done} bytes, but claims ${entry.size}.`);
  if (crc !== entry.crc) {
    const hex = (value: number): string => value.toString(16).padStart(8, '0');
    throw new FileError(`${where} is damaged: its CRC-32 is ${hex(crc)}, expected ${hex(entry.crc)}.`);
  }
}

/**
 * All bytes of an entry.
 *
 * @throws FileError if the bytes are damaged, or there is no memory for them
 */
export async function readZipEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(entry.size);
  } catch (error) {
    const name = JSON.stringify(entry.name);
    throw new FileError(`zip ${source.name}: ${name}: cannot allocate ${entry.size} bytes.`, { cause: error });
  }
  let done = 0;
  for await (const chunk of zipChunks(source, entry)) {
    bytes.set(chunk, done);
    done += chunk.byteLength;
  }
  return bytes;
}
