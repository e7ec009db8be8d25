// What the data sets share: files that a user's folder has, or the cache, or that are fetched into the cache.
import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { FileError } from '../../errors.js';
import { toFileError } from '../../io/file.js';
import { orphansOf, ownedName } from '../../io/owner.js';
import { extractArchive } from '../archive.js';
import { cacheFolder, download, type DownloadOptions } from '../download.js';

/** Options of every data set. */
export interface SetOptions {
  /** A folder that has the files. Without it they are downloaded into a cache. */
  readonly folder?: string;
  /** Where downloads are kept. Default: a folder named after the set in `cacheFolder()`. */
  readonly cache?: string;
  /** False: never touch the network, use what is in the cache. Default true. */
  readonly download?: boolean;
  /** URLs of folders to download from, instead of the publisher and its mirrors. */
  readonly mirrors?: readonly string[];
  /** Show on stderr how far a download is: a bar in a terminal, else lines. Default: only in a terminal. */
  readonly progress?: boolean;
  /** Called as pieces of a download arrive. */
  readonly onProgress?: DownloadOptions['onProgress'];
  /** Stops a download. */
  readonly signal?: AbortSignal;
}

/** One file of a set as its publisher has it. */
export interface SetFile {
  /** Its name in the publisher's folder and in the cache. */
  readonly name: string;
  /** Names under which it is found in a folder. Default: `name`. */
  readonly names?: readonly string[];
  /** A larger one is not downloaded. */
  readonly maxBytes: number;
  readonly sha256?: string;
  readonly sha256Of?: DownloadOptions['sha256Of'];
  readonly md5?: string;
}

/** A set's name, for messages and the cache, and the folders it comes from, the publisher's first. */
export interface SetSource {
  readonly set: string;
  readonly mirrors: readonly string[];
}

async function sizeOf(file: string): Promise<number | undefined> {
  return stat(file).then(
    (info) => (info.isFile() ? info.size : undefined),
    () => undefined,
  );
}

async function findIn(set: string, folder: string, { name, names = [name] }: SetFile): Promise<string> {
  for (const candidate of names) {
    if ((await sizeOf(join(folder, candidate))) !== undefined) return join(folder, candidate);
  }
  throw new FileError(`${set}: no ${names[0]} in ${folder} (looked for ${names.join(', ')}).`);
}

const cacheOf = (set: string, options: SetOptions): string => options.cache ?? join(cacheFolder(), set);

/**
 * The path of one file of a set: in the user's folder, in the cache, or fetched into it and checked.
 *
 * @throws FileError if it is not there, or cannot be had
 */
export async function locate({ set, mirrors }: SetSource, file: SetFile, options: SetOptions): Promise<string> {
  if (options.folder !== undefined) return findIn(set, options.folder, file);
  const cache = cacheOf(set, options);
  if (options.download === false) return findIn(set, cache, file);
  const { name, maxBytes, sha256, sha256Of, md5 } = file;
  const { progress, onProgress, signal } = options;
  const urls = (options.mirrors ?? mirrors).map((base) => `${base.replace(/\/$/, '')}/${name}`);
  return download(urls, {
    file: join(cache, name),
    maxBytes,
    ...(sha256 !== undefined && { sha256 }),
    ...(sha256Of !== undefined && { sha256Of }),
    ...(md5 !== undefined && { md5 }),
    ...(progress !== undefined && { progress }),
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  });
}

/** A set that is published as one archive. */
export interface SetArchive extends SetFile {
  /** The folder inside it. */
  readonly inside: string;
  /** What that folder must have, with the sizes in bytes. */
  readonly files: ReadonlyMap<string, number>;
  /** Bytes of all its files together are below that. */
  readonly maxInside: number;
}

/**
 * The folder of a set's files, downloaded and unpacked if need be. In a user's folder they may also lie in the folder that
 * the archive has inside, and may have other sizes.
 */
export async function locateUnpacked(source: SetSource, archive: SetArchive, options: SetOptions): Promise<string> {
  const { set } = source;
  const { inside, files } = archive;
  if (options.folder !== undefined) {
    for (const folder of [options.folder, join(options.folder, inside)]) {
      for (const name of files.keys()) if ((await sizeOf(join(folder, name))) !== undefined) return folder;
    }
    const names = [...files.keys()].join(', ');
    throw new FileError(`${set}: ${options.folder} has none of ${names}, nor has a folder ${inside} in it.`);
  }
  const unpacked = join(cacheOf(set, options), 'files');
  const folder = join(unpacked, inside);
  const complete = async (): Promise<boolean> => {
    for (const [name, size] of files) if ((await sizeOf(join(folder, name))) !== size) return false;
    return true;
  };
  if (await complete()) return folder;
  const file = await locate(source, archive, options);
  const { signal } = options;
  const fresh = ownedName(unpacked, '.new');
  try {
    for (const orphan of await orphansOf(unpacked, '.new')) await rm(orphan, { recursive: true, force: true });
    await extractArchive(file, fresh, { maxBytes: archive.maxInside, ...(signal !== undefined && { signal }) });
    for (const [name, size] of files) {
      const actual = await sizeOf(join(fresh, inside, name));
      if (actual === size) continue;
      const got = actual === undefined ? 'missing' : `${actual} bytes`;
      throw new FileError(`${set} ${file}: ${inside}/${name} in it is ${got}, expected ${size} bytes.`);
    }
    // Whoever is first is kept: the others have it open. A folder with something in it is not replaced by a rename.
    await rename(fresh, unpacked).catch(async () => {
      if (await complete()) return;
      // What is there has lost something: a disk that was full, a file that was deleted.
      await rm(unpacked, { recursive: true, force: true });
      await rename(fresh, unpacked);
    });
  } catch (error) {
    // Another process may have been faster.
    if (await complete()) return folder;
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : toFileError(error, set, unpacked);
  } finally {
    await rm(fresh, { recursive: true, force: true }).catch(() => undefined);
  }
  return folder;
}
