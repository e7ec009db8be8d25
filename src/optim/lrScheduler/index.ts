// The namespace `optim.lrScheduler`.
export type { ChartOptions } from './chart.js';
export { ChainedScheduler, SequentialLR } from './combine.js';
export {
  CosineAnnealingLR,
  CosineAnnealingWarmRestarts,
  type CosineAnnealingLROptions,
  type CosineAnnealingWarmRestartsOptions,
} from './cosine.js';
export { CyclicLR, OneCycleLR, type CyclicLROptions, type MomentumOptions, type OneCycleLROptions } from './cyclic.js';
export {
  ConstantLR,
  ExponentialLR,
  InverseSqrtLR,
  LambdaLR,
  LinearLR,
  MultiplicativeLR,
  MultiStepLR,
  PolynomialLR,
  StepLR,
  type ConstantLROptions,
  type InverseSqrtLROptions,
  type LinearLROptions,
  type LrLambda,
  type PolynomialLROptions,
  type StepLROptions,
} from './decay.js';
export { ReduceLROnPlateau, type PlateauOptions, type ReduceLROnPlateauOptions } from './plateau.js';
export {
  LRScheduler,
  type PlotOptions,
  type Schedulable,
  type ScheduledGroup,
  type SchedulerOptions,
  type SchedulerState,
} from './scheduler.js';
