import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { cacheFolder, download, type DownloadProgress } from '../../src/data/download.js';
import { ArgumentError, FileError } from '../../src/errors.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const content = randomBytes(300_000);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

let folder: string;
let server: Server;
let base: string;
let handlers: Map<string, Handler>;
let requests: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thalweg-download-'));
  handlers = new Map();
  requests = [];
  server = createServer((request, response) => {
    requests.push(`${request.url} ${request.headers.range ?? 'all'}`);
    const handler = handlers.get(request.url ?? '');
    if (handler !== undefined) return handler(request, response);
    response.writeHead(404).end('nothing here');
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await rm(folder, { recursive: true, force: true });
});

/** Serves `bytes`, with ranges; with `cut`, the connection breaks after that many bytes of the first answer. */
function serve(bytes: Uint8Array, { ranges = true, cut = 0, etag = '' } = {}): Handler {
  let first = true;
  return (request, response) => {
    const match = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
    const start = ranges && match !== null ? Number(match[1]) : 0;
    if (etag !== '') response.setHeader('etag', etag);
    if (start > bytes.length) return void response.writeHead(416).end();
    response.setHeader('content-length', bytes.length - start);
    if (ranges && match !== null) {
      response.setHeader('content-range', `bytes ${start}-${bytes.length - 1}/${bytes.length}`);
      response.writeHead(206);
    }
    if (first && cut > 0) {
      first = false;
      response.write(bytes.subarray(start, start + cut), () => setTimeout(() => response.destroy(), 20));
    } else {
      response.end(bytes.subarray(start));
    }
  };
}

const listing = async (): Promise<string[]> => (await readdir(folder)).sort();

describe('download', () => {
  test('fetches, reports progress, checks the hash, and does nothing the second time', async () => {
    handlers.set('/a.bin', serve(content));
    const file = join(folder, 'sub', 'a.bin');
    const progress: DownloadProgress[] = [];
    const options = {
      file,
      sha256: sha256(content).toUpperCase(),
      onProgress: (p: DownloadProgress) => progress.push(p),
    };
    expect(await download(`${base}/a.bin`, options)).toBe(file);
    expect(content.equals(await readFile(file))).toBe(true);
    expect(progress[0]).toEqual({ url: `${base}/a.bin`, file, bytes: 0, total: content.length });
    expect(progress.at(-1)?.bytes).toBe(content.length);
    expect(await readdir(join(folder, 'sub'))).toEqual(['a.bin']);
    await download(new URL(`${base}/a.bin`), options);
    expect(requests).toEqual(['/a.bin all']);
  });

  test('resumes after a cut in the same call', async () => {
    handlers.set('/a.bin', serve(content, { cut: 100_000 }));
    const file = join(folder, 'a.bin');
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(content.equals(await readFile(file))).toBe(true);
    expect(requests).toEqual(['/a.bin all', '/a.bin bytes=100000-']);
  });

  test('resumes what an earlier call left', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, content.subarray(0, 1234));
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(requests).toEqual(['/a.bin bytes=1234-']);
    expect(content.equals(await readFile(file))).toBe(true);
    expect(await listing()).toEqual(['a.bin']);
  });

  test('takes over the partial file of a process that died', async () => {
    const file = join(folder, 'a.bin');
    const host = hostname().replace(/[^A-Za-z0-9]/g, '_');
    // No process has this id: Linux's largest is 4,194,304.
    await writeFile(`${file}.${host}-999999999-00.part`, content.subarray(0, 1000));
    // The parent of the test is alive, and at work on its own.
    const other = `a.bin.${host}-${process.ppid}-00.part`;
    await writeFile(join(folder, other), 'x');
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(requests).toEqual(['/a.bin bytes=1000-']);
    expect(await listing()).toEqual(['a.bin', other]);
  });

  test('a partial file with wrong bytes: one fresh attempt mends it', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, Buffer.alloc(1000));
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(requests).toEqual(['/a.bin bytes=1000-', '/a.bin all']);
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('a partial file longer than the file (416) is thrown away', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, Buffer.alloc(content.length + 1));
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('a server that ignores ranges', async () => {
    handlers.set('/a.bin', serve(content, { ranges: false, cut: 50_000 }));
    const file = join(folder, 'a.bin');
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(requests).toEqual(['/a.bin all', '/a.bin bytes=50000-']);
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('a server whose range starts elsewhere', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, content.subarray(0, 1000));
    const right = serve(content);
    handlers.set('/a.bin', (request, response) => {
      if (request.headers.range === undefined) return right(request, response);
      response.writeHead(206, { 'content-range': `bytes 5-9/${content.length}` }).end('wrong');
    });
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('without a hash: no resume across calls, but in one call if the ETag is the same', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, 'left by another');
    handlers.set('/a.bin', serve(content, { cut: 70_000, etag: '"v1"' }));
    await download(`${base}/a.bin`, { file });
    expect(requests).toEqual(['/a.bin all', '/a.bin bytes=70000-']);
    expect(content.equals(await readFile(file))).toBe(true);
    expect(await listing()).toEqual(['a.bin']);
  });

  test('the wrong hash: both are named, nothing is left', async () => {
    handlers.set('/a.bin', serve(content));
    const file = join(folder, 'a.bin');
    const expected = '0'.repeat(64);
    await expect(download(`${base}/a.bin`, { file, sha256: expected })).rejects.toThrow(
      new FileError(`download ${file}: ${base}/a.bin: SHA-256 is ${sha256(content)}, expected ${expected}.`),
    );
    expect(await listing()).toEqual([]);
    expect(requests.length).toBe(1);
  });

  test('an existing file with the wrong hash is replaced, but only by the right one', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(file, 'damaged');
    await expect(download(`${base}/a.bin`, { file, sha256: sha256(content) })).rejects.toThrow('HTTP 404');
    expect(await readFile(file, 'utf8')).toBe('damaged');
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('the hash of the gunzipped content accepts any compression of it', async () => {
    const file = join(folder, 'a.gz');
    const text = Buffer.from('hello '.repeat(1000));
    handlers.set('/bad.gz', serve(gzipSync(text).subarray(0, 20)));
    for (const level of [1, 9]) {
      await rm(file, { force: true });
      handlers.set('/a.gz', serve(gzipSync(text, { level })));
      await download([`${base}/bad.gz`, `${base}/a.gz`], { file, sha256: sha256(text), sha256Of: 'gunzipped' });
    }
    const error = `SHA-256 of the gunzipped content is none (unexpected end of file), expected ${sha256(text)}`;
    await rm(file);
    await expect(download(`${base}/bad.gz`, { file, sha256: sha256(text), sha256Of: 'gunzipped' })).rejects.toThrow(
      error,
    );
  });

  test('404: no second attempt, the next mirror, and all reasons in the message', async () => {
    const file = join(folder, 'a.bin');
    const mirrors = [`${base}/no.bin`, `${base}/forbidden.bin`];
    handlers.set('/forbidden.bin', (_, response) => response.writeHead(403).end());
    await expect(download(mirrors, { file })).rejects.toThrow(
      new FileError(
        `download ${file}: ${base}/no.bin: HTTP 404 Not Found | ${base}/forbidden.bin: HTTP 403 Forbidden.`,
      ),
    );
    expect(requests.length).toBe(2);
    expect(await listing()).toEqual([]);
    handlers.set('/a.bin', serve(content));
    await download([...mirrors, `${base}/a.bin`], { file });
    expect(content.equals(await readFile(file))).toBe(true);
  });

  test('a server error that passes', async () => {
    let calls = 0;
    const right = serve(content);
    handlers.set('/a.bin', (request, response) => {
      if (calls++ === 0) response.writeHead(503).end();
      else right(request, response);
    });
    await download(`${base}/a.bin`, { file: join(folder, 'a.bin') });
    expect(calls).toBe(2);
  });

  test('a wrong length: the connection ends early each time', async () => {
    const file = join(folder, 'a.bin');
    handlers.set('/a.bin', (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('only this', () => setTimeout(() => response.destroy(), 10));
    });
    await expect(download(`${base}/a.bin`, { file })).rejects.toThrow(FileError);
    expect(requests.length).toBe(3);
    expect(await listing()).toEqual([]);
  });

  test('a total in the range that is not what comes', async () => {
    const file = join(folder, 'a.bin');
    await writeFile(`${file}.part`, content.subarray(0, 10));
    handlers.set('/a.bin', (_, response) => {
      response.writeHead(206, { 'content-range': 'bytes 10-19/1000', 'content-length': 5 }).end('12345');
    });
    await expect(download(`${base}/a.bin`, { file, sha256: sha256(content) })).rejects.toThrow('15 of 1000 bytes');
  });

  test('a server that falls silent', async () => {
    const file = join(folder, 'a.bin');
    handlers.set('/a.bin', (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('a few bytes');
    });
    await expect(download(`${base}/a.bin`, { file, timeout: 100 })).rejects.toThrow(
      new FileError(`download ${file}: ${base}/a.bin: no data for 100 ms.`),
    );
  });

  test('nobody listens', async () => {
    const file = join(folder, 'a.bin');
    await expect(download('http://127.0.0.1:1/a.bin', { file })).rejects.toThrow(FileError);
  });

  test('too large', async () => {
    const file = join(folder, 'a.bin');
    handlers.set('/a.bin', serve(content));
    await expect(download(`${base}/a.bin`, { file, maxBytes: 1000 })).rejects.toThrow(
      new FileError(`download ${file}: ${base}/a.bin: ${content.length} bytes are over the limit of 1000.`),
    );
    handlers.set('/chunked.bin', (_, response) => response.end(content));
    await expect(download(`${base}/chunked.bin`, { file, maxBytes: 1000 })).rejects.toThrow('limit of 1000');
    expect(await listing()).toEqual([]);
  });

  test('an abort gives the reason and keeps what has come, for the next call', async () => {
    const file = join(folder, 'a.bin');
    handlers.set('/a.bin', (_, response) => {
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, 5000));
    });
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const options = { file, sha256: sha256(content), signal: controller.signal };
    const onProgress = ({ bytes }: DownloadProgress): void => {
      if (bytes === 5000) controller.abort(reason);
    };
    await expect(download(`${base}/a.bin`, { ...options, onProgress })).rejects.toBe(reason);
    expect(await listing()).toEqual(['a.bin.part']);
    await expect(download(`${base}/a.bin`, options)).rejects.toBe(reason);
    handlers.set('/a.bin', serve(content));
    await download(`${base}/a.bin`, { file, sha256: sha256(content) });
    expect(requests.at(-1)).toBe('/a.bin bytes=5000-');
  });

  test('bad arguments', async () => {
    const cases: [Parameters<typeof download>, string][] = [
      [[[]], 'download: expected at least one URL.'],
      [['ftp://example.org/a'], "download: 'ftp://example.org/a' is not an http or https URL."],
      [['nonsense'], "download: 'nonsense' is not an http or https URL."],
      [['http://example.org/'], "download: 'http://example.org/' names no file; give one as { file }."],
      [['http://example.org/a', { sha256: 'abc' }], "download: sha256 'abc' is not 64 hexadecimal digits."],
      [
        ['http://example.org/a', { timeout: Number.NaN }],
        'download: timeout must be a positive number of milliseconds, not NaN.',
      ],
    ];
    for (const [args, message] of cases) await expect(download(...args)).rejects.toThrow(new ArgumentError(message));
  });

  test('a folder in the way of the file', async () => {
    const file = join(folder, 'a.bin');
    await mkdir(file);
    handlers.set('/a.bin', serve(content));
    await expect(download(`${base}/a.bin`, { file, sha256: sha256(content) })).rejects.toThrow(FileError);
  });

  test('many at once, in one process', async () => {
    const file = join(folder, 'a.bin');
    handlers.set('/a.bin', serve(content));
    await Promise.all(Array.from({ length: 8 }, () => download(`${base}/a.bin`, { file, sha256: sha256(content) })));
    expect(content.equals(await readFile(file))).toBe(true);
    expect(await listing()).toEqual(['a.bin']);
  });
});

describe('cacheFolder', () => {
  test('the environment decides, then the platform', () => {
    expect(cacheFolder({ THALWEG_CACHE: 'here', XDG_CACHE_HOME: '/x' }, 'linux')).toBe(resolve('here'));
    expect(cacheFolder({ XDG_CACHE_HOME: '/x' }, 'linux')).toBe(join('/x', 'thalweg'));
    expect(cacheFolder({ XDG_CACHE_HOME: 'relative' }, 'linux')).toMatch(/[\\/]\.cache[\\/]thalweg$/);
    expect(cacheFolder({}, 'darwin')).toMatch(/Library[\\/]Caches[\\/]thalweg$/);
    expect(cacheFolder({ LOCALAPPDATA: 'L' }, 'win32')).toBe(join('L', 'thalweg', 'Cache'));
  });
});
