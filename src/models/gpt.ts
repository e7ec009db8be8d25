// GPT-2, with the names of Hugging Face's.
import type { DType, FloatDType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { crossEntropy } from '../nn/classLoss.js';
import { Dropout } from '../nn/dropout.js';
import { Embedding } from '../nn/embedding.js';
import { constant, normal } from '../nn/init.js';
import { Linear } from '../nn/layers.js';
import { Module, parameter, type LoadReport, type Parameter } from '../nn/module.js';
import { LayerNorm } from '../nn/norm.js';
import { gelu } from '../ops/activation.js';
import { add } from '../ops/arithmetic.js';
import { scaledDotProductAttention } from '../ops/attention.js';
import { arange, empty } from '../ops/creation.js';
import { linear } from '../ops/matmul.js';
import type { Generator } from '../ops/random.js';
import { narrow, reshape, select, transpose } from '../ops/view.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkChoice, checkPositive, checkProbability, checkSequences, type ModelOptions } from './common.js';
import { generate, generateTokens, type GenerateOptions } from './generate.js';
import { KeyValueCache } from './keyValueCache.js';

/** Options of `GPT`. */
export interface GPTOptions extends ModelOptions {
  /** How many tokens there are: ids are from 0 to below. Default 50,257. */
  vocabSize?: number;
  /** The longest sequence. Default 1024. */
  contextLength?: number;
  /** Features of a token. Default 768. */
  width?: number;
  /** Blocks. Default 12. */
  numLayers?: number;
  /** Heads of attention, which divide width. Default 12. */
  numHeads?: number;
  /** The probability of zeros behind the embedding, attention and feed-forward nets, and of dropped attention. Default 0.1. */
  dropout?: number;
  /** `'geluTanh'` (default), GPT-2's approximation of `'gelu'`. */
  activation?: 'gelu' | 'geluTanh';
  /** The head is the table of tokens (Press and Wolf 2017), as in GPT-2. False: a layer of its own, `lm_head`. Default true. */
  tieWeights?: boolean;
  /** A bias of a head of its own. Default false. */
  headBias?: boolean;
}

/** An affine map whose weight is `[inFeatures, outFeatures]`, as GPT-2 stores them. */
class Projection extends Module {
  readonly weight: Parameter;
  readonly bias: Parameter;

  constructor(inFeatures: number, outFeatures: number, std: number, { generator, ...place }: ModelOptions) {
    super();
    this.weight = parameter(normal(empty<Shape, DType>([inFeatures, outFeatures], place), 0, std, generator));
    this.bias = parameter(constant(empty<Shape, DType>([outFeatures], place), 0));
  }

  override forward(x: Tensor, activation: 'gelu' | null = null): Tensor {
    return linear<Shape, Shape, DType>(x, transpose(this.weight, 0, 1), this.bias, { activation });
  }

  override extraRepr(): string {
    return this.weight.shape.join(', ');
  }
}

interface BlockOptions {
  readonly width: number;
  readonly numHeads: number;
  readonly numLayers: number;
  readonly dropout: number;
  readonly activation: 'gelu' | 'geluTanh';
}

class Attention extends Module {
  readonly c_attn: Projection;
  readonly c_proj: Projection;
  readonly dropout: Dropout;
  private readonly _heads: number;
  private readonly _generator: Generator | undefined;

  constructor({ width, numHeads, numLayers, dropout }: BlockOptions, place: ModelOptions) {
    super();
    this.c_attn = new Projection(width, 3 * width, 0.02, place);
    this.c_proj = new Projection(width, width, 0.02 / Math.sqrt(2 * numLayers), place);
    this.dropout = new Dropout(dropout, place.generator);
    this._heads = numHeads;
    this._generator = place.generator;
  }

  override forward(x: Tensor, cache: KeyValueCache | null = null, layer = 0): Tensor {
    const [batch, time, width] = x.shape;
    const split = reshape(this.c_attn.forward(x), [batch, time, 3, this._heads, width / this._heads] as Shape);
    const [q, k, v] = [0, 1, 2].map((i): Tensor => transpose(select(split, 2, i), 1, 2));
    const [keys, values, mask] = cache === null ? [k, v, null] : cache.extend(layer, k, v);
    const attended: Tensor = scaledDotProductAttention<Shape, Shape, Shape, DType>(q, keys, values, {
      attnMask: mask,
      isCausal: mask === null && time > 1,
      dropoutP: this.training ? this.dropout.p : 0,
      ...(this._generator === undefined ? {} : { generator: this._generator }),
    });
    const joined: Tensor = reshape(transpose(attended, 1, 2), [batch, time, width] as Shape);
    return this.dropout.forward(this.c_proj.forward(joined));
  }
}

class FeedForward extends Module {
  readonly c_fc: Projection;
  readonly c_proj: Projection;
  readonly dropout: Dropout;
  private readonly _activation: 'gelu' | 'geluTanh';

  constructor({ width, numLayers, dropout, activation }: BlockOptions, place: ModelOptions) {
    super();
    this.c_fc = new Projection(width, 4 * width, 0.02, place);
    this.c_proj = new Projection(4 * width, width, 0.02 / Math.sqrt(2 * numLayers), place);
    this.dropout = new Dropout(dropout, place.generator);
    this._activation = activation;
  }

  override forward(x: Tensor): Tensor {
    const h =
      this._activation === 'gelu'
        ? this.c_fc.forward(x, 'gelu')
        : gelu<Shape, DType>(this.c_fc.forward(x), { approximate: 'tanh' });
    return this.dropout.forward(this.c_proj.forward(h));
  }
}

class Block extends Module {
  readonly ln_1: LayerNorm;
  readonly attn: Attention;
  readonly ln_2: LayerNorm;
  readonly mlp: FeedForward;

  constructor(options: BlockOptions, place: ModelOptions) {
    super();
    const { generator: _, ...noRandom } = place;
    this.ln_1 = new LayerNorm<number | Shape>(options.width, noRandom);
    this.attn = new Attention(options, place);
    this.ln_2 = new LayerNorm<number | Shape>(options.width, noRandom);
    this.mlp = new FeedForward(options, place);
  }

  override forward(x: Tensor, cache: KeyValueCache | null = null, layer = 0): Tensor {
    const h = add(x, this.attn.forward(this.ln_1.forward<Shape, DType>(x), cache, layer));
    return add(h, this.mlp.forward(this.ln_2.forward<Shape, DType>(h)));
  }
}

/** What lies between tokens and the head. */
class Body extends Module {
  readonly wte: Embedding;
  readonly wpe: Embedding;
  readonly drop: Dropout;
  readonly h: Block[];
  readonly ln_f: LayerNorm;

  constructor(vocabSize: number, contextLength: number, options: BlockOptions, place: ModelOptions) {
    super();
    const { generator, ...noRandom } = place;
    const { width, numLayers, dropout } = options;
    this.wte = new Embedding<number, number>(vocabSize, width, place);
    this.wpe = new Embedding<number, number>(contextLength, width, place);
    for (const { weight } of [this.wte, this.wpe]) normal(weight as Tensor, 0, 0.02, generator);
    this.drop = new Dropout(dropout, generator);
    this.h = Array.from({ length: numLayers }, () => new Block(options, place));
    this.ln_f = new LayerNorm<number | Shape>(width, noRandom);
  }

  override forward(ids: Tensor, cache: KeyValueCache | null = null): Tensor {
    const start = cache?.length ?? 0;
    const places = arange(start, start + ids.shape[1], 1, { device: ids.device, dtype: 'int64' });
    const tokens = this.wte.forward<Shape, DType>(ids);
    let x: Tensor = this.drop.forward(add(tokens, this.wpe.forward<Shape, DType>(places as Tensor)));
    for (const [i, block] of this.h.entries()) x = block.forward(x, cache, i);
    cache?.advance(ids.shape[1]);
    return this.ln_f.forward<Shape, DType>(x);
  }
}

/**
 * GPT-2 (Radford et al. 2019, "Language models are unsupervised multitask learners"): a transformer that predicts the next
 * token. The defaults are the smallest published model, 124,439,808 parameters. Structure, names, shapes of weights
 * (`[inFeatures, outFeatures]`) and initial values are those of Hugging Face's `GPT2LMHeadModel`: weights normal with deviation
 * 0.02, those that end a residual branch `0.02 / sqrt(2 numLayers)`, biases 0. `loadPretrained` takes its files.
 *
 * Shapes: ids `[N, L]` -> logits `[N, L, vocabSize]` of the token that follows each.
 *
 * @throws ArgumentError for options that do not fit; `forward` throws ShapeError
 * @example
 * const model = new models.GPT({ vocabSize: 65, contextLength: 64, width: 64, numLayers: 2, numHeads: 4 });
 * model.loss(randint(0, 65, [8, 64])).backward();
 * const text = await model.eval().generate(tensor([[1n, 2n]]), { maxNewTokens: 20, temperature: 0.8, topK: 20 });
 */
export class GPT extends Module {
  /** How many tokens there are. */
  readonly vocabSize: number;
  /** The longest sequence. */
  readonly contextLength: number;
  /** Features of a token. */
  readonly width: number;
  /** Heads of attention. */
  readonly numHeads: number;
  /** Blocks. */
  readonly numLayers: number;
  /** Everything but the head: `wte`, `wpe`, `h` and `ln_f`. */
  readonly transformer: Module;
  /** The head, unless it is the table of tokens. */
  readonly lm_head: Linear | null;
  private readonly _body: Body;

  constructor(options: GPTOptions = {}) {
    super();
    const { vocabSize = 50_257, contextLength = 1024, width = 768, numLayers = 12, numHeads = 12, ...others } = options;
    const { dropout = 0.1, activation = 'geluTanh', tieWeights = true, headBias = false, ...place } = others;
    checkPositive('GPT', { vocabSize, contextLength, width, numLayers, numHeads });
    checkProbability('GPT', 'dropout', dropout);
    checkChoice('GPT', 'activation', activation, ['gelu', 'geluTanh']);
    if (width % numHeads !== 0)
      throw new ArgumentError(`GPT: width ${width} cannot be shared by ${numHeads} heads, it must be a multiple.`);
    if (tieWeights && headBias) throw new ArgumentError('GPT: headBias needs { tieWeights: false }.');
    this.vocabSize = vocabSize;
    this.contextLength = contextLength;
    this.width = width;
    this.numHeads = numHeads;
    this.numLayers = numLayers;
    this._body = new Body(vocabSize, contextLength, { width, numHeads, numLayers, dropout, activation }, place);
    this.transformer = this._body;
    this.lm_head = tieWeights ? null : new Linear<number, number>(width, vocabSize, { ...place, bias: headBias });
    if (this.lm_head !== null) {
      normal(this.lm_head.weight as Tensor, 0, 0.02, place.generator);
      if (this.lm_head.bias !== null) constant(this.lm_head.bias as Tensor, 0);
    }
  }

  /**
   * Logits of the token that follows each.
   *
   * @param ids `[N, L]` of int64 or int32
   * @param cache keys and values of the tokens before these, which `newCache` makes; those of these are added
   * @throws ShapeError unless ids are `[N, L]`, with L up to what is left of contextLength
   */
  override forward(ids: Tensor, cache: KeyValueCache | null = null): Tensor<Shape, FloatDType> {
    checkSequences('GPT', ids, this.contextLength);
    return this.head(this._body.forward(ids, cache));
  }

  private head(h: Tensor): Tensor<Shape, FloatDType> {
    const weight = (this.lm_head ?? this._body.wte).weight as Tensor;
    const logits = linear<Shape, Shape, DType>(h, weight, this.lm_head?.bias ?? null) as Tensor;
    return logits as Tensor<Shape, FloatDType>;
  }

  /** Logits `[N, vocabSize]` of the token that follows the last. @internal */
  _next(ids: Tensor, cache: KeyValueCache): Tensor {
    const h = this._body.forward(ids, cache);
    return this.head(select(h, 1, -1));
  }

  /**
   * The mean cross entropy of each token but the first, given those before it.
   *
   * @param ids `[N, L]`, L from 2 to `contextLength + 1`
   * @throws ShapeError unless ids are so
   */
  loss(ids: Tensor): Tensor<readonly []> {
    const length = ids.shape[1];
    if (ids.shape.length !== 2 || length < 2)
      throw new ShapeError(`GPT.loss(ids ${formatShape(ids.shape)}): ids must be [N,L] with at least two tokens.`);
    const logits = this.forward(narrow(ids, 1, 0, length - 1));
    const next: Tensor = reshape(narrow(ids, 1, 1, length - 1), [-1] as Shape);
    const rows = reshape(logits as Tensor, [-1, this.vocabSize] as Shape);
    return crossEntropy(rows, next) as unknown as Tensor<readonly []>;
  }

  /** An empty store of keys and values for a batch of so many sequences. */
  newCache(batch: number): KeyValueCache {
    const { dtype, device } = this._body.wte.weight;
    return new KeyValueCache(this.numLayers, [batch, this.numHeads, this.contextLength, this.width / this.numHeads], {
      dtype,
      device,
    });
  }

  /**
   * Continues sequences, token by token; keys and values of earlier tokens are kept, so a token costs one position. Call
   * `eval()` first, unless dropout is wanted. When the context is full, the older half of it is forgotten and the rest read
   * again. Between tokens the event loop has its turn.
   *
   * @param ids `[N, L]` of int64, L from 1; of more than contextLength tokens the last count
   * @returns `[N, L + maxNewTokens]` of int64; fewer when all sequences came to `endToken`, which fills the rest of others
   * @throws ShapeError, ArgumentError
   */
  generate(ids: Tensor, options: GenerateOptions = {}): Promise<Tensor<Shape, 'int64'>> {
    return generate(this, ids, options);
  }

  /**
   * As `generate`, giving each token when it is there: `N` numbers at a time.
   *
   * @example
   * for await (const [token] of model.stream(ids, { maxNewTokens: 100 })) process.stdout.write(vocabulary[token]);
   */
  stream(ids: Tensor, options: GenerateOptions = {}): AsyncGenerator<number[]> {
    return generateTokens(this, ids, options);
  }

  /**
   * Loads a state as Hugging Face's files of GPT-2 have it: names with or without `transformer.` in front, and with the masks
   * that some keep beside the weights, which are passed over, as is `lm_head.weight` when weights are tied.
   *
   * @throws ArgumentError if names are missing or unknown; ShapeError if a shape differs
   * @example
   * const { tensors } = await safetensors.load('gpt2/model.safetensors');
   * new models.GPT().loadPretrained(tensors);
   */
  loadPretrained(state: ReadonlyMap<string, Tensor>): LoadReport {
    const own = new Map<string, Tensor>();
    for (const [name, tensor] of state) {
      if (/\.attn\.(masked_)?bias$/.test(name)) continue;
      if (name === 'lm_head.weight' && this.lm_head === null) continue;
      own.set(name.startsWith('transformer.') || name.startsWith('lm_head.') ? name : `transformer.${name}`, tensor);
    }
    return this.loadStateDict(own);
  }
}
