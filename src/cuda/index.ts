// What users ask of CUDA: whether it is there and why not, devices, memory.
import { checkDevice, ordinalOf, type Device } from '../device.js';
import { DeviceError } from '../errors.js';
import { native } from '../native.js';
import { pluginState } from './plugin.js';

export { graph, type CapturedFunction, type GraphOptions } from './graph.js';

/** What a GPU is. */
export interface DeviceProperties {
  /** As the driver calls it. */
  readonly name: string;
  /** Its memory, in bytes. */
  readonly memoryBytes: number;
  /** Major and minor version of what its instructions are. */
  readonly computeCapability: readonly [major: number, minor: number];
  /** How many multiprocessors it has. */
  readonly multiprocessors: number;
}

/** Memory of a GPU, of all processes, in bytes. */
export interface DeviceMemory {
  /** What nobody has taken. */
  readonly free: number;
  /** All there is. */
  readonly total: number;
}

/**
 * True if tensors can live on `'cuda'`. Never throws.
 *
 * @example
 * const device = cuda.isAvailable() ? 'cuda' : 'cpu';
 */
export function isAvailable(): boolean {
  return pluginState().reason === null;
}

/**
 * Why `'cuda'` cannot be used (no plugin, no driver, a driver too old, no GPU) and what to do about it; null if it can.
 *
 * @example
 * if (!cuda.isAvailable()) console.log(`training on the CPU: ${cuda.unavailableReason()}`);
 */
export function unavailableReason(): string | null {
  return pluginState().reason;
}

/** The number of GPUs that this process may use; 0 without CUDA. */
export function deviceCount(): number {
  return pluginState().count;
}

/**
 * Name, memory and compute capability of a GPU.
 *
 * @throws DeviceError for a device that is not there
 * @example
 * cuda.deviceProperties('cuda').name;
 */
export function deviceProperties(device: Device = 'cuda'): DeviceProperties {
  return native.deviceInfo(ordinalOf(checkCuda('cuda.deviceProperties', device)));
}

/**
 * Free and total memory of a GPU in bytes, of all processes; what this process caches counts as used (`emptyCache()` gives
 * it back). What this thread's tensors take says `memory({ device })`.
 *
 * @throws DeviceError for a device that is not there
 */
export function memoryInfo(device: Device = 'cuda'): DeviceMemory {
  const [free, total] = native.deviceMemory(ordinalOf(checkCuda('cuda.memoryInfo', device)));
  return { free, total };
}

/**
 * The optional libraries (cuBLASLt, NVRTC), a line each: the version and where it was found, or where it was
 * looked for and what to do. What needs a library that is missing runs on Thalweg's own kernels.
 *
 * @throws DeviceError when CUDA is not available at all
 */
export function libraries(): string {
  const { reason } = pluginState();
  if (reason !== null) throw new DeviceError(`cuda.libraries: CUDA is not available: ${reason}.`);
  return native.deviceLibraries();
}

function checkCuda(op: string, device: Device): Device {
  const checked = checkDevice(op, device);
  if (checked === 'cpu') throw new DeviceError(`${op}: 'cpu' is no GPU; pass 'cuda' or 'cuda:N'.`);
  return checked;
}
