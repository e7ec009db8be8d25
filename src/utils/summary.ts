// A table of a model: its layers, what they give, what they learn and what they cost.
import { itemSize, type DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import type { Device } from '../device.js';
import { Module, type AnyModule } from '../nn/module.js';
import { zeros } from '../ops/creation.js';
import { checkTensor } from '../ops/define.js';
import { numel, type Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';
import { costOf, views } from './costs.js';
import { formatSummary } from './summaryTable.js';
import { traceForward, type Trace } from './trace.js';

/** A line of a summary: a module. */
export interface SummaryRow {
  /** Dotted, as `namedModules` gives it; '' is the model. */
  readonly path: string;
  /** The name of its class. */
  readonly type: string;
  /** 0 for the model, 1 for its children and so on. */
  readonly depth: number;
  /** Of the first tensor of its first call; null if it was not called, or without an input. */
  readonly inputShape: Shape | null;
  /** Of its first call's results; null if it was not called, or without an input. */
  readonly outputShapes: readonly Shape[] | null;
  /** How often it was called. */
  readonly calls: number;
  /** Values that it learns itself, not in its children. One used in two places counts at the first. */
  readonly parameters: number;
  /** Those of them that are not frozen. */
  readonly trainable: number;
  /** Multiply-adds of the products inside, without its children, over all its calls. */
  readonly multAdds: number;
  /** Floating-point operations, likewise. */
  readonly flops: number;
}

/** What `summary` gives. `toString()` is the table. */
export interface Summary {
  /** One for each module, parents first. */
  readonly rows: readonly SummaryRow[];
  /** Learned values of all. */
  readonly parameters: number;
  /** Those of them that are not frozen. */
  readonly trainable: number;
  /** Values that are kept and not learned, such as running means. */
  readonly buffers: number;
  /** Multiply-adds of a forward pass; 0 without an input. */
  readonly multAdds: number;
  /** Floating-point operations of a forward pass, two for a multiply-add; 0 without an input. */
  readonly flops: number;
  /** Bytes of the parameters and buffers. */
  readonly parameterBytes: number;
  /** Bytes of the inputs. */
  readonly inputBytes: number;
  /** Bytes of all that the operations of a forward pass make: what training keeps for backward, about. */
  readonly activationBytes: number;
  /** True if there was an input to run the model with. */
  readonly traced: boolean;
  /** The table as text. */
  toString(options?: { depth?: number }): string;
}

/** Options of `summary`. */
export interface SummaryOptions {
  /** Of the zeros that stand in for inputs given by shape. Default `'float32'`; token indices want `'int64'`. */
  dtype?: DType;
  /** Where those zeros are made. Default: where the model's first parameter is. */
  device?: Device;
}

/** An input of a model: a tensor, or the shape of one. */
export type SummaryInput = Tensor | Shape;

function inputsOf(model: AnyModule, input: SummaryInput | readonly SummaryInput[], options: SummaryOptions): Tensor[] {
  const single = isTensor(input) || (Array.isArray(input) && input.every((item) => typeof item === 'number'));
  const list = single ? [input as SummaryInput] : (input as readonly SummaryInput[]);
  if (!Array.isArray(list)) {
    throw new ArgumentError(`summary: the input must be a tensor, a shape, or a list of them, got ${typeof input}.`);
  }
  const device = options.device ?? model.parameters()[0]?.device;
  return list.map((item, i) => {
    if (isTensor(item)) {
      checkTensor('summary', `input ${i}`, item);
      return item;
    }
    if (!Array.isArray(item)) {
      throw new ArgumentError(`summary: input ${i} is a ${typeof item}, expected a tensor or a shape.`);
    }
    return zeros(item as Shape, { dtype: options.dtype ?? 'float32', ...(device === undefined ? {} : { device }) });
  });
}

interface Measures {
  inputShape: Shape | null;
  outputShapes: readonly Shape[] | null;
  calls: number;
  multAdds: number;
  flops: number;
}

function measure(trace: Trace | null): Map<AnyModule, Measures> {
  const measures = new Map<AnyModule, Measures>();
  for (const { module, inputs, outputs } of trace?.calls ?? []) {
    const known = measures.get(module);
    if (known !== undefined) known.calls++;
    else {
      measures.set(module, {
        inputShape: inputs[0]?.shape ?? null,
        outputShapes: outputs.map(({ shape }) => shape),
        calls: 1,
        multAdds: 0,
        flops: 0,
      });
    }
  }
  for (const op of trace?.ops ?? []) {
    const at = measures.get(op.call.module)!;
    const cost = costOf(op);
    at.multAdds += cost.multAdds;
    at.flops += cost.flops;
  }
  return measures;
}

function rowsOf(model: AnyModule, trace: Trace | null): SummaryRow[] {
  const measures = measure(trace);
  const counted = new Set<Tensor>();
  const learned = new Set<Tensor>(model.parameters());
  const depths = new Map<AnyModule, number>([[model, 0]]);
  return Array.from(model.namedModules(), ([path, module]) => {
    const depth = depths.get(module) ?? 0;
    for (const [, child] of module.namedChildren()) if (!depths.has(child)) depths.set(child, depth + 1);
    let parameters = 0;
    let trainable = 0;
    for (const [, tensor] of module._ownTensors()) {
      if (!learned.has(tensor) || counted.has(tensor)) continue;
      counted.add(tensor);
      parameters += tensor.numel;
      if (tensor.requiresGrad) trainable += tensor.numel;
    }
    const { inputShape = null, outputShapes = null, calls = 0, multAdds = 0, flops = 0 } = measures.get(module) ?? {};
    return {
      ...{ path, type: module.constructor.name, depth, inputShape, outputShapes, calls },
      ...{ parameters, trainable, multAdds, flops },
    };
  });
}

const total = <T>(items: Iterable<T>, of: (item: T) => number): number => {
  let sum = 0;
  for (const item of items) sum += of(item);
  return sum;
};

/**
 * A table of a model's layers: with an input, their output shapes and the arithmetic of a forward pass; without one, what they
 * learn. The model runs once in evaluation mode; its mode, its running statistics, gradients and the random numbers that follow
 * are what they were.
 *
 * Arithmetic is counted in the operations that gradients flow through: products of matrices, convolutions, attention and
 * recurrent layers as multiply-adds, the others by the elements they touch.
 *
 * @param input a tensor or the shape of one, with the batch; a list of them for a model of several inputs
 * @throws ArgumentError for what is no module or input; what the model's forward throws
 * @example
 * const model = new nn.Sequential(new nn.Flatten(), new nn.Linear(784, 512), new nn.ReLU(), new nn.Linear(512, 10));
 * console.log(String(utils.summary(model, [64, 1, 28, 28])));
 * utils.summary(model).parameters; // 407050
 */
export function summary(
  model: AnyModule,
  input?: SummaryInput | readonly SummaryInput[],
  options: SummaryOptions = {},
): Summary {
  if (!((model as unknown) instanceof Module)) {
    throw new ArgumentError(
      `summary: the model is ${model === null ? 'null' : `of type ${typeof model}`}, expected a Module.`,
    );
  }
  const made: Tensor[] = [];
  let trace: Trace | null = null;
  if (input !== undefined) {
    const inputs = inputsOf(model, input, options);
    const given = Array.isArray(input) ? (input as readonly unknown[]) : [input];
    made.push(...inputs.filter((tensor) => !given.includes(tensor)));
    try {
      trace = traceForward('summary', model, inputs);
    } finally {
      for (const tensor of made) tensor.dispose();
    }
  }
  const rows = rowsOf(model, trace);
  const bytes = ({ shape, dtype }: { shape: Shape; dtype: DType }): number => numel(shape) * itemSize(dtype);
  const result: Summary = {
    rows,
    parameters: model.countParameters(),
    trainable: model.countParameters({ trainable: true }),
    buffers: total(model.buffers(), (buffer) => buffer.numel),
    multAdds: total(rows, (row) => row.multAdds),
    flops: total(rows, (row) => row.flops),
    parameterBytes: total([...model.parameters(), ...model.buffers()], bytes),
    inputBytes: total(trace?.inputs ?? [], bytes),
    activationBytes: total(trace?.ops ?? [], (op) => (views.has(op.name) ? 0 : total(op.outputs, bytes))),
    traced: trace !== null,
    toString: (settings = {}) => formatSummary(result, settings.depth),
  };
  // console.log shows the table.
  Object.defineProperty(result, Symbol.for('nodejs.util.inspect.custom'), { value: () => result.toString() });
  return result;
}
