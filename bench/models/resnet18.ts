// ResNet-18 with the stem for 32x32 images: a 3x3 convolution, no pooling (He et al. 2015, section 4.2).
import { nn, randint, randn, relu, type Tensor } from 'thalweg';
import * as flops from './flops.js';
import { type Model, withAdam } from './model.js';

/** The way around a block that changes the size. */
class Shortcut extends nn.Module {
  readonly conv;
  readonly bn;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv = new nn.Conv2d(inputs, outputs, 1, { stride, bias: false });
    this.bn = new nn.BatchNorm2d(outputs);
  }

  override forward(x: Tensor): Tensor {
    return this.bn.forward(this.conv.forward(x));
  }
}

class Block extends nn.Module {
  readonly conv1;
  readonly bn1;
  readonly conv2;
  readonly bn2;
  readonly shortcut: Shortcut | null;

  constructor(inputs: number, outputs: number, stride: number) {
    super();
    this.conv1 = new nn.Conv2d(inputs, outputs, 3, { stride, padding: 1, bias: false });
    this.bn1 = new nn.BatchNorm2d(outputs);
    this.conv2 = new nn.Conv2d(outputs, outputs, 3, { padding: 1, bias: false });
    this.bn2 = new nn.BatchNorm2d(outputs);
    this.shortcut = stride === 1 && inputs === outputs ? null : new Shortcut(inputs, outputs, stride);
  }

  override forward(x: Tensor): Tensor {
    const h = relu(this.bn1.forward(this.conv1.forward(x)));
    return relu(this.bn2.forward(this.conv2.forward(h)).add(this.shortcut === null ? x : this.shortcut.forward(x)));
  }
}

/** Channels, and the size of the image, of the four stages of two blocks. */
const stages = [
  { inputs: 64, outputs: 64, size: 32 },
  { inputs: 64, outputs: 128, size: 16 },
  { inputs: 128, outputs: 256, size: 8 },
  { inputs: 256, outputs: 512, size: 4 },
] as const;

class ResNet18 extends nn.Module {
  readonly conv1 = new nn.Conv2d(3, 64, 3, { padding: 1, bias: false });
  readonly bn1 = new nn.BatchNorm2d(64);
  readonly blocks = stages.flatMap(({ inputs, outputs }) => [
    new Block(inputs, outputs, inputs === outputs ? 1 : 2),
    new Block(outputs, outputs, 1),
  ]);
  readonly output = new nn.Linear(512, 10);

  override forward(x: Tensor): Tensor {
    let h: Tensor = relu(this.bn1.forward(this.conv1.forward(x)));
    for (const block of this.blocks) h = block.forward(h);
    return this.output.forward(h.mean([2, 3]));
  }
}

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
    const model = new ResNet18();
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
