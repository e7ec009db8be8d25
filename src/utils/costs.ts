// How much arithmetic an operation takes.
import { numel } from '../shape.js';
import type { TracedOp } from './trace.js';

/** What an operation costs. */
export interface Cost {
  /** Multiplications whose products are added up. */
  readonly multAdds: number;
  /** Floating-point operations: two for each of those, one for each element elsewhere, five where rows are normalised. */
  readonly flops: number;
}

const free = new Set([
  ...['reshape', 'permute', 'expand', 'slice', 'select', 'squeeze', 'unsqueeze', 'flatten', 'split', 'cat', 'stack'],
  ...['hook', 'clone', 'contiguous', 'to', 'cast', 'copy', 'pad', 'embedding', 'indexSelect', 'gather', 'detach'],
]);
const normalizing = new Set(['normalizeRows', 'normalizeGroups', 'softmax', 'logSoftmax', 'batchNorm']);

/** Operations that only look at memory in another way: their results take none. */
export const views = new Set(['reshape', 'permute', 'expand', 'slice', 'split', 'hook']);

function products({ name, inputs, outputs }: TracedOp): number | null {
  const [first, second, third] = inputs;
  const out = numel(outputs[0].shape);
  const last = (shape: readonly number[] | undefined): number => shape?.at(-1) ?? 0;
  if (name === 'matmul') return out * (first !== null ? last(first.shape) : (second?.shape.at(-2) ?? 0));
  if (name === 'linear') return out * last((second ?? first)?.shape);
  if (/^conv\dd$/.test(name)) {
    // Of a filter: channels and window of one output. Without its shape nothing is known.
    return second ? out * (numel(second.shape) / Math.max(second.shape[0], 1)) : null;
  }
  if (/^convTranspose\dd$/.test(name)) {
    if (!first || !second) return null;
    return numel(first.shape) * (numel(second.shape) / Math.max(second.shape[0], 1));
  }
  if (name === 'scaledDotProductAttention') {
    const [q, k, v] = [first, second, third];
    const keys = (k ?? v)?.shape[2] ?? 0;
    const [batch, rows, heads, width] = outputs[0].shape;
    return batch * heads * rows * keys * ((q ?? k)?.shape[3] ?? width) + batch * heads * rows * keys * width;
  }
  if (/^(lstm|gru|rnn)Sequence$/.test(name)) {
    const [x, , , weightIh, weightHh] = inputs;
    // The first result has a row for each row of x.
    return (x?.shape[0] ?? outputs[0].shape[0]) * (numel(weightIh?.shape ?? [0]) + numel(weightHh?.shape ?? [0]));
  }
  return null;
}

/** What an operation costs, for what it was given. */
export function costOf(op: TracedOp): Cost {
  const multAdds = products(op);
  if (multAdds !== null) return { multAdds, flops: 2 * multAdds };
  if (free.has(op.name)) return { multAdds: 0, flops: 0 };
  const largest = Math.max(
    0,
    ...op.outputs.map(({ shape }) => numel(shape)),
    ...op.inputs.map((input) => (input === null ? 0 : numel(input.shape))),
  );
  return { multAdds: 0, flops: largest * (normalizing.has(op.name) ? 5 : 1) };
}
