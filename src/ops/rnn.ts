// Recurrent layers over a whole sequence: one layer, one direction. Kernels: native/cpu/rnn.cpp. The layers of nn are made
// of these.
import { isGradEnabled } from '../autograd/mode.js';
import { SavedTensor, type InputGradients } from '../autograd/node.js';
import { grad } from '../autograd/backward.js';
import { debugLevel, traceOp } from '../debug.js';
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { native } from '../native.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { cast, contiguous } from './copy.js';
import { fromTypedArray } from './creation.js';
import { checkSameDevice, checkTensor, definedOps, needsRecord, record } from './define.js';
import { unrolled } from './rnnUnrolled.js';

/** The recurrent cells; the position is the number by which kernels know one. @internal */
export const cells = ['lstm', 'gru', 'rnnTanh', 'rnnRelu'] as const;

/** A recurrent cell. @internal */
export type CellKind = (typeof cells)[number];

/** How many gates a cell has: blocks of rows in its weights. @internal */
export const gateCount: Readonly<Record<CellKind, number>> = { lstm: 4, gru: 3, rnnTanh: 1, rnnRelu: 1 };

/** Options of the sequence ops. @internal */
export interface SequenceOptions {
  /**
   * How many rows each step has: descending, from the size of the batch. Row b of every step belongs to sequence b.
   * Default: all steps have the whole batch.
   */
  readonly batchSizes?: readonly number[] | undefined;
  /** From the last step to the first. Default false. */
  readonly reverse?: boolean;
}

/** The operands of a sequence op. @internal */
export interface SequenceInputs {
  /** `[rows, inputSize]`: the rows of all steps, one step after the other. */
  readonly x: Tensor;
  /** `[batch, hiddenSize]`. */
  readonly h0: Tensor;
  /** `[batch, hiddenSize]`, of an LSTM. */
  readonly c0: Tensor | null;
  /** `[gates * hiddenSize, inputSize]`. */
  readonly weightIh: Tensor;
  /** `[gates * hiddenSize, hiddenSize]`. */
  readonly weightHh: Tensor;
  /** `[gates * hiddenSize]`. */
  readonly biasIh: Tensor | null;
  /** `[gates * hiddenSize]`. */
  readonly biasHh: Tensor | null;
}

const inputNames = ['x', 'h0', 'c0', 'weightIh', 'weightHh', 'biasIh', 'biasHh'] as const;

const toList = (inputs: SequenceInputs): (Tensor | null)[] => inputNames.map((name) => inputs[name]);
const fromList = (list: readonly (Tensor | null)[]): SequenceInputs => {
  const [x, h0, c0, weightIh, weightHh, biasIh, biasHh] = list;
  return { x: x!, h0: h0!, c0: c0!, weightIh: weightIh!, weightHh: weightHh!, biasIh: biasIh!, biasHh: biasHh! };
};

for (const name of ['lstmSequence', 'gruSequence', 'rnnSequence']) definedOps.add(name);

/** The name of the sequence op of a cell. @internal */
export const opName = (kind: CellKind): string =>
  kind === 'lstm' ? 'lstmSequence' : kind === 'gru' ? 'gruSequence' : 'rnnSequence';

function check(kind: CellKind, inputs: SequenceInputs, batchSizes: readonly number[] | undefined): void {
  const op = opName(kind);
  const { x, h0 } = inputs;
  for (const name of inputNames) {
    const value = inputs[name];
    if (value === null && (name === 'biasIh' || name === 'biasHh' || (name === 'c0' && kind !== 'lstm'))) continue;
    checkTensor(op, name, value);
    checkSameDevice(op, 'x', x, name, value);
    if (value.dtype !== x.dtype)
      throw new DTypeError(`${op}: x is ${x.dtype}, ${name} is ${value.dtype}; convert one.`);
  }
  if (x.dtype !== 'float32' && x.dtype !== 'float64')
    throw new DTypeError(`${op}: expected float tensors, got ${x.dtype}.`);
  if (x.shape.length !== 2 || h0.shape.length !== 2) {
    throw new ShapeError(
      `${op}(x ${formatShape(x.shape)}, h0 ${formatShape(h0.shape)}): both must have 2 dimensions, [rows, inputSize] and [batch, hiddenSize].`,
    );
  }
  const [rows, inputSize] = x.shape;
  const [batch, hiddenSize] = h0.shape;
  const columns = gateCount[kind] * hiddenSize;
  const expected = {
    c0: [batch, hiddenSize],
    weightIh: [columns, inputSize],
    weightHh: [columns, hiddenSize],
    biasIh: [columns],
    biasHh: [columns],
  } as const;
  for (const [name, shape] of Object.entries(expected)) {
    const value = inputs[name as keyof typeof expected];
    if (value !== null && !shapesEqual(value.shape, shape)) {
      throw new ShapeError(
        `${op}(x ${formatShape(x.shape)}, h0 ${formatShape(h0.shape)}): ${name} must be ${formatShape(shape)}, got ${formatShape(value.shape)}.`,
      );
    }
  }
  if (batchSizes === undefined) {
    if (batch === 0 ? rows !== 0 : rows % batch !== 0)
      throw new ShapeError(`${op}: ${rows} rows of x are no whole number of steps of a batch of ${batch}.`);
    return;
  }
  let last = batch;
  let total = 0;
  batchSizes.forEach((size, t) => {
    if (!Number.isInteger(size) || size < 0 || size > last || (t === 0 && size !== batch)) {
      throw new ArgumentError(
        `${op}: batchSizes must descend from the batch of ${batch}, but batchSizes[${t}] is ${String(size)}${t === 0 ? '' : ` after ${last}`}.`,
      );
    }
    last = size;
    total += size;
  });
  if (total !== rows) throw new ShapeError(`${op}: batchSizes add up to ${total}, but x has ${rows} rows.`);
}

// The kernels read the sizes from a tensor: there can be any number of them.
function withSizes(batchSizes: readonly number[] | undefined, device: Device, run: (handle: number) => void): void {
  if (batchSizes === undefined) {
    run(0);
    return;
  }
  const sizes = fromTypedArray(BigInt64Array.from(batchSizes, BigInt), [batchSizes.length], { device });
  run(sizes._handle);
  sizes.dispose();
}

const handleOf = (x: Tensor | null): number => (x === null ? 0 : x._handle);

function sequence(kind: CellKind, inputs: SequenceInputs, options: SequenceOptions): Tensor[] {
  const { dtype } = inputs.x;
  if (dtype === 'float16' || dtype === 'bfloat16') {
    return tidy(() => {
      const wide = fromList(
        toList(inputs).map((x, i) => {
          if (x !== null && x.dtype !== dtype)
            throw new DTypeError(`${opName(kind)}: x is ${dtype}, ${inputNames[i]} is ${x.dtype}; convert one.`);
          return x === null ? null : cast(x, 'float32');
        }),
      );
      return sequence(kind, wide, options).map((out) => cast(out, dtype as DType));
    });
  }
  const { batchSizes, reverse = false } = options;
  check(kind, inputs, batchSizes);
  const op = opName(kind);
  const { x, h0, c0, weightIh, weightHh, biasIh, biasHh } = inputs;
  const given = toList(inputs);
  const rows = x.shape[0];
  const [batch, hiddenSize] = h0.shape;
  const make = (...shape: number[]): Tensor => emptyTensor(op, shape as Shape, dtype, x.device);
  const recorded = needsRecord(given);
  const gated = kind === 'lstm' || kind === 'gru';
  const h = make(rows, hiddenSize);
  const hN = make(batch, hiddenSize);
  const cN = kind === 'lstm' ? make(batch, hiddenSize) : null;
  // Of a cell with one gate, the gate is the output.
  const gates = !gated ? h : recorded ? make(rows, gateCount[kind] * hiddenSize) : null;
  const saved = gated && recorded ? make(rows, hiddenSize) : null;
  const outs = cN === null ? [h, hN] : [h, hN, cN];
  const run = (): void => {
    native.copy(hN._handle, h0._handle);
    if (cN !== null) native.copy(cN._handle, c0!._handle);
    withSizes(batchSizes, x.device, (sizes) =>
      native.rnnForward(
        h._handle,
        hN._handle,
        handleOf(gates),
        handleOf(cN),
        handleOf(saved),
        x._handle,
        weightIh._handle,
        weightHh._handle,
        handleOf(biasIh),
        handleOf(biasHh),
        sizes,
        cells.indexOf(kind),
        reverse,
      ),
    );
  };
  if (debugLevel > 0) traceOp(op, given, outs, run);
  else run();
  if (recorded) {
    const kept: Record<string, Tensor | null> = { ...inputs, gates, h, saved };
    const names = Object.keys(kept).filter((name) => kept[name] !== null);
    record(
      op,
      given,
      outs,
      () => names.map((name) => new SavedTensor(name, kept[name]!)),
      (grads, values, needs) => {
        const value = (name: string): Tensor | null => values[names.indexOf(name)] ?? null;
        const again = fromList(inputNames.map(value));
        if (isGradEnabled()) {
          return recordedGradients(toList(again), grads, needs, (copies) => unrolled(kind, fromList(copies), options));
        }
        return gradients(
          kind,
          { ...again, gates: value('gates')!, h: value('h')!, saved: value('saved') },
          options,
          grads,
          needs,
        );
      },
    );
  }
  if (gates !== h) gates?.dispose();
  saved?.dispose();
  return outs;
}

interface Remembered extends SequenceInputs {
  readonly gates: Tensor;
  readonly h: Tensor;
  readonly saved: Tensor | null;
}

// All gradients come from one pass through time, so they are computed at once.
function gradients(
  kind: CellKind,
  values: Remembered,
  { batchSizes, reverse = false }: SequenceOptions,
  [g, gN, gCell]: readonly (Tensor | null)[],
  needs: readonly boolean[],
): InputGradients {
  const { x, h0, c0, weightIh, weightHh, gates, h, saved } = values;
  const inputs = toList(values);
  const op = `${opName(kind)}Backward`;
  const found = tidy(() => {
    const make = (like: Tensor): Tensor => emptyTensor(op, like.shape, like.dtype, like.device);
    // On entry the gradient of the last state, after the call that of the first.
    const running = (given: Tensor | null | undefined): Tensor => {
      const state = make(h0);
      if (given === null || given === undefined) native.fill(state._handle, 0);
      else native.copy(state._handle, given._handle);
      return state;
    };
    const [dx, dweightIh, dweightHh, dbiasIh, dbiasHh] = ([0, 3, 4, 5, 6] as const).map((i) => {
      const input = inputs[i];
      return needs[i] && input !== null ? make(input) : null;
    });
    const dh = running(gN);
    const dc = kind === 'lstm' ? running(gCell) : null;
    withSizes(batchSizes, x.device, (sizes) =>
      native.rnnBackward(
        handleOf(dx),
        handleOf(dweightIh),
        handleOf(dweightHh),
        handleOf(dbiasIh),
        handleOf(dbiasHh),
        dh._handle,
        handleOf(dc),
        g === null ? 0 : contiguous(g)._handle,
        gates._handle,
        h._handle,
        handleOf(saved),
        contiguous(h0)._handle,
        c0 === null ? 0 : contiguous(c0)._handle,
        x._handle,
        weightIh._handle,
        weightHh._handle,
        sizes,
        cells.indexOf(kind),
        reverse,
      ),
    );
    return [dx, needs[1] ? dh : null, needs[2] ? dc : null, dweightIh, dweightHh, dbiasIh, dbiasHh];
  });
  return found.map((gradient) => (gradient === null ? null : () => gradient));
}

/**
 * Gradients that are differentiated again: those of what `compute` makes of the inputs, from ordinary ops.
 *
 * @internal
 */
export function recordedGradients(
  inputs: readonly (Tensor | null)[],
  grads: readonly (Tensor | null)[],
  needs: readonly boolean[],
  compute: (copies: readonly (Tensor | null)[]) => Tensor[],
): InputGradients {
  // One input may have been computed from another: differentiating by copies ends at the door.
  const copies = inputs.map((value, i) => (value !== null && needs[i] ? mul(value, 1) : value));
  const outs = compute(copies);
  const used = outs
    .map((out, i) => ({ out, g: grads[i] }))
    .filter(({ out, g }) => g !== null && g !== undefined && out.requiresGrad);
  if (used.length === 0) return [];
  const wanted = copies.filter((copy, i): copy is Tensor => copy !== null && needs[i]);
  const found = grad(
    used.map(({ out }) => out),
    wanted,
    { gradOutputs: used.map(({ g }) => g!), createGraph: true, allowUnused: true },
  );
  let next = 0;
  return copies.map((copy, i) => {
    if (copy === null || !needs[i]) return null;
    const gradient: Tensor | null = found[next++];
    return gradient === null ? null : () => gradient;
  });
}

/**
 * A layer of any recurrent cell over a sequence.
 *
 * @internal
 * @returns the states of all steps `[rows, hiddenSize]`, the last state of each sequence, and of an LSTM the last cell state
 */
export function cellSequence(kind: CellKind, inputs: SequenceInputs, options: SequenceOptions = {}): Tensor[] {
  checkTensor(opName(kind), 'x', inputs.x);
  return sequence(kind, inputs, options);
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates) over a sequence, with PyTorch's weights:
 *
 *     i, f, o = sigmoid(Wi x + bi + Ui h + ci), ...; g = tanh(Wg x + bg + Ug h + cg)
 *     c = f c + i g; h = o tanh(c)
 *
 * Backward with `createGraph` computes the sequence again from ordinary ops, which is slow but can be differentiated.
 *
 * @internal
 * @throws ShapeError if shapes do not fit; DTypeError if dtypes differ; ArgumentError for batch sizes that do not descend
 * @returns the states of all steps, the last state and the last cell state
 */
export function lstmSequence(
  x: Tensor,
  h0: Tensor,
  c0: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null,
  biasHh: Tensor | null,
  options: SequenceOptions = {},
): [Tensor, Tensor, Tensor] {
  const [h, hN, cN] = cellSequence('lstm', { x, h0, c0, weightIh, weightHh, biasIh, biasHh }, options);
  return [h, hN, cN];
}

/**
 * Gated recurrent units (Cho et al. 2014) over a sequence, with PyTorch's weights and its place of the reset gate:
 *
 *     r, z = sigmoid(W x + b + U h + c); n = tanh(Wn x + bn + r (Un h + cn)); h = (1 - z) n + z h
 *
 * @internal
 * @throws as `lstmSequence`
 * @returns the states of all steps and the last state
 */
export function gruSequence(
  x: Tensor,
  h0: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null,
  biasHh: Tensor | null,
  options: SequenceOptions = {},
): [Tensor, Tensor] {
  const [h, hN] = cellSequence('gru', { x, h0, c0: null, weightIh, weightHh, biasIh, biasHh }, options);
  return [h, hN];
}

/**
 * A plain recurrent layer (Elman 1990) over a sequence: `h = tanh(W x + b + U h + c)`, or relu in place of tanh.
 *
 * @internal
 * @throws as `lstmSequence`
 * @returns the states of all steps and the last state
 */
export function rnnSequence(
  x: Tensor,
  h0: Tensor,
  weightIh: Tensor,
  weightHh: Tensor,
  biasIh: Tensor | null,
  biasHh: Tensor | null,
  options: SequenceOptions & { readonly nonlinearity?: 'tanh' | 'relu' } = {},
): [Tensor, Tensor] {
  const kind = options.nonlinearity === 'relu' ? 'rnnRelu' : 'rnnTanh';
  const [h, hN] = cellSequence(kind, { x, h0, c0: null, weightIh, weightHh, biasIh, biasHh }, options);
  return [h, hN];
}
