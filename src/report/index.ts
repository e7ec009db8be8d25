// Charts, and pages that show how a run went.
export { chart, type ChartOptions } from './chart.js';
export type { ChartContent, ChartSeries } from './lineOption.js';
