// Threads, the stream, and what the addon runs on.
import { pluginState } from './cuda/plugin.js';
import { ArgumentError } from './errors.js';
import { native } from './native.js';

const wanted = process.env['THALWEG_NUM_THREADS'];
if (wanted !== undefined && wanted !== '' && !(/^\d+$/.test(wanted) && Number(wanted) >= 1 && Number(wanted) <= 1024)) {
  process.emitWarning(`THALWEG_NUM_THREADS is '${wanted}', which is no integer from 1 to 1024; it is not used.`);
}

/** Threads that kernels run on, the stream's own included. Shared by all workers of the process. */
export function getNumThreads(): number {
  return native.threads(0);
}

/**
 * Sets the number of threads that kernels run on; at start it is `THALWEG_NUM_THREADS`, else the number of processors.
 * Results do not depend on it.
 *
 * @throws ArgumentError unless it is an integer from 1 to 1024
 */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 1 || threads > 1024) {
    throw new ArgumentError(`setNumThreads: expected an integer from 1 to 1024, got ${String(threads)}.`);
  }
  native.threads(threads);
}

/**
 * Whether kernels take subnormal numbers (float32 below about 1.2e-38) as zeros, operands and results alike: arithmetic with
 * them is many times slower on most processors. Off by default, as IEEE 754 wants. Holds for what this thread of JavaScript
 * queues from here on, whatever thread computes it; JavaScript's own numbers stay as they are.
 *
 * @returns whether the processor can: true on x86-64 and ARM64, else nothing changes
 * @throws ArgumentError unless it is a boolean
 * @example
 * setFlushDenormal(true);
 * tensor(1e-30).mul(1e-10); // 0, not 1e-40
 */
export function setFlushDenormal(mode: boolean): boolean {
  if (typeof mode !== 'boolean') {
    throw new ArgumentError(`setFlushDenormal: expected true or false, got ${String(mode)}.`);
  }
  return native.flushDenormal(mode);
}

let precision: 'highest' | 'high' = 'highest';

/**
 * How exactly matrix products, convolutions and recurrent layers of float32 are computed on a GPU: `'highest'` (the
 * default) in float32; `'high'` may round the operands to TF32, 10 bits behind the point, which tensor cores multiply several
 * times as fast. Of the whole process; the CPU always computes in float32.
 *
 * @throws ArgumentError for another word
 * @example
 * setFloat32MatmulPrecision('high');
 */
export function setFloat32MatmulPrecision(value: 'highest' | 'high'): void {
  if (value !== 'highest' && value !== 'high') {
    throw new ArgumentError(`setFloat32MatmulPrecision: expected 'highest' or 'high', got ${String(value)}.`);
  }
  precision = value;
  if (pluginState().reason === null) native.allowTf32(value === 'high');
}

/** What `setFloat32MatmulPrecision` has set. */
export function getFloat32MatmulPrecision(): 'highest' | 'high' {
  return precision;
}

/** Waits for all queued work of this thread, and throws the error of a kernel that failed, if one did. */
export function synchronize(): void {
  native.sync();
}

/** What the addon runs on: the instruction set in use and those available (`THALWEG_CPU` forces one), and the threads. */
export function info(): { isa: string; isas: string[]; threads: number } {
  const { isa, isas } = native.describe();
  return { isa, isas, threads: getNumThreads() };
}
