import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Header } from 'tar';
import { ArgumentError, data, FileError } from 'thalweg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type CifarSpec, readCifar } from '../../src/data/sets/cifar.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-cifar-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Records whose pixels say which plane, row and column they are. */
function records(...labels: (number | [number, number])[]): Buffer {
  const pixels = Buffer.alloc(3072);
  for (let i = 0; i < 3072; i++) pixels[i] = (i >> 10) * 80 + (((i >> 5) & 31) + (i & 31));
  return Buffer.concat(labels.flatMap((label) => [Buffer.from([label].flat()), pixels]));
}

async function write(files: Record<string, Buffer>, inside = folder): Promise<void> {
  await mkdir(inside, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(inside, name), bytes);
}

describe('cifar10 from a folder', () => {
  test('the first batches, with a few records: shapes, planes, labels', async () => {
    await write({ 'data_batch_1.bin': records(3, 9), 'data_batch_2.bin': records(0), 'test_batch.bin': records(7) });
    const { train, test, classes } = await data.cifar10({ folder });
    expect([train.length, test.length, classes.length, classes[9]]).toEqual([3, 1, 10, 'truck']);
    const [x, y] = train.tensors;
    expect([x.dtype, ...x.shape]).toEqual(['float32', 3, 3, 32, 32]);
    expect(await y.data()).toEqual(BigInt64Array.of(3n, 9n, 0n));
    const image = await x.data();
    // Image 1, plane 2 (blue), row 5, column 7.
    expect(image[3072 + 2048 + 5 * 32 + 7]).toBe(Math.fround((160 + 12) / 255));
    const raw = await data.cifar10({ folder, normalize: false });
    expect(raw.train.tensors[0].dtype).toBe('uint8');
    expect((await raw.train.tensors[0].data())[3072 + 2048 + 5 * 32 + 7]).toBe(172);
  });

  test('the folder that the archive has inside', async () => {
    const inside = join(folder, 'cifar-10-batches-bin');
    await write({ 'data_batch_1.bin': records(1), 'test_batch.bin': records(2) }, inside);
    expect((await data.cifar10({ folder })).train.length).toBe(1);
  });

  test('what is missing, cut or damaged', async () => {
    await expect(data.cifar10({ folder })).rejects.toThrow(`cifar10: ${folder} has none of data_batch_1.bin, `);
    await write({ 'data_batch_1.bin': records(1), 'data_batch_3.bin': records(1), 'test_batch.bin': records(2) });
    await expect(data.cifar10({ folder })).rejects.toThrow(new FileError(`cifar10: no data_batch_2.bin in ${folder}.`));
    const second = join(folder, 'data_batch_2.bin');
    for (const length of [0, 1, 3072, 3074, 6145]) {
      await writeFile(second, records(1, 2).subarray(0, length));
      await expect(data.cifar10({ folder })).rejects.toThrow(
        new FileError(
          `cifar10 ${second}: ${length} bytes are no whole number of records of 3073 bytes; it is truncated or damaged.`,
        ),
      );
    }
    await writeFile(second, records(1, 10));
    await expect(data.cifar10({ folder })).rejects.toThrow(
      new FileError(`cifar10 ${second}: the label at byte 3073 (record 1) is 10, not below 10.`),
    );
    await writeFile(second, records(1));
    await rm(join(folder, 'test_batch.bin'));
    await expect(data.cifar10({ folder })).rejects.toThrow(
      new FileError(`cifar10 ${join(folder, 'test_batch.bin')}: no such file or folder.`),
    );
  });
});

test('cifar100: fine and coarse labels', async () => {
  await write({ 'train.bin': records([4, 30], [19, 99]), 'test.bin': records([0, 0]) });
  const fine = await data.cifar100({ folder });
  expect(await fine.train.tensors[1].data()).toEqual(BigInt64Array.of(30n, 99n));
  expect([fine.classes.length, fine.classes[0], fine.classes[30], fine.classes[99]]).toEqual([
    100,
    'apple',
    'dolphin',
    'worm',
  ]);
  const coarse = await data.cifar100({ folder, labels: 'coarse' });
  expect(await coarse.train.tensors[1].data()).toEqual(BigInt64Array.of(4n, 19n));
  expect([coarse.classes.length, coarse.classes[4]]).toEqual([20, 'fruit_and_vegetables']);
  expect([...fine.classes].sort()).toEqual(fine.classes);
  expect([...coarse.classes].sort()).toEqual(coarse.classes);
  await write({ 'train.bin': records([20, 0]) });
  await expect(data.cifar100({ folder })).rejects.toThrow('the label at byte 0 (record 0) is 20, not below 20.');
  await expect(data.cifar100({ labels: 'all' as never })).rejects.toThrow(
    new ArgumentError("cifar100: labels must be 'fine' or 'coarse', not all."),
  );
});

describe('from the network', () => {
  function tarOf(files: Record<string, Buffer>): Buffer {
    const parts = Object.entries(files).flatMap(([path, bytes]) => {
      const header = new Header({ path, size: bytes.length, type: 'File', mode: 0o644 });
      header.encode();
      return [header.block as Buffer, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
    });
    return gzipSync(Buffer.concat([...parts, Buffer.alloc(1024)]));
  }
  const archive = tarOf({ 'set/a.bin': records(1, 2), 'set/t.bin': records(3) });

  let server: Server;
  let mirror: string;
  let requests: string[];
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end(archive);
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(() => (requests = []));
  afterAll(() => new Promise((done) => server.close(done)));

  const spec = (files: Record<string, number> = { 'a.bin': 6146, 't.bin': 3073 }): CifarSpec => ({
    set: 'tiny',
    mirrors: [mirror],
    archive: {
      name: 'tiny.tar.gz',
      md5: createHash('md5').update(archive).digest('hex'),
      maxBytes: 1e6,
      inside: 'set',
      files: new Map(Object.entries(files)),
      maxInside: 1e6,
    },
    train: ['a.bin'],
    test: 't.bin',
    labelCounts: [10],
  });
  const read = (cache: string, options: data.SetOptions = {}, files?: Record<string, number>) =>
    readCifar(spec(files), [], 0, { cache, ...options });

  test('downloads, unpacks once, and mends what is damaged', async () => {
    await expect(read(folder, { download: false })).rejects.toThrow(`tiny: no tiny.tar.gz in ${folder}`);
    const { train, test } = await read(folder);
    expect([train.length, test.length]).toEqual([2, 1]);
    await read(folder, { download: false });
    expect(requests).toEqual(['/tiny.tar.gz']);
    // A file of the wrong size is unpacked again, from the archive that is there.
    await writeFile(join(folder, 'files/set/a.bin'), '');
    expect((await read(folder)).train.length).toBe(2);
    expect(requests.length).toBe(1);
    // A damaged archive is fetched again.
    await writeFile(join(folder, 'files/set/a.bin'), '');
    await writeFile(join(folder, 'tiny.tar.gz'), archive.subarray(0, 100));
    expect((await read(folder)).train.length).toBe(2);
    expect(requests.length).toBe(2);
    expect((await readdir(folder)).sort()).toEqual(['files', 'tiny.tar.gz']);
  });

  test('two at once', async () => {
    const [a, b] = await Promise.all([read(folder), read(folder)]);
    expect([a.train.length, b.train.length]).toEqual([2, 2]);
  });

  test('an archive without the files', async () => {
    await expect(read(folder, {}, { 'a.bin': 6146, 'b.bin': 1 })).rejects.toThrow(
      new FileError(`tiny ${join(folder, 'tiny.tar.gz')}: set/b.bin in it is missing, expected 1 bytes.`),
    );
  });

  test('another archive than the publisher has: refused by its MD5', async () => {
    await expect(data.cifar10({ cache: folder, mirrors: [mirror] })).rejects.toThrow(
      /cifar-10-binary\.tar\.gz: MD5 is [0-9a-f]{32}, expected c32a1d4ab5d03f1284b67883e8d87530\.$/,
    );
    await expect(data.fashionMnist({ cache: folder, mirrors: [mirror] })).rejects.toThrow(
      /MD5 is [0-9a-f]{32}, expected 8d4fb7e6c68d591d4c3dfef9ec88bf0d\.$/,
    );
    await expect(data.imdb({ cache: folder, mirrors: [mirror] })).rejects.toThrow('SHA-256 is');
    expect(await readdir(folder)).toEqual([]);
  });
});
