// A small convolutional network on CIFAR-10: conv 32, pool, conv 64, pool, dense 64, trained by SGD with momentum 0.9.
import { data, manualSeed, models, noGrad, report, tensor, type Tensor } from 'thalweg';
import { integer, folder, number, optionalInteger } from '../lib/flags.js';
import { type Task, trainClassifier } from '../lib/classify.js';
import { confusionMatrix, formatConfusion } from '../lib/confusion.js';
import { firstOf, splitOf } from '../lib/digits.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, percent, seconds, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

/** Test accuracy that a full run reaches at least, with so many training images. */
const TARGETS = [
  { images: 50_000, accuracy: 0.65 },
  { images: 3_000, accuracy: 0.45 },
];
const TARGET_EPOCHS = 10;

/** Mean and standard deviation of each channel, over the training images, in units of 255. */
async function channelStatistics(images: Tensor): Promise<{ mean: number[]; std: number[] }> {
  const sums = { mean: [0, 0, 0], square: [0, 0, 0] };
  const count = images.shape[0] ?? 0;
  for (let i = 0; i < count; i += 1000) {
    const some = images
      .narrow(0, i, Math.min(1000, count - i))
      .to('float32')
      .div(255);
    const [mean, square] = await Promise.all(
      [some, some.square()].map(async (x) => Array.from(await x.sum([0, 2, 3]).data(), Number)),
    );
    for (let c = 0; c < 3; c++) {
      sums.mean[c] += mean[c] / (count * 1024);
      sums.square[c] += square[c] / (count * 1024);
    }
  }
  return { mean: sums.mean, std: sums.square.map((square, c) => Math.sqrt(square - sums.mean[c] ** 2)) };
}

export default defineProgram({
  name: 'cifar-cnn',
  summary: 'A convolutional network on CIFAR-10 by SGD with momentum; per-class results.',
  flags: {
    epochs: integer(TARGET_EPOCHS, 'epochs'),
    'batch-size': integer(128, 'images in a step'),
    lr: number(0.02, 'learning rate'),
    data: folder('where the binary version of CIFAR-10 is, or a part of it (without: download it, 162 MB)'),
    limit: optionalInteger('train on the first N images only', 2),
    'test-limit': optionalInteger('test on the first N images only'),
  },
  async run(options) {
    const { epochs, lr, seed, out } = options;
    const batchSize = options['batch-size'];
    const twin = twinIn(options.twin);
    const folder = options.data === undefined ? {} : { folder: options.data };
    // As uint8: in float32 the whole set would take four times as much.
    const sets = await data.cifar10({ ...folder, normalize: false });
    const train = firstOf(splitOf(sets.train), options.limit);
    const test = firstOf(splitOf(sets.test), options['test-limit']);
    const part = sets.train.length < 50_000 ? ' (a part of the 50,000 and 10,000)' : '';
    console.log(`CIFAR-10: ${train.length} training images, ${test.length} test images${part}`);

    const { mean, std } = await channelStatistics(train.x);
    const [centre, scale] = [mean, std].map((v) => tensor(v).reshape([1, 3, 1, 1]));
    const prepare = (x: Tensor): Tensor => x.to('float32').div(255).sub(centre).div(scale);
    const task: Task = { train, test, prepare };
    manualSeed(seed);
    const model = new models.CifarCNN();
    const plan = {
      name: 'cifar-cnn',
      epochs,
      batchSize,
      seed,
      optimizer: { name: 'SGD', options: { lr, momentum: 0.9 } },
    };
    await twin.tensors('data', { trainX: train.x, trainY: train.y, testX: test.x, testY: test.y });
    await twin.weights('weights', model);
    await twin.orders('orders', train.length, seed, epochs);
    await twin.plan({ mean, std, runs: [{ ...plan, weights: 'weights', orders: 'orders' }] });
    const run = await trainClassifier(model, task, plan);
    await twin.results([run]);

    const predictions: number[] = [];
    for (let i = 0; i < test.length; i += 500) {
      const x = test.x.narrow(0, i, Math.min(500, test.length - i));
      const digits = noGrad(() => model.forward(prepare(x) as never) as Tensor).argmax(1);
      predictions.push(...Array.from(await digits.data(), Number));
    }
    const labels = Array.from(await test.y.data(), Number);
    console.log('\ntest images (rows) and what they were taken for (columns)');
    console.log(formatConfusion(confusionMatrix(labels, predictions)));
    console.log(sets.classes.map((name, i) => `${i} ${name}`).join(', '));
    console.log('');
    console.log(
      formatTable(
        ['', 'training loss', 'test loss', 'test accuracy', 'training', 'images/s'],
        [
          [
            `after ${epochs} epochs`,
            short(run.losses[epochs - 1]),
            short(run.final.loss),
            percent(run.final.accuracy),
            seconds(run.seconds),
            Math.round((epochs * train.length) / run.seconds),
          ],
        ],
      ),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'CIFAR-10, a small convolutional network',
        xLabel: 'epoch',
        yLabel: 'training loss',
        series: [{ name: 'training', y: run.losses, x: run.losses.map((_, i) => i + 1) }],
      }),
    );
    const target = TARGETS.find(({ images }) => train.length >= images);
    if (target !== undefined && epochs >= TARGET_EPOCHS && run.final.accuracy < target.accuracy) {
      console.error(`Below the target of ${percent(target.accuracy)} for ${train.length} training images.`);
      return false;
    }
    return true;
  },
});
