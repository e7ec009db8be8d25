// A disk that is full in the middle of a record: one warning, a whole file, and a run that goes on.
import fs, { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { tensorboard } from 'thalweg';

let room = Infinity;

// What a system does: it writes what fits, and the next call fails.
const { writeSync } = fs;
beforeAll(() => {
  const writeWhatFits = (fd: number, bytes: Uint8Array, offset: number): number => {
    if (room <= 0) throw Object.assign(new Error('ENOSPC: no space'), { code: 'ENOSPC', syscall: 'write' });
    const count = Math.min(room, bytes.length - offset);
    room -= count;
    return writeSync(fd, bytes, offset, count);
  };
  fs.writeSync = writeWhatFits as typeof writeSync;
  syncBuiltinESMExports();
});
afterAll(() => {
  fs.writeSync = writeSync;
  syncBuiltinESMExports();
});

const folder = mkdtempSync(join(tmpdir(), 'thalweg-full-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a full disk', async () => {
  const warnings: string[] = [];
  const warn = vi.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)));
  const writer = new tensorboard.SummaryWriter(folder, { maxQueue: 5 });
  room = 700;
  for (let i = 0; i < 100; i++) writer.addScalar('a', i, i);
  expect(warnings).toEqual([
    expect.stringMatching(/^TensorBoard: write .*: no space left on the device\. \d+ bytes of events were lost, /),
  ]);
  await expect(writer.flush()).rejects.toThrow(/no space left on the device/);
  await writer.close();
  expect(warnings.length).toBe(1);
  warn.mockRestore();

  room = Infinity;
  const steps: number[] = [];
  for await (const event of tensorboard.readEvents(writer.path, { strict: true })) steps.push(event.step);
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.slice(1)).toEqual(steps.slice(1).map((_, i) => i));
  expect(readFileSync(writer.path).length).toBeLessThanOrEqual(700);
});
