// What a model does with an input: the calls of its modules, and the operations inside, taken from the recorded graph.
import { withGrad } from '../autograd/mode.js';
import { GradNode, type Edge } from '../autograd/node.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { tidy } from '../memory.js';
import type { AnyModule } from '../nn/module.js';
import { defaultGenerator } from '../ops/random.js';
import type { Shape } from '../shape.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

/** Shape and dtype of a value. */
export interface ValueMeta {
  readonly shape: Shape;
  readonly dtype: DType;
}

/** A call of a module. */
export interface TracedCall {
  readonly module: AnyModule;
  /** Dotted, as `namedModules` gives it; '' is the model. */
  readonly path: string;
  readonly inputs: readonly ValueMeta[];
  readonly outputs: readonly ValueMeta[];
  /** Operations from `begin` up to `end` happened inside, by their `sequence`. */
  readonly begin: number;
  readonly end: number;
  /** Which inputs of the model it was given, by position. */
  readonly modelInputs: readonly number[];
}

/** Where an operation's input comes from: another operation, a parameter, or an input of the model. Null: unknown. */
export type TracedSource =
  | { readonly kind: 'op'; readonly op: TracedOp; readonly output: number }
  | { readonly kind: 'parameter'; readonly tensor: Tensor }
  | { readonly kind: 'input'; readonly index: number };

/** An operation on tensors that gradients flow through. */
export interface TracedOp {
  readonly name: string;
  readonly sequence: number;
  /** The innermost call that it happened in. */
  readonly call: TracedCall;
  readonly sources: readonly (TracedSource | null)[];
  /** Shapes of the inputs; null for what needs no gradient. */
  readonly inputs: readonly (ValueMeta | null)[];
  readonly outputs: readonly ValueMeta[];
}

/** A forward pass. */
export interface Trace {
  readonly calls: readonly TracedCall[];
  /** In the order in which they happened. */
  readonly ops: readonly TracedOp[];
  readonly inputs: readonly ValueMeta[];
  readonly outputs: readonly (ValueMeta & { readonly source: TracedSource | null })[];
}

/** The tensors in lists, maps and plain objects of them. */
function tensorsIn(value: unknown, found: Tensor[] = [], depth = 0): Tensor[] {
  if (isTensor(value)) found.push(value);
  else if (depth > 8 || typeof value !== 'object' || value === null) return found;
  else if (value instanceof Map) for (const item of value.values()) tensorsIn(item, found, depth + 1);
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) tensorsIn(item, found, depth + 1);
  return found;
}

const metaOf = ({ shape, dtype }: ValueMeta): ValueMeta => ({ shape: [...shape], dtype });

/** The number that the next operation will get. */
const nextSequence = (): number => new GradNode('mark', [], [], () => []).sequence + 1;

/** Runs fn with the modules in evaluation mode, everything learned recorded, and puts all of that back. */
function undisturbed<T>(model: AnyModule, fn: () => T): T {
  const training = model.modules().filter((module) => module.training);
  const frozen = model.parameters().filter((parameter) => parameter.isLeaf && !parameter.requiresGrad);
  const random = defaultGenerator.getState();
  // What is watched keeps gradients that are there already: nothing runs backward.
  try {
    model.eval();
    for (const parameter of frozen) parameter._requiresGrad = true;
    return withGrad(true, fn);
  } finally {
    for (const module of training) module._setOwnTraining(true);
    for (const parameter of frozen) parameter._requiresGrad = false;
    defaultGenerator.setState(random);
  }
}

interface OpenCall {
  readonly begin: number;
  readonly inputs: readonly ValueMeta[];
  readonly modelInputs: readonly number[];
}

/**
 * Runs `model.forward(...inputs)` in evaluation mode and notes what happens. Modes, random numbers and gradients are as before
 * afterwards.
 *
 * @throws ArgumentError if forward gives a promise; what forward throws
 */
export function traceForward(op: string, model: AnyModule, inputs: readonly unknown[]): Trace {
  const nodes: GradNode[] = [];
  try {
    return tidy(() => undisturbed(model, () => run(op, model, inputs, nodes)));
  } finally {
    // What they saved for a backward that never comes.
    for (const node of nodes) node.release();
  }
}

function run(op: string, model: AnyModule, given: readonly unknown[], nodes: GradNode[]): Trace {
  // Leaves of their own, so that the graph reaches the inputs.
  const inputs = given.map((input) =>
    isTensor(input) ? (isFloating(input.dtype) ? input.detach().requiresGrad_() : input.detach()) : input,
  );
  const leaves = inputs.filter(isTensor);
  const calls: TracedCall[] = [];
  const open: OpenCall[] = [];
  const handles = [...model.namedModules()].flatMap(([path, module]) => [
    module.registerForwardPreHook((_, args) => {
      const tensors = tensorsIn(args);
      const modelInputs = tensors.map((tensor) => leaves.indexOf(tensor)).filter((index) => index >= 0);
      open.push({ begin: nextSequence(), inputs: tensors.map(metaOf), modelInputs });
    }),
    module.registerForwardHook((_, __, output) => {
      const call = open.pop();
      if (call === undefined) return;
      calls.push({ ...call, module, path, end: nextSequence(), outputs: tensorsIn(output).map(metaOf) });
    }),
  ]);
  let result: unknown;
  try {
    result = (model as unknown as { forward(...args: unknown[]): unknown }).forward(...inputs);
  } finally {
    for (const handle of handles) handle.remove();
  }
  if (result instanceof Promise) {
    result.catch(() => undefined);
    throw new ArgumentError(`${op}: forward gave a promise; a model whose forward is synchronous is needed.`);
  }
  // Parents before children, in the order of the calls.
  calls.sort((a, b) => a.begin - b.begin || b.end - a.end);
  const outputs = tensorsIn(result);
  nodes.push(...reachable(outputs));
  const { ops, sourceOf } = operations(nodes, calls, leaves);
  return {
    calls,
    ops,
    inputs: leaves.map(metaOf),
    outputs: outputs.map((output) => ({
      ...metaOf(output),
      source: sourceOf({ node: output._node, output: output._nodeOutput, leaf: output, ...metaOf(output) }),
    })),
  };
}

/** All nodes below some tensors, in the order in which they were made. */
function reachable(outputs: readonly Tensor[]): GradNode[] {
  const found = new Set<GradNode>();
  const waiting = outputs.flatMap((output) => (output._node === null ? [] : [output._node]));
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    for (const edge of node.edges) if (edge !== null && edge.node !== null) waiting.push(edge.node);
  }
  return [...found].sort((a, b) => a.sequence - b.sequence);
}

function operations(
  nodes: readonly GradNode[],
  calls: readonly TracedCall[],
  leaves: readonly Tensor[],
): { ops: TracedOp[]; sourceOf: (edge: Edge | null) => TracedSource | null } {
  const known = new Map<GradNode, TracedOp>();
  const sourceOf = (edge: Edge | null): TracedSource | null => {
    if (edge === null) return null;
    if (edge.node !== null) {
      const op = known.get(edge.node);
      return op === undefined ? null : { kind: 'op', op, output: edge.output };
    }
    const index = leaves.indexOf(edge.leaf!);
    if (index >= 0) return { kind: 'input', index };
    return edge.leaf!._isParameter || edge.leaf!._requiresGrad ? { kind: 'parameter', tensor: edge.leaf! } : null;
  };
  const ops: TracedOp[] = [];
  // Calls are nested intervals sorted by their begin, and nodes come in order: those that contain one are a stack.
  const stack: TracedCall[] = [];
  let next = 0;
  for (const node of nodes) {
    while (next < calls.length && calls[next].begin <= node.sequence) stack.push(calls[next++]);
    while (stack.length > 0 && stack[stack.length - 1].end <= node.sequence) stack.pop();
    const call = stack.at(-1);
    // Made before the model ran: an input with a history.
    if (call === undefined) continue;
    const op: TracedOp = {
      name: node.op,
      sequence: node.sequence,
      call,
      sources: node.edges.map(sourceOf),
      inputs: node.edges.map((edge) => (edge === null ? null : metaOf(edge))),
      outputs: node.outputs.map(metaOf),
    };
    known.set(node, op);
    ops.push(op);
  }
  return { ops, sourceOf };
}
