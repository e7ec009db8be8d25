// Installs the runtimes of test/runtimes (other Node versions, Bun) unless they are there already. The packages exist for
// linux-x64 only; npm leaves them out elsewhere, and the test skips what is not there.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const folder = 'test/runtimes';
const lock = `${folder}/package-lock.json`;
const installed = `${folder}/node_modules/.package-lock.json`;
if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lock).mtimeMs) {
  console.log('Installing the runtimes that the tests try the addon on (once) ...');
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  process.exit(spawnSync('npm', args, { stdio: 'inherit' }).status ?? 1);
}
