// Dropout: of elements, of whole channels, and the kind for self-normalising networks.
import type { DType } from '../dtype.js';
import { ArgumentError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { contiguous } from '../ops/copy.js';
import { defineMultiOp } from '../ops/define.js';
import { defineElementwise } from '../ops/elementwise.js';
import { requireFloatInput } from '../ops/indexing.js';
import { bernoulli, defaultGenerator, type Generator } from '../ops/random.js';
import * as e from '../program/expr.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { IdentityFn } from '../types/sequential.js';
import { Module } from './module.js';

/** Options of the dropout functions. */
export interface DropoutOptions {
  /** The probability of being dropped. Default 0.5. */
  p?: number;
  /** Drop anything at all. Default true; false for `alphaDropout` and `featureAlphaDropout`, as in PyTorch. */
  training?: boolean;
  /** Source of the random numbers. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

const maskOp = defineElementwise('dropout', (x, mask, scale) => e.mul(x, mask, scale), {
  inputs: ['x', 'mask'],
  scalars: ['scale'],
  grad: (g, _out, _x, mask, scale) => [e.mul(g, mask, scale), null],
});

interface Draw {
  readonly keep: number;
  readonly scale: number;
  readonly generator: Generator;
}

const dropoutOp = defineMultiOp({
  name: 'dropout',
  inputs: ['x'],
  saves: ['out1'],
  outputs: ({ x }) => [
    { shape: x.shape, dtype: x.dtype },
    { shape: x.shape, dtype: 'bool' },
  ],
  forward: ([out, mask], { x }, { keep, scale, generator }: Draw) =>
    // A block of the generator has numbers for four elements.
    native.dropout(
      out._handle,
      mask._handle,
      x._handle,
      generator.seed,
      generator.take(Math.ceil(x.numel / 4)),
      keep,
      scale,
    ),
  vjp: ([g], { out1 }, { scale }) => [() => maskOp.apply([g, out1], [scale])],
});

// The dropped become what SELU tends to at minus infinity; the affine map keeps mean and variance.
const saturation = -1.7580993408473766;
const alphaOp = defineElementwise(
  'alphaDropout',
  (x, mask, scale, shift, dropped) => e.select(mask, e.add(e.mul(x, scale), shift), dropped),
  {
    inputs: ['x', 'mask'],
    scalars: ['scale', 'shift', 'dropped'],
    grad: (g, _out, _x, mask, scale) => [e.select(mask, e.mul(g, scale), 0), null],
  },
);

/** Checks x and p; true if there is anything to do. */
function checkDropout(op: string, x: Tensor, p: number, training: boolean): boolean {
  requireFloatInput(op, 'x', x);
  checkProbability(op, p);
  return training && p > 0;
}

function checkProbability(op: string, p: number): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${op}: p must be from 0 to 1, got ${String(p)}.`);
}

const scaleOf = (p: number): number => (p === 1 ? 0 : 1 / (1 - p));

/** True for what is kept: for each element, or for each channel of each item. */
const drawMask = (x: Tensor, shape: Shape, p: number, generator: Generator): Tensor<Shape, 'bool'> =>
  bernoulli(shape, 1 - p, { dtype: 'bool', device: x.device, generator });

const channelShape = (x: Tensor, batched: boolean): Shape => x.shape.map((n, d) => (d < (batched ? 2 : 1) ? n : 1));

/**
 * In training, sets each element to 0 with probability p and scales the others by 1 / (1 - p), so that the expected value
 * stays (Srivastava et al. 2014).
 *
 * @param options `p` (default 0.5), `training` (default true), `generator`
 * @throws ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function dropout<S extends Shape, D extends DType>(x: Tensor<S, D>, options: DropoutOptions = {}): Tensor<S, D> {
  const { p = 0.5, training = true, generator = defaultGenerator } = options;
  if (!checkDropout('dropout', x, p, training)) return x;
  return tidy(() => dropoutOp([contiguous(x)], { keep: 1 - p, scale: scaleOf(p), generator })[0]) as Tensor<S, D>;
}

function channelDropout(op: string, x: Tensor, options: DropoutOptions, rank: number, hint: string): Tensor {
  const { p = 0.5, training = true, generator = defaultGenerator } = options;
  const drops = checkDropout(op, x, p, training);
  const { length } = x.shape;
  if (length !== rank && length !== rank - 1) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}): x must have ${rank} dimensions, or ${rank - 1} without the batch, got ${length}${hint}.`,
    );
  }
  if (!drops) return x;
  return tidy(() => maskOp.apply([x, drawMask(x, channelShape(x, length === rank), p, generator)], [scaleOf(p)]));
}

/**
 * In training, sets whole channels to 0 with probability p and scales the others by 1 / (1 - p) (Tompson et al. 2015).
 *
 * Shapes: `[N, C, L]` or `[C, L]`.
 *
 * @throws ShapeError for other ranks; ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function dropout1d<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: DropoutOptions = {},
): Tensor<S, D> {
  return channelDropout('dropout1d', x, options, 3, '') as Tensor<S, D>;
}

/**
 * In training, sets whole channels to 0 with probability p and scales the others by 1 / (1 - p) (Tompson et al. 2015).
 *
 * Shapes: `[N, C, H, W]`. Three dimensions, which PyTorch takes for `[N, C, L]` and warns that this will change to
 * `[C, H, W]`, are refused: say which with `dropout1d` or `unsqueeze(0)`.
 *
 * @throws ShapeError for other ranks; ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function dropout2d<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: DropoutOptions = {},
): Tensor<S, D> {
  const { p = 0.5, training = true } = options;
  checkDropout('dropout2d', x, p, training);
  if (x.shape.length !== 4) {
    const hint = x.shape.length === 3 ? '; use dropout1d for [N, C, L], or unsqueeze(0) for one [C, H, W]' : '';
    throw new ShapeError(
      `dropout2d(x ${formatShape(x.shape)}): x must have 4 dimensions, got ${x.shape.length}${hint}.`,
    );
  }
  return channelDropout('dropout2d', x, options, 4, '') as Tensor<S, D>;
}

/**
 * In training, sets whole channels to 0 with probability p and scales the others by 1 / (1 - p) (Tompson et al. 2015).
 *
 * Shapes: `[N, C, D, H, W]` or `[C, D, H, W]`.
 *
 * @throws ShapeError for other ranks; ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function dropout3d<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: DropoutOptions = {},
): Tensor<S, D> {
  return channelDropout('dropout3d', x, options, 5, '') as Tensor<S, D>;
}

function alpha(x: Tensor, maskShape: Shape, p: number, generator: Generator): Tensor {
  return tidy(() => {
    const mask = drawMask(x, maskShape, p, generator);
    if (p === 1) return maskOp.apply([x, mask], [0]);
    const scale = 1 / Math.sqrt((saturation ** 2 * p + 1) * (1 - p));
    const shift = -scale * saturation * p;
    return alphaOp.apply([x, mask], [scale, shift, scale * saturation + shift]);
  });
}

/**
 * In training, sets each element with probability p to the value that SELU saturates at, and maps all so that inputs of mean
 * 0 and variance 1 keep both (Klambauer et al. 2017). With p = 1 all become 0.
 *
 * @param options `p` (default 0.5), `training` (default false, as in PyTorch), `generator`
 * @throws ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function alphaDropout<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: DropoutOptions = {},
): Tensor<S, D> {
  const { p = 0.5, training = false, generator = defaultGenerator } = options;
  if (!checkDropout('alphaDropout', x, p, training)) return x;
  return alpha(x, x.shape, p, generator) as Tensor<S, D>;
}

/**
 * `alphaDropout` of whole channels.
 *
 * Shapes: `[N, C, ...]`.
 *
 * @param options `p` (default 0.5), `training` (default false, as in PyTorch), `generator`
 * @throws ShapeError below 2 dimensions; ArgumentError unless 0 <= p <= 1; DTypeError for integers
 */
export function featureAlphaDropout<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: DropoutOptions = {},
): Tensor<S, D> {
  const { p = 0.5, training = false, generator = defaultGenerator } = options;
  const drops = checkDropout('featureAlphaDropout', x, p, training);
  if (x.shape.length < 2) {
    throw new ShapeError(
      `featureAlphaDropout(x ${formatShape(x.shape)}): x must have at least 2 dimensions, [N, C, ...].`,
    );
  }
  return (drops ? alpha(x, channelShape(x, true), p, generator) : x) as Tensor<S, D>;
}

// ---- Layers

/** What the dropout layers share. */
abstract class DropoutLayer extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The probability of being dropped. */
    readonly p = 0.5,
    private readonly _generator?: Generator,
  ) {
    super();
    checkProbability(this.constructor.name, p);
  }

  /** @internal */
  protected get _options(): DropoutOptions {
    const { p, training, _generator: generator } = this;
    return generator === undefined ? { p, training } : { p, training, generator };
  }

  override extraRepr(): string {
    return `p=${this.p}`;
  }
}

/**
 * In training, sets each element to 0 with probability p and scales the others by 1 / (1 - p); in evaluation does nothing.
 *
 * @throws ArgumentError unless 0 <= p <= 1
 */
export class Dropout extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return dropout(x, this._options);
  }
}

/** In training, sets whole channels of `[N, C, L]` or `[C, L]` to 0, see `nn.functional.dropout1d`. */
export class Dropout1d extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return dropout1d(x, this._options);
  }
}

/** In training, sets whole channels of `[N, C, H, W]` to 0, see `nn.functional.dropout2d`. */
export class Dropout2d extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return dropout2d(x, this._options);
  }
}

/** In training, sets whole channels of `[N, C, D, H, W]` or `[C, D, H, W]` to 0, see `nn.functional.dropout3d`. */
export class Dropout3d extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return dropout3d(x, this._options);
  }
}

/** Dropout that keeps mean 0 and variance 1, for networks of SELU, see `nn.functional.alphaDropout`. */
export class AlphaDropout extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return alphaDropout(x, this._options);
  }
}

/** `AlphaDropout` of whole channels of `[N, C, ...]`, see `nn.functional.featureAlphaDropout`. */
export class FeatureAlphaDropout extends DropoutLayer {
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return featureAlphaDropout(x, this._options);
  }
}
