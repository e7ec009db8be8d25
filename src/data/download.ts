// Downloads that survive bad networks: mirrors, resume, a hash check, and a file that appears complete or not at all.
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { createReadStream } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import { ArgumentError, FileError } from '../errors.js';
import { syncFolder } from '../io/atomic.js';
import { reasonOf, toFileError } from '../io/file.js';
import { ownedName, orphansOf } from '../io/owner.js';
import { isGzip } from './idx.js';
import { showProgress, type ShownProgress } from './progress.js';

/** How far a download is; `total` is undefined while the server has not said. */
export interface DownloadProgress {
  /** Where it comes from; the next mirror after a failure. */
  readonly url: string;
  /** Where it goes. */
  readonly file: string;
  /** Bytes that have arrived, those of an earlier, cut download included. */
  readonly bytes: number;
  /** Bytes in all, if the server says so. */
  readonly total: number | undefined;
}

/** Options of `download`. */
export interface DownloadOptions {
  /** Where the file goes. Default: the last part of the first URL's path, in `cacheFolder()`. */
  readonly file?: string;
  /** The expected SHA-256, 64 hexadecimal digits. Only with it (or `md5`) is an earlier, cut download resumed. */
  readonly sha256?: string;
  /** The expected MD5, 32 hexadecimal digits, for publishers who give no SHA-256: it finds damage, not malice. */
  readonly md5?: string;
  /** What `sha256` is of: the file, or what it holds when gunzipped (mirrors compress the same data differently). */
  readonly sha256Of?: 'file' | 'gunzipped';
  /** Show on stderr how far it is: a bar in a terminal, else a line now and then. Default: only in a terminal. */
  readonly progress?: boolean;
  /** Called for every piece that arrives. */
  readonly onProgress?: (progress: DownloadProgress) => void;
  /** Stops the download; what has arrived is kept for a later resume. */
  readonly signal?: AbortSignal;
  /** Milliseconds without a byte after which a connection counts as dead. Default 30,000. */
  readonly timeout?: number;
  /** A download larger than this is refused. Default: no limit. */
  readonly maxBytes?: number;
}

/**
 * Where downloads are kept: `THALWEG_CACHE`, else `XDG_CACHE_HOME/thalweg`, else the platform's cache folder
 * (`~/.cache/thalweg`; `~/Library/Caches/thalweg` on macOS; `%LOCALAPPDATA%\thalweg\Cache` on Windows).
 */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  if (env['THALWEG_CACHE']) return resolve(env['THALWEG_CACHE']);
  // The XDG specification says that a relative path must be ignored.
  if (env['XDG_CACHE_HOME'] && isAbsolute(env['XDG_CACHE_HOME'])) return join(env['XDG_CACHE_HOME'], 'thalweg');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'thalweg');
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'thalweg', 'Cache');
  return join(homedir(), '.cache', 'thalweg');
}

/** A failure that the same server will answer with again: the next mirror's turn. */
class HopelessError extends Error {}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The SHA-256 of a file, or of what it holds when it is gzip and `of` asks for that. */
export async function sha256OfFile(file: string, of: 'file' | 'gunzipped' = 'file'): Promise<string> {
  return hashOfFile('sha256', file, of);
}

async function hashOfFile(algorithm: 'sha256' | 'md5', file: string, of: 'file' | 'gunzipped'): Promise<string> {
  const hash = createHash(algorithm);
  const handle = await open(file, 'r');
  const magic = Buffer.alloc(2);
  try {
    await handle.read(magic, 0, 2, 0);
  } finally {
    await handle.close();
  }
  if (of === 'gunzipped' && isGzip(magic)) await pipeline(createReadStream(file), createGunzip(), hash);
  else await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

const hasChecksum = (options: DownloadOptions): boolean => options.sha256 !== undefined || options.md5 !== undefined;

/** What is wrong with a file's hashes, in words; undefined if nothing is, or none is known. */
async function wrongHash(file: string, options: DownloadOptions): Promise<string | undefined> {
  for (const algorithm of ['sha256', 'md5'] as const) {
    const expected = options[algorithm]?.toLowerCase();
    if (expected === undefined) continue;
    const of = algorithm === 'sha256' ? (options.sha256Of ?? 'file') : 'file';
    const actual = await hashOfFile(algorithm, file, of).catch((error: unknown) => `none (${reasonOf(error)})`);
    if (actual === expected) continue;
    const name = algorithm === 'sha256' ? 'SHA-256' : 'MD5';
    const what = of === 'file' ? name : `${name} of the gunzipped content`;
    return `${what} is ${actual}, expected ${expected}`;
  }
  return undefined;
}

/**
 * Several processes may want the same file at once, and must not write into one partial file. A download that stops
 * leaves `<file>.part`; whoever goes on with it first renames it to a name of its own, and a rename has one winner. So
 * nobody waits for a lock, and the worst case is that the same bytes are fetched twice. Partial files of processes of
 * this host that died are taken over.
 */
async function claimPart(file: string): Promise<string> {
  const own = ownedName(file, '.part');
  for (const candidate of [`${file}.part`, ...(await orphansOf(file, '.part'))]) {
    try {
      await rename(candidate, own);
      return own;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return own;
}

/** Leaves the partial file where the next attempt finds it, or removes it if there is nothing worth resuming. */
async function releasePart(part: string, file: string, keep: boolean): Promise<void> {
  if (keep && (await sizeOf(part))) await rename(part, `${file}.part`);
  else await rm(part, { force: true });
}

/** Where a server's 206 answer starts, and how large the whole is. */
function parseContentRange(header: string | null): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(header ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), total: match[2] === '*' ? undefined : Number(match[2]) };
}

/** What one connection is about: the resume point has to be the same file, which the ETag or the hash vouches for. */
interface Transfer {
  readonly url: string;
  readonly file: string;
  readonly part: string;
  readonly options: DownloadOptions;
  etag: string | undefined;
}

/**
 * One connection: appends to the partial file where the server allows that, else writes it from the beginning.
 *
 * @returns whether the file was continued (then a wrong hash may be the old part's fault)
 */
async function transferOnce(transfer: Transfer): Promise<boolean> {
  const { url, file, part, options } = transfer;
  const timeout = options.timeout ?? 30_000;
  const controller = new AbortController();
  const stop = (): void => controller.abort(options.signal?.reason);
  const stalled = (): void => controller.abort(new Error(`no data for ${timeout} ms`));
  options.signal?.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stalled, timeout);
  let handle: FileHandle | undefined;
  try {
    const resumable = hasChecksum(options) || transfer.etag !== undefined;
    const offset = resumable ? ((await sizeOf(part)) ?? 0) : 0;
    // Without identity the server may compress on the way, and lengths and offsets mean something else.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (offset > 0) headers['range'] = `bytes=${offset}-`;
    if (offset > 0 && transfer.etag !== undefined) headers['if-range'] = transfer.etag;
    const response = await fetch(url, { headers, signal: controller.signal });

    if (response.status === 416 && offset > 0) {
      await response.body?.cancel();
      await rm(part, { force: true });
      throw new Error(`the server has no byte ${offset} to resume at`);
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      const message = `HTTP ${response.status} ${response.statusText}`.trim();
      // Overload and server errors may pass; the rest (not found, forbidden) will not.
      const passing = response.status >= 500 || response.status === 429 || response.status === 408;
      throw passing ? new Error(message) : new HopelessError(message);
    }
    const etag = response.headers.get('etag') ?? undefined;
    transfer.etag = etag?.startsWith('W/') ? undefined : etag;

    let position = 0;
    let total: number | undefined;
    if (response.status === 206) {
      const range = parseContentRange(response.headers.get('content-range'));
      if (range === undefined || range.start !== offset) {
        await response.body?.cancel();
        await rm(part, { force: true });
        throw new Error(`asked for bytes from ${offset}, got '${response.headers.get('content-range') ?? 'no range'}'`);
      }
      position = offset;
      total = range.total;
    } else if (!response.headers.has('content-encoding')) {
      const length = response.headers.get('content-length');
      total = length === null ? undefined : Number(length);
    }

    handle = await open(part, position > 0 ? 'r+' : 'w');
    const limit = options.maxBytes ?? Number.POSITIVE_INFINITY;
    if ((total ?? 0) > limit) throw new HopelessError(`${total} bytes are over the limit of ${limit}`);
    options.onProgress?.({ url, file, bytes: position, total });
    for await (const chunk of response.body ?? []) {
      timer.refresh();
      const bytes = chunk as Uint8Array;
      if (position + bytes.byteLength > limit) throw new HopelessError(`more bytes than the limit of ${limit}`);
      for (let done = 0; done < bytes.byteLength;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, position);
        done += bytesWritten;
        position += bytesWritten;
      }
      options.onProgress?.({ url, file, bytes: position, total });
    }
    if (total !== undefined && position !== total) {
      if (position > total) await handle.truncate(0);
      throw new Error(`the connection ended after ${position} of ${total} bytes`);
    }
    await handle.sync();
    return response.status === 206;
  } catch (error) {
    // fetch wraps the reason of an abort in different ways; the reason itself is what the caller should see.
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', stop);
    await handle?.close();
  }
}

/** Connections to one mirror before the next one's turn. */
const ATTEMPTS = 3;

/** Fetches from one mirror until the file is whole and right; returns what failed on the way, empty on success. */
async function fetchFrom(transfer: Transfer): Promise<string[]> {
  const { part, options } = transfer;
  const failures: string[] = [];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    let resumed: boolean;
    try {
      resumed = await transferOnce(transfer);
    } catch (error) {
      if (options.signal?.aborted) throw error;
      if ((error as NodeJS.ErrnoException | null)?.syscall === 'write') throw error;
      failures.push(reasonOf(error));
      if (error instanceof HopelessError) return failures;
      if (attempt + 1 < ATTEMPTS) await sleep(200 * 2 ** attempt, undefined, { signal: options.signal });
      continue;
    }
    const wrong = await wrongHash(part, options);
    if (wrong === undefined) return [];
    await rm(part, { force: true });
    failures.push(wrong);
    // A file that is wrong although it came in one piece will be wrong again.
    if (!resumed) return failures;
  }
  return failures;
}

function checkOptions(urls: readonly string[], options: DownloadOptions): void {
  if (urls.length === 0) throw new ArgumentError('download: expected at least one URL.');
  for (const url of urls) {
    const protocol = URL.canParse(url) ? new URL(url).protocol : '';
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new ArgumentError(`download: '${url}' is not an http or https URL.`);
    }
  }
  if (options.sha256 !== undefined && !/^[0-9a-fA-F]{64}$/.test(options.sha256)) {
    throw new ArgumentError(`download: sha256 '${options.sha256}' is not 64 hexadecimal digits.`);
  }
  if (options.md5 !== undefined && !/^[0-9a-fA-F]{32}$/.test(options.md5)) {
    throw new ArgumentError(`download: md5 '${options.md5}' is not 32 hexadecimal digits.`);
  }
  const { timeout } = options;
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout > 0)) {
    throw new ArgumentError(`download: timeout must be a positive number of milliseconds, not ${timeout}.`);
  }
}

/**
 * Downloads a file over HTTP(S), or does nothing if it is there already (and has the right hash).
 *
 * Mirrors are tried in order, each up to three times; a cut transfer goes on where it stopped if the server supports
 * ranges. The bytes go to a partial file beside the target, which gets its name only when it is complete, has the
 * right hash, and is flushed. Several processes may download the same file at the same time.
 *
 * @param urls one URL, or the mirrors of one file
 * @returns the file's path
 * @throws FileError saying for each mirror what went wrong; ArgumentError for options that make no sense; the
 *   signal's reason if it was aborted
 *
 * @example
 * const file = await download('https://example.org/weights.safetensors', {
 *   sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
 *   onProgress: ({ bytes, total }) => console.log(bytes, total),
 * });
 */
export async function download(
  urls: string | URL | readonly (string | URL)[],
  options: DownloadOptions = {},
): Promise<string> {
  const mirrors = (Array.isArray(urls) ? (urls as readonly (string | URL)[]) : [urls as string | URL]).map(String);
  checkOptions(mirrors, options);
  const name = basename(new URL(mirrors[0]).pathname);
  if (options.file === undefined && name === '') {
    throw new ArgumentError(`download: '${mirrors[0]}' names no file; give one as { file }.`);
  }
  const file = resolve(options.file ?? join(cacheFolder(), name));
  options.signal?.throwIfAborted();

  let part: string | undefined;
  let shown: ShownProgress | undefined;
  try {
    if ((await sizeOf(file)) !== undefined && (await wrongHash(file, options)) === undefined) return file;
    await mkdir(dirname(file), { recursive: true });
    part = await claimPart(file);
    // What another run left cannot be checked without a hash, so it is not built upon.
    if (!hasChecksum(options)) await rm(part, { force: true });

    shown = options.progress === false ? undefined : showProgress(basename(file), options.progress);
    const onProgress = (progress: DownloadProgress): void => {
      shown?.update(progress.bytes, progress.total);
      options.onProgress?.(progress);
    };
    const failures: string[] = [];
    for (const url of mirrors) {
      const failed = await fetchFrom({ url, file, part, options: { ...options, onProgress }, etag: undefined });
      if (failed.length === 0) {
        await rename(part, file);
        part = undefined;
        await syncFolder(dirname(file));
        return file;
      }
      failures.push(`${url}: ${[...new Set(failed)].join('; ')}`);
    }
    throw new FileError(`download ${file}: ${failures.join(' | ')}.`);
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason;
    throw error instanceof FileError ? error : toFileError(error, 'download', file);
  } finally {
    shown?.stop();
    if (part !== undefined) await releasePart(part, file, hasChecksum(options)).catch(() => undefined);
  }
}
