// What a caller of the addon can do wrong on purpose: every exported function with values of the wrong kind, and every kernel
// with tensors of random shapes, strides and dtypes. Typed errors are fine, crashes are not. The sanitizers run this too.
import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { defaultDevice, deviceIndex } from '../src/device.js';
import { ThalwegError } from '../src/errors.js';
import { native, scratchHandles, scratchNumbers, strideBase } from '../src/native.js';
import { channelsLastStrides } from '../src/shape.js';
import { sanitized } from './fixtures/child.js';

type AnyFunction = (...args: unknown[]) => unknown;
const exported = native as unknown as Record<string, AnyFunction>;
const { kernels, opcodes } = native.describe();

// A small generator with a seed, so that a failure can be repeated: mulberry32.
function randomSource(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** Calls, and checks that a failure is one of Thalweg's errors. */
function attempt(fn: AnyFunction, args: unknown[]): unknown {
  try {
    return fn(...args);
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    return error;
  }
}

function settle(): unknown {
  return attempt(() => native.sync(), []);
}

// What owns the tensors here; the collector frees those of objects that are gone.
const owner = {};

// Where operands of kernels are (THALWEG_TEST_DEVICE). Only the CPU's memory is read and written directly.
const device = deviceIndex(defaultDevice());

function newTensor(dtype: number, shape: readonly number[], on = device): number {
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  return native.empty(dtype | (on << 4), shape.length, owner, true, false);
}

/** A contiguous tensor of these elements. */
function filledTensor(dtype: number, shape: readonly number[], data: ArrayBufferView): number {
  const host = newTensor(dtype, shape, 0);
  native.write(host, data, dtype);
  if (device === 0) return host;
  const there = newTensor(dtype, shape);
  native.copy(there, host);
  native.dispose(host);
  return there;
}

// Channels-last, if the shape can be.
function newImage(dtype: number, shape: readonly number[], last: boolean): number {
  if (!last || shape.length < 3) return newTensor(dtype, shape);
  channelsLastStrides(shape).forEach((n, d) => (scratchNumbers[strideBase + d] = n));
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  return native.empty(dtype | (device << 4), shape.length, owner, true, true);
}

function newView(base: number, shape: readonly number[], strides: readonly number[], offset: number): number {
  shape.forEach((n, d) => (scratchNumbers[d] = n));
  strides.forEach((n, d) => (scratchNumbers[strideBase + d] = n));
  return native.view(base, shape.length, offset, owner);
}

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
    // THALWEG_FUZZ_SEED=n tries others, THALWEG_FUZZ_SIZE=n larger tensors.
    const random = randomSource(
      name.length * 7919 + name.charCodeAt(0) + 1e6 * Number(process.env['THALWEG_FUZZ_SEED'] ?? 0),
    );
    const large = Number(process.env['THALWEG_FUZZ_SIZE'] ?? 40);
    // The emulated device takes some hundred times as long.
    const rounds = device > 0 ? 300 : sanitized ? 1500 : 3000;
    let completed = 0;

    const programs = Array.from({ length: 24 }, () => randomProgram(random));
    const scalar = (): unknown =>
      [0, 1, -1, random(5), 0.5, NaN, Infinity, 2 ** 40, BigInt(random(100)), -(2n ** 63n), true][random(11)];
    const dim = (): number => (random(12) === 0 ? [-1, 8, 2 ** 40, 1.5][random(4)] : random(3));

    for (let round = 0; round < rounds; round++) {
      const made: number[] = [];
      // Operands of a round are of one family of shapes and often of one dtype, else nothing would get past the first check.
      const rank = random(10) === 0 ? random(9) : random(4);
      const base = Array.from({ length: rank }, () => (random(12) === 0 ? 0 : 1 + random(random(6) === 0 ? large : 5)));
      while (base.reduce((n, size) => n * size, 1) > 2500 * large) base[base.indexOf(Math.max(...base))] >>= 1;
      const family = [0, 1, 0, 5, 4, 2, 3, 6, 7][random(9)];
      const shapeOf = (): number[] => {
        const shape = base.slice();
        for (let d = 0; d < shape.length; d++) if (random(5) === 0) shape[d] = random(2) === 0 ? 1 : random(4);
        if (random(20) === 0) shape.pop();
        if (random(20) === 0 && shape.length < 8) shape.push(1 + random(4));
        return shape;
      };
      const operand = (exact: boolean, wantedDType = family, wantedShape?: number[]): number => {
        const dtype = random(15) === 0 ? random(8) : wantedDType;
        const shape = wantedShape ?? (exact && random(4) !== 0 ? base : shapeOf());
        let handle: number;
        if (random(3) !== 0) {
          // Now and then on another device than the others.
          handle = newTensor(dtype, shape, device > 0 && random(60) === 0 ? 0 : device);
          fillWith(handle, dtype, random);
        } else {
          // A window on a larger tensor, perhaps transposed, expanded, overlapping.
          const storage = newTensor(dtype, [1 + random(75 * large)]);
          fillWith(storage, dtype, random);
          made.push(storage);
          const order = shape.map((_, d) => d).sort(() => random(3) - 1);
          const strides: number[] = [];
          let step = 1;
          for (const d of order) {
            strides[d] = random(8) === 0 ? 0 : step;
            step *= Math.max(1, shape[d] + random(2));
          }
          const view = attempt(() => newView(storage, shape, strides, random(5)), []);
          handle = typeof view === 'number' ? view : newTensor(dtype, [2]);
        }
        made.push(handle);
        return handle;
      };
      const index = (shape?: number[]): number => operand(true, random(10) === 0 ? random(8) : 4 + random(2), shape);

      // Mostly contiguous and of the shape that fits, for kernels that take nothing else.
      const plain = (shape: number[], dtype: number): number => {
        if (random(40) === 0) return operand(true, dtype, random(2) === 0 ? shape : undefined);
        const handle = newTensor(dtype, shape);
        fillWith(handle, dtype, random);
        made.push(handle);
        return handle;
      };
      const maybe = (shape: number[], dtype: number): number => (random(3) === 0 ? 0 : plain(shape, dtype));
      // Mostly in one order of memory.
      const last = random(2) === 0;
      const image = (shape: readonly number[], dtype: number): number => {
        if (random(12) === 0) return operand(true, dtype, [...shape]);
        const handle = newImage(dtype, shape, random(20) === 0 ? !last : last);
        fillWith(handle, dtype, random);
        made.push(handle);
        return handle;
      };
      const maybeImage = (shape: number[], dtype: number): number => (random(3) === 0 ? 0 : image(shape, dtype));

      let args: unknown[];
      switch (name) {
        case 'normalizeRows':
        case 'normalizeRowsBackward': {
          const float = random(2);
          const [runs, inner, items] = [random(12), random(20), random(6)];
          const groups = 1 + random(3);
          const channels = [runs * groups];
          const x = [items * groups, runs * inner];
          const rows = [items * groups];
          const step = random(20) === 0 ? scalar() : inner;
          args =
            name === 'normalizeRows'
              ? [
                  ...[plain(x, float), maybe(rows, float), plain(rows, float), plain(x, float)],
                  ...[maybe(channels, float), maybe(channels, float), step, 1e-5],
                ]
              : [
                  ...[maybe(x, float), maybe(channels, float), maybe(channels, float), plain(x, float)],
                  ...[plain(x, float), maybe(rows, float), plain(rows, float), maybe(channels, float), step],
                ];
          break;
        }
        case 'batchNormGiven': {
          const float = random(2);
          const x = [random(6), random(random(4) === 0 ? 20 : 4), random(random(4) === 0 ? 50 : 4)];
          const c = [x[1]];
          args = [
            ...[image(x, float), image(x, float), plain(c, float), plain(c, float)],
            ...[maybe(c, float), maybe(c, float), 1e-5],
          ];
          break;
        }
        case 'batchNorm':
        case 'batchNormBackward': {
          const float = random(2);
          const x = [
            random(random(8) === 0 ? 80 : 6),
            random(random(4) === 0 ? 20 : 4),
            random(random(4) === 0 ? 50 : 4),
          ];
          const c = [x[1]];
          args =
            name === 'batchNorm'
              ? [
                  ...[image(x, float), plain(c, float), plain(c, float), image(x, float)],
                  ...[maybe(c, float), maybe(c, float), 1e-5],
                ]
              : [
                  ...[maybeImage(x, float), maybe(c, float), maybe(c, float), image(x, float), image(x, float)],
                  ...[plain(c, float), plain(c, float), maybe(c, float), 1e-5],
                ];
          break;
        }
        case 'normalizeGroups':
        case 'normalizeGroupsBackward': {
          const float = random(2);
          const groups = 1 + random(3);
          const x = [random(4), groups * (1 + random(random(4) === 0 ? 20 : 3)), random(6), 1 + random(4)];
          const c = [x[1]];
          const rows = [x[0] * groups];
          const divided = random(20) === 0 ? scalar() : groups;
          args =
            name === 'normalizeGroups'
              ? [
                  ...[image(x, float), plain(rows, float), plain(rows, float), image(x, float)],
                  ...[maybe(c, float), maybe(c, float), divided, 1e-5],
                ]
              : [
                  ...[maybeImage(x, float), maybe(c, float), maybe(c, float), image(x, float), image(x, float)],
                  ...[plain(rows, float), plain(rows, float), maybe(c, float), divided],
                ];
          break;
        }
        case 'crossEntropy':
        case 'crossEntropyBackward': {
          const float = random(2);
          const x = [random(6), random(random(2) === 0 ? 4 : 40), random(2) === 0 ? 1 : random(40)];
          const places = [x[0], x[2]];
          const soft = random(2) === 0;
          const target = plain(soft ? x : places, soft ? float : 4 + random(2));
          // Zeros are classes.
          if (!soft && random(4) !== 0) attempt(() => native.fill(target, 0), []);
          const outs =
            name === 'crossEntropy'
              ? [plain(places, float), plain(places, 1), plain(places, float), plain(x, float)]
              : [plain(x, float), plain(places, float), plain(x, float), plain(places, 1), plain(places, float)];
          const ignore = random(10) === 0 ? scalar() : random(3) - 1;
          args = [...outs, target, maybe([x[1]], float), ignore, [0, 0.1, 1, NaN][random(4)]];
          break;
        }
        case 'dropout': {
          const float = random(4);
          const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
          const keep = [0, 0.5, 1, 0.3, NaN, 2][random(6)];
          args = [plain(base, float), plain(base, 7), plain(base, float), seed, random(1000), keep, 2];
          break;
        }
        case 'copy':
          args = [operand(true), operand(true, random(8))];
          break;
        case 'fill':
          args = [operand(true), scalar()];
          break;
        case 'arange':
          args = [operand(true), scalar(), scalar()];
          break;
        case 'unscale': {
          const count = random(5);
          for (let i = 0; i < count; i++) scratchHandles[i] = operand(true, random(4), shapeOf());
          args = [random(20) === 0 ? random(20) : count, plain([], 0), plain([], 0)];
          break;
        }
        case 'map':
        case 'mapUnless':
        case 'reduce': {
          const maps = name !== 'reduce';
          const chosen = programs[random(programs.length)];
          const kind = random(20) === 0 ? random(100) : random(12);
          const outs = maps ? chosen.outputs : kind === 7 || kind === 8 || kind === 11 ? 2 : 1;
          const groups = maps ? 1 + random(3) : 1;
          let n = 0;
          for (let g = 0; g < groups; g++) {
            const reduced = base.map((size) => (random(2) === 0 ? size : 1));
            for (let i = 0; i < outs; i++) {
              const dtype =
                i > 0 && name === 'reduce' && kind !== 11
                  ? 5
                  : name === 'reduce' && kind >= 5 && kind <= 6
                    ? 5
                    : kind >= 9 && kind < 11
                      ? 7
                      : family;
              scratchHandles[n++] = operand(true, maps ? random(8) : dtype, maps ? base : reduced);
            }
            for (let i = 0; i < chosen.inputs; i++)
              scratchHandles[n++] = operand(true, family, random(3) === 0 ? undefined : base);
          }
          for (let i = 0; i < 8; i++) scratchNumbers[i] = Number(scalar());
          const scalars = random(15) === 0 ? random(9) : chosen.scalars;
          const count = random(30) === 0 ? random(20) : n;
          const unless = (of: RandomProgram, tensors: number, numbers: number): number[] => {
            const skip = maybe([], 0);
            return random(3) === 0
              ? [of.id, tensors, random(10) === 0 ? numbers : 0, skip, plain([of.scalars], 1)]
              : [of.id, tensors, numbers, skip, random(20) === 0 ? operand(true) : 0];
          };
          args =
            name === 'map'
              ? [chosen.id, count, scalars]
              : name === 'mapUnless'
                ? unless(chosen, count, scalars)
                : [kind, chosen.id, outs, count - outs, scalars, Number(scalar())];
          break;
        }
        case 'matmul': {
          const [m, k, p] = [random(large / 2), random(random(4) === 0 ? 300 : large / 2), random(large)];
          const batch = base.slice(0, random(3));
          const part = (): number[] => batch.map((size) => (random(4) === 0 ? 1 : size));
          args = [
            operand(true, family, [...batch, m, p]),
            operand(true, family, [...part(), m, k]),
            operand(true, family, [...part(), k, p]),
            random(2) === 0 ? 0 : operand(true, family, random(4) === 0 ? [m, p] : [p]),
            random(12) === 0 ? [-1, 5, NaN, 99][random(4)] : random(5),
          ];
          break;
        }
        case 'im2col':
        case 'col2im':
        case 'convForward':
        case 'convBackwardData':
        case 'convBackwardWeight': {
          const spatial = 1 + random(3);
          const some = (most: number): number[] => Array.from({ length: spatial }, () => 1 + random(most));
          const [kernel, stride, dilation] = [some(3), some(3), some(2)];
          const padding = some(3).map((size) => size - 1);
          const out = some(6);
          // Sizes that fit, most of the time; the kernels take any.
          const inner = out.map((size, d) =>
            random(6) === 0
              ? random(9)
              : Math.max(1, (size - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - 2 * padding[d]),
          );
          const [images, groups, a, b] = [
            random(4),
            1 + random(3),
            random(12) === 0 ? 0 : 1 + random(5),
            1 + random(5),
          ];
          const dtype = random(random(4) === 0 ? 4 : 2);
          const contiguous = (shape: readonly number[]): number => {
            if (random(12) === 0) return operand(true, dtype, [...shape]);
            const handle = newTensor(dtype, shape);
            fillWith(handle, dtype, random);
            made.push(handle);
            return handle;
          };
          const x = contiguous([images, groups * a, ...inner]);
          const full = (list: readonly number[], fill: number): number[] => [
            ...new Array<number>(3 - spatial).fill(fill),
            ...list,
          ];
          const moves = [...full(stride, 1), ...full(padding, 0), ...full(dilation, 1)];
          const taps = kernel.reduce((n, size) => n * size, 1);
          const places = out.reduce((n, size) => n * size, 1);
          let geometry: number[];
          if (name.startsWith('conv')) {
            const y = contiguous([images, groups * b, ...out]);
            const weight = contiguous([groups * b, a, ...kernel]);
            const order =
              name === 'convForward' ? [y, x, weight] : name === 'convBackwardData' ? [x, y, weight] : [weight, y, x];
            geometry = [...moves, groups, random(2)];
            const channels = groups * (name === 'convForward' ? b : a);
            args = name === 'convBackwardWeight' ? order : [...order, random(2) === 0 ? 0 : contiguous([channels])];
          } else {
            const columns = contiguous([images, groups * a * taps, places]);
            geometry = [...full(out, 1), ...full(kernel, 1), ...moves];
            args = name === 'im2col' ? [columns, x] : [x, columns];
          }
          if (random(8) === 0)
            geometry[random(geometry.length)] = [-1, 0, 2 ** 30, 2 ** 31, 0.5, NaN, 2 ** 20][random(7)];
          geometry.forEach((value, i) => (scratchNumbers[i] = value));
          args.push(random(20) === 0 ? random(20) : geometry.length);
          break;
        }
        case 'maxPool':
        case 'maxPoolBackward':
        case 'maxPoolTake':
        case 'maxPoolIndices':
        case 'avgPool':
        case 'avgPoolBackward': {
          const spatial = 1 + random(3);
          const some = (most: number): number[] => Array.from({ length: spatial }, () => 1 + random(most));
          const max = name.startsWith('max');
          const adaptive = max && random(4) === 0;
          const kernel = adaptive ? new Array<number>(spatial).fill(0) : some(3);
          const [stride, dilation, out] = [some(3), max && !adaptive ? some(2) : [1, 1, 1], some(6)];
          const padding = kernel.map((size) => random(Math.floor(size / 2) + 1));
          const inner = out.map((size, d) =>
            random(6) === 0
              ? random(9)
              : Math.max(1, (size - 1) * stride[d] + dilation[d] * (kernel[d] - 1) + 1 - 2 * padding[d]),
          );
          const dtype = random(2);
          const lead = [random(4), random(12) === 0 ? 0 : 1 + random(5)];
          const [x, y] = [image([...lead, ...inner], dtype), image([...lead, ...out], dtype)];
          const taps = image([...lead, ...out], random(3) === 0 ? 4 : 6);
          // Zeros are taps of most windows.
          if (random(3) !== 0) attempt(() => native.fill(taps, 0), []);
          const full = (list: readonly number[], fill: number): number[] => [
            ...new Array<number>(3 - spatial).fill(fill),
            ...list.slice(0, spatial),
          ];
          const geometry = [...full(kernel, adaptive ? 0 : 1), ...full(stride, 1), ...full(padding, 0)];
          if (max) geometry.push(...full(dilation, 1));
          else geometry.push(random(2), random(3));
          if (random(8) === 0)
            geometry[random(geometry.length)] = [-1, 0, 2 ** 30, 2 ** 31, 0.5, NaN, 2 ** 20][random(7)];
          geometry.forEach((value, i) => (scratchNumbers[i] = value));
          const count = random(20) === 0 ? random(20) : geometry.length;
          args = [
            {
              maxPool: [y, random(2) === 0 ? 0 : taps, x],
              maxPoolBackward: [x, y, taps],
              maxPoolTake: [y, x, taps],
              maxPoolIndices: [image([...lead, ...out], 5), taps, x],
              avgPool: [y, x],
              avgPoolBackward: [x, y],
            }[name],
            count,
          ].flat();
          break;
        }
        case 'resample': {
          const dtype = random(2);
          const ranks = 1 + random(4);
          const along = random(ranks);
          const shape = Array.from({ length: ranks }, () => random(6));
          const target = shape.map((size, d) => (d === along ? random(6) : size));
          const taps = random(4);
          const [out, x, weights] = [target, shape, [target[along], taps]].map((sizes) => {
            const handle = newTensor(dtype, sizes);
            fillWith(handle, dtype, random);
            made.push(handle);
            return handle;
          });
          const most = Math.max(1, shape[along] - taps + 1);
          const spans = filledTensor(
            4,
            [target[along], 2],
            Int32Array.from({ length: 2 * target[along] }, (_, i) =>
              random(30) === 0 ? random(9) - 3 : i % 2 === 0 ? random(most) : Math.min(taps, shape[along]),
            ),
          );
          made.push(spans);
          args = [out, x, random(12) === 0 ? dim() : along, spans, weights];
          break;
        }
        case 'softmax':
          args = [operand(true), operand(true), dim(), random(2) === 0];
          break;
        case 'probeMultiplyAdd':
          args = [
            operand(true, 1, [random(5)]),
            random(10) === 0 ? [-1, 2 ** 40][random(2)] : random(9),
            random(2) === 0,
          ];
          break;
        case 'probeCopy':
          args = [operand(true, 0), operand(true, 0), random(2) === 0];
          break;
        case 'probeFork':
          args = [operand(true, 1, [random(5)]), random(40), random(10) === 0 ? [-1, 2 ** 40][random(2)] : random(40)];
          break;
        case 'softmaxBackward':
          args = [operand(true), operand(true), operand(true), dim(), random(2) === 0];
          break;
        case 'gather':
          args = [operand(true), operand(true), index(), dim()];
          break;
        case 'scatterAdd':
          args = [operand(true), index(), operand(true), dim()];
          break;
        case 'scatter':
          args = [operand(true), index(), operand(true), dim()];
          break;
        case 'scatterReduce':
          args = [operand(true), operand(true, 5), operand(true), dim(), [2, 3, 4, 0, 99][random(5)]];
          break;
        case 'linearIndex': {
          const count = 1 + random(3);
          for (let i = 0; i < count; i++) {
            scratchHandles[i] = index(base);
            scratchNumbers[2 * i] = random(10) === 0 ? [NaN, -1, 2 ** 60, 0][random(4)] : 1000;
            scratchNumbers[2 * i + 1] = random(30) === 0 ? NaN : i;
          }
          args = [operand(true, 5, base), random(30) === 0 ? random(20) : count, random(30) === 0 ? 1 : 2 * count];
          break;
        }
        case 'countNonzero':
          args = [operand(true, 5, random(10) === 0 ? base : []), operand(true, random(8))];
          break;
        case 'nonzero':
          args = [operand(true, 5, [random(4), 1]), operand(true, random(8), [random(4)])];
          break;
        case 'flip':
          args = [operand(true), operand(true), random(12) === 0 ? [-1, 2 ** 40, NaN][random(3)] : random(8)];
          break;
        case 'triangle': {
          const diagonal = random(8) === 0 ? [2 ** 53 - 1, -(2 ** 53 - 1), NaN][random(3)] : random(9) - 4;
          args = [operand(true), operand(true), diagonal, random(2) === 0];
          break;
        }
        case 'embedding':
        case 'embeddingBackward': {
          const features = 1 + random(20);
          const places = base.slice(0, random(4));
          const table = operand(true, family, [1 + random(6), features]);
          const rows = operand(true, family, [...places, features]);
          args = name === 'embedding' ? [rows, table, index(places)] : [table, rows, index(places)];
          break;
        }
        case 'scan': {
          const accumulated = family > 3 && random(15) !== 0 ? 5 : family;
          const kind = random(20) === 0 ? [-1, 3, NaN][random(3)] : random(3);
          args = [operand(true, accumulated), operand(true), dim(), kind, random(2) === 0];
          break;
        }
        case 'scanExtreme':
          args = [operand(true), operand(true, 5), operand(true), dim(), random(2) === 0];
          break;
        case 'scanLinear':
          args = [operand(true), operand(true), operand(true), dim(), random(2) === 0];
          break;
        case 'sort': {
          const [values, indices] = [random(4) === 0 ? 0 : operand(true), random(4) === 0 ? 0 : operand(true, 5)];
          args = [values, indices, operand(true), dim(), random(2) === 0];
          break;
        }
        case 'topk':
        case 'pick': {
          const d = dim();
          const n = base[d] ?? 1;
          const picked = base.map((size, i) => (i !== d ? size : name === 'pick' ? 1 : random(n + 1)));
          const tail = name === 'pick' ? [random(4), random(15) === 0 ? -1 : random(n)] : [random(2) === 0];
          args = [operand(true, family, picked), operand(true, 5, picked), operand(true), d, ...tail];
          break;
        }
        case 'sortRows':
        case 'runs': {
          const [rows, columns] = [random(large), random(4)];
          args = [operand(true, 5, [rows]), operand(true, family, random(10) === 0 ? base : [rows, columns])];
          break;
        }
        case 'runStarts':
          args = [operand(true, 5, [random(large)]), operand(true, 5, [random(large)])];
          break;
        case 'searchsorted': {
          const row = random(large);
          const leading = base.slice(0, random(3));
          const sequence = random(2) === 0 ? [row] : [...leading, row];
          const asked = [...leading, random(6)];
          args = [
            operand(true, 4 + random(2), asked),
            operand(true, family, sequence),
            operand(true, family, asked),
            random(2) === 0 ? 0 : operand(true, 5, sequence),
            random(2) === 0,
          ];
          break;
        }
        case 'ctcLoss':
        case 'ctcLossBackward': {
          const [T, N, C, S] = [random(6), random(5), random(40) === 0 ? 0 : 1 + random(large), random(4)];
          const lengths = (most: number): number => {
            const handle = newTensor(5, [N]);
            native.fill(handle, BigInt(random(20) === 0 ? [-1, most + 1][random(2)] : random(most + 1)));
            made.push(handle);
            return random(20) === 0 ? operand(true, 5, [N]) : handle;
          };
          const padded = random(2) === 0;
          const targetLengths = padded ? lengths(S) : plain([N], 5);
          if (!padded) native.fill(targetLengths, BigInt(S));
          const targets = plain(padded ? [N, S] : [N * S], 5);
          if (random(3) !== 0) native.fill(targets, BigInt(random(Math.max(1, C))));
          const dtype = random(4);
          const logProbs = operand(true, dtype, [T, N, C]);
          const alpha = plain([T * (2 * N * S + N)], 1);
          const tail = [
            logProbs,
            targets,
            lengths(T),
            targetLengths,
            random(20) === 0 ? C : random(Math.max(1, C)),
            random(2) === 0,
          ];
          args =
            name === 'ctcLoss'
              ? [plain([N], dtype), alpha, ...tail]
              : [plain([T, N, C], dtype), operand(true, dtype, [N]), alpha, ...tail];
          break;
        }
        case 'rnnForward':
        case 'rnnBackward': {
          const kind = random(30) === 0 ? [4, -1, NaN][random(3)] : random(4);
          const [T, B, H] = [random(5), random(40) === 0 ? 0 : 1 + random(large), random(large)];
          const G = [4, 3, 1, 1][kind] || 1;
          const sizes = Array.from({ length: T }, (_, t) => (t === 0 ? B : random(3) === 0 ? -1 : 0));
          for (let t = 1; t < T; t++) sizes[t] = Math.max(0, sizes[t - 1] + sizes[t] * random(4));
          if (random(10) === 0 && T > 0) sizes[random(T)] = random(2) === 0 ? random(9) : [-1, 2 ** 40][random(2)];
          const packed = random(2) === 0;
          const N = packed ? sizes.reduce((n, size) => n + size, 0) : T * B;
          // Mostly what the kernel wants, for there are many operands.
          const float = random(2);
          const plain = (...shape: number[]): number => {
            if (random(150) === 0) return operand(true, float, random(2) === 0 ? shape : undefined);
            if (!(shape[0] >= 0 && shape[0] < 1e4)) return operand(true);
            const handle = newTensor(float, shape);
            fillWith(handle, float, random);
            made.push(handle);
            return handle;
          };
          const some = (handle: number): number => (random(40) === 0 ? 0 : handle);
          const batchSizes = packed ? filledTensor(5, [T], BigInt64Array.from(sizes, BigInt)) : 0;
          if (packed) made.push(batchSizes);
          const [rows, gates, state] = [[N, H] as const, [N, G * H] as const, [B, H] as const];
          const I = random(large);
          const weights = [I, H].map((n) => (random(4) === 0 ? operand(true, float, [G * H, n]) : plain(G * H, n)));
          const input = N >= 0 && N < 1e4 && random(4) === 0 ? operand(true, float, [N, I]) : plain(N, I);
          const bias = (): number => (random(2) === 0 ? 0 : plain(G * H));
          const end = [batchSizes, kind, random(2) === 0];
          args =
            name === 'rnnForward'
              ? [
                  ...[plain(...rows), plain(...state), random(2) === 0 ? 0 : plain(...gates), some(plain(...state))],
                  ...[random(2) === 0 ? 0 : plain(...rows), input, ...weights, bias(), bias(), ...end],
                ]
              : [
                  ...[[N, I] as const, [G * H, I] as const, [G * H, H] as const].map((shape) =>
                    random(2) === 0 ? 0 : plain(...shape),
                  ),
                  ...[bias(), bias(), plain(...state), some(plain(...state)), random(2) === 0 ? 0 : plain(...rows)],
                  ...[plain(...gates), plain(...rows), some(plain(...rows)), plain(...state), some(plain(...state))],
                  ...[input, ...weights, ...end],
                ];
          break;
        }
        case 'rnnStack':
        case 'rnnStackBackward': {
          const kind = random(30) === 0 ? [4, -1, NaN][random(3)] : random(4);
          const [layers, D, per] = [1 + random(2), 1 + random(2), random(2) === 0 ? 2 : 4];
          const [B, H, I] = [1 + random(4), random(large), random(large)];
          const lengths = Array.from({ length: B }, () => 1 + random(4)).sort((a, b) => b - a);
          if (random(10) === 0) lengths[random(B)] = [NaN, 0, 1.5, 2 ** 60, -1][random(5)];
          const packed = random(2) === 0;
          const N = packed ? lengths.reduce((n, length) => n + length, 0) : B * (1 + random(4));
          const float = random(4);
          const plain = (...shape: number[]): number => {
            if (random(60) === 0 || !shape.every((n) => Number.isInteger(n) && n >= 0 && n < 1e4))
              return operand(true, float);
            const handle = newTensor(float, shape);
            made.push(handle);
            return handle;
          };
          const state = (): number => plain(layers * D, B, H);
          const some = (handle: number): number => (random(3) === 0 ? 0 : handle);
          const columns = ([4, 3, 1, 1][kind] || 1) * H;
          const weights = Array.from({ length: layers * D * per }, (_, i) => {
            const input = i < D * per ? I : D * H;
            return i % per < 2 ? plain(columns, i % per === 0 ? input : H) : plain(columns);
          });
          const backward = name === 'rnnStackBackward';
          [...weights, ...(backward ? weights : [])].forEach((handle, i) => (scratchHandles[i] = handle));
          lengths.forEach((length, b) => (scratchNumbers[b] = length));
          const count = random(30) === 0 ? random(9) : weights.length;
          const [reserve, ofLengths] = [newTensor(6, [random(9)]), packed ? B : 0];
          made.push(reserve);
          const end = [kind, random(20) === 0 ? [0, 5, 2 ** 40, NaN][random(4)] : layers, D === 2, random(2) === 0];
          const [x, y, cell] = [plain(N, I), plain(N, D * H), kind === 0 ? some(state()) : 0];
          args = backward
            ? [
                ...[some(plain(N, I)), some(state()), cell, random(2) === 0 ? 0 : count, some(plain(N, D * H))],
                ...[some(state()), cell, reserve, y, x, some(state()), cell, count, ofLengths],
                ...[random(20) === 0 ? random(9) : B, ...end],
              ]
            : [y, state(), cell, some(reserve), x, some(state()), cell, count, ofLengths, ...end];
          break;
        }
        case 'linalgLu':
        case 'linalgDet':
        case 'linalgCofactors':
        case 'linalgSolve':
        case 'linalgSolveTriangular':
        case 'linalgCholesky':
        case 'linalgQr':
        case 'linalgSvd':
        case 'linalgEigh': {
          const float = random(2);
          const batch = base.slice(0, random(2));
          const [m, n] = [random(9), random(9)];
          const k = Math.min(m, n);
          const matrix = (rows: number, columns: number): number => operand(true, float, [...batch, rows, columns]);
          const vector = (size: number, dtype = float): number => operand(true, dtype, [...batch, size]);
          const some = (handle: number): number => (random(3) === 0 ? 0 : handle);
          const flag = random(2) === 0;
          const lists: Readonly<Record<string, () => unknown[]>> = {
            linalgLu: () => [matrix(m, n), vector(k, 4), vector(m, 4), matrix(m, n), flag],
            linalgDet: () => [...[0, 1, 2].map(() => some(operand(true, float, batch))), matrix(n, n)],
            linalgCofactors: () => [matrix(n, n), matrix(n, n)],
            linalgSolve: () => [matrix(n, flag ? m : n), matrix(n, n), flag ? matrix(n, m) : 0],
            linalgSolveTriangular: () => [matrix(n, m), matrix(n, n), matrix(n, m), flag, random(2) === 0],
            linalgCholesky: () => [matrix(n, n), matrix(n, n)],
            linalgQr: () => [some(matrix(m, flag ? m : k)), matrix(flag ? m : k, n), matrix(m, n)],
            linalgSvd: () => {
              const x = matrix(m, n);
              const s = vector(k);
              return random(3) === 0 ? [0, s, 0, x] : [matrix(m, flag ? m : k), s, matrix(flag ? n : k, n), x];
            },
            linalgEigh: () => [vector(n), some(matrix(n, n)), matrix(n, n), flag],
          };
          args = lists[name]();
          break;
        }
        case 'attention':
        case 'attentionBackward': {
          const float = random(2);
          const [B, Hk, group, L, S, E, V] = [
            random(3),
            1 + random(2),
            1 + random(2),
            random(9),
            random(9),
            1 + random(9),
            1 + random(9),
          ];
          const H = Hk * group;
          const of = (...shape: number[]): number =>
            random(8) === 0 ? operand(true, float, shape) : plain(shape, float);
          const q = (): number => of(B, H, L, E);
          const k = (): number => of(B, Hk, S, E);
          const v = (): number => of(B, Hk, S, V);
          const out = (): number => of(B, H, L, V);
          const sums = of(B, H, L);
          const some = (handle: number): number => (random(4) === 0 ? 0 : handle);
          const maskDType = random(2) === 0 ? 7 : float;
          const mask = random(2) === 0 ? 0 : operand(true, maskDType, [B, H, L, S]);
          const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
          const end = [mask, random(3) === 0];
          const numbers = [0.5, [0, 0.3, 1, NaN, -1][random(5)], seed, random(100)];
          args =
            name === 'attention'
              ? [out(), sums, q(), k(), v(), ...end, ...numbers]
              : [
                  ...[some(q()), some(k()), some(v()), random(3) === 0 ? of(B, H, L, S) : 0, out()],
                  ...[q(), k(), v(), mask, out(), sums, end[1], ...numbers],
                ];
          break;
        }
        default: {
          expect(name).toMatch(/^random/);
          const a = [0, 0.5, 1, NaN, -1, 2 ** 53, Infinity][random(7)];
          const b = [1, 2, 0.5, 100, NaN, -1, Infinity][random(7)];
          const seed = random(10) === 0 ? scalar() : BigInt(random(1000));
          const offset = random(10) === 0 ? [-1, 2 ** 53, NaN][random(3)] : random(1000);
          const target = name === 'randomPermutation' ? operand(true, 4 + random(2), [random(200)]) : operand(true);
          args = [
            target,
            seed,
            offset,
            ...(name === 'randomPermutation' ? [] : name === 'randomBernoulli' ? [a] : [a, b]),
          ];
        }
      }
      // Now and then one operand is another's memory.
      if (random(10) === 0 && args.length > 1 && typeof args[1] === 'number' && !name.startsWith('map'))
        args[0] = args[1];
      const error = attempt(exported[name], args) ?? settle();
      // Stacks of recurrent layers pass all checks, and then there is no cuDNN.
      const absent =
        /^rnnStack(Backward)?: (cuDNN does not compute these layers here|the CPU computes layers one by one)/;
      if (error === undefined || absent.test((error as Error).message)) completed++;
      for (const handle of made) native.dispose(handle);
    }
    // Enough of it must have been work, not refusals.
    expect(completed).toBeGreaterThan(rounds / 25);
  });

  interface RandomProgram {
    id: number;
    inputs: number;
    outputs: number;
    scalars: number;
  }

  function randomProgram(random: (below: number) => number): RandomProgram {
    const inputs = random(4);
    const scalars = random(3);
    const temporaries = 1 + random(5);
    const first = inputs + scalars + 1; // one constant
    const code: number[] = [];
    for (let t = 0; t < temporaries; t++) {
      const register = (): number => random(first + t);
      code.push(random(opcodes.length), first + t, register(), register(), register());
    }
    const outputs = 1 + random(2);
    const outputRegisters = Uint16Array.from({ length: outputs }, () => random(first + temporaries));
    const constant = Float64Array.of([0, 1, -1, 0.5, NaN, Infinity][random(6)]);
    return {
      id: native.program('random', Uint16Array.from(code), outputRegisters, constant, inputs, scalars, temporaries),
      inputs,
      outputs,
      scalars,
    };
  }

  // Small integers, so that indices are sometimes in range; now and then extreme values.
  function fillWith(handle: number, dtype: number, random: (below: number) => number): void {
    if (random(4) === 0) native.fill(handle, [NaN, 2 ** 40, -(2n ** 63n), -1, 3][random(5)]);
    else if (dtype === 4 || dtype === 5)
      attempt(exported['randomIntegers'], [handle, BigInt(random(1000)), 0, 0, 1 + random(4)]);
    else if (dtype < 4) attempt(exported['randomNormal'], [handle, BigInt(random(1000)), 0, 0, 2]);
    else native.fill(handle, random(2));
  }
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
