// What is kept within a budget of bytes, and what has to go when there is no room: one class for each policy.
import { LRUCache } from 'lru-cache';

/** Entries of different sizes under integer keys. An entry that is larger than the whole budget is never kept. */
export interface Store<V> {
  /** The sum of the entries' sizes; never above the limit. */
  readonly bytes: number;
  /** The number of entries. */
  readonly size: number;
  /** The entry, which counts as used by this. */
  get(key: number): V | undefined;
  /** Whether there is such an entry; does not count as use. */
  has(key: number): boolean;
  /** Adds an entry that is not there yet, and lets others go if it needs their room. False: it was not kept. */
  set(key: number, value: V, bytes: number): boolean;
  /** Takes an entry out; no eviction. */
  delete(key: number): void;
}

/** Called for each entry that had to go. */
export type Evicted = (key: number) => void;

interface Entry<V> {
  readonly key: number;
  readonly value: V;
  readonly bytes: number;
}

/** Lets the entry go that was not used for the longest time. */
export class LruStore<V> implements Store<V> {
  readonly #entries: LRUCache<number, Entry<V>>;
  readonly #limit: number;

  constructor(limit: number, evicted: Evicted) {
    this.#limit = limit;
    this.#entries = new LRUCache({
      // The library wants a positive size; without room nothing is ever set.
      maxSize: Math.max(1, limit),
      sizeCalculation: ({ bytes }) => bytes,
      dispose: (_, key, reason) => {
        if (reason === 'evict') evicted(key);
      },
    });
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: number): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: number): boolean {
    return this.#entries.has(key);
  }

  set(key: number, value: V, bytes: number): boolean {
    if (bytes > this.#limit) return false;
    this.#entries.set(key, { key, value, bytes });
    return true;
  }

  delete(key: number): void {
    this.#entries.delete(key);
  }
}

/** What the own policies share: the entries and the sum of their sizes. */
abstract class OwnStore<V, E extends Entry<V>> implements Store<V> {
  protected readonly entries = new Map<number, E>();
  readonly #limit: number;
  readonly #evicted: Evicted;
  #bytes = 0;

  constructor(limit: number, evicted: Evicted) {
    this.#limit = limit;
    this.#evicted = evicted;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.entries.size;
  }

  get(key: number): V | undefined {
    const entry = this.entries.get(key);
    if (entry !== undefined) this.used(entry);
    return entry?.value;
  }

  has(key: number): boolean {
    return this.entries.has(key);
  }

  set(key: number, value: V, bytes: number): boolean {
    if (bytes > this.#limit) return false;
    while (this.#bytes + bytes > this.#limit) {
      const victim = this.victim();
      if (victim === undefined) return false;
      this.delete(victim.key);
      this.#evicted(victim.key);
    }
    this.entries.set(key, this.added({ key, value, bytes }));
    this.#bytes += bytes;
    return true;
  }

  delete(key: number): void {
    const entry = this.entries.get(key);
    if (entry === undefined) return;
    this.entries.delete(key);
    this.#bytes -= entry.bytes;
    this.removed(entry);
  }

  /** The entry to let go; undefined: none, the new one has no place. */
  protected abstract victim(): E | undefined;
  protected abstract added(entry: Entry<V>): E;
  protected abstract used(entry: E): void;
  protected abstract removed(entry: E): void;
}

/** Keeps the first entries that fit, and lets none go. */
export class FixedStore<V> extends OwnStore<V, Entry<V>> {
  protected override victim(): undefined {
    return undefined;
  }
  protected override added(entry: Entry<V>): Entry<V> {
    return entry;
  }
  protected override used(): void {}
  protected override removed(): void {}
}

interface Linked<V> extends Entry<V> {
  older: Linked<V> | undefined;
  newer: Linked<V> | undefined;
}

/** Lets the entry go that was used last. */
export class MruStore<V> extends OwnStore<V, Linked<V>> {
  #newest: Linked<V> | undefined;

  protected override victim(): Linked<V> | undefined {
    return this.#newest;
  }
  protected override added(entry: Entry<V>): Linked<V> {
    const linked = { ...entry, older: undefined, newer: undefined };
    this.#append(linked);
    return linked;
  }
  protected override used(entry: Linked<V>): void {
    this.removed(entry);
    this.#append(entry);
  }
  protected override removed(entry: Linked<V>): void {
    if (entry.older !== undefined) entry.older.newer = entry.newer;
    if (entry.newer !== undefined) entry.newer.older = entry.older;
    else this.#newest = entry.older;
  }

  #append(entry: Linked<V>): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest !== undefined) this.#newest.newer = entry;
    this.#newest = entry;
  }
}

/** Entries that were used equally often, the one that was not used for the longest time first. */
interface Level<V> {
  readonly uses: number;
  readonly entries: Map<number, Counted<V>>;
  fewer: Level<V> | undefined;
  more: Level<V> | undefined;
}

interface Counted<V> extends Entry<V> {
  level: Level<V>;
}

/**
 * Lets the entry go that was used least often since it came; among equals the one not used for the longest time. The
 * levels are a chain by number of uses, so that each step takes constant time (Shah, Mitra, Matani, "An O(1) algorithm for
 * implementing the LFU cache eviction scheme").
 */
export class LfuStore<V> extends OwnStore<V, Counted<V>> {
  #least: Level<V> | undefined;

  protected override victim(): Counted<V> | undefined {
    return this.#least?.entries.values().next().value;
  }
  protected override added(entry: Entry<V>): Counted<V> {
    const level = this.#levelAfter(undefined, 1);
    const counted = { ...entry, level };
    level.entries.set(entry.key, counted);
    return counted;
  }
  protected override used(entry: Counted<V>): void {
    const { level } = entry;
    const next = this.#levelAfter(level, level.uses + 1);
    next.entries.set(entry.key, entry);
    this.removed(entry);
    entry.level = next;
  }
  protected override removed({ key, level }: Counted<V>): void {
    level.entries.delete(key);
    if (level.entries.size > 0) return;
    if (level.fewer === undefined) this.#least = level.more;
    else level.fewer.more = level.more;
    if (level.more !== undefined) level.more.fewer = level.fewer;
  }

  /** The level of so many uses, which comes next to `before` or at the beginning. */
  #levelAfter(before: Level<V> | undefined, uses: number): Level<V> {
    const after = before === undefined ? this.#least : before.more;
    if (after?.uses === uses) return after;
    const level: Level<V> = { uses, entries: new Map(), fewer: before, more: after };
    if (before === undefined) this.#least = level;
    else before.more = level;
    if (after !== undefined) after.fewer = level;
    return level;
  }
}

/** The policies by name. */
export const stores = { lru: LruStore, mru: MruStore, lfu: LfuStore, fixed: FixedStore } as const;

/**
 * What goes when there is no room: the entry not used for the longest time (`'lru'`), the one used last (`'mru'`), the one
 * used least often (`'lfu'`); or nothing, and the first entries stay (`'fixed'`).
 */
export type CachePolicy = keyof typeof stores;

/** A store of a policy. */
export function makeStore<V>(policy: CachePolicy, limit: number, evicted: Evicted): Store<V> {
  return new stores[policy]<V>(limit, evicted);
}
