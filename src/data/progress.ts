// How far a download is, for people: a bar in a terminal, and lines where a bar would fill a log.
import type { SingleBar } from 'cli-progress';
import { cliProgress } from '../io/cliProgress.js';

/** What `showProgress` gives: tell it how far things are, and when they are over. */
export interface ShownProgress {
  /** `total` is undefined while nobody knows. */
  update(bytes: number, total: number | undefined): void;
  /** Finishes the line. */
  stop(): void;
}

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];

/** Bytes as people write them: `11.6 MB`. */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A bar that is redrawn in place. */
function showBar(label: string, stream: NodeJS.WriteStream): ShownProgress {
  let bar: SingleBar | undefined;
  const start = performance.now();
  return {
    update(bytes, total) {
      const seconds = Math.max((performance.now() - start) / 1000, 0.001);
      const payload = {
        done: formatBytes(bytes),
        all: total === undefined ? '?' : formatBytes(total),
        speed: `${formatBytes(bytes / seconds)}/s`,
      };
      if (bar === undefined) {
        bar = new (cliProgress().SingleBar)({
          format: `${label} {bar} {percentage}% {done} of {all}, {speed}`,
          stream,
          hideCursor: false,
          clearOnComplete: false,
          fps: 10,
          // A download that is stopped must not leave the terminal's settings changed.
          gracefulExit: false,
        });
        bar.start(total ?? Math.max(bytes, 1), bytes, payload);
      } else {
        bar.setTotal(total ?? Math.max(bytes, 1));
        bar.update(bytes, payload);
      }
    },
    stop() {
      bar?.stop();
    },
  };
}

/** Milliseconds between two lines of a log, and the part of the whole that is worth one. */
const LINE_MS = 10_000;
const LINE_PART = 0.1;

function showLines(label: string, stream: NodeJS.WritableStream): ShownProgress {
  let lastTime = Number.NEGATIVE_INFINITY;
  let lastBytes = 0;
  let written: number | undefined;
  const line = (bytes: number, total: number | undefined): void => {
    const part = total === undefined || total === 0 ? '' : ` (${Math.floor((100 * bytes) / total)}%)`;
    const all = total === undefined ? '' : ` of ${formatBytes(total)}`;
    stream.write(`${label}: ${formatBytes(bytes)}${all}${part}\n`);
    lastTime = performance.now();
    lastBytes = bytes;
    written = bytes;
  };
  return {
    update(bytes, total) {
      const step = total === undefined ? Number.POSITIVE_INFINITY : total * LINE_PART;
      const due = performance.now() - lastTime >= LINE_MS || bytes - lastBytes >= step;
      if (due || (bytes === total && written !== bytes)) line(bytes, total);
    },
    stop: () => undefined,
  };
}

/**
 * Shows how far something is.
 *
 * @param label what it is
 * @param wanted true: also where there is no terminal, as lines; undefined: only in a terminal
 * @param stream where to; stderr by default, so that a program's own output stays clean
 */
export function showProgress(
  label: string,
  wanted: boolean | undefined,
  stream: NodeJS.WriteStream = process.stderr,
): ShownProgress | undefined {
  if (stream.isTTY) return showBar(label, stream);
  return wanted === true ? showLines(label, stream) : undefined;
}
