import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';
import { data, DisposedError, FileError, memory, tensor, tidy, type Tensor } from 'thalweg';
import { errorOf } from '../error-of.js';
import { runScript } from '../fixtures/child.js';

const policies = ['lru', 'mru', 'lfu', 'fixed'] as const;

/** A dataset of numbers that counts how often each is made. A number takes 8 bytes in the cache. */
function counted(length: number): data.Dataset<number> & { made: number[] } {
  const made: number[] = new Array<number>(length).fill(0);
  return { length, made, get: (i) => ((made[i] += 1), i * i) };
}

/** Pseudo-random integers, the same in every run. */
function draws(count: number, below: number, seed: number): number[] {
  return Array.from(new data.RandomSampler(below, { numSamples: count, replacement: true, seed }).order(0, 0));
}

describe('policies', () => {
  interface Kept {
    key: number;
    bytes: number;
    uses: number;
    last: number;
  }
  /** What each policy lets go, by looking at all entries. */
  const victims: Record<data.CachePolicy, (kept: Kept[]) => Kept | undefined> = {
    lru: (kept) => kept.reduce((a, b) => (b.last < a.last ? b : a)),
    mru: (kept) => kept.reduce((a, b) => (b.last > a.last ? b : a)),
    lfu: (kept) => kept.reduce((a, b) => (b.uses < a.uses || (b.uses === a.uses && b.last < a.last) ? b : a)),
    fixed: () => undefined,
  };

  test.each(policies)('%s does on random requests of samples of different sizes what its definition says', (policy) => {
    const limit = 400;
    const textOf = (i: number): string => 'x'.repeat((i * 7) % 60);
    const cached = data.cache({ length: 40, get: textOf }, { policy, bytes: limit });
    let kept: Kept[] = [];
    let [hits, evictions] = [0, 0];
    // Small numbers come more often.
    const wanted = draws(1200, 40, 1).map((i, n) => (n % 3 === 0 ? i : i % 9));
    for (const [now, key] of wanted.entries()) {
      const found = kept.find((entry) => entry.key === key);
      if (found !== undefined) {
        hits++;
        found.uses++;
        found.last = now;
      } else {
        const bytes = 8 + 2 * textOf(key).length;
        const sum = (): number => kept.reduce((total, entry) => total + entry.bytes, 0);
        while (sum() + bytes > limit) {
          const victim = victims[policy](kept);
          if (victim === undefined) break;
          kept = kept.filter((entry) => entry !== victim);
          evictions++;
        }
        if (sum() + bytes <= limit) kept.push({ key, bytes, uses: 1, last: now });
      }
      expect(cached.get(key)).toBe(textOf(key));
      expect(cached.stats().hits).toBe(hits);
    }
    const stats = cached.stats();
    expect(stats).toMatchObject({ evictions, misses: 1200 - hits, entries: kept.length, hitRate: hits / 1200 });
    expect(stats.bytes).toBe(kept.reduce((total, entry) => total + entry.bytes, 0));
    expect(hits).toBeGreaterThan(200);
  });

  test('in an order that repeats: fixed c/n, mru (c - 1)/(n - 1), lru and lfu nothing', () => {
    const [n, c, rounds] = [30, 10, 29];
    for (const policy of policies) {
      const cached = data.cache(counted(n), { policy, bytes: 8 * c });
      for (let i = 0; i < n; i++) void cached.get(i);
      cached.resetStats();
      for (let round = 0; round < rounds; round++) for (let i = 0; i < n; i++) void cached.get(i);
      const expected = { fixed: c / n, mru: (c - 1) / (n - 1), lru: 0, lfu: 0 };
      expect(cached.stats().hitRate, policy).toBeCloseTo(expected[policy], 12);
    }
  });

  test.each(policies)('%s: a sample larger than the budget, and no budget at all', (policy) => {
    const texts = data.cache({ length: 3, get: (i) => 'x'.repeat(i * 50) }, { policy, bytes: 108 });
    for (let round = 0; round < 2; round++) for (const i of [0, 2, 2]) expect(texts.get(i)).toBe('x'.repeat(i * 50));
    expect(texts.stats()).toMatchObject({ entries: 1, bytes: 8, hits: 1, misses: 5, evictions: 0 });
    const none = data.cache(counted(3), { policy, bytes: 0 });
    expect([none.get(1), none.get(1)]).toEqual([1, 1]);
    expect(none.stats()).toMatchObject({ entries: 0, bytes: 0, misses: 2, hitRate: 0 });
  });
});

describe('samples', () => {
  test('come out as they went in, and what is done to them does not change the cache', () => {
    let made = 0;
    const cached = data.cache(
      {
        length: 1,
        get: () => {
          made++;
          return {
            image: tensor([1, 2, 3]),
            half: tensor([[1], [2]]).to('bfloat16'),
            flag: tensor(true),
            // A view takes only what it looks at.
            bytes: new Uint8Array(1000).fill(7).subarray(0, 3),
            pair: ['text', 12n, null, undefined] as const,
            map: new Map([['mask', tensor([true, false])]]),
            date: new Date(5),
          };
        },
      },
      { bytes: 10_000 },
    );
    const spoil = ({ image, bytes, map }: { image: Tensor; bytes: Uint8Array; map: Map<string, Tensor> }): void => {
      image.fill_(0);
      image.dispose();
      bytes.fill(0);
      map.clear();
    };
    for (let round = 0; round < 3; round++) {
      const sample = cached.get(0) as Exclude<ReturnType<typeof cached.get>, Promise<unknown>>;
      const { image, half, flag, bytes, pair, map, date } = sample;
      expect(image.arraySync()).toEqual([1, 2, 3]);
      expect([half.dtype, half.shape, half.arraySync()]).toEqual(['bfloat16', [2, 1], [[1], [2]]]);
      expect([flag.dtype, flag.shape, flag.itemSync()]).toEqual(['bool', [], true]);
      expect(bytes).toEqual(Uint8Array.of(7, 7, 7));
      expect(pair).toEqual(['text', 12n, null, undefined]);
      expect(map.get('mask')?.arraySync()).toEqual([true, false]);
      expect(date).toEqual(new Date(5));
      spoil(sample);
    }
    expect(made).toBe(1);
    expect(cached.stats().bytes).toBeLessThan(1000);
  });

  test('outlive tidy, and take no memory of tensors', () => {
    const cached = data.cache({ length: 1, get: () => tensor([1, 2]) }, { bytes: 1000 });
    const before = memory({ collect: true }).tensors;
    const gone = tidy(() => {
      const first = cached.get(0) as Tensor;
      return () => first.dataSync();
    });
    expect(gone).toThrow(DisposedError);
    expect(memory({ collect: true }).tensors).toBe(before);
    expect((cached.get(0) as Tensor).arraySync()).toEqual([1, 2]);
  });

  test('that cannot be kept are refused, with the place', () => {
    const kept = (value: unknown): string =>
      errorOf(() => data.cache({ length: 1, get: () => value }, { bytes: 100 }).get(0));
    expect(kept({ a: [0, new Set()] })).toBe(
      'ArgumentError: cache: .a[1] is a Set; samples may have tensors, typed arrays, numbers, strings, arrays, maps and plain objects.',
    );
    expect(kept([() => 0])).toBe('ArgumentError: cache: [0] is a function, which cannot be copied.');
    const loop: unknown[] = [];
    loop.push(loop);
    expect(kept(loop)).toMatch('a value nested deeper than 64 levels; does it contain itself?');
  });

  test('requests at the same time make a sample once; a failure is not kept', async () => {
    let made = 0;
    let broken = true;
    const cached = data.cache(
      {
        length: 3,
        get: async (i) => {
          made++;
          await Promise.resolve();
          if (broken && i === 1) throw new RangeError('no such photo');
          return [i];
        },
      },
      { bytes: 1000 },
    );
    const [a, b] = await Promise.all([cached.get(0), cached.get(0)]);
    expect([a, b, a === b, made]).toEqual([[0], [0], false, 1]);
    const failed = await Promise.allSettled([cached.get(1), cached.get(1)]);
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(made).toBe(2);
    broken = false;
    expect(await cached.get(1)).toEqual([1]);
    expect(cached.stats()).toMatchObject({ hits: 2, misses: 3, entries: 2 });
  });

  test('in a loader, synchronous and not', async () => {
    const rows = new data.TensorDataset(tensor([1, 2, 3, 4]), tensor([0n, 1n, 0n, 1n]));
    const cached = data.cache(rows, { bytes: 10_000, policy: 'fixed' });
    for (let epoch = 0; epoch < 2; epoch++) {
      const batches = [...new data.DataLoader(cached, { batchSize: 3 })];
      expect(batches.map(([x]) => x.arraySync())).toEqual([[1, 2, 3], [4]]);
      expect(batches.map(([, y]) => y.arraySync())).toEqual([[0n, 1n, 0n], [1n]]);
    }
    expect(cached.stats()).toMatchObject({ hits: 4, misses: 4, hitRate: 0.5 });
    for await (const [x] of new data.DataLoader(cached, { batchSize: 4 })) expect(x.arraySync()).toEqual([1, 2, 3, 4]);
  });

  test('bad arguments', () => {
    const dataset = counted(3);
    const refused = (options: unknown): string => errorOf(() => data.cache(dataset, options as data.CacheOptions));
    expect(refused({ policy: 'constructor', bytes: 8 })).toBe(
      'ArgumentError: cache: the policy must be one of lru, mru, lfu, fixed, not constructor.',
    );
    expect(refused({ bytes: 0.5 })).toMatch('bytes must be an integer of at least 0, not 0.5');
    expect(refused({})).toMatch('bytes must be an integer of at least 0, not undefined');
    expect(refused({ bytes: 8, disk: { folder: 'x', bytes: 8 } })).toMatch(
      'disk.version must be a text that is not empty',
    );
    expect(errorOf(() => data.cache({ length: 3 } as never, { bytes: 8 }))).toMatch('it is no dataset');
    const cached = data.cache(dataset, { bytes: 8 });
    for (const index of [3, -1, 0.5]) {
      expect(errorOf(() => cached.get(index))).toBe(`IndexError: cache: index ${index} is out of range for 3 samples.`);
    }
  });
});

describe('on disk', () => {
  const root = mkdtempSync(join(tmpdir(), 'thalweg-cache-'));
  afterAll(() => rmSync(root, { recursive: true }));
  let folders = 0;
  const newFolder = (): string => join(root, String(folders++));
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  afterEach(() => warned.mockClear());

  type Sample = [Tensor, string];
  type Opening = { bytes?: number; version?: string; policy?: data.CachePolicy; inMemory?: number };
  const photos = (length = 4, sign = 1): data.Dataset<Sample> & { made: number } => {
    const dataset = {
      length,
      made: 0,
      get: (i: number): Sample => (dataset.made++, [tensor([sign * i, 1]), `photo ${i}`]),
    };
    return dataset;
  };
  const open = (
    dataset: data.Dataset<Sample>,
    folder: string,
    { bytes = 1e6, version = 'photos 1', policy = 'lru', inMemory = 0 }: Opening = {},
  ): data.CachedDataset<Sample> => data.cache(dataset, { policy, bytes: inMemory, disk: { folder, bytes, version } });
  const plain = async (cached: data.CachedDataset<Sample>, index: number): Promise<unknown> => {
    const [x, name] = await cached.get(index);
    return [x.arraySync(), name];
  };
  const all = async (cached: data.CachedDataset<Sample>): Promise<void> => {
    for (let i = 0; i < cached.length; i++) expect(await plain(cached, i)).toEqual([[i, 1], `photo ${i}`]);
  };
  const filesOf = async (folder: string): Promise<string[]> => {
    const [version] = await readdir(folder);
    return (await readdir(join(folder, version))).sort().map((name) => join(folder, version, name));
  };

  test('samples are there in the next run, and memory comes first', async () => {
    const folder = newFolder();
    const first = photos();
    const cached = open(first, folder, { inMemory: 1e6 });
    await all(cached);
    await all(cached);
    expect(first.made).toBe(4);
    expect(cached.stats()).toMatchObject({ hits: 4, diskHits: 0, misses: 4, disk: { entries: 4, growing: true } });
    const second = photos();
    const again = open(second, folder, { inMemory: 1e6 });
    await all(again);
    await all(again);
    expect(second.made).toBe(0);
    expect(again.stats()).toMatchObject({ hits: 4, diskHits: 4, misses: 0, hitRate: 1, disk: { entries: 4 } });
    const sizes = await Promise.all((await filesOf(folder)).map(async (file) => (await readFile(file)).byteLength));
    expect(again.stats().disk?.bytes).toBe(sizes.reduce((a, b) => a + b, 0));
  });

  test('another version, and another length, have samples of their own', async () => {
    const folder = newFolder();
    await all(open(photos(), folder));
    const other = open(photos(4, -1), folder, { version: 'photos 2' });
    expect(await plain(other, 2)).toEqual([[-2, 1], 'photo 2']);
    const longer = photos(5);
    await all(open(longer, folder));
    expect(longer.made).toBe(5);
  });

  test('a file that is damaged anywhere, cut or foreign is a miss, and made anew', async () => {
    const folder = newFolder();
    await all(open(photos(), folder));
    const [zero, one, two, three] = await filesOf(folder);
    const right = await readFile(zero);
    const spoil: [string, () => Promise<void>][] = [
      ['cut', () => truncate(zero, right.byteLength - 1)],
      ['empty', () => truncate(zero, 0)],
      ['longer', () => writeFile(zero, Buffer.concat([right, Buffer.of(0)]))],
      ['of another sample', async () => writeFile(zero, await readFile(one))],
      ['foreign', () => writeFile(zero, 'a text that somebody else has put here'.repeat(10))],
      // Magic, index, length, digest and content are all hit.
      ...Array.from({ length: Math.ceil(right.byteLength / 7) }, (_, i): [string, () => Promise<void>] => [
        `byte ${7 * i}`,
        () =>
          writeFile(
            zero,
            right.map((byte, at) => (at === 7 * i ? byte ^ 1 : byte)),
          ),
      ]),
    ];
    const dataset = photos();
    const cached = open(dataset, folder);
    for (const [i, [what, damage]] of spoil.entries()) {
      await damage();
      expect(await plain(cached, 0), what).toEqual([[0, 1], 'photo 0']);
      expect(cached.stats(), what).toMatchObject({ misses: i + 1, disk: { damaged: i + 1 } });
      expect(Buffer.compare(await readFile(zero), right), what).toBe(0);
    }
    expect(dataset.made).toBe(spoil.length);
    // A file of any size is not read into memory.
    await truncate(two, 2 ** 40).catch(() => undefined);
    await all(cached);
    expect(existsSync(three)).toBe(true);
    expect(warned).not.toHaveBeenCalled();
  });

  test.each(policies)('%s within the budget of the disk', async (policy) => {
    const folder = newFolder();
    await all(open(photos(1), newFolder()));
    const probe = open(photos(), folder, { policy });
    await all(probe);
    const one = (probe.stats().disk?.bytes ?? 0) / 4;
    const small = newFolder();
    const dataset = photos();
    const cached = open(dataset, small, { policy, bytes: 2 * one });
    await all(cached);
    await all(cached);
    const { disk } = cached.stats();
    expect(disk).toMatchObject({ entries: 2, bytes: 2 * one });
    expect(disk?.evictions).toBe(policy === 'fixed' ? 0 : 2 + (cached.stats().misses - 4));
    await vi.waitFor(async () => expect(await filesOf(small)).toHaveLength(2));
    // A smaller budget than the run before had: the surplus is removed.
    const less = open(photos(), folder, { policy, bytes: 3 * one });
    await plain(less, 3);
    expect(less.stats().disk?.entries).toBe(3);
    await vi.waitFor(async () => expect(await filesOf(folder)).toHaveLength(3));
  });

  test('unfinished files of processes that were killed are removed when they are old', async () => {
    const folder = newFolder();
    await all(open(photos(), folder));
    const [file] = await filesOf(folder);
    const [old, fresh] = ['.9.1-0-a.tmp', '.9.1-0-b.tmp'].map((name) => join(file, '..', name));
    for (const name of [old, fresh]) writeFileSync(name, 'half');
    await utimes(old, 0, 0);
    await all(open(photos(), folder));
    expect([existsSync(old), existsSync(fresh)]).toEqual([false, true]);
  });

  test('a folder that is none, and one that goes away', async () => {
    const folder = newFolder();
    writeFileSync(folder, '');
    expect(() => open(photos(), folder)).toThrow(FileError);
    expect(errorOf(() => open(photos(), folder))).toMatch(
      /^FileError: cache .*: a part of the path is not a folder\.$/,
    );
    const away = newFolder();
    const cached = open(photos(), away);
    await all(cached);
    rmSync(away, { recursive: true });
    await all(cached);
    expect(cached.stats()).toMatchObject({ misses: 8, diskHits: 0 });
    await all(cached);
    expect(cached.stats()).toMatchObject({ misses: 8, diskHits: 4, disk: { growing: true } });
  });

  test('writes that fail: one warning, no growth, right samples', async () => {
    const folder = newFolder();
    const cached = open(photos(), folder);
    await plain(cached, 0);
    const [file] = await filesOf(folder);
    // A file where the folder was: nothing can be written there, also not by root.
    rmSync(join(file, '..'), { recursive: true });
    writeFileSync(join(file, '..'), '');
    await all(cached);
    await all(cached);
    expect(cached.stats()).toMatchObject({ diskHits: 0, disk: { growing: false, entries: 0 } });
    expect(warned).toHaveBeenCalledTimes(1);
    expect(warned.mock.calls[0]).toEqual([
      expect.stringMatching(/^data\.cache: .* does not grow any more: /),
      { code: 'THALWEG_CACHE_DISK' },
    ]);
  });

  const script = (folder: string, body: string): string => `
    import { data } from 'thalweg';
    let made = 0;
    const dataset = { length: 40, get: (i) => (made++, new Uint8Array(i < 20 ? 100 : 20_000).fill(i)) };
    const cached = data.cache(dataset, { bytes: 0, disk: { folder: ${JSON.stringify(folder)}, bytes: 1e8, version: '1' } });
    const round = async () => {
      const samples = await Promise.all(Array.from({ length: 40 }, (_, i) => cached.get(i)));
      for (const [i, sample] of samples.entries())
        if (sample.length !== (i < 20 ? 100 : 20_000) || !sample.every((byte) => byte === i)) throw new Error('wrong sample ' + i);
    };
    ${body}`;

  test.skipIf(process.platform === 'win32')('a disk that is full', async () => {
    const folder = newFolder();
    // No file may be larger than 8 blocks of 512 or 1,024 bytes: writing more of one fails as on a full disk.
    const child = spawn(
      'sh',
      [
        '-c',
        'ulimit -f 8; exec "$0" --input-type=module --eval "$1"',
        process.execPath,
        script(folder, `await round(); await round(); console.log(JSON.stringify(cached.stats()));`),
      ],
      { cwd: fileURLToPath(new URL('../..', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => (stdout += String(text)));
    child.stderr.on('data', (text) => (stderr += String(text)));
    const [code] = (await once(child, 'close')) as [number | null];
    expect(code, stderr).toBe(0);
    const { misses, diskHits, disk } = JSON.parse(stdout) as data.CacheStats;
    expect(disk?.growing).toBe(false);
    expect(disk?.entries).toBe(diskHits);
    expect(misses + diskHits).toBe(80);
    expect(stderr.match(/THALWEG_CACHE_DISK/g)).toHaveLength(1);
    expect(stderr).toMatch('does not grow any more: EFBIG');
    expect((await filesOf(folder)).every((file) => file.endsWith('.sample'))).toBe(true);
  });

  test('several processes on one folder', async () => {
    const folder = newFolder();
    const results = await Promise.all(
      [1, 2].map(() => runScript(script(folder, `for (let i = 0; i < 3; i++) await round(); console.log(made);`))),
    );
    for (const { code, stderr } of results) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect((await filesOf(folder)).map((file) => file.replace(/^.*\./, ''))).toEqual(new Array(40).fill('sample'));
  });
});
