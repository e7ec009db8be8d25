import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { arange, data, FileError, ones, tensor, ThalwegError, zeros } from 'thalweg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';
import { crc32 } from '../../src/io/crc32.js';
import { readGoldens } from '../golden.js';

const golden = readGoldens<{ npz: Record<'stored' | 'compressed', string> }>('npy.json').npz;
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-npz-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** The position of the last place where a signature stands. */
function find(bytes: Uint8Array, signature: number): number {
  return Buffer.from(bytes).lastIndexOf(Buffer.from(Uint32Array.of(signature).buffer));
}
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

function changed(bytes: Uint8Array, change: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const copy = Uint8Array.from(bytes);
  change(new DataView(copy.buffer), copy);
  return copy;
}

test('the CRC-32 of the standard', () => {
  expect(crc32(Buffer.from('123456789'))).toBe(0xcbf43926);
  expect(crc32(Buffer.from('6789'), crc32(Buffer.from('12345')))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array(0))).toBe(0);
});

describe('NPZ files of NumPy', () => {
  test.each(['stored', 'compressed'] as const)('%s', async (kind) => {
    const arrays = await data.parseNpz(bytesOf(golden[kind]));
    expect([...arrays.keys()]).toEqual(['x', 'y', 'a/ü']);
    expect(await arrays.get('x')?.array()).toEqual(
      await arange(0, 24, 1, { dtype: 'float32' }).reshape([2, 3, 4]).array(),
    );
    expect(await arrays.get('y')?.data()).toEqual(BigInt64Array.of(1n, 2n, 3n));
    expect(arrays.get('a/ü')?.shape).toEqual([300]);
  });

  test('some of the arrays; a name that is not there', async () => {
    const file = join(folder, 'numpy.npz');
    await writeFile(file, bytesOf(golden.compressed));
    expect([...(await data.readNpz(file, { names: ['y'] })).keys()]).toEqual(['y']);
    await expect(data.readNpz(file, { names: ['z'] })).rejects.toThrow(
      new FileError(`npz ${file}: no array named 'z'; there are: x, y, a/ü.`),
    );
  });
});

describe('saveNpz', () => {
  test.each([false, true])('comes back, compressed: %s; the same bytes each time', async (compressed) => {
    const file = join(folder, `own-${compressed}.npz`);
    const content = { w: arange(100_000), b: tensor([1n, -2n]), empty: zeros([0, 2]), 'layer.0.mask': tensor([true]) };
    await data.saveNpz(file, content, { compressed });
    const first = await readFile(file);
    expect(first.length < 300_000).toBe(compressed);
    const back = await data.readNpz(file);
    expect([...back.keys()]).toEqual(Object.keys(content));
    for (const [name, x] of Object.entries(content)) {
      expect([back.get(name)?.dtype, ...(back.get(name)?.shape ?? [])]).toEqual([x.dtype, ...x.shape]);
      expect(await back.get(name)?.data()).toEqual(await x.data());
    }
    await data.saveNpz(file, new Map(Object.entries(content)), { compressed });
    expect(first.equals(await readFile(file))).toBe(true);
  });

  test('what cannot be written leaves the old file', async () => {
    const file = join(folder, 'kept.npz');
    await data.saveNpz(file, { x: ones([1]) });
    const before = await readFile(file);
    await expect(data.saveNpz(file, { x: ones([1], { dtype: 'bfloat16' }) })).rejects.toThrow(
      "saveNpz 'x': NumPy has no bfloat16",
    );
    await expect(data.saveNpz(file, { x: 1 as never })).rejects.toThrow("saveNpz 'x': expected a tensor.");
    expect(before.equals(await readFile(file))).toBe(true);
  });
});

describe('damaged archives', () => {
  const good = zipSync({ 'a.npy': bytesOf(golden.stored).subarray(0, 50), 'b.npy': new Uint8Array(5000) });
  const parse = (bytes: Uint8Array, maxBytes?: number): Promise<unknown> =>
    data.parseNpz(bytes, 'x', maxBytes === undefined ? {} : { maxBytes });

  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), '0 bytes are too few for a zip file, which has at least 22.'],
    ['another format', new Uint8Array(100), 'it has no end record: not a zip file, or truncated.'],
    [
      'a directory elsewhere',
      changed(good, (v) => v.setUint32(find(good, END) + 16, 1_000_000, true)),
      'its directory should be bytes 1000000 to',
    ],
    [
      'too many entries',
      changed(good, (v) => v.setUint16(find(good, END) + 10, 9, true)),
      'its directory is damaged at entry 2 of 9.',
    ],
    [
      'several parts',
      changed(good, (v) => v.setUint16(find(good, END) + 4, 1, true)),
      'it is a part of an archive of several parts',
    ],
    [
      'encryption',
      changed(good, (v) => v.setUint16(find(good, CENTRAL) + 8, 1, true)),
      '"b.npy" is encrypted, which is not supported.',
    ],
    [
      'another method',
      changed(good, (v) => v.setUint16(find(good, CENTRAL) + 10, 12, true)),
      '"b.npy" is compressed by method 12; supported are 0 (stored) and 8 (deflate).',
    ],
    [
      'a size that deflate cannot reach',
      changed(good, (v) => v.setUint32(find(good, CENTRAL) + 24, 4_000_000_000, true)),
      '"b.npy" claims to become 4000000000 bytes of',
    ],
    [
      'more than claimed',
      changed(good, (v) => v.setUint32(find(good, CENTRAL) + 24, 4999, true)),
      '"b.npy" holds more than the 4999 bytes that it claims.',
    ],
    [
      'less than claimed',
      changed(good, (v) => v.setUint32(find(good, CENTRAL) + 24, 5001, true)),
      '"b.npy" holds 5000 bytes, but claims 5001.',
    ],
    [
      'a wrong CRC',
      changed(good, (v) => v.setUint32(find(good, CENTRAL) + 16, 7, true)),
      '"b.npy" is damaged: its CRC-32 is b8f1f2bc, expected 00000007.',
    ],
    [
      'the same name twice',
      changed(good, (_, b) => b.set([0x61], find(good, CENTRAL) + 46)),
      'it has two entries named "a.npy".',
    ],
    [
      'entries that overlap',
      changed(good, (v) => v.setUint32(find(good, CENTRAL) + 42, 3, true)),
      '"a.npy" at byte 0 runs into what begins at byte 3: damaged, or made to.',
    ],
    [
      'another name at the entry',
      changed(good, (_, b) => b.set([0x63], 30)),
      '"a.npy": its header at byte 0 is damaged.',
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(data.parseNpz(bytes, 'x', { names: ['b', 'a'] })).rejects.toThrow(FileError);
    await expect(data.parseNpz(bytes, 'x', { names: message.startsWith('"b') ? ['b'] : ['a'] })).rejects.toThrow(
      message.replace('b8f1f2bc', crc32(new Uint8Array(5000)).toString(16)),
    );
  });

  test('a limit on the whole, before anything is inflated', async () => {
    const bomb = zipSync({ 'a.npy': new Uint8Array(50_000_000) }, { level: 9 });
    await expect(parse(bomb, 1_000_000)).rejects.toThrow(
      new FileError('zip x: its entries become more than the limit of 1000000 bytes (maxBytes).'),
    );
  });

  test('cut at every length; random bytes changed', async () => {
    for (const bytes of [bytesOf(golden.stored), bytesOf(golden.compressed)]) {
      for (let length = 0; length < bytes.length; length++) {
        await expect(parse(bytes.subarray(0, length))).rejects.toThrow(FileError);
      }
      // The checksums find every change in the content; what is left are fields that mean nothing here.
      for (let round = 0; round < 1500; round++) {
        const [at, value, at2] = philox([round, 0, 0, 0], [5, 6]);
        const damaged = changed(bytes, (_, b) => {
          b[at % b.length] ^= value & 0xff || 1;
          if (round % 3 === 0) b[at2 % b.length] = value >>> 8;
        });
        try {
          await parse(damaged);
        } catch (error) {
          if (!(error instanceof ThalwegError)) throw error;
        }
      }
    }
  });
});
