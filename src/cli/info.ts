// thalweg info: what is asked for in every bug report.
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { addonPath, describeSystem } from '../load.js';
import { packageRoot } from '../packageRoot.js';

/** What `thalweg info --json` prints. */
export interface Info {
  readonly thalweg: string;
  readonly runtime: string;
  readonly system: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly processors: number;
  readonly memoryBytes: number;
  /** Environment variables that change what Thalweg does. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of the addon; not there when it did not load. */
  readonly native?: NativeInfo;
  /** Why the addon did not load. */
  readonly error?: string;
}

interface NativeInfo {
  readonly addon: string;
  readonly origin: 'THALWEG_ADDON' | 'built from source' | 'prebuilt';
  readonly isa: string;
  readonly isas: readonly string[];
  readonly threads: number;
  readonly memoryLimitBytes: number;
  readonly devices: readonly string[];
  /** Why there is no GPU; null if there is. */
  readonly cudaUnavailable: string | null;
}

/** The version in the package's own package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL('package.json', packageRoot), 'utf8')) as { version: string }).version;
}

function originOf(addon: string): NativeInfo['origin'] {
  if (process.env['THALWEG_ADDON']) return 'THALWEG_ADDON';
  return /[\\/]prebuilds[\\/]/.test(addon) ? 'prebuilt' : 'built from source';
}

async function gpus(): Promise<string[]> {
  const cuda = await import('../cuda/index.js');
  return Array.from({ length: cuda.deviceCount() }, (_, i) => {
    const name = i === 0 ? 'cuda' : (`cuda:${i}` as const);
    return `${name} (${cuda.deviceProperties(name).name})`;
  });
}

async function nativeInfo(): Promise<NativeInfo> {
  const { info } = await import('../runtime.js');
  const { memoryLimit } = await import('../memory.js');
  const cuda = await import('../cuda/index.js');
  const addon = addonPath() ?? '';
  return {
    addon,
    origin: originOf(addon),
    ...info(),
    memoryLimitBytes: memoryLimit(),
    devices: ['cpu', ...(await gpus())],
    cudaUnavailable: cuda.unavailableReason(),
  };
}

/** Looks at everything; the addon may fail to load. */
export async function collectInfo(): Promise<Info> {
  const bun = process.versions['bun'];
  const base = {
    thalweg: packageVersion(),
    runtime: bun === undefined ? `Node.js ${process.version}` : `Bun ${bun}`,
    system: describeSystem(),
    kernel: os.release(),
    cpu: os.cpus()[0]?.model.trim() ?? process.arch,
    processors: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    environment: Object.fromEntries(
      Object.entries(process.env).filter(
        (entry): entry is [string, string] => entry[0].startsWith('THALWEG_') && entry[1] !== undefined,
      ),
    ),
  };
  try {
    return { ...base, native: await nativeInfo() };
  } catch (error) {
    // Most often a NativeLoadError; any other failure of the addon is as good a reason for a bug report.
    return { ...base, error: error instanceof Error ? error.message : String(error) };
  }
}

const gib = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

/** The lines of `thalweg info`. */
export function formatInfo(info: Info): string {
  const { native } = info;
  const lines: [string, string][] = [
    ['thalweg', info.thalweg],
    ['runtime', info.runtime],
    ['system', `${info.system}, kernel ${info.kernel}`],
    ['processor', `${info.cpu}, ${info.processors} ${info.processors === 1 ? 'processor' : 'processors'}`],
    ['memory', gib(info.memoryBytes)],
  ];
  if (native !== undefined) {
    lines.push(
      ['addon', `${native.addon} (${native.origin})`],
      ['instructions', `${native.isa}, of ${native.isas.join(', ')}`],
      ['threads', String(native.threads)],
      ['memory limit', gib(native.memoryLimitBytes)],
      ['devices', native.devices.join(', ')],
    );
    if (native.cudaUnavailable !== null) lines.push(['no cuda', native.cudaUnavailable]);
  }
  for (const [name, value] of Object.entries(info.environment)) lines.push([name, value]);
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`);
  if (info.error !== undefined) text.push('', info.error);
  return text.join('\n');
}

/**
 * Runs `thalweg info`.
 *
 * @returns the exit status: 1 if the addon does not load, 2 for flags that make no sense
 */
export async function runInfo(args: readonly string[]): Promise<number> {
  let json: boolean;
  try {
    json = parseArgs({ args: [...args], options: { json: { type: 'boolean', default: false } } }).values.json;
  } catch (error) {
    console.error(`thalweg info: ${(error as Error).message}\nIt takes one flag: thalweg info --json`);
    return 2;
  }
  const info = await collectInfo();
  console.log(json ? JSON.stringify(info, null, 2) : formatInfo(info));
  return info.error === undefined ? 0 : 1;
}
