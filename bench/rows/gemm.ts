// Matrix products: squares, and the shapes that training makes.
import { randn } from 'thalweg';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

type Kind = 'nn' | 'nt' | 'tn';

/** [m, k] by [k, n]; `nt`: b is stored as [n, k], `tn`: a as [k, m], as a linear layer's forward and weight gradient have it. */
function product(name: string, kind: Kind, [m, n, k]: readonly [number, number, number]): Row {
  const flops = 2 * m * n * k;
  return {
    name,
    what: `[${m}, ${k}] @ [${k}, ${n}] float32${kind === 'nn' ? '' : kind === 'nt' ? ', second transposed' : ', first transposed'}`,
    unit: flops > 1e8 ? 'ms' : 'us',
    flops,
    bytes: 4 * (m * k + k * n + m * n),
    prepare() {
      const a = kind === 'tn' ? randn([k, m]).t() : randn([m, k]);
      const b = kind === 'nt' ? randn([n, k]).t() : randn([k, n]);
      return repeat(() => a.matmul(b));
    },
  };
}

const squares = [256, 512, 1024, 2048].map((n) => product(`sgemm/${n}`, 'nn', [n, n, n]));

/** The three products of a linear layer: forward, gradient of the input, gradient of the weight. */
function linear(batch: number, inputs: number, outputs: number): Row[] {
  const shapes: readonly (readonly [Kind, number, number, number])[] = [
    ['nt', batch, outputs, inputs],
    ['nn', batch, inputs, outputs],
    ['tn', outputs, inputs, batch],
  ];
  return shapes.map(([kind, m, n, k]) => product(`gemm/${kind}/${m}x${n}x${k}`, kind, [m, n, k]));
}

function bfloat16(n: number): Row {
  return {
    name: `bf16gemm/${n}`,
    what: `[${n}, ${n}] @ [${n}, ${n}] bfloat16`,
    unit: 'ms',
    dtype: 'bfloat16',
    flops: 2 * n ** 3,
    bytes: 3 * 2 * n ** 2,
    prepare() {
      const [a, b] = [randn([n, n], { dtype: 'bfloat16' }), randn([n, n], { dtype: 'bfloat16' })];
      return repeat(() => a.matmul(b));
    },
  };
}

export const gemmRows: readonly Row[] = [
  ...squares,
  ...linear(128, 784, 512),
  ...linear(128, 512, 10),
  ...linear(2048, 384, 1536),
  product('gemv/784x512', 'nt', [1, 512, 784]),
  ...[512, 1024, 2048].map(bfloat16),
];
