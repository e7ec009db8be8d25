// Autoencoders and adversarial networks: shapes, losses by their formulas, bad input, and that they learn digits.
import { describe, expect, test } from 'vitest';
import { Generator, manualSeed, models, noGrad, nn, optim, randn, tensor, tidy, zeros, type Tensor } from 'thalweg';
import { batchOf, digits, fit } from './data.js';

const { train, test: held } = await digits(512, 128);
const flat = (x: Tensor): Tensor => x.flatten(1);
const bce = (logits: Tensor, x: Tensor): Tensor => nn.functional.binaryCrossEntropyWithLogits(logits, x);
const value = (x: Tensor): number => Number(x.itemSync());

describe('autoencoders', () => {
  test('have the sizes that were asked for', () => {
    expect(new models.VAE().countParameters()).toBe(652_824);
    const conv = new models.ConvAutoencoder({ inChannels: 3, imageSize: 16, channels: [4, 8], latentSize: 5 });
    expect(conv.encode(zeros([2, 3, 16, 16])).shape).toEqual([2, 5]);
    expect(conv.forward(zeros([2, 3, 16, 16])).shape).toEqual([2, 3, 16, 16]);
    expect(() => new models.ConvVAE({ imageSize: 30 })).toThrow(
      'ConvVAE: 2 convolutions halve the size 2 times, which imageSize 30 does not allow.',
    );
    expect(() => new models.Autoencoder({ hidden: [0] })).toThrow(
      'Autoencoder: hidden[0] must be an integer above 0, got 0.',
    );
  });

  test('Autoencoder and ConvAutoencoder learn to reconstruct digits they have not seen', () => {
    for (const conv of [false, true]) {
      manualSeed(4);
      const model = conv
        ? new models.ConvAutoencoder({ channels: [8, 16], latentSize: 16 })
        : new models.Autoencoder({ hidden: [64], latentSize: 16 });
      const form = (x: Tensor): Tensor => (conv ? x : flat(x));
      const loss = (x: Tensor): Tensor => bce(model.forward(form(x)), form(x));
      const optimizer = new optim.Adam(model.parameters(), { lr: 5e-3 });
      const { first } = fit(optimizer, 50, (step) => loss(batchOf(train, step, 32).x));
      const mean = value(bce(zeros([1]).add(train.x.mean()).logit().expand(held.x.shape), held.x));
      const now = value(noGrad(() => loss(held.x)));
      expect(now).toBeLessThan(first / 2.5);
      // A grey image of the mean brightness costs this.
      expect(now).toBeLessThan(0.8 * mean);
    }
  });
});

describe('variational autoencoders', () => {
  test('the loss is that of the paper', () => {
    const [x, logits] = [
      tensor([
        [0, 1],
        [0.5, 0.2],
      ]),
      tensor([
        [0.3, -1],
        [2, 0],
      ]),
    ];
    const [mean, logVariance] = [tensor([[0.5], [-1]]), tensor([[0.1], [-0.4]])];
    const cost = (v: number, t: number): number => Math.log(1 + Math.exp(v)) - t * v;
    const divergence = (m: number, l: number): number => (m * m + Math.exp(l) - 1 - l) / 2;
    const reconstruction = cost(0.3, 0) + cost(-1, 1) + cost(2, 0.5) + cost(0, 0.2);
    const kl = divergence(0.5, 0.1) + divergence(-1, -0.4);
    const loss = (options?: models.VaeLossOptions): number =>
      value(models.vaeLoss(logits, x, mean, logVariance, options));
    expect(loss()).toBeCloseTo((reconstruction + kl) / 2, 5);
    expect(loss({ reduction: 'sum', beta: 4 })).toBeCloseTo(reconstruction + 4 * kl, 5);
    const squares = 0.3 ** 2 + 2 ** 2 + 1.5 ** 2 + 0.2 ** 2;
    expect(loss({ likelihood: 'gaussian', reduction: 'sum' })).toBeCloseTo(squares / 2 + kl, 5);
    expect(() => loss({ likelihood: 'poisson' as 'gaussian' })).toThrow('vaeLoss: likelihood must be');
    expect(() => loss({ beta: -1 })).toThrow('vaeLoss: beta must be a number from 0, got -1.');
  });

  test('without noise the code is the mean; the same generator gives the same samples', () => {
    const model = new models.VAE({ inputSize: 6, hidden: [5], latentSize: 2 });
    const x = randn([3, 6]);
    const [logits, mean] = model.forward(x, zeros([3, 2]));
    expect(logits.equal(model.decode(mean))).toBe(true);
    const [a, b] = [1, 2].map(() => model.sample(4, { generator: new Generator(8) }));
    expect(a.equal(b)).toBe(true);
    expect(a.shape).toEqual([4, 6]);
    expect(() => model.sample(0)).toThrow('VAE: n must be an integer above 0, got 0.');
  });

  test.each([
    ['VAE', () => new models.VAE({ hidden: [64], latentSize: 8 })],
    ['ConvVAE', () => new models.ConvVAE({ channels: [8, 16], latentSize: 8 })],
  ] as const)('%s raises the bound, and its samples are as bright as digits', (name, make) => {
    manualSeed(5);
    const model: models.VAE | models.ConvVAE = make();
    const form = (x: Tensor): Tensor => (name === 'VAE' ? flat(x) : x);
    const loss = (x: Tensor): Tensor => models.vaeLoss(model.forward(form(x))[0], form(x), ...model.encode(form(x)));
    const optimizer = new optim.Adam(model.parameters(), { lr: 5e-3 });
    const { first } = fit(optimizer, 80, (step) => {
      const x = form(batchOf(train, step, 32).x);
      const [logits, mean, logVariance] = model.forward(x);
      return models.vaeLoss(logits, x, mean, logVariance);
    });
    const now = value(noGrad(() => loss(held.x)));
    expect(now).toBeLessThan(0.45 * first);
    expect(now).toBeLessThan(230); // 784 log 2 = 543 at the start; a good model comes to about 100.
    const brightness = value(model.sample(64).mean());
    expect(Math.abs(brightness - value(train.x.mean()))).toBeLessThan(0.12); // From 0.37 at the start.
  });
});

describe('adversarial networks', () => {
  const small = { imageSize: 28, channels: 1, latentSize: 16, baseChannels: 8 } as const;
  const real = (step: number): Tensor => batchOf(train, step, 32).x.mul(2).sub(1);

  test('have the sizes of the paper, and refuse others', () => {
    const gan = new models.DCGAN({ imageSize: 64 });
    // PyTorch's example: https://docs.pytorch.org/tutorials/beginner/dcgan_faces_tutorial.html
    expect(gan.generator.countParameters()).toBe(3_576_704);
    expect(gan.discriminator.countParameters()).toBe(2_765_568);
    const images = new models.DCGAN(small).forward(randn([3, 16]));
    expect(images.shape).toEqual([3, 1, 28, 28]);
    expect(new models.DCGAN(small).forward(randn([3, 16, 1, 1])).shape).toEqual([3, 1, 28, 28]);
    expect(new models.WGAN({ ...small, norm: 'layer' }).critic.forward(images).shape).toEqual([3]);
    expect(() => new models.DCGAN({ imageSize: 22 })).toThrow('imageSize must be 3, 4, 5 or 7 times a power of 2');
    expect(() => new models.DCGAN(small).forward(randn([3, 15]))).toThrow(
      'DCGANGenerator(z [3,15]): z must be [N,16] or [N,16,1,1].',
    );
    expect(() => new models.DCGAN(small).discriminator.forward(zeros([2, 3, 28, 28]))).toThrow(
      'DCGANDiscriminator(x [2,3,28,28]): x must be [N,1,28,28].',
    );
  });

  test('the gradient penalty is that of a known critic', () => {
    const [x, fake] = [randn([5, 2, 3]), randn([5, 2, 3])];
    const w = randn([2, 3], { requiresGrad: true });
    const { penalty, norms } = models.gradientPenalty((v) => v.mul(w).sum([1, 2]), x, fake, { weight: 3 });
    const norm = Math.sqrt(value(w.square().sum()));
    for (const n of (norms as Tensor<readonly number[], 'float32'>).dataSync()) expect(n).toBeCloseTo(norm, 4);
    expect(value(penalty)).toBeCloseTo(3 * (norm - 1) ** 2, 3);
    penalty.backward();
    // d/dw 3 (|w| - 1)^2 = 6 (|w| - 1) w / |w|
    expect(w.grad!.allclose(w.detach().mul((6 * (norm - 1)) / norm), { rtol: 1e-3, atol: 1e-5 })).toBe(true);
    expect(() => models.gradientPenalty((v) => v, x, fake.narrow(0, 0, 4))).toThrow('the shapes must be the same');
  });

  test('no gradient of the adversary reaches the generator', () => {
    const gan = new models.DCGAN(small);
    gan.discriminatorLoss(real(0), gan.forward(randn([32, 16]))).backward();
    for (const p of gan.generator.parameters()) expect(p.grad).toBeNull();
    for (const p of gan.discriminator.parameters()) expect(p.grad).not.toBeNull();
  });

  const statistics = (x: Tensor): [mean: number, deviation: number] => [value(x.mean()), value(x.std())];

  test('DCGAN: both losses move, and the images get the mean and deviation of digits', () => {
    manualSeed(6);
    const gan = new models.DCGAN(small);
    const options = { lr: 2e-3, betas: [0.5, 0.999] as const };
    const adamG = new optim.Adam(gan.generator.parameters(), options);
    const adamD = new optim.Adam(gan.discriminator.parameters(), options);
    const [mean, deviation] = statistics(train.x.mul(2).sub(1));
    const [startMean, startDeviation] = statistics(gan.sample(64));
    const losses: [number, number][] = [];
    for (let step = 0; step < 100; step++) {
      tidy(() => {
        const fake = gan.forward(randn([32, 16]));
        const lossD = gan.discriminatorLoss(real(step), fake);
        adamD.zeroGrad();
        lossD.backward();
        adamD.step();
        const lossG = gan.generatorLoss(fake);
        adamG.zeroGrad();
        lossG.backward();
        adamG.step();
        losses.push([value(lossD), value(lossG)]);
      });
    }
    const [endMean, endDeviation] = statistics(gan.sample(64));
    // Both cannot tell at first: 2 log 2 and log 2.
    expect(losses[0][0]).toBeCloseTo(2 * Math.LN2, 0);
    expect(losses[0][1]).toBeCloseTo(Math.LN2, 0);
    for (const which of [0, 1] as const) {
      const all = losses.map((pair) => pair[which]);
      expect(Math.max(...all) - Math.min(...all)).toBeGreaterThan(0.3);
      expect(all.every(Number.isFinite)).toBe(true);
    }
    expect(Math.abs(endMean - mean)).toBeLessThan(Math.abs(startMean - mean) / 2);
    expect(Math.abs(endDeviation - deviation)).toBeLessThan(Math.abs(startDeviation - deviation) / 2);
  });

  test("WGAN: the critic's gradient is near 1, and the images come nearer to digits", () => {
    manualSeed(7);
    const gan = new models.WGAN({ ...small, penaltyWeight: 40 });
    const options = { lr: 2e-3, betas: [0, 0.9] as const };
    const adamG = new optim.Adam(gan.generator.parameters(), options);
    const adamC = new optim.Adam(gan.critic.parameters(), options);
    const [mean, deviation] = statistics(train.x.mul(2).sub(1));
    const norms: number[] = [];
    const distances: number[] = [];
    for (let step = 0; step < 40; step++) {
      for (let k = 0; k < 3; k++) {
        tidy(() => {
          const fake = noGrad(() => gan.forward(randn([32, 16])));
          const { loss, distance, norms: n } = gan.criticLoss(real(3 * step + k), fake);
          adamC.zeroGrad();
          loss.backward();
          adamC.step();
          norms.push(value(n.mean()));
          distances.push(value(distance));
        });
      }
      tidy(() => {
        adamG.zeroGrad();
        gan.generatorLoss(gan.forward(randn([32, 16]))).backward();
        adamG.step();
      });
    }
    const [endMean, endDeviation] = statistics(gan.sample(64));
    expect(norms[0]).toBeLessThan(0.1);
    const late = norms.slice(-10).reduce((a, b) => a + b) / 10;
    expect(Math.abs(late - 1)).toBeLessThan(0.3);
    expect(distances.at(-1)!).toBeLessThan(0.9 * Math.max(...distances));
    expect(Math.abs(endMean - mean)).toBeLessThan(Math.abs(mean) / 2);
    expect(Math.abs(endDeviation - deviation)).toBeLessThan(deviation - 0.2);
  });
});
