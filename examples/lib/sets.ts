// CIFAR-10 and IMDB from a folder that the user names.
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { data, FileError, fromTypedArray } from 'thalweg';
import type { Split } from './digits.js';

const RECORD = 1 + 3 * 32 * 32;

async function cifarFile(file: string): Promise<Uint8Array> {
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new FileError(`cifar10 ${file}: ${error.code ?? error.message}.`);
  });
  if (bytes.length === 0 || bytes.length % RECORD !== 0)
    throw new FileError(`cifar10 ${file}: ${bytes.length} bytes are not whole records of ${RECORD}.`);
  return bytes;
}

function cifarSplit(files: readonly Uint8Array[]): Split {
  const length = files.reduce((sum, { length: n }) => sum + n / RECORD, 0);
  const pixels = new Uint8Array(length * (RECORD - 1));
  const labels = new BigInt64Array(length);
  let i = 0;
  for (const file of files) {
    for (let at = 0; at < file.length; at += RECORD, i++) {
      labels[i] = BigInt(file[at]);
      pixels.set(file.subarray(at + 1, at + RECORD), i * (RECORD - 1));
    }
  }
  return { x: fromTypedArray(pixels, [length, 3, 32, 32]), y: fromTypedArray(labels, [length]), length };
}

/** Images [N, 3, 32, 32] of uint8 and labels [N]. */
export async function loadCifar(folder = '.'): Promise<{ train: Split; test: Split }> {
  const train: Uint8Array[] = [];
  for (let i = 1; i <= 5; i++) {
    const file = join(folder, `data_batch_${i}.bin`);
    const there = await access(file).then(
      () => true,
      () => false,
    );
    if (i === 1 || there) train.push(await cifarFile(file));
  }
  return { train: cifarSplit(train), test: cifarSplit([await cifarFile(join(folder, 'test_batch.bin'))]) };
}

/** Reviews as word ids, and whether they are positive. */
export interface Reviews {
  readonly words: readonly Int32Array[];
  readonly labels: readonly number[];
}

export async function loadReviews(folder = '.'): Promise<{ train: Reviews; test: Reviews }> {
  const file = join(folder, 'imdb.npz');
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new FileError(`imdb ${file}: ${error.code ?? error.message}.`);
  });
  const members = unzipSync(bytes);
  const split = async (x: string, y: string): Promise<Reviews> => ({
    words: data.parseNpyLists(members[x], file),
    labels: Array.from(await (await data.parseNpy(members[y], file)).data(), Number),
  });
  return { train: await split('arr_0.npy', 'arr_1.npy'), test: await split('arr_2.npy', 'arr_3.npy') };
}
