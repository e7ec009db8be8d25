// The table of a summary as text.
import { ArgumentError } from '../errors.js';
import { formatShape } from '../shape.js';
import type { Summary, SummaryRow } from './summary.js';

const grouped = (n: number): string => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');

/** 1234567 as 1.23 M. */
export function scaled(n: number, units: readonly string[], step: number): string {
  let value = n;
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const text = unit === 0 ? String(value) : value.toPrecision(3 + (value >= 1000 ? 1 : 0));
  return units[unit] === '' ? text : `${text} ${units[unit]}`;
}

/** A count of bytes: 1.5 KiB. */
export const formatBytes = (n: number): string => scaled(n, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
/** A count of operations: 1.5 M. */
export const formatCount = (n: number): string => scaled(n, ['', 'k', 'M', 'G', 'T', 'P'], 1000);

function shapesOf({ outputShapes }: SummaryRow): string {
  if (outputShapes === null || outputShapes.length === 0) return '-';
  const shown = outputShapes.slice(0, 2).map((shape) => formatShape(shape));
  return shown.join(' ') + (outputShapes.length > 2 ? ' ...' : '');
}

// What is not shown because it lies too deep adds to the row that is.
function upTo(rows: readonly SummaryRow[], depth: number): SummaryRow[] {
  const shown: SummaryRow[] = [];
  for (const row of rows) {
    const last = shown.at(-1);
    if (row.depth <= depth || last === undefined) shown.push(row);
    else {
      shown[shown.length - 1] = {
        ...last,
        parameters: last.parameters + row.parameters,
        trainable: last.trainable + row.trainable,
        multAdds: last.multAdds + row.multAdds,
      };
    }
  }
  return shown;
}

// The lines of a tree in front of each row.
function branches(rows: readonly SummaryRow[]): string[] {
  return rows.map(({ depth }, i) => {
    if (depth === 0) return '';
    // Whether a later row stands at a depth before one further up does.
    const goesOn = (level: number): boolean => {
      for (const { depth: other } of rows.slice(i + 1)) if (other <= level) return other === level;
      return false;
    };
    let text = '';
    for (let level = 1; level < depth; level++) text += goesOn(level) ? '│  ' : '   ';
    return `${text}${goesOn(depth) ? '├─ ' : '└─ '}`;
  });
}

/** @internal */
export function formatSummary(summary: Summary, depth = Infinity): string {
  if (!(depth >= 0)) throw new ArgumentError(`summary: depth must be 0 or more, got ${String(depth)}.`);
  const rows = upTo(summary.rows, depth);
  const trees = branches(rows);
  const header = summary.traced ? ['layer', 'output', 'parameters', 'mult-adds'] : ['layer', 'parameters'];
  const cells = rows.map((row, i) => {
    const name = row.path.split('.').at(-1);
    const frozen = row.parameters > 0 && row.trainable < row.parameters;
    const times = row.calls > 1 ? ` x${row.calls}` : '';
    return [
      `${trees[i]}${row.type}${name ? ` ${name}` : ''}${times}`,
      ...(summary.traced ? [shapesOf(row)] : []),
      row.parameters === 0 ? '-' : grouped(row.parameters) + (frozen ? ' (frozen)' : ''),
      ...(summary.traced ? [row.multAdds === 0 ? '-' : grouped(row.multAdds)] : []),
    ];
  });
  const widths = header.map((title, column) =>
    Math.max(...[header, ...cells].map((row) => [...row[column]].length), title.length),
  );
  const right = header.map((title) => title === 'parameters' || title === 'mult-adds');
  const pad = (text: string, column: number): string => {
    const space = ' '.repeat(widths[column] - [...text].length);
    return right[column] ? space + text : text + space;
  };
  const line = (row: readonly string[]): string => row.map(pad).join('   ').trimEnd();
  const rule = (char: string): string => char.repeat(widths.reduce((sum, width) => sum + width + 3, -3));
  const facts = [
    `parameters ${grouped(summary.parameters)}, trainable ${grouped(summary.trainable)}` +
      (summary.buffers > 0 ? `, buffers ${grouped(summary.buffers)}` : ''),
    ...(summary.traced
      ? [`forward pass: ${formatCount(summary.multAdds)} mult-adds, ${formatCount(summary.flops)} FLOPs`]
      : []),
    `memory: parameters ${formatBytes(summary.parameterBytes)}` +
      (summary.traced
        ? `, input ${formatBytes(summary.inputBytes)}, activations ${formatBytes(summary.activationBytes)}`
        : ''),
  ];
  return [line(header), rule('─'), ...cells.map(line), rule('─'), ...facts].join('\n');
}
