// Names of temporary files and folders that say who makes them, so that those of a process that died can be told apart.
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

const host = (): string => hostname().replace(/[^A-Za-z0-9]/g, '_');

/** A name that no other process uses: `<path>.<host>-<process>-<random><ending>`. */
export function ownedName(path: string, ending: string): string {
  return `${path}.${host()}-${process.pid}-${randomBytes(4).toString('hex')}${ending}`;
}

/** Whether there is a process of this number on this host, whoever's it is. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** What processes of this host have left under names that `ownedName` gave them, and who are gone. */
export async function orphansOf(path: string, ending: string): Promise<string[]> {
  const prefix = `${basename(path)}.${host()}-`;
  return (await readdir(dirname(path)))
    .filter((name) => name.startsWith(prefix) && name.endsWith(ending))
    .filter((name) => !isAlive(Number.parseInt(name.slice(prefix.length), 10)))
    .map((name) => join(dirname(path), name));
}
