// Reads event files.
import { open, type FileHandle } from 'node:fs/promises';
import { PbfReader } from 'pbf';
import { FileError } from '../errors.js';
import { readExactly, reasonOf, toFileError } from '../io/file.js';
import { eventTags, type GraphNode, type HistogramData } from './messages.js';
import { FOOTER, HEADER, maskedCrc } from './records.js';

/** A PNG (or another picture file) in an event. */
export interface EventImage {
  /** Pixels in a row. */
  width: number;
  /** Rows. */
  height: number;
  /** 1 grey, 3 RGB, 4 RGB and alpha. */
  channels: number;
  /** The bytes of the file. */
  encoded: Uint8Array;
}

/** A tensor in an event: numbers or texts. */
export interface EventTensor {
  /** The sizes of the dimensions. */
  shape: number[];
  /** The elements in row-major order, of a tensor of float32. */
  floats: number[];
  /** The elements, of a tensor of texts. */
  texts: string[];
}

/** A value of an event; what there is of the last fields depends on its kind. */
export interface EventValue {
  /** What it is called. */
  tag: string;
  /** The plugin of TensorBoard that shows it, if it names one. */
  plugin?: string;
  /** What that plugin knows of it. */
  content?: Uint8Array;
  /** Of a scalar. */
  scalar?: number;
  /** Of a histogram. */
  histogram?: HistogramData;
  /** Of an image. */
  image?: EventImage;
  /** Of text and of what plugins show. */
  tensor?: EventTensor;
}

/** An event of an event file. */
export interface EventRecord {
  /** Seconds since 1970. */
  wallTime: number;
  /** 0 if there is none. */
  step: number;
  /** In the first event of a file. */
  fileVersion?: string;
  /** The nodes of a graph. */
  graph?: GraphNode[];
  /** Values with tags. */
  values: EventValue[];
}

/** Options of `readEvents`. */
export interface ReadEventsOptions {
  /** Whether a file that ends within a record is an error, and not simply over there. Default false. */
  strict?: boolean;
}

type Reading<T> = (tag: number, into: T, pbf: PbfReader) => void;

// A field whose wire type is not what its number says would be read as something else.
const expectType = (pbf: PbfReader, ...types: number[]): void => {
  if (!types.includes(pbf.type)) throw new Error(`a field has wire type ${pbf.type}`);
};

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function text(pbf: PbfReader): string {
  expectType(pbf, BYTES);
  return pbf.readString();
}

function bytes(pbf: PbfReader): Uint8Array {
  expectType(pbf, BYTES);
  return pbf.readBytes();
}

function integer(pbf: PbfReader): number {
  expectType(pbf, VARINT);
  return pbf.readVarint(true);
}

function double(pbf: PbfReader): number {
  expectType(pbf, FIXED64);
  return pbf.readDouble();
}

function message<T>(pbf: PbfReader, read: Reading<T>, into: T): T {
  expectType(pbf, BYTES);
  return pbf.readMessage(read, into);
}

const readShape: Reading<number[]> = (tag, shape, pbf) => {
  if (tag !== 2) return;
  const dim = { size: 0 };
  message(pbf, (inner, into, p) => inner === 1 && (into.size = integer(p)), dim);
  shape.push(dim.size);
};

const readTensor: Reading<EventTensor> = (tag, tensor, pbf) => {
  if (tag === 2) message(pbf, readShape, tensor.shape);
  else if (tag === 4) {
    // The same numbers as they lie in memory.
    const raw = bytes(pbf);
    const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
    for (let at = 0; at + 4 <= raw.byteLength; at += 4) tensor.floats.push(view.getFloat32(at, true));
  } else if (tag === 5) {
    expectType(pbf, BYTES, FIXED32);
    pbf.readPackedFloat(tensor.floats);
  } else if (tag === 8) tensor.texts.push(text(pbf));
};

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const readHistogram: Reading<Mutable<HistogramData>> = (tag, histogram, pbf) => {
  if (tag === 1) histogram.min = double(pbf);
  else if (tag === 2) histogram.max = double(pbf);
  else if (tag === 3) histogram.num = double(pbf);
  else if (tag === 4) histogram.sum = double(pbf);
  else if (tag === 5) histogram.sumSquares = double(pbf);
  else if (tag === 6 || tag === 7) {
    expectType(pbf, BYTES, FIXED64);
    const list = pbf.readPackedDouble();
    if (tag === 6) histogram.limits = [...histogram.limits, ...list];
    else histogram.counts = [...histogram.counts, ...list];
  }
};

const readImage: Reading<EventImage> = (tag, image, pbf) => {
  if (tag === 1) image.height = integer(pbf);
  else if (tag === 2) image.width = integer(pbf);
  else if (tag === 3) image.channels = integer(pbf);
  else if (tag === 4) image.encoded = bytes(pbf).slice();
};

const readValue: Reading<EventValue> = (tag, value, pbf) => {
  if (tag === 1) value.tag = text(pbf);
  else if (tag === 2) {
    expectType(pbf, FIXED32);
    value.scalar = pbf.readFloat();
  } else if (tag === 4) {
    value.image = message(pbf, readImage, { width: 0, height: 0, channels: 0, encoded: new Uint8Array() });
  } else if (tag === 5) {
    const empty = { min: 0, max: 0, num: 0, sum: 0, sumSquares: 0, limits: [], counts: [] };
    value.histogram = message<Mutable<HistogramData>>(pbf, readHistogram, empty);
  } else if (tag === 8) value.tensor = message(pbf, readTensor, { shape: [], floats: [], texts: [] });
  else if (tag === 9) {
    message(
      pbf,
      (inner, into, p) => {
        if (inner !== 1) return;
        message(
          p,
          (field, target, q) => {
            if (field === 1) target.plugin = text(q);
            else if (field === 2) target.content = bytes(q).slice();
          },
          into,
        );
      },
      value,
    );
  }
};

const readNode: Reading<{ name: string; op: string; inputs: string[]; shapes: number[][]; note?: string }> = (
  tag,
  node,
  pbf,
) => {
  if (tag === 1) node.name = text(pbf);
  else if (tag === 2) node.op = text(pbf);
  else if (tag === 3) node.inputs.push(text(pbf));
  else if (tag === 5) {
    const entry: { key: string; shapes: number[][]; note: string } = { key: '', shapes: [], note: '' };
    message(
      pbf,
      (inner, into, p) => {
        if (inner === 1) into.key = text(p);
        else if (inner === 2) {
          message(
            p,
            (field, target, q) => {
              if (field === 2) target.note = new TextDecoder().decode(bytes(q));
              else if (field === 1) {
                message(
                  q,
                  (item, list, r) => {
                    if (item === 7) list.push(message<number[]>(r, readShape, []));
                  },
                  target.shapes,
                );
              }
            },
            into,
          );
        }
      },
      entry,
    );
    if (entry.key === '_output_shapes') node.shapes = entry.shapes;
    else if (entry.key === 'attr') node.note = entry.note;
  }
};

const readEvent: Reading<EventRecord> = (tag, event, pbf) => {
  if (tag === eventTags.wallTime) event.wallTime = double(pbf);
  else if (tag === eventTags.step) event.step = integer(pbf);
  else if (tag === eventTags.fileVersion) event.fileVersion = text(pbf);
  else if (tag === eventTags.graph) {
    event.graph = message<GraphNode[]>(
      pbf,
      (inner, nodes, p) => {
        if (inner === 1) nodes.push(message(p, readNode, { name: '', op: '', inputs: [], shapes: [] }));
      },
      [],
    );
  } else if (tag === eventTags.summary) {
    message(
      pbf,
      (inner, values, p) => {
        if (inner === 1) values.push(message<EventValue>(p, readValue, { tag: '' }));
      },
      event.values,
    );
  }
};

function parse(content: Uint8Array, file: string, offset: number): EventRecord {
  try {
    const pbf = new PbfReader(content);
    const event = pbf.readFields(readEvent, { wallTime: 0, step: 0, values: [] });
    if (pbf.pos !== content.length) throw new Error(`it ends ${pbf.pos - content.length} bytes behind its end`);
    return event;
  } catch (error) {
    throw new FileError(
      `events ${file}: the record at byte ${offset} is no event: ${reasonOf(error).replace(/\.$/, '')}.`,
      { cause: error },
    );
  }
}

/**
 * Reads the events of an event file, one after the other. A file that ends within a record, as a killed run leaves it, is read up
 * to there.
 *
 * @param file the file's path
 * @throws FileError naming the byte if a checksum is wrong or a record is no event; with `strict` also if the file is cut off
 * @example
 * for await (const { step, values } of tensorboard.readEvents(file)) {
 *   for (const { tag, scalar } of values) console.log(step, tag, scalar);
 * }
 */
export async function* readEvents(file: string, options: ReadEventsOptions = {}): AsyncGenerator<EventRecord> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    const { size } = await handle.stat();
    let offset = 0;
    const cut = (needed: number): boolean => {
      if (offset + needed <= size) return false;
      if (options.strict === true) {
        throw new FileError(
          `events ${file}: the record at byte ${offset} needs ${needed} bytes, the file has only ${size - offset} more.`,
        );
      }
      return true;
    };
    while (offset < size) {
      if (cut(HEADER)) return;
      const header = await readExactly(handle, offset, HEADER, file);
      const view = new DataView(header.buffer);
      if (view.getUint32(8, true) !== maskedCrc(header.subarray(0, 8))) {
        throw new FileError(`events ${file}: the checksum of the record length at byte ${offset} is wrong.`);
      }
      // The length is what was written; more than the file has means that the file is cut off.
      const length = view.getBigUint64(0, true);
      if (length > BigInt(Number.MAX_SAFE_INTEGER)) {
        throw new FileError(`events ${file}: the record at byte ${offset} claims ${length} bytes.`);
      }
      if (cut(HEADER + Number(length) + FOOTER)) return;
      const body = await readExactly(handle, offset + HEADER, Number(length) + FOOTER, file);
      const content = body.subarray(0, Number(length));
      if (new DataView(body.buffer).getUint32(Number(length), true) !== maskedCrc(content)) {
        throw new FileError(`events ${file}: the checksum of the record at byte ${offset} is wrong.`);
      }
      yield parse(content, file, offset);
      offset += HEADER + Number(length) + FOOTER;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException | null)?.syscall === undefined) throw error;
    throw toFileError(error, 'read', file);
  } finally {
    await handle?.close();
  }
}
