// A file that events are appended to.
import { closeSync, ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { FileError } from '../errors.js';
import { toFileError } from '../io/file.js';
import { event, fileVersion, message, type Fields } from './messages.js';
import { frame } from './records.js';

const open = new Set<EventFile>();
let count = 0;
let watching = false;

// A process that ends without close() still writes what is waiting.
function watchExit(): void {
  if (watching) return;
  watching = true;
  process.once('exit', () => {
    for (const file of open) file.tryFlush();
  });
}

/** Settings of an event file. */
export interface EventFileOptions {
  /** Events that wait in memory at most. */
  readonly maxQueue: number;
  /** Seconds that they wait at most. */
  readonly flushSecs: number;
  /** Behind the file's name. */
  readonly suffix: string;
}

/** Bytes that wait at most, whatever the number of events. */
const MAX_WAITING = 4 * 1024 * 1024;

/**
 * An event file. Records are appended whole; when one does not fit on the disk, the file is cut back to those before it, a
 * warning is printed once, and what comes later is dropped: a run does not fail because its log cannot be written.
 */
export class EventFile {
  /** Where it is. */
  readonly path: string;
  /** Why nothing is written any more. */
  failure: FileError | null = null;
  private fd: number | null = null;
  private size = 0;
  private waiting: Uint8Array[] = [];
  private bytes = 0;
  private timer: NodeJS.Timeout | null = null;

  constructor(
    readonly folder: string,
    private readonly options: EventFileOptions,
  ) {
    const host = hostname().replace(/[^\w.-]/g, '_') || 'localhost';
    const time = Math.floor(Date.now() / 1000);
    this.path = join(folder, `events.out.tfevents.${time}.${host}.${process.pid}.${count++}${options.suffix}`);
    try {
      mkdirSync(folder, { recursive: true });
      // Never into a file that is there: another run may be writing it.
      this.fd = openSync(this.path, 'ax');
    } catch (error) {
      throw toFileError(error, 'write', this.path);
    }
    open.add(this);
    watchExit();
    this.append(message(event(Date.now() / 1000, null, fileVersion)));
  }

  /** Adds an event. */
  add(step: number | null, content: Fields, wallTime = Date.now() / 1000): void {
    if (this.failure !== null) return;
    if (this.fd === null) throw new FileError(`write ${this.path}: the writer was closed.`);
    this.append(message(event(wallTime, step, content)));
  }

  private append(bytes: Uint8Array): void {
    const record = frame(bytes);
    this.waiting.push(record);
    this.bytes += record.length;
    if (this.waiting.length > this.options.maxQueue || this.bytes > MAX_WAITING) this.tryFlush();
    else this.timer ??= setTimeout(() => this.tryFlush(), this.options.flushSecs * 1000).unref();
  }

  /** Writes what waits; a failure is a warning. */
  tryFlush(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.fd === null || this.waiting.length === 0) return;
    const bytes = Buffer.concat(this.waiting);
    this.waiting = [];
    this.bytes = 0;
    try {
      let done = 0;
      while (done < bytes.length) done += writeSync(this.fd, bytes, done);
      this.size += bytes.length;
    } catch (error) {
      this.fail(error, bytes);
    }
  }

  private fail(error: unknown, bytes: Uint8Array): void {
    this.failure = toFileError(error, 'write', this.path);
    try {
      // Up to here it is whole; what was written of the rest may end within a record.
      ftruncateSync(this.fd!, this.size);
    } catch {
      // Readers stop at a record that is cut off.
    }
    process.emitWarning(
      `TensorBoard: ${this.failure.message} ${bytes.length} bytes of events were lost, and nothing more is written; the run goes on.`,
    );
    this.end();
  }

  /**
   * Writes what waits.
   *
   * @throws FileError if this or an earlier attempt failed
   */
  flush(): void {
    this.tryFlush();
    if (this.failure !== null) throw this.failure;
  }

  /** Writes what waits and closes. Harmless a second time. */
  close(): void {
    this.tryFlush();
    this.end();
  }

  private end(): void {
    open.delete(this);
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    if (this.fd !== null) {
      const fd = this.fd;
      this.fd = null;
      closeSync(fd);
    }
  }
}
