// IDX, the format of MNIST's files: two zero bytes, a type code, the number of dimensions, the dimensions as
// big-endian uint32, then the elements, big-endian.
import { readFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { promisify } from 'node:util';
import { constants, gunzip, type InputType, type ZlibOptions } from 'node:zlib';
import { FileError } from '../errors.js';
import { reasonOf, toFileError } from '../io/file.js';

interface IdxArrays {
  uint8: Uint8Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  float32: Float32Array;
  float64: Float64Array;
}

/** The element types of IDX; int8 and int16 are no tensor dtypes, so the reader gives typed arrays. */
export type IdxDType = keyof IdxArrays;

/** The content of an IDX file; `data` has the type that belongs to `dtype`, in row-major order. */
export type IdxContent = {
  [D in IdxDType]: { readonly dtype: D; readonly shape: readonly number[]; readonly data: IdxArrays[D] };
}[IdxDType];

interface IdxType {
  readonly dtype: IdxDType;
  readonly itemSize: number;
  /** Makes the content of bytes that are already in the machine's order. */
  readonly make: (shape: readonly number[], buffer: ArrayBuffer) => IdxContent;
}

const types: ReadonlyMap<number, IdxType> = new Map<number, IdxType>([
  [0x08, { dtype: 'uint8', itemSize: 1, make: (shape, b) => ({ dtype: 'uint8', shape, data: new Uint8Array(b) }) }],
  [0x09, { dtype: 'int8', itemSize: 1, make: (shape, b) => ({ dtype: 'int8', shape, data: new Int8Array(b) }) }],
  [0x0b, { dtype: 'int16', itemSize: 2, make: (shape, b) => ({ dtype: 'int16', shape, data: new Int16Array(b) }) }],
  [0x0c, { dtype: 'int32', itemSize: 4, make: (shape, b) => ({ dtype: 'int32', shape, data: new Int32Array(b) }) }],
  [
    0x0d,
    { dtype: 'float32', itemSize: 4, make: (shape, b) => ({ dtype: 'float32', shape, data: new Float32Array(b) }) },
  ],
  [
    0x0e,
    { dtype: 'float64', itemSize: 8, make: (shape, b) => ({ dtype: 'float64', shape, data: new Float64Array(b) }) },
  ],
]);

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

interface IdxHeader {
  readonly type: IdxType;
  readonly shape: readonly number[];
  readonly headerBytes: number;
  /** Header and elements; exact, so that 255 huge dimensions cannot wrap around to a size that fits. */
  readonly totalBytes: bigint;
}

function parseIdxHeader(bytes: Uint8Array, file: string): IdxHeader {
  if (bytes.byteLength < 4)
    throw new FileError(`idx ${file}: truncated: ${bytes.byteLength} bytes, the magic takes 4.`);
  const [zero0, zero1, code, rank] = bytes as Uint8Array & [number, number, number, number];
  const type = types.get(code);
  if (zero0 !== 0 || zero1 !== 0 || type === undefined || rank === 0) {
    throw new FileError(
      `idx ${file}: wrong magic ${hex(bytes.subarray(0, 4))}: expected 0000, ` +
        `a type (08, 09, 0b, 0c, 0d or 0e) and the number of dimensions (at least 1).`,
    );
  }
  const headerBytes = 4 + 4 * rank;
  if (bytes.byteLength < headerBytes) {
    throw new FileError(
      `idx ${file}: truncated: ${bytes.byteLength} bytes, the header with ${rank} dimensions takes ${headerBytes}.`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, headerBytes);
  const shape = Array.from({ length: rank }, (_, dim) => view.getUint32(4 + 4 * dim, false));
  const elementBytes = shape.reduce((product, dim) => product * BigInt(dim), BigInt(type.itemSize));
  return { type, shape, headerBytes, totalBytes: BigInt(headerBytes) + elementBytes };
}

/**
 * Parses the bytes of an IDX file (not compressed). Nothing is allocated before the sizes in the header agree with
 * the number of bytes, and no byte may be left over.
 *
 * @param bytes the whole file
 * @param file a name for error messages
 * @returns dtype, shape and the elements as a typed array (a copy, in the machine's byte order)
 * @throws FileError naming the file and the numbers that do not fit
 *
 * @example
 * parseIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 7, 9)); // { dtype: 'uint8', shape: [2], data: Uint8Array [7, 9] }
 */
export function parseIdx(bytes: Uint8Array, file = 'data'): IdxContent {
  const { type, shape, headerBytes, totalBytes } = parseIdxHeader(bytes, file);
  if (BigInt(bytes.byteLength) !== totalBytes) {
    const missing = totalBytes - BigInt(bytes.byteLength);
    const verdict = missing > 0n ? `truncated, ${missing} bytes are missing` : `${-missing} bytes too many at the end`;
    throw new FileError(
      `idx ${file}: ${verdict}: shape [${shape.join(', ')}] of ${type.dtype} takes ${totalBytes} bytes ` +
        `with the header, there are ${bytes.byteLength}.`,
    );
  }
  const buffer = new ArrayBuffer(bytes.byteLength - headerBytes);
  const elements = Buffer.from(buffer);
  elements.set(bytes.subarray(headerBytes));
  if (endianness() === 'LE') {
    if (type.itemSize === 2) elements.swap16();
    else if (type.itemSize === 4) elements.swap32();
    else if (type.itemSize === 8) elements.swap64();
  }
  return type.make(shape, buffer);
}

/** True for the first bytes of a gzip stream. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes.byteLength >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b;
}

const inflate = promisify(
  gunzip as (data: InputType, options: ZlibOptions, done: (error: Error | null, result: Buffer) => void) => void,
);

/** Enough compressed bytes to hold the longest header (1,024 bytes), and few enough to stay small when inflated. */
const HEADER_SAMPLE = 8 * 1024;

/**
 * Decompresses an IDX file. A small sample is inflated first: its header says how large the rest may grow, so that a
 * few kilobytes that inflate to gigabytes are refused instead of filling the memory.
 */
async function gunzipIdx(bytes: Uint8Array, file: string): Promise<Uint8Array> {
  try {
    // Z_SYNC_FLUSH: a stream that ends in the middle will do.
    const sample = await inflate(bytes.subarray(0, HEADER_SAMPLE), { finishFlush: constants.Z_SYNC_FLUSH });
    const { totalBytes } = parseIdxHeader(sample, file);
    if (BigInt(sample.byteLength) > totalBytes) return sample;
    // One byte more than the header promises, so that a file with trailing bytes is told as such.
    const limit = totalBytes < 0x7fff_fffen ? Number(totalBytes) + 1 : 0x7fff_ffff;
    return await inflate(bytes, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof FileError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new FileError(`idx ${file}: the gzip stream holds more bytes than its IDX header says.`, { cause: error });
    }
    throw new FileError(`idx ${file}: damaged or truncated gzip stream: ${reasonOf(error)}.`, { cause: error });
  }
}

/**
 * Reads an IDX file. Gzip is recognised by its magic bytes, whatever the file is called.
 *
 * @throws FileError if the file is missing, damaged, truncated, has a wrong magic, or its size is not what its header says
 *
 * @example
 * const { shape, data } = await readIdx('train-images-idx3-ubyte.gz'); // shape [60000, 28, 28]
 */
export async function readIdx(file: string): Promise<IdxContent> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw toFileError(error, 'idx', file);
  }
  return parseIdx(isGzip(bytes) ? await gunzipIdx(bytes, file) : bytes, file);
}
