// The namespace `nn`.
export * as functional from './functional.js';
export * as init from './init.js';
export { Dropout, Flatten, Linear, ReLU, type LinearOptions } from './layers.js';
export { Module, parameter, type AnyModule, type LoadReport, type Parameter, type StateDict } from './module.js';
export { Sequential } from './sequential.js';
export { GRU, LSTM, RNN, type RecurrentOptions, type RecurrentOutput, type RNNOptions } from './rnn.js';
export { GRUCell, LSTMCell, RNNCell, type CellOptions, type RNNCellOptions } from './rnnCells.js';
export * as utils from './utils/index.js';
export type { RecurrentCell } from './rnnCells.js';
export type { RecurrentLayer } from './rnn.js';
