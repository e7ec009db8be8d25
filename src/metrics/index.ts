// How good a model's predictions are.
export type { Metric, MetricValue } from './metric.js';
