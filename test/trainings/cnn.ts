// A convolutional network with batch normalisation, trained with one cycle of the learning rate.
import { nn, optim, type Tensor } from 'thalweg';
import { integers, values, type MakeTraining } from './training.js';

export class CNN extends nn.Module {
  readonly features = new nn.Sequential(
    new nn.Conv2d(1, 8, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(8),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
    new nn.Conv2d(8, 16, 3, { padding: 1, bias: false }),
    new nn.BatchNorm2d(16),
    new nn.ReLU(),
    new nn.MaxPool2d(2),
  );
  readonly output = new nn.Linear(16 * 3 * 3, 4);

  override forward(images: Tensor): Tensor {
    return this.output.forward(this.features.forward(images).flatten(1));
  }
}

export const cnn: MakeTraining = (dtype) => {
  const model = new CNN().to(dtype);
  const images = values(60, [16, 1, 12, 12], dtype);
  const labels = integers(63, 4, [16]);
  const steps = 20;
  const optimizer = new optim.AdamW(model.parameters(), { weightDecay: 0.05 });
  const schedule = new optim.lrScheduler.OneCycleLR(optimizer, 0.01, { totalSteps: steps });
  return {
    model,
    step() {
      const loss = nn.functional.crossEntropy(model.forward(images), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      schedule.step();
      return loss;
    },
  };
};
