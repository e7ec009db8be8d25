// What the programs and their twins gave, and the tables that documents make of it:
//
//   <!-- programs summary -->  or  <!-- programs NAME -->
//   (a table)
//   <!-- end programs -->
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from './peers.js';
import { programRows, type ProgramRow } from './programRows.js';

/** A training, as examples/lib/twin.ts and the twins write it. */
export interface TrainingResult {
  readonly name: string;
  readonly losses: readonly number[];
  readonly seconds: number;
  readonly updates: number;
  readonly final: Readonly<Record<string, number>>;
}

/** A program and its twin on some number of threads; the seconds are the least of all turns. */
export interface ProgramMeasurement {
  readonly name: string;
  readonly threads: number;
  readonly flags: readonly string[];
  readonly ours: readonly TrainingResult[];
  /** Trainings that PyTorch has the optimizer for. */
  readonly twin: readonly TrainingResult[];
}

export interface ProgramResults {
  readonly format: 1;
  readonly date: string;
  readonly thalweg: string;
  readonly torch: string;
  readonly cpu: string;
  readonly isa: string;
  readonly runtime: string;
  /** Processes that wanted to run in the last minute, before the first program. */
  readonly load: number;
  readonly measurements: readonly ProgramMeasurement[];
}

export const programResultsFile = join(packageRoot, 'bench', 'results', 'programs.json');

/** The documents that have such tables. */
export const programDocuments = ['README.md', 'docs/programs.md'] as const;

/** How far the losses of an epoch are apart, by the smaller. */
function apart(a: number | undefined, b: number | undefined): number {
  if (a === undefined || b === undefined) return NaN;
  // Values near 0, as a critic's, are compared as they are.
  return Math.abs(a - b) / Math.max(Math.min(Math.abs(a), Math.abs(b)), 1e-3);
}

/** What is wrong with a pair of loss curves, in words; undefined if they agree. */
export function disagreement(row: ProgramRow, ours: TrainingResult, twin: TrainingResult): string | undefined {
  if (ours.losses.length !== twin.losses.length || ours.updates !== twin.updates)
    return `${ours.losses.length} losses and ${ours.updates} updates, PyTorch ${twin.losses.length} and ${twin.updates}`;
  const first = apart(ours.losses[0], twin.losses[0]);
  // The first losses differ by rounding alone, which chaos makes larger over an epoch; others by their noise.
  const limit = row.random === true ? 0.2 : 5e-2;
  if (!(first <= limit)) return `the first losses, ${ours.losses[0]} and ${twin.losses[0]}, are apart by ${first}`;
  return undefined;
}

type Cells = readonly string[];

/** A Markdown table as Prettier lays it out; all columns but the first ones are numbers. */
function markdown(head: Cells, rows: readonly Cells[], text = 1): string {
  const widths = head.map((_, c) => Math.max(3, ...[head, ...rows].map((row) => row[c].length)));
  const rule = widths.map((width, c) => (c < text ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const lines = [head, ...rows].map((row) =>
    row.map((cell, c) => (c < text ? cell.padEnd(widths[c]) : cell.padStart(widths[c]))),
  );
  return [lines[0], rule, ...lines.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

const time = (s: number): string => `${s.toFixed(s < 1 ? 2 : 1)} s`;

function value(name: string, v: number | undefined): string {
  if (v === undefined) return '';
  if (name === 'accuracy' || name === 'sure') return `${(100 * v).toFixed(2)}%`;
  return Number.isFinite(v) ? v.toFixed(4) : String(v);
}

function difference(v: number): string {
  if (Number.isNaN(v)) return '';
  return v < 1e-3 ? v.toExponential(0) : `${(100 * v).toFixed(v < 0.1 ? 1 : 0)}%`;
}

/** The trainings of ours that have a twin, with it. */
function pairsOf({ ours, twin }: ProgramMeasurement): { ours: TrainingResult; twin: TrainingResult }[] {
  return ours.flatMap((run) => {
    const other = twin.find(({ name }) => name === run.name);
    return other === undefined ? [] : [{ ours: run, twin: other }];
  });
}

/** Seconds of all trainings that both have. */
export function totals(measurement: ProgramMeasurement): { ours: number; twin: number } {
  const pairs = pairsOf(measurement);
  const sum = (side: 'ours' | 'twin'): number => pairs.reduce((s, pair) => s + pair[side].seconds, 0);
  return { ours: sum('ours'), twin: sum('twin') };
}

function timesOf(measurement: ProgramMeasurement | undefined): [string, string, string] {
  if (measurement === undefined) return ['', '', ''];
  const { ours, twin } = totals(measurement);
  return [time(ours), time(twin), (twin / ours).toFixed(2)];
}

/** One line a program: what it reaches and how long it trains, beside PyTorch. */
export function summaryTable({ measurements }: ProgramResults): string {
  const most = Math.max(...measurements.map(({ threads }) => threads));
  const rows = programRows.flatMap(({ name, title, shown }) => {
    const own = measurements.filter((m) => m.name === name);
    const full = own.find(({ threads }) => threads === most);
    if (full === undefined) return [];
    const of = (runs: readonly TrainingResult[]): string =>
      value(shown.value, runs.find((run) => run.name === shown.run)?.final[shown.value]);
    return [
      [`[${name}](docs/programs.md#${name})`, `${title}: ${shown.as}`, of(full.ours), of(full.twin), ...timesOf(full)],
    ];
  });
  const head = ['program', 'what', 'Thalweg', 'PyTorch', 'training', 'PyTorch', 'ratio'];
  return markdown(head, rows, 2);
}

/** All trainings of a program, and what the shorter run on one thread took. */
export function programTable({ measurements }: ProgramResults, name: string): string {
  const own = measurements.filter((m) => m.name === name);
  if (own.length === 0) return 'Not measured.';
  const most = Math.max(...own.map(({ threads }) => threads));
  const full = own.find(({ threads }) => threads === most)!;
  const keys = Object.keys(full.ours[0].final).slice(0, 2);
  const rows = full.ours.map((ours) => {
    const twin = full.twin.find((run) => run.name === ours.name);
    return [
      ours.name,
      ...keys.flatMap((key) => [value(key, ours.final[key]), value(key, twin?.final[key])]),
      difference(apart(ours.losses[0], twin?.losses[0])),
      difference(apart(ours.losses.at(-1), twin?.losses.at(-1))),
      time(ours.seconds),
      twin === undefined ? '' : time(twin.seconds),
      twin === undefined ? '' : (twin.seconds / ours.seconds).toFixed(2),
    ];
  });
  const head = [
    'training',
    ...keys.flatMap((key) => [key, 'PyTorch']),
    'first losses apart',
    'last losses apart',
    'time',
    'PyTorch',
    'ratio',
  ];
  const lines = own.map((measurement) => {
    const [ours, twin, ratio] = timesOf(measurement);
    const { threads, flags } = measurement;
    const how = ['npm run example --', name, ...flags, '--threads', String(threads)].join(' ');
    return `- \`${how}\`: ${ours} of training, PyTorch ${twin}, ratio ${ratio}`;
  });
  return `${markdown(head, rows)}\n\n${lines.join('\n')}`;
}

/** One sentence on where the numbers are from. */
export function programProvenance({ thalweg, date, cpu, isa, runtime, torch, load }: ProgramResults): string {
  const busy = load > 0.3 ? ` Other work ran beside it (load ${load.toFixed(1)}): the times are rough.` : '';
  return `Thalweg ${thalweg}, ${date}, ${cpu}, ${isa}, ${runtime}; PyTorch ${torch}.${busy}`;
}

const block = /(<!-- programs (\S+) -->\n)[^]*?(<!-- end programs -->)/g;

/** A document with its tables of programs made anew. */
export function renderPrograms(text: string, results: ProgramResults): string {
  return text.replace(block, (_, open: string, name: string, close: string) => {
    const table = name === 'summary' ? summaryTable(results) : programTable(results, name);
    const source = name === 'summary' ? `\n\n${programProvenance(results)}` : '';
    return `${open}\n${table}${source}\n\n${close}`;
  });
}

export async function readProgramResults(file = programResultsFile): Promise<ProgramResults> {
  return JSON.parse(await readFile(file, 'utf8')) as ProgramResults;
}
