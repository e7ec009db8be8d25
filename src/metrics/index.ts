// How good a model's predictions are.
export { accuracy, Accuracy, topKAccuracy, TopKAccuracy, type TopKAccuracyOptions } from './accuracy.js';
export {
  confusionMatrix,
  ConfusionMatrix,
  f1,
  F1,
  precision,
  Precision,
  recall,
  Recall,
  type Average,
  type ClassScoreOptions,
  type ConfusionMatrixOptions,
} from './confusion.js';
export type { ScoreOptions } from './gather.js';
export type { Metric, MetricValue } from './metric.js';
export { MAE, Mean, MSE, Perplexity, R2, RMSE, type NamedOptions, type PerplexityOptions } from './regression.js';
export { rocAuc, RocAuc, type RocAucOptions } from './rocAuc.js';
