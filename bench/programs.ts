// Runs the programs of examples/ beside the same programs in PyTorch, from the same initial weights: npm run bench:programs
//
//   -- NAME ...        these programs only
//   --cifar10 FOLDER   where CIFAR-10's binary files are; without it, its program is left out
//   --imdb FOLDER      where imdb.npz is; without it, its program is left out
//   --threads LIST     numbers of threads (1 and all)
//   --quick            the shorter flags for all runs, to try it
//
// THALWEG_BENCH_PYTHON is the Python that has PyTorch. Writes bench/results/programs.json, adding to what is there, and the
// tables of README.md and docs/programs.md.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { info } from 'thalweg';
import { packageRoot } from './peers.js';
import {
  disagreement,
  programDocuments,
  type ProgramMeasurement,
  programResultsFile,
  type ProgramResults,
  readProgramResults,
  renderPrograms,
  totals,
  type TrainingResult,
} from './programResults.js';
import { programRows, type ProgramRow } from './programRows.js';

const execute = promisify(execFile);
const main = join(packageRoot, 'dist-examples', 'examples', 'main.js');
const python = process.env['THALWEG_BENCH_PYTHON'] ?? 'python3';

interface TwinReport {
  readonly torch: string;
  readonly runs: readonly TrainingResult[];
}

/** The least seconds of each training. */
function fastest(turns: readonly (readonly TrainingResult[])[]): TrainingResult[] {
  return turns[0].map(({ name, losses, updates, final }, i) => ({
    name,
    losses: losses.map((loss) => Number(loss.toPrecision(9))),
    updates,
    final,
    seconds: Math.min(...turns.map((turn) => turn[i].seconds)),
  }));
}

async function measure(
  row: ProgramRow,
  flags: readonly string[],
  threads: number,
): Promise<{ measurement: ProgramMeasurement; torch: string; complaints: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'thalweg-programs-'));
  try {
    const ours: (readonly TrainingResult[])[] = [];
    const twins: TwinReport[] = [];
    const limits = { maxBuffer: 2 ** 26 };
    for (let turn = 0; turn < row.pairs; turn++) {
      const args = [main, row.name, ...flags, '--threads', String(threads), '--twin', folder, '--out', folder];
      await execute(process.execPath, args, limits);
      ours.push((JSON.parse(await readFile(join(folder, 'result.json'), 'utf8')) as TwinReport).runs);
      const script = join(packageRoot, 'bench', 'peers', 'programs', row.twin);
      const { stdout } = await execute(python, [script, folder, String(threads)], limits);
      // JSON has no NaN, which a training that diverged may print.
      twins.push(JSON.parse(stdout.replaceAll(/\bNaN\b|-?\bInfinity\b/g, 'null')) as TwinReport);
    }
    const [mine, theirs] = [fastest(ours), fastest(twins.map(({ runs }) => runs))];
    const complaints = mine.flatMap((run) => {
      const twin = theirs.find(({ name }) => name === run.name);
      const wrong = twin === undefined ? undefined : disagreement(row, run, twin);
      return wrong === undefined ? [] : [`${row.name}, ${run.name}: ${wrong}`];
    });
    const shown = flags.filter((flag, i) => flag !== '--data' && flags[i - 1] !== '--data');
    return {
      measurement: { name: row.name, threads, flags: shown, ours: mine, twin: theirs },
      torch: twins[0].torch,
      complaints,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cifar10: { type: 'string' },
    imdb: { type: 'string' },
    threads: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => programRows.every((row) => row.name !== name));
if (unknown.length > 0) {
  console.error(
    `There is no program '${unknown.join("', '")}'; there are ${programRows.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}

const most = Math.min(2, os.availableParallelism());
const threadCounts = values.threads?.split(',').map(Number) ?? [...new Set([1, most])];
const load = os.loadavg()[0];
const { version } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
const before = existsSync(programResultsFile) ? await readProgramResults() : undefined;
const kept = new Map(before?.measurements.map((m) => [`${m.name} ${m.threads}`, m]));
const complaints: string[] = [];
let torch = before?.torch ?? '';
const start = performance.now();
for (const row of programRows) {
  if (positionals.length > 0 && !positionals.includes(row.name)) continue;
  const folder = row.data === undefined ? undefined : values[row.data];
  if (row.data !== undefined && folder === undefined) {
    console.log(`${row.name}: left out, --${row.data} FOLDER says where its data are`);
    continue;
  }
  for (const threads of threadCounts) {
    const chosen = values.quick || threads < Math.max(...threadCounts) ? row.shorter : row.flags;
    const result = await measure(row, [...chosen, ...(folder === undefined ? [] : ['--data', folder])], threads);
    kept.set(`${row.name} ${threads}`, result.measurement);
    torch = result.torch;
    complaints.push(...result.complaints);
    const { ours, twin } = totals(result.measurement);
    const spent = ((performance.now() - start) / 1000).toFixed(0);
    console.log(
      `${row.name}, ${threads} threads: ${ours.toFixed(2)} s, PyTorch ${twin.toFixed(2)} s, ratio ${(twin / ours).toFixed(2)} (${spent} s so far)`,
    );
  }
}

const results: ProgramResults = {
  format: 1,
  date: new Date().toISOString().slice(0, 10),
  thalweg: version,
  torch,
  cpu: os.cpus()[0]?.model.trim() ?? process.arch,
  isa: info().isa,
  runtime: `Node.js ${process.version}`,
  load,
  measurements: [...kept.values()],
};
if (!values.quick) {
  await writeFile(programResultsFile, `${JSON.stringify(results)}\n`);
  for (const name of programDocuments) {
    const path = join(packageRoot, name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, renderPrograms(text, results));
  }
}
for (const complaint of complaints) console.error(complaint);
process.exitCode = complaints.length > 0 ? 1 : 0;
