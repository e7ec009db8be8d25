// A variational autoencoder of digits (Kingma and Welling 2014).
import { models, rand, type Tensor } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [pixels, hidden, code] = [784, 400, 20] as const;

function negativeBound(model: models.VAE, x: Tensor): Tensor {
  const [logits, mean, logVariance] = model.forward(x);
  return models.vaeLoss(logits, x, mean, logVariance, { reduction: 'sum' });
}

const first = (batch: number): number => flops.linear(batch, pixels, hidden);
const rest = (batch: number): number => 3 * flops.linear(batch, hidden, code) + flops.linear(batch, hidden, pixels);

export const vae: Model = {
  name: 'vae',
  what: `variational autoencoder ${pixels}-${hidden}-${code}-${hidden}-${pixels}`,
  batches: [128],
  parameters: 2 * pixels * hidden + 3 * hidden * code + 2 * hidden + 2 * code + pixels,
  trainFlops: (batch) => 2 * first(batch) + 3 * rest(batch),
  inferFlops: first(1) + rest(1),
  make(batch) {
    const model = new models.VAE({ inputSize: pixels, hidden: [hidden], latentSize: code });
    const x = rand([batch, pixels]);
    const one = rand([1, pixels]);
    return { model, train: withAdam(model, () => negativeBound(model, x)), infer: () => model.forward(one)[0] };
  },
};
