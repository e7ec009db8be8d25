// Is a film review positive? Embedding 128, LSTM 64, one sigmoid, on reviews cut or padded to 200 words.
import { data, manualSeed, models, nn, report, tensor } from 'thalweg';
import { integer, folder, number, optionalInteger } from '../lib/flags.js';
import { type Task, trainClassifier } from '../lib/classify.js';
import { firstOf, type Split } from '../lib/digits.js';
import { saveText } from '../lib/pictures.js';
import { defineProgram } from '../lib/program.js';
import { formatTable, percent, seconds, short } from '../lib/table.js';
import { twinIn } from '../lib/twin.js';

/** Test accuracy that a full run reaches at least, with so many training reviews. */
const TARGETS = [
  { reviews: 25_000, accuracy: 0.83 },
  { reviews: 5_000, accuracy: 0.68 },
];
const TARGET_EPOCHS = 5;

/** Padded and cut in front, so that what the LSTM reads last is the end of the review. */
function padded({ sequences: reviews, labels, length }: data.SequenceDataset, words: number): Split {
  const { sequences } = data.transforms.padSequences(reviews, { maxLen: words });
  return { x: sequences, y: tensor(Array.from(labels, Number)), length };
}

export default defineProgram({
  name: 'imdb-lstm',
  summary: 'An LSTM that tells positive film reviews from negative ones, padded to 200 words.',
  flags: {
    epochs: integer(TARGET_EPOCHS, 'epochs'),
    'batch-size': integer(64, 'reviews in a step'),
    lr: number(2e-3, "Adam's learning rate"),
    length: integer(200, 'words of a review that are read'),
    vocabulary: integer(10_000, 'how many words are known', 4),
    embedding: integer(128, 'size of the vector of a word'),
    hidden: integer(64, 'units of the LSTM'),
    data: folder("where Keras's imdb.npz is (without: download it, 17 MB)"),
    limit: optionalInteger('train on the first N reviews only'),
    'test-limit': optionalInteger('test on the first N reviews only'),
  },
  async run(options) {
    const { epochs, lr, length, seed, out } = options;
    const batchSize = options['batch-size'];
    const twin = twinIn(options.twin);
    const folder = options.data === undefined ? {} : { folder: options.data };
    const sets = await data.imdb({ ...folder, numWords: options.vocabulary });
    // The rows of the embedding: no more than the reviews have words.
    const vocabulary = sets.train.sequences.reduce((most, ids) => ids.reduce((a, b) => Math.max(a, b), most), 2) + 1;
    const train = firstOf(padded(sets.train, length), options.limit);
    const test = firstOf(padded(sets.test, length), options['test-limit']);
    const part = sets.train.length < 25_000 ? ' (a part of the 25,000 and 25,000)' : '';
    console.log(`IMDB: ${train.length} training reviews, ${test.length} test reviews${part}, ${vocabulary} words`);

    manualSeed(seed);
    const model = new models.LSTMClassifier({
      vocabSize: vocabulary,
      embeddingDim: options.embedding,
      hiddenSize: options.hidden,
    });
    const task: Task = {
      train,
      test,
      loss: nn.functional.binaryCrossEntropyWithLogits,
      right: (logits, y) => logits.gt(0).eq(y.gt(0.5)).sum(),
    };
    const plan = { name: 'imdb-lstm', epochs, batchSize, seed, optimizer: { name: 'Adam', options: { lr } } };
    await twin.tensors('data', { trainX: train.x, trainY: train.y, testX: test.x, testY: test.y });
    await twin.weights('weights', model);
    await twin.orders('orders', train.length, seed, epochs);
    const sizes = { vocabulary, embedding: options.embedding, hidden: options.hidden };
    await twin.plan({ ...sizes, runs: [{ ...plan, weights: 'weights', orders: 'orders' }] });
    const run = await trainClassifier(model, task, plan);
    await twin.results([run]);

    console.log('');
    console.log(
      formatTable(
        ['', 'training loss', 'test loss', 'test accuracy', 'training', 'reviews/s'],
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
        title: 'IMDB, LSTM',
        xLabel: 'epoch',
        yLabel: 'training loss',
        series: [{ name: 'training', y: run.losses, x: run.losses.map((_, i) => i + 1) }],
      }),
    );
    const target = TARGETS.find(({ reviews }) => train.length >= reviews);
    if (target !== undefined && epochs >= TARGET_EPOCHS && run.final.accuracy < target.accuracy) {
      console.error(`Below the target of ${percent(target.accuracy)} for ${train.length} training reviews.`);
      return false;
    }
    return true;
  },
});
