// A variational autoencoder of digits (Kingma and Welling 2014).
import { nn, rand, randn, type Tensor } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [pixels, hidden, code] = [784, 400, 20] as const;

class VAE extends nn.Module {
  readonly encoder = new nn.Sequential(new nn.Linear(pixels, hidden), new nn.ReLU());
  readonly mean = new nn.Linear(hidden, code);
  readonly logVariance = new nn.Linear(hidden, code);
  readonly decoder = new nn.Sequential(new nn.Linear(code, hidden), new nn.ReLU(), new nn.Linear(hidden, pixels));

  override forward(x: Tensor): [logits: Tensor, mean: Tensor, logVariance: Tensor] {
    const h = this.encoder.forward(x);
    const [mean, logVariance] = [this.mean.forward(h), this.logVariance.forward(h)];
    const noise = randn(mean.shape);
    return [this.decoder.forward(mean.add(noise.mul(logVariance.mul(0.5).exp()))), mean, logVariance];
  }
}

function negativeBound(model: VAE, x: Tensor): Tensor {
  const [logits, mean, logVariance] = model.forward(x);
  const reconstruction = nn.functional.binaryCrossEntropyWithLogits(logits, x, { reduction: 'sum' });
  const divergence = mean.square().add(logVariance.exp()).sub(1).sub(logVariance).sum().mul(0.5);
  return reconstruction.add(divergence);
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
    const model = new VAE();
    const x = rand([batch, pixels]);
    const one = rand([1, pixels]);
    return { model, train: withAdam(model, () => negativeBound(model, x)), infer: () => model.forward(one)[0] };
  },
};
