// Training loops and what goes with them.
export type { BatchSource, DataSource } from './batches.js';
export type { Callback, EpochRecord, Logs, Run, SafePoint, StepNumbers, StepRecord } from './callback.js';
export { ProgressBar, type ProgressBarOptions } from './callbacks/progressBar.js';
export type { Forward, ForwardResult, Loss } from './compute.js';
export { evaluate, predict, type EvaluateOptions, type PredictOptions } from './evaluate.js';
export { fit } from './fit.js';
export type { FitOptions, FitResult } from './options.js';
export type { Metrics } from './running.js';
export type { MakeSchedule, Schedule, ScheduleContext, ScheduleOptions, Scheduler } from './schedules.js';
export type { AnyOptimizer, Clip } from './update.js';
