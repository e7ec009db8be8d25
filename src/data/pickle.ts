// A reader of one thing only: the pickle that NumPy writes for a one-dimensional array of lists of integers, in the
// protocols 2 to 5. Pickle is a program for a stack machine that may call anything; here the only calls are the two by which
// NumPy describes an array and its type, and they become plain data. Every other instruction or name is refused.
import { FileError } from '../errors.js';

class Global {
  constructor(readonly name: string) {}
}
class Tuple {
  constructor(readonly items: readonly Value[]) {}
}
/** numpy.dtype('O8'). */
class ObjectType {}
/** The array; its items arrive by BUILD. */
class ObjectArray {
  items: readonly Value[] | undefined;
  length = 0;
}
type Value = number | string | boolean | null | Uint8Array | Global | Tuple | Value[] | ObjectType | ObjectArray;

const RECONSTRUCT = new Set(['numpy.core.multiarray _reconstruct', 'numpy._core.multiarray _reconstruct']);
const KNOWN = new Set([...RECONSTRUCT, 'numpy ndarray', 'numpy dtype', '_codecs encode']);

class Reader {
  readonly stack: Value[] = [];
  readonly #marks: number[] = [];
  readonly #memo = new Map<number, Value>();
  readonly #view: DataView;
  #at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly where: string,
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  fail(what: string): FileError {
    return new FileError(`${this.where}: byte ${this.#at} of the pickle: ${what}.`);
  }

  #take(length: number): number {
    const start = this.#at;
    if (length > this.bytes.byteLength - start) {
      throw new FileError(`${this.where}: the pickle is truncated: it ends at byte ${this.bytes.byteLength}.`);
    }
    this.#at += length;
    return start;
  }

  #uint8(): number {
    return this.bytes[this.#take(1)];
  }

  #uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #slice(length: number): Uint8Array {
    const start = this.#take(length);
    return this.bytes.subarray(start, start + length);
  }

  #text(length: number): string {
    return Buffer.from(this.#slice(length)).toString('utf8');
  }

  #line(): string {
    const end = this.bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 200) throw this.fail('a name without an end');
    const text = this.#text(end - this.#at);
    this.#at++;
    return text;
  }

  #pop(): Value {
    if (this.stack.length <= (this.#marks.at(-1) ?? 0)) throw this.fail('the stack is empty');
    return this.stack.pop() as Value;
  }

  #popMark(): Value[] {
    const mark = this.#marks.pop();
    if (mark === undefined) throw this.fail('there is no mark on the stack');
    return this.stack.splice(mark);
  }

  #tuple(length: number): Tuple {
    const items: Value[] = [];
    for (let i = 0; i < length; i++) items.unshift(this.#pop());
    return new Tuple(items);
  }

  #global(name: string): Global {
    if (!KNOWN.has(name)) {
      throw this.fail(`it names ${JSON.stringify(name)}, and only NumPy arrays of lists of integers are read`);
    }
    return new Global(name);
  }

  /** A long: two's complement, little-endian. */
  #long(length: number): number {
    const bytes = this.#slice(length);
    if (length > 8) throw this.fail('an integer of more than 64 bits');
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]);
    const number = Number(BigInt.asIntN(8 * length, value));
    if (!Number.isSafeInteger(number)) throw this.fail('an integer beyond 2^53');
    return number;
  }

  #remember(index: number): void {
    const top = this.stack.at(-1);
    if (top === undefined) throw this.fail('nothing to remember');
    this.#memo.set(index, top);
  }

  #recall(index: number): Value {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.fail(`nothing was remembered as ${index}`);
    return value;
  }

  #append(items: readonly Value[]): void {
    const list = this.stack.at(-1);
    if (!Array.isArray(list) || this.stack.length <= (this.#marks.at(-1) ?? 0)) throw this.fail('no list to append to');
    for (const item of items) list.push(item);
  }

  /** The calls that NumPy writes; arguments are checked as far as they matter. */
  #reduce(callee: Value, args: Value): Value {
    if (callee instanceof Global && args instanceof Tuple) {
      const [first, second, third] = args.items;
      if (RECONSTRUCT.has(callee.name) && first instanceof Global && first.name === 'numpy ndarray') {
        return new ObjectArray();
      }
      if (callee.name === 'numpy dtype' && first === 'O8') return new ObjectType();
      // How protocol 2 writes the byte string b'b'.
      if (callee.name === '_codecs encode' && first === 'b' && second === 'latin1' && third === undefined) return 'b';
      if (callee.name === 'numpy dtype') {
        throw this.fail(`elements of type ${JSON.stringify(first)} inside the array; only Python's int is read`);
      }
    }
    throw this.fail('a call that does not belong to an array of lists of integers');
  }

  #build(target: Value | undefined, state: Value): void {
    if (target instanceof ObjectType && state instanceof Tuple) return;
    if (target instanceof ObjectArray && state instanceof Tuple && target.items === undefined) {
      const [version, shape, type, , items] = state.items;
      const length = shape instanceof Tuple && shape.items.length === 1 ? shape.items[0] : undefined;
      if (version === 1 && type instanceof ObjectType && Array.isArray(items) && length === items.length) {
        target.items = items;
        return;
      }
    }
    throw this.fail('the state of something other than a one-dimensional array of objects');
  }

  run(): Value {
    const { stack } = this;
    for (;;) {
      const code = this.#uint8();
      switch (code) {
        case 0x4b: // BININT1
          stack.push(this.#uint8());
          break;
        case 0x4d: // BININT2
          stack.push(this.#view.getUint16(this.#take(2), true));
          break;
        case 0x4a: // BININT
          stack.push(this.#view.getInt32(this.#take(4), true));
          break;
        case 0x8a: // LONG1
          stack.push(this.#long(this.#uint8()));
          break;
        case 0x4e: // NONE
          stack.push(null);
          break;
        case 0x88: // NEWTRUE
          stack.push(true);
          break;
        case 0x89: // NEWFALSE
          stack.push(false);
          break;
        case 0x5d: // EMPTY_LIST
          stack.push([]);
          break;
        case 0x28: // MARK
          this.#marks.push(stack.length);
          break;
        case 0x61: // APPEND
          this.#append([this.#pop()]);
          break;
        case 0x65: // APPENDS
          this.#append(this.#popMark());
          break;
        case 0x29: // EMPTY_TUPLE
          stack.push(new Tuple([]));
          break;
        case 0x85: // TUPLE1
        case 0x86: // TUPLE2
        case 0x87: // TUPLE3
          stack.push(this.#tuple(code - 0x84));
          break;
        case 0x74: // TUPLE
          stack.push(new Tuple(this.#popMark()));
          break;
        case 0x71: // BINPUT
          this.#remember(this.#uint8());
          break;
        case 0x72: // LONG_BINPUT
          this.#remember(this.#uint32());
          break;
        case 0x94: // MEMOIZE
          this.#remember(this.#memo.size);
          break;
        case 0x68: // BINGET
          stack.push(this.#recall(this.#uint8()));
          break;
        case 0x6a: // LONG_BINGET
          stack.push(this.#recall(this.#uint32()));
          break;
        case 0x55: // SHORT_BINSTRING
        case 0x8c: // SHORT_BINUNICODE
          stack.push(this.#text(this.#uint8()));
          break;
        case 0x58: // BINUNICODE
          stack.push(this.#text(this.#uint32()));
          break;
        case 0x43: // SHORT_BINBYTES
          stack.push(this.#slice(this.#uint8()));
          break;
        case 0x63: // GLOBAL
          stack.push(this.#global(`${this.#line()} ${this.#line()}`));
          break;
        case 0x93: {
          // STACK_GLOBAL
          const [module, name] = this.#tuple(2).items;
          if (typeof module !== 'string' || typeof name !== 'string') throw this.fail('a name that is no text');
          stack.push(this.#global(`${module} ${name}`));
          break;
        }
        case 0x52: {
          // REDUCE
          const args = this.#pop();
          stack.push(this.#reduce(this.#pop(), args));
          break;
        }
        case 0x62: {
          // BUILD
          const state = this.#pop();
          this.#build(stack.at(-1), state);
          break;
        }
        case 0x80: {
          // PROTO
          const version = this.#uint8();
          if (version < 2 || version > 5) throw this.fail(`protocol ${version}; known are 2 to 5`);
          break;
        }
        case 0x95: // FRAME: a hint for readers of streams
          this.#take(8);
          break;
        case 0x2e: // STOP
          if (this.#at !== this.bytes.byteLength) {
            throw this.fail(`it ends here, but ${this.bytes.byteLength - this.#at} bytes follow`);
          }
          return this.#pop();
        default:
          throw this.fail(
            `instruction 0x${code.toString(16).padStart(2, '0')}, which no array of lists of integers needs`,
          );
      }
    }
  }
}

/**
 * The lists of a pickled one-dimensional NumPy array of lists of integers.
 *
 * @param bytes the pickle
 * @param where the beginning of error messages
 * @throws FileError if the pickle is truncated, damaged or holds anything else, and for an integer outside int32
 */
export function parseIntLists(bytes: Uint8Array, where: string): Int32Array[] {
  const reader = new Reader(bytes, where);
  const array = reader.run();
  if (!(array instanceof ObjectArray) || array.items === undefined) {
    throw new FileError(`${where}: the pickle holds something other than an array.`);
  }
  // A list that appears many times is one array many times: copies would let a small file fill the memory.
  const made = new Map<Value, Int32Array>();
  return array.items.map((list, i) => {
    const known = made.get(list);
    if (known !== undefined) return known;
    if (!Array.isArray(list)) throw new FileError(`${where}: element ${i} is not a list.`);
    const odd = list.findIndex((value) => typeof value !== 'number' || (value | 0) !== value);
    if (odd >= 0) {
      const got = typeof list[odd] === 'number' ? `${list[odd]}` : 'something else';
      throw new FileError(`${where}: value ${odd} of list ${i} is ${got}, not an integer of 32 bits.`);
    }
    const ids = Int32Array.from(list as number[]);
    made.set(list, ids);
    return ids;
  });
}
