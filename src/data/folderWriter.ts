// A folder that is filled by an archive: names are checked, nothing is written outside it, and it gets its name only when it
// is complete.
import type { FileHandle } from 'node:fs/promises';
import { link, mkdir, open, readdir, realpath, rename, rm, rmdir, stat, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { FileError } from '../errors.js';
import { syncFolder } from '../io/atomic.js';
import { writeAll } from '../io/file.js';
import { orphansOf, ownedName } from '../io/owner.js';

/** Names that Windows gives to devices, whatever their ending. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/**
 * The parts of a path inside the folder.
 *
 * @param where the beginning of error messages: the archive
 * @throws FileError for an absolute path, one with `..`, or one that a system understands as something else
 */
export function safeParts(name: string, where: string): string[] {
  const shown = JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}...` : name);
  // Windows's separator counts everywhere: the same archive must mean the same on every system.
  if (/^[/\\]|^[A-Za-z]:/.test(name))
    throw new FileError(`${where}: ${shown} is an absolute path; nothing was written.`);
  const parts = name.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw new FileError(`${where}: ${shown} leads out of the folder; nothing was written.`);
  if (name.includes('\0')) throw new FileError(`${where}: ${shown} has a zero byte in its name.`);
  if (process.platform === 'win32' && parts.some((part) => DEVICES.test(part) || /[<>:"|?*]|[. ]$/.test(part))) {
    throw new FileError(`${where}: ${shown} is no file name on Windows.`);
  }
  return parts;
}

/** Fills a temporary folder beside the target; `finish` gives it its name, `discard` removes it. */
export class FolderWriter {
  readonly #links: { path: string; target: string; name: string }[] = [];
  readonly #made = new Set<string>();

  private constructor(
    readonly target: string,
    readonly folder: string,
    readonly where: string,
  ) {}

  /**
   * @param folder must not exist, or be empty
   * @param where the beginning of error messages: the archive
   */
  static async create(folder: string, where: string): Promise<FolderWriter> {
    const target = resolve(folder);
    await FolderWriter.#checkFree(target, where);
    await mkdir(dirname(target), { recursive: true });
    const hidden = join(dirname(target), `.${basename(target)}`);
    // What a process that was killed has left.
    for (const orphan of await orphansOf(hidden, '.tmp')) await rm(orphan, { recursive: true, force: true });
    const temporary = ownedName(hidden, '.tmp');
    await mkdir(temporary);
    return new FolderWriter(target, await realpath(temporary), where);
  }

  static async #checkFree(target: string, where: string): Promise<void> {
    let names: string[];
    try {
      names = await readdir(target);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return;
      // Of a path that leads through a file there is nothing to look at.
      const exists = await stat(target).then(
        () => true,
        () => false,
      );
      if (code !== 'ENOTDIR' || !exists) throw error;
      throw new FileError(`${where}: ${target} exists and is no folder.`, { cause: error });
    }
    if (names.length > 0) throw new FileError(`${where}: ${target} exists and is not empty.`);
  }

  #path(name: string): string {
    return join(this.folder, ...safeParts(name, this.where));
  }

  async #makeFolder(path: string): Promise<void> {
    if (this.#made.has(path)) return;
    await mkdir(path, { recursive: true });
    this.#made.add(path);
  }

  /** Makes a folder; it may be there. */
  async addFolder(name: string): Promise<void> {
    await this.#makeFolder(this.#path(name));
  }

  /** Writes a file of chunks. `mode`: only whether it can be executed counts. */
  async addFile(name: string, chunks: AsyncIterable<Uint8Array>, mode = 0): Promise<void> {
    const path = this.#path(name);
    if (path === this.folder) throw new FileError(`${this.where}: a file without a name.`);
    await this.#makeFolder(dirname(path));
    let handle: FileHandle | undefined;
    try {
      handle = await open(path, 'wx', mode & 0o111 ? 0o777 : 0o666).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        throw new FileError(`${this.where}: two entries want the place of ${JSON.stringify(name)}.`, { cause: error });
      });
      for await (const chunk of chunks) await writeAll(handle, chunk);
    } finally {
      await handle?.close();
    }
  }

  /** A second name of a file that has been written. */
  async addHardLink(name: string, target: string): Promise<void> {
    const path = this.#path(name);
    await this.#makeFolder(dirname(path));
    await link(this.#path(target), path).catch((error: unknown) => {
      throw new FileError(
        `${this.where}: ${JSON.stringify(name)} is a link to ${JSON.stringify(target)}, which is not there.`,
        { cause: error },
      );
    });
  }

  /** A symbolic link. It is made at the end, so that nothing can be written through it. */
  addSymbolicLink(name: string, target: string): void {
    if (/^[/\\]|^[A-Za-z]:/.test(target) || target.includes('\0') || target === '') {
      throw new FileError(
        `${this.where}: ${JSON.stringify(name)} is a link to ${JSON.stringify(target)}, outside the folder; nothing was written.`,
      );
    }
    this.#links.push({ path: this.#path(name), target, name });
  }

  async #makeLinks(): Promise<void> {
    for (const { path, target } of this.#links) {
      await this.#makeFolder(dirname(path));
      await symlink(target, path);
    }
    // Where a link leads is known when all of them are there.
    for (const { path, target, name } of this.#links) {
      const real = await realpath(path).catch(() => undefined);
      const inside = real !== undefined && !relative(this.folder, real).split(sep).includes('..');
      if (!inside) {
        throw new FileError(
          `${this.where}: ${JSON.stringify(name)} is a link to ${JSON.stringify(target)}, ` +
            `${real === undefined ? 'which leads nowhere' : 'outside the folder'}; nothing was written.`,
        );
      }
    }
  }

  /** Gives the folder its name. */
  async finish(): Promise<void> {
    await this.#makeLinks();
    // Another process may have made it meanwhile.
    await FolderWriter.#checkFree(this.target, this.where);
    // Windows renames to no name that exists, and nobody to one with something in it.
    await rmdir(this.target).catch(() => undefined);
    await rename(this.folder, this.target);
    await syncFolder(dirname(this.target));
  }

  /** Removes all that was written. */
  async discard(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}
