// Floating point operations of a layer's forward pass; a backward pass has two products of the same size, of which a first
// layer needs one.

/** [rows, inputs] by [inputs, outputs]. */
export const linear = (rows: number, inputs: number, outputs: number): number => 2 * rows * inputs * outputs;

/** A convolution with a square kernel to a square image of `size`; `inputs` are the channels of one group. */
export const conv = (batch: number, inputs: number, outputs: number, kernel: number, size: number): number =>
  2 * batch * inputs * outputs * kernel ** 2 * size ** 2;

/** All steps of a recurrent layer: products with the input and with the state. */
export const recurrent = (batch: number, steps: number, inputs: number, hidden: number, gates: number): number =>
  2 * batch * steps * gates * hidden * (inputs + hidden);

/** Causal attention of queries to the keys before them: two products, half of each. */
export const causalAttention = (batch: number, length: number, width: number): number =>
  2 * batch * length ** 2 * width;
