// What a GPU can do at best, as the device rows are compared with.
import { cuda, randn, synchronize, type Device } from 'thalweg';
import type { Machine } from './machine.js';

/** Copies of a gibibyte, or of what the device can spare, for about `ms` milliseconds; the fastest counts. */
export function deviceLimits(device: Device, ms: number): NonNullable<Machine['device']> {
  const { name, memoryBytes } = cuda.deviceProperties(device);
  const bytes = Math.min(2 ** 30, 2 ** Math.floor(Math.log2(memoryBytes / 64)));
  const x = randn([bytes / 4], { device });
  let best = Infinity;
  for (const start = performance.now(); performance.now() - start < ms;) {
    // Several for each wait, which takes as long as a short copy.
    const times = 8;
    synchronize();
    const begin = performance.now();
    for (let i = 0; i < times; i++) x.clone().dispose();
    synchronize();
    best = Math.min(best, (performance.now() - begin) / times);
  }
  x.dispose();
  const copyGBs = (2 * bytes) / (1e6 * best);
  return {
    name,
    memoryGiB: Math.round((10 * memoryBytes) / 2 ** 30) / 10,
    limits: { gflops: 0, bf16Gflops: 0, copyGBs, cachedCopyGBs: copyGBs },
  };
}
