import { randomBytes } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { open, realpath, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { FileError } from '../errors.js';
import { toFileError, writeAll } from './file.js';

/**
 * Flushes a folder's entries, so that a rename inside it survives a power cut. Windows and some network file
 * systems cannot open or flush a folder; there the rename is as durable as the system makes it.
 */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(folder, 'r');
    await handle.sync();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'EIO' || code === 'ENOSPC') throw error;
  } finally {
    await handle?.close();
  }
}

/** The file that a write to `file` changes: a symbolic link is followed, so that it stays a link. */
async function targetOf(file: string): Promise<{ path: string; mode: number | undefined }> {
  try {
    const path = await realpath(file);
    const info = await stat(path);
    if (info.isDirectory()) throw new FileError(`write ${file}: it is a folder.`);
    return { path, mode: info.mode & 0o7777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { path: resolve(file), mode: undefined };
    throw error;
  }
}

/**
 * Writes a file so that its name always holds either the old content or the whole new content: the bytes go to a
 * temporary file in the same folder, are flushed to disk, and the file is renamed over the old one. After a failure
 * the temporary file is gone and the old content is untouched.
 *
 * @param file the file's path; its folder must exist
 * @param content the bytes, or a function that writes them through the open handle
 * @throws FileError if the folder is missing, the disk is full, or `file` is a folder; what `content` throws is
 *   passed on unchanged
 *
 * @example
 * await writeFileAtomic('notes.txt', new TextEncoder().encode('hello'));
 */
export async function writeFileAtomic(
  file: string,
  content: Uint8Array | ((handle: FileHandle) => Promise<void>),
): Promise<void> {
  let handle: FileHandle | undefined;
  let temporary: string | undefined;
  // Only what the system says is wrapped: an error of the caller's own function keeps its type.
  let failure: { error: unknown } | undefined;
  try {
    const { path, mode } = await targetOf(file);
    temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
    handle = await open(temporary, 'wx', mode ?? 0o666);
    if (mode !== undefined) await handle.chmod(mode);
    if (typeof content === 'function') {
      const opened = handle;
      await content(opened).catch((error: unknown) => {
        failure = { error };
        throw error;
      });
    } else {
      await writeAll(handle, content);
    }
    await handle.sync();
    await handle.close();
    handle = undefined;
    await rename(temporary, path);
    temporary = undefined;
    await syncFolder(dirname(path));
  } catch (error) {
    await handle?.close().catch(() => undefined);
    if (temporary !== undefined) await rm(temporary, { force: true }).catch(() => undefined);
    const system = (error as NodeJS.ErrnoException | null)?.syscall !== undefined;
    if (failure !== undefined && !system) throw failure.error;
    throw toFileError(error, 'write', file);
  }
}
