// Elementwise ops: an op is an expression; its kernel, its gradient and its in-place form follow from it.
import { autocastTo } from '../amp/policy.js';
import { autocastState } from '../amp/state.js';
import { GradNode, SavedTensor, edgeOf, type InputGradients } from '../autograd/node.js';
import { isGradEnabled } from '../autograd/mode.js';
import { debugLevel, traceOp } from '../debug.js';
import { isFloating, promoteTypes, resultTypeWithScalar, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, ShapeError } from '../errors.js';
import { native, scratchHandles, scratchNumbers, type ProgramId } from '../native.js';
import { compile } from '../program/compile.js';
import { derive, leavesOf, substitute } from '../program/derive.js';
import { inputExpr, scalarExpr, toExpr, type Expr, type ExprLike } from '../program/expr.js';
import { broadcastShapes, broadcastTwo, formatShape, shapesEqual, type Shape } from '../shape.js';
import { emptyTensor, mapNewTensor, stridesLike, Tensor } from '../tensor/tensor.js';
import {
  checkSameDevice,
  checkTensor,
  checkWritable,
  definedOps,
  filledTensor,
  inPlaceGradError,
  needsRecord,
} from './define.js';
import { cast, clone } from './copy.js';
import { launchReduce, reduceKinds, stageNumbers, type Operand } from './launch.js';

export type { Operand } from './launch.js';

/** Options of `defineElementwise`. */
export interface ElementwiseOptions {
  /**
   * The result's dtype: `'promote'`, as PyTorch promotes the operands (default); `'float'`, the same but float32 for
   * integers and bools; `'bool'` for predicates.
   */
  readonly dtype?: 'promote' | 'float' | 'bool';
  /** Names of the tensor operands, for messages. Default x, or a, b, c. */
  readonly inputs?: readonly string[];
  /** Names of static numbers that follow the operands; they are run-time scalars of the program. */
  readonly scalars?: readonly string[];
  /**
   * The gradients of the operands where a stabler or cheaper form exists than the derived one. `out` is the result; each
   * entry is an expression, or null for zero.
   */
  readonly grad?: (g: Expr, out: Expr, ...parameters: Expr[]) => readonly (ExprLike | null)[];
}

const none: readonly number[] = [];
const defaultNames = [['x'], ['a', 'b'], ['a', 'b', 'c']];

/** An elementwise op with its compiled forms. */
export class ElementwiseOp {
  private readonly programs: ProgramId[] = [];
  private readonly gradients: (readonly GradientOp[] | undefined)[] = [];

  constructor(
    /** Used in messages and traces. */
    readonly name: string,
    private readonly root: Expr,
    /** The operands, as the body of the op sees them. */
    readonly inputs: readonly Expr[],
    /** The op's own numbers, likewise. */
    readonly scalars: readonly Expr[],
    private readonly kind: 'promote' | 'float' | 'bool',
    private readonly gradientsOf: ((g: Expr, out: Expr) => readonly (ExprLike | null)[]) | null,
  ) {}

  /** The program with the operands of `scalarMask` as run-time scalars in front of the op's own. */
  program(scalarMask: number): ProgramId {
    const known = this.programs[scalarMask];
    if (known !== undefined) return known;
    const tensors = this.inputs.filter((_, i) => (scalarMask & (1 << i)) === 0);
    const numbers = this.inputs.filter((_, i) => (scalarMask & (1 << i)) !== 0);
    const id = compile(this.name, [this.root], tensors, [...numbers, ...this.scalars]);
    this.programs[scalarMask] = id;
    return id;
  }

  /** Applies the op. `numbers`: values of the op's own scalars. */
  apply(operands: readonly Operand[], numbers: readonly number[] = none): Tensor {
    if (autocastState() !== null) return autocastTo(this.name, operands, (cast) => this.applyTo(cast, numbers));
    return this.applyTo(operands, numbers);
  }

  private applyTo(operands: readonly Operand[], numbers: readonly number[]): Tensor {
    return this.applyAlike(operands, numbers) ?? this.applyAny(operands, numbers);
  }

  // The common case, operands of one shape and dtype and perhaps numbers, in one native call. Null: not that case.
  private applyAlike(operands: readonly Operand[], numbers: readonly number[]): Tensor | null {
    const count = this.inputs.length;
    const first = operands[0];
    if (debugLevel > 0 || !(first instanceof Tensor) || first._disposed || numbers.length < this.scalars.length)
      return null;
    if (first._strides !== null && first.shape.length > 2) return null;
    const { shape, dtype, device } = first;
    const floating = isFloating(dtype);
    if (!floating && this.kind === 'float') return null;
    let mask = 0;
    let tensors = 1;
    let scalars = 0;
    scratchHandles[1] = first._handle;
    let recorded = first._requiresGrad || first._node !== null;
    for (let i = 1; i < count; i++) {
      const operand = operands[i];
      if (operand instanceof Tensor) {
        if (
          operand._disposed ||
          operand.dtype !== dtype ||
          operand.device !== device ||
          (operand._strides !== null && shape.length > 2) ||
          !shapesEqual(operand.shape, shape)
        )
          return null;
        scratchHandles[++tensors] = operand._handle;
        recorded ||= operand._requiresGrad || operand._node !== null;
      } else if (typeof operand === 'number' && floating) {
        mask |= 1 << i;
        scratchNumbers[scalars++] = operand;
      } else return null;
    }
    for (let i = 0; i < this.scalars.length; i++) {
      const value = numbers[i];
      if (typeof value !== 'number') return null;
      scratchNumbers[scalars++] = value;
    }
    const resultType = this.kind === 'bool' ? 'bool' : dtype;
    const out = mapNewTensor(this.program(mask), shape, resultType, device, tensors + 1, scalars);
    if (out !== null && recorded && isGradEnabled() && isFloating(resultType)) this.record(out, operands, numbers);
    return out;
  }

  private applyAny(operands: readonly Operand[], numbers: readonly number[]): Tensor {
    const { shape, dtype, device, tensors, mask, scalarCount } = this.prepare(operands, numbers);
    const resultType = this.kind === 'bool' ? 'bool' : dtype;
    const out = emptyTensor(this.name, shape, resultType, device, resultStrides(shape, tensors));
    if (debugLevel > 0) {
      traceOp(this.name, tensors, [out], () => this.launch(out, tensors, mask, operands, numbers, scalarCount));
    } else this.launch(out, tensors, mask, operands, numbers, scalarCount);
    if (isFloating(resultType) && needsRecord(tensors)) this.record(out, operands, numbers);
    return out;
  }

  /** Writes the result into `target`, which may be one of the operands. */
  applyInPlace(target: Tensor, operands: readonly Operand[], numbers: readonly number[] = []): Tensor {
    const name = `${this.name}_`;
    checkTensor(name, 'self', target);
    checkWritable(name, target);
    const prepared = this.prepare(operands, numbers, name);
    if (!shapesEqual(prepared.shape, target.shape)) {
      throw new ShapeError(
        `${name}: the result has shape ${formatShape(prepared.shape)}, which does not fit in place into ${formatShape(target.shape)}.`,
      );
    }
    const resultType = this.kind === 'bool' ? 'bool' : prepared.dtype;
    if (!canStore(resultType, target.dtype)) {
      throw new DTypeError(`${name}: the result is ${resultType}, which cannot be stored in place in ${target.dtype}.`);
    }
    if (isGradEnabled() && prepared.tensors.some((t) => t.requiresGrad)) throw inPlaceGradError(name);
    // Another window on the memory being written would be read half changed.
    const tensors = prepared.tensors.map((t) => (overlaps(t, target) ? clone(t) : t));
    const run = (): void => this.launch(target, tensors, prepared.mask, operands, numbers, prepared.scalarCount);
    if (debugLevel > 0) traceOp(name, tensors, [target], run);
    else run();
    target._version.count++;
    return target;
  }

  /** Checks the operands and works out shape and dtype. @internal */
  prepare(operands: readonly Operand[], numbers: readonly number[], name = this.name) {
    const { inputs } = this;
    let shape: Shape | null = null;
    let first: Tensor | null = null;
    let mask = 0;
    let scalarCount = 0;
    const tensors: Tensor[] = [];
    for (let i = 0; i < inputs.length; i++) {
      const operand = operands[i];
      if (typeof operand === 'number' || typeof operand === 'boolean') {
        mask |= 1 << i;
        scalarCount++;
        continue;
      }
      const label = inputs[i].label;
      checkTensor(name, label, operand);
      if (first === null || shape === null) {
        first = operand;
        shape = operand.shape;
      } else {
        checkSameDevice(name, inputs[0].label, first, label, operand);
        if (!shapesEqual(shape, operand.shape)) {
          shape =
            tensors.length === 1
              ? broadcastTwo(name, inputs[tensorIndex(operands)].label, shape, label, operand.shape)
              : broadcastShapes(
                  name,
                  [...tensors, operand].map((t) => inputs[operands.indexOf(t)].label),
                  [...tensors, operand].map((t) => t.shape),
                );
        }
      }
      tensors.push(operand);
    }
    if (first === null || shape === null) {
      throw new ArgumentError(`${name}: at least one operand must be a Tensor; make one with tensor(...).`);
    }
    for (let i = 0; i < this.scalars.length; i++) {
      if (typeof numbers[i] !== 'number') {
        throw new ArgumentError(`${name}: ${this.scalars[i].label} must be a number, got ${typeof numbers[i]}.`);
      }
    }
    let dtype = resultDType(operands);
    if (this.kind === 'float' && !isFloating(dtype)) dtype = 'float32';
    if (this.kind === 'bool' && isFloating(dtype) && !tensors.some((t) => isFloating(t.dtype))) {
      // int > 0.5: the comparison must happen in float, which nothing among the operands' dtypes says.
      for (let i = 0; i < tensors.length; i++) tensors[i] = cast(tensors[i], 'float64');
    }
    return { shape, dtype, device: first.device, tensors, mask, scalarCount };
  }

  private launch(
    out: Tensor,
    tensors: readonly Tensor[],
    mask: number,
    operands: readonly Operand[],
    numbers: readonly number[],
    scalarCount: number,
  ): void {
    scratchHandles[0] = out._handle;
    for (let i = 0; i < tensors.length; i++) scratchHandles[i + 1] = tensors[i]._handle;
    const count = stageNumbers(operands, mask, scalarCount, numbers, this.scalars.length);
    native.map(this.program(mask), tensors.length + 1, count);
  }

  /**
   * The gradients of the operands.
   *
   * @param reuse whether they may read the result, which is not there when only its sum was computed
   * @internal
   */
  gradientOps(reuse: boolean): readonly GradientOp[] {
    const known = this.gradients[Number(reuse)];
    if (known !== undefined) return known;
    const g = inputExpr('g');
    const out = inputExpr('out');
    const derived =
      this.gradientsOf !== null
        ? this.gradientsOf(g, out).map((e) => toExpr(e ?? 0))
        : derive(this.root, this.inputs, g).map((e) => substitute(e, this.root, out));
    const ops = derived.map((e, i) => new GradientOp(this, i, reuse ? e : substitute(e, out, this.root), g, out));
    this.gradients[Number(reuse)] = ops;
    return ops;
  }

  /**
   * Records that `out` came from `operands`.
   *
   * @param spread given when `out` is a reduction of the op's result: from the gradient of `out` to that of the result
   * @internal
   */
  record(
    out: Tensor,
    operands: readonly Operand[],
    numbers: readonly number[],
    spread: ((g: Tensor) => Tensor) | null = null,
  ): void {
    const gradients = this.gradientOps(spread === null);
    const edges = operands.map((t) => (t instanceof Tensor && isFloating(t.dtype) ? edgeOf(t) : null));
    // What the wanted gradients read, each once: operands by position, the result as -1.
    const slots: number[] = [];
    edges.forEach((edge, i) => {
      if (edge === null) return;
      for (const source of gradients[i].sources) if (source !== gSource && !slots.includes(source)) slots.push(source);
    });
    const constants = operands.map((t) => (t instanceof Tensor ? 0 : Number(t)));
    const savedSlots: number[] = [];
    const meta = [{ shape: out.shape, dtype: out.dtype, device: out.device }];
    const rule = (grads: readonly (Tensor | null)[], values: readonly Tensor[]): InputGradients => {
      const g = grads[0]!;
      return edges.map((edge, i) => {
        if (edge === null) return null;
        return () =>
          gradients[i].compute(
            spread === null ? g : spread(g),
            (source) => {
              const at = savedSlots.indexOf(source);
              return at >= 0 ? values[at] : constants[source];
            },
            numbers,
            edge.shape,
          );
      });
    };
    const node = new GradNode(this.name, edges, meta, rule);
    out._node = node;
    // A loop: a function in this scope that sees operands would keep them alive as long as the rule.
    const saved: SavedTensor[] = [];
    for (const slot of slots) {
      const value = slot === outSource ? out : operands[slot];
      if (!(value instanceof Tensor)) continue;
      saved.push(new SavedTensor(slot === outSource ? 'out' : this.inputs[slot].label, value));
      savedSlots.push(slot);
    }
    node.save(saved);
  }
}

const gSource = -2;
const outSource = -1;

/** The gradient of one operand: again an elementwise op, of g, the operands it reads, and perhaps the result. */
class GradientOp {
  /** What each of the op's operands is: g, the result, or the position of a forward operand. */
  readonly sources: readonly number[];
  private readonly identity: boolean;
  private readonly zero: boolean;
  private readonly op: ElementwiseOp;

  constructor(forward: ElementwiseOp, position: number, e: Expr, g: Expr, out: Expr) {
    const leaves = leavesOf(e);
    const inputs = [g, out, ...forward.inputs].filter((leaf) => leaves.has(leaf));
    this.sources = inputs.map((leaf) =>
      leaf === g ? gSource : leaf === out ? outSource : forward.inputs.indexOf(leaf),
    );
    this.identity = e === g;
    this.zero = e.kind === 'constant' && e.value === 0;
    this.op = new ElementwiseOp(
      `${forward.name}Backward${forward.inputs.length > 1 ? position : ''}`,
      e,
      inputs,
      forward.scalars,
      'promote',
      null,
    );
  }

  compute(g: Tensor, value: (source: number) => Operand, numbers: readonly number[], shape: Shape): Tensor {
    if (this.identity) return g;
    if (this.zero) return filledTensor(this.op.name, shape, g.dtype, g.device, 0);
    const operands = this.sources.map((source) => (source === gSource ? g : value(source)));
    // With nothing to record, the product and its sum over broadcast dimensions are one pass.
    if (!isGradEnabled() && !shapesEqual(g.shape, shape)) {
      return reduceProgram(this.op, operands, numbers, g, shape);
    }
    return this.op.apply(operands, numbers);
  }
}

/**
 * Sum of an elementwise op's result down to `shape`, in one pass, unrecorded: a gradient and its un-broadcasting at once.
 *
 * @internal
 */
function reduceProgram(
  op: ElementwiseOp,
  operands: readonly Operand[],
  numbers: readonly number[],
  like: Tensor,
  shape: Shape,
): Tensor {
  const tensors = operands.filter((t): t is Tensor => t instanceof Tensor);
  let mask = 0;
  let scalarCount = 0;
  operands.forEach((t, i) => {
    if (!(t instanceof Tensor)) {
      mask |= 1 << i;
      scalarCount++;
    }
  });
  const out = emptyTensor(op.name, shape, like.dtype, like.device);
  const rank = Math.max(...tensors.map((t) => t.shape.length), shape.length);
  const kept = [...new Array<number>(rank - shape.length).fill(1), ...shape];
  const run = (): void =>
    launchReduce(
      reduceKinds.sum,
      op.program(mask),
      [out],
      kept,
      tensors,
      () => stageNumbers(operands, mask, scalarCount, numbers, op.scalars.length),
      0,
    );
  if (debugLevel > 0) traceOp(`${op.name}+sum`, tensors, [out], run);
  else run();
  return out;
}

function tensorIndex(operands: readonly Operand[]): number {
  return operands.findIndex((t) => t instanceof Tensor);
}

const category = (dtype: DType): number => (isFloating(dtype) ? 2 : dtype === 'bool' ? 0 : 1);

/**
 * The dtype of an operation on tensors and numbers, as `torch.result_type`: tensors with dimensions decide; scalar tensors,
 * then numbers, count only when they are of a higher kind (bool, integer, float).
 */
export function resultDType(operands: readonly Operand[]): DType {
  let dimensioned: DType | null = null;
  let scalar: DType | null = null;
  for (const operand of operands) {
    if (!(operand instanceof Tensor)) continue;
    const { dtype } = operand;
    if (operand.shape.length > 0) dimensioned = dimensioned === null ? dtype : promoteTypes(dimensioned, dtype);
    else scalar = scalar === null ? dtype : promoteTypes(scalar, dtype);
  }
  let result = dimensioned ?? scalar ?? 'float32';
  if (dimensioned !== null && scalar !== null && category(scalar) > category(dimensioned)) {
    result = promoteTypes(dimensioned, scalar);
  }
  for (const operand of operands) if (!(operand instanceof Tensor)) result = resultTypeWithScalar(result, operand);
  return result;
}

// Channels-last as soon as one operand of the result's shape is: what made it, and what reads it, most likely likes it so.
function resultStrides(shape: Shape, tensors: readonly Tensor[]): readonly number[] | null {
  for (const t of tensors) {
    if (t._strides === null || !shapesEqual(t.shape, shape)) continue;
    const strides = stridesLike(shape, t);
    if (strides !== null) return strides;
  }
  return null;
}

function canStore(from: DType, to: DType): boolean {
  return category(from) <= category(to);
}

function overlaps(t: Tensor, target: Tensor): boolean {
  if (t === target || t._version !== target._version) return false;
  return t._offset !== target._offset || !shapesEqual(t.strides, target.strides) || !shapesEqual(t.shape, target.shape);
}

/**
 * Makes a fused elementwise op from an expression. The kernel is generated for every device; the gradient, and the
 * gradient's gradient, are derived from the expression, or given by `options.grad`.
 *
 * @param name used in messages and traces
 * @param body the expression: operands, then the scalars of `options.scalars`, as symbolic values (functions of
 *   `thalweg`'s `expr`)
 * @example
 * const mish = defineElementwise('mish', (x) => expr.mul(x, expr.tanh(expr.log1p(expr.exp(x)))));
 * mish.apply([tensor([0, 1])]); // tensor([0.0000, 0.8651], ...)
 */
export function defineElementwise(
  name: string,
  body: (...parameters: Expr[]) => Expr,
  options: ElementwiseOptions = {},
): ElementwiseOp {
  const scalarNames = options.scalars ?? [];
  const arity = body.length - scalarNames.length;
  const names = options.inputs ?? defaultNames[arity - 1];
  if (arity < 1 || names?.length !== arity) {
    throw new ArgumentError(
      `defineElementwise('${name}'): the body takes ${body.length} parameters, of which ${scalarNames.length} are scalars; name the ${arity} operands in options.inputs.`,
    );
  }
  const inputs = names.map(inputExpr);
  const scalars = scalarNames.map(scalarExpr);
  const { grad } = options;
  definedOps.add(name);
  return new ElementwiseOp(
    name,
    body(...inputs, ...scalars),
    inputs,
    scalars,
    options.dtype ?? 'promote',
    grad === undefined ? null : (g, out) => grad(g, out, ...inputs, ...scalars),
  );
}
