// Random cases of one family of kernels after the other, each against a reference in float64. Without a test framework, so
// that it also runs where there is none.
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { memory, tidy } from 'thalweg';
import { Random } from './random.js';

/** Describes the case that is being tried; it is shown if the case fails. */
export type Note = (text: string) => void;

/** A family of kernels. `run` makes one random case, computes it both ways, and throws if they differ. */
export interface Family {
  readonly name: string;
  readonly run: (random: Random, note: Note) => void;
}

/** What to try. */
export interface FuzzOptions {
  readonly count: number;
  /** Of the first case; those that follow have their own. */
  readonly seed: number;
  /** Where the number of the case in progress is kept, in a file of the family's name, for when the process crashes. */
  readonly folder?: string;
}

// The cases of one seed must have nothing to do with those of the next.
const seedOf = (seed: number, i: number): number => (Math.imul(seed, 0x9e3779b1) + Math.imul(i, 0x85ebca77)) >>> 0;

/** Runs one case. */
export function runCase({ name, run }: Family, seed: number): void {
  let description = '';
  try {
    tidy(() => {
      run(new Random(seed), (text) => {
        description = text;
      });
    });
  } catch (error) {
    const message = `${name}: ${description}\n  ${(error as Error).message}\n  ${reproduction(name, seed)}`;
    throw new Error(message, { cause: error });
  }
}

export const reproduction = (name: string, seed: number): string =>
  `THALWEG_FUZZ_CASE=${seed} npx vitest run test/fuzz/${name}.test.ts`;

/** Runs `count` cases; rejects at the first that fails. Returns how long it took, in seconds. */
export async function runFamily(family: Family, { count, seed, folder }: FuzzOptions): Promise<number> {
  const path = folder === undefined ? undefined : join(folder, `${family.name}.txt`);
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  const file = path === undefined ? undefined : openSync(path, 'w');
  const begin = performance.now();
  let pause = begin;
  try {
    for (let i = 0; i < count; i++) {
      const own = seedOf(seed, i);
      if (file !== undefined) writeSync(file, `${reproduction(family.name, own).padEnd(120)}\n`, 0);
      runCase(family, own);
      // With THALWEG_GUARD each tensor takes three of the 65,530 mappings that Linux gives to a process.
      if (i % 100 === 99) memory({ collect: true });
      // A test runner wants to hear of its workers now and then.
      if (performance.now() - pause > 200) {
        await setImmediate();
        pause = performance.now();
      }
    }
  } finally {
    if (file !== undefined) closeSync(file);
  }
  if (path !== undefined) rmSync(path);
  return (performance.now() - begin) / 1000;
}
