// Transformers (Vaswani et al. 2017), with the names and defaults of PyTorch's.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { add } from '../ops/arithmetic.js';
import { ge, where } from '../ops/compare.js';
import { cast } from '../ops/copy.js';
import { arange, type TensorOptions } from '../ops/creation.js';
import { gelu, relu } from '../ops/activation.js';
import type { Generator } from '../ops/random.js';
import { reshape } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { FeaturesFn } from '../types/attention.js';
import type { ApplyCheck } from '../types/sequential.js';
import { MultiheadAttention } from './attention.js';
import { dropout } from './functional.js';
import { xavierUniform } from './init.js';
import { Linear } from './layers.js';
import { Module, type AnyModule } from './module.js';
import { LayerNorm } from './norm.js';

/** The function between the two linear maps of a layer. */
export type TransformerActivation = 'relu' | 'gelu' | ((x: Tensor) => Tensor);

/** Options of a transformer layer. */
export interface TransformerLayerOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Features between the two linear maps. Default 2048. */
  dimFeedforward?: number;
  /** The probability of zeros in training. Default 0.1. */
  dropout?: number;
  /** Default 'relu'. */
  activation?: TransformerActivation;
  /** Added to the variance in layer normalisation. Default 1e-5. */
  layerNormEps?: number;
  /** The batch is the first dimension, not the second. Default false. */
  batchFirst?: boolean;
  /** Normalise what goes into each part instead of what comes out (Xiong et al. 2020). Default false. */
  normFirst?: boolean;
  /** Biases in linear maps and normalisation. Default true. */
  bias?: boolean;
  /** Source of the initial values and of dropout. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of an encoder's forward. */
export interface EncoderCallOptions {
  /** `[L, L]` or `[N * heads, L, L]`: pairs to leave out, by true, or numbers to add to the scores. */
  mask?: Tensor | null;
  /** `[N, L]`: positions to leave out, by true, or numbers to add. */
  srcKeyPaddingMask?: Tensor | null;
  /** Position i sees positions 0 to i only; with a mask this says that it is that mask. Default false. */
  isCausal?: boolean;
}

/** Options of a decoder's forward. */
export interface DecoderCallOptions {
  /** The mask of the targets among themselves, as `attnMask` of MultiheadAttention. */
  tgtMask?: Tensor | null;
  /** The mask of targets and memory. */
  memoryMask?: Tensor | null;
  /** `[N, T]`: targets to leave out. */
  tgtKeyPaddingMask?: Tensor | null;
  /** `[N, S]`: positions of the memory to leave out. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Target i sees targets 0 to i only. Default false. */
  tgtIsCausal?: boolean;
  /** Target i sees positions 0 to i of the memory only. Default false. */
  memoryIsCausal?: boolean;
}

/** Options of `Transformer.forward`. */
export interface TransformerCallOptions {
  /** The mask of the source. */
  srcMask?: Tensor | null;
  /** The mask of the targets. */
  tgtMask?: Tensor | null;
  /** The mask of targets and memory. */
  memoryMask?: Tensor | null;
  /** `[N, S]`: positions of the source to leave out. */
  srcKeyPaddingMask?: Tensor | null;
  /** `[N, T]`: targets to leave out. */
  tgtKeyPaddingMask?: Tensor | null;
  /** `[N, S]`: positions of the memory to leave out. */
  memoryKeyPaddingMask?: Tensor | null;
  /** Position i of the source sees positions 0 to i only. Default false. */
  srcIsCausal?: boolean;
  /** Target i sees targets 0 to i only. Default false. */
  tgtIsCausal?: boolean;
  /** Target i sees positions 0 to i of the memory only. Default false. */
  memoryIsCausal?: boolean;
}

type Check<Name extends string, E extends number, S extends Shape> = ApplyCheck<FeaturesFn<Name, E>, S>;

/** What encoder and decoder layers share: linear1, activation, linear2, and dropout. */
abstract class TransformerLayer<Name extends string, E extends number> extends Module<FeaturesFn<Name, E>> {
  /** Features of the model. */
  readonly dModel: E;
  /** The probability of zeros in training. */
  readonly dropout: number;
  /** Normalisation comes first. */
  readonly normFirst: boolean;
  private readonly _options: TransformerLayerOptions;
  private readonly _activation: (x: Tensor) => Tensor;

  constructor(name: Name, dModel: E, options: TransformerLayerOptions) {
    super();
    const { dropout: p = 0.1, normFirst = false, activation = 'relu', dimFeedforward = 2048 } = options;
    if (!Number.isInteger(dimFeedforward) || dimFeedforward < 1)
      throw new ArgumentError(`${name}: dimFeedforward must be an integer above 0, got ${String(dimFeedforward)}.`);
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${name}: dropout must be from 0 to 1, got ${String(p)}.`);
    this.dModel = dModel;
    this.dropout = p;
    this.normFirst = normFirst;
    this._options = options;
    this._activation = activationOf(name, activation);
  }

  /** The options of another layer like this one, of its present dtype. @internal */
  protected get likeThis(): TransformerLayerOptions {
    return { ...this._options, dtype: this.parameters()[0].dtype };
  }

  /** @internal */
  protected drop(x: Tensor): Tensor {
    const { generator } = this._options;
    return dropout(x, {
      p: this.dropout,
      training: this.training,
      ...(generator === undefined ? {} : { generator }),
    });
  }

  /** One part of the layer: `x + part(x)` with the norm behind the sum or before the part. */
  protected residual(x: Tensor, norm: LayerNorm, part: (x: Tensor) => Tensor): Tensor {
    return tidy(() => {
      if (this.normFirst) return add(x, this.drop(part(norm.forward(x))));
      return norm.forward(add(x, this.drop(part(x))));
    });
  }

  /** @internal */
  protected feedForward(x: Tensor, linear1: Linear, linear2: Linear): Tensor {
    const { activation = 'relu' } = this._options;
    const fused = typeof activation === 'string' && !linear1._isWatched ? linear1._forwardWith(x, activation) : null;
    const hidden = fused ?? this._activation(linear1.forward(x));
    return linear2.forward(this.drop(hidden));
  }
}

function activationOf(name: string, activation: TransformerActivation): (x: Tensor) => Tensor {
  if (typeof activation === 'function') return activation;
  if (activation === 'relu') return (x) => relu(x);
  if (activation === 'gelu') return (x) => gelu(x);
  throw new ArgumentError(
    `${name}: activation must be 'relu', 'gelu' or a function, got ${JSON.stringify(activation)}.`,
  );
}

/** The options for each kind of part. */
function partOptions(options: TransformerLayerOptions) {
  const made = {
    ...(options.dtype === undefined ? {} : { dtype: options.dtype }),
    ...(options.device === undefined ? {} : { device: options.device }),
  };
  const { bias = true, dropout: p = 0.1, batchFirst = false, layerNormEps = 1e-5, generator } = options;
  const random = generator === undefined ? {} : { generator };
  return {
    attention: { dropout: p, bias, batchFirst, ...made, ...random },
    linear: { bias, ...made, ...random },
    norm: { eps: layerNormEps, bias, ...made },
  };
}

const attended = (result: readonly [Tensor, Tensor | null]): Tensor => result[0];

/**
 * Self-attention and a feed-forward net, each with a residual sum and layer normalisation (Vaswani et al. 2017).
 *
 * Shapes: `[L, N, dModel]`, `[N, L, dModel]` with `batchFirst`, or `[L, dModel]` -> the same.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const layer = new nn.TransformerEncoderLayer(64, 4, { batchFirst: true });
 * layer.forward(randn([2, 10, 64])); // [2, 10, 64]
 */
export class TransformerEncoderLayer<E extends number = number> extends TransformerLayer<'TransformerEncoderLayer', E> {
  /** Attention of the sequence to itself. */
  readonly self_attn: MultiheadAttention<E>;
  /** `dModel` to `dimFeedforward`. */
  readonly linear1: Linear;
  /** `dimFeedforward` to `dModel`. */
  readonly linear2: Linear;
  /** Of attention. */
  readonly norm1: LayerNorm;
  /** Of the feed-forward net. */
  readonly norm2: LayerNorm;

  constructor(
    dModel: E,
    /** The number of heads. */
    readonly nhead: number,
    options: TransformerLayerOptions = {},
  ) {
    super('TransformerEncoderLayer', dModel, options);
    const { dimFeedforward = 2048 } = options;
    const parts = partOptions(options);
    this.self_attn = new MultiheadAttention(dModel, nhead, parts.attention);
    this.linear1 = new Linear<number, number>(dModel, dimFeedforward, parts.linear);
    this.linear2 = new Linear<number, number>(dimFeedforward, dModel, parts.linear);
    this.norm1 = new LayerNorm<number | Shape>([dModel], parts.norm);
    this.norm2 = new LayerNorm<number | Shape>([dModel], parts.norm);
  }

  override forward<S extends Shape, D extends DType>(
    src: Tensor<S, D> & Check<'TransformerEncoderLayer', E, S>,
    options: EncoderCallOptions & object = {},
  ): Tensor<S, D> {
    const attention = {
      attnMask: options.mask ?? null,
      keyPaddingMask: options.srcKeyPaddingMask ?? null,
      isCausal: options.isCausal ?? false,
      needWeights: false,
    };
    const attend = (x: Tensor): Tensor => attended(this.self_attn.forward<Shape, DType>(x as never, x, x, attention));
    return tidy(() => {
      const x = this.residual(src, this.norm1, attend);
      return this.residual(x, this.norm2, (y) => this.feedForward(y, this.linear1, this.linear2));
    }) as Tensor<S, D>;
  }

  /** A new layer with the same values, as PyTorch's stacks copy the layer they are given. @internal */
  copy(): TransformerEncoderLayer<E> {
    return withValuesOf(this, new TransformerEncoderLayer(this.dModel, this.nhead, this.likeThis));
  }
}

/**
 * Self-attention, attention to an encoder's result, and a feed-forward net, each with a residual sum and layer
 * normalisation (Vaswani et al. 2017).
 *
 * Shapes: tgt `[T, N, dModel]` and memory `[S, N, dModel]` (N first with `batchFirst`, or without N) -> as tgt.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const layer = new nn.TransformerDecoderLayer(64, 4, { batchFirst: true });
 * layer.forward(randn([2, 10, 64]), randn([2, 7, 64]), { tgtIsCausal: true }); // [2, 10, 64]
 */
export class TransformerDecoderLayer<E extends number = number> extends TransformerLayer<'TransformerDecoderLayer', E> {
  /** Attention of the targets to themselves. */
  readonly self_attn: MultiheadAttention<E>;
  /** Attention of the targets to the memory. */
  readonly multihead_attn: MultiheadAttention<E>;
  /** `dModel` to `dimFeedforward`. */
  readonly linear1: Linear;
  /** `dimFeedforward` to `dModel`. */
  readonly linear2: Linear;
  /** Of self-attention. */
  readonly norm1: LayerNorm;
  /** Of attention to the memory. */
  readonly norm2: LayerNorm;
  /** Of the feed-forward net. */
  readonly norm3: LayerNorm;

  constructor(
    dModel: E,
    /** The number of heads. */
    readonly nhead: number,
    options: TransformerLayerOptions = {},
  ) {
    super('TransformerDecoderLayer', dModel, options);
    const { dimFeedforward = 2048 } = options;
    const parts = partOptions(options);
    this.self_attn = new MultiheadAttention(dModel, nhead, parts.attention);
    this.multihead_attn = new MultiheadAttention(dModel, nhead, parts.attention);
    this.linear1 = new Linear<number, number>(dModel, dimFeedforward, parts.linear);
    this.linear2 = new Linear<number, number>(dimFeedforward, dModel, parts.linear);
    this.norm1 = new LayerNorm<number | Shape>([dModel], parts.norm);
    this.norm2 = new LayerNorm<number | Shape>([dModel], parts.norm);
    this.norm3 = new LayerNorm<number | Shape>([dModel], parts.norm);
  }

  override forward<S extends Shape, D extends DType>(
    tgt: Tensor<S, D> & Check<'TransformerDecoderLayer', E, S>,
    memory: Tensor<Shape, D>,
    options: DecoderCallOptions & object = {},
  ): Tensor<S, D> {
    const own = {
      attnMask: options.tgtMask ?? null,
      keyPaddingMask: options.tgtKeyPaddingMask ?? null,
      isCausal: options.tgtIsCausal ?? false,
      needWeights: false,
    };
    const cross = {
      attnMask: options.memoryMask ?? null,
      keyPaddingMask: options.memoryKeyPaddingMask ?? null,
      isCausal: options.memoryIsCausal ?? false,
      needWeights: false,
    };
    return tidy(() => {
      const x = this.residual(tgt, this.norm1, (y) =>
        attended(this.self_attn.forward<Shape, DType>(y as never, y, y, own)),
      );
      const z = this.residual(x, this.norm2, (y) =>
        attended(this.multihead_attn.forward<Shape, DType>(y as never, memory, memory, cross)),
      );
      return this.residual(z, this.norm3, (y) => this.feedForward(y, this.linear1, this.linear2));
    }) as Tensor<S, D>;
  }

  /** A new layer with the same values. @internal */
  copy(): TransformerDecoderLayer<E> {
    return withValuesOf(this, new TransformerDecoderLayer(this.dModel, this.nhead, this.likeThis));
  }
}

function withValuesOf<M extends AnyModule>(from: AnyModule, to: M): M {
  to.loadStateDict(from.stateDict());
  return to.train(from.training);
}

function checkLayers(name: string, numLayers: number): void {
  if (!Number.isInteger(numLayers) || numLayers < 0)
    throw new ArgumentError(`${name}: numLayers must be an integer >= 0, got ${String(numLayers)}.`);
}

/** Options of a stack of layers. */
export interface StackOptions {
  /** Applied to the last layer's result. Default: none. */
  norm?: LayerNorm | null;
}

/**
 * Encoder layers one after the other: `numLayers` copies of the given one, which start with its values, as in PyTorch.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const layer = new nn.TransformerEncoderLayer(64, 4, { batchFirst: true });
 * const encoder = new nn.TransformerEncoder(layer, 6);
 * encoder.forward(randn([2, 10, 64]), { isCausal: true }); // [2, 10, 64]
 */
export class TransformerEncoder<E extends number = number> extends Module<FeaturesFn<'TransformerEncoder', E>> {
  /** The copies. */
  readonly layers: readonly TransformerEncoderLayer<E>[];
  /** Applied last, or null. */
  readonly norm: LayerNorm | null;

  constructor(encoderLayer: TransformerEncoderLayer<E>, numLayers: number, options: StackOptions = {}) {
    super();
    if (!(encoderLayer instanceof TransformerEncoderLayer))
      throw new ArgumentError('TransformerEncoder: encoderLayer must be a TransformerEncoderLayer.');
    checkLayers('TransformerEncoder', numLayers);
    this.layers = Array.from({ length: numLayers }, () => encoderLayer.copy());
    this.norm = options.norm ?? null;
  }

  override forward<S extends Shape, D extends DType>(
    src: Tensor<S, D> & Check<'TransformerEncoder', E, S>,
    options: EncoderCallOptions & object = {},
  ): Tensor<S, D> {
    return tidy(() => {
      let x: Tensor = src;
      for (const layer of this.layers) x = layer.forward<Shape, DType>(x as never, options);
      return this.norm === null ? x : this.norm.forward(x);
    }) as Tensor<S, D>;
  }
}

/**
 * Decoder layers one after the other: `numLayers` copies of the given one, which start with its values, as in PyTorch.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const decoder = new nn.TransformerDecoder(new nn.TransformerDecoderLayer(64, 4), 6);
 * decoder.forward(randn([10, 2, 64]), randn([7, 2, 64]), { tgtIsCausal: true }); // [10, 2, 64]
 */
export class TransformerDecoder<E extends number = number> extends Module<FeaturesFn<'TransformerDecoder', E>> {
  /** The copies. */
  readonly layers: readonly TransformerDecoderLayer<E>[];
  /** Applied last, or null. */
  readonly norm: LayerNorm | null;

  constructor(decoderLayer: TransformerDecoderLayer<E>, numLayers: number, options: StackOptions = {}) {
    super();
    if (!(decoderLayer instanceof TransformerDecoderLayer))
      throw new ArgumentError('TransformerDecoder: decoderLayer must be a TransformerDecoderLayer.');
    checkLayers('TransformerDecoder', numLayers);
    this.layers = Array.from({ length: numLayers }, () => decoderLayer.copy());
    this.norm = options.norm ?? null;
  }

  override forward<S extends Shape, D extends DType>(
    tgt: Tensor<S, D> & Check<'TransformerDecoder', E, S>,
    memory: Tensor<Shape, D>,
    options: DecoderCallOptions & object = {},
  ): Tensor<S, D> {
    return tidy(() => {
      let x: Tensor = tgt;
      for (const layer of this.layers) x = layer.forward<Shape, DType>(x as never, memory, options);
      return this.norm === null ? x : this.norm.forward(x);
    }) as Tensor<S, D>;
  }
}

/** Options of `Transformer`. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Features of the model. Default 512. */
  dModel?: number;
  /** The number of heads. Default 8. */
  nhead?: number;
  /** Default 6. */
  numEncoderLayers?: number;
  /** Default 6. */
  numDecoderLayers?: number;
}

/**
 * Encoder and decoder, each with a last layer normalisation (Vaswani et al. 2017). Weights start Xavier uniform.
 *
 * Shapes: src `[S, N, dModel]`, tgt `[T, N, dModel]` (N first with `batchFirst`, or without N) -> as tgt.
 *
 * @throws ArgumentError, ShapeError, DTypeError
 * @example
 * const model = new nn.Transformer({ dModel: 64, nhead: 4, numEncoderLayers: 2, numDecoderLayers: 2 });
 * model.forward(randn([10, 3, 64]), randn([7, 3, 64]), { tgtIsCausal: true }); // [7, 3, 64]
 */
export class Transformer extends Module {
  /** Features of the model. */
  readonly dModel: number;
  /** The batch comes first. */
  readonly batchFirst: boolean;
  /** Reads the source. */
  readonly encoder: TransformerEncoder;
  /** Writes the target. */
  readonly decoder: TransformerDecoder;

  constructor(options: TransformerOptions = {}) {
    super();
    const { dModel = 512, nhead = 8, numEncoderLayers = 6, numDecoderLayers = 6, ...layer } = options;
    this.dModel = dModel;
    this.batchFirst = layer.batchFirst ?? false;
    const { norm } = partOptions(layer);
    this.encoder = new TransformerEncoder(new TransformerEncoderLayer(dModel, nhead, layer), numEncoderLayers, {
      norm: new LayerNorm<number | Shape>([dModel], norm),
    });
    this.decoder = new TransformerDecoder(new TransformerDecoderLayer(dModel, nhead, layer), numDecoderLayers, {
      norm: new LayerNorm<number | Shape>([dModel], norm),
    });
    for (const weight of this.parameters()) if (weight.shape.length > 1) xavierUniform(weight, 1, layer.generator);
  }

  override forward<S extends Shape, D extends DType>(
    src: Tensor<Shape, D>,
    tgt: Tensor<S, D>,
    options: TransformerCallOptions & object = {},
  ): Tensor<S, D> {
    const batchDim = this.batchFirst ? 0 : 1;
    if (src.shape.length === 3 && tgt.shape.length === 3 && src.shape[batchDim] !== tgt.shape[batchDim]) {
      throw new ShapeError(
        `Transformer(src ${formatShape(src.shape)}, tgt ${formatShape(tgt.shape)}): the batches differ, src.shape[${batchDim}] = ${src.shape[batchDim]} but tgt.shape[${batchDim}] = ${tgt.shape[batchDim]}.`,
      );
    }
    const { srcMask = null, srcKeyPaddingMask = null, srcIsCausal = false, ...rest } = options;
    return tidy(() => {
      const memory = this.encoder.forward<Shape, D>(src, {
        mask: srcMask,
        srcKeyPaddingMask,
        isCausal: srcIsCausal,
      });
      return this.decoder.forward<S, D>(tgt as never, memory, rest);
    });
  }

  /**
   * A mask `[size, size]` to add to scores: 0 where column <= row, else -infinity.
   *
   * @example
   * nn.Transformer.generateSquareSubsequentMask(3);
   */
  static generateSquareSubsequentMask<D extends DType = 'float32'>(
    size: number,
    options: Omit<TensorOptions<D>, 'requiresGrad'> = {},
  ): Tensor<readonly [number, number], D> {
    if (!Number.isInteger(size) || size < 0) {
      throw new ArgumentError(`generateSquareSubsequentMask: size must be an integer >= 0, got ${String(size)}.`);
    }
    const on = options.device === undefined ? {} : { device: options.device };
    return tidy(() => {
      const position = arange(0, size, 1, on) as Tensor;
      const seen = ge(reshape(position, [size, 1] as Shape), position);
      return cast(where(seen, 0, -Infinity), options.dtype ?? 'float32');
    }) as Tensor<readonly [number, number], D>;
  }
}
