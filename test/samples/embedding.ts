// The rows of embedding tables and of normalised weights. See sample.ts.
import { embedding, embeddingBag, nn, type Tensor } from 'thalweg';
import { each, family, withState, type Run } from './sample.js';

const { samples, rows } = family();
export { samples };

type Indices = Tensor<readonly number[], 'int64'>;
type Table = Tensor<readonly number[], 'float64'>;
type BagOptions = Parameters<typeof embeddingBag>[2];

// ---- embedding: gradients that are no derivatives
const table =
  (options: Parameters<typeof embedding>[2]): Run =>
  ([weight, indices]) =>
    embedding(weight, indices as Indices, options);
rows(
  'embedding',
  {
    padding: table({ paddingIdx: 1 }),
    paddingNegative: table({ paddingIdx: -1 }),
    frequency: table({ scaleGradByFreq: true }),
  },
  { kink: true },
);

const bag =
  (options: BagOptions): Run =>
  ([weight, indices, offsets]) =>
    embeddingBag(weight as Table, indices as Indices, {
      ...options,
      ...(offsets === undefined ? {} : { offsets: offsets as Indices }),
    });
for (const mode of ['sum', 'mean', 'max'] as const) {
  rows('embeddingBag', {
    ...each([mode, `${mode}Table`], bag({ mode })),
    [`${mode}Padding`]: bag({ mode, paddingIdx: 1 }),
  });
}
rows('embeddingBag', {
  last: bag({ mode: 'sum', includeLastOffset: true }),
  ...each(['weighted', 'weightedTable'], ([weight, perSampleWeights, indices, offsets]) =>
    bag({ mode: 'sum', perSampleWeights })([weight, indices, ...(offsets === undefined ? [] : [offsets])]),
  ),
});

rows('nn.Embedding', {
  plain: ([indices, weight]) => withState(new nn.Embedding(4, 3), [weight]).forward(indices).detach(),
});
rows('nn.EmbeddingBag', {
  plain: ([indices, offsets, weight]) =>
    withState(new nn.EmbeddingBag(5, 3), [weight]).forward(indices, offsets).detach(),
});
rows('nn.Unflatten', { plain: ([x]) => new nn.Unflatten(1, [2, 3]).forward(x) });

// ---- normalised weights: the inputs are the parts
const normalized =
  (dim: number | null): Run =>
  ([x, weight_v, weight_g]) => {
    const layer = nn.utils.weightNorm(new nn.Linear(4, 3, { bias: false }), 'weight', { dim });
    return Object.assign(layer, { weight_v, weight_g }).forward(x);
  };
rows('weightNorm', { linear: normalized(0), dim: normalized(1), whole: normalized(null) });

const spectral =
  (training: boolean, nPowerIterations: number): Run =>
  ([x, weight_orig, u, v]) => {
    const layer = nn.utils.spectralNorm(new nn.Linear(4, 3, { bias: false }), 'weight', { nPowerIterations });
    const [weight_u, weight_v] = [u.detach().clone(), v.detach().clone()];
    return [Object.assign(layer.train(training), { weight_orig, weight_u, weight_v }).forward(x), weight_u, weight_v];
  };
// Nothing is differentiated by the singular vectors.
rows('spectralNorm', { training: spectral(true, 2), evaluation: spectral(false, 1) }, { kink: true });
