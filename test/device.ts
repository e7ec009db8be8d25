// Set up before each test file. THALWEG_TEST_DEVICE=cuda: tests make their tensors there, unless they say where.
import { afterEach, expect } from 'vitest';
import { setDefaultDevice } from '../src/device.js';
import { native } from '../src/native.js';

// Results are compared as whole arrays; element by element that takes longer than to compute them.
expect.addEqualityTesters([
  (a: unknown, b: unknown) => {
    if (!ArrayBuffer.isView(a) || !ArrayBuffer.isView(b) || a.constructor !== b.constructor) return undefined;
    const bytes = (view: ArrayBufferView) => Buffer.from(view.buffer, view.byteOffset, view.byteLength);
    // Of different bytes the default looks for the first difference; it takes NaNs for equal.
    return bytes(a).equals(bytes(b)) ? true : undefined;
  },
]);

const device = process.env['THALWEG_TEST_DEVICE'];
if (device !== undefined && device !== '') {
  setDefaultDevice(device as 'cuda');
  // A failure that no read has reported belongs to the test that caused it.
  afterEach(() => native.sync());
}
