// Tensors straight from the addon, without the library's checks, and calls that may fail.
import { defaultDevice, deviceIndex } from '../../src/device.js';
import { ThalwegError } from '../../src/errors.js';
import { native, scratchNumbers, strideBase } from '../../src/native.js';
import { channelsLastStrides } from '../../src/shape.js';

export type AnyFunction = (...args: unknown[]) => unknown;

/** The functions of the addon by name, with arguments of any kind. */
export const exported = native as unknown as Record<string, AnyFunction>;

/** An integer from 0 to below its argument. */
export type Random = (below: number) => number;

/** A small generator with a seed, so that a failure can be repeated: mulberry32. */
export function randomSource(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Calls, and checks that a failure is one of Thalweg's errors. */
export function attempt(fn: AnyFunction, args: unknown[]): unknown {
  try {
    return fn(...args);
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    return error;
  }
}

/** Waits for the kernels, and gives the error of one that failed. */
export function settle(): unknown {
  return attempt(() => native.sync(), []);
}

// What owns the tensors here; the collector frees those of objects that are gone.
const owner = {};

/** Where operands of kernels are (THALWEG_TEST_DEVICE). Only the CPU's memory is read and written directly. */
export const device = deviceIndex(defaultDevice());

/** A contiguous tensor whose elements nobody has written. */
export function newTensor(dtype: number, shape: readonly number[], on = device): number {
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  return native.empty(dtype | (on << 4), shape.length, owner, true, false);
}

/** A contiguous tensor of these elements. */
export function filledTensor(dtype: number, shape: readonly number[], data: ArrayBufferView): number {
  const host = newTensor(dtype, shape, 0);
  native.write(host, data, dtype);
  if (device === 0) return host;
  const there = newTensor(dtype, shape);
  native.copy(there, host);
  native.dispose(host);
  return there;
}

/** Channels-last, if the shape can be. */
export function newImage(dtype: number, shape: readonly number[], last: boolean): number {
  if (!last || shape.length < 3) return newTensor(dtype, shape);
  channelsLastStrides(shape).forEach((n, d) => (scratchNumbers[strideBase + d] = n));
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  return native.empty(dtype | (device << 4), shape.length, owner, true, true);
}

/** A view of another tensor's memory. */
export function newView(base: number, shape: readonly number[], strides: readonly number[], offset: number): number {
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  strides.forEach((n, d) => (scratchNumbers[strideBase + d] = n));
  return native.view(base, shape.length, offset, owner);
}

/** Small integers, so that indices are sometimes in range; now and then extreme values. */
export function fillWith(handle: number, dtype: number, random: Random): void {
  if (random(4) === 0) native.fill(handle, [NaN, 2 ** 40, -(2n ** 63n), -1, 3][random(5)]);
  else if (dtype === 4 || dtype === 5)
    attempt(exported['randomIntegers'], [handle, BigInt(random(1000)), 0, 0, 1 + random(4)]);
  else if (dtype < 4) attempt(exported['randomNormal'], [handle, BigInt(random(1000)), 0, 0, 2]);
  else native.fill(handle, random(2));
}
