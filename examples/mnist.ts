// Trains a small network to read handwritten digits: npm run demo
import { data, manualSeed, memory, nn, noGrad, optim, safetensors, ThalwegError } from 'thalweg';
import { confusionMatrix, formatConfusion } from './lib/confusion.js';
import { type Options, readOptions } from './lib/options.js';
import { Progress } from './lib/progress.js';
import { digitsPerRow, drawRow } from './lib/terminal.js';

const TARGET = 0.975;
const TARGET_EPOCHS = 5;

type Digits = data.MnistDataset<'float32'>;

function makeModel() {
  return new nn.Sequential(
    new nn.Flatten(),
    new nn.Linear(784, 512),
    new nn.ReLU(),
    new nn.Dropout(0.5),
    new nn.Linear(512, 10),
  );
}

type Model = ReturnType<typeof makeModel>;

async function fit(model: Model, train: Digits, { epochs, batchSize, seed }: Options): Promise<void> {
  const loader = new data.DataLoader(train, { batchSize, shuffle: true, seed });
  const lr = 0.1;
  const optimizer = new optim.SGD(model.parameters(), { lr, momentum: 0.9, nesterov: true });
  const progress = new Progress(epochs, train.length);
  model.train();
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const group of optimizer.paramGroups) group.lr = lr * (1 - epoch / epochs);
    for await (const [images, labels] of loader) {
      const logits = model.forward(images);
      const loss = nn.functional.crossEntropy(logits, labels);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      await progress.step(loss, logits, labels);
    }
    progress.note(`epoch ${epoch + 1} done, ${memoryInUse()}`);
  }
  progress.stop();
}

/** The most likely digit of each image. */
async function predict(model: Model, dataset: Digits): Promise<Uint8Array> {
  const predictions = new Uint8Array(dataset.length);
  let done = 0;
  model.eval();
  for await (const [images] of new data.DataLoader(dataset, { batchSize: 1000 })) {
    const digits = noGrad(() => model.forward(images).argmax(1));
    predictions.set(Uint8Array.from(await digits.data(), Number), done);
    done += digits.shape[0];
  }
  return predictions;
}

function first(dataset: Digits, count: number): Digits {
  const [images, labels] = dataset.tensors;
  return new data.TensorDataset(images.narrow(0, 0, count), labels.narrow(0, 0, count));
}

async function draw(title: string, dataset: Digits, which: number[], captions: (i: number) => string): Promise<void> {
  const digits = await Promise.all(
    which.map(async (i) => ({ pixels: await dataset.get(i)[0].data(), caption: captions(i) })),
  );
  console.log(`\n${title}\n${drawRow(digits)}`);
}

/** What is not in use but not collected yet goes first, so that a leak of a single tensor would show. */
function memoryInUse(): string {
  const { tensors, bytes } = memory({ collect: true });
  return `memory in use: ${tensors} tensors, ${(bytes / 1e6).toFixed(1)} MB`;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;

async function main(options: Options): Promise<number> {
  const start = performance.now();
  manualSeed(options.seed);
  const { train: all, test } = await data.mnist({ folder: options.folder });
  const train = options.limit === undefined || options.limit >= all.length ? all : first(all, options.limit);
  console.log(`${train.length} training images, ${test.length} test images from ${options.folder}`);

  const model = makeModel();
  console.log(`before training, ${memoryInUse()}`);
  const trainStart = performance.now();
  await fit(model, train, options);
  const trainSeconds = (performance.now() - trainStart) / 1000;
  console.log(`after training, ${memoryInUse()}`);

  const predictions = await predict(model, test);
  const labels = Uint8Array.from(await test.tensors[1].data(), Number);
  const wrong = [...labels.keys()].filter((i) => labels[i] !== predictions[i]);
  const accuracy = 1 - wrong.length / test.length;
  console.log(`\ntest images (rows) and what they were taken for (columns)`);
  console.log(formatConfusion(confusionMatrix(labels, predictions)));
  const count = digitsPerRow();
  const right = [...labels.keys()].filter((i) => labels[i] === predictions[i]).slice(0, count);
  await draw('some it can read', test, right, (i) => `predicted ${predictions[i]}`);
  await draw('some it cannot', test, wrong.slice(0, count), (i) => `predicted ${predictions[i]}, is ${labels[i]}`);

  await safetensors.save(options.out, model.stateDict(), { metadata: { test_accuracy: percent(accuracy) } });
  const fresh = makeModel();
  fresh.loadStateDict((await safetensors.load(options.out)).tensors);
  const again = await predict(fresh, test);
  const same = again.filter((digit, i) => digit === predictions[i]).length;
  console.log(`\nsaved ${options.out}; loaded into a fresh model: ${same} of ${test.length} predictions are the same`);

  const seconds = (performance.now() - start) / 1000;
  const speed = Math.round((options.epochs * train.length) / trainSeconds).toLocaleString('en-US');
  console.log(
    `accuracy ${percent(accuracy)} on ${test.length} test images after ${options.epochs} epochs: ` +
      `training ${trainSeconds.toFixed(1)} s (${speed} images/s), ${seconds.toFixed(1)} s in all`,
  );
  if (same !== test.length) {
    console.error('The loaded model does not predict what the trained one did.');
    return 1;
  }
  if (train === all && options.epochs >= TARGET_EPOCHS && accuracy < TARGET) {
    console.error(`Below the target of ${percent(TARGET)}.`);
    return 1;
  }
  return 0;
}

process.exitCode = await main(readOptions()).catch((error: unknown) => {
  // A missing file or a full disk needs no stack; a bug does.
  if (!(error instanceof ThalwegError)) throw error;
  console.error(`${error.name}: ${error.message}`);
  return 1;
});
