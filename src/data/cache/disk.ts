// The second tier of a cache: a file for each sample. Several processes and threads may use a folder at once: files
// appear whole, by a rename, and one that another process removes is a miss.
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { deserialize, serialize } from 'node:v8';
import { readExactly, reasonOf, toFileError, writeAll } from '../../io/file.js';
import type { Packed } from '../pack.js';
import { type CachePolicy, makeStore, type Store } from './store.js';

/** Options of a cache's part on disk. */
export interface DiskCacheOptions {
  /** Where the files go; it is made if it is not there. */
  readonly folder: string;
  /** The most bytes of all files. */
  readonly bytes: number;
  /**
   * Names the dataset and what was done to its samples: `'photos 2 at 224 px'`. Files of another name, or of another
   * length of the dataset, are not used, so change it when the samples change.
   */
  readonly version: string;
}

/** What a cache has on disk. */
export interface DiskCacheStats {
  /** Files. */
  readonly entries: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Files that had to go for others. */
  readonly evictions: number;
  /** Files that were damaged, cut short or foreign, and were removed. */
  readonly damaged: number;
  /** Whether files are still added: not after a write has failed. */
  readonly growing: boolean;
}

const MAGIC = Buffer.from('THLWGSMP');
const DIGEST_BYTES = 32;
/** Magic, index, length of the content; then a digest of all that and the version, and the content. */
const HEADER_BYTES = MAGIC.length + 8 + 8 + DIGEST_BYTES;
const SUFFIX = '.sample';
/** Unfinished files of processes that were killed are removed when they are this old. */
const STALE_MS = 3_600_000;

/** The files of one version of a dataset. */
export class DiskTier {
  readonly #folder: string;
  readonly #version: Buffer;
  readonly #limit: number;
  readonly #store: Store<true>;
  /** Files that are being removed: until then none may take the place. */
  readonly #removals = new Map<number, Promise<void>>();
  #opening: Promise<void> | undefined;
  #evictions = 0;
  #damaged = 0;
  #growing = true;

  /** @throws FileError if the folder cannot be made */
  constructor({ folder, bytes, version }: DiskCacheOptions, length: number, policy: CachePolicy) {
    this.#version = createHash('sha256').update(`${length} ${version}`).digest();
    this.#folder = join(folder, this.#version.toString('hex').slice(0, 16));
    this.#limit = bytes;
    this.#store = makeStore(policy, bytes, (index) => {
      this.#evictions++;
      this.#remove(index);
    });
    try {
      mkdirSync(this.#folder, { recursive: true });
    } catch (error) {
      throw toFileError(error, 'cache', this.#folder);
    }
  }

  stats(): DiskCacheStats {
    const { size: entries, bytes } = this.#store;
    return { entries, bytes, evictions: this.#evictions, damaged: this.#damaged, growing: this.#growing };
  }

  /** The sample of an index, or undefined: there is none that is right. */
  async read(index: number): Promise<Packed | undefined> {
    await (this.#opening ??= this.#open());
    // It had to go; its file is about to.
    if (this.#removals.has(index)) return undefined;
    const bytes = await this.#bytesOf(index);
    if (bytes === undefined) {
      this.#store.delete(index);
      return undefined;
    }
    const packed = this.#checked(index, bytes);
    if (packed === undefined) {
      this.#damaged++;
      this.#store.delete(index);
      this.#remove(index);
      return undefined;
    }
    // Counts as used; another process may have written it.
    if (this.#store.get(index) === undefined) this.#store.set(index, true, bytes.byteLength);
    return packed;
  }

  /** Keeps a sample, if there is room. A failure is told once, and ends the growth. */
  async write(index: number, packed: Packed): Promise<void> {
    await (this.#opening ??= this.#open());
    if (!this.#growing || this.#store.has(index)) return;
    const content = serialize(packed);
    if (!this.#store.set(index, true, HEADER_BYTES + content.byteLength)) return;
    try {
      await this.#writeFile(index, content);
      // It may have had to go before it was there.
      if (!this.#store.has(index)) this.#remove(index);
    } catch (error) {
      this.#store.delete(index);
      if (!this.#growing) return;
      this.#growing = false;
      process.emitWarning(`data.cache: ${this.#folder} does not grow any more: ${reasonOf(error)}`, {
        code: 'THALWEG_CACHE_DISK',
      });
    }
  }

  #file(index: number): string {
    return join(this.#folder, `${index}${SUFFIX}`);
  }

  /** Removes a file in the background; one that cannot be removed is found again by the next process. */
  #remove(index: number): void {
    const removal = rm(this.#file(index), { force: true })
      .catch(() => undefined)
      .finally(() => {
        if (this.#removals.get(index) === removal) this.#removals.delete(index);
      });
    this.#removals.set(index, removal);
  }

  /** Learns what earlier and other processes have left, the oldest first. */
  async #open(): Promise<void> {
    const found: { index: number; bytes: number; time: number }[] = [];
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const info = await stat(join(this.#folder, name)).catch(() => undefined);
      if (info === undefined) continue;
      const index = /^(\d{1,15})\.sample$/.exec(name)?.[1];
      if (index !== undefined) found.push({ index: Number(index), bytes: Math.max(1, info.size), time: info.mtimeMs });
      else if (name.endsWith('.tmp') && Date.now() - info.mtimeMs > STALE_MS)
        await rm(join(this.#folder, name), { force: true }).catch(() => undefined);
    }
    for (const { index, bytes } of found.sort((a, b) => a.time - b.time || a.index - b.index)) {
      if (!this.#store.set(index, true, bytes)) this.#remove(index);
    }
    // These had to go because the budget is smaller than it was, not for other samples.
    this.#evictions = 0;
  }

  async #bytesOf(index: number): Promise<Uint8Array | undefined> {
    try {
      const handle = await open(this.#file(index), 'r');
      try {
        const { size } = await handle.stat();
        // What cannot be a sample is not read: it might be of any size.
        return size > this.#limit ? new Uint8Array() : await readExactly(handle, 0, size, this.#file(index));
      } finally {
        await handle.close();
      }
    } catch {
      return undefined;
    }
  }

  #digest(header: Uint8Array, content: Uint8Array): Buffer {
    return createHash('sha256').update(this.#version).update(header).update(content).digest();
  }

  #checked(index: number, bytes: Uint8Array): Packed | undefined {
    if (bytes.byteLength < HEADER_BYTES) return undefined;
    const content = bytes.subarray(HEADER_BYTES);
    const header = this.#header(index, content);
    const same = (expected: Uint8Array, start: number): boolean =>
      Buffer.compare(expected, bytes.subarray(start, start + expected.length)) === 0;
    if (!same(header, 0) || !same(this.#digest(header, content), header.length)) return undefined;
    try {
      return deserialize(content) as Packed;
    } catch {
      // Written by a later version of Node.js.
      return undefined;
    }
  }

  #header(index: number, content: Uint8Array): Buffer {
    const header = Buffer.alloc(HEADER_BYTES - DIGEST_BYTES);
    MAGIC.copy(header);
    header.writeBigUInt64LE(BigInt(index), MAGIC.length);
    header.writeBigUInt64LE(BigInt(content.byteLength), MAGIC.length + 8);
    return header;
  }

  async #writeFile(index: number, content: Uint8Array): Promise<void> {
    // Somebody may have cleared the folder meanwhile.
    await mkdir(this.#folder, { recursive: true });
    const temporary = join(this.#folder, `.${index}.${process.pid}-${threadId}-${randomBytes(6).toString('hex')}.tmp`);
    try {
      // Not flushed to the disk: what a power cut damages, the digest finds.
      const handle = await open(temporary, 'wx');
      try {
        const header = this.#header(index, content);
        await writeAll(handle, Buffer.concat([header, this.#digest(header, content), content]));
      } finally {
        await handle.close();
      }
      await this.#removals.get(index);
      await rename(temporary, this.#file(index));
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
  }
}
