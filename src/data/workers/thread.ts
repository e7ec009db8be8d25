// One worker thread, seen from outside.
import { Worker, type ResourceLimits } from 'node:worker_threads';
import { WorkerError } from '../../errors.js';
import type { Packed } from '../pack.js';
import type { Answer, Request, SentError, WorkerSetup } from './protocol.js';
import { packageRoot } from '../../packageRoot.js';

interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: WorkerError) => void;
}

interface Waiting extends Settle<Packed> {
  readonly indices: Int32Array;
}

/** Flags of the process that make no sense for a thread that runs a file. */
function inheritedFlags(): string[] {
  const flags: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const flag = process.execArgv[i];
    if (/^(-e|-p|-pe|--eval|--print)$/.test(flag)) i++;
    else if (!/^--(input-type|eval|print)(=|$)/.test(flag)) flags.push(flag);
  }
  return flags;
}

/** Positions for a message: not all of a large batch. */
function listed(indices: Int32Array): string {
  if (indices.length === 1) return `sample ${indices[0]}`;
  const shown = Array.from(indices.subarray(0, 8)).join(', ');
  return `samples ${shown}${indices.length > 8 ? `, ... (${indices.length} in all)` : ''}`;
}

function errorOf(sent: SentError): Error {
  const error = new Error(sent.message);
  error.name = sent.name;
  if (sent.stack !== undefined) error.stack = sent.stack;
  return error;
}

/** A thread with a dataset of its own. It holds the process only while it has something to answer. */
export class WorkerThread {
  readonly #worker: Worker;
  readonly #module: string;
  readonly #waiting = new Map<number, Waiting>();
  /** The dataset's length, once it is made. */
  readonly length: Promise<number>;
  readonly #settleLength: Settle<number>;
  #loading = true;
  #ended = false;
  #nextId = 0;
  #crash: unknown;

  constructor(setup: WorkerSetup, resourceLimits: ResourceLimits | undefined) {
    this.#module = setup.module;
    let settle: Settle<number> | undefined;
    this.length = new Promise((resolve, reject) => (settle = { resolve, reject }));
    this.#settleLength = settle as unknown as Settle<number>;
    this.length.catch(() => undefined);
    // Also of sources that are run as they are: a thread has no loader of TypeScript.
    this.#worker = new Worker(new URL('dist/data/workers/entry.js', packageRoot), {
      workerData: setup,
      execArgv: inheritedFlags(),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    this.#worker.on('message', (answer: Answer) => this.#hear(answer));
    this.#worker.on('messageerror', (error) => this.#fail(`sent what cannot be read: ${error.message}`, error));
    this.#worker.on('error', (error) => (this.#crash = error));
    this.#worker.on('exit', (code) => this.#exit(code));
  }

  /** Whether the thread is no more, or was told to end. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Requests without an answer. */
  get load(): number {
    return this.#waiting.size;
  }

  /** Asks for samples. Rejects with WorkerError if they cannot be made, or the thread ends before. */
  ask(kind: Request['kind'], indices: Int32Array, seed?: bigint): Promise<Packed> {
    const id = this.#nextId++;
    const request: Request = { id, kind, indices, ...(seed === undefined ? {} : { seed }) };
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(
          new WorkerError(`DataLoader: a worker of ${this.#module} was asked for ${listed(indices)} after its end.`),
        );
        return;
      }
      this.#waiting.set(id, { indices, resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  /** Ends the thread, in the middle of what it does. */
  async end(): Promise<void> {
    this.#ended = true;
    await this.#worker.terminate();
  }

  #hear(answer: Answer): void {
    if (answer.kind === 'ready') {
      this.#loading = false;
      this.#settleLength.resolve(answer.length);
    } else if (answer.kind === 'failed') {
      const { name, message } = answer.error;
      this.#fail(`could not make its dataset: ${name}: ${message}`, errorOf(answer.error));
      void this.end();
    } else {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.kind === 'result') waiting?.resolve(answer.packed);
      else if (waiting !== undefined) {
        const { name, message, index } = answer.error;
        const what = index === undefined ? listed(waiting.indices) : `sample ${index}`;
        waiting.reject(
          new WorkerError(`DataLoader: ${what} failed in a worker: ${name}: ${message}`, {
            cause: errorOf(answer.error),
          }),
        );
      }
    }
    if (this.#waiting.size === 0 && !this.#loading) this.#worker.unref();
  }

  #exit(code: number): void {
    this.#ended = true;
    const crash = this.#crash as (Error & { code?: string }) | undefined;
    let how = `ended with exit code ${code}`;
    if (crash?.code === 'ERR_WORKER_OUT_OF_MEMORY') how = 'ran out of memory';
    else if (crash !== undefined) how = `was ended by an error: ${crash.name}: ${crash.message}`;
    this.#fail(how, crash);
  }

  #fail(how: string, cause: unknown): void {
    const options = cause === undefined ? {} : { cause };
    const during = (what: string): WorkerError =>
      new WorkerError(`DataLoader: a worker of ${this.#module} ${how}${what}.`, options);
    for (const { indices, reject } of this.#waiting.values()) {
      reject(during(this.#loading ? '' : `, while it was to make ${listed(indices)}`));
    }
    this.#waiting.clear();
    this.#settleLength.reject(during(''));
  }
}
