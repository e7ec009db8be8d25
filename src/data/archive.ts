// Unpacking archives that come from the network: .tar, .tar.gz and .zip, as hostile input.
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { ReadEntry } from 'tar';
import { ArgumentError, FileError } from '../errors.js';
import { type ByteSource, withFileSource } from '../io/bytes.js';
import { reasonOf, toFileError } from '../io/file.js';
import { allowedBytes, readZipDirectory, readZipEntry, type ZipEntry, zipChunks } from '../io/zip.js';
import { FolderWriter } from './folderWriter.js';
import { isGzip } from './idx.js';

/** Options of `extractArchive`. */
export interface ExtractOptions {
  /** An archive with more bytes inside is refused. Default 32 GiB. */
  readonly maxBytes?: number;
  /** One with more files and folders is refused. Default 2,000,000. */
  readonly maxEntries?: number;
  /** One that becomes more than this many times its own size is refused, once that is over 16 MiB. Default 200. */
  readonly maxRatio?: number;
  /** Stops the unpacking; nothing is left. */
  readonly signal?: AbortSignal;
}

interface Limits {
  readonly maxBytes: number;
  readonly maxEntries: number;
  readonly maxRatio: number;
}

const ZSTANDARD = Buffer.of(0x28, 0xb5, 0x2f, 0xfd);

const READ_SIZE = 1024 * 1024;

async function* bytesOf(source: ByteSource): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < source.size; at += READ_SIZE) {
    yield await source.read(at, Math.min(READ_SIZE, source.size - at));
  }
}

/** The bytes of a tar file, inflated if it is gzip, and no more of them than allowed. */
async function* tarBytes(source: ByteSource, gzip: boolean, limits: Limits, where: string): AsyncGenerator<Buffer> {
  const allowed = allowedBytes(source.size, limits);
  let chunks: AsyncIterable<Uint8Array> = bytesOf(source);
  if (gzip) {
    const gunzip = createGunzip({ chunkSize: 256 * 1024 });
    // Errors of either end come out of the loop below.
    pipeline(Readable.from(chunks, { objectMode: false }), gunzip, () => undefined);
    chunks = gunzip;
  }
  let total = 0;
  let start = Buffer.alloc(0);
  // A tar file ends with blocks of zeros; without them it has been cut between two files.
  let zeros = 0;
  try {
    for await (const chunk of chunks) {
      total += chunk.byteLength;
      if (total > allowed.bytes) throw new FileError(`${where}: it becomes more than ${allowed.reason}.`);
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
      if (start.byteLength < 4) {
        start = Buffer.concat([start, bytes.subarray(0, 4)]);
        // The parser would inflate that, too, and nobody would count what comes out.
        if (isGzip(start) || start.subarray(0, 4).equals(ZSTANDARD)) {
          throw new FileError(`${where}: what is compressed in it is compressed again; it is no tar file.`);
        }
      }
      let tail = 0;
      while (tail < bytes.byteLength && bytes[bytes.byteLength - 1 - tail] === 0) tail++;
      zeros = tail === bytes.byteLength ? zeros + tail : tail;
      yield bytes;
    }
  } catch (error) {
    if (error instanceof FileError || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    throw new FileError(`${where}: damaged or truncated gzip stream: ${reasonOf(error)}.`, { cause: error });
  }
  if (total === 0) throw new FileError(`${where}: it is empty.`);
  if (zeros < 512) throw new FileError(`${where}: truncated: the block of zeros at the end is missing.`);
}

async function addTarEntry(writer: FolderWriter, entry: ReadEntry, content: AsyncIterable<Uint8Array>): Promise<void> {
  switch (entry.type) {
    case 'File':
    case 'OldFile':
    case 'ContiguousFile':
      return writer.addFile(entry.path, content, entry.mode);
    case 'Directory':
    case 'GNUDumpDir':
      return writer.addFolder(entry.path);
    case 'Link':
      return writer.addHardLink(entry.path, entry.linkpath ?? '');
    case 'SymbolicLink':
      writer.addSymbolicLink(entry.path, entry.linkpath ?? '');
      return;
    default:
      throw new FileError(
        `${writer.where}: ${JSON.stringify(entry.path)} is a ${entry.type}; only files, folders and links are unpacked.`,
      );
  }
}

async function extractTar(source: ByteSource, gzip: boolean, limits: Limits, writer: FolderWriter): Promise<void> {
  const { where } = writer;
  const { Parser } = await import('tar');
  const parser = new Parser({ strict: true });
  let failure: { error: unknown } | undefined;
  let interrupt = (_: unknown): void => undefined;
  let entries = 0;
  let jobs = Promise.resolve();
  const fail = (error: unknown): void => {
    failure ??= { error };
    wake();
    interrupt(error);
  };
  let wake = (): void => undefined;
  // What the parser says next, or a failure: after one, it may say nothing any more.
  const heard = (event: 'drain' | 'end'): Promise<void> =>
    new Promise((done) => {
      wake = done;
      if (event === 'drain') parser.once('drain', done);
      else parser.once('end', done);
    });
  const throwFailure = (): void => {
    if (failure !== undefined) throw failure.error;
  };
  // A stream whose archive has ended too early says nothing any more, whatever is done to it.
  async function* contentOf(entry: ReadEntry): AsyncGenerator<Uint8Array> {
    throwFailure();
    const interrupted = new Promise<never>((_, reject) => (interrupt = reject));
    interrupted.catch(() => undefined);
    const chunks = entry[Symbol.asyncIterator]();
    for (;;) {
      const { value, done } = await Promise.race([chunks.next(), interrupted]);
      if (done === true) return;
      yield value;
    }
  }
  parser.on('error', (error: Error) => fail(new FileError(`${where}: ${reasonOf(error)}.`, { cause: error })));
  parser.on('ignoredEntry', (entry: ReadEntry) =>
    fail(new FileError(`${where}: ${JSON.stringify(entry.path)} is of a kind that is not unpacked (${entry.type}).`)),
  );
  parser.on('entry', (entry: ReadEntry) => {
    jobs = jobs.then(async () => {
      try {
        if (failure === undefined) {
          if (++entries > limits.maxEntries) {
            throw new FileError(`${where}: more entries than the limit of ${limits.maxEntries}.`);
          }
          await addTarEntry(writer, entry, contentOf(entry));
        }
      } catch (error) {
        fail(error);
      }
      entry.resume();
    });
  });
  try {
    for await (const chunk of tarBytes(source, gzip, limits, where)) {
      throwFailure();
      if (!parser.write(chunk)) await heard('drain');
    }
    const ended = heard('end');
    parser.end();
    throwFailure();
    await ended;
  } catch (error) {
    fail(error);
  }
  // Nothing may be written any more when the folder is removed.
  await jobs;
  throwFailure();
  if (entries === 0) throw new FileError(`${where}: it holds no files: not a tar file?`);
}

const TYPE_MASK = 0o170000;
const SYMBOLIC_LINK = 0o120000;
const REGULAR = new Set([0, 0o100000, 0o040000]);

async function extractZip(source: ByteSource, entries: readonly ZipEntry[], writer: FolderWriter): Promise<void> {
  for (const entry of entries) {
    const type = entry.mode & TYPE_MASK;
    if (entry.name.endsWith('/')) await writer.addFolder(entry.name);
    else if (type === SYMBOLIC_LINK) {
      if (entry.size > 4096) throw new FileError(`${writer.where}: a link of ${entry.size} bytes.`);
      writer.addSymbolicLink(entry.name, Buffer.from(await readZipEntry(source, entry)).toString('utf8'));
    } else if (REGULAR.has(type)) await writer.addFile(entry.name, zipChunks(source, entry), entry.mode);
    else {
      const name = JSON.stringify(entry.name);
      throw new FileError(`${writer.where}: ${name} is no file, folder or link (mode ${entry.mode.toString(8)}).`);
    }
  }
}

const others: readonly [string, string][] = [
  ['BZh', 'bzip2'],
  ['\xfd7zXZ', 'xz'],
  ['\x28\xb5\x2f\xfd', 'Zstandard'],
  ['7z\xbc\xaf', '7-Zip'],
  ['Rar!', 'RAR'],
];

function checkLimit(name: keyof Limits, value: number): number {
  if (typeof value === 'number' && value > 0) return value;
  throw new ArgumentError(`extractArchive: ${name} must be a positive number, not ${String(value)}.`);
}

/**
 * Unpacks a .tar, .tar.gz (.tgz) or .zip file into a new folder. The format is recognised by the content.
 *
 * The folder appears complete or not at all: everything goes to a temporary folder beside it first, which is removed when
 * something is wrong. Names that lead out of the folder, absolute ones, links to outside, devices, and archives that become
 * unreasonably large are refused. Owners and permissions in the archive are not applied, except for the right to execute.
 *
 * @param file the archive
 * @param folder must not exist, or be empty
 * @returns the folder's absolute path
 * @throws FileError naming the archive and what is wrong with it, or that the disk is full; the signal's reason if it was
 *   aborted
 *
 * @example
 * await data.extractArchive('flowers.tar.gz', 'flowers');
 * const flowers = await data.imageFolder('flowers/jpg');
 */
export async function extractArchive(file: string, folder: string, options: ExtractOptions = {}): Promise<string> {
  const limits: Limits = {
    maxBytes: checkLimit('maxBytes', options.maxBytes ?? 32 * 1024 ** 3),
    maxEntries: checkLimit('maxEntries', options.maxEntries ?? 2_000_000),
    maxRatio: checkLimit('maxRatio', options.maxRatio ?? 200),
  };
  const where = `archive ${file}`;
  const { signal } = options;
  signal?.throwIfAborted();
  return withFileSource(file, 'archive', async (opened) => {
    const source: ByteSource = {
      ...opened,
      read: (position, length) => {
        signal?.throwIfAborted();
        return opened.read(position, length);
      },
    };
    const magic = Buffer.from(await source.read(0, Math.min(8, source.size))).toString('latin1');
    const other = others.find(([start]) => magic.startsWith(start));
    if (other !== undefined) {
      throw new FileError(`${where}: it is compressed by ${other[1]}; .tar, .tar.gz and .zip can be unpacked here.`);
    }
    let writer: FolderWriter | undefined;
    try {
      // A zip file's directory is checked before anything is made.
      const zip = magic.startsWith('PK') ? await readZipDirectory(source, limits) : undefined;
      writer = await FolderWriter.create(folder, where);
      if (zip !== undefined) await extractZip(source, zip, writer);
      else await extractTar(source, isGzip(Buffer.from(magic, 'latin1')), limits, writer);
      await writer.finish();
      return writer.target;
    } catch (error) {
      await writer?.discard().catch(() => undefined);
      if (signal?.aborted) throw signal.reason;
      if ((error as NodeJS.ErrnoException | null)?.syscall !== undefined) throw toFileError(error, 'archive', file);
      throw error;
    }
  });
}
