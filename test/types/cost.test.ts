import { expect, test } from 'vitest';
import { instantiations } from './compiler.js';
import { convolutional, dense, written } from './models.js';

// A model file of 60 layers shall be checked in less than 3 seconds. Time is not for tests to judge; a million instantiations
// take some seconds, so these bounds, about twice what is needed, leave the compiler far below.
test.each([
  ['a chain of convolutions', convolutional, 80_000],
  ['a chain of linear layers', dense, 32_000],
  ['a class with a forward of its own', written, 52_000],
] as const)('%s costs the compiler little', { timeout: 120_000 }, (_, model, most) => {
  const count = instantiations(model());
  expect(count).toBeGreaterThan(1000);
  expect(count).toBeLessThan(most);
});
