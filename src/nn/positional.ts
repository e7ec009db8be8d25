// What tells a transformer the order of a sequence: sinusoids, learned vectors, rotation.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { keep, tidy } from '../memory.js';
import { add } from '../ops/arithmetic.js';
import { cast } from '../ops/copy.js';
import { empty, fromTypedArray, type TensorOptions } from '../ops/creation.js';
import { requireFloatInput } from '../ops/indexing.js';
import type { Generator } from '../ops/random.js';
import { applyRotary } from '../ops/rotary.js';
import { narrow, unsqueeze } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FeaturesFn } from '../types/attention.js';
import type { ApplyCheck, IdentityFn } from '../types/sequential.js';
import { dropout } from './functional.js';
import { normal } from './init.js';
import { Module, parameter, type Parameter } from './module.js';

function checkPositive(layer: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isInteger(value) || value < 1)
      throw new ArgumentError(`${layer}: ${name} must be an integer above 0, got ${String(value)}.`);
  }
}

function checkProbability(layer: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${layer}: dropout must be from 0 to 1, got ${String(p)}.`);
}

/** Options of positional encodings that are added. */
export interface PositionalOptions {
  /** The longest sequence. Default 5000. */
  maxLen?: number;
  /** The probability of zeros in the sum, in training. Default 0. */
  dropout?: number;
  /** Sequences are `[N, L, E]` instead of `[L, N, E]`. Default false. */
  batchFirst?: boolean;
}

/** x plus a row of the table for each position, and dropout. */
function addPositions(
  layer: string,
  x: Tensor,
  table: Tensor,
  options: { batchFirst: boolean; dropout: number; training: boolean },
): Tensor {
  const [maxLen, width] = table.shape;
  requireFloatInput(layer, 'x', x);
  const rank = x.shape.length;
  if ((rank !== 2 && rank !== 3) || x.shape[rank - 1] !== width) {
    throw new ShapeError(
      `${layer}: expected ${options.batchFirst ? `[N, L, ${width}]` : `[L, N, ${width}]`} or [L, ${width}], got shape ${formatShape(x.shape)}.`,
    );
  }
  const length = rank === 3 && options.batchFirst ? x.shape[1] : x.shape[0];
  if (length > maxLen)
    throw new ShapeError(`${layer}(x ${formatShape(x.shape)}): ${length} positions, the table has ${maxLen}.`);
  return tidy(() => {
    const rows = narrow(cast(table, x.dtype), 0, 0, length);
    const sum = add(x, rank === 3 && !options.batchFirst ? unsqueeze(rows, 1) : rows);
    return options.dropout > 0 ? dropout(sum, { p: options.dropout, training: options.training }) : sum;
  });
}

/**
 * Adds sines and cosines of the position, of wavelengths from 2 pi to 10000 * 2 pi (Vaswani et al. 2017):
 * `sin(pos / 10000^(2i / dModel))` to feature 2i, `cos` of the same to feature 2i + 1. Nothing is learned or saved.
 *
 * Shapes: `[L, N, dModel]`, `[N, L, dModel]` with `batchFirst`, or `[L, dModel]` -> the same.
 *
 * @throws ArgumentError, ShapeError
 * @example
 * new nn.SinusoidalPositionalEncoding(16).forward(zeros([10, 2, 16]));
 */
export class SinusoidalPositionalEncoding<E extends number = number> extends Module<
  FeaturesFn<'SinusoidalPositionalEncoding', E>
> {
  /** The number of features. */
  readonly dModel: E;
  /** The longest sequence. */
  readonly maxLen: number;
  /** The probability of zeros in training. */
  readonly dropout: number;
  /** The batch comes first. */
  readonly batchFirst: boolean;
  private readonly _table: Tensor;

  constructor(dModel: E, options: PositionalOptions = {}) {
    super();
    const { maxLen = 5000, dropout: p = 0, batchFirst = false } = options;
    checkPositive('SinusoidalPositionalEncoding', { dModel, maxLen });
    checkProbability('SinusoidalPositionalEncoding', p);
    this.dModel = dModel;
    this.maxLen = maxLen;
    this.dropout = p;
    this.batchFirst = batchFirst;
    const width: number = dModel;
    const values = new Float64Array(maxLen * width);
    for (let feature = 0; feature < width; feature++) {
      const rate = 10000 ** (-(feature - (feature % 2)) / width);
      for (let pos = 0; pos < maxLen; pos++)
        values[pos * width + feature] = feature % 2 === 0 ? Math.sin(pos * rate) : Math.cos(pos * rate);
    }
    this._table = keep(fromTypedArray(values, [maxLen, width] as Shape));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<FeaturesFn<'SinusoidalPositionalEncoding', E>, S>,
  ): Tensor<S, D> {
    return addPositions('SinusoidalPositionalEncoding', x, this._table, this) as Tensor<S, D>;
  }

  override extraRepr(): string {
    return `${this.dModel}, maxLen=${this.maxLen}`;
  }
}

/** Options of `LearnedPositionalEncoding`. */
export interface LearnedPositionalOptions extends PositionalOptions, Omit<TensorOptions, 'requiresGrad'> {
  /** The standard deviation of the vectors at the start. Default 0.02. */
  std?: number;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * Adds a learned vector for each position (Gehring et al. 2017, and most transformers of language since). `weight`
 * `[maxLen, dModel]` starts normal.
 *
 * Shapes: `[L, N, dModel]`, `[N, L, dModel]` with `batchFirst`, or `[L, dModel]` -> the same.
 *
 * @throws ArgumentError, ShapeError
 * @example
 * new nn.LearnedPositionalEncoding(16, { maxLen: 128 }).forward(zeros([10, 2, 16]));
 */
export class LearnedPositionalEncoding<E extends number = number> extends Module<
  FeaturesFn<'LearnedPositionalEncoding', E>
> {
  /** The number of features. */
  readonly dModel: E;
  /** The longest sequence. */
  readonly maxLen: number;
  /** The probability of zeros in training. */
  readonly dropout: number;
  /** The batch comes first. */
  readonly batchFirst: boolean;
  /** `[maxLen, dModel]`. */
  readonly weight: Parameter;

  constructor(dModel: E, options: LearnedPositionalOptions = {}) {
    super();
    const { maxLen = 5000, dropout: p = 0, batchFirst = false, std = 0.02, generator, ...made } = options;
    checkPositive('LearnedPositionalEncoding', { dModel, maxLen });
    checkProbability('LearnedPositionalEncoding', p);
    this.dModel = dModel;
    this.maxLen = maxLen;
    this.dropout = p;
    this.batchFirst = batchFirst;
    this.weight = parameter(normal(empty([maxLen, dModel] as Shape, made), 0, std, generator));
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<FeaturesFn<'LearnedPositionalEncoding', E>, S>,
  ): Tensor<S, D> {
    return addPositions('LearnedPositionalEncoding', x, this.weight, this) as Tensor<S, D>;
  }

  override extraRepr(): string {
    return `${this.dModel}, maxLen=${this.maxLen}`;
  }
}

/** Options of `RotaryEmbedding`. */
export interface RotaryEmbeddingOptions {
  /** Pair i of a head turns by `position * base^(-2i / dim)`. Default 10000. */
  base?: number;
  /** The longest sequence, offset included. Default 4096. */
  maxLen?: number;
  /** See `applyRotary`. Default true. */
  interleaved?: boolean;
}

/**
 * Turns the features of queries and keys by angles that grow with the position (Su et al. 2021, "RoFormer"); apply it to
 * both, between their projection and attention. Nothing is learned or saved.
 *
 * Shapes: `[..., L, dim]` -> the same, such as `[N, heads, L, dim]`.
 *
 * @throws ArgumentError for an odd dim, ShapeError
 * @example
 * const rotary = new nn.RotaryEmbedding(64);
 * rotary.forward(randn([2, 8, 128, 64]));
 */
export class RotaryEmbedding extends Module<IdentityFn> {
  /** Features of a head. */
  readonly dim: number;
  /** The longest sequence. */
  readonly maxLen: number;
  /** Which features are a pair. */
  readonly interleaved: boolean;
  private readonly _cos: Tensor;
  private readonly _sin: Tensor;

  constructor(dim: number, options: RotaryEmbeddingOptions = {}) {
    super();
    const { base = 10000, maxLen = 4096, interleaved = true } = options;
    checkPositive('RotaryEmbedding', { dim, maxLen });
    if (dim % 2 !== 0) throw new ArgumentError(`RotaryEmbedding: dim must be even, got ${dim}.`);
    if (!(base > 0)) throw new ArgumentError(`RotaryEmbedding: base must be above 0, got ${String(base)}.`);
    this.dim = dim;
    this.maxLen = maxLen;
    this.interleaved = interleaved;
    const half = dim / 2;
    const table = (f: (angle: number) => number): Tensor =>
      keep(
        fromTypedArray(
          Float64Array.from({ length: maxLen * half }, (_, i) =>
            f(Math.floor(i / half) * base ** (-(i % half) / half)),
          ),
          [maxLen, half] as Shape,
        ),
      );
    this._cos = table(Math.cos);
    this._sin = table(Math.sin);
  }

  /** cos and sin, `[length, dim / 2]`, of positions `offset` to `offset + length - 1`, for `applyRotary`. */
  angles(
    length: number,
    options: { offset?: number; dtype?: DType } = {},
  ): {
    /** Cosines, `[length, dim / 2]`. */ cos: Tensor;
    /** Sines. */ sin: Tensor;
  } {
    const { offset = 0, dtype = 'float32' } = options;
    if (!Number.isInteger(offset) || offset < 0)
      throw new ArgumentError(`RotaryEmbedding: offset must be an integer >= 0, got ${String(offset)}.`);
    if (offset + length > this.maxLen)
      throw new ShapeError(`RotaryEmbedding: positions up to ${offset + length}, the table has ${this.maxLen}.`);
    return tidy(() => {
      const rows = (table: Tensor): Tensor => cast(narrow(table, 0, offset, length), dtype);
      return { cos: rows(this._cos), sin: rows(this._sin) };
    });
  }

  /** `offset`: the position of the first row, for sequences that are continued. */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D>,
    options: { readonly offset?: number } & object = {},
  ): Tensor<S, D> {
    requireFloatInput('RotaryEmbedding', 'x', x);
    const shape: Shape = x.shape;
    if (shape.length < 2 || shape[shape.length - 1] !== this.dim)
      throw new ShapeError(`RotaryEmbedding: expected [..., L, ${this.dim}], got shape ${formatShape(shape)}.`);
    return tidy(() => {
      const { cos, sin } = this.angles(shape[shape.length - 2], { ...options, dtype: x.dtype });
      return applyRotary(x, cos, sin, { interleaved: this.interleaved });
    });
  }

  override extraRepr(): string {
    return `${this.dim}, interleaved=${this.interleaved}`;
  }
}
