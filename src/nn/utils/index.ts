// The namespace `nn.utils`.
export * as rnn from './rnn.js';
