// The same rows in another library, in a process of its own that sleeps while it is not asked.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

// dist-examples/bench/peer.js lies one folder deeper than bench/peer.ts, and only the latter has the script beside it.
const script = fileURLToPath(new URL('../../bench/peers/torch_rows.py', import.meta.url));

interface Hello {
  readonly name: string;
  readonly version: string;
  readonly rows: readonly string[];
}

export class Peer {
  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly lines: AsyncIterator<string>,
    readonly name: string,
    readonly version: string,
    private readonly rows: ReadonlySet<string>,
  ) {}

  /** Starts PyTorch's rows; a string says why there are none. */
  static async start(threads: number): Promise<Peer | string> {
    const python = process.env['THALWEG_BENCH_PYTHON'] ?? 'python3';
    const child = spawn(python, [script, String(threads)], { stdio: 'pipe' });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
    });
    const failed = once(child, 'error').then(([error]) => error as Error);
    // A child that died must not end this process when it is written to.
    child.stdin.on('error', () => undefined);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await Promise.race([lines.next(), failed]);
    if (first instanceof Error) return `${python} did not start (${first.message})`;
    if (first.done === true) return `${python}: ${errors.trim().split('\n').at(-1) ?? 'no reply'}`;
    const hello = JSON.parse(first.value) as Hello;
    return new Peer(child, lines, hello.name, hello.version, new Set(hello.rows));
  }

  has(row: string): boolean {
    return this.rows.has(row);
  }

  /** Nanoseconds of one iteration of a row. */
  async measure(row: string, ms: number): Promise<number> {
    this.child.stdin.write(`${JSON.stringify({ row, ms })}\n`);
    const reply = await this.lines.next();
    if (reply.done === true) throw new Error(`${this.name} ended while measuring ${row}.`);
    return (JSON.parse(reply.value) as { ns: number }).ns;
  }

  close(): void {
    this.child.stdin.end();
  }
}
