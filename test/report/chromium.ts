// A browser without a window, if the machine has one.
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The path of Chromium: `THALWEG_CHROMIUM`, or the first of its names on PATH; undefined if there is none. */
export function findChromium(): string | undefined {
  const wanted = process.env['THALWEG_CHROMIUM'];
  if (wanted) return wanted;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of ['chromium', 'chromium-browser', 'google-chrome']) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  }
  return undefined;
}

/** What became of a page: its elements after its scripts have run, and what the console said. */
export interface Opened {
  readonly dom: string;
  readonly console: readonly string[];
}

/** Opens a file; `screenshot` is where a picture goes. */
export function openPage(
  chromium: string,
  file: string,
  { hash = '', screenshot, size = '1280,1600' }: { hash?: string; screenshot?: string; size?: string } = {},
): Promise<Opened> {
  const profile = mkdtempSync(join(tmpdir(), 'thalweg-chromium-'));
  const flags = [
    ...['--headless=new', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--no-first-run'],
    ...['--enable-logging=stderr', '--log-level=0', '--virtual-time-budget=4000', '--disable-dev-shm-usage'],
    // Whatever a page asks the network for fails, and says so.
    ...['--host-resolver-rules=MAP * ~NOTFOUND', `--user-data-dir=${profile}`, `--window-size=${size}`],
    ...(screenshot === undefined ? ['--dump-dom'] : [`--screenshot=${screenshot}`]),
  ];
  return new Promise((resolve, reject) => {
    execFile(
      chromium,
      [...flags, pathToFileURL(file).href + hash],
      { maxBuffer: 2 ** 26, timeout: 120_000 },
      (error, stdout, stderr) => {
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
        if (error !== null) reject(new Error(`chromium: ${error.message}`));
        else resolve({ dom: stdout, console: stderr.split('\n').filter((line) => line.includes('CONSOLE')) });
      },
    );
  });
}
