// Bad input to the public interface: a typed error that names the operation and the numbers, and nothing else happens. The
// messages are part of the interface, so they stand in the tables of test/bad-input/ whole.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultDevice } from '../src/device.js';
import { memory, tensor, ThalwegError } from '../src/index.js';
import { ranges, shapes } from './bad-input/creation.js';
import { absent, dtypes } from './bad-input/dtypes.js';
import { gradients } from './bad-input/gradients.js';
import { layers } from './bad-input/layers.js';
import { renewOperands, type Rows } from './bad-input/loose.js';
import { operands } from './bad-input/operands.js';
import { values } from './bad-input/values.js';
import { dimensions, indices } from './bad-input/views.js';

// Whatever this machine has, these tests see no GPU, unless they run on it (THALWEG_TEST_DEVICE).
const onCpu = defaultDevice() === 'cpu';
process.env['THALWEG_CUDA_PLUGIN'] = 'nowhere.so';

/** Calls `fn` and gives the error as it would be printed. */
function failure(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ThalwegError)) throw error;
    expect(error.code).toMatch(/^ERR_THALWEG_/);
    return `${error.name}: ${error.message}`;
  }
  return 'nothing was thrown';
}

function table(title: string, rows: Rows): void {
  describe(title, () => {
    test.each(rows)('%s', (_, call, expected) => {
      expect(failure(call)).toBe(expected);
    });
  });
}

let bytesBefore: number;
beforeEach(() => {
  renewOperands();
  bytesBefore = memory().bytes;
});
// A refused call has allocated nothing that stays: the arrays of its arguments are small.
afterEach(() => {
  expect(memory().bytes - bytesBefore).toBeLessThan(4096);
  expect(tensor([1, 2]).sum().itemSync()).toBe(3);
});

table('shapes', shapes);
table('dtypes and devices', dtypes);
if (onCpu) table('devices that are not there', absent);
table('values', values);
table('ranges and seeds', ranges);
table('operands', operands);
table('dimensions and views', dimensions);
table('indices', indices);
table('gradients', gradients);
table('layers, losses and optimizers', layers);

test('int64 takes bigints and exact integers', () => {
  expect(tensor([1, 2], { dtype: 'int64' }).dataSync()).toEqual(BigInt64Array.of(1n, 2n));
  expect(tensor([1n, -(2n ** 63n)]).dataSync()).toEqual(BigInt64Array.of(1n, -(2n ** 63n)));
  expect(tensor([5n], { dtype: 'float32' }).dataSync()).toEqual(Float32Array.of(5));
  expect(tensor([5n, 6n], { dtype: 'int32' }).dataSync()).toEqual(Int32Array.of(5, 6));
});
