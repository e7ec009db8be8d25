import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { loadAddon, NativeLoadError } from '../src/load.js';

const target = `${process.platform}-${process.arch}`;
let root: string;

function failure(from: string): NativeLoadError {
  try {
    loadAddon(from);
  } catch (error) {
    expect(error).toBeInstanceOf(NativeLoadError);
    return error as NativeLoadError;
  }
  throw new Error('the addon loaded');
}

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'thalweg-load-'));
  vi.stubEnv('THALWEG_ADDON', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

describe('loadAddon', () => {
  test('loads the addon of this checkout, and the same one each time', () => {
    vi.unstubAllEnvs();
    expect(loadAddon()).toBe(loadAddon());
  });

  test('in a checkout without a build: every place, and the command that builds it', () => {
    const error = failure(root);
    const system = `${target}${process.platform === 'linux' ? ', (glibc [\\d.]+|musl)' : ''}`;
    expect(error.name).toBe('NativeLoadError');
    expect(error.message.split('\n')).toEqual([
      expect.stringMatching(
        new RegExp(`^thalweg could not load its native addon on ${system}, Node\\.js ${process.version}\\. Tried:$`),
      ),
      `  ${join(root, 'build', 'Release', 'thalweg.node')}: no such file`,
      `  ${join(root, 'prebuilds', target)}: no such folder`,
      'To build it from source (needs CMake and a C++20 compiler), run: npm run build:native',
    ]);
    expect(error.attempts).toEqual([
      { path: join(root, 'build', 'Release', 'thalweg.node'), reason: 'no such file' },
      { path: join(root, 'prebuilds', target), reason: 'no such folder' },
    ]);
  });

  test('in an installed package without a binary for this platform', () => {
    const installed = join(root, 'node_modules', 'thalweg');
    mkdirSync(installed, { recursive: true });
    const lines = failure(installed).message.split('\n');
    expect(lines.at(-2)).toMatch(/^There is no prebuilt binary for /);
    expect(lines.at(-1)).toBe('To build it from source (needs CMake and a C++20 compiler), run: npm rebuild thalweg');
  });

  test('a file that is no addon: the reason of the system, and the next place is tried', () => {
    mkdirSync(join(root, 'build', 'Release'), { recursive: true });
    mkdirSync(join(root, 'prebuilds', target), { recursive: true });
    const built = join(root, 'build', 'Release', 'thalweg.node');
    const shipped = join(root, 'prebuilds', target, 'thalweg.node');
    writeFileSync(built, 'not a shared library');
    writeFileSync(shipped, 'neither is this');
    const { attempts } = failure(root);
    expect(attempts.map(({ path }) => path)).toEqual([built, shipped]);
    for (const { reason } of attempts) expect(reason).toMatch(/too short|invalid ELF|not a mach-o|slice/);
  });

  test('an empty folder of prebuilt binaries', () => {
    mkdirSync(join(root, 'prebuilds', target), { recursive: true });
    expect(failure(root).attempts.at(-1)?.reason).toBe('no .node file in this folder');
  });

  test('THALWEG_ADDON names the file, and no other is tried', () => {
    const missing = join(root, 'missing.node');
    vi.stubEnv('THALWEG_ADDON', missing);
    const error = failure(root);
    expect(error.attempts).toEqual([{ path: missing, reason: 'no such file' }]);
    expect(error.message).toMatch(/To use the default places, run: unset THALWEG_ADDON$/);
  });
});
