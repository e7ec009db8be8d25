/**
 * Finds and loads the native addon. It does not rely on the install script having run: with `--ignore-scripts`, in Bun or
 * with another package manager, the prebuilt binary of the package is found all the same.
 */
import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from './packageRoot.js';

/** One place where the addon was looked for, and why it was not loaded from there. */
export interface LoadAttempt {
  path: string;
  reason: string;
}

/** The native addon could not be loaded. The message lists what was tried and the command that mends it. */
export class NativeLoadError extends Error {
  /** `'NativeLoadError'`. */
  override readonly name = 'NativeLoadError';
  constructor(
    message: string,
    /** Every path that was tried, in order. */
    readonly attempts: readonly LoadAttempt[],
  ) {
    super(message);
  }
}

const FOLDER_MISSING = 'no such folder';

/** Where the addon may be, most specific first: `THALWEG_ADDON`, a build of this checkout, the package's prebuilt binary. */
function candidates(root: string): (LoadAttempt | string)[] {
  const forced = process.env['THALWEG_ADDON'];
  // Alone: whoever names a file wants that one or an error, not silently another.
  if (forced) return [forced];
  const found: (LoadAttempt | string)[] = [join(root, 'build', 'Release', 'thalweg.node')];
  const folder = prebuildFolder(root);
  if (!existsSync(folder)) return [...found, { path: folder, reason: FOLDER_MISSING }];
  const binaries = readdirSync(folder).filter((file) => file.endsWith('.node'));
  if (binaries.length === 0) return [...found, { path: folder, reason: 'no .node file in this folder' }];
  return [...found, ...binaries.map((file) => join(folder, file))];
}

function prebuildFolder(root: string): string {
  return join(root, 'prebuilds', `${process.platform}-${process.arch}`);
}

/** Node reports the glibc it runs on; on musl (Alpine) there is no such entry. */
function libc(): string {
  if (process.platform !== 'linux') return '';
  try {
    const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
    const version = report.header?.glibcVersionRuntime;
    return version ? `, glibc ${version}` : ', musl';
  } catch {
    return ', libc unknown';
  }
}

/** Platform, architecture and C library: what decides which binary fits. */
export function describeSystem(): string {
  return `${process.platform}-${process.arch}${libc()}`;
}

let loadedFrom: string | undefined;

/** The file that the addon was loaded from last; undefined before. */
export function addonPath(): string | undefined {
  return loadedFrom;
}

function describeFailure(root: string, attempts: readonly LoadAttempt[]): string {
  const runtime = process.versions['bun'] ? `Bun ${process.versions['bun']}` : `Node.js ${process.version}`;
  const system = describeSystem();
  const lines = [
    `thalweg could not load its native addon on ${system}, ${runtime}. Tried:`,
    ...attempts.map(({ path, reason }) => `  ${path}: ${reason}`),
  ];
  if (process.env['THALWEG_ADDON']) {
    lines.push(
      'THALWEG_ADDON is set, so no other place was tried. To use the default places, run: unset THALWEG_ADDON',
    );
    return lines.join('\n');
  }
  const installed = root.split(sep).includes('node_modules');
  if (system.endsWith('musl')) {
    lines.push('There is no prebuilt binary for musl: the one for linux needs glibc.');
  } else if (installed && !existsSync(prebuildFolder(root))) {
    lines.push(`There is no prebuilt binary for ${process.platform}-${process.arch}.`);
  }
  const command = installed ? 'npm rebuild thalweg' : 'npm run build:native';
  lines.push(`To build it from source (needs CMake and a C++20 compiler), run: ${command}`);
  return lines.join('\n');
}

function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? message;
}

/**
 * Loads the native addon and returns its exports.
 *
 * Tried in this order: the file named by the environment variable `THALWEG_ADDON` (then nothing else),
 * `build/Release/thalweg.node` (a build from source), `prebuilds/<platform>-<arch>/*.node` (what the package brings).
 *
 * @throws {NativeLoadError} if none of them loads.
 */
export function loadAddon(root: string = fileURLToPath(packageRoot)): unknown {
  const require = createRequire(import.meta.url);
  const attempts: LoadAttempt[] = [];
  for (const candidate of candidates(root)) {
    if (typeof candidate !== 'string') {
      attempts.push(candidate);
    } else if (!existsSync(candidate)) {
      attempts.push({ path: candidate, reason: 'no such file' });
    } else {
      try {
        const addon = require(candidate) as unknown;
        loadedFrom = candidate;
        return addon;
      } catch (error) {
        attempts.push({ path: candidate, reason: reasonOf(error) });
      }
    }
  }
  throw new NativeLoadError(describeFailure(root, attempts), attempts);
}
