// Random tensors: Philox 4x32-10, counter based, so that a seed gives the same numbers for any number of threads.
import { randomBytes } from 'node:crypto';
import { noteDraw } from '../cuda/capture.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError } from '../errors.js';
import { native } from '../native.js';
import { numel, type Shape } from '../shape.js';
import { tidy } from '../memory.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { lt } from './compare.js';
import { cast, detach } from './copy.js';
import { create, finish, type TensorOptions } from './creation.js';
import { checkTensor, checkWritable } from './define.js';

/** A source of random numbers: a 64-bit seed and how many counter blocks have been used. */
export class Generator {
  private seedValue: bigint;
  private offset = 0;

  /** @param seed an integer; by default one from the system's entropy */
  constructor(seed?: number | bigint) {
    this.seedValue = seed === undefined ? randomBytes(8).readBigUInt64LE() : checkSeed('Generator', seed);
  }

  /** The seed in force. */
  get seed(): bigint {
    return this.seedValue;
  }

  /** Starts again from a seed. */
  manualSeed(seed: number | bigint): this {
    this.seedValue = checkSeed('manualSeed', seed);
    this.offset = 0;
    return this;
  }

  /** Where the generator stands; give it to `setState` to continue from here. */
  getState(): { seed: bigint; offset: number } {
    return { seed: this.seedValue, offset: this.offset };
  }

  /** Continues from a state that `getState` gave. Throws ArgumentError for what is no state. */
  setState(state: { seed: bigint; offset: number }): this {
    const seed = checkSeed('setState', state.seed);
    if (!Number.isSafeInteger(state.offset) || state.offset < 0)
      throw new ArgumentError(`setState: offset ${state.offset} is not an integer >= 0.`);
    this.seedValue = seed;
    this.offset = state.offset;
    return this;
  }

  /** Reserves counter blocks and returns the first. @internal */
  take(blocks: number): number {
    const start = this.offset;
    noteDraw(this, start, blocks);
    this.offset += blocks;
    return start;
  }
}

function checkSeed(op: string, seed: number | bigint): bigint {
  if (typeof seed !== 'bigint' && !Number.isSafeInteger(seed))
    throw new ArgumentError(`${op}: the seed must be an integer, got ${String(seed)}.`);
  return BigInt.asUintN(64, BigInt(seed));
}

/** The generator that is used when none is given. One for each worker thread. */
export const defaultGenerator = new Generator();

/**
 * Seeds the default generator: the same seed gives the same numbers, whatever the number of threads.
 *
 * @example
 * manualSeed(0);
 */
export function manualSeed(seed: number | bigint): Generator {
  return defaultGenerator.manualSeed(seed);
}

/** Options of the random functions. */
export interface RandomOptions<D extends DType = DType> extends TensorOptions<D> {
  /** Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

// Counter blocks used: four 32-bit numbers a block, of which float64 and wide integers take two an element.
const blocksFor = (count: number, wide: boolean): number => Math.ceil(count / (wide ? 2 : 4));

function requireFloat(op: string, dtype: DType): void {
  if (!isFloating(dtype))
    throw new DTypeError(`${op}: expected a float dtype, got ${dtype}; use randint() for integers.`);
}

function checkFinite(op: string, values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value !== 'number' || !Number.isFinite(value))
      throw new ArgumentError(`${op}: ${name} must be a finite number, got ${String(value)}.`);
  }
}

function fillUniform(op: string, out: Tensor, low: number, high: number, generator: Generator): void {
  requireFloat(op, out.dtype);
  checkFinite(op, { low, high });
  if (low > high) throw new ArgumentError(`${op}: low ${low} is above high ${high}.`);
  native.randomUniform(
    out._handle,
    generator.seed,
    generator.take(blocksFor(out.numel, out.dtype === 'float64')),
    low,
    high,
  );
}

function fillNormal(op: string, out: Tensor, mean: number, std: number, generator: Generator): void {
  requireFloat(op, out.dtype);
  checkFinite(op, { mean, std });
  if (std < 0) throw new ArgumentError(`${op}: std must not be negative, got ${std}.`);
  native.randomNormal(
    out._handle,
    generator.seed,
    generator.take(blocksFor(out.numel, out.dtype === 'float64')),
    mean,
    std,
  );
}

function fillBernoulli(op: string, out: Tensor, p: number, generator: Generator): void {
  if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${op}: the probability must be from 0 to 1, got ${String(p)}.`);
  native.randomBernoulli(out._handle, generator.seed, generator.take(blocksFor(out.numel, false)), p);
}

/** Uniform numbers of [0, 1). */
export function rand<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  const out = create('rand', shape, options);
  fillUniform('rand', out, 0, 1, options.generator ?? defaultGenerator);
  return finish(out, options);
}

/** Normal numbers of mean 0 and standard deviation 1. */
export function randn<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  const out = create('randn', shape, options);
  fillNormal('randn', out, 0, 1, options.generator ?? defaultGenerator);
  return finish(out, options);
}

/**
 * Integers of [low, high), int64 by default.
 *
 * @example
 * randint(0, 10, [3]);
 */
export function randint<const S extends Shape, D extends DType = 'int64'>(
  low: number | bigint,
  high: number | bigint,
  shape: S,
  options: RandomOptions<D> = {},
): Tensor<S, D> {
  for (const [name, value] of [
    ['low', low],
    ['high', high],
  ] as const) {
    if (typeof value !== 'bigint' && !Number.isSafeInteger(value))
      throw new ArgumentError(`randint: ${name} must be an integer, got ${String(value)}.`);
  }
  if (low >= high) throw new ArgumentError(`randint: low ${low} must be below high ${high}.`);
  const out = create('randint', shape, options, 'int64');
  const wide = BigInt(high) - BigInt(low) > 2n ** 32n;
  const generator = options.generator ?? defaultGenerator;
  native.randomIntegers(out._handle, generator.seed, generator.take(blocksFor(numel(shape), wide)), low, high);
  return finish(out, options);
}

/** The integers 0 to n - 1 in random order, int64 by default. */
export function randperm<D extends DType = 'int64'>(
  n: number,
  options: RandomOptions<D> = {},
): Tensor<readonly [number], D> {
  const out = create('randperm', [n] as const, options, 'int64');
  if (out.dtype !== 'int64' && (out.dtype as DType) !== 'int32')
    throw new DTypeError(`randperm: expected int64 or int32, got ${out.dtype}.`);
  const generator = options.generator ?? defaultGenerator;
  native.randomPermutation(out._handle, generator.seed, generator.take(blocksFor(n, true)));
  return finish(out, options);
}

/**
 * Ones with probability p, else zeros: of a shape, or, given a tensor of probabilities, of its shape and dtype.
 *
 * @throws ArgumentError for a probability outside [0, 1] (those of a tensor are not looked at); DTypeError for a tensor of
 *   integers or bools
 * @example
 * bernoulli([3], 0.5);
 * bernoulli(tensor([0.1, 0.9]));
 */
export function bernoulli<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  p: number,
  options?: RandomOptions<D>,
): Tensor<S, D>;
export function bernoulli<S extends Shape, D extends DType>(
  probabilities: Tensor<S, D>,
  options?: { generator?: Generator },
): Tensor<S, D>;
export function bernoulli(
  shape: Shape | Tensor,
  p: number | { generator?: Generator } = {},
  options: RandomOptions = {},
): Tensor {
  if (isTensor(shape)) return bernoulliOf(shape, typeof p === 'number' ? {} : p);
  return bernoulliFilled(shape, p as number, options);
}

function bernoulliOf(probabilities: Tensor, { generator }: { generator?: Generator }): Tensor {
  checkTensor('bernoulli', 'probabilities', probabilities);
  requireFloat('bernoulli', probabilities.dtype);
  const { shape, dtype, device } = probabilities;
  return tidy(() => {
    const draws: Tensor = rand(shape, { dtype, device, ...(generator === undefined ? {} : { generator }) });
    return cast(lt(draws, detach(probabilities)), dtype);
  });
}

function bernoulliFilled<const S extends Shape, D extends DType = 'float32'>(
  shape: S,
  p: number,
  options: RandomOptions<D>,
): Tensor<S, D> {
  const out = create('bernoulli', shape, options);
  fillBernoulli('bernoulli', out, p, options.generator ?? defaultGenerator);
  return finish(out, options);
}

function startInPlace(op: string, x: Tensor): void {
  checkTensor(op, 'x', x);
  checkWritable(op, x);
}

/**
 * Replaces the elements by uniform numbers of [low, high).
 *
 * @method
 */
export function uniform_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  low = 0,
  high = 1,
  generator: Generator = defaultGenerator,
): Tensor<S, D> {
  startInPlace('uniform_', x);
  fillUniform('uniform_', x, low, high, generator);
  x._version.count++;
  return x;
}

/**
 * Replaces the elements by normal numbers.
 *
 * @method
 */
export function normal_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  mean = 0,
  std = 1,
  generator: Generator = defaultGenerator,
): Tensor<S, D> {
  startInPlace('normal_', x);
  fillNormal('normal_', x, mean, std, generator);
  x._version.count++;
  return x;
}
