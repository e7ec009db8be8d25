// Layers that look up rows of a learned table.
import { noGrad } from '../autograd/mode.js';
import type { DType, FloatDType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { fill_ } from '../ops/copy.js';
import { empty, type TensorOptions } from '../ops/creation.js';
import {
  embedding,
  embeddingBag,
  paddingRow,
  type EmbeddingBagOptions,
  type EmbeddingOptions,
} from '../ops/embedding.js';
import { requireFloatInput } from '../ops/indexing.js';
import type { Generator } from '../ops/random.js';
import { select } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyShape, EmbeddingFn } from '../types/sequential.js';
import { normal } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

interface TableOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `Embedding`. */
export interface EmbeddingLayerOptions extends EmbeddingOptions, TableOptions {}

/** Options of `EmbeddingBag`. */
export interface EmbeddingBagLayerOptions
  extends EmbeddingOptions, TableOptions, Pick<EmbeddingBagOptions, 'mode' | 'includeLastOffset'> {}

/** Options of `fromPretrained`. */
export interface PretrainedOptions {
  /** The table is not learned. Default true. */
  freeze?: boolean;
}

function checkCount(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 0)
    throw new ArgumentError(`${op}: ${name} must be an integer >= 0, got ${String(value)}.`);
}

function makeTable(
  op: string,
  rows: number,
  features: number,
  options: TableOptions & EmbeddingOptions,
): { weight: Tensor; lookUp: EmbeddingOptions } {
  checkCount(op, 'numEmbeddings', rows);
  checkCount(op, 'embeddingDim', features);
  const { paddingIdx, maxNorm, normType = 2, scaleGradByFreq = false, generator, dtype, device } = options;
  const padding = paddingRow(op, paddingIdx, rows);
  const weight: Tensor = empty([rows, features], {
    ...(dtype === undefined ? {} : { dtype }),
    ...(device === undefined ? {} : { device }),
  });
  normal(weight, 0, 1, generator);
  if (padding >= 0) noGrad(() => fill_(select(weight, 0, padding) as Tensor, 0));
  return {
    weight: parameter(weight),
    lookUp: {
      normType,
      scaleGradByFreq,
      ...(padding < 0 ? {} : { paddingIdx: padding }),
      ...(maxNorm === undefined ? {} : { maxNorm }),
    },
  };
}

function checkPretrained(op: string, weight: Tensor): void {
  requireFloatInput(op, 'weight', weight);
  if (weight.shape.length !== 2)
    throw new ShapeError(`${op}: weight must be [rows, features], got shape ${formatShape(weight.shape)}.`);
}

// The given table itself becomes the parameter, as in PyTorch.
function adopt(layer: { weight: Tensor }, weight: Tensor, freeze: boolean): void {
  layer.weight.dispose();
  layer.weight = parameter(weight.detach());
  if (freeze) layer.weight.requiresGrad_(false);
}

function describeLookUp({ paddingIdx, maxNorm, normType, scaleGradByFreq }: EmbeddingOptions): string {
  return [
    paddingIdx === undefined ? '' : `, paddingIdx=${paddingIdx}`,
    maxNorm === undefined ? '' : `, maxNorm=${maxNorm}`,
    normType === 2 ? '' : `, normType=${normType}`,
    scaleGradByFreq === true ? ', scaleGradByFreq=true' : '',
  ].join('');
}

/**
 * A table of `numEmbeddings` learned vectors, looked up by index; see `functional.embedding`. weight starts normal, the row
 * `paddingIdx` as zeros.
 *
 * Shapes: any shape of int64 or int32 indices -> `[..., embeddingDim]`.
 *
 * @throws IndexError (at the next read) for an index that is out of range
 * @example
 * const table = new nn.Embedding(10, 3, { paddingIdx: 0 });
 * table.forward(tensor([[1n, 2n], [4n, 0n]])).shape; // [2, 2, 3]
 */
export class Embedding<N extends number = number, E extends number = number> extends Module<EmbeddingFn<E>> {
  /** @internal */ override readonly _transparent = true;
  /** The number of vectors. */
  readonly numEmbeddings: N;
  /** Their length. */
  readonly embeddingDim: E;
  /** `[numEmbeddings, embeddingDim]`. */
  readonly weight: Parameter<readonly [N, E]>;
  private readonly _options: EmbeddingOptions;

  constructor(numEmbeddings: N, embeddingDim: E, options: EmbeddingLayerOptions = {}) {
    super();
    this.numEmbeddings = numEmbeddings;
    this.embeddingDim = embeddingDim;
    const { weight, lookUp } = makeTable('Embedding', numEmbeddings, embeddingDim, options);
    this.weight = weight as Tensor as Parameter<readonly [N, E]>;
    this._options = lookUp;
  }

  /**
   * A layer with a given table, which it shares.
   *
   * @param weight `[numEmbeddings, embeddingDim]`
   * @throws ShapeError unless it has 2 dimensions; DTypeError unless it is a float
   */
  static fromPretrained(weight: Tensor, options: PretrainedOptions & EmbeddingOptions = {}): Embedding {
    checkPretrained('Embedding.fromPretrained', weight);
    const { freeze = true, ...rest } = options;
    const layer = new Embedding(weight.shape[0], weight.shape[1], rest);
    adopt(layer, weight, freeze);
    return layer;
  }

  override forward<S extends Shape, D extends DType>(
    indices: Tensor<S, D>,
  ): Tensor<ApplyShape<EmbeddingFn<E>, S>, FloatDType> {
    return embedding(this.weight, indices as Tensor as Tensor<Shape, 'int64'>, this._options) as unknown as Tensor<
      ApplyShape<EmbeddingFn<E>, S>,
      FloatDType
    >;
  }

  override extraRepr(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}${describeLookUp(this._options)}`;
  }
}

/**
 * Sums, means (default) or maxima of bags of learned vectors; see `functional.embeddingBag`.
 *
 * Shapes: indices `[bags, n]`, or `[n]` with offsets `[bags]` -> `[bags, embeddingDim]`.
 *
 * @example
 * const bag = new nn.EmbeddingBag(10, 3, { mode: 'sum' });
 * bag.forward(tensor([1n, 2n, 4n, 5n]), tensor([0n, 3n])).shape; // [2, 3]
 */
export class EmbeddingBag extends Module {
  /** @internal */ override readonly _transparent = true;
  /** `[numEmbeddings, embeddingDim]`. */
  readonly weight: Parameter;
  private readonly _options: EmbeddingOptions & Pick<EmbeddingBagOptions, 'mode' | 'includeLastOffset'>;

  constructor(
    /** The number of vectors. */
    readonly numEmbeddings: number,
    /** Their length. */
    readonly embeddingDim: number,
    options: EmbeddingBagLayerOptions = {},
  ) {
    super();
    const { mode = 'mean', includeLastOffset = false } = options;
    const { weight, lookUp } = makeTable('EmbeddingBag', numEmbeddings, embeddingDim, options);
    this.weight = weight;
    this._options = { ...lookUp, mode, includeLastOffset };
  }

  /**
   * A layer with a given table, which it shares.
   *
   * @param weight `[numEmbeddings, embeddingDim]`
   * @throws ShapeError unless it has 2 dimensions; DTypeError unless it is a float
   */
  static fromPretrained(
    weight: Tensor,
    options: PretrainedOptions & Omit<EmbeddingBagLayerOptions, keyof TableOptions> = {},
  ): EmbeddingBag {
    checkPretrained('EmbeddingBag.fromPretrained', weight);
    const { freeze = true, ...rest } = options;
    const layer = new EmbeddingBag(weight.shape[0], weight.shape[1], rest);
    adopt(layer, weight, freeze);
    return layer;
  }

  override forward(
    indices: Tensor,
    offsets?: Tensor | null,
    perSampleWeights?: Tensor | null,
  ): Tensor {
    return embeddingBag(this.weight as Tensor<Shape, FloatDType>, indices as Tensor<Shape, 'int64'>, {
      ...this._options,
      ...(offsets === undefined || offsets === null ? {} : { offsets: offsets as Tensor<Shape, 'int64'> }),
      perSampleWeights: perSampleWeights ?? null,
    }) as Tensor;
  }

  override extraRepr(): string {
    return `${this.numEmbeddings}, ${this.embeddingDim}${describeLookUp(this._options)}, mode=${this._options.mode}`;
  }
}
