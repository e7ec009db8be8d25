// The namespace `optim`.
export * as batchSizeScheduler from './batchSizeScheduler.js';
export * as lrScheduler from './lrScheduler/index.js';
export { Adam, type AdamOptions } from './adam.js';
export {
  Optimizer,
  stateTensor,
  type OptimizerStateDict,
  type ParameterGroup,
  type ParametersLike,
  type ParameterState,
} from './optimizer.js';
export { SGD, type SGDOptions } from './sgd.js';
