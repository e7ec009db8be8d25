// One build of the addon serves every runtime: test/smoke.mjs on the built package (dist/ and the addon), on each of them.
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const run = promisify(execFile);
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));

const runtimes = [
  { name: 'the Node of this test run', binary: process.execPath, reports: /^node v/ },
  ...[20, 22, 24, 26].map((major) => ({
    name: `Node ${major}`,
    binary: path(`runtimes/node_modules/node${major}/bin/node`),
    reports: new RegExp(`^node v${major}\\.`),
  })),
  { name: 'Bun', binary: path('runtimes/node_modules/bun/bin/bun'), reports: /^bun \d/ },
];

// The packages with these binaries exist for linux-x64 only; there, a missing one is a failure. Under the sanitizers their
// runtime library would be preloaded into foreign binaries.
const expected = process.platform === 'linux' && process.arch === 'x64' && process.env['THALWEG_SANITIZED'] !== '1';

// A folder of its own, as a user's: inside the checkout Bun follows tsconfig.json's paths to the sources.
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'thalweg-runtimes-'));
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(path('..'), join(folder, 'node_modules', 'thalweg'));
  cpSync(path('smoke.mjs'), join(folder, 'smoke.mjs'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the built package trains on', () => {
  for (const { name, binary, reports } of runtimes) {
    test.skipIf(!expected && !existsSync(binary))(name, async () => {
      const { stdout, stderr } = await run(binary, ['smoke.mjs'], { cwd: folder, timeout: 60_000 });
      expect(stderr).toBe('');
      expect(stdout).toMatch(reports);
    });
  }
});
