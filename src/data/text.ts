// Text files: lines, and lines with labels.
import { readFile } from 'node:fs/promises';
import { ArgumentError, FileError, IndexError } from '../errors.js';
import { toFileError } from '../io/file.js';
import type { Dataset } from './dataset.js';

/** Options of `readLines`. */
export interface TextOptions {
  /** How letters are stored. Default 'utf-8', where bytes that are none are an error. */
  readonly encoding?: 'utf-8' | 'latin1';
  /** Leave out lines without any letter. Default false. */
  readonly skipEmpty?: boolean;
}

/** Options of `readLabelledText`. */
export interface LabelledTextOptions extends TextOptions {
  /** Between text and label. Default a tab. Quotes mean nothing; for quoted cells, see `readCsv`. */
  readonly delimiter?: string;
  /** Where the label stands in the line: `last` (default) or `first`; the rest is the text. */
  readonly label?: 'first' | 'last';
  /** The first line is a header, and skipped. Default false. */
  readonly header?: boolean;
  /** The classes in the order of their numbers. Default: the labels in the file, numbers by size, others by code point. */
  readonly classes?: readonly string[];
}

/** Texts with class numbers; what text files with labels give. */
export class TextDataset implements Dataset<[text: string, label: bigint]> {
  /** The texts. */
  readonly texts: readonly string[];
  /** The class number of each text. */
  readonly labels: BigInt64Array;
  /** The class of each number. */
  readonly classes: readonly string[];
  /** The number of texts. */
  readonly length: number;

  /**
   * @param texts of any lengths
   * @param labels one for each
   * @param classes the class of each number
   * @throws ArgumentError if there are not as many labels as texts
   */
  constructor(texts: readonly string[], labels: BigInt64Array, classes: readonly string[]) {
    if (texts.length !== labels.length) {
      throw new ArgumentError(`TextDataset: ${texts.length} texts, but ${labels.length} labels.`);
    }
    this.texts = texts;
    this.labels = labels;
    this.classes = classes;
    this.length = texts.length;
  }

  /** A text and its class number; a negative index counts from the end. Throws IndexError if there is none. */
  get(index: number): [text: string, label: bigint] {
    const at = index < 0 ? index + this.length : index;
    if (!Number.isInteger(at) || at < 0 || at >= this.length) {
      throw new IndexError(`TextDataset: index ${String(index)} is out of range for ${this.length} samples.`);
    }
    return [this.texts[at], this.labels[at]];
  }
}

function decode(bytes: Buffer, file: string, encoding: TextOptions['encoding']): string {
  if (encoding === 'latin1') return bytes.toString('latin1');
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch (error) {
    let line = 1;
    for (let at = 0; at < bytes.length; line++) {
      const newline = bytes.indexOf(0x0a, at);
      const end = newline < 0 ? bytes.length : newline;
      try {
        decoder.decode(bytes.subarray(at, end));
      } catch {
        break;
      }
      at = end + 1;
    }
    throw new FileError(`text ${file}: line ${line} is not UTF-8; older files may need { encoding: 'latin1' }.`, {
      cause: error,
    });
  }
}

/** The lines with their numbers. */
async function numberedLines(op: string, file: string, options: TextOptions): Promise<[number, string][]> {
  const { encoding = 'utf-8', skipEmpty = false } = options;
  if (encoding !== 'utf-8' && encoding !== 'latin1') {
    throw new ArgumentError(`${op}: encoding must be 'utf-8' or 'latin1', not '${String(encoding)}'.`);
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw toFileError(error, 'text', file);
  }
  const zero = bytes.indexOf(0);
  if (zero >= 0) throw new FileError(`text ${file}: byte ${zero} is zero: not a text file in ${encoding}.`);
  if (bytes.length > 0x1fff_ffe8)
    throw new FileError(`text ${file}: ${bytes.length} bytes; the longest text has 2^29.`);
  const lines = decode(bytes, file, encoding).split(/\r\n|\n|\r/);
  // What follows the last line end is no line.
  if (lines.at(-1) === '') lines.pop();
  const numbered = lines.map((line, i): [number, string] => [i + 1, line]);
  return skipEmpty ? numbered.filter(([, line]) => line.trim() !== '') : numbered;
}

/**
 * The lines of a text file, without their ends.
 *
 * @throws FileError if the file is missing, or is no text in the encoding (naming the line)
 *
 * @example
 * const positive = await data.readLines('rt-polarity.pos', { encoding: 'latin1' });
 */
export async function readLines(file: string, options: TextOptions = {}): Promise<string[]> {
  return (await numberedLines('readLines', file, options)).map(([, line]) => line);
}

function sortedClasses(labels: Iterable<string>): string[] {
  const different = [...new Set(labels)];
  const numeric = different.every((label) => /^-?\d{1,15}$/.test(label));
  return different.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
}

/**
 * Reads a file with a text and a label in each line, such as `a fine film<TAB>1`.
 *
 * @throws FileError naming the file and the line for one without a delimiter or with a label that is none of `classes`
 *
 * @example
 * const train = await data.readLabelledText('sst2/train.tsv');
 * train.classes; // ['0', '1']
 */
export async function readLabelledText(file: string, options: LabelledTextOptions = {}): Promise<TextDataset> {
  const { delimiter = '\t', label: place = 'last', header = false } = options;
  if (typeof delimiter !== 'string' || delimiter === '') {
    throw new ArgumentError('readLabelledText: delimiter must be a text of at least one letter.');
  }
  if (place !== 'first' && place !== 'last') {
    throw new ArgumentError(`readLabelledText: label must be 'first' or 'last', not '${String(place)}'.`);
  }
  const lines = await numberedLines('readLabelledText', file, { skipEmpty: true, ...options });
  if (header) lines.shift();
  const rows = lines.map(([number, line]) => {
    const at = place === 'last' ? line.lastIndexOf(delimiter) : line.indexOf(delimiter);
    if (at < 0) {
      throw new FileError(`text ${file}: line ${number} has no ${JSON.stringify(delimiter)} between text and label.`);
    }
    const [before, after] = [line.slice(0, at), line.slice(at + delimiter.length)];
    return { number, text: place === 'last' ? before : after, label: (place === 'last' ? after : before).trim() };
  });
  const classes = options.classes ?? sortedClasses(rows.map(({ label }) => label));
  const codes = new Map(classes.map((name, i) => [name, BigInt(i)]));
  const labels = rows.map(({ number, label }) => {
    const code = codes.get(label);
    if (code !== undefined) return code;
    const shown = classes.slice(0, 20).join(', ');
    throw new FileError(`text ${file}: line ${number}: the label ${JSON.stringify(label)} is none of ${shown}.`);
  });
  return new TextDataset(
    rows.map(({ text }) => text),
    BigInt64Array.from(labels),
    classes,
  );
}

/**
 * Reads one file of lines per class, such as `rt-polarity.neg` and `rt-polarity.pos`: the classes are numbered in the order
 * given, and follow one another.
 *
 * @param files the file of each class
 * @throws FileError as `readLines`
 *
 * @example
 * const reviews = await data.readTextClasses(
 *   { negative: 'rt-polarity.neg', positive: 'rt-polarity.pos' },
 *   { encoding: 'latin1' },
 * );
 */
export async function readTextClasses(
  files: Readonly<Record<string, string>>,
  options: TextOptions = {},
): Promise<TextDataset> {
  const texts: string[] = [];
  const labels: bigint[] = [];
  for (const [code, file] of Object.values(files).entries()) {
    for (const [, line] of await numberedLines('readTextClasses', file, { skipEmpty: true, ...options })) {
      texts.push(line);
      labels.push(BigInt(code));
    }
  }
  return new TextDataset(texts, BigInt64Array.from(labels), Object.keys(files));
}
