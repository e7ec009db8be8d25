// Recurrent layers as a chain of ordinary ops, one step after the other: for gradients that are differentiated again.
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { cat } from './join.js';
import { relu } from './activation.js';
import { sigmoid, tanh } from './math.js';
import { linear } from './matmul.js';
import type { CellKind, SequenceInputs, SequenceOptions } from './rnn.js';
import { chunk, narrow } from './view.js';

// The state after a step: h, and c of an LSTM. px, ph: what goes into the gates from the input and from the state.
function step(kind: CellKind, px: Tensor, ph: Tensor, [h, c]: readonly Tensor[]): Tensor[] {
  switch (kind) {
    case 'lstm': {
      const [i, f, g, o] = chunk(add(px, ph), 4, 1) as [Tensor, Tensor, Tensor, Tensor];
      const next = add(mul(sigmoid(f), c), mul(sigmoid(i), tanh(g)));
      return [mul(sigmoid(o), tanh(next)), next];
    }
    case 'gru': {
      const [xr, xz, xn] = chunk(px, 3, 1) as [Tensor, Tensor, Tensor];
      const [hr, hz, hn] = chunk(ph, 3, 1) as [Tensor, Tensor, Tensor];
      const next = tanh(add(xn, mul(sigmoid(add(xr, hr)), hn)));
      return [add(next, mul(sigmoid(add(xz, hz)), sub(h, next)))];
    }
    case 'rnnTanh':
      return [tanh(add(px, ph))];
    case 'rnnRelu':
      return [relu(add(px, ph))];
  }
}

/** What the sequence ops of rnn.ts compute, from ordinary ops. @internal */
export function unrolled(
  kind: CellKind,
  { x, h0, c0, weightIh, weightHh, biasIh, biasHh }: SequenceInputs,
  { batchSizes, reverse = false }: SequenceOptions,
): Tensor[] {
  const batch = h0.shape[0];
  const sizes = batchSizes ?? new Array<number>(batch === 0 ? 0 : x.shape[0] / batch).fill(batch);
  const offsets: number[] = [];
  let offset = 0;
  for (const size of sizes) {
    offsets.push(offset);
    offset += size;
  }
  const steps = sizes.map((_, t) => t);
  if (reverse) steps.reverse();
  const projected = linear(x, weightIh, biasIh);
  const outputs = new Array<Tensor>(sizes.length);
  let state: Tensor[] = kind === 'lstm' ? [h0, c0!] : [h0];
  for (const t of steps) {
    const size = sizes[t];
    const active = state.map((part): Tensor => narrow(part, 0, 0, size));
    const px: Tensor = narrow(projected, 0, offsets[t], size);
    const after = step(kind, px, linear(active[0], weightHh, biasHh), active);
    outputs[t] = after[0];
    // Sequences that have ended, or not begun, keep their state.
    state = after.map((part, i) => (size === batch ? part : cat([part, narrow(state[i], 0, size, batch - size)])));
  }
  return [outputs.length === 0 ? narrow(projected, 1, 0, h0.shape[1]) : cat(outputs), ...state];
}
