// What a run found: the JSON that --json writes and tables are made of.
import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { Limits, Machine } from './machine.js';
import type { Row } from './rows/row.js';
import type { Summary } from './stats.js';

/** A peer's times (nanoseconds of an iteration) and how often longer they are than ours, or why there are none. */
export type PeerResult =
  { readonly time: Summary; readonly samples: readonly number[]; readonly ratio: Summary } | { readonly error: string };

/** What the machine allows at best. */
export interface Bound {
  /** The longer of the two: operations at the arithmetic peak, bytes at the speed of a copy. */
  readonly by: 'arithmetic' | 'memory';
  readonly ns: number;
  /** The bound's time by the measured one: 1 is the limit. */
  readonly share: number;
}

export interface RowResult {
  readonly name: string;
  readonly what: string;
  readonly unit: Row['unit'];
  readonly flops?: number;
  readonly bytes?: number;
  readonly dtype?: Row['dtype'];
  /** Nanoseconds of one iteration. */
  readonly time: Summary;
  readonly samples: readonly number[];
  readonly bound?: Bound;
  readonly peers: Readonly<Record<string, PeerResult>>;
}

export interface Results {
  readonly format: 1;
  readonly thalweg: string;
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly ms: number;
  readonly peers: readonly { readonly id: string; readonly name: string; readonly version: string }[];
  readonly rows: readonly RowResult[];
}

// From here on tensors do not fit into the caches that a copy of 8 MB uses.
const cachedBytes = 32e6;

/** What a row says of the work it does. */
export type Work = Pick<Row, 'flops' | 'bytes' | 'dtype'>;

/** The bound of a row and how near its time is to it, for a row that declares what it has to do. */
export function boundOf(row: Work, limits: Limits, ns: number): { bound?: Bound } {
  const peak = row.dtype === 'bfloat16' && limits.bf16Gflops > 0 ? limits.bf16Gflops : limits.gflops;
  const arithmetic = peak > 0 ? (row.flops ?? 0) / peak : 0;
  const memory = (row.bytes ?? 0) / ((row.bytes ?? 0) < cachedBytes ? limits.cachedCopyGBs : limits.copyGBs);
  const bound = Math.max(arithmetic, memory);
  if (bound === 0) return {};
  return { bound: { by: arithmetic >= memory ? 'arithmetic' : 'memory', ns: bound, share: bound / ns } };
}

/** Written beside and renamed: the file is the old one or the new one, never half of it. */
export async function writeResults(file: string, results: Results): Promise<void> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, `${JSON.stringify(results, rounded, 1)}\n`);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

// More digits than any of the measurements have.
const rounded = (_: string, value: unknown): unknown =>
  typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;

/** Reads what `writeResults` wrote; an error says what else the file is. */
export async function readResults(file: string): Promise<Results> {
  const text = await readFile(file, 'utf8');
  let results: Partial<Results> | null;
  try {
    results = JSON.parse(text) as Partial<Results> | null;
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}.`);
  }
  if (results?.format !== 1 || !Array.isArray(results.rows)) {
    throw new Error(`${file} was not written by thalweg bench --json.`);
  }
  return results as Results;
}
