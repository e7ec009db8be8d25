import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { main } from '../../examples/main.js';

test('the program that compares the policies of a cache, on a few samples', async () => {
  const out = mkdtempSync(join(tmpdir(), 'thalweg-policies-'));
  const lines: string[] = [];
  const log = vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
  try {
    expect(await main(['cache-policies', '--limit', '200', '--epochs', '3', '--out', out])).toBe(0);
    const text = lines.join('\n');
    expect(text).toMatch(/^200 samples of MNIST, \d+ bytes each in a cache; 3 epochs after the first/);
    const [, sequential, shuffled, skewed] = text.split(/\n(?=sequential:|shuffled:|skewed:)/);
    const rates = (table: string, policy: string): number[] =>
      (new RegExp(`^${policy} +(.*)$`, 'm').exec(table)?.[1] ?? '').split(/ +/).map((cell) => Number.parseFloat(cell));
    expect(rates(sequential, 'lru')).toEqual([0, 0, 0, 0, 0, 100]);
    expect(rates(sequential, 'fixed')).toEqual([10, 25, 50, 75, 90, 100]);
    expect(rates(shuffled, 'fixed')).toEqual([10, 25, 50, 75, 90, 100]);
    // Rare samples push out common ones least where the common ones are known.
    for (const i of [0, 1, 2]) expect(rates(skewed, 'lfu')[i]).toBeGreaterThan(rates(skewed, 'mru')[i]);
    for (const name of ['sequential', 'shuffled', 'skewed'])
      expect(readFileSync(join(out, `${name}.svg`), 'utf8')).toMatch(/^<svg[^]*mru[^]*<\/svg>\s*$/);
  } finally {
    log.mockRestore();
    rmSync(out, { recursive: true });
  }
});
