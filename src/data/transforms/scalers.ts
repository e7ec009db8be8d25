// Scalers of the columns of tables, with scikit-learn's names and numbers.
import type { DType } from '../../dtype.js';
import { ArgumentError } from '../../errors.js';
import { noGrad } from '../../autograd/mode.js';
import { tidy } from '../../memory.js';
import { where } from '../../ops/compare.js';
import type { Shape } from '../../shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { checkBoolean, checkTable, moments, numbers, row, TableTransform } from './table.js';

const eps = (dtype: DType): number => (dtype === 'float64' ? 2 ** -52 : 2 ** -23);

/** A transform that can be undone. */
export abstract class InvertibleTableTransform extends TableTransform {
  /** @internal */
  protected abstract _inverse(x: Tensor): Tensor;

  /** Columns of the transformed tables. @internal */
  protected get _outputs(): number | null {
    return this.features;
  }

  /**
   * Undoes `transform`.
   *
   * @throws ArgumentError before fit(); ShapeError for a table of other columns; DTypeError unless it is float32 or float64
   */
  inverseTransform<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    this._ready(`${this._name}.inverseTransform`, x, this._outputs);
    return noGrad(() => tidy(() => this._inverse(x))) as Tensor<Shape, D>;
  }
}

/** Options of `StandardScaler`. */
export interface StandardScalerOptions {
  /** Subtract the mean. Default true. */
  readonly withMean?: boolean;
  /** Divide by the standard deviation. Default true. */
  readonly withStd?: boolean;
}

/**
 * Brings columns to mean 0 and standard deviation 1: `(x - mean) / scale`, with the standard deviation of the population
 * (divisor N). NaN is left out of the statistics and stays NaN. A column that is constant, up to rounding, gets scale 1.
 *
 * @example
 * const scaler = new data.transforms.StandardScaler();
 * const train = scaler.fitTransform(tensor([[0, 10], [2, 30]])); // [[-1, -1], [1, 1]]
 * const test = scaler.transform(tensor([[1, 20]])); // [[0, 0]]
 */
export class StandardScaler extends InvertibleTableTransform {
  protected override readonly _fields = { mean: 'column', variance: 'column', scale: 'column' } as const;
  /** Whether the mean is subtracted. */
  readonly withMean: boolean;
  /** Whether the result is divided by the standard deviation. */
  readonly withStd: boolean;

  /** @throws ArgumentError naming the option */
  constructor(options: StandardScalerOptions = {}) {
    super();
    this.withMean = checkBoolean('StandardScaler', 'withMean', options.withMean ?? true);
    this.withStd = checkBoolean('StandardScaler', 'withStd', options.withStd ?? true);
  }

  /** The mean of each column. */
  get mean(): readonly number[] {
    return this._get('mean');
  }

  /** The population variance of each column. */
  get variance(): readonly number[] {
    return this._get('variance');
  }

  /** What each column is divided by. */
  get scale(): readonly number[] {
    return this._get('scale');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    const { counts, means, variances } = moments(x);
    const scale = variances.map((variance, f) => {
      // Below this it is the rounding errors of a constant.
      const noise = counts[f] * 2 ** -52 * variance + (counts[f] * means[f] * 2 ** -52) ** 2;
      return variance <= noise ? 1 : Math.sqrt(variance);
    });
    return { mean: means, variance: variances, scale };
  }

  protected override _transform(x: Tensor): Tensor {
    const centred = this.withMean ? x.sub(row(this.mean, x)) : x;
    if (this.withStd) return centred.div(row(this.scale, x));
    return centred === x ? x.clone() : centred;
  }

  protected override _inverse(x: Tensor): Tensor {
    const scaled = this.withStd ? x.mul(row(this.scale, x)) : x;
    if (this.withMean) return scaled.add(row(this.mean, x));
    return scaled === x ? x.clone() : scaled;
  }
}

/** Options of `MinMaxScaler`. */
export interface MinMaxScalerOptions {
  /** The range that the fitted columns are brought to. Default `[0, 1]`. */
  readonly featureRange?: readonly [low: number, high: number];
  /** Limit what is transformed to the range. Default false. */
  readonly clip?: boolean;
}

/**
 * Brings columns to a range: their smallest number to its lower end, their largest to its upper. NaN is left out of the
 * statistics and stays NaN; a constant column goes to the lower end.
 *
 * @example
 * new data.transforms.MinMaxScaler().fitTransform(tensor([[1], [3], [2]])); // [[0], [1], [0.5]]
 */
export class MinMaxScaler extends InvertibleTableTransform {
  protected override readonly _fields = {
    dataMin: 'column',
    dataMax: 'column',
    scale: 'column',
    min: 'column',
  } as const;
  /** The range that the fitted columns are brought to. */
  readonly featureRange: readonly [low: number, high: number];
  /** Whether what is transformed is limited to the range. */
  readonly clip: boolean;

  /** @throws ArgumentError naming the option */
  constructor(options: MinMaxScalerOptions = {}) {
    super();
    const range: unknown = options.featureRange ?? [0, 1];
    const ok = Array.isArray(range) && range.length === 2 && range.every((n) => Number.isFinite(n));
    if (!ok || !(range[0] < range[1]))
      throw new ArgumentError(`MinMaxScaler: featureRange must be [low, high] with low < high, got ${String(range)}.`);
    this.featureRange = [range[0] as number, range[1] as number];
    this.clip = checkBoolean('MinMaxScaler', 'clip', options.clip ?? false);
  }

  /** The smallest number of each column. */
  get dataMin(): readonly number[] {
    return this._get('dataMin');
  }

  /** The largest number of each column. */
  get dataMax(): readonly number[] {
    return this._get('dataMax');
  }

  /** What each column is multiplied by. */
  get scale(): readonly number[] {
    return this._get('scale');
  }

  /** What is then added to each column. */
  get min(): readonly number[] {
    return this._get('min');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    const missing = x.isnan();
    const none = missing.all(0);
    const extreme = (fill: number): Tensor => x.maskedFill(missing, fill);
    const dataMin = numbers(where(none, NaN, extreme(Infinity).amin(0)));
    const dataMax = numbers(where(none, NaN, extreme(-Infinity).amax(0)));
    const [low, high] = this.featureRange;
    const scale = dataMin.map((min, f) => {
      const range = dataMax[f] - min;
      return (high - low) / (range < 10 * eps(x.dtype) ? 1 : range);
    });
    return { dataMin, dataMax, scale, min: dataMin.map((min, f) => low - min * scale[f]) };
  }

  protected override _transform(x: Tensor): Tensor {
    const scaled = x.mul(row(this.scale, x)).add(row(this.min, x));
    return this.clip ? scaled.clamp({ min: this.featureRange[0], max: this.featureRange[1] }) : scaled;
  }

  protected override _inverse(x: Tensor): Tensor {
    return x.sub(row(this.min, x)).div(row(this.scale, x));
  }
}

/** Options of `RobustScaler`. */
export interface RobustScalerOptions {
  /** Subtract the median. Default true. */
  readonly withCentering?: boolean;
  /** Divide by the range between the quantiles. Default true. */
  readonly withScaling?: boolean;
  /** The quantiles, in percent. Default `[25, 75]`. */
  readonly quantileRange?: readonly [low: number, high: number];
}

/**
 * Scales columns by statistics that outliers hardly move: `(x - median) / (the range between two quantiles)`. NaN is left out
 * of the statistics and stays NaN; a range of 0 counts as 1.
 *
 * @example
 * new data.transforms.RobustScaler().fitTransform(tensor([[1], [2], [3], [4], [1000]])); // [[-1], [-0.5], [0], [0.5], [498.5]]
 */
export class RobustScaler extends InvertibleTableTransform {
  protected override readonly _fields = { center: 'column', scale: 'column' } as const;
  /** Whether the median is subtracted. */
  readonly withCentering: boolean;
  /** Whether the result is divided by the range between the quantiles. */
  readonly withScaling: boolean;
  /** The quantiles, in percent. */
  readonly quantileRange: readonly [low: number, high: number];

  /** @throws ArgumentError naming the option */
  constructor(options: RobustScalerOptions = {}) {
    super();
    const range: unknown = options.quantileRange ?? [25, 75];
    const ok = Array.isArray(range) && range.length === 2 && range.every((n) => typeof n === 'number');
    if (!ok || !(range[0] >= 0 && range[0] < range[1] && range[1] <= 100)) {
      throw new ArgumentError(
        `RobustScaler: quantileRange must be [low, high] with 0 <= low < high <= 100, got ${String(range)}.`,
      );
    }
    this.quantileRange = [range[0], range[1]];
    this.withCentering = checkBoolean('RobustScaler', 'withCentering', options.withCentering ?? true);
    this.withScaling = checkBoolean('RobustScaler', 'withScaling', options.withScaling ?? true);
  }

  /** The median of each column. */
  get center(): readonly number[] {
    return this._get('center');
  }

  /** What each column is divided by. */
  get scale(): readonly number[] {
    return this._get('scale');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    const [low, high] = this.quantileRange;
    const [a, center, b] = [low / 100, 0.5, high / 100].map((q) => numbers(x.nanquantile(q, 0)));
    const scale = a.map((below, f) => {
      const range = b[f] - below;
      return range < 10 * eps(x.dtype) ? 1 : range;
    });
    return { center, scale };
  }

  protected override _transform(x: Tensor): Tensor {
    const centred = this.withCentering ? x.sub(row(this.center, x)) : x;
    if (this.withScaling) return centred.div(row(this.scale, x));
    return centred === x ? x.clone() : centred;
  }

  protected override _inverse(x: Tensor): Tensor {
    const scaled = this.withScaling ? x.mul(row(this.scale, x)) : x;
    if (this.withCentering) return scaled.add(row(this.center, x));
    return scaled === x ? x.clone() : scaled;
  }
}

/** Options of `Normalizer`. */
export interface NormalizerOptions {
  /** The norm that becomes 1: `'l2'` (default), `'l1'` or `'max'` (the largest magnitude). */
  readonly norm?: 'l1' | 'l2' | 'max';
}

/**
 * Scales each row to norm 1; rows of zeros stay. There is nothing to fit.
 *
 * @example
 * new data.transforms.Normalizer().transform(tensor([[3, 4]])); // [[0.6, 0.8]]
 */
export class Normalizer {
  /** The norm that becomes 1. */
  readonly norm: 'l1' | 'l2' | 'max';

  /** @throws ArgumentError for an unknown norm */
  constructor(options: NormalizerOptions = {}) {
    const { norm = 'l2' } = options;
    if (norm !== 'l1' && norm !== 'l2' && norm !== 'max')
      throw new ArgumentError(`Normalizer: norm must be 'l1', 'l2' or 'max', got '${String(norm)}'.`);
    this.norm = norm;
  }

  /**
   * Scales the rows of a table `[N, F]`.
   *
   * @throws ShapeError, DTypeError for what is no table of float32 or float64
   */
  transform<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    checkTable('Normalizer.transform', x);
    if (x.numel === 0) return x.clone();
    return noGrad(() =>
      tidy(() => {
        const all = x;
        const magnitude = all.abs();
        const norms =
          this.norm === 'max'
            ? magnitude.amax(1, { keepDim: true })
            : this.norm === 'l1'
              ? magnitude.sum(1, { keepDim: true })
              : all.square().sum(1, { keepDim: true }).sqrt();
        return all.div(where(norms.eq(0), 1, norms)).to(x.dtype);
      }),
    );
  }
}
