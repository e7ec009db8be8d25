// What a loader and its worker threads say to each other.
import type { Packed } from '../pack.js';

/** What a worker is started with. */
export interface WorkerSetup {
  /** URL of the module that makes the dataset. */
  readonly module: string;
  /** What its default export is called with. */
  readonly options: unknown;
}

/** Asks for a batch, or for one sample as it is. */
export interface Request {
  readonly id: number;
  readonly kind: 'batch' | 'sample';
  readonly indices: Int32Array;
  /** Seeds the worker's default generator before the samples are made. */
  readonly seed?: bigint;
}

/** An error as it can be sent. */
export interface SentError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** The sample that failed, if it is known. */
  readonly index: number | undefined;
}

/** What a worker says. */
export type Answer =
  | { readonly kind: 'ready'; readonly length: number }
  | { readonly kind: 'failed'; readonly error: SentError }
  | { readonly kind: 'result'; readonly id: number; readonly packed: Packed }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError };
