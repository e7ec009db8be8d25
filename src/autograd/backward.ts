// The backward pass: walks the recorded graph from the roots, newest node first, and does once what every gradient rule
// would otherwise repeat: un-broadcasting, dtype and shape checks, accumulation, freeing.
import { withAutocast } from '../amp/state.js';
import { GradError, ShapeError } from '../errors.js';
import { keep, sharing, tidy, track, untracked, withShared, type Disposable } from '../memory.js';
import { add } from '../ops/arithmetic.js';
import { addInPlace, cast, clone } from '../ops/copy.js';
import { onesLike } from '../ops/creation.js';
import { checkSameDevice, checkTensor, filledTensor } from '../ops/define.js';
import { sumTo } from '../ops/reduce.js';
import { broadcastsTo, formatShape, shapesEqual } from '../shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { runGradHooks, type GradHook, type HookList } from './hooks.js';
import { withGrad } from './mode.js';
import type { Edge, GradNode } from './node.js';

/** Options of `backward()` and `grad()`. */
export interface BackwardOptions {
  /** The gradient of the loss with respect to this tensor; ones for a scalar. */
  gradient?: Tensor;
  /** Keep what the graph saved, so that backward can run again. Default: `createGraph`. */
  retainGraph?: boolean;
  /** Record the gradient computation itself, for second derivatives. */
  createGraph?: boolean;
}

// Gradients waiting at the outputs of a node, or at a leaf.
type Slots = (Tensor | null)[];

class Pass {
  private readonly slots = new Map<GradNode, Slots>();
  readonly leaves = new Map<Tensor, Tensor>();
  /** Gradients wanted at inner nodes: node -> output -> key in `found`. */
  readonly wanted = new Map<GradNode, Set<number>>();
  readonly found = new Map<GradNode, Slots>();

  constructor(
    private readonly createGraph: boolean,
    private readonly retainGraph: boolean,
    private readonly leafWanted: ((leaf: Tensor) => boolean) | null,
  ) {}

  private hold(grad: Tensor): Tensor {
    grad._uses++;
    return grad;
  }

  private drop(grad: Tensor): void {
    if (--grad._uses === 0 && !this.createGraph) grad.dispose();
  }

  private combine(existing: Tensor | null | undefined, grad: Tensor): Tensor {
    if (existing === null || existing === undefined) return this.hold(grad);
    const sum = this.hold(add(existing, grad));
    this.drop(existing);
    if (grad._uses === 0 && !this.createGraph) grad.dispose();
    return sum;
  }

  /** Puts a gradient at the end of an edge. Takes the tensor over unless it is held elsewhere. */
  send(edge: Edge, grad: Tensor): void {
    if (edge.leaf !== null) {
      if (this.leafWanted === null || this.leafWanted(edge.leaf)) {
        this.leaves.set(edge.leaf, this.combine(this.leaves.get(edge.leaf), grad));
      } else if (grad._uses === 0 && !this.createGraph) grad.dispose();
      return;
    }
    const node = edge.node!;
    let slots = this.slots.get(node);
    if (slots === undefined) {
      slots = new Array<Tensor | null>(node.outputs.length).fill(null);
      this.slots.set(node, slots);
    }
    slots[edge.output] = this.combine(slots[edge.output], grad);
  }

  /** Runs the nodes reachable from the slots, newest first. `needed`: the nodes that lead to something wanted. */
  run(needed: ReadonlySet<GradNode>): void {
    // In the types that the forward pass has chosen.
    withAutocast(null, () => this.runNodes(needed));
  }

  private runNodes(needed: ReadonlySet<GradNode>): void {
    const order = [...needed].sort((a, b) => b.sequence - a.sequence);
    for (const node of order) {
      const grads = this.slots.get(node);
      if (grads === undefined) continue;
      this.slots.delete(node);
      if (node.hooks !== null) {
        for (const [output, hooks] of node.hooks) {
          const grad = grads[output];
          if (grad !== null && grad !== undefined) grads[output] = this.hooked(hooks, grad);
        }
      }
      const wanted = this.wanted.get(node);
      if (wanted !== undefined) {
        const found = new Array<Tensor | null>(node.outputs.length).fill(null);
        for (const output of wanted) {
          const grad = grads[output] ?? null;
          found[output] = grad === null ? null : this.hold(grad);
        }
        this.found.set(node, found);
      }
      // What thunks of a node share, such as zeros for the gradients of unused outputs, lasts until all of them were called.
      const made: Disposable[] = [];
      let used = false;
      withShared(made, () => {
        const rules = node.edges.some((edge) => this.isNeeded(edge, needed))
          ? sharing(() => node.backward(withZeros(node, grads), this.retainGraph))
          : [];
        for (let i = 0; i < node.edges.length && i < rules.length; i++) {
          const edge = node.edges[i]!;
          const rule = rules[i];
          if (!this.isNeeded(edge, needed) || rule === null || rule === undefined) continue;
          this.send(edge, this.compute(node, i, edge, rule));
        }
        used = rules.length > 0;
      });
      for (const grad of grads) if (grad !== null) this.drop(grad);
      for (const item of made as unknown as readonly Tensor[]) {
        if (!this.createGraph && item._uses === 0 && item._pins === 0 && !item._kept) item.dispose();
        else track(item);
      }
      if (!this.retainGraph && used) node.release();
    }
  }

  // The gradient that a slot holds, after its hooks.
  private hooked(hooks: HookList<GradHook>, grad: Tensor): Tensor {
    const result = this.hold(runGradHooks(hooks, grad));
    this.drop(grad);
    return result;
  }

  /** Calls the hooks of leaves, whose gradients are complete now. */
  runLeafHooks(): void {
    for (const [leaf, grad] of this.leaves) {
      if (leaf._hooks !== null) this.leaves.set(leaf, this.hooked(leaf._hooks, grad));
    }
  }

  private isNeeded(edge: Edge | null | undefined, needed: ReadonlySet<GradNode>): boolean {
    if (edge === null || edge === undefined) return false;
    if (edge.leaf !== null) return this.leafWanted === null || this.leafWanted(edge.leaf);
    return needed.has(edge.node!);
  }

  // What a rule makes on its way is freed at once; with createGraph the new graph holds it.
  private compute(node: GradNode, input: number, edge: Edge, rule: () => Tensor): Tensor {
    const run = (): Tensor => {
      let grad = rule();
      if (!shapesEqual(grad.shape, edge.shape)) {
        if (!broadcastsTo(edge.shape, grad.shape)) {
          throw new ShapeError(
            `backward: ${node.op} gave input ${input} of shape ${formatShape(edge.shape)} a gradient of shape ${formatShape(grad.shape)}.`,
          );
        }
        grad = sumTo(grad, edge.shape);
      }
      if (grad.dtype !== edge.dtype) return cast(grad, edge.dtype);
      // A rule may answer with a saved value itself, which is not this pass's to free.
      return grad._pins > 0 ? clone(grad) : grad;
    };
    return this.createGraph ? run() : tidy(run);
  }
}

// An output that nobody used has a zero gradient, which is made only if the rule looks at it.
function withZeros(node: GradNode, grads: readonly (Tensor | null)[]): readonly Tensor[] {
  if (!grads.includes(null)) return grads as readonly Tensor[];
  return new Proxy([...grads] as Tensor[], {
    get(filled, key) {
      const found: unknown = Reflect.get(filled, key);
      if (found !== null) return found;
      const i = Number(key);
      const { shape, dtype, device } = node.outputs[i];
      return (filled[i] = sharing(() => filledTensor(node.op, shape, dtype, device, 0)));
    },
  });
}

// The nodes that lie between the roots and something wanted (everything, when leaves in general are wanted).
function neededNodes(
  roots: readonly GradNode[],
  isTarget: (node: GradNode) => boolean,
  leafWanted: ((leaf: Tensor) => boolean) | null,
): Set<GradNode> {
  const state = new Map<GradNode, boolean>();
  const stack = [...roots];
  // Iterative, children first: graphs can be deeper than the call stack.
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (state.has(node)) {
      stack.pop();
      continue;
    }
    let ready = true;
    let needed = isTarget(node);
    for (const edge of node.edges) {
      if (edge === null) continue;
      if (edge.leaf !== null) {
        if (leafWanted === null || leafWanted(edge.leaf)) needed = true;
        continue;
      }
      const child = state.get(edge.node!);
      if (child === undefined) {
        ready = false;
        stack.push(edge.node!);
      } else if (child) needed = true;
    }
    if (!ready) continue;
    state.set(node, needed);
    stack.pop();
  }
  return new Set([...state].filter(([, needed]) => needed).map(([node]) => node));
}

function rootGradient(op: string, root: Tensor, gradient: Tensor | undefined): Tensor {
  if (gradient === undefined) {
    if (root.numel !== 1) {
      throw new GradError(
        `${op}: the tensor of shape ${formatShape(root.shape)} is not a scalar; reduce it (mean(), sum()) or pass { gradient }.`,
      );
    }
    return onesLike(root);
  }
  checkTensor(op, 'gradient', gradient);
  if (!shapesEqual(gradient.shape, root.shape)) {
    throw new ShapeError(
      `${op}: gradient has shape ${formatShape(gradient.shape)}, the tensor ${formatShape(root.shape)}.`,
    );
  }
  checkSameDevice(op, 'gradient', gradient, 'the tensor', root);
  return gradient.dtype === root.dtype ? gradient : cast(gradient, root.dtype);
}

function requireGraph(op: string, root: Tensor): void {
  if (!root.requiresGrad) {
    throw new GradError(
      `${op}: the tensor does not depend on anything that requires gradients; make parameters with { requiresGrad: true } and compute outside noGrad().`,
    );
  }
}

/**
 * Adds the gradient of `root` with respect to every leaf that requires it to the leaf's `grad`. Frees what the graph
 * saved unless `retainGraph`.
 *
 * @throws GradError if `root` is not a scalar and no gradient is given, requires no gradient, or its graph was freed
 */
export function backward(root: Tensor, options: BackwardOptions = {}): void {
  const { createGraph = false } = options;
  const retainGraph = options.retainGraph ?? createGraph;
  requireGraph('backward', root);
  untracked(() =>
    withGrad(createGraph, () => {
      const pass = new Pass(createGraph, retainGraph, null);
      withSeeds('backward', [root], [options.gradient], ([seed]) => {
        const edge = rootEdge(root);
        pass.send(edge, seed);
        if (edge.node !== null) pass.run(neededNodes([edge.node], () => false, null));
        pass.runLeafHooks();
        for (const [leaf, grad] of pass.leaves) accumulate(leaf, grad, createGraph);
      });
    }),
  );
}

// The gradients of the roots. Those given by the caller stay the caller's: the pass sees one more holder.
function withSeeds<T>(
  op: string,
  roots: readonly Tensor[],
  given: readonly (Tensor | undefined)[],
  run: (seeds: readonly Tensor[]) => T,
): T {
  const seeds = roots.map((root, i) => rootGradient(op, root, given[i]));
  const held = seeds.filter((_, i) => given[i] !== undefined);
  for (const seed of held) seed._uses++;
  try {
    return run(seeds);
  } finally {
    for (const seed of held) seed._uses--;
  }
}

function rootEdge(root: Tensor): Edge {
  return {
    node: root._node,
    output: root._nodeOutput,
    leaf: root._node === null ? root : null,
    shape: root.shape,
    dtype: root.dtype,
  };
}

// A gradient leaves the pass. Its only holder gives it away; a view, or one that others have too, is copied, so that no two
// gradients share memory.
function handOver(grad: Tensor): Tensor {
  const owned = grad._uses === 1 && !grad._isView && !grad._kept;
  grad._uses--;
  if (owned) return grad;
  const copy = clone(grad);
  // Recorded, the copy still has the original behind it.
  if (grad._uses === 0 && !grad._kept && copy._node === null) grad.dispose();
  return copy;
}

function accumulate(leaf: Tensor, grad: Tensor, createGraph: boolean): void {
  if (leaf.grad === null || leaf.grad.isDisposed) {
    leaf.grad = keep(handOver(grad));
  } else if (createGraph) {
    grad._uses--;
    leaf.grad = keep(add(leaf.grad, grad));
  } else {
    grad._uses--;
    addInPlace(leaf.grad, grad);
    if (grad._uses === 0) grad.dispose();
  }
}

/**
 * The gradients of `outputs` (summed) with respect to `inputs`, without touching any `grad`.
 *
 * @param outputs a scalar tensor, or several; non-scalars need `gradOutputs`
 * @param inputs the tensors to differentiate by: leaves or results of recorded operations
 * @throws GradError if an input was not used in the graph and `allowUnused` is not set
 * @returns one tensor per input; null for an unused one
 * @example
 * const x = tensor(3, { requiresGrad: true });
 * const [dx] = grad(x.mul(x), [x], { createGraph: true }); // 6
 * const [ddx] = grad(dx, [x]); // 2
 */
export function grad<const I extends readonly Tensor[]>(
  outputs: Tensor | readonly Tensor[],
  inputs: I,
  options?: Omit<BackwardOptions, 'gradient'> & { gradOutputs?: readonly (Tensor | undefined)[]; allowUnused?: false },
): { -readonly [K in keyof I]: Tensor<I[K]['shape'], I[K]['dtype']> };
export function grad<const I extends readonly Tensor[]>(
  outputs: Tensor | readonly Tensor[],
  inputs: I,
  options: Omit<BackwardOptions, 'gradient'> & { gradOutputs?: readonly (Tensor | undefined)[]; allowUnused: boolean },
): { -readonly [K in keyof I]: Tensor<I[K]['shape'], I[K]['dtype']> | null };
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: readonly Tensor[],
  options: Omit<BackwardOptions, 'gradient'> & {
    gradOutputs?: readonly (Tensor | undefined)[];
    allowUnused?: boolean;
  } = {},
): (Tensor | null)[] {
  const roots: readonly Tensor[] = Array.isArray(outputs) ? outputs : [outputs as Tensor];
  const { createGraph = false } = options;
  const retainGraph = options.retainGraph ?? createGraph;
  for (const root of roots) requireGraph('grad', root);
  const leafSet = new Set(inputs.filter((input) => input._node === null));
  const wanted = new Map<GradNode, Set<number>>();
  for (const input of inputs) {
    if (input._node === null) continue;
    const outputsOf = wanted.get(input._node) ?? new Set<number>();
    wanted.set(input._node, outputsOf.add(input._nodeOutput));
  }
  const results = untracked(() =>
    withGrad(createGraph, () => {
      const pass = new Pass(createGraph, retainGraph, (leaf) => leafSet.has(leaf));
      for (const [node, set] of wanted) pass.wanted.set(node, set);
      const edges = roots.map(rootEdge);
      const nodes = edges.flatMap((edge) => (edge.node === null ? [] : [edge.node]));
      return withSeeds('grad', roots, options.gradOutputs ?? [], (seeds) => {
        seeds.forEach((seed, i) => pass.send(edges[i], seed));
        pass.run(
          neededNodes(
            nodes,
            (node) => wanted.has(node),
            (leaf) => leafSet.has(leaf),
          ),
        );
        pass.runLeafHooks();
        const taken = new Map<Tensor, Tensor>();
        return inputs.map((input, i) => {
          const first = taken.get(input);
          if (first !== undefined) return clone(first);
          const found =
            input._node === null ? pass.leaves.get(input) : pass.found.get(input._node)?.[input._nodeOutput];
          if (found !== null && found !== undefined) {
            const result = handOver(found);
            taken.set(input, result);
            return result;
          }
          if (options.allowUnused === true) return null;
          throw new GradError(
            `grad: input ${i} of shape ${formatShape(input.shape)} was not used to compute the outputs; pass { allowUnused: true } to get null for it.`,
          );
        });
      });
    }),
  );
  for (const result of results) if (result !== null) track(result);
  return results;
}
