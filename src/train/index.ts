// Training loops and what goes with them.
export type { BatchSource, DataSource } from './batches.js';
export type {
  Callback,
  EpochRecord,
  GradientRecord,
  Logs,
  Run,
  SafePoint,
  StepNumbers,
  StepRecord,
} from './callback.js';
export { BestModel } from './callbacks/bestModel.js';
export { EarlyStopping, type EarlyStoppingOptions } from './callbacks/earlyStopping.js';
export { EMA, type EMACallbackOptions } from './callbacks/ema.js';
export { GrowBatchSize, GrowEpochs, type GrowBatchSizeOptions, type GrowEpochsOptions } from './callbacks/grow.js';
export { CsvLogger, JsonLogger } from './callbacks/logFile.js';
export type { MonitorOptions } from './callbacks/monitor.js';
export { NanGuard, type NanEvent, type NanGuardOptions } from './callbacks/nanGuard.js';
export { Report, type ReportExamples, type ReportOptions } from './callbacks/report.js';
export { Statistics, type StatisticsOptions } from './callbacks/statistics.js';
export { Checkpoint, type CheckpointOptions } from './callbacks/checkpoint.js';
export { listCheckpoints, readCheckpoint, type CheckpointContent, type CheckpointFile } from './checkpointFile.js';
export type { StateTree } from './stateTree.js';
export { ProgressBar, type ProgressBarOptions } from './callbacks/progressBar.js';
export { TensorBoard, type TensorBoardOptions } from './callbacks/tensorboard.js';
export type { Forward, ForwardResult, Loss, LossModule } from './compute.js';
export { evaluate, predict, type EvaluateOptions, type PredictOptions } from './evaluate.js';
export { findLr, type FindLrOptions, type LrSweep } from './findLr.js';
export { fit } from './fit.js';
export type { FitOptions, FitResult } from './options.js';
export type { Metrics } from './running.js';
export type { MakeSchedule, Schedule, ScheduleContext, ScheduleOptions, Scheduler } from './schedules.js';
export type { AnyOptimizer, Clip, ClipNorm, ClipValue } from './update.js';
