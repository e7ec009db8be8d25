// What ECharts is told to draw: lines over numbers.
import { ArgumentError } from '../errors.js';

/** A line of a chart. */
export interface ChartSeries {
  /** What the legend says. */
  name: string;
  /** The values; one that is not finite leaves a gap. */
  y: readonly number[];
  /** Where they are, as many as there are values. Default: 0, 1, 2 ... */
  x?: readonly number[];
  /** `'line'` (the default), `'dashed'`, `'step'` (each value holds until the next), or `'points'` alone. */
  kind?: 'line' | 'dashed' | 'step' | 'points';
  /** A CSS colour. Default: the next one of the palette. */
  color?: string;
}

/** What a chart shows. */
export interface ChartContent {
  /** Stands above it. */
  title?: string;
  /** The lines, at least one. */
  series: readonly ChartSeries[];
  /** What the horizontal axis is. */
  xLabel?: string;
  /** What the vertical axis is. */
  yLabel?: string;
  /** A logarithmic horizontal axis: what is not above 0 is left out. Default false. */
  logX?: boolean;
  /** A logarithmic vertical axis. Default false. */
  logY?: boolean;
}

/** Colours and font of a chart. @internal */
export interface ChartTheme {
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly background: string;
  readonly palette: readonly string[];
  readonly font: string;
}

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif";

/** @internal */
export const themes: Readonly<Record<'light' | 'dark', ChartTheme>> = {
  light: {
    text: '#1c2330',
    muted: '#5d6778',
    line: '#e4e8ee',
    background: '#ffffff',
    palette: [
      '#2f6feb',
      '#e8590c',
      '#0f9d76',
      '#8b46d6',
      '#d6336c',
      '#0b8fb3',
      '#b58105',
      '#5f6b7c',
      '#5c940d',
      '#a0522d',
    ],
    font: FONT,
  },
  dark: {
    text: '#e7ebf2',
    muted: '#9aa5b8',
    line: '#2b3342',
    background: '#151a23',
    palette: [
      '#6ea1ff',
      '#ff9454',
      '#3ecf9f',
      '#bd8cff',
      '#ff7fa8',
      '#4cc9e8',
      '#e3b341',
      '#a3afc2',
      '#9bd24a',
      '#d79a6e',
    ],
    font: FONT,
  },
};

/** Refuses what cannot be drawn, naming it. @internal */
export function checkChart(op: string, content: ChartContent): void {
  const { series } = content as { series: unknown };
  if (!Array.isArray(series) || series.length === 0) {
    throw new ArgumentError(`${op}: series must be a list of at least one { name, y }.`);
  }
  for (const [i, one] of (series as Partial<ChartSeries>[]).entries()) {
    if (typeof one !== 'object' || one === null || typeof one.name !== 'string' || !Array.isArray(one.y)) {
      throw new ArgumentError(`${op}: series[${i}] must be { name: a string, y: a list of numbers }.`);
    }
    if (one.x !== undefined && (!Array.isArray(one.x) || one.x.length !== one.y.length)) {
      throw new ArgumentError(
        `${op}: series[${i}] '${one.name}' has ${one.y.length} values and ${one.x.length} places; there must be as many.`,
      );
    }
    if (one.kind !== undefined && !['line', 'dashed', 'step', 'points'].includes(one.kind)) {
      throw new ArgumentError(
        `${op}: series[${i}] '${one.name}' is of kind '${String(one.kind)}'; expected 'line', 'dashed', 'step' or 'points'.`,
      );
    }
  }
}

type Point = [number, number | null];

function points({ x, y }: ChartSeries, { logX = false, logY = false }: ChartContent): Point[] {
  const result: Point[] = [];
  y.forEach((value, i) => {
    const at = x?.[i] ?? i;
    if (!Number.isFinite(at) || (logX && at <= 0)) return;
    result.push([at, Number.isFinite(value) && !(logY && value <= 0) ? value : null]);
  });
  return result;
}

/** A number as an axis says it: 0.0001 as 1e-4, and no trace of its binary form. @internal */
export function shortNumber(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6))
    return value
      .toExponential(2)
      .replace(/\.?0*e/, 'e')
      .replace('e+', 'e');
  return String(Number(value.toPrecision(6)));
}

/** The option for a chart of lines. @internal */
export function lineOption(content: ChartContent, theme: ChartTheme): Record<string, unknown> {
  const { title, series, xLabel, yLabel, logX = false, logY = false } = content;
  const legend = series.length > 1 || (series[0].name !== '' && series[0].name !== title);
  const axis = (name: string | undefined, log: boolean, gap: number): object => ({
    type: log ? 'log' : 'value',
    scale: true,
    name: name ?? '',
    nameLocation: 'middle',
    nameGap: gap,
    nameTextStyle: { color: theme.muted, fontSize: 12 },
    axisLabel: { color: theme.muted, fontSize: 11, hideOverlap: true, formatter: shortNumber },
    splitLine: { lineStyle: { color: theme.line } },
    axisTick: { show: false },
    minorTick: { show: false },
  });
  return {
    animation: false,
    backgroundColor: theme.background,
    color: theme.palette,
    textStyle: { fontFamily: theme.font, color: theme.text },
    title: {
      show: title !== undefined,
      text: title ?? '',
      left: 16,
      top: 12,
      textStyle: { color: theme.text, fontSize: 15, fontWeight: 600 },
    },
    legend: {
      show: legend,
      type: 'plain',
      left: 12,
      right: 12,
      top: title === undefined ? 8 : 38,
      align: 'left',
      itemWidth: 18,
      itemHeight: 8,
      itemGap: 14,
      textStyle: { color: theme.muted, fontSize: 12 },
      inactiveColor: theme.line,
    },
    grid: { left: 16, right: 28, top: 0, bottom: 14, outerBoundsMode: 'same', outerBoundsContain: 'all' },
    xAxis: {
      ...axis(xLabel, logX, 28),
      axisLine: { lineStyle: { color: theme.line } },
      splitLine: { show: false },
    },
    yAxis: { ...axis(yLabel, logY, 48), axisLine: { show: false } },
    series: series.map((one) => {
      const data = points(one, content);
      const kind = one.kind ?? 'line';
      return {
        type: kind === 'points' ? 'scatter' : 'line',
        name: one.name,
        data,
        // A line of one value would not be seen.
        showSymbol: data.length <= 1,
        symbol: kind === 'points' || data.length <= 1 ? 'circle' : 'none',
        symbolSize: kind === 'points' ? 5 : 6,
        step: kind === 'step' ? 'end' : false,
        lineStyle: { width: 2, type: kind === 'dashed' ? 'dashed' : 'solid' },
        emphasis: { focus: 'series' },
        ...(one.color === undefined ? {} : { color: one.color, itemStyle: { color: one.color } }),
      };
    }),
  };
}

/** How many rows the legend needs in a chart of a width, by a guess at the widths of its texts. @internal */
export function legendRows(names: readonly string[], width: number): number {
  let rows = 1;
  let used = 0;
  for (const name of names) {
    const one = 18 + 5 + name.length * 6.8 + 14;
    if (used > 0 && used + one > width - 24) {
      rows++;
      used = 0;
    }
    used += one;
  }
  return rows;
}
