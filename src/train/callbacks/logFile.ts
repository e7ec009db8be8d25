// The history as a file: CSV for tables, JSON lines for programs.
import { writeFileAtomic } from '../../io/atomic.js';
import type { Callback, EpochRecord, Run } from '../callback.js';

const fixed = ['epoch', 'step', 'lr', 'batchSize', 'seconds', 'samples'] as const;

/** Base: the file is written anew after each epoch, so a run that was resumed leaves no line twice. */
abstract class HistoryFile implements Callback {
  constructor(
    /** The file; its folder must exist. */
    readonly file: string,
  ) {}

  /** The file's text. @internal */
  protected abstract text(run: Run): string;

  /** Writes the file, atomically. */
  async onEpochEnd(run: Run, _record: EpochRecord): Promise<void> {
    await writeFileAtomic(this.file, new TextEncoder().encode(this.text(run)));
  }
}

/**
 * Writes a table of the epochs after each of them: epoch, step, lr, batchSize, seconds, samples, then the logs. A number that
 * an epoch does not have is left empty.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.CsvLogger('history.csv')] });
 */
export class CsvLogger extends HistoryFile {
  /** @internal */
  protected override text({ history }: Run): string {
    const names = [...new Set(history.flatMap(({ logs }) => Object.keys(logs)))];
    const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    const rows = history.map((record) => [
      ...fixed.map((name) => String(record[name])),
      ...names.map((name) => (name in record.logs ? String(record.logs[name]) : '')),
    ]);
    return [[...fixed, ...names.map(quoted)], ...rows].map((row) => `${row.join(',')}\n`).join('');
  }
}

/**
 * Writes a line of JSON for each epoch, and for each of the run's notes (such as those of `Statistics`), after each epoch.
 * NaN and infinities become null.
 *
 * @example
 * await train.fit(model, { ...options, callbacks: [new train.JsonLogger('history.jsonl')] });
 */
export class JsonLogger extends HistoryFile {
  /** @internal */
  protected override text({ history, notes }: Run): string {
    const lines = [...history, ...notes].map((item, i) => ({ item, i }));
    // In the order of time; an epoch's record after its notes.
    lines.sort((a, b) => a.item.step - b.item.step || Number('logs' in a.item) - Number('logs' in b.item) || a.i - b.i);
    return lines.map(({ item }) => `${JSON.stringify(item)}\n`).join('');
  }
}
