// The namespace `nn`.
export * from './activation.js';
export * as functional from './functional.js';
export * as init from './init.js';
export { Flatten, Linear, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export * from './conv.js';
export { MultiheadAttention } from './attention.js';
export type { MultiheadAttentionOptions, AttentionCallOptions } from './attention.js';
export { LearnedPositionalEncoding } from './positional.js';
export { RotaryEmbedding } from './positional.js';
export { SinusoidalPositionalEncoding } from './positional.js';
export type { LearnedPositionalOptions, PositionalOptions, RotaryEmbeddingOptions } from './positional.js';
export { CrossEntropyLoss } from './classLoss.js';
export { NLLLoss } from './classLoss.js';
export { AlphaDropout } from './dropout.js';
export { Dropout } from './dropout.js';
export { Dropout1d } from './dropout.js';
export { Dropout2d } from './dropout.js';
export { Dropout3d } from './dropout.js';
export { FeatureAlphaDropout } from './dropout.js';
export { BatchNorm1d, type BatchNormLayerOptions } from './norm.js';
export { BatchNorm2d } from './norm.js';
export { BatchNorm3d } from './norm.js';
export { GroupNorm, type GroupNormLayerOptions } from './norm.js';
export { InstanceNorm1d } from './norm.js';
export { InstanceNorm2d } from './norm.js';
export { InstanceNorm3d } from './norm.js';
export { LayerNorm, type LayerNormLayerOptions } from './norm.js';
export { LocalResponseNorm } from './norm.js';
export { RMSNorm, type RMSNormLayerOptions } from './norm.js';
export { Bilinear, CosineSimilarity, PairwiseDistance, type BilinearOptions } from './distance.js';
export { GRU, LSTM, RNN, type RecurrentOptions, type RecurrentOutput, type RNNOptions } from './rnn.js';
export { GRUCell, LSTMCell, RNNCell, type CellOptions, type RNNCellOptions } from './rnnCells.js';
export * as utils from './utils/index.js';
export type { RecurrentCell } from './rnnCells.js';
export type { RecurrentLayer } from './rnn.js';
export { Transformer } from './transformer.js';
export { TransformerDecoder } from './transformer.js';
export { TransformerDecoderLayer } from './transformer.js';
export { TransformerEncoder } from './transformer.js';
export { TransformerEncoderLayer } from './transformer.js';
export type { DecoderCallOptions, EncoderCallOptions, StackOptions } from './transformer.js';
export type { TransformerActivation, TransformerCallOptions } from './transformer.js';
export type { TransformerLayerOptions, TransformerOptions } from './transformer.js';
export { ModuleDict, ModuleList, ParameterDict, ParameterList, type Entries } from './containers.js';
export type { ForwardHook, ForwardPreHook, FullBackwardHook, FullBackwardPreHook, ModuleGradients } from './hooks.js';
export { Unflatten } from './layers.js';
export {
  Embedding,
  EmbeddingBag,
  type EmbeddingBagLayerOptions,
  type EmbeddingLayerOptions,
  type PretrainedOptions,
} from './embedding.js';
export * from './lossLayers.js';
export * from './pool.js';
export * from './resize.js';
