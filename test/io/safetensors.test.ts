import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ArgumentError, DTypeError, FileError, ThalwegError } from '../../src/errors.js';
import { fromBytes, fromTypedArray, safetensors, tensor, type Tensor } from '../../src/index.js';
import { philox } from '../../src/data/sampler.js';

const golden = fileURLToPath(new URL('../golden/safetensors-reference.safetensors', import.meta.url));

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-safetensors-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A file of a header text and data bytes; the length is what it should be unless given. */
function file(header: string, data: number | Uint8Array = 0, length?: bigint): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = typeof data === 'number' ? new Uint8Array(data) : data;
  const out = new Uint8Array(8 + json.length + bytes.length);
  new DataView(out.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  out.set(json, 8);
  out.set(bytes, 8 + json.length);
  return out;
}

const entry = (dtype: string, shape: string, offsets: string): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

/** The same samples as in the golden file, which Python's safetensors 0.8.0 wrote with torch tensors. */
function goldenTensors(): Map<string, Tensor> {
  return new Map<string, Tensor>([
    ['b.weight', fromTypedArray(Float32Array.of(1.5, -2, 0.25, 3, Infinity, -0), [2, 3])],
    ['a.weight', fromTypedArray(Float64Array.of(1, 2, -3.5), [3])],
    ['half', fromBytes(new Uint8Array(Uint16Array.of(0x3c00, 0xb800, 0x7bff, 0x0001).buffer), [4], 'float16')],
    ['brain', fromBytes(new Uint8Array(Uint16Array.of(0x3f80, 0xc020, 0x7f62).buffer), [3], 'bfloat16')],
    ['ints', fromTypedArray(Int32Array.of(1, -2, 2147483647, -2147483648), [2, 2])],
    ['longs', fromTypedArray(BigInt64Array.of(9223372036854775807n, -1n), [2])],
    ['bytes', fromTypedArray(Uint8Array.of(0, 127, 255), [3], { dtype: 'uint8' })],
    ['flags', fromBytes(Uint8Array.of(1, 0, 1), [3], 'bool')],
    ['scalar', fromTypedArray(Float32Array.of(7), [])],
    ['empty', fromTypedArray(new Float32Array(0), [0, 3])],
    ['é "quoted"\n\u{1f600}', fromTypedArray(Float32Array.of(1), [1])],
    ['__proto__', fromTypedArray(Float32Array.of(2), [1])],
  ]);
}

describe('with the reference implementation', () => {
  test('reads every dtype of its file', async () => {
    const { tensors, metadata } = await safetensors.load(golden);
    const expected = goldenTensors();
    expect([...metadata]).toEqual([['format', 'pt']]);
    expect([...tensors.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, want] of expected) {
      const got = tensors.get(name) as Tensor;
      expect([name, got.dtype, [...got.shape], await got.bytes()]).toEqual([
        name,
        want.dtype,
        [...want.shape],
        await want.bytes(),
      ]);
    }
  });

  test('writes the same bytes as it', async () => {
    const written = await safetensors.serialize(goldenTensors(), { format: 'pt' });
    expect(Buffer.from(written).equals(await readFile(golden))).toBe(true);
  });
});

describe('save and load', () => {
  test('round trip through a file, from a Map and from an object', async () => {
    const path = join(folder, 'a.safetensors');
    const w = tensor([[1, 2, 3]]);
    await safetensors.save(path, { w }, { metadata: { note: 'größer "x"' } });
    expect((await readFile(path)).length % 8).toBe(12 % 8);
    const loaded = await safetensors.load(path);
    expect([...loaded.metadata]).toEqual([['note', 'größer "x"']]);
    expect(await loaded.tensors.get('w')?.data()).toEqual(Float32Array.of(1, 2, 3));

    await safetensors.save(path, new Map([['v', tensor([4])]]));
    expect([...(await safetensors.load(path)).tensors.keys()]).toEqual(['v']);
    expect(await readdir(folder)).toEqual(['a.safetensors']);
  });

  test('nothing at all is a valid file', async () => {
    const bytes = await safetensors.serialize({});
    expect(Buffer.from(bytes).toString('latin1')).toBe('\b\0\0\0\0\0\0\0{}      ');
    expect(safetensors.parse(bytes).tensors.size).toBe(0);
  });

  test('a name like __proto__ pollutes nothing', () => {
    const { tensors, metadata } = safetensors.parse(
      file(`{"__metadata__":{"__proto__":"x"},"__proto__":${entry('U8', '[1]', '[0,1]')}}`, 1),
    );
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(metadata.get('__proto__')).toBe('x');
    expect(Object.getPrototypeOf({})).toBe(Object.prototype);
  });

  test('what cannot be saved', async () => {
    const path = join(folder, 'never.safetensors');
    const w = tensor([1]);
    const cases: [Parameters<typeof safetensors.save>[1], string][] = [
      [{ __metadata__: w }, "safetensors.save: '__metadata__' cannot be a tensor's name."],
      [{ 'a\ud800': w }, 'safetensors.save: the name "a\\ud800" is not well-formed text.'],
      [{ w: 3 as unknown as Tensor }, 'safetensors.save: "w" is not a tensor.'],
      [{ w: null as unknown as Tensor }, 'safetensors.save: "w" is not a tensor.'],
    ];
    for (const [tensors, message] of cases) {
      await expect(safetensors.save(path, tensors)).rejects.toThrow(new ArgumentError(message));
    }
    const metadata = { epochs: 5 as unknown as string };
    await expect(safetensors.save(path, { w }, { metadata })).rejects.toThrow(
      new ArgumentError('safetensors.save: metadata "epochs" is not a string.'),
    );
    expect(await readdir(folder)).not.toContain('never.safetensors');
  });

  test('a disposed tensor is refused and the old file stays', async () => {
    const path = join(folder, 'old.safetensors');
    await safetensors.save(path, { w: tensor([1]) });
    const before = await readFile(path);
    const gone = tensor([1]);
    gone.dispose();
    await expect(safetensors.save(path, { w: gone })).rejects.toThrow(ThalwegError);
    expect(await readFile(path)).toEqual(before);
  });

  test('files that are missing, a folder, or cut', async () => {
    const missing = join(folder, 'missing.safetensors');
    await expect(safetensors.load(missing)).rejects.toThrow(
      new FileError(`safetensors ${missing}: no such file or folder.`),
    );
    await expect(safetensors.load(folder)).rejects.toThrow(FileError);
    const whole = await readFile(golden);
    const path = join(folder, 'cut.safetensors');
    for (let length = 0; length < whole.length; length += 13) {
      await writeFile(path, whole.subarray(0, length));
      await expect(safetensors.load(path)).rejects.toThrow(FileError);
    }
  });

  test('a missing folder for the new file', async () => {
    const path = join(folder, 'no', 'a.safetensors');
    await expect(safetensors.save(path, { w: tensor([1]) })).rejects.toThrow(
      new FileError(`write ${path}: no such file or folder.`),
    );
  });
});

describe('headers that lie', () => {
  const F32 = (shape: string, offsets: string): string => `{"w":${entry('F32', shape, offsets)}}`;
  const cases: [name: string, bytes: Uint8Array, message: string][] = [
    ['no length', new Uint8Array(7), '7 bytes are too few for the 8-byte header length.'],
    ['past the end', file('{}', 0, 3n), 'the header length 3 goes past the end: only 2 bytes follow it.'],
    ['2^63', file('{}', 0, 1n << 63n), 'the header length 9223372036854775808 is over the limit of 100000000 bytes.'],
    ['> 100 MB', file('{}', 0, 100_000_001n), 'the header length 100000001 is over the limit of 100000000 bytes.'],
    ['not JSON', file('hello'), 'the header is not usable JSON: expected a value, unexpected "h" at character 0.'],
    ['empty', file(''), 'the header is not usable JSON: expected a value, end of text at character 0.'],
    ['an array', file('[]'), 'the header must be an object, not [].'],
    ['leading space', file(' {}'), "the header must start with '{'."],
    [
      'invalid UTF-8',
      Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe),
      'the header is not usable JSON: it is not valid UTF-8.',
    ],
    [
      'duplicate tensor',
      file(`{"w":${entry('U8', '[1]', '[0,1]')},"w":${entry('U8', '[1]', '[1,2]')}}`, 2),
      'the header is not usable JSON: duplicate key "w" at character 53.',
    ],
    [
      'duplicate field',
      file('{"w":{"dtype":"U8","shape":[1],"shape":[1],"data_offsets":[0,1]}}', 1),
      'the header is not usable JSON: duplicate key "shape" at character 31.',
    ],
    ['metadata not an object', file('{"__metadata__":3}'), '__metadata__ must be an object, not 3.'],
    ['metadata not text', file('{"__metadata__":{"a":1}}'), '__metadata__ "a" must be a string, not 1.'],
    ['not an entry', file('{"w":null}'), 'tensor "w" must be described by an object, not null.'],
    [
      'unknown dtype',
      file(`{"w":${entry('float', '[1]', '[0,4]')}}`, 4),
      'tensor "w": unknown dtype "float"; expected one of F32, F64, F16, BF16, I32, I64, U8, BOOL.',
    ],
    [
      'missing dtype',
      file('{"w":{"shape":[1],"data_offsets":[0,4]}}', 4),
      'tensor "w": unknown dtype missing; expected one of F32, F64, F16, BF16, I32, I64, U8, BOOL.',
    ],
    [
      'negative dim',
      file(F32('[-1]', '[0,4]'), 4),
      'tensor "w": shape [-1] is not a list of integers from 0 to 2^53 - 1.',
    ],
    [
      'fraction',
      file(F32('[1.5]', '[0,4]'), 4),
      'tensor "w": shape [1.5] is not a list of integers from 0 to 2^53 - 1.',
    ],
    [
      'exponent',
      file(F32('[1e0]', '[0,4]'), 4),
      'tensor "w": shape [1e0] is not a list of integers from 0 to 2^53 - 1.',
    ],
    [
      '2^53',
      file(F32('[9007199254740992]', '[0,4]'), 4),
      'tensor "w": shape [9007199254740992] is not a list of integers from 0 to 2^53 - 1.',
    ],
    ['no list', file(F32('"2"', '[0,8]'), 8), 'tensor "w": shape "2" is not a list of integers from 0 to 2^53 - 1.'],
    [
      'product wraps to 4 bytes in 64 bits',
      file(F32('[4294967296,4294967296,1]', '[0,0]')),
      'tensor "w": shape [4294967296, 4294967296, 1] of float32 takes 73786976294838206464 bytes, but data_offsets [0, 0] hold 0.',
    ],
    [
      'size and shape differ',
      file(F32('[3]', '[0,8]'), 8),
      'tensor "w": shape [3] of float32 takes 12 bytes, but data_offsets [0, 8] hold 8.',
    ],
    ['begin > end', file(F32('[1]', '[4,0]'), 4), 'tensor "w": data_offsets [4, 0] end before they begin.'],
    [
      'three offsets',
      file(F32('[1]', '[0,4,4]'), 4),
      'tensor "w": data_offsets [0, 4, 4] is not a pair of integers from 0 to 2^53 - 1.',
    ],
    [
      'negative offset',
      file(F32('[1]', '[-4,0]'), 4),
      'tensor "w": data_offsets [-4, 0] is not a pair of integers from 0 to 2^53 - 1.',
    ],
    [
      'out of range',
      file(F32('[2]', '[0,8]'), 4),
      'tensor "w" at [0, 8] goes past the end of the data, which has 4 bytes.',
    ],
    [
      'far out of range',
      file(F32('[2251799813685247]', '[0,9007199254740988]'), 4),
      'tensor "w" at [0, 9007199254740988] goes past the end of the data, which has 4 bytes.',
    ],
    [
      'overlap',
      file(`{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[2,6]')}}`, 6),
      'tensor "b" at [2, 6] overlaps tensor "a" at [0, 4].',
    ],
    [
      'the same bytes twice',
      file(`{"a":${entry('U8', '[4]', '[0,4]')},"b":${entry('U8', '[4]', '[0,4]')}}`, 4),
      'tensor "b" at [0, 4] overlaps tensor "a" at [0, 4].',
    ],
    [
      'hole',
      file(`{"a":${entry('U8', '[1]', '[0,1]')},"b":${entry('U8', '[1]', '[3,4]')}}`, 4),
      'tensor "b" at [3, 4] leaves a hole: bytes 1 to 3 belong to no tensor.',
    ],
    [
      'trailing bytes',
      file(`{"a":${entry('U8', '[1]', '[0,1]')}}`, 4),
      "3 bytes after the last tensor's end at 1 belong to no tensor.",
    ],
    [
      'a bool that is 2',
      file(`{"a":${entry('BOOL', '[3]', '[0,3]')}}`, Uint8Array.of(0, 1, 2)),
      'tensor "a" is BOOL, but its byte 2 is 2, not 0 or 1.',
    ],
  ];

  test.each(cases)('%s', async (name, bytes, message) => {
    expect(() => safetensors.parse(bytes, 'x')).toThrow(new FileError(`safetensors x: ${message}`));
    const path = join(folder, `${name.replace(/\W/g, '-')}.safetensors`);
    await writeFile(path, bytes);
    await expect(safetensors.load(path)).rejects.toThrow(new FileError(`safetensors ${path}: ${message}`));
  });

  test.each(['I8', 'I16', 'U16', 'U32', 'U64', 'F8_E4M3'])('dtype %s is known but not supported', (code) => {
    expect(() => safetensors.parse(file(`{"w":${entry(code, '[0]', '[0,0]')}}`), 'x')).toThrow(
      new DTypeError(
        `safetensors x: tensor "w" has dtype ${code}, which has no tensor type here; ` +
          'supported are F32, F64, F16, BF16, I32, I64, U8, BOOL.',
      ),
    );
  });

  test('more dimensions than a tensor can have', () => {
    const shape = `[${Array.from({ length: 300 }, () => 1).join(',')}]`;
    expect(() => safetensors.parse(file(`{"w":${entry('U8', shape, '[0,1]')}}`, 1))).toThrow(ThalwegError);
  });
});

describe('fuzz: damaged bytes give typed errors or tensors, never anything else', () => {
  test('random damage to the golden file', async () => {
    const original = await readFile(golden);
    const headerEnd = 8 + Number(original.readBigUInt64LE(0));
    let refused = 0;
    for (let round = 0; round < 6000; round++) {
      const [kind, at, value, more] = philox([round, 0, 0, 0], [1, 2]);
      let bytes = Buffer.from(original);
      // Mostly in the header: that is where the numbers are.
      const position = at % (kind % 8 === 0 ? bytes.length : headerEnd);
      switch (kind % 5) {
        case 0:
          bytes[position] = value & 0xff;
          break;
        case 1:
          bytes[position] = (bytes[position] ?? 0) ^ (1 << (value % 8));
          break;
        case 2:
          bytes = bytes.subarray(0, position);
          break;
        case 3:
          bytes.copy(bytes, position, more % headerEnd, (more % headerEnd) + (value % 64));
          break;
        default:
          bytes[position] = '0123456789"{}[],:-\\'.charCodeAt(value % 19);
      }
      try {
        for (const loaded of safetensors.parse(bytes).tensors.values()) loaded.dispose();
      } catch (error) {
        if (!(error instanceof ThalwegError)) throw error;
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(4000);
  });

  test('headers put together of random numbers', () => {
    const numbers = [
      '0',
      '1',
      '4',
      '8',
      '-1',
      '1.5',
      '4294967296',
      '9007199254740991',
      '18446744073709551615',
      '1e400',
      '[]',
    ];
    const dtypes = ['F32', 'U8', 'BOOL', 'I64', 'F16', 'I8', '', '__proto__'];
    for (let round = 0; round < 4000; round++) {
      const [a, b, c, d] = philox([round, 1, 0, 0], [3, 4]);
      const pick = (value: number): string => numbers[value % numbers.length];
      const shape = `[${[a, b, c]
        .slice(0, d % 4)
        .map((v) => pick(v >>> 8))
        .join(',')}]`;
      const text = `{"w":${entry(dtypes[d % 8], shape, `[${pick(b)},${pick(c)}]`)}}`;
      try {
        safetensors
          .parse(file(text, a % 17))
          .tensors.get('w')
          ?.dispose();
      } catch (error) {
        if (!(error instanceof ThalwegError)) throw error;
      }
    }
  });
});
