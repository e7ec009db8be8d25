// cuda.graph: a function's kernels launched as a whole.
import { checkDevice, deviceIndex, type Device } from '../device.js';
import { ArgumentError, DeviceError } from '../errors.js';
import { keep, untracked } from '../memory.js';
import { native } from '../native.js';
import { isTensor } from '../tensor/tensor.js';
import { setCapture, shadowed, type Capture } from './capture.js';

/** Options of `graph`. */
export interface GraphOptions {
  /** The GPU that the function works on. Default 'cuda'. */
  readonly device?: Device;
  /** How many calls run as usual before one is captured, at least 1. Default 2. */
  readonly warmup?: number;
}

/** A function whose later calls launch a graph. */
export interface CapturedFunction<R> {
  /** Runs the function once: as usual, or by its graph. The result of the graph is the same tensors each time. */
  (): R;
  /** Whether calls launch the graph already. */
  readonly isCaptured: boolean;
  /** Frees the graph and its memory; the next call runs as usual and is captured after the warm-up again. */
  dispose(): void;
}

/**
 * Makes a CUDA graph of a function, such as a training step. The first calls run as usual; then the kernels of one call are
 * captured, and each call from there on launches all of them at once: no JavaScript runs for them, and the GPU does not wait
 * for launches. Every call is one run of the function, with the results that it has without a graph, bit for bit.
 *
 * The function takes no arguments and always works on the same memory: copy each batch into tensors made before
 * (`input.copy_(batch)`). It must not read values (`item()`, `data()`), use CPU tensors, or decide by anything but what stays
 * the same. Random numbers of dropout and the like go on as usual, from one generator. An optimizer's `step()` may be part of
 * it: learning rate, step count and schedules count as they are at each call. So may an `amp.GradScaler`, from `scale` to
 * `update`. Gradients are to be reset inside the function, not between calls.
 *
 * @param fn what to capture
 * @throws DeviceError if the device is not there, or the function left it; ArgumentError for a bad option; what fn throws
 * @example
 * const input = zeros([128, 784], { device: 'cuda' });
 * const labels = zeros([128], { dtype: 'int64', device: 'cuda' });
 * const step = cuda.graph(() => {
 *   optimizer.zeroGrad();
 *   const loss = nn.functional.crossEntropy(model.forward(input), labels);
 *   loss.backward();
 *   optimizer.step();
 *   return loss.detach();
 * });
 * for (const [x, y] of batches) {
 *   noGrad(() => { input.copy_(x); labels.copy_(y); });
 *   step();
 * }
 */
export function graph<R>(fn: () => R, options: GraphOptions = {}): CapturedFunction<R> {
  if (typeof fn !== 'function') throw new ArgumentError('cuda.graph: expected a function.');
  const device = checkDevice('cuda.graph', options.device ?? 'cuda');
  if (device === 'cpu') throw new DeviceError("cuda.graph: 'cpu' has no graphs; pass 'cuda' or 'cuda:N'.");
  const warmup = options.warmup ?? 2;
  if (!Number.isInteger(warmup) || warmup < 1) {
    throw new ArgumentError(`cuda.graph: warmup must be an integer of at least 1, got ${String(warmup)}.`);
  }
  let calls = 0;
  let captured: { readonly id: number; readonly capture: Capture; readonly result: R } | null = null;

  const capture = (): NonNullable<typeof captured> => {
    const id = native.graphBegin(deviceIndex(device));
    const own: Capture = { dynamic: [], source: null, firstBlock: 0, blocks: 0 };
    setCapture(own);
    let result: R;
    try {
      result = untracked(fn);
    } catch (error) {
      setCapture(null);
      native.graphEnd(false);
      throw error;
    }
    setCapture(null);
    if (result instanceof Promise) {
      native.graphEnd(false);
      throw new ArgumentError(
        'cuda.graph: the function returned a promise; only synchronous functions can be captured.',
      );
    }
    native.graphEnd(true);
    keepTensors(result);
    return { id, capture: own, result };
  };

  const call = (): R => {
    calls++;
    if (captured === null) {
      if (calls <= warmup) return fn();
      captured = capture();
      // Capturing has computed the numbers of this call, but run nothing.
      native.graphLaunch(captured.id, 0);
      return captured.result;
    }
    const { id, capture: own, result } = captured;
    shadowed(id, () => own.dynamic.forEach((run) => run()));
    const shift = own.source === null ? 0 : own.source.take(own.blocks) - own.firstBlock;
    native.graphLaunch(id, shift);
    return result;
  };
  Object.defineProperty(call, 'isCaptured', { get: () => captured !== null });
  return Object.assign(call, {
    dispose(): void {
      if (captured !== null) native.graphDispose(captured.id);
      captured = null;
      calls = 0;
    },
  }) as CapturedFunction<R>;
}

// Results belong to the graph: no tidy around a call frees them.
function keepTensors(value: unknown): void {
  if (isTensor(value)) keep(value);
  else if (Array.isArray(value)) value.forEach(keepTensors);
  else if (typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    Object.values(value).forEach(keepTensors);
}
