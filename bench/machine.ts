// What the numbers were measured on.
import os from 'node:os';
import { getNumThreads, info, noGrad, randn, setNumThreads, synchronize, zeros } from 'thalweg';
import { Measured } from './measure.js';

export interface Machine {
  readonly cpu: string;
  readonly processors: number;
  readonly memoryGiB: number;
  readonly isa: string;
  readonly threads: number;
  readonly runtime: string;
  /** Processes that wanted to run in the last minute, before the benchmark. */
  readonly load: number;
  /** Reads and writes of a 64 MB copy. */
  readonly copyGBs: number;
  /** Float32 matmul of 1024 on one thread, and on all of them. */
  readonly matmulGflops: { readonly one: number; readonly all: number };
}

async function best(run: (n: number) => void): Promise<number> {
  const measured = new Measured({ run });
  const samples = [];
  for (let i = 0; i < 5; i++) samples.push(await measured.measure(30));
  return Math.min(...samples);
}

async function copyGBs(): Promise<number> {
  const source = randn([2 ** 24]);
  const target = zeros([2 ** 24]);
  const ns = await best((n) => {
    noGrad(() => {
      for (let i = 0; i < n; i++) target.copy_(source);
    });
    synchronize();
  });
  return (2 * 4 * 2 ** 24) / ns;
}

async function matmulGflops(): Promise<{ one: number; all: number }> {
  const n = 1024;
  const a = randn([n, n]);
  const b = randn([n, n]);
  const rate = async (): Promise<number> =>
    (2 * n ** 3) /
    (await best((count) => {
      for (let i = 0; i < count; i++) a.matmul(b);
      synchronize();
    }));
  const threads = getNumThreads();
  const all = await rate();
  setNumThreads(1);
  const one = threads === 1 ? all : await rate();
  setNumThreads(threads);
  return { one, all };
}

/** Looks at the machine; takes about a second. Call it after the number of threads is set. */
export async function lookAtMachine(): Promise<Machine> {
  const load = os.loadavg()[0];
  const bun = process.versions['bun'];
  return {
    cpu: os.cpus()[0]?.model.trim() ?? process.arch,
    processors: os.availableParallelism(),
    memoryGiB: os.totalmem() / 2 ** 30,
    isa: info().isa,
    threads: getNumThreads(),
    runtime: bun === undefined ? `Node.js ${process.version}` : `Bun ${bun}`,
    load,
    copyGBs: await copyGBs(),
    matmulGflops: await matmulGflops(),
  };
}

/** The machine in two or three lines, with a warning when its numbers are not worth much. */
export function describeMachine(m: Machine): string {
  const { one, all } = m.matmulGflops;
  const lines = [
    `${m.cpu}, ${m.processors} processors, ${m.memoryGiB.toFixed(0)} GiB; ${m.runtime}`,
    `${m.isa}, ${m.threads} ${m.threads === 1 ? 'thread' : 'threads'}; copy ${m.copyGBs.toFixed(1)} GB/s; ` +
      `matmul 1024 ${one.toFixed(0)} GFLOP/s on 1 thread` +
      (m.threads === 1 ? '' : `, ${all.toFixed(0)} on ${m.threads} (${(all / one).toFixed(2)}x)`),
  ];
  const doubts = [];
  if (m.load > 0.3) doubts.push(`the load was ${m.load.toFixed(1)} at the start`);
  if (m.threads === 2 && all < 1.8 * one) doubts.push('two threads are not 1.8 times one');
  if (doubts.length > 0) lines.push(`Take the times with care: ${doubts.join(', and ')}.`);
  return lines.join('\n');
}
