// What a call costs when there is next to nothing to compute.
import { randn, synchronize } from 'thalweg';
import type { Row } from './row.js';

const tinyAdd: Row[] = [
  {
    name: 'add4/enqueue',
    what: 'c = a + b of 4 float32, c forgotten; one wait at the end',
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
    what: 'the same, c disposed',
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
    what: 'the same, waiting for each',
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
    what: 'the same, each read with await c.data()',
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

function matmul(n: number, unit: Row['unit']): Row {
  return {
    name: `matmul/${n}`,
    what: `a @ b of [${n}, ${n}] float32`,
    unit,
    flops: 2 * n ** 3,
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

export const dispatchRows: readonly Row[] = [...tinyAdd, matmul(4, 'ns'), matmul(32, 'ns'), matmul(512, 'us')];
