// The namespace `nn`.
export * as functional from './functional.js';
export * as init from './init.js';
export { Dropout, Flatten, Linear, ReLU, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export { MultiheadAttention } from './attention.js';
export type { MultiheadAttentionOptions, AttentionCallOptions } from './attention.js';
export { LearnedPositionalEncoding } from './positional.js';
export { RotaryEmbedding } from './positional.js';
export { SinusoidalPositionalEncoding } from './positional.js';
export type { LearnedPositionalOptions, PositionalOptions, RotaryEmbeddingOptions } from './positional.js';
