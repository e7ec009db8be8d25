// Device names. A device is always an argument, never a global.
import { pluginState } from './cuda/plugin.js';
import { ArgumentError, DeviceError } from './errors.js';
import { native } from './native.js';

/** Where a tensor lives: `'cpu'`, `'cuda'` (the first GPU) or `'cuda:1'`. */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`;

const names: Device[] = ['cpu', 'cuda'];
const isOpen: boolean[] = [true];

/** The device's number in native code: 0 is the CPU, 1 + n the GPU n. @internal */
export function deviceIndex(device: Device): number {
  if (device === 'cpu') return 0;
  return device === 'cuda' ? 1 : Number(device.slice(5)) + 1;
}

/** The GPU number of a device name that checkDevice has passed. @internal */
export const ordinalOf = (device: Device): number => deviceIndex(device) - 1;

/** The one name of device `index`, which tensors compare. @internal */
export const deviceName = (index: number): Device => (names[index] ??= `cuda:${index - 1}`);

/** Lists of what is on one device each, in the order of their first members. @internal */
export function byDevice<T extends { readonly device: Device }>(items: readonly T[]): T[][] {
  const lists = new Map<Device, T[]>();
  for (const item of items) {
    const list = lists.get(item.device);
    if (list === undefined) lists.set(item.device, [item]);
    else list.push(item);
  }
  return [...lists.values()];
}

let fallback: Device = 'cpu';

/** Where tensors are made when nothing is said. @internal */
export const defaultDevice = (): Device => fallback;

/** For tests that run on another device unchanged. @internal */
export function setDefaultDevice(device: Device): void {
  fallback = checkDevice('setDefaultDevice', device);
}

/**
 * Checks a device name that came from a user, and opens the device. `'cuda:0'` becomes `'cuda'`.
 *
 * @throws ArgumentError for what is no device name; DeviceError for a device that this build or machine does not have
 */
export function checkDevice(op: string, value: unknown): Device {
  if (value === 'cpu') return value;
  const match = typeof value === 'string' ? /^cuda(?::(\d{1,9}))?$/.exec(value) : null;
  if (match === null) {
    const got = typeof value === 'string' ? `'${value}'` : String(value);
    throw new ArgumentError(`${op}: unknown device ${got}, expected 'cpu', 'cuda' or 'cuda:N'.`);
  }
  const ordinal = match[1] === undefined ? 0 : Number(match[1]);
  if (isOpen[ordinal + 1] === true) return deviceName(ordinal + 1);
  const { count, reason } = pluginState();
  if (reason !== null) throw new DeviceError(`${op}: device '${String(value)}' is not available: ${reason}.`);
  if (ordinal >= count) {
    const there = count === 1 ? `'cuda' only` : `'cuda' to 'cuda:${count - 1}'`;
    throw new DeviceError(`${op}: device '${String(value)}' does not exist, this machine has ${there}.`);
  }
  try {
    native.openDevice(ordinal);
  } catch (error) {
    throw new DeviceError(`${op}: device '${String(value)}' cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  isOpen[ordinal + 1] = true;
  return deviceName(ordinal + 1);
}
