import type { FileHandle } from 'node:fs/promises';
import { FileError } from '../errors.js';

/** What went wrong, in one line: the innermost cause, because `fetch failed` or `terminated` alone helps nobody. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error.cause === undefined ? '' : reasonOf(error.cause);
  if (inner === '' || error.message.includes(inner)) return error.message;
  return `${error.message} (${inner})`;
}

/** A system error as a FileError that names the action and the file. Typed errors pass through unchanged. */
export function toFileError(error: unknown, action: string, file: string): FileError {
  if (error instanceof FileError) return error;
  const code = (error as NodeJS.ErrnoException | null)?.code;
  const reasons: Record<string, string> = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EPERM: 'operation not permitted',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is not a folder',
    ENOSPC: 'no space left on the device',
    EDQUOT: 'the disk quota is used up',
    EFBIG: 'the file would be larger than the system allows',
  };
  const reason = (code !== undefined && reasons[code]) || reasonOf(error);
  return new FileError(`${action} ${file}: ${reason}.`, { cause: error });
}

/** One read call is limited to 2 GiB by the system; smaller pieces also keep the thread pool's jobs short. */
const READ_CHUNK = 64 * 1024 * 1024;

/**
 * Reads exactly `length` bytes at `position`. The buffer is allocated only after the caller has compared `length`
 * with the size of the file, so a header that lies cannot cause a giant allocation.
 *
 * @throws FileError if the file ends early (it shrank after its size was read) or the buffer cannot be allocated.
 */
export async function readExactly(
  handle: FileHandle,
  position: number,
  length: number,
  file: string,
): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(length);
  } catch (error) {
    throw new FileError(`read ${file}: cannot allocate a buffer of ${length} bytes.`, { cause: error });
  }
  let done = 0;
  while (done < length) {
    const want = Math.min(READ_CHUNK, length - done);
    const { bytesRead } = await handle.read(bytes, done, want, position + done);
    if (bytesRead === 0) {
      throw new FileError(`read ${file}: it ends at byte ${position + done}, ${length - done} bytes too early.`);
    }
    done += bytesRead;
  }
  return bytes;
}

/** Writes all of `bytes` at the handle's current position, in pieces below the system's limit of 2 GiB a call. */
export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.byteLength) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(READ_CHUNK, bytes.byteLength - done));
    done += bytesWritten;
  }
}
