// The namespace `nn`.
export * from './activation.js';
export * as functional from './functional.js';
export * as init from './init.js';
export { Dropout, Flatten, Linear, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export * from './conv.js';
export * from './pool.js';
export * from './resize.js';
