// Charts, and pages that show how a run went.
export { chart, type ChartOptions } from './chart.js';
export type { ReportConfusion, ReportData, ReportLayer, ReportSample, ReportStep } from './data.js';
export { html, write } from './html.js';
export type { ChartContent, ChartSeries } from './lineOption.js';
