// Byte-pair encoding on bytes: any text can be written, and read back.
import { ArgumentError } from '../../errors.js';
import { writeFileAtomic } from '../../io/atomic.js';
import { readJson } from './vocabulary.js';

/** Options of `BytePairTokenizer.train`. */
export interface BytePairOptions {
  /** How many tokens there may be, the 256 bytes and the special ones included. */
  readonly vocabSize: number;
  /** A pair of tokens that occurs less often is not merged. Default 2. */
  readonly minFrequency?: number;
  /** Tokens of their own, such as `'<|endoftext|>'`, that are never split. Their numbers are the last. Default none. */
  readonly specials?: readonly string[];
}

/** A tokenizer as JSON has it. */
export interface BytePairState {
  /** `'BytePairTokenizer'`. */
  readonly name: string;
  /** The pairs of tokens that were merged, in order: the n-th makes token 256 + n. */
  readonly merges: readonly (readonly [number, number])[];
  /** The special tokens. */
  readonly specials: readonly string[];
}

// Texts are cut before they are merged, so that no token reaches across words: a word with the space before it, a run of
// digits likewise, a run of signs likewise, or spaces, of which the last goes with what follows. Runs longer than 256 are cut:
// merging costs the square of their length.
const pieces = / ?[\p{L}\p{M}]{1,256}| ?\p{N}{1,256}| ?[^\s\p{L}\p{M}\p{N}]{1,256}|\s{1,256}(?!\S)|\s{1,256}/gu;

const encoder = new TextEncoder();
const pairKey = (a: number, b: number): number => a * 2 ** 26 + b;
const mostTokens = 2 ** 24;

/** A distinct piece of the training texts: its tokens, and how often it occurs. */
interface Word {
  readonly count: number;
  tokens: number[];
}

function merged(tokens: readonly number[], a: number, b: number, made: number): number[] {
  const out: number[] = [];
  for (let i = 0; i < tokens.length; i++) {
    if (i + 1 < tokens.length && tokens[i] === a && tokens[i + 1] === b) {
      out.push(made);
      i++;
    } else out.push(tokens[i]);
  }
  return out;
}

/**
 * A tokenizer that learns which bytes and tokens often follow each other (byte-pair encoding, Sennrich et al. 2016; on bytes
 * as GPT-2 has it). Tokens 0 to 255 are the bytes of UTF-8, those after them pairs of earlier ones, special ones come last.
 * Every text can be encoded, and `decode(encode(text))` is the text (a lone half of a surrogate pair, which is no Unicode,
 * becomes U+FFFD).
 *
 * @example
 * const tokenizer = data.transforms.BytePairTokenizer.train(['low lower lowest'], { vocabSize: 260 });
 * tokenizer.decode(tokenizer.encode('slow')); // 'slow'
 */
export class BytePairTokenizer {
  /** The pairs of tokens that were merged, in order: the n-th makes token 256 + n. */
  readonly merges: readonly (readonly [number, number])[];
  /** The special tokens. */
  readonly specials: readonly string[];
  private readonly _ranks = new Map<number, number>();
  private readonly _bytes: Uint8Array[];
  private readonly _split: RegExp | null;
  private readonly _cache = new Map<string, readonly number[]>();

  /**
   * A tokenizer of merges that are known.
   *
   * @throws ArgumentError for merges of tokens that are not there yet, and for special tokens that are empty or occur twice
   */
  constructor(merges: readonly (readonly [number, number])[], specials: readonly string[] = []) {
    const op = 'BytePairTokenizer';
    if (!Array.isArray(merges) || !Array.isArray(specials))
      throw new ArgumentError(`${op}: merges and specials must be arrays.`);
    if (merges.length + specials.length > mostTokens)
      throw new ArgumentError(`${op}: there are more than 2^24 tokens.`);
    this._bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
    let total = 0;
    merges.forEach((pair: unknown, n) => {
      const ok =
        Array.isArray(pair) &&
        pair.length === 2 &&
        pair.every((token) => Number.isInteger(token) && token >= 0 && token < 256 + n);
      if (!ok) throw new ArgumentError(`${op}: merge ${n} must be two tokens below ${256 + n}, got ${String(pair)}.`);
      const [a, b] = pair as [number, number];
      if (this._ranks.has(pairKey(a, b))) throw new ArgumentError(`${op}: merge ${n} is there already: ${a}, ${b}.`);
      this._ranks.set(pairKey(a, b), n);
      const bytes = new Uint8Array(this._bytes[a].length + this._bytes[b].length);
      // Each merge may double the length: a short hostile file must not ask for all the memory.
      total += bytes.length;
      if (total > 2 ** 28) throw new ArgumentError(`${op}: the tokens together are longer than 256 MiB.`);
      bytes.set(this._bytes[a]);
      bytes.set(this._bytes[b], this._bytes[a].length);
      this._bytes.push(bytes);
    });
    (specials as readonly unknown[]).forEach((special, n) => {
      if (typeof special !== 'string' || special === '')
        throw new ArgumentError(`${op}: special token ${n} must be a string that is not empty.`);
      if (specials.indexOf(special) !== n)
        throw new ArgumentError(`${op}: special token ${JSON.stringify(special)} occurs twice.`);
    });
    this.merges = (merges as readonly (readonly [number, number])[]).map(([a, b]) => [a, b] as const);
    this.specials = [...(specials as readonly string[])];
    // The longest first, so that none hides one that it starts.
    const escaped = [...this.specials]
      .sort((a, b) => b.length - a.length)
      .map((special) => special.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    this._split = escaped.length === 0 ? null : new RegExp(`(${escaped.join('|')})`);
  }

  /** How many tokens there are. */
  get vocabSize(): number {
    return 256 + this.merges.length + this.specials.length;
  }

  /**
   * Learns merges: again and again the most frequent pair of neighbouring tokens becomes a token (of equally frequent ones the
   * pair of the smaller numbers).
   *
   * @throws ArgumentError naming the option
   */
  static train(texts: Iterable<string>, options: BytePairOptions): BytePairTokenizer {
    const op = 'BytePairTokenizer.train';
    const { vocabSize, minFrequency = 2, specials = [] } = options;
    const least = 256 + specials.length;
    if (!Number.isSafeInteger(vocabSize) || vocabSize < least || vocabSize > mostTokens) {
      throw new ArgumentError(
        `${op}: vocabSize must be an integer from ${least} (the bytes and the special tokens) to ${mostTokens}, got ${String(vocabSize)}.`,
      );
    }
    if (!Number.isSafeInteger(minFrequency) || minFrequency < 1)
      throw new ArgumentError(`${op}: minFrequency must be an integer >= 1, got ${String(minFrequency)}.`);
    const splitter = new BytePairTokenizer([], specials);
    const counts = new Map<string, number>();
    for (const text of texts) {
      if (typeof text !== 'string') throw new ArgumentError(`${op}: a text must be a string, got ${typeof text}.`);
      for (const part of splitter._parts(text)) {
        if (splitter.specials.includes(part)) continue;
        for (const piece of part.match(pieces) ?? []) counts.set(piece, (counts.get(piece) ?? 0) + 1);
      }
    }
    const words = Array.from(counts, ([piece, count]): Word => ({ count, tokens: [...encoder.encode(piece)] }));
    return new BytePairTokenizer(learn(words, vocabSize - least, minFrequency), specials);
  }

  private _parts(text: string): string[] {
    return this._split === null ? [text] : text.split(this._split).filter((part) => part !== '');
  }

  // The tokens of a piece: pairs are merged in the order in which they were learned.
  private _piece(piece: string): readonly number[] {
    const known = this._cache.get(piece);
    if (known !== undefined) return known;
    let tokens: number[] = [...encoder.encode(piece)];
    while (tokens.length > 1) {
      let best = Infinity;
      for (let i = 0; i + 1 < tokens.length; i++) {
        const rank = this._ranks.get(pairKey(tokens[i], tokens[i + 1]));
        if (rank !== undefined && rank < best) best = rank;
      }
      if (best === Infinity) break;
      tokens = merged(tokens, ...this.merges[best], 256 + best);
    }
    if (piece.length <= 64) {
      if (this._cache.size >= 65536) this._cache.clear();
      this._cache.set(piece, tokens);
    }
    return tokens;
  }

  /**
   * The tokens of a text. Special tokens in it are recognized.
   *
   * @throws ArgumentError for what is no string
   */
  encode(text: string): number[] {
    if (typeof text !== 'string')
      throw new ArgumentError(`BytePairTokenizer.encode: text must be a string, got ${typeof text}.`);
    const out: number[] = [];
    for (const part of this._parts(text)) {
      const special = this.specials.indexOf(part);
      if (special >= 0) out.push(256 + this.merges.length + special);
      else for (const piece of part.match(pieces) ?? []) for (const token of this._piece(piece)) out.push(token);
    }
    return out;
  }

  /**
   * The text of tokens. Bytes that are no UTF-8, such as those of a cut character, become U+FFFD.
   *
   * @throws ArgumentError for a number that is no token
   */
  decode(tokens: Iterable<number | bigint>): string {
    const parts: Uint8Array[] = [];
    for (const given of tokens) {
      const token = Number(given);
      if (!Number.isInteger(token) || token < 0 || token >= this.vocabSize) {
        throw new ArgumentError(
          `BytePairTokenizer.decode: the tokens are 0 to ${this.vocabSize - 1}, got ${String(given)}.`,
        );
      }
      const special = token - 256 - this.merges.length;
      parts.push(special >= 0 ? encoder.encode(this.specials[special]) : this._bytes[token]);
    }
    return Buffer.concat(parts).toString('utf8');
  }

  /** The tokenizer, for `JSON.stringify`. */
  toJSON(): BytePairState {
    return { name: 'BytePairTokenizer', merges: this.merges, specials: this.specials };
  }

  /** What `toJSON` gave, also from `JSON.parse`. @throws ArgumentError for what is no tokenizer */
  static fromJSON(state: unknown): BytePairTokenizer {
    const given = (typeof state === 'object' && state !== null ? state : {}) as Partial<BytePairState>;
    if (given.name !== 'BytePairTokenizer') {
      throw new ArgumentError(
        "BytePairTokenizer.fromJSON: expected { name: 'BytePairTokenizer', merges: [...], specials: [...] }.",
      );
    }
    return new BytePairTokenizer(given.merges!, given.specials);
  }

  /**
   * Writes the tokenizer to a JSON file: the whole, or nothing.
   *
   * @throws FileError if the file cannot be written
   */
  async save(file: string): Promise<void> {
    await writeFileAtomic(file, encoder.encode(JSON.stringify(this)));
  }

  /** Reads what `save` wrote. @throws FileError for a file that is missing or no tokenizer */
  static async load(file: string): Promise<BytePairTokenizer> {
    return readJson(file, 'tokenizer', (state) => BytePairTokenizer.fromJSON(state));
  }
}

// Merges the most frequent pair until there are enough. Counts of pairs, and the words they are in, are kept up to date, so a
// merge costs as much as the words it changes.
function learn(words: readonly Word[], merges: number, minFrequency: number): [number, number][] {
  const counts = new Map<number, number>();
  const places = new Map<number, Set<number>>();
  const note = (word: number, sign: 1 | -1): void => {
    const { tokens, count } = words[word];
    for (let i = 0; i + 1 < tokens.length; i++) {
      const key = pairKey(tokens[i], tokens[i + 1]);
      const left = (counts.get(key) ?? 0) + sign * count;
      if (left > 0) counts.set(key, left);
      else counts.delete(key);
      if (sign > 0) {
        const found = places.get(key);
        if (found === undefined) places.set(key, new Set([word]));
        else found.add(word);
      }
    }
  };
  words.forEach((_, word) => note(word, 1));
  const out: [number, number][] = [];
  while (out.length < merges) {
    let best = -1;
    let most = minFrequency - 1;
    for (const [key, count] of counts) {
      if (count > most || (count === most && best >= 0 && key < best)) {
        best = key;
        most = count;
      }
    }
    if (best < 0) break;
    const [a, b] = [Math.floor(best / 2 ** 26), best % 2 ** 26];
    const made = 256 + out.length;
    out.push([a, b]);
    for (const word of places.get(best)!) {
      note(word, -1);
      words[word].tokens = merged(words[word].tokens, a, b, made);
      note(word, 1);
    }
    places.delete(best);
  }
  return out;
}
