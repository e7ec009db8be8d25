// A variational autoencoder (Kingma and Welling 2014) of binary images.
import { nn, optim, type Tensor } from 'thalweg';
import { integers, values, type MakeTraining } from './training.js';

export class VAE extends nn.Module {
  readonly encoder = new nn.Sequential(new nn.Linear(24, 32), new nn.ReLU());
  readonly mean = new nn.Linear(32, 4);
  readonly log_variance = new nn.Linear(32, 4);
  readonly decoder = new nn.Sequential(new nn.Linear(4, 32), new nn.ReLU(), new nn.Linear(32, 24));

  /** Scores of the pixels, and the mean and log variance of the code that they were made from. */
  override forward(x: Tensor, noise: Tensor): [logits: Tensor, mean: Tensor, logVariance: Tensor] {
    const h = this.encoder.forward(x);
    const mean = this.mean.forward(h);
    const logVariance = this.log_variance.forward(h);
    // The noise comes from outside, so that gradients flow to mean and variance.
    const code = mean.add(noise.mul(logVariance.div(2).exp()));
    return [this.decoder.forward(code), mean, logVariance];
  }
}

export const vae: MakeTraining = (dtype) => {
  const model = new VAE().to(dtype);
  const images = integers(90, 2, [32, 24]).to(dtype);
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  return {
    model,
    step(number) {
      // Fixed here, to be compared; elsewhere randn([32, 4]).
      const noise = values(91 + number, [32, 4], dtype).mul(1.7);
      const [logits, mean, logVariance] = model.forward(images, noise);
      const reconstruction = nn.functional.binaryCrossEntropyWithLogits(logits, images, { reduction: 'sum' });
      const divergence = mean.square().add(logVariance.exp()).sub(1).sub(logVariance).sum().div(2);
      const loss = reconstruction.add(divergence).div(32);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
};
