// What a caller of the addon can do wrong on purpose: every exported function with values of the wrong kind, and every kernel
// with tensors of random shapes, strides and dtypes. Typed errors are fine, crashes are not. The sanitizers run this too.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { ThalwegError } from '../src/errors.js';
import { native, scratchHandles, scratchNumbers } from '../src/native.js';
import { sanitized } from './fixtures/child.js';
import { makers } from './garbage/kernels.js';
import { randomOperands } from './garbage/operands.js';
import { randomProgram } from './garbage/programs.js';
import { attempt, device, exported, newTensor, newView, randomSource, settle } from './garbage/tensors.js';

const { kernels } = native.describe();

const stale = newTensor(0, [3], 0);
native.dispose(stale);
const live = newTensor(0, [2, 3], 0);
native.fill(live, 1);
const detached = new Float32Array(6);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
const hostile = {
  get length(): number {
    throw new Error('a getter ran');
  },
  valueOf(): number {
    throw new Error('valueOf ran');
  },
  toString(): string {
    throw new Error('toString ran');
  },
  [Symbol.toPrimitive](): number {
    throw new Error('toPrimitive ran');
  },
};

const garbage: readonly unknown[] = [
  undefined,
  null,
  NaN,
  -1,
  -0,
  0,
  1,
  2,
  0.5,
  7,
  8,
  9,
  255,
  Infinity,
  -Infinity,
  2 ** 31,
  2 ** 32,
  2 ** 32 + live,
  2 ** 53,
  2 ** 53 - 1,
  -(2 ** 53),
  2 ** 63,
  1e308,
  -5n,
  2n ** 64n,
  2n ** 200n,
  true,
  false,
  'text',
  '',
  Symbol('s'),
  () => 0,
  [],
  {},
  hostile,
  detached,
  new Float32Array(6),
  new Uint8Array(5),
  new Uint16Array([65535, 0, 0, 0, 0]),
  new BigInt64Array(3),
  new DataView(new ArrayBuffer(8)),
  new ArrayBuffer(8),
  new Float32Array(new SharedArrayBuffer(24)),
  new Proxy({}, {}),
  stale,
  live,
  live + 1,
  live + 2 ** 22,
  0xffffffff,
];

// Not with just any number: these change the process, or start threads.
const withCare = new Set(['threads', 'setBudget', 'init', 'dispose']);

afterAll(() => {
  native.setBudget(96 * 2 ** 20, 50_000, 8 * 2 ** 30, 96 * 2 ** 20);
});

describe('every exported function', () => {
  test('is a kernel or part of the runtime', () => {
    const names = [...readFileSync('native/kernels.def', 'utf8').matchAll(/^KERNEL\((\w+)/gm)].map((m) => m[1]);
    expect(kernels).toEqual(names);
    for (const name of names) expect(typeof exported[name]).toBe('function');
  });

  test('refuses too few arguments', () => {
    const withoutArguments = new Set(['sweep', 'trim', 'sync', 'describe', 'deviceCount', 'deviceLibraries']);
    for (const [name, fn] of Object.entries(exported)) {
      if (withoutArguments.has(name)) continue;
      expect(attempt(fn, []), name).toBeInstanceOf(ThalwegError);
    }
    expect(() => exported['fill'](live)).toThrow(
      expect.objectContaining({ name: 'NativeError', message: 'fill: argument 2 is missing' }),
    );
  });

  test('survives values of the wrong kind in every place', () => {
    const random = randomSource(1);
    for (const [name, fn] of Object.entries(exported)) {
      if (withCare.has(name)) continue;
      for (let place = 0; place < 8; place++) {
        for (const bad of garbage) {
          const args = Array.from({ length: 8 }, () => (random(2) === 0 ? live : garbage[random(garbage.length)]));
          args[place] = bad;
          scratchHandles.fill(random(3) === 0 ? stale : live, 0, 16);
          for (let i = 0; i < 16; i++)
            scratchNumbers[i] = Number(random(4) === 0 ? [NaN, -1, 1e300, 2 ** 53][random(4)] : random(4));
          const result = attempt(fn, args);
          if (result instanceof Promise) result.catch(() => undefined);
        }
      }
      settle();
    }
  });

  test('of those that change the process: wrong kinds', () => {
    for (const bad of garbage) {
      if (typeof bad !== 'function') attempt(exported['init'], [bad]);
      attempt(exported['setBudget'], [bad, bad, bad, bad]);
      if (bad !== live) attempt(exported['dispose'], [bad]);
      if (typeof bad !== 'number' || !(bad >= 1 && bad <= 1024)) attempt(exported['threads'], [bad]);
    }
    native.setBudget(96 * 2 ** 20, 50_000, 8 * 2 ** 30, 96 * 2 ** 20);
    expect(native.readSync(live, 0)).toBe(undefined);
  });

  test('takes more arguments than it has', () => {
    expect(attempt(exported['stats'], [false, 0, ...garbage, ...garbage])).toHaveLength(6);
  });
});

describe('handles', () => {
  const refused = (call: () => unknown, message: string): void =>
    expect(call).toThrow(expect.objectContaining({ name: 'DisposedError', message }));

  test('made up, stale and those of another table are refused', () => {
    refused(() => native.readSync(stale, 0), `read: ${stale} is not the handle of a live tensor of this thread`);
    refused(() => native.fill(0, 0), 'fill: 0 is not the handle of a live tensor of this thread');
    refused(() => native.fill(0xffffffff, 0), 'fill: 4294967295 is not the handle of a live tensor of this thread');
    refused(
      () => native.fill(live + 2 ** 22, 0),
      `fill: ${live + 2 ** 22} is not the handle of a live tensor of this thread`,
    );
  });

  test('are exact: no wrapping around, no rounding', () => {
    for (const wrong of [live + 2 ** 32, live + 0.5, -live, NaN, String(live), BigInt(live)]) {
      expect(() => native.fill(wrong as number, 0)).toThrow(
        expect.objectContaining({ name: 'NativeError', message: 'fill: argument 1 is not a handle' }),
      );
    }
  });

  test('disposing is harmless a second time', () => {
    const handle = newTensor(0, [2]);
    const [tensors] = native.stats(false, device);
    native.dispose(handle);
    native.dispose(handle);
    native.dispose(0);
    expect(native.stats(false, device)[0]).toBe(tensors - 1);
  });

  test('views cannot reach outside their storage', () => {
    const base = newTensor(0, [4]);
    const shape = (call: () => unknown): void => expect(call).toThrow(expect.objectContaining({ name: 'ShapeError' }));
    shape(() => newView(base, [5], [1], 0));
    shape(() => newView(base, [2], [4], 0));
    shape(() => newView(base, [1], [1], 4));
    shape(() => newView(base, [1], [1], -1));
    shape(() => newView(base, [0], [1], 5));
    shape(() => newView(base, [2 ** 52, 2 ** 52], [0, 0], 0));
    shape(() => newView(base, [2, 2], [2 ** 53, 2 ** 53], 0));
    shape(() => newView(base, [2 ** 53], [2 ** 53], 0));
    shape(() => newView(base, [-1], [1], 0));
    shape(() => newView(base, [NaN], [1], 0));
    shape(() => newView(base, [1.5], [1], 0));
    expect(newView(base, [0, 2 ** 53 - 1], [2 ** 53, 2 ** 53], 4)).toBeGreaterThan(0);
  });
});

describe('programs', () => {
  const u16 = (...words: number[]): Uint16Array => Uint16Array.from(words);
  const none = new Float64Array(0);
  const make = (code: Uint16Array, outputs: Uint16Array, inputs = 1, scalars = 0, temporaries = 1): unknown =>
    attempt(() => native.program('garbage', code, outputs, none, inputs, scalars, temporaries), []);
  const message = (error: unknown): string => (error as Error).message;

  test('that are malformed are refused, naming what is wrong', () => {
    expect(message(make(u16(0, 1, 0), u16(1)))).toBe('program: argument 2 is not code of five words an instruction');
    expect(message(make(u16(9999, 1, 0, 0, 0), u16(1)))).toBe('program garbage: unknown opcode: 9999');
    expect(message(make(u16(0, 1, 7, 0, 0), u16(1)))).toBe(
      'program garbage: an instruction reads a register out of range: 7',
    );
    expect(message(make(u16(0, 1, 1, 0, 0), u16(1)))).toBe(
      'program garbage: an instruction reads a register before it is written: 1',
    );
    expect(message(make(u16(0, 0, 0, 0, 0), u16(1)))).toBe(
      'program garbage: an instruction writes a register that is not a temporary: 0',
    );
    expect(message(make(u16(0, 1, 0, 0, 0), u16(200)))).toBe(
      'program garbage: an output names a register out of range: 200',
    );
    expect(message(make(u16(0, 1, 0, 0, 0), u16()))).toBe('program garbage: bad number of outputs: 0');
    expect(message(make(u16(), u16(1)))).toBe('program garbage: the register of an output is never written: 1');
    expect(message(make(u16(), u16(0), 65))).toBe('program: argument 5 is 65, outside 0 to 64');
    expect(message(make(u16(), u16(0), 1, 250, 100))).toBe('program garbage: too many registers: 351');
    expect(() => native.map(123_456, 0, 0)).toThrow('map: there is no program 123456');
  });

  test('of random words never get through to a kernel unchecked', () => {
    const random = randomSource(2);
    for (let i = 0; i < 2000; i++) {
      const code = Uint16Array.from({ length: 5 * random(6) }, () => (random(10) === 0 ? random(65536) : random(6)));
      const id = make(
        code,
        Uint16Array.from({ length: random(4) }, () => random(6)),
        random(4),
        random(3),
        random(4),
      );
      if (typeof id !== 'number') continue;
      scratchHandles.fill(live, 0, 64);
      attempt(exported['map'], [id, random(12), random(4)]);
    }
    settle();
  });
});

test('adaptive pooling with a dilation, whose taps would lie outside, is refused', () => {
  const [out, x] = [newTensor(0, [1, 1, 2]), newTensor(0, [1, 1, 5])];
  // kernel, stride, padding, dilation
  [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 2 ** 20].forEach((value, i) => (scratchNumbers[i] = value));
  const error = attempt(() => native.maxPool(out, 0, x, 12), []) ?? settle();
  expect((error as Error).message).toBe('maxPool: adaptive windows have no dilation');
});

test('adaptive pooling to no results divides nothing by their number', () => {
  const [x, none, taps, places] = [
    newTensor(0, [1, 1, 4]),
    newTensor(0, [1, 1, 0]),
    newTensor(6, [1, 1, 0]),
    newTensor(5, [1, 1, 0]),
  ];
  const launch = (run: () => void): void => {
    [0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1].forEach((value, i) => (scratchNumbers[i] = value));
    expect(attempt(run, []) ?? settle()).toBeUndefined();
  };
  launch(() => native.maxPool(none, taps, x, 12));
  launch(() => native.maxPoolTake(none, x, taps, 12));
  launch(() => native.maxPoolIndices(places, taps, x, 12));
  launch(() => native.maxPoolBackward(x, none, taps, 12));
});

test('patches of 16-bit images are refused, which kernels would read as wider', () => {
  const x = newTensor(2, [1, 1, 4, 4]);
  const columns = newTensor(2, [1, 4, 9]);
  native.fill(x, 1);
  [1, 3, 3, 1, 2, 2, 1, 1, 1, 0, 0, 0, 1, 1, 1].forEach((value, i) => (scratchNumbers[i] = value));
  expect(() => {
    native.im2col(columns, x, 15);
    native.sync();
  }).toThrow('im2col: x is float16, expected float32 or float64');
  for (const handle of [x, columns]) native.dispose(handle);
});

describe('kernels on random tensors', () => {
  test.each(kernels)('%s', (name) => {
    expect(Object.keys(makers)).toContain(name);
    // THALWEG_FUZZ_SEED=n tries others, THALWEG_FUZZ_SIZE=n larger tensors.
    const random = randomSource(
      name.length * 7919 + name.charCodeAt(0) + 1e6 * Number(process.env['THALWEG_FUZZ_SEED'] ?? 0),
    );
    const large = Number(process.env['THALWEG_FUZZ_SIZE'] ?? 40);
    // The emulated device takes some hundred times as long.
    const rounds = device > 0 ? 300 : sanitized ? 1500 : 3000;
    let completed = 0;

    const programs = Array.from({ length: 24 }, () => randomProgram(random));
    for (let round = 0; round < rounds; round++) {
      const operands = randomOperands(random, large, programs);
      const args = makers[name](operands, name);
      // Now and then one operand is another's memory.
      if (random(10) === 0 && args.length > 1 && typeof args[1] === 'number' && !name.startsWith('map'))
        args[0] = args[1];
      const error = attempt(exported[name], args) ?? settle();
      // Stacks of recurrent layers pass all checks, and then there is no cuDNN.
      const absent =
        /^rnnStack(Backward)?: (cuDNN does not compute these layers here|the CPU computes layers one by one)/;
      if (error === undefined || absent.test((error as Error).message)) completed++;
      for (const handle of operands.made) native.dispose(handle);
    }
    // Enough of it must have been work, not refusals.
    expect(completed).toBeGreaterThan(rounds / 25);
  });
});

describe('writing and reading', () => {
  test('sizes that do not fit are refused', () => {
    const handle = newTensor(0, [3], 0);
    expect(() => native.write(handle, new Float32Array(4), 0)).toThrow(
      'write: the array has 16 bytes, the tensor takes 12',
    );
    expect(() => native.write(handle, detached, 0)).toThrow('write: the array has 0 bytes, the tensor takes 12');
    expect(() => native.write(handle, new DataView(new ArrayBuffer(12)), 0)).toThrow(
      'write: argument 2 is not a typed array',
    );
    expect(() => native.write(handle, new Float32Array(3), 8)).toThrow('write: argument 3 is 8, outside 0 to 7');
    expect(() => native.readSync(handle, -1)).toThrow('readSync: argument 2 is -1, outside 0 to 7');
    expect(() => native.read(handle, NaN, true)).toThrow('read: argument 2 is not an integer');
  });

  test('bytes need not be aligned', () => {
    const bytes = new Uint8Array(25);
    new DataView(bytes.buffer).setFloat64(1, 1.5, true);
    const handle = newTensor(1, [3], 0);
    native.sync();
    native.write(handle, bytes.subarray(1), 1);
    native.readSync(handle, 1);
    expect([...scratchNumbers.subarray(0, 3)]).toEqual([1.5, 0, 0]);
  });

  test('an array of a kind that Node-API does not know is refused', () => {
    const Float16 = (globalThis as { Float16Array?: new (n: number) => ArrayBufferView }).Float16Array;
    if (Float16 === undefined) return;
    const handle = newTensor(0, [3], 0);
    expect(() => native.write(handle, new Float16(6), 0)).toThrow(ThalwegError);
  });

  test('an array that changes hands while it is read from', async () => {
    const handle = newTensor(0, [1000], 0);
    native.fill(handle, 2);
    const reads = Array.from({ length: 20 }, () => native.read(handle, 0, false) as Promise<ArrayBuffer>);
    native.dispose(handle);
    for (const buffer of await Promise.all(reads)) expect(new Float32Array(buffer)[999]).toBe(2);
  });
});
