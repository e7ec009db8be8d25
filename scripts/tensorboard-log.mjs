// Writes a log with every kind of event, for scripts/check-tensorboard.py: node scripts/tensorboard-log.mjs FOLDER
import { manualSeed, nn, rand, randn, tensor, tensorboard } from '../dist/index.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('usage: node scripts/tensorboard-log.mjs FOLDER');
manualSeed(0);
const writer = new tensorboard.SummaryWriter(`${folder}/run`);
const model = new nn.Sequential(
  new nn.Conv2d(1, 4, 3, { padding: 1 }),
  new nn.BatchNorm2d(4),
  new nn.ReLU(),
  new nn.MaxPool2d(2),
  new nn.Flatten(),
  new nn.Linear(4 * 14 * 14, 10),
);
writer.addGraph(model, rand([2, 1, 28, 28]));
for (let step = 0; step < 20; step++) {
  writer.addScalar('loss/train', 2 / (step + 1), step);
  writer.addScalars('both', { train: 1 / (step + 1), validation: 1.5 / (step + 1) }, step);
  await writer.addHistogram('normal', randn([1000]).add(step / 10), step);
}
for (const [name, p] of model.namedParameters()) await writer.addHistogram(`weights/${name}`, p, 0);
await writer.addImage('one', rand([3, 16, 24]), 1);
await writer.addImages('grid', rand([12, 1, 8, 8]), 1);
writer.addText('about', '# A run\n\nwith **text**', 0);
await writer.addPrCurve('pr', rand([500]).gt(0.5), rand([500]), 0);
await writer.addEmbedding(randn([20, 5]), {
  labels: Array.from({ length: 20 }, (_, i) => `p${i}`),
  images: rand([20, 3, 8, 8]),
});
writer.addHparams({ lr: 0.1, optimizer: 'SGD', nesterov: true }, { 'hparam/accuracy': 0.9 }, { runName: 'a' });
writer.addHparams({ lr: 0.01, optimizer: 'Adam', nesterov: false }, { 'hparam/accuracy': 0.95 }, { runName: 'b' });
await writer.addHistogram('odd', tensor([NaN, Infinity, 1, 2, 2]), 0);
await writer.close();
