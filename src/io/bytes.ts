// Reading by position, from a file or from memory, for the formats that are a directory of parts.
import { type FileHandle, open } from 'node:fs/promises';
import { FileError } from '../errors.js';
import { readExactly, toFileError } from './file.js';

/** Bytes that can be read by their position. */
export interface ByteSource {
  /** A name for error messages: the file's path. */
  readonly name: string;
  /** The number of bytes. */
  readonly size: number;
  /** Exactly `length` bytes at `position`; a FileError if there are not that many. */
  read(position: number, length: number): Promise<Uint8Array>;
}

/** A source over bytes in memory; what it reads are views of them. */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    read: (position, length) => {
      if (position + length <= bytes.byteLength) return Promise.resolve(bytes.subarray(position, position + length));
      const end = position + length;
      return Promise.reject(new FileError(`read ${name}: it ends at byte ${bytes.byteLength}, before byte ${end}.`));
    },
  };
}

/**
 * Opens a file as a source for the time that `use` takes.
 *
 * @param format named in errors of the system
 * @throws FileError if the file cannot be opened or read; what `use` throws is passed on unchanged
 */
export async function withFileSource<T>(
  file: string,
  format: string,
  use: (source: ByteSource) => Promise<T>,
): Promise<T> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const opened = handle;
    const info = await opened.stat();
    if (info.isDirectory()) throw new FileError(`${format} ${file}: it is a folder.`);
    return await use({
      name: file,
      size: info.size,
      read: (position, length) => readExactly(opened, position, length, file),
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.syscall === undefined) throw error;
    throw toFileError(error, format, file);
  } finally {
    await handle?.close();
  }
}
