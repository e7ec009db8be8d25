// The library loosely typed, for the compiler refuses most of what is tried; the rows of a table, and two operands for them.
import * as thalweg from '../../src/index.js';
import { nn, ones, optim } from '../../src/index.js';

type Loose = (...args: unknown[]) => unknown;
export const api = thalweg as unknown as Record<string, Loose>;
export const functional = nn.functional as unknown as Record<string, Loose>;
export const modules = nn as unknown as Record<string, new (...args: unknown[]) => Record<string, Loose>>;
export const optimizers = optim as unknown as Record<string, new (...args: unknown[]) => unknown>;
export const loose = (t: unknown): Record<string, Loose> => t as Record<string, Loose>;

/** Calls that are refused, and the error as it is printed. */
export type Rows = readonly (readonly [name: string, call: () => unknown, expected: string])[];

/** A tensor of shape [2, 3]. */
export let a: Record<string, Loose>;
/** A tensor of shape [4, 5]. */
export let b: Record<string, Loose>;

/** Makes new operands; each row has its own. */
export function renewOperands(): void {
  a = loose(ones([2, 3]));
  b = loose(ones([4, 5]));
}
