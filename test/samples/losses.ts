// The rows of losses and penalties. See sample.ts.
import { cosineSimilarity, full, fullLike, nn, onesLike, sub, tensor, type Tensor } from 'thalweg';
import { family, withState, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const F = nn.functional;
const reductions = ['none', 'mean', 'sum'] as const;

type Two = (a: Tensor, b: Tensor, options?: object) => Tensor;
type Three = (a: Tensor, b: Tensor, c: Tensor, options?: object) => Tensor;

/** A run for each reduction, for cases with options, and without any. */
function two(fn: Two, cases: Readonly<Record<string, object>>): Record<string, Run> {
  const all = { ...Object.fromEntries(reductions.map((reduction) => [reduction, { reduction }])), ...cases };
  return Object.fromEntries(Object.entries(all).map(([name, options]) => [name, ([a, b]) => fn(a, b, options)]));
}
function three(fn: Three, cases: Readonly<Record<string, object>>): Record<string, Run> {
  const all = { ...Object.fromEntries(reductions.map((reduction) => [reduction, { reduction }])), ...cases };
  return Object.fromEntries(Object.entries(all).map(([name, options]) => [name, ([a, b, c]) => fn(a, b, c, options)]));
}
const usual = { vector: {}, scalar: {}, empty: { reduction: 'sum' } };
const none = { reduction: 'none' } as const;
const elementwise = { none: { elementwise: true }, special: { elementwise: true } };
// What PyTorch takes for a constant is one here too: differences would see it change.
const constant = { kink: true };

// ---- errors
type Weighted = (a: Tensor, b: Tensor, options?: nn.functional.HuberLossOptions) => Tensor;
function weights(fn: Weighted, options: nn.functional.HuberLossOptions = {}): Record<string, Run> {
  return Object.fromEntries(
    reductions.map((reduction): [string, Run] => [
      `${reduction}Weight`,
      ([a, b, weight]) => fn(a, b, { ...options, weight, reduction }),
    ]),
  );
}
const special = (fn: Two): Record<string, Run> => ({ special: ([x]) => fn(x, onesLike(x), none) });
rows('mseLoss', { ...two(F.mseLoss, usual), ...weights(F.mseLoss), ...special(F.mseLoss) }, {}, elementwise);
rows(
  'l1Loss',
  { ...two(F.l1Loss, { ...usual, kink: {} }), ...weights(F.l1Loss), ...special(F.l1Loss) },
  {},
  elementwise,
);
rows(
  'smoothL1Loss',
  {
    ...two(F.smoothL1Loss, { ...usual, kink: {}, beta: { beta: 2.5 }, betaZero: { beta: 0 } }),
    ...special(F.smoothL1Loss),
  },
  {},
  elementwise,
);
rows(
  'huberLoss',
  {
    ...two(F.huberLoss, { ...usual, kink: { delta: 2 }, delta: { delta: 2.5 } }),
    ...weights(F.huberLoss, { delta: 1.5 }),
    ...special(F.huberLoss),
  },
  {},
  // Two values lie at the joint of square and line.
  { ...elementwise, mean: { kink: true } },
);

// ---- probabilities
rows(
  'binaryCrossEntropy',
  {
    ...two(F.binaryCrossEntropy, usual),
    weight: ([x, t, w]) => F.binaryCrossEntropy(x, t, { weight: w.detach() }),
    ends: ([x]) => F.binaryCrossEntropy(x, tensor([1, 0, 0, 1, 0.5], { dtype: x.dtype }), none),
    kink: ([x]) => F.binaryCrossEntropy(x, tensor([1, 0, 0, 1], { dtype: x.dtype })),
  },
  {},
  // PyTorch's smallest divisor is 1e-12 in float32.
  { ...elementwise, weight: constant, kink: { kink: true, tolerance: 1e-8 } },
);
rows(
  'binaryCrossEntropyWithLogits',
  {
    ...two(F.binaryCrossEntropyWithLogits, usual),
    weight: ([x, t, w]) => F.binaryCrossEntropyWithLogits(x, t, { weight: w.detach() }),
    posWeight: ([x, t, p]) => F.binaryCrossEntropyWithLogits(x, t, { posWeight: p.detach() }),
    both: ([x, t, w, p]) =>
      F.binaryCrossEntropyWithLogits(x, t, { weight: w.detach(), posWeight: p.detach(), reduction: 'sum' }),
    tail: ([x]) => F.binaryCrossEntropyWithLogits(x, tensor([0, 1, 0, 1, 0.5], { dtype: x.dtype }), none),
    special: ([x]) => F.binaryCrossEntropyWithLogits(x, fullLike(x, 0.25), none),
  },
  {},
  { ...elementwise, weight: constant, posWeight: constant, both: constant },
);
rows(
  'klDiv',
  {
    ...two(F.klDiv, {
      ...usual,
      batchmean: { reduction: 'batchmean' },
      logTarget: { logTarget: true },
      logTargetBatchmean: { logTarget: true, reduction: 'batchmean' },
      broadcast: { reduction: 'sum' },
    }),
    zero: ([x, t]) => F.klDiv(x, t.detach(), { reduction: 'sum' }),
  },
  {},
  { ...elementwise, zero: constant },
);
rows('poissonNllLoss', {
  ...two(F.poissonNllLoss, {
    ...usual,
    rate: { logInput: false },
    full: { full: true },
    rateFull: { logInput: false, full: true, eps: 0.125 },
  }),
  counts: ([x]) => F.poissonNllLoss(x, tensor([0, 1, 2, 3], { dtype: x.dtype }), { full: true }),
});
rows('gaussianNllLoss', {
  ...three(F.gaussianNllLoss, {
    vector: {},
    full: { full: true },
    eps: { eps: 1e-3 },
    homoscedastic: {},
    lastMissing: {},
    kink: { eps: 0.5 },
    empty: { reduction: 'sum' },
  }),
  number: ([x, t]) => F.gaussianNllLoss(x, t, 0.75),
});

// ---- margins
const signs = [
  [1, -1, 1, 1, -1],
  [-1, -1, 1, -1, 1],
  [1, 1, -1, -1, -1],
];
const signsFor = (x: Tensor): Tensor => {
  const { dtype } = x;
  return x.shape.length === 2
    ? tensor(signs, { dtype })
    : x.shape.length === 1
      ? tensor(signs[0], { dtype })
      : full([], 1, { dtype });
};
const oneInput = (fn: Two, cases: Readonly<Record<string, object>>): Record<string, Run> => ({
  ...two((x, _, options) => fn(x, signsFor(x), options), { vector: {}, scalar: {}, ...cases }),
  empty: ([x]) => fn(x, x.detach(), { reduction: 'sum' }),
  special: ([x]) => fn(x, onesLike(x), none),
});
rows('hingeEmbeddingLoss', {
  ...oneInput(F.hingeEmbeddingLoss, { margin: { margin: 2.25 } }),
  kink: ([x]) => F.hingeEmbeddingLoss(x, tensor([-1, -1, 1, 0, 0], { dtype: x.dtype })),
});
rows('softMarginLoss', oneInput(F.softMarginLoss, {}));
rows(
  'marginRankingLoss',
  {
    ...two((a, b, options) => F.marginRankingLoss(a, b, signsFor(a), options), {
      vector: {},
      margin: { margin: 1.25 },
    }),
    kink: ([a, b]) => F.marginRankingLoss(a, b, tensor([1, -1, 1], { dtype: a.dtype })),
    empty: ([a, b]) => F.marginRankingLoss(a, b, a.detach(), { reduction: 'sum' }),
    broadcast: ([a, b, t]) => F.marginRankingLoss(a, b, t.detach(), { margin: 0.5 }),
  },
  {},
  { broadcast: constant },
);
const samplesFor = (a: Tensor): Tensor => tensor([1, -1, -1, 1], { dtype: a.dtype });
rows('cosineEmbeddingLoss', {
  ...two((a, b, options) => F.cosineEmbeddingLoss(a, b, samplesFor(a), options), {
    margin: { margin: 0.25, reduction: 'none' },
  }),
  vector: ([a, b]) => F.cosineEmbeddingLoss(a, b, full([], -1, { dtype: a.dtype })),
  empty: ([a, b]) => F.cosineEmbeddingLoss(a, b, full([0], 1, { dtype: a.dtype }), { reduction: 'sum' }),
});
rows(
  'tripletMarginLoss',
  three(F.tripletMarginLoss, {
    vector: {},
    margin: { margin: 3.5 },
    p1: { p: 1, reduction: 'none' },
    p3: { p: 3 },
    swap: { swap: true, reduction: 'none' },
    eps: { eps: 0.125 },
    broadcast: { margin: 5 },
    empty: { reduction: 'sum' },
  }),
);
const distance = (a: Tensor, b: Tensor): Tensor => sub(1, cosineSimilarity(a, b));
rows(
  'tripletMarginWithDistanceLoss',
  three(F.tripletMarginWithDistanceLoss, {
    swap: { swap: true, reduction: 'none' },
    distance: { distanceFunction: distance, margin: 0.5 },
  }),
);

// ---- classes
rows(
  'multiMarginLoss',
  {
    ...two(F.multiMarginLoss, {
      p2: { p: 2 },
      margin: { margin: 2.25, reduction: 'none' },
      vector: {},
      vectorNone: none,
      int32: {},
      kink: {},
    }),
    noneWeight: ([x, y, w]) => F.multiMarginLoss(x, y, { weight: w.detach(), reduction: 'none' }),
    meanWeight: ([x, y, w]) => F.multiMarginLoss(x, y, { weight: w.detach() }),
    p2Weight: ([x, y, w]) => F.multiMarginLoss(x, y, { weight: w.detach(), p: 2, reduction: 'sum' }),
  },
  {},
  { noneWeight: constant, meanWeight: constant, p2Weight: constant },
);
rows('multilabelMarginLoss', two(F.multilabelMarginLoss, { vector: {}, vectorNone: none, kink: {} }));
rows('multilabelSoftMarginLoss', {
  ...two(F.multilabelSoftMarginLoss, { vector: {}, leading: none }),
  ...weights(F.multilabelSoftMarginLoss),
});

// ---- penalties
rows('l1Penalty', { two: (inputs) => F.l1Penalty(inputs), kink: (inputs) => F.l1Penalty(inputs) });
rows('l2Penalty', { two: (inputs) => F.l2Penalty(inputs), empty: (inputs) => F.l2Penalty(inputs) });
rows('elasticNet', { two: (inputs) => F.elasticNet(inputs, { l1: 0.5, l2: 0.25 }) });

// ---- layers
type Layer = nn.AnyModule & { forward(...inputs: Tensor[]): Tensor };
const layer =
  (make: () => Layer, count = 2): Run =>
  (inputs) =>
    make().forward(...inputs.slice(0, count));
const apart = (t: Tensor): Tensor => t.detach().clone();
rows('nn.MSELoss', { weight: ([x, t, w]) => new nn.MSELoss({ weight: apart(w) }).forward(x, t) }, constant);
rows('nn.L1Loss', { sum: layer(() => new nn.L1Loss({ reduction: 'sum' })) });
rows('nn.SmoothL1Loss', { beta: layer(() => new nn.SmoothL1Loss({ beta: 2.5 })) });
rows('nn.HuberLoss', { delta: layer(() => new nn.HuberLoss({ delta: 2.5 })) });
rows(
  'nn.BCELoss',
  {
    weight: ([x, t, w]) => withState(new nn.BCELoss({ weight: full([5], 1) }), [w]).forward(x, t),
  },
  constant,
);
rows(
  'nn.BCEWithLogitsLoss',
  {
    both: ([x, t, w, p]) =>
      withState(new nn.BCEWithLogitsLoss({ weight: full([5], 1), posWeight: full([5], 1) }), [w, p]).forward(x, t),
  },
  constant,
);
rows('nn.KLDivLoss', { batchmean: layer(() => new nn.KLDivLoss({ reduction: 'batchmean' })) });
rows('nn.PoissonNLLLoss', { full: layer(() => new nn.PoissonNLLLoss({ full: true })) });
rows('nn.GaussianNLLLoss', { full: ([x, t, v]) => new nn.GaussianNLLLoss({ full: true }).forward(x, t, v) });
rows('nn.HingeEmbeddingLoss', {
  margin: ([x]) => new nn.HingeEmbeddingLoss({ margin: 2.25 }).forward(x, signsFor(x)),
});
rows('nn.SoftMarginLoss', { sum: ([x]) => new nn.SoftMarginLoss({ reduction: 'sum' }).forward(x, signsFor(x)) });
rows('nn.MarginRankingLoss', {
  margin: ([a, b]) => new nn.MarginRankingLoss({ margin: 1.25 }).forward(a, b, signsFor(a)),
});
rows('nn.CosineEmbeddingLoss', {
  margin: ([a, b]) => new nn.CosineEmbeddingLoss({ margin: 0.25 }).forward(a, b, samplesFor(a)),
});
rows('nn.TripletMarginLoss', { swap: layer(() => new nn.TripletMarginLoss({ swap: true }), 3) });
rows('nn.TripletMarginWithDistanceLoss', {
  distance: layer(() => new nn.TripletMarginWithDistanceLoss({ distanceFunction: distance, margin: 0.5 }), 3),
});
rows(
  'nn.MultiMarginLoss',
  {
    weight: ([x, y, w]) => withState(new nn.MultiMarginLoss({ p: 2, weight: full([5], 1) }), [w]).forward(x, y),
  },
  constant,
);
rows('nn.MultiLabelMarginLoss', { sum: layer(() => new nn.MultiLabelMarginLoss({ reduction: 'sum' })) });
rows(
  'nn.MultiLabelSoftMarginLoss',
  {
    weight: ([x, t, w]) => withState(new nn.MultiLabelSoftMarginLoss({ weight: full([5], 1) }), [w]).forward(x, t),
  },
  constant,
);
