// Copies and conversions: clone, contiguous, to, copy_, and the in-place building blocks of autograd and optimizers.
import { provideCast } from '../amp/policy.js';
import { isGradEnabled } from '../autograd/mode.js';
import { checkDType, dtypes, isDType, isFloating, type DType } from '../dtype.js';
import { checkDevice, type Device } from '../device.js';
import { native, scratchHandles } from '../native.js';
import { compile } from '../program/compile.js';
import { add as addExpr, inputExpr } from '../program/expr.js';
import { broadcastsTo, channelsLastStrides, formatShape, isContiguous, shapesEqual, type Shape } from '../shape.js';
import { ArgumentError, ShapeError } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import { fillValue } from '../tensor/nested.js';
import { stridesLike, transfer, viewTensor } from '../tensor/tensor.js';
import { broadcastStrides } from '../shape.js';
import { checkTensor, checkWritable, defineOp, inPlaceGradError } from './define.js';

const cloneOp = defineOp({
  name: 'clone',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  forward: ([out], { x }) => native.copy(out._handle, x._handle),
  vjp: ([g]) => [() => g],
});

const channelsLastOp = defineOp({
  name: 'contiguous',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  strides: (shape) => channelsLastStrides(shape),
  forward: ([out], { x }) => native.copy(out._handle, x._handle),
  vjp: ([g]) => [() => g],
});

const castOp = defineOp({
  name: 'to',
  inputs: ['x'],
  shape: ({ x }) => x.shape,
  strides: (shape, { x }) => stridesLike(shape, x),
  dtype: (_, attributes: { dtype: DType }) => attributes.dtype,
  forward: ([out], { x }) => native.copy(out._handle, x._handle),
  // Converting the gradient back is what backward does with any dtype that differs.
  vjp: ([g], _, { dtype }) => [isFloating(dtype) ? () => g : null],
});

const moveOp = defineOp({
  name: 'to',
  inputs: ['x'],
  outputs: ({ x }, { device }: { device: Device; from: Device; aside: boolean }) => [
    { shape: x.shape, dtype: x.dtype, strides: stridesLike(x.shape, x), device },
  ],
  forward: ([out], { x }, { aside }) => transfer('to', out, x, aside),
  vjp: ([g], _, { from }) => [() => move(g, from)],
});

const move = (x: Tensor, device: Device, aside = false): Tensor => moveOp([x], { device, from: x.device, aside });

/**
 * A copy with memory of its own, contiguous. Differentiable.
 *
 * @method
 * @example
 * const y = x.clone();
 */
export function clone<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return cloneOp([x], undefined) as Tensor<S, D>;
}

/**
 * The tensor itself if its elements lie in row-major order, else a copy in which they do.
 *
 * @param options `memoryFormat: 'channelsLast'`: the channels of a position of [N, C, spatial...] lie side by side instead.
 *   The shape and the meaning of the dimensions stay. Convolutions, pools and norms do that by themselves: their results
 *   are channels-last, so that a chain of them converts only its first input.
 * @method
 * @throws ShapeError for channels-last of other than 3 to 5 dimensions
 * @example
 * zeros([8, 3, 32, 32]).contiguous({ memoryFormat: 'channelsLast' }).strides; // [3072, 1, 96, 3]
 */
export function contiguous<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  options: { memoryFormat?: 'contiguous' | 'channelsLast' } = {},
): Tensor<S, D> {
  checkTensor('contiguous', 'x', x);
  const { memoryFormat = 'contiguous' } = options;
  if (memoryFormat === 'contiguous') return x.isContiguous ? x : clone(x);
  if (memoryFormat !== 'channelsLast') {
    throw new ArgumentError(
      `contiguous: unknown memoryFormat '${String(memoryFormat)}', expected 'contiguous' or 'channelsLast'.`,
    );
  }
  const { shape } = x;
  if (shape.length < 3 || shape.length > 5) {
    throw new ShapeError(
      `contiguous(x ${formatShape(shape)}, memoryFormat 'channelsLast'): x must be [N, C, spatial...] with 1 to 3 spatial dimensions.`,
    );
  }
  const there =
    x.memoryFormat === 'channelsLast' || (x.isContiguous && isContiguous(shape, channelsLastStrides(shape)));
  return there ? x : (channelsLastOp([x], undefined) as Tensor<S, D>);
}

/** Conversion without checks; the tensor itself when nothing changes. @internal */
export function cast<S extends Shape, D extends DType>(x: Tensor<S>, dtype: D): Tensor<S, D> {
  return (x.dtype === dtype ? x : castOp([x], { dtype })) as Tensor<S, D>;
}

provideCast(cast);

/** Options of `to` with a device, and of `copy_`. */
export interface MoveOptions {
  /**
   * Copies from the CPU to a GPU beside the kernels of that GPU, for what is used later: the next batch. Default false: in
   * order with them. Either way the call waits for nothing, the tensor that is copied may be changed or disposed at once,
   * and whatever uses the result waits for the copy on the GPU by itself.
   */
  readonly nonBlocking?: boolean;
}

/** The dtype that `to` converts to, where its argument does not look like a device. @internal */
export function checkTarget(target: unknown): DType {
  if (typeof target === 'string' && !isDType(target)) {
    throw new ArgumentError(
      `to: '${target}' is neither a dtype (${dtypes.join(', ')}) nor a device ('cpu', 'cuda', 'cuda:N').`,
    );
  }
  return checkDType('to', target);
}

/**
 * Converts dtype or moves to a device; the tensor itself when it already fits. Floats become integers by truncation toward
 * zero, anything not 0 becomes true. Differentiable between float dtypes.
 *
 * @method
 * @throws ArgumentError for an unknown dtype or device, DeviceError for a device that is not there
 * @example
 * x.to('float64');
 */
export function to<S extends Shape, T extends DType>(x: Tensor<S>, dtype: T): Tensor<S, T>;
export function to<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  device: Device,
  options?: MoveOptions,
): Tensor<S, D>;
export function to<S extends Shape>(x: Tensor<S>, target: DType | Device, options: MoveOptions = {}): Tensor<S> {
  checkTensor('to', 'x', x);
  if (typeof target === 'string' && /^(cpu|cuda)/.test(target)) {
    const device = checkDevice('to', target);
    return device === x.device ? x : (move(x, device, options.nonBlocking ?? false) as Tensor<S>);
  }
  return cast(x, checkTarget(target));
}

/**
 * Copies `source` into `target` in place, broadcasting and converting, from whatever device it is on.
 *
 * @param options `nonBlocking` (default false): from the CPU to a GPU, beside its kernels. The copy begins when those launched
 *   before it are done; those launched after it wait for it only if they use `target`. `source` may be changed or disposed
 *   at once, as without it
 * @method
 * @throws ShapeError if source does not broadcast to target; GradError while gradients are recorded
 * @example
 * noGrad(() => input.copy_(batch, { nonBlocking: true }));
 */
export function copy_<S extends Shape, D extends DType>(
  target: Tensor<S, D>,
  source: Tensor,
  options: MoveOptions = {},
): Tensor<S, D> {
  checkTensor('copy_', 'self', target);
  checkTensor('copy_', 'source', source);
  checkWritable('copy_', target);
  if (isGradEnabled() && source.requiresGrad) throw inPlaceGradError('copy_');
  if (!broadcastsTo(source.shape, target.shape)) {
    throw new ShapeError(
      `copy_: source of shape ${formatShape(source.shape)} does not broadcast to ${formatShape(target.shape)}.`,
    );
  }
  const sameShape = shapesEqual(source.shape, target.shape);
  const aside = options.nonBlocking ?? false;
  if (source.device !== target.device && source.dtype === target.dtype && sameShape && target.isContiguous) {
    transfer('copy_', target, source, aside);
    target._version.count++;
    return target;
  }
  const shared = source._version === target._version && source !== target;
  // The tensor that is copied, and what it took to make it.
  let from: Tensor = source;
  const made: Tensor[] = [];
  if (source.device !== target.device) made.push((from = move(source, target.device, aside)));
  else if (shared) made.push((from = clone(source)));
  if (!sameShape) {
    from = viewTensor(from, target.shape, broadcastStrides(from.shape, from.strides, target.shape), from._offset);
    made.push(from);
  }
  native.copy(target._handle, from._handle);
  for (const tensor of made) tensor.dispose();
  target._version.count++;
  return target;
}

/**
 * Fills a tensor with one value, in place.
 *
 * @method
 */
export function fill_<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  value: number | bigint | boolean,
): Tensor<S, D> {
  checkTensor('fill_', 'x', x);
  checkWritable('fill_', x);
  native.fill(x._handle, fillValue('fill_', value, x.dtype));
  x._version.count++;
  return x;
}

/**
 * Sets all elements to 0, in place.
 *
 * @method
 */
export function zero_<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return fill_(x, 0);
}

const sumProgram = (() => {
  let id = -1;
  return (): number => {
    if (id < 0) {
      const a = inputExpr('a');
      const b = inputExpr('b');
      id = compile('accumulate', [addExpr(a, b)], [a, b], []);
    }
    return id;
  };
})();

/** target += x without checks or recording. @internal */
export function addInPlace(target: Tensor, x: Tensor): void {
  scratchHandles[0] = target._handle;
  scratchHandles[1] = target._handle;
  scratchHandles[2] = x._handle;
  native.map(sumProgram(), 3, 0);
  target._version.count++;
}

/**
 * The same values outside the graph: shares memory, requires no gradient.
 *
 * @method
 */
export function detach<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  checkTensor('detach', 'x', x);
  return viewTensor(x, x.shape, x._strides, x._offset);
}
