// Categories as numbers.
import { ArgumentError, ShapeError } from '../../errors.js';
import { fromTypedArray, zeros } from '../../ops/creation.js';
import { checkTensor } from '../../ops/define.js';
import { formatShape, type Shape } from '../../shape.js';
import { isTensor, type Tensor } from '../../tensor/tensor.js';

/** A category: a string, or a number (NaN is one of its own). */
export type Category = string | number;

/** Rows of categories: arrays, one element a column; bare categories are rows of one column; or a tensor `[N, F]`. */
export type CategoryTable = readonly (readonly Category[])[] | readonly Category[] | Tensor;

// Map keys tell '1' from 1, and find NaN.
function checkCategory(op: string, value: unknown, row: number, column: number): Category {
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw new ArgumentError(
    `${op}: row ${row}, column ${column} must be a string or a number, got ${value === null ? 'null' : typeof value}.`,
  );
}

function rowsOf(op: string, table: CategoryTable): Category[][] {
  if (isTensor(table)) {
    checkTensor(op, 'x', table);
    if (table.shape.length !== 1 && table.shape.length !== 2)
      throw new ShapeError(`${op}: x must be [N] or [N, F], got shape ${formatShape(table.shape)}.`);
    const [count, columns = 1] = table.shape;
    const data = Array.from(table.dataSync() as Float64Array, Number);
    return Array.from({ length: count }, (_, n) => data.slice(n * columns, (n + 1) * columns));
  }
  if (!Array.isArray(table)) throw new ArgumentError(`${op}: x must be an array or a tensor, got ${typeof table}.`);
  const rows = (table as readonly (Category | readonly Category[])[]).map((row, n) =>
    (Array.isArray(row) ? (row as readonly Category[]) : [row as Category]).map((value, f) =>
      checkCategory(op, value, n, f),
    ),
  );
  rows.forEach((row, n) => {
    if (row.length !== rows[0].length)
      throw new ShapeError(`${op}: row ${n} has ${row.length} columns, row 0 has ${rows[0].length}.`);
  });
  return rows;
}

// Numbers in ascending order, NaN last; strings by their code units.
function sorted(op: string, column: number, values: Iterable<Category>): Category[] {
  const list = [...new Set(values)];
  const kinds = new Set(list.map((value) => typeof value));
  if (kinds.size > 1) throw new ArgumentError(`${op}: column ${column} has both strings and numbers.`);
  return list.sort((a, b) => {
    if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
    return a < b ? -1 : a > b ? 1 : 0;
  });
}

/** Categories as JSON takes them: null stands for NaN. */
const toJson = (list: readonly Category[]): (Category | null)[] =>
  list.map((value) => (Number.isNaN(value) ? null : value));

function fromJson(op: string, name: string, list: unknown): Category[] {
  if (!Array.isArray(list)) throw new ArgumentError(`${op}: ${name} must be a list, got ${typeof list}.`);
  const out = list.map((value: unknown) => {
    if (value === null) return NaN;
    if (typeof value === 'string' || typeof value === 'number') return value;
    throw new ArgumentError(`${op}: ${name} must hold strings or numbers, got ${typeof value}.`);
  });
  if (new Set(out).size !== out.length) throw new ArgumentError(`${op}: ${name} has a category twice.`);
  return out;
}

const show = (value: Category): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

/** Options of `OneHotEncoder`. */
export interface OneHotEncoderOptions {
  /** The categories of each column, in order. Default: those found by `fit`, sorted. */
  readonly categories?: readonly (readonly Category[])[];
  /** A category that `fit` has not seen: `'error'` (default), or `'ignore'`: zeros in all the column's places. */
  readonly handleUnknown?: 'error' | 'ignore';
  /** `'first'`: leave out the first category of each column (for models that want no linear dependence). Default: none. */
  readonly drop?: 'first';
}

/** What `OneHotEncoder.stateDict` gives and JSON takes. */
export interface OneHotEncoderState {
  /** `'OneHotEncoder'`. */
  readonly name: string;
  /** The categories of each column; null stands for NaN. */
  readonly categories: readonly (readonly (Category | null)[])[];
}

/**
 * Columns of categories as ones and zeros: a place for each category of each column.
 *
 * @example
 * const encoder = new data.transforms.OneHotEncoder().fit([['red', 1], ['blue', 2]]);
 * encoder.transform([['red', 2]]); // [[0, 1, 0, 1]]: blue, red, 1, 2
 */
export class OneHotEncoder {
  /** What happens to a category that `fit` has not seen. */
  readonly handleUnknown: 'error' | 'ignore';
  /** `'first'` if the first category of each column has no place. */
  readonly drop: 'first' | undefined;
  private readonly _given: readonly (readonly Category[])[] | undefined;
  private _categories: readonly (readonly Category[])[] | undefined;
  private _places: readonly ReadonlyMap<Category, number>[] = [];

  /** @throws ArgumentError naming the option */
  constructor(options: OneHotEncoderOptions = {}) {
    const { categories, handleUnknown = 'error', drop } = options;
    if (handleUnknown !== 'error' && handleUnknown !== 'ignore') {
      throw new ArgumentError(
        `OneHotEncoder: handleUnknown must be 'error' or 'ignore', got '${String(handleUnknown)}'.`,
      );
    }
    if (drop !== undefined && drop !== 'first')
      throw new ArgumentError(`OneHotEncoder: drop must be 'first' or left out, got '${String(drop)}'.`);
    if (categories !== undefined && !Array.isArray(categories))
      throw new ArgumentError(`OneHotEncoder: categories must be lists, one a column, got ${typeof categories}.`);
    this._given = categories?.map((list, f) => fromJson('OneHotEncoder', `categories[${f}]`, list));
    this.handleUnknown = handleUnknown;
    this.drop = drop;
    if (this._given !== undefined) this._take(this._given);
  }

  private _take(categories: readonly (readonly Category[])[]): void {
    this._categories = categories;
    this._places = categories.map((list) => new Map(list.map((value, i) => [value, i])));
  }

  /** The categories of each column. @throws ArgumentError before fit() */
  get categories(): readonly (readonly Category[])[] {
    if (this._categories === undefined) throw new ArgumentError('OneHotEncoder: fit() or loadStateDict() comes first.');
    return this._categories;
  }

  /** Columns of the result: the number of categories together, less those left out. */
  get outputs(): number {
    return this.categories.reduce((sum, list) => sum + this._width(list), 0);
  }

  private _width(list: readonly Category[]): number {
    return list.length - (this.drop === 'first' && list.length > 0 ? 1 : 0);
  }

  /**
   * Learns the categories of each column; those given to the constructor are only compared.
   *
   * @throws ArgumentError for values that are no categories, or that the given categories lack
   */
  fit(x: CategoryTable): this {
    const op = 'OneHotEncoder.fit';
    const rows = rowsOf(op, x);
    if (rows.length === 0) throw new ShapeError(`${op}: x has no rows to learn from.`);
    if (this._given !== undefined) {
      this._codes(op, rows);
      return this;
    }
    this._take(
      rows[0].map((_, f) =>
        sorted(
          op,
          f,
          (function* () {
            for (const row of rows) yield row[f];
          })(),
        ),
      ),
    );
    return this;
  }

  private _codes(op: string, rows: readonly (readonly Category[])[]): number[][] {
    const { categories } = this;
    if (rows.length > 0 && rows[0].length !== categories.length)
      throw new ShapeError(`${op}: x has ${rows[0].length} columns, the encoder ${categories.length}.`);
    return rows.map((row, n) =>
      row.map((value, f) => {
        const place = this._places[f].get(value);
        if (place !== undefined) return place;
        if (this.handleUnknown === 'ignore') return -1;
        throw new ArgumentError(
          `${op}: row ${n}, column ${f}: unknown category ${show(value)}; handleUnknown: 'ignore' makes it zeros.`,
        );
      }),
    );
  }

  /**
   * The categories as ones and zeros, `[N, outputs]`, float32.
   *
   * @throws ArgumentError before fit(), and for unknown categories unless they are ignored
   */
  transform(x: CategoryTable): Tensor<readonly [number, number], 'float32'> {
    const op = 'OneHotEncoder.transform';
    const { outputs, categories } = this;
    const codes = this._codes(op, rowsOf(op, x));
    if (outputs === 0) return zeros([codes.length, 0]);
    const out = new Float32Array(codes.length * outputs);
    const first = this.drop === 'first' ? 1 : 0;
    codes.forEach((row, n) => {
      let at = n * outputs;
      row.forEach((code, f) => {
        if (code >= first) out[at + code - first] = 1;
        at += this._width(categories[f]);
      });
    });
    return fromTypedArray(out, [codes.length, outputs]);
  }

  /** `fit` and `transform` in one. */
  fitTransform(x: CategoryTable): Tensor<readonly [number, number], 'float32'> {
    return this.fit(x).transform(x);
  }

  /**
   * The categories whose places hold the largest number of each column's; null for a column of zeros (the first category if
   * that is left out).
   *
   * @throws ShapeError for a table of other columns
   */
  inverseTransform(x: Tensor): (Category | null)[][] {
    checkTensor('OneHotEncoder.inverseTransform', 'x', x);
    const { outputs, categories } = this;
    if (x.shape.length !== 2 || x.shape[1] !== outputs) {
      throw new ShapeError(
        `OneHotEncoder.inverseTransform: x must be [N, ${outputs}], got shape ${formatShape(x.shape)}.`,
      );
    }
    const data = x.to('float64').dataSync();
    const first = this.drop === 'first' ? 1 : 0;
    return Array.from({ length: x.shape[0] }, (_, n) => {
      let at = n * outputs;
      return categories.map((list) => {
        const width = this._width(list);
        let best = -1;
        for (let i = 0; i < width; i++) if (data[at + i] > (best < 0 ? 0 : data[at + best])) best = i;
        at += width;
        return best >= 0 ? list[best + first] : first === 1 ? list[0] : null;
      });
    });
  }

  /** The categories, for `JSON.stringify`. */
  stateDict(): OneHotEncoderState {
    return { name: 'OneHotEncoder', categories: this.categories.map(toJson) };
  }

  /**
   * Takes over what `stateDict` gave, also from `JSON.parse`.
   *
   * @throws ArgumentError for what is no state of this class; nothing is changed then
   */
  loadStateDict(state: OneHotEncoderState): this {
    const op = 'OneHotEncoder.loadStateDict';
    if (
      typeof state !== 'object' ||
      state === null ||
      state.name !== 'OneHotEncoder' ||
      !Array.isArray(state.categories)
    )
      throw new ArgumentError(`${op}: expected { name: 'OneHotEncoder', categories: [...] }.`);
    this._take(state.categories.map((list: unknown, f) => fromJson(op, `categories[${f}]`, list)));
    return this;
  }
}

/** What `LabelEncoder.stateDict` gives and JSON takes. */
export interface LabelEncoderState {
  /** `'LabelEncoder'`. */
  readonly name: string;
  /** The labels in order; null stands for NaN. */
  readonly classes: readonly (Category | null)[];
}

/**
 * Labels as class numbers 0 to K - 1, in sorted order.
 *
 * @example
 * const encoder = new data.transforms.LabelEncoder().fit(['dog', 'cat', 'dog']);
 * encoder.transform(['cat', 'dog']); // [0, 1], int64
 */
export class LabelEncoder {
  private _classes: readonly Category[] | undefined;
  private _places: ReadonlyMap<Category, number> = new Map();

  /** The labels in order. @throws ArgumentError before fit() */
  get classes(): readonly Category[] {
    if (this._classes === undefined) throw new ArgumentError('LabelEncoder: fit() or loadStateDict() comes first.');
    return this._classes;
  }

  private _take(classes: readonly Category[]): this {
    this._classes = classes;
    this._places = new Map(classes.map((value, i) => [value, i]));
    return this;
  }

  private _list(op: string, labels: readonly Category[] | Tensor): Category[] {
    const rows = rowsOf(op, labels);
    if (rows.length > 0 && rows[0].length !== 1)
      throw new ShapeError(`${op}: labels must be a list, got rows of ${rows[0].length}.`);
    return rows.map(([label]) => label);
  }

  /**
   * Learns the labels.
   *
   * @throws ArgumentError for values that are no labels
   */
  fit(labels: readonly Category[] | Tensor): this {
    const op = 'LabelEncoder.fit';
    return this._take(sorted(op, 0, this._list(op, labels)));
  }

  /**
   * The class numbers, `[N]`, int64.
   *
   * @throws ArgumentError before fit(), and for an unknown label
   */
  transform(labels: readonly Category[] | Tensor): Tensor<readonly [number], 'int64'> {
    const op = 'LabelEncoder.transform';
    const { classes } = this;
    const codes = this._list(op, labels).map((label, n) => {
      const place = this._places.get(label);
      if (place !== undefined) return BigInt(place);
      throw new ArgumentError(`${op}: element ${n}: unknown label ${show(label)}, there are ${classes.length} others.`);
    });
    return fromTypedArray(BigInt64Array.from(codes), [codes.length]);
  }

  /** `fit` and `transform` in one. */
  fitTransform(labels: readonly Category[] | Tensor): Tensor<readonly [number], 'int64'> {
    return this.fit(labels).transform(labels);
  }

  /**
   * The labels of class numbers `[N]`.
   *
   * @throws ArgumentError for a number that is no class
   */
  inverseTransform(codes: Tensor<Shape> | ArrayLike<number>): Category[] {
    const { classes } = this;
    const list = isTensor(codes) ? Array.from(codes.dataSync() as Float64Array, Number) : Array.from(codes);
    return list.map((code, n) => {
      if (Number.isInteger(code) && code >= 0 && code < classes.length) return classes[code];
      throw new ArgumentError(
        `LabelEncoder.inverseTransform: element ${n} is ${String(code)}, the classes are 0 to ${classes.length - 1}.`,
      );
    });
  }

  /** The labels, for `JSON.stringify`. */
  stateDict(): LabelEncoderState {
    return { name: 'LabelEncoder', classes: toJson(this.classes) };
  }

  /**
   * Takes over what `stateDict` gave, also from `JSON.parse`.
   *
   * @throws ArgumentError for what is no state of this class; nothing is changed then
   */
  loadStateDict(state: LabelEncoderState): this {
    const op = 'LabelEncoder.loadStateDict';
    if (typeof state !== 'object' || state === null || state.name !== 'LabelEncoder')
      throw new ArgumentError(`${op}: expected { name: 'LabelEncoder', classes: [...] }.`);
    return this._take(fromJson(op, 'classes', state.classes));
  }
}
