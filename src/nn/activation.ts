// Activation layers. None has an `inplace` option: memory comes from a pool, so that it would save little.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import {
  celu,
  elu,
  gelu,
  glu,
  hardshrink,
  hardsigmoid,
  hardswish,
  hardtanh,
  leakyRelu,
  logSigmoid,
  mish,
  prelu,
  relu,
  relu6,
  rrelu,
  selu,
  silu,
  softmin,
  softplus,
  softshrink,
  softsign,
  tanhshrink,
  threshold,
} from '../ops/activation.js';
import type { FusedActivation } from '../ops/fused.js';
import { full, type TensorOptions } from '../ops/creation.js';
import { sigmoid, tanh } from '../ops/math.js';
import type { Generator } from '../ops/random.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import type { Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { ApplyCheck, ApplyShape, GLUFn, IdentityFn } from '../types/sequential.js';
import { Module, parameter, type Parameter } from './module.js';

/** Gives back what it gets. */
export class Identity extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return x;
  }
}

/**
 * `max(x, 0)`.
 */
export class ReLU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return relu(x);
  }

  /** @internal */
  override _fusedActivation(): FusedActivation | null {
    return this.forward === ReLU.prototype.forward ? 'relu' : null;
  }
}

/**
 * `min(max(x, 0), 6)`.
 */
export class ReLU6 extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return relu6(x);
  }
}

/**
 * x where it is positive, else `x * negativeSlope` (Maas et al. 2013).
 */
export class LeakyReLU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The slope below 0. */
    readonly negativeSlope = 0.01,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return leakyRelu(x, this.negativeSlope);
  }

  override extraRepr(): string {
    return `negativeSlope=${this.negativeSlope}`;
  }
}

/** Options of `PReLU`. */
export interface PReLUOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** The slope to start with. Default 0.25. */
  init?: number;
}

/**
 * x where it is positive, else `x * weight` with learned slopes: one for all, or one for each channel, which is dimension
 * 1 (He et al. 2015). PyTorch advises against weight decay on them.
 *
 * @throws ArgumentError unless numParameters is an integer >= 1
 */
export class PReLU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  /** `[numParameters]`. */
  readonly weight: Parameter;

  constructor(
    /** 1, or the number of channels. */
    readonly numParameters = 1,
    options: PReLUOptions = {},
  ) {
    super();
    if (!Number.isInteger(numParameters) || numParameters < 1) {
      throw new ArgumentError(`PReLU: numParameters must be an integer >= 1, got ${String(numParameters)}.`);
    }
    const { init = 0.25, ...tensorOptions } = options;
    this.weight = parameter(full<Shape, DType>([numParameters], init, tensorOptions));
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return prelu(x, this.weight);
  }

  override extraRepr(): string {
    return `numParameters=${this.numParameters}`;
  }
}

/** Options of `RReLU`. */
export interface RReLUOptions {
  /** Source of the slopes. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/**
 * x where it is positive, else x times a slope: in training one at random for each element, in evaluation their mean (Xu et
 * al. 2015).
 *
 * @throws ArgumentError if lower > upper
 */
export class RReLU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  private readonly _generator: Generator | undefined;

  constructor(
    /** The smallest slope below 0. */
    readonly lower = 1 / 8,
    /** The largest. */
    readonly upper = 1 / 3,
    options: RReLUOptions = {},
  ) {
    super();
    if (!(lower <= upper)) {
      throw new ArgumentError(`RReLU: lower must not be greater than upper, got ${lower} and ${upper}.`);
    }
    this._generator = options.generator;
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    const { lower, upper, training, _generator: generator } = this;
    return rrelu(x, { lower, upper, training, ...(generator === undefined ? {} : { generator }) });
  }

  override extraRepr(): string {
    return `lower=${this.lower}, upper=${this.upper}`;
  }
}

/**
 * x where it is positive, else `alpha * (exp(x) - 1)` (Clevert et al. 2016).
 */
export class ELU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** Minus the limit for x to -inf. */
    readonly alpha = 1,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return elu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/**
 * The scaled ELU of self-normalising networks (Klambauer et al. 2017).
 */
export class SELU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return selu(x);
  }
}

/**
 * x where it is positive, else `alpha * (exp(x / alpha) - 1)` (Barron 2017).
 *
 * @throws ArgumentError for alpha 0
 */
export class CELU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** Minus the limit for x to -inf; not 0. */
    readonly alpha = 1,
  ) {
    super();
    if (alpha === 0) throw new ArgumentError('CELU: alpha must not be 0.');
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return celu(x, this.alpha);
  }

  override extraRepr(): string {
    return `alpha=${this.alpha}`;
  }
}

/**
 * x * Phi(x), the Gaussian error linear unit (Hendrycks and Gimpel 2016).
 *
 * @throws ArgumentError for another approximation than `'none'` and `'tanh'`
 */
export class GELU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  /** `'none'` (default), or `'tanh'` for the approximation by tanh. */
  readonly approximate: 'none' | 'tanh';

  constructor(options: { approximate?: 'none' | 'tanh' } = {}) {
    super();
    const { approximate = 'none' } = options;
    if (approximate !== 'none' && approximate !== 'tanh') {
      throw new ArgumentError(`GELU: unknown approximate ${JSON.stringify(approximate)}, expected 'none' or 'tanh'.`);
    }
    this.approximate = approximate;
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return gelu(x, { approximate: this.approximate });
  }

  /** @internal */
  override _fusedActivation(): FusedActivation | null {
    return this.approximate === 'none' && this.forward === GELU.prototype.forward ? 'gelu' : null;
  }

  override extraRepr(): string {
    return `approximate=${this.approximate}`;
  }
}

/**
 * `x * sigmoid(x)` (Elfwing et al. 2017).
 */
export class SiLU extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return silu(x);
  }
}

/**
 * `x * tanh(softplus(x))` (Misra 2019).
 */
export class Mish extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return mish(x);
  }
}

/** `log(1 + exp(beta * x)) / beta`; where `beta * x > threshold`, x itself. */
export class Softplus extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  /** How sharp the bend is. Default 1. */
  readonly beta: number;
  /** Beyond this, x itself. Default 20. */
  readonly threshold: number;

  constructor(options: { beta?: number; threshold?: number } = {}) {
    super();
    const { beta = 1, threshold = 20 } = options;
    this.beta = beta;
    this.threshold = threshold;
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return softplus(x, { beta: this.beta, threshold: this.threshold });
  }

  override extraRepr(): string {
    return `beta=${this.beta}, threshold=${this.threshold}`;
  }
}

/**
 * `x / (1 + |x|)`.
 */
export class Softsign extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return softsign(x);
  }
}

/**
 * `1 / (1 + exp(-x))`.
 */
export class Sigmoid extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return sigmoid(x) as Tensor as Tensor<S, D>;
  }

  /** @internal */
  override _fusedActivation(): FusedActivation | null {
    return this.forward === Sigmoid.prototype.forward ? 'sigmoid' : null;
  }
}

/**
 * `log(sigmoid(x))`.
 */
export class LogSigmoid extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return logSigmoid(x);
  }
}

/**
 * The hyperbolic tangent.
 */
export class Tanh extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return tanh(x) as Tensor as Tensor<S, D>;
  }

  /** @internal */
  override _fusedActivation(): FusedActivation | null {
    return this.forward === Tanh.prototype.forward ? 'tanh' : null;
  }
}

/**
 * Limits x to [minVal, maxVal].
 *
 * @throws ArgumentError if minVal > maxVal
 */
export class Hardtanh extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The lower bound. */
    readonly minVal = -1,
    /** The upper bound. */
    readonly maxVal = 1,
  ) {
    super();
    if (!(minVal <= maxVal)) {
      throw new ArgumentError(`Hardtanh: minVal must not be greater than maxVal, got ${minVal} and ${maxVal}.`);
    }
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return hardtanh(x, this.minVal, this.maxVal);
  }

  override extraRepr(): string {
    return `minVal=${this.minVal}, maxVal=${this.maxVal}`;
  }
}

/**
 * `min(max(x + 3, 0), 6) / 6`.
 */
export class Hardsigmoid extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return hardsigmoid(x);
  }
}

/**
 * `x * min(max(x + 3, 0), 6) / 6` (Howard et al. 2019).
 */
export class Hardswish extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return hardswish(x);
  }
}

/**
 * 0 where `|x| <= lambd`, else x.
 */
export class Hardshrink extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The half width of what becomes 0. */
    readonly lambd = 0.5,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return hardshrink(x, this.lambd);
  }

  override extraRepr(): string {
    return `lambd=${this.lambd}`;
  }
}

/**
 * 0 where `|x| <= lambd`, else x moved by lambd toward 0.
 *
 * @throws ArgumentError unless lambd >= 0
 */
export class Softshrink extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The half width of what becomes 0. */
    readonly lambd = 0.5,
  ) {
    super();
    if (!(lambd >= 0)) throw new ArgumentError(`Softshrink: lambd must be >= 0, got ${lambd}.`);
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return softshrink(x, this.lambd);
  }

  override extraRepr(): string {
    return `lambd=${this.lambd}`;
  }
}

/**
 * `x - tanh(x)`.
 */
export class Tanhshrink extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return tanhshrink(x);
  }
}

/**
 * x where it is greater than a threshold, else a value.
 */
export class Threshold extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The largest x that is replaced. */
    readonly threshold: number,
    /** What replaces it. */
    readonly value: number,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return threshold(x, this.threshold, this.value);
  }

  override extraRepr(): string {
    return `threshold=${this.threshold}, value=${this.value}`;
  }
}

/**
 * `exp(x) / sum(exp(x))` along a dimension, which must be given.
 */
export class Softmax extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The dimension along which the results add up to 1. */
    readonly dim: number,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return softmax<Shape, DType, number>(x, this.dim) as Tensor<S, D>;
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * The logarithm of softmax along a dimension, which must be given.
 */
export class LogSoftmax extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The dimension along which the results add up to 1. */
    readonly dim: number,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return logSoftmax<Shape, DType, number>(x, this.dim) as Tensor<S, D>;
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * Softmax of -x along a dimension, which must be given.
 */
export class Softmin extends Module<IdentityFn> {
  /** @internal */ override readonly _transparent = true;
  constructor(
    /** The dimension along which the results add up to 1. */
    readonly dim: number,
  ) {
    super();
  }

  override forward<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
    return softmin<Shape, DType, number>(x, this.dim) as Tensor<S, D>;
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}

/**
 * The first half along a dimension times the sigmoid of the second half (Dauphin et al. 2017).
 *
 * @example
 * new nn.GLU().forward(randn([8, 6])).shape; // [8, 3]
 */
export class GLU<Dim extends number = -1> extends Module<GLUFn<Dim>> {
  /** @internal */ override readonly _transparent = true;
  /** The dimension that is halved. Default -1. */
  readonly dim: Dim;

  constructor(dim?: Dim) {
    super();
    this.dim = dim ?? (-1 as Dim);
  }

  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & ApplyCheck<GLUFn<Dim>, S>,
  ): Tensor<ApplyShape<GLUFn<Dim>, S>, D> {
    return glu<Shape, DType, number>(x, this.dim) as unknown as Tensor<ApplyShape<GLUFn<Dim>, S>, D>;
  }

  override extraRepr(): string {
    return `dim=${this.dim}`;
  }
}
