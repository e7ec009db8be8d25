// A disk without space, as far as that can be had without being root: a child process that may not write large files.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const execute = promisify(execFile);
const entry = new URL('../../dist/index.js', import.meta.url).href;
const content = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i) >> 5));

let folder: string;
let server: Server;
let url: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-full-'));
  server = createServer((_, response) => response.end(content));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/a.bin`;
});
afterEach(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a program whose files may have at most 200 blocks of 512 or 1,024 bytes; gives what it prints. */
async function limited(program: string): Promise<string> {
  const file = join(folder, 'program.mjs');
  const source = `import { data, zeros } from ${JSON.stringify(entry)};
    const told = (error) => console.log(error.name, error.message);
    ${program}`;
  await writeFile(file, source);
  const { stdout } = await execute('sh', ['-c', 'ulimit -f 200; exec "$0" "$1"', process.execPath, file], {
    cwd: folder,
  });
  await rm(file);
  return stdout.trim();
}

const reason = 'the file would be larger than the system allows.';

describe.skipIf(process.platform === 'win32')('a full disk', { timeout: 60_000 }, () => {
  test('a download: typed, nothing under the final name; what came is kept', async () => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    const call = `await data.download(${JSON.stringify(url)}, { file: 'a.bin', sha256: '${sha256}' })`;
    expect(await limited(`${call}.catch(told);`)).toBe(`FileError download ${join(folder, 'a.bin')}: ${reason}`);
    expect(await readdir(folder)).toEqual(['a.bin.part']);
    const kept = await readFile(join(folder, 'a.bin.part'));
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.equals(content.subarray(0, kept.length))).toBe(true);
  });

  test('unpacking and saving: typed, nothing is left', async () => {
    await writeFile(join(folder, 'a.zip'), zipSync({ small: Buffer.from('x'), large: content }));
    await writeFile(join(folder, 'old.npz'), 'old');
    const output = await limited(`
      await data.extractArchive('a.zip', 'out').catch(told);
      await data.saveNpz('old.npz', { x: zeros([400_000]) }).catch(told);
      await data.saveNpy('new.npy', zeros([400_000])).catch(told);`);
    expect(output.split('\n')).toEqual([
      `FileError archive a.zip: ${reason}`,
      `FileError write old.npz: ${reason}`,
      `FileError write new.npy: ${reason}`,
    ]);
    expect((await readdir(folder)).sort()).toEqual(['a.zip', 'old.npz']);
    expect(await readFile(join(folder, 'old.npz'), 'utf8')).toBe('old');
  });
});

test('the built package is there', async () => {
  expect(await readFile(fileURLToPath(entry), 'utf8')).toContain('data');
});
