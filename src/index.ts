// The public interface of Thalweg.
import './tensor/install.js';

export * as amp from './amp/index.js';
export type { GradHook, HookHandle } from './autograd/hooks.js';
export type { InputGradients } from './autograd/node.js';
export { grad, type BackwardOptions } from './autograd/backward.js';
export { enableGrad, isGradEnabled, noGrad } from './autograd/mode.js';
export * as cuda from './cuda/index.js';
export * as data from './data/index.js';
export { setDebugLevel } from './debug.js';
export type { Device } from './device.js';
export {
  dtypes,
  promoteTypes,
  type DType,
  type FloatDType,
  type IntDType,
  type ItemOf,
  type TypedArrayOf,
} from './dtype.js';
export * from './errors.js';
export * as safetensors from './io/safetensors.js';
export { NativeLoadError } from './load.js';
export { emptyCache, keep, memory, tidy, type MemoryInfo } from './memory.js';
export * as linalg from './linalg/index.js';
export * as metrics from './metrics/index.js';
export * as models from './models/index.js';
export * as nn from './nn/index.js';
export * from './ops/index.js';
export * as optim from './optim/index.js';
export * as expr from './program/expr.js';
export { program, type Program, type ProgramSpec, type RunOptions } from './program/program.js';
export * as report from './report/index.js';
export {
  getFloat32MatmulPrecision,
  getNumThreads,
  info,
  setFlushDenormal,
  setFloat32MatmulPrecision,
  setNumThreads,
  synchronize,
} from './runtime.js';
export * as tensorboard from './tensorboard/index.js';
export { isTensor, Tensor } from './tensor/tensor.js';
export * as train from './train/index.js';
export * as utils from './utils/index.js';
export type { ShapeMismatch } from './types/shape.js';
export type { Shape } from './shape.js';
