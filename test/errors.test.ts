import { expect, test } from 'vitest';
import * as errors from '../src/errors.js';

const classes = Object.entries(errors).filter(
  (entry): entry is [string, typeof errors.ThalwegError] => entry[1].prototype instanceof Error,
);

test('there are thirteen classes', () => {
  expect(classes.map(([name]) => name).sort()).toEqual([
    'ArgumentError',
    'DTypeError',
    'DeviceError',
    'DisposedError',
    'FileError',
    'GradError',
    'IndexError',
    'LinAlgError',
    'NativeError',
    'OutOfMemoryError',
    'ShapeError',
    'ThalwegError',
    'WorkerError',
  ]);
});

test.each(classes)('%s has its name, code, stack and cause', (name, Class) => {
  const cause = new Error('why');
  const error = new Class('add: what.', { cause });
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(errors.ThalwegError);
  expect(error).toBeInstanceOf(Class);
  expect(error.name).toBe(name);
  expect(String(error)).toBe(`${name}: add: what.`);
  expect(error.stack).toMatch(new RegExp(`^${name}: add: what\\.\n +at .*errors\\.test\\.ts`));
  expect(error.cause).toBe(cause);
  expect('cause' in new Class('x')).toBe(false);
  expect(error.code).toMatch(/^ERR_THALWEG/);
  // The name must not clutter what is printed of each error.
  expect(Object.keys(error)).toEqual(['code']);
});

test('codes are distinct', () => {
  expect(new Set(classes.map(([, Class]) => new Class('').code)).size).toBe(classes.length);
  expect(new errors.OutOfMemoryError('').code).toBe('ERR_THALWEG_OUT_OF_MEMORY');
});

test('fromNative knows the kinds of native/runtime/error.h', () => {
  const kinds = [
    'NativeError',
    'ShapeError',
    'DTypeError',
    'DeviceError',
    'DisposedError',
    'IndexError',
    'LinAlgError',
    'OutOfMemoryError',
  ] as const;
  for (const kind of kinds) {
    const error = errors.fromNative(kind, 'x');
    expect(error).toBeInstanceOf(errors[kind]);
    expect(error.message).toBe('x');
    expect('cause' in error).toBe(false);
  }
  for (const kind of ['', 'constructor', '__proto__', 'Surprise']) {
    expect(errors.fromNative(kind, 'x')).toBeInstanceOf(errors.NativeError);
  }
  expect(errors.fromNative('ShapeError', 'x', 'y').cause).toBe('y');
});
