// Layers: padding and resizing.
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { interpolate, type InterpolateOptions } from '../ops/interpolate.js';
import { pad, type PadMode } from '../ops/pad.js';
import { formatShape, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Module } from './module.js';

/** One amount for every side, or `[low, high]` of the last dimension, then of the one before it, and so on. */
export type Padding = number | readonly number[];

abstract class PadLayer extends Module {
  /** @internal */ override readonly _transparent = true;
  /** `[low, high]` of the last dimension, then of the one before it, and so on. */
  readonly padding: readonly number[];

  /** @internal */
  constructor(
    name: string,
    spatial: number,
    padding: Padding,
    private readonly _mode: PadMode,
    private readonly _value = 0,
  ) {
    super();
    const list = typeof padding === 'number' ? new Array<number>(2 * spatial).fill(padding) : padding;
    if (!Array.isArray(list) || list.length !== 2 * spatial || !list.every((n) => Number.isSafeInteger(n))) {
      throw new ArgumentError(`${name}: padding must be an integer or ${2 * spatial} of them, got ${String(padding)}.`);
    }
    this.padding = [...(list as readonly number[])];
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return pad(x, this.padding, { mode: this._mode, value: this._value });
  }

  override extraRepr(): string {
    return `padding=${formatShape(this.padding)}${this._mode === 'constant' ? `, value=${this._value}` : ''}`;
  }
}

/**
 * Pads the last 1 dimension with a value; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 2 of them
 */
export class ConstantPad1d extends PadLayer {
  constructor(
    padding: Padding,
    /** What is padded with. */
    readonly value: number,
  ) {
    super('ConstantPad1d', 1, padding, 'constant', value);
  }
}

/**
 * Pads the last 1 dimension with zeros; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 2 of them
 */
export class ZeroPad1d extends PadLayer {
  constructor(padding: Padding) {
    super('ZeroPad1d', 1, padding, 'constant');
  }
}

/**
 * Pads the last 1 dimension with elements of x mirrored at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 2 of them
 */
export class ReflectionPad1d extends PadLayer {
  constructor(padding: Padding) {
    super('ReflectionPad1d', 1, padding, 'reflect');
  }
}

/**
 * Pads the last 1 dimension with the elements at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 2 of them
 */
export class ReplicationPad1d extends PadLayer {
  constructor(padding: Padding) {
    super('ReplicationPad1d', 1, padding, 'replicate');
  }
}

/**
 * Pads the last 1 dimension with elements of its other end; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 2 of them
 */
export class CircularPad1d extends PadLayer {
  constructor(padding: Padding) {
    super('CircularPad1d', 1, padding, 'circular');
  }
}

/**
 * Pads the last 2 dimensions with a value; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 4 of them
 */
export class ConstantPad2d extends PadLayer {
  constructor(
    padding: Padding,
    /** What is padded with. */
    readonly value: number,
  ) {
    super('ConstantPad2d', 2, padding, 'constant', value);
  }
}

/**
 * Pads the last 2 dimensions with zeros; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 4 of them
 */
export class ZeroPad2d extends PadLayer {
  constructor(padding: Padding) {
    super('ZeroPad2d', 2, padding, 'constant');
  }
}

/**
 * Pads the last 2 dimensions with elements of x mirrored at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 4 of them
 */
export class ReflectionPad2d extends PadLayer {
  constructor(padding: Padding) {
    super('ReflectionPad2d', 2, padding, 'reflect');
  }
}

/**
 * Pads the last 2 dimensions with the elements at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 4 of them
 */
export class ReplicationPad2d extends PadLayer {
  constructor(padding: Padding) {
    super('ReplicationPad2d', 2, padding, 'replicate');
  }
}

/**
 * Pads the last 2 dimensions with elements of its other end; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 4 of them
 */
export class CircularPad2d extends PadLayer {
  constructor(padding: Padding) {
    super('CircularPad2d', 2, padding, 'circular');
  }
}

/**
 * Pads the last 3 dimensions with a value; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 6 of them
 */
export class ConstantPad3d extends PadLayer {
  constructor(
    padding: Padding,
    /** What is padded with. */
    readonly value: number,
  ) {
    super('ConstantPad3d', 3, padding, 'constant', value);
  }
}

/**
 * Pads the last 3 dimensions with zeros; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 6 of them
 */
export class ZeroPad3d extends PadLayer {
  constructor(padding: Padding) {
    super('ZeroPad3d', 3, padding, 'constant');
  }
}

/**
 * Pads the last 3 dimensions with elements of x mirrored at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 6 of them
 */
export class ReflectionPad3d extends PadLayer {
  constructor(padding: Padding) {
    super('ReflectionPad3d', 3, padding, 'reflect');
  }
}

/**
 * Pads the last 3 dimensions with the elements at its edges; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 6 of them
 */
export class ReplicationPad3d extends PadLayer {
  constructor(padding: Padding) {
    super('ReplicationPad3d', 3, padding, 'replicate');
  }
}

/**
 * Pads the last 3 dimensions with elements of its other end; see `pad`.
 *
 * @throws ArgumentError for padding that is no integer or 6 of them
 */
export class CircularPad3d extends PadLayer {
  constructor(padding: Padding) {
    super('CircularPad3d', 3, padding, 'circular');
  }
}

/**
 * Resizes sequences, images or volumes; see `interpolate`.
 *
 * @example
 * new nn.Upsample({ scaleFactor: 2 }).forward(randn([1, 3, 8, 8])).shape; // [1, 3, 16, 16]
 */
export class Upsample extends Module {
  /** @internal */ override readonly _transparent = true;

  constructor(
    /** The options as given. */
    readonly options: InterpolateOptions,
  ) {
    super();
  }

  override forward<D extends DType>(x: Tensor<Shape, D>): Tensor<Shape, D> {
    return interpolate(x, this.options);
  }

  override extraRepr(): string {
    return Object.entries(this.options)
      .map(([name, value]) => `${name}=${Array.isArray(value) ? `[${value.join(',')}]` : String(value)}`)
      .join(', ');
  }
}

/** Resizes images, each element from the nearest; see `interpolate`. */
export class UpsamplingNearest2d extends Upsample {
  constructor(options: Pick<InterpolateOptions, 'size' | 'scaleFactor'>) {
    super({ ...options, mode: 'nearest' });
  }
}

/** Resizes images bilinearly, with aligned corners; see `interpolate`. */
export class UpsamplingBilinear2d extends Upsample {
  constructor(options: Pick<InterpolateOptions, 'size' | 'scaleFactor'>) {
    super({ ...options, mode: 'bilinear', alignCorners: true });
  }
}
