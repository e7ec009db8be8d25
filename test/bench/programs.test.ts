// Tables of programs beside their twins.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import {
  disagreement,
  programDocuments,
  type ProgramResults,
  programTable,
  readProgramResults,
  renderPrograms,
  summaryTable,
  type TrainingResult,
} from '../../bench/programResults.js';
import { programRows } from '../../bench/programRows.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const training = (name: string, more: Partial<TrainingResult> = {}): TrainingResult => ({
  name,
  losses: [1, 0.5],
  seconds: 2,
  updates: 10,
  final: { loss: 0.4, accuracy: 0.9 },
  ...more,
});

const results: ProgramResults = {
  format: 1,
  date: '2026-01-01',
  thalweg: '0.1.0',
  torch: '2.13.0+cpu',
  cpu: 'A processor',
  isa: 'avx2',
  runtime: 'Node.js v20.0.0',
  load: 0,
  measurements: [
    {
      name: 'cifar-cnn',
      threads: 2,
      flags: ['--epochs', '2'],
      ours: [training('cifar-cnn'), training('only ours', { seconds: 100 })],
      twin: [training('cifar-cnn', { losses: [1.0001, 0.6], seconds: 5, final: { loss: 0.5, accuracy: 0.91 } })],
    },
  ],
};

test('a program has a line in the summary, and its trainings in a table', () => {
  expect(summaryTable(results).split('\n')[2].replaceAll(/ +/g, ' ')).toBe(
    '| [cifar-cnn](docs/programs.md#cifar-cnn) | CNN on a part of CIFAR-10: test accuracy | 90.00% | 91.00% | 2.0 s | 5.0 s | 2.50 |',
  );
  const lines = programTable(results, 'cifar-cnn').replaceAll(/ +/g, ' ').split('\n');
  expect(lines[2]).toBe('| cifar-cnn | 0.4000 | 0.5000 | 90.00% | 91.00% | 1e-4 | 20% | 2.0 s | 5.0 s | 2.50 |');
  expect(lines[3]).toBe('| only ours | 0.4000 | | 90.00% | | | | 100.0 s | | |');
  expect(lines.at(-1)).toBe(
    '- `npm run example -- cifar-cnn --epochs 2 --threads 2`: 2.0 s of training, PyTorch 5.0 s, ratio 2.50',
  );
});

test('what is not the same training is noticed', () => {
  const row = programRows.find(({ name }) => name === 'cifar-cnn')!;
  const one = training('a');
  expect(disagreement(row, one, training('a', { losses: [1.01, 9] }))).toBeUndefined();
  expect(disagreement(row, one, training('a', { losses: [1.1, 0.5] }))).toMatch(/^the first losses, 1 and 1\.1, /);
  expect(disagreement({ ...row, random: true }, one, training('a', { losses: [1.1, 0.5] }))).toBeUndefined();
  expect(disagreement(row, one, training('a', { losses: [NaN, 0.5] }))).toMatch(/^the first losses/);
  expect(disagreement(row, one, training('a', { updates: 11 }))).toBe('2 losses and 10 updates, PyTorch 2 and 11');
});

test('each program has its twin', () => {
  for (const { name, twin } of programRows) {
    expect(existsSync(path(`examples/programs/${name}.ts`)), name).toBe(true);
    expect(existsSync(path(`bench/peers/programs/${twin}`)), twin).toBe(true);
  }
});

describe('documents', () => {
  test.each(programDocuments)(
    '%s has the tables that the results make (npm run bench:table writes them)',
    async (name) => {
      const text = readFileSync(path(name), 'utf8');
      expect(text).toContain('<!-- end programs -->');
      expect(renderPrograms(text, await readProgramResults())).toBe(text);
    },
  );

  test('Prettier leaves them as they are', async () => {
    const options = { ...(await resolveConfig(path('README.md'))), parser: 'markdown' };
    const real = await readProgramResults();
    for (const table of [summaryTable(real), ...programRows.map(({ name }) => programTable(real, name))])
      expect(await format(`${table}\n`, options)).toBe(`${table}\n`);
  });
});
