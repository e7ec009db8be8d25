// Recurrent layers: RNN, LSTM, GRU. What they compute is in ops/rnn.ts.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { cast } from '../ops/copy.js';
import { empty, type TensorOptions } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { indexSelect } from '../ops/indexing.js';
import { cat } from '../ops/join.js';
import type { Generator } from '../ops/random.js';
import { gateCount, opName, type CellKind } from '../ops/rnn.js';
import { cellStack, type LayerWeights } from '../ops/rnnStack.js';
import { narrow, reshape, select, transpose } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import type { RecurrentCheck, RecurrentShape } from '../types/recurrent.js';
import { dropout } from './functional.js';
import { uniform } from './init.js';
import { Module, parameter, type Parameter } from './module.js';
import { PackedSequence } from './packed.js';

/** A float tensor in a type; anything else as it is, to be refused by whoever takes it. @internal */
export const inType = (x: Tensor, dtype: DType): Tensor => (isTensor(x) && isFloating(x.dtype) ? cast(x, dtype) : x);

/** Options of the recurrent layers. */
export interface RecurrentOptions<Both extends boolean = boolean> extends Omit<TensorOptions, 'requiresGrad'> {
  /** How many layers, each reading the output of the one before. Default 1. */
  numLayers?: number;
  /** Add learned biases, one for the input and one for the state. Default true. */
  bias?: boolean;
  /** Input and output are `[batch, steps, features]`; states are not changed by this. Default false. */
  batchFirst?: boolean;
  /** In training, the probability of dropout on the output of each layer but the last. Default 0. */
  dropout?: number;
  /** Run each layer backwards too, and join the features of both outputs. Default false. */
  bidirectional?: Both;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `RNN`. */
export interface RNNOptions<Both extends boolean = boolean> extends RecurrentOptions<Both> {
  /** `'tanh'` (default) or `'relu'`. */
  nonlinearity?: 'tanh' | 'relu';
}

/** A tensor or packed sequence with its last dimension checked. @internal */
export type RecurrentInput<Name extends string, X, I extends number, H extends number> =
  X extends Tensor<infer S> ? RecurrentCheck<Name, S, I, H> : unknown;

/** What a recurrent layer gives for an input: a tensor for a tensor, packed for packed. */
export type RecurrentOutput<X, I extends number, H extends number, Both extends boolean> =
  X extends PackedSequence<infer D>
    ? PackedSequence<D>
    : X extends Tensor<infer S, infer D>
      ? Tensor<RecurrentShape<S, I, H, Both>, D>
      : never;

/** The dtype of a recurrent layer's states: that of its input. @internal */
export type StateDType<X> = X extends PackedSequence<infer D> ? D : X extends Tensor<Shape, infer D> ? D : DType;

/** @internal */
export function checkPositive(op: string, name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new ArgumentError(`${op}: ${name} must be an integer >= 1, got ${String(value)}.`);
}

/** A parameter of a recurrent layer: uniform on +-1 / sqrt(hiddenSize). @internal */
export function recurrentParameter(
  shape: Shape,
  hiddenSize: number,
  options: Omit<TensorOptions, 'requiresGrad'>,
  generator: Generator | undefined,
): Parameter {
  const bound = 1 / Math.sqrt(hiddenSize);
  return parameter(uniform(empty<Shape, DType>(shape, options), -bound, bound, generator));
}

/**
 * What RNN, LSTM and GRU share. Parameters have PyTorch's names, of layer k `weight_ih_lk`, `weight_hh_lk`, `bias_ih_lk`
 * and `bias_hh_lk`, and with `_reverse` behind for the other direction.
 */
export abstract class RecurrentLayer<
  I extends number = number,
  H extends number = number,
  Both extends boolean = boolean,
> extends Module {
  /** The number of features of the input. */
  readonly inputSize: I;
  /** The number of features of the state. */
  readonly hiddenSize: H;
  /** How many layers there are. */
  readonly numLayers: number;
  /** Whether there are biases. */
  readonly bias: boolean;
  /** Whether the batch is the first dimension. */
  readonly batchFirst: boolean;
  /** The probability of dropout between layers. */
  readonly dropout: number;
  /** Whether layers run in both directions. */
  readonly bidirectional: boolean;
  [weight: `weight_${'ih' | 'hh'}_l${string}`]: Parameter;
  [bias: `bias_${'ih' | 'hh'}_l${string}`]: Parameter;
  private readonly _kind: CellKind;
  private readonly _name: string;

  /** @internal */
  constructor(name: string, kind: CellKind, inputSize: I, hiddenSize: H, options: RecurrentOptions<Both>) {
    super();
    const { numLayers = 1, bias = true, batchFirst = false, bidirectional = false, generator, ...rest } = options;
    const { dropout: p = 0, ...tensorOptions } = rest;
    checkPositive(name, 'inputSize', inputSize);
    checkPositive(name, 'hiddenSize', hiddenSize);
    checkPositive(name, 'numLayers', numLayers);
    if (!(p >= 0 && p <= 1)) throw new ArgumentError(`${name}: dropout must be from 0 to 1, got ${String(p)}.`);
    if (((tensorOptions as { projSize?: number }).projSize ?? 0) !== 0) {
      throw new ArgumentError(
        `${name}: projSize is not offered; put a Linear(${hiddenSize}, projSize) behind the layer, which however does not feed back.`,
      );
    }
    this._kind = kind;
    this._name = name;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    this.numLayers = numLayers;
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = p;
    this.bidirectional = bidirectional;
    const directions = bidirectional ? 2 : 1;
    const columns = gateCount[kind] * hiddenSize;
    const make = (...shape: number[]): Parameter => recurrentParameter(shape, hiddenSize, tensorOptions, generator);
    for (let layer = 0; layer < numLayers; layer++) {
      for (const suffix of this._suffixes(layer)) {
        this[`weight_ih_l${suffix}`] = make(columns, layer === 0 ? inputSize : directions * hiddenSize);
        this[`weight_hh_l${suffix}`] = make(columns, hiddenSize);
        if (!bias) continue;
        this[`bias_ih_l${suffix}`] = make(columns);
        this[`bias_hh_l${suffix}`] = make(columns);
      }
    }
  }

  /** The names' ends, one for each direction of a layer. */
  private _suffixes(layer: number): string[] {
    return this.bidirectional ? [`${layer}`, `${layer}_reverse`] : [`${layer}`];
  }

  private _fail(x: Tensor, what: string): ShapeError {
    return new ShapeError(`${this._name}(x ${formatShape(x.shape)}): ${what}`);
  }

  private _checkInput(x: Tensor, packed: boolean, dtype: DType): void {
    checkTensor(this._name, 'x', x);
    const rank = x.shape.length;
    if (packed ? rank !== 2 : rank !== 2 && rank !== 3) {
      throw this._fail(
        x,
        packed
          ? 'packed data must be [elements, features].'
          : `x must be ${this.batchFirst ? '[batch, steps, features]' : '[steps, batch, features]'} or [steps, features].`,
      );
    }
    const features = x.shape[rank - 1];
    if (features !== this.inputSize)
      throw this._fail(x, `the last dimension is ${features}, but inputSize is ${this.inputSize}.`);
    if (x.dtype !== dtype) {
      throw new DTypeError(
        `${this._name}(x ${x.dtype}${formatShape(x.shape)}): the parameters are ${dtype}; convert one, e.g. x.to('${dtype}').`,
      );
    }
  }

  // Each state as [layers * directions, batch, hiddenSize] in the packed order.
  private _checkStates(x: Tensor, states: readonly Tensor[], batch: number, batched: boolean): Tensor[] {
    const count = this.numLayers * (this.bidirectional ? 2 : 1);
    const shape = batched ? [count, batch, this.hiddenSize] : [count, this.hiddenSize];
    return states.map((state, i) => {
      const name = i === 0 ? 'h0' : 'c0';
      checkTensor(this._name, name, state);
      if (!shapesEqual(state.shape, shape)) {
        const what = batched ? '[layers * directions, batch, hiddenSize]' : '[layers * directions, hiddenSize]';
        throw this._fail(x, `${name} must be ${formatShape(shape)}, ${what}, got ${formatShape(state.shape)}.`);
      }
      if (state.dtype !== x.dtype)
        throw new DTypeError(`${this._name}: x is ${x.dtype} and ${name} ${state.dtype}; convert one.`);
      return batched ? state : reshape(state, [count, 1, this.hiddenSize] as Shape);
    });
  }

  /** Runs all layers, under `autocast` in its type. @internal */
  protected _run(
    input: Tensor | PackedSequence,
    given: readonly Tensor[] | undefined,
  ): { output: Tensor | PackedSequence; states: Tensor[] } {
    const suffixes = Array.from({ length: this.numLayers }, (_, layer) => this._suffixes(layer)).flat();
    const parameters = suffixes.flatMap((suffix) => [
      this[`weight_ih_l${suffix}`],
      this[`weight_hh_l${suffix}`],
      this.bias ? this[`bias_ih_l${suffix}`] : null,
      this.bias ? this[`bias_hh_l${suffix}`] : null,
    ]);
    if (autocastState() === null) return this._runWith(parameters, input, given);
    return autocastWhole(opName(this._kind), parameters, (cast) => {
      const own = (x: Tensor): Tensor => inType(x, cast[0]!.dtype);
      const converted = input instanceof PackedSequence ? input.withData(own(input.data)) : own(input);
      return this._runWith(cast, converted, given?.map(own));
    });
  }

  // parameters: of each layer and direction both weights and both biases.
  private _runWith(
    parameters: readonly (Tensor | null)[],
    input: Tensor | PackedSequence,
    given: readonly Tensor[] | undefined,
  ): { output: Tensor | PackedSequence; states: Tensor[] } {
    const packed = input instanceof PackedSequence ? input : null;
    const x = packed === null ? (input as Tensor) : packed.data;
    this._checkInput(x, packed !== null, parameters[0]!.dtype);
    const batched = packed !== null || x.shape.length === 3;
    const first = this.batchFirst && packed === null && batched;
    const batch = packed !== null ? packed.batch : batched ? x.shape[first ? 0 : 1] : 1;
    const steps = packed !== null ? packed.batchSizes.length : x.shape[first ? 1 : 0];
    if (steps === 0) throw this._fail(x, 'there are no steps, a sequence has at least one.');
    const results = tidy(() => {
      let states = given === undefined ? undefined : this._checkStates(x, given, batch, batched);
      if (packed !== null && packed.sortedIndices !== null) {
        const order = packed.sortedIndices;
        states = states?.map((state): Tensor => indexSelect(state, 1, order));
      }
      const ordered: Tensor = first ? transpose(x, 0, 1) : x;
      const rows: Tensor = packed === null ? reshape(ordered, [steps * batch, this.inputSize] as Shape) : x;
      const weights = Array.from({ length: parameters.length / 4 }, (_, i): LayerWeights => {
        const [weightIh, weightHh, biasIh, biasHh] = parameters.slice(4 * i, 4 * i + 4);
        return { weightIh: weightIh!, weightHh: weightHh!, biasIh, biasHh };
      });
      const [output, ...finals] = this._layers(weights, rows, states, batch, packed?.batchSizes);
      const width = output.shape[1];
      let shaped = output;
      if (packed === null && batched) {
        shaped = reshape(output, [steps, batch, width] as Shape);
        if (first) shaped = transpose(shaped, 0, 1);
      }
      const last = finals.map((joined): Tensor => {
        if (!batched) return select(joined, 1, 0);
        return packed === null || packed.unsortedIndices === null
          ? joined
          : indexSelect(joined, 1, packed.unsortedIndices);
      });
      return [shaped, ...last];
    });
    const [output, ...states] = results as [Tensor, ...Tensor[]];
    return { output: packed === null ? output : packed.withData(output), states };
  }

  // Rows of all steps through all layers; and the last states, of each kind [layers * directions, batch, hiddenSize].
  private _layers(
    weights: readonly LayerWeights[],
    rows: Tensor,
    states: readonly Tensor[] | undefined,
    batch: number,
    batchSizes: readonly number[] | undefined,
  ): [output: Tensor, ...finals: Tensor[]] {
    const { hiddenSize, bidirectional } = this;
    const directions = bidirectional ? 2 : 1;
    // Dropout stands between layers.
    const together = this.training && this.dropout > 0 ? 1 : this.numLayers;
    const finals: Tensor[][] = [];
    let output = rows;
    for (let layer = 0; layer < this.numLayers; layer += together) {
      const own = weights.slice(layer * directions, (layer + together) * directions);
      const [h0 = null, c0 = null] = (states ?? []).map((state): Tensor =>
        together === this.numLayers ? state : narrow(state, 0, layer * directions, together * directions),
      );
      const [h, ...last] = cellStack(
        this._kind,
        { x: output, h0, c0, weights: own },
        { batch, hiddenSize, bidirectional, batchSizes },
      );
      finals.push(last);
      output = layer + together < this.numLayers ? dropout(h, { p: this.dropout, training: this.training }) : h;
    }
    return [
      output,
      ...finals[0].map((_, i) => (finals.length === 1 ? finals[0][i] : cat(finals.map((last) => last[i])))),
    ];
  }

  override extraRepr(): string {
    const parts = [`${this.inputSize}, ${this.hiddenSize}`];
    if (this._kind === 'rnnRelu') parts.push(`nonlinearity=relu`);
    if (this.numLayers !== 1) parts.push(`numLayers=${this.numLayers}`);
    if (!this.bias) parts.push('bias=false');
    if (this.batchFirst) parts.push('batchFirst=true');
    if (this.dropout !== 0) parts.push(`dropout=${this.dropout}`);
    if (this.bidirectional) parts.push('bidirectional=true');
    return parts.join(', ');
  }
}

/**
 * A plain recurrent layer (Elman 1990): `h = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu in place of tanh.
 *
 * Shapes: x `[steps, batch, inputSize]`, or with `batchFirst` `[batch, steps, inputSize]`, or `[steps, inputSize]`, or
 * packed; the output is alike, with `hiddenSize` (twice that in both directions) features. States are
 * `[numLayers * directions, batch, hiddenSize]`, without batch for an input without one. Parameters start uniform on
 * +-1 / sqrt(hiddenSize) and have PyTorch's names and layout.
 *
 * @throws ArgumentError for sizes below 1 or an unknown nonlinearity; `forward` throws ShapeError and DTypeError
 * @example
 * const layer = new nn.RNN(10, 20, { numLayers: 2 });
 * const [output, hN] = layer.forward(randn([5, 3, 10]));
 * output.shape; // [5, 3, 20]
 * hN.shape; // [2, 3, 20]
 */
export class RNN<
  I extends number = number,
  H extends number = number,
  Both extends boolean = false,
> extends RecurrentLayer<I, H, Both> {
  constructor(inputSize: I, hiddenSize: H, options: RNNOptions<Both> = {}) {
    const { nonlinearity = 'tanh', ...rest } = options;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(`RNN: unknown nonlinearity ${JSON.stringify(nonlinearity)}, expected 'tanh' or 'relu'.`);
    }
    super('RNN', nonlinearity === 'tanh' ? 'rnnTanh' : 'rnnRelu', inputSize, hiddenSize, rest);
  }

  /**
   * The states of all steps of the last layer, and the last states of all layers.
   *
   * @param hx the first states; zeros by default
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X & RecurrentInput<'RNN', X, I, H>,
    hx?: Tensor,
  ): [output: RecurrentOutput<X, I, H, Both>, hN: Tensor<Shape, StateDType<X>>] {
    const { output, states } = this._run(x, hx === undefined ? undefined : [hx]);
    return [output as RecurrentOutput<X, I, H, Both>, states[0] as unknown as Tensor<Shape, StateDType<X>>];
  }
}

/**
 * Gated recurrent units (Cho et al. 2014), with the reset gate where PyTorch has it:
 *
 *     r, z = sigmoid(W_ih x + b_ih + W_hh h + b_hh)
 *     n = tanh(W_in x + b_in + r (W_hn h + b_hn))
 *     h = (1 - z) n + z h
 *
 * Shapes, parameters and errors as `RNN`; weights hold the gates r, z, n one after the other.
 *
 * @example
 * const layer = new nn.GRU(10, 20, { batchFirst: true, bidirectional: true });
 * const [output] = layer.forward(randn([3, 5, 10]));
 * output.shape; // [3, 5, 40]
 */
export class GRU<
  I extends number = number,
  H extends number = number,
  Both extends boolean = false,
> extends RecurrentLayer<I, H, Both> {
  constructor(inputSize: I, hiddenSize: H, options: RecurrentOptions<Both> = {}) {
    super('GRU', 'gru', inputSize, hiddenSize, options);
  }

  /**
   * The states of all steps of the last layer, and the last states of all layers.
   *
   * @param hx the first states; zeros by default
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X & RecurrentInput<'GRU', X, I, H>,
    hx?: Tensor,
  ): [output: RecurrentOutput<X, I, H, Both>, hN: Tensor<Shape, StateDType<X>>] {
    const { output, states } = this._run(x, hx === undefined ? undefined : [hx]);
    return [output as RecurrentOutput<X, I, H, Both>, states[0] as unknown as Tensor<Shape, StateDType<X>>];
  }
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates):
 *
 *     i, f, o = sigmoid(W_ih x + b_ih + W_hh h + b_hh); g = tanh(the same)
 *     c = f c + i g
 *     h = o tanh(c)
 *
 * Shapes, parameters and errors as `RNN`; weights hold the gates i, f, g, o one after the other. PyTorch's `proj_size` is
 * not offered.
 *
 * @example
 * const layer = new nn.LSTM(10, 20, { numLayers: 2 });
 * const [output, [hN, cN]] = layer.forward(randn([5, 3, 10]));
 * output.shape; // [5, 3, 20]
 * const [next] = layer.forward(randn([1, 3, 10]), [hN, cN]);
 */
export class LSTM<
  I extends number = number,
  H extends number = number,
  Both extends boolean = false,
> extends RecurrentLayer<I, H, Both> {
  constructor(inputSize: I, hiddenSize: H, options: RecurrentOptions<Both> = {}) {
    super('LSTM', 'lstm', inputSize, hiddenSize, options);
  }

  /**
   * The states of all steps of the last layer, and the last states and cell states of all layers.
   *
   * @param hx the first states and cell states, `[h0, c0]`; zeros by default
   */
  override forward<X extends Tensor | PackedSequence>(
    x: X & RecurrentInput<'LSTM', X, I, H>,
    hx?: readonly [h0: Tensor, c0: Tensor],
  ): [
    output: RecurrentOutput<X, I, H, Both>,
    state: [hN: Tensor<Shape, StateDType<X>>, cN: Tensor<Shape, StateDType<X>>],
  ] {
    if (hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      throw new ArgumentError('LSTM: hx must be [h0, c0], two tensors.');
    const { output, states } = this._run(x, hx);
    type State = Tensor<Shape, StateDType<X>>;
    return [output as RecurrentOutput<X, I, H, Both>, [states[0] as unknown as State, states[1] as unknown as State]];
  }
}
