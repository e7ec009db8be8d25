import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdx, readIdx } from '../../src/data/idx.js';
import { philox } from '../../src/data/sampler.js';
import { FileError } from '../../src/errors.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-idx-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function idx(type: number, shape: readonly number[], elements: readonly number[] | Uint8Array): Uint8Array {
  const header = new Uint8Array(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  shape.forEach((dim, i) => new DataView(header.buffer).setUint32(4 + 4 * i, dim));
  return Uint8Array.from([...header, ...elements]);
}

async function written(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe('parseIdx', () => {
  test('every dtype, big-endian', () => {
    expect(parseIdx(idx(0x08, [2, 2], [0, 1, 128, 255]))).toEqual({
      dtype: 'uint8',
      shape: [2, 2],
      data: Uint8Array.of(0, 1, 128, 255),
    });
    expect(parseIdx(idx(0x09, [2], [127, 128])).data).toEqual(Int8Array.of(127, -128));
    expect(parseIdx(idx(0x0b, [2], [1, 2, 0xff, 0xfe])).data).toEqual(Int16Array.of(258, -2));
    expect(parseIdx(idx(0x0c, [1], [0x80, 0, 0, 1])).data).toEqual(Int32Array.of(-2147483647));
    expect(parseIdx(idx(0x0d, [1], [0xc0, 0x20, 0, 0])).data).toEqual(Float32Array.of(-2.5));
    expect(parseIdx(idx(0x0e, [1], [0x40, 0x09, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18])).data).toEqual(
      Float64Array.of(Math.PI),
    );
  });

  test('reads from the middle of a buffer, and copies', () => {
    const bytes = Uint8Array.from([9, ...idx(0x0b, [1], [1, 2])]);
    const { data } = parseIdx(bytes.subarray(1));
    bytes.fill(0);
    expect(data).toEqual(Int16Array.of(258));
  });

  test('an empty dimension makes an empty array, however large the others', () => {
    expect(parseIdx(idx(0x08, [0xffffffff, 0xffffffff, 0], []))).toEqual({
      dtype: 'uint8',
      shape: [0xffffffff, 0xffffffff, 0],
      data: new Uint8Array(0),
    });
  });

  const magic = 'expected 0000, a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions (at least 1).';
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'truncated: 0 bytes, the magic takes 4.'],
    ['half a magic', Uint8Array.of(0, 0, 8), 'truncated: 3 bytes, the magic takes 4.'],
    ['wrong magic', Uint8Array.of(0x89, 0x50, 0x4e, 0x47), `wrong magic 89504e47: ${magic}`],
    ['unknown type', idx(0x0a, [1], [1]), `wrong magic 00000a01: ${magic}`],
    ['no dimensions', idx(0x08, [], [1]), `wrong magic 00000800: ${magic}`],
    [
      'truncated dimensions',
      idx(0x08, [1, 1, 1], []).subarray(0, 15),
      'truncated: 15 bytes, the header with 3 dimensions takes 16.',
    ],
    [
      'truncated elements',
      idx(0x0c, [2, 3], [1, 2, 3]),
      'truncated, 21 bytes are missing: shape [2, 3] of int32 takes 36 bytes with the header, there are 15.',
    ],
    [
      'trailing bytes',
      idx(0x08, [2], [1, 2, 3]),
      '1 bytes too many at the end: shape [2] of uint8 takes 10 bytes with the header, there are 11.',
    ],
    [
      'a product beyond 2^64 that wraps around to 0',
      idx(0x08, [0x80000000, 0x80000000, 4], []),
      'truncated, 18446744073709551616 bytes are missing: shape [2147483648, 2147483648, 4] of uint8 takes ' +
        '18446744073709551632 bytes with the header, there are 16.',
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'x')).toThrow(new FileError(`idx x: ${message}`));
  });

  test('fuzz: damaged bytes give a FileError or the whole content', () => {
    const originals = [idx(0x08, [3, 4], new Uint8Array(12)), idx(0x0e, [2, 2], new Uint8Array(32))];
    for (let round = 0; round < 20_000; round++) {
      const [pick, at, value, length] = philox([round, 0, 0, 0], [7, 8]);
      let bytes = Uint8Array.from(originals[pick % 2]);
      bytes[at % (pick % 3 === 0 ? bytes.length : 16)] = value & 0xff;
      if (pick % 5 === 0) bytes[(at >>> 8) % 16] = value >>> 8;
      if (pick % 7 === 0) bytes = bytes.subarray(0, length % (bytes.length + 1));
      try {
        const { shape, data } = parseIdx(bytes);
        expect(shape.reduce((a, b) => a * b, 1)).toBe(data.length);
      } catch (error) {
        if (!(error instanceof FileError)) throw error;
      }
    }
  });
});

describe('readIdx', () => {
  const plain = idx(
    0x08,
    [3, 100],
    Uint8Array.from({ length: 300 }, (_, i) => i),
  );

  test('plain and gzip, whatever the name', async () => {
    const expected = parseIdx(plain);
    expect(await readIdx(await written('plain.gz', plain))).toEqual(expected);
    expect(await readIdx(await written('packed', gzipSync(plain)))).toEqual(expected);
  });

  test('larger than the sample that is inflated for the header', async () => {
    const large = idx(
      0x08,
      [1000, 200],
      Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 31) >>> 3),
    );
    expect(await readIdx(await written('large', gzipSync(large)))).toEqual(parseIdx(large));
  });

  test('a missing file and a folder', async () => {
    const path = join(folder, 'missing');
    await expect(readIdx(path)).rejects.toThrow(new FileError(`idx ${path}: no such file or folder.`));
    await expect(readIdx(folder)).rejects.toThrow(new FileError(`idx ${folder}: it is a folder.`));
  });

  test('a gzip stream that is cut, damaged, or not IDX inside', async () => {
    const packed = gzipSync(plain);
    for (let length = 2; length < packed.length; length++) {
      await expect(readIdx(await written('cut', packed.subarray(0, length)))).rejects.toThrow(FileError);
    }
    const damaged = Buffer.from(packed);
    damaged[packed.length - 6] = (damaged[packed.length - 6] ?? 0) ^ 1;
    const path = await written('damaged', damaged);
    await expect(readIdx(path)).rejects.toThrow(
      new FileError(`idx ${path}: damaged or truncated gzip stream: incorrect data check.`),
    );
    await expect(readIdx(await written('text', gzipSync('hello')))).rejects.toThrow('wrong magic 68656c6c');
  });

  test('a small gzip file that inflates to a gigabyte is refused by its header', async () => {
    const bomb = await written('bomb', gzipSync(Buffer.concat([idx(0x08, [10], []), Buffer.alloc(64 * 1024 * 1024)])));
    const before = process.memoryUsage().rss;
    await expect(readIdx(bomb)).rejects.toThrow(FileError);
    expect(process.memoryUsage().rss - before).toBeLessThan(256 * 1024 * 1024);
  });

  test('a header that promises 16 exabytes costs nothing', async () => {
    const lie = idx(0x08, [0xffffffff, 0xffffffff], [1]);
    for (const bytes of [lie, gzipSync(lie)]) {
      await expect(readIdx(await written('lie', bytes))).rejects.toThrow('are missing');
    }
  });
});
