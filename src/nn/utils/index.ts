// The namespace `nn.utils`.
export * as rnn from './rnn.js';
export { clipGradNorm, clipGradValue, clipGradsWithNorm, getTotalNorm, type NormOptions } from './clipGrad.js';
export { parametersToVector, vectorToParameters } from './vector.js';
export { removeSpectralNorm, spectralNorm, type SpectralNormOptions } from './spectralNorm.js';
export { removeWeightNorm, weightNorm, type WeightNormOptions } from './weightNorm.js';
