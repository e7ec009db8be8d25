import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Zippable, zipSync } from 'fflate';
import { ArgumentError, data, FileError, ThalwegError } from 'thalweg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { philox } from '../../src/data/sampler.js';

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'thalweg-archive-'));
  folder = join(root, 'out');
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

interface Member {
  readonly name: string;
  readonly content?: string | Uint8Array;
  /** tar's type: 0 file, 1 hard link, 2 symbolic link, 3 device, 5 folder, 6 FIFO. */
  readonly type?: number;
  readonly link?: string;
  readonly mode?: number;
  /** A size that may lie. */
  readonly size?: number;
}

/** A tar file by hand: libraries do not write what these tests need. */
function tar(members: readonly Member[], end = 1024): Buffer {
  const parts = members.flatMap(({ name, content = '', type = 0, link = '', mode = 0o644, size }) => {
    const body = Buffer.from(content as string);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\x000000000\0', 108);
    header.write(`${(size ?? body.length).toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0        ', 136);
    header.write(String(type), 156);
    header.write(link, 157);
    header.write('ustar\x0000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
  });
  return Buffer.concat([...parts, Buffer.alloc(end)]);
}

async function extract(bytes: Uint8Array, options: data.ExtractOptions = {}): Promise<string> {
  const file = join(root, 'archive');
  await writeFile(file, bytes);
  return data.extractArchive(file, folder, options);
}

/** Fails with the message, and leaves nothing. */
async function refuses(bytes: Uint8Array, message: string | RegExp, options: data.ExtractOptions = {}): Promise<void> {
  const failure = await extract(bytes, options).then(
    () => new Error('it was unpacked'),
    (error: unknown) => error as Error,
  );
  expect(failure.message).toMatch(message);
  expect(failure).toBeInstanceOf(FileError);
  expect(await readdir(root)).toEqual(['archive']);
}

const members: readonly Member[] = [
  { name: 'set/', type: 5 },
  { name: 'set/a.txt', content: 'hello' },
  { name: './set/deep/er/b.bin', content: Buffer.alloc(100_000, 7) },
  { name: 'set/run.sh', content: '#!', mode: 0o755 },
  { name: 'set/empty' },
];

describe('what is unpacked', () => {
  const zipped: Zippable = {
    'set/': new Uint8Array(0),
    'set/a.txt': Buffer.from('hello'),
    'set/deep/er/b.bin': Buffer.alloc(100_000, 7),
    'set/run.sh': [Buffer.from('#!'), { os: 3, attrs: 0o100755 << 16 }],
    'set/empty': new Uint8Array(0),
  };
  test.each<[string, Uint8Array]>([
    ['tar', tar(members)],
    ['tar.gz', gzipSync(tar(members))],
    ['zip', zipSync(zipped)],
  ])('%s', async (_, bytes) => {
    expect(await extract(bytes)).toBe(folder);
    expect((await readdir(folder, { recursive: true })).sort()).toEqual(
      ['set', 'set/a.txt', 'set/deep', 'set/deep/er', 'set/deep/er/b.bin', 'set/empty', 'set/run.sh'].map((name) =>
        join(name),
      ),
    );
    expect(await readFile(join(folder, 'set/a.txt'), 'utf8')).toBe('hello');
    expect((await readFile(join(folder, 'set/deep/er/b.bin'))).equals(Buffer.alloc(100_000, 7))).toBe(true);
    expect((await lstat(join(folder, 'set/run.sh'))).mode & 0o100).toBe(process.platform === 'win32' ? 0 : 0o100);
    expect((await lstat(join(folder, 'set/a.txt'))).mode & 0o111).toBe(0);
  });

  test('links that stay inside', async () => {
    await extract(
      tar([
        { name: 'a/file', content: 'x' },
        { name: 'b/link', type: 2, link: '../a/file' },
        { name: 'b/folder', type: 2, link: '../a' },
        { name: 'hard', type: 1, link: 'a/file' },
      ]),
    );
    expect(await readlink(join(folder, 'b/link'))).toBe('../a/file');
    expect(await readFile(join(folder, 'b/folder/file'), 'utf8')).toBe('x');
    expect(await readFile(join(folder, 'hard'), 'utf8')).toBe('x');
  });

  test('into an empty folder, but no other', async () => {
    await mkdir(folder);
    await expect(extract(tar([{ name: '../evil' }]))).rejects.toThrow(FileError);
    expect((await readdir(root)).sort()).toEqual(['archive', 'out']);
    await extract(tar(members));
    await expect(extract(tar(members))).rejects.toThrow(
      new FileError(`archive ${join(root, 'archive')}: ${folder} exists and is not empty.`),
    );
    folder = join(folder, 'set/a.txt');
    await expect(extract(tar(members))).rejects.toThrow(`${folder} exists and is no folder.`);
  });

  test('what a killed process left is removed', async () => {
    // No process has this id.
    const orphan = join(root, `.out.${hostname().replace(/[^A-Za-z0-9]/g, '_')}-999999999-00.tmp`);
    await mkdir(orphan);
    await writeFile(join(orphan, 'half'), 'x');
    await extract(tar(members));
    expect((await readdir(root)).sort()).toEqual(['archive', 'out']);
  });

  test('an abort leaves nothing', async () => {
    const reason = new Error('enough');
    await expect(extract(tar(members), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await readdir(root)).toEqual(['archive']);
  });
});

const symlink = (name: string, link: string): Member => ({ name, type: 2, link });

describe('hostile tar files', () => {
  test.each<[string, readonly Member[], string]>([
    ['..', [{ name: '../evil', content: 'x' }], '"../evil" leads out of the folder; nothing was written.'],
    ['.. inside', [{ name: 'a/../../evil' }], '"a/../../evil" leads out of the folder'],
    ['.. for Windows', [{ name: 'a\\..\\..\\evil' }], 'leads out of the folder'],
    ['an absolute path', [{ name: '/tmp/evil' }], '"/tmp/evil" is an absolute path; nothing was written.'],
    ['a drive', [{ name: 'C:evil' }], '"C:evil" is an absolute path'],
    ['a share', [{ name: '\\\\host\\share\\evil' }], 'is an absolute path'],
    ['a file after good ones', [...members, { name: '../evil' }], 'leads out of the folder'],
    [
      'a link to outside',
      [symlink('a', '../..')],
      '"a" is a link to "../..", outside the folder; nothing was written.',
    ],
    ['an absolute link', [symlink('a', '/etc/passwd')], '"a" is a link to "/etc/passwd", outside the folder'],
    ['a link to nowhere', [symlink('a', 'b')], '"a" is a link to "b", which leads nowhere'],
    ['a link in circles', [symlink('a', 'b'), symlink('b', 'a')], 'which leads nowhere'],
    [
      'links that lead out only together',
      [{ name: 'd/e/x', content: '' }, symlink('d/e/up', '../..'), symlink('out', 'd/e/up/..')],
      '"out" is a link to "d/e/up/..", outside the folder',
    ],
    [
      'a file through a link',
      [{ name: 'b/x' }, symlink('a', 'b'), { name: 'a/evil', content: 'x' }],
      /archive .*: .*(exist|place)/i.source,
    ],
    ['a hard link to outside', [{ name: 'a', type: 1, link: '../../etc/passwd' }], 'leads out of the folder'],
    ['a hard link to nothing', [{ name: 'a', type: 1, link: 'b' }], '"a" is a link to "b", which is not there.'],
    ['a device', [{ name: 'a', type: 3 }], '"a" is a CharacterDevice; only files, folders and links are unpacked.'],
    ['a FIFO', [{ name: 'a', type: 6 }], '"a" is a FIFO; only files, folders and links are unpacked.'],
    ['a file twice', [{ name: 'a' }, { name: './a' }], 'two entries want the place of "./a".'],
    ['a file as a folder', [{ name: 'a' }, { name: 'a/b' }], 'archive'],
  ])('%s', async (_, content, message) => {
    await refuses(tar(content), new RegExp(message.startsWith('archive .*') ? message : escape(message)));
    await refuses(gzipSync(tar(content)), '');
  });
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

  test('limits', async () => {
    const many = tar(Array.from({ length: 20 }, (_, i) => ({ name: `f${i}` })));
    await refuses(many, 'more entries than the limit of 19.', { maxEntries: 19 });
    const large = tar([{ name: 'zeros', content: new Uint8Array(3_000_000) }]);
    await refuses(gzipSync(large), 'it becomes more than the limit of 1000000 bytes (maxBytes).', { maxBytes: 1e6 });
    await refuses(large, 'it becomes more than the limit of 1000000 bytes (maxBytes).', { maxBytes: 1e6 });
    const bomb = gzipSync(tar([{ name: 'zeros', content: new Uint8Array(20 * 1024 * 1024) }]), { level: 1 });
    await refuses(bomb, `it becomes more than 200 times the ${bomb.length} bytes of the file (maxRatio).`);
    await expect(extract(many, { maxEntries: 0 })).rejects.toThrow(
      new ArgumentError('extractArchive: maxEntries must be a positive number, not 0.'),
    );
  });

  test('cut anywhere', async () => {
    const whole = tar([
      { name: 'a', content: 'x'.repeat(600) },
      { name: 'b', content: 'y' },
    ]);
    // The last file's content and 512 zeros after it: nothing is missing then.
    const complete = whole.length - 1023;
    for (let length = 0; length < complete; length += length % 512 === 511 ? 1 : 73) {
      await refuses(whole.subarray(0, length), '');
    }
    await refuses(whole.subarray(0, complete - 1), '');
    const packed = gzipSync(whole);
    for (let length = 0; length < packed.length; length++) await refuses(packed.subarray(0, length), '');
  });
});

describe('hostile zip files', () => {
  test.each<[string, Zippable, string]>([
    ['..', { '../evil': Buffer.from('x') }, '"../evil" leads out of the folder; nothing was written.'],
    ['.. for Windows', { 'a\\..\\..\\evil': Buffer.from('x') }, 'leads out of the folder'],
    ['an absolute path', { '/evil': Buffer.from('x') }, '"/evil" is an absolute path'],
    [
      'a link to outside',
      { a: [Buffer.from('../..'), { os: 3, attrs: 0o120777 << 16 }] },
      '"a" is a link to "../..", outside',
    ],
    [
      'a device',
      { a: [Buffer.from(''), { os: 3, attrs: 0o020666 << 16 }] },
      '"a" is no file, folder or link (mode 20666).',
    ],
    ['a folder as a file', { a: Buffer.from(''), 'a/b': Buffer.from('') }, 'archive'],
  ])('%s', async (_, content, message) => {
    await refuses(zipSync(content), message);
  });

  test('limits, before anything is inflated', async () => {
    const bomb = zipSync({ zeros: new Uint8Array(20 * 1024 * 1024) }, { level: 1 });
    await refuses(bomb, `its entries become more than 200 times the ${bomb.length} bytes of the file (maxRatio).`);
    await refuses(bomb, 'more than the limit of 1000 bytes (maxBytes).', { maxBytes: 1000, maxRatio: 1e9 });
    await refuses(zipSync({ a: new Uint8Array(1), b: new Uint8Array(1) }), '2 entries are over the limit of 1.', {
      maxEntries: 1,
    });
  });

  test('cut anywhere, and with random bytes', async () => {
    const whole = zipSync({ 'a/b': Buffer.from('hello'.repeat(20)), c: Buffer.from('d') });
    for (let length = 0; length < whole.length; length++) await refuses(whole.subarray(0, length), '');
    for (let round = 0; round < 80; round++) {
      const [at, value] = philox([round, 0, 0, 0], [9, 9]);
      const bytes = Uint8Array.from(whole);
      bytes[at % bytes.length] ^= value & 0xff || 1;
      folder = join(root, `out${round}`);
      await extract(bytes).catch((error: unknown) => {
        if (!(error instanceof ThalwegError)) throw error;
      });
      await rm(folder, { recursive: true, force: true });
    }
    expect(await readdir(root)).toEqual(['archive']);
  });
});

test('what is no archive', async () => {
  await refuses(new Uint8Array(0), 'it is empty.');
  await refuses(Buffer.from('hello, world'), '');
  await refuses(Buffer.alloc(10_240), 'TAR_BAD_ARCHIVE: Unrecognized archive format.');
  await refuses(Buffer.from('BZh91AY'), 'it is compressed by bzip2; .tar, .tar.gz and .zip can be unpacked here.');
  await refuses(gzipSync('hello'), '');
  await refuses(gzipSync(gzipSync(tar(members))), 'what is compressed in it is compressed again; it is no tar file.');
  await refuses(gzipSync(Buffer.from('\x28\xb5\x2f\xfdxxxx', 'latin1')), 'is compressed again');
  await expect(data.extractArchive(join(root, 'missing'), folder)).rejects.toThrow(
    new FileError(`archive ${join(root, 'missing')}: no such file or folder.`),
  );
});

test('a folder inside a file', async () => {
  const file = join(root, 'archive');
  await writeFile(file, tar(members));
  await expect(data.extractArchive(file, join(file, 'out'))).rejects.toThrow(
    `archive ${file}: a part of the path is not a folder.`,
  );
});

test.skipIf(process.platform === 'win32' || process.getuid?.() === 0)(
  'a folder that cannot be written to',
  async () => {
    await writeFile(join(root, 'archive'), tar(members));
    const locked = join(root, 'locked');
    await mkdir(locked);
    await chmod(locked, 0o555);
    const attempt = data.extractArchive(join(root, 'archive'), join(locked, 'out'));
    await expect(attempt).rejects.toThrow(`archive ${join(root, 'archive')}: permission denied.`);
  },
);
