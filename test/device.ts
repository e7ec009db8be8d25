// THALWEG_TEST_DEVICE=cuda: tests make their tensors there, unless they say where. Set up before each test file.
import { afterEach } from 'vitest';
import { setDefaultDevice } from '../src/device.js';
import { native } from '../src/native.js';

const device = process.env['THALWEG_TEST_DEVICE'];
if (device !== undefined && device !== '') {
  setDefaultDevice(device as 'cuda');
  // A failure that no read has reported belongs to the test that caused it.
  afterEach(() => native.sync());
}
