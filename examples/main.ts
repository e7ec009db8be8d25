// npm run example -- NAME [flags]
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Program, runProgram } from './lib/program.js';

const load: Readonly<Record<string, () => Promise<{ readonly default: Program }>>> = {
  'linear-regression': () => import('./programs/linear-regression.js'),
  'regularization-paths': () => import('./programs/regularization-paths.js'),
  'mnist-mlp': () => import('./programs/mnist-mlp.js'),
  'mnist-lenet': () => import('./programs/mnist-lenet.js'),
  'cifar-cnn': () => import('./programs/cifar-cnn.js'),
  'imdb-lstm': () => import('./programs/imdb-lstm.js'),
  vae: () => import('./programs/vae.js'),
  gan: () => import('./programs/gan.js'),
  schedules: () => import('./programs/schedules.js'),
  optimizers: () => import('./programs/optimizers.js'),
  'batch-size': () => import('./programs/batch-size.js'),
  'cache-policies': () => import('./programs/cache-policies.js'),
};

async function list(): Promise<string> {
  const programs = await Promise.all(Object.values(load).map(async (module) => (await module()).default));
  const width = Math.max(...programs.map(({ name }) => name.length));
  const rows = programs.map(({ name, summary }) => `  ${name.padEnd(width)}   ${summary}`);
  return `npm run example -- NAME [flags]     (NAME --help: its flags)\n\n${rows.join('\n')}`;
}

/** Runs the program that the arguments name; the result is the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h') {
    console.log(await list());
    return 0;
  }
  if (!Object.hasOwn(load, name)) {
    console.error(`There is no program '${name}'.\n\n${await list()}`);
    return 2;
  }
  return runProgram((await load[name]()).default, rest);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url))
  process.exitCode = await main(process.argv.slice(2));
