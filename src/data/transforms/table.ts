// What the transforms of tables share: checks, statistics that are kept as numbers, and their state for JSON.
import { noGrad } from '../../autograd/mode.js';
import type { Device } from '../../device.js';
import type { DType } from '../../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { fromTypedArray } from '../../ops/creation.js';
import { checkTensor } from '../../ops/define.js';
import { formatShape, type Shape } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';

/** What `stateDict` gives and `JSON.stringify` takes: the transform's name, and lists of numbers (null stands for NaN). */
export interface TableState {
  /** The class the state belongs to. */
  readonly name: string;
  /** Columns of the tables it was fitted on. */
  readonly features: number;
  /** The fitted numbers by name. */
  readonly values: Readonly<Record<string, readonly (number | null)[]>>;
}

/** Fails unless the tensor is a table `[N, F]` of float32 or float64. */
export function checkTable(op: string, x: Tensor, features?: number): void {
  checkTensor(op, 'x', x);
  if (x.dtype !== 'float32' && x.dtype !== 'float64') {
    throw new DTypeError(`${op}: x must be float32 or float64, got ${x.dtype}; convert it with to('float32').`);
  }
  if (x.shape.length !== 2) throw new ShapeError(`${op}: x must be a table [N, F], got shape ${formatShape(x.shape)}.`);
  if (features !== undefined && x.shape[1] !== features) {
    throw new ShapeError(`${op}: x has ${x.shape[1]} columns, the table it was fitted on had ${features}.`);
  }
}

/** Fails for a table without rows. */
export function checkRows(op: string, x: Tensor): void {
  if (x.shape[0] === 0) throw new ShapeError(`${op}: x ${formatShape(x.shape)} has no rows to learn from.`);
}

/** Numbers as a row `[1, F]` that goes with a table. */
export function row(values: ArrayLike<number>, like: { dtype: DType; device: Device }): Tensor {
  return fromTypedArray(Float64Array.from(values), [1, values.length], { dtype: like.dtype, device: like.device });
}

/** A float tensor's numbers. */
export const numbers = (t: Tensor): number[] => Array.from(t.dataSync() as Float64Array, Number);

/** Rows a piece of a large table has, so that its float64 copy stays small. */
const pieceElements = 2 ** 22;

/** Sums over the rows of what `fn` gives for float64 copies of pieces of the table. */
export function sumOverRows(x: Tensor, fn: (piece: Tensor) => Tensor): Tensor {
  const rows = Math.max(1, Math.floor(pieceElements / Math.max(1, x.shape[1])));
  let total: Tensor | undefined;
  for (let from = 0; from < x.shape[0]; from += rows) {
    const before = total;
    total = tidy(() => {
      const part = fn(x.narrow(0, from, Math.min(rows, x.shape[0] - from)).to('float64'));
      return before === undefined ? part : before.add(part);
    });
    before?.dispose();
  }
  return total!;
}

/** The number, mean and population variance of each column's numbers, NaN left out, in float64. */
export function moments(x: Tensor): { counts: number[]; means: number[]; variances: number[] } {
  return tidy(() => {
    const count = sumOverRows(x, (piece) => piece.isnan().logicalNot().to('float64').sum(0));
    const mean = sumOverRows(x, (piece) => piece.nansum(0)).div(count);
    const variance = sumOverRows(x, (piece) => piece.sub(mean).square().nansum(0)).div(count);
    return { counts: numbers(count), means: numbers(mean), variances: numbers(variance) };
  });
}

/**
 * Base class of the transforms of tables: `fit` learns numbers of a table `[N, F]` of float32 or float64, `transform` applies
 * them to any table with these columns. Fit on the training split only, and apply the same numbers to the others.
 */
export abstract class TableTransform {
  private _features: number | null = null;
  private _values = new Map<string, readonly number[]>();

  /** The names of the fitted numbers, and whether there is one for each column. @internal */
  protected abstract readonly _fields: Readonly<Record<string, 'column' | 'any'>>;
  /** Learns the numbers. @internal */
  protected abstract _fit(x: Tensor): Readonly<Record<string, readonly number[]>>;
  /** The transform of a table. @internal */
  protected abstract _transform(x: Tensor): Tensor;

  /** @internal */
  protected get _name(): string {
    return this.constructor.name;
  }

  /** Columns of the table it was fitted on; null before. */
  get features(): number | null {
    return this._features;
  }

  /** @internal */
  protected _get(name: string): readonly number[] {
    const values = this._values.get(name);
    if (values === undefined) throw new ArgumentError(`${this._name}: fit() or loadStateDict() comes first.`);
    return values;
  }

  /**
   * Learns the numbers from a table `[N, F]`.
   *
   * @throws ShapeError for what is no table, or has no rows; DTypeError unless it is float32 or float64
   */
  fit(x: Tensor): this {
    const op = `${this._name}.fit`;
    checkTable(op, x);
    checkRows(op, x);
    const values = noGrad(() => tidy(() => this._fit(x)));
    this._values = new Map(Object.entries(values));
    this._features = x.shape[1];
    return this;
  }

  /**
   * Applies what was learned.
   *
   * @throws ArgumentError before fit(); ShapeError for a table of other columns; DTypeError unless it is float32 or float64
   */
  transform<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    this._ready(`${this._name}.transform`, x);
    return noGrad(() => tidy(() => this._transform(x))) as Tensor<Shape, D>;
  }

  /** `fit` and `transform` in one. */
  fitTransform<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return this.fit(x).transform(x);
  }

  /** @internal */
  protected _ready(op: string, x: Tensor, features = this._features): void {
    if (this._features === null) throw new ArgumentError(`${op}: fit() or loadStateDict() comes first.`);
    checkTable(op, x, features ?? undefined);
  }

  /** The fitted numbers, for `JSON.stringify`. */
  stateDict(): TableState {
    const values: Record<string, (number | null)[]> = {};
    for (const field of Object.keys(this._fields))
      values[field] = Array.from(this._get(field), (n) => (Number.isNaN(n) ? null : n));
    return { name: this._name, features: this._features!, values };
  }

  /**
   * Takes over what `stateDict` gave, also from `JSON.parse`.
   *
   * @throws ArgumentError for what is no state of this class; nothing is changed then
   */
  loadStateDict(state: TableState): this {
    const fail = (what: string): never => {
      throw new ArgumentError(`${this._name}.loadStateDict: ${what}.`);
    };
    if (typeof state !== 'object' || state === null) fail(`expected an object, got ${String(state)}`);
    if (state.name !== this._name) fail(`the state is of ${String(state.name)}`);
    const { features, values } = state;
    if (!Number.isSafeInteger(features) || features < 0) fail(`features is ${String(features)}`);
    const loaded = new Map<string, readonly number[]>();
    for (const [field, kind] of Object.entries(this._fields)) {
      const list: unknown = typeof values === 'object' && values !== null ? values[field] : undefined;
      if (!Array.isArray(list) || !list.every((n) => n === null || typeof n === 'number'))
        return fail(`values.${field} must be a list of numbers`);
      if (kind === 'column' && list.length !== features)
        return fail(`values.${field} has ${list.length} numbers for ${features} columns`);
      loaded.set(
        field,
        (list as (number | null)[]).map((n) => n ?? NaN),
      );
    }
    const complaint = this._complaint(loaded, features);
    if (complaint !== null) fail(complaint);
    this._values = loaded;
    this._features = features;
    return this;
  }

  /** What is wrong with loaded numbers. @internal */
  protected _complaint(values: ReadonlyMap<string, readonly number[]>, features: number): string | null {
    void values;
    void features;
    return null;
  }
}

/** Fails unless the value is true or false. */
export function checkBoolean(op: string, name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new ArgumentError(`${op}: ${name} must be true or false, got ${String(value)}.`);
}
