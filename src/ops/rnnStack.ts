// Recurrent layers on top of each other, in one direction or both: at once where a library of the device does that (cuDNN;
// kernel: native/cuda/rnn_stack.cu), else layer by layer (ops/rnn.ts).
import { isGradEnabled } from '../autograd/mode.js';
import { SavedTensor, type InputGradients } from '../autograd/node.js';
import { debugLevel, traceOp } from '../debug.js';
import { ordinalOf } from '../device.js';
import { dtypeId, type DType } from '../dtype.js';
import { tidy } from '../memory.js';
import { native, scratchHandles, scratchNumbers } from '../native.js';
import { getFloat32MatmulPrecision } from '../runtime.js';
import { shapesEqual, type Shape } from '../shape.js';
import { emptyTensor, type Tensor } from '../tensor/tensor.js';
import { clone, contiguous } from './copy.js';
import { zeros } from './creation.js';
import { needsRecord, record } from './define.js';
import { cat, stack } from './join.js';
import {
  cellSequence,
  cells,
  gateCount,
  recordedGradients,
  type CellKind,
  type SequenceInputs,
  type SequenceOptions,
} from './rnn.js';
import { unrolled } from './rnnUnrolled.js';
import { select } from './view.js';

/** The weights of one layer in one direction, as in `SequenceInputs`. @internal */
export type LayerWeights = Pick<SequenceInputs, 'weightIh' | 'weightHh' | 'biasIh' | 'biasHh'>;

/** The operands of a stack of layers. @internal */
export interface StackInputs {
  /** `[rows, inputSize]`: the rows of all steps, one step after the other. */
  readonly x: Tensor;
  /** `[layers * directions, batch, hiddenSize]`; zeros by default. */
  readonly h0: Tensor | null;
  /** As `h0`, of an LSTM: both or none. */
  readonly c0: Tensor | null;
  /** Of each layer: of both directions in a row if there are two. */
  readonly weights: readonly LayerWeights[];
}

/** What a stack of layers is. @internal */
export interface StackOptions {
  readonly batch: number;
  readonly hiddenSize: number;
  readonly bidirectional: boolean;
  /** As in `SequenceOptions`. */
  readonly batchSizes?: readonly number[] | undefined;
}

const weightNames = ['weightIh', 'weightHh', 'biasIh', 'biasHh'] as const;
const handleOf = (x: Tensor | null): number => (x === null ? 0 : x._handle);

// -- layer by layer -----------------------------------------------------------------------------------------------------

type Run = (kind: CellKind, inputs: SequenceInputs, options: SequenceOptions) => Tensor[];

function layerByLayer(
  run: Run,
  kind: CellKind,
  { x, h0, c0, weights }: StackInputs,
  { batch, hiddenSize, bidirectional, batchSizes }: StackOptions,
): Tensor[] {
  const lstm = kind === 'lstm';
  const { dtype, device } = x;
  const zero = h0 === null ? zeros<Shape, DType>([batch, hiddenSize], { dtype, device }) : null;
  const finals: Tensor[][] = lstm ? [[], []] : [[]];
  const directions = bidirectional ? 2 : 1;
  let output = x;
  for (let i = 0; i < weights.length; i += directions) {
    const outputs = weights.slice(i, i + directions).map((own, direction) => {
      const initial = (states: Tensor | null): Tensor => zero ?? select(states!, 0, i + direction);
      const [h, ...last] = run(
        kind,
        { x: output, h0: initial(h0), c0: lstm ? initial(c0) : null, ...own },
        { batchSizes, reverse: direction === 1 },
      );
      last.forEach((state, k) => finals[k].push(state));
      return h;
    });
    output = outputs.length === 1 ? outputs[0] : cat(outputs, 1);
  }
  return [output, ...finals.map((list): Tensor => stack(list))];
}

// -- at once ------------------------------------------------------------------------------------------------------------

// How many steps each sequence has, longest first; empty if all have all steps. Null if sizes are not what they should be.
function lengthsOf(batchSizes: readonly number[] | undefined, batch: number, rows: number): number[] | null {
  if (batchSizes === undefined) return rows % batch === 0 ? [] : null;
  let total = 0;
  for (let t = 0; t < batchSizes.length; t++) {
    if (batchSizes[t] > (t === 0 ? batch : batchSizes[t - 1])) return null;
    total += batchSizes[t];
  }
  if (batchSizes[0] !== batch || total !== rows) return null;
  if (batchSizes[batchSizes.length - 1] === batch) return [];
  let t = batchSizes.length;
  return Array.from({ length: batch }, (_, b) => {
    while (batchSizes[t - 1] <= b) t--;
    return t;
  });
}

interface Plan {
  readonly lengths: readonly number[];
  readonly reserveBytes: number;
  readonly bias: boolean;
  /** As the precision of products was set when the layers were computed. */
  readonly tf32: boolean;
}

// Null: layer by layer. That is also who complains of operands that do not fit.
function planOf(kind: CellKind, { x, h0, c0, weights }: StackInputs, options: StackOptions): Plan | null {
  const { batch, hiddenSize, bidirectional, batchSizes } = options;
  if (x.device === 'cpu' || x.shape.length !== 2 || x.shape.includes(0) || batch < 1 || hiddenSize < 1) return null;
  const [rows, inputSize] = x.shape;
  const lengths = lengthsOf(batchSizes, batch, rows);
  if (lengths === null || lengths.length > scratchNumbers.length) return null;
  const directions = bidirectional ? 2 : 1;
  const bias = weights[0].biasIh !== null;
  const columns = gateCount[kind] * hiddenSize;
  const fits = (tensor: Tensor | null, shape: Shape): boolean =>
    tensor !== null && tensor.dtype === x.dtype && tensor.device === x.device && shapesEqual(tensor.shape, shape);
  const all = weights.every(({ weightIh, weightHh, biasIh, biasHh }, i) => {
    const input = i < directions ? inputSize : directions * hiddenSize;
    if (!fits(weightIh, [columns, input]) || !fits(weightHh, [columns, hiddenSize])) return false;
    return bias ? fits(biasIh, [columns]) && fits(biasHh, [columns]) : biasIh === null && biasHh === null;
  });
  const states = [weights.length, batch, hiddenSize];
  if (!all || (h0 !== null && !fits(h0, states)) || (c0 !== null && !fits(c0, states))) return null;
  stageLengths(lengths);
  const tf32 = getFloat32MatmulPrecision() === 'high';
  const reserveBytes = native.rnnReserve(
    ordinalOf(x.device),
    dtypeId(x.dtype),
    cells.indexOf(kind),
    weights.length / directions,
    bidirectional,
    bias,
    inputSize,
    hiddenSize,
    batch,
    lengths.length > 0 ? lengths[0] : rows / batch,
    lengths.length,
    tf32,
  );
  return reserveBytes < 0 ? null : { lengths, reserveBytes, bias, tf32 };
}

function stageLengths(lengths: readonly number[]): void {
  for (let b = 0; b < lengths.length; b++) scratchNumbers[b] = lengths[b];
}

// x, h0, c0, then all weights in order.
const toList = ({ x, h0, c0, weights }: StackInputs, bias: boolean): (Tensor | null)[] => [
  x,
  h0,
  c0,
  ...weights.flatMap((own) => weightNames.slice(0, bias ? 4 : 2).map((name) => own[name])),
];
function fromList([x, h0, c0, ...flat]: readonly (Tensor | null)[], bias: boolean): StackInputs {
  const each = bias ? 4 : 2;
  const weights = Array.from({ length: flat.length / each }, (_, i): LayerWeights => {
    const [weightIh, weightHh, biasIh = null, biasHh = null] = flat.slice(i * each, (i + 1) * each);
    return { weightIh: weightIh!, weightHh: weightHh!, biasIh, biasHh };
  });
  return { x: x!, h0, c0, weights };
}

// Of an input in that order, or of what is saved besides.
function nameOf(i: number, bias: boolean, directions: number): string {
  if (i < 3) return ['reserve', 'output', 'x', 'h0', 'c0'][i + 2];
  const each = bias ? 4 : 2;
  const layer = Math.floor((i - 3) / each);
  return `${weightNames[(i - 3) % each]} of layer ${Math.floor(layer / directions)}${layer % directions === 1 ? ', reverse' : ''}`;
}

function atOnce(kind: CellKind, given: StackInputs, options: StackOptions, plan: Plan): Tensor[] {
  const { lengths, reserveBytes, bias, tf32 } = plan;
  const { batch, hiddenSize, bidirectional } = options;
  const inputs = toList(given, bias).map((tensor) => (tensor === null ? null : contiguous(tensor)));
  const [x, h0, c0, ...weights] = inputs as [Tensor, Tensor | null, Tensor | null, ...Tensor[]];
  const op = `${kind}Stack`;
  const { dtype, device } = x;
  const make = (shape: Shape, own: DType = dtype): Tensor => emptyTensor(op, shape, own, device);
  const directions = bidirectional ? 2 : 1;
  const y = make([x.shape[0], directions * hiddenSize]);
  const states = kind === 'lstm' ? 2 : 1;
  const [hN, cN = null] = Array.from({ length: states }, () => make([given.weights.length, batch, hiddenSize]));
  const outs = cN === null ? [y, hN] : [y, hN, cN];
  const recorded = needsRecord(inputs);
  const reserve = recorded ? make([reserveBytes], 'uint8') : null;
  const of = [cells.indexOf(kind), given.weights.length / directions, bidirectional, tf32] as const;
  const run = (): void => {
    weights.forEach((weight, i) => (scratchHandles[i] = weight._handle));
    stageLengths(lengths);
    const [ofH, ofC] = [handleOf(h0), handleOf(c0)];
    // prettier-ignore
    native.rnnStack(y._handle, hN._handle, handleOf(cN), handleOf(reserve), x._handle, ofH, ofC, weights.length, lengths.length, ...of);
  };
  if (debugLevel > 0) traceOp(op, inputs, outs, run);
  else run();
  if (reserve === null) return outs;

  const kept = [reserve, y, ...inputs].map((tensor, i) => ({ tensor, name: nameOf(i - 2, bias, directions) }));
  record(
    op,
    inputs,
    outs,
    () => kept.flatMap(({ tensor, name }) => (tensor === null ? [] : [new SavedTensor(name, tensor)])),
    (grads, values, needs, retained) => {
      let next = 0;
      const [reserved, output, ...again] = kept.map(({ tensor }) => (tensor === null ? null : values[next++]));
      if (isGradEnabled()) {
        return recordedGradients(again, grads, needs, (copies) =>
          layerByLayer(unrolled, kind, fromList(copies, bias), options),
        );
      }
      return gradients(op, of, lengths, batch, again, output!, reserved!, grads, needs, retained);
    },
  );
  reserve.dispose();
  return outs;
}

function gradients(
  op: string,
  of: readonly [kind: number, layers: number, bidirectional: boolean, tf32: boolean],
  lengths: readonly number[],
  batch: number,
  inputs: readonly (Tensor | null)[],
  y: Tensor,
  reserve: Tensor,
  grads: readonly Tensor[],
  needs: readonly boolean[],
  retained: boolean,
): InputGradients {
  const found = tidy(() => {
    const [x, h0, c0, ...weights] = inputs as [Tensor, Tensor | null, Tensor | null, ...Tensor[]];
    const ofWeights = needs.slice(3).includes(true);
    const results = inputs.map((input, i) => {
      if (input === null || !(i < 3 ? needs[i] : ofWeights)) return null;
      return emptyTensor(`${op}Backward`, input.shape, input.dtype, input.device);
    });
    const [g, gN, gCell = null] = grads.map((grad) => contiguous(grad));
    // The pass back uses up what is in the reserve.
    const own = retained ? clone(reserve) : reserve;
    const dweights = ofWeights ? (results.slice(3) as Tensor[]) : [];
    [...dweights, ...weights].forEach((tensor, i) => (scratchHandles[i] = tensor._handle));
    stageLengths(lengths);
    const [dx, dh0, dc0] = results.map(handleOf);
    const [ofG, ofGN, ofGCell, ofReserve] = [g, gN, gCell, own].map(handleOf);
    const [ofY, ofX, ofH, ofC] = [y, x, h0, c0].map(handleOf);
    // prettier-ignore
    native.rnnStackBackward(dx, dh0, dc0, dweights.length, ofG, ofGN, ofGCell, ofReserve, ofY, ofX, ofH, ofC, weights.length, lengths.length, batch, ...of);
    return results;
  });
  return found.map((gradient, i) => (gradient === null || !needs[i] ? null : () => gradient));
}

/**
 * Layers of a recurrent cell on top of each other, in both directions if wanted, over packed sequences.
 *
 * @internal
 * @throws as `cellSequence`
 * @returns the outputs of the last layer at all steps `[rows, directions * hiddenSize]`, and the last states of all layers
 *   `[layers * directions, batch, hiddenSize]`; of an LSTM the last cell states, too
 */
export function cellStack(kind: CellKind, inputs: StackInputs, options: StackOptions): Tensor[] {
  const plan = planOf(kind, inputs, options);
  return plan === null ? layerByLayer(cellSequence, kind, inputs, options) : atOnce(kind, inputs, options, plan);
}
