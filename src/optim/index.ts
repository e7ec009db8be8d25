// The namespace `optim`.
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
