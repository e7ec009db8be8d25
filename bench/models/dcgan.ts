// A generator of 32x32 images in colour and its adversary (Radford et al. 2015).
import { models, nn, onesLike, optim, randn, zerosLike } from 'thalweg';
import * as flops from './flops.js';
import type { Model } from './model.js';

const [noise, base] = [100, 64] as const;

const fromNoise = (batch: number): number => flops.conv(batch, noise, 4 * base, 4, 1);
// A transposed convolution does for each pixel of its input what a convolution does for each of its output.
const generate = (batch: number): number =>
  fromNoise(batch) +
  flops.conv(batch, 4 * base, 2 * base, 4, 4) +
  flops.conv(batch, 2 * base, base, 4, 8) +
  flops.conv(batch, base, 3, 4, 16);
const fromImage = (batch: number): number => flops.conv(batch, 3, base, 4, 16);
const judge = (batch: number): number =>
  fromImage(batch) +
  flops.conv(batch, base, 2 * base, 4, 8) +
  flops.conv(batch, 2 * base, 4 * base, 4, 4) +
  flops.conv(batch, 4 * base, 1, 4, 1);

const generatorParameters = 16 * (noise * 4 + 4 * 2 * base + 2 * base + 3) * base + 2 * 7 * base;
const discriminatorParameters = 16 * (3 + 2 * base + 2 * 4 * base + 4) * base + 2 * 6 * base;

export const dcgan: Model = {
  name: 'dcgan',
  what: 'DCGAN on 32x32: generator and discriminator',
  batches: [128],
  slow: true,
  parameters: generatorParameters + discriminatorParameters,
  inferParameters: generatorParameters,
  // The discriminator learns from real and generated images, whose gradients nobody wants; then it passes the gradient on to
  // the generator.
  trainFlops: (batch) =>
    2 * (3 * judge(batch) - fromImage(batch)) + 3 * judge(batch) + 3 * generate(batch) - fromNoise(batch),
  inferFlops: generate(1),
  make(batch) {
    const model = new models.DCGAN({ imageSize: 32, channels: 3, latentSize: noise, baseChannels: base });
    const { generator, discriminator } = model;
    const options = { lr: 2e-4, betas: [0.5, 0.999] as const };
    const adamG = new optim.Adam(generator.parameters(), options);
    const adamD = new optim.Adam(discriminator.parameters(), options);
    const real = randn([batch, 3, 32, 32]);
    const one = randn([1, noise, 1, 1]);
    const loss = nn.functional.binaryCrossEntropyWithLogits;
    return {
      model,
      train() {
        const fake = generator.forward(randn([batch, noise, 1, 1]));
        adamD.zeroGrad();
        const ofReal = discriminator.forward(real);
        loss(ofReal, onesLike(ofReal)).backward();
        const ofFake = discriminator.forward(fake.detach());
        loss(ofFake, zerosLike(ofFake)).backward();
        adamD.step();
        adamG.zeroGrad();
        const again = discriminator.forward(fake);
        loss(again, onesLike(again)).backward();
        adamG.step();
      },
      infer: () => generator.forward(one),
    };
  },
};
