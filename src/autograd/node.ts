// The recorded graph. A node is one applied operation: edges to what made its inputs, the values its gradient rule needs,
// and the rule. Inputs themselves are not kept.
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { GradError } from '../errors.js';
import { formatShape, type Shape } from '../shape.js';
import { releaseHandle, viewTensor, type Tensor } from '../tensor/tensor.js';
import type { GradHook, HookList } from './hooks.js';

/** Gradients of the inputs, one thunk per input, so that only what is needed is computed. Null: no gradient. */
export type InputGradients = readonly ((() => Tensor) | null)[];

/** Where a gradient flows: an output of a node, or a leaf's `grad`. Null: the input needs none. */
export interface Edge {
  readonly node: GradNode | null;
  readonly output: number;
  readonly leaf: Tensor | null;
  readonly shape: Shape;
  readonly dtype: DType;
}

/** Stands in for a saved value. @internal */
export interface SavedValue {
  /** The value, which stays this object's. */
  unpack(): Tensor;
  /** It is not needed any more. */
  release(): void;
}

/** Called with each value that an operation saves: what stands in for it, or null to keep the value itself. @internal */
export type SavedHook = (tensor: Tensor) => SavedValue | null;

let savedHook: SavedHook | null = null;

/** Runs fn; what operations inside save goes through `hook`. @internal */
export function withSavedHook<T>(hook: SavedHook | null, fn: () => T): T {
  const before = savedHook;
  savedHook = hook;
  try {
    return fn();
  } finally {
    savedHook = before;
  }
}

/** A value kept for the backward pass. */
export class SavedTensor {
  private readonly value: SavedValue;

  constructor(
    readonly name: string,
    tensor: Tensor,
  ) {
    this.value = savedHook?.(tensor) ?? new PinnedTensor(name, tensor);
  }

  /** The value, usable though the user has disposed of the tensor; refused when it was changed in place since. */
  unpack(op: string): Tensor {
    return this.value instanceof PinnedTensor ? this.value.unpack(op) : this.value.unpack();
  }

  release(): void {
    this.value.release();
  }
}

/** A tensor that keeps its memory though it is disposed of. @internal */
export class PinnedTensor implements SavedValue {
  private readonly version: number;
  private twin: Tensor | null = null;

  constructor(
    private readonly name: string,
    private readonly tensor: Tensor,
  ) {
    this.version = tensor._version.count;
    tensor._pins++;
  }

  unpack(op = 'backward'): Tensor {
    const tensor = this.tensor;
    if (tensor._version.count !== this.version) {
      throw new GradError(
        `backward: '${this.name}' of ${op}, shape ${formatShape(tensor.shape)}, was changed in place ` +
          `${tensor._version.count - this.version} time(s) after ${op} saved it; use the out-of-place form or a clone().`,
      );
    }
    if (!tensor._disposed) return tensor;
    this.twin ??= pinnedTwin(tensor, tensor);
    return this.twin;
  }

  release(): void {
    unpin(this.tensor);
    if (this.twin === null) return;
    this.twin.dispose();
    unpin(this.twin);
    this.twin = null;
  }
}

/**
 * The value of a tensor in the place of another in the graph. Its handle is its own: a graph made with createGraph may save
 * it, and outlive this one. It is pinned; who made it disposes of it and unpins it.
 *
 * @internal
 */
export function pinnedTwin(value: Tensor, place: Pick<Tensor, '_node' | '_nodeOutput' | '_requiresGrad'>): Tensor {
  const twin = viewTensor(value, value.shape, value._strides, value._offset);
  twin._node = place._node;
  twin._nodeOutput = place._nodeOutput;
  twin._requiresGrad = place._requiresGrad;
  twin._pins++;
  return twin;
}

/** @internal */
export function unpin(tensor: Tensor): void {
  tensor._pins--;
  if (tensor._pins === 0 && tensor._disposed) releaseHandle(tensor);
}

/** What a node keeps of an output: enough to make a zero gradient. */
export interface OutputMeta {
  readonly shape: Shape;
  readonly dtype: DType;
  readonly device: Device;
}

let sequence = 0;

/** One recorded operation. */
export class GradNode {
  /** Grows with time: a node's inputs always have smaller numbers. */
  readonly sequence = sequence++;
  /** Hooks on the gradients of outputs, by output. They are here because the tensors may be gone before backward. */
  hooks: Map<number, HookList<GradHook>> | null = null;
  private released = false;
  private saved: readonly SavedTensor[] = [];

  constructor(
    readonly op: string,
    readonly edges: readonly (Edge | null)[],
    readonly outputs: readonly OutputMeta[],
    private readonly rule: (grads: readonly Tensor[], saved: readonly Tensor[], retained: boolean) => InputGradients,
  ) {}

  /** Keeps what the rule needs; called when the outputs know that this node made them. */
  save(values: readonly SavedTensor[]): void {
    this.saved = values;
  }

  /** The gradients of the inputs, from those of the outputs. retained: what is saved must stay as it is. */
  backward(grads: readonly Tensor[], retained: boolean): InputGradients {
    if (this.released) {
      throw new GradError(
        `backward: the values that ${this.op} saved were freed by an earlier backward(); pass { retainGraph: true } to the first one.`,
      );
    }
    return this.rule(
      grads,
      this.saved.map((item) => item.unpack(this.op)),
      retained,
    );
  }

  get isReleased(): boolean {
    return this.released;
  }

  /** Frees what is saved. A second backward through this node is refused. */
  release(): void {
    if (this.released) return;
    this.released = true;
    for (const item of this.saved) item.release();
    this.saved = [];
  }
}

/** The edge that an input's gradient takes, or null when it needs none. */
export function edgeOf(tensor: Tensor): Edge | null {
  if (tensor._node !== null) {
    return { node: tensor._node, output: tensor._nodeOutput, leaf: null, shape: tensor.shape, dtype: tensor.dtype };
  }
  if (tensor._requiresGrad) return { node: null, output: 0, leaf: tensor, shape: tensor.shape, dtype: tensor.dtype };
  return null;
}
