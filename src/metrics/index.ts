// How good a model's predictions are.
export { accuracy, Accuracy, topKAccuracy, TopKAccuracy, type TopKAccuracyOptions } from './accuracy.js';
export type { ScoreOptions } from './gather.js';
export type { Metric, MetricValue } from './metric.js';
