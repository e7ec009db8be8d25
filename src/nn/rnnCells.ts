// One step of a recurrent layer: RNNCell, LSTMCell, GRUCell.
import { autocastWhole } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import type { DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { tidy } from '../memory.js';
import { zeros, type TensorOptions } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import type { Generator } from '../ops/random.js';
import { cellSequence, gateCount, opName, type CellKind } from '../ops/rnn.js';
import { reshape } from '../ops/view.js';
import { formatShape, shapesEqual, type Shape } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { RecurrentCheck, RecurrentShape } from '../types/recurrent.js';
import { Module, type Parameter } from './module.js';
import { checkPositive, inType, recurrentParameter } from './rnn.js';

/** Options of the recurrent cells. */
export interface CellOptions extends Omit<TensorOptions, 'requiresGrad'> {
  /** Add learned biases, one for the input and one for the state. Default true. */
  bias?: boolean;
  /** Source of the initial values. Default: the generator that `manualSeed` seeds. */
  generator?: Generator;
}

/** Options of `RNNCell`. */
export interface RNNCellOptions extends CellOptions {
  /** `'tanh'` (default) or `'relu'`. */
  nonlinearity?: 'tanh' | 'relu';
}

/** What the cells share. Parameters have PyTorch's names. */
export abstract class RecurrentCell<I extends number = number, H extends number = number> extends Module {
  /** The number of features of the input. */
  readonly inputSize: I;
  /** The number of features of the state. */
  readonly hiddenSize: H;
  /** `[gates * hiddenSize, inputSize]`. */
  readonly weight_ih: Parameter;
  /** `[gates * hiddenSize, hiddenSize]`. */
  readonly weight_hh: Parameter;
  /** `[gates * hiddenSize]`, or null without biases. */
  readonly bias_ih: Parameter | null;
  /** `[gates * hiddenSize]`, or null without biases. */
  readonly bias_hh: Parameter | null;
  private readonly _kind: CellKind;
  private readonly _name: string;

  /** @internal */
  constructor(name: string, kind: CellKind, inputSize: I, hiddenSize: H, options: CellOptions) {
    super();
    const { bias = true, generator, ...tensorOptions } = options;
    checkPositive(name, 'inputSize', inputSize);
    checkPositive(name, 'hiddenSize', hiddenSize);
    this._kind = kind;
    this._name = name;
    this.inputSize = inputSize;
    this.hiddenSize = hiddenSize;
    const columns = gateCount[kind] * hiddenSize;
    const make = (...shape: number[]): Parameter => recurrentParameter(shape, hiddenSize, tensorOptions, generator);
    this.weight_ih = make(columns, inputSize);
    this.weight_hh = make(columns, hiddenSize);
    this.bias_ih = bias ? make(columns) : null;
    this.bias_hh = bias ? make(columns) : null;
  }

  /** One step, under `autocast` in its type. @internal */
  protected _run(x: Tensor, given: readonly Tensor[] | undefined): Tensor[] {
    const parameters = [this.weight_ih, this.weight_hh, this.bias_ih, this.bias_hh];
    if (autocastState() === null) return this._runWith(parameters, x, given);
    return autocastWhole<Tensor | null, Tensor[]>(opName(this._kind), parameters, (cast) => {
      const own = (t: Tensor): Tensor => inType(t, cast[0]!.dtype);
      return this._runWith(cast, own(x), given?.map(own));
    });
  }

  private _runWith(
    [weightIh, weightHh, biasIh, biasHh]: readonly (Tensor | null)[],
    x: Tensor,
    given: readonly Tensor[] | undefined,
  ): Tensor[] {
    const { dtype } = weightIh!;
    const name = this._name;
    checkTensor(name, 'x', x);
    const rank = x.shape.length;
    const text = `${name}(x ${formatShape(x.shape)})`;
    if (rank !== 1 && rank !== 2) throw new ShapeError(`${text}: x must be [batch, inputSize] or [inputSize].`);
    if (x.shape[rank - 1] !== this.inputSize) {
      throw new ShapeError(`${text}: the last dimension is ${x.shape[rank - 1]}, but inputSize is ${this.inputSize}.`);
    }
    if (x.dtype !== dtype) {
      throw new DTypeError(
        `${name}(x ${x.dtype}${formatShape(x.shape)}): the parameters are ${dtype}; convert one, e.g. x.to('${dtype}').`,
      );
    }
    const shape = [...x.shape.slice(0, -1), this.hiddenSize];
    given?.forEach((state, i) => {
      const label = i === 0 ? 'h0' : 'c0';
      checkTensor(name, label, state);
      if (!shapesEqual(state.shape, shape))
        throw new ShapeError(`${text}: ${label} must be ${formatShape(shape)}, got ${formatShape(state.shape)}.`);
      if (state.dtype !== x.dtype)
        throw new DTypeError(`${name}: x is ${x.dtype} and ${label} ${state.dtype}; convert one.`);
    });
    return tidy(() => {
      const matrix = (value: Tensor, width: number): Tensor =>
        rank === 2 ? value : reshape(value, [1, width] as Shape);
      const rows = matrix(x, this.inputSize);
      const states = given?.map((state) => matrix(state, this.hiddenSize));
      const zero =
        states === undefined
          ? zeros<Shape, DType>([rows.shape[0], this.hiddenSize], { dtype: x.dtype, device: x.device })
          : undefined;
      const [, ...next] = cellSequence(this._kind, {
        x: rows,
        h0: zero ?? states![0],
        c0: this._kind === 'lstm' ? (zero ?? states![1]) : null,
        weightIh: weightIh!,
        weightHh: weightHh!,
        biasIh,
        biasHh,
      });
      return rank === 2 ? next : next.map((state) => reshape(state, [this.hiddenSize] as Shape));
    });
  }

  override extraRepr(): string {
    const relu = this._kind === 'rnnRelu' ? ', nonlinearity=relu' : '';
    return `${this.inputSize}, ${this.hiddenSize}${this.bias_ih === null ? ', bias=false' : ''}${relu}`;
  }
}

/**
 * One step of `RNN`: `h' = tanh(W_ih x + b_ih + W_hh h + b_hh)`, or relu in place of tanh.
 *
 * Shapes: x `[batch, inputSize]` or `[inputSize]`, states alike with `hiddenSize`.
 *
 * @throws ArgumentError for sizes below 1 or an unknown nonlinearity; `forward` throws ShapeError and DTypeError
 * @example
 * const cell = new nn.RNNCell(10, 20);
 * let h = cell.forward(randn([3, 10]));
 * h = cell.forward(randn([3, 10]), h);
 */
export class RNNCell<I extends number = number, H extends number = number> extends RecurrentCell<I, H> {
  constructor(inputSize: I, hiddenSize: H, options: RNNCellOptions = {}) {
    const { nonlinearity = 'tanh', ...rest } = options;
    if (nonlinearity !== 'tanh' && nonlinearity !== 'relu') {
      throw new ArgumentError(
        `RNNCell: unknown nonlinearity ${JSON.stringify(nonlinearity)}, expected 'tanh' or 'relu'.`,
      );
    }
    super('RNNCell', nonlinearity === 'tanh' ? 'rnnTanh' : 'rnnRelu', inputSize, hiddenSize, rest);
  }

  /** The next state. @param hx the state; zeros by default */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & RecurrentCheck<'RNNCell', S, I, H>,
    hx?: Tensor,
  ): Tensor<RecurrentShape<S, I, H>, D> {
    const [h] = this._run(x, hx === undefined ? undefined : [hx]);
    return h as unknown as Tensor<RecurrentShape<S, I, H>, D>;
  }
}

/**
 * One step of `GRU`. Shapes, parameters and errors as `RNNCell`; weights hold the gates r, z, n one after the other.
 *
 * @example
 * const cell = new nn.GRUCell(10, 20);
 * const h = cell.forward(randn([3, 10]));
 */
export class GRUCell<I extends number = number, H extends number = number> extends RecurrentCell<I, H> {
  constructor(inputSize: I, hiddenSize: H, options: CellOptions = {}) {
    super('GRUCell', 'gru', inputSize, hiddenSize, options);
  }

  /** The next state. @param hx the state; zeros by default */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & RecurrentCheck<'GRUCell', S, I, H>,
    hx?: Tensor,
  ): Tensor<RecurrentShape<S, I, H>, D> {
    const [h] = this._run(x, hx === undefined ? undefined : [hx]);
    return h as unknown as Tensor<RecurrentShape<S, I, H>, D>;
  }
}

/**
 * One step of `LSTM`. Shapes, parameters and errors as `RNNCell`; weights hold the gates i, f, g, o one after the other.
 *
 * @example
 * const cell = new nn.LSTMCell(10, 20);
 * let [h, c] = cell.forward(randn([3, 10]));
 * [h, c] = cell.forward(randn([3, 10]), [h, c]);
 */
export class LSTMCell<I extends number = number, H extends number = number> extends RecurrentCell<I, H> {
  constructor(inputSize: I, hiddenSize: H, options: CellOptions = {}) {
    super('LSTMCell', 'lstm', inputSize, hiddenSize, options);
  }

  /** The next state and cell state. @param hx both, `[h, c]`; zeros by default */
  override forward<S extends Shape, D extends DType>(
    x: Tensor<S, D> & RecurrentCheck<'LSTMCell', S, I, H>,
    hx?: readonly [h: Tensor, c: Tensor],
  ): [h: Tensor<RecurrentShape<S, I, H>, D>, c: Tensor<RecurrentShape<S, I, H>, D>] {
    if (hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      throw new ArgumentError('LSTMCell: hx must be [h, c], two tensors.');
    type State = Tensor<RecurrentShape<S, I, H>, D>;
    const [h, c] = this._run(x, hx);
    return [h as unknown as State, c as unknown as State];
  }
}
