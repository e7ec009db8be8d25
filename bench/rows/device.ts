// Large enough for a GPU: what memory bounds with operands beyond its caches, products beyond a launch's cost.
import { grad, nn, optim, randint, randn, type DType, type Tensor } from 'thalweg';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

const MB = 2 ** 20;
const large = 1024 * MB;

type Elementwise = readonly [name: string, operands: number, compute: (a: Tensor, b: Tensor) => Tensor];

const elementwise: readonly Elementwise[] = [
  ['copy', 1, (a) => a.clone()],
  ['relu', 1, (a) => a.relu()],
  ['add', 2, (a, b) => a.add(b)],
  ['gelu', 1, (a) => a.gelu()],
];

const elementwiseRows = elementwise.map(([name, operands, compute]): Row => ({
  name: `${name}/1024MB`,
  what: `${name} of 1024 MB float32`,
  unit: 'us',
  only: 'cuda',
  bytes: (operands + 1) * large,
  prepare() {
    const [a, b] = [randn([large / 4]), randn([large / 4])];
    return repeat(() => compute(a, b));
  },
}));

const [rows, columns] = [2 ** 16, 4096];
const matrix = 4 * rows * columns;

/** Over rows of [65536, 4096]. `passes`: how often a matrix of that size is read or written, forward and backward. */
function rowwise(
  name: string,
  what: string,
  make: () => (x: Tensor) => Tensor,
  passes: readonly [number, number],
): Row[] {
  const base = { unit: 'us', only: 'cuda' } as const;
  return [
    {
      ...base,
      name: `${name}/1024MB`,
      what: `${what} over rows of [${rows}, ${columns}]`,
      bytes: passes[0] * matrix,
      prepare() {
        const apply = make();
        const x = randn([rows, columns]);
        return repeat(() => apply(x));
      },
    },
    {
      ...base,
      name: `${name}/1024MB/both`,
      what: `${what} over rows of [${rows}, ${columns}], forward and backward`,
      bytes: (passes[0] + passes[1]) * matrix,
      prepare() {
        const apply = make();
        const x = randn([rows, columns], { requiresGrad: true });
        const y = apply(x);
        const g = y.shape.length === 0 ? undefined : randn(y.shape);
        y.dispose();
        return repeat(() => grad([apply(x)], [x], g === undefined ? {} : { gradOutputs: [g] }));
      },
    },
  ];
}

const rowwiseRows: readonly Row[] = [
  ...rowwise('softmax', 'softmax', () => (x) => x.softmax(1), [2, 3]),
  ...rowwise(
    'layernorm',
    'layer norm',
    () => {
      const layer = new nn.LayerNorm(columns);
      return (x) => layer.forward(x);
    },
    [2, 3],
  ),
  ...rowwise(
    'crossentropy',
    'cross entropy',
    () => {
      const target = randint(0, columns, [rows]);
      return (x) => nn.functional.crossEntropy(x, target);
    },
    [1, 2],
  ),
];

const adamRow: Row = {
  name: 'adam/1x100M',
  what: 'optim.Adam.step() over one parameter of 100,000,000 float32 (PyTorch: fused)',
  unit: 'us',
  only: 'cuda',
  bytes: 28e8,
  prepare() {
    const p = randn([1e8], { requiresGrad: true });
    p.grad = randn([1e8]);
    const adam = new optim.Adam([p], { lr: 1e-6 });
    return repeat(() => adam.step());
  },
};

function product(name: string, dtype: DType, n: number): Row {
  return {
    name: `${name}/${n}`,
    what: `[${n}, ${n}] @ [${n}, ${n}] ${dtype}`,
    unit: 'us',
    only: 'cuda',
    flops: 2 * n ** 3,
    bytes: 3 * n ** 2 * (dtype === 'float32' ? 4 : 2),
    prepare() {
      const [a, b] = [randn([n, n], { dtype }), randn([n, n], { dtype })];
      return repeat(() => a.matmul(b));
    },
  };
}

/** A few lines, some of them long: where what sorts with CUB and what does not (THALWEG_CUB=0) differ. */
function sorting(name: string, lines: number, columns: number, dtype: 'float32' | 'int64'): Row {
  return {
    name: `sort/${name}`,
    what: `stable sort over rows of [${lines}, ${columns}] ${dtype}`,
    unit: 'us',
    only: 'cuda',
    bytes: lines * columns * (2 * (dtype === 'float32' ? 4 : 8) + 8),
    prepare() {
      const shape = [lines, columns];
      const x = dtype === 'float32' ? randn(shape) : randint(-(2 ** 52), 2 ** 52, shape);
      return repeat(() => {
        const { values, indices } = x.sort(1);
        return [values, indices];
      });
    },
  };
}

export const deviceRows: readonly Row[] = [
  ...elementwiseRows,
  ...rowwiseRows,
  adamRow,
  product('bf16gemm', 'bfloat16', 4096),
  product('bf16gemm', 'bfloat16', 8192),
  product('f16gemm', 'float16', 8192),
  product('sgemm', 'float32', 4096),
  sorting('1x64K', 1, 2 ** 16, 'float32'),
  sorting('1x64M', 1, 2 ** 26, 'float32'),
  sorting('128x1M', 128, 2 ** 20, 'float32'),
  sorting('1x32M/int64', 1, 2 ** 25, 'int64'),
];
