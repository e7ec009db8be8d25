// Normalisation and its layers; dropout in evaluation (random values have no goldens: test/dropout.test.ts).
import { nn, tensor, type Tensor } from 'thalweg';
import { each, family, withState, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

const { alphaDropout, batchNorm, dropout, dropout1d, dropout2d, dropout3d, featureAlphaDropout } = nn.functional;
const { groupNorm, instanceNorm, layerNorm, localResponseNorm, normalize, rmsNorm } = nn.functional;

/** A parameter that may be missing. */
const given = (t: Tensor | undefined): Tensor | null => t ?? null;

// ---- rows
const lastOf =
  (shape: number | readonly number[], options: { eps?: number } = {}): Run =>
  ([x, weight, bias]) =>
    layerNorm(x, shape, { weight: given(weight), bias: given(bias), ...options });
rows('layerNorm', {
  plain: lastOf(7),
  affine: lastOf(7),
  weight: lastOf(5),
  bias: ([x, bias]) => layerNorm(x, [5], { bias }),
  several: lastOf([3, 4], { eps: 0.1 }),
  wide: lastOf(37),
  whole: lastOf(6),
  one: lastOf(1),
  noRows: lastOf(3),
  noColumns: lastOf(0),
});
rows('layerNorm', { shifted: lastOf(4) }, { tolerance: 1e-9 });
const rms =
  (shape: number | readonly number[], options: { eps?: number } = {}): Run =>
  ([x, weight]) =>
    rmsNorm(x, shape, { weight: given(weight), ...options });
rows('rmsNorm', {
  plain: rms(7),
  weight: rms([7]),
  several: rms([3, 4], { eps: 0.1 }),
  wide: rms(37, { eps: 1e-5 }),
  noRows: rms(3),
});

// ---- groups
const groups =
  (count: number, options: { eps?: number } = {}): Run =>
  ([x, weight, bias]) =>
    groupNorm(x, count, { weight: given(weight), bias: given(bias), ...options });
rows('groupNorm', {
  plain: groups(2),
  affine: groups(2),
  weight: groups(3, { eps: 0.1 }),
  bias: ([x, bias]) => groupNorm(x, 1, { bias }),
  flat: groups(2),
  single: groups(4),
  long: groups(2),
  noItems: groups(2),
});
const running = (x: Tensor): [Tensor, Tensor] => [
  tensor([0.5, -1, 2], { dtype: x.dtype }),
  tensor([0.25, 4, 1.5], { dtype: x.dtype }),
];
rows('instanceNorm', {
  ...each(['plain', 'affine', 'noPlaces'], ([x, weight, bias]) =>
    instanceNorm(x, { weight: given(weight), bias: given(bias) }),
  ),
  given: ([x]) => {
    const [runningMean, runningVar] = running(x);
    return instanceNorm(x, { runningMean, runningVar, useInputStats: false });
  },
});

// ---- channels
const batch =
  (options: { eps?: number } = {}): Run =>
  ([x, weight, bias]) =>
    batchNorm(x, null, null, { weight: given(weight), bias: given(bias), training: true, ...options });
rows('batchNorm', {
  ...each(['training', 'affine', 'images', 'manyChannels', 'columns', 'noItems'], batch()),
  weight: batch({ eps: 0.1 }),
  bias: ([x, bias]) => batchNorm(x, null, null, { bias, training: true }),
  given: ([x, weight, bias]) => batchNorm(x, ...running(x), { weight, bias }),
  givenPlain: ([x]) => batchNorm(x, ...running(x), { eps: 0.1 }),
});
rows('batchNorm', { shifted: batch() }, { tolerance: 1e-9 });

// ---- others
rows('localResponseNorm', {
  odd: ([x]) => localResponseNorm(x, 3, { alpha: 0.5 }),
  even: ([x]) => localResponseNorm(x, 4, { alpha: 0.5, beta: 0.5, k: 2 }),
  one: ([x]) => localResponseNorm(x, 1, { alpha: 0.5 }),
  default: ([x]) => localResponseNorm(x, 7),
  empty: ([x]) => localResponseNorm(x, 2),
});
rows('normalize', {
  ...each(['two', 'zero', 'empty'], ([x]) => normalize(x)),
  first: ([x]) => normalize(x, { dim: 0 }),
  one: ([x]) => normalize(x, { p: 1, dim: -1 }),
  three: ([x]) => normalize(x, { p: 3 }),
  fraction: ([x]) => normalize(x, { p: 1.5 }),
  infinity: ([x]) => normalize(x, { p: Infinity }),
  limited: ([x]) => normalize(x, { eps: 100 }),
  kink: ([x]) => normalize(x, { eps: 0.5 }),
});

// ---- layers. `kink`: with their state among the inputs, of which they know no gradient, differences say nothing.
type Make = () => nn.AnyModule;
const layer =
  (make: Make, evaluation = false): Run =>
  ([x, ...state]) => {
    const module = withState(make(), state);
    // Without a state nothing has told the module the dtype.
    if (state.length === 0) module.to(x.dtype);
    if (evaluation) module.eval();
    return module.forward(x) as Tensor;
  };
const stateful = { kink: true } as const;
rows(
  'nn.BatchNorm1d',
  {
    ...each(
      ['flat', 'training'],
      layer(() => new nn.BatchNorm1d(3)),
    ),
    evaluation: layer(() => new nn.BatchNorm1d(3), true),
  },
  stateful,
);
rows(
  'nn.BatchNorm2d',
  {
    training: layer(() => new nn.BatchNorm2d(2)),
    evaluation: layer(() => new nn.BatchNorm2d(2), true),
    untracked: layer(() => new nn.BatchNorm2d(2, { trackRunningStats: false }), true),
    plain: layer(() => new nn.BatchNorm2d(2, { affine: false, eps: 0.1 })),
  },
  stateful,
);
rows('nn.BatchNorm3d', { training: layer(() => new nn.BatchNorm3d(2)) }, stateful);
rows(
  'nn.LayerNorm',
  {
    plain: layer(() => new nn.LayerNorm(4)),
    several: layer(() => new nn.LayerNorm([2, 3], { eps: 0.1, bias: false })),
    bare: layer(() => new nn.LayerNorm(4, { elementwiseAffine: false })),
  },
  stateful,
);
rows(
  'nn.RMSNorm',
  {
    plain: layer(() => new nn.RMSNorm(4)),
    bare: layer(() => new nn.RMSNorm([2, 3], { eps: 0.1, elementwiseAffine: false })),
  },
  stateful,
);
rows(
  'nn.GroupNorm',
  {
    plain: layer(() => new nn.GroupNorm(2, 4)),
    bare: layer(() => new nn.GroupNorm(2, 4, { affine: false, eps: 0.1 })),
  },
  stateful,
);
rows(
  'nn.InstanceNorm1d',
  {
    plain: layer(() => new nn.InstanceNorm1d(3)),
    alone: layer(() => new nn.InstanceNorm1d(3, { affine: true })),
  },
  stateful,
);
const tracked = (): nn.InstanceNorm2d => new nn.InstanceNorm2d(3, { affine: true, trackRunningStats: true });
rows(
  'nn.InstanceNorm2d',
  {
    affine: layer(() => new nn.InstanceNorm2d(3, { affine: true })),
    tracked: layer(tracked),
    evaluation: layer(tracked, true),
  },
  stateful,
);
rows('nn.InstanceNorm3d', { plain: layer(() => new nn.InstanceNorm3d(2)) });
rows('nn.LocalResponseNorm', { plain: layer(() => new nn.LocalResponseNorm(3, { alpha: 0.5 })) });

// ---- dropout that drops nothing
for (const [name, fn] of Object.entries({
  dropout,
  dropout1d,
  dropout2d,
  dropout3d,
  alphaDropout,
  featureAlphaDropout,
})) {
  rows(name, { evaluation: ([x]) => fn(x, { training: false }).mul(1) });
}
for (const [name, make] of Object.entries<Make>({
  Dropout: () => new nn.Dropout(),
  Dropout1d: () => new nn.Dropout1d(),
  Dropout2d: () => new nn.Dropout2d(),
  Dropout3d: () => new nn.Dropout3d(),
  AlphaDropout: () => new nn.AlphaDropout(),
  FeatureAlphaDropout: () => new nn.FeatureAlphaDropout(),
})) {
  const run = layer(make, true);
  rows(`nn.${name}`, { evaluation: (inputs) => (run(inputs) as Tensor).mul(1) });
}
