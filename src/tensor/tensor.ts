// The Tensor: a handle on native memory with a shape, strides, a dtype and a place in the autograd graph. Methods come
// from the ops (src/tensor/methods.ts); what stands here is what has no function form.
import type { GradHook, HookList } from '../autograd/hooks.js';
import type { GradNode } from '../autograd/node.js';
import { deviceIndex, type Device } from '../device.js';
import { dtypeId, isFloating, itemSize, type DType, type ItemOf, type TypedArrayOf } from '../dtype.js';
import { DisposedError, DTypeError, GradError, ShapeError } from '../errors.js';
import { allocate, keeperFor, track } from '../memory.js';
import { native, scratchNumbers, strideBase, type Handle, type ProgramId } from '../native.js';
import {
  channelsLastStrides,
  contiguousStrides,
  formatShape,
  isChannelsLast,
  isContiguous,
  maxRank,
  normalizeDim,
  numel,
  type Shape,
} from '../shape.js';
import { mayAnswerNow } from '../turn.js';
import type { OpMethods } from './methods.js';
import { nest, type NestedArray } from './nested.js';
import { readBytes, readBytesSync, readElements, readElementsSync } from './read.js';

/** Counts the in-place changes of a storage; shared by a tensor and its views. @internal */
export interface Version {
  count: number;
}

// The type parameters are those of the class that this merges with.
// eslint-disable-next-line @typescript-eslint/no-unused-vars
export interface Tensor<S extends Shape = Shape, D extends DType = DType> extends OpMethods {
  /** The tensor as text, as `console.log` shows it: values, shape, dtype, device. Waits for queued work. */
  toString(): string;
}

/**
 * An n-dimensional array of numbers of one dtype, on one device, of up to 8 dimensions.
 *
 * Make one with `tensor`, `zeros`, `randn` and the like. Views (reshape, transpose, slice ...) share memory with the tensor
 * they come from. Memory is freed when the tensor is forgotten, or at once by `dispose`, `using` or `tidy`.
 *
 * Methods whose result depends on `S` or `D` by a rule take them from `this`, so that a tensor of a known shape can be used
 * where any tensor can.
 *
 * `S` is the shape as far as the compiler knows it: `Tensor<readonly [2, 3]>`; an unknown dimension is `number`, an unknown
 * rank `readonly number[]`.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]]);
 * console.log(x.matmul(x)); // tensor([[ 7., 10.], [15., 22.]], shape=[2,2], dtype=float32, device=cpu)
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging -- the methods are put on the prototype in methods.ts
export class Tensor<S extends Shape = Shape, D extends DType = DType> {
  /** The sizes of the dimensions; `[]` for a scalar. */
  readonly shape: S;
  /** The element type. */
  readonly dtype: D;
  /** The device that holds the elements. */
  readonly device: Device;
  /** The gradient accumulated by `backward()`; null before the first. */
  grad: Tensor<S, D> | null = null;

  /** @internal */ _handle: Handle = 0;
  /** Strides in elements, null when contiguous. @internal */ readonly _strides: readonly number[] | null;
  /** Offset in the storage, in elements. @internal */ readonly _offset: number;
  /** @internal */ readonly _version: Version;
  /** @internal */ _page: object | null = null;
  /** @internal */ _requiresGrad = false;
  /** Of a leaf; those of other tensors are at their nodes. @internal */ _hooks: HookList<GradHook> | null = null;
  /** What made this tensor, when gradients flow through it. @internal */ _node: GradNode | null = null;
  /** Which of the node's outputs it is. @internal */ _nodeOutput = 0;
  /** Graph nodes that have saved this tensor: while there are any, dispose() keeps the memory. @internal */ _pins = 0;
  /** Gradient slots that hold this tensor during a backward pass. @internal */ _uses = 0;
  /** Disposed by the user; the handle may live on while pinned. @internal */ _disposed = false;
  /** Not freed by tidy. @internal */ _kept = false;
  /** Learned, though it may be frozen. @internal */ _isParameter = false;
  /** Shares its storage with the tensor it was taken from. @internal */ _isView = false;

  /** @internal Use the creation functions. */
  constructor(shape: S, dtype: D, device: Device, strides: readonly number[] | null, offset: number, version: Version) {
    this.shape = shape;
    this.dtype = dtype;
    this.device = device;
    this._strides = strides;
    this._offset = offset;
    this._version = version;
  }

  /** The number of dimensions. */
  get ndim(): number {
    return this.shape.length;
  }

  /** The number of elements. */
  get numel(): number {
    return numel(this.shape);
  }

  /** Elements to step over in memory for one step along each dimension. */
  get strides(): readonly number[] {
    return this._strides ?? contiguousStrides(this.shape);
  }

  /** True when the elements lie in row-major order without gaps. */
  get isContiguous(): boolean {
    return this._strides === null || isContiguous(this.shape, this._strides);
  }

  /**
   * How the elements lie in memory: `'contiguous'` (row-major), `'channelsLast'` (of [N, C, spatial...]: the channels of a
   * position side by side, as convolutions leave them), or `'strided'` for any other view.
   */
  get memoryFormat(): 'contiguous' | 'channelsLast' | 'strided' {
    if (this.isContiguous) return 'contiguous';
    return isChannelsLast(this.shape, this.strides) ? 'channelsLast' : 'strided';
  }

  /** True when memory was given back; any further use throws DisposedError. */
  get isDisposed(): boolean {
    return this._disposed;
  }

  /** True if operations on this tensor are recorded for `backward()`. */
  get requiresGrad(): boolean {
    return this._requiresGrad || this._node !== null;
  }

  /** As `requiresGrad_(value)`. */
  set requiresGrad(value: boolean) {
    this.requiresGrad_(value);
  }

  /** True for tensors that no recorded operation made: parameters and data. */
  get isLeaf(): boolean {
    return this._node === null;
  }

  /**
   * Sets whether operations on this leaf are recorded, in place.
   *
   * @throws DTypeError for integer and bool tensors; GradError for a tensor that an operation made
   */
  requiresGrad_(value = true): this {
    liveHandle(this, 'requiresGrad_');
    if (value && !isFloating(this.dtype)) {
      throw new DTypeError(`requiresGrad_: only float tensors can have gradients, this one is ${this.dtype}.`);
    }
    if (!value && this._node !== null) {
      throw new GradError(
        'requiresGrad_: this tensor was made by a recorded operation; use detach() to leave the graph.',
      );
    }
    this._requiresGrad = value;
    return this;
  }

  /** The elements in row-major order, as a typed array (float16 and bfloat16 as Float32Array, int64 as BigInt64Array). */
  async data<T extends DType>(this: Tensor<Shape, T>): Promise<TypedArrayOf<T>> {
    const host = onCpu(this, 'data');
    const answer = readElements(host._handle, this.dtype, this.numel, mayAnswerNow());
    if (host !== this) host.dispose();
    return answer;
  }

  /** As `data()`, waiting for queued work. */
  dataSync<T extends DType>(this: Tensor<Shape, T>): TypedArrayOf<T> {
    const host = onCpu(this, 'dataSync');
    const answer = readElementsSync(host._handle, this.dtype, this.numel);
    if (host !== this) host.dispose();
    return answer;
  }

  /** The elements as they lie in memory in row-major order, little endian, `itemSize(dtype)` bytes each. */
  async bytes(): Promise<Uint8Array> {
    const host = onCpu(this, 'bytes');
    const answer = readBytes(host._handle, this.dtype, this.numel * itemSize(this.dtype), mayAnswerNow());
    if (host !== this) host.dispose();
    return answer;
  }

  /** As `bytes()`, waiting for queued work. */
  bytesSync(): Uint8Array {
    const host = onCpu(this, 'bytesSync');
    const answer = readBytesSync(host._handle, this.dtype, this.numel * itemSize(this.dtype));
    if (host !== this) host.dispose();
    return answer;
  }

  /** The elements as nested arrays; a plain value for a scalar. int64 gives bigints, bool booleans. */
  async array<N extends Shape, T extends DType>(this: Tensor<N, T>): Promise<NestedArray<N, ItemOf<T>>> {
    return nest<N, ItemOf<T>>(await this.data(), this.shape, this.dtype);
  }

  /** As `array()`, waiting for queued work. */
  arraySync<N extends Shape, T extends DType>(this: Tensor<N, T>): NestedArray<N, ItemOf<T>> {
    return nest<N, ItemOf<T>>(this.dataSync(), this.shape, this.dtype);
  }

  /**
   * The value of a tensor of one element: number, bigint for int64, boolean for bool.
   *
   * @throws ShapeError when there is not exactly one element
   */
  async item<T extends DType>(this: Tensor<Shape, T>): Promise<ItemOf<T>> {
    checkOneElement(this, 'item');
    return itemOf(await this.data(), this.dtype);
  }

  /** As `item()`, waiting for queued work. */
  itemSync<T extends DType>(this: Tensor<Shape, T>): ItemOf<T> {
    checkOneElement(this, 'itemSync');
    return itemOf(this.dataSync(), this.dtype);
  }

  /** As `to('float32')`. */
  float<N extends Shape>(this: Tensor<N>): Tensor<N, 'float32'> {
    return this.to('float32');
  }

  /** As `to('float64')`. */
  double<N extends Shape>(this: Tensor<N>): Tensor<N, 'float64'> {
    return this.to('float64');
  }

  /** As `to('float16')`. */
  half<N extends Shape>(this: Tensor<N>): Tensor<N, 'float16'> {
    return this.to('float16');
  }

  /** As `to('bfloat16')`. */
  bfloat16<N extends Shape>(this: Tensor<N>): Tensor<N, 'bfloat16'> {
    return this.to('bfloat16');
  }

  /** As `to('int32')`. */
  int<N extends Shape>(this: Tensor<N>): Tensor<N, 'int32'> {
    return this.to('int32');
  }

  /** As `to('int64')`. */
  long<N extends Shape>(this: Tensor<N>): Tensor<N, 'int64'> {
    return this.to('int64');
  }

  /** As `to('uint8')`. */
  byte<N extends Shape>(this: Tensor<N>): Tensor<N, 'uint8'> {
    return this.to('uint8');
  }

  /** As `to('bool')`. */
  bool<N extends Shape>(this: Tensor<N>): Tensor<N, 'bool'> {
    return this.to('bool');
  }

  /** The dtype of another tensor: `to(other.dtype)`. */
  typeAs<N extends Shape, T extends DType>(this: Tensor<N>, other: Tensor<Shape, T>): Tensor<N, T> {
    return this.to(other.dtype);
  }

  /** The shape, or the size of a dimension; negative ones count from the last. */
  size(): S;
  size(dim: number): number;
  size(dim?: number): S | number {
    return dim === undefined ? this.shape : this.shape[normalizeDim('size', dim, this.shape.length)];
  }

  /** The number of dimensions, as `ndim`. */
  dim(): number {
    return this.shape.length;
  }

  /** True for float dtypes. */
  isFloatingPoint(): boolean {
    return isFloating(this.dtype);
  }

  /** The elements as nested arrays, as `arraySync()`. */
  tolist<N extends Shape, T extends DType>(this: Tensor<N, T>): NestedArray<N, ItemOf<T>> {
    return this.arraySync();
  }

  /** The dimensions in reverse order: of a matrix, its transpose. A view. */
  get T(): Tensor<Shape, D> {
    return this.permute(this.shape.map((_, d) => this.shape.length - 1 - d));
  }

  /** Frees the memory now (of a view: its share). Harmless a second time. Views and the autograd graph keep theirs. */
  dispose(): void {
    if (this._disposed) return;
    this._disposed = true;
    if (this._pins === 0) releaseHandle(this);
  }

  /** Called at the end of the scope of `using x = ...`: `dispose()`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Shape, dtype and device, without values: what `JSON.stringify` writes. */
  // Without this `a + b` would be a string and `loss > 0` false, silently.
  [Symbol.toPrimitive](hint: string): string {
    if (hint === 'string') return this.toString();
    throw new TypeError(
      'Tensors have no JavaScript operators: use methods, such as a.add(b) and a.gt(b), or read a value with item().',
    );
  }

  /** Shape, dtype and device, for logs; the elements are not read. */
  toJSON(): unknown {
    return { shape: this.shape, dtype: this.dtype, device: this.device };
  }
}

/** True for a Tensor of this copy of Thalweg and this thread. */
export function isTensor(value: unknown): value is Tensor {
  return value instanceof Tensor;
}

function checkOneElement(tensor: Tensor, op: string): void {
  if (tensor.numel !== 1) {
    throw new ShapeError(
      `${op}: the tensor of shape ${formatShape(tensor.shape)} has ${tensor.numel} elements, not one; use data() or array().`,
    );
  }
}

function itemOf<D extends DType>(data: TypedArrayOf<D>, dtype: D): ItemOf<D> {
  const value: number | bigint = data[0];
  return (dtype === 'bool' ? value !== 0 : value) as ItemOf<D>;
}

// What can be read: the tensor itself, or a copy that the caller disposes. Commands run in order, so it may do that at once.
function onCpu<S extends Shape, D extends DType>(tensor: Tensor<S, D>, op: string): Tensor<S, D> {
  liveHandle(tensor, op);
  return tensor.device === 'cpu' ? tensor : copyToDevice(op, tensor, 'cpu');
}

// A contiguous copy on another device.
function copyToDevice<S extends Shape, D extends DType>(op: string, x: Tensor<S, D>, device: Device): Tensor<S, D> {
  const out = emptyTensor(op, x.shape, x.dtype, device);
  transfer(op, out, x);
  return out;
}

/**
 * Copies `x` into a tensor on another device that lies contiguously, or as `stridesLike(shape, x)` says.
 *
 * @param aside from the CPU, beside what is computed on the other device
 * @internal
 */
export function transfer(op: string, out: Tensor, x: Tensor, aside = false): void {
  let source = x;
  // What travels has to lie without gaps, and in the same order.
  if (out.isContiguous && !x.isContiguous) {
    source = emptyTensor(op, x.shape, x.dtype, x.device);
    native.copy(source._handle, x._handle);
  }
  if (aside && x.device === 'cpu') native.copyAside(out._handle, source._handle);
  else native.copy(out._handle, source._handle);
  if (source !== x) source.dispose();
}

/** Fills a tensor from a typed array of the elements in row-major order. @internal */
export function writeElements(op: string, out: Tensor, data: ArrayBufferView, dtype: number): void {
  if (out.device === 'cpu') {
    native.write(out._handle, data, dtype);
    return;
  }
  const host = emptyTensor(op, out.shape, out.dtype, 'cpu');
  native.write(host._handle, data, dtype);
  native.copy(out._handle, host._handle);
  host.dispose();
}

/** The handle for reading. @internal */
export function liveHandle(tensor: Tensor, op: string): Handle {
  if (tensor._disposed) throw disposedError(tensor, op);
  return tensor._handle;
}

/** @internal */
export function disposedError(tensor: Tensor, op: string, name?: string): DisposedError {
  const what = name === undefined ? 'the tensor' : name;
  return new DisposedError(`${op}: ${what} of shape ${formatShape(tensor.shape)} was disposed.`);
}

/** Gives the handle back. @internal */
export function releaseHandle(tensor: Tensor): void {
  if (tensor._handle !== 0) {
    native.dispose(tensor._handle);
    tensor._handle = 0;
  }
}

/**
 * A new tensor of a checked shape, with unspecified contents: contiguous, or with strides that are a permutation of that.
 *
 * @internal
 */
export function emptyTensor<S extends Shape, D extends DType>(
  op: string,
  shape: S,
  dtype: D,
  device: Device,
  strides: readonly number[] | null = null,
): Tensor<S, D> {
  if (shape.length > maxRank)
    throw new ShapeError(`${op}: the result would have ${shape.length} dimensions, at most ${maxRank} are supported.`);
  const result = new Tensor(shape, dtype, device, strides, 0, { count: 0 });
  const bytes = numel(shape, op) * itemSize(dtype);
  result._handle = allocate(
    op,
    result,
    dtypeId(dtype),
    shape,
    bytes,
    strides,
    device === 'cpu' ? 0 : deviceIndex(device),
  );
  track(result);
  return result;
}

/** The strides of a result of `shape` that lies in memory as `like` does: those of channels-last, or null. @internal */
export function stridesLike(shape: Shape, like: Tensor): readonly number[] | null {
  if (like._strides === null || !isChannelsLast(like.shape, like._strides)) return null;
  const strides = channelsLastStrides(shape);
  return isContiguous(shape, strides) ? null : strides;
}

/**
 * A new tensor that the map kernel fills from operands staged in the scratch arrays, all of `shape`. Null when there is no
 * room before a collection; the operands are staged still.
 *
 * @internal
 */
export function mapNewTensor<S extends Shape, D extends DType>(
  program: ProgramId,
  shape: S,
  dtype: D,
  device: Device,
  tensors: number,
  scalars: number,
): Tensor<S, D> | null {
  const result = new Tensor(shape, dtype, device, null, 0, { count: 0 });
  let bytes = itemSize(dtype);
  for (let d = 0; d < shape.length; d++) bytes *= shape[d];
  const owner = keeperFor(result, bytes);
  const handle = native.mapNew(program, dtypeId(dtype) | (tensors << 4) | (scalars << 12), owner);
  if (handle === 0) return null;
  result._handle = handle;
  track(result);
  return result;
}

/** Another window on the memory of `base`; null strides: contiguous. @internal */
export function viewTensor<S extends Shape, D extends DType>(
  base: Tensor<Shape, D>,
  shape: S,
  strides: readonly number[] | null,
  offset: number,
): Tensor<S, D> {
  const result = new Tensor(shape, base.dtype, base.device, strides, offset, base._version);
  const ndim = shape.length;
  const steps = strides ?? contiguousStrides(shape);
  for (let d = 0; d < ndim; d++) {
    scratchNumbers[d] = shape[d]!;
    scratchNumbers[strideBase + d] = steps[d]!;
  }
  // A view may hold a large storage, so it has a weak reference of its own.
  result._isView = true;
  result._handle = native.view(base._handle, ndim, offset, keeperFor(result, Infinity));
  track(result);
  return result;
}
