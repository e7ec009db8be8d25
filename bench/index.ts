// Measures Thalweg, beside PyTorch where there is one: npm run bench
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { getNumThreads, manualSeed, setNumThreads } from 'thalweg';
import { describeMachine, lookAtMachine } from './machine.js';
import { Measured } from './measure.js';
import { type Options, readOptions } from './options.js';
import { Peer } from './peer.js';
import { type Row } from './rows/row.js';
import { rows as allRows } from './rows/index.js';
import { formatTime, median, medianRatio, spread } from './stats.js';

interface Result {
  readonly row: Row;
  readonly ours: number[];
  readonly theirs: number[];
}

// Thread pools spin for a while after work; whoever is measured next should have the processors for itself.
const quietMs = 5;

async function measureRound(result: Result, work: Measured, peer: Peer | undefined, ms: number): Promise<void> {
  const name = result.row.name;
  const before = await work.measure(ms);
  if (peer?.has(name) !== true) {
    result.ours.push(before);
    return;
  }
  await sleep(quietMs);
  const theirs = [await peer.measure(name, ms), await peer.measure(name, ms)];
  await sleep(quietMs);
  result.ours.push((before + (await work.measure(ms))) / 2);
  result.theirs.push((theirs[0] + theirs[1]) / 2);
}

async function measureAll(rows: readonly Row[], peer: Peer | undefined, options: Options): Promise<Result[]> {
  const results = rows.map((row): Result => ({ row, ours: [], theirs: [] }));
  const work = rows.map((row) => new Measured(row.prepare()));
  const live = process.stderr.isTTY;
  // The first round warms up and is thrown away.
  for (let round = 0; round <= options.rounds; round++) {
    for (const [i, result] of results.entries()) {
      if (live) process.stderr.write(`\r\x1b[Kround ${round} of ${options.rounds}: ${result.row.name}`);
      await measureRound(result, work[i], peer, options.ms);
      if (round === 0) {
        result.ours.length = 0;
        result.theirs.length = 0;
      }
    }
  }
  if (live) process.stderr.write('\r\x1b[K');
  return results;
}

const percent = (share: number): string => `±${(100 * share).toFixed(0)}%`;

function table(results: readonly Result[], peer: Peer | undefined): string {
  const compared = peer !== undefined;
  const head = ['row', 'Thalweg', '', 'GFLOP/s', ...(compared ? [peer.name, '', 'ratio'] : []), 'one iteration'];
  const body = results.map(({ row, ours, theirs }) => {
    const measured = theirs.length > 0;
    return [
      row.name,
      formatTime(median(ours), row.unit),
      percent(spread(ours)),
      row.flops === undefined ? '' : (row.flops / median(ours)).toFixed(1),
      ...(compared
        ? [
            measured ? formatTime(median(theirs), row.unit) : '',
            measured ? percent(spread(theirs)) : '',
            measured ? medianRatio(ours, theirs).toFixed(2) : '',
          ]
        : []),
      row.what,
    ];
  });
  const lines = [head, ...body];
  const widths = head.map((_, c) => Math.max(...lines.map((line) => line[c].length)));
  const last = head.length - 1;
  return lines
    .map((line) => line.map((cell, c) => (c === 0 || c === last ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))))
    .map((line) => line.join('  ').trimEnd())
    .join('\n');
}

function report(results: readonly Result[], machine: object, peer: Peer | undefined, options: Options): string {
  const { rounds, ms } = options;
  return JSON.stringify(
    {
      machine,
      ...(peer === undefined ? {} : { peer: { name: peer.name, version: peer.version } }),
      rounds,
      ms,
      rows: results.map(({ row, ours, theirs }) => ({
        name: row.name,
        what: row.what,
        ns: median(ours),
        spread: spread(ours),
        samples: ours,
        ...(row.flops === undefined ? {} : { gflops: row.flops / median(ours) }),
        ...(theirs.length === 0
          ? {}
          : { peerNs: median(theirs), peerSamples: theirs, ratio: medianRatio(ours, theirs) }),
      })),
    },
    null,
    2,
  );
}

async function main(options: Options): Promise<number> {
  const rows = allRows.filter((row) => options.rows.test(row.name));
  if (rows.length === 0) {
    console.error(`No row matches; there are ${allRows.map((row) => row.name).join(', ')}.`);
    return 2;
  }
  if (options.list) {
    for (const row of rows) console.log(`${row.name.padEnd(16)}${row.what}`);
    return 0;
  }
  manualSeed(0);
  if (options.threads !== undefined) setNumThreads(options.threads);
  const machine = await lookAtMachine();
  console.log(describeMachine(machine));
  const started = options.peer ? await Peer.start(getNumThreads()) : undefined;
  const peer = started instanceof Peer ? started : undefined;
  if (typeof started === 'string') console.log(`Without PyTorch: ${started}.`);
  if (peer !== undefined) console.log(`${peer.name} ${peer.version}`);
  try {
    const results = await measureAll(rows, peer, options);
    console.log(`\n${table(results, peer)}`);
    if (options.json !== undefined) await writeFile(options.json, `${report(results, machine, peer, options)}\n`);
  } finally {
    peer?.close();
  }
  return 0;
}

process.exitCode = await main(readOptions());
