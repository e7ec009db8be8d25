// The namespace `optim`.
export { Adadelta, type AdadeltaOptions } from './adadelta.js';
export { Adafactor, type AdafactorOptions } from './adafactor.js';
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, AdamW, type AdamOptions } from './adam.js';
export { Adamax, type AdamaxOptions } from './adamax.js';
export { ASGD, type ASGDOptions } from './asgd.js';
export { defineOptimizer, type OptimizerClass, type OptimizerSpec } from './define.js';
export {
  EMA,
  SWA,
  WeightAverage,
  type Averageable,
  type AverageStateDict,
  type EMAOptions,
  type HasStateDict,
} from './averaging.js';
export * as batchSizeScheduler from './batchSizeScheduler.js';
export type { CommonOptions } from './common.js';
export { LAMB, type LAMBOptions } from './lamb.js';
export { LARS, type LARSOptions } from './lars.js';
export { LBFGS, type LBFGSOptions } from './lbfgs.js';
export { Lion, type LionOptions } from './lion.js';
export * as lrScheduler from './lrScheduler/index.js';
export { Muon, type MuonOptions } from './muon.js';
export { NAdam, type NAdamOptions } from './nadam.js';
export {
  Optimizer,
  stateTensor,
  type OptimizerOptions,
  type OptimizerStateDict,
  type ParameterGroup,
  type ParametersLike,
  type ParameterState,
} from './optimizer.js';
export { RAdam, type RAdamOptions } from './radam.js';
export type { RegularizationOptions } from './regularization.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export { Rprop, type RpropOptions } from './rprop.js';
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from './scheduleFree.js';
export { SGD, type SGDOptions } from './sgd.js';
export {
  Lookahead,
  SAM,
  type AnyOptimizer,
  type LookaheadOptions,
  type LookaheadStateDict,
  type SAMOptions,
} from './wrappers.js';
