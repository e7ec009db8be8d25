// One op, one place. An op's definition says what is particular to it; `defineOp` does the rest once: checks of disposed
// tensors, devices and dtypes, the shape rule, allocation, the native call, recording for backward.
import { autocastTo } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { GradNode, edgeOf, SavedTensor, type Edge, type InputGradients } from '../autograd/node.js';
import { isGradEnabled } from '../autograd/mode.js';
import { debugLevel, traceOp } from '../debug.js';
import type { Device } from '../device.js';
import { isFloating, type DType } from '../dtype.js';
import { ArgumentError, DeviceError, DTypeError, GradError, ShapeError } from '../errors.js';
import { native } from '../native.js';
import { formatShape, type Shape } from '../shape.js';
import { disposedError, emptyTensor, isTensor, type Tensor } from '../tensor/tensor.js';

/** Shape and dtype of an output. */
export interface OutputSpec {
  /** The sizes of the dimensions. */
  readonly shape: Shape;
  /** The element type. */
  readonly dtype: DType;
  /** Where the elements lie, if not in row-major order: see `stridesLike`. */
  readonly strides?: readonly number[] | null;
  /** If not that of the inputs. */
  readonly device?: Device;
}

type Named<N extends string> = { readonly [K in N]: Tensor };
type NamedOptional<N extends string, O extends string> = Named<Exclude<N, O>> & {
  readonly [K in O & N]: Tensor | null;
};

/** What `vjp` sees: the inputs and outputs named in `saves`. Outputs are `out`, or `out0`, `out1` ... of several. */
type Saved = { readonly [name: string]: Tensor };

/** The definition of an op. `N`: names of the inputs, `O`: those that may be null, `A`: static attributes. */
export interface OpDefinition<N extends string, O extends string, A> {
  /** Used in messages, traces and `gradFn`. */
  readonly name: string;
  /** Names of the inputs, in the order in which they are given. */
  readonly inputs: readonly N[];
  /** The inputs that may be null. */
  readonly optional?: readonly O[];
  /**
   * What the gradient rule needs. A list, or per input the values that its gradient needs, so that nothing is kept for a
   * gradient that nobody wants.
   */
  readonly saves?: readonly string[] | { readonly [K in N]?: readonly string[] };
  /** The output's shape, or throws a typed error. */
  readonly shape?: (inputs: NamedOptional<N, O>, attributes: A) => Shape;
  /** The output's dtype. Default: that of the inputs, which must agree. */
  readonly dtype?: (inputs: NamedOptional<N, O>, attributes: A) => DType;
  /** The output's strides; null (the default): contiguous. Only what `channelsLastStrides` gives is known to all kernels. */
  readonly strides?: (shape: Shape, inputs: NamedOptional<N, O>, attributes: A) => readonly number[] | null;
  /** For several outputs, in place of `shape`, `dtype` and `strides`. */
  readonly outputs?: (inputs: NamedOptional<N, O>, attributes: A) => readonly OutputSpec[];
  /** Runs the kernel. */
  readonly forward: (outs: readonly Tensor[], inputs: NamedOptional<N, O>, attributes: A) => void;
  /**
   * The vector-Jacobian product: given the gradients of the outputs, one thunk per input (null: no gradient). Made of
   * differentiable ops, so that double backward needs nothing more. A thunk returns a new tensor, a view, or the gradient
   * itself; it never un-broadcasts, casts, adds up or disposes.
   */
  readonly vjp?: (
    grads: readonly Tensor[],
    saved: Saved,
    attributes: A,
    meta: { readonly inputs: readonly (OutputSpec | null)[]; readonly needs: readonly boolean[] },
  ) => InputGradients;
}

/** Checks that a value is a usable tensor. */
export function checkTensor(op: string, name: string, value: unknown): asserts value is Tensor {
  if (!isTensor(value)) {
    const got =
      value === null || value === undefined
        ? String(value)
        : Array.isArray(value)
          ? 'an array'
          : `${typeof value === 'object' ? 'an' : 'a'} ${typeof value}`;
    const hint =
      Array.isArray(value) || typeof value === 'number'
        ? '; make one with tensor(...)'
        : isForeign(value)
          ? foreignHint
          : '';
    throw new ArgumentError(`${op}: ${name} is ${got}, expected a Tensor${hint}.`);
  }
  if (value._disposed) throw disposedError(value, op, name);
}

const foreignHint = '; it looks like a tensor of another worker or copy of Thalweg: send its data() and make a new one';

function isForeign(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '_handle' in value;
}

/** Checks that two tensors are on one device. */
export function checkSameDevice(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  if (a.device !== b.device) {
    throw new DeviceError(`${op}: ${nameA} is on ${a.device}, ${nameB} on ${b.device}; move one with to().`);
  }
}

function checkSameDType(op: string, nameA: string, a: Tensor, nameB: string, b: Tensor): void {
  if (a.dtype !== b.dtype) {
    throw new DTypeError(
      `${op}(${nameA} ${a.dtype}${formatShape(a.shape)}, ${nameB} ${b.dtype}${formatShape(b.shape)}): the dtypes differ; ` +
        `convert one, e.g. ${nameB}.to('${a.dtype}').`,
    );
  }
}

/**
 * Records an operation that made `outs` from `inputs`, if any input needs a gradient.
 *
 * @internal
 */
export function record(
  op: string,
  inputs: readonly (Tensor | null)[],
  outs: readonly Tensor[],
  saves: (edges: readonly (Edge | null)[]) => SavedTensor[],
  rule: (
    grads: readonly Tensor[],
    saved: readonly Tensor[],
    needs: readonly boolean[],
    retained: boolean,
  ) => InputGradients,
): void {
  const edges = inputs.map((input) => (input === null || !isFloating(input.dtype) ? null : edgeOf(input)));
  const needs = edges.map((edge) => edge !== null);
  const meta = outs.map((out) => ({ shape: out.shape, dtype: out.dtype, device: out.device }));
  const node = new GradNode(op, edges, meta, (grads, saved, retained) => rule(grads, saved, needs, retained));
  outs.forEach((out, i) => {
    if (!isFloating(out.dtype)) return;
    out._node = node;
    out._nodeOutput = i;
  });
  node.save(saves(edges));
}

/** True when an operation on these inputs must be recorded. @internal */
export function needsRecord(inputs: readonly (Tensor | null)[]): boolean {
  if (!isGradEnabled()) return false;
  for (const input of inputs) {
    if (input !== null && (input._requiresGrad || input._node !== null)) return true;
  }
  return false;
}

/** Applies an op: (inputs in the order of the definition, attributes) => outputs. */
export type MultiOp<A> = (inputs: readonly (Tensor | null)[], attributes: A) => Tensor[];

/** All public ops by name, for the guard test that each has a sample. @internal */
export const definedOps = new Set<string>();

/**
 * Makes an op of several outputs from its definition.
 *
 * @example see src/ops/matmul.ts
 */
export function defineMultiOp<const N extends string, A, const O extends string = never>(
  definition: OpDefinition<N, O, A>,
): MultiOp<A> {
  const { name, inputs: names, saves } = definition;
  const optional = new Set<string>(definition.optional ?? []);
  definedOps.add(name);

  const saveNames = (edges: readonly (Edge | null)[]): readonly string[] => {
    if (saves === undefined) return [];
    if (Array.isArray(saves)) return saves as readonly string[];
    const perInput = saves as { readonly [K in N]?: readonly string[] };
    const wanted = new Set<string>();
    names.forEach((input, i) => {
      if (edges[i] !== null) perInput[input]?.forEach((item) => wanted.add(item));
    });
    return [...wanted];
  };

  const outputsOf = (inputs: NamedOptional<N, O>, first: Tensor, attributes: A): readonly OutputSpec[] => {
    if (definition.outputs !== undefined) return definition.outputs(inputs, attributes);
    const shape = definition.shape!(inputs, attributes);
    return [
      {
        shape,
        dtype: definition.dtype?.(inputs, attributes) ?? first.dtype,
        strides: definition.strides?.(shape, inputs, attributes) ?? null,
      },
    ];
  };

  const apply: MultiOp<A> = (given, attributes) => {
    const inputs: Record<string, Tensor | null> = {};
    let first: Tensor | null = null;
    for (let i = 0; i < names.length; i++) {
      const value = given[i] ?? null;
      const inputName = names[i];
      inputs[inputName] = value;
      if (value === null && optional.has(inputName)) continue;
      checkTensor(name, inputName, value);
      if (first === null) first = value;
      else {
        checkSameDevice(name, names[0], first, inputName, value);
        if (definition.dtype === undefined && definition.outputs === undefined) {
          checkSameDType(name, names[0], first, inputName, value);
        }
      }
    }
    const named = inputs as NamedOptional<N, O>;
    const specs = outputsOf(named, first!, attributes);
    const outs = specs.map((spec) =>
      emptyTensor(name, spec.shape, spec.dtype, spec.device ?? first!.device, spec.strides),
    );
    if (debugLevel > 0) traceOp(name, given, outs, () => definition.forward(outs, named, attributes));
    else definition.forward(outs, named, attributes);
    if (definition.vjp === undefined || !needsRecord(given)) return outs;
    const keys: string[] = [];
    const inputSpecs = given.map((t) => (t === null ? null : { shape: t.shape, dtype: t.dtype }));
    // The rule's closure must not hold the inputs: only what is saved stays alive.
    record(
      name,
      names.map((_, i) => given[i] ?? null),
      outs,
      (edges) => {
        const saved: SavedTensor[] = [];
        for (const key of saveNames(edges)) {
          const tensor = key === 'out' ? outs[0] : key in inputs ? inputs[key] : outs[Number(key.slice(3))];
          if (tensor === null || tensor === undefined) continue;
          keys.push(key);
          saved.push(new SavedTensor(key, tensor));
        }
        return saved;
      },
      gradientRule(definition, keys, inputSpecs, attributes),
    );
    return outs;
  };
  return (given, attributes) =>
    autocastState() === null ? apply(given, attributes) : autocastTo(name, given, (cast) => apply(cast, attributes));
}

function gradientRule<N extends string, O extends string, A>(
  definition: OpDefinition<N, O, A>,
  keys: readonly string[],
  inputSpecs: readonly (OutputSpec | null)[],
  attributes: A,
) {
  return (grads: readonly Tensor[], values: readonly Tensor[], needs: readonly boolean[]): InputGradients => {
    const saved: Record<string, Tensor> = {};
    keys.forEach((key, i) => {
      saved[key] = values[i]!;
    });
    return definition.vjp!(grads, saved, attributes, { inputs: inputSpecs, needs });
  };
}

/** A new tensor filled with one value. @internal */
export function filledTensor<S extends Shape, D extends DType>(
  op: string,
  shape: S,
  dtype: D,
  device: Device,
  value: number | bigint | boolean,
): Tensor<S, D> {
  const out = emptyTensor(op, shape, dtype, device);
  native.fill(out._handle, value);
  return out;
}

/** Applies an op of one output. */
export type Op<A> = (inputs: readonly (Tensor | null)[], attributes: A) => Tensor;

/**
 * Makes an op of one output from its definition; see `defineMultiOp`.
 *
 * @example
 * const square = defineOp({
 *   name: 'square', inputs: ['x'], saves: ['x'],
 *   shape: ({ x }) => x.shape,
 *   forward: ([out], { x }) => { ... },
 *   vjp: ([g], { x }) => [() => mul(g, mul(x, 2))],
 * });
 * square([x], undefined);
 */
export function defineOp<const N extends string, A = undefined, const O extends string = never>(
  definition: OpDefinition<N, O, A>,
): Op<A> {
  const apply = defineMultiOp(definition);
  return (inputs, attributes) => apply(inputs, attributes)[0];
}

/** @internal */
export function inPlaceGradError(name: string): GradError {
  return new GradError(
    `${name}: in-place changes are not recorded, and a tensor here requires gradients; use the out-of-place form, or noGrad(() => ...).`,
  );
}

/** Refuses in-place changes of tensors that gradients flow through, and of views that see an element twice. @internal */
export function checkWritable(name: string, target: Tensor): void {
  if (isGradEnabled() && target.requiresGrad) throw inPlaceGradError(name);
  if (target._strides === null) return;
  const { strides, shape } = target;
  const steps = strides.map((stride, d) => [stride, shape[d]] as const).filter(([, size]) => size !== 1);
  if (steps.some(([, size]) => size === 0)) return;
  // Each dimension must step over all that the smaller steps reach.
  let reached = 0;
  for (const [stride, size] of steps.sort(([a], [b]) => a - b)) {
    if (stride <= reached) {
      throw new ShapeError(
        `${name}: a tensor of shape ${formatShape(shape)} and strides ${formatShape(strides)} is ${stride === 0 ? 'an expanded' : 'an overlapping'} view, several elements share memory; clone() it first.`,
      );
    }
    reached += (size - 1) * stride;
  }
}
