// The commands of `npx thalweg`.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { cuda, getNumThreads, info } from 'thalweg';
import { collectInfo, formatInfo } from '../src/cli/info.js';
import { run } from '../src/cli/run.js';
import { addonPath } from '../src/load.js';
import { rows } from '../bench/rows/index.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
const execute = promisify(execFile);

/** Runs the built command in a process of its own. */
async function command(args: string[], env: NodeJS.ProcessEnv = {}) {
  const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
  try {
    const { stdout, stderr } = await execute(process.execPath, [main, ...args], { env: { ...process.env, ...env } });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as { code: number; stdout: string; stderr: string };
  }
}

describe('inside this process', () => {
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

  test('info has a line for everything, and those of the environment', async () => {
    vi.stubEnv('THALWEG_CACHE', 'somewhere');
    try {
      expect(await run(['info'])).toBe(0);
    } finally {
      vi.unstubAllEnvs();
    }
    const text = lines.join('\n');
    expect(text).toMatch(new RegExp(`^thalweg +${version.replaceAll('.', '\\.')}$`, 'm'));
    expect(text).toMatch(/^runtime +(Node\.js v|Bun )/m);
    expect(text).toMatch(new RegExp(`^system +${process.platform}-${process.arch}`, 'm'));
    expect(text.replaceAll(/ +/g, ' ')).toContain(`addon ${addonPath()!} (`);
    expect(text).toMatch(new RegExp(`^instructions +${info().isa}, of ${info().isas.join(', ')}$`, 'm'));
    expect(text).toMatch(new RegExp(`^threads +${getNumThreads()}$`, 'm'));
    expect(text).toMatch(/^memory limit +[\d.]+ GiB$/m);
    expect(text).toMatch(/^devices +cpu/m);
    expect(text.includes('\nno cuda ')).toBe(!cuda.isAvailable());
    expect(text).toMatch(/^THALWEG_CACHE +somewhere$/m);
  });

  test('info --json is the same for programs', async () => {
    expect(await run(['info', '--json'])).toBe(0);
    expect(JSON.parse(lines.join('\n'))).toEqual(await collectInfo());
  });

  test('an addon that does not load is part of what is printed', async () => {
    const { native: _, ...rest } = await collectInfo();
    const text = formatInfo({ ...rest, error: 'It did not load.' });
    expect(text).toMatch(/\n\nIt did not load\.$/);
    expect(text).not.toContain('devices');
  });

  test('--help and --version', async () => {
    for (const flag of ['--help', '-h', 'help']) expect(await run([flag])).toBe(0);
    expect(lines.at(-1)).toMatch(/^usage: thalweg <command>\n/);
    for (const flag of ['--version', '-v']) expect(await run([flag])).toBe(0);
    expect(lines.at(-1)).toBe(version);
  });

  test('what makes no sense: status 2, and what to type', async () => {
    expect(await run(['infos'])).toBe(2);
    expect(errors.at(-1)).toMatch(/^thalweg: there is no command 'infos'\.\n\nusage: thalweg <command>\n/);
    expect(await run([])).toBe(2);
    expect(errors.at(-1)).toMatch(/^thalweg: which command\?\n\nusage: /);
    expect(await run(['info', '--yaml'])).toBe(2);
    expect(errors.at(-1)).toMatch(/^thalweg info: .*'--yaml'.*\nIt takes one flag: thalweg info --json$/s);
  });
});

describe('the built command', () => {
  test('info where the addon does not load: what was tried, status 1', async () => {
    const { code, stdout } = await command(['info'], { THALWEG_ADDON: '/nowhere/thalweg.node' });
    expect(code).toBe(1);
    expect(stdout).toMatch(new RegExp(`^thalweg +${version.replaceAll('.', '\\.')}$`, 'm'));
    expect(stdout).toContain('  /nowhere/thalweg.node: no such file\n');
  });

  test('bench has the same rows, but for those of devices', async () => {
    const { code, stdout, stderr } = await command(['bench', '--list']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trimEnd().split('\n')).toHaveLength(rows.filter(({ only }) => only !== 'cuda').length);
  });

  test('bench measures', async () => {
    const { code, stdout, stderr } = await command(['bench', '--rows', 'add4', '--ms', '1', '--peers', 'none']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^add4\/sync +[\d.,]+ ns/m);
  });

  test('the status of a wrong command line', async () => {
    expect(await command(['bench', '--peers', 'numpy'])).toMatchObject({ code: 2, stdout: '' });
  });
});
