// What memory bounds: elementwise ops, softmax, norms, reductions.
import { grad, nn, randn, type Tensor } from 'thalweg';
import { repeat } from './repeat.js';
import type { Row } from './row.js';

const MB = 2 ** 20;
const large = 64 * MB;
const medium = 8 * MB;

interface Elementwise {
  readonly name: string;
  readonly what: string;
  readonly operands: number;
  compute(a: Tensor, b: Tensor): Tensor;
}

const relu: Elementwise = { name: 'relu', what: 'relu(a)', operands: 1, compute: (a) => a.relu() };
const add: Elementwise = { name: 'add', what: 'a + b', operands: 2, compute: (a, b) => a.add(b) };
const gelu: Elementwise = { name: 'gelu', what: 'gelu(a)', operands: 1, compute: (a) => a.gelu() };
const exp: Elementwise = { name: 'exp', what: 'exp(a)', operands: 1, compute: (a) => a.exp() };

function elementwise({ name, what, operands, compute }: Elementwise, bytes: number, variant = '', note = ''): Row {
  return {
    name: `${name}/${bytes / MB}MB${variant}`,
    what: `${what} of ${bytes / MB} MB float32${note}`,
    unit: 'ms',
    bytes: (operands + 1) * bytes,
    prepare() {
      const [a, b] = [randn([bytes / 4]), randn([bytes / 4])];
      return repeat(() => compute(a, b));
    },
  };
}

// Ours is the same twice; a fresh result of PyTorch is paid for in page faults, and `out=` reuses one.
const both = (work: Elementwise): Row[] => [
  elementwise(work, large, '', ' (PyTorch: a fresh result)'),
  elementwise(work, large, '/out', ' (PyTorch: out=)'),
  elementwise(work, medium),
];

interface Normalisation {
  readonly name: string;
  readonly what: string;
  readonly shape: readonly number[];
  /** What is applied, and its parameters. */
  make(): { apply(x: Tensor): Tensor; parameters: readonly Tensor[] };
}

const softmax: Normalisation = {
  name: 'softmax',
  what: 'softmax over rows of [2048, 1024]',
  shape: [2048, 1024],
  make: () => ({ apply: (x) => x.softmax(1), parameters: [] }),
};
const layerNorm: Normalisation = {
  name: 'layernorm',
  what: 'layer norm over rows of [2048, 1024]',
  shape: [2048, 1024],
  make() {
    const layer = new nn.LayerNorm(1024);
    return { apply: (x) => layer.forward(x), parameters: layer.parameters() };
  },
};
const batchNorm: Normalisation = {
  name: 'batchnorm',
  what: 'batch norm (training) of [32, 64, 32, 32]',
  shape: [32, 64, 32, 32],
  make() {
    const layer = new nn.BatchNorm2d(64);
    return { apply: (x) => layer.forward(x), parameters: layer.parameters() };
  },
};

function normalisation({ name, what, shape, make }: Normalisation): Row[] {
  return [
    {
      name: `${name}/8MB`,
      what,
      unit: 'us',
      bytes: 2 * medium,
      prepare() {
        const { apply } = make();
        const x = randn(shape);
        return repeat(() => apply(x));
      },
    },
    {
      name: `${name}/8MB/both`,
      what: `${what}, forward and backward`,
      unit: 'us',
      // x, y forward; x or y, g and the gradient backward.
      bytes: 5 * medium,
      prepare() {
        const { apply, parameters } = make();
        const x = randn(shape, { requiresGrad: true });
        const g = randn(shape);
        return repeat(() => grad(apply(x), [x, ...parameters], { gradOutputs: [g] }));
      },
    },
  ];
}

const sum: Row = {
  name: 'sum/64MB',
  what: 'sum of 64 MB float32',
  unit: 'ms',
  bytes: large,
  prepare() {
    const a = randn([large / 4]);
    return repeat(() => a.sum());
  },
};

export const memoryRows: readonly Row[] = [
  ...both(relu),
  ...both(add),
  elementwise(exp, medium),
  elementwise(gelu, medium),
  sum,
  ...[softmax, layerNorm, batchNorm].flatMap(normalisation),
];
