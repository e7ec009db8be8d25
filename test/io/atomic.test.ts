import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileError } from '../../src/errors.js';
import { writeFileAtomic } from '../../src/io/atomic.js';
import { writeAll } from '../../src/io/file.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-atomic-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('writes a new file and leaves nothing else', async () => {
  const file = join(folder, 'a.bin');
  await writeFileAtomic(file, bytes('hello'));
  expect(await readFile(file, 'utf8')).toBe('hello');
  expect(await readdir(folder)).toEqual(['a.bin']);
});

test('replaces a file and keeps its mode', async () => {
  const file = join(folder, 'a.bin');
  await writeFile(file, 'a much longer old content');
  await chmod(file, 0o640);
  await writeFileAtomic(file, async (handle) => {
    await writeAll(handle, bytes('new'));
    await writeAll(handle, bytes(' content'));
  });
  expect(await readFile(file, 'utf8')).toBe('new content');
  if (process.platform !== 'win32') expect((await stat(file)).mode & 0o777).toBe(0o640);
});

test('a failure in the middle leaves the old content, no temporary file, and its own error', async () => {
  const file = join(folder, 'a.bin');
  await writeFile(file, 'old');
  const failure = new RangeError('half way');
  const write = writeFileAtomic(file, async (handle) => {
    await writeAll(handle, bytes('half'));
    throw failure;
  });
  await expect(write).rejects.toBe(failure);
  expect(await readFile(file, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['a.bin']);
});

test('follows a symbolic link instead of replacing it', async () => {
  const file = join(folder, 'real.bin');
  const link = join(folder, 'link.bin');
  await writeFile(file, 'old');
  await symlink('real.bin', link);
  await writeFileAtomic(link, bytes('new'));
  expect(await readlink(link)).toBe('real.bin');
  expect(await readFile(file, 'utf8')).toBe('new');
});

test('a missing folder and a folder in the way are FileErrors with the path', async () => {
  const missing = join(folder, 'no', 'a.bin');
  await expect(writeFileAtomic(missing, bytes('x'))).rejects.toThrow(
    new FileError(`write ${missing}: no such file or folder.`),
  );
  await mkdir(join(folder, 'sub'));
  const sub = join(folder, 'sub');
  await expect(writeFileAtomic(sub, bytes('x'))).rejects.toThrow(new FileError(`write ${sub}: it is a folder.`));
  expect(await readdir(folder)).toEqual(['sub']);
});

test('many writers at once: the file is one of the contents, whole', async () => {
  const file = join(folder, 'a.bin');
  const contents = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000));
  await Promise.all(contents.map((content) => writeFileAtomic(file, bytes(content))));
  expect(contents).toContain(await readFile(file, 'utf8'));
  expect(await readdir(folder)).toEqual(['a.bin']);
});
