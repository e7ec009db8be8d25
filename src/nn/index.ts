// The namespace `nn`.
export * from './activation.js';
export * as functional from './functional.js';
export * as init from './init.js';
export { Dropout, Flatten, Linear, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export * from './conv.js';
export { Bilinear, CosineSimilarity, PairwiseDistance, type BilinearOptions } from './distance.js';
export { ModuleDict, ModuleList, ParameterDict, ParameterList, type Entries } from './containers.js';
export type { ForwardHook, ForwardPreHook, FullBackwardHook, FullBackwardPreHook, ModuleGradients } from './hooks.js';
export * as utils from './utils/index.js';
export { Unflatten } from './layers.js';
export {
  Embedding,
  EmbeddingBag,
  type EmbeddingBagLayerOptions,
  type EmbeddingLayerOptions,
  type PretrainedOptions,
} from './embedding.js';
