// The elements of a tensor as JavaScript has them.
import { dtypeId, typedArrayOf, type DType, type TypedArrayOf } from '../dtype.js';
import { native, scratchNumbers, type Handle } from '../native.js';

// Windows on the memory that both sides share, where a few bytes are handed over.
const windows = new Map<DType, TypedArrayOf<DType>>();

function windowOf(dtype: DType): TypedArrayOf<DType> {
  let window = windows.get(dtype);
  if (window === undefined) {
    const { buffer, byteOffset, byteLength } = scratchNumbers;
    const Type = typedArrayOf(dtype);
    window = new Type(buffer as ArrayBuffer, byteOffset, byteLength / Type.BYTES_PER_ELEMENT);
    windows.set(dtype, window);
  }
  return window;
}

const elements = <D extends DType>(bytes: ArrayBuffer | undefined, dtype: D, count: number): TypedArrayOf<D> =>
  bytes === undefined ? (windowOf(dtype).slice(0, count) as TypedArrayOf<D>) : new (typedArrayOf(dtype))(bytes);

// Half types are read as float32, which holds their values.
const readAs = (dtype: DType): number => dtypeId(dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype);

/**
 * @param now a result that is there may be given without a turn of the event loop
 * @internal
 */
export async function readElements<D extends DType>(
  handle: Handle,
  dtype: D,
  count: number,
  now: boolean,
): Promise<TypedArrayOf<D>> {
  const given = native.read(handle, readAs(dtype), now);
  return elements(given instanceof Promise ? await given : given, dtype, count);
}

/** @internal */
export const readElementsSync = <D extends DType>(handle: Handle, dtype: D, count: number): TypedArrayOf<D> =>
  elements(native.readSync(handle, readAs(dtype)), dtype, count);

const bytesOf = (given: ArrayBuffer | undefined, size: number): Uint8Array =>
  given === undefined
    ? new Uint8Array(scratchNumbers.buffer as ArrayBuffer, scratchNumbers.byteOffset, size).slice()
    : new Uint8Array(given);

/** `size`: how many bytes there are. @internal */
export async function readBytes(handle: Handle, dtype: DType, size: number, now: boolean): Promise<Uint8Array> {
  const given = native.read(handle, dtypeId(dtype), now);
  return bytesOf(given instanceof Promise ? await given : given, size);
}

/** @internal */
export const readBytesSync = (handle: Handle, dtype: DType, size: number): Uint8Array =>
  bytesOf(native.readSync(handle, dtypeId(dtype)), size);
