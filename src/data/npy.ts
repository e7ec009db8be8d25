// NPY, NumPy's format of one array, from and to tensors. Pickled content is never executed: see pickle.ts.
import type { Device } from '../device.js';
import { dtypes, type DType } from '../dtype.js';
import { ArgumentError, DTypeError, FileError } from '../errors.js';
import { writeFileAtomic } from '../io/atomic.js';
import { type ByteSource, memorySource, withFileSource } from '../io/bytes.js';
import { writeAll } from '../io/file.js';
import { fromBytes, fromTypedArray } from '../ops/creation.js';
import { Tensor } from '../tensor/tensor.js';
import { NPY_PREFIX, type NpyHeader, npyHeaderLength, parseNpyHeader } from './npyHeader.js';
import { parseIntLists } from './pickle.js';

/** Where what is read goes. */
export interface NpyReadOptions {
  /** The tensors' device. Default 'cpu'. */
  readonly device?: Device;
}

/** Elements in the machine's order to a tensor. The integers that are no tensor's type become the next larger one. */
function elementsToTensor(
  type: string,
  bytes: Uint8Array<ArrayBuffer>,
  shape: readonly number[],
  where: string,
): Tensor {
  const { buffer } = bytes;
  switch (type) {
    case 'b1': {
      const at = bytes.findIndex((byte) => byte > 1);
      if (at >= 0) throw new FileError(`${where}: element ${at} of a bool array is the byte ${bytes[at]}, not 0 or 1.`);
      return fromBytes(bytes, shape, 'bool');
    }
    case 'u1':
      return fromBytes(bytes, shape, 'uint8');
    case 'i4':
      return fromBytes(bytes, shape, 'int32');
    case 'i8':
      return fromBytes(bytes, shape, 'int64');
    case 'f2':
      return fromBytes(bytes, shape, 'float16');
    case 'f4':
      return fromBytes(bytes, shape, 'float32');
    case 'f8':
      return fromBytes(bytes, shape, 'float64');
    case 'i1':
      return fromTypedArray(Int32Array.from(new Int8Array(buffer)), shape);
    case 'i2':
      return fromTypedArray(Int32Array.from(new Int16Array(buffer)), shape);
    case 'u2':
      return fromTypedArray(Int32Array.from(new Uint16Array(buffer)), shape);
    case 'u4':
      return fromTypedArray(BigInt64Array.from(new Uint32Array(buffer), BigInt), shape);
    default: {
      const signed = new BigInt64Array(buffer);
      const at = signed.findIndex((value) => value < 0n);
      if (at >= 0) {
        const value = BigInt.asUintN(64, signed[at]);
        throw new DTypeError(
          `${where}: element ${at} of a uint64 array is ${value}, more than int64 holds; convert it in NumPy first.`,
        );
      }
      return fromTypedArray(signed, shape);
    }
  }
}

function makeTensor(header: NpyHeader, bytes: Uint8Array, where: string, device: Device | undefined): Tensor {
  const { type, bigEndian, fortranOrder, shape, itemSize } = header;
  // A copy of its own: it may be swapped, and typed arrays need it aligned.
  const copy = Buffer.from(new ArrayBuffer(bytes.byteLength));
  copy.set(bytes);
  if (bigEndian) {
    if (itemSize === 2) copy.swap16();
    else if (itemSize === 4) copy.swap32();
    else copy.swap64();
  }
  const stored = fortranOrder ? [...shape].reverse() : shape;
  let result = elementsToTensor(type, copy, stored, where);
  const replace = (next: Tensor): void => {
    if (next === result) return;
    result.dispose();
    result = next;
  };
  if (fortranOrder && shape.length > 1) replace(result.permute(shape.map((_, d) => shape.length - 1 - d)).contiguous());
  if (device !== undefined) replace(result.to(device));
  return result;
}

const refusal = (where: string): string =>
  `${where}: it holds pickled Python objects, which are not read, because that would run code from the file. ` +
  `In NumPy, save numbers: an array of one dtype, or one array per object.`;

/** Reads the header, and checks the size of what follows it. */
async function readHeader(source: ByteSource, where: string): Promise<NpyHeader> {
  const prefix = await source.read(0, Math.min(NPY_PREFIX, source.size));
  const length = npyHeaderLength(prefix, where);
  return parseNpyHeader(await source.read(0, Math.min(length, source.size)), where);
}

function checkSize(header: NpyHeader, total: number, where: string): void {
  const { shape, type, itemSize, headerBytes } = header;
  // As bigint: dimensions whose product wraps around must not fit by accident.
  const expected = shape.reduce((product, dim) => product * BigInt(dim), BigInt(itemSize)) + BigInt(headerBytes);
  if (expected === BigInt(total)) return;
  const missing = expected - BigInt(total);
  const verdict = missing > 0n ? `truncated, ${missing} bytes are missing` : `${-missing} bytes too many at the end`;
  throw new FileError(
    `${where}: ${verdict}: shape [${shape.join(', ')}] of ${type} takes ${expected} bytes with the header, ` +
      `there are ${total}.`,
  );
}

/** Reads one array of a file, or of a member of an NPZ archive. @internal */
export async function readNpyFrom(source: ByteSource, options: NpyReadOptions = {}): Promise<Tensor> {
  const where = `npy ${source.name}`;
  const header = await readHeader(source, where);
  if (header.type === 'O') throw new FileError(refusal(where));
  checkSize(header, source.size, where);
  const bytes = await source.read(header.headerBytes, source.size - header.headerBytes);
  return makeTensor(header, bytes, where, options.device);
}

/**
 * Reads an NPY file into a tensor: versions 1 to 3 of the format, both byte orders, C and Fortran order.
 *
 * bool, uint8, int32, int64, float16, float32 and float64 keep their type. int8, int16 and uint16 become int32; uint32 and
 * uint64 become int64.
 *
 * @throws FileError if the file is missing, truncated, damaged, or holds pickled objects; DTypeError for elements that no
 *   tensor can hold (complex numbers, text, dates, structures, uint64 of 2^63 and more)
 *
 * @example
 * const images = await data.readNpy('images.npy'); // numpy.save('images.npy', a)
 */
export async function readNpy(file: string, options: NpyReadOptions = {}): Promise<Tensor> {
  return withFileSource(file, 'npy', (source) => readNpyFrom(source, options));
}

/**
 * A tensor from the bytes of an NPY file; as `readNpy`.
 *
 * @param bytes the whole file
 * @param file a name for error messages
 * @throws FileError, DTypeError as `readNpy`
 *
 * @example
 * const x = await data.parseNpy(await readFile('x.npy'), 'x.npy');
 */
export async function parseNpy(bytes: Uint8Array, file = 'data', options: NpyReadOptions = {}): Promise<Tensor> {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError('parseNpy: expected the bytes as a Uint8Array.');
  return readNpyFrom(memorySource(bytes, file), options);
}

/**
 * Reads an array of Python lists of integers: what NumPy makes of lists of different lengths, such as the reviews of
 * Keras's `imdb.npz`. The pickle inside is read as data by a reader that knows nothing else and runs nothing.
 *
 * @param bytes the whole NPY file
 * @param file a name for error messages
 * @throws FileError if it holds anything else, or is damaged
 *
 * @example
 * data.parseNpyLists(bytes); // [Int32Array [1, 14, 22], Int32Array [1, 194]]
 */
export function parseNpyLists(bytes: Uint8Array, file = 'data'): Int32Array[] {
  if (!(bytes instanceof Uint8Array)) throw new ArgumentError('parseNpyLists: expected the bytes as a Uint8Array.');
  const where = `npy ${file}`;
  const header = parseNpyHeader(bytes, where);
  if (header.type !== 'O' || header.shape.length !== 1) {
    throw new FileError(
      `${where}: expected a one-dimensional array of lists, got [${header.shape.join(', ')}] of ${header.type}.`,
    );
  }
  const lists = parseIntLists(bytes.subarray(header.headerBytes), where);
  if (lists.length !== header.shape[0]) {
    throw new FileError(`${where}: the header says ${header.shape[0]} lists, there are ${lists.length}.`);
  }
  return lists;
}

const descrs: Readonly<Partial<Record<DType, string>>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  bool: '|b1',
};

/** The header of a tensor's NPY file, the same bytes as NumPy's. @internal */
export function npyHeaderOf(op: string, tensor: Tensor): Uint8Array {
  if (!(tensor instanceof Tensor)) throw new ArgumentError(`${op}: expected a tensor.`);
  const { dtype, shape } = tensor;
  const descr = descrs[dtype];
  if (descr === undefined) {
    const known = dtypes.filter((name) => descrs[name] !== undefined).join(', ');
    throw new DTypeError(`${op}: NumPy has no ${dtype} (it has ${known}); convert the tensor by .to('float32') first.`);
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // NumPy leaves room for the first dimension to grow to 21 digits, and aligns what follows to 64 bytes.
  const growth = shape.length === 0 ? 0 : 21 - String(shape[0]).length;
  const used = 10 + text.length + growth + 1;
  const length = Math.ceil(used / 64) * 64;
  const header = Buffer.alloc(length, 0x20);
  header.write('\x93NUMPY\x01\x00', 0, 'latin1');
  header.writeUInt16LE(length - 10, 8);
  header.write(text, 10, 'latin1');
  header[length - 1] = 0x0a;
  return header;
}

/**
 * Writes a tensor as an NPY file, which `numpy.load` reads, atomically: the old file stays whole until the new one is.
 *
 * @param file the file's path; its folder must exist
 * @param tensor of any dtype but bfloat16, which NumPy does not have; views are written as their own contiguous content
 * @throws DTypeError for bfloat16; FileError if writing fails
 *
 * @example
 * await data.saveNpy('weights.npy', model.weight);
 */
export async function saveNpy(file: string, tensor: Tensor): Promise<void> {
  const header = npyHeaderOf('saveNpy', tensor);
  const bytes = await tensor.bytes();
  await writeFileAtomic(file, async (handle) => {
    await writeAll(handle, header);
    await writeAll(handle, bytes);
  });
}
