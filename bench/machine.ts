// What the numbers were measured on, and what it can do at best.
import os from 'node:os';
import { getNumThreads, info, setNumThreads } from 'thalweg';
import { copyGBs, peakGflops } from 'thalweg/probe';

/** Measured on some number of threads at once. */
export interface Limits {
  /** Multiply-adds of float32, and of pairs of bfloat16 (0: no such instruction), in GFLOP/s. */
  readonly gflops: number;
  readonly bf16Gflops: number;
  /** Copies of 64 MB, and of 8 MB that stay in caches if they are large enough; GB/s, reading and writing together. */
  readonly copyGBs: number;
  readonly cachedCopyGBs: number;
}

export interface Machine {
  readonly cpu: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly platform: string;
  readonly isa: string;
  readonly threads: number;
  readonly runtime: string;
  /** Processes that wanted to run in the last minute, before the benchmark. */
  readonly load: number;
  readonly one: Limits;
  /** On all threads of the run at once. */
  readonly all: Limits;
  /** Arithmetic on two threads at once by that on one: less than 1.8, and a processor is not free. 0 if there is one. */
  readonly two: number;
  /** The GPU, in a run on one. Its arithmetic is not measured: 0. */
  readonly device?: { readonly name: string; readonly memoryGiB: number; readonly limits: Limits };
}

/** Of what the rows run on. */
export const limitsOf = ({ device, all }: Machine): Limits => device?.limits ?? all;

const MiB = 2 ** 20;

function limits(ms: number): Limits {
  return {
    gflops: peakGflops({ ms }),
    bf16Gflops: peakGflops({ ms, dtype: 'bfloat16' }),
    copyGBs: copyGBs(64 * MiB, { ms }),
    cachedCopyGBs: copyGBs(8 * MiB, { ms }),
  };
}

/** Looks at the machine; takes about a second unless `ms` is small. Call it after the number of threads is set. */
export function lookAtMachine(ms = 100): Machine {
  const load = os.loadavg()[0];
  const bun = process.versions['bun'];
  const threads = getNumThreads();
  const processors = os.availableParallelism();
  setNumThreads(1);
  const one = limits(ms);
  let two = 0;
  if (processors > 1) {
    setNumThreads(2);
    two = peakGflops({ ms }) / one.gflops;
  }
  setNumThreads(threads);
  return {
    cpu: os.cpus()[0]?.model.trim() ?? process.arch,
    processors,
    memoryGiB: Math.round((10 * os.totalmem()) / 2 ** 30) / 10,
    platform: `${process.platform}-${process.arch}`,
    isa: info().isa,
    threads,
    runtime: bun === undefined ? `Node.js ${process.version}` : `Bun ${bun}`,
    load,
    one,
    all: threads === 1 ? one : limits(ms),
    two,
  };
}

const higher = (a: Limits, b: Limits): Limits => ({
  gflops: Math.max(a.gflops, b.gflops),
  bf16Gflops: Math.max(a.bf16Gflops, b.bf16Gflops),
  copyGBs: Math.max(a.copyGBs, b.copyGBs),
  cachedCopyGBs: Math.max(a.cachedCopyGBs, b.cachedCopyGBs),
});

/**
 * Looks again, after the rows, and keeps what is higher: other work can only have hidden what the machine can do. Two
 * threads keep their lower share of one.
 */
export function lookAgain(before: Machine, ms = 100): Machine {
  const now = lookAtMachine(ms);
  return {
    ...before,
    one: higher(before.one, now.one),
    all: higher(before.all, now.all),
    two: Math.min(before.two, now.two),
  };
}

const describeLimits = (l: Limits): string =>
  `${l.gflops.toFixed(0)} GFLOP/s` +
  (l.bf16Gflops > 0 ? ` (bfloat16 ${l.bf16Gflops.toFixed(0)})` : '') +
  `, copy ${l.copyGBs.toFixed(1)} GB/s (of 8 MB: ${l.cachedCopyGBs.toFixed(0)})`;

/** What limits are, on one thread and on all of them. */
export function describeMachineLimits({ threads, one, all }: Machine): string {
  const lines = [`  on 1 thread: ${describeLimits(one)}`];
  if (threads > 1) lines.push(`  on ${threads} threads: ${describeLimits(all)}`);
  return lines.join('\n');
}

/** The machine in a few lines, with a warning when its numbers are not worth much. */
export function describeMachine(m: Machine): string {
  const lines = [
    `${m.cpu}, ${m.processors} ${m.processors === 1 ? 'processor' : 'processors'}, ${m.memoryGiB} GiB; ${m.runtime}`,
    `${m.isa}, ${m.threads} ${m.threads === 1 ? 'thread' : 'threads'}; at most, measured now:`,
    describeMachineLimits(m),
  ];
  if (m.device !== undefined) {
    const { name, memoryGiB, limits } = m.device;
    lines.push(`on ${name}, ${memoryGiB} GiB; copies at ${limits.copyGBs.toFixed(0)} GB/s`);
  }
  if (m.two > 0) lines.push(`  two threads at once: ${m.two.toFixed(2)} times one`);
  const doubts = [];
  if (m.load > 0.3) doubts.push(`the load was ${m.load.toFixed(1)} at the start`);
  if (m.two > 0 && m.two < 1.8) doubts.push('two threads are not 1.8 times one');
  if (doubts.length > 0) lines.push(`Other work runs here (${doubts.join(', ')}): take the numbers with care.`);
  return lines.join('\n');
}
