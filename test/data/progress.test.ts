import { PassThrough } from 'node:stream';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { data } from 'thalweg';
import { expect, test, vi } from 'vitest';
import { formatBytes, showProgress } from '../../src/data/progress.js';

function stream(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  const through = Object.assign(new PassThrough(), { isTTY, columns: 100, rows: 20 });
  let text = '';
  through.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return { stream: through as unknown as NodeJS.WriteStream, text: () => text };
}

test('bytes as people write them', () => {
  expect([0, 999, 1000, 11_594_722, 170_498_071, 999_999, 5e12, 3e15].map(formatBytes)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '11.6 MB',
    '170 MB',
    '1.0 MB',
    '5.0 TB',
    '3000 TB',
  ]);
});

test('lines where there is no terminal: one for each tenth', () => {
  const { stream: log, text } = stream(false);
  expect(showProgress('a.bin', undefined, log)).toBeUndefined();
  const shown = showProgress('a.bin', true, log);
  for (let bytes = 0; bytes <= 1000; bytes += 10) shown?.update(bytes * 1000, 1_000_000);
  shown?.stop();
  const lines = text().trim().split('\n');
  expect(lines.length).toBe(11);
  expect(lines[0]).toBe('a.bin: 0 B of 1.0 MB (0%)');
  expect(lines[5]).toBe('a.bin: 500 kB of 1.0 MB (50%)');
  expect(lines[10]).toBe('a.bin: 1.0 MB of 1.0 MB (100%)');
});

test('lines without a total, and an empty file', () => {
  const { stream: log, text } = stream(false);
  const shown = showProgress('b', true, log);
  for (let i = 0; i < 100; i++) shown?.update(i * 1e6, undefined);
  showProgress('c', true, log)?.update(0, 0);
  expect(text()).toBe('b: 0 B\nc: 0 B of 0 B\n');
});

test('a bar in a terminal', () => {
  const { stream: terminal, text } = stream(true);
  const shown = showProgress('a.bin', undefined, terminal);
  shown?.update(0, 2_000_000);
  shown?.update(1_000_000, 2_000_000);
  shown?.update(2_000_000, 2_000_000);
  shown?.stop();
  expect(text()).toContain('a.bin');
  expect(text()).toContain('100% 2.0 MB of 2.0 MB');
  expect(text().endsWith('\n')).toBe(true);
});

test('a download shows it on stderr, if that is wanted', async () => {
  const server = createServer((_, response) => response.end(Buffer.alloc(1000)));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.bin`;
  const folder = await mkdtemp(join(tmpdir(), 'thalweg-progress-'));
  const written: string[] = [];
  const spy = vi.spyOn(process.stderr, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  try {
    await data.download(url, { file: join(folder, 'quiet.bin') });
    if (!process.stderr.isTTY) expect(written).toEqual([]);
    await data.download(url, { file: join(folder, 'a.bin'), progress: true });
    expect(written.join('')).toContain('a.bin');
    const before = written.length;
    await data.download(url, { file: join(folder, 'none.bin'), progress: false });
    expect(written.length).toBe(before);
  } finally {
    spy.mockRestore();
    server.close();
    await rm(folder, { recursive: true, force: true });
  }
});
