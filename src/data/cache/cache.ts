import { ArgumentError, IndexError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { pack, packSync, type Packed, sizeOf, unpack } from '../pack.js';
import { checkInteger } from '../samplers/sampler.js';
import { type DiskCacheOptions, type DiskCacheStats, DiskTier } from './disk.js';
import { type CachePolicy, makeStore, type Store, stores } from './store.js';

/** Options of `cache`. */
export interface CacheOptions {
  /** What goes when there is no room. Default `'lru'`. */
  readonly policy?: CachePolicy;
  /**
   * The most bytes in memory. The elements of tensors and typed arrays are counted exactly, containers and numbers by an
   * estimate of a few bytes each.
   */
  readonly bytes: number;
  /** A second tier, for what is not in memory, and for later runs. Default: none. */
  readonly disk?: DiskCacheOptions;
}

/** What a cache did so far, and what is in it. */
export interface CacheStats {
  /** Samples that were in memory, or that somebody else was waiting for already. */
  readonly hits: number;
  /** Samples that were on disk. */
  readonly diskHits: number;
  /** Samples that the dataset had to make. */
  readonly misses: number;
  /** The share of samples that it did not have to make; 0 before the first. */
  readonly hitRate: number;
  /** Samples that had to go from memory for others. */
  readonly evictions: number;
  /** Samples in memory. */
  readonly entries: number;
  /** Their bytes. */
  readonly bytes: number;
  /** What is on disk; undefined without a second tier. */
  readonly disk: DiskCacheStats | undefined;
}

/** A dataset that keeps samples of another one; `cache` makes it. */
export class CachedDataset<Sample> implements Dataset<Sample> {
  /** Where the samples come from. */
  readonly dataset: Dataset<Sample, unknown>;
  /** What goes when there is no room. */
  readonly policy: CachePolicy;
  readonly #memory: Store<Packed>;
  readonly #disk: DiskTier | undefined;
  readonly #loading = new Map<number, Promise<Packed>>();
  #hits = 0;
  #diskHits = 0;
  #misses = 0;
  #evictions = 0;

  /** @internal Use `cache`. */
  constructor(dataset: Dataset<Sample, unknown>, policy: CachePolicy, bytes: number, disk: DiskTier | undefined) {
    this.dataset = dataset;
    this.policy = policy;
    this.#memory = makeStore(policy, bytes, () => this.#evictions++);
    this.#disk = disk;
  }

  /** The number of samples. */
  get length(): number {
    return this.dataset.length;
  }

  /**
   * The sample at a position: a copy of the one that is kept, or the dataset's own. Without a part on disk it comes at once
   * if the dataset's does.
   *
   * @throws IndexError if there is no such sample; ArgumentError for a sample that has something else than tensors, typed
   *   arrays, numbers, strings, arrays, maps and plain objects in it; what the dataset throws
   */
  get(index: number): Sample | Promise<Sample> {
    if (!Number.isInteger(index) || index < 0 || index >= this.length)
      throw new IndexError(`cache: index ${String(index)} is out of range for ${this.length} samples.`);
    const kept = this.#memory.get(index);
    if (kept !== undefined) {
      this.#hits++;
      return unpack(kept) as Sample;
    }
    const loading = this.#loading.get(index);
    if (loading !== undefined) {
      this.#hits++;
      return loading.then((packed) => unpack(packed) as Sample);
    }
    if (this.#disk !== undefined) return this.#share(index, this.#fromDisk(index, this.#disk));
    this.#misses++;
    const sample = this.dataset.get(index);
    if (sample instanceof Promise) return this.#share(index, this.#kept(index, sample));
    this.#keep(index, packSync('cache', sample));
    return sample;
  }

  /** What the cache did since it was made or `resetStats` was called, and what is in it. */
  stats(): CacheStats {
    const [hits, diskHits, misses] = [this.#hits, this.#diskHits, this.#misses];
    const all = hits + diskHits + misses;
    return {
      hits,
      diskHits,
      misses,
      hitRate: all === 0 ? 0 : (hits + diskHits) / all,
      evictions: this.#evictions,
      entries: this.#memory.size,
      bytes: this.#memory.bytes,
      disk: this.#disk?.stats(),
    };
  }

  /** Counts from 0 again, to see a single epoch; what is kept stays. */
  resetStats(): void {
    this.#hits = this.#diskHits = this.#misses = this.#evictions = 0;
  }

  /** The sample, for all who ask for it until it is there. */
  async #share(index: number, work: Promise<Packed>): Promise<Sample> {
    this.#loading.set(index, work);
    try {
      return unpack(await work) as Sample;
    } finally {
      this.#loading.delete(index);
    }
  }

  async #fromDisk(index: number, disk: DiskTier): Promise<Packed> {
    const found = await disk.read(index);
    if (found !== undefined) {
      this.#diskHits++;
      this.#keep(index, found);
      return found;
    }
    this.#misses++;
    const packed = await this.#kept(index, this.dataset.get(index));
    await disk.write(index, packed);
    return packed;
  }

  async #kept(index: number, sample: Sample | Promise<Sample>): Promise<Packed> {
    const packed = await pack('cache', await sample);
    this.#keep(index, packed);
    return packed;
  }

  #keep(index: number, packed: Packed): void {
    // A dataset that asks the cache for its own samples may have put it there.
    if (!this.#memory.has(index)) this.#memory.set(index, packed, sizeOf(packed));
  }
}

/**
 * Keeps samples of a dataset in memory, and on disk, so that slow ones (decoded, downloaded, computed) are made once.
 * Whatever the dataset gives is kept as data, and handed out as new tensors: those who change or dispose a sample do not
 * change the cache. Gradients are not kept. Several requests for a sample at the same time make it once.
 *
 * Which policy is best depends on the order: in epochs that visit every sample, `'lru'` has always just let go what comes
 * next, if the order is the same every time; `'fixed'` then hits for all that it has room for. Where some samples come more
 * often than others, `'lfu'` and `'lru'` find them. `stats()` tells.
 *
 * On disk each sample has a file with a checksum: damaged ones are misses, and are removed. If the disk is full, the cache
 * goes on with what it has, and says so once. The budget of the disk is that of each process.
 *
 * @throws ArgumentError for an unknown policy or sizes that are no integers; FileError if the folder cannot be made
 *
 * @example
 * const cached = data.cache(photos, {
 *   policy: 'fixed',
 *   bytes: 2 ** 30,
 *   disk: { folder: 'cache', bytes: 20 * 2 ** 30, version: 'photos at 224 px' },
 * });
 * for await (const batch of new data.DataLoader(cached, { batchSize: 32, shuffle: true })) step(batch);
 * console.log(cached.stats().hitRate);
 */
export function cache<Sample>(dataset: Dataset<Sample, unknown>, options: CacheOptions): CachedDataset<Sample> {
  if (typeof (dataset as { get?: unknown } | null)?.get !== 'function')
    throw new ArgumentError('cache: dataset has no get(index); it is no dataset.');
  const { policy = 'lru', bytes, disk } = options;
  if (!Object.hasOwn(stores, policy)) {
    throw new ArgumentError(
      `cache: the policy must be one of ${Object.keys(stores).join(', ')}, not ${String(policy)}.`,
    );
  }
  checkInteger('cache', 'bytes', bytes, 0);
  if (disk === undefined) return new CachedDataset(dataset, policy, bytes, undefined);
  checkInteger('cache', 'disk.bytes', disk.bytes, 0);
  for (const name of ['folder', 'version'] as const) {
    if (typeof disk[name] !== 'string' || disk[name] === '')
      throw new ArgumentError(`cache: disk.${name} must be a text that is not empty, not ${String(disk[name])}.`);
  }
  return new CachedDataset(dataset, policy, bytes, new DiskTier(disk, dataset.length, policy));
}
