// The commands. What they need of the library is loaded by each: `thalweg info` has to say something where it does not load.
import type { Device } from '../device.js';
import { packageVersion, runInfo } from './info.js';
import { packageRoot } from '../packageRoot.js';

const usage = `usage: thalweg <command>
  info     what Thalweg runs on here, for bug reports (--json: for programs)
  bench    measures it, beside PyTorch, JAX and TensorFlow.js where they are found (thalweg bench --help)
  --help, --version`;

/**
 * Runs a command line.
 *
 * @returns the exit status: 2 for a command line that makes no sense
 */
export async function run(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case 'info':
      return runInfo(rest);
    case 'bench':
      return runBench(rest);
    case '--version':
    case '-v':
      console.log(packageVersion());
      return 0;
    case '--help':
    case '-h':
    case 'help':
      console.log(usage);
      return 0;
    default:
      console.error(
        `thalweg: ${command === undefined ? 'which command?' : `there is no command '${command}'.`}\n\n${usage}`,
      );
      return 2;
  }
}

/** The benchmark imports the library by its name, as users do, so it is compiled by itself and found at run time. */
async function runBench(args: readonly string[]): Promise<number> {
  const { main } = (await import(new URL('dist/bench/main.js', packageRoot).href)) as {
    main: (args: readonly string[], useDevice: (device: Device) => void) => Promise<number>;
  };
  const { setDefaultDevice } = await import('../device.js');
  return main(args, setDefaultDevice);
}
