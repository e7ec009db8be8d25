// Transforms of tables by products with matrices: principal components, whitening, polynomials.
import { ArgumentError, ShapeError } from '../../errors.js';
import { fromTypedArray, ones } from '../../ops/creation.js';
import { cat } from '../../ops/join.js';
import { eigh, svd } from '../../linalg/svd.js';
import { formatShape, type Shape } from '../../shape.js';
import type { DType } from '../../dtype.js';
import { noGrad } from '../../autograd/mode.js';
import { tidy } from '../../memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { InvertibleTableTransform } from './scalers.js';
import { checkBoolean, checkTable, numbers, row, sumOverRows } from './table.js';

function matrix(values: readonly number[], columns: number, like: Tensor): Tensor {
  const rows = columns === 0 ? 0 : values.length / columns;
  return fromTypedArray(Float64Array.from(values), [rows, columns], { dtype: like.dtype, device: like.device });
}

function refuseMissing(op: string, means: readonly number[]): void {
  const broken = means.findIndex((mean) => !Number.isFinite(mean));
  if (broken >= 0) {
    throw new ArgumentError(
      `${op}: column ${broken} has NaN or infinite values; replace them with SimpleImputer, or drop their rows.`,
    );
  }
}

const meansOf = (x: Tensor): Tensor => sumOverRows(x, (piece) => piece.sum(0)).div(x.shape[0]);

// The products of the centred columns, added up over the rows.
const scatterOf = (x: Tensor, mean: Tensor): Tensor =>
  sumOverRows(x, (piece) => {
    const centred = piece.sub(mean);
    return centred.mT().matmul(centred);
  });

/** Options of `PCA`. */
export interface PCAOptions {
  /**
   * How many components are kept: a count from 1, or a share of the variance between 0 and 1: as many as it takes to explain
   * more than that. Default: all, the smaller of N and F.
   */
  readonly nComponents?: number;
  /** Scale the components to variance 1. Default false. */
  readonly whiten?: boolean;
}

/**
 * Principal components: the directions of the largest variance of a table, computed in float64. `transform` gives the
 * coordinates along them, `[N, nComponents]`: a compressed table, from which `inverseTransform` makes an approximation.
 *
 * The sign of a component is such that its entry of the largest magnitude is positive, as in scikit-learn (from 1.5).
 *
 * @example
 * const pca = new data.transforms.PCA({ nComponents: 2 });
 * const compressed = pca.fitTransform(table); // [N, 2]
 * const approximation = pca.inverseTransform(compressed); // [N, F]
 */
export class PCA extends InvertibleTableTransform {
  protected override readonly _fields = {
    mean: 'column',
    components: 'any',
    explainedVariance: 'any',
    explainedVarianceRatio: 'any',
  } as const;
  /** How many components are kept, as given. */
  readonly nComponents: number | null;
  /** Whether the components are scaled to variance 1. */
  readonly whiten: boolean;

  /** @throws ArgumentError naming the option */
  constructor(options: PCAOptions = {}) {
    super();
    const { nComponents = null } = options;
    const isShare = typeof nComponents === 'number' && nComponents > 0 && nComponents < 1;
    if (nComponents !== null && !isShare && !(Number.isSafeInteger(nComponents) && nComponents >= 1)) {
      throw new ArgumentError(
        `PCA: nComponents must be an integer >= 1 or a share between 0 and 1, got ${String(nComponents)}.`,
      );
    }
    this.nComponents = nComponents;
    this.whiten = checkBoolean('PCA', 'whiten', options.whiten ?? false);
  }

  /** The mean of each column. */
  get mean(): readonly number[] {
    return this._get('mean');
  }

  /** The components, unit vectors of F numbers each, in the order of their variance. */
  get components(): readonly (readonly number[])[] {
    const flat = this._get('components');
    const features = this.features!;
    return this.explainedVariance.map((_, k) => flat.slice(k * features, (k + 1) * features));
  }

  /** The variance along each component (with divisor N - 1). */
  get explainedVariance(): readonly number[] {
    return this._get('explainedVariance');
  }

  /** The share of each component in the variance of the table. */
  get explainedVarianceRatio(): readonly number[] {
    return this._get('explainedVarianceRatio');
  }

  protected override get _outputs(): number | null {
    return this.features === null ? null : this.explainedVariance.length;
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    const [count, features] = x.shape;
    const most = Math.min(count, features);
    if (count < 2) throw new ShapeError(`PCA.fit: x ${formatShape(x.shape)} must have at least 2 rows.`);
    if (features === 0) throw new ShapeError(`PCA.fit: x ${formatShape(x.shape)} has no columns.`);
    const { nComponents } = this;
    if (nComponents !== null && nComponents > most) {
      throw new ArgumentError(
        `PCA.fit: nComponents is ${nComponents}, but a table ${formatShape(x.shape)} has at most ${most} components.`,
      );
    }
    const mean = meansOf(x);
    const means = numbers(mean);
    refuseMissing('PCA.fit', means);
    // Of a long table the small matrix of covariances; a wide one is decomposed itself.
    let variances: number[];
    let vectors: number[];
    if (count >= features) {
      const { eigenvalues, eigenvectors } = eigh(scatterOf(x, mean).div(count - 1));
      variances = numbers(eigenvalues.flip(0)).map((v) => Math.max(v, 0));
      vectors = numbers(eigenvectors.mT().flip(0));
    } else {
      const { S, Vh } = svd(x.to('float64').sub(mean), { fullMatrices: false });
      variances = numbers(S).map((s) => s ** 2 / (count - 1));
      vectors = numbers(Vh);
    }
    const total = variances.reduce((a, b) => a + b, 0);
    const ratios = variances.map((v) => (total === 0 ? 0 : v / total));
    let kept = nComponents ?? most;
    if (kept < 1) {
      const share = kept;
      let sum = 0;
      kept = ratios.findIndex((ratio) => (sum += ratio) > share) + 1 || most;
    }
    for (let k = 0; k < kept; k++) {
      let largest = 0;
      for (let f = 0; f < features; f++)
        if (Math.abs(vectors[k * features + f]) > Math.abs(largest)) largest = vectors[k * features + f];
      if (largest < 0) for (let f = 0; f < features; f++) vectors[k * features + f] *= -1;
    }
    return {
      mean: means,
      components: vectors.slice(0, kept * features),
      explainedVariance: variances.slice(0, kept),
      explainedVarianceRatio: ratios.slice(0, kept),
    };
  }

  // Directions without variance are not blown up.
  private _deviations(): number[] {
    return this.explainedVariance.map((v) => Math.max(Math.sqrt(v), 2 ** -52));
  }

  protected override _transform(x: Tensor): Tensor {
    const components = matrix(this._get('components'), this.features!, x);
    const out = x.sub(row(this.mean, x)).matmul(components.mT());
    return this.whiten ? out.div(row(this._deviations(), x)) : out;
  }

  protected override _inverse(x: Tensor): Tensor {
    const scaled = this.whiten ? x.mul(row(this._deviations(), x)) : x;
    return scaled.matmul(matrix(this._get('components'), this.features!, x)).add(row(this.mean, x));
  }

  protected override _complaint(values: ReadonlyMap<string, readonly number[]>, features: number): string | null {
    const kept = values.get('explainedVariance')!.length;
    const sizes = [
      values.get('components')!.length / Math.max(features, 1),
      values.get('explainedVarianceRatio')!.length,
    ];
    return sizes.every((size) => size === kept) ? null : 'the numbers of components differ';
  }
}

/** Options of `ZCAWhitening`. */
export interface ZCAWhiteningOptions {
  /** Added to the variance of each component before its root is divided by, > 0. Default 1e-6. */
  readonly epsilon?: number;
}

/**
 * Whitening that changes tables as little as possible: columns get mean 0, and together the covariance of the identity;
 * images stay images (Krizhevsky 2009). `transform` gives `(x - mean) W` with `W = V diag(1 / sqrt(v + epsilon)) V^T`, where v
 * and V are eigenvalues and eigenvectors of the covariance (with divisor N), in float64.
 *
 * @example
 * const zca = new data.transforms.ZCAWhitening().fit(train.reshape([-1, 3072]));
 * const white = zca.transform(images.reshape([-1, 3072])).reshape(images.shape);
 */
export class ZCAWhitening extends InvertibleTableTransform {
  protected override readonly _fields = { mean: 'column', whitening: 'any', colouring: 'any' } as const;
  /** Added to the variance of each component. */
  readonly epsilon: number;

  /** @throws ArgumentError naming the option */
  constructor(options: ZCAWhiteningOptions = {}) {
    super();
    const { epsilon = 1e-6 } = options;
    if (typeof epsilon !== 'number' || !(epsilon > 0 && epsilon < Infinity))
      throw new ArgumentError(`ZCAWhitening: epsilon must be a number above 0, got ${String(epsilon)}.`);
    this.epsilon = epsilon;
  }

  /** The mean of each column. */
  get mean(): readonly number[] {
    return this._get('mean');
  }

  protected override _fit(x: Tensor): Record<string, readonly number[]> {
    const mean = meansOf(x);
    const means = numbers(mean);
    refuseMissing('ZCAWhitening.fit', means);
    const { eigenvalues, eigenvectors } = eigh(scatterOf(x, mean).div(x.shape[0]));
    const root = eigenvalues.clamp({ min: 0 }).add(this.epsilon).sqrt();
    return {
      mean: means,
      whitening: numbers(eigenvectors.div(root).matmul(eigenvectors.mT())),
      colouring: numbers(eigenvectors.mul(root).matmul(eigenvectors.mT())),
    };
  }

  protected override _transform(x: Tensor): Tensor {
    return x.sub(row(this.mean, x)).matmul(matrix(this._get('whitening'), this.features!, x));
  }

  protected override _inverse(x: Tensor): Tensor {
    return x.matmul(matrix(this._get('colouring'), this.features!, x)).add(row(this.mean, x));
  }

  protected override _complaint(values: ReadonlyMap<string, readonly number[]>, features: number): string | null {
    const square = (name: string): boolean => values.get(name)!.length === features ** 2;
    return square('whitening') && square('colouring') ? null : `the matrices are not of ${features} columns`;
  }
}

/** Options of `PolynomialFeatures`. */
export interface PolynomialFeaturesOptions {
  /** The largest degree. Default 2. */
  readonly degree?: number;
  /** Only products of different columns. Default false. */
  readonly interactionOnly?: boolean;
  /** A first column of ones. Default true. */
  readonly includeBias?: boolean;
}

/** More columns than this are taken for a mistake. */
const mostColumns = 1_000_000;

/**
 * All products of up to `degree` columns: of a and b the columns 1, a, b, a a, a b, b b. There is nothing to fit.
 *
 * @example
 * new data.transforms.PolynomialFeatures().transform(tensor([[2, 3]])); // [[1, 2, 3, 4, 6, 9]]
 */
export class PolynomialFeatures {
  /** The largest degree. */
  readonly degree: number;
  /** Whether only products of different columns are made. */
  readonly interactionOnly: boolean;
  /** Whether there is a first column of ones. */
  readonly includeBias: boolean;

  /** @throws ArgumentError naming the option */
  constructor(options: PolynomialFeaturesOptions = {}) {
    const { degree = 2, interactionOnly = false, includeBias = true } = options;
    if (!Number.isSafeInteger(degree) || degree < 0)
      throw new ArgumentError(`PolynomialFeatures: degree must be an integer >= 0, got ${String(degree)}.`);
    this.degree = degree;
    this.interactionOnly = checkBoolean('PolynomialFeatures', 'interactionOnly', interactionOnly);
    this.includeBias = checkBoolean('PolynomialFeatures', 'includeBias', includeBias);
  }

  /**
   * The columns of the input that are multiplied, for each column of the result, of a table of `features` columns.
   *
   * @throws ArgumentError for more than a million columns
   */
  products(features: number): number[][] {
    // Of d columns out of F: F (F + 1) ... (F + d - 1) / d! products, or F (F - 1) ... (F - d + 1) / d! of different ones.
    let count = this.includeBias ? 1 : 0;
    for (let degree = 1, some = 1; degree <= this.degree && some > 0; degree++) {
      some = (some * (features + (this.interactionOnly ? 1 - degree : degree - 1))) / degree;
      count += some;
      if (count > mostColumns) {
        throw new ArgumentError(
          `PolynomialFeatures: degree ${this.degree} of ${features} columns makes more than ${mostColumns} columns.`,
        );
      }
    }
    const all: number[][] = this.includeBias ? [[]] : [];
    let last: number[][] = [[]];
    for (let degree = 1; degree <= this.degree && last.length > 0; degree++) {
      last = last.flatMap((product) => {
        const from = product.length === 0 ? 0 : product[product.length - 1] + (this.interactionOnly ? 1 : 0);
        return Array.from({ length: Math.max(0, features - from) }, (_, k) => [...product, from + k]);
      });
      for (const product of last) all.push(product);
    }
    return all;
  }

  /**
   * The products of the columns of a table `[N, F]`.
   *
   * @throws ShapeError, DTypeError for what is no table of float32 or float64; ArgumentError for more than a million columns
   */
  transform<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    checkTable('PolynomialFeatures.transform', x);
    const products = this.products(x.shape[1]);
    const { dtype, device } = x;
    return noGrad(() =>
      tidy(() => {
        // Shorter products are filled up with a column of ones.
        const wide: Tensor = cat([ones([x.shape[0], 1], { dtype, device }), x], 1);
        if (products.length === 0) return wide.narrow(1, 0, 0).clone();
        let out: Tensor | undefined;
        for (let k = 0; k < Math.max(1, this.degree); k++) {
          const places = Int32Array.from(products, (product) => (k < product.length ? product[k] + 1 : 0));
          const factor = wide.indexSelect(1, fromTypedArray(places, [places.length], { device }));
          out = out === undefined ? factor : out.mul(factor);
        }
        return out;
      }),
    ) as Tensor<Shape, D>;
  }
}
