import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { zipSync } from 'fflate';
import { ArgumentError, data, FileError, ThalwegError } from 'thalweg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';
import { readGoldens } from '../golden.js';

const golden = fileURLToPath(new URL('../golden/', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-imdb-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface KerasOptions {
  num_words?: number;
  skip_top?: number;
  maxlen?: number;
  start_char?: number | null;
  oov_char?: number | null;
  index_from?: number;
}
const cases = readGoldens<{ options: KerasOptions; result: [number[], number][][] }[]>('imdb.json');

const toOwn = (options: KerasOptions): data.ImdbOptions => ({
  ...(options.num_words !== undefined && { numWords: options.num_words }),
  ...(options.skip_top !== undefined && { skipTop: options.skip_top }),
  ...(options.maxlen !== undefined && { maxLen: options.maxlen }),
  ...(options.start_char !== undefined && { startChar: options.start_char }),
  ...(options.oov_char !== undefined && { oovChar: options.oov_char }),
  ...(options.index_from !== undefined && { indexFrom: options.index_from }),
});
const rows = ({ sequences, labels }: data.SequenceDataset): [number[], number][] =>
  sequences.map((ids, i) => [[...ids], Number(labels[i])]);

test.each(cases)('what Keras gives for $options', async ({ options, result }) => {
  const { train, test } = await data.imdb({ folder: golden, seed: null, ...toOwn(options) });
  expect([rows(train), rows(test)]).toEqual(result);
});

test('a seed gives an order, the same each time, and labels stay with their reviews', async () => {
  const inOrder = rows((await data.imdb({ folder: golden, seed: null })).train);
  const orders = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const { train } = await data.imdb({ folder: golden, seed });
    expect(rows(train).sort()).toEqual([...inOrder].sort());
    orders.add(JSON.stringify(rows(train)));
  }
  expect(orders.size).toBeGreaterThan(2);
  expect(rows((await data.imdb({ folder: golden })).train)).toEqual(rows((await data.imdb({ folder: golden })).train));
});

test('a dataset of sequences', () => {
  const set = new data.SequenceDataset([Int32Array.of(1, 2), Int32Array.of(3)], BigInt64Array.of(0n, 1n));
  expect(set.length).toBe(2);
  expect(set.get(-1)).toEqual([Int32Array.of(3), 1n]);
  expect(() => set.get(2)).toThrow('SequenceDataset: index 2 is out of range for 2 samples.');
  expect(() => new data.SequenceDataset([], BigInt64Array.of(0n))).toThrow(
    new ArgumentError('SequenceDataset: 0 sequences, but 1 labels.'),
  );
});

describe('files that are not right', () => {
  const attempt = async (bytes: Uint8Array): Promise<unknown> => {
    await writeFile(join(folder, 'imdb.npz'), bytes);
    return data.imdb({ folder });
  };
  const npyInts = (values: number[]): Uint8Array => {
    const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${values.length},), }\n`;
    return Buffer.concat([
      Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(text.length)}\0${text}`, 'latin1'),
      Buffer.from(values),
    ]);
  };

  test('missing files and arrays', async () => {
    await expect(data.imdb({ folder })).rejects.toThrow(
      new FileError(`imdb: no imdb.npz in ${folder} (looked for imdb.npz).`),
    );
    const file = join(folder, 'imdb.npz');
    await expect(attempt(zipSync({ 'y_train.npy': npyInts([0, 1]) }))).rejects.toThrow(
      new FileError(`imdb ${file}: expected the arrays x_train, y_train, x_test, y_test; train is incomplete.`),
    );
    await expect(attempt(zipSync({ 'y_train.npy': npyInts([0, 2]) }))).rejects.toThrow(
      new FileError(`imdb ${file}[y_train]: label 1 is 2, not 0 or 1.`),
    );
    await expect(attempt(zipSync({ 'x_train.npy': npyInts([0, 2]) }))).rejects.toThrow(
      new FileError(`npy ${file}[x_train]: expected a one-dimensional array of lists, got [2] of u1.`),
    );
  });

  test('cut at many lengths; random bytes changed', async () => {
    const whole = await readFile(join(golden, 'imdb.npz'));
    for (let length = 0; length < whole.length; length += 7) {
      await expect(attempt(whole.subarray(0, length))).rejects.toThrow(FileError);
    }
    for (let round = 0; round < 300; round++) {
      const [at, value] = philox([round, 0, 0, 0], [11, 12]);
      const bytes = Uint8Array.from(whole);
      bytes[at % bytes.length] ^= value & 0xff || 1;
      await attempt(bytes).catch((error: unknown) => {
        if (!(error instanceof ThalwegError)) throw error;
      });
    }
  });

  test('options', async () => {
    const wrong: [data.ImdbOptions, string][] = [
      [{ numWords: 0 }, 'imdb: numWords must be an integer from 1 to 2^30 - 1, not 0.'],
      [{ maxLen: 1.5 }, 'imdb: maxLen must be an integer from 1 to 2^30 - 1, not 1.5.'],
      [{ startChar: -1 }, 'imdb: startChar must be an integer from 0 to 2^30 - 1, not -1.'],
      [{ seed: -1 }, 'imdb: seed must be an integer from 0 to 2^53 - 1 or null, not -1.'],
    ];
    for (const [options, message] of wrong) {
      await expect(data.imdb({ folder: golden, ...options })).rejects.toThrow(new ArgumentError(message));
    }
  });
});

describe('the word index', () => {
  test('decodes and encodes', async () => {
    await writeFile(
      join(folder, 'imdb_word_index.json'),
      '{"the": 1, "film": 2, "wasn\'t": 3, "bad": 4, "constructor": 5}',
    );
    const index = await data.imdbWordIndex({ folder });
    expect(index.ranks.get('constructor')).toBe(5);
    expect(index.decode([1, 4, 5, 6, 7, 2, 99])).toBe("? the film wasn't bad ? ?");
    expect(index.decode([2, 4], { indexFrom: 0 })).toBe('film bad');
    expect([...index.encode("The film wasn't BAD, honestly!")]).toEqual([1, 4, 5, 6, 7, 2]);
    expect([...index.encode('the bad', { numWords: 6, oovChar: null, startChar: null })]).toEqual([4]);
    expect([...index.encode('')]).toEqual([1]);
  });

  test.each([
    ['', 'Unexpected end of JSON input'],
    ['[]', 'it is no object of words'],
    ['{"a": "b"}', 'the rank of "a" is no number'],
    ['{"a": 1', 'JSON'],
  ])('%s', async (text, message) => {
    await writeFile(join(folder, 'imdb_word_index.json'), text);
    await expect(data.imdbWordIndex({ folder })).rejects.toThrow(message);
    await expect(data.imdbWordIndex({ folder })).rejects.toThrow(FileError);
  });
});
