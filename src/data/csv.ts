// CSV files as typed tables, whole or in batches of rows.
import { open } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import type { Info, Options } from 'csv-parse';
import { ArgumentError, FileError } from '../errors.js';
import { reasonOf, toFileError } from '../io/file.js';
import { type Column, Table } from './table.js';

/** Options of `readCsv`. */
export interface CsvOptions {
  /** True (default): the first line has the columns' names. False: they are called `0`, `1`, ... A list: these are they. */
  readonly header?: boolean | readonly string[];
  /** Between two cells. Default `,`. */
  readonly delimiter?: string;
  /** Around cells that contain delimiters or line ends; null: quotes mean nothing. Default `"`. */
  readonly quote?: string | null;
  /** Lines that begin with it are skipped. Default: none are. */
  readonly comment?: string;
  /** What a missing value is written as. Default: nothing, `NA`, `N/A`, `NaN`, `nan`, `null`, `?`. */
  readonly missing?: readonly string[];
  /** The type of some columns. Default: numbers, if all values that are not missing are numbers; else text. */
  readonly types?: Readonly<Record<string, Column['type']>>;
  /** The columns to keep. Default: all. */
  readonly columns?: readonly string[];
}

/** Options of `streamCsv`. */
export interface CsvStreamOptions extends CsvOptions {
  /** Rows in a table; the last may have fewer. Default 10,000. */
  readonly rows?: number;
}

const MISSING = ['', 'NA', 'N/A', 'NaN', 'nan', 'null', '?'];
/** A record this long is an unclosed quote, not data. */
const MAX_RECORD = 16 * 1024 * 1024;
/** A header wider than that is no header. */
const MAX_COLUMNS = 1_000_000;

const infinities = new Map([
  ['inf', Infinity],
  ['+inf', Infinity],
  ['-inf', -Infinity],
]);

/** The number that a text is, undefined if it is none. */
function toNumber(text: string): number | undefined {
  const value = Number(text);
  // Number() also takes blanks for 0, and hexadecimal, binary and octal numbers.
  if (!Number.isNaN(value)) return /^\s*$|^\s*[+-]?0[xXbBoO]/.test(text) ? undefined : value;
  return infinities.get(text.trim().toLowerCase());
}

/** A column of numbers met a text, though all before it were numbers. */
class NotANumber extends Error {
  constructor(
    readonly column: string,
    readonly where: string,
    readonly text: string,
  ) {
    super();
  }

  toError(hint: string): FileError {
    const text = JSON.stringify(this.text.length > 60 ? `${this.text.slice(0, 60)}...` : this.text);
    return new FileError(`${this.where}, column '${this.column}': ${text} is not a number${hint}.`);
  }
}

/** A column while it grows. */
class ColumnBuilder {
  #numbers = new Float64Array(1024);
  #texts: (string | null)[] = [];
  #length = 0;
  #missing = 0;

  constructor(
    readonly name: string,
    readonly type: Column['type'],
  ) {}

  push(text: string, missing: boolean, where: string): void {
    if (missing) this.#missing++;
    if (this.type === 'string') {
      this.#texts.push(missing ? null : text);
      return;
    }
    const value = missing ? NaN : toNumber(text);
    if (value === undefined) throw new NotANumber(this.name, where, text);
    if (this.#length === this.#numbers.length) {
      const grown = new Float64Array(2 * this.#length);
      grown.set(this.#numbers);
      this.#numbers = grown;
    }
    this.#numbers[this.#length++] = value;
  }

  /** What has been pushed since the last call. */
  take(): Column {
    const missing = this.#missing;
    this.#missing = 0;
    if (this.type === 'string') {
      const values = this.#texts;
      this.#texts = [];
      return { type: 'string', values, missing };
    }
    const values = this.#numbers.slice(0, this.#length);
    this.#length = 0;
    return { type: 'number', values, missing };
  }
}

/** The bytes of a file, as long as they are text. */
async function* textBytes(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    let position = 0;
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      const bytes = chunk as Buffer;
      const zero = bytes.indexOf(0);
      if (zero >= 0) throw new FileError(`csv ${file}: byte ${position + zero} is zero: not a text file in UTF-8.`);
      position += bytes.byteLength;
      yield bytes;
    }
  } finally {
    await handle.close();
  }
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: Info;
}

/** What csv-parse says in words of its own. */
function describeError(error: unknown, file: string, read: number): FileError {
  const { code, lines, column } = error as { code?: string; lines?: number; column?: number | string };
  const known: Record<string, string> = {
    CSV_QUOTE_NOT_CLOSED: 'a quote is opened, but never closed',
    CSV_INVALID_CLOSING_QUOTE: 'after a closing quote comes neither a delimiter nor the end of the line',
    INVALID_OPENING_QUOTE: 'a quote opens in the middle of a cell',
    CSV_MAX_RECORD_SIZE: `a record of more than ${MAX_RECORD} bytes; a quote that is never closed?`,
  };
  const what = code === undefined ? undefined : known[code];
  if (what === undefined) return toFileError(error, 'csv', file);
  const cell = typeof column === 'number' ? `, cell ${column + 1}` : '';
  // An open quote is found where the file ends; what helps is where the record begins.
  const open = code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE';
  const place = open ? `the record after line ${read}` : `line ${lines}`;
  return new FileError(`csv ${file}: ${place}${cell}: ${what}.`, { cause: error });
}

async function* recordsOf(file: string, options: CsvOptions): AsyncGenerator<CsvRecord> {
  const parserOptions: Options = {
    bom: true,
    delimiter: options.delimiter ?? ',',
    quote: options.quote === undefined ? '"' : (options.quote ?? false),
    info: true,
    // The lengths are checked here, for a message that says more.
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: MAX_RECORD,
    ...(options.comment !== undefined && { comment: options.comment, comment_no_infix: true }),
  };
  const { parse } = await import('csv-parse');
  let parser;
  try {
    parser = parse(parserOptions);
  } catch (error) {
    throw new ArgumentError(`csv: ${reasonOf(error)}.`, { cause: error });
  }
  let read = 0;
  // Errors of either end come out of the loop below.
  pipeline(Readable.from(textBytes(file), { objectMode: false }), parser, () => undefined);
  try {
    for await (const record of parser) {
      read = (record as CsvRecord).info.lines;
      yield record as CsvRecord;
    }
  } catch (error) {
    throw describeError(error, file, read);
  }
}

function checkNames(names: readonly string[], options: CsvOptions, file: string): void {
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) throw new FileError(`csv ${file}: two columns are called '${twice}'.`);
  for (const wanted of [...(options.columns ?? []), ...Object.keys(options.types ?? {})]) {
    if (seen.has(wanted)) continue;
    const there = names.slice(0, 30).join(', ');
    throw new FileError(`csv ${file}: no column '${wanted}'; there are: ${there}. Is the delimiter right?`);
  }
}

function checkOptions(op: string, options: CsvOptions): void {
  for (const [name, type] of Object.entries(options.types ?? {})) {
    if (type !== 'number' && type !== 'string') {
      throw new ArgumentError(`${op}: the type of '${name}' must be 'number' or 'string', not '${String(type)}'.`);
    }
  }
}

/**
 * Reads tables of at most `rows` rows. The types of columns that nobody has said are found in the first of them.
 *
 * @param texts columns that are known to hold text
 */
async function* tables(
  file: string,
  options: CsvOptions,
  rows: number,
  texts: ReadonlySet<string>,
): AsyncGenerator<Table> {
  const missing = new Set(options.missing ?? MISSING);
  const { header = true } = options;
  let names: readonly string[] | undefined = Array.isArray(header) ? (header as readonly string[]) : undefined;
  let builders: (ColumnBuilder | undefined)[] = [];
  let count = 0;
  const begin = (all: readonly string[]): void => {
    if (all.length > MAX_COLUMNS) throw new FileError(`csv ${file}: ${all.length} columns; is the delimiter right?`);
    checkNames(all, options, file);
    names = all;
    const kept = new Set(options.columns ?? all);
    builders = all.map((name) =>
      kept.has(name)
        ? new ColumnBuilder(
            name,
            Object.hasOwn(options.types ?? {}, name) ? options.types![name] : texts.has(name) ? 'string' : 'number',
          )
        : undefined,
    );
  };
  const take = (): Table => {
    count = 0;
    const used = builders.filter((builder) => builder !== undefined);
    const made = new Map(used.map((builder) => [builder.name, builder.take()]));
    const order = options.columns ?? [...made.keys()];
    return new Table(new Map(order.map((name) => [name, made.get(name) as Column])));
  };
  if (names !== undefined) begin(names);
  let some = false;
  for await (const { record, info } of recordsOf(file, options)) {
    if (names === undefined) {
      if (header === true) {
        begin(record.map((name) => name.trim()));
        continue;
      }
      begin(record.map((_, i) => String(i)));
    }
    const width = builders.length;
    if (record.length !== width) {
      throw new FileError(`csv ${file}: line ${info.lines}: ${record.length} cells, expected ${width}.`);
    }
    const where = `csv ${file}: line ${info.lines}`;
    for (let i = 0; i < width; i++) builders[i]?.push(record[i], missing.has(record[i]), where);
    if (++count === rows) {
      some = true;
      yield take();
    }
  }
  if (names === undefined) throw new FileError(`csv ${file}: it is empty.`);
  if (count > 0 || !some) yield take();
}

/**
 * Reads a CSV file into a table of typed columns.
 *
 * Cells may be quoted, and then contain delimiters and line ends; empty lines are skipped. A column is one of numbers if
 * all of its values are (missing ones aside), else of texts, exactly as they stand in the file.
 *
 * @throws FileError naming the file, the line and the column for a row of another length, a quote that is not closed, or a
 *   value that is no number in a column said to hold numbers; ArgumentError for options that make no sense
 *
 * @example
 * const table = await data.readCsv('iris.csv', { types: { species: 'string' } });
 * const x = table.toTensor(['sepal_length', 'sepal_width']);
 * const { codes: y, classes } = table.categories('species');
 */
export async function readCsv(file: string, options: CsvOptions = {}): Promise<Table> {
  checkOptions('readCsv', options);
  // A column that turns out to be text late has lost how its numbers were written: read again, knowing that.
  const texts = new Set<string>();
  for (;;) {
    try {
      for await (const table of tables(file, options, Number.POSITIVE_INFINITY, texts)) return table;
    } catch (error) {
      if (!(error instanceof NotANumber)) throw error;
      if (Object.hasOwn(options.types ?? {}, error.column)) throw error.toError('');
      texts.add(error.column);
    }
  }
}

/**
 * Reads a CSV file as a sequence of tables, for files that are larger than memory. The types of columns are found in the
 * first table, unless `types` says them.
 *
 * @throws FileError as `readCsv`, and for a text in a column that held numbers in the first table
 *
 * @example
 * for await (const table of data.streamCsv('clicks.csv', { rows: 100_000 })) step(table.toTensor(['x', 'y']));
 */
export async function* streamCsv(file: string, options: CsvStreamOptions = {}): AsyncGenerator<Table> {
  const { rows = 10_000 } = options;
  checkOptions('streamCsv', options);
  if (!Number.isSafeInteger(rows) || rows < 1) {
    throw new ArgumentError(`streamCsv: rows must be an integer of at least 1, not ${String(rows)}.`);
  }
  const texts = new Set<string>();
  let given = false;
  for (;;) {
    try {
      for await (const table of tables(file, options, rows, texts)) {
        given = true;
        yield table;
      }
      return;
    } catch (error) {
      if (!(error instanceof NotANumber)) throw error;
      if (Object.hasOwn(options.types ?? {}, error.column)) throw error.toError('');
      if (given)
        throw error.toError(
          `, as all values of the first ${rows} rows; give { types: { '${error.column}': 'string' } }`,
        );
      texts.add(error.column);
    }
  }
}
