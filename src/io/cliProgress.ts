// Progress bars by the package cli-progress, which is loaded when the first one is drawn.
import { createRequire } from 'node:module';
import type * as CliProgress from 'cli-progress';

const require = createRequire(import.meta.url);

/** The package. @internal */
export const cliProgress = (): typeof CliProgress => require('cli-progress') as typeof CliProgress;
