// The header of NPY, NumPy's format of one array: a magic, a version, a length, and a Python dictionary as text with the
// keys 'descr' (the element type), 'fortran_order' and 'shape'.
import { DTypeError, FileError } from '../errors.js';
import { maxRank } from '../shape.js';

/** What an NPY header says. */
export interface NpyHeader {
  /** NumPy's letter of the kind and the bytes of an element, such as `f4`; `O` for Python objects. */
  readonly type: string;
  readonly bigEndian: boolean;
  /** The first dimension varies fastest. */
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
  /** Bytes before the elements. */
  readonly headerBytes: number;
  /** Bytes of one element; 0 for objects. */
  readonly itemSize: number;
}

const MAGIC = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);
/** Enough bytes to know how long the header is. */
export const NPY_PREFIX = 12;
/** NumPy writes less than a kilobyte for anything that is no structure. */
const MAX_HEADER = 64 * 1024;

/** Maps, because the keys come from the file: an object would also answer to `constructor`. */
const itemSizes: ReadonlyMap<string, number> = new Map(
  ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'].map((type) => [type, Number(type[1])]),
);

const kinds: ReadonlyMap<string, string> = new Map([
  ['c', 'complex numbers'],
  ['f', 'floats of that size'],
  ['m', 'time spans'],
  ['M', 'dates'],
  ['S', 'byte strings'],
  ['U', 'text'],
  ['V', 'raw bytes'],
]);

/**
 * How many bytes the header takes, the prefix included.
 *
 * @param prefix the first bytes of the file, at least `NPY_PREFIX` unless it is shorter
 * @throws FileError if it is not NPY
 */
export function npyHeaderLength(prefix: Uint8Array, where: string): number {
  const magic = prefix.subarray(0, MAGIC.length);
  if (Buffer.compare(magic, MAGIC) !== 0) {
    const got = Buffer.from(magic).toString('hex') || 'nothing';
    throw new FileError(`${where}: wrong magic ${got}: expected ${Buffer.from(MAGIC).toString('hex')} ("\\x93NUMPY").`);
  }
  const major = prefix[6];
  if (major === undefined || prefix.byteLength < (major === 1 ? 10 : NPY_PREFIX)) {
    throw new FileError(`${where}: truncated: ${prefix.byteLength} bytes, less than the beginning of a header.`);
  }
  if (major < 1 || major > 3 || prefix[7] !== 0) {
    throw new FileError(`${where}: version ${major}.${prefix[7]} of the format; known are 1.0, 2.0 and 3.0.`);
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const start = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (length > MAX_HEADER) {
    throw new FileError(`${where}: a header of ${length} bytes is over the limit of ${MAX_HEADER}.`);
  }
  return start + length;
}

/** Splits a Python literal of the kind that NumPy writes into tokens; null where something else is found. */
function tokenise(text: string): string[] | null {
  const token = /\s*('(?:[^'\\\n]*)'|"(?:[^"\\\n]*)"|True|False|\d{1,20}L?|[{}(),:[\]])/y;
  const tokens: string[] = [];
  const end = text.trimEnd().length;
  while (token.lastIndex < end) {
    const match = token.exec(text);
    if (match === null) return null;
    tokens.push(match[1]);
  }
  return tokens;
}

const unquote = (token: string | undefined): string | undefined =>
  token !== undefined && /^['"]/.test(token) ? token.slice(1, -1) : undefined;

interface Fields {
  descr?: string;
  fortran_order?: boolean;
  shape?: number[];
}

/** The three fields of `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` in any order; null for all else. */
function parseFields(tokens: readonly string[]): Fields | 'structure' | null {
  const fields: Fields = {};
  let at = 0;
  const take = (token: string): boolean => tokens[at] === token && ++at > 0;
  if (!take('{')) return null;
  while (!take('}')) {
    const key = unquote(tokens[at++]);
    if (!take(':') || key === undefined || Object.hasOwn(fields, key)) return null;
    if (key === 'descr') {
      if (tokens[at] === '[') return 'structure';
      const descr = unquote(tokens[at++]);
      if (descr === undefined) return null;
      fields.descr = descr;
    } else if (key === 'fortran_order') {
      const value = tokens[at++];
      if (value !== 'True' && value !== 'False') return null;
      fields.fortran_order = value === 'True';
    } else if (key === 'shape') {
      if (!take('(')) return null;
      const shape: number[] = [];
      while (!take(')')) {
        if (!/^\d/.test(tokens[at] ?? '')) return null;
        shape.push(Number(tokens[at++].replace('L', '')));
        if (!take(',') && tokens[at] !== ')') return null;
      }
      fields.shape = shape;
    } else {
      return null;
    }
    if (!take(',') && tokens[at] !== '}') return null;
  }
  return at === tokens.length ? fields : null;
}

/** The kind and size of an element. Python objects are `O`; the caller decides what to do about them. */
function parseType(descr: string, where: string): { type: string; bigEndian: boolean; itemSize: number } {
  const match = /^([<>|])([a-zA-Z])(\d{0,9})(?:\[.*\])?$/.exec(descr);
  if (match === null) throw new FileError(`${where}: the element type '${descr.slice(0, 40)}' is not one of NumPy's.`);
  const [, order, kind, size] = match;
  if (kind === 'O') return { type: 'O', bigEndian: false, itemSize: 0 };
  const type = kind + size;
  const itemSize = itemSizes.get(type);
  if (itemSize === undefined || descr.endsWith(']') || (order === '|') !== (itemSize === 1)) {
    const what = kinds.get(kind) ?? 'no numbers known here';
    throw new DTypeError(
      `${where}: it holds elements of NumPy's type '${descr.slice(0, 40)}' (${what}), which have no tensor type; ` +
        `convert them in NumPy first, for example by a.astype('float32').`,
    );
  }
  return { type, bigEndian: order === '>', itemSize };
}

/**
 * Parses a whole header.
 *
 * @param bytes the file's first bytes, as many as `npyHeaderLength` says
 * @throws FileError if it is damaged; DTypeError for elements that no tensor can hold
 */
export function parseNpyHeader(bytes: Uint8Array, where: string): NpyHeader {
  const headerBytes = npyHeaderLength(bytes.subarray(0, NPY_PREFIX), where);
  if (bytes.byteLength < headerBytes) {
    throw new FileError(`${where}: truncated: ${bytes.byteLength} bytes, the header takes ${headerBytes}.`);
  }
  const text = Buffer.from(bytes.subarray(bytes[6] === 1 ? 10 : 12, headerBytes)).toString('latin1');
  const tokens = tokenise(text);
  const fields = tokens === null ? null : parseFields(tokens);
  if (fields === 'structure') {
    throw new DTypeError(
      `${where}: it holds structures with named fields, which have no tensor type; ` +
        `save each field as an array of its own in NumPy.`,
    );
  }
  if (fields?.descr === undefined || fields.fortran_order === undefined || fields.shape === undefined) {
    const shown = JSON.stringify(text.trim().slice(0, 100));
    throw new FileError(
      `${where}: the header ${shown} is not of the form {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.`,
    );
  }
  const { shape } = fields;
  const odd = shape.find((dim) => !Number.isSafeInteger(dim));
  if (odd !== undefined) throw new FileError(`${where}: a dimension of ${odd} is more than 2^53 - 1.`);
  if (shape.length > maxRank) {
    throw new FileError(`${where}: ${shape.length} dimensions; a tensor has at most ${maxRank}.`);
  }
  return { ...parseType(fields.descr, where), fortranOrder: fields.fortran_order, shape, headerBytes };
}
