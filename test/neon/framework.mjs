// As much of a test framework as test/samples/check.ts and test/gradcheck.ts use, for a Node.js on which the real one does
// not run. scripts/test-neon.sh puts it where `vitest` is looked for.
import assert from 'node:assert/strict';

/** The tests that were defined since this was emptied last. */
export const defined = [];

export function test(name, body) {
  defined.push({ name, body });
}

export const expect = (actual, label) => ({
  toBe: (expected) => assert.ok(Object.is(actual, expected), `${label ?? 'value'}: ${actual}, expected ${expected}`),
  toEqual: (expected) => assert.deepEqual(actual, expected, label),
});
