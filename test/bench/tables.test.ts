// The tables of results: as they should look, and those of the documents as their results are.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, test } from 'vitest';
import { documents, readNotes, renderDocument } from '../../bench/documents.js';
import type { PeerResult, Results, RowResult } from '../../bench/results.js';
import { rows } from '../../bench/rows/index.js';
import { markdownTable, provenance, TextTable } from '../../bench/table.js';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const peer = (ratio: number): PeerResult => ({
  time: { median: 10 * ratio, low: 9 * ratio, high: 11 * ratio },
  samples: [10 * ratio],
  ratio: { median: ratio, low: 0.95 * ratio, high: 1.05 * ratio },
});
const row = (name: string, peers: RowResult['peers'], share?: number): RowResult => ({
  name,
  what: 'p - lr * g, a | b',
  unit: 'us',
  time: { median: 12_345, low: 12_000, high: 12_500 },
  samples: [12_345],
  ...(share === undefined ? {} : { bound: { by: 'memory', ns: 12_345 * share, share } }),
  peers,
});
const limits = { gflops: 233.4, bf16Gflops: 0, copyGBs: 36.6, cachedCopyGBs: 80 };
const results: Results = {
  format: 1,
  thalweg: '9.8.7',
  date: '2030-01-02T03:04:05.678Z',
  machine: {
    cpu: 'A CPU',
    processors: 2,
    memoryGiB: 8,
    platform: 'linux-x64',
    isa: 'avx2',
    threads: 1,
    runtime: 'Node.js v20.0.0',
    load: 0,
    one: limits,
    all: limits,
    two: 2,
  },
  rounds: 1,
  ms: 1,
  peers: [
    { id: 'torch', name: 'PyTorch', version: '2.0' },
    { id: 'torch-mkl', name: 'PyTorch with MKL unlocked', version: '2.0' },
    { id: 'jax', name: 'JAX', version: '0.1' },
  ],
  rows: [
    row('a/1', { torch: peer(1.234), 'torch-mkl': { error: 'it ended' } }, 0.87),
    row('b/long-name', { torch: peer(12.3) }),
  ],
};

test('a Markdown table: columns of peers that took part, notes where there are some', () => {
  expect(markdownTable(results, { 'a/1': 'memory' })).toBe(
    [
      '| row           | one iteration       | Thalweg | of the limit |  PyTorch | MKL unlocked | what bounds it |',
      '| ------------- | ------------------- | ------: | -----------: | -------: | -----------: | -------------- |',
      '| `a/1`         | p - lr \\* g, a \\| b | 12.3 µs |          87% | 1.23 ±5% |       failed | memory         |',
      '| `b/long-name` | p - lr \\* g, a \\| b | 12.3 µs |              | 12.3 ±5% |              |                |',
    ].join('\n'),
  );
  expect(markdownTable(results, {}, /^b/).split('\n')).toHaveLength(3);
  expect(provenance(results)).toBe(
    'Thalweg 9.8.7, 2030-01-02, A CPU, avx2, 1 thread, Node.js v20.0.0; PyTorch 2.0, JAX 0.1. ' +
      'Measured in the run: 233 GFLOP/s, copy 37 GB/s.',
  );
});

test('and the same in a terminal', () => {
  const table = new TextTable(['a/1', 'b/long-name'], ['torch']);
  expect(table.head()).toBe('row               Thalweg         limit     PyTorch  one iteration');
  expect(table.row(results.rows[0])).toBe('a/1               12.3 µs    ±2%    87%    1.23 ±5%  p - lr * g, a | b');
});

test('Prettier leaves tables as they are', async () => {
  const options = { ...(await resolveConfig(path('README.md'))), parser: 'markdown' };
  const all = { ...results, rows: rows.map(({ name, what }) => ({ ...row(name, { torch: peer(2) }), what })) };
  for (const table of [markdownTable(results), markdownTable(all)]) {
    expect(await format(`${table}\n`, options)).toBe(`${table}\n`);
  }
});

describe('documents', () => {
  test('what is between the marks is replaced, and nothing else', async () => {
    expect(await renderDocument('before\n\nafter\n')).toBe('before\n\nafter\n');
    const file = readdirSync(path('bench/results')).find((name) => /^[^.]+\.json$/.test(name))!;
    const text = `before\n\n<!-- bench results/${file} ^none$ -->\nold\n<!-- end bench -->\n\nafter\n`;
    const rendered = await renderDocument(text);
    expect(rendered).toMatch(
      /^before\n\n<!-- bench .* -->\n\n\| row \|[^]*\n\nThalweg [^]*\n\n<!-- end bench -->\n\nafter\n$/,
    );
    expect(await renderDocument(rendered)).toBe(rendered);
  });

  test.each(documents)('%s has the tables that its results make (npm run bench:table writes them)', async (name) => {
    const text = readFileSync(path(name), 'utf8');
    expect(text).toContain('<!-- end bench -->');
    expect(await renderDocument(text)).toBe(text);
  });

  test('notes are of rows that exist', async () => {
    for (const name of readdirSync(path('bench/results'))) {
      const results = path(`bench/results/${name.replace('.notes.json', '.json')}`);
      expect(existsSync(results), name).toBe(true);
      const known = rows.map(({ name }) => name);
      for (const noted of Object.keys(await readNotes(results))) expect(known).toContain(noted);
    }
  });
});
