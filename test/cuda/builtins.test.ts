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
import { runScript } from '../fixtures/child.js';
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

/** How often a process launched kernels of the list, and how often the interpreter. */
async function launchesOf(work: string): Promise<{ builtin: number; interpreted: number }> {
  const script = `
    import { nn, optim, ones, randint, randn, synchronize } from 'thalweg';
    const device = 'cuda';
    ${work}
    synchronize();`;
  const { code, stderr } = await runScript(script, { THALWEG_CUDA_EMULATED_LAUNCHES: '1' });
  expect(code, stderr).toBe(0);
  const counts = /programs: (\d+) launches of built-in kernels, (\d+) of the interpreter/.exec(stderr);
  return { builtin: Number(counts?.[1]), interpreted: Number(counts?.[2]) };
}

describeDevice('built-in programs', () => {
  test.runIf(isEmulated)('are what a training step in float32 launches, each of them', async () => {
    const { builtin, interpreted } = await launchesOf(`
      const model = new nn.Sequential(new nn.Linear(6, 8), new nn.ReLU(), new nn.Linear(8, 4)).to(device);
      const adam = new optim.Adam(model.parameters());
      const [x, labels] = [randn([5, 6], { device }), randint(0, 4, [5], { device })];
      for (let step = 0; step < 3; step++) {
        adam.zeroGrad();
        nn.functional.crossEntropy(model.forward(x), labels).backward();
        adam.step();
      }`);
    expect(interpreted).toBe(0);
    // Adam's update and relu's two at each step, at least.
    expect(builtin).toBeGreaterThanOrEqual(9);
  });

  test.runIf(isEmulated)('are not all there is: others are interpreted, in maps and in reductions', async () => {
    const work = `
      const x = ones([5], { device, dtype: 'float64' });
      x.sinh();
      x.norm(3);`;
    // Of the norm a sum, and the root of it.
    expect(await launchesOf(work)).toEqual({ builtin: 0, interpreted: 3 });
  });
});
