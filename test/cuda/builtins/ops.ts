// Ops that models and losses of one's own are made of, forward and backward, in float32.
import { nn, noGrad, rand, randn, where, type Tensor } from 'thalweg';

const F = nn.functional;

const options = { device: 'cuda', requiresGrad: true } as const;
const matrix = (): Tensor => randn([4, 6], options);
/** From 0 to 1, where everything has a logarithm. */
const positive = (): Tensor => rand([4, 6], options);

const unary: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  relu: F.relu,
  relu6: F.relu6,
  leakyRelu: F.leakyRelu,
  elu: F.elu,
  gelu: F.gelu,
  geluTanh: (x) => F.gelu(x, { approximate: 'tanh' }),
  silu: F.silu,
  softplus: F.softplus,
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  neg: (x) => x.neg(),
  abs: (x) => x.abs(),
  square: (x) => x.square(),
  sqrt: (x) => x.sqrt(),
  rsqrt: (x) => x.rsqrt(),
  exp: (x) => x.exp(),
  log: (x) => x.log(),
  clamp: (x) => x.clamp({ min: 0.2, max: 0.8 }),
  'pow of a number': (x) => x.pow(3),
  'add, a number': (x) => x.add(1),
  'sub, a number': (x) => x.sub(1),
  'mul, a number': (x) => x.mul(2),
  'div, a number': (x) => x.div(2),
};

const arithmetic: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  add: (a, b) => a.add(b),
  sub: (a, b) => a.sub(b),
  mul: (a, b) => a.mul(b),
  div: (a, b) => a.div(b),
};
const choices: Readonly<Record<string, (a: Tensor, b: Tensor) => Tensor>> = {
  maximum: (a, b) => a.maximum(b),
  minimum: (a, b) => a.minimum(b),
  where: (a, b) => where(a.gt(b), a, b),
};

const reductions: Readonly<Record<string, (x: Tensor, dim?: number) => Tensor>> = {
  sum: (x, dim) => x.sum(dim),
  mean: (x, dim) => x.mean(dim),
  max: (x, dim) => (dim === undefined ? x.max() : x.max(dim).values),
  var: (x, dim) => x.var(dim),
  logsumexp: (x, dim) => x.logsumexp(dim ?? [0, 1]),
};

const losses: Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>> = {
  mse: F.mseLoss,
  l1: F.l1Loss,
  smoothL1: F.smoothL1Loss,
  binaryCrossEntropy: F.binaryCrossEntropy,
  binaryCrossEntropyWithLogits: F.binaryCrossEntropyWithLogits,
  cosineSimilarity: (x, y) => F.cosineSimilarity(x, y).mean(),
};

/** Backward of a sum: of one whose gradient is that of a number, and of one whose gradient is a matrix. */
function backward(y: Tensor): void {
  if (y.shape.length > 0) y.mul(2).sum().backward();
  else y.backward();
}

const named = (kind: string, names: readonly string[], run: (name: string) => void): Record<string, () => void> =>
  Object.fromEntries(names.map((name) => [`${kind} ${name}`, () => run(name)]));

/** By name: what runs an op. */
export const ops: Readonly<Record<string, () => void>> = {
  ...named('elementwise', Object.keys(unary), (name) => backward(unary[name](positive()))),
  ...named('elementwise', Object.keys(choices), (name) => backward(choices[name](matrix(), matrix()))),
  ...named('elementwise', Object.keys(arithmetic), (name) => {
    // The last two are broadcast, along rows and along columns.
    for (const shape of [[4, 6], [6], [4, 1]]) backward(arithmetic[name](matrix(), randn(shape, options)));
  }),
  ...named('reduction', Object.keys(reductions), (name) => {
    for (const dim of [undefined, 0, 1]) backward(reductions[name](matrix(), dim));
  }),
  ...named('loss', Object.keys(losses), (name) =>
    backward(
      losses[name](
        positive(),
        noGrad(() => positive().detach()),
      ),
    ),
  ),
  'accuracy of a classifier'() {
    const labels = matrix().argmax(1);
    matrix().argmax(1).eq(labels).sum().itemSync();
    matrix().softmax(1).argmax(-1).eq(labels).to('float32').mean().itemSync();
  },
  comparisons() {
    const [a, b] = [matrix().detach(), matrix().detach()];
    for (const f of ['eq', 'ne', 'lt', 'gt'] as const) {
      a[f](b);
      a[f](0);
    }
    a.isfinite().all().itemSync();
  },
  'in place'() {
    const [a, b] = [matrix().detach(), matrix().detach()];
    a.add_(b).sub_(b).mul_(b).div_(b).add_(1).mul_(2).add_(b, { alpha: 0.1 }).zero_().fill_(1);
  },
};
