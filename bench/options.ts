// The command line of the benchmark.
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Device } from 'thalweg';
import { type PeerId, peerIds } from './peers.js';

export interface Options {
  readonly rows: RegExp;
  readonly rounds: number;
  readonly ms: number;
  readonly threads: number | undefined;
  /** Where the rows' tensors live. */
  readonly device: Device;
  readonly json: string | undefined;
  /** A JSON to print as a table, instead of measuring. */
  readonly markdown: string | undefined;
  readonly peers: readonly PeerId[];
  readonly quick: boolean;
  readonly list: boolean;
  readonly help: boolean;
}

export const usage = `usage: thalweg bench [flags]        (in a checkout: npm run bench -- [flags])
  --rows PATTERN   only rows whose name matches this regular expression, e.g. --rows '^mlp/'
  --threads N      threads of Thalweg and of the peers (default: as many as processors)
  --device NAME    where tensors are, cpu (the default), cuda or cuda:N; PyTorch's too
  --peers LIST     which of ${peerIds.join(', ')} to compare with, or none
                   (default: those that are found)
  --rounds N       how often each row is measured (default 9; slow rows less often, at least 3 times)
  --ms N           how long one measurement of a row lasts, in milliseconds (default 40), at least one iteration
  --quick          3 rounds of 10 ms, without the rows that take longest
  --json FILE      also write every sample to FILE
  --markdown FILE  print the table of such a FILE and end
  --list           name the rows and end
  --help           this text

Each round measures Thalweg, the peers, the peers in reverse, Thalweg. A ratio is the median over rounds of the peer's
time by Thalweg's: above 1, Thalweg is faster. Only ratios of one run are comparable, and only on a machine that does
nothing else. PyTorch and JAX are looked for in the Python of THALWEG_BENCH_PYTHON (default python3), TensorFlow.js in
THALWEG_BENCH_TFJS (default: this folder).`;

/** A command line that makes no sense; the message says why and what to type. */
export class UsageError extends Error {}

function integer(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`--${flag} takes an integer of at least 1, not '${text}'. Example: --${flag} 4`);
  }
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--rows: ${(error as Error).message}. Example: --rows '^mlp/'`);
  }
}

function peers(text: string | undefined): readonly PeerId[] {
  if (text === undefined) return peerIds;
  if (text === 'none') return [];
  return text.split(',').map((name) => {
    const id = peerIds.find((known) => known === name.trim());
    if (id === undefined) {
      throw new UsageError(
        `--peers: there is no '${name}', only ${peerIds.join(', ')} and none. Example: --peers torch`,
      );
    }
    return id;
  });
}

function outputFile(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const path = resolve(file);
  // Better now than after ten minutes of measuring.
  if (!existsSync(dirname(path))) throw new UsageError(`--json: there is no folder ${dirname(path)}.`);
  return path;
}

/**
 * The flags of a run.
 *
 * @throws UsageError if they make no sense
 */
export function readOptions(args: readonly string[]): Options {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        rows: { ...string, default: '' },
        rounds: string,
        ms: string,
        threads: string,
        device: { ...string, default: 'cpu' },
        json: string,
        markdown: string,
        peers: string,
        quick: flag,
        list: flag,
        help: { ...flag, short: 'h' },
      },
    }));
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { quick } = values;
  const threads = values.threads === undefined ? undefined : integer('threads', values.threads);
  if (threads !== undefined && threads > 1024) throw new UsageError(`--threads takes 1 to 1024, not ${threads}.`);
  return {
    rows: pattern(values.rows),
    rounds: integer('rounds', values.rounds ?? (quick ? '3' : '9')),
    ms: integer('ms', values.ms ?? (quick ? '10' : '40')),
    threads,
    device: values.device as Device,
    json: outputFile(values.json),
    markdown: values.markdown,
    peers: peers(values.peers),
    quick,
    list: values.list,
    help: values.help,
  };
}
