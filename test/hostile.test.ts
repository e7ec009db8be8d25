// What no types stop: arguments of the wrong kind get typed errors, whatever they are.
import { expect, test } from 'vitest';
import * as thalweg from 'thalweg';
import { linalg, ones, tensor } from 'thalweg';
import { errorOf } from './error-of.js';

const x = ones([2, 2]);
const loose = thalweg as unknown as Record<string, (...args: unknown[]) => unknown>;
const looseLinalg = linalg as unknown as Record<string, (...args: unknown[]) => unknown>;

test.each(['softmax', 'cumsum', 'sort', 'unsqueeze', 'gather', 'narrow'])('%s: a dim that is no integer', (op) => {
  const index = tensor([[0n, 0n]]);
  for (const dim of [x, Symbol('dim'), NaN, 0.5, '0']) {
    expect(errorOf(() => loose[op](x, dim, index, 1))).toMatch(/^(Argument|Index|DType)Error: \w+: /);
  }
});

test('tensorSplit does not try to make more tensors than fit', () => {
  expect(errorOf(() => x.tensorSplit(2 ** 53))).toBe(
    'ArgumentError: tensorSplit: 9007199254740992 sections are more than the 1048576 that are supported.',
  );
});

test('clamp without bounds', () => {
  for (const options of [undefined, null, {}]) {
    expect(errorOf(() => loose['clamp'](x, options))).toBe('ArgumentError: clamp: give { min }, { max } or both.');
  }
});

test('tensordot: dims that are neither a number nor two lists', () => {
  for (const dims of [null, [1, 1], [[0]], 'ab']) {
    expect(errorOf(() => loose['tensordot'](x, x, dims))).toBe(
      'ArgumentError: tensordot: dims must be an integer or two lists of dimensions, one of a and one of b.',
    );
  }
});

test('the right side that was left out', () => {
  expect(errorOf(() => looseLinalg['solve'](x))).toBe(
    'ArgumentError: linalg.solve: B is undefined, expected a Tensor.',
  );
  expect(errorOf(() => looseLinalg['lstsq'](x))).toBe(
    'ArgumentError: linalg.lstsq: B is undefined, expected a Tensor.',
  );
});
