// A model's forward pass as the graph that TensorBoard shows: modules are scopes, operations and parameters nodes.
import type { AnyModule } from '../nn/module.js';
import type { Tensor } from '../tensor/tensor.js';
import { traceForward, type TracedCall, type TracedOp, type TracedSource } from '../utils/trace.js';
import type { GraphNode } from './messages.js';

// What the names of nodes may be made of.
const clean = (text: string): string => text.replace(/[^\w.\-[\]]/g, '_');

/** The scope of each module by path: `Net/Sequential[encoder]/Linear[0]`. */
function scopesOf(model: AnyModule): Map<string, string> {
  const scopes = new Map<string, string>();
  for (const [path, module] of model.namedModules()) {
    if (path === '') {
      scopes.set(path, clean(module.constructor.name));
      continue;
    }
    let parent = path;
    do parent = parent.includes('.') ? parent.slice(0, parent.lastIndexOf('.')) : '';
    while (!scopes.has(parent));
    const own = parent === '' ? path : path.slice(parent.length + 1);
    scopes.set(path, `${scopes.get(parent)!}/${clean(module.constructor.name)}[${clean(own)}]`);
  }
  return scopes;
}

/** Which call an input of the model goes to whose place in the graph is not known: integers have no gradients. */
function readers(index: number, calls: readonly TracedCall[], ops: readonly TracedOp[]): Set<TracedOp> {
  const given = calls.filter((call) => call.modelInputs.includes(index));
  const inner = given.filter((call) => !given.some((other) => other.begin > call.begin && other.end <= call.end));
  const found = new Set<TracedOp>();
  for (const call of inner) {
    const first = ops.find((op) => op.sequence >= call.begin && op.sequence < call.end && op.sources.includes(null));
    if (first !== undefined) found.add(first);
  }
  return found;
}

/**
 * The nodes of a model's graph.
 *
 * @param inputs what forward is called with
 */
export function graphOf(model: AnyModule, inputs: readonly unknown[]): GraphNode[] {
  const trace = traceForward('addGraph', model, inputs);
  const scopes = scopesOf(model);
  const nodes: GraphNode[] = [];
  const counts = new Map<string, number>();
  const opNames = new Map<TracedOp, string>();
  const parameterNames = new Map<Tensor, string>();

  const unique = (name: string): string => {
    const n = counts.get(name) ?? 0;
    counts.set(name, n + 1);
    return n === 0 ? name : `${name}_${n}`;
  };
  const inputName = (index: number): string => `input/${index}`;
  trace.inputs.forEach(({ shape, dtype }, i) => {
    nodes.push({ name: inputName(i), op: 'Input', inputs: [], shapes: [shape], note: dtype });
  });

  const owners = new Map<Tensor, string>();
  for (const [path, module] of model.namedModules()) {
    for (const [name, tensor] of module._ownTensors())
      if (!owners.has(tensor)) owners.set(tensor, `${scopes.get(path)!}/${clean(name)}`);
  }
  const parameterName = (tensor: Tensor): string => {
    const known = parameterNames.get(tensor);
    if (known !== undefined) return known;
    const name = unique(owners.get(tensor) ?? 'parameter');
    parameterNames.set(tensor, name);
    nodes.push({ name, op: 'Parameter', inputs: [], shapes: [tensor.shape], note: tensor.dtype });
    return name;
  };
  const nameOf = (source: TracedSource | null): string | null => {
    if (source === null) return null;
    if (source.kind === 'input') return inputName(source.index);
    if (source.kind === 'parameter') return parameterName(source.tensor);
    const name = opNames.get(source.op)!;
    return source.output === 0 ? name : `${name}:${source.output}`;
  };

  const extra = new Map<TracedOp, string[]>();
  trace.inputs.forEach(({ dtype }, i) => {
    if (dtype.startsWith('float') || dtype === 'bfloat16') return;
    for (const op of readers(i, trace.calls, trace.ops)) extra.set(op, [...(extra.get(op) ?? []), inputName(i)]);
  });
  for (const op of trace.ops) {
    const from = op.sources.map(nameOf).filter((name) => name !== null);
    const name = unique(`${scopes.get(op.call.path)!}/${clean(op.name)}`);
    opNames.set(op, name);
    nodes.push({
      name,
      op: op.name,
      inputs: [...(extra.get(op) ?? []), ...from],
      shapes: op.outputs.map(({ shape }) => shape),
      note: op.outputs.map(({ dtype }) => dtype).join(', '),
    });
  }
  trace.outputs.forEach(({ shape, dtype, source }, i) => {
    const from = nameOf(source);
    nodes.push({
      name: `output/${i}`,
      op: 'Output',
      inputs: from === null ? [] : [from],
      shapes: [shape],
      note: dtype,
    });
  });
  return nodes;
}
