// A small convolutional network for 32x32 images in colour.
import { models, nn, randint, randn } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

const first = (batch: number): number => flops.conv(batch, 3, 32, 3, 32);
const second = (batch: number): number => flops.conv(batch, 32, 64, 3, 16);
const dense = (batch: number): number => flops.linear(batch, 4096, 64) + flops.linear(batch, 64, 10);

export const cnn: Model = {
  name: 'cnn',
  what: 'conv 3-32, pool, conv 32-64, pool, dense 64, dense 10 on 32x32',
  batches: [128],
  parameters: 9 * 3 * 32 + 32 + 9 * 32 * 64 + 64 + 4096 * 64 + 64 + 64 * 10 + 10,
  trainFlops: (batch) => 2 * first(batch) + 3 * (second(batch) + dense(batch)),
  inferFlops: first(1) + second(1) + dense(1),
  make(batch) {
    const model = new models.CifarCNN();
    const x = randn([batch, 3, 32, 32]);
    const y = randint(0, 10, [batch]);
    const one = randn([1, 3, 32, 32]);
    return {
      model,
      train: withAdam(model, () => nn.functional.crossEntropy(model.forward(x), y)),
      infer: () => model.forward(one),
    };
  },
};
