// Cleaning tables: missing values, outliers, duplicates.
import { noGrad } from '../../autograd/mode.js';
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import { tidy } from '../../memory.js';
import { where } from '../../ops/compare.js';
import { fromTypedArray } from '../../ops/creation.js';
import type { Shape } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkTable, moments, numbers, row, TableTransform } from './table.js';

/** The rows of a table that were kept. */
export interface KeptRows<D extends DType = DType> {
  /** Those rows, `[M, F]`. */
  readonly values: Tensor<Shape, D>;
  /** Their numbers, `[M]`, ascending: `targets.indexSelect(0, kept)` keeps what belongs to them. */
  readonly kept: Tensor<readonly [number], 'int64'>;
}

function keepRows<D extends DType>(x: Tensor<Shape, D>, keep: (n: number) => boolean): KeptRows<D> {
  const places: bigint[] = [];
  for (let n = 0; n < x.shape[0]; n++) if (keep(n)) places.push(BigInt(n));
  const kept = fromTypedArray(BigInt64Array.from(places), [places.length] as const, { device: x.device });
  return { values: noGrad<Tensor<Shape, D>>(() => x.indexSelect(0, kept)), kept };
}

/** Options of `dropMissing`. */
export interface DropMissingOptions {
  /** Drop rows with `'any'` (default) missing value, or only those where `'all'` are missing. */
  readonly how?: 'any' | 'all';
}

/**
 * The rows of a table without missing values (NaN).
 *
 * @throws ShapeError, DTypeError for what is no table of float32 or float64
 * @example
 * const { values, kept } = data.transforms.dropMissing(tensor([[1, 2], [NaN, 3]])); // [[1, 2]], [0]
 */
export function dropMissing<D extends DType>(x: Tensor<Shape, D>, options: DropMissingOptions = {}): KeptRows<D> {
  const { how = 'any' } = options;
  checkTable('dropMissing', x);
  if (how !== 'any' && how !== 'all')
    throw new ArgumentError(`dropMissing: how must be 'any' or 'all', got '${String(how)}'.`);
  const missing = tidy(() => {
    const mask = x.isnan();
    return (how === 'any' ? mask.any(1) : mask.all(1)).dataSync();
  });
  return keepRows(x, (n) => missing[n] === 0);
}

/** Options of `dropDuplicates`. */
export interface DropDuplicatesOptions {
  /** Which of equal rows stays: the `'first'` (default) or the `'last'`. */
  readonly keep?: 'first' | 'last';
}

/**
 * The rows of a table, of equal ones only one. Rows are equal if all their numbers are: 0 and -0 are, and NaN and NaN.
 *
 * @throws ShapeError, DTypeError for what is no table of float32 or float64
 * @example
 * data.transforms.dropDuplicates(tensor([[1, 2], [3, 4], [1, 2]])).values; // [[1, 2], [3, 4]]
 */
export function dropDuplicates<D extends DType>(x: Tensor<Shape, D>, options: DropDuplicatesOptions = {}): KeptRows<D> {
  const { keep = 'first' } = options;
  checkTable('dropDuplicates', x);
  if (keep !== 'first' && keep !== 'last')
    throw new ArgumentError(`dropDuplicates: keep must be 'first' or 'last', got '${String(keep)}'.`);
  const count = x.shape[0];
  // Equal numbers, equal bytes: adding 0 makes -0 a 0, and there is one NaN.
  const bytes = noGrad(() => tidy(() => where(x.isnan(), NaN, x.add(0)).to(x.dtype).bytesSync()));
  const width = count === 0 ? 0 : bytes.length / count;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const seen = new Set<string>();
  const chosen = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const n = keep === 'first' ? i : count - 1 - i;
    const key = text.toString('latin1', n * width, (n + 1) * width);
    if (seen.has(key)) continue;
    seen.add(key);
    chosen[n] = 1;
  }
  return keepRows(x, (n) => chosen[n] === 1);
}

/** Options of `SimpleImputer`. */
export interface SimpleImputerOptions {
  /** What missing values become: the column's `'mean'` (default), `'median'`, `'mostFrequent'` value, or a `'constant'`. */
  readonly strategy?: 'mean' | 'median' | 'mostFrequent' | 'constant';
  /** The constant. Default 0. */
  readonly fillValue?: number;
}

const strategies: readonly string[] = ['mean', 'median', 'mostFrequent', 'constant'];

/**
 * Replaces missing values (NaN) by a statistic of their column. Of values that are equally frequent, the smallest is taken.
 *
 * @example
 * const imputer = new data.transforms.SimpleImputer({ strategy: 'median' });
 * const train = imputer.fitTransform(tensor([[1], [NaN], [5]])); // [[1], [3], [5]]
 */
export class SimpleImputer extends TableTransform {
  protected override readonly _fields = { statistics: 'column' } as const;
  /** What missing values become. */
  readonly strategy: 'mean' | 'median' | 'mostFrequent' | 'constant';
  /** The constant. */
  readonly fillValue: number;

  /** @throws ArgumentError naming the option */
  constructor(options: SimpleImputerOptions = {}) {
    super();
    const { strategy = 'mean', fillValue = 0 } = options;
    if (!strategies.includes(strategy)) {
      throw new ArgumentError(
        `SimpleImputer: strategy must be 'mean', 'median', 'mostFrequent' or 'constant', got '${String(strategy)}'.`,
      );
    }
    if (typeof fillValue !== 'number' || !Number.isFinite(fillValue))
      throw new ArgumentError(`SimpleImputer: fillValue must be a finite number, got ${String(fillValue)}.`);
    this.strategy = strategy;
    this.fillValue = fillValue;
  }

  /** What stands for missing values, by column. */
  get statistics(): readonly number[] {
    return this._get('statistics');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    if (this.strategy === 'constant') return { statistics: new Array<number>(x.shape[1]).fill(this.fillValue) };
    const statistics =
      this.strategy === 'mean'
        ? moments(x).means
        : this.strategy === 'median'
          ? numbers(x.nanquantile(0.5, 0))
          : x.unbind(1).map(mostFrequent);
    const empty = statistics.findIndex(Number.isNaN);
    if (empty >= 0) {
      throw new ArgumentError(
        `SimpleImputer.fit: column ${empty} has no value to take the ${this.strategy} of; drop it, or use strategy 'constant'.`,
      );
    }
    return { statistics };
  }

  protected override _transform(x: Tensor): Tensor {
    return where(x.isnan(), row(this.statistics, x), x).to(x.dtype);
  }
}

function mostFrequent(values: Tensor): number {
  const known = values.maskedSelect(values.isnan().logicalNot());
  if (known.numel === 0) return NaN;
  const { values: distinct, counts } = known.unique({ returnCounts: true });
  // Distinct values are sorted, and of equal counts the first is found.
  const list = Array.from(counts.dataSync(), Number);
  const best = list.reduce((most, n, i) => (n > list[most] ? i : most), 0);
  return numbers(distinct)[best];
}

/** Options of `OutlierFilter`. */
export interface OutlierFilterOptions {
  /**
   * `'iqr'` (default): outside of the quartiles by more than `factor` times the distance between them (Tukey's fences);
   * `'zscore'`: further from the mean than `factor` standard deviations.
   */
  readonly method?: 'iqr' | 'zscore';
  /** See `method`. Default 1.5 for `'iqr'`, 3 for `'zscore'`. */
  readonly factor?: number;
}

/**
 * Finds outliers by bounds for each column, fitted on the training split: clips them, or drops their rows. NaN is none.
 *
 * @example
 * const filter = new data.transforms.OutlierFilter().fit(tensor([[1], [2], [3], [4], [100]]));
 * filter.transform(tensor([[100]])); // [[7]]: clipped to 4 + 1.5 * (4 - 2)
 */
export class OutlierFilter extends TableTransform {
  protected override readonly _fields = { lower: 'column', upper: 'column' } as const;
  /** How bounds are found. */
  readonly method: 'iqr' | 'zscore';
  /** How far they are. */
  readonly factor: number;

  /** @throws ArgumentError naming the option */
  constructor(options: OutlierFilterOptions = {}) {
    super();
    const { method = 'iqr' } = options;
    if (method !== 'iqr' && method !== 'zscore')
      throw new ArgumentError(`OutlierFilter: method must be 'iqr' or 'zscore', got '${String(method)}'.`);
    const { factor = method === 'iqr' ? 1.5 : 3 } = options;
    if (typeof factor !== 'number' || !(factor >= 0 && factor < Infinity))
      throw new ArgumentError(`OutlierFilter: factor must be a number >= 0, got ${String(factor)}.`);
    this.method = method;
    this.factor = factor;
  }

  /** The smallest number of each column that is no outlier. */
  get lower(): readonly number[] {
    return this._get('lower');
  }

  /** The largest number of each column that is no outlier. */
  get upper(): readonly number[] {
    return this._get('upper');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    if (this.method === 'zscore') {
      const { means, variances } = moments(x);
      const reach = variances.map((variance) => this.factor * Math.sqrt(variance));
      return { lower: means.map((m, f) => m - reach[f]), upper: means.map((m, f) => m + reach[f]) };
    }
    const [a, b] = [0.25, 0.75].map((q) => numbers(x.nanquantile(q, 0)));
    const reach = a.map((low, f) => this.factor * (b[f] - low));
    return { lower: a.map((low, f) => low - reach[f]), upper: b.map((high, f) => high + reach[f]) };
  }

  /**
   * Which numbers are outliers, `[N, F]`.
   *
   * @throws ArgumentError before fit(); ShapeError for a table of other columns; DTypeError unless it is float32 or float64
   */
  mask(x: Tensor): Tensor<Shape, 'bool'> {
    this._ready('OutlierFilter.mask', x);
    return noGrad(() => tidy(() => x.lt(row(this.lower, x)).logicalOr(x.gt(row(this.upper, x)))));
  }

  /**
   * The rows without outliers.
   *
   * @throws as `mask`
   */
  drop<D extends DType>(x: Tensor<Shape, D>): KeptRows<D> {
    this._ready('OutlierFilter.drop', x);
    const outlying = tidy(() => this.mask(x).any(1).dataSync());
    return keepRows(x, (n) => outlying[n] === 0);
  }

  /** Clips to the bounds; NaN stays. */
  protected override _transform(x: Tensor): Tensor {
    const [lower, upper] = [row(this.lower, x), row(this.upper, x)];
    return where(x.lt(lower), lower, where(x.gt(upper), upper, x)).to(x.dtype);
  }
}
