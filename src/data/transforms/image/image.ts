// What the image transforms share: checks, one number for each sample, float arithmetic on bytes, parts of a batch.
import { noGrad } from '../../../autograd/mode.js';
import type { Device } from '../../../device.js';
import { isFloating, type DType } from '../../../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../../../errors.js';
import { tidy } from '../../../memory.js';
import { fromTypedArray } from '../../../ops/creation.js';
import { checkTensor } from '../../../ops/define.js';
import { ElementwiseOp } from '../../../ops/elementwise.js';
import { cat } from '../../../ops/join.js';
import { defaultGenerator, Generator } from '../../../ops/random.js';
import { type Expr, inputExpr, scalarExpr } from '../../../program/expr.js';
import { formatShape, shapesEqual, type Shape } from '../../../shape.js';
import type { Tensor } from '../../../tensor/tensor.js';
import { uniformSource } from '../../draws.js';

/** One number for all samples of a batch, or one for each. */
export type PerSample = number | ArrayLike<number>;

/** How values between pixels are made. */
export type ImageInterpolation = 'nearest' | 'bilinear' | 'bicubic';

/** What lies where an image does not reach: one number for all channels, or one for each; in the images' own units. */
export type Fill = number | readonly number[];

/** Options of every random transform. */
export interface RandomTransformOptions {
  /** Source of the random numbers. Default: the generator that `manualSeed` seeds. */
  readonly generator?: Generator;
}

/** Something with `forward` from images to images of the same dtype, such as every class of these transforms. */
export interface ImageTransform {
  /** Transforms images `[N, C, H, W]` (or one image `[C, H, W]`). */
  forward<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D>;
}

/** Fails unless the value is a number within bounds. */
export function checkNumber(op: string, name: string, value: unknown, min = -Infinity, max = Infinity): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value;
  const bounds =
    min === -Infinity ? 'a finite number' : max === Infinity ? `a number >= ${min}` : `a number from ${min} to ${max}`;
  throw new ArgumentError(`${op}: ${name} must be ${bounds}, got ${String(value)}.`);
}

/** Fails unless the value is an integer within bounds. */
export function checkInteger(op: string, name: string, value: unknown, min: number, max = Infinity): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  const bounds = max === Infinity ? `>= ${min}` : `from ${min} to ${max}`;
  throw new ArgumentError(`${op}: ${name} must be an integer ${bounds}, got ${String(value)}.`);
}

/** Fails unless the value is one of the names. */
export function checkChoice<T extends string>(op: string, name: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  const choices = known.map((each) => `'${each}'`).join(', ');
  throw new ArgumentError(`${op}: ${name} must be one of ${choices}, got '${String(value)}'.`);
}

/** A range from one number or two: `[low, high]` with min <= low <= high <= max. */
export function checkRange(
  op: string,
  name: string,
  value: unknown,
  min = -Infinity,
  max = Infinity,
): [number, number] {
  const ok =
    Array.isArray(value) &&
    value.length === 2 &&
    value.every((n) => typeof n === 'number' && Number.isFinite(n) && n >= min && n <= max) &&
    value[0] <= value[1];
  if (ok) return [value[0] as number, value[1] as number];
  const bounds =
    min === -Infinity ? '' : max === Infinity ? ` of numbers >= ${min}` : ` of numbers from ${min} to ${max}`;
  const got = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
  throw new ArgumentError(`${op}: ${name} must be a range [low, high]${bounds}, got ${got}.`);
}

/** A height and a width from one number or two. */
export function checkSides(op: string, name: string, value: unknown): [height: number, width: number] {
  const sides: unknown[] = Array.isArray(value) ? value : [value, value];
  if (sides.length === 2 && sides.every((n) => Number.isSafeInteger(n) && (n as number) >= 1))
    return [sides[0] as number, sides[1] as number];
  const got = Array.isArray(value) ? `[${value.join(', ')}]` : String(value);
  throw new ArgumentError(`${op}: ${name} must be an integer >= 1 or [height, width], got ${got}.`);
}

/** Fails unless the tensor holds images: `[N, C, H, W]` or `[C, H, W]`, floats or bytes. */
export function checkImages(op: string, images: Tensor): void {
  checkTensor(op, 'images', images);
  if (images.shape.length !== 3 && images.shape.length !== 4) {
    throw new ShapeError(`${op}: images must be [N, C, H, W] or [C, H, W], got shape ${formatShape(images.shape)}.`);
  }
  if (images.dtype !== 'uint8' && !isFloating(images.dtype)) {
    throw new DTypeError(`${op}: images must be uint8 (0 to 255) or floats (0 to 1), got ${images.dtype}.`);
  }
}

/** Runs `fn` on images as a batch, without recording, and frees what it makes on the way. */
export function onBatch<D extends DType>(
  op: string,
  images: Tensor<Shape, D>,
  fn: (batch: Tensor) => Tensor,
): Tensor<Shape, D> {
  checkImages(op, images);
  return noGrad(() =>
    tidy(() => {
      if (images.shape.length === 4) return fn(images);
      return fn(images.unsqueeze(0)).squeeze(0);
    }),
  ) as Tensor<Shape, D>;
}

/** White: 255 for bytes, 1 for floats. */
export const boundOf = (images: Tensor): number => (images.dtype === 'uint8' ? 255 : 1);

/** The dtype in which images are computed with: float64 for itself, float32 for all else. */
const workDType = (dtype: DType): 'float32' | 'float64' => (dtype === 'float64' ? 'float64' : 'float32');

/**
 * Runs `fn` on the images as float32 (float64 stays), and brings the result back to their dtype: bytes are rounded to the
 * nearest, or cut, and limited to 0 to 255.
 */
export function inFloat(images: Tensor, bytes: 'round' | 'cut', fn: (x: Tensor) => Tensor): Tensor {
  const out = fn(images.to(workDType(images.dtype)));
  if (images.dtype !== 'uint8') return out.to(images.dtype);
  return (bytes === 'round' ? out.round() : out).clamp({ min: 0, max: 255 }).to('uint8');
}

/** Numbers as a tensor `[N, 1, 1, 1]` that goes with each sample. */
export function column(values: ArrayLike<number>, like: { dtype: DType; device: Device }): Tensor {
  const dtype = like.dtype === 'uint8' ? 'float32' : like.dtype;
  return fromTypedArray(Float64Array.from(values), [values.length, 1, 1, 1], { dtype, device: like.device });
}

/** Truth values as a tensor `[N, 1, 1, 1]`. */
export function mask(values: readonly boolean[], device: Device): Tensor<Shape, 'bool'> {
  return fromTypedArray(Uint8Array.from(values, Number), [values.length, 1, 1, 1], { dtype: 'bool', device });
}

/** The numbers of a parameter, one for each of `count` samples. */
export function numbersOf(
  op: string,
  name: string,
  value: PerSample,
  count: number,
  min = -Infinity,
  max = Infinity,
): readonly number[] {
  if (typeof value === 'number') return new Array<number>(count).fill(checkNumber(op, name, value, min, max));
  if (typeof value !== 'object' || value === null || value.length !== count) {
    const got = typeof value === 'object' && value !== null ? `${value.length} numbers` : String(value);
    throw new ArgumentError(`${op}: ${name} must be a number or one for each of the ${count} images, got ${got}.`);
  }
  return Array.from(value, (n, i) => checkNumber(op, `${name}[${i}]`, n, min, max));
}

/** A parameter as an operand: the number itself, or a tensor `[N, 1, 1, 1]`. */
export function operand(
  op: string,
  name: string,
  value: PerSample,
  images: Tensor,
  min?: number,
  max?: number,
): Tensor | number {
  const numbers = numbersOf(op, name, value, images.shape[0], min, max);
  return typeof value === 'number' ? value : column(numbers, { dtype: workDType(images.dtype), device: images.device });
}

/** A fill as an operand of images with `channels` channels: the number itself, or a tensor `[1, C, 1, 1]`. */
export function fillOperand(op: string, fill: Fill, images: Tensor, dtype: DType = images.dtype): Tensor | number {
  if (typeof fill === 'number') return checkNumber(op, 'fill', fill);
  const channels = images.shape[1];
  if (!Array.isArray(fill) || (fill.length !== 1 && fill.length !== channels)) {
    const got = Array.isArray(fill) ? `${fill.length} numbers` : String(fill);
    throw new ArgumentError(`${op}: fill must be a number or one for each of the ${channels} channels, got ${got}.`);
  }
  fill.forEach((n: unknown, i) => checkNumber(op, `fill[${i}]`, n));
  return fromTypedArray(Float64Array.from(fill as number[]), [1, fill.length, 1, 1], {
    dtype,
    device: images.device,
  });
}

/** Runs `fn` on some samples of a batch, and puts what it gives, of the same shape, in their places. */
export function onSome(op: string, batch: Tensor, chosen: readonly number[], fn: (part: Tensor) => Tensor): Tensor {
  if (chosen.length === 0) return batch;
  if (chosen.length === batch.shape[0]) return fn(batch);
  const places = fromTypedArray(Int32Array.from(chosen), [chosen.length], { device: batch.device });
  const out = fn(batch.indexSelect(0, places));
  if (!shapesEqual(out.shape.slice(1), batch.shape.slice(1))) {
    throw new ShapeError(
      `${op}: a transform that is applied to some images of a batch must keep their shape, ${formatShape(batch.shape.slice(1))} became ${formatShape(out.shape.slice(1))}.`,
    );
  }
  return batch.indexCopy(0, places.to('int64'), out);
}

/**
 * Runs one of several functions on each sample: `choices[n]` says which. What they give for samples of one batch must have
 * one shape.
 */
export function byChoice(
  op: string,
  batch: Tensor,
  choices: readonly number[],
  fn: (part: Tensor, choice: number, samples: readonly number[]) => Tensor,
): Tensor {
  const groups = new Map<number, number[]>();
  choices.forEach((choice, n) => {
    const group = groups.get(choice);
    if (group === undefined) groups.set(choice, [n]);
    else group.push(n);
  });
  const entries = [...groups].sort(([a], [b]) => a - b);
  if (entries.length === 1) return fn(batch, entries[0][0], entries[0][1]);
  const { device } = batch;
  const positions = new Int32Array(choices.length);
  let next = 0;
  const parts = entries.map(([choice, samples]) => {
    for (const n of samples) positions[n] = next++;
    return fn(
      batch.indexSelect(0, fromTypedArray(Int32Array.from(samples), [samples.length], { device })),
      choice,
      samples,
    );
  });
  for (const part of parts) {
    if (!shapesEqual(part.shape.slice(1), parts[0].shape.slice(1))) {
      throw new ShapeError(
        `${op}: images of one batch must get the same shape, there are ${formatShape(parts[0].shape.slice(1))} and ${formatShape(part.shape.slice(1))}.`,
      );
    }
  }
  return cat(parts, 0).indexSelect(0, fromTypedArray(positions, [positions.length], { device }));
}

/** An elementwise program without a gradient, for arithmetic on pixels in one pass. */
export function pixelwise(
  name: string,
  inputs: readonly string[],
  scalars: readonly string[],
  body: (...parameters: Expr[]) => Expr,
): ElementwiseOp {
  const tensors = inputs.map((input) => inputExpr(input));
  const numbers = scalars.map((scalar) => scalarExpr(scalar));
  return new ElementwiseOp(name, body(...tensors, ...numbers), tensors, numbers, 'promote', null);
}

/** Draws the random numbers of a transform. */
export class Draws {
  /** A number of (0, 1). */
  readonly uniform: () => number;

  constructor(generator: Generator) {
    this.uniform = uniformSource(generator);
  }

  /** A number between two. */
  between([low, high]: readonly [number, number]): number {
    return low + (high - low) * this.uniform();
  }

  /** An integer of 0 to n - 1. */
  below(n: number): number {
    return Math.min(n - 1, Math.floor(this.uniform() * n));
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.uniform() < p;
  }

  /** One number between two for each of `count` samples. */
  each(count: number, range: readonly [number, number]): number[] {
    return Array.from({ length: count }, () => this.between(range));
  }

  /** The samples of `count` that are chosen with probability p each. */
  some(count: number, p: number): number[] {
    return Array.from({ length: count }, (_, i) => (this.chance(p) ? i : -1)).filter((i) => i >= 0);
  }
}

/** Fails unless the value is a generator. */
export function checkGenerator(op: string, generator: Generator | undefined): Generator {
  if (generator === undefined) return defaultGenerator;
  if (generator instanceof Generator) return generator;
  throw new ArgumentError(`${op}: generator must be a Generator, got ${typeof generator}.`);
}

/**
 * Base class of the image transforms. `forward` takes a batch `[N, C, H, W]`, of floats from 0 to 1 or of uint8 from 0 to
 * 255, or one image `[C, H, W]`, and gives images of the same dtype, on the same device. Random parameters are drawn anew for
 * each sample. Nothing is recorded for `backward()`.
 *
 * A batch that a transform leaves as it is may come back itself, not as a copy.
 */
export abstract class Transform implements ImageTransform {
  /** The transform of a batch. @internal */
  protected abstract _apply(batch: Tensor): Tensor;

  /** The class's name, for messages. @internal */
  protected get _name(): string {
    return this.constructor.name;
  }

  /**
   * Transforms images.
   *
   * @throws ShapeError, DTypeError for what are no images
   */
  forward<D extends DType>(images: Tensor<Shape, D>): Tensor<Shape, D> {
    return onBatch(this._name, images, (batch) => this._apply(batch));
  }
}

/** Base class of the transforms that draw random numbers. */
export abstract class RandomTransform extends Transform {
  /** Source of the random numbers. */
  readonly generator: Generator;

  /** @internal */
  constructor(name: string, options: RandomTransformOptions) {
    super();
    if (typeof options !== 'object' || options === null)
      throw new ArgumentError(`${name}: options must be an object, got ${String(options)}.`);
    this.generator = checkGenerator(name, options.generator);
  }

  /** @internal */
  protected abstract _applyRandom(batch: Tensor, draws: Draws): Tensor;

  protected override _apply(batch: Tensor): Tensor {
    return batch.shape[0] === 0 ? this._applyEmpty(batch) : this._applyRandom(batch, new Draws(this.generator));
  }

  /** A batch of no images; transforms that change the shape do that here, too. @internal */
  protected _applyEmpty(batch: Tensor): Tensor {
    return batch;
  }
}
