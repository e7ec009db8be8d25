// The command line of the benchmark.
import { parseArgs } from 'node:util';

export interface Options {
  readonly rows: RegExp;
  readonly rounds: number;
  readonly ms: number;
  readonly threads: number | undefined;
  readonly json: string | undefined;
  readonly peer: boolean;
  readonly list: boolean;
}

export const usage = `npm run bench -- [flags]
  --rows PATTERN   only rows whose name matches this regular expression, e.g. --rows '^mlp/'
  --rounds N       how often each row is measured, all rows in turn (9)
  --ms N           how long one measurement of a row lasts, in milliseconds (40)
  --threads N      threads of Thalweg and of the peer (the number of processors)
  --json FILE      also write every sample to FILE
  --no-peer        do not look for PyTorch
  --list           name the rows and end

With a Python that has PyTorch (the environment variable THALWEG_BENCH_PYTHON, else python3) each round measures
Thalweg, PyTorch, PyTorch, Thalweg. The ratio is the median over rounds of PyTorch's time by Thalweg's: above 1,
Thalweg is faster. Only ratios of one run are comparable, and only on a machine that does nothing else.`;

export class UsageError extends Error {}

function integer(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) {
    throw new UsageError(`--${flag} must be an integer of at least 1, not '${text}'.`);
  }
  return value;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch (error) {
    throw new UsageError(`--rows: ${(error as Error).message}.`);
  }
}

function parse(args: readonly string[]): Options {
  const string = { type: 'string' } as const;
  const flag = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      rows: { ...string, default: '' },
      rounds: { ...string, default: '9' },
      ms: { ...string, default: '40' },
      threads: string,
      json: string,
      'no-peer': flag,
      list: flag,
      help: flag,
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  return {
    rows: pattern(values.rows),
    rounds: integer('rounds', values.rounds),
    ms: integer('ms', values.ms),
    threads: values.threads === undefined ? undefined : integer('threads', values.threads),
    json: values.json,
    peer: !values['no-peer'],
    list: values.list,
  };
}

/** The flags of this run; says how to use them and ends the process (status 2) if they make no sense. */
export function readOptions(args: readonly string[] = process.argv.slice(2)): Options {
  try {
    return parse(args);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
