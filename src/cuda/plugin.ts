// Finding and opening the CUDA plugin: a library beside the addon, opened when a device is first asked for.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { addonPath, describeSystem } from '../load.js';
import { native } from '../native.js';

/** What the plugin is called beside the addon. */
const pluginName = 'thalweg-cuda-cu13.so';

interface Opened {
  /** How many devices there are; 0 with a reason. */
  readonly count: number;
  readonly reason: string | null;
  readonly path: string | null;
}

let opened: Opened | undefined;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function open(): Opened {
  const forced = process.env['THALWEG_CUDA_PLUGIN'];
  const addon = addonPath();
  const path =
    forced !== undefined && forced !== '' ? forced : addon === undefined ? null : join(dirname(addon), pluginName);
  const none = (reason: string): Opened => ({ count: 0, reason, path });
  if (path === null || !existsSync(path)) {
    if (process.platform !== 'linux') return none(`there is no CUDA plugin for ${describeSystem()}`);
    const where =
      forced === path
        ? `THALWEG_CUDA_PLUGIN names ${path}, which does not exist`
        : `${path ?? pluginName} does not exist`;
    return none(`the CUDA plugin was not found: ${where}; in a checkout, build it with: npm run build:cuda`);
  }
  try {
    native.openPlugin(path);
    return { count: native.deviceCount(), reason: null, path };
  } catch (error) {
    return none(messageOf(error).replace(/\.$/, ''));
  }
}

/** The plugin's state, found out once. @internal */
export function pluginState(): Opened {
  return (opened ??= open());
}
