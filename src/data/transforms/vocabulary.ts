// Words and their numbers.
import { readFile } from 'node:fs/promises';
import { ArgumentError, FileError } from '../../errors.js';
import { writeFileAtomic } from '../../io/atomic.js';
import { reasonOf, toFileError } from '../../io/file.js';

/** Options of `Vocabulary.build`. */
export interface VocabularyOptions {
  /** The most tokens there may be, the special ones included. Default: any number. */
  readonly maxTokens?: number;
  /** Tokens that occur less often are left out. Default 1. */
  readonly minFrequency?: number;
  /** Tokens that come first, in this order, whether they occur or not. Default `['<pad>', '<unk>']`. */
  readonly specials?: readonly string[];
  /** The special token that stands for unknown ones; null: unknown tokens are an error. Default `'<unk>'` if it is special. */
  readonly unknown?: string | null;
}

/** A vocabulary as JSON has it. */
export interface VocabularyState {
  /** `'Vocabulary'`. */
  readonly name: string;
  /** The tokens, in the order of their numbers. */
  readonly tokens: readonly string[];
  /** The number that stands for unknown tokens, or null. */
  readonly unknown: number | null;
}

const isText = (value: unknown): value is string => typeof value === 'string';

/**
 * Tokens and their numbers, from 0. Frequent tokens have small numbers; of equally frequent ones the one that comes first by
 * its code units.
 *
 * @example
 * const words = data.transforms.Vocabulary.build([['a', 'cat'], ['a', 'dog']], { minFrequency: 2 });
 * words.tokens; // ['<pad>', '<unk>', 'a']
 * words.indices(['a', 'bird']); // [2, 1]
 */
export class Vocabulary {
  /** The tokens, in the order of their numbers. */
  readonly tokens: readonly string[];
  /** The number that stands for unknown tokens; null: they are an error. */
  readonly unknown: number | null;
  private readonly _numbers: ReadonlyMap<string, number>;

  /**
   * A vocabulary of tokens that are known.
   *
   * @param tokens all different, in the order of their numbers
   * @param unknown the token that stands for unknown ones, one of `tokens`; null: they are an error
   * @throws ArgumentError for tokens that are no strings, or occur twice
   */
  constructor(tokens: readonly string[], unknown: string | null = null) {
    if (!Array.isArray(tokens)) throw new ArgumentError(`Vocabulary: tokens must be an array, got ${typeof tokens}.`);
    this.tokens = [...(tokens as readonly string[])];
    const numbers = new Map<string, number>();
    this.tokens.forEach((token: unknown, n) => {
      if (!isText(token)) throw new ArgumentError(`Vocabulary: token ${n} must be a string, got ${typeof token}.`);
      if (numbers.has(token)) throw new ArgumentError(`Vocabulary: token ${JSON.stringify(token)} occurs twice.`);
      numbers.set(token, n);
    });
    this._numbers = numbers;
    const place = unknown === null ? null : numbers.get(unknown);
    if (place === undefined)
      throw new ArgumentError(`Vocabulary: unknown ${JSON.stringify(unknown)} is none of the ${numbers.size} tokens.`);
    this.unknown = place;
  }

  /**
   * Counts the tokens of texts, which are read once, and keeps the most frequent.
   *
   * @param texts texts as lists of tokens
   * @throws ArgumentError naming the option; for a text that is a string: tokenize it first
   * @example
   * Vocabulary.build(reviews.map(basicTokens), { maxTokens: 20000 });
   */
  static build(texts: Iterable<Iterable<string>>, options: VocabularyOptions = {}): Vocabulary {
    const op = 'Vocabulary.build';
    const { maxTokens = Infinity, minFrequency = 1, specials = ['<pad>', '<unk>'] } = options;
    const { unknown = specials.includes('<unk>') ? '<unk>' : null } = options;
    for (const [name, value] of Object.entries({ maxTokens, minFrequency })) {
      if (value !== Infinity && !(Number.isSafeInteger(value) && value >= 1))
        throw new ArgumentError(`${op}: ${name} must be an integer >= 1, got ${String(value)}.`);
    }
    if (specials.length > maxTokens)
      throw new ArgumentError(`${op}: there are ${specials.length} specials, more than maxTokens = ${maxTokens}.`);
    if (unknown !== null && !specials.includes(unknown))
      throw new ArgumentError(`${op}: unknown ${JSON.stringify(unknown)} is none of the specials.`);
    const counts = new Map<string, number>();
    for (const text of texts) {
      if (typeof text === 'string')
        throw new ArgumentError(`${op}: a text must be a list of tokens, got a string; split it first.`);
      for (const token of text) {
        if (!isText(token)) throw new ArgumentError(`${op}: a token must be a string, got ${typeof token}.`);
        counts.set(token, (counts.get(token) ?? 0) + 1);
      }
    }
    for (const special of specials) counts.delete(special);
    const frequent = [...counts].filter(([, count]) => count >= minFrequency);
    frequent.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
    const room = maxTokens - specials.length;
    return new Vocabulary([...specials, ...frequent.slice(0, room).map(([token]) => token)], unknown);
  }

  /** How many tokens there are. */
  get size(): number {
    return this.tokens.length;
  }

  /** Whether a token has a number of its own. */
  has(token: string): boolean {
    return this._numbers.has(token);
  }

  /**
   * The number of a token.
   *
   * @throws ArgumentError for an unknown one if none stands for them
   */
  index(token: string): number {
    const found = this._numbers.get(token) ?? this.unknown;
    if (found !== null) return found;
    throw new ArgumentError(
      `Vocabulary: ${JSON.stringify(token)} is none of the ${this.size} tokens, and no token stands for unknown ones.`,
    );
  }

  /** The numbers of tokens. @throws ArgumentError as `index` */
  indices(tokens: Iterable<string>): number[] {
    return Array.from(tokens, (token) => this.index(token));
  }

  /** The token of a number. @throws ArgumentError for a number that has none */
  token(index: number): string {
    if (Number.isInteger(index) && index >= 0 && index < this.size) return this.tokens[index];
    throw new ArgumentError(`Vocabulary: the numbers are 0 to ${this.size - 1}, got ${String(index)}.`);
  }

  /** The tokens of numbers. @throws ArgumentError as `token` */
  lookup(indices: Iterable<number>): string[] {
    return Array.from(indices, (index) => this.token(index));
  }

  /** The vocabulary, for `JSON.stringify`. */
  toJSON(): VocabularyState {
    return { name: 'Vocabulary', tokens: this.tokens, unknown: this.unknown };
  }

  /** What `toJSON` gave, also from `JSON.parse`. @throws ArgumentError for what is no vocabulary */
  static fromJSON(state: unknown): Vocabulary {
    const { name, tokens, unknown } = (typeof state === 'object' && state !== null ? state : {}) as Record<
      string,
      unknown
    >;
    if (name !== 'Vocabulary' || !Array.isArray(tokens))
      throw new ArgumentError("Vocabulary.fromJSON: expected { name: 'Vocabulary', tokens: [...], unknown }.");
    if (unknown !== null && !isText(tokens[unknown as number]))
      throw new ArgumentError(
        `Vocabulary.fromJSON: unknown must be null or the number of a token, got ${JSON.stringify(unknown)}.`,
      );
    return new Vocabulary(tokens as string[], unknown === null ? null : (tokens[unknown as number] as string));
  }

  /**
   * Writes the vocabulary to a JSON file: the whole, or nothing.
   *
   * @throws FileError if the file cannot be written
   */
  async save(file: string): Promise<void> {
    await writeFileAtomic(file, new TextEncoder().encode(JSON.stringify(this)));
  }

  /** Reads what `save` wrote. @throws FileError for a file that is missing or no vocabulary */
  static async load(file: string): Promise<Vocabulary> {
    return readJson(file, 'vocabulary', (state) => Vocabulary.fromJSON(state));
  }
}

/** Reads a JSON file and makes something of it. @throws FileError naming the file @internal */
export async function readJson<T>(file: string, what: string, make: (state: unknown) => T): Promise<T> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw toFileError(error, 'read', file);
  });
  try {
    return make(JSON.parse(text));
  } catch (error) {
    throw new FileError(`${file} is no ${what}: ${reasonOf(error).replace(/\.$/, '')}.`, { cause: error });
  }
}
