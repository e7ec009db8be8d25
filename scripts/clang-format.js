// Formats native/ with the clang-format of the npm package, so that everybody formats with the same version.
// With --check it only reports files that are not formatted. CLANG_FORMAT names another binary, for systems that the
// package has none for.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const binary = process.env['CLANG_FORMAT'] ?? createRequire(import.meta.url)('clang-format').location;
const files = readdirSync('native', { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.(h|cpp|cu|cuh)$/.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();
const mode = process.argv.includes('--check') ? ['--dry-run', '-Werror'] : ['-i'];
const result = spawnSync(binary, [...mode, '--style=file', ...files], { stdio: 'inherit' });
if (result.error) console.error(`clang-format did not start (${binary}): ${result.error.message}`);
process.exit(result.status ?? 1);
