// Samples and batches as plain data: what can be sent to another thread, kept in a cache or written to a file.
import type { Device } from '../device.js';
import type { DType } from '../dtype.js';
import { ArgumentError } from '../errors.js';
import { fromBytes } from '../ops/creation.js';
import { isTensor, type Tensor } from '../tensor/tensor.js';

type Key = string | number;

/** A tensor as its bytes, and where in the value it stood. */
export interface PackedTensor {
  readonly path: readonly unknown[];
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly device: Device;
  readonly bytes: Uint8Array;
}

/** A value with null in place of each tensor, and the tensors. */
export interface Packed {
  readonly value: unknown;
  readonly tensors: readonly PackedTensor[];
}

/** Deeper than any sample, and far from the end of the stack. */
const MAX_DEPTH = 64;

const arrayTypes = [
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  BigUint64Array,
  Float32Array,
  Float64Array,
] as const;

/** A typed array of its own memory: a view would take all that it looks at along with it. */
function copyArray(array: NodeJS.TypedArray, op: string): NodeJS.TypedArray {
  const Type = arrayTypes.find((type) => array instanceof type);
  if (Type === undefined) throw new ArgumentError(`${op}: cannot keep a ${array.constructor.name}.`);
  const bytes = new Uint8Array(array.byteLength);
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  return new Type(bytes.buffer);
}

const isPlain = (value: object): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has another Object.prototype, which has no prototype either.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

function show(path: readonly unknown[]): string {
  if (path.length === 0) return 'the value';
  return path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
}

/** A copy of a value, with new containers; `tensor` replaces the tensors. */
function copyOf(op: string, value: unknown, tensor: (found: Tensor, path: readonly unknown[]) => unknown): unknown {
  const copy = (part: unknown, path: readonly unknown[]): unknown => {
    if (typeof part === 'function' || typeof part === 'symbol')
      throw new ArgumentError(`${op}: ${show(path)} is a ${typeof part}, which cannot be copied.`);
    if (typeof part !== 'object' || part === null) return part;
    if (isTensor(part)) return tensor(part, path);
    if (path.length > MAX_DEPTH)
      throw new ArgumentError(`${op}: a value nested deeper than ${MAX_DEPTH} levels; does it contain itself?`);
    if (Array.isArray(part)) return part.map((item, i) => copy(item, [...path, i]));
    if (ArrayBuffer.isView(part) && !(part instanceof DataView)) return copyArray(part as NodeJS.TypedArray, op);
    if (part instanceof Map)
      return new Map(Array.from(part, ([key, item]) => [key as unknown, copy(item, [...path, key])] as const));
    if (part instanceof Date) return new Date(part);
    if (isPlain(part))
      return Object.fromEntries(Object.entries(part).map(([k, item]) => [k, copy(item, [...path, k])]));
    const name = (part as { constructor?: { name?: string } }).constructor?.name ?? 'object';
    throw new ArgumentError(
      `${op}: ${show(path)} is a ${name}; samples may have tensors, typed arrays, numbers, strings, arrays, maps and plain objects.`,
    );
  };
  return copy(value, []);
}

interface Unread {
  readonly value: unknown;
  readonly tensors: readonly { readonly path: readonly unknown[]; readonly tensor: Tensor }[];
}

function takeApart(op: string, value: unknown): Unread {
  const tensors: { path: readonly unknown[]; tensor: Tensor }[] = [];
  const rest = copyOf(op, value, (tensor, path) => {
    tensors.push({ path, tensor });
    return null;
  });
  return { value: rest, tensors };
}

function packedTensor(path: readonly unknown[], { dtype, shape, device }: Tensor, bytes: Uint8Array): PackedTensor {
  return { path, dtype, shape: [...shape], device, bytes };
}

/**
 * A value as plain data, in memory of its own.
 *
 * @throws ArgumentError for what has no such form: functions, instances of classes
 */
export async function pack(op: string, value: unknown): Promise<Packed> {
  const parts = takeApart(op, value);
  const read = parts.tensors.map(async ({ path, tensor }) => packedTensor(path, tensor, await tensor.bytes()));
  return { value: parts.value, tensors: await Promise.all(read) };
}

/** As `pack`, waiting for queued work. */
export function packSync(op: string, value: unknown): Packed {
  const parts = takeApart(op, value);
  const tensors = parts.tensors.map(({ path, tensor }) => packedTensor(path, tensor, tensor.bytesSync()));
  return { value: parts.value, tensors };
}

/** What a container has under a key of its own; a path that leads elsewhere comes from a file that is wrong. */
function childOf(holder: unknown, key: unknown): unknown {
  if (holder instanceof Map && holder.has(key)) return holder.get(key);
  if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, key as Key))
    return (holder as Record<Key, unknown>)[key as Key];
  throw new ArgumentError(`unpack: there is no place ${String(key)} for a tensor.`);
}

/**
 * The value again, with new tensors.
 *
 * @param owned true: the packed value is not needed any more, its containers and arrays may become the result's
 */
export function unpack(packed: Packed, owned = false): unknown {
  let root = owned ? packed.value : copyOf('unpack', packed.value, (tensor) => tensor);
  for (const { path, dtype, shape, device, bytes } of packed.tensors) {
    const tensor = fromBytes(bytes, shape, dtype, { device });
    const last = path.at(-1);
    if (last === undefined) {
      root = tensor;
      continue;
    }
    const holder = path.slice(0, -1).reduce(childOf, root);
    childOf(holder, last);
    if (holder instanceof Map) holder.set(last, tensor);
    else (holder as Record<Key, unknown>)[last as Key] = tensor;
  }
  return root;
}

/** The buffers of a packed value: those of the tensors, and of the arrays, which are all its own. */
export function buffersOf(packed: Packed): ArrayBuffer[] {
  const buffers = packed.tensors.map(({ bytes }) => bytes.buffer as ArrayBuffer);
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    if (ArrayBuffer.isView(part)) buffers.push(part.buffer as ArrayBuffer);
    else if (Array.isArray(part) || part instanceof Map) for (const item of part.values()) visit(item);
    else if (!(part instanceof Date)) for (const item of Object.values(part)) visit(item);
  };
  visit(packed.value);
  return buffers;
}

/** What a container, a reference to a value or the record of a tensor takes, roughly. */
const OBJECT_BYTES = 64;
const REFERENCE_BYTES = 8;

/** The memory that a packed value takes: exact for elements of tensors and arrays, an estimate for the rest. */
export function sizeOf(packed: Packed): number {
  const visit = (part: unknown): number => {
    if (typeof part === 'string') return REFERENCE_BYTES + 2 * part.length;
    if (typeof part !== 'object' || part === null) return REFERENCE_BYTES;
    if (ArrayBuffer.isView(part)) return OBJECT_BYTES + part.byteLength;
    const items: Iterable<unknown> = part instanceof Map ? part.values() : Object.values(part);
    let bytes = OBJECT_BYTES;
    for (const item of items) bytes += visit(item);
    return bytes;
  };
  return packed.tensors.reduce((sum, { bytes }) => sum + OBJECT_BYTES + bytes.byteLength, visit(packed.value));
}
