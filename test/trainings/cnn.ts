// A convolutional network with batch normalisation, trained with one cycle of the learning rate.
import { nn, optim, type Tensor } from 'thalweg';
import { integers, values, type MakeTraining } from './training.js';

export class CNN extends nn.Module {
  readonly conv1 = new nn.Conv2d(1, 8, 3, { padding: 1, bias: false });
  readonly norm1 = new nn.BatchNorm2d(8);
  readonly conv2 = new nn.Conv2d(8, 16, 3, { padding: 1, bias: false });
  readonly norm2 = new nn.BatchNorm2d(16);
  readonly pool = new nn.MaxPool2d(2);
  readonly output = new nn.Linear(16 * 3 * 3, 4);

  override forward(images: Tensor): Tensor {
    const small = this.pool.forward(this.norm1.forward(this.conv1.forward(images)).relu());
    const smaller = this.pool.forward(this.norm2.forward(this.conv2.forward(small)).relu());
    return this.output.forward(smaller.flatten(1));
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
