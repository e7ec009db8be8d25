// Which charts a report has.
import type { ReportData } from './data.js';
import { legendRows, lineOption, type ChartContent, type ChartSeries, type ChartTheme } from './lineOption.js';

/** A chart of a report: the id of its place, its heading, and what ECharts draws. */
export interface ReportChart {
  readonly id: string;
  readonly title: string;
  readonly option: object;
}

// The browser puts the colours of the page in the places of the names.
const theme: ChartTheme = {
  text: 'var(--text)',
  muted: 'var(--muted)',
  line: 'var(--line)',
  background: 'transparent',
  palette: Array.from({ length: 10 }, (_, i) => `var(--c${i})`),
  font: 'sans-serif',
};

/** Points that a line has at most: more are averaged, so that a page stays small. */
const MOST = 600;

/** Means over neighbours, where there are too many points. */
export function thin(series: ChartSeries): ChartSeries {
  const { x, y } = series;
  if (y.length <= MOST) return series;
  const xs: number[] = [];
  const ys: number[] = [];
  for (let i = 0; i < MOST; i++) {
    const [from, to] = [Math.floor((i * y.length) / MOST), Math.floor(((i + 1) * y.length) / MOST)];
    const mean = (list: readonly number[]): number => list.slice(from, to).reduce((a, b) => a + b, 0) / (to - from);
    xs.push(x === undefined ? (from + to - 1) / 2 : mean(x));
    ys.push(mean(y));
  }
  return { ...series, x: xs, y: ys };
}

const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `valAccuracy` as `accuracy`; null for a name that is not of the validation. */
export function trainedName(name: string): string | null {
  return /^val[A-Z]/.test(name) ? name.charAt(3).toLowerCase() + name.slice(4) : null;
}

/** `topK` and `f1Score` as words. */
const words = (name: string): string => upper(name.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase());

/** The charts that the data allow. */
export function chartsOf(data: ReportData): ReportChart[] {
  const charts: ReportChart[] = [];
  const add = (title: string, content: Omit<ChartContent, 'title'>): void => {
    const series = content.series.filter(({ y }) => y.some(Number.isFinite)).map(thin);
    if (series.length === 0) return;
    // Over less than a decade a logarithmic axis shows less than a plain one.
    const values = series.flatMap(({ y }) => y.filter((value) => value > 0 && Number.isFinite(value)));
    const most = values.reduce((a, b) => Math.max(a, b), 0);
    const wide = most > 20 * values.reduce((a, b) => Math.min(a, b), Infinity);
    const option = lineOption({ ...content, series, logY: content.logY === true && wide }, theme);
    if (content.xLabel === 'epoch') Object.assign(option['xAxis'] as object, { min: 'dataMin', minInterval: 1 });
    const legend = option['legend'] as { show: boolean; top: number };
    legend.top = 0;
    const names = series.map(({ name }) => name);
    (option['grid'] as { top: number }).top = legend.show ? legendRows(names, 520) * 22 + 8 : 8;
    charts.push({ id: `chart-${charts.length}`, title, option });
  };
  const { epochs = [], steps = [], layers = [] } = data;
  const of = (key: string): ChartSeries['y'] => epochs.map(({ logs }) => logs[key] ?? NaN);
  const at = epochs.map(({ epoch }) => epoch + 1);
  const keys = [...new Set(epochs.flatMap(({ logs }) => Object.keys(logs)))];
  const names = [...new Set(keys.map((key) => trainedName(key) ?? key))];
  for (const name of names) {
    add(words(name), {
      xLabel: 'epoch',
      series: [
        { name: 'training', x: at, y: of(name), color: 'var(--c0)' },
        { name: 'validation', x: at, y: of(`val${upper(name)}`), color: 'var(--c1)' },
      ],
    });
  }
  const taken = (key: 'loss' | 'lr' | 'gradNorm'): ChartSeries => {
    const known = steps.filter((one) => one[key] !== undefined);
    return { name: '', x: known.map(({ step }) => step), y: known.map((one) => one[key]!) };
  };
  add('Loss of single updates', { xLabel: 'update', series: [{ ...taken('loss'), color: 'var(--c0)' }] });
  const rates = taken('lr');
  add('Learning rate', {
    xLabel: 'update',
    series: [
      rates.y.length > 0
        ? { ...rates, color: 'var(--c2)' }
        : { name: '', x: epochs.map(({ step }) => step), y: epochs.map(({ lr }) => lr), color: 'var(--c2)' },
    ],
  });
  add('Norm of the gradients', {
    xLabel: 'update',
    logY: true,
    series: [{ ...taken('gradNorm'), color: 'var(--c3)' }],
  });
  add('Samples per second', {
    xLabel: 'epoch',
    series: [{ name: '', x: at, y: epochs.map(({ samples, seconds }) => samples / seconds), color: 'var(--c5)' }],
  });
  // The most telling ones: a chart of hundreds of lines tells nothing.
  const shown = layers.slice(0, 20);
  const norms = (key: 'gradNorms' | 'weightNorms'): ChartSeries[] =>
    shown.map((layer) => ({ name: layer.name, x: layer.steps, y: layer[key] }));
  add('Gradient norms of parameters', { xLabel: 'update', logY: true, series: norms('gradNorms') });
  add('Norms of parameters', { xLabel: 'update', logY: true, series: norms('weightNorms') });
  return charts;
}
