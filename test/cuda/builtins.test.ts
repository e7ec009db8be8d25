// native/cuda/builtins/programs.txt lists the programs that are compiled together with the plugin: those that the
// trainings, optimizers and ops of test/cuda/builtins launch. This runs them on the emulated device, which says what it
// is given, and fails when the list is out of date. To write it anew:
//
//   npm run test:cuda-emu -- strict test/cuda/builtins.test.ts --update
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { manualSeed, synchronize, tidy } from 'thalweg';
import { ops } from './builtins/ops.js';
import { optimizers } from './builtins/optimizers.js';
import { trainings } from './builtins/trainings.js';
import { describeDevice, isEmulated } from './available.js';

const head = `# Programs that are compiled together with the plugin: see listing.h for what a line says, and
# test/cuda/builtins.test.ts, which writes and checks this file, for where they come from.
`;

const folder = mkdtempSync(join(tmpdir(), 'thalweg-builtins-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeDevice('the list of built-in programs', () => {
  test.runIf(isEmulated)('has what the library launches', async () => {
    const file = join(folder, 'programs.txt');
    process.env['THALWEG_CUDA_EMULATED_PROGRAMS'] = file;
    manualSeed(1);
    for (const work of Object.values({ ...ops, ...optimizers, ...trainings })) tidy(work);
    synchronize();
    delete process.env['THALWEG_CUDA_EMULATED_PROGRAMS'];
    const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').sort() : [];
    await expect(`${head}${lines.join('\n')}\n`).toMatchFileSnapshot('../../native/cuda/builtins/programs.txt');
  });
});
