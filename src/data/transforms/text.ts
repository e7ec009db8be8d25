// Texts as tokens, and tokens as numbers.
import { ArgumentError } from '../../errors.js';
import { padSequences, type PadSequencesOptions, type PaddedSequences } from './sequences.js';
import type { Vocabulary } from './vocabulary.js';

function checkText(op: string, text: unknown): asserts text is string {
  if (typeof text !== 'string') throw new ArgumentError(`${op}: text must be a string, got ${typeof text}.`);
}

// A word with apostrophes and marks inside it, a number with separators inside it, or one other sign.
const basic = /[\p{L}\p{M}]+(?:['\u2019][\p{L}\p{M}]+)*|\p{N}+(?:[.,]\p{N}+)*|[^\s\p{L}\p{M}\p{N}]/gu;

/**
 * The tokens of an English text, in small letters. Compatibility forms are made plain (Unicode NFKC: a full-width letter is the
 * letter), HTML line breaks count as spaces, typographic apostrophes as `'`, and a token is
 * - a run of letters, with apostrophes inside it: `don't` is one token;
 * - a run of digits, with points and commas inside it: `3.14`, `1,000`;
 * - any other sign that is no space, alone: `...` are three tokens.
 *
 * @throws ArgumentError for what is no string
 * @example
 * data.transforms.basicTokens("I don't like it - 3.5 of 10!"); // ['i', "don't", 'like', 'it', '-', '3.5', 'of', '10', '!']
 */
export function basicTokens(text: string): string[] {
  checkText('basicTokens', text);
  const plain = text
    .replace(/<br\s*\/?>/gi, ' ')
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\u2019/g, "'");
  return plain.match(basic) ?? [];
}

/**
 * The characters of a text: whole Unicode code points, never halves of surrogate pairs.
 *
 * @throws ArgumentError for what is no string
 * @example
 * data.transforms.characterTokens('né'); // ['n', 'é']
 */
export function characterTokens(text: string): string[] {
  checkText('characterTokens', text);
  return Array.from(text);
}

/**
 * A function that gives the matches of a regular expression in a text.
 *
 * @param pattern without flag `g` or with; its state is not touched
 * @throws ArgumentError for what is no regular expression
 * @example
 * const words = data.transforms.regexTokenizer(/\w+/);
 * words('to be, or not'); // ['to', 'be', 'or', 'not']
 */
export function regexTokenizer(pattern: RegExp): (text: string) => string[] {
  if (!(pattern instanceof RegExp))
    throw new ArgumentError(`regexTokenizer: pattern must be a regular expression, got ${typeof pattern}.`);
  const all = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`);
  return (text) => {
    checkText('regexTokenizer', text);
    // An empty match is no token.
    return (text.match(all) ?? []).filter((token) => token !== '');
  };
}

/** Options of `ngrams`. */
export interface NgramsOptions {
  /** Put between the tokens of an n-gram. Default a space. */
  readonly separator?: string;
}

/**
 * Runs of n tokens: of a list of m there are `m - n + 1`, or none.
 *
 * @param n how many tokens, or a range `[from, to]` for all of these, the short ones first
 * @throws ArgumentError for an n that is none
 * @example
 * data.transforms.ngrams(['to', 'be', 'or'], 2); // ['to be', 'be or']
 */
export function ngrams(
  tokens: readonly string[],
  n: number | readonly [from: number, to: number],
  options: NgramsOptions = {},
): string[] {
  const { separator = ' ' } = options;
  const [from, to] = typeof n === 'number' ? [n, n] : n;
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 1 || to < from)
    throw new ArgumentError(`ngrams: n must be an integer >= 1 or a range of them, got ${String(n)}.`);
  if (!Array.isArray(tokens)) throw new ArgumentError(`ngrams: tokens must be an array, got ${typeof tokens}.`);
  const out: string[] = [];
  for (let size = from; size <= Math.min(to, tokens.length); size++)
    for (let i = 0; i + size <= tokens.length; i++) out.push(tokens.slice(i, i + size).join(separator));
  return out;
}

/** Options of `textToSequences`. */
export interface TextToSequencesOptions extends PadSequencesOptions {
  /** From a text to tokens. Default `basicTokens`. */
  readonly tokenize?: (text: string) => readonly string[];
}

/**
 * Texts as one tensor of token numbers: tokenized, looked up, and brought to one length as `padSequences` does. The padding is
 * the number of `<pad>` if the vocabulary has it, else 0, unless `value` says otherwise.
 *
 * @throws ArgumentError for unknown tokens if none stands for them, and for options that are none
 * @example
 * const { sequences, lengths } = data.transforms.textToSequences(reviews, vocabulary, { maxLen: 200 });
 */
export function textToSequences(
  texts: readonly string[],
  vocabulary: Vocabulary,
  options: TextToSequencesOptions = {},
): PaddedSequences {
  const { tokenize = basicTokens, ...padding } = options;
  if (!Array.isArray(texts)) throw new ArgumentError(`textToSequences: texts must be an array, got ${typeof texts}.`);
  const value = padding.value ?? (vocabulary.has('<pad>') ? vocabulary.index('<pad>') : 0);
  const sequences = (texts as readonly string[]).map((text) => vocabulary.indices(tokenize(text)));
  return padSequences(sequences, { ...padding, value });
}
