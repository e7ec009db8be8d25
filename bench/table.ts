// Results as lines of a terminal, and as a Markdown table.
import { type PeerId, peerIds, peerTitles } from './peers.js';
import type { PeerResult, Results, RowResult } from './results.js';
import { formatPercent, formatRatio, formatTime, spread } from './stats.js';

interface Column {
  readonly head: string;
  readonly width: number;
  cell(row: RowResult): string;
}

function ratioWithSpread(result: PeerResult | undefined): string {
  if (result === undefined) return '';
  if ('error' in result) return 'failed';
  return `${formatRatio(result.ratio.median)} ±${formatPercent(spread(result.ratio))}`;
}

const limitCell = ({ bound }: RowResult): string => (bound === undefined ? '' : formatPercent(bound.share));

const isPeerId = (id: string): id is PeerId => (peerIds as readonly string[]).includes(id);

const titleOf = (id: string): string => (isPeerId(id) ? peerTitles[id] : id);

/** Prints a run row by row, as it goes. */
export class TextTable {
  private readonly columns: readonly Column[];

  constructor(names: readonly string[], peers: readonly string[]) {
    const width = Math.max(...names.map((name) => name.length));
    this.columns = [
      { head: 'row', width, cell: (row) => row.name },
      { head: 'Thalweg', width: 12, cell: (row) => formatTime(row.time.median, row.unit) },
      { head: '', width: 5, cell: (row) => `±${formatPercent(spread(row.time))}` },
      { head: 'limit', width: 5, cell: limitCell },
      ...peers.map((id): Column => {
        const head = titleOf(id);
        return { head, width: Math.max(head.length, 10), cell: (row) => ratioWithSpread(row.peers[id]) };
      }),
    ];
  }

  head(): string {
    return this.line(
      this.columns.map(({ head }) => head),
      'one iteration',
    );
  }

  row(row: RowResult): string {
    return this.line(
      this.columns.map(({ cell }) => cell(row)),
      row.what,
    );
  }

  private line(cells: readonly string[], what: string): string {
    const padded = cells.map((cell, i) =>
      i === 0 ? cell.padEnd(this.columns[i].width) : cell.padStart(this.columns[i].width),
    );
    return [...padded, what].join('  ');
  }
}

/** What bounds a row, in words, by the row's name. */
export type Notes = Readonly<Record<string, string>>;

/**
 * A Markdown table of the rows whose names match, laid out as Prettier does. Peers that none of them were compared with
 * have no column.
 */
export function markdownTable(results: Results, notes: Notes = {}, pattern = /(?:)/): string {
  const rows = results.rows.filter(({ name }) => pattern.test(name));
  const peers = results.peers.filter(({ id }) => rows.some((row) => row.peers[id] !== undefined));
  const noted = rows.some(({ name }) => name in notes);
  const columns: { head: string; right: boolean; cell(row: RowResult): string }[] = [
    { head: 'row', right: false, cell: (row) => `\`${row.name}\`` },
    { head: 'one iteration', right: false, cell: (row) => row.what.replaceAll('|', '\\|').replaceAll('*', '\\*') },
    { head: 'Thalweg', right: true, cell: (row) => formatTime(row.time.median, row.unit) },
    { head: 'of the limit', right: true, cell: limitCell },
    ...peers.map(({ id }) => ({
      head: titleOf(id),
      right: true,
      cell: (row: RowResult) => ratioWithSpread(row.peers[id]),
    })),
    ...(noted ? [{ head: 'what bounds it', right: false, cell: ({ name }: RowResult) => notes[name] ?? '' }] : []),
  ];
  const lines = [columns.map(({ head }) => head), ...rows.map((row) => columns.map(({ cell }) => cell(row)))];
  const widths = columns.map((_, c) => Math.max(3, ...lines.map((line) => line[c].length)));
  const rule = columns.map(({ right }, c) => (right ? `${'-'.repeat(widths[c] - 1)}:` : '-'.repeat(widths[c])));
  const laidOut = lines.map((line) =>
    line.map((cell, c) => (columns[c].right ? cell.padStart(widths[c]) : cell.padEnd(widths[c]))),
  );
  return [laidOut[0], rule, ...laidOut.slice(1)].map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** One sentence on where the numbers are from. */
export function provenance({ machine, peers, thalweg, date }: Results): string {
  const { cpu, isa, threads, runtime, all } = machine;
  const versions = peers.filter(({ id }) => id !== 'torch-mkl' && id !== 'inductor');
  const compared = versions.map(({ name, version }) => `${name} ${version}`).join(', ');
  return (
    `Thalweg ${thalweg}, ${date.slice(0, 10)}, ${cpu}, ${isa}, ${threads} ${threads === 1 ? 'thread' : 'threads'}, ` +
    `${runtime}${compared === '' ? '' : `; ${compared}`}. Measured in the run: ` +
    `${all.gflops.toFixed(0)} GFLOP/s, copy ${all.copyGBs.toFixed(0)} GB/s.`
  );
}
