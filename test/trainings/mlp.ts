// A multi-layer perceptron that learns classes, with momentum.
import { nn, optim, type Tensor } from 'thalweg';
import { integers, values, type MakeTraining } from './training.js';

export class MLP extends nn.Module {
  readonly hidden = new nn.Linear(12, 32);
  readonly middle = new nn.Linear(32, 16);
  readonly output = new nn.Linear(16, 5);

  override forward(x: Tensor): Tensor {
    return this.output.forward(this.middle.forward(this.hidden.forward(x).relu()).relu());
  }
}

export const mlp: MakeTraining = (dtype) => {
  const model = new MLP().to(dtype);
  const x = values(50, [64, 12], dtype);
  const labels = integers(51, 5, [64]);
  const optimizer = new optim.SGD(model.parameters(), { lr: 0.1, momentum: 0.9 });
  return {
    model,
    step() {
      const loss = nn.functional.crossEntropy(model.forward(x), labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    },
  };
};
