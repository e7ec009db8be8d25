// A training step of the network of the MNIST example, with Adam.
import { nn, optim, randint, randn, synchronize } from 'thalweg';
import type { Row } from './row.js';

const [inputs, hidden, outputs] = [784, 512, 10] as const;

function mlp(batch: number): Row {
  return {
    name: `mlp/${batch}`,
    what: `forward, crossEntropy, backward, Adam of ${inputs}-${hidden}-${outputs} at batch ${batch}`,
    unit: 'ms',
    // Each layer's product forward and for its weight's gradient; for the input's gradient the second layer only.
    flops: 2 * batch * (2 * inputs * hidden + 3 * hidden * outputs),
    prepare() {
      const model = new nn.Sequential(new nn.Linear(inputs, hidden), new nn.ReLU(), new nn.Linear(hidden, outputs));
      const adam = new optim.Adam(model.parameters(), { lr: 1e-4 });
      const x = randn([batch, inputs]);
      const y = randint(0, outputs, [batch]);
      return {
        run(iterations) {
          for (let i = 0; i < iterations; i++) {
            const loss = nn.functional.crossEntropy(model.forward(x), y);
            adam.zeroGrad();
            loss.backward();
            adam.step();
          }
          synchronize();
        },
      };
    },
  };
}

export const mlpRows: readonly Row[] = [8, 32, 128, 512].map(mlp);
