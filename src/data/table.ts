// A table of named columns, as it comes out of a CSV file, and its way into tensors.
import type { DType } from '../dtype.js';
import { isFloating } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { fromTypedArray } from '../ops/creation.js';
import type { Tensor } from '../tensor/tensor.js';

/** A column of numbers; NaN where a value is missing. */
export interface NumberColumn {
  /** Tells the kinds of columns apart. */
  readonly type: 'number';
  /** One per row; NaN where it is missing. */
  readonly values: Float64Array;
  /** How many are missing. */
  readonly missing: number;
}

/** A column of texts; null where a value is missing. */
export interface StringColumn {
  /** Tells the kinds of columns apart. */
  readonly type: 'string';
  /** One per row; null where it is missing. */
  readonly values: readonly (string | null)[];
  /** How many are missing. */
  readonly missing: number;
}

/** A column of a table. */
export type Column = NumberColumn | StringColumn;

/** A column as class numbers. */
export interface Categories {
  /** The class number of each row, [N]. */
  readonly codes: Tensor<readonly [number], 'int64'>;
  /** The class of each number. */
  readonly classes: string[];
}

/**
 * Columns of the same length, by name.
 *
 * @example
 * const table = await data.readCsv('houses.csv');
 * const x = table.toTensor(['rooms', 'area']); // [N, 2] float32
 * const y = table.toTensor('price'); // [N]
 */
export class Table {
  /** The columns, in the order of the file. */
  readonly columns: ReadonlyMap<string, Column>;
  /** The number of rows. */
  readonly length: number;

  /**
   * @param columns all of one length
   * @throws ArgumentError if they are not
   */
  constructor(columns: ReadonlyMap<string, Column>) {
    this.columns = columns;
    this.length = columns.values().next().value?.values.length ?? 0;
    for (const [name, { values }] of columns) {
      if (values.length !== this.length) {
        throw new ArgumentError(`Table: column '${name}' has ${values.length} rows, the first one ${this.length}.`);
      }
    }
  }

  /** The names of the columns, in the order of the file. */
  get names(): string[] {
    return [...this.columns.keys()];
  }

  #column(name: string): Column {
    const column = this.columns.get(name);
    if (column !== undefined) return column;
    throw new ArgumentError(`Table: no column '${name}'; there are: ${this.names.slice(0, 30).join(', ')}.`);
  }

  /** The values of a column of numbers; NaN where one is missing. Throws ArgumentError for any other. */
  numbers(name: string): Float64Array {
    const column = this.#column(name);
    if (column.type === 'number') return column.values;
    throw new ArgumentError(
      `Table: column '${name}' holds text; use categories('${name}'), or read it with { types: { '${name}': 'number' } }.`,
    );
  }

  /** The values of a column of texts; null where one is missing. Throws ArgumentError for any other. */
  strings(name: string): readonly (string | null)[] {
    const column = this.#column(name);
    if (column.type === 'string') return column.values;
    throw new ArgumentError(
      `Table: column '${name}' holds numbers; read it with { types: { '${name}': 'string' } } to have them as text.`,
    );
  }

  /**
   * Columns of numbers as a tensor: [N] for one name, [N, columns] for several. Missing values are NaN.
   *
   * @param names default: all columns of numbers
   * @param options.dtype float32 by default; for integers no value may be missing or have a fraction
   * @throws ArgumentError for a column that is not there or holds text; DTypeError for a value that the dtype cannot hold
   *
   * @example
   * table.toTensor('label', { dtype: 'int64' });
   */
  toTensor<D extends DType = 'float32'>(names: string, options?: { readonly dtype?: D }): Tensor<readonly [number], D>;
  toTensor<D extends DType = 'float32'>(
    names?: readonly string[],
    options?: { readonly dtype?: D },
  ): Tensor<readonly [number, number], D>;
  toTensor(names?: string | readonly string[], options: { readonly dtype?: DType } = {}): Tensor {
    const { dtype = 'float32' } = options;
    const one = typeof names === 'string';
    const chosen = one
      ? [names]
      : (names ?? [...this.columns].filter(([, { type }]) => type === 'number').map(([name]) => name));
    const columns = chosen.map((name) => this.numbers(name));
    if (!isFloating(dtype)) {
      for (const [c, values] of columns.entries()) {
        const at = values.findIndex((value) => !Number.isSafeInteger(value));
        if (at < 0) continue;
        const got = Number.isNaN(values[at]) ? 'missing' : String(values[at]);
        throw new DTypeError(`Table: row ${at} of column '${chosen[c]}' is ${got}, which ${dtype} cannot hold.`);
      }
    }
    const all = new Float64Array(this.length * columns.length);
    columns.forEach((values, c) => values.forEach((value, row) => (all[row * columns.length + c] = value)));
    return fromTypedArray(all, one ? [this.length] : [this.length, columns.length], { dtype });
  }

  /**
   * A column as class numbers: the classes are its different values in order (numbers by size, texts by code point).
   *
   * @param name a column without missing values
   * @returns int64 codes [N], and the class of each code
   * @throws ArgumentError if the column is not there, or a value is missing
   *
   * @example
   * const { codes, classes } = table.categories('species'); // [0, 0, 2, ...], ['setosa', 'versicolor', 'virginica']
   */
  categories(name: string): Categories {
    const column = this.#column(name);
    const at = Array.from<number | string | null>(column.values).findIndex(
      (value) => value === null || value !== value,
    );
    if (at >= 0) throw new ArgumentError(`Table: row ${at} of column '${name}' is missing; fill or drop it first.`);
    const different = [...new Set<number | string>(column.values as Iterable<number | string>)];
    different.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    const code = new Map(different.map((value, i) => [value, BigInt(i)]));
    const codes = BigInt64Array.from(
      Array.from(column.values as Iterable<number | string>, (value) => code.get(value) as bigint),
    );
    return { codes: fromTypedArray(codes, [this.length]), classes: different.map(String) };
  }
}
