// What a program of this folder is, and how one is run.
import { manualSeed, setNumThreads, ThalwegError } from 'thalweg';
import {
  describeFlags,
  folder,
  type Flags,
  integer,
  optionalInteger,
  parseFlags,
  UsageError,
  type Values,
} from './flags.js';

const common = {
  seed: integer(1, 'seed of weights, orders and noise', 0),
  threads: optionalInteger('threads for kernels (all processors)'),
  out: folder('where pictures go (programs-out/NAME)'),
  twin: folder('write initial weights, data, orders and results here, for the same program in PyTorch'),
};

export type Options<F extends Flags> = Values<F> & Omit<Values<typeof common>, 'out'> & { readonly out: string };

export interface Program<F extends Flags = Flags> {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  readonly flags: F;
  /** Runs it and says whether it reached what it promises for a full run. */
  run(options: Options<F>): Promise<boolean>;
}

/** Gives a program the types of its flags. */
export function defineProgram<const F extends Flags>(program: Program<F>): Program {
  return program;
}

function usage({ name, summary, flags }: Program): string {
  return `npm run example -- ${name} [flags]\n\n${summary}\n\n${describeFlags({ ...flags, ...common })}`;
}

/** Runs a program; the result is the exit status. */
export async function runProgram(program: Program, args: readonly string[]): Promise<number> {
  try {
    const values = parseFlags({ ...program.flags, ...common }, args);
    if (values === undefined) {
      console.log(usage(program));
      return 0;
    }
    const options = { ...values, out: values.out ?? `programs-out/${program.name}` } as Options<Flags>;
    if (options.threads !== undefined) setNumThreads(options.threads);
    manualSeed(options.seed);
    return (await program.run(options)) ? 0 : 1;
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`${error.message}\n\n${usage(program)}`);
      return 2;
    }
    // A missing file or a full disk needs no stack; a bug does.
    if (!(error instanceof ThalwegError)) throw error;
    console.error(`${error.name}: ${error.message}`);
    return 1;
  }
}
