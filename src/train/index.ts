// Training loops and what goes with them.
export type { Callback, EpochRecord, Logs, Run, StepRecord } from './callback.js';
