// The THALWEG_DEBUG ladder: 1 traces each op, 2 also waits and checks after each, 3 also looks for NaN and infinity and
// names the op that made the first.
import { isFloating, itemSize } from './dtype.js';
import { NativeError } from './errors.js';
import { native } from './native.js';
import { formatShape } from './shape.js';
import type { Tensor } from './tensor/tensor.js';

/** The level in force; see `setDebugLevel`. */
export let debugLevel = Math.max(0, Math.min(3, Math.trunc(Number(process.env['THALWEG_DEBUG'] ?? 0)) || 0));

/**
 * Sets the debug level, as the environment variable `THALWEG_DEBUG` does at start: 0 off; 1 prints each op with shapes,
 * milliseconds and GB/s to stderr; 2 waits after each op without printing, so that a failure's stack is that of the call;
 * 3 throws at the first op whose result holds NaN or infinity while its inputs do not.
 */
export function setDebugLevel(level: 0 | 1 | 2 | 3): void {
  debugLevel = level;
}

function bytesOf(tensors: readonly (Tensor | null)[]): number {
  return tensors.reduce((sum, t) => sum + (t === null ? 0 : t.numel * itemSize(t.dtype)), 0);
}

function hasNonFinite(tensor: Tensor): boolean {
  if (!isFloating(tensor.dtype)) return false;
  for (const value of tensor.dataSync()) if (!Number.isFinite(value)) return true;
  return false;
}

/** Runs an op's kernel under the current level. @internal */
export function traceOp(
  op: string,
  inputs: readonly (Tensor | null)[],
  outs: readonly Tensor[],
  run: () => void,
): void {
  if (debugLevel === 1) native.sync();
  const inputsFinite = debugLevel < 3 || !inputs.some((t) => t !== null && hasNonFinite(t));
  const start = performance.now();
  run();
  native.sync();
  const ms = performance.now() - start;
  if (debugLevel === 1) {
    const show = (ts: readonly (Tensor | null)[]): string =>
      ts.map((t) => (t === null ? '-' : `${t.dtype}${formatShape(t.shape)}`)).join(', ');
    const rate = (bytesOf(inputs) + bytesOf(outs)) / ms / 1e6;
    process.stderr.write(
      `thalweg: ${op}(${show(inputs)}) -> ${show(outs)}  ${ms.toFixed(3)} ms  ${rate.toFixed(1)} GB/s\n`,
    );
  }
  if (debugLevel >= 3 && inputsFinite) {
    for (const out of outs) {
      if (hasNonFinite(out)) {
        throw new NativeError(
          `${op}: made the first NaN or infinity, in a result of shape ${formatShape(out.shape)} from finite inputs (THALWEG_DEBUG=3).`,
        );
      }
    }
  }
}
