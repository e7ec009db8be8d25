// Statistics, adaptation, peers, results: all of the benchmark but the times.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { lookAgain, lookAtMachine } from '../../bench/machine.js';
import { main } from '../../bench/main.js';
import { Measured } from '../../bench/measure.js';
import { readOptions, UsageError } from '../../bench/options.js';
import { Peer } from '../../bench/peer.js';
import { peerIds } from '../../bench/peers.js';
import { type Bound, boundOf, readResults, type Results, type Work, writeResults } from '../../bench/results.js';
import { rows } from '../../bench/rows/index.js';
import { measureRow, roundsFor } from '../../bench/run.js';
import { formatRatio, formatTime, median, quantile, ratios, spread, summarize } from '../../bench/stats.js';

const folder = mkdtempSync(join(tmpdir(), 'thalweg-bench-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('statistics', () => {
  test('quantiles, spread and ratios', () => {
    expect(quantile([4, 1, 3, 2], 0)).toBe(1);
    expect(quantile([4, 1, 3, 2], 1)).toBe(4);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(summarize([5, 4, 3, 2, 1])).toEqual({ median: 3, low: 2, high: 4 });
    expect(spread(summarize([1, 2, 3, 4, 5]))).toBeCloseTo(1 / 3);
    expect(ratios([1, 2, 4], [2, 2, 12])).toEqual([2, 1, 3]);
  });

  test('times with three digits or the whole part', () => {
    expect(formatTime(1.234, 'ns')).toBe('1.23 ns');
    expect(formatTime(12_345, 'us')).toBe('12.3 µs');
    expect(formatTime(1_234_567, 'ns')).toBe('1,234,567 ns');
    expect(formatTime(123_456_789, 'ms')).toBe('123 ms');
    expect([0.123, 1.005, 9.99, 10.04, 123.4].map(formatRatio)).toEqual(['0.12', '1.00', '9.99', '10.0', '123']);
  });
});

describe('the command line', () => {
  const refusal = (...args: string[]): string => {
    try {
      readOptions(args);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      return (error as Error).message;
    }
    throw new Error(`${args.join(' ')} was taken`);
  };

  test('defaults, and what --quick changes', () => {
    expect(readOptions([])).toEqual({
      rows: /(?:)/,
      rounds: 9,
      ms: 40,
      threads: undefined,
      device: 'cpu',
      json: undefined,
      markdown: undefined,
      peers: peerIds,
      quick: false,
      list: false,
      help: false,
    });
    expect(readOptions(['--quick'])).toMatchObject({ rounds: 3, ms: 10, quick: true });
    expect(readOptions(['--quick', '--rounds', '5'])).toMatchObject({ rounds: 5, ms: 10 });
  });

  test('values', () => {
    const json = join(folder, 'x.json');
    expect(
      readOptions(['--rows', '^a', '--threads=2', '--ms', '1', '--json', json, '--peers', 'torch,jax']),
    ).toMatchObject({ rows: /^a/, threads: 2, ms: 1, json, peers: ['torch', 'jax'] });
    expect(readOptions(['--peers', 'none']).peers).toEqual([]);
  });

  test('what makes no sense is refused, with what to type', () => {
    expect(refusal('--rounds', '0')).toBe("--rounds takes an integer of at least 1, not '0'. Example: --rounds 4");
    expect(refusal('--ms', '1e3')).toBe("--ms takes an integer of at least 1, not '1e3'. Example: --ms 4");
    expect(refusal('--threads', '5000')).toBe('--threads takes 1 to 1024, not 5000.');
    expect(refusal('--rows', '(')).toMatch(/^--rows: Invalid regular expression: .*\. Example: --rows '\^mlp\/'$/);
    expect(refusal('--peers', 'torch,numpy')).toBe(
      "--peers: there is no 'numpy', only torch, torch-mkl, inductor, jax, tfjs and none. Example: --peers torch",
    );
    expect(refusal('--json', join(folder, 'no', 'x.json'))).toBe(`--json: there is no folder ${join(folder, 'no')}.`);
    expect(refusal('--fast')).toContain("'--fast'");
    expect(refusal('rows')).toContain("'rows'");
  });
});

describe('how often a row is measured', () => {
  test('as often as asked while iterations are short, less often when they are long', () => {
    const effort = { rounds: 9, ms: 40 };
    expect(roundsFor(effort, [1e6, 2e6])).toBe(9);
    expect(roundsFor(effort, [80e6, 80e6])).toBe(9);
    expect(roundsFor(effort, [160e6, 160e6])).toBe(4);
    expect(roundsFor(effort, [2e9, 2e9])).toBe(3);
    expect(roundsFor({ rounds: 1, ms: 1 }, [2e9])).toBe(1);
  });

  test('the number of iterations follows from the time of one', async () => {
    const counts: number[] = [];
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    try {
      const measured = new Measured({
        run(iterations) {
          counts.push(iterations);
          now += 2 * iterations;
        },
      });
      expect(await measured.warmUp(10)).toBe(2e6);
      expect(counts.slice(0, 4)).toEqual([1, 1, 2, 4]);
      expect(new Set(counts.slice(4))).toEqual(new Set([4]));
      expect(now).toBeGreaterThanOrEqual(100);
      expect(await measured.measure(10)).toBe(2e6);
      expect(counts.at(-1)).toBe(5);
      expect(await measured.measure(1)).toBe(2e6);
      expect(counts.at(-1)).toBe(1);
    } finally {
      vi.restoreAllMocks();
    }
  });
});

describe('peers', () => {
  const fake = (mode: string): { command: string; args: string[] } => ({
    command: process.execPath,
    args: [fileURLToPath(new URL('../fixtures/peer.mjs', import.meta.url)), mode],
  });
  const start = async (): Promise<Peer> => {
    const peer = await Peer.start('torch', fake('works'));
    if (typeof peer === 'string') throw new Error(peer);
    return peer;
  };

  test('one that works: rows are prepared, measured and released', async () => {
    const peer = await start();
    expect([peer.name, peer.version, peer.has('fine/1'), peer.has('other/1')]).toEqual(['Fake', '1.0', true, false]);
    await expect(peer.measure('fine/1', 3)).rejects.toThrow('it was not prepared');
    expect(await peer.prepare('fine/1', 2)).toBe(2000);
    expect(await peer.measure('fine/1', 3)).toBe(3000);
    await peer.release('fine/1');
    await expect(peer.measure('fine/1', 3)).rejects.toThrow('it was not prepared');
    peer.close();
  });

  test('one that is not there says why', async () => {
    expect(await Peer.start('torch', { command: 'no-such-program', args: [] })).toMatch(
      /^no-such-program did not start \(.*ENOENT\)$/,
    );
    expect(await Peer.start('torch', fake('refuses'))).toBe('there is no such library');
    expect(await Peer.start('torch', fake('dies'))).toBe('last line');
    expect(await Peer.start('torch', fake('babbles'))).toBe('it began with hello there');
    expect(await Peer.start('torch', fake('silent'), 100)).toBe('no reply in 0.1 s');
  });

  test('one that fails at a row goes on; one that ends or answers nonsense is not asked again', async () => {
    const peer = await start();
    await expect(peer.prepare('fails/1', 1)).rejects.toThrow('prepare does not work');
    expect(await peer.prepare('fine/1', 1)).toBe(1000);
    await expect(peer.prepare('dies/1', 1)).rejects.toThrow('it ended: out of cheese');
    await expect(peer.measure('fine/1', 1)).rejects.toThrow('it ended: out of cheese');
    await peer.release('fine/1');
    const other = await start();
    await expect(other.prepare('nonsense/1', 1)).rejects.toThrow('it answered {"ns":"many"}');
    await expect(other.prepare('fine/1', 1)).rejects.toThrow('it answered {"ns":"many"}');
  });

  test('a row beside two: both have ratios, and one that is lost has a reason', async () => {
    const machine = lookAtMachine(1);
    const [one, two] = [await start(), await start()];
    const row = rows.find(({ name }) => name === 'matmul/4')!;
    Object.assign(two, { id: 'jax' });
    const result = await measureRow(row, [one, two], machine, { rounds: 2, ms: 1 });
    expect(result.samples).toHaveLength(2);
    for (const id of ['torch', 'jax']) {
      const peer = result.peers[id];
      if (peer === undefined || 'error' in peer) throw new Error(`${id} has no times`);
      expect(peer.samples).toEqual([1000, 1000]);
      expect(peer.ratio).toEqual(summarize(ratios(result.samples, peer.samples)));
    }
    const dying = { ...row, name: 'dies/1' };
    const alone = await measureRow(dying, [one], machine, { rounds: 2, ms: 1 });
    expect(alone.peers).toEqual({ torch: { error: 'it ended: out of cheese' } });
    expect(alone.samples).toHaveLength(2);
    two.close();
  });
});

test('looking at the machine again keeps what is higher, and the lower share of two threads', () => {
  const machine = lookAtMachine(1);
  const most = { gflops: 1e9, bf16Gflops: 1e9, copyGBs: 1e9, cachedCopyGBs: 1e9 };
  const again = lookAgain({ ...machine, one: most, all: { ...most, gflops: 0 }, two: 0 }, 1);
  expect(again.one).toEqual(most);
  expect(again.all).toEqual({ ...most, gflops: expect.any(Number) as number });
  expect(again.all.gflops).toBeGreaterThan(0);
  expect(again.two).toBe(0);
});

describe('the limit', () => {
  const limits = { gflops: 100, bf16Gflops: 200, copyGBs: 10, cachedCopyGBs: 50 };
  const row: Work = {};

  test('is the longer of arithmetic and memory', () => {
    expect(boundOf({ ...row, flops: 1e6, bytes: 100 }, limits, 2e4)).toEqual({
      bound: { by: 'arithmetic', ns: 1e4, share: 0.5 },
    });
    expect(boundOf({ ...row, flops: 1e6, bytes: 1e6 }, limits, 4e4).bound).toEqual({
      by: 'memory',
      ns: 2e4,
      share: 0.5,
    });
    expect(boundOf({ ...row, bytes: 1e8 }, limits, 1e7).bound).toEqual({ by: 'memory', ns: 1e7, share: 1 });
    expect(boundOf({ ...row, flops: 1e6, dtype: 'bfloat16' }, limits, 1e4).bound?.ns).toBe(5e3);
    expect(boundOf(row, limits, 1)).toEqual({});
  });
});

// The file has five digits.
const roundedBound = (bound: Bound) => ({
  by: bound.by,
  ns: expect.closeTo(bound.ns, -Math.log10(bound.ns / 1000)) as number,
  share: expect.closeTo(bound.share, 3) as number,
});

describe('a run', () => {
  const lines: string[] = [];
  const errors: string[] = [];
  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation((text: string) => void lines.push(text));
    vi.spyOn(console, 'error').mockImplementation((text: string) => void errors.push(text));
  });
  afterEach(() => {
    vi.restoreAllMocks();
    lines.length = errors.length = 0;
  });

  test('of two rows prints and writes what it found', async () => {
    const file = join(folder, 'two.json');
    const rows = '^(add4/dispose|gemv/784x512)$';
    expect(await main(['--rows', rows, '--ms', '1', '--rounds', '2', '--peers', 'none', '--json', file])).toBe(0);
    expect(errors).toEqual([]);
    expect(lines[0]).toMatch(/^Thalweg \d+\.\d+\.\d+; /);
    expect(lines[0]).toMatch(/on 1 thread: \d+ GFLOP\/s.*, copy [\d.]+ GB\/s/);
    expect(lines.at(-3)).toMatch(/^add4\/dispose +[\d.,]+ ns +±\d+% +a \+ b of 4 float32, the result disposed; .*$/);
    expect(lines.at(-2)).toMatch(/^gemv\/784x512 +[\d.,]+ µs +±\d+% +\d+% +\[1, 784\] @ \[784, 512\] float32/);
    expect(lines.at(-1)).toMatch(/^\nthe higher of before and after the rows:\n {2}on 1 thread: /);
    const results = await readResults(file);
    expect(results.rows[1].bound).toEqual(
      roundedBound(boundOf(results.rows[1], results.machine.all, results.rows[1].time.median).bound!),
    );
    expect(results.rows.map(({ name }) => name)).toEqual(['add4/dispose', 'gemv/784x512']);
    for (const { samples, time } of results.rows) {
      expect(samples).toHaveLength(2);
      expect(time.low).toBeLessThanOrEqual(time.high);
    }
    expect(readdirSync(folder)).toEqual(['two.json']);
    lines.length = 0;
    expect(await main(['--markdown', file])).toBe(0);
    expect(lines[0]).toMatch(/^\| row +\| one iteration +\| +Thalweg \| of the limit \|\n/);
  });

  test('--list, --help', async () => {
    expect(await main(['--list'])).toBe(0);
    expect(lines).toHaveLength(rows.filter(({ only }) => only !== 'cuda').length);
    expect(await main(['--list', '--quick'])).toBe(0);
    expect(lines.length).toBeLessThan(2 * rows.length);
    expect(await main(['--help'])).toBe(0);
    expect(lines.at(-1)).toMatch(/^usage: thalweg bench/);
  });

  test('that makes no sense ends with status 2', async () => {
    expect(await main(['--rows', 'nothing'])).toBe(2);
    expect(errors.at(-1)).toBe(
      `thalweg bench: --rows nothing matches no row; --list names all ${rows.length}.\nAll flags: thalweg bench --help`,
    );
    expect(await main(['--markdown', join(folder, 'none.json')])).toBe(2);
    expect(errors.at(-1)).toMatch(/^thalweg bench: --markdown: ENOENT/);
  });
});

describe('results', () => {
  test('replace the file at once, or not at all', async () => {
    const file = join(folder, 'results.json');
    writeFileSync(file, 'old');
    const cyclic: Record<string, unknown> = { format: 1 };
    cyclic['self'] = cyclic;
    await expect(writeResults(file, cyclic as unknown as Results)).rejects.toThrow('circular');
    expect(readFileSync(file, 'utf8')).toBe('old');
    await expect(readResults(file)).rejects.toThrow(`${file} is not JSON: `);
    writeFileSync(file, '{"format": 2, "rows": []}');
    await expect(readResults(file)).rejects.toThrow(`${file} was not written by thalweg bench --json.`);
    rmSync(file);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
