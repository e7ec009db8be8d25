// Measures Thalweg, beside other libraries where there are any: npm run bench, npx thalweg bench
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Device, getNumThreads, manualSeed, setNumThreads } from 'thalweg';
import { deviceLimits } from './device.js';
import { readNotes } from './documents.js';
import { describeMachine, describeMachineLimits, limitsOf, lookAgain, lookAtMachine } from './machine.js';
import { type Options, readOptions, usage, UsageError } from './options.js';
import { packageRoot, type Peers, startPeers } from './peers.js';
import { boundOf, readResults, type Results, type RowResult, writeResults } from './results.js';
import { rows as allRows } from './rows/index.js';
import type { Row } from './rows/row.js';
import { measureRow } from './run.js';
import { markdownTable, provenance, TextTable } from './table.js';

function version(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Shows what is being done, where there is a terminal to show it and wipe it away. */
function status(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function measureAll(rows: readonly Row[], peers: Peers, options: Options): Promise<Results> {
  // A look long enough to find a quiet moment, but in proportion to a run that is only tried out.
  const probeMs = Math.min(100, 10 * options.ms);
  const look = lookAtMachine(probeMs);
  const machine = options.device === 'cpu' ? look : { ...look, device: deviceLimits(options.device, 10 * options.ms) };
  console.log(`Thalweg ${version()}; ${describeMachine(machine)}`);
  for (const { name, version } of peers.found) console.log(`${name} ${version}`);
  for (const { id, reason } of peers.missing) console.log(`without ${id}: ${reason}`);
  const table = new TextTable(
    rows.map(({ name }) => name),
    peers.found.filter((peer) => rows.some(({ name }) => peer.has(name))).map(({ id }) => id),
  );
  console.log(`\n${table.head()}`);
  const results: RowResult[] = [];
  for (const row of rows) {
    const result = await measureRow(row, peers.found, machine, options, status);
    status('');
    console.log(table.row(result));
    for (const [id, peer] of Object.entries(result.peers)) {
      if ('error' in peer) console.log(`  ${id}: ${peer.error}`);
    }
    results.push(result);
  }
  const after = lookAgain(machine, probeMs);
  console.log(`\nthe higher of before and after the rows:\n${describeMachineLimits(after)}`);
  return {
    format: 1,
    thalweg: version(),
    date: new Date().toISOString(),
    machine: after,
    rounds: options.rounds,
    ms: options.ms,
    peers: peers.found.map(({ id, name, version }) => ({ id, name, version })),
    rows: results.map((row) => ({ ...row, ...boundOf(row, limitsOf(after), row.time.median) })),
  };
}

async function run(options: Options, useDevice: (device: Device) => void): Promise<number> {
  if (options.help) {
    console.log(usage);
    return 0;
  }
  if (options.markdown !== undefined) {
    const results = await readResults(options.markdown).catch((error: unknown) => {
      throw new UsageError(`--markdown: ${(error as Error).message}`);
    });
    const table = markdownTable(results, await readNotes(options.markdown), options.rows);
    console.log(`${table}\n\n${provenance(results)}`);
    return 0;
  }
  const on = options.device === 'cpu' ? 'cpu' : 'cuda';
  const rows = allRows.filter(
    (row) => options.rows.test(row.name) && !(options.quick && row.slow === true) && (row.only ?? on) === on,
  );
  if (rows.length === 0) {
    throw new UsageError(`--rows ${options.rows.source} matches no row; --list names all ${allRows.length}.`);
  }
  if (options.list) {
    const width = Math.max(...rows.map(({ name }) => name.length));
    for (const row of rows) console.log(`${row.name.padEnd(width)}  ${row.what}`);
    return 0;
  }
  try {
    if (options.device !== 'cpu') useDevice(options.device);
  } catch (error) {
    throw new UsageError(`--device: ${(error as Error).message}`);
  }
  manualSeed(0);
  if (options.threads !== undefined) setNumThreads(options.threads);
  status('starting peers');
  const peers = await startPeers(options.peers, getNumThreads(), options.device);
  status('');
  try {
    const results = await measureAll(rows, peers, options);
    if (options.json !== undefined) await writeResults(options.json, results);
  } finally {
    peers.close();
  }
  return 0;
}

function noDevice(): never {
  throw new Error('who runs this benchmark did not say how tensors get there.');
}

/**
 * Runs the benchmark.
 *
 * @param useDevice makes a device the one on which tensors are when nothing is said, as the rows do
 * @returns the exit status: 2 for flags that make no sense
 */
export async function main(args: readonly string[], useDevice: (device: Device) => void = noDevice): Promise<number> {
  try {
    return await run(readOptions(args), useDevice);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`thalweg bench: ${error.message}\nAll flags: thalweg bench --help`);
    return 2;
  }
}
