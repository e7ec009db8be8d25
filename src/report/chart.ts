// Charts as SVG documents, drawn without a browser.
import { ArgumentError } from '../errors.js';
import { drawSvg } from './echarts.js';
import { checkChart, legendRows, lineOption, themes, type ChartContent } from './lineOption.js';

/** Options of `chart`. */
export interface ChartOptions extends ChartContent {
  /** Pixels. Default 760. */
  width?: number;
  /** Pixels. Default 420. */
  height?: number;
  /** Default `'light'`. */
  theme?: 'light' | 'dark';
}

/**
 * Draws lines over numbers, with axes and a legend, as an SVG document: write it to a file, or put it into a page.
 * Needs the optional peer `echarts`.
 *
 * @returns the text of the document
 * @throws ArgumentError for series that cannot be drawn, or without echarts
 * @example
 * const svg = report.chart({
 *   title: 'Loss',
 *   xLabel: 'epoch',
 *   logY: true,
 *   series: [{ name: 'train', y: [2.3, 0.9, 0.4] }, { name: 'validation', y: [2.1, 1, 0.7], kind: 'dashed' }],
 * });
 * await writeFile('loss.svg', svg);
 */
export function chart(options: ChartOptions): string {
  checkChart('chart', options);
  const { width = 760, height = 420, theme = 'light' } = options;
  for (const [name, value] of [
    ['width', width],
    ['height', height],
  ] as const) {
    if (!Number.isInteger(value) || value < 100 || value > 10_000) {
      throw new ArgumentError(`chart: ${name} must be an integer from 100 to 10000 pixels, got ${String(value)}.`);
    }
  }
  if (theme !== 'light' && theme !== 'dark') {
    throw new ArgumentError(`chart: theme must be 'light' or 'dark', got '${String(theme)}'.`);
  }
  const option = lineOption(options, themes[theme]);
  const { show, top } = option['legend'] as { show: boolean; top: number };
  const rows = show
    ? legendRows(
        options.series.map(({ name }) => name),
        width,
      )
    : 0;
  (option['grid'] as { top: number }).top = top + rows * 22 + 10;
  return drawSvg('chart', option, width, height);
}
