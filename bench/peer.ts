// The same rows in another library, in a process of its own that sleeps while it is not asked.
//
// The protocol is one JSON object a line. The process says what it has, {"name", "version", "rows": [...]}, or why it has
// nothing, {"error"}. Then it is asked {"do": "prepare" | "measure" | "release", "row", "ms"} and answers {"ns"} (of one
// iteration), or {"error"} of that row. It ends when its input does.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

interface Hello {
  readonly name: string;
  readonly version: string;
  readonly rows: readonly string[];
}

interface Reply {
  readonly ns?: number;
  readonly error?: string;
}

/** How to start a peer. */
export interface PeerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** A peer that did not do what it was asked. */
export class PeerError extends Error {}

const seconds = 1000;

export class Peer {
  /** Why it cannot be asked any more. */
  private lost: string | undefined;

  private constructor(
    readonly id: string,
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
    private readonly errors: () => string,
    readonly name: string,
    readonly version: string,
    private readonly rows: ReadonlySet<string>,
  ) {}

  /** Starts a process; a string says why there is no such peer. */
  static async start(id: string, { command, args, env = {} }: PeerCommand, timeoutMs = 120 * seconds) {
    const child = spawn(command, args, { stdio: 'pipe', env: { ...process.env, ...env } });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => {
      text = (text + more).slice(-4000);
    });
    const lastError = (): string => text.trim().split('\n').at(-1) ?? '';
    // A child that died must not end this process when it is written to.
    child.stdin.on('error', () => undefined);
    const failed = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(`${command} did not start (${error.message})`));
    });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([failed, within(timeoutMs, lines.next())]);
    const give = (reason: string): string => {
      child.kill();
      return reason;
    };
    if (typeof first === 'string') return give(first);
    if (first === undefined) return give(`no reply in ${timeoutMs / seconds} s`);
    if (first.done === true) return give(lastError() || 'it ended at once');
    const hello = parse<Hello & Reply>(first.value);
    if (hello?.error !== undefined) return give(hello.error);
    if (hello === undefined || !Array.isArray(hello.rows)) return give(`it began with ${first.value.slice(0, 80)}`);
    return new Peer(id, child, lines, lastError, hello.name, hello.version, new Set(hello.rows));
  }

  has(row: string): boolean {
    return this.rows.has(row);
  }

  /** Sets a row up and warms it up: caches, compilers. Gives the nanoseconds of an iteration, as far as they are known. */
  async prepare(row: string, ms: number): Promise<number> {
    return this.ask('prepare', row, ms, 600 * seconds);
  }

  /** Nanoseconds of one iteration of a row, over about `ms` milliseconds of them. */
  async measure(row: string, ms: number): Promise<number> {
    return this.ask('measure', row, ms, 120 * seconds + 10 * ms);
  }

  /** Lets a row's memory go. */
  async release(row: string): Promise<void> {
    if (this.lost === undefined) await this.ask('release', row, 0, 60 * seconds);
  }

  close(): void {
    this.child.stdin.end();
    // One that does not listen would keep this process waiting.
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5 * seconds);
    this.child.once('exit', () => clearTimeout(timer));
    timer.unref();
    this.child.unref();
  }

  private async ask(what: string, row: string, ms: number, timeoutMs: number): Promise<number> {
    if (this.lost !== undefined) throw new PeerError(this.lost);
    this.child.stdin.write(`${JSON.stringify({ do: what, row, ms })}\n`);
    const line = await within(timeoutMs, this.lines.next());
    if (line === undefined) return this.lose(`no reply in ${timeoutMs / seconds} s`);
    if (line.done === true) return this.lose(`it ended: ${this.errors()}`);
    const reply = parse<Reply>(line.value);
    if (reply?.error !== undefined) throw new PeerError(reply.error);
    const ns = reply?.ns;
    if (typeof ns !== 'number' || !(ns >= 0)) return this.lose(`it answered ${line.value.slice(0, 80)}`);
    return ns;
  }

  private lose(reason: string): never {
    this.lost = reason;
    this.child.kill('SIGKILL');
    throw new PeerError(reason);
  }
}

function parse<T>(line: string): T | undefined {
  try {
    return JSON.parse(line) as T;
  } catch {
    return undefined;
  }
}

/** What a promise gives, or undefined when that takes too long. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
