// What the machine can do at best, measured: the physical limits that the benchmark compares kernels with.
import { ArgumentError } from './errors.js';
import { native } from './native.js';
import { empty } from './ops/creation.js';
import { getNumThreads } from './runtime.js';

/** How long to look for the best value, in milliseconds; 50 unless given. */
export interface ProbeOptions {
  readonly ms?: number;
}

/** The least nanoseconds that `work` took, of those tried in `ms` milliseconds. */
function fastest(name: string, { ms = 50 }: ProbeOptions, work: () => void): number {
  if (!(ms >= 0 && ms <= 10_000)) throw new ArgumentError(`${name}: ms must be from 0 to 10000, got ${String(ms)}.`);
  native.sync();
  const end = performance.now() + ms;
  let ns = Infinity;
  let tries = 0;
  do {
    const start = performance.now();
    work();
    native.sync();
    ns = Math.min(ns, 1e6 * (performance.now() - start));
    tries++;
  } while (tries < 3 || performance.now() < end);
  return ns;
}

/**
 * Multiply-adds in registers on all threads (`setNumThreads`), in GFLOP/s: no kernel can do more arithmetic.
 *
 * @param options `dtype: 'bfloat16'` for the instruction that takes pairs of bfloat16
 * @returns 0 where there is no such instruction
 * @throws ArgumentError for times outside 0 to 10 s
 * @example
 * peakGflops({ ms: 100 });
 */
export function peakGflops(options: ProbeOptions & { readonly dtype?: 'float32' | 'bfloat16' } = {}): number {
  // Many pieces, so that threads that start late or are interrupted cost little.
  const done = empty([32 * getNumThreads()], { dtype: 'float64' });
  const bfloat16 = options.dtype === 'bfloat16';
  try {
    const ns = fastest('peakGflops', options, () => native.probeMultiplyAdd(done._handle, 40, bfloat16));
    return done.dataSync().reduce((sum, count) => sum + count, 0) / ns;
  } finally {
    done.dispose();
  }
}

/**
 * A plain copy of float32 on all threads, in GB/s of reading and writing together: large ones with stores that pass by the
 * caches, those of less than 32 MB without.
 *
 * @param bytes the size of what is copied
 * @throws ArgumentError unless bytes is a multiple of 4 from 4 to 2^32
 * @example
 * copyGBs(64 * 2 ** 20);
 */
export function copyGBs(bytes: number, options: ProbeOptions = {}): number {
  if (!(bytes >= 4 && bytes <= 2 ** 32 && bytes % 4 === 0)) {
    throw new ArgumentError(`copyGBs: bytes must be a multiple of 4 from 4 to 2^32, got ${String(bytes)}.`);
  }
  const [out, x] = [empty([bytes / 4]), empty([bytes / 4])];
  try {
    native.fill(out._handle, 0);
    native.fill(x._handle, 1);
    const streaming = bytes >= 32 * 2 ** 20;
    const ns = fastest('copyGBs', options, () => native.probeCopy(out._handle, x._handle, streaming));
    return (2 * bytes) / ns;
  } finally {
    out.dispose();
    x.dispose();
  }
}

/**
 * Runs parallel regions in which every thread has a piece of work that is nothing, one after the other, and waits for them.
 *
 * @throws ArgumentError unless count is an integer from 0 to 2^20
 */
export function emptyRegions(count: number): void {
  if (!Number.isInteger(count) || count < 0 || count > 2 ** 20) {
    throw new ArgumentError(`emptyRegions: count must be an integer from 0 to 2^20, got ${String(count)}.`);
  }
  const pieces = empty([1], { dtype: 'float64' });
  native.probeFork(pieces._handle, count, getNumThreads());
  native.sync();
  pieces.dispose();
}
