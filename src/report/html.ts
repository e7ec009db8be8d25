// A run as one HTML file that needs nothing else.
import { ArgumentError } from '../errors.js';
import { writeFileAtomic } from '../io/atomic.js';
import { chartsOf, trainedName } from './charts.js';
import type { ReportConfusion, ReportData, ReportSample } from './data.js';
import { echartsSource } from './echarts.js';
import { shortNumber } from './lineOption.js';
import { script } from './script.js';
import { style } from './style.js';

const escape = (text: unknown): string =>
  String(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');

/** JSON that cannot end the script element that it stands in. */
const json = (value: unknown): string =>
  JSON.stringify(value).replaceAll('<', '\\u003c').replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');

const card = (key: string, value: string, detail = ''): string =>
  `<div class="card"><div class="k">${escape(key)}</div><div class="v">${escape(value)}</div><div class="d">${escape(detail)}</div></div>`;

const panel = (title: string, body: string, wide = false): string =>
  `<section class="card${wide ? ' wide' : ''}"><h2>${escape(title)}</h2>${body}</section>`;

function duration(seconds: number): string {
  const s = Math.round(seconds);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

const grouped = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');

// A loss and errors are better when small, other numbers when large.
const smaller = (name: string): boolean => /loss|error|perplexity|mae|mse/i.test(name);

function cards({ epochs = [], plannedEpochs, parameters }: ReportData): string {
  const parts: string[] = [];
  const last = epochs.at(-1);
  if (last !== undefined) {
    const planned = plannedEpochs === undefined ? '' : `of ${plannedEpochs}`;
    parts.push(card('Epochs', String(epochs.length), `${planned} · ${grouped(last.step)} updates`.replace(/^ · /, '')));
    const keys = Object.keys(last.logs);
    const important = keys.filter((key) => trainedName(key) !== null);
    for (const key of (important.length > 0 ? important : keys).slice(0, 3)) {
      const values = epochs.map(({ logs }) => logs[key] ?? NaN);
      const best = values.reduce((a, b) => (!(smaller(key) ? b < a : b > a) && Number.isFinite(a) ? a : b));
      const name = trainedName(key);
      parts.push(
        card(
          name === null ? key : `Validation ${name}`,
          shortNumber(Number(last.logs[key].toPrecision(4))),
          `best ${shortNumber(Number(best.toPrecision(4)))} in epoch ${epochs[values.indexOf(best)]?.epoch + 1 || '–'}`,
        ),
      );
    }
    const seconds = epochs.reduce((sum, one) => sum + one.seconds, 0);
    const samples = epochs.reduce((sum, one) => sum + one.samples, 0);
    parts.push(card('Training time', duration(seconds), `${duration(seconds / epochs.length)} an epoch`));
    if (seconds > 0) parts.push(card('Throughput', `${grouped(samples / seconds)}/s`, `batches of ${last.batchSize}`));
  }
  if (parameters !== undefined) parts.push(card('Parameters', grouped(parameters), 'learned values'));
  return parts.length === 0 ? '' : `<div class="cards">${parts.join('')}</div>`;
}

function confusionTable({ classes, matrix }: ReportConfusion): string {
  const head = classes.map((name) => `<th title="${escape(name)}">${escape(name)}</th>`).join('');
  const rows = matrix.map((row, truth) => {
    const total = row.reduce((a, b) => a + b, 0);
    const cells = row.map((count, prediction) => {
      const share = total === 0 ? 0 : count / total;
      const colour = share > 0.55 ? '#fff' : 'inherit';
      const title = `${classes[truth] ?? truth} taken for ${classes[prediction] ?? prediction}: ${count} of ${total}`;
      return `<td title="${escape(title)}" style="background:rgba(var(--heat),${(share === 0 ? 0.03 : 0.1 + 0.9 * share).toFixed(3)});color:${colour}">${count === 0 ? '' : count}</td>`;
    });
    const name = classes[truth] ?? truth;
    return `<tr><th title="${escape(name)}">${escape(name)}</th>${cells.join('')}</tr>`;
  });
  return `<div class="scroll"><table class="confusion"><thead><tr><th>truth ↓ given →</th>${head}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function sampleCells(samples: readonly ReportSample[]): string {
  const cells = samples.map(({ png, text, prediction, truth, confidence }) => {
    const right = prediction === truth;
    const picture =
      png === undefined
        ? `<p>${escape(text ?? '')}</p>`
        : `<img alt="${escape(truth)}" src="data:image/png;base64,${Buffer.from(png).toString('base64')}">`;
    const sure = confidence === undefined ? '' : ` <span>${Math.round(confidence * 100)}%</span>`;
    const wrong = right ? '' : `<br><span>is ${escape(truth)}</span>`;
    return `<div class="sample${right ? '' : ' wrong'}">${picture}<div><b>${escape(prediction)}</b>${sure}${wrong}</div></div>`;
  });
  return `<div class="samples">${cells.join('')}</div>`;
}

function facts(entries: Readonly<Record<string, unknown>>): string {
  const rows = Object.entries(entries).map(([key, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `<tr><td>${escape(key)}</td><td>${escape(text ?? '')}</td></tr>`;
  });
  return `<table class="facts">${rows.join('')}</table>`;
}

/**
 * A page about a run: curves, confusion matrix, examples, settings. It is one file without links, in light and dark. Needs the
 * optional peer `echarts`, whose browser build (0.7 MB) stands in the page.
 *
 * @returns the text of the file
 * @throws ArgumentError for data without a title, or without echarts
 * @example
 * await writeFile('run.html', report.html({ title: 'First run', epochs: run.history, config: run.config }));
 */
export function html(data: ReportData): string {
  if (typeof data !== 'object' || data === null || typeof data.title !== 'string') {
    throw new ArgumentError('report.html: the data must have a title.');
  }
  const { title, subtitle, status = 'done', reason, started } = data;
  if (!['running', 'done', 'stopped', 'failed'].includes(status)) {
    throw new ArgumentError(`report.html: status must be 'running', 'done', 'stopped' or 'failed', got '${status}'.`);
  }
  const charts = chartsOf(data);
  const library = echartsSource('report.html').replaceAll('</script', '<\\/script');
  const lines = [
    subtitle,
    started === undefined ? undefined : `started ${started.toISOString().replace('T', ' ').slice(0, 16)} UTC`,
    reason,
  ];
  const panels = charts.map(({ id, title: heading }) => panel(heading, `<div class="chart" id="${id}"></div>`));
  const { confusion, samples, summary, config, machine } = data;
  const has = (entries: object | undefined): entries is object =>
    entries !== undefined && Object.keys(entries).length > 0;
  if (confusion !== undefined) panels.push(panel('Confusion matrix', confusionTable(confusion), true));
  if (samples !== undefined && samples.length > 0) panels.push(panel('Predictions', sampleCells(samples), true));
  if (has(config)) panels.push(panel('Configuration', facts(config)));
  if (has(machine)) panels.push(panel('Machine', facts(machine)));
  if (summary !== undefined)
    panels.push(panel('Model', `<div class="scroll"><pre>${escape(summary)}</pre></div>`, true));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
</head>
<body>
<main>
<header><div><h1>${escape(title)}<span class="pill ${status}">${status}</span></h1><div class="sub">${lines
    .filter((line) => line !== undefined && line !== '')
    .map(escape)
    .join(' · ')}</div></div><button id="theme" type="button">Dark</button></header>
${cards(data)}
<div class="grid">${panels.join('\n')}</div>
<footer>Written by Thalweg · ${escape(new Date().toISOString().replace('T', ' ').slice(0, 19))} UTC</footer>
</main>
<script type="application/json" id="charts">${json(charts)}</script>
<script>${library}</script>
<script>${script}</script>
</body>
</html>
`;
}

/**
 * Writes `html(data)` to a file, atomically: a reader never sees half of it.
 *
 * @throws FileError if writing fails; what `html` throws
 */
export async function write(file: string, data: ReportData): Promise<void> {
  await writeFileAtomic(file, new TextEncoder().encode(html(data)));
}
