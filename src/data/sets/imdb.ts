// IMDB (Maas et al., 2011), in Keras's form: 25,000 + 25,000 film reviews as lists of word ids, with their sentiment.
import { readFile } from 'node:fs/promises';
import { ArgumentError, FileError, IndexError } from '../../errors.js';
import { memorySource, withFileSource } from '../../io/bytes.js';
import { toFileError } from '../../io/file.js';
import type { Dataset } from '../dataset.js';
import { parseNpyLists, readNpyFrom } from '../npy.js';
import { readNpzMembers } from '../npz.js';
import { shuffledIndices } from '../sampler.js';
import { locate, type SetOptions } from './locate.js';

const SOURCE = {
  set: 'imdb',
  mirrors: ['https://storage.googleapis.com/tensorflow/tf-keras-datasets/'],
};

/** The hashes are those that Keras checks. */
const REVIEWS = {
  name: 'imdb.npz',
  sha256: '69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f',
  maxBytes: 64 * 1024 * 1024,
};
const WORD_INDEX = {
  name: 'imdb_word_index.json',
  md5: 'bfafd718b763782e994055a2d397834f',
  maxBytes: 16 * 1024 * 1024,
};

/** Options of `imdb`; those for the words mean what they mean in Keras's `imdb.load_data`. */
export interface ImdbOptions extends SetOptions {
  /** Only ids below that are kept, `startChar` and what `indexFrom` adds included. Default: all. */
  readonly numWords?: number;
  /** Nor are ids below that: the most frequent words. Default 0. */
  readonly skipTop?: number;
  /** Reviews of that many ids and more are left out. Default: none is. */
  readonly maxLen?: number;
  /** Put before each review; null: nothing is. Default 1. */
  readonly startChar?: number | null;
  /** Put in the place of words that are not kept; null: nothing is, they are left out. Default 2. */
  readonly oovChar?: number | null;
  /** Added to every id of the file, so that the most frequent word is `indexFrom` + 1. Default 3. */
  readonly indexFrom?: number;
  /** Seed of the order of the reviews; null: that of the file. Default 113, as in Keras (whose order is another one). */
  readonly seed?: number | null;
}

/** Reviews of different lengths, each with 1 for a positive and 0 for a negative one. */
export class SequenceDataset implements Dataset<[ids: Int32Array, label: bigint], never> {
  /** The word ids of each review. */
  readonly sequences: readonly Int32Array[];
  /** The class of each review. */
  readonly labels: BigInt64Array;
  /** The number of reviews. */
  readonly length: number;

  /**
   * @param sequences ids, of any lengths
   * @param labels one for each
   * @throws ArgumentError if there are not as many labels as sequences
   */
  constructor(sequences: readonly Int32Array[], labels: BigInt64Array) {
    if (sequences.length !== labels.length) {
      throw new ArgumentError(`SequenceDataset: ${sequences.length} sequences, but ${labels.length} labels.`);
    }
    this.sequences = sequences;
    this.labels = labels;
    this.length = sequences.length;
  }

  /** The ids of a review, and its label. */
  get(index: number): [ids: Int32Array, label: bigint] {
    const at = index < 0 ? index + this.length : index;
    if (!Number.isInteger(at) || at < 0 || at >= this.length) {
      throw new IndexError(`SequenceDataset: index ${String(index)} is out of range for ${this.length} samples.`);
    }
    return [this.sequences[at], this.labels[at]];
  }
}

/** Both parts of the reviews. */
export interface ImdbSet {
  /** The 25,000 reviews to train on. */
  readonly train: SequenceDataset;
  /** The 25,000 reviews to test with. */
  readonly test: SequenceDataset;
}

/** The options that decide about words, checked. */
interface Words {
  readonly numWords: number;
  readonly skipTop: number;
  readonly maxLen: number;
  readonly startChar: number | null;
  readonly oovChar: number | null;
  readonly indexFrom: number;
}

function checkWords(options: ImdbOptions): Words {
  const { startChar = 1, oovChar = 2, indexFrom = 3, skipTop = 0 } = options;
  const { numWords = 2 ** 31, maxLen = Number.POSITIVE_INFINITY } = options;
  const check = (name: string, value: number | null, min: number): void => {
    if (value === null || value === Number.POSITIVE_INFINITY || value === 2 ** 31) return;
    if (!Number.isInteger(value) || value < min || value > 0x3fff_ffff) {
      throw new ArgumentError(`imdb: ${name} must be an integer from ${min} to 2^30 - 1, not ${String(value)}.`);
    }
  };
  check('numWords', numWords, 1);
  check('maxLen', maxLen, 1);
  check('skipTop', skipTop, 0);
  check('startChar', startChar, 0);
  check('oovChar', oovChar, 0);
  check('indexFrom', indexFrom, 0);
  return { numWords, skipTop, maxLen, startChar, oovChar, indexFrom };
}

/** One review as Keras would give it; undefined if it is too long. */
function prepare(review: Int32Array, words: Words): Int32Array | undefined {
  const { numWords, skipTop, maxLen, startChar, oovChar, indexFrom } = words;
  const start = startChar === null ? 0 : 1;
  // Keras keeps those that are shorter than its maxlen, the start included.
  if (review.length + start >= maxLen) return undefined;
  const ids = new Int32Array(review.length + start);
  let length = 0;
  for (let i = -start; i < review.length; i++) {
    const id = i < 0 ? (startChar as number) : review[i] + indexFrom;
    if (id >= skipTop && id < numWords) ids[length++] = id;
    else if (oovChar !== null) ids[length++] = oovChar;
  }
  return length === ids.length ? ids : ids.slice(0, length);
}

interface Part {
  readonly reviews: Int32Array[];
  readonly labels: BigInt64Array;
}

function preparePart({ reviews, labels }: Part, words: Words, seed: number | null, epoch: number): SequenceDataset {
  const order = seed === null ? reviews.keys() : shuffledIndices(reviews.length, seed, epoch);
  const sequences: Int32Array[] = [];
  const kept: bigint[] = [];
  for (const i of order) {
    const ids = prepare(reviews[i], words);
    if (ids === undefined) continue;
    sequences.push(ids);
    kept.push(labels[i]);
  }
  return new SequenceDataset(sequences, BigInt64Array.from(kept));
}

/** Keras's names, and those that NumPy gives to the same arrays when nobody names them. */
const NAMES = ['x_train', 'y_train', 'x_test', 'y_test'];

async function readParts(file: string): Promise<{ train: Part; test: Part }> {
  const lists = new Map<string, Int32Array[]>();
  const labels = new Map<string, BigInt64Array>();
  await withFileSource(file, 'imdb', (source) =>
    readNpzMembers(source, { maxBytes: 1024 ** 3 }, async (name, bytes, label) => {
      const numbered = /^arr_([0-3])$/.exec(name);
      const known = numbered === null ? name : NAMES[Number(numbered[1])];
      if (known.startsWith('x_')) lists.set(known, parseNpyLists(bytes, label));
      else if (known.startsWith('y_')) {
        const tensor = await readNpyFrom(memorySource(bytes, label));
        const values = await tensor.to('int64').data();
        tensor.dispose();
        const odd = values.findIndex((value) => value !== 0n && value !== 1n);
        if (odd >= 0) throw new FileError(`imdb ${label}: label ${odd} is ${values[odd]}, not 0 or 1.`);
        labels.set(known, values);
      }
    }),
  );
  const part = (which: 'train' | 'test'): Part => {
    const reviews = lists.get(`x_${which}`);
    const y = labels.get(`y_${which}`);
    if (reviews === undefined || y === undefined) {
      throw new FileError(`imdb ${file}: expected the arrays ${NAMES.join(', ')}; ${which} is incomplete.`);
    }
    if (reviews.length !== y.length) {
      throw new FileError(`imdb ${file}: ${reviews.length} reviews to ${which}, but ${y.length} labels.`);
    }
    return { reviews, labels: y };
  };
  return { train: part('train'), test: part('test') };
}

/**
 * The IMDB film reviews as two datasets of word ids and sentiments (1 positive, 0 negative). Ids are ranks by frequency,
 * shifted by `indexFrom`; with the defaults 1 begins a review and 2 stands for a word that is not kept.
 *
 * With `folder` Keras's `imdb.npz` is read from there. Else it is downloaded (17 MB) into a cache, and checked by SHA-256.
 * The pickled lists in it are read as data; nothing of the file is executed.
 *
 * Two things are not as in Keras: without `numWords` every word is kept (Keras drops the rarest), and `seed` gives another
 * order.
 *
 * @throws FileError if the file is missing, damaged, or cannot be downloaded; ArgumentError for options that make no sense
 *
 * @example
 * const { train, test } = await data.imdb({ numWords: 10000 });
 * const [ids, label] = train.get(0); // Int32Array [1, 14, 22, 16, ...], 1n
 */
export async function imdb(options: ImdbOptions = {}): Promise<ImdbSet> {
  const words = checkWords(options);
  const { seed = 113 } = options;
  if (seed !== null && !(Number.isSafeInteger(seed) && seed >= 0)) {
    throw new ArgumentError(`imdb: seed must be an integer from 0 to 2^53 - 1 or null, not ${String(seed)}.`);
  }
  const { train, test } = await readParts(await locate(SOURCE, REVIEWS, options));
  return { train: preparePart(train, words, seed, 0), test: preparePart(test, words, seed, 1) };
}

/** The words of the IMDB reviews and their ranks. */
export class ImdbWordIndex {
  /** The rank of each word by frequency, from 1. */
  readonly ranks: ReadonlyMap<string, number>;
  readonly #words: ReadonlyMap<number, string>;

  /** @param ranks the rank of each word */
  constructor(ranks: ReadonlyMap<string, number>) {
    this.ranks = ranks;
    this.#words = new Map(Array.from(ranks, ([word, rank]) => [rank, word]));
  }

  /**
   * The text of a review. Ids that are no words (the start, words that were not kept) become `?`.
   *
   * @param ids as `imdb` gives them
   * @param options.indexFrom what was given to `imdb`; 3 by default
   *
   * @example
   * index.decode(train.sequences[0]); // '? this film was just brilliant ...'
   */
  decode(ids: Iterable<number>, options: { readonly indexFrom?: number } = {}): string {
    const { indexFrom = 3 } = options;
    return Array.from(ids, (id) => this.#words.get(id - indexFrom) ?? '?').join(' ');
  }

  /**
   * The ids of a text, as the reviews were made: lower case, words of letters, digits and apostrophes.
   *
   * @param text of any length
   * @param options as given to `imdb`: a word at or above `numWords`, or unknown, becomes `oovChar`
   *
   * @example
   * index.encode('This film was brilliant!', { numWords: 10000 }); // Int32Array [1, 14, 22, 16, 530]
   */
  encode(
    text: string,
    options: Pick<ImdbOptions, 'numWords' | 'skipTop' | 'startChar' | 'oovChar' | 'indexFrom'> = {},
  ): Int32Array {
    const words = checkWords(options);
    // Ranks begin at 1; an unknown word must not be kept by any limit.
    const ranks = (text.toLowerCase().match(/[\p{L}\p{N}']+/gu) ?? []).map((word) => this.ranks.get(word));
    const known = { ...words, maxLen: Number.POSITIVE_INFINITY };
    const parts = ranks.map((rank) => {
      if (rank === undefined) return words.oovChar === null ? [] : [words.oovChar];
      return [...(prepare(Int32Array.of(rank), { ...known, startChar: null }) ?? [])];
    });
    return Int32Array.from([...(prepare(new Int32Array(0), known) ?? []), ...parts.flat()]);
  }
}

/**
 * The word index of the IMDB reviews, from Keras's `imdb_word_index.json`: in `folder`, or downloaded (1.6 MB) into the
 * cache and checked by MD5.
 *
 * @throws FileError if the file is missing, damaged, or cannot be downloaded
 *
 * @example
 * const index = await data.imdbWordIndex();
 * index.ranks.get('the'); // 1
 */
export async function imdbWordIndex(options: SetOptions = {}): Promise<ImdbWordIndex> {
  const file = await locate(SOURCE, WORD_INDEX, options);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw toFileError(error, 'imdb', file);
  }
  const entries = typeof content === 'object' && content !== null ? Object.entries(content) : [];
  const odd = entries.find(([, rank]) => !Number.isSafeInteger(rank) || (rank as number) < 1);
  if (entries.length === 0 || odd !== undefined) {
    const what = odd === undefined ? 'it is no object of words' : `the rank of ${JSON.stringify(odd[0])} is no number`;
    throw new FileError(`imdb ${file}: ${what}.`);
  }
  return new ImdbWordIndex(new Map(entries as [string, number][]));
}
