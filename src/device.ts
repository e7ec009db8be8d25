// Device names. A device is always an argument, never a global.
import { ArgumentError, DeviceError } from './errors.js';

/** Where a tensor lives: `'cpu'`, `'cuda'` or `'cuda:1'`. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`;

/**
 * Checks a device name that came from a user.
 *
 * @throws ArgumentError for what is no device name; DeviceError for a device that this build or machine does not have
 */
export function checkDevice(op: string, value: unknown): Device {
  if (value === 'cpu') return value;
  if (typeof value === 'string' && /^cuda(:\d+)?$/.test(value)) {
    throw new DeviceError(`${op}: device '${value}' is not available, this build has 'cpu' only.`);
  }
  const got = typeof value === 'string' ? `'${value}'` : String(value);
  throw new ArgumentError(`${op}: unknown device ${got}, expected 'cpu', 'cuda' or 'cuda:N'.`);
}
