// What a call costs when there is next to nothing to compute.
import { Worker } from 'node:worker_threads';
import { exp, getNumThreads, randn, setNumThreads, synchronize } from 'thalweg';
import { emptyRegions } from 'thalweg/probe';
import type { Row } from './row.js';

const tinyAdd: Row[] = [
  {
    name: 'add4/enqueue',
    what: 'a + b of 4 float32, the result forgotten; one wait at the end',
    unit: 'ns',
    prepare() {
      const a = randn([4]);
      const b = randn([4]);
      return {
        run(iterations) {
          for (let i = 0; i < iterations; i++) a.add(b);
          synchronize();
        },
      };
    },
  },
  {
    name: 'add4/dispose',
    what: 'a + b of 4 float32, the result disposed; one wait at the end',
    unit: 'ns',
    prepare() {
      const a = randn([4]);
      const b = randn([4]);
      return {
        run(iterations) {
          for (let i = 0; i < iterations; i++) a.add(b).dispose();
          synchronize();
        },
      };
    },
  },
  {
    name: 'add4/sync',
    what: 'a + b of 4 float32, waiting for each',
    unit: 'ns',
    prepare() {
      const a = randn([4]);
      const b = randn([4]);
      return {
        run(iterations) {
          for (let i = 0; i < iterations; i++) {
            a.add(b);
            synchronize();
          }
        },
      };
    },
  },
  {
    name: 'add4/await',
    what: 'a + b of 4 float32, each read with await',
    unit: 'ns',
    prepare() {
      const a = randn([4]);
      const b = randn([4]);
      return {
        async run(iterations) {
          for (let i = 0; i < iterations; i++) await a.add(b).data();
        },
      };
    },
  },
];

function tinyMatmul(n: number): Row {
  return {
    name: `matmul/${n}`,
    what: `a @ b of [${n}, ${n}] float32, one wait at the end`,
    unit: 'ns',
    prepare() {
      const a = randn([n, n]);
      const b = randn([n, n]);
      return {
        run(iterations) {
          for (let i = 0; i < iterations; i++) a.matmul(b);
          synchronize();
        },
      };
    },
  };
}

const emptyRegion: Row = {
  name: 'parallel/empty',
  what: 'a parallel region with nothing to do (peer: OpenMP)',
  only: 'cpu',
  unit: 'ns',
  prepare: () => ({
    run(iterations) {
      for (let left = iterations; left > 0; left -= 2 ** 16) emptyRegions(Math.min(left, 2 ** 16));
    },
  }),
};

const neighbours = 2;

/** Work of some tens of microseconds, on all threads or on one, while other threads want the processors too. */
function beside(name: string, what: string, threads: () => number): Row {
  return {
    name,
    what: `exp of 1 MB float32 ${what}beside ${neighbours} threads that never rest`,
    only: 'cpu',
    unit: 'us',
    prepare() {
      const x = randn([2 ** 18]);
      const busy = Array.from({ length: neighbours }, () => new Worker('for (;;);', { eval: true }));
      return {
        run(iterations) {
          const all = getNumThreads();
          setNumThreads(threads());
          for (let i = 0; i < iterations; i++) {
            exp(x).dispose();
            synchronize();
          }
          setNumThreads(all);
        },
        async close() {
          await Promise.all(busy.map((worker) => worker.terminate()));
        },
      };
    },
  };
}

const busyRows = [beside('busy/exp', '', getNumThreads), beside('busy/exp/serial', 'on one thread ', () => 1)];

export const dispatchRows: readonly Row[] = [...tinyAdd, tinyMatmul(4), tinyMatmul(32), emptyRegion, ...busyRows];
