// Runs that the device leaves out: where a flag, a number in the device's memory that JavaScript has not read, is not 0.
import type { Device } from '../device.js';
import { ArgumentError, DTypeError, DeviceError } from '../errors.js';
import { checkTensor } from '../ops/define.js';
import type { Tensor } from '../tensor/tensor.js';

/** A flag for each device. @internal */
export type Flags = ReadonlyMap<Device, Tensor>;

let current: Flags | null = null;

/** Runs `fn`; what its programs would write on a device is left out unless the flag of that device is 0. @internal */
export function skipping<T>(flags: Flags, fn: () => T): T {
  const outer = current;
  current = flags;
  try {
    return fn();
  } finally {
    current = outer;
  }
}

/** The flag that the programs on a device are under. @internal */
export function currentSkip(device: Device): Tensor | null {
  return current?.get(device) ?? null;
}

/** Throws for what is no flag of programs on a device. @internal */
export function checkSkip(op: string, skip: Tensor, device: Device | undefined): void {
  checkTensor(op, 'skip', skip);
  if (skip.dtype !== 'float32') throw new DTypeError(`${op}: skip must be float32, got ${skip.dtype}.`);
  if (skip.numel !== 1) throw new ArgumentError(`${op}: skip must have one element, it has ${skip.numel}.`);
  if (device !== undefined && skip.device !== device)
    throw new DeviceError(`${op}: skip is on ${skip.device}, the tensors on ${device}.`);
}
