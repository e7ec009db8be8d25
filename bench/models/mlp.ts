// The network of the MNIST example.
import { models, nn, randint, randn } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const [inputs, hidden, outputs] = [784, 512, 10] as const;

export const mlp: Model = {
  name: 'mlp',
  what: `${inputs}-${hidden}-${outputs}`,
  batches: [8, 32, 128, 512],
  parameters: inputs * hidden + hidden + hidden * outputs + outputs,
  trainFlops: (batch) => 2 * flops.linear(batch, inputs, hidden) + 3 * flops.linear(batch, hidden, outputs),
  inferFlops: flops.linear(1, inputs, hidden) + flops.linear(1, hidden, outputs),
  make(batch) {
    const model = new models.MLP(inputs, outputs, { hidden: [hidden] });
    const x = randn([batch, inputs]);
    const y = randint(0, outputs, [batch]);
    const one = randn([1, inputs]);
    return {
      model,
      train: withAdam(model, () => nn.functional.crossEntropy(model.forward(x), y)),
      infer: () => model.forward(one),
    };
  },
};
