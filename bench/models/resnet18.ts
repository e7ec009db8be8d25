// ResNet-18 with the stem for 32x32 images: a 3x3 convolution, no pooling (He et al. 2015, section 4.2).
import { models, nn, randint, randn } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

/** Channels, and the size of the image, of the four stages of two blocks. */
const stages = [
  { inputs: 64, outputs: 64, size: 32 },
  { inputs: 64, outputs: 128, size: 16 },
  { inputs: 128, outputs: 256, size: 8 },
  { inputs: 256, outputs: 512, size: 4 },
] as const;

const stem = (batch: number): number => flops.conv(batch, 3, 64, 3, 32);

const body = (batch: number): number =>
  stages.reduce(
    (sum, { inputs, outputs, size }) => {
      const inner = flops.conv(batch, outputs, outputs, 3, size);
      const shortcut = inputs === outputs ? 0 : flops.conv(batch, inputs, outputs, 1, size);
      return sum + flops.conv(batch, inputs, outputs, 3, size) + 3 * inner + shortcut;
    },
    flops.linear(batch, 512, 10),
  );

const parameters = stages.reduce(
  (sum, { inputs, outputs }) =>
    // Weights of four convolutions, and scales and shifts of four norms; a shortcut has one of each.
    sum +
    9 * inputs * outputs +
    27 * outputs ** 2 +
    8 * outputs +
    (inputs === outputs ? 0 : inputs * outputs + 2 * outputs),
  9 * 3 * 64 + 2 * 64 + 512 * 10 + 10,
);

export const resnet18: Model = {
  name: 'resnet18',
  what: 'ResNet-18 on 32x32',
  batches: [32],
  slow: true,
  parameters,
  trainFlops: (batch) => 2 * stem(batch) + 3 * body(batch),
  inferFlops: stem(1) + body(1),
  make(batch) {
    const model = models.resnet18({ stem: 'cifar', numClasses: 10 });
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
