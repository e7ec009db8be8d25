// The namespace `nn`.
export * as functional from './functional.js';
export * as init from './init.js';
export { Dropout, Flatten, Linear, ReLU, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export { Bilinear, CosineSimilarity, PairwiseDistance, type BilinearOptions } from './distance.js';
