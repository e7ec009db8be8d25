import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data, type DType, FileError, fromTypedArray, tensor, ThalwegError, zeros } from 'thalweg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';
import { readGoldens } from '../golden.js';

const golden = readGoldens<{
  files: Record<string, { file: string; shape: number[]; values: string[] }>;
  refused: Record<string, string>;
  lists: Record<string, string>;
}>('npy.json');
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, 'base64'));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-npy-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A file of version 1 with the given dictionary. */
function npy(dictionary: string, elements: ArrayLike<number> = []): Uint8Array {
  const header = Buffer.alloc(10 + dictionary.length);
  header.write('\x93NUMPY\x01\x00', 'latin1');
  header.writeUInt16LE(dictionary.length, 8);
  header.write(dictionary, 10, 'latin1');
  return Uint8Array.from([...header, ...Array.from(elements)]);
}

describe('NPY files of NumPy', () => {
  const dtypes: Record<string, DType> = {
    ...{ bool: 'bool', scalar: 'float64', empty: 'float32', fortran: 'float64', fortran1d: 'int32', version2: 'int32' },
    ...{ version3: 'float32', fortranBig: 'int32', float16: 'float16', i1: 'int32', u1: 'uint8', i2: 'int32' },
    ...{ u2: 'int32', i4: 'int32', u4: 'int64', i8: 'int64', u8: 'int64', f2: 'float16', f4: 'float32', f8: 'float64' },
  };
  test.each(Object.entries(golden.files))('%s', async (name, { file, shape, values }) => {
    const x = await data.parseNpy(bytesOf(file), name);
    expect([x.dtype, ...x.shape]).toEqual([dtypes[name.replace(/[<>]/, '')], ...shape]);
    const got = Array.from((await x.data()) as ArrayLike<number | bigint>);
    expect(got).toEqual(got.map((value, i) => (typeof value === 'bigint' ? BigInt(values[i]) : toNumber(values[i]))));
    expect(got.length).toBe(values.length);
  });
  const toNumber = (text: string): number => (text === 'inf' ? Infinity : Number(text));

  test('what NumPy wrote is what is written: the same bytes', async () => {
    for (const name of ['bool', 'scalar', 'empty', 'fortran1d', 'float16', '<i8', 'u1', '<f4', '<f8']) {
      const bytes = bytesOf(golden.files[name].file);
      const file = join(folder, `${name.replace('<', '')}.npy`);
      await data.saveNpy(file, await data.parseNpy(bytes));
      expect(Buffer.compare(await readFile(file), bytes), name).toBe(0);
    }
  });

  test('views are written as their content, and come back', async () => {
    const file = join(folder, 'view.npy');
    const x = fromTypedArray(
      Float32Array.from({ length: 12 }, (_, i) => i),
      [3, 4],
    );
    await data.saveNpy(file, x.t());
    const back = await data.readNpy(file);
    expect(await back.array()).toEqual(await x.t().array());
    expect((await readdir(folder)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  const types: Record<string, string> = {
    complex: "'<c8' (complex numbers)",
    text: "'<U2' (text)",
    bytes: "'|S1' (byte strings)",
    dates: "'<M8[D]' (dates)",
    longdouble: "'<f16' (floats of that size)",
  };
  test.each(Object.entries(types))('%s: refused', async (name, type) => {
    await expect(data.parseNpy(bytesOf(golden.refused[name]), 'x')).rejects.toThrow(
      `npy x: it holds elements of NumPy's type ${type}, which have no tensor type; ` +
        `convert them in NumPy first, for example by a.astype('float32').`,
    );
  });

  test('structures, objects and large uint64: refused', async () => {
    await expect(data.parseNpy(bytesOf(golden.refused['structure']), 'x')).rejects.toThrow(
      'npy x: it holds structures with named fields',
    );
    await expect(data.parseNpy(bytesOf(golden.refused['objects']), 'x')).rejects.toThrow(
      new FileError(
        'npy x: it holds pickled Python objects, which are not read, because that would run code from the file. ' +
          'In NumPy, save numbers: an array of one dtype, or one array per object.',
      ),
    );
    await expect(data.parseNpy(bytesOf(golden.refused['uint64']), 'x')).rejects.toThrow(
      'npy x: element 1 of a uint64 array is 9223372036854775808, more than int64 holds; convert it in NumPy first.',
    );
    await expect(data.saveNpy(join(folder, 'b.npy'), zeros([2], { dtype: 'bfloat16' }))).rejects.toThrow(
      "saveNpy: NumPy has no bfloat16 (it has float32, float64, float16, int32, int64, uint8, bool); convert the tensor by .to('float32') first.",
    );
  });
});

describe('damaged NPY files', () => {
  const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }\n";
  const form = "is not of the form {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.";
  test.each<[string, Uint8Array, string]>([
    ['nothing', new Uint8Array(0), 'wrong magic nothing: expected 934e554d5059 ("\\x93NUMPY").'],
    ['another format', Buffer.from('PK\x03\x04abc'), 'wrong magic 504b03046162: expected 934e554d5059 ("\\x93NUMPY").'],
    ['only a magic', npy(good).subarray(0, 7), 'truncated: 7 bytes, less than the beginning of a header.'],
    ['version 4', npy(good).map((b, i) => (i === 6 ? 4 : b)), 'version 4.0 of the format; known are 1.0, 2.0 and 3.0.'],
    ['half a header', npy(good).subarray(0, 40), 'truncated: 40 bytes, the header takes 68.'],
    [
      'truncated',
      npy(good, [1, 2, 3]),
      'truncated, 5 bytes are missing: shape [2] of f4 takes 76 bytes with the header, there are 71.',
    ],
    [
      'too long',
      npy(good, new Array<number>(9).fill(0)),
      '1 bytes too many at the end: shape [2] of f4 takes 76 bytes with the header, there are 77.',
    ],
    ['code', npy("__import__('os').system('ls')"), `the header "__import__('os').system('ls')" ${form}`],
    ['a missing key', npy("{'descr': '<f4', 'shape': (2,)}"), `the header "{'descr': '<f4', 'shape': (2,)}" ${form}`],
    [
      'a negative dimension',
      npy(good.replace('2,', '-2,')),
      `the header ${JSON.stringify(good.replace('2,', '-2,').trim())} ${form}`,
    ],
    ['an unknown type', npy(good.replace('<f4', 'float')), "the element type 'float' is not one of NumPy's."],
    [
      'a huge dimension',
      npy(good.replace('2,', '99999999999999999999,')),
      'a dimension of 100000000000000000000 is more than 2^53 - 1.',
    ],
    ['nine dimensions', npy(good.replace('2,', '1,1,1,1,1,1,1,1,1')), '9 dimensions; a tensor has at most 8.'],
    [
      'a product beyond 2^64',
      npy(good.replace('2,', '4294967296, 4294967296')),
      'truncated, 73786976294838206464 bytes are missing: shape [4294967296, 4294967296] of f4 takes ' +
        '73786976294838206552 bytes with the header, there are 88.',
    ],
    ['a bool of 2', npy(good.replace('<f4', '|b1'), [1, 2]), 'element 1 of a bool array is the byte 2, not 0 or 1.'],
  ])('%s', async (_, bytes, message) => {
    await expect(data.parseNpy(bytes, 'x')).rejects.toThrow(new FileError(`npy x: ${message}`));
  });

  test('other spellings of the header', async () => {
    const spelled = `{"shape":(2L,),'fortran_order':True,"descr":'<f4'}`;
    expect(await (await data.parseNpy(npy(spelled, new Uint8Array(8)))).array()).toEqual([0, 0]);
  });

  test('a missing file, a folder, no bytes, no tensor', async () => {
    const missing = join(folder, 'missing.npy');
    await expect(data.readNpy(missing)).rejects.toThrow(new FileError(`npy ${missing}: no such file or folder.`));
    await expect(data.readNpy(folder)).rejects.toThrow(new FileError(`npy ${folder}: it is a folder.`));
    await expect(data.saveNpy(join(missing, 'a.npy'), zeros([1]))).rejects.toThrow(FileError);
    await expect(data.parseNpy('text' as never)).rejects.toThrow('parseNpy: expected the bytes as a Uint8Array.');
    await expect(data.saveNpy(join(folder, 'a.npy'), 3 as never)).rejects.toThrow('saveNpy: expected a tensor.');
  });

  test('cut at every length; random bytes changed', async () => {
    const originals = ['>i2', '<f8', 'version3', 'fortran', 'bool'].map((name) => bytesOf(golden.files[name].file));
    for (const bytes of originals) {
      for (let length = 0; length < bytes.length; length++) {
        await expect(data.parseNpy(bytes.subarray(0, length))).rejects.toThrow(FileError);
      }
    }
    for (let round = 0; round < 3000; round++) {
      const [pick, at, value] = philox([round, 0, 0, 0], [1, 2]);
      const bytes = Uint8Array.from(originals[pick % originals.length]);
      bytes[at % Math.min(bytes.length, 100)] = value & 0xff;
      try {
        (await data.parseNpy(bytes)).dispose();
      } catch (error) {
        if (!(error instanceof ThalwegError)) throw error;
      }
    }
  });
});

describe('arrays of lists', () => {
  const expected = [
    [1, 300, 70000, -1, 255, 256, 65535, 65536],
    [],
    [2147483647, -2147483648],
    Array.from({ length: 2500 }, (_, i) => i),
  ];
  test.each([2, 3, 4, 5])('protocol %d', (protocol) => {
    const lists = data.parseNpyLists(bytesOf(golden.lists[`protocol${protocol}`]));
    expect(lists.map((list) => [...list])).toEqual(expected);
  });

  test('a list that is there three times is one array', () => {
    const [a, b, c] = data.parseNpyLists(bytesOf(golden.lists['shared']));
    expect([...a]).toEqual(expected[0]);
    expect(b).toBe(a);
    expect(c).toBe(a);
  });

  test.each<[string, RegExp]>([
    [
      'evil',
      /^npy x: byte \d+ of the pickle: it names "builtins print", and only NumPy arrays of lists of integers are read\.$/,
    ],
    ['evil2', /it names "__builtin__ print"/],
    ['scalars', /it names "numpy._core.multiarray scalar"/],
    ['wide', /^npy x: value 0 of list 0 is 2147483648, not an integer of 32 bits\.$/],
    ['matrix', /^npy x: expected a one-dimensional array of lists, got \[1, 2\] of O\.$/],
  ])('%s: refused', (name, message) => {
    expect(() => data.parseNpyLists(bytesOf(golden.lists[name]), 'x')).toThrow(message);
    expect(() => data.parseNpyLists(bytesOf(golden.lists[name]), 'x')).toThrow(FileError);
  });

  test('numbers are no lists', () => {
    expect(() => data.parseNpyLists(bytesOf(golden.files['<i8'].file), 'x')).toThrow(
      new FileError('npy x: expected a one-dimensional array of lists, got [5] of i8.'),
    );
  });

  const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
  const pickle = (...codes: number[]): Uint8Array => npy(header, [0x80, 4, ...codes]);
  test.each<[string, Uint8Array, string]>([
    ['only a number', pickle(0x4b, 1, 0x2e), 'npy x: the pickle holds something other than an array.'],
    ['nothing', pickle(0x2e), 'npy x: byte 3 of the pickle: the stack is empty.'],
    [
      'an unknown instruction',
      pickle(0x81),
      'npy x: byte 3 of the pickle: instruction 0x81, which no array of lists of integers needs.',
    ],
    ['no end', pickle(0x4b), 'npy x: the pickle is truncated: it ends at byte 3.'],
    ['a string of 4 GB', pickle(0x58, 255, 255, 255, 255), 'npy x: the pickle is truncated: it ends at byte 7.'],
    ['an unknown memory', pickle(0x68, 7), 'npy x: byte 4 of the pickle: nothing was remembered as 7.'],
    ['no mark', pickle(0x5d, 0x65), 'npy x: byte 4 of the pickle: there is no mark on the stack.'],
    [
      'a list in itself',
      pickle(0x5d, 0x94, 0x68, 0, 0x61, 0x2e),
      'npy x: the pickle holds something other than an array.',
    ],
    ['protocol 0', npy(header, [0x80, 0]), 'npy x: byte 2 of the pickle: protocol 0; known are 2 to 5.'],
    ['bytes after the end', pickle(0x4e, 0x2e, 0), 'npy x: byte 4 of the pickle: it ends here, but 1 bytes follow.'],
  ])('%s', (_, bytes, message) => {
    expect(() => data.parseNpyLists(bytes, 'x')).toThrow(new FileError(message));
  });

  test('cut at every length; random bytes changed', () => {
    const small = [2, 4].map((protocol) => {
      const bytes = bytesOf(golden.lists[`protocol${protocol}`]);
      // The first lists only: what is cut is longer than the structure around them.
      return { bytes, structure: 700 };
    });
    for (const { bytes, structure } of small) {
      for (let length = 0; length < bytes.length; length += length < structure ? 1 : 97) {
        expect(() => data.parseNpyLists(bytes.subarray(0, length))).toThrow(FileError);
      }
    }
    for (let round = 0; round < 5000; round++) {
      const [pick, at, value, at2] = philox([round, 0, 0, 0], [3, 4]);
      const bytes = Uint8Array.from(small[pick % 2].bytes);
      bytes[(at % 400) + 100] = value & 0xff;
      if (pick % 3 === 0) bytes[at2 % 500] = (value >>> 8) & 0xff;
      try {
        data.parseNpyLists(bytes);
      } catch (error) {
        if (!(error instanceof ThalwegError)) throw error;
      }
    }
  });
});

test('a scalar keeps its shape', async () => {
  const file = join(folder, 'scalar.npy');
  await data.saveNpy(file, tensor(3.5));
  const back = await data.readNpy(file);
  expect(back.shape).toEqual([]);
  expect(await back.item()).toBe(3.5);
  await writeFile(file, '');
  await expect(data.readNpy(file)).rejects.toThrow(FileError);
});
